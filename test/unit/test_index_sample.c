/*
 * Texts as pg_stat_statements shows them become SQL: what is made is compared with what was written by hand, and
 * the grammar of PostgreSQL has to take it.
 */
#include "support/test.h"

#include "base/json.h"
#include "index/sample/sample_part.h"

static const char *const mended[][2] = {
    { "SELECT now() - interval $1", "SELECT now() - $1::interval" },
    { "SELECT interval $1 day", "SELECT $1::interval day" },
    { "SELECT interval $1 day to second(3), 1", "SELECT $1::interval day to second(3), 1" },
    { "SELECT interval(3) $1", "SELECT $1::interval(3)" },
    { "SELECT timestamp with time zone $1, time(2) without time zone $2",
        "SELECT $1::timestamp with time zone, $2::time(2) without time zone" },
    { "SELECT x AT TIME ZONE $1", "SELECT x AT TIME ZONE $1" },
    { "SELECT date $1 + 1, uuid $2, \"My\".\"type\" $3",
        "SELECT $1::date + 1, $2::uuid, $3::\"My\".\"type\"" },
    { "SELECT character varying(10) $1, national character $2, double precision $3",
        "SELECT $1::character varying(10), $2::national character, $3::double precision" },
    { "SELECT EXTRACT($1 FROM a), extract(day from b)",
        "SELECT pg_catalog.extract($1, a), pg_catalog.extract('day', b)" },
    { "SELECT extract(day from b)", "SELECT extract(day from b)" },
    { "SELECT $1 UESCAPE '!'", "SELECT $1" },
    { "SELECT a=$1and b=$2or c", "SELECT a=$1 and b=$2 or c" },
    { "SELECT 'interval $1and', \"date $1\", $x$interval $1$x$ /* date $1 */ FROM a$1",
        "SELECT 'interval $1and', \"date $1\", $x$interval $1$x$ /* date $1 */ FROM a$1" },
    { "SELECT 'it''s $1and' WHERE a=$1and E'\\'$2or' = $2or b",
        "SELECT 'it''s $1and' WHERE a=$1 and E'\\'$2or' = $2 or b" },
    { "SELECT a FROM t WHERE b IN ($1 /*, ... */) LIMIT $2 OFFSET $3",
        "SELECT a FROM t WHERE b IN ($1 /*, ... */) LIMIT $2 OFFSET $3" },
    { "SELECT a FROM t ORDER BY b FETCH FIRST $1 ROWS ONLY",
        "SELECT a FROM t ORDER BY b FETCH FIRST $1 ROWS ONLY" },
    { "SELECT sum(a) OVER (ROWS $1 PRECEDING), CAST($2 AS date), position($3 in b)",
        "SELECT sum(a) OVER (ROWS $1 PRECEDING), CAST($2 AS date), position($3 in b)" },
};

static void
mends_what_is_no_sql(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(mended); i++) {
        struct sample_text text = { .sql = mended[i][0] };
        json_t *tree CLEANUP(json_release) = NULL;

        sample_mend(ctx, &text);
        assert_string_equal(text.sql, mended[i][1]);
        if (!sql_parse(ctx, text.sql, &tree))
            fail_msg("%s: %s", text.sql, ctx->error.message);
        assert_int_equal(text.mended.count > 0, strcmp(mended[i][0], mended[i][1]) != 0);
    }
}

static const char *const unified[][2] = {
    { "SELECT date_trunc($1, t), count(*) FROM x WHERE date_trunc($2, t) > $3 GROUP BY"
      " date_trunc($4, t) ORDER BY date_trunc($5, t) DESC",
        "SELECT date_trunc($1, t), count(*) FROM x WHERE date_trunc($2, t) > $3 GROUP BY"
        " date_trunc($1, t) ORDER BY date_trunc($1, t) DESC" },
    { "SELECT a ->> $1 FROM x GROUP BY a ->> 'k', b",
        "SELECT a ->> 'k' FROM x GROUP BY a ->> 'k', b" },
    { "SELECT a FROM x GROUP BY a", NULL },
    { "SELECT (SELECT f($1, b) FROM y GROUP BY f($2, b)), g($3) FROM x GROUP BY g($3)",
        "SELECT (SELECT f($1, b) FROM y GROUP BY f($1, b)), g($3) FROM x GROUP BY g($3)" },
};

static void
unifies_expressions(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(unified); i++) {
        struct sample_text text = { .sql = unified[i][0] };

        assert_int_equal(sample_unify(ctx, &text), unified[i][1] != NULL);
        assert_string_equal(text.sql, unified[i][1] ? unified[i][1] : unified[i][0]);
    }
}

static void
cuts_pieces(void **state)
{
    struct ctx *ctx = *state;
    struct text_list values = { 0 };
    int64_t when;

    assert_string_equal(sample_piece(ctx->arena, "abcdefghijk", true), "abcdef");
    assert_string_equal(sample_piece(ctx->arena, "abcdefghijk", false), "defgh");
    assert_string_equal(sample_piece(ctx->arena, "abc", true), "ab");
    assert_string_equal(sample_piece(ctx->arena, "", true), "");
    assert_string_equal(sample_piece(ctx->arena, "a_b%c\\d", true), "a\\_b\\%c\\\\");
    assert_string_equal(sample_piece(ctx->arena, "äöüßéèê", true), "äöüßéè");
    assert_string_equal(sample_word(ctx->arena, "-- (a) longest, word"), "longest");
    assert_null(sample_word(ctx->arena, "--"));
    text_list_add(ctx->arena, &values, "a\"b");
    text_list_add(ctx->arena, &values, "c\\,d");
    assert_string_equal(sample_array_of(ctx->arena, &values), "{\"a\\\"b\",\"c\\\\,d\"}");
    assert_string_equal(sample_first_element(ctx->arena, "{\"a\\\"b\",c}"), "a\"b");
    assert_string_equal(sample_first_element(ctx->arena, "{ab,c}"), "ab");
    assert_null(sample_first_element(ctx->arena, "{}"));
    assert_null(sample_first_element(ctx->arena, "{NULL}"));
    assert_string_equal(
        sample_lower_bound(ctx->arena, "[\"2026-01-01 00:00:00+00\",)"), "2026-01-01 00:00:00+00");
    assert_null(sample_lower_bound(ctx->arena, "empty"));
    assert_null(sample_lower_bound(ctx->arena, "(,3)"));
    assert_true(sample_read_time("2026-01-02 03:04:05.6+00", &when));
    assert_int_equal(when, 1767323045); /* date -u -d '2026-01-02 03:04:05' +%s */
    assert_false(sample_read_time("infinity", &when));
    assert_false(sample_read_time("0044-03-15 BC", &when));
}

static void
reads_documents(void **state)
{
    static const char document[] = "{\"n\": 3, \"kind\": \"a\", \"deep\": {\"k\": [5, \"six\"]}}";
    struct ctx *ctx = *state;
    struct text_list keys = { 0 };

    assert_string_equal(sample_json_key(ctx, document, false), "kind");
    assert_string_equal(sample_json_key(ctx, document, true), "n");
    assert_string_equal(sample_json_part(ctx, document), "{\"kind\":\"a\"}");
    assert_null(sample_json_part(ctx, "{}"));
    assert_string_equal(sample_json_part(ctx, "[[1], 2]"), "[[1]]");
    text_list_add(ctx->arena, &keys, "deep");
    text_list_add(ctx->arena, &keys, "k");
    text_list_add(ctx->arena, &keys, "1");
    assert_string_equal(sample_json_at(ctx, document, &keys, false), "six");
    assert_null(sample_json_at(ctx, document, &keys, true));
    assert_null(sample_json_at(ctx, "{\"deep\": 1}", &keys, false));
    assert_null(sample_json_at(ctx, "no document", &keys, false));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(mends_what_is_no_sql),
        test_with_ctx(unifies_expressions),
        test_with_ctx(cuts_pieces),
        test_with_ctx(reads_documents),
    };

    return cmocka_run_group_tests_name("index sample", tests, NULL, NULL);
}
