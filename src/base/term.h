/* What the terminal can do. */
#pragma once

#include <stdio.h>

#include "base/base.h"

bool term_is_terminal(FILE *file);

/* Columns, 80 when unknown. */
int term_width(FILE *file);

/* A terminal, NO_COLOR not set, TERM not dumb, and not switched off by --no-color. */
bool term_has_color(FILE *file);
void term_disable_color(void);
