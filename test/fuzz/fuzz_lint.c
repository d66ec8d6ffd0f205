/*
 * Any bytes as a script of statements: no crash, every statement lies where it says, and what is marked of a
 * CREATE INDEX lies within its text.
 */
#include <assert.h>
#include <string.h>

#include "given.h"
#include "index/lint/statement.h"
#include "index/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_span(const struct lint_statement *statement, struct lint_span span)
{
    assert(span.start <= span.end && span.end <= strlen(statement->text));
}

static void
check(struct ctx *ctx, const struct lint_script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        const struct lint_statement *statement = &script->items[i];
        size_t length = strlen(statement->text);

        assert(statement->place.line > 0 && lint_kind_name(statement->kind)[0]);
        assert(statement->offset + length <= script->length);
        assert(memcmp(script->text + statement->offset, statement->text, length) == 0);
        check_span(statement, statement->index);
        check_span(statement, statement->concurrently);
        check_span(statement, statement->if_not_exists);
        check_span(statement, statement->written_name);
        if (statement->name)
            assert(lint_place_of(ctx, statement, statement->name).line >= statement->place.line);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct given given CLEANUP(given_close) = given_file(arena, data, size);
    const char *text = arena_strndup(arena, (const char *)data, size);
    struct lint_script script = { 0 };
    struct index_script indexes = { 0 };

    if (lint_script_parse(&ctx, "fuzz.sql", text, size, &script))
        check(&ctx, &script);
    else
        assert(ctx.error.message && *ctx.error.message);
    error_clear(&ctx);
    if (index_script_read(&ctx, given.path, &indexes))
        for (size_t i = 0; i < indexes.count; i++)
            assert(indexes.items[i].problem || indexes.items[i].table);
    return 0;
}
