#include "cmd/parts/rehearsal_tell.h"

#include "base/clock.h"
#include "cli/out.h"
#include "cmd/parts/roll_out.h"

enum { QUERY_SHOWN = 60 };

/* ---- as JSON ---- */

static json_t *
change_json(const struct rehearsed_change *change)
{
    return json_pack("{s:s, s:s, s:s?, s:s?, s:I, s:I, s:I, s:I, s:I}", "kind", change->kind,
        "object", change->object, "result", change->result, "skipped", change->skipped, "us",
        (json_int_t)change->us, "undo_us", (json_int_t)change->undo_us, "bytes",
        (json_int_t)change->bytes, "wal_bytes", (json_int_t)change->wal_bytes, "undo_wal_bytes",
        (json_int_t)change->undo_wal_bytes);
}

static json_t *
statement_json(const struct rehearsed_statement *statement)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:s?}", "fingerprint",
        statement->fingerprint, "query", statement->query, "index", statement->index,
        "blocks_before", (json_int_t)statement->blocks_before, "blocks_after",
        (json_int_t)statement->blocks_after, "us_before", (json_int_t)statement->us_before,
        "us_after", (json_int_t)statement->us_after, "is_taken", statement->is_taken, "problem",
        statement->problem);

    json_object_set_new(json, "cost_before", json_number(statement->cost_before));
    json_object_set_new(json, "cost_after", json_number(statement->cost_after));
    return json;
}

/* Sums over the changes of a step. */
struct sums {
    int64_t us;
    int64_t undo_us;
    int64_t bytes;
    int64_t wal_bytes;
    int64_t undo_wal_bytes;
};

static void
add_sums(const struct rehearsed_step *step, struct sums *sums)
{
    for (size_t i = 0; i < step->changes.count; i++) {
        const struct rehearsed_change *change = &step->changes.items[i];

        sums->us += change->us;
        sums->undo_us += change->undo_us > 0 ? change->undo_us : 0;
        sums->bytes += change->bytes;
        sums->wal_bytes += change->wal_bytes;
        sums->undo_wal_bytes += change->undo_wal_bytes;
    }
}

static json_t *
step_json(const struct rehearsed_step *step)
{
    struct sums sums = { 0 };
    json_t *changes = json_array();
    json_t *statements = json_array();

    add_sums(step, &sums);
    for (size_t i = 0; i < step->changes.count; i++)
        json_array_append_new(changes, change_json(&step->changes.items[i]));
    for (size_t i = 0; i < step->statements.count; i++)
        json_array_append_new(statements, statement_json(&step->statements.items[i]));
    return json_pack("{s:s?, s:s?, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "step",
        step->step ? step->step->id : NULL, "title", step->step ? step->step->title : NULL, "us",
        (json_int_t)sums.us, "undo_us", (json_int_t)sums.undo_us, "bytes", (json_int_t)sums.bytes,
        "wal_bytes", (json_int_t)sums.wal_bytes, "undo_wal_bytes", (json_int_t)sums.undo_wal_bytes,
        "changes", changes, "statements", statements);
}

json_t *
rehearsal_json(
    const struct plan *plan, const struct rehearsed *done, const struct rehearsal_facts *facts)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct sums sums = { 0 };
    json_t *steps = json_array();
    json_t *json;

    for (size_t i = 0; i < done->steps.count; i++) {
        add_sums(&done->steps.items[i], &sums);
        json_array_append_new(steps, step_json(&done->steps.items[i]));
    }
    json = json_pack("{s:s, s:s, s:b, s:s?, s:b, s:s, s:I, s:f, s:I, s:I, s:o}", "plan_hash",
        plan->hash, "at", clock_text(arena, clock_wall_us()), "with_rows", facts->has_rows,
        "staging", facts->staging, "masked", facts->is_masked, "database", facts->database,
        "database_bytes", (json_int_t)facts->bytes, "rows", facts->rows, "us", (json_int_t)sums.us,
        "undo_us", (json_int_t)sums.undo_us, "steps", steps);
    json_object_set_new(json, "built", json_integer((json_int_t)done->built));
    json_object_set_new(json, "undone", json_integer((json_int_t)done->undone));
    json_object_set_new(json, "schema_is_equal", json_true());
    if (facts->has_rows)
        json_object_set_new(json, "tables_equal", json_integer((json_int_t)facts->tables));
    return json;
}

/* ---- on the screen ---- */

static void
print_change(struct ctx *ctx, FILE *out, const struct rehearsed_change *change)
{
    struct arena *arena = ctx->arena;

    if (change->skipped) {
        out_mark_line(out, MARK_WARN, "%s %s  not rehearsed: %s", change->kind, change->object,
            change->skipped);
        return;
    }
    out_mark_line(out, MARK_OK, "%s  %s in %s, %s, %s of WAL; %s", change->object, change->result,
        text_from_us(arena, change->us), text_from_bytes(arena, change->bytes),
        text_from_bytes(arena, change->wal_bytes),
        change->undo_us < 0
            ? "nothing to undo"
            : arena_printf(arena, "undone in %s", text_from_us(arena, change->undo_us)));
}

/* One line, and no more of it than tells which statement it is. */
static const char *
brief(struct arena *arena, const char *query)
{
    struct buffer text = { .arena = arena };
    bool was_space = true;

    for (; *query && text.length < QUERY_SHOWN; query++) {
        bool is_space = strchr(" \t\r\n", *query) != NULL;

        if (!is_space || !was_space)
            buffer_append(&text, is_space ? " " : query, 1);
        was_space = is_space;
    }
    /* Not in the middle of a letter. */
    while ((*query & 0xc0) == 0x80) {
        buffer_append(&text, query, 1);
        query++;
    }
    if (*query)
        buffer_add(&text, "…");
    return buffer_text(&text);
}

static void
print_statement(struct ctx *ctx, FILE *out, const struct rehearsed_statement *statement)
{
    struct arena *arena = ctx->arena;

    fprintf(out, "      %s\n        ", brief(arena, statement->query));
    if (!statement->sql) {
        fprintf(out, "not measured: %s\n", statement->problem);
        return;
    }
    if (statement->blocks_before >= 0 && statement->blocks_after >= 0)
        fprintf(out, "%s → %s blocks, %s → %s, ", text_from_count(arena, statement->blocks_before),
            text_from_count(arena, statement->blocks_after),
            text_from_us(arena, statement->us_before), text_from_us(arena, statement->us_after));
    fprintf(out, "cost %s → %s; %s %s\n", text_from_ratio(arena, statement->cost_before),
        text_from_ratio(arena, statement->cost_after),
        statement->is_taken ? "takes" : "does NOT take", statement->index);
    if (statement->blocks_before < 0 || statement->blocks_after < 0)
        fprintf(out, "        only planned: %s\n", statement->problem);
}

static void
print_schema_only(struct run *run, const struct plan *plan, const struct rehearsed *done)
{
    for (size_t i = 0; i < done->steps.count; i++)
        for (size_t j = 0; j < done->steps.items[i].changes.count; j++)
            if (done->steps.items[i].changes.items[j].skipped)
                out_mark_line(run->out, MARK_WARN, "%s  not rehearsed: %s",
                    done->steps.items[i].changes.items[j].object,
                    done->steps.items[i].changes.items[j].skipped);
    out_mark_line(run->out, MARK_OK,
        "%zu %s, %zu undone on a scratch copy of the schema (no "
        "rows: it proves the steps, not their duration)",
        done->built, plan_is_of_indexes(plan) ? "built" : "done", done->undone);
    out_mark_line(run->out, MARK_OK, "the schema dump is byte for byte what it was before");
}

void
rehearsal_print(struct ctx *ctx, struct run *run, const struct plan *plan,
    const struct rehearsed *done, const struct rehearsal_facts *facts)
{
    if (!facts->has_rows) {
        print_schema_only(run, plan, done);
        return;
    }
    fprintf(run->out, "Rehearsed on %s%s%s, about %s rows\n\n",
        facts->staging ? "staging copy " : "a copy of ",
        facts->staging ? facts->staging : facts->database, facts->is_masked ? " (masked)" : "",
        text_from_count(ctx->arena, (int64_t)facts->rows));
    for (size_t i = 0; i < done->steps.count; i++) {
        const struct rehearsed_step *step = &done->steps.items[i];

        if (step->step)
            fprintf(run->out, "%s  %s\n", step->step->id, step->step->title);
        for (size_t j = 0; j < step->changes.count; j++)
            print_change(ctx, run->out, &step->changes.items[j]);
        for (size_t j = 0; j < step->statements.count; j++)
            print_statement(ctx, run->out, &step->statements.items[j]);
    }
    fprintf(run->out, "\n");
    out_mark_line(run->out, MARK_OK, "%zu %s and %zu undone", done->built,
        plan_is_of_indexes(plan) ? "built" : "done", done->undone);
    out_mark_line(run->out, MARK_OK,
        "afterwards the schema dump is byte for byte, and %zu table%s row by row, what it was before",
        facts->tables, facts->tables == 1 ? " is" : "s are");
}
