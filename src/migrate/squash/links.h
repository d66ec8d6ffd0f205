/* What rests on what, by keys such as "tables public.users". */
#pragma once

#include "base/map.h"
#include "catalog/schema.h"

struct links {
    struct map rests; /* key → struct text_list * of the keys it rests on */
};

/* "tables public.users": how an object is called among all. */
const char *link_key(struct arena *arena, enum schema_class class, const void *item);

void links_build(struct arena *arena, const struct schema *schema, struct links *ret);

/* What the object with this key rests on itself; never NULL. */
const struct text_list *links_of(const struct links *links, const char *key);
