/*
 * Tells whoever runs replyx-api, in the log and once per change: the database is out of reach or back, it
 * is not set up for the API, row-level security does not hold for the role, the flags cannot be read.
 */
#pragma once

#include "replyx/api.h"

/* Asks the database at once, so that a wrong password is known before the first request. */
struct lookout *lookout_new(struct api *api);
void lookout_free(struct lookout *lookout);
