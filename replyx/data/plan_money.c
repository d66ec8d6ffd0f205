/* Accounts and what moved on them; promotion and referral codes and their use. */
#include <assert.h>

#include "data/world.h"

#define WELCOME_BONUS 100.0

static const double prices[TRANSACTION_TYPES] = {
    [AI_MESSAGE] = 5,
    [DOCUMENT_UPLOAD] = 10,
    [BOT_MESSAGE] = 5,
};

/* The next movement on an account that has so much. */
static struct transaction
next_transaction(struct rng *rng, double balance, bool is_first)
{
    static const double sums[] = { 300, 500, 500, 1000, 1000, 2000, 5000 };
    struct transaction next = { .before = balance, .type = TOPUP, .amount = WELCOME_BONUS };
    uint32_t dice = rng_below(rng, 10);
    double sum = sums[rng_below(rng, COUNT_OF(sums))];

    if (is_first)
        return next;
    if (balance < 10 || rng_chance(rng, 0.02)) {
        next.amount = sum;
        return next;
    }
    next.type = dice < 6 ? AI_MESSAGE : dice < 9 ? BOT_MESSAGE : DOCUMENT_UPLOAD;
    next.amount = -prices[next.type];
    return next;
}

static void
plan_account(struct world *world, uint32_t user, uint32_t count)
{
    struct account *account = &world->accounts[user];
    struct rng rng = rng_start(world->seed, RNG_TRANSACTION, user);
    int64_t since = world->users[user].created_us;
    double step = (double)(world->now_us - since) / (count + 1);

    account->first = (uint32_t)world->money.count;
    account->updated_us = since;
    for (uint32_t number = 0; number < count; number++) {
        struct transaction *next = &world->transactions[world->money.count];
        double part = number == 0 ? 0 : number + rng_ratio(&rng);

        *next = next_transaction(&rng, account->balance, number == 0);
        account->updated_us = since + (int64_t)(step * part);
        account->balance += next->amount;
        account->topped_up += next->type == TOPUP ? next->amount : 0;
        account->spent -= next->type == TOPUP ? 0 : next->amount;
        world->money.events[world->money.count++] =
            (struct event){ account->updated_us, user, number };
    }
}

static void
plan_accounts(struct arena *arena, struct world *world)
{
    struct share share = {
        .total = world->scale.transactions,
        .none_ratio = 0.15,
        .sigma = 1.1,
        .most = 5000,
    };
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    uint32_t *counts =
        share_out(scratch, &share, world->scale.users, world->seed, RNG_TRANSACTION_SHARE);

    world->transactions = ARENA_ARRAY(arena, struct transaction, world->scale.transactions);
    world->money.events = ARENA_ARRAY(arena, struct event, world->scale.transactions);
    world->accounts = ARENA_ARRAY(arena, struct account, world->scale.users);
    for (uint32_t user = 0; user < world->scale.users; user++)
        plan_account(world, user, counts[user]);
    assert(world->money.count == world->scale.transactions);
    timeline_sort(&world->money);
}

void
money_plan(struct arena *arena, struct world *world)
{
    plan_accounts(arena, world);
    world->promo_uses = ARENA_ARRAY(arena, uint32_t, PROMO_CODES);
    for (uint32_t i = 0; i < promo_usage_count(world); i++)
        world->promo_uses[promo_of(world, i)]++;
    world->referrals = ARENA_ARRAY(arena, uint32_t, world->scale.users / 2 + 1);
    for (uint32_t i = 0; i < referral_count(world); i++)
        world->referrals[referral_code_of(world, i)]++;
}

uint32_t
promo_usage_count(const struct world *world)
{
    return world->scale.users / 20;
}

uint32_t
promo_of(const struct world *world, uint32_t usage)
{
    struct rng rng = rng_start(world->seed, RNG_PROMO_USE, usage);

    return rng_below(&rng, PROMO_CODES);
}

uint32_t
referral_count(const struct world *world)
{
    return world->scale.users / 8;
}

/* Every second user has a code; who was referred is user 8 * referral + 5 and came later. */
uint32_t
referral_code_of(const struct world *world, uint32_t referral)
{
    struct rng rng = rng_start(world->seed, RNG_REFERRAL, referral);

    return rng_below(&rng, 4 * referral + 2);
}
