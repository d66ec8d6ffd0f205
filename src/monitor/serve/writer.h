/*
 * JSON written straight into a buffer: what is sent each tick builds no trees. Keys are ours and plain;
 * texts may be anything, also not UTF-8 (a database in SQL_ASCII), and come out as valid JSON.
 */
#pragma once

#include "base/field.h"
#include "base/json.h"
#include "base/text.h"

struct writer {
    struct buffer text;
    bool needs_comma;
};

/* key is NULL in an array. What is NULL or not a number is null. */
void writer_open(struct writer *writer, const char *key, char bracket);
void writer_close(struct writer *writer, char bracket);
void writer_text(struct writer *writer, const char *key, const char *value);
void writer_number(struct writer *writer, const char *key, double value);
/* Beyond 2^53, which JavaScript cannot hold, as a text. */
void writer_int(struct writer *writer, const char *key, int64_t value);
/* Identifiers: always a text. */
void writer_id(struct writer *writer, const char *key, int64_t value);
void writer_bool(struct writer *writer, const char *key, bool value);
/* Microseconds as seconds; null for 0: "not yet". */
void writer_time(struct writer *writer, const char *key, int64_t wall_us);
/* Takes the reference. */
void writer_json(struct writer *writer, const char *key, json_t *json);
/* Each described member of the object, between brackets of the caller. */
void writer_fields(
    struct writer *writer, const struct field *fields, size_t count, const void *object);
