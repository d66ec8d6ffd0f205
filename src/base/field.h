/*
 * A described member of a struct. Everything that crosses the edge of the program (options,
 * configuration, SQL parameters and rows, JSON, tables on the screen) is described once by a
 * const array of these; the type comes from the member itself, so that they cannot disagree.
 */
#pragma once

#include "base/ctx.h"
#include "base/text.h"

enum field_type {
    FIELD_BOOL,
    FIELD_INT32,
    FIELD_INT64,
    FIELD_UINT32,
    FIELD_DOUBLE,
    FIELD_TEXT,
    FIELD_TEXT_LIST, /* an option that may be given several times */
};

enum field_unit {
    UNIT_NONE,
    UNIT_BYTES, /* int64: "64MB" */
    UNIT_US,    /* int64 microseconds: "250ms", "5m", a bare number is seconds */
};

struct field {
    const char *name; /* as in C; min_size is --min-size, "min_size" in JSON, PGMEND_MIN_SIZE */
    enum field_type type;
    enum field_unit unit;
    size_t offset;
    char letter;                /* short option, or '\0' */
    bool required;              /* an option that must be given */
    bool secret;                /* never shown */
    bool momentary;             /* an argument only: never from environment or configuration file */
    const char *arg;            /* what stands for the value in help, or NULL */
    const char *standard;       /* default, as the user would write it, or NULL */
    const char *const *choices; /* NULL-terminated allowed values, or NULL */
    const char *help;           /* lower case, no full stop */
};

/* clang-format off */
#define FIELD_TYPE_OF(strct, member)             \
    _Generic(((strct *)0)->member,               \
        bool: FIELD_BOOL,                        \
        int32_t: FIELD_INT32,                    \
        int64_t: FIELD_INT64,                    \
        uint32_t: FIELD_UINT32,                  \
        double: FIELD_DOUBLE,                    \
        const char *: FIELD_TEXT,                \
        struct text_list: FIELD_TEXT_LIST)
/* clang-format on */

#define FIELD(strct, member, ...)                                                                 \
    {                                                                                             \
        .name = #member, .type = FIELD_TYPE_OF(strct, member), .offset = offsetof(strct, member), \
        __VA_ARGS__                                                                               \
    }

/* Reads text into the member; false with ERR_INPUT quoting the text if it does not fit. */
bool field_parse(struct ctx *ctx, const struct field *field, const char *text, void *object)
    MUST_CHECK;

/* Sets every member that has a default; a default that does not parse is a bug. */
void field_set_defaults(struct ctx *ctx, const struct field *fields, size_t count, void *object);

/* The member as people read it: sizes and times with their unit; NULL text is "". */
const char *field_show(struct arena *arena, const struct field *field, const void *object);

/* The member as a machine reads it (SQL parameter): NULL text stays NULL. */
const char *field_text(struct arena *arena, const struct field *field, const void *object);
