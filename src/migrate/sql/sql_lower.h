/*
 * SQL text to steps, shared by sql_*.c. Statements are cut by a scanner of our own, which also
 * finds the texts of expressions; what they mean is read from libpg_query's tree.
 */
#pragma once

#include "base/json.h"
#include "migrate/model/step.h"

/* ---- the scanner: sql_lex.c ---- */

enum lexeme_kind {
    LEX_END,
    LEX_WORD,     /* also keywords */
    LEX_QUOTED,   /* "name" */
    LEX_STRING,   /* in any quoting */
    LEX_NUMBER,   /* also $1 */
    LEX_OPERATOR, /* also :: and := */
    LEX_SIGN,     /* one byte: ( ) [ ] , ; . : or what is no SQL */
};

struct lexeme {
    enum lexeme_kind kind;
    uint32_t depth; /* parentheses and brackets around it; of one of these: outside */
    size_t start;
    size_t end;
};

struct lexer {
    const char *text;
    size_t at;
    uint32_t depth;
};

/* The next one; LEX_END at the end of the text. Comments and blanks are left out. */
struct lexeme lex_next(struct lexer *lexer);

bool lex_is_word(const char *text, const struct lexeme *lexeme, const char *word);
bool lex_is_sign(const char *text, const struct lexeme *lexeme, char sign);
bool lex_is_name_byte(char byte);

/* ---- text: sql_text.c ---- */

/* What stands for a part that is unknown while the text is parsed, and in what is shown. */
#define HOLE_NAME  "pgmend_hole"
#define HOLE_SHOWN "…"

/* Holes become names, "\:" a colon. */
const char *text_with_names_for_holes(struct arena *arena, const char *text);

/* Bind parameters (":name", "%(name)s", "%s") become $1; NULL if there are none. */
const char *text_with_parameters(struct arena *arena, const char *text);

/* A part as it is shown, without blanks around it. */
const char *text_shown(struct arena *arena, const char *text, size_t start, size_t end);

/* One statement of a text. */
struct cut {
    const char *text;
    size_t line;         /* newlines before it */
    size_t lines;        /* newlines in it */
    bool is_too_complex; /* nested so deep that reading its tree could take all the stack */
};

struct cuts {
    struct cut *items;
    size_t count;
    size_t capacity;
};

/* At the semicolons that end statements; BEGIN ATOMIC … END is one, as psql has it. */
void text_cut(struct arena *arena, const char *text, struct cuts *ret);

/* Newlines between two byte offsets. */
size_t text_lines(const char *text, size_t start, size_t end);

/* ---- lowering ---- */

struct lower {
    struct ctx *ctx;
    const struct sql_source *source;
    struct steps *steps;
    const char *text;  /* of the statement */
    const char *shown; /* the same for people; made when first asked for */
    struct place place;
    struct conditions conditions;
    const char *schema;         /* CREATE SCHEMA s CREATE TABLE …: where names without one are */
    bool has_hole;              /* a name of the step is unknown */
    unsigned depth;             /* of DO blocks */
    VEC(struct lexeme) lexemes; /* of text; see lower_lexemes() */
};

typedef void lower_statement_fn(struct lower *lower, const json_t *node);

/* One statement's text: sql_lower.c. */
void lower_text(struct lower *lower, const struct cut *cut);

/* A node { "InsertStmt": { … } }, where statements stand within statements. */
void lower_node(struct lower *lower, const json_t *wrapped);

/* A step as all of this statement begin, and its end: it goes to the others. */
struct step lower_begin(struct lower *lower, enum step_kind kind);
void lower_end(struct lower *lower, struct step *step);

/* Puts a condition inside those that are there already. */
void lower_condition_add(struct lower *lower, const char *text, const struct test *test);

/* ---- the tree: sql_tree.c ---- */

const char *tree_text(const json_t *node, const char *key); /* borrowed, or NULL */
int64_t tree_int(const json_t *node, const char *key);
bool tree_flag(const json_t *node, const char *key);
bool tree_is(const json_t *node, const char *key, const char *value);
const json_t *tree_list(const json_t *node, const char *key);

/* { "Kind": { … } } → the inner object; *ret_kind is borrowed, "" if there is none. */
const json_t *tree_open(const json_t *wrapped, const char **ret_kind);

/* The text of a String node, in either grammar. */
const char *tree_string(const json_t *wrapped);

/* The options of a statement: the argument of a DefElem. *ret_has: it is there at all. */
const json_t *tree_option(const json_t *list, const char *name, bool *ret_has);

/* Columns that are mentioned at or below a node; bounded. */
void tree_columns(struct arena *arena, const json_t *node, struct text_list *ret);

/* Relations that are mentioned at or below a node, without those of WITH. */
void tree_tables(struct lower *lower, const json_t *node, struct text_list *ret);

/* ---- names, types and texts: sql_name.c ---- */

/* A copy; NULL and a mark when part of it is a hole, NULL for NULL. */
const char *lower_name(struct lower *lower, const char *name);
struct object_name lower_relation(struct lower *lower, const json_t *range_var);
struct object_name lower_names(struct lower *lower, const json_t *strings);
const char *lower_dotted(struct arena *arena, struct object_name name);
void lower_name_list(struct lower *lower, const json_t *strings, struct text_list *ret);
struct type lower_type(struct lower *lower, const json_t *type_name);

/* Lexemes of the statement, made when first asked for; the last is LEX_END. */
const struct lexeme *lower_lexemes(struct lower *lower);

/* The index of the first lexeme at or after a byte offset. */
size_t lower_at(struct lower *lower, size_t offset);

/* The first lexeme that is this word at this depth, from an index, before a byte offset. */
bool lower_find_word(
    struct lower *lower, size_t from, uint32_t depth, const char *word, size_t *ret_index);

/* Where a clause ends: at a comma, semicolon or parenthesis outside, or the end of the text. */
size_t lower_clause_end(struct lower *lower, size_t from);

/* The text within the first parentheses at or after a byte offset; NULL if there are none. */
const char *lower_parenthesized(struct lower *lower, size_t offset);

/* The text between two byte offsets, as it is shown. */
const char *lower_slice(struct lower *lower, size_t start, size_t end);

/* The words the statement begins with, "CREATE RULE": upper case, without OR REPLACE. */
const char *lower_verb(struct lower *lower);

/* ---- statements ---- */

void lower_create_table(struct lower *lower, const json_t *node);
void lower_create_table_as(struct lower *lower, const json_t *node);
void lower_add_column(struct lower *lower, struct step *step, const json_t *column_def);
void lower_constraint(struct lower *lower, const json_t *node, struct constraint *ret);
void lower_default(struct step *step, const json_t *expression, const char *text);
void lower_domain(struct lower *lower, const json_t *node);
void lower_alter_domain(struct lower *lower, const json_t *node);
void lower_composite(struct lower *lower, const json_t *node);

void lower_alter_table(struct lower *lower, const json_t *node);
void lower_rename(struct lower *lower, const json_t *node);
void lower_set_schema(struct lower *lower, const json_t *node);

extern const struct lower_row {
    const char *node;
    lower_statement_fn *lower;
} lower_object_rows[];
extern const size_t lower_object_row_count;

void lower_do(struct lower *lower, const json_t *node);

/* What the condition of an IF asks the catalogue: sql_guard.c. */
struct guard {
    struct test test;
    const char *type; /* whether a type of this name exists, which tests cannot say; or NULL */
};

/* Of "NOT EXISTS (SELECT … FROM information_schema.columns WHERE …)" and its like. */
struct guard guard_read(struct arena *arena, const char *condition);

/* Whether the step creates just what the guard says is not there. */
bool guard_is_if_not_exists(const struct guard *guard, const struct step *step);

void lower_insert(struct lower *lower, const json_t *node);
void lower_update(struct lower *lower, const json_t *node);
void lower_delete(struct lower *lower, const json_t *node);
void lower_merge(struct lower *lower, const json_t *node);
void lower_select(struct lower *lower, const json_t *node);
/* Statements that change rows within the WITH of another, as steps of their own. */
void lower_with(struct lower *lower, const json_t *node);

/* default_classify() of what is parsed already. */
enum default_kind default_of_tree(const json_t *expression);
