/*
 * pg_stat_statements puts $n where a constant stood. Where the grammar takes only a constant that is not SQL
 * any more: interval $1, date $1, EXTRACT($1 FROM x), $1 UESCAPE '!', a=$1and b.
 */
#include <ctype.h>

#include "base/text.h"
#include "index/sample/sample_part.h"

/* Keywords that can be a type's name; a name that is no keyword can be nothing else before a $n. */
static const char *const type_words[] = { "interval", "timestamp", "time", "char", "character",
    "varchar", "bit", "boolean", "int", "integer", "bigint", "smallint", "real", "float", "numeric",
    "decimal", "dec", "precision", "varying", "nchar", "text", "xml", "name", "json" };

static const char *const unit_words[] = { "year", "month", "day", "hour", "minute", "second" };

static bool
is_one_of(const char *sql, const struct sql_token *token, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sample_token_is(sql, token, words[i]))
            return true;
    return false;
}

struct mender {
    struct ctx *ctx;
    const char *sql;
    struct sql_tokens tokens;
    struct sample_edits edits;
    struct sample_text *text;
};

static bool
is_char(const struct mender *mender, size_t i, char wanted)
{
    const struct sql_token *token = &mender->tokens.items[i];

    return token->end == token->start + 1 && mender->sql[token->start] == wanted;
}

static bool
is_word(const struct mender *mender, size_t i, const char *word)
{
    return i < mender->tokens.count && sample_token_is(mender->sql, &mender->tokens.items[i], word);
}

static const char *
slice(const struct mender *mender, size_t first, size_t last)
{
    size_t start = mender->tokens.items[first].start;

    return arena_strndup(
        mender->ctx->arena, mender->sql + start, mender->tokens.items[last].end - start);
}

/* Replaces the tokens from first to last, and remembers to say so. */
static void
replace(struct mender *mender, size_t first, size_t last, const char *by)
{
    const char *was = slice(mender, first, last);
    struct sample_edit edit = { .start = mender->tokens.items[first].start,
        .end = mender->tokens.items[last].end,
        .text = by };

    VEC_PUSH(mender->ctx->arena, &mender->edits, edit);
    text_list_add(mender->ctx->arena, &mender->text->mended,
        arena_printf(mender->ctx->arena, "%s → %s", was, by));
}

/* The opening parenthesis of the one that closes here; SIZE_MAX: none. */
static size_t
opening(const struct mender *mender, size_t close)
{
    size_t depth = 0;

    for (size_t i = close + 1; i-- > 0;) {
        if (is_char(mender, i, ')'))
            depth++;
        else if (is_char(mender, i, '(') && --depth == 0)
            return i;
    }
    return SIZE_MAX;
}

/* "with time zone": two words further back is what the zone is of. */
static size_t
before_zone(const struct mender *mender, size_t last)
{
    if (last < 3 || !is_word(mender, last, "zone") || !is_word(mender, last - 1, "time") ||
        !(is_word(mender, last - 2, "with") || is_word(mender, last - 2, "without")))
        return last;
    return last - 3;
}

/* The first token of the type's name whose last one stands before a $n; SIZE_MAX: it is none. */
static size_t
type_start(const struct mender *mender, size_t last)
{
    const struct sql_token *items = mender->tokens.items;
    size_t at = before_zone(mender, last);
    bool has_zone = at != last;

    if (is_char(mender, at, ')')) {
        at = opening(mender, at);
        if (at == SIZE_MAX || at == 0)
            return SIZE_MAX;
        at--;
    }
    if (has_zone)
        return is_word(mender, at, "timestamp") || is_word(mender, at, "time") ? at : SIZE_MAX;
    if (items[at].kind != SQL_NAME &&
        !is_one_of(mender->sql, &items[at], type_words, COUNT_OF(type_words)))
        return SIZE_MAX;
    if (is_word(mender, at, "precision") || is_word(mender, at, "varying"))
        at--;
    if (at > 0 && is_word(mender, at - 1, "national"))
        at--;
    while (at > 1 && is_char(mender, at - 1, '.') &&
           (items[at - 2].kind == SQL_NAME || items[at - 2].kind == SQL_KEYWORD))
        at -= 2;
    return at;
}

/* The last token of "day to second(3)" that follows; the $n itself when nothing does. */
static size_t
units_end(const struct mender *mender, size_t param)
{
    size_t at = param + 1;
    size_t count = mender->tokens.count;

    if (at >= count ||
        !is_one_of(mender->sql, &mender->tokens.items[at], unit_words, COUNT_OF(unit_words)))
        return param;
    if (is_word(mender, at + 1, "to") && at + 2 < count &&
        is_one_of(mender->sql, &mender->tokens.items[at + 2], unit_words, COUNT_OF(unit_words)))
        at += 2;
    if (is_word(mender, at, "second") && at + 3 < count && is_char(mender, at + 1, '(') &&
        is_char(mender, at + 3, ')'))
        at += 3;
    return at;
}

/* type $n → $n::type */
static bool
mend_typed(struct mender *mender, size_t param)
{
    size_t start = param > 0 ? type_start(mender, param - 1) : SIZE_MAX;
    struct arena *arena = mender->ctx->arena;

    if (start == SIZE_MAX)
        return false;

    const char *type = slice(mender, start, param - 1);
    bool is_interval = is_word(mender, start, "interval");
    size_t end = is_interval ? units_end(mender, param) : param;
    const char *units = end > param ? slice(mender, param + 1, end) : NULL;

    replace(mender, start, end,
        arena_printf(
            arena, units ? "%s::%s %s" : "%s::%s", slice(mender, param, param), type, units));
    return true;
}

static bool
is_extract(const struct mender *mender, size_t field)
{
    return field >= 2 && is_word(mender, field - 2, "extract") && is_char(mender, field - 1, '(') &&
           is_word(mender, field + 1, "from");
}

static bool
has_extract_of_param(const struct mender *mender)
{
    for (size_t i = 0; i < mender->tokens.count; i++)
        if (mender->tokens.items[i].kind == SQL_PARAM && is_extract(mender, i))
            return true;
    return false;
}

/*
 * EXTRACT($n FROM → pg_catalog.extract($n, and then EXTRACT(day FROM → pg_catalog.extract('day', too: the one
 * in GROUP BY has to look like the one in the SELECT list.
 */
static void
mend_extract(struct mender *mender, size_t field)
{
    struct arena *arena = mender->ctx->arena;
    const char *text = slice(mender, field, field);
    enum sql_token_kind kind = mender->tokens.items[field].kind;

    if (kind == SQL_NAME || kind == SQL_KEYWORD)
        text = arena_printf(arena, "'%s'", text);
    replace(mender, field - 2, field + 1, arena_printf(arena, "pg_catalog.extract(%s,", text));
}

/* U&'d!0061ta' UESCAPE '!' → $n: what follows stays behind. */
static bool
mend_escape(struct mender *mender, size_t param)
{
    if (!is_word(mender, param + 1, "uescape") || param + 2 >= mender->tokens.count)
        return false;
    replace(mender, param, param + 2, slice(mender, param, param));
    return true;
}

/* Copies a quoted part whole; the byte behind it. */
static size_t
after_quoted(const char *sql, size_t at)
{
    char quote = sql[at];
    bool has_backslash = quote == '\'' && at > 0 && tolower((unsigned char)sql[at - 1]) == 'e';

    for (at++; sql[at]; at++) {
        if (has_backslash && sql[at] == '\\' && sql[at + 1])
            at++;
        else if (sql[at] == quote)
            return at + 1;
    }
    return at;
}

static size_t
after_comment(const char *sql, size_t at)
{
    size_t depth = 1;

    if (sql[at] == '-')
        return at + strcspn(sql + at, "\n");
    for (at += 2; sql[at] && depth > 0; at++) {
        if (sql[at] == '/' && sql[at + 1] == '*') {
            depth++;
            at++;
        } else if (sql[at] == '*' && sql[at + 1] == '/') {
            depth--;
            at++;
        }
    }
    return at;
}

static bool
is_name_byte(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '$' || (byte & 0x80);
}

/*
 * a='x'and b=1 is SQL, a=$1and b=$2 is none from PostgreSQL 15 on: the scanner refuses it, so blanks are put
 * in before anything else is looked at.
 */
static const char *
with_blanks(struct arena *arena, const char *sql)
{
    struct buffer buffer = { .arena = arena };
    size_t at = 0;

    while (sql[at]) {
        size_t end = at + 1;

        if (sql[at] == '\'' || sql[at] == '"')
            end = after_quoted(sql, at);
        else if ((sql[at] == '-' && sql[at + 1] == '-') || (sql[at] == '/' && sql[at + 1] == '*'))
            end = after_comment(sql, at);
        else if (sql[at] == '$' && (at == 0 || !is_name_byte(sql[at - 1])))
            end = at + 1 + strspn(sql + at + 1, "0123456789");
        buffer_append(&buffer, sql + at, end - at);
        if (sql[at] == '$' && end > at + 1 && (isalpha((unsigned char)sql[end]) || sql[end] == '_'))
            buffer_add(&buffer, " ");
        at = end;
    }
    return buffer_text(&buffer);
}

/* The scanner of libpg_query 17 does read $1and, as two tokens: blanks stand for servers, which do not. */
static void
part_tokens(struct mender *mender)
{
    struct arena *arena = mender->ctx->arena;
    struct sample_edits blanks = { 0 };

    for (size_t i = 0; i < mender->tokens.count; i++) {
        const struct sql_token *token = &mender->tokens.items[i];
        unsigned char next = (unsigned char)mender->sql[token->end];
        struct sample_edit blank = { .start = token->end, .end = token->end, .text = " " };

        if (token->kind == SQL_PARAM && (isalpha(next) || next == '_'))
            VEC_PUSH(arena, &blanks, blank);
    }
    if (blanks.count == 0)
        return;
    mender->sql = sample_edited(arena, mender->sql, &blanks);
    text_list_add(arena, &mender->text->mended, "blanks after $n");
    if (!sample_tokens(mender->ctx, mender->sql, &mender->tokens)) {
        error_clear(mender->ctx);
        mender->tokens.count = 0;
    }
}

static void
mend_tokens(struct mender *mender)
{
    bool has_extract = has_extract_of_param(mender);

    for (size_t i = 0; i < mender->tokens.count; i++) {
        if (has_extract && is_extract(mender, i))
            mend_extract(mender, i);
        else if (mender->tokens.items[i].kind == SQL_PARAM && !mend_escape(mender, i))
            (void)mend_typed(mender, i);
    }
}

void
sample_mend(struct ctx *ctx, struct sample_text *text)
{
    struct mender mender = { .ctx = ctx, .sql = text->sql, .text = text };

    if (!sample_tokens(ctx, text->sql, &mender.tokens)) {
        error_clear(ctx);
        mender.sql = with_blanks(ctx->arena, text->sql);
        if (!sample_tokens(ctx, mender.sql, &mender.tokens)) {
            error_clear(ctx);
            return;
        }
        text_list_add(ctx->arena, &text->mended, "blanks after $n");
    }
    part_tokens(&mender);
    mend_tokens(&mender);
    text->sql = sample_edited(ctx->arena, mender.sql, &mender.edits);
}
