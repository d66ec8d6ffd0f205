/* The steps of "migrations consolidate", and what they show. */
#pragma once

#include "cli/command.h"
#include "cli/out.h"
#include "migrate/squash/squash.h"

struct consolidate_options {
    int32_t target;
    const char *group_by;
    const char *out;
    bool dry_run;
    bool undo;
    bool merge_heads;
    const char *baseline;
    struct text_list database;
    const char *data_proof;
    const char *backup_dir;
    bool accept_drift;
    bool accept_behind;
    bool accept_undecided;
    bool allow_local_changes;
    bool sql_only;
    const char *scratch_url;
    const char *scratch_template;
    const char *alembic;
    struct text_list url_env;
    bool plain_env;
    const char *section;
    const char *bin_dir;
};

/* One run: filled from top to bottom, step by step. */
struct consolidate {
    struct run *run;
    const struct consolidate_options *opts;
    struct progress progress;
    int64_t started_us;
    int64_t alembic_us; /* of one replay of the old history, for the estimate of what is left */
    size_t replays_left;

    struct environment environment;
    struct analysis analysis;
    const char *head;
    const char *version_table; /* "public.alembic_version" */
    struct squash_place_lock lock;
    struct text_list notes;

    struct db *target; /* NULL: none was named */
    struct db *admin;  /* a session on the server of the scratch databases */
    struct alembic alembic;
    VEC(struct squash_database) databases;

    struct replayed old;
    struct replayed again;
    struct text_list undecided;
    struct squash_drift drift;
    bool has_drift;
    struct squash_plan plan;
    struct seeds seeds;
    struct squash_files files;
    const char *new_folder;
    struct squash_proof proof;
    bool has_proof;
    struct replayed fresh;
    const char *data_proof; /* a sentence */
    struct squash_place place;
    bool is_placed;
    const char *report; /* path of the HTML page */
};

/* Closes and drops whatever is still there. */
void consolidate_end(struct consolidate *work);

/* The history, the databases and Alembic: nothing is run yet. */
bool consolidate_begin(struct ctx *ctx, struct consolidate *work) MUST_CHECK;

/* Runs the old history, compares the target with it, and writes the new one into a work folder. */
bool consolidate_make(struct ctx *ctx, struct consolidate *work) MUST_CHECK;

/* Runs the new history and compares; ERR_VERIFICATION when anything differs. */
bool consolidate_prove(struct ctx *ctx, struct consolidate *work) MUST_CHECK;

/* ERR_GATE when a database is not at the head. */
bool consolidate_check_databases(struct ctx *ctx, const struct consolidate *work) MUST_CHECK;

/* What must be so before anything is put in place; ERR_GATE names what is not. */
bool consolidate_check(struct ctx *ctx, const struct consolidate *work) MUST_CHECK;

/* Puts the files in place, or into --out; writes the reports. */
bool consolidate_place(struct ctx *ctx, struct consolidate *work) MUST_CHECK;

/* What the reports and the screen are made of. */
struct squash_result consolidate_result(const struct consolidate *work);

/* The screen. */
void consolidate_print(struct ctx *ctx, const struct consolidate *work);

/* The old history does not run: its failure, and the repair as a diff on the screen. */
bool consolidate_refuse(
    struct ctx *ctx, struct consolidate *work, const struct replay_request *request);

/* Tells which step begins. */
void consolidate_step(struct consolidate *work, const char *phase);
