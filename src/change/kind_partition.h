/* A table that becomes partitioned: what is known of it, and its statements. Private to this folder. */
#pragma once

#include "change/kind_part.h"
#include "change/partition.h"

/* All that an entry of the journal keeps, so that the undo needs nothing else. */
struct partition {
    struct change about;       /* schema, table, name, table_oid */
    const char *key;           /* the column of time */
    const char *bound;         /* where the past ends */
    const char *history;       /* what the old table is called as a partition */
    const char *primary_index; /* with the key; "": the primary key has it */
    const char *primary_columns;
    const char *bound_check;  /* constraint on the old rows */
    const char *columns;      /* that can be written, quoted, with commas */
    const char *primary_back; /* index of the old primary key, while it is built again; "": none */
    const char *primary_sql;
    const char *clash;         /* query for keys that stand twice, or NULL */
    bool is_silent;            /* triggers are kept from firing for rows that are moved */
    const char *give_up;       /* foreign keys to it that go, a JSON array */
    int64_t given_up;          /* how many */
    struct text_list others;   /* LOCK TABLE of what it refers to */
    struct text_list before;   /* bound check: added, validated; unique index built */
    struct text_list exchange; /* one transaction */
    struct text_list undo;     /* one transaction, after the partitions are detached */
    struct text_list restore;  /* when all rows are back: foreign keys */
    struct text_list validate;
};

/* Everything by the catalogue as it is before. Blocks the change when something stands in the way. */
bool partition_compose(struct ctx *ctx, struct db *db, struct change *change, struct partition *ret,
    bool *ret_good) MUST_CHECK;

const char *partition_detail(struct ctx *ctx, const struct partition *partition);
bool partition_read(struct ctx *ctx, const struct journal_entry *entry, struct partition *ret)
    MUST_CHECK;

/* Where it stands by the catalogue. */
enum partition_phase {
    PARTITION_PLAIN,     /* the old table has its name */
    PARTITION_EXCHANGED, /* it is a partition of the new one */
    PARTITION_MOVING,    /* it has its name again, and the others are its children */
    PARTITION_FOREIGN,   /* something else */
};
bool partition_phase(struct ctx *ctx, struct db *db, const struct partition *partition,
    enum partition_phase *ret) MUST_CHECK;

/* Removes what was prepared on the old table: the unique index and the constraint. */
bool partition_remove_rests(
    struct ctx *ctx, struct rollout *rollout, const struct partition *partition) MUST_CHECK;

/* A unique index, built without stopping anybody; one of this name that is unusable is dropped first. */
bool partition_build_index(struct ctx *ctx, struct rollout *rollout,
    const struct partition *partition, const char *name, const char *sql) MUST_CHECK;

/* <table>_<suffix>, cut so that it is a name. */
const char *partition_name(struct arena *arena, const char *table, const char *suffix);

/* All that would be sent, for the plan. */
const char *partition_text(struct arena *arena, const struct partition *partition);

/* In one transaction that waits shortly for its locks and never long enough for a deadlock to be looked for. */
bool partition_run(struct ctx *ctx, struct rollout *rollout, const struct ddl *ddl,
    struct rollout_outcome *ret) MUST_CHECK;

/* Moves the rows of the children into the table and drops them one by one. */
bool partition_move_back(struct ctx *ctx, struct rollout *rollout,
    const struct partition *partition, int64_t *ret_rows) MUST_CHECK;

bool partition_undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret) MUST_CHECK;

/* A statement that needs no transaction and stops nobody, tried again while others hold the table. */
bool partition_run_alone(
    struct ctx *ctx, struct rollout *rollout, const char *what, const char *sql) MUST_CHECK;

/* Sessions of ours write bounds in UTC, until the call that ends it. */
bool partition_use_utc(struct ctx *ctx, struct db *db) MUST_CHECK;
void partition_end_utc(struct db *db);
