/* The table of the flags: making it, reading it, and setting a flag with an entry in the journal. */
#pragma once

#include "base/json.h"
#include "flags/flags.h"

/*
 * Makes pgmend.flag and pgmend.flag_off() where they are missing. Roles that could turn a flag off of a
 * table that is gone may read the new one.
 */
bool flags_install(struct ctx *ctx, struct db *db) MUST_CHECK;

/*
 * Whether there were flags in this database and their table is gone: processes keep what they last saw
 * then. Returns false with ERR_ATTENTION and the remedy if so.
 */
bool flags_check_lost(struct ctx *ctx, struct db *db) MUST_CHECK;

/* Roles that were given the right to read the flags; the owner needs none. */
bool flags_followers(struct ctx *ctx, struct db *db, struct text_list *ret) MUST_CHECK;

/*
 * Lets a role read the flags and turn one off: what replyx-api needs. ERR_NOT_FOUND for a role that is
 * not there.
 */
bool flags_grant(struct ctx *ctx, struct db *db, const char *role) MUST_CHECK;

/*
 * All flags, none where there is no table. *ret_problem tells of a table that is gone or of a row that no
 * setter has written, or is NULL; such a flag is given as one for all users, so that it can be set anew.
 */
bool flags_load(struct ctx *ctx, struct db *db, struct flag_list *ret, const char **ret_problem)
    MUST_CHECK;

struct flag_change {
    struct flag to;
    const char *command; /* "flags set" */
    const char *state_dir;
    const json_t *numbers; /* of the decision, for the journal; or NULL */
    const char *run;       /* that it is a part of; NULL: one of its own */
    /*
     * What a rollback of this run goes back to, once there was a change of it; is_part false: to what
     * this change finds. variant NULL: to no such flag.
     */
    bool is_part;
    struct flag start;
    bool removes;      /* takes the flag away, to is as it was */
    bool keeps_others; /* shadow_ratio and salt stay as they are found */
    /*
     * Only when percent and variant are still these, ERR_CONFLICT else: a roll-out must not overrule
     * somebody who has turned its flag off. variant NULL: whatever it is.
     */
    struct flag expected;
};

struct flag_changed {
    bool was_there;
    bool was_lost;      /* the table was gone and was made anew: the other flags are off now */
    struct flag before; /* percent: that held */
    int64_t entry;      /* number in the journal */
    const char *note;   /* the local journal could not be written, or NULL */
};

/*
 * Sets a flag, its journal entry and the NOTIFY in one transaction, with no run lock: a flag can be set
 * while an index is being built. Turning off (percent and shadow_ratio 0) does not even fail for want of
 * room for the local journal.
 */
bool flag_change(struct ctx *ctx, struct db *db, const struct flag_change *change,
    struct flag_changed *ret) MUST_CHECK;

/* A roll-out is alive. *ret false: somebody has set the flag anew. */
bool flag_renew(struct ctx *ctx, struct db *db, const struct flag *flag, bool *ret) MUST_CHECK;

/* The members that people set, for the journal and --json. The caller owns it. */
json_t *flag_json(const struct flag *flag);
