/* Schemas, sequences, views, functions, statistics, triggers, policies. */

#include <string.h>

#include "migrate/model/model_apply.h"

static const char *
shown(const struct act *act, const struct object_name *name)
{
    return name_shown(act->model->arena, name->schema, name->name, NULL);
}

static struct origin *
origin_copy(const struct act *act)
{
    return arena_memdup(act->model->arena, &act->origin, sizeof(act->origin));
}

static bool
is_vague(const struct act *act)
{
    return act->model->vague_since || act->model->has_baseline;
}

/* ---- schemas ---- */

static void
create_schema(struct act *act, const char *name)
{
    struct model *model = act->model;
    const struct origin *there = map_get(&model->schemas, name);

    if (there && (act->step->if_not_exists || act->step->create_if_missing || act->is_maybe))
        return;
    if (text_starts_with(name, "pg_")) {
        act_refuse(act, &(struct fault){ .sqlstate = "42939", .object = name },
            "unacceptable schema name \"%s\"", name);
        return;
    }
    if (there) {
        act_refuse(act, &(struct fault){ .sqlstate = "42P06", .object = name, .first = there },
            "schema \"%s\" already exists", name);
        return;
    }
    map_set(&model->schemas, name, origin_copy(act));
}

/* Takes what is in the schema away, or tells who made the first thing. */
static const struct origin *
schema_content(struct act *act, const char *name, bool drops)
{
    struct model *model = act->model;
    const struct map_entry *entry;
    size_t cursor = 0;

    while ((entry = map_next(&model->relations, &cursor))) {
        struct relation *relation = entry->value;

        if (strcmp(relation->schema, name) != 0 || relation->kind == RELATION_INDEX)
            continue;
        if (!drops)
            return &relation->origin;
        drop_relation(act, relation);
    }
    cursor = 0;
    while ((entry = map_next(&model->types, &cursor))) {
        const struct model_type *type = entry->value;

        if (strcmp(type->schema, name) != 0)
            continue;
        if (!drops)
            return &type->origin;
        map_set(&model->types, entry->key, NULL);
    }
    cursor = 0;
    while ((entry = map_next(&model->functions, &cursor))) {
        size_t length = strlen(name);

        if (strncmp(entry->key, name, length) != 0 || entry->key[length] != '.')
            continue;
        if (!drops)
            return entry->value;
        map_set(&model->functions, entry->key, NULL);
    }
    return NULL;
}

void
apply_schema(struct act *act)
{
    const struct step *step = act->step;
    struct model *model = act->model;
    const char *name = name_clip(model->arena, step->object.name);
    const struct origin *by;

    if (!name) {
        model->vague_since = step;
        return;
    }
    if (step->kind == STEP_CREATE_SCHEMA) {
        create_schema(act, name);
        return;
    }
    if (!map_get(&model->schemas, name)) {
        if (!step->if_exists)
            act_refuse(act,
                &(struct fault){ .sqlstate = "3F000",
                    .object = name,
                    .first = model_dropped(model, name),
                    .is_doubtful = is_vague(act) },
                "schema \"%s\" does not exist", name);
        return;
    }
    by = schema_content(act, name, step->cascade && !act->is_maybe);
    if (act->is_maybe ||
        (by && !refuse_needed(act, arena_printf(model->arena, "schema %s", name), name, by, false)))
        return;
    map_set(&model->schemas, name, NULL);
    map_set(&model->dropped, name, origin_copy(act));
}

/* ---- sequences ---- */

/* OWNED BY table.column, or NONE. */
static void
sequence_own(struct act *act, struct relation *sequence)
{
    const struct step *step = act->step;
    struct relation *table = NULL;

    if (step->table.name) {
        table = need_relation(act, step->table, "relation");
        if (!table || !need_column(act, table, step->column, MISSING_OF_RELATION))
            return;
    }
    if (act->is_maybe)
        return;
    if (sequence->table)
        VEC_REMOVE(&sequence->table->sequences, sequence);
    sequence->table = table;
    sequence->column = table ? name_clip(act->model->arena, step->column) : NULL;
    if (table)
        VEC_PUSH(act->model->arena, &table->sequences, sequence);
}

void
apply_create_sequence(struct act *act)
{
    const struct step *step = act->step;
    struct model *model = act->model;
    const char *schema =
        step->is_temporary ? "pg_temp" : model_schema_of(model, step->object.schema);
    struct object_name name = { schema, step->object.name };
    struct relation *there = model_relation(model, name);
    struct relation *made;

    if (!name.name) {
        model->vague_since = step;
        return;
    }
    if (!need_schema(act, schema))
        return;
    if (there && (step->if_not_exists || step->create_if_missing || act->is_maybe)) {
        if (!act->is_maybe)
            there->presence = PRESENT;
        return;
    }
    if (!need_free_name(act, schema, name.name, false))
        return;
    made = relation_new(act, schema, name.name, RELATION_SEQUENCE);
    if (step->table.name)
        sequence_own(act, made);
}

void
apply_alter_sequence(struct act *act)
{
    const struct step *step = act->step;
    struct relation *sequence = model_relation(act->model, step->object);

    if (!sequence && step->if_exists)
        return;
    sequence = need_relation(act, step->object, "relation");
    if (!sequence)
        return;
    if (sequence->kind != RELATION_SEQUENCE)
        act_refuse(act,
            &(struct fault){
                .sqlstate = "42809", .object = sequence->name, .first = &sequence->origin },
            "\"%s\" is not a sequence", sequence->name);
    else if (text_equal(step->setting, "OWNED BY"))
        sequence_own(act, sequence);
}

/* ---- views ---- */

static void
set_uses(struct act *act, struct relation *view)
{
    const struct text_list *tables = &act->step->tables;

    view->definition = act->step->text;
    view->uses = (struct text_list){ 0 };
    for (size_t i = 0; i < view->reads.count; i++)
        VEC_REMOVE(&view->reads.items[i]->dependents, view);
    view->reads.count = 0;
    for (size_t i = 0; i < tables->count; i++) {
        struct object_name name = object_name_parse(act->model->arena, tables->items[i]);
        struct relation *used = need_relation(act, name, "relation");

        text_list_add(act->model->arena, &view->uses, tables->items[i]);
        if (!used || used == view || act->is_maybe)
            continue;
        VEC_PUSH(act->model->arena, &view->reads, used);
        VEC_PUSH(act->model->arena, &used->dependents, view);
    }
}

/* What it reads must be there before anything else is looked at. */
static void
check_reads(struct act *act)
{
    const struct text_list *tables = &act->step->tables;
    struct relation *relation = NULL;

    for (size_t i = 0; i < tables->count; i++)
        relation =
            need_relation(act, object_name_parse(act->model->arena, tables->items[i]), "relation");
    if (relation && tables->count == 1)
        check_text_columns(act, relation);
}

void
apply_create_view(struct act *act)
{
    const struct step *step = act->step;
    struct model *model = act->model;
    enum relation_kind kind = step->name_kind == NAME_MATVIEW ? RELATION_MATVIEW : RELATION_VIEW;
    const char *schema =
        step->is_temporary ? "pg_temp" : model_schema_of(model, step->object.schema);
    struct object_name name = { schema, step->object.name };
    struct relation *view = model_relation(model, name);

    if (!name.name) {
        model->vague_since = step;
        return;
    }
    if (view && kind == RELATION_MATVIEW && step->if_not_exists)
        return;
    check_reads(act);
    if (!need_schema(act, schema) || (view && act->is_maybe))
        return;
    if (view && step->or_replace && view->kind == RELATION_VIEW) {
        set_uses(act, view);
        view->origin = act->origin;
        view->presence = PRESENT;
        return;
    }
    if (view && step->or_replace) {
        act_refuse(act,
            &(struct fault){ .sqlstate = "42809", .object = view->name, .first = &view->origin },
            "\"%s\" is not a view", view->name);
        return;
    }
    if (!need_free_name(act, schema, name.name, true))
        return;
    view = relation_new(act, schema, name.name, kind);
    view->is_opaque = true;
    set_uses(act, view);
}

/* ---- functions: arguments are not followed, so only names that are new are certain ---- */

void
apply_function(struct act *act)
{
    const struct step *step = act->step;
    struct model *model = act->model;
    const char *schema = model_schema_of(model, step->object.schema);
    struct key key;
    struct origin *there;

    if (!step->object.name)
        return;
    key = key_make(schema, step->object.name, NULL);
    there = map_get(&model->functions, key.text);
    if (step->kind == STEP_CREATE_FUNCTION) {
        if (!need_schema(act, schema))
            return;
        if (there && !step->or_replace)
            act_refuse(act,
                &(struct fault){ .sqlstate = "42723",
                    .object = shown(act, &step->object),
                    .first = there,
                    .is_doubtful = true },
                "function \"%s\" already exists with same argument types", step->object.name);
        if (!there)
            map_set(&model->functions, arena_strdup(model->arena, key.text), origin_copy(act));
        return;
    }
    if (there) {
        if (!act->is_maybe)
            map_set(&model->functions, key.text, NULL);
        note_dropped(act, schema, step->object.name, NULL);
    } else if (!step->if_exists) {
        act_refuse(act,
            &(struct fault){ .sqlstate = "42883",
                .object = shown(act, &step->object),
                .first = model_dropped(model, key.text),
                .is_doubtful = true },
            "could not find a function named \"%s\"", step->object.name);
    }
}

/* ---- statistics ---- */

void
apply_statistics(struct act *act)
{
    const struct step *step = act->step;
    struct model *model = act->model;
    const char *schema = model_schema_of(model, step->object.schema);
    struct key key;
    struct origin *there;

    if (!step->object.name)
        return;
    key = key_make(schema, step->object.name, NULL);
    there = map_get(&model->statistics, key.text);
    if (step->kind == STEP_DROP_STATISTICS) {
        if (!there && !step->if_exists)
            act_refuse(act,
                &(struct fault){ .sqlstate = "42704",
                    .object = shown(act, &step->object),
                    .first = model_dropped(model, key.text),
                    .is_doubtful = is_vague(act) },
                "statistics object \"%s\" does not exist",
                name_clip(model->arena, step->object.name));
        if (there && !act->is_maybe)
            map_set(&model->statistics, key.text, NULL);
        return;
    }
    if (there && (step->if_not_exists || act->is_maybe))
        return;
    if (there)
        act_refuse(act,
            &(struct fault){
                .sqlstate = "42710", .object = shown(act, &step->object), .first = there },
            "statistics object \"%s\" already exists", name_clip(model->arena, step->object.name));
    else if (!step->table.name || need_relation(act, step->table, "relation"))
        map_set(&model->statistics, arena_strdup(model->arena, key.text), origin_copy(act));
}

/* ---- what stands on a table: triggers and policies ---- */

struct on_table {
    const char *word;
    bool creates;
    bool is_trigger;
};

static struct on_table
on_table_of(enum step_kind kind)
{
    bool is_trigger = kind == STEP_CREATE_TRIGGER || kind == STEP_DROP_TRIGGER;

    return (struct on_table){
        .word = is_trigger ? "trigger" : "policy",
        .creates = kind == STEP_CREATE_TRIGGER || kind == STEP_CREATE_POLICY,
        .is_trigger = is_trigger,
    };
}

static size_t
find_name(const struct on_table *what, const struct relation *table, const char *name)
{
    const char **items = what->is_trigger ? table->triggers.items : table->policies.items;
    size_t count = what->is_trigger ? table->triggers.count : table->policies.count;
    size_t at = 0;

    while (at < count && !name_equal(items[at], name))
        at++;
    return at < count ? at : SIZE_MAX;
}

static void
remove_name(const struct on_table *what, struct relation *table, size_t at)
{
    if (what->is_trigger)
        VEC_REMOVE(&table->triggers, table->triggers.items[at]);
    else
        VEC_REMOVE(&table->policies, table->policies.items[at]);
}

void
apply_on_table(struct act *act)
{
    const struct step *step = act->step;
    const struct on_table what = on_table_of(step->kind);
    const char *name = name_clip(act->model->arena, step->constraint_name);
    struct relation *table = model_relation(act->model, step->table);
    struct fault fault = { .sqlstate = "42710" };
    size_t at;

    if (!table && step->if_exists && !what.creates)
        return;
    table = need_relation(act, step->table, "relation");
    if (!table || !name)
        return;
    at = find_name(&what, table, name);
    fault.object = name_shown(act->model->arena, table->schema, table->name, name);
    if (what.creates && at != SIZE_MAX && !step->or_replace) {
        act_refuse(act, &fault, "%s \"%s\" for %s \"%s\" already exists", what.word, name,
            what.is_trigger ? "relation" : "table", table->name);
    } else if (what.creates && at == SIZE_MAX) {
        if (what.is_trigger)
            VEC_PUSH(act->model->arena, &table->triggers, name);
        else
            VEC_PUSH(act->model->arena, &table->policies, name);
    } else if (!what.creates && at == SIZE_MAX && !step->if_exists) {
        fault.sqlstate = "42704";
        fault.is_doubtful = table->is_vague || is_vague(act);
        act_refuse(
            act, &fault, "%s \"%s\" for table \"%s\" does not exist", what.word, name, table->name);
    } else if (!what.creates && at != SIZE_MAX && !act->is_maybe) {
        remove_name(&what, table, at);
    }
}
