/* Times of a log, with their zone, and pieces of text. */
#include <ctype.h>
#include <strings.h>

#include "base/text.h"
#include "workload/log_part.h"

/* Zones that PostgreSQL writes by name, in minutes east; others are written as numbers. */
static const struct {
    const char *name;
    int minutes;
} zones[] = {
    { "UTC", 0 },
    { "GMT", 0 },
    { "Z", 0 },
    { "WET", 0 },
    { "WEST", 60 },
    { "BST", 60 },
    { "IST", 330 },
    { "CET", 60 },
    { "CEST", 120 },
    { "EET", 120 },
    { "EEST", 180 },
    { "MSK", 180 },
    { "SAST", 120 },
    { "PKT", 300 },
    { "WIB", 420 },
    { "HKT", 480 },
    { "AWST", 480 },
    { "JST", 540 },
    { "KST", 540 },
    { "ACST", 570 },
    { "ACDT", 630 },
    { "AEST", 600 },
    { "AEDT", 660 },
    { "NZST", 720 },
    { "NZDT", 780 },
    { "NST", -210 },
    { "NDT", -150 },
    { "AST", -240 },
    { "ADT", -180 },
    { "EST", -300 },
    { "EDT", -240 },
    { "CST", -360 },
    { "CDT", -300 },
    { "MST", -420 },
    { "MDT", -360 },
    { "PST", -480 },
    { "PDT", -420 },
    { "AKST", -540 },
    { "AKDT", -480 },
    { "HST", -600 },
};

bool
slice_equal(struct slice slice, const char *text)
{
    size_t length = strlen(text);

    return slice.length == length && (length == 0 || memcmp(slice.data, text, length) == 0);
}

bool
slice_starts_with(struct slice slice, const char *text)
{
    size_t length = strlen(text);

    return slice.length >= length && memcmp(slice.data, text, length) == 0;
}

int64_t
slice_number(struct slice slice, int64_t otherwise)
{
    int64_t number = 0;
    size_t at = 0;

    while (at < slice.length && at < 18 && isdigit((unsigned char)slice.data[at]))
        number = number * 10 + (slice.data[at++] - '0');
    return at > 0 ? number : otherwise;
}

/* Digits with a fixed number of places; -1: they are not. */
static int
digits(const char *text, int count)
{
    int number = 0;

    for (int i = 0; i < count; i++) {
        if (!isdigit((unsigned char)text[i]))
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

/* Days from 1970; source: Howard Hinnant, "chrono-compatible low-level date algorithms". */
static int64_t
days_from_civil(int64_t year, int month, int day)
{
    int64_t era;
    int64_t of_era;
    int64_t of_year;

    year -= month <= 2;
    era = (year >= 0 ? year : year - 399) / 400;
    of_era = year - era * 400;
    of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "+03", "-0530", "+05:30" */
static size_t
numeric_zone(const char *text, size_t length, int *ret_minutes)
{
    size_t at = 3;
    int hours = length >= 3 ? digits(text + 1, 2) : -1;
    int minutes = 0;

    if (hours < 0)
        return 0;
    if (length >= 6 && text[3] == ':' && digits(text + 4, 2) >= 0) {
        minutes = digits(text + 4, 2);
        at = 6;
    } else if (length >= 5 && digits(text + 3, 2) >= 0) {
        minutes = digits(text + 3, 2);
        at = 5;
    }
    *ret_minutes = (hours * 60 + minutes) * (text[0] == '-' ? -1 : 1);
    return at;
}

static size_t
read_zone(const char *text, size_t length, int *ret_minutes)
{
    size_t end = 0;

    *ret_minutes = 0;
    if (length > 0 && (text[0] == '+' || text[0] == '-'))
        return numeric_zone(text, length, ret_minutes);
    while (end < length && isupper((unsigned char)text[end]))
        end++;
    if (end > 5)
        return 0;
    for (size_t i = 0; i < COUNT_OF(zones); i++)
        if (strlen(zones[i].name) == end && memcmp(zones[i].name, text, end) == 0)
            *ret_minutes = zones[i].minutes;
    return end;
}

size_t
log_time_read(const char *text, size_t length, int64_t *ret_us)
{
    enum { SHORTEST = 19 };
    int parts[6];
    static const int places[] = { 0, 5, 8, 11, 14, 17 };
    size_t at = SHORTEST;
    int64_t us = 0;
    int minutes;
    size_t zone;

    if (length < SHORTEST)
        return 0;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        parts[i] = digits(text + places[i], i == 0 ? 4 : 2);
        if (parts[i] < 0)
            return 0;
    }
    if (text[4] != '-' || text[7] != '-' || text[10] != ' ' || text[13] != ':' || text[16] != ':' ||
        parts[1] < 1 || parts[1] > 12)
        return 0;
    if (at < length && text[at] == '.') {
        int64_t unit = 100000;

        for (at++; at < length && isdigit((unsigned char)text[at]); at++, unit /= 10)
            us += (text[at] - '0') * unit;
    }
    us += ((days_from_civil(parts[0], parts[1], parts[2]) * 24 + parts[3]) * 60 + parts[4]) *
              60000000 +
          (int64_t)parts[5] * 1000000;
    *ret_us = us;
    if (at >= length || text[at] != ' ')
        return at;
    zone = read_zone(text + at + 1, length - at - 1, &minutes);
    if (zone == 0)
        return at;
    *ret_us = us - (int64_t)minutes * 60000000;
    return at + 1 + zone;
}
