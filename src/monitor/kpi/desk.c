#include "monitor/kpi/desk.h"

#include "monitor/kpi/parts.h"

/* More would wait so long that nobody waits for them. */
enum { MOST_WAITING = 50 };

struct kpi_desk {
    struct loop *loop;
    struct db_options db;
    struct serve_kpi_source source;
    struct job *first;
    struct job **last;
    size_t count;
    struct evented *evented;  /* of the first job; NULL: it is not begun */
    struct loop_timer *timer; /* begins the next job from the loop */
};

struct job {
    struct arena *arena;
    struct job *next;
    struct kpi_desk *desk;
    struct http_request *request;
    bool is_post;
    struct kpi_value value;
};

/* Answers the first job and goes on with the next one. */
static void
finish(struct kpi_desk *desk, json_t *json, const struct error *error)
{
    struct job *job = desk->first;

    serve_kpi_answer(job->request, json, error);
    if (desk->evented)
        evented_close(desk->evented);
    desk->evented = NULL;
    desk->first = job->next;
    if (!desk->first)
        desk->last = &desk->first;
    desk->count--;
    arena_free(job->arena);
    if (desk->first)
        loop_timer_set(desk->timer, 0);
}

static void
asked(void *data, const struct kpis *kpis, const struct error *error)
{
    finish(data, error ? NULL : kpi_json(kpis), error);
}

/* Whoever told a value is shown what it changes. */
static void
told(void *data, const struct error *error)
{
    struct kpi_desk *desk = data;

    if (error)
        finish(desk, NULL, error);
    else
        kpi_ask(desk->evented, desk->first->arena, asked, desk);
}

static void
opened(void *data, const struct error *error)
{
    struct kpi_desk *desk = data;
    struct job *job = desk->first;

    if (error) {
        /* The text lives in what is closed. */
        struct ctx ctx = { .arena = job->arena };

        (void)error_set(&ctx, error->kind, "%s", error->message);
        finish(desk, NULL, &ctx.error);
    } else if (job->is_post) {
        kpi_tell(desk->evented, job->arena, &job->value, told, desk);
    } else {
        kpi_ask(desk->evented, job->arena, asked, desk);
    }
}

static void
begin(void *data)
{
    struct kpi_desk *desk = data;
    struct job *job = desk->first;
    struct ctx ctx = { .arena = job->arena };
    const struct evented_events events = { .opened = opened, .lost = opened, .data = desk };
    struct db_options options = desk->db;

    options.application = "pgmend/kpi";
    options.access = job->is_post ? ACCESS_WRITE : ACCESS_READ;
    if (!evented_open(&ctx, desk->loop, &options, &events, &desk->evented)) {
        desk->evented = NULL;
        finish(desk, NULL, &ctx.error);
    }
}

static struct job *
add_job(struct kpi_desk *desk, struct http_request *request)
{
    if (desk->count == MOST_WAITING) {
        const struct error error = {
            .kind = ERR_CONNECTION,
            .message = "too many requests wait for the database already",
        };

        serve_kpi_answer(request, NULL, &error);
        return NULL;
    }

    struct arena *arena = arena_new();
    struct job *job = ARENA_NEW(arena, struct job);

    *job = (struct job){ .arena = arena, .desk = desk, .request = request };
    *desk->last = job;
    desk->last = &job->next;
    if (++desk->count == 1)
        loop_timer_set(desk->timer, 0);
    return job;
}

static void
get(void *data, struct http_request *request)
{
    (void)add_job(data, request);
}

static void
post(void *data, struct http_request *request, const char *name, double value, int64_t at_wall_us,
    const char *note)
{
    struct ctx ctx = { .arena = http_request_arena(request) };
    struct kpi_value given = { name, value, at_wall_us, note };

    if (!kpi_check_values(&ctx, &given, 1)) {
        serve_kpi_answer(request, NULL, &ctx.error);
        return;
    }

    struct job *job = add_job(data, request);

    if (!job)
        return;
    job->is_post = true;
    job->value = (struct kpi_value){
        .name = arena_strdup(job->arena, name),
        .value = value,
        .at_wall_us = at_wall_us,
        .note = note ? arena_strdup(job->arena, note) : NULL,
    };
}

bool
kpi_desk_new(struct ctx *ctx, struct loop *loop, const struct db_options *db, struct kpi_desk **ret)
{
    struct kpi_desk *desk = ARENA_NEW(ctx->arena, struct kpi_desk);

    *desk = (struct kpi_desk){
        .loop = loop,
        .db = *db,
        .source = { .get = get, .post = post, .data = desk },
    };
    desk->last = &desk->first;
    desk->timer = loop_timer_new(loop, begin, desk);
    *ret = desk;
    return true;
}

const struct serve_kpi_source *
kpi_desk_source(const struct kpi_desk *desk)
{
    return &desk->source;
}

void
kpi_desk_free(struct kpi_desk *desk)
{
    static const struct error error = { .kind = ERR_CONNECTION, .message = "the monitor ends" };

    if (!desk)
        return;
    while (desk->first)
        finish(desk, NULL, &error);
    loop_timer_free(desk->timer);
}
