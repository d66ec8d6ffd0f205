/* A Telegram Update: what of it is stored, and what is only noted. */
#include <string.h>

#include "replyx/endpoints/webhook.h"

enum { MOST_LETTERS = 4096, MOST_NAME = 255, MOST_KIND = 40 };

/* Ids of chats have at most 52 bits; source: Telegram's Bot API, "Chat". */
static const json_int_t most_chat = (json_int_t)1 << 52;

static size_t
count_letters(const char *text)
{
    size_t count = 0;

    for (const char *at = text; *at; at++)
        count += ((unsigned char)*at & 0xc0) != 0x80;
    return count;
}

/* The member's text, not longer than a name can be; NULL when there is none. */
static const char *
name_of(struct arena *arena, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    size_t length = 0;
    size_t letters = 0;

    if (text_is_empty(text))
        return NULL;
    while (text[length] && letters <= MOST_NAME)
        letters += ((unsigned char)text[length++] & 0xc0) != 0x80;
    if (letters > MOST_NAME)
        length--;
    return arena_strndup(arena, text, length);
}

/* What kind of update it is: its only member beside the number. */
static const char *
kind_of(struct arena *arena, json_t *update)
{
    const char *key;
    json_t *value;

    json_object_foreach(update, key, value)
    {
        if (text_equal(key, "update_id"))
            continue;
        if (strlen(key) <= MOST_KIND && strspn(key, "abcdefghijklmnopqrstuvwxyz_") == strlen(key))
            return arena_strdup(arena, key);
    }
    return "unknown";
}

/*
 * A message with a text from a person is acted on. The rest (photos, stickers, who joined, other bots, which
 * could go on for ever) is noted.
 */
static bool
read_message(struct ctx *ctx, const json_t *message, struct sql_replyx_api_webhook_args *ret)
{
    const json_t *chat = json_object_get(message, "chat");
    const json_t *from = json_object_get(message, "from");
    const json_t *id = json_object_get(chat, "id");
    const json_t *text = json_object_get(message, "text");
    size_t letters;

    if (!json_is_object(message))
        return error_set(ctx, ERR_INPUT, "message has to be an object");
    if (!json_is_integer(id) || json_integer_value(id) > most_chat ||
        json_integer_value(id) < -most_chat)
        return error_set(ctx, ERR_INPUT, "message.chat.id has to be a whole number of 52 bits");
    if (text && !json_is_string(text))
        return error_set(ctx, ERR_INPUT, "message.text has to be a text");
    if (!text || json_is_true(json_object_get(from, "is_bot"))) {
        ret->kind = text ? "message_of_bot" : "message_without_text";
        return true;
    }
    letters = count_letters(json_string_value(text));
    if (letters > MOST_LETTERS)
        return error_set(ctx, ERR_INPUT, "message.text has %zu letters, and may have %d", letters,
            (int)MOST_LETTERS);
    ret->words = arena_strdup(ctx->arena, json_string_value(text));
    ret->chat = arena_printf(ctx->arena, "%lld", (long long)json_integer_value(id));
    ret->username = name_of(ctx->arena, from, "username");
    ret->first_name = name_of(ctx->arena, from, "first_name");
    ret->last_name = name_of(ctx->arena, from, "last_name");
    return true;
}

bool
webhook_read(struct ctx *ctx, struct call *call, struct sql_replyx_api_webhook_args *ret)
{
    json_t *update CLEANUP(json_release) = NULL;
    const json_t *id;

    if (!call_read_json(ctx, call, &update))
        return false;
    id = json_object_get(update, "update_id");
    if (!json_is_integer(id) || json_integer_value(id) < 0)
        return error_set(ctx, ERR_INPUT, "update_id has to be a whole number, 0 or more");
    ret->bot_id = (int32_t)call->numbers[0];
    ret->update_id = json_integer_value(id);
    ret->kind = kind_of(ctx->arena, update);
    if (text_equal(ret->kind, "message"))
        return read_message(ctx, json_object_get(update, "message"), ret);
    return true;
}
