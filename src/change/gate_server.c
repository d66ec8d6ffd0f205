/* Gates that look at the server as it is now: sessions, room, rows. */
#include <inttypes.h>

#include "base/file.h"
#include "change/gate.h"
#include "change/plan.h"
#include "change/room.h"
#include "db/ident.h"
#include "sql.h"

static const char *
table_list(struct ctx *ctx, const struct gate_input *input)
{
    const struct plan *plan = input->plan;
    struct buffer buffer = { .arena = ctx->arena };
    size_t end;

    buffer_add(&buffer, "{");
    for (size_t i = gate_range(input, &end); i < end; i++)
        if (change_is_pending(&plan->items[i]))
            buffer_printf(&buffer, "%s%u", buffer.length > 1 ? "," : "", plan->items[i].table_oid);
    buffer_add(&buffer, "}");
    return buffer_text(&buffer);
}

static const char *
describe(struct ctx *ctx, const struct sql_change_blockers *row)
{
    const char *age = text_from_us(ctx->arena, row->age);

    if (row->pid == 0)
        return arena_printf(ctx->arena, "%s of %s, %s old", row->application, row->account, age);
    return arena_printf(ctx->arena, "pid %d (%s, user %s, %s, transaction of %s%s)", (int)row->pid,
        row->application, row->account, row->state, age,
        row->is_dump ? ", a dump: an index build waits until it ends" : "");
}

/* What CONCURRENTLY makes or drops waits for every snapshot; other changes only for locks, and give up early. */
static bool
waits_for_snapshots(const struct gate_input *input)
{
    size_t end;

    if (!input->step)
        return true;
    for (size_t i = gate_range(input, &end); i < end; i++) {
        const struct change *change = &input->plan->items[i];

        if (change_is_of(change, KIND_INDEX) || change_is_of(change, KIND_DROP) ||
            change_is_of(change, KIND_REINDEX))
            return true;
    }
    return false;
}

static void
soften(struct ctx *ctx, struct gate_result *ret)
{
    ret->state = GATE_WARNING;
    ret->text = arena_printf(ctx->arena, "%s; this step builds no index", ret->text);
}

bool
gate_check_sessions(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    struct sql_change_blockers_rows rows;
    struct text_list red = { 0 };
    size_t hidden = 0;

    if (!sql_change_blockers(ctx, input->db, &rows, .tables = table_list(ctx, input)))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        hidden += rows.items[i].is_hidden && !rows.items[i].is_dump;
        if (rows.items[i].is_hidden && !rows.items[i].is_dump)
            continue;
        if (rows.items[i].is_dump || rows.items[i].age > input->max_transaction_us)
            text_list_add(ctx->arena, &red, describe(ctx, &rows.items[i]));
    }
    ret->state = red.count > 0 ? GATE_RED : GATE_GREEN;
    ret->text = red.count > 0 ? text_list_join(ctx->arena, &red, "; ")
                              : "no old transaction, snapshot or dump would hold up a build";
    ret->remedy = "end these sessions, or wait for them; an index build cannot end before they do";
    if (red.count == 0 && hidden > 0) {
        ret->state = GATE_RED;
        ret->text =
            arena_printf(ctx->arena, "role %s may not see what %zu session%s of other roles do%s",
                db_user(input->db), hidden, hidden == 1 ? "" : "s", hidden == 1 ? "es" : "");
        ret->remedy = arena_printf(
            ctx->arena, "GRANT pg_read_all_stats TO %s;", db_ident(ctx->arena, db_user(input->db)));
    }
    if (ret->state == GATE_RED && !waits_for_snapshots(input))
        soften(ctx, ret);
    return true;
}

static void
sum_up(const struct gate_input *input, int64_t *ret_sum, int64_t *ret_largest)
{
    const struct plan *plan = input->plan;
    size_t end;

    *ret_sum = 0;
    *ret_largest = 0;
    for (size_t i = gate_range(input, &end); i < end; i++) {
        if (!change_is_pending(&plan->items[i]))
            continue;
        *ret_sum += plan->items[i].bytes;
        if (plan->items[i].bytes > *ret_largest)
            *ret_largest = plan->items[i].bytes;
    }
}

/* What to compare: the free bytes seen, or those that the operator vouches for. */
struct volume {
    const char *what;
    const char *option;
    const char *path; /* NULL: not seen */
    const char *why_not;
    int64_t needed;
    int64_t attested;
};

static bool
judge_volume(struct ctx *ctx, const struct volume *volume, struct gate_result *ret)
{
    const char *needed = text_from_bytes(ctx->arena, volume->needed);
    int64_t bytes = volume->attested;
    const char *how = "attested by the operator";

    ret->state = GATE_RED;
    ret->remedy = arena_printf(ctx->arena,
        "free space, or, where the disk cannot be seen, vouch for it with %s SIZE", volume->option);
    if (volume->path) {
        if (!file_free_bytes(ctx, volume->path, &bytes))
            return false;
        how = "free";
    } else if (!volume->attested) {
        ret->text = arena_printf(ctx->arena, "%s: %s needed, and the disk cannot be seen: %s",
            volume->what, needed, volume->why_not);
        return true;
    }
    if (bytes >= volume->needed)
        ret->state = GATE_GREEN;
    if (!volume->path)
        ret->attested =
            arena_printf(ctx->arena, "attested: %s free", text_from_bytes(ctx->arena, bytes));
    ret->text = arena_printf(ctx->arena, "%s: %s %s, %s needed", volume->what,
        text_from_bytes(ctx->arena, bytes), how, needed);
    return true;
}

bool
gate_check_wal_room(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    struct sql_change_server_rows rows;
    struct room room;
    int64_t sum;
    int64_t largest;

    if (!sql_change_server(ctx, input->db, &rows) || !room_find(ctx, input->db, &room))
        return false;
    sum_up(input, &sum, &largest);

    struct volume volume = {
        .what = "pg_wal",
        .option = "--attest-wal-free",
        .path = room.is_seen ? room.wal_path : NULL,
        .why_not = room.why_not,
        .needed = 2 * largest + (rows.count == 1 ? rows.items[0].wal_bytes_limit : 0),
        .attested = input->attested_wal_bytes,
    };

    return judge_volume(ctx, &volume, ret);
}

/* The volumes of other tablespaces; stops at the first that is too small. */
static bool
judge_tablespaces(struct ctx *ctx, const struct gate_input *input, const struct volume *like,
    int64_t largest, struct gate_result *ret)
{
    struct sql_change_temp_tablespaces_rows temporary;
    struct volume volume = *like;
    size_t end;

    ret->state = GATE_GREEN;
    for (size_t i = gate_range(input, &end); i < end && ret->state == GATE_GREEN; i++) {
        volume.path = input->plan->items[i].tablespace_path;
        if (change_is_pending(&input->plan->items[i]) && !text_is_empty(volume.path) &&
            !judge_volume(ctx, &volume, ret))
            return false;
    }
    if (!sql_change_temp_tablespaces(ctx, input->db, &temporary))
        return false;
    volume.needed = largest;
    volume.what = "temporary files";
    for (size_t i = 0; i < temporary.count && ret->state == GATE_GREEN; i++) {
        volume.path = temporary.items[i].path;
        if (!judge_volume(ctx, &volume, ret))
            return false;
    }
    return true;
}

/* Where the indexes go: all in one folder is the rule; with several the tightest counts. */
bool
gate_check_data_room(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    struct room room;
    int64_t sum;
    int64_t largest;

    if (!room_find(ctx, input->db, &room))
        return false;
    sum_up(input, &sum, &largest);

    /* The sort spills as much again into temporary files, one build at a time. */
    struct volume volume = {
        .what = "data and temporary files",
        .option = "--attest-data-free",
        .path = room.is_seen ? room.data_path : NULL,
        .why_not = room.why_not,
        .needed = sum + largest,
        .attested = input->attested_data_bytes,
    };

    if (room.is_seen && !judge_tablespaces(ctx, input, &volume, largest, ret))
        return false;
    return (room.is_seen && ret->state == GATE_RED) || judge_volume(ctx, &volume, ret);
}

bool
gate_check_duplicates(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    size_t checked = 0;
    size_t unchecked = 0;
    size_t end;

    ret->state = GATE_GREEN;
    for (size_t i = gate_range(input, &end); i < end; i++) {
        const struct change *change = &input->plan->items[i];
        const char *key;

        if (!change_is_pending(change) || !change->is_unique || !change_is_of(change, KIND_INDEX))
            continue;
        unchecked += !change->duplicates;
        if (!change->duplicates)
            continue;
        if (!db_value(ctx, input->db, change->duplicates, NULL, 0, &key))
            return error_wrap(ctx, "looking for rows that %s would refuse", change->name);
        checked++;
        if (!key)
            continue;
        ret->state = GATE_RED;
        ret->text = arena_printf(ctx->arena,
            "%s cannot be unique: rows with the key (%s) are "
            "there more than once",
            change->name, key);
        ret->remedy = arena_printf(ctx->arena, "mend the rows; this finds them: %s%s",
            change->duplicates,
            input->plan->steps.count > 1 && !input->step ? "; meanwhile --step does the other steps"
                                                         : "");
        return true;
    }
    if (unchecked > 0) {
        ret->state = GATE_WARNING;
        ret->text = arena_printf(ctx->arena,
            "%zu unique index%s not checked: functions outside pg_catalog are not run by pgmend; "
            "the build itself refuses duplicates",
            unchecked, unchecked == 1 ? " was" : "es were");
        return true;
    }
    ret->text = checked > 0 ? arena_printf(ctx->arena, "no duplicates for %zu unique index%s",
                                  checked, checked == 1 ? "" : "es")
                            : "no unique index in the plan";
    return true;
}
