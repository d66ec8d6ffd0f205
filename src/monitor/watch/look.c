#include "monitor/watch/look.h"

#include <math.h>

#include "base/clock.h"
#include "monitor/collect/text.h"
#include "sql.h"

enum { STATEMENT_LIMIT_MS = 15000, LOCK_LIMIT_MS = 500, JUMP_S = 5 };

struct look {
    struct arena *arena; /* as long as the look */
    struct arena *tick;  /* of the host's facts now … */
    struct arena *older; /* … and before */
    struct db *db;
    struct watched server;
    struct setup_server setup;
};

/*
 * The texts' search_path is that of the session; statements_info widens it and statement puts it back,
 * so these two follow each other.
 */
static const enum collector_id first[] = { COLLECT_SERVER, COLLECT_STATEMENTS_INFO,
    COLLECT_STATEMENT };

bool
look_open(struct ctx *ctx, struct db *db, enum host_mode host, struct look **ret)
{
    struct arena *arena = arena_new();
    struct look *look = ARENA_NEW(arena, struct look);

    look->arena = arena;
    look->tick = arena_new();
    look->older = arena_new();
    look->db = db;
    look->setup.host = host;
    look->server.setup = &look->setup;
    look->server.name = db_label(arena, db);
    look->server.database = arena_strdup(arena, db_name(db));
    look->server.major = db_major(db);
    look->server.texts = statement_texts_new(0);
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        look->server.now[i].arena = arena_new();
        look->server.before[i].arena = arena_new();
    }
    *ret = look;
    if (db_set(ctx, db, "statement_timeout", arena_printf(arena, "%d", STATEMENT_LIMIT_MS)) &&
        db_set(ctx, db, "lock_timeout", arena_printf(arena, "%d", LOCK_LIMIT_MS)))
        return true;
    look_cleanup(ret);
    return false;
}

void
look_free(struct look *look)
{
    if (!look)
        return;
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        arena_free(look->server.now[i].arena);
        arena_free(look->server.before[i].arena);
    }
    statement_texts_free(look->server.texts);
    arena_free(look->tick);
    arena_free(look->older);
    arena_free(look->arena);
}

void
look_cleanup(struct look **look)
{
    look_free(*look);
    *look = NULL;
}

struct watched *
look_server(struct look *look)
{
    return &look->server;
}

/* The answer before is kept only when it was one: two bad ones in a row do not lose the last good. */
static bool
ask(struct ctx *ctx, struct look *look, enum collector_id id)
{
    struct reading *now = &look->server.now[id];
    struct reading *before = &look->server.before[id];
    struct reading fresh = { .is_known = true, .is_fresh = true };
    struct ctx scratch;
    int64_t started = clock_us();

    if (now->is_good) {
        struct reading last = *now;

        *now = *before;
        *before = last;
    }
    arena_reset(now->arena);
    fresh.arena = now->arena;
    scratch = (struct ctx){ .arena = fresh.arena };
    fresh.is_good = db_select(
        &scratch, look->db, collectors[id].query, collector_args(fresh.arena, id, 0), &fresh.rows);
    fresh.at_us = clock_us();
    fresh.at_wall_us = clock_wall_us();
    fresh.elapsed_us = fresh.at_us - started;
    fresh.error = scratch.error;
    *now = fresh;
    if (fresh.is_good || (db_is_connected(look->db) && fresh.error.kind != ERR_INTERRUPTED &&
                             fresh.error.kind != ERR_TERMINATED))
        return true;
    return error_set(ctx, fresh.error.kind, "looking at the server: %s", fresh.error.message);
}

static bool
is_asked(enum collector_id id, const enum collector_id *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return count == 0;
}

static bool
is_first(enum collector_id id)
{
    for (size_t i = 0; i < COUNT_OF(first); i++)
        if (first[i] == id)
            return true;
    return false;
}

/* Counters of another start of the server, or from before a reset, are no counters of before. */
static void
judge_gap(struct watched *server)
{
    const struct reading *now = &server->now[COLLECT_SERVER];
    const struct reading *before = &server->before[COLLECT_SERVER];
    const struct sql_monitor_server *a;
    const struct sql_monitor_server *b;

    server->is_gap = !now->is_good || !before->is_good;
    server->gap = server->is_gap ? "there is no reading before" : NULL;
    if (server->is_gap || now->rows.count != 1 || before->rows.count != 1)
        return;
    a = READING_ROWS(before, struct sql_monitor_server);
    b = READING_ROWS(now, struct sql_monitor_server);
    if (a->started_epoch != b->started_epoch)
        server->gap = "the server was restarted";
    else if (a->in_recovery != b->in_recovery)
        server->gap = "the server's role changed";
    else if (fabs((b->now_epoch - a->now_epoch) - (double)(now->at_us - before->at_us) / 1e6) >
             JUMP_S)
        server->gap = "the server's clock jumped";
    server->is_gap = server->gap != NULL;
}

static void
read_host(struct look *look)
{
    struct watched *server = &look->server;
    const struct reading *reading = &server->now[COLLECT_SERVER];
    struct host_question question = {
        .mode = look->setup.host,
        .host = db_host(look->db),
        .backend_pid = db_backend_pid(look->db),
    };
    struct arena *last = look->older;

    look->older = look->tick;
    look->tick = last;
    arena_reset(look->tick);
    server->host_before = server->host_now;
    if (reading->is_good && reading->rows.count == 1)
        question.data_directory = READING_ROWS(reading, struct sql_monitor_server)->data_directory;
    host_read(look->tick, &question, &server->host_now);
}

/* Those that matter and are not known yet; without them the numbers still tell. */
static void
ask_texts(struct look *look)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };
    struct rows rows = { 0 };
    const void *args;

    if (!look->server.now[COLLECT_STATEMENT].is_good)
        return;
    args = statement_texts_wanted(look->server.texts, arena, &look->server);
    if (args)
        statement_texts_take(look->server.texts, args,
            db_select(&scratch, look->db, &query_monitor_statement_text, args, &rows) ? &rows
                                                                                      : NULL);
}

bool
look_ask(struct ctx *ctx, struct look *look, const enum collector_id *ids, size_t count)
{
    struct watched *server = &look->server;

    server->is_up = true;
    server->tick++;
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        server->now[i].is_fresh = false;
    for (size_t i = 0; i < COUNT_OF(first); i++)
        if (is_asked(first[i], ids, count) && !ask(ctx, look, first[i]))
            return false;
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        if (!is_first((enum collector_id)i) && is_asked((enum collector_id)i, ids, count) &&
            !ask(ctx, look, (enum collector_id)i))
            return false;
    server->at_us = clock_us();
    server->at_wall_us = clock_wall_us();
    if (is_asked(COLLECT_SERVER, ids, count)) {
        judge_gap(server);
        read_host(look);
    }
    if (is_asked(COLLECT_STATEMENT, ids, count))
        ask_texts(look);
    return true;
}
