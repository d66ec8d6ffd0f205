/*
 * Embeddings that are near each other when their texts are about the same: a vector is the
 * normalised sum of what all texts share and of the topic, the assistant, the document, the section
 * (four neighbouring chunks) and the chunk itself. Two chunks have a cosine of about 0.1 across
 * topics, 0.3 within a topic, 0.55 within a document, 0.65 within a section.
 */
#pragma once

#include "data/rng.h"
#include "data/row.h"

struct topics {
    const float *pool; /* normal numbers; a slice from anywhere is a random direction */
    uint64_t seed;
    uint32_t count;
};

/* Where a chunk stands in the order of things. */
struct topic_place {
    uint32_t topic; /* below topics.count */
    uint32_t assistant;
    uint32_t document;
    uint32_t chunk; /* within its document */
};

void topics_make(struct arena *arena, uint64_t seed, uint32_t count, struct topics *ret);

/* The vector of a chunk, of length 1. The same place gives the same vector. */
void topic_chunk(const struct topics *topics, const struct topic_place *place, float *ret);

/* The vector of a question that this chunk answers; short texts say less, so it is farther off. */
void topic_question(
    const struct topics *topics, const struct topic_place *place, uint64_t question, float *ret);

/* Moves a vector a little, as when the same text is embedded once more. */
void topic_jitter(const struct topics *topics, uint64_t key, float *values);
