/* Passwords against hashes of libcrypt (bcrypt, yescrypt, …), in a thread, since one takes long. */
#pragma once

#include "event/loop.h"

enum { PASSWORD_MOST_LENGTH = 511 }; /* libcrypt's own limit */

typedef void password_checked(void *data, bool is_right);

/* checked is called once, from the loop. False: out of file descriptors, nothing will be called. */
bool password_check(struct loop *loop, const char *password, const char *hash,
    password_checked *checked, void *data) MUST_CHECK;
