/* Any bytes as SQL text: no crash, no leak, and no byte of a statement lost or made up. */
#include <assert.h>
#include <string.h>

#include "lang/sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_statements(struct ctx *ctx, const char *text)
{
    struct sql_statements statements;
    size_t end = 0;

    if (!sql_split(ctx, "fuzz", text, &statements))
        return;
    for (size_t i = 0; i < statements.count; i++) {
        const struct sql_statement *statement = &statements.items[i];

        assert(statement->offset >= end);
        end = statement->offset + strlen(statement->text);
        assert(end <= strlen(text));
        assert(strncmp(text + statement->offset, statement->text, strlen(statement->text)) == 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    const char *text = arena_strndup(arena, (const char *)data, size);
    json_t *tree CLEANUP(json_release) = NULL;
    struct sql_tokens tokens;
    const char *result;

    check_statements(&ctx, text);
    if (sql_tokens(&ctx, text, &tokens))
        for (size_t i = 0; i < tokens.count; i++)
            assert(
                tokens.items[i].start < tokens.items[i].end && tokens.items[i].end <= strlen(text));
    assert(sql_name_end(text, 0) <= strlen(text));
    if (sql_parse(&ctx, text, &tree))
        assert(json_object_get(tree, "stmts"));
    if (sql_fingerprint(&ctx, text, &result))
        assert(strlen(result) == 16);
    if (sql_normalize(&ctx, text, &result))
        assert(result);
    return 0;
}
