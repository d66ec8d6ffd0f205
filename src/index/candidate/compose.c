/* A candidate's text. */
#include <string.h>

#include "db/ident.h"
#include "index/candidate/candidate.h"
#include "lang/sql.h"

#define ROLE_NAME(role, name) [role] = (name),
static const char *const role_names[ROLE_COUNT] = { CANDIDATE_ROLES(ROLE_NAME) };
#undef ROLE_NAME

const char *
candidate_role_name(enum candidate_role role)
{
    return role_names[role];
}

static void
add_key(struct buffer *text, const struct candidate_key *key)
{
    buffer_add(text, key->text);
    if (key->collation)
        buffer_printf(text, " COLLATE %s", key->collation);
    if (key->opclass)
        buffer_printf(text, " %s", key->opclass);
    if (key->is_descending)
        buffer_add(text, " DESC");
    if (key->is_nulls_first != key->is_descending)
        buffer_add(text, key->is_nulls_first ? " NULLS FIRST" : " NULLS LAST");
}

/* Columns of the table that a text of SQL names. */
static void
add_columns(
    struct arena *arena, const struct fact_table *table, const char *text, struct text_list *ret)
{
    struct ctx ctx = { .arena = arena };
    struct sql_tokens tokens = { 0 };

    if (!sql_tokens(&ctx, text, &tokens))
        return;
    for (size_t i = 0; i < table->column_count; i++) {
        const char *name = table->columns[i].name;
        const char *quoted = db_ident(arena, name);

        for (size_t j = 0; j < tokens.count; j++) {
            const struct sql_token *token = &tokens.items[j];
            size_t length = token->end - token->start;

            if ((token->kind == SQL_NAME || token->kind == SQL_KEYWORD) &&
                strlen(quoted) == length && memcmp(text + token->start, quoted, length) == 0 &&
                !text_list_has(ret, name)) {
                text_list_add(arena, ret, name);
                break;
            }
        }
    }
}

static void
compose_columns(struct arena *arena, struct index_candidate *candidate)
{
    struct text_list columns = { 0 };

    for (size_t i = 0; i < candidate->key_count; i++) {
        const struct candidate_key *key = &candidate->keys[i];

        if (!key->column)
            add_columns(arena, candidate->table, key->text, &columns);
        else if (!text_list_has(&columns, key->column))
            text_list_add(arena, &columns, key->column);
    }
    for (size_t i = 0; i < candidate->include.count; i++)
        if (!text_list_has(&columns, candidate->include.items[i]))
            text_list_add(arena, &columns, candidate->include.items[i]);
    if (candidate->predicate)
        add_columns(arena, candidate->table, candidate->predicate, &columns);
    candidate->columns = columns;
}

void
index_candidate_compose(struct arena *arena, struct index_candidate *candidate)
{
    struct buffer text = { .arena = arena };

    buffer_printf(&text, "USING %s (", candidate->method);
    for (size_t i = 0; i < candidate->key_count; i++) {
        if (i > 0)
            buffer_add(&text, ", ");
        add_key(&text, &candidate->keys[i]);
    }
    buffer_add(&text, ")");
    for (size_t i = 0; i < candidate->include.count; i++)
        buffer_printf(&text, "%s%s", i > 0 ? ", " : " INCLUDE (",
            db_ident(arena, candidate->include.items[i]));
    if (candidate->include.count > 0)
        buffer_add(&text, ")");
    if (candidate->options)
        buffer_printf(&text, " WITH (%s)", candidate->options);
    if (candidate->predicate)
        buffer_printf(&text, " WHERE (%s)", candidate->predicate);
    candidate->definition = buffer_text(&text);
    compose_columns(arena, candidate);
}
