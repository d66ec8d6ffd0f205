#include "db/pool/hosts.h"

#include "db/connection.h"
#include "db/pool/hosts_part.h"

enum { CHECK_US = 1000000, MOST_LAG_US = 1000000 };

/* "replyx @ db:5432", as the connections' own labels are. */
static bool
name_host(struct ctx *ctx, struct host *host)
{
    struct db *db = db_new(&host->db);
    struct db_params params;

    if (!db_params_read(ctx, db, &params)) {
        db_close(db);
        return false;
    }

    const char *service = db_params_get(&params, "service", "PGSERVICE");
    const char *name = db_params_get(&params, "host", "PGHOST");
    const char *port = db_params_get(&params, "port", "PGPORT");
    const char *database = db_params_get(&params, "dbname", "PGDATABASE");
    struct arena *arena = host->hosts->arena;

    if (!database)
        database = db_params_get(&params, "user", "PGUSER");
    database = database ? database : "";
    if (name || !service)
        host->label =
            arena_printf(arena, "%s @ %s:%s", database, name ? name : "", port ? port : "5432");
    else
        host->label = arena_printf(arena, "%s @ service %s", database, service);
    db_close(db);
    return true;
}

static bool
add_host(struct ctx *ctx, struct hosts *hosts, const struct hosts_options *options, const char *url)
{
    struct host *host = &hosts->items[hosts->count];
    struct pool_options pool = options->pool;

    *host = (struct host){ .hosts = hosts, .lag_us = -1 };
    host->arena = arena_new();
    host->trial_arena = arena_new();
    hosts->count++;
    pool.db.url = url;
    host->db = options->pool.db;
    host->db.url = url ? arena_strdup(hosts->arena, url) : NULL;
    host->db.application = "replication check";
    if (host->db.connect_timeout_us == 0 || host->db.connect_timeout_us > 2 * hosts->check_us)
        host->db.connect_timeout_us = 2 * hosts->check_us;
    if (options->pool.db.application)
        host->db.application =
            arena_printf(hosts->arena, "%s/replication check", options->pool.db.application);
    if (options->pool.db.database)
        host->db.database = arena_strdup(hosts->arena, options->pool.db.database);
    return name_host(ctx, host) && pool_new(ctx, hosts->loop, &pool, &host->pool);
}

bool
hosts_new(
    struct ctx *ctx, struct loop *loop, const struct hosts_options *options, struct hosts **ret)
{
    struct arena *arena = arena_new();
    struct hosts *hosts = ARENA_NEW(arena, struct hosts);
    size_t count = options->urls.count > 0 ? options->urls.count : 1;

    *hosts = (struct hosts){
        .arena = arena,
        .loop = loop,
        .items = ARENA_ARRAY(arena, struct host, count),
        .rival = SIZE_MAX,
        .check_us = options->check_us > 0 ? options->check_us : CHECK_US,
        .most_lag_us = options->most_lag_us > 0 ? options->most_lag_us : MOST_LAG_US,
    };
    for (size_t i = 0; i < count; i++) {
        const char *url = options->urls.count > 0 ? options->urls.items[i] : NULL;

        if (!add_host(ctx, hosts, options, url)) {
            hosts_free(hosts);
            return false;
        }
    }
    if (count > 1)
        hosts_check_start(hosts);
    *ret = hosts;
    return true;
}

void
hosts_free(struct hosts *hosts)
{
    if (!hosts)
        return;
    hosts_check_stop(hosts);
    for (size_t i = 0; i < hosts->count; i++) {
        pool_free(hosts->items[i].pool);
        arena_free(hosts->items[i].arena);
        arena_free(hosts->items[i].trial_arena);
    }
    arena_free(hosts->arena);
}

static void
drained(void *data)
{
    struct hosts *hosts = data;

    if (--hosts->draining == 0)
        hosts->drained(hosts->drained_data);
}

void
hosts_drain(struct hosts *hosts, loop_callback *done, void *data)
{
    hosts_check_stop(hosts);
    hosts->drained = done;
    hosts->drained_data = data;
    /* One more than there are: the last callback, which may free all, comes after the loop. */
    hosts->draining = hosts->count + 1;
    for (size_t i = 0; i < hosts->count; i++)
        pool_drain(hosts->items[i].pool, drained, hosts);
    drained(hosts);
}

struct pool *
hosts_for_writes(struct hosts *hosts)
{
    return hosts->items[hosts->primary].pool;
}

static int32_t
load_of(const struct host *host)
{
    struct pool_statistics now = pool_statistics(host->pool);

    return now.busy + now.waiting;
}

/* The one with the least to do, in turns among equals; NULL: there is none. */
static struct host *
choose_standby(struct hosts *hosts, uint64_t position)
{
    struct host *best = NULL;
    int32_t best_load = 0;

    for (size_t i = 1; i <= hosts->count; i++) {
        struct host *host = &hosts->items[(hosts->turn + i) % hosts->count];

        if (!host->is_fresh || host->position < position || !pool_is_up(host->pool))
            continue;

        int32_t load = load_of(host);

        if (!best || load < best_load) {
            best = host;
            best_load = load;
        }
    }
    if (best)
        hosts->turn = (size_t)(best - hosts->items);
    return best;
}

/*
 * While no primary answers, the standby that has replayed most, and all that the primary was last seen to
 * have written, is as good as it gets: nobody could read anything newer.
 */
static struct host *
choose_last_resort(struct hosts *hosts, uint64_t position)
{
    struct host *best = NULL;

    if (hosts->sample_count > 0 && hosts->samples[hosts->sample_count - 1].position > position)
        position = hosts->samples[hosts->sample_count - 1].position;
    for (size_t i = 0; i < hosts->count; i++) {
        struct host *host = &hosts->items[i];

        if (!host->is_up || !host->is_standby || host->position < position ||
            (hosts->timeline != 0 && host->timeline != hosts->timeline) || !pool_is_up(host->pool))
            continue;
        if (!best || host->position > best->position)
            best = host;
    }
    return best;
}

struct pool *
hosts_for_reads(struct hosts *hosts, uint64_t position)
{
    struct host *primary = &hosts->items[hosts->primary];
    struct host *host = NULL;

    if (hosts->count > 1)
        host = choose_standby(hosts, position);
    if (!host && hosts->count > 1 && primary->is_complained)
        host = choose_last_resort(hosts, position);
    return host ? host->pool : primary->pool;
}

size_t
hosts_count(const struct hosts *hosts)
{
    return hosts->count;
}

struct host_state
hosts_state(const struct hosts *hosts, size_t number)
{
    const struct host *host = &hosts->items[number];
    bool is_primary = number == hosts->primary;

    if (hosts->count == 1)
        return (struct host_state){
            .label = host->label,
            .is_up = pool_is_up(host->pool) && pool_statistics(host->pool).opened > 0,
            .is_primary = true,
            .is_fresh = true,
            .pool = host->pool,
        };
    return (struct host_state){
        .label = host->label,
        .is_up = host->is_up,
        .is_primary = is_primary,
        .is_fresh = is_primary ? host->is_up && !host->is_standby : host->is_fresh,
        .lag_us = is_primary ? 0 : host->lag_us,
        .position = host->is_up ? host->position : 0,
        .pool = host->pool,
    };
}
