#include "replyx/process/trial.h"

#include "db/evented.h"

enum { PAUSE_US = 200 * 1000 };

struct attempt {
    struct trial *trial;
    const char *url;
    struct evented *evented;
    struct loop_timer *again;
};

struct trial {
    struct arena *arena;
    struct loop *loop;
    struct attempt *attempts;
    size_t count;
    struct loop_timer *telling;
    loop_callback *found;
    void *data;
};

static void
opened(void *data, const struct error *error)
{
    struct attempt *attempt = data;

    if (!error) {
        loop_timer_set(attempt->trial->telling, 0);
        return;
    }
    evented_close(attempt->evented);
    attempt->evented = NULL;
    loop_timer_set(attempt->again, PAUSE_US);
}

static void
lost(void *data, const struct error *error)
{
    (void)data; /* that it was open once is enough */
    (void)error;
}

static void
try_to_open(void *data)
{
    struct attempt *attempt = data;
    struct ctx ctx = { .arena = attempt->trial->arena };
    const struct db_options options = {
        .url = attempt->url,
        .application = "replyx-api",
        .access = ACCESS_READ,
    };
    const struct evented_events events = { .opened = opened, .lost = lost, .data = attempt };

    if (!evented_open(&ctx, attempt->trial->loop, &options, &events, &attempt->evented))
        attempt->evented = NULL; /* a URL that cannot be read never will be */
}

static void
tell(void *data)
{
    struct trial *trial = data;

    trial->found(trial->data); /* may have freed it */
}

struct trial *
trial_new(struct loop *loop, const struct settings *settings, loop_callback *found, void *data)
{
    struct arena *arena = arena_new();
    struct trial *trial = ARENA_NEW(arena, struct trial);

    trial->arena = arena;
    trial->loop = loop;
    trial->found = found;
    trial->data = data;
    trial->telling = loop_timer_new(loop, tell, trial);
    trial->count = settings->db_url.count > 0 ? settings->db_url.count : 1;
    trial->attempts = ARENA_ARRAY(arena, struct attempt, trial->count);
    for (size_t i = 0; i < trial->count; i++) {
        struct attempt *attempt = &trial->attempts[i];

        attempt->trial = trial;
        attempt->url = settings->db_url.count > 0 ? settings->db_url.items[i] : NULL;
        attempt->again = loop_timer_new(loop, try_to_open, attempt);
        try_to_open(attempt);
    }
    return trial;
}

void
trial_free(struct trial *trial)
{
    if (!trial)
        return;
    for (size_t i = 0; i < trial->count; i++) {
        if (trial->attempts[i].evented)
            evented_close(trial->attempts[i].evented);
        loop_timer_free(trial->attempts[i].again);
    }
    loop_timer_free(trial->telling);
    arena_free(trial->arena);
}
