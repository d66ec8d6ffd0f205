/* What the files write*.c share while revision files are written. */
#pragma once

#include "catalog/find.h"
#include "migrate/squash/links.h"
#include "migrate/squash/squash.h"
#include "migrate/squash/write_python.h"

/* One revision being written: what goes up in its order, what goes down in the reverse one. */
struct writing {
    struct arena *arena;
    const struct schema *schema;
    const struct squash_plan *plan;
    const struct seeds *seeds;
    const struct squash_write_options *options;
    bool is_qualified;  /* names carry their schema also where it is public */
    const char *runner; /* the role that runs Alembic: what it makes it owns by itself */
    const struct links *links;
    struct map made;       /* keys of what is there already, by this file and those before */
    struct map here;       /* the same, of this file only */
    struct map inlined;    /* constraints and sequences that their table has made */
    struct map position;   /* the keys of what this file makes, also of what comes yet */
    struct text_list up;   /* indented statements of Python */
    struct text_list down; /* to be reversed */
    bool uses_sa;
    bool uses_postgresql;
    size_t operations;
    size_t statements;
};

/* Adds op.execute() of a statement. */
void write_up_sql(struct writing *writing, const char *sql);
void write_down_sql(struct writing *writing, const char *sql);

/* Adds a statement of ddl_create(), unless it says what is so by itself. */
void write_statement(struct writing *writing, const char *statement);

/* Adds a call of Alembic. */
void write_up_call(struct writing *writing, const struct py *call);
void write_down_call(struct writing *writing, const struct py *call);

/*
 * Whether SQLAlchemy quotes a name where the server needs it: lateral and the like it does not
 * know as reserved, dots it takes for the end of a table's name.
 */
bool write_is_plain_name(const char *name);

/* The schema to name, or NULL where it goes without saying. */
const char *write_schema_name(const struct writing *writing, const char *schema);

/* sa.text("…"); NULL where that cannot be said. */
struct py *write_text(struct writing *writing, const char *sql);

/* The items of a JSON array of names; false when one of them is none. */
bool write_names(struct arena *arena, const char *json, struct text_list *ret);

/* write_type.c: the type as SQLAlchemy says it, or NULL where it does not. */
struct py *write_type(struct writing *writing, const char *type);

/* Whether a table of this file makes the sequence, for it belongs to a serial column. */
bool write_makes_sequence(struct writing *writing, const struct sql_schema_sequences *sequence);

/*
 * write_table.c: op.create_table() with the constraints that can be made at once. False: nothing
 * was written, for this one cannot be said that way.
 */
bool write_table(struct writing *writing, const struct sql_schema_tables *table);

/*
 * write_table_sql.c: CREATE TABLE with constraints and serial columns, where the table has none of
 * the forms in which they must come later. False: nothing was written.
 */
bool write_table_sql(struct writing *writing, const struct sql_schema_tables *table);

/* Whether it would make this sequence. */
bool write_has_serial(struct writing *writing, const struct sql_schema_tables *table,
    const struct sql_schema_sequences *sequence);

/* write_inline.c: whether the constraint can be made together with its table. */
bool write_can_be_inline(struct writing *writing, const struct sql_schema_tables *table,
    const struct sql_schema_constraints *constraint);

/* write_constraint.c: sa.UniqueConstraint(…); NULL where it cannot be said. */
struct py *write_constraint(
    struct writing *writing, const struct sql_schema_constraints *constraint);

/* op.create_foreign_key() and the like, and their counterparts; false: nothing was written. */
bool write_loose_constraint(
    struct writing *writing, const struct sql_schema_constraints *constraint);

/* write_index.c: op.create_index() and op.drop_index(); false: nothing was written. */
bool write_index(struct writing *writing, const struct sql_schema_indexes *index);

/* write_serial.c: the sequence that serial would make for the column; or NULL. */
const struct sql_schema_sequences *write_serial_sequence(
    const struct writing *writing, const struct sql_schema_columns *column);

/* sa.Identity(…); NULL where it cannot be said. */
struct py *write_identity(struct writing *writing, const struct sql_schema_columns *column);

/* write_seed.c: rows and sequence values. */
void write_seeds(struct writing *writing);
