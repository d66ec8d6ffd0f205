/* HTTP and SMTP requests of ours, by libcurl on a loop: what notifies, and reads other metrics. */
#pragma once

#include "base/ctx.h"
#include "base/text.h"
#include "event/loop.h"
#include "http/server.h"

struct http_client;

/*
 * allow_private: whether addresses that are loopback, link-local (cloud metadata) or private may be
 * asked. It is looked at after the name was resolved and for every redirect (there are none: they are
 * not followed), so a name that changes its address does not help.
 */
struct http_client_options {
    bool allow_private;
    int64_t timeout_us;      /* 0: 10 s, the whole request */
    int64_t most_body_bytes; /* 0: 4 MB of an answer; more is an error */
    const char *ca_file;     /* or NULL: the system's */
};

bool http_client_new(struct ctx *ctx, struct loop *loop, const struct http_client_options *options,
    struct http_client **ret) MUST_CHECK;
/* Requests under way end without their callback. */
void http_client_free(struct http_client *client);

struct http_call {
    const char *method; /* "GET", "POST" */
    const char *url;    /* http, https; smtp, smtps with the fields below */
    const struct http_header *headers;
    size_t header_count;
    const char *body; /* copied */
    const char *user; /* or NULL; by smtp the password is sent encrypted or not at all */
    const char *password;
    /*
     * smtp: addresses without a name, "a@example.com". headers then are those of the mail (Subject,
     * perhaps From); what is missing of From, To, Date, Message-ID and MIME is added, and body is the
     * plain UTF-8 text alone.
     */
    const char *mail_from;
    struct text_list mail_to;
};

struct http_result {
    bool is_answered;       /* there was a status; else error tells why not */
    int status;             /* 200; SMTP: 250 */
    int64_t retry_after_us; /* of a Retry-After header in seconds or as a date; -1: none */
    const char *body;       /* lives during the callback */
    size_t length;
    const char *error; /* without user, password or token of the URL; NULL if answered */
};
typedef void http_done(void *data, const struct http_result *result);

/*
 * ERR_INPUT for a URL that is none or of another scheme, and for a line break in a header or an
 * address. done is called once, from the loop, never from inside of this function.
 */
bool http_client_call(struct ctx *ctx, struct http_client *client, const struct http_call *call,
    http_done *done, void *data) MUST_CHECK;

/* The URL as it may be shown: user, password, query and long path parts (tokens) as "…". */
const char *http_url_shown(struct arena *arena, const char *url);
