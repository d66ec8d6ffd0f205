#include "cmd/parts/rollback_swap.h"

#include "base/fault.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "change/change.h"
#include "change/lock.h"
#include "cli/out.h"
#include "db/ident.h"
#include "sql.h"

#define UNTOUCHED "The live database was not touched."

/* clang-format off */
const struct field rollback_loss_columns[] = {
    FIELD(struct backup_loss, table),
    FIELD(struct backup_loss, rows_then, .help = "in the backup"),
    FIELD(struct backup_loss, rows_now, .help = "now"),
    FIELD(struct backup_loss, is_new, .help = "not in the backup"),
};
const size_t rollback_loss_column_count = COUNT_OF(rollback_loss_columns);
/* clang-format on */

bool
rollback_swap_connect(
    struct ctx *ctx, const struct rollback_swap *swap, const char *database, struct db **ret)
{
    struct db_options open = {
        .url = swap->run->global->db_url,
        .database = database,
        .application = arena_printf(ctx->arena, "pgmend/%s", swap->command),
        .access = ACCESS_WRITE,
    };

    return db_open(ctx, &open, ret);
}

static bool
find_oid(struct ctx *ctx, struct db *db, int64_t *ret)
{
    struct sql_backup_database_rows rows;

    if (!sql_backup_database(ctx, db, &rows, .name = db_name(db)))
        return false;
    *ret = rows.count == 1 ? (int64_t)rows.items[0].oid : 0;
    return true;
}

static const char *
detail_of(struct ctx *ctx, const struct rollback_swap *swap, int64_t oid)
{
    json_t *detail CLEANUP(json_release) = json_pack("{s:s, s:s?, s:I}", "backup",
        swap->side.backup, "kept_as", swap->old, "replaces_oid", (json_int_t)oid);

    return json_text(ctx->arena, detail);
}

/* A swap that was killed is done when the database is another one than it was about. */
static bool
settle_entry(
    struct ctx *ctx, const struct journal *journal, struct journal_entry *entry, int64_t oid)
{
    json_t *detail CLEANUP(json_release) = NULL;
    int64_t replaced = 0;

    if (entry->detail && json_parse(ctx, "detail of a journal entry", entry->detail, &detail))
        replaced = json_get_int(detail, "replaces_oid", 0);
    error_clear(ctx);
    return journal_update(
        ctx, journal, entry, replaced && replaced != oid ? ENTRY_DONE : ENTRY_FAILED, NULL);
}

static bool
settle(struct ctx *ctx, struct rollback_swap *swap)
{
    struct journal journal = { .db = swap->live };
    struct journal_entries entries;
    int64_t oid;

    if (!journal_load(ctx, swap->live, &entries) || !find_oid(ctx, swap->live, &oid) ||
        !journal_path(ctx, swap->live, swap->run->global->state_dir, &journal.file))
        return false;
    for (size_t i = 0; i < entries.count; i++) {
        struct journal_entry *entry = &entries.items[i];

        if (text_equal(entry->kind, KIND_RESTORE) && journal_entry_is_open(entry) &&
            !settle_entry(ctx, &journal, entry, oid))
            return error_wrap(ctx, "settling what an earlier swap left in the journal");
    }
    return true;
}

bool
rollback_swap_lock(struct ctx *ctx, struct rollback_swap *swap, const char *database)
{
    return rollback_swap_connect(ctx, swap, database, &swap->live) &&
           run_lock_take(ctx, swap->live, swap->command) && settle(ctx, swap);
}

int64_t
rollback_loss_rows(const struct backup_loss *losses, size_t count)
{
    int64_t rows = 0;

    for (size_t i = 0; i < count; i++)
        if (losses[i].rows_now > losses[i].rows_then)
            rows += losses[i].rows_now - losses[i].rows_then;
    return rows;
}

static void
print_losses(struct ctx *ctx, const struct rollback_swap *swap)
{
    /* A question goes to standard error, and so does what one must know to answer it. */
    FILE *out = swap->run->global->json ? stderr : swap->run->out;

    if (swap->loss_count == 0) {
        out_mark_line(out, MARK_OK, "nothing was written to %s since the backup", swap->side.live);
        return;
    }
    out_mark_line(out, MARK_WARN,
        "the swap takes away what was written since the backup: %zu %s other content, with %s more "
        "rows in all",
        swap->loss_count, swap->loss_count == 1 ? "table has" : "tables have",
        text_from_count(ctx->arena, rollback_loss_rows(swap->losses, swap->loss_count)));
    out_table(out, rollback_loss_columns, rollback_loss_column_count, swap->losses,
        swap->loss_count, sizeof(swap->losses[0]));
    fflush(out);
}

static bool
consent(struct ctx *ctx, struct rollback_swap *swap)
{
    if (swap->side.lost_rights.count > 0 && !swap->accept_rights) {
        error_set(ctx, ERR_RIGHTS, "owners or grants are not as they were, the first of %zu: %s",
            swap->side.lost_rights.count, swap->side.lost_rights.items[0]);
        return error_hint(ctx, "Restore as superuser, or swap nevertheless with --accept-rights.");
    }
    if (!backup_restore_losses(ctx, swap->live, &swap->with, &swap->losses, &swap->loss_count))
        return false;
    print_losses(ctx, swap);
    if (text_equal(swap->confirm, swap->side.live))
        return true;
    return confirm_typed(ctx, swap->run->global,
        arena_printf(ctx->arena,
            "Database \"%s\" is replaced by its backup %s, and kept under another name; its "
            "sessions are ended%s. Type the name of the database to go on",
            swap->side.live, swap->side.backup,
            swap->pooler ? ", clients of PgBouncer wait meanwhile" : ""),
        swap->side.live);
}

/* After the swap there is another database of that name: the run goes on there, and with it the entry. */
static bool
end_journal(struct ctx *ctx, struct rollback_swap *swap, const struct journal *before,
    struct journal_entry *entry)
{
    struct journal_run run = {
        .id = before->run, .command = swap->command, .state_dir = swap->run->global->state_dir
    };
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct journal journal;
    const char *why = ctx->error.message;
    const char *state = swap->old ? RUN_DONE : RUN_FAILED;
    int64_t oid = 0;
    json_t *detail CLEANUP(json_release) = NULL;

    if (entry->detail && json_parse(ctx, "detail", entry->detail, &detail))
        oid = json_get_int(detail, "replaces_oid", 0);
    if (!rollback_swap_connect(ctx, swap, swap->side.live, &db))
        return false;
    return journal_begin(ctx, db, &run, &journal) &&
           journal_update(ctx, &journal, entry, swap->old ? ENTRY_DONE : ENTRY_FAILED,
               detail_of(ctx, swap, oid)) &&
           journal_end(ctx, &journal, state, why);
}

/* The outcome stays what it is when only the journal cannot be written. */
static void
finish_journal(struct ctx *ctx, struct rollback_swap *swap, const struct journal *before,
    struct journal_entry *entry)
{
    struct error error = ctx->error;
    int signal_number = interrupt_take();

    if (!end_journal(ctx, swap, before, entry))
        log_warn("the journal could not be written: %s", ctx->error.message);
    ctx->error = error;
    interrupt_put(signal_number);
}

bool
rollback_swap_do(struct ctx *ctx, struct rollback_swap *swap)
{
    struct journal_run run = { .command = swap->command,
        .state_dir = swap->run->global->state_dir };
    struct journal_entry entry = {
        .kind = KIND_RESTORE,
        .object = db_ident(ctx->arena, swap->side.live),
        .statement = arena_printf(ctx->arena,
            "restored from backup %s, swapped by ALTER DATABASE ... RENAME", swap->side.backup),
    };
    struct journal journal;
    int64_t oid;
    bool is_good;

    if (!consent(ctx, swap) || !find_oid(ctx, swap->live, &oid))
        return error_state(ctx, UNTOUCHED);
    entry.detail = detail_of(ctx, swap, oid);
    if (!journal_begin(ctx, swap->live, &run, &journal) || !journal_start(ctx, &journal, &entry))
        return error_state(ctx, UNTOUCHED);
    fault_point("swap");
    /* Our own session there is ended with the others, and the run lock with it: not before. */
    is_good = backup_restore_swap(ctx, &swap->side, swap->pooler, &swap->old);
    db_cleanup(&swap->live);
    finish_journal(ctx, swap, &journal, &entry);
    return is_good;
}

void
rollback_swap_close(struct rollback_swap *swap)
{
    db_cleanup(&swap->live);
    if (swap->admin && swap->side.name)
        backup_restore_abandon(&swap->side);
    db_cleanup(&swap->admin);
    if (swap->pooler)
        backup_pooler_close(swap->pooler);
}
