/*
 * Errors of requests in the log: the first of its kind at once, and of those that follow how many there
 * were, each minute. When the database is down all requests fail, and the log is not to fill the disk.
 */
#pragma once

#include "base/error.h"
#include "event/loop.h"

struct complaints;

struct complaints *complaints_new(struct loop *loop);
void complaints_free(struct complaints *complaints);
/* name: of the endpoint, which lives for ever. */
void complaints_add(
    struct complaints *complaints, const char *name, int status, const struct error *error);
