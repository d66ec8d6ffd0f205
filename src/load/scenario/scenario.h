/*
 * A load scenario: who asks for what, how often, with which values. It is read from an ini file (docs/load.md
 * describes it), or made of a folder of pgbench scripts.
 */
#pragma once

#include "base/ctx.h"
#include "base/text.h"
#include "db/db.h"

enum { LOAD_MOST_USERS = 60000, LOAD_MOST_RATE = 100000 };
#define LOAD_LONGEST_US INT64_C(14400000000) /* four hours */

enum load_kind { LOAD_HTTP, LOAD_SQL };

struct load_template; /* text with expressions in it: see scope.h */

/* What a request takes out of the answer, for the requests of the same user that come after it. */
struct load_take {
    size_t slot;        /* of the user's scope */
    const char *header; /* the header's name, or NULL: of the body */
    const char *path;   /* "token", "items.0.id" of a body that is JSON */
};

/* One statement of a SQL script. */
struct load_statement {
    const char *sql;         /* with $1… in the place of variables; NULL: none, but a pause */
    const char *fingerprint; /* or "" where the grammar does not know one */
    const struct load_template *const *params; /* of a pause: how many units */
    size_t param_count;
    const struct load_take *takes; /* \gset; path is the name of a column */
    size_t take_count;
    int64_t pause_unit_us;
    int32_t line; /* of the script */
};

/* One kind of request: what is measured by its name. */
struct load_step {
    const char *name;
    /* HTTP. The whole request but for Host and Content-Length, which the transport writes. */
    const char *method;
    const struct load_template *path;
    const struct load_template *headers; /* lines that end with CR LF, or NULL */
    int32_t header_lines;                /* so many: a value must not add one; 0: not checked */
    const struct load_template *body;    /* or NULL */
    const int32_t *expected;             /* statuses that are good; NULL: 200 to 399 */
    size_t expected_count;
    const struct load_take *takes;
    size_t take_count;
    /* SQL: one transaction, or as many as the script says itself. */
    const struct load_statement *statements;
    size_t statement_count;
    size_t first_assignment; /* of the scenario's: \set lines, evaluated before each */
    size_t assignment_count;
};

enum load_think { THINK_NONE, THINK_FIXED, THINK_UNIFORM, THINK_EXPONENTIAL };

/* Users of one kind, each a connection of its own. */
struct load_group {
    const char *name;
    int32_t users;
    /*
     * By think times (rate 0): a user's request is due a think time after the one before was due, so the
     * schedule does not wait for the server; is_closed: after the one before was answered. By rate:
     * requests of the whole group come as a Poisson process, each by the user that has been idle longest.
     */
    double rate;
    double burst; /* with rate: so many come at once, on average (geometric); 1: one by one */
    bool is_closed;
    enum load_think think;
    int64_t think_us;      /* mean, or the shortest of a range */
    int64_t think_most_us; /* of a range */
    const size_t *start;   /* steps that a user takes once, before the others */
    size_t start_count;
    const size_t *mix; /* steps of which one is drawn each time … */
    const double
        *mix_until; /* … by these cumulative shares; NULL: all in this order, again and again */
    size_t mix_count;
    int64_t session_us; /* mean; then the user leaves, and another one comes; 0: nobody leaves */
};

/* A limit that the run is held to: "p95 < 200ms", "stats.p95 < 100ms", "bots.success >= 99.9%". */
struct load_goal {
    const char *text;    /* as it was written */
    const char *subject; /* name of a step or a group; NULL: all */
    const char
        *measure; /* a name that result/goal.c knows: p50 p95 p99 mean max errors success rate … */
    bool is_most; /* not more than the limit; else not less */
    double limit; /* us, shares of 1, or a number */
    int32_t line;
};

struct load_scenario {
    const char *name;
    const char *path; /* the file, for errors; or NULL */
    const char *about;
    enum load_kind kind;
    const char *target;  /* "127.0.0.1:8000" with HTTP; may be NULL: then an option says it */
    int64_t ramp_up_us;  /* in which the users come, evenly */
    int64_t warm_up_us;  /* after that, before it counts */
    int64_t duration_us; /* that counts */
    int64_t limit_us;    /* for an answer */
    struct load_step *steps;
    size_t step_count;
    struct load_group *groups;
    size_t group_count;
    struct load_goal *goals;
    size_t goal_count;
    int64_t users;            /* of all groups */
    struct load_world *world; /* values, variables and slots, which scopes use: see scope.h */
};

struct load_scenario_options {
    struct text_list defines; /* "name=value" */
    struct db *db;            /* for values that are drawn from the database; NULL: there is none */
    double scale;             /* of the number of users and of rates; 0: 1 */
    bool
        needs_values; /* false: only read and checked; neither files nor the database are asked for values */
};

/*
 * Reads a scenario file. ERR_CONFIG with FILE:LINE and what to do for the first thing wrong in it, including
 * names that nothing defines; ERR_USAGE when it needs a database and there is none.
 */
bool load_scenario_read(struct ctx *ctx, const char *path,
    const struct load_scenario_options *options, struct load_scenario *ret) MUST_CHECK;

/* All *.sql of a folder, pgbench scripts, each as likely as the others: one group that never thinks. */
bool load_scenario_of_folder(struct ctx *ctx, const char *folder,
    const struct load_scenario_options *options, struct load_scenario *ret) MUST_CHECK;

/* Whether a step of the scenario needs a database (SQL steps, or values by query). */
bool load_scenario_asks_database(struct ctx *ctx, const char *path, bool *ret) MUST_CHECK;

extern const char *const load_kind_names[]; /* "http", "sql" */
