/* Types, functions, access methods and operator classes that come with an extension. */

#include <stdlib.h>
#include <string.h>

#include "migrate/model/model_apply.h"

struct provided {
    const char *kind;
    const char *name;
    const char *extension;
};

/* Source: pg_depend of the extensions that Debian packages, pgvector and PostGIS. */
static const struct provided provided[] = {
    { "type", "citext", "citext" },
    { "type", "cube", "cube" },
    { "type", "ean13", "isn" },
    { "type", "geography", "postgis" },
    { "type", "geometry", "postgis" },
    { "type", "halfvec", "vector" },
    { "type", "hstore", "hstore" },
    { "type", "isbn", "isn" },
    { "type", "isbn13", "isn" },
    { "type", "issn", "isn" },
    { "type", "lo", "lo" },
    { "type", "lquery", "ltree" },
    { "type", "ltree", "ltree" },
    { "type", "ltxtquery", "ltree" },
    { "type", "query_int", "intarray" },
    { "type", "raster", "postgis_raster" },
    { "type", "seg", "seg" },
    { "type", "sparsevec", "vector" },
    { "type", "upc", "isn" },
    { "type", "vector", "vector" },
    { "method", "bloom", "bloom" },
    { "method", "hnsw", "vector" },
    { "method", "ivfflat", "vector" },
    { "class", "gin_trgm_ops", "pg_trgm" },
    { "class", "gist_trgm_ops", "pg_trgm" },
    { "class", "gin__int_ops", "intarray" },
    { "class", "gist__int_ops", "intarray" },
    { "class", "vector_cosine_ops", "vector" },
    { "class", "vector_ip_ops", "vector" },
    { "class", "vector_l1_ops", "vector" },
    { "class", "vector_l2_ops", "vector" },
    { "class", "halfvec_cosine_ops", "vector" },
    { "class", "halfvec_ip_ops", "vector" },
    { "class", "halfvec_l1_ops", "vector" },
    { "class", "halfvec_l2_ops", "vector" },
    { "function", "gen_random_bytes", "pgcrypto" },
    { "function", "uuid_generate_v1", "uuid-ossp" },
    { "function", "uuid_generate_v1mc", "uuid-ossp" },
    { "function", "uuid_generate_v4", "uuid-ossp" },
    { "function", "uuid_nil", "uuid-ossp" },
};

const char *
extension_of(const char *kind, const char *name)
{
    for (size_t i = 0; name && i < COUNT_OF(provided); i++)
        if (strcmp(provided[i].name, name) == 0 && strcmp(provided[i].kind, kind) == 0)
            return provided[i].extension;
    return NULL;
}

bool
extension_is_missing(const struct act *act, const char *extension)
{
    return extension && !map_get(&act->model->extensions, extension);
}

/* An extension that is not in the table may bring anything. */
bool
extensions_are_known(const struct model *model)
{
    static const char *const harmless[] = { "plpgsql", "pg_stat_statements", "unaccent",
        "fuzzystrmatch", "tablefunc", "btree_gin", "btree_gist", "pgcrypto", "uuid-ossp", "pg_trgm",
        "dblink", "postgres_fdw", "pgstattuple", "pg_buffercache" };
    const struct map_entry *entry;
    size_t cursor = 0;

    while ((entry = map_next(&model->extensions, &cursor))) {
        bool is_known = false;

        for (size_t i = 0; i < COUNT_OF(harmless) && !is_known; i++)
            is_known = strcmp(harmless[i], entry->key) == 0;
        for (size_t i = 0; i < COUNT_OF(provided) && !is_known; i++)
            is_known = strcmp(provided[i].extension, entry->key) == 0;
        if (!is_known)
            return false;
    }
    return true;
}

static bool
index_needs(const struct index *index, const char *extension)
{
    if (text_equal(extension_of("method", index->method), extension))
        return true;
    for (size_t i = 0; i < index->keys.count; i++)
        if (text_equal(extension_of("class", index->keys.items[i].opclass), extension))
            return true;
    return false;
}

/* Takes columns and indexes that need the extension away. */
static void
drop_needing(struct act *act, const char *extension)
{
    const struct map_entry *entry;
    size_t cursor = 0;

    while ((entry = map_next(&act->model->relations, &cursor))) {
        struct relation *relation = entry->value;

        for (size_t i = relation->columns.count; i > 0; i--)
            if (text_equal(relation->columns.items[i - 1]->extension, extension))
                drop_column(act, relation, relation->columns.items[i - 1]);
        if (relation->kind == RELATION_INDEX && index_needs(relation->index, extension))
            remove_index(act, relation);
    }
}

static const struct origin *
needed_by(const struct model *model, const char *extension)
{
    const struct map_entry *entry;
    size_t cursor = 0;

    while ((entry = map_next(&model->relations, &cursor))) {
        const struct relation *relation = entry->value;

        for (size_t i = 0; i < relation->columns.count; i++)
            if (text_equal(relation->columns.items[i]->extension, extension))
                return &relation->columns.items[i]->origin;
        if (relation->kind == RELATION_INDEX && index_needs(relation->index, extension))
            return &relation->origin;
    }
    return NULL;
}

static void
create_extension(struct act *act, const char *name, const struct origin *there)
{
    struct model *model = act->model;

    if (there && (act->step->if_not_exists || act->is_maybe))
        return;
    if (there && !act_refuse(act, &(struct fault){ "42710", name, there, false },
                     "extension \"%s\" already exists", name))
        return;
    map_set(
        &model->extensions, name, arena_memdup(model->arena, &act->origin, sizeof(act->origin)));
}

void
apply_extension(struct act *act)
{
    struct model *model = act->model;
    const struct step *step = act->step;
    const char *name = name_clip(model->arena, step->object.name);
    struct origin *there = name ? map_get(&model->extensions, name) : NULL;
    const struct origin *by;
    bool is_vague = model->vague_since || model->has_baseline;

    if (!name)
        return;
    if (step->kind == STEP_CREATE_EXTENSION) {
        create_extension(act, name, there);
        return;
    }
    if (!there && step->if_exists)
        return;
    if (!there &&
        !act_refuse(act, &(struct fault){ "42704", name, model_dropped(model, name), is_vague },
            "extension \"%s\" does not exist", name))
        return;
    by = step->cascade ? NULL : needed_by(model, name);
    if (act->is_maybe ||
        (by &&
            !refuse_needed(act, arena_printf(model->arena, "extension %s", name), name, by, false)))
        return;
    drop_needing(act, name);
    map_set(&model->extensions, name, NULL);
    map_set(&model->dropped, name, arena_memdup(model->arena, &act->origin, sizeof(act->origin)));
}

/* The sequence that nextval('…') takes from; 42P01 when there is none. */
static void
use_sequence(struct act *act, struct model_column *column, const char *text)
{
    struct arena *arena = act->model->arena;
    const char *start = strchr(text, '\'');
    const char *end = start ? strchr(start + 1, '\'') : NULL;
    struct buffer name = { .arena = arena };
    struct relation *sequence;
    bool is_quoted = false;

    for (const char *at = start ? start + 1 : NULL; end && at < end; at++) {
        bool is_upper = !is_quoted && *at >= 'A' && *at <= 'Z';

        if (*at == '"')
            is_quoted = !is_quoted;
        else
            buffer_printf(&name, "%c", is_upper ? *at - 'A' + 'a' : *at);
    }
    if (name.length == 0)
        return;
    sequence = need_relation(act, object_name_parse(arena, buffer_text(&name)), "relation");
    if (!sequence || sequence->kind != RELATION_SEQUENCE || act->is_maybe)
        return;
    column->sequence = sequence;
    VEC_PUSH(arena, &sequence->users, column);
}

/* "name()" of an extension's function without arguments, whose message is known word for word. */
static void
use_function(struct act *act, const char *text)
{
    const char *open = strchr(text, '(');
    const char *start = open;
    const char *name;
    const char *extension;
    struct model *model = act->model;
    bool is_vague = model->vague_since || model->has_baseline;

    if (!open || open[1] != ')')
        return;
    while (start > text && (start[-1] == '_' || (start[-1] >= 'a' && start[-1] <= 'z') ||
                               (start[-1] >= '0' && start[-1] <= '9')))
        start--;
    name = arena_strndup(model->arena, start, (size_t)(open - start));
    extension = extension_of("function", name);
    if (!extension_is_missing(act, extension) ||
        map_get(&model->functions, key_make(model_schema_of(model, NULL), name, NULL).text))
        return;
    act_refuse(act, &(struct fault){ "42883", name, model_dropped(model, extension), is_vague },
        "function %.*s() does not exist", (int)(open - text), text);
}

void
column_use_default(struct act *act, struct model_column *column)
{
    const char *text = column->column.default_text;

    if (!text || column->column.is_generated)
        return;
    check_new_value(act, column, text);
    if (text_starts_with(text, "nextval(") && !column->column.is_serial)
        use_sequence(act, column, text);
    else
        use_function(act, text);
}
