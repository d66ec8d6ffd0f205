/* Findings of "queries nplusone" and "queries trace": on the screen, and as a file for "queries rewrite". */
#pragma once

#include <stdio.h>

#include "cli/command.h"
#include "queries/finding.h"

struct query_findings_screen {
    const char *file; /* where they stand as JSON, for the next command; NULL: nowhere yet */
    const char *more; /* a sentence about what was not looked at; NULL: none */
    bool is_partial;  /* so much was not understood that finding nothing is no good news */
    const char *next; /* the next command when nothing was found; NULL: none */
};

/*
 * How many were found, worst first, each with what it rests on; what was looked at; the next command.
 * With --json the document.
 */
bool query_findings_show(struct ctx *ctx, const struct run *run,
    const struct query_findings *findings, const struct query_findings_screen *screen) MUST_CHECK;

/* "::warning …" lines for GitHub. */
void query_findings_print_github(
    struct arena *arena, FILE *out, const struct query_findings *findings);

/* Written beside the file and put in its place. */
bool query_findings_write(struct ctx *ctx, const char *path, const struct query_findings *findings)
    MUST_CHECK;
