/* [request NAME]: one kind of request. */
#include <inttypes.h>
#include <strings.h>

#include "lang/sql.h"
#include "load/scenario/reading.h"
#include "load/scenario/script.h"

enum { MOST_EXPECTED = 50 };

struct request {
    const char *name;
    int32_t line;
    struct load_step step;
    const struct ini_setting *path;
    const struct ini_setting *script;
    const struct ini_setting *body;
    bool has_type; /* a header says what the body is */
    struct buffer headers;
    int32_t header_line;
    VEC(int32_t) expected;
    VEC(struct load_take) takes;
    struct buffer statements;
    int32_t statement_line;
};

static bool
take_method(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD",
        "OPTIONS" };
    struct request *request = object;

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (!text_equal(methods[i], value))
            continue;
        request->step.method = methods[i];
        return true;
    }
    reading_refuse(reading, setting->line, "method = %s is not known", value);
    return error_hint(reading->ctx, "Write GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS.");
}

static bool
take_path(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct request *request = object;
    const char *where = reading_where(reading, setting->line);

    request->path = setting;
    if (*value != '/') {
        reading_refuse(reading, setting->line, "path = %s does not begin with \"/\"", value);
        return error_hint(reading->ctx,
            "The address stands in target of [scenario]; here only what is behind it.");
    }
    return load_template_compile(
        reading->ctx, reading->world, value, where, DRESS_PATH, &request->step.path);
}

static bool
is_token(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
                (text[i] >= '0' && text[i] <= '9') || strchr("!#$%&'*+-.^_`|~", text[i])))
            return false;
    return length > 0;
}

static bool
take_header(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    static const char *const own[] = { "Host", "Content-Length", "Transfer-Encoding",
        "Connection" };
    struct request *request = object;
    size_t length = strcspn(value, ":");

    if (!value[length] || !is_token(value, length)) {
        reading_refuse(reading, setting->line, "header = %s is no header", value);
        return error_hint(reading->ctx, "Write \"header = Name: value\".");
    }
    for (size_t i = 0; i < COUNT_OF(own); i++)
        if (strlen(own[i]) == length && strncasecmp(own[i], value, length) == 0)
            return reading_refuse(reading, setting->line, "%s is written by pgmend itself", own[i]);
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < ' ' && *c != '\t')
            return reading_refuse(reading, setting->line, "the header holds a control character");
    request->has_type |=
        length == strlen("Content-Type") && strncasecmp("Content-Type", value, length) == 0;
    if (!request->header_line)
        request->header_line = setting->line;
    request->step.header_lines++;
    buffer_printf(&request->headers, "%s\r\n", value);
    return true;
}

static bool
take_body(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct request *request = object;
    bool is_json = *value == '{' || *value == '[';

    request->body = setting;
    return load_template_compile(reading->ctx, reading->world, value,
        reading_where(reading, setting->line), is_json ? DRESS_JSON : DRESS_NONE,
        &request->step.body);
}

static bool
take_expect(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct request *request = object;
    struct text_list parts = reading_split(reading->ctx->arena, value, ',');

    for (size_t i = 0; i < parts.count; i++) {
        int64_t status;

        if (parts.count > MOST_EXPECTED || !text_to_int64(parts.items[i], &status) ||
            status < 100 || status > 599) {
            reading_refuse(
                reading, setting->line, "expect = %s: \"%s\" is no status", value, parts.items[i]);
            return error_hint(reading->ctx, "Write the statuses that are good: 200, 404.");
        }
        VEC_PUSH(reading->ctx->arena, &request->expected, (int32_t)status);
    }
    return true;
}

/* "token from body token", "id from header X-Id". */
static bool
split_take(struct arena *arena, const char *value, const char **ret_name, struct load_take *ret)
{
    size_t length = strcspn(value, " \t");
    const char *rest = value + length + strspn(value + length, " \t");
    bool is_header;

    *ret_name = arena_strndup(arena, value, length);
    if (!text_starts_with(rest, "from"))
        return false;
    rest += strlen("from");
    rest += strspn(rest, " \t");
    is_header = text_starts_with(rest, "header");
    if (!is_header && !text_starts_with(rest, "body"))
        return false;
    rest += is_header ? strlen("header") : strlen("body");
    if (!*rest || !strchr(" \t", *rest))
        return false;
    rest += strspn(rest, " \t");
    *ret = (struct load_take){ .header = is_header ? rest : NULL, .path = is_header ? NULL : rest };
    return *rest && !strpbrk(rest, " \t\n");
}

static bool
refuse_take(struct reading *reading, const struct ini_setting *setting)
{
    reading_refuse(reading, setting->line, "take = %s cannot be read", setting->value);
    return error_hint(reading->ctx,
        "Write \"take = NAME from body PATH\" (PATH as in items.0.id) or "
        "\"take = NAME from header HEADER\".");
}

static bool
take_take(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct request *request = object;
    struct load_take take;
    const char *name;

    if (!split_take(reading->ctx->arena, value, &name, &take))
        return refuse_take(reading, setting);
    if (take.header && !is_token(take.header, strlen(take.header)))
        return reading_refuse(reading, setting->line, "\"%s\" is no header's name", take.header);
    take.slot = load_world_slot(reading->world, name);
    for (size_t i = 0; i < request->takes.count; i++)
        if (request->takes.items[i].slot == take.slot)
            return reading_refuse(reading, setting->line, "\"%s\" is taken twice", name);
    VEC_PUSH(reading->ctx->arena, &request->takes, take);
    return true;
}

/* What is taken is known to all requests, so it is looked for before any is read. */
bool
reading_slots(struct reading *reading, const struct ini_section *section)
{
    for (size_t i = 0; i < section->settings.count; i++) {
        const struct ini_setting *setting = &section->settings.items[i];
        struct load_take take;
        const char *name;

        if (!text_equal(setting->name, "take") || !setting->has_value)
            continue;
        if (!split_take(reading->ctx->arena, setting->value, &name, &take))
            return refuse_take(reading, setting);
        if (!load_name_check(reading->ctx, name, reading_where(reading, setting->line)))
            return false;
        if (load_world_find(reading->world, name) || load_world_table(reading->world, name)) {
            reading_refuse(
                reading, setting->line, "\"%s\" is the name of a constant or of values", name);
            return error_hint(reading->ctx, "Take it by another name.");
        }
        (void)load_world_slot(reading->world, name);
    }
    return true;
}

static bool
take_script(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct request *request = object;

    request->script = setting;
    return load_script_read(
        reading->ctx, reading->world, request->name, reading_path(reading, value), &request->step);
}

static bool
take_sql(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct request *request = object;
    size_t length = strlen(value);

    (void)reading;
    if (!request->statement_line)
        request->statement_line = setting->line;
    buffer_add(&request->statements, value);
    buffer_add(&request->statements, length > 0 && value[length - 1] == ';' ? "\n" : "\n;\n");
    return true;
}

static const struct reading_key http_keys[] = {
    { .name = "method", .take = take_method },
    { .name = "path", .take = take_path, .is_raw = true },
    { .name = "header", .take = take_header, .is_many = true, .is_raw = true },
    { .name = "body", .take = take_body, .is_long = true, .is_raw = true },
    { .name = "expect", .take = take_expect },
    { .name = "take", .take = take_take, .is_many = true, .is_raw = true },
};
static const struct reading_key sql_keys[] = {
    { .name = "sql", .take = take_sql, .is_many = true, .is_long = true, .is_raw = true },
    { .name = "script", .take = take_script },
};

static bool
finish_http(struct reading *reading, struct request *request)
{
    struct load_step *step = &request->step;

    if (!request->path) {
        reading_refuse(reading, request->line, "[request %s] has no path", request->name);
        return error_hint(reading->ctx, "Write for example \"path = /health\".");
    }
    if (!step->method)
        step->method = step->body ? "POST" : "GET";
    if (step->body && (text_equal(step->method, "GET") || text_equal(step->method, "HEAD")))
        return reading_refuse(
            reading, request->body->line, "a request by %s has no body", step->method);
    if (step->body && !request->has_type && strchr("{[", *request->body->value)) {
        buffer_add(&request->headers, "Content-Type: application/json\r\n");
        step->header_lines++;
    }
    if (request->headers.length > 0 &&
        !load_template_compile(reading->ctx, reading->world, buffer_text(&request->headers),
            reading_where(reading, request->header_line ? request->header_line : request->line),
            DRESS_HEADER, &step->headers))
        return false;
    step->expected = request->expected.items;
    step->expected_count = request->expected.count;
    step->takes = request->takes.items;
    step->take_count = request->takes.count;
    return true;
}

static bool
finish_sql(struct reading *reading, struct request *request)
{
    if (!request->script && !request->statement_line) {
        reading_refuse(
            reading, request->line, "[request %s] has neither sql nor script", request->name);
        return error_hint(reading->ctx, "Write \"sql = SELECT …\" or \"script = FILE.sql\".");
    }
    if (request->script && request->statement_line)
        return reading_refuse(reading, request->script->line,
            "[request %s] has both sql and a script", request->name);
    return request->script || load_script_compile(reading->ctx, reading->world, request->name,
                                  buffer_text(&request->statements),
                                  reading_where(reading, request->statement_line), &request->step);
}

static bool
check_name(struct reading *reading, const struct ini_section *section)
{
    for (size_t i = 0; i < reading->steps.count; i++)
        if (text_equal(reading->steps.items[i].name, section->name)) {
            reading_refuse(reading, section->line, "[request %s] is in line %" PRId32 " already",
                section->name, reading->notes.items[i].line);
            return error_hint(reading->ctx, "Give one of the two another name.");
        }
    return load_name_check(reading->ctx, section->name, reading_where(reading, section->line));
}

bool
reading_request(struct reading *reading, const struct ini_section *section)
{
    bool is_sql = reading->scenario->kind == LOAD_SQL;
    struct request request = { .name = section->name, .line = section->line };
    struct step_notes notes = { .line = section->line };
    struct arena *arena = reading->ctx->arena;

    request.headers.arena = arena;
    request.statements.arena = arena;
    memset(&reading->world->used, 0, sizeof(reading->world->used));
    request.step.name = section->name;
    if (!check_name(reading, section) ||
        !reading_take(reading, section, is_sql ? sql_keys : http_keys,
            is_sql ? COUNT_OF(sql_keys) : COUNT_OF(http_keys), &request) ||
        !(is_sql ? finish_sql(reading, &request) : finish_http(reading, &request)))
        return false;
    notes.used = reading->world->used.items;
    notes.used_count = reading->world->used.count;
    VEC_PUSH(arena, &reading->steps, request.step);
    VEC_PUSH(arena, &reading->notes, notes);
    return true;
}
