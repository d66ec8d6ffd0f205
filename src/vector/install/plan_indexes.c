/* Indexes of a choice, as the server writes them, and the approximate ones that they replace. */
#include <math.h>

#include "change/estimate.h"
#include "change/judge.h"
#include "change/shadow.h"
#include "db/ident.h"
#include "vector/install/planning.h"

/* Index entries: 8 bytes tuple header, 4 line pointer, pages filled to 90 %. */
enum { ENTRY_OVERHEAD = 12, FIXED_US = 200000 };

/* What a page holds besides its header and pgvector's special space, and one empty index. */
enum { PAGE_ROOM = 8160, PAGE_BYTES = 8192, EMPTY_BYTES = 16384 };

/* What the server takes for a value that it has no statistics about. */
enum { UNKNOWN_WIDTH = 32 };

/*
 * Bytes of an element of hnsw or ivfflat on its page; hnsw keeps the neighbours of it too, 2 m on
 * the ground and m on each layer above, six bytes each, with 16 the standard of m. Source: the
 * structures in pgvector's hnsw.h and ivfflat.h.
 */
static double
element_bytes(const struct planning *planning, const char *definition, const char *access_method)
{
    const struct vector_target *target = planning->target;
    const char *m_text = strstr(definition, "m='");
    double m = m_text ? strtod(m_text + 3, NULL) : 16;
    double each = 4;
    double vector;

    if (strstr(definition, "halfvec") || text_equal(target->type, "halfvec"))
        each = 2;
    if (strstr(definition, "bit_"))
        each = .125;
    vector = target->dims * each + 8;
    if (text_equal(access_method, "ivfflat"))
        return vector + ENTRY_OVERHEAD;
    return vector + 32 + ENTRY_OVERHEAD + m * 6 * 2.1 + 16;
}

/* Elements do not cross pages: of those of 6 kB there is one on each. */
static double
approximate_bytes(
    const struct planning *planning, const char *definition, const char *access_method, double rows)
{
    double element = element_bytes(planning, definition, access_method);
    double on_page = floor(PAGE_ROOM / element);

    return on_page >= 1 ? ceil(rows / on_page) * PAGE_BYTES : rows * PAGE_BYTES;
}

/* Columns that the plan adds have no statistics yet, but their type tells. */
static double
entry_bytes(
    struct ctx *ctx, const struct planning *planning, const struct sql_change_shadow *shadow)
{
    double width = (double)shadow->key_width;

    for (size_t i = 0; i < planning->columns.count; i++)
        if (strstr(shadow->definition, db_ident(ctx->arena, planning->columns.items[i].name)))
            width += fmax(planning->columns.items[i].bytes - UNKNOWN_WIDTH, 0);
    return (width + ENTRY_OVERHEAD) / .9;
}

static void
estimate(struct ctx *ctx, const struct planning *planning, const struct sql_change_shadow *shadow,
    double rows, struct change *change)
{
    bool is_approximate = estimate_is_vector_method(shadow->access_method);
    double bytes = is_approximate ? approximate_bytes(
                                        planning, shadow->definition, shadow->access_method, rows)
                                  : rows * entry_bytes(ctx, planning, shadow);
    double read = (double)planning->facts.heap_bytes;

    /* The vectors of the rows are read too, and stand outside of the heap when they are long. */
    if (is_approximate && planning->target->is_toasted)
        read += (double)planning->target->toast_bytes;
    change->bytes = llround(bytes) + EMPTY_BYTES;
    /* An index build writes its pages once into the WAL: .88–.91 of its size was measured. */
    change->wal_bytes = change->bytes;
    change->us = FIXED_US +
                 llround((read + bytes) /
                         estimate_build_rate(ctx, &planning->journal, shadow->access_method) * 1e6);
}

/* What the definition rests on that is still to be added. */
static struct shadow_index
shadow_of(struct ctx *ctx, const struct planning *planning, const struct vector_extra_index *index)
{
    struct shadow_index shadow = {
        .schema = planning->table.schema,
        .table = planning->table.name,
        .name = index->name,
        .rest = index->definition,
    };

    for (size_t i = 0; i < planning->columns.count; i++)
        text_list_add(ctx->arena, &shadow.columns,
            arena_printf(ctx->arena, "%s %s", db_ident(ctx->arena, planning->columns.items[i].name),
                planning->columns.items[i].type));
    return shadow;
}

/*
 * What the method asks for, and a third more, for the need is only reckoned and ivfflat refuses to
 * build with a byte too little; never less than the server itself grants, nor more than 2 GB.
 */
static bool
set_memory(
    struct ctx *ctx, const struct planning *planning, const char *settings, struct change *ret)
{
    static const char name[] = "maintenance_work_mem=";
    struct sql_change_server_rows server;
    double kilobytes;
    char *rest;

    ret->settings = settings;
    if (!settings || !text_starts_with(settings, name))
        return true;
    if (!sql_change_server(ctx, planning->db, &server))
        return false;
    kilobytes = strtod(settings + strlen(name), &rest);
    kilobytes = fmin(kilobytes * 4 / 3, 2 << 20);
    kilobytes = fmax(kilobytes, (double)server.items[0].temp_buffers / 1024);
    ret->settings = arena_printf(ctx->arena, "%s%.0f%s", name, ceil(kilobytes), rest);
    return true;
}

bool
planning_add_index(struct ctx *ctx, struct planning *planning,
    const struct vector_extra_index *index, double rows, const char *reason)
{
    struct change change = planning_change(planning, KIND_INDEX, index->name);
    const struct shadow_index wanted = shadow_of(ctx, planning, index);
    struct trial trial;

    change.statement = arena_printf(ctx->arena, "CREATE INDEX CONCURRENTLY %s ON %s %s",
        db_ident(ctx->arena, index->name), change_relation(ctx->arena, &change), index->definition);
    change.reason = reason;
    if (!set_memory(ctx, planning, index->settings, &change) ||
        !shadow_try(ctx, planning->db, &wanted, &trial))
        return false;
    if (trial.problem)
        return change_block(&change, trial.problem, trial.remedy) &&
               planning_add(ctx, planning, &change);
    estimate(ctx, planning, &trial.shadow, rows, &change);
    change.definition = trial.built;
    change.wording = trial.shadow.definition;
    change.access_method = trial.shadow.access_method;
    change.statement = arena_printf(ctx->arena, "CREATE INDEX CONCURRENTLY %s ON %s %s",
        db_ident(ctx->arena, index->name), change_relation(ctx->arena, &change),
        trial.shadow.definition);
    change.undo = arena_printf(ctx->arena, "DROP INDEX CONCURRENTLY %s",
        db_qualified(ctx->arena, change.schema, index->name));
    change.lock = "SHARE UPDATE EXCLUSIVE";
    change.blocks = "reads and writes go on; VACUUM and other DDL of this table wait";
    return planning_add(ctx, planning, &change);
}

/* An index of the plan, made by it or there already under some name. */
static bool
is_wanted(const struct plan *plan, const struct sql_vector_plan_old_indexes *index)
{
    for (size_t i = 0; i < plan->count; i++)
        if (change_is_of(&plan->items[i], KIND_INDEX) &&
            (text_equal(plan->items[i].name, index->name) ||
                change_is_index(&plan->items[i], false, index->definition)))
            return true;
    return false;
}

/* Why an index that this choice does not need must stay; NULL: it may go. */
static const char *
kept_for(struct ctx *ctx, const struct planning *planning, const struct vector_others *others,
    const struct sql_vector_plan_old_indexes *index)
{
    const struct vector_target *target = planning->target;

    if (!target->tenant || !index->is_valid)
        return NULL;
    if (others->calls > 0)
        return arena_printf(ctx->arena,
            "it stays: the workload has searches over %s without %s (calls: %s), which may use it",
            db_ident(ctx->arena, target->column), db_ident(ctx->arena, target->tenant),
            text_from_count(ctx->arena, others->calls));
    if (others->problem && index->scans > 0)
        return arena_printf(ctx->arena,
            "it stays: it was scanned (%s times since the statistics were reset), and by which "
            "searches is not known: %s",
            text_from_count(ctx->arena, index->scans), others->problem);
    return NULL;
}

static bool
add_drop(struct ctx *ctx, struct planning *planning, const struct vector_others *others,
    const struct sql_vector_plan_old_indexes *index)
{
    struct change change = planning_change(planning, KIND_DROP, index->name);
    const char *kept = kept_for(ctx, planning, others, index);

    change.definition = index->definition;
    change.access_method = index->access_method;
    change.us = FIXED_US;
    if (kept) {
        change_compose(ctx->arena, &change);
        change.action = ACTION_NONE;
        change.problem = kept;
        VEC_PUSH(ctx->arena, planning->plan, change);
        return true;
    }
    change.reason = arena_printf(ctx->arena,
        "the chosen search does not use it, no constraint rests on it, and it costs %s and work at "
        "each write; while it is there the server may take it for a search by tenant and lose "
        "right answers (%s scans since the statistics were reset%s)",
        text_from_bytes(ctx->arena, index->bytes), text_from_count(ctx->arena, index->scans),
        index->is_valid ? "" : "; it is INVALID");
    return planning_add(ctx, planning, &change);
}

bool
planning_drop_old(struct ctx *ctx, struct planning *planning)
{
    struct sql_vector_plan_old_indexes_rows old;
    struct vector_others others;

    if (!sql_vector_plan_old_indexes(ctx, planning->db, &old, .table_oid = planning->table.oid,
            .column_name = planning->target->column) ||
        !vector_others_find(ctx, planning->db, planning->target, &others))
        return false;
    for (size_t i = 0; i < old.count; i++)
        if (!is_wanted(planning->plan, &old.items[i]) &&
            !add_drop(ctx, planning, &others, &old.items[i]))
            return false;
    return true;
}
