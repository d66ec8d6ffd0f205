/*
 * An index tried on an empty temporary copy of its table: so wrong columns, operator classes and
 * predicates are found by the server itself, and we learn how it would write the definition.
 */
#pragma once

#include "base/text.h"
#include "db/db.h"
#include "sql.h"

struct shadow_index {
    const char *schema; /* of the table */
    const char *table;
    const char *name;
    const char *rest; /* what follows the table in CREATE INDEX */
    bool is_unique;
    struct text_list columns; /* that the table is still to get: "name type", as SQL */
};

struct trial {
    struct sql_change_shadow shadow; /* what the server made of the statement, in its wording */
    const char *built;   /* the definition of an index that is built from that wording: an IN list
                            of varchar, for one, is worded otherwise when it is read again */
    const char *problem; /* why the server refuses it; then the others are not set */
    const char *remedy;  /* or NULL */
    char sqlstate[6];    /* of the refusal */
};

/* An empty temporary copy of a table that several indexes are tried on, in a transaction of its own. */
struct shadow_copy {
    struct ctx *ctx;
    struct db *db;
    struct db_transaction transaction;
    const char *schema; /* of the table */
    const char *table;
};

/* like: schema, table and columns; the rest is not looked at. Close it also when this fails. */
bool shadow_copy_open(struct ctx *ctx, struct db *db, const struct shadow_index *like,
    struct shadow_copy *ret) MUST_CHECK;

/*
 * index: of the copy's table. The copy is as before afterwards; only when this fails is it of no more use.
 */
bool shadow_copy_try(struct shadow_copy *copy, const struct shadow_index *index, struct trial *ret)
    MUST_CHECK;

/* Nothing remains: the transaction is rolled back. For CLEANUP. */
void shadow_copy_close(struct shadow_copy *copy);

/*
 * One index on a copy of its own. Names without a schema are looked up along the user's own search_path.
 * Nothing remains. False when the trial itself could not be made.
 */
bool shadow_try(struct ctx *ctx, struct db *db, const struct shadow_index *index, struct trial *ret)
    MUST_CHECK;
