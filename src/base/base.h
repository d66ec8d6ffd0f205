/* What every file needs: attributes, sizes, and the functions that must not be used. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/banned.h"

#define COUNT_OF(array)          (sizeof(array) / sizeof((array)[0]))

#define MUST_CHECK               __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* Runs func(&variable) when the variable goes out of scope; stands after the declarator. */
#define CLEANUP(func) __attribute__((cleanup(func)))
