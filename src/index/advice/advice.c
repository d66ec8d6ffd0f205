#include "index/advice/advice.h"

#include "base/clock.h"
#include "base/interrupt.h"

enum { MOST_QUERIES = 10000 };

/* Of the time limit: what is kept for describing and cleaning up; what choosing gets at least. */
static const double share_of_end = 0.1;
static const double least_of_choosing = 0.2;

/* Beyond these, all that is lighter together makes up so much of the workload's time, and is not looked at. */
enum { ALWAYS_LOOKED_AT = 500 };
static const double light_share = 0.002;

/* Sizes are reckoned: so much of the budget is kept for their error. */
static const double size_reserve = 0.06;

static void
show(const struct advice_options *options, const char *phase, size_t done, size_t all,
    int64_t started_us)
{
    if (options->choose.progress)
        options->choose.progress(options->choose.data, phase,
            all > 0 ? (double)done / (double)all : -1, clock_us() - started_us);
}

static double
time_of(const struct intake_statement *statement)
{
    return statement->problem || statement->total_ms < 0 ? 0 : statement->total_ms;
}

/* How many of the statements, which are the heaviest first, are worth a look. */
static size_t
count_heavy(const struct intake *intake, const struct advice_options *options)
{
    size_t most = options->most_queries > 0 ? options->most_queries : MOST_QUERIES;
    double total = 0;
    double sum = 0;
    size_t count;

    for (size_t i = 0; i < intake->count; i++)
        total += time_of(&intake->items[i]);
    for (count = 0; count < intake->count && count < most; count++) {
        if (count >= ALWAYS_LOOKED_AT && intake->has_times && total > 0 &&
            sum >= total * (1 - light_share))
            break;
        sum += time_of(&intake->items[count]);
    }
    return count;
}

static void
keep_query(struct ctx *ctx, struct advice *advice, struct index_query *query)
{
    if (!query->problem) {
        VEC_PUSH(ctx->arena, &advice->queries, *query);
        return;
    }
    if (intake_is_utility(query->problem)) {
        advice->utility++;
        return;
    }
    struct index_query *kept = arena_alloc(ctx->arena, sizeof(*kept));

    *kept = *query;
    VEC_PUSH(ctx->arena, &advice->unexplained, kept);
}

static bool
make_queries(struct ctx *ctx, struct query_maker *maker, const struct advice_options *options,
    struct advice *advice)
{
    const struct intake *intake = advice->intake;
    size_t heavy = count_heavy(intake, options);
    int64_t started_us = clock_us();

    for (size_t i = 0; i < intake->count; i++) {
        const struct intake_statement *statement = &intake->items[i];
        struct index_query query = { .statement = statement, .problem = statement->problem };

        if (i >= heavy && !statement->problem) {
            advice->light++;
            continue;
        }
        if (interrupt_signal())
            return interrupt_error(ctx, interrupt_signal());
        /* Also what has a problem: a cursor's query can be planned. */
        if (!query_make(ctx, maker, statement, &query))
            return error_wrap(ctx, "planning %s", statement->source);
        keep_query(ctx, advice, &query);
        if (i % 16 == 0)
            show(options, "reading the statements' plans", i, intake->count, started_us);
    }
    return true;
}

static bool
is_wanted_table(const struct advice_options *options, const struct fact_table *table)
{
    return options->tables.count == 0 || text_list_has(&options->tables, table->qualified) ||
           text_list_has(&options->tables, table->name);
}

static bool
names_a_table(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->count; i++)
        if (text_equal(facts->items[i].qualified, name) || text_equal(facts->items[i].name, name))
            return true;
    return false;
}

static bool
check_tables(struct ctx *ctx, const struct advice_options *options, const struct facts *facts)
{
    for (size_t i = 0; i < options->tables.count; i++)
        if (!names_a_table(facts, options->tables.items[i])) {
            error_set(ctx, ERR_NOT_FOUND, "table %s does not exist, or cannot be seen by this role",
                options->tables.items[i]);
            return error_hint(ctx, "Give it as table or schema.table, quoted as in SQL.");
        }
    return true;
}

/* Leaves out what was not asked for; approximate ones are counted, for the note. */
static void
sift(struct advice *advice, const struct advice_options *options, size_t *ret_approximate,
    bool *ret_wants_all)
{
    struct index_candidates *all = &advice->candidates;
    size_t kept = 0;

    for (size_t i = 0; i < all->items.count; i++) {
        struct index_candidate *candidate = all->items.items[i];

        if (!is_wanted_table(options, candidate->table))
            continue;
        if (candidate->is_approximate && !options->allows_approximate) {
            *ret_approximate += 1;
            continue;
        }
        *ret_wants_all |=
            !text_equal(candidate->method, "btree") && !text_equal(candidate->method, "brin");
        *ret_wants_all |= candidate->extensions.count > 0;
        all->items.items[kept++] = candidate;
    }
    all->items.count = kept;
}

/* The plan of a statement that could only be planned with constants. */
static bool
explain(struct ctx *ctx, struct db *db, const char *path, const char *sql, const char **ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    if (!db_begin(ctx, db, "READ ONLY", &transaction) ||
        !(path ? db_set(ctx, db, "search_path", path) : db_use_own_path(ctx, db)) ||
        !db_exec(ctx, db, "SET LOCAL statement_timeout = '2s'"))
        return false;
    return db_value(
        ctx, db, arena_printf(ctx->arena, "EXPLAIN (VERBOSE, FORMAT JSON) %s", sql), NULL, 0, ret);
}

static bool
add_candidates(struct ctx *ctx, struct db *db, const struct advice_options *options,
    struct advice *advice, size_t position)
{
    const struct index_query *query = &advice->queries.items[position];

    if (query->generic_plan)
        return index_candidates_add(ctx, &advice->candidates, query, position);
    for (size_t i = 0; i < query->instances.count; i++) {
        const char *plan = NULL;

        if (!explain(ctx, db, options->path, query->instances.items[i].sql, &plan)) {
            if (ctx->error.kind == ERR_CONNECTION || interrupt_signal())
                return false;
            error_clear(ctx);
        }
        if (plan && !index_candidates_add_plan(ctx, &advice->candidates, plan, position, true))
            return false;
    }
    return true;
}

static bool
make_candidates(struct ctx *ctx, struct db *db, const struct advice_options *options,
    struct advice *advice, bool *ret_wants_all)
{
    int64_t started_us = clock_us();
    size_t approximate = 0;

    index_candidates_begin(ctx->arena, &advice->facts, &advice->candidates);
    for (size_t i = 0; i < advice->queries.count; i++) {
        if (!add_candidates(ctx, db, options, advice, i))
            return false;
        if (i % 64 == 0)
            show(options, "looking for candidates", i, advice->queries.count, started_us);
    }
    if (options->wants_references)
        index_candidates_add_references(&advice->candidates);
    show(options, "sampling which columns determine others", 0, 0, started_us);
    if (!index_candidates_find_dependencies(ctx, db, &advice->candidates))
        return false;
    sift(advice, options, &approximate, ret_wants_all);
    if (approximate > 0)
        text_list_add(ctx->arena, &advice->notes,
            "statements order by a distance of vectors: an index for that gives other answers than "
            "the exact ones, so \"pgmend vector tune\" measures what it loses first");
    return true;
}

/* What the planner cannot see for want of statistics is told, table by table. */
static void
note_tables(struct ctx *ctx, struct advice *advice)
{
    struct text_list names = { 0 };

    for (size_t i = 0; i < advice->facts.count; i++) {
        const struct fact_table *table = &advice->facts.items[i];

        if (table->rows < 0 && table->bytes > 0 && table->kind != 'f' && table->kind != 'p')
            text_list_add(ctx->arena, &names, table->qualified);
    }
    if (names.count > 5) {
        const char *more = arena_printf(ctx->arena, "and %zu more", names.count - 5);

        names.count = 5;
        text_list_add(ctx->arena, &names, more);
    }
    if (names.count > 0)
        text_list_add(ctx->arena, &advice->notes,
            arena_printf(ctx->arena,
                "never analysed, so the planner guesses (run ANALYZE first): %s",
                text_list_join(ctx->arena, &names, ", ")));
    if (advice->facts.unreadable > 0)
        text_list_add(ctx->arena, &advice->notes,
            arena_printf(ctx->arena,
                "this role may not see the statistics of %lld tables: what they hold is guessed",
                (long long)advice->facts.unreadable));
}

/* The limit is for all of the advice: choosing gets what is left of it. */
static int64_t
time_left(int64_t limit_us, int64_t started_us)
{
    int64_t least_us = (int64_t)(least_of_choosing * (double)limit_us);
    int64_t left_us = (int64_t)((1 - share_of_end) * (double)limit_us) - (clock_us() - started_us);

    if (limit_us <= 0)
        return 0;
    return left_us > least_us ? left_us : least_us;
}

static void
note_untried(struct ctx *ctx, struct advice *advice)
{
    const struct choice *choice = &advice->choice;
    struct text_list parts = { 0 };

    if (choice->untried > 0)
        text_list_add(
            ctx->arena, &parts, arena_printf(ctx->arena, "to try %zu candidates", choice->untried));
    if (choice->unseen > 0)
        text_list_add(ctx->arena, &parts,
            arena_printf(ctx->arena,
                "to look at %zu of %zu statements, which make up %.2g %% of the workload",
                choice->unseen, advice->queries.count, 100 * choice->unseen_share));
    if (parts.count > 0)
        text_list_add(ctx->arena, &advice->notes,
            arena_printf(ctx->arena, "--time-limit was too short %s",
                text_list_join(ctx->arena, &parts, " and ")));
}

static bool
choose(struct ctx *ctx, struct db *db, const struct advice_options *options, int64_t started_us,
    bool wants_all, struct advice *advice)
{
    struct whatif *whatif = NULL;
    const struct whatif_options wanted = {
        .db = db,
        .facts = &advice->facts,
        .dependencies = advice->candidates.dependencies.items,
        .dependency_count = advice->candidates.dependencies.count,
        .way = options->way,
        .wants_all_methods = wants_all,
        .bin_folder = options->bin_folder,
        .path = options->path,
    };
    struct choose_options wishes = options->choose;
    bool is_good;

    show(options, "making a place to try indexes", 0, 0, clock_us());
    if (!whatif_open(ctx, &wanted, &whatif))
        return false;
    advice->way = arena_strdup(ctx->arena, whatif_way_text(whatif));
    is_good = advice_weigh(ctx, whatif, options, advice);
    wishes.most_bytes = (int64_t)((1 - size_reserve) * (double)wishes.most_bytes);
    wishes.ms_a_unit = advice->ms_a_unit;
    wishes.time_us = time_left(options->choose.time_us, started_us);
    wishes.span_s = advice->intake->span_s > 0 ? advice->intake->span_s : 0;
    const struct choose_workload workload = { .items = advice->weighed,
        .count = advice->queries.count };

    is_good = is_good &&
              choose_indexes(ctx, whatif, &workload, &advice->candidates, &wishes, &advice->choice);
    if (is_good)
        note_untried(ctx, advice);
    for (size_t i = 0; i < whatif_notes(whatif)->count; i++)
        text_list_add(
            ctx->arena, &advice->notes, arena_strdup(ctx->arena, whatif_notes(whatif)->items[i]));
    whatif_close(whatif);
    return is_good;
}

bool
advice_make(struct ctx *ctx, struct db *db, const struct intake *intake,
    const struct advice_options *options, struct advice *ret)
{
    const struct facts_options wanted = { .has_values = true };
    struct query_maker *maker = NULL;
    int64_t started_us = clock_us();
    bool wants_all = false;
    bool is_good;

    *ret = (struct advice){ .intake = intake };
    show(options, "reading the catalogue", 0, 0, started_us);
    if (!facts_load(ctx, db, &wanted, &ret->facts) || !check_tables(ctx, options, &ret->facts) ||
        !query_maker_begin(ctx, db, &ret->facts, options->path, &maker))
        return error_wrap(ctx, "advising on indexes");
    is_good = make_queries(ctx, maker, options, ret);
    query_maker_end(maker);
    note_tables(ctx, ret);
    if (!is_good || !make_candidates(ctx, db, options, ret, &wants_all) ||
        !choose(ctx, db, options, started_us, wants_all, ret) || !advice_describe(ctx, db, ret))
        return error_wrap(ctx, "advising on indexes");
    ret->us = clock_us() - started_us;
    return true;
}
