/* Settings of server, tables and roles, as the doctor advises them. What needs a restart is for people to do. */
#include <math.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "change/judge.h"
#include "cmd/collect/collect.h"
#include "db/ident.h"
#include "monitor/doctor/doctor.h"
#include "monitor/doctor/facts.h"
#include "monitor/plain.h"
#include "monitor/watch/look.h"

enum { BETWEEN_LOOKS_US = 1000000 };

static const enum collector_id rates[] = { COLLECT_SERVER, COLLECT_DATABASE, COLLECT_STATEMENT,
    COLLECT_STATEMENTS_INFO, COLLECT_CHECKPOINT, COLLECT_WAL };

static bool
look_around(struct ctx *ctx, struct db *db, struct look *look, struct doctor_facts *facts)
{
    struct watched *server = look_server(look);

    if (!look_ask(ctx, look, NULL, 0) || !doctor_ask(ctx, db, facts))
        return false;
    doctor_see_machine(ctx->arena, server, facts);
    if (!look_ask(ctx, look, rates, COUNT_OF(rates)))
        return false;
    if (!clock_sleep_us(BETWEEN_LOOKS_US))
        return interrupt_error(ctx, interrupt_signal());
    if (!look_ask(ctx, look, rates, COUNT_OF(rates)))
        return false;
    server->facts = facts;
    return true;
}

static const char *
title_of(struct arena *arena, const struct setting_advice *advice)
{
    const char *whose = "";

    if (advice->table)
        whose = arena_printf(arena, " of %s", db_qualified(arena, advice->schema, advice->table));
    else if (advice->role)
        whose = arena_printf(arena, " of role %s", db_ident(arena, advice->role));
    return arena_printf(arena, "set %s%s to %s", advice->name, plain_text(arena, whose),
        plain_text(arena, advice->better));
}

static const char *
why_of(struct arena *arena, const struct setting_advice *advice)
{
    return arena_printf(
        arena, "now %s; %s", plain_text(arena, advice->now), plain_text(arena, advice->why));
}

static void
add_restart(struct arena *arena, const struct setting_advice *advice, struct collected *ret)
{
    collected_manual(arena, ret,
        &(const struct plan_step){
            .phase = 4,
            .title = title_of(arena, advice),
            .feature = "settings",
            .why = why_of(arena, advice),
            .gain_ratio = NAN,
            .risk = "high",
            .manual = arena_printf(
                arena, "%s; then restart the server", plain_text(arena, advice->change)),
            .undo =
                arena_printf(arena, "%s; then restart the server", plain_text(arena, advice->undo)),
        });
}

static bool
add_change(struct ctx *ctx, const struct collect_input *input,
    const struct journal_entries *journal, const struct setting_advice *advice,
    struct collected *ret)
{
    struct plan plan = { 0 };
    struct collected_step *step;
    struct change change = {
        .kind = KIND_SETTING,
        .schema = advice->schema,
        .table = advice->table,
        .table_oid = advice->table_oid,
        .role = advice->role,
        .name = advice->name,
        .definition = advice->better,
        .undo = advice->undo,
        .reason = advice->why,
        .source = "pgmend doctor",
        .action = ACTION_CREATE,
    };

    change_compose(ctx->arena, &change);
    if (!change_judge(ctx, input->db, journal, &change))
        return error_wrap(ctx, "planning %s", advice->name);
    if (change.action == ACTION_BLOCKED) {
        collected_note(ctx->arena, ret, "settings: %s: %s; %s.", advice->name, change.problem,
            change.remedy ? change.remedy : "left out");
        return true;
    }
    VEC_PUSH(ctx->arena, &plan, change);
    if (!collected_take(ctx->arena, ret, &plan, 0, &plan))
        return true;
    step = collected_add(ctx->arena, ret, &plan);
    step->step.phase = 4;
    step->step.title = title_of(ctx->arena, advice);
    step->step.feature = "settings";
    step->step.why = why_of(ctx->arena, advice);
    return true;
}

static bool
add_all(struct ctx *ctx, const struct collect_input *input, const struct watched *server,
    struct collected *ret)
{
    struct setting_advices advices = { 0 };
    struct journal_entries journal;

    if (!journal_load(ctx, input->db, &journal))
        return false;
    doctor_settings(ctx->arena, server, &advices);
    for (size_t i = 0; i < advices.count; i++) {
        if (advices.items[i].needs_restart)
            add_restart(ctx->arena, &advices.items[i], ret);
        else if (!add_change(ctx, input, &journal, &advices.items[i], ret))
            return false;
    }
    for (size_t i = 0; i < advices.notes.count; i++)
        collected_note(ctx->arena, ret, "settings: %s", advices.notes.items[i]);
    return true;
}

bool
collect_settings(struct ctx *ctx, const struct collect_input *input, struct collected *ret)
{
    struct look *look CLEANUP(look_cleanup) = NULL;
    struct doctor_facts facts = { 0 };

    return look_open(ctx, input->db, HOST_AUTO, &look) &&
           look_around(ctx, input->db, look, &facts) && add_all(ctx, input, look_server(look), ret);
}
