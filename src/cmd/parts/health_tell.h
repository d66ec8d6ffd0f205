/*
 * After something was undone or switched: is the service well? The checklist once (as "monitor --single-shot"),
 * and the application's own health address when one is configured.
 */
#pragma once

#include "base/json.h"
#include "cli/command.h"

struct health_options {
    const char *url;    /* of the application, answers 200; or NULL */
    int64_t timeout_us; /* of that answer; 0: 5 s */
};

struct health_told {
    bool is_well;
    const char *text;   /* "the service is not well: blocked sessions: 3 wait, …", a sentence */
    const char *answer; /* of the address, a clause; NULL: none is configured */
    struct text_list wrong;  /* items of the checklist, "title: what was seen" */
    struct text_list others; /* critical too, but of the configuration: no outage of now */
};

/*
 * Asks. Not well is: an item of the checklist about what goes on now is critical, the database does not answer, or
 * the address does not answer with 2xx. False only for a signal.
 */
bool health_take(struct ctx *ctx, struct db *db, const struct health_options *options,
    struct health_told *ret) MUST_CHECK;

/* Asks and prints (with --json: nothing); *ret_well: nothing critical, and the address answers. */
bool health_tell(struct ctx *ctx, struct run *run, struct db *db,
    const struct health_options *options, bool *ret_well) MUST_CHECK;

void health_print(FILE *out, const struct health_told *told);

/* The caller owns it. */
json_t *health_json(const struct health_told *told);
