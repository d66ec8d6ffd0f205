/* What of a dump is run, and what is left out. */
#pragma once

#include "base/ctx.h"

enum load_verdict {
    LOAD_RUN,       /* it defines something */
    LOAD_SCHEMA,    /* CREATE SCHEMA: before the extensions */
    LOAD_EXTENSION, /* CREATE EXTENSION: before everything else */
    LOAD_PATH,      /* it sets the search_path for what follows */
    LOAD_SKIP,      /* no plan depends on it: rights, owners, comments, rows, settings */
    LOAD_REFUSE,    /* it would run code, or reach outside of the database */
};

struct load_statement {
    enum load_verdict verdict;
    const char *sql;       /* what is run; of LOAD_PATH the new value */
    const char *label;     /* its first words with the name, for messages */
    const char *extension; /* of LOAD_EXTENSION, as it is spelled without quotes */
    const char *schema;    /* where the extension goes, or NULL */
    const char *why;       /* of LOAD_REFUSE, a clause */
};

/*
 * Reads one statement by its tokens, so that syntax newer than the parser is no hindrance. ERR_INPUT when
 * it has no tokens.
 */
bool schema_load_judge(struct ctx *ctx, const char *sql, struct load_statement *ret) MUST_CHECK;
