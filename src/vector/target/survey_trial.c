#include "vector/target/survey_trial.h"

#include "base/json.h"
#include "db/ident.h"

enum { TIMEOUT_MS = 10000 };

#define PREPARED "pgmend_survey"

/* The session's own path is pinned; searches mean what they mean to the application. */
static const char settings[] = "SELECT pg_catalog.set_config('search_path', s.reset_val, true)"
                               " FROM pg_catalog.pg_settings AS s WHERE s.name = 'search_path'";

static bool
begin(struct surveyed *column, struct db_transaction *ret)
{
    struct ctx *ctx = column->ctx;
    const char *ignored;

    return db_begin(ctx, column->db, "READ ONLY", ret) &&
           db_value(ctx, column->db, settings, NULL, 0, &ignored) &&
           db_exec(ctx, column->db,
               arena_printf(ctx->arena, "SET LOCAL statement_timeout = %d", TIMEOUT_MS));
}

/* " WHERE tenant = … AND importance >= '5'", "" for none. */
static const char *
conditions(struct arena *arena, const struct vector_target *target, const char *tenant)
{
    struct buffer text = { .arena = arena };
    const char *word = " WHERE ";

    if (target->tenant && tenant) {
        buffer_printf(&text, "%s%s = %s", word, db_ident(arena, target->tenant), tenant);
        word = " AND ";
    }
    for (size_t i = 0; i < target->filters.count; i++) {
        const struct vector_filter *filter = &target->filters.items[i];

        buffer_printf(&text, "%s%s %s %s", word, db_ident(arena, filter->column), filter->operator,
            db_literal(arena, filter->value));
        word = " AND ";
    }
    return buffer_text(&text);
}

static const char *
operator_sql(struct arena *arena, const struct vector_target *target)
{
    return arena_printf(arena, "OPERATOR(%s.%s)", db_ident(arena, target->extension_schema),
        vector_metric_operator(target->metric));
}

static const char *
usual_sql(struct arena *arena, const struct vector_target *target)
{
    const char *column = db_ident(arena, target->column);
    const char *tenant = target->tenant ? arena_printf(arena, "$1::%s", target->tenant_type) : NULL;

    return arena_printf(arena, "SELECT %s FROM %s%s ORDER BY %s %s %s::%s LIMIT %d",
        target->key ? db_ident(arena, target->key) : "ctid", vector_table(arena, target),
        conditions(arena, target, tenant), column, operator_sql(arena, target),
        target->tenant ? "$2" : "$1", db_qualified(arena, target->extension_schema, target->type),
        target->limit);
}

static bool
prepare(struct trial *trial)
{
    struct surveyed *column = trial->column;
    struct ctx *ctx = column->ctx;
    const char *count = NULL;
    int64_t number = 0;

    if (!begin(column, &trial->transaction) ||
        !db_exec(
            ctx, column->db, arena_printf(ctx->arena, "PREPARE " PREPARED " AS %s", trial->sql)))
        return false;
    trial->is_prepared = true;
    if (!db_value(ctx, column->db,
            "SELECT pg_catalog.cardinality(p.parameter_types)"
            " FROM pg_catalog.pg_prepared_statements AS p WHERE p.name = '" PREPARED "'",
            NULL, 0, &count))
        return false;
    trial->count = count && text_to_int64(count, &number) && number > 0 ? (size_t)number : 0;
    return true;
}

static const struct vector_parameter *
find_parameter(const struct vector_shape *shape, size_t number)
{
    for (size_t i = 0; i < shape->parameters.count; i++)
        if ((size_t)shape->parameters.items[i].number == number)
            return &shape->parameters.items[i];
    return NULL;
}

/* A value for each parameter of the statement of the workload; false when one is not understood. */
static bool
value_of(const struct trial *trial, size_t number, const char *tenant, const char *vector,
    const char **ret)
{
    const struct vector_target *target = &trial->column->found.target;
    struct arena *arena = trial->column->ctx->arena;
    const struct vector_parameter *parameter;

    if (!trial->shape) {
        *ret = target->tenant && number == 1 ? tenant : vector;
        return true;
    }
    parameter = find_parameter(trial->shape, number);
    if (!parameter)
        return false;
    *ret = vector;
    if (parameter->is_limit)
        *ret = arena_printf(arena, "%d", target->limit);
    if (parameter->is_limit || !parameter->column)
        return true;
    *ret = tenant;
    if (text_equal(parameter->column, target->tenant))
        return true;
    for (size_t i = 0; i < target->filters.count; i++) {
        if (strcmp(target->filters.items[i].column, parameter->column) == 0) {
            *ret = target->filters.items[i].value;
            return true;
        }
    }
    for (size_t i = 0; i < trial->usual.count; i++) {
        if (strcmp(trial->usual.items[i].column, parameter->column) == 0) {
            *ret = trial->usual.items[i].value;
            return true;
        }
    }
    return false;
}

/* Conditions that no target has room for, such as a second owner: a value that is usual. */
static bool
load_usual(struct trial *trial)
{
    struct found_column *found = &trial->column->found;

    for (size_t i = 0; i < trial->shape->parameters.count; i++) {
        const struct vector_parameter *parameter = &trial->shape->parameters.items[i];
        struct vector_filter filter = { .column = parameter->column };
        const char *ignored;

        if (!parameter->column || !found_attribute(found, parameter->column) ||
            value_of(trial, (size_t)parameter->number, NULL, NULL, &ignored))
            continue;
        filter.operator= "=";
        if (!found_usual_value(found, &filter))
            return false;
        VEC_PUSH(trial->column->ctx->arena, &trial->usual, filter);
    }
    return true;
}

static bool
is_understood(const struct trial *trial)
{
    const char *ignored;

    for (size_t i = 1; i <= trial->count; i++)
        if (!value_of(trial, i, NULL, NULL, &ignored))
            return false;
    return true;
}

bool
trial_begin(struct surveyed *column, struct trial *ret)
{
    struct ctx *ctx = column->ctx;

    *ret = (struct trial){ .column = column };
    if (column->found.searches.count > 0) {
        const struct found_search *search = column->found.searches.items[0];

        ret->sql = search->query;
        ret->shape = &search->shape;
        ret->is_workload = true;
        if (load_usual(ret) && prepare(ret) && is_understood(ret))
            return true;
        if (ctx->error.kind != ERR_NONE && ctx->error.kind != ERR_SERVER)
            return false;
        error_clear(ctx);
        trial_end(ret);
        *ret = (struct trial){ .column = column };
    }
    ret->sql = usual_sql(ctx->arena, &column->found.target);
    return prepare(ret);
}

void
trial_end(struct trial *trial)
{
    struct surveyed *column = trial->column;

    db_transaction_end(&trial->transaction);
    if (!trial->is_prepared || !column || !db_is_connected(column->db))
        return;

    /* A prepared statement outlives its transaction; the error that brought us here must stay. */
    struct error why = column->ctx->error;

    (void)!db_exec(column->ctx, column->db, "DEALLOCATE " PREPARED);
    column->ctx->error = why;
    trial->is_prepared = false;
}

bool
trial_set(struct trial *trial, const char *name, const char *value)
{
    struct ctx *ctx = trial->column->ctx;
    const char *params[] = { name, value };
    const char *ignored;

    return db_value(ctx, trial->column->db, "SELECT pg_catalog.set_config($1, $2, true)", params,
        COUNT_OF(params), &ignored);
}

static const struct sql_vector_target_indexes *
find_ann(const struct surveyed *column, const char *name)
{
    for (size_t i = 0; i < column->found.indexes.count; i++)
        if (survey_is_ann(&column->found.indexes.items[i]) &&
            text_equal(column->found.indexes.items[i].name, name))
            return &column->found.indexes.items[i];
    return NULL;
}

/* Recursion is as deep as the plan, which the JSON reader has limited. */
static void
read_node(const struct surveyed *column, const json_t *node, struct trial_plan *plan)
{
    const json_t *child;
    size_t i;
    const struct sql_vector_target_indexes *ann =
        find_ann(column, json_string_value(json_object_get(node, "Index Name")));

    if (ann && !plan->ann) {
        plan->ann = ann;
        plan->has_filter = json_object_get(node, "Filter") != NULL;
    }
    json_array_foreach(json_object_get(node, "Plans"), i, child) read_node(column, child, plan);
}

static bool
read_plan(struct surveyed *column, const char *text, struct trial_plan *ret)
{
    json_t *tree CLEANUP(json_release) = NULL;

    *ret = (struct trial_plan){ 0 };
    if (!explain_read(column->ctx, text, &ret->plan) ||
        !json_parse(column->ctx, "plan", text, &tree))
        return false;
    read_node(column, json_object_get(json_array_get(tree, 0), "Plan"), ret);
    return true;
}

bool
trial_explain(struct trial *trial, const char *tenant, const char *vector, struct trial_plan *ret)
{
    struct ctx *ctx = trial->column->ctx;
    struct buffer sql = { .arena = ctx->arena };
    const char *text = NULL;

    buffer_add(&sql, "EXPLAIN (FORMAT JSON) EXECUTE " PREPARED);
    for (size_t i = 1; i <= trial->count; i++) {
        const char *value = NULL;

        (void)value_of(trial, i, tenant, vector, &value);
        buffer_printf(
            &sql, "%s%s", i == 1 ? " (" : ", ", value ? db_literal(ctx->arena, value) : "NULL");
    }
    if (trial->count > 0)
        buffer_add(&sql, ")");
    if (!db_value(ctx, trial->column->db, buffer_text(&sql), NULL, 0, &text))
        return false;
    if (!text)
        return error_set(ctx, ERR_FAILED, "the server gave no plan");
    return read_plan(trial->column, text, ret);
}

bool
trial_vector(struct surveyed *column, const char *tenant, int64_t skip, const char **ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct ctx *ctx = column->ctx;
    struct arena *arena = ctx->arena;
    const struct vector_target *target = &column->found.target;
    const char *name = db_ident(arena, target->column);
    const char *condition = target->tenant && tenant
                                ? arena_printf(arena, " AND %s = %s",
                                      db_ident(arena, target->tenant), db_literal(arena, tenant))
                                : "";
    const char *sql = arena_printf(arena,
        "SELECT /* pgmend */ %s::pg_catalog.text FROM %s WHERE %s IS NOT NULL AND %s OPERATOR(%s.<#>) %s < 0%s"
        " LIMIT 1 OFFSET %lld",
        name, vector_table(arena, target), name, name, db_ident(arena, target->extension_schema),
        name, condition, (long long)skip);

    return begin(column, &transaction) && db_value(ctx, column->db, sql, NULL, 0, ret);
}

static const char *
search_sql(struct surveyed *column, const char *expression, const char *tenant, const char *vector)
{
    struct arena *arena = column->ctx->arena;
    const struct vector_target *target = &column->found.target;
    const char *type = strstr(expression, "halfvec") ? "halfvec" : target->type;

    /* The comment keeps our searches out of what the survey takes for the workload. */
    return arena_printf(arena, "SELECT /* pgmend */ %s %s %s::%s FROM %s%s ORDER BY 1 LIMIT %d",
        expression, operator_sql(arena, target), db_literal(arena, vector),
        db_qualified(arena, target->extension_schema, type), vector_table(arena, target),
        conditions(arena, target, tenant ? db_literal(arena, tenant) : NULL), target->limit);
}

static double
distance_at(const struct result *result, size_t row)
{
    const char *text = result_cell(result, row, 0);
    double distance = 0;

    return text && text_to_double(text, &distance) ? distance : 0;
}

static void
compare(const struct result *got, const struct result *exact, struct trial_answer *ret)
{
    double last = exact->rows > 0 ? distance_at(exact, exact->rows - 1) : 0;
    double slack = (last < 0 ? -last : last) * 1e-6 + 1e-9;

    *ret = (struct trial_answer){ .rows = (int64_t)got->rows, .due = (int64_t)exact->rows };
    for (size_t i = 0; i < got->rows && i < exact->rows; i++)
        ret->right += distance_at(got, i) <= last + slack;
}

bool
trial_search(struct surveyed *column, const char *expression, const char *tenant,
    const char *vector, struct trial_answer *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct ctx *ctx = column->ctx;
    const char *sql = search_sql(column, expression, tenant, vector);
    struct result got, exact;

    return begin(column, &transaction) && db_query(ctx, column->db, sql, NULL, 0, &got) &&
           /* Approximate indexes know no bitmap scans, and indexes on the tenant do. */
           db_exec(ctx, column->db, "SET LOCAL enable_indexscan = off") &&
           db_query(ctx, column->db, sql, NULL, 0, &exact) && (compare(&got, &exact, ret), true);
}
