/* What the files graph*.c share while one version of Alembic is followed. */
#pragma once

#include "migrate/history/history.h"

struct indexes {
    size_t *items;
    size_t count;
    size_t capacity;
};

struct building {
    struct ctx *ctx;
    const struct history *history;
    struct graph *graph;
    bool is_1_8;
    bool is_broken;        /* this version cannot load the folder */
    bool has_unknown_id;   /* a file's id cannot be read: what is missing may be that one */
    struct indexes loaded; /* nodes that have an id, in the order of reading */
    struct indexes mapped; /* the node that counts for each id, in the order of first reading */
    struct map names;      /* ids and labels → struct node * */
    bool *is_incomplete;   /* by node: what it follows is missing, so it cannot be applied */
};

/* Appends a problem; is_fatal: this version stops. The returned one may be completed. */
struct graph_problem *graph_problem_add(struct building *building, enum graph_problem_kind kind,
    const struct node *node, const char *id, bool is_fatal);

/* Alembic's search for cycles: needs heads, bases and all links. */
void graph_find_cycles(struct building *building);

/* Fills order, positions and reach. */
void graph_set_order(struct building *building);

/* Inherited labels: needs a graph that Alembic can load, does what it can with others. */
void graph_inherit_labels(struct building *building);

/*
 * Numbers that answer most questions after ancestors at once: those of a tree (of the first thing
 * each node waits for) and the length of the longest way to a base. Level 0: not known.
 */
struct graph_reach {
    uint32_t *first; /* number of the node in the tree, parents before children */
    uint32_t *size;  /* how many nodes its subtree has */
    uint32_t *level; /* from 1 */
    uint32_t *seen;  /* when a search last met the node */
    uint32_t searches;
    size_t *stack; /* room for one search */
};

enum reached { REACHED_NO, REACHED_YES, REACHED_UNKNOWN };

/* Whether what is known about both nodes already tells; ancestor is another node. */
enum reached graph_reach_guess(const struct graph_reach *reach, size_t ancestor, size_t descendant);
