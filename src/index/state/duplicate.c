#include "index/state/duplicate.h"

#include "sql.h"

enum { ENDING = 31, REVERSED = 3 };

/* An index as lists: one item a column. */
struct shape {
    const struct index_state *index;
    struct text_list parts; /* with those of INCLUDE behind the keys */
    struct text_list classes;
    struct text_list collations;
    struct text_list orders;
    size_t keys;
    bool is_btree;
};

struct shapes {
    struct shape *items;
    size_t count;
    size_t capacity;
};

static struct text_list
split(struct arena *arena, const char *text, char ending)
{
    struct text_list list = { 0 };

    while (*text) {
        const char *end = strchr(text, ending);
        size_t length = end ? (size_t)(end - text) : strlen(text);

        text_list_add(arena, &list, arena_printf(arena, "%.*s", (int)length, text));
        text += length + (end ? 1 : 0);
    }
    return list;
}

static void
add_shape(struct arena *arena, const struct index_state *index, struct shapes *ret)
{
    const struct sql_index_state_indexes *row = index->row;
    const struct shape shape = {
        .index = index,
        .parts = split(arena, row->parts, ENDING),
        .classes = split(arena, row->classes, ' '),
        .collations = split(arena, row->collations, ' '),
        .orders = split(arena, row->orders, ' '),
        .keys = (size_t)row->key_count,
        .is_btree = text_equal(row->method, "btree"),
    };

    /* What could not be read in full, as of an index that vanished meanwhile, is compared with nothing. */
    if (shape.parts.count == (size_t)row->column_count && shape.classes.count >= shape.keys &&
        shape.collations.count >= shape.keys && shape.orders.count >= shape.keys)
        VEC_PUSH(arena, ret, shape);
}

static bool
is_key_equal(const struct shape *a, const struct shape *b, size_t key)
{
    return text_equal(a->parts.items[key], b->parts.items[key]) &&
           text_equal(a->classes.items[key], b->classes.items[key]) &&
           text_equal(a->collations.items[key], b->collations.items[key]);
}

/* A B-tree is read in both directions: all orders are the same, or all are turned round. */
static bool
is_order_served(const struct shape *narrow, const struct shape *wide, bool *ret_reversed)
{
    bool is_same = true;
    bool is_turned = true;

    for (size_t i = 0; i < narrow->keys; i++) {
        int64_t its = 0;
        int64_t other = 0;

        if (!text_to_int64(narrow->orders.items[i], &its) ||
            !text_to_int64(wide->orders.items[i], &other))
            return false;
        is_same &= its == other;
        is_turned &= its == (other ^ REVERSED);
    }
    *ret_reversed = !is_same;
    return is_same || is_turned;
}

static bool
are_included(const struct shape *narrow, const struct shape *wide)
{
    for (size_t i = narrow->keys; i < narrow->parts.count; i++)
        if (!text_list_has(&wide->parts, narrow->parts.items[i]))
            return false;
    return true;
}

/* Who enforces uniqueness is needless only beside one that enforces the very same. */
static bool
is_unique_served(const struct shape *narrow, const struct shape *wide)
{
    return !narrow->index->row->is_unique ||
           (wide->index->row->is_unique && wide->keys == narrow->keys &&
               wide->index->row->is_nulls_equal == narrow->index->row->is_nulls_equal);
}

static bool
is_same_place(const struct shape *a, const struct shape *b)
{
    return a->index != b->index && a->index->row->table_oid == b->index->row->table_oid &&
           text_equal(a->index->row->method, b->index->row->method) &&
           text_equal(a->index->row->predicate, b->index->row->predicate);
}

/* Whether everything that narrow does wide can do as well. */
static bool
is_served(const struct shape *narrow, const struct shape *wide, bool *ret_reversed)
{
    *ret_reversed = false;
    if (!is_same_place(narrow, wide) || !is_unique_served(narrow, wide))
        return false;
    /* Other methods have no order of keys that a scan could use, and their parameters matter. */
    if (!narrow->is_btree)
        return text_equal(narrow->index->row->definition, wide->index->row->definition);
    if (narrow->keys > wide->keys)
        return false;
    for (size_t i = 0; i < narrow->keys; i++)
        if (!is_key_equal(narrow, wide, i))
            return false;
    return is_order_served(narrow, wide, ret_reversed) && are_included(narrow, wide);
}

/*
 * Whether it may go when another does the same: what enforces something may not, except a plain unique
 * index beside one that enforces the very same.
 */
static bool
may_go(const struct index_state *index)
{
    const struct sql_index_state_indexes *row = index->row;

    return !row->is_primary && !row->is_exclusion && !row->constraint_name && !row->referenced_by &&
           !row->is_replica_identity && !row->is_clustered && !row->extension && !row->parent_oid;
}

/* Of two that serve each other: which one stays. A total order, so that not both are needless. */
static bool
is_better(const struct shape *a, const struct shape *b)
{
    bool is_kept = !may_go(a->index);
    bool is_other_kept = !may_go(b->index);

    if (is_kept != is_other_kept)
        return is_kept;
    if (a->index->row->is_unique != b->index->row->is_unique)
        return a->index->row->is_unique;
    return a->index->row->oid < b->index->row->oid;
}

static const char *
describe(struct arena *arena, const struct shape *narrow, const struct shape *wide,
    bool is_reversed, const char **ret_kind)
{
    bool is_wider = wide->parts.count > narrow->parts.count;
    const char *turned =
        is_reversed ? ", in the opposite direction: a B-tree is read both ways" : "";

    *ret_kind = is_reversed ? "reversed" : "same";
    if (wide->keys == narrow->keys && wide->index->row->constraint_name) {
        *ret_kind = "constraint";
        return arena_printf(arena, "the index of the constraint %s has the same columns%s",
            wide->index->row->constraint_name, turned);
    }
    if (!is_wider)
        return arena_printf(arena,
            "the same columns, operator classes, collations and predicate%s%s", turned,
            narrow->index->row->is_unique ? ", and unique as well" : "");
    *ret_kind = wide->keys == narrow->keys ? "included" : is_reversed ? "reversed" : "prefix";
    if (wide->keys == narrow->keys)
        return arena_printf(arena, "the same keys; the other one includes more columns%s", turned);
    return arena_printf(arena, "the other one begins with the same %s%s%s",
        narrow->keys == 1 ? "column" : arena_printf(arena, "%zu columns", narrow->keys),
        narrow->parts.count > narrow->keys ? " and holds the included ones" : "", turned);
}

/* The best of those that serve it; NULL: none. */
static const struct shape *
find_better(const struct shapes *shapes, const struct shape *narrow)
{
    const struct shape *best = NULL;

    for (size_t i = 0; i < shapes->count; i++) {
        const struct shape *wide = &shapes->items[i];
        bool is_reversed;

        if (!is_served(narrow, wide, &is_reversed))
            continue;
        if (is_served(wide, narrow, &is_reversed) && is_better(narrow, wide))
            continue;
        /* What serves the best one too is the widest: it is not needless itself. */
        if (!best || (is_served(best, wide, &is_reversed) &&
                         !(is_served(wide, best, &is_reversed) && is_better(best, wide))))
            best = wide;
    }
    return best;
}

static int
compare_size(const void *a, const void *b)
{
    const struct index_duplicate *left = a;
    const struct index_duplicate *right = b;

    if (left->needless->bytes != right->needless->bytes)
        return left->needless->bytes < right->needless->bytes ? 1 : -1;
    return strcmp(left->needless->object, right->needless->object);
}

void
index_duplicates_find(
    struct arena *arena, const struct index_states *states, struct index_duplicates *ret)
{
    struct shapes shapes = { 0 };

    *ret = (struct index_duplicates){ 0 };
    for (size_t i = 0; i < states->items.count; i++)
        if (index_state_is_good(&states->items.items[i]))
            add_shape(arena, &states->items.items[i], &shapes);
    for (size_t i = 0; i < shapes.count; i++) {
        const struct shape *narrow = &shapes.items[i];
        const struct shape *wide = may_go(narrow->index) ? find_better(&shapes, narrow) : NULL;
        struct index_duplicate duplicate = { .needless = narrow->index };
        bool is_reversed;

        if (!wide || !is_served(narrow, wide, &is_reversed))
            continue;
        duplicate.stays = wide->index;
        duplicate.why = describe(arena, narrow, wide, is_reversed, &duplicate.kind);
        VEC_PUSH(arena, ret, duplicate);
    }
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof(ret->items[0]), compare_size);
}
