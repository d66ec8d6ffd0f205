#include <ctype.h>
#include <stdlib.h>

#include "db/ident.h"
#include "queries/detect/tally_part.h"

static bool
is_number(const char *text)
{
    size_t digits = 0;

    text += *text == '-';
    for (; isdigit((unsigned char)*text) || *text == '.'; text++)
        digits += *text != '.';
    return *text == '\0' && digits > 0 && digits < 19;
}

/* The statement with its values in it; NULL when one of them was not kept. */
const char *
detected_statement_text(struct arena *arena, const char *template, const char *const *texts,
    const uint64_t *hashes, size_t count)
{
    struct buffer buffer = { .arena = arena };

    for (const char *at = template; *at;) {
        char *end;
        unsigned long number =
            *at == '$' && isdigit((unsigned char)at[1]) ? strtoul(at + 1, &end, 10) : 0;

        if (number == 0) {
            buffer_append(&buffer, at++, 1);
            continue;
        }
        if (number > count || (!texts[number - 1] && hashes[number - 1] != 0))
            return NULL;
        if (!texts[number - 1])
            buffer_add(&buffer, "NULL");
        else if (is_number(texts[number - 1]))
            buffer_add(&buffer, texts[number - 1]);
        else
            buffer_add(&buffer, db_literal(arena, texts[number - 1]));
        at = end;
    }
    return buffer_text(&buffer);
}

static bool
has_texts(const struct step *step)
{
    for (size_t i = 0; i < step->count; i++)
        if (!step->texts[i] && step->hashes[i] != 0)
            return false;
    return true;
}

static const char **
copy_texts(struct arena *arena, const struct step *step)
{
    const char **texts = ARENA_ARRAY(arena, const char *, step->count + 1);

    for (size_t i = 0; i < step->count; i++)
        texts[i] = step->texts[i] ? arena_strdup(arena, step->texts[i]) : NULL;
    return texts;
}

static void
keep_keys(struct arena *arena, struct sample *sample, const struct sighting *sighting, size_t child)
{
    const struct sighted_child *from = &sighting->children[child];

    for (size_t slot = 0; slot < from->first->count; slot++) {
        struct sample_keys *keys = &sample->keys[sample->key_count];

        if (from->origins[slot] != SLOT_VARIES)
            continue;
        *keys = (struct sample_keys){ .child = child, .slot = slot };
        keys->values = ARENA_ARRAY(arena, const char *, SAMPLE_KEYS);
        for (size_t i = 0; i < sighting->member_count && keys->count < SAMPLE_KEYS; i++) {
            const struct step *step = sighting->members[i];

            if (step->known == from->known && slot < step->count)
                keys->values[keys->count++] =
                    step->texts[slot] ? arena_strdup(arena, step->texts[slot]) : NULL;
        }
        sample->key_count++;
    }
}

void
detected_keep_sample(struct tally *tally, struct entry *entry, const struct sighting *sighting)
{
    struct sample *sample = &entry->samples[entry->sample_count];

    if (entry->sample_count == SAMPLES_EACH || sighting->kind != FOUND_LOOP ||
        sighting->before_count == 0 || sighting->member_count == 0)
        return;
    *sample = (struct sample){ 0 };
    for (size_t i = 0; i < sighting->member_count; i++)
        if (!has_texts(sighting->members[i]))
            return;
    for (size_t i = 0; i < sighting->before_count; i++) {
        const struct step *step = sighting->before[i];

        if (step->has_columns || !has_texts(step))
            continue;
        sample->before[sample->before_count++] = (struct sample_statement){
            .fingerprint = step->known->template->fingerprint,
            .text = step->known->template->text,
            .values = copy_texts(tally->arena, step),
            .value_count = step->count,
            .is_volatile = step->known->template->is_volatile,
            .rank = i + 1,
        };
    }
    if (sample->before_count == 0)
        return;
    sample->keys =
        ARENA_ARRAY(tally->arena, struct sample_keys, MOST_CHILDREN * (size_t)MOST_SLOTS);
    for (size_t i = 0; i < sighting->child_count; i++)
        keep_keys(tally->arena, sample, sighting, i);
    entry->sample_count++;
}
