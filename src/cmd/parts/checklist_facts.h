/* What was looked at for the checklist; for its own files. */
#pragma once

#include "change/plan.h"
#include "change/step.h"
#include "cmd/parts/checklist.h"
#include "sql.h"

/* An index that pgmend built, as it is now. */
struct checklist_index {
    const char *name;
    const char *wrong; /* "is gone", "INVALID", "altered since"; NULL: as planned */
    int64_t scans;
};

/* A member why is set instead of what could not be read. */
struct checklist_facts {
    const char *backup;         /* name of the newest verified one, or NULL */
    const char *backup_why_not; /* a sentence */
    struct sql_change_gates_rows gates;
    const char *gates_why;
    struct sighting sighting;
    const char *sighting_why;
    VEC(struct checklist_index) indexes;
    size_t unfinished;         /* entries of indexes that were begun and not ended */
    const char *vector_search; /* the installed one, or NULL */
    const char *journal_why;
    struct sql_change_runs_rows runs; /* the newest first */
    const char *runs_why;
    bool has_plan;
    struct plan plan; /* the newest that was kept */
    struct step_records steps;
    const char *steps_why;
    struct kpis kpis;
    const char *kpis_why;
    struct sql_change_checklist_place place;
};
