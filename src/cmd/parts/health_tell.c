#include "cmd/parts/health_tell.h"

#include "base/interrupt.h"
#include "base/log.h"
#include "cli/out.h"
#include "event/loop.h"
#include "http/client.h"
#include "monitor/doctor/doctor.h"
#include "monitor/doctor/facts.h"
#include "monitor/watch/look.h"

enum { ADDRESS_US = 5000000 };

/* What is critical because of what goes on now; the rest is configuration, and was so before. */
static const char *const of_now[] = { "replication-lag", "inactive-slots", "archiver",
    "long-transactions", "prepared-transactions", "blocked-sessions", "idle-in-transaction",
    "connections", "disk", "wraparound", "invalid-indexes" };

static bool
is_of_now(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(of_now); i++)
        if (strcmp(of_now[i], name) == 0)
            return true;
    return false;
}

static bool
look_once(struct ctx *ctx, struct db *db, struct health_told *told)
{
    struct look *look CLEANUP(look_cleanup) = NULL;
    struct doctor_facts facts = { 0 };
    struct checkup checkup = { 0 };
    struct watched *server;

    if (!look_open(ctx, db, HOST_AUTO, &look) || !look_ask(ctx, look, NULL, 0) ||
        !doctor_ask(ctx, db, &facts))
        return false;
    server = look_server(look);
    doctor_see_machine(ctx->arena, server, &facts);
    server->facts = &facts;
    doctor_check(ctx->arena, server, &checkup);
    for (size_t i = 0; i < checkup.count; i++) {
        const struct checkup_item *item = &checkup.items[i];

        if (item->health == HEALTH_CRITICAL)
            text_list_add(ctx->arena, is_of_now(item->name) ? &told->wrong : &told->others,
                arena_printf(ctx->arena, "%s: %s", item->title, item->says));
    }
    return true;
}

struct asking {
    struct arena *arena;
    struct loop *loop;
    int status; /* 0: no answer */
    const char *error;
};

static void
hear(void *data, const struct http_result *result)
{
    struct asking *asking = data;

    asking->status = result->is_answered ? result->status : 0;
    asking->error = result->error ? arena_strdup(asking->arena, result->error) : NULL;
    loop_stop(asking->loop);
}

static bool
ask_address(struct ctx *ctx, const struct health_options *options, struct asking *asking)
{
    const struct http_client_options how = {
        .allow_private = true,
        .timeout_us = options->timeout_us ? options->timeout_us : (int64_t)ADDRESS_US,
    };
    const struct http_call call = { .method = "GET", .url = options->url };
    struct loop *loop CLEANUP(loop_cleanup) = NULL;
    struct http_client *client;
    bool is_good;

    if (!loop_new(ctx, &loop) || !http_client_new(ctx, loop, &how, &client))
        return false;
    asking->loop = loop;
    is_good = http_client_call(ctx, client, &call, hear, asking);
    if (is_good)
        loop_run(loop);
    http_client_free(client);
    return is_good;
}

/* The address's answer as a clause; *ret_well: 2xx. */
static const char *
try_address(struct ctx *ctx, const struct health_options *options, bool *ret_well)
{
    struct asking asking = { .arena = ctx->arena };
    const char *shown = http_url_shown(ctx->arena, options->url);
    const char *why;

    *ret_well = false;
    if (!ask_address(ctx, options, &asking)) {
        why = ctx->error.message;
        error_clear(ctx);
        return arena_printf(ctx->arena, "%s could not be asked: %s", shown, why);
    }
    *ret_well = asking.status >= 200 && asking.status < 300;
    if (asking.status)
        return arena_printf(ctx->arena, "%s answers %d", shown, asking.status);
    return arena_printf(ctx->arena, "%s does not answer: %s", shown,
        asking.error ? asking.error : "the asking was interrupted");
}

bool
health_take(
    struct ctx *ctx, struct db *db, const struct health_options *options, struct health_told *ret)
{
    struct text_list wrong = { 0 };
    bool answers = true;

    *ret = (struct health_told){ 0 };
    if (!look_once(ctx, db, ret)) {
        if (interrupt_signal())
            return interrupt_error(ctx, interrupt_signal());
        text_list_add(ctx->arena, &ret->wrong,
            arena_printf(
                ctx->arena, "the database could not be looked at: %s", ctx->error.message));
        error_clear(ctx);
    }
    if (options->url)
        ret->answer = try_address(ctx, options, &answers);
    if (interrupt_signal())
        return interrupt_error(ctx, interrupt_signal());
    for (size_t i = 0; i < ret->wrong.count; i++)
        text_list_add(ctx->arena, &wrong, ret->wrong.items[i]);
    if (!answers)
        text_list_add(ctx->arena, &wrong, ret->answer);
    ret->is_well = wrong.count == 0;
    ret->text = ret->is_well ? arena_printf(ctx->arena, "the service is well%s%s",
                                   ret->answer ? ": " : "", ret->answer ? ret->answer : "")
                             : arena_printf(ctx->arena, "the service is not well: %s",
                                   text_list_join(ctx->arena, &wrong, "; "));
    return true;
}

void
health_print(FILE *out, const struct health_told *told)
{
    out_mark_line(out, told->is_well ? MARK_OK : MARK_FAIL, "%s", told->text);
    /* How the server is configured was so before, and is "pgmend doctor"'s to tell. */
    for (size_t i = 0; i < told->others.count; i++)
        log_debug("critical, but not of now: %s", told->others.items[i]);
    fflush(out);
}

bool
health_tell(struct ctx *ctx, struct run *run, struct db *db, const struct health_options *options,
    bool *ret_well)
{
    struct health_told told;

    if (!health_take(ctx, db, options, &told))
        return false;
    if (!run->global->json)
        health_print(run->out, &told);
    *ret_well = told.is_well;
    return true;
}

static json_t *
list_json(const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

json_t *
health_json(const struct health_told *told)
{
    return json_pack("{s:b, s:s, s:s?, s:o, s:o}", "is_well", told->is_well, "text", told->text,
        "address", told->answer, "wrong", list_json(&told->wrong), "others",
        list_json(&told->others));
}
