/* A trigger and its function, made and dropped together, that keep a column true. */
#include "change/judge.h"
#include "change/kind_part.h"
#include "db/ident.h"

/* A trigger as an entry of the journal knows it. */
struct trigger {
    struct change about;
    const char *asked;     /* CREATE TRIGGER as it was sent, */
    const char *made;      /* and as the server writes it */
    const char *signature; /* of its function */
    const char *planned;   /* definition of its function */
    int64_t oid;           /* 0: not known yet */
    bool has_function;     /* its function was there before: it stays */
};

static bool
find_trigger(
    struct ctx *ctx, struct db *db, const struct change *change, struct sql_change_trigger_now *ret)
{
    struct sql_change_trigger_now_rows rows;

    *ret = (struct sql_change_trigger_now){ 0 };
    if (!sql_change_trigger_now(
            ctx, db, &rows, .table_oid = change->table_oid, .name = change->name))
        return false;
    if (rows.count == 1)
        *ret = rows.items[0];
    return true;
}

static bool
read_detail(struct ctx *ctx, const struct journal_entry *entry, struct trigger *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!work_detail(ctx, entry, &json))
        return false;
    *ret = (struct trigger){
        .asked = json_get_text(ctx->arena, json, "asked", ""),
        .made = json_get_text(ctx->arena, json, "made", ""),
        .signature = json_get_text(ctx->arena, json, "signature", ""),
        .planned = json_get_text(ctx->arena, json, "planned", ""),
        .oid = json_get_int(json, "trigger_oid", 0),
        .has_function = json_get_bool(json, "has_function", false),
    };
    work_read_about(ctx, json, &ret->about);
    return true;
}

static const char *
detail_of(struct ctx *ctx, const struct trigger *trigger)
{
    json_t *json CLEANUP(json_release) = work_about(&trigger->about);

    json_object_set_new(json, "asked", json_string(trigger->asked));
    json_object_set_new(json, "signature", json_string(trigger->signature));
    json_object_set_new(json, "planned", json_string(trigger->planned));
    json_object_set_new(json, "has_function", json_boolean(trigger->has_function));
    if (trigger->oid) {
        json_object_set_new(json, "made", json_string(trigger->made));
        json_object_set_new(json, "trigger_oid", json_integer(trigger->oid));
    }
    return json_text(ctx->arena, json);
}

/* The text with one blank for each run of them. */
static const char *
squeeze(struct arena *arena, const char *text)
{
    struct buffer buffer = { .arena = arena };

    for (const char *at = text + strspn(text, " \t\r\n;"); *at;) {
        size_t length = strcspn(at, " \t\r\n;");

        buffer_printf(&buffer, "%s%.*s", buffer.length > 0 ? " " : "", (int)length, at);
        at += length;
        at += strspn(at, " \t\r\n;");
    }
    return buffer_text(&buffer);
}

/* The trigger that stands was made by us from the same words. */
static bool
is_ours(struct ctx *ctx, const struct journal_entries *journal, const struct change *change,
    const struct sql_change_trigger_now *now)
{
    const struct journal_entry *last =
        work_last(journal, KIND_TRIGGER, change_object(ctx->arena, change));
    struct trigger trigger;

    if (!last || !text_equal(last->state, ENTRY_DONE))
        return false;
    if (!read_detail(ctx, last, &trigger)) {
        error_clear(ctx);
        return false;
    }
    return trigger.oid == (int64_t)now->oid && text_equal(trigger.made, now->definition) &&
           text_equal(trigger.asked, change->definition);
}

static bool
judge_there(struct ctx *ctx, const struct journal_entries *journal,
    const struct sql_change_trigger_now *now, const struct routine_trial *trial,
    struct change *change)
{
    bool is_planned =
        text_equal(squeeze(ctx->arena, now->definition), squeeze(ctx->arena, change->definition)) ||
        is_ours(ctx, journal, change, now);

    if (!is_planned || now->function_oid != trial->before.oid ||
        !text_equal(trial->before.definition, trial->planned.definition))
        return change_block(change,
            arena_printf(ctx->arena, "the name is taken by another trigger: %s", now->definition),
            "\"pgmend rollback\" when it is of an earlier run, else drop or rename that one");
    if (!now->is_enabled)
        return change_block(change, "it is there, but disabled",
            arena_printf(ctx->arena, "ALTER TABLE %s ENABLE TRIGGER %s;",
                change_relation(ctx->arena, change), db_ident(ctx->arena, change->name)));
    change->action = ACTION_NONE;
    change->problem = "it is there already, as planned";
    return true;
}

static bool
judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    struct sql_change_table_now table;
    struct sql_change_trigger_now now;
    struct routine_trial trial;
    bool is_good;

    if (!work_find_table(ctx, db, change, &table, &is_good))
        return false;
    if (!is_good)
        return true;
    change->table_oid = table.oid;
    if (!routine_try(ctx, db, change, &trial, &is_good))
        return false;
    if (!is_good)
        return true;
    if (!find_trigger(ctx, db, change, &now))
        return false;
    if (now.oid)
        return judge_there(ctx, journal, &now, &trial, change);
    if (trial.before.oid && !text_equal(trial.before.definition, trial.planned.definition))
        return change_block(change,
            arena_printf(
                ctx->arena, "its function %s is there and is another one", trial.before.signature),
            "drop or rename that one");
    return true;
}

static bool
is_made(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    const struct trigger *trigger = data;
    struct sql_change_trigger_now now;
    struct routine function;

    *ret = false;
    if (!find_trigger(ctx, db, &trigger->about, &now))
        return false;
    if (!now.oid || !now.is_enabled)
        return true;
    if (!routine_load(ctx, db, now.function_oid, &function))
        return false;
    *ret = text_equal(function.definition, trigger->planned);
    return true;
}

static bool
note_made(struct ctx *ctx, struct db *db, struct trigger *trigger)
{
    struct sql_change_trigger_now now;

    if (!find_trigger(ctx, db, &trigger->about, &now))
        return false;
    trigger->oid = now.oid;
    trigger->made = now.definition;
    return true;
}

static bool
apply(struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    struct journal_entry entry;
    struct routine_trial trial;
    struct trigger trigger = { .about = *change, .asked = change->definition };
    struct ddl ddl = {
        .what = arena_printf(ctx->arena, "making %s", change_object(ctx->arena, change)),
        .limit_us = rollout->limits.wait_us,
        .is_done = is_made,
        .data = &trigger,
    };
    bool is_good;

    if (!routine_try(ctx, rollout->db, change, &trial, &is_good))
        return false;
    if (!is_good)
        return error_set(ctx, ERR_STALE, "%s: %s", ret->name, change->problem);
    trigger.signature = trial.planned.signature;
    trigger.planned = trial.planned.definition;
    trigger.has_function = trial.before.oid != 0;
    if (!trigger.has_function)
        text_list_add(ctx->arena, &ddl.statements, change->statement);
    text_list_add(ctx->arena, &ddl.statements, change->definition);
    if (!work_begin(ctx, rollout, change, detail_of(ctx, &trigger), &entry))
        return false;
    if (!ddl_run(ctx, rollout, &ddl, ret) || !note_made(ctx, rollout->db, &trigger))
        return work_fail(ctx, rollout, &entry);
    ret->result = "made";
    return work_succeed(ctx, rollout, &entry, detail_of(ctx, &trigger), ret);
}

static bool
is_dropped(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    const struct trigger *trigger = data;
    struct sql_change_trigger_now now;
    struct routine function = { 0 };

    if (!find_trigger(ctx, db, &trigger->about, &now) ||
        (!trigger->has_function && !routine_find(ctx, db, trigger->signature, &function)))
        return false;
    *ret = !now.oid && !function.oid;
    return true;
}

/* What stands has to be what was made. */
static bool
add_drops(struct ctx *ctx, struct db *db, const struct journal_entry *entry,
    const struct trigger *trigger, struct text_list *ret)
{
    struct sql_change_trigger_now now;
    struct routine function;

    if (!find_trigger(ctx, db, &trigger->about, &now) ||
        !routine_find(ctx, db, trigger->signature, &function))
        return false;
    if (now.oid && (now.oid != trigger->oid || !text_equal(now.definition, trigger->made)))
        return error_set(ctx, ERR_CONFLICT,
            "%s is not the trigger that pgmend made: it was changed since", entry->object);
    if (function.oid && !trigger->has_function &&
        !text_equal(function.definition, trigger->planned))
        return error_set(ctx, ERR_CONFLICT, "the function %s of %s was changed since",
            trigger->signature, entry->object);
    if (now.oid)
        text_list_add(ctx->arena, ret,
            arena_printf(ctx->arena, "DROP TRIGGER %s ON %s",
                db_ident(ctx->arena, trigger->about.name),
                change_relation(ctx->arena, &trigger->about)));
    if (function.oid && !trigger->has_function)
        text_list_add(
            ctx->arena, ret, arena_printf(ctx->arena, "DROP FUNCTION %s", trigger->signature));
    return true;
}

static bool
undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret)
{
    struct trigger trigger;
    struct ddl ddl = {
        .what = arena_printf(ctx->arena, "dropping %s", entry->object),
        .limit_us = rollout->limits.drop_us,
        .is_done = is_dropped,
        .data = &trigger,
    };

    if (!read_detail(ctx, entry, &trigger))
        return false;
    if (!add_drops(ctx, rollout->db, entry, &trigger, &ddl.statements))
        return work_keep(ctx, rollout, entry);
    if (ddl.statements.count == 0)
        return work_undone(ctx, rollout, entry, "was gone already", ret);
    if (!work_undoing(ctx, rollout, entry))
        return false;
    if (!ddl_run(ctx, rollout, &ddl, ret))
        return work_keep(ctx, rollout, entry);
    ret->is_done = true;
    return work_undone(ctx, rollout, entry, "dropped", ret);
}

static bool
heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    struct trigger trigger;
    bool is_there;

    if (!read_detail(ctx, entry, &trigger) || !is_made(ctx, rollout->db, &trigger, &is_there))
        return false;
    if (!is_there)
        return journal_update(ctx, &rollout->journal, entry, ENTRY_FAILED, NULL);
    return note_made(ctx, rollout->db, &trigger) &&
           journal_update(ctx, &rollout->journal, entry, ENTRY_DONE, detail_of(ctx, &trigger));
}

static bool
look(struct ctx *ctx, struct db *db, const struct journal_entry *entry, const char **ret_now)
{
    struct trigger trigger;
    struct sql_change_trigger_now now;
    bool is_there;

    if (!read_detail(ctx, entry, &trigger) || !is_made(ctx, db, &trigger, &is_there) ||
        !find_trigger(ctx, db, &trigger.about, &now))
        return false;
    *ret_now = !now.oid                             ? "missing"
               : !now.is_enabled                    ? "disabled"
               : is_there && now.oid == trigger.oid ? "enabled"
                                                    : "altered since";
    return true;
}

const struct change_kind kind_trigger = {
    .name = KIND_TRIGGER,
    .judge = judge,
    .look = look,
    .apply = apply,
    .undo = undo,
    .heal = heal,
};
