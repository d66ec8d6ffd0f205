/*
 * The choice with the server's own planner, by HypoPG: against every set of the candidates; what writing
 * costs; what becomes needless. Expectations are reckoned by hand or by trying all.
 */
#include "support/test.h"

#include <math.h>
#include <unistd.h>

#include "index/choose/choose.h"

struct bench {
    struct ctx ctx;
    const char *database;
    struct db *db;
};

static const char *const schema[] = {
    "CREATE EXTENSION hypopg",
    "CREATE TABLE public.users (id int PRIMARY KEY, email text, age int)",
    "INSERT INTO public.users SELECT g, 'u' || g || '@x', g % 90 FROM generate_series(1, 20000) g",
    "CREATE TABLE public.posts (id int PRIMARY KEY, user_id int REFERENCES public.users, kind int,"
    " at timestamptz, body text)",
    "INSERT INTO public.posts SELECT g, 1 + g % 20000, g % 4, '2026-01-01'::timestamptz"
    " + g * interval '1 minute', repeat('b', 60) FROM generate_series(1, 60000) g",
    "CREATE INDEX posts_kind ON public.posts (kind)",
    "CREATE INDEX posts_kind_too ON public.posts (kind)",
    "CREATE UNIQUE INDEX posts_kind_id ON public.posts (kind, id)",
    "CREATE TABLE public.counts (id int PRIMARY KEY, a int, n int) WITH (fillfactor = 70)",
    "INSERT INTO public.counts SELECT g, g % 3000, 0 FROM generate_series(1, 30000) g",
    "VACUUM ANALYZE",
};

static void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static struct db *
connect_to(struct bench *bench, const char *database)
{
    struct db_options options = {
        .database = database, .application = "test", .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "index_choose_%d", (int)getpid());

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench,
        db_exec(&bench->ctx, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database)));
    bench->db = connect_to(bench, bench->database);
    must(bench, db_set(&bench->ctx, bench->db, "search_path", "public"));
    for (size_t i = 0; i < COUNT_OF(schema); i++)
        must(bench, db_exec(&bench->ctx, bench->db, schema[i]));
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;
    db_cleanup(&bench->db);

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench,
        db_exec(&bench->ctx, admin,
            arena_printf(bench->ctx.arena, "DROP DATABASE %s WITH (FORCE)", bench->database)));
    db_cleanup(&admin);
    arena_free(bench->ctx.arena);
    return 0;
}

enum { MOST = 12 };

/* A statement, how often it runs, and what it offers: "table: keys [+ included]; …". */
struct asked {
    const char *sql;
    double calls;
    const char *offers[4];
};

struct work {
    struct bench *bench;
    struct facts facts;
    struct whatif *whatif;
    struct intake_statement statements[MOST];
    struct index_query queries[MOST];
    struct choose_query weighed[MOST];
    size_t count;
    struct index_candidates candidates;
};

static void
add_keys(struct arena *arena, struct index_candidate *made, const char *keys)
{
    char *copy = arena_strdup(arena, keys);
    char *rest = NULL;
    bool is_included = false;

    made->keys = ARENA_ARRAY(arena, struct candidate_key, MOST);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (text_equal(word, "+")) {
            is_included = true;
        } else if (text_equal(word, "DESC")) {
            made->keys[made->key_count - 1].is_descending = true;
            made->keys[made->key_count - 1].is_nulls_first = true;
        } else if (is_included) {
            text_list_add(arena, &made->include, word);
        } else {
            made->keys[made->key_count++] =
                (struct candidate_key){ .text = word, .column = word, .role = ROLE_EQUAL };
        }
    }
}

static void
offer(struct work *work, size_t query, const char *text)
{
    struct arena *arena = work->bench->ctx.arena;
    struct index_candidate *made = ARENA_NEW(arena, struct index_candidate);
    const char *colon = strchr(text, ':');

    made->table =
        facts_table(&work->facts, "public", arena_strndup(arena, text, (size_t)(colon - text)));
    assert_non_null(made->table);
    made->method = "btree";
    add_keys(arena, made, colon + 1);
    index_candidate_compose(arena, made);
    for (size_t i = 0; i < work->candidates.items.count; i++) {
        struct index_candidate *known = work->candidates.items.items[i];

        if (known->table == made->table && text_equal(known->definition, made->definition)) {
            VEC_PUSH(arena, &known->queries, query);
            return;
        }
    }
    VEC_PUSH(arena, &made->queries, query);
    VEC_PUSH(arena, &work->candidates.items, made);
}

static double
cost_of(struct work *work, const char *sql, const uint32_t *numbers, size_t count)
{
    struct whatif_set set = { .numbers = numbers, .count = count };
    struct whatif_plan plan;

    must(work->bench, whatif_plan(&work->bench->ctx, work->whatif, sql, &set, false, &plan));
    return plan.cost;
}

static void
begin(struct bench *bench, struct work *work, const struct asked *asked, size_t count)
{
    struct facts_options wanted = { 0 };
    struct whatif_options options = {
        .db = bench->db, .facts = &work->facts, .way = WHATIF_HYPOPG
    };

    *work = (struct work){ .bench = bench, .count = count };
    must(bench, facts_load(&bench->ctx, bench->db, &wanted, &work->facts));
    must(bench, whatif_open(&bench->ctx, &options, &work->whatif));
    index_candidates_begin(bench->ctx.arena, &work->facts, &work->candidates);
    for (size_t i = 0; i < count; i++) {
        work->statements[i] = (struct intake_statement){ .text = asked[i].sql,
            .calls = asked[i].calls,
            .total_ms = -1,
            .rows = -1,
            .is_read = text_starts_with(asked[i].sql, "SELECT") };
        work->queries[i] =
            (struct index_query){ .statement = &work->statements[i], .sql = asked[i].sql };
        VEC_PUSH(bench->ctx.arena, &work->queries[i].instances,
            (struct query_instance){ .sql = asked[i].sql, .share = 1 });
        work->weighed[i] = (struct choose_query){ .query = &work->queries[i],
            .weight = asked[i].calls,
            .before = cost_of(work, asked[i].sql, NULL, 0) };
        for (size_t k = 0; k < COUNT_OF(asked[i].offers) && asked[i].offers[k]; k++)
            offer(work, i, asked[i].offers[k]);
    }
}

static struct choice
choose(struct work *work, const struct choose_options *options)
{
    struct choice choice;

    const struct choose_workload workload = { .items = work->weighed, .count = work->count };

    must(work->bench, choose_indexes(&work->bench->ctx, work->whatif, &workload, &work->candidates,
                          options, &choice));
    return choice;
}

static const struct choice_index *
find(const struct choice *choice, const char *table, const char *definition)
{
    for (size_t i = 0; i < choice->indexes.count; i++) {
        const struct choice_index *index = &choice->indexes.items[i];

        if (text_equal(index->candidate->table->name, table) &&
            text_equal(index->candidate->definition, definition))
            return index;
    }
    return NULL;
}

static const struct asked reading[] = {
    { "SELECT * FROM public.users WHERE email = 'u77@x'", 100,
        { "users: email", "users: email age", "users: email + id" } },
    { "SELECT * FROM public.posts WHERE user_id = 5 ORDER BY at DESC LIMIT 3", 50,
        { "posts: user_id", "posts: user_id at DESC" } },
    { "SELECT count(*) FROM public.posts WHERE kind = 3 AND at > '2026-02-11'", 10,
        { "posts: kind at", "posts: at" } },
    { "SELECT u.email, p.at FROM public.users u JOIN public.posts p ON p.user_id = u.id"
      " WHERE u.age = 33 AND p.kind = 1",
        20, { "users: age", "posts: user_id", "posts: user_id kind + at", "users: age + email" } },
    { "SELECT max(at) FROM public.posts", 5, { "posts: at" } },
    { "SELECT * FROM public.posts WHERE kind = 2 ORDER BY at DESC LIMIT 5", 40,
        { "posts: kind", "posts: kind at DESC" } },
};

/* Cost of the workload with every set of the candidates; the least of those that fit. */
static double
best_of_all(struct work *work, int64_t most_bytes)
{
    size_t count = work->candidates.items.count;
    uint32_t numbers[MOST];
    int64_t bytes[MOST];
    double best = INFINITY;

    assert_true(count <= MOST);
    for (size_t i = 0; i < count; i++) {
        const struct index_candidate *candidate = work->candidates.items.items[i];
        struct fact_index_size size = { 0 };
        const char *problem;

        facts_index_size(&work->facts, candidate->table, candidate, &size);
        bytes[i] = size.bytes;
        must(work->bench, whatif_add(&work->bench->ctx, work->whatif, candidate, size.bytes,
                              &numbers[i], &problem));
    }
    for (uint32_t mask = 0; mask < UINT32_C(1) << count; mask++) {
        uint32_t set[MOST];
        size_t taken = 0;
        int64_t sum = 0;
        double cost = 0;

        for (size_t i = 0; i < count; i++)
            if (mask & (UINT32_C(1) << i)) {
                set[taken++] = numbers[i];
                sum += bytes[i];
            }
        if (most_bytes > 0 && sum > most_bytes)
            continue;
        for (size_t i = 0; i < work->count; i++)
            cost += work->weighed[i].weight * cost_of(work, work->queries[i].sql, set, taken);
        best = fmin(best, cost);
    }
    return best;
}

static void
test_best(void **state)
{
    static const int64_t budgets[] = { 0, 1500000, 4000000 };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(budgets); i++) {
        struct work work;
        struct choose_options options = { .most_bytes = budgets[i] };
        struct choice choice;
        double best;

        begin(bench, &work, reading, COUNT_OF(reading));
        best = best_of_all(&work, budgets[i]);

        int64_t calls = whatif_calls(work.whatif);

        choice = choose(&work, &options);
        print_message("# budget %lld: before %.0f, chosen %.0f (%zu indexes, %lld bytes, %lld "
                      "planner calls), best of all %.0f\n",
            (long long)budgets[i], choice.before_total, choice.after_total, choice.indexes.count,
            (long long)choice.bytes, (long long)(choice.planner_calls - calls), best);
        assert_true(budgets[i] == 0 || choice.bytes <= budgets[i]);
        assert_true(
            choice.before_total - choice.after_total >= 0.95 * (choice.before_total - best));
        assert_true(choice.planner_calls - calls < 200);
        whatif_close(work.whatif);
    }
}

/* The right columns in the right order, each with the statements it helps. */
static void
test_reading(void **state)
{
    struct bench *bench = *state;
    struct choose_options options = { 0 };
    struct work work;
    struct choice choice;
    const struct choice_index *index;

    begin(bench, &work, reading, COUNT_OF(reading));
    choice = choose(&work, &options);
    index = find(&choice, "users", "USING btree (email)");
    assert_non_null(index);
    assert_int_equal(index->helps.count, 1);
    assert_int_equal(index->helps.items[0].query, 0);
    assert_true(index->helps.items[0].is_last);
    assert_true(index->helps.items[0].after < 10);
    assert_true(choice.trail.count > choice.indexes.count);
    whatif_close(work.whatif);
}

/* Read backwards, either direction serves both: one index, as the heavier statement asks for it. */
static void
test_direction(void **state)
{
    static const struct asked asked[] = {
        { "SELECT * FROM public.users WHERE age = 34 AND id > 19000", 3,
            { "users: age", "users: age id" } },
        { "SELECT * FROM public.users WHERE age = 33 ORDER BY id DESC LIMIT 5", 100,
            { "users: age", "users: age id DESC" } },
    };
    struct bench *bench = *state;
    struct choose_options options = { 0 };
    struct work work;
    struct choice choice;

    begin(bench, &work, asked, COUNT_OF(asked));
    choice = choose(&work, &options);
    assert_int_equal(choice.indexes.count, 1);
    assert_non_null(find(&choice, "users", "USING btree (age, id DESC)"));
    assert_int_equal(choice.indexes.items[0].helps.count, 2);
    assert_true(choice.indexes.items[0].instead.count > 0);
    whatif_close(work.whatif);
}

/* An index whose column each UPDATE sets would cost every one of them its HOT. */
static void
test_writing(void **state)
{
    static const struct asked few[] = {
        { "SELECT * FROM public.counts WHERE n = 7", 20, { "counts: n" } },
        { "UPDATE public.counts SET n = n + 1 WHERE id = 7", 10, { NULL } },
    };
    static const struct asked many[] = {
        { "SELECT * FROM public.counts WHERE n = 7", 20, { "counts: n" } },
        { "UPDATE public.counts SET n = n + 1 WHERE id = 7", 100000000, { NULL } },
    };
    static const struct asked others[] = {
        { "SELECT * FROM public.counts WHERE a = 7", 20, { "counts: a" } },
        { "UPDATE public.counts SET n = n + 1 WHERE id = 7", 1000000, { NULL } },
    };
    struct bench *bench = *state;
    struct choose_options options = { 0 };
    struct work work;
    struct choice choice;

    begin(bench, &work, many, COUNT_OF(many));
    choice = choose(&work, &options);
    assert_int_equal(choice.indexes.count, 0);
    whatif_close(work.whatif);

    begin(bench, &work, few, COUNT_OF(few));
    choice = choose(&work, &options);
    whatif_close(work.whatif);
    if (choice.indexes.count == 1)
        assert_true(choice.indexes.items[0].lost_hot == 10);

    begin(bench, &work, others, COUNT_OF(others));
    work.weighed[1].weight = 0; /* its own look-up is served: it would outweigh all */
    choice = choose(&work, &options);
    assert_int_equal(choice.indexes.count, 1);
    assert_true(choice.indexes.items[0].lost_hot == 0);
    assert_true(choice.indexes.items[0].write_cost == 0);
    whatif_close(work.whatif);
}

/* One of two twins goes, the unique one that could stand for both stays; the new one ends nothing else. */
static void
test_redundant(void **state)
{
    struct bench *bench = *state;
    struct choose_options options = { .drops_redundant = true };
    struct work work;
    struct choice choice;

    begin(bench, &work, reading, COUNT_OF(reading));
    choice = choose(&work, &options);
    assert_int_equal(choice.drops.count, 2);
    for (size_t i = 0; i < choice.drops.count; i++) {
        assert_true(text_starts_with(choice.drops.items[i].index->name, "posts_kind"));
        assert_false(choice.drops.items[i].index->is_unique);
        assert_true(strlen(choice.drops.items[i].because) > 10);
    }
    whatif_close(work.whatif);
}

/* Rows deleted from users make each read all of posts, which no statement shows. */
static void
test_reference(void **state)
{
    static const struct asked none[] = { { "SELECT 1 FROM public.users WHERE id = 3", 1,
        { NULL } } };
    struct bench *bench = *state;
    struct choose_options options = { 0 };
    struct work work;
    struct choice choice;

    for (int deletes = 0; deletes <= 1000; deletes += 1000) {
        begin(bench, &work, none, COUNT_OF(none));
        offer(&work, 0, "posts: user_id");
        work.candidates.items.items[0]->queries.count = 0;
        work.candidates.items.items[0]->is_for_reference = true;
        for (size_t i = 0; i < work.facts.count; i++)
            for (size_t k = 0; k < work.facts.items[i].foreign_key_count; k++)
                work.facts.items[i].foreign_keys[k].target_deletes = deletes;
        choice = choose(&work, &options);
        assert_int_equal(choice.indexes.count, deletes > 0);
        whatif_close(work.whatif);
    }
}

/* A limit in time gives what there is, and says so. */
static void
test_time(void **state)
{
    struct bench *bench = *state;
    struct choose_options options = { .time_us = 1 };
    struct work work;
    struct choice choice;

    begin(bench, &work, reading, COUNT_OF(reading));
    choice = choose(&work, &options);
    assert_true(choice.is_cut_short);
    assert_int_equal(choice.indexes.count, 0);
    whatif_close(work.whatif);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best),
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_direction),
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_redundant),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_time),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
