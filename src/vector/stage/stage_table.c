/* The scratch database with pgvector and a table like the live one. */
#include "db/ident.h"
#include "sql.h"
#include "vector/stage/stage_parts.h"

struct shape {
    struct staging *staging;
    struct buffer columns; /* of CREATE TABLE */
    struct buffer after;   /* of ALTER TABLE: storage */
    struct buffer selected;
    struct buffer inserted;
};

static bool
create_database(struct ctx *ctx, struct staging *staging)
{
    const char *scratch_template = staging->options->scratch_template;
    struct db *server = staging->options->server;
    struct vector_stage *stage = staging->stage;
    struct sql_staging_server_rows rows;

    /* The locale is the live database's, so that texts keep their bytes and their order. */
    if (!sql_staging_server(ctx, staging->live, &rows) || rows.count != 1)
        return error_wrap(ctx, "looking at the live database");

    const struct scratch_locale locale = {
        .encoding = rows.items[0].encoding,
        .collate = rows.items[0].collate,
        .ctype = rows.items[0].ctype,
        .provider = rows.items[0].locale_provider,
        .locale = rows.items[0].locale,
    };

    if (!scratch_create(ctx, server, &locale, scratch_template, &stage->scratch)) {
        if (ctx->error.kind == ERR_RIGHTS)
            error_hint(ctx,
                "Role \"%s\" needs CREATEDB to build candidates on a copy; or name another "
                "server for it by --scratch-url.",
                db_user(server));
        return false;
    }

    const struct db_options options = {
        .database = stage->scratch.name, .application = "pgmend/vector", .access = ACCESS_WRITE
    };

    return db_open_like(ctx, server, &options, &stage->db) ||
           error_wrap(ctx, "opening the scratch database");
}

/* "0.8.0" → 800 */
static int32_t
version_number(const char *version)
{
    long number = 0;
    const char *at = version;

    for (int part = 0; part < 3; part++) {
        char *end;

        number = number * 100 + strtol(at, &end, 10);
        at = *end == '.' ? end + 1 : end;
    }
    return (int32_t)number;
}

static bool
create_extension(struct ctx *ctx, struct staging *staging, bool has_version)
{
    const char *schema = db_ident(ctx->arena, staging->target->extension_schema);
    const char *version = has_version
                              ? arena_printf(ctx->arena, " VERSION %s",
                                    db_literal(ctx->arena, staging->target->extension_version))
                              : "";

    if (db_exec(ctx, staging->stage->db,
            arena_printf(ctx->arena, "CREATE SCHEMA IF NOT EXISTS %s", schema)) &&
        db_exec(ctx, staging->stage->db,
            arena_printf(ctx->arena, "CREATE EXTENSION vector SCHEMA %s%s", schema, version)))
        return true;
    if (ctx->error.kind == ERR_RIGHTS)
        error_hint(ctx, "pgvector is an extension that superusers create: let one make an empty "
                        "database with it, and name that one by --scratch-template.");
    return error_wrap(ctx, "installing pgvector in the scratch database");
}

/* The same version as the live one where that can be had; a template brings its own. */
static bool
provide_extension(struct ctx *ctx, struct staging *staging)
{
    struct vector_target *copy = &staging->stage->target;
    struct sql_vector_stage_place_rows place;
    struct sql_vector_target_extension_rows found;

    if (!sql_vector_stage_place(
            ctx, staging->stage->db, &place, .version = staging->target->extension_version) ||
        !sql_vector_target_extension(ctx, staging->stage->db, &found))
        return error_wrap(ctx, "looking for pgvector in the scratch database");
    if (!found.items[0].schema &&
        (!create_extension(ctx, staging, place.items[0].has_version) ||
            !sql_vector_target_extension(ctx, staging->stage->db, &found)))
        return false;
    copy->extension_schema = found.items[0].schema;
    copy->extension_version = found.items[0].version;
    copy->extension_number = version_number(copy->extension_version);
    if (!text_equal(copy->extension_version, staging->target->extension_version))
        text_list_add(ctx->arena, &staging->stage->notes,
            arena_printf(ctx->arena, "measured with pgvector %s, while the live database has %s",
                copy->extension_version, staging->target->extension_version));
    return true;
}

/* What a column is needed for: *ret_type takes its type in the copy. */
static bool
is_needed(struct vector_target *copy, const char *name, const char *type)
{
    bool is_found = false;

    if (text_equal(name, copy->key)) {
        copy->key_type = type;
        is_found = true;
    }
    if (copy->tenant && text_equal(name, copy->tenant)) {
        copy->tenant_type = type;
        is_found = true;
    }
    for (size_t i = 0; i < copy->filters.count; i++) {
        if (!text_equal(name, copy->filters.items[i].column))
            continue;
        copy->filters.items[i].type = type;
        is_found = true;
    }
    return is_found;
}

/* Texts are equal where the values are, but they may be in another order. */
static bool
check_filter_order(struct ctx *ctx, const struct vector_target *copy, const char *name)
{
    for (size_t i = 0; i < copy->filters.count; i++) {
        const struct vector_filter *filter = &copy->filters.items[i];

        if (text_equal(filter->column, name) && !text_equal(filter->operator, "=") &&
            !text_equal(filter->operator, "<>"))
            return error_set(ctx, ERR_UNSUPPORTED,
                "column \"%s\" has a type that pgmend does not copy, and a filter that orders it",
                name);
    }
    return true;
}

/* One that is left out unless the search needs it; then it is a text in the copy. */
static bool
add_unknown(struct ctx *ctx, struct shape *shape, const char *name, const char *type)
{
    struct vector_stage *stage = shape->staging->stage;
    const char *quoted = db_ident(ctx->arena, name);
    const char *comma = shape->columns.length > 0 ? ", " : "";

    if (!is_needed(&stage->target, name, "text")) {
        text_list_add(ctx->arena, &stage->notes,
            arena_printf(ctx->arena, "column \"%s\" (%s) was left out of the copy", name, type));
        return true;
    }
    if (!check_filter_order(ctx, &stage->target, name))
        return false;
    buffer_printf(&shape->columns, "%s%s pg_catalog.text", comma, quoted);
    buffer_printf(&shape->selected, "%st.%s::pg_catalog.text", comma, quoted);
    buffer_printf(&shape->inserted, "%s%s", comma, quoted);
    text_list_add(ctx->arena, &stage->notes,
        arena_printf(ctx->arena, "column \"%s\" (%s) is a text in the copy", name, type));
    return true;
}

static void
add_known(struct arena *arena, struct shape *shape, const struct sql_vector_stage_columns *column)
{
    struct vector_target *copy = &shape->staging->stage->target;
    const char *name = db_ident(arena, column->name);
    const char *comma = shape->columns.length > 0 ? ", " : "";
    const char *type = column->vector_type
                           ? arena_printf(arena, "%s.%s", db_ident(arena, copy->extension_schema),
                                 column->vector_type)
                           : column->type;

    /* A domain is its base type in the copy. */
    (void)is_needed(copy, column->name, type);
    buffer_printf(&shape->columns, "%s%s %s", comma, name, type);
    if (column->compression)
        buffer_printf(&shape->columns, " COMPRESSION %s", column->compression);
    if (column->collation)
        buffer_printf(&shape->columns, " COLLATE %s", column->collation);
    buffer_printf(&shape->after, "%sALTER COLUMN %s SET STORAGE %s", comma, name, column->storage);
    buffer_printf(&shape->selected, "%st.%s", comma, name);
    buffer_printf(&shape->inserted, "%s%s", comma, name);
}

/* A copy of the target whose filters can be changed. */
static void
copy_target(struct arena *arena, struct staging *staging)
{
    struct vector_target *copy = &staging->stage->target;

    *copy = *staging->target;
    copy->filters.items = arena_memdup(
        arena, staging->target->filters.items, sizeof(*copy->filters.items) * copy->filters.count);
    copy->filters.capacity = copy->filters.count;
}

/*
 * The table is not logged: what is written for a copy of ours need not go through the write-ahead
 * log of the server and to its standbys. Autovacuum would disturb what is measured.
 */
static bool
create_table(struct ctx *ctx, struct shape *shape, const char *options)
{
    struct arena *arena = ctx->arena;
    const struct vector_target *copy = &shape->staging->stage->target;
    struct db *db = shape->staging->stage->db;
    const char *table = vector_table(arena, copy);

    return db_exec(ctx, db,
               arena_printf(
                   arena, "CREATE SCHEMA IF NOT EXISTS %s", db_ident(arena, copy->schema))) &&
           db_exec(ctx, db,
               arena_printf(arena,
                   "CREATE UNLOGGED TABLE %s (%s) WITH (autovacuum_enabled=false,"
                   " toast.autovacuum_enabled=false%s%s)",
                   table, buffer_text(&shape->columns), options ? ", " : "",
                   options ? options : "")) &&
           db_exec(ctx, db,
               arena_printf(arena, "ALTER TABLE %s %s", table, buffer_text(&shape->after)));
}

static bool
make_table(struct ctx *ctx, struct staging *staging)
{
    struct shape shape = {
        .staging = staging,
        .columns = { .arena = ctx->arena },
        .after = { .arena = ctx->arena },
        .selected = { .arena = ctx->arena },
        .inserted = { .arena = ctx->arena },
    };
    struct sql_vector_stage_columns_rows columns;
    struct sql_vector_stage_table_rows table;
    uint32_t table_oid = staging->target->table_oid;

    if (!sql_vector_stage_columns(ctx, staging->live, &columns, .table_oid = table_oid) ||
        !sql_vector_stage_table(ctx, staging->live, &table, .table_oid = table_oid))
        return false;
    if (table.count == 0)
        return error_set(ctx, ERR_CONFLICT, "table %s is not there any more",
            vector_table(ctx->arena, staging->target));
    for (size_t i = 0; i < columns.count; i++) {
        const struct sql_vector_stage_columns *column = &columns.items[i];

        if (column->is_known)
            add_known(ctx->arena, &shape, column);
        else if (!add_unknown(ctx, &shape, column->name, column->type))
            return false;
    }
    staging->selected = buffer_text(&shape.selected);
    staging->inserted = buffer_text(&shape.inserted);
    return create_table(ctx, &shape, table.items[0].options);
}

bool
stage_table_create(struct ctx *ctx, struct staging *staging)
{
    const char *params[1];
    const char *oid;
    int64_t number;

    copy_target(ctx->arena, staging);
    if (!create_database(ctx, staging) || !provide_extension(ctx, staging) ||
        !make_table(ctx, staging))
        return error_wrap(ctx, "making the copy of %s", vector_table(ctx->arena, staging->target));
    params[0] = vector_table(ctx->arena, &staging->stage->target);
    if (!db_value(ctx, staging->stage->db,
            "SELECT $1::pg_catalog.regclass::pg_catalog.oid::pg_catalog.text", params, 1, &oid) ||
        !oid || !text_to_int64(oid, &number))
        return error_wrap(ctx, "looking at the copy");
    staging->stage->target.table_oid = (uint32_t)number;
    return true;
}
