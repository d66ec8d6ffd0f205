/* Loading a ReplyX database that the real migrations made. */
#include "support/test.h"

#include <signal.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/process.h"
#include "data/check.h"
#include "db/ident.h"

/* 2026-11-22, in microseconds since 2000-01-01. */
#define NOW_US (INT64_C(848620800) * US_PER_SECOND)

static const struct scale tiny = {
    .name = "tiny",
    .users = 120,
    .assistants = 300,
    .bots = 20,
    .dialogs = 2000,
    .messages = 20000,
    .chunks = 500,
    .transactions = 1000,
    .topics = 48,
};

/* The migrations run once, for all tests: this database is the template of theirs. */
struct suite {
    char template[64];
    char name[80];
};

struct place {
    struct ctx ctx;
    struct db *maintenance;
    struct db *db;
    const struct world *world;
    struct loading loading;
    struct loaded *loaded;
};

static struct suite suite;

static void
run(struct place *place, struct db *db, const char *sql)
{
    if (!db_exec(&place->ctx, db, sql))
        fail_msg("%s: %s", sql, place->ctx.error.message);
}

static const char *
value(struct place *place, const char *sql)
{
    const char *cell;

    if (!db_value(&place->ctx, place->db, sql, NULL, 0, &cell))
        fail_msg("%s: %s", sql, place->ctx.error.message);
    return cell;
}

static struct db *
open_database(struct ctx *ctx, const char *name)
{
    struct db_options options = {
        .database = name,
        .application = "test_replyx_load",
        .access = ACCESS_WRITE,
    };
    struct db *db;

    if (!db_open(ctx, &options, &db))
        fail_msg("%s", ctx->error.message);
    return db;
}

static void
migrate(struct ctx *ctx, const char *database)
{
    const char *argv[] = { "alembic", "-c", test_source(ctx, "replyx/alembic.ini"), "upgrade",
        "head", NULL };
    const char *env[] = { arena_printf(ctx->arena, "PGDATABASE=%s", database), NULL };
    struct process process;

    if (!process_run(ctx, &(struct process_options){ .argv = argv, .env = env }, &process))
        fail_msg("%s", ctx->error.message);
}

static int
make_template(void **state)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct place place = { .ctx.arena = arena };
    struct db *db;

    (void)state;
    snprintf(suite.template, sizeof(suite.template), "replyx_load_%d", (int)getpid());
    snprintf(suite.name, sizeof(suite.name), "%s_run", suite.template);
    place.maintenance = open_database(&place.ctx, "postgres");
    run(&place, place.maintenance, arena_printf(arena, "CREATE DATABASE %s", suite.template));
    db = open_database(&place.ctx, suite.template);
    run(&place, db, "CREATE EXTENSION vector SCHEMA public");
    db_close(db);
    migrate(&place.ctx, suite.template);
    db_close(place.maintenance);
    return 0;
}

static int
drop_template(void **state)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct place place = { .ctx.arena = arena };

    (void)state;
    place.maintenance = open_database(&place.ctx, "postgres");
    run(&place, place.maintenance, arena_printf(arena, "DROP DATABASE %s", suite.template));
    db_close(place.maintenance);
    return 0;
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct place *place = ARENA_NEW(arena, struct place);

    place->ctx.arena = arena;
    place->maintenance = open_database(&place->ctx, "postgres");
    run(place, place->maintenance,
        arena_printf(arena, "CREATE DATABASE %s TEMPLATE %s", suite.name, suite.template));
    place->db = open_database(&place->ctx, suite.name);
    place->world = world_make(arena, &tiny, 1, NOW_US);
    place->loading = (struct loading){ .tables = tables, .table_count = table_count };
    place->loaded = ARENA_ARRAY(arena, struct loaded, table_count);
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *place = *state;

    db_close(place->db);
    run(place, place->maintenance,
        arena_printf(place->ctx.arena, "DROP DATABASE %s WITH (FORCE)", suite.name));
    db_close(place->maintenance);
    arena_free(place->ctx.arena);
    return 0;
}

#define test_with_db(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static bool
load(struct place *place)
{
    error_clear(&place->ctx);
    return load_database(&place->ctx, place->db, place->world, &place->loading, place->loaded);
}

static void
must_load(struct place *place)
{
    if (!load(place))
        fail_msg("%s", place->ctx.error.message);
}

static void
assert_all_empty(struct place *place)
{
    for (size_t i = 0; i < table_count; i++) {
        const char *count = value(place,
            arena_printf(place->ctx.arena, "SELECT count(*) FROM public.%s", tables[i]->name));

        if (strcmp(count, "0") != 0)
            fail_msg("table %s has %s rows", tables[i]->name, count);
    }
}

/* A sum over all rows of a table, as the server sees them. */
static const char *
sum_of(struct place *place, const struct table *table)
{
    return value(
        place, arena_printf(place->ctx.arena,
                   "SELECT md5(string_agg(md5(t::text), '' ORDER BY id)) FROM public.%s AS t",
                   table->name));
}

static void
every_table_gets_its_rows(void **state)
{
    struct place *place = *state;

    must_load(place);
    for (size_t i = 0; i < table_count; i++) {
        const char *counts =
            value(place, arena_printf(place->ctx.arena,
                             "SELECT count(*) || ' ' || min(id) || ' ' || max(id) || ' ' ||"
                             " nextval(pg_get_serial_sequence('public.%s', 'id')) FROM public.%s",
                             tables[i]->name, tables[i]->name));
        uint32_t rows = tables[i]->count(place->world);

        assert_string_equal(
            counts, arena_printf(place->ctx.arena, "%u 1 %u %u", rows, rows, rows + 1));
        assert_int_equal(place->loaded[i].rows, rows);
    }
    assert_true(check_foreign_keys(&place->ctx, place->db, &place->loading));
    assert_string_equal(value(place, "SELECT count(*) FROM public.system_settings"), "7");
    assert_string_equal(value(place, "SELECT count(*) > 0 FROM pg_catalog.pg_stats WHERE "
                                     "schemaname = 'public' AND tablename = 'dialog_messages'"),
        "t");
}

static void
rows_agree_with_each_other(void **state)
{
    static const char *const nothing_wrong[] = {
        "SELECT count(*) FROM public.dialogs d JOIN public.assistants a ON a.id = d.assistant_id"
        " WHERE d.user_id <> a.user_id OR d.started_at < a.created_at",
        "SELECT count(*) FROM public.dialog_messages m JOIN public.dialogs d ON d.id = m.dialog_id"
        " WHERE m.timestamp < d.started_at OR m.timestamp > d.ended_at",
        "SELECT count(*) FROM public.dialog_messages a JOIN public.dialog_messages b"
        " ON a.dialog_id = b.dialog_id AND a.id < b.id WHERE a.timestamp >= b.timestamp",
        "SELECT count(*) FROM public.knowledge_embeddings k JOIN public.documents d"
        " ON d.id = k.doc_id WHERE k.user_id <> d.user_id",
        "SELECT count(*) FROM public.knowledge_embeddings WHERE chunk_hash <>"
        " encode(sha256(convert_to(chunk_text, 'UTF8')), 'hex')",
        "SELECT count(*) FROM public.knowledge_embeddings"
        " WHERE abs(public.vector_norm(embedding) - 1) > 0.00001",
        "SELECT count(*) FROM public.user_balances b WHERE balance <> coalesce((SELECT sum(amount)"
        " FROM public.balance_transactions t WHERE t.user_id = b.user_id), 0)",
        "SELECT count(*) FROM public.message_ratings r JOIN public.dialog_messages m"
        " ON m.id = r.message_id WHERE m.dialog_id <> r.dialog_id",
        "SELECT count(*) FROM public.promo_codes p WHERE used_count <>"
        " (SELECT count(*) FROM public.promo_code_usage u WHERE u.promo_code_id = p.id)",
        "SELECT count(*) FROM public.dialogs WHERE (handoff_status = 'none') <>"
        " (request_id IS NULL)",
    };
    static const char *const some_there[] = {
        "SELECT count(*) FROM public.dialogs d WHERE NOT EXISTS (SELECT FROM"
        " public.dialog_messages m WHERE m.dialog_id = d.id)",
        "SELECT count(*) FROM public.assistants a WHERE NOT EXISTS (SELECT FROM public.dialogs d"
        " WHERE d.assistant_id = a.id)",
        "SELECT count(*) FROM public.dialogs WHERE assistant_id IS NULL",
        "SELECT count(*) FROM public.dialogs WHERE handoff_status = 'resolved'",
        "SELECT count(*) FROM public.dialog_messages WHERE text ~ '[а-я]'",
        "SELECT count(*) FROM public.assistants WHERE NOT is_active",
    };
    struct place *place = *state;

    must_load(place);
    for (size_t i = 0; i < COUNT_OF(nothing_wrong); i++) {
        if (strcmp(value(place, nothing_wrong[i]), "0") != 0)
            fail_msg("%s gives %s", nothing_wrong[i], value(place, nothing_wrong[i]));
    }
    for (size_t i = 0; i < COUNT_OF(some_there); i++) {
        if (strcmp(value(place, some_there[i]), "0") == 0)
            fail_msg("%s gives 0", some_there[i]);
    }
}

/* --fast, and psql from files, give the same rows as the plain way. */
static void
every_way_gives_the_same_rows(void **state)
{
    struct place *place = *state;
    struct arena *arena = place->ctx.arena;
    const char **sums = ARENA_ARRAY(arena, const char *, table_count);
    const char *folder = test_folder(&place->ctx);
    const char *command = arena_printf(arena, "cd '%s' && exec psql -Xq -f load.sql", folder);
    const char *argv[] = { "sh", "-c", command, NULL };
    const char *env[] = { arena_printf(arena, "PGDATABASE=%s", suite.name), NULL };
    struct process process;

    must_load(place);
    for (size_t i = 0; i < table_count; i++)
        sums[i] = sum_of(place, tables[i]);
    run(place, place->db,
        "TRUNCATE public.users, public.ai_token_pool, public.promo_codes, "
        "public.query_embeddings_cache CASCADE");
    place->loading.is_fast = true;
    must_load(place);
    for (size_t i = 0; i < table_count; i++)
        assert_string_equal(sum_of(place, tables[i]), sums[i]);

    run(place, place->db,
        "TRUNCATE public.users, public.ai_token_pool, public.promo_codes, "
        "public.query_embeddings_cache CASCADE");
    assert_true(load_files(&place->ctx, folder, place->world, &place->loading, place->loaded));
    if (!process_run(&place->ctx, &(struct process_options){ .argv = argv, .env = env }, &process))
        fail_msg("%s", place->ctx.error.message);
    for (size_t i = 0; i < table_count; i++)
        assert_string_equal(sum_of(place, tables[i]), sums[i]);
    assert_true(file_remove(&place->ctx, folder));
}

static void
a_table_with_rows_is_refused(void **state)
{
    struct place *place = *state;

    run(place, place->db,
        "INSERT INTO public.users (email, hashed_password) VALUES ('a@example.com', 'x')");
    assert_false(load(place));
    assert_error(&place->ctx, ERR_CONFLICT, "table \"users\" is not empty");
    assert_non_null(place->ctx.error.hint);
    assert_string_equal(value(place, "SELECT count(*) FROM public.users"), "1");
    assert_string_equal(value(place, "SELECT count(*) FROM public.assistants"), "0");
}

static void
another_schema_is_refused(void **state)
{
    static const struct {
        const char *sql;
        const char *says;
        enum error_kind kind;
    } cases[] = {
        { "ALTER TABLE public.referrals ADD COLUMN extra int NOT NULL", "\"extra\"", ERR_CONFLICT },
        { "ALTER TABLE public.referrals DROP COLUMN extra, ALTER COLUMN bonus_amount TYPE text",
            "\"bonus_amount\" of table \"referrals\" has type text", ERR_CONFLICT },
        { "ALTER TABLE public.referrals DROP COLUMN bonus_amount",
            "\"referrals\" has no column \"bonus_amount\"", ERR_NOT_FOUND },
        { "DROP TABLE public.referrals", "table \"referrals\" does not exist", ERR_NOT_FOUND },
    };
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        run(place, place->db, cases[i].sql);
        assert_false(load(place));
        assert_error(&place->ctx, cases[i].kind, cases[i].says);
        assert_string_equal(place->ctx.error.state, "Nothing was changed.");
    }
}

static void
a_failure_at_the_last_table_leaves_all_empty(void **state)
{
    struct place *place = *state;

    run(place, place->db, "ALTER TABLE public.conversation_patterns ADD CHECK (frequency < 0)");
    assert_false(load(place));
    assert_error(&place->ctx, ERR_SERVER, "violates check constraint");
    assert_string_equal(place->ctx.error.sqlstate, "23514");
    assert_all_empty(place);
}

static void
a_signal_leaves_all_empty(void **state)
{
    struct place *place = *state;

    interrupt_put(SIGTERM);
    assert_false(load(place));
    assert_int_equal(place->ctx.error.kind, ERR_TERMINATED);
    assert_int_equal(interrupt_take(), SIGTERM);
    assert_all_empty(place);
}

/* Without the users their dialogs refer to nobody, which no trigger tells in this mode. */
static void
fast_loading_finds_lost_references(void **state)
{
    static const struct table *const only[] = { &table_dialogs };
    struct place *place = *state;

    place->loading = (struct loading){ .tables = only, .table_count = 1, .is_fast = true };
    assert_false(load(place));
    assert_error(&place->ctx, ERR_VERIFICATION, "does not satisfy foreign key");
    assert_all_empty(place);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        test_with_db(every_table_gets_its_rows),
        test_with_db(rows_agree_with_each_other),
        test_with_db(every_way_gives_the_same_rows),
        test_with_db(a_table_with_rows_is_refused),
        test_with_db(another_schema_is_refused),
        test_with_db(a_failure_at_the_last_table_leaves_all_empty),
        test_with_db(a_signal_leaves_all_empty),
        test_with_db(fast_loading_finds_lost_references),
    };

    return cmocka_run_group_tests(tests, make_template, drop_template);
}
