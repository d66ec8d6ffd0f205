/* A rehearsal on the screen, as JSON, and as it is kept. */
#pragma once

#include "base/json.h"
#include "cli/command.h"
#include "cmd/parts/rehearsal_run.h"

struct rehearsal_facts {
    bool has_rows;
    const char *staging; /* name of the staging copy; NULL: one of our own */
    bool is_masked;
    const char *database; /* the live one */
    int64_t bytes;        /* of it */
    double rows;          /* that were rehearsed with, as estimated */
    size_t tables;        /* compared row by row */
};

/* The record, as rehearsal_save() keeps it. The caller owns it. */
json_t *rehearsal_json(
    const struct plan *plan, const struct rehearsed *done, const struct rehearsal_facts *facts);

void rehearsal_print(struct ctx *ctx, struct run *run, const struct plan *plan,
    const struct rehearsed *done, const struct rehearsal_facts *facts);
