#include "migrate/squash/report.h"

#include "finding/render.h"

enum { MOST_SQL = 300 };

const char *
squash_report_code(struct arena *arena, const char *text)
{
    struct buffer code = { .arena = arena };

    if (text_is_empty(text))
        return "";
    buffer_add(&code, "`");
    for (; *text; text++) {
        if (*text == '`')
            buffer_add(&code, "'");
        else
            buffer_append(&code, strchr("\n\r\t", *text) ? " " : text, 1);
    }
    buffer_add(&code, "`");
    return buffer_text(&code);
}

const char *
squash_report_count(struct arena *arena, size_t count, const char *word)
{
    bool is_y = text_ends_with(word, "y");

    if (count == 1)
        return arena_printf(arena, "1 %s", word);
    if (text_ends_with(word, "s") || text_ends_with(word, "x"))
        return arena_printf(arena, "%s %s%s", text_from_count(arena, (int64_t)count), word,
            text_ends_with(word, "statistics") ? "" : "es");
    return arena_printf(arena, "%s %.*s%s", text_from_count(arena, (int64_t)count),
        (int)(strlen(word) - is_y), word, is_y ? "ies" : "s");
}

/* The beginning of a statement, cut between characters. */
static const char *
short_sql(struct arena *arena, const char *sql)
{
    size_t length = strlen(sql);

    if (length <= MOST_SQL)
        return squash_report_code(arena, sql);
    length = MOST_SQL;
    while (length > 0 && ((unsigned char)sql[length] & 0xC0) == 0x80)
        length--;
    return squash_report_code(arena, arena_printf(arena, "%.*s …", (int)length, sql));
}

static const char *
head_of(const struct squash_files *files)
{
    return files->count > 0 ? files->items[files->count - 1].id : "";
}

static void
add_old(struct squash_report *report, const struct squash_result *result)
{
    struct arena *arena = report->arena;
    const struct graph *graph = &result->analysis->graph;
    size_t merges = 0;

    for (size_t i = 0; i < graph->count; i++)
        merges += graph->nodes[i].is_merge_point;
    REPORT_ADD(report, REPORT_HEADING, { "What it was" });
    REPORT_ADD(report, REPORT_TEXT,
        { arena_printf(arena,
            "%s with %s and %s, run by Alembic %s on PostgreSQL %s in a scratch database: %s, %s "
            "of the server's time, %s in all.",
            squash_report_count(arena, result->proof->old_revisions, "revision"),
            squash_report_count(arena, graph->heads.count, "head"),
            squash_report_count(arena, merges, "merge"), result->proof->alembic_version,
            result->proof->server_version,
            squash_report_count(arena, result->proof->old_statements, "statement"),
            text_from_us(arena, result->proof->old_server_us),
            text_from_us(arena, result->proof->old_alembic_us)) });
}

static const char *
objects_text(struct arena *arena, const struct squash_plan *plan, size_t group)
{
    size_t counts[SCHEMA_CLASS_COUNT] = { 0 };
    struct text_list parts = { 0 };

    if (!plan || group >= plan->groups.count)
        return "";
    for (size_t i = 0; i < plan->groups.items[group].objects.count; i++)
        counts[plan->groups.items[group].objects.items[i].class]++;
    for (size_t i = 0; i < SCHEMA_CLASS_COUNT; i++)
        if (counts[i] > 0)
            text_list_add(
                arena, &parts, squash_report_count(arena, counts[i], schema_classes[i].word));
    if (plan->groups.items[group].has_seeds)
        text_list_add(arena, &parts, "rows");
    return text_list_join(arena, &parts, ", ");
}

static void
add_new(struct squash_report *report, const struct squash_result *result)
{
    struct arena *arena = report->arena;

    REPORT_ADD(report, REPORT_HEADING, { "What it is" });
    REPORT_ADD(report, REPORT_TEXT,
        { arena_printf(arena,
            "The last one keeps the id of the old head, %s: a database that "
            "stands there needs nothing.",
            squash_report_code(arena, head_of(result->files))) });
    REPORT_ADD(
        report, REPORT_HEAD, { "Revision", "File", "About", "#op. and SQL", "What it makes" });
    for (size_t i = 0; i < result->files->count; i++) {
        const struct squash_file *file = &result->files->items[i];

        REPORT_ADD(report, REPORT_ROW,
            { squash_report_code(arena, file->id), squash_report_code(arena, file->name),
                file->title ? file->title : "",
                arena_printf(arena, "%zu + %zu", file->operations, file->statements),
                objects_text(arena, result->plan, i) });
    }
}

static void
add_seeds(struct squash_report *report, const struct squash_result *result)
{
    struct arena *arena = report->arena;
    const struct seeds *seeds = result->seeds;

    if (!seeds || (seeds->tables.count == 0 && seeds->sequences.count == 0))
        return;
    REPORT_ADD(report, REPORT_HEADING, { "Rows that come along" });
    REPORT_ADD(report, REPORT_TEXT,
        { "The old history put them into the empty database; the new one does, with the same "
          "keys." });
    REPORT_ADD(report, REPORT_HEAD, { "Table", "#Rows", "Columns that differ from run to run" });
    for (size_t i = 0; i < seeds->tables.count; i++) {
        const struct seed_table *table = &seeds->tables.items[i];

        REPORT_ADD(report, REPORT_ROW,
            { squash_report_code(arena, arena_printf(arena, "%s.%s", table->schema, table->name)),
                text_from_count(arena, (int64_t)table->rows),
                table->unstable.count > 0
                    ? squash_report_code(arena, text_list_join(arena, &table->unstable, ", "))
                    : "none" });
    }
    if (seeds->sequences.count > 0)
        REPORT_ADD(report, REPORT_TEXT,
            { arena_printf(arena, "%s also stand%s where the old history left %s.",
                squash_report_count(arena, seeds->sequences.count, "sequence"),
                seeds->sequences.count == 1 ? "s" : "",
                seeds->sequences.count == 1 ? "it" : "them") });
}

static const char *
place_text(struct arena *arena, const struct squash_data *data)
{
    if (!data->place.file)
        return squash_report_code(arena, data->revision);
    return arena_printf(arena, "%s, %s", squash_report_code(arena, data->revision),
        squash_report_code(
            arena, arena_printf(arena, "%s:%u", render_path(data->place.file), data->place.line)));
}

static void
add_left_out(struct squash_report *report, const struct squash_result *result)
{
    struct arena *arena = report->arena;
    size_t backfills = 0;

    for (size_t i = 0; i < result->old->data.count; i++)
        backfills += result->old->data.items[i].rows == 0;
    if (backfills > 0) {
        REPORT_ADD(report, REPORT_HEADING, { "Left out: statements that met no rows" });
        REPORT_ADD(report, REPORT_TEXT,
            { "They changed rows of databases that were in use then; an empty database has none. A "
              "database that is behind gets them from the archive." });
        REPORT_ADD(report, REPORT_HEAD, { "Revision", "Statement", "Answer" });
    }
    for (size_t i = 0; i < result->old->data.count; i++) {
        const struct squash_data *data = &result->old->data.items[i];

        if (data->rows == 0)
            REPORT_ADD(report, REPORT_ROW,
                { place_text(arena, data), short_sql(arena, data->sql),
                    squash_report_code(arena, data->tag) });
    }
    if (result->undecided.count > 0) {
        REPORT_ADD(report, REPORT_HEADING, { "Not decided" });
        REPORT_ADD(report, REPORT_TEXT,
            { "These depend on the environment, on files or on the application's own code. Nothing "
              "is known of what they would do elsewhere." });
    }
    for (size_t i = 0; i < result->undecided.count; i++)
        REPORT_ADD(report, REPORT_ITEM, { squash_report_code(arena, result->undecided.items[i]) });
    for (size_t i = 0; result->seeds && i < result->seeds->left_out.count; i++) {
        if (i == 0)
            REPORT_ADD(report, REPORT_HEADING, { "Not carried over" });
        REPORT_ADD(
            report, REPORT_ITEM, { squash_report_code(arena, result->seeds->left_out.items[i]) });
    }
}

static void
add_drift(struct squash_report *report, const struct squash_result *result)
{
    struct arena *arena = report->arena;
    const struct squash_drift *drift = result->drift;

    if (!drift)
        return;
    REPORT_ADD(report, REPORT_HEADING, { "Drift" });
    REPORT_ADD(report, REPORT_TEXT,
        { arena_printf(arena,
            "%s (PostgreSQL %s) was read, and nothing written to it. It stands at %s. %s",
            squash_report_code(arena, drift->label), drift->server_version,
            drift->revisions.count > 0
                ? squash_report_code(arena, text_list_join(arena, &drift->revisions, ", "))
                : "no revision",
            drift->differences.count == 0 ? "It has exactly what the history makes."
                                          : "It differs from what the history makes:") });
    for (size_t i = 0; i < drift->differences.count; i++) {
        const struct difference *difference = &drift->differences.items[i];

        REPORT_ADD(
            report, REPORT_ITEM, { squash_report_code(arena, difference_text(arena, difference)) });
        if (difference->statements.count > 0)
            REPORT_ADD(report, REPORT_CODE,
                { arena_printf(
                    arena, "%s;", text_list_join(arena, &difference->statements, ";\n")) });
    }
    if (drift->accepted.count > 0)
        REPORT_ADD(report, REPORT_TEXT,
            { arena_printf(arena,
                "No drift, because pgmend applied it and its journal has it: %s. `pgmend "
                "migrations emit` writes it as a revision.",
                squash_report_code(arena, text_list_join(arena, &drift->accepted, ", "))) });
}

static const char *
database_todo(struct arena *arena, const struct squash_database *database)
{
    if (database->todo && !database->is_known)
        return database->todo;
    if (database->todo)
        return arena_printf(arena, "first %s", squash_report_code(arena, database->todo));
    if (database->is_at_head)
        return "nothing: it is at head";
    if (database->is_empty)
        return "`alembic upgrade head` makes everything";
    return database->is_known ? "catch up first" : "its revision is not of this history";
}

static void
add_databases(struct squash_report *report, const struct squash_result *result)
{
    struct arena *arena = report->arena;

    if (result->database_count == 0)
        return;
    REPORT_ADD(report, REPORT_HEADING, { "Databases" });
    REPORT_ADD(report, REPORT_HEAD, { "Database", "Stands at", "What to do" });
    for (size_t i = 0; i < result->database_count; i++) {
        const struct squash_database *database = &result->databases[i];

        REPORT_ADD(report, REPORT_ROW,
            { squash_report_code(arena, database->label),
                database->revisions.count > 0
                    ? squash_report_code(arena, text_list_join(arena, &database->revisions, ", "))
                    : "no revision",
                database_todo(arena, database) });
    }
}

static void
add_undo(struct squash_report *report, const struct squash_result *result)
{
    struct arena *arena = report->arena;

    REPORT_ADD(report, REPORT_HEADING, { result->place ? "How to undo it" : "Not put in place" });
    if (!result->place) {
        REPORT_ADD(report, REPORT_TEXT, { "The version folder is as it was." });
        return;
    }
    REPORT_ADD(report, REPORT_TEXT,
        { arena_printf(arena,
            "The old files lie in %s, as they were. This puts them back, byte "
            "for byte, as long as nobody changed the new ones:",
            squash_report_code(arena, result->place->archive)) });
    REPORT_ADD(report, REPORT_CODE,
        { arena_printf(arena, "pgmend migrations consolidate --undo %s", result->place->folder) });
    REPORT_ADD(report, REPORT_TEXT,
        { "A database that is not yet at the old head gets there from the archive:" });
    REPORT_ADD(report, REPORT_CODE,
        { arena_printf(
            arena, "pgmend migrations catch-up %s --db-url URL", result->place->folder) });
}

static void
add_figures(struct squash_report *report, const struct squash_result *result)
{
    struct arena *arena = report->arena;
    const struct squash_proof *proof = result->proof;
    bool is_good = squash_proof_is_good(proof);
    const struct report_figure figures[] = {
        { "", arena_printf(arena, "%zu → %zu", proof->old_revisions, proof->new_revisions),
            "revisions", result->place ? "put in place" : "not put in place" },
        { is_good ? "good" : "error", is_good ? "the same" : "different", "database",
            is_good ? "both histories make it, found by running both"
                    : "the new history does not make the old one's database" },
        { "", arena_printf(arena, "%zu → %zu", proof->old_statements, proof->new_statements),
            "statements", "for an empty database" },
        { "",
            arena_printf(arena, "%s → %s", text_from_us(arena, proof->old_server_us),
                text_from_us(arena, proof->new_server_us)),
            "of the server", "of one run each" },
    };

    for (size_t i = 0; i < COUNT_OF(figures); i++)
        VEC_PUSH(arena, &report->figures, figures[i]);
}

void
squash_report_build(
    struct arena *arena, const struct squash_result *result, struct squash_report *ret)
{
    const struct environment *environment = &result->analysis->history.environment;

    *ret = (struct squash_report){
        .arena = arena,
        .title = result->place ? result->place->folder
                 : environment->locations.count > 0
                     ? text_list_join(arena, &environment->locations, ", ")
                     : "",
        .lead = arena_printf(arena,
            "%s became %s; both were run by the project's own Alembic %s on PostgreSQL %s, and the "
            "databases compared",
            squash_report_count(arena, result->proof->old_revisions, "revision"),
            text_from_count(arena, (int64_t)result->proof->new_revisions),
            result->proof->alembic_version, result->proof->server_version),
    };
    add_figures(ret, result);
    add_old(ret, result);
    add_new(ret, result);
    squash_report_proof(ret, result);
    add_seeds(ret, result);
    add_left_out(ret, result);
    add_drift(ret, result);
    add_databases(ret, result);
    add_undo(ret, result);
}
