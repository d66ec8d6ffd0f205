/* What help, man pages and the command reference share. */
#pragma once

#include "cli/option.h"

/* Prints words broken at the width; the first line starts at column, the others at the indent. */
void page_wrap(FILE *out, const char *text, size_t column, size_t indent, size_t width);

/* "--min-size SIZE", "--[no-]backup", in the arena. */
const char *page_option(struct arena *arena, const struct field *field);

/* The help with default, choices and repetition added: "…; one of a, b (default: a)". */
const char *page_option_help(struct arena *arena, const struct field *field);

/* Whether the line of the list is shown: a command, or a title with commands below it. */
bool page_shows_line(size_t index);

/* "pgmend index lint [OPTION]... FILE.sql ...", in the arena. */
const char *page_usage(struct arena *arena, const struct command *command);

/* What the database session may do, as a sentence; NULL for a command without database. */
const char *page_access(const struct command *command);

/* Exit statuses of the program and what they mean, in rising order. */
struct page_status {
    int status;
    const char *meaning;
};
extern const struct page_status page_statuses[];
extern const size_t page_status_count;

extern const char page_about[];
extern const char page_configuration[];
extern const char page_environment[];
/* The day of the release, "2026-11-24": man pages name it. It changes with the version. */
extern const char page_date[];
