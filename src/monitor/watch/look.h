/*
 * Looks at a server by a connection that waits: for commands of people, who look once or every few
 * seconds. The answers are those that a watch collects, in the same struct.
 */
#pragma once

#include "db/db.h"
#include "monitor/monitor.h"

struct look;

/* Shortens the time-outs of db's session, which is the look's from now on; db is not closed. */
bool look_open(struct ctx *ctx, struct db *db, enum host_mode host, struct look **ret) MUST_CHECK;
void look_free(struct look *look);
void look_cleanup(struct look **look);

/*
 * Asks these collectors (count 0: all); what the last answer was is the one before from then on. What
 * the server refuses stands in its reading. False when the connection is lost or a signal came.
 */
bool look_ask(struct ctx *ctx, struct look *look, const enum collector_id *ids, size_t count)
    MUST_CHECK;

/* Changes with each call of look_ask(), and stays in place. */
struct watched *look_server(struct look *look);
