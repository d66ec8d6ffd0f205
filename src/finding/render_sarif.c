/* SARIF 2.1.0; source: OASIS "Static Analysis Results Interchange Format", errata 01. */
#include <ctype.h>

#include "base/crypto.h"
#include "base/map.h"
#include "finding/render.h"

#define SCHEMA \
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

static const char *const levels[] = {
    [SEVERITY_ADVICE] = "note",
    [SEVERITY_WARNING] = "warning",
    [SEVERITY_ERROR] = "error",
};

/* A relative URI reference stays relative to the root of the checkout; an absolute path is a file. */
static const char *
uri_of(struct arena *arena, const char *file)
{
    struct buffer uri = { .arena = arena };

    file = render_path(file);
    if (*file == '/')
        buffer_add(&uri, "file://");
    for (; *file; file++) {
        unsigned char byte = (unsigned char)*file;

        if (isalnum(byte) || strchr("/-._~", byte))
            buffer_append(&uri, file, 1);
        else
            buffer_printf(&uri, "%%%02X", byte);
    }
    return buffer_text(&uri);
}

static json_t *
text_object(const char *text)
{
    json_t *json = json_object();

    json_object_set_new(json, "text", render_json_text(text));
    return json;
}

static json_t *
location(struct arena *arena, const struct place *place, const char *message)
{
    json_t *json = json_object();
    json_t *physical = json_object();
    json_t *region = json_object();

    if (place->file) {
        json_object_set_new(
            physical, "artifactLocation", json_pack("{s:s}", "uri", uri_of(arena, place->file)));
        if (place->line > 0)
            json_object_set_new(region, "startLine", json_integer(place->line));
        if (place->line > 0 && place->column > 0)
            json_object_set_new(region, "startColumn", json_integer(place->column));
        if (place->line > 0 && place->end_line > place->line)
            json_object_set_new(region, "endLine", json_integer(place->end_line));
        /* GitHub refuses a location without a region. */
        if (place->line == 0)
            json_object_set_new(region, "startLine", json_integer(1));
        json_object_set(physical, "region", region);
        json_object_set(json, "physicalLocation", physical);
    }
    if (message)
        json_object_set_new(json, "message", text_object(message));
    json_decref(region);
    json_decref(physical);
    return json;
}

static json_t *
rule_json(struct arena *arena, const struct rule *rule)
{
    json_t *json = json_object();
    const char *text = arena_printf(arena, "%s\n\nInstead: %s", rule->why, rule->instead);
    json_t *help = text_object(text);
    bool is_code = strchr(rule->instead, '\n') != NULL;

    json_object_set_new(help, "markdown",
        json_string(is_code
                        ? arena_printf(arena, "%s\n\n**Instead:**\n\n```python\n%s\n```", rule->why,
                              rule->instead)
                        : arena_printf(arena, "%s\n\n**Instead:** %s", rule->why, rule->instead)));
    json_object_set_new(json, "id", json_string(rule->id));
    json_object_set_new(json, "shortDescription", text_object(rule->summary));
    json_object_set_new(json, "fullDescription", text_object(rule->why));
    json_object_set_new(json, "help", help);
    json_object_set_new(
        json, "defaultConfiguration", json_pack("{s:s}", "level", levels[rule->severity]));
    json_object_set_new(json, "properties", json_pack("{s:[s]}", "tags", rule->group));
    return json;
}

/*
 * What stays the same when lines above are added or removed; seen counts those that are alike.
 */
static const char *
fingerprint(struct arena *arena, const struct finding *finding, struct map *seen)
{
    const char *const parts[] = {
        finding->rule->id,
        finding->place.file ? render_path(finding->place.file) : "",
        finding->context ? finding->context : "",
        finding->object ? finding->object : "",
        finding->message,
    };
    struct buffer text = { .arena = arena };
    const char *hex;
    size_t *count;

    for (size_t i = 0; i < COUNT_OF(parts); i++)
        buffer_append(&text, parts[i], strlen(parts[i]) + 1);
    hex = arena_strndup(seen->arena, sha256_of(arena, text.data, text.length), 32);
    count = map_get(seen, hex);
    if (!count) {
        count = ARENA_NEW(seen->arena, size_t);
        map_set(seen, hex, count);
    }
    return arena_printf(arena, "%s:%zu", hex, ++*count);
}

static json_t *
result_json(struct arena *arena, const struct finding *finding, size_t rule_index, struct map *seen)
{
    json_t *json = json_object();
    json_t *related = json_array();

    json_object_set_new(json, "ruleId", json_string(finding->rule->id));
    json_object_set_new(json, "ruleIndex", json_integer((json_int_t)rule_index));
    json_object_set_new(json, "level", json_string(levels[finding->severity]));
    json_object_set_new(json, "message", text_object(finding->message));
    if (finding->place.file)
        json_object_set_new(
            json, "locations", json_pack("[o]", location(arena, &finding->place, NULL)));
    else
        json_object_set_new(json, "locations", json_array());
    for (size_t i = 0; i < finding->related.count; i++)
        json_array_append_new(related,
            location(arena, &finding->related.items[i].place, finding->related.items[i].what));
    if (json_array_size(related) > 0)
        json_object_set(json, "relatedLocations", related);
    json_decref(related);
    json_object_set_new(json, "partialFingerprints",
        json_pack("{s:s}", "pgmendFinding/v1", fingerprint(arena, finding, seen)));
    if (finding->silenced)
        json_object_set_new(json, "suppressions",
            json_pack("[{s:s, s:o}]", "kind", "inSource", "justification",
                render_json_text(finding->silenced)));
    return json;
}

static void
put_json(FILE *out, json_t *json, bool is_first)
{
    fputs(is_first ? "\n" : ",\n", out);
    json_dumpf(json, out, JSON_COMPACT);
    json_decref(json);
}

void
render_sarif(FILE *out, const struct render *render)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct render_blocks blocks = render_group(arena, render, true);
    struct map indexes = { .arena = arena };
    struct map seen = { .arena = arena };
    size_t rules = 0;

    fprintf(
        out, "{\"$schema\":\"%s\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{", SCHEMA);
    fprintf(out, "\"name\":\"pgmend\",\"version\":\"%s\",\"rules\":[", PGMEND_VERSION);
    for (size_t i = 0; i < blocks.count; i++) {
        const struct rule *rule = blocks.items[i].rule;

        if (map_get(&indexes, rule->id))
            continue;

        size_t *index = ARENA_NEW(arena, size_t);

        *index = rules++;
        map_set(&indexes, rule->id, index);
        put_json(out, rule_json(arena, rule), *index == 0);
    }
    fputs("]}},\"results\":[", out);
    for (size_t i = 0; i < render->findings->count; i++) {
        const struct finding *finding = &render->findings->items[i];
        const size_t *index = map_get(&indexes, finding->rule->id);

        put_json(out, result_json(scratch, finding, *index, &seen), i == 0);
        arena_reset(scratch);
    }
    fputs("]}]}\n", out);
}
