/* Making or replacing a function, and giving back the one that was there before. */
#include "change/judge.h"
#include "change/kind_part.h"
#include "db/ident.h"

/* A function as an entry of the journal knows it. */
struct function {
    struct change about;
    const char *signature;
    const char *planned; /* definition */
    const char *before;  /* definition, or NULL */
    const char *rights;  /* JSON array of statements for the one before */
    bool has_to_drop;
};

static bool
read_detail(struct ctx *ctx, const struct journal_entry *entry, struct function *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!work_detail(ctx, entry, &json))
        return false;
    *ret = (struct function){
        .signature = json_get_text(ctx->arena, json, "signature", entry->object),
        .planned = json_get_text(ctx->arena, json, "planned", ""),
        .before = json_get_text(ctx->arena, json, "before", NULL),
        .rights = json_get_text(ctx->arena, json, "rights", "[]"),
        .has_to_drop = json_get_bool(json, "has_to_drop", false),
    };
    work_read_about(ctx, json, &ret->about);
    return true;
}

static const char *
detail_of(struct ctx *ctx, const struct function *function)
{
    json_t *json CLEANUP(json_release) = work_about(&function->about);

    json_object_set_new(json, "signature", json_string(function->signature));
    json_object_set_new(json, "planned", json_string(function->planned));
    if (function->before) {
        json_object_set_new(json, "before", json_string(function->before));
        json_object_set_new(json, "rights", json_string(function->rights));
        json_object_set_new(json, "has_to_drop", json_boolean(function->has_to_drop));
    }
    return json_text(ctx->arena, json);
}

/* Whether an entry that stands has made exactly this definition. */
static bool
is_ours(struct ctx *ctx, const struct journal_entries *journal, const char *object,
    const char *definition)
{
    for (size_t i = 0; i < journal->count; i++) {
        const struct journal_entry *entry = &journal->items[i];
        struct function function;

        if (!text_equal(entry->kind, KIND_FUNCTION) || !text_equal(entry->object, object) ||
            !text_equal(entry->state, ENTRY_DONE))
            continue;
        if (!read_detail(ctx, entry, &function)) {
            error_clear(ctx);
            continue;
        }
        if (text_equal(function.planned, definition))
            return true;
    }
    return false;
}

/* Two functions that one call may mean: the wrong one answers, or none ("is not unique"). */
static bool
block_for_rivals(struct ctx *ctx, struct change *change, const struct text_list *rivals)
{
    struct text_list drops = { 0 };

    for (size_t i = 0; i < rivals->count; i++)
        text_list_add(
            ctx->arena, &drops, arena_printf(ctx->arena, "DROP ROUTINE %s;", rivals->items[i]));
    return change_block(change,
        arena_printf(ctx->arena, "%s %s there too: the same calls may mean %s, or be ambiguous",
            text_list_join(ctx->arena, rivals, ", "), rivals->count > 1 ? "stand" : "stands",
            rivals->count > 1 ? "them" : "it"),
        arena_printf(ctx->arena, "rename or drop what is in the way (%s) or choose another schema",
            text_list_join(ctx->arena, &drops, " ")));
}

static bool
judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    struct routine_trial trial;
    bool is_good;

    if (!routine_try(ctx, db, change, &trial, &is_good))
        return false;
    if (!is_good)
        return true;
    if (trial.rivals.count > 0)
        return block_for_rivals(ctx, change, &trial.rivals);
    if (!trial.before.oid)
        return true;
    if (text_equal(trial.before.definition, trial.planned.definition)) {
        change->action = ACTION_NONE;
        change->problem = "it is there already, as planned";
        return true;
    }
    if (trial.before.extension)
        return change_block(change,
            arena_printf(ctx->arena, "%s belongs to the extension %s", trial.before.signature,
                trial.before.extension),
            "choose another schema");
    if (is_ours(ctx, journal, change_object(ctx->arena, change), trial.before.definition))
        return true;
    change->needs_consent = true;
    change->problem = "a function of this name is there that pgmend did not make";
    change->remedy = arena_printf(ctx->arena, "allow it with --replace-function %s", change->name);
    return true;
}

static bool
is_defined_as(
    struct ctx *ctx, struct db *db, const char *signature, const char *definition, bool *ret)
{
    struct routine now;

    if (!routine_find(ctx, db, signature, &now))
        return false;
    *ret = text_equal(now.definition, definition);
    return true;
}

static bool
is_made(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    const struct function *function = data;

    return is_defined_as(ctx, db, function->signature, function->planned, ret);
}

static bool
is_undone(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    const struct function *function = data;

    return is_defined_as(ctx, db, function->signature, function->before, ret);
}

static bool
add_rights(struct ctx *ctx, const char *rights, struct ddl *ddl)
{
    json_t *json CLEANUP(json_release) = NULL;
    size_t i;
    const json_t *line;

    if (!json_parse(ctx, "rights", rights, &json))
        return false;
    json_array_foreach(json, i, line)
    {
        if (json_is_string(line))
            text_list_add(
                ctx->arena, &ddl->statements, arena_strdup(ctx->arena, json_string_value(line)));
    }
    return true;
}

static void
add_drop(struct ctx *ctx, const struct function *function, struct ddl *ddl)
{
    text_list_add(ctx->arena, &ddl->statements,
        arena_printf(ctx->arena, "DROP ROUTINE %s", function->signature));
}

static bool
apply(struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    struct journal_entry entry;
    struct routine_trial trial;
    struct function function = {
        .about = *change,
        .signature = change_object(ctx->arena, change),
    };
    struct ddl ddl = {
        .what = arena_printf(ctx->arena, "making %s", change_object(ctx->arena, change)),
        .limit_us = rollout->limits.wait_us,
        .is_done = is_made,
        .data = &function,
    };
    bool is_good;

    if (!routine_try(ctx, rollout->db, change, &trial, &is_good))
        return false;
    if (!is_good)
        return error_set(ctx, ERR_STALE, "%s: %s", ret->name, change->problem);
    function.planned = trial.planned.definition;
    function.before = trial.before.definition;
    function.rights = trial.before.rights;
    function.has_to_drop = trial.has_to_drop;
    if (trial.has_to_drop)
        add_drop(ctx, &function, &ddl);
    text_list_add(ctx->arena, &ddl.statements, change->statement);
    if (trial.has_to_drop && !add_rights(ctx, function.rights, &ddl))
        return false;
    if (!work_begin(ctx, rollout, change, detail_of(ctx, &function), &entry))
        return false;
    if (!ddl_run(ctx, rollout, &ddl, ret))
        return work_fail(ctx, rollout, &entry);
    ret->result = function.before ? "replaced" : "made";
    return work_succeed(ctx, rollout, &entry, NULL, ret);
}

/* Gives back what was there, or takes away what is ours. */
static bool
go_back(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    const struct function *function, struct rollout_outcome *ret)
{
    struct ddl ddl = {
        .what = arena_printf(ctx->arena, "undoing %s", entry->object),
        .limit_us = rollout->limits.drop_us,
        .is_done = is_undone,
        .data = function,
    };

    /* What it calls may be gone by now; it was good when it was made. */
    text_list_add(ctx->arena, &ddl.statements, "SET LOCAL check_function_bodies = off");
    if (!function->before || function->has_to_drop)
        add_drop(ctx, function, &ddl);
    if (function->before)
        text_list_add(ctx->arena, &ddl.statements, function->before);
    if (function->before && function->has_to_drop && !add_rights(ctx, function->rights, &ddl))
        return false;
    if (!work_undoing(ctx, rollout, entry))
        return false;
    if (!ddl_run(ctx, rollout, &ddl, ret))
        return work_keep(ctx, rollout, entry);
    ret->is_done = true;
    return work_undone(
        ctx, rollout, entry, function->before ? "back to what it was before" : "dropped", ret);
}

static bool
undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret)
{
    struct function function;
    struct routine now;

    if (!read_detail(ctx, entry, &function) ||
        !routine_find(ctx, rollout->db, function.signature, &now))
        return false;
    if (text_equal(now.definition, function.before))
        return work_undone(
            ctx, rollout, entry, now.oid ? "was undone already" : "was gone already", ret);
    if (!text_equal(now.definition, function.planned)) {
        error_set(ctx, ERR_CONFLICT, "%s is not the function that pgmend made: it was %s since",
            entry->object, now.oid ? "changed" : "dropped");
        return work_keep(ctx, rollout, entry);
    }
    return go_back(ctx, rollout, entry, &function, ret);
}

static bool
heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    struct function function;
    bool is_there;

    if (!read_detail(ctx, entry, &function) || !is_made(ctx, rollout->db, &function, &is_there))
        return false;
    return journal_update(
        ctx, &rollout->journal, entry, is_there ? ENTRY_DONE : ENTRY_FAILED, NULL);
}

static bool
look(struct ctx *ctx, struct db *db, const struct journal_entry *entry, const char **ret_now)
{
    struct function function;
    struct routine now;

    if (!read_detail(ctx, entry, &function) || !routine_find(ctx, db, function.signature, &now))
        return false;
    *ret_now = !now.oid                                       ? "missing"
               : text_equal(now.definition, function.planned) ? "there"
                                                              : "altered since";
    return true;
}

const struct change_kind kind_function = {
    .name = KIND_FUNCTION,
    .judge = judge,
    .look = look,
    .apply = apply,
    .undo = undo,
    .heal = heal,
};
