/* The context of one piece of work: where its results live, and why it failed. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

struct ctx {
    struct arena *arena; /* results of this piece of work */
    struct error error;  /* set when a function returned false */
};
