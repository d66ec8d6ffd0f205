/*
 * Both sides compared table by table in ranges of the primary key, while the live one is written to. A range is
 * read on the live side; when everything committed up to then has come to the other side, it is read there. Equal:
 * proven. Not equal, and the live side unchanged when it is read again: different. Else it moves, and is looked
 * at again; what still moves in the end is kept for the moment of the switch in which nothing does.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "bluegreen/part.h"
#include "db/ident.h"
#include "sql.h"
#include "staging/content.h"

enum { STILL_ROWS = 1000, STILL_WHOLE_ROWS = 20000 };

enum chunk_state { CHUNK_PENDING, CHUNK_EQUAL, CHUNK_DIFFERENT };

struct chunk {
    const char *condition;
    const char *first;  /* sum on the live side */
    const char *detail; /* of a difference */
    int64_t rows;
    enum chunk_state state;
};

struct table {
    const char *name;
    const struct sql_bluegreen_published *row;
    struct text_list key;
    struct text_list types;
    VEC(struct chunk) chunks;
};

struct sum {
    int64_t rows;
    const char *text;
};

static void
split(struct arena *arena, const char *text, struct text_list *ret)
{
    *ret = (struct text_list){ 0 };
    while (*text) {
        size_t length = strcspn(text, "\x1f");

        text_list_add(arena, ret, arena_strndup(arena, text, length));
        text += length + (text[length] != '\0');
    }
}

static void
begin_table(struct arena *arena, const struct sql_bluegreen_published *row, struct table *ret)
{
    *ret = (struct table){ .name = db_qualified(arena, row->schema, row->name), .row = row };
    split(arena, row->key, &ret->key);
    split(arena, row->key_types, &ret->types);
}

/* "t.a, t.b", or each with what follows. */
static const char *
key_list(struct arena *arena, const struct table *table, const char *after)
{
    struct buffer buffer = { .arena = arena };

    for (size_t i = 0; i < table->key.count; i++)
        buffer_printf(&buffer, "%st.%s%s", i ? ", " : "", table->key.items[i], after);
    return buffer_text(&buffer);
}

/* "('7'::bigint, 'x'::text)" of the row-th row of a result. */
static const char *
key_values(struct arena *arena, const struct table *table, const struct result *result, size_t row)
{
    struct buffer buffer = { .arena = arena };

    buffer_add(&buffer, "(");
    for (size_t i = 0; i < table->key.count; i++)
        buffer_printf(&buffer, "%s%s::%s", i ? ", " : "",
            db_literal(arena, result_cell(result, row, i)), table->types.items[i]);
    buffer_add(&buffer, ")");
    return buffer_text(&buffer);
}

static bool
read_sum(struct ctx *ctx, struct db *db, const struct table *table, const char *condition,
    struct sum *ret)
{
    const char *hash = arena_printf(ctx->arena,
        "pg_catalog.hashtextextended(ROW(%s)::pg_catalog.text COLLATE \"C\", 0)",
        table->row->columns);
    const char *sum =
        table->key.count == 0
            ? arena_printf(ctx->arena, "pg_catalog.sum(%s::numeric)::text", hash)
            : arena_printf(ctx->arena,
                  "pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to("
                  "pg_catalog.string_agg(%s::text, ',' ORDER BY %s), 'UTF8')), 'hex')",
                  hash, key_list(ctx->arena, table, ""));
    struct result result;

    *ret = (struct sum){ 0 };
    if (!db_query(ctx, db,
            arena_printf(ctx->arena,
                "SELECT /* pgmend */ pg_catalog.count(*), %s FROM %s AS t WHERE %s", sum,
                table->name, condition),
            NULL, 0, &result))
        return error_wrap(ctx, "reading table %s of database \"%s\"", table->name, db_name(db));
    (void)!text_to_int64(result_cell(&result, 0, 0), &ret->rows);
    ret->text = arena_printf(ctx->arena, "%" PRId64 " %s", ret->rows,
        result_cell(&result, 0, 1) ? result_cell(&result, 0, 1) : "");
    return true;
}

/* ---- ranges ---- */

static bool
cut(struct ctx *ctx, struct db *db, struct table *table, int64_t chunk_rows)
{
    const char *keys = key_list(ctx->arena, table, "");
    const char *after = NULL;
    struct result result;

    if (table->key.count == 0) {
        VEC_PUSH(ctx->arena, &table->chunks, (struct chunk){ .condition = "true" });
        return true;
    }
    if (!db_query(ctx, db,
            arena_printf(ctx->arena,
                "SELECT /* pgmend */ %s FROM (SELECT %s, pg_catalog.row_number() OVER (ORDER BY %s) AS pgmend_row"
                " FROM %s AS t) AS t WHERE t.pgmend_row %% %" PRId64 " = 0 ORDER BY t.pgmend_row",
                key_list(ctx->arena, table, "::text"), keys, keys, table->name, chunk_rows),
            NULL, 0, &result))
        return error_wrap(ctx, "dividing table %s", table->name);
    for (size_t i = 0; i < result.rows; i++) {
        const char *values = key_values(ctx->arena, table, &result, i);
        const char *upto = arena_printf(ctx->arena, "(%s) <= %s", keys, values);

        VEC_PUSH(ctx->arena, &table->chunks,
            (struct chunk){
                .condition = after ? arena_printf(ctx->arena, "%s AND %s", after, upto) : upto });
        after = arena_printf(ctx->arena, "(%s) > %s", keys, values);
    }
    VEC_PUSH(ctx->arena, &table->chunks, (struct chunk){ .condition = after ? after : "true" });
    return true;
}

static bool
judge(struct ctx *ctx, struct bluegreen *pair, const struct table *table, struct chunk *chunk)
{
    int live = pair->state.live;
    struct sum there, again;

    if (!read_sum(ctx, pair->dbs[bluegreen_other(live)], table, chunk->condition, &there))
        return false;
    if (text_equal(there.text, chunk->first)) {
        chunk->state = CHUNK_EQUAL;
        return true;
    }
    if (!read_sum(ctx, pair->dbs[live], table, chunk->condition, &again))
        return false;
    if (!text_equal(again.text, chunk->first))
        return true;
    chunk->state = CHUNK_DIFFERENT;
    chunk->detail = arena_printf(ctx->arena,
        "rows where %s: %" PRId64 " on %s, %" PRId64 " on %s%s", chunk->condition, again.rows,
        bluegreen_side_name(live), there.rows, bluegreen_side_name(bluegreen_other(live)),
        again.rows == there.rows ? ", with other content" : "");
    return true;
}

static bool
compare_round(struct ctx *ctx, struct bluegreen *pair, struct table *table, int64_t limit_us,
    size_t *ret_pending)
{
    struct db *live = pair->dbs[pair->state.live];
    int64_t us;

    for (size_t i = 0; i < table->chunks.count; i++) {
        struct chunk *chunk = &table->chunks.items[i];
        struct sum sum;

        if (chunk->state != CHUNK_PENDING)
            continue;
        if (!read_sum(ctx, live, table, chunk->condition, &sum))
            return false;
        chunk->first = sum.text;
        chunk->rows = sum.rows;
    }
    if (!bluegreen_wait_applied(ctx, pair, limit_us, &us))
        return false;
    *ret_pending = 0;
    for (size_t i = 0; i < table->chunks.count; i++) {
        struct chunk *chunk = &table->chunks.items[i];

        if (chunk->state == CHUNK_PENDING && !judge(ctx, pair, table, chunk))
            return false;
        *ret_pending += chunk->state == CHUNK_PENDING;
    }
    return true;
}

static void
sum_up(struct ctx *ctx, struct bluegreen *pair, const struct table *table,
    struct bluegreen_comparison *ret)
{
    struct bluegreen_table found = { .name = table->name, .chunks = (int64_t)table->chunks.count };

    for (size_t i = 0; i < table->chunks.count; i++) {
        const struct chunk *chunk = &table->chunks.items[i];

        found.rows += chunk->rows;
        found.equal += chunk->state == CHUNK_EQUAL;
        found.moving += chunk->state == CHUNK_PENDING;
        if (chunk->state == CHUNK_DIFFERENT && !found.difference)
            found.difference = chunk->detail;
        if (chunk->state == CHUNK_PENDING)
            text_list_add(ctx->arena, &pair->state.moving,
                arena_printf(ctx->arena, "%s\t%s", table->name, chunk->condition));
    }
    ret->rows += found.rows;
    ret->different += found.difference != NULL;
    ret->moving += found.moving > 0;
    VEC_PUSH(ctx->arena, &ret->tables, found);
}

static bool
begin(struct ctx *ctx, struct bluegreen *pair, struct sql_bluegreen_published_rows *ret)
{
    int live = pair->state.live;

    return (content_pin_session(ctx, pair->dbs[live], false) &&
               content_pin_session(ctx, pair->dbs[bluegreen_other(live)], false) &&
               sql_bluegreen_published(
                   ctx, pair->dbs[live], ret, .publication = BLUEGREEN_PUBLICATION)) ||
           error_wrap(ctx, "preparing the comparison");
}

bool
bluegreen_verify(struct ctx *ctx, struct bluegreen *pair,
    const struct bluegreen_verify_options *options, struct bluegreen_comparison *ret)
{
    struct sql_bluegreen_published_rows rows;
    int64_t start = clock_us();

    *ret = (struct bluegreen_comparison){ 0 };
    pair->state.moving = (struct text_list){ 0 };
    pair->state.verified_at = NULL;
    if (!begin(ctx, pair, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        size_t pending = 1;
        struct table table;

        begin_table(ctx->arena, &rows.items[i], &table);
        step_watch_show(options->watch, "comparing", (double)i / (double)rows.count,
            clock_us() - start, table.name);
        if (!cut(ctx, pair->dbs[pair->state.live], &table, options->chunk_rows))
            return false;
        for (int32_t round = 0; round < options->rounds && pending > 0; round++)
            if (!compare_round(ctx, pair, &table, options->limit_us, &pending))
                return false;
        sum_up(ctx, pair, &table, ret);
    }
    ret->us = clock_us() - start;
    if (ret->different == 0)
        pair->state.verified_at = clock_text(ctx->arena, clock_wall_us());
    return true;
}

/* ---- while nothing is written ---- */

static bool
compare_still(struct ctx *ctx, struct bluegreen *pair, const struct table *table,
    const char *condition, const char **ret_difference)
{
    int live = pair->state.live;
    int other = bluegreen_other(live);
    struct sum here, there;

    if (!read_sum(ctx, pair->dbs[live], table, condition, &here) ||
        !read_sum(ctx, pair->dbs[other], table, condition, &there))
        return false;
    if (!text_equal(here.text, there.text))
        *ret_difference = arena_printf(ctx->arena,
            "table %s, rows where %s: %" PRId64 " on %s, %" PRId64 " on %s", table->name, condition,
            here.rows, bluegreen_side_name(live), there.rows, bluegreen_side_name(other));
    return true;
}

static bool
compare_tail(
    struct ctx *ctx, struct bluegreen *pair, const struct table *table, const char **ret_difference)
{
    const char *keys = key_list(ctx->arena, table, "");
    struct result result;

    if (table->key.count == 0)
        return table->row->rows > STILL_WHOLE_ROWS ||
               compare_still(ctx, pair, table, "true", ret_difference);
    if (!db_query(ctx, pair->dbs[pair->state.live],
            arena_printf(ctx->arena,
                "SELECT /* pgmend */ %s FROM %s AS t ORDER BY %s OFFSET %d LIMIT 1",
                key_list(ctx->arena, table, "::text"), table->name,
                key_list(ctx->arena, table, " DESC"), STILL_ROWS),
            NULL, 0, &result))
        return false;
    return compare_still(ctx, pair, table,
        result.rows == 0 ? "true"
                         : arena_printf(ctx->arena, "(%s) > %s", keys,
                               key_values(ctx->arena, table, &result, 0)),
        ret_difference);
}

static bool
compare_moving(
    struct ctx *ctx, struct bluegreen *pair, const struct table *table, const char **ret_difference)
{
    const char *start = arena_printf(ctx->arena, "%s\t", table->name);

    for (size_t i = 0; i < pair->state.moving.count && !*ret_difference; i++) {
        const char *item = pair->state.moving.items[i];

        if (text_starts_with(item, start) &&
            !compare_still(ctx, pair, table, item + strlen(start), ret_difference))
            return false;
    }
    return true;
}

bool
bluegreen_verify_still(struct ctx *ctx, struct bluegreen *pair, int64_t limit_us,
    size_t *ret_checked, const char **ret_difference)
{
    struct sql_bluegreen_published_rows rows;
    int64_t start = clock_us();

    *ret_checked = 0;
    *ret_difference = NULL;
    if (!begin(ctx, pair, &rows))
        return false;
    for (size_t i = 0; i < rows.count && !*ret_difference; i++) {
        struct table table;

        begin_table(ctx->arena, &rows.items[i], &table);
        /* What verify left open is owed; the rest is done as far as the time goes. */
        if (!compare_moving(ctx, pair, &table, ret_difference))
            return false;
        if (*ret_difference || clock_us() - start > limit_us)
            continue;
        if (!compare_tail(ctx, pair, &table, ret_difference))
            return false;
        (*ret_checked)++;
    }
    return true;
}
