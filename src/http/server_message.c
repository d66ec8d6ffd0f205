#include "http/server_message.h"

#include <strings.h>

static bool
is_token_byte(unsigned char byte)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
        (byte >= '0' && byte <= '9'))
        return true;
    return byte && strchr("!#$%&'*+-.^_`|~", byte);
}

static bool
is_token(const char *text)
{
    const char *at = text;

    while (is_token_byte((unsigned char)*at))
        at++;
    return *at == '\0' && at > text;
}

int64_t
http_head_find(const char *data, size_t length, size_t *scanned)
{
    const char *at = data + *scanned, *end = data + length;

    while (at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));

        if (!feed)
            break;
        if (feed == data || feed[-1] != '\r')
            return -1;
        if (feed - data >= 3 && feed[-2] == '\n')
            return feed + 1 - data;
        at = feed + 1;
    }
    *scanned = length;
    return 0;
}

static int
refuse(const char **ret_why, int status, const char *why)
{
    *ret_why = why;
    return status;
}

/* Cuts the line at its CR LF; NULL when there is another control character in it. */
static char *
cut_line(char **next)
{
    char *line = *next, *at = line;

    while ((unsigned char)*at >= ' ' || *at == '\t')
        at++;
    if (at[0] != '\r' || at[1] != '\n')
        return NULL;
    *at = '\0';
    *next = at + 2;
    return strchr(line, 0x7f) ? NULL : line;
}

static void
read_method(const char *name, struct http_head *head)
{
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {
        { "GET", HTTP_GET },
        { "HEAD", HTTP_GET },
        { "POST", HTTP_POST },
        { "PUT", HTTP_PUT },
        { "DELETE", HTTP_DELETE },
    };

    head->is_head = text_equal(name, "HEAD");
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (text_equal(name, methods[i].name))
            head->method = methods[i].method;
    }
}

/* "HTTP/1.1"; another version of HTTP is told from what is none. */
static int
read_version(const char *text, struct http_head *head, const char **ret_why)
{
    if (text_equal(text, "HTTP/1.1"))
        return 0;
    head->is_old = text_equal(text, "HTTP/1.0");
    if (head->is_old)
        return 0;
    if (strlen(text) == 8 && text_starts_with(text, "HTTP/") && text[5] >= '0' && text[5] <= '9' &&
        text[6] == '.' && text[7] >= '0' && text[7] <= '9')
        return refuse(ret_why, 505, "only HTTP/1.1 is spoken here");
    return refuse(ret_why, 400, "the request line does not end with HTTP/1.1");
}

/* The byte that %41 stands for, or -1; NUL is none. */
static int
escaped_byte(const char *at)
{
    int high = text_hex_value(at[1]), low = high < 0 ? -1 : text_hex_value(at[2]);

    return low < 0 || high + low == 0 ? -1 : high * 16 + low;
}

bool
http_decode(char *text, bool is_form)
{
    char *to = text;

    for (const char *at = text; *at; at++) {
        if (*at == '%') {
            int byte = escaped_byte(at);

            if (byte < 0)
                return false;
            *to++ = (char)byte;
            at += 2;
        } else {
            *to = *at;
            if (is_form && *at == '+')
                *to = ' ';
            to++;
        }
    }
    *to = '\0';
    return text_is_utf8(text);
}

/* Whether a proxy could see another path than we do: "..", an escaped slash, a control character. */
static bool
is_path_ambiguous(const char *path, bool is_decoded)
{
    for (const char *at = path; *at; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f || *at == '\\')
            return true;
        if (*at == '%' && !is_decoded &&
            (strncasecmp(at, "%2f", 3) == 0 || strncasecmp(at, "%5c", 3) == 0))
            return true;
        if (at[0] != '/' || at[1] != '.')
            continue;

        const char *after = at + (at[2] == '.' ? 3 : 2);

        if (*after == '/' || *after == '\0')
            return true;
    }
    return false;
}

/* "/path?query", "http://name/path?query" or, of OPTIONS, "*". */
static int
read_target(char *target, struct http_head *head, const char **ret_why)
{
    char *path = target;

    for (const char *at = target; *at; at++) {
        if (*at <= ' ' || *at > '~' || *at == '#')
            return refuse(ret_why, 400, "the target holds a character that it may not");
        if (*at == '%' && strncmp(at, "%00", 3) == 0)
            return refuse(ret_why, 400, "the target has a %00, which no text may hold");
        if (*at == '%' && escaped_byte(at) < 0)
            return refuse(ret_why, 400, "the target has a % without two hexadecimal digits");
    }
    if (strncasecmp(target, "http://", 7) == 0) {
        path = strchr(target + 7, '/');
        if (!path)
            return refuse(ret_why, 400, "the target has no path");
        /* One byte to the left, so that there is room for its end. */
        memmove(target, target + 7, (size_t)(path - target - 7));
        target[path - target - 7] = '\0';
        head->authority = target;
    }
    if (*path != '/' && (head->method || !text_equal(path, "*")))
        return refuse(ret_why, 400, "the target does not begin with a slash");

    char *question = strchr(path, '?');

    if (question) {
        *question = '\0';
        head->query = question + 1;
    }
    head->path = path;
    if (is_path_ambiguous(path, false) || !http_decode(path, false) ||
        is_path_ambiguous(path, true))
        return refuse(ret_why, 400, "the path can be understood in two ways");
    return 0;
}

static int
read_request_line(char *line, struct http_head *head, const char **ret_why)
{
    char *target = strchr(line, ' ');
    char *version = target ? strchr(target + 1, ' ') : NULL;

    if (!version)
        return refuse(ret_why, 400, "the request line is not METHOD TARGET HTTP/1.1");
    *target++ = '\0';
    *version++ = '\0';
    if (!is_token(line))
        return refuse(ret_why, 400, "the method is not a word");
    read_method(line, head);

    int status = read_version(version, head, ret_why);

    return status ? status : read_target(target, head, ret_why);
}

/* "name: value" without the white space around the value. */
static int
read_field(char *line, struct http_header *ret, const char **ret_why)
{
    char *colon = strchr(line, ':');
    char *end;

    if (*line == ' ' || *line == '\t')
        return refuse(ret_why, 400, "a header is folded");
    if (!colon)
        return refuse(ret_why, 400, "a header has no colon");
    *colon = '\0';
    if (!is_token(line))
        return refuse(ret_why, 400, "the name of a header is not a word followed by a colon");
    ret->name = line;
    ret->value = colon + 1 + strspn(colon + 1, " \t");
    for (end = colon + 1 + strlen(colon + 1); end > ret->value; end--) {
        if (end[-1] != ' ' && end[-1] != '\t')
            break;
    }
    *end = '\0';
    return 0;
}

/* Whether a header that is a list ("keep-alive, Upgrade") has the word. */
static bool
has_word(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; *at;) {
        size_t skipped = strspn(at, " \t,");
        size_t size = strcspn(at + skipped, " \t,");

        if (size == length && strncasecmp(at + skipped, word, length) == 0)
            return true;
        at += skipped + size;
    }
    return false;
}

static bool
read_length(const char *text, int64_t *ret)
{
    size_t digits = strspn(text, "0123456789");

    /* Neither a sign, nor a list, nor more digits than a file that anybody has. */
    return digits > 0 && digits < 16 && text[digits] == '\0' && text_to_int64(text, ret);
}

/* Headers that may be there once: a second one could be the one that another reader believes. */
enum single {
    SINGLE_HOST,
    SINGLE_LENGTH,
    SINGLE_ENCODING,
    SINGLE_EXPECT,
    SINGLE_AUTHORIZATION,
    SINGLE_ORIGIN,
    SINGLE_TYPE,
    SINGLE_COUNT
};

static bool
take_singles(const struct http_head *head, const char *values[SINGLE_COUNT])
{
    static const char *const names[] = { "Host", "Content-Length", "Transfer-Encoding", "Expect",
        "Authorization", "Origin", "Content-Type" };

    for (size_t i = 0; i < head->header_count; i++) {
        for (size_t j = 0; j < SINGLE_COUNT; j++) {
            if (strcasecmp(head->headers[i].name, names[j]) != 0)
                continue;
            if (values[j])
                return false;
            values[j] = head->headers[i].value;
        }
    }
    return true;
}

static void
read_connection(struct http_head *head)
{
    bool may_stay = !head->is_old, must_end = false;

    for (size_t i = 0; i < head->header_count; i++) {
        const char *value = head->headers[i].value;

        if (strcasecmp(head->headers[i].name, "Connection") != 0)
            continue;
        must_end = must_end || has_word(value, "close");
        may_stay = may_stay || has_word(value, "keep-alive");
    }
    head->is_last = must_end || !may_stay;
}

/* Where the request ends and whom it is for. */
static int
read_framing(struct http_head *head, const char **ret_why)
{
    const char *values[SINGLE_COUNT] = { 0 };
    const char *length, *encoding;

    if (!take_singles(head, values))
        return refuse(ret_why, 400, "a header that may be there once is there twice");
    read_connection(head);
    head->host = values[SINGLE_HOST];
    if (!head->host)
        return refuse(ret_why, 400, "there is no Host");
    if (head->authority && strcasecmp(head->authority, head->host) != 0)
        return refuse(ret_why, 400, "the target names another host than Host");
    length = values[SINGLE_LENGTH];
    encoding = values[SINGLE_ENCODING];
    if (length && encoding)
        return refuse(ret_why, 400, "the body has two lengths");
    if (length && !read_length(length, &head->length))
        return refuse(ret_why, 400, "Content-Length is not a number");
    if (encoding && (head->is_old || strcasecmp(encoding, "chunked") != 0))
        return refuse(ret_why, 400, "Transfer-Encoding is not just \"chunked\"");
    head->is_chunked = encoding;
    head->is_asking = values[SINGLE_EXPECT] && !head->is_old;
    if (values[SINGLE_EXPECT] && strcasecmp(values[SINGLE_EXPECT], "100-continue") != 0)
        return refuse(ret_why, 417, "Expect can be 100-continue only");
    return 0;
}

int
http_head_read(char *text, size_t length, struct http_head *ret, const char **ret_why)
{
    char *end = text + length - 2; /* of the last header: behind it is the empty line */
    char *next = text;
    char *line = cut_line(&next);
    int status = 0;

    if (!line)
        return refuse(ret_why, 400, "the request line holds a control character");
    if (next - line > HTTP_MOST_LINE)
        return refuse(ret_why, 414, "the target is too long");
    status = read_request_line(line, ret, ret_why);
    while (!status && next < end) {
        line = cut_line(&next);
        if (!line)
            return refuse(ret_why, 400, "a header holds a control character");
        if (ret->header_count == HTTP_MOST_HEADERS || next - line > HTTP_MOST_LINE)
            return refuse(ret_why, 431, "there are too many headers, or one is too long");
        status = read_field(line, &ret->headers[ret->header_count++], ret_why);
    }
    return status ? status : read_framing(ret, ret_why);
}

const char *
http_head_get(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->header_count; i++) {
        if (strcasecmp(head->headers[i].name, name) == 0)
            return head->headers[i].value;
    }
    return NULL;
}
