/* Names as the server cuts, compares and chooses them. */

#include <string.h>

#include "db/ident.h"
#include "migrate/model/model_apply.h"

/* How many constraints have a name, or with which number choosing goes on. */
struct name_use {
    unsigned count;
};

/* The longest start of at most limit bytes that does not cut a character; source: pg_mbcliplen. */
static size_t
clip_length(const char *text, size_t limit)
{
    size_t length = strnlen(text, limit + 1);

    if (length <= limit)
        return length;
    while (limit > 0 && ((unsigned char)text[limit] & 0xC0) == 0x80)
        limit--;
    return limit;
}

const char *
name_clip(struct arena *arena, const char *name)
{
    size_t length;

    if (!name)
        return NULL;
    length = clip_length(name, NAME_BYTES);
    return name[length] ? arena_strndup(arena, name, length) : name;
}

bool
name_equal(const char *stored, const char *given)
{
    size_t length;

    if (!stored || !given)
        return false;
    if (strcmp(stored, given) == 0)
        return true;
    length = clip_length(given, NAME_BYTES);
    return given[length] && strlen(stored) == length && strncmp(stored, given, length) == 0;
}

bool
name_is_in(const struct text_list *list, const char *given)
{
    for (size_t i = 0; i < list->count; i++)
        if (name_equal(list->items[i], given))
            return true;
    return false;
}

bool
names_match(const struct text_list *a, const struct text_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!name_is_in(b, a->items[i]) && !name_is_in(a, b->items[i]))
            return false;
    return true;
}

static size_t
key_part(struct key *key, size_t at, const char *text)
{
    size_t length = clip_length(text, NAME_BYTES);

    memcpy(key->text + at, text, length);
    key->text[at + length] = '\0';
    return at + length;
}

struct key
key_make(const char *schema, const char *name, const char *column)
{
    struct key key = { 0 };
    size_t at = key_part(&key, 0, schema);

    key.text[at++] = '.';
    at = key_part(&key, at, name);
    if (column) {
        key.text[at++] = '.';
        key_part(&key, at, column);
    }
    return key;
}

const char *
name_shown(struct arena *arena, const char *schema, const char *name, const char *column)
{
    bool is_plain = !schema || strcmp(schema, "public") == 0 || strcmp(schema, "pg_temp") == 0;

    return arena_printf(arena, "%s%s%s%s%s", is_plain ? "" : schema, is_plain ? "" : ".",
        name ? name_clip(arena, name) : "?", column ? "." : "",
        column ? name_clip(arena, column) : "");
}

const char *
name_described(const struct model *model, const char *schema, const char *name)
{
    const char *quoted = db_ident(model->arena, name);
    bool is_searched = strcmp(schema, "pg_temp") == 0 ||
                       (!model->has_search_path && strcmp(schema, "public") == 0) ||
                       (model->has_search_path && text_list_has(&model->path, schema));

    return is_searched
               ? quoted
               : arena_printf(model->arena, "%s.%s", db_ident(model->arena, schema), quoted);
}

void
constraint_name_add(struct model *model, const char *schema, const char *name)
{
    struct key key = key_make(schema, name, NULL);
    struct name_use *use = map_get(&model->constraint_names, key.text);

    if (!use) {
        use = ARENA_NEW(model->arena, struct name_use);
        map_set(&model->constraint_names, arena_strdup(model->arena, key.text), use);
    }
    use->count++;
}

void
constraint_name_remove(struct model *model, const char *schema, const char *name)
{
    struct key key = key_make(schema, name, NULL);
    struct name_use *use = map_get(&model->constraint_names, key.text);

    if (use && use->count > 0)
        use->count--;
    name_release(model, schema, name);
}

/* Source: PostgreSQL, makeObjectName(). */
static const char *
make_object_name(struct arena *arena, const char *name, const char *part, const char *label)
{
    size_t overhead = (part ? 1 : 0) + strlen(label) + 1;
    size_t room = overhead < NAME_BYTES ? NAME_BYTES - overhead : 0;
    size_t name_length = strlen(name);
    size_t part_length = part ? strlen(part) : 0;

    while (name_length + part_length > room) {
        if (name_length > part_length)
            name_length--;
        else
            part_length--;
    }
    name_length = clip_length(name, name_length);
    if (!part)
        return arena_printf(arena, "%.*s_%s", (int)name_length, name, label);
    part_length = clip_length(part, part_length);
    return arena_printf(
        arena, "%.*s_%.*s_%s", (int)name_length, name, (int)part_length, part, label);
}

/* Which namespaces a chosen name must be free in. */
struct label {
    const char *name;
    bool is_relation;
    bool is_constraint;
};

static const struct label labels[] = {
    { "pkey", true, true },
    { "key", true, true },
    { "excl", true, true },
    { "idx", true, false },
    { "seq", true, false },
    { "fkey", false, true },
    { "check", false, true },
};

static bool
name_is_taken(const struct model *model, const char *key, const char *label)
{
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        const struct name_use *use;

        if (strcmp(labels[i].name, label) != 0)
            continue;
        if (labels[i].is_relation && map_get(&model->relations, key))
            return true;
        use = labels[i].is_constraint ? map_get(&model->constraint_names, key) : NULL;
        return use && use->count > 0;
    }
    return false;
}

/*
 * Many names of one kind would make the search for a free number quadratic, so where it ended is
 * kept; name_release() takes it back.
 */
static struct name_use *
hint_of(struct model *model, const char *schema, const char *base)
{
    struct key key = key_make(schema, base, NULL);
    struct name_use *hint = map_get(&model->name_hints, key.text);

    if (!hint) {
        hint = ARENA_NEW(model->arena, struct name_use);
        map_set(&model->name_hints, arena_strdup(model->arena, key.text), hint);
    }
    return hint;
}

void
name_release(struct model *model, const char *schema, const char *name)
{
    struct key key = key_make(schema, name, NULL);
    size_t length = strlen(key.text);
    struct name_use *hint = map_get(&model->name_hints, key.text);
    unsigned number = 0;
    unsigned unit = 1;

    if (hint)
        hint->count = 0;
    for (size_t i = length; i > 0 && length - i < 9; i--) {
        char digit = key.text[i - 1];

        if (digit < '0' || digit > '9')
            return;
        number += (unsigned)(digit - '0') * unit;
        unit *= 10;
        key.text[i - 1] = '\0';
        hint = map_get(&model->name_hints, key.text);
        if (hint && hint->count > number)
            hint->count = number;
    }
}

const char *
model_choose_name(
    struct model *model, const struct relation *table, const char *part, const char *label)
{
    struct arena *arena = model->arena;
    const char *base = make_object_name(arena, table->name, part, label);
    bool is_cut = strlen(base) >= NAME_BYTES - 8;
    struct name_use local = { 0 };
    struct name_use *hint = is_cut ? &local : hint_of(model, table->schema, base);

    for (;; hint->count++) {
        const char *name = base;
        struct key key;

        if (hint->count > 0)
            name = make_object_name(
                arena, table->name, part, arena_printf(arena, "%s%u", label, hint->count));
        key = key_make(table->schema, name, NULL);
        if (!name_is_taken(model, key.text, label))
            return name;
    }
}

const char *
name_join_columns(struct arena *arena, const struct text_list *columns)
{
    struct buffer text = { .arena = arena };

    for (size_t i = 0; i < columns->count && text.length <= NAME_BYTES; i++)
        if (columns->items[i])
            buffer_printf(&text, "%s%s", text.length > 0 ? "_" : "", columns->items[i]);
    return buffer_text(&text);
}
