/* The rights of a role as a script for psql, whose comments say the rest, and as JSON. */
#pragma once

#include "base/json.h"
#include "monitor/doctor/grants.h"

/* What is missing are the statements; what is there, or in excess, are comments. */
void grants_print(FILE *out, struct arena *arena, const struct grants *grants);

/* Caller owns it. */
json_t *grants_json(struct arena *arena, const struct grants *grants);
