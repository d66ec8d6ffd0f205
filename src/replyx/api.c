#include "replyx/api.h"

#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/address.h"
#include "replyx/bots.h"
#include "replyx/call.h"
#include "replyx/complaints.h"
#include "replyx/embed.h"
#include "replyx/jwt.h"
#include "replyx/logins.h"
#include "replyx/lookout.h"
#include "replyx/shadow.h"
#include "replyx/tokens.h"

enum { GAUGES_US = 1000000 };

static const struct http_route routes[] = {
    { .methods = HTTP_EVERY_METHOD, .path = "/*", .handler = call_handle, .is_open = true },
};

/* A header that names a user is no proof of anything: only for who sits at this machine. */
static bool
check_trust(struct ctx *ctx, struct api *api, int socket)
{
    struct sockaddr_storage address = { 0 };
    socklen_t size = sizeof(address);

    api->trusts_header = api->settings->trust_user_header;
    if (!api->trusts_header || (getsockname(socket, (struct sockaddr *)&address, &size) == 0 &&
                                   http_address_is_loopback((const struct sockaddr *)&address)))
        return true;
    return error_set(ctx, ERR_CONFIG,
        "trust_user_header is for tests: it is refused unless replyx-api listens on loopback only");
}

static bool
read_secret(
    struct ctx *ctx, struct arena *arena, const struct settings *settings, struct jwt_secret **ret)
{
    struct jwt_secret secret;

    *ret = NULL;
    if (!settings->jwt_secret_file)
        return true;
    if (!jwt_read_secret(ctx, settings->jwt_secret_file, &secret))
        return false;
    *ret = ARENA_NEW(arena, struct jwt_secret);
    (*ret)->bytes = arena_memdup(arena, secret.bytes, secret.length);
    (*ret)->length = secret.length;
    return true;
}

static const char *
first_url(const struct settings *settings)
{
    return settings->db_url.count > 0 ? settings->db_url.items[0] : NULL;
}

static struct hosts_options
web_options(const struct settings *settings)
{
    struct hosts_options options = { .urls = settings->db_url, .most_lag_us = settings->most_lag };

    pool_options_set_defaults(&options.pool);
    options.pool.name = "web";
    options.pool.db.application = "replyx-api";
    options.pool.db.access = ACCESS_WRITE;
    options.pool.db.statement_timeout_us = settings->request_limit;
    options.pool.size = settings->pool_size;
    options.pool.most_overflow = settings->max_overflow;
    options.pool.timeout_us = settings->pool_timeout;
    options.pool.recycle_us = settings->pool_recycle;
    options.pool.most_waiting = settings->pool_queue;
    options.pool.shared_size = settings->shared_size;
    options.pool.shared_depth = settings->shared_depth;
    return options;
}

static bool
open_pools(struct ctx *ctx, struct api *api)
{
    const struct settings *settings = api->settings;
    struct hosts_options options = web_options(settings);

    if (!hosts_new(ctx, api->loop, &options, &api->web))
        return false;
    options.pool.name = "background";
    options.pool.size = settings->background_size;
    options.pool.most_overflow = settings->background_overflow;
    options.pool.shared_size = 1;
    return hosts_new(ctx, api->loop, &options, &api->background);
}

/* As many stacks as requests can be in the pool or wait for it, and shadows. */
static int32_t
most_tasks(const struct settings *settings)
{
    return settings->pool_size + settings->max_overflow + settings->pool_queue +
           settings->background_size + settings->background_overflow;
}

static void
name_flags(struct api *api)
{
    api->flag_names = ARENA_ARRAY(api->arena, const char *, endpoint_count);
    for (size_t i = 0; i < endpoint_count; i++)
        api->flag_names[i] = arena_printf(api->arena, "replyx.%s", endpoints[i]->name);
}

static bool
follow_flags(struct ctx *ctx, struct api *api)
{
    const struct flag_follower_options options = {
        .db = { .url = first_url(api->settings),
            .application = "replyx-api/flags",
            .access = ACCESS_WRITE },
    };

    if (api->settings->ignore_flags)
        return true;
    return flag_follow(ctx, api->loop, &options, &api->flags);
}

static void
set_gauges(void *data)
{
    struct api *api = data;
    struct tally_worker worker = {
        .connections = http_server_count(api->server),
        .under_way = api->under_way,
        .web = pool_statistics(hosts_for_writes(api->web)),
        .background = pool_statistics(hosts_for_writes(api->background)),
    };

    tally_set_worker(api->tally, api->settings->number, &worker);
    loop_timer_set(api->gauges, GAUGES_US);
}

static bool
open_server(struct ctx *ctx, struct api *api, int socket)
{
    const struct http_server_options options = {
        .routes = routes,
        .route_count = COUNT_OF(routes),
        .data = api,
        .socket = socket,
        .is_public = true,
        .idle_timeout_us = api->settings->idle_timeout,
        .most_connections = api->settings->most_connections,
    };

    if (!http_server_start(ctx, api->loop, &options, &api->server))
        return false;
    api->gauges = loop_timer_new(api->loop, set_gauges, api);
    loop_timer_set(api->gauges, 0);
    return true;
}

bool
api_open(struct ctx *ctx, struct loop *loop, const struct settings *settings, struct tally *tally,
    int socket, struct api **ret)
{
    struct arena *arena = arena_new();
    struct api *api = ARENA_NEW(arena, struct api);

    api->arena = arena;
    api->settings = settings;
    api->loop = loop;
    api->tally = tally;
    api->tokens = tokens_new();
    api->logins = logins_new(loop);
    api->complaints = complaints_new(loop);
    api->tasks = tasks_new(most_tasks(settings));
    name_flags(api);
    api->shadows = shadows_new(api);
    *ret = api;
    if (check_trust(ctx, api, socket) && read_secret(ctx, arena, settings, &api->secret) &&
        open_pools(ctx, api) && follow_flags(ctx, api) && bots_open(ctx, settings, &api->bots) &&
        embedder_open(ctx, loop, settings, &api->embedder) && open_server(ctx, api, socket)) {
        api->lookout = lookout_new(api);
        return true;
    }
    api_close(api);
    *ret = NULL;
    return false;
}

/* ---- the end ---- */

static void
drained(void *data)
{
    struct api *api = data;
    loop_callback *done = api->drained;

    loop_timer_free(api->ending);
    api->ending = NULL;
    api->drained = NULL;
    if (done)
        done(api->drained_data);
}

void
api_drain(struct api *api, loop_callback *done, void *data)
{
    api->is_draining = true;
    api->drained = done;
    api->drained_data = data;
    api->ending = loop_timer_new(api->loop, drained, api);
    loop_timer_set(api->ending, api->settings->drain_limit);
    http_server_drain(api->server, drained, api);
}

void
api_close(struct api *api)
{
    if (!api)
        return;
    loop_timer_free(api->gauges);
    loop_timer_free(api->ending);
    /* First those who ask, then those who are asked: what is under way ends with an error. */
    if (api->server)
        http_server_stop(api->server);
    lookout_free(api->lookout);
    shadows_free(api->shadows);
    if (api->embedder)
        embedder_close(api->embedder);
    if (api->flags)
        flag_follow_end(api->flags);
    if (api->background)
        hosts_free(api->background);
    if (api->web)
        hosts_free(api->web);
    if (api->bots)
        bots_close(api->bots);
    tasks_free(api->tasks);
    logins_free(api->logins);
    tokens_free(api->tokens);
    complaints_free(api->complaints);
    arena_free(api->arena);
}

/* ---- other settings ---- */

static bool
is_same_secret(const struct jwt_secret *a, const struct jwt_secret *b)
{
    if (!a || !b)
        return a == b;
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

bool
api_reload(struct ctx *ctx, struct api *api, const struct settings *settings)
{
    struct jwt_secret *secret;

    if (!read_secret(ctx, api->arena, settings, &secret) || !bots_reload(ctx, api->bots, settings))
        return false;
    if (!is_same_secret(api->secret, secret))
        tokens_forget(api->tokens);
    api->secret = secret;
    api->settings = settings;
    return api->flags || follow_flags(ctx, api);
}
