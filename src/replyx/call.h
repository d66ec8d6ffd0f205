/*
 * A request on its way: signed in, its arguments read, its variant chosen, its statements run, its answer
 * counted. The variants see nothing of HTTP.
 */
#pragma once

#include "base/json.h"
#include "replyx/api.h"
#include "replyx/endpoint.h"

enum { CALL_MOST_NUMBERS = 2, CALL_MOST_HEADERS = 2 };

struct call {
    struct api *api;
    struct http_request *request;
    struct ctx ctx; /* its arena is the request's */
    const struct endpoint *endpoint;
    const struct variant *variant;      /* the one that answers */
    int64_t user;                       /* 0: nobody has signed in */
    int64_t numbers[CALL_MOST_NUMBERS]; /* {id} of the path */
    void *args;
    int64_t started_us;
    int64_t now_us; /* wall clock, or the setting's: what "the last 30 days" ends at */
    int32_t statements;
    int64_t waited_us; /* in the pool's queue */
    int64_t ran_us;    /* in the database */
    struct straight straight;
    struct pool_ticket *ticket;
    /* Of the endpoint, in the answer beside ours; call_answer() and call_fail() send them. */
    struct http_header headers[CALL_MOST_HEADERS];
    size_t header_count;
    /* Of endpoint->handle and prepare: the client has gone, so what was begun is given up; may be NULL. */
    void (*gone)(struct call *call);
    void *data; /* theirs */
    /* Of call.c and its parts. */
    struct loop_timer *limit;
    const char *token; /* while it is looked up */
    bool
        is_unsure; /* whether the user's account is still good has to be asked with the next statement */
    bool is_late; /* it took longer than a request may */
    bool is_answered;
};

/* The flag of the call's endpoint: "replyx.stats". */
const char *call_flag_name(const struct call *call);

/* The handler of all routes of the server; data is the struct api. */
void call_handle(void *data, struct http_request *request);

/* What endpoint->prepare began is there: a variant is chosen and run. */
void call_go_on(struct call *call);
/* For endpoint->handle: sets call->variant by setting or flag, for call->user. */
void call_choose_variant(struct call *call);

/* Body of the request as a JSON object, at most so deep; ERR_INPUT with line and column. */
bool call_read_json(struct ctx *ctx, struct call *call, json_t **ret) MUST_CHECK;
/* For who reads JSON himself: ERR_INPUT for what is nested too deep; what is wrong, in words for clients. */
bool call_check_depth(struct ctx *ctx, const char *text, size_t length) MUST_CHECK;
const char *call_json_why(const json_error_t *error);
/* ERR_INPUT for a member that is not one of these; the list ends with NULL. */
bool call_check_members(struct ctx *ctx, json_t *body, const char *const *names) MUST_CHECK;
/* "limit" of the query as a number from 1 to most; standard when it is not there. */
bool call_read_number(struct ctx *ctx, struct call *call, const char *name, int64_t most,
    int64_t standard, int64_t *ret) MUST_CHECK;

/*
 * Runs a variant within the transaction of straight: a query, or straight code. Used for answering,
 * and by the shadow for both. ERR_NOT_FOUND as the variant says.
 */
bool call_run_variant(struct ctx *ctx, struct call *call, struct straight *straight,
    const struct variant *variant, struct buffer *ret_body) MUST_CHECK;
/* "SELECT set_config('replyx.user_id', …, true)": the rights of the user until the transaction ends. */
bool call_become(struct ctx *ctx, struct straight *straight, int64_t user) MUST_CHECK;

/* Once for each call, in the loop: headers X-Query-Count, X-Variant, Server-Timing; counted in tally. */
void call_answer(struct call *call, int status, const char *body, size_t length);
/* An error as JSON; Retry-After with 429 and 503. */
void call_fail(struct call *call, const struct error *error);
/* With another status than that of the error's kind. */
void call_fail_as(struct call *call, int status, const struct error *error);
