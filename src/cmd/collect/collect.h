/*
 * What each feature proposes for a plan of the whole. A collector looks, writes nothing, and adds steps; what it
 * could not look at it says in the notes. Rows of collectors.c, asked in their order.
 */
#pragma once

#include "change/plan.h"
#include "cli/command.h"

struct collect_input {
    struct run *run;
    struct db *db;             /* read-only */
    const char *migrations;    /* folder of an Alembic project, or NULL */
    struct text_list scripts;  /* index scripts of the user */
    struct text_list plans;    /* plans that were made already ("vector tune -o") */
    struct text_list logs;     /* the server's */
    struct text_list traces;   /* of "queries trace" */
    struct text_list replicas; /* conninfo of standbys */
    int64_t time_limit_us;     /* of each collector that could take long */
    const char *bin_dir;       /* programs of a server, or NULL */
};

/* A step and its changes; step.first and step.id are set when all are ordered. */
struct collected_step {
    struct plan_step step;
    struct change *changes;
    size_t change_count;
};

struct collected {
    struct collected_step *items;
    size_t count;
    size_t capacity;
    struct text_list notes; /* what was not looked at and why, sentences */
};

struct collector {
    const char *name;
    const char *what; /* "indexes that the workload wants" */
    bool (*collect)(struct ctx *ctx, const struct collect_input *input, struct collected *ret);
};

extern const struct collector collectors[];
extern const size_t collector_count;

/* Appends a step of changes of a plan that is sealed; the step's own members are the caller's to fill. */
struct collected_step *collected_add(
    struct arena *arena, struct collected *collected, const struct plan *plan);
