#include "migrate/squash/links.h"

const char *
link_key(struct arena *arena, enum schema_class class, const void *item)
{
    return arena_printf(
        arena, "%s %s", schema_classes[class].name, schema_identity(arena, class, item));
}

static void
add_link(struct arena *arena, struct links *links, const char *key, const char *on)
{
    struct text_list *list = map_get(&links->rests, key);

    if (!list) {
        list = ARENA_NEW(arena, struct text_list);
        map_set(&links->rests, key, list);
    }
    text_list_add(arena, list, on);
}

void
links_build(struct arena *arena, const struct schema *schema, struct links *ret)
{
    *ret = (struct links){ .rests = { .arena = arena } };
    for (size_t i = 0; i < schema->dependencies.count; i++) {
        const struct sql_schema_dependencies *link = &schema->dependencies.items[i];

        add_link(arena, ret, arena_printf(arena, "%s %s", link->class, link->identity),
            arena_printf(arena, "%s %s", link->on_class, link->on_identity));
    }
}

const struct text_list *
links_of(const struct links *links, const char *key)
{
    static const struct text_list none = { 0 };
    const struct text_list *found = map_get(&links->rests, key);

    return found ? found : &none;
}
