#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/out.h"
#include "cmd/parts/roll_out.h"
#include "staging/schema_copy.h"

struct options {
    const char *scratch_template;
    const char *bin_dir;
};

static const struct field options[] = {
    FIELD(struct options, scratch_template, .arg = "DATABASE",
        .help = "make the scratch database from this one, which has the extensions "
                "(for roles that may not create them)"),
    FIELD(struct options, bin_dir, .arg = "DIR", .help = "folder of pg_dump and pg_restore"),
};

struct rehearsal {
    struct rollout rollout;
    struct screen *screen;
    size_t built;
    size_t undone;
};

/* Tables have other OIDs in the copy; everything else of the change is the same. */
static bool
find_in_copy(struct ctx *ctx, struct db *db, struct change *change)
{
    const char *oid;
    const char *params[] = { change_relation(ctx->arena, change) };
    int64_t number = 0;

    if (!change->table)
        return true;
    if (!db_value(ctx, db, "SELECT pg_catalog.to_regclass($1)::pg_catalog.oid", params, 1, &oid))
        return false;
    if (!oid || !text_to_int64(oid, &number))
        return error_set(ctx, ERR_FAILED, "table %s is not in the copy", params[0]);
    change->table_oid = (uint32_t)number;
    return true;
}

static bool
build_all(struct ctx *ctx, struct rehearsal *rehearsal, const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct change change = plan->items[i];
        struct rollout_outcome outcome;

        if (!change_is_pending(&change))
            continue;
        /* The copy's journal is empty: it does not know what is our own. */
        change.has_consent = true;
        if (!find_in_copy(ctx, rehearsal->rollout.db, &change) ||
            !rollout_create(ctx, &rehearsal->rollout, &change, &outcome))
            return error_wrap(ctx, "rehearsing %s", change.name);
        if (!outcome.is_done && !change_is_of(&change, KIND_INDEX))
            continue;
        if (!outcome.is_done)
            return error_set(
                ctx, ERR_VERIFICATION, "%s was not built: %s", change.name, outcome.result);
        rehearsal->built++;
    }
    return true;
}

static bool
undo_all(struct ctx *ctx, struct rehearsal *rehearsal)
{
    struct journal_entries entries;

    if (!journal_load(ctx, rehearsal->rollout.db, &entries))
        return false;
    for (size_t i = entries.count; i-- > 0;) {
        struct rollout_outcome outcome;

        if (!text_equal(entries.items[i].state, ENTRY_DONE))
            continue;
        if (!rollout_undo(ctx, &rehearsal->rollout, &entries.items[i], &outcome))
            return error_wrap(ctx, "rehearsing the rollback");
        rehearsal->undone++;
    }
    return true;
}

/* Where the plan's indexes already stood, the copy has them too: only what is pending is built. */
static bool
apply_and_undo(
    struct ctx *ctx, struct db *copy, const struct plan *plan, struct rehearsal *rehearsal)
{
    const char *folder = getenv("TMPDIR");
    const char *state_dir = arena_printf(ctx->arena, "%s/pgmend-rehearsal-%s",
        text_is_empty(folder) ? "/tmp" : folder, random_hex(ctx->arena, 8));
    const struct journal_run about = {
        .command = "rehearse", .plan_hash = plan->hash, .state_dir = state_dir
    };
    struct rollout_observer observer = screen_observer(rehearsal->screen);
    bool is_good = file_make_folder(ctx, state_dir) &&
                   rollout_open(ctx, copy, &about, &observer, &rehearsal->rollout);

    is_good = is_good && build_all(ctx, rehearsal, plan) && undo_all(ctx, rehearsal);
    screen_end(rehearsal->screen);
    rollout_close(&rehearsal->rollout);

    struct error why = ctx->error;

    /* The copy's journal is gone with the copy; a leftover of it would only confuse. */
    if (!file_remove(ctx, state_dir))
        log_debug("%s", ctx->error.message);
    ctx->error = why;
    return is_good;
}

static bool
rehearse(struct ctx *ctx, struct run *run, const struct dump_tools *tools, const struct plan *plan,
    struct rehearsal *rehearsal)
{
    const struct options *opts = run->options;
    struct scratch scratch CLEANUP(scratch_drop) = { 0 };
    struct db *copy CLEANUP(db_cleanup) = NULL;
    const char *before;
    const char *after;

    if (!schema_copy_create(ctx, run->db, tools, opts->scratch_template, &scratch))
        return false;

    struct db_options open = { .database = scratch.name, .access = ACCESS_WRITE };

    if (!schema_copy_dump(ctx, run->db, tools, scratch.name, &before) ||
        !db_open_like(ctx, run->db, &open, &copy) || !apply_and_undo(ctx, copy, plan, rehearsal) ||
        !schema_copy_dump(ctx, run->db, tools, scratch.name, &after))
        return false;
    if (text_equal(before, after))
        return true;
    return error_set(
        ctx, ERR_VERIFICATION, "after the rollback the copy's schema is not what it was before");
}

static bool
report(struct ctx *ctx, struct run *run, const struct plan *plan, const struct rehearsal *done)
{
    const char *verb = plan_is_of_indexes(plan) ? "built" : "done";
    const char *note = arena_printf(ctx->arena, "%zu %s and %zu undone on a copy of the schema",
        done->built, verb, done->undone);

    if (!gate_record(ctx, run->db, "rollback", true, note, plan->hash))
        return error_state(ctx, "The rehearsal went well but could not be recorded.");
    if (run->global->json) {
        json_t *json CLEANUP(json_release) =
            json_pack("{s:s, s:I, s:I, s:b}", "plan_hash", plan->hash, "built",
                (json_int_t)done->built, "undone", (json_int_t)done->undone, "schema_is_equal", 1);

        out_json(run->out, json);
        return true;
    }
    out_mark_line(run->out, MARK_OK,
        "%zu %s, %zu undone on a scratch copy of the schema (no "
        "rows: it proves the steps, not their duration)",
        done->built, verb, done->undone);
    out_mark_line(run->out, MARK_OK, "the schema dump is byte for byte what it was before");
    out_next(run->out, "pgmend gate %s", run->operands.items[0]);
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct rehearsal rehearsal = { .screen = screen_new(ctx->arena) };
    struct dump_tools tools;
    struct text_list notes = { 0 };
    struct plan plan;

    if (!db_require_direct(ctx, run->db) || !db_require_writable(ctx, run->db) ||
        !load_plan(ctx, run, &plan) ||
        !dump_tools_find(ctx, opts->bin_dir, db_major(run->db), &tools, &notes))
        return false;
    for (size_t i = 0; i < notes.count; i++)
        log_warn("%s", notes.items[i]);
    if (plan_count(&plan, ACTION_BLOCKED) > 0)
        log_warn("%zu blocked statements are left out", plan_count(&plan, ACTION_BLOCKED));
    if (plan_pending(&plan) == 0 && plan_count(&plan, ACTION_BLOCKED) > 0) {
        error_set(ctx, ERR_CONFLICT, "nothing can be rehearsed: every statement is blocked");
        return error_hint(ctx, "\"pgmend plan\" says why.");
    }
    if (plan_pending(&plan) == 0) {
        fprintf(run->out, run->global->json
                              ? "{\"schema_version\": 1, \"built\": 0, \"undone\": 0}\n"
                              : "The plan has nothing to do.\n");
        return true;
    }
    if (!rehearse(ctx, run, &tools, &plan, &rehearsal)) {
        error_wrap(ctx, "rehearsal");
        return error_state(ctx, "The live database was not changed.");
    }
    return report(ctx, run, &plan, &rehearsal);
}

const struct command cmd_rehearse = {
    .path = "rehearse",
    .summary = "apply a plan and undo it on a scratch copy of the schema, and compare",
    .details = "Copies the schema (no rows) into a scratch database on the same server, builds "
               "what the plan says with the same engine, undoes it, and compares the schema dump "
               "with the one before. When it is equal, the gate \"rollback\" is green for this "
               "very plan. The scratch database is always dropped.",
    .operands = "PLAN|FILE.sql ...",
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend rehearse change.plan",
    .next = "pgmend apply",
    .run = run,
};
