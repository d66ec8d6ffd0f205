/* What the planner gains by each index for a workload, as if the index were there alone. */
#include <math.h>

#include "db/ident.h"
#include "index/lint/check.h"
#include "index/sample/query.h"

enum { MOST_QUERIES = 500, FEW_ROWS = 1000 };

/* A plan this much cheaper counts as help; less is rounding. */
#define LEAST_GAIN 0.01

struct measure {
    struct lint_check *check;
    struct whatif *whatif;
    uint32_t *numbers; /* by the position of the statement; 0: cannot be tried */
    double *saved;     /* weighted, by the position */
    double *helped;
    double total;
    const char *problem;        /* of the first statement that could not be planned */
    struct text_list unplanned; /* tables that such statements name: what helps them is not known */
};

/* A statement's cost without the script, and in which tables it looks. */
struct planned {
    double before;
    struct text_list plans; /* JSON of each instance */
};

static bool
is_fatal(const struct measure *measure)
{
    return lint_must_stop(measure->check) || !db_is_connected(whatif_db(measure->whatif));
}

/* A candidate as the ways of asking want it, from the server's own wording. */
static void
make_candidate(struct arena *arena, const struct lint_statement *statement,
    const struct lint_index *index, struct index_candidate *ret)
{
    const struct lint_form *form = &index->form;

    *ret = (struct index_candidate){
        .table = index->table,
        .method = form->method,
        .keys = ARENA_ARRAY(arena, struct candidate_key, form->key_count),
        .key_count = form->key_count,
        .include = form->include,
        .predicate = index->trial.shadow.predicate,
        .definition = index->trial.built,
    };
    for (size_t i = 0; i < form->key_count; i++)
        ret->keys[i] = (struct candidate_key){
            .text =
                form->keys[i].column ? db_ident(arena, form->keys[i].column) : form->keys[i].text,
            .column = form->keys[i].column,
            .is_descending = form->keys[i].is_descending,
            .is_nulls_first = form->keys[i].is_nulls_first,
        };
    for (size_t i = 0; i < statement->columns.count; i++)
        if (facts_column(index->table, statement->columns.items[i]))
            text_list_add(arena, &ret->columns, statement->columns.items[i]);
}

static bool
add_index(struct measure *measure, size_t position)
{
    struct lint *lint = measure->check->lint;
    struct ctx *ctx = measure->check->ctx;
    const struct lint_statement *statement = &lint->script.items[position];
    struct lint_index *index = &lint->indexes[position];
    struct index_candidate *candidate = ARENA_NEW(ctx->arena, struct index_candidate);
    struct fact_index_size size = { 0 };

    if (statement->kind != LINT_INDEX || index->is_out || !index->table || !index->is_tried ||
        index->trial.problem || lint_has_told(index, LINT_EXISTS))
        return true;
    make_candidate(ctx->arena, statement, index, candidate);
    facts_index_size(&lint->facts, index->table, candidate, &size);
    if (!whatif_add(ctx, measure->whatif, candidate, size.bytes, &measure->numbers[position],
            &index->unmeasured))
        return error_wrap(ctx, "trying %s", statement->name ? statement->name : "an index");
    index->is_measured = !index->unmeasured;
    return true;
}

/* One plan of a statement; *ret_cost is NaN when the planner refuses it. */
static bool
plan_one(struct measure *measure, const char *sql, const struct whatif_set *set,
    struct text_list *plans, double *ret_cost)
{
    struct ctx *ctx = measure->check->ctx;
    struct whatif_plan plan;

    *ret_cost = NAN;
    if (!whatif_plan(ctx, measure->whatif, sql, set, plans != NULL, &plan)) {
        if (is_fatal(measure))
            return false;
        error_clear(ctx);
        return true;
    }
    *ret_cost = plan.cost;
    if (plans)
        text_list_add(ctx->arena, plans, plan.json ? plan.json : "");
    return true;
}

/* The mean of the instances by their shares. */
static bool
plan_query(struct measure *measure, const struct index_query *query, const struct whatif_set *set,
    struct text_list *plans, double *ret_cost)
{
    *ret_cost = 0;
    for (size_t i = 0; i < query->instances.count; i++) {
        double cost;

        if (!plan_one(measure, query->instances.items[i].sql, set, plans, &cost))
            return false;
        *ret_cost += cost * query->instances.items[i].share;
    }
    return true;
}

/* Whether a plan reads the table: views are followed by the server. */
static bool
reads_table(struct arena *arena, const struct planned *planned, const struct fact_table *table)
{
    const char *wanted = arena_printf(arena, "\"Relation Name\": \"%s\"", table->name);

    for (size_t i = 0; i < planned->plans.count; i++)
        if (strstr(planned->plans.items[i], wanted))
            return true;
    return false;
}

static void
note_gain(struct measure *measure, size_t position, const struct index_query *query, double weight,
    double before, double after)
{
    struct lint_index *index = &measure->check->lint->indexes[position];
    double gain;

    if (isnan(after) || after >= before * (1 - LEAST_GAIN))
        return;
    gain = 1 - after / before;
    if (index->helped == 0 || before - after > index->best_before - index->best_after) {
        index->best_before = before;
        index->best_after = after;
        index->best_query = query->sql;
    }
    index->helped++;
    measure->helped[position] += weight;
    measure->saved[position] += weight * gain;
}

static bool
weigh_query(struct measure *measure, const struct index_query *query)
{
    const struct whatif_set none = { 0 };
    const struct lint *lint = measure->check->lint;
    struct planned planned = { 0 };
    double weight, after;

    if (!plan_query(measure, query, &none, &planned.plans, &planned.before))
        return false;
    if (isnan(planned.before) || planned.before <= 0)
        return true;
    weight = measure->check->options->workload->has_times && query->statement->total_ms >= 0
                 ? query->statement->total_ms
                 : query->statement->calls * planned.before;
    measure->total += weight;
    for (size_t i = 0; i < lint->script.count; i++) {
        const struct whatif_set one = { .numbers = &measure->numbers[i], .count = 1 };

        if (measure->numbers[i] == 0 ||
            !reads_table(measure->check->ctx->arena, &planned, lint->indexes[i].table))
            continue;
        if (!plan_query(measure, query, &one, NULL, &after))
            return false;
        note_gain(measure, i, query, weight, planned.before, after);
    }
    return true;
}

/* A statement without a plan may be the one that an index is for. */
static void
note_unplanned(struct measure *measure, const struct index_query *query)
{
    struct ctx *ctx = measure->check->ctx;
    struct lint_query read = { 0 };

    measure->check->lint->unplanned++;
    if (!measure->problem)
        measure->problem = query->problem;
    if (!lint_read_query_text(ctx, query->statement->text, &read)) {
        error_clear(ctx);
        return;
    }
    for (size_t i = 0; i < read.relations.count; i++)
        text_list_add(ctx->arena, &measure->unplanned, read.relations.items[i]);
}

static bool
weigh_all(struct measure *measure)
{
    struct lint_check *check = measure->check;
    const struct intake *workload = check->options->workload;
    size_t most = check->options->most_queries > 0 ? check->options->most_queries : MOST_QUERIES;
    struct query_maker *maker = NULL;
    bool is_good = query_maker_begin(
        check->ctx, whatif_db(measure->whatif), &check->lint->facts, NULL, &maker);

    for (size_t i = 0, seen = 0; is_good && i < workload->count && seen < most; i++) {
        struct index_query *query = ARENA_NEW(check->ctx->arena, struct index_query);

        if (intake_is_utility(workload->items[i].problem))
            continue;
        seen++;
        if (workload->items[i].problem) {
            check->lint->unplanned++;
            if (!measure->problem)
                measure->problem = workload->items[i].problem;
            continue;
        }
        is_good = query_make(check->ctx, maker, &workload->items[i], query);
        if (!is_good)
            break;
        if (query->problem)
            note_unplanned(measure, query);
        check->lint->query_count += query->problem == NULL;
        is_good = query->problem || weigh_query(measure, query);
    }
    if (maker)
        query_maker_end(maker);
    return is_good;
}

/* Deletes in a referenced table look for the rows that refer to it: no statement shows that. */
static bool
serves_reference(const struct lint_index *index)
{
    for (size_t i = 0; i < index->table->foreign_key_count; i++) {
        const struct fact_foreign_key *key = &index->table->foreign_keys[i];

        if (!index->form.predicate && index->form.keys[0].column && key->columns.count > 0 &&
            text_equal(index->form.keys[0].column, key->columns.items[0]))
            return true;
    }
    return false;
}

/* There is a better reason to leave it out. */
static bool
is_told_out(const struct lint_index *index)
{
    for (size_t i = 0; i < index->told.count; i++)
        if (lint_rule_mend(lint_rule(index->told.items[i].rule)) == MEND_OUT)
            return true;
    return false;
}

/* Whether the text calls the function with a parameter among its first arguments. */
static bool
calls_with_parameter(const char *text, const char *function)
{
    size_t length = strlen(function);

    for (const char *at = strstr(text, function); at; at = strstr(at + 1, function)) {
        const char *dollar = strchr(at, '$');

        if (at[length] == '(' && dollar && (size_t)(dollar - at) < strcspn(at, ")"))
            return true;
    }
    return false;
}

/*
 * to_tsvector($1, body) may be just what the index holds: counters do not keep the constant, and an index on
 * an expression is of use for that one alone.
 */
static bool
may_be_parameter(const struct measure *measure, size_t position)
{
    const struct lint *lint = measure->check->lint;
    const struct intake *workload = measure->check->options->workload;
    const struct text_list *functions = &lint->script.items[position].functions;

    for (size_t i = 0; i < workload->count; i++)
        for (size_t k = 0; k < functions->count; k++)
            if (strstr(workload->items[i].text, lint->indexes[position].table->name) &&
                calls_with_parameter(workload->items[i].text, functions->items[k]))
                return true;
    return false;
}

/* In a table of few rows a scan costs as little as any index: the rows of production may tell otherwise. */
static void
tell_unused(const struct lint_check *check)
{
    const struct fact_table *table = check->index->table;
    const char *few =
        table->rows >= 0 && table->rows < FEW_ROWS
            ? arena_printf(check->ctx->arena, "; %s has %.0f rows here", table->name, table->rows)
            : "";

    lint_tell(check, LINT_UNUSED, NULL, "none of %zu statements gets cheaper with %s%s",
        check->lint->query_count, check->statement->name ? check->statement->name : "the index",
        few);
}

static void
tell_useless(struct measure *measure)
{
    struct lint_check *check = measure->check;
    struct lint *lint = check->lint;

    for (size_t i = 0; i < lint->script.count; i++) {
        struct lint_index *index = &lint->indexes[i];

        if (!index->is_measured || lint->query_count == 0)
            continue;
        index->share = measure->total > 0 ? measure->helped[i] / measure->total : 0;
        index->saved = measure->total > 0 ? measure->saved[i] / measure->total : 0;
        check->position = i;
        check->statement = &lint->script.items[i];
        check->index = index;
        if (index->helped == 0 && !check->statement->is_unique && !serves_reference(index) &&
            !is_told_out(index) && !text_list_has(&measure->unplanned, index->table->name) &&
            !may_be_parameter(measure, i))
            tell_unused(check);
    }
}

static bool
measure_with(struct measure *measure)
{
    struct lint_check *check = measure->check;
    struct lint *lint = check->lint;

    lint->way = arena_strdup(check->ctx->arena, whatif_way_text(measure->whatif));
    for (size_t i = 0; i < lint->script.count; i++)
        if (!add_index(measure, i))
            return false;
    if (!weigh_all(measure))
        return error_wrap(check->ctx, "measuring by the workload");
    if (lint->unplanned > 0)
        text_list_add(check->ctx->arena, &lint->notes,
            arena_printf(check->ctx->arena,
                "%zu %s of the workload could not be planned, the first of them: %s",
                lint->unplanned, lint->unplanned == 1 ? "statement" : "statements",
                measure->problem));
    tell_useless(measure);
    return true;
}

/* HypoPG knows the plain methods only. */
static bool
wants_all_methods(const struct lint *lint)
{
    static const char *const plain[] = { "btree", "hash", "brin", "bloom" };

    for (size_t i = 0; i < lint->script.count; i++) {
        bool is_plain = lint->script.items[i].kind != LINT_INDEX || lint->indexes[i].is_out;

        for (size_t k = 0; k < COUNT_OF(plain); k++)
            is_plain |= text_equal(lint->script.items[i].method, plain[k]);
        if (!is_plain)
            return true;
    }
    return false;
}

bool
lint_measure(struct lint_check *check)
{
    const struct lint_options *options = check->options;
    size_t count = check->lint->script.count;
    struct measure measure = {
        .check = check,
        .numbers = ARENA_ARRAY(check->ctx->arena, uint32_t, count),
        .saved = ARENA_ARRAY(check->ctx->arena, double, count),
        .helped = ARENA_ARRAY(check->ctx->arena, double, count),
    };
    const struct whatif_options wanted = {
        .db = check->db,
        .facts = &check->lint->facts,
        .way = options->way,
        .bin_folder = options->bin_folder,
        .wants_all_methods = wants_all_methods(check->lint),
    };
    bool is_good;

    if (!options->workload || !options->has_rows)
        return true;
    if (!whatif_open(check->ctx, &wanted, &measure.whatif))
        return error_wrap(check->ctx, "measuring by the workload");
    is_good = measure_with(&measure);
    whatif_close(measure.whatif);
    return is_good;
}
