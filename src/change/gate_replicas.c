/* Whether those who follow this server's WAL keep up with it before more is written. */
#include "change/gate.h"
#include "db/ident.h"
#include "sql.h"

/*
 * A standby whose replay stands still keeps telling the last lag that it measured, so bytes count as well: this
 * many are four segments. It says something every 10 s (wal_receiver_status_interval) if all is well.
 */
#define MOST_BEHIND_BYTES INT64_C(67108864)
#define MOST_SILENT_US    INT64_C(60000000)
#define STANDARD_LAG_US   INT64_C(10000000)

/* Of a server that writes little, a lag up to that interval only says when the standby last spoke. */
#define QUIET_BYTES INT64_C(1048576)
#define QUIET_US    INT64_C(10000000)

/* What is wrong with it; NULL: nothing. */
static const char *
judge_receiver(struct arena *arena, const struct sql_change_gate_replicas *row, int64_t most_us)
{
    /* A base backup that is being taken has nothing to replay. */
    if (text_equal(row->state, "backup"))
        return NULL;
    if (!text_equal(row->state, "streaming"))
        return arena_printf(arena, "%s is not in step yet (%s, %s behind)", row->name, row->state,
            text_from_bytes(arena, row->bytes));
    if (row->lag > most_us && (row->bytes > QUIET_BYTES || row->lag > most_us + QUIET_US))
        return arena_printf(arena, "%s is %s behind", row->name, text_from_us(arena, row->lag));
    if (row->bytes > MOST_BEHIND_BYTES)
        return arena_printf(
            arena, "%s is %s of WAL behind", row->name, text_from_bytes(arena, row->bytes));
    if (row->silent > MOST_SILENT_US)
        return arena_printf(
            arena, "%s has not answered for %s", row->name, text_from_us(arena, row->silent));
    return NULL;
}

static const char *
judge_slot(struct arena *arena, const struct sql_change_gate_replicas *row)
{
    if (text_equal(row->state, "lost"))
        return arena_printf(
            arena, "%s has lost WAL that its reader needs: it cannot go on", row->name);
    return arena_printf(arena, "%s is read by nobody and keeps %s of WAL", row->name,
        text_from_bytes(arena, row->bytes));
}

static const char *
judge(struct arena *arena, const struct sql_change_gate_replicas *row, int64_t most_us)
{
    if (text_equal(row->what, "receiver"))
        return judge_receiver(arena, row, most_us);
    if (text_equal(row->what, "slot"))
        return judge_slot(arena, row);
    return arena_printf(
        arena, "commits wait for a synchronous standby (%s), and none is connected", row->name);
}

static void
tell_hidden(struct ctx *ctx, const struct gate_input *input, size_t hidden, struct gate_result *ret)
{
    ret->state = GATE_RED;
    ret->text = arena_printf(ctx->arena, "role %s may not see how far %zu standby%s %s",
        db_user(input->db), hidden, hidden == 1 ? "" : "s", hidden == 1 ? "is" : "are");
    ret->remedy = arena_printf(
        ctx->arena, "GRANT pg_read_all_stats TO %s;", db_ident(ctx->arena, db_user(input->db)));
}

bool
gate_check_replicas(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    struct sql_change_gate_replicas_rows rows;
    struct text_list red = { 0 };
    int64_t most_us = input->max_lag_us > 0 ? input->max_lag_us : STANDARD_LAG_US;
    size_t receivers = 0;
    size_t hidden = 0;

    if (!sql_change_gate_replicas(ctx, input->db, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_change_gate_replicas *row = &rows.items[i];
        bool is_receiver = text_equal(row->what, "receiver");
        bool is_hidden = is_receiver && !row->state;
        const char *wrong = is_hidden ? NULL : judge(ctx->arena, row, most_us);

        receivers += is_receiver;
        hidden += is_hidden;
        if (wrong)
            text_list_add(ctx->arena, &red, wrong);
    }
    ret->state = red.count > 0 ? GATE_RED : GATE_GREEN;
    ret->text = red.count > 0   ? text_list_join(ctx->arena, &red, "; ")
                : receivers > 0 ? arena_printf(ctx->arena, "%zu in step: the limit is %s",
                                      receivers, text_from_us(ctx->arena, most_us))
                                : "there are no standbys and no replication slots that wait";
    ret->remedy = "bring the standby back or wait until it has caught up; drop a slot that nobody "
                  "needs (SELECT pg_drop_replication_slot('NAME')); --max-lag sets the limit";
    if (red.count == 0 && hidden > 0)
        tell_hidden(ctx, input, hidden, ret);
    return true;
}
