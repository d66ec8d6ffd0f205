#include "cmd/parts/gate_monitor.h"

#include "base/clock.h"
#include "base/file.h"
#include "change/journal.h"
#include "monitor/calm.h"
#include "monitor/plain.h"
#include "sql.h"

enum { FRESH_US = 120000000 };

/* What cannot be read is as if no monitor had run: it begins a new file too. */
static bool
look_into_folder(struct ctx *ctx, struct db *db, const char *state_dir, struct sighting *ret)
{
    const char *path = file_join(ctx->arena, state_dir, CALM_FILE);
    struct calms calms = { .arena = ctx->arena };
    json_t *json CLEANUP(json_release) = NULL;
    const struct calm *calm;
    const char *cluster;

    if (!journal_system_identifier(ctx, db, &cluster))
        return false;
    if (!file_exists(path))
        return true;
    if (json_read_file(ctx, path, &json))
        calm_restore(&calms, json_object_get(json, "calm"));
    else
        error_clear(ctx);
    calm = calm_find(&calms, cluster, db_name(db));
    if (!calm)
        return true;
    *ret = (struct sighting){
        .is_seen = true,
        .age_us = clock_wall_us() - calm->seen_wall_us,
        .by = "a monitor with this state folder",
        .knows_alerts = true,
        .is_alarming = calm->since_wall_us == 0,
        .alert = plain_text(ctx->arena, calm->last),
        .calm_us = calm->since_wall_us ? calm->seen_wall_us - calm->since_wall_us : 0,
    };
    /* What was seen in the future was seen by another clock. */
    ret->is_fresh = ret->age_us < FRESH_US && ret->age_us > -FRESH_US;
    if (ret->age_us < 0)
        ret->age_us = 0;
    return true;
}

bool
sighting_find(struct ctx *ctx, struct db *db, const char *state_dir, struct sighting *ret)
{
    struct sql_change_gate_monitored_rows rows;

    *ret = (struct sighting){ 0 };
    if (state_dir && !look_into_folder(ctx, db, state_dir, ret))
        return false;
    if (ret->is_fresh)
        return true;
    if (!sql_change_gate_monitored(ctx, db, &rows))
        return false;
    if (rows.count == 0 || (ret->is_seen && rows.items[0].age > ret->age_us))
        return true;
    /* What the folder says of alerts is older than this, and so nothing any more. */
    *ret = (struct sighting){
        .is_seen = true,
        .is_fresh = rows.items[0].age < FRESH_US && rows.items[0].age > -FRESH_US,
        .age_us = rows.items[0].age > 0 ? rows.items[0].age : 0,
        .by = arena_printf(ctx->arena, "the monitor that stores here as \"%s\"",
            plain_text(ctx->arena, rows.items[0].server)),
    };
    return true;
}

bool
gate_check_monitoring(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    struct sighting sighting;

    if (!sighting_find(ctx, input->db, input->state_dir, &sighting))
        return false;
    if (sighting.is_fresh) {
        ret->state = GATE_GREEN;
        ret->text = arena_printf(ctx->arena, "seen %s ago by %s",
            text_from_us(ctx->arena, sighting.age_us), sighting.by);
        return true;
    }
    if (!gate_check_recorded(ctx, input, ret))
        return false;
    if (ret->state == GATE_GREEN)
        return true;
    if (sighting.is_seen)
        ret->text = arena_printf(ctx->arena, "last seen %s ago by %s",
            text_from_us(ctx->arena, sighting.age_us), sighting.by);
    else if (text_equal(ret->text, "nobody has recorded it"))
        ret->text = "no monitor watches it from here, and nobody has recorded another";
    ret->remedy = "pgmend monitor (and leave it running), or, where another tool watches, pgmend "
                  "gate pass monitoring --note \"who, when, where it can be seen\"";
    return true;
}

bool
gate_check_alerts(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    struct sighting sighting;

    if (!sighting_find(ctx, input->db, input->state_dir, &sighting))
        return false;
    ret->state = GATE_WARNING;
    ret->text = "not known: no monitor with this state folder watches it now";
    ret->remedy = "pgmend monitor";
    if (!sighting.is_fresh || !sighting.knows_alerts)
        return true;
    if (!sighting.is_alarming) {
        ret->state = GATE_GREEN;
        ret->text = arena_printf(ctx->arena, "no critical alert fires, since %s",
            text_from_us(ctx->arena, sighting.calm_us));
        return true;
    }
    ret->state = GATE_RED;
    ret->text = arena_printf(ctx->arena, "a critical alert fires: %s", sighting.alert);
    ret->remedy = "see docs/monitoring_playbook.md for this alert, and go on when it is over";
    return true;
}
