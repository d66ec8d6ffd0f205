/* Which endpoint a path belongs to. */
#pragma once

#include "replyx/call.h"

struct route_match {
    const struct endpoint
        *endpoint; /* NULL: there is nothing at this path, or not by this method */
    int64_t numbers[CALL_MOST_NUMBERS];
    unsigned methods; /* that the path has */
};

/* Takes no memory. */
void route_find(const char *path, enum http_method method, struct route_match *ret);
