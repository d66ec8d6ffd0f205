/*
 * Building an index anew under its own name: REINDEX INDEX CONCURRENTLY. The server builds a second
 * one (_ccnew), swaps the two, and drops the old one (_ccold); what is cut off leaves one of them.
 */
#include "base/clock.h"
#include "base/interrupt.h"
#include "change/judge.h"
#include "change/kind_part.h"
#include "db/ident.h"

/* The watcher ends a wait by its limit; the server's own time-out is for when nobody can watch. */
enum { LOCK_TIMEOUT_SLACK_US = 5000000 };

/* After Ctrl-C the clean-up must not keep the user waiting. */
enum { INTERRUPTED_DROP_US = 4000000 };

/* An index that is rebuilt, as it was when that began. */
struct rebuild {
    struct change about;
    const char *definition;
    bool is_unique;
    uint32_t index_oid;
    uint32_t filenode;
    int64_t bytes;
    const char *rests; /* " 1234 1235 ": unusable ones beside it that were there before */
};

/* oid 0 in *ret: there is none. */
static bool
find_now(struct ctx *ctx, struct db *db, const struct change *change,
    struct sql_index_state_rebuild *ret)
{
    struct sql_index_state_rebuild_rows rows;

    *ret = (struct sql_index_state_rebuild){ 0 };
    if (!sql_index_state_rebuild(ctx, db, &rows, .schema = change->schema, .name = change->name))
        return false;
    if (rows.count == 1)
        *ret = rows.items[0];
    return true;
}

static bool
judge_rights(struct ctx *ctx, struct db *db, const struct sql_index_state_rebuild *now,
    struct change *change)
{
    if (now->may_rebuild)
        return true;
    return change_block(change,
        arena_printf(ctx->arena, "role %s may not rebuild it: %s belongs to %s", db_user(db),
            change_relation(ctx->arena, change), now->owner),
        arena_printf(ctx->arena, "GRANT %s TO %s;", db_ident(ctx->arena, now->owner),
            db_ident(ctx->arena, db_user(db))));
}

static bool
judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    struct sql_index_state_rebuild now;

    (void)journal;
    if (!find_now(ctx, db, change, &now))
        return false;
    if (!now.oid)
        return change_block(change, "it is not there", "make the plan again");
    if (change->table_oid && now.table_oid != change->table_oid)
        return change_block(change,
            arena_printf(ctx->arena, "it is an index of another table now: %s", now.table_name),
            "make the plan again");
    if (now.kind[0] == 'I')
        return change_block(change,
            "it is the index of a partitioned table and holds nothing itself",
            "name the indexes of its partitions");
    if (now.is_exclusion)
        return change_block(change,
            "it serves an exclusion constraint, which the server does not rebuild CONCURRENTLY",
            "leave it, or use REINDEX INDEX in a maintenance window: that stops writes");
    if (now.is_temporary)
        return change_block(change, "it is an index of a temporary table", "leave it");
    if (!text_equal(now.definition, change->definition))
        return change_block(change,
            arena_printf(ctx->arena, "it is another index than planned: %s", now.definition),
            "make the plan again");
    if (now.builder_pid)
        return change_block(change,
            arena_printf(ctx->arena, "server process %d is building it at this moment",
                (int)now.builder_pid),
            "wait for it; \"pgmend index invalid\" shows how far it is");
    return judge_rights(ctx, db, &now, change);
}

/* ---- the journal's detail ---- */

static bool
find_rests(struct ctx *ctx, struct db *db, const struct change *change, const char *definition,
    struct sql_index_state_rests_rows *ret)
{
    return sql_index_state_rests(ctx, db, ret, .table_oid = change->table_oid, .name = change->name,
        .definition = definition);
}

static bool
look_before(struct ctx *ctx, struct db *db, const struct change *change, struct rebuild *ret)
{
    struct sql_index_state_rebuild now;
    struct sql_index_state_rests_rows rests;
    struct buffer buffer = { .arena = ctx->arena };

    if (!find_now(ctx, db, change, &now) || !find_rests(ctx, db, change, now.definition, &rests))
        return false;
    buffer_add(&buffer, " ");
    for (size_t i = 0; i < rests.count; i++)
        buffer_printf(&buffer, "%u ", (unsigned)rests.items[i].oid);
    *ret = (struct rebuild){
        .about = *change,
        .definition = now.definition,
        .is_unique = now.is_unique,
        .index_oid = now.oid,
        .filenode = now.filenode,
        .bytes = now.bytes,
        .rests = buffer_text(&buffer),
    };
    return true;
}

static json_t *
detail_of(const struct rebuild *rebuild)
{
    json_t *json = work_about(&rebuild->about);

    json_object_set_new(json, "definition", json_string(rebuild->definition));
    json_object_set_new(json, "is_unique", json_boolean(rebuild->is_unique));
    json_object_set_new(json, "index_oid", json_integer(rebuild->index_oid));
    json_object_set_new(json, "filenode", json_integer(rebuild->filenode));
    json_object_set_new(json, "bytes_before", json_integer(rebuild->bytes));
    json_object_set_new(json, "rests_before", json_string(rebuild->rests));
    return json;
}

static bool
read_detail(struct ctx *ctx, const struct journal_entry *entry, struct rebuild *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!work_detail(ctx, entry, &json))
        return false;
    *ret = (struct rebuild){
        .definition = json_get_text(ctx->arena, json, "definition", ""),
        .is_unique = json_get_bool(json, "is_unique", false),
        .index_oid = (uint32_t)json_get_int(json, "index_oid", 0),
        .filenode = (uint32_t)json_get_int(json, "filenode", 0),
        .bytes = json_get_int(json, "bytes_before", 0),
        .rests = json_get_text(ctx->arena, json, "rests_before", " "),
    };
    work_read_about(ctx, json, &ret->about);
    return true;
}

/* ---- what is left of it ---- */

/* Why the index is not the rebuilt one; NULL: it is, and good. */
static const char *
why_not_done(
    struct ctx *ctx, const struct rebuild *rebuild, const struct sql_index_state_rebuild *now)
{
    if (!now->oid)
        return "it is not there";
    if (now->table_oid != rebuild->about.table_oid)
        return "it is on another table";
    if (!now->is_good)
        return "it is not valid";
    if (now->is_unique != rebuild->is_unique || !text_equal(now->definition, rebuild->definition))
        return arena_printf(ctx->arena, "its definition is another one: %s", now->definition);
    if (now->filenode == rebuild->filenode)
        return "its file is the old one";
    return NULL;
}

/* Drops what this rebuild left, and nothing that was there before it. */
static bool
drop_rests(struct ctx *ctx, struct rollout *rollout, const struct rebuild *rebuild,
    int64_t limit_us, size_t *ret_count)
{
    struct sql_index_state_rests_rows rests;

    *ret_count = 0;
    if (!find_rests(ctx, rollout->db, &rebuild->about, rebuild->definition, &rests))
        return false;
    for (size_t i = 0; i < rests.count; i++) {
        const struct sql_index_state_rests *rest = &rests.items[i];
        struct rollout_outcome ignored = { 0 };

        if (strstr(rebuild->rests, arena_printf(ctx->arena, " %u ", (unsigned)rest->oid)))
            continue;
        if (!rollout_drop(ctx, rollout, rest->schema, rest->name, limit_us, &ignored))
            return error_wrap(ctx, "the unusable index %s is left",
                db_qualified(ctx->arena, rest->schema, rest->name));
        ++*ret_count;
    }
    return true;
}

/* After a failure. *ret_now: the index as it is then; false: a rest may be left. */
static bool
clean_up(struct ctx *ctx, struct rollout *rollout, const struct rebuild *rebuild,
    struct sql_index_state_rebuild *ret_now)
{
    int signal_number = interrupt_take();
    int64_t limit_us = signal_number ? (int64_t)INTERRUPTED_DROP_US : rollout->limits.drop_us;
    size_t count;
    struct error why;
    bool is_good;

    *ret_now = (struct sql_index_state_rebuild){ 0 };
    if (limit_us > rollout->limits.wait_us)
        limit_us = rollout->limits.wait_us;
    is_good = (db_is_connected(rollout->db) || rollout_reconnect(ctx, rollout)) &&
              drop_rests(ctx, rollout, rebuild, limit_us, &count);
    /* Also when a rest is left: whether the two were swapped is told. */
    why = ctx->error;
    if (db_is_connected(rollout->db) && find_now(ctx, rollout->db, &rebuild->about, ret_now))
        ctx->error = why;
    else
        is_good = false;
    interrupt_put(signal_number);
    return is_good;
}

/* ---- doing it ---- */

static bool
look_at_rebuild(struct ctx *ctx, struct rollout *rollout, struct rollout_watch *watch)
{
    if (!rollout_look_at_build(ctx, rollout, db_backend_pid(rollout->db), watch))
        return false;
    if (watch->waiting_since_us && clock_us() - watch->waiting_since_us > rollout->limits.wait_us) {
        error_set(ctx, ERR_TIMEOUT, "the rebuild waited longer than %s for other transactions%s%s",
            text_from_us(ctx->arena, rollout->limits.wait_us), watch->blocker ? ": it " : "",
            watch->blocker ? watch->blocker : "");
        return error_hint(ctx, "End the sessions it waited for, or raise --wait-limit.");
    }
    watch->blocker = NULL;
    return rollout_check_room(ctx, rollout);
}

static bool
attempt(struct ctx *ctx, struct rollout *rollout, const struct rebuild *rebuild,
    const struct change *change, struct sql_index_state_rebuild *ret_now)
{
    struct rollout_watch watch = {
        .what = arena_printf(ctx->arena, "rebuilding %s", change_object(ctx->arena, change)),
        .look = look_at_rebuild,
    };
    const char *limit = arena_printf(
        ctx->arena, "%lld", (long long)((rollout->limits.wait_us + LOCK_TIMEOUT_SLACK_US) / 1000));
    const char *why;

    if (!work_probe_lock(ctx, rollout, change) ||
        !db_set(ctx, rollout->db, "lock_timeout", limit) ||
        !rollout_run(ctx, rollout, change->statement, &watch) ||
        !find_now(ctx, rollout->db, change, ret_now))
        return false;
    why = why_not_done(ctx, rebuild, ret_now);
    if (!why)
        return true;
    return error_set(
        ctx, ERR_VERIFICATION, "the server reported success, but the index is not good: %s", why);
}

/* What the catalogue says after a failure that left something; now->oid 0: nothing is known. */
static bool
tell_rest(struct ctx *ctx, const struct rebuild *rebuild, const struct sql_index_state_rebuild *now,
    const char *object)
{
    if (!now->oid)
        return error_state(ctx,
            "Whether %s was rebuilt already could not be seen; an unusable index beside it, named "
            "like it and _ccnew or _ccold, may be left.",
            object);
    if (!why_not_done(ctx, rebuild, now))
        return error_state(ctx,
            "%s is rebuilt already and in use; the old one, named like it and _ccold, may be left "
            "beside it.",
            object);
    if (now->is_good && now->filenode == rebuild->filenode)
        return error_state(ctx,
            "%s is as it was; an unusable index beside it, named like it and _ccnew, may be left.",
            object);
    return error_state(
        ctx, "Of %s the catalogue says: %s.", object, why_not_done(ctx, rebuild, now));
}

/* Its end is not what was wanted, for the reason in why: says in which state the index is. */
static bool
give_up(struct ctx *ctx, struct rollout *rollout, const struct rebuild *rebuild,
    const struct sql_index_state_rebuild *now, struct journal_entry *entry, const struct error *why)
{
    struct error trouble = ctx->error;

    int signal_number = interrupt_take();

    (void)!(db_is_connected(rollout->db) &&
            journal_update(ctx, &rollout->journal, entry, ENTRY_LEFTOVER, NULL));
    interrupt_put(signal_number);
    ctx->error = *why;
    error_wrap(ctx, "rebuilding %s", entry->object);
    if (ctx->error.kind != ERR_INTERRUPTED && ctx->error.kind != ERR_TERMINATED)
        ctx->error.kind = ERR_ATTENTION;
    if (trouble.message && trouble.message != why->message)
        ctx->error.detail = trouble.message;
    error_hint(ctx,
        "Run the same command again: it removes what is left. By hand: \"pgmend index invalid\".");
    return tell_rest(ctx, rebuild, now, entry->object);
}

/* It is not rebuilt, and nothing is left of the attempt. */
static bool
fail_cleanly(
    struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry, const struct error *why)
{
    ctx->error = *why;
    (void)work_fail(ctx, rollout, entry);
    if (ctx->error.kind == ERR_ATTENTION)
        return false;
    return error_state(
        ctx, "%s is as it was, in its old file; nothing of the new one is left.", entry->object);
}

static bool
succeed(struct ctx *ctx, struct rollout *rollout, const struct rebuild *rebuild,
    const struct sql_index_state_rebuild *now, struct journal_entry *entry,
    struct rollout_outcome *ret)
{
    json_t *json CLEANUP(json_release) = detail_of(rebuild);

    json_object_set_new(json, "bytes", json_integer(now->bytes));
    json_object_set_new(json, "new_oid", json_integer(now->oid));
    json_object_set_new(json, "us", json_integer(ret->us));
    ret->bytes = now->bytes;
    ret->result = arena_printf(ctx->arena, "rebuilt, %s before and %s now",
        text_from_bytes(ctx->arena, rebuild->bytes), text_from_bytes(ctx->arena, now->bytes));
    return work_succeed(ctx, rollout, entry, json_text(ctx->arena, json), ret);
}

static bool
rebuild_index(struct ctx *ctx, struct rollout *rollout, const struct rebuild *rebuild,
    struct journal_entry *entry, struct rollout_outcome *ret)
{
    int64_t started = clock_us();

    for (int number = 0;; number++) {
        struct sql_index_state_rebuild now;
        bool is_done = attempt(ctx, rollout, rebuild, &rebuild->about, &now);
        struct error why = ctx->error;
        bool is_retriable = !is_done && is_passing(ctx) && !interrupt_signal();
        bool is_clean = is_done || clean_up(ctx, rollout, rebuild, &now);

        ret->attempts = number + 1;
        ret->us = clock_us() - started;
        /* What was cut off after the swap is done: only the old one was still to go. */
        if (is_done || (is_clean && !why_not_done(ctx, rebuild, &now))) {
            error_clear(ctx);
            return succeed(ctx, rollout, rebuild, &now, entry, ret);
        }
        if (!is_clean)
            return give_up(ctx, rollout, rebuild, &now, entry, &why);
        if (!is_retriable || number >= rollout->limits.retries)
            return fail_cleanly(ctx, rollout, entry, &why);
        rollout_note(rollout,
            arena_printf(ctx->arena, "%s; nothing is left of it, trying again", why.message));
        error_clear(ctx);
        if (!rollout_pause(number + 2)) {
            interrupt_error(ctx, interrupt_signal());
            why = ctx->error;
            return fail_cleanly(ctx, rollout, entry, &why);
        }
    }
}

static bool
apply(struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    struct rebuild rebuild;
    struct journal_entry entry;
    json_t *json CLEANUP(json_release) = NULL;

    if (!look_before(ctx, rollout->db, change, &rebuild))
        return error_state(ctx, "%s was not begun.", ret->name);
    json = detail_of(&rebuild);
    return work_begin(ctx, rollout, change, json_text(ctx->arena, json), &entry) &&
           rebuild_index(ctx, rollout, &rebuild, &entry, ret);
}

/* Cut off: the server may have ended it by itself; what it left goes. */
static bool
heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    struct rebuild rebuild;
    struct sql_index_state_rebuild now;
    size_t count;
    bool is_done;

    if (!read_detail(ctx, entry, &rebuild) ||
        !drop_rests(ctx, rollout, &rebuild, rollout->limits.drop_us, &count) ||
        !find_now(ctx, rollout->db, &rebuild.about, &now))
        return false;
    is_done = !why_not_done(ctx, &rebuild, &now);
    rollout_note(
        rollout, arena_printf(ctx->arena, "the rebuild of %s that was cut off %s%s", entry->object,
                     is_done ? "had been completed by the server" : "is not done: it is as it was",
                     count > 0 ? "; its unusable rest was dropped" : ""));
    return journal_update(ctx, &rollout->journal, entry, is_done ? ENTRY_DONE : ENTRY_FAILED, NULL);
}

static bool
look_back(struct ctx *ctx, struct db *db, const struct journal_entry *entry, const char **ret_now)
{
    struct rebuild rebuild;
    struct sql_index_state_rebuild now;

    if (!read_detail(ctx, entry, &rebuild) || !find_now(ctx, db, &rebuild.about, &now))
        return false;
    *ret_now = !now.oid ? "gone since" : now.is_good ? "rebuilt" : "INVALID";
    return true;
}

const struct change_kind kind_reindex = {
    .name = KIND_REINDEX,
    .judge = judge,
    .look = look_back,
    .apply = apply,
    .heal = heal,
};
