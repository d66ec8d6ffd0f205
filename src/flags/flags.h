/*
 * Feature flags: which variant of something a user gets. They are rows of pgmend.flag; every process
 * follows them within a second (LISTEN, and a look now and then in case a message was lost) and keeps
 * the last good values when the table is damaged, missing or out of reach.
 */
#pragma once

#include "db/evented.h"

struct flag {
    const char *name;    /* "replyx.stats" */
    const char *variant; /* what those within percent get: "optimised" */
    int32_t percent;     /* 0 … 100 of the users */
    const char *salt;    /* so that the same users are not the first of every flag */
    double shadow_ratio; /* 0 … 1: requests for which both variants are run and compared */
    int64_t until_us;    /* wall clock; 0: for ever. After it fallback holds: a guard that died */
    int32_t fallback;    /* percent from then on */
    int64_t changed_us;  /* wall clock */
    const char *reason;  /* of the last change: "roll-out step 25 %", "p95 31 % worse" */
};

/*
 * Whether this user is within percent: the first 8 bytes of SHA-256 of salt, ':' and the number, as a
 * big-endian number, modulo 10,000, are below percent × 100. So whoever is in at 5 % is in at 25 %.
 */
bool flag_takes(const struct flag *flag, int64_t user);
/* The percent that holds at this time. */
int32_t flag_percent(const struct flag *flag, int64_t wall_us);

struct flag_list {
    struct flag *items;
    size_t count;
};
const struct flag *flag_find(const struct flag_list *list, const char *name);

/* ---- following them on a loop ---- */

struct flag_follower;

struct flag_follower_options {
    struct db_options db;
    int64_t check_us; /* between two looks at the table; 5 s */
    /* Called after the first reading and whenever something has changed; may be NULL. */
    void (*changed)(void *data, const struct flag_list *flags);
    void *data;
};

bool flag_follow(struct ctx *ctx, struct loop *loop, const struct flag_follower_options *options,
    struct flag_follower **ret) MUST_CHECK;
void flag_follow_end(struct flag_follower *follower);
/* The last good values; empty before the first reading. They live until the next change. */
const struct flag_list *flag_follow_list(const struct flag_follower *follower);
/* Why the last look failed, or NULL. */
const char *flag_follow_error(const struct flag_follower *follower);
/*
 * Sets percent to 0 with a reason, from the process that found a wrong answer; written to the database as
 * soon as that is possible, and true for this process at once.
 */
void flag_turn_off(struct flag_follower *follower, const char *name, const char *reason);
