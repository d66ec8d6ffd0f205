/* A trace on the screen. */
#pragma once

#include "cli/command.h"
#include "migrate/trace/trace.h"

/* What was run where, and a line a revision. */
void trace_print_table(struct arena *arena, FILE *out, const struct trace *trace);

/* Everything that was seen of each revision. */
void trace_print_details(struct arena *arena, FILE *out, const struct trace *trace);

/* "with 2 failures, stopped at 8e2b": how it ended, as marked lines. */
void trace_print_end(struct arena *arena, FILE *out, const struct trace *trace);
