/* pg_stat_statements of this database as a workload. */
#include <inttypes.h>

#include "db/ident.h"
#include "index/intake/intake_part.h"
#include "sql.h"
#include "workload/workload.h"

static bool
find_role(struct ctx *ctx, struct db *db, const char *role, uint32_t *ret_oid)
{
    struct sql_index_intake_role_rows rows;

    *ret_oid = 0;
    if (!role)
        return true;
    if (!sql_index_intake_role(ctx, db, &rows, role))
        return false;
    if (rows.count == 0)
        return error_set(ctx, ERR_NOT_FOUND, "there is no role \"%s\"", role);
    *ret_oid = rows.items[0].oid;
    return true;
}

static void
note(struct ctx *ctx, struct intake *intake, const char *text)
{
    text_list_add(ctx->arena, &intake->notes, text);
}

static void
add_notes(struct ctx *ctx, const struct workload *workload, int64_t nested, struct intake *ret)
{
    struct arena *arena = ctx->arena;

    if (nested > 0)
        note(ctx, ret,
            arena_printf(arena,
                "%" PRId64
                " statements ran inside functions: their time is part of the callers' too.",
                nested));
    if (ret->hidden > 0)
        note(ctx, ret,
            arena_printf(arena,
                "%" PRId64
                " statements of other roles may not be read; GRANT pg_read_all_stats shows them.",
                ret->hidden));
    if (ret->evicted > 0)
        note(ctx, ret,
            arena_printf(arena,
                "pg_stat_statements had room for %" PRId64 " statements and dropped some %" PRId64
                " times: what runs rarely may be missing (pg_stat_statements.max).",
                workload->most_entries, ret->evicted));
}

static void
add_statements(struct gather *gather, const struct workload *workload, uint32_t role,
    size_t cut_bytes, int64_t *ret_nested)
{
    *ret_nested = 0;
    for (size_t i = 0; i < workload->count; i++) {
        const struct workload_statement *statement = &workload->items[i];
        char id[32];
        struct gather_seen seen = {
            .source = "pg_stat_statements",
            .calls = (double)statement->calls,
            .total_ms = statement->total_ms,
            .rows = (double)statement->row_count,
            .fingerprint = id,
            .cut_bytes = cut_bytes,
        };

        if (role != 0 && statement->user_id != role)
            continue;
        (void)snprintf(id, sizeof(id), "q%" PRId64, statement->query_id);
        *ret_nested += !statement->is_top_level;
        gather_add(gather, statement->query, &seen);
    }
}

static bool
read_all(struct ctx *ctx, struct db *db, uint32_t role, struct gather *gather, struct intake *ret)
{
    struct workload workload;
    struct sql_index_intake_counters_rows about;
    int64_t nested;

    if (!workload_read(ctx, db, &workload) ||
        !sql_index_intake_counters(ctx, db, &about,
            workload.stats_reset ? workload.stats_reset : workload.server_start, workload.taken_at))
        return false;
    ret->hidden = workload.hidden;
    ret->evicted = workload.evicted;
    ret->span_s = about.count > 0 ? about.items[0].span_s : -1;
    ret->source = arena_printf(ctx->arena, "pg_stat_statements since %s",
        workload.stats_reset ? workload.stats_reset : workload.server_start);
    add_statements(gather, &workload, role,
        about.count > 0 ? (size_t)about.items[0].query_bytes - 1 : 0, &nested);
    add_notes(ctx, &workload, nested, ret);
    return true;
}

bool
intake_counters(struct ctx *ctx, struct db *db, const char *role, struct intake *ret)
{
    struct gather gather CLEANUP(gather_end);
    uint32_t oid;
    bool is_good;

    *ret = (struct intake){ .span_s = -1 };
    gather_begin(ctx->arena, &gather);
    is_good = find_role(ctx, db, role, &oid) && read_all(ctx, db, oid, &gather, ret);
    if (is_good)
        gather_finish(&gather, ret);
    return is_good;
}
