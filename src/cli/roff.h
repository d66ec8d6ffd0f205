/* The pieces of a man page, in the macros of man(7). */
#pragma once

#include "cli/page.h"

/*
 * Text that roff takes as it is: no escapes, no control lines, and dashes that can be copied. An empty
 * line begins a paragraph; other lines are filled unless they are asked to stay.
 */
void roff_text(FILE *out, const char *text, bool keeps_lines);

/* A heading and its text. */
void roff_section(FILE *out, const char *title, const char *text);

/* A tagged paragraph: the tag in bold. */
void roff_tagged(FILE *out, const char *tag, const char *text);

/* A tagged paragraph an option. */
void roff_options(FILE *out, struct arena *arena, const struct field *fields, size_t count);

/* The first line of a page and its NAME; name is "pgmend-index-apply", section 1, 5 or 8. */
void roff_head(FILE *out, const char *name, int section, const char *summary);
