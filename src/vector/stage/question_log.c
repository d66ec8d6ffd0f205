/* Questions that the application itself has logged or cached. */
#include "db/ident.h"
#include "sql.h"
#include "vector/stage/stage_parts.h"

enum { FOUND_MOST = 8 };

/* How many are worth reading: twice what is needed, as they do not fall evenly on the buckets. */
static int64_t
most_questions(const struct asking *asking)
{
    const struct vector_sizes *sizes = asking->sizes;
    int64_t wanted = (int64_t)asking->options->queries * (int64_t)sizes->buckets.count;
    int64_t one = asking->sample->rows * (asking->target->dims > 0 ? asking->target->dims : 1);
    int64_t most;

    if (!asking->target->tenant)
        return wanted;
    most = one > 0 ? asking->most_distances / one : 0;
    return wanted * 2 < most ? wanted * 2 : most;
}

static bool
take_rows(struct ctx *ctx, const struct asking *asking, const struct result *result,
    const char *source, struct stage_given *ret)
{
    const struct vector_target *target = asking->target;
    double *numbers = ARENA_ARRAY(ctx->arena, double, (size_t)target->dims);
    size_t left_out = 0;

    for (size_t row = 0; row < result->rows; row++) {
        const char *values = result_cell(result, row, 0);
        struct vector_reading reading = { .dims = target->dims,
            .is_half = text_equal(target->type, "halfvec") };

        if (stage_values_read(ctx->arena, values, &reading, numbers) &&
            !(reading.is_zero && target->metric == METRIC_COSINE))
            VEC_PUSH(
                ctx->arena, ret, (struct stage_question){ .values = values, .source = source });
        else
            left_out++;
    }
    if (left_out > 0)
        text_list_add(ctx->arena, asking->notes,
            arena_printf(ctx->arena,
                "%zu vectors of %s cannot be asked with (length zero or other dimensions)",
                left_out, source));
    return true;
}

static bool
read_table(struct ctx *ctx, struct db *live, const struct asking *asking,
    const struct sql_vector_stage_logged *found, struct stage_given *ret)
{
    const char *column = db_ident(ctx->arena, found->column_name);
    const char *sql = arena_printf(ctx->arena,
        "SELECT t.%s::pg_catalog.text FROM %s AS t WHERE t.%s IS NOT NULL ORDER BY"
        " pg_catalog.hashtextextended(t.ctid::pg_catalog.text, $1::pg_catalog.int8), t.ctid"
        " LIMIT $2::pg_catalog.int8",
        column, db_qualified(ctx->arena, found->schema, found->table_name), column);
    const char *params[] = {
        arena_printf(ctx->arena, "%lld", (long long)asking->options->seed),
        arena_printf(ctx->arena, "%lld", (long long)most_questions(asking)),
    };
    struct result result;

    if (!db_query(ctx, live, sql, params, COUNT_OF(params), &result))
        return error_wrap(ctx, "reading questions from %s.%s", found->schema, found->table_name);
    return take_rows(ctx, asking, &result, found->table_name, ret);
}

/* "schema.table.column" or "table.column". */
static bool
split_name(struct ctx *ctx, const char *name, const char **ret_schema, const char **ret_table,
    const char **ret_column)
{
    char *table = arena_strdup(ctx->arena, name);
    char *column = strrchr(table, '.');
    char *dot;

    *ret_schema = NULL;
    if (!column || column == table || !column[1])
        return error_set(ctx, ERR_INPUT, "a column of questions is TABLE.COLUMN, not \"%s\"", name);
    *column++ = '\0';
    dot = strchr(table, '.');
    if (dot) {
        *dot = '\0';
        *ret_schema = table;
    }
    *ret_table = dot ? dot + 1 : table;
    *ret_column = column;
    return true;
}

/* The column that the user named: it has to be there and readable. */
static bool
find_named(struct ctx *ctx, struct db *live, const struct asking *asking,
    struct sql_vector_stage_logged *ret)
{
    const struct vector_target *target = asking->target;
    const char *name = asking->options->query_column;
    const char *schema, *table, *column;
    struct sql_vector_stage_logged_rows found;

    if (!split_name(ctx, name, &schema, &table, &column))
        return false;
    if (!sql_vector_stage_logged(ctx, live, &found, .table_oid = target->table_oid,
            .type = target->type, .dims = target->dims, .table_name = table, .table_schema = schema,
            .column_name = column))
        return error_wrap(ctx, "looking for %s", name);
    if (found.count == 0)
        return error_set(ctx, ERR_INPUT, "there is no column \"%s\" of type %s(%d) with questions",
            name, target->type, target->dims);
    if (!found.items[0].may_read)
        return error_set(ctx, ERR_RIGHTS, "role \"%s\" may not read %s", db_user(live), name);
    *ret = found.items[0];
    return true;
}

static bool
is_named(const struct asking *asking)
{
    return asking->options->query_column && *asking->options->query_column;
}

bool
stage_log_check(struct ctx *ctx, struct db *live, const struct asking *asking)
{
    struct sql_vector_stage_logged ignored;

    return !is_named(asking) || find_named(ctx, live, asking, &ignored);
}

static bool
read_named(struct ctx *ctx, struct db *live, const struct asking *asking, struct stage_given *ret)
{
    struct sql_vector_stage_logged found;

    return find_named(ctx, live, asking, &found) && read_table(ctx, live, asking, &found, ret);
}

/* Tables whose names say that they log questions: the first one that holds some. */
static bool
read_found(struct ctx *ctx, struct db *live, const struct asking *asking, struct stage_given *ret)
{
    const struct vector_target *target = asking->target;
    struct sql_vector_stage_logged_rows found;

    if (!sql_vector_stage_logged(ctx, live, &found, .table_oid = target->table_oid,
            .type = target->type, .dims = target->dims))
        return error_wrap(ctx, "looking for logged questions");
    for (size_t i = 0; i < found.count && i < FOUND_MOST && ret->count == 0; i++) {
        const struct sql_vector_stage_logged *item = &found.items[i];

        if (item->may_read && !read_table(ctx, live, asking, item, ret))
            return false;
        if (!item->may_read)
            text_list_add(ctx->arena, asking->notes,
                arena_printf(ctx->arena,
                    "%s.%s may hold questions, but role \"%s\" may not read it", item->schema,
                    item->table_name, db_user(live)));
    }
    return true;
}

bool
stage_log_read(
    struct ctx *ctx, struct db *live, const struct asking *asking, struct stage_given *ret)
{
    if (is_named(asking))
        return read_named(ctx, live, asking, ret);
    /* An empty name wishes for none. */
    return asking->options->query_column != NULL || read_found(ctx, live, asking, ret);
}
