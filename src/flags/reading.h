/* The table of the flags, read with suspicion. */
#pragma once

#include "flags/flags.h"

struct sql_flags_flags;

/*
 * The rows as flags, in the arena. A row that no setter can have written (out of range, NULL) leaves
 * that flag as it was in before, and is told in *ret_problem, which is NULL else.
 */
struct flag_list flags_read(struct arena *arena, const struct sql_flags_flags *rows, size_t count,
    const struct flag_list *before, const char **ret_problem);

/* Whether they say the same, the time of the last change apart. */
bool flags_are_same(const struct flag_list *a, const struct flag_list *b);
