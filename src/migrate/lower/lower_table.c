/* Tables and columns: create_table, add_column, Table(…).create(). */
#include <string.h>

#include "migrate/lower/lower.h"

enum { COLUMNS_MOST = 1600 };

/* ---- a table's parts ---- */

struct table_parts {
    struct object_name name;
    VEC(struct column_parts) columns;
    VEC(struct constraint) constraints;
    VEC(const struct call *) indexes;
    const char *unknown; /* a part that is not known */
};

static void
add_column_part(struct host *host, const struct call *call, struct table_parts *ret)
{
    struct column_parts column;

    if (!op_column(host, call, ret->name.schema, &column))
        ret->unknown = "a column is not known";
    if (!column.column.name)
        return;
    if (ret->columns.count == COLUMNS_MOST) {
        ret->unknown = "it has more columns than PostgreSQL allows";
        return;
    }
    /* The later of two columns of one name counts. */
    for (size_t i = 0; i < ret->columns.count; i++) {
        if (text_equal(ret->columns.items[i].column.name, column.column.name)) {
            ret->columns.items[i] = column;
            return;
        }
    }
    VEC_PUSH(host->scratch, &ret->columns, column);
}

static void
add_part(struct host *host, const struct value *value, struct table_parts *ret)
{
    const struct call *call = value_call_of(value, "Column");
    struct constraint constraint;

    if (!call)
        call = value_call_of(value, "column");
    if (call) {
        add_column_part(host, call, ret);
        return;
    }
    call = value_call_of(value, "Index");
    if (call) {
        VEC_PUSH(host->scratch, &ret->indexes, call);
        return;
    }
    /* Alembic leaves out what is neither a column nor a constraint nor an index. */
    if (value->kind == VALUE_NONE || value_call_of(value, "MetaData"))
        return;
    if (value->kind == VALUE_CALL && value->call && path_is_sqlalchemy(value->call->path) &&
        op_table_constraint(host, value->call, ret->name, &constraint)) {
        VEC_PUSH(host->scratch, &ret->constraints, constraint);
        return;
    }
    ret->unknown = arena_printf(
        host->arena, "a part of the table is not known: %s", value_reason(host->arena, value));
}

/* Arguments from first on. */
static void
read_parts(struct host *host, const struct call *call, size_t first, struct table_parts *ret)
{
    if (call->has_unknown_arguments)
        ret->unknown = "columns come from a list that is not known";
    for (size_t i = first; i < call->arguments.count && op_afford(host, 1); i++)
        add_part(host, &call->arguments.items[i], ret);
}

static struct column_parts *
part_of(struct table_parts *parts, const char *column)
{
    for (size_t i = 0; i < parts->columns.count; i++)
        if (text_equal(parts->columns.items[i].column.name, column))
            return &parts->columns.items[i];
    return NULL;
}

/* ---- the primary key ---- */

static bool
has_foreign_key(const struct table_parts *parts, const struct column_parts *column)
{
    for (size_t i = 0; i < parts->constraints.count; i++)
        if (parts->constraints.items[i].kind == CONSTRAINT_FOREIGN_KEY &&
            text_list_has(&parts->constraints.items[i].columns, column->column.name))
            return true;
    return column->foreign_keys.count > 0;
}

/*
 * The column that SQLAlchemy counts up by itself; source: its documentation of autoincrement,
 * PrimaryKeyConstraint._autoincrement_column asked by experiment.
 */
static struct column_parts *
autoincrement_column(struct table_parts *parts, const struct text_list *keys)
{
    struct column_parts *only = keys->count == 1 ? part_of(parts, keys->items[0]) : NULL;

    for (size_t i = 0; i < keys->count; i++) {
        struct column_parts *column = part_of(parts, keys->items[i]);

        if (column && text_equal(column->autoincrement, "true"))
            return column;
    }
    if (!only || !op_column_may_count(only))
        return NULL;
    if (text_equal(only->autoincrement, "ignore_fk"))
        return only;
    return text_equal(only->autoincrement, "auto") && !has_foreign_key(parts, only) ? only : NULL;
}

/* The key given as a constraint, else that of the columns with primary_key=True; may be empty. */
static struct constraint
primary_key(struct host *host, struct table_parts *parts)
{
    struct constraint ret = { .kind = CONSTRAINT_PRIMARY_KEY };
    struct named named = { .kind = CONSTRAINT_PRIMARY_KEY, .table = parts->name };
    struct text_list *keys = &ret.columns;

    for (size_t i = 0; i < parts->constraints.count; i++)
        if (parts->constraints.items[i].kind == CONSTRAINT_PRIMARY_KEY)
            return parts->constraints.items[i];
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < parts->columns.count; i++) {
            const struct column_parts *column = &parts->columns.items[i];
            bool counts_first = text_equal(column->autoincrement, "true");

            if (column->is_primary_key && counts_first == (pass == 0))
                text_list_add(host->arena, keys, column->column.name);
        }
    }
    named.columns = keys;
    if (keys->count > 0)
        naming_apply(host, NULL, &named, &ret.name, &ret.is_name_unknown);
    return ret;
}

static void
apply_primary_key(struct host *host, struct table_parts *parts, const struct constraint *key)
{
    struct column_parts *counting = autoincrement_column(parts, &key->columns);

    for (size_t i = 0; i < key->columns.count; i++) {
        struct column_parts *column = part_of(parts, key->columns.items[i]);

        if (column && !column->is_nullable_given)
            column->column.is_not_null = true;
    }
    if (counting && counting->type.serial && op_column_may_count(counting))
        op_column_make_serial(host, counting);
}

/* ---- what columns imply ---- */

static struct constraint
unique_of(struct host *host, struct object_name table, const char *column)
{
    struct constraint ret = { .kind = CONSTRAINT_UNIQUE };
    struct named named = { .kind = CONSTRAINT_UNIQUE, .table = table, .columns = &ret.columns };

    text_list_add(host->arena, &ret.columns, column);
    naming_apply(host, NULL, &named, &ret.name, &ret.is_name_unknown);
    return ret;
}

/* Checks stand with the column itself: those of columns, those of enums without a type. */
static void
push_checks(struct host *host, struct object_name table, const struct column_parts *column,
    struct step *step)
{
    for (size_t i = 0; i < column->checks.count; i++) {
        struct constraint check = op_check(host, column->checks.items[i], table, 0);

        check.is_inline = true;
        VEC_PUSH(host->arena, &step->constraints, check);
    }
}

static struct constraint
enum_check(struct host *host, struct object_name table, const struct column_parts *column)
{
    struct constraint ret = { .kind = CONSTRAINT_CHECK };
    struct named named = { .kind = CONSTRAINT_CHECK, .table = table, .columns = &ret.columns };
    struct value name = { .kind = VALUE_TEXT, .text = column->type.check_name };

    text_list_add(host->arena, &ret.columns, column->column.name);
    ret.expression = arena_printf(
        host->arena, "%s %s", sql_ident(host->arena, column->column.name), column->type.check);
    naming_apply(host, name.text ? &name : NULL, &named, &ret.name, &ret.is_name_unknown);
    return ret;
}

static void
comment_step(struct host *host, struct object_name table, const char *column)
{
    struct step *step = op_step(host, STEP_COMMENT);

    step->object = table;
    if (column)
        step->table = table;
    step->column = column;
}

static void
column_comments(struct host *host, const struct table_parts *parts)
{
    for (size_t i = 0; i < parts->columns.count; i++)
        if (parts->columns.items[i].comment)
            comment_step(host, parts->name, parts->columns.items[i].column.name);
}

/* ---- enums ---- */

void
op_create_enum(struct host *host, const struct enum_type *labels, bool check_first)
{
    struct step *step = op_step(host, STEP_CREATE_ENUM);

    step->object = labels->name;
    step->values = labels->labels;
    step->create_if_missing = check_first;
    if (!labels->name.name)
        op_unknown(host, step, REACH_ALL, "the enum's name is not known: %s",
            labels->unknown ? labels->unknown : "none is given");
    else if (labels->unknown)
        op_unknown(host, step, REACH_TABLE, "the enum's labels are not known: %s", labels->unknown);
}

static bool
is_earlier(const struct table_parts *parts, size_t at)
{
    const struct enum_type *labels = parts->columns.items[at].type.labels;

    for (size_t i = 0; i < at; i++) {
        const struct enum_type *other = parts->columns.items[i].type.labels;

        if (other && text_equal(other->name.name, labels->name.name) &&
            text_equal(other->name.schema, labels->name.schema))
            return true;
    }
    return false;
}

static void
create_enums(struct host *host, const struct table_parts *parts, bool check_first, bool once)
{
    for (size_t i = 0; i < parts->columns.count; i++) {
        const struct enum_type *labels = parts->columns.items[i].type.labels;

        if (!labels || !labels->name.name || !labels->is_created_with_table || is_earlier(parts, i))
            continue;
        op_create_enum(host, labels, check_first);
        host->steps->items[host->steps->count - 1].once_a_run = once;
    }
}

/* ---- CREATE TABLE ---- */

static void
set_prefixes(struct host *host, const struct call *call, struct step *step)
{
    const struct value *prefixes = call_argument(call, SIZE_MAX, "prefixes");
    const struct value *inherits = call_argument(call, SIZE_MAX, "postgresql_inherits");

    for (size_t i = 0; prefixes && i < prefixes->items.count; i++) {
        const char *prefix = value_name(host->arena, &prefixes->items.items[i]);

        if (prefix && (text_equal(prefix, "TEMPORARY") || text_equal(prefix, "TEMP")))
            step->is_temporary = true;
    }
    step->is_partitioned = value_is_given(call_argument(call, SIZE_MAX, "postgresql_partition_by"));
    step->if_not_exists = call_flag(call, "if_not_exists");
    if (value_is_given(inherits))
        step->parent = value_name(host->arena, inherits);
}

static bool
is_late(const struct call *foreign_key)
{
    return call_flag(foreign_key, "use_alter");
}

static void
push_implied(struct host *host, const struct table_parts *parts, struct step *step)
{
    for (size_t i = 0; i < parts->columns.count; i++) {
        const struct column_parts *column = &parts->columns.items[i];
        const char *name = column->column.name;

        for (size_t j = 0; j < column->foreign_keys.count; j++)
            if (!is_late(column->foreign_keys.items[j]))
                VEC_PUSH(host->arena, &step->constraints,
                    op_foreign_key(host, column->foreign_keys.items[j], parts->name, name));
        if (column->is_unique && !column->has_index)
            VEC_PUSH(host->arena, &step->constraints, unique_of(host, parts->name, name));
        if (column->type.check)
            VEC_PUSH(host->arena, &step->constraints, enum_check(host, parts->name, column));
    }
}

/* At most. */
static size_t
constraint_count(const struct table_parts *parts)
{
    size_t count = 1 + parts->constraints.count;

    for (size_t i = 0; i < parts->columns.count; i++) {
        const struct column_parts *column = &parts->columns.items[i];

        count += column->checks.count + column->foreign_keys.count + column->is_unique +
                 (column->type.check != NULL);
    }
    return count;
}

static void
create_table_step(struct host *host, const struct call *call, struct table_parts *parts)
{
    struct constraint key = primary_key(host, parts);
    struct step *step;

    apply_primary_key(host, parts, &key);
    step = op_step(host, STEP_CREATE_TABLE);
    step->object = parts->name;
    step->name_kind = NAME_TABLE;
    set_prefixes(host, call, step);
    VEC_ROOM(host->arena, &step->columns, parts->columns.count);
    VEC_ROOM(host->arena, &step->constraints, constraint_count(parts));
    for (size_t i = 0; i < parts->columns.count; i++) {
        VEC_PUSH(host->arena, &step->columns, parts->columns.items[i].column);
        push_checks(host, parts->name, &parts->columns.items[i], step);
    }
    if (key.columns.count > 0)
        VEC_PUSH(host->arena, &step->constraints, key);
    for (size_t i = 0; i < parts->constraints.count; i++)
        if (parts->constraints.items[i].kind != CONSTRAINT_PRIMARY_KEY)
            VEC_PUSH(host->arena, &step->constraints, parts->constraints.items[i]);
    push_implied(host, parts, step);
    if (!parts->name.name)
        op_unknown(host, step, REACH_ALL, "the table's name is not known");
    if (parts->unknown)
        op_unknown(host, step, REACH_TABLE, "%s", parts->unknown);
}

static void
table_indexes(struct host *host, const struct table_parts *parts)
{
    for (size_t i = 0; i < parts->indexes.count; i++)
        op_index_element(host, parts->indexes.items[i], &parts->name);
    for (size_t i = 0; i < parts->columns.count; i++) {
        const struct column_parts *column = &parts->columns.items[i];

        if (column->has_index)
            op_column_index(host, parts->name, column->column.name, column->is_unique);
    }
}

void
op_create_table(struct host *host, const struct subject *subject)
{
    const struct value *comment = call_argument(subject->call, SIZE_MAX, "comment");
    struct table_parts parts = {
        .name = subject_table(host, subject, "table_name", "schema"),
    };

    read_parts(host, subject->call, 1, &parts);
    create_enums(host, &parts, false, true);
    create_table_step(host, subject->call, &parts);
    table_indexes(host, &parts);
    if (value_is_given(comment))
        comment_step(host, parts.name, NULL);
    column_comments(host, &parts);
}

/* ---- Table(…).create(), .drop() ---- */

void
op_make_table(struct host *host, const struct call *table, bool check_first, bool is_element)
{
    const struct value *metadata = call_argument(table, 1, "metadata");
    struct table_parts parts = { .name = call_table(host->arena, table) };
    struct step *step;

    read_parts(host, table, metadata ? 2 : 1, &parts);
    if (!is_element)
        create_enums(host, &parts, check_first, false);
    create_table_step(host, table, &parts);
    step = &host->steps->items[host->steps->count - 1];
    step->create_if_missing = check_first;
    if (is_element)
        return;
    table_indexes(host, &parts);
    column_comments(host, &parts);
}

void
op_drop_made_table(struct host *host, const struct call *table, bool check_first)
{
    struct table_parts parts = { .name = call_table(host->arena, table) };
    struct step *step = op_step(host, STEP_DROP_TABLE);

    step->object = parts.name;
    step->if_exists = check_first;
    if (!parts.name.name)
        op_unknown(host, step, REACH_ALL, "the table's name is not known");
    read_parts(host, table, call_argument(table, 1, "metadata") ? 2 : 1, &parts);
    for (size_t i = 0; i < parts.columns.count; i++) {
        const struct enum_type *labels = parts.columns.items[i].type.labels;

        if (!labels || !labels->is_created_with_table || is_earlier(&parts, i))
            continue;
        step = op_step(host, STEP_DROP_TYPE);
        step->object = labels->name;
        step->if_exists = check_first;
    }
}

/* ---- ADD COLUMN ---- */

static void
add_column_step(struct host *host, struct table_parts *parts, const struct subject *subject)
{
    struct column_parts *column = &parts->columns.items[0];
    struct step *step;

    if (column->is_primary_key) {
        struct constraint key = primary_key(host, parts);

        apply_primary_key(host, parts, &key);
    }
    step = op_step(host, STEP_ADD_COLUMN);
    step->object = parts->name;
    step->column = column->column.name;
    step->if_not_exists = call_flag(subject->call, "if_not_exists");
    VEC_ROOM(host->arena, &step->columns, 1);
    VEC_PUSH(host->arena, &step->columns, column->column);
    push_checks(host, parts->name, column, step);
    if (!parts->name.name)
        op_unknown(host, step, REACH_ALL, "the table's name is not known");
    if (parts->unknown)
        op_unknown(host, step, REACH_TABLE, "%s", parts->unknown);
}

void
op_add_column(struct host *host, const struct subject *subject)
{
    const struct value *value = subject_argument(subject, "column");
    const struct call *call = value_call_of(value, "Column");
    struct table_parts parts = {
        .name = subject_table(host, subject, "table_name", "schema"),
    };
    struct step *step;

    if (call)
        add_column_part(host, call, &parts);
    if (parts.columns.count == 0) {
        step = op_step(host, STEP_ADD_COLUMN);
        step->object = parts.name;
        op_unknown(host, step, parts.name.name ? REACH_TABLE : REACH_ALL,
            "the column is not known: %s", value_reason(host->arena, value));
        return;
    }
    add_column_step(host, &parts, subject);
    /* What the column implies comes after it, in statements of their own. */
    struct column_parts *column = &parts.columns.items[0];
    const char *name = column->column.name;

    for (size_t i = 0; i < column->foreign_keys.count; i++) {
        struct constraint key =
            op_foreign_key(host, column->foreign_keys.items[i], parts.name, name);

        op_add_constraint(host, parts.name, &key);
    }
    if (column->is_unique && !column->has_index) {
        struct constraint unique = unique_of(host, parts.name, name);

        op_add_constraint(host, parts.name, &unique);
    }
    table_indexes(host, &parts);
    column_comments(host, &parts);
}
