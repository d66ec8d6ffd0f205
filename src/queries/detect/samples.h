/*
 * Loops of which no result was seen (a log has none), with the statements before them: to find out by
 * running those again which of them gave the keys. See rerun.h.
 */
#pragma once

#include "base/ctx.h"
#include "queries/finding.h"

enum { SAMPLE_BEFORE = 4, SAMPLE_KEYS = 100, SAMPLES_EACH = 3 };

/* A statement with the values it had; values[i] is of $i+1, NULL: NULL. */
struct sample_statement {
    const char *fingerprint;
    const char *text; /* with $n */
    const char **values;
    size_t value_count;
    bool is_volatile;
    uint64_t rank; /* 1: the one right before the loop */
};

/* Values of one slot of a child, repeat by repeat. */
struct sample_keys {
    size_t child;
    size_t slot;
    const char **values; /* NULL: NULL */
    size_t count;
};

struct sample {
    size_t finding; /* index in the findings */
    struct sample_statement before[SAMPLE_BEFORE];
    size_t before_count;
    struct sample_keys *keys;
    size_t key_count;
};

struct samples {
    struct sample *items;
    size_t count;
    size_t capacity;
};
