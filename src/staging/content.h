/*
 * What a database holds, in a form that can be compared with itself after a dump and a restore:
 * of every table the number of rows and a checksum, the sequences, and the names and definitions
 * of everything else.
 *
 * The checksum of a table is the sum, as an unbounded number, of hashtextextended(row, 0) over its
 * rows, where row is the text form ROW(table.*)::text under the collation C, with DateStyle,
 * IntervalStyle, TimeZone, extra_float_digits, bytea_output, xmlbinary and lc_monetary pinned. A
 * sum does not depend on the order of rows, and unlike an exclusive or it also sees rows that
 * occur twice. The text form is exact for floating point numbers and so for pgvector's types. Two
 * different tables have the same number of rows and the same sum by accident once in 2^64.
 */
#pragma once

#include "base/json.h"
#include "base/vec.h"
#include "db/db.h"

struct content_table {
    const char *schema;
    const char *name;
    int64_t rows;
    const char *checksum; /* NULL until counted */
};

/* Sequences do not obey snapshots: of one that is in use only a range is known. */
struct content_sequence {
    const char *schema;
    const char *name;
    int64_t increment;
    bool can_cycle;
    int64_t first_value; /* as the work began */
    bool first_called;
    int64_t last_value; /* and as it ended */
    bool last_called;
};

struct content_object {
    const char *kind;
    const char *name;
    const char *definition;
};

struct content {
    VEC(struct content_table) tables; /* by schema and name, as all lists here */
    VEC(struct content_sequence) sequences;
    VEC(struct content_object) objects;
    struct text_list roles;   /* that own something or were granted something */
    struct text_list alembic; /* revisions in alembic_version */
    int64_t large_objects;
    const char *large_object_sum; /* NULL: their bytes may not be read */
};

/* Sets what the text form of rows depends on; parallel workers only if is_alone. */
bool content_pin_session(struct ctx *ctx, struct db *db, bool is_alone) MUST_CHECK;

/*
 * Begins a read-only transaction that keeps one snapshot, with every table locked against changes
 * of its structure before the snapshot is taken: a TRUNCATE in between would empty a table in it.
 * ERR_RIGHTS as content_load().
 */
bool content_begin(struct ctx *ctx, struct db *db, struct db_transaction *ret) MUST_CHECK;

/*
 * Everything but the rows. ERR_RIGHTS, naming the table, when we may not read all of one: because
 * of a missing grant or of row-level security.
 */
bool content_load(struct ctx *ctx, struct db *db, struct content *ret) MUST_CHECK;

/* Reads the sequences once more, into last_value. */
bool content_end_sequences(struct ctx *ctx, struct db *db, struct content *content) MUST_CHECK;

/* Counts table after table, a step at a time; the caller does other things in between. */
struct content_counter {
    struct db *db;
    struct content *content;
    size_t next;
    bool is_running;
};

/* Works for at most wait_us. When it fails the statement may still run: content_stop(). */
bool content_count_step(
    struct ctx *ctx, struct content_counter *counter, int64_t wait_us, bool *ret_done) MUST_CHECK;
void content_count_stop(struct content_counter *counter);

/* Everything at once, in a transaction of its own. */
bool content_load_all(struct ctx *ctx, struct db *db, struct content *ret) MUST_CHECK;

enum content_rights { CONTENT_WITHOUT_RIGHTS, CONTENT_WITH_RIGHTS };

/*
 * What found lacks or has otherwise than expected, a sentence each; owners and grants only
 * CONTENT_WITH_RIGHTS. ret_notes gets what differs without being wrong (versions of extensions).
 */
void content_compare(struct arena *arena, const struct content *expected,
    const struct content *found, enum content_rights rights, struct text_list *ret_differences,
    struct text_list *ret_notes);

/*
 * Goes through two sorted lists of tables side by side: each step is a table that is in both or in
 * one of them. Starts from { 0 }; false at the end.
 */
struct content_table_walk {
    size_t left;
    size_t right;
    const struct content_table *expected; /* or NULL */
    const struct content_table *found;    /* or NULL */
};
bool content_walk_tables(
    const struct content *expected, const struct content *found, struct content_table_walk *walk);

/* Caller owns it. */
json_t *content_to_json(const struct content *content);
bool content_from_json(struct ctx *ctx, const json_t *json, struct content *ret) MUST_CHECK;

/* Fills text, numbers and truths that the fields describe; ERR_INPUT when one is missing. */
bool content_read_fields(struct ctx *ctx, const json_t *json, const struct field *fields,
    size_t count, void *object) MUST_CHECK;
