/* Whether a server, or another address, is of this machine. */
#pragma once

#include "base/arena.h"

/* A socket, the loopback, or an address or the name of this machine; no name is looked up. */
bool db_local_is_here(const char *host);

struct db_local_question {
    const char *host;           /* of the connection; NULL: believed to be this machine */
    int backend_pid;            /* of our session */
    const char *data_directory; /* or NULL */
    const char *root;           /* as in base/proc.h; NULL: "" */
};

/*
 * The postmaster of our session, proven by what /proc says of both processes. 0: it is not seen here,
 * and *ret_why is a clause that says why.
 */
int db_local_postmaster(
    struct arena *arena, const struct db_local_question *question, const char **ret_why);
