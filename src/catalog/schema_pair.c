/* Two schemas read at the same time: nearly all of the time is the servers'. */
#include <pthread.h>

#include "catalog/schema_rows.h"

struct load {
    struct ctx *ctx;
    struct db *db;
    struct db_transaction transaction;
    struct schema schema;
    bool is_good;
    bool is_whole; /* with the dependencies */
};

static void *
load_objects(void *context)
{
    struct load *load = context;

    load->is_good = schema_load_begin(load->ctx, load->db, &load->transaction, &load->schema);
    return NULL;
}

static void *
load_dependencies(void *context)
{
    struct load *load = context;

    if (load->is_whole)
        return NULL;
    load->is_good = sql_schema_dependencies(load->ctx, load->db, &load->schema.dependencies);
    return NULL;
}

/* Does it for both at once; one after the other where there is no thread to be had. */
static void
for_both(void *(*work)(void *), struct load *first, struct load *second)
{
    pthread_t thread;
    bool has_thread = pthread_create(&thread, NULL, work, second) == 0;

    work(first);
    if (has_thread)
        pthread_join(thread, NULL);
    else
        work(second);
}

static void
end_load(struct load *load)
{
    db_transaction_end(&load->transaction);
}

/*
 * What somebody's changes have disturbed is read again, and no more in a thread: the end of a
 * transaction holds back the process's signals for a moment, which only one thread may do.
 */
static bool
mend(struct load *load)
{
    if (load->is_good || !schema_was_disturbed(&load->ctx->error))
        return load->is_good;
    end_load(load);
    load->is_good = schema_load(load->ctx, load->db, &load->schema);
    load->is_whole = true;
    return load->is_good;
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

static bool
is_equal(const struct query *query, const char *first, const char *second)
{
    for (size_t i = 0; i < query->column_count; i++) {
        const struct field *field = &query->columns[i];
        size_t size = field->type == FIELD_BOOL ? sizeof(bool) : sizeof(int32_t);

        if (field->type != FIELD_TEXT) {
            if (memcmp(first + field->offset, second + field->offset, size) != 0)
                return false;
            continue;
        }

        const char *texts[2];

        memcpy(&texts[0], first + field->offset, sizeof(texts[0]));
        memcpy(&texts[1], second + field->offset, sizeof(texts[1]));
        if (texts[0] && texts[1] ? strcmp(texts[0], texts[1]) != 0 : texts[0] != texts[1])
            return false;
    }
    return true;
}

/* Whether all objects are the same; much quicker than two digests. */
static bool
are_equal(const struct schema *first, const struct schema *second)
{
    for (size_t i = 0; i < SCHEMA_CLASS_COUNT; i++) {
        const struct query *query = schema_classes[i].query;
        struct rows a = schema_rows(first, (enum schema_class)i);
        struct rows b = schema_rows(second, (enum schema_class)i);

        if (a.count != b.count)
            return false;
        for (size_t row = 0; row < a.count; row++)
            if (!is_equal(query, (const char *)a.items + row * query->row_size,
                    (const char *)b.items + row * query->row_size))
                return false;
    }
    return true;
}

bool
schema_load_pair(struct ctx *ctx, struct db *first, struct db *second, struct schema *ret_first,
    struct schema *ret_second)
{
    /* Arenas are for one thread. */
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx other = { .arena = arena };
    struct load a CLEANUP(end_load) = { .ctx = ctx, .db = first };
    struct load b CLEANUP(end_load) = { .ctx = &other, .db = second };

    for_both(load_objects, &a, &b);

    bool is_good = mend(&a) && mend(&b);

    /* Two that are equal need no statements in an order. */
    if (is_good && !are_equal(&a.schema, &b.schema)) {
        for_both(load_dependencies, &a, &b);
        is_good = mend(&a) && mend(&b);
    }
    if (!is_good)
        return a.is_good ? take_error(ctx, &other.error) : false;
    *ret_first = a.schema;
    copy_schema(ctx->arena, &b.schema, ret_second);
    return true;
}
