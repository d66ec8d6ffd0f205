/*
 * GET /bot-instances: the bots of the user, newest first (of two of the same time the one with the higher
 * id).
 *   id
 *   platform    "telegram", …
 *   is_active
 *   created_at
 *   assistant   {id, name, ai_model, is_active}; null when it is gone or not the user's
 * Tokens of bots are never shown.
 */
#include "replyx/call.h"
#include "replyx/endpoints/endpoints.h"
#include "replyx/print.h"
#include "sql.h"

static bool
read_args(struct ctx *ctx, struct call *call, void *args)
{
    struct sql_replyx_api_bots_args *ret = args;

    (void)ctx;
    ret->user_id = (int32_t)call->user;
    return true;
}

static void
print_assistant(const struct sql_replyx_api_assistant_rows *assistants, struct buffer *out)
{
    print_key(out, "assistant");
    if (assistants->count == 0) {
        print_text(out, NULL);
        return;
    }
    print_open(out, '{');
    print_key(out, "id");
    print_int(out, assistants->items[0].id);
    print_key(out, "name");
    print_text(out, assistants->items[0].name);
    print_key(out, "ai_model");
    print_text(out, assistants->items[0].ai_model);
    print_key(out, "is_active");
    print_bool(out, assistants->items[0].is_active);
    print_close(out, '}');
}

/* The bots, then the assistant of each: 1 + N. */
static bool
run_naive(struct ctx *ctx, struct call *call, struct straight *straight, const void *args,
    struct buffer *ret_body)
{
    struct sql_replyx_api_bots_naive_rows bots;
    struct sql_replyx_api_assistant_rows assistants;

    if (!straight_ask(ctx, straight, &query_replyx_api_bots_naive, args, &bots))
        return false;
    print_open(ret_body, '[');
    for (size_t i = 0; i < bots.count; i++) {
        const struct sql_replyx_api_bots_naive *bot = &bots.items[i];

        if (!straight_ask(ctx, straight, &query_replyx_api_assistant,
                &(const struct sql_replyx_api_assistant_args){
                    (int32_t)call->user, bot->assistant_id },
                &assistants))
            return false;
        print_open(ret_body, '{');
        print_key(ret_body, "id");
        print_int(ret_body, bot->id);
        print_key(ret_body, "platform");
        print_text(ret_body, bot->platform);
        print_key(ret_body, "is_active");
        print_bool(ret_body, bot->is_active);
        print_key(ret_body, "created_at");
        print_time(ret_body, bot->created_at);
        print_assistant(&assistants, ret_body);
        print_close(ret_body, '}');
    }
    print_close(ret_body, ']');
    return true;
}

static const struct variant variants[] = {
    { .name = "naive", .run = run_naive },
    { .name = "optimised", .query = &query_replyx_api_bots, .lane = POOL_SHARED },
};

const struct endpoint endpoint_bots = {
    .name = "bots",
    .methods = HTTP_GET,
    .path = "/bot-instances",
    .args_size = sizeof(struct sql_replyx_api_bots_args),
    .read = read_args,
    .variants = variants,
    .variant_count = COUNT_OF(variants),
};
