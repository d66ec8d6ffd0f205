/* The progress line and the notes of the vector commands while they work. */
#pragma once

#include "cli/out.h"
#include "vector/vector.h"

struct vector_screen {
    const char *what; /* "tune": what the line begins with */
    struct progress progress;
    int64_t started_us;
    struct vector_observer observer;
};

/*
 * What the work shall tell its progress, until vector_screen_end(): NULL with --quiet. What is done
 * within a second draws no line. The screen must stay in place.
 */
const struct vector_observer *vector_screen_begin(struct vector_screen *screen, const char *what);
void vector_screen_end(struct vector_screen *screen);
