#include "base/clock.h"
#include "cli/out.h"
#include "cmd/parts/index_state.h"
#include "index/prove/promise.h"
#include "sql.h"

struct options {
    const char *table;
    struct text_list replica;
};

static const struct field options[] = {
    FIELD(struct options, table, .momentary = true, .arg = "TABLE",
        .help = "only the indexes of this table (\"table\" or \"schema.table\")"),
    FIELD(struct options, replica, .arg = "URL",
        .help = "a standby whose counters count too; may be given several times"),
};

struct row {
    const char *index;
    const char *table;
    int64_t size;
    const char *share;
    int64_t scans;
    const char *per_day;
    const char *state;
    const char *run;
    const char *promise;
    const char *last_scan;
};

static const struct field columns[] = {
    FIELD(struct row, index),
    FIELD(struct row, table),
    FIELD(struct row, size, .unit = UNIT_BYTES),
    FIELD(struct row, share, .help = "of table"),
    FIELD(struct row, scans),
    FIELD(struct row, per_day, .help = "a day"),
    FIELD(struct row, state),
    FIELD(struct row, run),
    FIELD(struct row, promise),
};

struct status_rows {
    struct row *items;
    size_t count;
    size_t capacity;
    int64_t bytes;
};

static const char *
state_of(const struct index_state *index)
{
    const struct sql_index_state_indexes *row = index->row;

    if (row->builder_pid)
        return "being built";
    if (!index_state_is_good(index))
        return row->is_unique && row->is_ready ? "INVALID, refuses rows" : "INVALID";
    return row->is_primary        ? "primary key"
           : row->constraint_name ? "constraint"
           : row->is_unique       ? "unique"
           : row->kind[0] == 'I'  ? "partitioned"
           : row->parent_oid      ? "part"
                                  : "valid";
}

/* What it was built for, when "index advise" promised something of it. */
static const char *
promise_of(struct arena *arena, const struct promises *promises, const struct index_state *index)
{
    for (size_t i = 0; i < promises->count; i++) {
        const struct promise *promise = &promises->items[i];

        if (text_equal(promise->schema, index->row->schema) &&
            text_equal(promise->name, index->row->name))
            return arena_printf(arena, "%zu statement%s", promise->statements.count,
                promise->statements.count == 1 ? "" : "s");
    }
    return "";
}

static const char *
scans_a_day(struct arena *arena, int64_t window_us, int64_t scans)
{
    double days = (double)window_us / 86400e6;

    /* Of less than an hour nothing can be said about a day. */
    if (window_us < 3600000000LL)
        return "";
    return text_from_ratio(arena, (double)scans / days);
}

static int
compare_size(const void *a, const void *b)
{
    const struct row *left = a;
    const struct row *right = b;

    if (left->size != right->size)
        return left->size < right->size ? 1 : -1;
    return strcmp(left->index, right->index);
}

static struct status_rows
make_rows(struct ctx *ctx, const struct options *opts, const struct index_states *states,
    const struct promises *promises)
{
    int64_t window_us = index_states_window_us(states);
    struct status_rows rows = { 0 };

    for (size_t i = 0; i < states->items.count; i++) {
        const struct index_state *index = &states->items.items[i];
        const struct row row = {
            .index = index->object,
            .table = index->relation,
            .size = index->bytes,
            .share = index->row->table_bytes > 0
                         ? index_state_percent(
                               ctx->arena, (double)index->bytes / (double)index->row->table_bytes)
                         : "",
            .scans = index->scans,
            .per_day = scans_a_day(ctx->arena, window_us, index->scans),
            .state = state_of(index),
            .run = index->run ? index->run : "",
            .promise = promise_of(ctx->arena, promises, index),
            .last_scan = index->last_scan,
        };

        if (!index_state_is_of(index, opts->table))
            continue;
        VEC_PUSH(ctx->arena, &rows, row);
        /* Those of partitioned tables are their parts once more. */
        rows.bytes += index->row->kind[0] == 'I' ? 0 : index->bytes;
    }
    if (rows.count > 0)
        qsort(rows.items, rows.count, sizeof(rows.items[0]), compare_size);
    return rows;
}

/* Columns of text that say nothing would only take the others' room. */
static void
print_table(FILE *out, const struct status_rows *rows)
{
    struct field shown[COUNT_OF(columns)];
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        bool is_empty = columns[i].type == FIELD_TEXT;

        for (size_t j = 0; j < rows->count && is_empty; j++) {
            const char *const *text =
                (const void *)((const char *)&rows->items[j] + columns[i].offset);

            is_empty = text_is_empty(*text);
        }
        if (!is_empty)
            shown[count++] = columns[i];
    }
    out_table(out, shown, count, rows->items, rows->count, sizeof(struct row));
}

static void
print_json(struct ctx *ctx, struct run *run, const struct index_states *states,
    const struct status_rows *rows)
{
    static const struct field all[] = {
        FIELD(struct row, index),
        FIELD(struct row, table),
        { .name = "bytes", .type = FIELD_INT64, .offset = offsetof(struct row, size) },
        FIELD(struct row, scans),
        FIELD(struct row, last_scan),
        FIELD(struct row, state),
        FIELD(struct row, run),
        FIELD(struct row, promise),
    };
    json_t *json CLEANUP(json_release) = json_pack("{s:o, s:I, s:o}", "servers",
        index_state_servers_json(ctx, states), "bytes", (json_int_t)rows->bytes, "indexes",
        out_json_rows(all, COUNT_OF(all), rows->items, rows->count, sizeof(struct row)));

    out_json(run->out, json);
}

/* A role that may not read schema pgmend sees the indexes all the same. */
static bool
load_promises(struct ctx *ctx, struct db *db, struct promises *ret, bool *ret_is_hidden)
{
    *ret_is_hidden = false;
    if (promises_load(ctx, db, ret))
        return true;
    if (ctx->error.kind != ERR_RIGHTS)
        return false;
    error_clear(ctx);
    *ret = (struct promises){ 0 };
    *ret_is_hidden = true;
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct index_states states;
    struct promises promises = { 0 };
    struct status_rows rows;
    bool is_hidden;

    if (!index_states_load(ctx, run->db, &opts->replica, &states) ||
        !load_promises(ctx, run->db, &promises, &is_hidden))
        return false;
    rows = make_rows(ctx, opts, &states, &promises);
    if (opts->table && rows.count == 0) {
        error_set(ctx, ERR_NOT_FOUND, "there is no table \"%s\" with an index", opts->table);
        return error_hint(ctx, "\"pgmend index status\" lists all.");
    }
    if (run->global->json) {
        print_json(ctx, run, &states, &rows);
        return true;
    }
    fprintf(run->out, "%s: %zu indexes, %s\n\n", db_label(ctx->arena, run->db), rows.count,
        text_from_bytes(ctx->arena, rows.bytes));
    index_state_print_servers(ctx, run->out, &states, opts->replica.count);
    if (is_hidden)
        out_mark_line(run->out, MARK_WARN,
            "role %s may not read schema pgmend: runs and promises are not shown",
            db_user(run->db));
    fputc('\n', run->out);
    print_table(run->out, &rows);
    out_next(run->out, "pgmend index unused, pgmend index duplicate, pgmend index bloat");
    return true;
}

const struct command cmd_index_status = {
    .path = "index status",
    .summary = "show the indexes with size, use, state and where they came from",
    .details =
        "The biggest first. Scans are those since the server's counters began, of all servers given: "
        "a standby counts for itself. \"Of table\" is the size against the table without indexes and "
        "TOAST. How old an index is the server does not know; run is the run of pgmend that built it, "
        "promise how many statements \"pgmend index advise\" proposed it for.",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend index status\n"
                "pgmend index status --table messages\n"
                "pgmend index status --replica postgresql://standby/app",
    .next = "pgmend index unused",
    .run = run,
};
