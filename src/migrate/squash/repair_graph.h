/* What repair_graph.c and repair_parent.c share. Revisions are indexes of the copy's history. */
#pragma once

#include "migrate/squash/repair.h"

enum { REPAIR_NOBODY = -1 };

const struct node *repair_node(const struct repair *repair, size_t i);
const struct revision *repair_revision(const struct repair *repair, size_t i);
const char *repair_id(const struct repair *repair, size_t i);

/* Its Create Date, or "". */
const char *repair_date(const struct repair *repair, ptrdiff_t i);

/* Usable as a parent: it has an id, is the one that Alembic knows by it, and does not come after. */
bool repair_may_follow(const struct repair *repair, size_t parent, size_t child);

/* The first to make the table among those that may come before the child. */
ptrdiff_t repair_find_maker(const struct repair *repair, size_t child, const char *table);

/*
 * The last of those that make what the revision needs. Others of them that are not before it are
 * left to the next round.
 */
ptrdiff_t repair_find_last_maker(struct repair *repair, size_t child);

/* The most plausible parent, REPAIR_NOBODY when there is none, and the reason for people. */
struct repair_choice {
    ptrdiff_t parent;
    const char *why;
};
struct repair_choice repair_choose_parent(struct repair *repair, size_t child, bool tables_first);
