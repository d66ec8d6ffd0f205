/*
 * What follow's files share. Sessions are the only thing that lives long; all that they hold is bounded,
 * and taken from malloc in single blocks so that what goes makes room at once.
 */
#pragma once

#include "queries/trace/follow.h"
#include "workload/traced_tag.h"
#include "workload/wire.h"

/* Names and types of a result, in one block. */
struct follow_columns {
    size_t count;
    struct follow_column {
        const char *name;
        uint32_t type;
        bool is_binary; /* as a simple query's result says; else the portal decides */
    } items[];
};

/* A statement's text as it was sent, prepared or not. */
struct follow_text {
    int32_t uses;
    char *name; /* of the prepared statement; NULL: it is none */
    const struct template *template;
    char *sql;                      /* NULL: not kept */
    struct traced_value *constants; /* of the text, in one block */
    size_t constant_count;
    uint32_t *types; /* of its parameters, as far as they were told */
    size_t type_count;
    struct follow_columns *columns; /* NULL: not described */
    struct traced_tag tag;          /* its texts are its own */
    struct follow_text *next;       /* of the session's: the last used first */
};

struct follow_portal {
    int32_t uses;
    char *name;
    struct follow_text *text;    /* NULL: not known */
    struct traced_value *values; /* in one block */
    size_t value_count;
    uint8_t *formats; /* of the result's columns; one is for all, none: text */
    size_t format_count;
    bool is_blind; /* the formats were not seen */
    bool was_told; /* its first rows were: what comes later is not another statement */
    struct follow_portal *next;
};

/* A message of the client that is not yet answered. */
struct follow_pending {
    char type;
    char of; /* Describe: 'S' or 'P' */
    int64_t at_us;
    uint64_t line;
    struct follow_portal *portal; /* Execute, Describe of one */
    struct follow_text **texts;   /* simple query: its statements; Describe: the one; else NULL */
    size_t text_count;
};

/* The result that is coming in. */
struct follow_result {
    struct follow *follow; /* that gave the arena */
    struct arena *arena;   /* NULL: nothing of it was kept */
    struct traced_column *columns;
    bool *is_binary;
    size_t column_count;
    size_t capacity; /* of values in each column */
    size_t row_count;
    int64_t rows;
    bool is_described;
    bool is_blind;
};

enum follow_state {
    FOLLOW_LIVE,  /* each answer belongs to the front of the queue */
    FOLLOW_LOST,  /* after a gap */
    FOLLOW_READY, /* after a gap, and the server has said that it is ready: if the client speaks next
                     there is nothing under way */
};

struct follow_session {
    uint64_t id;
    struct follow_session *in_bucket;
    struct follow_session *newer, *older; /* by their last record */
    enum follow_state state;
    bool is_left_out; /* of another database */
    bool is_after_gap;
    bool is_skipping; /* an error: all is ignored up to the next Sync */
    bool is_copying;
    bool is_in_transaction;
    uint64_t transaction;
    int64_t answered_us; /* when the last answer ended */
    char *application;
    char *database;
    char *user;
    struct follow_text *texts;
    size_t text_count;
    struct follow_portal *portals;
    size_t portal_count;
    struct follow_pending *pending; /* a ring */
    size_t pending_first;
    size_t pending_count;
    size_t pending_capacity;
    size_t statement; /* of a simple query: which is being answered */
    struct follow_result result;
};

struct follow {
    struct follow_options options;
    struct templates *templates;
    traced_sink *sink;
    void (*ended)(void *data, uint64_t session);
    void *data;
    struct value_key key;
    struct follow_counts counts;
    uint64_t line;
    uint64_t unlike; /* counts values that equal no other */
    struct arena *scratch;
    struct arena *spare; /* of the last result that was over; NULL: none */
    struct follow_session **buckets;
    size_t bucket_count;
    size_t session_count;
    struct follow_session *newest, *oldest;
};

/* A record as a message, with what it says about itself. */
struct follow_message {
    struct wire_message wire; /* its length is what is here of it */
    bool is_cut;
    uint32_t skipped; /* rows before it that were not handed on */
    int64_t at_us;
    uint64_t line;
};

/* Zeroed; ends the program when there is no memory. */
void *follow_alloc(size_t size);
char *follow_copy_text(const char *text, size_t length);

/* ---- follow_text.c: statements, portals, values ---- */

/* The text's template, constants and tag; used once. */
struct follow_text *follow_text_new(
    struct follow *follow, const char *sql, size_t length, bool is_cut);
struct follow_text *follow_text_use(struct follow_text *text);
void follow_text_drop(struct follow_text *text);
/* The session's, by name; NULL: not known. The found one is the last to be forgotten. */
struct follow_text *follow_text_find(struct follow_session *session, const char *name);
/* Takes the place of one of that name. */
void follow_text_keep(struct follow_session *session, struct follow_text *text, const char *name);
void follow_text_forget(struct follow_session *session, const char *name); /* NULL: all */

struct follow_portal *follow_portal_find(struct follow_session *session, const char *name);
void follow_portal_keep(struct follow_session *session, struct follow_portal *portal);
void follow_portal_forget(struct follow_session *session, const char *name); /* NULL: all */
void follow_portal_drop(struct follow_portal *portal);

/* One block that holds values and their texts. */
struct traced_value *follow_copy_values(const struct traced_value *values, size_t count);

struct follow_bytes {
    const char *data;
    size_t length;
    bool is_binary;
    bool is_whole;
    uint32_t type;
};
/* Its text, if it is kept, in the arena. */
struct traced_value follow_value(
    struct follow *follow, struct arena *arena, const struct follow_bytes *bytes);

/* ---- follow_client.c ---- */

void follow_client(
    struct follow *follow, struct follow_session *session, const struct follow_message *message);

/* ---- follow_server.c ---- */

bool follow_server(struct ctx *ctx, struct follow *follow, struct follow_session *session,
    const struct follow_message *message) MUST_CHECK;

/* ---- follow_queue.c: what waits for an answer ---- */

struct follow_pending *follow_front(struct follow_session *session);
/* False: there are too many. */
bool follow_push(struct follow_session *session, const struct follow_pending *pending);
void follow_pop(struct follow_session *session);
/* Syncs of the client that came along with a COPY are ignored as those that come during it. */
void follow_drop_syncs(struct follow_session *session);
/* The next answers cannot be told: waits until the server is ready and the client goes on. */
void follow_lose(struct follow_session *session);

/* ---- follow_result.c: rows ---- */

void follow_result_clear(struct follow_result *result);
/* RowDescription; NULL when it cannot be read. */
struct follow_columns *follow_read_columns(
    const struct follow *follow, const struct follow_message *message);
void follow_result_describe(struct follow *follow, struct follow_session *session,
    const struct follow_columns *columns, const struct follow_portal *portal);
void follow_result_row(
    struct follow *follow, struct follow_session *session, const struct follow_message *message);
