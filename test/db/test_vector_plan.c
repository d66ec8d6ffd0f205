/*
 * A choice as changes: in which order, what the server makes of them, and that the plan of a
 * database that has them already has nothing to do. The test applies the statements itself.
 */
#include "test_vector_plan_support.h"

enum { DIMS = 64, ROWS = 3000 };

static const char *const set_up_sql[] = {
    "SELECT pg_catalog.setseed(0.5)",
    "CREATE TABLE public.chunks (id serial PRIMARY KEY, assistant_id int, importance int NOT NULL"
    " DEFAULT 10, chunk_text text, lang pg_catalog.regconfig, embedding \"Ext\".vector(64))",
    "INSERT INTO public.chunks (assistant_id, importance, chunk_text, lang, embedding)"
    " SELECT pg_catalog.floor(20 * pg_catalog.pow(pg_catalog.random(), 3))::int, 1 + g % 10,"
    " 'Оплата картой номер ' || g, CASE WHEN g % 2 = 0 THEN 'russian' ELSE 'english'"
    " END::pg_catalog.regconfig,"
    " (SELECT ('[' || pg_catalog.string_agg((pg_catalog.random() - .5)::text, ',') ||"
    " ']')::\"Ext\".vector FROM pg_catalog.generate_series(1, 64 + 0 * g))"
    " FROM pg_catalog.generate_series(1, 3000) AS g",
    "ANALYZE public.chunks",
    "CREATE SCHEMA \"Чат \"\"1\"",
    "CREATE TABLE \"Чат \"\"1\".\"Очень длинное имя таблицы №1\" (\"ключ\" bigint PRIMARY KEY,"
    " \"чей?\" text, \"текст\" text, \"вектор\" \"Ext\".vector(64))",
    "INSERT INTO \"Чат \"\"1\".\"Очень длинное имя таблицы №1\""
    " SELECT id, 'o''' || assistant_id, chunk_text, embedding FROM public.chunks WHERE id <= 300",
};

static int
set_up(void **state)
{
    struct bench *bench = bench_new("vector_plan", "Ext");

    for (size_t i = 0; i < COUNT_OF(set_up_sql); i++)
        bench_exec(bench, set_up_sql[i]);
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

static struct vector_filter filters[] = { { "importance", "integer", ">=", "5" } };

static struct vector_target
plain_target(void)
{
    return (struct vector_target){ .schema = "public",
        .table = "chunks",
        .key = "id",
        .key_type = "integer",
        .column = "embedding",
        .type = "vector",
        .dims = DIMS,
        .tenant = "assistant_id",
        .tenant_type = "integer",
        .filters = { filters, 1, 1 },
        .limit = 10,
        .text = "chunk_text",
        .text_config = "russian",
        .importance = "importance",
        .extension_schema = "Ext",
        .extension_version = "0.8.0",
        .extension_number = 800,
        .rows = ROWS,
        .storage = "extended",
        .is_nullable = true };
}

static struct vector_target
hard_target(void)
{
    struct vector_target target = plain_target();

    target.schema = "Чат \"1";
    target.table = "Очень длинное имя таблицы №1";
    target.key = "ключ";
    target.key_type = "bigint";
    target.column = "вектор";
    target.tenant = "чей?";
    target.tenant_type = "text";
    target.filters.count = 0;
    target.text = "текст";
    target.importance = NULL;
    return target;
}

static const struct vector_method by_bits = { .family = FAMILY_BITS, .candidates = 40 };
static const struct vector_method by_hnsw = { .family = FAMILY_HNSW,
    .m = 16,
    .ef_construction = 64,
    .ef_search = 100,
    .iteration = ITERATE_RELAXED,
    .with_btree = true };

static struct vector_choice
choice_of(struct bench *bench, struct vector_target target, struct vector_method method)
{
    struct vector_choice choice;
    struct vector_expectation expected = { .bucket = "100-999 rows",
        .least_rows = 100,
        .most_rows = 999,
        .measure = { .queries = 20, .recall = { .99, .97, 1 } } };

    vector_choice_exact(bench->ctx.arena, &target, &choice);
    choice.base = method;
    choice.was_measured = true;
    VEC_PUSH(bench->ctx.arena, &choice.expected, expected);
    return choice;
}

/* "2 add column, 2 create trigger, …", of what is pending: runs of the same kind. */
static const char *
kinds_of(struct bench *bench, const struct plan *plan)
{
    struct buffer text = { .arena = bench->ctx.arena };
    size_t count = 0;

    for (size_t i = 0; i < plan->count; i++) {
        bool is_last =
            i + 1 == plan->count || !text_equal(plan->items[i].kind, plan->items[i + 1].kind);

        count += change_is_pending(&plan->items[i]);
        if (!is_last)
            continue;
        if (count > 0)
            buffer_printf(
                &text, "%s%zu %s", text.length > 0 ? ", " : "", count, plan->items[i].kind);
        count = 0;
    }
    return buffer_text(&text);
}

static const char *
index_definition(struct bench *bench, const char *name)
{
    return bench_value(bench, arena_printf(bench->ctx.arena,
                                  "SELECT pg_catalog.pg_get_indexdef(c.oid) FROM "
                                  "pg_catalog.pg_class AS c WHERE c.relname = %s",
                                  db_literal(bench->ctx.arena, name)));
}

/*
 * What was recorded, planned again: everything is there already. Of fillings only the journal
 * knows, and this test does not write it.
 */
static void
assert_planned_again(struct bench *bench, const struct plan *before)
{
    json_t *json CLEANUP(json_release) = NULL;
    struct vector_choice choice;
    struct plan plan;

    must(bench,
        json_parse(&bench->ctx, "record", must_find(before, KIND_RECORD, NULL)->definition, &json));
    must(bench, vector_choice_from_json(&bench->ctx, json, &choice));
    plan = plan_choice(bench, &choice, true);
    assert_string_equal(kinds_of(bench, &plan), "2 fill column, 1 vacuum");
}

static void
bits_and_text(void **state)
{
    struct bench *bench = *state;
    struct vector_choice choice = choice_of(bench, plain_target(), by_bits);
    struct plan plan = plan_choice(bench, &choice, true);
    const struct change *index;

    assert_true(text_starts_with(kinds_of(bench, &plan),
        "2 add column, 2 create trigger, 2 fill column, 1 create index, 1 vacuum, "));
    assert_true(text_ends_with(kinds_of(bench, &plan), " create function, 1 record"));
    must_find(&plan, KIND_COLUMN, "embedding_bits");
    /* Compressed values would make each ranking slower. */
    assert_string_equal(must_find(&plan, KIND_COLUMN, "chunk_text_tsv")->storage, "MAIN");
    must_find(&plan, KIND_FUNCTION, "search_embeddings_basic");
    must_find(&plan, KIND_RECORD, "vector:public.chunks.embedding");
    apply(bench, &plan);
    index = must_find(&plan, KIND_INDEX, NULL);
    assert_string_equal(index_definition(bench, index->name),
        arena_printf(bench->ctx.arena, "CREATE INDEX %s ON public.chunks %s", index->name,
            index->definition));

    /* What stands there is what pgvector and the server make of each row, old ones and new. */
    bench_exec(bench, "INSERT INTO public.chunks (chunk_text, embedding) SELECT 'Новая оплата', "
                      "embedding FROM public.chunks WHERE id = 1");
    bench_exec(bench, "UPDATE public.chunks SET embedding = (SELECT embedding FROM public.chunks "
                      "WHERE id = 2), chunk_text = 'Другие слова' WHERE id = 3");
    bench_exec(bench, "INSERT INTO public.chunks (chunk_text, embedding) VALUES (NULL, NULL)");
    assert_string_equal(
        bench_value(bench, "SELECT pg_catalog.count(*) FROM public.chunks WHERE embedding_bits IS "
                           "DISTINCT FROM \"Ext\".binary_quantize(embedding)::bit(64) OR "
                           "chunk_text_tsv IS DISTINCT FROM to_tsvector('russian', chunk_text)"),
        "0");
    assert_string_equal(bench_value(bench, "SELECT pg_catalog.count(*) FROM public.chunks "
                                           "WHERE chunk_text_tsv @@ to_tsquery('russian', "
                                           "'оплатить')"),
        "3000");
    assert_planned_again(bench, &plan);
}

/* A text too long for a tsvector must not keep the application from writing the row. */
static void
a_very_long_text_is_taken(void **state)
{
    struct bench *bench = *state;

    bench_fails(bench,
        "SELECT to_tsvector('russian', pg_catalog.string_agg('слово' || g, ' ')) FROM "
        "pg_catalog.generate_series(1, 200000) AS g",
        "too long for tsvector");
    bench_exec(bench,
        "INSERT INTO public.chunks (chunk_text) SELECT pg_catalog.string_agg('слово' || g, ' ') "
        "FROM pg_catalog.generate_series(1, 200000) AS g");
    /* Four bytes a letter, all words different. */
    bench_exec(bench,
        "INSERT INTO public.chunks (chunk_text) SELECT pg_catalog.string_agg(pg_catalog.chr(66304 +"
        " g / 400) || pg_catalog.chr(66304 + g % 400) || '𐌀𐌁', ' ') "
        "FROM pg_catalog.generate_series(1, 100000) AS g");
    assert_string_equal(
        bench_value(bench, "SELECT pg_catalog.count(*) FROM public.chunks WHERE "
                           "pg_catalog.length(chunk_text) > 400000 AND chunk_text_tsv @@ 'слово7'"),
        "1");
    bench_exec(bench, "DELETE FROM public.chunks WHERE pg_catalog.length(chunk_text) > 10000");
}

/* The column that a generated column or the server's own trigger keeps true is used as it is. */
static void
a_stored_text_column_is_used(void **state)
{
    static const struct {
        const char *make;
        const char *unmake;
        bool is_used;
        const char *trigger;
    } cases[] = {
        { "ALTER TABLE chunks ADD COLUMN own tsvector GENERATED ALWAYS AS "
          "(to_tsvector('russian', coalesce(chunk_text, ''))) STORED",
            "ALTER TABLE chunks DROP COLUMN own", true },
        { "ALTER TABLE chunks ADD COLUMN own tsvector GENERATED ALWAYS AS "
          "(to_tsvector('english', chunk_text)) STORED",
            "ALTER TABLE chunks DROP COLUMN own", false },
        { "ALTER TABLE chunks ADD COLUMN own tsvector GENERATED ALWAYS AS "
          "(to_tsvector('russian', assistant_id::text)) STORED",
            "ALTER TABLE chunks DROP COLUMN own", false },
        { "ALTER TABLE chunks ADD COLUMN own tsvector", "ALTER TABLE chunks DROP COLUMN own",
            false },
        { "ALTER TABLE chunks ADD COLUMN own tsvector", "ALTER TABLE chunks DROP COLUMN own", true,
            "CREATE TRIGGER own BEFORE INSERT OR UPDATE ON chunks FOR EACH ROW EXECUTE "
            "FUNCTION tsvector_update_trigger(own, 'pg_catalog.russian', chunk_text)" },
    };
    struct bench *bench = *state;
    struct vector_choice choice = choice_of(bench, plain_target(), by_bits);

    bench_exec(bench, "SET search_path = public");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bench_exec(bench, cases[i].make);
        if (cases[i].trigger)
            bench_exec(bench, cases[i].trigger);

        struct plan plan = plan_choice(bench, &choice, false);
        const struct change *record = must_find(&plan, KIND_RECORD, NULL);
        const char *wanted =
            cases[i].is_used ? "\"text_column\":\"own\"" : "\"text_column\":\"chunk_text_tsv\"";

        if (!strstr(record->definition, wanted))
            fail_msg("%s: %s", cases[i].make, record->definition);
        assert_true(!find(&plan, KIND_COLUMN, "chunk_text_tsv") == cases[i].is_used);
        if (cases[i].trigger)
            bench_exec(bench, "DROP TRIGGER own ON chunks");
        bench_exec(bench, cases[i].unmake);
    }
    bench_exec(bench, "SET search_path = pg_catalog, pg_temp");
}

static void
a_configuration_for_each_row(void **state)
{
    struct bench *bench = *state;
    struct vector_target target = plain_target();
    struct vector_choice choice;
    struct plan plan;
    const struct change *fill;

    target.text_config = "lang";
    target.is_config_column = true;
    choice = choice_of(bench, target, by_bits);
    plan = plan_choice(bench, &choice, false);
    fill = must_find(&plan, KIND_FILL, "chunk_text_tsv");
    assert_string_equal(bench_value(bench, arena_printf(bench->ctx.arena,
                                               "SELECT pg_catalog.count(*) FROM public.chunks WHERE"
                                               " lang IS NOT NULL AND (%s) IS DISTINCT FROM"
                                               " to_tsvector(lang, chunk_text)",
                                               fill->expression)),
        "0");
    target.text_config = "klingon";
    target.is_config_column = false;
    choice = choice_of(bench, target, by_bits);
    assert_false(vector_choice_plan(&bench->ctx, bench->db, &choice, "public", true, &plan));
    assert_error(&bench->ctx, ERR_SERVER, "klingon");
    error_clear(&bench->ctx);
}

static bool
drops(struct bench *bench, const struct vector_choice *choice, const char *name)
{
    struct plan plan = plan_choice(bench, choice, true);
    const struct change *drop = find(&plan, KIND_DROP, name);

    if (drop)
        assert_ptr_equal(drop, &plan.items[plan.count - 1]);
    plan = plan_choice(bench, choice, false);
    assert_null(find(&plan, KIND_DROP, NULL));
    return drop != NULL;
}

/* Last, and only approximate indexes on this very column that the choice does not use. */
static void
old_indexes_go_last(void **state)
{
    static const struct {
        const char *definition;
        bool goes_with_bits;
        bool goes_with_hnsw;
    } cases[] = {
        { "USING ivfflat (embedding \"Ext\".vector_cosine_ops) WITH (lists = 5)", true, true },
        { "USING hnsw ((embedding::\"Ext\".halfvec(64)) \"Ext\".halfvec_l2_ops)", true, true },
        { "USING hnsw (embedding \"Ext\".vector_cosine_ops) WITH (m = 16, ef_construction = 64)",
            true, false },
        { "USING hnsw (embedding \"Ext\".vector_cosine_ops) WHERE assistant_id = 3", true, true },
        { "USING hnsw ((\"Ext\".subvector(embedding, 1, 8)::\"Ext\".vector(8)) "
          "\"Ext\".vector_l2_ops)",
            true, true },
        { "USING btree (assistant_id, importance, embedding_bits)", false, false },
        { "USING btree (embedding \"Ext\".vector_ops)", false, false },
        { "USING hnsw (other \"Ext\".vector_cosine_ops)", false, false },
    };
    struct bench *bench = *state;
    struct vector_choice bits = choice_of(bench, plain_target(), by_bits);
    struct vector_choice hnsw = choice_of(bench, plain_target(), by_hnsw);

    bench_exec(bench, "ALTER TABLE public.chunks ADD COLUMN other \"Ext\".vector(8)");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bench_exec(bench, arena_printf(bench->ctx.arena, "CREATE INDEX old ON public.chunks %s",
                              cases[i].definition));
        if (drops(bench, &bits, "old") != cases[i].goes_with_bits ||
            drops(bench, &hnsw, "old") != cases[i].goes_with_hnsw)
            fail_msg("%s", cases[i].definition);
        bench_exec(bench, "DROP INDEX public.old");
    }
    bench_exec(bench, "ALTER TABLE public.chunks DROP COLUMN other");
}

static const struct change *
drop_of_shared(struct bench *bench, struct plan *plan)
{
    struct vector_choice choice = choice_of(bench, plain_target(), by_bits);

    *plan = plan_choice(bench, &choice, true);
    return must_find(plan, KIND_DROP, "shared");
}

/* An index that searches of all tenants go through stays, and the plan says why. */
static void
an_index_of_other_searches_stays(void **state)
{
    static const char reset[] = "SELECT public.pg_stat_statements_reset()";
    static const char by_tenant[] = "SELECT id FROM public.chunks WHERE assistant_id = 3 ORDER BY "
                                    "embedding OPERATOR(\"Ext\".<=>) (SELECT embedding FROM "
                                    "public.chunks WHERE id = 1) LIMIT 10";
    static const char of_all[] =
        "SELECT id FROM public.chunks ORDER BY embedding OPERATOR(\"Ext\".<=>)"
        " (SELECT embedding FROM public.chunks WHERE id = 1) LIMIT 10";
    struct bench *bench = *state;
    struct plan plan;
    const struct change *drop;

    bench_exec(bench, "CREATE INDEX shared ON public.chunks USING hnsw (embedding "
                      "\"Ext\".vector_cosine_ops) WITH (m = 5)");
    bench_exec(bench, "CREATE EXTENSION pg_stat_statements SCHEMA public");
    bench_exec(bench, reset);
    bench_exec(bench, by_tenant);
    assert_true(change_is_pending(drop_of_shared(bench, &plan)));
    bench_exec(bench, of_all);
    drop = drop_of_shared(bench, &plan);
    assert_int_equal(drop->action, ACTION_NONE);
    assert_non_null(strstr(drop->problem, "without assistant_id"));
    bench_exec(bench, reset);
    assert_true(change_is_pending(drop_of_shared(bench, &plan)));

    /* Nobody can tell who scanned it. */
    bench_exec(bench, "SET enable_seqscan = off");
    bench_exec(bench, of_all);
    bench_exec(bench, "RESET enable_seqscan");
    bench_exec(bench, "SELECT pg_stat_force_next_flush()");
    bench_exec(bench, "DROP EXTENSION pg_stat_statements");
    drop = drop_of_shared(bench, &plan);
    assert_int_equal(drop->action, ACTION_NONE);
    assert_non_null(strstr(drop->problem, "is not known"));
    bench_exec(bench, "DROP INDEX public.shared");
}

/* Undoing a drop gives the index back as it was. */
static void
a_drop_can_be_undone(void **state)
{
    struct bench *bench = *state;
    struct vector_choice choice = choice_of(bench, plain_target(), by_bits);
    const char *before;
    struct plan plan;
    const struct change *drop;

    bench_exec(bench,
        "CREATE INDEX \"o'ld\" ON public.chunks USING hnsw ((embedding::\"Ext\".halfvec(64)) "
        "\"Ext\".halfvec_cosine_ops) WITH (m = 8) WHERE importance > 3");
    before = index_definition(bench, "o'ld");
    plan = plan_choice(bench, &choice, true);
    drop = must_find(&plan, KIND_DROP, "o'ld");
    bench_exec(bench, drop->statement);
    assert_null(index_definition(bench, "o'ld"));
    bench_exec(bench, drop->undo);
    assert_string_equal(index_definition(bench, "o'ld"), before);
    bench_exec(bench, "DROP INDEX public.\"o'ld\"");
}

/* An index for one tenant: its size is that of the tenant, not of the table. */
static void
an_index_for_a_tenant(void **state)
{
    struct bench *bench = *state;
    struct vector_choice choice =
        choice_of(bench, plain_target(), (struct vector_method){ .family = FAMILY_EXACT });
    struct vector_special special = { .method = by_hnsw };
    const char *built = NULL;
    struct plan plan;

    choice.target.text = NULL;
    special.method.scope = SCOPE_TENANT;
    text_list_add(bench->ctx.arena, &special.tenants, "0");
    text_list_add(bench->ctx.arena, &special.tenants, "7");
    VEC_PUSH(bench->ctx.arena, &choice.specials, special);
    plan = plan_choice(bench, &choice, false);
    apply(bench, &plan);
    for (size_t i = 0; i < plan.count; i++) {
        const struct change *change = &plan.items[i];
        int64_t bytes;

        if (!change_is_of(change, KIND_INDEX))
            continue;
        built = bench_value(bench,
            arena_printf(bench->ctx.arena, "SELECT pg_catalog.pg_relation_size(%s::regclass)",
                db_literal(bench->ctx.arena, change_object(bench->ctx.arena, change))));
        assert_true(text_to_int64(built, &bytes));
        if (change->bytes < bytes / 2 - 16384 || change->bytes > bytes * 2 + 32768)
            fail_msg("%s: %lld bytes were estimated, it has %lld", change->name,
                (long long)change->bytes, (long long)bytes);
    }
    assert_non_null(built);
    plan = plan_choice(bench, &choice, false);
    assert_string_equal(kinds_of(bench, &plan), "");
    for (size_t i = 0; i < plan.count; i++)
        if (change_is_of(&plan.items[i], KIND_INDEX))
            bench_exec(bench, plan.items[i].undo);
}

/* How large an index becomes is told before it is built; wide vectors fill pages badly. */
static void
sizes_are_foreseen(void **state)
{
    static const struct {
        int dims;
        struct vector_method method;
    } cases[] = {
        { 1536, { .family = FAMILY_BITS, .candidates = 40 } },
        { 1536, { .family = FAMILY_IVFFLAT, .lists = 10, .probes = 1 } },
        { 1536, { .family = FAMILY_HNSW,
                    .element = ELEMENT_HALF,
                    .m = 8,
                    .ef_construction = 16,
                    .ef_search = 40 } },
        { 100, { .family = FAMILY_IVFFLAT, .lists = 10, .probes = 1 } },
        { 100, { .family = FAMILY_HNSW, .m = 16, .ef_construction = 32, .ef_search = 40 } },
    };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct vector_target target = plain_target();
        struct vector_choice choice;
        struct plan plan;
        int64_t bytes;
        const struct change *index = NULL;

        bench_exec(bench, arena_printf(bench->ctx.arena,
                              "CREATE TABLE public.wide (id int PRIMARY KEY, assistant_id int, "
                              "importance int, embedding \"Ext\".vector(%d))",
                              cases[i].dims));
        bench_exec(bench, arena_printf(bench->ctx.arena,
                              "INSERT INTO public.wide SELECT g, 1, 5, (SELECT "
                              "pg_catalog.array_agg(pg_catalog.random() - .5) FROM "
                              "pg_catalog.generate_series(1, %d + 0 * g))::real[]::\"Ext\".vector "
                              "FROM pg_catalog.generate_series(1, 1500) AS g",
                              cases[i].dims));
        bench_exec(bench, "ANALYZE public.wide");
        target.table = "wide";
        target.dims = cases[i].dims;
        target.text = NULL;
        choice = choice_of(bench, target, cases[i].method);
        plan = plan_choice(bench, &choice, false);
        apply(bench, &plan);
        for (size_t k = 0; k < plan.count; k++)
            if (change_is_of(&plan.items[k], KIND_INDEX))
                index = &plan.items[k];
        assert_non_null(index);
        assert_true(
            text_to_int64(bench_value(bench, arena_printf(bench->ctx.arena,
                                                 "SELECT pg_catalog.pg_relation_size('public.%s')",
                                                 db_ident(bench->ctx.arena, index->name))),
                &bytes));
        if (index->bytes < bytes * 2 / 3 || index->bytes > bytes * 3 / 2)
            fail_msg("%s: %lld bytes were estimated, it has %lld", index->definition,
                (long long)index->bytes, (long long)bytes);
        bench_exec(bench, "DROP TABLE public.wide");
    }
}

static void
names_of_every_kind(void **state)
{
    struct bench *bench = *state;
    struct vector_choice choice = choice_of(bench, hard_target(), by_bits);
    struct plan plan = plan_choice(bench, &choice, true);

    apply(bench, &plan);
    for (size_t i = 0; i < plan.count; i++)
        if (change_is_of(&plan.items[i], KIND_TRIGGER) || change_is_of(&plan.items[i], KIND_INDEX))
            assert_true(strlen(plan.items[i].name) <= 63);
    bench_exec(bench,
        "INSERT INTO \"Чат \"\"1\".\"Очень длинное имя таблицы №1\" SELECT 1000, "
        "'x', 'оплата', \"вектор\" FROM \"Чат \"\"1\".\"Очень длинное имя таблицы №1\" "
        "WHERE \"ключ\" = 1");
    assert_string_equal(
        bench_value(bench, "SELECT pg_catalog.count(*) FROM \"Чат \"\"1\".\"Очень длинное имя "
                           "таблицы №1\" WHERE \"вектор_bits\" IS DISTINCT FROM "
                           "\"Ext\".binary_quantize(\"вектор\")::bit(64) OR \"текст_tsv\" IS NULL"),
        "0");
    assert_planned_again(bench, &plan);
}

/* A role that may not do it is told in the plan, with what would help. */
static void
a_role_without_rights(void **state)
{
    struct bench *bench = *state;
    struct vector_target target = plain_target();
    struct vector_choice choice = choice_of(bench, target, by_hnsw);
    const char *role = arena_printf(bench->ctx.arena, "vector_plan_%d", (int)getpid());
    struct plan plan;

    bench_exec(bench, arena_printf(bench->ctx.arena, "CREATE ROLE %s", role));
    bench_exec(bench, arena_printf(bench->ctx.arena, "GRANT SELECT ON public.chunks TO %s", role));
    bench_exec(bench, arena_printf(bench->ctx.arena, "GRANT USAGE ON SCHEMA \"Ext\" TO %s", role));
    bench_exec(bench, arena_printf(bench->ctx.arena, "SET SESSION AUTHORIZATION %s", role));
    choice.target.text = NULL;
    plan = plan_choice(bench, &choice, true);
    bench_exec(bench, "RESET SESSION AUTHORIZATION");
    for (size_t i = 0; i < plan.count; i++) {
        if (change_is_of(&plan.items[i], KIND_RECORD) || change_is_of(&plan.items[i], KIND_VACUUM))
            continue;
        if (plan.items[i].action != ACTION_BLOCKED || !plan.items[i].remedy)
            fail_msg("%s %s is not blocked", plan.items[i].kind, plan.items[i].name);
    }
    assert_non_null(strstr(must_find(&plan, KIND_INDEX, NULL)->problem, "may not"));
    assert_non_null(
        strstr(must_find(&plan, KIND_FUNCTION, NULL)->remedy, "GRANT CREATE ON SCHEMA"));
    bench_exec(bench, arena_printf(bench->ctx.arena, "DROP OWNED BY %s", role));
    bench_exec(bench, arena_printf(bench->ctx.arena, "DROP ROLE %s", role));
}

static void
a_schema_that_is_not_there(void **state)
{
    struct bench *bench = *state;
    struct vector_choice choice = choice_of(bench, plain_target(), by_hnsw);
    struct plan plan = { 0 };

    must(bench, vector_install_plan(&bench->ctx, bench->db, &choice, "no \"such", &plan));
    assert_int_equal(must_find(&plan, KIND_FUNCTION, NULL)->action, ACTION_BLOCKED);
    assert_string_equal(
        must_find(&plan, KIND_FUNCTION, NULL)->remedy, "CREATE SCHEMA \"no \"\"such\";");
}

static void
the_functions_alone(void **state)
{
    struct bench *bench = *state;
    struct vector_choice choice;
    struct vector_target target = plain_target();
    struct plan plan = { 0 };

    vector_choice_exact(bench->ctx.arena, &target, &choice);
    must(bench, vector_install_plan(&bench->ctx, bench->db, &choice, "public", &plan));
    assert_null(plan.proof);
    for (size_t i = 0; i < plan.count; i++)
        assert_true(change_is_of(&plan.items[i], KIND_FUNCTION) ||
                    change_is_of(&plan.items[i], KIND_RECORD));
    assert_true(plan.count > 5);
}

/* The record says how large the table was; the proof carries the same choice. */
static void
the_record_and_the_proof(void **state)
{
    struct bench *bench = *state;
    struct vector_choice choice = choice_of(bench, plain_target(), by_bits);
    struct plan plan = plan_choice(bench, &choice, false);
    const char *definition = must_find(&plan, KIND_RECORD, NULL)->definition;
    json_t *proof CLEANUP(json_release) = NULL;
    json_t *record CLEANUP(json_release) = NULL;
    const char *largest = bench_value(bench,
        "SELECT pg_catalog.max(n) FROM (SELECT pg_catalog.count(embedding) AS n FROM public.chunks "
        "GROUP BY assistant_id) AS x");

    must(bench, json_parse(&bench->ctx, "proof", plan.proof, &proof));
    must(bench, json_parse(&bench->ctx, "record", definition, &record));
    assert_string_equal(json_get_text(bench->ctx.arena, proof, "kind", ""), "vector");
    assert_true(json_equal(json_object_get(proof, "choice"), record));
    must(bench, vector_choice_from_json(&bench->ctx, record, &choice));
    assert_string_equal(
        arena_printf(bench->ctx.arena, "%lld", (long long)choice.largest_rows), largest);
    assert_string_equal(choice.text_column, "chunk_text_tsv");
    assert_int_equal(choice.expected.items[0].most_rows, 999);
}

static void
ivfflat_as_the_plan_has_it(void **state)
{
    struct bench *bench = *state;
    struct vector_target target = plain_target();
    struct plan plan = { 0 };

    /* round(sqrt(2500)) = 50; rows without a vector do not count. */
    bench_exec(bench, "CREATE TABLE public.flat AS SELECT * FROM public.chunks WHERE embedding IS "
                      "NOT NULL ORDER BY id LIMIT 2500");
    bench_exec(bench, "INSERT INTO public.flat (id) SELECT g FROM pg_catalog.generate_series(1, "
                      "5000) AS g");
    target.table = "flat";
    must(bench, vector_ivfflat_plan(&bench->ctx, bench->db, &target, &plan));
    must(bench, plan_seal(&bench->ctx, bench->db, &plan));
    assert_int_equal(plan.count, 1);
    assert_null(plan.proof);
    apply(bench, &plan);
    assert_string_equal(index_definition(bench, "idx_flat_ivfflat"),
        "CREATE INDEX idx_flat_ivfflat ON public.flat USING ivfflat (embedding "
        "\"Ext\".vector_cosine_ops) WITH (lists='50')");
    plan = (struct plan){ 0 };
    must(bench, vector_ivfflat_plan(&bench->ctx, bench->db, &target, &plan));
    assert_int_equal(plan.items[0].action, ACTION_NONE);
    bench_exec(bench, plan.items[0].undo);
    assert_null(index_definition(bench, "idx_flat_ivfflat"));

    /* What the server refuses is said in its words. */
    bench_exec(bench, "ALTER TABLE public.flat ALTER COLUMN embedding TYPE \"Ext\".vector(2500) "
                      "USING NULL");
    target.dims = 2500;
    plan = (struct plan){ 0 };
    must(bench, vector_ivfflat_plan(&bench->ctx, bench->db, &target, &plan));
    assert_int_equal(plan.items[0].action, ACTION_BLOCKED);
    assert_non_null(strstr(plan.items[0].problem, "2000 dimensions"));
    bench_exec(bench, "DROP TABLE public.flat");
}

static void
a_table_that_is_gone(void **state)
{
    struct bench *bench = *state;
    struct vector_target target = plain_target();
    struct vector_choice choice;
    struct plan plan = { 0 };

    target.table = "gone";
    choice = choice_of(bench, target, by_bits);
    assert_false(vector_choice_plan(&bench->ctx, bench->db, &choice, "public", true, &plan));
    assert_error(&bench->ctx, ERR_NOT_FOUND, "public.gone");
    error_clear(&bench->ctx);
}

static void
planning_changes_nothing(void **state)
{
    static const char *const everything =
        "SELECT pg_catalog.md5(pg_catalog.string_agg(x::text, '' ORDER BY x::text)) FROM "
        "(SELECT c.oid, c.relname, c.relnatts, c.relfilenode FROM pg_catalog.pg_class AS c WHERE "
        "c.relnamespace IN ('public'::regnamespace, '\"Ext\"'::regnamespace) UNION ALL SELECT "
        "p.oid, p.proname, p.pronargs, 0 FROM pg_catalog.pg_proc AS p) AS x";
    struct bench *bench = *state;
    struct vector_choice choice = choice_of(bench, plain_target(),
        (struct vector_method){ .family = FAMILY_EXACT, .element = ELEMENT_HALF });
    const char *before = bench_value(bench, everything);
    struct plan plan = plan_choice(bench, &choice, true);

    assert_true(plan_pending(&plan) > 0);
    assert_string_equal(bench_value(bench, everything), before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planning_changes_nothing),
        cmocka_unit_test(a_role_without_rights),
        cmocka_unit_test(a_schema_that_is_not_there),
        cmocka_unit_test(a_stored_text_column_is_used),
        cmocka_unit_test(a_configuration_for_each_row),
        cmocka_unit_test(bits_and_text),
        cmocka_unit_test(a_very_long_text_is_taken),
        cmocka_unit_test(old_indexes_go_last),
        cmocka_unit_test(an_index_of_other_searches_stays),
        cmocka_unit_test(a_drop_can_be_undone),
        cmocka_unit_test(an_index_for_a_tenant),
        cmocka_unit_test(sizes_are_foreseen),
        cmocka_unit_test(names_of_every_kind),
        cmocka_unit_test(the_functions_alone),
        cmocka_unit_test(the_record_and_the_proof),
        cmocka_unit_test(ivfflat_as_the_plan_has_it),
        cmocka_unit_test(a_table_that_is_gone),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
