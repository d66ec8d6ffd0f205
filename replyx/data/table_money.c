/* Accounts, what moved on them, and the tokens that answers cost. */
#include "data/tables.h"

enum { MESSAGES_A_USAGE = 20 };

static uint32_t
count_pool(const struct world *world)
{
    (void)world;
    return POOL_TOKENS;
}

static void
write_pool(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_POOL, index);
    bool has_error = index % 4 == 3;

    write_name(row, "Токен ", index + 1);
    write_token(row, &rng, "test-pool-", index);
    row_text(row, index % 3 == 0 ? "all" : "gpt-4o-mini");
    row_int4(row, 10000);
    row_int4(row, 300000);
    row_int4(row, rng_between(&rng, 0, 9000));
    row_int4(row, rng_between(&rng, 9000, 290000));
    row_int4(row, 1 + (int32_t)index % 3);
    row_bool(row, index != POOL_TOKENS - 1);
    row_int4(row, has_error ? rng_between(&rng, 1, 9) : 0);
    row_time(row, world->now_us - US_PER_DAY);
    row_time(row, world->now_us - 21 * US_PER_DAY);
    row_time(row, world->now_us - rng_between(&rng, 1, 3600) * US_PER_SECOND);
    write_text_or_null(row, &rng, has_error ? "429: превышен лимит запросов" : NULL);
    write_text_or_null(row, &rng, index % 2 == 0 ? "Основной пул" : NULL);
    row_time(row, world->now_us - WORLD_DAYS * US_PER_DAY);
}

static const struct column pool_columns[] = {
    { "id", COLUMN_INT4 },
    { "name", COLUMN_TEXT },
    { "token", COLUMN_TEXT },
    { "model_access", COLUMN_TEXT },
    { "daily_limit", COLUMN_INT4 },
    { "monthly_limit", COLUMN_INT4 },
    { "current_daily_usage", COLUMN_INT4 },
    { "current_monthly_usage", COLUMN_INT4 },
    { "priority", COLUMN_INT4 },
    { "is_active", COLUMN_BOOL },
    { "error_count", COLUMN_INT4 },
    { "last_reset_daily", COLUMN_TIME },
    { "last_reset_monthly", COLUMN_TIME },
    { "last_used", COLUMN_TIME },
    { "last_error", COLUMN_TEXT },
    { "notes", COLUMN_TEXT },
    { "created_at", COLUMN_TIME },
};

const struct table table_ai_token_pool = {
    .name = "ai_token_pool",
    TABLE_COLUMNS(pool_columns),
    .count = count_pool,
    .write = write_pool,
};

static uint32_t
count_usage(const struct world *world)
{
    return world->scale.messages / MESSAGES_A_USAGE;
}

/* The cost of one message in twenty; the others were not kept. */
static void
write_usage(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_USAGE, index);
    uint32_t number = index * MESSAGES_A_USAGE + rng_below(&rng, MESSAGES_A_USAGE);
    const struct event *message = &world->messages.events[number];
    int32_t prompt = rng_between(&rng, 200, 4000);
    int32_t completion = rng_between(&rng, 10, 700);
    bool is_success = rng_chance(&rng, 0.985);

    row_int4(row, rng_between(&rng, 1, POOL_TOKENS));
    row_int4(row, id_of(dialog_owner(world, message->owner)));
    write_int4_or_null(row, &rng, id_of(world->dialogs[message->owner].assistant));
    row_text(row, rng_chance(&rng, 0.85) ? "gpt-4o-mini" : "gpt-4o");
    row_int4(row, prompt);
    row_int4(row, is_success ? completion : 0);
    row_int4(row, is_success ? prompt + completion : prompt);
    row_text(row, rng_chance(&rng, 0.9) ? "chat" : "embedding");
    row_float8(row, 0.3 + 6 * rng_ratio(&rng) * rng_ratio(&rng));
    row_bool(row, is_success);
    if (is_success)
        row_null(row);
    else
        row_text(row, "Превышено время ожидания ответа модели");
    row_time(row, message->us);
}

static const struct column usage_columns[] = {
    { "id", COLUMN_INT4 },
    { "token_id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "assistant_id", COLUMN_INT4 },
    { "model_used", COLUMN_TEXT },
    { "prompt_tokens", COLUMN_INT4 },
    { "completion_tokens", COLUMN_INT4 },
    { "total_tokens", COLUMN_INT4 },
    { "request_type", COLUMN_TEXT },
    { "response_time", COLUMN_FLOAT8 },
    { "success", COLUMN_BOOL },
    { "error_message", COLUMN_TEXT },
    { "created_at", COLUMN_TIME },
};

const struct table table_ai_token_usage = {
    .name = "ai_token_usage",
    TABLE_COLUMNS(usage_columns),
    .count = count_usage,
    .write = write_usage,
};

static uint32_t
count_balances(const struct world *world)
{
    return world->scale.users;
}

static void
write_balance(const struct world *world, uint32_t index, struct row *row)
{
    const struct account *account = &world->accounts[index];

    row_int4(row, id_of(index));
    row_float8(row, account->balance);
    row_float8(row, account->spent);
    row_float8(row, account->topped_up);
    row_time(row, world->users[index].created_us);
    row_time(row, account->updated_us);
}

static const struct column balance_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "balance", COLUMN_FLOAT8 },
    { "total_spent", COLUMN_FLOAT8 },
    { "total_topped_up", COLUMN_FLOAT8 },
    { "created_at", COLUMN_TIME },
    { "updated_at", COLUMN_TIME },
};

const struct table table_user_balances = {
    .name = "user_balances",
    TABLE_COLUMNS(balance_columns),
    .count = count_balances,
    .write = write_balance,
};

static uint32_t
count_transactions(const struct world *world)
{
    return world->scale.transactions;
}

static const char *const transaction_names[] = {
    [TOPUP] = "topup",
    [AI_MESSAGE] = "ai_message",
    [DOCUMENT_UPLOAD] = "document_upload",
    [BOT_MESSAGE] = "bot_message",
};

static const char *const descriptions[] = {
    [TOPUP] = "Пополнение баланса 💳",
    [AI_MESSAGE] = "Ответ ассистента на сайте",
    [DOCUMENT_UPLOAD] = "Загрузка документа",
    [BOT_MESSAGE] = "Ответ Telegram-бота",
};

static void
write_transaction(const struct world *world, uint32_t index, struct row *row)
{
    const struct event *event = &world->money.events[index];
    const struct transaction *transaction =
        &world->transactions[world->accounts[event->owner].first + event->number];
    struct rng rng = rng_start(world->seed, RNG_TRANSACTION_ROW, index);

    row_int4(row, id_of(event->owner));
    row_float8(row, transaction->amount);
    row_text(row, transaction_names[transaction->type]);
    write_text_or_null(row, &rng, descriptions[transaction->type]);
    row_float8(row, transaction->before);
    row_float8(row, transaction->before + transaction->amount);
    if (transaction->type == TOPUP || rng_chance(&rng, NULL_RATIO))
        row_null(row);
    else
        row_int4(row, id_of(rng_below(&rng, world->scale.messages)));
    row_time(row, event->us);
}

static const struct column transaction_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "amount", COLUMN_FLOAT8 },
    { "transaction_type", COLUMN_TEXT },
    { "description", COLUMN_TEXT },
    { "balance_before", COLUMN_FLOAT8 },
    { "balance_after", COLUMN_FLOAT8 },
    { "related_id", COLUMN_INT4 },
    { "created_at", COLUMN_TIME },
};

const struct table table_balance_transactions = {
    .name = "balance_transactions",
    TABLE_COLUMNS(transaction_columns),
    .count = count_transactions,
    .write = write_transaction,
};
