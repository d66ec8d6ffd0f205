/*
 * GET /assistants?active=true: the user's assistants that are active (false: that are not; without it:
 * all), newest first (of the same time: higher id first).
 *   [] id, name, ai_model, is_active, created_at
 */
#include "replyx/call.h"
#include "replyx/endpoints/endpoints.h"
#include "replyx/print.h"
#include "sql.h"

static bool
read_args(struct ctx *ctx, struct call *call, void *args)
{
    struct sql_replyx_api_assistants_args *ret = args;
    const char *active = http_request_query(call->request, "active");

    if (active && !text_equal(active, "true") && !text_equal(active, "false"))
        return error_set(ctx, ERR_INPUT, "active has to be true or false");
    ret->user_id = (int32_t)call->user;
    ret->active = !text_equal(active, "false");
    ret->inactive = !text_equal(active, "true");
    return true;
}

static bool
run_naive(struct ctx *ctx, struct call *call, struct straight *straight, const void *args,
    struct buffer *ret_body)
{
    struct sql_replyx_api_assistants_naive_rows rows;

    (void)call;
    if (!straight_ask(ctx, straight, &query_replyx_api_assistants_naive, args, &rows))
        return false;
    print_open(ret_body, '[');
    for (size_t i = 0; i < rows.count; i++) {
        print_open(ret_body, '{');
        print_key(ret_body, "id");
        print_int(ret_body, rows.items[i].id);
        print_key(ret_body, "name");
        print_text(ret_body, rows.items[i].name);
        print_key(ret_body, "ai_model");
        print_text(ret_body, rows.items[i].ai_model);
        print_key(ret_body, "is_active");
        print_bool(ret_body, rows.items[i].is_active);
        print_key(ret_body, "created_at");
        print_time(ret_body, rows.items[i].created_at);
        print_close(ret_body, '}');
    }
    print_close(ret_body, ']');
    return true;
}

static const struct variant variants[] = {
    { .name = "naive", .run = run_naive },
    { .name = "optimised", .query = &query_replyx_api_assistants, .lane = POOL_SHARED },
    { .name = "slow", .query = &query_replyx_api_assistants_slow, .is_hidden = true },
};

static const char *const query_names[] = { "active", NULL };

const struct endpoint endpoint_assistants = {
    .name = "assistants",
    .methods = HTTP_GET,
    .path = "/assistants",
    .args_size = sizeof(struct sql_replyx_api_assistants_args),
    .query = query_names,
    .read = read_args,
    .variants = variants,
    .variant_count = COUNT_OF(variants),
};
