/* What the files of the kinds share; nobody outside this folder includes it. */
#pragma once

#include "base/json.h"
#include "change/kind.h"
#include "sql.h"

/* -- create index: judge.c, build.c, undo.c -- */

bool index_judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal,
    struct change *change) MUST_CHECK;
bool index_build(struct ctx *ctx, struct rollout *rollout, struct change *change,
    struct rollout_outcome *ret) MUST_CHECK;
bool index_undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret) MUST_CHECK;
bool index_heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry) MUST_CHECK;

/*
 * Builds an index for an entry that is in the journal already, and leaves it in done_state, or in
 * failed_state when nothing of the index is left.
 */
bool index_build_for(struct ctx *ctx, struct rollout *rollout, const struct change *change,
    struct journal_entry *entry, struct rollout_outcome *ret) MUST_CHECK;

/*
 * A try at the table's lock with a short time-out: the CONCURRENTLY forms themselves cannot have one,
 * because it would bound their later waits for snapshots as well and leave an INVALID index.
 */
bool work_probe_lock(struct ctx *ctx, struct rollout *rollout, const struct change *change)
    MUST_CHECK;

/* -- the other kinds -- */

extern const struct change_kind kind_column;
extern const struct change_kind kind_trigger;
extern const struct change_kind kind_fill;
extern const struct change_kind kind_function;
extern const struct change_kind kind_drop;
extern const struct change_kind kind_reindex;
extern const struct change_kind kind_vacuum;
extern const struct change_kind kind_record;
extern const struct change_kind kind_setting;
extern const struct change_kind kind_partition;
extern const struct change_kind kind_partition_add;
extern const struct change_kind kind_flag;
extern const struct change_kind kind_flag_off;

/* -- entries of the journal -- */

/* A new entry for the change, in state "started". */
bool work_begin(struct ctx *ctx, struct rollout *rollout, const struct change *change,
    const char *detail, struct journal_entry *ret) MUST_CHECK;

/* It is done: entry and outcome say so. detail: NULL to keep what it was. */
bool work_succeed(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    const char *detail, struct rollout_outcome *ret) MUST_CHECK;

/*
 * It is not done, for the reason in ctx, and nothing of it is left: says so in the journal and in
 * the error's state. Returns false.
 */
bool work_fail(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry);

/* The entry is being undone, which a rollback that was cut off has said already. */
bool work_undoing(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry) MUST_CHECK;

/* An undo was refused or gave up, and what stood stands: the entry is done again. Returns false. */
bool work_keep(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry);

/* The entry is undone; result: for the outcome. */
bool work_undone(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    const char *result, struct rollout_outcome *ret) MUST_CHECK;

/* The detail of an entry; the caller owns it. */
bool work_detail(struct ctx *ctx, const struct journal_entry *entry, json_t **ret) MUST_CHECK;

/* {"schema": …, "table": …, "name": …, "table_oid": …}, to which a kind adds; the caller owns it. */
json_t *work_about(const struct change *change);

/* The members that work_about() wrote, in the arena. */
void work_read_about(struct ctx *ctx, const json_t *json, struct change *ret);

/* The last entry of this kind about this object, or NULL. */
const struct journal_entry *work_last(
    const struct journal_entries *journal, const char *kind, const char *object);

/* A number that the detail of an entry holds; 0 when entry is NULL or it has none. */
int64_t work_number(struct ctx *ctx, const struct journal_entry *entry, const char *member);

/* -- the catalogue -- */

/* The ordinary table of the change; blocks the change when it is not there or cannot be altered. */
bool work_find_table(struct ctx *ctx, struct db *db, struct change *change,
    struct sql_change_table_now *ret, bool *ret_found) MUST_CHECK;

/* number 0 in *ret: there is none. */
bool work_find_column(struct ctx *ctx, struct db *db, uint32_t table_oid, const char *name,
    struct sql_change_column_now *ret) MUST_CHECK;

/* The server refuses a trial: that is an answer. False for what is none, as a lost connection. */
bool work_take_refusal(struct ctx *ctx, struct change *change);

/* A function as the server has it; oid 0: there is none. */
struct routine {
    uint32_t oid;
    const char *definition; /* by pg_get_functiondef() */
    const char *signature;
    const char *extension;
    const char *rights; /* JSON array of statements */
};

bool routine_load(struct ctx *ctx, struct db *db, uint32_t oid, struct routine *ret) MUST_CHECK;
bool routine_find(struct ctx *ctx, struct db *db, const char *signature, struct routine *ret)
    MUST_CHECK;

/*
 * What a CREATE OR REPLACE FUNCTION would make, and what is there before: tried in a transaction
 * that is rolled back. Sets the change's problem and *ret_good to false when the server refuses.
 */
struct routine_trial {
    struct routine planned;
    struct routine before;   /* oid 0: none */
    bool has_to_drop;        /* the one before has another result and has to be dropped first */
    struct text_list rivals; /* others of its name that one of its calls could mean as well */
};
bool routine_try(struct ctx *ctx, struct db *db, struct change *change, struct routine_trial *ret,
    bool *ret_good) MUST_CHECK;

/* -- short DDL -- */

struct ddl {
    const char *what; /* "adding public.t.c" */
    struct text_list statements;
    int64_t limit_us; /* how long its locks are tried for */
    /* Whether the catalogue shows it as it shall be: asked before and after the commit. */
    bool (*is_done)(struct ctx *ctx, struct db *db, const void *data, bool *ret);
    const void *data;
};

/*
 * Runs the statements in one transaction. Each attempt waits for locks for a short while only, so
 * that nobody queues behind it, and the pauses between them grow. True: the catalogue says it is
 * done. False: nothing of it is done, unless the connection is lost.
 */
bool ddl_run(struct ctx *ctx, struct rollout *rollout, const struct ddl *ddl,
    struct rollout_outcome *ret) MUST_CHECK;

/* Whether the failure in ctx is one that goes by: a lock, a deadlock, a lost server. */
bool is_passing(const struct ctx *ctx);
bool is_lock_trouble(const struct ctx *ctx);

/* ERR_GATE when pg_wal has less room than the roll-out's reserve. */
bool rollout_check_room(struct ctx *ctx, const struct rollout *rollout) MUST_CHECK;
