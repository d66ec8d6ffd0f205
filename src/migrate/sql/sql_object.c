/* Statements about types, indexes, views, functions and all else that has a name. */
#include <strings.h>

#include "base/text.h"
#include "migrate/sql/sql_lower.h"

static void
lower_create_enum(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_CREATE_ENUM);

    step.object = lower_names(lower, json_object_get(node, "typeName"));
    lower_name_list(lower, json_object_get(node, "vals"), &step.values);
    lower_end(lower, &step);
}

static void
lower_create_range(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_CREATE_TYPE);

    step.object = lower_names(lower, json_object_get(node, "typeName"));
    lower_end(lower, &step);
}

/* CREATE TYPE of a base type, AGGREGATE, OPERATOR, COLLATION, TEXT SEARCH … */
static void
lower_define(struct lower *lower, const json_t *node)
{
    bool is_type = tree_is(node, "kind", "OBJECT_TYPE");
    struct step step = lower_begin(lower, is_type ? STEP_CREATE_TYPE : STEP_OTHER);

    step.object = lower_names(lower, json_object_get(node, "defnames"));
    if (!is_type)
        step.setting = lower_verb(lower);
    lower_end(lower, &step);
}

static void
lower_alter_enum(struct lower *lower, const json_t *node)
{
    bool is_rename = json_object_get(node, "oldVal") != NULL;
    struct step step = lower_begin(lower, is_rename ? STEP_RENAME_VALUE : STEP_ADD_VALUE);
    const char *old_value = lower_name(lower, tree_text(node, "oldVal"));

    step.object = lower_names(lower, json_object_get(node, "typeName"));
    step.new_name = lower_name(lower, tree_text(node, "newVal"));
    step.neighbour = lower_name(lower, tree_text(node, "newValNeighbor"));
    step.has_order = json_object_get(node, "newValNeighbor") != NULL;
    step.is_after = tree_flag(node, "newValIsAfter");
    step.if_not_exists = tree_flag(node, "skipIfNewValExists");
    if (old_value)
        text_list_add(lower->ctx->arena, &step.values, old_value);
    lower_end(lower, &step);
}

/* ---- CREATE INDEX ---- */

static const char *
order_of(struct arena *arena, const json_t *element)
{
    const char *order = "";
    const char *nulls = "";

    if (tree_is(element, "ordering", "SORTBY_ASC"))
        order = "ASC";
    if (tree_is(element, "ordering", "SORTBY_DESC"))
        order = "DESC";
    if (tree_is(element, "nulls_ordering", "SORTBY_NULLS_FIRST"))
        nulls = "NULLS FIRST";
    if (tree_is(element, "nulls_ordering", "SORTBY_NULLS_LAST"))
        nulls = "NULLS LAST";
    if (!*order && !*nulls)
        return NULL;
    return arena_printf(arena, "%s%s%s", order, *order && *nulls ? " " : "", nulls);
}

/* An expression key is in parentheses or a call: it ends where they are closed. */
static const char *
key_text(struct lower *lower, size_t from, size_t end)
{
    const struct lexeme *lexemes = lower_lexemes(lower);
    uint32_t depth = lexemes[from].depth;

    for (size_t i = from; lexemes[i].kind != LEX_END && lexemes[i].start < end; i++)
        if (lexemes[i].depth == depth && lex_is_sign(lower->text, &lexemes[i], ')')) {
            end = lexemes[i].end;
            break;
        }

    const char *text = lower_slice(lower, lexemes[from].start, end);
    size_t length = strlen(text);

    return *text == '(' && length > 1 ? arena_strndup(lower->ctx->arena, text + 1, length - 2)
                                      : text;
}

static void
add_keys(struct lower *lower, const json_t *node, struct index *index)
{
    size_t at = lower_at(lower, (size_t)tree_int(json_object_get(node, "relation"), "location"));
    const struct lexeme *lexemes = lower_lexemes(lower);
    size_t i;
    json_t *item;

    while (lexemes[at].kind != LEX_END && !lex_is_sign(lower->text, &lexemes[at], '('))
        at++;
    json_array_foreach(json_object_get(node, "indexParams"), i, item)
    {
        const json_t *element = json_object_get(item, "IndexElem");
        const json_t *expression = json_object_get(element, "expr");
        const json_t *opclass = json_object_get(element, "opclass");
        struct index_key key = { .column = lower_name(lower, tree_text(element, "name")) };

        at += lexemes[at].kind != LEX_END;

        size_t end = lower_clause_end(lower, at);

        if (expression)
            key.expression = key_text(lower, at, end);
        tree_columns(lower->ctx->arena, expression, &index->uses);
        if (opclass)
            key.opclass = lower_names(lower, opclass).name;
        key.order = order_of(lower->ctx->arena, element);
        VEC_PUSH(lower->ctx->arena, &index->keys, key);
        at = lower_at(lower, end);
    }
}

static void
lower_index(struct lower *lower, const json_t *node)
{
    struct arena *arena = lower->ctx->arena;
    struct step step = lower_begin(lower, STEP_CREATE_INDEX);
    struct index *index = ARENA_NEW(arena, struct index);
    const char *name = tree_text(node, "idxname");
    const json_t *predicate = json_object_get(node, "whereClause");
    size_t word;
    size_t i;
    json_t *item;

    step.table = lower_relation(lower, json_object_get(node, "relation"));
    step.is_only = !tree_flag(json_object_get(node, "relation"), "inh");
    index->name = lower_name(lower, name);
    index->is_name_unknown = name && !index->name;
    index->method = lower_name(lower, tree_text(node, "accessMethod"));
    if (!index->method)
        index->method = "btree";
    index->is_unique = tree_flag(node, "unique");
    index->nulls_not_distinct = tree_flag(node, "nulls_not_distinct");
    add_keys(lower, node, index);
    json_array_foreach(json_object_get(node, "indexIncludingParams"), i, item)
    {
        const char *column =
            lower_name(lower, tree_text(json_object_get(item, "IndexElem"), "name"));

        if (column)
            text_list_add(arena, &index->include, column);
    }
    if (predicate && lower_find_word(lower, 0, 0, "where", &word))
        index->where =
            lower_slice(lower, lower_lexemes(lower)[word].end, lower_clause_end(lower, word));
    tree_columns(arena, predicate, &index->uses);
    step.object = (struct object_name){ .schema = step.table.schema, .name = index->name };
    step.index = index;
    step.concurrently = tree_flag(node, "concurrent");
    step.if_not_exists = tree_flag(node, "if_not_exists");
    lower_end(lower, &step);
}

/* ---- DROP ---- */

static const struct drop_row {
    const char *object;
    enum step_kind kind;
    enum name_kind name_kind;
    bool is_of_table; /* the last part is its name, the others the table's */
} drops[] = {
    { "OBJECT_TABLE", STEP_DROP_TABLE, NAME_TABLE, false },
    { "OBJECT_FOREIGN_TABLE", STEP_DROP_TABLE, NAME_TABLE, false },
    { "OBJECT_INDEX", STEP_DROP_INDEX, NAME_INDEX, false },
    { "OBJECT_VIEW", STEP_DROP_VIEW, NAME_VIEW, false },
    { "OBJECT_MATVIEW", STEP_DROP_VIEW, NAME_MATVIEW, false },
    { "OBJECT_SEQUENCE", STEP_DROP_SEQUENCE, NAME_SEQUENCE, false },
    { "OBJECT_TYPE", STEP_DROP_TYPE, NAME_TABLE, false },
    { "OBJECT_DOMAIN", STEP_DROP_TYPE, NAME_TABLE, false },
    { "OBJECT_FUNCTION", STEP_DROP_FUNCTION, NAME_TABLE, false },
    { "OBJECT_PROCEDURE", STEP_DROP_FUNCTION, NAME_TABLE, false },
    { "OBJECT_ROUTINE", STEP_DROP_FUNCTION, NAME_TABLE, false },
    { "OBJECT_SCHEMA", STEP_DROP_SCHEMA, NAME_TABLE, false },
    { "OBJECT_EXTENSION", STEP_DROP_EXTENSION, NAME_TABLE, false },
    { "OBJECT_STATISTIC_EXT", STEP_DROP_STATISTICS, NAME_TABLE, false },
    { "OBJECT_TRIGGER", STEP_DROP_TRIGGER, NAME_TABLE, true },
    { "OBJECT_POLICY", STEP_DROP_POLICY, NAME_TABLE, true },
    { "OBJECT_RULE", STEP_OTHER, NAME_TABLE, true },
};

/* A name however the tree has it: String, List, TypeName, ObjectWithArgs. */
static struct object_name
name_of(struct lower *lower, const json_t *wrapped)
{
    const char *kind;
    const json_t *node = tree_open(wrapped, &kind);

    if (strcmp(kind, "String") == 0)
        return (struct object_name){ .name = lower_name(lower, tree_string(wrapped)) };
    if (strcmp(kind, "TypeName") == 0)
        return lower_names(lower, json_object_get(node, "names"));
    if (strcmp(kind, "ObjectWithArgs") == 0)
        return lower_names(lower, json_object_get(node, "objname"));
    return lower_names(lower, json_object_get(node, "items"));
}

/* schema.table.trigger: the table is what stands before. */
static void
name_part_of_table(struct lower *lower, const json_t *wrapped, struct step *step)
{
    const json_t *names = json_object_get(json_object_get(wrapped, "List"), "items");
    size_t count = json_array_size(names);

    step->constraint_name = step->object.name;
    step->object.schema = NULL;
    step->table = (struct object_name){ .schema = lower->schema };
    if (count > 1)
        step->table.name = lower_name(lower, tree_string(json_array_get(names, count - 2)));
    if (count > 2)
        step->table.schema = lower_name(lower, tree_string(json_array_get(names, count - 3)));
}

static void
lower_drop(struct lower *lower, const json_t *node)
{
    const struct drop_row *row = NULL;
    size_t i;
    json_t *item;

    for (size_t k = 0; !row && k < COUNT_OF(drops); k++)
        if (tree_is(node, "removeType", drops[k].object))
            row = &drops[k];
    json_array_foreach(json_object_get(node, "objects"), i, item)
    {
        struct step step = lower_begin(lower, row ? row->kind : STEP_OTHER);

        step.object = name_of(lower, item);
        step.name_kind = row ? row->name_kind : NAME_TABLE;
        step.if_exists = tree_flag(node, "missing_ok");
        step.cascade = tree_is(node, "behavior", "DROP_CASCADE");
        step.concurrently = tree_flag(node, "concurrent");
        if (row && row->is_of_table)
            name_part_of_table(lower, item, &step);
        if (step.kind == STEP_OTHER)
            step.setting = lower_verb(lower);
        lower_end(lower, &step);
    }
}

/* ---- sequences ---- */

static void
lower_sequence(struct lower *lower, const json_t *node, enum step_kind kind)
{
    struct step step = lower_begin(lower, kind);
    bool has_owner;
    const json_t *owner = tree_option(json_object_get(node, "options"), "owned_by", &has_owner);
    const json_t *names = json_object_get(json_object_get(owner, "List"), "items");
    size_t count = json_array_size(names);

    step.object = lower_relation(lower, json_object_get(node, "sequence"));
    step.if_not_exists = tree_flag(node, "if_not_exists");
    step.if_exists = tree_flag(node, "missing_ok");
    step.is_temporary = tree_is(json_object_get(node, "sequence"), "relpersistence", "t");
    if (has_owner)
        step.setting = "OWNED BY"; /* without a table: NONE */
    if (count > 1) {
        step.column = lower_name(lower, tree_string(json_array_get(names, count - 1)));
        step.table.name = lower_name(lower, tree_string(json_array_get(names, count - 2)));
        step.table.schema = lower->schema;
    }
    if (count > 2)
        step.table.schema = lower_name(lower, tree_string(json_array_get(names, count - 3)));
    lower_end(lower, &step);
}

static void
lower_create_sequence(struct lower *lower, const json_t *node)
{
    lower_sequence(lower, node, STEP_CREATE_SEQUENCE);
}

static void
lower_alter_sequence(struct lower *lower, const json_t *node)
{
    lower_sequence(lower, node, STEP_ALTER_SEQUENCE);
}

/* ---- views ---- */

static void
lower_view(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_CREATE_VIEW);

    step.object = lower_relation(lower, json_object_get(node, "view"));
    step.name_kind = NAME_VIEW;
    step.or_replace = tree_flag(node, "replace");
    step.is_temporary = tree_is(json_object_get(node, "view"), "relpersistence", "t");
    tree_tables(lower, json_object_get(node, "query"), &step.tables);
    lower_end(lower, &step);
}

static void
lower_refresh(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_REFRESH);

    step.object = lower_relation(lower, json_object_get(node, "relation"));
    step.name_kind = NAME_MATVIEW;
    step.concurrently = tree_flag(node, "concurrent");
    lower_end(lower, &step);
}

/* ---- schemas, extensions, functions ---- */

static void
lower_schema(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_CREATE_SCHEMA);
    const char *name = tree_text(node, "schemaname");
    const json_t *elements = json_object_get(node, "schemaElts");
    size_t i;
    json_t *item;

    if (!name)
        name = tree_text(json_object_get(node, "authrole"), "rolename");
    step.object.name = lower_name(lower, name);
    step.if_not_exists = tree_flag(node, "if_not_exists");
    lower_end(lower, &step);
    lower->schema = step.object.name;
    json_array_foreach(elements, i, item) lower_node(lower, item);
    lower->schema = NULL;
}

static void
lower_extension(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_CREATE_EXTENSION);
    const json_t *options = json_object_get(node, "options");
    bool is_there;
    const json_t *schema = tree_option(options, "schema", &is_there);

    step.object.name = lower_name(lower, tree_text(node, "extname"));
    if (schema)
        step.setting_value = lower_name(lower, tree_string(schema)); /* where its objects go */
    tree_option(options, "cascade", &step.cascade);
    step.if_not_exists = tree_flag(node, "if_not_exists");
    lower_end(lower, &step);
}

static void
lower_function(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_CREATE_FUNCTION);

    step.object = lower_names(lower, json_object_get(node, "funcname"));
    step.or_replace = tree_flag(node, "replace");
    lower_end(lower, &step);
}

/* ---- what belongs to a table: triggers, policies, rules, statistics ---- */

static void
lower_on_table(struct lower *lower, const json_t *node, enum step_kind kind, const char *name_key)
{
    struct step step = lower_begin(lower, kind);
    const json_t *relation = json_object_get(node, "relation");

    if (!relation)
        relation = json_object_get(node, "table");
    step.table = lower_relation(lower, relation);
    step.object.name = lower_name(lower, tree_text(node, name_key));
    step.constraint_name = step.object.name;
    step.or_replace = tree_flag(node, "replace");
    if (kind == STEP_OTHER)
        step.setting = lower_verb(lower);
    lower_end(lower, &step);
}

static void
lower_trigger(struct lower *lower, const json_t *node)
{
    lower_on_table(lower, node, STEP_CREATE_TRIGGER, "trigname");
}

static void
lower_policy(struct lower *lower, const json_t *node)
{
    lower_on_table(lower, node, STEP_CREATE_POLICY, "policy_name");
}

static void
lower_alter_policy(struct lower *lower, const json_t *node)
{
    lower_on_table(lower, node, STEP_OTHER, "policy_name");
}

static void
lower_rule(struct lower *lower, const json_t *node)
{
    lower_on_table(lower, node, STEP_OTHER, "rulename");
}

static void
lower_statistics(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_CREATE_STATISTICS);
    size_t i;
    json_t *item;

    step.object = lower_names(lower, json_object_get(node, "defnames"));
    step.table = lower_relation(lower, json_array_get(json_object_get(node, "relations"), 0));
    step.if_not_exists = tree_flag(node, "if_not_exists");
    json_array_foreach(json_object_get(node, "exprs"), i, item)
    {
        const char *column =
            lower_name(lower, tree_text(json_object_get(item, "StatsElem"), "name"));

        if (column)
            text_list_add(lower->ctx->arena, &step.values, column);
    }
    lower_end(lower, &step);
}

/* ---- COMMENT, GRANT ---- */

/* OBJECT_TABCONSTRAINT → "CONSTRAINT"; what the comment is on, in SQL's words. */
static const char *
object_words(struct arena *arena, const char *object)
{
    char *words = arena_strdup(arena, object ? object : "");

    for (char *byte = words; *byte; byte++)
        if (*byte == '_')
            *byte = ' ';
    if (text_starts_with(words, "OBJECT "))
        words += strlen("OBJECT ");
    return strcmp(words, "TABCONSTRAINT") == 0 ? "CONSTRAINT" : words;
}

static void
lower_comment(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_COMMENT);
    const json_t *wrapped = json_object_get(node, "object");

    step.setting = object_words(lower->ctx->arena, tree_text(node, "objtype"));
    step.object = name_of(lower, wrapped);
    if (strcmp(step.setting, "COLUMN") == 0) {
        name_part_of_table(lower, wrapped, &step);
        step.column = step.constraint_name;
        step.constraint_name = NULL;
        step.object = step.table;
    } else if (strcmp(step.setting, "CONSTRAINT") == 0 || strcmp(step.setting, "TRIGGER") == 0 ||
               strcmp(step.setting, "POLICY") == 0 || strcmp(step.setting, "RULE") == 0) {
        name_part_of_table(lower, wrapped, &step);
        step.object = step.table;
    }
    lower_end(lower, &step);
}

static void
lower_grant(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_GRANT);
    const json_t *objects = json_object_get(node, "objects");

    step.setting = tree_flag(node, "is_grant") ? "GRANT" : "REVOKE";
    if (json_object_get(json_array_get(objects, 0), "RangeVar"))
        step.object = lower_relation(lower, json_array_get(objects, 0));
    tree_tables(lower, objects, &step.tables);
    lower_end(lower, &step);
}

static void
lower_grant_role(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_GRANT);

    step.setting = tree_flag(node, "is_grant") ? "GRANT" : "REVOKE";
    lower_end(lower, &step);
}

/* ALTER … OWNER TO and their like change nothing that is followed here. */
static void
lower_other_of(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_OTHER);
    const json_t *names = json_object_get(node, "defnames");

    step.setting = lower_verb(lower);
    if (json_object_get(node, "newowner"))
        step.setting = arena_printf(lower->ctx->arena, "%s OWNER TO", step.setting);
    step.object =
        names ? lower_names(lower, names) : name_of(lower, json_object_get(node, "object"));
    lower_end(lower, &step);
}

const struct lower_row lower_object_rows[] = {
    { "AlterDomainStmt", lower_alter_domain },
    { "AlterEnumStmt", lower_alter_enum },
    { "AlterObjectSchemaStmt", lower_set_schema },
    { "AlterOwnerStmt", lower_other_of },
    { "AlterPolicyStmt", lower_alter_policy },
    { "AlterSeqStmt", lower_alter_sequence },
    { "AlterStatsStmt", lower_other_of },
    { "AlterTableStmt", lower_alter_table },
    { "CommentStmt", lower_comment },
    { "CompositeTypeStmt", lower_composite },
    { "CreateDomainStmt", lower_domain },
    { "CreateEnumStmt", lower_create_enum },
    { "CreateExtensionStmt", lower_extension },
    { "CreateForeignTableStmt", lower_create_table },
    { "CreateFunctionStmt", lower_function },
    { "CreatePolicyStmt", lower_policy },
    { "CreateRangeStmt", lower_create_range },
    { "CreateSchemaStmt", lower_schema },
    { "CreateSeqStmt", lower_create_sequence },
    { "CreateStatsStmt", lower_statistics },
    { "CreateStmt", lower_create_table },
    { "CreateTableAsStmt", lower_create_table_as },
    { "CreateTrigStmt", lower_trigger },
    { "DefineStmt", lower_define },
    { "DropStmt", lower_drop },
    { "GrantRoleStmt", lower_grant_role },
    { "GrantStmt", lower_grant },
    { "IndexStmt", lower_index },
    { "RefreshMatViewStmt", lower_refresh },
    { "RenameStmt", lower_rename },
    { "RuleStmt", lower_rule },
    { "ViewStmt", lower_view },
};

const size_t lower_object_row_count = COUNT_OF(lower_object_rows);
