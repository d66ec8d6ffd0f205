/*
 * GET /assistants/{id}/dialogs: all dialogs of an assistant, newest first (of two that began at the same
 * time the one with the higher id).
 *   id
 *   title            see dialog_title.h
 *   status           "completed" when it has ended, else "active"
 *   started_at
 *   last_message_at  time of its newest message, null without messages
 *   message_count    of any sender
 * 404 when the assistant is not there or not the user's; an assistant without dialogs gives [].
 */
#include "replyx/call.h"
#include "replyx/endpoints/dialog_title.h"
#include "replyx/endpoints/endpoints.h"
#include "replyx/print.h"
#include "sql.h"

static bool
read_args(struct ctx *ctx, struct call *call, void *args)
{
    struct sql_replyx_api_assistant_dialogs_args *ret = args;

    (void)ctx;
    ret->user_id = (int32_t)call->user;
    ret->assistant_id = (int32_t)call->numbers[0];
    return true;
}

static bool
print_dialog(struct ctx *ctx, struct straight *straight,
    const struct sql_replyx_api_assistant_dialogs_naive *dialog, struct buffer *out)
{
    struct sql_replyx_api_message_count_rows counts;
    struct sql_replyx_api_message_time_rows times;
    const struct dialog_name name = { .id = dialog->id,
        .first_name = dialog->first_name,
        .last_name = dialog->last_name,
        .telegram_username = dialog->telegram_username };

    if (!straight_ask(ctx, straight, &query_replyx_api_message_count,
            &(const struct sql_replyx_api_message_count_args){ dialog->id }, &counts) ||
        !straight_ask(ctx, straight, &query_replyx_api_message_time,
            &(const struct sql_replyx_api_message_time_args){ dialog->id }, &times))
        return false;
    print_open(out, '{');
    print_key(out, "id");
    print_int(out, dialog->id);
    print_key(out, "title");
    print_text(out, dialog_title(ctx->arena, &name));
    print_key(out, "status");
    print_text(out, dialog->is_ended ? "completed" : "active");
    print_key(out, "started_at");
    print_time(out, dialog->started_at);
    print_key(out, "last_message_at");
    print_time(out, times.items[0].at);
    print_key(out, "message_count");
    print_int(out, counts.items[0].count);
    print_close(out, '}');
    return true;
}

/* The dialogs, then two more queries for each: 1 + 2N. */
static bool
run_naive(struct ctx *ctx, struct call *call, struct straight *straight, const void *args,
    struct buffer *ret_body)
{
    struct sql_replyx_api_assistant_dialogs_naive_rows dialogs;

    (void)call;
    if (!straight_ask(ctx, straight, &query_replyx_api_assistant_dialogs_naive, args, &dialogs))
        return false;
    if (dialogs.count == 0)
        return error_set(ctx, ERR_NOT_FOUND, "it is not there");
    print_open(ret_body, '[');
    for (size_t i = 0; i < dialogs.count && dialogs.items[i].id != 0; i++) {
        if (!print_dialog(ctx, straight, &dialogs.items[i], ret_body))
            return false;
    }
    print_close(ret_body, ']');
    return true;
}

static const struct variant variants[] = {
    { .name = "naive", .run = run_naive },
    { .name = "optimised", .query = &query_replyx_api_assistant_dialogs, .lane = POOL_EXCLUSIVE },
};

const struct endpoint endpoint_assistant_dialogs = {
    .name = "assistant_dialogs",
    .methods = HTTP_GET,
    .path = "/assistants/{id}/dialogs",
    .args_size = sizeof(struct sql_replyx_api_assistant_dialogs_args),
    .read = read_args,
    .variants = variants,
    .variant_count = COUNT_OF(variants),
};
