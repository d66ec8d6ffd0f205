/* Which gates there are, and which feature answers for them. */
#include "backup/backup.h"
#include "change/gate.h"
#include "change/plan.h"
#include "cmd/parts/gate_monitor.h"
#include "cmd/parts/rehearsal_record.h"

static bool
check_backup(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    struct backup_info info;
    const char *why_not = NULL;

    ret->remedy = "pgmend backup create, then pgmend backup verify";
    if (backup_find_verified(
            ctx, input->backup_dir, input->db, input->max_age_us, &info, &why_not)) {
        ret->state = GATE_GREEN;
        ret->text = arena_printf(ctx->arena, "%s, restored and compared; restore takes %s",
            info.name, text_from_us(ctx->arena, info.restore_us));
        return true;
    }
    ret->text = why_not;
    return why_not != NULL;
}

/* A run on staging still counts when the database has grown since, but its times and sizes do not. */
static bool
check_staging(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    const char *grown = NULL;

    if (!gate_check_staging(ctx, input, ret))
        return false;
    if (ret->state != GATE_GREEN || !input->plan || !input->plan->hash)
        return true;
    if (!rehearsal_is_outgrown(ctx, input->db, input->plan->hash, &grown))
        return false;
    if (grown) {
        ret->state = GATE_WARNING;
        ret->text = arena_printf(ctx->arena, "%s; %s", ret->text, grown);
    }
    return true;
}

/* In the order in which people make them green; the live ones can turn red while a plan is applied. */
const struct gate gates[] = {
    { .name = "backup", .title = "verified backup", .check = check_backup },
    { .name = "staging", .title = "run on staging", .is_recorded = true, .check = check_staging },
    { .name = "rollback", .title = "rollback rehearsed", .check = gate_check_rehearsed },
    { .name = "monitoring",
        .title = "traffic is monitored",
        .is_recorded = true,
        .is_live = true,
        .check = gate_check_monitoring },
    { .name = "alerts", .title = "no critical alert", .is_live = true, .check = gate_check_alerts },
    { .name = "team", .title = "team told", .is_recorded = true, .check = gate_check_recorded },
    { .name = "window",
        .title = "time of low traffic",
        .is_live = true,
        .check = gate_check_window },
    { .name = "replicas",
        .title = "replicas in step",
        .is_live = true,
        .check = gate_check_replicas },
    { .name = "sessions",
        .title = "no old transactions",
        .is_live = true,
        .check = gate_check_sessions },
    { .name = "duplicates",
        .title = "rows fit unique indexes",
        .is_hard = true,
        .check = gate_check_duplicates },
    { .name = "data", .title = "room for data", .is_live = true, .check = gate_check_data_room },
    { .name = "wal",
        .title = "room for WAL",
        .is_hard = true,
        .is_live = true,
        .check = gate_check_wal_room },
    { .name = NULL },
};
