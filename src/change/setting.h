/* Settings as changes: which ones may be changed, their statements, their values. */
#pragma once

#include "change/change.h"

/*
 * The statement that sets it to a value, for its server, table or role; with NULL the one that takes
 * it away.
 */
const char *setting_statement(struct arena *arena, const struct change *change, const char *value);

/*
 * Whether a plan may hold it: what is about memory, costs, time-outs, maintenance and logging. What
 * names programs, libraries or files is left to people, because a plan is a file.
 */
bool setting_is_allowed(const struct change *change);

/*
 * Whether a value as people write it ("1GB", "5min", "on") is the number that pg_settings shows in
 * its unit. *ret_known: it could be told; enumerations and texts have other spellings.
 */
bool setting_is_value(
    const char *text, const char *shown, const char *unit, const char *kind, bool *ret_known);
