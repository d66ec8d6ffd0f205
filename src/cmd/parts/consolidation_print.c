/* "migrations consolidate": the screen. */
#include <inttypes.h>

#include "base/log.h"
#include "cmd/parts/consolidation.h"
#include "finding/render.h"

struct squash_result
consolidate_result(const struct consolidate *work)
{
    return (struct squash_result){
        .analysis = &work->analysis,
        .old = &work->old,
        .plan = &work->plan,
        .seeds = &work->seeds,
        .files = &work->files,
        .proof = work->has_proof ? &work->proof : NULL,
        .drift = work->has_drift ? &work->drift : NULL,
        .databases = work->databases.items,
        .database_count = work->databases.count,
        .place = work->is_placed ? &work->place : NULL,
        .data_proof = work->data_proof,
        .undecided = work->undecided,
    };
}

static void
print_list(FILE *out, enum out_mark mark, const char *head, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        out_mark_line(out, mark, "%-9s %s", head, list->items[i]);
}

static void
print_differences(struct ctx *ctx, FILE *out, const char *head, const struct differences *list)
{
    enum { MOST_STATEMENTS = 12 };

    for (size_t i = 0; i < list->count; i++) {
        const struct difference *difference = &list->items[i];

        out_mark_line(out, MARK_FAIL, "%-9s %s", head,
            render_clean(ctx->arena, difference_text(ctx->arena, difference)));
        for (size_t j = 0; j < difference->statements.count && j < MOST_STATEMENTS; j++)
            fprintf(out, "               %s;\n", difference->statements.items[j]);
        if (difference->note)
            fprintf(out, "               -- %s\n", difference->note);
    }
}

static void
print_databases(FILE *out, struct arena *arena, const struct consolidate *work)
{
    for (size_t i = 0; i < work->databases.count; i++) {
        const struct squash_database *database = &work->databases.items[i];

        if (database->is_empty)
            out_mark_line(out, MARK_INFO, "database  %s has no revision yet: nothing to compare",
                database->label);
        else if (database->is_at_head)
            out_mark_line(out, MARK_OK, "database  %s is at the head: nothing is written to it",
                database->label);
        else
            out_mark_line(out, MARK_FAIL, "database  %s is at %s%s%s", database->label,
                text_list_join(arena, &database->revisions, ", "),
                database->todo ? "; do first: " : "", database->todo ? database->todo : "");
    }
}

static void
print_files(FILE *out, const struct consolidate *work)
{
    fprintf(out, "\n");
    for (size_t i = 0; i < work->files.count; i++) {
        const struct squash_file *file = &work->files.items[i];

        fprintf(out, "  %-14s %-44s %4zu %s\n", file->id, file->name,
            file->operations + file->statements,
            file->operations + file->statements == 1 ? "operation" : "operations");
    }
    fprintf(out, "\n");
}

static double
ratio(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static void
print_good(FILE *out, struct arena *arena, const struct squash_proof *proof)
{
    size_t objects = 0;

    for (int i = 0; i < SCHEMA_CLASS_COUNT; i++)
        objects += proof->compared[i];
    out_mark_line(out, MARK_OK, "catalogue %s objects and all their attributes are equal",
        text_from_count(arena, (int64_t)objects));
    out_mark_line(out, MARK_OK, "pg_dump   the schema dumps are equal byte for byte");
    out_mark_line(out, MARK_OK, "rows      %s rows in %zu tables and %zu sequences are equal",
        text_from_count(arena, proof->compared_rows), proof->compared_tables_with_rows,
        proof->compared_sequences);
    out_mark_line(out, MARK_OK,
        "downgrade to base in %s leaves nothing, up again in %s makes the same",
        text_from_us(arena, proof->down_us), text_from_us(arena, proof->up_again_us));
    out_mark_line(out, MARK_INFO,
        "speed     %zu statements instead of %zu, server time %s instead of %s (%.2f), in all %s "
        "instead of %s",
        proof->new_statements, proof->old_statements, text_from_us(arena, proof->new_server_us),
        text_from_us(arena, proof->old_server_us),
        ratio(proof->new_server_us, proof->old_server_us),
        text_from_us(arena, proof->new_alembic_us), text_from_us(arena, proof->old_alembic_us));
}

static void
print_proof(struct ctx *ctx, FILE *out, const struct consolidate *work)
{
    const struct squash_proof *proof = &work->proof;

    if (squash_proof_is_good(proof)) {
        print_good(out, ctx->arena, proof);
    } else {
        print_differences(ctx, out, "new", &proof->differences);
        print_list(out, MARK_FAIL, "rows", &proof->row_differences);
        if (!proof->is_dump_equal)
            out_mark_line(out, MARK_FAIL, "pg_dump   the schema dumps differ%s%s",
                proof->dump_difference ? ": " : "",
                proof->dump_difference ? proof->dump_difference : "");
        print_differences(ctx, out, "downgrade", &proof->down_differences);
        print_differences(ctx, out, "up again", &proof->again_differences);
    }
    if (work->data_proof)
        out_mark_line(out, MARK_OK, "backup    %s", work->data_proof);
}

static void
print_rows(FILE *out, struct arena *arena, const struct consolidate *work)
{
    size_t left_out = 0;

    for (size_t i = 0; i < work->old.data.count; i++) {
        const struct squash_data *data = &work->old.data.items[i];

        if (data->rows != 0)
            continue;
        left_out++;
        if (work->run->global->verbose)
            out_mark_line(
                out, MARK_INFO, "left out  %s: %s", data->revision, render_clean(arena, data->sql));
    }
    if (left_out > 0)
        out_mark_line(out, MARK_INFO,
            "left out  %zu statement%s about rows found none in an empty database%s", left_out,
            left_out == 1 ? "" : "s",
            work->run->global->verbose ? "" : "; --verbose and the report list them");
    print_list(out, MARK_WARN, "rows", &work->seeds.left_out);
    print_list(out, MARK_WARN, "undecided", &work->undecided);
}

static void
print_end(struct ctx *ctx, FILE *out, const struct consolidate *work)
{
    if (work->is_placed) {
        fprintf(out, "\nThe old files are in %s.\n", work->place.archive);
        if (work->report)
            fprintf(out, "The proof as a page: %s\n", work->report);
        fprintf(out, "To take it back: pgmend migrations consolidate --undo\n");
        out_next(out, "pgmend migrations graph");
    } else if (work->opts->out) {
        if (work->report)
            fprintf(out, "\nThe new history is in %s, the proof in %s\n", work->opts->out,
                work->report);
        out_next(out, "pgmend migrations graph %s", text_shell(ctx->arena, work->opts->out));
    } else if (work->opts->dry_run) {
        fprintf(out, "\nNothing was put in place (--dry-run).\n");
        out_next(out, "pgmend migrations consolidate --db-url URL");
    }
}

void
consolidate_print(struct ctx *ctx, const struct consolidate *work)
{
    const struct squash_result result = consolidate_result(work);
    FILE *out = work->run->out;

    if (work->run->global->json) {
        json_t *json CLEANUP(json_release) = squash_report_json(ctx->arena, &result);

        out_json(out, json);
        return;
    }
    for (size_t i = 0; i < work->notes.count; i++)
        log_info("%s", work->notes.items[i]);
    fprintf(out, "%zu revisions of %s become %zu\n", work->analysis.history.count,
        render_clean(ctx->arena, work->environment.locations.items[0]), work->files.count);
    print_files(out, work);
    if (work->has_proof)
        print_proof(ctx, out, work);
    print_list(out, MARK_INFO, "reworded", &work->proof.reworded);
    print_rows(out, ctx->arena, work);
    print_list(out, MARK_INFO, "accepted", &work->drift.accepted);
    if (work->databases.count > 0 && !work->databases.items[0].is_empty) {
        print_differences(ctx, out, "drift", &work->drift.differences);
        if (work->drift.differences.count == 0)
            out_mark_line(
                out, MARK_OK, "drift     %s has exactly what the history makes", work->drift.label);
    }
    print_databases(out, ctx->arena, work);
    print_end(ctx, out, work);
}
