/* The rows of the sample, from one snapshot of the live table into the copy. */
#include "base/clock.h"
#include "base/file.h"
#include "change/room.h"
#include "db/copy.h"
#include "db/ident.h"
#include "sql.h"
#include "vector/stage/stage_parts.h"

/* An element in quotes, as in the text of an array. */
static void
add_element(struct buffer *array, const char *item)
{
    buffer_add(array, "\"");
    for (const char *at = item; *at; at++) {
        if (*at == '"' || *at == '\\')
            buffer_add(array, "\\");
        buffer_append(array, at, 1);
    }
    buffer_add(array, "\"");
}

const char *
stage_array(struct arena *arena, const struct text_list *items)
{
    struct buffer array = { .arena = arena };

    buffer_add(&array, "{");
    for (size_t i = 0; i < items->count; i++) {
        if (i > 0)
            buffer_add(&array, ",");
        add_element(&array, items->items[i]);
    }
    buffer_add(&array, "}");
    return buffer_text(&array);
}

/* A fifth more than the rows take now, for the key's index and the pages that are half full. */
bool
stage_room_check(struct ctx *ctx, struct staging *staging)
{
    struct sql_vector_stage_place_rows place;
    struct arena *arena = ctx->arena;
    int64_t needed = staging->sample.rows * staging->row_bytes;
    int64_t least = needed + needed / 5;
    int64_t free_bytes;
    struct room room;
    const char *folder;

    if (!room_find(ctx, staging->options->server, &room) ||
        !sql_vector_stage_place(
            ctx, staging->stage->db, &place, .version = staging->target->extension_version))
        return false;
    if (!room.is_seen)
        return true;
    folder = *place.items[0].folder ? place.items[0].folder : room.data_path;
    if (!file_free_bytes(ctx, folder, &free_bytes)) {
        error_clear(ctx);
        return true;
    }
    if (free_bytes >= least)
        return true;
    error_set(ctx, ERR_CONFLICT, "the disk is too small for the copy: %s are needed, %s are free",
        text_from_bytes(arena, least), text_from_bytes(arena, free_bytes));
    return error_hint(ctx,
        "The copy holds %s rows of about %s; copy fewer (--sample-rows), or make the copy on "
        "another server (--scratch-url).",
        text_from_count(arena, staging->sample.rows), text_from_bytes(arena, staging->row_bytes));
}

static const char *
read_statement(struct arena *arena, const struct staging *staging)
{
    const struct vector_target *target = staging->target;
    const struct stage_sample *sample = &staging->sample;
    struct text_list tenants = { 0 };

    if (sample->is_whole || !target->tenant)
        return arena_printf(arena, "COPY (SELECT %s FROM %s AS t) TO STDOUT (FORMAT binary)",
            staging->selected, vector_table(arena, target));
    for (size_t i = 0; i < sample->count; i++)
        text_list_add(
            arena, &tenants, staging->stage->sizes.tenants.items[sample->tenants[i]].value);
    return arena_printf(arena,
        "COPY (SELECT %s FROM %s AS t WHERE t.%s OPERATOR(pg_catalog.=) ANY (%s::%s[])) TO STDOUT"
        " (FORMAT binary)",
        staging->selected, vector_table(arena, target), db_ident(arena, target->tenant),
        db_literal(arena, stage_array(arena, &tenants)), target->tenant_type);
}

static void
show_progress(const struct staging *staging, int64_t bytes, int64_t start_us)
{
    double all = (double)(staging->sample.rows * staging->row_bytes);
    double ratio = all > 0 ? (double)bytes / all : -1;
    int64_t spent_us = clock_us() - start_us;

    /* The size of the table is not exactly the size of what is sent. */
    if (ratio > .99)
        ratio = .99;
    vector_progress(staging->observer, "copying rows", ratio,
        ratio > 0 ? (int64_t)((double)spent_us / ratio) - spent_us : -1);
}

/* Both ends are read and written at once, and never more than a piece is held. */
static bool
stream(struct ctx *ctx, struct staging *staging, struct db *copy)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct buffer piece = { .arena = arena };
    int64_t start_us = clock_us();
    int64_t bytes = 0;
    bool is_end = false;

    while (!is_end) {
        piece.length = 0;
        if (!db_copy_read(ctx, staging->live, &piece, &is_end))
            return error_wrap(ctx, "reading %s", vector_table(ctx->arena, staging->target));
        if (!db_copy_put(ctx, copy, piece.data, piece.length)) {
            db_copy_read_stop(staging->live);
            return error_wrap(ctx, "writing the copy");
        }
        bytes += (int64_t)piece.length;
        show_progress(staging, bytes, start_us);
    }
    return db_copy_end(ctx, copy, &staging->stage->rows) || error_wrap(ctx, "writing the copy");
}

bool
stage_rows_copy(struct ctx *ctx, struct staging *staging)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct db *copy = staging->stage->db;
    const char *sql = read_statement(arena, staging);

    if (!db_begin(ctx, staging->live, "ISOLATION LEVEL REPEATABLE READ, READ ONLY", &transaction) ||
        !db_copy_begin(ctx, copy,
            arena_printf(arena, "COPY %s (%s) FROM STDIN (FORMAT binary)",
                vector_table(arena, &staging->stage->target), staging->inserted)))
        return false;
    if (!db_copy_read_begin(ctx, staging->live, sql))
        return error_wrap(ctx, "reading %s", vector_table(ctx->arena, staging->target));
    return stream(ctx, staging, copy);
}
