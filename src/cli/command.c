#include "cli/command.h"

#include "cli/option.h"

bool
command_is_below(const char *path, const char *words)
{
    size_t length = strlen(words);

    return length == 0 ||
           (strncmp(path, words, length) == 0 && (path[length] == '\0' || path[length] == ' '));
}

/* How many arguments the path takes up, 0 if they are not its words. */
static int
count_matching_words(const char *path, int argc, char **argv)
{
    int used = 0;

    while (*path) {
        size_t length = strcspn(path, " ");

        if (used == argc || strlen(argv[used]) != length || strncmp(argv[used], path, length) != 0)
            return 0;
        used++;
        path += length;
        path += strspn(path, " ");
    }
    return used;
}

/* The command with the most words that argv starts with; NULL if none. */
static const struct command *
find_command(int argc, char **argv, int *ret_words)
{
    const struct command *found = NULL;

    *ret_words = 0;
    for (size_t i = 0; commands[i]; i++) {
        int used = count_matching_words(commands[i]->path, argc, argv);

        if (used <= *ret_words)
            continue;
        *ret_words = used;
        found = commands[i];
    }
    return found;
}

/* 0 when the path or its last word begins so, else the edit distance to one of them. */
static size_t
distance_to(const char *typed, const char *path)
{
    const char *last = strrchr(path, ' ');
    size_t whole = text_distance(typed, path);
    size_t part = last ? text_distance(typed, last + 1) : whole;

    if (text_starts_with(path, typed) || text_starts_with(last ? last + 1 : path, typed))
        return 0;
    /* A match of the last word alone is worth less than one of the whole path. */
    return whole < part + 1 ? whole : part + 1;
}

/* Up to three commands that look like what was typed, the nearest first. */
static void
suggest(struct ctx *ctx, const char *typed, struct text_list *ret)
{
    enum { MOST = 3 };
    size_t limit = strlen(typed) / 3 + 1;

    *ret = (struct text_list){ 0 };
    for (size_t distance = 0; distance <= limit && ret->count < MOST; distance++)
        for (size_t i = 0; commands[i] && ret->count < MOST; i++)
            if (distance_to(typed, commands[i]->path) == distance)
                text_list_add(ctx->arena, ret, commands[i]->path);
}

static bool
is_group(const char *words)
{
    for (size_t i = 0; commands[i]; i++)
        if (command_is_below(commands[i]->path, words))
            return true;
    return false;
}

/* "did you mean" looks at the word with the one behind it (or NULL) first. */
static bool
refuse_command(struct ctx *ctx, const char *group, const char *word, const char *next_word)
{
    const char *typed = *group ? arena_printf(ctx->arena, "%s %s", group, word) : word;
    struct buffer hint = { .arena = ctx->arena };
    struct text_list similar = { 0 };

    if (next_word)
        suggest(ctx, arena_printf(ctx->arena, "%s %s", typed, next_word), &similar);
    if (similar.count == 0)
        suggest(ctx, typed, &similar);
    error_set(ctx, ERR_USAGE, "unknown command \"%s\"", typed);
    for (size_t i = 0; i < similar.count; i++)
        buffer_printf(&hint, "%s\"pgmend %s\"",
            i == 0                   ? "Did you mean "
            : i + 1 == similar.count ? " or "
                                     : ", ",
            similar.items[i]);
    if (similar.count > 0)
        return error_hint(ctx, "%s?", buffer_text(&hint));
    return error_hint(ctx, "\"pgmend %s%s--help\" lists the commands.", group, *group ? " " : "");
}

/* Steps over global options in front of the command; false at one that is not global. */
static bool
skip_leading_options(struct ctx *ctx, int argc, char **argv, struct invocation *ret)
{
    int i = 0;

    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        const char *text = argv[i];
        const char *name = arena_strndup(ctx->arena, text + 2, strcspn(text + 2, "="));
        struct option option = { 0 };

        /* A word may also be a cluster of letters, of which only booleans exist globally. */
        if (text[1] != '-' ? !option_find_letter(NULL, text[1], &option)
                           : !option_find(NULL, name, &option)) {
            error_set(ctx, ERR_USAGE, "unknown option \"%s\" before the command", text);
            return error_hint(ctx, "Options of a command stand after its name.");
        }
        ret->asks_help |= text_equal(option.field->name, "help");
        ret->asks_version |= text_equal(option.field->name, "version");
        if (text[1] == '-' && option.field->type != FIELD_BOOL && !strchr(text, '=') &&
            i + 1 < argc)
            i++;
    }
    ret->argc = i;
    return true;
}

/* The words up to the first option, as many as still name a group. */
static const char *
read_group(struct ctx *ctx, int argc, char **argv, int *ret_used)
{
    const char *words = "";
    int i = 0;

    for (; i < argc && argv[i][0] != '-'; i++) {
        const char *longer = i == 0 ? argv[0] : arena_printf(ctx->arena, "%s %s", words, argv[i]);

        if (!*argv[i] || strchr(argv[i], ' ') || !is_group(longer))
            break;
        words = longer;
    }
    *ret_used = i;
    return words;
}

static bool
select_group(struct ctx *ctx, int argc, char **argv, struct invocation *ret)
{
    struct invocation options = { 0 };
    int used = 0;

    ret->words = read_group(ctx, argc, argv, &used);
    if (!skip_leading_options(ctx, argc - used, argv + used, &options))
        return false;
    ret->asks_help |= options.asks_help;
    ret->asks_version |= options.asks_version;
    used += options.argc;
    if (used < argc) {
        bool has_next = used + 1 < argc && argv[used + 1][0] != '-';

        return refuse_command(ctx, ret->words, argv[used], has_next ? argv[used + 1] : NULL);
    }
    return true;
}

bool
command_select(struct ctx *ctx, int argc, char **argv, struct invocation *ret)
{
    struct invocation found = { .words = "" };
    int leading;
    int used;

    if (!skip_leading_options(ctx, argc, argv, &found))
        return false;
    leading = found.argc;
    found.command = find_command(argc - leading, argv + leading, &used);
    if (!found.command) {
        if (!select_group(ctx, argc - leading, argv + leading, &found))
            return false;
        *ret = found;
        return true;
    }
    found.argc = argc - used;
    found.argv = ARENA_ARRAY(ctx->arena, char *, (size_t)found.argc + 1);
    for (int i = 0; i < leading; i++)
        found.argv[i] = argv[i];
    for (int i = leading; i < found.argc; i++)
        found.argv[i] = argv[i + used];
    *ret = found;
    return true;
}

static bool
has_option(int argc, char **argv, const char *option)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], option) == 0)
            return true;
    return false;
}

bool
command_asks_json(int argc, char **argv)
{
    return has_option(argc, argv, "--json");
}

int
command_failure_status(const struct invocation *asked)
{
    const struct command *command = asked->command;

    if (command->failure_option && !has_option(asked->argc, asked->argv, command->failure_option))
        return 0;
    return command->failure_status;
}
