/* Operators, features switched on, and keys for what lies outside. */
#include "data/tables.h"

enum { USERS_A_FEATURE = 20, ASSISTANTS_A_WIDGET = 10, USERS_AN_OPENAI_KEY = 100 };

static void
write_presence(const struct world *world, uint32_t index, struct row *row)
{
    static const char *const statuses[] = { "offline", "offline", "online", "away" };
    uint32_t user = world_operator(world, index);
    struct rng rng = rng_start(world->seed, RNG_OPERATOR, index);
    uint32_t status = rng_below(&rng, COUNT_OF(statuses));
    int64_t seen_us = world->now_us - rng_between(&rng, 1, 40) * US_PER_SECOND;

    row_int4(row, id_of(user));
    row_text(row, statuses[status]);
    if (rng_chance(&rng, NULL_RATIO))
        row_null(row);
    else
        row_time(row, status < 2 ? world->users[user].active_us : seen_us);
    row_int4(row, 3);
    row_int4(row, rng_chance(&rng, 0.8) ? 5 : 10);
    row_int4(row, status < 2 ? 0 : rng_between(&rng, 0, 3));
    row_time(row, world->users[user].created_us);
    row_time(row, status < 2 ? world->users[user].active_us : seen_us);
}

static const struct column presence_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "status", COLUMN_TEXT },
    { "last_heartbeat", COLUMN_TIME },
    { "max_active_chats_web", COLUMN_INT4 },
    { "max_active_chats_telegram", COLUMN_INT4 },
    { "active_chats", COLUMN_INT4 },
    { "created_at", COLUMN_TIME },
    { "updated_at", COLUMN_TIME },
};

const struct table table_operator_presence = {
    .name = "operator_presence",
    TABLE_COLUMNS(presence_columns),
    .count = world_operator_count,
    .write = write_presence,
};

static uint32_t
count_features(const struct world *world)
{
    return world->scale.users / USERS_A_FEATURE;
}

static void
write_feature(const struct world *world, uint32_t index, struct row *row)
{
    static const char *const features[] = { "operator_handoff", "white_label", "analytics",
        "api_access" };
    uint32_t user = index * USERS_A_FEATURE + 3;
    struct rng rng = rng_start(world->seed, RNG_FEATURE, index);

    row_int4(row, id_of(user));
    row_text(row, features[rng_below(&rng, COUNT_OF(features))]);
    row_bool(row, rng_chance(&rng, 0.7));
    row_time(row, world_time_after(world, &rng, world->users[user].created_us, 1));
}

static const struct column feature_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "feature", COLUMN_TEXT },
    { "is_enabled", COLUMN_BOOL },
    { "created_at", COLUMN_TIME },
};

const struct table table_organization_features = {
    .name = "organization_features",
    TABLE_COLUMNS(feature_columns),
    .count = count_features,
    .write = write_feature,
};

static uint32_t
count_widgets(const struct world *world)
{
    return world->scale.assistants / ASSISTANTS_A_WIDGET;
}

static void
write_widget(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_WIDGET, index);
    uint32_t number = index * ASSISTANTS_A_WIDGET + rng_below(&rng, ASSISTANTS_A_WIDGET);
    const struct assistant *assistant = &world->assistants[number];

    row_int4(row, id_of(assistant->user));
    write_int4_or_null(row, &rng, id_of(number));
    write_token(row, &rng, "test-widget-", index);
    row_text(row, rng_chance(&rng, 0.9) ? "website" : "crm");
    row_bool(row, rng_chance(&rng, 0.9));
    row_time(row, world_time_after(world, &rng, assistant->created_us, 2));
}

static const struct column widget_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "assistant_id", COLUMN_INT4 },
    { "token", COLUMN_TEXT },
    { "integration_type", COLUMN_TEXT },
    { "is_active", COLUMN_BOOL },
    { "created_at", COLUMN_TIME },
};

const struct table table_integration_tokens = {
    .name = "integration_tokens",
    TABLE_COLUMNS(widget_columns),
    .count = count_widgets,
    .write = write_widget,
};

static uint32_t
count_telegram(const struct world *world)
{
    return world->scale.bots;
}

static void
write_telegram(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_TELEGRAM, index);
    uint32_t user = rng_below(&rng, world->scale.users);

    row_int4(row, id_of(user));
    write_token(row, &rng, "test-telegram-", index);
    if (rng_chance(&rng, NULL_RATIO))
        row_null(row);
    else
        write_name(row, "replyx_test_bot_", index + 1);
    row_bool(row, rng_chance(&rng, 0.95));
    row_time(row, world_time_after(world, &rng, world->users[user].created_us, 2));
}

static const struct column telegram_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "token", COLUMN_TEXT },
    { "bot_username", COLUMN_TEXT },
    { "is_active", COLUMN_BOOL },
    { "created_at", COLUMN_TIME },
};

const struct table table_telegram_tokens = {
    .name = "telegram_tokens",
    TABLE_COLUMNS(telegram_columns),
    .count = count_telegram,
    .write = write_telegram,
};

static uint32_t
count_openai(const struct world *world)
{
    return world->scale.users / USERS_AN_OPENAI_KEY;
}

static void
write_openai(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_OPENAI, index);
    uint32_t user = index * USERS_AN_OPENAI_KEY + rng_below(&rng, USERS_AN_OPENAI_KEY);

    row_int4(row, id_of(user));
    write_token(row, &rng, "test-key-", index);
    row_bool(row, rng_chance(&rng, 0.9));
    row_time(row, world_time_after(world, &rng, world->users[user].created_us, 2));
}

static const struct column openai_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "token", COLUMN_TEXT },
    { "is_active", COLUMN_BOOL },
    { "created_at", COLUMN_TIME },
};

const struct table table_openai_tokens = {
    .name = "openai_tokens",
    TABLE_COLUMNS(openai_columns),
    .count = count_openai,
    .write = write_openai,
};
