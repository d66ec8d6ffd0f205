/*
 * The checklists and the four weeks of an optimisation: what has to be done, by whom, until when. What can
 * be measured is looked at each time; the rest is ticked by people and kept in pgmend.checklist, a row a
 * tick, so that who said what stays known.
 */
#pragma once

#include "base/vec.h"
#include "change/journal.h"
#include "cmd/parts/gate_monitor.h"
#include "monitor/kpi/kpi.h"

/* How it is known that an item is done. says: in the table of docs/checklist.md. */
#define CHECKLIST_MEASURES(X)                                                                    \
    X(MEASURE_BY_HAND, by_hand, "a person ticks it")                                             \
    X(MEASURE_BACKUP, backup, "a backup was restored and compared")                              \
    X(MEASURE_STAGING, staging, "a rehearsal with rows, or gate pass, was recorded")             \
    X(MEASURE_REHEARSED, rehearsed, "a rehearsal was recorded: applied and undone on a copy")    \
    X(MEASURE_TEAM, team, "gate pass team was recorded")                                         \
    X(MEASURE_MONITOR, monitor,                                                                  \
        "a monitor saw it in the last two minutes, or gate pass monitoring")                     \
    X(MEASURE_ALERTS, alerts, "a monitor judges its rules now, and none is critical")            \
    X(MEASURE_CALM, calm, "48 hours were watched without a critical alert")                      \
    X(MEASURE_PLAN, plan, "a plan was applied, and a step of it is about migrations")            \
    X(MEASURE_PHASE, phase, "its steps are proven, done, ticked, or undone as they did not pay") \
    X(MEASURE_INDEXES, indexes, "all indexes of the journal are valid, and as planned")          \
    X(MEASURE_USED, used, "each of these indexes was scanned (pg_stat_user_indexes)")            \
    X(MEASURE_RUNS, runs, "the last run of pgmend that touched anything did not fail")           \
    X(MEASURE_VECTOR_INDEX, vector_index, "a valid IVFFlat or HNSW index is there")              \
    X(MEASURE_VECTOR_SEARCH, vector_search,                                                      \
        "an installed search whose recall held when it was applied")                             \
    X(MEASURE_STATEMENTS, statements, "pg_stat_statements is there and counts")                  \
    X(MEASURE_KPI, kpi, "the KPI has met its target")                                            \
    X(MEASURE_TECHNICAL, technical, "all technical KPIs have met their targets")
#define CHECKLIST_ENUM(id, function, says) id,
enum checklist_measure { CHECKLIST_MEASURES(CHECKLIST_ENUM) CHECKLIST_MEASURE_COUNT };
#undef CHECKLIST_ENUM

struct checklist_item {
    const char *id; /* kebab-case; never changes */
    const char *section;
    const char *title;
    const char *owner; /* a role: "devops", "backend", "ai-ml", "qa", "product" */
    int32_t week;      /* 1 to 4; 0: after the four weeks */
    int32_t day;       /* 1 is Monday; until when it should be done */
    enum checklist_measure measure;
    const char *of;  /* of a measure: a phase or a KPI; else NULL */
    const char *how; /* the command that helps, or NULL */
};

struct checklist_section {
    const char *name;
    const char *title;
};

extern const struct checklist_section checklist_sections[];
extern const size_t checklist_section_count;
extern const struct checklist_item checklist_items[];
extern const size_t checklist_item_count;

/* The texts of the measures. */
const char *checklist_measure_says(enum checklist_measure measure);

/* The item; ERR_INPUT with those that look like it. */
bool checklist_find(struct ctx *ctx, const char *id, const struct checklist_item **ret) MUST_CHECK;
/* ERR_USAGE with those that there are. */
bool checklist_find_section(struct ctx *ctx, const char *name) MUST_CHECK;

/* -- what is measured -- */

struct checklist_place {
    struct db *db;
    const char *backup_dir;
    const char *state_dir;
};

/* What was looked at, once for all items. A part that could not be read has its reason in why. */
struct checklist_facts;
bool checklist_facts_load(struct ctx *ctx, const struct checklist_place *place,
    const struct checklist_facts **ret) MUST_CHECK;

/* told: somebody said so elsewhere (gate pass), and nothing measures it. */
enum checklist_verdict { VERDICT_OPEN, VERDICT_DONE, VERDICT_UNKNOWN, VERDICT_TOLD };
struct checklist_measured {
    enum checklist_verdict verdict;
    const char *evidence; /* a sentence without a full stop; NULL: nothing to say */
};
void checklist_measure(struct arena *arena, const struct checklist_facts *facts,
    const struct checklist_item *item, struct checklist_measured *ret);

/* -- the list as it is -- */

#define CHECKLIST_STATES(X)    \
    X(ITEM_OPEN, "open")       \
    X(ITEM_UNKNOWN, "unknown") \
    X(ITEM_TICKED, "ticked")   \
    X(ITEM_DONE, "done")
/* ticked: a person says so although it can be measured and the measure does not say it. */
#define CHECKLIST_ENUM(id, name) id,
enum checklist_state { CHECKLIST_STATES(CHECKLIST_ENUM) CHECKLIST_STATE_COUNT };
#undef CHECKLIST_ENUM
const char *checklist_state_name(enum checklist_state state);

struct checklist_line {
    const struct checklist_item *item;
    enum checklist_state state;
    bool is_measured;
    const char *evidence; /* or NULL */
    const char *actor;    /* who ticked it; NULL: nobody */
    const char *at;
    const char *note;
    const char *due; /* "2026-12-04"; NULL: no start is known, or after the four weeks */
};

struct checklist {
    struct checklist_line *items; /* one an item, in their order */
    size_t count;
    size_t capacity;
    const char *start; /* the Monday of week 1, or NULL */
    const char *today; /* by the server's clock, UTC */
};

/* start: a date for this look alone, or NULL for the kept one. Writes nothing. */
bool checklist_load(struct ctx *ctx, const struct checklist_place *place, const char *start,
    struct checklist *ret) MUST_CHECK;

/* Whether it need not be done any more. */
bool checklist_is_done(const struct checklist_line *line);

/* Keeps a tick or its withdrawal (done false). Makes the table where it is missing. */
bool checklist_put(struct ctx *ctx, struct db *db, const char *item, bool done, const char *note)
    MUST_CHECK;
/* Keeps the Monday of week 1. ERR_USAGE when the date is none, or no Monday. */
bool checklist_start(struct ctx *ctx, struct db *db, const char *date) MUST_CHECK;

/* -- how it is shown; owners: "devops=Anna" -- */

struct checklist_view {
    const char *section; /* or NULL: all */
    bool open_only;
    const struct text_list *owners;
};
void checklist_print(
    struct ctx *ctx, FILE *out, const struct checklist *list, const struct checklist_view *view);
void checklist_print_markdown(
    struct ctx *ctx, FILE *out, const struct checklist *list, const struct checklist_view *view);
/* Caller owns it. */
json_t *checklist_json(
    struct ctx *ctx, const struct checklist *list, const struct checklist_view *view);
