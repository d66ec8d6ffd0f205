/* A value that pgmend keeps by name, so that later runs know what is installed. */
#include "change/judge.h"
#include "change/kind_part.h"

static bool
read_value(struct ctx *ctx, struct db *db, const char *name, const char **ret)
{
    struct sql_change_value_rows rows;

    *ret = NULL;
    if (!sql_change_value(ctx, db, &rows, .name = name))
        return error_wrap(ctx, "reading what pgmend keeps under %s", name);
    if (rows.count == 1)
        *ret = rows.items[0].value;
    return true;
}

/* Two values are equal by what they say, not by how they are written. */
static bool
is_same(struct ctx *ctx, const char *a, const char *b)
{
    json_t *left CLEANUP(json_release) = NULL;
    json_t *right CLEANUP(json_release) = NULL;

    if (!a || !b)
        return a == b;
    if (json_parse(ctx, "value", a, &left) && json_parse(ctx, "value", b, &right))
        return json_equal(left, right);
    error_clear(ctx);
    return text_equal(a, b);
}

static bool
judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    const char *value;
    json_t *json CLEANUP(json_release) = NULL;

    (void)journal;
    if (!json_parse(ctx, change->name, change->definition, &json)) {
        const char *problem = ctx->error.message;

        error_clear(ctx);
        return change_block(change, problem, NULL);
    }
    if (!read_value(ctx, db, change->name, &value))
        return false;
    if (is_same(ctx, value, change->definition)) {
        change->action = ACTION_NONE;
        change->problem = "it is recorded already";
    }
    return true;
}

/* Puts value, or with NULL takes away what is there, and looks whether it is so. */
static bool
put(struct ctx *ctx, struct rollout *rollout, const char *name, const char *value)
{
    const char *now;

    if (value ? !sql_change_put_value(ctx, rollout->db, .name = name, .value = value)
              : !sql_change_delete_value(ctx, rollout->db, .name = name))
        return false;
    if (!read_value(ctx, rollout->db, name, &now))
        return false;
    if (is_same(ctx, now, value))
        return true;
    return error_set(ctx, ERR_VERIFICATION, "what was recorded under %s is not there", name);
}

static bool
apply(struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    struct journal_entry entry;
    const char *before;
    json_t *json CLEANUP(json_release) = work_about(change);

    if (!journal_install(ctx, rollout->db) || !read_value(ctx, rollout->db, change->name, &before))
        return error_state(ctx, "%s was not begun.", ret->name);
    json_object_set_new(json, "value", json_string(change->definition));
    json_object_set_new(json, "before", before ? json_string(before) : json_null());
    if (!work_begin(ctx, rollout, change, json_text(ctx->arena, json), &entry))
        return false;
    if (!put(ctx, rollout, change->name, change->definition))
        return work_fail(ctx, rollout, &entry);
    ret->result = "recorded";
    return work_succeed(ctx, rollout, &entry, NULL, ret);
}

struct record {
    const char *name;
    const char *value;
    const char *before;
    const char *now;
};

static bool
read_record(struct ctx *ctx, struct db *db, const struct journal_entry *entry, struct record *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!work_detail(ctx, entry, &json))
        return false;
    *ret = (struct record){
        .name = json_get_text(ctx->arena, json, "name", entry->object),
        .value = json_get_text(ctx->arena, json, "value", NULL),
        .before = json_get_text(ctx->arena, json, "before", NULL),
    };
    return read_value(ctx, db, ret->name, &ret->now);
}

static bool
undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret)
{
    struct record record;

    if (!read_record(ctx, rollout->db, entry, &record))
        return false;
    if (is_same(ctx, record.now, record.before))
        return work_undone(ctx, rollout, entry, "was undone already", ret);
    if (!is_same(ctx, record.now, record.value)) {
        error_set(ctx, ERR_CONFLICT, "%s was recorded anew since", entry->object);
        return work_keep(ctx, rollout, entry);
    }
    if (!work_undoing(ctx, rollout, entry))
        return false;
    if (!put(ctx, rollout, record.name, record.before))
        return work_keep(ctx, rollout, entry);
    ret->is_done = true;
    return work_undone(ctx, rollout, entry,
        record.before ? "back to the value before" : "no longer recorded", ret);
}

static bool
heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    struct record record;

    if (!read_record(ctx, rollout->db, entry, &record))
        return false;
    return journal_update(ctx, &rollout->journal, entry,
        is_same(ctx, record.now, record.value) ? ENTRY_DONE : ENTRY_FAILED, NULL);
}

static bool
look(struct ctx *ctx, struct db *db, const struct journal_entry *entry, const char **ret_now)
{
    struct record record;

    if (!read_record(ctx, db, entry, &record))
        return false;
    *ret_now = !record.now                              ? "missing"
               : is_same(ctx, record.now, record.value) ? "recorded"
                                                        : "altered since";
    return true;
}

const struct change_kind kind_record = {
    .name = KIND_RECORD,
    .judge = judge,
    .look = look,
    .apply = apply,
    .undo = undo,
    .heal = heal,
};
