#include <sys/stat.h>

#include "catalog/diff.h"
#include "cli/command.h"
#include "cli/out.h"

struct options {
    bool sql;
    bool exit_code;
    const char *ignore;
    struct text_list schema;
};

enum { STATUS_DIFFERENT = 3 };

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, sql,
        .help = "print the statements that make the first like the second"),
    FIELD(struct options, exit_code, .momentary = true,
        .help = "exit status 3 when there is a difference"),
    FIELD(struct options, ignore, .arg = "WHAT",
        .help = "what does not count, separated by commas: owner, grants, comments, positions"),
    FIELD(struct options, schema, .arg = "NAME",
        .help = "only what is in this schema; may be given several times"),
};
/* clang-format on */

/* One of the two: a database or a file. */
struct side {
    const char *operand;
    const char *label;
    struct db *db; /* NULL: a file */
    struct schema schema;
};

static bool
looks_like_connection(const char *operand)
{
    return strstr(operand, "://") || strchr(operand, '=');
}

static bool
read_snapshot(struct ctx *ctx, struct side *side)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!json_read_file(ctx, side->operand, &json))
        return false;
    if (!schema_from_json(ctx, json, &side->schema))
        return error_wrap(ctx, "reading %s", side->operand);
    side->label = side->operand;
    return true;
}

static bool
open_database(struct ctx *ctx, struct side *side)
{
    struct db_options wanted = {
        .url = side->operand, .application = "pgmend/schema diff", .access = ACCESS_READ
    };

    if (!db_open(ctx, &wanted, &side->db))
        return false;
    side->label = db_label(ctx->arena, side->db);
    return true;
}

static bool
open_side(struct ctx *ctx, struct side *side)
{
    struct stat found;

    if (looks_like_connection(side->operand))
        return open_database(ctx, side);
    if (stat(side->operand, &found) == 0)
        return read_snapshot(ctx, side);
    error_set(ctx, ERR_INPUT, "\"%s\" is neither a file nor a connection", side->operand);
    return error_hint(ctx, "Give a connection URL, or dbname=… host=…, or a file that pgmend "
                           "schema snapshot wrote.");
}

static bool
load(struct ctx *ctx, struct side *from, struct side *to)
{
    if (!open_side(ctx, from) || !open_side(ctx, to))
        return false;
    if (from->db && to->db)
        return schema_load_pair(ctx, from->db, to->db, &from->schema, &to->schema);
    return (!from->db || schema_load(ctx, from->db, &from->schema)) &&
           (!to->db || schema_load(ctx, to->db, &to->schema));
}

static bool
read_ignored(struct ctx *ctx, const char *text, struct diff_options *ret)
{
    while (text && *text) {
        size_t length = strcspn(text, ",");
        const char *word = arena_strndup(ctx->arena, text, length);

        if (text_equal(word, "owner") || text_equal(word, "owners"))
            ret->ignore_owner = true;
        else if (text_equal(word, "grants") || text_equal(word, "rights"))
            ret->ignore_acl = true;
        else if (text_equal(word, "comments"))
            ret->ignore_comments = true;
        else if (text_equal(word, "positions"))
            ret->ignore_positions = true;
        else
            return error_set(ctx, ERR_USAGE,
                "--ignore does not know \"%s\": owner, grants, comments, positions", word);
        text += length;
        text += *text == ',';
    }
    return true;
}

/* ---- what is printed ---- */

static const char *
one_line(struct arena *arena, const char *text)
{
    char *line = arena_strdup(arena, text);

    for (char *at = line; *at; at++)
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    return line;
}

static void
print_sql(struct ctx *ctx, FILE *out, const struct side *from, const struct side *to,
    const struct differences *differences)
{
    fprintf(out, "-- Makes %s like %s; for psql --single-transaction.\n",
        one_line(ctx->arena, from->label), one_line(ctx->arena, to->label));
    fputs("SELECT pg_catalog.set_config('search_path', '', false);\n"
          "SET check_function_bodies = off;\n",
        out);
    for (size_t i = 0; i < differences->count; i++) {
        const struct difference *item = &differences->items[i];

        fprintf(out, "\n-- %s\n", one_line(ctx->arena, difference_text(ctx->arena, item)));
        if (item->loses_rows)
            fputs("-- TAKES ROWS OR VALUES AWAY.\n", out);
        if (item->note)
            fprintf(out, "-- %s\n", item->note);
        for (size_t j = 0; j < item->statements.count; j++)
            fprintf(out, "%s;\n", item->statements.items[j]);
    }
}

static void
print_text(struct ctx *ctx, struct run *run, const struct side *from, const struct side *to,
    const struct differences *differences)
{
    const struct schema *schema = &to->schema;

    for (size_t i = 0; i < differences->count; i++) {
        const struct difference *item = &differences->items[i];

        out_mark_line(run->out, item->loses_rows ? MARK_FAIL : MARK_WARN, "%s",
            one_line(ctx->arena, difference_text(ctx->arena, item)));
        if (item->note)
            fprintf(run->out, "      %s\n", item->note);
    }
    if (differences->count == 0) {
        out_mark_line(run->out, MARK_OK, "%s and %s are the same: %s tables, %s columns",
            from->label, to->label, text_from_count(ctx->arena, (int64_t)schema->tables.count),
            text_from_count(ctx->arena, (int64_t)schema->columns.count));
        return;
    }
    fprintf(run->out, "\n%s of %s from %s.\n",
        differences->count == 1 ? "1 difference"
                                : arena_printf(ctx->arena, "%zu differences", differences->count),
        from->label, to->label);
    out_next(run->out, "pgmend schema diff FROM TO --sql");
}

static json_t *
texts_json(const struct text_list *texts)
{
    json_t *array = json_array();

    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(array, json_string(texts->items[i]));
    return array;
}

static json_t *
difference_json(struct ctx *ctx, const struct difference *item)
{
    static const char *const kinds[] = { "missing", "extra", "changed" };

    return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s, s:s?, s:b, s:o}", "kind",
        kinds[item->kind], "class", schema_classes[item->class].name, "identity", item->identity,
        "attribute", item->attribute, "found", item->found, "wanted", item->wanted, "text",
        difference_text(ctx->arena, item), "note", item->note, "loses_rows", item->loses_rows,
        "statements", texts_json(&item->statements));
}

static void
print_json(struct ctx *ctx, FILE *out, const struct side *from, const struct side *to,
    const struct differences *differences)
{
    json_t *items = json_array();
    json_t *document CLEANUP(json_release) = json_pack("{s:s, s:s, s:b, s:o}", "from", from->label,
        "to", to->label, "is_equal", differences->count == 0, "differences", items);

    for (size_t i = 0; i < differences->count; i++)
        json_array_append_new(items, difference_json(ctx, &differences->items[i]));
    out_json(out, document);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct side from = { .operand = run->operands.items[0] };
    struct side to = { .operand = run->operands.items[1] };
    struct diff_options wanted = { .schemas = opts->schema.count > 0 ? &opts->schema : NULL };
    struct differences differences;
    bool is_good = read_ignored(ctx, opts->ignore, &wanted) && load(ctx, &from, &to);

    db_close(from.db);
    db_close(to.db);
    if (!is_good)
        return false;
    schema_diff(ctx->arena, &from.schema, &to.schema, &wanted, &differences);
    if (run->global->json)
        print_json(ctx, run->out, &from, &to, &differences);
    else if (opts->sql)
        print_sql(ctx, run->out, &from, &to, &differences);
    else
        print_text(ctx, run, &from, &to, &differences);
    if (opts->exit_code && differences.count > 0)
        run->status = STATUS_DIFFERENT;
    return true;
}

const struct command cmd_schema_diff = {
    .path = "schema diff",
    .summary = "compare the schemas of two databases, and write what makes them equal",
    .details =
        "FROM and TO are connection URLs (postgresql://…), connection strings (dbname=… host=…) "
        "or files of pgmend schema snapshot. Told is what FROM has otherwise than TO; with --sql "
        "the statements that make FROM like TO, in an order in which they can be run. Nothing is "
        "run and nothing written.\n\n"
        "All that pg_dump --schema-only would write is compared: objects, their attributes, "
        "owners, rights and comments, and the order of columns. Renamed objects are never "
        "guessed: one is missing and one is not wanted. What no statement can mend without losing "
        "rows (the order of columns, the key of a partitioned table) is told with a note; "
        "statements that take rows away are marked.",
    .operands = "FROM TO",
    .min_operands = 2,
    .max_operands = 2,
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples =
        "pgmend schema diff postgresql://db/replyx postgresql://staging/replyx\n"
        "pgmend schema diff dbname=replyx schema.json --sql --ignore owner,grants > mend.sql\n"
        "pgmend schema diff before.json postgresql://db/replyx --exit-code\n",
    .next = "pgmend schema snapshot",
    .run = run,
};
