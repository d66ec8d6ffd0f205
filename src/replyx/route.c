#include "replyx/route.h"

#include <string.h>

/* As it is written when it is printed: no sign, no zero in front. 0: it is no id, or no row has it. */
static int64_t
read_id(const char **at)
{
    const char *start = *at;
    int64_t id = 0;

    while (**at >= '0' && **at <= '9' && id <= INT32_MAX)
        id = id * 10 + (*(*at)++ - '0');
    return *start == '0' || id > INT32_MAX ? 0 : id;
}

static bool
is_at(const char *pattern, const char *path, int64_t *numbers)
{
    while (*pattern) {
        if (*pattern == '{') {
            *numbers = read_id(&path);
            if (*numbers++ == 0)
                return false;
            pattern = strchr(pattern, '}') + 1;
        } else if (pattern[0] == '/' && pattern[1] == '*') {
            return *path == '/' || *path == '\0';
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

void
route_find(const char *path, enum http_method method, struct route_match *ret)
{
    ret->endpoint = NULL;
    ret->methods = 0;
    for (size_t i = 0; i < endpoint_count; i++) {
        int64_t numbers[CALL_MOST_NUMBERS] = { 0 };

        if (!is_at(endpoints[i]->path, path, numbers))
            continue;
        ret->methods |= endpoints[i]->methods;
        if (!(endpoints[i]->methods & method))
            continue;
        ret->endpoint = endpoints[i];
        memcpy(ret->numbers, numbers, sizeof(numbers));
        return;
    }
}
