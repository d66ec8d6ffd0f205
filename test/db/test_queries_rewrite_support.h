/*
 * Loops and their rewrites side by side in plain SQL: each statement of a loop is run as an application
 * would, with its values bound, and every form that was written has to give each key the same.
 */
#pragma once

#include "support/test.h"

#include <stdlib.h>

#include "base/map.h"
#include "db/db.h"
#include "queries/rewrite/rewrite.h"

#define DATABASE "pgmend_test_queries_rewrite"

enum { MOST_CHILDREN = 3, MOST_SLOTS = 8, MOST_KEYS = 64 };

struct bench {
    struct ctx ctx;
    struct db *admin;
    struct db *db;
    struct map asked; /* answers of the loop, by statement and values */
};

/*
 * A loop, and the forms it must be possible in: A, G (each once a child), L and J.
 * Slots, with "|" between: "k0" the parent's column 0, "c=7" a constant of the text, "b=7" a bound one,
 * "p0=7" the parent's value 0, "v" a value that varies.
 */
struct looping {
    const char *name;
    const char *parent;
    const char *parent_values; /* of $1 …, with "|" between */
    int32_t key;
    const char *children[MOST_CHILDREN];
    const char *slots[MOST_CHILDREN];
    const char *keys; /* without a parent: with "|" between */
    const char *forms;
    const char *refused; /* in one of the reasons, or in the error when forms is "" */
};

static inline void
must(struct bench *bench, bool is_good, const char *what)
{
    if (!is_good)
        fail_msg("%s: %s", what, bench->ctx.error.message);
}

/* The parts of a text with "|" between; "~" is NULL. */
static inline size_t
parts_of(struct bench *bench, const char *text, const char *ret[], size_t most)
{
    size_t count = 0;

    for (const char *at = text; at && *at; count++) {
        size_t length = strcspn(at, "|");

        assert_true(count < most);
        ret[count] = arena_strndup(bench->ctx.arena, at, length);
        if (strcmp(ret[count], "~") == 0)
            ret[count] = NULL;
        at += length + (at[length] == '|');
    }
    return count;
}

/* The digits at the start of a text. */
static inline int32_t
digits_of(const char *text)
{
    int32_t number = 0;

    while (*text >= '0' && *text <= '9')
        number = number * 10 + (*text++ - '0');
    return number;
}

static inline struct query_slot
slot_of(struct bench *bench, const char *text)
{
    const char *value = strchr(text, '=');
    struct query_slot slot = { .column = -1, .text = value ? value + 1 : NULL };

    (void)bench;
    switch (*text) {
    case 'k':
        slot.origin = SLOT_KEY;
        slot.column = digits_of(text + 1);
        break;
    case 'p':
        slot.origin = SLOT_PARAM;
        slot.column = digits_of(text + 1);
        break;
    case 'v':
        slot.origin = SLOT_VARIES;
        break;
    case 'b':
        slot.is_bound = true;
        slot.origin = SLOT_CONSTANT;
        break;
    default:
        slot.origin = SLOT_CONSTANT;
        break;
    }
    return slot;
}

/* The loop as rewrite_write() takes it. */
static inline struct rewrite_input
input_of(struct bench *bench, const struct looping *looping)
{
    struct arena *arena = bench->ctx.arena;
    struct rewrite_child *children = ARENA_ARRAY(arena, struct rewrite_child, MOST_CHILDREN);
    struct query_slot *values = ARENA_ARRAY(arena, struct query_slot, MOST_SLOTS);
    const char *parts[MOST_SLOTS];
    struct rewrite_input input = {
        .parent_sql = looping->parent,
        .parent_slots = values,
        .key_column = looping->key,
        .children = children,
    };

    input.parent_slot_count = parts_of(bench, looping->parent_values, parts, MOST_SLOTS);
    for (size_t i = 0; i < input.parent_slot_count; i++)
        values[i] = (struct query_slot){ .origin = SLOT_CONSTANT, .column = -1, .text = parts[i] };
    while (input.child_count < MOST_CHILDREN && looping->children[input.child_count]) {
        struct rewrite_child *child = &children[input.child_count];
        struct query_slot *slots = ARENA_ARRAY(arena, struct query_slot, MOST_SLOTS);

        child->sql = looping->children[input.child_count];
        child->slots = slots;
        child->slot_count = parts_of(bench, looping->slots[input.child_count], parts, MOST_SLOTS);
        for (size_t i = 0; i < child->slot_count; i++)
            slots[i] = slot_of(bench, parts[i]);
        input.child_count++;
    }
    return input;
}

/* Rows as lines. */
struct lines {
    const char *items[4096];
    size_t count;
};

static inline const char *
line_of(struct bench *bench, const struct result *result, size_t row, size_t first, size_t count)
{
    struct buffer buffer = { .arena = bench->ctx.arena };

    for (size_t i = first; i < first + count; i++) {
        const char *cell = result_cell(result, row, i);

        buffer_printf(&buffer, "%s|", cell ? cell : "\\N");
    }
    return buffer_text(&buffer);
}

static inline void
add_line(struct lines *lines, const char *line)
{
    assert_true(lines->count < COUNT_OF(lines->items));
    lines->items[lines->count++] = line;
}

static inline int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Without an ORDER BY the rows may come in any order. */
static inline void
assert_lines(
    struct lines *rewrite, struct lines *loop, bool is_ordered, const char *what, const char *sql)
{
    if (!is_ordered) {
        qsort(rewrite->items, rewrite->count, sizeof(char *), compare_lines);
        qsort(loop->items, loop->count, sizeof(char *), compare_lines);
    }
    if (rewrite->count != loop->count)
        fail_msg("%s: %zu rows instead of %zu by\n%s", what, rewrite->count, loop->count, sql);
    for (size_t i = 0; i < loop->count; i++)
        if (strcmp(rewrite->items[i], loop->items[i]) != 0)
            fail_msg("%s: %s instead of %s by\n%s", what, rewrite->items[i], loop->items[i], sql);
}

/* One round of the loop: a child with the values of one key. */
static inline void
run_child(struct bench *bench, const struct rewrite_child *child, const char *const row[],
    struct result *ret)
{
    struct buffer name = { .arena = bench->ctx.arena };
    const char *params[MOST_SLOTS];
    struct result *known;

    buffer_add(&name, child->sql);
    for (size_t i = 0; i < child->slot_count; i++) {
        const struct query_slot *slot = &child->slots[i];

        params[i] = slot->text;
        if (slot->origin == SLOT_KEY)
            params[i] = row[slot->column];
        else if (slot->origin == SLOT_VARIES)
            params[i] = row[0];
        buffer_printf(&name, "\x1f%s", params[i] ? params[i] : "\x1e");
    }
    known = map_get(&bench->asked, buffer_text(&name));
    if (!known) {
        known = ARENA_NEW(bench->ctx.arena, struct result);
        must(bench, db_query(&bench->ctx, bench->db, child->sql, params, child->slot_count, known),
            child->sql);
        map_set(&bench->asked, buffer_text(&name), known);
    }
    *ret = *known;
}

/* An array of keys as the server reads it. */
static inline const char *
array_of(struct bench *bench, const char *const keys[], size_t count)
{
    struct buffer buffer = { .arena = bench->ctx.arena };

    buffer_add(&buffer, "{");
    for (size_t i = 0; i < count; i++) {
        buffer_add(&buffer, i ? "," : "");
        if (!keys[i]) {
            buffer_add(&buffer, "NULL");
            continue;
        }
        buffer_add(&buffer, "\"");
        for (const char *at = keys[i]; *at; at++)
            buffer_printf(&buffer, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
        buffer_add(&buffer, "\"");
    }
    buffer_add(&buffer, "}");
    return buffer_text(&buffer);
}

/* Runs a rewrite with the examples of its slots as values. */
static inline void
run_rewrite(struct bench *bench, const struct rewrite_input *input, const struct rewrite *rewrite,
    const char *keys, struct result *ret)
{
    const char *params[MOST_SLOTS * MOST_CHILDREN];
    size_t count = 0;

    if (rewrite->form != REWRITE_JOINED)
        params[count++] = keys;
    for (size_t i = 0; i < rewrite->param_count; i++) {
        const struct rewrite_param *param = &rewrite->params[i];
        const struct query_slot *slot = param->child < 0
                                            ? &input->parent_slots[param->slot]
                                            : &input->children[param->child].slots[param->slot];

        assert_true(slot->origin != SLOT_KEY);
        assert_true(text_equal(slot->text, param->text));
        assert_non_null(param->type_name);
        params[count++] = param->text;
    }
    must(bench, db_query(&bench->ctx, bench->db, rewrite->sql, params, count, ret), rewrite->sql);
    assert_int_equal(ret->columns, rewrite->column_count);
    for (size_t i = 0; i < ret->columns; i++)
        assert_string_equal(ret->names[i], rewrite->columns[i].name);
}
