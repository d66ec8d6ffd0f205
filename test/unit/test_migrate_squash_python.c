#include "support/test.h"

#include "migrate/squash/write_python.h"

/*
 * What goes in and what must be written, so that sa.text() of SQLAlchemy 1.4.46 and 2.0.40 gives
 * back the first; asked of both.
 */
static const struct {
    const char *sql;
    const char *escaped; /* NULL: cannot be said */
} texts[] = {
    { "'a:b'", "'a:b'" },
    { "':b'", "'\\:b'" },
    { "'x'::text", "'x'::text" },
    { "'{\"a\":1}'", "'{\"a\"\\:1}'" },
    { "':abc:'", "':abc:'" },
    { "':::b'", "':::b'" },
    { "'a\\:b'", "'a\\\\:b'" },
    { "'\\:b:'", "'\\:b:'" },
    { "'\\\\:b'", "'\\\\\\:b'" },
    { "':c$d'", "'\\:c$d'" },
    { "'100% %s %(x)s'", "'100% %s %(x)s'" },
    { "':ж'", "'\\:ж'" },
    { "'é:b'", "'é\\:b'" },
    { "':ж:'", NULL },
    { "':😀b:'", NULL },
    { "12:30", "12:30" },
};

static void
sqlalchemy_gives_the_text_back(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *found = py_escape_sql(ctx->arena, texts[i].sql);

        if (!text_equal(found, texts[i].escaped))
            fail_msg("%s: %s", texts[i].sql, found ? found : "NULL");
    }
}

static void
what_cannot_be_said_is_ddl(void **state)
{
    struct ctx *ctx = *state;
    bool needs_sa = false;

    assert_string_equal(
        py_execute(ctx->arena, "SELECT 1", &needs_sa), "    op.execute(\"SELECT 1\")");
    assert_false(needs_sa);
    assert_string_equal(py_execute(ctx->arena, "SELECT ':ж: 5%'", &needs_sa),
        "    op.execute(sa.DDL(\"SELECT ':ж: 5%%'\"))");
    assert_true(needs_sa);
}

/* Lines move to the right only where no text goes over their ends. */
static void
texts_of_several_lines_stay_as_they_are(void **state)
{
    struct ctx *ctx = *state;
    bool needs_sa = false;

    assert_string_equal(py_execute(ctx->arena, "SELECT 1,\n    'a'", &needs_sa),
        "    op.execute(\n        \"\"\"\n        SELECT 1,\n            'a'\n        \"\"\"\n    )");
    assert_string_equal(py_execute(ctx->arena, "SELECT 'a\nb'", &needs_sa),
        "    op.execute(\n        \"\"\"\nSELECT 'a\nb'\n\"\"\"\n    )");
    assert_string_equal(py_execute(ctx->arena, "SELECT $x$\n\\d\"\n$x$", &needs_sa),
        "    op.execute(\n        r\"\"\"\nSELECT $x$\n\\d\"\n$x$\n\"\"\"\n    )");
    assert_string_equal(py_execute(ctx->arena, "SELECT '\r\n\"\"\"'", &needs_sa),
        "    op.execute(\n        \"\"\"\nSELECT '\\r\n\\\"\"\"'\n\"\"\"\n    )");
}

static void
literals_are_quoted(void **state)
{
    struct ctx *ctx = *state;

    assert_string_equal(py_literal(ctx->arena, "it's"), "\"it's\"");
    assert_string_equal(py_literal(ctx->arena, "say \"hi\""), "'say \"hi\"'");
    assert_string_equal(py_literal(ctx->arena, "'\"\\\n\t\x01ж"), "\"'\\\"\\\\\\n\\t\\x01ж\"");
}

static void
long_calls_have_an_argument_a_line(void **state)
{
    struct ctx *ctx = *state;
    struct buffer out = { .arena = ctx->arena };
    struct py *call = py_call(ctx->arena, "sa.text"), *list = py_sequence(ctx->arena);
    struct py *outer = py_call(ctx->arena, "op.x");

    py_add_string(ctx->arena, call, NULL,
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen");
    py_add_string(ctx->arena, list, NULL, "a");
    py_add(ctx->arena, outer, "where", call);
    py_add(ctx->arena, outer, NULL, list);
    py_write(&out, outer, 4);
    assert_string_equal(buffer_text(&out),
        "op.x(\n"
        "        where=sa.text(\n"
        "            \"one two three four five six seven eight nine ten eleven twelve thirteen fourteen \"\n"
        "            \"fifteen\"\n"
        "        ),\n"
        "        [\"a\"],\n"
        "    )");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(sqlalchemy_gives_the_text_back),
        test_with_ctx(what_cannot_be_said_is_ddl),
        test_with_ctx(texts_of_several_lines_stay_as_they_are),
        test_with_ctx(literals_are_quoted),
        test_with_ctx(long_calls_have_an_argument_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
