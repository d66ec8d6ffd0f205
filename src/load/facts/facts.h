/*
 * The server's side of a run: what PostgreSQL counts, and the CPU of processes from /proc. Looked at from a
 * thread of its own once a second, by a session of its own; what is not known is left out.
 */
#pragma once

#include "load/result/record.h"

struct load_watch;

struct load_watch_options {
    const struct db *db; /* PostgreSQL beside the run; NULL: not looked at */
    const char *target;  /* HTTP: whose process listens there, with its family, is the API */
};

/* False only when the thread cannot be made. */
bool load_watch_new(
    struct ctx *ctx, const struct load_watch_options *options, struct load_watch **ret) MUST_CHECK;
/* What counts begins now, and ends now: facts are differences between these two moments. */
void load_watch_begin(struct load_watch *watch);
void load_watch_end(struct load_watch *watch);
/* After the end: fills facts in the order in which they are shown. Requests: those that were answered. */
bool load_watch_facts(struct ctx *ctx, struct load_watch *watch, struct load_record *record)
    MUST_CHECK;
void load_watch_free(struct load_watch *watch);
