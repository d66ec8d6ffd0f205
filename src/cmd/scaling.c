#include "cmd/parts/scaling.h"

#include <math.h>

#include "base/term.h"
#include "cli/out.h"
#include "cli/page.h"
#include "db/ident.h"

enum { TEXT_COLUMN = 15, WIDEST = 100, QUERY_CHARS = 110 };

struct options {
    struct text_list replica;
    int64_t window;
    const char *tenant;
};

static const struct field options[] = {
    FIELD(struct options, replica, .arg = "URL",
        .help = "a standby to look at too; may be given several times"),
    FIELD(struct options, window, .letter = 'w', .unit = UNIT_US, .arg = "TIME", .standard = "5s",
        .help = "how long is watched"),
    FIELD(struct options, tenant, .arg = "COLUMN", .standard = "user_id",
        .help = "the column that a Citus cluster would be distributed by"),
};

struct table_line {
    const char *name;
    int64_t bytes;
    const char *class;
    const char *how;
};

static const struct field table_columns[] = {
    FIELD(struct table_line, name, .help = "table"),
    FIELD(struct table_line, bytes, .unit = UNIT_BYTES, .help = "size"),
    FIELD(struct table_line, class, .help = "on Citus"),
    FIELD(struct table_line, how, .help = "what it takes"),
};

struct sheet {
    struct arena *arena;
    FILE *out;
    size_t width;
};

static void
put(const struct sheet *sheet, const char *label, const char *text)
{
    fprintf(sheet->out, "  %-*s", TEXT_COLUMN - 2, label);
    page_wrap(sheet->out, text, TEXT_COLUMN, TEXT_COLUMN, sheet->width);
}

static const char *
rate_text(struct arena *arena, double bytes_per_s)
{
    if (isnan(bytes_per_s))
        return "not known";
    return arena_printf(arena, "%s/s, %s a day", text_from_bytes(arena, (int64_t)bytes_per_s),
        text_from_bytes(arena, (int64_t)(bytes_per_s * 86400)));
}

static void
put_load(const struct sheet *sheet, const struct scaling *scaling)
{
    struct arena *arena = sheet->arena;
    const struct sql_partition_scaling_load *load = &scaling->load;

    fprintf(sheet->out, "This server, watched for %s\n", text_from_us(arena, scaling->window_us));
    put(sheet, "load",
        arena_printf(arena, "%.0f transactions/s, %.0f rows/s read by key, %.0f rows/s written",
            scaling->transactions_per_s, scaling->read_per_s, scaling->written_per_s));
    put(sheet, "WAL", rate_text(arena, scaling->wal_per_s));
    put(sheet, "size", text_from_bytes(arena, load->bytes));
    put(sheet, "connections",
        arena_printf(arena, "%d of %d, %d of them active", load->connections, load->max_connections,
            load->active));
    put(sheet, "reads",
        isnan(scaling->statements.read_share)
            ? arena_printf(arena, "not known: %s",
                  scaling->statements.none_reason ? scaling->statements.none_reason
                                                  : "no statement was counted yet")
            : arena_printf(arena,
                  "%.0f %% of the statements' time is SELECT without locks: at most this could go to "
                  "replicas, less what a transaction reads before it writes",
                  100 * scaling->statements.read_share));
    if (!text_equal(load->wal_level, "logical"))
        put(sheet, "wal_level",
            arena_printf(arena,
                "%s: blue-green and logical replication need \"logical\": ALTER SYSTEM SET wal_level = "
                "'logical'; then a restart",
                load->wal_level));
}

static void
put_replicas(const struct sheet *sheet, const struct scaling *scaling)
{
    struct arena *arena = sheet->arena;

    for (size_t i = 0; i < scaling->replicas.count; i++) {
        const struct scaling_replica *replica = &scaling->replicas.items[i];
        const struct sql_partition_scaling_replica *facts = &replica->facts;

        fprintf(sheet->out, "\n%s\n", replica->label);
        if (replica->problem) {
            put(sheet, "not seen", replica->problem);
            continue;
        }
        put(sheet, "lag",
            arena_printf(arena, "%s received and not replayed%s",
                isnan(facts->lag_bytes) ? "an unknown amount"
                                        : text_from_bytes(arena, (int64_t)facts->lag_bytes),
                isnan(facts->lag_s) ? "" : arena_printf(arena, ", %.1f s behind", facts->lag_s)));
        put(sheet, "conflicts",
            arena_printf(arena,
                "%lld statements were cancelled by replay (%lld by vacuumed rows, %lld by DDL); "
                "max_standby_streaming_delay %s, hot_standby_feedback %s",
                (long long)facts->conflicts, (long long)facts->conflicts_snapshot,
                (long long)facts->conflicts_lock, facts->max_delay, facts->feedback));
    }
}

/* In a list with commas; --json has the names. */
static size_t
names_in(const char *list)
{
    size_t count = 1;

    for (const char *at = list; (at = strstr(at, ", ")); at += 2)
        count++;
    return count;
}

static const char *
how_text(struct arena *arena, const struct sql_partition_scaling_tables *table, const char *tenant)
{
    struct buffer text = { .arena = arena };

    if (text_equal(table->class, "join"))
        buffer_printf(
            &text, "add %s (by %s)", db_ident(arena, tenant), table->via ? table->via : "a join");
    else if (table->key)
        buffer_printf(&text, "by %s", db_ident(arena, table->key));
    if (table->lacking)
        buffer_printf(&text, "; the key into %zu unique %s", names_in(table->lacking),
            names_in(table->lacking) == 1 ? "index" : "indexes");
    if (table->foreign_keys)
        buffer_printf(&text, " and %zu foreign %s", names_in(table->foreign_keys),
            names_in(table->foreign_keys) == 1 ? "key" : "keys");
    return buffer_text(&text);
}

static void
put_citus(const struct sheet *sheet, const struct scaling *scaling, const char *tenant)
{
    struct arena *arena = sheet->arena;
    struct table_line *lines = ARENA_ARRAY(arena, struct table_line, scaling->tables.count + 1);

    fprintf(sheet->out, "\nDistributed by %s on Citus (by its documentation; not tried)\n",
        db_ident(arena, tenant));
    for (size_t i = 0; i < scaling->tables.count; i++)
        lines[i] = (struct table_line){
            .name = scaling->tables.items[i].name,
            .bytes = scaling->tables.items[i].bytes,
            .class = scaling->tables.items[i].class,
            .how = how_text(arena, &scaling->tables.items[i], tenant),
        };
    out_table(sheet->out, table_columns, COUNT_OF(table_columns), lines, scaling->tables.count,
        sizeof(lines[0]));
    if (scaling->citus_shards >= 0)
        fprintf(sheet->out, "This server has the extension citus and %lld shards.\n",
            (long long)scaling->citus_shards);
    if (isnan(scaling->statements.keyless_share))
        return;
    fprintf(sheet->out,
        "\n%.0f %% of the time of statements on these tables has no condition on the key: they go to "
        "every node.\n",
        100 * scaling->statements.keyless_share);
    for (size_t i = 0; i < scaling->statements.keyless.count; i++)
        put(sheet,
            arena_printf(arena, "%4.1f %%", 100 * scaling->statements.keyless.items[i].share),
            arena_printf(arena, "%.*s", QUERY_CHARS, scaling->statements.keyless.items[i].query));
}

static json_t *
replicas_json(const struct scaling *scaling)
{
    json_t *array = json_array();

    for (size_t i = 0; i < scaling->replicas.count; i++) {
        const struct scaling_replica *replica = &scaling->replicas.items[i];

        json_array_append_new(
            array, json_pack("{s:s, s:s?, s:o, s:o, s:I}", "server", replica->label, "problem",
                       replica->problem, "lag_bytes", json_number(replica->facts.lag_bytes),
                       "lag_seconds", json_number(replica->facts.lag_s), "conflicts",
                       (json_int_t)replica->facts.conflicts));
    }
    return array;
}

static void
print_json(struct run *run, const struct scaling *scaling)
{
    json_t *tables = json_array();
    json_t *keyless = json_array();

    for (size_t i = 0; i < scaling->tables.count; i++) {
        const struct sql_partition_scaling_tables *table = &scaling->tables.items[i];

        json_array_append_new(tables,
            json_pack("{s:s, s:I, s:s, s:s?, s:s?, s:s?, s:s?}", "table", table->name, "bytes",
                (json_int_t)table->bytes, "class", table->class, "key", table->key, "via",
                table->via, "lacking", table->lacking, "foreign_keys", table->foreign_keys));
    }
    for (size_t i = 0; i < scaling->statements.keyless.count; i++)
        json_array_append_new(
            keyless, json_pack("{s:s, s:f}", "query", scaling->statements.keyless.items[i].query,
                         "share", scaling->statements.keyless.items[i].share));

    json_t *json CLEANUP(json_release) =
        json_pack("{s:I, s:f, s:o, s:I, s:i, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:b}", "window_us",
            (json_int_t)scaling->window_us, "transactions_per_second", scaling->transactions_per_s,
            "wal_bytes_per_second", json_number(scaling->wal_per_s), "bytes",
            (json_int_t)scaling->load.bytes, "connections", (int)scaling->load.connections,
            "max_connections", (int)scaling->load.max_connections, "wal_level",
            scaling->load.wal_level, "read_share", json_number(scaling->statements.read_share),
            "keyless_share", json_number(scaling->statements.keyless_share), "keyless", keyless,
            "replicas", replicas_json(scaling), "tables", tables, "distribution_was_tried", 0);

    out_json(run->out, json);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct scaling scaling;
    struct sheet sheet = {
        .arena = ctx->arena,
        .out = run->out,
        .width = term_is_terminal(run->out) ? (size_t)term_width(run->out) : WIDEST,
    };

    if (!scaling_measure(ctx, run->db, opts->window, opts->tenant, &opts->replica, &scaling))
        return false;
    if (run->global->json) {
        print_json(run, &scaling);
        return true;
    }
    if (sheet.width > WIDEST)
        sheet.width = WIDEST;
    put_load(&sheet, &scaling);
    put_replicas(&sheet, &scaling);
    put_citus(&sheet, &scaling, opts->tenant);
    out_next(run->out, "pgmend partition advise");
    return true;
}

const struct command cmd_scaling = {
    .path = "scaling",
    .summary = "show what this server carries, and what replicas or Citus could carry",
    .details =
        "Watches transactions, rows and WAL for a while, asks the replicas how far behind they are and "
        "what their replay has cancelled, and says which share of the statements' time only reads. For "
        "a cluster that is distributed by one column it lists what would become of each table: with "
        "the column, one join away from it, small enough to be copied everywhere, or local; which keys "
        "would have to contain the column; and which statements lack it. docs/scaling.md says when which "
        "of them is worth it. What is said of Citus is by its documentation and was not tried.",
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend scaling --window 60s --replica postgresql://standby/app",
    .next = "pgmend partition advise",
    .run = run,
};
