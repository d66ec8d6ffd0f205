#include "base/vec.h"
#include "cli/config.h"
#include "cli/global.h"
#include "cli/option.h"

/* Who set a value: the higher one wins. The sections of the file lie between. */
enum layer { LAYER_NONE, LAYER_FILE, LAYER_ENVIRONMENT = 100, LAYER_ARGUMENT };

/* A value given by an argument, kept until file and environment have been read. */
struct setting {
    struct option option;
    const char *spelling; /* "--min-size", "-n" */
    const char *value;
};

struct parser {
    struct ctx *ctx;
    const struct command *command;
    struct global_options *global;
    void *own;
    unsigned char *layers; /* by option_at() */
    VEC(struct setting) settings;
    struct text_list operands;
    bool is_done; /* --help or --version: the rest does not matter */
};

static size_t
index_of(const struct parser *parser, const struct option *option)
{
    if (option->is_global)
        return (size_t)(option->field - global_fields) + parser->command->option_count;
    return (size_t)(option->field - parser->command->options);
}

/* A list is replaced, not extended, by a higher layer. */
static bool
set_value(struct parser *parser, const struct option *option, int layer, const char *spelling,
    const char *text)
{
    void *object = option->is_global ? (void *)parser->global : parser->own;
    unsigned char *previous = &parser->layers[index_of(parser, option)];

    if (option->field->type == FIELD_TEXT_LIST && *previous != layer) {
        struct text_list *list = (void *)((char *)object + option->field->offset);

        *list = (struct text_list){ 0 };
    }
    *previous = (unsigned char)layer;
    return option_parse(parser->ctx, option, spelling, text, object);
}

static bool
refuse_option(struct parser *parser, const char *typed)
{
    struct ctx *ctx = parser->ctx;
    const char *name = typed + strspn(typed, "-");
    const char *best = NULL;
    size_t least = strlen(name) / 3 + 1;

    error_set(ctx, ERR_USAGE, "unknown option \"%s\"", typed);
    for (size_t i = 0; i < option_count(parser->command) && name - typed == 2; i++) {
        const char *candidate = option_spell(ctx->arena, option_at(parser->command, i).field);
        size_t distance = text_distance(name, candidate);

        if (distance > least || (best && distance == least))
            continue;
        least = distance;
        best = candidate;
    }
    return best ? error_hint(ctx, "Did you mean \"--%s\"?", best) : false;
}

static void
add_setting(
    struct parser *parser, const struct option *option, const char *spelling, const char *value)
{
    struct setting setting = { .option = *option, .spelling = spelling, .value = value };

    VEC_PUSH(parser->ctx->arena, &parser->settings, setting);
    if (!option->is_global || option->is_negated)
        return;
    if (text_equal(option->field->name, "json") && text_equal(value, "true"))
        parser->global->json = true;
    if (text_equal(option->field->name, "help"))
        parser->is_done = parser->global->help = true;
    if (text_equal(option->field->name, "version"))
        parser->is_done = parser->global->version = true;
}

static bool
refuse_missing_value(struct parser *parser, const char *spelling, const struct option *option)
{
    return error_set(parser->ctx, ERR_USAGE, "option %s needs a value: %s %s", spelling, spelling,
        option_arg(option->field));
}

/* "--name", "--name=VALUE" or "--name VALUE"; *at is moved when the value is the next argument. */
static bool
read_long(struct parser *parser, char **argv, int argc, int *at)
{
    struct arena *arena = parser->ctx->arena;
    const char *text = argv[*at];
    const char *equals = strchr(text, '=');
    const char *spelling =
        equals ? arena_strndup(arena, text, (size_t)(equals - text)) : arena_strdup(arena, text);
    struct option option;

    if (!option_find(parser->command, spelling + 2, &option))
        return refuse_option(parser, spelling);
    if (equals)
        add_setting(parser, &option, spelling, arena_strdup(arena, equals + 1));
    else if (option.field->type == FIELD_BOOL)
        add_setting(parser, &option, spelling, "true");
    else if (*at + 1 < argc)
        add_setting(parser, &option, spelling, arena_strdup(arena, argv[++*at]));
    else
        return refuse_missing_value(parser, spelling, &option);
    return true;
}

/* "-q", "-qv", "-j4" or "-j 4". */
static bool
read_letters(struct parser *parser, char **argv, int argc, int *at)
{
    struct arena *arena = parser->ctx->arena;

    for (const char *letter = argv[*at] + 1; *letter; letter++) {
        const char *spelling = arena_printf(arena, "-%c", *letter);
        struct option option;

        if (!option_find_letter(parser->command, *letter, &option))
            return refuse_option(parser, letter == argv[*at] + 1 ? argv[*at] : spelling);
        if (option.field->type == FIELD_BOOL) {
            add_setting(parser, &option, spelling, "true");
            continue;
        }
        if (letter[1])
            add_setting(parser, &option, spelling, arena_strdup(arena, letter + 1));
        else if (*at + 1 < argc)
            add_setting(parser, &option, spelling, arena_strdup(arena, argv[++*at]));
        else
            return refuse_missing_value(parser, spelling, &option);
        break;
    }
    return true;
}

static bool
read_arguments(struct parser *parser, int argc, char **argv)
{
    bool is_operand = false;

    for (int i = 0; i < argc && !parser->is_done; i++) {
        const char *text = argv[i];

        if (is_operand || text[0] != '-' || !text[1])
            text_list_add(
                parser->ctx->arena, &parser->operands, arena_strdup(parser->ctx->arena, text));
        else if (strcmp(text, "--") == 0)
            is_operand = true;
        else if (text[1] == '-' ? !read_long(parser, argv, argc, &i)
                                : !read_letters(parser, argv, argc, &i))
            return false;
    }
    return true;
}

/* The file's sections from the general to the special one. */
static bool
apply_file(struct parser *parser)
{
    struct ctx *ctx = parser->ctx;
    const char *given = NULL;
    struct config config;

    for (size_t i = 0; i < parser->settings.count; i++) {
        const struct setting *setting = &parser->settings.items[i];

        if (setting->option.is_global && text_equal(setting->option.field->name, "config"))
            given = setting->value;
    }

    const char *path = config_find(ctx->arena, given);

    if (!path)
        return true;
    parser->global->config = path;
    if (!config_load(ctx, path, &config))
        return false;
    for (int rank = 0; rank < LAYER_ENVIRONMENT - LAYER_FILE; rank++) {
        bool is_last = true;

        for (size_t i = 0; i < config.entries.count; i++) {
            const struct config_entry *entry = &config.entries.items[i];
            struct option option;

            is_last &= config_rank(entry, parser->command) <= rank;
            if (config_rank(entry, parser->command) != rank ||
                !option_find(parser->command, entry->name, &option))
                continue;
            if (!set_value(parser, &option, LAYER_FILE + rank, entry->name, entry->value))
                return false;
        }
        if (is_last)
            break;
    }
    return true;
}

/* In the environment the items of a list stand with commas between. */
static bool
apply_variable(
    struct parser *parser, const struct option *option, const char *name, const char *value)
{
    if (option->field->type != FIELD_TEXT_LIST)
        return set_value(parser, option, LAYER_ENVIRONMENT, name, value);
    while (*value) {
        size_t length = strcspn(value, ",");
        const char *item = arena_strndup(parser->ctx->arena, value, length);

        if (length > 0 && !set_value(parser, option, LAYER_ENVIRONMENT, name, item))
            return false;
        value += length;
        value += *value == ',';
    }
    return true;
}

static bool
apply_environment(struct parser *parser)
{
    for (size_t i = 0; i < option_count(parser->command); i++) {
        struct option option = option_at(parser->command, i);
        const char *name = option_environment(parser->ctx->arena, option.field);
        const char *value = getenv(name);

        if (!option_is_persistent(option.field, option.is_global))
            continue;
        if (text_is_empty(value) && option.is_global && text_equal(option.field->name, "db_url")) {
            name = "DATABASE_URL";
            value = getenv(name);
        }
        if (value && *value && !apply_variable(parser, &option, name, value))
            return false;
    }
    return true;
}

static bool
apply_arguments(struct parser *parser)
{
    for (size_t i = 0; i < parser->settings.count; i++) {
        const struct setting *setting = &parser->settings.items[i];
        const struct option *option = &setting->option;

        if (option->is_global && text_equal(option->field->name, "db_url")) {
            text_list_add(parser->ctx->arena, &parser->global->db_urls, setting->value);
            if (parser->global->db_urls.count > 1 && !parser->command->watches_many)
                return error_set(parser->ctx, ERR_USAGE,
                    "--db-url is given twice, and \"%s\" is about one database",
                    parser->command->path);
        }
        if (!set_value(parser, &setting->option, LAYER_ARGUMENT, setting->spelling, setting->value))
            return false;
    }
    return true;
}

/* The name of the operand at index: "FILE.sql" for every one of "FILE.sql ...". */
static const char *
operand_name(struct arena *arena, const char *operands, size_t index)
{
    const char *at = operands ? operands : "";
    const char *name = "operand";

    for (size_t i = 0; i <= index && *at; i++) {
        size_t length = strcspn(at, " ");

        if (strncmp(at, "...", 3) == 0)
            break;
        name = arena_strndup(arena, at, length);
        at += length;
        at += strspn(at, " ");
    }
    return name;
}

static bool
check_operands(struct parser *parser)
{
    const struct command *command = parser->command;
    const struct text_list *operands = &parser->operands;
    struct buffer missing = { .arena = parser->ctx->arena };

    if (operands->count > command->max_operands)
        return error_set(parser->ctx, ERR_USAGE, "unexpected operand \"%s\"",
            operands->items[command->max_operands]);
    for (size_t i = operands->count; i < command->min_operands; i++)
        buffer_printf(&missing, "%s%s", missing.length > 0 ? " " : "",
            operand_name(parser->ctx->arena, command->operands, i));
    if (missing.length > 0)
        return error_set(parser->ctx, ERR_USAGE, "missing operand: %s", buffer_text(&missing));
    return true;
}

static bool
check_required(struct parser *parser)
{
    struct arena *arena = parser->ctx->arena;

    for (size_t i = 0; i < option_count(parser->command); i++) {
        const struct field *field = option_at(parser->command, i).field;

        if (field->required && parser->layers[i] == LAYER_NONE)
            return error_set(parser->ctx, ERR_USAGE, "missing option: --%s %s",
                option_spell(arena, field), option_arg(field));
    }
    return true;
}

/* A wrong value is bad input to the library and bad usage of the program. */
static bool
fail_usage(struct ctx *ctx, const struct command *command)
{
    if (ctx->error.kind == ERR_INPUT)
        ctx->error.kind = ERR_USAGE;
    if (ctx->error.kind == ERR_USAGE && !ctx->error.hint)
        error_hint(ctx, "Try \"pgmend %s --help\".", command->path);
    return false;
}

bool
command_parse(struct ctx *ctx, const struct invocation *asked, struct global_options *ret_global,
    void *ret_options, struct text_list *ret_operands)
{
    const struct command *command = asked->command;
    struct parser parser = {
        .ctx = ctx,
        .command = command,
        .global = ret_global,
        .own = ret_options,
        .layers = ARENA_ARRAY(ctx->arena, unsigned char, option_count(command)),
    };

    *ret_global = (struct global_options){ 0 };
    if (!read_arguments(&parser, asked->argc, asked->argv))
        return fail_usage(ctx, command);
    if (parser.is_done)
        return true;
    field_set_defaults(ctx, command->options, command->option_count, ret_options);
    if (!apply_file(&parser) || !apply_environment(&parser) || !apply_arguments(&parser) ||
        !check_required(&parser) || !check_operands(&parser))
        return fail_usage(ctx, command);
    if (!ret_global->state_dir)
        ret_global->state_dir = global_state_dir(ctx->arena);
    if (!ret_global->state_dir) {
        error_set(ctx, ERR_USAGE, "there is no home folder to keep journals and plans in");
        return error_hint(ctx, "Give a folder with --state-dir.");
    }
    *ret_operands = parser.operands;
    return true;
}
