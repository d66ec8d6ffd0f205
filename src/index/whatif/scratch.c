/* Indexes tried on a private server that has the database's schema, statistics and sizes, and no rows. */
#include "index/whatif/scratch.h"

#include "base/json.h"
#include "db/ident.h"
#include "sql.h"

static void
close_way(struct whatif *whatif)
{
    struct scratch_way *way = whatif->way_data;

    if (!way)
        return;
    db_cleanup(&whatif->db);
    db_cleanup(&way->builder);
    db_cleanup(&way->admin);
    private_server_cleanup(&way->server);
    whatif->way_data = NULL;
}

static const struct query *const prepared[] = { &query_staging_whatif_show,
    &query_staging_whatif_put, &query_staging_whatif_indexes, &query_staging_whatif_restore };

bool
scratch_way_prepare(struct ctx *ctx, struct scratch_way *way)
{
    if (!db_set(ctx, way->admin, "plan_cache_mode", "force_generic_plan"))
        return false;
    for (size_t i = 0; i < COUNT_OF(prepared); i++)
        if (!db_exec(ctx, way->admin,
                arena_printf(ctx->arena, "PREPARE %s (%s) AS %s",
                    db_ident(ctx->arena, prepared[i]->name), prepared[i]->arg_types[0],
                    query_text(prepared[i], db_major(way->admin)))))
            return error_wrap(ctx, "preparing query \"%s\"", prepared[i]->name);
    return true;
}

bool
scratch_way_run(struct ctx *ctx, struct scratch_way *way, const struct query *query,
    const char *arg, struct result *ret)
{
    struct result ignored;
    const char *sql = arena_printf(ctx->arena, "EXECUTE %s (%s)", db_ident(ctx->arena, query->name),
        db_literal(ctx->arena, arg));

    return db_query(ctx, way->admin, sql, NULL, 0, ret ? ret : &ignored) ||
           error_wrap(ctx, "query \"%s\"", query->name);
}

static void
push_flip(json_t *rows, uint32_t id, bool is_live)
{
    json_t *row = json_object();

    json_object_set_new(row, "id", json_integer(id));
    json_object_set_new(row, "live", json_boolean(is_live));
    json_array_append_new(rows, row);
}

static void
want(struct scratch_way *way, const struct whatif_set *set)
{
    for (size_t i = 0; i < way->indexes.count; i++)
        way->indexes.items[i].is_wanted = false;
    for (size_t i = 0; i < set->count; i++)
        if (set->numbers[i] > 0 && set->numbers[i] <= way->indexes.count)
            way->indexes.items[set->numbers[i] - 1].is_wanted = true;
}

/* An index goes with all its parts on partitions. */
static void
hide_real(struct scratch_way *way, size_t position)
{
    struct scratch_real *real = &way->reals.items[position];

    if (real->is_unwanted)
        return;
    real->is_unwanted = true;
    for (size_t i = 0; i < way->reals.count; i++)
        if (way->reals.items[i].parent == real->id)
            hide_real(way, i);
}

static void
hide(struct ctx *ctx, struct scratch_way *way, const struct whatif_set *set)
{
    for (size_t i = 0; i < way->reals.count; i++)
        way->reals.items[i].is_unwanted = false;
    for (size_t i = 0; i < set->hidden_count; i++) {
        const size_t *position = map_get(&way->real_positions,
            db_qualified(ctx->arena, set->hidden[i]->schema, set->hidden[i]->name));

        if (position)
            hide_real(way, *position);
    }
}

/* What differs from how it is, as rows for the server. */
static void
collect(const struct scratch_way *way, json_t *rows)
{
    for (size_t i = 0; i < way->indexes.count; i++) {
        const struct scratch_index *index = &way->indexes.items[i];

        for (size_t k = 0; index->is_wanted != index->is_shown && k < index->count; k++)
            push_flip(rows, index->ids[k], index->is_wanted);
    }
    for (size_t i = 0; i < way->reals.count; i++) {
        const struct scratch_real *real = &way->reals.items[i];

        if (real->is_unwanted != real->is_hidden)
            push_flip(rows, real->id, real->is_hidden);
    }
}

static void
remember(struct scratch_way *way)
{
    for (size_t i = 0; i < way->indexes.count; i++)
        way->indexes.items[i].is_shown = way->indexes.items[i].is_wanted;
    for (size_t i = 0; i < way->reals.count; i++)
        way->reals.items[i].is_hidden = way->reals.items[i].is_unwanted;
}

static bool
show(struct ctx *ctx, struct whatif *whatif, const struct whatif_set *set)
{
    struct scratch_way *way = whatif->way_data;
    json_t *rows CLEANUP(json_release) = json_array();

    if (!scratch_way_restore(ctx, way))
        return false;
    want(way, set);
    hide(ctx, way, set);
    collect(way, rows);
    if (json_array_size(rows) == 0)
        return true;
    if (!scratch_way_run(ctx, way, &query_staging_whatif_show, json_text(ctx->arena, rows), NULL))
        return false;
    remember(way);
    return true;
}

static uint32_t
number_of(const struct whatif *whatif, const char *schema, const char *name)
{
    const struct scratch_way *way = whatif->way_data;
    unsigned long number;

    (void)schema;
    if (!text_starts_with(name, SCRATCH_INDEX_PREFIX))
        return 0;
    number = strtoul(name + strlen(SCRATCH_INDEX_PREFIX), NULL, 10);
    return number <= way->indexes.count ? (uint32_t)number : 0;
}

const struct whatif_way_table whatif_scratch = {
    .name = "a scratch server",
    .open = scratch_way_open,
    .close = close_way,
    .add = scratch_way_add,
    .can_hide = true,
    .show = show,
    .number_of = number_of,
};
