/* Rights as lists, for the files that write GRANT and REVOKE. */
#pragma once

#include "base/vec.h"
#include "catalog/ddl_part.h"

/* Stands for the owner in lists of rights, whatever his name is; no role can be called so. */
#define RIGHTS_OWNER "\001"

struct grant {
    const char *grantee; /* "" is PUBLIC */
    const char *rights;  /* letters, each perhaps with a star */
    const char *grantor;
};

struct grants {
    struct grant *items;
    size_t count;
    size_t capacity;
};

/* The letter of "SELECT", '\0' when there is none. */
char rights_letter(const char *word, size_t length);

/* Adds rights; those of the same two roles become one item. */
void rights_add(struct arena *arena, struct grants *grants, const struct grant *grant);

/*
 * Adds what the default privileges of a database give to a new object of this kind: to is for
 * those that they add, and lacks those that they take away.
 */
void rights_add_default(const struct ddl *ddl, const struct schema *standing,
    enum schema_class class, const void *item, struct grants *ret_added, struct grants *ret_taken);
