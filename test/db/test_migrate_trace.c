/* Every rule of the trace by its two examples, which the real Alembic runs on a real server. */
#include "support/test.h"

#include <unistd.h>

#include "migrate/trace/trace.h"

static const char separator[] = "# --- next revision\n";

static void
must(struct ctx *ctx, bool is_good)
{
    if (!is_good)
        fail_msg("%s%s%s", ctx->error.message, ctx->error.detail ? "\n" : "",
            ctx->error.detail ? ctx->error.detail : "");
}

static void
write_env(struct ctx *ctx, const char *folder)
{
    static const char ini[] = "[alembic]\nscript_location = %(here)s\n";
    static const char env[] =
        "import os\n"
        "from alembic import context\n"
        "from sqlalchemy import create_engine, pool\n"
        "engine = create_engine(os.environ['DATABASE_URL'], poolclass=pool.NullPool)\n"
        "with engine.connect() as connection:\n"
        "    context.configure(connection=connection, transaction_per_migration=True)\n"
        "    with context.begin_transaction():\n"
        "        context.run_migrations()\n";

    must(ctx,
        file_make_folder(ctx, file_join(ctx->arena, folder, "versions")) &&
            file_write(ctx, file_join(ctx->arena, folder, "alembic.ini"), ini, strlen(ini), 0600) &&
            file_write(ctx, file_join(ctx->arena, folder, "env.py"), env, strlen(env), 0600));
}

/* A part is a whole file, or the body of upgrade(). */
static void
write_part(struct ctx *ctx, const char *folder, size_t number, const char *part, size_t length)
{
    static const char mark[] = "# file:\n";
    struct buffer text = { .arena = ctx->arena };
    const char *name = arena_printf(ctx->arena, "versions/%02zu_part.py", number);

    if (length > sizeof(mark) && strncmp(part, mark, sizeof(mark) - 1) == 0) {
        buffer_append(&text, part + sizeof(mark) - 1, length - (sizeof(mark) - 1));
    } else {
        buffer_add(&text, "from alembic import op\nimport sqlalchemy as sa\n");
        buffer_printf(&text, "revision = 'r%zu'\ndown_revision = %s%s%s\n\n\ndef upgrade():\n",
            number, number > 1 ? "'" : "",
            number > 1 ? arena_printf(ctx->arena, "r%zu", number - 1) : "None",
            number > 1 ? "'" : "");
        for (const char *line = part; line < part + length;) {
            size_t size = strcspn(line, "\n");

            if (line + size > part + length)
                size = (size_t)(part + length - line);
            buffer_printf(&text, "    %.*s\n", (int)size, line);
            line += size + 1;
        }
        buffer_add(&text, "\n\ndef downgrade():\n    raise NotImplementedError\n");
    }
    must(ctx, file_write(ctx, file_join(ctx->arena, folder, name), text.data, text.length, 0600));
}

static void
write_example(struct ctx *ctx, const char *folder, const char *example)
{
    size_t number = 0;

    write_env(ctx, folder);
    for (const char *at = example; *at;) {
        const char *end = strstr(at, separator);
        size_t length = end ? (size_t)(end - at) : strlen(at);

        write_part(ctx, folder, ++number, at, length);
        at += length + (end ? strlen(separator) : 0);
    }
}

static size_t
count(const struct findings *findings, const struct rule *rule)
{
    size_t found = 0;

    for (size_t i = 0; i < findings->count; i++)
        found += findings->items[i].rule == rule && !findings->items[i].silenced;
    return found;
}

/* How often the rule fires on an example. */
static size_t
fire(struct ctx *ctx, struct db *db, const struct rule *rule, const char *example)
{
    const char *folder = test_folder(ctx);
    const struct trace_options options = {
        .hold_limit_us = 1000000,
        .no_downgrade = !strstr(rule->id, "downgrade"),
    };
    struct alembic alembic CLEANUP(alembic_end) = { 0 };
    struct analysis analysis = { 0 };
    struct environment environment;
    struct trace trace = { 0 };
    size_t found;

    write_example(ctx, folder, example);
    must(
        ctx, environment_find(ctx, folder, NULL, &environment) &&
                 analysis_run(ctx, &environment,
                     &(const struct analysis_options){ .server_major = db_major(db) }, &analysis) &&
                 alembic_begin(ctx, &environment, &(const struct alembic_options){ 0 }, &alembic) &&
                 trace_run(ctx, db, &alembic, &analysis, &options, &trace));
    found = count(&trace.findings, rule);
    history_free(&analysis.history);
    must(ctx, file_remove(ctx, folder));
    return found;
}

static void
rules_fire_and_pass(void **state)
{
    struct ctx *ctx = *state;
    const struct db_options options = { .database = "postgres", .access = ACCESS_WRITE };
    struct db *db CLEANUP(db_cleanup) = NULL;
    const char *left;

    must(ctx, db_open(ctx, &options, &db));
    for (size_t i = 0; i < trace_rules.count; i++) {
        const struct rule *rule = &trace_rules.rules[i];

        if (fire(ctx, db, rule, rule->fires) == 0)
            fail_msg("%s does not fire on its example", rule->id);
        if (fire(ctx, db, rule, rule->passes) != 0)
            fail_msg("%s fires on the example that is right", rule->id);
    }
    must(ctx, db_value(ctx, db,
                  arena_printf(ctx->arena,
                      "SELECT count(*) FROM pg_database WHERE datname LIKE 'pgmend_scratch_%d_%%'",
                      db_backend_pid(db)),
                  NULL, 0, &left));
    assert_string_equal(left, "0");
}

/* Ids never change once released, and name no rule of the files. */
static void
rules_are_their_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < trace_rules.count; i++) {
        const struct rule *rule = &trace_rules.rules[i];

        assert_non_null(rule->why);
        assert_non_null(rule->instead);
        assert_true(text_starts_with(rule->id, "observed-"));
        assert_null(rule_find(rule->id));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(rules_are_their_own),
        test_with_ctx(rules_fire_and_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
