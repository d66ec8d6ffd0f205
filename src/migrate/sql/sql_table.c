/* CREATE TABLE and what it has in common with ADD COLUMN: columns and constraints. */
#include "base/text.h"
#include "migrate/sql/sql_lower.h"

/* What a list of columns is put into. */
struct table_parts {
    struct lower *lower;
    struct step *step;
};

static const struct {
    const char *name;
    const char *type;
} serials[] = { { "serial", "integer" }, { "bigserial", "bigint" }, { "smallserial", "smallint" } };

static const struct {
    const char *node;
    enum constraint_kind kind;
} constraint_kinds[] = {
    { "CONSTR_PRIMARY", CONSTRAINT_PRIMARY_KEY },
    { "CONSTR_UNIQUE", CONSTRAINT_UNIQUE },
    { "CONSTR_CHECK", CONSTRAINT_CHECK },
    { "CONSTR_FOREIGN", CONSTRAINT_FOREIGN_KEY },
    { "CONSTR_EXCLUSION", CONSTRAINT_EXCLUDE },
};

/* The catalogue's letters for what becomes of rows that refer to a deleted one. */
static const struct {
    const char *letter;
    const char *text;
} delete_actions[] = { { "r", "RESTRICT" }, { "c", "CASCADE" }, { "n", "SET NULL" },
    { "d", "SET DEFAULT" } };

/* The text of a constraint without parentheses around: of EXCLUDE, behind the word. */
static const char *
exclusion_text(struct lower *lower, const json_t *node)
{
    size_t from = lower_at(lower, (size_t)tree_int(node, "location"));
    const struct lexeme *lexemes = lower_lexemes(lower);
    size_t word;

    if (!lower_find_word(lower, from, lexemes[from].depth, "exclude", &word))
        return NULL;
    return lower_slice(lower, lexemes[word].end, lower_clause_end(lower, word));
}

static void
read_exclusions(struct lower *lower, const json_t *node, struct constraint *ret)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(node, "exclusions"), i, item)
    {
        const json_t *pair = json_object_get(json_object_get(item, "List"), "items");
        const json_t *element = json_object_get(json_array_get(pair, 0), "IndexElem");
        const char *column = lower_name(lower, tree_text(element, "name"));

        if (column)
            text_list_add(lower->ctx->arena, &ret->columns, column);
    }
    ret->expression = exclusion_text(lower, node);
}

static void
read_foreign_key(struct lower *lower, const json_t *node, struct constraint *ret)
{
    const char *action = tree_text(node, "fk_del_action");

    ret->target = lower_relation(lower, json_object_get(node, "pktable"));
    lower_name_list(lower, json_object_get(node, "fk_attrs"), &ret->columns);
    lower_name_list(lower, json_object_get(node, "pk_attrs"), &ret->target_columns);
    for (size_t i = 0; action && i < COUNT_OF(delete_actions); i++)
        if (strcmp(delete_actions[i].letter, action) == 0)
            ret->on_delete = delete_actions[i].text;
}

void
lower_constraint(struct lower *lower, const json_t *node, struct constraint *ret)
{
    const char *name = tree_text(node, "conname");
    const char *kind = tree_text(node, "contype");

    *ret = (struct constraint){ .kind = CONSTRAINT_UNKNOWN, .name = lower_name(lower, name) };
    ret->is_name_unknown = name && !ret->name;
    for (size_t i = 0; kind && i < COUNT_OF(constraint_kinds); i++)
        if (strcmp(constraint_kinds[i].node, kind) == 0)
            ret->kind = constraint_kinds[i].kind;
    ret->is_not_valid = tree_flag(node, "skip_validation");
    ret->is_deferrable = tree_flag(node, "deferrable");
    ret->using_index = lower_name(lower, tree_text(node, "indexname"));
    lower_name_list(lower, json_object_get(node, "keys"), &ret->columns);
    if (ret->kind == CONSTRAINT_FOREIGN_KEY)
        read_foreign_key(lower, node, ret);
    if (ret->kind == CONSTRAINT_EXCLUDE)
        read_exclusions(lower, node, ret);
    if (ret->kind == CONSTRAINT_CHECK) {
        ret->expression = lower_parenthesized(lower, (size_t)tree_int(node, "location"));
        tree_columns(lower->ctx->arena, json_object_get(node, "raw_expr"), &ret->columns);
    }
}

/* From the word DEFAULT to the next constraint of the column, or the end of the clause. */
static const char *
default_text(struct lower *lower, const json_t *constraint, const json_t *column)
{
    size_t at = lower_at(lower, (size_t)tree_int(constraint, "location"));
    const struct lexeme *lexemes = lower_lexemes(lower);
    size_t word = at;
    size_t end = lower_clause_end(lower, at);
    size_t collation = (size_t)tree_int(json_object_get(column, "collClause"), "location");
    size_t i;
    json_t *item;

    if (!lower_find_word(lower, at, lexemes[at].depth, "default", &word))
        return NULL;
    json_array_foreach(json_object_get(column, "constraints"), i, item)
    {
        size_t start = (size_t)tree_int(json_object_get(item, "Constraint"), "location");

        if (start > lexemes[word].start && start < end)
            end = start;
    }
    if (collation > lexemes[word].start && collation < end)
        end = collation;
    return lower_slice(lower, lexemes[word].end, end);
}

void
lower_default(struct step *step, const json_t *expression, const char *text)
{
    step->default_text = text;
    step->default_kind = default_of_tree(expression);
}

/* PRIMARY KEY, REFERENCES and their like, written with the column. */
static void
add_inline_constraint(struct table_parts *parts, const json_t *node, const struct column *column)
{
    struct arena *arena = parts->lower->ctx->arena;
    struct constraint constraint;

    lower_constraint(parts->lower, node, &constraint);
    constraint.is_inline = true;
    if (constraint.kind != CONSTRAINT_CHECK && column->name)
        text_list_add(arena, &constraint.columns, column->name);
    VEC_PUSH(arena, &parts->step->constraints, constraint);
}

static void
add_column_constraint(
    struct table_parts *parts, const json_t *node, const json_t *column_def, struct column *column)
{
    const char *kind = tree_text(node, "contype");
    size_t count = parts->step->constraints.count;

    if (text_equal(kind, "CONSTR_NOTNULL")) {
        column->is_not_null = true;
    } else if (text_equal(kind, "CONSTR_DEFAULT")) {
        column->default_text = default_text(parts->lower, node, column_def);
        column->default_kind = default_of_tree(json_object_get(node, "raw_expr"));
    } else if (text_equal(kind, "CONSTR_IDENTITY")) {
        column->is_identity = true;
        column->is_not_null = true;
    } else if (text_equal(kind, "CONSTR_GENERATED")) {
        column->is_generated = true;
        column->default_text =
            lower_parenthesized(parts->lower, (size_t)tree_int(node, "location"));
    } else if (text_equal(kind, "CONSTR_ATTR_DEFERRABLE") ||
               text_equal(kind, "CONSTR_ATTR_DEFERRED")) {
        if (count > 0)
            parts->step->constraints.items[count - 1].is_deferrable = true;
    } else if (kind && !text_starts_with(kind, "CONSTR_ATTR") && !text_equal(kind, "CONSTR_NULL")) {
        column->is_not_null |= text_equal(kind, "CONSTR_PRIMARY");
        add_inline_constraint(parts, node, column);
    }
}

void
lower_add_column(struct lower *lower, struct step *step, const json_t *column_def)
{
    struct table_parts parts = { .lower = lower, .step = step };
    const json_t *collation =
        json_object_get(json_object_get(column_def, "collClause"), "collname");
    struct column column = { .name = lower_name(lower, tree_text(column_def, "colname")) };
    size_t i;
    json_t *item;

    if (json_object_get(column_def, "typeName"))
        column.type = lower_type(lower, json_object_get(column_def, "typeName"));
    if (collation)
        column.type.collation = lower_names(lower, collation).name;
    for (size_t k = 0; k < COUNT_OF(serials); k++)
        if (!column.type.schema && text_equal(column.type.name, serials[k].name)) {
            column.type.name = serials[k].type;
            column.is_serial = true;
            column.is_not_null = true;
        }
    json_array_foreach(json_object_get(column_def, "constraints"), i, item)
        add_column_constraint(&parts, json_object_get(item, "Constraint"), column_def, &column);
    VEC_PUSH(lower->ctx->arena, &step->columns, column);
}

static void
add_element(struct lower *lower, struct step *step, const json_t *wrapped)
{
    const char *kind;
    const json_t *node = tree_open(wrapped, &kind);
    struct constraint constraint;

    if (strcmp(kind, "ColumnDef") == 0) {
        lower_add_column(lower, step, node);
    } else if (strcmp(kind, "Constraint") == 0) {
        lower_constraint(lower, node, &constraint);
        VEC_PUSH(lower->ctx->arena, &step->constraints, constraint);
    } else if (strcmp(kind, "TableLikeClause") == 0) {
        const char *name = lower_dotted(
            lower->ctx->arena, lower_relation(lower, json_object_get(node, "relation")));

        if (name)
            text_list_add(lower->ctx->arena, &step->tables, name);
        if (json_object_get(node, "options"))
            step->unknown = "what LIKE … INCLUDING copies is not followed";
    }
}

static void
add_parents(struct lower *lower, struct step *step, const json_t *relations)
{
    struct arena *arena = lower->ctx->arena;
    size_t i;
    json_t *item;

    json_array_foreach(relations, i, item)
    {
        const char *name = lower_dotted(arena, lower_relation(lower, item));

        if (name && !step->parent)
            step->parent = name;
        else if (name)
            text_list_add(arena, &step->tables, name);
    }
}

static bool
is_temporary(const json_t *relation)
{
    return tree_is(relation, "relpersistence", "t");
}

void
lower_create_table(struct lower *lower, const json_t *node)
{
    const json_t *base = json_object_get(node, "base"); /* of a foreign table */
    const json_t *table = base ? base : node;
    const json_t *relation = json_object_get(table, "relation");
    struct step step = lower_begin(lower, STEP_CREATE_TABLE);
    size_t i;
    json_t *item;

    step.object = lower_relation(lower, relation);
    step.if_not_exists = tree_flag(table, "if_not_exists");
    step.is_temporary = is_temporary(relation);
    step.is_partitioned = json_object_get(table, "partspec") != NULL;
    add_parents(lower, &step, json_object_get(table, "inhRelations"));
    json_array_foreach(json_object_get(table, "tableElts"), i, item)
        add_element(lower, &step, item);
    if (json_object_get(table, "ofTypename"))
        step.unknown = "columns are those of a type";
    lower_end(lower, &step);
}

void
lower_create_table_as(struct lower *lower, const json_t *node)
{
    const json_t *into = json_object_get(node, "into");
    const json_t *relation = json_object_get(into, "rel");
    const json_t *query = json_object_get(node, "query");
    bool is_view =
        tree_is(node, "objtype", "OBJECT_MATVIEW") || tree_is(node, "relkind", "OBJECT_MATVIEW");
    struct step step;

    lower_with(lower, query);
    step = lower_begin(lower, is_view ? STEP_CREATE_VIEW : STEP_CREATE_TABLE);
    step.object = lower_relation(lower, relation);
    step.name_kind = is_view ? NAME_MATVIEW : NAME_TABLE;
    step.is_as_select = !is_view;
    if (!is_view) {
        step.unknown = "the columns are those of a query";
        step.reach = REACH_TABLE;
    }
    step.if_not_exists = tree_flag(node, "if_not_exists");
    step.is_temporary = is_temporary(relation);
    tree_tables(lower, query, &step.tables);
    lower_end(lower, &step);
}

void
lower_composite(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_CREATE_TYPE);
    size_t i;
    json_t *item;

    step.object = lower_relation(lower, json_object_get(node, "typevar"));
    json_array_foreach(json_object_get(node, "coldeflist"), i, item)
        add_element(lower, &step, item);
    lower_end(lower, &step);
}

/* ---- domains ---- */

static void
add_domain_constraint(
    struct lower *lower, struct step *step, const json_t *domain, const json_t *node)
{
    struct constraint constraint;

    if (tree_is(node, "contype", "CONSTR_DEFAULT")) {
        lower_default(step, json_object_get(node, "raw_expr"), default_text(lower, node, domain));
        return;
    }
    lower_constraint(lower, node, &constraint);
    if (constraint.kind == CONSTRAINT_UNKNOWN) /* NOT NULL, NULL */
        return;
    constraint.columns = (struct text_list){ 0 }; /* VALUE is no column */
    VEC_PUSH(lower->ctx->arena, &step->constraints, constraint);
}

void
lower_domain(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_CREATE_DOMAIN);
    const json_t *collation = json_object_get(json_object_get(node, "collClause"), "collname");
    size_t i;
    json_t *item;

    step.object = lower_names(lower, json_object_get(node, "domainname"));
    step.type = lower_type(lower, json_object_get(node, "typeName"));
    if (collation)
        step.type.collation = lower_names(lower, collation).name;
    json_array_foreach(json_object_get(node, "constraints"), i, item)
        add_domain_constraint(lower, &step, node, json_object_get(item, "Constraint"));
    lower_end(lower, &step);
}

static const struct {
    const char *subtype;
    const char *setting;
} domain_settings[] = { { "C", "ADD CONSTRAINT" }, { "X", "DROP CONSTRAINT" },
    { "O", "SET NOT NULL" }, { "N", "DROP NOT NULL" }, { "T", "SET DEFAULT" },
    { "V", "VALIDATE CONSTRAINT" } };

void
lower_alter_domain(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_ALTER_DOMAIN);
    const json_t *constraint = json_object_get(json_object_get(node, "def"), "Constraint");

    step.object = lower_names(lower, json_object_get(node, "typeName"));
    for (size_t i = 0; i < COUNT_OF(domain_settings); i++)
        if (tree_is(node, "subtype", domain_settings[i].subtype))
            step.setting = domain_settings[i].setting;
    if (constraint)
        add_domain_constraint(lower, &step, node, constraint);
    step.constraint_name = lower_name(lower, tree_text(node, "name"));
    step.if_exists = tree_flag(node, "missing_ok");
    step.cascade = tree_is(node, "behavior", "DROP_CASCADE");
    lower_end(lower, &step);
}
