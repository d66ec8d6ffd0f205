/* What the rules see in a statement, without a server. */
#include "support/test.h"

#include "queries/rewrite/shape.h"

static void
read_shape(struct ctx *ctx, const char *sql, struct shape *ret)
{
    if (!shape_begin(ctx, sql, ret))
        fail_msg("%s: %s", sql, ctx->error.message);
}

static void
parameters_are_found_where_they_stand(void **state)
{
    struct ctx *ctx = *state;
    const char *texts[] = { "k.key", "$2::text", "(k.key::int)", "7" };
    struct shape shape;

    read_shape(ctx,
        " /* $4 */ SELECT a, '$5', \"$6\", $1 FROM t -- $7\n WHERE b = $2 AND c = $1::int AND $$$8$$ = $03;",
        &shape);
    assert_int_equal(shape.params.count, 4);
    assert_int_equal(shape.params.items[0].number, 1);
    assert_true(shape.params.items[0].is_alone);
    assert_false(shape.params.items[1].is_alone);
    assert_true(shape.params.items[2].is_cast);
    assert_int_equal(shape.params.items[3].number, 3);
    assert_string_equal(shape_splice(ctx->arena, &shape, texts),
        "SELECT a, '$5', \"$6\", k.key FROM t -- $7\n WHERE b = $2::text AND c = (k.key::int)::int"
        " AND $$$8$$ = 7");
    assert_true(shape_has_word(&shape, "T"));
    assert_true(shape_has_word(&shape, "$6"));
    assert_false(shape_has_word(&shape, "k"));
    shape_end(&shape);
}

static void
typed_constants_become_casts(void **state)
{
    static const char *const texts[][2] = {
        { "SELECT a FROM t WHERE b > now() - interval $1",
            "SELECT a FROM t WHERE b > now() - $1::interval" },
        { "SELECT a FROM t WHERE b > timestamp with time zone $2 AND c LIKE $1",
            "SELECT a FROM t WHERE b > $2::timestamp with time zone AND c LIKE $1" },
        { "SELECT a FROM t WHERE b BETWEEN date $1 AND date $2 LIMIT $3",
            "SELECT a FROM t WHERE b BETWEEN $1::date AND $2::date LIMIT $3" },
        { "SELECT interval $1 day, CAST($2 AS date), $3::date, json $4 -> 'a' FROM t",
            "SELECT interval $1 day, CAST($2 AS date), $3::date, $4::json -> 'a' FROM t" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct shape shape;

        read_shape(ctx, texts[i][0], &shape);
        assert_string_equal(shape.sql, texts[i][1]);
        shape_end(&shape);
    }
}

static void
what_does_more_than_read_is_told(void **state)
{
    static const char *const texts[][2] = {
        { "SELECT 1", NULL },
        { "VALUES (1)", NULL },
        { "TABLE t", NULL },
        { "(SELECT 1) UNION (SELECT 2 ORDER BY 1)", NULL },
        { "UPDATE t SET a = 1", "writes (UPDATE)" },
        { "SELECT * FROM (WITH x AS (INSERT INTO t VALUES (1) RETURNING a) SELECT a FROM x) y",
            "writes (INSERT)" },
        { "SELECT a INTO b FROM t", "writes a table (INTO)" },
        { "SELECT a FROM t UNION ALL (SELECT a FROM t FOR NO KEY UPDATE)",
            "locks rows (FOR UPDATE or SHARE)" },
        { "SELECT (SELECT a FROM t TABLESAMPLE system (1) LIMIT 1)",
            "takes a random sample (TABLESAMPLE)" },
        { "CALL f()", "is no SELECT" },
        { "BEGIN", "is no SELECT" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct shape shape;

        read_shape(ctx, texts[i][0], &shape);
        if (!text_equal(shape.refusal, texts[i][1]))
            fail_msg("%s: %s", texts[i][0], shape.refusal ? shape.refusal : "nothing");
        shape_end(&shape);
    }
}

static void
rows_are_counted_by_form(void **state)
{
    static const struct {
        const char *sql;
        bool has_aggregate;
        bool is_set;
        enum shape_rows rows;
    } cases[] = {
        { "SELECT a FROM t", false, false, SHAPE_MANY },
        { "SELECT a FROM t LIMIT 1", false, false, SHAPE_ONE_AT_MOST },
        { "SELECT a FROM t UNION SELECT 2 LIMIT 1", false, false, SHAPE_ONE_AT_MOST },
        { "SELECT a FROM t LIMIT 2", false, false, SHAPE_MANY },
        { "SELECT a FROM t LIMIT $1", false, false, SHAPE_MANY },
        { "SELECT a FROM t ORDER BY a FETCH FIRST 1 ROW WITH TIES", false, false, SHAPE_MANY },
        { "SELECT a FROM t ORDER BY a FETCH FIRST ROW ONLY", false, false, SHAPE_ONE_AT_MOST },
        { "SELECT count(*) FROM t", true, false, SHAPE_ONE },
        { "SELECT count(*) FROM t LIMIT 0", true, false, SHAPE_ONE_AT_MOST },
        { "SELECT count(*) FROM t OFFSET 1", true, false, SHAPE_ONE_AT_MOST },
        { "SELECT count(*) FROM t HAVING count(*) > 1", true, false, SHAPE_ONE_AT_MOST },
        { "SELECT count(*) FROM t GROUP BY a", true, false, SHAPE_MANY },
        { "SELECT count(*) OVER () FROM t", true, false, SHAPE_MANY },
        { "SELECT count(*) FROM t UNION SELECT 1", true, false, SHAPE_MANY },
        { "SELECT unnest(array_agg(a)) FROM t", true, true, SHAPE_MANY },
        { "SELECT EXISTS (SELECT 1 FROM t)", false, false, SHAPE_ONE },
        { "SELECT 1 WHERE $1", false, false, SHAPE_ONE_AT_MOST },
        { "SELECT generate_series(1, 3)", false, true, SHAPE_MANY },
        { "VALUES (1), (2)", false, false, SHAPE_MANY },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct shape shape;

        read_shape(ctx, cases[i].sql, &shape);
        if (shape_rows_of(&shape, cases[i].has_aggregate, cases[i].is_set) != cases[i].rows)
            fail_msg("%s", cases[i].sql);
        shape_end(&shape);
    }
}

static void
the_key_is_found_in_one_equality(void **state)
{
    static const struct {
        const char *where;
        const char *column; /* NULL: it is not there */
        const char *whole;
    } cases[] = {
        { "b = $1", "b", "b = $1" },
        { "x AND (t.\"B c\"=$1) AND y", "t.\"B c\"", "t.\"B c\"=$1" },
        { "x AND (y AND $1 = s.t.b) AND c = $2", "s.t.b", "$1 = s.t.b" },
        { "b = $1 OR c", NULL, NULL },
        { "NOT b = $1", NULL, NULL },
        { "b = $1 AND c = $1", NULL, NULL },
        { "b = $1::int AND c", "b", "b = $1::int" },
        { "b = $1::pg_catalog.int4", "b", "b = $1::pg_catalog.int4" },
        { "b = $1::timestamp with time zone AND c", "b", "b = $1::timestamp with time zone" },
        { "(b = CAST($1 AS double precision))", "b", "b = CAST($1 AS double precision)" },
        { "b = ($1)::uuid OR NULL", NULL, NULL },
        { "b = (($1)::uuid)", "b", "b = (($1)::uuid)" },
        { "$1::uuid = t.b AND c", "t.b", "$1::uuid = t.b" },
        { "b IN ($1) AND c", "b", "b IN ($1)" },
        { "b IN ($1::int)", "b", "b IN ($1::int)" },
        { "b = ($1)", "b", "b = ($1)" },
        { "b = $1::varchar(3)", NULL, NULL },
        { "b = $1::char", NULL, NULL },
        { "b = $1::text::int", NULL, NULL },
        { "b::text = $1::text", NULL, NULL },
        { "b IN ($1, 2)", NULL, NULL },
        { "b NOT IN ($1)", NULL, NULL },
        { "b + 1 = $1", NULL, NULL },
        { "b[1] = $1", NULL, NULL },
        { "b <> $1", NULL, NULL },
        { "b OPERATOR(s.=) $1", NULL, NULL },
        { "b = ANY ($1)", NULL, NULL },
        { "b = $1 COLLATE \"C\"", NULL, NULL },
        { "b = (SELECT c WHERE c = $1)", NULL, NULL },
        { "b IS NOT DISTINCT FROM $1", NULL, NULL },
        { "b = /* a */ $1", NULL, NULL },
        { "(b, c) = ($1, 2)", NULL, NULL },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct shape_equality found;
        struct shape shape;

        read_shape(
            ctx, arena_printf(ctx->arena, "SELECT a FROM t WHERE %s", cases[i].where), &shape);
        if (!shape_key_equality(&shape, ctx->arena, 1, &found)) {
            if (cases[i].whole)
                fail_msg("%s", cases[i].where);
        } else {
            if (!cases[i].whole)
                fail_msg("%s is taken for %s = $1", cases[i].where, found.column);
            assert_string_equal(found.column, cases[i].column);
            assert_string_equal(
                arena_strndup(ctx->arena, shape.sql + found.start, found.end - found.start),
                cases[i].whole);
        }
        shape_end(&shape);
    }
}

static void
values_over_no_rows_are_known_or_refused(void **state)
{
    static const struct {
        const char *outputs;
        const char *otherwise; /* of the first; "NULL"; NULL: refused */
    } cases[] = {
        { "count(*)", "0" },
        { "pg_catalog.count(DISTINCT a) FILTER (WHERE b)", "0" },
        { "count(a)::int", "'0'" },
        { "max(a)", "NULL" },
        { "sum(a)", "NULL" },
        { "max(a)::text", "NULL" },
        { "coalesce(max(a), 7)", "7" },
        { "coalesce(max(a)::text, 'none')", "'none'" },
        { "coalesce(count(a), 7)", "0" },
        { "string_agg(a, ',' ORDER BY b)", "NULL" },
        { "coalesce(max(a), -1)", NULL },
        { "coalesce(max(a), min(b))", NULL },
        { "coalesce(max(a), 7)::text", NULL },
        { "coalesce(max(a), NULL)", NULL },
        { "coalesce(max(a), $2)", NULL },
        { "string_agg(a, ',')", NULL },
        { "array_agg(a)", NULL },
        { "sum(a)::text", NULL },
        { "other.count(*)", NULL },
        { "count(*) + 1", NULL },
        { "count(*) > 0", NULL },
        { "max(a) OVER ()", NULL },
        { "mode() WITHIN GROUP (ORDER BY a)", NULL },
        { "lower(max(a))", NULL },
        { "1", NULL },
        { "a", NULL },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct shape_aggregates found;
        struct shape shape;
        const char *why;

        read_shape(ctx, arena_printf(ctx->arena, "SELECT %s FROM t WHERE b = $1", cases[i].outputs),
            &shape);
        why = shape_why_not_grouped(&shape, ctx->arena, &found);
        if ((why == NULL) != (cases[i].otherwise != NULL))
            fail_msg("%s: %s", cases[i].outputs, why ? why : "taken");
        if (!why)
            assert_string_equal(
                found.items[0].is_null ? "NULL" : found.items[0].otherwise, cases[i].otherwise);
        shape_end(&shape);
    }
}

static void
plain_rows_are_told_from_others(void **state)
{
    static const char *const texts[][2] = {
        { "SELECT a FROM t WHERE b = $1", NULL },
        { "SELECT a FROM t, (SELECT 1 LIMIT 1) x WHERE b = $1 ORDER BY lower(a) DESC", NULL },
        { "SELECT a FROM t WHERE b = $1 LIMIT 3", "has LIMIT" },
        { "SELECT a FROM t WHERE b = $1 OFFSET 3", "has OFFSET" },
        { "SELECT DISTINCT a FROM t WHERE b = $1", "has DISTINCT" },
        { "SELECT a FROM t WHERE b = $1 GROUP BY a", "has GROUP BY" },
        { "SELECT rank() OVER w FROM t WHERE b = $1 WINDOW w AS ()", "has a window function" },
        { "SELECT rank() OVER () FROM t WHERE b = $1", "has a window function" },
        { "WITH x AS (SELECT 1) SELECT a FROM t WHERE b = $1", "has WITH" },
        { "SELECT a FROM t WHERE b = $1 EXCEPT SELECT 1", "has UNION, INTERSECT or EXCEPT" },
        { "SELECT a FROM t WHERE b = $1 ORDER BY 1", "is ordered by the place of an output" },
        { "(SELECT a FROM t WHERE b = $1)", "is no SELECT … FROM … WHERE" },
        { "VALUES (1)", "is VALUES" },
        { "TABLE t", "is no SELECT … FROM … WHERE" },
    };
    struct ctx *ctx = *state;
    struct shape shape;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        read_shape(ctx, texts[i][0], &shape);
        if (!text_equal(shape_why_not_plain(&shape, false), texts[i][1]))
            fail_msg("%s: %s", texts[i][0], shape_why_not_plain(&shape, false));
        shape_end(&shape);
    }

    /* Where a word goes in: behind SELECT ALL, and behind its own ORDER BY and no other. */
    read_shape(ctx,
        "/* x */ SELECT /* y */ ALL a FROM (SELECT 1 ORDER BY 1) x WHERE b = $1 ORDER  BY c",
        &shape);
    assert_string_equal(shape.sql + shape_order_start(&shape), " c");
    assert_true(text_starts_with(shape.sql + shape_outputs_start(&shape), " a FROM"));
    shape_end(&shape);
}

static void
names_of_from_are_collected(void **state)
{
    static const char *const ranges[] = { "t", "u", "x", "y", "f", "w" };
    struct ctx *ctx = *state;
    struct text_list fixed;
    struct shape shape;

    read_shape(ctx,
        "WITH w AS (SELECT 1) SELECT a FROM t JOIN s.t2 AS u ON true, (SELECT 1) AS x(i),"
        " LATERAL g(1) AS f WHERE EXISTS (SELECT FROM w AS y)",
        &shape);
    for (size_t i = 0; i < COUNT_OF(ranges); i++)
        if (!text_list_has(&shape.ranges, ranges[i]))
            fail_msg("%s", ranges[i]);
    shape_fixed_columns(&shape, ctx->arena, &fixed);
    assert_int_equal(fixed.count, 0);
    shape_end(&shape);

    read_shape(ctx,
        "SELECT a FROM t WHERE t.b = $1 AND ('x' = c AND d = e) AND f = $2 + 1 AND (g = 1 OR h = 2)",
        &shape);
    shape_fixed_columns(&shape, ctx->arena, &fixed);
    assert_string_equal(text_list_join(ctx->arena, &fixed, " "), "b c");
    shape_end(&shape);
}

static void
what_is_no_statement_is_an_error(void **state)
{
    static const char *const texts[] = { "", ";", "SELECT", "SELECT 1; SELECT 2", "SELECT 'open",
        "SELEC 1", "SELECT $1 $2 FROM" };
    struct ctx *ctx = *state;

    for (size_t i = 1; i < COUNT_OF(texts); i++) {
        struct shape shape;

        error_clear(ctx);
        if (shape_begin(ctx, texts[i], &shape)) {
            /* The grammar takes a SELECT of nothing. */
            assert_string_equal(texts[i], "SELECT");
            shape_end(&shape);
            continue;
        }
        assert_int_equal(ctx->error.kind, ERR_INPUT);
        assert_non_null(ctx->error.message);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(parameters_are_found_where_they_stand),
        test_with_ctx(typed_constants_become_casts),
        test_with_ctx(what_does_more_than_read_is_told),
        test_with_ctx(rows_are_counted_by_form),
        test_with_ctx(the_key_is_found_in_one_equality),
        test_with_ctx(values_over_no_rows_are_known_or_refused),
        test_with_ctx(plain_rows_are_told_from_others),
        test_with_ctx(names_of_from_are_collected),
        test_with_ctx(what_is_no_statement_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
