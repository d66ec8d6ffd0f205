/*
 * One client and its connection to the server. Until the log-in is over link_login.c leads; then link.c
 * hands bytes on and link_frame.c reads over its shoulder. For this folder only.
 */
#pragma once

#include "base/text.h"
#include "event/tls.h"
#include "queries/proxy/link_address.h"
#include "queries/proxy/login.h"
#include "queries/proxy/proxy.h"

/*
 * What a read takes at most, and therefore what can wait to be written to one side: as long as
 * something waits, nothing more is read for it.
 */
#define LINK_READ_BYTES ((size_t)64 * 1024)
#define LINK_SWEEP_US   250000
#define LINK_SPARES     16

/* Which messages a side's bytes are: its headers are read, the bodies skipped. */
struct link_frame {
    uint32_t left; /* bytes of the body that are to come */
    uint32_t length;
    uint32_t kept_length;
    uint32_t kept_wanted;
    uint32_t rows; /* of the result that is under way */
    uint32_t row_bytes;
    uint32_t skipped;
    unsigned char head[5];
    uint8_t head_length;
    char type;
    bool is_wanted; /* the message that is under way becomes a record */
    bool is_lost;   /* they are no messages */
    char *kept;     /* the first bytes of a message that came in pieces */
};

struct link_side {
    struct link *link;
    int socket; /* -1: none */
    struct tls *tls;
    bool can_read;     /* something may be there */
    bool is_ending;    /* the kernel told of the end: a short read is no reason to stop */
    bool has_ended;    /* the end was read */
    bool is_shut;      /* we have said that there is no more */
    bool is_broken;    /* it takes no more; what is for it is thrown away */
    bool wants_write;  /* the kernel tells when it can be written */
    bool is_handshake; /* TLS is not there yet: the socket is TLS's alone */
    char *waiting;     /* to be written to it */
    size_t waiting_at;
    size_t waiting_length;
    size_t waiting_size;
    struct link_frame frame; /* of what comes from it */
};

enum link_state {
    LINK_LOGIN,
    LINK_CONNECTS,
    LINK_TLS_CLIENT,
    LINK_TLS_SERVER,
    LINK_TRAFFIC,
    LINK_CANCELS, /* a cancel request went to the server; it answers by the end */
    LINK_LINGERS, /* the last words go to the client */
    LINK_DEAD,    /* is freed when nobody can point to it any more */
};

enum { LINK_CLIENT, LINK_SERVER };

struct link {
    struct proxy *proxy;
    struct link *next; /* all of a proxy, or the dead */
    struct link **at;
    struct link *next_again; /* those that have more to read than they were given time for */
    bool is_again;
    enum link_state state;
    bool is_cancel;
    bool is_new;          /* nothing was read of the client yet */
    bool has_answer;      /* the server has said something */
    bool is_counted;      /* a session: counts against the limit */
    bool is_traced;       /* its messages become records */
    bool is_gap;          /* records of it were lost */
    int64_t until_us;     /* the state ends; 0: never */
    size_t address;       /* of the server's, which is tried */
    uint64_t session;     /* 0: none that records tell of */
    char *open_bytes;     /* of RECORD_OPEN, until it was put */
    uint32_t open_length; /* of them */
    struct link_side sides[2];
    struct login *login;
    struct arena *arena; /* of the log-in */
    struct buffer to_client;
    struct buffer to_server;
};

struct proxy {
    struct loop *loop;
    int epoll; /* of the links; the loop watches it: so one call tells of many */
    struct loop_watch *epoll_watch;
    struct link_listeners listeners;
    struct loop_watch *listener_watches[LINK_ADDRESSES];
    struct loop_timer *sweep; /* time limits; runs while a link has one */
    struct loop_timer *again_timer;
    bool is_busy; /* waits here, not in the loop, which then does not watch the epoll set */
    bool is_swept;
    bool is_paused;          /* no descriptors are left: nobody is let in till the next sweep */
    int spares[LINK_SPARES]; /* descriptors to let those in who are to be told so */
    size_t spare_count;
    struct link *links;
    struct link *dead;
    struct link *again;
    struct link_addresses addresses;
    char *host;
    char *port;
    int64_t connect_timeout_us;
    uint32_t kept_bytes;
    uint64_t most_connections;
    uint64_t sessions; /* that count against it */
    uint64_t last_session;
    struct record_ring *ring;
    uint64_t *unclosed; /* sessions whose RECORD_CLOSE did not fit yet */
    size_t unclosed_count;
    size_t unclosed_size;
    int64_t now_us; /* wall clock of the read whose messages are put */
    struct login_rules *rules;
    struct ctx ctx; /* of what fails in a link; emptied with each sweep */
    struct proxy_counts counts;
    loop_callback *drained;
    void *drained_data;
    char buffer[LINK_READ_BYTES];
};

static inline struct link_side *
link_other(struct link_side *side)
{
    return &side->link->sides[side == &side->link->sides[LINK_CLIENT] ? LINK_SERVER : LINK_CLIENT];
}

/* ---- link.c ---- */

struct link *link_new(struct proxy *proxy, int client);
/* Ends both connections at once; the memory stays until link_reap(). */
void link_kill(struct link *link);
void link_reap(struct proxy *proxy);
/* What the kernel told of a side (EPOLLIN …). */
void link_event(struct link_side *side, uint32_t events);
/* Those who were cut short go on. */
void link_go_on(struct proxy *proxy);
void link_time_is_up(struct link *link);

bool link_watch(struct link_side *side, int socket, bool for_write);
void link_want_write(struct link_side *side, bool is_wanted);
void link_close_side(struct link_side *side);
/* Bytes behind those that wait. */
void link_add(struct link_side *side, const void *data, size_t length);
/* Writes what waits; false: not all of it. */
bool link_flush(struct link_side *side);
/* Bytes that were read: 0 when there are none now, or no more (has_ended). */
size_t link_read(struct link_side *side, void *data, size_t size);
/* From here on bytes are handed on. */
void link_begin_traffic(struct link *link);
/* No more than what waits is sent to the client, then the end. */
void link_linger(struct link *link);
void link_set_limit(struct link *link, int64_t after_us);
/* What waits for time is looked at soon, and as long as something waits. */
void link_start_sweep(struct proxy *proxy);

/* ---- link_login.c ---- */

void link_login_work(struct link *link);
/* The connection to the server could not be made in time, or the client does not say who it is. */
void link_login_late(struct link *link);

/* ---- link_frame.c ---- */

void link_trace_open(struct link *link, const char *start, size_t length);
void link_trace_bytes(struct link_side *side, const char *data, size_t length);
void link_trace_close(struct link *link);
/* Records that must not be lost and did not fit. */
void link_trace_put_again(struct proxy *proxy);
