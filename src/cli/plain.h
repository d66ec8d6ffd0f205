/*
 * A program without commands: its options come from one table, and each is also a variable of the
 * environment and a setting of an ini file, as it is with pgmend's own.
 */
#pragma once

#include <stdio.h>

#include "base/field.h"

struct plain {
    const char *program;  /* "replyx-api"; also the only section of its file */
    const char *prefix;   /* of variables: "REPLYX_API_" */
    const char *summary;  /* one line, lower case, no full stop */
    const char *about;    /* sentences, wrapped by us */
    const char *examples; /* lines, or NULL */
    const char
        *variable; /* that the first list is taken from in the end: "DATABASE_URL", or NULL */
    const struct field *fields;
    size_t field_count;
};

/*
 * Defaults < file < environment < arguments (without the program's name). The file is the value of the
 * option "config", if there is one. ERR_USAGE, or ERR_CONFIG with file and line. When an option help, man
 * or version is given nothing else is looked at.
 */
bool plain_parse(
    struct ctx *ctx, const struct plain *plain, int argc, char **argv, void *ret_object) MUST_CHECK;

void plain_help(FILE *out, const struct plain *plain);
/* Its man page, of section 8: a program that a service manager starts. */
void plain_man(FILE *out, const struct plain *plain);
/* Warns of variables of the environment that begin like settings and are none. */
void plain_warn(struct arena *arena, const struct plain *plain);
