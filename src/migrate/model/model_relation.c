/* Relations and their columns put into the model, renamed and taken out. */

#include <string.h>

#include "migrate/model/model_apply.h"

static void
relation_link(struct model *model, struct relation *relation)
{
    struct key key = key_make(relation->schema, relation->name, NULL);

    map_set(&model->relations, arena_strdup(model->arena, key.text), relation);
    if (strcmp(relation->schema, "pg_temp") == 0)
        model->has_temporary = true;
}

static void
unlink_name(struct model *model, const struct relation *relation)
{
    struct key key = key_make(relation->schema, relation->name, NULL);

    if (map_get(&model->relations, key.text) == relation)
        map_set(&model->relations, key.text, NULL);
    name_release(model, relation->schema, relation->name);
}

void
note_dropped(struct act *act, const char *schema, const char *name, const char *column)
{
    struct model *model = act->model;
    struct key key = key_make(schema, name, column);
    struct origin *origin = map_get(&model->dropped, key.text);

    if (!origin) {
        origin = ARENA_NEW(model->arena, struct origin);
        map_set(&model->dropped, arena_strdup(model->arena, key.text), origin);
    }
    *origin = act->origin;
}

void
relation_unlink(struct act *act, struct relation *relation)
{
    unlink_name(act->model, relation);
    note_dropped(act, relation->schema, relation->name, NULL);
}

struct relation *
relation_new(struct act *act, const char *schema, const char *name, enum relation_kind kind)
{
    struct model *model = act->model;
    struct relation *relation = ARENA_NEW(model->arena, struct relation);

    relation->schema = name_clip(model->arena, schema);
    relation->name = name_clip(model->arena, name);
    relation->kind = kind;
    relation->presence = act_presence(act);
    relation->origin = act->origin;
    relation_link(model, relation);
    return relation;
}

void
relation_rename(struct act *act, struct relation *relation, const char *schema, const char *name)
{
    struct model *model = act->model;

    relation_unlink(act, relation);
    relation->schema = name_clip(model->arena, schema);
    relation->name = name_clip(model->arena, name);
    relation_link(model, relation);
}

/* serial and identity columns own a sequence. */
static void
add_sequence(struct act *act, struct relation *relation, struct model_column *column)
{
    struct model *model = act->model;
    const char *name = model_choose_name(model, relation, column->column.name, "seq");
    struct relation *sequence = relation_new(act, relation->schema, name, RELATION_SEQUENCE);

    sequence->table = relation;
    sequence->column = column->column.name;
    VEC_PUSH(model->arena, &relation->sequences, sequence);
    VEC_PUSH(model->arena, &sequence->users, column);
    column->sequence = sequence;
    column->column.is_not_null = true;
}

void
relation_add_identity(struct act *act, struct relation *relation, struct model_column *column)
{
    column->column.is_identity = true;
    add_sequence(act, relation, column);
}

struct model_column *
relation_add_column(struct act *act, struct relation *relation, const struct column *column)
{
    struct model *model = act->model;
    struct model_column *made = ARENA_NEW(model->arena, struct model_column);

    made->column = *column;
    made->column.name = name_clip(model->arena, column->name);
    made->presence = act_presence(act);
    made->origin = act->origin;
    VEC_PUSH(model->arena, &relation->columns, made);
    if (column->is_serial || column->is_identity)
        add_sequence(act, relation, made);
    return made;
}
