/*
 * A statement made ready to be planned: placeholders get types, constants and, for the planner, values that
 * the table really has; what pg_stat_statements writes that is not SQL ("interval $1") is mended.
 */
#pragma once

#include "base/vec.h"
#include "index/facts/facts.h"
#include "index/intake/intake.h"

/* The statement with constants for all placeholders. */
struct query_instance {
    const char *sql;
    double share; /* of the calls that it stands for; those of a query add up to 1 */
    const char
        *from; /* "seen in app.log", "values of public.users.email": where the constants are from */
};

struct index_query {
    const struct intake_statement *statement;
    const char *sql;         /* mended, with $n */
    const char *mended;      /* what was mended, or NULL: "interval $3 → $3::interval" */
    VEC(const char *) types; /* of $1 …, as format_type() writes them */
    /*
     * The plan with placeholders as placeholders, VERBOSE (PREPARE with plan_cache_mode =
     * force_generic_plan; all partitions are in it): the array that the server gives. Without placeholders
     * the statement's own plan. NULL when only instances could be planned.
     */
    const char *generic_plan;
    /* At least one unless there is a problem; no more than QUERY_MOST_INSTANCES. */
    VEC(struct query_instance) instances;
    const char *problem; /* why it cannot be explained, the server's own message; or NULL */
    const char *remedy;  /* or NULL */
};

enum { QUERY_MOST_INSTANCES = 3 };

struct query_maker;

/*
 * db: where statements are prepared; a read-only session is enough. path: the search_path of the
 * application, NULL: the role's own in this database. The session is the maker's until it ends, and must
 * not be in a transaction. Where the role may do that, it is not counted in pg_stat_statements from then on,
 * also after the end: every EXPLAIN would be an entry there.
 */
bool query_maker_begin(struct ctx *ctx, struct db *db, const struct facts *facts, const char *path,
    struct query_maker **ret) MUST_CHECK;
void query_maker_end(struct query_maker *maker);

/*
 * Never fails for what a statement is: that is its problem. False when the session was lost or a signal
 * came. Each question to the server gets at most 2 s of its time.
 */
bool query_make(struct ctx *ctx, struct query_maker *maker,
    const struct intake_statement *statement, struct index_query *ret) MUST_CHECK;
