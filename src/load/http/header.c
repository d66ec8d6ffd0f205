/* The lines of an answer: status, headers, sizes of chunks. */
#include <strings.h>

#include "load/http/http_part.h"

/* More digits than any length that fits. */
enum { MOST_DECIMAL = 18, MOST_HEX = 15 };

static bool
fail(struct load_answer_reader *reader, const char *fault)
{
    reader->fault = fault;
    return false;
}

static bool
is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

/* Letters, digits and !#$%&'*+-.^_`|~ as bits: RFC 9110, 5.6.2. */
static bool
is_token(char letter)
{
    static const uint64_t tokens[2] = { UINT64_C(0x03ff6cfa00000000),
        UINT64_C(0x57ffffffc7fffffe) };
    unsigned char number = (unsigned char)letter;

    return number < 128 && (tokens[number / 64] >> (number % 64) & 1);
}

/* Neither NUL nor CR nor another control character but the tab. */
static bool
is_text(const char *at, const char *end)
{
    for (; at < end; at++) {
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
            return false;
    }
    return true;
}

bool
load_answer_status_line(struct load_answer_reader *reader, const char *at, const char *end)
{
    static const char start[] = "HTTP/1.";
    const char *digits = at + sizeof(start) + 1;

    /* "HTTP/1.1 200", then nothing or a space and the reason. */
    if (end - at < (ptrdiff_t)sizeof(start) + 4 || memcmp(at, start, sizeof(start) - 1) != 0 ||
        (digits[-2] != '1' && digits[-2] != '0') || digits[-1] != ' ' || !is_digit(digits[0]) ||
        !is_digit(digits[1]) || !is_digit(digits[2]) || (digits + 3 < end && digits[3] != ' ') ||
        !is_text(digits, end))
        return fail(reader, "the answer does not begin with a status line of HTTP/1.1");
    reader->status =
        (int16_t)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
    if (reader->status < 100 || reader->status > 599)
        return fail(reader, "the answer has a status that there is not");
    reader->is_old = digits[-2] == '0';
    reader->is_closing = reader->is_old;
    return true;
}

static bool
read_length(struct load_answer_reader *reader, const char *at, const char *end)
{
    int64_t number = 0;

    if (reader->left >= 0)
        return fail(reader, "the answer has two Content-Length headers");
    if (at == end || end - at > MOST_DECIMAL)
        return fail(reader, "the answer has a Content-Length that is no length");
    for (; at < end; at++) {
        if (!is_digit(*at))
            return fail(reader, "the answer has a Content-Length that is no length");
        number = number * 10 + (*at - '0');
    }
    reader->left = number;
    return true;
}

static bool
is_word(const char *at, const char *end, const char *word)
{
    return (size_t)(end - at) == strlen(word) && strncasecmp(at, word, strlen(word)) == 0;
}

/* "keep-alive, close": a list. */
static void
read_connection(struct load_answer_reader *reader, const char *at, const char *end)
{
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *last = comma ? comma : end;
        const char *next = comma ? comma + 1 : end;

        while (at < last && (*at == ' ' || *at == '\t'))
            at++;
        while (last > at && (last[-1] == ' ' || last[-1] == '\t'))
            last--;
        if (is_word(at, last, "close"))
            reader->is_closing = true;
        else if (is_word(at, last, "keep-alive") && reader->is_old)
            reader->is_closing = false;
        at = next;
    }
}

static void
read_statements(struct load_answer_reader *reader, const char *at, const char *end)
{
    int32_t number = 0;

    if (at == end || end - at > 9)
        return;
    for (; at < end; at++) {
        if (!is_digit(*at))
            return;
        number = number * 10 + (*at - '0');
    }
    reader->statements = number;
}

/* What matters to how the answer is read. Trailers do not. */
static bool
read_known(struct load_answer_reader *reader, const char *name, size_t length, const char *value,
    const char *end)
{
    if (reader->phase == ANSWER_TRAILERS)
        return true;
    if (length == 14 && strncasecmp(name, "Content-Length", 14) == 0)
        return read_length(reader, value, end);
    if (length == 10 && strncasecmp(name, "Connection", 10) == 0)
        read_connection(reader, value, end);
    if (length == 13 && strncasecmp(name, "X-Query-Count", 13) == 0)
        read_statements(reader, value, end);
    if (length != 17 || strncasecmp(name, "Transfer-Encoding", 17) != 0)
        return true;
    if (reader->is_chunked || reader->is_old || !is_word(value, end, "chunked"))
        return fail(reader, "the answer has a Transfer-Encoding other than \"chunked\"");
    reader->is_chunked = true;
    return true;
}

bool
load_answer_header_line(struct load_answer_reader *reader, const char *at, const char *end)
{
    const char *colon = at;
    const char *value;

    while (colon < end && is_token(*colon))
        colon++;
    if (colon == at || colon == end || *colon != ':')
        return fail(reader, "a header of the answer is none");
    if (!is_text(colon, end))
        return fail(reader, "a header of the answer has a control character");
    value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (reader->sink && reader->phase == ANSWER_HEADERS && reader->status >= 200)
        reader->sink->header(reader->sink, at, (size_t)(colon - at), value, (size_t)(end - value));
    return read_known(reader, at, (size_t)(colon - at), value, end);
}

bool
load_answer_size_line(struct load_answer_reader *reader, const char *at, const char *end)
{
    const char *start = at;
    int64_t size = 0;

    for (; at < end && text_hex_value(*at) >= 0; at++) {
        if (at - start == MOST_HEX)
            return fail(reader, "a chunk of the answer has no size");
        size = size * 16 + text_hex_value(*at);
    }
    /* Extensions are read over. */
    if (at == start || (at < end && *at != ';' && *at != ' ' && *at != '\t') || !is_text(at, end))
        return fail(reader, "a chunk of the answer has no size");
    reader->left = size;
    return true;
}
