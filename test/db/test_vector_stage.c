/* The copy: what is in it, and which questions are asked about it. */
#include "base/clock.h"
#include "db/test_vector_stage_support.h"

#define CHUNKS "\"app data\".\"Chunks\""

/* One tenant of 1500 rows, three of 200, ten of 30, twenty of 3. */
static void
fill(struct stand *stand)
{
    int tenant = 1;

    add_rows(stand, tenant++, 1500);
    while (tenant <= 4)
        add_rows(stand, tenant++, 200);
    while (tenant <= 14)
        add_rows(stand, tenant++, 30);
    while (tenant <= 34)
        add_rows(stand, tenant++, 3);
}

/* The values that fill() gives, by each of these: how many. */
static int64_t
count_of(struct stand *stand, const char *source, size_t bucket)
{
    int64_t count = 0;

    for (size_t i = 0; i < stand->stage.queries.count; i++) {
        const struct vector_query *query = &stand->stage.queries.items[i];

        count += (!source || text_equal(query->source, source)) &&
                 (bucket == SIZE_MAX || query->bucket == bucket);
    }
    return count;
}

static const char *
all_questions(struct stand *stand)
{
    struct buffer text = { .arena = stand->ctx.arena };

    for (size_t i = 0; i < stand->stage.queries.count; i++)
        buffer_printf(&text, "%s %s\n", stand->stage.queries.items[i].tenant,
            stand->stage.queries.items[i].values);
    return buffer_text(&text);
}

static bool
has_note(struct stand *stand, const char *part)
{
    for (size_t i = 0; i < stand->stage.notes.count; i++)
        if (strstr(stand->stage.notes.items[i], part))
            return true;
    return false;
}

/* In the live table: a row of this tenant with these values, by the server's own comparison. */
static const char *
key_of(struct stand *stand, const struct vector_query *query)
{
    const char *params[] = { query->values, query->tenant };
    const char *key = NULL;

    must(stand, db_value(&stand->ctx, stand->db,
                    "SELECT id FROM " CHUNKS " WHERE embedding OPERATOR(ext.=) $1 AND"
                    " assistant_id = $2",
                    params, 2, &key));
    return key;
}

static void
all_rows_come_over_but_the_questions(void **state)
{
    static const char content[] =
        "SELECT md5(string_agg(concat_ws('|', id, assistant_id, importance, chunk, embedding, size,"
        " words), ';' ORDER BY id)) FROM " CHUNKS;
    struct stand *stand = *state;
    struct vector_stage *stage = &stand->stage;
    struct buffer held = { .arena = stand->ctx.arena };

    fill(stand);
    sql(stand, "UPDATE " CHUNKS " SET embedding = NULL WHERE id = 7");
    sql(stand, "UPDATE " CHUNKS " SET assistant_id = NULL, chunk = NULL WHERE id = 8");
    must(stand, open_stage(stand));
    assert_true(stage->is_whole);
    assert_int_equal(stage->queries.count, 60);
    assert_int_equal(stage->rows, 2460 - 60);
    assert_int_equal(number_in(stand, stage->db, "SELECT count(*) FROM " CHUNKS), 2400);
    assert_int_equal(stage->target.rows, 2400);
    assert_true(stage->bytes >= stage->target.table_bytes && stage->target.table_bytes > 0);
    assert_true(has_note(stand, "1 rows have no tenant"));
    for (size_t i = 0; i < stage->queries.count; i++) {
        const char *key = key_of(stand, &stage->queries.items[i]);

        assert_non_null(key);
        buffer_printf(&held, "%s%s", i > 0 ? "," : "", key);
    }
    assert_int_equal(
        number_in(stand, stage->db,
            arena_printf(stand->ctx.arena, "SELECT count(*) FROM " CHUNKS " WHERE id IN (%s)",
                buffer_text(&held))),
        0);

    const char *copied = value_in(stand, stage->db, content);

    sql(stand, arena_printf(stand->ctx.arena, "DELETE FROM " CHUNKS " WHERE id IN (%s)",
                   buffer_text(&held)));
    assert_string_equal(copied, value_in(stand, stand->db, content));
}

static void
the_table_is_as_the_live_one(void **state)
{
    static const char columns[] =
        "SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod),"
        " attstorage::text, attcompression::text, attgenerated::text), ', ' ORDER BY attnum) FROM"
        " pg_attribute WHERE attrelid = '" CHUNKS "'::regclass AND attnum > 0";
    struct stand *stand = *state;
    struct db *db;

    fill(stand);
    must(stand, open_stage(stand));
    db = stand->stage.db;
    assert_string_equal(value_in(stand, db, columns),
        "id bigint p  , assistant_id integer p  , importance integer p  , chunk text x p ,"
        " embedding ext.vector(16) p  , size integer p  , words tsvector x  ");
    assert_true(has_note(stand, "\"mood\""));
    assert_string_equal(value_in(stand, db,
                            "SELECT collname FROM pg_attribute a JOIN pg_collation c ON c.oid ="
                            " attcollation WHERE attrelid = '" CHUNKS "'::regclass AND attname ="
                            " 'chunk'"),
        "C");
    assert_string_equal(value_in(stand, db,
                            "SELECT relpersistence::text || ' ' || (reloptions @>"
                            " '{fillfactor=80,toast_tuple_target=200}')::text FROM pg_class WHERE"
                            " oid = '" CHUNKS "'::regclass"),
        "u true");
    assert_string_equal(value_in(stand, db,
                            "SELECT string_agg(pg_get_indexdef(indexrelid), ';') FROM pg_index"
                            " WHERE indrelid = '" CHUNKS "'::regclass"),
        "CREATE UNIQUE INDEX \"Chunks_pkey\" ON \"app data\".\"Chunks\" USING btree (id)");
    assert_string_equal(
        value_in(stand, db, "SELECT extversion FROM pg_extension WHERE extname = 'vector'"),
        value_in(stand, db,
            "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"));
    assert_int_equal(
        stand->stage.target.table_oid, number_in(stand, db, "SELECT '" CHUNKS "'::regclass::oid"));
    /* VACUUM has seen all pages, ANALYZE all columns. */
    assert_string_equal(value_in(stand, db,
                            "SELECT relallvisible = relpages AND reltuples = 2400 FROM pg_class"
                            " WHERE oid = '" CHUNKS "'::regclass"),
        "t");
}

/* 20 of each bucket, as evenly as their tenants allow, and none of a tenant that is too small. */
static void
questions_are_spread_over_the_tenants(void **state)
{
    struct stand *stand = *state;
    int64_t each[40] = { 0 };

    fill(stand);
    must(stand, open_stage(stand));
    assert_int_equal(stand->stage.sizes.buckets.count, 3);
    for (size_t bucket = 0; bucket < 3; bucket++)
        assert_int_equal(count_of(stand, "held-out row", bucket), 20);
    for (size_t i = 0; i < stand->stage.queries.count; i++) {
        int64_t tenant;

        assert_true(text_to_int64(stand->stage.queries.items[i].tenant, &tenant));
        each[tenant]++;
    }
    assert_int_equal(each[1], 20);
    for (int tenant = 2; tenant <= 4; tenant++)
        assert_in_range(each[tenant], 6, 7);
    for (int tenant = 5; tenant <= 14; tenant++)
        assert_int_equal(each[tenant], 2);
    for (int tenant = 15; tenant <= 34; tenant++)
        assert_int_equal(each[tenant], 0);
}

static void
the_same_seed_asks_the_same(void **state)
{
    struct stand *stand = *state;
    const char *first;

    fill(stand);
    must(stand, open_stage(stand));
    first = all_questions(stand);
    vector_stage_close(&stand->stage);
    must(stand, open_stage(stand));
    assert_string_equal(all_questions(stand), first);
    vector_stage_close(&stand->stage);
    stand->options.seed++;
    must(stand, open_stage(stand));
    assert_string_not_equal(all_questions(stand), first);
}

/* Two rows give one away; three also give a mixture; one is asked with the row of another. */
static void
tiny_tenants_are_asked_too(void **state)
{
    struct stand *stand = *state;
    struct vector_answers answers;

    add_rows(stand, 1, 3);
    add_rows(stand, 2, 1);
    add_rows(stand, 3, 1);
    must(stand, open_stage(stand));
    assert_int_equal(count_of(stand, "held-out row", SIZE_MAX), 1);
    assert_int_equal(count_of(stand, "two rows mixed", SIZE_MAX), 1);
    assert_int_equal(count_of(stand, "row of another tenant", SIZE_MAX), 2);
    assert_int_equal(stand->stage.rows, 4);
    stand->stage.target.filters.count = 0;
    must(stand, vector_answers_load(&stand->ctx, stand->stage.db, &stand->stage.target,
                    &stand->stage.queries, NULL, &answers));
    for (size_t i = 0; i < answers.count; i++)
        assert_int_equal(
            answers.items[i].due, text_equal(stand->stage.queries.items[i].tenant, "1") ? 2 : 1);
}

static void
zero_vectors_are_no_questions_under_cosine(void **state)
{
    struct stand *stand = *state;

    add_rows(stand, 1, 40);
    sql(stand, "UPDATE " CHUNKS " SET embedding = array_fill(0, '{16}')::ext.vector WHERE id % 2 ="
               " 0");
    must(stand, open_stage(stand));
    for (size_t i = 0; i < stand->stage.queries.count; i++)
        assert_non_null(strpbrk(stand->stage.queries.items[i].values, "123456789"));
    assert_true(has_note(stand, "length zero"));
    assert_true(stand->stage.queries.count > 0);
}

/* Whole tenants, each bucket, three of each where there are three. */
static void
a_part_is_made_of_whole_tenants(void **state)
{
    struct stand *stand = *state;
    struct vector_stage *stage = &stand->stage;
    struct result result;
    int64_t buckets[3] = { 0 };

    fill(stand);
    for (int tenant = 40; tenant < 44; tenant++)
        add_rows(stand, tenant, 1000);
    stand->options.most_rows = 4200;
    must(stand, open_stage(stand));
    assert_false(stage->is_whole);
    assert_true(has_note(stand, "tenants were copied"));
    must(stand, db_query(&stand->ctx, stage->db,
                    "SELECT assistant_id, count(*) FROM " CHUNKS " GROUP BY 1", NULL, 0, &result));
    for (size_t row = 0; row < result.rows; row++) {
        const char *tenant = result_cell(&result, row, 0);
        int64_t rows, all;

        assert_true(text_to_int64(result_cell(&result, row, 1), &rows));
        for (size_t i = 0; i < stage->queries.count; i++)
            rows += text_equal(stage->queries.items[i].tenant, tenant) &&
                    text_equal(stage->queries.items[i].source, "held-out row");
        all = number_in(stand, stand->db,
            arena_printf(stand->ctx.arena,
                "SELECT count(*) FROM " CHUNKS " WHERE assistant_id = %s", tenant));
        assert_int_equal(rows, all);
        buckets[all >= 1000 ? 2 : all >= 100]++;
    }
    assert_true(buckets[0] >= 3 && buckets[1] == 3 && buckets[2] >= 3);
    assert_true(stage->rows <= 4200);
}

static void
one_giant_tenant_is_a_conflict(void **state)
{
    struct stand *stand = *state;

    fill(stand);
    stand->options.most_rows = 1499;
    assert_false(open_stage(stand));
    assert_error(&stand->ctx, ERR_CONFLICT, "a copy may hold 1 499 rows");
    assert_error(&stand->ctx, ERR_CONFLICT, "\"1,000-9,999 rows\" has 1 500");
    assert_non_null(strstr(stand->ctx.error.hint, "--sample-rows"));
    error_clear(&stand->ctx);
    /* 1500 + 200 + 3 rows are the least that has one tenant of each size. */
    stand->options.most_rows = 1702;
    assert_false(open_stage(stand));
    assert_error(&stand->ctx, ERR_CONFLICT, "one tenant of each size has 1 703");
    error_clear(&stand->ctx);
    stand->options.most_rows = 1703;
    must(stand, open_stage(stand));
    assert_int_equal(stand->stage.rows + count_of(stand, "held-out row", SIZE_MAX), 1703);
}

/* The size limit counts as the limit of rows does. */
static void
bytes_are_a_limit_too(void **state)
{
    struct stand *stand = *state;

    fill(stand);
    stand->options.most_bytes = 100000;
    assert_false(open_stage(stand));
    assert_error(&stand->ctx, ERR_CONFLICT, "a copy may hold");
}

static void
very_many_tiny_tenants_are_fine(void **state)
{
    struct stand *stand = *state;

    sql(stand,
        "INSERT INTO " CHUNKS " (assistant_id, importance, embedding) SELECT n, 5,"
        " (SELECT array_agg((n * 7919 + m * 104729) % 1000 - 500) FROM generate_series(1, 16)"
        " AS m)::ext.vector FROM generate_series(1, 100000) AS n");
    stand->options.most_rows = 30000;
    must(stand, open_stage(stand));
    assert_int_equal(stand->stage.sizes.tenants.count, 100000);
    assert_int_equal(stand->stage.rows, 30000);
    assert_int_equal(count_of(stand, "row of another tenant", 0), 20);
}

static void
a_table_without_tenants_has_one(void **state)
{
    struct stand *stand = *state;
    struct vector_answers answers;

    fill(stand);
    stand->target.tenant = NULL;
    stand->target.tenant_type = NULL;
    must(stand, open_stage(stand));
    assert_int_equal(stand->stage.queries.count, 20);
    assert_int_equal(stand->stage.rows, 2460 - 20);
    assert_null(stand->stage.queries.items[0].tenant);
    must(stand, vector_answers_load(&stand->ctx, stand->stage.db, &stand->stage.target,
                    &stand->stage.queries, NULL, &answers));
    assert_int_equal(answers.items[19].due, 10);
}

/* A tenant by name of an enumeration, and a key of a domain. */
static void
needed_columns_of_own_types_are_copied_as_what_they_are(void **state)
{
    struct stand *stand = *state;
    struct vector_answers answers;

    fill(stand);
    sql(stand, "UPDATE " CHUNKS " SET mood = 'bad' WHERE id % 3 = 0");
    stand->target.tenant = "mood";
    stand->target.tenant_type = "\"app data\".mood";
    stand->options.most_rows = 2000;
    assert_false(open_stage(stand));
    assert_error(&stand->ctx, ERR_CONFLICT, "one tenant of each size");
    error_clear(&stand->ctx);
    stand->options.most_rows = 2460;
    must(stand, open_stage(stand));
    assert_string_equal(stand->stage.target.tenant_type, "text");
    must(stand, vector_answers_load(&stand->ctx, stand->stage.db, &stand->stage.target,
                    &stand->stage.queries, NULL, &answers));
    assert_int_equal(answers.items[0].due, 10);
}

static void
nothing_to_measure_is_bad_input(void **state)
{
    struct stand *stand = *state;

    assert_false(open_stage(stand));
    assert_error(&stand->ctx, ERR_INPUT, "no row of \"app data\".\"Chunks\" has a vector");
    error_clear(&stand->ctx);
    add_rows(stand, 1, 3);
    sql(stand, "UPDATE " CHUNKS " SET assistant_id = NULL");
    assert_false(open_stage(stand));
    assert_error(&stand->ctx, ERR_INPUT, "has a tenant in column \"assistant_id\"");
    error_clear(&stand->ctx);
    sql(stand, "UPDATE " CHUNKS " SET assistant_id = 1, embedding = NULL");
    assert_false(open_stage(stand));
    assert_error(&stand->ctx, ERR_INPUT, "has a vector in column \"embedding\"");
}

/* Logged questions: whose they are is what the server says when it is asked one by one. */
static void
logged_questions_go_to_the_owner_of_the_nearest_row(void **state)
{
    struct stand *stand = *state;
    int64_t checked = 0;

    fill(stand);
    sql(stand, "CREATE TABLE public.search_cache (id int, at timestamptz, v ext.vector(16))");
    sql(stand,
        "INSERT INTO public.search_cache SELECT n, now(), (SELECT array_agg(random() - .5 + m * 0)"
        " FROM generate_series(1, 16) AS m WHERE n > 0)::ext.vector FROM"
        " generate_series(1, 30) AS n");
    sql(stand,
        "INSERT INTO public.search_cache VALUES (31, now(), array_fill(0, '{16}')::ext.vector),"
        " (32, now(), NULL)");
    must(stand, open_stage(stand));
    assert_int_equal(stand->stage.queries.count, 60);
    assert_true(has_note(stand, "1 vectors of search_cache"));
    for (size_t i = 0; i < stand->stage.queries.count; i++) {
        const struct vector_query *query = &stand->stage.queries.items[i];
        const char *params[] = { query->values };
        const char *owner;

        if (!text_equal(query->source, "search_cache"))
            continue;
        must(stand, db_value(&stand->ctx, stand->db,
                        "SELECT assistant_id FROM " CHUNKS " ORDER BY embedding OPERATOR(ext.<=>)"
                        " $1 LIMIT 1",
                        params, 1, &owner));
        assert_string_equal(query->tenant, owner);
        checked++;
    }
    assert_in_range(checked, 20, 30);
}

static void
the_column_of_questions_can_be_named(void **state)
{
    static const struct {
        const char *column;
        const char *says;
        enum error_kind kind;
    } cases[] = {
        { "heard", "TABLE.COLUMN", ERR_INPUT },
        { "heard.", "TABLE.COLUMN", ERR_INPUT },
        { "heard.w", "no column \"heard.w\" of type vector(16)", ERR_INPUT },
        { "other.heard.v", "no column", ERR_INPUT },
        { "narrow.v", "no column \"narrow.v\" of type vector(16)", ERR_INPUT },
    };
    struct stand *stand = *state;

    fill(stand);
    sql(stand, "CREATE TABLE public.heard (v ext.vector)");
    sql(stand, "CREATE TABLE public.narrow (v ext.vector(3))");
    sql(stand,
        "INSERT INTO public.heard SELECT embedding FROM " CHUNKS " WHERE assistant_id = 1 LIMIT 5");
    sql(stand, "INSERT INTO public.heard VALUES ('[1,2]')");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        stand->options.query_column = cases[i].column;
        assert_false(open_stage(stand));
        assert_error(&stand->ctx, cases[i].kind, cases[i].says);
        error_clear(&stand->ctx);
    }
    stand->options.query_column = "app data.heard.v";
    assert_false(open_stage(stand));
    error_clear(&stand->ctx);
    stand->options.query_column = "heard.v";
    must(stand, open_stage(stand));
    assert_int_equal(count_of(stand, "heard", SIZE_MAX), 5);
    assert_int_equal(count_of(stand, "heard", 2), 5);
    assert_true(has_note(stand, "1 vectors of heard"));
    vector_stage_close(&stand->stage);
    sql(stand, "ALTER TABLE public.heard RENAME TO query_log");
    stand->options.query_column = "";
    must(stand, open_stage(stand));
    assert_int_equal(count_of(stand, "held-out row", SIZE_MAX), 60);
}

static void
write_file(struct stand *stand, const char *path, const char *text)
{
    must(stand, file_write(&stand->ctx, path, text, strlen(text), 0600));
}

#define FIFTEEN "1,2,3,4,5,6,7,8,9,10,11,12,13,14,-1e-3"

static void
a_bad_file_of_questions_is_told_by_line(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        { "[" FIFTEEN ",1]\n[" FIFTEEN "]\n", "questions:2: not a vector to ask with: it has 15" },
        { "\n\n[" FIFTEEN ",1,2]\n", "questions:3: not a vector to ask with: it has 17" },
        { "[" FIFTEEN ",NaN]", "questions:1: not a vector to ask with: it holds something" },
        { "[" FIFTEEN ",inf]", "not a finite number" },
        { "[" FIFTEEN ",-Infinity]", "square brackets" },
        { "[" FIFTEEN ",1e39]", "too large" },
        { "[" FIFTEEN ",0x10]", "square brackets" },
        { "[" FIFTEEN ",]", "square brackets" },
        { "[" FIFTEEN ",1", "square brackets" },
        { "[" FIFTEEN ",1] x", "square brackets" },
        { "[]", "square brackets" },
        { "hello", "square brackets" },
        { "1\thello", "square brackets" },
        { "{" FIFTEEN ",1}", "square brackets" },
        { "", "no line" },
        { "\n \n\t\n", "no line" },
        { "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]", "no line" },
        { "77\t[" FIFTEEN ",1]", "no line" },
    };
    struct stand *stand = *state;
    const char *folder = test_folder(&stand->ctx);

    add_rows(stand, 1, 40);
    stand->options.query_file = file_join(stand->ctx.arena, folder, "questions");
    assert_false(open_stage(stand));
    assert_error(&stand->ctx, ERR_IO, "could not open");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        error_clear(&stand->ctx);
        write_file(stand, stand->options.query_file, cases[i].text);
        if (open_stage(stand))
            fail_msg("case %zu was taken", i);
        assert_error(&stand->ctx, ERR_INPUT, cases[i].says);
    }
    error_clear(&stand->ctx);
    must(stand, file_write(&stand->ctx, stand->options.query_file, "[1\0]\n", 5, 0600));
    assert_false(open_stage(stand));
    assert_error(&stand->ctx, ERR_INPUT, "questions:1: the line holds a NUL");
    error_clear(&stand->ctx);
    must(stand, file_remove(&stand->ctx, folder));
    assert_int_equal(number_in(stand, stand->admin,
                         arena_printf(stand->ctx.arena,
                             "SELECT count(*) FROM pg_database WHERE starts_with(datname,"
                             " 'pgmend_scratch_%d_')",
                             db_backend_pid(stand->admin))),
        0);
}

/* With tenants and without, DOS line ends, tenants that are not there, a vector of zeros. */
static void
a_file_of_questions_is_asked(void **state)
{
    struct stand *stand = *state;
    const char *folder = test_folder(&stand->ctx);
    struct buffer text = { .arena = stand->ctx.arena };
    const char *row;

    fill(stand);
    row = value_in(
        stand, stand->db, "SELECT embedding FROM " CHUNKS " WHERE assistant_id = 3 LIMIT 1");
    buffer_printf(&text, "14\t[" FIFTEEN ", +1.5]\r\n\n%s\n", row);
    buffer_add(&text, "nobody\t[" FIFTEEN ",2]\n4\t[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]\n");
    for (int i = 0; i < 100; i++)
        buffer_printf(&text, "1\t[" FIFTEEN ",%d]\n", i);
    stand->options.query_file = file_join(stand->ctx.arena, folder, "questions");
    write_file(stand, stand->options.query_file, buffer_text(&text));
    must(stand, open_stage(stand));
    assert_int_equal(count_of(stand, "file", 0), 1);
    assert_int_equal(count_of(stand, "file", 1), 1);
    assert_int_equal(count_of(stand, "file", 2), 20);
    assert_int_equal(count_of(stand, NULL, SIZE_MAX), 60);
    assert_true(has_note(stand, "1 questions of the file have length zero"));
    assert_true(has_note(stand, "1 questions of the file are of tenants without rows"));
    for (size_t i = 0; i < stand->stage.queries.count; i++) {
        const struct vector_query *query = &stand->stage.queries.items[i];

        if (text_equal(query->values, row))
            assert_string_equal(query->tenant, "3");
    }
    must(stand, file_remove(&stand->ctx, folder));
}

/* A session that may not write asks about the live table; no question is a row of it. */
static void
the_live_table_is_asked_without_writing(void **state)
{
    struct stand *stand = *state;
    struct db *reader;
    struct vector_sizes sizes;
    struct vector_queries *queries = &stand->stage.queries;
    const char *first;

    fill(stand);
    reader = connect_to(stand, stand->database, ACCESS_READ);
    must(stand, vector_sizes_load(&stand->ctx, reader, &stand->target, &sizes));
    must(stand, vector_queries_sample(
                    &stand->ctx, reader, &stand->target, &sizes, &stand->options, queries));
    assert_int_equal(queries->count, 60);
    assert_int_equal(count_of(stand, "two rows mixed", SIZE_MAX), 60);
    for (size_t i = 0; i < queries->count; i++)
        assert_null(key_of(stand, &queries->items[i]));
    first = all_questions(stand);
    must(stand, vector_queries_sample(
                    &stand->ctx, reader, &stand->target, &sizes, &stand->options, queries));
    assert_string_equal(all_questions(stand), first);
    db_close(reader);
}

static int
set_up(void **state)
{
    *state = stand_new();
    return 0;
}

static int
tear_down(void **state)
{
    stand_free(*state);
    return 0;
}

#define test_with_stand(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_stand(all_rows_come_over_but_the_questions),
        test_with_stand(the_table_is_as_the_live_one),
        test_with_stand(questions_are_spread_over_the_tenants),
        test_with_stand(the_same_seed_asks_the_same),
        test_with_stand(tiny_tenants_are_asked_too),
        test_with_stand(zero_vectors_are_no_questions_under_cosine),
        test_with_stand(a_part_is_made_of_whole_tenants),
        test_with_stand(one_giant_tenant_is_a_conflict),
        test_with_stand(bytes_are_a_limit_too),
        test_with_stand(very_many_tiny_tenants_are_fine),
        test_with_stand(a_table_without_tenants_has_one),
        test_with_stand(needed_columns_of_own_types_are_copied_as_what_they_are),
        test_with_stand(nothing_to_measure_is_bad_input),
        test_with_stand(logged_questions_go_to_the_owner_of_the_nearest_row),
        test_with_stand(the_column_of_questions_can_be_named),
        test_with_stand(a_bad_file_of_questions_is_told_by_line),
        test_with_stand(a_file_of_questions_is_asked),
        test_with_stand(the_live_table_is_asked_without_writing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
