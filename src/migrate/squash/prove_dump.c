/* The comparison of two texts of pg_dump. */
#include "migrate/squash/prove.h"

struct lines {
    const char **items;
    size_t count;
    size_t capacity;
};

static int
compare_texts(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

/* "fillfactor='70', autovacuum_enabled='false'" in the order of the names. */
static const char *
sort_options(struct arena *arena, const char *line)
{
    size_t start = strlen("WITH (");
    size_t end = strlen(line) - strlen(");");
    struct text_list options = { 0 };
    bool is_quoted = false;
    size_t from = start;

    for (size_t at = start; at <= end; at++) {
        is_quoted ^= line[at] == '\'';
        if (at < end && (is_quoted || line[at] != ','))
            continue;
        from += line[from] == ' ';
        text_list_add(arena, &options, arena_strndup(arena, line + from, at - from));
        from = at + 1;
    }
    if (options.count > 0)
        qsort(options.items, options.count, sizeof(options.items[0]), compare_texts);
    return arena_printf(arena, "WITH (%s);", text_list_join(arena, &options, ", "));
}

static bool
is_grant(const char *line)
{
    return text_starts_with(line, "GRANT ") || text_starts_with(line, "REVOKE ") ||
           text_starts_with(line, "ALTER DEFAULT PRIVILEGES ");
}

/*
 * The lines, with what stands in the order in which it was once granted or set put into an order
 * of its own. Lines in the body of a function are no exception: the differ compares those.
 */
static void
read_lines(struct arena *arena, const char *text, struct lines *ret)
{
    size_t first_grant = 0;

    while (*text) {
        size_t length = strcspn(text, "\n");
        const char *line = arena_strndup(arena, text, length);

        if (text_starts_with(line, "WITH (") && text_ends_with(line, ");"))
            line = sort_options(arena, line);
        VEC_PUSH(arena, ret, line);
        if (is_grant(line))
            qsort(&ret->items[first_grant], ret->count - first_grant, sizeof(ret->items[0]),
                compare_texts);
        else
            first_grant = ret->count;
        text += length + (text[length] == '\n');
    }
}

static const char *
line_at(const struct lines *lines, size_t at)
{
    return at < lines->count ? lines->items[at] : "(the end)";
}

bool
prove_dumps(struct arena *arena, const char *wanted, const char *found, const char **ret_difference)
{
    struct lines left = { 0 };
    struct lines right = { 0 };
    size_t at = 0;

    *ret_difference = NULL;
    if (text_equal(wanted, found))
        return true;
    read_lines(arena, wanted, &left);
    read_lines(arena, found, &right);
    while (at < left.count && at < right.count && text_equal(left.items[at], right.items[at]))
        at++;
    if (at == left.count && at == right.count)
        return true;
    *ret_difference = arena_printf(arena, "line %zu: \"%s\" instead of \"%s\"", at + 1,
        line_at(&right, at), line_at(&left, at));
    return false;
}
