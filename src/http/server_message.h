/*
 * A request as bytes, read strictly: what two readers could understand differently is refused, so
 * that nothing can be smuggled past a proxy. Source: RFC 9112.
 */
#pragma once

#include "http/server.h"

enum {
    HTTP_MOST_LINE = 8 * 1024,
    HTTP_MOST_HEAD = 16 * 1024,
    HTTP_MOST_HEADERS = 100,
};

struct http_head {
    enum http_method method; /* 0: one that no route has; HEAD is GET */
    bool is_head;
    bool is_old; /* HTTP/1.0 */
    bool is_chunked;
    bool is_last;   /* the connection ends with it */
    bool is_asking; /* Expect: 100-continue */
    int64_t length; /* of the body, unless it is chunked */
    const char *path;
    const char *query;     /* as it came, or NULL */
    const char *authority; /* of a target like http://name/path, or NULL */
    const char *host;
    size_t header_count;
    struct http_header headers[HTTP_MOST_HEADERS];
};

/*
 * The length of the head with its empty line; 0: not complete; -1: no HTTP. *scanned is where to go
 * on, 0 for a new head.
 */
int64_t http_head_find(const char *data, size_t length, size_t *scanned);

/*
 * Reads a complete head; text is changed and is what head points into. 0, or the status to refuse it
 * with and why.
 */
int http_head_read(char *text, size_t length, struct http_head *ret, const char **ret_why);

const char *http_head_get(const struct http_head *head, const char *name);

/* Undoes %41 (and + as a space when is_form) in place; false for what is not well-formed UTF-8. */
bool http_decode(char *text, bool is_form);

/* A chunked body as it comes in. { 0 } is its start. */
struct http_chunks {
    int64_t left; /* of this chunk's data */
    enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END, CHUNK_LAST, CHUNK_DONE } at;
};

/*
 * Moves the data to the front of the same bytes: *used is how many were read, *got how many of data
 * they held. 0, or the status to refuse it with.
 */
int http_chunks_read(
    struct http_chunks *chunks, char *data, size_t length, size_t *ret_used, size_t *ret_got);
