#include "base/unified_diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"

/* DISTANCE_MAX bounds the memory, which grows with its square. */
enum { CONTEXT = 3, DISTANCE_MAX = 1500 };

struct line {
    const char *text;
    size_t length; /* with its line feed */
};

struct lines {
    struct line *items;
    size_t count;
    size_t capacity;
};

/* What becomes of the lines: kept ones stand in both texts. */
enum op_kind { OP_KEEP, OP_REMOVE, OP_ADD };

struct op {
    enum op_kind kind;
    size_t old_at;
    size_t new_at;
};

struct ops {
    struct op *items;
    size_t count;
    size_t capacity;
};

struct compared {
    struct arena *arena;
    struct lines old_lines;
    struct lines new_lines;
    struct ops ops;
};

static void
split(struct arena *arena, const char *text, struct lines *ret)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        length += text[length] == '\n';
        VEC_PUSH(arena, ret, (struct line){ .text = text, .length = length });
        text += length;
    }
}

static bool
is_same(const struct compared *compared, size_t old_at, size_t new_at)
{
    const struct line *old_line = &compared->old_lines.items[old_at];
    const struct line *new_line = &compared->new_lines.items[new_at];

    return old_line->length == new_line->length &&
           memcmp(old_line->text, new_line->text, old_line->length) == 0;
}

static void
add_op(struct compared *compared, enum op_kind kind, size_t old_at, size_t new_at)
{
    VEC_PUSH(compared->arena, &compared->ops,
        (struct op){ .kind = kind, .old_at = old_at, .new_at = new_at });
}

/* The part of both texts between what they begin and end with in common. */
struct middle {
    size_t start;
    size_t old_count;
    size_t new_count;
};

/*
 * The furthest old line on each diagonal after distance edits, and so for each distance. Diagonal k
 * is at [distance + k].
 */
struct trace {
    size_t **reach;
    size_t distance;
    bool is_found;
};

static size_t
step_down(const size_t *before, size_t distance, ptrdiff_t k)
{
    ptrdiff_t at = (ptrdiff_t)distance - 1 + k;
    bool is_first = k == -(ptrdiff_t)distance, is_last = k == (ptrdiff_t)distance;

    if (distance == 0)
        return 0;
    if (is_first || (!is_last && before[at - 1] < before[at + 1]))
        return before[at + 1];
    return before[at - 1] + 1;
}

/* Follows the diagonals one edit further; true when the end of both texts is reached. */
static bool
advance(const struct compared *compared, const struct middle *middle, struct trace *trace)
{
    size_t distance = trace->distance;
    const size_t *before = distance ? trace->reach[distance - 1] : NULL;
    size_t *now = ARENA_ARRAY(compared->arena, size_t, 2 * distance + 1);

    trace->reach[distance] = now;
    for (ptrdiff_t k = -(ptrdiff_t)distance; k <= (ptrdiff_t)distance; k += 2) {
        size_t x = step_down(before, distance, k);
        ptrdiff_t y = (ptrdiff_t)x - k;

        while (y >= 0 && x < middle->old_count && (size_t)y < middle->new_count &&
               is_same(compared, middle->start + x, middle->start + (size_t)y)) {
            x++;
            y++;
        }
        now[(ptrdiff_t)distance + k] = x;
        if (x >= middle->old_count && y >= (ptrdiff_t)middle->new_count)
            return true;
    }
    return false;
}

static void
search(const struct compared *compared, const struct middle *middle, struct trace *trace)
{
    size_t most = middle->old_count + middle->new_count;

    most = most < DISTANCE_MAX ? most : DISTANCE_MAX;
    trace->reach = ARENA_ARRAY(compared->arena, size_t *, most + 1);
    for (trace->distance = 0; trace->distance <= most; trace->distance++) {
        trace->is_found = advance(compared, middle, trace);
        if (trace->is_found)
            return;
    }
}

/* The way back from the end, so that ops come out in reverse. */
static void
walk_back(struct compared *compared, const struct middle *middle, const struct trace *trace)
{
    size_t x = middle->old_count, y = middle->new_count;

    for (size_t distance = trace->distance; distance > 0; distance--) {
        const size_t *before = trace->reach[distance - 1];
        ptrdiff_t k = (ptrdiff_t)x - (ptrdiff_t)y;
        ptrdiff_t at = (ptrdiff_t)distance - 1 + k;
        bool is_add = k == -(ptrdiff_t)distance ||
                      (k != (ptrdiff_t)distance && before[at - 1] < before[at + 1]);
        size_t from_x = is_add ? before[at + 1] : before[at - 1];
        size_t from_y = (size_t)((ptrdiff_t)from_x - (is_add ? k + 1 : k - 1));

        while (x > from_x + !is_add && y > from_y + is_add)
            add_op(compared, OP_KEEP, middle->start + --x, middle->start + --y);
        if (is_add)
            add_op(compared, OP_ADD, middle->start + x, middle->start + --y);
        else
            add_op(compared, OP_REMOVE, middle->start + --x, middle->start + y);
    }
    while (x > 0 && y > 0)
        add_op(compared, OP_KEEP, middle->start + --x, middle->start + --y);
}

static void
replace_all(struct compared *compared, const struct middle *middle)
{
    for (size_t i = middle->new_count; i > 0; i--)
        add_op(compared, OP_ADD, middle->start + middle->old_count, middle->start + i - 1);
    for (size_t i = middle->old_count; i > 0; i--)
        add_op(compared, OP_REMOVE, middle->start + i - 1, middle->start);
}

static void
reverse(struct ops *ops)
{
    for (size_t i = 0, k = ops->count; i + 1 < k; i++, k--) {
        struct op op = ops->items[i];

        ops->items[i] = ops->items[k - 1];
        ops->items[k - 1] = op;
    }
}

static void
compare(struct compared *compared)
{
    size_t old_count = compared->old_lines.count, new_count = compared->new_lines.count;
    size_t start = 0, end = 0;
    struct trace trace = { 0 };

    while (start < old_count && start < new_count && is_same(compared, start, start))
        start++;
    while (end < old_count - start && end < new_count - start &&
           is_same(compared, old_count - end - 1, new_count - end - 1))
        end++;

    struct middle middle = { start, old_count - start - end, new_count - start - end };

    for (size_t i = 0; i < end; i++)
        add_op(compared, OP_KEEP, old_count - i - 1, new_count - i - 1);
    search(compared, &middle, &trace);
    if (trace.is_found)
        walk_back(compared, &middle, &trace);
    else
        replace_all(compared, &middle);
    for (size_t i = start; i > 0; i--)
        add_op(compared, OP_KEEP, i - 1, i - 1);
    reverse(&compared->ops);
}

/* Names with a space end with a tab, and odd ones are quoted, as GNU diff and Git do. */
static void
add_name(struct buffer *out, const char *mark, const char *name)
{
    buffer_printf(out, "%s ", mark);
    if (!name) {
        buffer_add(out, "/dev/null\n");
        return;
    }
    if (!strpbrk(name, "\"\\\n\r\t")) {
        buffer_printf(out, "%s%s\n", name, strchr(name, ' ') ? "\t" : "");
        return;
    }
    buffer_add(out, "\"");
    for (const char *at = name; *at; at++) {
        if (*at == '"' || *at == '\\')
            buffer_printf(out, "\\%c", *at);
        else if (*at == '\n' || *at == '\r' || *at == '\t')
            buffer_printf(out, "\\%c", *at == '\n' ? 'n' : *at == '\r' ? 'r' : 't');
        else
            buffer_append(out, at, 1);
    }
    buffer_add(out, "\"\n");
}

/* "12,3": an empty range stands behind the line before it. */
static void
add_range(struct buffer *out, char mark, size_t start, size_t count)
{
    buffer_printf(out, "%c%zu", mark, count ? start + 1 : start);
    if (count != 1)
        buffer_printf(out, ",%zu", count);
}

static void
add_line(struct buffer *out, char mark, const struct line *line)
{
    buffer_append(out, &mark, 1);
    buffer_append(out, line->text, line->length);
    if (line->text[line->length - 1] != '\n')
        buffer_add(out, "\n\\ No newline at end of file\n");
}

static void
add_hunk(struct buffer *out, const struct compared *compared, size_t first, size_t last)
{
    const struct op *ops = compared->ops.items;
    size_t old_count = 0, new_count = 0;

    for (size_t i = first; i < last; i++) {
        old_count += ops[i].kind != OP_ADD;
        new_count += ops[i].kind != OP_REMOVE;
    }
    buffer_add(out, "@@ ");
    add_range(out, '-', ops[first].old_at, old_count);
    buffer_add(out, " ");
    add_range(out, '+', ops[first].new_at, new_count);
    buffer_add(out, " @@\n");
    for (size_t i = first; i < last; i++)
        if (ops[i].kind == OP_ADD)
            add_line(out, '+', &compared->new_lines.items[ops[i].new_at]);
        else
            add_line(
                out, ops[i].kind == OP_KEEP ? ' ' : '-', &compared->old_lines.items[ops[i].old_at]);
}

static size_t
next_change(const struct ops *ops, size_t from)
{
    while (from < ops->count && ops->items[from].kind == OP_KEEP)
        from++;
    return from;
}

/* Removed lines come before added ones where both stand in one place. */
static void
order(struct ops *ops)
{
    for (size_t i = 1; i < ops->count; i++)
        for (size_t k = i;
             k > 0 && ops->items[k].kind == OP_REMOVE && ops->items[k - 1].kind == OP_ADD; k--) {
            struct op op = ops->items[k];

            op.new_at = ops->items[k - 1].new_at;
            ops->items[k] = ops->items[k - 1];
            ops->items[k].old_at = op.old_at + 1;
            ops->items[k - 1] = op;
        }
}

const char *
unified_diff(struct arena *arena, const struct unified_diff *diff)
{
    struct compared compared = { .arena = arena };
    struct buffer out = { .arena = arena };

    split(arena, diff->old_text, &compared.old_lines);
    split(arena, diff->new_text, &compared.new_lines);
    compare(&compared);
    order(&compared.ops);

    const struct ops *ops = &compared.ops;

    for (size_t at = next_change(ops, 0); at < ops->count;) {
        size_t first = at > CONTEXT ? at - CONTEXT : 0;
        size_t last = at;

        if (out.length == 0) {
            add_name(&out, "---", diff->old_name);
            add_name(&out, "+++", diff->new_name);
        }
        /* Changes with at most twice the context between them share a hunk. */
        for (at = next_change(ops, at); at < ops->count && at - last <= 2 * CONTEXT;
             at = next_change(ops, last))
            last = at + 1;
        last = last + CONTEXT < ops->count ? last + CONTEXT : ops->count;
        add_hunk(&out, &compared, first, last);
    }
    return buffer_text(&out);
}
