#include <stdlib.h>

#include "base/memory.h"
#include "queries/detect/detect_part.h"

enum { LONGEST_TEXT = 1000 };

static size_t
text_room(const struct traced_value *value)
{
    size_t length = value->text ? strnlen(value->text, LONGEST_TEXT + 1) : LONGEST_TEXT + 1;

    return length > LONGEST_TEXT ? 0 : length + 1;
}

/*
 * One for each step of a trace: it must not come out of memory that only grows. Not calloc(): that of
 * glibc passes by the blocks that a thread has just given back.
 */
static void *
step_memory(size_t size)
{
    void *memory = malloc(size);

    if (!memory)
        memory_exhausted(0);
    return memset(memory, 0, size);
}

static struct step *
step_alloc(size_t count, size_t text_bytes, char **ret_texts)
{
    size_t head = sizeof(struct step) + count * (sizeof(uint64_t) + sizeof(char *));
    char *memory = step_memory(head + text_bytes);
    struct step *step = (struct step *)(void *)memory;

    step->count = (uint32_t)count;
    step->hashes = (uint64_t *)(void *)(memory + sizeof(struct step));
    step->texts = (char **)(void *)(step->hashes + count);
    *ret_texts = memory + head;
    return step;
}

struct step *
step_new(struct known *known, const struct traced_statement *statement, uint64_t place)
{
    size_t count = statement->value_count < MOST_SLOTS ? statement->value_count : MOST_SLOTS;
    size_t bytes = 0;
    char *texts;
    struct step *step;

    for (size_t i = 0; i < count; i++)
        bytes += text_room(&statement->values[i]);
    step = step_alloc(count, bytes, &texts);
    step->users = 1;
    step->known = known;
    step->session = statement->session;
    step->line = statement->line;
    step->place = place;
    step->started_us = statement->started_us;
    step->elapsed_us = statement->elapsed_us;
    step->rows = statement->rows;
    step->has_columns = statement->columns;
    step->params = (uint32_t)statement->param_count;
    step->all = statement->value_count;
    for (size_t i = 0; i < count; i++) {
        size_t room = text_room(&statement->values[i]);

        step->hashes[i] = statement->values[i].hash;
        if (room == 0)
            continue;
        step->texts[i] = memcpy(texts, statement->values[i].text, room);
        texts += room;
    }
    for (size_t i = 0; i < statement->value_count; i++) {
        step->all ^= statement->values[i].hash + UINT64_C(0x9e3779b97f4a7c15) + (step->all << 6) +
                     (step->all >> 2);
        step->all *= UINT64_C(0xd6e8feb86659fd93);
    }
    return step;
}

struct step *
step_use(const struct step *step)
{
    struct step *used = (struct step *)(uintptr_t)step;

    used->users++;
    return used;
}

void
step_free(struct step *step)
{
    if (step && --step->users == 0)
        free(step);
}

uint32_t
step_differ(const struct step *a, const struct step *b)
{
    uint32_t count = a->count < b->count ? a->count : b->count;
    uint32_t most = a->count > b->count ? a->count : b->count;
    uint32_t bits = 0;

    for (uint32_t i = 0; i < most; i++)
        if (i >= count || a->hashes[i] != b->hashes[i])
            bits |= UINT32_C(1) << i;
    /* Values beyond those that are looked at. */
    if (bits == 0 && a->all != b->all && most > 0)
        bits = UINT32_C(1) << (most - 1);
    return bits;
}
