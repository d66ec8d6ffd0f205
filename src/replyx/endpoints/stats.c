/*
 * GET /assistants/stats: what the user's assistants did in the last 30 days.
 *   global        {totalAssistants, activeAssistants, totalMessages, totalDialogs}
 *   byAssistant[] newest first (of the same time: higher id first)
 *     id, name, messages, dialogs, is_active
 * Messages are those that an assistant sent in that time, whenever their dialogs began; dialogs are those
 * that began in it.
 */
#include <time.h>

#include "replyx/call.h"
#include "replyx/endpoints/endpoints.h"
#include "replyx/print.h"
#include "sql.h"

static const int64_t window_us = INT64_C(30) * 24 * 3600 * 1000000;

/* Once, so that every query of every variant means the same moment. */
static const char *
time_text(struct arena *arena, int64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm parts;

    gmtime_r(&seconds, &parts);
    return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900,
        parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
        (int)(wall_us % 1000000));
}

static bool
read_args(struct ctx *ctx, struct call *call, void *args)
{
    struct sql_replyx_api_stats_args *ret = args;

    ret->user_id = (int32_t)call->user;
    ret->since = time_text(ctx->arena, call->now_us - window_us);
    return true;
}

/* What is asked for each assistant. */
struct counts {
    int64_t messages;
    int64_t dialogs;
};

static bool
ask_counts(struct ctx *ctx, struct straight *straight, const struct sql_replyx_api_stats_args *args,
    int32_t assistant, struct counts *ret)
{
    const struct sql_replyx_api_stats_messages_args asked = { args->user_id, assistant,
        args->since };
    const struct sql_replyx_api_stats_dialogs_args also = { args->user_id, assistant, args->since };
    struct sql_replyx_api_stats_messages_rows messages;
    struct sql_replyx_api_stats_dialogs_rows dialogs;

    if (!straight_ask(ctx, straight, &query_replyx_api_stats_messages, &asked, &messages) ||
        !straight_ask(ctx, straight, &query_replyx_api_stats_dialogs, &also, &dialogs))
        return false;
    ret->messages = messages.items[0].messages;
    ret->dialogs = dialogs.items[0].dialogs;
    return true;
}

static void
print_assistant(struct buffer *out, const struct sql_replyx_api_stats_assistants *assistant,
    const struct counts *counts)
{
    print_open(out, '{');
    print_key(out, "id");
    print_int(out, assistant->id);
    print_key(out, "name");
    print_text(out, assistant->name);
    print_key(out, "messages");
    print_int(out, counts->messages);
    print_key(out, "dialogs");
    print_int(out, counts->dialogs);
    print_key(out, "is_active");
    print_bool(out, assistant->is_active);
    print_close(out, '}');
}

static void
print_all(struct buffer *out, const struct sql_replyx_api_stats_assistants_rows *assistants,
    const struct counts *counts)
{
    struct counts sum = { 0 };
    int64_t active = 0;

    for (size_t i = 0; i < assistants->count; i++) {
        sum.messages += counts[i].messages;
        sum.dialogs += counts[i].dialogs;
        active += assistants->items[i].is_active;
    }
    print_open(out, '{');
    print_key(out, "global");
    print_open(out, '{');
    print_key(out, "totalAssistants");
    print_int(out, (int64_t)assistants->count);
    print_key(out, "activeAssistants");
    print_int(out, active);
    print_key(out, "totalMessages");
    print_int(out, sum.messages);
    print_key(out, "totalDialogs");
    print_int(out, sum.dialogs);
    print_close(out, '}');
    print_key(out, "byAssistant");
    print_open(out, '[');
    for (size_t i = 0; i < assistants->count; i++)
        print_assistant(out, &assistants->items[i], &counts[i]);
    print_close(out, ']');
    print_close(out, '}');
}

/* One query, and two for each assistant. */
static bool
run_naive(struct ctx *ctx, struct call *call, struct straight *straight, const void *args,
    struct buffer *ret_body)
{
    const struct sql_replyx_api_stats_args *asked = args;
    const struct sql_replyx_api_stats_assistants_args user = { asked->user_id };
    struct sql_replyx_api_stats_assistants_rows assistants;
    struct counts *counts;

    (void)call;
    if (!straight_ask(ctx, straight, &query_replyx_api_stats_assistants, &user, &assistants))
        return false;
    counts = ARENA_ARRAY(ctx->arena, struct counts, assistants.count);
    for (size_t i = 0; i < assistants.count; i++) {
        if (!ask_counts(ctx, straight, asked, assistants.items[i].id, &counts[i]))
            return false;
    }
    print_all(ret_body, &assistants, counts);
    return true;
}

static const struct variant variants[] = {
    { .name = "naive", .run = run_naive },
    { .name = "optimised", .query = &query_replyx_api_stats, .lane = POOL_EXCLUSIVE },
    { .name = "rollup", .query = &query_replyx_api_stats_rollup, .lane = POOL_SHARED },
    { .name = "team", .query = &query_replyx_api_stats_team, .is_hidden = true },
};

const struct endpoint endpoint_stats = {
    .name = "stats",
    .methods = HTTP_GET,
    .path = "/assistants/stats",
    .args_size = sizeof(struct sql_replyx_api_stats_args),
    .read = read_args,
    .variants = variants,
    .variant_count = COUNT_OF(variants),
};
