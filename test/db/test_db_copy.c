/* COPY FROM STDIN and TO STDOUT: what arrives, and what is left when it fails. */
#include "support/test.h"

#include <signal.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "db/copy.h"

struct place {
    struct ctx ctx;
    struct db *db;
};

static void
run(struct place *place, const char *sql)
{
    if (!db_exec(&place->ctx, place->db, sql))
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

/* A temporary table is seen by this session alone, so tests need no database of their own. */
static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct place *place = ARENA_NEW(arena, struct place);
    struct db_options options = { .application = "test_db_copy", .access = ACCESS_WRITE };

    place->ctx.arena = arena;
    if (!db_open(&place->ctx, &options, &place->db))
        fail_msg("%s", place->ctx.error.message);
    run(place, "CREATE TEMPORARY TABLE words (id int4 PRIMARY KEY, word text NOT NULL)");
    *state = place;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *place = *state;

    db_close(place->db);
    arena_free(place->ctx.arena);
    return 0;
}

#define test_with_db(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void
begin(struct place *place)
{
    if (!db_copy_begin(&place->ctx, place->db, "COPY pg_temp.words FROM STDIN"))
        fail_msg("%s", place->ctx.error.message);
}

static void
rows_arrive_however_they_are_cut(void **state)
{
    static const char rows[] = "1\tone\n2\tдва\n3\t\\\\three\\n\n";
    struct place *place = *state;
    int64_t count = -1;

    begin(place);
    for (size_t i = 0; i < sizeof(rows) - 1; i++)
        assert_true(db_copy_put(&place->ctx, place->db, rows + i, 1));
    assert_true(db_copy_end(&place->ctx, place->db, &count));
    assert_int_equal(count, 3);
    assert_string_equal(value(place, "SELECT string_agg(word, ',' ORDER BY id) FROM pg_temp.words"),
        "one,два,\\three\n");
}

static void
the_binary_format_works_too(void **state)
{
    static const char rows[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"
                               "\0\2\0\0\0\4\0\0\0\7\0\0\0\2hi\377\377";
    struct place *place = *state;
    int64_t count = -1;

    assert_true(
        db_copy_begin(&place->ctx, place->db, "COPY pg_temp.words FROM STDIN (FORMAT binary)"));
    assert_true(db_copy_put(&place->ctx, place->db, rows, sizeof(rows) - 1));
    assert_true(db_copy_end(&place->ctx, place->db, &count));
    assert_int_equal(count, 1);
    assert_string_equal(value(place, "SELECT id || word FROM pg_temp.words"), "7hi");
}

static void
no_rows_are_fine(void **state)
{
    struct place *place = *state;
    int64_t count = -1;

    begin(place);
    assert_true(db_copy_end(&place->ctx, place->db, &count));
    assert_int_equal(count, 0);
}

/* Much more than the socket and libpq hold at once. */
static void
a_lot_of_bytes_arrive(void **state)
{
    enum { PIECES = 200, ROWS = 2000 };
    struct place *place = *state;
    int64_t count = -1;

    begin(place);
    for (int piece = 0; piece < PIECES; piece++) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct buffer rows = { .arena = arena };

        for (int row = 0; row < ROWS; row++)
            buffer_printf(&rows, "%d\t%0100d\n", piece * ROWS + row, row);
        assert_true(db_copy_put(&place->ctx, place->db, rows.data, rows.length));
    }
    assert_true(db_copy_end(&place->ctx, place->db, &count));
    assert_int_equal(count, PIECES * ROWS);
    assert_string_equal(value(place, "SELECT count(*) || ' ' || sum(length(word)) FROM "
                                     "pg_temp.words"),
        "400000 40000000");
}

static void
other_statements_are_refused_and_the_session_goes_on(void **state)
{
    static const struct {
        const char *sql;
        const char *says;
        enum error_kind kind;
    } cases[] = {
        { "SELECT 1", "not a COPY FROM STDIN", ERR_FAILED },
        { "COPY (SELECT generate_series(1, 100000)) TO STDOUT", "not a COPY FROM STDIN",
            ERR_FAILED },
        { "COPY pg_temp.nothing FROM STDIN", "does not exist", ERR_SERVER },
        { "COPY", "syntax error", ERR_SERVER },
    };
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        error_clear(&place->ctx);
        assert_false(db_copy_begin(&place->ctx, place->db, cases[i].sql));
        assert_error(&place->ctx, cases[i].kind, cases[i].says);
        assert_string_equal(value(place, "SELECT 'ok'"), "ok");
    }
}

static void
a_bad_row_is_told_at_the_end(void **state)
{
    struct place *place = *state;
    int64_t count = -1;

    begin(place);
    assert_true(db_copy_put(&place->ctx, place->db, "1\tone\n1\tagain\n", 14));
    assert_false(db_copy_end(&place->ctx, place->db, &count));
    assert_error(&place->ctx, ERR_SERVER, "duplicate key");
    assert_string_equal(place->ctx.error.sqlstate, "23505");
    assert_string_equal(value(place, "SELECT count(*) FROM pg_temp.words"), "0");
}

static void
a_failed_copy_leaves_a_transaction_that_rolls_back(void **state)
{
    struct place *place = *state;
    int64_t count = -1;

    run(place, "BEGIN");
    run(place, "INSERT INTO pg_temp.words VALUES (5, 'five')");
    begin(place);
    assert_true(db_copy_put(&place->ctx, place->db, "x\ty\n", 4));
    assert_false(db_copy_end(&place->ctx, place->db, &count));
    run(place, "ROLLBACK");
    assert_string_equal(value(place, "SELECT count(*) FROM pg_temp.words"), "0");
}

static void
a_signal_stops_the_copy_and_not_the_clean_up(void **state)
{
    struct place *place = *state;
    struct db_transaction transaction = { 0 };

    assert_true(db_begin(&place->ctx, place->db, NULL, &transaction));
    begin(place);
    assert_true(db_copy_put(&place->ctx, place->db, "1\tone\n", 6));
    interrupt_put(SIGINT);
    assert_false(db_copy_put(&place->ctx, place->db, "2\ttwo\n", 6));
    assert_int_equal(place->ctx.error.kind, ERR_INTERRUPTED);
    db_transaction_end(&transaction);
    assert_int_equal(interrupt_take(), SIGINT);
    assert_string_equal(value(place, "SELECT count(*) FROM pg_temp.words"), "0");
}

/* The backend is ended by another session while rows are sent to it. */
static void
a_lost_connection_is_told(void **state)
{
    struct place *place = *state;
    struct db *other CLEANUP(db_cleanup) = NULL;
    struct db_options options = { .application = "test_db_copy", .access = ACCESS_WRITE };
    const char *pid = arena_printf(place->ctx.arena, "%d", db_backend_pid(place->db));
    const char *params[] = { pid };
    const char *ended;
    int64_t count = -1;
    char row[8192];
    bool is_sent = true;

    assert_true(db_open(&place->ctx, &options, &other));
    begin(place);
    assert_true(db_value(&place->ctx, other,
        "SELECT pg_catalog.pg_terminate_backend($1::int4, 10000)", params, 1, &ended));
    assert_string_equal(ended, "t");
    memset(row, 'x', sizeof(row));
    for (int i = 0; i < 1000 && is_sent; i++)
        is_sent = db_copy_put(&place->ctx, place->db, row, sizeof(row));
    if (is_sent)
        assert_false(db_copy_end(&place->ctx, place->db, &count));
    assert_int_equal(place->ctx.error.kind, ERR_CONNECTION);
}

/* All rows of a COPY TO STDOUT, and how many pieces they came in. */
static struct buffer
read_all(struct place *place, const char *sql, size_t *ret_pieces)
{
    struct buffer all = { .arena = place->ctx.arena };
    struct buffer piece = { .arena = place->ctx.arena };
    bool is_end = false;

    *ret_pieces = 0;
    if (!db_copy_read_begin(&place->ctx, place->db, sql))
        fail_msg("%s", place->ctx.error.message);
    while (!is_end) {
        piece.length = 0;
        if (!db_copy_read(&place->ctx, place->db, &piece, &is_end))
            fail_msg("%s", place->ctx.error.message);
        buffer_append(&all, piece.data, piece.length);
        ++*ret_pieces;
    }
    return all;
}

static void
rows_are_read(void **state)
{
    struct place *place = *state;
    struct buffer all;
    size_t pieces;

    run(place, "INSERT INTO pg_temp.words VALUES (1, 'one'), (2, 'два'), (3, E'a\tb')");
    all = read_all(place, "COPY pg_temp.words TO STDOUT", &pieces);
    assert_string_equal(buffer_text(&all), "1\tone\n2\tдва\n3\ta\\tb\n");
    assert_int_equal(pieces, 1);
    run(place, "DELETE FROM pg_temp.words");
    all = read_all(place, "COPY pg_temp.words TO STDOUT", &pieces);
    assert_int_equal(all.length, 0);
    assert_string_equal(value(place, "SELECT 'ok'"), "ok");
}

/* From one table into another, through two sessions, as bytes that nobody looks into. */
static void
many_binary_rows_go_through(void **state)
{
    static const char content[] = "SELECT md5(string_agg(id || word, ',' ORDER BY id)) FROM words";
    static const char rows[] = "SELECT n AS id, repeat(md5(n::text), 20) AS word FROM"
                               " generate_series(1, 5000) AS n";
    struct place *place = *state;
    struct db *other CLEANUP(db_cleanup) = NULL;
    struct db_options options = { .application = "test_db_copy", .access = ACCESS_READ };
    struct place from = { .ctx.arena = place->ctx.arena };
    struct buffer piece = { .arena = place->ctx.arena };
    size_t most = 0;
    bool is_end = false;
    int64_t count = -1;

    assert_true(db_open(&place->ctx, &options, &other));
    from.db = other;
    assert_true(db_copy_read_begin(&from.ctx, other,
        arena_printf(place->ctx.arena, "COPY (%s) TO STDOUT (FORMAT binary)", rows)));
    assert_true(
        db_copy_begin(&place->ctx, place->db, "COPY pg_temp.words FROM STDIN (FORMAT binary)"));
    while (!is_end) {
        piece.length = 0;
        assert_true(db_copy_read(&from.ctx, other, &piece, &is_end));
        assert_true(db_copy_put(&place->ctx, place->db, piece.data, piece.length));
        most = piece.length > most ? piece.length : most;
    }
    assert_true(db_copy_end(&place->ctx, place->db, &count));
    assert_int_equal(count, 5000);
    /* 3.3 MB came, and never much more than a quarter of one was held. */
    assert_true(most < 300 * 1024);
    assert_string_equal(value(place, "SELECT md5(string_agg(id || word, ',' ORDER BY id)) FROM"
                                     " pg_temp.words"),
        value(&from, arena_printf(place->ctx.arena, "WITH words AS (%s) %s", rows, content)));
}

static void
other_statements_are_not_read(void **state)
{
    static const struct {
        const char *sql;
        const char *says;
        enum error_kind kind;
    } cases[] = {
        { "SELECT 1", "not a COPY TO STDOUT", ERR_FAILED },
        { "COPY pg_temp.words FROM STDIN", "not a COPY TO STDOUT", ERR_FAILED },
        { "COPY pg_temp.nothing TO STDOUT", "does not exist", ERR_SERVER },
    };
    struct place *place = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        error_clear(&place->ctx);
        assert_false(db_copy_read_begin(&place->ctx, place->db, cases[i].sql));
        assert_error(&place->ctx, cases[i].kind, cases[i].says);
        assert_string_equal(value(place, "SELECT 'ok'"), "ok");
    }
}

static void
an_error_between_rows_is_told(void **state)
{
    struct place *place = *state;
    struct buffer piece = { .arena = place->ctx.arena };
    bool is_end = false;
    bool is_good = true;

    assert_true(db_copy_read_begin(&place->ctx, place->db,
        "COPY (SELECT 1 / (300000 - n) FROM generate_series(1, 400000) AS n) TO STDOUT"));
    while (is_good && !is_end)
        is_good = db_copy_read(&place->ctx, place->db, &piece, &is_end);
    assert_false(is_good);
    assert_error(&place->ctx, ERR_SERVER, "division by zero");
    assert_string_equal(value(place, "SELECT 'ok'"), "ok");
}

static const char endless[] =
    "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 10000) AS a, generate_series(1, 10000)"
    " AS b) TO STDOUT";

static void
reading_can_be_ended_early(void **state)
{
    struct place *place = *state;
    struct buffer piece = { .arena = place->ctx.arena };
    bool is_end = true;

    assert_true(db_copy_read_begin(&place->ctx, place->db, endless));
    assert_true(db_copy_read(&place->ctx, place->db, &piece, &is_end));
    assert_false(is_end);
    db_copy_read_stop(place->db);
    assert_string_equal(value(place, "SELECT 'ok'"), "ok");
}

static void
a_signal_stops_the_reading(void **state)
{
    struct place *place = *state;
    struct buffer piece = { .arena = place->ctx.arena };
    bool is_end = false;
    bool is_good = true;

    assert_true(db_copy_read_begin(&place->ctx, place->db, endless));
    interrupt_put(SIGINT);
    while (is_good && !is_end) {
        piece.length = 0;
        is_good = db_copy_read(&place->ctx, place->db, &piece, &is_end);
    }
    assert_false(is_good);
    assert_int_equal(place->ctx.error.kind, ERR_INTERRUPTED);
    assert_int_equal(interrupt_take(), SIGINT);
    assert_string_equal(value(place, "SELECT 'ok'"), "ok");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        test_with_db(rows_arrive_however_they_are_cut),
        test_with_db(the_binary_format_works_too),
        test_with_db(no_rows_are_fine),
        test_with_db(a_lot_of_bytes_arrive),
        test_with_db(other_statements_are_refused_and_the_session_goes_on),
        test_with_db(a_bad_row_is_told_at_the_end),
        test_with_db(a_failed_copy_leaves_a_transaction_that_rolls_back),
        test_with_db(a_signal_stops_the_copy_and_not_the_clean_up),
        test_with_db(a_lost_connection_is_told),
        test_with_db(rows_are_read),
        test_with_db(many_binary_rows_go_through),
        test_with_db(other_statements_are_not_read),
        test_with_db(an_error_between_rows_is_told),
        test_with_db(reading_can_be_ended_early),
        test_with_db(a_signal_stops_the_reading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
