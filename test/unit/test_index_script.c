/* Scripts of CREATE INDEX, read before anything is sent to a server. */
#include "support/test.h"

#include "index/script.h"

static struct index_script
read_text(struct ctx *ctx, const char *text)
{
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "some.sql");
    struct index_script script = { 0 };

    assert_true(file_write(ctx, path, text, strlen(text), 0600));
    if (!index_script_read(ctx, path, &script))
        fail_msg("%s", ctx->error.message);
    assert_true(file_remove(ctx, folder));
    return script;
}

static struct script_index
read_one(struct ctx *ctx, const char *text)
{
    struct index_script script = read_text(ctx, text);

    assert_int_equal(script.count, 1);
    return script.items[0];
}

static void
the_parts_of_a_statement(void **state)
{
    struct ctx *ctx = *state;
    struct script_index index =
        read_one(ctx, "\n-- reason one\n-- reason two\n"
                      "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I 1\" ON \"S\" . \"T;\" "
                      "USING btree (a DESC) INCLUDE (b) TABLESPACE ts WHERE a > 1;");

    assert_null(index.problem);
    assert_string_equal(index.source, "some.sql:4");
    assert_string_equal(index.reason, "reason one reason two");
    assert_string_equal(index.name, "I 1");
    assert_string_equal(index.table, "\"S\" . \"T;\"");
    assert_string_equal(index.rest, " USING btree (a DESC) INCLUDE (b) TABLESPACE ts WHERE a > 1");
    assert_string_equal(index.tablespace, "ts");
    assert_true(index.is_unique);
    assert_true(index.if_not_exists);
}

static void
lines_and_reasons_are_those_of_the_statement(void **state)
{
    struct ctx *ctx = *state;
    struct index_script script = read_text(ctx, "CREATE INDEX a ON t (x); -- not of b\n"
                                                "/* ; */ CREATE INDEX b ON t (';');\n"
                                                "\n"
                                                "-- why c\n"
                                                "CREATE INDEX c ON t (y);");

    assert_int_equal(script.count, 3);
    assert_string_equal(script.items[0].source, "some.sql:1");
    assert_null(script.items[0].reason);
    assert_string_equal(script.items[1].source, "some.sql:2");
    assert_null(script.items[1].reason);
    assert_string_equal(script.items[2].source, "some.sql:5");
    assert_string_equal(script.items[2].reason, "why c");
}

static void
what_is_not_an_index_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *problem;
    } cases[] = {
        { "DO $$BEGIN NULL; END$$", "a DO block" },
        { "BEGIN", "BEGIN and COMMIT" },
        { "COMMIT", "BEGIN and COMMIT" },
        { "DROP INDEX i", "a DROP is not an index" },
        { "SELECT 1", "it is not a CREATE INDEX" },
        { "REINDEX TABLE t", "it is not a CREATE INDEX" },
        { "CREATE TABLE t (a int)", "it is not a CREATE INDEX" },
        { "CREATE INDEX ON t (a)", "the index has no name" },
        { "CREATE INDEX i ON ONLY t (a)", "ON ONLY" },
        { "CREATE INDEX i ON t (a::date)", "it does not parse" },
        { "CREATE INDEX i ON t", "it does not parse" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct script_index index = read_one(ctx, cases[i].text);

        assert_non_null(index.problem);
        if (!strstr(index.problem, cases[i].problem))
            fail_msg("%s: %s", cases[i].text, index.problem);
    }
}

/* The server and the parser cut a name after 63 bytes without a word, at a whole character. */
static void
a_name_that_would_be_cut_is_refused(void **state)
{
    static const struct {
        const char *unit;
        size_t count;
        bool is_good;
    } cases[] = {
        { "x", 63, true },
        { "x", 64, false },
        { "x", 200, false },
        { "ы", 31, true },
        { "ы", 32, false },
        { "\"\"", 63, true },
        { "\"\"", 64, false },
        { "ON ", 21, true },
        { "ON ", 22, false },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer name = { .arena = ctx->arena };

        for (size_t k = 0; k < cases[i].count; k++)
            buffer_add(&name, cases[i].unit);

        struct script_index quoted = read_one(
            ctx, arena_printf(ctx->arena,
                     "CREATE UNIQUE INDEX /* \"ON\" */ CONCURRENTLY IF NOT EXISTS \"%s\" ON t (a)",
                     buffer_text(&name)));

        if (cases[i].is_good != !quoted.problem)
            fail_msg("%zu × %s: %s", cases[i].count, cases[i].unit, quoted.problem);
        if (*cases[i].unit != 'x')
            continue;

        struct script_index plain =
            read_one(ctx, arena_printf(ctx->arena, "CREATE INDEX %s ON t (a)", buffer_text(&name)));

        assert_int_equal(cases[i].is_good, !plain.problem);
    }
}

static void
a_name_may_stand_once(void **state)
{
    struct ctx *ctx = *state;
    struct index_script script =
        read_text(ctx, "CREATE INDEX i ON t (a);\nCREATE INDEX I ON u (b);\n"
                       "CREATE INDEX \"I\" ON u (b);");

    assert_null(script.items[0].problem);
    assert_non_null(script.items[1].problem);
    assert_non_null(strstr(script.items[1].problem, "first at some.sql:1"));
    assert_null(script.items[2].problem);
}

static void
what_cannot_be_read_fails(void **state)
{
    static const struct {
        const char *data;
        size_t length;
        const char *message;
    } cases[] = {
        { "", 0, "holds no statement" },
        { "-- nothing\n;;", 13, "holds no statement" },
        { "CREATE INDEX i ON t (a)\0;", 25, "NUL byte" },
        { "CREATE INDEX \"i ON t (a)", 24, "some.sql:1:" },
    };
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "some.sql");
    struct index_script script = { 0 };

    assert_false(index_script_read(ctx, path, &script));
    assert_error(ctx, ERR_IO, "some.sql");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(file_write(ctx, path, cases[i].data, cases[i].length, 0600));
        assert_false(index_script_read(ctx, path, &script));
        assert_error(ctx, ERR_INPUT, cases[i].message);
    }
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(the_parts_of_a_statement),
        test_with_ctx(lines_and_reasons_are_those_of_the_statement),
        test_with_ctx(what_is_not_an_index_is_refused),
        test_with_ctx(a_name_that_would_be_cut_is_refused),
        test_with_ctx(a_name_may_stand_once),
        test_with_ctx(what_cannot_be_read_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
