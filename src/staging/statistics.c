#include "staging/statistics.h"

#include <inttypes.h>

#include "base/json.h"
#include "base/map.h"
#include "db/ident.h"
#include "sql.h"
#include "staging/statistics_extended.h"
#include "staging/statistics_files.h"

/* Relations whose columns are carried at once: some megabytes of text where statistics are full. */
enum { RELATIONS_AT_ONCE = 60, NAMED_MOST = 5 };

struct carry {
    struct ctx *ctx;
    struct db *from;
    struct private_server *server;
    struct db *db;
    struct sql_staging_statistics_relations_rows relations;
    int64_t lost;    /* columns whose statistics could not be written */
    const char *why; /* of the first one */
};

static bool
is_survived(const struct ctx *ctx, const struct db *db)
{
    return ctx->error.kind != ERR_INTERRUPTED && ctx->error.kind != ERR_TERMINATED &&
           db_is_connected(db);
}

/* Writes rows of an array; where the server refuses one, halves until it stands alone. */
static bool
put_columns(struct carry *carry, struct ctx *ctx, const char *rows, int32_t first, int32_t count)
{
    int32_t half = count / 2;

    if (sql_staging_statistics_put_columns(
            ctx, carry->db, .rows = rows, .first = first, .count = count))
        return true;
    if (!is_survived(ctx, carry->db))
        return false;
    if (count == 1) {
        carry->lost++;
        if (!carry->why)
            carry->why = arena_strdup(carry->ctx->arena, ctx->error.message);
        error_clear(ctx);
        return true;
    }
    error_clear(ctx);
    return put_columns(carry, ctx, rows, first, half) &&
           put_columns(carry, ctx, rows, first + half, count - half);
}

static bool
carry_batch(struct carry *carry, struct ctx *ctx, const char *names)
{
    struct sql_staging_statistics_columns_rows found;
    json_t *rows CLEANUP(json_release) = NULL;

    if (!sql_staging_statistics_columns(ctx, carry->from, &found, .names = names) ||
        found.count != 1 || !json_parse(ctx, "statistics", found.items[0].rows, &rows))
        return false;
    return json_array_size(rows) == 0 ||
           put_columns(carry, ctx, found.items[0].rows, 1, (int32_t)json_array_size(rows));
}

/* The error of a shorter piece of work, in the context of the longer one. */
static bool
hand_up(struct ctx *ctx, const struct ctx *piece)
{
    ctx->error = piece->error;
    ctx->error.message = arena_strdup(ctx->arena, piece->error.message);
    ctx->error.detail = piece->error.detail ? arena_strdup(ctx->arena, piece->error.detail) : NULL;
    ctx->error.hint = piece->error.hint ? arena_strdup(ctx->arena, piece->error.hint) : NULL;
    ctx->error.state = NULL;
    return false;
}

/* The names of the next relations, each once however many schemas have it. */
static const char *
next_names(struct carry *carry, struct arena *arena, struct map *seen, size_t *next)
{
    json_t *names CLEANUP(json_release) = json_array();

    while (*next < carry->relations.count && json_array_size(names) < RELATIONS_AT_ONCE) {
        const char *name = carry->relations.items[(*next)++].name;

        if (map_get(seen, name))
            continue;
        map_set(seen, name, carry);
        json_array_append_new(names, json_string(name));
    }
    return json_array_size(names) > 0 ? json_text(arena, names) : NULL;
}

static bool
carry_columns(struct carry *carry)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct map seen = { .arena = carry->ctx->arena };
    size_t next = 0;

    if (!sql_staging_statistics_clear(carry->ctx, carry->db))
        return false;
    for (;;) {
        struct ctx piece = { .arena = arena };
        const char *names = next_names(carry, arena, &seen, &next);

        if (!names)
            return true;
        if (!carry_batch(carry, &piece, names))
            return hand_up(carry->ctx, &piece);
        arena_reset(arena);
    }
}

static bool
carry_relations(struct carry *carry)
{
    json_t *rows CLEANUP(json_release) = json_array();

    for (size_t i = 0; i < carry->relations.count; i++) {
        const struct sql_staging_statistics_relations *from = &carry->relations.items[i];
        json_t *row = json_object();

        json_object_set_new(row, "schema", json_string(from->schema));
        json_object_set_new(row, "name", json_string(from->name));
        json_object_set_new(row, "rows", json_real(from->rows));
        json_object_set_new(row, "pages", json_integer(from->pages));
        json_object_set_new(row, "visible", json_integer(from->visible));
        json_array_append_new(rows, row);
    }
    return sql_staging_statistics_put_relations(
        carry->ctx, carry->db, .rows = json_text(carry->ctx->arena, rows));
}

static bool
carry_files(struct carry *carry)
{
    struct arena *arena = carry->ctx->arena;
    struct sql_staging_statistics_files_rows rows;
    struct relation_file *files;
    struct map blocks = { .arena = arena };
    struct map by_id = { .arena = arena };
    size_t count = 0;

    if (!sql_staging_statistics_files(carry->ctx, carry->db, &rows, .relations = "[]"))
        return false;
    for (size_t i = 0; i < carry->relations.count; i++)
        map_set(&blocks,
            db_qualified(arena, carry->relations.items[i].schema, carry->relations.items[i].name),
            &carry->relations.items[i]);
    files = ARENA_ARRAY(arena, struct relation_file, rows.count + 1);
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_staging_statistics_files *row = &rows.items[i];
        const struct sql_staging_statistics_relations *from =
            map_get(&blocks, db_qualified(arena, row->schema, row->name));

        if (!from)
            continue;
        files[count++] = (struct relation_file){
            .id = row->id,
            .is_index = text_equal(row->kind, "i"),
            .method = row->method,
            .path = row->path,
            .width = row->width,
            .blocks = from->blocks,
            .parent = row->parent,
        };
        map_set(&by_id, arena_printf(arena, "%" PRIu32, row->id), &files[count - 1]);
    }
    /* Tables may follow their indexes in the list. */
    for (size_t i = 0; i < count; i++) {
        const struct relation_file *parent =
            map_get(&by_id, arena_printf(arena, "%" PRIu32, files[i].parent));

        files[i].parent_blocks = parent ? parent->blocks : 0;
    }
    return relation_files_replace(carry->ctx, carry->server, carry->db, files, count);
}

/* Tables with rows whose statistics we cannot see: the planner will guess. */
static void
note_unreadable(struct carry *carry, struct text_list *notes)
{
    struct arena *arena = carry->ctx->arena;
    struct buffer names = { .arena = arena };
    size_t count = 0;

    for (size_t i = 0; i < carry->relations.count; i++) {
        const struct sql_staging_statistics_relations *from = &carry->relations.items[i];

        if (from->may_read || from->rows <= 0)
            continue;
        if (count++ < NAMED_MOST)
            buffer_printf(&names, "%s%s", count > 1 ? ", " : "",
                db_qualified(arena, from->schema, from->name));
    }
    if (count > NAMED_MOST)
        buffer_printf(&names, " and %zu more", count - NAMED_MOST);
    if (count > 0)
        text_list_add(arena, notes,
            arena_printf(arena,
                "role %s may not read the statistics of %zu table%s (%s), so plans on %s are made "
                "without them; GRANT pg_read_all_data, and BYPASSRLS where row-level security is "
                "on, would let it",
                db_user(carry->from), count, count == 1 ? "" : "s", buffer_text(&names),
                count == 1 ? "it" : "them"));
}

static bool
note_ranges(struct carry *carry, struct text_list *notes)
{
    struct sql_staging_statistics_ranges_rows rows;

    if (db_major(carry->from) >= 17)
        return true;
    if (!sql_staging_statistics_ranges(carry->ctx, carry->db, &rows))
        return false;
    if (rows.count == 1 && rows.items[0].columns > 0)
        text_list_add(carry->ctx->arena, notes,
            arena_printf(carry->ctx->arena,
                "PostgreSQL %d does not show the statistics of ranges: conditions on %" PRId64
                " column%s (%s%s) are guessed",
                db_major(carry->from), rows.items[0].columns, rows.items[0].columns == 1 ? "" : "s",
                rows.items[0].example, rows.items[0].columns == 1 ? "" : ", …"));
    return true;
}

bool
statistics_carry(struct ctx *ctx, struct db *from, struct private_server *server, struct db *db,
    struct text_list *ret_notes)
{
    struct carry carry = { .ctx = ctx, .from = from, .server = server, .db = db };

    if (!sql_staging_statistics_relations(ctx, from, &carry.relations))
        return error_wrap(ctx, "reading the sizes of tables");
    if (!carry_columns(&carry))
        return error_wrap(ctx, "carrying the statistics of columns");
    if (!statistics_carry_extended(ctx, from, db, ret_notes))
        return error_wrap(ctx, "carrying the extended statistics");
    if (!carry_files(&carry) || !carry_relations(&carry) || !note_ranges(&carry, ret_notes))
        return error_wrap(ctx, "carrying the sizes of tables");
    note_unreadable(&carry, ret_notes);
    if (carry.lost > 0)
        text_list_add(ctx->arena, ret_notes,
            arena_printf(ctx->arena,
                "the statistics of %" PRId64
                " column%s could not be carried to the scratch server: %s",
                carry.lost, carry.lost == 1 ? "" : "s", carry.why));
    return true;
}

bool
statistics_carry_values(
    struct ctx *ctx, struct db *from, struct db *db, struct text_list *ret_notes)
{
    struct carry carry = { .ctx = ctx, .from = from, .db = db };

    if (!sql_staging_statistics_relations(ctx, from, &carry.relations) || !carry_columns(&carry) ||
        !statistics_carry_extended(ctx, from, db, ret_notes) || !carry_relations(&carry) ||
        !note_ranges(&carry, ret_notes))
        return error_wrap(ctx, "carrying the statistics");
    note_unreadable(&carry, ret_notes);
    if (carry.lost > 0)
        text_list_add(ctx->arena, ret_notes,
            arena_printf(ctx->arena,
                "the statistics of %" PRId64 " column%s could not be carried: %s", carry.lost,
                carry.lost == 1 ? "" : "s", carry.why));
    return true;
}

bool
statistics_carry_settings(struct ctx *ctx, struct db *from, struct db *db)
{
    struct sql_staging_statistics_settings_rows rows;

    if (!sql_staging_statistics_settings(ctx, from, &rows))
        return error_wrap(ctx, "reading the planner's settings");
    for (size_t i = 0; i < rows.count; i++) {
        if (db_set(ctx, db, rows.items[i].name, rows.items[i].value))
            continue;
        /* One that this version does not have, or that a library brings which is not here. */
        if (!is_survived(ctx, db))
            return false;
        error_clear(ctx);
    }
    return true;
}

bool
statistics_set_blocks(struct ctx *ctx, struct private_server *server, struct db *db,
    const char *schema, const char *name, int64_t blocks)
{
    struct sql_staging_statistics_files_rows rows;
    const char *qualified = db_qualified(ctx->arena, schema, name);
    json_t *names CLEANUP(json_release) = json_array();

    json_array_append_new(names, json_string(qualified));
    if (!sql_staging_statistics_files(ctx, db, &rows, .relations = json_text(ctx->arena, names)))
        return error_wrap(ctx, "looking for the file of %s", qualified);
    if (rows.count != 1)
        return error_set(ctx, ERR_NOT_FOUND, "%s has no file", qualified);

    struct relation_file file = {
        .id = rows.items[0].id,
        .is_index = text_equal(rows.items[0].kind, "i"),
        .method = rows.items[0].method,
        .path = rows.items[0].path,
        .width = rows.items[0].width,
        .blocks = blocks,
    };

    return relation_files_replace(ctx, server, db, &file, 1);
}
