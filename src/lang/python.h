/*
 * Python source as a syntax tree, read with tree-sitter: nothing is imported, nothing is run. Text
 * that is not Python gives a tree with PY_ERROR nodes, never a failure.
 */
#pragma once

#include "base/ctx.h"
#include "base/vec.h"

/* Our name, the grammar's. Wrappers that say nothing (block, parenthesized_expression, module's
 * expression_statement) are kept: the tree is the grammar's. */
#define PY_KINDS(X)                                            \
    X(PY_MODULE, "module")                                     \
    X(PY_BLOCK, "block")                                       \
    X(PY_EXPRESSION_STATEMENT, "expression_statement")         \
    X(PY_IMPORT, "import_statement")                           \
    X(PY_IMPORT_FROM, "import_from_statement")                 \
    X(PY_FUTURE_IMPORT, "future_import_statement")             \
    X(PY_ALIASED_IMPORT, "aliased_import")                     \
    X(PY_RELATIVE_IMPORT, "relative_import")                   \
    X(PY_WILDCARD_IMPORT, "wildcard_import")                   \
    X(PY_DOTTED_NAME, "dotted_name")                           \
    X(PY_FUNCTION, "function_definition")                      \
    X(PY_CLASS, "class_definition")                            \
    X(PY_DECORATED, "decorated_definition")                    \
    X(PY_DECORATOR, "decorator")                               \
    X(PY_PARAMETERS, "parameters")                             \
    X(PY_LAMBDA_PARAMETERS, "lambda_parameters")               \
    X(PY_DEFAULT_PARAMETER, "default_parameter")               \
    X(PY_TYPED_PARAMETER, "typed_parameter")                   \
    X(PY_TYPED_DEFAULT_PARAMETER, "typed_default_parameter")   \
    X(PY_LIST_SPLAT_PATTERN, "list_splat_pattern")             \
    X(PY_DICTIONARY_SPLAT_PATTERN, "dictionary_splat_pattern") \
    X(PY_KEYWORD_SEPARATOR, "keyword_separator")               \
    X(PY_POSITIONAL_SEPARATOR, "positional_separator")         \
    X(PY_TYPE, "type")                                         \
    X(PY_IF, "if_statement")                                   \
    X(PY_ELIF, "elif_clause")                                  \
    X(PY_ELSE, "else_clause")                                  \
    X(PY_FOR, "for_statement")                                 \
    X(PY_WHILE, "while_statement")                             \
    X(PY_TRY, "try_statement")                                 \
    X(PY_EXCEPT, "except_clause")                              \
    X(PY_FINALLY, "finally_clause")                            \
    X(PY_WITH, "with_statement")                               \
    X(PY_WITH_CLAUSE, "with_clause")                           \
    X(PY_WITH_ITEM, "with_item")                               \
    X(PY_AS_PATTERN, "as_pattern")                             \
    X(PY_AS_PATTERN_TARGET, "as_pattern_target")               \
    X(PY_MATCH, "match_statement")                             \
    X(PY_CASE, "case_clause")                                  \
    X(PY_RETURN, "return_statement")                           \
    X(PY_RAISE, "raise_statement")                             \
    X(PY_PASS, "pass_statement")                               \
    X(PY_BREAK, "break_statement")                             \
    X(PY_CONTINUE, "continue_statement")                       \
    X(PY_DELETE, "delete_statement")                           \
    X(PY_GLOBAL, "global_statement")                           \
    X(PY_NONLOCAL, "nonlocal_statement")                       \
    X(PY_ASSERT, "assert_statement")                           \
    X(PY_PRINT, "print_statement")                             \
    X(PY_EXEC, "exec_statement")                               \
    X(PY_ASSIGNMENT, "assignment")                             \
    X(PY_AUGMENTED_ASSIGNMENT, "augmented_assignment")         \
    X(PY_NAMED_EXPRESSION, "named_expression")                 \
    X(PY_EXPRESSION_LIST, "expression_list")                   \
    X(PY_PATTERN_LIST, "pattern_list")                         \
    X(PY_TUPLE_PATTERN, "tuple_pattern")                       \
    X(PY_LIST_PATTERN, "list_pattern")                         \
    X(PY_CALL, "call")                                         \
    X(PY_ARGUMENTS, "argument_list")                           \
    X(PY_KEYWORD_ARGUMENT, "keyword_argument")                 \
    X(PY_LIST_SPLAT, "list_splat")                             \
    X(PY_DICTIONARY_SPLAT, "dictionary_splat")                 \
    X(PY_ATTRIBUTE, "attribute")                               \
    X(PY_SUBSCRIPT, "subscript")                               \
    X(PY_SLICE, "slice")                                       \
    X(PY_IDENTIFIER, "identifier")                             \
    X(PY_STRING, "string")                                     \
    X(PY_STRING_START, "string_start")                         \
    X(PY_STRING_CONTENT, "string_content")                     \
    X(PY_STRING_END, "string_end")                             \
    X(PY_ESCAPE_SEQUENCE, "escape_sequence")                   \
    X(PY_ESCAPE_INTERPOLATION, "escape_interpolation")         \
    X(PY_INTERPOLATION, "interpolation")                       \
    X(PY_FORMAT_SPECIFIER, "format_specifier")                 \
    X(PY_TYPE_CONVERSION, "type_conversion")                   \
    X(PY_CONCATENATED_STRING, "concatenated_string")           \
    X(PY_INTEGER, "integer")                                   \
    X(PY_FLOAT, "float")                                       \
    X(PY_TRUE, "true")                                         \
    X(PY_FALSE, "false")                                       \
    X(PY_NONE, "none")                                         \
    X(PY_ELLIPSIS, "ellipsis")                                 \
    X(PY_LIST, "list")                                         \
    X(PY_TUPLE, "tuple")                                       \
    X(PY_SET, "set")                                           \
    X(PY_DICTIONARY, "dictionary")                             \
    X(PY_PAIR, "pair")                                         \
    X(PY_PARENTHESIZED, "parenthesized_expression")            \
    X(PY_UNARY, "unary_operator")                              \
    X(PY_NOT, "not_operator")                                  \
    X(PY_BOOLEAN, "boolean_operator")                          \
    X(PY_BINARY, "binary_operator")                            \
    X(PY_COMPARISON, "comparison_operator")                    \
    X(PY_CONDITIONAL, "conditional_expression")                \
    X(PY_LAMBDA, "lambda")                                     \
    X(PY_LIST_COMPREHENSION, "list_comprehension")             \
    X(PY_SET_COMPREHENSION, "set_comprehension")               \
    X(PY_DICTIONARY_COMPREHENSION, "dictionary_comprehension") \
    X(PY_GENERATOR, "generator_expression")                    \
    X(PY_FOR_IN, "for_in_clause")                              \
    X(PY_IF_CLAUSE, "if_clause")                               \
    X(PY_AWAIT, "await")                                       \
    X(PY_YIELD, "yield")                                       \
    X(PY_COMMENT, "comment")                                   \
    X(PY_ERROR, "ERROR")

/* Fields of the grammar that tell children apart. */
#define PY_FIELDS(X)                         \
    X(PY_FIELD_ALIAS, "alias")               \
    X(PY_FIELD_ALTERNATIVE, "alternative")   \
    X(PY_FIELD_ARGUMENT, "argument")         \
    X(PY_FIELD_ARGUMENTS, "arguments")       \
    X(PY_FIELD_ATTRIBUTE, "attribute")       \
    X(PY_FIELD_BODY, "body")                 \
    X(PY_FIELD_CONDITION, "condition")       \
    X(PY_FIELD_CONSEQUENCE, "consequence")   \
    X(PY_FIELD_DEFINITION, "definition")     \
    X(PY_FIELD_EXPRESSION, "expression")     \
    X(PY_FIELD_FUNCTION, "function")         \
    X(PY_FIELD_KEY, "key")                   \
    X(PY_FIELD_LEFT, "left")                 \
    X(PY_FIELD_MODULE_NAME, "module_name")   \
    X(PY_FIELD_NAME, "name")                 \
    X(PY_FIELD_OBJECT, "object")             \
    X(PY_FIELD_OPERATOR, "operator")         \
    X(PY_FIELD_OPERATORS, "operators")       \
    X(PY_FIELD_PARAMETERS, "parameters")     \
    X(PY_FIELD_RIGHT, "right")               \
    X(PY_FIELD_SUBJECT, "subject")           \
    X(PY_FIELD_SUBSCRIPT, "subscript")       \
    X(PY_FIELD_SUPERCLASSES, "superclasses") \
    X(PY_FIELD_TYPE, "type")                 \
    X(PY_FIELD_VALUE, "value")

#define PY_ENUM(name, text) name,
enum py_kind { PY_OTHER, PY_KINDS(PY_ENUM) PY_KIND_COUNT }; /* PY_OTHER: any other named node */
enum py_field { PY_FIELD_NONE, PY_FIELDS(PY_ENUM) PY_FIELD_COUNT };
#undef PY_ENUM

/*
 * Named nodes, and unnamed ones only where they carry a field (the operator of an expression: kind
 * PY_OTHER, its text says which). Comments are not in the tree but in py_tree.comments.
 */
struct py_node {
    enum py_kind kind;
    enum py_field field; /* what it is to its parent */
    uint32_t start;      /* byte offsets into the source; end is behind the last byte */
    uint32_t end;
    uint32_t line;   /* from 1 */
    uint32_t column; /* from 1, in bytes */
    uint32_t end_line;
    bool is_missing;             /* put in by the parser where the text lacks it */
    const struct py_node *first; /* child */
    const struct py_node *next;  /* sibling */
};

struct py_comment {
    uint32_t line;
    const char *text; /* from the # on, to the end of the line */
    bool is_alone;    /* nothing else stands on the line */
};

struct py_tree {
    const char *source; /* what the offsets point into: UTF-8, without a BOM */
    size_t length;
    const struct py_node *root; /* PY_MODULE */
    /* The first PY_ERROR or missing node in the text, or NULL; a missing token is not below root. */
    const struct py_node *error;
    size_t node_count;
    struct {
        struct py_comment *items;
        size_t count;
        size_t capacity;
    } comments;
};

/* Bytes; nothing that a person wrote is longer, and a byte can take 400 of memory while parsing. */
enum { PYTHON_LENGTH_MAX = 1 << 20 };

/*
 * Parses UTF-8 text, which must stay as long as the tree. The tree is in the context's arena. CPU
 * time and memory are bounded by the length. ERR_INPUT when the text is longer than
 * PYTHON_LENGTH_MAX, holds a NUL byte, takes more than 250 ms and 8 us a byte (only nonsense does),
 * is indented in more than 150 ways, or nested deeper than 1,000.
 */
bool python_parse(struct ctx *ctx, const char *source, size_t length, struct py_tree *ret)
    MUST_CHECK;

/* The first child with this field, or NULL. */
const struct py_node *py_child(const struct py_node *node, enum py_field field);

/* The text of a node, in the arena. */
const char *py_text(struct arena *arena, const struct py_tree *tree, const struct py_node *node);

/* Whether the node's text is exactly this. */
bool py_is(const struct py_tree *tree, const struct py_node *node, const char *text);

/* The grammar's name of a kind ("call"). */
const char *py_kind_name(enum py_kind kind);
