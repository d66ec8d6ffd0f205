/* Statements that use tables without altering them, and those about the session. */

#include <ctype.h>
#include <string.h>

#include "lang/sql.h"
#include "migrate/model/model_apply.h"
#include "migrate/sql/sql_lower.h"

static struct object_name
name_at(const struct act *act, const struct text_list *list, size_t i)
{
    return object_name_parse(act->model->arena, list->items[i]);
}

/* 55P04 for what the statement's text writes into the table's columns. */
static void
check_text(struct act *act, const struct relation *table)
{
    bool has_strings = false;

    for (size_t i = 0; i < table->columns.count; i++) {
        const struct type *type = &table->columns.items[i]->column.type;

        has_strings |= type->name && (strcmp(type->name, "text") == 0 ||
                                         strcmp(type->name, "character varying") == 0);
    }
    /* The text may be meant for a column that is no enum. */
    for (size_t i = 0; !has_strings && i < table->columns.count; i++)
        check_new_value(act, table->columns.items[i], act->step->text);
}

static bool
is_about_relation(const struct step *step)
{
    static const char *const words[] = { "TABLE", "COLUMN", "CONSTRAINT", "TRIGGER", "POLICY",
        "VIEW", "MATVIEW", "SEQUENCE", "INDEX", "FOREIGN TABLE" };

    if (step->kind != STEP_COMMENT || !step->setting)
        return true;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcmp(words[i], step->setting) == 0)
            return true;
    return false;
}

void
apply_comment(struct act *act)
{
    const char *setting = act->step->setting;

    if (text_equal(setting, "TYPE") || text_equal(setting, "DOMAIN"))
        apply_alter_domain(act);
    else if (text_equal(setting, "SCHEMA"))
        need_schema(act, act->step->object.name);
    else
        apply_uses(act);
}

/* Columns that a statement writes, and those of its WHERE when they can be no other table's. */
static void
check_written(struct act *act, struct relation *relation, const json_t *node)
{
    const json_t *targets = json_object_get(node, "cols");
    struct text_list names = { 0 };
    size_t i;
    json_t *item;

    if (!targets)
        targets = json_object_get(node, "targetList");
    json_array_foreach(targets, i, item)
    {
        const char *name = tree_text(json_object_get(item, "ResTarget"), "name");

        if (name)
            need_column(act, relation, arena_strdup(act->model->arena, name), MISSING_OF_RELATION);
    }
    if (act->step->tables.count > 0 || strcasestr(act->step->text, "select"))
        return;
    tree_columns(act->model->arena, json_object_get(node, "whereClause"), &names);
    for (i = 0; i < names.count; i++)
        if (!is_system_column(names.items[i]) && !name_equal(relation->name, names.items[i]))
            need_column(act, relation, names.items[i], MISSING_PLAIN);
}

static bool
is_change(enum step_kind kind)
{
    return kind == STEP_INSERT || kind == STEP_UPDATE || kind == STEP_DELETE;
}

/* Columns of a view's query: only when all of them can be but of the one table it reads. */
static void
check_query(struct act *act, struct relation *relation, const json_t *node)
{
    static const char *const clauses[] = { "targetList", "whereClause" };
    const char *kind;
    const json_t *query = tree_open(json_object_get(node, "query"), &kind);
    const json_t *from = json_object_get(query, "fromClause");
    const char *select = strcasestr(act->step->text, "select");
    struct text_list names = { 0 };

    if (json_array_size(from) != 1 || !json_object_get(json_array_get(from, 0), "RangeVar") ||
        json_object_get(query, "withClause") || !select || strcasestr(select + 1, "select"))
        return;
    for (size_t i = 0; i < COUNT_OF(clauses); i++)
        tree_columns(act->model->arena, json_object_get(query, clauses[i]), &names);
    for (size_t i = 0; i < names.count; i++)
        if (!is_system_column(names.items[i]) && !name_equal(relation->name, names.items[i]))
            need_column(act, relation, names.items[i], MISSING_PLAIN);
}

void
check_text_columns(struct act *act, struct relation *relation)
{
    struct error kept = act->ctx->error;
    json_t *tree CLEANUP(json_release) = NULL;
    const char *text = act->step->text;
    const char *kind;
    const json_t *node;

    if (!text || relation->is_opaque || strstr(text, HOLE_SHOWN))
        return;
    /* What this grammar does not know tells nothing. */
    if (!sql_parse(act->ctx, text, &tree)) {
        act->ctx->error = kept;
        return;
    }
    node = json_object_get(json_array_get(json_object_get(tree, "stmts"), 0), "stmt");
    node = tree_open(node, &kind);
    if (json_object_get(node, "query"))
        check_query(act, relation, node);
    else if (!json_object_get(node, "withClause") && !json_object_get(node, "fromClause") &&
             !json_object_get(node, "usingClause"))
        check_written(act, relation, node);
}

/* INSERT, UPDATE, SELECT, COMMENT, … of a relation and perhaps of others. */
void
apply_uses(struct act *act)
{
    const struct step *step = act->step;
    struct relation *relation;

    if (!is_about_relation(step))
        return;
    relation = need_relation(act, step->object, "relation");
    if (relation && step->column)
        need_column(act, relation, step->column, MISSING_OF_RELATION);
    for (size_t i = 0; i < step->tables.count; i++)
        need_relation(act, name_at(act, &step->tables, i), "relation");
    if (relation && is_change(step->kind))
        check_text_columns(act, relation);
    if (relation && (step->kind == STEP_INSERT || step->kind == STEP_UPDATE)) {
        relation->is_filled = true;
        if (act->model->changed_types.count > 0)
            check_text(act, relation);
    }
}

/* 0A000 unless the referencing tables are emptied too. */
static void
check_truncate(struct act *act, const struct relation *table)
{
    const struct text_list *tables = &act->step->values;

    for (size_t i = 0; i < table->referenced_by.count; i++) {
        const struct model_constraint *key = table->referenced_by.items[i];
        bool goes_too = key->table == table || key->presence == MAYBE;

        for (size_t k = 0; k < tables->count && !goes_too; k++)
            goes_too = model_relation(act->model, name_at(act, tables, k)) == key->table;
        if (!goes_too)
            act_refuse(act,
                &(struct fault){
                    .sqlstate = "0A000", .object = table->name, .first = &key->origin },
                "cannot truncate a table referenced in a foreign key constraint");
    }
}

void
apply_truncate(struct act *act)
{
    const struct step *step = act->step;

    if (step->kind == STEP_LOCK && (step->in_autocommit || !act->model->in_transaction)) {
        act_refuse(act, &(struct fault){ .sqlstate = "25P01" },
            "LOCK TABLE can only be used in transaction blocks");
        return;
    }
    for (size_t i = 0; i < step->values.count; i++) {
        struct relation *table = need_relation(act, name_at(act, &step->values, i), "relation");

        if (table && step->kind == STEP_TRUNCATE && table->kind != RELATION_TABLE)
            act_refuse(act,
                &(struct fault){
                    .sqlstate = "42809", .object = table->name, .first = &table->origin },
                "\"%s\" is not a table", table->name);
        else if (table && step->kind == STEP_TRUNCATE && !step->cascade)
            check_truncate(act, table);
    }
}

/* Statements that the server refuses within a transaction. */
struct outside {
    enum step_kind kind;
    const char *setting; /* the step's begins with it; NULL: any */
    bool if_concurrently;
    const char *command;
};

static const struct outside outsides[] = {
    { STEP_VACUUM, NULL, false, "VACUUM" },
    { STEP_REINDEX, NULL, true, "REINDEX CONCURRENTLY" },
    { STEP_DETACH_PARTITION, NULL, true, "ALTER TABLE ... DETACH CONCURRENTLY" },
    { STEP_OTHER, "CREATE DATABASE", false, "CREATE DATABASE" },
    { STEP_OTHER, "DROP DATABASE", false, "DROP DATABASE" },
    { STEP_OTHER, "ALTER SYSTEM", false, "ALTER SYSTEM" },
    { STEP_OTHER, "CREATE TABLESPACE", false, "CREATE TABLESPACE" },
    { STEP_OTHER, "DROP TABLESPACE", false, "DROP TABLESPACE" },
};

bool
check_outside(struct act *act)
{
    const struct step *step = act->step;

    if (!act->model->in_transaction || step->in_autocommit)
        return true;
    for (size_t i = 0; i < COUNT_OF(outsides); i++) {
        const struct outside *row = &outsides[i];

        if (row->kind != step->kind || (row->if_concurrently && !step->concurrently))
            continue;
        if (row->setting && (!step->setting || !text_starts_with(step->setting, row->setting)))
            continue;
        return act_refuse(act, &(struct fault){ .sqlstate = "25001", .object = step->object.name },
            "%s cannot run inside a transaction block", row->command);
    }
    return true;
}

/* VACUUM, REINDEX, REFRESH, …: what the transaction allows, and the relations they name. */
void
apply_data(struct act *act)
{
    const struct step *step = act->step;

    if (!check_outside(act) || step->kind == STEP_OTHER)
        return;
    if (step->kind == STEP_REINDEX && step->name_kind == NAME_INDEX) {
        need_relation(act, step->object, "relation");
        return;
    }
    apply_uses(act);
}

/* One name of a list, folded unless it is in double quotes; *at goes behind it. */
static const char *
take_name(struct arena *arena, const char **at)
{
    struct buffer name = { .arena = arena };
    const char *text = *at + strspn(*at, " ,\t\r\n");
    char quote = '\0';

    if (*text == '"' || *text == '\'')
        quote = *text++;
    while (*text && *text != (quote ? quote : ',')) {
        char byte = *text++;

        if (quote != '"' && byte >= 'A' && byte <= 'Z')
            byte = (char)(byte - 'A' + 'a');
        if (quote || !isspace((unsigned char)byte))
            buffer_append(&name, &byte, 1);
    }
    *at = *text && quote ? text + 1 : text;
    return buffer_text(&name);
}

/* The schemas of SET search_path; false when there are none. */
static bool
parse_path(struct arena *arena, const char *text, struct text_list *ret)
{
    while (*text) {
        const char *name = take_name(arena, &text);

        if (*name && strcmp(name, "$user") != 0)
            text_list_add(arena, ret, name);
    }
    return ret->count > 0;
}

static void
set_search_path(struct act *act)
{
    struct model *model = act->model;
    struct text_list path = { 0 };
    const char *value = act->step->setting_value;

    if (act->is_maybe || (value && strchr(value, ',') && *value == '\'')) {
        model->vague_since = act->step;
        return;
    }
    model->has_search_path =
        value && strcasecmp(value, "default") != 0 && parse_path(model->arena, value, &path);
    model->path = path;
}

void
apply_set(struct act *act)
{
    if (text_equal(act->step->setting, "search_path"))
        set_search_path(act);
}
