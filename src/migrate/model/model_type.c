/* Types: the server's own, those of extensions and those that the history makes. */

#include <stdlib.h>
#include <string.h>

#include "migrate/model/model_apply.h"

/* As format_type() writes them, sorted; source: pg_type of 15, and what 16 to 18 add: nothing. */
static const char *const builtin[] = { "\"any\"", "\"char\"", "aclitem", "bigint", "bigserial",
    "bit", "bit varying", "boolean", "box", "bpchar", "bytea", "character", "character varying",
    "cid", "cidr", "circle", "cstring", "date", "datemultirange", "daterange", "double precision",
    "event_trigger", "gtsvector", "inet", "int2vector", "int4multirange", "int4range",
    "int8multirange", "int8range", "integer", "internal", "interval", "json", "jsonb", "jsonpath",
    "line", "lseg", "macaddr", "macaddr8", "money", "name", "numeric", "nummultirange", "numrange",
    "oid", "oidvector", "path", "pg_lsn", "pg_snapshot", "point", "polygon", "real", "record",
    "refcursor", "regclass", "regcollation", "regconfig", "regdictionary", "regnamespace",
    "regoper", "regoperator", "regproc", "regprocedure", "regrole", "regtype", "serial", "smallint",
    "smallserial", "text", "tid", "time with time zone", "time without time zone",
    "timestamp with time zone", "timestamp without time zone", "trigger", "tsmultirange", "tsquery",
    "tsrange", "tstzmultirange", "tstzrange", "tsvector", "txid_snapshot", "unknown", "uuid",
    "void", "xid", "xid8", "xml" };

static int
compare(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return strcmp(*x, *y);
}

bool
type_is_builtin(const struct type *type)
{
    return !type->schema && type->name &&
           bsearch(&type->name, builtin, COUNT_OF(builtin), sizeof(builtin[0]), compare);
}

static const char *
type_shown(struct arena *arena, const struct type *type)
{
    return arena_printf(arena, "%s%s%s%s", type->schema ? type->schema : "",
        type->schema ? "." : "", name_clip(arena, type->name), type->dimensions > 0 ? "[]" : "");
}

/* 42704; a type that is missing only perhaps counts as unknown from here on. */
static bool
refuse_missing(struct act *act, const struct type *type, const struct origin *first, bool is_maybe)
{
    struct model *model = act->model;
    struct key key = key_make(model_schema_of(model, type->schema), type->name, NULL);
    const char *extension = extension_of("type", type->name);

    if (!first)
        first = model_dropped(model, extension ? extension : key.text);
    return act_refuse(act,
        &(struct fault){
            .sqlstate = "42704",
            .object = name_shown(model->arena, type->schema, type->name, NULL),
            .first = first,
            .is_doubtful = is_maybe || model->vague_since || model->has_baseline ||
                           (!extension && !extensions_are_known(model)),
        },
        "type \"%s\" does not exist", type_shown(model->arena, type));
}

static bool
is_row_type(const struct model *model, const struct type *type)
{
    struct relation *relation =
        model_relation(model, (struct object_name){ type->schema, type->name });

    return relation && relation->kind != RELATION_INDEX && relation->kind != RELATION_SEQUENCE;
}

bool
column_resolve_type(struct act *act, const struct type *type, struct model_column *column)
{
    struct model *model = act->model;
    struct model_type *made_of;
    const char *extension;

    if (!type->name || type_is_builtin(type))
        return true;
    made_of = model_type_find(model, type->schema, type->name);
    if (made_of) {
        if (made_of->presence == MAYBE && !act->is_maybe) {
            refuse_missing(act, type, &made_of->origin, true);
            made_of->presence = PRESENT;
        }
        column->made_of = made_of;
        made_of->use_count++;
        return true;
    }
    extension = extension_of("type", type->name);
    if (extension && !extension_is_missing(act, extension)) {
        column->extension = extension;
        return true;
    }
    if (is_row_type(model, type) || !need_schema(act, type->schema))
        return true;
    return refuse_missing(act, type, NULL, false);
}

/* Whether 'label' stands in SQL text as a literal. */
static bool
has_literal(const char *sql, const char *label)
{
    size_t length = strlen(label);

    for (const char *at = strchr(sql, '\''); at; at = strchr(at + 1, '\''))
        if (strncmp(at + 1, label, length) == 0 && at[length + 1] == '\'')
            return true;
    return false;
}

void
check_new_value(struct act *act, const struct model_column *column, const char *sql)
{
    const struct model_type *type = column->made_of;

    for (size_t i = 0; type && sql && i < type->new_values.count; i++) {
        const char *value = type->new_values.items[i];

        if (!has_literal(sql, value))
            continue;
        act_refuse(act,
            &(struct fault){ .sqlstate = "55P04",
                .object = name_shown(act->model->arena, type->schema, type->name, value),
                .first = &type->value_origin },
            "unsafe use of new value \"%s\" of enum type %s", value, type->name);
        return;
    }
}

/* 42710 when a type or a relation with a row type has the name. */
static bool
need_free_type(struct act *act, const char *schema, const char *name)
{
    struct model *model = act->model;
    struct type type = { .schema = schema, .name = name };
    struct model_type *there = model_type_find(model, schema, name);
    const struct relation *relation = model_relation(model, (struct object_name){ schema, name });
    const struct origin *first = there ? &there->origin : NULL;

    if (!there && is_row_type(model, &type))
        first = &relation->origin;
    if (!first)
        return true;
    return act_refuse(act,
        &(struct fault){
            .sqlstate = "42710",
            .object = name_shown(model->arena, schema, name, NULL),
            .first = first,
            .is_doubtful =
                may_be_gone(act, NULL, first, there ? there->presence : relation->presence),
        },
        "type \"%s\" already exists", name_clip(model->arena, name));
}

static void
type_link(struct model *model, struct model_type *type)
{
    struct key key = key_make(type->schema, type->name, NULL);

    map_set(&model->types, arena_strdup(model->arena, key.text), type);
}

static void
type_unlink(struct act *act, const struct model_type *type)
{
    struct key key = key_make(type->schema, type->name, NULL);

    if (map_get(&act->model->types, key.text) == type)
        map_set(&act->model->types, key.text, NULL);
    note_dropped(act, type->schema, type->name, NULL);
}

static bool
check_labels(struct act *act)
{
    const struct text_list *values = &act->step->values;

    for (size_t i = 0; i < values->count; i++) {
        const char *value = values->items[i];

        if (value && strlen(value) > NAME_BYTES)
            return act_refuse(act,
                &(struct fault){ .sqlstate = "42602", .object = act->step->object.name },
                "invalid enum label \"%s\"", value);
        for (size_t k = 0; value && k < i; k++)
            if (text_equal(values->items[k], value))
                return act_refuse(act,
                    &(struct fault){ .sqlstate = "23505", .object = act->step->object.name },
                    "duplicate key value violates unique constraint "
                    "\"pg_enum_typid_label_index\"");
    }
    return true;
}

static struct model_type *
type_new(struct act *act, const char *schema)
{
    const struct step *step = act->step;
    struct model *model = act->model;
    struct model_type *type = ARENA_NEW(model->arena, struct model_type);

    type->schema = name_clip(model->arena, schema);
    type->name = name_clip(model->arena, step->object.name);
    type->made_by = step->kind;
    for (size_t i = 0; step->kind == STEP_CREATE_ENUM && i < step->values.count; i++)
        if (step->values.items[i])
            text_list_add(model->arena, &type->values, step->values.items[i]);
    type->base = step->type;
    type->presence = act_presence(act);
    type->origin = act->origin;
    type->is_new = model->in_transaction && !step->in_autocommit;
    if (type->is_new)
        VEC_PUSH(model->arena, &model->changed_types, type);
    type_link(model, type);
    return type;
}

/* Source: SQLAlchemy's memo of the types that it has made for tables, which forgets nothing. */
static bool
is_made_already(struct model *model, const char *schema, const char *name)
{
    struct key key = key_make(schema, name, NULL);

    if (map_get(&model->run_types, key.text))
        return true;
    map_set(&model->run_types, arena_strdup(model->arena, key.text), model);
    return false;
}

void
apply_create_type(struct act *act)
{
    const struct step *step = act->step;
    const char *schema = model_schema_of(act->model, step->object.schema);
    struct model_type *there;
    struct model_column base = { 0 };

    if (!step->object.name) {
        act->model->vague_since = step;
        return;
    }
    if (!need_schema(act, step->object.schema))
        return;
    there = model_type_find(act->model, schema, step->object.name);
    if (step->once_a_run && is_made_already(act->model, schema, step->object.name))
        return;
    if (there && (step->create_if_missing || step->if_not_exists || act->is_maybe)) {
        if (!act->is_maybe)
            there->presence = PRESENT;
        return;
    }
    if (step->kind == STEP_CREATE_DOMAIN && !column_resolve_type(act, &step->type, &base))
        return;
    if (!need_free_type(act, schema, step->object.name) || !check_labels(act))
        return;
    type_new(act, schema);
}

/* The type that a step alters, or NULL. */
static struct model_type *
need_type(struct act *act)
{
    const struct object_name *name = &act->step->object;
    struct type type = { .schema = name->schema, .name = name->name };
    struct model_type *there = model_type_find(act->model, name->schema, name->name);

    if (!name->name || (there && (there->presence == PRESENT || act->is_maybe)))
        return there;
    if (act->step->if_exists || act->step->create_if_missing)
        return there;
    if (!there && (is_row_type(act->model, &type) || !need_schema(act, name->schema)))
        return NULL;
    refuse_missing(act, &type, there ? &there->origin : NULL, there != NULL);
    if (there)
        there->presence = PRESENT;
    return there;
}

/* Drops the columns of the type, or tells the first one. */
static const struct origin *
columns_of_type(struct act *act, const struct model_type *type, bool drops)
{
    const struct map_entry *entry;
    size_t cursor = 0;

    while (type->use_count > 0 && (entry = map_next(&act->model->relations, &cursor))) {
        struct relation *relation = entry->value;

        for (size_t i = relation->columns.count; i > 0; i--) {
            struct model_column *column = relation->columns.items[i - 1];

            if (column->made_of != type)
                continue;
            if (!drops)
                return &column->origin;
            drop_column(act, relation, column);
        }
    }
    return NULL;
}

static bool
refuse_row_type(struct act *act)
{
    struct relation *relation = model_relation(act->model, act->step->object);

    return act_refuse(act,
        &(struct fault){
            .sqlstate = "2BP01", .object = relation->name, .first = &relation->origin },
        "cannot drop type %s because %s %s requires it", relation->name,
        relation_kind_name(relation->kind), relation->name);
}

void
apply_drop_type(struct act *act)
{
    const struct step *step = act->step;
    struct type name = { .schema = step->object.schema, .name = step->object.name };
    struct model_type *type = need_type(act);
    const struct origin *by;

    if (!step->object.name)
        act->model->vague_since = step;
    if (!type && name.name && is_row_type(act->model, &name))
        refuse_row_type(act);
    if (!type)
        return;
    if (act->is_maybe) {
        type->presence = MAYBE;
        return;
    }
    by = columns_of_type(act, type, step->cascade);
    if (by && !refuse_needed(act,
                  arena_printf(act->model->arena, "type %s",
                      name_described(act->model, type->schema, type->name)),
                  name_shown(act->model->arena, type->schema, type->name, NULL), by, false))
        return;
    type_unlink(act, type);
}

void
apply_rename_type(struct act *act)
{
    const char *new_name = act->step->new_name;
    struct model_type *type = need_type(act);

    if (!type || !new_name || !need_free_type(act, type->schema, new_name))
        return;
    type_unlink(act, type);
    type->name = name_clip(act->model->arena, new_name);
    type_link(act->model, type);
}

static bool
is_enum(struct act *act, const struct model_type *type)
{
    if (type->made_by == STEP_CREATE_ENUM)
        return true;
    return act_refuse(act,
        &(struct fault){ .sqlstate = "42809", .object = type->name, .first = &type->origin },
        "%s is not an enum", type->name);
}

static bool
refuse_label(struct act *act, const struct model_type *type, const char *label)
{
    return act_refuse(act,
        &(struct fault){ .sqlstate = "42710",
            .object = name_shown(act->model->arena, type->schema, type->name, label),
            .first = &type->origin,
            .is_doubtful = type->presence == MAYBE },
        "enum label \"%s\" already exists", label);
}

/* Puts a label where BEFORE or AFTER says, else at the end. */
static void
place_label(struct model *model, const struct step *step, struct text_list *labels)
{
    size_t at = 0;

    text_list_add(model->arena, labels, step->new_name);
    while (at + 1 < labels->count && !text_equal(labels->items[at], step->neighbour))
        at++;
    at += at + 1 < labels->count && step->is_after;
    for (size_t i = labels->count - 1; i > at; i--)
        labels->items[i] = labels->items[i - 1];
    labels->items[at] = step->new_name;
}

void
apply_add_value(struct act *act)
{
    struct model *model = act->model;
    const char *value = act->step->new_name;
    struct model_type *type = need_type(act);

    if (!type || !value || !is_enum(act, type))
        return;
    if (strlen(value) > NAME_BYTES) {
        act_refuse(act, &(struct fault){ .sqlstate = "42602", .object = type->name },
            "invalid enum label \"%s\"", value);
        return;
    }
    if (text_list_has(&type->values, value)) {
        if (!act->step->if_not_exists)
            refuse_label(act, type, value);
        return;
    }
    if (act->step->neighbour && !text_list_has(&type->values, act->step->neighbour)) {
        act_refuse(act, &(struct fault){ .sqlstate = "22023", .object = type->name },
            "\"%s\" is not an existing enum label", act->step->neighbour);
        return;
    }
    place_label(model, act->step, &type->values);
    /* 17 lets values of a type be used that is as new as they are. */
    if ((type->is_new && model->server_major >= 17) || !model->in_transaction ||
        act->step->in_autocommit)
        return;
    VEC_PUSH(model->arena, &type->new_values, value);
    VEC_PUSH(model->arena, &model->changed_types, type);
    type->value_origin = act->origin;
}

void
apply_rename_value(struct act *act)
{
    const char *old = act->step->values.count > 0 ? act->step->values.items[0] : NULL;
    const char *value = act->step->new_name;
    struct model_type *type = need_type(act);
    size_t at = 0;

    if (!type || !old || !value || !is_enum(act, type))
        return;
    while (at < type->values.count && !text_equal(type->values.items[at], old))
        at++;
    if (at == type->values.count)
        act_refuse(act,
            &(struct fault){ .sqlstate = "22023",
                .object = name_shown(act->model->arena, type->schema, type->name, old),
                .first = &type->origin,
                .is_doubtful = type->presence == MAYBE },
            "\"%s\" is not an existing enum label", old);
    else if (text_list_has(&type->values, value))
        refuse_label(act, type, value);
    else
        type->values.items[at] = value;
}

void
apply_alter_domain(struct act *act)
{
    need_type(act);
}
