/* What the files of this folder share. */
#pragma once

#include "base/map.h"
#include "monitor/alert/alert.h"

enum { ALERT_LISTENERS = 8 };

/* Counters of an application (source/), labelled by its name. */
#define ALERT_APPLICATION "pgmend_application_"
#define ALERT_REQUESTS    "pgmend_application_requests_total"
#define ALERT_ERRORS      "pgmend_application_errors_total"
#define ALERT_P95         "pgmend_application_p95_seconds"

/* How a value stands to its rule; between the two thresholds nothing begins and nothing ends. */
enum verdict { VERDICT_GOOD, VERDICT_BETWEEN, VERDICT_BAD };

/* An alert and what is needed to judge it further. Texts are its own, by strdup(). */
struct alert_entry {
    struct alert alert;
    int rule;           /* number in alerts->rules */
    int64_t held_us;    /* how long trouble was seen; while firing: how long health was seen */
    enum verdict last;  /* of the tick before */
    bool is_continuous; /* the tick before was judged too */
    bool is_seen;       /* in this tick */
    int32_t absent;     /* ticks of a server that is up without this series */
    int64_t absent_us;
    uint64_t good_collectors; /* when it was seen last, as bits */
    int32_t flaps;            /* how often the same was resolved within the last hour */
    bool was_told;            /* a listener heard of it while it was not quiet */
    bool has_news;            /* fired, resolved, or its quiet ended: listeners are to hear */
};

/* Requests and errors by minute for the three days that the slowest burn rate looks back. */
enum { BURN_MINUTES = 3 * 24 * 60 };
struct burn {
    float *requests; /* rings of BURN_MINUTES; NULL: there was nothing to count yet */
    float *errors;
    int64_t minute;   /* the newest, of the monotonic clock */
    int64_t since_us; /* since when it is counted: before it nothing is known */
    int64_t at_us;    /* until when */
    bool is_begun;
    bool is_of_application;
    double requests_before; /* counters of the tick before; NaN: none */
    double errors_before;
};

/* One series, some points of it, the oldest first; past.c. */
enum { PAST_POINTS = 100 };
struct past {
    const char *metric;
    const char *labels;
    int32_t count;
    int64_t at_s[PAST_POINTS]; /* wall clock */
    float values[PAST_POINTS];
};

/* What is looked up in the history once a minute only. */
struct trend {
    int64_t at_us;
    double disk_full_s;   /* NaN: not to be foreseen */
    struct map baselines; /* by labels: struct baseline */
    VEC(struct past *) pasts;
};

struct alert_server {
    const char *name;
    VEC(struct alert_entry *) entries;
    int64_t at_us; /* of the tick judged last; 0: none in this process */
    int64_t step_us;
    int64_t dropped; /* alerts that were too many */
    struct burn burn;
    struct trend trend;
};

struct alert_chain {
    int first; /* rule of the metric; -1: none */
};

struct alerts {
    struct arena *arena;   /* for the whole run */
    struct arena *scratch; /* of one judging */
    const struct setup *setup;
    struct alert_rule *rules;  /* the table's and the user's own, as changed; off ones left out */
    const char **quiet_by;     /* a rule's "while … fires" */
    const char **quiet_window; /* a window's "maintenance …" */
    int *next_of_metric;       /* next rule of the same metric; -1: none */
    struct map by_metric;      /* to struct alert_chain */
    int rule_count;
    double slo;
    VEC(struct alert_server *) servers;
    struct {
        alert_listener *hear;
        void *data;
    } listeners[ALERT_LISTENERS];
    int listener_count;
};

/* rules.c: the one of this name, or -1. */
int alert_rule_find(const struct alerts *alerts, const char *name);
bool alert_rules_build(struct ctx *ctx, struct alerts *alerts) MUST_CHECK;

/* The state of a server, made when it is first seen. */
struct alert_server *alert_server_of(struct alerts *alerts, const char *name);

/* track.c: one alert from tick to tick. */
struct alert_tick {
    const struct watched *server;
    struct alert_server *state;
    int64_t step_us;            /* since the tick before; 0 when what was between is not known */
    bool has_application;       /* the setup names one, though it may not have answered yet */
    struct samples application; /* of those of the server */
};
enum verdict alert_verdict(const struct alert_rule *rule, double value);
void alert_track(struct alerts *alerts, const struct alert_tick *tick, int rule,
    const struct sample *sample, double value);
/* Counts what was not seen in this tick as absent. */
void alert_track_absent(const struct alert_tick *tick);
/* Of a tick that showed nothing: trouble seen before counts on, but not what was between. */
void alert_track_blind(struct alert_server *state);
/* Forgets resolved ones of the day before. */
void alert_prune(struct alert_server *state, int64_t now_wall_us);
struct alert_entry *alert_entry_new(
    struct alerts *alerts, const char *server, int rule, const char *labels);
void alert_entry_free(struct alert_entry *entry);
bool alert_is_firing(const struct alert_server *state, const char *rule);

/* quiet.c: says which are quiet and why, then tells the listeners what is new. */
void alert_tell(struct alerts *alerts, const struct alert_tick *tick);

/* burn.c: counts the tick's requests; adds the burn rates as samples. */
void burn_count(struct burn *burn, struct arena *arena, const struct alert_tick *tick);
void burn_add(
    struct burn *burn, struct arena *arena, int64_t at_us, double requests, double errors);
void burn_samples(const struct burn *burn, double slo, struct samples *samples);

/* past.c: the one of this metric and labels, made when it is first asked for; NULL: there are too many. */
struct past *past_of(
    struct alerts *alerts, struct trend *trend, const char *metric, const char *labels);
void past_note(struct past *past, int64_t step_s, int64_t at_s, double value);
json_t *pasts_save(const struct trend *trend);
void pasts_restore(struct alerts *alerts, struct trend *trend, const json_t *saved);

/* trend.c: what follows from the history: a disk that fills up, a p95 over its baseline. */
void trend_samples(struct alerts *alerts, const struct alert_tick *tick,
    const struct history *history, struct samples *samples);
