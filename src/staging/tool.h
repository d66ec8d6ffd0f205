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
 * than the server, in the folder where Debian keeps that major, then those of newer ones that can
 * restore into the server. ERR_UNSUPPORTED when there is none or only ones older than the server.
 * A version with known holes, or whose archives the server cannot take, is a sentence in ret_notes.
 */
bool dump_tools_find(struct ctx *ctx, const char *bin_folder, int server_major,
    struct dump_tools *ret, struct text_list *ret_notes) MUST_CHECK;

/*
 * Whether an archive that these programs write can be restored into a server of this major; 0: any.
 */
bool dump_tools_can_restore(const struct dump_tools *tools, int server_major);
