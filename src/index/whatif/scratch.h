/* The scratch server behind whatif_scratch: sessions on it, and which of its indexes the planner sees. */
#pragma once

#include "base/map.h"
#include "db/query.h"
#include "index/whatif/way.h"
#include "staging/private_server.h"

/* Names of added indexes go on with their number, and those of parts with "_" and another one. */
#define SCRATCH_INDEX_PREFIX "pgmend_what_if_"

/* A table, or a partition, that lends its file away while indexes are made. */
struct scratch_leaf {
    uint32_t id;
    uint32_t file; /* of full length; 0: it has none */
    uint32_t empty;
    const char *path;
    double rows;
    int32_t pages;
    int32_t visible;
    int64_t blocks;
};

struct scratch_table {
    struct scratch_leaf *leaves;
    size_t count;
    int64_t blocks;    /* of all */
    bool is_collapsed; /* its files are the empty ones now */
};

/* An index that was added: one, or with its parts on partitions. */
struct scratch_index {
    const uint32_t *ids;
    size_t count;
    bool is_shown;
    bool is_wanted;
};

/* One that was there; parts follow their parent. */
struct scratch_real {
    uint32_t id;
    uint32_t parent;
    bool is_hidden;
    bool is_unwanted;
};

struct scratch_way {
    struct arena *arena;
    struct private_server *server;
    struct db *admin;   /* superuser: writes the catalogue, runs nothing of the database's */
    struct db *builder; /* owner: makes indexes */
    struct map tables;  /* qualified → struct scratch_table */
    VEC(struct scratch_table *) collapsed;
    VEC(struct scratch_index) indexes; /* number 1 first */
    VEC(struct scratch_real) reals;
    struct map real_positions;   /* qualified → size_t in the arena: position in reals */
    struct text_list extensions; /* made here */
};

/* Starts the server and carries schema, statistics and settings to it; fills way_data as far as it comes. */
bool scratch_way_open(struct ctx *ctx, struct whatif *whatif, const struct whatif_options *options)
    MUST_CHECK;

/*
 * Statements that run thousands of times in the admin's session are prepared there once: to parse
 * and plan them takes longer than to run them. The argument is their only one; ret may be NULL.
 */
bool scratch_way_prepare(struct ctx *ctx, struct scratch_way *way) MUST_CHECK;
bool scratch_way_run(struct ctx *ctx, struct scratch_way *way, const struct query *query,
    const char *arg, struct result *ret) MUST_CHECK;

/* Gives tables their files back. */
bool scratch_way_restore(struct ctx *ctx, struct scratch_way *way) MUST_CHECK;

/* Makes an index; it is hidden. As whatif_add(). */
bool scratch_way_add(struct ctx *ctx, struct whatif *whatif,
    const struct index_candidate *candidate, int64_t bytes, uint32_t *ret_number,
    const char **ret_problem) MUST_CHECK;
