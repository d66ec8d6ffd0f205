/* What is measured besides searching: what writing costs, and what growth will change. */
#pragma once

#include "vector/tune/build.h"

/*
 * The time of inserting some rows into the copy as it stands and deleting them, which is undone;
 * method: its extra columns are computed by a trigger, as in the live table; or NULL. 0: the rows
 * cannot be made up, because of the type of the key or of something unique.
 */
bool extra_write_us(struct ctx *ctx, struct builder *builder, const struct vector_method *method,
    int64_t *ret_us) MUST_CHECK;

/*
 * Adds to the notes what is to be expected when the largest tenants have twice and four times their
 * rows: exact distances grow with the rows; of bits the recall in half a tenant's rows and in all
 * shows where it goes. The method stands.
 */
bool extra_drift(struct ctx *ctx, struct builder *builder, const struct vector_candidate *candidate,
    struct text_list *notes) MUST_CHECK;
