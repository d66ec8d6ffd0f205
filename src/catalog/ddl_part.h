/* What the files that write statements share. */
#pragma once

#include "catalog/ddl.h"
#include "catalog/find.h"
#include "db/ident.h"

/* Statements on their way. */
struct ddl {
    struct arena *arena;
    const struct schema *schema;   /* that the objects are from */
    const struct schema *standing; /* of the database that it runs on, where there is one */
    bool with_owner;
    bool with_rights;
    struct text_list *out;
};

void ddl_add(const struct ddl *ddl, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- ddl_name.c: how statements call an object ---- */

/* "TABLE", "MATERIALIZED VIEW": after ALTER, DROP and COMMENT ON. */
const char *ddl_word(struct arena *arena, enum schema_class class, const void *item);

/* What stands after that word: "public.users", "users_check ON public.users". */
const char *ddl_target(struct arena *arena, enum schema_class class, const void *item);

/* "ALTER TABLE public.users", for a member of that table. */
const char *ddl_alter_table(
    struct arena *arena, const struct schema *schema, const char *schema_name, const char *name);

/* A member of an object by its name, NULL when the class has none such or it is NULL. */
const char *ddl_member(enum schema_class class, const void *item, const char *name);

/* ---- ddl_rights.c ---- */

/* What makes owner, rights and comment as the object has them. */
void ddl_add_owner(const struct ddl *ddl, enum schema_class class, const void *item);
void ddl_add_comment(const struct ddl *ddl, enum schema_class class, const void *item);

/* Gives a new object its rights. */
void ddl_add_rights(const struct ddl *ddl, enum schema_class class, const void *item);

/* Makes the rights of found, which has its owner already, those of wanted. */
void ddl_change_rights(const struct ddl *ddl, const struct schema *found_schema,
    enum schema_class class, const void *found, const void *wanted);

/* Whether there is nothing to do for that. */
bool ddl_same_rights(const struct ddl *ddl, const struct schema *found_schema,
    enum schema_class class, const void *found, const void *wanted);

/* ---- ddl_option.c: "fillfactor=70, autovacuum_enabled=false" ---- */

/* As WITH (…) takes them: "fillfactor='70', …". */
const char *ddl_options_text(struct arena *arena, const char *options);

/* "SET (…)" and "RESET (…)" that make one of the other, each after start. */
void ddl_add_options(const struct ddl *ddl, const char *start, const char *from, const char *to);

/* "SET, ADD, DROP" of "a 'b', c 'd'": what stands in ALTER … OPTIONS (…). */
const char *ddl_foreign_options_text(struct arena *arena, const char *from, const char *to);

/* ---- ddl.c ---- */

/* As ddl_create() and ddl_drop(). */
void ddl_make(const struct ddl *ddl, enum schema_class class, const void *item);
void ddl_add_drop(const struct ddl *ddl, enum schema_class class, const void *item);

/* Switches a trigger or rule on or off as it is. */
void ddl_add_enabled(const struct ddl *ddl, enum schema_class class, const void *item);

/* ---- ddl_table.c ---- */

void ddl_add_table(const struct ddl *ddl, const struct sql_schema_tables *table);
void ddl_add_row_security(const struct ddl *ddl, const struct sql_schema_tables *table);
void ddl_add_forced_security(const struct ddl *ddl, const struct sql_schema_tables *table);
void ddl_add_replica_identity(const struct ddl *ddl, const struct sql_schema_tables *table);

/* ---- ddl_column.c ---- */

/* "email text COLLATE … DEFAULT … NOT NULL". */
const char *ddl_column_text(const struct ddl *ddl, const struct sql_schema_columns *column);

/* "GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME …)". */
const char *ddl_identity_text(const struct ddl *ddl, const struct sql_schema_columns *column);

/* "ALTER TABLE ONLY public.users ALTER COLUMN email". */
const char *ddl_alter_column(
    const struct ddl *ddl, const struct sql_schema_columns *column, bool is_only);

/* What a column has beyond its definition; with inherited also what differs from that one. */
void ddl_add_column_extras(const struct ddl *ddl, const struct sql_schema_columns *column,
    const struct sql_schema_columns *inherited);

/* A column of a table that is there. */
void ddl_add_column(const struct ddl *ddl, const struct sql_schema_columns *column);

/* ---- ddl_index.c ---- */

void ddl_add_constraint(const struct ddl *ddl, const struct sql_schema_constraints *constraint);
void ddl_add_index(const struct ddl *ddl, const struct sql_schema_indexes *index);

/* Makes the targets of from those of the index. */
void ddl_add_index_statistics(
    const struct ddl *ddl, const struct sql_schema_indexes *index, const char *from);

/* ---- ddl_sequence.c ---- */

/* " START WITH 1 …", with_type " AS integer" in front. */
const char *ddl_sequence_text(
    struct arena *arena, const struct sql_schema_sequences *sequence, bool with_type);
void ddl_add_sequence(const struct ddl *ddl, const struct sql_schema_sequences *sequence);

/* What the sequence of an identity column has by itself. */
void ddl_add_sequence_extras(const struct ddl *ddl, const struct sql_schema_sequences *sequence);

/* OWNED BY of all sequences that belong to a column, "public.users.id". */
void ddl_add_owned_sequences(const struct ddl *ddl, const char *column);
