/*
 * Any bytes as a number, a time or a size that a person wrote, as base64url, and as a figure of a KPI: no
 * crash, and what has one way to be written is written that way again.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/field.h"
#include "given.h"
#include "monitor/kpi/kpi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct read_members {
    bool flag;
    int32_t small;
    int64_t large;
    uint32_t natural;
    double real;
    const char *text;
    int64_t bytes;
    int64_t span;
};

static const struct field fields[] = {
    FIELD(struct read_members, flag),
    FIELD(struct read_members, small),
    FIELD(struct read_members, large),
    FIELD(struct read_members, natural),
    FIELD(struct read_members, real),
    FIELD(struct read_members, text),
    FIELD(struct read_members, bytes, .unit = UNIT_BYTES),
    FIELD(struct read_members, span, .unit = UNIT_US),
};

static void
read_fields(struct ctx *ctx, const char *text)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        struct read_members sample = { 0 }, again = { 0 };
        bool is_read;

        if (!field_parse(ctx, &fields[i], text, &sample)) {
            assert(ctx->error.kind == ERR_INPUT);
            error_clear(ctx);
            continue;
        }
        (void)field_show(ctx->arena, &fields[i], &sample);
        if (fields[i].unit != UNIT_NONE)
            continue; /* shown rounded; a bare number means another unit */
        is_read = field_parse(ctx, &fields[i], field_text(ctx->arena, &fields[i], &sample), &again);
        assert(is_read && sample.flag == again.flag && sample.small == again.small);
        assert(sample.large == again.large && sample.natural == again.natural);
        assert(text_equal(sample.text, again.text));
    }
}

static void
read_base64(struct arena *arena, const char *text, size_t size)
{
    const unsigned char *bytes;
    size_t length;

    if (!base64url_decode(arena, text, size, &bytes, &length))
        return;
    /* One text for the same bytes: what was read is what would be written. */
    assert(strcmp(base64url_encode(arena, bytes, length), text) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct given given CLEANUP(given_close) = given_file(arena, data, size);
    const char *text = arena_strndup(arena, (const char *)data, size);
    struct kpi_value *values;
    size_t count;
    int64_t at;
    double number;

    read_fields(&ctx, text);
    if (strlen(text) == size)
        read_base64(arena, text, size);
    if (clock_parse(text, &at))
        assert(strcmp(clock_text(arena, at), text) == 0);
    if (kpi_read_number(&ctx, "x", text, &number))
        assert(isfinite(number));
    (void)!kpi_read_time(&ctx, text, &at);
    (void)!kpi_read_csv(&ctx, given.path, &values, &count);
    return 0;
}
