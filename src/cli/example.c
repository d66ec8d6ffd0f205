/*
 * The example of pgmend.ini. Explanations begin with "; ", settings with ";" alone, so that taking that
 * one character away sets them.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "cli/page.h"

enum { WIDTH = 100 };

/* A comment, wrapped. */
static void
print_comment(FILE *out, const char *text)
{
    char *lines = NULL;
    size_t length = 0;
    FILE *wrapped = open_memstream(&lines, &length);

    if (!wrapped)
        memory_exhausted(0);
    page_wrap(wrapped, text, 0, 0, WIDTH);
    (void)fclose(wrapped);
    for (const char *at = lines; *at;) {
        size_t end = strcspn(at, "\n");

        fprintf(out, "; %.*s\n", (int)end, at);
        at += end + (at[end] == '\n');
    }
    free(lines);
}

/* What a switch would be changed to is more use than what it is; else the default, or what is expected. */
static const char *
example_value(const struct field *field)
{
    if (field->type == FIELD_BOOL)
        return text_equal(field->standard, "true") ? "off" : "on";
    if (field->standard)
        return field->standard;
    return field->choices ? field->choices[0] : option_arg(field);
}

static void
print_settings(FILE *out, const struct field *fields, size_t count, bool is_global)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    for (size_t i = 0; i < count; i++) {
        if (!option_is_persistent(&fields[i], is_global))
            continue;
        print_comment(out, page_option_help(arena, &fields[i]));
        fprintf(out, ";%s = %s\n", fields[i].name, example_value(&fields[i]));
    }
}

void
example_print(FILE *out)
{
    print_comment(out, "Example of pgmend.ini, made by \"pgmend help --example-config\".");
    fputs(";\n", out);
    print_comment(out, page_configuration);
    fputs(";\n", out);
    print_comment(out,
        "A line that begins with a semicolon and a space explains; one that begins with a semicolon "
        "alone is a setting: take the semicolon away. It has its default, else a word in capitals that "
        "says what is expected.");
    fputs("\n[pgmend]\n", out);
    print_settings(out, global_fields, global_field_count, true);
    for (size_t i = 0; commands[i]; i++) {
        if (!option_any_persistent(commands[i]))
            continue;
        fputs("\n", out);
        print_comment(out, commands[i]->summary);
        fprintf(out, "[%s]\n", commands[i]->path);
        print_settings(out, commands[i]->options, commands[i]->option_count, false);
    }
}
