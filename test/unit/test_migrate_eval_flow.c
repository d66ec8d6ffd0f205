/*
 * What the walk tells its host of each operation: the conditions around it, and the questions that
 * these ask of the database.
 */
#include "support/test.h"

#include "support/eval.h"

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

static const struct flow_case branch_cases[] = {
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

static void
unknown_conditions_walk_both_branches(void **state)
{
    check_cases(*state, branch_cases, COUNT_OF(branch_cases));
}

static const struct flow_case server_cases[] = {
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

static void
the_server_is_postgresql_and_the_mode_online(void **state)
{
    check_cases(*state, server_cases, COUNT_OF(server_cases));
}

static const struct flow_case question_cases[] = {
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

static void
questions_to_the_database_are_understood(void **state)
{
    check_cases(*state, question_cases, COUNT_OF(question_cases));
}

static const struct flow_case loop_cases[] = {
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
    /* A flag that is set for one row says whether it is there. */
    { "def upgrade():\n"
      "    found = False\n"
      "    missing = True\n"
      "    for c in insp.get_columns('t'):\n"
      "        if c['name'] == 'a':\n"
      "            found = True\n"
      "            missing = False\n"
      "            break\n"
      "    if not found: op.execute('1')\n"
      "    if missing: op.execute('2')\n",
        "execute('1') | not found => no column t.a\n"
        "execute('2') | missing => no column t.a\n" },
    { "def upgrade():\n"
      "    other = False\n"
      "    for c in insp.get_columns('t'):\n"
      "        if c['name'] != 'a':\n"
      "            other = True\n"
      "    if not other: op.execute('1')\n",
        "execute('1') | not other\n" },
};

static void
loops_that_are_not_known_are_walked_once(void **state)
{
    check_cases(*state, loop_cases, COUNT_OF(loop_cases));
}

static const struct flow_case scene_cases[] = {
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

static void
what_stands_around_a_call_is_told(void **state)
{
    check_cases(*state, scene_cases, COUNT_OF(scene_cases));
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
