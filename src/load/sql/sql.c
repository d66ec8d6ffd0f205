/*
 * SQL as the engine loads it: each user a session, each request a script, one statement a round trip as an
 * application does it, prepared by name when a session meets it first.
 */
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "load/sql/sql_part.h"
#include "load/target.h"

static void
load_sql_close(void *shared)
{
    struct load_sql *sql = shared;

    for (struct load_connection *at = sql->all; at; at = at->next)
        load_sql_disconnect(at);
    if (sql->wake >= 0) {
        edge_remove(sql->edges, &sql->wake_edge);
        close(sql->wake);
    }
    driven_place_close(sql->place);
    arena_free(sql->arena);
}

/*
 * Other names in each run: a pooler's sessions still have those of the run before, and what they stand for
 * must not be executed by mistake.
 */
static void
name_statements(struct load_sql *sql)
{
    uint64_t run = (uint64_t)clock_wall_us();

    for (size_t i = 0; i < sql->statement_count; i++)
        sql->statements[i].name = arena_printf(sql->arena, "load_%" PRIx64 "_%zu", run, i + 1);
}

static void
number_statements(struct load_sql *sql)
{
    const struct load_scenario *scenario = sql->scenario;
    size_t most_params = 1;
    size_t count = 0;

    sql->first = ARENA_ARRAY(sql->arena, size_t, scenario->step_count);
    for (size_t i = 0; i < scenario->step_count; i++) {
        sql->first[i] = count;
        count += scenario->steps[i].statement_count;
        for (size_t j = 0; j < scenario->steps[i].statement_count; j++)
            if (scenario->steps[i].statements[j].param_count > most_params)
                most_params = scenario->steps[i].statements[j].param_count;
    }
    sql->statement_count = count;
    sql->statements = ARENA_ARRAY(sql->arena, struct load_sql_statement, count);
    name_statements(sql);
    sql->values = ARENA_ARRAY(sql->arena, struct buffer, most_params);
    for (size_t i = 0; i < most_params; i++)
        sql->values[i].arena = sql->arena;
    sql->params = ARENA_ARRAY(sql->arena, const char *, most_params);
}

static bool
begin_to_wake(struct ctx *ctx, struct load_sql *sql)
{
    sql->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sql->wake < 0)
        return error_set_errno(ctx, "could not make an event");
    if (edge_level(sql->edges, &sql->wake_edge, sql->wake, EDGE_READ))
        return true;
    return error_set_errno(ctx, "could not watch an event");
}

/* Sessions go to where the database is, or to a pooler that leads there. */
static bool
open_place(struct ctx *ctx, const struct load_options *options, struct driven_place **ret)
{
    struct driven_way way = { .application = "pgmend/load" };
    struct load_target target;
    char address[NI_MAXHOST];
    char port[NI_MAXSERV];

    if (!options->target)
        return load_target_check_host(ctx, db_host(options->db), &options->allowed) &&
               driven_place_open(ctx, options->db, &way, ret);
    if (!load_target_read(ctx, options->target, &options->allowed, &target))
        return false;
    if (getnameinfo((const struct sockaddr *)&target.address, target.length, address,
            sizeof(address), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return error_set(ctx, ERR_USAGE, "\"%s\" is no address", options->target);
    way.address = address;
    way.port = port;
    return driven_place_open(ctx, options->db, &way, ret);
}

static bool
load_sql_open(struct ctx *ctx, const struct load_scenario *scenario,
    const struct load_options *options, struct edge_set *edges, void **ret)
{
    if (!options->db) {
        error_set(ctx, ERR_USAGE, "scenario \"%s\" needs a database", scenario->name);
        return error_hint(ctx, "Name it by --db-url or DATABASE_URL.");
    }

    struct arena *arena = arena_new();
    struct load_sql *sql = ARENA_NEW(arena, struct load_sql);

    sql->arena = arena;
    sql->edges = edges;
    sql->scenario = scenario;
    sql->may_be_pooled = options->target;
    sql->wake = -1;
    sql->wake_edge = (struct edge){ .callback = load_sql_tell_failing, .socket = -1 };
    number_statements(sql);
    if (!open_place(ctx, options, &sql->place) || !begin_to_wake(ctx, sql)) {
        load_sql_close(sql);
        return false;
    }
    *ret = sql;
    return true;
}

const struct load_transport load_sql_transport = {
    .open = load_sql_open,
    .close = load_sql_close,
    .add = load_sql_add,
    .connect = load_sql_connect,
    .send = load_sql_send,
    .disconnect = load_sql_disconnect,
};
