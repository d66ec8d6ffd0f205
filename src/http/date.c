#include "http/date.h"

void
http_date(char text[HTTP_DATE_SIZE], time_t time, const char *zone)
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
        "Oct", "Nov", "Dec" };
    struct tm tm;

    gmtime_r(&time, &tm);
    snprintf(text, HTTP_DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d %s", days[tm.tm_wday % 7],
        tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
        zone);
}
