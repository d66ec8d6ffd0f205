#include "backup/backup.h"
#include "base/clock.h"
#include "base/file.h"
#include "change/journal.h"
#include "change/lock.h"
#include "change/rollout.h"
#include "cli/command.h"
#include "cli/out.h"
#include "monitor/plain.h"
#include "sql.h"
#include "staging/scratch.h"

/* A change that is not finished would be forgotten with the journal. */
static bool
require_finished(struct ctx *ctx, struct db *db, size_t *ret_standing)
{
    struct journal_entries entries;

    *ret_standing = 0;
    if (!journal_load(ctx, db, &entries))
        return false;
    for (size_t i = 0; i < entries.count; i++) {
        const struct journal_entry *entry = &entries.items[i];

        *ret_standing += text_equal(entry->state, ENTRY_DONE) && rollout_can_undo(entry);
        if (journal_entry_is_open(entry)) {
            error_set(ctx, ERR_CONFLICT, "%s is not finished (%s)", entry->object, entry->state);
            return error_hint(ctx, "Run \"pgmend rollback\" first: it puts that right.");
        }
    }
    return true;
}

/* What is dropped under a monitor that writes there is missed by it: it says so until it is ended. */
static bool
warn_of_monitors(struct ctx *ctx, struct db *db)
{
    struct sql_monitor_store_sessions_rows rows;

    if (!sql_monitor_store_sessions(ctx, db, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        fprintf(stderr,
            "A monitor keeps its numbers here (server process %d, role %s, %s): it cannot go on "
            "without its tables, and says so until it is ended.\n",
            rows.items[i].pid, plain_text(ctx->arena, rows.items[i].role), rows.items[i].address);
    return true;
}

static bool
drop(struct ctx *ctx, struct db *db)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    if (db_begin(ctx, db, NULL, &transaction) && sql_change_drop_tables(ctx, db) &&
        sql_change_drop_schema(ctx, db) && db_commit(ctx, &transaction))
        return true;
    error_wrap(ctx, "removing schema pgmend");
    return error_state(ctx, "Nothing was removed.");
}

/* Kept under another name: a later run must not bring its entries back. */
static bool
retire_file(struct ctx *ctx, const struct run *run, const char **ret)
{
    const char *path;

    *ret = NULL;
    if (!journal_path(ctx, run->db, run->global->state_dir, &path))
        return false;
    if (!file_exists(path))
        return true;
    *ret = arena_printf(
        ctx->arena, "%s.uninstalled-%s", path, clock_text(ctx->arena, clock_wall_us()));
    return file_rename(ctx, path, *ret);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    struct sql_change_schema_exists_rows rows;
    struct text_list notes = { 0 };
    const char *kept;
    size_t standing;

    if (!db_require_direct(ctx, run->db) || !db_require_writable(ctx, run->db) ||
        !run_lock_take(ctx, run->db, "uninstall") || !sql_change_schema_exists(ctx, run->db, &rows))
        return false;
    if (rows.count != 1 || !rows.items[0].has_schema) {
        fprintf(run->out, "There is nothing of pgmend in this database.\n");
        return true;
    }
    if (rows.items[0].foreign_objects) {
        error_set(ctx, ERR_CONFLICT, "schema pgmend holds objects that pgmend did not make: %s",
            rows.items[0].foreign_objects);
        return error_hint(ctx, "Move them to another schema first.");
    }
    if (!require_finished(ctx, run->db, &standing))
        return false;
    if (standing > 0)
        fprintf(stderr,
            "%zu change%s; without the journal \"pgmend rollback\" cannot undo %s any more.\n",
            standing, standing == 1 ? " stands" : "s stand", standing == 1 ? "it" : "them");
    if (!warn_of_monitors(ctx, run->db))
        return false;
    if (!confirm_typed(
            ctx, run->global, "This removes schema pgmend with the journal.", db_name(run->db)))
        return false;
    if (!drop(ctx, run->db) || !scratch_heal(ctx, run->db, &notes))
        return false;
    for (size_t i = 0; i < notes.count; i++)
        fprintf(run->out, "%s\n", notes.items[i]);
    if (!retire_file(ctx, run, &kept))
        return error_state(ctx, "Schema pgmend is removed.");
    fprintf(run->out, "Schema pgmend is removed%s. %s%s\n",
        standing > 0 ? "; what was changed stays" : "",
        kept ? "The local journal is kept as " : "There was no local journal.", kept ? kept : "");
    return true;
}

const struct command cmd_uninstall = {
    .path = "uninstall",
    .summary = "remove schema pgmend and all that pgmend owns from the database",
    .access = ACCESS_WRITE,
    .examples = "pgmend rollback --all && pgmend uninstall",
    .run = run,
};
