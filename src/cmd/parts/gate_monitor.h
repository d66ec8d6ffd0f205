/* What monitors have seen of a database: for gates, and for the checklist. */
#pragma once

#include "change/gate.h"

struct sighting {
    bool
        is_seen; /* by a monitor with this state folder, ever, or by one that stores here, within an hour */
    bool is_fresh;  /* within two minutes */
    int64_t age_us; /* since it was seen last */
    const char *by; /* "a monitor with this state folder", "the monitor that stores here as main" */
    bool knows_alerts; /* the state folder tells of alerts; the store does not */
    bool is_alarming;  /* a critical alert fires */
    const char *alert; /* that one, in a line */
    int64_t calm_us;   /* how long it was watched without one; 0 while one fires */
};

/* Looks into the state folder (NULL: not) and, where that is not fresh, into the monitor's tables. */
bool sighting_find(struct ctx *ctx, struct db *db, const char *state_dir, struct sighting *ret)
    MUST_CHECK;

/* For .check of gates. */
bool gate_check_monitoring(
    struct ctx *ctx, const struct gate_input *input, struct gate_result *ret);
bool gate_check_alerts(struct ctx *ctx, const struct gate_input *input, struct gate_result *ret);
