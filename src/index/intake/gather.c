#include <ctype.h>
#include <math.h>
#include <strings.h>

#include "index/intake/intake_part.h"

enum { LONGEST_SAMPLE = 256 * 1024 };

struct gathered {
    struct intake_statement row;
    const char *first; /* the text that was seen first */
    struct literals literals;
    bool *varies; /* of each: it was something else in another text */
    bool *is_list;
    size_t list_count;
    size_t param_count; /* highest $n of it */
    bool has_constants;
    bool is_left_out; /* our own */
};

void
gather_begin(struct arena *arena, struct gather *ret)
{
    *ret = (struct gather){
        .arena = arena,
        .scratch = arena_new(),
        .templates = templates_new(arena),
        .by_key = { .arena = arena },
    };
    intake_own_statements(arena, &ret->own);
}

void
gather_end(struct gather *gather)
{
    templates_free(gather->templates);
    arena_free(gather->scratch);
    gather->templates = NULL;
    gather->scratch = NULL;
}

static void
keep_literals(struct gather *gather, struct gathered *item, const struct literals *literals)
{
    size_t count = literals->count;

    item->literals = *literals;
    item->literals.items = NULL;
    if (count > 0)
        item->literals.items =
            arena_memdup(gather->arena, literals->items, sizeof(literals->items[0]) * count);
    item->varies = ARENA_ARRAY(gather->arena, bool, count + 1);
    item->is_list = ARENA_ARRAY(gather->arena, bool, count + 1);
    intake_lists(item->first, &item->literals, item->is_list);
    for (size_t i = 0; i < count; i++)
        item->list_count += item->is_list[i];
}

static struct gathered *
make_item(struct gather *gather, const struct template *template, const char *key, const char *sql,
    const struct gather_seen *seen)
{
    struct gathered *item = ARENA_NEW(gather->arena, struct gathered);
    const char *fingerprint = template->fingerprint;

    if (template->kind == TEMPLATE_UNKNOWN && seen->fingerprint)
        fingerprint = seen->fingerprint;
    item->first = arena_strdup(gather->arena, sql);
    item->param_count = template->param_count;
    item->has_constants = seen->has_constants;
    item->row = (struct intake_statement){
        .fingerprint = arena_strdup(gather->arena, fingerprint),
        .source = arena_strdup(gather->arena, seen->source),
        .total_ms = -1,
        .rows = -1,
        .is_read = template->kind == TEMPLATE_READ,
        .problem = seen->problem
                       ? seen->problem
                       : intake_problem(gather->arena, template, item->first, seen->cut_bytes),
    };
    item->is_left_out = intake_is_own(gather->scratch, &gather->own,
        template->kind == TEMPLATE_UNKNOWN ? NULL : fingerprint, sql);
    if (!item->is_left_out)
        VEC_PUSH(gather->arena, &gather->items, item);
    map_set(&gather->by_key, arena_strdup(gather->arena, key), item);
    return item;
}

static void
add_number(double *sum, double number)
{
    if (number >= 0)
        *sum = fmax(*sum, 0) + number;
}

static bool
is_same(const char *a, const struct literal *left, const char *b, const struct literal *right)
{
    size_t length = left->end - left->start;

    return length == right->end - right->start &&
           memcmp(a + left->start, b + right->start, length) == 0 &&
           (left->start > 0 && right->start > 0 &&
               (a[left->start - 1] == '-') == (b[right->start - 1] == '-'));
}

/* Constants outside of lists stand in the same order, whatever the lengths of the lists. */
static void
compare_outside(
    struct gather *gather, struct gathered *item, const char *sql, const struct literals *literals)
{
    bool *is_list = ARENA_ARRAY(gather->scratch, bool, literals->count + 1);
    size_t outside = 0;
    size_t next = 0;

    intake_lists(sql, literals, is_list);
    for (size_t i = 0; i < literals->count; i++)
        outside += !is_list[i];

    bool can_pair = outside == item->literals.count - item->list_count;

    for (size_t i = 0; i < item->literals.count; i++) {
        if (item->is_list[i] || !can_pair) {
            item->varies[i] = true;
            continue;
        }
        while (is_list[next])
            next++;
        item->varies[i] |=
            !is_same(item->first, &item->literals.items[i], sql, &literals->items[next]);
        next++;
    }
}

static void
compare(
    struct gather *gather, struct gathered *item, const char *sql, const struct literals *literals)
{
    if (strcmp(sql, item->first) == 0)
        return;
    if (literals->count != item->literals.count) {
        compare_outside(gather, item, sql, literals);
        return;
    }
    for (size_t i = 0; i < literals->count; i++)
        if (!item->varies[i])
            item->varies[i] =
                !is_same(item->first, &item->literals.items[i], sql, &literals->items[i]);
}

static void
add_sample(
    struct gather *gather, struct gathered *item, const char *sql, const struct gather_seen *seen)
{
    const char *sample = seen->sample;

    if (item->row.samples.count >= INTAKE_MOST_SAMPLES || item->row.problem)
        return;
    if (!sample && item->param_count == 0)
        sample = sql;
    else if (!sample && seen->param_count > 0)
        sample = intake_fill(gather->scratch, sql, seen->params, seen->param_count);
    if (!sample || strlen(sample) > LONGEST_SAMPLE || text_list_has(&item->row.samples, sample))
        return;
    text_list_add(gather->arena, &item->row.samples, arena_strdup(gather->arena, sample));
}

static size_t
count_lists(const char *text)
{
    size_t lists = 0;

    for (const char *at = strcasestr(text, "in"); at; at = strcasestr(at + 2, "in")) {
        const char *next = at + 2 + strspn(at + 2, " \t\r\n");

        if ((at == text || isspace((unsigned char)at[-1])) && *next == '(' &&
            strncasecmp(next + 1 + strspn(next + 1, " \t\r\n"), "select", 6) != 0)
            lists++;
    }
    return lists;
}

/*
 * libpg_query's fingerprint leaves digits in names of tables out, and is the same for "x = 1" and
 * "x IN (1, 2)". Indexes are of one table, and give the order of the first alone: so both are told here.
 */
static const char *
key_of(struct arena *arena, const char *fingerprint, const char *text)
{
    struct buffer key = { .arena = arena };
    size_t length;

    buffer_printf(&key, "%s/%zu", fingerprint, count_lists(text));
    for (const char *at = text; *at; at += length) {
        bool has_digit = false;

        for (length = 0; isalnum((unsigned char)at[length]) || strchr("_$", at[length]); length++) {
            if (!at[length])
                break;
            has_digit |= isdigit((unsigned char)at[length]) != 0;
        }
        if (has_digit && !isdigit((unsigned char)*at) && *at != '$') {
            buffer_add(&key, " ");
            for (size_t i = 0; i < length; i++) {
                char letter = (char)tolower((unsigned char)at[i]);

                buffer_append(&key, &letter, 1);
            }
        }
        length += length == 0;
    }
    return buffer_text(&key);
}

void
gather_add(struct gather *gather, const char *sql, const struct gather_seen *seen)
{
    struct literals literals;
    const struct template *template;
    struct gathered *item;
    const char *key;

    arena_reset(gather->scratch);
    template =
        templates_find(gather->templates, sql, strlen(sql), false, gather->scratch, &literals);
    key = template->kind == TEMPLATE_UNKNOWN && seen->fingerprint ? seen->fingerprint
                                                                  : template->fingerprint;
    key = key_of(gather->scratch, key, template->text);
    item = map_get(&gather->by_key, key);
    if (!item) {
        item = make_item(gather, template, key, sql, seen);
        keep_literals(gather, item, &literals);
    } else if (item->has_constants) {
        compare(gather, item, sql, &literals);
    }
    if (item->is_left_out) {
        gather->own_count++;
        return;
    }
    item->row.calls += seen->calls;
    add_number(&item->row.total_ms, seen->total_ms);
    add_number(&item->row.rows, seen->rows);
    if (seen->has_constants)
        add_sample(gather, item, sql, seen);
}

static int
compare_weight(const void *a, const void *b)
{
    const struct intake_statement *left = a;
    const struct intake_statement *right = b;

    if (left->total_ms != right->total_ms)
        return left->total_ms > right->total_ms ? -1 : 1;
    if (left->calls != right->calls)
        return left->calls > right->calls ? -1 : 1;
    return strcmp(left->fingerprint, right->fingerprint);
}

void
gather_finish(struct gather *gather, struct intake *ret)
{
    ret->has_times = gather->items.count > 0;
    for (size_t i = 0; i < gather->items.count; i++) {
        struct gathered *item = gather->items.items[i];

        item->row.text = intake_blank(
            gather->arena, item->first, &item->literals, item->varies, item->param_count + 1);
        if (!item->row.problem && item->row.total_ms < 0)
            ret->has_times = false;
        VEC_PUSH(gather->arena, ret, item->row);
    }
    ret->own = gather->own_count;
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof(ret->items[0]), compare_weight);
}
