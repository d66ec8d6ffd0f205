/* Statements given to execute(): SQL text, text(…), SQLAlchemy's constructs. */
#include <string.h>

#include "migrate/lower/lower.h"

/* ---- SQL text ---- */

/*
 * Where a literal's text begins: the lines of statements follow those of the file when it is
 * written in triple quotes.
 */
static void
set_place(struct host *host, const struct value *value, struct sql_source *ret)
{
    const char *source = host->given->revision->source;
    const struct py_node *node = value->node;
    const char *text;

    ret->place = host->call->place;
    if (value->file) {
        ret->place = (struct place){ .file = value->file, .line = 1 };
        ret->lines_follow = true;
        return;
    }
    if (!node || !source || node->end > host->given->revision->length)
        return;
    ret->place.line = node->line;
    ret->place.column = node->column;
    if (node->kind != PY_STRING)
        return;
    text = source + node->start + strcspn(source + node->start, "\"'\n");
    if (!text_starts_with(text, "\"\"\"") && !text_starts_with(text, "'''"))
        return;
    ret->lines_follow = true;
    if (text_starts_with(text + 3, "\\\n"))
        ret->place.line++;
}

static void
op_text(struct host *host, const struct value *written, const char *sql)
{
    struct sql_source source = {
        .text = sql,
        .operation = path_verb(host->call->path),
    };

    set_place(host, written, &source);
    op_sql_source(host, &source);
}

/* ---- constructs ---- */

static const struct {
    const char *name;
    enum step_kind kind;
} verbs[] = {
    { "insert", STEP_INSERT },
    { "Insert", STEP_INSERT },
    { "update", STEP_UPDATE },
    { "Update", STEP_UPDATE },
    { "delete", STEP_DELETE },
    { "Delete", STEP_DELETE },
    { "select", STEP_SELECT },
    { "union", STEP_SELECT },
    { "union_all", STEP_SELECT },
    { "exists", STEP_SELECT },
};

static bool
verb_kind(const char *name, enum step_kind *ret)
{
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (text_equal(verbs[i].name, name)) {
            *ret = verbs[i].kind;
            return true;
        }
    }
    return false;
}

/* The table of t.update() or update(t). */
static struct object_name
construct_table(struct host *host, const struct call *call)
{
    struct object_name ret = { 0 };
    struct value self = { .kind = VALUE_CALL, .call = call->self };

    if (call->self)
        ret = value_table(host->arena, &self);
    if (!ret.name && call->arguments.count > 0)
        ret = value_table(host->arena, &call->arguments.items[0]);
    return ret;
}

/* false: the chain is no insert(), update(), delete() or select(). */
static bool
op_construct(struct host *host, const struct call *call)
{
    enum step_kind kind = STEP_UNKNOWN;
    bool has_where = false;
    struct step *step;

    while (call && !verb_kind(path_verb(call->path), &kind)) {
        const char *verb = path_verb(call->path);

        has_where |= text_equal(verb, "where") || text_equal(verb, "filter") ||
                     text_equal(verb, "filter_by");
        call = call->self;
    }
    if (!call || !path_is_sqlalchemy(call->path))
        return false;
    /* t.update(condition) of SQLAlchemy 1.4 */
    has_where |= call_argument(call, SIZE_MAX, "whereclause") != NULL ||
                 (call->self && call->arguments.count > 0 && kind != STEP_INSERT);
    step = op_step(host, kind);
    step->has_where = has_where;
    if (kind == STEP_SELECT)
        return true;
    step->object = construct_table(host, call);
    if (!step->object.name)
        op_unknown(host, step, REACH_DATA, "the table of %s() is not known", path_verb(call->path));
    return true;
}

/* ---- DDL elements ---- */

/* DDL("… %(table)s", context={…}): known when there is nothing to put in. */
static void
op_ddl(struct host *host, const struct call *call)
{
    const struct value *text = call_argument(call, 0, "statement");
    struct buffer buffer = { .arena = host->arena };
    const char *sql = text && text->kind == VALUE_TEXT ? text->text : NULL;

    for (const char *c = sql; c && *c; c++) {
        if (*c == '%' && c[1] == '(') {
            sql = NULL;
            break;
        }
        if (*c == '%' && c[1] == '%')
            c++;
        buffer_append(&buffer, c, 1);
    }
    if (sql)
        op_text(host, text, buffer_text(&buffer));
    else
        op_mystery(
            host, REACH_ALL, "the text of DDL() is not known: %s", value_reason(host->arena, text));
}

static const struct call *
first_call(const struct call *call, const char *verb)
{
    return value_call_of(call_argument(call, 0, "element"), verb);
}

static void
schema_element(struct host *host, const struct call *call, enum step_kind kind)
{
    struct step *step = op_step(host, kind);
    const struct value *name = call_argument(call, 0, "name");

    step->object.name = op_name(host, step, name, "the schema's name");
    step->if_exists = call_flag(call, "if_exists");
    step->if_not_exists = call_flag(call, "if_not_exists");
    step->cascade = call_flag(call, "cascade");
}

static void
sequence_element(struct host *host, const struct call *call, enum step_kind kind)
{
    const struct call *sequence = first_call(call, "Sequence");
    struct step *step = op_step(host, kind);

    if (sequence)
        step->object = call_table(host->arena, sequence);
    step->name_kind = NAME_SEQUENCE;
    step->if_exists = call_flag(call, "if_exists");
    step->if_not_exists = call_flag(call, "if_not_exists");
    if (!step->object.name)
        op_unknown(host, step, REACH_ALL, "the sequence's name is not known");
}

static void
table_element(struct host *host, const struct call *call, enum step_kind kind)
{
    const struct call *table = first_call(call, "Table");
    struct step *step;

    if (table && kind == STEP_CREATE_TABLE) {
        op_make_table(host, table, false, true);
        step = &host->steps->items[host->steps->count - 1];
        step->if_not_exists = call_flag(call, "if_not_exists");
        return;
    }
    step = op_step(host, kind);
    if (table)
        step->object = call_table(host->arena, table);
    step->if_exists = call_flag(call, "if_exists");
    if (!step->object.name)
        op_unknown(host, step, REACH_ALL, "the table is not known: %s",
            value_reason(host->arena, call_argument(call, 0, "element")));
}

static void
index_element(struct host *host, const struct call *call, enum step_kind kind)
{
    const struct call *index = first_call(call, "Index");
    struct step *step;

    if (index && kind == STEP_CREATE_INDEX) {
        op_index_element(host, index, NULL);
        return;
    }
    step = op_step(host, kind);
    step->name_kind = NAME_INDEX;
    step->if_exists = call_flag(call, "if_exists");
    if (index)
        step->object.name = value_name(host->arena, call_argument(index, 0, "name"));
    if (!step->object.name)
        op_unknown(host, step, REACH_ALL, "the index is not known");
}

static const struct {
    const char *name;
    void (*run)(struct host *host, const struct call *call, enum step_kind kind);
    enum step_kind kind;
} elements[] = {
    { "CreateTable", table_element, STEP_CREATE_TABLE },
    { "DropTable", table_element, STEP_DROP_TABLE },
    { "CreateIndex", index_element, STEP_CREATE_INDEX },
    { "DropIndex", index_element, STEP_DROP_INDEX },
    { "CreateSequence", sequence_element, STEP_CREATE_SEQUENCE },
    { "DropSequence", sequence_element, STEP_DROP_SEQUENCE },
    { "CreateSchema", schema_element, STEP_CREATE_SCHEMA },
    { "DropSchema", schema_element, STEP_DROP_SCHEMA },
};

static bool
op_element(struct host *host, const struct call *call)
{
    const char *verb = path_verb(call->path);

    if (!path_is_sqlalchemy(call->path))
        return false;
    if (text_equal(verb, "DDL")) {
        op_ddl(host, call);
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(elements); i++) {
        if (text_equal(elements[i].name, verb)) {
            elements[i].run(host, call, elements[i].kind);
            return true;
        }
    }
    return false;
}

/* ---- the whole ---- */

void
op_statement(struct host *host, const struct value *statement, bool is_raw)
{
    const struct value *written;
    const char *sql;

    if (!statement) {
        op_mystery(host, REACH_ALL, "no statement is given");
        return;
    }
    if (statement->kind == VALUE_TEXT || statement->kind == VALUE_TEMPLATE) {
        sql = is_raw ? statement->text : sql_from_clause(host, statement->text);
        op_text(host, statement, sql);
        return;
    }
    if (statement->kind == VALUE_CALL && statement->call) {
        sql = path_is_sqlalchemy(statement->call->path) ? text_clause_sql(host, statement->call)
                                                        : NULL;
        written = text_clause_value(statement->call);
        if (sql) {
            op_text(host, written, sql);
            return;
        }
        if (op_element(host, statement->call) || op_construct(host, statement->call))
            return;
    }
    op_mystery(
        host, REACH_ALL, "the statement is not known: %s", value_reason(host->arena, statement));
}

void
op_execute(struct host *host, const struct subject *subject)
{
    const struct call *call = subject->call;

    if (call->arguments.count > 1 && call->arguments.items[1].kind != VALUE_NONE)
        op_note(host, NOTE_PARAMETERS, "execute() with parameters");
    op_statement(host, subject_argument(subject, "sqltext"), false);
}

void
op_bulk_insert(struct host *host, const struct subject *subject)
{
    const struct value *rows = subject_argument(subject, "rows");
    const struct value *value = subject_argument(subject, "table");
    struct object_name table = value_table(host->arena, value);
    struct step *step;

    /* Alembic sends nothing when there are no rows. */
    if (rows && rows->kind == VALUE_LIST && rows->items.count == 0)
        return;
    step = op_step(host, STEP_INSERT);
    step->object = table;
    if (!table.name)
        op_unknown(host, step, REACH_DATA, "the table of bulk_insert() is not known: %s",
            value_reason(host->arena, value));
}
