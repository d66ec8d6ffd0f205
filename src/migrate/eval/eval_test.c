#include "migrate/eval/eval_private.h"

/* Where names of things come from: what an element of it is called, and what is asked thereby. */
static const struct {
    const char *path; /* how the path of one name ends */
    enum test_kind kind;
    bool has_table; /* the call's first argument is the table */
} sources[] = {
    { ".get_table_names()[]", TEST_TABLE, false },
    { ".get_view_names()[]", TEST_TABLE, false },
    { ".table_names()[]", TEST_TABLE, false },
    { ".get_columns()[][name]", TEST_COLUMN, true },
    { ".get_indexes()[][name]", TEST_INDEX, true },
    { ".get_unique_constraints()[][name]", TEST_CONSTRAINT, true },
    { ".get_foreign_keys()[][name]", TEST_CONSTRAINT, true },
    { ".get_check_constraints()[][name]", TEST_CONSTRAINT, true },
    { ".get_pk_constraint()[name]", TEST_CONSTRAINT, true },
};

struct test
test_negate(struct test test)
{
    /* That one row has another name does not mean that none has it. */
    if (test.is_element)
        return (struct test){ 0 };
    if (test.kind != TEST_NONE)
        test.is_negated = !test.is_negated;
    return test;
}

static const char *
text_argument(const struct call *call, size_t n, const char *keyword)
{
    const struct value *value = call_argument(call, n, keyword);

    return value ? value_known_text(value) : NULL;
}

/* A schema that is given but not known leaves nothing to ask. */
static bool
get_schema(const struct call *call, size_t n, const char **ret_schema)
{
    const struct value *value = call_argument(call, n, "schema");

    *ret_schema = value ? value_known_text(value) : NULL;
    return !value || value->kind == VALUE_NONE || *ret_schema;
}

/* sa.Table("t", metadata, autoload_with=bind).c */
static bool
is_reflected(const char *path, const struct call *call)
{
    static const char *const ends[] = { ".Table().c[]", ".Table().columns[]", ".Table().c.keys()[]",
        ".Table().columns.keys()[]" };

    if (!call_argument(call, SIZE_MAX, "autoload_with") &&
        !call_argument(call, SIZE_MAX, "autoload"))
        return false;
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (text_ends_with(path, ends[i]))
            return true;
    return false;
}

static struct test
test_of(const char *path, const struct call *call, const char *name)
{
    struct test test = { .name = name };

    if (!path || !call || call->has_unknown_arguments ||
        (!text_starts_with(path, "sqlalchemy.") && !text_starts_with(path, "alembic.")))
        return (struct test){ 0 };
    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        if (!text_ends_with(path, sources[i].path))
            continue;
        if (!get_schema(call, sources[i].has_table ? 1 : 0, &test.schema))
            break;
        test.kind = sources[i].kind;
        test.table = sources[i].has_table ? text_argument(call, 0, "table_name") : name;
        return test.table ? test : (struct test){ 0 };
    }
    if (is_reflected(path, call) && get_schema(call, SIZE_MAX, &test.schema)) {
        test.kind = TEST_COLUMN;
        test.table = text_argument(call, 0, "name");
        return test.table ? test : (struct test){ 0 };
    }
    return (struct test){ 0 };
}

struct test
eval_test_in(const struct value *name, const struct value *collection)
{
    const char *text = value_known_text(name);
    const char *path = collection->path;
    char element[256];
    size_t length = path ? strlen(path) : 0;

    if (!text || length == 0 || length + 3 > sizeof(element))
        return (struct test){ 0 };
    memcpy(element, path, length);
    if (element[length - 1] == '*')
        element[length - 1] = '\0';
    else
        memcpy(element + length, "[]", 3);
    return test_of(element, collection->call, text);
}

struct test
eval_test_equal(const struct value *a, const struct value *b)
{
    const struct value *known = value_known_text(a) ? a : b;
    const struct value *asked = known == a ? b : a;
    struct test test = { 0 };

    if (asked->kind != VALUE_TEXT && value_known_text(known))
        test = test_of(asked->path, asked->call, value_known_text(known));
    test.is_element = test.kind != TEST_NONE;
    return test;
}

/* inspector.has_table("t"), bind.dialect.has_table(bind, "t"), inspector.has_index("t", "i") */
struct test
eval_test_call(const struct call *call)
{
    struct test test = { 0 };
    const char *dot = strrchr(call->path, '.');
    size_t first = 0;

    if (!dot || strncmp(dot, ".has_", 5) != 0 || call->has_unknown_arguments ||
        (!text_starts_with(call->path, "sqlalchemy.") && !text_starts_with(call->path, "alembic.")))
        return test;
    if (text_ends_with(call->path, ".dialect.has_table") ||
        text_ends_with(call->path, ".dialect.has_index"))
        first = 1;
    if (strcmp(dot, ".has_table") == 0) {
        test.kind = TEST_TABLE;
        test.table = text_argument(call, first, "table_name");
        test.name = test.table;
        first += 1;
    } else if (strcmp(dot, ".has_index") == 0) {
        test.kind = TEST_INDEX;
        test.table = text_argument(call, first, "table_name");
        test.name = text_argument(call, first + 1, "index_name");
        first += 2;
    }
    if (!test.table || !test.name || !get_schema(call, first, &test.schema))
        return (struct test){ 0 };
    return test;
}

/* "The table is there, and so is its column" asks no more than the latter. */
static struct test
test_and(const struct test *a, const struct test *b)
{
    const struct test *outer = a->kind == TEST_TABLE ? a : b;
    const struct test *inner = outer == a ? b : a;

    if (a->kind != TEST_NONE && b->kind != TEST_NONE && outer->kind == TEST_TABLE &&
        inner->kind != TEST_TABLE && !outer->is_negated && !inner->is_negated &&
        text_equal(outer->table, inner->table) && text_equal(outer->schema, inner->schema))
        return *inner;
    return (struct test){ 0 };
}

static bool
is_bool(const struct value *value, bool truth)
{
    return value->kind == VALUE_BOOL && (value->integer != 0) == truth;
}

static bool
is_same(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_CALL && b->kind == VALUE_CALL)
        return a->call == b->call && text_equal(a->path, b->path);
    return a->kind == b->kind && value_compare(a, b) == ANSWER_YES;
}

/* A path that one side has and the other does not deny, as of an import that may fail. */
static const char *
common_path(const struct value *yes, const struct value *no)
{
    const struct value *with = yes->path ? yes : no;
    const struct value *without = with == yes ? no : yes;

    if (without->path)
        return text_equal(with->path, without->path) ? with->path : NULL;
    return without->kind == VALUE_NONE || without->kind == VALUE_UNKNOWN ? with->path : NULL;
}

const char eval_assigned_in_loop[] = "it is assigned in a loop that is not known";

/*
 * found = False; for row in rows: if row is the one: found = True. Within the loop what found was
 * is not known, behind it found says whether the one is there.
 */
static bool
is_flag(const struct test *test, const struct value *yes, const struct value *no)
{
    return test->is_element && yes->kind == VALUE_BOOL && no->kind == VALUE_UNKNOWN &&
           no->text == eval_assigned_in_loop && no->test.kind == TEST_NONE;
}

static struct value
flag_new(const struct test *test, const struct value *yes)
{
    struct value flag = value_unknown(eval_assigned_in_loop);

    flag.test = *test;
    flag.integer = yes->integer;
    return flag;
}

/* The flag after the loop, where it may also be what it was before: the opposite. */
static bool
get_flag_test(const struct value *flag, const struct value *before, struct test *ret)
{
    if (flag->kind != VALUE_UNKNOWN || flag->text != eval_assigned_in_loop ||
        !flag->test.is_element || !is_bool(before, flag->integer == 0))
        return false;
    *ret = flag->test;
    ret->is_element = false;
    if (flag->integer == 0)
        *ret = test_negate(*ret);
    return true;
}

/* What a value that is true or false on either side asks, if it is one question. */
static struct test
test_of_both(const struct test *test, const struct value *yes, const struct value *no)
{
    struct test negated = test_negate(*test);

    if (is_bool(yes, true) && is_bool(no, false))
        return *test;
    if (is_bool(yes, false) && is_bool(no, true))
        return negated;
    if (no->kind == VALUE_UNKNOWN && is_bool(yes, false))
        return test_and(&negated, &no->test);
    if (yes->kind == VALUE_UNKNOWN && is_bool(no, false))
        return test_and(test, &yes->test);
    return (struct test){ 0 };
}

struct value
eval_choose(const struct test *test, const struct value *yes, const struct value *no)
{
    struct value value = value_unknown("it depends on a condition that is not known");

    if (is_same(yes, no))
        return *yes;
    if (is_flag(test, yes, no))
        return flag_new(test, yes);
    if (!get_flag_test(yes, no, &value.test))
        value.test = test_of_both(test, yes, no);
    if (value.test.kind == TEST_NONE)
        value.path = common_path(yes, no);
    return value;
}
