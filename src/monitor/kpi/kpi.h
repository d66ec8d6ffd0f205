/* The plan's goals as numbers: what was before, what is now, what is wanted until when, the trend. */
#pragma once

#include "base/json.h"
#include "db/db.h"
#include "monitor/history.h"

/* How far a goal is. */
#define KPI_STATES(X)         \
    X(KPI_UNKNOWN, "unknown") \
    X(KPI_OPEN, "open")       \
    X(KPI_MET, "met")         \
    X(KPI_LATE, "late")
#define KPI_ENUM(id, name) id,
enum kpi_state { KPI_STATES(KPI_ENUM) KPI_STATE_COUNT };
#undef KPI_ENUM
const char *kpi_state_name(enum kpi_state state);

struct kpi {
    const char *name; /* "api-p95" */
    const char *title;
    const char *group; /* "technical", "business" or "own" */
    const char *unit;  /* "seconds", "ratio", "count", "per day", "USD" or the user's own */
    bool less_is_better;
    bool target_is_inclusive; /* the target itself is good enough (99.9 %), not only better (< 5) */
    const char *planned;      /* what the plan says was before, a text: "2–5 s"; NULL */
    double before;            /* NaN: not known */
    const char *before_source; /* or NULL */
    int64_t before_wall_us;
    double now;
    int64_t now_wall_us;
    double target;        /* NaN: none */
    const char *deadline; /* date, or NULL */
    const char *source;  /* of now: "measured", "recorded", … with time; or why it is not known */
    double trend;        /* change a week, in the unit; NaN: fewer than two values */
    int64_t value_count; /* that the trend is of */
    enum kpi_state state;
};
struct kpis {
    struct kpi *items;
    size_t count;
    size_t capacity;
    const char *grant; /* what lets this role read what is kept in schema pgmend; NULL: it may */
};

/* A value that somebody tells, at a time (0: now). */
struct kpi_value {
    const char *name;
    double value;
    int64_t at_wall_us;
    const char *note;  /* or NULL */
    const char *place; /* "file.csv:3", for errors; or NULL */
};

/*
 * Records all or none. Makes the tables in schema pgmend where they are missing. ERR_INPUT for a
 * name that no goal has, with those that look like it.
 */
bool kpi_record(struct ctx *ctx, struct db *db, const struct kpi_value *values, size_t count)
    MUST_CHECK;

/* A new goal, or what changes of one; NULL and NaN: as it is. */
struct kpi_definition {
    const char *name;
    const char *title;
    const char *unit;
    const char *less_is_better; /* "true", "false" */
    double target;
    const char *deadline; /* date */
};
bool kpi_define(struct ctx *ctx, struct db *db, const struct kpi_definition *definition) MUST_CHECK;

/*
 * A number as people write it for this goal: "99.9%", "180 ms", "$25", "12". ERR_INPUT for what is no
 * number or cannot be meant (a ratio above 1).
 */
bool kpi_read_number(struct ctx *ctx, const char *name, const char *text, double *ret) MUST_CHECK;
/* "2026-11-23" (its midnight, UTC) or "2026-11-23T10:00:00Z". */
bool kpi_read_time(struct ctx *ctx, const char *text, int64_t *ret_wall_us) MUST_CHECK;

/* Columns name, value, and perhaps at and note, in the order of the header. ERR_INPUT with file:line. */
bool kpi_read_csv(struct ctx *ctx, const char *path, struct kpi_value **ret, size_t *ret_count)
    MUST_CHECK;

/* Reads what there is; tables that are missing are no error. Writes nothing. */
bool kpi_load(struct ctx *ctx, struct db *db, struct kpis *ret) MUST_CHECK;

/* Array; caller owns it. */
json_t *kpi_json(const struct kpis *kpis);

/* "98.7 %", "180 ms", "12 per day"; "unknown" for NaN. */
const char *kpi_show(struct arena *arena, const char *unit, double value);

/*
 * The same on an evented connection that is open and not busy, with no wait: *done is called once,
 * from the loop. What is read and the error live in the arena, which must live until then.
 */
typedef void kpi_asked(void *data, const struct kpis *kpis, const struct error *error);
void kpi_ask(struct evented *evented, struct arena *arena, kpi_asked *done, void *data);
typedef void kpi_told(void *data, const struct error *error);
void kpi_tell(struct evented *evented, struct arena *arena, const struct kpi_value *value,
    kpi_told *done, void *data);
