/* What "queries rewrite" shows. */
#include <inttypes.h>
#include <string.h>

#include "cli/out.h"
#include "cmd/parts/query_rewrite.h"
#include "monitor/plain.h"

/* A line of the table of forms. */
struct line {
    const char *form;
    const char *answer;
    const char *keys;
    const char *statements;
    const char *elapsed;
    const char *server;
    const char *blocks;
    const char *faster;
};

static const struct field columns[] = {
    FIELD(struct line, form, .help = "form"),
    FIELD(struct line, answer, .help = "answers"),
    FIELD(struct line, keys, .help = "keys"),
    FIELD(struct line, statements, .help = "statements"),
    FIELD(struct line, elapsed, .help = "elapsed"),
    FIELD(struct line, server, .help = "server"),
    FIELD(struct line, blocks, .help = "blocks"),
    FIELD(struct line, faster, .help = "faster"),
};

static const char *
name_of(const struct query_attempt *attempt)
{
    return attempt->is_foreign ? "yours" : rewrite_form_name(attempt->rewrite.form);
}

static const char *
name_in(struct arena *arena, const struct query_loop *loop, const struct query_attempt *attempt)
{
    bool is_of_one =
        attempt->rewrite.form == REWRITE_ANY || attempt->rewrite.form == REWRITE_GROUPED;

    if (attempt->is_foreign || !is_of_one || loop->input.child_count < 2)
        return name_of(attempt);
    return arena_printf(arena, "%s of statement %zu", name_of(attempt), attempt->rewrite.child + 1);
}

static const char *
arrow(struct arena *arena, const char *loop, const char *rewrite)
{
    return arena_printf(arena, "%s → %s", loop, rewrite);
}

static struct line
line_of(struct arena *arena, const struct query_loop *loop, const struct query_attempt *attempt)
{
    const struct proof *proof = &attempt->proof;
    struct line line = {
        .form = name_in(arena, loop, attempt),
        .answer = attempt->failure  ? "not tried"
                  : proof->is_empty ? "not proven"
                  : proof->is_same  ? "the same"
                                    : "DIFFERENT",
        .keys = text_from_count(arena, proof->keys),
    };

    if (attempt->failure || !proof->is_same || proof->is_empty)
        return line;
    line.statements = arrow(arena, text_from_count(arena, proof->loop.statements),
        text_from_count(arena, proof->rewrite.statements));
    line.elapsed = arrow(arena, text_from_us(arena, proof->loop.elapsed_us),
        text_from_us(arena, proof->rewrite.elapsed_us));
    line.server = arrow(arena, text_from_us(arena, proof->loop.server_us),
        text_from_us(arena, proof->rewrite.server_us));
    line.blocks = arrow(arena, text_from_count(arena, proof->loop.blocks),
        text_from_count(arena, proof->rewrite.blocks));
    line.faster = arena_printf(arena, "%s ×", text_from_ratio(arena, proof->speed_up));
    return line;
}

/* Text that comes from elsewhere, without what a terminal would obey; line feeds stay. */
static void
print_text(FILE *out, const char *indent, const char *text)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const char *end;

    for (;; text = end + 1) {
        end = strchrnul(text, '\n');
        fprintf(out, "%s%s\n", indent,
            plain_text(arena, arena_strndup(arena, text, (size_t)(end - text))));
        if (!*end)
            return;
    }
}

static void
print_statements(struct run *run, const struct query_loop *loop)
{
    if (loop->input.parent_sql) {
        fprintf(run->out, "  once\n");
        print_text(run->out, "    ", loop->input.parent_sql);
    }
    fprintf(
        run->out, "  %s\n", loop->input.parent_sql ? "for each of its rows" : "again and again");
    for (size_t i = 0; i < loop->input.child_count; i++)
        print_text(run->out, "    ", loop->input.children[i].sql);
}

static void
print_difference(struct run *run, const struct query_attempt *attempt)
{
    const struct proof *proof = &attempt->proof;
    const struct proof_difference *difference = &proof->difference;

    out_mark_line(run->out, MARK_FAIL,
        "%s is refused: it differs from the loop for %" PRId64 " of %" PRId64 " keys",
        name_of(attempt), proof->differing < proof->keys ? proof->differing : proof->keys,
        proof->keys);
    print_text(run->out, "    ", difference->what);
    if (difference->has_key)
        print_text(
            run->out, "      key      ", difference->key ? difference->key : "NULL (no value)");
    if (difference->parameters)
        print_text(run->out, "      asked    ", difference->parameters);
    print_text(run->out, "      loop     ", difference->loop ? difference->loop : "");
    print_text(run->out, "      rewrite  ", difference->rewrite ? difference->rewrite : "");
}

static void
print_attempts(struct ctx *ctx, struct run *run, const struct query_loop *loop)
{
    struct line *lines = ARENA_ARRAY(ctx->arena, struct line, loop->attempt_count + 1);
    bool has_empty = false;

    for (size_t i = 0; i < loop->attempt_count; i++)
        lines[i] = line_of(ctx->arena, loop, &loop->attempts[i]);
    fputc('\n', run->out);
    if (loop->attempt_count > 0)
        out_table(run->out, columns, COUNT_OF(columns), lines, loop->attempt_count, sizeof(*lines));
    for (size_t i = 0; i < loop->attempt_count; i++) {
        const struct query_attempt *attempt = &loop->attempts[i];

        if (attempt->failure)
            out_mark_line(run->out, MARK_WARN, "%s could not be tried: %s", name_of(attempt),
                attempt->failure);
        else if (!attempt->proof.is_same)
            print_difference(run, attempt);
        else if (attempt->proof.is_empty)
            out_mark_line(run->out, MARK_WARN,
                "%s is not proven: for no key but NULL did the loop have an answer, and nothing is like nothing",
                name_in(ctx->arena, loop, attempt));
        has_empty |= !attempt->failure && attempt->proof.is_empty;
    }
    if (has_empty)
        fprintf(run->out,
            "  Give it something to compare: --value N=VALUE of parameters that have rows, --try KEY, --set "
            "NAME=VALUE where row security hides them, --timeout TIME where the loop is slow.\n");
    for (size_t i = 0; i < loop->rewrites.refused.count; i++)
        fprintf(run->out, "  not possible  %s\n", loop->rewrites.refused.items[i]);
    if (loop->unsupported)
        out_mark_line(run->out, MARK_WARN, "%s", loop->unsupported);
}

/* What the proof rests on. */
static void
print_keys(
    struct ctx *ctx, struct run *run, const struct query_loop *loop, const struct proof *proof)
{
    struct text_list parts = { 0 };
    const struct {
        int64_t count;
        const char *what;
    } counts[] = {
        { proof->keys_answered, "with an answer" },
        { proof->keys_observed, "of the trace or --try" },
        { proof->keys_without_rows, "without rows" },
        { proof->keys_null, "NULL" },
        { proof->keys_twice, "twice" },
        { proof->keys_failed, "left out, because the loop itself fails" },
        { proof->parameter_sets, proof->parameter_sets == 1 ? "set of the parent's parameters"
                                                            : "sets of the parent's parameters" },
        { proof->open_orders, "answers in another order of rows that tie" },
    };

    for (size_t i = 0; i < COUNT_OF(counts); i++)
        if (counts[i].count > 0)
            text_list_add(ctx->arena, &parts,
                arena_printf(ctx->arena, "%" PRId64 " %s", counts[i].count, counts[i].what));
    fprintf(run->out, "Tried with %" PRId64 " key%s%s%s.\n", proof->keys,
        proof->keys == 1 ? "" : "s", parts.count > 0 ? ": " : "",
        text_list_join(ctx->arena, &parts, ", "));
    for (size_t i = 0; i < proof->notes.count; i++)
        print_text(run->out, "  note: ", proof->notes.items[i]);
    if (proof->failure)
        print_text(run->out, "  the loop fails: ", proof->failure);
    if (!loop->has_values)
        fprintf(run->out, "  note: the trace kept no values, so only sampled keys were tried; "
                          "\"queries trace --keep-values\" gives observed ones.\n");
}

static void
print_hints(struct run *run, const struct query_loop *loop)
{
    fprintf(run->out, "\nIn the application\n");
    for (size_t i = 0; i < loop->input.child_count; i++) {
        const struct hint *hint = &loop->hints[i];

        fprintf(run->out, "  statement %zu: %s%s%s\n", i + 1, hint_shape_name(hint->shape),
            hint->table ? ", of " : "", hint->table ? hint->table : "");
        fprintf(run->out, "    SQLAlchemy\n");
        print_text(run->out, "      ", hint->sqlalchemy);
        fprintf(run->out, "    Django\n");
        print_text(run->out, "      ", hint->django);
        fprintf(run->out, "    Rails\n");
        print_text(run->out, "      ", hint->rails);
        fprintf(run->out, "    plain SQL\n");
        print_text(run->out, "      ", hint->plain);
    }
}

static void
print_params(struct ctx *ctx, struct run *run, const struct rewrite *rewrite)
{
    struct text_list params;

    query_rewrite_params(ctx, rewrite, &params);
    for (size_t i = 0; i < params.count; i++)
        print_text(run->out, "  ", params.items[i]);
}

static void
print_set(struct ctx *ctx, struct run *run, const struct query_loop *loop)
{
    fprintf(run->out,
        "\nRecommended: %zu statements, one for each of the loop's, together %s × faster",
        loop->input.child_count, text_from_ratio(ctx->arena, loop->set_speed_up));
    if (loop->best)
        fprintf(run->out, " (%s in one statement: %s ×)", name_of(loop->best),
            text_from_ratio(ctx->arena, loop->best->proof.speed_up));
    fputc('\n', run->out);
    for (size_t i = 0; i < loop->input.child_count; i++) {
        const struct query_attempt *one = loop->set[i];

        fprintf(run->out, "  statement %zu: %s (%s)\n", i + 1, name_of(one),
            one->rewrite.why ? one->rewrite.why : "");
        print_text(run->out, "    ", one->rewrite.sql);
        print_params(ctx, run, &one->rewrite);
    }
}

static void
print_best(struct ctx *ctx, struct run *run, const struct query_loop *loop)
{
    const struct query_attempt *best = loop->best;

    fputc('\n', run->out);
    if (loop->set) {
        for (size_t i = 0; i < loop->input.child_count; i++) {
            fprintf(run->out, "Statement %zu: ", i + 1);
            print_keys(ctx, run, loop, &loop->set[i]->proof);
        }
        print_set(ctx, run, loop);
        return;
    }
    if (!best) {
        if (loop->attempt_count > 0 && !loop->attempts[0].failure)
            print_keys(ctx, run, loop, &loop->attempts[0].proof);
        if (loop->attempt_count > 1 || !loop->attempt_count || !loop->attempts[0].is_foreign)
            fprintf(run->out, "None is recommended.\n");
        return;
    }
    print_keys(ctx, run, loop, &best->proof);
    fprintf(run->out, "\nRecommended: %s (%s)\n", name_of(best),
        best->rewrite.why ? best->rewrite.why : "");
    if (best->proof.speed_up < 1)
        fprintf(run->out,
            "  note: it was not faster than the loop here, where a round trip costs little.\n");
    print_text(run->out, "  ", best->rewrite.sql);
    print_params(ctx, run, &best->rewrite);
}

static void
print_loop(struct ctx *ctx, struct run *run, const struct query_loop *loop)
{
    fprintf(run->out, "%s%s\n", loop->id ? "Finding " : "The loop",
        loop->id ? plain_text(ctx->arena, loop->id) : "");
    print_statements(run, loop);
    print_attempts(ctx, run, loop);
    for (size_t i = 0; i < loop->shared.count; i++)
        out_mark_line(run->out, MARK_WARN, "%s", plain_text(ctx->arena, loop->shared.items[i]));
    print_best(ctx, run, loop);
    if (!loop->unsupported)
        print_hints(run, loop);
    fputc('\n', run->out);
}

void
query_rewrite_print(struct ctx *ctx, struct run *run, const struct query_loops *loops)
{
    const struct query_rewrite_options *opts = run->options;

    for (size_t i = 0; i < loops->count; i++)
        print_loop(ctx, run, &loops->items[i]);
    for (size_t i = 0; i < loops->left_out.count; i++)
        fprintf(run->out, "left out  %s\n", plain_text(ctx->arena, loops->left_out.items[i]));
    if (loops->count == 0)
        fprintf(run->out, "There is no loop to rewrite.\n");
    fprintf(run->out, "Nothing was changed.\n");
    if (opts->plan && query_loop_answer_count(&loops->items[0]) > 0)
        out_next(run->out, "pgmend apply %s", text_shell(ctx->arena, opts->plan));
    else
        out_next(run->out, "pgmend queries check TRACE --baseline queries.json");
}

/* ---- JSON ---- */

static const struct field cost_fields[] = {
    FIELD(struct proof_cost, statements),
    FIELD(struct proof_cost, elapsed_us),
    FIELD(struct proof_cost, server_us),
    FIELD(struct proof_cost, blocks),
    FIELD(struct proof_cost, rows),
};

static const struct field difference_fields[] = {
    FIELD(struct proof_difference, has_key),
    FIELD(struct proof_difference, key),
    FIELD(struct proof_difference, parameters),
    FIELD(struct proof_difference, what),
    FIELD(struct proof_difference, loop),
    FIELD(struct proof_difference, rewrite),
};

static const struct field proof_fields[] = {
    FIELD(struct proof, is_same),
    FIELD(struct proof, is_empty),
    FIELD(struct proof, differing),
    FIELD(struct proof, keys),
    FIELD(struct proof, keys_answered),
    FIELD(struct proof, keys_observed),
    FIELD(struct proof, keys_without_rows),
    FIELD(struct proof, keys_null),
    FIELD(struct proof, keys_twice),
    FIELD(struct proof, keys_failed),
    FIELD(struct proof, failure),
    FIELD(struct proof, parameter_sets),
    FIELD(struct proof, open_orders),
    FIELD(struct proof, speed_up),
};

static const struct field hint_fields[] = {
    FIELD(struct hint, table),
    FIELD(struct hint, sqlalchemy),
    FIELD(struct hint, django),
    FIELD(struct hint, rails),
    FIELD(struct hint, plain),
};

static json_t *
texts_json(const char *const *items, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(items[i]));
    return list;
}

static json_t *
proof_json(const struct proof *proof)
{
    json_t *json = json_from_fields(proof_fields, COUNT_OF(proof_fields), proof);

    json_object_set_new(json, "notes", texts_json(proof->notes.items, proof->notes.count));
    if (!proof->is_same) {
        json_object_set_new(json, "difference",
            json_from_fields(difference_fields, COUNT_OF(difference_fields), &proof->difference));
        return json;
    }
    json_object_set_new(
        json, "loop", json_from_fields(cost_fields, COUNT_OF(cost_fields), &proof->loop));
    json_object_set_new(
        json, "rewrite", json_from_fields(cost_fields, COUNT_OF(cost_fields), &proof->rewrite));
    return json;
}

static json_t *
attempt_json(const struct query_attempt *attempt)
{
    json_t *json = json_pack("{s:s, s:s, s:s?, s:s?}", "form", name_of(attempt), "sql",
        attempt->rewrite.sql, "key_type", attempt->rewrite.key_type, "why", attempt->rewrite.why);

    if (attempt->rewrite.form == REWRITE_ANY || attempt->rewrite.form == REWRITE_GROUPED)
        json_object_set_new(
            json, "statement", json_integer((json_int_t)attempt->rewrite.child + 1));
    if (attempt->failure)
        json_object_set_new(json, "failure", json_string(attempt->failure));
    else
        json_object_set_new(json, "proof", proof_json(&attempt->proof));
    return json;
}

/* The statements of the set; what is recommended as one text is all of them. */
static json_t *
set_json(const struct query_loop *loop)
{
    json_t *set = json_array();

    for (size_t i = 0; i < loop->input.child_count; i++)
        json_array_append_new(
            set, json_pack("{s:I, s:s, s:s}", "statement", (json_int_t)i + 1, "form",
                     name_of(loop->set[i]), "sql", loop->set[i]->rewrite.sql));
    return set;
}

static json_t *
loop_json(const struct query_loop *loop)
{
    json_t *json;
    json_t *attempts = json_array();
    json_t *hints = json_array();
    json_t *statements = json_array();

    for (size_t i = 0; i < loop->attempt_count; i++)
        json_array_append_new(attempts, attempt_json(&loop->attempts[i]));
    for (size_t i = 0; i < loop->input.child_count; i++) {
        json_t *hint = json_from_fields(hint_fields, COUNT_OF(hint_fields), &loop->hints[i]);

        json_object_set_new(hint, "shape", json_string(hint_shape_name(loop->hints[i].shape)));
        json_array_append_new(hints, hint);
        json_array_append_new(statements, json_string(loop->input.children[i].sql));
    }
    json = json_pack("{s:s?, s:s?, s:o, s:b, s:o, s:o, s:s?, s:s?, s:s?, s:o}", "id", loop->id,
        "parent", loop->input.parent_sql, "children", statements, "has_values", loop->has_values,
        "forms", attempts, "refused",
        texts_json(loop->rewrites.refused.items, loop->rewrites.refused.count), "unsupported",
        loop->unsupported, "recommended",
        loop->set    ? "set"
        : loop->best ? name_of(loop->best)
                     : NULL,
        "recommended_sql", loop->best && !loop->set ? loop->best->rewrite.sql : NULL, "hints",
        hints);
    json_object_set_new(json, "shared_values", texts_json(loop->shared.items, loop->shared.count));
    if (loop->set) {
        json_object_set_new(json, "recommended_set", set_json(loop));
        json_object_set_new(json, "recommended_speed_up", json_real(loop->set_speed_up));
    }
    return json;
}

void
query_rewrite_print_json(struct ctx *ctx, struct run *run, const struct query_loops *loops)
{
    json_t *list = json_array();
    json_t *json CLEANUP(json_release) = NULL;

    (void)ctx;
    for (size_t i = 0; i < loops->count; i++)
        json_array_append_new(list, loop_json(&loops->items[i]));
    json = json_pack("{s:o, s:o}", "loops", list, "left_out",
        texts_json(loops->left_out.items, loops->left_out.count));
    out_json(run->out, json);
}
