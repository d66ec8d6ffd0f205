/* The programs pg_dump and pg_restore: which ones, and are they good enough. */
#pragma once

#include "base/ctx.h"
#include "base/text.h"

struct dump_tools {
    const char *dump; /* what to start: a path, or a name to be looked up in PATH */
    const char *restore;
    int version;              /* 150020: of pg_dump */
    const char *version_text; /* "15.20" */
};

/*
 * Looks in bin_folder if that is given; else in PATH, and when the one there is of another major
 * than the server, in the folder where Debian keeps that major. ERR_UNSUPPORTED when there is none
 * or only ones older than the server. A version with known holes is a sentence in ret_notes.
 */
bool dump_tools_find(struct ctx *ctx, const char *bin_folder, int server_major,
    struct dump_tools *ret, struct text_list *ret_notes) MUST_CHECK;
