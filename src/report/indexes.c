#include "base/vec.h"
#include "db/ident.h"
#include "report/make.h"
#include "sql.h"

struct indexes {
    struct report_index *items;
    size_t count;
    size_t capacity;
};

static const struct snapshot_index *
find(const struct snapshot *snapshot, uint32_t id)
{
    for (size_t i = 0; i < snapshot->index_count; i++)
        if (snapshot->indexes[i].index_id == id)
            return &snapshot->indexes[i];
    return NULL;
}

static void
add(struct ctx *ctx, struct indexes *indexes, const struct snapshot_index *index, const char *what,
    int64_t scans)
{
    struct report_index item = {
        .schema = index->schema,
        .table_name = index->table_name,
        .name = index->name,
        .definition = index->definition,
        .what = what,
        .is_valid = index->is_valid,
        .size_bytes = index->size_bytes,
        .scans = scans,
        .build_us = -1,
    };

    VEC_PUSH(ctx->arena, indexes, item);
}

/* Whether a plan of the scripts uses an index of this name, before or after. */
static bool
is_used_by_plan(const struct report *report, const char *name)
{
    for (size_t i = 0; i < report->query_count; i++) {
        const struct snapshot_plan *before = report->queries[i].before.plan;
        const struct snapshot_plan *after = report->queries[i].after.plan;

        if ((before && text_list_has(&before->plan.indexes, name)) ||
            (after && text_list_has(&after->plan.indexes, name)))
            return true;
    }
    return false;
}

static void
compare(
    struct ctx *ctx, const struct report_source *source, struct report *report, struct indexes *ret)
{
    const struct snapshot *before = &source->before;
    const struct snapshot *after = &source->after;
    bool was_reset = !text_equal(before->database_reset, after->database_reset);

    for (size_t i = 0; i < after->index_count; i++)
        if (!find(before, after->indexes[i].index_id))
            add(ctx, ret, &after->indexes[i], "built", after->indexes[i].scans);
    report->built_count = (int64_t)ret->count;
    for (size_t i = 0; i < before->index_count; i++)
        if (!find(after, before->indexes[i].index_id))
            add(ctx, ret, &before->indexes[i], "dropped", -1);
    for (size_t i = 0; i < after->index_count; i++) {
        const struct snapshot_index *now = &after->indexes[i];
        const struct snapshot_index *was = find(before, now->index_id);
        bool is_counted = was && !was_reset && now->scans >= was->scans;

        if (was && is_used_by_plan(report, now->name))
            add(ctx, ret, now, "kept", is_counted ? now->scans - was->scans : -1);
    }
    if (was_reset)
        report_note(ctx, report,
            "The counters of tables and indexes were reset between the snapshots: scans of indexes "
            "that were there before are not known.");
}

static bool
is_object(struct arena *arena, const struct report_index *index, const char *object)
{
    return text_equal(object, db_ident(arena, index->name)) ||
           text_equal(object, db_qualified(arena, index->schema, index->name));
}

/* The last build of the name counts: an index can be built, dropped and built again. */
static bool
add_builds(struct ctx *ctx, struct db *db, struct indexes *indexes)
{
    struct sql_report_journal_exists_rows exists;
    struct sql_report_builds_rows builds;

    if (!sql_report_journal_exists(ctx, db, &exists))
        return false;
    if (exists.count == 0 || !exists.items[0].exist)
        return true;
    if (!sql_report_builds(ctx, db, &builds))
        return false;
    for (size_t i = 0; i < indexes->count; i++) {
        struct report_index *index = &indexes->items[i];

        for (size_t j = 0; j < builds.count; j++) {
            const struct sql_report_builds *build = &builds.items[j];

            if (!text_equal(build->state, "done") || !text_equal(index->what, "built") ||
                !is_object(ctx->arena, index, build->object))
                continue;
            index->build_us = build->duration_us;
            index->build_started = build->started_at;
            index->build_ended = build->ended_at;
        }
    }
    return true;
}

static const struct snapshot_table *
find_table(const struct snapshot *snapshot, uint32_t id)
{
    for (size_t i = 0; i < snapshot->table_count; i++)
        if (snapshot->tables[i].table_id == id)
            return &snapshot->tables[i];
    return NULL;
}

static bool
has_index_of(const struct indexes *indexes, const struct snapshot_table *table)
{
    for (size_t i = 0; i < indexes->count; i++)
        if (text_equal(indexes->items[i].schema, table->schema) &&
            text_equal(indexes->items[i].table_name, table->name))
            return true;
    return false;
}

/* Only the tables of the indexes above: what they cost there. */
static void
compare_tables(struct ctx *ctx, const struct report_source *source, const struct indexes *indexes,
    struct report *report)
{
    const struct snapshot *after = &source->after;
    bool was_reset = !text_equal(source->before.database_reset, after->database_reset);

    report->tables = ARENA_ARRAY(ctx->arena, struct report_table, after->table_count + 1);
    for (size_t i = 0; i < after->table_count; i++) {
        const struct snapshot_table *now = &after->tables[i];
        const struct snapshot_table *was = find_table(&source->before, now->table_id);
        bool is_counted = was && !was_reset && now->seq_scans >= was->seq_scans &&
                          now->index_scans >= was->index_scans;

        if (!has_index_of(indexes, now))
            continue;
        report->tables[report->table_count++] = (struct report_table){
            .schema = now->schema,
            .name = now->name,
            .live_rows = now->live_rows,
            .table_bytes = now->table_bytes,
            .index_bytes_before = was ? was->index_bytes : 0,
            .index_bytes_after = now->index_bytes,
            .seq_scans = is_counted ? now->seq_scans - was->seq_scans : -1,
            .index_scans = is_counted ? now->index_scans - was->index_scans : -1,
        };
    }
}

bool
report_compare_indexes(
    struct ctx *ctx, struct db *db, const struct report_source *source, struct report *report)
{
    struct indexes indexes = { 0 };

    compare(ctx, source, report, &indexes);
    if (!add_builds(ctx, db, &indexes))
        return false;
    compare_tables(ctx, source, &indexes, report);
    report->indexes = indexes.items;
    report->index_count = indexes.count;
    return true;
}
