#include "replyx/lookout.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql.h"

enum {
    LOOK_US = 500 * 1000,
    ASK_AGAIN_US = 5 * 1000 * 1000, /* while something is wrong */
    ASK_LIMIT_US = 10 * 1000 * 1000,
    SHORTAGE_AGAIN_US =
        60 * 1000 * 1000, /* between two lines about a shortage that comes and goes */
    FLAGS_PATIENCE_US = 10 * 1000 * 1000, /* for a follower to be connected again */
};

/* Of the connections to one host. */
enum supply {
    SUPPLY_FINE,
    SUPPLY_SHORT, /* there are some, but no more can be opened */
    SUPPLY_NONE,
};

struct watched {
    enum supply told;
    int64_t told_us;
};

struct lookout {
    struct api *api;
    struct loop_timer *timer;
    struct watched *hosts;
    struct pool_ticket *ticket; /* of the question, or NULL */
    struct arena *asking;       /* of it */
    int64_t ask_us;             /* when it is asked next; INT64_MAX: not until something changes */
    struct arena *arena; /* of the texts below, which are what was told; NULL: nothing is wrong */
    const char *role;
    const char *missing;
    const char *unbound;
    const char *flags;
    int64_t flags_since_us; /* that they cannot be read, or 0 */
};

static const char *
worker_text(const struct lookout *lookout, struct arena *arena)
{
    const struct settings *settings = lookout->api->settings;

    return settings->workers > 1 ? arena_printf(arena, " (worker %d)", (int)settings->number) : "";
}

/* What all workers see alike is told by the first. */
static bool
is_speaker(const struct lookout *lookout)
{
    return lookout->api->settings->number == 0;
}

/* ---- connections ---- */

static enum supply
supply_of(const struct pool *web, const struct pool *background, const struct error **ret_why)
{
    *ret_why = pool_trouble(web);
    if (!pool_is_up(web))
        return SUPPLY_NONE;
    if (!*ret_why)
        *ret_why = pool_trouble(background);
    return *ret_why ? SUPPLY_SHORT : SUPPLY_FINE;
}

static void
tell_trouble(
    const struct lookout *lookout, const char *label, const char *what, const struct error *why)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const char *detail = why->detail ? why->detail + strspn(why->detail, " \t\n") : "";

    log_warn("replyx-api%s: %s %s: %s%s%.*s%s%s%s", worker_text(lookout, arena), label, what,
        why->message, *detail ? " " : "", (int)strcspn(detail, "\n"), detail, why->hint ? " (" : "",
        why->hint ? why->hint : "", why->hint ? ")" : "");
}

static void
look_at_host(struct lookout *lookout, size_t number)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct host_state web = hosts_state(lookout->api->web, number);
    struct host_state background = hosts_state(lookout->api->background, number);
    struct watched *watched = &lookout->hosts[number];
    const struct error *why;
    enum supply supply = supply_of(web.pool, background.pool, &why);
    int64_t now = clock_us();

    if (supply == watched->told)
        return;
    if (supply == SUPPLY_SHORT && watched->told == SUPPLY_FINE && watched->told_us &&
        now - watched->told_us < SHORTAGE_AGAIN_US)
        return;
    if (supply == SUPPLY_NONE)
        tell_trouble(lookout, web.label, "cannot be reached", why);
    else if (supply == SUPPLY_SHORT)
        tell_trouble(lookout, web.label, "lets no more connections in", why);
    else
        log_info("replyx-api%s: %s %s", worker_text(lookout, arena), web.label,
            watched->told == SUPPLY_NONE ? "answers again" : "lets connections in again");
    /* Another server, role or database may stand behind the same name now. */
    if (watched->told == SUPPLY_NONE)
        lookout->ask_us = 0;
    watched->told = supply;
    watched->told_us = now;
}

/* ---- what is in the database ---- */

static void
tell_database(struct lookout *lookout, const struct sql_replyx_api_alive *row)
{
    struct arena *before = lookout->arena;

    if (is_speaker(lookout)) {
        if (row->missing && !text_equal(row->missing, lookout->missing))
            log_warn("replyx-api: the database is not set up: there is no %s, or role %s may not "
                     "use it. Run \"alembic upgrade head\", then replyx/api/install.",
                row->missing, row->role);
        else if (!row->missing && lookout->missing)
            log_info("replyx-api: the database is set up now");
        if (!row->missing && row->unbound && !text_equal(row->unbound, lookout->unbound))
            log_warn("replyx-api: row-level security does not hold for role %s: %s. Users are kept "
                     "apart by the queries alone; connect as replyx_api.",
                row->role, row->unbound);
    }
    lookout->arena = arena_new();
    lookout->role = arena_strdup(lookout->arena, row->role);
    lookout->missing = row->missing ? arena_strdup(lookout->arena, row->missing) : NULL;
    lookout->unbound = row->unbound ? arena_strdup(lookout->arena, row->unbound) : NULL;
    lookout->flags = lookout->flags ? arena_strdup(lookout->arena, lookout->flags) : NULL;
    arena_free(before);
    lookout->ask_us = lookout->missing ? clock_us() + ASK_AGAIN_US : INT64_MAX;
}

static void
answered(void *data, const struct pool_outcome *outcome)
{
    struct lookout *lookout = data;

    lookout->ticket = NULL;
    lookout->ask_us = clock_us() + ASK_AGAIN_US;
    if (outcome->is_good && outcome->rows[0].count == 1)
        tell_database(lookout, outcome->rows[0].items);
    else if (!outcome->is_good)
        log_debug("replyx-api: looking at the database: %s", outcome->error.message);
    arena_free(lookout->asking);
    lookout->asking = NULL;
}

static void
ask(struct lookout *lookout)
{
    const struct pool_statement statement = { .query = &query_replyx_api_alive };
    struct pool_ticket *ticket;

    lookout->asking = arena_new();
    ticket = pool_run(
        hosts_for_writes(lookout->api->web), &(const struct pool_work){ .statements = &statement,
                                                 .count = 1,
                                                 .lane = POOL_SHARED,
                                                 .is_repeatable = true,
                                                 .limit_us = ASK_LIMIT_US,
                                                 .arena = lookout->asking,
                                                 .done = answered,
                                                 .data = lookout });
    if (ticket)
        lookout->ticket = ticket;
}

/* ---- flags ---- */

static const char *
flags_hint(const struct lookout *lookout, struct arena *arena, const char *why)
{
    if (strstr(why, "does not exist"))
        return arena_printf(arena,
            "; \"pgmend flags set --grant %s\" makes the table and lets the role read it",
            lookout->role ? lookout->role : "replyx_api");
    if (strstr(why, "permission denied"))
        return arena_printf(arena, "; \"pgmend flags set --grant %s\" gives the right",
            lookout->role ? lookout->role : "replyx_api");
    return "";
}

/* A follower that has lost its connection finds the way back by itself, a moment after the pools. */
static void
look_at_flags(struct lookout *lookout)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct flag_follower *follower = lookout->api->flags;
    const char *why = follower ? flag_follow_error(follower) : NULL;
    const char *hint;
    int64_t now = clock_us();

    if (!why) {
        if (lookout->flags)
            log_info("replyx-api: the flags can be read");
        lookout->flags = NULL;
        lookout->flags_since_us = 0;
        return;
    }
    if (!lookout->flags_since_us)
        lookout->flags_since_us = now;
    hint = flags_hint(lookout, arena, why);
    if (lookout->flags || (!*hint && now - lookout->flags_since_us < FLAGS_PATIENCE_US))
        return;
    log_warn("replyx-api: the flags cannot be read, %s: %s%s",
        flag_follow_list(follower)->count > 0 ? "so those read last stay"
                                              : "so all users get the first variant of everything",
        why, hint);
    lookout->flags = arena_strdup(lookout->arena, why);
}

/* ---- all of it ---- */

static void
look(void *data)
{
    struct lookout *lookout = data;
    size_t count = hosts_count(lookout->api->web);
    bool has_database;

    for (size_t i = 0; i < count; i++)
        look_at_host(lookout, i);
    has_database = pool_is_up(hosts_for_writes(lookout->api->web));
    if (has_database && !lookout->asking && clock_us() >= lookout->ask_us)
        ask(lookout);
    if (!has_database)
        lookout->flags_since_us = 0;
    else if (is_speaker(lookout) && lookout->role)
        look_at_flags(lookout);
    loop_timer_set(lookout->timer, LOOK_US);
}

struct lookout *
lookout_new(struct api *api)
{
    struct lookout *lookout = ARENA_NEW(api->arena, struct lookout);

    lookout->api = api;
    lookout->arena = arena_new();
    lookout->hosts = ARENA_ARRAY(api->arena, struct watched, hosts_count(api->web));
    lookout->timer = loop_timer_new(api->loop, look, lookout);
    loop_timer_set(lookout->timer, 0);
    return lookout;
}

void
lookout_free(struct lookout *lookout)
{
    if (!lookout)
        return;
    if (lookout->ticket)
        pool_drop(lookout->ticket);
    loop_timer_free(lookout->timer);
    arena_free(lookout->asking);
    arena_free(lookout->arena);
}
