/*
 * Signing in by password is dear, and the way in for who guesses: few hashes are computed at a time, and
 * who has failed too often, from an address or at an account, waits.
 */
#pragma once

#include "event/loop.h"

struct logins;

struct logins *logins_new(struct loop *loop);
/* Nothing that waits is called any more. */
void logins_free(struct logins *logins);

/*
 * Counts an attempt; false, with the time until the next one is allowed, when there were too many that
 * failed: 10 at an account, then one in 30 s; 100 from an address, then one a second. An address that is
 * NULL is not known, and not counted.
 */
bool logins_try(struct logins *logins, const char *email, const char *address, int64_t now_us,
    int64_t *ret_wait_us) MUST_CHECK;
/* The attempt was good: it does not count. */
void logins_succeeded(struct logins *logins, const char *email, const char *address);

/* A password to be checked; lives until checked() was called. */
struct login {
    struct logins *logins;
    const char *password;
    /* NULL: there is no such user. Then as much time is taken as for the others. */
    const char *hash;
    void (*checked)(struct login *login, bool is_right);
    struct login *next; /* ours, as all below */
    bool is_running;
};

/* False: too many are being checked already. */
bool logins_check(struct logins *logins, struct login *login) MUST_CHECK;
/*
 * The client has gone: one that waits is forgotten. False: it is being checked right now, and checked()
 * comes as always, so that who hangs up does not get round the limit.
 */
bool logins_leave(struct login *login) MUST_CHECK;
