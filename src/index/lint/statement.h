/*
 * A script read for its faults: every statement with its place, what kind it is, and of a CREATE INDEX all
 * that its text tells. Nothing is asked of a server here.
 */
#pragma once

#include "base/text.h"
#include "base/vec.h"
#include "finding/finding.h"

#define LINT_KINDS(X)                                                            \
    X(LINT_INDEX, "index")                                                       \
    X(LINT_QUERY, "query")         /* SELECT, UPDATE, DELETE: tells about use */ \
    X(LINT_BEGIN, "begin")         /* opens a transaction */                     \
    X(LINT_COMMIT, "commit")       /* ends one */                                \
    X(LINT_BLOCK, "block")         /* DO */                                      \
    X(LINT_ROUTINE, "routine")     /* CREATE FUNCTION, CREATE PROCEDURE */       \
    X(LINT_RELATION, "relation")   /* CREATE TABLE and the like: makes a name */ \
    X(LINT_EXTENSION, "extension") /* CREATE EXTENSION */                        \
    X(LINT_COLUMN_ADD, "column")   /* ALTER TABLE … ADD COLUMN */              \
    X(LINT_DROP, "drop")           /* DROP INDEX */                              \
    X(LINT_ATTACH, "attach")       /* ALTER INDEX … ATTACH PARTITION */        \
    X(LINT_OTHER, "other")                                                       \
    X(LINT_BROKEN, "broken") /* does not parse, and is no CREATE INDEX */

#define LINT_KIND_ENUM(kind, name) kind,
enum lint_kind { LINT_KINDS(LINT_KIND_ENUM) LINT_KIND_COUNT };
#undef LINT_KIND_ENUM

const char *lint_kind_name(enum lint_kind kind);

/* Bytes of a statement's text; end 0: not there. */
struct lint_span {
    size_t start;
    size_t end;
};

/* One item of ORDER BY that is a column, or the distance of a column to something. */
struct lint_order {
    const char *relation; /* name or alias as written before the dot, or NULL */
    const char *column;
    const char *operator; /* "<->", or NULL: the column itself */
    bool is_descending;
    bool is_nulls_first; /* as it has to be */
};

/* What a query says of the columns it needs. */
struct lint_query {
    const char *source;         /* "line 73", "pg_stat_statements" */
    struct text_list relations; /* names of tables, without schema; each followed by its alias */
    struct text_list equals;    /* columns compared by = or IN with anything */
    struct text_list likes;     /* columns compared by LIKE with a constant that begins with text */
    VEC(struct lint_order) orders;
    struct place place; /* line 0: not of the script */
};

struct lint_statement {
    enum lint_kind kind;
    struct place place;
    const char *text;
    size_t offset;       /* of the text in the script */
    bool in_transaction; /* between BEGIN and COMMIT of the script */
    const char *problem; /* what libpg_query says when it does not parse; or NULL */

    /* Of a CREATE INDEX, as far as it can be read. */
    struct lint_span index;        /* the word INDEX */
    struct lint_span concurrently; /* the words, for who rewrites them */
    struct lint_span if_not_exists;
    struct lint_span written_name;
    const char *name;       /* NULL: none */
    const char *table;      /* as written */
    const char *schema;     /* of the table, or NULL: not written */
    const char *relation;   /* the table's name without schema */
    const char *rest;       /* what follows the table */
    const char *method;     /* "btree" when none is written */
    const char *tablespace; /* or NULL */
    bool is_unique;
    bool is_only;
    bool has_subquery;
    struct text_list columns;   /* that it names anywhere, each once */
    struct text_list opclasses; /* without schema */
    struct text_list functions; /* that keys and predicate call, without schema */
    int64_t lists;              /* WITH (lists = …) of ivfflat; 0: not written */

    /* Names that it makes: RELATION, EXTENSION; columns of COLUMN_ADD; indexes of DROP; the index of ATTACH. */
    struct text_list made;
    const char *altered;     /* COLUMN_ADD: the table's name without schema */
    struct lint_query query; /* QUERY */
    /* DO block and routine: the CREATE INDEX statements in its constants. */
    struct text_list inner;
    bool has_concurrently; /* in its body */
    bool is_plain_block;   /* only IF, EXECUTE and END around them: can be unrolled */
};

/* A comment "-- pgmend: ignore RULE -- why". */
struct lint_ignore {
    uint32_t line;
    const char *rule;
    const char *reason; /* or NULL */
};

struct lint_script {
    const char *file; /* as the user named it */
    const char *text;
    size_t length;
    struct lint_statement *items;
    size_t count;
    size_t capacity;
    VEC(struct lint_ignore) ignores;
};

/*
 * "-" is standard input. Fails when the file cannot be read, is no text (NUL, not UTF-8), larger than
 * 64 MB, or holds no statement. A quote or parenthesis that is open breaks its own statement, to the end of
 * the line that ends with a semicolon.
 */
bool lint_script_read(struct ctx *ctx, const char *path, struct lint_script *ret) MUST_CHECK;
bool lint_script_parse(struct ctx *ctx, const char *file, const char *text, size_t length,
    struct lint_script *ret) MUST_CHECK;

/* The place of the first token that is this name, behind the table's name; else the statement's. */
struct place lint_place_of(
    struct ctx *ctx, const struct lint_statement *statement, const char *name);

/* For the parts of the reader: statement*.c, query.c, block.c. */
struct json_t;
void lint_read_query(struct ctx *ctx, const struct json_t *node, struct lint_query *ret);
bool lint_read_query_text(struct ctx *ctx, const char *sql, struct lint_query *ret) MUST_CHECK;
void lint_read_block(struct ctx *ctx, const struct json_t *node, struct lint_statement *statement);
void lint_read_index(struct ctx *ctx, const struct json_t *node, struct lint_statement *statement);
/* Head and table by tokens alone: also of what does not parse. False: it is no CREATE INDEX. */
bool lint_read_head(struct ctx *ctx, struct lint_statement *statement);
