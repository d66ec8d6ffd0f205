/* What the checks share; each file check_*.c looks at one side of a statement. */
#pragma once

#include "db/db.h"
#include "index/lint/lint.h"

struct lint_check {
    struct ctx *ctx;
    struct db *db;
    const struct lint_options *options;
    struct lint *lint;
    const struct lint_statement *statement;
    struct lint_index *index;
    size_t position;
};

/*
 * A finding about the statement; word: the name whose place it is, or NULL. NULL when nobody wants to hear
 * of this rule.
 */
struct finding *lint_tell(const struct lint_check *check, enum lint_rule rule, const char *word,
    const char *format, ...) PRINTF_LIKE(4, 5);

bool lint_has_told(const struct lint_index *index, enum lint_rule rule);

/* Names that stand in the database: see lint_names.sql. */
bool lint_has_name(const struct lint *lint, const char *kind, const char *name);

/* " (did you mean …?)" with the nearest of the names, or "". */
const char *lint_did_you_mean(
    struct arena *arena, const char *name, const char *const *names, size_t count);

/*
 * Whether an earlier statement of this kind makes (or drops) the name; that statement is needed then and
 * stays.
 */
bool lint_is_made_before(const struct lint_check *check, enum lint_kind kind, const char *name);

/* words: of the server or of our grammar, which begin with the place. */
void lint_tell_syntax(const struct lint_check *check, const char *words);

/* Queries that the script itself holds, and those of the workload. */
struct lint_queries {
    const struct lint_query **items;
    size_t count;
    size_t capacity;
};

/*
 * Finds the table of each statement, and tries each on an empty copy: one copy a table, for copies cost more
 * than indexes.
 */
bool lint_try_all(struct lint_check *check) MUST_CHECK;

/* Table and names, and what the trial said. */
void lint_check_refused(struct lint_check *check);

/* False only when the session is of no more use, as of all. */
bool lint_check_there(struct lint_check *check) MUST_CHECK;
bool lint_check_rows(struct lint_check *check) MUST_CHECK;
bool lint_check_twice(struct lint_check *check) MUST_CHECK;
bool lint_check_use(struct lint_check *check, const struct lint_queries *queries) MUST_CHECK;
bool lint_check_queries(struct lint_check *check, const struct lint_queries *queries) MUST_CHECK;

/* All indexes by the workload, after the other checks. */
bool lint_measure(struct lint_check *check) MUST_CHECK;

/* Whether an error leaves no session to go on with. */
bool lint_must_stop(const struct lint_check *check);
