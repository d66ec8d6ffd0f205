/*
 * Any bytes as a value in binary form of any type: no crash, and nothing is read behind its end. The first
 * byte chooses the type.
 */
#include <assert.h>
#include <string.h>

#include "workload/traced_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* OIDs of pg_type.dat: bool, bytea, int8, int2, int4, text, oid, json, float4, float8, arrays, dates, numeric … */
    static const uint32_t types[] = { 16, 17, 20, 21, 23, 25, 26, 114, 700, 701, 1000, 1001, 1005,
        1007, 1009, 1016, 1021, 1022, 1042, 1043, 1082, 1083, 1114, 1115, 1184, 1185, 1231, 1266,
        1700, 2950, 2951, 3802, 3807, 199 };
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct value_key key = { 0 };
    const char *text;
    size_t length;

    if (size == 0)
        return 0;
    if (value_from_binary(
            arena, types[data[0] % COUNT_OF(types)], data + 1, size - 1, &text, &length)) {
        assert(text && strlen(text) <= length);
        assert(value_hash(&key, text, length) != 0);
    }
    assert(value_hash(&key, (const char *)data, size) != 0);
    return 0;
}
