/* Answers of the loop and rows of the rewrite, group by group. */
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "queries/rewrite/prove_part.h"

enum { MOST_SHOWN = 400, MOST_SHOWN_CELL = 60 };

const char *
prove_tuple(struct arena *arena, const char *const *cells, size_t count)
{
    struct buffer buffer = { .arena = arena };

    for (size_t i = 0; i < count; i++) {
        if (cells[i])
            buffer_printf(&buffer, "%zu:%s,", strlen(cells[i]), cells[i]);
        else
            buffer_add(&buffer, "-,");
    }
    return buffer_text(&buffer);
}

/* ---- which column is what ---- */

static bool
find_places(struct proving *proving, const struct result *result, size_t first)
{
    size_t at = first;

    for (size_t i = 0; i < proving->child_count; i++) {
        const struct prove_child *child = &proving->children[i];
        struct prove_place *place = &proving->places[i];
        const char *mark = arena_printf(proving->ctx->arena, "has_%zu", child->number + 1);

        *place = (struct prove_place){ 0 };
        if (at < result->columns && strcmp(result->names[at], mark) == 0) {
            place->has_mark = true;
            place->mark = at++;
        }
        place->first = at;
        at += child->columns;
    }
    return at == result->columns;
}

static const char *
names_of(struct arena *arena, const char *const *names, size_t count)
{
    struct text_list list = { 0 };

    for (size_t i = 0; i < count; i++)
        text_list_add(arena, &list, names[i]);
    return text_list_join(arena, &list, ", ");
}

bool
prove_places(struct proving *proving, const struct result *result)
{
    struct ctx *ctx = proving->ctx;
    bool is_joined = proving->rewrite->form == REWRITE_JOINED;
    size_t parent = proving->parent_columns;
    bool has_number = result->columns > 0 && strcmp(result->names[0], "key_ord") == 0;
    struct text_list wanted = { 0 };

    proving->places = ARENA_ARRAY(ctx->arena, struct prove_place, proving->child_count);
    proving->is_by_number = !is_joined && has_number;
    proving->group_first = is_joined && has_number;
    proving->group_columns = is_joined ? parent : 1;
    if (find_places(proving, result, proving->group_first + proving->group_columns))
        return true;
    proving->group_first = 0;
    proving->group_columns = 1;
    if (is_joined && !has_number && find_places(proving, result, 1))
        return true;
    for (size_t i = 0; i < proving->child_count; i++)
        text_list_add(ctx->arena, &wanted,
            names_of(ctx->arena, proving->children[i].names, proving->children[i].columns));
    error_set(ctx, ERR_INPUT,
        "the rewrite gives %zu columns (%s); what is compared is the key%s, then the columns of the "
        "loop's statements (%s)",
        result->columns, names_of(ctx->arena, result->names, result->columns),
        is_joined ? ", or all columns of the parent" : "",
        text_list_join(ctx->arena, &wanted, "; "));
    return error_hint(ctx,
        "A boolean has_1, has_2 … may stand before the columns of the first, second … "
        "statement: it tells whether that gave a row.");
}

/* ---- rows ---- */

/* Some rows: pointers at their first cells. */
struct some {
    const char *const **items;
    size_t count;
    size_t capacity;
};

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **
sorted_tuples(struct arena *arena, const struct some *rows, size_t columns, size_t times)
{
    const char **tuples = ARENA_ARRAY(arena, const char *, rows->count *times + 1);
    size_t count = 0;

    for (size_t i = 0; i < rows->count; i++) {
        const char *text = prove_tuple(arena, rows->items[i], columns);

        for (size_t k = 0; k < times; k++)
            tuples[count++] = text;
    }
    qsort(tuples, count, sizeof(*tuples), by_text);
    return tuples;
}

static bool
are_same_in_order(const struct some *a, const struct some *b, size_t columns)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < columns; k++)
            if (!text_equal(a->items[i][k], b->items[i][k]))
                return false;
    return true;
}

static bool
are_same_in_any_order(struct arena *arena, const struct some *loop, const struct some *found,
    size_t columns, size_t times)
{
    const char **left = sorted_tuples(arena, loop, columns, times);
    const char **right = sorted_tuples(arena, found, columns, 1);

    for (size_t i = 0; i < found->count; i++)
        if (strcmp(left[i], right[i]) != 0)
            return false;
    return true;
}

static bool
is_all_null(const char *const *cells, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        if (cells[i])
            return false;
    return true;
}

static struct some
rows_of(struct arena *arena, const struct result *result)
{
    struct some rows = { 0 };

    for (size_t i = 0; i < result->rows; i++)
        VEC_PUSH(arena, &rows, &result->cells[i * result->columns]);
    return rows;
}

/* The rows of a bucket that are the child's. */
static struct some
child_rows(struct arena *arena, const struct some *bucket, const struct prove_place *place,
    const struct prove_child *child, bool loop_is_empty)
{
    struct some rows = { 0 };

    for (size_t i = 0; bucket && i < bucket->count; i++) {
        const char *const *cells = bucket->items[i];

        if (place->has_mark && !text_equal(cells[place->mark], "t"))
            continue;
        /* Without a mark an outer join can only say by NULLs that there is no row. */
        if (!place->has_mark && loop_is_empty && is_all_null(cells + place->first, child->columns))
            continue;
        VEC_PUSH(arena, &rows, cells + place->first);
    }
    return rows;
}

/* ---- what differs, in words ---- */

static const char *
shown(struct proving *proving, const struct some *rows, const struct prove_child *child)
{
    json_t *list CLEANUP(json_release) = json_array();
    const char *text;
    size_t length = MOST_SHOWN;

    for (size_t i = 0; i < rows->count && i < MOST_SHOWN / 8; i++) {
        json_t *row = json_object();

        for (size_t k = 0; k < child->columns; k++) {
            const char *cell = rows->items[i][k];

            json_object_set_new(row, child->names[k], cell ? json_string(cell) : json_null());
        }
        json_array_append_new(list, row);
    }
    text = json_text(proving->ctx->arena, list);
    if (strlen(text) <= MOST_SHOWN)
        return text;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    return arena_printf(proving->ctx->arena, "%.*s…", (int)length, text);
}

/* The first is shown, all are counted. */
static void
differ(struct proving *proving, const struct proof_difference *difference)
{
    if (proving->proof->differing == 0)
        proving->proof->difference = *difference;
    proving->proof->differing++;
}

static const char *
shorten(struct arena *arena, const char *text)
{
    size_t length = strlen(text);

    if (length <= MOST_SHOWN_CELL)
        return text;
    length = MOST_SHOWN_CELL;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    return arena_printf(arena, "%.*s…", (int)length, text);
}

static const char *
prefix_of(struct proving *proving, const struct prove_child *child)
{
    return proving->input->child_count > 1
               ? arena_printf(proving->ctx->arena, "statement %zu: ", child->number + 1)
               : "";
}

/* times: how often each row of the loop may come; 0: only the order is another. */
static const char *
what_differs(struct proving *proving, const struct prove_child *child, const struct some *loop,
    const struct some *found, size_t times)
{
    struct arena *arena = proving->ctx->arena;
    const char *prefix = prefix_of(proving, child);

    if (times == 0)
        return arena_printf(arena, "%sanother order", prefix);
    if (found->count != loop->count * times)
        return arena_printf(arena, "%s%zu rows instead of %zu", prefix, found->count, loop->count);
    for (size_t k = 0; loop->count == 1 && k < found->count; k++)
        for (size_t i = 0; i < child->columns; i++)
            if (!text_equal(loop->items[0][i], found->items[k][i]))
                return arena_printf(arena, "%s%s is %s instead of %s", prefix, child->names[i],
                    found->items[k][i] ? shorten(arena, found->items[k][i]) : "NULL",
                    loop->items[0][i] ? shorten(arena, loop->items[0][i]) : "NULL");
    return arena_printf(arena, "%sother rows", prefix);
}

/* ---- groups ---- */

/* How often each row of the loop may come: once, or once for each of several like parents. */
static size_t
times_of(const struct prove_group *group, size_t loop, size_t found)
{
    return group->times > 1 && loop > 0 && found == loop * group->times ? group->times : 1;
}

static bool
compare_child(struct proving *proving, const struct prove_group *group, size_t number,
    const struct some *bucket, bool *ret_is_same)
{
    struct arena *arena = proving->ctx->arena;
    const struct prove_child *child = &proving->children[number];
    struct some loop = rows_of(arena, &group->answers[number]);
    struct some found = child_rows(arena, bucket, &proving->places[number], child, loop.count == 0);
    size_t times = times_of(group, loop.count, found.count);
    bool is_count = found.count == loop.count * times;
    bool is_set = is_count && are_same_in_any_order(arena, &loop, &found, child->columns, times);
    bool is_fixed = child->order.is_ordered && times == 1;
    bool is_same = is_set && (!is_fixed || are_same_in_order(&loop, &found, child->columns));

    if (!is_same && is_count && times == 1 && (is_fixed || child->order.is_limited)) {
        if (!prove_is_open(proving, child, group->args[number], found.items, found.count, &is_same))
            return false;
        proving->proof->open_orders += is_same;
    }
    *ret_is_same = is_same;
    if (!is_same)
        differ(
            proving, &(const struct proof_difference){ .has_key = true,
                         .key = group->key,
                         .parameters = group->parameters,
                         .loop = shown(proving, &loop, child),
                         .rewrite = shown(proving, &found, child),
                         .what = what_differs(proving, child, &loop, &found, is_set ? 0 : times) });
    return true;
}

/* The parent's row comes even where no child gives anything. */
static bool
has_parent_row(struct proving *proving, const struct prove_group *group, const struct some *bucket)
{
    if (!group->row || bucket || proving->group_columns != proving->parent_columns)
        return true;
    differ(proving, &(const struct proof_difference){ .has_key = true,
                        .key = group->key,
                        .parameters = group->parameters,
                        .loop = "the parent's row",
                        .rewrite = "none",
                        .what = "the parent's row is missing" });
    return false;
}

static bool
compare_group(struct proving *proving, const struct prove_group *group, const struct some *bucket)
{
    bool is_same = has_parent_row(proving, group, bucket);

    for (size_t i = 0; i < proving->child_count && is_same; i++)
        if (!compare_child(proving, group, i, bucket, &is_same))
            return false;
    return true;
}

/* Whether the parents' rows come as the parent alone gives them; by key they are looked up anyhow. */
static bool
compare_order(struct proving *proving, const struct prove_group *groups, size_t count,
    const struct text_list *seen)
{
    struct arena *arena = proving->ctx->arena;
    const struct prove_child parent = {
        .statement = proving->parent,
        .order = proving->parent_order,
        .columns = proving->parent_columns,
    };
    struct map by_tuple = { .arena = arena };
    struct some rows = { 0 };
    bool is_same = true;

    if (count == 0 || !groups[0].row || proving->group_columns != proving->parent_columns ||
        !proving->parent_order.is_ordered || seen->count != count)
        return true;
    for (size_t i = 0; i < count; i++) {
        is_same = is_same && strcmp(groups[i].tuple, seen->items[i]) == 0;
        if (groups[i].times > 1)
            return true;
        map_set(
            &by_tuple, groups[i].tuple, arena_memdup(arena, &groups[i].row, sizeof(groups[i].row)));
    }
    for (size_t i = 0; i < count; i++) {
        const char *const **row = map_get(&by_tuple, seen->items[i]);

        if (!row)
            return true;
        VEC_PUSH(arena, &rows, *row);
    }
    if (is_same)
        return true;
    if (!prove_is_open(proving, &parent, proving->parent_args, rows.items, count, &is_same))
        return false;
    proving->proof->open_orders += is_same;
    if (!is_same)
        differ(proving, &(const struct proof_difference){ .parameters = groups[0].parameters,
                            .loop = "the parent's order",
                            .rewrite = "another",
                            .what = "the parent's rows come in another order" });
    return true;
}

bool
prove_compare(struct proving *proving, const struct prove_group *groups, size_t count,
    const struct result *result)
{
    struct arena *arena = proving->ctx->arena;
    struct map buckets = { .arena = arena };
    struct map wanted = { .arena = arena };
    struct text_list seen = { 0 };
    int64_t before = proving->proof->differing;

    for (size_t i = 0; i < result->rows; i++) {
        const char *const *cells = &result->cells[i * result->columns];
        const char *tuple =
            prove_tuple(arena, cells + proving->group_first, proving->group_columns);
        struct some *bucket = map_get(&buckets, tuple);

        if (!bucket) {
            bucket = ARENA_NEW(arena, struct some);
            map_set(&buckets, tuple, bucket);
            text_list_add(arena, &seen, tuple);
        }
        VEC_PUSH(arena, bucket, cells);
    }
    for (size_t i = 0; i < count; i++) {
        map_set(&wanted, groups[i].tuple, &buckets);
        if (!compare_group(proving, &groups[i], map_get(&buckets, groups[i].tuple)))
            return false;
    }
    for (size_t i = 0; i < seen.count; i++) {
        const struct some *bucket = map_get(&buckets, seen.items[i]);

        if (!map_get(&wanted, seen.items[i]))
            differ(proving, &(const struct proof_difference){ .has_key = true,
                                .key = bucket->items[0][proving->group_first],
                                .parameters = count > 0 ? groups[0].parameters : NULL,
                                .loop = "none",
                                .rewrite = arena_printf(arena, "%zu rows", bucket->count),
                                .what = "rows for a key that was not asked for" });
    }
    return proving->proof->differing > before || compare_order(proving, groups, count, &seen);
}
