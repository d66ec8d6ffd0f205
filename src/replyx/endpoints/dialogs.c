/*
 * GET /dialogs?page=1&limit=20: all dialogs of the user, newest first (of two that began at the same time
 * the one with the higher id), a page at a time.
 *   items[]
 *     id
 *     assistant_id    or null
 *     title           see dialog_title.h
 *     status          "completed" when it has ended, else "active"
 *     handoff_status  "none", "requested", "active" or "resolved"
 *     started_at
 *     last_message    {id, sender, text, timestamp} of the newest one (of the same time: of the higher
 *                     id), null without messages
 *     owner_email     of the user whose dialog it is
 *   total             dialogs of the user
 *   page              as asked for: 1 …
 *   pages             there are so many, 0 without dialogs; a page beyond them has no items
 *   limit             items on a page: 1 … 100
 */
#include "replyx/call.h"
#include "replyx/endpoints/dialog_title.h"
#include "replyx/endpoints/endpoints.h"
#include "replyx/print.h"
#include "sql.h"

enum { STANDARD_LIMIT = 20, MOST_LIMIT = 100 };

static bool
read_args(struct ctx *ctx, struct call *call, void *args)
{
    struct sql_replyx_api_dialogs_args *ret = args;
    int64_t page, limit;

    if (!call_read_number(ctx, call, "page", INT32_MAX, 1, &page) ||
        !call_read_number(ctx, call, "limit", MOST_LIMIT, STANDARD_LIMIT, &limit))
        return false;
    ret->user_id = (int32_t)call->user;
    ret->page = (int32_t)page;
    ret->most = (int32_t)limit;
    return true;
}

static void
print_message(const struct sql_replyx_api_message_last_rows *messages, struct buffer *out)
{
    print_key(out, "last_message");
    if (messages->count == 0) {
        print_text(out, NULL);
        return;
    }
    print_open(out, '{');
    print_key(out, "id");
    print_int(out, messages->items[0].id);
    print_key(out, "sender");
    print_text(out, messages->items[0].sender);
    print_key(out, "text");
    print_text(out, messages->items[0].text);
    print_key(out, "timestamp");
    print_time(out, messages->items[0].timestamp);
    print_close(out, '}');
}

static bool
print_dialog(struct ctx *ctx, struct straight *straight,
    const struct sql_replyx_api_dialogs_page *dialog, struct buffer *out)
{
    struct sql_replyx_api_message_last_rows messages;
    struct sql_replyx_api_email_rows emails;
    const struct dialog_name name = { .id = dialog->id,
        .first_name = dialog->first_name,
        .last_name = dialog->last_name,
        .telegram_username = dialog->telegram_username };

    if (!straight_ask(ctx, straight, &query_replyx_api_message_last,
            &(const struct sql_replyx_api_message_last_args){ dialog->id }, &messages) ||
        !straight_ask(ctx, straight, &query_replyx_api_email,
            &(const struct sql_replyx_api_email_args){ dialog->user_id }, &emails))
        return false;
    print_open(out, '{');
    print_key(out, "id");
    print_int(out, dialog->id);
    print_key(out, "assistant_id");
    print_number(out, dialog->assistant_id);
    print_key(out, "title");
    print_text(out, dialog_title(ctx->arena, &name));
    print_key(out, "status");
    print_text(out, dialog->is_ended ? "completed" : "active");
    print_key(out, "handoff_status");
    print_text(out, dialog->handoff_status);
    print_key(out, "started_at");
    print_time(out, dialog->started_at);
    print_message(&messages, out);
    print_key(out, "owner_email");
    print_text(out, emails.count > 0 ? emails.items[0].email : NULL);
    print_close(out, '}');
    return true;
}

/* The count, a page, then two more queries for each dialog on it: 2 + 2N. */
static bool
run_naive(struct ctx *ctx, struct call *call, struct straight *straight, const void *args,
    struct buffer *ret_body)
{
    const struct sql_replyx_api_dialogs_args *asked = args;
    struct sql_replyx_api_dialogs_count_rows counts;
    struct sql_replyx_api_dialogs_page_rows page;
    int64_t total;

    (void)call;
    if (!straight_ask(ctx, straight, &query_replyx_api_dialogs_count,
            &(const struct sql_replyx_api_dialogs_count_args){ asked->user_id }, &counts) ||
        !straight_ask(ctx, straight, &query_replyx_api_dialogs_page,
            &(const struct sql_replyx_api_dialogs_page_args){ .user_id = asked->user_id,
                .most = asked->most,
                .skipped = (asked->page - INT64_C(1)) * asked->most },
            &page))
        return false;
    total = counts.items[0].count;
    print_open(ret_body, '{');
    print_key(ret_body, "items");
    print_open(ret_body, '[');
    for (size_t i = 0; i < page.count; i++) {
        if (!print_dialog(ctx, straight, &page.items[i], ret_body))
            return false;
    }
    print_close(ret_body, ']');
    print_key(ret_body, "total");
    print_int(ret_body, total);
    print_key(ret_body, "page");
    print_int(ret_body, asked->page);
    print_key(ret_body, "pages");
    print_int(ret_body, (total + asked->most - 1) / asked->most);
    print_key(ret_body, "limit");
    print_int(ret_body, asked->most);
    print_close(ret_body, '}');
    return true;
}

static const struct variant variants[] = {
    { .name = "naive", .run = run_naive },
    { .name = "optimised", .query = &query_replyx_api_dialogs, .lane = POOL_EXCLUSIVE },
};

static const char *const query_names[] = { "page", "limit", NULL };

const struct endpoint endpoint_dialogs = {
    .name = "dialogs",
    .methods = HTTP_GET,
    .path = "/dialogs",
    .args_size = sizeof(struct sql_replyx_api_dialogs_args),
    .query = query_names,
    .read = read_args,
    .variants = variants,
    .variant_count = COUNT_OF(variants),
};
