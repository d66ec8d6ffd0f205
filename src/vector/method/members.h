/* Reading the members of a JSON object that fields describe; for the files of this folder. */
#pragma once

#include "base/field.h"
#include "base/json.h"

/*
 * A member that is missing or null leaves what is there; one of another type, or a number that
 * does not fit or is below 0 where only whole numbers are meant, is ERR_INPUT.
 */
bool members_read(struct ctx *ctx, const struct field *fields, size_t count, const json_t *json,
    void *object) MUST_CHECK;
