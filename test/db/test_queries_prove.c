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
    "CREATE TABLE nothing (id int, dialog_id int)",
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
    size_t others;   /* parameters of the parent behind its first, which is 7: LIMIT 3, OFFSET 0 */
};

static bool
try_rewrite(struct bench *bench, const struct loop *loop, const char *sql,
    const struct proof_options *options, struct proof *ret)
{
    const struct query_slot parent_slots[] = { { .origin = SLOT_CONSTANT, .text = "7" },
        { .origin = SLOT_CONSTANT, .text = "3" }, { .origin = SLOT_CONSTANT, .text = "0" } };
    const struct query_slot slots[] = { { .origin = SLOT_KEY }, { .origin = SLOT_PARAM } };
    const struct rewrite_child children[] = {
        { loop->children[0], slots, loop->has_second ? 2 : 1 },
        { loop->children[1], slots, 1 },
    };
    const struct rewrite_input input = {
        .parent_sql = loop->parent,
        .parent_slots = parent_slots,
        .parent_slot_count = loop->parent ? 1 + loop->others : 0,
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
assert_not_run(struct bench *bench, const struct loop *loop, const char *sql, const char *why)
{
    const struct proof_options options = { .rounds = 1, .most_keys = 20 };
    struct proof proof;

    assert_false(try_rewrite(bench, loop, sql, &options, &proof));
    assert_error(&bench->ctx, ERR_UNSUPPORTED, why);
    error_clear(&bench->ctx);
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

/* The same by keys, its user as $2. For the user that the loop was seen with, each may well be right. */
static const char stats_by_keys[] =
    "SELECT k.n AS key_ord, (SELECT count(*) FROM dialog_messages m JOIN dialogs d ON d.id = m.dialog_id"
    " WHERE d.assistant_id = k.v AND d.user_id = %s AND m.sender = 'assistant' AND %s),"
    " (SELECT count(*) FROM dialogs d WHERE d.assistant_id = k.v"
    " AND d.started_at >= now() - interval '30 days')"
    " FROM unnest($1::int[]) WITH ORDINALITY AS k(v, n)%s";
static const char at_message[] = "m.at >= now() - interval '30 days'";

static void
assert_stats_differ(struct bench *bench, const char *sql)
{
    struct proof proof = prove(bench, &stats, sql);

    assert_false(proof.is_same);
    assert_non_null(proof.difference.key);
    assert_non_null(proof.difference.parameters);
    assert_int_equal(strncmp(proof.difference.parameters, "$1 = ", 5), 0);
    /* The assistant is one of the user's that is shown, and not of the one that was known. */
    assert_string_equal(
        answer(
            bench, arena_printf(bench->ctx.arena,
                       "SELECT user_id <> 7 AND user_id = %s FROM public.assistants WHERE id = %s",
                       proof.difference.parameters + 5, proof.difference.key)),
        "t");
}

static void
a_rewrite_by_keys_is_tried_with_other_parameters_of_the_parent(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    struct proof proof =
        prove(bench, &stats, arena_printf(arena, stats_by_keys, "$2", at_message, ""));

    assert_true(proof.is_same && !proof.is_empty);
    assert_true(proof.parameter_sets >= 9);
    /* Fifty assistants have dialogs, each for its own user. */
    assert_true(proof.keys_answered >= 50);
    assert_stats_differ(
        bench, arena_printf(arena, stats_by_keys, "7", at_message, " WHERE $2::int IS NOT NULL"));
    assert_stats_differ(bench, arena_printf(arena, stats_by_keys, "7", at_message, ""));
    assert_stats_differ(
        bench, arena_printf(arena, stats_by_keys, "$2",
                   "(m.at >= now() - interval '30 days' AND d.user_id = 7"
                   " OR d.user_id <> 7 AND d.started_at >= now() - interval '30 days')",
                   ""));
}

static void
other_pages_of_the_parent_are_tried(void **state)
{
    static const char page[] =
        "SELECT a.id, (SELECT count(*) FROM dialogs d WHERE d.assistant_id = a.id)"
        " FROM (SELECT id FROM assistants WHERE user_id = $1 ORDER BY id %s) AS a ORDER BY a.id";
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    const struct loop loop = {
        .parent = "SELECT id FROM assistants WHERE user_id = $1 ORDER BY id LIMIT $2 OFFSET $3",
        .children = { "SELECT count(*) FROM dialogs WHERE assistant_id = $1" },
        .others = 2,
    };

    assert_proven(bench, &loop, arena_printf(arena, page, "LIMIT $2 OFFSET $3"));
    assert_refused(bench, &loop, arena_printf(arena, page, "LIMIT 3 + 0 * $2 OFFSET $3"), "");
    assert_refused(bench, &loop, arena_printf(arena, page, "LIMIT $2 OFFSET 0"), "");
    assert_refused(bench, &loop, arena_printf(arena, page, "LIMIT 3"), "");
}

static void
a_proof_over_nothing_is_none(void **state)
{
    struct bench *bench = *state;
    const struct loop loop = { .children = { "SELECT id FROM nothing WHERE dialog_id = $1" } };
    const struct loop counted = { .parent = stats.parent,
        .children = { "SELECT count(*) FROM nothing WHERE dialog_id = $1" } };
    struct proof proof = prove(
        bench, &loop, "SELECT dialog_id, id + 1 FROM nothing WHERE dialog_id = ANY($1::int[])");

    assert_true(proof.is_same && proof.is_empty);
    assert_int_equal(proof.keys_answered, 0);
    proof = prove(bench, &counted, "SELECT id, 0 FROM assistants WHERE user_id = $1");
    assert_true(proof.is_same && proof.is_empty);
    assert_int_equal(proof.keys, 60);
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
        " ORDER BY md5(id::text)");

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

static void
keys_are_alike_however_they_are_written(void **state)
{
    const struct loop loop = {
        .children = { "SELECT id FROM dialog_messages WHERE (sender = 'user') = $1 AND id < 50" }
    };
    const char *const keys[] = { "true", "f" };
    const struct proof_options options = { .rounds = 1, .keys = keys, .key_count = 2 };
    struct bench *bench = *state;
    struct proof proof;

    must(&bench->ctx, try_rewrite(bench, &loop,
                          "SELECT sender = 'user', id FROM dialog_messages"
                          " WHERE (sender = 'user') = ANY($1::boolean[]) AND id < 50",
                          &options, &proof));
    assert_true(proof.is_same);
    assert_int_equal(proof.keys_answered, 2 + 2);
}

static void
only_what_a_column_is_compared_with_is_sampled(void **state)
{
    const struct loop loop = {
        .children = { "SELECT $1::int + id AS s FROM dialogs WHERE assistant_id = $1" }
    };
    struct bench *bench = *state;
    struct proof proof = prove(bench, &loop,
        "SELECT assistant_id, assistant_id + id FROM dialogs WHERE assistant_id = ANY($1::int[])");

    assert_true(proof.is_same);
    /* Ten assistants have none; one above the largest of either table, and NULL. */
    assert_true(proof.keys_without_rows <= 13);
}

static void
a_wrong_answer_for_a_key_that_stands_twice_is_told_as_such(void **state)
{
    const char *const keys[] = { "137" };
    const struct proof_options options = {
        .rounds = 1, .keys = keys, .key_count = 1, .tried_count = 1
    };
    struct bench *bench = *state;
    struct proof proof;

    must(&bench->ctx, try_rewrite(bench, &messages,
                          "SELECT k.v, m.id, m.body || '!' FROM unnest($1::int[]) AS k(v)"
                          " JOIN dialog_messages m ON m.dialog_id = k.v",
                          &options, &proof));
    assert_false(proof.is_same);
    assert_true(proof.difference.has_key);
    assert_string_equal(proof.difference.key, "137");
    assert_string_equal(proof.difference.what, "other rows");
}

static void
a_key_that_is_given_has_to_be_one(void **state)
{
    const char *const keys[] = { "seven" };
    const struct proof_options options = { .keys = keys, .key_count = 1, .tried_count = 1 };
    struct bench *bench = *state;
    struct proof proof;

    assert_false(try_rewrite(bench, &messages,
        "SELECT dialog_id, id, body FROM dialog_messages WHERE dialog_id = ANY($1::int[])",
        &options, &proof));
    assert_error(&bench->ctx, ERR_USAGE, "--try seven is no integer");
    error_clear(&bench->ctx);
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

    assert_not_run(bench, &messages,
        "WITH gone AS (DELETE FROM dialog_messages WHERE dialog_id = ANY($1::int[]) RETURNING *)"
        " SELECT dialog_id, id, body FROM gone",
        "writes (DELETE)");
    assert_string_equal(answer(bench, "SELECT count(*) FROM public.dialogs"), count);
    assert_string_equal(answer(bench, "SELECT count(*) FROM public.dialog_messages"), "3000");
    assert_string_equal(
        answer(bench, "SELECT count(*) FROM pg_catalog.pg_prepared_statements"), "0");
}

static void
what_is_volatile_is_never_run(void **state)
{
    static const char locks[] =
        "SELECT count(*) FROM pg_catalog.pg_locks WHERE locktype = 'advisory'"
        " AND objid = 4711";
    struct bench *bench = *state;
    const struct loop of_parent = {
        .parent = "SELECT id, pg_advisory_lock(4711) FROM assistants WHERE user_id = $1",
        .children = { "SELECT count(*) FROM dialogs WHERE assistant_id = $1" },
    };
    const struct loop of_child = {
        .children = { "SELECT pg_advisory_lock(4711) FROM dialogs WHERE assistant_id = $1" }
    };
    static const char right[] =
        "SELECT k.n AS key_ord, (SELECT count(*) FROM dialogs WHERE assistant_id = k.v)"
        " FROM unnest($1::int[]) WITH ORDINALITY AS k(v, n)";
    struct proof proof = prove(bench, &of_parent, right);

    assert_true(proof.is_same && proof.keys_answered >= 10);
    assert_int_equal(proof.notes.count, 1);
    assert_non_null(strstr(proof.notes.items[0], "volatile function pg_advisory_lock()"));
    assert_not_run(bench, &of_parent, "SELECT id, 0 FROM assistants WHERE user_id = $1",
        "the parent calls the volatile function");
    assert_not_run(bench, &of_child, right, "statement 1 of the loop calls the volatile function");
    assert_not_run(bench, &messages,
        "SELECT dialog_id, id, body FROM dialog_messages WHERE dialog_id = ANY($1::int[])"
        " AND pg_advisory_lock(4711) IS NULL",
        "volatile function pg_advisory_lock()");
    assert_string_equal(answer(bench, locks), "0");
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
    const struct loop loop = {
        .children = { "SELECT count(*) FROM dialogs, generate_series(1, 1000000000) AS g"
                      " WHERE id = $1 OR g > 0" }
    };
    const struct proof_options options = {
        .rounds = 1, .most_keys = 2, .statement_timeout_us = 50000
    };
    struct proof proof;

    assert_false(
        try_rewrite(bench, &loop, "SELECT v, 0 FROM unnest($1::int[]) AS k(v)", &options, &proof));
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
        cmocka_unit_test(a_rewrite_by_keys_is_tried_with_other_parameters_of_the_parent),
        cmocka_unit_test(other_pages_of_the_parent_are_tried),
        cmocka_unit_test(a_proof_over_nothing_is_none),
        cmocka_unit_test(keys_of_all_kinds_are_tried),
        cmocka_unit_test(one_key_that_differs_is_found_and_shown),
        cmocka_unit_test(rows_too_few_too_many_or_of_others_are_refused),
        cmocka_unit_test(null_is_no_empty_text),
        cmocka_unit_test(a_mark_tells_a_row_of_nulls_from_none),
        cmocka_unit_test(numbers_are_compared_to_the_last_digit),
        cmocka_unit_test(keys_are_alike_however_they_are_written),
        cmocka_unit_test(only_what_a_column_is_compared_with_is_sampled),
        cmocka_unit_test(a_wrong_answer_for_a_key_that_stands_twice_is_told_as_such),
        cmocka_unit_test(a_key_that_is_given_has_to_be_one),
        cmocka_unit_test(order_counts_where_there_is_one_and_ties_are_open),
        cmocka_unit_test(any_of_the_rows_that_tie_is_right_behind_a_limit),
        cmocka_unit_test(a_row_that_does_not_tie_is_wrong_behind_a_limit),
        cmocka_unit_test(nothing_is_written),
        cmocka_unit_test(what_is_volatile_is_never_run),
        cmocka_unit_test(other_columns_are_told_with_those_that_are_compared),
        cmocka_unit_test(a_loop_that_takes_too_long_is_told),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
