/* Statements about Alembic's own table. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "migrate/alembic/parts.h"

/* Whether the name stands in the text as a word of its own. */
static bool
has_word(const char *text, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = strcasestr(text, name); at; at = strcasestr(at + 1, name)) {
        unsigned char before = at > text ? (unsigned char)at[-1] : ' ';
        unsigned char after = (unsigned char)at[length];

        if (!isalnum(before) && before != '_' && !isalnum(after) && after != '_')
            return true;
    }
    return false;
}

static const char *
skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* The keyword and the blanks behind it. */
static bool
take(const char **at, const char *word)
{
    size_t length = strlen(word);

    *at = skip_blanks(*at);
    if (strncasecmp(*at, word, length) != 0 || isalnum((unsigned char)(*at)[length]))
        return false;
    *at = skip_blanks(*at + length);
    return true;
}

/* A name, perhaps quoted; the last part of schema.name counts. */
static const char *
take_name(struct arena *arena, const char **at)
{
    const char *name;

    do {
        if (**at == '.')
            (*at)++;

        bool is_quoted = **at == '"';
        const char *start = *at + is_quoted;
        size_t length = is_quoted ? strcspn(start, "\"") : strcspn(start, " \t\r\n.(,;\"'=");

        name = arena_strndup(arena, start, length);
        *at = start + length + (is_quoted && start[length]);
    } while (**at == '.');
    return name;
}

/* The first '…' behind the mark. */
static const char *
literal_behind(struct arena *arena, const char *text, const char *mark)
{
    const char *at = strcasestr(text, mark);

    at = at ? strchr(at, '\'') : NULL;
    return at ? arena_strndup(arena, at + 1, strcspn(at + 1, "'")) : NULL;
}

void
alembic_read_version(
    struct arena *arena, const struct environment *environment, struct alembic_statement *ret)
{
    const char *table = environment->version_table ? environment->version_table : "alembic_version";
    const char *at = ret->sql;
    bool is_delete, is_insert;

    ret->is_version_table = has_word(ret->sql, table);
    if (!ret->is_version_table || ret->is_failed)
        return;
    is_insert = take(&at, "INSERT") && take(&at, "INTO");
    is_delete = !is_insert && take(&at, "DELETE") && take(&at, "FROM");
    if (!is_insert && !is_delete && !take(&at, "UPDATE"))
        return;
    if (strcasecmp(take_name(arena, &at), table) != 0)
        return;
    if (is_delete)
        ret->version = "";
    else
        ret->version = literal_behind(arena, at, is_insert ? "VALUES" : "version_num");
}
