/* What the files of the client share. */
#pragma once

#include <curl/curl.h>

#include "http/client.h"

struct http_client {
    struct loop *loop;
    struct arena *arena;
    struct http_client_options options;
    CURLM *multi;
    struct loop_timer *timer;
    struct client_socket *sockets;
    struct client_call *calls;
    bool is_telling; /* a callback of ours runs: what is freed now is freed after it */
    bool is_freed;
};

/* One request on its way. */
struct client_call {
    struct http_client *client;
    struct client_call *next;
    struct client_call **link; /* what points to it */
    struct arena *arena;
    CURL *easy;
    bool is_mail;
    struct curl_slist *headers;
    struct curl_slist *receivers;
    const char *url;
    const char *user;
    const char *password;
    const char *mail; /* with its headers */
    size_t mail_length;
    size_t mail_sent;
    struct buffer body;
    int64_t header_bytes;
    bool is_too_long;
    const char *refused; /* the last address that may not be asked, or NULL */
    http_done *done;
    void *data;
    char text[CURL_ERROR_SIZE];
};

/* client_call.c: everything that libcurl must know. */
bool client_call_prepare(struct ctx *ctx, struct client_call *call, const struct http_call *given)
    MUST_CHECK;
/* How it ended. */
void client_call_judge(struct client_call *call, CURLcode code, struct http_result *ret);

/* client_mail.c: ERR_INPUT for what would break out of its line. */
bool client_mail_compose(struct ctx *ctx, struct client_call *call, const struct http_call *given)
    MUST_CHECK;
bool client_check_header(struct ctx *ctx, const struct http_header *header) MUST_CHECK;

/* client_url.c: ERR_INPUT for another scheme than these four. */
bool client_check_url(struct ctx *ctx, const char *url, bool *ret_is_mail) MUST_CHECK;
/* The text without any of the call's secrets. */
const char *client_hide(const struct client_call *call, const char *text);
