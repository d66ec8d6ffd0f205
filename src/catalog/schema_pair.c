/* Two schemas read at the same time: nearly all of the time is the servers'. */
#include <pthread.h>

#include "catalog/schema_rows.h"

struct load {
    struct ctx ctx; /* with an arena of its own: arenas are for one thread */
    struct db *db;
    struct schema schema;
    bool is_good;
};

static void *
load_in_thread(void *context)
{
    struct load *load = context;

    load->is_good = schema_load(&load->ctx, load->db, &load->schema);
    return NULL;
}

static struct rows
copy_rows(struct arena *arena, const struct query *query, struct rows rows)
{
    struct rows copy = { .count = rows.count };

    copy.items = arena_memdup(arena, rows.items, rows.count * query->row_size);
    for (size_t i = 0; i < query->column_count; i++) {
        const struct field *field = &query->columns[i];

        if (field->type != FIELD_TEXT)
            continue;
        for (size_t row = 0; row < rows.count; row++) {
            char *member = (char *)copy.items + row * query->row_size + field->offset;
            const char *text;

            memcpy(&text, member, sizeof(text));
            text = text ? arena_strdup(arena, text) : NULL;
            memcpy(member, &text, sizeof(text));
        }
    }
    return copy;
}

static void
copy_schema(struct arena *arena, const struct schema *from, struct schema *ret)
{
    struct rows dependencies = { from->dependencies.items, from->dependencies.count };

    dependencies = copy_rows(arena, &query_schema_dependencies, dependencies);
    *ret = (struct schema){
        .database = arena_strdup(arena, from->database),
        .server_version = arena_strdup(arena, from->server_version),
        .server_major = from->server_major,
        .dependencies = { dependencies.items, dependencies.count },
    };
    for (size_t i = 0; i < SCHEMA_CLASS_COUNT; i++)
        schema_set_rows(ret, (enum schema_class)i,
            copy_rows(arena, schema_classes[i].query, schema_rows(from, (enum schema_class)i)));
}

static const char *
copy_text(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

/* The error of the thread, in the memory of the one who asked. */
static bool
take_error(struct ctx *ctx, const struct error *error)
{
    ctx->error = *error;
    ctx->error.message = copy_text(ctx->arena, error->message);
    ctx->error.detail = copy_text(ctx->arena, error->detail);
    ctx->error.hint = copy_text(ctx->arena, error->hint);
    ctx->error.state = copy_text(ctx->arena, error->state);
    return false;
}

bool
schema_load_pair(struct ctx *ctx, struct db *first, struct db *second, struct schema *ret_first,
    struct schema *ret_second)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct load load = { .ctx = { .arena = arena }, .db = second };
    pthread_t thread;

    if (pthread_create(&thread, NULL, load_in_thread, &load) != 0)
        return schema_load(ctx, first, ret_first) && schema_load(ctx, second, ret_second);

    bool is_good = schema_load(ctx, first, ret_first);

    pthread_join(thread, NULL);
    if (!is_good)
        return false;
    if (!load.is_good)
        return take_error(ctx, &load.ctx.error);
    copy_schema(ctx->arena, &load.schema, ret_second);
    return true;
}
