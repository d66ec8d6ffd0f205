/* The statements that mend one changed object in place. */
#include "catalog/diff_part.h"

bool
diff_must_remake(const struct diff *diff, const struct change *change)
{
    switch ((int)change->class) {
    case SCHEMA_constraints: {
        const struct sql_schema_constraints *wanted = change->wanted;

        return change_has(change, "definition") ||
               (change_has(change, "is_validated") && !wanted->is_validated) ||
               (change_has(change, "is_deferrable") && !text_equal(wanted->kind, "foreign key"));
    }
    case SCHEMA_indexes: {
        const struct sql_schema_indexes *wanted = change->wanted;

        return change_has(change, "definition") ||
               (change_has(change, "is_valid") && wanted->is_valid && !wanted->constraint_name);
    }
    case SCHEMA_functions:
        return change_has(change, "kind") ||
               !text_equal(((const struct sql_schema_functions *)change->found)->signature,
                   ((const struct sql_schema_functions *)change->wanted)->signature);
    case SCHEMA_policies: {
        const struct sql_schema_policies *wanted = change->wanted;

        return change_has(change, "command") || change_has(change, "is_permissive") ||
               (change_has(change, "using_text") && !wanted->using_text) ||
               (change_has(change, "check_text") && !wanted->check_text);
    }
    case SCHEMA_tables:
        return diff_must_remake_view(diff, change);
    case SCHEMA_types:
        return diff_must_remake_type(diff, change);
    default:
        return change_has(change, "definition");
    }
}

static void
alter_extension(const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_extensions *wanted = change->wanted;
    const char *name = db_ident(ddl->arena, wanted->name);

    if (change_has(change, "schema"))
        ddl_add(
            ddl, "ALTER EXTENSION %s SET SCHEMA %s", name, db_ident(ddl->arena, wanted->schema));
    if (change_has(change, "version"))
        ddl_add(
            ddl, "ALTER EXTENSION %s UPDATE TO %s", name, db_literal(ddl->arena, wanted->version));
}

static void
alter_constraint(const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_constraints *wanted = change->wanted;
    const char *alter =
        wanted->is_domain
            ? arena_printf(ddl->arena, "ALTER DOMAIN %s",
                  db_qualified(ddl->arena, wanted->schema, wanted->table_name))
            : ddl_alter_table(ddl->arena, ddl->schema, wanted->schema, wanted->table_name);
    const char *name = db_ident(ddl->arena, wanted->name);

    if (change_has(change, "is_validated"))
        ddl_add(ddl, "%s VALIDATE CONSTRAINT %s", alter, name);
    if (change_has(change, "is_deferrable"))
        ddl_add(ddl, "%s ALTER CONSTRAINT %s %s", alter, name,
            !wanted->is_deferrable ? "NOT DEFERRABLE"
            : wanted->is_deferred  ? "DEFERRABLE INITIALLY DEFERRED"
                                   : "DEFERRABLE INITIALLY IMMEDIATE");
}

/* The index of a partition belongs to its parent's as long as that one is there. */
static void
alter_parent(const struct diff *diff, struct change *change)
{
    const struct sql_schema_indexes *found = change->found;
    const struct sql_schema_indexes *wanted = change->wanted;
    const struct change *parent =
        found->parent ? diff_find(diff, SCHEMA_indexes, found->parent) : NULL;

    if (parent && parent->kind == DIFFERENCE_EXTRA && !wanted->parent)
        diff_make(diff, SCHEMA_indexes, wanted, &change->statements);
    parent = wanted->parent ? diff_find(diff, SCHEMA_indexes, wanted->parent) : NULL;
    if (change->statements.count == 0 && !(parent && parent->kind == DIFFERENCE_MISSING))
        change->note = "An index is attached to its parent's, or not, when one of them is made.";
}

static void
alter_index(const struct diff *diff, const struct ddl *ddl, struct change *change)
{
    const struct sql_schema_indexes *found = change->found;
    const struct sql_schema_indexes *wanted = change->wanted;
    const char *name = db_qualified(ddl->arena, wanted->schema, wanted->name);

    ddl_add_options(
        ddl, arena_printf(ddl->arena, "ALTER INDEX %s", name), found->options, wanted->options);
    if (change_has(change, "tablespace"))
        ddl_add(ddl, "ALTER INDEX %s SET TABLESPACE %s", name,
            db_ident(ddl->arena, wanted->tablespace ? wanted->tablespace : "pg_default"));
    if (change_has(change, "statistics"))
        ddl_add_index_statistics(ddl, wanted, found->statistics);
    if (change_has(change, "is_valid") && wanted->is_valid)
        ddl_add(ddl, "REINDEX INDEX %s", name);
    else if (change_has(change, "is_valid"))
        change->note = "An index is made invalid by no statement.";
    if (change_has(change, "parent"))
        alter_parent(diff, change);
}

/* All parameters in one statement, because each is checked against the others. */
static void
alter_sequence(const struct ddl *ddl, const struct change *change)
{
    static const char *const parameters[] = { "type", "start_value", "increment", "min_value",
        "max_value", "cache", "is_cycle" };
    const struct sql_schema_sequences *wanted = change->wanted;
    const char *name = db_qualified(ddl->arena, wanted->schema, wanted->name);
    bool has_parameters = false;

    for (size_t i = 0; i < COUNT_OF(parameters); i++)
        has_parameters = has_parameters || change_has(change, parameters[i]);
    if (has_parameters)
        ddl_add(ddl, "ALTER SEQUENCE %s%s", name, ddl_sequence_text(ddl->arena, wanted, true));
    if (change_has(change, "persistence"))
        ddl_add(ddl, "ALTER SEQUENCE %s SET %s", name,
            text_equal(wanted->persistence, "unlogged") ? "UNLOGGED" : "LOGGED");
    if (change_has(change, "owned_by"))
        ddl_add(ddl, "ALTER SEQUENCE %s OWNED BY %s", name,
            wanted->owned_by ? wanted->owned_by : "NONE");
}

static void
alter_policy(const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_policies *wanted = change->wanted;
    const char *target = ddl_target(ddl->arena, SCHEMA_policies, wanted);

    if (change_has(change, "roles"))
        ddl_add(ddl, "ALTER POLICY %s TO %s", target, wanted->roles);
    if (change_has(change, "using_text"))
        ddl_add(ddl, "ALTER POLICY %s USING (%s)", target, wanted->using_text);
    if (change_has(change, "check_text"))
        ddl_add(ddl, "ALTER POLICY %s WITH CHECK (%s)", target, wanted->check_text);
}

static void
alter_statistics(const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_statistics *wanted = change->wanted;

    if (change_has(change, "target"))
        ddl_add(ddl, "ALTER STATISTICS %s SET STATISTICS %s",
            ddl_target(ddl->arena, SCHEMA_statistics, wanted),
            wanted->target ? wanted->target : "-1");
}

/* REVOKE on a table takes the rights on its columns along: they are given again. */
static void
alter_rights(const struct diff *diff, const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_tables *table = change->wanted;
    struct schema_span span;

    ddl_change_rights(ddl, diff->found, change->class, change->found, change->wanted);
    if (change->class != SCHEMA_tables)
        return;
    span = schema_columns_of(diff->wanted, table->schema, table->name);
    for (size_t i = span.first; i < span.first + span.count; i++) {
        const struct sql_schema_columns *column = &diff->wanted->columns.items[i];

        if (column->acl &&
            schema_find_column(diff->found, table->schema, table->name, column->name))
            ddl_add_rights(ddl, SCHEMA_columns, column);
    }
}

/* What every class may have. */
static void
alter_common(const struct diff *diff, const struct ddl *ddl, const struct change *change)
{
    if (change_has(change, "enabled"))
        ddl_add_enabled(ddl, change->class, change->wanted);
    if (change_has(change, "owner"))
        ddl_add_owner(ddl, change->class, change->wanted);
    if (change_has(change, "acl"))
        alter_rights(diff, ddl, change);
    if (change_has(change, "comment"))
        ddl_add_comment(ddl, change->class, change->wanted);
}

void
diff_alter(const struct diff *diff, struct change *change)
{
    struct ddl ddl = diff_writer(diff, false, &change->statements);

    switch ((int)change->class) {
    case SCHEMA_extensions:
        alter_extension(&ddl, change);
        break;
    case SCHEMA_types:
        diff_alter_type(diff, change);
        break;
    case SCHEMA_functions:
        if (change_has(change, "definition"))
            ddl_add(&ddl, "%s", ddl_member(change->class, change->wanted, "definition"));
        break;
    case SCHEMA_tables:
        diff_alter_table(diff, change);
        break;
    case SCHEMA_columns:
        diff_alter_column(diff, change);
        break;
    case SCHEMA_constraints:
        alter_constraint(&ddl, change);
        break;
    case SCHEMA_indexes:
        alter_index(diff, &ddl, change);
        break;
    case SCHEMA_sequences:
        alter_sequence(&ddl, change);
        break;
    case SCHEMA_policies:
        alter_policy(&ddl, change);
        break;
    case SCHEMA_statistics:
        alter_statistics(&ddl, change);
        break;
    default:
        break;
    }
    alter_common(diff, &ddl, change);
}
