/*
 * Files of a private server's relations, made by us: all holes but for the pages that the planner reads, which are
 * the meta page of an index, and of a B-tree one way from its root to an empty leaf, as high as it would be with data.
 */
#pragma once

#include "db/db.h"
#include "staging/private_server.h"

struct relation_file {
    uint32_t id; /* oid of the relation */
    bool is_index;
    const char *method;    /* of an index */
    const char *path;      /* below the data folder */
    double width;          /* bytes of a B-tree's keys on average */
    int64_t blocks;        /* wanted */
    uint32_t parent;       /* the table of an index; 0: none */
    int64_t parent_blocks; /* of the table, for BRIN; 0: not known */
};

/*
 * Each relation gets a new file of that many blocks (never fewer than an empty index has), and the catalogue
 * points to it: so no page of the old one that the server has in memory can be in the way.
 */
bool relation_files_replace(struct ctx *ctx, struct private_server *server, struct db *db,
    const struct relation_file *files, size_t count) MUST_CHECK;

/*
 * Makes such a file, whose number is told, and points nobody to it. The pages that it takes over from the
 * old one have to be on disk: those of a B-tree are as soon as it is built, of others after a CHECKPOINT.
 */
bool relation_file_make(struct ctx *ctx, struct private_server *server,
    const struct relation_file *file, uint32_t *ret_number) MUST_CHECK;

/* Makes the file longer where it is: for an index that was just built and that nobody has read. */
bool relation_file_extend(struct ctx *ctx, const struct private_server *server,
    const struct relation_file *file) MUST_CHECK;

/* Points relations to files that are there. */
bool relation_files_point(struct ctx *ctx, struct db *db, const uint32_t *relations,
    const uint32_t *files, size_t count) MUST_CHECK;

/* The number in a path: "base/5/16389" → 16389. */
uint32_t relation_file_number(const char *path);
