/*
 * Any bytes as a snapshot of a schema: no crash; what is read has a digest that survives being written and
 * read again, and differs in nothing from itself.
 */
#include <assert.h>
#include <string.h>

#include "catalog/diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct ctx *ctx, struct schema *schema)
{
    json_t *json CLEANUP(json_release) = schema_to_json(schema);
    struct schema again;
    bool is_read;

    if (!json)
        return; /* a text that is not UTF-8 */
    is_read = schema_from_json(ctx, json, &again);
    assert(is_read);
    assert(strcmp(schema_digest(ctx->arena, schema), schema_digest(ctx->arena, &again)) == 0);
    for (int kind = 0; kind < SCHEMA_CLASS_COUNT; kind++) {
        enum schema_class class = (enum schema_class)kind;

        for (size_t i = 0; i < schema_rows(schema, class).count; i++)
            (void)schema_identity(ctx->arena, class, schema_item(schema, class, i));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    json_t *json CLEANUP(json_release) = NULL;
    struct schema schema;

    if (!json_parse(&ctx, "fuzz.json", arena_strndup(arena, (const char *)data, size), &json))
        return 0;
    if (!schema_from_json(&ctx, json, &schema)) {
        assert(ctx.error.message && *ctx.error.message);
        return 0;
    }
    check(&ctx, &schema);
    return 0;
}
