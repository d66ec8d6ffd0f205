/* The graph for people and for other programs. */
#pragma once

#include "base/json.h"
#include "migrate/history/history.h"

/* Drawn like `git log --graph`, newest first, lines of at most width columns (0: any). */
const char *graph_text(struct arena *arena, const struct graph *graph, size_t width);

/* Graphviz, and Mermaid's flowchart; ids and messages are escaped. */
const char *graph_dot(struct arena *arena, const struct graph *graph);
const char *graph_mermaid(struct arena *arena, const struct graph *graph);

/* Ends, order, problems and revisions. Caller owns it. */
json_t *graph_json(const struct graph *graph);

/* "[head] [merge]": what is special about a revision; "" if nothing is. */
const char *graph_marks(struct arena *arena, const struct graph *graph, const struct node *node);

/* "missing parent": whether a problem is about the node, and in short which; or NULL. */
const char *graph_trouble(const struct graph *graph, size_t node);
