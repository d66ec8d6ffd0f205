/*
 * The linter against a server: every rule's two examples, and ReplyX's earlier script, whose faults were
 * found by running it (replyx/indexes/README.md). What a correction leaves is built for real.
 */
#include "support/test.h"

#include <signal.h>
#include <unistd.h>

#include "base/process.h"
#include "db/db.h"
#include "index/lint/lint.h"
#include "lang/sql.h"

struct bench {
    struct ctx ctx;
    struct db *admin;
    struct db *db;
    const char *database;
    const char *folder;
};

static void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static struct db *
connect_to(struct bench *bench, const char *database)
{
    const struct db_options options = {
        .database = database, .application = "test", .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "index_lint_%d", (int)getpid());
    bench->folder = test_folder(&bench->ctx);
    bench->admin = connect_to(bench, "postgres");
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena, "CREATE DATABASE %s", bench->database)));
    bench->db = connect_to(bench, bench->database);
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;
    db_cleanup(&bench->db);
    must(bench,
        db_exec(&bench->ctx, bench->admin,
            arena_printf(bench->ctx.arena, "DROP DATABASE %s WITH (FORCE)", bench->database)));
    db_cleanup(&bench->admin);
    must(bench, file_remove(&bench->ctx, bench->folder));
    arena_free(bench->ctx.arena);
    return 0;
}

/* Statements of their own, as psql runs them; those that build a UNIQUE index concurrently may fail. */
static void
run_all(struct bench *bench, const char *text)
{
    struct sql_statements statements;

    must(bench, db_set(&bench->ctx, bench->db, "search_path", "public"));
    must(bench, sql_split(&bench->ctx, "setup", text, &statements));
    for (size_t i = 0; i < statements.count; i++) {
        bool is_good = db_exec(&bench->ctx, bench->db, statements.items[i].text);

        if (!is_good && text_starts_with(statements.items[i].text, "CREATE UNIQUE INDEX CONC"))
            error_clear(&bench->ctx);
        else if (!is_good)
            fail_msg("%s: %s", statements.items[i].text, bench->ctx.error.message);
    }
    must(bench, db_set(&bench->ctx, bench->db, "search_path", "pg_catalog, pg_temp"));
    /* Counters of writes are told at most once a second otherwise. */
    if (db_major(bench->db) >= 15)
        must(
            bench, db_exec(&bench->ctx, bench->db, "SELECT pg_catalog.pg_stat_force_next_flush()"));
}

static void
clear(struct bench *bench)
{
    must(bench, db_exec(&bench->ctx, bench->db, "DROP SCHEMA public CASCADE"));
    must(bench, db_exec(&bench->ctx, bench->db, "DROP SCHEMA IF EXISTS lint_other CASCADE"));
    must(bench, db_exec(&bench->ctx, bench->db, "CREATE SCHEMA public"));
}

static void
lint_text(
    struct bench *bench, const char *text, const struct lint_options *options, struct lint *ret)
{
    struct lint_script script;

    must(bench, lint_script_parse(&bench->ctx, "x.sql", text, strlen(text), &script));
    must(bench, lint_run(&bench->ctx, bench->db, &script, options, ret));
}

static size_t
count_of(const struct lint *lint, const char *id)
{
    size_t count = 0;

    for (size_t i = 0; i < lint->findings.count; i++)
        count +=
            text_equal(lint->findings.items[i].rule->id, id) && !lint->findings.items[i].silenced;
    return count;
}

/* How often the rule fires on one of its examples. */
static size_t
fire(struct bench *bench, const char *example, const char *id)
{
    struct arena *arena = bench->ctx.arena;
    const char *script = strstr(example, LINT_SCRIPT);
    const char *workload = strstr(example, LINT_WORKLOAD);
    struct lint_options options = { .has_rows = true };
    struct intake intake = { 0 };
    struct lint lint;

    assert_non_null(script);
    clear(bench);
    run_all(bench, arena_strndup(arena, example, (size_t)(script - example)));
    script += strlen(LINT_SCRIPT);
    if (workload) {
        const char *path = file_join(arena, bench->folder, "workload.sql");
        const char *text = workload + strlen(LINT_WORKLOAD);
        struct text_list paths = { 0 };

        script = arena_strndup(arena, script, (size_t)(workload - script));
        must(bench, file_write(&bench->ctx, path, text, strlen(text), 0600));
        text_list_add(arena, &paths, path);
        must(bench, intake_files(&bench->ctx, &paths, &intake));
        must(bench, db_exec(&bench->ctx, bench->db, "CREATE EXTENSION hypopg SCHEMA public"));
        options.workload = &intake;
    }
    lint_text(bench, script, &options, &lint);
    return count_of(&lint, id);
}

static void
every_rule_fires_on_its_example_only(void **state)
{
    struct bench *bench = *state;
    size_t wrong = 0;

    for (size_t i = 0; i < LINT_RULE_COUNT; i++) {
        const struct rule *rule = lint_rule((enum lint_rule)i);

        /* Before 15 the counters of writes come when they come. */
        if (i == LINT_MANY && db_major(bench->db) < 15)
            continue;
        if (rule->fires && fire(bench, rule->fires, rule->id) == 0) {
            print_message("# %s does not fire on its example\n", rule->id);
            wrong++;
        }
        if (fire(bench, rule->passes, rule->id) > 0) {
            print_message("# %s fires on what is done well\n", rule->id);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* The README's tables, by hand: the line of a statement and the rules that have to speak there. */
struct fault {
    uint32_t line;
    const char *rules; /* with blanks between */
};

static const struct fault faults[] = {
    { 4, "constraint-twin if-not-exists" },
    { 5, "constraint-twin" },
    { 7, "constraint-twin" },
    { 9, "unknown-column" },
    { 11, "not-immutable" },
    { 15, "prefix-index" },
    { 16, "prefix-index" },
    { 19, "missing-extension" },
    { 22, "unknown-column" },
    { 25, "prefix-index" },
    { 27, "duplicate-index" },
    { 28, "unique-over-duplicates" },
    { 29, "if-not-exists-different" },
    { 30, "unknown-column" },
    { 36, "prefix-index" },
    { 38, "syntax-error" },
    { 39, "unknown-column" },
    { 40, "not-concurrent" },
    { 45, "concurrently-in-transaction" },
    { 48, "constraint-twin" },
    { 49, "constraint-twin" },
    { 50, "constraint-twin" },
    { 51, "unknown-table" },
    { 54, "prefix-index" },
    { 55, "wide-column" },
    { 56, "unknown-column" },
    { 57, "prefix-index" },
    { 60, "constraint-twin" },
    { 61, "constraint-twin" },
    { 64, "concurrently-in-block" },
    { 71, "subquery-in-index" },
    { 72, "ivfflat-lists" },
    { 73, "operator-class-unfit" },
};

/* Of no use to any query of ReplyX: whatever is said there is no false alarm. */
static const uint32_t useless[] = { 6, 8, 10, 12, 17, 18, 21, 31, 32, 33, 40, 41, 47 };

static const char rows[] =
    "SET session_replication_role = replica;\n"
    "INSERT INTO users (email, hashed_password)\n"
    "SELECT 'u' || g, 'x' FROM generate_series(1, 500) AS g;\n"
    "INSERT INTO dialogs (user_id, assistant_id, telegram_chat_id, started_at)\n"
    "SELECT g % 500, g % 300, g % 700, now() - g * interval '1 min' FROM generate_series(1, 4000) AS g;\n"
    "INSERT INTO dialog_messages (dialog_id, sender, text, timestamp)\n"
    "SELECT g % 4000, 'user', 'hello', now() - g * interval '1 s' FROM generate_series(1, 20000) AS g;\n"
    "INSERT INTO user_knowledge (user_id, assistant_id, doc_id, content, importance)\n"
    "SELECT g % 100, g % 30, g, repeat(md5(g::text), 20), g % 10 + 1 FROM generate_series(1, 500) AS g;\n"
    "INSERT INTO knowledge_embeddings (user_id, assistant_id, doc_id, chunk_index, chunk_text,\n"
    "  importance, embedding) SELECT g % 100, g % 30, g, 1, 'x', g % 10 + 1, (SELECT array_agg(g % 7 + k % 5) FROM\n"
    "  generate_series(1, 1536) AS k)::vector FROM generate_series(1, 2000) AS g;\n"
    "RESET session_replication_role;\nANALYZE;\n";

static void
migrate(struct bench *bench)
{
    struct ctx *ctx = &bench->ctx;
    const char *argv[] = { "alembic", "-c", test_source(ctx, "replyx/alembic.ini"), "upgrade",
        "head", NULL };
    const char *env[] = { arena_printf(ctx->arena, "PGDATABASE=%s", bench->database), NULL };
    struct process process;

    run_all(bench,
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE EXTENSION vector SCHEMA public;");
    must(bench, process_run(ctx, &(struct process_options){ .argv = argv, .env = env }, &process));
}

static bool
is_expected(const struct finding *finding)
{
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        if (faults[i].line == finding->place.line && strstr(faults[i].rules, finding->rule->id))
            return true;
    for (size_t i = 0; i < COUNT_OF(useless); i++)
        if (useless[i] == finding->place.line && finding->severity == SEVERITY_ADVICE)
            return true;
    return false;
}

static bool
has_finding(const struct lint *lint, uint32_t line, const char *rules)
{
    size_t told = 0, wanted = 1;

    for (const char *at = rules; *at; at++)
        wanted += *at == ' ';
    for (size_t i = 0; i < lint->findings.count; i++)
        told += lint->findings.items[i].place.line == line &&
                strstr(rules, lint->findings.items[i].rule->id);
    return told == wanted;
}

/* Each planted fault is named, and nothing else is. */
static void
check_faults(const struct lint *lint)
{
    size_t wrong = 0;

    for (size_t i = 0; i < COUNT_OF(faults); i++)
        if (!has_finding(lint, faults[i].line, faults[i].rules)) {
            print_message("# line %u: not told: %s\n", faults[i].line, faults[i].rules);
            wrong++;
        }
    for (size_t i = 0; i < lint->findings.count; i++)
        if (!is_expected(&lint->findings.items[i])) {
            print_message("# line %u: false alarm: %s: %s\n", lint->findings.items[i].place.line,
                lint->findings.items[i].rule->id, lint->findings.items[i].message);
            wrong++;
        }
    assert_int_equal(wrong, 0);
}

/* What the correction leaves is taken by the server, statement by statement; none is left INVALID. */
static void
build_corrected(struct bench *bench, const struct lint *first)
{
    const struct lint_options options = { .has_rows = true };
    const char *text = lint_corrected(&bench->ctx, first);
    const char *invalid;
    struct lint lint;

    lint_text(bench, text, &options, &lint);
    text = lint_corrected(&bench->ctx, &lint);
    lint_text(bench, text, &options, &lint);
    if (findings_count(&lint.findings, SEVERITY_ERROR) > 0)
        fail_msg("still wrong: %s", lint.findings.items[0].message);
    assert_null(strstr(text, "\nBEGIN"));
    assert_true(lint.index_count >= 15);
    must(bench, db_set(&bench->ctx, bench->db, "search_path", "public"));
    for (size_t i = 0; i < lint.script.count; i++)
        if (!db_exec(&bench->ctx, bench->db, lint.script.items[i].text))
            fail_msg("%s: %s", lint.script.items[i].text, bench->ctx.error.message);
    must(bench,
        db_value(&bench->ctx, bench->db,
            "SELECT count(*) FROM pg_catalog.pg_index WHERE NOT indisvalid", NULL, 0, &invalid));
    assert_string_equal(invalid, "0");
}

static void
replyx_script_is_told_fault_by_fault(void **state)
{
    struct bench *bench = *state;
    const struct lint_options options = { .has_rows = true };
    struct lint_script script;
    struct lint lint;

    migrate(bench);
    must(bench, lint_script_read(
                    &bench->ctx, test_source(&bench->ctx, "replyx/indexes/critical.sql"), &script));
    run_all(bench, rows);
    must(bench, lint_run(&bench->ctx, bench->db, &script, &options, &lint));
    assert_int_equal(lint.findings.count, 0);
    run_all(bench, script.text);
    must(bench, lint_script_read(&bench->ctx,
                    test_source(&bench->ctx, "replyx/indexes/earlier50.sql"), &script));
    must(bench, lint_run(&bench->ctx, bench->db, &script, &options, &lint));
    check_faults(&lint);
    build_corrected(bench, &lint);
}

/* What a run of the script leaves INVALID is seen by the next one. */
static void
invalid_rest_is_seen(void **state)
{
    struct bench *bench = *state;
    const struct lint_options options = { .has_rows = true };
    struct lint lint;

    clear(bench);
    run_all(bench, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);"
                   "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);");
    lint_text(bench, "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);", &options, &lint);
    assert_int_equal(count_of(&lint, "if-not-exists-invalid"), 1);
}

/* The rows are asked only when that is wanted; without statistics nothing else can tell. */
static void
rows_are_asked_on_demand(void **state)
{
    static const char text[] = "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a, b);";
    struct bench *bench = *state;
    struct lint_options options = { .has_rows = true };
    struct lint lint;

    clear(bench);
    run_all(bench, "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 2), (1, 2), (3, 4);");
    lint_text(bench, text, &options, &lint);
    assert_int_equal(count_of(&lint, "unique-over-duplicates"), 0);
    options.check_data = true;
    lint_text(bench, text, &options, &lint);
    assert_int_equal(count_of(&lint, "unique-over-duplicates"), 1);
    run_all(bench, "DELETE FROM t WHERE a = 1;");
    lint_text(bench, text, &options, &lint);
    assert_int_equal(lint.findings.count, 0);
}

/* A comment silences, with its reason, the statement that it stands in or before. */
static void
comments_silence(void **state)
{
    struct bench *bench = *state;
    const struct lint_options options = { .has_rows = true };
    struct lint lint;

    clear(bench);
    run_all(bench, "CREATE TABLE t (a int PRIMARY KEY);");
    lint_text(bench,
        "-- pgmend: ignore constraint-twin -- for a test\nCREATE INDEX CONCURRENTLY i ON t (a);\n"
        "CREATE INDEX CONCURRENTLY k ON t\n    (a); -- pgmend: ignore prefix-index\n",
        &options, &lint);
    assert_int_equal(lint.findings.count, 2);
    assert_string_equal(lint.findings.items[0].silenced, "for a test");
    assert_null(lint.findings.items[1].silenced);
    assert_string_equal(lint.findings.items[1].rule->id, "constraint-twin");
}

/* Whether the corrected script builds it, in a line of its own. */
static bool
is_built(struct bench *bench, const struct lint *lint, const char *statement)
{
    const char *text = arena_printf(bench->ctx.arena, "\n%s", lint_corrected(&bench->ctx, lint));

    return strstr(text, arena_printf(bench->ctx.arena, "\n%s", statement)) != NULL;
}

/* An index that goes itself, or may be found too wide, is no reason for another one to go. */
static void
only_what_stays_covers_others(void **state)
{
    static const char narrow[] = "CREATE INDEX CONCURRENTLY narrow ON t (a);";
    static const char *const wide[] = {
        "CREATE INDEX CONCURRENTLY wide ON t (a, b) WHERE b = (SELECT 1);", /* a subquery */
        "CREATE UNIQUE INDEX CONCURRENTLY wide ON t (a, nope);",
        "CREATE INDEX CONCURRENTLY wide ON t (a) INCLUDE (c);", /* how long is c? */
        "CREATE INDEX CONCURRENTLY wide_by_a_name_that_is_longer_than_the_63_bytes_the_server_keeps ON t (a, b);",
    };
    struct bench *bench = *state;
    const struct lint_options options = { 0 };
    struct lint lint;

    clear(bench);
    run_all(bench, "CREATE TABLE t (a int, b int, c text);");
    for (size_t i = 0; i < COUNT_OF(wide); i++) {
        lint_text(
            bench, arena_printf(bench->ctx.arena, "%s\n%s", narrow, wide[i]), &options, &lint);
        if (!is_built(bench, &lint, narrow))
            fail_msg("gone for %s", wide[i]);
    }
    lint_text(bench,
        arena_printf(bench->ctx.arena, "%s\nCREATE INDEX CONCURRENTLY wide ON t (a, b);", narrow),
        &options, &lint);
    assert_false(is_built(bench, &lint, narrow));
    /* Silenced, the narrow one stays; so does the middle of three only if the widest goes. */
    lint_text(bench,
        "CREATE INDEX CONCURRENTLY x ON t (a);\nCREATE INDEX CONCURRENTLY y ON t (a, b);\n"
        "CREATE INDEX CONCURRENTLY z ON t (a, b, nope);",
        &options, &lint);
    assert_false(is_built(bench, &lint, "CREATE INDEX CONCURRENTLY x"));
    assert_true(is_built(bench, &lint, "CREATE INDEX CONCURRENTLY y"));
}

/* Without the right to make a copy the rest is checked, and that is said once, not for each table. */
static void
role_without_temporary_is_told_once(void **state)
{
    static const char text[] = "CREATE INDEX CONCURRENTLY i ON t (a);\n"
                               "CREATE INDEX CONCURRENTLY k ON u (nope);\n"
                               "CREATE INDEX CONCURRENTLY l ON u (a::date);";
    struct bench *bench = *state;
    const struct lint_options options = { .has_rows = true };
    struct arena *arena = bench->ctx.arena;
    struct lint lint;

    clear(bench);
    run_all(bench,
        arena_printf(arena,
            "CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE ROLE %s_plain;"
            "GRANT USAGE ON SCHEMA public TO %s_plain; REVOKE TEMPORARY ON DATABASE %s FROM PUBLIC;",
            bench->database, bench->database, bench->database));
    must(bench,
        db_exec(&bench->ctx, bench->db, arena_printf(arena, "SET ROLE %s_plain", bench->database)));
    lint_text(bench, text, &options, &lint);
    must(bench, db_exec(&bench->ctx, bench->db, "RESET ROLE"));
    must(bench, db_exec(&bench->ctx, bench->db,
                    arena_printf(arena, "DROP OWNED BY %s_plain", bench->database)));
    must(bench, db_exec(&bench->ctx, bench->db,
                    arena_printf(arena, "DROP ROLE %s_plain", bench->database)));
    assert_int_equal(lint.notes.count, 1);
    assert_non_null(strstr(lint.notes.items[0], "GRANT TEMPORARY"));
    assert_false(lint.indexes[0].is_tried);
    assert_int_equal(count_of(&lint, "unknown-column"), 1);
    assert_int_equal(count_of(&lint, "syntax-error"), 1);
}

/* Counters say to_tsvector($1, b): that may be the very expression. With the constant known it is not. */
static void
parameter_in_an_expression_is_no_proof(void **state)
{
    static const char text[] =
        "CREATE INDEX CONCURRENTLY i ON t USING gin (to_tsvector('russian', b));\n"
        "CREATE INDEX CONCURRENTLY k ON t (a);";
    struct bench *bench = *state;
    struct intake_statement statement = {
        .text = "SELECT a FROM t WHERE to_tsvector($1, b) @@ plainto_tsquery($2, $3)",
        .fingerprint = "1",
        .source = "pg_stat_statements",
        .calls = 10,
        .total_ms = 10,
        .rows = 10,
        .is_read = true,
    };
    const struct intake intake = {
        .items = &statement, .count = 1, .source = "a test", .has_times = true
    };
    const struct lint_options options = { .has_rows = true, .workload = &intake };
    struct lint lint;

    clear(bench);
    run_all(bench, "CREATE TABLE t (a int, b text); INSERT INTO t SELECT g, 'word ' || g FROM"
                   " generate_series(1, 5000) AS g; ANALYZE t;");
    lint_text(bench, text, &options, &lint);
    assert_int_equal(count_of(&lint, "no-query-gains"), 1);
    assert_int_equal(lint.findings.items[lint.findings.count - 1].place.line, 2);
    statement.text =
        "SELECT a FROM t WHERE to_tsvector('english', b) @@ plainto_tsquery('english', 'x')";
    lint_text(bench, text, &options, &lint);
    assert_int_equal(count_of(&lint, "no-query-gains"), 2);
}

/* Trials of one table share a copy: each must find it as the first one did. */
static void
trials_do_not_see_each_other(void **state)
{
    struct bench *bench = *state;
    const struct lint_options options = { .has_rows = true };
    struct buffer text = { .arena = bench->ctx.arena };
    struct lint lint;

    clear(bench);
    run_all(bench, "CREATE TABLE t (a int, b text); CREATE TABLE u (a int);");
    for (int i = 0; i < 250; i++)
        buffer_printf(&text, "CREATE INDEX CONCURRENTLY %s%d ON %s;\n", i % 7 == 0 ? "same" : "i",
            i % 7 == 0 ? 0 : i,
            i % 5 == 0 ? "t ((random()))"
            : i % 2    ? "u (a)"
                       : "t (a, lower(b))");
    lint_text(bench, buffer_text(&text), &options, &lint);
    assert_int_equal(count_of(&lint, "not-immutable"), 50);
    assert_int_equal(count_of(&lint, "server-refuses"), 0);
    for (size_t i = 0; i < lint.script.count; i++) {
        assert_true(lint.indexes[i].is_tried);
        assert_int_equal(lint.indexes[i].trial.problem != NULL, i % 5 == 0);
    }
}

/* Another rule about NULLs is no repetition; a partial index on unique columns may be worth its size. */
static void
what_differs_is_kept(void **state)
{
    static const char nulls[] =
        "CREATE UNIQUE INDEX CONCURRENTLY n ON t (a, b) NULLS NOT DISTINCT;";
    static const char part[] = "CREATE INDEX CONCURRENTLY p ON t (a, b) WHERE c = 'x';";
    struct bench *bench = *state;
    const struct lint_options options = { .has_rows = true };
    struct lint lint;

    clear(bench);
    run_all(bench, "CREATE TABLE t (a int, b int, c text, UNIQUE (a, b));");
    if (db_major(bench->db) >= 15) {
        lint_text(bench, nulls, &options, &lint);
        assert_int_equal(lint.findings.count, 0);
        assert_true(is_built(bench, &lint, nulls));
    }
    lint_text(bench, part, &options, &lint);
    assert_int_equal(count_of(&lint, "constraint-twin"), 1);
    assert_int_equal(lint.findings.items[0].severity, SEVERITY_ADVICE);
    assert_true(is_built(bench, &lint, part));
}

/* What the script makes or drops before an index is there, or gone, when the index is built. */
static void
earlier_statements_count(void **state)
{
    static const char *const texts[] = {
        "CREATE EXTENSION pg_trgm;\nCREATE INDEX CONCURRENTLY i ON t USING gin (c gin_trgm_ops);",
        "ALTER TABLE t ADD COLUMN phone text;\nCREATE INDEX CONCURRENTLY i ON t (phone);",
        "DROP INDEX CONCURRENTLY old;\nCREATE INDEX CONCURRENTLY old ON t (b, a);",
        "CREATE TABLE fresh (a int);\nCREATE INDEX CONCURRENTLY i ON fresh (a);",
        ("CREATE INDEX i ON ONLY p (a);\nCREATE INDEX CONCURRENTLY k ON p1 (a);\n"
         "ALTER INDEX i ATTACH PARTITION k;"),
    };
    struct bench *bench = *state;
    const struct lint_options options = { .has_rows = true };
    struct lint lint;

    clear(bench);
    run_all(bench, "CREATE TABLE t (a int, b int, c text); CREATE INDEX old ON t (a);"
                   "CREATE TABLE p (a int) PARTITION BY RANGE (a);"
                   "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);");
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        lint_text(bench, texts[i], &options, &lint);
        if (lint.findings.count != count_of(&lint, "not-an-index"))
            fail_msg("%s: %s", texts[i], lint.findings.items[0].message);
        assert_string_equal(lint_corrected(&bench->ctx, &lint), texts[i]);
    }
    /* Afterwards is too late. */
    lint_text(bench,
        "CREATE INDEX CONCURRENTLY i ON t (phone);\nALTER TABLE t ADD COLUMN phone text;", &options,
        &lint);
    assert_int_equal(count_of(&lint, "unknown-column"), 1);
}

/* An expression that lacks its parentheses gets them, and the server takes it. */
static void
operators_get_parentheses(void **state)
{
    static const struct {
        const char *from;
        const char *to;
    } keys[] = {
        { "(d->>'a')", "((d->>'a'))" },
        { "(a, d->>'b' DESC NULLS LAST)", "(a, (d->>'b') DESC NULLS LAST)" },
        { "(b || c)", "((b || c))" },
    };
    struct bench *bench = *state;
    const struct lint_options options = { .has_rows = true };

    clear(bench);
    run_all(bench, "CREATE TABLE t (a int, b text, c text, d jsonb);");
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct arena *arena = bench->ctx.arena;
        const char *text =
            arena_printf(arena, "CREATE INDEX CONCURRENTLY i%zu ON t %s;", i, keys[i].from);
        struct lint lint;

        lint_text(bench, text, &options, &lint);
        assert_int_equal(count_of(&lint, "syntax-error"), 1);
        text = arena_printf(arena, "CREATE INDEX CONCURRENTLY i%zu ON t %s;", i, keys[i].to);
        assert_true(is_built(bench, &lint, text));
        run_all(bench, text);
    }
}

/* A plain CREATE INDEX in a block blocks writes too; a system catalog takes none. */
static void
hidden_faults_are_told(void **state)
{
    struct bench *bench = *state;
    const struct lint_options options = { .has_rows = true };
    struct lint lint;

    clear(bench);
    run_all(bench, "CREATE TABLE t (a int);");
    lint_text(bench,
        "DO $$ BEGIN CREATE INDEX i ON t (a); END $$;\n"
        "CREATE INDEX CONCURRENTLY k ON pg_class (relname);",
        &options, &lint);
    assert_int_equal(count_of(&lint, "not-concurrent"), 1);
    assert_int_equal(count_of(&lint, "not-a-table"), 1);
    assert_true(is_built(bench, &lint, "CREATE INDEX i ON t (a);"));
    assert_false(is_built(bench, &lint, "CREATE INDEX CONCURRENTLY k"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_rule_fires_on_its_example_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replyx_script_is_told_fault_by_fault, set_up, tear_down),
        cmocka_unit_test_setup_teardown(invalid_rest_is_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_are_asked_on_demand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(comments_silence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_what_stays_covers_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(role_without_temporary_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parameter_in_an_expression_is_no_proof, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trials_do_not_see_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_differs_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(earlier_statements_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(operators_get_parentheses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hidden_faults_are_told, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
