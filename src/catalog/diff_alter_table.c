/* The statements that mend a table or view. */
#include "base/vec.h"
#include "catalog/diff_part.h"

/* CREATE OR REPLACE can only add columns at the end. */
static bool
keeps_columns(const struct diff *diff, const struct sql_schema_tables *view)
{
    struct schema_span found = schema_columns_of(diff->found, view->schema, view->name);
    struct schema_span wanted = schema_columns_of(diff->wanted, view->schema, view->name);

    if (found.count > wanted.count)
        return false;
    for (size_t i = 0; i < found.count; i++) {
        const struct sql_schema_columns *is = &diff->found->columns.items[found.first + i];
        const struct sql_schema_columns *shall = &diff->wanted->columns.items[wanted.first + i];

        if (!text_equal(is->name, shall->name) || !text_equal(is->type, shall->type) ||
            !text_equal(is->collation, shall->collation))
            return false;
    }
    return true;
}

bool
diff_must_remake_view(const struct diff *diff, const struct change *change)
{
    const struct sql_schema_tables *found = change->found;
    const struct sql_schema_tables *wanted = change->wanted;

    if (!found->definition || !wanted->definition)
        return false;
    if (change_has(change, "kind"))
        return true;
    return change_has(change, "definition") &&
           (!text_equal(wanted->kind, "view") || !keeps_columns(diff, wanted));
}

static void
alter_partition(const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_tables *found = change->found;
    const struct sql_schema_tables *wanted = change->wanted;
    const char *name = db_qualified(ddl->arena, wanted->schema, wanted->name);

    if (!change_has(change, "parent") && !change_has(change, "bound"))
        return;
    if (found->parent)
        ddl_add(ddl, "ALTER TABLE %s DETACH PARTITION %s", found->parent, name);
    if (wanted->parent)
        ddl_add(ddl, "ALTER TABLE %s ATTACH PARTITION %s %s", wanted->parent, name, wanted->bound);
}

static void
split_parents(struct arena *arena, const char *parents, struct text_list *ret)
{
    while (parents && *parents) {
        const char *schema_name = schema_next_name(arena, &parents);
        const char *name = schema_next_name(arena, &parents);

        text_list_add(arena, ret, db_qualified(arena, schema_name, name));
        parents += strspn(parents, ", ");
    }
}

static void
alter_inheritance(const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_tables *found = change->found;
    const struct sql_schema_tables *wanted = change->wanted;
    const char *alter = ddl_alter_table(ddl->arena, ddl->schema, wanted->schema, wanted->name);
    struct text_list old = { 0 };
    struct text_list new = { 0 };

    split_parents(ddl->arena, found->inherits, &old);
    split_parents(ddl->arena, wanted->inherits, &new);
    for (size_t i = 0; i < old.count; i++)
        if (!text_list_has(&new, old.items[i]))
            ddl_add(ddl, "%s NO INHERIT %s", alter, old.items[i]);
    for (size_t i = 0; i < new.count; i++)
        if (!text_list_has(&old, new.items[i]))
            ddl_add(ddl, "%s INHERIT %s", alter, new.items[i]);
}

static void
alter_place(const struct ddl *ddl, const struct change *change, const char *alter)
{
    const struct sql_schema_tables *wanted = change->wanted;

    if (change_has(change, "persistence"))
        ddl_add(ddl, "%s SET %s", alter,
            text_equal(wanted->persistence, "unlogged") ? "UNLOGGED" : "LOGGED");
    if (change_has(change, "access_method"))
        ddl_add(ddl, "%s SET ACCESS METHOD %s", alter,
            db_ident(ddl->arena, wanted->access_method ? wanted->access_method : "heap"));
    if (change_has(change, "tablespace"))
        ddl_add(ddl, "%s SET TABLESPACE %s", alter,
            db_ident(ddl->arena, wanted->tablespace ? wanted->tablespace : "pg_default"));
    if (change_has(change, "of_type") && wanted->of_type)
        ddl_add(ddl, "%s OF %s", alter, wanted->of_type);
    else if (change_has(change, "of_type"))
        ddl_add(ddl, "%s NOT OF", alter);
}

static void
alter_parts(const struct ddl *ddl, const struct change *change, const char *alter)
{
    const struct sql_schema_tables *wanted = change->wanted;

    if (change_has(change, "row_security"))
        ddl_add_row_security(ddl, wanted);
    if (change_has(change, "force_row_security"))
        ddl_add_forced_security(ddl, wanted);
    if (change_has(change, "replica_identity"))
        ddl_add_replica_identity(ddl, wanted);
    if (change_has(change, "clustered_on") && wanted->clustered_on)
        ddl_add(ddl, "%s CLUSTER ON %s", alter, db_ident(ddl->arena, wanted->clustered_on));
    else if (change_has(change, "clustered_on"))
        ddl_add(ddl, "%s SET WITHOUT CLUSTER", alter);
}

static void
alter_view(const struct ddl *ddl, const struct change *change)
{
    const struct sql_schema_tables *wanted = change->wanted;
    const char *name = db_qualified(ddl->arena, wanted->schema, wanted->name);
    const char *options =
        wanted->options ? arena_printf(ddl->arena, " WITH (%s)", wanted->options) : "";

    if (change_has(change, "definition"))
        ddl_add(ddl, "CREATE OR REPLACE VIEW %s%s AS\n%s", name, options, wanted->definition);
    if (change_has(change, "is_populated"))
        ddl_add(ddl, "REFRESH MATERIALIZED VIEW %s%s", name,
            wanted->is_populated ? "" : " WITH NO DATA");
}

/* What only a new table could have otherwise. */
static void
note_what_stays(struct change *change)
{
    static const struct {
        const char *attribute;
        const char *note;
    } notes[] = {
        { "kind", "A table stays what it is; making it anew would take its rows away." },
        { "partition_key",
            "The key of a partitioned table stays; only a new table can have another one, into "
            "which the rows are copied." },
        { "column_order",
            "Columns stay in their order; only a new table can have another one, into which the "
            "rows are copied." },
        { "foreign_server",
            "A foreign table stays with its server; drop it and make it again, its rows are "
            "elsewhere." },
    };

    for (size_t i = 0; i < COUNT_OF(notes); i++)
        if (change_has(change, notes[i].attribute))
            change->note = notes[i].note;
}

void
diff_alter_table(const struct diff *diff, struct change *change)
{
    struct ddl ddl = diff_writer(diff, false, &change->statements);
    const struct sql_schema_tables *found = change->found;
    const struct sql_schema_tables *wanted = change->wanted;
    const char *alter = ddl_alter_table(diff->arena, diff->wanted, wanted->schema, wanted->name);

    note_what_stays(change);
    if (change_has(change, "kind"))
        return;
    if (wanted->definition)
        alter_view(&ddl, change);
    alter_place(&ddl, change, alter);
    alter_partition(&ddl, change);
    if (change_has(change, "inherits")) {
        alter_inheritance(&ddl, change);
        change->note = "Its columns stay the table's own, too.";
    }
    if (change_has(change, "options") &&
        !(text_equal(wanted->kind, "view") && change_has(change, "definition")))
        ddl_add_options(&ddl, alter, found->options, wanted->options);
    if (change_has(change, "toast_options"))
        ddl_add_options(&ddl, alter, found->toast_options, wanted->toast_options);
    if (change_has(change, "foreign_options"))
        ddl_add(&ddl, "%s OPTIONS (%s)", alter,
            ddl_foreign_options_text(diff->arena, found->foreign_options, wanted->foreign_options));
    alter_parts(&ddl, change, alter);
}
