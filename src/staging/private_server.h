/*
 * A PostgreSQL server of our own for a while: made with initdb in a private temporary folder, reached only by
 * a socket in it, without any durability, gone when we are, also when we are killed. Run as root, the server
 * runs as postgres or nobody.
 *
 * It ends with the thread that started it, which is therefore the main one or one that lives as long.
 */
#pragma once

#include "base/temporary.h"
#include "db/db.h"
#include "staging/watch.h"

/* Its cluster_name, by which others see that a session is on such a server. */
#define PRIVATE_SERVER_NAME "pgmend private server"

struct private_server_options {
    const char
        *bin_folder; /* with initdb and postgres; NULL: looked for as dump_tools_find() does */
    int major; /* wanted; another one is taken when it is not there, and noted; 0: the newest */
    struct db *like; /* its encoding and locale are taken, where they can be had here; or NULL */
    const struct step_watch *watch; /* or NULL */
};

struct private_server;

/* ERR_UNSUPPORTED, with the package to install, when there are no server programs. About two seconds. */
bool private_server_start(struct ctx *ctx, const struct private_server_options *options,
    struct private_server **ret, struct text_list *ret_notes) MUST_CHECK;
/* Stops it at once and removes all of it; also after a failure or a signal. NULL in *server: nothing. */
void private_server_cleanup(struct private_server **server);

int private_server_version(const struct private_server *server); /* 150020 */
/* The server's data folder; we may write in it. */
const char *private_server_data(const struct private_server *server);

/* A number for a file of a relation that we make ourselves; the server's own numbers stay far below. */
uint32_t private_server_new_file(struct private_server *server);

/* Creates the database if it is not there, and opens a session of the superuser in it. */
bool private_server_open(struct ctx *ctx, struct private_server *server, const char *database,
    struct db **ret) MUST_CHECK;

/* How to connect as a role to the database that this session is in: for db_options.url. */
const char *private_server_url(struct arena *arena, const struct db *db, const char *role);

/*
 * The role that owns what schema_load_…() makes on such a server, and is no superuser: so nothing that a dump
 * brings can reach outside of the server, also when a function of it is run by the planner.
 */
#define PRIVATE_SERVER_OWNER "pgmend_owner"
