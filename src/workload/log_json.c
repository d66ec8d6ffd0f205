/*
 * A line of a jsonlog: one flat object of texts and numbers. Read by hand, as a million of them are,
 * and as texts of a database in SQL_ASCII need not be UTF-8, which a JSON library refuses.
 */
#include "workload/log_part.h"

struct json_line {
    char *at;
    const char *end;
};

/* The next one that is no blank; 0 at the end. */
static char
peek(struct json_line *line)
{
    while (line->at < line->end && strchr(" \t\r", *line->at))
        line->at++;
    return (char)(line->at < line->end ? *line->at : '\0');
}

/* Goes behind it if it comes next. */
static bool
take(struct json_line *line, char c)
{
    if (peek(line) != c)
        return false;
    line->at++;
    return true;
}

/* \u001f: PostgreSQL writes control characters so, and nothing else. */
static char *
put_code(char *out, const char *digits)
{
    unsigned code = 0;

    for (int i = 0; i < 4; i++) {
        int digit = text_hex_value(digits[i]);

        if (digit < 0)
            return out;
        code = code * 16 + (unsigned)digit;
    }
    return out + text_put_utf8(code, out);
}

/* Behind the opening quote; unescapes in place. False: the quote is not closed. */
static bool
read_string(struct json_line *line, struct slice *ret)
{
    static const char letters[] = "bfnrt";
    static const char controls[] = "\b\f\n\r\t";
    char *out = line->at;

    ret->data = line->at;
    while (line->at < line->end && *line->at != '"') {
        const char *known;

        if (*line->at != '\\') {
            *out++ = *line->at++;
            continue;
        }
        if (++line->at >= line->end)
            break;
        if (*line->at == 'u' && line->end - line->at > 4) {
            out = put_code(out, line->at + 1);
            line->at += 5;
            continue;
        }
        known = strchr(letters, *line->at);
        *out++ = (char)(known && *line->at ? controls[known - letters] : *line->at);
        line->at++;
    }
    ret->length = (size_t)(out - ret->data);
    if (line->at >= line->end)
        return false;
    line->at++;
    return true;
}

struct slice
log_json_text(char *at, const char *end)
{
    struct json_line line;
    struct slice text;

    line.at = at;
    line.end = end;
    (void)read_string(&line, &text);
    return text;
}

/* A number, true, false or null. */
static void
read_word(struct json_line *line, struct slice *ret)
{
    ret->data = line->at;
    while (line->at < line->end && !strchr(",}", *line->at))
        line->at++;
    ret->length = (size_t)(line->at - ret->data);
}

static void
take_member(struct log_record *record, struct slice key, struct slice value)
{
    switch (key.length * 256 + (unsigned char)key.data[0]) {
    case 9 * 256 + 't': /* timestamp */
        log_time_read(value.data, value.length, &record->time_us);
        break;
    case 4 * 256 + 'u':
        record->user = value;
        break;
    case 6 * 256 + 'd': /* dbname, detail */
        if (slice_equal(key, "dbname"))
            record->database = value;
        else
            record->detail = value;
        break;
    case 3 * 256 + 'p':
        record->pid = slice_number(value, -1);
        break;
    case 10 * 256 + 's':
        if (slice_equal(key, "session_id"))
            record->session = value;
        break;
    case 8 * 256 + 'l':
        record->number = slice_number(value, 0);
        break;
    case 4 * 256 + 'v':
        record->vxid = value;
        break;
    case 14 * 256 + 'e':
        record->severity = value;
        break;
    case 7 * 256 + 'm':
        record->message = value;
        break;
    case 9 * 256 + 's':
        record->statement = value;
        break;
    case 16 * 256 + 'a':
        record->application = value;
        break;
    default:
        break;
    }
}

/* False: the text is not closed. */
static bool
read_value(struct json_line *line, struct slice *ret)
{
    if (take(line, '"'))
        return read_string(line, ret);
    read_word(line, ret);
    return true;
}

/* A member and its comma. False: the line ends in it; what is there of its value is taken. */
static bool
read_member(struct json_line *line, struct log_record *record)
{
    struct slice key = { 0 };
    struct slice value = { 0 };
    bool is_whole;

    if (!take(line, '"') || !read_string(line, &key) || !take(line, ':'))
        return false;
    is_whole = read_value(line, &value);
    if (key.length > 0)
        take_member(record, key, value);
    return is_whole && (take(line, ',') || peek(line) == '}');
}

bool
log_json_read(char *text, size_t length, struct log_record *ret)
{
    struct json_line line;

    line.at = text;
    line.end = text + length;
    ret->has_vxid = true;
    if (!take(&line, '{'))
        return false;
    while (!take(&line, '}'))
        if (!read_member(&line, ret))
            return ret->is_cut && ret->message.length > 0;
    return ret->severity.length > 0 && ret->time_us != 0;
}
