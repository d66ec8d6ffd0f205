/*
 * A loop as one statement: every form that is written gives each key what the loop gives, and what cannot
 * be written is refused with the reason.
 */
#include "test_queries_rewrite_loops.h"
#include "test_queries_rewrite_support.h"

/* clang-format off */
static const char *const schema[] = {
    "CREATE TYPE mood AS ENUM ('calm', 'cross', 'glad')",
    "CREATE DOMAIN short AS varchar(40)",
    "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    "CREATE TABLE users (id int PRIMARY KEY, email varchar(80) NOT NULL, role text)",
    "CREATE TABLE assistants (id int PRIMARY KEY, user_id int NOT NULL, name varchar(80), ai_model text,"
    " is_active bool NOT NULL, created_at timestamp NOT NULL)",
    "CREATE TABLE dialogs (id bigint PRIMARY KEY, user_id int NOT NULL, assistant_id int, first_name text,"
    " handoff_status text, started_at timestamp NOT NULL, ended_at timestamp)",
    "CREATE TABLE dialog_messages (id int PRIMARY KEY, dialog_id bigint NOT NULL, sender varchar(20) NOT NULL,"
    " text text, score float8, cost numeric(10,2), \"timestamp\" timestamp NOT NULL)",
    "CREATE INDEX ON dialog_messages (dialog_id, \"timestamp\" DESC)",
    "CREATE TABLE documents (id int PRIMARY KEY, user_id int NOT NULL, filename text, size int, upload_date date)",
    "CREATE TABLE user_knowledge (id int PRIMARY KEY, user_id int, assistant_id int, doc_id int, importance int)",
    "CREATE TABLE bot_instances (id int PRIMARY KEY, user_id int, assistant_id int, platform short,"
    " created_at timestamp)",
    "CREATE TABLE prices (code char(4), kind mood, amount numeric, rate float8, day date, tags text[],"
    " data jsonb, label text COLLATE blind, name text COLLATE \"C\", part short, key int, ord int, nth int)",
    "CREATE TABLE nodes (id int PRIMARY KEY, parent_id int)",
    "CREATE TABLE k (key int, c1 int, p int)",
    "CREATE VIEW calm_dialogs AS SELECT * FROM dialogs WHERE ended_at IS NULL",
    "CREATE VIEW lucky_dialogs AS SELECT * FROM calm_dialogs WHERE random() >= 0",
    "CREATE VIEW luckier_dialogs AS SELECT * FROM lucky_dialogs",
    "CREATE FUNCTION restless(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1'",
    "CREATE FUNCTION steady(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT $1'",
    "CREATE OPERATOR <~> (FUNCTION = int4eq_volatile, LEFTARG = int, RIGHTARG = int)",
    "INSERT INTO users SELECT i, 'u' || i || '@x', CASE WHEN i % 2 = 0 THEN 'admin' END FROM generate_series(1, 6) i",
    "INSERT INTO assistants SELECT i, i % 5 + 1, 'A' || i % 7, 'gpt-' || i % 2, i % 3 > 0,"
    " timestamp '2026-01-01' + i % 4 * interval '1 day' FROM generate_series(1, 30) i",
    "INSERT INTO dialogs SELECT i, i % 5 + 1, nullif(i % 31, 0), nullif('F' || i % 4, 'F0'), 'h' || i % 3,"
    " timestamp '2026-01-01' + i % 40 * interval '1 day',"
    " CASE WHEN i % 3 = 0 THEN timestamp '2026-03-01' + i * interval '1 hour' END FROM generate_series(1, 180) i",
    "INSERT INTO dialog_messages SELECT i, (i * i) % 170 + 1, CASE i % 3 WHEN 0 THEN 'assistant' ELSE 'user' END,"
    " 't' || i % 11, i / 7.0, i % 13 * 1.10, timestamp '2026-01-01' + i % 90 * interval '12 hours'"
    " FROM generate_series(1, 900) i",
    "INSERT INTO documents SELECT i, i % 5 + 1, 'f' || i, i * 10, date '2026-01-01' + i % 9 FROM generate_series(1, 25) i",
    "INSERT INTO user_knowledge SELECT i, i % 5 + 1, i % 12, i % 28, i % 10 FROM generate_series(1, 80) i",
    "INSERT INTO bot_instances SELECT i, i % 5 + 1, i % 33, 'telegram', timestamp '2026-01-01' + i * interval '1 hour'"
    " FROM generate_series(1, 40) i",
    "INSERT INTO prices SELECT 'c' || i % 5, (enum_range(NULL::mood))[i % 3 + 1], i % 4 + CASE WHEN i % 2 = 0 THEN 0.0 ELSE 0.00 END,"
    " i / 3.0, date '2026-01-01' + i % 6, ARRAY['t' || i % 3, 'x'], jsonb_build_object('a', i % 4, 'b', 'v' || i % 3),"
    " CASE WHEN i % 2 = 0 THEN 'Ab' ELSE 'aB' END || i % 3, 'n' || i % 4, 'p' || i % 5, i % 4, i % 3, i % 2"
    " FROM generate_series(1, 60) i",
    "INSERT INTO nodes SELECT i, nullif(i / 2, 0) FROM generate_series(1, 40) i",
    "INSERT INTO k SELECT i % 6, i, i * 2 FROM generate_series(1, 20) i",
    "CREATE SEQUENCE s",
    "CREATE TABLE guarded (id int)",
    "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY restless ON guarded USING (restless(id) > 0)",
    "CREATE TABLE halves (id int, part int, live bool)",
    "CREATE UNIQUE INDEX ON halves (id) WHERE live",
    "CREATE UNIQUE INDEX ON halves (id, part)",
    "INSERT INTO halves SELECT i % 8, i, false FROM generate_series(1, 24) i",
    "CREATE TABLE base (id int PRIMARY KEY)",
    "CREATE TABLE derived () INHERITS (base)",
    "INSERT INTO base SELECT generate_series(1, 4)",
    "INSERT INTO derived SELECT i % 3 FROM generate_series(1, 6) i",
    "ANALYZE",
};
/* clang-format on */

static struct db *
connect_to(struct bench *bench, const char *database)
{
    const struct db_options options = {
        .database = database, .application = "pgmend/queries rewrite", .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db), "connecting");
    return db;
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);
    struct ctx *ctx = &bench->ctx;

    bench->ctx.arena = arena;
    bench->asked.arena = arena;
    *state = bench;
    bench->admin = connect_to(bench, "postgres");
    must(bench, db_exec(ctx, bench->admin, "DROP DATABASE IF EXISTS " DATABASE " WITH (FORCE)"),
        "dropping");
    must(bench, db_exec(ctx, bench->admin, "CREATE DATABASE " DATABASE), "creating");
    bench->db = connect_to(bench, DATABASE);
    must(bench, db_exec(ctx, bench->db, "SET search_path = public"), "settings");
    must(bench,
        db_exec(ctx, bench->db,
            "CREATE FUNCTION int4eq_volatile(int, int) RETURNS bool LANGUAGE sql VOLATILE"
            " AS 'SELECT $1 = $2'"),
        "schema");
    for (size_t i = 0; i < COUNT_OF(schema); i++)
        must(bench, db_exec(ctx, bench->db, schema[i]), schema[i]);
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    db_close(bench->db);
    if (bench->admin)
        must(bench,
            db_exec(&bench->ctx, bench->admin, "DROP DATABASE IF EXISTS " DATABASE " WITH (FORCE)"),
            "dropping");
    db_close(bench->admin);
    arena_free(bench->ctx.arena);
    return 0;
}

/* What the loop is run with: rows of the parent, or keys as rows of one column. */
struct rounds {
    struct result parent;
    const char **keys;
    size_t count;
};

/* The parent's keys, and some that are in no table, twice, and NULL. */
static void
read_rounds(struct bench *bench, const struct looping *looping, struct rounds *ret)
{
    const char *values[MOST_SLOTS];
    const char *given[MOST_KEYS];

    *ret = (struct rounds){ .keys = ARENA_ARRAY(bench->ctx.arena, const char *, MOST_KEYS * 4) };
    if (looping->parent) {
        size_t count = parts_of(bench, looping->parent_values, values, MOST_SLOTS);

        must(bench, db_query(&bench->ctx, bench->db, looping->parent, values, count, &ret->parent),
            looping->parent);
        if (ret->parent.rows < 2 || ret->parent.rows >= MOST_KEYS * 3)
            fail_msg("%s: the parent has %zu rows", looping->name, ret->parent.rows);
        for (size_t i = 0; i < ret->parent.rows; i++)
            ret->keys[ret->count++] = result_cell(&ret->parent, i, (size_t)looping->key);
    }

    size_t more = parts_of(bench, looping->keys, given, MOST_KEYS);

    for (size_t i = 0; i < more; i++)
        ret->keys[ret->count++] = given[i];
    assert_true(ret->count > 1);
    ret->keys[ret->count] = ret->keys[0];
    ret->keys[ret->count + 1] = NULL;
    ret->count += 2;
}

static bool
is_ordered(const char *sql)
{
    return strstr(sql, "\nORDER BY") != NULL;
}

/* The rows that the rewrite gives one child in the rows of one place. */
static void
rows_of_place(struct bench *bench, const struct result *result, size_t place, size_t has,
    size_t columns, struct lines *ret)
{
    const char *wanted = arena_printf(bench->ctx.arena, "%zu", place + 1);

    ret->count = 0;
    for (size_t row = 0; row < result->rows; row++)
        if (strcmp(result_cell(result, row, 0), wanted) == 0 &&
            strcmp(result_cell(result, row, has), "t") == 0)
            add_line(ret, line_of(bench, result, row, has + 1, columns));
}

static void
lines_of(struct bench *bench, const struct result *result, struct lines *ret)
{
    ret->count = 0;
    for (size_t row = 0; row < result->rows; row++)
        add_line(ret, line_of(bench, result, row, 0, result->columns));
}

/* One row a place at least, in their order. */
static void
assert_places(const struct result *result, size_t places, const char *sql)
{
    size_t before = 0;

    for (size_t row = 0; row < result->rows; row++) {
        size_t place = (size_t)digits_of(result_cell(result, row, 0));

        if (place != before && place != before + 1)
            fail_msg("place %zu after %zu by\n%s", place, before, sql);
        before = place;
    }
    if (before != places)
        fail_msg("%zu places instead of %zu by\n%s", before, places, sql);
}

/* LATERAL, GROUPED and JOINED: by the place of the key. */
static void
compare_places(struct bench *bench, const struct looping *looping,
    const struct rewrite_input *input, const struct rewrite *rewrite, const struct rounds *rounds)
{
    bool is_joined = rewrite->form == REWRITE_JOINED;
    size_t places = is_joined ? rounds->parent.rows : rounds->count;
    const char *keys = array_of(bench, rounds->keys, rounds->count);
    struct lines *some = ARENA_ARRAY(bench->ctx.arena, struct lines, 2);
    struct result result;

    run_rewrite(bench, input, rewrite, keys, &result);
    assert_places(&result, places, rewrite->sql);
    for (size_t place = 0; place < places; place++) {
        size_t has = 1 + (is_joined ? rounds->parent.columns : 0);
        const char *const *row =
            is_joined ? &rounds->parent.cells[place * rounds->parent.columns] : NULL;
        const char *cells[MOST_SLOTS];

        for (size_t i = 0; !row && i < MOST_SLOTS; i++)
            cells[i] = rounds->keys[place];
        for (size_t i = 0; i < input->child_count; i++) {
            struct result loop;

            if (rewrite->form == REWRITE_GROUPED && rewrite->child != i)
                continue;
            run_child(bench, &input->children[i], row ? row : cells, &loop);
            lines_of(bench, &loop, &some[0]);
            rows_of_place(bench, &result, place, has, loop.columns, &some[1]);
            assert_lines(&some[1], &some[0], is_ordered(input->children[i].sql),
                arena_printf(bench->ctx.arena, "%s, key %s", looping->name,
                    rounds->keys[place] ? rounds->keys[place] : "NULL"),
                rewrite->sql);
            has += 1 + loop.columns;
        }
        assert_true(has == result.columns);
    }
    if (!is_joined)
        return;

    /* The parent's own columns, in its order; the rows of one parent row say the same. */
    size_t at = 0;

    for (size_t row = 0; row < result.rows; row++) {
        at = (size_t)digits_of(result_cell(&result, row, 0)) - 1;
        if (!is_ordered(looping->parent))
            continue;
        assert_string_equal(line_of(bench, &result, row, 1, rounds->parent.columns),
            line_of(bench, &rounds->parent, at, 0, rounds->parent.columns));
    }
}

/* ANY: by the key itself, each key once. */
static void
compare_any(struct bench *bench, const struct looping *looping, const struct rewrite_input *input,
    const struct rewrite *rewrite, const struct rounds *rounds)
{
    const struct rewrite_child *child = &input->children[rewrite->child];
    struct lines *some = ARENA_ARRAY(bench->ctx.arena, struct lines, 2);
    struct result result;
    size_t seen = 0;

    run_rewrite(bench, input, rewrite, array_of(bench, rounds->keys, rounds->count), &result);
    for (size_t i = 0; i < rounds->count; i++) {
        const char *key = rounds->keys[i];
        const char *cells[MOST_SLOTS];
        struct result loop;
        bool is_again = false;

        for (size_t j = 0; j < i; j++)
            is_again |= text_equal(rounds->keys[j], key);
        for (size_t j = 0; j < MOST_SLOTS; j++)
            cells[j] = key;
        run_child(bench, child, cells, &loop);
        lines_of(bench, &loop, &some[0]);
        some[1].count = 0;
        for (size_t row = 0; row < result.rows; row++)
            if (key && strcmp(result_cell(&result, row, 0), key) == 0)
                add_line(&some[1], line_of(bench, &result, row, 1, result.columns - 1));
        assert_lines(&some[1], &some[0], is_ordered(child->sql), looping->name, rewrite->sql);
        seen += is_again ? 0 : some[1].count;
    }
    assert_int_equal(seen, result.rows);
}

static char
letter_of(enum rewrite_form form)
{
    static const char letters[] = { 'A', 'L', 'J', 'G' };

    return letters[form];
}

static const char *
refusals(struct bench *bench, const struct rewrites *rewrites)
{
    struct buffer buffer = { .arena = bench->ctx.arena };

    for (size_t i = 0; i < rewrites->refused.count; i++)
        buffer_printf(&buffer, "%s\n", rewrites->refused.items[i]);
    return buffer_text(&buffer);
}

static void
check_loop(struct bench *bench, const struct looping *looping)
{
    const struct rewrite_input input = input_of(bench, looping);
    struct buffer forms = { .arena = bench->ctx.arena };
    struct rewrites rewrites;
    struct rounds rounds;
    const char *reasons;

    error_clear(&bench->ctx);
    if (!rewrite_write(&bench->ctx, bench->db, &input, &rewrites)) {
        if (*looping->forms)
            fail_msg("%s: %s", looping->name, bench->ctx.error.message);
        if (bench->ctx.error.kind != ERR_UNSUPPORTED ||
            !strstr(bench->ctx.error.message, looping->refused))
            fail_msg("%s: %s", looping->name, bench->ctx.error.message);
        return;
    }
    reasons = refusals(bench, &rewrites);
    read_rounds(bench, looping, &rounds);
    for (size_t i = 0; i < rewrites.count; i++) {
        const struct rewrite *rewrite = &rewrites.items[i];

        buffer_printf(&forms, "%c", letter_of(rewrite->form));
        assert_non_null(rewrite->why);
        if (getenv("PGMEND_SHOW"))
            print_message(
                "-- %s: %s\n%s\n\n", looping->name, rewrite_form_name(rewrite->form), rewrite->sql);
        if (rewrite->form == REWRITE_ANY)
            compare_any(bench, looping, &input, rewrite, &rounds);
        else
            compare_places(bench, looping, &input, rewrite, &rounds);
    }
    if (strcmp(buffer_text(&forms), looping->forms) != 0)
        fail_msg("%s: forms %s instead of %s\n%s", looping->name, buffer_text(&forms),
            looping->forms, reasons);
    if (looping->refused && !strstr(reasons, looping->refused))
        fail_msg("%s: refused are\n%s", looping->name, reasons);
}

static void
each_form_gives_what_the_loop_gives(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(loops); i++)
        check_loop(bench, &loops[i]);
}

static void
what_cannot_be_one_statement_is_refused(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(refused_loops); i++)
        check_loop(bench, &refused_loops[i]);
}

/* A statement, its slots, and the loop's statement as it was sent. */
struct put_back {
    const char *child;
    const char *slots;
    const char *wanted;
};

static void
constants_are_put_back_as_they_were(void **state)
{
    static const struct put_back cases[] = {
        { "SELECT sum(CASE WHEN sender = $2 THEN $3 ELSE $4 END) AS n FROM dialog_messages"
          " WHERE dialog_id = $1 AND score > $5 AND sender <> $6",
            "k0|c=it's|c=1|c=-1|c=1.5|c=7",
            "SELECT sum(CASE WHEN sender = 'it''s' THEN 1 ELSE (-1) END) AS n FROM dialog_messages"
            " WHERE dialog_id = $1 AND score > '1.5' AND sender <> '7'" },
        { "SELECT $1 AS a FROM dialogs WHERE id = $2 AND id <> $2 LIMIT $3", "c=1|k0|c=1",
            "SELECT 1 AS a FROM dialogs WHERE id = $1 AND id <> $1 LIMIT 1" },
        { "SELECT data -> $1 FROM prices WHERE key = $2 AND name || $3 = $4", "c=0|k0|c=5|b=x",
            "SELECT data -> '0' FROM prices WHERE key = $1 AND name || '5' = $2" },
        { "SELECT id FROM dialogs WHERE user_id = $1 AND started_at > now() - interval $2 ORDER BY $3",
            "k0|c=10 days|c=1",
            "SELECT id FROM dialogs WHERE user_id = $1 AND started_at > now() - '10 days'::interval"
            " ORDER BY 1" },
        { "SELECT id FROM dialogs WHERE user_id = $1 AND started_at > timestamp $2",
            "k0|b=2026-01-01",
            "SELECT id FROM dialogs WHERE user_id = $1 AND started_at > $2::timestamp" },
        { "SELECT id FROM dialogs WHERE id = $1 AND user_id < $2 AND first_name <> $3", "k0|p0=9|c",
            "SELECT id FROM dialogs WHERE id = $1 AND user_id < $2 AND first_name <> $3" },
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct looping looping = {
            .parent = "SELECT id FROM users WHERE id < $1",
            .parent_values = "9",
            .children = { cases[i].child },
            .slots = { cases[i].slots },
        };
        const struct rewrite_input input = input_of(bench, &looping);
        struct rewrites rewrites;
        struct result ignored;

        must(bench, rewrite_write(&bench->ctx, bench->db, &input, &rewrites), cases[i].child);
        assert_string_equal(rewrites.children[0].sql, cases[i].wanted);
        assert_string_equal(rewrites.parent.sql, "SELECT id FROM users WHERE id < $1");

        /* The server takes it with as many parameters as are told. */
        must(bench,
            db_query(&bench->ctx, bench->db, rewrites.children[0].sql,
                (const char *[MOST_SLOTS]){ NULL }, rewrites.children[0].param_count, &ignored),
            cases[i].wanted);
    }
}

static void
what_is_no_loop_is_an_error(void **state)
{
    static const struct {
        struct looping looping;
        enum error_kind kind;
        const char *text;
    } cases[] = {
        { { .children = { "SELECT id FROM users WHERE id = $2" }, .slots = { "v" } }, ERR_INPUT,
            "child 1 has $2, but 1 values are known of it" },
        { { .children = { "SELECT id FROM" }, .slots = { "" } }, ERR_INPUT, "child 1: 1:15" },
        { { .children = { "SELECT 1; SELECT 2" }, .slots = { "" } }, ERR_INPUT, "one statement" },
        { { .children = { "" }, .slots = { "" } }, ERR_INPUT, "one statement" },
        { { .children = { NULL } }, ERR_INPUT, "without statements" },
        { { .children = { "SELECT id FROM nowhere WHERE id = $1" }, .slots = { "v" } }, ERR_SERVER,
            "child 1 cannot be prepared" },
        { { .parent = "SELECT id FROM users",
              .key = 1,
              .children = { "SELECT id FROM users WHERE id = $1" },
              .slots = { "k1" } },
            ERR_INPUT, "the parent has 1 columns, so column 2" },
        { { .parent = "SELECT id FROM users",
              .children = { "SELECT id FROM users WHERE id = $1 AND id > $2" },
              .slots = { "k7|k7" } },
            ERR_UNSUPPORTED, "takes another key" },
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct rewrite_input input = input_of(bench, &cases[i].looping);
        struct rewrites rewrites;
        const char *left = NULL;

        error_clear(&bench->ctx);
        assert_false(rewrite_write(&bench->ctx, bench->db, &input, &rewrites));
        assert_error(&bench->ctx, cases[i].kind, cases[i].text);

        /* Neither a transaction nor a prepared statement stays behind. */
        error_clear(&bench->ctx);
        must(bench,
            db_value(&bench->ctx, bench->db,
                "SELECT concat((SELECT count(*) FROM pg_prepared_statements), ' ',"
                " current_setting('transaction_read_only'), ' ', current_setting('search_path'))",
                NULL, 0, &left),
            "looking");
        assert_string_equal(left, "0 off public");
    }
}

static void
a_server_that_goes_away_is_an_error(void **state)
{
    struct bench *bench = *state;
    const struct looping looping = { .children = { "SELECT id FROM users WHERE id = $1" },
        .slots = { "v" } };
    const struct rewrite_input input = input_of(bench, &looping);
    struct rewrites rewrites;
    struct db *db = connect_to(bench, DATABASE);
    struct result ignored;

    error_clear(&bench->ctx);
    must(bench,
        db_query(&bench->ctx, bench->admin, "SELECT pg_terminate_backend($1::int, 60000)",
            (const char *[]){ arena_printf(bench->ctx.arena, "%d", db_backend_pid(db)) }, 1,
            &ignored),
        "terminating");
    assert_false(rewrite_write(&bench->ctx, db, &input, &rewrites));
    assert_int_equal(bench->ctx.error.kind, ERR_CONNECTION);
    db_close(db);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_gives_what_the_loop_gives),
        cmocka_unit_test(what_cannot_be_one_statement_is_refused),
        cmocka_unit_test(constants_are_put_back_as_they_were),
        cmocka_unit_test(what_is_no_loop_is_an_error),
        cmocka_unit_test(a_server_that_goes_away_is_an_error),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
