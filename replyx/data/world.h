/*
 * The world that the rows describe: who owns what, how much of it, and when. It is made once, from
 * seed, scale and date; each row is then written from it without looking at other rows. All times
 * are microseconds since 2000-01-01 UTC; owners are rows from 0, so their id is one more.
 */
#pragma once

#include "data/timeline.h"
#include "data/topic.h"

enum {
    WORLD_DAYS = 400, /* the first user came so long ago */
    OPERATOR_EVERY = 33,
    OPERATOR_FIRST = 17,
    PROMO_CODES = 40,
    POOL_TOKENS = 12,
};

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY    (INT64_C(86400) * US_PER_SECOND)

/* Between the epochs of Unix and of PostgreSQL's timestamps. */
#define EPOCH_GAP_US (INT64_C(946684800) * US_PER_SECOND)

struct scale {
    const char *name;
    uint32_t users;
    uint32_t assistants;
    uint32_t bots;
    uint32_t dialogs;
    uint32_t messages;
    uint32_t chunks;
    uint32_t transactions;
    uint32_t topics;
};

struct user {
    int64_t created_us;
    int64_t active_us;
    uint32_t assistants;
};

enum { ASSISTANT_TOPICS = 3 };

struct assistant {
    int64_t created_us;
    uint32_t user;
    uint32_t topics[ASSISTANT_TOPICS];
    bool is_active;
};

struct dialog {
    int64_t started_us;
    int64_t last_us; /* of its last message; its start when there is none */
    uint32_t assistant;
    uint32_t messages;
    float first_response_s; /* below 0: nobody answered */
    bool has_handoff;
    bool is_silent; /* the assistant never answers */
};

struct document {
    int64_t uploaded_us;
    uint32_t assistant;
    uint32_t topic;
    uint32_t chunks;
    uint32_t first_chunk; /* row of its first chunk */
    uint32_t content;     /* documents with the same content are copies of each other */
    bool is_copy;
    bool is_shared; /* of the user, of none of his assistants */
};

enum transaction_type { TOPUP, AI_MESSAGE, DOCUMENT_UPLOAD, BOT_MESSAGE, TRANSACTION_TYPES };

struct transaction {
    double before;
    double amount;
    enum transaction_type type;
};

struct account {
    double balance;
    double spent;
    double topped_up;
    int64_t updated_us;
    uint32_t first; /* of its transactions in world.transactions */
};

struct world {
    struct scale scale;
    uint64_t seed;
    int64_t now_us;
    struct topics topics;

    struct user *users;
    struct assistant *assistants;
    struct dialog *dialogs;
    struct timeline messages; /* owner: dialog */
    struct timeline handoffs; /* owner: dialog; number: step */
    struct document *documents;
    uint32_t document_count;
    uint32_t *chunk_documents; /* row of each chunk's document */

    struct transaction *transactions; /* by user, in each user's order of time */
    struct timeline money;            /* owner: user; number: which of his transactions */
    struct account *accounts;         /* by user */
    uint32_t *promo_uses;             /* by promo code */
    uint32_t *referrals;              /* by referral code */
};

/* What happened when a customer asked for a person. */
enum handoff_status { HANDOFF_NONE, HANDOFF_REQUESTED, HANDOFF_ACTIVE, HANDOFF_RESOLVED };

struct handoff {
    enum handoff_status status;
    int64_t requested_us;
    int64_t started_us;
    int64_t resolved_us;
    uint32_t manager;   /* a user */
    const char *reason; /* or NULL */
    struct rng rng;     /* for its request_id */
};

enum sender { SENDER_USER, SENDER_ASSISTANT, SENDER_MANAGER, SENDER_SYSTEM };

/* The scale of this name, or NULL. */
const struct scale *scale_find(const char *name);

/* now_us is the newest time that any row has. */
struct world *world_make(
    struct arena *arena, const struct scale *scale, uint64_t seed, int64_t now_us);

/* The parts of world_make(), in this order. */
void people_plan(struct arena *arena, struct world *world);
void chat_plan(struct arena *arena, struct world *world);
void knowledge_plan(struct arena *arena, struct world *world);
void money_plan(struct arena *arena, struct world *world);

/* The time, moved to the day when it was night in Moscow (mostly), but never after now. */
int64_t world_by_day(const struct world *world, struct rng *rng, int64_t us);

/* A time between since and now; a higher skew brings it nearer to since. */
int64_t world_time_after(const struct world *world, struct rng *rng, int64_t since, double skew);

int64_t world_until_now(const struct world *world, int64_t us);

void dialog_handoff(const struct world *world, uint32_t dialog, struct handoff *ret);
/* What is random about a message has this index in its streams. */
uint64_t message_key(const struct event *message);

enum sender message_sender(const struct world *world, const struct event *message);

uint32_t dialog_owner(const struct world *world, uint32_t dialog);

/* The user of the given operator, counted from 0; any number is fine. */
uint32_t world_operator(const struct world *world, uint32_t number);
uint32_t world_operator_count(const struct world *world);

/* Whose code was used, and which code: rows of promo_code_usage and referrals, from 0. */
uint32_t promo_of(const struct world *world, uint32_t usage);
uint32_t referral_code_of(const struct world *world, uint32_t referral);
uint32_t promo_usage_count(const struct world *world);
uint32_t referral_count(const struct world *world);
