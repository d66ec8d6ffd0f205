/* Quoting names and texts as the server does it. */
#include "support/test.h"

#include "db/db.h"
#include "db/ident.h"

struct bench {
    struct ctx ctx;
    struct db *db;
};

static const char *const odd_names[] = { "", "a", "A", "_", "a1", "1a", "a$", "a b", " ", "a\"b",
    "\"", "\"\"", "a.b", "a;b", "--", "/*", "a\nb", "a\tb", "a\\b", "'", "a'b", "$1", "%s", "%I",
    "über", "Таблица", "名前", "🙂", "\xc2\xa0", "a\xcc\x88", "\x01", "\x7f", "NULL", "Null",
    "we\"ird; DROP TABLE items; --", "x\") ON other (\"y",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk" };

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);
    struct db_options options = {
        .database = "postgres", .application = "test", .access = ACCESS_READ
    };

    bench->ctx.arena = arena;
    if (!db_open(&bench->ctx, &options, &bench->db))
        fail_msg("%s", bench->ctx.error.message);
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;

    db_close(bench->db);
    arena_free(bench->ctx.arena);
    return 0;
}

static const char *
ask(struct bench *bench, const char *sql, const char *param)
{
    const char *value = NULL;

    if (!db_value(&bench->ctx, bench->db, sql, &param, param ? 1 : 0, &value))
        fail_msg("%s: %s", sql, bench->ctx.error.message);
    return value;
}

static void
same_as_server(struct bench *bench, const char *name)
{
    const char *wanted = ask(bench, "SELECT pg_catalog.quote_ident($1::text)", name);

    assert_string_equal(db_ident(bench->ctx.arena, name), wanted);
}

/* A word that a later version will reserve may be quoted too early, never too late. */
static void
keywords_are_quoted_as_by_the_server(void **state)
{
    struct bench *bench = *state;
    struct result words;

    if (!db_query(&bench->ctx, bench->db, "SELECT word FROM pg_catalog.pg_get_keywords()", NULL, 0,
            &words))
        fail_msg("%s", bench->ctx.error.message);
    assert_true(words.rows > 400);
    for (size_t i = 0; i < words.rows; i++) {
        const char *word = result_cell(&words, i, 0);
        const char *wanted = ask(bench, "SELECT pg_catalog.quote_ident($1::text)", word);
        const char *got = db_ident(bench->ctx.arena, word);

        if (strcmp(got, wanted) != 0 && *got != '"')
            fail_msg("%s is not quoted; the server writes %s", word, wanted);
    }
}

static void
odd_names_are_quoted_as_by_the_server(void **state)
{
    for (size_t i = 0; i < COUNT_OF(odd_names); i++)
        same_as_server(*state, odd_names[i]);
}

/* A random text from characters that mean something to somebody. */
static const char *
random_text(struct arena *arena, struct test_random *random)
{
    static const char *const parts[] = { "a", "Z", "0", "_", "\"", "'", "\\", ";", "-", " ", "\n",
        "é", "Ж", "$", "%", ".", "(", ")", "E", "U&", "/*", "*/" };
    struct buffer buffer = { .arena = arena };
    size_t length = test_random_below(random, 12);

    for (size_t i = 0; i < length; i++)
        buffer_add(&buffer, parts[test_random_below(random, COUNT_OF(parts))]);
    return buffer_text(&buffer);
}

static void
random_names_are_quoted_as_by_the_server(void **state)
{
    struct bench *bench = *state;
    struct test_random random = test_random_new();

    for (int i = 0; i < 1000; i++)
        same_as_server(bench, random_text(bench->ctx.arena, &random));
}

static void
literals_come_back_as_they_were(void **state)
{
    struct bench *bench = *state;
    struct test_random random = test_random_new();

    for (int i = 0; i < 500; i++) {
        const char *text = random_text(bench->ctx.arena, &random);
        const char *sql =
            arena_printf(bench->ctx.arena, "SELECT %s", db_literal(bench->ctx.arena, text));

        assert_string_equal(ask(bench, sql, NULL), text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keywords_are_quoted_as_by_the_server),
        cmocka_unit_test(odd_names_are_quoted_as_by_the_server),
        cmocka_unit_test(random_names_are_quoted_as_by_the_server),
        cmocka_unit_test(literals_come_back_as_they_were),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
