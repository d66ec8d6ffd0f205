/* What print.h prints is byte for byte what the server's row_to_json() makes of the same values. */
#include "support/test.h"

#include <libpq-fe.h>
#include <string.h>

#include "replyx/print.h"

struct bench {
    struct ctx ctx;
    PGconn *conn;
};

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->conn = PQconnectdb("dbname=postgres client_encoding=UTF8");
    if (PQstatus(bench->conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(bench->conn));
    PQclear(PQexec(bench->conn, "SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'"));
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    PQfinish(bench->conn);
    arena_free(bench->ctx.arena);
    return 0;
}

/* The value as the server writes it, and the object that it makes of it. */
static void
ask(struct bench *bench, const char *type, const char *value, const char **ret_text,
    const char **ret_json)
{
    const char *sql = arena_printf(bench->ctx.arena,
        "SELECT r.\"a\"\"б\", row_to_json(r)::text FROM (SELECT $1::%s AS \"a\"\"б\") AS r", type);
    PGresult *result = PQexecParams(bench->conn, sql, 1, NULL, &value, NULL, NULL, 0);

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", value, PQerrorMessage(bench->conn));
    *ret_text =
        PQgetisnull(result, 0, 0) ? NULL : arena_strdup(bench->ctx.arena, PQgetvalue(result, 0, 0));
    *ret_json = arena_strdup(bench->ctx.arena, PQgetvalue(result, 0, 1));
    PQclear(result);
}

typedef void printer(struct buffer *out, const char *text);

static void
compare(struct bench *bench, const char *type, const char *value, printer *print)
{
    struct buffer out = { .arena = bench->ctx.arena };
    const char *text;
    const char *json;

    ask(bench, type, value, &text, &json);
    print_open(&out, '{');
    print_key(&out, "a\"б");
    print(&out, text);
    print_close(&out, '}');
    assert_string_equal(buffer_text(&out), json);
}

static void
texts(void **state)
{
    static const char *const values[] = { NULL, "", " ", "a", "\"", "\\", "/", "</script>", "'",
        "\b\f\n\r\t\v", "\x01\x02\x1f\x7f", "Диалог с Иваном", "🙂👨‍👩‍👧",
        "\xe2\x80\xa8\xe2\x80\xa9", "\xc2\x80\xc2\x85", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf",
        "\\u0041", "a\\\"b\\\\\"\"", "null", "{\"a\":[1,2]}", "\"quoted\"", "\xef\xbb\xbf" };

    for (size_t i = 0; i < COUNT_OF(values); i++)
        compare(*state, "text", values[i], print_text);
}

/* Code points of all sizes, the troublesome ones more often. */
static void
any_text(void **state)
{
    static const char *const pieces[] = { "\x01", "\x1f", "\"", "\\", "\n", "ж", "🙂",
        "\xe2\x80\xa8", "u00", "/", "\x7f", "a", "\t", "\xc2\xa0" };
    struct bench *bench = *state;
    struct test_random random = test_random_new();

    for (int round = 0; round < 300; round++) {
        struct buffer text = { .arena = bench->ctx.arena };

        for (size_t i = test_random_below(&random, 60); i > 0; i--)
            buffer_add(&text, pieces[test_random_below(&random, COUNT_OF(pieces))]);
        compare(bench, "text", buffer_text(&text), print_text);
    }
}

static void
times(void **state)
{
    static const char *const values[] = { NULL, "2026-11-22 13:30:00", "2026-11-22 13:30:00.1",
        "2026-11-22 13:30:00.123456", "2026-11-22 00:00:00", "0001-01-01 00:00:00",
        "9999-12-31 23:59:59.999999", "12026-01-02 03:04:05", "0044-03-15 12:00:00 BC", "infinity",
        "-infinity" };
    static const char *const zones[] = { "UTC", "Europe/Moscow", "Asia/Kolkata", "America/Bogota",
        "+05:45:30" };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(values); i++)
        compare(bench, "timestamp", values[i], print_time);
    for (size_t zone = 0; zone < COUNT_OF(zones); zone++) {
        PQclear(PQexec(
            bench->conn, arena_printf(bench->ctx.arena, "SET TimeZone = '%s'", zones[zone])));
        for (size_t i = 1; i < COUNT_OF(values); i++)
            compare(bench, "timestamptz", values[i], print_time);
    }
}

static void
numbers(void **state)
{
    static const char *const doubles[] = { NULL, "0", "-0", "1", "-1.5", "1e300", "1e-300", "0.1",
        "123456789012345680", "NaN", "Infinity", "-Infinity", "3.14159265358979" };
    static const char *const numerics[] = { "0", "-1.50", "12345678901234567890.12", "NaN" };
    static const char *const whole[] = { "0", "-1", "7", "9223372036854775807",
        "-9223372036854775808" };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(doubles); i++)
        compare(bench, "float8", doubles[i], print_number);
    for (size_t i = 0; i < COUNT_OF(numerics); i++)
        compare(bench, "numeric", numerics[i], print_number);
    for (size_t i = 0; i < COUNT_OF(whole); i++) {
        struct buffer out = { .arena = bench->ctx.arena };

        compare(bench, "int8", whole[i], print_number);
        print_int(&out, strtoll(whole[i], NULL, 10));
        assert_string_equal(buffer_text(&out), whole[i]);
    }
}

static void
commas_come_by_themselves(void **state)
{
    struct bench *bench = *state;
    struct buffer out = { .arena = bench->ctx.arena };
    PGresult *result = PQexec(bench->conn,
        "SELECT json_build_array()::text, row_to_json(r)::text FROM (SELECT true AS a, false AS b,"
        " NULL::int AS c, row_to_json(x) AS d, 'ж,' AS e, -5 AS f FROM (SELECT 1 AS y) AS x) AS r");

    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    print_open(&out, '[');
    print_close(&out, ']');
    assert_string_equal(buffer_text(&out), PQgetvalue(result, 0, 0));
    out.length = 0;
    print_open(&out, '{');
    print_key(&out, "a");
    print_bool(&out, true);
    print_key(&out, "b");
    print_bool(&out, false);
    print_key(&out, "c");
    print_number(&out, NULL);
    print_key(&out, "d");
    print_open(&out, '{');
    print_key(&out, "y");
    print_int(&out, 1);
    print_close(&out, '}');
    print_key(&out, "e");
    print_text(&out, "ж,");
    print_key(&out, "f");
    print_int(&out, -5);
    print_close(&out, '}');
    assert_string_equal(buffer_text(&out), PQgetvalue(result, 0, 1));
    PQclear(result);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(any_text),
        cmocka_unit_test(times),
        cmocka_unit_test(numbers),
        cmocka_unit_test(commas_come_by_themselves),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
