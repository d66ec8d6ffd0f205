#include "cmd/parts/staging_make.h"

#include <inttypes.h>

#include "backup/backup.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "change/journal.h"
#include "change/room.h"
#include "cmd/backup_show.h"
#include "db/ident.h"
#include "staging/copy.h"
#include "staging/statistics.h"

enum { KEY_BYTES = 32, STEP_US = 200000, SHOWN_COLUMNS = 12 };

static const char *const ways[] = { "dump", "template", "backup", NULL };
static const char *const statistics_ways[] = { "analyze", "carry", "none", NULL };

/* clang-format off */
const struct field staging_fields[STAGING_FIELD_COUNT] = {
    FIELD(struct staging_options, end_sessions, .momentary = true,
        .help = "end the sessions that are in the old copy"),
    FIELD(struct staging_options, from, .arg = "WAY", .choices = ways,
        .help = "dump (nobody notices), template (fast, needs no other sessions) or backup (the newest verified one)"),
    FIELD(struct staging_options, mask, .arg = "FILE",
        .help = "mask columns by the rules in this file"),
    FIELD(struct staging_options, mask_key, .arg = "FILE",
        .help = "file with a secret: the same one gives the same masked values in every copy"),
    FIELD(struct staging_options, statistics, .arg = "HOW", .standard = "analyze", .choices = statistics_ways,
        .help = "of the planner: analyze, carry (the live ones, by a superuser) or none"),
    FIELD(struct staging_options, on, .arg = "URL", .momentary = true,
        .help = "make the copy on this server (dump and backup)"),
    FIELD(struct staging_options, backup_dir, .arg = "DIR",
        .help = "folder of backups; default is backups in the state folder"),
    FIELD(struct staging_options, jobs, .letter = 'j', .arg = "N", .standard = "2",
        .help = "tables and indexes that are restored at once"),
    FIELD(struct staging_options, scratch_template, .arg = "DATABASE",
        .help = "make the copy from this database, which has the extensions"),
    FIELD(struct staging_options, maintenance_db, .arg = "DATABASE", .standard = "postgres",
        .help = "database to be connected to while databases are made and renamed"),
    FIELD(struct staging_options, bin_dir, .arg = "DIR",
        .help = "folder of pg_dump and pg_restore, instead of PATH"),
    FIELD(struct staging_options, suggest, .momentary = true,
        .help = "print rules for columns that look personal or secret, and make no copy"),
};
/* clang-format on */

struct making {
    struct ctx *ctx;
    struct run *run;
    const struct staging_options *options;
    const struct step_watch *watch;
    struct staging_made *made;
    struct mask_rules rules;
    struct dump_tools tools;
    struct sql_staging_server source;
    bool is_superuser; /* on the server of the copy */
    struct content content;
    bool has_content;
    struct text_list masked; /* quoted names of tables */
};

const char *
staging_name(struct ctx *ctx, const struct run *run)
{
    return run->operands.count > 0 ? run->operands.items[0]
                                   : arena_printf(ctx->arena, "%s_staging", db_name(run->db));
}

/* ---- before ---- */

static bool
check_options(struct ctx *ctx, const struct run *run, const struct staging_options *options)
{
    (void)run;
    if (options->jobs < 1 || options->jobs > 64)
        return error_set(ctx, ERR_USAGE, "--jobs is 1 to 64");
    if (options->mask_key && !options->mask)
        return error_set(ctx, ERR_USAGE, "--mask-key needs --mask");
    if (options->on && text_equal(options->from, "template"))
        return error_set(
            ctx, ERR_USAGE, "--from template cannot make a copy on another server; dump can");
    if (options->mask && text_equal(options->statistics, "none")) {
        error_set(ctx, ERR_USAGE, "a masked copy needs statistics of its own");
        return error_hint(ctx, "Those of before hold the commonest values as they were.");
    }
    return true;
}

static bool
open_admin(struct making *work)
{
    const struct db_options here = { .database = work->options->maintenance_db,
        .application = "pgmend/staging",
        .access = ACCESS_WRITE };
    const struct db_options there = {
        .url = work->options->on, .application = "pgmend/staging", .access = ACCESS_WRITE
    };
    struct sql_staging_server_rows rows;
    bool is_good = work->options->on
                       ? db_open(work->ctx, &there, &work->made->admin)
                       : db_open_like(work->ctx, work->run->db, &here, &work->made->admin);

    if (!is_good || !db_require_writable(work->ctx, work->made->admin) ||
        !db_require_direct(work->ctx, work->made->admin) ||
        !sql_staging_server(work->ctx, work->made->admin, &rows) || rows.count != 1)
        return error_wrap(work->ctx, "connecting for the copy");
    work->is_superuser = rows.items[0].is_superuser;
    if (rows.items[0].can_create)
        return true;
    error_set(
        work->ctx, ERR_RIGHTS, "role \"%s\" may not create a database", db_user(work->made->admin));
    return error_hint(work->ctx, "ALTER ROLE %s CREATEDB;",
        db_ident(work->ctx->arena, db_user(work->made->admin)));
}

static bool
look_at_source(struct making *work)
{
    struct sql_staging_server_rows rows;
    struct sql_staging_copy_public_rows open;

    if (!sql_staging_server(work->ctx, work->run->db, &rows) || rows.count != 1 ||
        !sql_staging_copy_public(work->ctx, work->run->db, &open) || open.count != 1 ||
        !journal_system_identifier(work->ctx, work->run->db, &work->made->cluster))
        return error_wrap(work->ctx, "looking at the database");
    work->source = rows.items[0];
    work->made->of = work->source.database;
    work->made->bytes = work->source.database_size;
    work->made->is_public = open.items[0].may_connect;
    return true;
}

static bool
refuse_room(struct making *work, const char *where, int64_t free_bytes, int64_t needed)
{
    error_set(work->ctx, ERR_GATE, "%s are free in %s, and a copy of \"%s\" may need %s",
        text_from_bytes(work->ctx->arena, free_bytes), where, work->made->of,
        text_from_bytes(work->ctx->arena, needed));
    return error_hint(work->ctx, "Make room, or make the copy on another server with --on URL.");
}

/*
 * A fifth more than the database, and of a masked one twice as much, because each table is written anew; the
 * dump stands beside it.
 */
static bool
check_room(struct making *work)
{
    const char *folder = text_is_empty(getenv("TMPDIR")) ? "/tmp" : getenv("TMPDIR");
    int64_t needed = work->made->bytes / 5 * (work->options->mask ? 11 : 6);
    int64_t free_bytes;
    struct room room;

    if (text_equal(work->made->way, "dump")) {
        if (!file_free_bytes(work->ctx, folder, &free_bytes))
            return false;
        if (free_bytes < work->made->bytes) {
            refuse_room(work, folder, free_bytes, work->made->bytes);
            return error_hint(work->ctx, "The dump stands there for a while: set TMPDIR to a "
                                         "folder with more room.");
        }
    }
    if (!room_find(work->ctx, work->made->admin, &room))
        return false;
    if (!room.is_seen) {
        text_list_add(work->ctx->arena, &work->made->notes,
            arena_printf(work->ctx->arena, "whether %s are free on the server was not seen: %s",
                text_from_bytes(work->ctx->arena, needed), room.why_not));
        return true;
    }
    if (!file_free_bytes(work->ctx, room.data_path, &free_bytes))
        return false;
    return free_bytes >= needed || refuse_room(work, room.data_path, free_bytes, needed);
}

/* The rules are tried on the live database first: a typing error should not cost an hour. */
static bool
read_rules(struct making *work)
{
    struct mask_plan plan;

    if (!work->options->mask)
        return true;
    return mask_read(work->ctx, work->options->mask, &work->rules) &&
           mask_resolve(work->ctx, work->run->db, &work->rules, &plan) &&
           mask_find_without(work->ctx, work->run->db, &work->rules, &work->made->without);
}

static bool
heal(struct making *work)
{
    struct text_list notes = { 0 };

    if (!scratch_heal(work->ctx, work->made->admin, &notes))
        return false;
    for (size_t i = 0; i < notes.count; i++)
        log_info("note: %s", notes.items[i]);
    return true;
}

/* ---- the copy ---- */

static bool
copy_dump(struct making *work)
{
    const struct copy_options options = {
        .tools = &work->tools,
        .scratch_template = work->options->scratch_template,
        .jobs = work->options->jobs,
        .has_owners = work->is_superuser && !work->options->on,
        .has_comments = work->is_superuser,
        .watch = work->watch,
    };

    work->has_content = true;
    return dump_tools_find(work->ctx, work->options->bin_dir, db_major(work->run->db), &work->tools,
               &work->made->notes) &&
           copy_by_dump(work->ctx, work->run->db, work->made->admin, &options, &work->made->scratch,
               &work->content);
}

static bool
copy_template(struct making *work)
{
    step_watch_show(work->watch, "copying inside the server", -1, 0, NULL);
    if (!copy_by_template(work->ctx, work->run->db, &work->made->scratch))
        return false;
    /* From now on another session looks after it; its name is still that of the one that made it. */
    return true;
}

static bool
copy_backup(struct making *work)
{
    const char *folder = backup_folder(work->ctx, work->run, work->options->backup_dir);
    const char *why_not = NULL;
    struct backup_info info;
    struct backup_side side;

    if (!backup_find_verified(work->ctx, folder, work->run->db, 0, &info, &why_not)) {
        if (!why_not)
            return false;
        error_set(work->ctx, ERR_NOT_FOUND, "no backup to copy from: %s", why_not);
        return error_hint(work->ctx, "pgmend backup create, then pgmend backup verify; or copy "
                                     "with --from dump.");
    }

    const struct backup_restore_options options = {
        .folder = folder,
        .name = info.name,
        .into = NULL, /* the name comes when all is done */
        .is_other_server = work->options->on != NULL,
        .scratch_template = work->options->scratch_template,
        .jobs = work->options->jobs,
        .bin_folder = work->options->bin_dir,
        .watch = work->watch,
    };

    if (!backup_restore_side(work->ctx, work->made->admin, &options, &side))
        return false;
    work->made->scratch = (struct scratch){ .admin = work->made->admin, .name = side.name };
    work->made->backup = info.name;
    for (size_t i = 0; i < side.notes.count; i++)
        text_list_add(work->ctx->arena, &work->made->notes, side.notes.items[i]);
    return true;
}

static bool
copy(struct making *work)
{
    if (text_equal(work->made->way, "template"))
        return copy_template(work);
    if (text_equal(work->made->way, "backup"))
        return copy_backup(work);
    return copy_dump(work);
}

/* ---- what is done in the copy ---- */

static bool
make_key(struct making *work, const char **ret)
{
    if (work->options->mask_key)
        return sha256_of_file(work->ctx, work->options->mask_key, ret);
    *ret = random_hex(work->ctx->arena, KEY_BYTES);
    return true;
}

static bool
mask(struct making *work, struct db *db)
{
    struct mask_plan plan;
    const char *key;

    if (!work->options->mask)
        return true;
    if (!make_key(work, &key) || !mask_resolve(work->ctx, db, &work->rules, &plan) ||
        !mask_run(work->ctx, db, &plan, key, work->watch, &work->made->mask))
        return error_wrap(work->ctx, "masking");
    work->made->masked = plan.kinds_of_columns;
    for (size_t i = 0; i < plan.columns.count; i++) {
        const char *name = db_qualified(
            work->ctx->arena, plan.columns.items[i].schema, plan.columns.items[i].table);

        if (!text_list_has(&work->masked, name))
            text_list_add(work->ctx->arena, &work->masked, name);
    }
    for (size_t i = 0; i < work->made->mask.notes.count; i++)
        text_list_add(work->ctx->arena, &work->made->notes, work->made->mask.notes.items[i]);
    return true;
}

static bool
analyze(struct making *work, struct db *db)
{
    int64_t start_us = clock_us();
    bool is_done = false;

    if (!db_send(work->ctx, db, "ANALYZE"))
        return false;
    while (!is_done) {
        step_watch_show(work->watch, "collecting statistics", -1, clock_us() - start_us, NULL);
        if (!db_wait(work->ctx, db, STEP_US, &is_done)) {
            struct error why = work->ctx->error;

            (void)db_cancel_wait(db, 5000000);
            work->ctx->error = why;
            return error_wrap(work->ctx, "collecting the planner's statistics");
        }
    }
    return true;
}

/* What was carried goes before the masking, which forgets what is about masked tables. */
static bool
carry(struct making *work, struct db *db)
{
    if (!text_equal(work->options->statistics, "carry") || text_equal(work->made->way, "template"))
        return true;
    if (!work->is_superuser) {
        error_set(work->ctx, ERR_RIGHTS, "only a superuser can carry statistics");
        return error_hint(work->ctx, "Take --statistics analyze, which collects them anew.");
    }
    step_watch_show(work->watch, "carrying statistics", -1, 0, NULL);
    return statistics_carry_values(work->ctx, work->run->db, db, &work->made->notes);
}

static bool
finish_statistics(struct making *work, struct db *db)
{
    if (text_equal(work->options->statistics, "analyze"))
        return analyze(work, db);
    for (size_t i = 0; i < work->masked.count; i++)
        if (!db_exec(
                work->ctx, db, arena_printf(work->ctx->arena, "ANALYZE %s", work->masked.items[i])))
            return error_wrap(work->ctx, "collecting the statistics of masked tables");
    return true;
}

static bool
compare(struct making *work, struct db *db)
{
    if (!work->has_content)
        return true;
    step_watch_show(work->watch, "comparing", -1, 0, NULL);
    return copy_compare(work->ctx, db, &work->content, &work->masked, &work->made->equal_tables);
}

static bool
treat(struct making *work)
{
    const struct db_options open = { .database = work->made->scratch.name,
        .application = "pgmend/staging",
        .access = ACCESS_WRITE };
    struct db *db CLEANUP(db_cleanup) = NULL;

    return stage_close(work->ctx, work->made->admin, work->made->scratch.name) &&
           db_open_like(work->ctx, work->made->admin, &open, &db) &&
           copy_drop_journal(work->ctx, db) && carry(work, db) && mask(work, db) &&
           compare(work, db) && finish_statistics(work, db);
}

static bool
make(struct making *work)
{
    if (!check_options(work->ctx, work->run, work->options) ||
        !db_require_direct(work->ctx, work->run->db) || !look_at_source(work) ||
        !read_rules(work) || !open_admin(work) || !heal(work) || !check_room(work))
        return error_state(work->ctx, "No copy was made.");
    if (!copy(work) || !treat(work))
        return error_state(work->ctx,
            "No copy was made; what there was of it has been dropped, and the live database was not "
            "changed.");
    return true;
}

bool
staging_make(struct ctx *ctx, struct run *run, const struct staging_options *options,
    const char *what, struct staging_made *ret)
{
    struct backup_progress progress;
    struct making work = { .ctx = ctx, .run = run, .options = options, .made = ret };
    int64_t start_us = clock_us();
    bool is_good;

    *ret = (struct staging_made){ .way = options->from ? options->from : "dump" };
    backup_progress_begin(&progress, what);
    work.watch = &progress.watch;
    is_good = make(&work);
    backup_progress_end(&progress);
    ret->us = clock_us() - start_us;
    for (size_t i = 0; i < ret->notes.count; i++)
        log_info("note: %s", ret->notes.items[i]);
    if (!is_good)
        staging_made_end(ret);
    return is_good;
}

void
staging_made_end(struct staging_made *made)
{
    scratch_drop(&made->scratch);
    db_cleanup(&made->admin);
}

/* ---- telling ---- */

/* What nobody has decided about is as it was: that has to be seen, or "masked" is taken for all of it. */
static void
print_without(struct ctx *ctx, FILE *out, const struct text_list *without)
{
    struct text_list shown = *without;

    if (without->count == 0)
        return;
    if (shown.count > SHOWN_COLUMNS)
        shown.count = SHOWN_COLUMNS;
    out_mark_line(out, MARK_WARN,
        "%zu column%s no rule (a rule \"keep\" says that it may stay), and %s as before: %s%s",
        without->count, without->count == 1 ? " has" : "s have", without->count == 1 ? "is" : "are",
        text_list_join(ctx->arena, &shown, ", "), shown.count < without->count ? ", …" : "");
}

static void
print(struct ctx *ctx, struct run *run, const struct staging_made *made, const char *name,
    bool is_elsewhere)
{
    struct arena *arena = ctx->arena;

    out_mark_line(run->out, MARK_OK, "staging copy %s of %s from %s%s%s: %s in %s", name, made->of,
        made->way, made->backup ? " " : "", made->backup ? made->backup : "",
        text_from_bytes(arena, made->bytes), text_from_us(arena, made->us));
    if (made->equal_tables > 0)
        out_mark_line(run->out, MARK_OK,
            "%zu table%s equal, row by row, to what %s held as the copy began", made->equal_tables,
            made->equal_tables == 1 ? " is" : "s are", made->of);
    if (made->masked > 0)
        out_mark_line(run->out, MARK_OK,
            "%zu column%s masked, %s rows; none of %s values of before is left", made->masked,
            made->masked == 1 ? "" : "s", text_from_count(arena, made->mask.rows),
            text_from_count(arena, made->mask.checked));
    else
        out_mark_line(
            run->out, MARK_WARN, "nothing is masked: it holds all that the live database holds");
    print_without(ctx, run->out, &made->without);
    if (is_elsewhere)
        out_next(run->out, "pgmend staging list, with the URL of that server");
    else
        out_next(run->out, "pgmend rehearse PLAN --staging %s", text_shell(ctx->arena, name));
}

static void
print_json(struct run *run, const struct staging_made *made, const char *name)
{
    json_t *notes = backup_list_json(&made->notes);
    json_t *json CLEANUP(json_release) =
        json_pack("{s:s, s:s, s:s, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "name", name,
            "of", made->of, "from", made->way, "backup", made->backup, "bytes",
            (json_int_t)made->bytes, "us", (json_int_t)made->us, "masked_columns",
            (json_int_t)made->masked, "masked_rows", (json_int_t)made->mask.rows, "checked_values",
            (json_int_t)made->mask.checked, "equal_tables", (json_int_t)made->equal_tables, "notes",
            notes, "columns_without_rule", backup_list_json(&made->without));

    out_json(run->out, json);
}

bool
staging_hand_out(struct ctx *ctx, struct run *run, struct staging_made *made,
    const struct staging_options *options, const char *name, bool is_refresh)
{
    const struct stage stage = {
        .name = name,
        .source = made->of,
        .cluster = made->cluster,
        .way = made->way,
        .masked = made->masked,
        .is_public = made->is_public,
        .is_refresh = is_refresh,
        .ends_sessions = options->end_sessions,
    };

    if (!stage_name(ctx, &made->scratch, &stage))
        return error_state(ctx, is_refresh ? "The copy is as it was; the new one has been dropped."
                                           : "No copy was made; what there was has been dropped.");
    if (run->global->json)
        print_json(run, made, name);
    else
        print(ctx, run, made, name, options->on != NULL);
    return true;
}
