/* HTML pages that show texts of others. */
#pragma once

#include <stdio.h>

#include "base/text.h"

/* Writes the text with all that HTML could read as markup replaced; control characters as U+FFFD. */
void markup_text(FILE *out, const char *text);

/* The same, in the arena. */
const char *markup_escape(struct arena *arena, const char *text);

/* The same with `code` between backticks as <code>. */
void markup_prose(FILE *out, const char *text);

/* Writes a page with each slot ("{{title}}") replaced, whose text is markup already. */
struct markup_slot {
    const char *name;
    const char *text;
};
void markup_fill(FILE *out, const char *page, const struct markup_slot *slots, size_t slot_count);
