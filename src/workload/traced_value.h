/* Values of statements as text and as hashes, whichever form they came in. */
#pragma once

#include "workload/statement.h"

/* Random bytes of this run. */
struct value_key {
    unsigned char bytes[16];
};
void value_key_make(struct value_key *ret);

/*
 * The hash of a value's text, SipHash-2-4 (Aumasson and Bernstein, 2012); never 0. The text is as the
 * server writes it: '7', 't', '2026-01-01 00:00:00'. Numbers are brought to one form first: 7, 07 and
 * 7.0 of a literal are one value, as "7.0" and "7" of different types are in a comparison.
 */
uint64_t value_hash(const struct value_key *key, const char *text, size_t length);

/*
 * A value in binary form brought to text, in the arena: bool, int2/4/8, oid, float4/8, numeric, text and
 * its kin, bytea, uuid, date, time, timestamp(tz), json(b), arrays of these. False: a type that is not
 * known here, or bytes that are none of it.
 */
bool value_from_binary(struct arena *arena, uint32_t type, const void *data, size_t length,
    const char **ret_text, size_t *ret_length);
