#include "catalog/schema.h"
#include "cli/command.h"
#include "cli/out.h"

struct options {
    const char *output;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, output, .letter = 'o', .arg = "FILE",
        .help = "write to this file instead of standard output; the same as FILE"),
};
/* clang-format on */

/* A URL in the place of a file would become a file with a password in its name. */
static bool
check_file(struct ctx *ctx, const char *file)
{
    if (!strstr(file, "://") && !strstr(file, "dbname="))
        return true;
    error_set(ctx, ERR_USAGE, "the operand is a file, not a database");
    return error_hint(ctx, "Name the database with --db-url.");
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const char *file = run->operands.count > 0 ? run->operands.items[0] : opts->output;
    struct schema schema;

    if (run->operands.count > 0 && opts->output)
        return error_set(ctx, ERR_USAGE, "the file is given twice: as FILE and with --output");
    if (file && !check_file(ctx, file))
        return false;
    if (!schema_load(ctx, run->db, &schema))
        return false;

    json_t *json CLEANUP(json_release) = schema_to_json(&schema);

    if (!json) {
        error_set(ctx, ERR_UNSUPPORTED, "a name or text of database \"%s\" is not UTF-8",
            schema.database);
        return error_hint(ctx, "Databases with encoding SQL_ASCII can hold such; "
                               "pgmend schema diff compares them too, without a file.");
    }
    if (!file || strcmp(file, "-") == 0) {
        json_dumpf(json, run->out, JSON_INDENT(2) | JSON_SORT_KEYS);
        fputc('\n', run->out);
        return true;
    }
    if (!json_write_file(ctx, file, json))
        return false;
    if (run->global->json) {
        json_t *document CLEANUP(json_release) =
            json_pack("{s:s, s:s}", "file", file, "digest", schema_digest(ctx->arena, &schema));

        out_json(run->out, document);
        return true;
    }
    out_mark_line(run->out, MARK_OK, "schema of %s in %s: %s tables, %s columns, SHA-256 %s",
        schema.database, file, text_from_count(ctx->arena, (int64_t)schema.tables.count),
        text_from_count(ctx->arena, (int64_t)schema.columns.count),
        schema_digest(ctx->arena, &schema));
    out_next(run->out, "pgmend schema diff %s URL", text_shell(ctx->arena, file));
    return true;
}

const struct command cmd_schema_snapshot = {
    .path = "schema snapshot",
    .summary = "write the schema of a database down as JSON",
    .details =
        "Reads the whole schema in one read-only transaction: schemas, extensions, types, "
        "functions, tables, columns, constraints, indexes, sequences, triggers, rules, policies, "
        "statistics objects, operators and all else that pg_dump --schema-only would write, with "
        "owners, rights and comments. Schema pgmend and what belongs to extensions are left out."
        "\n\n"
        "The file holds no rows, no internal numbers, no times and no passwords (those in the "
        "options of foreign servers are '***'): the same schema gives the same file, so that two "
        "of them can be compared with diff, kept in git, or given to pgmend schema diff in place "
        "of a database.",
    .operands = "[FILE]",
    .max_operands = 1,
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend schema snapshot > schema.json\n"
                "pgmend schema snapshot --db-url postgresql://db/replyx -o before.json\n",
    .next = "pgmend schema diff",
    .run = run,
};
