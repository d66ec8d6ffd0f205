/*
 * What a migration file would do, found by walking its syntax tree with values instead of running
 * it. Whatever is not certain becomes VALUE_UNKNOWN with the reason: nothing is guessed.
 *
 * Names are followed through imports, so that `import sqlalchemy as sa; sa.Column` and
 * `from sqlalchemy import Column` both give the path "sqlalchemy.Column". The result of a call has
 * the path of what was called and "()", and attributes go on from there:
 *     op.get_bind().execute            "alembic.op.get_bind().execute"
 *     with op.batch_alter_table("t") as b: b.add_column
 *                                      "alembic.op.batch_alter_table().add_column"
 *     postgresql.ENUM(…, name="x").create
 *                                      "sqlalchemy.dialects.postgresql.ENUM().create"
 *     sa.inspect(bind).get_table_names()
 *                                      "sqlalchemy.inspect().get_table_names()"
 * A parameter named "op" of upgrade()/downgrade() is "alembic.op"; another parameter without a
 * default is unknown.
 */
#pragma once

#include "base/map.h"
#include "finding/finding.h"
#include "lang/python.h"

enum value_kind {
    VALUE_UNKNOWN, /* text: why ("settings.x comes from the application") */
    VALUE_NONE,
    VALUE_BOOL, /* integer 0 or 1 */
    VALUE_INTEGER,
    VALUE_FLOAT,    /* text: as written */
    VALUE_TEXT,     /* text */
    VALUE_TEMPLATE, /* text with VALUE_HOLE in the place of each part that is unknown */
    VALUE_LIST,     /* items; also sets and what a comprehension made */
    VALUE_TUPLE,    /* items */
    VALUE_DICT,     /* pairs, in order; a key may be of any kind */
    VALUE_NAME,     /* path: imported from elsewhere, or an attribute of something with a path */
    VALUE_CALL,     /* path and call: the result of calling something that is not in the file */
    VALUE_FUNCTION, /* node: defined in the file */
    VALUE_CLASS,    /* class_def: defined in the file */
};

#define VALUE_HOLE '\x01'

/* A question to the database that the replay can answer from its model. */
enum test_kind {
    TEST_NONE,
    TEST_TABLE,      /* name exists as table (or view) */
    TEST_COLUMN,     /* name exists in table */
    TEST_INDEX,      /* name exists on table, or anywhere if table is NULL */
    TEST_CONSTRAINT, /* unique, foreign key, check or primary key of table */
};

struct test {
    enum test_kind kind;
    bool is_negated;
    bool is_element;    /* asked of one row of a list: no answer when it does not hold */
    const char *schema; /* or NULL */
    const char *table;
    const char *name;
};

struct function; /* private to the evaluation */
struct box;

struct value {
    enum value_kind kind;
    bool is_assumed; /* known only because the server is PostgreSQL and the mode is online */
    int64_t integer;
    const char *text; /* of VALUE_TEXT, …; of an unknown one the reason */
    const char *path; /* of names and calls; of an unknown one too if there is one; else NULL */
    const struct call *call;    /* of a call; of a name: the call that the path goes through last */
    const struct py_node *node; /* where it was written, or NULL */
    VEC(struct value) items;
    VEC(struct value_pair) pairs;
    const struct class_def *class_def; /* of a class; of an instance or enum member its class */
    struct test test;                  /* of an unknown truth */
    const char *file; /* of a text read from a file: which; it starts there at line 1; or NULL */
    union {           /* private to the evaluation */
        const struct function *function;
        struct box *box;
    };
};

struct value_pair {
    struct value key;
    struct value value;
};

/* class Status(enum.Enum): …, or an ORM model: class User(Base): … */
struct class_def {
    const char *name;
    struct text_list bases;           /* paths ("enum.Enum") */
    VEC(struct class_member) members; /* assignments in the body, in order; methods as functions */
    const struct class_def *base;     /* the first base that is defined in the file, or NULL */
};

struct class_member {
    const char *name;
    struct value value;
};

struct keyword {
    const char *name;
    struct value value;
};

struct call {
    const char *path;        /* "alembic.op.create_table" */
    const struct call *self; /* the last call on the way: the batch of a batch operation; or NULL */
    VEC(struct value) arguments;
    VEC(struct keyword) keywords;
    bool has_unknown_arguments; /* *args or **kwargs that are not known */
    bool is_for_effect; /* of the application's: a statement by itself, so for what it does */
    struct place place;
};

/* A condition around a call. */
struct condition {
    const char *text; /* Python, on one line: "not table_exists('x')"; "try", "except", "loop" */
    struct place place;
    struct test test; /* TEST_NONE: only running would tell */
    bool is_assumed;  /* certain, but only on PostgreSQL and online: always true here */
};

struct conditions {
    struct condition *items;
    size_t count;
    size_t capacity;
};

/* Where in the file's flow a call stands. */
struct scene {
    const struct conditions *conditions; /* those around it, outermost first */
    bool is_downgrade;
    bool is_module;     /* top level: runs when Alembic loads the file */
    bool in_autocommit; /* with op.get_context().autocommit_block() */
    bool in_savepoint;  /* with bind.begin_nested(), inside a try: a failure there does no harm */
    bool in_try;        /* in a try whose handler goes on */
    bool is_repeated;   /* in a loop that could not be unrolled */
};

/*
 * What the walk saw that is no call; each becomes a finding or a coverage mark later.
 */
enum note_kind {
    NOTE_CANNOT_KNOW,    /* a value or flow that decides DDL is unknown: text says what */
    NOTE_SYNTAX,         /* the text is not Python 3 that CPython 3.11 loads: text says why */
    NOTE_ENVIRONMENT,    /* an environment variable is read: text is its name */
    NOTE_APPLICATION,    /* imports something outside the standard library, Alembic, SQLAlchemy */
    NOTE_FILE,           /* reads a file: text is its path if known */
    NOTE_NEEDS_SERVER,   /* result of a query is used: the revision cannot render offline */
    NOTE_PARAMETERS,     /* op.execute(text, params) */
    NOTE_SESSION_COMMIT, /* session.commit(), conn.commit() and their like in a migration */
    NOTE_ORM,            /* data is changed through an ORM session: text says how */
    NOTE_PLUGIN,         /* an operation that is not Alembic's own: text is its name */
    NOTE_LIMIT,          /* too deep, too long: the analysis stopped here */
};

struct note {
    enum note_kind kind;
    struct place place;
    const char *text;
    bool is_downgrade;
    bool is_module;
};

struct notes {
    struct note *items;
    size_t count;
    size_t capacity;
};

/* What is told of the file; self is handed through. Everything lives in the context's arena. */
struct eval_host {
    void *self;
    /*
     * Where values and calls live when that need not be as long as the texts in them: must outlive
     * the use of both. NULL: the context's arena.
     */
    struct arena *scratch;
    struct map *words; /* names that other files have too, in the context's arena; NULL: none */
    /*
     * Each call of something that is not defined in the file, in order of execution, arguments
     * first (so sa.Column(…) comes before the op.add_column(…) around it).
     */
    void (*call)(void *self, const struct scene *scene, const struct call *call);
    /* `with` is left: the same call that was entered (batch_alter_table, autocommit_block). */
    void (*leave)(void *self, const struct scene *scene, const struct call *call);
};

enum body_kind {
    BODY_MISSING, /* there is no such function */
    BODY_EMPTY,   /* pass, a docstring, … only */
    BODY_RAISES,  /* nothing but raise */
    BODY_CODE,
};

/* What stands at the top level of the file. */
struct eval_module {
    struct map *names;     /* name → struct value *, after the top level has run */
    const char *docstring; /* or NULL */
    enum body_kind upgrade;
    enum body_kind downgrade;
    struct place upgrade_place;
    struct place downgrade_place;
};

/*
 * Walks the top level, then upgrade(), then downgrade(). file is the path for places. Loops over
 * known values are unrolled and local functions followed within fixed limits (a NOTE_LIMIT tells);
 * time is bounded by them. Never fails for what is in the file; false only for ERR_INTERRUPTED.
 */
bool eval_file(struct ctx *ctx, const char *file, const struct py_tree *tree,
    const struct eval_host *host, struct eval_module *ret_module, struct notes *notes) MUST_CHECK;

/* Argument n, or the keyword; NULL if neither is given. n = SIZE_MAX: keyword only. */
const struct value *call_argument(const struct call *call, size_t n, const char *keyword);

/* The text of a known text value (also of op.f("…") and sa.text("…") as values), else NULL. */
const char *value_known_text(const struct value *value);

/* Whether the value is known to be true or false. */
bool value_is_true(const struct value *value);
bool value_is_false(const struct value *value); /* False, None, 0, "" and empty ones */
