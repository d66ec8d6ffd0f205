/* The parent's parameters: as they are known, and with other values. */
#include <inttypes.h>

#include "queries/rewrite/keys.h"
#include "queries/rewrite/prove_part.h"

enum { MOST_KEYS = 200, MOST_SETS = 400 };

size_t
prove_most_keys(const struct proving *proving)
{
    return proving->options->most_keys > 0 ? (size_t)proving->options->most_keys : MOST_KEYS;
}

static size_t
most_sets(const struct proving *proving)
{
    size_t most = prove_most_keys(proving) * 2 / 5;

    return most < 1 ? 1 : most > MOST_SETS ? MOST_SETS : most;
}

static const char **
copy_of(struct proving *proving, const char *const *set)
{
    return arena_memdup(
        proving->ctx->arena, set, sizeof(*set) * (proving->input->parent_slot_count + 1));
}

const char *
prove_parameters_text(struct proving *proving)
{
    struct arena *arena = proving->ctx->arena;
    struct text_list list = { 0 };

    for (size_t i = 0; i < proving->input->parent_slot_count; i++)
        text_list_add(arena, &list,
            arena_printf(arena, "$%zu = %s", i + 1,
                proving->parameters[i] ? proving->parameters[i] : "NULL"));
    return list.count > 0 ? text_list_join(arena, &list, ", ") : NULL;
}

static bool
is_of_parent(const struct proving *proving, const struct prove_statement *statement)
{
    for (size_t i = 0; i < statement->param_count; i++)
        if (statement->params[i].child < 0 ||
            prove_slot(proving, &statement->params[i])->origin == SLOT_PARAM)
            return true;
    return false;
}

bool
prove_has_sets(const struct proving *proving)
{
    bool has_sets = is_of_parent(proving, &proving->statement);

    for (size_t i = 0; i < proving->child_count; i++)
        has_sets |= is_of_parent(proving, &proving->children[i].statement);
    return proving->has_parent && has_sets;
}

/* Each parameter that a column is compared with gets other values while the others stay. */
static bool
sample_sets(struct proving *proving, struct prove_sets *ret)
{
    struct arena *arena = proving->ctx->arena;
    const struct prove_statement *parent = &proving->parent;
    size_t each = parent->param_count > 0 ? most_sets(proving) / parent->param_count + 1 : 0;

    for (size_t i = 0; i < parent->param_count; i++) {
        const struct keys_wanted wanted = {
            .sql = parent->sql,
            .number = (int32_t)i + 1,
            .most = each,
            .seed = proving->options->seed,
        };
        struct text_list values = { 0 };
        struct map seen = { .arena = arena };

        if (keys_limit_read(arena, parent->sql, wanted.number) != KEYS_NO_LIMIT)
            continue;
        if (!keys_sample(proving->ctx, proving->db, &wanted, &values, &proving->proof->notes))
            return false;
        for (size_t k = 0; k < values.count && k < 2 * each; k++) {
            const char **set = copy_of(proving, proving->parameters);
            const char *before = set[parent->params[i].slot];

            if (map_get(&seen, values.items[k]) || (before && text_equal(before, values.items[k])))
                continue;
            map_set(&seen, values.items[k], &seen);
            set[parent->params[i].slot] = values.items[k];
            VEC_PUSH(arena, ret, set);
        }
    }
    return true;
}

/* Where a LIMIT and an OFFSET stand that are parameters. */
struct limits {
    size_t limit;
    size_t offset; /* slots; SIZE_MAX: there is none */
};

static struct limits
limits_of(struct proving *proving)
{
    const struct prove_statement *parent = &proving->parent;
    struct limits limits = { SIZE_MAX, SIZE_MAX };

    for (size_t i = 0; i < parent->param_count; i++)
        switch (keys_limit_read(proving->ctx->arena, parent->sql, (int32_t)i + 1)) {
        case KEYS_LIMIT:
            limits.limit = parent->params[i].slot;
            break;
        case KEYS_OFFSET:
            limits.offset = parent->params[i].slot;
            break;
        case KEYS_NO_LIMIT:
            break;
        }
    return limits;
}

static void
add_limited(struct proving *proving, const char *const *set, const struct limits *limits,
    const int64_t wanted[2], struct prove_sets *ret)
{
    struct arena *arena = proving->ctx->arena;
    const char **other = copy_of(proving, set);

    if (limits->limit != SIZE_MAX && wanted[0] > 0)
        other[limits->limit] = arena_printf(arena, "%" PRId64, wanted[0]);
    if (limits->offset != SIZE_MAX && wanted[1] >= 0)
        other[limits->offset] = arena_printf(arena, "%" PRId64, wanted[1]);
    VEC_PUSH(arena, ret, other);
}

/* Other pages of other sizes. */
static void
add_pages(struct proving *proving, const char *const *set, struct prove_sets *ret)
{
    const struct limits limits = limits_of(proving);
    const char *text = limits.limit != SIZE_MAX ? set[limits.limit] : NULL;
    int64_t limit;

    if (!text || !text_to_int64(text, &limit) || limit < 1 || limit > INT32_MAX)
        limit = 10;
    if (limits.limit != SIZE_MAX) {
        add_limited(proving, set, &limits, (const int64_t[]){ limit > 1 ? limit / 2 : 2, -1 }, ret);
        add_limited(proving, set, &limits, (const int64_t[]){ limit * 2, -1 }, ret);
        add_limited(proving, set, &limits, (const int64_t[]){ 1, 1 }, ret);
    }
    if (limits.offset != SIZE_MAX) {
        add_limited(proving, set, &limits, (const int64_t[]){ 0, 0 }, ret);
        add_limited(proving, set, &limits, (const int64_t[]){ 0, 1 }, ret);
        add_limited(proving, set, &limits, (const int64_t[]){ 0, limit }, ret);
    }
}

bool
prove_find_sets(struct proving *proving, struct prove_sets *ret)
{
    struct arena *arena = proving->ctx->arena;
    struct prove_sets sampled = { 0 };

    VEC_PUSH(arena, ret, copy_of(proving, proving->parameters));
    if (proving->parent_refusal)
        return true;
    if (!sample_sets(proving, &sampled))
        return false;
    add_pages(proving, proving->parameters, ret);
    /* The first of them is the one with the most rows. */
    if (sampled.count > 0 && ret->count > 1)
        add_pages(proving, sampled.items[0], ret);
    for (size_t i = 0; i < sampled.count && i + 1 < most_sets(proving); i++)
        VEC_PUSH(arena, ret, sampled.items[i]);
    return true;
}
