/* Which columns mean what to the functions that are installed. */
#include "db/ident.h"
#include "vector/target/find.h"

enum { SAMPLE_TEXTS = 200, SAMPLE_SCANNED = 2000 };

static const char *const text_names[] = { "chunk_text", "content", "text", "body", "chunk" };
static const char *const importance_names[] = { "importance", "priority", "weight" };
static const char *const doc_type_names[] = { "doc_type", "document_type" };
static const char *const hash_names[] = { "chunk_hash", "content_hash", "text_hash" };

const struct sql_vector_target_attributes *
found_attribute(const struct found_column *column, const char *name)
{
    for (size_t i = 0; i < column->attributes.count; i++)
        if (text_equal(column->attributes.items[i].name, name))
            return &column->attributes.items[i];
    return NULL;
}

static const char *
by_name(
    const struct found_column *column, const char *const *names, size_t count, const char *category)
{
    for (size_t i = 0; i < count; i++) {
        const struct sql_vector_target_attributes *attribute = found_attribute(column, names[i]);

        if (attribute && strcmp(attribute->category, category) == 0)
            return attribute->name;
    }
    return NULL;
}

/* The widest one, when it is wide enough to hold sentences. */
static const char *
widest_text(const struct found_column *column)
{
    enum { LEAST_WIDTH = 40 };
    const struct sql_vector_target_attributes *widest = NULL;

    for (size_t i = 0; i < column->attributes.count; i++) {
        const struct sql_vector_target_attributes *attribute = &column->attributes.items[i];

        if (strcmp(attribute->category, "S") == 0 && attribute->width >= LEAST_WIDTH &&
            (!widest || attribute->width > widest->width))
            widest = attribute;
    }
    return widest ? widest->name : NULL;
}

static bool
wished_text(struct found_column *column, const char *name)
{
    struct ctx *ctx = column->finder->ctx;
    const struct sql_vector_target_attributes *attribute = found_attribute(column, name);

    if (!attribute)
        return error_set(ctx, ERR_USAGE, "--text: %s has no column \"%s\"",
            vector_table(ctx->arena, &column->target), name);
    if (strcmp(attribute->category, "S") != 0)
        return error_set(
            ctx, ERR_USAGE, "--text: column \"%s\" is of type %s, not text", name, attribute->type);
    column->target.text = attribute->name;
    return true;
}

/* Cyrillic letters, in UTF-8: U+0400 to U+047F. */
static bool
is_cyrillic(const struct result *texts)
{
    size_t cyrillic = 0, latin = 0;

    for (size_t row = 0; row < texts->rows; row++) {
        const char *text = result_cell(texts, row, 0);

        for (const char *at = text ? text : ""; *at; at++) {
            unsigned char byte = (unsigned char)*at;

            cyrillic += byte == 0xD0 || byte == 0xD1;
            latin += (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        }
    }
    return cyrillic > latin;
}

static bool
guess_config(struct found_column *column)
{
    struct ctx *ctx = column->finder->ctx;
    struct arena *arena = ctx->arena;
    struct result texts;
    const char *name = db_ident(arena, column->target.text);
    const char *sql = arena_printf(arena,
        "SELECT pg_catalog.left(s.v, 300) FROM (SELECT %s::pg_catalog.text AS v FROM %s LIMIT %d) s"
        " WHERE s.v IS NOT NULL LIMIT %d",
        name, vector_table(arena, &column->target), SAMPLE_SCANNED, SAMPLE_TEXTS);
    const char *standard = NULL;

    if (!db_query(ctx, column->finder->db, sql, NULL, 0, &texts))
        return false;
    if (is_cyrillic(&texts)) {
        column->target.text_config = "russian";
        return true;
    }
    if (!db_value(ctx, column->finder->db,
            "SELECT c.cfgname FROM pg_catalog.pg_ts_config AS c WHERE c.oid ="
            " pg_catalog.get_current_ts_config()",
            NULL, 0, &standard))
        return false;
    column->target.text_config = standard ? standard : "simple";
    return true;
}

static bool
wished_config(struct found_column *column, const char *name)
{
    struct ctx *ctx = column->finder->ctx;
    const struct sql_vector_target_attributes *attribute = found_attribute(column, name);
    const char *found = NULL;
    const char *params[] = { name };

    if (attribute && strcmp(attribute->type, "regconfig") == 0) {
        column->target.text_config = attribute->name;
        column->target.is_config_column = true;
        return true;
    }
    if (!db_value(ctx, column->finder->db,
            "SELECT c.cfgname FROM pg_catalog.pg_ts_config AS c WHERE c.cfgname = $1 LIMIT 1",
            params, COUNT_OF(params), &found))
        return false;
    if (!found) {
        error_set(ctx, ERR_USAGE,
            "--text-config: \"%s\" is neither a text search configuration nor a regconfig column",
            name);
        return error_hint(ctx, "SELECT cfgname FROM pg_ts_config lists the configurations.");
    }
    column->target.text_config = found;
    return true;
}

bool
found_roles(struct found_column *column)
{
    const struct vector_wish *wish = column->finder->wish;
    struct vector_target *target = &column->target;

    target->importance = by_name(column, importance_names, COUNT_OF(importance_names), "N");
    target->doc_type = by_name(column, doc_type_names, COUNT_OF(doc_type_names), "S");
    target->chunk_hash = by_name(column, hash_names, COUNT_OF(hash_names), "S");
    target->text = by_name(column, text_names, COUNT_OF(text_names), "S");
    if (!target->text)
        target->text = widest_text(column);
    if (wish && wish->text && !wished_text(column, wish->text))
        return false;
    if (!target->text)
        return true;
    if (wish && wish->text_config)
        return wished_config(column, wish->text_config);
    return guess_config(column);
}
