/* Texts, mostly Russian, written into the text column that is open in a row. */
#pragma once

#include "data/rng.h"
#include "data/row.h"
#include "data/words.h"

const char *prose_pick(struct rng *rng, const struct words *words);

/* Who says it. */
enum prose_voice { VOICE_USER, VOICE_ASSISTANT, VOICE_MANAGER };

/* What a text is about: a topic of topic.h, which chooses the trade and its nouns. */
struct subject {
    uint32_t topic;
    bool is_english;
};

/* A chat message: half of all are shorter than some 80 characters, few reach 2,000. */
void prose_message(
    struct row *row, struct rng *rng, enum prose_voice voice, const struct subject *subject);

/* One sentence: a question of a customer, in Russian. */
void prose_question(struct row *row, struct rng *rng, uint32_t topic);

/* Heading and sentences of a document, about this many characters; now and then in English. */
void prose_document(struct row *row, struct rng *rng, uint32_t topic, uint32_t characters);

/* "Прайс-лист 2026 (2).pdf". */
void prose_file_name(struct row *row, struct rng *rng, bool is_copy);

/* count hexadecimal digits. */
void prose_hex(struct row *row, struct rng *rng, size_t count);

/* A number, written with digits. */
void prose_number(struct row *row, uint64_t number);

/* A C string. */
void prose_add(struct row *row, const char *text);
