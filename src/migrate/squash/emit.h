/* What pgmend applied, as a revision of Alembic. */
#pragma once

#include "change/journal.h"
#include "migrate/squash/squash.h"

struct emission {
    struct squash_file file; /* .text NULL: there is nothing to emit */
    size_t emitted;
    struct text_list known;   /* objects that the history makes already */
    struct text_list altered; /* that are not there as the journal says: a sentence each */
};

struct emission_options {
    const char *head;    /* --head: the revision that it follows; NULL: the only head */
    const char *message; /* or NULL */
};

/*
 * The changes that stand by the journal of the database and that the history does not make, as one
 * revision that does nothing where they stand. ERR_INPUT with several heads and none named.
 */
bool emission_make(struct ctx *ctx, struct db *db, const struct environment *environment,
    const struct emission_options *options, struct emission *ret) MUST_CHECK;
