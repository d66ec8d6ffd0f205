/*
 * JSON as PostgreSQL's row_to_json() prints it (no white space, the same escapes), so that an answer put
 * together here has the same bytes as one that the server has made. Commas come by themselves.
 */
#pragma once

#include "base/text.h"

void print_open(struct buffer *out, char bracket);  /* '{' or '[' */
void print_close(struct buffer *out, char bracket); /* '}' or ']' */
void print_key(struct buffer *out, const char *key);
/* NULL is null, of all of them. */
void print_text(struct buffer *out, const char *text);
void print_number(struct buffer *out, const char *number); /* as the server wrote it */
void print_int(struct buffer *out, int64_t number);
void print_bool(struct buffer *out, bool value);
void print_time(struct buffer *out, const char *text); /* a timestamp as the server wrote it */
