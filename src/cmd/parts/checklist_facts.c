#include "cmd/parts/checklist_facts.h"

#include "backup/backup.h"
#include "base/interrupt.h"

/* A part that cannot be read makes its items unknown; only what stops everything is an error. */
static bool
excuse(struct ctx *ctx, bool is_good, const char **ret_why)
{
    if (is_good)
        return true;
    if (interrupt_signal() || ctx->error.kind == ERR_CONNECTION)
        return false;
    *ret_why = arena_strdup(ctx->arena, ctx->error.message);
    error_clear(ctx);
    return true;
}

static bool
load_backup(struct ctx *ctx, const struct checklist_place *place, struct checklist_facts *ret)
{
    struct backup_info info;

    if (backup_find_verified(ctx, place->backup_dir, place->db, 0, &info, &ret->backup_why_not)) {
        ret->backup = info.name;
        return true;
    }
    return ret->backup_why_not || excuse(ctx, false, &ret->backup_why_not);
}

static bool
look_at_index(
    struct ctx *ctx, struct db *db, const struct journal_entry *entry, struct checklist_index *ret)
{
    json_t *json CLEANUP(json_release) = NULL;
    struct sql_catalog_index_rows rows;
    struct sql_index_usage_rows usage;

    *ret = (struct checklist_index){ .name = entry->object };
    if (!json_parse(ctx, "detail", entry->detail, &json) ||
        !sql_catalog_index(ctx, db, &rows, .schema = json_get_text(ctx->arena, json, "schema", ""),
            .name = json_get_text(ctx->arena, json, "name", "")))
        return false;
    if (rows.count == 0) {
        ret->wrong = "is gone";
        return true;
    }

    const struct sql_catalog_index *index = &rows.items[0];

    ret->wrong = !index->is_valid || !index->is_ready || !index->is_live ? "is not usable (INVALID)"
                 : !text_equal(index->definition, json_get_text(ctx->arena, json, "definition", ""))
                     ? "was altered since"
                     : NULL;
    if (!sql_index_usage(ctx, db, &usage, .index_oid = index->oid))
        return false;
    ret->scans = usage.count == 1 ? usage.items[0].scans : 0;
    return true;
}

static bool
load_journal(struct ctx *ctx, const struct checklist_place *place, struct checklist_facts *ret)
{
    struct journal_entries entries;

    if (!journal_load(ctx, place->db, &entries))
        return false;
    for (size_t i = 0; i < entries.count; i++) {
        const struct journal_entry *entry = &entries.items[i];
        struct checklist_index index;
        bool is_done = text_equal(entry->state, ENTRY_DONE);

        if (is_done && text_equal(entry->kind, KIND_RECORD) && strstr(entry->object, "vector:"))
            ret->vector_search = entry->object;
        if (!text_equal(entry->kind, KIND_INDEX))
            continue;
        ret->unfinished += journal_entry_is_open(entry);
        if (!is_done)
            continue;
        if (!look_at_index(ctx, place->db, entry, &index))
            return false;
        VEC_PUSH(ctx->arena, &ret->indexes, index);
    }
    return true;
}

static bool
load_steps(struct ctx *ctx, const struct checklist_place *place, struct checklist_facts *ret)
{
    return plan_find_kept(ctx, place->db, NULL, &ret->plan, &ret->has_plan) &&
           (!ret->has_plan || step_load(ctx, place->db, ret->plan.hash, &ret->steps));
}

bool
checklist_facts_load(
    struct ctx *ctx, const struct checklist_place *place, const struct checklist_facts **ret)
{
    struct checklist_facts *facts = ARENA_NEW(ctx->arena, struct checklist_facts);
    struct sql_change_checklist_place_rows rows;
    bool is_installed;

    *ret = facts;
    if (!sql_change_checklist_place(ctx, place->db, &rows) ||
        !journal_is_installed(ctx, place->db, &is_installed))
        return false;
    facts->place = rows.items[0];
    if (!load_backup(ctx, place, facts) ||
        !excuse(ctx, sighting_find(ctx, place->db, place->state_dir, &facts->sighting),
            &facts->sighting_why) ||
        !excuse(ctx, kpi_load(ctx, place->db, &facts->kpis), &facts->kpis_why))
        return false;
    if (!is_installed)
        return true;
    return excuse(ctx, sql_change_gates(ctx, place->db, &facts->gates), &facts->gates_why) &&
           excuse(ctx, sql_change_runs(ctx, place->db, &facts->runs), &facts->runs_why) &&
           excuse(ctx, load_journal(ctx, place, facts), &facts->journal_why) &&
           excuse(ctx, load_steps(ctx, place, facts), &facts->steps_why);
}
