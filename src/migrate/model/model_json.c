/* The model for --json. */

#include <stdlib.h>
#include <string.h>

#include "migrate/model/model_apply.h"

static void
put_text(json_t *object, const char *key, const char *value)
{
    if (value)
        json_object_set_new(object, key, json_string_nocheck(value));
}

static void
put_flag(json_t *object, const char *key, bool value)
{
    if (value)
        json_object_set_new(object, key, json_true());
}

static void
put_list(json_t *object, const char *key, const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(
            array, list->items[i] ? json_string_nocheck(list->items[i]) : json_null());
    json_object_set_new(object, key, array);
}

static json_t *
thing_json(const char *schema, const char *name, enum presence presence)
{
    json_t *object = json_object();

    put_text(object, "schema", schema);
    put_text(object, "name", name);
    put_flag(object, "maybe", presence == MAYBE);
    return object;
}

static json_t *
column_json(struct arena *arena, const struct model_column *column)
{
    json_t *object = thing_json(NULL, column->column.name, column->presence);
    struct type type = column->column.type;

    if (column->made_of) {
        type.name = column->made_of->name;
        type.schema =
            strcmp(column->made_of->schema, "public") == 0 ? NULL : column->made_of->schema;
    }
    if (type.name)
        put_text(object, "type", type_text(arena, &type));
    json_object_set_new(object, "not_null", json_boolean(column->column.is_not_null));
    put_text(object, "default", column->column.default_text);
    put_flag(object, "serial", column->column.is_serial);
    put_flag(object, "identity", column->column.is_identity);
    put_flag(object, "generated", column->column.is_generated);
    return object;
}

static const char *const constraint_words[] = {
    [CONSTRAINT_PRIMARY_KEY] = "primary key",
    [CONSTRAINT_UNIQUE] = "unique",
    [CONSTRAINT_CHECK] = "check",
    [CONSTRAINT_FOREIGN_KEY] = "foreign key",
    [CONSTRAINT_EXCLUDE] = "exclude",
    [CONSTRAINT_UNKNOWN] = "unknown",
};

static json_t *
constraint_json(const struct model_constraint *constraint)
{
    const struct constraint *it = &constraint->constraint;
    json_t *object = thing_json(NULL, it->name, constraint->presence);

    put_text(object, "kind", constraint_words[it->kind]);
    put_list(object, "columns", &it->columns);
    put_text(object, "expression", it->expression);
    put_flag(object, "not_valid", it->is_not_valid);
    if (constraint->target) {
        json_t *target = thing_json(constraint->target->schema, constraint->target->name, PRESENT);

        put_list(target, "columns", &it->target_columns);
        json_object_set_new(object, "target", target);
        put_text(object, "on_delete", it->on_delete);
    }
    return object;
}

static json_t *
index_json(const struct relation *relation)
{
    const struct index *index = relation->index;
    json_t *object = thing_json(NULL, relation->name, relation->presence);
    json_t *keys = json_array();

    if (!index)
        return object;
    for (size_t i = 0; i < index->keys.count; i++) {
        const struct index_key *key = &index->keys.items[i];
        const char *text = key->column ? key->column : key->expression;

        json_array_append_new(keys, text ? json_string_nocheck(text) : json_null());
    }
    json_object_set_new(object, "keys", keys);
    put_text(object, "method", index->method);
    put_flag(object, "unique", index->is_unique);
    put_text(object, "where", index->where);
    put_flag(object, "constraint", relation->backs != NULL);
    return object;
}

static json_t *
table_json(struct arena *arena, const struct relation *table)
{
    json_t *object = thing_json(table->schema, table->name, table->presence);
    json_t *columns = json_array();
    json_t *constraints = json_array();
    json_t *indexes = json_array();

    put_flag(object, "incomplete", table->is_vague || table->hides_names);
    put_flag(object, "partitioned", table->is_partitioned);
    for (size_t i = 0; i < table->columns.count; i++)
        json_array_append_new(columns, column_json(arena, table->columns.items[i]));
    for (size_t i = 0; i < table->constraints.count; i++)
        json_array_append_new(constraints, constraint_json(table->constraints.items[i]));
    for (size_t i = 0; i < table->indexes.count; i++)
        json_array_append_new(indexes, index_json(table->indexes.items[i]));
    json_object_set_new(object, "columns", columns);
    json_object_set_new(object, "constraints", constraints);
    json_object_set_new(object, "indexes", indexes);
    return object;
}

static int
compare(const void *a, const void *b)
{
    const struct map_entry *const *x = a;
    const struct map_entry *const *y = b;

    return strcmp((*x)->key, (*y)->key);
}

/* The entries in the order of their keys. */
static const struct map_entry **
sorted(const struct map *map, size_t *ret_count)
{
    const struct map_entry **entries =
        ARENA_ARRAY(map->arena, const struct map_entry *, map->count + 1);
    const struct map_entry *entry;
    size_t cursor = 0;

    *ret_count = 0;
    while ((entry = map_next(map, &cursor)))
        entries[(*ret_count)++] = entry;
    qsort(entries, *ret_count, sizeof(*entries), compare);
    return entries;
}

static json_t *
relations_json(const struct model *model, enum relation_kind kind)
{
    json_t *array = json_array();
    size_t count;
    const struct map_entry **entries = sorted(&model->relations, &count);

    for (size_t i = 0; i < count; i++) {
        const struct relation *relation = entries[i]->value;

        if (relation->kind != kind)
            continue;
        json_array_append_new(
            array, kind == RELATION_TABLE
                       ? table_json(model->arena, relation)
                       : thing_json(relation->schema, relation->name, relation->presence));
    }
    return array;
}

static json_t *
types_json(const struct model *model)
{
    static const char *const words[STEP_KIND_COUNT] = {
        [STEP_CREATE_ENUM] = "enum",
        [STEP_CREATE_DOMAIN] = "domain",
        [STEP_CREATE_TYPE] = "type",
    };
    json_t *array = json_array();
    size_t count;
    const struct map_entry **entries = sorted(&model->types, &count);

    for (size_t i = 0; i < count; i++) {
        const struct model_type *type = entries[i]->value;
        json_t *object = thing_json(type->schema, type->name, type->presence);

        put_text(object, "kind", words[type->made_by]);
        if (type->made_by == STEP_CREATE_ENUM)
            put_list(object, "values", &type->values);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *
names_json(const struct map *map, const char *without)
{
    json_t *array = json_array();
    size_t count;
    const struct map_entry **entries = sorted(map, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i]->key, without) != 0)
            json_array_append_new(array, json_string_nocheck(entries[i]->key));
    return array;
}

json_t *
model_json(const struct model *model)
{
    json_t *object = json_object();

    put_flag(object, "incomplete", model->vague_since || model->has_baseline);
    json_object_set_new(object, "schemas", names_json(&model->schemas, "pg_temp"));
    json_object_set_new(object, "extensions", names_json(&model->extensions, "plpgsql"));
    json_object_set_new(object, "types", types_json(model));
    json_object_set_new(object, "tables", relations_json(model, RELATION_TABLE));
    json_object_set_new(object, "views", relations_json(model, RELATION_VIEW));
    json_object_set_new(object, "materialized_views", relations_json(model, RELATION_MATVIEW));
    json_object_set_new(object, "sequences", relations_json(model, RELATION_SEQUENCE));
    json_object_set_new(object, "functions", names_json(&model->functions, ""));
    return object;
}
