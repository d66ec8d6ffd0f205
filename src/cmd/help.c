#include "cli/command.h"

struct options {
    bool all;
    bool man;
    bool markdown;
    bool describe;
    bool example_config;
    const char *man_dir;
};

static const struct field options[] = {
    FIELD(struct options, all, .help = "show the help of every command"),
    FIELD(struct options, man, .help = "write a man page (roff)"),
    FIELD(struct options, markdown, .help = "write the reference of all commands as Markdown"),
    FIELD(struct options, describe, .help = "describe all commands and options as JSON"),
    FIELD(struct options, example_config, .momentary = true,
        .help = "print a configuration file with every setting as a comment"),
    FIELD(struct options, man_dir, .arg = "DIR", .momentary = true,
        .help = "write all man pages as files of this folder"),
};

static void
print_all(FILE *out)
{
    help_print(out, NULL);
    for (size_t i = 0; commands[i]; i++) {
        fputc('\n', out);
        help_print(out, commands[i]);
    }
}

/* Help on words that name a command or a group of commands. */
static bool
print_words(struct ctx *ctx, struct run *run, bool is_man)
{
    const struct text_list *words = &run->operands;
    const char *path = text_list_join(ctx->arena, words, " ");

    for (size_t i = 0; commands[i]; i++) {
        if (!text_equal(commands[i]->path, path))
            continue;
        if (is_man)
            man_print(run->out, commands[i]);
        else
            help_print(run->out, commands[i]);
        return true;
    }
    if (!is_man && help_print_group(run->out, path))
        return true;
    error_set(ctx, ERR_USAGE, "there is no command \"%s\"", path);
    for (size_t i = 0; commands[i]; i++) {
        const char *last = strrchr(commands[i]->path, ' ');

        if (last && text_equal(last + 1, words->items[words->count - 1]))
            return error_hint(ctx, "Did you mean \"pgmend help %s\"?", commands[i]->path);
    }
    return error_hint(ctx, "\"pgmend --help\" lists all commands.");
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;

    if (opts->man_dir)
        return man_write_all(ctx, opts->man_dir);
    if (opts->example_config)
        example_print(run->out);
    else if (opts->describe || run->global->json)
        describe_print(run->out);
    else if (opts->markdown)
        markdown_print(run->out);
    else if (opts->all)
        print_all(run->out);
    else if (run->operands.count > 0)
        return print_words(ctx, run, opts->man);
    else if (opts->man)
        man_print(run->out, NULL);
    else
        help_print(run->out, NULL);
    return true;
}

const struct command cmd_help = {
    .path = "help",
    .summary = "show help, man pages or the description of all commands",
    .operands = "[COMMAND]...",
    .max_operands = SIZE_MAX,
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend help index apply\n"
                "pgmend help --man | man -l -\n"
                "pgmend help --example-config > ~/.config/pgmend/pgmend.ini\n"
                "pgmend help --markdown > docs/commands.md",
    .run = run,
};
