/*
 * JSON lines in a folder: a line a tick and server, a file a day and part (monitor-2026-11-23.jsonl),
 * fsynced, and the oldest removed when the folder passes its size. What cannot be written (disk
 * full, read-only) is counted and told once, and the next tick tries again.
 */
#pragma once

#include "monitor/alert/alert.h"

struct output_files_options {
    const char *folder;
    int64_t most_bytes;      /* of all files; 0: 1 GB */
    int64_t most_file_bytes; /* 0: 64 MB */
};

bool output_files_open(struct ctx *ctx, const struct output_files_options *options,
    struct output_files **ret) MUST_CHECK;
/* The tick as a line: server, times, gap, samples, sessions that wait, statements' deltas, host. */
void output_files_tick(struct output_files *files, const struct watched *server);
void output_files_alert(struct output_files *files, const struct alert *alert);
/* NULL: fine; else what is wrong now. */
const char *output_files_error(const struct output_files *files);
void output_files_close(struct output_files *files);
