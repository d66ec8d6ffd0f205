/* When two shapes are one template: the same fingerprint, and the same values in the same places. */
#include <ctype.h>
#include <strings.h>

#include "workload/template_part.h"

struct identity {
    const char *data;
    size_t length;
    bool keywords;
    unsigned char *seen; /* by number of the parameter; NULL in the second pass */
    uint32_t *ranks;
    uint32_t most; /* of these numbers */
    struct buffer *out;
};

static bool
is_word_part(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static size_t
skip_blank(const struct identity *identity, size_t at)
{
    return at < identity->length && identity->data[at] == ' ' ? at + 1 : at;
}

static size_t
word_end(const struct identity *identity, size_t at)
{
    while (at < identity->length && is_word_part(identity->data[at]))
        at++;
    return at;
}

/* TRUE, FALSE or NULL where these count as constants. */
static bool
is_constant_word(const struct identity *identity, size_t at, size_t end)
{
    static const char *const constants[] = { "true", "false", "null" };

    for (size_t i = 0; identity->keywords && i < COUNT_OF(constants); i++)
        if (strlen(constants[i]) == end - at &&
            strncasecmp(constants[i], identity->data + at, end - at) == 0)
            return true;
    return false;
}

/* Behind a parameter or a constant with its cast at at; at itself when it is none. */
static size_t
item_end(const struct identity *identity, size_t at)
{
    const char *data = identity->data;
    size_t length = identity->length;
    size_t end = at + 1;

    if (at < length && is_constant_word(identity, at, word_end(identity, at)))
        return word_end(identity, at);
    if (at >= length || (data[at] != MASK_LITERAL && data[at] != '$'))
        return at;
    if (data[at] == '$')
        while (end < length && isdigit((unsigned char)data[end]))
            end++;
    if (end + 2 < length && data[end] == ':' && data[end + 1] == ':')
        for (end += 2; end < length && is_word_part(data[end]);)
            end++;
    return end;
}

/* Behind ( item, item … ) at at, or at; how many items, and the cast of the first. */
static size_t
list_end(const struct identity *identity, size_t at, size_t *ret_count)
{
    size_t next = skip_blank(identity, at + 1);

    *ret_count = 0;
    if (at >= identity->length || identity->data[at] != '(')
        return at;
    for (;;) {
        size_t end = item_end(identity, next);

        if (end == next)
            return at;
        ++*ret_count;
        next = skip_blank(identity, end);
        if (next < identity->length && identity->data[next] == ')')
            return next + 1;
        if (next >= identity->length || identity->data[next] != ',')
            return at;
        next = skip_blank(identity, next + 1);
    }
}

static bool
is_after(const struct identity *identity, size_t at, const char *word)
{
    size_t length = strlen(word);

    if (at > 0 && identity->data[at - 1] == ' ')
        at--;
    return at >= length && strncasecmp(identity->data + at - length, word, length) == 0 &&
           (at == length || !is_word_part(identity->data[at - length - 1]));
}

/* A list of IN, or the rows of VALUES, whatever their number. Behind it, or at. */
static size_t
take_list(struct identity *identity, size_t at)
{
    bool is_rows = is_after(identity, at, "values");
    size_t count;
    size_t end = list_end(identity, at, &count);

    if (end == at || (!is_rows && !is_after(identity, at, "in")))
        return at;
    buffer_printf(identity->out, "(%c%zu)", MASK_LIST, is_rows ? count : 0);
    while (is_rows) {
        size_t next = skip_blank(identity, end);
        size_t more;
        size_t behind;

        if (next >= identity->length || identity->data[next] != ',')
            break;
        next = skip_blank(identity, next + 1);
        behind = list_end(identity, next, &more);
        if (behind == next || more != count)
            break;
        end = behind;
    }
    return end;
}

static size_t
take_param(struct identity *identity, size_t at)
{
    size_t end = at + 1;
    uint32_t number = 0;

    while (end < identity->length && isdigit((unsigned char)identity->data[end])) {
        if (number <= UINT16_MAX)
            number = number * 10 + (uint32_t)(identity->data[end] - '0');
        end++;
    }
    if (number > identity->most)
        number = 0;
    if (identity->seen)
        identity->seen[number] = 1;
    else
        buffer_printf(identity->out, "$%u", identity->ranks[number]);
    return end;
}

static size_t
take_word(struct identity *identity, size_t at)
{
    size_t end = word_end(identity, at);

    if (is_constant_word(identity, at, end)) {
        buffer_printf(identity->out, "%c", MASK_LITERAL);
        return end;
    }
    for (; at < end; at++) {
        char small = (char)tolower((unsigned char)identity->data[at]);

        buffer_append(identity->out, &small, 1);
    }
    return end;
}

static void
pass(struct identity *identity)
{
    const char *data = identity->data;

    for (size_t at = 0; at < identity->length;) {
        size_t end = at;

        if (data[at] == '"') {
            const char *close = memchr(data + at + 1, '"', identity->length - at - 1);

            end = close ? (size_t)(close - data) + 1 : identity->length;
            buffer_append(identity->out, data + at, end - at);
        } else if (data[at] == '$' && at + 1 < identity->length &&
                   isdigit((unsigned char)data[at + 1])) {
            end = take_param(identity, at);
        } else if (data[at] == '(') {
            end = take_list(identity, at);
        } else if (is_word_part(data[at])) {
            end = take_word(identity, at);
        }
        if (end == at)
            buffer_append(identity->out, data + end++, 1);
        at = end;
    }
}

const char *
mask_identity(struct arena *arena, const struct mask *mask, bool keywords)
{
    struct buffer first = { .arena = arena };
    struct buffer second = { .arena = arena };
    struct identity identity = {
        .data = mask->text.data,
        .length = mask->text.length,
        .keywords = keywords,
        .seen = arena_alloc(arena, mask->params + 1),
        .ranks = ARENA_ARRAY(arena, uint32_t, mask->params + 1),
        .most = mask->params,
        .out = &first,
    };
    uint32_t rank = 0;

    pass(&identity);
    for (size_t i = 0; i <= mask->params; i++)
        if (identity.seen[i])
            identity.ranks[i] = ++rank;
    identity.seen = NULL;
    identity.out = &second;
    pass(&identity);
    return buffer_text(&second);
}
