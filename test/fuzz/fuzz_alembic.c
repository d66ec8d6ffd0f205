/*
 * Any bytes as alembic.ini, as a Python file of some encoding, and as what Alembic printed: no crash, a value
 * that is put together ends, and what is taken for text is UTF-8.
 */
#include <assert.h>
#include <string.h>

#include "given.h"
#include "migrate/alembic/parts.h"
#include "migrate/history/ini.h"
#include "migrate/history/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_ini(struct ctx *ctx, const char *path)
{
    static const char *const names[] = { "script_location", "version_locations", "a", "b" };
    struct ini ini = { 0 };

    if (!ini_read(ctx, path, "alembic", &ini)) {
        assert(ctx->error.message && *ctx->error.message);
        error_clear(ctx);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *value;

        if (!ini_get(ctx, &ini, names[i], &value)) {
            assert(ctx->error.kind == ERR_INPUT);
            error_clear(ctx);
        }
    }
}

static void
read_printed(struct ctx *ctx, const char *text)
{
    struct environment environment = { 0 };
    struct alembic alembic = { .environment = &environment };
    struct alembic_outcome outcome = { .status = 1, .output = text, .errors = text };

    assert(text_is_utf8(alembic_utf8(ctx->arena, text)));
    alembic_read_traceback(ctx, &alembic, &outcome);
    (void)alembic_is_url(text);
    (void)alembic_url(ctx,
        &(struct address){ .password = "p", .port = 1, .database = "d", .encoded = "d" }, text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct given given CLEANUP(given_close) = given_file(arena, data, size);
    /* With a NUL behind it, as file_read() gives it. */
    const char *bytes = memcpy(arena_alloc(arena, size + 1), data, size);
    const char *text;
    size_t length;

    read_ini(&ctx, given.path);
    if (!source_decode(arena, bytes, size, &text, &length))
        assert(text_is_utf8(arena_strndup(arena, text, length)));
    read_printed(&ctx, bytes);
    return 0;
}
