/* Advice on indexes for people. */
#pragma once

#include "cli/command.h"
#include "index/advice/advice.h"

struct index_advice_shown {
    const char *plan;   /* file that was written, or NULL */
    const char *script; /* file that was written, or NULL */
    size_t left;        /* proposals that are not in the plan */
    bool has_trail;     /* how the choice was made, step by step */
    bool is_verbose;    /* all statements, also those that could not be planned */
};

void index_advice_print(struct ctx *ctx, FILE *out, const struct advice *advice,
    const struct index_advice_shown *shown);
