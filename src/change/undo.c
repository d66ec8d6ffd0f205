/* Undoing the build of an index, and finishing one that was cut off. */
#include "base/clock.h"
#include "base/json.h"
#include "change/kind_part.h"

/* What the journal knows of the index that an entry built. */
struct built {
    const char *schema;
    const char *name;
    const char *definition;
    int64_t table_oid;
    int64_t index_oid;
    bool is_unique;
};

static bool
read_detail(struct ctx *ctx, const struct journal_entry *entry, struct built *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!json_parse(ctx, "detail", entry->detail, &json))
        return error_wrap(ctx, "reading journal entry %lld", (long long)entry->id);
    *ret = (struct built){
        .schema = json_get_text(ctx->arena, json, "schema", NULL),
        .name = json_get_text(ctx->arena, json, "name", NULL),
        .definition = json_get_text(ctx->arena, json, "definition", NULL),
        .table_oid = json_get_int(json, "table_oid", 0),
        .index_oid = json_get_int(json, "index_oid", 0),
        .is_unique = json_get_bool(json, "is_unique", false),
    };
    if (!ret->schema || !ret->name || !ret->definition)
        return error_set(ctx, ERR_INPUT, "journal entry %lld is incomplete", (long long)entry->id);
    return true;
}

static bool
is_the_built(const struct built *built, const struct sql_catalog_index *index)
{
    return index->is_unique == built->is_unique && text_equal(index->definition, built->definition);
}

/*
 * The server refused to drop it (something depends on it, a right is missing) and it is as good as
 * before: then the entry is what it was, and does not stand in the way of other work.
 */
static bool
is_untouched(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    const struct built *built)
{
    struct error why = ctx->error;
    struct sql_catalog_index index;
    bool is_untouched = false;

    if (*why.sqlstate && db_is_connected(rollout->db) && why.kind != ERR_TIMEOUT &&
        why.kind != ERR_CONNECTION &&
        rollout_find_index(ctx, rollout->db, built->schema, built->name, &index))
        is_untouched = index.is_valid && index.is_ready && index.is_live &&
                       journal_update(ctx, &rollout->journal, entry, ENTRY_DONE, NULL);
    ctx->error = why;
    if (!is_untouched)
        return false;
    ctx->error.kind = ERR_CONFLICT;
    (void)error_state(ctx, "%s was not touched.", entry->object);
    return true;
}

/* Drops the index of an entry, recording first that this begins. */
static bool
drop_built(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    const struct built *built, struct rollout_outcome *ret)
{
    if (!work_undoing(ctx, rollout, entry))
        return false;
    if (!rollout_drop(ctx, rollout, built->schema, built->name, rollout->limits.drop_us, ret)) {
        if (is_untouched(ctx, rollout, entry, built))
            return false;
        if (ctx->error.kind != ERR_INTERRUPTED && ctx->error.kind != ERR_TERMINATED)
            ctx->error.kind = ERR_ATTENTION;
        error_hint(ctx, "Run \"pgmend rollback\" again: it goes on where it stopped. By hand: %s;",
            entry->undo);
        return error_state(ctx,
            "%s is partly dropped: the planner may ignore it already, writes "
            "may still keep it up.",
            entry->object);
    }
    ret->result = "dropped";
    ret->is_done = true;
    return journal_update(ctx, &rollout->journal, entry, ENTRY_UNDONE, NULL);
}

/* An index that is not under its name may have been renamed or moved: then it is not ours to drop. */
static bool
require_gone(struct ctx *ctx, struct rollout *rollout, const struct journal_entry *entry,
    const struct built *built)
{
    struct sql_catalog_index_now_rows rows;

    if (!sql_catalog_index_now(ctx, rollout->db, &rows, .index_oid = (uint32_t)built->index_oid,
            .table_oid = (uint32_t)built->table_oid))
        return false;
    if (rows.count == 0)
        return true;
    error_set(ctx, ERR_CONFLICT, "%s is now %s: it was renamed or moved since", entry->object,
        rows.items[0].name);
    error_hint(ctx, "If it is not needed: DROP INDEX CONCURRENTLY %s;", rows.items[0].name);
    return error_state(ctx, "%s was not touched.", rows.items[0].name);
}

bool
index_undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret)
{
    struct built built;
    struct sql_catalog_index index;

    if (!read_detail(ctx, entry, &built) ||
        !rollout_find_index(ctx, rollout->db, built.schema, built.name, &index))
        return false;
    if (!index.oid && !require_gone(ctx, rollout, entry, &built))
        return false;
    if (!index.oid) {
        ret->result = "was gone already";
        return journal_update(ctx, &rollout->journal, entry, ENTRY_UNDONE, NULL);
    }
    if (!is_the_built(&built, &index)) {
        error_set(ctx, ERR_CONFLICT,
            "%s is not the index that pgmend built: its definition was changed since",
            entry->object);
        return error_state(ctx, "%s was not touched.", entry->object);
    }
    if (index.constraint_name) {
        error_set(ctx, ERR_CONFLICT, "%s serves the constraint \"%s\" since", entry->object,
            index.constraint_name);
        return error_state(ctx, "%s was not touched.", entry->object);
    }
    if (index.serves) {
        error_set(ctx, ERR_CONFLICT, "%s serves %s since", entry->object, index.serves);
        return error_state(ctx, "%s was not touched.", entry->object);
    }
    ret->bytes = index.bytes;
    return drop_built(ctx, rollout, entry, &built, ret);
}

/* A build that a crash cut off: either the server finished it, or its remains go. */
static bool
heal_build(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    const struct built *built, const struct sql_catalog_index *index)
{
    struct rollout_outcome outcome = { 0 };

    if (!index->oid) {
        rollout_note(rollout, arena_printf(ctx->arena,
                                  "an earlier run was cut off before %s was built: nothing of it "
                                  "is left",
                                  entry->object));
        return journal_update(ctx, &rollout->journal, entry, ENTRY_FAILED, NULL);
    }
    if (index->is_valid && index->is_ready && index->is_live && is_the_built(built, index)) {
        json_t *json CLEANUP(json_release) = NULL;

        if (!json_parse(ctx, "detail", entry->detail, &json))
            return false;
        json_object_set_new(json, "index_oid", json_integer(index->oid));
        json_object_set_new(json, "bytes", json_integer(index->bytes));
        json_object_set_new(json, "finished_by_server", json_true());
        rollout_note(rollout,
            arena_printf(ctx->arena,
                "%s was completed by the server after its pgmend was gone: recorded as done",
                entry->object));
        return journal_update(
            ctx, &rollout->journal, entry, ENTRY_DONE, json_text(ctx->arena, json));
    }
    if (index->is_valid)
        return error_set(ctx, ERR_CONFLICT,
            "%s was cut off, and now another valid index has its name", entry->object);
    if (!rollout_drop(ctx, rollout, built->schema, built->name, rollout->limits.drop_us, &outcome))
        return error_state(ctx, "The unusable index %s is left.", entry->object);
    rollout_note(
        rollout, arena_printf(ctx->arena, "the unusable rest of %s was dropped", entry->object));
    return journal_update(ctx, &rollout->journal, entry, ENTRY_FAILED, NULL);
}

bool
index_heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    struct built built;
    struct sql_catalog_index index;
    struct rollout_outcome outcome = { 0 };

    if (!read_detail(ctx, entry, &built) ||
        !rollout_find_index(ctx, rollout->db, built.schema, built.name, &index))
        return false;
    if (index.oid && index.is_building)
        return error_set(ctx, ERR_LOCKED, "%s is being built by another session", entry->object);
    if (text_equal(entry->state, ENTRY_STARTED) || text_equal(entry->state, ENTRY_LEFTOVER))
        return heal_build(ctx, rollout, entry, &built, &index);
    if (!drop_built(ctx, rollout, entry, &built, &outcome)) {
        if (!text_equal(entry->state, ENTRY_DONE))
            return false;
        rollout_note(
            rollout, arena_printf(ctx->arena, "%s stays: %s", entry->object, ctx->error.message));
        error_clear(ctx);
        return true;
    }
    rollout_note(rollout,
        arena_printf(ctx->arena, "the rollback of %s that was cut off is finished", entry->object));
    return true;
}
