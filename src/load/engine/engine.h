/*
 * Runs a scenario: virtual users on one thread, each with a connection; what is due is sent at its time,
 * and latency counts from the moment at which it was due. The engine knows nothing of protocols: that
 * is transport.h.
 */
#pragma once

#include "load/result/record.h"
#include "load/scenario/scenario.h"

struct load_options {
    const char *target;       /* instead of the scenario's; "127.0.0.1:8000", "[::1]:80" */
    struct text_list allowed; /* addresses beside loopback that may be loaded */
    const struct db *db;      /* SQL: where the sessions go to */
    uint64_t seed;
    bool
        until_signal; /* a signal ends the run and its result stands; else the run was stopped before its end */
    /* Once a second of the run, from the engine's thread, and once at its end; may be NULL. */
    void (*progress)(
        void *data, const struct load_record *record, const struct load_moment *moment);
    /* When the counted time begins, and when it ends (what is under way is then waited for); may be NULL. */
    void (*counting)(void *data, bool is_begin);
    void *data;
};

/*
 * Runs until the scenario's time is over or a signal comes; either way the record tells what was measured,
 * and record->is_complete whether it was all. The record was begun by load_record_begin(). ERR_USAGE, before
 * anything is sent, for a target that may not be loaded, for more than the caps allow, and for too few
 * descriptors (the hint says what to raise); ERR_CONNECTION when not one connection could be opened (with
 * the cause).
 */
bool load_engine_run(struct ctx *ctx, const struct load_scenario *scenario,
    const struct load_options *options, struct load_record *record) MUST_CHECK;
