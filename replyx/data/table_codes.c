/* Promotion and referral codes and their use. */
#include "data/tables.h"

enum { USERS_A_CODE = 2, USERS_A_REFERRAL = 8, REFERRED_FIRST = 5 };

#define REFERRAL_BONUS 100.0

static uint32_t
count_promo_codes(const struct world *world)
{
    (void)world;
    return PROMO_CODES;
}

static void
write_promo_code(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_PROMO, index);
    bool is_percent = rng_chance(&rng, 0.6);

    write_name(row, index % 2 == 0 ? "СКИДКА" : "WELCOME", index + 10);
    row_text(row, is_percent ? "percent" : "fixed");
    row_float8(row, is_percent ? 5 * rng_between(&rng, 1, 6) : 50 * rng_between(&rng, 1, 10));
    row_float8(row, rng_chance(&rng, 0.5) ? 0 : 500);
    if (rng_chance(&rng, 0.3))
        row_null(row);
    else
        row_int4(row, (int32_t)world->promo_uses[index] + rng_between(&rng, 0, 500));
    row_int4(row, (int32_t)world->promo_uses[index]);
    row_bool(row, rng_chance(&rng, 0.7));
    if (rng_chance(&rng, 0.3))
        row_null(row);
    else
        row_time(row, world->now_us + rng_between(&rng, -90, 180) * US_PER_DAY);
    write_int4_or_null(row, &rng, 1);
}

static const struct column promo_code_columns[] = {
    { "id", COLUMN_INT4 },
    { "code", COLUMN_TEXT },
    { "type", COLUMN_TEXT },
    { "value", COLUMN_FLOAT8 },
    { "min_amount", COLUMN_FLOAT8 },
    { "max_uses", COLUMN_INT4 },
    { "used_count", COLUMN_INT4 },
    { "is_active", COLUMN_BOOL },
    { "expires_at", COLUMN_TIME },
    { "created_by", COLUMN_INT4 },
};

const struct table table_promo_codes = {
    .name = "promo_codes",
    TABLE_COLUMNS(promo_code_columns),
    .count = count_promo_codes,
    .write = write_promo_code,
};

static void
write_promo_usage(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_PROMO_ROW, index);
    uint32_t user = rng_below(&rng, world->scale.users);
    double before = 100 * rng_between(&rng, 5, 50);
    double discount = 10 * rng_between(&rng, 1, 40);

    row_int4(row, id_of(promo_of(world, index)));
    row_int4(row, id_of(user));
    row_float8(row, before);
    row_float8(row, discount);
    row_float8(row, before - discount);
    row_time(row, world_time_after(world, &rng, world->users[user].created_us, 1));
}

static const struct column promo_usage_columns[] = {
    { "id", COLUMN_INT4 },
    { "promo_code_id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "amount_before", COLUMN_FLOAT8 },
    { "discount_amount", COLUMN_FLOAT8 },
    { "amount_after", COLUMN_FLOAT8 },
    { "used_at", COLUMN_TIME },
};

const struct table table_promo_code_usage = {
    .name = "promo_code_usage",
    TABLE_COLUMNS(promo_usage_columns),
    .count = promo_usage_count,
    .write = write_promo_usage,
};

static uint32_t
count_referral_codes(const struct world *world)
{
    return world->scale.users / USERS_A_CODE;
}

static void
write_referral_code(const struct world *world, uint32_t index, struct row *row)
{
    uint32_t uses = world->referrals[index];

    row_int4(row, id_of(index * USERS_A_CODE));
    write_name(row, "REF", 100000 + index);
    row_int4(row, (int32_t)uses);
    row_float8(row, REFERRAL_BONUS * uses);
}

static const struct column referral_code_columns[] = {
    { "id", COLUMN_INT4 },
    { "user_id", COLUMN_INT4 },
    { "code", COLUMN_TEXT },
    { "referrals_count", COLUMN_INT4 },
    { "total_earned", COLUMN_FLOAT8 },
};

const struct table table_referral_codes = {
    .name = "referral_codes",
    TABLE_COLUMNS(referral_code_columns),
    .count = count_referral_codes,
    .write = write_referral_code,
};

static void
write_referral(const struct world *world, uint32_t index, struct row *row)
{
    struct rng rng = rng_start(world->seed, RNG_REFERRAL_ROW, index);
    uint32_t code = referral_code_of(world, index);
    uint32_t referred = index * USERS_A_REFERRAL + REFERRED_FIRST;
    int64_t created_us = world->users[referred].created_us;
    bool is_confirmed = rng_chance(&rng, 0.8);

    row_int4(row, id_of(code * USERS_A_CODE));
    row_int4(row, id_of(referred));
    row_int4(row, id_of(code));
    row_float8(row, REFERRAL_BONUS);
    row_float8(row, REFERRAL_BONUS / 2);
    row_text(row, is_confirmed ? "confirmed" : "pending");
    row_time(row, created_us);
    if (is_confirmed)
        row_time(row, world_time_after(world, &rng, created_us, 3));
    else
        row_null(row);
}

static const struct column referral_columns[] = {
    { "id", COLUMN_INT4 },
    { "referrer_id", COLUMN_INT4 },
    { "referred_id", COLUMN_INT4 },
    { "referral_code_id", COLUMN_INT4 },
    { "bonus_amount", COLUMN_FLOAT8 },
    { "referred_bonus", COLUMN_FLOAT8 },
    { "status", COLUMN_TEXT },
    { "created_at", COLUMN_TIME },
    { "confirmed_at", COLUMN_TIME },
};

const struct table table_referrals = {
    .name = "referrals",
    TABLE_COLUMNS(referral_columns),
    .count = referral_count,
    .write = write_referral,
};
