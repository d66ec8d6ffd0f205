/* What the store's own files share. */
#pragma once

#include "monitor/store/store.h"
#include "sql.h"

struct id_set {
    struct arena *arena;
    int64_t *items; /* 0: free */
    size_t count;
    size_t capacity; /* a power of two */
};
void id_set_clear(struct id_set *set);

struct store_server {
    const char *name;
    int32_t id;        /* in the store; 0: to be asked */
    int64_t tables_us; /* at_wall_us when they were stored last */
    int64_t indexes_us;
    int64_t day;         /* since 1970, of the texts that were sent */
    struct id_set texts; /* query ids whose text was sent that day */
};

/* A tick, as arguments of what stores it; those that have nothing are left out. */
struct store_item {
    struct store_server *server;
    bool has_samples;
    bool has_statements;
    bool has_texts;
    bool has_sessions;
    bool has_tables;
    bool has_indexes;
    struct sql_monitor_store_put_sample_args samples;
    struct sql_monitor_store_put_statements_args statements;
    struct sql_monitor_store_put_texts_args texts;
    struct sql_monitor_store_put_sessions_args sessions;
    struct sql_monitor_store_put_relations_args tables;
    struct sql_monitor_store_put_relations_args indexes;
};

/* The ticks of some seconds, in one arena. */
struct store_batch {
    struct store_batch *next;
    struct arena *arena;
    VEC(struct store_item) items;
    size_t written; /* of the items */
};

/* Fills the item from the tick. */
void store_item_fill(struct arena *arena, const struct watched *watched,
    struct store_server *server, struct store_item *ret);

/* Makes what is missing, or says what has to be granted. */
bool store_install(struct ctx *ctx, struct db *db, const struct store_options *options) MUST_CHECK;
/* CREATE or DROP of a partition. */
const char *store_partition_sql(
    struct arena *arena, const struct sql_monitor_store_partitions *partition);
