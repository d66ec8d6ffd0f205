/*
 * What a migration does to the database, one step after another: the same form whether it was
 * written as op.create_table(…) or as SQL text. Names are as the server would store them (unquoted
 * ones folded, cut to 63 bytes by the model, not here).
 */
#pragma once

#include "migrate/eval/eval.h"
#include "migrate/model/type.h"

#define STEP_KINDS(X)                                  \
    X(STEP_UNKNOWN, "unknown")                         \
    X(STEP_CREATE_TABLE, "create table")               \
    X(STEP_DROP_TABLE, "drop table")                   \
    X(STEP_RENAME_TABLE, "rename table")               \
    X(STEP_SET_SCHEMA, "set schema")                   \
    X(STEP_ADD_COLUMN, "add column")                   \
    X(STEP_DROP_COLUMN, "drop column")                 \
    X(STEP_RENAME_COLUMN, "rename column")             \
    X(STEP_ALTER_TYPE, "alter column type")            \
    X(STEP_SET_DEFAULT, "set default")                 \
    X(STEP_DROP_DEFAULT, "drop default")               \
    X(STEP_SET_NOT_NULL, "set not null")               \
    X(STEP_DROP_NOT_NULL, "drop not null")             \
    X(STEP_IDENTITY, "add, set or drop identity")      \
    X(STEP_ADD_CONSTRAINT, "add constraint")           \
    X(STEP_DROP_CONSTRAINT, "drop constraint")         \
    X(STEP_RENAME_CONSTRAINT, "rename constraint")     \
    X(STEP_VALIDATE_CONSTRAINT, "validate constraint") \
    X(STEP_ATTACH_PARTITION, "attach partition")       \
    X(STEP_DETACH_PARTITION, "detach partition")       \
    X(STEP_ALTER_TABLE, "alter table")                 \
    X(STEP_CREATE_INDEX, "create index")               \
    X(STEP_DROP_INDEX, "drop index")                   \
    X(STEP_RENAME_INDEX, "rename index")               \
    X(STEP_REINDEX, "reindex")                         \
    X(STEP_CREATE_ENUM, "create enum type")            \
    X(STEP_CREATE_TYPE, "create type")                 \
    X(STEP_CREATE_DOMAIN, "create domain")             \
    X(STEP_DROP_TYPE, "drop type")                     \
    X(STEP_RENAME_TYPE, "rename type")                 \
    X(STEP_ADD_VALUE, "add enum value")                \
    X(STEP_RENAME_VALUE, "rename enum value")          \
    X(STEP_ALTER_DOMAIN, "alter domain")               \
    X(STEP_CREATE_SEQUENCE, "create sequence")         \
    X(STEP_ALTER_SEQUENCE, "alter sequence")           \
    X(STEP_DROP_SEQUENCE, "drop sequence")             \
    X(STEP_CREATE_VIEW, "create view")                 \
    X(STEP_DROP_VIEW, "drop view")                     \
    X(STEP_REFRESH, "refresh materialized view")       \
    X(STEP_CREATE_SCHEMA, "create schema")             \
    X(STEP_DROP_SCHEMA, "drop schema")                 \
    X(STEP_CREATE_EXTENSION, "create extension")       \
    X(STEP_DROP_EXTENSION, "drop extension")           \
    X(STEP_CREATE_FUNCTION, "create function")         \
    X(STEP_DROP_FUNCTION, "drop function")             \
    X(STEP_CREATE_TRIGGER, "create trigger")           \
    X(STEP_DROP_TRIGGER, "drop trigger")               \
    X(STEP_CREATE_POLICY, "create policy")             \
    X(STEP_DROP_POLICY, "drop policy")                 \
    X(STEP_CREATE_STATISTICS, "create statistics")     \
    X(STEP_DROP_STATISTICS, "drop statistics")         \
    X(STEP_COMMENT, "comment")                         \
    X(STEP_GRANT, "grant or revoke")                   \
    X(STEP_INSERT, "insert")                           \
    X(STEP_UPDATE, "update")                           \
    X(STEP_DELETE, "delete")                           \
    X(STEP_TRUNCATE, "truncate")                       \
    X(STEP_SELECT, "select")                           \
    X(STEP_COPY, "copy")                               \
    X(STEP_LOCK, "lock table")                         \
    X(STEP_SET, "set")                                 \
    X(STEP_BEGIN, "begin")                             \
    X(STEP_COMMIT, "commit")                           \
    X(STEP_ROLLBACK, "rollback")                       \
    X(STEP_VACUUM, "vacuum")                           \
    X(STEP_CLUSTER, "cluster")                         \
    X(STEP_ANALYZE, "analyze")                         \
    X(STEP_DO, "do")                                   \
    X(STEP_OTHER, "other statement")

#define STEP_ENUM(name, text) name,
enum step_kind { STEP_KINDS(STEP_ENUM) STEP_KIND_COUNT };
#undef STEP_ENUM

const char *step_kind_name(enum step_kind kind);

/* schema NULL: found through the search_path, which is taken to be public. */
struct object_name {
    const char *schema;
    const char *name; /* NULL: not known (step.unknown says why) */
};

enum default_kind {
    DEFAULT_NONE,
    DEFAULT_CONSTANT, /* a literal, casts of literals, CURRENT_TIMESTAMP, now(): no rewrite */
    DEFAULT_VOLATILE, /* gen_random_uuid(), clock_timestamp(), nextval(), random(): rewrite */
    DEFAULT_UNKNOWN,  /* a function we do not know, or text that is unknown */
};

struct column {
    const char *name; /* NULL: unknown */
    struct type type;
    bool is_not_null;
    enum default_kind default_kind;
    const char *default_text; /* SQL, or NULL */
    bool is_serial; /* the type is then integer, bigint or smallint; a sequence belongs to it */
    bool is_identity;
    bool is_generated;       /* GENERATED ALWAYS AS (…) STORED */
    bool has_client_default; /* SQLAlchemy default=: no DDL */
};

enum constraint_kind {
    CONSTRAINT_PRIMARY_KEY,
    CONSTRAINT_UNIQUE,
    CONSTRAINT_CHECK,
    CONSTRAINT_FOREIGN_KEY,
    CONSTRAINT_EXCLUDE,
    CONSTRAINT_UNKNOWN, /* of drop_constraint without type_ */
};

struct constraint {
    enum constraint_kind kind;
    const char *name;                /* NULL: PostgreSQL names it (see is_name_unknown) */
    bool is_name_unknown;            /* given by something that cannot be read here */
    struct text_list columns;        /* of a check: those it mentions, if known */
    struct object_name target;       /* of a foreign key */
    struct text_list target_columns; /* empty: the target's primary key */
    const char *expression;          /* of a check or exclusion, or NULL */
    const char *on_delete;           /* "CASCADE", or NULL */
    bool is_not_valid;
    bool is_deferrable;
    const char *using_index; /* ADD … USING INDEX name, or NULL */
    bool is_inline;          /* written with its column: ADD COLUMN … REFERENCES */
};

struct index_key {
    const char *column;     /* NULL: an expression */
    const char *expression; /* or NULL */
    const char *opclass;    /* or NULL */
    const char *order;      /* "DESC", "DESC NULLS LAST", … or NULL */
};

struct index {
    const char *name; /* NULL: PostgreSQL names it (see is_name_unknown) */
    bool is_name_unknown;
    const char *method; /* "btree" */
    VEC(struct index_key) keys;
    struct text_list include;
    const char *where;     /* or NULL */
    struct text_list uses; /* columns that expressions and predicate mention */
    bool is_unique;
    bool nulls_not_distinct;
};

enum name_kind { NAME_TABLE, NAME_VIEW, NAME_MATVIEW, NAME_SEQUENCE, NAME_INDEX };

/* How far an unknown step can reach: what the replay must no longer be sure of. */
enum reach {
    REACH_DATA,  /* rows only */
    REACH_TABLE, /* the named table */
    REACH_ALL,   /* anything */
};

struct step {
    enum step_kind kind;
    struct place place;
    const char *text;      /* the SQL of one statement, when it was written as SQL; else NULL */
    const char *operation; /* "create_table", "execute", …: as the migration calls it */

    struct object_name object; /* table; of index steps the index (table is in table) */
    struct object_name table;  /* of index, trigger, policy, ADD VALUE …: the table */
    const char *column;
    const char *new_name; /* of renames; the new schema of SET SCHEMA; a value of ADD VALUE */
    const char *constraint_name; /* of drop, rename, validate; of a trigger or policy its name */
    enum constraint_kind constraint_kind;
    enum name_kind name_kind;           /* what RENAME, DROP and SET SCHEMA are about */
    VEC(struct column) columns;         /* of create table; of add column: one */
    VEC(struct constraint) constraints; /* of create table, add column, add constraint */
    struct index *index;                /* of create index */
    struct type type;                   /* of alter type; of create domain its base */
    const char *using_text;             /* USING of alter type, or NULL */
    enum default_kind default_kind;     /* of set default */
    const char *default_text;
    struct text_list values;   /* labels of create enum; tables of truncate and lock,
                                           "schema.name" where a schema is given */
    struct text_list tables;   /* other tables it reads or writes (a view's, an update's FROM) */
    const char *parent;        /* CREATE TABLE … PARTITION OF, INHERITS, ATTACH: "schema.name" */
    const char *setting;       /* name of SET, upper part of OTHER ("CREATE RULE") */
    const char *neighbour;     /* of ADD VALUE … BEFORE/AFTER */
    const char *setting_value; /* SQL text, or NULL */
    bool is_local;             /* SET LOCAL */

    bool if_exists;
    bool table_if_exists; /* ALTER TABLE IF EXISTS: if_exists is then about column or constraint */
    bool if_not_exists;
    bool or_replace;
    bool cascade;
    bool concurrently;
    bool is_partitioned; /* CREATE TABLE … PARTITION BY */
    bool is_temporary;
    bool is_only;      /* ONLY */
    bool has_where;    /* of update and delete */
    bool is_full;      /* VACUUM FULL */
    bool is_as_select; /* CREATE TABLE AS */
    bool has_order;    /* ADD VALUE … BEFORE/AFTER neighbour */
    bool is_after;
    bool create_if_missing; /* <type>.create(checkfirst=True): no error if it is there */
    bool once_a_run; /* of create enum: the type of a table's column, which SQLAlchemy leaves out
                        when it has already made one of this name for a table in the same run */

    const char *unknown; /* what could not be known about it, or NULL: everything is known */
    enum reach reach;    /* of an unknown step */

    struct conditions conditions; /* those around it, outermost first; empty: certain */
    bool in_autocommit;
    bool in_savepoint; /* of its own inside a try: a failure is caught and does no harm */
    bool in_try;
    bool is_repeated;
};

struct steps {
    struct step *items;
    size_t count;
    size_t capacity;
};

/*
 * Lowers SQL text to steps: one per ALTER TABLE command, one per dropped object, else one per
 * statement. place is that of the text's first byte; lines of statements count on from there when
 * lines_follow is true (a triple-quoted literal), else all have the place's line. VALUE_HOLE bytes
 * are parts that are unknown: names that contain one are NULL. Text that does not parse gives one
 * STEP_UNKNOWN with the parser's message and REACH_ALL. scene may be NULL.
 */
struct sql_source {
    const char *text;
    struct place place;
    bool lines_follow;
    const struct scene *scene;
    const char *operation;
};
bool steps_from_sql(struct ctx *ctx, const struct sql_source *source, struct steps *steps)
    MUST_CHECK;

/* Whether default SQL text can be added to a column without a rewrite. */
enum default_kind default_classify(struct ctx *ctx, const char *sql);

/* The columns that an SQL expression mentions, unqualified or qualified; none if it does not parse. */
void sql_columns(struct ctx *ctx, const char *expression, struct text_list *ret);

/*
 * Whether the step alters the schema, rows, or nothing (SELECT, SET, …). Unknown ones: by reach.
 */
bool step_is_ddl(const struct step *step);
bool step_is_data(const struct step *step);

/* "column users.email", "index ix_users_email": for messages. In the arena. */
const char *step_object_text(struct arena *arena, const struct step *step);
