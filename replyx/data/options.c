#include "data/options.h"

static const char *const scale_names[] = { "tiny", "small", "plan", "xl", NULL };

static const struct field fields[] = {
    FIELD(struct options, db_url, .arg = "URL",
        .help = "the database; without it DATABASE_URL, else PGHOST, PGDATABASE, …"),
    FIELD(struct options, scale, .arg = "NAME", .choices = scale_names, .required = true,
        .help = "tiny, small, plan or xl; see below"),
    FIELD(struct options, seed, .arg = "N", .standard = "1",
        .help = "another number gives another world"),
    FIELD(struct options, now, .arg = "TIME",
        .help =
            "newest time of any row, 2026-11-22 or 2026-11-22T10:00:00Z; without it today 0:00"),
    FIELD(struct options, only, .arg = "TABLES",
        .help = "names with commas: fill these only; what they refer to must be there"),
    FIELD(struct options, to_file, .arg = "DIR",
        .help = "no database: write TABLE.copy files and load.sql for psql"),
    FIELD(struct options, fast,
        .help = "no foreign key triggers, but a check afterwards; for superusers"),
    FIELD(struct options, vacuum, .help = "vacuum too, as autovacuum would do in time"),
    FIELD(struct options, quiet, .help = "no progress"),
    FIELD(struct options, help, .letter = 'h', .help = "show this"),
    FIELD(struct options, version, .help = "show the version"),
};

/* Whether the argument "--min-size=1" or "--min-size" is for this field. */
static bool
is_named(const char *argument, const struct field *field)
{
    const char *name = field->name;

    if (argument[0] == '-' && argument[1] != '-')
        return field->letter != '\0' && argument[1] == field->letter && argument[2] == '\0';
    if (!text_starts_with(argument, "--"))
        return false;
    for (argument += 2; *name != '\0'; argument++, name++) {
        if (*argument != (*name == '_' ? '-' : *name))
            return false;
    }
    return *argument == '\0' || *argument == '=';
}

static const struct field *
find(const char *argument)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (is_named(argument, &fields[i]))
            return &fields[i];
    }
    return NULL;
}

static bool
wrong_usage(struct ctx *ctx)
{
    ctx->error.kind = ERR_USAGE;
    return error_hint(ctx, "Try \"replyx-data --help\".");
}

/* Sets the option at argv[0]; *ret_used are the arguments that it took. */
static bool
parse_one(struct ctx *ctx, int argc, char **argv, struct options *ret, int *ret_used)
{
    const struct field *field = find(argv[0]);
    const char *value = strchr(argv[0], '=');

    *ret_used = 1;
    if (field == NULL) {
        error_set(ctx, ERR_USAGE, "unknown argument \"%s\"", argv[0]);
        return wrong_usage(ctx);
    }
    if (field->type == FIELD_BOOL) {
        value = value == NULL ? "true" : value + 1;
    } else if (value != NULL) {
        value++;
    } else if (argc > 1) {
        value = argv[1];
        *ret_used = 2;
    } else {
        error_set(ctx, ERR_USAGE, "option \"%s\" needs a value", argv[0]);
        return wrong_usage(ctx);
    }
    if (!field_parse(ctx, field, value, ret)) {
        error_wrap(ctx, "option \"%s\"", argv[0]);
        return wrong_usage(ctx);
    }
    return true;
}

bool
options_parse(struct ctx *ctx, int argc, char **argv, struct options *ret)
{
    int used;

    *ret = (struct options){ 0 };
    field_set_defaults(ctx, fields, COUNT_OF(fields), ret);
    for (int i = 0; i < argc; i += used) {
        if (!parse_one(ctx, argc - i, argv + i, ret, &used))
            return false;
    }
    if (ret->scale != NULL || ret->help || ret->version)
        return true;
    error_set(ctx, ERR_USAGE, "option --scale is missing");
    return wrong_usage(ctx);
}

static void
print_option(FILE *out, const struct field *field)
{
    char name[40];
    size_t length = 0;

    snprintf(name, sizeof(name), "%s", field->name);
    for (; name[length] != '\0'; length++) {
        if (name[length] == '_')
            name[length] = '-';
    }
    fprintf(out, "  --%s%s%-*s  %s", name, field->arg != NULL ? " " : "",
        (int)(18 - length - (field->arg != NULL ? 1 : 0)), field->arg != NULL ? field->arg : "",
        field->help);
    if (field->standard != NULL)
        fprintf(out, " (default %s)", field->standard);
    fputc('\n', out);
}

void
options_help(FILE *out)
{
    fputs("Usage: replyx-data --scale NAME [OPTION]...\n\n"
          "Fills an empty, migrated ReplyX database by COPY, in one transaction: a run that\n"
          "fails leaves it empty. The same seed, scale and --now give the same rows.\n\n",
        out);
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        print_option(out, &fields[i]);
    fputs("\nScale     users  assistants    dialogs    messages     chunks    bots  database\n"
          "tiny        120         300      2,000      20,000        500      20    0.1 GB\n"
          "small     2,000       3,000     60,000     600,000     20,000     100    0.4 GB\n"
          "plan     16,000      40,000    400,000   4,000,000    100,000   1,000    2.4 GB\n"
          "xl       40,000     100,000  1,000,000  10,000,000  1,000,000   2,500     12 GB\n\n"
          "Tables that the migrations fill (service_prices, system_settings) stay as they are.\n"
          "Every user's password is \"replyx\".\n\n"
          "Examples:\n"
          "  replyx-data --scale small --db-url postgresql:///replyx\n"
          "  replyx-data --scale plan --seed 7 --now 2026-11-22 --to-file /tmp/rows\n",
        out);
}
