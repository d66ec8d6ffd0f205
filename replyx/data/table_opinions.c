/* What people thought of dialogs and answers, and what assistants are taught with. */
#include "data/tables.h"

enum {
    DIALOGS_A_RATING = 20,
    MESSAGES_A_RATING = 200,
    DIALOGS_A_FEEDBACK = 50,
    ASSISTANTS_A_DATASET = 50,
    EXAMPLES_A_DATASET = 20,
    ASSISTANTS_A_PATTERN = 10,
};

static const char *const comments[] = {
    "Спасибо, помогли быстро!",
    "Долго ждал ответа 😕",
    "Бот не понял вопрос",
    "Всё отлично 👍",
    "Нормально",
    "Great support!",
    "Хотелось бы живого человека",
};

static const char *
comment(struct rng *rng)
{
    return rng_chance(rng, 0.4) ? comments[rng_below(rng, COUNT_OF(comments))] : NULL;
}

/* One to five, more good than bad. */
static int32_t
stars(struct rng *rng)
{
    static const int32_t given[] = { 1, 2, 3, 4, 4, 5, 5, 5, 5 };

    return given[rng_below(rng, COUNT_OF(given))];
}

static uint32_t
count_dialog_ratings(const struct world *world)
{
    return world->scale.dialogs / DIALOGS_A_RATING;
}

static void
write_dialog_rating(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_DIALOG_RATING, index);
    uint32_t dialog = index * DIALOGS_A_RATING + rng_below(&rng, DIALOGS_A_RATING);

    row_int4(row, id_of(dialog));
    row_int4(row, stars(&rng));
    row_text(row, rng_chance(&rng, 0.7) ? "assistant" : "operator");
    write_text_or_null(row, &rng, comment(&rng));
    row_text(row, rng_chance(&rng, 0.9) ? "customer" : "manager");
    row_time(row, world_until_now(world,
                      world->dialogs[dialog].last_us + rng_between(&rng, 5, 900) * US_PER_SECOND));
}

static const struct column dialog_rating_columns[] = {
    { "id", COLUMN_INT4 },
    { "dialog_id", COLUMN_INT4 },
    { "rating", COLUMN_INT4 },
    { "rating_type", COLUMN_TEXT },
    { "comment", COLUMN_TEXT },
    { "rated_by", COLUMN_TEXT },
    { "created_at", COLUMN_TIME },
};

const struct table table_dialog_ratings = {
    .name = "dialog_ratings",
    TABLE_COLUMNS(dialog_rating_columns),
    .count = count_dialog_ratings,
    .write = write_dialog_rating,
};

static uint32_t
count_message_ratings(const struct world *world)
{
    return world->scale.messages / MESSAGES_A_RATING;
}

static void
write_message_rating(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_MESSAGE_RATING, index);
    uint32_t number = index * MESSAGES_A_RATING + rng_below(&rng, MESSAGES_A_RATING);
    const struct event *message = &world->messages.events[number];
    bool is_good = rng_chance(&rng, 0.75);

    row_int4(row, id_of(message->owner));
    row_int4(row, id_of(number));
    row_int4(row, is_good ? 1 : 0);
    row_text(row, is_good ? "like" : "dislike");
    write_text_or_null(row, &rng, comment(&rng));
    if (rng_chance(&rng, 0.4))
        row_null(row);
    else
        write_name(row, is_good ? "rate:like:" : "rate:dislike:", number + 1);
    row_time(row, world_until_now(world, message->us + rng_between(&rng, 3, 600) * US_PER_SECOND));
}

static const struct column message_rating_columns[] = {
    { "id", COLUMN_INT4 },
    { "dialog_id", COLUMN_INT4 },
    { "message_id", COLUMN_INT4 },
    { "rating", COLUMN_INT4 },
    { "rating_type", COLUMN_TEXT },
    { "comment", COLUMN_TEXT },
    { "telegram_callback_data", COLUMN_TEXT },
    { "created_at", COLUMN_TIME },
};

const struct table table_message_ratings = {
    .name = "message_ratings",
    TABLE_COLUMNS(message_rating_columns),
    .count = count_message_ratings,
    .write = write_message_rating,
};

static uint32_t
count_feedback(const struct world *world)
{
    return world->scale.dialogs / DIALOGS_A_FEEDBACK;
}

static void
write_feedback(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_FEEDBACK, index);
    uint32_t dialog = index * DIALOGS_A_FEEDBACK + rng_below(&rng, DIALOGS_A_FEEDBACK);

    row_int4(row, id_of(dialog));
    write_int4_or_null(row, &rng, id_of(dialog_owner(world, dialog)));
    row_int4(row, stars(&rng));
    write_text_or_null(row, &rng, comment(&rng));
    row_time(row, world_until_now(world,
                      world->dialogs[dialog].last_us + rng_between(&rng, 1, 30) * US_PER_DAY / 10));
}

static const struct column feedback_columns[] = {
    { "id", COLUMN_INT4 },
    { "dialog_id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "score", COLUMN_INT4 },
    { "comment", COLUMN_TEXT },
    { "created_at", COLUMN_TIME },
};

const struct table table_dialog_feedback = {
    .name = "dialog_feedback",
    TABLE_COLUMNS(feedback_columns),
    .count = count_feedback,
    .write = write_feedback,
};

static uint32_t
count_datasets(const struct world *world)
{
    return world->scale.assistants / ASSISTANTS_A_DATASET;
}

static uint32_t
assistant_of_dataset(const struct world *world, uint32_t dataset)
{
    struct rng rng = rng_start(world->seed, RNG_DATASET, dataset);

    return dataset * ASSISTANTS_A_DATASET + rng_below(&rng, ASSISTANTS_A_DATASET);
}

static int64_t
time_of_dataset(const struct world *world, uint32_t dataset)
{
    struct rng rng = rng_start(world->seed, RNG_DATASET_TIME, dataset);
    uint32_t assistant = assistant_of_dataset(world, dataset);

    return world_time_after(world, &rng, world->assistants[assistant].created_us, 1);
}

static void
write_dataset(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_DATASET_ROW, index);
    uint32_t assistant = assistant_of_dataset(world, index);

    row_int4(row, id_of(world->assistants[assistant].user));
    write_int4_or_null(row, &rng, id_of(assistant));
    write_name(row, "Набор примеров ", index + 1);
    write_text_or_null(row, &rng, "Собран из диалогов, проверен вручную");
    row_time(row, time_of_dataset(world, index));
}

static const struct column dataset_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "assistant_id", COLUMN_INT4 },
    { "name", COLUMN_TEXT },
    { "description", COLUMN_TEXT },
    { "created_at", COLUMN_TIME },
};

const struct table table_training_datasets = {
    .name = "training_datasets",
    TABLE_COLUMNS(dataset_columns),
    .count = count_datasets,
    .write = write_dataset,
};

static uint32_t
count_examples(const struct world *world)
{
    return count_datasets(world) * EXAMPLES_A_DATASET;
}

/* A customer's message and an answer of an assistant about this. */
static void
write_exchange(struct row *row, struct rng *rng, uint32_t topic)
{
    row_text_begin(row);
    prose_question(row, rng, topic);
    row_text_end(row);
    row_text_begin(row);
    prose_message(row, rng, VOICE_ASSISTANT, &(struct subject){ .topic = topic });
    row_text_end(row);
}

static void
write_example(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_EXAMPLE, index);
    uint32_t dataset = index / EXAMPLES_A_DATASET;
    uint32_t assistant = assistant_of_dataset(world, dataset);

    row_int4(row, id_of(dataset));
    if (rng_chance(&rng, 0.3))
        row_null(row);
    else
        row_int4(row, id_of(rng_below(&rng, world->scale.dialogs)));
    write_exchange(row, &rng, world->assistants[assistant].topics[0]);
    row_time(row, world_until_now(world, time_of_dataset(world, dataset) + index * US_PER_SECOND));
}

static const struct column example_columns[] = {
    { "id", COLUMN_INT4 },
    { "dataset_id", COLUMN_INT4 },
    { "dialog_id", COLUMN_INT4 },
    { "question", COLUMN_TEXT },
    { "answer", COLUMN_TEXT },
    { "created_at", COLUMN_TIME },
};

const struct table table_training_examples = {
    .name = "training_examples",
    TABLE_COLUMNS(example_columns),
    .count = count_examples,
    .write = write_example,
};

static uint32_t
count_patterns(const struct world *world)
{
    return world->scale.assistants / ASSISTANTS_A_PATTERN;
}

static void
write_pattern(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_PATTERN, index);
    uint32_t number = index * ASSISTANTS_A_PATTERN + rng_below(&rng, ASSISTANTS_A_PATTERN);
    const struct assistant *assistant = &world->assistants[number];

    row_int4(row, id_of(assistant->user));
    write_exchange(row, &rng, assistant->topics[0]);
    row_int4(row, rng_between(&rng, 1, 60));
    row_time(row, world_time_after(world, &rng, assistant->created_us, 1));
}

static const struct column pattern_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "pattern", COLUMN_TEXT },
    { "response", COLUMN_TEXT },
    { "frequency", COLUMN_INT4 },
    { "created_at", COLUMN_TIME },
};

const struct table table_conversation_patterns = {
    .name = "conversation_patterns",
    TABLE_COLUMNS(pattern_columns),
    .count = count_patterns,
    .write = write_pattern,
};
