/*
 * Alerts: rules are rows; each looks at one metric, and each set of labels of it is an alert of its
 * own. An alert waits for `for_us`, fires, and clears at a threshold of its own.
 */
#pragma once

#include "base/json.h"
#include "monitor/history.h"

#define ALERT_SEVERITIES(X)     \
    X(ALERT_INFO, "info")       \
    X(ALERT_WARNING, "warning") \
    X(ALERT_CRITICAL, "critical")
#define ALERT_ENUM(id, name) id,
enum alert_severity { ALERT_SEVERITIES(ALERT_ENUM) ALERT_SEVERITY_COUNT };
#undef ALERT_ENUM
const char *alert_severity_name(enum alert_severity severity);

struct alert_rule {
    const char *name;    /* "cpu-busy": a section of docs/monitoring_playbook.md */
    const char *summary; /* "CPU of the machine is busy" */
    enum alert_severity severity;
    const char *metric;
    bool is_below;    /* fires below threshold; else above */
    double threshold; /* in the metric's unit */
    double clear;
    const char *unit; /* how values are shown: "ratio", "seconds", "bytes", "count", "rate" */
    int64_t for_us;
    int64_t span_us;            /* the mean over this span counts; 0: the last value */
    const char *traffic_metric; /* must be at least .traffic_least, or it is not judged; NULL */
    double traffic_least;
    const char
        *inhibited_by; /* name of a rule: while that fires on the same server, this is quiet */
    const char *next;  /* "pgmend …": what to do first */
    /* The likely cause in the same readings, a sentence in the arena; or NULL. */
    const char *(*cause)(
        struct arena *arena, const struct watched *server, const struct sample *sample);
};

extern const struct alert_rule alert_rules[];
extern const size_t alert_rule_count;

enum alert_state { ALERT_PENDING, ALERT_FIRING, ALERT_RESOLVED };

/* Texts live as long as the alert. */
struct alert {
    const char *id; /* the same for as long as it is the same trouble: server, rule, labels */
    const struct alert_rule *rule; /* with the user's changes */
    const char *server;
    const char *owner;  /* of the server, or NULL */
    const char *labels; /* sample_labels() */
    enum alert_state state;
    double value;
    double worst;
    int64_t since_wall_us;    /* over the threshold */
    int64_t fired_wall_us;    /* 0: not yet */
    int64_t resolved_wall_us; /* 0: not yet */
    const char *cause;        /* or NULL */
    const char *quiet;        /* why nobody is told: maintenance or another alert; or NULL */
};

bool alerts_new(struct ctx *ctx, const struct setup *setup, struct alerts **ret) MUST_CHECK;
void alerts_free(struct alerts *alerts);

/* Called for each alert that began to fire, whose reason to be quiet ended, or that was resolved. */
typedef void alert_listener(void *data, const struct alert *alert);
void alerts_listen(struct alerts *alerts, alert_listener *listener, void *data);

/* Judges all rules by the tick of this server. */
void alerts_judge(
    struct alerts *alerts, const struct watched *server, const struct history *history);

/*
 * The same of the monitor's own numbers (pgmend_store_failing …), as if it were one more server of the
 * name "pgmend monitor": once a tick interval, by clock_us() and clock_wall_us(). trouble: what cannot be
 * kept where, and why; NULL: nothing.
 */
void alerts_judge_own(struct alerts *alerts, const struct samples *samples, const char *trouble,
    int64_t at_us, int64_t at_wall_us);
#define ALERT_OWN_SERVER "pgmend monitor"

/* Pending and firing ones, worst first, then those resolved in the last day. In the arena. */
size_t alerts_list(const struct alerts *alerts, struct arena *arena, const struct alert ***ret);

/* "0.93 (threshold 0.80)" in the rule's unit; one line for people; the object that sinks are given. */
const char *alert_value_text(struct arena *arena, const struct alert *alert);
const char *alert_line(struct arena *arena, const struct alert *alert);
json_t *alert_json(const struct alert *alert);

/* What must survive a restart: pending and firing alerts, their times. */
json_t *alerts_save(const struct alerts *alerts);
bool alerts_restore(struct ctx *ctx, struct alerts *alerts, const json_t *saved) MUST_CHECK;
