/*
 * The model against the server: every statement of migrate_model.sql is run by both, which must
 * give the same answer, and at the end of each case have the same schema.
 */
#include "support/test.h"

#include <ctype.h>

#include "base/file.h"
#include "base/text.h"
#include "db/db.h"
#include "lang/sql.h"
#include "migrate/model/model.h"

enum { SQLSTATE_LENGTH = 5 };

struct bench {
    struct ctx ctx;
    struct db *db;
    struct model model;
    struct buffer report; /* what differs */
    size_t statements;
    size_t refused;
    bool has_vector; /* pgvector can be had */
    bool recovers;   /* the model has gone on with part of a statement that the server refused, or
                      its transaction is aborted: they differ from here on */
};

static void
must_exec(struct bench *bench, const char *sql)
{
    struct sql_statements statements;

    if (!sql_split(&bench->ctx, "test", sql, &statements))
        fail_msg("%s: %s", sql, bench->ctx.error.message);
    for (size_t i = 0; i < statements.count; i++)
        if (!db_exec(&bench->ctx, bench->db, statements.items[i].text))
            fail_msg("%s: %s", statements.items[i].text, bench->ctx.error.message);
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);
    struct db_options options = {
        .database = "postgres", .application = "test", .access = ACCESS_WRITE
    };

    bench->ctx.arena = arena;
    bench->report.arena = arena;
    if (!db_open(&bench->ctx, &options, &bench->db))
        fail_msg("%s", bench->ctx.error.message);
    must_exec(bench, "DROP DATABASE IF EXISTS migrate_model; CREATE DATABASE migrate_model");
    db_close(bench->db);
    options.database = "migrate_model";
    if (!db_open(&bench->ctx, &options, &bench->db))
        fail_msg("%s", bench->ctx.error.message);
    must_exec(bench, "SET client_min_messages = error");

    const char *has_vector;

    if (!db_value(&bench->ctx, bench->db,
            "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'", NULL, 0,
            &has_vector))
        fail_msg("%s", bench->ctx.error.message);
    bench->has_vector = has_vector[0] == '1';
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    db_close(bench->db);
    arena_free(bench->ctx.arena);
    return 0;
}

/* An empty database again, and a model of it. */
static void
begin_case(struct bench *bench)
{
    must_exec(bench,
        "ROLLBACK; SET search_path = public; DROP SCHEMA IF EXISTS app CASCADE;"
        "DROP SCHEMA IF EXISTS other CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
        "DISCARD TEMP; DROP EXTENSION IF EXISTS citext, hstore, vector, pg_trgm, btree_gin,"
        " \"uuid-ossp\" CASCADE");
    model_init(&bench->model, bench->ctx.arena);
    bench->model.server_major = db_major(bench->db);
    bench->model.in_transaction = false;
    bench->recovers = false;
}

/* The first certain answer of the model to the statement, or NULL. */
static const struct model_error *
ask_model(struct bench *bench, const char *text)
{
    struct ctx *ctx = &bench->ctx;
    struct sql_source source = { .text = text, .place = { .line = 1 } };
    struct steps steps = { 0 };
    struct model_errors errors = { 0 };

    assert_true(steps_from_sql(ctx, &source, &steps));
    for (size_t i = 0; i < steps.count; i++) {
        struct step *step = arena_memdup(ctx->arena, &steps.items[i], sizeof(*step));

        assert_int_not_equal(step->kind, STEP_UNKNOWN);
        assert_true(model_apply(ctx, &bench->model, step, 0, &errors));
        for (size_t k = 0; k < errors.count; k++)
            if (errors.items[k].is_certain)
                return &errors.items[k];
    }
    return NULL;
}

/* ---- the schema, a line a thing ---- */

static const char catalogue[] =
    "SELECT coalesce(string_agg(line, E'\\n' ORDER BY line COLLATE \"C\"), '') FROM ("
    " SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'"
    "   WHEN 'm' THEN 'matview' WHEN 'S' THEN 'sequence' END || ' ' || n.nspname || '.' || relname"
    "  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
    "  WHERE nspname IN ('public', 'app', 'other') AND relkind IN ('r', 'p', 'v', 'm', 'S')"
    " UNION ALL"
    " SELECT 'index ' || nspname || '.' || c.relname || ' on ' || t.relname ||"
    "   CASE WHEN indisunique THEN ' unique' ELSE '' END"
    "  FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_class t ON t.oid = indrelid"
    "  JOIN pg_namespace n ON n.oid = c.relnamespace"
    "  WHERE nspname IN ('public', 'app', 'other') AND t.relkind <> 'm'"
    " UNION ALL"
    " SELECT 'column ' || nspname || '.' || relname || '.' || attname || ' ' ||"
    "   format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END"
    "  FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
    "  JOIN pg_namespace n ON n.oid = relnamespace"
    "  WHERE nspname IN ('public', 'app', 'other') AND relkind IN ('r', 'p') AND attnum > 0"
    "   AND NOT attisdropped"
    " UNION ALL"
    " SELECT 'constraint ' || nspname || '.' || relname || '.' || conname || ' ' ||"
    "   CASE contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'c' THEN 'check'"
    "   WHEN 'f' THEN 'foreign key' WHEN 'x' THEN 'exclude' END"
    "  FROM pg_constraint JOIN pg_class c ON c.oid = conrelid"
    "  JOIN pg_namespace n ON n.oid = relnamespace"
    "  WHERE nspname IN ('public', 'app', 'other') AND contype IN ('p', 'u', 'c', 'f', 'x')"
    " UNION ALL"
    " SELECT 'type ' || nspname || '.' || typname || CASE WHEN typtype = 'e' THEN ' ' || (SELECT"
    "   string_agg(enumlabel, ',' ORDER BY enumlabel COLLATE \"C\") FROM pg_enum WHERE"
    "   enumtypid = t.oid) ELSE '' END"
    "  FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace"
    "  WHERE nspname IN ('public', 'app', 'other') AND typtype IN ('e', 'd') AND NOT EXISTS"
    "   (SELECT FROM pg_depend WHERE objid = t.oid AND deptype = 'e')"
    ") AS lines (line)";

static int
compare(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return strcmp(*x, *y);
}

static const char *
member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void
table_lines(struct arena *arena, const json_t *table, struct text_list *lines)
{
    const char *name = arena_printf(arena, "%s.%s", member(table, "schema"), member(table, "name"));
    size_t i;
    json_t *item;

    text_list_add(arena, lines, arena_printf(arena, "table %s", name));
    json_array_foreach(json_object_get(table, "columns"), i, item) text_list_add(arena, lines,
        arena_printf(arena, "column %s.%s %s%s", name, member(item, "name"), member(item, "type"),
            json_is_true(json_object_get(item, "not_null")) ? " not null" : ""));
    json_array_foreach(json_object_get(table, "constraints"), i, item) text_list_add(arena, lines,
        arena_printf(
            arena, "constraint %s.%s %s", name, member(item, "name"), member(item, "kind")));
    json_array_foreach(json_object_get(table, "indexes"), i, item) text_list_add(arena, lines,
        arena_printf(arena, "index %s.%s on %s%s", member(table, "schema"), member(item, "name"),
            member(table, "name"), json_is_true(json_object_get(item, "unique")) ? " unique" : ""));
}

static void
type_line(struct arena *arena, const json_t *type, struct text_list *lines)
{
    struct text_list values = { 0 };
    bool is_enum = strcmp(member(type, "kind"), "enum") == 0;
    size_t i;
    json_t *item;

    if (strcmp(member(type, "kind"), "type") == 0)
        return;
    json_array_foreach(json_object_get(type, "values"), i, item)
        text_list_add(arena, &values, json_string_value(item));
    if (values.count > 0)
        qsort(values.items, values.count, sizeof(values.items[0]), compare);
    text_list_add(arena, lines,
        arena_printf(arena, "type %s.%s%s%s", member(type, "schema"), member(type, "name"),
            is_enum ? " " : "", text_list_join(arena, &values, ",")));
}

static const char *
model_lines(struct bench *bench)
{
    static const char *const kinds[][2] = { { "views", "view" },
        { "materialized_views", "matview" }, { "sequences", "sequence" } };
    struct arena *arena = bench->ctx.arena;
    json_t *json CLEANUP(json_release) = model_json(&bench->model);
    struct text_list lines = { 0 };
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(json, "tables"), i,
        item) if (strcmp(member(item, "schema"), "pg_temp") != 0) table_lines(arena, item, &lines);
    json_array_foreach(json_object_get(json, "types"), i, item) type_line(arena, item, &lines);
    for (size_t k = 0; k < COUNT_OF(kinds); k++)
        json_array_foreach(json_object_get(json, kinds[k][0]), i, item) text_list_add(arena, &lines,
            arena_printf(
                arena, "%s %s.%s", kinds[k][1], member(item, "schema"), member(item, "name")));
    if (lines.count > 0)
        qsort(lines.items, lines.count, sizeof(lines.items[0]), compare);
    return text_list_join(arena, &lines, "\n");
}

/* The words of 14 are others at times; its codes are those of 15. */
static bool
is_same_answer(const struct bench *bench, const char *ours, const char *servers)
{
    return strcmp(ours, servers) == 0 ||
           (db_major(bench->db) < 15 && isdigit((unsigned char)ours[0]) &&
               strncmp(ours, servers, SQLSTATE_LENGTH) == 0);
}

static void
run_statement(struct bench *bench, const char *text)
{
    struct ctx *ctx = &bench->ctx;
    const char *before = model_lines(bench);
    const struct model_error *error = ask_model(bench, text);
    const char *ours = "done";
    const char *servers = "done";

    if (error) {
        bench->recovers |= strcmp(before, model_lines(bench)) != 0 || bench->model.in_transaction;
        ours = arena_printf(ctx->arena, "%s %s", error->sqlstate, error->message);
    }
    if (!db_exec(ctx, bench->db, text)) {
        servers = arena_printf(ctx->arena, "%s %s", ctx->error.sqlstate, ctx->error.message);
        bench->refused++;
    }
    error_clear(ctx);
    bench->statements++;
    if (!is_same_answer(bench, ours, servers))
        buffer_printf(&bench->report, "%s\n  server: %s\n  model:  %s\n", text, servers, ours);
}

static void
end_case(struct bench *bench, const char *title)
{
    const char *servers;
    const char *ours;

    must_exec(bench, "ROLLBACK; SET search_path = public");
    if (bench->recovers || bench->model.vague_since)
        return;
    if (!db_value(&bench->ctx, bench->db, catalogue, NULL, 0, &servers))
        fail_msg("%s", bench->ctx.error.message);
    ours = model_lines(bench);
    if (strcmp(ours, servers) != 0)
        buffer_printf(&bench->report, "%s\n--- server\n%s\n--- model\n%s\n", title, servers, ours);
}

/* Cases stand one after another, each with a title in a comment of its own line. */
static void
statements_have_the_servers_answers(void **state)
{
    struct bench *bench = *state;
    struct ctx *ctx = &bench->ctx;
    const char *text;
    const char *title;
    size_t cases = 0;
    size_t length;

    if (!file_read(ctx, test_source(ctx, "test/db/migrate_model.sql"), &text, &length))
        fail_msg("%s", ctx->error.message);
    for (title = strstr(text, "--- "); title; cases++) {
        const char *next = strstr(title + 1, "\n--- ");
        const char *script =
            arena_strndup(ctx->arena, title, next ? (size_t)(next - title) : strlen(title));
        struct sql_statements statements;

        if (!sql_split(ctx, "migrate_model.sql", script, &statements))
            fail_msg("%s", ctx->error.message);
        if (!bench->has_vector && strstr(script, "vector")) {
            title = next ? next + 1 : NULL;
            continue;
        }
        begin_case(bench);
        for (size_t i = 0; i < statements.count && !bench->recovers; i++)
            run_statement(bench, statements.items[i].text);
        end_case(bench, arena_strndup(ctx->arena, script, strcspn(script, "\n")));
        title = next ? next + 1 : NULL;
    }
    print_message(
        "# %zu cases, %zu statements, %zu refused\n", cases, bench->statements, bench->refused);
    assert_true(cases > 100 && bench->refused > 100);
    /* cmocka cuts long messages. */
    (void)fputs(buffer_text(&bench->report), stderr);
    if (bench->report.length > 0)
        fail_msg("the model and the server differ");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(statements_have_the_servers_answers, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
