/* Constraints: inside tables and columns, and by operations of their own. */
#include <string.h>

#include "migrate/lower/lower.h"

/* ---- what they share ---- */

static void
set_options(const struct call *call, struct constraint *constraint, struct arena *arena)
{
    const struct value *on_delete = call_argument(call, SIZE_MAX, "ondelete");
    const struct value *initially = call_argument(call, SIZE_MAX, "initially");

    constraint->on_delete = on_delete ? value_name(arena, on_delete) : NULL;
    constraint->is_not_valid = call_flag(call, "postgresql_not_valid");
    constraint->is_deferrable = call_flag(call, "deferrable") || value_is_given(initially);
}

static void
note_unknown(struct host *host, const char *what, const struct value *value)
{
    op_note(host, NOTE_CANNOT_KNOW,
        arena_printf(host->arena, "%s not known: %s", what, value_reason(host->arena, value)));
}

static void
naming_of(struct host *host, const struct value *given, struct object_name table,
    struct constraint *constraint)
{
    struct named named = {
        .kind = constraint->kind,
        .table = table,
        .columns = &constraint->columns,
        .target = &constraint->target,
        .target_columns = &constraint->target_columns,
    };

    naming_apply(host, given, &named, &constraint->name, &constraint->is_name_unknown);
}

static void
set_name(struct host *host, const struct value *given, struct object_name table,
    struct constraint *constraint)
{
    naming_of(host, given, table, constraint);
    if (constraint->is_name_unknown && value_is_given(given))
        note_unknown(host, "the constraint's name is", given);
}

/* "schema.table.column", or a column of a table; false if it is neither. */
static bool
add_target(struct host *host, const struct value *value, struct constraint *constraint)
{
    const char *text = value ? value_name(host->arena, value) : NULL;
    const char *column;
    const char *table;

    if (!text) {
        struct text_list names = { 0 };

        constraint->target =
            value && value->call ? call_table(host->arena, value->call) : (struct object_name){ 0 };
        if (constraint->target.name && value->kind != VALUE_CALL && op_names(host, value, &names)) {
            text_list_add(host->arena, &constraint->target_columns, names.items[0]);
            return true;
        }
        constraint->target = (struct object_name){ 0 };
        return false;
    }
    column = strrchr(text, '.');
    if (!column) {
        constraint->target.name = text;
        return true;
    }
    text_list_add(host->arena, &constraint->target_columns, column + 1);
    text = arena_strndup(host->arena, text, (size_t)(column - text));
    table = strrchr(text, '.');
    constraint->target.name = table ? table + 1 : text;
    if (table)
        constraint->target.schema = arena_strndup(host->arena, text, (size_t)(table - text));
    return true;
}

static const char *
condition_sql(struct host *host, const struct value *condition)
{
    const char *sql = condition ? op_expression(host, condition, TEXT_IS_SQL) : NULL;

    /* A text here is a text(): its colons are escaped. */
    if (sql && condition->kind == VALUE_TEXT)
        sql = sql_from_clause(host, sql);
    if (sql && !strchr(sql, VALUE_HOLE))
        return sql;
    note_unknown(host, "the condition of the check is", condition);
    return NULL;
}

/* ---- inside tables ---- */

struct constraint
op_foreign_key(
    struct host *host, const struct call *call, struct object_name table, const char *column)
{
    struct constraint ret = { .kind = CONSTRAINT_FOREIGN_KEY };
    const struct value *target = call_argument(call, 0, "column");

    text_list_add(host->arena, &ret.columns, column);
    if (!add_target(host, target, &ret))
        note_unknown(host, "the target of the foreign key is", target);
    set_options(call, &ret, host->arena);
    set_name(host, call_argument(call, SIZE_MAX, "name"), table, &ret);
    return ret;
}

struct constraint
op_check(struct host *host, const struct call *call, struct object_name table, size_t condition_at)
{
    struct constraint ret = { .kind = CONSTRAINT_CHECK };

    ret.expression = condition_sql(
        host, call_argument(call, condition_at, condition_at == 0 ? "sqltext" : "condition"));
    if (ret.expression)
        op_sql_columns(host, ret.expression, &ret.columns);
    set_options(call, &ret, host->arena);
    set_name(host,
        call_argument(
            call, condition_at == 0 ? SIZE_MAX : 0, condition_at == 0 ? "name" : "constraint_name"),
        table, &ret);
    return ret;
}

static void
set_key_columns(struct host *host, const struct call *call, struct constraint *ret)
{
    bool is_known = !call->has_unknown_arguments;

    for (size_t i = 0; i < call->arguments.count; i++)
        if (!op_names(host, &call->arguments.items[i], &ret->columns))
            is_known = false;
    if (!is_known)
        op_note(host, NOTE_CANNOT_KNOW, "a column of the constraint is not known");
}

static void
set_foreign_columns(struct host *host, const struct call *call, struct constraint *ret)
{
    const struct value *columns = call_argument(call, 0, "columns");
    const struct value *targets = call_argument(call, 1, "refcolumns");

    if (!op_names(host, columns, &ret->columns))
        note_unknown(host, "the columns of the foreign key are", columns);
    if (!targets || (targets->kind != VALUE_LIST && targets->kind != VALUE_TUPLE)) {
        note_unknown(host, "the target of the foreign key is", targets);
        return;
    }
    for (size_t i = 0; i < targets->items.count; i++)
        if (!add_target(host, &targets->items.items[i], ret))
            note_unknown(host, "the target of the foreign key is", &targets->items.items[i]);
}

/* ("period", "&&"), (column("g"), "=") as SQL. */
static const char *
exclusion_sql(struct host *host, const struct call *call, size_t first, struct constraint *ret)
{
    struct buffer buffer = { .arena = host->arena };
    const struct value *where = call_argument(call, SIZE_MAX, "where");
    const struct value *using = call_argument(call, SIZE_MAX, "using");
    const char *method = using ? value_name(host->arena, using) : "gist";
    const char *condition = where ? op_expression(host, where, TEXT_IS_SQL) : NULL;

    buffer_printf(&buffer, "USING %s (", method ? method : "gist");
    for (size_t i = first; i < call->arguments.count; i++) {
        const struct value *element = &call->arguments.items[i];
        const char *sql;
        const char *operator;

        if (element->items.count != 2)
            return NULL;
        sql = op_expression(host, &element->items.items[0], TEXT_IS_SQL);
        operator= value_name(host->arena, &element->items.items[1]);
        if (!sql || !operator)
            return NULL;
        buffer_printf(&buffer, "%s%s WITH %s", i > first ? ", " : "", sql, operator);
        op_sql_columns(host, sql, &ret->columns);
    }
    buffer_add(&buffer, ")");
    if (where && !condition)
        return NULL;
    if (condition)
        buffer_printf(&buffer, " WHERE (%s)", condition);
    return buffer_text(&buffer);
}

static struct constraint
read_exclude(struct host *host, const struct call *call, size_t first, struct object_name table)
{
    struct constraint ret = { .kind = CONSTRAINT_EXCLUDE };

    ret.expression = exclusion_sql(host, call, first, &ret);
    if (!ret.expression)
        op_note(host, NOTE_CANNOT_KNOW, "an element of the exclusion constraint is not known");
    set_options(call, &ret, host->arena);
    set_name(host,
        first > 0 ? call_argument(call, 0, "constraint_name")
                  : call_argument(call, SIZE_MAX, "name"),
        table, &ret);
    return ret;
}

bool
op_table_constraint(
    struct host *host, const struct call *call, struct object_name table, struct constraint *ret)
{
    static const struct {
        const char *name;
        enum constraint_kind kind;
    } kinds[] = {
        { "PrimaryKeyConstraint", CONSTRAINT_PRIMARY_KEY },
        { "UniqueConstraint", CONSTRAINT_UNIQUE },
        { "CheckConstraint", CONSTRAINT_CHECK },
        { "ForeignKeyConstraint", CONSTRAINT_FOREIGN_KEY },
        { "ExcludeConstraint", CONSTRAINT_EXCLUDE },
    };
    const char *verb = path_verb(call->path);
    size_t at = 0;

    while (at < COUNT_OF(kinds) && !text_equal(kinds[at].name, verb))
        at++;
    if (at == COUNT_OF(kinds))
        return false;
    *ret = (struct constraint){ .kind = kinds[at].kind };
    if (ret->kind == CONSTRAINT_CHECK) {
        *ret = op_check(host, call, table, 0);
        return true;
    }
    if (ret->kind == CONSTRAINT_EXCLUDE) {
        *ret = read_exclude(host, call, 0, table);
        return true;
    }
    if (ret->kind == CONSTRAINT_FOREIGN_KEY)
        set_foreign_columns(host, call, ret);
    else
        set_key_columns(host, call, ret);
    set_options(call, ret, host->arena);
    set_name(host, call_argument(call, SIZE_MAX, "name"), table, ret);
    return true;
}

/* ---- operations ---- */

void
op_add_constraint(struct host *host, struct object_name table, const struct constraint *constraint)
{
    struct step *step = op_step(host, STEP_ADD_CONSTRAINT);

    step->object = table;
    step->constraint_name = constraint->name;
    step->constraint_kind = constraint->kind;
    VEC_ROOM(host->arena, &step->constraints, 1);
    VEC_PUSH(host->arena, &step->constraints, *constraint);
    if (!table.name)
        op_unknown(host, step, REACH_ALL, "the table's name is not known");
}

/* create_unique_constraint, create_primary_key */
static void
create_key(struct host *host, const struct subject *subject, enum constraint_kind kind)
{
    struct object_name table = subject_table(host, subject, "table_name", "schema");
    const struct value *columns = subject_argument(subject, "columns");
    struct constraint constraint = { .kind = kind };

    if (!op_names(host, columns, &constraint.columns))
        note_unknown(host, "the columns of the constraint are", columns);
    set_options(subject->call, &constraint, host->arena);
    set_name(host, subject_argument(subject, "constraint_name"), table, &constraint);
    op_add_constraint(host, table, &constraint);
}

void
op_create_unique(struct host *host, const struct subject *subject)
{
    create_key(host, subject, CONSTRAINT_UNIQUE);
}

void
op_create_primary_key(struct host *host, const struct subject *subject)
{
    create_key(host, subject, CONSTRAINT_PRIMARY_KEY);
}

void
op_create_check(struct host *host, const struct subject *subject)
{
    struct object_name table = subject_table(host, subject, "table_name", "schema");
    struct constraint constraint = op_check(host, subject->call, table, subject->table ? 1 : 2);

    op_add_constraint(host, table, &constraint);
}

void
op_create_foreign_key(struct host *host, const struct subject *subject)
{
    struct object_name table = subject_table(host, subject, "source_table", "source_schema");
    const struct value *target = subject_argument(subject, "referent_table");
    const struct value *columns = subject_argument(subject, "local_cols");
    const struct value *others = subject_argument(subject, "remote_cols");
    const struct value *on_delete = subject_argument(subject, "ondelete");
    struct constraint constraint = { .kind = CONSTRAINT_FOREIGN_KEY };

    constraint.target.name = value_name(host->arena, target);
    constraint.target.schema =
        value_name(host->arena, subject_argument(subject, "referent_schema"));
    if (!constraint.target.name)
        note_unknown(host, "the target of the foreign key is", target);
    if (!op_names(host, columns, &constraint.columns) ||
        !op_names(host, others, &constraint.target_columns))
        note_unknown(host, "the columns of the foreign key are", columns);
    set_options(subject->call, &constraint, host->arena);
    if (value_is_given(on_delete))
        constraint.on_delete = value_name(host->arena, on_delete);
    set_name(host, subject_argument(subject, "constraint_name"), table, &constraint);
    op_add_constraint(host, table, &constraint);
}

void
op_create_exclude(struct host *host, const struct subject *subject)
{
    struct object_name table = subject_table(host, subject, "table_name", "schema");
    struct constraint constraint = read_exclude(host, subject->call, subject->table ? 1 : 2, table);

    op_add_constraint(host, table, &constraint);
}

void
op_drop_constraint(struct host *host, const struct subject *subject)
{
    static const struct {
        const char *name;
        enum constraint_kind kind;
    } kinds[] = {
        { "primary", CONSTRAINT_PRIMARY_KEY },
        { "unique", CONSTRAINT_UNIQUE },
        { "check", CONSTRAINT_CHECK },
        { "foreignkey", CONSTRAINT_FOREIGN_KEY },
    };
    struct object_name table = subject_table(host, subject, "table_name", "schema");
    const struct value *type = subject_argument(subject, "type_");
    const char *type_name = value_is_given(type) ? value_name(host->arena, type) : NULL;
    const struct value *name = subject_argument(subject, "constraint_name");
    struct step *step = op_step(host, STEP_DROP_CONSTRAINT);
    struct constraint constraint = { .kind = CONSTRAINT_UNKNOWN };

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (text_equal(kinds[i].name, type_name))
            constraint.kind = kinds[i].kind;
    naming_of(host, name, table, &constraint);
    step->object = table;
    step->constraint_kind = constraint.kind;
    step->constraint_name = constraint.name;
    step->if_exists = call_flag(subject->call, "if_exists");
    if (!table.name)
        op_unknown(host, step, REACH_ALL, "the table's name is not known");
    else if (!constraint.name)
        op_unknown(host, step, REACH_TABLE, "the constraint's name is not known: %s",
            value_is_given(name) ? value_reason(host->arena, name) : "none is given");
}
