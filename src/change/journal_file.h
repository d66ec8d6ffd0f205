/* The local half of the journal: JSON lines, fsynced one by one. */
#pragma once

#include "change/journal.h"

bool journal_file_add_entry(struct ctx *ctx, const char *path, const struct journal_entry *entry)
    MUST_CHECK;

/* A line about a run: what it is when it begins, NULL in about when it ends. */
bool journal_file_add_run(struct ctx *ctx, const char *path, const char *run,
    const struct journal_run *about, const char *state, const char *at) MUST_CHECK;

/* A run as its lines tell. */
struct journal_file_run {
    const char *run;
    const char *command;
    const char *plan_hash; /* or NULL */
    const char *overrides; /* or NULL */
    const char *actor;     /* role; NULL: an older version has not written it */
    const char *client;    /* the same */
    const char *state;
    const char *started_at;
    const char *ended_at; /* NULL: no line says so */
};

struct journal_file_runs {
    struct journal_file_run *items; /* in the order they began */
    size_t count;
    size_t capacity;
};

/* None when there is no file; lines that are no run's are passed over. */
bool journal_file_read_runs(struct ctx *ctx, const char *path, struct journal_file_runs *ret)
    MUST_CHECK;

/*
 * Cuts off a torn last line (the machine lost power while writing it), so that the next one does
 * not become a part of it; says in *ret_torn whether there was one.
 */
bool journal_file_mend(struct ctx *ctx, const char *path, bool *ret_torn) MUST_CHECK;

/*
 * The last state of each entry in the file, in the order they began; none when there is no file.
 * A torn last line is left out; damage elsewhere is ERR_INPUT with file:line.
 */
bool journal_file_read(struct ctx *ctx, const char *path, struct journal_entries *ret) MUST_CHECK;
