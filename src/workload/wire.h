/*
 * PostgreSQL's protocol 3 as bytes: the messages of a stream, and the few that are read or made
 * here. Source: the chapter "Frontend/Backend Protocol" of PostgreSQL's documentation.
 */
#pragma once

#include "base/ctx.h"
#include "base/text.h"
#include "base/vec.h"

/*
 * One direction of a connection: bytes that came and are not yet whole messages, or bytes that
 * wait to be sent. All zero is an empty one. Its memory is its own: wire_free().
 */
struct wire_stream {
    char *data;
    size_t length;
    size_t capacity;
    size_t taken;   /* of them have been given out */
    size_t longest; /* message that is accepted; 0: what a server accepts, 1 GiB */
    bool has_start; /* the first message (start-up) has no type byte; false until it was taken */
};

struct wire_message {
    char type; /* 'Q', 'C', …; 0: a start-up message */
    const char *body;
    size_t length;     /* of the body */
    const char *bytes; /* the whole message as it came */
    size_t size;
};

/* Adds bytes that were read. */
void wire_feed(struct wire_stream *stream, const void *data, size_t length);

/*
 * The next whole message; *ret_done is false when more bytes are needed. ERR_INPUT when it cannot
 * be one (a length that is not possible). The message is valid until the next call.
 */
bool wire_next(struct ctx *ctx, struct wire_stream *stream, struct wire_message *ret,
    bool *ret_done) MUST_CHECK;

void wire_free(struct wire_stream *stream);

/* Bytes that wait, when the stream is not cut into messages; wire_drop() takes the first away. */
const char *wire_left(const struct wire_stream *stream, size_t *ret_length);
void wire_drop(struct wire_stream *stream, size_t length);

/* ---- what messages say: wire_message.c ---- */

/* What an ErrorResponse says; what it does not say is NULL. */
struct wire_error {
    const char *severity;
    const char *sqlstate;
    const char *message;
    const char *detail;
    const char *hint;
    const char *position;
    const char *schema;
    const char *table;
    const char *constraint;
};
void wire_read_error(
    struct arena *arena, const struct wire_message *message, struct wire_error *ret);

enum wire_start_kind { WIRE_START_SESSION, WIRE_START_TLS, WIRE_START_GSS, WIRE_START_CANCEL };

struct wire_start {
    enum wire_start_kind kind;
    uint32_t minor;          /* of the protocol's version, 3.minor */
    uint32_t pid;            /* of a cancel request, as the next one */
    uint32_t key;            /* 0 when it has another length than ours */
    struct text_list names;  /* "user", "database", "options", … */
    struct text_list values; /* of the same index */
};

/* ERR_INPUT when it is no start of protocol 3. */
bool wire_read_start(struct ctx *ctx, const struct wire_message *message, struct wire_start *ret)
    MUST_CHECK;
const char *wire_start_value(const struct wire_start *start, const char *name);

/* The C string at *at, which moves behind it; NULL when the body ends before it does. */
const char *wire_read_text(const struct wire_message *message, size_t *at);

/* The big-endian number of size 2 or 4 at *at; 0 behind the end. */
uint32_t wire_read_number(const struct wire_message *message, size_t *at, size_t size);

/* Messages of a server, added to the buffer. */
void wire_add_authentication(struct buffer *buffer, uint32_t kind); /* 0: ok, 3: password */
void wire_add_parameter(struct buffer *buffer, const char *name, const char *value);
void wire_add_key(struct buffer *buffer, uint32_t pid, uint32_t key);
void wire_add_ready(struct buffer *buffer, char status);
void wire_add_error(
    struct buffer *buffer, const char *sqlstate, const char *message, const char *hint);
/* That we speak 3.0, and which options of the client we do not know. */
void wire_add_version(struct buffer *buffer, const struct text_list *unknown);
