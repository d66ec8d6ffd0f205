/*
 * An endpoint is a row of a table: where it is, how its arguments are read, and its variants, of which
 * the first is the slow original and each other one must give the same bytes. An endpoint is a file in
 * endpoints/; endpoints.c has the list.
 */
#pragma once

#include "db/pool/straight.h"
#include "http/server.h"

struct call;

/*
 * Reads path, query and body into args (of the endpoint's args_size, zeroed; what is queried as: the
 * argument struct that its queries share). ERR_INPUT tells which value is wrong, ERR_NOT_FOUND an id that
 * no row can have.
 */
typedef bool endpoint_read(struct ctx *ctx, struct call *call, void *args);

/*
 * Straight code: asks as often as it likes in the transaction that is open, with the user's rights, and
 * prints the answer. ERR_NOT_FOUND: it is not there, or not the user's.
 */
typedef bool variant_run(struct ctx *ctx, struct call *call, struct straight *straight,
    const void *args, struct buffer *ret_body);

struct variant {
    const char *name; /* "naive", "optimised" */
    /* One statement, whose first column of its only row is the answer as text; no row or NULL: 404. */
    const struct query *query;
    enum pool_lane lane; /* of the query */
    variant_run *run;    /* or this */
    bool is_hidden;      /* wrong or slow on purpose: only with the setting that tests have */
};

enum { ENDPOINT_MOST_VARIANTS = 4, ENDPOINT_MOST_COUNT = 32 };

struct endpoint {
    const char *name; /* "stats": in metrics; its flag is "replyx.stats" */
    unsigned methods; /* of enum http_method */
    /* "/assistants/{id}/dialogs": {id} is a number of 1 … 2^31-1, else 404; a slash and star at its end:
       with everything below. */
    const char *path;
    bool is_open;  /* without signing in */
    bool is_write; /* its variants may write: on the primary, in a transaction that commits */
    size_t args_size;
    const char *const *query; /* names that the query may have, then NULL; of one with read() */
    endpoint_read *read;
    /*
     * After read() and before a variant is chosen: begins what has to be asked elsewhere than in the
     * database, and returns true; then it calls call_go_on() or call_fail() once, from the loop or a task.
     * False: nothing to wait for. NULL: there never is.
     */
    bool (*prepare)(struct call *call);
    const struct variant *variants;
    size_t variant_count;
    /*
     * Instead of all that follows read(): it does everything itself, call_answer() or call_fail() once.
     * Its variants, if it has some, are chosen by call_choose_variant().
     */
    void (*handle)(struct call *call);
};

/* All of them, the order of the list being that of their numbers. */
extern const struct endpoint *const endpoints[];
extern const size_t endpoint_count;
