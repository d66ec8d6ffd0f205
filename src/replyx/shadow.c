#include "replyx/shadow.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "sql.h"

enum {
    LIMIT_US = 10000000,
    SHOWN_BYTES = 65536, /* of an answer that is kept */
    SHOWN_ARG_BYTES = 2000,
};

struct shadow {
    struct shadows *shadows;
    struct shadow *next;
    struct loop_timer *timer; /* until it runs: the answer is sent first */
    struct call call;         /* without a request */
    const struct variant *original;
    const struct variant *flagged;
    const char *flag;
};

struct shadows {
    struct api *api;
    struct shadow *first;
    int32_t count;
    int32_t most;
    uint64_t random;
    bool is_closing;
};

struct answer {
    bool is_good;
    const char *text; /* what it said: the body, or the error as JSON */
};

struct shadows *
shadows_new(struct api *api)
{
    struct shadows *shadows = ARENA_NEW(api->arena, struct shadows);

    shadows->api = api;
    shadows->most = api->settings->background_size;
    shadows->random = ((uint64_t)clock_us() << 16 ^ (uint64_t)getpid()) | 1;
    return shadows;
}

/* xorshift64*: enough to choose requests by. Source: Marsaglia 2003, Vigna 2016. */
static double
draw(struct shadows *shadows)
{
    uint64_t x = shadows->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    shadows->random = x;
    return (double)(x * UINT64_C(2685821657736338717) >> 11) / 9007199254740992.0;
}

static void
forget(struct shadow *shadow)
{
    struct shadows *shadows = shadow->shadows;
    struct shadow **at = &shadows->first;

    while (*at != shadow)
        at = &(*at)->next;
    *at = shadow->next;
    shadows->count--;
    loop_timer_free(shadow->timer);
    arena_free(shadow->call.ctx.arena);
}

void
shadows_free(struct shadows *shadows)
{
    if (!shadows)
        return;
    shadows->is_closing = true;
    while (shadows->first) {
        struct shadow *shadow = shadows->first;

        /* A task that is dropped unwinds at once, and forgets its shadow. */
        if (shadow->timer)
            forget(shadow);
        else
            straight_drop(&shadow->call.straight);
    }
}

/* ---- comparing ---- */

static char *
canonical(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &error);
    char *dumped = json ? json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    json_decref(json);
    return dumped;
}

bool
shadow_is_same(const char *a, const char *b)
{
    char *left;
    char *right;
    bool is_same;

    if (strcmp(a, b) == 0)
        return true;
    left = canonical(a);
    right = canonical(b);
    is_same = left && right && strcmp(left, right) == 0;
    free(left);
    free(right);
    return is_same;
}

/* ---- running both ---- */

/* What says nothing about the variant: the server, the pool or the time was the reason. */
static bool
is_circumstance(const struct error *error)
{
    static const char *const classes[] = { "08", "25", "40", "53", "55", "57", "58" };

    if (error->kind == ERR_CONNECTION || error->kind == ERR_TIMEOUT || error->kind == ERR_BUSY ||
        error->kind == ERR_LIMIT || error->kind == ERR_INTERRUPTED ||
        error->kind == ERR_UNSUPPORTED)
        return true;
    for (size_t i = 0; i < COUNT_OF(classes); i++)
        if (text_starts_with(error->sqlstate, classes[i]))
            return true;
    return false;
}

/* False for a circumstance: there is no answer to compare. */
static bool
run_variant(
    struct ctx *ctx, struct shadow *shadow, const struct variant *variant, struct answer *ret)
{
    struct buffer body = { .arena = ctx->arena };
    json_t *json CLEANUP(json_release) = NULL;

    ret->is_good = call_run_variant(ctx, &shadow->call, &shadow->call.straight, variant, &body);
    ret->text = buffer_text(&body);
    if (ret->is_good)
        return true;
    if (is_circumstance(&ctx->error))
        return false;
    json = json_pack(
        "{s:s, s:s}", "error", error_kind_name(ctx->error.kind), "sqlstate", ctx->error.sqlstate);
    ret->text = json_text(ctx->arena, json);
    return true;
}

/* A statement that failed has ended the transaction, so the other one cannot be run after it. */
static bool
is_not_there(const struct ctx *ctx, const struct answer *answer)
{
    return !answer->is_good && ctx->error.kind == ERR_NOT_FOUND;
}

static bool
run_both(struct ctx *ctx, struct shadow *shadow, struct answer answers[2])
{
    struct straight *straight = &shadow->call.straight;

    if (!straight_do(ctx, straight, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") ||
        !call_become(ctx, straight, shadow->call.user) ||
        !run_variant(ctx, shadow, shadow->original, &answers[0]))
        return false;
    if (!answers[0].is_good && !is_not_there(ctx, &answers[0]))
        return false;
    error_clear(ctx);
    return run_variant(ctx, shadow, shadow->flagged, &answers[1]) &&
           straight_do(ctx, straight, "COMMIT");
}

/* ---- a difference ---- */

static const char *
cut(struct arena *arena, const char *text, size_t most)
{
    size_t length = strlen(text);

    if (length <= most)
        return text;
    /* Not within a letter. */
    for (length = most; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;)
        length--;
    return arena_strndup(arena, text, length);
}

static const char *
args_text(struct arena *arena, const struct shadow *shadow)
{
    const struct query *query = shadow->flagged->query;
    json_t *json CLEANUP(json_release) = json_object();

    for (size_t i = 0; i < query->arg_count; i++) {
        const char *text = field_text(arena, &query->args[i], shadow->call.args);

        json_object_set_new(json, query->args[i].name,
            text ? json_string(cut(arena, text, SHOWN_ARG_BYTES)) : json_null());
    }
    return json_text(arena, json);
}

static void
keep_difference(struct ctx *ctx, struct shadow *shadow, const struct answer answers[2])
{
    const struct sql_replyx_api_shadow_difference_args args = {
        .endpoint = shadow->call.endpoint->name,
        .user_id = (int32_t)shadow->call.user,
        .args = args_text(ctx->arena, shadow),
        .original = shadow->original->name,
        .flagged = shadow->flagged->name,
        .original_answer = cut(ctx->arena, answers[0].text, SHOWN_BYTES),
        .flagged_answer = cut(ctx->arena, answers[1].text, SHOWN_BYTES),
    };
    struct sql_replyx_api_shadow_difference_rows rows;
    struct straight *straight = &shadow->call.straight;

    straight->pool = hosts_for_writes(shadow->shadows->api->background);
    if (!straight_begin(ctx, straight, LIMIT_US) ||
        !straight_ask(ctx, straight, &query_replyx_api_shadow_difference, &args, &rows))
        log_warn("a difference of %s could not be kept: %s", args.endpoint, ctx->error.message);
    straight_end(straight);
}

static void
count(const struct shadow *shadow, enum tally_shadow what)
{
    tally_add_shadow(shadow->shadows->api->tally, shadow->call.endpoint, what);
}

static void
compare(struct ctx *ctx, struct shadow *shadow, const struct answer answers[2])
{
    struct flag_follower *flags = shadow->shadows->api->flags;

    if (shadow_is_same(answers[0].text, answers[1].text)) {
        count(shadow, TALLY_SHADOW_EQUAL);
        return;
    }
    count(shadow, TALLY_SHADOW_DIFFERENT);
    log_warn("%s: variant \"%s\" answers other than \"%s\"; its flag is turned off",
        shadow->call.endpoint->name, shadow->flagged->name, shadow->original->name);
    if (flags)
        flag_turn_off(flags, shadow->flag,
            arena_printf(ctx->arena, "shadow: variant \"%s\" answers other than \"%s\"",
                shadow->flagged->name, shadow->original->name));
    keep_difference(ctx, shadow, answers);
}

static void
run_shadow(struct task *task, void *data)
{
    struct shadow *shadow = data;
    struct api *api = shadow->shadows->api;
    struct ctx *ctx = &shadow->call.ctx;
    struct answer answers[2] = { 0 };
    bool is_good;

    shadow->call.straight = (struct straight){
        .task = task,
        .pool = hosts_for_reads(api->background, tally_position(api->tally, shadow->call.user)),
    };
    is_good =
        straight_begin(ctx, &shadow->call.straight, LIMIT_US) && run_both(ctx, shadow, answers);
    straight_end(&shadow->call.straight);
    if (is_good)
        compare(ctx, shadow, answers);
    else
        count(shadow, TALLY_SHADOW_FAILED);
    forget(shadow);
}

static void
begin_shadow(void *data)
{
    struct shadow *shadow = data;

    loop_timer_free(shadow->timer);
    shadow->timer = NULL;
    if (task_start(shadow->shadows->api->tasks, run_shadow, shadow))
        return;
    count(shadow, TALLY_SHADOW_DROPPED);
    forget(shadow);
}

/* ---- choosing ---- */

static const struct variant *
find_variant(const struct endpoint *endpoint, const char *name)
{
    for (size_t i = 1; i < endpoint->variant_count; i++)
        if (text_equal(endpoint->variants[i].name, name))
            return &endpoint->variants[i];
    return NULL;
}

/* The arguments are what the query's fields describe; texts are the request's, which ends before us. */
static void *
copy_args(struct arena *arena, const struct call *call, const struct query *query)
{
    void *args = arena_memdup(arena, call->args, call->endpoint->args_size);

    for (size_t i = 0; i < query->arg_count; i++) {
        const char **text;

        if (query->args[i].type != FIELD_TEXT)
            continue;
        text = (const char **)(void *)((char *)args + query->args[i].offset);
        *text = *text ? arena_strdup(arena, *text) : NULL;
    }
    return args;
}

static void
add_shadow(struct shadows *shadows, const struct call *call, const struct variant *flagged,
    const char *flag)
{
    struct arena *arena = arena_new();
    struct shadow *shadow = ARENA_NEW(arena, struct shadow);

    shadow->shadows = shadows;
    shadow->original = &call->endpoint->variants[0];
    shadow->flagged = flagged;
    shadow->flag = arena_strdup(arena, flag);
    shadow->call = (struct call){
        .api = call->api,
        .ctx = { .arena = arena },
        .endpoint = call->endpoint,
        .user = call->user,
        .now_us = call->now_us,
        .args = copy_args(arena, call, flagged->query),
    };
    memcpy(shadow->call.numbers, call->numbers, sizeof(call->numbers));
    shadow->next = shadows->first;
    shadows->first = shadow;
    shadows->count++;
    shadow->timer = loop_timer_new(shadows->api->loop, begin_shadow, shadow);
    loop_timer_set(shadow->timer, 0);
}

void
shadow_consider(struct call *call)
{
    struct api *api = call->api;
    struct shadows *shadows = api->shadows;
    const struct endpoint *endpoint = call->endpoint;
    const struct variant *flagged;
    const struct flag *flag;

    if (!shadows || !api->flags || !call->variant || endpoint->is_write || endpoint->handle ||
        call->user <= 0 || flag_follow_list(api->flags)->count == 0)
        return;
    flag = flag_find(flag_follow_list(api->flags), call_flag_name(call));
    if (!flag || !(flag->shadow_ratio > 0) || draw(shadows) >= flag->shadow_ratio)
        return;
    flagged = find_variant(endpoint, flag->variant);
    if (!flagged || !flagged->query || (flagged->is_hidden && !api->settings->hidden_variants))
        return;
    if (shadows->count >= shadows->most || api->is_draining)
        tally_add_shadow(api->tally, endpoint, TALLY_SHADOW_DROPPED);
    else
        add_shadow(shadows, call, flagged, flag->name);
}
