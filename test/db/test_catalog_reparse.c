/* Conditions in the server's wording, given to the server again: they must come out the same. */
#include "support/test.h"

#include "catalog/reparse.h"
#include "db/db.h"

static const char *const conditions[] = {
    "code IN ('a', 'b')",
    "code NOT IN ('a', 'it''s', '])::text[]')",
    "code IN ('a', 'b') OR name IN ('x')",
    "code = ANY (ARRAY['a', 'b'])",
    "code = ANY (ARRAY['a'::varchar, upper('b')::varchar])",
    "code IN ('a', \"odd ] name\", 'b')",
    "fixed IN ('a', 'b')",
    "plain IN ('a', 'b')",
    "n IN (1, 2, 3)",
    "n IN (1, 2.5)",
    "(code IN ('a', 'b')) = (name IN ('c', 'd'))",
    "code = ANY ((ARRAY['a', 'b'])::text[])",
    "CASE WHEN code IN ('a', 'b') THEN n IN (1, 2) ELSE false END",
    "tags <@ (ARRAY['a'::varchar, 'b'::varchar])::text[]",
    "code IN ('$$a', '$$')",
};

static const char *
definition_of(struct ctx *ctx, struct db *db, const char *condition)
{
    const char *text = NULL;

    assert_true(db_exec(ctx, db, "DROP TABLE IF EXISTS pg_temp.reparse"));
    if (!db_exec(ctx, db,
            arena_printf(ctx->arena,
                "CREATE TEMPORARY TABLE reparse (code varchar(20), name varchar, plain text, "
                "fixed char(3), n int, tags text[], \"odd ] name\" varchar, CONSTRAINT c CHECK (%s))",
                condition)) ||
        !db_value(ctx, db,
            "SELECT pg_catalog.pg_get_expr(conbin, conrelid) FROM pg_catalog.pg_constraint "
            "WHERE conrelid = 'pg_temp.reparse'::regclass AND conname = 'c'",
            NULL, 0, &text))
        fail_msg("%s: %s", condition, ctx->error.message);
    return text;
}

static void
test_comes_out_the_same(void **state)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct db *db CLEANUP(db_cleanup) = NULL;
    const struct db_options options = { .access = ACCESS_WRITE };
    size_t changed = 0;

    (void)state;
    if (!db_open(&ctx, &options, &db))
        fail_msg("%s", ctx.error.message);
    for (size_t i = 0; i < COUNT_OF(conditions); i++) {
        const char *first = definition_of(&ctx, db, conditions[i]);
        const char *second = definition_of(&ctx, db, sql_reparsable(arena, first));

        changed += strcmp(first, definition_of(&ctx, db, first)) != 0;
        assert_string_equal(first, second);
    }
    /* Without the casts the server itself does not give the same. */
    assert_true(changed > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_comes_out_the_same) };

    return cmocka_run_group_tests_name("catalog_reparse", tests, NULL, NULL);
}
