/* The slow form of the webhook: each statement a round trip, all in one transaction. */
#include "replyx/endpoints/webhook.h"

static bool
open_dialog(struct ctx *ctx, struct straight *straight, const struct webhook *webhook,
    const struct sql_replyx_api_webhook_bot *bot, struct sql_replyx_api_webhook_dialog *ret)
{
    const struct sql_replyx_api_webhook_args *args = &webhook->args;
    struct sql_replyx_api_webhook_lock_rows known;
    struct sql_replyx_api_webhook_dialog_rows found;
    struct sql_replyx_api_webhook_open_rows opened;

    if (!straight_ask(ctx, straight, &query_replyx_api_webhook_chat,
            &(const struct sql_replyx_api_webhook_chat_args){
                args->bot_id, args->chat, bot->owner },
            NULL) ||
        !straight_ask(ctx, straight, &query_replyx_api_webhook_lock,
            &(const struct sql_replyx_api_webhook_lock_args){ args->bot_id, args->chat }, &known) ||
        !straight_ask(ctx, straight, &query_replyx_api_webhook_dialog,
            &(const struct sql_replyx_api_webhook_dialog_args){ bot->owner, bot->assistant,
                args->chat, known.count > 0 ? known.items[0].dialog_id : 0 },
            &found))
        return false;
    if (found.count > 0) {
        *ret = found.items[0];
    } else {
        if (!straight_ask(ctx, straight, &query_replyx_api_webhook_open,
                &(const struct sql_replyx_api_webhook_open_args){ bot->owner, bot->assistant,
                    args->chat, args->username, args->first_name, args->last_name },
                &opened))
            return false;
        *ret = (struct sql_replyx_api_webhook_dialog){ .id = opened.items[0].id };
    }
    return straight_ask(ctx, straight, &query_replyx_api_webhook_goes_on,
        &(const struct sql_replyx_api_webhook_goes_on_args){ args->bot_id, args->chat, ret->id },
        NULL);
}

static bool
add_message(struct ctx *ctx, struct straight *straight, int32_t dialog_id, const char *sender,
    const char *words, int32_t *ret_id)
{
    struct sql_replyx_api_webhook_message_rows added;

    if (!straight_ask(ctx, straight, &query_replyx_api_webhook_message,
            &(const struct sql_replyx_api_webhook_message_args){ dialog_id, sender, words },
            &added))
        return false;
    *ret_id = added.items[0].id;
    return true;
}

/* The most important chunks, which are not looked at, then all of them for the best. */
static bool
retrieve(struct ctx *ctx, struct straight *straight, const struct webhook *webhook,
    const struct sql_replyx_api_webhook_bot *bot, struct sql_replyx_api_webhook_reply *ret)
{
    const struct sql_replyx_api_webhook_args *args = &webhook->args;
    struct sql_replyx_api_search_context_rows context;
    struct sql_replyx_api_search_words_rows chunks;
    struct sql_replyx_api_webhook_reply_rows reply;

    if (!straight_ask(ctx, straight, &query_replyx_api_search_context,
            &(const struct sql_replyx_api_search_context_args){ bot->owner, bot->assistant },
            &context) ||
        !straight_ask(ctx, straight, &query_replyx_api_search_words,
            &(const struct sql_replyx_api_search_words_args){
                bot->owner, bot->assistant, args->question, args->words, 1 },
            &chunks) ||
        !straight_ask(ctx, straight, &query_replyx_api_webhook_reply,
            &(const struct sql_replyx_api_webhook_reply_args){
                args->chat, chunks.count > 0 ? chunks.items[0].chunk_text : NULL },
            &reply))
        return false;
    *ret = reply.items[0];
    return true;
}

static bool
store(struct ctx *ctx, struct straight *straight, struct webhook *webhook,
    const struct sql_replyx_api_webhook_bot *bot)
{
    const struct sql_replyx_api_webhook_args *args = &webhook->args;
    struct sql_replyx_api_webhook_dialog dialog;
    struct sql_replyx_api_webhook_reply reply = { .answer = "{}" };
    int32_t asked;
    int32_t answered = 0;

    if (!open_dialog(ctx, straight, webhook, bot, &dialog) ||
        !add_message(ctx, straight, dialog.id, "user", args->words, &asked))
        return false;
    if (bot->is_answering && !dialog.is_taken_over &&
        (!retrieve(ctx, straight, webhook, bot, &reply) ||
            !add_message(ctx, straight, dialog.id, "assistant", reply.said, &answered)))
        return false;
    webhook->answer = reply.answer;
    return straight_ask(ctx, straight, &query_replyx_api_webhook_leave,
        &(const struct sql_replyx_api_webhook_leave_args){
            args->bot_id, args->update_id, dialog.id, asked, answered, reply.answer },
        NULL);
}

bool
webhook_run_naive(struct ctx *ctx, struct straight *straight, struct webhook *webhook)
{
    const struct sql_replyx_api_webhook_args *args = &webhook->args;
    struct sql_replyx_api_webhook_bot_rows bots;
    struct sql_replyx_api_webhook_enter_rows entered;
    struct sql_replyx_api_webhook_again_rows again;

    if (!straight_ask(ctx, straight, &query_replyx_api_webhook_bot,
            &(const struct sql_replyx_api_webhook_bot_args){ args->bot_id }, &bots))
        return false;
    if (bots.count == 0)
        return error_set(ctx, ERR_NOT_FOUND, "there is no such bot");
    webhook->owner = bots.items[0].owner;
    webhook->answer = "{}";
    if (!call_become(ctx, straight, webhook->owner) ||
        !straight_ask(ctx, straight, &query_replyx_api_webhook_enter,
            &(const struct sql_replyx_api_webhook_enter_args){
                args->bot_id, args->update_id, bots.items[0].owner, args->kind },
            &entered))
        return false;
    if (entered.count > 0)
        return !args->words || store(ctx, straight, webhook, &bots.items[0]);
    if (!straight_ask(ctx, straight, &query_replyx_api_webhook_again,
            &(const struct sql_replyx_api_webhook_again_args){ args->bot_id, args->update_id },
            &again))
        return false;
    if (again.count > 0)
        webhook->answer = again.items[0].answer;
    return true;
}
