/* What the files of the HTTP transport share. */
#pragma once

#include "load/engine/transport.h"
#include "load/target.h"

enum {
    LOAD_MOST_HEAD = 16 << 10,   /* of an answer, with the 1xx ones before it */
    LOAD_MOST_TAKEN = 256 << 10, /* of a body that something is taken from */
    LOAD_INBOX_SIZE = 64 << 10,
};

/* Who wants to see what an answer holds. data of both calls: nothing is kept. */
struct load_answer_sink {
    void (*header)(struct load_answer_sink *sink, const char *name, size_t name_length,
        const char *value, size_t length);
    void (*body)(struct load_answer_sink *sink, const char *data, size_t length);
};

enum load_answer_phase {
    ANSWER_STATUS,
    ANSWER_HEADERS,
    ANSWER_BODY,
    ANSWER_TO_END, /* a body that ends with the connection */
    ANSWER_CHUNK_SIZE,
    ANSWER_CHUNK,
    ANSWER_CHUNK_END,
    ANSWER_TRAILERS,
    ANSWER_DONE,
};

/* An answer as it is read, in pieces of any size. */
struct load_answer_reader {
    struct load_answer_sink *sink; /* or NULL */
    const char *fault;             /* why it is no answer */
    int64_t left;                  /* of the body or the chunk; -1: no Content-Length */
    int32_t head;                  /* bytes of lines so far */
    int32_t statements;            /* X-Query-Count; -1: none */
    int16_t status;
    uint8_t phase;   /* enum load_answer_phase */
    bool is_head;    /* of a HEAD request: there is no body */
    bool is_closing; /* the server closes after it */
    bool is_old;     /* HTTP/1.0 */
    bool is_chunked;
    bool has_started; /* at least one byte came */
};

/* reader.c */
void load_answer_begin(
    struct load_answer_reader *reader, bool is_head, struct load_answer_sink *sink);
/*
 * Reads what it can and returns how much that was: what is left is the beginning of a line, to be given
 * again with more behind it, or comes after the answer. False: it is no answer, see fault.
 */
bool load_answer_read(
    struct load_answer_reader *reader, const char *data, size_t length, size_t *ret_used);
/* The connection has ended: whether that completes the answer. */
bool load_answer_end(struct load_answer_reader *reader);

/* header.c */
/* A line between start and end, without CR LF. False: fault is set. */
bool load_answer_status_line(struct load_answer_reader *reader, const char *at, const char *end);
bool load_answer_header_line(struct load_answer_reader *reader, const char *at, const char *end);
bool load_answer_size_line(struct load_answer_reader *reader, const char *at, const char *end);

/* take.c: what a step takes out of its answer, while it comes; of a good one only. */
struct load_taking;
/* Becomes the reader's sink. NULL when the step takes nothing. */
struct load_taking *load_taking_begin(
    struct load_answer_reader *reader, const struct load_step *step, struct load_scope *scope);
/* The answer is complete. Returns in words what could not be taken, or NULL; in the arena. */
const char *load_taking_end(struct load_taking *taking, struct arena *arena);
void load_taking_free(struct load_taking *taking);
/* What an answer of this status means to the step. */
enum load_outcome load_http_outcome(const struct load_step *step, int status);

/* What all connections share. */
struct load_http_shared {
    struct arena *arena; /* for connections */
    struct arena *turn;  /* for messages: reset before each */
    struct edge_set *edges;
    struct load_target target;
    struct buffer request;
    struct buffer body;
    struct buffer lines;     /* between the path and the step's headers */
    char *inbox;             /* LOAD_INBOX_SIZE */
    int64_t wall_offset_us;  /* wall clock minus clock_us() */
    int64_t wall_checked_us; /* when that was looked at */
    bool has_stamps;         /* the kernel tells when something came */
    struct load_connection *connections;
    uint32_t added;
    uint16_t least_source; /* those before it have no port left */
    uint32_t per_source;   /* connections that one source address has ports for */
};

enum load_http_phase_now {
    HTTP_CLOSED,
    HTTP_CONNECTING,
    HTTP_IDLE,
    HTTP_ASKING,
    HTTP_AGAIN, /* connecting, to send a request once more */
};

struct load_connection {
    struct edge edge; /* first: an edge is cast to its connection */
    uint8_t phase;    /* enum load_http_phase_now */
    bool is_second;   /* the request under way was sent once more */
    bool is_rested;   /* it was idle for long before that */
    uint16_t source;  /* 127.0.0.1 + so many */
    int error;        /* errno of connect() when it failed at once */
    struct load_http_shared *shared;
    struct load_user *user;
    struct load_scope *scope;
    const struct load_step *step;
    struct load_connection *next; /* of all */
    struct load_taking *taking;
    char *unsent; /* what the kernel did not take */
    size_t unsent_length;
    size_t unsent_done;
    char *rest; /* a line that has not ended yet */
    size_t rest_length;
    int64_t bytes;   /* of the answer */
    int64_t idle_us; /* when its last answer ended; 0: it has had none */
    struct load_answer_reader reader;
};

/* request.c */
/*
 * Composes the request in shared->request. NULL, or in words why it cannot be sent: nothing that came
 * out of a value may be read as another header or as another request.
 */
const char *load_http_compose(
    struct load_http_shared *shared, const struct load_step *step, struct load_scope *scope);

/* socket.c */
/* False with errno: there is no socket, or no free port of any source address. */
bool load_http_open(struct load_connection *connection);
/* Sends what the kernel takes of it, and keeps the rest. False with errno: the connection is lost. */
bool load_http_put(struct load_connection *connection, const char *data, size_t length);
bool load_http_put_rest(struct load_connection *connection);
/* As recv(), behind what is kept already; *ret_at_us: when the kernel got it, on clock_us()'s scale. */
ssize_t load_http_get(struct load_connection *connection, int64_t *ret_at_us);
/* Keeps the end of what is in the inbox for the next time. */
void load_http_keep(struct load_connection *connection, const char *data, size_t length);
/* Closes and forgets what was under way. */
void load_http_drop(struct load_connection *connection);
