/* Shared by the files of this folder. */
#pragma once

#include "base/proc.h"
#include "base/vec.h"
#include "load/facts/facts.h"

/* What a look is for: a curve's point, or one of the two moments between which facts are counted. */
enum look { LOOK_TICK, LOOK_BEGIN, LOOK_END };

/* A thread that looks once a second, and at the two moments when it is asked to; ends after LOOK_END. */
struct ticker;
bool ticker_new(struct ctx *ctx, void (*look)(void *data, enum look kind), void *data,
    struct ticker **ret) MUST_CHECK;
/* Returns at once; the second time that a moment is asked for nothing happens. */
void ticker_ask(struct ticker *ticker, enum look kind);
/* Waits until the thread has ended; false when it hangs: then it lives on with all that it works on. */
bool ticker_wait(struct ticker *ticker, int64_t limit_us);
void ticker_free(struct ticker *ticker);

/* Facts by kind, NaN while they are not known, and why. */
struct fact_sheet {
    struct arena *arena;
    double *values;
    struct text_list notes;
    double requests;
};
void fact_put(struct fact_sheet *sheet, const char *name, double value);
void fact_note(struct fact_sheet *sheet, const char *format, ...) PRINTF_LIKE(2, 3);

/* Whose processes these are. */
enum side_place { SIDE_NONE, SIDE_HERE, SIDE_ELSEWHERE, SIDE_UNKNOWN };

/* Processes that belong together: roots and all that descends from them. */
struct side {
    enum side_place place;
    const char *why_not; /* a clause, with SIDE_UNKNOWN and SIDE_ELSEWHERE */
    struct proc_entry *roots;
    size_t root_count;
};

/* Who listens at the address. Looks into all processes that this user may look into. */
void side_find_listener(struct arena *arena, const char *target, struct side *ret);

/* A second of the machine's curve. */
struct machine_tick {
    int64_t at;
    double pg_share;
    double api_share;
    double generator_share;
};

struct machine;
struct machine *machine_new(const char *target);
/* Before the first look. */
void machine_set_server(struct machine *machine, const struct side *side);
void machine_look(void *data, enum look kind);
void machine_facts(const struct machine *machine, struct fact_sheet *sheet);
const struct machine_tick *machine_ticks(const struct machine *machine, size_t *ret_count);
void machine_free(struct machine *machine);

struct server_tick {
    int64_t at;
    double active;
    double waiting;
};

struct server;
/* NULL when there is no session to be had; then *ret_why, a sentence in the arena, says why. */
struct server *server_new(struct arena *arena, const struct db *db, const char **ret_why);
/* The postmaster, if it is a process of this machine. */
void server_find_process(struct arena *arena, struct server *server, struct side *ret);
void server_look(void *data, enum look kind);
void server_facts(const struct server *server, struct fact_sheet *sheet);
const struct server_tick *server_ticks(const struct server *server, size_t *ret_count);
void server_free(struct server *server);
