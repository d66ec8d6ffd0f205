/* What the files of the KPIs share. */
#pragma once

#include "monitor/kpi/kpi.h"
#include "sql.h"

/* Where values of a goal are measured beside what people tell. */
enum kpi_measure { MEASURE_NONE, MEASURE_CACHE_HIT, MEASURE_VECTOR_SEARCH };

/* A goal of the plan. */
struct kpi_goal {
    const char *name;
    const char *title;
    const char *group;
    const char *unit;
    bool less_is_better;
    bool target_is_inclusive;
    double target;
    const char *planned;
    const char *how;    /* what makes its value known when nothing measures it: a command */
    const char *metric; /* of the monitor's store, or NULL */
    enum kpi_measure measure;
    int deadline_days; /* after the first change; 0: see months */
    int deadline_months;
};
extern const struct kpi_goal kpi_goals[];
extern const size_t kpi_goal_count;
const struct kpi_goal *kpi_goal_find(const char *name);

/* Everything that was read. */
struct kpi_sources {
    int64_t first_change_wall_us; /* 0: none yet */
    const char *grant;            /* what lets the role read more; NULL: nothing is hidden */
    struct sql_monitor_kpi_definitions_rows definitions;
    struct sql_monitor_kpi_values_rows values;
    struct sql_monitor_kpi_snapshots_rows snapshots;
    struct sql_monitor_kpi_stored_rows stored;
    struct sql_monitor_kpi_database_rows database;
};
void kpi_make(struct arena *arena, const struct kpi_sources *sources, struct kpis *ret);

/* One value of a goal. */
struct kpi_point {
    int64_t at_us;
    double value;
    const char *source;
};
struct kpi_points {
    struct kpi_point *items;
    size_t count;
    size_t capacity;
};

/* What snapshots, store and server have measured of the goal; unsorted. */
void kpi_measure(struct arena *arena, const struct kpi_goal *goal,
    const struct kpi_sources *sources, struct kpi_points *points);

/* The slope by least squares, a week; NaN for fewer than two times. */
double kpi_trend(const struct kpi_points *points);

/* The argument of kpi_put.sql. */
const char *kpi_values_text(struct arena *arena, const struct kpi_value *values, size_t count);

/* The names of the plan's goals as an array of the server's. */
const char *kpi_goal_names(struct arena *arena);
/* The same of their metrics in the monitor's store. */
const char *kpi_goal_metrics(struct arena *arena);

/* What the server said of a name that no goal has becomes ERR_INPUT with those that look like it. */
bool kpi_unknown_name(struct ctx *ctx, const struct kpi_value *values, size_t count);

/* ERR_RIGHTS gets a hint with the GRANT, for the role as SQL has it; other errors stay as they are. */
void kpi_hint_rights(struct ctx *ctx, const char *role);
/* ERR_RIGHTS with that hint: the tables are there, and the role may not read them. */
bool kpi_refuse_hidden(struct ctx *ctx, const char *role);

/* A number that a goal of this unit can have: not below zero, and no share over one. */
bool kpi_check_sense(struct ctx *ctx, const char *name, double value, const char *unit) MUST_CHECK;

/* The same by the units that were kept of the goals. */
bool kpi_check_units(struct ctx *ctx, const struct kpi_value *values, size_t count,
    const struct sql_monitor_kpi_definitions_rows *definitions) MUST_CHECK;

/* Whether text has control characters other than line ends and tabs, which a terminal would obey. */
bool kpi_has_controls(const char *text);

/* Finite, of a name that can be one, and what the plan's goal can be. */
bool kpi_check_values(struct ctx *ctx, const struct kpi_value *values, size_t count) MUST_CHECK;
