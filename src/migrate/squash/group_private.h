/* What the files group*.c share while objects are put into groups. */
#pragma once

#include "catalog/find.h"
#include "migrate/squash/links.h"
#include "migrate/squash/squash.h"

/* An object in the order in which objects can be made. */
struct member {
    struct ddl_ref ref;
    const void *item;
    const char *key;   /* "tables public.users" */
    const char *table; /* key of the table it stands in, or NULL */
    size_t wanted;     /* stage it would go into */
    size_t stage;      /* first stage in which all it rests on is there */
    bool is_table;     /* holds rows: no view */
};

struct stage {
    const char *slug;
    const char *title;
};

struct grouping {
    struct arena *arena;
    const struct schema *schema;
    const struct squash_group_options *options;
    struct links links;
    VEC(struct member) members;
    struct map by_key; /* → struct member *, of those that have a place of their own */
    VEC(struct stage) stages;
};

/* The member with this key; of an index that serves a constraint this one. Or NULL. */
struct member *group_find(const struct grouping *grouping, const char *key);

/* What a foreign key points to, or NULL. */
struct member *group_target(const struct grouping *grouping, const struct member *member);

void group_add_stage(struct grouping *grouping, const char *title);

/* Makes stages and sets what members want: by what they are about. */
void group_by_domain(struct grouping *grouping);

/* The same by the revisions that made them first. */
void group_by_origin(struct grouping *grouping);

/* group_words.c: what a table is about, by its name. */
enum domain {
    DOMAIN_USERS,
    DOMAIN_KNOWLEDGE,
    DOMAIN_DIALOGS,
    DOMAIN_BILLING,
    DOMAIN_OPERATIONS,
    DOMAIN_NONE,
};
enum domain group_domain(const char *table);
const char *group_domain_title(enum domain domain); /* "users and access" */
const char *group_domain_word(enum domain domain);  /* "users" */
