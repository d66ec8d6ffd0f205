/* How statements search, against what one reads in them. */
#include "support/test.h"

#include "vector/target/target.h"

/* What a statement is to be read as; NULL column: it is no search. */
struct expected {
    const char *sql;
    const char *table;
    const char *column;
    const char *operator;
    const char *equal;   /* names with blanks between */
    const char *filters; /* "importance>=5 …" with ? for a parameter */
    int limit;           /* -1: no LIMIT, 0: a parameter */
};

static const char *
filters_text(struct ctx *ctx, const struct vector_shape *shape)
{
    struct text_list texts = { 0 };

    for (size_t i = 0; i < shape->filters.count; i++) {
        const struct vector_filter *filter = &shape->filters.items[i];

        text_list_add(ctx->arena, &texts,
            arena_printf(ctx->arena, "%s%s%s", filter->column, filter->operator,
                filter->value ? filter->value : "?"));
    }
    return text_list_join(ctx->arena, &texts, " ");
}

static void
check(struct ctx *ctx, const struct expected *expected)
{
    struct vector_shape shape;

    print_message("# %s\n", expected->sql);
    assert_true(vector_shape_read(ctx, expected->sql, &shape));
    assert_int_equal(shape.is_search, expected->column != NULL);
    if (!expected->column)
        return;
    if (expected->table)
        assert_string_equal(shape.table, expected->table);
    else
        assert_null(shape.table);
    assert_string_equal(shape.column, expected->column);
    assert_string_equal(shape.operator, expected->operator);
    assert_string_equal(text_list_join(ctx->arena, &shape.equal, " "), expected->equal);
    assert_string_equal(filters_text(ctx, &shape), expected->filters);
    assert_int_equal(shape.has_limit ? shape.limit : -1, expected->limit);
}

static void
check_all(struct ctx *ctx, const struct expected *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(ctx, &expected[i]);
}

static void
test_plain_searches(void **state)
{
    static const struct expected cases[] = {
        { "SELECT id FROM ke WHERE assistant_id = $1 AND importance >= $2"
          " ORDER BY embedding <=> $3 LIMIT $4",
            "ke", "embedding", "<=>", "assistant_id", "assistant_id=? importance>=?", 0 },
        { "select * from public.ke order by $1::vector <-> embedding limit 5", "public.ke",
            "embedding", "<->", "", "", 5 },
        { "select * from \"Мои чанки\" t where 7 <= t.\"Вес\" order by t.\"Вектор\" <#> '[1,2]'"
          " fetch first 3 rows only",
            "\"Мои чанки\"", "Вектор", "<#>", "", "Вес>=7", 3 },
        { "SELECT id FROM ke ORDER BY embedding <+> $1", "ke", "embedding", "<+>", "", "", -1 },
        { "SELECT id FROM ke ORDER BY (embedding)::halfvec(1536) OPERATOR(public.<=>)"
          " ($1)::halfvec(1536) LIMIT 10",
            "ke", "embedding", "<=>", "", "", 10 },
        { "SELECT id FROM ke ORDER BY subvector(embedding, 1, 256)::vector(256) <=> $1 LIMIT 7",
            "ke", "embedding", "<=>", "", "", 7 },
        { "SELECT id FROM ke WHERE a = 'x' AND b < 2.5 AND c > -1 AND d = true AND e IS NOT NULL"
          " ORDER BY embedding <=> $1 LIMIT ALL",
            "ke", "embedding", "<=>", "a d", "a=x b<2.5 c>-1 d=true", 0 },
        { "SELECT id FROM ke WHERE n BETWEEN 0 AND $1 ORDER BY v <=> $2 LIMIT 1", "ke", "v", "<=>",
            "", "n>=0 n<=?", 1 },
        { "SELECT id FROM ke WHERE (a = $1 OR b = $2) AND NOT c = $3 ORDER BY v <=> $4", "ke", "v",
            "<=>", "", "", -1 },
        { "SELECT id FROM ke WHERE a = (SELECT id FROM me WHERE name = $1) AND a2 = b2"
          " ORDER BY v <=> $2",
            "ke", "v", "<=>", "a", "a=?", -1 },
    };

    check_all(*state, cases, COUNT_OF(cases));
}

static void
test_names_and_numbers_in_order_by(void **state)
{
    static const struct expected cases[] = {
        { "SELECT id, embedding <=> $1 AS distance FROM ke ORDER BY distance LIMIT 10", "ke",
            "embedding", "<=>", "", "", 10 },
        { "SELECT id, embedding <=> $1 FROM ke ORDER BY 2 LIMIT 10", "ke", "embedding", "<=>", "",
            "", 10 },
        { "SELECT id, 1 - (embedding <=> $1) AS similarity FROM ke ORDER BY similarity DESC"
          " LIMIT 4",
            "ke", "embedding", "<=>", "", "", 4 },
        { "SELECT * FROM (SELECT id, embedding <-> $1 AS d FROM ke WHERE t = $2) s ORDER BY d"
          " LIMIT 4",
            NULL, "embedding", "<->", "t", "t=?", 4 },
    };

    check_all(*state, cases, 3);
    /* The outer SELECT sorts, the column is the inner one's. */
    check(*state, &(struct expected){ cases[3].sql, "ke", "embedding", "<->", "t", "t=?", 4 });
}

static void
test_nested_searches(void **state)
{
    static const struct expected cases[] = {
        { "WITH near AS (SELECT id, embedding <=> $1 AS d FROM ke WHERE assistant_id = $2"
          " ORDER BY embedding <=> $1 LIMIT 50) SELECT id, 0.6 * (1 - d) AS score FROM near"
          " ORDER BY score DESC LIMIT $3",
            "ke", "embedding", "<=>", "assistant_id", "assistant_id=?", 50 },
        { "SELECT * FROM (SELECT * FROM ke WHERE tenant = 4) s WHERE s.kind = 2"
          " ORDER BY s.embedding <=> $1 LIMIT 6",
            "ke", "embedding", "<=>", "tenant", "tenant=4", 6 },
        { "SELECT t.id FROM (SELECT id FROM ke WHERE assistant_id = $1 ORDER BY bq <~> $2 LIMIT 100)"
          " s JOIN ke t USING (id) ORDER BY t.embedding <=> $3 LIMIT 10",
            "ke", "embedding", "<=>", "assistant_id", "assistant_id=?", 10 },
        { "SELECT k.id FROM documents d JOIN public.ke k ON k.doc_id = d.id AND k.lang = 'ru'"
          " WHERE k.assistant_id = $1 AND d.size > 5 ORDER BY k.embedding <=> $2 LIMIT 10",
            "public.ke", "embedding", "<=>", "assistant_id lang", "assistant_id=? lang=ru", 10 },
        { "SELECT q.id, n.id FROM questions q CROSS JOIN LATERAL (SELECT id FROM ke WHERE"
          " ke.tenant = q.tenant ORDER BY q.vector <=> ke.embedding LIMIT 8) n",
            "ke", "embedding", "<=>", "tenant", "tenant=?", 8 },
        { "(SELECT id FROM a ORDER BY v <=> $1 LIMIT 2) UNION ALL"
          " (SELECT id FROM b ORDER BY v <=> $1 LIMIT 3)",
            "a", "v", "<=>", "", "", 2 },
        { "INSERT INTO log SELECT id FROM ke ORDER BY v <=> $1 LIMIT 2", "ke", "v", "<=>", "", "",
            2 },
        { "DECLARE c CURSOR FOR SELECT id FROM ke ORDER BY v <=> $1", "ke", "v", "<=>", "", "",
            -1 },
        { "WITH RECURSIVE r AS (SELECT * FROM r) SELECT * FROM r ORDER BY r.v <=> $1", NULL, "v",
            "<=>", "", "", -1 },
    };

    check_all(*state, cases, COUNT_OF(cases));
}

static void
test_statistics_text(void **state)
{
    /* What pg_stat_statements shows is not always SQL. */
    static const struct expected cases[] = {
        { "SELECT id FROM ke WHERE created_at > now() - interval $1 AND a = $2"
          " ORDER BY v <=> $3 LIMIT $4",
            "ke", "v", "<=>", "a", "created_at>? a=?", 0 },
        { "SELECT id FROM ke WHERE created_at > timestamp $1 ORDER BY v <=> $2", "ke", "v", "<=>",
            "", "created_at>?", -1 },
    };

    check_all(*state, cases, COUNT_OF(cases));
}

static void
test_no_searches(void **state)
{
    static const char *const texts[] = {
        "",
        ";",
        "SELECT",
        "SELECT 1",
        "no SQL <=> at all",
        "SELECT id FROM ke WHERE embedding <=> $1 < 0.5",
        "SELECT id FROM ke WHERE embedding <=> $1 < 0.5 ORDER BY id",
        "SELECT id FROM ke ORDER BY bits <~> $1",
        "SELECT id FROM ke ORDER BY importance, embedding <=> $1",
        "EXPLAIN SELECT id FROM ke ORDER BY embedding <=> $1",
        "EXPLAIN (ANALYZE) SELECT id FROM ke ORDER BY embedding <=> $1",
        "CREATE INDEX ON ke USING hnsw (embedding vector_cosine_ops)",
        "SELECT * FROM search_embeddings_basic($1, $2, $3, $4)",
        "SELECT id FROM ke ORDER BY $1 <=> $2",
        "SELECT id FROM ke ORDER BY 99",
        "SELECT id FROM ke ORDER BY 0",
        "SELECT $1 <=> $2",
        "UPDATE ke SET a = 1 WHERE b = 2",
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct vector_shape shape;

        print_message("# %s\n", texts[i]);
        assert_true(vector_shape_read(ctx, texts[i], &shape));
        assert_false(shape.is_search);
        assert_int_equal(ctx->error.kind, ERR_NONE);
    }
}

/* What each parameter stands for, so that the statement can be tried with values. */
static void
test_parameters(void **state)
{
    static const char sql[] =
        "SELECT id FROM ke WHERE assistant_id = $2 AND $3 <= importance AND embedding <=> $1 < $5"
        " ORDER BY embedding <=> $1::vector LIMIT $4";
    struct ctx *ctx = *state;
    struct vector_shape shape;
    const char *columns[6] = { NULL };
    bool is_limit[6] = { false }, is_known[6] = { false };

    assert_true(vector_shape_read(ctx, sql, &shape));
    for (size_t i = 0; i < shape.parameters.count; i++) {
        const struct vector_parameter *parameter = &shape.parameters.items[i];

        assert_in_range(parameter->number, 1, 5);
        is_known[parameter->number] = true;
        columns[parameter->number] = parameter->column;
        is_limit[parameter->number] = parameter->is_limit;
    }
    assert_true(is_known[1] && !columns[1] && !is_limit[1]);
    assert_string_equal(columns[2], "assistant_id");
    assert_string_equal(columns[3], "importance");
    assert_true(is_limit[4] && !is_limit[2]);
    /* A bound on the distance is nothing that a value is known for. */
    assert_false(is_known[5]);
}

static void
test_indirect(void **state)
{
    struct ctx *ctx = *state;
    struct vector_shape shape;

    assert_true(
        vector_shape_read(ctx, "SELECT id FROM ke ORDER BY 1 - (v <=> $1) DESC LIMIT 3", &shape));
    assert_true(shape.is_search && shape.is_indirect);
    assert_true(vector_shape_read(ctx, "SELECT id FROM ke ORDER BY v <=> $1 LIMIT 3", &shape));
    assert_true(shape.is_search && !shape.is_indirect);
}

/* Property: whatever is cut out of or put into a statement, reading it neither fails nor crashes. */
static void
test_broken_statements(void **state)
{
    static const char *const texts[] = {
        "WITH near AS (SELECT id, e <=> $1 AS d FROM public.ke k WHERE k.a = $2 AND b BETWEEN 1 AND"
        " 2 ORDER BY e <=> $1 LIMIT 50) SELECT id, 0.6 * (1 - d) s FROM near ORDER BY s DESC",
        "SELECT * FROM (SELECT * FROM ke UNION SELECT * FROM x) s JOIN LATERAL (SELECT 1) y ON true"
        " WHERE s.kind = 'a' ORDER BY (s.e)::halfvec(3) OPERATOR(public.<->) $1, 2 LIMIT $2",
        "DELETE FROM ke USING a WHERE ke.id = a.id AND created > now() - interval $1",
    };
    static const char pieces[] = "()$1<=>'\"., ;=ORDER BY\n\\-/*E";
    struct test_random random = test_random_new();

    (void)state;

    for (int round = 0; round < 4000; round++) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct ctx own = { .arena = arena };
        const char *text = texts[test_random_below(&random, COUNT_OF(texts))];
        char *copy = arena_strdup(arena, text);
        size_t length = strlen(copy);
        struct vector_shape shape;

        for (size_t i = test_random_below(&random, 4); i < 4; i++)
            copy[test_random_below(&random, length)] =
                pieces[test_random_below(&random, sizeof(pieces) - 1)];
        if (test_random_below(&random, 3) == 0)
            copy[test_random_below(&random, length)] = '\0';
        assert_true(vector_shape_read(&own, copy, &shape));
        assert_int_equal(own.error.kind, ERR_NONE);
        assert_true(!shape.is_search || (shape.column && shape.operator));
    }
}

/* Deep nesting, as machines write it. */
static void
test_deep_statement(void **state)
{
    struct ctx *ctx = *state;
    struct buffer sql = { .arena = ctx->arena };
    struct vector_shape shape;

    for (int i = 0; i < 200; i++)
        buffer_add(&sql, "SELECT * FROM (");
    buffer_add(&sql, "SELECT * FROM ke ORDER BY e <=> $1");
    for (int i = 0; i < 200; i++)
        buffer_printf(&sql, ") s%d", i);
    assert_true(vector_shape_read(ctx, buffer_text(&sql), &shape));
    assert_true(!shape.is_search || strcmp(shape.column, "e") == 0);
}

static void
test_buckets(void **state)
{
    static const struct {
        int64_t rows, least, most;
        const char *name;
    } cases[] = {
        { 0, 0, 99, "below 100 rows" },
        { 99, 0, 99, "below 100 rows" },
        { 100, 100, 999, "100-999 rows" },
        { 999, 100, 999, "100-999 rows" },
        { 1000, 1000, 9999, "1,000-9,999 rows" },
        { 10000, 10000, 99999, "10,000-99,999 rows" },
        { 999999, 100000, 999999, "100,000-999,999 rows" },
        { 1000000, 1000000, INT64_MAX, "1,000,000 rows or more" },
        { INT64_MAX, 1000000, INT64_MAX, "1,000,000 rows or more" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t least, most;

        vector_bucket_bounds(cases[i].rows, &least, &most);
        assert_true(least == cases[i].least && most == cases[i].most);
        assert_string_equal(vector_bucket_name(ctx->arena, least, most), cases[i].name);
    }
}

static void
test_target_json(void **state)
{
    struct ctx *ctx = *state;
    struct vector_target target = {
        .schema = "public",
        .table = "Мои \"чанки\"",
        .table_oid = 4294967295u,
        .key = "id",
        .key_type = "bigint",
        .column = "embedding",
        .type = "halfvec",
        .dims = 1536,
        .metric = METRIC_INNER,
        .limit = 10,
        .extension_schema = "public",
        .extension_version = "0.8.0",
        .extension_number = 800,
        .rows = -1,
        .toast_bytes = INT64_C(9000000000),
        .is_toasted = true,
        .found_in = "options",
    };
    struct vector_target back;
    struct vector_filter filter = { .column = "n", .type = "integer", .value = "5" };
    json_t *json, *again;

    filter.operator= ">=";
    VEC_PUSH(ctx->arena, &target.filters, filter);
    json = vector_target_to_json(&target);
    assert_true(vector_target_from_json(ctx, json, &back));
    assert_string_equal(back.table, target.table);
    assert_int_equal(back.metric, METRIC_INNER);
    assert_null(back.tenant);
    assert_true(back.rows == -1 && back.table_oid == target.table_oid && back.is_toasted);
    assert_true(back.toast_bytes == target.toast_bytes);
    assert_int_equal(back.filters.count, 1);
    assert_string_equal(back.filters.items[0].operator, ">=");
    again = vector_target_to_json(&back);
    assert_true(json_equal(json, again));
    json_decref(again);

    json_object_set_new(json, "metric", json_string("hamming"));
    assert_false(vector_target_from_json(ctx, json, &back));
    assert_error(ctx, ERR_INPUT, "\"hamming\" is not a distance");
    json_object_set_new(json, "metric", json_string("l2"));
    json_object_set_new(json, "dims", json_string("many"));
    assert_false(vector_target_from_json(ctx, json, &back));
    assert_error(ctx, ERR_INPUT, "many");
    json_object_del(json, "dims");
    json_object_del(json, "column");
    assert_false(vector_target_from_json(ctx, json, &back));
    assert_error(ctx, ERR_INPUT, "\"column\"");
    json_decref(json);
    assert_false(vector_target_from_json(ctx, NULL, &back));
    assert_error(ctx, ERR_INPUT, "JSON object");
}

static void
test_metrics(void **state)
{
    enum vector_metric metric = METRIC_COUNT;

    (void)state;
    assert_true(vector_metric_of("<=>", &metric));
    assert_int_equal(metric, METRIC_COSINE);
    assert_string_equal(vector_metric_class(metric), "cosine_ops");
    assert_true(vector_metric_of("<->", &metric));
    assert_string_equal(vector_metric_name(metric), "l2");
    assert_false(vector_metric_of("<~>", &metric));
    assert_false(vector_metric_of("", &metric));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_plain_searches),
        test_with_ctx(test_names_and_numbers_in_order_by),
        test_with_ctx(test_nested_searches),
        test_with_ctx(test_statistics_text),
        test_with_ctx(test_no_searches),
        test_with_ctx(test_parameters),
        test_with_ctx(test_indirect),
        test_with_ctx(test_broken_statements),
        test_with_ctx(test_deep_statement),
        test_with_ctx(test_buckets),
        test_with_ctx(test_target_json),
        test_with_ctx(test_metrics),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
