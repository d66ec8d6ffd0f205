/*
 * What each feature proposes for a plan of the whole. A collector looks, writes nothing, and adds steps; what it
 * could not look at it says in the notes. Rows of collectors.c, asked in their order.
 */
#pragma once

#include "change/plan.h"
#include "cli/command.h"

struct collect_input {
    struct run *run;
    struct db *db;              /* read-only, a session of the collector's own */
    const char *migrations;     /* folder of an Alembic project, or NULL */
    struct text_list scripts;   /* index scripts of the user */
    struct text_list plans;     /* plans that were made already ("vector tune -o") */
    struct text_list logs;      /* the server's */
    struct text_list workloads; /* files of SQL, in place of pg_stat_statements */
    struct text_list traces;    /* of "queries trace" */
    struct text_list replicas;  /* conninfo of standbys */
    int64_t time_limit_us;      /* of each collector that could take long */
    const char *bin_dir;        /* programs of a server, or NULL */
    const char *backup_dir;     /* where verified backups are */
    struct progress *progress;  /* to be told, or NULL */
};

/* Where a step stands among those of its phase. */
enum collected_place {
    PLACE_BY_GAIN, /* by its gain against its risk: the standard */
    PLACE_FIRST,   /* what the others rest on: a backup, monitoring */
    PLACE_LAST,    /* what rests on the others: an index that a new one makes needless */
};

/* A step and its changes; step.first and step.id are set when all are ordered. */
struct collected_step {
    struct plan_step step;
    struct change *changes;
    size_t change_count;
    enum collected_place place;
    const char *follows; /* an index that has to stand before, quoted schema.name; or NULL */
};

struct collected {
    struct collected_step *items;
    size_t count;
    size_t capacity;
    struct text_list notes;   /* what was not looked at and why, sentences */
    struct text_list unseen;  /* names of the sources that could not look */
    struct text_list refused; /* those of them whose role may not */
};

struct plan_source {
    const char *name;
    const char *what;  /* "indexes for the workload" */
    bool is_asked_for; /* by naming files: if it fails, the plan would not be what was wished for */
    bool (*collect)(struct ctx *ctx, const struct collect_input *input, struct collected *ret);
};

extern const struct plan_source plan_sources[];
extern const size_t plan_source_count;

/*
 * Appends a step of changes of a plan that is sealed. Phase 1, gain unknown, risk and the time of the undo by
 * the changes; the step's other members are the caller's to fill.
 */
struct collected_step *collected_add(
    struct arena *arena, struct collected *collected, const struct plan *plan);

/* Appends a step by hand: phase, title, feature, why, manual and perhaps undo and gain_ratio are given. */
struct collected_step *collected_manual(
    struct arena *arena, struct collected *collected, const struct plan_step *step);

/* A note: "what was found, a sentence". */
void collected_note(struct arena *arena, struct collected *collected, const char *format, ...)
    PRINTF_LIKE(3, 4);

/*
 * Asks all collectors but those named in skip. One that cannot look is a note, unless it was asked for; false for
 * such a one, when the server is lost, or when a signal came.
 */
bool collect_all(struct ctx *ctx, const struct collect_input *input, const struct text_list *skip,
    struct collected *ret) MUST_CHECK;

/* "index on public.t (a, b DESC)": what an index is, without its name. */
const char *collected_index_title(struct arena *arena, const struct change *change);

/*
 * A change that cannot be done as it stands is told to a person; one that is there already is left out with a
 * note. True: it is pending, and *ret is a plan of it alone.
 */
bool collected_take(struct arena *arena, struct collected *collected, const struct plan *all,
    size_t position, struct plan *ret);

/* -- the collectors, a file each -- */

typedef bool collect_function(
    struct ctx *ctx, const struct collect_input *input, struct collected *ret);

collect_function collect_ready;   /* a verified backup, a fresh monitor */
collect_function collect_scripts; /* indexes that the user wants */
collect_function
    collect_indexes;             /* indexes that the workload wants, and those they make needless */
collect_function collect_upkeep; /* unusable, unused and doubled indexes */
collect_function collect_queries;    /* N+1 */
collect_function collect_vectors;    /* vector columns that are searched badly */
collect_function collect_plans;      /* plans that were made already */
collect_function collect_migrations; /* an Alembic history */
collect_function collect_settings;   /* of server, tables and roles */
collect_function collect_pool;       /* connections */
collect_function collect_partitions; /* tables that should be partitioned */
