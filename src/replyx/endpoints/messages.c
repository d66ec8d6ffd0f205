/*
 * GET /dialogs/{id}/messages?limit=50: the newest messages of a dialog, newest first (of the same time:
 * higher id first); limit is 1 to 1000.
 *   [] id, sender, text, timestamp
 */
#include "replyx/call.h"
#include "replyx/endpoints/endpoints.h"
#include "replyx/print.h"
#include "sql.h"

enum { MOST = 1000, USUAL = 50 };

static bool
read_args(struct ctx *ctx, struct call *call, void *args)
{
    struct sql_replyx_api_messages_args *ret = args;
    int64_t limit;

    if (!call_read_number(ctx, call, "limit", MOST, USUAL, &limit))
        return false;
    ret->user_id = (int32_t)call->user;
    ret->dialog_id = (int32_t)call->numbers[0];
    ret->most = (int32_t)limit;
    return true;
}

/* Two queries: the dialog, then its messages. */
static bool
run_naive(struct ctx *ctx, struct call *call, struct straight *straight, const void *args,
    struct buffer *ret_body)
{
    const struct sql_replyx_api_messages_args *asked = args;
    const struct sql_replyx_api_dialog_args dialog = { asked->user_id, asked->dialog_id };
    const struct sql_replyx_api_messages_naive_args messages = { asked->dialog_id, asked->most };
    struct sql_replyx_api_dialog_rows dialogs;
    struct sql_replyx_api_messages_naive_rows rows;

    (void)call;
    if (!straight_ask(ctx, straight, &query_replyx_api_dialog, &dialog, &dialogs))
        return false;
    if (dialogs.count == 0)
        return error_set(ctx, ERR_NOT_FOUND, "there is no such dialog");
    if (!straight_ask(ctx, straight, &query_replyx_api_messages_naive, &messages, &rows))
        return false;
    print_open(ret_body, '[');
    for (size_t i = 0; i < rows.count; i++) {
        print_open(ret_body, '{');
        print_key(ret_body, "id");
        print_int(ret_body, rows.items[i].id);
        print_key(ret_body, "sender");
        print_text(ret_body, rows.items[i].sender);
        print_key(ret_body, "text");
        print_text(ret_body, rows.items[i].text);
        print_key(ret_body, "timestamp");
        print_time(ret_body, rows.items[i].timestamp);
        print_close(ret_body, '}');
    }
    print_close(ret_body, ']');
    return true;
}

static const struct variant variants[] = {
    { .name = "naive", .run = run_naive },
    { .name = "optimised", .query = &query_replyx_api_messages, .lane = POOL_SHARED },
};

static const char *const query_names[] = { "limit", NULL };

const struct endpoint endpoint_messages = {
    .name = "messages",
    .methods = HTTP_GET,
    .path = "/dialogs/{id}/messages",
    .args_size = sizeof(struct sql_replyx_api_messages_args),
    .query = query_names,
    .read = read_args,
    .variants = variants,
    .variant_count = COUNT_OF(variants),
};
