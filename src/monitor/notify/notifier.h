/*
 * What the files of the notifier share. Nothing is queued as a message: for each alert and sink it is
 * known what the sink was told last, and a message is written, of what differs, when it can be sent.
 * So a sink that was down hears of the state of now, once, and a repeated message has fresh values.
 */
#pragma once

#include "base/map.h"
#include "monitor/notify/sink.h"

enum {
    NOTIFY_MOST_SUBJECTS = 2000, /* alerts known at once */
    NOTIFY_MOST_QUEUED = 500,    /* alerts that wait for one sink */
    NOTIFY_MOST_NEWS = 50,       /* alerts in one message */
    NOTIFY_MOST_GROUPS = 5,      /* more at once become one message for people */
};

struct trial;

enum told { TOLD_NOTHING, TOLD_FIRING, TOLD_RESOLVED };

/* What a sink knows of an alert. */
struct telling {
    enum told told;
    enum told saying;  /* in the message that is under way */
    bool is_under_way; /* it is part of that */
    bool is_beside;    /* the message tells that it goes on, beside what is new */
    bool was_tried;    /* a message with it has failed */
    int64_t told_us;
    int64_t after_us; /* of the routes to this sink the earliest; -1: none */
};

struct subject {
    struct notice notice;
    bool is_resolved;
    bool is_quiet;
    int64_t heard_us; /* clock_us(): since it may be told */
    int64_t fired_us;
    int64_t resolved_us;
    struct telling *tellings; /* of each sink */
};

struct sink {
    struct notifier *notifier;
    size_t index;
    const struct setup_sink *setup;
    const struct sink_kind_row *kind;
    struct loop_timer *timer;
    bool is_busy;          /* a message is under way */
    int64_t not_before_us; /* Retry-After, back-off, and the pace of one message a second */
    int32_t failures;      /* in a row */
    int64_t sent;
    int64_t failed;
    int64_t dropped;
    bool has_answer;
    bool has_error;
    char answer[320];
    char error[320];
};

struct notifier {
    struct loop *loop;
    const struct setup *setup;
    const char *page_url;
    const struct alerts *alerts;
    struct courier *courier;
    struct sink *sinks;
    size_t sink_count;
    struct arena *arena; /* of the subjects; copied to a new one when much of it is of the past */
    size_t arena_limit;
    VEC(struct subject *) subjects;
    struct trial *trials; /* tests under way */
};

#define NOTIFY_NEVER INT64_MAX

/* When the sink is to be told of the subject, at the earliest. */
int64_t sink_due_us(const struct sink *sink, const struct subject *subject);
/* Sends what is due, or sets the timer for when something is. */
void sink_flush(struct sink *sink);
/* How many wait for it to become possible. */
size_t sink_queued(const struct sink *sink, int64_t now_us);
void sink_note(struct sink *sink, const struct outcome *outcome);

struct subject *subject_find(const struct notifier *notifier, const char *id);
/* A new one of this notice, with routes chosen; NULL: there are too many. */
struct subject *subject_add(struct notifier *notifier, const struct notice *notice);
/* Forgets tests under way. */
void trials_end(struct notifier *notifier);

/* Forgets those of which there is nothing more to tell. */
void subjects_forget(struct notifier *notifier);
