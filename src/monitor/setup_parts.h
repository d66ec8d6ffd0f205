/* What the file is once it is read: sections with their lines. setup.c reads, setup_take.c understands. */
#pragma once

#include "monitor/setup.h"

struct setup_line {
    const char *name;
    const char *value;
    int line;
};

struct setup_section {
    const char *kind; /* "server" of [server NAME] */
    const char *name; /* "" if there is none */
    int line;
    VEC(struct setup_line) lines;
};

struct setup_file {
    const char *path;
    int secret_line;         /* the first that holds something to keep from others; 0: none */
    const char *secret_name; /* which setting that is */
    VEC(struct setup_section) sections;
};

/* error_set() with "file:line: " before it. */
bool setup_refuse(struct ctx *ctx, const struct setup_file *file, int line, const char *what);

/* Fills ret from all sections, and checks what they say of each other. */
bool setup_take(struct ctx *ctx, struct setup_file *file, struct setup *ret) MUST_CHECK;

/*
 * "Sun 02:00-04:00", "Mon,Tue 23:00-01:00", "daily 02:00-03:00": days as bits from Sunday = 1, and the
 * minutes of the day; the end is before the beginning when it goes over midnight.
 */
struct setup_week {
    unsigned days;
    int from_minute;
    int until_minute;
};
bool setup_parse_week(const char *text, struct setup_week *ret);
