#include "base/clock.h"
#include "base/file.h"
#include "change/journal.h"
#include "change/kind.h"
#include "change/lock.h"
#include "cli/out.h"
#include "cmd/parts/roll_out.h"
#include "cmd/parts/status_plan.h"
#include "monitor/calm.h"
#include "queries/logging/logging.h"
#include "sql.h"

enum { NEEDS_ATTENTION = 3, RUNNING_US = 300000000 };

struct options {
    bool exit_code;
};

static const struct field options[] = {
    FIELD(struct options, exit_code, .help = "exit with 3 when something needs attention"),
};

/* One thing pgmend did, as it is now. */
struct standing {
    const char *object;
    const char *state; /* journal */
    const char *now;   /* catalogue */
    int64_t id;
    int64_t size;
    int64_t scans;
};

static const struct field columns[] = {
    FIELD(struct standing, id),
    FIELD(struct standing, object),
    FIELD(struct standing, state, .help = "journal"),
    FIELD(struct standing, now),
    FIELD(struct standing, size, .unit = UNIT_BYTES),
    FIELD(struct standing, scans),
};

static const struct field invalid_columns[] = {
    FIELD(struct sql_catalog_invalid_indexes, schema),
    FIELD(struct sql_catalog_invalid_indexes, name),
    FIELD(struct sql_catalog_invalid_indexes, table_name),
    FIELD(struct sql_catalog_invalid_indexes, is_unique),
    FIELD(struct sql_catalog_invalid_indexes, is_ready),
    FIELD(struct sql_catalog_invalid_indexes, is_building),
    FIELD(struct sql_catalog_invalid_indexes, bytes),
};

struct picture {
    struct lock_holder holder;
    struct sql_change_progress progress;
    struct sql_catalog_invalid_indexes_rows invalid;
    VEC(struct standing) standing;
    struct status_plan plan;
    const struct journal_entry *restored; /* the database took the place of another; NULL: never */
    size_t unfinished;
    size_t logging;          /* settings of the log that a killed trace has left */
    const struct calm *calm; /* what a monitor with our state folder has seen; NULL: nothing */
};

static bool
look_at_index(
    struct ctx *ctx, struct db *db, const struct journal_entry *entry, struct standing *ret)
{
    json_t *json CLEANUP(json_release) = NULL;
    struct sql_catalog_index_rows rows;
    struct sql_index_usage_rows usage;

    if (!json_parse(ctx, "detail", entry->detail, &json))
        return false;
    if (!sql_catalog_index(ctx, db, &rows, .schema = json_get_text(ctx->arena, json, "schema", ""),
            .name = json_get_text(ctx->arena, json, "name", "")))
        return false;
    if (rows.count == 0) {
        ret->now = "missing";
        return true;
    }

    const struct sql_catalog_index *index = &rows.items[0];
    const char *planned = json_get_text(ctx->arena, json, "definition", "");

    ret->size = index->bytes;
    ret->now = index->is_building                                        ? "being built"
               : !index->is_valid || !index->is_ready || !index->is_live ? "INVALID"
               : !text_equal(index->definition, planned)                 ? "altered since"
                                                                         : "valid";
    if (!sql_index_usage(ctx, db, &usage, .index_oid = index->oid))
        return false;
    if (usage.count == 1)
        ret->scans = usage.items[0].scans;
    return true;
}

static bool
look_at_entry(
    struct ctx *ctx, struct db *db, const struct journal_entry *entry, struct standing *ret)
{
    const struct change_kind *kind = change_kind_find(entry->kind);

    *ret = (struct standing){
        .object = text_equal(entry->kind, KIND_FILL)
                      ? arena_printf(ctx->arena, "%s (filled)", entry->object)
                      : entry->object,
        .state = entry->state,
        .id = entry->id,
        .now = "unknown to this pgmend",
    };
    if (!kind)
        return true;
    return kind->look ? kind->look(ctx, db, entry, &ret->now) : look_at_index(ctx, db, entry, ret);
}

/* What leaves nothing to look at when it is done: a vacuum, a flag that is off. */
static bool
is_standing(const struct journal_entry *entry)
{
    static const char *const passing[] = { KIND_VACUUM, KIND_REINDEX, KIND_FLAG_OFF, KIND_RESTORE,
        KIND_RELEASE };

    for (size_t i = 0; i < COUNT_OF(passing); i++)
        if (text_equal(entry->kind, passing[i]))
            return journal_entry_is_open(entry);
    return journal_entry_is_open(entry) || text_equal(entry->state, ENTRY_DONE);
}

/* The last time that a backup took the place of this database. */
static const struct journal_entry *
find_restored(const struct journal_entries *entries)
{
    for (size_t i = entries->count; i-- > 0;)
        if (text_equal(entries->items[i].kind, KIND_RESTORE) &&
            text_equal(entries->items[i].state, ENTRY_DONE))
            return &entries->items[i];
    return NULL;
}

/* Whether it was done in the database that was replaced, and went with it. */
static bool
went_with_it(const struct journal_entry *restored, const struct journal_entry *entry,
    const struct standing *standing)
{
    return restored && entry->ended_at && text_equal(standing->now, "missing") &&
           strcmp(entry->ended_at, restored->ended_at) <= 0;
}

static bool
look_at_journal(struct ctx *ctx, struct db *db, struct picture *ret)
{
    struct journal_entries entries;

    if (!journal_load(ctx, db, &entries))
        return false;
    ret->restored = find_restored(&entries);
    for (size_t i = 0; i < entries.count; i++) {
        const struct journal_entry *entry = &entries.items[i];
        struct standing standing;

        if (!is_standing(entry))
            continue;
        ret->unfinished += journal_entry_is_open(entry);
        if (!look_at_entry(ctx, db, entry, &standing))
            return false;
        if (went_with_it(ret->restored, entry, &standing))
            standing.now = "not in the backup";
        VEC_PUSH(ctx->arena, &ret->standing, standing);
    }
    return true;
}

/* What cannot be read is as if no monitor had run: it begins a new file too. */
static bool
look_at_calm(struct ctx *ctx, const struct run *run, struct picture *ret)
{
    const char *path = file_join(ctx->arena, run->global->state_dir, CALM_FILE);
    struct calms *calms = ARENA_NEW(ctx->arena, struct calms);
    json_t *json CLEANUP(json_release) = NULL;
    const char *cluster;

    if (!journal_system_identifier(ctx, run->db, &cluster))
        return false;
    calms->arena = ctx->arena;
    if (!file_exists(path))
        return true;
    if (json_read_file(ctx, path, &json))
        calm_restore(calms, json_object_get(json, "calm"));
    else
        error_clear(ctx);
    ret->calm = calm_find(calms, cluster, db_name(run->db));
    return true;
}

static bool
look(struct ctx *ctx, const struct run *run, struct picture *ret)
{
    struct sql_change_progress_rows rows;
    struct db *db = run->db;

    *ret = (struct picture){ 0 };
    if (!look_at_calm(ctx, run, ret) || !run_lock_holder(ctx, db, &ret->holder) ||
        !look_at_journal(ctx, db, ret) || !sql_catalog_invalid_indexes(ctx, db, &ret->invalid))
        return false;
    if (!logging_left(ctx, db, &ret->logging) ||
        !status_plan_look(ctx, db, ret->holder.is_held && !ret->holder.is_orphan, &ret->plan))
        return false;
    if (!ret->holder.is_held)
        return true;
    /* Its own trace, which goes on. */
    if (!ret->holder.is_orphan && strstr(ret->holder.application, "queries trace"))
        ret->logging = 0;
    if (!sql_change_progress(ctx, db, &rows, .pid = ret->holder.pid))
        return false;
    if (rows.count == 1)
        ret->progress = rows.items[0];
    return true;
}

static void
print_holder(struct ctx *ctx, FILE *out, const struct picture *picture)
{
    const struct lock_holder *holder = &picture->holder;
    const struct sql_change_progress *progress = &picture->progress;

    if (!holder->is_held) {
        out_mark_line(out, MARK_OK, "no pgmend is changing this database now");
        return;
    }
    out_mark_line(out, holder->is_orphan ? MARK_WARN : MARK_INFO,
        "running: %s, server process %d, since %s%s", holder->application, (int)holder->pid,
        holder->since,
        holder->is_orphan ? "; its client is gone: the next run attaches to it" : "");
    if (progress->phase && *progress->phase)
        fprintf(out, "      %s, blocks %lld of %lld, tuples %lld of %lld\n", progress->phase,
            (long long)progress->blocks_done, (long long)progress->blocks_total,
            (long long)progress->tuples_done, (long long)progress->tuples_total);
    if (progress->blocker_pid)
        fprintf(out, "      waits for pid %d (%s, transaction of %s)\n", (int)progress->blocker_pid,
            progress->blocker, text_from_us(ctx->arena, progress->blocker_age));
}

/* What the server logs is not in what this program looks at otherwise, and fills disks. */
static void
print_logging(FILE *out, const struct picture *picture)
{
    if (picture->logging > 0)
        out_mark_line(out, MARK_WARN,
            "logging was left on by a killed trace (%zu setting%s): \"pgmend rollback\" puts it "
            "back",
            picture->logging, picture->logging == 1 ? "" : "s");
}

static void
print_invalid(struct ctx *ctx, FILE *out, const struct picture *picture)
{
    size_t count = 0;

    for (size_t i = 0; i < picture->invalid.count; i++) {
        const struct sql_catalog_invalid_indexes *index = &picture->invalid.items[i];

        if (index->is_building)
            continue;
        count++;
        out_mark_line(out, index->is_unique && index->is_ready ? MARK_FAIL : MARK_WARN,
            "unusable (INVALID) index %s.%s on %s, %s%s", index->schema, index->name,
            index->table_name, text_from_bytes(ctx->arena, index->bytes),
            index->is_unique && index->is_ready ? ": it refuses rows, drop it now"
            : index->is_ready                   ? ": it slows writes"
                                                : "");
    }
    if (count == 0)
        out_mark_line(out, MARK_OK, "no unusable (INVALID) index");
}

/* Whether the 48 hours without a critical alert have passed, which the end of a project waits for. */
static void
print_calm(struct ctx *ctx, FILE *out, const struct calm *calm)
{
    int64_t calm_us = calm && calm->since_wall_us ? calm->seen_wall_us - calm->since_wall_us : 0;
    bool is_watched = calm && clock_wall_us() - calm->seen_wall_us < RUNNING_US;

    if (!calm) {
        out_mark_line(out, MARK_INFO, "no monitor has watched it from here (pgmend monitor)");
        return;
    }
    if (calm->since_wall_us == 0)
        out_mark_line(out, MARK_FAIL, "a critical alert fires: %s", calm->last);
    else if (calm_us >= CALM_WANTED_US)
        out_mark_line(out, MARK_OK,
            "48 hours without a critical alert have passed (watched since %s)",
            clock_text(ctx->arena, calm->since_wall_us));
    else
        out_mark_line(out, MARK_INFO, "%s of 48 hours without a critical alert",
            text_from_us(ctx->arena, calm_us));
    if (calm->since_wall_us && calm->last_wall_us)
        fprintf(out, "      the last one, %s: %s\n", clock_text(ctx->arena, calm->last_wall_us),
            calm->last);
    if (!is_watched)
        out_mark_line(out, MARK_WARN, "it is not watched now: the monitor's last tick was at %s",
            clock_text(ctx->arena, calm->seen_wall_us));
}

static void
print_restored(struct ctx *ctx, FILE *out, const struct journal_entry *restored)
{
    json_t *detail CLEANUP(json_release) = NULL;

    if (!restored)
        return;
    if (!json_parse(ctx, "detail", restored->detail, &detail))
        error_clear(ctx);
    out_mark_line(out, MARK_INFO, "replaced by its backup %s at %s; the database before it: %s",
        json_get_text(ctx->arena, detail, "backup", "(unknown)"), restored->ended_at,
        json_get_text(ctx->arena, detail, "kept_as", "(not kept)"));
    fprintf(out, "      what stood there and the plan of its steps are in that one, unless the "
                 "backup had them\n");
}

static json_t *
calm_json(struct ctx *ctx, const struct calm *calm)
{
    int64_t calm_us = calm && calm->since_wall_us ? calm->seen_wall_us - calm->since_wall_us : 0;

    if (!calm)
        return json_null();
    return json_pack("{s:b, s:I, s:s?, s:s, s:s?, s:s?}", "is_reached", calm_us >= CALM_WANTED_US,
        "calm_us", (json_int_t)calm_us, "since",
        calm->since_wall_us ? clock_text(ctx->arena, calm->since_wall_us) : NULL, "seen",
        clock_text(ctx->arena, calm->seen_wall_us), "last_critical",
        calm->last_wall_us ? calm->last : NULL, "last_critical_at",
        calm->last_wall_us ? clock_text(ctx->arena, calm->last_wall_us) : NULL);
}

static bool
print_json(struct ctx *ctx, struct run *run, const struct picture *picture)
{
    const struct lock_holder *holder = &picture->holder;
    json_t *running =
        holder->is_held
            ? json_pack("{s:i, s:s, s:s, s:b, s:s}", "pid", (int)holder->pid, "application",
                  holder->application, "since", holder->since, "is_orphan", (int)holder->is_orphan,
                  "phase", picture->progress.phase ? picture->progress.phase : "")
            : json_null();
    json_t *json CLEANUP(json_release) = json_pack("{s:o, s:o, s:I, s:I, s:o, s:o}", "running",
        running, "calm", calm_json(ctx, picture->calm), "unfinished",
        (json_int_t)picture->unfinished, "logging_left", (json_int_t)picture->logging, "changes",
        out_json_rows(columns, COUNT_OF(columns), picture->standing.items, picture->standing.count,
            sizeof(struct standing)),
        "invalid_indexes",
        out_json_rows(invalid_columns, COUNT_OF(invalid_columns), picture->invalid.items,
            picture->invalid.count, sizeof(struct sql_catalog_invalid_indexes)));

    if (picture->restored)
        json_object_set_new(json, "restored",
            json_pack("{s:s, s:s?, s:s}", "at", picture->restored->ended_at, "detail",
                picture->restored->detail, "run", picture->restored->run));
    if (picture->plan.is_there)
        json_object_set_new(json, "plan", status_plan_json(&picture->plan));
    out_json(run->out, json);
    return true;
}

/* A plan of which all is undone may be applied again; it is not as if there had been none. */
static void
print_next(FILE *out, const struct picture *picture)
{
    if (picture->standing.count > 0)
        out_next(out, "pgmend history, pgmend rollback, pgmend report");
    else if (picture->plan.is_there)
        out_next(out,
            "pgmend apply with the file of plan %.12s again, or pgmend plan for a new one",
            picture->plan.hash);
    else
        out_next(out, "pgmend plan FILE.sql");
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct picture picture;

    if (!look(ctx, run, &picture))
        return false;
    if (opts->exit_code && (picture.unfinished > 0 || picture.invalid.count > 0 ||
                               picture.logging > 0 || status_plan_unfinished(&picture.plan) > 0))
        run->status = NEEDS_ATTENTION;
    if (run->global->json)
        return print_json(ctx, run, &picture);
    fprintf(
        run->out, "%s, PostgreSQL %s\n\n", db_label(ctx->arena, run->db), db_version_text(run->db));
    print_holder(ctx, run->out, &picture);
    print_logging(run->out, &picture);
    print_invalid(ctx, run->out, &picture);
    print_calm(ctx, run->out, picture.calm);
    print_restored(ctx, run->out, picture.restored);
    if (picture.unfinished > 0)
        out_mark_line(run->out, picture.holder.is_held ? MARK_INFO : MARK_WARN,
            "%zu change%s in the journal not finished%s", picture.unfinished,
            picture.unfinished == 1 ? " is" : "s are",
            picture.holder.is_held ? "" : ": the next apply or rollback puts that right");
    if (picture.standing.count > 0) {
        fputc('\n', run->out);
        out_table(run->out, columns, COUNT_OF(columns), picture.standing.items,
            picture.standing.count, sizeof(struct standing));
    }
    status_plan_print(ctx, run->out, &picture.plan);
    print_next(run->out, &picture);
    return true;
}

const struct command cmd_status = {
    .path = "status",
    .summary = "show what runs, what stands, and what needs attention",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .next = "pgmend history",
    .run = run,
};
