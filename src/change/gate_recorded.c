/* Gates that somebody, or a rehearsal, has recorded in pgmend.gate. */
#include "change/gate.h"
#include "change/journal.h"
#include "change/plan.h"
#include "sql.h"

/* What counts for a plan: records of this very plan, and those that name none. */
struct record {
    struct sql_change_gates row; /* the newest that counts; its name is NULL when there is none */
    bool is_of_another;          /* there is one of another plan */
};

static bool
find_record(struct ctx *ctx, const struct gate_input *input, const char *name, struct record *ret)
{
    struct sql_change_gates_rows rows;
    const char *hash = input->plan ? input->plan->hash : NULL;
    bool is_there;

    *ret = (struct record){ 0 };
    if (!journal_is_installed(ctx, input->db, &is_there))
        return false;
    if (!is_there)
        return true;
    if (!sql_change_gates(ctx, input->db, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_change_gates *row = &rows.items[i];

        if (!text_equal(row->name, name))
            continue;
        if (row->plan_hash && !(hash && text_equal(row->plan_hash, hash)))
            ret->is_of_another |= row->passed;
        else if (!ret->row.name || row->id > ret->row.id)
            ret->row = *row;
    }
    return true;
}

static void
judge(struct ctx *ctx, const struct gate_input *input, const struct sql_change_gates *row,
    struct gate_result *ret)
{
    const char *age = text_from_us(ctx->arena, row->age);

    ret->state = GATE_RED;
    if (!row->passed)
        ret->text = arena_printf(ctx->arena, "withdrawn by %s: %s", row->actor, row->note);
    else if (row->age > input->max_age_us)
        ret->text = arena_printf(ctx->arena, "recorded %s ago: too old", age);
    else {
        ret->state = GATE_GREEN;
        ret->text =
            arena_printf(ctx->arena, "recorded %s ago by %s: %s", age, row->actor, row->note);
    }
}

bool
gate_check_recorded(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    struct record record;

    if (!find_record(ctx, input, ret->name, &record))
        return false;
    ret->state = GATE_RED;
    ret->text = "nobody has recorded it";
    if (record.row.name)
        judge(ctx, input, &record.row, ret);
    ret->remedy = arena_printf(
        ctx->arena, "pgmend gate pass %s --note \"who, when, where it can be seen\"", ret->name);
    return true;
}

/* Of a plan: what was recorded of another one says nothing, and is told. */
static bool
check_of_plan(struct ctx *ctx, const struct gate_input *input, const char *nothing,
    const char *another, struct gate_result *ret)
{
    struct record record;

    if (!find_record(ctx, input, ret->name, &record))
        return false;
    ret->state = GATE_RED;
    ret->text = nothing;
    if (record.row.name)
        judge(ctx, input, &record.row, ret);
    else if (record.is_of_another && input->plan && input->plan->hash)
        ret->text = another;
    else if (record.is_of_another)
        ret->text = "a plan was rehearsed: name it to see whether that counts";
    return true;
}

/*
 * Only what is in a file can be rehearsed; "with" is what the rehearsal is given besides. What is decided at the moment
 * when it is done (an index that is needless beside another one) is never in a file.
 */
static const char *
rehearse_remedy(struct ctx *ctx, const struct gate_input *input, const char *with)
{
    if (!*input->plan_from)
        return arena_printf(ctx->arena,
            "it cannot be rehearsed, as no plan of it is written: --override %s --reason TEXT; pgmend "
            "rollback takes it back",
            *with ? "staging" : "rollback");
    return arena_printf(ctx->arena,
        "%s -o change.plan, pgmend rehearse change.plan%s, then pgmend apply change.plan",
        input->plan_from, with);
}

bool
gate_check_rehearsed(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    ret->remedy = input->plan_from ? rehearse_remedy(ctx, input, "")
                                   : "pgmend rehearse, with the same plan or script";
    return check_of_plan(ctx, input, "not rehearsed", "what was rehearsed was another plan", ret);
}

bool
gate_check_staging(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret)
{
    ret->remedy = input->plan_from
                      ? arena_printf(ctx->arena, "%s; or pgmend gate pass staging --note TEXT",
                            rehearse_remedy(ctx, input, " --with-rows"))
                      : "pgmend rehearse PLAN --with-rows (or --staging NAME), or pgmend gate pass "
                        "staging --note \"who, when, where it can be seen\"";
    return check_of_plan(ctx, input, "it has not run on staging, and nobody has recorded it",
        "what ran on staging was another plan", ret);
}
