#include "change/judge.h"

#include "base/json.h"
#include "change/kind_part.h"
#include "db/ident.h"

bool
change_block(struct change *change, const char *problem, const char *remedy)
{
    change->action = ACTION_BLOCKED;
    change->problem = problem;
    change->remedy = remedy;
    return true;
}

/* Whether the journal says that this very index is a work of ours; its last entry counts. */
static bool
is_ours(
    struct ctx *ctx, const struct journal_entries *journal, const char *object, uint32_t index_oid)
{
    const struct journal_entry *last = NULL;
    json_t *detail CLEANUP(json_release) = NULL;

    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_entry *entry = &journal->items[i];

        if (text_equal(entry->kind, KIND_INDEX) && text_equal(entry->object, object))
            last = entry;
    }
    if (!last)
        return false;
    if (journal_entry_is_open(last))
        return true;
    /* Of what failed or was undone nothing is left: what is there now is somebody else's. */
    if (!text_equal(last->state, ENTRY_DONE))
        return false;
    if (!json_parse(ctx, "detail", last->detail, &detail)) {
        error_clear(ctx);
        return false;
    }
    return json_get_int(detail, "index_oid", 0) == (int64_t)index_oid;
}

/* What is there under the planned name already. */
static bool
judge_name(struct ctx *ctx, const struct sql_catalog_index *there,
    const struct journal_entries *journal, struct change *change)
{
    const char *object = change_object(ctx->arena, change);
    bool is_own = is_ours(ctx, journal, object, there->oid);

    if (there->kind[0] != 'i')
        return change_block(change,
            arena_printf(
                ctx->arena, "the name is taken by something that is not an index: %s", object),
            "choose another name");
    if (there->table_oid != change->table_oid)
        return change_block(change,
            arena_printf(ctx->arena, "the name is taken by an index of another table: %s",
                there->table_name),
            "choose another name");
    if (there->is_building && is_own) {
        /* Who holds the run lock decides: a live pgmend refuses, a dead one's build is attached to. */
        change->problem = "pgmend is building it at this moment";
        return true;
    }
    if (there->is_building) {
        return change_block(change, "an index of this name is being built at this moment",
            "wait for it; \"pgmend status\" shows how far it is");
    }
    if (!there->is_valid || !there->is_ready || !there->is_live) {
        change->action = ACTION_REPAIR;
        change->needs_consent = !is_own;
        change->problem = arena_printf(ctx->arena, "an unusable (INVALID) index of this name%s%s",
            change->needs_consent ? ", not made by pgmend" : " is left over from an earlier run",
            there->is_unique && there->is_ready ? "; it refuses rows" : "");
        change->remedy =
            change->needs_consent
                ? arena_printf(ctx->arena, "allow it with --drop-invalid %s", change->name)
                : NULL;
        return true;
    }
    if (change_is_index(change, there->is_unique, there->definition)) {
        change->action = ACTION_NONE;
        change->problem = "it is there already, valid, with this definition";
        return true;
    }
    return change_block(change,
        arena_printf(ctx->arena, "the name is taken by an index with another definition: %s%s",
            there->is_unique ? "UNIQUE " : "", there->definition),
        "choose another name, or drop that one first");
}

bool
index_judge(
    struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    struct sql_catalog_index_rows rows;
    struct sql_catalog_table_indexes_rows others;

    if (!sql_catalog_index(ctx, db, &rows, .schema = change->schema, .name = change->name))
        return false;
    if (rows.count == 1)
        return judge_name(ctx, &rows.items[0], journal, change);
    if (!sql_catalog_table_indexes(ctx, db, &others, .table_oid = change->table_oid))
        return false;
    for (size_t i = 0; i < others.count; i++) {
        const struct sql_catalog_table_indexes *other = &others.items[i];

        if (!other->is_valid || !other->is_ready ||
            !change_is_index(change, other->is_unique, other->definition))
            continue;
        change->action = ACTION_EQUIVALENT;
        change->problem = arena_printf(
            ctx->arena, "the same index is there as %s", db_ident(ctx->arena, other->name));
        return true;
    }
    return true;
}
