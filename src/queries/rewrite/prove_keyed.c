/* The proof of a rewrite that is asked by keys: all of them at once. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "db/ident.h"
#include "queries/rewrite/keys.h"
#include "queries/rewrite/prove_part.h"

enum { MOST_ROWS = 10000, MOST_OTHER_KEYS = 20 };

static const char *
element_type(struct proving *proving)
{
    const char *type = proving->statement.type_count > 0 ? proving->statement.types[0] : "";
    size_t length = strlen(type);

    if (proving->rewrite->key_type)
        return proving->rewrite->key_type;
    if (!text_ends_with(type, "[]"))
        return NULL;
    return arena_strndup(proving->ctx->arena, type, length - 2);
}

/* The values of the parent's column, as it is now. */
static bool
add_parent_keys(struct proving *proving, struct text_list *keys, bool *ret_ran)
{
    struct arena *arena = proving->ctx->arena;
    const struct prove_statement *parent = &proving->parent;
    const char **args = ARENA_ARRAY(arena, const char *, parent->param_count + 1);
    size_t column = (size_t)proving->input->key_column;
    struct result result;
    const char *why;

    *ret_ran = false;
    if (!proving->has_parent || proving->parent_refusal)
        return true;
    for (size_t i = 0; i < parent->param_count; i++)
        if (!(args[i] = proving->parameters[parent->params[i].slot]))
            return true;
    if (!prove_try(proving, prove_call(arena, parent, args, parent->param_count), &result, &why))
        return false;
    if (why)
        prove_note(proving, arena_printf(arena, "the parent could not be run for keys: %s", why));
    *ret_ran = !why;
    for (size_t i = 0; !why && i < result.rows && column < result.columns; i++)
        text_list_add(arena, keys, result_cell(&result, i, column));
    return true;
}

static bool
add_sampled_keys(struct proving *proving, size_t most, struct text_list *keys)
{
    for (size_t i = 0; i < proving->child_count; i++) {
        const struct prove_statement *statement = &proving->children[i].statement;

        for (size_t k = 0; k < statement->param_count; k++) {
            const struct keys_wanted wanted = {
                .sql = statement->sql,
                .number = (int32_t)k + 1,
                .most = most,
                .seed = proving->options->seed,
            };

            if (prove_is_key(proving, prove_slot(proving, &statement->params[k])))
                return keys_sample(
                    proving->ctx, proving->db, &wanted, keys, &proving->proof->notes);
        }
    }
    return true;
}

/* Each value once, as the server writes it. */
static bool
canonical(struct proving *proving, const struct text_list *from, const char *type, size_t most,
    struct text_list *ret)
{
    struct ctx *ctx = proving->ctx;
    const char *array = keys_array(ctx->arena, from);
    struct map seen = { .arena = ctx->arena };
    struct result result;

    if (from->count == 0)
        return true;
    if (!db_query(ctx, proving->db,
            arena_printf(ctx->arena,
                "SELECT u.v::pg_catalog.text FROM pg_catalog.unnest($1::%s[]) WITH ORDINALITY AS u(v, n)"
                " WHERE u.v IS NOT NULL ORDER BY u.n",
                type),
            &array, 1, &result))
        return error_wrap(ctx, "the keys are no values of type %s", type);
    for (size_t i = 0; i < result.rows && ret->count < most; i++) {
        const char *text = result_cell(&result, i, 0);

        if (map_get(&seen, text))
            continue;
        map_set(&seen, text, &seen);
        text_list_add(ctx->arena, ret, text);
    }
    return true;
}

/* Of the keys that are given, those that are of the type; one of --try has to be. */
static bool
add_given_keys(struct proving *proving, const char *type, struct text_list *ret)
{
    struct ctx *ctx = proving->ctx;
    const struct proof_options *options = proving->options;

    for (size_t i = 0; i < options->key_count; i++) {
        const char *key = options->keys[i];
        struct result ignored;
        const char *why = NULL;

        if (key && !prove_try(proving,
                       arena_printf(
                           ctx->arena, "SELECT CAST(%s AS %s)", db_literal(ctx->arena, key), type),
                       &ignored, &why))
            return false;
        if (!why)
            text_list_add(ctx->arena, ret, key);
        else if (i + options->tried_count >= options->key_count)
            return error_set(ctx, ERR_USAGE, "--try %s is no %s", key, type);
        else
            prove_note(proving,
                arena_printf(ctx->arena, "a key that was observed is no %s, and left out", type));
    }
    return true;
}

static bool
find_keys(struct proving *proving, const char *type, struct text_list *ret)
{
    struct arena *arena = proving->ctx->arena;
    size_t most = prove_most_keys(proving);
    bool is_run;
    struct text_list observed = { 0 };
    struct text_list parents = { 0 };
    struct text_list sampled = { 0 };
    struct text_list all = { 0 };

    if (!add_given_keys(proving, type, &observed) ||
        !canonical(proving, &observed, type, most, &all))
        return false;
    proving->proof->keys_observed = (int64_t)all.count;
    if (!add_sampled_keys(proving, most, &sampled) || !add_parent_keys(proving, &parents, &is_run))
        return false;
    /* The parent's shall not push out the sampled ones, which are of more kinds. */
    for (size_t i = 0; i < parents.count && i < most / 2; i++)
        text_list_add(arena, &all, parents.items[i]);
    for (size_t i = 0; i < sampled.count; i++)
        text_list_add(arena, &all, sampled.items[i]);
    for (size_t i = most / 2; i < parents.count; i++)
        text_list_add(arena, &all, parents.items[i]);
    return canonical(proving, &all, type, most, ret);
}

/* NULL, and some of them twice: what a list of keys may hold as well. */
static void
add_odd_keys(struct proving *proving, struct text_list *keys)
{
    size_t twice = keys->count < 2 ? keys->count : 2;

    text_list_add(proving->ctx->arena, keys, NULL);
    for (size_t i = 0; i < twice; i++)
        text_list_add(proving->ctx->arena, keys, keys->items[i]);
    proving->proof->keys_twice = (int64_t)twice;
}

/* The groups of the keys: by its place each, or by value, those that are alike together. */
static const struct prove_group *
by_value(struct proving *proving, const struct prove_group *groups, size_t count, size_t *ret_count)
{
    struct arena *arena = proving->ctx->arena;
    struct prove_group *ret = ARENA_ARRAY(arena, struct prove_group, count + 1);
    struct map seen = { .arena = arena };

    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct prove_group group = groups[i];
        const char *place = arena_printf(arena, "%zu", i + 1);
        struct prove_group *like;

        group.tuple = prove_tuple(arena, proving->is_by_number ? &place : &group.key, 1);
        like = map_get(&seen, group.tuple);
        if (like) {
            like->times++;
            continue;
        }
        ret[*ret_count] = group;
        map_set(&seen, group.tuple, &ret[*ret_count]);
        ++*ret_count;
    }
    return ret;
}

/* The rewrite's keys in the words of the loop's: a boolean is "f" as a column and "false" as a text. */
static bool
name_keys_alike(struct proving *proving, const char *type, struct result *result)
{
    struct arena *arena = proving->ctx->arena;
    struct text_list cells = { 0 };
    struct result names;
    const char *why;

    if (proving->is_by_number || result->rows == 0)
        return true;
    for (size_t i = 0; i < result->rows; i++)
        text_list_add(arena, &cells, result_cell(result, i, proving->group_first));
    if (!prove_try(proving,
            arena_printf(arena,
                "SELECT u.v::pg_catalog.text FROM pg_catalog.unnest(%s::%s[]) WITH ORDINALITY AS u(v, n)"
                " ORDER BY u.n",
                db_literal(arena, keys_array(arena, &cells)), type),
            &names, &why))
        return false;
    for (size_t i = 0; !why && i < result->rows && names.rows == result->rows; i++)
        result->cells[i * result->columns + proving->group_first] = result_cell(&names, i, 0);
    return true;
}

/* What is timed is the first run, which has the most keys. */
static bool
run_rewrite(
    struct proving *proving, const char *type, const struct prove_group *groups, size_t count)
{
    struct arena *arena = proving->ctx->arena;
    const char **args = ARENA_ARRAY(arena, const char *, proving->statement.param_count + 1);
    bool is_first = proving->rewrite_calls.count == 0;
    const struct prove_group *wanted;
    size_t wanted_count;
    struct text_list keys = { 0 };
    struct result result;
    const char *call;
    const char *why;

    for (size_t i = 0; i < count; i++) {
        text_list_add(arena, &keys, groups[i].key);
        if (is_first)
            prove_add_loop(proving, &groups[i]);
    }
    args[0] = keys_array(arena, &keys);
    if (!prove_fill(proving, &proving->statement, NULL, NULL, args + 1))
        return false;
    call = prove_call(arena, &proving->statement, args, proving->statement.param_count + 1);
    if (is_first)
        text_list_add(arena, &proving->rewrite_calls, call);
    if (!prove_try(proving, call, &result, &why))
        return false;
    if (why) {
        prove_refuse_failing(proving, why, groups[0].parameters);
        return true;
    }
    if (!prove_places(proving, &result) || !name_keys_alike(proving, type, &result))
        return false;
    wanted = by_value(proving, groups, count, &wanted_count);
    return prove_compare(proving, wanted, wanted_count, &result);
}

static bool
run_keys(struct proving *proving, const char *type, const struct text_list *keys, bool has_sets)
{
    struct arena *arena = proving->ctx->arena;
    struct prove_group *groups = ARENA_ARRAY(arena, struct prove_group, keys->count + 1);
    const char *parameters = has_sets ? prove_parameters_text(proving) : NULL;
    size_t count = 0;

    for (size_t i = 0; i < keys->count; i++) {
        bool is_done;

        if (clock_us() - proving->started_us > PROVE_BUDGET_US && i > 0) {
            prove_note(proving, arena_printf(arena, "the loop is slow: %zu of %zu keys were tried",
                                    i, keys->count));
            break;
        }
        if (!prove_children(proving, keys->items[i], NULL, &groups[count], &is_done))
            return false;
        groups[count].parameters = parameters;
        count += is_done;
    }
    if (count == 0)
        return true;
    proving->proof->parameter_sets += has_sets;
    return run_rewrite(proving, type, groups, count);
}

/* Keys that belong to other parameters of the parent; where it cannot be run, some that are known. */
static bool
find_other_keys(
    struct proving *proving, const char *type, const struct text_list *first, struct text_list *ret)
{
    struct text_list keys = { 0 };
    bool is_run;

    if (!add_parent_keys(proving, &keys, &is_run))
        return false;
    for (size_t i = 0; !is_run && i < first->count && i < MOST_OTHER_KEYS; i++)
        text_list_add(proving->ctx->arena, ret, first->items[i]);
    return canonical(proving, &keys, type, prove_most_keys(proving), ret);
}

/*
 * Under one set of the parent's parameters most keys have nothing on either side: each set is asked for the
 * keys that its own rows give.
 */
static bool
run_sets(struct proving *proving, const char *type, const struct text_list *first)
{
    struct prove_sets sets = { 0 };
    struct proof *proof = proving->proof;

    if (!prove_find_sets(proving, &sets))
        return false;
    for (size_t i = 1; i < sets.count && proof->keys < MOST_ROWS; i++) {
        struct text_list keys = { 0 };

        if (clock_us() - proving->started_us > PROVE_BUDGET_US) {
            prove_note(proving,
                arena_printf(proving->ctx->arena,
                    "the loop is slow: %zu of %zu sets of the parent's parameters were tried", i,
                    sets.count));
            break;
        }
        proving->parameters = sets.items[i];
        if (!find_other_keys(proving, type, first, &keys) || !run_keys(proving, type, &keys, true))
            return false;
    }
    proving->parameters = sets.items[0];
    return true;
}

bool
prove_keyed(struct proving *proving)
{
    struct ctx *ctx = proving->ctx;
    const char *type = element_type(proving);
    bool has_sets = prove_has_sets(proving);
    struct text_list keys = { 0 };

    if (!type) {
        error_set(ctx, ERR_INPUT, "$1 of the rewrite is no array");
        return error_hint(
            ctx, "Its keys come as one array: … = ANY($1::int[]), unnest($1::int[]).");
    }
    if (!find_keys(proving, type, &keys) || !prove_learn(proving))
        return false;
    add_odd_keys(proving, &keys);
    if (!run_keys(proving, type, &keys, has_sets) || (has_sets && !run_sets(proving, type, &keys)))
        return false;
    return proving->rewrite_calls.count > 0 || prove_no_key(proving);
}
