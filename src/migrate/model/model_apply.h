/* What the files of the model share; nobody else includes it. */
#pragma once

#include "migrate/model/model.h"

enum { NAME_BYTES = 63 }; /* NAMEDATALEN - 1 */

/* A step being applied. */
struct act {
    struct ctx *ctx;
    struct model *model;
    const struct step *step;
    struct origin origin;
    bool is_maybe; /* its conditions are undecided: nothing it does is certain, nothing is told */
    bool has_failed;
    struct model_errors *errors;
};

typedef void apply_func(struct act *act);

apply_func apply_create_table, apply_drop_relation, apply_rename_relation, apply_set_schema,
    apply_partition;
apply_func apply_add_column, apply_drop_column, apply_rename_column, apply_alter_type,
    apply_default, apply_not_null, apply_identity;
apply_func apply_add_constraint, apply_drop_constraint, apply_rename_constraint,
    apply_validate_constraint;
apply_func apply_create_index, apply_drop_index;
apply_func apply_create_type, apply_drop_type, apply_rename_type, apply_add_value,
    apply_rename_value, apply_alter_domain;
apply_func apply_create_sequence, apply_alter_sequence, apply_create_view, apply_schema,
    apply_extension, apply_function, apply_statistics, apply_on_table;
apply_func apply_comment, apply_uses, apply_truncate, apply_data, apply_set;

/* ---- errors (model_error.c) ---- */

struct fault {
    const char *sqlstate;
    const char *object;
    const struct origin *first;
    bool is_doubtful; /* conditions or unknown steps may make it untrue */
};

/* Whether what was made there may be gone: a condition or an unknown step since then decides. */
bool may_be_gone(const struct act *act, const struct relation *table, const struct origin *origin,
    enum presence presence);

/*
 * Tells what the server would say; only the first certain one of a step, as the server stops there.
 * Returns whether the step may be done all the same, which is when the error is doubtful.
 */
bool act_refuse(struct act *act, const struct fault *fault, const char *format, ...)
    PRINTF_LIKE(3, 4);

enum presence act_presence(const struct act *act);

/* ---- names (model_name.c) ---- */

struct key {
    char text[3 * (NAME_BYTES + 1)];
};

/* "schema.name" or, with a column, "schema.name.column", each part cut as the server cuts. */
struct key key_make(const char *schema, const char *name, const char *column);

/* The name cut to 63 bytes, at a character; the same pointer when it is short enough. */
const char *name_clip(struct arena *arena, const char *name);

/* Whether a name as stored is the given one after cutting. NULL equals nothing. */
bool name_equal(const char *stored, const char *given);
bool name_is_in(const struct text_list *list, const char *given);

/* Whether both lists hold the same names, in any order. */
bool names_match(const struct text_list *a, const struct text_list *b);

/* "users", or "app.users" outside public: for model_error.object. column may be NULL. */
const char *name_shown(
    struct arena *arena, const char *schema, const char *name, const char *column);

/* As the server describes an object: quoted, with its schema when that is not searched. */
const char *name_described(const struct model *model, const char *schema, const char *name);

/* How many constraints of the schema have the name changes. */
void constraint_name_add(struct model *model, const char *schema, const char *name);
void constraint_name_remove(struct model *model, const char *schema, const char *name);

/* A name is free again: numbering may start from it. */
void name_release(struct model *model, const char *schema, const char *name);

/* The columns of an index as they go into its name; source: ChooseIndexNameAddition. */
const char *name_join_columns(struct arena *arena, const struct text_list *columns);

/* ---- looking up, with the server's error when there is nothing (model_find.c) ---- */

/* Where an object without a schema is created: the first schema of the path. */
const char *model_schema_of(const struct model *model, const char *schema);

/* "schema.name" or "name" in two. */
struct object_name object_name_parse(struct arena *arena, const char *text);

bool need_schema(struct act *act, const char *schema);

/*
 * The relation, or NULL when the step cannot go on: error told, or nothing to do. A relation that
 * is missing only perhaps is assumed, so that it is told once. what: "relation", "table", "view" …
 */
struct relation *need_relation(struct act *act, struct object_name name, const char *what);

/* As need_relation() for ALTER TABLE and its like: NULL silently with IF EXISTS. */
struct relation *need_table(struct act *act);

/* The server words it differently in each place. */
enum missing {
    MISSING_OF_RELATION, /* column "a" of relation "t" does not exist */
    MISSING_PLAIN,       /* column "a" does not exist */
    MISSING_IN_KEY,      /* column "a" named in key does not exist */
    MISSING_IN_FOREIGN,  /* column "a" referenced in foreign key constraint does not exist */
};

struct model_column *need_column(
    struct act *act, struct relation *relation, const char *name, enum missing wording);

/* Whether no certain relation or type has the name; otherwise the error is told. */
bool need_free_name(struct act *act, const char *schema, const char *name, bool has_row_type);

/* "relation", "index", "view", … and whether the relation is of a kind that NAME_… says. */
const char *relation_kind_name(enum relation_kind kind);

/* ---- making (model_relation.c) ---- */

struct relation *relation_new(
    struct act *act, const char *schema, const char *name, enum relation_kind kind);
struct model_column *relation_add_column(
    struct act *act, struct relation *relation, const struct column *column);
void relation_add_identity(struct act *act, struct relation *relation, struct model_column *column);
void relation_unlink(struct act *act, struct relation *relation);
void relation_rename(
    struct act *act, struct relation *relation, const char *schema, const char *name);

/* ---- columns and types (model_column.c, model_type.c) ---- */

/* Finds the type of a column; false when the server does not know it (told). */
bool column_resolve_type(struct act *act, const struct type *type, struct model_column *column);
bool is_system_column(const char *name);

/* What a default needs: the sequence of nextval(), functions of extensions. */
void column_use_default(struct act *act, struct model_column *column);

/* 55P04 when SQL text holds an enum value that the transaction has added. */
void check_new_value(struct act *act, const struct model_column *column, const char *sql);

/* The extension that gives a type, function, access method or operator class; NULL: none known. */
const char *extension_of(const char *kind, const char *name);
bool extensions_are_known(const struct model *model);
bool type_is_builtin(const struct type *type);
bool extension_is_missing(const struct act *act, const char *extension);

/* ---- constraints and indexes (model_constraint.c, model_index.c) ---- */

void inherit_constraint(struct act *act, struct relation *child,
    const struct constraint *constraint, bool is_partition);
void add_constraints(struct act *act, struct relation *table); /* those of the step */
bool need_free_constraint(struct act *act, struct relation *table, const char *name);
void constraint_rename(struct model *model, struct model_constraint *constraint, const char *name);
/* Whether a foreign key between them can be: true when that is not known. */
bool columns_comparable(const struct model_column *from, const struct model_column *to);
void remove_constraint(struct act *act, struct model_constraint *constraint);
/* The index is shared with the step: what changes it copies it. */
struct relation *add_index(
    struct act *act, struct relation *table, struct index *index, const char *name);
const char *index_choose_name(
    struct model *model, const struct relation *table, const struct index *index);
const char *exclusion_part(struct arena *arena, const struct constraint *constraint);
/* Whether every column of the index has what the access method needs. */
bool check_operators(struct act *act, struct relation *table, const struct index *index);
void remove_index(struct act *act, struct relation *index);
struct relation *unique_index_of(const struct relation *table, const struct text_list *columns);

/*
 * 42703 for columns in the step's text that can be of no other relation (model_data.c).
 */
void check_text_columns(struct act *act, struct relation *relation);

/* 25001 for what cannot run in a transaction (model_data.c). */
bool check_outside(struct act *act);

/* ---- dropping (model_drop.c) ---- */

/* 2BP01 in the server's words; what: "table t". Returns what act_refuse() does. */
bool refuse_needed(struct act *act, const char *what, const char *object, const struct origin *by,
    bool is_doubtful);

/* Who else needs the thing; NULL: nobody. */
const struct origin *relation_needed_by(const struct act *act, const struct relation *relation);
const struct origin *column_needed_by(
    const struct act *act, const struct relation *relation, const struct model_column *column);
const struct origin *index_needed_by(const struct relation *index);

/* Takes it away with everything that needs it or belongs to it. */
void drop_relation(struct act *act, struct relation *relation);
void drop_column(struct act *act, struct relation *relation, struct model_column *column);
bool index_has_column(const struct index *index, const char *column);
bool column_is_generated_from(
    struct ctx *ctx, const struct model_column *generated, const struct model_column *column);
struct relation *view_of_column(const struct relation *relation, const struct model_column *column);
void note_dropped(struct act *act, const char *schema, const char *name, const char *column);

/* Removes an item from a vector of pointers. */
#define VEC_REMOVE(vec, item)                                            \
    do {                                                                 \
        for (size_t at_ = 0; at_ < (vec)->count; at_++)                  \
            if ((vec)->items[at_] == (item)) {                           \
                memmove(&(vec)->items[at_], &(vec)->items[at_ + 1],      \
                    ((vec)->count - at_ - 1) * sizeof((vec)->items[0])); \
                (vec)->count--;                                          \
                break;                                                   \
            }                                                            \
    } while (0)
