/* What an expression gives. */
#pragma once

#include "base/text.h"

enum value_kind { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TRUTH, VALUE_TEXT };

struct load_value {
    enum value_kind kind;
    uint32_t length; /* of a text, which need not end in NUL */
    union {
        int64_t integer;
        double real;
        bool truth;
        const char *text;
    };
};

/* Text that is a number becomes that number: columns and what was taken from answers are text. */
struct load_value load_value_of_text(const char *text);
struct load_value load_value_number(const struct load_value *value);

/* Conversions as pgbench has them; false: *ret_problem says why not. */
bool load_value_integer(const struct load_value *value, int64_t *ret, const char **ret_problem);
bool load_value_real(const struct load_value *value, double *ret, const char **ret_problem);
bool load_value_truth(const struct load_value *value, bool *ret, const char **ret_problem);

/* As pgbench writes it into a statement; NULL: nothing. */
void load_value_write(const struct load_value *value, struct buffer *ret);
