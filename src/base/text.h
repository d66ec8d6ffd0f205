/* Growing text, and how sizes and times are read and written. */
#pragma once

#include "base/arena.h"
#include "base/ctx.h"

/* A text that grows in an arena; { .arena = … } starts one. data is always a C string or NULL. */
struct buffer {
    struct arena *arena;
    char *data;
    size_t length;
    size_t capacity;
};

struct text_list {
    const char **items;
    size_t count;
    size_t capacity;
};

void buffer_append(struct buffer *buffer, const void *data, size_t length);
/* Makes room for so many more bytes at once. */
void buffer_reserve(struct buffer *buffer, size_t more);
void buffer_add(struct buffer *buffer, const char *text);
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

/* The text so far, never NULL. */
const char *buffer_text(struct buffer *buffer);

void text_list_add(struct arena *arena, struct text_list *list, const char *text);
bool text_list_has(const struct text_list *list, const char *text);
const char *text_list_join(struct arena *arena, const struct text_list *list, const char *between);

bool text_equal(const char *a, const char *b);
bool text_starts_with(const char *text, const char *start);
bool text_ends_with(const char *text, const char *end);
bool text_is_empty(const char *text);

/* The edit distance of two short texts, for "did you mean"; source: Wagner and Fischer 1974. */
size_t text_distance(const char *a, const char *b);

/* Whether the bytes are UTF-8; source: RFC 3629. */
bool text_is_utf8(const char *text);
/* The UTF-8 of a code point up to 0x10ffff: how many bytes, from 1 to 4. */
size_t text_put_utf8(uint32_t point, char ret[4]);
/* 0 … 15, or -1: no hexadecimal digit. */
int text_hex_value(char digit);

/* "Text" of terminal columns: UTF-8 code points, wide ones (CJK, emoji) counted as two. */
size_t text_width(const char *text);

/* 1536 → "1.5 kB", as pg_size_pretty() with one decimal; 1024-based. */
const char *text_from_bytes(struct arena *arena, int64_t bytes);

/* 1500 → "1.5 ms", 61000000 → "1 min 1 s". */
const char *text_from_us(struct arena *arena, int64_t us);

/* Three digits, or all of those before the point: 0.985, 29.8, "1 042". */
const char *text_from_ratio(struct arena *arena, double number);

/* A word as a shell reads it back: as it is where that is safe, else in quotes. For commands that people paste. */
const char *text_shell(struct arena *arena, const char *word);
/* All of them, with blanks between. */
const char *text_shell_words(struct arena *arena, const struct text_list *words);

/* 1234567 → "1 234 567". */
const char *text_from_count(struct arena *arena, int64_t count);

/* "10", "64kB", "1.5 GB" (1024-based) → bytes; false if it is not a size. No error is set. */
bool text_to_bytes(const char *text, int64_t *ret_bytes);

/* "250ms", "5", "5s", "5m", "1h", "2d" → microseconds; a bare number is seconds. */
bool text_to_us(const char *text, int64_t *ret_us);

bool text_to_int64(const char *text, int64_t *ret_number);
bool text_to_double(const char *text, double *ret_number);
