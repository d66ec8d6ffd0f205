/* Alembic's operations, by their names; those on tables and columns. */
#include <string.h>

#include "migrate/lower/lower.h"

struct object_name
subject_table(
    struct host *host, const struct subject *subject, const char *parameter, const char *schema)
{
    if (subject->table)
        return *subject->table;
    return (struct object_name){
        .schema = value_name(host->arena, subject_argument(subject, schema)),
        .name = value_name(host->arena, subject_argument(subject, parameter)),
    };
}

/* A step on the subject's table; says so when the table is not known. */
static struct step *
table_step(struct host *host, enum step_kind kind, const struct subject *subject)
{
    struct step *step = op_step(host, kind);

    step->object = subject_table(host, subject, "table_name", "schema");
    if (!step->object.name)
        op_unknown(host, step, REACH_ALL, "the table's name is not known: %s",
            value_reason(host->arena, subject_argument(subject, "table_name")));
    return step;
}

static void
drop_table(struct host *host, const struct subject *subject)
{
    struct step *step = table_step(host, STEP_DROP_TABLE, subject);

    step->name_kind = NAME_TABLE;
    step->if_exists = call_flag(subject->call, "if_exists");
}

static void
rename_table(struct host *host, const struct subject *subject)
{
    struct step *step = op_step(host, STEP_RENAME_TABLE);

    step->name_kind = NAME_TABLE;
    step->object.schema = value_name(host->arena, subject_argument(subject, "schema"));
    step->object.name =
        op_name(host, step, subject_argument(subject, "old_table_name"), "the table's name");
    step->new_name =
        op_name(host, step, subject_argument(subject, "new_table_name"), "the table's new name");
}

static void
drop_column(struct host *host, const struct subject *subject)
{
    struct step *step = table_step(host, STEP_DROP_COLUMN, subject);
    const struct value *name = subject_argument(subject, "column_name");

    step->if_exists = call_flag(subject->call, "if_exists");
    step->column = value_name(host->arena, name);
    if (!step->column)
        op_unknown(host, step, REACH_TABLE, "the column's name is not known: %s",
            value_reason(host->arena, name));
}

static void
table_comment(struct host *host, const struct subject *subject)
{
    table_step(host, STEP_COMMENT, subject);
}

/* ---- alter_column ---- */

struct alteration {
    const struct subject *subject;
    const struct value *column;
};

static struct step *
column_step(struct host *host, enum step_kind kind, const struct alteration *alteration)
{
    struct step *step = table_step(host, kind, alteration->subject);

    step->column = value_name(host->arena, alteration->column);
    if (!step->column)
        op_unknown(host, step, REACH_TABLE, "the column's name is not known: %s",
            value_reason(host->arena, alteration->column));
    return step;
}

static void
alter_type(struct host *host, const struct alteration *alteration, const struct value *value)
{
    const struct value *using =
        call_argument(alteration->subject->call, SIZE_MAX, "postgresql_using");
    struct sa_type type = sa_type_read(host, value, NULL);
    struct step *step = column_step(host, STEP_ALTER_TYPE, alteration);

    step->type = type.type;
    if (!type.type.name)
        op_unknown(host, step, REACH_TABLE, "the new type is not known: %s", type.type.unknown);
    if (!value_is_given(using))
        return;
    step->using_text = op_expression(host, using, TEXT_IS_SQL);
    if (!step->using_text)
        op_unknown(host, step, REACH_TABLE, "the text of postgresql_using is not known: %s",
            value_reason(host->arena, using));
}

static void
alter_nullable(struct host *host, const struct alteration *alteration, const struct value *value)
{
    enum step_kind kind = value_is_false(value) ? STEP_SET_NOT_NULL : STEP_DROP_NOT_NULL;
    struct step *step = column_step(host, kind, alteration);

    if (!value_is_true(value) && !value_is_false(value))
        op_unknown(host, step, REACH_TABLE, "whether it is nullable is not known: %s",
            value_reason(host->arena, value));
}

static void
alter_default(struct host *host, const struct alteration *alteration, const struct value *value)
{
    const struct value *existing =
        call_argument(alteration->subject->call, SIZE_MAX, "existing_server_default");
    struct default_parts parts = op_default(host, value);
    struct step *step;

    if (parts.is_identity || value_call_of(existing, "Identity")) {
        column_step(host, STEP_IDENTITY, alteration);
        return;
    }
    step =
        column_step(host, value_is_given(value) ? STEP_SET_DEFAULT : STEP_DROP_DEFAULT, alteration);
    step->default_kind = parts.kind;
    step->default_text = parts.text;
    if (parts.unknown)
        op_unknown(host, step, REACH_TABLE, "the new default is not known: %s", parts.unknown);
}

static void
alter_comment(struct host *host, const struct alteration *alteration)
{
    struct step *step = column_step(host, STEP_COMMENT, alteration);

    step->table = step->object;
}

/* In the order in which Alembic sends them to PostgreSQL: the type first, the new name last. */
static void
alter_column(struct host *host, const struct subject *subject)
{
    struct alteration alteration = { subject, subject_argument(subject, "column_name") };
    const struct value *type = subject_argument(subject, "type_");
    const struct value *nullable = subject_argument(subject, "nullable");
    const struct value *server_default = subject_argument(subject, "server_default");
    const struct value *comment = subject_argument(subject, "comment");
    const struct value *name = subject_argument(subject, "new_column_name");
    struct step *step;

    if (value_is_given(type))
        alter_type(host, &alteration, type);
    if (value_is_given(nullable))
        alter_nullable(host, &alteration, nullable);
    if (server_default && !(server_default->kind == VALUE_BOOL && !server_default->integer))
        alter_default(host, &alteration, server_default);
    if (comment && !(comment->kind == VALUE_BOOL && !comment->integer))
        alter_comment(host, &alteration);
    if (value_is_given(name)) {
        step = column_step(host, STEP_RENAME_COLUMN, &alteration);
        step->new_name = value_name(host->arena, name);
        if (!step->new_name)
            op_unknown(host, step, REACH_TABLE, "the new name is not known: %s",
                value_reason(host->arena, name));
    }
    if (subject->call->has_unknown_arguments) {
        step = table_step(host, STEP_ALTER_TABLE, subject);
        op_unknown(host, step, REACH_TABLE, "arguments of alter_column are not known");
    }
}

/* ---- the rest ---- */

static void
nothing(struct host *host, const struct subject *subject)
{
    (void)host;
    (void)subject;
}

static void
run_async(struct host *host, const struct subject *subject)
{
    (void)subject;
    op_mystery(host, REACH_ALL, "run_async() runs a function that only running would show");
}

static bool op_by_name(struct host *host, const char *name, const struct call *call,
    const struct object_name *batch, bool is_class);

/* op.invoke(ops.DropTableOp("t")) */
static void
invoke(struct host *host, const struct subject *subject)
{
    const struct value *operation = subject_argument(subject, "operation");
    const struct call *call = operation && operation->kind == VALUE_CALL ? operation->call : NULL;

    if (!call || !op_by_name(host, path_verb(call->path), call, NULL, true))
        op_mystery(host, REACH_ALL, "the operation that is invoked is not known: %s",
            value_reason(host->arena, operation));
}

struct operation {
    const char *name;
    const char *class_name; /* of invoke(), where its arguments are the same; or NULL */
    void (*run)(struct host *host, const struct subject *subject);
    const char *parameters;
    const char *batch_parameters; /* NULL: no batch operation */
};

#define ALTER_PARAMETERS                                                   \
    "nullable comment server_default new_column_name type_ existing_type " \
    "existing_server_default existing_nullable existing_comment schema"

/* Source: Alembic's reference of operations, 1.8 and 1.19. */
static const struct operation operations[] = {
    { "add_column", "AddColumnOp", op_add_column, "table_name column schema", "column" },
    { "alter_column", NULL, alter_column, "table_name column_name " ALTER_PARAMETERS,
        "column_name " ALTER_PARAMETERS },
    { "bulk_insert", NULL, op_bulk_insert, "table rows", NULL },
    { "create_check_constraint", NULL, op_create_check,
        "constraint_name table_name condition schema", "constraint_name condition" },
    { "create_exclude_constraint", NULL, op_create_exclude, "constraint_name table_name",
        "constraint_name" },
    { "create_foreign_key", NULL, op_create_foreign_key,
        "constraint_name source_table referent_table local_cols remote_cols onupdate ondelete "
        "deferrable initially match source_schema referent_schema",
        "constraint_name referent_table local_cols remote_cols referent_schema onupdate ondelete "
        "deferrable initially match" },
    { "create_index", "CreateIndexOp", op_create_index,
        "index_name table_name columns schema unique", "index_name columns" },
    { "create_primary_key", NULL, op_create_primary_key,
        "constraint_name table_name columns schema", "constraint_name columns" },
    { "create_table", NULL, op_create_table, "table_name", NULL },
    { "create_table_comment", NULL, table_comment, "table_name comment existing_comment schema",
        "comment" },
    { "create_unique_constraint", NULL, op_create_unique,
        "constraint_name table_name columns schema", "constraint_name columns" },
    { "drop_column", "DropColumnOp", drop_column, "table_name column_name schema", "column_name" },
    { "drop_constraint", "DropConstraintOp", op_drop_constraint,
        "constraint_name table_name type_ schema", "constraint_name type_" },
    { "drop_index", "DropIndexOp", op_drop_index, "index_name table_name schema", "index_name" },
    { "drop_table", "DropTableOp", drop_table, "table_name schema", NULL },
    { "drop_table_comment", NULL, table_comment, "table_name existing_comment schema", "" },
    { "execute", "ExecuteSQLOp", op_execute, "sqltext", "sqltext" },
    { "f", NULL, nothing, "name", "name" },
    { "get_bind", NULL, nothing, "", "" },
    { "get_context", NULL, nothing, "", "" },
    { "inline_literal", NULL, nothing, "value", "value" },
    { "invoke", NULL, invoke, "operation", "operation" },
    { "rename_table", "RenameTableOp", rename_table, "old_table_name new_table_name schema", NULL },
    { "run_async", NULL, run_async, "async_function", NULL },
};

static bool
op_by_name(struct host *host, const char *name, const struct call *call,
    const struct object_name *batch, bool is_class)
{
    for (size_t i = 0; i < COUNT_OF(operations); i++) {
        const struct operation *operation = &operations[i];
        struct subject subject = {
            .call = call,
            .parameters = batch ? operation->batch_parameters : operation->parameters,
            .table = batch,
        };

        if (!text_equal(is_class ? operation->class_name : operation->name, name) ||
            !subject.parameters)
            continue;
        operation->run(host, &subject);
        return true;
    }
    return false;
}

bool
op_operation(
    struct host *host, const char *name, const struct call *call, const struct object_name *batch)
{
    return op_by_name(host, name, call, batch, false);
}
