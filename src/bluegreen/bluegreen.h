/*
 * Two databases of the same content, blue and green, on one server or two. One of them is live; logical
 * replication carries what is written there to the other, which is closed to writers. A switch makes
 * the other one live without losing a write, and turns the replication round, so that going back loses none
 * either: both ways are the same work.
 *
 * What is done is written down before it is done: in a file of the state folder and in pgmend.bluegreen of both
 * databases, of which the highest version counts. So every command can be run again after a kill.
 */
#pragma once

#include "base/vec.h"
#include "catalog/diff.h"
#include "db/db.h"
#include "staging/watch.h"

enum { BLUE, GREEN, BLUEGREEN_SIDES };

#define BLUEGREEN_PUBLICATION "pgmend_bluegreen"

/*
 * What is being done, written before it begins. The order counts: from BG_MOVING on a switch cannot be taken back
 * without looking at where the clients are.
 */
#define BLUEGREEN_STEPS(X)            \
    X(BG_DATABASE, "database")        \
    X(BG_IDENTITY, "identity")        \
    X(BG_SCHEMA, "schema")            \
    X(BG_PUBLISHING, "publication")   \
    X(BG_SUBSCRIBING, "subscription") \
    X(BG_FOLLOWING, "following")      \
    X(BG_ARMING, "arming")            \
    X(BG_PAUSING, "pausing")          \
    X(BG_CLOSING, "closing")          \
    X(BG_DRAINING, "draining")        \
    X(BG_MOVING, "moving")            \
    X(BG_TURNING, "turning")          \
    X(BG_ABANDONING, "abandoning")    \
    X(BG_ABANDONED, "abandoned")

#define BLUEGREEN_STEP_ENUM(step, name) step,
enum bluegreen_step { BLUEGREEN_STEPS(BLUEGREEN_STEP_ENUM) BLUEGREEN_STEP_COUNT };
#undef BLUEGREEN_STEP_ENUM

struct bluegreen_side {
    const char *conninfo; /* how we come to its server, without a password */
    const char *reach;    /* how the other side's server comes to it: stored in a subscription */
    const char *database; /* its name now */
    const char *cluster;  /* number that initdb gave the cluster */
    uint32_t id;          /* oid of the database */
};

struct bluegreen_state {
    const char *id;
    int64_t version;
    const char *step; /* bluegreen_step_name() */
    int32_t live;     /* BLUE or GREEN */
    bool same_server;
    bool made_green;        /* the database was created by us */
    bool without_revisions; /* alembic_version stays each side's own: the histories differ */
    const char *created_at;
    const char *switched_at; /* the last time, or NULL */
    const char *verified_at; /* when all tables were found equal, since the last switch; or NULL */
    const char
        *clients_name; /* the database that the pooler led to when the switch began; or NULL */
    const char *pooler_file;  /* its configuration file; NULL: the databases are renamed */
    const char *lines_before; /* of that file, before the switch that is going on; or NULL */
    struct bluegreen_side sides[BLUEGREEN_SIDES];
    struct text_list identities; /* tables that were set to REPLICA IDENTITY FULL, quoted */
    struct text_list
        moving; /* what verify could not compare since it changed: "table<TAB>condition" */
};

struct bluegreen {
    struct bluegreen_state state;
    bool is_none;       /* why bluegreen_open() failed: the database is of no pair */
    const char *schema; /* of the live side, when its replication began: JSON; or NULL */
    struct db *dbs[BLUEGREEN_SIDES]; /* NULL: it cannot be reached, why_not says why */
    const char *why_not[BLUEGREEN_SIDES];
    const char *state_dir;
};

/* BG_ABANDONED for a word that is none. */
enum bluegreen_step bluegreen_step_of(const struct bluegreen_state *state);
const char *bluegreen_side_name(int side); /* "blue" */
int bluegreen_other(int side);

/* "pgmend_3fa9c2d1_green": slot on the one side and subscription on the other, by where the rows go. */
const char *bluegreen_slot(struct arena *arena, const struct bluegreen_state *state, int target);

/*
 * Finds the pair that db is of, and connects to the other side: by green_url (of whichever is the other), else
 * as it was recorded. ERR_NOT_FOUND when there is none. A side that does not answer is no error here.
 */
struct bluegreen_place {
    const char *state_dir;
    const char *other_url; /* or NULL */
    const char *application;
    enum access access;
};
bool bluegreen_open(struct ctx *ctx, struct db *db, const struct bluegreen_place *place,
    struct bluegreen *ret) MUST_CHECK;
void bluegreen_close(struct bluegreen *pair);

/* ERR_CONNECTION, with why, unless both sides answer. */
bool bluegreen_require_both(struct ctx *ctx, const struct bluegreen *pair) MUST_CHECK;

/* Writes the state down in the file and where it can be; at least one side when one answers. */
bool bluegreen_record(struct ctx *ctx, struct bluegreen *pair, enum bluegreen_step step) MUST_CHECK;

/* ---- before: what stands in the way ---- */

enum bluegreen_weight { BLUEGREEN_GOOD, BLUEGREEN_WARNING, BLUEGREEN_OBSTACLE };

struct bluegreen_remark {
    enum bluegreen_weight weight;
    const char *text;
    const char *remedy; /* or NULL */
};

struct bluegreen_remarks {
    struct bluegreen_remark *items;
    size_t count;
    size_t capacity;
};

enum bluegreen_schema_way { BLUEGREEN_DUMP, BLUEGREEN_MIGRATIONS, BLUEGREEN_AS_IS };

struct bluegreen_wish {
    const char *green_url;
    const char *blue_reach;  /* how green's server comes to blue; NULL: as we do */
    const char *green_reach; /* the other way; NULL: as we do */
    enum bluegreen_schema_way way;
    bool full_identity;
    bool without_large_objects;
    int32_t jobs;
    const char *bin_dir;
    const char *state_dir;
};

/* Where green is to be: a session in it, or in database postgres of its server when it is not there yet. */
struct bluegreen_green {
    struct db *db;
    const char *database;
    bool is_there;
    bool is_same_server;
    const char *blue_reach;
    const char *green_reach;
    const char *blue_conninfo;
    const char *green_conninfo;
};
bool bluegreen_find_green(struct ctx *ctx, struct db *blue, const struct bluegreen_wish *wish,
    struct bluegreen_green *ret) MUST_CHECK;

/* Looks at everything and changes nothing (a subscription is tried in a transaction that is rolled back). */
bool bluegreen_check(struct ctx *ctx, struct db *blue, const struct bluegreen_green *green,
    const struct bluegreen_wish *wish, struct bluegreen_remarks *ret) MUST_CHECK;

/* ---- making it ---- */

/* Begins a pair, recorded in blue; or goes on with the one that is there. */
bool bluegreen_begin(struct ctx *ctx, struct db *blue, const struct bluegreen_green *green,
    const struct bluegreen_wish *wish, struct bluegreen *ret) MUST_CHECK;

/* The database, if it is missing. Opens green's session. */
bool bluegreen_make_database(
    struct ctx *ctx, struct bluegreen *pair, const struct bluegreen_green *green) MUST_CHECK;

/* Blue's definitions by pg_dump and pg_restore into green, which is empty or of a run that was cut off. */
bool bluegreen_copy_schema(struct ctx *ctx, struct bluegreen *pair,
    const struct bluegreen_wish *wish, const struct step_watch *watch) MUST_CHECK;

/* Whether all published tables are there on green with the same columns, and empty. ERR_VERIFICATION names those that are not. */
bool bluegreen_check_schema(struct ctx *ctx, struct bluegreen *pair) MUST_CHECK;

/* A slot can only be made when the transactions that are open on its server have ended. */
struct bluegreen_patience {
    int64_t limit_us;                           /* for that; then ERR_TIMEOUT */
    void (*note)(void *data, const char *text); /* who is waited for; or NULL */
    void *data;
};

/* Publication, slot and subscription from the live side to the other, with the rows that are there. */
bool bluegreen_follow(
    struct ctx *ctx, struct bluegreen *pair, const struct bluegreen_patience *patience) MUST_CHECK;

/* ---- looking ---- */

struct bluegreen_copying {
    const char *name;
    int64_t bytes;
    int64_t rows;
};

struct bluegreen_look {
    bool has_subscription;
    bool is_enabled;
    bool is_working; /* both ends of the replication are connected */
    int64_t tables;
    int64_t ready;
    int64_t errors; /* of the subscription; -1: not known */
    VEC(struct bluegreen_copying) copying;
    bool has_slot;
    int64_t lag_bytes;
    int64_t held_bytes;
    const char *wal_status;
    int64_t keep_bytes; /* the server's limit for WAL that slots hold; -1: none */
    int64_t live_bytes; /* of the databases */
    int64_t other_bytes;
};
/* What can be seen with the sides that answer. */
bool bluegreen_look(struct ctx *ctx, const struct bluegreen *pair, struct bluegreen_look *ret)
    MUST_CHECK;

/* How the live side's schema differs from what it was when replication began, a sentence each. */
bool bluegreen_drift(struct ctx *ctx, const struct bluegreen *pair, struct text_list *ret)
    MUST_CHECK;

/* The command for a shell that enables the subscription, of a side that answers, past its read-only default. */
const char *bluegreen_enable_command(struct arena *arena, const struct bluegreen *pair);

/* Writes a token on the live side and waits until it has come to the other. ERR_TIMEOUT. */
bool bluegreen_wait_applied(
    struct ctx *ctx, struct bluegreen *pair, int64_t limit_us, int64_t *ret_us) MUST_CHECK;

/* ---- comparing ---- */

struct bluegreen_table {
    const char *name; /* quoted */
    int64_t rows;     /* on the live side */
    int64_t chunks;
    int64_t equal;
    int64_t moving;         /* chunks that changed whenever they were looked at */
    const char *difference; /* the first, with its range of keys; NULL: none */
};

struct bluegreen_comparison {
    VEC(struct bluegreen_table) tables;
    size_t different;
    size_t moving;
    int64_t rows;
    int64_t us;
};

struct bluegreen_verify_options {
    int64_t chunk_rows;
    int32_t rounds;   /* how often what moves is looked at again */
    int64_t limit_us; /* for the other side to come after */
    const struct step_watch *watch;
};
bool bluegreen_verify(struct ctx *ctx, struct bluegreen *pair,
    const struct bluegreen_verify_options *options, struct bluegreen_comparison *ret) MUST_CHECK;

/*
 * While nothing is written: what verify could not compare, and the last rows of each table. *ret_difference NULL:
 * equal. Stops after limit_us; *ret_checked says how many it came to.
 */
bool bluegreen_verify_still(struct ctx *ctx, struct bluegreen *pair, int64_t limit_us,
    size_t *ret_checked, const char **ret_difference) MUST_CHECK;

/* ---- switching ---- */

struct bluegreen_switch_options {
    const char *pooler_url;
    const char *pooler_file; /* its configuration file, or NULL: rename the databases */
    int target;              /* the side that is to be live */
    bool end_direct;
    int64_t pause_us; /* clients wait at most so long */
    int64_t lag_bytes;
    int64_t sequence_margin;
    struct bluegreen_patience
        patience; /* while the way back is prepared; note tells the steps too */
};

struct bluegreen_switched {
    int64_t pause_us; /* how long clients were held */
    int64_t drain_us; /* of it: until the last write had come */
    size_t sequences;
    size_t tables_checked;
    size_t ended;             /* sessions */
    struct text_list entries; /* of the pooler, what clients say */
    const char *kept_file;    /* copy of the pooler's file before */
};

/* Whether it would be begun: pooler, rights, replication, comparison. Changes nothing. ERR_GATE, ERR_CONNECTION … */
bool bluegreen_check_switch(struct ctx *ctx, struct bluegreen *pair,
    const struct bluegreen_switch_options *options) MUST_CHECK;

/*
 * Makes the target live. A failure before clients are moved takes everything back: ERR_UNDONE or the cause; one
 * after it leaves what the next run finishes (ERR_ATTENTION).
 */
bool bluegreen_switch(struct ctx *ctx, struct bluegreen *pair,
    const struct bluegreen_switch_options *options, struct bluegreen_switched *ret) MUST_CHECK;

/* Puts right what a killed switch left. *ret_moved: it had come so far that the clients are at its target, and is finished now. */
bool bluegreen_heal_switch(struct ctx *ctx, struct bluegreen *pair,
    const struct bluegreen_switch_options *options, bool *ret_moved) MUST_CHECK;

/*
 * Points the entry of a PgBouncer configuration file to another database; all other bytes stay. ERR_INPUT when it
 * is not there exactly once. NULL in host or port: the parameter is left out.
 */
struct bluegreen_entry {
    const char *name;
    const char *host;
    const char *port;
    const char *database;
};
bool pooler_file_point(struct ctx *ctx, const char *text, const struct bluegreen_entry *entry,
    const char **ret_text, const char **ret_before) MUST_CHECK;

/* ---- ending ---- */

struct bluegreen_left {
    const char *what;
    const char *command;
};

struct bluegreen_ended {
    struct text_list done;
    VEC(struct bluegreen_left) left; /* of a side that does not answer */
};
bool bluegreen_abandon(struct ctx *ctx, struct bluegreen *pair, bool drop_green,
    struct bluegreen_ended *ret) MUST_CHECK;
