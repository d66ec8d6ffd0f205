/* Users, their assistants and bots, operators, and the keys they use elsewhere. */
#include "data/tables.h"

/* Hashes (bcrypt, cost 10) of the password "replyx", which every user has. */
static const char *const password_hashes[] = {
    "$2b$10$OlMxS/HWrn5MMykJN4sWRu5fsTRtOcSyPPKgkucaCfV2HjEC4JKPm",
    "$2b$10$1XwiUzlRTykvTXCCnCIa5.iLCPaPcGfnGuc0oNjtXv7uap6VMyi6y",
    "$2b$10$lrrkqKL3Ip/ccLhguyquee6YAhj2ufMiERu3YTc9OZYKg2vBBFA8m",
    "$2b$10$lWpl/TQFgV929/F2pIVcYeAjYSfF7CK2OKc.cFo2s9HGyeP59iw.W",
};

static uint32_t
count_users(const struct world *world)
{
    return world->scale.users;
}

static void
write_email(struct row *row, struct rng *rng, uint32_t index)
{
    row_text_begin(row);
    prose_add(row, prose_pick(rng, &words_latin_first));
    prose_add(row, ".");
    prose_add(row, prose_pick(rng, &words_latin_last));
    prose_add(row, ".");
    prose_number(row, index + 1);
    prose_add(row, rng_chance(rng, 0.5) ? "@example.com" : "@mail.example.org");
    row_text_end(row);
}

static const char *
role_of(uint32_t index)
{
    if (index == 0)
        return "admin";
    return index % OPERATOR_EVERY == OPERATOR_FIRST ? "operator" : "user";
}

static void
write_onboarding(const struct user *user, struct row *row, struct rng *rng)
{
    bool is_completed = rng_chance(rng, 0.7);
    bool is_skipped = !is_completed && rng_chance(rng, 0.5);

    row_bool(row, is_completed);
    row_int4(row, is_completed ? 5 : rng_between(rng, 0, 4));
    row_time(row, user->created_us + rng_between(rng, 5, 120) * US_PER_SECOND);
    if (is_completed)
        row_time(row, user->created_us + rng_between(rng, 200, 3000) * US_PER_SECOND);
    else
        row_null(row);
    row_bool(row, is_skipped);
    row_bool(row, user->assistants > 0);
    row_bool(row, user->active_us > user->created_us);
    write_text_or_null(row, rng, is_skipped ? NULL : "[\"welcome\", \"knowledge\", \"telegram\"]");
}

static void
write_confirmation(const struct user *user, struct row *row, struct rng *rng)
{
    bool is_confirmed = rng_chance(rng, 0.93);
    bool has_reset = rng_chance(rng, 0.02);

    row_bool(row, is_confirmed);
    if (is_confirmed)
        row_null(row);
    else
        write_name(row, "", 100000 + rng_below(rng, 900000));
    if (!has_reset) {
        row_null(row);
        row_null(row);
        return;
    }
    row_text_begin(row);
    prose_hex(row, rng, 32);
    row_text_end(row);
    row_time(row, user->active_us + 3600 * US_PER_SECOND);
}

static void
write_user(const struct world *world, uint32_t index, struct row *row)
{
    const struct user *user = &world->users[index];
    struct rng rng = rng_start(world->seed, RNG_USER, index);

    write_email(row, &rng, index);
    row_text(row, password_hashes[rng_below(&rng, COUNT_OF(password_hashes))]);
    row_text(row, role_of(index));
    row_text(row, rng_chance(&rng, 0.97) ? "active" : "blocked");
    write_text_or_null(row, &rng, prose_pick(&rng, &words_first_name));
    if (rng_chance(&rng, 0.1))
        write_name(row, "", UINT64_C(100000000) + index * UINT64_C(7919));
    else
        row_null(row);
    write_confirmation(user, row, &rng);
    write_onboarding(user, row, &rng);
    row_bool(row, rng_chance(&rng, 0.85));
    row_time(row, user->created_us);
    row_time(row, user->active_us);
}

static const struct column user_columns[] = {
    { "id", COLUMN_INT4 },
    { "email", COLUMN_TEXT },
    { "hashed_password", COLUMN_TEXT },
    { "role", COLUMN_TEXT },
    { "status", COLUMN_TEXT },
    { "first_name", COLUMN_TEXT },
    { "yandex_id", COLUMN_TEXT },
    { "is_email_confirmed", COLUMN_BOOL },
    { "email_confirmation_code", COLUMN_TEXT },
    { "password_reset_token", COLUMN_TEXT },
    { "password_reset_expires", COLUMN_TIME },
    { "onboarding_completed", COLUMN_BOOL },
    { "onboarding_step", COLUMN_INT4 },
    { "onboarding_started_at", COLUMN_TIME },
    { "onboarding_completed_at", COLUMN_TIME },
    { "onboarding_skipped", COLUMN_BOOL },
    { "first_bot_created", COLUMN_BOOL },
    { "first_message_sent", COLUMN_BOOL },
    { "tutorial_tips_shown", COLUMN_TEXT },
    { "welcome_bonus_received", COLUMN_BOOL },
    { "created_at", COLUMN_TIME },
    { "last_activity", COLUMN_TIME },
};

const struct table table_users = {
    .name = "users",
    TABLE_COLUMNS(user_columns),
    .count = count_users,
    .write = write_user,
};

static uint32_t
count_assistants(const struct world *world)
{
    return world->scale.assistants;
}

static void
write_prompt(struct row *row, const struct trade *trade)
{
    row_text_begin(row);
    prose_add(row, "Ты — вежливый ассистент компании. Сфера: ");
    prose_add(row, trade->name);
    prose_add(row,
        ". Отвечай кратко, по-русски, только по базе знаний; если ответа нет, "
        "предложи позвать оператора. Не обещай скидок 🙂");
    row_text_end(row);
}

static void
write_assistant(const struct world *world, uint32_t index, struct row *row)
{
    static const char *const models[] = { "gpt-4o-mini", "gpt-4o-mini", "gpt-4o-mini", "gpt-4o",
        "gpt-4.1-mini" };
    const struct assistant *assistant = &world->assistants[index];
    const struct trade *trade = &trades[assistant->topics[0] % TRADE_COUNT];
    struct rng rng = rng_start(world->seed, RNG_ASSISTANT, index);
    bool is_named = rng_chance(&rng, 0.8);

    row_int4(row, id_of(assistant->user));
    row_text_begin(row);
    prose_add(row, is_named ? trade->name : "AI-ассистент");
    if (is_named && rng_chance(&rng, 0.4)) {
        prose_add(row, " ");
        prose_add(row, prose_pick(&rng, &words_emoji));
    }
    row_text_end(row);
    row_text(row, models[rng_below(&rng, COUNT_OF(models))]);
    write_prompt(row, trade);
    row_bool(row, assistant->is_active);
    row_bool(row, rng_chance(&rng, 0.4));
    row_int4(row, rng_between(&rng, 1, 20));
    row_int4(row, rng_between(&rng, 1, 4));
    row_time(row, assistant->created_us);
    row_time(row, world_time_after(world, &rng, assistant->created_us, 2));
}

static const struct column assistant_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "name", COLUMN_TEXT },
    { "ai_model", COLUMN_TEXT },
    { "system_prompt", COLUMN_TEXT },
    { "is_active", COLUMN_BOOL },
    { "website_integration_enabled", COLUMN_BOOL },
    { "knowledge_version", COLUMN_INT4 },
    { "widget_version", COLUMN_INT4 },
    { "created_at", COLUMN_TIME },
    { "updated_at", COLUMN_TIME },
};

const struct table table_assistants = {
    .name = "assistants",
    TABLE_COLUMNS(assistant_columns),
    .count = count_assistants,
    .write = write_assistant,
};

static uint32_t
count_bots(const struct world *world)
{
    return world->scale.bots;
}

/* The bots are spread over the assistants, at most one an assistant. */
static uint32_t
assistant_of_bot(const struct world *world, uint32_t bot, struct rng *rng)
{
    uint32_t step = world->scale.assistants / world->scale.bots;

    return bot * step + rng_below(rng, step);
}

static void
write_bot(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_BOT, index);
    uint32_t number = assistant_of_bot(world, index, &rng);
    const struct assistant *assistant = &world->assistants[number];

    row_int4(row, id_of(assistant->user));
    row_int4(row, id_of(number));
    row_text(row, "telegram");
    if (rng_chance(&rng, NULL_RATIO))
        row_null(row);
    else
        write_token(row, &rng, "test-bot-", index);
    row_bool(row, assistant->is_active && rng_chance(&rng, 0.97));
    row_time(row, world_time_after(world, &rng, assistant->created_us, 4));
}

static const struct column bot_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "assistant_id", COLUMN_INT4 },
    { "platform", COLUMN_TEXT },
    { "bot_token", COLUMN_TEXT },
    { "is_active", COLUMN_BOOL },
    { "created_at", COLUMN_TIME },
};

const struct table table_bot_instances = {
    .name = "bot_instances",
    TABLE_COLUMNS(bot_columns),
    .count = count_bots,
    .write = write_bot,
};
