/* Brings the rows into a database, or into files. */
#pragma once

#include "data/tables.h"
#include "db/db.h"

struct loading {
    const struct table *const *tables; /* in the order of tables[] */
    size_t table_count;
    bool is_fast;
    bool vacuums;
};

/* What was done for one table. */
struct loaded {
    const char *table;
    int64_t rows;
    int64_t bytes;
    double seconds;
};

/*
 * Fills the tables, which must exist and be empty, in one transaction, and analyzes them. ret has
 * room for a row a table. When it fails nothing was changed, unless the error says otherwise.
 */
bool load_database(struct ctx *ctx, struct db *db, const struct world *world,
    const struct loading *loading, struct loaded *ret) MUST_CHECK;

/* Writes TABLE.copy for each table and load.sql, which loads them with psql. */
bool load_files(struct ctx *ctx, const char *folder, const struct world *world,
    const struct loading *loading, struct loaded *ret) MUST_CHECK;
