/*
 * A change: a statement, the statement that undoes it, the lock it takes, and how to see that it
 * works. A plan is an ordered list of them; what was done with them stands in the journal.
 */
#pragma once

#include "base/ctx.h"
#include "base/field.h"
#include "base/vec.h"

/* What a plan is going to do about a change. */
#define CHANGE_ACTIONS(X)              \
    X(ACTION_CREATE, "create")         \
    X(ACTION_REPAIR, "repair")         \
    X(ACTION_NONE, "none")             \
    X(ACTION_EQUIVALENT, "equivalent") \
    X(ACTION_BLOCKED, "blocked")

/*
 * create: build it; repair: drop the unusable one of this name first; none: it is there already;
 * equivalent: the same index is there under another name; blocked: it cannot be done as it stands.
 */
#define ACTION_ENUM(action, name) action,
enum change_action { CHANGE_ACTIONS(ACTION_ENUM) ACTION_COUNT };
#undef ACTION_ENUM

#define KIND_INDEX         "create index"
#define KIND_DROP          "drop index"
#define KIND_REINDEX       "reindex"
#define KIND_COLUMN        "add column"
#define KIND_TRIGGER       "create trigger"
#define KIND_FILL          "fill column"
#define KIND_FUNCTION      "create function"
#define KIND_VACUUM        "vacuum"
#define KIND_RECORD        "record"
#define KIND_SETTING       "setting"
#define KIND_PARTITION     "partition table"
#define KIND_PARTITION_ADD "add partition"
#define KIND_FLAG          "flag"             /* of src/flags; never in a plan */
#define KIND_RESTORE       "restore database" /* of rollback --level database; never in a plan */
#define KIND_RELEASE       "release command"  /* of rollback --level code; the same */
#define KIND_FLAG_OFF      "flag off"

/*
 * One change of a kind. Members that a kind has no use for are NULL or 0; kind.h says which ones
 * it needs. plan_seal() writes statement, undo, lock and blocks where the kind composes them.
 */
struct change {
    const char *kind;   /* "create index" */
    const char *schema; /* of the table, and so of the index; of a function */
    const char *table;
    uint32_t table_oid;
    const char *name;      /* of the index, column, trigger, function, value or setting */
    const char *statement; /* what will be sent, built by us from the server's own wording */
    const char *undo;
    const char *wording;    /* the same as it would be if the script itself were run, or NULL */
    const char *definition; /* what follows the table in CREATE INDEX, by the server itself */
    const char *access_method;
    const char *column;     /* that is added or filled; of a trigger: that it sets */
    const char *type;       /* of an added column, with its storage: "bit(1536)" */
    const char *storage;    /* PLAIN, EXTERNAL, …; NULL: the type's own */
    const char *expression; /* what a column is filled with, over columns of the table */
    const char *key;        /* column of the primary key, by whose order a column is filled */
    const char *arguments;  /* of a function: the types, as DROP FUNCTION takes them */
    const char *settings;   /* "maintenance_work_mem=1GB;…" for the session while it runs */
    const char *role;       /* of a setting: whose sessions get it; NULL: not of a role */
    bool is_unique;
    const char *lock;   /* the strongest lock on the table while it runs */
    const char *blocks; /* whom that lock stops, in words */
    const char *reason; /* why, from the script's comment, or NULL */
    const char *source; /* "critical.sql:12" */
    int64_t table_rows; /* -1: never analysed */
    int64_t table_bytes;
    int64_t bytes;               /* estimated size */
    int64_t wal_bytes;           /* estimated */
    int64_t us;                  /* estimated duration */
    const char *duplicates;      /* for a unique index: the query that finds rows it would refuse */
    const char *tablespace_path; /* of the index, when it is not the database's own, or NULL */
    enum change_action action;
    const char *problem; /* why it is blocked, or what is there instead; or NULL */
    const char *remedy;  /* what to do about the problem, or NULL */
    bool needs_consent;  /* what is there is not ours: --drop-invalid or --replace-function NAME */
    bool has_consent;    /* the user gave it for this name; never in a plan file */
};

/*
 * A step of a plan: changes that are done, proven and undone together, or something that a person has to
 * do. Plans of one purpose (an index script, a vector search) have no steps: all their changes are one.
 */
struct plan_step {
    const char *id;      /* "1.2": phase, and place in it */
    int32_t phase;       /* 1 to 4: plan_phase_title() */
    const char *title;   /* "index on public.dialog_messages (dialog_id, \"timestamp\" DESC)" */
    const char *feature; /* who proposed it: "index", "vector", "queries", … */
    const char *why;     /* what was seen, with its numbers */
    double gain_ratio;   /* of the workload's time that it should save; NaN: not known */
    const char *risk;    /* "low", "medium" or "high" */
    size_t first;        /* of the plan's changes */
    size_t count;        /* 0: by hand */
    const char *manual;  /* by hand: the command or the words; else NULL */
    const char *undo;    /* by hand: what takes it back; else NULL */
    const char *needs;   /* id of the step that must stand, or this one is passed over; or NULL */
    const char *shape;   /* digest of its tables' definitions, by plan_seal() */
    int64_t undo_us;     /* estimated; -1: not known */
    const char *promise; /* what will have to hold, a sentence; NULL: nothing can be measured */
    const char
        *proof; /* the same as JSON with a member "kind", see cmd/parts/step_proof.h; or NULL */
};

enum { PLAN_PHASES = 4 };

struct plan {
    struct change *items;
    size_t count;
    size_t capacity;
    const char *hash;  /* of what it does, not of estimates or times */
    const char *shape; /* digest of the tables' definitions */
    const char *database;
    const char *system_identifier; /* NULL when the role may not know */
    const char *server_version;
    const char *created_at;
    const char
        *proof; /* JSON: what has to hold after it was applied, or NULL; see cmd/parts/proofs.c */
    VEC(struct plan_step) steps; /* by phase and place; none: all changes are one */
};

/* The fields that JSON and the plan file show. */
extern const struct field change_fields[];
extern const size_t change_field_count;

const char *change_action_name(enum change_action action);

/* What is changed, quoted: schema.name of an index, schema.table.column, schema.name(arguments). */
const char *change_object(struct arena *arena, const struct change *change);

/* schema.table, quoted; NULL when it is not about a table. */
const char *change_relation(struct arena *arena, const struct change *change);

/* Whether an index of its table is the planned one, under whatever name. */
bool change_is_index(const struct change *change, bool is_unique, const char *definition);

bool change_is_pending(const struct change *change);

bool change_is_of(const struct change *change, const char *kind);

/* Whether all members that the kind needs are there; ERR_INPUT names the first that is not. */
bool change_check(struct ctx *ctx, const struct change *change) MUST_CHECK;

/* Statement, undo, lock and blocks from the other members; leaves an index as it is. */
void change_compose(struct arena *arena, struct change *change);
