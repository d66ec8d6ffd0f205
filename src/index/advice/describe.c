/* What is told of each chosen index: name, statement, lock, time, recipe, cautions. */
#include <math.h>

#include "change/estimate.h"
#include "db/ident.h"
#include "index/advice/advice.h"

/* The part of a build that does not depend on the size. */
enum { FIXED_US = 200000 };

/* Upkeep that takes more than this part of what an index saves is worth a caution. */
static const double dear_upkeep = 0.25;

static void
caution(struct arena *arena, struct advice_index *index, const char *text)
{
    text_list_add(arena, &index->cautions, text);
}

static const char *
statement_on(struct arena *arena, const char *how, const char *name, const char *relation,
    const char *definition)
{
    return arena_printf(
        arena, "CREATE INDEX %s%s ON %s %s;", how, db_ident(arena, name), relation, definition);
}

/*
 * An index of a partitioned table cannot be built CONCURRENTLY. Made ON ONLY the parent it is empty
 * and invalid; it becomes valid when the last partition's own index is attached.
 */
static void
add_recipe(struct arena *arena, const struct facts *facts, const struct fact_table *parent,
    const char *name, struct advice_index *index)
{
    const char *definition = index->choice->candidate->definition;
    const char *whole = db_qualified(arena, parent->schema, name);

    text_list_add(arena, &index->recipe,
        statement_on(
            arena, "", name, arena_printf(arena, "ONLY %s", parent->qualified), definition));
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact_table *part = &facts->items[i];
        const char *part_name;

        if (!part->is_partition || !text_equal(part->parent, parent->qualified) ||
            part->kind == 'f')
            continue;

        struct index_candidate like = *index->choice->candidate;

        like.table = part;
        part_name = index_candidate_name(arena, facts, &like, &index->recipe);
        if (part->kind == 'p')
            add_recipe(arena, facts, part, part_name, index);
        else
            text_list_add(arena, &index->recipe,
                statement_on(arena, "CONCURRENTLY ", part_name, part->qualified, definition));
        text_list_add(arena, &index->recipe,
            arena_printf(arena, "ALTER INDEX %s ATTACH PARTITION %s;", whole,
                db_qualified(arena, part->schema, part_name)));
    }
}

/* When it was analysed is forgotten with the counters; what ANALYZE found is not. */
static bool
has_statistics(const struct fact_table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].has_statistics)
            return true;
    return table->kind != 'r';
}

static void
add_cautions(struct arena *arena, const struct facts *facts, struct advice_index *index)
{
    const struct choice_index *choice = index->choice;
    const struct index_candidate *candidate = choice->candidate;

    if (candidate->extensions.count > 0)
        caution(arena, index,
            arena_printf(arena, "needs CREATE EXTENSION %s first",
                text_list_join(arena, &candidate->extensions, ", ")));
    if (candidate->is_approximate)
        caution(arena, index,
            "its answers are approximate: \"pgmend vector tune\" measures the recall first");
    if (candidate->table->is_unlogged)
        caution(arena, index, "the table is unlogged: it is empty after a crash, and on standbys");
    if (!has_statistics(candidate->table))
        caution(arena, index, "the table was never analysed: costs rest on guesses");
    if (choice->saved > 0 && choice->write_cost > choice->saved * dear_upkeep)
        caution(arena, index,
            arena_printf(arena, "keeping it up costs %.0f %% of what it saves",
                100 * choice->write_cost / choice->saved));
    if (choice->lost_hot >= 1)
        caution(arena, index,
            arena_printf(arena, "%s updates of the time counted are no longer HOT with it",
                text_from_count(arena, llround(choice->lost_hot))));
    if (facts->stats_age_s >= 0 && facts->stats_age_s < 3600)
        caution(arena, index, "writes were counted for less than an hour: upkeep is a rough guess");
}

static double
share_of_helped(const struct advice *advice, const struct choice_index *choice)
{
    double sum = 0;

    for (size_t i = 0; i < choice->helps.count; i++) {
        const struct choose_query *query = &advice->weighed[choice->helps.items[i].query];

        sum += query->weight * query->before;
    }
    return advice->choice.before_total > 0 ? sum / advice->choice.before_total : 0;
}

bool
advice_describe(struct ctx *ctx, struct db *db, struct advice *advice)
{
    struct journal_entries journal;
    struct text_list taken = { 0 };

    /* It only tells how fast this server built before: who may not read it gets the standard. */
    if (!journal_load(ctx, db, &journal)) {
        if (ctx->error.kind != ERR_RIGHTS)
            return false;
        error_clear(ctx);
        journal = (struct journal_entries){ 0 };
    }
    for (size_t i = 0; i < advice->choice.indexes.count; i++) {
        const struct choice_index *choice = &advice->choice.indexes.items[i];
        const struct index_candidate *candidate = choice->candidate;
        double rate = estimate_build_rate(ctx, &journal, candidate->method);
        struct advice_index index = {
            .choice = choice,
            .name = index_candidate_name(ctx->arena, &advice->facts, candidate, &taken),
            .why = index_candidate_why(ctx->arena, candidate),
            .build_us =
                llround((double)(candidate->table->bytes + choice->bytes) / rate * 1e6) + FIXED_US,
            .lock = "SHARE UPDATE EXCLUSIVE: reads and writes go on; VACUUM and other DDL of this "
                    "table wait",
            .share = share_of_helped(advice, choice),
        };

        index.statement = index_candidate_statement(ctx->arena, candidate, index.name);
        if (advice->choice.before_total > 0)
            index.saved_share = choice->saved / advice->choice.before_total;
        add_cautions(ctx->arena, &advice->facts, &index);
        if (candidate->table->kind == 'p')
            add_recipe(ctx->arena, &advice->facts, candidate->table, index.name, &index);
        text_list_add(ctx->arena, &taken, index.name);
        VEC_PUSH(ctx->arena, &advice->indexes, index);
    }
    return true;
}

const char *
advice_query_text(struct arena *arena, const struct index_query *query)
{
    struct buffer text = { .arena = arena };

    for (const char *c = query->sql ? query->sql : query->statement->text; *c; c++) {
        bool is_blank = *c == ' ' || *c == '\n' || *c == '\t' || *c == '\r';

        if (!is_blank)
            buffer_append(&text, c, 1);
        else if (text.length > 0 && text.data[text.length - 1] != ' ')
            buffer_append(&text, " ", 1);
    }
    return buffer_text(&text);
}
