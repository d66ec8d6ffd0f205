/*
 * Ini files: sections, and settings in the order in which they stand, each with its line. What is wrong
 * in them is told as FILE:LINE. Sections and settings may come several times: whether they should is the
 * reader's to say.
 */
#pragma once

#include "base/ctx.h"
#include "base/vec.h"

struct ini_setting {
    const char *name;
    const char *value; /* without white space around it; further lines are joined by newlines */
    int32_t line;
    bool has_value; /* false: there is no "=" in the line, and value is "" */
    bool is_long;   /* it goes on over several lines */
};

struct ini_section {
    const char *title; /* "users web"; "" for what stands above the first section */
    const char *kind;  /* "users" */
    const char *name;  /* "web", or "" */
    int32_t line;
    VEC(struct ini_setting) settings;
};

struct ini_file {
    const char *path;
    enum error_kind kind; /* of errors about it */
    VEC(struct ini_section) sections;
};

struct ini_options {
    enum error_kind kind;
    const char *example; /* of a section's header, for hints: "[server main]" */
    /*
     * Lines that begin with white space go on with the value above, and " ;" is part of a value; else such
     * lines stand for themselves, and " ;" begins a comment.
     */
    bool has_long_values;
};

/* Comments are lines that begin with ";" or "#". A file without any section gives none. */
bool ini_file_parse(struct ctx *ctx, const char *path, const char *text, size_t length,
    const struct ini_options *options, struct ini_file *ret) MUST_CHECK;

/* The same of a file, of at most 1 MB. */
bool ini_file_read(struct ctx *ctx, const char *path, const struct ini_options *options,
    struct ini_file *ret) MUST_CHECK;

/* error_set() with "FILE:LINE: " before it. */
bool ini_file_refuse(struct ctx *ctx, const struct ini_file *file, int32_t line, const char *format,
    ...) PRINTF_LIKE(4, 5);
