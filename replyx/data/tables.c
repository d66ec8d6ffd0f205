#include "data/tables.h"

#include "base/text.h"

const struct table *const tables[] = {
    &table_users,
    &table_ai_token_pool,
    &table_assistants,
    &table_bot_instances,
    &table_operator_presence,
    &table_organization_features,
    &table_integration_tokens,
    &table_telegram_tokens,
    &table_openai_tokens,
    &table_documents,
    &table_user_knowledge,
    &table_knowledge_embeddings,
    &table_query_embeddings_cache,
    &table_dialogs,
    &table_dialog_messages,
    &table_handoff_audit,
    &table_dialog_ratings,
    &table_message_ratings,
    &table_dialog_feedback,
    &table_ai_token_usage,
    &table_user_balances,
    &table_balance_transactions,
    &table_promo_codes,
    &table_promo_code_usage,
    &table_referral_codes,
    &table_referrals,
    &table_training_datasets,
    &table_training_examples,
    &table_conversation_patterns,
};
const size_t table_count = COUNT_OF(tables);

const struct table *
table_find(const char *name)
{
    for (size_t i = 0; i < table_count; i++) {
        if (text_equal(tables[i]->name, name))
            return tables[i];
    }
    return NULL;
}

const char *
table_copy_sql(struct arena *arena, const struct table *table)
{
    struct buffer sql = { .arena = arena };

    buffer_printf(&sql, "COPY public.%s (", table->name);
    for (size_t i = 0; i < table->column_count; i++)
        buffer_printf(&sql, "%s\"%s\"", i == 0 ? "" : ", ", table->columns[i].name);
    buffer_add(&sql, ") FROM STDIN (FORMAT binary)");
    return buffer_text(&sql);
}

bool
table_write(struct ctx *ctx, const struct world *world, const struct table *table,
    struct sink *sink, int64_t *ret_bytes)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    uint32_t count = table->count(world);
    struct row row CLEANUP(row_cleanup) = { 0 };

    row_open(arena, &row, sink, table->columns, table->column_count);
    for (uint32_t index = 0; index < count; index++) {
        row_begin(&row);
        row_int4(&row, id_of(index));
        table->write(world, index, &row);
        if (!row_end(ctx, &row))
            return false;
    }
    if (!row_close(ctx, &row))
        return false;
    *ret_bytes = row.bytes;
    return true;
}

void
write_int4_or_null(struct row *row, struct rng *rng, int32_t value)
{
    if (rng_chance(rng, NULL_RATIO))
        row_null(row);
    else
        row_int4(row, value);
}

void
write_text_or_null(struct row *row, struct rng *rng, const char *text)
{
    if (text == NULL || rng_chance(rng, NULL_RATIO))
        row_null(row);
    else
        row_text(row, text);
}

void
write_name(struct row *row, const char *start, uint64_t number)
{
    row_text_begin(row);
    prose_add(row, start);
    prose_number(row, number);
    row_text_end(row);
}

void
write_token(struct row *row, struct rng *rng, const char *start, uint32_t index)
{
    row_text_begin(row);
    prose_add(row, start);
    prose_number(row, index + 1);
    prose_add(row, "-");
    prose_hex(row, rng, 24);
    row_text_end(row);
}

void
write_uuid(struct row *row, struct rng *rng)
{
    static const size_t groups[] = { 8, 4, 3, 3, 12 };
    static const char *const between[] = { "", "-", "-4", "-8", "-" };

    row_text_begin(row);
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        prose_add(row, between[i]);
        prose_hex(row, rng, groups[i]);
    }
    row_text_end(row);
}
