#include "replyx/logins.h"

#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "replyx/password.h"

enum {
    MOST_RUNNING = 4,  /* hashes at a time */
    MOST_WAITING = 64, /* and others that wait for one to end */
    BUCKETS = 4096,    /* names that share one are counted together */
    MODEL_SIZE = 256,
};

/* How many attempts there may be at once, and how long it is until one more is allowed. */
struct limit {
    int64_t each_us;
    int64_t burst;
};
static const struct limit email_limit = { .each_us = 30 * INT64_C(1000000), .burst = 10 };
static const struct limit address_limit = { .each_us = INT64_C(1000000), .burst = 100 };

struct logins {
    struct loop *loop;
    uint64_t seed;
    int32_t running;
    int32_t waiting;
    struct login *first;
    struct login **last;
    char model[MODEL_SIZE]; /* a hash as users have them */
    /* When the account, or the address, will be as if nothing had happened; the generic cell rate
       algorithm. */
    int64_t emails[BUCKETS];
    int64_t addresses[BUCKETS];
};

struct logins *
logins_new(struct loop *loop)
{
    /* Cost 10, of a password that nobody has; replaced by the first hash of a user that is seen. */
    static const char first_model[] =
        "$2b$10$KBPUkPgA0XkdUF5vXKTJ7u7rCG3VUSGdzPyV0u1HfqvtqJzbm7fVu";
    struct logins *logins = calloc(1, sizeof(*logins));

    if (!logins)
        memory_exhausted(0);
    logins->loop = loop;
    logins->last = &logins->first;
    random_bytes(&logins->seed, sizeof(logins->seed));
    memcpy(logins->model, first_model, sizeof(first_model));
    return logins;
}

void
logins_free(struct logins *logins)
{
    free(logins);
}

static size_t
bucket_of(const struct logins *logins, const char *name)
{
    uint64_t hash = logins->seed;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return (hash ^ hash >> 32) % BUCKETS;
}

static int64_t
wait_for(const struct limit *limit, int64_t free_us, int64_t now_us)
{
    int64_t wait_us = free_us - now_us - (limit->burst - 1) * limit->each_us;

    return wait_us > 0 ? wait_us : 0;
}

static void
count(const struct limit *limit, int64_t *free_us, int64_t now_us)
{
    *free_us = (*free_us > now_us ? *free_us : now_us) + limit->each_us;
}

bool
logins_try(struct logins *logins, const char *email, const char *address, int64_t now_us,
    int64_t *ret_wait_us)
{
    int64_t *email_us = &logins->emails[bucket_of(logins, email)];
    int64_t *address_us = address ? &logins->addresses[bucket_of(logins, address)] : NULL;
    int64_t for_email = wait_for(&email_limit, *email_us, now_us);
    int64_t for_address = address ? wait_for(&address_limit, *address_us, now_us) : 0;

    *ret_wait_us = for_email > for_address ? for_email : for_address;
    if (*ret_wait_us > 0)
        return false;
    count(&email_limit, email_us, now_us);
    if (address)
        count(&address_limit, address_us, now_us);
    return true;
}

void
logins_succeeded(struct logins *logins, const char *email, const char *address)
{
    logins->emails[bucket_of(logins, email)] -= email_limit.each_us;
    if (address)
        logins->addresses[bucket_of(logins, address)] -= address_limit.each_us;
}

static void checked(void *data, bool is_right);

static bool
start(struct logins *logins, struct login *login)
{
    if (login->hash && strlen(login->hash) < MODEL_SIZE)
        memcpy(logins->model, login->hash, strlen(login->hash) + 1);
    login->is_running = password_check(
        logins->loop, login->password, login->hash ? login->hash : logins->model, checked, login);
    logins->running += login->is_running;
    return login->is_running;
}

/* A place is free: who has waited longest gets it. */
static void
start_next(struct logins *logins)
{
    struct login *login = logins->first;

    if (!login)
        return;
    logins->first = login->next;
    if (!logins->first)
        logins->last = &logins->first;
    logins->waiting--;
    if (!start(logins, login))
        login->checked(login, false);
}

static void
checked(void *data, bool is_right)
{
    struct login *login = data;
    struct logins *logins = login->logins;

    logins->running--;
    /* It may be freed in there. */
    login->checked(login, is_right && login->hash);
    start_next(logins);
}

bool
logins_check(struct logins *logins, struct login *login)
{
    login->logins = logins;
    login->next = NULL;
    if (logins->running < MOST_RUNNING)
        return start(logins, login);
    if (logins->waiting >= MOST_WAITING)
        return false;
    *logins->last = login;
    logins->last = &login->next;
    logins->waiting++;
    return true;
}

bool
logins_leave(struct login *login)
{
    struct logins *logins = login->logins;
    struct login **at = &logins->first;

    if (login->is_running)
        return false;
    while (*at != login)
        at = &(*at)->next;
    *at = login->next;
    logins->waiting--;
    if (logins->last == &login->next)
        logins->last = at;
    return true;
}
