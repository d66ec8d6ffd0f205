/* The local half of the journal: JSON lines, fsynced one by one. */
#pragma once

#include "change/journal.h"

bool journal_file_add_entry(
    struct ctx *ctx, const char *path, const struct journal_entry *entry) MUST_CHECK;

bool journal_file_add_run(struct ctx *ctx, const char *path, const char *run, const char *command,
    const char *state, const char *at) MUST_CHECK;

/*
 * The last state of each entry in the file, in the order they began; none when there is no file.
 * A torn last line (the machine lost power while writing it) is left out; damage elsewhere is
 * ERR_INPUT with file:line.
 */
bool journal_file_read(struct ctx *ctx, const char *path, struct journal_entries *ret) MUST_CHECK;
