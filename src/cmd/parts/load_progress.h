/*
 * What happens beside a load run: a line on the terminal, the result saved once in a while, and the watch
 * of the server's side told when it counts.
 */
#pragma once

#include "load/facts/facts.h"

struct load_progress;

/* output: the file that the result is saved in, with is_complete false, every ten seconds; NULL: none. */
struct load_progress *load_progress_new(struct ctx *ctx, const struct load_scenario *scenario,
    const char *output, struct load_watch *watch);

/* As struct load_options wants them; data is the progress. */
void load_progress_tell(
    void *data, const struct load_record *record, const struct load_moment *moment);
void load_progress_count(void *data, bool is_begin);

/* Clears the line, waits for a save that is under way. */
void load_progress_end(struct load_progress *progress);
