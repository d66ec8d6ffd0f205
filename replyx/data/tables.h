/* The tables that are filled: what columns they have, how many rows, and what stands in each. */
#pragma once

#include "data/prose.h"
#include "data/row.h"
#include "data/world.h"

struct table {
    const char *name;
    const struct column *columns; /* the first is id, which table_write() fills */
    size_t column_count;
    uint32_t (*count)(const struct world *world);
    /* Fills the columns behind id of the row with this number, from 0. */
    void (*write)(const struct world *world, uint32_t index, struct row *row);
};

#define TABLE_COLUMNS(array) .columns = (array), .column_count = COUNT_OF(array)

/* In an order in which foreign keys are always satisfied. */
extern const struct table *const tables[];
extern const size_t table_count;

extern const struct table table_users;
extern const struct table table_assistants;
extern const struct table table_bot_instances;
extern const struct table table_operator_presence;
extern const struct table table_organization_features;
extern const struct table table_integration_tokens;
extern const struct table table_telegram_tokens;
extern const struct table table_openai_tokens;
extern const struct table table_dialogs;
extern const struct table table_dialog_messages;
extern const struct table table_handoff_audit;
extern const struct table table_dialog_ratings;
extern const struct table table_message_ratings;
extern const struct table table_dialog_feedback;
extern const struct table table_documents;
extern const struct table table_user_knowledge;
extern const struct table table_knowledge_embeddings;
extern const struct table table_query_embeddings_cache;
extern const struct table table_ai_token_pool;
extern const struct table table_ai_token_usage;
extern const struct table table_user_balances;
extern const struct table table_balance_transactions;
extern const struct table table_promo_codes;
extern const struct table table_promo_code_usage;
extern const struct table table_referral_codes;
extern const struct table table_referrals;
extern const struct table table_training_datasets;
extern const struct table table_training_examples;
extern const struct table table_conversation_patterns;

const struct table *table_find(const char *name);

/* COPY public.users (id, …) FROM STDIN (FORMAT binary). */
const char *table_copy_sql(struct arena *arena, const struct table *table);

/* Hands all rows to the sink in COPY's binary format; *ret_bytes are those with the header. */
bool table_write(struct ctx *ctx, const struct world *world, const struct table *table,
    struct sink *sink, int64_t *ret_bytes) MUST_CHECK;

/* What several tables need. */

/* A few percent of what may be unknown is unknown. */
#define NULL_RATIO 0.02

static inline int32_t
id_of(uint32_t index)
{
    return (int32_t)index + 1;
}

/* The number, or NULL now and then. */
void write_int4_or_null(struct row *row, struct rng *rng, int32_t value);
void write_text_or_null(struct row *row, struct rng *rng, const char *text);

/* A start and a number: "tg-1024". */
void write_name(struct row *row, const char *start, uint64_t number);

/* A made-up secret that says so, and is different for each index. */
void write_token(struct row *row, struct rng *rng, const char *start, uint32_t index);

/* A universally unique identifier of version 4. */
void write_uuid(struct row *row, struct rng *rng);
