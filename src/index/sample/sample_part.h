/* What the files of this folder share; nobody else includes this. */
#pragma once

#include "base/json.h"
#include "index/sample/query.h"
#include "lang/sql.h"

enum {
    SAMPLE_MOST_PARAMS = 65535, /* as many as a statement of the extended protocol can have */
    SAMPLE_MOST_KEYS = 8,       /* of a path into JSON */
};

struct query_maker {
    struct db *db;
    const struct facts *facts;
    struct text_list path; /* schemas in which names without one are looked for */
    /* The session does not count in pg_stat_statements, so statements may be explained as they are. */
    bool is_uncounted;
    struct arena *arena;  /* what is kept from statement to statement */
    struct map elements;  /* "schema.table.column" → struct text_list: common elements */
    struct map enums;     /* type → struct text_list: its labels */
    int64_t now_s;        /* the server's clock when the maker began */
    const char *old_path; /* what the session had before */
    const char *old_timeout;
    const char *old_read_only;
    const char *old_cache_mode;
};

/* A statement's text on its way from what was seen to what is SQL. */
struct sample_text {
    const char *sql;
    struct text_list mended; /* "interval $3 → $3::interval" */
    const char *problem;     /* nothing can be planned; NULL */
    const char *remedy;
};

/* Takes the query out of DECLARE, PREPARE, EXPLAIN, COPY, CREATE TABLE AS and a lone one of several. */
void sample_unwrap(struct ctx *ctx, const char *sql, struct sample_text *ret);
/* Puts right what pg_stat_statements writes that is not SQL. */
void sample_mend(struct ctx *ctx, struct sample_text *text);
/*
 * pg_stat_statements numbers the same constant of SELECT list and GROUP BY apart, or leaves one of them as it
 * was: makes expressions one again. False when there was nothing to do.
 */
bool sample_unify(struct ctx *ctx, struct sample_text *text);

/* The highest $n. */
size_t sample_count_params(struct ctx *ctx, const char *sql);

/* Which $n the tokens have, of the first count ones. */
void sample_find_params(
    const char *sql, const struct sql_tokens *tokens, bool *ret_is_there, size_t count);

/* Replacements in a text, by rising place. */
struct sample_edit {
    size_t start;
    size_t end;
    const char *text;
};
struct sample_edits {
    struct sample_edit *items;
    size_t count;
    size_t capacity;
};
const char *sample_edited(struct arena *arena, const char *sql, const struct sample_edits *edits);

bool sample_token_is(const char *sql, const struct sql_token *token, const char *word);
/* Tokens without the comments; false when the text has none that can be read. */
bool sample_tokens(struct ctx *ctx, const char *sql, struct sql_tokens *ret) MUST_CHECK;

enum sample_role {
    SAMPLE_OTHER,
    SAMPLE_STORED,    /* INSERT, UPDATE … SET */
    SAMPLE_ARGUMENT,  /* of a function */
    SAMPLE_THRESHOLD, /* similarity(…) > $n */
    SAMPLE_WILDCARD,  /* column LIKE $n || 'x': the % */
    SAMPLE_OFFSET,
    SAMPLE_LIMIT,
    SAMPLE_NOW,       /* $n - interval, beside a column */
    SAMPLE_DISTANCE,  /* column <-> $n, column % $n */
    SAMPLE_JSON_KEY,  /* column -> $n */
    SAMPLE_HAS_KEY,   /* column ? $n */
    SAMPLE_MATCH,     /* column @@ $n */
    SAMPLE_CONTAINED, /* column <@ $n */
    SAMPLE_CONTAINS,  /* column @> $n, column && $n */
    SAMPLE_ELEMENT,   /* $n = ANY (column) */
    SAMPLE_REGEX,     /* column ~ $n */
    SAMPLE_PIECE,     /* within the pattern: column LIKE '%' || $n */
    SAMPLE_ILIKE,
    SAMPLE_LIKE,
    SAMPLE_AGE,   /* column > now() - $n */
    SAMPLE_BELOW, /* column < $n */
    SAMPLE_ABOVE, /* column > $n */
    SAMPLE_EQUAL, /* also in lists */
};

/* What a $n is compared with. */
struct sample_place {
    enum sample_role role;
    const struct fact_table *table;
    const struct fact_column *column; /* NULL: not known, or none */
    size_t ordinal;                   /* of a list: the next value each */
    const char *function;
    size_t argument;       /* from 0 */
    struct text_list keys; /* of JSON: $m as "$m" */
    bool is_lowered;       /* lower(column) */
    bool is_number;        /* of JSON: the value is cast to a number */
    bool is_below;         /* SAMPLE_AGE: older than */
    bool is_squashed;      /* IN ($1, … ) of PostgreSQL 18: stands for several values */
    bool is_prefix;        /* SAMPLE_PIECE: the pattern begins with it */
    bool is_newest_first;  /* the statement sorts by the column, newest first, with LIMIT */
    bool has_low;          /* the column is bounded from below */
    bool has_high;         /* and from above */
    const char *guess;     /* its type, where the server cannot tell; or NULL */
    bool is_certain;       /* other types would be found, but are not meant */
    bool must_guess;       /* the server cannot */
};

struct sample_places {
    struct sample_place *items; /* of $1 … */
    size_t count;
    bool is_read; /* the grammar knows the statement */
};

/* Looks at all $n of the text; their number is given. */
void sample_find_places(struct ctx *ctx, const struct query_maker *maker, const char *sql,
    size_t count, struct sample_places *ret);

struct sample_value {
    const char *text;
    double share;
};
struct sample_values {
    struct sample_value items[QUERY_MOST_INSTANCES];
    size_t count;
    bool is_skewed;   /* some values are much commoner than others */
    const char *from; /* "values of public.users.email"; NULL: a default */
};

/* Values for a $n of this type; at least one. False: the session is lost. */
bool sample_find_values(struct ctx *ctx, struct query_maker *maker,
    const struct sample_places *places, size_t number, const char *type, struct sample_values *ret)
    MUST_CHECK;
/* What a $n without a column gets by its type (and what is done with it). */
const char *sample_default(struct arena *arena, const struct sample_place *place, const char *type);

/* Parts of values. */
const char *sample_piece(struct arena *arena, const char *value, bool is_prefix);
const char *sample_word(struct arena *arena, const char *value);
const char *sample_array_of(struct arena *arena, const struct text_list *values);
const char *sample_first_element(struct arena *arena, const char *array);
const char *sample_lower_bound(struct arena *arena, const char *range);
/* {"key": value} that a document holds; NULL: none. */
const char *sample_json_part(struct ctx *ctx, const char *document);
const char *sample_json_key(struct ctx *ctx, const char *document, bool wants_number);
/* What is at a path, where "$m" stands for the key that the one before gives. */
const char *sample_json_at(
    struct ctx *ctx, const char *document, const struct text_list *keys, bool wants_number);
/* Seconds since 1970 of a timestamp or date in ISO form; false: it is none. */
bool sample_read_time(const char *text, int64_t *ret_s);

/* What the server says of a statement; problem is NULL when it is planned. */
struct sample_answer {
    const char *problem;
    const char *remedy;
    char sqlstate[6];
    VEC(const char *) types;
    const char *plan;
};

/*
 * Prepares it, with retries by guessed types and unified expressions (text and places may change), and asks for
 * the generic plan. False: the session is lost.
 */
bool sample_ask(struct ctx *ctx, struct query_maker *maker, struct sample_text *text,
    struct sample_places *places, struct sample_answer *ret) MUST_CHECK;
/* Whether a statement without placeholders can be planned. */
bool sample_check(struct ctx *ctx, struct query_maker *maker, const char *sql,
    struct sample_answer *ret) MUST_CHECK;
/* One without placeholders: checked, and its plan. */
bool sample_plan(struct ctx *ctx, struct query_maker *maker, const char *sql,
    struct sample_answer *ret) MUST_CHECK;

/* Writes the instances of a statement; answer has the types. */
bool sample_instances(struct ctx *ctx, struct query_maker *maker,
    const struct sample_places *places, const struct sample_answer *answer,
    struct index_query *query) MUST_CHECK;
/* Those made of texts that were seen; none when there are no such texts, or none can be planned. */
bool sample_seen(struct ctx *ctx, struct query_maker *maker,
    const struct intake_statement *statement, struct index_query *query,
    struct sample_answer *ret_problem) MUST_CHECK;
