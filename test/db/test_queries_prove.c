/*
 * The proof of rewrites on a real server: right ones pass, and each way of being a little wrong is refused
 * with a key for which it is. The rewrites here are written by hand, and what a key's answer is is asked
 * by plain SQL.
 */
#include "support/test.h"

#include <inttypes.h>

#include "db/db.h"
#include "queries/rewrite/prove.h"

#define DATABASE "pgmend_test_prove"

static const char *const tables[] = {
    "CREATE TABLE assistants (id int PRIMARY KEY, user_id int NOT NULL, name text NOT NULL)",
    "CREATE TABLE dialogs (id int PRIMARY KEY, user_id int NOT NULL,"
    " assistant_id int REFERENCES assistants, started_at timestamptz NOT NULL)",
    "CREATE TABLE dialog_messages (id int PRIMARY KEY, dialog_id int NOT NULL REFERENCES dialogs,"
    " sender text NOT NULL, body text, at timestamptz NOT NULL, score float8)",
    "INSERT INTO assistants SELECT g, 1 + g % 9, 'A' || g FROM generate_series(1, 60) AS g",
    /* The last ten assistants have no dialogs. */
    "INSERT INTO dialogs SELECT g, 1 + (1 + g % 50) % 9, 1 + g % 50, now() - (g % 60) * interval '1 day'"
    " FROM generate_series(1, 300) AS g",
    /* Messages later than their dialog's start; several of one time; some dialogs have none. */
    "INSERT INTO dialog_messages SELECT g, 1 + g % 290, (ARRAY['user', 'assistant'])[1 + g % 2],"
    " nullif('m' || g % 7, 'm3'), now() - (g / 290 % 5) * interval '1 day', g / 7.0"
    " FROM generate_series(1, 3000) AS g",
    "ANALYZE",
};

struct bench {
    struct ctx ctx;
    struct db *db;
};

static struct db *
open_db(struct ctx *ctx, const char *name, enum access access)
{
    const struct db_options options = {
        .database = name, .application = "test_queries_prove", .access = access
    };
    struct db *db;

    if (!db_open(ctx, &options, &db))
        fail_msg("%s", ctx->error.message);
    return db;
}

static void
must(struct ctx *ctx, bool is_good)
{
    if (!is_good)
        fail_msg("%s", ctx->error.message);
}

static int
set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    struct db *db;

    bench->ctx.arena = arena_new();
    db = open_db(&bench->ctx, "postgres", ACCESS_WRITE);
    must(
        &bench->ctx, db_exec(&bench->ctx, db, "DROP DATABASE IF EXISTS " DATABASE " WITH (FORCE)"));
    must(&bench->ctx, db_exec(&bench->ctx, db, "CREATE DATABASE " DATABASE));
    db_close(db);
    db = open_db(&bench->ctx, DATABASE, ACCESS_WRITE);
    must(&bench->ctx, db_set(&bench->ctx, db, "search_path", "public"));
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        must(&bench->ctx, db_exec(&bench->ctx, db, tables[i]));
    db_close(db);
    bench->db = open_db(&bench->ctx, DATABASE, ACCESS_READ);
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;
    struct db *db;

    db_close(bench->db);
    db = open_db(&bench->ctx, "postgres", ACCESS_WRITE);
    must(&bench->ctx, db_exec(&bench->ctx, db, "DROP DATABASE " DATABASE " WITH (FORCE)"));
    db_close(db);
    arena_free(bench->ctx.arena);
    free(bench);
    return 0;
}

/* A loop: statements whose $1 is the key; $2 of one is the parent's $1. */
struct loop {
    const char *parent;
    const char *children[2];
    bool has_second; /* $2 in the first */
};

static bool
try_rewrite(struct bench *bench, const struct loop *loop, const char *sql,
    const struct proof_options *options, struct proof *ret)
{
    const struct query_slot parent_slots[] = { { .origin = SLOT_CONSTANT, .text = "7" } };
    const struct query_slot slots[] = { { .origin = SLOT_KEY }, { .origin = SLOT_PARAM } };
    const struct rewrite_child children[] = {
        { loop->children[0], slots, loop->has_second ? 2 : 1 },
        { loop->children[1], slots, 1 },
    };
    const struct rewrite_input input = {
        .parent_sql = loop->parent,
        .parent_slots = parent_slots,
        .parent_slot_count = loop->parent ? 1 : 0,
        .children = children,
        .child_count = loop->children[1] ? 2 : 1,
    };
    struct rewrite rewrite;

    return rewrite_foreign(&bench->ctx, bench->db, &input, sql, &rewrite) &&
           rewrite_prove(&bench->ctx, bench->db, &input, &rewrite, options, ret);
}

static struct proof
prove(struct bench *bench, const struct loop *loop, const char *sql)
{
    const struct proof_options options = { .rounds = 1, .most_keys = 120 };
    struct proof proof;

    must(&bench->ctx, try_rewrite(bench, loop, sql, &options, &proof));
    return proof;
}

static void
assert_refused(struct bench *bench, const struct loop *loop, const char *sql, const char *what)
{
    struct proof proof = prove(bench, loop, sql);

    assert_false(proof.is_same);
    assert_true(proof.differing > 0);
    if (!strstr(proof.difference.what, what))
        fail_msg("\"%s\" is not in \"%s\"", what, proof.difference.what);
}

static void
assert_proven(struct bench *bench, const struct loop *loop, const char *sql)
{
    struct proof proof = prove(bench, loop, sql);

    if (!proof.is_same)
        fail_msg("%s: key %s, loop %s, rewrite %s", proof.difference.what, proof.difference.key,
            proof.difference.loop, proof.difference.rewrite);
}

static const char *
answer(struct bench *bench, const char *sql)
{
    const char *text;

    must(&bench->ctx, db_value(&bench->ctx, bench->db, sql, NULL, 0, &text));
    return text;
}

/* ---- GET /assistants/stats ---- */

static const struct loop stats = {
    .parent = "SELECT id, name FROM assistants WHERE user_id = $1",
    .children = { "SELECT count(*) AS messages FROM dialog_messages m JOIN dialogs d ON d.id = m.dialog_id"
                  " WHERE d.assistant_id = $1 AND d.user_id = $2 AND m.sender = 'assistant'"
                  " AND m.at >= now() - interval '30 days'",
        "SELECT count(*) AS dialogs FROM dialogs WHERE assistant_id = $1"
        " AND started_at >= now() - interval '30 days'" },
    .has_second = true,
};

static void
a_right_rewrite_of_parent_and_loop_is_proven(void **state)
{
    struct bench *bench = *state;
    struct proof proof = prove(bench, &stats,
        "SELECT a.id, (SELECT count(*) FROM dialog_messages m JOIN dialogs d ON d.id = m.dialog_id"
        " WHERE d.assistant_id = a.id AND d.user_id = $1 AND m.sender = 'assistant'"
        " AND m.at >= now() - interval '30 days'),"
        " (SELECT count(*) FROM dialogs d WHERE d.assistant_id = a.id"
        " AND d.started_at >= now() - interval '30 days')"
        " FROM assistants a WHERE a.user_id = $1");

    assert_true(proof.is_same);
    /* Nine users, each once: 60 assistants; and users that are nowhere. */
    assert_int_equal(proof.keys, 60);
    assert_true(proof.parameter_sets >= 10);
    /* A user has six or seven assistants. */
    assert_int_equal(proof.loop.statements, 1 + 2 * 7);
    assert_int_equal(proof.rewrite.statements, 1);
    assert_true(proof.loop.blocks > 0 && proof.rewrite.blocks > 0);
    assert_true(proof.loop.server_us > 0 && proof.speed_up > 0);
}

/* It filters the dialogs by their start, and its WHERE makes an inner join of the outer one. */
static const char wrong_stats[] =
    "SELECT a.id, count(m.id) AS messages, count(DISTINCT d.id) AS dialogs FROM assistants a"
    " LEFT JOIN dialogs d ON d.assistant_id = a.id AND d.user_id = a.user_id"
    " LEFT JOIN dialog_messages m ON m.dialog_id = d.id"
    " WHERE a.user_id = $1 AND d.started_at >= now() - interval '30 days'"
    " AND m.sender = 'assistant' GROUP BY a.id";

static void
the_teams_rewrite_of_stats_is_refused(void **state)
{
    struct bench *bench = *state;
    struct proof proof = prove(bench, &stats, wrong_stats);
    const char *key = proof.difference.key;
    const char *of_user = strstr(proof.difference.parameters, "= ");
    const char *sql;

    assert_false(proof.is_same);
    assert_non_null(of_user);
    sql = arena_printf(bench->ctx.arena,
        "SELECT '[{\"messages\":\"' || count(*) || '\"}]' FROM public.dialog_messages m"
        " JOIN public.dialogs d ON d.id = m.dialog_id WHERE d.assistant_id = %s AND d.user_id %s"
        " AND m.sender = 'assistant' AND m.at >= now() - interval '30 days'",
        key, of_user);
    assert_string_equal(proof.difference.loop, answer(bench, sql));
    assert_string_not_equal(proof.difference.loop, proof.difference.rewrite);
}

/* ---- by keys ---- */

static const struct loop messages = {
    .children = { "SELECT id, body FROM dialog_messages WHERE dialog_id = $1" }
};

static void
keys_of_all_kinds_are_tried(void **state)
{
    struct bench *bench = *state;
    struct proof proof = prove(bench, &messages,
        "SELECT dialog_id, id, body FROM dialog_messages WHERE dialog_id = ANY($1::int[])"
        " ORDER BY random()");

    assert_true(proof.is_same);
    assert_int_equal(proof.keys_null, 1);
    assert_int_equal(proof.keys_twice, 2);
    /* Ten dialogs have none, one key is nowhere, and NULL. */
    assert_true(proof.keys_without_rows >= 3);
    assert_true(proof.keys > 50);
    assert_int_equal(proof.loop.statements, proof.keys);
}

static void
one_key_that_differs_is_found_and_shown(void **state)
{
    struct bench *bench = *state;
    const char *const keys[] = { "137" };
    const struct proof_options options = { .rounds = 1, .keys = keys, .key_count = 1 };
    struct proof proof;

    must(&bench->ctx,
        try_rewrite(bench, &messages,
            "SELECT dialog_id, id, CASE WHEN dialog_id = 137 THEN body || '!' ELSE body END"
            " FROM dialog_messages WHERE dialog_id = ANY($1::int[])",
            &options, &proof));
    assert_false(proof.is_same);
    assert_int_equal(proof.keys_observed, 1);
    assert_int_equal(proof.differing, 1);
    assert_string_equal(proof.difference.key, "137");
    assert_non_null(strstr(proof.difference.rewrite, "!"));
    assert_null(strstr(proof.difference.loop, "!"));
}

static void
rows_too_few_too_many_or_of_others_are_refused(void **state)
{
    assert_refused(*state, &messages,
        "SELECT dialog_id, id, body FROM dialog_messages WHERE dialog_id = ANY($1::int[])"
        " AND body IS NOT NULL",
        "rows instead of");
    assert_refused(*state, &messages,
        "SELECT m.dialog_id, m.id, m.body FROM unnest($1::int[]) AS k(v)"
        " JOIN dialog_messages m ON m.dialog_id = k.v CROSS JOIN (VALUES (1), (2)) AS twice",
        "rows instead of");
    assert_refused(*state, &messages,
        "SELECT dialog_id, id, body FROM dialog_messages WHERE dialog_id = ANY($1::int[])"
        " UNION ALL SELECT -1, 1, 'x'",
        "not asked for");
    /* What is equal to NULL is nothing; this rewrite finds something. */
    assert_refused(*state, &messages,
        "SELECT k.v, m.id, m.body FROM unnest($1::int[]) AS k(v)"
        " JOIN dialog_messages m ON m.dialog_id = k.v OR (k.v IS NULL AND m.id = 1)",
        "1 rows instead of 0");
}

static void
null_is_no_empty_text(void **state)
{
    assert_refused(*state, &messages,
        "SELECT dialog_id, id, coalesce(body, '') FROM dialog_messages WHERE dialog_id = ANY($1::int[])",
        "other rows");
}

static void
a_mark_tells_a_row_of_nulls_from_none(void **state)
{
    const struct loop loop = { .children = { "SELECT max(body) FROM dialog_messages"
                                             " WHERE dialog_id = $1 HAVING count(*) > 0" } };

    assert_proven(*state, &loop,
        "SELECT k.n AS key_ord, c.there AS has_1, c.body FROM unnest($1::int[]) WITH ORDINALITY AS k(v, n)"
        " LEFT JOIN LATERAL (SELECT true, max(body) FROM dialog_messages"
        " WHERE dialog_id = k.v HAVING count(*) > 0) AS c(there, body) ON true");
    assert_refused(*state, &loop,
        "SELECT k.n AS key_ord, true AS has_1, c.body FROM unnest($1::int[]) WITH ORDINALITY AS k(v, n)"
        " LEFT JOIN LATERAL (SELECT max(body) FROM dialog_messages"
        " WHERE dialog_id = k.v HAVING count(*) > 0) AS c(body) ON true",
        "1 rows instead of 0");
}

static void
numbers_are_compared_to_the_last_digit(void **state)
{
    const struct loop loop = { .children = {
                                   "SELECT sum(score) AS s FROM dialog_messages WHERE id = $1" } };

    assert_proven(*state, &loop,
        "SELECT k.n AS key_ord, (SELECT sum(score) FROM dialog_messages WHERE id = k.v)"
        " FROM unnest($1::int[]) WITH ORDINALITY AS k(v, n)");
    assert_refused(*state, &loop,
        "SELECT k.n AS key_ord, (SELECT sum(score) * (1 + 4e-16) FROM dialog_messages WHERE id = k.v)"
        " FROM unnest($1::int[]) WITH ORDINALITY AS k(v, n)",
        "s is ");
}

/* ---- order ---- */

static void
order_counts_where_there_is_one_and_ties_are_open(void **state)
{
    const struct loop by_time = { .children = { "SELECT id, body FROM dialog_messages"
                                                " WHERE dialog_id = $1 ORDER BY at DESC" } };
    struct bench *bench = *state;
    struct proof proof = prove(bench, &by_time,
        "SELECT dialog_id, id, body FROM dialog_messages WHERE dialog_id = ANY($1::int[])"
        " ORDER BY at DESC, id DESC");

    /* There are several messages of one time in each dialog, in the order of their ids. */
    assert_true(proof.is_same);
    assert_refused(*state, &by_time,
        "SELECT dialog_id, id, body FROM dialog_messages WHERE dialog_id = ANY($1::int[]) ORDER BY at",
        "another order");
    assert_proven(*state, &messages,
        "SELECT dialog_id, id, body FROM dialog_messages WHERE dialog_id = ANY($1::int[]) ORDER BY at, id DESC");
}

static const struct loop last = { .children = {
                                      "SELECT m.id FROM dialog_messages AS m JOIN dialogs AS d"
                                      " ON d.id = m.dialog_id WHERE d.assistant_id = $1"
                                      " ORDER BY m.at DESC LIMIT 2" } };

static void
any_of_the_rows_that_tie_is_right_behind_a_limit(void **state)
{
    struct bench *bench = *state;
    struct proof proof = prove(bench, &last,
        "SELECT k.n AS key_ord, c.id FROM unnest($1::int[]) WITH ORDINALITY AS k(v, n) CROSS JOIN LATERAL"
        " (SELECT m.id FROM dialog_messages AS m JOIN dialogs AS d ON d.id = m.dialog_id"
        " WHERE d.assistant_id = k.v ORDER BY m.at DESC, md5(m.id::text) LIMIT 2) AS c");

    /* Sixty messages an assistant in five times of a day: others of the same time come first. */
    assert_true(proof.is_same);
    assert_true(proof.open_orders > 0);
}

static void
a_row_that_does_not_tie_is_wrong_behind_a_limit(void **state)
{
    assert_refused(*state, &last,
        "SELECT k.n AS key_ord, c.id FROM unnest($1::int[]) WITH ORDINALITY AS k(v, n) CROSS JOIN LATERAL"
        " (SELECT m.id FROM dialog_messages AS m JOIN dialogs AS d ON d.id = m.dialog_id"
        " WHERE d.assistant_id = k.v ORDER BY m.at, m.id LIMIT 2) AS c",
        "other rows");
    assert_refused(*state, &last,
        "SELECT k.n AS key_ord, c.id FROM unnest($1::int[]) WITH ORDINALITY AS k(v, n) CROSS JOIN LATERAL"
        " (SELECT max(m.id) FROM dialog_messages AS m JOIN dialogs AS d ON d.id = m.dialog_id"
        " WHERE d.assistant_id = k.v GROUP BY m.at ORDER BY m.at DESC LIMIT 2) AS c(id)",
        "");
}

/* ---- what cannot be run ---- */

static void
nothing_is_written(void **state)
{
    struct bench *bench = *state;
    const char *count = answer(bench, "SELECT count(*) FROM public.dialogs");

    assert_refused(bench, &messages,
        "WITH gone AS (DELETE FROM dialog_messages WHERE dialog_id = ANY($1::int[]) RETURNING *)"
        " SELECT dialog_id, id, body FROM gone",
        "fails");
    assert_string_equal(answer(bench, "SELECT count(*) FROM public.dialogs"), count);
    assert_string_equal(answer(bench, "SELECT count(*) FROM public.dialog_messages"), "3000");
    assert_string_equal(
        answer(bench, "SELECT count(*) FROM pg_catalog.pg_prepared_statements"), "0");
}

static void
other_columns_are_told_with_those_that_are_compared(void **state)
{
    struct bench *bench = *state;
    const struct proof_options options = { .rounds = 1 };
    struct proof proof;

    assert_false(try_rewrite(bench, &messages,
        "SELECT dialog_id, id FROM dialog_messages WHERE dialog_id = ANY($1::int[])", &options,
        &proof));
    assert_error(&bench->ctx, ERR_INPUT, "gives 2 columns (dialog_id, id)");
    error_clear(&bench->ctx);
}

static void
a_loop_that_takes_too_long_is_told(void **state)
{
    struct bench *bench = *state;
    const struct loop loop = { .children = {
                                   "SELECT pg_sleep(100) FROM dialogs WHERE id = $1 OR true" } };
    const struct proof_options options = {
        .rounds = 1, .most_keys = 2, .statement_timeout_us = 50000
    };
    struct proof proof;

    assert_false(try_rewrite(
        bench, &loop, "SELECT v, NULL FROM unnest($1::int[]) AS k(v)", &options, &proof));
    assert_error(&bench->ctx, ERR_FAILED, "the loop itself fails");
    error_clear(&bench->ctx);
    assert_string_equal(answer(bench, "SELECT 'usable'"), "usable");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_rewrite_of_parent_and_loop_is_proven),
        cmocka_unit_test(the_teams_rewrite_of_stats_is_refused),
        cmocka_unit_test(keys_of_all_kinds_are_tried),
        cmocka_unit_test(one_key_that_differs_is_found_and_shown),
        cmocka_unit_test(rows_too_few_too_many_or_of_others_are_refused),
        cmocka_unit_test(null_is_no_empty_text),
        cmocka_unit_test(a_mark_tells_a_row_of_nulls_from_none),
        cmocka_unit_test(numbers_are_compared_to_the_last_digit),
        cmocka_unit_test(order_counts_where_there_is_one_and_ties_are_open),
        cmocka_unit_test(any_of_the_rows_that_tie_is_right_behind_a_limit),
        cmocka_unit_test(a_row_that_does_not_tie_is_wrong_behind_a_limit),
        cmocka_unit_test(nothing_is_written),
        cmocka_unit_test(other_columns_are_told_with_those_that_are_compared),
        cmocka_unit_test(a_loop_that_takes_too_long_is_told),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
