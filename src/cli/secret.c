#include "cli/secret.h"

#include <sys/resource.h>

#include "base/memory.h"
#include "cli/command.h"
#include "cli/option.h"

static void
overwrite(char *from, const char *end)
{
    while (from < end)
        *from++ = 'x';
}

/* "://user:secret@": up to the last @, since a password that was not encoded may hold one. */
static bool
scrub_url(char *text)
{
    char *start = strstr(text, "://");
    char *colon = start ? strchr(start + 3, ':') : NULL;
    char *at = colon ? strrchr(colon, '@') : NULL;

    if (!at)
        return false;
    overwrite(colon + 1, at);
    return at > colon + 1;
}

/* The end of a value behind "password=": quoted as in a connection string, or up to & or space. */
static char *
end_of_value(char *value)
{
    if (*value != '\'')
        return value + strcspn(value, "& \t\n");
    for (value++; *value && *value != '\''; value++)
        if (*value == '\\' && value[1])
            value++;
    return value;
}

/* "password=secret", "sslpassword = 'se cret'", "?password=secret&…". */
static bool
scrub_parameters(char *text)
{
    static const char word[] = "password";
    bool found = false;

    for (char *at = strcasestr(text, word); at; at = strcasestr(at, word)) {
        at += sizeof(word) - 1;

        char *value = at + strspn(at, " \t");

        if (*value != '=')
            continue;
        value++;
        value += strspn(value, " \t");

        char *end = end_of_value(value);

        found |= end > value;
        overwrite(value, end);
        at = end;
    }
    return found;
}

bool
secret_scrub(char *text)
{
    bool in_url = scrub_url(text);
    bool in_parameters = scrub_parameters(text);

    return in_url || in_parameters;
}

/* Whether any command has a secret option of this name. */
static bool
is_secret_name(const char *name)
{
    for (size_t i = 0; commands[i]; i++) {
        struct option option;

        if (option_find(commands[i], name, &option) && option.field->secret)
            return true;
    }
    return false;
}

bool
secret_is_in(const char *name, const char *value)
{
    char *copy = memory_text(value);
    bool found = secret_scrub(copy);

    free(copy);
    return found || (*value && is_secret_name(name));
}

void
command_scrub(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        char name[64] = "";

        secret_scrub(argv[i]);
        if (argv[i][0] != '-' || argv[i][1] != '-')
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(argv[i] + 2, "="), argv[i] + 2);
        if (!is_secret_name(name))
            continue;
        if (!value && i + 1 < argc)
            value = argv[++i];
        else if (value)
            value++;
        if (value)
            overwrite(value, value + strlen(value));
    }
}

char **
command_take_arguments(struct arena *arena, int argc, char **argv)
{
    char **copy = ARENA_ARRAY(arena, char *, (size_t)argc + 1);

    for (int i = 0; i < argc; i++)
        copy[i] = arena_strdup(arena, argv[i]);
    command_scrub(argc, argv);
    /* A core file would hold them. */
    setrlimit(RLIMIT_CORE, &(const struct rlimit){ 0 });
    return copy;
}
