/* Private to findings*.c: telling what was seen of one revision. */
#pragma once

#include "migrate/trace/tracer.h"

enum observed_rule {
    FAILURE,
    DOWNGRADE_FAILURE,
    NO_DOWNGRADE,
    DOWNGRADE_DIFFERS,
    SURPRISE,
    FALSE_ALARM,
    REPLAY_DIFFERS,
    UNDER_LOCK,
    LONG_LOCK,
};

struct teller {
    struct tracer *tracer;
    struct arena *arena;
    struct findings *findings;
    const struct trace_revision *revision;
    const struct forecast *forecast;
};

/* The statement's place; where that is not known, upgrade(). */
struct place teller_place(const struct teller *teller, size_t statement);

struct finding *teller_tell(
    const struct teller *teller, enum observed_rule rule, struct place place, const char *message);

/* Tables, partitioned ones and materialized views. */
bool trace_is_table(const struct trace_name *name);

/* ---- findings_foreseen.c ---- */

void teller_compare(const struct teller *teller);
