/*
 * Private to lower*.c: what turning one file's calls into steps needs. Each lower_<part>.c handles
 * some calls; the names of SQLAlchemy and Alembic are looked up in tables.
 */
#pragma once

#include "migrate/history/history.h"

/* The operations of one `with op.batch_alter_table(…)`: sent when it is left. */
struct batch {
    const struct call *call;
    struct steps steps;
};

struct host {
    struct lowering *given;
    struct ctx *ctx;
    struct arena *arena;
    struct arena *scratch;     /* of what is not needed after the walk */
    const struct scene *scene; /* of the current call */
    const struct call *call;   /* the current call */
    struct steps *steps;       /* where its steps go */
    VEC(struct batch) batches;
    VEC(const struct call *) tables; /* sqlalchemy.Table(…) seen so far */
    size_t work;
    bool has_loaded_rows; /* a session has been asked for objects that it now watches */
};

/* An operation's call with what its arguments are called. */
struct subject {
    const struct call *call;
    const char *parameters;          /* names of the positional ones, with blanks between */
    const struct object_name *table; /* of a batch; or NULL */
};

/* ---- lower.c ---- */

/* An empty vector with room for so many items, which most vectors never exceed. */
#define VEC_ROOM(arena, vec, count_)                                             \
    do {                                                                         \
        (vec)->items = arena_alloc((arena), (count_) * sizeof((vec)->items[0])); \
        (vec)->capacity = (count_);                                              \
    } while (0)

/* A step of the current call, to be completed before the next is added. */
struct step *op_step(struct host *host, enum step_kind kind);

void op_note(struct host *host, enum note_kind kind, const char *text);

/* Marks a step as not (completely) known, with a note; the first reason stays. */
void op_unknown(struct host *host, struct step *step, enum reach reach, const char *format, ...)
    PRINTF_LIKE(4, 5);

/*
 * Counts work (a column, 64 bytes of SQL); false when the file has had its share: what follows is
 * left out, and said to be.
 */
bool op_afford(struct host *host, size_t amount);

/* A STEP_UNKNOWN. */
void op_mystery(struct host *host, enum reach reach, const char *format, ...) PRINTF_LIKE(3, 4);

/* The steps of SQL text, with the scene they stand in; source needs text, place, lines_follow. */
void op_sql_source(struct host *host, struct sql_source *source);
void op_sql_text(struct host *host, const char *sql);

/* ---- lower_value.c ---- */

/* The last part of a dotted path; "" of NULL. */
const char *path_verb(const char *path);

/* Whether what the path names belongs to SQLAlchemy or something that hands on its names. */
bool path_is_sqlalchemy(const char *path);

/* The call of a value if it is SQLAlchemy's with this last name ("Column"), else NULL. */
const struct call *value_call_of(const struct value *value, const char *verb);

/* Argument by the name it has in the subject's parameters. */
const struct value *subject_argument(const struct subject *subject, const char *name);

/* Whether a keyword or argument is given and known to be true. */
bool call_flag(const struct call *call, const char *keyword);
bool value_is_given(const struct value *value); /* there, and not None */

/*
 * A name: NULL when it is unknown, after telling the step so ("the table's name is not known: …").
 * Names made by op.f() are cut as SQLAlchemy cuts them.
 */
const char *op_name(
    struct host *host, struct step *step, const struct value *value, const char *what);
const char *value_name(struct arena *arena, const struct value *value);

/* Names of columns: texts, columns, or unknown ones; false if one is not known. */
bool op_names(struct host *host, const struct value *value, struct text_list *ret);

/* Why a value is not known: "settings.NAME comes from the application". */
const char *value_reason(struct arena *arena, const struct value *value);

/* The table a value stands for: table(), Table(), a class with __tablename__; name NULL if none. */
struct object_name value_table(struct arena *arena, const struct value *value);
struct object_name call_table(struct arena *arena, const struct call *call);

/* Whether op.f() or conv() made it, so that no convention changes it. */
bool value_is_final(const struct value *value);

/* The SQL of an expression, or NULL if it is not known; a plain text is SQL or a string constant. */
enum text_meaning { TEXT_IS_SQL, TEXT_IS_CONSTANT };
const char *op_expression(struct host *host, const struct value *value, enum text_meaning meaning);

/* Adds the columns that an expression mentions. */
void op_sql_columns(struct host *host, const char *sql, struct text_list *ret);

const char *sql_quoted(struct arena *arena, const char *text);
const char *sql_ident(struct arena *arena, const char *name);
const char *sql_object(struct arena *arena, struct object_name name);

/* ---- lower_expression.c ---- */

/*
 * The SQL of text("…").bindparams(…), as it comes to the server: :name is a bind parameter, \: a
 * colon. NULL if it is not known; holes stay. _value: the text as it was written.
 */
const char *text_clause_sql(struct host *host, const struct call *call);
const struct value *text_clause_value(const struct call *call);

/* The same of a plain text where SQLAlchemy makes it a text(). */
const char *sql_from_clause(struct host *host, const char *text);

/* ---- sa_type.c ---- */

struct enum_type {
    struct object_name name;
    struct text_list labels;
    const char *unknown; /* why labels are not known; or NULL */
    bool is_created_with_table;
    bool inherits_schema;
    bool checks_first; /* create() and drop() look first unless told otherwise */
};

struct sa_type {
    struct type type;
    const char *serial;             /* "serial" when an autoincrement column becomes one; or NULL */
    const struct enum_type *labels; /* of an enum or an array of one; or NULL */
    const char *check;              /* "IN ('a', 'b')" of a non-native enum with its constraint */
    const char *check_name;
};

/* schema: of the table, for types that inherit it; or NULL. */
struct sa_type sa_type_read(struct host *host, const struct value *value, const char *schema);

/* ---- naming.c ---- */

/* What a constraint is named after. */
struct named {
    enum constraint_kind kind;
    bool is_index;
    struct object_name table;
    const struct text_list *columns;
    const struct object_name *target;
    const struct text_list *target_columns;
};

/* The name it gets: the given one, the convention's, or none. given may be NULL or None. */
void naming_apply(struct host *host, const struct value *given, const struct named *named,
    const char **ret_name, bool *ret_is_unknown);

/* As SQLAlchemy cuts names that it made, to 63 characters with a digest. */
const char *naming_truncate(struct arena *arena, const char *name);

/* ---- lower_column.c ---- */

/* A Column(…): its own definition, and what hangs on it. */
struct column_parts {
    struct column column;
    struct sa_type type;
    const struct call *call;
    bool is_primary_key;
    bool is_nullable_given;
    bool has_sequence;
    const char *autoincrement; /* "auto", "true", "false", "ignore_fk" */
    VEC(const struct call *) foreign_keys;
    VEC(const struct call *) checks;
    bool has_index;
    bool is_unique;
    const struct value *comment; /* or NULL */
};

/* false: its name, or some of it, is not known. schema: of its table. */
bool op_column(
    struct host *host, const struct call *call, const char *schema, struct column_parts *ret);

/* Whether SQLAlchemy could count it up by itself: a number without a default. */
bool op_column_may_count(const struct column_parts *parts);
void op_column_make_serial(struct host *host, struct column_parts *parts);

/* ---- lower_table.c ---- */

void op_create_table(struct host *host, const struct subject *subject);
void op_add_column(struct host *host, const struct subject *subject);

/* Table(…) made by create() or create_all(); element: CreateTable(…), which makes no indexes. */
void op_make_table(struct host *host, const struct call *table, bool check_first, bool is_element);
void op_drop_made_table(struct host *host, const struct call *table, bool check_first);
void op_create_enum(struct host *host, const struct enum_type *labels, bool check_first);

/* ---- lower_default.c ---- */

/* What server_default gives a column, or alter_column a default. */
struct default_parts {
    enum default_kind kind;
    const char *text;
    bool is_identity;
    bool is_generated;
    const char *unknown; /* or NULL */
};
struct default_parts op_default(struct host *host, const struct value *value);

/* ---- lower_constraint.c ---- */

/* UniqueConstraint(…) and its like inside a table; false if the call is none. */
bool op_table_constraint(
    struct host *host, const struct call *call, struct object_name table, struct constraint *ret);
struct constraint op_foreign_key(
    struct host *host, const struct call *call, struct object_name table, const char *column);
struct constraint op_check(
    struct host *host, const struct call *call, struct object_name table, size_t condition_at);
void op_add_constraint(
    struct host *host, struct object_name table, const struct constraint *constraint);

void op_create_unique(struct host *host, const struct subject *subject);
void op_create_check(struct host *host, const struct subject *subject);
void op_create_foreign_key(struct host *host, const struct subject *subject);
void op_create_primary_key(struct host *host, const struct subject *subject);
void op_create_exclude(struct host *host, const struct subject *subject);
void op_drop_constraint(struct host *host, const struct subject *subject);

/* ---- lower_index.c ---- */

void op_create_index(struct host *host, const struct subject *subject);
void op_drop_index(struct host *host, const struct subject *subject);

/* Index(…) with the table that it is in; NULL: the table of its first column. */
void op_index_element(struct host *host, const struct call *call, const struct object_name *table);
void op_column_index(
    struct host *host, struct object_name table, const char *column, bool is_unique);

/* ---- lower_op.c ---- */

/* Handles "alembic.op.x"; false if Alembic has no such operation. */
bool op_operation(
    struct host *host, const char *name, const struct call *call, const struct object_name *batch);

/* The table of an operation, or the batch's. */
struct object_name subject_table(
    struct host *host, const struct subject *subject, const char *parameter, const char *schema);

/* ---- lower_execute.c ---- */

/* A statement given to execute(): SQL text, text(), a construct. */
void op_statement(struct host *host, const struct value *statement, bool is_raw);
void op_execute(struct host *host, const struct subject *subject);
void op_bulk_insert(struct host *host, const struct subject *subject);

/* ---- lower_bind.c ---- */

/* Connections, sessions, types, tables and metadata: whatever is no operation. */
void op_other_call(struct host *host, const struct call *call);

/* ---- lower_plugin.c ---- */

void op_plugin(struct host *host, const char *name, const struct call *call);
