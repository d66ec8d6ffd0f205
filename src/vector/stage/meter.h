/* The CPU time that a server process spends on statements. */
#pragma once

#include "db/notice.h"
#include "vector/stage/measure.h"

struct meter {
    enum meter_kind kind;
    struct db *db;
    int schedstat; /* files of /proc, or -1 */
    int stat;
    int64_t since_us; /* of the process, or the clock, when the statement began */
    int64_t heard_us; /* what the server told */
    struct db_notices notices;
};

/*
 * Finds out how the time of db's process can be read: the best way that works. db must not be in a
 * transaction.
 */
bool meter_open(struct ctx *ctx, struct db *db, struct meter *ret) MUST_CHECK;
void meter_close(struct meter *meter);

/*
 * Tries one way: a number that does not move while the process works, or moves while it rests, is
 * another process's. *ret_works false: the meter is closed again.
 */
bool meter_try(struct ctx *ctx, struct db *db, enum meter_kind kind, struct meter *ret,
    bool *ret_works) MUST_CHECK;

/* Settings for the transaction whose statements are measured, or NULL: a SELECT that sets them. */
const char *meter_settings(const struct meter *meter);

/* The CPU time of the process from start to end, of wall time with METER_WALL. */
void meter_start(struct meter *meter);
int64_t meter_end_us(struct meter *meter);
