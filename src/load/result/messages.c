#include "load/result/messages.h"

#include "base/text.h"

/* More different texts than this are counted as one: a server may put a number into each. */
enum { MOST_TEXTS = 200, MOST_BYTES = 400 };

struct entry {
    uint32_t hash;
    struct load_message message;
    char text[MOST_BYTES];
};

struct load_messages {
    size_t count;
    struct entry entries[MOST_TEXTS + 1]; /* the last one: all others */
    struct load_message shown[LOAD_MESSAGES_SHOWN];
};

struct load_messages *
load_messages_new(struct arena *arena)
{
    return ARENA_NEW(arena, struct load_messages);
}

/* FNV-1a by Fowler, Noll and Vo. */
static uint32_t
hash_of(const char *text, size_t length)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

/* How much of the text is kept; no character is cut in the middle. */
static size_t
length_of(const char *text)
{
    size_t length = strnlen(text, MOST_BYTES);

    if (length < MOST_BYTES)
        return length;
    for (length = MOST_BYTES - 1; length > MOST_BYTES - 5; length--)
        if (((unsigned char)text[length] & 0xc0) != 0x80)
            return length;
    return MOST_BYTES - 1;
}

void
load_messages_add(struct load_messages *messages, const char *text)
{
    size_t length = length_of(text);
    uint32_t hash = hash_of(text, length);
    struct entry *entry;

    for (size_t i = 0; i < messages->count; i++) {
        entry = &messages->entries[i];
        if (entry->hash == hash && strncmp(entry->text, text, length) == 0 &&
            entry->text[length] == '\0') {
            entry->message.count++;
            return;
        }
    }
    entry = &messages->entries[messages->count];
    if (messages->count == MOST_TEXTS) {
        entry->message.text = "(other messages)";
        entry->message.count++;
        return;
    }
    memcpy(entry->text, text, length);
    entry->hash = hash;
    entry->message = (struct load_message){ .text = entry->text, .count = 1 };
    messages->count++;
}

void
load_messages_show(struct load_messages *messages, struct load_record *record)
{
    size_t shown = 0;

    for (size_t i = 0; i <= MOST_TEXTS; i++) {
        const struct load_message *message = &messages->entries[i].message;
        size_t at = shown;

        if (message->count == 0)
            continue;
        while (at > 0 && messages->shown[at - 1].count < message->count)
            at--;
        if (at == LOAD_MESSAGES_SHOWN)
            continue;
        if (shown < LOAD_MESSAGES_SHOWN)
            shown++;
        memmove(messages->shown + at + 1, messages->shown + at,
            (shown - at - 1) * sizeof(messages->shown[0]));
        messages->shown[at] = *message;
    }
    record->messages = messages->shown;
    record->message_count = shown;
}
