/*
 * The schema of a database as structs: all that pg_dump -s would write, apart from schema pgmend
 * and what belongs to extensions. Each class of objects is a query in src/sql/schema, whose header
 * says what its members mean. Texts are the server's own wording with nothing in the search_path,
 * so every name in them is qualified.
 */
#pragma once

#include "base/json.h"
#include "db/db.h"
#include "sql.h"

/* Name in C, the word for people, how objects are told apart within the class. */
#define SCHEMA_CLASSES(X)                                  \
    X(schemas, "schema", "name")                           \
    X(extensions, "extension", "name")                     \
    X(types, "type", "schema name")                        \
    X(functions, "function", "schema name arguments")      \
    X(tables, "table", "schema name")                      \
    X(columns, "column", "schema table_name name")         \
    X(constraints, "constraint", "schema table_name name") \
    X(indexes, "index", "schema name")                     \
    X(sequences, "sequence", "schema name")                \
    X(triggers, "trigger", "schema table_name name")       \
    X(rules, "rule", "schema table_name name")             \
    X(policies, "policy", "schema table_name name")        \
    X(statistics, "statistics", "schema name")             \
    X(others, "object", "kind name")

#define SCHEMA_ENUM(name, word, key) SCHEMA_##name,
enum schema_class { SCHEMA_CLASSES(SCHEMA_ENUM) SCHEMA_CLASS_COUNT };
#undef SCHEMA_ENUM

#define SCHEMA_MEMBER(name, word, key) struct sql_schema_##name##_rows name;
struct schema {
    const char *database; /* its name, or that of the snapshot's file */
    const char *server_version;
    int server_major;
    /* By their keys, in the order of the bytes. columns: by table, then position. */
    SCHEMA_CLASSES(SCHEMA_MEMBER)
    struct sql_schema_dependencies_rows dependencies; /* not in a snapshot file's diff */
};
#undef SCHEMA_MEMBER

/* What a class is, for code that goes through all of them. */
struct schema_class_info {
    const char *name;          /* "columns" */
    const char *word;          /* "column" */
    const struct query *query; /* .columns describe the members */
    const char *key;           /* names of the members that tell objects apart */
};
extern const struct schema_class_info schema_classes[SCHEMA_CLASS_COUNT];

/* The rows of a class. */
struct rows schema_rows(const struct schema *schema, enum schema_class class);

/* One object of a class; it points to a struct sql_schema_<class>. */
const void *schema_item(const struct schema *schema, enum schema_class class, size_t index);

/*
 * How an object is called, quoted where needed: public.users, public.users.email (column,
 * constraint, trigger, rule, policy), public.f(integer, text), "cast (a AS b)".
 */
const char *schema_identity(struct arena *arena, enum schema_class class, const void *item);

/*
 * Reads everything in one read-only snapshot of its own transaction. ERR_RIGHTS when something
 * cannot be read.
 */
bool schema_load(struct ctx *ctx, struct db *db, struct schema *ret) MUST_CHECK;

/*
 * The same of two databases at the same time; the error is of whichever failed. The dependencies
 * are left out of two that are equal.
 */
bool schema_load_pair(struct ctx *ctx, struct db *first, struct db *second,
    struct schema *ret_first, struct schema *ret_second) MUST_CHECK;

/*
 * The same in whatever transaction the session is in, also one that has not committed; the
 * caller has seen to it that the search_path is empty.
 */
bool schema_load_here(struct ctx *ctx, struct db *db, struct schema *ret) MUST_CHECK;

/*
 * A snapshot: all of it as JSON that does not depend on the run. Caller owns it. NULL if a text is
 * not UTF-8.
 */
json_t *schema_to_json(const struct schema *schema);
bool schema_from_json(struct ctx *ctx, const json_t *json, struct schema *ret) MUST_CHECK;

/* SHA-256, in hex, of all but database, versions of the server and dependencies. */
const char *schema_digest(struct arena *arena, const struct schema *schema);
