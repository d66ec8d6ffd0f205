/* What replyx-api can be told, by options, environment (REPLYX_API_…) and an ini file. */
#pragma once

#include <stdio.h>

#include "base/field.h"

struct settings {
    const char *listen;      /* "127.0.0.1:8000" */
    int32_t workers;         /* 1 */
    struct text_list db_url; /* several: hosts of one replication; none: as libpq has it */
    const char *jwt_secret_file;
    bool trust_user_header; /* tests and benchmarks, on loopback only: "Bearer 17" is user 17 */
    int64_t token_life;     /* microseconds that a token of /login holds; 1 h */
    /* the pool of requests, then that of background work; names as in SQLAlchemy */
    int32_t pool_size;           /* 20 */
    int32_t max_overflow;        /* 30 */
    int64_t pool_timeout;        /* 30 s */
    int64_t pool_recycle;        /* 3600 s */
    int32_t pool_queue;          /* 500 */
    int32_t shared_size;         /* 4 */
    int32_t shared_depth;        /* 16 */
    int32_t background_size;     /* 5 */
    int32_t background_overflow; /* 10 */
    int64_t request_limit;       /* of a whole request; 30 s */
    int64_t most_lag;            /* of a standby that may answer reads; 1 s */
    int32_t most_connections;    /* of clients; 12,000 */
    int64_t idle_timeout;        /* of a client's connection; 75 s */
    int64_t drain_limit;         /* for what is under way at the end; 30 s */
    const char *embedding_url;   /* OpenAI-compatible, or NULL */
    const char *embedding_model;
    const char *embedding_key_file;
    int64_t embedding_timeout;       /* 2 s */
    const char *webhook_secret_file; /* or NULL: webhooks are refused */
    int32_t bot_rate;                /* updates a second of one bot; 30 */
    int32_t bot_queue;               /* of one bot; 100 */
    bool ignore_flags;               /* always the variant named below */
    const char *variant;             /* for all endpoints that have it; else by flags */
    const char *now;                 /* answers as if it were that time: for comparisons */
    bool hidden_variants;            /* tests: flags may name variants that are wrong on purpose */
    bool verbose;
    const char *config;
    bool help;
    bool man;
    bool version;
    int32_t number; /* no option: which of the workers this process is, 0 … workers - 1 */
};

/*
 * Default < file < REPLYX_API_… < arguments (without the program's name). ERR_USAGE, ERR_CONFIG. With
 * help, man or version nothing else is looked at.
 */
bool settings_read(struct ctx *ctx, int argc, char **argv, struct settings *ret) MUST_CHECK;
/*
 * For a process that runs: what is read only at the start is set to what it was then, and *ret_left names
 * what of it differs.
 */
void settings_keep(struct arena *arena, const struct settings *before, struct settings *settings,
    struct text_list *ret_left);
/* Warns of variables that look like settings and are none. */
void settings_warn(struct arena *arena);
void settings_help(FILE *out);
/* replyx-api(8). */
void settings_man(FILE *out);
