/*
 * Columns masked by rule, in a copy that nobody else uses yet. A rules file is an ini file:
 *
 *   [mask]
 *   public.users.email = email
 *   *.phone            = phone
 *   users.note         = constant 'removed'
 *
 * A name is schema.table.column or table.column, each with * and ? for any letters. A rule without them goes
 * before one that has them. The same value under the same rule and key gives the same masked value, in every
 * table: so joins and unique columns hold.
 */
#pragma once

#include "base/vec.h"
#include "db/db.h"
#include "staging/watch.h"

#define MASK_KINDS(X)                                                               \
    X(MASK_KEEP, "keep")   /* what a wider rule would mask stays as it is */        \
    X(MASK_EMAIL, "email") /* an address at example.com */                          \
    X(MASK_NAME, "name")   /* invented names, as many words */                      \
    X(MASK_PHONE, "phone") /* other digits */                                       \
    X(MASK_TOKEN, "token") /* other letters and digits of the same classes */       \
    X(MASK_TEXT, "text")   /* other words of the same lengths; of JSON its texts */ \
    X(MASK_NULL, "null")                                                            \
    X(MASK_CONSTANT, "constant") /* one value for all */                            \
    X(MASK_HASH, "hash")         /* hexadecimal digits, a number or a UUID, by the column's type */

#define MASK_ENUM(kind, name) kind,
enum mask_kind { MASK_KINDS(MASK_ENUM) MASK_KIND_COUNT };
#undef MASK_ENUM

struct mask_rule {
    const char *schema; /* "*" where the name has two parts */
    const char *table;
    const char *column;
    enum mask_kind kind;
    const char *value; /* of a constant */
    const char *name;  /* as it was written */
    int32_t line;
    bool is_pattern;
};

struct mask_rules {
    const char *path;
    VEC(struct mask_rule) items;
};

/* ERR_INPUT with FILE:LINE for what cannot be understood. */
bool mask_read(struct ctx *ctx, const char *path, struct mask_rules *ret) MUST_CHECK;
bool mask_parse(struct ctx *ctx, const char *path, const char *text, struct mask_rules *ret)
    MUST_CHECK;

const char *mask_kind_name(enum mask_kind kind);

/* Whether a rule is about this column. */
bool mask_rule_matches(
    const struct mask_rule *rule, const char *schema, const char *table, const char *column);

struct mask_column {
    const struct mask_rule *rule;
    const char *schema; /* of the table that holds the rows: a partition's */
    const char *table;
    const char *root_schema; /* of the partitioned table; else the same */
    const char *root_table;
    const char *name;
    const char *type;   /* "character varying(255)" */
    const char *base;   /* "varchar" */
    int32_t max_length; /* 0: no limit; the smallest of all columns that keys connect */
    bool is_not_null;
    bool is_unique;
    bool has_triggers;
    int64_t pages;
    const char *expression; /* what it is set to */
    const char *exposed; /* the condition by which an original value can be told apart; or NULL */
};

/* What rules mean in a database. */
struct mask_plan {
    const struct mask_rules *rules;
    VEC(struct mask_column) columns; /* table by table */
    struct text_list orphans;        /* queries that count rows without what they refer to */
    size_t kinds_of_columns;         /* columns as people count them: not each partition's */
};

/*
 * ERR_INPUT when a rule matches nothing (with names that are alike), when a type, a NOT NULL, a length or a
 * unique index does not allow what it wants, or when it masks one end of a foreign key alone.
 */
bool mask_resolve(struct ctx *ctx, struct db *db, const struct mask_rules *rules,
    struct mask_plan *ret) MUST_CHECK;

/* What a run of rules did. */
struct mask_result {
    int64_t rows;    /* written, table by table */
    int64_t checked; /* values of before that were looked for afterwards */
    struct text_list notes;
};

/*
 * Masks, rewrites the tables so that no old row is left in their files, fills materialized views again, forgets
 * old statistics, and looks for original values (ERR_VERIFICATION when one is left). db: a session in a copy
 * of our own that nobody else uses. key: a secret; the same one gives the same masked values. ANALYZE is the
 * caller's.
 */
bool mask_run(struct ctx *ctx, struct db *db, const struct mask_plan *plan, const char *key,
    const struct step_watch *watch, struct mask_result *ret) MUST_CHECK;

/* Rules for columns whose names or contents look like something personal or secret. */
struct mask_suggestion {
    const char *text;         /* of a rules file */
    size_t count;             /* of its rules */
    struct text_list without; /* columns without a rule: "public.users.bio (text)" */
};

/* Contents are looked at in a sample of the rows. Numbers, times, truths, enums and UUIDs are passed over. */
bool mask_suggest(struct ctx *ctx, struct db *db, struct mask_suggestion *ret) MUST_CHECK;

/* Columns that mask_suggest() would look at and that no rule is about, as in mask_suggestion.without. */
bool mask_find_without(struct ctx *ctx, struct db *db, const struct mask_rules *rules,
    struct text_list *ret) MUST_CHECK;

/* -- for the files of this folder -- */

/* Sets expression and exposed; ERR_INPUT when the type does not allow the kind. */
bool mask_compose(struct ctx *ctx, const struct mask_rules *rules, struct mask_column *column)
    MUST_CHECK;

/* error_set() with FILE:LINE of the rule before it. */
bool mask_refuse(struct ctx *ctx, const struct mask_rules *rules, const struct mask_rule *rule,
    const char *format, ...) PRINTF_LIKE(4, 5);
