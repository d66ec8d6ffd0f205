/* The statement that makes a candidate, and its name. */
#include <string.h>

#include "db/ident.h"
#include "index/candidate/candidate.h"

enum { MOST_NAME_BYTES = 63 };

const char *
index_candidate_statement(
    struct arena *arena, const struct index_candidate *candidate, const char *name)
{
    return arena_printf(arena, "CREATE INDEX CONCURRENTLY %s ON %s %s", db_ident(arena, name),
        candidate->table->qualified, candidate->definition);
}

/* Letters and digits of an expression, with one underscore for all that is between. */
static void
add_words(struct buffer *name, const char *text)
{
    bool is_between = true;

    for (; *text; text++) {
        bool is_word = strchr("abcdefghijklmnopqrstuvwxyz0123456789", *text) ||
                       (*text >= 'A' && *text <= 'Z') || (*text & 0x80);

        if (is_word)
            buffer_printf(name, "%s%c", is_between ? "_" : "", *text);
        is_between = !is_word;
    }
}

/* Cut so that with what follows it fits, and never inside a character. */
static const char *
cut(struct arena *arena, const char *name, size_t most)
{
    size_t length = strlen(name);

    if (length <= most)
        return name;
    while (most > 0 && ((unsigned char)name[most] & 0xc0) == 0x80)
        most--;
    while (most > 0 && name[most - 1] == '_')
        most--;
    return arena_strndup(arena, name, most);
}

static bool
is_taken(
    const struct facts *facts, const char *schema, const char *name, const struct text_list *taken)
{
    if (taken && text_list_has(taken, name))
        return true;
    if (facts_table(facts, schema, name))
        return true;
    for (size_t i = 0; i < facts->count; i++)
        for (size_t j = 0; j < facts->items[i].index_count; j++) {
            const struct fact_index *index = &facts->items[i].indexes[j];

            if (text_equal(index->name, name) && text_equal(index->schema, schema))
                return true;
        }
    return false;
}

const char *
index_candidate_name(struct arena *arena, const struct facts *facts,
    const struct index_candidate *candidate, const struct text_list *taken)
{
    struct buffer name = { .arena = arena };
    const char *whole, *free_name;

    buffer_printf(&name, "idx_%s", candidate->table->name);
    for (size_t i = 0; i < candidate->key_count; i++)
        if (candidate->keys[i].column)
            buffer_printf(&name, "_%s", candidate->keys[i].column);
        else
            add_words(&name, candidate->keys[i].text);
    if (strcmp(candidate->method, "btree") != 0)
        buffer_printf(&name, "_%s", candidate->method);
    if (candidate->predicate)
        buffer_add(&name, "_part");
    whole = buffer_text(&name);
    free_name = cut(arena, whole, MOST_NAME_BYTES);
    for (int i = 2; is_taken(facts, candidate->table->schema, free_name, taken); i++) {
        const char *number = arena_printf(arena, "_%d", i);

        free_name = arena_printf(
            arena, "%s%s", cut(arena, whole, MOST_NAME_BYTES - strlen(number)), number);
    }
    return free_name;
}
