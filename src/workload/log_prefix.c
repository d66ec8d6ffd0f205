/* Lines of the stderr log: log_line_prefix, a severity, the message. */
#include <ctype.h>

#include "workload/log_part.h"

enum { MOST_PARTS = 64, LONGEST_PREFIX = 1000 };

struct part {
    char escape; /* 0: a text */
    char text[LONGEST_PREFIX / 8];
    size_t length;
};

struct log_prefix {
    const char *format;
    struct part parts[MOST_PARTS];
    size_t count;
    bool has_vxid;
};

const char *const log_prefixes[] = {
    "%m [%p] %q[user=%u,db=%d,app=%a] ",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: [%l-1] user=%u,db=%d ",
    "%m [%p]: [%l-1] user=%u,db=%d ",
    "%m [%p]: [%l-1] %u@%d ",
    "%t [%p-%l] %q%u@%d ",
    "%m [%p] %q%u@%d/%a ",
    "%m [%p] %q%u@%d app=%a ",
    "%m [%p] %q%u@%d ",
    "%t [%p] %q%u@%d ",
    "%t:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:",
    "%t:%r:%u@%d:[%p]:",
    "%m [%p] [%v] ",
    "%m [%p] %c %l %v ",
    "%m [%c] ",
    "%m %c ",
    "%m [%p]: ",
    "%t [%p]: ",
    "%m [%p] ",
    "%t [%p] ",
    "%t %p ",
    "%m %p ",
    NULL,
};

static const char *const severities[] = { "LOG", "ERROR", "DETAIL", "STATEMENT", "WARNING",
    "NOTICE", "FATAL", "HINT", "CONTEXT", "INFO", "PANIC", "QUERY", "LOCATION", "BACKTRACE",
    "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4", "DEBUG5" };

static bool
add_text(struct log_prefix *prefix, char c)
{
    struct part *part = prefix->count > 0 ? &prefix->parts[prefix->count - 1] : NULL;

    if (!part || part->escape) {
        if (prefix->count == MOST_PARTS)
            return false;
        part = &prefix->parts[prefix->count++];
    }
    if (part->length + 1 >= sizeof(part->text))
        return false;
    part->text[part->length++] = c;
    return true;
}

static bool
add_escape(struct log_prefix *prefix, char escape)
{
    if (prefix->count == MOST_PARTS)
        return false;
    prefix->parts[prefix->count++].escape = escape;
    return true;
}

bool
log_prefix_new(struct ctx *ctx, const char *format, struct log_prefix **ret)
{
    struct log_prefix *prefix = ARENA_NEW(ctx->arena, struct log_prefix);
    bool is_short = true;
    bool has_session = false;

    prefix->format = arena_strdup(ctx->arena, format);
    for (const char *at = format; *at && is_short; at++) {
        if (*at != '%') {
            is_short = add_text(prefix, *at);
            continue;
        }
        at++;
        while (*at == '-' || isdigit((unsigned char)*at))
            at++;
        if (!*at)
            break;
        is_short = *at == '%' ? add_text(prefix, '%') : add_escape(prefix, *at);
        prefix->has_vxid = prefix->has_vxid || *at == 'v';
        has_session = has_session || *at == 'p' || *at == 'c';
    }
    *ret = prefix;
    if (!is_short)
        return error_set(ctx, ERR_INPUT, "the prefix of the log's lines is too long");
    if (has_session)
        return true;
    error_set(ctx, ERR_INPUT,
        "log_line_prefix '%s' has neither %%p nor %%c: sessions cannot be told apart", format);
    return error_hint(ctx, "set log_line_prefix = '%%m [%%p] %%q[user=%%u,db=%%d,app=%%a] ' on the "
                           "server and reload, or use jsonlog or csvlog");
}

const char *
log_prefix_format(const struct log_prefix *prefix)
{
    return prefix->format;
}

/* ---- matching ---- */

static bool
is_token_character(char escape, char c)
{
    if (strchr("plPxQi", escape))
        return isdigit((unsigned char)c) || (escape == 'Q' && c == '-');
    if (escape == 'c')
        return isxdigit((unsigned char)c) || c == '.';
    if (escape == 'v')
        return isdigit((unsigned char)c) || c == '/';
    if (escape == 'n')
        return isdigit((unsigned char)c) || c == '.';
    return isalnum((unsigned char)c);
}

static bool
is_free(char escape)
{
    return strchr("audrhbiL", escape) != NULL;
}

/* "1767225600.123" */
static int64_t
epoch_us(struct slice text)
{
    int64_t seconds = slice_number(text, 0);
    const char *point = memchr(text.data, '.', text.length);
    int64_t ms = 0;

    if (point)
        ms = slice_number(
            (struct slice){ point + 1, text.length - (size_t)(point + 1 - text.data) }, 0);
    return seconds * 1000000 + ms * 1000;
}

static void
take_escape(char escape, struct slice value, struct log_record *record)
{
    switch (escape) {
    case 'a':
        record->application = value;
        break;
    case 'u':
        record->user = value;
        break;
    case 'd':
        record->database = value;
        break;
    case 'p':
        record->pid = slice_number(value, -1);
        break;
    case 'c':
        record->session = value;
        break;
    case 'l':
        record->number = slice_number(value, 0);
        break;
    case 'v':
        record->vxid = value;
        break;
    case 'n':
        record->time_us = epoch_us(value);
        break;
    default:
        break;
    }
}

/* "LOG:  " and what is behind it. */
static bool
read_severity(const char *text, size_t length, struct log_record *record)
{
    const char *colon = memchr(text, ':', length < 24 ? length : 24);
    size_t word = colon ? (size_t)(colon - text) : 0;

    if (!colon || length - word < strlen(":  ") || colon[1] != ' ' || colon[2] != ' ')
        return false;
    for (size_t i = 0; i < word; i++)
        if (!isupper((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) &&
            (unsigned char)text[i] < 0x80)
            return false;
    if (word == 0)
        return false;
    record->severity = (struct slice){ text, word };
    record->message = (struct slice){ text + word + 3, length - word - 3 };
    return true;
}

struct matcher {
    const struct log_prefix *prefix;
    const char *line;
    size_t length;
    struct log_record *record;
    int steps; /* that are left: the work on a line that is made to be slow is bounded */
};

static bool match(struct matcher *matcher, size_t number, size_t at);

/* Names may hold anything: the shortest text after which the rest matches. */
static bool
match_free(struct matcher *matcher, size_t number, size_t at)
{
    size_t most = at + 400 < matcher->length ? at + 400 : matcher->length;

    for (size_t end = at; end <= most; end++) {
        struct slice value = { matcher->line + at, end - at };

        if (match(matcher, number + 1, end)) {
            while (value.length > 0 && value.data[value.length - 1] == ' ')
                value.length--;
            take_escape(matcher->prefix->parts[number].escape, value, matcher->record);
            return true;
        }
        if (matcher->steps <= 0)
            return false;
    }
    return false;
}

static size_t
time_end(const struct matcher *matcher, size_t at, char escape)
{
    int64_t us = 0;
    size_t length = log_time_read(matcher->line + at, matcher->length - at, &us);

    if (escape != 's')
        matcher->record->time_us = us;
    return at + length;
}

/* Behind the blanks that fill up a field (%-8p), if what follows is no blank itself. */
static size_t
padding_end(const struct matcher *matcher, size_t number, size_t at)
{
    const struct part *next = &matcher->prefix->parts[number + 1];

    if (number + 1 >= matcher->prefix->count || next->escape != 0 || next->text[0] == ' ')
        return at;
    while (at < matcher->length && matcher->line[at] == ' ')
        at++;
    return at;
}

static bool
match_text(const struct matcher *matcher, const struct part *part, size_t *at)
{
    if (matcher->length - *at < part->length ||
        memcmp(matcher->line + *at, part->text, part->length) != 0)
        return false;
    *at += part->length;
    return true;
}

/* What is told by its characters where it ends: a time, a number. */
static bool
match_field(const struct matcher *matcher, size_t number, size_t *at)
{
    char escape = matcher->prefix->parts[number].escape;
    size_t start = *at;
    size_t end;

    while (start < matcher->length && matcher->line[start] == ' ')
        start++;
    end = start;
    if (strchr("tms", escape))
        end = time_end(matcher, start, escape);
    else
        while (end < matcher->length && is_token_character(escape, matcher->line[end]))
            end++;
    /* The others may be empty. */
    if (end == start && strchr("tmsp", escape))
        return false;
    take_escape(escape, (struct slice){ matcher->line + start, end - start }, matcher->record);
    *at = padding_end(matcher, number, end);
    return true;
}

/* The rest of the line from the part of this number on, from this byte. */
static bool
match(struct matcher *matcher, size_t number, size_t at)
{
    for (; number < matcher->prefix->count; number++) {
        const struct part *part = &matcher->prefix->parts[number];

        if (matcher->steps-- <= 0)
            return false;
        if (part->escape == 0) {
            if (!match_text(matcher, part, &at))
                return false;
        } else if (part->escape == 'q') {
            /* Processes without a session write nothing that follows. */
            if (read_severity(matcher->line + at, matcher->length - at, matcher->record))
                return true;
        } else if (is_free(part->escape)) {
            return match_free(matcher, number, at);
        } else if (!match_field(matcher, number, &at)) {
            return false;
        }
    }
    return read_severity(matcher->line + at, matcher->length - at, matcher->record);
}

bool
log_prefix_match(
    const struct log_prefix *prefix, const char *line, size_t length, struct log_record *ret)
{
    struct matcher matcher = {
        .prefix = prefix, .line = line, .length = length, .record = ret, .steps = 4000
    };

    ret->has_vxid = prefix->has_vxid;
    return match(&matcher, 0, 0);
}

bool
log_severity_is_known(struct slice severity)
{
    for (size_t i = 0; i < COUNT_OF(severities); i++)
        if (slice_equal(severity, severities[i]))
            return true;
    return false;
}
