/* What the files of this folder share; nobody else includes this. */
#pragma once

#include "bluegreen/bluegreen.h"

/* Runs one statement that is composed. */
bool bg_exec(struct ctx *ctx, struct db *db, const char *format, ...) PRINTF_LIKE(3, 4);

/* "host='…' port='…' user='…'", without database and password. */
const char *bg_conninfo(struct ctx *ctx, const struct db *db, const char *url);
const char *bg_with_database(struct arena *arena, const char *conninfo, const char *database);

/* Number of the cluster, else host and port. */
bool bg_cluster(struct ctx *ctx, struct db *db, const char **ret);
bool bg_database_id(struct ctx *ctx, struct db *db, const char *name, uint32_t *ret);

/* A session like db in another database of its server. */
bool bg_open_like(
    struct ctx *ctx, struct db *db, const char *database, enum access access, struct db **ret);

/* Schema pgmend with our two tables. */
bool bg_install(struct ctx *ctx, struct db *db);

/* The tables to be published: roots of partitioned ones, quoted, each once. */
struct sql_bluegreen_tables_rows;
void bg_roots(struct arena *arena, const struct sql_bluegreen_tables_rows *tables,
    bool without_revisions, struct text_list *ret);

/* Writers of the database that is not live are refused, and again allowed. */
bool bg_close_writers(struct ctx *ctx, struct db *db, bool is_closed);

bool bg_publish(struct ctx *ctx, struct bluegreen *pair, int side);
bool bg_make_slot(
    struct ctx *ctx, struct bluegreen *pair, int target, const struct bluegreen_patience *patience);
bool bg_subscribe(struct ctx *ctx, struct bluegreen *pair, int target, bool copies_rows);
bool bg_enable(struct ctx *ctx, struct bluegreen *pair, int target, bool is_enabled);
/* Fine when it is not there. */
bool bg_drop_subscription(struct ctx *ctx, struct bluegreen *pair, int target);
bool bg_drop_slot(struct ctx *ctx, struct bluegreen *pair, int target);
bool bg_drop_publication(struct ctx *ctx, struct bluegreen *pair, int side);

/* The schema of a side as JSON becomes what drift is measured by. */
bool bg_take_schema(struct ctx *ctx, struct bluegreen *pair, int side);

/* The clients' way to the target: renamed databases, or the pooler's file. */
struct pgbouncer;
struct bg_move {
    struct bluegreen *pair;
    const struct bluegreen_switch_options *options;
    struct pgbouncer *pooler;
    struct text_list entries; /* what clients say */
    struct bluegreen_switched *ret;
};
/* Before the pause: whether it could be done. */
bool bg_check_move(struct ctx *ctx, struct bg_move *move);
bool bg_move_clients(struct ctx *ctx, struct bg_move *move);
/* Whether the clients' name leads to the target already. */
bool bg_are_moved(struct ctx *ctx, struct bg_move *move, bool *ret);
/* Puts a configuration file back that was written and not read; for what was not moved after all. */
bool bg_unmove_file(struct ctx *ctx, struct bg_move *move);

bool bg_carry_sequences(
    struct ctx *ctx, struct bluegreen *pair, int target, int64_t margin, size_t *ret_count);
