/* Whether a database answers: asked for by who takes over from a program that works. */
#pragma once

#include "event/loop.h"
#include "replyx/settings.h"

struct trial;

/* Tries all hosts again and again; found is called once, from the loop, when one has let us in. */
struct trial *trial_new(
    struct loop *loop, const struct settings *settings, loop_callback *found, void *data);
void trial_free(struct trial *trial);
