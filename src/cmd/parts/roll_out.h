/* What apply and index apply share: gates, journal, progress on the screen, result. */
#pragma once

#include "change/gate.h"
#include "change/plan.h"
#include "change/rollout.h"
#include "cli/command.h"

struct roll_out_options {
    struct text_list override;
    const char *reason;
    const char *backup_dir;
    int64_t max_age;
    int64_t max_transaction;
    int64_t lock_timeout;
    int64_t wait_limit;
    int32_t retries;
    int64_t attest_wal_free;
    int64_t attest_data_free;
    struct text_list drop_invalid;
    struct text_list replace_function;
    bool dry_run;
    bool skip_blocked;
    int64_t prove_within;
    bool auto_undo;
    const char *low_traffic;
    int64_t max_lag;

    /* Of plans with steps only. */
    int64_t window;
    int64_t least_calls;
    struct text_list step;
    int32_t phase;
    bool keep_going;
    bool retry_undone;
    bool no_guard;
    int64_t guard_interval;
    double guard_slower;
    int64_t guard_lag;

    /* Not an option: see struct gate_input. */
    const char *plan_from;
};

/* Those of all commands that apply come first. */
enum { ROLL_OUT_COMMON_COUNT = 18, ROLL_OUT_FIELD_COUNT = 28 };
extern const struct field roll_out_fields[ROLL_OUT_FIELD_COUNT];

/* Whether it says what it does, beside its result: not with --quiet, nor with --json. */
bool roll_out_tells(const struct run *run);

/* Shows the gates, applies what is pending in the plan, prints what became of it. */
bool roll_out(struct ctx *ctx, struct run *run, struct plan *plan,
    const struct roll_out_options *options) MUST_CHECK;

/* Whether it is about building indexes only: then the words are those of indexes. */
bool plan_is_of_indexes(const struct plan *plan);

/* A plan as people read it; brief: a line a change, for who has seen it already. */
void print_plan(struct ctx *ctx, FILE *out, const struct plan *plan, bool is_brief);

/* What became of one change, as a line. */
void print_change_outcome(struct ctx *ctx, FILE *out, const struct rollout_outcome *outcome);

/* "  ok  backup   …" a gate a line. */
void print_gates(FILE *out, const struct gate_results *results);
json_t *gates_json(const struct gate_results *results);

/* Whether an operand is a plan already: JSON, as no SQL script begins with a brace. */
bool is_plan_file(struct ctx *ctx, const char *path, bool *ret) MUST_CHECK;
/* The plan in operands: one plan file, or index scripts. */
bool load_plan(struct ctx *ctx, struct run *run, struct plan *ret) MUST_CHECK;

/* Observer that draws on stderr. */
struct screen;
struct screen *screen_new(struct arena *arena);
struct rollout_observer screen_observer(struct screen *screen);
void screen_end(struct screen *screen);

/*
 * Records in the journal how the run ended. With is_good false the error in ctx stays as it is,
 * and false is returned.
 */
bool end_run(struct ctx *ctx, struct rollout *rollout, bool is_good) MUST_CHECK;
