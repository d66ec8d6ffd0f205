/* What a flag says about a user. */
#include <string.h>

#include "base/crypto.h"
#include "flags/flags.h"

/* Ten thousand, so that a flag could be finer than percent without moving anybody. */
enum { BUCKETS = 10000, PER_PERCENT = 100, TEXT_SIZE = 512 };

/* The text is short, so it stands on the stack: this runs once a request. */
static uint64_t
digest_of(const char *salt, int64_t user)
{
    char text[TEXT_SIZE];
    unsigned char bytes[SHA256_SIZE];
    int length = snprintf(text, sizeof(text), "%s:%lld", salt, (long long)user);
    uint64_t number = 0;

    if (length >= (int)sizeof(text))
        length = (int)sizeof(text) - 1;
    sha256_bytes(text, (size_t)length, bytes);
    for (size_t i = 0; i < sizeof(number); i++)
        number = number << 8 | bytes[i];
    return number;
}

bool
flag_takes(const struct flag *flag, int64_t user)
{
    if (flag->percent <= 0)
        return false;
    return flag->percent >= 100 ||
           digest_of(flag->salt, user) % BUCKETS < (uint64_t)flag->percent * PER_PERCENT;
}

int32_t
flag_percent(const struct flag *flag, int64_t wall_us)
{
    return flag->until_us != 0 && wall_us >= flag->until_us ? flag->fallback : flag->percent;
}

const struct flag *
flag_find(const struct flag_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}
