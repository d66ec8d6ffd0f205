/* What the files of the comparison share. */
#pragma once

#include "base/map.h"
#include "catalog/ddl_part.h"
#include "catalog/diff.h"

/* An attribute that differs, with what is told of it. */
struct attribute {
    const char *name;
    const char *found;
    const char *wanted;
    bool is_followed;  /* by the same of all children: one statement is for all */
    bool is_inherited; /* a child's, that its parent's statement is for */
};

/* An object that differs. */
struct change {
    enum difference_kind kind;
    enum schema_class class;
    const void *found;    /* NULL: it is missing */
    const void *wanted;   /* NULL: it is too much */
    const char *identity; /* its name for people and dependencies */
    VEC(struct attribute) attributes;
    bool is_told;            /* not only a part of another change */
    struct change *whole;    /* that it is a part of, or NULL */
    int stage;               /* by these three all are sorted */
    size_t place;            /* of it or its table among all objects */
    int32_t position;        /* of a column */
    size_t number;           /* in the order */
    bool is_remade;          /* dropped and made again; own statements are not needed */
    bool is_done;            /* by the statements of another one */
    bool is_done_early;      /* dropped before its turn */
    bool is_held;            /* something rests on it that cannot be made anew */
    struct text_list before; /* drops of what stands in the way */
    struct text_list statements;
    struct text_list after; /* what was dropped, made again */
    const char *note;
    bool loses_rows;
};

/* Where the objects of a schema stand in the order in which they are made. */
struct diff_places {
    size_t *places;
    size_t starts[SCHEMA_CLASS_COUNT]; /* of each class in places */
};

struct diff {
    struct arena *arena;
    const struct schema *found;
    const struct schema *wanted;
    const struct diff_options *options;
    VEC(struct change *) changes;
    struct map by_identity; /* "tables public.users" */
    struct diff_places found_places;
    struct diff_places wanted_places;
};

/* "tables public.users": how an object is found in maps. */
const char *diff_key(struct arena *arena, enum schema_class class, const char *identity);

/* The change of an object, or NULL. */
struct change *diff_find(const struct diff *diff, enum schema_class class, const char *identity);

/* A statement writer for the wanted schema, or the found one, that adds to a list. */
struct ddl diff_writer(const struct diff *diff, bool is_found, struct text_list *out);

/* The statements that make a wanted object (rights and all, but those that are not compared). */
void diff_make(
    const struct diff *diff, enum schema_class class, const void *item, struct text_list *out);

/* The same for an object that was dropped only for a while. */
void diff_make_again(const struct diff *diff, enum schema_class class, const void *found,
    const void *wanted, struct text_list *out);

void diff_drop(
    const struct diff *diff, enum schema_class class, const void *item, struct text_list *out);

size_t diff_place(
    const struct diff *diff, bool is_found, enum schema_class class, const void *item);

bool change_has(const struct change *change, const char *attribute);

/* The attribute of a change (NULL: of none) by its name, or NULL. */
struct attribute *diff_attribute(const struct change *change, const char *name);

/* ---- diff_compare.c ---- */

/* Fills changes with what differs between the two schemas, unsorted. */
void diff_collect(struct diff *diff);

/* A change more; what it differs in is for the caller to add. */
struct change *diff_add(
    struct diff *diff, enum schema_class class, const void *found, const void *wanted);

/* Whether the options leave it out. */
bool diff_is_left_out(const struct diff *diff, enum schema_class class, const void *item);

/* ---- diff_column.c: what columns differ in by themselves ---- */

/* Takes out what a parent's statement does for its children too. */
void diff_drop_inherited(struct diff *diff);

/* Adds the difference in the order of columns that both sides have. */
void diff_compare_order(struct diff *diff);

/* ---- diff_parts.c ---- */

/* Marks the changes that go along with a missing or extra table, type or column. */
void diff_join_parts(struct diff *diff);

/* Whether the JSON array of names has the name. */
bool diff_names_column(const char *columns, const char *name);

/* Whether a trigger, rule, policy, index or constraint has to do with a column of its table. */
bool diff_mentions(enum schema_class class, const void *item, const char *column);

/* ---- diff_family.c ---- */

/* Whether a table gets other parents. */
bool diff_changes_family(const struct diff *diff, const char *table);

/* Whether a wanted table is below another one, "public.events". */
bool diff_descends(
    const struct diff *diff, const struct sql_schema_tables *table, const char *above);

/* Whether a part of such a table is one that it has from a parent. */
bool diff_joins_family(const struct diff *diff, const struct change *change);

/* ---- diff_depend.c ---- */

/*
 * For changes in their order: what must be dropped because it rests on what is changed, and made
 * again after it.
 */
void diff_clear_way(struct diff *diff);

/* ---- diff_alter*.c: the statements of one change ---- */

/* Whether a changed object has to be dropped and made again. */
bool diff_must_remake(const struct diff *diff, const struct change *change);
bool diff_must_remake_view(const struct diff *diff, const struct change *change);
bool diff_must_remake_type(const struct diff *diff, const struct change *change);

void diff_alter(const struct diff *diff, struct change *change);
void diff_alter_table(const struct diff *diff, struct change *change);
void diff_alter_column(const struct diff *diff, struct change *change);
void diff_alter_type(const struct diff *diff, struct change *change);

/* Whether what rests on the column is disturbed. */
bool diff_disturbs(const struct diff *diff, const struct change *change);

/* A generated column whose expression cannot be changed in place. */
bool diff_is_regenerated(const struct diff *diff, const struct change *change);

/* An enum whose labels were not only added to. */
bool diff_is_new_enum(const struct change *change);

/* Whether a column's type is this one, or an array of it. */
bool diff_is_of_type(
    const struct diff *diff, const char *type, const struct sql_schema_types *wanted);
