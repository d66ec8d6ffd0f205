/*
 * What the walk tells its host: each operation with the conditions around it, the questions that
 * these ask of the database, and the notes. The values are tested in test_migrate_eval_python.c.
 */
#include "support/test.h"

#include <unistd.h>

#include "lang/python.h"
#include "migrate/eval.h"

struct seen {
    struct buffer text;
};

static const char *const test_names[] = { "", "table", "column", "index", "constraint" };

static void
show_value(struct buffer *text, const struct value *value)
{
    if (value_known_text(value))
        buffer_printf(text, "'%s'", value_known_text(value));
    else if (value->kind == VALUE_TEMPLATE)
        for (const char *c = value->text; *c; c++)
            buffer_printf(text, "%c", *c == VALUE_HOLE ? '#' : *c);
    else if (value->kind == VALUE_BOOL || value->kind == VALUE_INTEGER)
        buffer_printf(text, "%d", (int)value->integer);
    else if (value->kind == VALUE_LIST)
        buffer_printf(text, "list of %zu", value->items.count);
    else if (value->path)
        buffer_add(text, value->path);
    else
        buffer_add(text, "?");
}

static void
show_condition(struct buffer *text, const struct condition *condition)
{
    const struct test *test = &condition->test;

    buffer_printf(text, " | %s%s", condition->is_assumed ? "surely " : "", condition->text);
    if (test->kind == TEST_NONE)
        return;
    buffer_printf(text, " => %s%s ", test->is_negated ? "no " : "", test_names[test->kind]);
    if (test->schema)
        buffer_printf(text, "%s.", test->schema);
    if (test->kind != TEST_TABLE)
        buffer_printf(text, "%s.", test->table);
    buffer_add(text, test->name);
}

/* "create_table('t') repeated | if x": what starts with op or a batch only. */
static void
show(struct seen *seen, const char *what, const struct scene *scene, const struct call *call)
{
    static const char start[] = "alembic.op.";
    struct buffer *text = &seen->text;

    if (!text_starts_with(call->path, start) || text_ends_with(call->path, ".get_bind") ||
        text_ends_with(call->path, ".get_context"))
        return;
    buffer_printf(text, "%s%s(", what, call->path + strlen(start));
    for (size_t i = 0; i < call->arguments.count; i++) {
        buffer_add(text, i > 0 ? ", " : "");
        show_value(text, &call->arguments.items[i]);
    }
    for (size_t i = 0; i < call->keywords.count; i++) {
        buffer_printf(text, ", %s=", call->keywords.items[i].name);
        show_value(text, &call->keywords.items[i].value);
    }
    buffer_printf(text, "%s)%s%s%s%s%s", call->has_unknown_arguments ? ", ..." : "",
        scene->is_downgrade ? " down" : "", scene->is_module ? " module" : "",
        scene->in_autocommit ? " autocommit" : "", scene->in_try ? " try" : "",
        scene->is_repeated ? " repeated" : "");
    for (size_t i = 0; i < scene->conditions->count; i++)
        show_condition(text, &scene->conditions->items[i]);
    buffer_add(text, "\n");
}

static void
see_call(void *self, const struct scene *scene, const struct call *call)
{
    show(self, "", scene, call);
}

static void
see_leave(void *self, const struct scene *scene, const struct call *call)
{
    show(self, "leave ", scene, call);
}

struct walked {
    const char *calls;
    struct eval_module module;
    struct notes notes;
};

static struct walked
walk_file(struct ctx *ctx, const char *file, const char *source)
{
    struct seen seen = { .text = { .arena = ctx->arena } };
    struct eval_host host = { .self = &seen, .call = see_call, .leave = see_leave };
    struct walked walked = { 0 };
    struct py_tree tree;

    assert_true(python_parse(ctx, source, strlen(source), &tree));
    assert_true(eval_file(ctx, file, &tree, &host, &walked.module, &walked.notes));
    walked.calls = buffer_text(&seen.text);
    return walked;
}

static struct walked
walk(struct ctx *ctx, const char *source)
{
    return walk_file(ctx, "versions/1a2b_x.py", source);
}

static bool
has_note(const struct walked *walked, enum note_kind kind, uint32_t line, const char *text)
{
    for (size_t i = 0; i < walked->notes.count; i++) {
        const struct note *note = &walked->notes.items[i];

        if (note->kind == kind && (line == 0 || note->place.line == line) &&
            strstr(note->text, text))
            return true;
    }
    return false;
}

#define HEAD                             \
    "from alembic import op, context\n"  \
    "import sqlalchemy as sa\n"          \
    "insp = sa.inspect(op.get_bind())\n" \
    "from app import settings\n"

struct flow_case {
    const char *source; /* behind HEAD */
    const char *calls;
};

static void
check_cases(struct ctx *ctx, const struct flow_case *cases, size_t count)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        const char *source = arena_printf(ctx->arena, "%s%s", HEAD, cases[i].source);
        struct walked walked = walk(ctx, source);

        if (strcmp(walked.calls, cases[i].calls) == 0)
            continue;
        wrong++;
        print_error(
            "%s--- wanted\n%s--- told\n%s\n", cases[i].source, cases[i].calls, walked.calls);
    }
    assert_int_equal(wrong, 0);
}

static void
unknown_conditions_walk_both_branches(void **state)
{
    static const struct flow_case cases[] = {
        { "def upgrade():\n"
          "    if settings.x:\n"
          "        op.execute('a')\n"
          "    elif settings.y > 1:\n"
          "        op.execute('b')\n"
          "    else:\n"
          "        op.execute('c')\n"
          "    op.execute('d')\n",
            "execute('a') | settings.x\n"
            "execute('b') | not (settings.x) | settings.y > 1\n"
            "execute('c') | not (settings.x) | not (settings.y > 1)\n"
            "execute('d')\n" },
        /* What leaves makes the rest conditional, to the end of the function. */
        { "def helper():\n"
          "    if settings.x:\n"
          "        return\n"
          "    op.execute('in')\n"
          "def upgrade():\n"
          "    helper()\n"
          "    op.execute('out')\n"
          "    if not settings.y:\n"
          "        raise Exception()\n"
          "    op.execute('rest')\n",
            "execute('in') | not (settings.x)\n"
            "execute('out')\n"
            "execute('rest') | settings.y\n" },
        { "def upgrade():\n"
          "    if settings.a:\n"
          "        if settings.b:\n"
          "            return\n"
          "        op.execute('x')\n"
          "    op.execute('y')\n",
            "execute('x') | settings.a | not (settings.b)\n"
            "execute('y') | not (settings.a) or not (settings.b)\n" },
        { "def upgrade():\n"
          "    if settings.a:\n"
          "        return\n"
          "    else:\n"
          "        return\n"
          "    op.execute('never')\n",
            "" },
        /* Each part of an `and` is a condition; of an `or` in the else. */
        { "def upgrade():\n"
          "    if settings.a and not settings.b:\n"
          "        op.execute('both')\n"
          "    else:\n"
          "        op.execute('else')\n"
          "    if settings.a or settings.b:\n"
          "        op.execute('any')\n"
          "    else:\n"
          "        op.execute('none')\n",
            "execute('both') | settings.a | not settings.b\n"
            "execute('else') | not (settings.a and not settings.b)\n"
            "execute('any') | settings.a or settings.b\n"
            "execute('none') | not (settings.a) | not (settings.b)\n" },
        /* Known parts decide. */
        { "DO = False\n"
          "def upgrade():\n"
          "    if DO and settings.a:\n"
          "        op.execute('no')\n"
          "    if settings.a and True:\n"
          "        op.execute('a')\n"
          "    if settings.a or True:\n"
          "        op.execute('yes')\n",
            "execute('a') | settings.a\n"
            "execute('yes')\n" },
        /* Names that differ are unknown afterwards, the same ones are not. */
        { "def upgrade():\n"
          "    a = b = 'x'\n"
          "    if settings.a:\n"
          "        a = 'y'\n"
          "        c = 'z'\n"
          "        op.execute(a)\n"
          "    else:\n"
          "        b = 'x'\n"
          "        op.execute(a)\n"
          "    op.execute(a)\n"
          "    op.execute(f'{a} {b} {c}')\n",
            "execute('y') | settings.a\n"
            "execute('x') | not (settings.a)\n"
            "execute(?)\n"
            "execute(# x z)\n" },
        { "def upgrade():\n"
          "    columns = ['a']\n"
          "    if settings.a:\n"
          "        columns.append('b')\n"
          "    op.create_index('i', 't', columns)\n",
            "create_index('i', 't', ?)\n" },
        { "def upgrade():\n"
          "    op.execute('a' if settings.a else 'b')\n"
          "    op.f('x') if settings.a else op.execute('b')\n"
          "    settings.a and op.execute('c')\n",
            "execute(?)\n"
            "f('x') | settings.a\n"
            "execute('b') | not (settings.a)\n"
            "execute('c') | settings.a\n" },
        { "def upgrade():\n"
          "    match settings.a:\n"
          "        case 1:\n"
          "            op.execute('one')\n"
          "        case _:\n"
          "            op.execute('other')\n",
            "execute('one') | match: case 1\n"
            "execute('other') | match: case _\n" },
    };

    check_cases(*state, cases, COUNT_OF(cases));
}

static void
the_server_is_postgresql_and_the_mode_online(void **state)
{
    static const struct flow_case cases[] = {
        { "def upgrade():\n"
          "    bind = op.get_bind()\n"
          "    if bind.dialect.name == 'postgresql':\n"
          "        op.execute('a')\n"
          "    else:\n"
          "        op.execute('b')\n"
          "    op.execute('c')\n"
          "    if op.get_context().dialect.name in ('mysql', 'sqlite'):\n"
          "        return\n"
          "    op.execute('d')\n",
            "execute('a') | surely bind.dialect.name == 'postgresql'\n"
            "execute('c')\n"
            "execute('d') | surely not (op.get_context().dialect.name in ('mysql', 'sqlite'))\n" },
        { "def is_pg():\n"
          "    return op.get_bind().engine.name.startswith('postgres')\n"
          "def upgrade():\n"
          "    if context.is_offline_mode() or op.get_context().as_sql:\n"
          "        op.execute('offline')\n"
          "    if not is_pg():\n"
          "        op.execute('other')\n"
          "    elif settings.x:\n"
          "        op.execute('x')\n",
            "execute('x') | surely not (not is_pg()) | settings.x\n" },
    };

    check_cases(*state, cases, COUNT_OF(cases));
}

static void
questions_to_the_database_are_understood(void **state)
{
    static const struct flow_case cases[] = {
        { "def upgrade():\n"
          "    if 'a' not in insp.get_table_names():\n"
          "        op.execute('1')\n"
          "    if not insp.has_table('a', schema='s'):\n"
          "        op.execute('2')\n"
          "    if op.get_bind().dialect.has_table(op.get_bind(), 'a'):\n"
          "        op.execute('3')\n"
          "    else:\n"
          "        op.execute('4')\n",
            "execute('1') | 'a' not in insp.get_table_names() => no table a\n"
            "execute('2') | not insp.has_table('a', schema='s') => no table s.a\n"
            "get_bind().dialect.has_table(alembic.op.get_bind(), 'a')\n"
            "execute('3') | op.get_bind().dialect.has_table(op.get_bind(), 'a') => table a\n"
            "execute('4') | not (op.get_bind().dialect.has_table(op.get_bind(), 'a'))"
            " => no table a\n" },
        { "def upgrade():\n"
          "    names = [c['name'] for c in insp.get_columns('t')]\n"
          "    if 'a' in names: op.execute('1')\n"
          "    if 'a' in {c.get('name') for c in insp.get_columns('t', schema='s')}: op.execute('2')\n"
          "    if 'a' in {c['name']: c for c in insp.get_columns('t')}: op.execute('3')\n"
          "    if any(c['name'] == 'a' for c in insp.get_columns('t')): op.execute('4')\n"
          "    if [c for c in insp.get_columns('t') if c['name'] == 'a']: op.execute('5')\n"
          "    if len([c for c in insp.get_columns('t') if c['name'] == 'a']) == 0: op.execute('6')\n"
          "    if next((c for c in insp.get_columns('t') if c['name'] == 'a'), None) is None: "
          "op.execute('7')\n"
          "    exists = 'a' in set(names)\n"
          "    if exists is False: op.execute('8')\n",
            "execute('1') | 'a' in names => column t.a\n"
            "execute('2') | 'a' in {c.get('name') for c in insp.get_columns('t', schema='s')}"
            " => column s.t.a\n"
            "execute('3') | 'a' in {c['name']: c for c in insp.get_columns('t')} => column t.a\n"
            "execute('4') | any(c['name'] == 'a' for c in insp.get_columns('t')) => column t.a\n"
            "execute('5') | [c for c in insp.get_columns('t') if c['name'] == 'a'] => column t.a\n"
            "execute('6') | len([c for c in insp.get_columns('t') if c['name'] == 'a']) == 0"
            " => no column t.a\n"
            "execute('7') | next((c for c in insp.get_columns('t') if c['name'] == 'a'), None) is None"
            " => no column t.a\n"
            "execute('8') | exists is False => no column t.a\n" },
        { "def has_column(table, column):\n"
          "    if not insp.has_table(table):\n"
          "        return False\n"
          "    for c in insp.get_columns(table):\n"
          "        if c['name'] == column:\n"
          "            return True\n"
          "    return False\n"
          "def has_index(table, index):\n"
          "    return index in [i['name'] for i in insp.get_indexes(table)]\n"
          "def upgrade():\n"
          "    if has_column('t', 'a'):\n"
          "        op.execute('1')\n"
          "    else:\n"
          "        op.execute('2')\n"
          "    if not has_index('t', 'i') and insp.has_table('t'):\n"
          "        op.execute('3')\n"
          "    if 'fk' in {f['name'] for f in insp.get_foreign_keys('t')}:\n"
          "        op.execute('4')\n"
          "    if insp.get_pk_constraint('t')['name'] == 'pk':\n"
          "        op.execute('5')\n",
            "execute('1') | has_column('t', 'a') => column t.a\n"
            "execute('2') | not (has_column('t', 'a')) => no column t.a\n"
            "execute('3') | not has_index('t', 'i') => no index t.i | insp.has_table('t') => table t\n"
            "execute('4') | 'fk' in {f['name'] for f in insp.get_foreign_keys('t')}"
            " => constraint t.fk\n"
            "execute('5') | insp.get_pk_constraint('t')['name'] == 'pk' => constraint t.pk\n" },
        /* That one row has another name says nothing. */
        { "def upgrade():\n"
          "    for c in insp.get_columns('t'):\n"
          "        if c['name'] == 'a':\n"
          "            op.drop_column('t', 'a')\n"
          "        else:\n"
          "            op.execute('other')\n"
          "    if any(c['name'] != 'a' for c in insp.get_columns('t')):\n"
          "        op.execute('any')\n",
            "drop_column('t', 'a') repeated | for c in insp.get_columns('t')"
            " | c['name'] == 'a' => column t.a\n"
            "execute('other') repeated | for c in insp.get_columns('t') | not (c['name'] == 'a')\n"
            "execute('any') | any(c['name'] != 'a' for c in insp.get_columns('t'))\n" },
        /* What is not known is no question. */
        { "def upgrade():\n"
          "    if settings.name in insp.get_table_names(): op.execute('1')\n"
          "    if 'a' in insp.get_table_names(schema=settings.schema): op.execute('2')\n"
          "    if 'a' in settings.get_table_names(): op.execute('3')\n",
            "execute('1') | settings.name in insp.get_table_names()\n"
            "execute('2') | 'a' in insp.get_table_names(schema=settings.schema)\n"
            "execute('3') | 'a' in settings.get_table_names()\n" },
    };

    check_cases(*state, cases, COUNT_OF(cases));
}

static void
loops_that_are_not_known_are_walked_once(void **state)
{
    static const struct flow_case cases[] = {
        { "def upgrade():\n"
          "    n = 0\n"
          "    for table in settings.tables:\n"
          "        op.execute(f'{n} {table}')\n"
          "        n += 1\n"
          "    op.execute(f'{n}')\n"
          "    while True:\n"
          "        op.execute('batch')\n"
          "        if settings.done:\n"
          "            break\n"
          "        op.execute('next')\n"
          "    op.execute('end')\n",
            "execute(# #) repeated | for table in settings.tables\n"
            "execute(#)\n"
            "execute('batch') repeated | while True\n"
            "execute('next') repeated | while True | not (settings.done)\n"
            "execute('end')\n" },
        /* A break that may have happened holds for the rounds that follow. */
        { "def upgrade():\n"
          "    last = 'none'\n"
          "    for t in ['a', 'b']:\n"
          "        op.execute(t)\n"
          "        if settings.x:\n"
          "            continue\n"
          "        if settings.y:\n"
          "            last = t\n"
          "            break\n"
          "        op.execute(t + '!')\n"
          "    op.execute(last)\n",
            "execute('a')\n"
            "execute('a!') | not (settings.x) | not (settings.y)\n"
            "execute('b') | not (settings.y)\n"
            "execute('b!') | not (settings.y) | not (settings.x) | not (settings.y)\n"
            "execute(?)\n" },
        { "def upgrade():\n"
          "    for row in op.get_bind().execute('select'):\n"
          "        return\n"
          "    op.execute('rest')\n",
            "get_bind().execute('select')\n"
            "execute('rest') | not (for row in op.get_bind().execute('select'))\n" },
        { "def upgrade():\n"
          "    columns = []\n"
          "    for t in settings.tables:\n"
          "        columns.append(t)\n"
          "    op.execute(', '.join(columns))\n"
          "    [op.drop_table(t) for t in settings.tables]\n",
            "execute(#)\n"
            "drop_table(app.settings.tables[]) repeated | for t in settings.tables\n" },
    };

    check_cases(*state, cases, COUNT_OF(cases));
}

static void
what_stands_around_a_call_is_told(void **state)
{
    static const struct flow_case cases[] = {
        { "op.execute('top')\n"
          "def upgrade():\n"
          "    with op.batch_alter_table('t', schema='s') as batch, settings.lock():\n"
          "        batch.drop_column('a')\n"
          "    with op.get_context().autocommit_block():\n"
          "        op.execute('b')\n"
          "    op.execute('c')\n"
          "def downgrade():\n"
          "    op.execute('d')\n",
            "execute('top') module\n"
            "batch_alter_table('t', schema='s')\n"
            "batch_alter_table().drop_column('a')\n"
            "leave batch_alter_table('t', schema='s')\n"
            "get_context().autocommit_block()\n"
            "execute('b') autocommit\n"
            "leave get_context().autocommit_block() autocommit\n"
            "execute('c')\n"
            "execute('d') down\n" },
        { "import contextlib\n"
          "def upgrade():\n"
          "    try:\n"
          "        op.execute('a')\n"
          "    except (ValueError, KeyError) as error:\n"
          "        op.execute('b')\n"
          "    try:\n"
          "        op.execute('c')\n"
          "    except Exception:\n"
          "        print('no')\n"
          "        raise\n"
          "    try:\n"
          "        op.execute('d')\n"
          "    except Exception:\n"
          "        return\n"
          "    finally:\n"
          "        op.execute('e')\n"
          "    with contextlib.suppress(Exception):\n"
          "        op.execute('f')\n",
            "execute('a') try\n"
            "execute('b') | except (ValueError, KeyError) as error\n"
            "execute('c')\n"
            "execute('d') try\n"
            "execute('e') | not (except Exception)\n"
            "execute('f') try | not (except Exception)\n" },
        { "def upgrade():\n"
          "    names = ['a', 'b']\n"
          "    op.create_index('i', 't', *names, **{'unique': True})\n"
          "    op.create_index('i', *settings.names, **settings.more)\n"
          "    op.create_index(op.f('i'), settings.table)\n",
            "create_index('i', 't', 'a', 'b', unique=1)\n"
            "create_index('i', ...)\n"
            "f('i')\n"
            "create_index('i', app.settings.table)\n" },
        { "from alembic.op import drop_table as gone\n"
          "import alembic\n"
          "def upgrade():\n"
          "    gone('a')\n"
          "    alembic.op.drop_table('b')\n"
          "    from alembic import op as o\n"
          "    o.drop_table('c')\n"
          "    f = o.drop_table\n"
          "    f('d')\n",
            "drop_table('a')\ndrop_table('b')\ndrop_table('c')\ndrop_table('d')\n" },
        { "def upgrade(op, tables, tester):\n"
          "    op.drop_table('a')\n"
          "    if tester.is_testing:\n"
          "        op.drop_table('b')\n",
            "drop_table('a')\ndrop_table('b') | tester.is_testing\n" },
        { "@settings.guarded('x')\n"
          "def upgrade():\n"
          "    run(settings.unknown)\n"
          "def run(what, table='t'):\n"
          "    op.execute(what)\n"
          "    op.drop_table(table)\n"
          "    if what:\n"
          "        raise ValueError()\n"
          "    op.execute('rest')\n",
            "execute(app.settings.unknown)\n"
            "drop_table('t')\n"
            "execute('rest') | not (what)\n" },
        { "def stop():\n"
          "    raise NotImplementedError()\n"
          "def upgrade():\n"
          "    op.execute('a')\n"
          "    stop()\n"
          "    op.execute('never')\n",
            "execute('a')\n" },
        { "async def run(connection):\n"
          "    op.execute('in')\n"
          "def upgrade():\n"
          "    op.run_async(run)\n",
            "execute('in')\n" },
        { "try:\n"
          "    from sqlalchemy import Uuid\n"
          "except ImportError:\n"
          "    Uuid = None\n"
          "try:\n"
          "    from pgvector.sqlalchemy import Vector\n"
          "except ImportError:\n"
          "    Vector = None\n"
          "def upgrade():\n"
          "    op.execute(Uuid)\n"
          "    op.execute(Vector)\n"
          "    op.execute(Vector(3))\n",
            "execute(sqlalchemy.Uuid)\n"
            "execute(pgvector.sqlalchemy.Vector)\n"
            "execute(pgvector.sqlalchemy.Vector())\n" },
    };

    check_cases(*state, cases, COUNT_OF(cases));
}

static void
notes_tell_what_is_no_call(void **state)
{
    static const struct {
        const char *source;
        enum note_kind kind;
        uint32_t line;
        const char *text;
    } cases[] = {
        { "import os\nX = os.environ['A_B']\n", NOTE_ENVIRONMENT, 2, "A_B" },
        { "import os\nX = os.getenv('A_B', '1')\n", NOTE_ENVIRONMENT, 2, "A_B" },
        { "from os import environ as e\nX = e.get('A_B')\n", NOTE_ENVIRONMENT, 2, "A_B" },
        { "from app.models import User\n", NOTE_APPLICATION, 1, "app.models" },
        { "def upgrade():\n    import app.x as y\n", NOTE_APPLICATION, 2, "app.x" },
        { "from . import other\n", NOTE_APPLICATION, 1, "." },
        { "x = open('/tmp/x').read()\n", NOTE_FILE, 1, "/tmp/x" },
        { "print 'x'\n", NOTE_SYNTAX, 1, "print" },
        { "exec 'x'\n", NOTE_SYNTAX, 1, "exec" },
        { "x = f'{d['a']}'\n", NOTE_SYNTAX, 1, "quotes" },
        { "x = f'{\"\\n\".join(a)}'\n", NOTE_SYNTAX, 1, "backslash" },
        { "def upgrade(:\n  pass\n", NOTE_SYNTAX, 1, "" },
        { "from alembic import op\nfor r in op.get_bind().execute('x'):\n    pass\n",
            NOTE_NEEDS_SERVER, 2, "execute" },
        { "from alembic import op\nx = op.get_bind().execute('x').scalar()\n", NOTE_NEEDS_SERVER, 2,
            "execute" },
        { "from alembic import op\nfor r in unknown:\n    op.drop_table('x')\n", NOTE_CANNOT_KNOW,
            3, "drop_table" },
        { "from alembic import op\nexec('op.drop_table()')\n", NOTE_CANNOT_KNOW, 2, "exec" },
        { "from alembic import op\ndef f():\n    op.drop_table('x')\nunknown(f)\n",
            NOTE_CANNOT_KNOW, 4, "f()" },
        { "from alembic import op\ndef f():\n    op.drop_table('x')\n    yield\nf()\n",
            NOTE_CANNOT_KNOW, 5, "generator" },
        { "from alembic import op\ngetattr(op, unknown)('x')\n", NOTE_CANNOT_KNOW, 2,
            "alembic.op" },
        { "from x import upgrade\n", NOTE_CANNOT_KNOW, 0, "upgrade()" },
        { "def f(n):\n    return f(n + 1)\nf(0)\n", NOTE_LIMIT, 2, "deep" },
        { "for i in range(5000):\n    pass\n", NOTE_LIMIT, 1, "rounds" },
        { "def f():\n    f()\n    f()\nf()\n", NOTE_LIMIT, 0, "too much" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct walked walked = walk(ctx, cases[i].source);

        if (!has_note(&walked, cases[i].kind, cases[i].line, cases[i].text))
            fail_msg("no note %d: %s", (int)cases[i].kind, cases[i].source);
    }
}

static void
good_code_gives_no_notes(void **state)
{
    static const char *const sources[] = {
        "import os.path, uuid, sqlalchemy.dialects.postgresql as pg\nfrom alembic import op\n",
        "print('x')\nx = f'{d[\"a\"]} {1:>{2}}'\ny = f\"\"\"{d['a']} {d[\"a\"]}\"\"\"\n",
        "from alembic import op\nfor i in range(900):\n    op.drop_table(f't{i}')\n",
        "from alembic import op\nfor r in ['a']:\n    op.get_bind().execute('x')\n",
        "import sqlalchemy as sa\nx = sa.Column('a', default=lambda: 1)\n",
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        struct walked walked = walk(ctx, sources[i]);

        if (walked.notes.count > 0)
            fail_msg("note \"%s\": %s", walked.notes.items[0].text, sources[i]);
    }
}

static const struct value *
name_of(const struct walked *walked, const char *name)
{
    const struct value *value = map_get(walked->module.names, name);

    if (!value)
        fail_msg("no name %s", name);
    return value;
}

static void
the_module_is_described(void **state)
{
    struct ctx *ctx = *state;
    struct walked walked = walk(ctx, "\"\"\"Message\n\nRevises: x\n\"\"\"\n"
                                     "revision: str = 'ab' 'cd'\n"
                                     "down_revision = ('x', \"y\")\n"
                                     "branch_labels = None\n"
                                     "def upgrade():\n"
                                     "    '''Nothing.'''\n"
                                     "    pass\n"
                                     "def downgrade():\n"
                                     "    raise NotImplementedError('no way back')\n");

    assert_string_equal(walked.module.docstring, "Message\n\nRevises: x\n");
    assert_string_equal(name_of(&walked, "revision")->text, "abcd");
    assert_int_equal(name_of(&walked, "revision")->node->line, 5);
    assert_int_equal(name_of(&walked, "down_revision")->kind, VALUE_TUPLE);
    assert_int_equal(name_of(&walked, "down_revision")->items.count, 2);
    assert_int_equal(name_of(&walked, "branch_labels")->kind, VALUE_NONE);
    assert_string_equal(name_of(&walked, "__name__")->text, "1a2b_x_py");
    assert_int_equal(walked.module.upgrade, BODY_EMPTY);
    assert_int_equal(walked.module.upgrade_place.line, 8);
    assert_int_equal(walked.module.downgrade, BODY_RAISES);

    walked = walk(ctx, "def upgrade():\n    x()\n");
    assert_null(walked.module.docstring);
    assert_int_equal(walked.module.upgrade, BODY_CODE);
    assert_int_equal(walked.module.downgrade, BODY_MISSING);
    assert_int_equal(walked.module.downgrade_place.line, 0);
}

static void
classes_and_columns_are_described(void **state)
{
    struct ctx *ctx = *state;
    struct walked walked = walk(ctx, "import sqlalchemy as sa\n"
                                     "from sqlalchemy.orm import declarative_base\n"
                                     "Base = declarative_base()\n"
                                     "class User(Base):\n"
                                     "    __tablename__ = 'users'\n"
                                     "    id = sa.Column('id', sa.Integer(), primary_key=True)\n"
                                     "class Admin(User):\n"
                                     "    pass\n"
                                     "name = Admin.__tablename__\n"
                                     "table = User.__table__\n");
    const struct class_def *def = name_of(&walked, "User")->class_def;
    const struct call *column;

    assert_string_equal(def->name, "User");
    assert_string_equal(def->bases.items[0], "sqlalchemy.orm.declarative_base()");
    assert_int_equal(def->members.count, 2);
    assert_string_equal(def->members.items[1].name, "id");
    column = def->members.items[1].value.call;
    assert_string_equal(column->path, "sqlalchemy.Column");
    assert_string_equal(call_argument(column, 0, "name")->text, "id");
    assert_string_equal(call_argument(column, 1, "type_")->path, "sqlalchemy.Integer()");
    assert_true(value_is_true(call_argument(column, SIZE_MAX, "primary_key")));
    assert_null(call_argument(column, 2, "nullable"));
    assert_string_equal(name_of(&walked, "name")->text, "users");
    assert_string_equal(name_of(&walked, "table")->path, "User.__table__");
    assert_ptr_equal(name_of(&walked, "Admin")->class_def->base, def);
}

static void
put(struct ctx *ctx, const char *folder, const char *name, const char *text)
{
    assert_true(file_write(ctx, file_join(ctx->arena, folder, name), text, strlen(text), 0644));
}

static void
files_below_the_script_folder_are_read(void **state)
{
    static const char source[] =
        "import os\n"
        "from pathlib import Path\n"
        "here = os.path.dirname(os.path.abspath(__file__))\n"
        "a = open(os.path.join(here, 'a.sql')).read()\n"
        "b = (Path(__file__).parent / 'a.sql').read_text()\n"
        "with open(Path(__file__).resolve().parent.joinpath('a.sql')) as f:\n"
        "    c = f.read().strip()\n"
        "d = Path(__file__).parents[1].joinpath('sql', 'b.sql').read_text()\n"
        "e = open('/etc/hostname').read()\n"
        "g = open(os.path.join(here, '..', '..', 'secret')).read()\n"
        "h = open(os.path.join(here, 'link')).read()\n"
        "i = open('a.sql').read()\n";
    struct ctx *ctx = *state;
    const char *outside = test_folder(ctx);
    const char *script = file_join(ctx->arena, outside, "script");
    const char *versions = file_join(ctx->arena, script, "versions");
    struct walked walked;

    assert_true(file_make_folder(ctx, versions));
    assert_true(file_make_folder(ctx, file_join(ctx->arena, script, "sql")));
    put(ctx, script, "env.py", "");
    put(ctx, versions, "1.py", source);
    put(ctx, versions, "a.sql", "SELECT 1;\n");
    put(ctx, script, "sql/b.sql", "SELECT 2;\n");
    put(ctx, outside, "secret", "secret");
    assert_int_equal(symlink("../../secret", file_join(ctx->arena, versions, "link")), 0);
    walked = walk_file(ctx, file_join(ctx->arena, versions, "1.py"), source);
    assert_true(file_remove(ctx, outside));

    assert_string_equal(name_of(&walked, "a")->text, "SELECT 1;\n");
    assert_string_equal(name_of(&walked, "a")->file, file_join(ctx->arena, versions, "a.sql"));
    assert_string_equal(name_of(&walked, "b")->text, "SELECT 1;\n");
    assert_string_equal(name_of(&walked, "c")->text, "SELECT 1;");
    assert_string_equal(name_of(&walked, "d")->text, "SELECT 2;\n");
    assert_true(has_note(&walked, NOTE_FILE, 4, "a.sql"));
    for (const char *name = "eghi"; *name; name++)
        assert_int_equal(name_of(&walked, arena_strndup(ctx->arena, name, 1))->kind, VALUE_UNKNOWN);
    assert_true(has_note(&walked, NOTE_FILE, 9, "/etc/hostname"));
}

static const char *
repeat(struct ctx *ctx, const char *before, const char *text, size_t count, const char *after)
{
    struct buffer buffer = { .arena = ctx->arena };

    buffer_add(&buffer, before);
    for (size_t i = 0; i < count; i++)
        buffer_add(&buffer, text);
    buffer_add(&buffer, after);
    return buffer_text(&buffer);
}

/* None of these may take long or much: the walk ends, that is the test. */
static void
hostile_code_is_bounded(void **state)
{
    static const char *const sources[] = {
        "s = 'x' * 10 ** 9\n",
        "s = 'x'\nfor i in range(100):\n    s += s\n",
        "x = [[]]\nfor i in range(100):\n    x = [x, x, x, x]\nopen(x)\nprint(f'{x} {x == x}')\n",
        "x = []\nx.append(x)\nx += x\nstr(x)\nprint(x == x, sorted(x), [*x])\nfoo(x)\n",
        "x = {}\nx['a'] = x\nstr(x)\nfoo(**x)\n",
        "x = range(10 ** 18)\ny = list(range(-10 ** 18, 10 ** 18))\n",
        "[a for a in range(1000) for b in range(1000) for c in range(1000)]\n",
        "while 1 < 2:\n    pass\n",
        "x = -9223372036854775808 // -1, 1 << 63, 9 ** 99, 5 % 0, 5 / 0, -(-9223372036854775808)\n",
        "class X(X): pass\nX.y.z()\nclass Y:\n    def __init__(self):\n        Y()\nY()\n",
        "f = lambda g: g(g)\nf(f)\n",
        "'%s' % ()\n'%(' % {}\n'{'.format()\n'{0[}'.format(1)\n'%9999999d' % 1\n'{:9999999}'.format(1)\n",
        "x = 'a'[5]\ny = [][0]\nz = {}['a']\na, b = 1\n*a, *b = [1]\n",
        "try:\n    pass\nexcept:\n",
        "x = (\ny = [1, 2\ndef f(\n",
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(sources); i++)
        (void)walk(ctx, sources[i]);
    (void)walk(ctx, repeat(ctx, "x = ", "(", 400, "1"));
    (void)walk(ctx, repeat(ctx, "x = 1", " + 1", 900, "\n"));
    (void)walk(ctx, repeat(ctx, "x", ".y()", 400, "\n"));
    (void)walk(ctx, repeat(ctx, "def f(a):\n", "    if a: return 1\n", 3000, "    b()\nf(z)\n"));
    (void)walk(ctx, repeat(ctx, "if z: pass\n", "elif z: pass\n", 3000, "\n"));
    (void)walk(ctx, repeat(ctx, "x = 1\n", "if z: x = 2\n", 3000, "\n"));
    (void)walk(ctx, repeat(ctx, "", "a = ", 900, "1\n"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(unknown_conditions_walk_both_branches),
        test_with_ctx(the_server_is_postgresql_and_the_mode_online),
        test_with_ctx(questions_to_the_database_are_understood),
        test_with_ctx(loops_that_are_not_known_are_walked_once),
        test_with_ctx(what_stands_around_a_call_is_told),
        test_with_ctx(notes_tell_what_is_no_call),
        test_with_ctx(good_code_gives_no_notes),
        test_with_ctx(the_module_is_described),
        test_with_ctx(classes_and_columns_are_described),
        test_with_ctx(files_below_the_script_folder_are_read),
        test_with_ctx(hostile_code_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
