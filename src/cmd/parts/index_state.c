#include "cmd/parts/index_state.h"

#include <math.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "cli/out.h"
#include "sql.h"

/* initdb is a little earlier than the first start. */
enum { FIRST_START_US = 60000000 };

bool
index_state_roll(struct ctx *ctx, struct run *run, struct plan *plan,
    const struct roll_out_options *options, const char *output)
{
    if (!output)
        return db_require_direct(ctx, run->db) && roll_out(ctx, run, plan, options);
    if (!plan_write(ctx, output, plan))
        return false;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) =
            json_pack("{s:s, s:o}", "file", output, "plan", plan_json(plan));

        out_json(run->out, json);
        return true;
    }
    print_plan(ctx, run->out, plan, false);
    fprintf(run->out, "Written to %s; nothing was changed.\n", output);
    out_next(run->out, "pgmend rehearse %s, then pgmend apply %s", text_shell(ctx->arena, output),
        text_shell(ctx->arena, output));
    return true;
}

static bool
record_all(struct ctx *ctx, struct rollout *rollout, struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct rollout_outcome outcome;

        if (interrupt_signal())
            return interrupt_error(ctx, interrupt_signal());
        if (!rollout_create(ctx, rollout, &plan->items[i], &outcome))
            return false;
    }
    return true;
}

bool
index_state_record(struct ctx *ctx, struct run *run, struct plan *plan)
{
    struct screen *screen = screen_new(ctx->arena);
    struct rollout_observer observer = screen_observer(screen);
    struct rollout rollout CLEANUP(rollout_close) = { 0 };
    const struct journal_run about = {
        .command = run->command->path,
        .plan_hash = plan->hash,
        .state_dir = run->global->state_dir,
    };
    bool is_good =
        db_require_direct(ctx, run->db) && rollout_open(ctx, run->db, &about, &observer, &rollout);

    screen_end(screen);
    if (!is_good)
        return false;
    is_good = rollout_heal(ctx, &rollout) && record_all(ctx, &rollout, plan);
    screen_end(screen);
    return end_run(ctx, &rollout, is_good);
}

int32_t
index_state_unknown_standbys(const struct index_states *states, size_t replicas)
{
    int32_t unknown = states->connected - (int32_t)replicas;

    return unknown > 0 ? unknown : 0;
}

void
index_state_print_servers(
    struct ctx *ctx, FILE *out, const struct index_states *states, size_t replicas)
{
    int32_t unknown = index_state_unknown_standbys(states, replicas);

    for (size_t i = 0; i < states->servers.count; i++) {
        const struct index_server *server = &states->servers.items[i];

        out_mark_line(out, server->since_us < 0 || !server->is_counting ? MARK_WARN : MARK_INFO,
            "%s%s: %s", server->label, server->is_standby ? ", standby" : "",
            index_server_since(ctx->arena, server));
        if (server->since_us >= 0 && server->started_us > server->since_us + FIRST_START_US)
            fprintf(out, "      started %s; a clean restart keeps the counters\n",
                clock_text(ctx->arena, server->started_us));
    }
    if (states->servers.count > 0 && states->servers.items[0].is_standby)
        out_mark_line(out, MARK_WARN,
            "this is a standby: its primary was not asked, and what is unused here may serve there; "
            "ask the primary, with --replica URL for this one");
    if (unknown > 0)
        out_mark_line(out, MARK_WARN,
            "%d standby%s connected and not named: what is unused here may serve there "
            "(--replica URL)",
            (int)unknown, unknown == 1 ? " is" : "s are");
}

json_t *
index_state_servers_json(struct ctx *ctx, const struct index_states *states)
{
    json_t *array = json_array();

    for (size_t i = 0; i < states->servers.count; i++) {
        const struct index_server *server = &states->servers.items[i];

        json_array_append_new(array,
            json_pack("{s:s, s:b, s:b, s:s?, s:s}", "server", server->label, "is_standby",
                (int)server->is_standby, "is_counting", (int)server->is_counting, "counts_since",
                server->since_us < 0 ? NULL : clock_text(ctx->arena, server->since_us),
                "started_at", clock_text(ctx->arena, server->started_us)));
    }
    return array;
}

const char *
index_state_percent(struct arena *arena, double ratio)
{
    if (isnan(ratio))
        return "";
    return arena_printf(arena, ratio < .0995 ? "%.1f %%" : "%.0f %%", ratio * 100);
}

bool
index_state_is_of(const struct index_state *index, const char *table)
{
    const char *dot;
    size_t length;

    if (!table || text_equal(table, index->row->table_name) ||
        index_state_is_called(index->relation, table))
        return true;
    dot = strchr(table, '.');
    length = dot ? (size_t)(dot - table) : 0;
    return dot && strlen(index->row->table_schema) == length &&
           strncmp(index->row->table_schema, table, length) == 0 &&
           text_equal(index->row->table_name, dot + 1);
}
