/* JSON by jansson, with errors and files as the rest of the program has them. */
#pragma once

#include <jansson.h>

#include "base/ctx.h"
#include "base/field.h"

/*
 * From now on a JSON value that there is no memory for ends the program (base/memory.h) and is not NULL: a document that
 * lacks a member without a word would be worse. Before the first value is made.
 */
void json_guard_memory(void);

/* For CLEANUP. */
void json_release(json_t **json);

/* The number, or null for what JSON has no number for (infinite, not a number). Caller owns it. */
json_t *json_number(double number);

/* An object with a member for each field; 64-bit numbers stay numbers. Caller owns it. */
json_t *json_from_fields(const struct field *fields, size_t count, const void *object);

/* Parses text; name says in errors what it is. *ret is owned by the caller. */
bool json_parse(struct ctx *ctx, const char *name, const char *text, json_t **ret) MUST_CHECK;

bool json_read_file(struct ctx *ctx, const char *path, json_t **ret) MUST_CHECK;

/* Written under a temporary name, fsynced and renamed. */
bool json_write_file(struct ctx *ctx, const char *path, const json_t *json) MUST_CHECK;

/* Compact text with sorted keys: the same object gives the same bytes. In the arena. */
const char *json_text(struct arena *arena, const json_t *json);

/* The member's text, number or truth; the given one if it is missing or of another type. */
const char *json_get_text(
    struct arena *arena, const json_t *object, const char *key, const char *otherwise);
int64_t json_get_int(const json_t *object, const char *key, int64_t otherwise);
double json_get_double(const json_t *object, const char *key, double otherwise);
bool json_get_bool(const json_t *object, const char *key, bool otherwise);
