/* Which revision another one was meant to follow. */
#include <string.h>

#include "migrate/squash/repair_graph.h"

const struct node *
repair_node(const struct repair *repair, size_t i)
{
    return &repair->now.graph.nodes[i];
}

const struct revision *
repair_revision(const struct repair *repair, size_t i)
{
    return &repair->now.history.items[i];
}

const char *
repair_id(const struct repair *repair, size_t i)
{
    return repair_revision(repair, i)->id;
}

/* Usable as a parent: it has an id, is the one that Alembic knows by it, and does not come after. */
bool
repair_may_follow(const struct repair *repair, size_t parent, size_t child)
{
    return parent != child && repair_id(repair, parent) &&
           !repair_node(repair, parent)->is_shadowed &&
           !text_equal(repair_id(repair, parent), repair_id(repair, child)) &&
           !graph_is_ancestor(&repair->now.graph, child, parent);
}

static ptrdiff_t
find_id(const struct repair *repair, const char *id)
{
    const struct node *node = id ? map_get(&repair->now.graph.by_id, id) : NULL;

    return node ? (ptrdiff_t)node->revision->index : REPAIR_NOBODY;
}

static bool
is_name(const struct object_name *name, const char *table)
{
    return name->name && text_equal(name->name, table);
}

static bool
makes(const struct revision *revision, const char *table)
{
    for (size_t i = 0; i < revision->upgrade.count; i++) {
        const struct step *step = &revision->upgrade.items[i];

        if ((step->kind == STEP_CREATE_TABLE || step->kind == STEP_CREATE_VIEW) &&
            is_name(&step->object, table))
            return true;
        if (step->kind == STEP_RENAME_TABLE && text_equal(step->new_name, table))
            return true;
    }
    return false;
}

static void
add_needed(struct repair *repair, const struct revision *revision, const char *table,
    struct text_list *ret)
{
    if (table && !makes(revision, table) && !text_list_has(ret, table))
        text_list_add(repair->arena, ret, table);
}

/* Tables that the revision works on and does not make. */
static void
find_needed(struct repair *repair, const struct revision *revision, struct text_list *ret)
{
    for (size_t i = 0; i < revision->upgrade.count; i++) {
        const struct step *step = &revision->upgrade.items[i];
        bool is_index = step->kind == STEP_CREATE_INDEX || step->kind == STEP_CREATE_TRIGGER;
        bool is_table = step->kind == STEP_ADD_COLUMN || step->kind == STEP_DROP_COLUMN ||
                        step->kind == STEP_ALTER_TYPE || step->kind == STEP_ADD_CONSTRAINT ||
                        step->kind == STEP_SET_DEFAULT || step->kind == STEP_SET_NOT_NULL ||
                        step->kind == STEP_DROP_NOT_NULL || step->kind == STEP_RENAME_COLUMN ||
                        step->kind == STEP_UPDATE || step->kind == STEP_INSERT ||
                        step->kind == STEP_DELETE;

        if (is_index)
            add_needed(repair, revision, step->table.name, ret);
        else if (is_table)
            add_needed(repair, revision, step->object.name, ret);
        for (size_t k = 0; k < step->constraints.count; k++)
            if (step->constraints.items[k].kind == CONSTRAINT_FOREIGN_KEY)
                add_needed(repair, revision, step->constraints.items[k].target.name, ret);
    }
}

bool
repair_is_made_before(
    const struct repair *repair, const struct revision *revision, const char *table)
{
    const struct graph *graph = &repair->now.graph;

    for (size_t i = 0; i < graph->count; i++)
        if (i != revision->index && makes(repair_revision(repair, i), table) &&
            repair_node(repair, i)->position < repair_node(repair, revision->index)->position)
            return true;
    return false;
}

const char *
repair_date(const struct repair *repair, ptrdiff_t i)
{
    const char *date = i == REPAIR_NOBODY ? NULL : repair_revision(repair, (size_t)i)->doc_created;

    return date ? date : "";
}

/* The first to make the table among those that may come before the child. */
ptrdiff_t
repair_find_maker(const struct repair *repair, size_t child, const char *table)
{
    ptrdiff_t found = REPAIR_NOBODY;

    for (size_t i = 0; i < repair->now.graph.count; i++)
        if (makes(repair_revision(repair, i), table) && repair_may_follow(repair, i, child) &&
            (found == REPAIR_NOBODY || graph_is_ancestor(&repair->now.graph, i, (size_t)found)))
            found = (ptrdiff_t)i;
    return found;
}

/*
 * The last of those that make what the revision needs. Others of them that are not before it are
 * left to the next round.
 */
ptrdiff_t
repair_find_last_maker(struct repair *repair, size_t child)
{
    const struct graph *graph = &repair->now.graph;
    struct text_list needed = { 0 };
    ptrdiff_t found = REPAIR_NOBODY;

    find_needed(repair, repair_revision(repair, child), &needed);
    for (size_t i = 0; i < needed.count; i++) {
        ptrdiff_t maker = repair_find_maker(repair, child, needed.items[i]);

        if (maker == REPAIR_NOBODY || graph_is_ancestor(graph, (size_t)maker, child))
            continue;
        if (found == REPAIR_NOBODY || graph_is_ancestor(graph, (size_t)found, (size_t)maker) ||
            (!graph_is_ancestor(graph, (size_t)maker, (size_t)found) &&
                strcmp(repair_date(repair, found), repair_date(repair, maker)) < 0))
            found = maker;
    }
    return found;
}

static ptrdiff_t
find_documented(const struct repair *repair, size_t child)
{
    ptrdiff_t found = find_id(repair, repair_revision(repair, child)->doc_revises);

    return found != REPAIR_NOBODY && repair_may_follow(repair, (size_t)found, child)
               ? found
               : REPAIR_NOBODY;
}

static bool
is_head_without(const struct repair *repair, size_t i, size_t child)
{
    const struct node *node = repair_node(repair, i);

    for (size_t k = 0; k < node->children.count; k++)
        if (node->children.items[k] != child)
            return false;
    return true;
}

/* The newest one that is older by its Create Date: of the heads, or else of all. */
static ptrdiff_t
find_earlier(const struct repair *repair, size_t child, bool only_heads)
{
    const char *own = repair_date(repair, (ptrdiff_t)child);
    ptrdiff_t found = REPAIR_NOBODY;

    for (size_t i = 0; *own && i < repair->now.graph.count; i++) {
        const char *date = repair_date(repair, (ptrdiff_t)i);

        if (*date && strcmp(date, own) < 0 && repair_may_follow(repair, i, child) &&
            (!only_heads || is_head_without(repair, i, child)) &&
            strcmp(repair_date(repair, found), date) < 0)
            found = (ptrdiff_t)i;
    }
    return found;
}

/* The last head that does not come after it, in the order in which files are read. */
static ptrdiff_t
find_other_head(const struct repair *repair, size_t child)
{
    ptrdiff_t found = REPAIR_NOBODY;

    for (size_t i = 0; i < repair->now.graph.count; i++)
        if (repair_may_follow(repair, i, child) && is_head_without(repair, i, child) &&
            (found == REPAIR_NOBODY || i < child))
            found = (ptrdiff_t)i;
    return found;
}

struct repair_choice
repair_choose_parent(struct repair *repair, size_t child, bool tables_first)
{
    const struct repair_choice choices[] = {
        { tables_first ? repair_find_last_maker(repair, child) : REPAIR_NOBODY,
            "which makes the tables it works on" },
        { find_documented(repair, child), "as its docstring says" },
        { find_earlier(repair, child, true), "the newest head that is older by its Create Date" },
        { repair_find_last_maker(repair, child), "which makes the tables it works on" },
        { find_earlier(repair, child, false), "the newest that is older by its Create Date" },
        { find_other_head(repair, child), "the nearest end that does not come after it" },
    };

    for (size_t i = 0; i < COUNT_OF(choices); i++)
        if (choices[i].parent != REPAIR_NOBODY)
            return choices[i];
    return (struct repair_choice){ REPAIR_NOBODY, "where the history begins" };
}
