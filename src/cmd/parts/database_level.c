#include "cmd/parts/database_level.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "base/term.h"
#include "change/change.h"
#include "change/journal.h"
#include "cli/out.h"
#include "cmd/backup_show.h"
#include "cmd/parts/rollback_predict.h"
#include "cmd/parts/rollback_swap.h"
#include "sql.h"

#define UNTOUCHED "The live database was not touched."

struct work {
    struct run *run;
    const struct database_level *level;
    const char *database;
    const char *folder;
    struct backup_info backup;
    struct rollback_prediction prediction;
    struct backup_pooler pooler;
    struct rollback_swap swap;
    struct sql_backup_swap_facts facts;
    struct text_list settings; /* that stay although the database goes back */
    struct backup_loss *lost;  /* what only the database that was replaced has */
    size_t lost_count;
    bool is_lost_known;
    struct health_told health;
    int64_t whole_us;
};

/* To ask after an hour of restoring whether anybody is there would be late. */
static bool
check_consent(struct ctx *ctx, const struct work *work)
{
    const struct global_options *global = work->run->global;
    const char *confirm = work->level->confirm;

    if (confirm && !text_equal(confirm, work->database)) {
        error_set(ctx, ERR_USAGE, "--confirm %s: the database is \"%s\"", confirm, work->database);
        return error_hint(ctx, "Check --db-url.");
    }
    if (confirm || (!global->yes && !global->no_input && term_is_terminal(stdin)))
        return true;
    error_set(ctx, ERR_USAGE, "the name of the database has to be typed, and %s",
        global->yes ? "--yes is not enough for that" : "there is no terminal");
    return error_hint(ctx, "Give --yes --confirm %s if you mean it.", work->database);
}

/* The pooler's own sessions on the server, as an array's text. */
static bool
pooled_processes(struct ctx *ctx, struct work *work, const char **ret)
{
    struct buffer list = { .arena = ctx->arena };
    bool is_first = true;

    buffer_add(&list, "{");
    for (size_t i = 0; i < work->pooler.databases.count; i++) {
        int64_t *pids;
        size_t count;

        if (!pgbouncer_backends(
                ctx, work->pooler.console, work->pooler.databases.items[i].name, &pids, &count))
            return false;
        for (size_t j = 0; j < count; j++, is_first = false)
            buffer_printf(&list, "%s%" PRId64, is_first ? "" : ",", pids[j]);
    }
    buffer_add(&list, "}");
    *ret = buffer_text(&list);
    return true;
}

/* Those that pgmend has set and not taken back. Those of a table are of the database. */
static bool
find_settings(struct ctx *ctx, struct work *work)
{
    struct journal_entries entries;

    if (!journal_load(ctx, work->run->db, &entries))
        return false;
    for (size_t i = 0; i < entries.count; i++)
        if (text_equal(entries.items[i].kind, KIND_SETTING) && !entries.items[i].relation &&
            text_equal(entries.items[i].state, ENTRY_DONE) &&
            !text_list_has(&work->settings, entries.items[i].object))
            text_list_add(ctx->arena, &work->settings, entries.items[i].object);
    return true;
}

static bool
look(struct ctx *ctx, struct work *work)
{
    const struct database_level *level = work->level;
    struct db *db = work->run->db;
    struct sql_backup_swap_facts_rows rows;
    const char *pooled;

    if (!rollback_find_backup(ctx, work->folder, level->backup, db, &work->backup))
        return false;
    if (level->pgbouncer) {
        work->pooler.limit_us = level->pause_limit_us;
        if (!backup_pooler_open(ctx, level->pgbouncer, db, &work->pooler))
            return false;
        work->swap.pooler = &work->pooler;
    }
    if (!pooled_processes(ctx, work, &pooled) ||
        !sql_backup_swap_facts(ctx, db, &rows, .name = work->database, .pooled = pooled))
        return false;
    work->facts = rows.items[0];
    return find_settings(ctx, work) &&
           rollback_predict(ctx, work->folder, &work->backup, work->facts.bytes, &work->prediction);
}

static void
print_pooler(struct ctx *ctx, const struct work *work, FILE *out)
{
    struct text_list names = { 0 };
    int64_t clients = 0;

    if (!work->swap.pooler && work->facts.direct == 0) {
        out_mark_line(out, MARK_INFO, "no session of a client is in the database now");
        return;
    }
    if (!work->swap.pooler) {
        out_mark_line(out, MARK_WARN,
            "without --pgbouncer %" PRId64 " %s of clients will be ended: they get an error and "
            "have to connect again",
            work->facts.direct, work->facts.direct == 1 ? "session" : "sessions");
        return;
    }
    for (size_t i = 0; i < work->pooler.databases.count; i++) {
        text_list_add(ctx->arena, &names, work->pooler.databases.items[i].name);
        clients += work->pooler.databases.items[i].clients;
    }
    out_mark_line(out, MARK_OK,
        "%" PRId64 " %s of PgBouncer's %s will wait for a moment, and fail "
        "nothing",
        clients, clients == 1 ? "client" : "clients", text_list_join(ctx->arena, &names, ", "));
    if (work->facts.direct > 0)
        out_mark_line(out, MARK_WARN, "%" PRId64 " %s not come through it and will be ended",
            work->facts.direct, work->facts.direct == 1 ? "session does" : "sessions do");
}

/* Everything that one should know before an hour of restoring. */
static void
print_before(struct ctx *ctx, const struct work *work)
{
    FILE *out = work->run->global->json ? stderr : work->run->out;

    out_mark_line(out, MARK_INFO, "backup %s of %s, %s", work->backup.name,
        clock_text(ctx->arena, work->backup.created_us),
        work->backup.is_verified ? "verified by a restore"
                                 : arena_printf(ctx->arena, "NOT verified: %s",
                                       work->backup.why_not ? work->backup.why_not : "unknown"));
    out_mark_line(out, MARK_INFO, "%s", work->prediction.text);
    print_pooler(ctx, work, out);
    if (work->facts.slots)
        out_mark_line(out, MARK_WARN,
            "logical replication slots stay with the database that is replaced, and their "
            "subscribers will stop: %s; make them anew, and drop the old ones, which keep WAL",
            work->facts.slots);
    if (work->facts.subscriptions)
        out_mark_line(out, MARK_WARN,
            "subscriptions go on writing into the database that is replaced: %s; ALTER "
            "SUBSCRIPTION ... DISABLE them before",
            work->facts.subscriptions);
    if (work->settings.count > 0)
        out_mark_line(out, MARK_WARN,
            "settings of the server and of roles are in no backup, and stay: %s; to take them back too, "
            "pgmend rollback first",
            text_list_join(ctx->arena, &work->settings, ", "));
    else
        out_mark_line(out, MARK_INFO,
            "settings of the server and of roles are in no backup, and stay as they are");
    fflush(out);
}

static bool
restore(struct ctx *ctx, struct work *work)
{
    struct backup_progress progress;
    bool is_good;

    backup_progress_begin(&progress, "rollback");
    work->swap.with.watch = &progress.watch;
    is_good = backup_restore_side(ctx, work->swap.admin, &work->swap.with, &work->swap.side);
    backup_progress_end(&progress);
    work->swap.with.watch = NULL;
    backup_print_notes(&work->swap.side.notes);
    return is_good;
}

/*
 * What was written between the question and the pause was not in the numbers of the question. Now it stands
 * still, and is told as it is.
 */
static void
count_lost(struct ctx *ctx, struct work *work)
{
    struct db *old CLEANUP(db_cleanup) = NULL;

    work->is_lost_known =
        rollback_swap_connect(ctx, &work->swap, work->swap.old, &old) &&
        backup_restore_losses(ctx, old, &work->swap.with, &work->lost, &work->lost_count);
    if (!work->is_lost_known)
        out_mark_line(
            stderr, MARK_WARN, "what was lost could not be counted again: %s", ctx->error.message);
    error_clear(ctx);
}

static bool
ask_health(struct ctx *ctx, struct work *work)
{
    struct db *db CLEANUP(db_cleanup) = NULL;

    if (rollback_swap_connect(ctx, &work->swap, work->database, &db))
        return health_take(ctx, db, &work->level->health, &work->health);
    work->health.text = arena_printf(ctx->arena,
        "the service is not well: the database does not answer: %s", ctx->error.message);
    error_clear(ctx);
    return true;
}

static void
print_json(struct ctx *ctx, const struct work *work)
{
    const struct rollback_swap *swap = &work->swap;
    json_t *json CLEANUP(json_release) = json_object();

    (void)ctx;
    json_object_set_new(json, "level", json_string("database"));
    json_object_set_new(json, "database", json_string(work->database));
    json_object_set_new(json, "backup", json_string(work->backup.name));
    json_object_set_new(json, "kept_as", json_string(swap->old));
    json_object_set_new(json, "predicted_us", json_integer(work->prediction.whole_us));
    json_object_set_new(json, "us", json_integer(work->whole_us));
    json_object_set_new(json, "restore_us", json_integer(swap->side.restore_us));
    json_object_set_new(
        json, "paused_us", swap->pooler ? json_integer(swap->pooler->paused_us) : json_null());
    json_object_set_new(json, "sessions_ended", json_integer(swap->side.ended));
    json_object_set_new(json, "losses",
        work->is_lost_known ? out_json_rows(rollback_loss_columns, rollback_loss_column_count,
                                  work->lost, work->lost_count, sizeof(struct backup_loss))
                            : json_null());
    json_object_set_new(json, "health", health_json(&work->health));
    out_json(work->run->out, json);
}

static void
print_lost(struct ctx *ctx, const struct work *work)
{
    int64_t asked = rollback_loss_rows(work->swap.losses, work->swap.loss_count);
    int64_t lost = rollback_loss_rows(work->lost, work->lost_count);

    if (!work->is_lost_known)
        return;
    out_mark_line(work->run->out, MARK_INFO,
        "%s more rows in %zu %s are only in the database that was replaced%s",
        text_from_count(ctx->arena, lost), work->lost_count,
        work->lost_count == 1 ? "table" : "tables",
        lost > asked ? arena_printf(ctx->arena, ", %s of them written after the question",
                           text_from_count(ctx->arena, lost - asked))
                     : "");
}

static void
print_after(struct ctx *ctx, const struct work *work)
{
    const struct rollback_swap *swap = &work->swap;
    FILE *out = work->run->out;

    out_mark_line(out, MARK_OK, "database %s holds backup %s again, after %s (predicted: %s)",
        work->database, work->backup.name, text_from_us(ctx->arena, work->whole_us),
        work->prediction.whole_us < 0 ? "unknown"
                                      : text_from_us(ctx->arena, work->prediction.whole_us));
    if (swap->pooler)
        out_mark_line(out, MARK_OK, "clients of PgBouncer waited %s%s",
            text_from_us(ctx->arena, swap->pooler->paused_us),
            swap->side.ended > 0 ? arena_printf(ctx->arena,
                                       "; %" PRId64 " other sessions were ended", swap->side.ended)
                                 : "");
    else
        out_mark_line(out, MARK_INFO, "%" PRId64 " %s ended", swap->side.ended,
            swap->side.ended == 1 ? "session was" : "sessions were");
    out_mark_line(out, MARK_INFO, "the database as it was before is kept as %s", swap->old);
    print_lost(ctx, work);
    health_print(out, &work->health);
    out_next(out, "pgmend status, and when all is well pgmend backup restore --drop-old %s",
        text_shell(ctx->arena, swap->old));
}

static bool
replace(struct ctx *ctx, struct work *work)
{
    struct rollback_swap *swap = &work->swap;
    int64_t started_us = clock_us();
    bool is_good;

    print_before(ctx, work);
    if (!rollback_swap_connect(ctx, swap, work->level->maintenance_db, &swap->admin))
        return error_wrap(ctx, "connecting to the maintenance database");
    if (!restore(ctx, work) || !rollback_swap_lock(ctx, swap, work->database))
        return false;
    is_good = rollback_swap_do(ctx, swap);
    if (!swap->old)
        return false;
    work->whole_us = clock_us() - started_us;
    if (!is_good) {
        out_mark_line(stderr, MARK_WARN, "the databases were swapped: the one before is kept as %s",
            swap->old);
        return false;
    }
    count_lost(ctx, work);
    if (!ask_health(ctx, work))
        return false;
    if (work->run->global->json)
        print_json(ctx, work);
    else
        print_after(ctx, work);
    if (!work->health.is_well)
        work->run->status = error_exit_status(ERR_VERIFICATION);
    return true;
}

bool
rollback_database(struct ctx *ctx, struct run *run, const struct database_level *level)
{
    struct work work = {
        .run = run,
        .level = level,
        .database = arena_strdup(ctx->arena, db_name(run->db)),
        .folder = backup_folder(ctx, run, level->backup_dir),
        .swap = {
            .run = run,
            .command = "rollback --level database",
            .accept_rights = level->accept_rights,
            .confirm = level->confirm,
        },
    };
    bool is_good;

    is_good = db_require_direct(ctx, run->db) && look(ctx, &work) && check_consent(ctx, &work);
    if (is_good) {
        work.swap.with = (struct backup_restore_options){
            .folder = work.folder,
            .name = work.backup.name,
            .is_swap = true,
            .scratch_template = level->scratch_template,
            .jobs = level->jobs,
            .bin_folder = level->bin_dir,
        };
        is_good = replace(ctx, &work);
    } else {
        error_state(ctx, UNTOUCHED);
    }
    /* A side database that was not swapped is dropped also after a signal. */
    int signal_number = interrupt_take();

    rollback_swap_close(&work.swap);
    if (!work.swap.pooler)
        backup_pooler_close(&work.pooler);
    interrupt_put(signal_number);
    return is_good;
}
