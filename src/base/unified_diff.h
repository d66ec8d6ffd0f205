/* Two texts compared line by line, in the form that patch(1) and `git apply` take. */
#pragma once

#include "base/arena.h"

struct unified_diff {
    const char *old_name; /* "a/versions/x.py"; NULL: the file is new */
    const char *new_name; /* "b/versions/x.py"; NULL: the file goes */
    const char *old_text;
    const char *new_text;
};

/*
 * The diff with three lines of context, "" when both texts are the same. Lines are what ends with a
 * line feed; a carriage return before it is part of the line. Source: Myers, "An O(ND) Difference
 * Algorithm and Its Variations", 1986; texts with thousands of changed lines are told as one
 * replaced block.
 */
const char *unified_diff(struct arena *arena, const struct unified_diff *diff);
