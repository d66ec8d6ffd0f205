#include "cmd/parts/rollback_idle.h"

#include "base/file.h"
#include "change/journal_file.h"
#include "change/kind.h"

static bool
is_over(const struct journal_entry *entry)
{
    const struct change_kind *kind = change_kind_find(entry->kind);

    return !journal_entry_is_open(entry) && !(rollout_can_undo(entry) && (!kind || kind->undo));
}

/* What the file alone knows would be carried over, and be undone then. */
static bool
is_known(const struct journal_entries *table, const struct journal_entry *entry)
{
    for (size_t i = 0; i < table->count; i++)
        if (text_equal(table->items[i].entry, entry->entry))
            return true;
    return false;
}

static bool
look(struct ctx *ctx, struct run *run)
{
    struct journal_entries table;
    struct journal_entries in_file = { 0 };
    const char *path;

    if (!journal_load(ctx, run->db, &table) ||
        !journal_path(ctx, run->db, run->global->state_dir, &path) ||
        (file_exists(path) && !journal_file_read(ctx, path, &in_file)))
        return false;
    for (size_t i = 0; i < table.count; i++)
        if (!is_over(&table.items[i]))
            return false;
    for (size_t i = 0; i < in_file.count; i++)
        if (!is_known(&table, &in_file.items[i]))
            return false;
    return true;
}

bool
rollback_is_idle(struct ctx *ctx, struct run *run)
{
    struct ctx own = { .arena = ctx->arena };

    return look(&own, run);
}
