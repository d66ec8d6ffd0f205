#include "change/estimate.h"

#include "base/json.h"

/*
 * Bytes of heap and index that a build gets through in a second, until this server's own builds
 * tell better. Measured on two cores: 897 MB of heap and a 602 MB btree in 8 to 27 s; 822 MB of
 * ivfflat in 63 s. These are the slow ends, rounded down.
 */
enum { BYTES_PER_SECOND = 40 * 1024 * 1024, VECTOR_BYTES_PER_SECOND = 10 * 1024 * 1024 };

/* Shorter builds say more about fixed costs than about speed. */
enum { TELLING_BUILD_US = 500000 };

bool
estimate_is_vector_method(const char *method)
{
    return text_equal(method, "hnsw") || text_equal(method, "ivfflat");
}

double
estimate_build_rate(struct ctx *ctx, const struct journal_entries *journal, const char *method)
{
    double bytes = 0;
    double us = 0;

    for (size_t i = 0; i < journal->count; i++) {
        json_t *json CLEANUP(json_release) = NULL;

        if (!json_parse(ctx, "detail", journal->items[i].detail, &json)) {
            error_clear(ctx);
            continue;
        }
        if (!text_equal(json_get_text(ctx->arena, json, "access_method", ""), method) ||
            json_get_int(json, "build_us", 0) < TELLING_BUILD_US)
            continue;
        bytes += (double)(json_get_int(json, "bytes", 0) + json_get_int(json, "table_bytes", 0));
        us += (double)json_get_int(json, "build_us", 0);
    }
    if (us > 0)
        return bytes / us * 1e6;
    return estimate_is_vector_method(method) ? VECTOR_BYTES_PER_SECOND : BYTES_PER_SECOND;
}
