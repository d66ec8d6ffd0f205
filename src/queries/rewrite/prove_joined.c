/* The proof of a rewrite that takes the parent's parameters: for several values of each. */
#include <inttypes.h>

#include "base/clock.h"
#include "queries/rewrite/prove_part.h"

enum { MOST_SET_ROWS = 5000, MOST_ROWS = 10000 };

/* One run of the loop for one set of the parent's parameters. */
struct pass {
    const char **args;
    struct result parents;
    struct prove_group *groups;
    size_t count;
    bool is_done;
};

static bool
run_loop(struct proving *proving, struct pass *pass)
{
    struct arena *arena = proving->ctx->arena;
    const struct prove_statement *parent = &proving->parent;
    const char *why;

    pass->args = ARENA_ARRAY(arena, const char *, parent->param_count + 1);
    if (!prove_fill(proving, parent, NULL, NULL, pass->args) ||
        !prove_try(proving, prove_call(arena, parent, pass->args, parent->param_count),
            &pass->parents, &why))
        return false;
    if (why) {
        prove_note_failure(proving, why);
        return true;
    }
    proving->parent_columns = pass->parents.columns;
    proving->parent_args = pass->args;
    prove_order_read(
        arena, parent->sql, pass->parents.names, pass->parents.columns, &proving->parent_order);
    if (pass->parents.rows > MOST_SET_ROWS) {
        prove_note(proving, arena_printf(arena, "the parent gives %zu rows for %s: not tried",
                                pass->parents.rows, prove_parameters_text(proving)));
        return true;
    }
    pass->groups = ARENA_ARRAY(arena, struct prove_group, pass->parents.rows + 1);
    for (size_t i = 0; i < pass->parents.rows; i++) {
        const char *const *row = &pass->parents.cells[i * pass->parents.columns];
        bool is_done;

        if (!prove_children(
                proving, row[proving->input->key_column], row, &pass->groups[i], &is_done))
            return false;
        if (!is_done)
            return true;
        pass->groups[i].parameters = prove_parameters_text(proving);
    }
    pass->count = pass->parents.rows;
    pass->is_done = true;
    return true;
}

/* Parents whose rows are told apart by nothing are one group. */
static void
gather(struct proving *proving, struct pass *pass)
{
    struct arena *arena = proving->ctx->arena;
    struct map seen = { .arena = arena };
    size_t kept = 0;

    for (size_t i = 0; i < pass->count; i++) {
        struct prove_group group = pass->groups[i];
        struct prove_group *like;

        group.tuple = proving->group_columns == proving->parent_columns
                          ? prove_tuple(arena, group.row, proving->parent_columns)
                          : prove_tuple(arena, &group.key, 1);
        like = map_get(&seen, group.tuple);
        if (like) {
            like->times++;
            proving->proof->keys_twice++;
            continue;
        }
        pass->groups[kept] = group;
        map_set(&seen, group.tuple, &pass->groups[kept++]);
    }
    pass->count = kept;
}

static bool
run_rewrite(struct proving *proving, struct pass *pass)
{
    struct arena *arena = proving->ctx->arena;
    const struct prove_statement *statement = &proving->statement;
    const char **args = ARENA_ARRAY(arena, const char *, statement->param_count + 1);
    bool is_largest = pass->count * proving->child_count + 1 > proving->loop_calls.count;
    struct result result;
    const char *call;
    const char *why;

    if (!prove_fill(proving, statement, NULL, NULL, args))
        return false;
    call = prove_call(arena, statement, args, statement->param_count);
    if (is_largest) {
        proving->loop_calls.count = 0;
        proving->rewrite_calls.count = 0;
        text_list_add(arena, &proving->rewrite_calls, call);
        text_list_add(arena, &proving->loop_calls,
            prove_call(arena, &proving->parent, pass->args, proving->parent.param_count));
        for (size_t i = 0; i < pass->count; i++)
            prove_add_loop(proving, &pass->groups[i]);
    }
    if (!prove_try(proving, call, &result, &why))
        return false;
    if (why) {
        prove_refuse_failing(proving, why, prove_parameters_text(proving));
        return true;
    }
    if (!prove_places(proving, &result))
        return false;
    gather(proving, pass);
    return prove_compare(proving, pass->groups, pass->count, &result);
}

bool
prove_joined(struct proving *proving)
{
    struct proof *proof = proving->proof;
    struct prove_sets sets = { 0 };

    if (!prove_find_sets(proving, &sets) || !prove_learn(proving))
        return false;
    if (proving->options->tried_count > 0)
        prove_note(proving,
            "the keys that were given are not tried with it: it takes the parent's parameters");
    for (size_t i = 0; i < sets.count && proof->keys < MOST_ROWS; i++) {
        struct pass pass = { 0 };

        if (clock_us() - proving->started_us > PROVE_BUDGET_US && proof->parameter_sets > 0) {
            prove_note(proving, arena_printf(proving->ctx->arena,
                                    "the loop is slow: %" PRId64
                                    " of %zu sets of the parent's parameters were tried",
                                    proof->parameter_sets, sets.count));
            break;
        }
        proving->parameters = sets.items[i];
        if (!run_loop(proving, &pass))
            return false;
        if (!pass.is_done)
            continue;
        proof->parameter_sets++;
        if (i == 0)
            proof->keys_observed = (int64_t)pass.count;
        if (!run_rewrite(proving, &pass))
            return false;
    }
    return proof->parameter_sets > 0 || prove_no_key(proving);
}
