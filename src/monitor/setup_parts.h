/* What the file is once it is read: sections with their lines. setup.c reads, setup_take.c understands. */
#pragma once

#include "base/field.h"
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

/* One section while it is taken. */
struct setup_taking {
    struct ctx *ctx;
    struct setup_file *file;
    const struct setup_section *section;
    struct setup *setup;
};

/* The first line of that name in the section, or NULL. */
const struct setup_line *setup_line_of(const struct setup_taking *taking, const char *name);
/* Says it of the setting's line, or of the section's if the setting is missing or NULL. */
bool setup_refuse_at(const struct setup_taking *taking, const char *name, const char *what);
bool setup_refuse_missing(const struct setup_taking *taking, const char *name, const char *example);
/* "://user:secret@" or "password=secret" of a connection string. */
bool setup_holds_password(const char *url);
/* The setting holds what others may not read. */
void setup_mark_secret(const struct setup_taking *taking, const char *name);

struct setup_sink_words {
    const char *kind;
    const char *url;
    const char *url_file;
    const char *token_file;
    const char *token_env;
    const char *to;
    const char *from;
    const char *user;
    const char *program;
    bool allow_private;
    bool resolved;
    int64_t group_wait;
    int64_t repeat;
};

struct alert_rule;
/* setup_check.c: the table's rule of this name, or NULL. */
const struct alert_rule *setup_rule(const char *name);
bool setup_hint_rule(struct ctx *ctx, const char *name);
/* "a, b" and several lines of the same name. */
struct text_list setup_split(struct arena *arena, const struct text_list *given);
/* Names of a section may stand below it, so they are looked up when all are there. */
bool setup_check_names(const struct setup_taking *taking) MUST_CHECK;

enum { SETUP_SINK_FIELDS = 13 };
extern const struct field setup_sink_fields[SETUP_SINK_FIELDS];
bool setup_take_sink(const struct setup_taking *taking, const void *raw);

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
