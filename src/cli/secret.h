/* Where passwords stand in arguments and settings. */
#pragma once

#include "base/base.h"

/* Overwrites the passwords in a connection string or URL with "x"; true if there was one. */
bool secret_scrub(char *text);

/* Whether the setting of this name holds a password with this value. */
bool secret_is_in(const char *name, const char *value);
