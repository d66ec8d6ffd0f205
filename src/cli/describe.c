/* The table of commands as JSON, for other programs. */

#include "cli/out.h"
#include "cli/page.h"

static const char *const access_names[] = {
    [ACCESS_NONE] = "none",
    [ACCESS_READ] = "read",
    [ACCESS_WRITE] = "write",
};

static json_t *
text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static const char *
type_name(const struct field *field)
{
    switch (field->unit) {
    case UNIT_BYTES:
        return "size";
    case UNIT_US:
        return "time";
    case UNIT_NONE:
        break;
    }
    switch (field->type) {
    case FIELD_BOOL:
        return "boolean";
    case FIELD_INT32:
    case FIELD_INT64:
    case FIELD_UINT32:
        return "integer";
    case FIELD_DOUBLE:
        return "number";
    case FIELD_TEXT:
        return "text";
    case FIELD_TEXT_LIST:
        break;
    }
    return "list";
}

static json_t *
describe_option(struct arena *arena, const struct field *field, bool is_global)
{
    json_t *json = json_object();
    char letter[2] = { field->letter, '\0' };
    bool is_persistent = option_is_persistent(field, is_global);

    json_object_set_new(json, "name", json_string(field->name));
    json_object_set_new(
        json, "option", json_string(arena_printf(arena, "--%s", option_spell(arena, field))));
    json_object_set_new(json, "letter", text_or_null(field->letter ? letter : NULL));
    json_object_set_new(json, "type", json_string(type_name(field)));
    json_object_set_new(json, "argument", text_or_null(option_arg(field)));
    json_object_set_new(json, "default", text_or_null(field->standard));
    json_object_set_new(json, "required", json_boolean(field->required));
    json_object_set_new(json, "help", text_or_null(field->help));
    json_object_set_new(
        json, "environment", text_or_null(is_persistent ? option_environment(arena, field) : NULL));
    if (field->choices) {
        json_t *choices = json_array();

        for (size_t i = 0; field->choices[i]; i++)
            json_array_append_new(choices, json_string(field->choices[i]));
        json_object_set_new(json, "choices", choices);
    }
    return json;
}

static json_t *
describe_options(struct arena *arena, const struct field *fields, size_t count, bool is_global)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, describe_option(arena, &fields[i], is_global));
    return array;
}

static json_t *
describe_command(struct arena *arena, const struct command *command)
{
    json_t *json = json_object();

    json_object_set_new(json, "path", json_string(command->path));
    json_object_set_new(json, "summary", json_string(command->summary));
    json_object_set_new(json, "details", text_or_null(command->details));
    json_object_set_new(json, "operands", text_or_null(command->operands));
    json_object_set_new(json, "min_operands", json_integer((json_int_t)command->min_operands));
    json_object_set_new(json, "max_operands",
        command->max_operands == SIZE_MAX ? json_null()
                                          : json_integer((json_int_t)command->max_operands));
    json_object_set_new(json, "access", json_string(access_names[command->access]));
    json_object_set_new(
        json, "options", describe_options(arena, command->options, command->option_count, false));
    json_object_set_new(json, "examples", text_or_null(command->examples));
    json_object_set_new(json, "next", text_or_null(command->next));
    return json;
}

void
describe_print(FILE *out)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    json_t *document CLEANUP(json_release) = json_object();
    json_t *list = json_array();
    json_t *statuses = json_array();

    for (size_t i = 0; commands[i]; i++)
        json_array_append_new(list, describe_command(arena, commands[i]));
    for (size_t i = 0; i < page_status_count; i++) {
        json_t *status = json_object();

        json_object_set_new(status, "status", json_integer(page_statuses[i].status));
        json_object_set_new(status, "meaning", json_string(page_statuses[i].meaning));
        json_array_append_new(statuses, status);
    }
    json_object_set_new(document, "program", json_string("pgmend"));
    json_object_set_new(document, "version", json_string(PGMEND_VERSION));
    json_object_set_new(document, "global_options",
        describe_options(arena, global_fields, global_field_count, true));
    json_object_set_new(document, "commands", list);
    json_object_set_new(document, "exit_statuses", statuses);
    out_json(out, document);
}
