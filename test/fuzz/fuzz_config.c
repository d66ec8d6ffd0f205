/*
 * Any bytes as configuration file and command line: no crash, and only the errors of their kind.
 * The input is the file's text; behind a line "---" stands one argument a line.
 */
#include <assert.h>
#include <string.h>

#include "cli/config.h"
#include "support/cli_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_ARGUMENTS = 64 };

static void
read_config(struct ctx *ctx, const char *text, size_t length)
{
    struct config config;

    if (!config_parse(ctx, "fuzz.ini", text, length, &config)) {
        assert(ctx->error.kind == ERR_CONFIG);
        assert(strncmp(ctx->error.message, "fuzz.ini:", 9) == 0);
        return;
    }
    for (size_t i = 0; i < config.entries.count; i++) {
        const struct config_entry *entry = &config.entries.items[i];

        assert(entry->line > 0);
        assert(config_rank(entry, &sample_apply) <= 2);
    }
}

static void
read_arguments(struct ctx *ctx, const char *text)
{
    char *argv[MAX_ARGUMENTS];
    int argc = 0;
    struct invocation asked;
    struct global_options global;
    struct text_list operands = { 0 };
    void *options;

    while (*text && argc < MAX_ARGUMENTS) {
        size_t length = strcspn(text, "\n");

        argv[argc++] = arena_strndup(ctx->arena, text, length);
        text += length + (text[length] == '\n');
    }
    if (!command_select(ctx, argc, argv, &asked)) {
        assert(ctx->error.kind == ERR_USAGE && ctx->error.hint);
    } else if (asked.command) {
        options = arena_alloc(ctx->arena, asked.command->options_size);
        if (!command_parse(ctx, &asked, &global, options, &operands))
            assert(ctx->error.kind == ERR_USAGE || ctx->error.kind == ERR_CONFIG);
        else
            assert(operands.count <= asked.command->max_operands);
    }
    command_scrub(argc, argv);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char separator[] = "\n---\n";
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    const char *text = arena_strndup(arena, (const char *)data, size);
    const char *arguments = memmem(text, size, separator, sizeof(separator) - 1);

    /* A file of the person who runs this must not play a part. */
    setenv("PGMEND_CONFIG", "/dev/null", 1);
    read_config(&ctx, text, arguments ? (size_t)(arguments - text) : size);
    if (arguments)
        read_arguments(&ctx, arguments + sizeof(separator) - 1);
    return 0;
}
