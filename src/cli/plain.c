#include "cli/plain.h"

#include <ctype.h>
#include <strings.h>
#include <unistd.h>

#include "base/log.h"
#include "base/term.h"
#include "cli/config.h"
#include "cli/page.h"
#include "cli/roff.h"

enum source { SOURCE_NONE, SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_ARGUMENT };

struct reader {
    struct ctx *ctx;
    const struct plain *plain;
    void *object;
    struct command command; /* what cli/option looks fields up in */
    unsigned char *sources; /* of each field */
};

static bool
find(const struct reader *reader, const char *name, struct option *ret)
{
    return option_find(&reader->command, name, ret) && !ret->is_global;
}

/* A list is replaced, not extended, by a stronger source. */
static bool
set_value(struct reader *reader, const struct option *option, enum source source,
    const char *spelling, const char *text)
{
    unsigned char *previous = &reader->sources[option->field - reader->plain->fields];

    if (option->field->type == FIELD_TEXT_LIST && *previous != source)
        *(struct text_list *)(void *)((char *)reader->object + option->field->offset) =
            (struct text_list){ 0 };
    *previous = (unsigned char)source;
    return option_parse(
        reader->ctx, option, spelling, arena_strdup(reader->ctx->arena, text), reader->object);
}

static bool
refuse_name(struct reader *reader, const char *typed)
{
    const char *best = NULL;
    size_t least = strlen(typed) / 3 + 1;

    for (size_t i = 0; i < reader->plain->field_count; i++) {
        const char *name = option_spell(reader->ctx->arena, &reader->plain->fields[i]);
        size_t distance = text_distance(typed + strspn(typed, "-"), name);

        if (distance >= least)
            continue;
        least = distance;
        best = name;
    }
    return best ? error_hint(reader->ctx, "Did you mean \"%s\"?", best) : false;
}

static bool
is_momentary(const struct option *option)
{
    return option->field->momentary;
}

static bool
set_entry(struct reader *reader, const struct config *config, const struct config_entry *entry)
{
    struct ctx *ctx = reader->ctx;
    struct option option;

    if (!text_equal(entry->section, reader->plain->program)) {
        error_set(ctx, ERR_CONFIG, "%s:%d: unknown section [%s]", config->path, entry->line,
            entry->section);
        return error_hint(ctx, "All settings stand in section [%s].", reader->plain->program);
    }
    if (!find(reader, entry->name, &option) || option.is_negated || is_momentary(&option)) {
        error_set(ctx, ERR_CONFIG, "%s:%d: unknown setting \"%s\"", config->path, entry->line,
            entry->name);
        return refuse_name(reader, entry->name);
    }
    if (option.field->type != FIELD_TEXT_LIST &&
        reader->sources[option.field - reader->plain->fields] == SOURCE_FILE)
        return error_set(ctx, ERR_CONFIG, "%s:%d: \"%s\" is set a second time", config->path,
            entry->line, entry->name);
    if (set_value(reader, &option, SOURCE_FILE, entry->name, entry->value))
        return true;
    ctx->error.kind = ERR_CONFIG;
    return error_wrap(ctx, "%s:%d", config->path, entry->line);
}

static bool
read_file(struct reader *reader, const char *path)
{
    struct config config;

    if (!config_read(reader->ctx, path, &config))
        return false;
    for (size_t i = 0; i < config.entries.count; i++) {
        if (!set_entry(reader, &config, &config.entries.items[i]))
            return false;
    }
    return true;
}

static bool
set_items(struct reader *reader, const struct option *option, const char *name, const char *value)
{
    while (*value) {
        size_t length = strcspn(value, ",");

        if (length > 0 && !set_value(reader, option, SOURCE_ENVIRONMENT, name,
                              arena_strndup(reader->ctx->arena, value, length)))
            return false;
        value += length;
        value += *value == ',';
    }
    return true;
}

static bool
read_variable(struct reader *reader, const struct option *option, const char *name)
{
    const char *value = getenv(name);

    if (text_is_empty(value) || is_momentary(option))
        return true;
    if (option->field->type == FIELD_TEXT_LIST)
        return set_items(reader, option, name, value);
    return set_value(reader, option, SOURCE_ENVIRONMENT, name, value);
}

static bool
read_environment(struct reader *reader)
{
    const struct plain *plain = reader->plain;

    for (size_t i = 0; i < plain->field_count; i++) {
        const struct option option = { .field = &plain->fields[i] };
        char *name = arena_printf(reader->ctx->arena, "%s%s", plain->prefix, option.field->name);
        bool is_first_list = option.field->type == FIELD_TEXT_LIST && plain->variable;

        for (char *at = name; *at; at++)
            *at = (char)toupper((unsigned char)*at);
        if (!read_variable(reader, &option, name))
            return false;
        if (is_first_list && reader->sources[i] == SOURCE_NONE &&
            !text_is_empty(getenv(plain->variable)) &&
            !set_value(
                reader, &option, SOURCE_ENVIRONMENT, plain->variable, getenv(plain->variable)))
            return false;
    }
    return true;
}

/* "--name=VALUE", "--name VALUE", "--name" of a boolean, "-h"; *at moves when the value is the next. */
static bool
read_argument(struct reader *reader, int argc, char **argv, int *at)
{
    struct ctx *ctx = reader->ctx;
    const char *text = argv[*at], *equals = strchr(text, '=');
    const char *name =
        arena_strndup(ctx->arena, text, equals ? (size_t)(equals - text) : strlen(text));
    bool is_long = text_starts_with(name, "--") && name[2];
    struct option option;

    if (is_long
            ? !find(reader, name + 2, &option)
            : !(name[0] == '-' && name[1] && !name[2] && !equals &&
                  option_find_letter(&reader->command, name[1], &option) && !option.is_global)) {
        error_set(
            ctx, ERR_USAGE, "unknown %s \"%s\"", name[0] == '-' ? "option" : "argument", name);
        return is_long ? refuse_name(reader, name) : false;
    }
    if (equals)
        return set_value(reader, &option, SOURCE_ARGUMENT, name, equals + 1);
    if (option.field->type == FIELD_BOOL)
        return set_value(reader, &option, SOURCE_ARGUMENT, name, "true");
    if (*at + 1 == argc)
        return error_set(
            ctx, ERR_USAGE, "option %s needs a value: %s %s", name, name, option_arg(option.field));
    return set_value(reader, &option, SOURCE_ARGUMENT, name, argv[++*at]);
}

static bool
read_arguments(struct reader *reader, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (!read_argument(reader, argc, argv, &i))
            return false;
    }
    return true;
}

static const void *
member(const struct reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->plain->field_count; i++) {
        if (text_equal(reader->plain->fields[i].name, name))
            return (const char *)reader->object + reader->plain->fields[i].offset;
    }
    return NULL;
}

static bool
is_set(const struct reader *reader, const char *name)
{
    const bool *value = member(reader, name);

    return value && *value;
}

/* A wrong value is bad input to the library and bad usage of the program. */
static bool
fail_usage(struct reader *reader)
{
    struct ctx *ctx = reader->ctx;

    if (ctx->error.kind == ERR_INPUT)
        ctx->error.kind = ERR_USAGE;
    return ctx->error.hint ? false : error_hint(ctx, "Try \"%s --help\".", reader->plain->program);
}

bool
plain_parse(struct ctx *ctx, const struct plain *plain, int argc, char **argv, void *ret_object)
{
    struct reader reader = {
        .ctx = ctx,
        .plain = plain,
        .object = ret_object,
        .command = { .options = plain->fields, .option_count = plain->field_count },
        .sources = ARENA_ARRAY(ctx->arena, unsigned char, plain->field_count),
    };
    const char *const *config;

    /* The arguments come twice: the first time for the name of the file that they win over. */
    field_set_defaults(ctx, plain->fields, plain->field_count, ret_object);
    if (!read_arguments(&reader, argc, argv))
        return fail_usage(&reader);
    if (is_set(&reader, "help") || is_set(&reader, "man") || is_set(&reader, "version"))
        return true;
    config = member(&reader, "config");
    memset(reader.sources, 0, plain->field_count);
    for (size_t i = 0; i < plain->field_count; i++) {
        if (plain->fields[i].type == FIELD_TEXT_LIST)
            *(struct text_list *)(void *)((char *)ret_object + plain->fields[i].offset) =
                (struct text_list){ 0 };
    }
    return ((!config || !*config || read_file(&reader, *config)) && read_environment(&reader) &&
               read_arguments(&reader, argc, argv)) ||
           fail_usage(&reader);
}

/* A setting that this variable could be meant for; NULL: it is one, so all is well. */
static bool
is_setting(const struct plain *plain, const char *name)
{
    for (size_t i = 0; i < plain->field_count; i++) {
        if (!plain->fields[i].momentary && strcasecmp(plain->fields[i].name, name) == 0)
            return true;
    }
    return false;
}

void
plain_warn(struct arena *arena, const struct plain *plain)
{
    struct ctx ctx = { .arena = arena };
    struct reader reader = { .ctx = &ctx, .plain = plain };

    for (char **at = environ; *at; at++) {
        size_t prefix = strlen(plain->prefix), length = strcspn(*at, "=");
        char *name = arena_strndup(arena, *at, length);

        if (!text_starts_with(name, plain->prefix) || is_setting(plain, name + prefix))
            continue;
        error_clear(&ctx);
        for (char *letter = name + prefix; *letter; letter++)
            *letter = (char)(*letter == '_' ? '-' : tolower((unsigned char)*letter));
        (void)refuse_name(&reader, name + prefix);
        log_warn("%s: variable %.*s is no setting%s%s", plain->program, (int)length, *at,
            ctx.error.hint ? ". " : "", ctx.error.hint ? ctx.error.hint : "");
    }
}

/* Where else an option can stand. */
static const char *
places(struct arena *arena, const struct plain *plain)
{
    return arena_printf(arena,
        "Each option can also be a variable, %s and its name in capitals, with commas between "
        "the items of a list, or a line \"name = value\" in section [%s] of the file that "
        "--config names. An option wins over a variable, which wins over the file.",
        plain->prefix, plain->program);
}

void
plain_help(FILE *out, const struct plain *plain)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    size_t width = term_is_terminal(out) && term_width(out) < 100 && term_width(out) > 40
                       ? (size_t)term_width(out)
                       : 90;

    fprintf(out, "Usage: %s [OPTION]...\n\n", plain->program);
    page_wrap(out, plain->about, 0, 0, width);
    fputs("\nOptions:\n", out);
    for (size_t i = 0; i < plain->field_count; i++) {
        const struct field *field = &plain->fields[i];

        if (field->letter)
            fprintf(out, "  -%c, %s\n", field->letter, page_option(arena, field));
        else
            fprintf(out, "  %s\n", page_option(arena, field));
        fputs("        ", out);
        page_wrap(out, page_option_help(arena, field), 8, 8, width);
    }
    fputc('\n', out);
    page_wrap(out, places(arena, plain), 0, 0, width);
    if (plain->examples)
        fprintf(out, "\nExamples:\n%s\n", plain->examples);
}

void
plain_man(FILE *out, const struct plain *plain)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    roff_head(out, plain->program, 8, plain->summary);
    roff_section(out, "SYNOPSIS", arena_printf(arena, "%s [OPTION]...", plain->program));
    roff_section(out, "DESCRIPTION", plain->about);
    fputs(".SH OPTIONS\n", out);
    roff_options(out, arena, plain->fields, plain->field_count);
    roff_section(out, "ENVIRONMENT AND FILE", places(arena, plain));
    if (plain->examples) {
        fputs(".SH EXAMPLES\n.nf\n", out);
        roff_text(out, plain->examples, true);
        fputs(".fi\n", out);
    }
}
