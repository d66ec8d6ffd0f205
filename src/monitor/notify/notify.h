/*
 * Tells people of alerts: groups what belongs together, never twice the same, resolved ones too,
 * through sinks chosen by routes; a sink that is down or says "later" gets a bounded queue.
 */
#pragma once

#include "http/client.h"
#include "monitor/alert/alert.h"

struct notifier_options {
    const struct setup *setup;
    const char *page_url; /* of the dashboard, or NULL */
    /* Asked for the values of now when a message is written; NULL: those that were heard. */
    const struct alerts *alerts;
};

bool notifier_new(struct ctx *ctx, struct loop *loop, const struct notifier_options *options,
    struct notifier **ret) MUST_CHECK;
void notifier_free(struct notifier *notifier);

/* An alert_listener; data is the notifier. */
void notifier_hear(void *data, const struct alert *alert);

/* Sends an alert that says it is a test to every sink (or the named one), at once. */
void notifier_test(struct notifier *notifier, const char *sink, loop_callback *done, void *data);

/* How a sink is doing. */
struct sink_state {
    const char *name;
    const char *kind;
    int64_t sent;
    int64_t failed;
    int64_t queued;
    int64_t dropped;
    const char *last_error;  /* or NULL; never with a token */
    const char *last_answer; /* what came back last, good or bad: "200"; NULL: nothing yet */
};
size_t notifier_sinks(
    const struct notifier *notifier, struct arena *arena, struct sink_state **ret);
/* Their counts as samples (pgmend_notifications_total …). */
void notifier_samples(const struct notifier *notifier, struct samples *samples);

/*
 * Who was told of which alert, so that after a restart nobody is told twice, and the end of an alert
 * reaches those who know of its beginning. Restored after alerts_restore(), before anything is heard.
 */
json_t *notifier_save(const struct notifier *notifier);
bool notifier_restore(struct ctx *ctx, struct notifier *notifier, const json_t *saved) MUST_CHECK;
