/* How HTTP and mail write the time: English, whatever the locale is. */
#pragma once

#include <time.h>

#include "base/base.h"

enum { HTTP_DATE_SIZE = 48 };

/* "Mon, 23 Nov 2026 03:34:00 GMT"; in mail the zone is "+0000". */
void http_date(char text[HTTP_DATE_SIZE], time_t time, const char *zone);
