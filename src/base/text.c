#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>

void
buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t needed = buffer->length + more + 1;

    if (needed <= buffer->capacity)
        return;

    size_t larger = buffer->capacity ? buffer->capacity * 2 : 256;
    char *grown = arena_alloc(buffer->arena, larger < needed ? needed : larger);

    if (buffer->length > 0)
        memcpy(grown, buffer->data, buffer->length);
    buffer->data = grown;
    buffer->capacity = larger < needed ? needed : larger;
}

void
buffer_append(struct buffer *buffer, const void *data, size_t length)
{
    buffer_reserve(buffer, length);
    if (length > 0)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
}

void
buffer_add(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

/* Straight into the room that there is: nothing is left behind in the arena. */
void
buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    buffer_reserve(buffer, 64);

    size_t room = buffer->capacity - buffer->length;
    int length = vsnprintf(buffer->data + buffer->length, room, format, args);

    if (length > 0 && (size_t)length >= room) {
        buffer_reserve(buffer, (size_t)length);
        (void)vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
    }
    buffer->length += length > 0 ? (size_t)length : 0;
    buffer->data[buffer->length] = '\0';
    va_end(again);
    va_end(args);
}

const char *
buffer_text(struct buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}

void
text_list_add(struct arena *arena, struct text_list *list, const char *text)
{
    if (list->count == list->capacity) {
        size_t larger = list->capacity ? list->capacity * 2 : 8;
        const char **grown = ARENA_ARRAY(arena, const char *, larger);

        for (size_t i = 0; i < list->count; i++)
            grown[i] = list->items[i];
        list->items = grown;
        list->capacity = larger;
    }
    list->items[list->count++] = text;
}

bool
text_list_has(const struct text_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (text_equal(list->items[i], text))
            return true;
    return false;
}

const char *
text_list_join(struct arena *arena, const struct text_list *list, const char *between)
{
    struct buffer buffer = { .arena = arena };

    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            buffer_add(&buffer, between);
        buffer_add(&buffer, list->items[i]);
    }
    return buffer_text(&buffer);
}

bool
text_equal(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    return strcmp(a, b) == 0;
}

bool
text_starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

bool
text_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

bool
text_is_empty(const char *text)
{
    return !text || !*text;
}

static size_t
smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

size_t
text_distance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    size_t row[LONGEST + 1];
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);

    if (a_length > LONGEST || b_length > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t above = row[j];
            size_t change = diagonal + (a[i - 1] != b[j - 1]);

            row[j] = smallest(above + 1, row[j - 1] + 1, change);
            diagonal = above;
        }
    }
    return row[b_length];
}

size_t
text_put_utf8(uint32_t point, char ret[4])
{
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char first[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

    for (size_t i = length - 1; i > 0; i--, point >>= 6)
        ret[i] = (char)(0x80 | (point & 0x3F));
    ret[0] = (char)(first[length] | point);
    return length;
}

int
text_hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Reads one code point; a byte that is not UTF-8 counts as one. */
static size_t
decode(const unsigned char *at, uint32_t *ret_point)
{
    size_t length = at[0] < 0xC0 || at[0] > 0xF7 ? 1 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    uint32_t point = length == 1 ? at[0] : at[0] & (0xFFu >> (length + 1));

    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            *ret_point = at[0];
            return 1;
        }
        point = (point << 6) | (at[i] & 0x3Fu);
    }
    *ret_point = point;
    return length;
}

bool
text_is_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at) {
        uint32_t point;
        size_t length = decode(at, &point);
        /* Too long a form, a surrogate, or beyond Unicode. */
        uint32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : length == 4 ? 0x10000 : 0;

        if ((length == 1 && *at >= 0x80) || point < least || point > 0x10FFFF ||
            (point >= 0xD800 && point <= 0xDFFF))
            return false;
        at += length;
    }
    return true;
}

static size_t
point_width(uint32_t point)
{
    if (point == 0x200D || (point >= 0x300 && point <= 0x36F) ||
        (point >= 0xFE00 && point <= 0xFE0F))
        return 0;
    if ((point >= 0x1100 && point <= 0x115F) || (point >= 0x2E80 && point <= 0xA4CF) ||
        (point >= 0xAC00 && point <= 0xD7A3) || (point >= 0xF900 && point <= 0xFAFF) ||
        (point >= 0xFE30 && point <= 0xFE6F) || (point >= 0xFF00 && point <= 0xFF60) ||
        (point >= 0x1F300 && point <= 0x1FAFF) || (point >= 0x20000 && point <= 0x3FFFD))
        return 2;
    return 1;
}

size_t
text_width(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t width = 0;

    while (*at) {
        uint32_t point;

        at += decode(at, &point);
        width += point_width(point);
    }
    return width;
}

const char *
text_from_bytes(struct arena *arena, int64_t bytes)
{
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB", "PB" };
    double amount = (double)bytes;
    size_t unit = 0;

    if (bytes > -1024 && bytes < 1024)
        return arena_printf(arena, "%" PRId64 " bytes", bytes);
    while (fabs(amount) >= 1023.95 && unit + 1 < COUNT_OF(units)) {
        amount /= 1024;
        unit++;
    }
    return arena_printf(arena, fabs(amount) < 9.95 ? "%.1f %s" : "%.0f %s", amount, units[unit]);
}

const char *
text_from_us(struct arena *arena, int64_t us)
{
    int64_t seconds = us / 1000000 + (us % 1000000 >= 500000);

    /* The limits lie where rounding would give "1000 ms" or "60.0 s". */
    if (us < 1000)
        return arena_printf(arena, "%" PRId64 " µs", us);
    if (us < 999500)
        return arena_printf(arena, us < 99950 ? "%.1f ms" : "%.0f ms", (double)us / 1000);
    if (us < 59950000)
        return arena_printf(arena, "%.1f s", (double)us / 1e6);
    if (seconds < 3600)
        return arena_printf(arena, "%" PRId64 " min %" PRId64 " s", seconds / 60, seconds % 60);
    if (seconds < 86400)
        return arena_printf(
            arena, "%" PRId64 " h %" PRId64 " min", seconds / 3600, seconds / 60 % 60);
    return arena_printf(arena, "%" PRId64 " d %" PRId64 " h", seconds / 86400, seconds / 3600 % 24);
}

/* What no shell reads otherwise, wherever in a word it stands. */
static bool
is_plain_in_shell(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || (unsigned char)letter >= 0x80 ||
           (letter && strchr("_-./:,@%+=", letter));
}

const char *
text_shell(struct arena *arena, const char *word)
{
    struct buffer buffer = { .arena = arena };
    bool has_control = false;
    bool is_plain = *word != '\0';

    for (const char *at = word; *at; at++) {
        is_plain &= is_plain_in_shell(*at);
        has_control |= (unsigned char)*at < ' ' || *at == 0x7f;
    }
    if (is_plain)
        return word;
    /* A control character would be done by the terminal, not shown; $'…' is of bash, zsh, ksh and POSIX 2024. */
    buffer_add(&buffer, has_control ? "$'" : "'");
    for (const char *at = word; *at; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            buffer_printf(&buffer, "\\%03o", (unsigned)*at);
        else if (has_control && (*at == '\'' || *at == '\\'))
            buffer_printf(&buffer, "\\%c", *at);
        else if (*at == '\'')
            buffer_add(&buffer, "'\\''");
        else
            buffer_append(&buffer, at, 1);
    }
    buffer_add(&buffer, "'");
    return buffer_text(&buffer);
}

const char *
text_shell_words(struct arena *arena, const struct text_list *words)
{
    struct text_list quoted = { 0 };

    for (size_t i = 0; i < words->count; i++)
        text_list_add(arena, &quoted, text_shell(arena, words->items[i]));
    return text_list_join(arena, &quoted, " ");
}

const char *
text_from_count(struct arena *arena, int64_t count)
{
    const char *digits = arena_printf(arena, "%" PRId64, count);
    size_t sign = count < 0;
    size_t length = strlen(digits) - sign;
    struct buffer buffer = { .arena = arena };

    buffer_append(&buffer, digits, sign);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            buffer_add(&buffer, " ");
        buffer_append(&buffer, digits + sign + i, 1);
    }
    return buffer_text(&buffer);
}

const char *
text_from_ratio(struct arena *arena, double number)
{
    if (fabs(number) >= 999.5 && fabs(number) < 9e15)
        return text_from_count(arena, llround(number));
    return arena_printf(arena, "%.3g", number);
}

struct unit {
    const char *name;
    int64_t factor;
};

/* A whole number is multiplied as such: a double has too few digits for it. */
static bool
multiply(const char *text, const char *end, int64_t factor, int64_t *ret)
{
    char *whole_end;
    long long whole = strtoll(text, &whole_end, 10);
    int64_t product;
    double amount;

    if (whole_end == end && !errno) {
        if (__builtin_mul_overflow(whole, factor, &product))
            return false;
        *ret = product;
        return true;
    }
    errno = 0;
    amount = strtod(text, NULL) * (double)factor;
    if (errno || !(amount < 9.2e18))
        return false;
    *ret = (int64_t)llround(amount);
    return true;
}

/* A number and a unit after it; space between them is allowed. */
static bool
read_amount(const char *text, const struct unit *units, size_t count, int64_t *ret)
{
    const char *unit;
    char *end;

    if (!isdigit((unsigned char)*text) && *text != '.')
        return false;
    (void)strtod(text, &end);
    if (end == text)
        return false;
    errno = 0;
    unit = end + strspn(end, " ");
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(unit, units[i].name) == 0)
            return multiply(text, end, units[i].factor, ret);
    return false;
}

bool
text_to_bytes(const char *text, int64_t *ret_bytes)
{
    static const struct unit units[] = {
        { "", 1 },
        { "B", 1 },
        { "bytes", 1 },
        { "k", 1024 },
        { "kB", 1024 },
        { "M", 1048576 },
        { "MB", 1048576 },
        { "G", 1073741824 },
        { "GB", 1073741824 },
        { "T", 1099511627776 },
        { "TB", 1099511627776 },
    };

    return read_amount(text, units, COUNT_OF(units), ret_bytes);
}

bool
text_to_us(const char *text, int64_t *ret_us)
{
    static const struct unit units[] = {
        { "", 1000000 },
        { "us", 1 },
        { "ms", 1000 },
        { "s", 1000000 },
        { "m", 60000000 },
        { "min", 60000000 },
        { "h", 3600000000 },
        { "d", 86400000000 },
    };

    return read_amount(text, units, COUNT_OF(units), ret_us);
}

bool
text_to_int64(const char *text, int64_t *ret_number)
{
    char *end;

    if (!isdigit((unsigned char)*text) && *text != '-' && *text != '+')
        return false;
    errno = 0;

    long long number = strtoll(text, &end, 10);

    if (errno || end == text || *end)
        return false;
    *ret_number = number;
    return true;
}

bool
text_to_double(const char *text, double *ret_number)
{
    char *end;

    if (!*text || isspace((unsigned char)*text))
        return false;
    errno = 0;

    double number = strtod(text, &end);

    if (errno == ERANGE || end == text || *end)
        return false;
    *ret_number = number;
    return true;
}
