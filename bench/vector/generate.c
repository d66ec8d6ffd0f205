/*
 * The rows of the vector benchmark, in PostgreSQL's binary COPY format on standard output: chunks
 * of 1536 dimensions in documents of some ten chunks, each assistant with topics of its own, the
 * assistants' sizes by Zipf's law (s = 1). Questions have the assistant and a chunk they ask about.
 *
 * Text embeddings fill few of their dimensions: a vector here is a point of LATENT dimensions, whose
 * deviations fall by a power law, turned into 1536 by a fixed random matrix, plus a little noise of
 * its own in each. So nearness varies as smoothly as with real ones; bench/vector/README.md
 * compares both.
 *
 * Usage: vector-data chunks|questions ROWS ASSISTANTS [SEED]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "data/prose.h"

enum {
    DOCUMENT_CHUNKS = 10,
    TOPICS_EACH = 3, /* of an assistant */
    CHARACTERS = 400,
    QUESTIONS = 1000,
    LATENT = 384,
};

/* Share of each part in the variance of the point. */
#define SHARE_ALL       0.28F
#define SHARE_TOPIC     0.12F
#define SHARE_ASSISTANT 0.05F
#define SHARE_DOCUMENT  0.11F
#define SHARE_CHUNK     0.44F
#define SHARE_QUESTION  0.20F /* of a question, in the place of a part of the chunk's */

/* Deviation of the noise in each of the 1536 numbers, where the point's own is about 1. */
#define NOISE 0.4F

/* How fast the deviations fall. */
#define FALL 0.35

/* What a random point belongs to; part of its key. */
enum part { PART_ALL = 1, PART_TOPIC, PART_ASSISTANT, PART_DOCUMENT, PART_CHUNK, PART_QUESTION };

struct place {
    uint32_t topic;
    uint32_t assistant;
    uint32_t document;
    uint32_t row;
};

struct data {
    float (*matrix)[LATENT]; /* VECTOR_SIZE rows */
    float deviations[LATENT];
    uint64_t seed;
    uint32_t rows;
    uint32_t assistants;
    uint32_t *first; /* row of each assistant; one more at the end */
};

static const struct column chunk_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "assistant_id", COLUMN_INT4 },
    { "doc_id", COLUMN_INT4 },
    { "chunk_index", COLUMN_INT4 },
    { "chunk_text", COLUMN_TEXT },
    { "embedding", COLUMN_VECTOR },
    { "doc_type", COLUMN_TEXT },
    { "importance", COLUMN_INT4 },
};

static const struct column question_columns[] = {
    { "id", COLUMN_INT4 },
    { "assistant_id", COLUMN_INT4 },
    { "query_text", COLUMN_TEXT },
    { "embedding", COLUMN_VECTOR },
};

static bool
put_stdout(struct ctx *ctx, struct sink *sink, const void *data, size_t length)
{
    (void)sink;
    return fwrite(data, 1, length, stdout) == length ||
           error_set_errno(ctx, "could not write the rows");
}

static void
make_matrix(struct arena *arena, struct data *data)
{
    double sum = 0;

    data->matrix = arena_alloc(arena, sizeof(*data->matrix) * VECTOR_SIZE);
    for (uint32_t i = 0; i < VECTOR_SIZE; i++) {
        struct rng rng = rng_start(data->seed, RNG_NOISE_POOL, i);

        for (size_t j = 0; j < LATENT; j++)
            data->matrix[i][j] = (float)rng_normal(&rng);
    }
    for (size_t j = 0; j < LATENT; j++)
        sum += pow((double)j + 1, -2 * FALL);
    for (size_t j = 0; j < LATENT; j++)
        data->deviations[j] = (float)(pow((double)j + 1, -FALL) / sqrt(sum));
}

static void
add_part(const struct data *data, enum part part, uint64_t key, float share, float *point)
{
    struct rng rng = rng_start(data->seed, RNG_VECTOR, ((uint64_t)part << 44) ^ key);

    for (size_t j = 0; j < LATENT; j++)
        point[j] += sqrtf(share) * data->deviations[j] * (float)rng_normal(&rng);
}

/* From the point to the vector of length 1. */
static void
turn(const struct data *data, const float *point, struct rng *noise, float *ret)
{
    double sum = 0;

    for (size_t i = 0; i < VECTOR_SIZE; i++) {
        float value = NOISE * (float)rng_normal(noise);

        for (size_t j = 0; j < LATENT; j++)
            value += data->matrix[i][j] * point[j];
        ret[i] = value;
        sum += (double)value * (double)value;
    }
    for (size_t i = 0; i < VECTOR_SIZE; i++)
        ret[i] /= (float)sqrt(sum);
}

static void
add_context(const struct data *data, const struct place *place, float *point)
{
    add_part(data, PART_ALL, 0, SHARE_ALL, point);
    add_part(data, PART_TOPIC, place->topic, SHARE_TOPIC, point);
    add_part(data, PART_ASSISTANT, place->assistant, SHARE_ASSISTANT, point);
    add_part(data, PART_DOCUMENT, place->document, SHARE_DOCUMENT, point);
}

static void
chunk_vector(const struct data *data, const struct place *place, float *ret)
{
    struct rng noise = rng_start(data->seed, RNG_CHUNK_TEXT, place->row);
    float point[LATENT] = { 0 };

    add_context(data, place, point);
    add_part(data, PART_CHUNK, place->row, SHARE_CHUNK, point);
    turn(data, point, &noise, ret);
}

static void
question_vector(const struct data *data, const struct place *place, uint32_t number, float *ret)
{
    struct rng noise = rng_start(data->seed, RNG_QUESTION, number);
    float point[LATENT] = { 0 };

    add_context(data, place, point);
    add_part(data, PART_CHUNK, place->row, SHARE_CHUNK - SHARE_QUESTION, point);
    add_part(data, PART_QUESTION, number, SHARE_QUESTION, point);
    turn(data, point, &noise, ret);
}

/* Sizes by Zipf's law, at least one row each. */
static void
share_rows(struct arena *arena, struct data *data)
{
    double sum = 0;
    double reached = 0;

    data->first = ARENA_ARRAY(arena, uint32_t, data->assistants + 1);
    for (uint32_t i = 1; i <= data->assistants; i++)
        sum += 1.0 / i;
    for (uint32_t i = 0; i < data->assistants; i++) {
        data->first[i] = i + (uint32_t)(reached / sum * (data->rows - data->assistants));
        reached += 1.0 / (i + 1);
    }
    data->first[data->assistants] = data->rows;
}

static uint32_t
assistant_of(const struct data *data, uint32_t row)
{
    uint32_t low = 0;
    uint32_t high = data->assistants;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (data->first[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static struct place
place_of(const struct data *data, uint32_t row, uint32_t *ret_assistant)
{
    uint32_t assistant = assistant_of(data, row);
    uint32_t number = (row - data->first[assistant]) / DOCUMENT_CHUNKS;
    struct rng rng = rng_start(data->seed, RNG_DOCUMENT, ((uint64_t)assistant << 24) + number);

    *ret_assistant = assistant;
    return (struct place){
        .topic = assistant * TOPICS_EACH + rng_below(&rng, TOPICS_EACH),
        .assistant = assistant,
        .document = (data->first[assistant] / DOCUMENT_CHUNKS) + assistant + number,
        .row = row,
    };
}

static void
write_chunk(const struct data *data, uint32_t index, struct row *row)
{
    static const char *const types[] = { "faq", "manual", "price", "website", "summary" };
    struct rng rng = rng_start(data->seed, RNG_CHUNK_ROW, index);
    uint32_t assistant;
    struct place place = place_of(data, index, &assistant);
    float vector[VECTOR_SIZE];

    row_int4(row, (int32_t)index + 1);
    row_int4(row, (int32_t)(assistant / 4) + 1);
    row_int4(row, (int32_t)assistant + 1);
    row_int4(row, (int32_t)place.document + 1);
    row_int4(row, (int32_t)((index - data->first[assistant]) % DOCUMENT_CHUNKS));
    row_text_begin(row);
    prose_document(row, &rng, place.topic, CHARACTERS);
    row_text_end(row);
    chunk_vector(data, &place, vector);
    row_vector(row, vector);
    row_text(row, types[rng_below(&rng, COUNT_OF(types))]);
    row_int4(row, rng_between(&rng, 1, 10));
}

/* As many for each size of assistant: an assistant by chance on the scale of its rank's logarithm. */
static void
write_question(const struct data *data, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(data->seed, RNG_CACHE, index);
    uint32_t rank = (uint32_t)pow(data->assistants, rng_ratio(&rng)) - 1;
    uint32_t rows = data->first[rank + 1] - data->first[rank];
    uint32_t assistant;
    struct place place = place_of(data, data->first[rank] + rng_below(&rng, rows), &assistant);
    float vector[VECTOR_SIZE];

    row_int4(row, (int32_t)index + 1);
    row_int4(row, (int32_t)assistant + 1);
    row_text_begin(row);
    prose_question(row, &rng, place.topic);
    row_text_end(row);
    question_vector(data, &place, index, vector);
    row_vector(row, vector);
}

static bool
write_rows(struct ctx *ctx, const struct data *data, bool is_chunks)
{
    struct sink sink = { .put = put_stdout };
    struct row row CLEANUP(row_cleanup) = { 0 };
    uint32_t count = is_chunks ? data->rows : QUESTIONS;

    row_open(ctx->arena, &row, &sink, is_chunks ? chunk_columns : question_columns,
        is_chunks ? COUNT_OF(chunk_columns) : COUNT_OF(question_columns));
    for (uint32_t i = 0; i < count; i++) {
        row_begin(&row);
        (is_chunks ? write_chunk : write_question)(data, i, &row);
        if (!row_end(ctx, &row))
            return false;
    }
    return row_close(ctx, &row) && (fflush(stdout) == 0 || error_set_errno(ctx, "standard output"));
}

int
main(int argc, char **argv)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct data data;
    int64_t rows = 0;
    int64_t assistants = 0;
    int64_t seed = 7;
    bool is_good = argc >= 4 && argc <= 5 && text_to_int64(argv[2], &rows) &&
                   text_to_int64(argv[3], &assistants) &&
                   (argc == 4 || text_to_int64(argv[4], &seed));

    if (!is_good || assistants < 1 || rows < assistants || rows > 100000000) {
        fputs("Usage: vector-data chunks|questions ROWS ASSISTANTS [SEED]\n", stderr);
        return 2;
    }
    data = (struct data){
        .seed = (uint64_t)seed, .rows = (uint32_t)rows, .assistants = (uint32_t)assistants
    };
    make_matrix(arena, &data);
    share_rows(arena, &data);
    if (write_rows(&ctx, &data, text_equal(argv[1], "chunks")))
        return 0;
    fprintf(stderr, "vector-data: %s\n", ctx.error.message);
    return 1;
}
