/*
 * Members of a result that is read from a file which anybody may have written: everything is looked at,
 * and what is wrong is ERR_INPUT with the place in the document.
 */
#pragma once

#include "load/result/fields.h"

struct load_reading {
    struct ctx *ctx;
    const char *path;
    struct load_record *record;
    bool has_slices; /* how many there are is known from an earlier script */
    char where[64];  /* "scripts[3]", or "" for the document itself */
};

/* Sets the error; returns false. */
bool load_parse_refuse(const struct load_reading *reading, const char *key, const char *what);

/* key names the value in errors. */
bool load_parse_number(const struct load_reading *reading, const json_t *value, const char *key,
    int64_t *ret) MUST_CHECK;
bool load_parse_texts(const struct load_reading *reading, const json_t *value, const char *key,
    struct text_list *ret) MUST_CHECK;
bool load_parse_fields(const struct load_reading *reading, const json_t *json,
    const struct load_fields *fields, void *object) MUST_CHECK;
bool load_parse_sparse(
    const struct load_reading *reading, const json_t *json, struct load_sparse *ret) MUST_CHECK;

/* The member of this name, or "outcomes", of the object. */
bool load_parse_histogram(const struct load_reading *reading, const json_t *above, const char *key,
    struct histogram **ret) MUST_CHECK;
bool load_parse_outcomes(const struct load_reading *reading, const json_t *above, int64_t *ret)
    MUST_CHECK;
