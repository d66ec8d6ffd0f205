/* Whether the server's disks have room, as far as this machine can see them. */
#pragma once

#include "db/db.h"

struct room {
    bool is_seen;        /* the server's own folders are on this machine and readable */
    const char *why_not; /* when it is not seen */
    const char *data_path;
    const char *wal_path;
};

/*
 * Looks for the server's data folder on this machine, and makes sure by its pg_control that it is
 * this very cluster's.
 */
bool room_find(struct ctx *ctx, struct db *db, struct room *ret) MUST_CHECK;
