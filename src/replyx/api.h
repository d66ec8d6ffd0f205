/* One worker process of replyx-api: everything that its requests share. */
#pragma once

#include "db/pool/hosts.h"
#include "event/task.h"
#include "flags/flags.h"
#include "http/client.h"
#include "http/server.h"
#include "replyx/settings.h"
#include "replyx/tally.h"

struct embedder; /* query embeddings over HTTP */
struct bots;     /* webhooks, in turns by bot */
struct tokens;   /* who signed in lately, by which token */
struct shadows;  /* comparisons of two variants, after the answer */
struct lookout;  /* tells the log what becomes of database and flags */
struct complaints;
struct logins; /* passwords being checked, and who has tried too often */

struct api {
    struct arena *arena;
    const struct settings *settings;
    struct loop *loop;
    struct tasks *tasks;
    struct hosts *web;        /* 20 + 30 for requests */
    struct hosts *background; /* 5 + 10 for what nobody waits for: shadows, clean-up */
    struct flag_follower *flags;
    struct tally *tally; /* shared by all workers */
    struct tokens *tokens;
    struct logins *logins;
    struct jwt_secret *secret; /* or NULL: there are no JWTs, and no /login */
    struct embedder *embedder; /* or NULL: none is configured */
    struct bots *bots;
    struct shadows *shadows;
    struct lookout *lookout;
    struct complaints *complaints; /* errors of requests, for the log */
    struct http_server *server;
    const char **flag_names;   /* by number of the endpoint: "replyx.stats" */
    struct loop_timer *gauges; /* each second: what tally_set_worker() gets */
    struct loop_timer *ending;
    loop_callback *drained;
    void *drained_data;
    int64_t alive_us;  /* when the database answered /health last */
    int32_t under_way; /* requests that are not answered yet */
    bool is_draining;
    bool trusts_header; /* "Bearer 17" is user 17: it listens on loopback only */
};

/*
 * Begins to answer on a listening socket (inherited, or shared by port). tally is shared memory, made
 * before the workers were started.
 */
bool api_open(struct ctx *ctx, struct loop *loop, const struct settings *settings,
    struct tally *tally, int socket, struct api **ret) MUST_CHECK;
/* Listens no more, answers what is under way (at most for the setting's time), then calls back. */
void api_drain(struct api *api, loop_callback *done, void *data);
/*
 * What the settings name and only this program knows: variants, files of secrets, URLs. Before a start, and
 * before new settings are taken.
 */
bool api_check(struct ctx *ctx, const struct settings *settings) MUST_CHECK;
/* New settings (SIGHUP), of which settings_keep() has left what can change while it runs. */
bool api_reload(struct ctx *ctx, struct api *api, const struct settings *settings) MUST_CHECK;
void api_close(struct api *api);
