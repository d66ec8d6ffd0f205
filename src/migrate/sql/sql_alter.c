/* ALTER TABLE, one step a command; RENAME and SET SCHEMA of anything. */
#include "base/text.h"
#include "migrate/sql/sql_lower.h"

/* A command of ALTER TABLE and where in the text it is. */
struct command {
    struct lower *lower;
    const json_t *node;
    size_t first; /* lexeme */
    struct step *step;
};

typedef void command_fn(struct command *command);

static void
set_column_type(struct command *command)
{
    struct lower *lower = command->lower;
    const json_t *definition = json_object_get(json_object_get(command->node, "def"), "ColumnDef");
    const json_t *collation =
        json_object_get(json_object_get(definition, "collClause"), "collname");
    const struct lexeme *lexemes = lower_lexemes(lower);
    uint32_t depth = lexemes[command->first].depth;
    size_t word;

    command->step->type = lower_type(lower, json_object_get(definition, "typeName"));
    if (collation)
        command->step->type.collation = lower_names(lower, collation).name;
    if (json_object_get(definition, "raw_default") &&
        lower_find_word(lower, command->first, depth, "using", &word))
        command->step->using_text =
            lower_slice(lower, lexemes[word].end, lower_clause_end(lower, word));
}

/* DEFAULT is a reserved word: the first one is the clause's. */
static void
set_column_default(struct command *command)
{
    struct lower *lower = command->lower;
    const json_t *expression = json_object_get(command->node, "def");
    const struct lexeme *lexemes = lower_lexemes(lower);
    const char *text = NULL;
    size_t word;

    if (!expression) {
        command->step->kind = STEP_DROP_DEFAULT;
        return;
    }
    if (lower_find_word(lower, command->first, lexemes[command->first].depth, "default", &word))
        text = lower_slice(lower, lexemes[word].end, lower_clause_end(lower, word));
    lower_default(command->step, expression, text);
}

static void
add_column(struct command *command)
{
    command->step->if_not_exists = tree_flag(command->node, "missing_ok");
    lower_add_column(command->lower, command->step,
        json_object_get(json_object_get(command->node, "def"), "ColumnDef"));
    if (command->step->columns.count > 0)
        command->step->column = command->step->columns.items[0].name;
}

static void
add_constraint(struct command *command)
{
    struct constraint constraint;

    lower_constraint(command->lower,
        json_object_get(json_object_get(command->node, "def"), "Constraint"), &constraint);
    command->step->constraint_kind = constraint.kind;
    command->step->constraint_name = constraint.name;
    VEC_PUSH(command->lower->ctx->arena, &command->step->constraints, constraint);
}

/* The name is that of an index, trigger, rule, … instead of a column. */
static void
name_part(struct command *command)
{
    command->step->constraint_name = command->step->column;
    command->step->column = NULL;
}

static void
name_constraint(struct command *command)
{
    name_part(command);
    command->step->constraint_kind = CONSTRAINT_UNKNOWN;
}

/* The table that is attached is the object, and the one that was altered its parent. */
static void
name_partition(struct command *command)
{
    struct lower *lower = command->lower;
    const json_t *partition =
        json_object_get(json_object_get(command->node, "def"), "PartitionCmd");

    command->step->parent = lower_dotted(lower->ctx->arena, command->step->object);
    command->step->object = lower_relation(lower, json_object_get(partition, "name"));
    command->step->concurrently = tree_flag(partition, "concurrent");
}

/* INHERIT and NO INHERIT name the parent. */
static void
name_parent(struct command *command)
{
    command->step->parent = lower_dotted(command->lower->ctx->arena,
        lower_relation(command->lower, json_object_get(command->node, "def")));
}

/* SET (fillfactor, …): which options decides about the lock. */
static void
name_options(struct command *command)
{
    struct arena *arena = command->lower->ctx->arena;
    struct text_list names = { 0 };
    size_t i;
    json_t *item;

    json_array_foreach(tree_list(command->node, "def"), i, item)
    {
        const char *name = tree_text(json_object_get(item, "DefElem"), "defname");

        if (name)
            text_list_add(arena, &names, arena_strdup(arena, name));
    }
    command->step->setting =
        arena_printf(arena, "%s (%s)", command->step->setting, text_list_join(arena, &names, ", "));
}

static const struct command_row {
    const char *subtype;
    enum step_kind kind;
    command_fn *fill;
    const char *setting;
} commands[] = {
    { "AT_AddColumn", STEP_ADD_COLUMN, add_column, NULL },
    { "AT_DropColumn", STEP_DROP_COLUMN, NULL, NULL },
    { "AT_AlterColumnType", STEP_ALTER_TYPE, set_column_type, NULL },
    { "AT_ColumnDefault", STEP_SET_DEFAULT, set_column_default, NULL },
    { "AT_SetNotNull", STEP_SET_NOT_NULL, NULL, NULL },
    { "AT_DropNotNull", STEP_DROP_NOT_NULL, NULL, NULL },
    { "AT_AddIdentity", STEP_IDENTITY, NULL, "ADD GENERATED AS IDENTITY" },
    { "AT_SetIdentity", STEP_IDENTITY, NULL, "SET GENERATED" },
    { "AT_DropIdentity", STEP_IDENTITY, NULL, "DROP IDENTITY" },
    { "AT_AddConstraint", STEP_ADD_CONSTRAINT, add_constraint, NULL },
    { "AT_DropConstraint", STEP_DROP_CONSTRAINT, name_constraint, NULL },
    { "AT_ValidateConstraint", STEP_VALIDATE_CONSTRAINT, name_constraint, NULL },
    { "AT_AlterConstraint", STEP_ALTER_TABLE, NULL, "ALTER CONSTRAINT" },
    { "AT_AttachPartition", STEP_ATTACH_PARTITION, name_partition, NULL },
    { "AT_DetachPartition", STEP_DETACH_PARTITION, name_partition, NULL },
    { "AT_DetachPartitionFinalize", STEP_DETACH_PARTITION, name_partition, "FINALIZE" },
    { "AT_SetStatistics", STEP_ALTER_TABLE, NULL, "SET STATISTICS" },
    { "AT_SetStorage", STEP_ALTER_TABLE, NULL, "SET STORAGE" },
    { "AT_SetCompression", STEP_ALTER_TABLE, NULL, "SET COMPRESSION" },
    { "AT_SetOptions", STEP_ALTER_TABLE, name_options, "ALTER COLUMN SET" },
    { "AT_ResetOptions", STEP_ALTER_TABLE, name_options, "ALTER COLUMN RESET" },
    { "AT_DropExpression", STEP_ALTER_TABLE, NULL, "DROP EXPRESSION" },
    { "AT_SetExpression", STEP_ALTER_TABLE, NULL, "SET EXPRESSION" },
    { "AT_SetRelOptions", STEP_ALTER_TABLE, name_options, "SET" },
    { "AT_ResetRelOptions", STEP_ALTER_TABLE, name_options, "RESET" },
    { "AT_EnableRowSecurity", STEP_ALTER_TABLE, NULL, "ENABLE ROW LEVEL SECURITY" },
    { "AT_DisableRowSecurity", STEP_ALTER_TABLE, NULL, "DISABLE ROW LEVEL SECURITY" },
    { "AT_ForceRowSecurity", STEP_ALTER_TABLE, NULL, "FORCE ROW LEVEL SECURITY" },
    { "AT_NoForceRowSecurity", STEP_ALTER_TABLE, NULL, "NO FORCE ROW LEVEL SECURITY" },
    { "AT_ChangeOwner", STEP_ALTER_TABLE, NULL, "OWNER TO" },
    { "AT_ReplicaIdentity", STEP_ALTER_TABLE, NULL, "REPLICA IDENTITY" },
    { "AT_ClusterOn", STEP_ALTER_TABLE, name_part, "CLUSTER ON" },
    { "AT_DropCluster", STEP_ALTER_TABLE, NULL, "SET WITHOUT CLUSTER" },
    { "AT_SetLogged", STEP_ALTER_TABLE, NULL, "SET LOGGED" },
    { "AT_SetUnLogged", STEP_ALTER_TABLE, NULL, "SET UNLOGGED" },
    { "AT_SetAccessMethod", STEP_ALTER_TABLE, name_part, "SET ACCESS METHOD" },
    { "AT_SetTableSpace", STEP_ALTER_TABLE, name_part, "SET TABLESPACE" },
    { "AT_AddInherit", STEP_ALTER_TABLE, name_parent, "INHERIT" },
    { "AT_DropInherit", STEP_ALTER_TABLE, name_parent, "NO INHERIT" },
    { "AT_AddOf", STEP_ALTER_TABLE, NULL, "OF" },
    { "AT_DropOf", STEP_ALTER_TABLE, NULL, "NOT OF" },
    { "AT_DropOids", STEP_ALTER_TABLE, NULL, "SET WITHOUT OIDS" },
    { "AT_EnableTrig", STEP_ALTER_TABLE, name_part, "ENABLE TRIGGER" },
    { "AT_EnableAlwaysTrig", STEP_ALTER_TABLE, name_part, "ENABLE ALWAYS TRIGGER" },
    { "AT_EnableReplicaTrig", STEP_ALTER_TABLE, name_part, "ENABLE REPLICA TRIGGER" },
    { "AT_EnableTrigAll", STEP_ALTER_TABLE, NULL, "ENABLE TRIGGER" },
    { "AT_EnableTrigUser", STEP_ALTER_TABLE, NULL, "ENABLE TRIGGER" },
    { "AT_DisableTrig", STEP_ALTER_TABLE, name_part, "DISABLE TRIGGER" },
    { "AT_DisableTrigAll", STEP_ALTER_TABLE, NULL, "DISABLE TRIGGER" },
    { "AT_DisableTrigUser", STEP_ALTER_TABLE, NULL, "DISABLE TRIGGER" },
    { "AT_EnableRule", STEP_ALTER_TABLE, name_part, "ENABLE RULE" },
    { "AT_EnableAlwaysRule", STEP_ALTER_TABLE, name_part, "ENABLE ALWAYS RULE" },
    { "AT_EnableReplicaRule", STEP_ALTER_TABLE, name_part, "ENABLE REPLICA RULE" },
    { "AT_DisableRule", STEP_ALTER_TABLE, name_part, "DISABLE RULE" },
    { "AT_GenericOptions", STEP_ALTER_TABLE, NULL, "OPTIONS" },
    { "AT_AlterColumnGenericOptions", STEP_ALTER_TABLE, NULL, "ALTER COLUMN OPTIONS" },
};

/* What ALTER TABLE's tree is also used for. */
static const struct {
    const char *object;
    const char *verb;
    enum step_kind kind;
} other_objects[] = {
    { "OBJECT_TYPE", "ALTER TYPE", STEP_OTHER },
    { "OBJECT_INDEX", "ALTER INDEX", STEP_OTHER },
    { "OBJECT_VIEW", "ALTER VIEW", STEP_OTHER },
    { "OBJECT_MATVIEW", "ALTER MATERIALIZED VIEW", STEP_OTHER },
    { "OBJECT_SEQUENCE", "ALTER SEQUENCE", STEP_ALTER_SEQUENCE },
};

static const struct command_row *
find_command(const json_t *node)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (tree_is(node, "subtype", commands[i].subtype))
            return &commands[i];
    return NULL;
}

/* Attributes of types and columns of views are no columns of tables. */
static void
rename_kind(struct lower *lower, const json_t *statement, struct step *step)
{
    static const char *const attributes[] = { "ADD ATTRIBUTE", "DROP ATTRIBUTE",
        "ALTER ATTRIBUTE" };
    const char *setting = step->setting;

    for (size_t i = 0; i < COUNT_OF(other_objects); i++) {
        if (!tree_is(statement, "objtype", other_objects[i].object) &&
            !tree_is(statement, "relkind", other_objects[i].object))
            continue;
        if (!setting && other_objects[i].kind == STEP_OTHER && i == 0)
            setting = attributes[step->kind == STEP_ADD_COLUMN    ? 0
                                 : step->kind == STEP_DROP_COLUMN ? 1
                                                                  : 2];
        if (!setting)
            setting = step_kind_name(step->kind);
        step->setting = arena_printf(lower->ctx->arena, "%s %s", other_objects[i].verb, setting);
        step->kind = other_objects[i].kind;
    }
}

static void
lower_command(struct lower *lower, const json_t *statement, const json_t *node, size_t first)
{
    const struct command_row *row = find_command(node);
    const json_t *relation = json_object_get(statement, "relation");
    struct step step = lower_begin(lower, row ? row->kind : STEP_ALTER_TABLE);
    struct command command = { .lower = lower, .node = node, .first = first, .step = &step };
    bool is_missing_ok = tree_flag(node, "missing_ok"); /* of ADD COLUMN: IF NOT EXISTS */

    step.object = lower_relation(lower, relation);
    step.is_only = !tree_flag(relation, "inh");
    step.column = lower_name(lower, tree_text(node, "name"));
    step.table_if_exists = tree_flag(statement, "missing_ok");
    step.if_exists = step.table_if_exists || (is_missing_ok && step.kind != STEP_ADD_COLUMN);
    step.cascade = tree_is(node, "behavior", "DROP_CASCADE");
    step.setting = row ? row->setting : lower_verb(lower);
    if (row && row->fill)
        row->fill(&command);
    rename_kind(lower, statement, &step);
    lower_end(lower, &step);
}

/* Where each command begins: behind the table's name, and behind commas that stand by themselves. */
void
lower_alter_table(struct lower *lower, const json_t *node)
{
    size_t location = (size_t)tree_int(json_object_get(node, "relation"), "location");
    size_t at = lower_at(lower, location);
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(node, "cmds"), i, item)
    {
        lower_command(lower, node, json_object_get(item, "AlterTableCmd"), at);

        const struct lexeme *lexemes = lower_lexemes(lower);

        at = lower_at(lower, lower_clause_end(lower, at));
        if (lexemes[at].kind != LEX_END)
            at++;
    }
}

static const struct rename_row {
    const char *object;
    enum step_kind kind;
    enum name_kind name_kind;
} renames[] = {
    { "OBJECT_TABLE", STEP_RENAME_TABLE, NAME_TABLE },
    { "OBJECT_FOREIGN_TABLE", STEP_RENAME_TABLE, NAME_TABLE },
    { "OBJECT_VIEW", STEP_RENAME_TABLE, NAME_VIEW },
    { "OBJECT_MATVIEW", STEP_RENAME_TABLE, NAME_MATVIEW },
    { "OBJECT_SEQUENCE", STEP_RENAME_TABLE, NAME_SEQUENCE },
    { "OBJECT_INDEX", STEP_RENAME_INDEX, NAME_INDEX },
    { "OBJECT_COLUMN", STEP_RENAME_COLUMN, NAME_TABLE },
    { "OBJECT_TABCONSTRAINT", STEP_RENAME_CONSTRAINT, NAME_TABLE },
    { "OBJECT_TYPE", STEP_RENAME_TYPE, NAME_TABLE },
    { "OBJECT_DOMAIN", STEP_RENAME_TYPE, NAME_TABLE },
    { "OBJECT_DOMCONSTRAINT", STEP_ALTER_DOMAIN, NAME_TABLE },
};

static const struct rename_row *
find_rename(const json_t *node, const char *key)
{
    for (size_t i = 0; i < COUNT_OF(renames); i++)
        if (tree_is(node, key, renames[i].object))
            return &renames[i];
    return NULL;
}

/* The names of what is no relation: a list, with arguments for functions. */
static const json_t *
object_names(const json_t *node)
{
    const json_t *object = json_object_get(node, "object");
    const json_t *with_arguments = json_object_get(object, "ObjectWithArgs");
    const json_t *type = json_object_get(object, "TypeName");

    if (with_arguments)
        return json_object_get(with_arguments, "objname");
    return type ? json_object_get(type, "names") : tree_list(node, "object");
}

/* What the model cannot follow, and what that makes uncertain. */
static void
mark_unfollowed(struct step *step, const char *what)
{
    step->unknown = what;
    step->reach = REACH_ALL;
}

void
lower_rename(struct lower *lower, const json_t *node)
{
    const struct rename_row *row = find_rename(node, "renameType");
    const struct rename_row *of = find_rename(node, "relationType");
    const json_t *relation = json_object_get(node, "relation");
    const char *part = tree_text(node, "subname");
    struct step step = lower_begin(lower, row ? row->kind : STEP_OTHER);

    step.object =
        relation ? lower_relation(lower, relation) : lower_names(lower, object_names(node));
    step.new_name = lower_name(lower, tree_text(node, "newname"));
    step.if_exists = tree_flag(node, "missing_ok");
    step.name_kind = row ? row->name_kind : NAME_TABLE;
    if (step.kind == STEP_RENAME_COLUMN) {
        step.column = lower_name(lower, part);
        step.name_kind = of ? of->name_kind : NAME_TABLE;
    } else {
        step.constraint_name = lower_name(lower, part);
    }
    if (step.kind == STEP_ALTER_DOMAIN)
        step.setting = "RENAME CONSTRAINT";
    if (step.kind == STEP_OTHER) {
        step.setting = arena_printf(lower->ctx->arena, "%s RENAME", lower_verb(lower));
        step.table = relation ? step.object : step.table;
    }
    if (tree_is(node, "renameType", "OBJECT_SCHEMA")) {
        step.object.name = step.constraint_name;
        mark_unfollowed(&step, "a schema gets another name");
    }
    lower_end(lower, &step);
}

void
lower_set_schema(struct lower *lower, const json_t *node)
{
    const struct rename_row *row = find_rename(node, "objectType");
    const json_t *relation = json_object_get(node, "relation");
    struct step step = lower_begin(lower, relation ? STEP_SET_SCHEMA : STEP_OTHER);

    step.object =
        relation ? lower_relation(lower, relation) : lower_names(lower, object_names(node));
    step.new_name = lower_name(lower, tree_text(node, "newschema"));
    step.if_exists = tree_flag(node, "missing_ok");
    step.name_kind = row ? row->name_kind : NAME_TABLE;
    if (!relation) {
        step.setting = arena_printf(lower->ctx->arena, "%s SET SCHEMA", lower_verb(lower));
        if (row)
            mark_unfollowed(&step, "a type moves to another schema");
    }
    lower_end(lower, &step);
}
