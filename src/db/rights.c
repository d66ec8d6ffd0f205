/*
 * What a role lacks, told by what the server said (SQLSTATE 42501) and what the statement wanted: the GRANT that
 * helps, with all that it takes. The server names a table without its schema; the statement has it.
 */
#include <ctype.h>

#include "db/connection.h"
#include "db/ident.h"

/* A word, a quoted name, or one character of a statement. */
struct token {
    const char *text; /* a quoted name without its quotes */
    bool is_name;
    bool is_quoted;
};

struct scanner {
    struct arena *arena;
    const char *at;
};

/* Of names between dots, the last two. */
struct chain {
    const char *schema; /* or NULL */
    const char *name;
};

static bool
is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* Behind what is quoted, from its first quote on; a doubled one does not end it. */
static const char *
behind_quoted(const char *at, char quote)
{
    for (at++; *at; at++) {
        if (*at != quote)
            continue;
        if (at[1] != quote)
            return at + 1;
        at++;
    }
    return at;
}

static const char *
behind_space(const char *at)
{
    for (;;) {
        if (isspace((unsigned char)*at)) {
            at++;
        } else if (text_starts_with(at, "--")) {
            at += strcspn(at, "\n");
        } else if (text_starts_with(at, "/*")) {
            const char *end = strstr(at, "*/");

            at = end ? end + 2 : at + strlen(at);
        } else {
            return at;
        }
    }
}

/* The name between two quotes, of which the last is missing where the statement is cut off. */
static const char *
unquoted(struct arena *arena, const char *start, const char *end)
{
    struct buffer name = { .arena = arena };

    for (const char *at = start + 1; at < end; at++) {
        at += *at == '"';
        if (at < end)
            buffer_append(&name, at, 1);
    }
    return buffer_text(&name);
}

/* False at the end. */
static bool
take(struct scanner *scanner, struct token *ret)
{
    const char *start = behind_space(scanner->at);
    const char *end = start;

    *ret = (struct token){ 0 };
    if (!*start)
        return false;
    if (*start == '\'') {
        end = behind_quoted(start, '\'');
    } else if (*start == '"') {
        end = behind_quoted(start, '"');
        ret->is_name = ret->is_quoted = true;
    } else {
        while (is_letter(*end))
            end++;
        ret->is_name = end > start;
        end += end == start;
    }
    ret->text = ret->is_quoted ? unquoted(scanner->arena, start, end)
                               : arena_strndup(scanner->arena, start, (size_t)(end - start));
    scanner->at = end;
    return true;
}

static bool
is_word(const struct token *token, const char *word)
{
    return token->is_name && !token->is_quoted && strcasecmp(token->text, word) == 0;
}

/* Whether names of tables follow it. */
static bool
is_before_table(const struct token *token)
{
    static const char *const words[] = { "FROM", "JOIN", "INTO", "UPDATE", "TABLE", "ONLY", "LIKE",
        "EXISTS", "VIEW", "SEQUENCE", "TRUNCATE" };

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (is_word(token, words[i]))
            return true;
    return false;
}

/* The names that begin with the token; leaves the scanner behind them. */
static struct chain
take_chain(struct scanner *scanner, const struct token *first)
{
    struct chain chain = { .name = first->text };
    struct scanner ahead = *scanner;
    struct token dot;
    struct token name;

    while (take(&ahead, &dot) && text_equal(dot.text, ".") && take(&ahead, &name) && name.is_name) {
        chain = (struct chain){ .schema = chain.name, .name = name.text };
        *scanner = ahead;
    }
    return chain;
}

/* The next table that the statement names; false: no more. A comma continues a list of them. */
static bool
next_table(struct scanner *scanner, struct chain *ret)
{
    struct token token;
    bool is_awaited = false;

    while (take(scanner, &token)) {
        if (is_before_table(&token)) {
            is_awaited = true;
        } else if (is_awaited && token.is_name) {
            *ret = take_chain(scanner, &token);
            return true;
        } else {
            is_awaited = false;
        }
    }
    return false;
}

/* schema.name as the statement has it, else the name alone. */
static const char *
qualified(struct arena *arena, const char *sql, const char *name)
{
    struct scanner scanner = { .arena = arena, .at = sql ? sql : "" };
    struct chain chain;

    while (next_table(&scanner, &chain))
        if (chain.schema && text_equal(chain.name, name))
            return db_qualified(arena, chain.schema, name);
    return db_ident(arena, name);
}

/* What a statement does with the tables that it names. */
enum want { WANT_READ, WANT_WRITE, WANT_CREATE, WANT_OWN };

static const struct {
    const char *word;
    enum want want;
    const char *privileges; /* on its table */
} wants[] = {
    { "INSERT", WANT_WRITE, "SELECT, INSERT, UPDATE" },
    { "UPDATE", WANT_WRITE, "SELECT, UPDATE" },
    { "DELETE", WANT_WRITE, "SELECT, DELETE" },
    { "MERGE", WANT_WRITE, "SELECT, INSERT, UPDATE, DELETE" },
    { "TRUNCATE", WANT_WRITE, "TRUNCATE" },
    { "CREATE", WANT_CREATE, NULL },
    { "ALTER", WANT_OWN, NULL },
    { "DROP", WANT_OWN, NULL },
    { "LOCK", WANT_OWN, NULL }, /* is taken to see whether DDL would get through */
    { "COMMENT", WANT_OWN, NULL },
    { "REINDEX", WANT_OWN, NULL },
    { "VACUUM", WANT_OWN, NULL },
    { "CLUSTER", WANT_OWN, NULL },
};

/* By its first word. A temporary copy of a table needs that it can be read. */
static enum want
want_of(struct arena *arena, const char *sql, const char **ret_privileges)
{
    struct scanner scanner = { .arena = arena, .at = sql ? sql : "" };
    struct token first;
    struct token second;

    *ret_privileges = "SELECT";
    if (!take(&scanner, &first) || !take(&scanner, &second))
        return WANT_READ;
    for (size_t i = 0; i < COUNT_OF(wants); i++) {
        if (!is_word(&first, wants[i].word))
            continue;
        if (wants[i].want == WANT_CREATE &&
            (is_word(&second, "TEMP") || is_word(&second, "TEMPORARY")))
            return WANT_READ;
        *ret_privileges = wants[i].privileges;
        return wants[i].want;
    }
    return WANT_READ;
}

bool
db_hint_own_schema(struct ctx *ctx, const struct db *db, bool creates)
{
    const char *role = db_ident(ctx->arena, db_user(db));

    return error_hint(ctx,
        "GRANT USAGE%s ON SCHEMA pgmend TO %s; GRANT %s ON ALL TABLES IN SCHEMA pgmend TO %s;",
        creates ? ", CREATE" : "", role,
        db->options.access == ACCESS_READ ? "SELECT" : "SELECT, INSERT, UPDATE, DELETE", role);
}

/* A schema whose names may not be looked up, and what is wanted of its tables then. */
static bool
hint_schema(struct ctx *ctx, const struct db *db, const char *name)
{
    struct arena *arena = ctx->arena;
    const char *role = db_ident(arena, db_user(db));
    const char *privileges;
    enum want want = want_of(arena, db->statement, &privileges);
    struct scanner scanner = { .arena = arena, .at = db->statement ? db->statement : "" };
    struct buffer hint = { .arena = arena };
    struct text_list told = { 0 };
    struct chain chain;

    if (text_equal(name, "pgmend"))
        return db_hint_own_schema(ctx, db, want == WANT_CREATE);
    buffer_printf(&hint, "GRANT %s ON SCHEMA %s TO %s;",
        want == WANT_CREATE ? "USAGE, CREATE" : "USAGE", db_ident(arena, name), role);
    while ((want == WANT_READ || want == WANT_WRITE) && next_table(&scanner, &chain)) {
        const char *table = chain.schema ? db_qualified(arena, chain.schema, chain.name) : "";

        if (!text_equal(chain.schema, name) || text_list_has(&told, table))
            continue;
        text_list_add(arena, &told, table);
        buffer_printf(&hint, " GRANT %s ON %s TO %s;", privileges, table, role);
    }
    return error_hint(ctx, "%s", buffer_text(&hint));
}

static bool
hint_table(struct ctx *ctx, const struct db *db, const char *name)
{
    struct arena *arena = ctx->arena;
    const char *table = qualified(arena, db->statement, name);
    const char *privileges;
    enum want want = want_of(arena, db->statement, &privileges);

    if (text_starts_with(table, "pgmend."))
        return db_hint_own_schema(ctx, db, false);
    if (want == WANT_OWN || want == WANT_CREATE)
        return error_hint(
            ctx, "Only the owner of %s may do that: connect as it, or as a member of it.", table);
    return error_hint(
        ctx, "GRANT %s ON %s TO %s;", privileges, table, db_ident(arena, db_user(db)));
}

static bool
hint_other(struct ctx *ctx, const struct db *db, const char *grant, const char *name)
{
    return error_hint(ctx, "GRANT %s %s TO %s;", grant, qualified(ctx->arena, db->statement, name),
        db_ident(ctx->arena, db_user(db)));
}

void
db_hint_rights(struct ctx *ctx, const struct db *db, const char *message)
{
    static const struct {
        const char *start;
        bool (*hint)(struct ctx *ctx, const struct db *db, const char *name);
        const char *grant;
    } refusals[] = {
        { "permission denied for schema ", hint_schema, NULL },
        { "permission denied for table ", hint_table, NULL },
        { "permission denied for view ", hint_table, NULL },
        { "permission denied for materialized view ", hint_table, NULL },
        { "permission denied for sequence ", NULL, "SELECT ON SEQUENCE" },
        { "permission denied for function ", NULL, "EXECUTE ON FUNCTION" },
        { "permission denied for database ", NULL, "CREATE ON DATABASE" },
    };
    static const char owner[] = "must be owner of ";

    if (ctx->error.hint)
        return;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        const char *name = message + strlen(refusals[i].start);

        if (!text_starts_with(message, refusals[i].start))
            continue;
        if (refusals[i].hint)
            (void)!refusals[i].hint(ctx, db, name);
        else
            (void)!hint_other(ctx, db, refusals[i].grant, name);
        return;
    }
    if (text_starts_with(message, owner))
        error_hint(ctx, "Connect as the owner of %s, or as a member of that role.",
            message + strlen(owner));
}
