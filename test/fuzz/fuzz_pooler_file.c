/*
 * Any bytes as a pooler's configuration file: no crash; an entry that is pointed elsewhere a second time is
 * as after the first, and everything around its line stays byte by byte.
 */
#include <assert.h>
#include <string.h>

#include "bluegreen/bluegreen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct bluegreen_entry entry = {
        .name = "shop", .host = "/run/it's", .port = "6000", .database = "shop two"
    };
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    const char *text = arena_strndup(arena, (const char *)data, size);
    const char *once = NULL, *twice = NULL, *before = NULL, *between = NULL, *at;
    size_t head = 0;
    bool is_found;

    if (!pooler_file_point(&ctx, text, &entry, &once, &before)) {
        assert(ctx.error.kind == ERR_INPUT);
        return 0;
    }
    while (text[head] && text[head] == once[head])
        head++;
    at = strstr(text, before);
    assert(at && head >= (size_t)(at - text));
    /* What follows the line. */
    while (strlen(text) < strlen(once) && *at && *at != '\n')
        at++;
    assert(strlen(once) >= strlen(at) || strlen(text) >= strlen(once));
    is_found = pooler_file_point(&ctx, once, &entry, &twice, &between);
    assert(is_found && strcmp(once, twice) == 0);
    return 0;
}
