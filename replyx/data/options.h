/* What was typed. */
#pragma once

#include "base/field.h"

struct options {
    const char *db_url;
    const char *scale;
    int64_t seed;
    const char *now;
    const char *only;
    const char *to_file;
    bool fast;
    bool vacuum;
    bool quiet;
    bool help;
    bool version;
};

/* Fills options from the arguments; ERR_USAGE with the wrong one quoted. */
bool options_parse(struct ctx *ctx, int argc, char **argv, struct options *ret) MUST_CHECK;

void options_help(FILE *out);
