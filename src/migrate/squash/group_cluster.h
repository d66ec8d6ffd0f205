/* Tables that belong together, by what they are about and by foreign keys. */
#pragma once

#include "migrate/squash/group_private.h"

struct cluster_table {
    struct member *member;
    const char *name;
    size_t cluster;    /* SIZE_MAX: none yet */
    size_t incoming;   /* foreign keys that point to it */
    bool is_hub;       /* so many point to it that this says nothing about them */
    VEC(size_t) links; /* places in clusters.links */
};

struct cluster {
    enum domain domain;
    const char *central;    /* the table that most point to */
    struct text_list words; /* what was merged into it: "users", "billing" */
    size_t size;
    bool is_gone; /* merged into another */
};

struct cluster_link {
    size_t from; /* tables */
    size_t to;
};

struct clusters {
    struct arena *arena;
    VEC(struct cluster_table) tables;
    VEC(struct cluster_link) links;
    VEC(struct cluster) items;
    size_t *votes; /* by cluster; all 0 between uses. */
};

/* Puts every table into one of at most limit clusters. */
void clusters_build(struct grouping *grouping, size_t limit, struct clusters *ret);

/* The living ones in an order in which most foreign keys point backward. */
void clusters_order(const struct clusters *clusters, size_t **ret_order, size_t *ret_count);

const char *cluster_title(struct arena *arena, const struct cluster *cluster);
