/* Whether anything can gain by an index: its predicate, and what the statistics say of its columns. */
#include <math.h>

#include "base/json.h"
#include "index/lint/check.h"

enum { FEW_VALUES = 10, HASH_VALUES = 200, LEAST_ROWS = 100 };

#define RARE_SHARE 0.1
#define SCATTERED  0.5

/* A plan that the planner has proven empty: "One-Time Filter": "false". */
static bool
is_empty_plan(json_t *node)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_array(node)) {
        json_array_foreach(node, i, value) if (is_empty_plan(value)) return true;
        return false;
    }
    if (!json_is_object(node))
        return false;
    json_object_foreach(node, key, value)
    {
        if (strcmp(key, "One-Time Filter") == 0 && text_equal(json_string_value(value), "false"))
            return true;
        if (is_empty_plan(value))
            return true;
    }
    return false;
}

/*
 * Asks the planner whether constraints and the condition contradict each other: with constraint_exclusion
 * it proves that no row can be there. Nothing is read.
 */
static bool
is_refuted(const struct lint_check *check, const char *condition, bool *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    json_t *plan CLEANUP(json_release) = NULL;
    const char *text = NULL;
    const char *sql = arena_printf(check->ctx->arena,
        "EXPLAIN (COSTS OFF, FORMAT JSON) SELECT 1 FROM %s WHERE %s",
        check->index->table->qualified, condition);

    *ret = false;
    if (!db_begin(check->ctx, check->db, "READ ONLY", &transaction) ||
        !db_exec(check->ctx, check->db, "SET LOCAL constraint_exclusion = on"))
        return false;
    if (!db_value(check->ctx, check->db, sql, NULL, 0, &text) ||
        !json_parse(check->ctx, "a plan", text ? text : "[]", &plan)) {
        if (lint_must_stop(check))
            return false;
        error_clear(check->ctx);
        return true;
    }
    *ret = is_empty_plan(plan);
    return true;
}

/*
 * With search_path pinned, what is not in pg_catalog has a dot: a predicate without one calls no code of
 * others while it is planned.
 */
static bool
check_predicate(const struct lint_check *check)
{
    const char *predicate = check->index->is_tried ? check->index->trial.shadow.predicate : NULL;
    bool is_never, is_always;

    if (!predicate || strchr(predicate, '.') || !check->index->table)
        return true;
    if (!is_refuted(check, predicate, &is_never) ||
        !is_refuted(
            check, arena_printf(check->ctx->arena, "(%s) IS NOT TRUE", predicate), &is_always))
        return false;
    if (!is_always &&
        !is_refuted(check, arena_printf(check->ctx->arena, "NOT (%s)", predicate), &is_always))
        return false;
    if (is_never)
        lint_tell(check, LINT_NEVER, NULL, "no row can satisfy WHERE %s: the index stays empty",
            predicate);
    else if (is_always && strstr(predicate, "IS NOT NULL"))
        lint_tell(check, LINT_ALWAYS, NULL,
            "every row satisfies WHERE %s by the table's constraints", predicate);
    return true;
}

static double
rarest_share(const struct fact_column *column)
{
    double least = 1;

    for (size_t i = 0; i < column->common_count; i++)
        least = fmin(least, column->common_shares[i]);
    return column->common_count > 0 ? least : 0;
}

static void
check_values(const struct lint_check *check)
{
    const struct lint_form *form = &check->index->form;
    const struct fact_table *table = check->index->table;
    const struct fact_column *column = form->key_count > 0 && form->keys[0].column
                                           ? facts_column(table, form->keys[0].column)
                                           : NULL;

    if (!column || !column->has_statistics || table->rows < LEAST_ROWS)
        return;
    if (text_equal(form->method, "btree") && form->key_count == 1 && !form->predicate &&
        !check->statement->is_unique && column->distinct > 0 && column->distinct <= FEW_VALUES &&
        rarest_share(column) >= RARE_SHARE)
        lint_tell(check, LINT_FEW_VALUES, column->name,
            "%s has %.0f values, the rarest in %.0f %% of the rows", column->name, column->distinct,
            100 * rarest_share(column));
    if (text_equal(form->method, "hash") && column->distinct > 0 &&
        column->distinct <= HASH_VALUES && column->distinct * LEAST_ROWS / 4 < table->rows)
        lint_tell(check, LINT_HASH, column->name, "%s has %.0f values in %.0f rows: long buckets",
            column->name, column->distinct, table->rows);
    if (text_equal(form->method, "brin") && !isnan(column->correlation) &&
        fabs(column->correlation) < SCATTERED)
        lint_tell(check, LINT_BRIN, column->name,
            "the rows lie in no order of %s: the correlation is %.2f", column->name,
            column->correlation);
}

bool
lint_check_use(struct lint_check *check, const struct lint_queries *queries)
{
    if (check->index->table && check->options->has_rows)
        check_values(check);
    return check_predicate(check) && lint_check_queries(check, queries);
}
