/*
 * Calls that are no operations: statements through a connection or an ORM session, create() and
 * drop() of types, tables and metadata, functions of the application that are handed the
 * connection. Everything else is harmless here.
 */
#include <string.h>

#include "migrate/lower/lower.h"

/* ---- who is called ---- */

/* Whether the path is, or goes through, something that sends statements to the server. */
static bool
is_connection(const char *path)
{
    static const char *const parts[] = { "alembic.op.get_bind()", "alembic.op.get_context()",
        "alembic.context.", "ession()", "sessionmaker()()", "session.", "connection." };

    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (strstr(path, parts[i]))
            return true;
    return false;
}

/* What is left of a statement that was sent: rows. */
static bool
is_result(const char *path)
{
    static const char *const parts[] = { ".execute().", ".exec_driver_sql().", ".scalars().",
        ".scalar().", ".query()." };

    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (strstr(path, parts[i]))
            return true;
    return false;
}

/* op, the bind, a connection, a session: whoever gets it can do anything. */
static bool
is_access(const struct value *value)
{
    const char *path = value->path;
    size_t length;

    if (value->kind == VALUE_CALL && value->call)
        path = value->call->path;
    else if (value->kind != VALUE_NAME)
        return false;
    if (!path)
        return false;
    if (value->kind == VALUE_NAME)
        return text_equal(path, "alembic.op") || text_equal(path, "alembic.op.get_bind().engine");
    length = strlen(path);
    if (is_result(path))
        return false;
    return text_equal(path, "alembic.op.get_bind") || text_equal(path, "alembic.op.get_context") ||
           (length > 7 && text_ends_with(path, "ession")) ||
           text_ends_with(path, "sessionmaker()") || text_ends_with(path, ".connect") ||
           text_ends_with(path, "batch_alter_table");
}

static bool
gets_access(const struct call *call)
{
    for (size_t i = 0; i < call->arguments.count; i++)
        if (is_access(&call->arguments.items[i]))
            return true;
    for (size_t i = 0; i < call->keywords.count; i++)
        if (is_access(&call->keywords.items[i].value))
            return true;
    return false;
}

/* Libraries that look, print or wrap, and change nothing. */
static bool
is_harmless(const char *path)
{
    static const char *const roots[] = { "sqlalchemy.", "sqlmodel.", "logging.", "contextlib.",
        "functools.", "typing.", "json.", "datetime.", "uuid.", "time.", "os.", "sys.", "re.",
        "textwrap.", "itertools.", "inspect.", "warnings.", "collections.", "enum.", "pprint.",
        "alembic." };

    if (!strchr(path, '.'))
        return true; /* a builtin: print(bind), isinstance(bind, …) */
    for (size_t i = 0; i < COUNT_OF(roots); i++)
        if (text_starts_with(path, roots[i]))
            return true;
    return false;
}

/*
 * Whether a function of the application is called for what it does: it can import op by itself.
 * Methods of what it returned are left out, as those of loggers and progress bars.
 */
static bool
may_change_schema(const struct call *call, const char *verb)
{
    static const char *const telling[] = { "debug", "info", "warning", "warn", "error", "exception",
        "critical", "log", "print", "echo", "secho", "load_dotenv" };

    if (!call->is_for_effect || strchr(call->path, '(') || is_connection(call->path))
        return false;
    for (size_t i = 0; i < COUNT_OF(telling); i++)
        if (text_equal(telling[i], verb))
            return false;
    return true;
}

/* ---- types, tables, metadata ---- */

static bool
checks_first(const struct call *call, bool otherwise)
{
    const struct value *value = call_argument(call, 1, "checkfirst");

    return value ? value_is_true(value) : otherwise;
}

static void
op_enum_call(struct host *host, const struct call *call, bool creates)
{
    struct value self = { .kind = VALUE_CALL, .call = call->self };
    struct sa_type type = sa_type_read(host, &self, NULL);
    bool check_first;
    struct step *step;

    /* native_enum=False: there is no type. */
    if (!type.labels)
        return;
    check_first = checks_first(call, type.labels->checks_first);
    if (creates) {
        op_create_enum(host, type.labels, check_first);
        return;
    }
    step = op_step(host, STEP_DROP_TYPE);
    step->object = type.labels->name;
    step->if_exists = check_first;
    if (!step->object.name)
        op_unknown(host, step, REACH_ALL, "the enum's name is not known");
}

static void
op_table_call(struct host *host, const struct call *call, bool creates)
{
    const char *verb = path_verb(call->self->path);

    if (text_equal(verb, "Table")) {
        if (creates)
            op_make_table(host, call->self, checks_first(call, false), false);
        else
            op_drop_made_table(host, call->self, checks_first(call, false));
        return;
    }
    if (creates) {
        op_index_element(host, call->self, NULL);
    } else {
        struct step *step = op_step(host, STEP_DROP_INDEX);

        step->name_kind = NAME_INDEX;
        step->if_exists = checks_first(call, false);
        step->object.name =
            op_name(host, step, call_argument(call->self, 0, "name"), "the index's name");
    }
}

static void
op_sequence_call(struct host *host, const struct call *call, bool creates)
{
    struct step *step = op_step(host, creates ? STEP_CREATE_SEQUENCE : STEP_DROP_SEQUENCE);

    step->name_kind = NAME_SEQUENCE;
    step->object = call_table(host->arena, call->self);
    step->create_if_missing = creates && checks_first(call, true);
    step->if_exists = !creates && checks_first(call, true);
    if (!step->object.name)
        op_unknown(host, step, REACH_ALL, "the sequence's name is not known");
}

/* metadata.create_all(bind): the tables of this file that belong to it. */
static void
op_metadata(struct host *host, const struct call *call, bool creates)
{
    bool check_first = checks_first(call, true);
    size_t found = 0;

    for (size_t i = 0; i < host->tables.count; i++) {
        size_t at = creates ? i : host->tables.count - 1 - i;
        const struct call *table = host->tables.items[at];
        const struct value *metadata = call_argument(table, 1, "metadata");

        if (!call->self || !metadata || metadata->call != call->self)
            continue;
        found++;
        if (creates)
            op_make_table(host, table, check_first, false);
        else
            op_drop_made_table(host, table, check_first);
    }
    if (found == 0)
        op_mystery(host, REACH_ALL, "%s() is about tables that are defined outside this file",
            path_verb(call->path));
}

/* x.create(bind), x.drop(bind), m.create_all(bind); false if it is something else. */
static bool
op_creation(struct host *host, const struct call *call, const char *verb)
{
    static const struct {
        const char *name;
        void (*run)(struct host *host, const struct call *call, bool creates);
    } makers[] = {
        { "Enum", op_enum_call },
        { "ENUM", op_enum_call },
        { "Table", op_table_call },
        { "Index", op_table_call },
        { "Sequence", op_sequence_call },
    };
    bool creates = text_equal(verb, "create") || text_equal(verb, "create_all");
    bool drops = text_equal(verb, "drop") || text_equal(verb, "drop_all");

    if (!creates && !drops)
        return false;
    if (text_ends_with(verb, "_all")) {
        op_metadata(host, call, creates);
        return true;
    }
    for (size_t i = 0; call->self && i < COUNT_OF(makers); i++) {
        const char *dot = strrchr(call->path, '.');

        /* Nothing stands between the object and its method. */
        if (!text_equal(path_verb(call->self->path), makers[i].name) ||
            !path_is_sqlalchemy(call->self->path) ||
            (size_t)(dot - call->path) != strlen(call->self->path) + 2)
            continue;
        makers[i].run(host, call, creates);
        return true;
    }
    return false;
}

/* ---- ORM sessions ---- */

static const struct {
    const char *name;
    enum step_kind kind;
} orm_verbs[] = {
    { "add", STEP_INSERT },
    { "add_all", STEP_INSERT },
    { "merge", STEP_INSERT },
    { "bulk_save_objects", STEP_INSERT },
    { "bulk_insert_mappings", STEP_INSERT },
    { "bulk_update_mappings", STEP_UPDATE },
    { "update", STEP_UPDATE },
    { "delete", STEP_DELETE },
};

/* The class or table that session.query(X) is about. */
static struct object_name
query_table(struct host *host, const struct call *call)
{
    for (; call; call = call->self)
        if (text_equal(path_verb(call->path), "query") && call->arguments.count > 0)
            return value_table(host->arena, &call->arguments.items[0]);
    return (struct object_name){ 0 };
}

static void
orm_step(struct host *host, enum step_kind kind, const struct call *call, const char *verb)
{
    struct step *step = op_step(host, kind);

    step->object = query_table(host, call->self);
    step->has_where = true;
    step->unknown = "rows are changed through an ORM session";
    step->reach = REACH_DATA;
    op_note(host, NOTE_ORM, arena_printf(host->arena, "session.%s()", verb));
}

/* ---- the session's and connection's methods ---- */

static void
op_commit(struct host *host, const struct call *call)
{
    if (strstr(call->path, "begin_nested()"))
        return;
    op_note(host, NOTE_SESSION_COMMIT, arena_printf(host->arena, "%s()", path_verb(call->path)));
    /* Objects that were loaded may have been changed by assignment, which sends an UPDATE now. */
    if (host->has_loaded_rows)
        orm_step(host, STEP_UPDATE, call, "commit");
    host->has_loaded_rows = false;
}

static bool
is_session(const char *path)
{
    return strstr(path, "ession()") || strstr(path, "sessionmaker()()") || strstr(path, "session.");
}

/* A method of what is left of a statement, or of a query that is being put together. */
static void
op_result(struct host *host, const struct call *call, const char *verb)
{
    static const char *const building[] = { "filter", "filter_by", "where", "order_by", "join",
        "outerjoin", "options", "limit", "offset", "group_by", "having", "distinct",
        "with_for_update", "select_from", "yield_per", "execution_options", "subquery", "label",
        "as_scalar", "close", "with_entities", "values" };

    if (strstr(call->path, ".query().")) {
        for (size_t i = 0; i < COUNT_OF(orm_verbs); i++) {
            if (text_equal(orm_verbs[i].name, verb)) {
                orm_step(host, orm_verbs[i].kind, call, verb);
                return;
            }
        }
    }
    for (size_t i = 0; i < COUNT_OF(building); i++)
        if (text_equal(building[i], verb))
            return;
    if (strstr(call->path, ".query().") && !text_equal(verb, "count") &&
        !text_equal(verb, "scalar"))
        host->has_loaded_rows = true;
    op_note(host, NOTE_NEEDS_SERVER, arena_printf(host->arena, "%s()", verb));
}

/* A parameter list beside the statement: conn.execute(text, {...}) fills it in. */
static void
op_send(struct host *host, const struct call *call, const char *verb)
{
    bool is_raw = text_equal(verb, "exec_driver_sql");
    const struct value *statement = call_argument(call, 0, "statement");

    if (is_raw || !text_equal(verb, "execute"))
        op_note(host, NOTE_NEEDS_SERVER, arena_printf(host->arena, "%s()", verb));
    if (!statement)
        statement = call_argument(call, 0, "object_");
    op_statement(host, statement, is_raw);
}

static bool
op_connection(struct host *host, const struct call *call, const char *verb)
{
    static const char *const senders[] = { "execute", "scalar", "scalars", "exec_driver_sql" };

    if (is_result(call->path)) {
        op_result(host, call, verb);
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(senders); i++) {
        if (text_equal(senders[i], verb)) {
            op_send(host, call, verb);
            return true;
        }
    }
    if (text_equal(verb, "commit")) {
        op_commit(host, call);
        return true;
    }
    if (!is_session(call->path))
        return false;
    for (size_t i = 0; i < COUNT_OF(orm_verbs); i++) {
        if (text_equal(orm_verbs[i].name, verb)) {
            orm_step(host, orm_verbs[i].kind, call, verb);
            return true;
        }
    }
    if (text_equal(verb, "get"))
        host->has_loaded_rows = true;
    return false;
}

/* Ways around Alembic's operations and SQL, which can do anything. */
static bool
is_roundabout(const struct call *call, const char *verb)
{
    static const char *const paths[] = { "alembic.op.get_context().impl.", "functools.partial()",
        "subprocess.", "os.system", "os.popen" };
    static const char *const verbs[] = { "create", "drop", "create_all", "drop_all" };

    for (size_t i = 0; i < COUNT_OF(paths); i++)
        if (text_starts_with(call->path, paths[i]))
            return true;
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (text_equal(verb, verbs[i]) && gets_access(call))
            return true;
    return false;
}

/* ---- the whole ---- */

void
op_other_call(struct host *host, const struct call *call)
{
    const char *verb = path_verb(call->path);

    if (text_equal(verb, "Table") && path_is_sqlalchemy(call->path)) {
        VEC_PUSH(host->scratch, &host->tables, call);
        if (value_is_given(call_argument(call, SIZE_MAX, "autoload_with")) ||
            call_flag(call, "autoload"))
            op_note(host, NOTE_NEEDS_SERVER, "Table() with autoload");
    }
    if (host->scene->is_module)
        return;
    if (!call->path) {
        if (gets_access(call))
            op_mystery(host, REACH_ALL, "a function that is not known gets the connection");
        return;
    }
    if (is_connection(call->path) && op_connection(host, call, verb))
        return;
    if (op_creation(host, call, verb))
        return;
    if (is_roundabout(call, verb)) {
        op_mystery(host, REACH_ALL, "what %s() does to the schema is not followed", call->path);
        return;
    }
    if (is_harmless(call->path))
        return;
    if (gets_access(call))
        op_mystery(host, REACH_ALL, "%s() is defined outside this file and gets the connection",
            call->path);
    else if (may_change_schema(call, verb))
        op_mystery(host, REACH_ALL, "%s() is defined outside this file: what it does is not known",
            call->path);
}
