/* What the monitor has stored of statements as a workload. */
#include <inttypes.h>

#include "index/intake/intake_part.h"
#include "sql.h"

static void
add_rows(struct gather *gather, const struct sql_index_intake_stored_rows *rows, struct intake *ret)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct sql_index_intake_stored *row = &rows->items[i];
        char id[32];
        struct gather_seen seen = {
            .source = "the monitor's store",
            .problem = row->is_cut
                           ? "cut off after 4000 characters, of which the monitor keeps no more"
                           : NULL,
            .calls = row->calls,
            .total_ms = row->total_ms,
            .rows = row->row_count,
            .fingerprint = id,
        };

        if (!row->query) {
            ret->hidden++;
            continue;
        }
        (void)snprintf(id, sizeof(id), "q%" PRId64, row->query_id);
        gather_add(gather, row->query, &seen);
    }
}

static bool
check_store(struct ctx *ctx, struct db *db)
{
    struct sql_index_intake_store_rows rows;

    if (!sql_index_intake_store(ctx, db, &rows))
        return false;
    if (rows.count > 0 && rows.items[0].is_there)
        return true;
    error_set(ctx, ERR_NOT_FOUND, "database \"%s\" holds no store of a monitor", db_name(db));
    return error_hint(ctx, "\"pgmend monitor --store\" keeps statements there.");
}

bool
intake_monitor(
    struct ctx *ctx, struct db *db, const char *database, int64_t span_us, struct intake *ret)
{
    struct gather gather CLEANUP(gather_end);
    struct sql_index_intake_stored_rows rows;
    struct sql_index_intake_stored_span_rows about;
    double span_s = (double)span_us / 1e6;

    *ret = (struct intake){ .span_s = -1 };
    gather_begin(ctx->arena, &gather);
    if (!check_store(ctx, db) || !sql_index_intake_stored(ctx, db, &rows, database, span_s) ||
        !sql_index_intake_stored_span(ctx, db, &about, database, span_s))
        return error_wrap(ctx, "reading the monitor's store");
    add_rows(&gather, &rows, ret);
    gather_finish(&gather, ret);
    ret->span_s = span_s;
    ret->source = arena_printf(
        ctx->arena, "what the monitor kept over the last %s", text_from_us(ctx->arena, span_us));
    if (about.count > 0 && about.items[0].covered_s > 0)
        ret->span_s = about.items[0].covered_s;
    if (about.count > 0 && about.items[0].servers > 1)
        text_list_add(ctx->arena, &ret->notes,
            arena_printf(ctx->arena,
                "%" PRId64
                " servers keep their statements there: those of databases with this one's OID"
                " are added up.",
                about.items[0].servers));
    if (about.count > 0 && !about.items[0].is_known)
        text_list_add(ctx->arena, &ret->notes,
            arena_printf(ctx->arena,
                "The store's server has no database \"%s\", and OIDs are all that the store keeps of"
                " databases: statements of all databases are taken.",
                database));
    if (ret->hidden > 0)
        text_list_add(ctx->arena, &ret->notes,
            arena_printf(
                ctx->arena, "%" PRId64 " statements have no text in the store.", ret->hidden));
    return true;
}
