/* A copy of the database made as the user wants it: where from, masked how, with which statistics. */
#pragma once

#include "cli/command.h"
#include "staging/mask.h"
#include "staging/scratch.h"
#include "staging/stage.h"

/* Options that the commands share. */
struct staging_options {
    const char *from; /* dump, template or backup; NULL: dump */
    const char *mask; /* file of rules, or NULL */
    const char *mask_key;
    const char *statistics;
    const char *on;
    const char *backup_dir;
    int32_t jobs;
    const char *scratch_template;
    const char *maintenance_db;
    const char *bin_dir;
    bool end_sessions;
    bool suggest;
};

/* The first is of staging refresh alone, the last of staging create alone. */
enum { STAGING_FIELD_COUNT = 12 };
extern const struct field staging_fields[STAGING_FIELD_COUNT];

/* A copy that is made and has no name yet; staging_made_end() drops it and closes the session. */
struct staging_made {
    struct db *admin;
    struct scratch scratch;
    const char *way;
    const char *of; /* the database */
    const char *cluster;
    const char *backup; /* its name, or NULL */
    bool is_public;
    size_t masked; /* columns */
    struct mask_result mask;
    struct text_list without; /* columns that no rule is about, when there are rules */
    size_t equal_tables;      /* compared to the last byte; 0: not compared */
    int64_t bytes;
    int64_t us;
    struct text_list notes;
};

/* The operand, else the name of the live database with _staging. */
const char *staging_name(struct ctx *ctx, const struct run *run);

/* what: the command, for progress. With way "template" run->db must be the only session. */
bool staging_make(struct ctx *ctx, struct run *run, const struct staging_options *options,
    const char *what, struct staging_made *ret) MUST_CHECK;
void staging_made_end(struct staging_made *made);

/* Names the copy and prints what was done, for staging create and refresh. */
bool staging_hand_out(struct ctx *ctx, struct run *run, struct staging_made *made,
    const struct staging_options *options, const char *name, bool is_refresh) MUST_CHECK;
