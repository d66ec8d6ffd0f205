/*
 * Checks that must be green before anything is changed. Five of them are mandatory by the plan
 * (backup, staging, monitoring, rollback, team); the others look at the server as it is now.
 */
#pragma once

#include "base/json.h"
#include "change/change.h"
#include "db/db.h"

enum gate_state { GATE_GREEN, GATE_WARNING, GATE_RED };

/* What the checks need to know. */
struct gate_input {
    struct db *db;
    const struct plan *plan;
    const char *backup_dir;
    int64_t max_age_us;         /* of a backup and of recorded passes */
    int64_t max_transaction_us; /* older sessions that hold up a build are red */
    int64_t attested_wal_bytes; /* 0: not attested */
    int64_t attested_data_bytes;
    const char *state_dir; /* where a monitor keeps what it has seen */
    const char
        *low_traffic;      /* "02:00-05:00 Europe/Berlin": when changes may be made; NULL: always */
    int64_t max_lag_us;    /* of a replica */
    const char *plan_from; /* command that makes a file of the plan, without -o; "": none can be
                                     made; NULL: the plan came from files */
    const struct plan_step *step; /* that is about to be done; NULL: the whole plan */
};

struct gate_result {
    const char *name;
    const char *title;
    enum gate_state state;
    bool is_hard;         /* cannot be overridden */
    const char *text;     /* what was found */
    const char *remedy;   /* or NULL */
    const char *override; /* the reason given for going on in spite of it, or NULL */
    const char *waiver; /* the reason given for this gate, red or not: it holds for the whole run */
    const char *attested; /* what the operator vouched for, as no program could see it, or NULL */
};

struct gate {
    const char *name;
    const char *title;
    bool is_recorded; /* "pgmend gate pass" can record it */
    bool is_hard;
    bool is_live; /* looked at again before each step of a plan: it can turn red meanwhile */
    /* Sets state, text and remedy; false only when it could not look. */
    bool (*check)(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret);
};

/* The gates of this program; cmd/gates.c lists them. Ends with a name of NULL. */
extern const struct gate gates[];

struct gate_results {
    struct gate_result *items;
    size_t count;
    size_t capacity;
};

bool gates_check(struct ctx *ctx, const struct gate_input *input, struct gate_results *ret)
    MUST_CHECK;

/* Notes the overrides ("NAME" or "all"); ERR_USAGE for an unknown name or a hard gate. */
bool gates_override(struct ctx *ctx, struct gate_results *results, const struct text_list *names,
    const char *reason) MUST_CHECK;

/*
 * Looks at the live gates again, before a step. What was overridden stays so. ERR_GATE names those that
 * turned red since; results then shows them as they are now.
 */
bool gates_recheck(struct ctx *ctx, const struct gate_input *input, struct gate_results *results)
    MUST_CHECK;

/* ERR_GATE naming the red ones that were not overridden. */
bool gates_require(struct ctx *ctx, const struct gate_results *results) MUST_CHECK;

/* The overrides and attestations as JSON for the journal; NULL when there are none. */
const char *gates_overrides(struct ctx *ctx, const struct gate_results *results);

const struct gate *gate_find(const char *name);

/* Records a pass (or its withdrawal) in pgmend.gate; plan_hash may be NULL. */
bool gate_record(struct ctx *ctx, struct db *db, const char *name, bool passed, const char *note,
    const char *plan_hash) MUST_CHECK;

/* For .check: green when "gate pass" recorded it within the limit. */
bool gate_check_recorded(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret);

/* For .check: green when a rehearsal of this very plan was recorded within the limit. */
bool gate_check_rehearsed(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret);

/* For .check: the same of a run on a copy with rows, or when "gate pass" recorded that. */
bool gate_check_staging(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret);

/* For .check: sessions that would hold up a build; room for data, temporary files and WAL. */
bool gate_check_sessions(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret);
bool gate_check_data_room(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret);
bool gate_check_wal_room(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret);
bool gate_check_duplicates(
    struct ctx *ctx, const struct gate_input *input, struct gate_result *ret);

/* For .check: standbys keep up, and no slot waits for a reader. */
bool gate_check_replicas(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret);

/* For .check: it is now within input->low_traffic. ERR_USAGE when that is no window. */
bool gate_check_window(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret);

/* The changes that a check is about: those of the step, or all. Returns the first; *ret_end is behind the last. */
size_t gate_range(const struct gate_input *input, size_t *ret_end);
