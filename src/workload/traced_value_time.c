/* Dates and times in binary form. */
#include <inttypes.h>

#include "workload/traced_value_part.h"

enum { DAYS_TO_2000 = 730425, DAYS_400_YEARS = 146097 };

#define US_SECOND INT64_C(1000000)
#define US_DAY    (86400 * US_SECOND)

/* A day as year, month and day; source: Hinnant, "chrono-compatible low-level date algorithms". */
struct day {
    int64_t year;
    int month;
    int day;
};

static struct day
day_of(int64_t days_since_2000)
{
    /* Counted from 0000-03-01, so that a leap day is the last of its year. */
    int64_t days = days_since_2000 + DAYS_TO_2000;
    int64_t era = (days >= 0 ? days : days - (DAYS_400_YEARS - 1)) / DAYS_400_YEARS;
    int64_t of_era = days - era * DAYS_400_YEARS;
    int64_t year_of_era =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / (DAYS_400_YEARS - 1)) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct day day = {
        .year = year_of_era + era * 400,
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(of_year - (153 * month + 2) / 5 + 1),
    };

    if (day.month <= 2)
        day.year++;
    return day;
}

static void
add_day(struct buffer *buffer, const struct day *day)
{
    buffer_printf(buffer, "%04" PRId64 "-%02d-%02d", day->year > 0 ? day->year : 1 - day->year,
        day->month, day->day);
}

static void
add_clock(struct buffer *buffer, int64_t us)
{
    int64_t fraction = us % US_SECOND;
    int64_t seconds = us / US_SECOND;
    int digits = 6;

    buffer_printf(buffer, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
        (int)(seconds % 60));
    if (fraction == 0)
        return;
    for (; fraction % 10 == 0; fraction /= 10)
        digits--;
    buffer_printf(buffer, ".%0*d", digits, (int)fraction);
}

void
value_add_date(struct buffer *buffer, int32_t days)
{
    struct day day;

    if (days == INT32_MAX || days == INT32_MIN) {
        buffer_add(buffer, days == INT32_MAX ? "infinity" : "-infinity");
        return;
    }
    day = day_of(days);
    add_day(buffer, &day);
    if (day.year <= 0)
        buffer_add(buffer, " BC");
}

bool
value_add_time(struct buffer *buffer, int64_t us)
{
    if (us < 0 || us > US_DAY)
        return false;
    add_clock(buffer, us);
    return true;
}

void
value_add_timestamp(struct buffer *buffer, int64_t us, bool has_zone)
{
    int64_t days = us / US_DAY;
    int64_t rest = us % US_DAY;
    struct day day;

    if (us == INT64_MAX || us == INT64_MIN) {
        buffer_add(buffer, us == INT64_MAX ? "infinity" : "-infinity");
        return;
    }
    if (rest < 0) {
        rest += US_DAY;
        days--;
    }
    day = day_of(days);
    add_day(buffer, &day);
    buffer_add(buffer, " ");
    add_clock(buffer, rest);
    /* The session's time zone is not known here: as one in UTC has it. */
    if (has_zone)
        buffer_add(buffer, "+00");
    if (day.year <= 0)
        buffer_add(buffer, " BC");
}
