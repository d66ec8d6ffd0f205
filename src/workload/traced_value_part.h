/* Values in binary form, by kind of type. For the files of traced_value only. */
#pragma once

#include "base/text.h"

/* What is left of the bytes; a number behind their end makes it damaged. */
struct value_bytes {
    const unsigned char *data;
    size_t length;
    bool is_damaged;
};

/* Big-endian, of 1 to 8 bytes, with its sign. */
int64_t value_take_int(struct value_bytes *bytes, size_t size);
/* Without a sign. */
uint32_t value_take_uint(struct value_bytes *bytes, size_t size);

/* They add the text that the server would write; false when the bytes are none of the type. */
bool value_add_numeric(struct buffer *buffer, struct value_bytes *bytes);
void value_add_float(struct buffer *buffer, double number, bool is_single);
void value_add_date(struct buffer *buffer, int32_t days);
bool value_add_time(struct buffer *buffer, int64_t us);
void value_add_timestamp(struct buffer *buffer, int64_t us, bool has_zone);
