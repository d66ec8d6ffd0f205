/* One statement's text: does it leave something behind in its session? */
#pragma once

#include "base/ctx.h"

enum statement_habit {
    HABIT_NONE,
    HABIT_PROTOCOL_PREPARE, /* only known by how often it was planned, or by the driver's own statements */
    HABIT_SQL_PREPARE,
    HABIT_SEARCH_PATH,
    HABIT_ROLE,
    HABIT_SET,
    HABIT_SET_CONFIG,
    HABIT_LISTEN,
    HABIT_ADVISORY,
    HABIT_TEMPORARY,
    HABIT_HOLD,
    HABIT_LOAD,
    HABIT_SEQUENCE,
};

/* Text that has no tokens is HABIT_NONE. What tools qualify by pg_catalog is not the application's. */
enum statement_habit statement_habit(struct ctx *ctx, const char *text);
