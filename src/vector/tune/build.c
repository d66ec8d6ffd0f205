/* What stands on the copy, and what has to be made or removed for the next methods. */
#include "vector/tune/build.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "sql.h"

enum { STEP_US = 300000, CANCEL_LIMIT_US = 10000000 };

static const int64_t most_memory = INT64_C(2) << 30;

bool
builder_run(struct ctx *ctx, struct builder *builder, const char *sql, const char *what,
    int64_t expected_us)
{
    struct db *db = builder->stage->db;
    int64_t start_us = clock_us();
    bool is_done = false;

    if (!db_send(ctx, db, sql))
        return false;
    while (!is_done) {
        int64_t spent_us;

        if (!db_wait(ctx, db, STEP_US, &is_done)) {
            if (interrupt_signal())
                (void)db_cancel_wait(db, CANCEL_LIMIT_US);
            return false;
        }
        spent_us = clock_us() - start_us;
        if (!is_done && expected_us > spent_us)
            vector_progress(builder->observer, what, (double)spent_us / (double)expected_us,
                expected_us - spent_us);
        else if (!is_done)
            vector_progress(builder->observer, what, -1, -1);
    }
    return true;
}

/* The memory that this machine has to spare, when the server is here; else -1. */
static int64_t
spare_memory(const struct builder *builder)
{
    char line[128];
    static const char key[] = "MemAvailable:";
    long long kilobytes = -1;
    FILE *file;

    if (builder->meter.kind != METER_SCHEDSTAT)
        return -1;
    file = fopen("/proc/meminfo", "re");
    if (!file)
        return -1;
    while (kilobytes < 0 && fgets(line, sizeof(line), file))
        if (text_starts_with(line, key))
            kilobytes = strtoll(line + sizeof(key) - 1, NULL, 10);
    fclose(file);
    return kilobytes < 0 ? -1 : kilobytes * 1024;
}

/* A quarter of what the server believes to have, half of what is really to spare. */
static bool
find_memory(struct ctx *ctx, struct builder *builder)
{
    struct sql_vector_tune_memory_rows rows;
    int64_t spare = spare_memory(builder);

    if (!sql_vector_tune_memory(ctx, builder->stage->db, &rows))
        return false;
    builder->most_memory = rows.items[0].cache_bytes / 4;
    if (spare >= 0 && builder->most_memory > spare / 2)
        builder->most_memory = spare / 2;
    if (builder->most_memory > most_memory)
        builder->most_memory = most_memory;
    if (builder->most_memory < rows.items[0].build_bytes)
        builder->most_memory = rows.items[0].build_bytes;
    return true;
}

bool
builder_vacuum(struct ctx *ctx, struct builder *builder, const char *options)
{
    const char *table = vector_table(ctx->arena, &builder->stage->target);

    return builder_run(ctx, builder, arena_printf(ctx->arena, "VACUUM (%s) %s", options, table),
               "vacuuming the copy", 0) ||
           error_wrap(ctx, "vacuuming the copy");
}

bool
builder_open(struct ctx *ctx, struct vector_stage *stage, const struct vector_observer *observer,
    struct builder *ret)
{
    *ret = (struct builder){ .stage = stage,
        .observer = observer,
        .rows = stage->rows,
        .meter = { .schedstat = -1, .stat = -1 } };
    for (size_t i = 0; i < FAMILY_COUNT; i++)
        ret->pace[i] = 1;
    return meter_open(ctx, stage->db, &ret->meter) && find_memory(ctx, ret);
}

void
builder_close(struct builder *builder)
{
    meter_close(&builder->meter);
}

static bool
is_divided(const struct vector_method *method)
{
    return method->scope == SCOPE_HASH || method->scope == SCOPE_LIST;
}

const struct vector_target *
builder_target(const struct builder *builder, const struct vector_method *method)
{
    return is_divided(method) && builder->divided.table ? &builder->divided
                                                        : &builder->stage->target;
}

static bool
is_same(const struct built_part *a, const struct built_part *b)
{
    return a->kind == b->kind && text_equal(a->name, b->name) && text_equal(a->table, b->table) &&
           text_equal(a->definition, b->definition);
}

static struct built_part *
find_standing(const struct builder *builder, const struct built_part *part)
{
    for (size_t i = 0; i < builder->standing.count; i++)
        if (is_same(&builder->standing.items[i], part))
            return &builder->standing.items[i];
    return NULL;
}

static bool
is_wanted(const struct wanted_parts *wanted, const struct built_part *part)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (is_same(&wanted->items[i].part, part))
            return true;
    return false;
}

/*
 * Values of a dropped column stay in the rows, and the old versions of all rows beside them, until
 * the table is written anew: the next measures shall not read through them. Where there is no room
 * for that they have to.
 */
static bool
tidy(struct ctx *ctx, struct builder *builder)
{
    if (builder_vacuum(ctx, builder, "FULL"))
        return true;
    if (interrupt_signal() || !db_is_connected(builder->stage->db))
        return false;
    error_clear(ctx);
    return builder_vacuum(ctx, builder, "PROCESS_TOAST false");
}

static bool
remove_unwanted(struct ctx *ctx, struct builder *builder, const struct wanted_parts *wanted)
{
    size_t kept = 0;
    bool is_rewritten = false;

    for (int kind = PART_INDEX; kind >= PART_COLUMN; kind--) {
        for (size_t i = 0; i < builder->standing.count; i++) {
            const struct built_part *part = &builder->standing.items[i];

            if (part->kind != kind || is_wanted(wanted, part))
                continue;
            if (!builder_remove_part(ctx, builder, part))
                return error_wrap(ctx, "removing %s from the copy", part->name);
            is_rewritten = is_rewritten || kind == PART_COLUMN;
        }
    }
    for (size_t i = 0; i < builder->standing.count; i++)
        if (is_wanted(wanted, &builder->standing.items[i]))
            builder->standing.items[kept++] = builder->standing.items[i];
    builder->standing.count = kept;
    return !is_rewritten || builder->is_last || tidy(ctx, builder);
}

static void
add_cost(struct vector_build *build, const struct built_part *part)
{
    build->us += part->us;
    if (part->cpu_us < 0 || build->cpu_us < 0)
        build->cpu_us = -1;
    else
        build->cpu_us += part->cpu_us;
    if (part->kind == PART_COLUMN)
        build->column_bytes += part->bytes;
    else
        build->index_bytes += part->bytes;
}

/* A part is noted before it is made, so that what a failure leaves is removed too. */
static bool
add_missing(struct ctx *ctx, struct builder *builder, struct wanted_parts *wanted,
    struct vector_build *build)
{
    for (size_t i = 0; i < wanted->count; i++) {
        struct wanted_part *part = &wanted->items[i];
        struct built_part *standing = find_standing(builder, &part->part);

        if (!standing) {
            VEC_PUSH(ctx->arena, &builder->standing, part->part);
            standing = &builder->standing.items[builder->standing.count - 1];
            if (!builder_make_part(ctx, builder, part))
                return false;
            *standing = part->part;
        }
        add_cost(build, standing);
    }
    return true;
}

/* The table of partitions that stands, if it is the one that is wished for; else none. */
static bool
prepare_table(struct ctx *ctx, struct builder *builder, const struct build_wish *wish)
{
    const struct vector_method *method = wish->count > 0 ? wish->methods[0] : NULL;
    bool is_needed = method && is_divided(method);

    if (builder->divided.table && is_needed && builder->divided_by == method->scope)
        return true;
    if (builder->divided.table) {
        if (!builder_unite(ctx, builder))
            return false;
        builder->standing.count = 0;
    }
    if (!is_needed)
        return true;

    /* The copy needs the room of its own indexes back before there is a second one. */
    struct wanted_parts none = { 0 };

    return remove_unwanted(ctx, builder, &none) &&
           builder_divide(ctx, builder, method, wish->tenants);
}

bool
builder_stand(struct ctx *ctx, struct builder *builder, const struct build_wish *wish,
    struct vector_build *ret)
{
    struct wanted_parts wanted;

    *ret = (struct vector_build){ 0 };
    if (!prepare_table(ctx, builder, wish))
        return false;
    builder_want(ctx, builder, wish, &wanted);
    if (!remove_unwanted(ctx, builder, &wanted) || !add_missing(ctx, builder, &wanted, ret))
        return false;
    if (wish->count > 0)
        ret->table = vector_table(ctx->arena, builder_target(builder, wish->methods[0]));
    return true;
}

bool
builder_clear(struct ctx *ctx, struct builder *builder)
{
    const struct build_wish nothing = { 0 };
    struct vector_build build;

    return builder_stand(ctx, builder, &nothing, &build);
}

bool
vector_build_make(struct ctx *ctx, struct vector_stage *stage, const struct vector_method *method,
    const struct text_list *tenants, const struct vector_observer *observer,
    struct vector_build *ret)
{
    const struct build_wish wish = { .methods = &method, .count = 1, .tenants = tenants };
    struct builder builder CLEANUP(builder_close);
    struct ctx clearing = { .arena = ctx->arena };

    if (!builder_open(ctx, stage, observer, &builder))
        return false;
    if (builder_stand(ctx, &builder, &wish, ret))
        return true;
    if (!interrupt_signal() && db_is_connected(stage->db))
        (void)!builder_clear(&clearing, &builder);
    return false;
}

bool
vector_build_remove(struct ctx *ctx, struct vector_stage *stage, const struct vector_method *method,
    const struct text_list *tenants)
{
    const struct build_wish wish = { .methods = &method, .count = 1, .tenants = tenants };
    struct builder builder CLEANUP(builder_close) = {
        .stage = stage, .rows = stage->rows, .meter = { .schedstat = -1, .stat = -1 }
    };
    struct wanted_parts wanted;

    if (is_divided(method))
        builder_name_divided(&builder, method);
    builder_want(ctx, &builder, &wish, &wanted);
    for (size_t i = 0; i < wanted.count; i++)
        VEC_PUSH(ctx->arena, &builder.standing, wanted.items[i].part);
    return builder_clear(ctx, &builder);
}
