/* Documents, what was learned from them, their chunks with embeddings, and cached questions. */
#include "base/crypto.h"
#include "data/tables.h"

enum { CHUNKS_A_QUESTION = 20, SHORTEST_CHUNK = 500, LONGEST_CHUNK = 1450 };

static const char *const sources[] = { "document", "confirmed_knowledge", "website" };
enum { SOURCE_DOCUMENT, SOURCE_CONFIRMED, SOURCE_WEBSITE };

/* What follows from the content of a document, and so is the same for its copies. */
struct content {
    size_t source;
    const char *type; /* or NULL */
    struct rng rng;   /* for the rest */
};

static struct content
content_of(const struct world *world, const struct document *document)
{
    static const char *const types[] = { "price", "faq", "instruction", "contract", "catalog",
        "policy" };
    struct rng rng = rng_start(world->seed, RNG_DOCUMENT, document->content);
    uint32_t dice = rng_below(&rng, 100);
    bool is_typed = !rng_chance(&rng, NULL_RATIO);
    const char *type = types[rng_below(&rng, COUNT_OF(types))];

    return (struct content){
        .source = dice < 15   ? SOURCE_WEBSITE
                  : dice < 20 ? SOURCE_CONFIRMED
                              : SOURCE_DOCUMENT,
        .type = is_typed ? type : NULL,
        .rng = rng,
    };
}

static void
write_owner(const struct world *world, const struct document *document, struct row *row)
{
    row_int4(row, id_of(world->assistants[document->assistant].user));
    if (document->is_shared)
        row_null(row);
    else
        row_int4(row, id_of(document->assistant));
}

static void
write_type(struct row *row, const struct content *content)
{
    if (content->type == NULL)
        row_null(row);
    else
        row_text(row, content->type);
}

/* Most things are as important as the default says. */
static int32_t
importance(struct rng *rng)
{
    return rng_chance(rng, 0.4) ? 10 : rng_between(rng, 1, 10);
}

static uint32_t
count_documents(const struct world *world)
{
    return world->document_count;
}

static void
write_document(const struct world *world, uint32_t index, struct row *row)
{
    const struct document *document = &world->documents[index];
    struct content content = content_of(world, document);

    row_int4(row, id_of(world->assistants[document->assistant].user));
    row_text_begin(row);
    if (content.source == SOURCE_WEBSITE) {
        prose_add(row, "https://shop");
        prose_number(row, document->assistant + 1);
        prose_add(row, ".example.com/страница-");
        prose_number(row, document->content + 1);
    } else {
        prose_file_name(row, &content.rng, document->is_copy);
    }
    row_text_end(row);
    row_int4(row, (int32_t)(document->chunks * 1900 + 200 + rng_below(&content.rng, 30000)));
    if (rng_chance(&content.rng, NULL_RATIO)) {
        row_null(row);
    } else {
        row_text_begin(row);
        prose_hex(row, &content.rng, SHA256_HEX_SIZE - 1);
        row_text_end(row);
    }
    row_time(row, document->uploaded_us);
}

static const struct column document_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "filename", COLUMN_TEXT },
    { "size", COLUMN_INT4 },
    { "doc_hash", COLUMN_TEXT },
    { "upload_date", COLUMN_TIME },
};

const struct table table_documents = {
    .name = "documents",
    TABLE_COLUMNS(document_columns),
    .count = count_documents,
    .write = write_document,
};

/* Three pieces of knowledge for every two documents. */
static uint32_t
count_knowledge(const struct world *world)
{
    return world->document_count / 2 * 3;
}

static void
write_knowledge(const struct world *world, uint32_t index, struct row *row)
{
    const struct document *document = &world->documents[index / 3 * 2 + index % 3 / 2];
    struct content content = content_of(world, document);
    struct rng rng = rng_start(world->seed, RNG_KNOWLEDGE, index);
    int64_t created_us = document->uploaded_us + (20 + index % 3) * US_PER_SECOND;
    bool is_used = rng_chance(&rng, 0.6);

    write_owner(world, document, row);
    row_int4(row, id_of((uint32_t)(document - world->documents)));
    row_text_begin(row);
    prose_document(row, &rng, document->topic, 150 + rng_below(&rng, 500));
    row_text_end(row);
    row_text(row, rng_chance(&rng, 0.8) ? "summary" : "facts");
    write_type(row, &content);
    row_int4(row, importance(&rng));
    row_int4(row, is_used ? rng_between(&rng, 1, 300) : 0);
    created_us = world_until_now(world, created_us);
    if (is_used)
        row_time(row, world_time_after(world, &rng, created_us, 0.5));
    else
        row_null(row);
    row_time(row, created_us);
    row_time(row, created_us);
}

static const struct column knowledge_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "assistant_id", COLUMN_INT4 },
    { "doc_id", COLUMN_INT4 },
    { "content", COLUMN_TEXT },
    { "type", COLUMN_TEXT },
    { "doc_type", COLUMN_TEXT },
    { "importance", COLUMN_INT4 },
    { "usage_count", COLUMN_INT4 },
    { "last_used", COLUMN_TIME },
    { "created_at", COLUMN_TIME },
    { "updated_at", COLUMN_TIME },
};

const struct table table_user_knowledge = {
    .name = "user_knowledge",
    TABLE_COLUMNS(knowledge_columns),
    .count = count_knowledge,
    .write = write_knowledge,
};

static uint32_t
count_chunks(const struct world *world)
{
    return world->scale.chunks;
}

static struct topic_place
place_of(const struct document *document, uint32_t number)
{
    return (struct topic_place){
        .topic = document->topic,
        .assistant = document->assistant,
        .document = document->content,
        .chunk = number,
    };
}

/* The hash of the text that was written last. */
static void
write_hash(struct row *row)
{
    row_text(row, sha256_of(row->scratch, row_text_data(row), row_text_length(row)));
}

/* Text, hash and vector, which depend on the content alone; returns the text's bytes. */
static size_t
write_content(
    const struct world *world, const struct document *document, uint32_t index, struct row *row)
{
    uint32_t number = index - document->first_chunk;
    struct topic_place place = place_of(document, number);
    struct rng rng =
        rng_start(world->seed, RNG_CHUNK_TEXT, ((uint64_t)document->content << 16) + number);
    double part = rng_ratio(&rng);
    uint32_t characters =
        SHORTEST_CHUNK + (uint32_t)((LONGEST_CHUNK - SHORTEST_CHUNK) * part * part);
    float vector[VECTOR_SIZE];
    size_t bytes;

    row_text_begin(row);
    prose_document(row, &rng, document->topic, characters);
    row_text_end(row);
    bytes = row_text_length(row);
    if (rng_chance(&rng, NULL_RATIO / 2))
        row_null(row);
    else
        write_hash(row);
    topic_chunk(&world->topics, &place, vector);
    /* One copy in five was embedded by another call, which never gives quite the same. */
    if (document->is_copy && document->first_chunk % 5 == 0)
        topic_jitter(&world->topics, index, vector);
    row_vector(row, vector);
    return bytes;
}

static void
write_chunk(const struct world *world, uint32_t index, struct row *row)
{
    const struct document *document = &world->documents[world->chunk_documents[index]];
    struct content content = content_of(world, document);
    struct rng rng = rng_start(world->seed, RNG_CHUNK_ROW, index);
    uint32_t number = index - document->first_chunk;
    int64_t created_us = world_until_now(
        world, document->uploaded_us + 30 * US_PER_SECOND + number * US_PER_SECOND / 5);
    size_t bytes;

    write_owner(world, document, row);
    row_int4(row, id_of(world->chunk_documents[index]));
    row_int4(row, (int32_t)number);
    bytes = write_content(world, document, index, row);
    write_type(row, &content);
    row_int4(row, importance(&rng));
    write_int4_or_null(row, &rng, (int32_t)(bytes / 5));
    write_text_or_null(row, &rng, sources[content.source]);
    row_time(row, created_us);
    row_time(row, created_us);
}

static const struct column chunk_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "assistant_id", COLUMN_INT4 },
    { "doc_id", COLUMN_INT4 },
    { "chunk_index", COLUMN_INT4 },
    { "chunk_text", COLUMN_TEXT },
    { "chunk_hash", COLUMN_TEXT },
    { "embedding", COLUMN_VECTOR },
    { "doc_type", COLUMN_TEXT },
    { "importance", COLUMN_INT4 },
    { "token_count", COLUMN_INT4 },
    { "source", COLUMN_TEXT },
    { "created_at", COLUMN_TIME },
    { "updated_at", COLUMN_TIME },
};

const struct table table_knowledge_embeddings = {
    .name = "knowledge_embeddings",
    TABLE_COLUMNS(chunk_columns),
    .count = count_chunks,
    .write = write_chunk,
};

static uint32_t
count_questions(const struct world *world)
{
    return world->scale.chunks / CHUNKS_A_QUESTION;
}

/* A question that some chunk answers; its number in the cache makes its text the only one. */
static void
write_question(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_CACHE, index);
    uint32_t chunk = rng_below(&rng, world->scale.chunks);
    const struct document *document = &world->documents[world->chunk_documents[chunk]];
    struct topic_place place = place_of(document, chunk - document->first_chunk);
    int64_t step = WORLD_DAYS * US_PER_DAY / (count_questions(world) + 1);
    int64_t created_us = world->now_us - WORLD_DAYS * US_PER_DAY + step * index +
                         (int64_t)((double)step * rng_ratio(&rng));
    float vector[VECTOR_SIZE];

    row_text_begin(row);
    prose_question(row, &rng, document->topic);
    prose_add(row, " Обращение ");
    prose_number(row, 10001 + index);
    row_text_end(row);
    write_hash(row);
    topic_question(&world->topics, &place, index, vector);
    row_vector(row, vector);
    row_int4(row, rng_chance(&rng, 0.7) ? 1 : rng_between(&rng, 2, 80));
    row_time(row, created_us);
    row_time(row, world_time_after(world, &rng, created_us, 2));
}

static const struct column question_columns[] = {
    { "id", COLUMN_INT4 },
    { "query_text", COLUMN_TEXT },
    { "query_hash", COLUMN_TEXT },
    { "embedding", COLUMN_VECTOR },
    { "usage_count", COLUMN_INT4 },
    { "created_at", COLUMN_TIME },
    { "last_used", COLUMN_TIME },
};

const struct table table_query_embeddings_cache = {
    .name = "query_embeddings_cache",
    TABLE_COLUMNS(question_columns),
    .count = count_questions,
    .write = write_question,
};
