/* What reword.c and prove.c share: the copy by which rewordings are known, in steps. */
#pragma once

#include "migrate/squash/squash.h"
#include "staging/schema_copy.h"

struct reword {
    struct replayed copy;
    struct schema_dump dump;
    bool is_running;
};

struct reword_request {
    struct db *db; /* of the server */
    const struct dump_tools *tools;
    const char *scratch_template;
    const struct schema *schema;
    const char *dump; /* of it, by pg_dump -s */
};

/* Restores the dump, compares, and starts a pg_dump of the copy. */
bool reword_begin(struct ctx *ctx, const struct reword_request *request, struct reword *reword,
    struct squash_rewording *ret) MUST_CHECK;

/* Waits for pg_dump; then the rewording is known, if the dump could be restored at all. */
bool reword_end(struct ctx *ctx, struct reword *reword, struct squash_rewording *ret) MUST_CHECK;

/* Drops the copy; may always be called, for CLEANUP. */
void reword_stop(struct reword *reword);
