/* Values from a query, and rows of one value together. */
#include "load/scenario/reading.h"

enum { FETCHED = 20000 };

/* What is fetched piece by piece. */
struct fetched {
    struct reading *reading;
    const struct ini_setting *setting;
    struct load_table *table;
    VEC(const char *) cells;
    size_t bytes;
};

static bool
take_rows(struct fetched *fetched, const struct result *result)
{
    struct arena *arena = fetched->reading->world->arena;
    struct load_table *table = fetched->table;

    for (size_t i = 0; i < result->columns && table->columns.count < result->columns; i++)
        text_list_add(arena, &table->columns, result->names[i]);
    for (size_t i = 0; i < result->rows * result->columns; i++) {
        VEC_PUSH(arena, &fetched->cells, result->cells[i]);
        fetched->bytes += result->cells[i] ? strlen(result->cells[i]) + 1 : 0;
    }
    table->rows += result->rows;
    table->cells = fetched->cells.items;
    if (table->rows <= VALUES_MOST_ROWS && fetched->bytes <= VALUES_MOST_BYTES)
        return true;
    reading_refuse(fetched->reading, fetched->setting->line,
        "[values %s] has more than 1,000,000 rows or 256 MB", table->name);
    return error_hint(fetched->reading->ctx,
        "Put a LIMIT behind the query, or a condition that chooses fewer rows.");
}

static bool
fetch_all(struct fetched *fetched)
{
    struct ctx *ctx = fetched->reading->ctx;
    struct db *db = fetched->reading->options->db;
    const char *declare = arena_printf(
        ctx->arena, "DECLARE pgmend_values NO SCROLL CURSOR FOR %s", fetched->setting->value);
    const char *fetch =
        arena_printf(ctx->arena, "FETCH FORWARD %d FROM pgmend_values", (int)FETCHED);
    struct result result;

    if (!db_query(ctx, db, declare, NULL, 0, &result))
        return false;
    do {
        if (!db_query(ctx, db, fetch, NULL, 0, &result))
            return false;
        if (!take_rows(fetched, &result))
            return false;
    } while (result.rows > 0);
    return true;
}

bool
values_of_query(
    struct reading *reading, const struct ini_setting *setting, struct load_table *table)
{
    struct fetched fetched = { .reading = reading, .setting = setting, .table = table };
    struct ctx *ctx = reading->ctx;
    struct db *db = reading->options->db;

    if (!db) {
        error_set(ctx, ERR_USAGE, "%s: [values %s] asks a database, and none was given",
            reading_where(reading, setting->line), table->name);
        return error_hint(
            ctx, "Give --db-url, DATABASE_URL or PGDATABASE, or draw the values from a file.");
    }

    struct db_transaction transaction CLEANUP(db_transaction_end);

    if (!db_begin(ctx, db, "READ ONLY", &transaction))
        return false;
    /* The query is the user's: its names mean what they mean to him. */
    if (db_use_own_path(ctx, db) && fetch_all(&fetched))
        return true;
    return text_starts_with(ctx->error.message, reading->file.path)
               ? false
               : error_wrap(
                     ctx, "%s: [values %s]", reading_where(reading, setting->line), table->name);
}

static size_t
count_parts(struct load_table *table, struct arena *arena, size_t column, struct load_part **parts)
{
    size_t count = 0;

    for (size_t row = 0; row < table->rows; row++) {
        const char *key = table->cells[row * table->columns.count + column];
        struct load_part *part = key ? map_get(&table->parts, key) : NULL;

        if (key && !part) {
            part = ARENA_NEW(arena, struct load_part);
            map_set(&table->parts, key, part);
        }
        parts[row] = part;
        if (part) {
            part->count++;
            count++;
        }
    }
    return count;
}

void
values_part(struct load_table *table, struct arena *arena, size_t column)
{
    struct load_part **parts = ARENA_ARRAY(arena, struct load_part *, table->rows);
    size_t width = table->columns.count;
    size_t count = count_parts(table, arena, column, parts);
    const char **cells = ARENA_ARRAY(arena, const char *, count *width);
    size_t next = 0;

    for (size_t row = 0; row < table->rows; row++) {
        struct load_part *part = parts[row];

        if (!part)
            continue;
        /* Where a part begins is known when its first row is met; "next" counts what is placed. */
        if (part->next == 0) {
            part->first = next;
            next += part->count;
        }
        memcpy(cells + (part->first + part->next) * width, table->cells + row * width,
            width * sizeof(*cells));
        part->next++;
    }
    for (size_t row = 0; row < table->rows; row++)
        if (parts[row])
            parts[row]->next = 0;
    table->cells = cells;
    table->rows = count;
}
