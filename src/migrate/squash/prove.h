/* What the files prove*.c share. */
#pragma once

#include "migrate/squash/squash.h"

/*
 * Compares the rows of two databases, table by table and column by column, their materialized
 * views, sequences and large objects; a sentence for each difference, begun with when ("" or
 * "after up, down and up again: "). Columns that seeds calls unstable do not count.
 */
struct prove_side {
    struct db *db;
    const struct schema *schema;
    const struct content *content;
};
bool prove_rows(struct ctx *ctx, const struct prove_side *wanted, const struct prove_side *found,
    const struct seeds *seeds, const char *when, struct text_list *ret) MUST_CHECK;

/*
 * Whether two texts of pg_dump say the same, line by line; the order of the grants of one object
 * and of storage parameters, which has no meaning, does not count. *ret_difference is the first
 * line that differs, or NULL.
 */
bool prove_dumps(
    struct arena *arena, const char *wanted, const char *found, const char **ret_difference);

/*
 * SHA-256 over names and contents of the Python files of a folder and those below it: what
 * "find -name '*.py' | sort | xargs sha256sum | sha256sum" gives in the C locale, without "./".
 */
bool prove_tree(struct ctx *ctx, const char *folder, const char **ret) MUST_CHECK;
