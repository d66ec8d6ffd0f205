#include "monitor/setup_parts.h"

static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

/* "02:00" and what follows it. */
static const char *
read_minute(const char *text, int *ret)
{
    for (int i = 0; i < 5; i++)
        if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
            return NULL;

    int hour = (text[0] - '0') * 10 + text[1] - '0';
    int minute = (text[3] - '0') * 10 + text[4] - '0';

    *ret = hour * 60 + minute;
    return minute < 60 && *ret <= 24 * 60 ? text + 5 : NULL;
}

static const char *
read_days(const char *text, unsigned *ret)
{
    size_t length = strcspn(text, " ,");

    for (size_t i = 0; i < COUNT_OF(days); i++)
        if (length == 3 && strncasecmp(days[i], text, 3) == 0)
            *ret |= 1u << i;
    if (length == 5 && strncasecmp("daily", text, 5) == 0)
        *ret = 0x7f;
    return text + length;
}

bool
setup_parse_week(const char *text, struct setup_week *ret)
{
    struct setup_week week = { 0 };

    for (;;) {
        unsigned before = week.days;

        text = read_days(text, &week.days);
        if (week.days == before)
            return false;
        if (*text != ',')
            break;
        text += 1 + strspn(text + 1, " ");
    }
    text += strspn(text, " ");
    text = read_minute(text, &week.from_minute);
    if (!text)
        return false;
    text += strspn(text, " ");
    if (*text++ != '-')
        return false;
    text += strspn(text, " ");
    text = read_minute(text, &week.until_minute);
    if (!text || *text || week.from_minute == week.until_minute)
        return false;
    *ret = week;
    return true;
}
