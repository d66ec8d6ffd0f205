/*
 * What the two arms of a roll-out have done, from /metrics of the processes that serve them: counters of
 * several addresses summed, those that were reset or could not be read being a gap.
 */
#pragma once

#include "base/ctx.h"
#include "flags/guard.h"

struct arm_metrics;

struct arm_metrics_options {
    const struct text_list *urls;
    const char *route;
    const char *variants[GUARD_ARMS];
    int64_t timeout_us;
};

bool arm_metrics_open(struct ctx *ctx, const struct arm_metrics_options *options,
    struct arm_metrics **ret) MUST_CHECK;
void arm_metrics_close(struct arm_metrics *metrics);

/* An address that is none of http or https, or is given twice: ERR_USAGE. */
bool arm_metrics_check_urls(struct ctx *ctx, const struct text_list *urls) MUST_CHECK;

/*
 * Asks each address once, before anything depends on it: one that does not answer is an error. *ret_notes:
 * what is not there of route and variants, with what is there instead.
 */
bool arm_metrics_try(struct ctx *ctx, struct arm_metrics *metrics, struct text_list *ret_notes)
    MUST_CHECK;

/*
 * Asks all addresses. *ret_delta: since the look before, of those that answered both times. False only
 * for a signal.
 */
struct arm_look {
    struct guard_reading delta;
    size_t missing;  /* addresses that did not answer */
    int64_t seen_us; /* when the one that has been silent for longest answered, or was begun with */
    size_t gaps;     /* counters that went back: a process was started anew */
    const char *problem; /* of the last that did not answer, or NULL */
};
bool arm_metrics_look(struct ctx *ctx, struct arm_metrics *metrics, struct arm_look *ret)
    MUST_CHECK;
/* Forgets what was counted so far: the next look begins anew. */
void arm_metrics_restart(struct arm_metrics *metrics);
