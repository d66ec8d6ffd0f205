/* A folder of revisions: where it is, what is in it, how the revisions hang together. */
#pragma once

#include "base/map.h"
#include "migrate/history/revision.h"

/* MetaData(naming_convention={"ix": "ix_%(column_0_label)s", …}) */
struct naming {
    const char *ix;
    const char *uq;
    const char *ck;
    const char *fk;
    const char *pk;
    bool is_unknown; /* target_metadata comes from the application: there may be one */
};

/* What env.py and alembic.ini say. */
struct environment {
    const char *ini;            /* path, or NULL */
    const char *script;         /* folder with env.py, or NULL */
    const char *env;            /* path of env.py, or NULL */
    struct text_list locations; /* version folders, in Alembic's order */
    bool is_recursive;          /* recursive_version_locations (1.10+) */
    struct naming naming;
    bool transaction_per_migration;
    bool sets_lock_timeout;           /* env.py mentions lock_timeout */
    const char *version_table;        /* "alembic_version" */
    const char *version_table_schema; /* or NULL */
};

/*
 * operand: a versions folder, a folder with alembic.ini, or an alembic.ini; NULL: the nearest
 * alembic.ini from the working folder up. section: of the ini file, NULL for "alembic". ERR_INPUT
 * or ERR_NOT_FOUND say what is wrong and what would be right.
 */
bool environment_find(
    struct ctx *ctx, const char *operand, const char *section, struct environment *ret) MUST_CHECK;

struct history {
    struct environment environment;
    struct revision *items; /* in the order Alembic 1.19 reads: by location, then name */
    size_t count;
    size_t ignored_files; /* that Alembic's filter leaves out */
    uint64_t bytes;
    VEC(struct arena *) arenas; /* of the threads: free with history_free() */
};

struct history_progress {
    void *self;
    void (*show)(void *self, size_t done, size_t total);
};

/*
 * Reads every file with up to jobs threads (0: one a processor). Files that cannot be read are
 * revisions with a failure. progress may be NULL.
 */
bool history_read(struct ctx *ctx, const struct environment *environment, unsigned jobs,
    const struct history_progress *progress, struct history *ret) MUST_CHECK;

void history_free(struct history *history);

/* ---- the graph ---- */

enum graph_problem_kind {
    GRAPH_DUPLICATE_ID,
    GRAPH_MISSING_PARENT,
    GRAPH_MISSING_DEPENDENCY,
    GRAPH_SELF_LOOP,    /* LoopDetected, DependencyLoopDetected */
    GRAPH_CYCLE,        /* CycleDetected, DependencyCycleDetected */
    GRAPH_BAD_ID,       /* characters Alembic refuses */
    GRAPH_AMBIGUOUS,    /* a partial id that fits several, a label that several revisions have */
    GRAPH_NO_ID,        /* the file has no revision or no down_revision: Alembic stops */
    GRAPH_EMPTY_PARENT, /* down_revision = '' */
};

struct graph_problem {
    enum graph_problem_kind kind;
    bool is_fatal_1_8; /* Alembic of that version stops with an error */
    bool is_fatal_1_19;
    const char *alembic;   /* the message Alembic gives: "Revision x referenced from …" */
    size_t revision;       /* index in history */
    const char *id;        /* the id it is about */
    VEC(size_t) revisions; /* of a cycle: those on it and those that hang on it, as Alembic lists */
};

struct node {
    const struct revision *revision; /* .index is the node's own index */
    VEC(size_t) parents;             /* resolved down_revision: indexes of nodes */
    VEC(size_t) children;
    VEC(size_t) dependencies; /* resolved depends_on */
    VEC(size_t) dependents;
    VEC(const char *) labels; /* own and inherited, as Alembic propagates them */
    bool is_head;             /* in Alembic's `heads` */
    bool is_real_head;        /* not depended on either */
    bool is_base;
    bool is_real_base;
    bool is_branch_point;
    bool is_merge_point;
    bool is_shadowed; /* another file with the same id was read later: not in the map */
    size_t position;  /* in order, SIZE_MAX if it cannot be applied */
};

struct graph {
    struct node *nodes; /* same index as history.items */
    size_t count;
    struct map by_id;      /* id → struct node * */
    VEC(size_t) order;     /* as `alembic upgrade heads` applies them: 1.19 */
    VEC(size_t) order_1_8; /* as 1.8 does, which reads files in the order of readdir(3) */
    VEC(size_t) heads;
    VEC(size_t) bases;
    VEC(struct graph_problem) problems;
    bool is_broken_1_8; /* Alembic of that version cannot load it */
    bool is_broken_1_19;
    struct graph_reach *reach; /* private to graph_is_ancestor() */
};

/* Exactly Alembic's semantics; source: its documentation and observed behaviour, 1.8.1 and 1.19. */
bool graph_build(struct ctx *ctx, const struct history *history, struct graph *ret) MUST_CHECK;

/*
 * Whether ancestor is among descendant's down_revisions and dependencies, near or far. Linear in
 * the history at worst; no memory that grows with pairs.
 */
bool graph_is_ancestor(const struct graph *graph, size_t ancestor, size_t descendant);

/*
 * The node a user's or file's symbol means: a full or partial id, head, heads, base, label@id,
 * label, relative (-1, +2, id+1, id-1). ERR_NOT_FOUND or ERR_INPUT in Alembic's words. "base" is
 * before every revision: *ret_node is SIZE_MAX.
 */
bool graph_resolve(struct ctx *ctx, const struct graph *graph, const char *symbol, size_t *ret_node)
    MUST_CHECK;
