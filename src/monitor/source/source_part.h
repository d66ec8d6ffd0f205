/* What the files of source/ share; nobody else includes this. */
#pragma once

#include "http/client.h"
#include "monitor/source/source.h"

enum { PAGE_BUCKETS = 64, PAGE_LOOKS = 16 };

struct page_bucket {
    double most; /* seconds, the le of the bucket */
    double count;
};

/* What a page of metrics says about requests since the application started; NaN: nothing. */
struct page_look {
    int64_t at_us;
    double requests;
    double errors;
    double statements;
    double p95;                               /* of a summary, as the application made it */
    struct page_bucket buckets[PAGE_BUCKETS]; /* cumulative, by most; the last one is infinite */
    size_t bucket_count;
};

/* The last minute of looks, a ring. */
struct page_looks {
    struct page_look items[PAGE_LOOKS];
    size_t count;
    size_t next;
};

/* Finds what is about requests among the samples of a page. */
void page_read(const struct samples *samples, int64_t at_us, struct page_look *ret);
/* The time below which the share of requests between two looks stayed; NaN: there was none. */
double page_quantile(const struct page_look *before, const struct page_look *now, double share);
/* Takes a look; the source's rates follow. After a restart of the application they are NaN once. */
void page_note(struct page_looks *looks, const struct page_look *look, struct source *source);

struct source_seat {
    int64_t due_us; /* when it is asked next */
    struct source source;
    struct sources *sources;
    struct page_looks looks;
    struct page_look last; /* totals, for the counters */
    double statement_rate; /* of the server, for an application that does not count them */
    bool is_asked;         /* the page: an answer is under way */
    struct arena *arena;   /* of what is under way */
    struct arena *error_arena;
    struct evented *evented; /* a pooler's console; NULL: not connected */
};

struct sources {
    struct monitor *monitor;
    struct sources_options options;
    struct loop_timer *timer;
    struct source_seat *seats;
    size_t count;
};

extern const char *const source_labels[]; /* "application" */

/* An answer came, or none. */
void source_is_up(struct source_seat *seat);
void source_is_down(struct source_seat *seat, const struct error *error);

/* Asks a pooler's console, connecting before if need be. */
void pooler_ask(struct source_seat *seat);
