/* Looking things up, with the server's error where there is nothing. */

#include <string.h>

#include "migrate/model/model_apply.h"

const char *
model_schema_of(const struct model *model, const char *schema)
{
    if (schema)
        return schema;
    return model->has_search_path && model->path.count > 0 ? model->path.items[0] : "public";
}

static struct relation *
relation_in(const struct model *model, const char *schema, const char *name)
{
    struct key key = key_make(schema, name, NULL);

    return map_get(&model->relations, key.text);
}

struct relation *
model_relation(const struct model *model, struct object_name name)
{
    struct relation *relation = NULL;

    if (!name.name)
        return NULL;
    if (name.schema)
        return relation_in(model, name.schema, name.name);
    if (model->has_temporary)
        relation = relation_in(model, "pg_temp", name.name);
    if (!relation && !model->has_search_path)
        relation = relation_in(model, "public", name.name);
    for (size_t i = 0; !relation && model->has_search_path && i < model->path.count; i++)
        relation = relation_in(model, model->path.items[i], name.name);
    return relation;
}

struct model_column *
relation_column(const struct relation *relation, const char *name)
{
    for (size_t i = 0; i < relation->columns.count; i++)
        if (name_equal(relation->columns.items[i]->column.name, name))
            return relation->columns.items[i];
    return NULL;
}

struct model_constraint *
relation_constraint(const struct relation *relation, const char *name)
{
    for (size_t i = 0; i < relation->constraints.count; i++)
        if (name_equal(relation->constraints.items[i]->constraint.name, name))
            return relation->constraints.items[i];
    return NULL;
}

struct model_type *
model_type_find(const struct model *model, const char *schema, const char *name)
{
    struct key key;
    struct model_type *type = NULL;

    if (!name)
        return NULL;
    if (schema || !model->has_search_path) {
        key = key_make(schema ? schema : "public", name, NULL);
        return map_get(&model->types, key.text);
    }
    for (size_t i = 0; !type && i < model->path.count; i++) {
        key = key_make(model->path.items[i], name, NULL);
        type = map_get(&model->types, key.text);
    }
    return type;
}

/* pg_catalog, information_schema, pg_class: always there, nothing known of it. */
static bool
name_is_system(struct object_name name)
{
    static const char *const schemas[] = { "pg_catalog", "information_schema", "pg_toast" };

    for (size_t i = 0; name.schema && i < COUNT_OF(schemas); i++)
        if (strcmp(schemas[i], name.schema) == 0)
            return true;
    return !name.schema && name.name && text_starts_with(name.name, "pg_");
}

struct object_name
object_name_parse(struct arena *arena, const char *text)
{
    const char *dot = text ? strchr(text, '.') : NULL;

    if (!dot)
        return (struct object_name){ .name = text };
    return (struct object_name){ arena_strndup(arena, text, (size_t)(dot - text)), dot + 1 };
}

static bool
is_vague(const struct model *model)
{
    return model->vague_since || model->has_baseline;
}

bool
need_schema(struct act *act, const char *schema)
{
    struct model *model = act->model;
    struct origin *origin;
    const char *name = schema ? name_clip(model->arena, schema) : NULL;

    if (!name || map_get(&model->schemas, name) || name_is_system((struct object_name){ name, "" }))
        return true;
    if (strcmp(name, "pg_temp") == 0)
        return true;
    if (!act_refuse(act,
            &(struct fault){
                .sqlstate = "3F000",
                .object = name,
                .first = model_dropped(model, name),
                .is_doubtful = is_vague(model),
            },
            "schema \"%s\" does not exist", name))
        return false;
    origin = arena_memdup(model->arena, &act->origin, sizeof(act->origin));
    map_set(&model->schemas, name, origin);
    return true;
}

struct relation *
model_assume_table(struct model *model, struct object_name name, const struct origin *origin)
{
    struct act act = { .model = model, .origin = *origin };
    struct relation *relation = model_relation(model, name);

    if (!relation)
        relation =
            relation_new(&act, model_schema_of(model, name.schema), name.name, RELATION_TABLE);
    relation->presence = PRESENT;
    relation->is_vague = true;
    relation->is_opaque = true;
    relation->hides_names = true;
    relation->is_filled = true;
    return relation;
}

/* The kinds that a word of an error message stands for; "relation" is any. */
struct kind_word {
    const char *word;
    enum relation_kind kind;
    char sqlstate[6];
};

static const struct kind_word kind_words[] = {
    { "table", RELATION_TABLE, "42P01" },
    { "index", RELATION_INDEX, "42704" },
    { "view", RELATION_VIEW, "42P01" },
    { "materialized view", RELATION_MATVIEW, "42P01" },
    { "sequence", RELATION_SEQUENCE, "42P01" },
};

static const struct kind_word *
kind_word_find(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(kind_words); i++)
        if (strcmp(kind_words[i].word, word) == 0)
            return &kind_words[i];
    return NULL;
}

const char *
relation_kind_name(enum relation_kind kind)
{
    for (size_t i = 0; i < COUNT_OF(kind_words); i++)
        if (kind_words[i].kind == kind)
            return kind_words[i].word;
    return "relation";
}

static struct relation *
found_relation(struct act *act, struct relation *relation, struct object_name name,
    const struct kind_word *word)
{
    struct fault fault = { .first = &relation->origin, .is_doubtful = relation->presence == MAYBE };
    bool is_kind = !word || word->kind == relation->kind;

    if (is_kind && (relation->presence == PRESENT || act->is_maybe))
        return relation;

    fault.object = name_shown(act->model->arena, relation->schema, relation->name, NULL);
    if (!is_kind) {
        fault.sqlstate = "42809";
        act_refuse(act, &fault, "\"%s\" is not %s %s", relation->name,
            word->kind == RELATION_INDEX ? "an" : "a", word->word);
        return NULL;
    }
    /* Where the step succeeds the relation was there. */
    fault.sqlstate = word ? word->sqlstate : "42P01";
    act_refuse(act, &fault, "%s \"%s\" does not exist", word ? word->word : "relation", name.name);
    relation->presence = PRESENT;
    return relation;
}

struct relation *
need_relation(struct act *act, struct object_name name, const char *what)
{
    struct model *model = act->model;
    struct relation *relation = model_relation(model, name);
    const struct kind_word *word = kind_word_find(what);
    struct key key;
    const char *schema = model_schema_of(model, name.schema);

    if (relation)
        return found_relation(act, relation, name, word);
    if (!name.name || name_is_system(name) || act->is_maybe || !need_schema(act, name.schema))
        return NULL;
    key = key_make(schema, name.name, NULL);
    if (!act_refuse(act,
            &(struct fault){
                .sqlstate = word ? word->sqlstate : "42P01",
                .object = name_shown(model->arena, schema, name.name, NULL),
                .first = model_dropped(model, key.text),
                .is_doubtful = is_vague(model),
            },
            "%s \"%s%s%s\" does not exist", what, name.schema && !word ? name.schema : "",
            name.schema && !word ? "." : "", name_clip(model->arena, name.name)))
        return NULL;
    if (word && word->kind != RELATION_TABLE)
        return NULL;
    return model_assume_table(model, name, &act->origin);
}

/* What ALTER TABLE can do with tables only; the server's words for it. */
static const char *const actions[STEP_KIND_COUNT] = {
    [STEP_ADD_COLUMN] = "ADD COLUMN",
    [STEP_DROP_COLUMN] = "DROP COLUMN",
    [STEP_ALTER_TYPE] = "ALTER COLUMN ... SET DATA TYPE",
    [STEP_SET_NOT_NULL] = "ALTER COLUMN ... SET NOT NULL",
    [STEP_DROP_NOT_NULL] = "ALTER COLUMN ... DROP NOT NULL",
    [STEP_SET_DEFAULT] = "ALTER COLUMN ... SET DEFAULT",
    [STEP_DROP_DEFAULT] = "ALTER COLUMN ... SET DEFAULT",
    [STEP_ADD_CONSTRAINT] = "ADD CONSTRAINT",
    [STEP_DROP_CONSTRAINT] = "DROP CONSTRAINT",
    [STEP_VALIDATE_CONSTRAINT] = "VALIDATE CONSTRAINT",
};

struct relation *
need_table(struct act *act)
{
    const struct step *step = act->step;
    bool is_about_part = step->kind == STEP_DROP_COLUMN || step->kind == STEP_DROP_CONSTRAINT;
    bool is_about_default = step->kind == STEP_SET_DEFAULT || step->kind == STEP_DROP_DEFAULT;
    struct relation *relation = model_relation(act->model, step->object);

    if (!relation && (step->table_if_exists || (step->if_exists && !is_about_part)))
        return NULL;
    relation = need_relation(act, step->object, "relation");
    if (!relation || relation->kind == RELATION_TABLE || !actions[step->kind] ||
        (relation->kind == RELATION_VIEW && is_about_default))
        return relation;
    act_refuse(act,
        &(struct fault){
            .sqlstate = "42809",
            .object = name_shown(act->model->arena, relation->schema, relation->name, NULL),
            .first = &relation->origin,
        },
        "ALTER action %s cannot be performed on relation \"%s\"", actions[step->kind],
        relation->name);
    return NULL;
}

static void
refuse_column(struct act *act, const struct fault *fault, const char *column,
    const struct relation *relation, enum missing wording)
{
    switch (wording) {
    case MISSING_OF_RELATION:
        act_refuse(
            act, fault, "column \"%s\" of relation \"%s\" does not exist", column, relation->name);
        break;
    case MISSING_PLAIN:
        act_refuse(act, fault, "column \"%s\" does not exist", column);
        break;
    case MISSING_IN_KEY:
        act_refuse(act, fault, "column \"%s\" named in key does not exist", column);
        break;
    case MISSING_IN_FOREIGN:
        act_refuse(act, fault, "column \"%s\" referenced in foreign key constraint does not exist",
            column);
        break;
    }
}

static struct model_column *
assume_column(struct act *act, struct relation *relation, const char *name)
{
    return relation_add_column(act, relation,
        &(struct column){ .name = name, .type = { .unknown = "nothing tells its type" } });
}

struct model_column *
need_column(struct act *act, struct relation *relation, const char *name, enum missing wording)
{
    struct arena *arena = act->model->arena;
    struct model_column *column = relation_column(relation, name);
    struct key key;
    struct fault fault = { .sqlstate = "42703", .is_doubtful = true };

    if (!name || (column && (column->presence == PRESENT || act->is_maybe)))
        return column;

    if (!column && relation->is_opaque)
        return assume_column(act, relation, name);
    key = key_make(relation->schema, relation->name, name);
    fault.object = name_shown(arena, relation->schema, relation->name, name);
    fault.first = column ? &column->origin : model_dropped(act->model, key.text);
    if (!column)
        fault.is_doubtful = relation->is_vague || act->model->vague_since;
    refuse_column(act, &fault, name_clip(arena, name), relation, wording);
    if (column) {
        column->presence = PRESENT;
    } else if (fault.is_doubtful && !act->is_maybe) {
        column = assume_column(act, relation, name);
    }
    return column;
}

bool
need_free_name(struct act *act, const char *schema, const char *name, bool has_row_type)
{
    struct arena *arena = act->model->arena;
    struct relation *relation = relation_in(act->model, schema, name);
    struct key key = key_make(schema, name, NULL);
    struct model_type *type = has_row_type ? map_get(&act->model->types, key.text) : NULL;
    struct fault fault = { .sqlstate = "42P07" };

    if (!relation && !type)
        return true;
    fault.object = name_shown(arena, schema, name, NULL);
    if (relation) {
        fault.first = &relation->origin;
        fault.is_doubtful =
            may_be_gone(act, relation->table, &relation->origin, relation->presence);
        if (!act_refuse(act, &fault, "relation \"%s\" already exists", name_clip(arena, name)))
            return false;
        drop_relation(act, relation);
    }
    if (!type)
        return true;
    fault.sqlstate = "42710";
    fault.first = &type->origin;
    fault.is_doubtful = may_be_gone(act, NULL, &type->origin, type->presence);
    return act_refuse(act, &fault, "type \"%s\" already exists", name_clip(arena, name));
}
