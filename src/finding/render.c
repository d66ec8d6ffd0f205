/* What the renderers share. */
#include "finding/render.h"

#include <ctype.h>
#include <unistd.h>

#define REPLACEMENT "\xEF\xBF\xBD"

static const char *
plural(struct arena *arena, size_t count, const char *name)
{
    return arena_printf(
        arena, "%s %s%s", text_from_count(arena, (int64_t)count), name, count == 1 ? "" : "s");
}

static size_t
count_of(const struct findings *findings, enum severity severity)
{
    size_t above = severity + 1 < SEVERITY_COUNT ? findings_count(findings, severity + 1) : 0;

    return findings_count(findings, severity) - above;
}

static size_t
count_silenced(const struct findings *findings)
{
    return findings->count - findings_count(findings, SEVERITY_ADVICE);
}

const char *
render_summary(struct arena *arena, const struct render *render)
{
    struct buffer text = { .arena = arena };
    size_t silenced = count_silenced(render->findings);

    buffer_printf(&text, "%s, %s, %s advice",
        plural(arena, count_of(render->findings, SEVERITY_ERROR), "error"),
        plural(arena, count_of(render->findings, SEVERITY_WARNING), "warning"),
        text_from_count(arena, (int64_t)count_of(render->findings, SEVERITY_ADVICE)));
    if (render->subject)
        buffer_printf(&text, " in %s", render->subject);
    if (silenced > 0)
        buffer_printf(&text, "; %s silenced", text_from_count(arena, (int64_t)silenced));
    return buffer_text(&text);
}

json_t *
render_json_counts(const struct findings *findings)
{
    json_t *json = json_object();

    for (int severity = SEVERITY_COUNT - 1; severity >= 0; severity--)
        json_object_set_new(json, severity_name((enum severity)severity),
            json_integer((json_int_t)count_of(findings, (enum severity)severity)));
    json_object_set_new(json, "silenced", json_integer((json_int_t)count_silenced(findings)));
    return json;
}

/* Bytes of the UTF-8 sequence at the start of the text; 0: it is none. */
static size_t
sequence_length(const char *text)
{
    unsigned char first = (unsigned char)*text;
    size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char copy[5] = { 0 };

    memcpy(copy, text, strnlen(text, length));
    return text_is_utf8(copy) && strlen(copy) == length ? length : 0;
}

json_t *
render_json_text(const char *text)
{
    if (!text)
        return json_null();

    json_t *json = json_string(text);

    if (json)
        return json;

    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct buffer buffer = { .arena = arena };

    while (*text) {
        size_t length = sequence_length(text);

        if (length > 0)
            buffer_append(&buffer, text, length);
        else
            buffer_add(&buffer, REPLACEMENT);
        text += length > 0 ? length : 1;
    }
    return json_string(buffer_text(&buffer));
}

static void
set_place(json_t *json, const struct place *place)
{
    json_object_set_new(json, "file", render_json_text(place->file));
    json_object_set_new(json, "line", place->line > 0 ? json_integer(place->line) : json_null());
    json_object_set_new(
        json, "column", place->column > 0 ? json_integer(place->column) : json_null());
    json_object_set_new(
        json, "end_line", place->end_line > 0 ? json_integer(place->end_line) : json_null());
}

/* A name that comes twice has both values, with a comma between. */
static json_t *
evidence_json(const struct finding *finding)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    json_t *json = json_object();

    for (size_t i = 0; i < finding->evidence.count; i++) {
        const struct evidence *fact = &finding->evidence.items[i];
        const char *before = json_string_value(json_object_get(json, fact->name));
        const char *value =
            before ? arena_printf(arena, "%s, %s", before, fact->value) : fact->value;

        json_object_set_new(json, fact->name, render_json_text(value));
    }
    return json;
}

json_t *
render_json_finding(const struct finding *finding)
{
    json_t *json = json_object();
    json_t *related = json_array();

    json_object_set_new(json, "rule", json_string(finding->rule->id));
    json_object_set_new(json, "group", json_string(finding->rule->group));
    json_object_set_new(json, "severity", json_string(severity_name(finding->severity)));
    set_place(json, &finding->place);
    json_object_set_new(json, "revision", render_json_text(finding->context));
    json_object_set_new(json, "object", render_json_text(finding->object));
    json_object_set_new(json, "message", render_json_text(finding->message));
    json_object_set_new(json, "instead",
        render_json_text(finding->instead ? finding->instead : finding->rule->instead));
    json_object_set_new(json, "silenced", render_json_text(finding->silenced));
    json_object_set_new(json, "evidence", evidence_json(finding));
    for (size_t i = 0; i < finding->related.count; i++) {
        json_t *place = json_object();

        set_place(place, &finding->related.items[i].place);
        json_object_set_new(place, "what", render_json_text(finding->related.items[i].what));
        json_array_append_new(related, place);
    }
    json_object_set_new(json, "related", related);
    return json;
}

struct ranked {
    const struct finding *finding;
    size_t rank;
    size_t position;
};

static int
compare(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;

    if (a->finding->severity != b->finding->severity)
        return a->finding->severity > b->finding->severity ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->finding->rule != b->finding->rule)
        return strcmp(a->finding->rule->id, b->finding->rule->id);
    return (a->position > b->position) - (a->position < b->position);
}

struct render_blocks
render_group(struct arena *arena, const struct render *render, bool with_silenced)
{
    const struct findings *findings = render->findings;
    struct ranked *ranked = ARENA_ARRAY(arena, struct ranked, findings->count + 1);
    const struct finding **items = ARENA_ARRAY(arena, const struct finding *, findings->count + 1);
    struct render_blocks blocks = { 0 };
    size_t count = 0;

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        size_t rank = render->rank ? render->rank(render->self, finding->rule) : 0;

        if (with_silenced || !finding->silenced)
            ranked[count++] = (struct ranked){ finding, rank, i };
    }
    qsort(ranked, count, sizeof(ranked[0]), compare);
    for (size_t i = 0; i < count; i++) {
        const struct finding *finding = ranked[i].finding;
        const struct render_block *last = blocks.count > 0 ? &blocks.items[blocks.count - 1] : NULL;

        items[i] = finding;
        if (!last || last->rule != finding->rule || last->severity != finding->severity)
            VEC_PUSH(arena, &blocks,
                (struct render_block){ finding->rule, finding->severity, &items[i], 0 });
        blocks.items[blocks.count - 1].count++;
    }
    return blocks;
}

const char *
render_path(const char *file)
{
    char folder[4096];
    size_t length;

    while (text_starts_with(file, "./"))
        file += 2 + strspn(file + 2, "/");
    if (*file != '/' || !getcwd(folder, sizeof(folder)))
        return file;
    length = strlen(folder);
    if (strncmp(file, folder, length) == 0 && file[length] == '/' && length > 1)
        return file + length + 1;
    return file;
}

/* One line without control characters, for a terminal; in the arena. */
static char *
clean_line(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_strndup(arena, text, length);

    for (char *at = copy; *at; at++) {
        unsigned char byte = (unsigned char)*at;

        if (byte == 0xC2 && (unsigned char)at[1] >= 0x80 && (unsigned char)at[1] < 0xA0)
            at[0] = at[1] = '?';
        else if (byte == '\t' || byte == '\n' || byte == '\r')
            *at = ' ';
        else if (byte < 0x20 || byte == 0x7F)
            *at = '?';
    }
    return copy;
}

const char *
render_clean(struct arena *arena, const char *text)
{
    return clean_line(arena, text, strlen(text));
}

/* Bytes of the string, name or dotted name that starts here. */
static size_t
name_length(const char *text)
{
    size_t length = 0;

    if (*text == '"' || *text == '\'') {
        const char *end = strchr(text + 1, *text);

        return end ? (size_t)(end - text) + 1 : strlen(text);
    }

    while (isalnum((unsigned char)text[length]) || text[length] == '_' || text[length] == '.')
        length++;
    return length > 0 ? length : 1;
}

/* Bytes of a UTF-8 text that are shown in at most width columns. */
static size_t
length_within(const char *text, size_t width)
{
    size_t length = 0;

    for (size_t columns = 0; text[length]; columns++) {
        size_t step = sequence_length(text + length);

        if (columns == width)
            break;
        length += step > 0 ? step : 1;
    }
    return length;
}

struct render_code
render_code(
    struct arena *arena, const struct render *render, const struct place *place, size_t width)
{
    enum { LONGEST = 4096 };
    struct render_code code = { 0 };
    size_t length = 0;
    const char *line = render->line && place->file && place->line > 0
                           ? render->line(render->self, place->file, place->line, &length)
                           : NULL;
    size_t indent = 0;
    size_t mark = place->column > 0 ? place->column - 1 : SIZE_MAX;

    if (!line)
        return code;
    while (indent < length && (line[indent] == ' ' || line[indent] == '\t'))
        indent++;
    length = length - indent > LONGEST ? LONGEST : length - indent;

    char *text = clean_line(arena, line + indent, length);

    length = strlen(text);
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
    if (mark != SIZE_MAX && mark >= indent && mark - indent < length) {
        const char *start = text + mark - indent;

        code.mark_start = text_width(arena_strndup(arena, text, mark - indent));
        code.mark_width = text_width(arena_strndup(arena, start, name_length(start)));
    }
    code.text = text;
    if (text_width(text) > width) {
        code.text = arena_printf(arena, "%.*s…", (int)length_within(text, width - 1), text);
        if (code.mark_start >= width)
            code.mark_width = 0;
        else if (code.mark_start + code.mark_width > width)
            code.mark_width = width - code.mark_start;
    }
    return code;
}
