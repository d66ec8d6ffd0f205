/*
 * What the walk finds out about values, beside what Python itself computes: each case is run by
 * python3 with an `op` that writes down what it is given, and walked here.
 */
#include "support/test.h"

#include "base/process.h"
#include "migrate/eval/eval_private.h"

/* An expression, or statements that call op.execute() themselves. */
static const char *const cases[] = {
    /* literals */
    "'ab' \"cd\"",
    "('x' 'y'\n 'z')",
    "'a\\n\\t\\x41\\u00e9\\101\\\\\\'\\q'",
    "r'\\n\\d'",
    "b'ab'.decode()",
    "u'ü'",
    "'''a\n  b'''",
    "'a\\\nb'",
    "R\"x\" f'{1}' 'y'",
    "f'{{{1}}}'",
    "rf'\\d{1}'",
    "0x1F, 0o17, 0b11, 1_000, -5, 1.5",
    "None, True, False, ()",
    "[1, 'a', (2,), {'k': [3]}]",
    /* formats */
    "f\"{1 + 1} {'x'!r} {'x':>3}|{'x':<3}|{'x':^5}|{7:03d} {1.5:.2f} {255:x} {'long':.2}\"",
    "f'{True} {None} {[1, \"a\"]} {(1,)}'",
    "'{} {}'.format(1, 'b')",
    "'{1} {0} {name} {name!r} {0:>4} {{}}'.format('a', 2, name='n')",
    "'%s %d %r %% %5s|%-3d|%05d|%x' % ('a', 2, 'b', 'c', 3, 42, 255)",
    "'%(a)s-%(b)d' % {'a': 'x', 'b': 2}",
    "'%s' % 'one'",
    "'%s' % [1, 2]",
    "'%.2f' % 1.5",
    "str(1) + str('a') + str([1]) + str(None)",
    "repr('it\\'s')",
    "'{a} {b}'.format(**{'a': 1, 'b': 2})",
    "'{} {}'.format(*[1, 2])",
    "'{a}'.format_map({'a': 5})",
    /* text */
    "'a' + 'b' * 3, 2 * 'xy'",
    "', '.join(['a', 'b']), ','.join(c for c in 'abc')",
    "' x '.strip(), 'xxaxx'.strip('x'), ' a'.lstrip(), 'a '.rstrip()",
    "'aB'.lower(), 'aB'.upper(), 'a b'.title(), 'ABC'.capitalize()",
    "'aXbX'.replace('X', '--')",
    "'a b  c'.split(), 'a,b,,c'.split(','), 'a,b,c'.split(',', 1)",
    "'a\\nb\\n'.splitlines()",
    "'a=b=c'.partition('='), 'a=b=c'.rpartition('='), 'a'.partition('='), 'a'.rpartition('=')",
    "'ix_a'.removeprefix('ix_'), 'a_ix'.removesuffix('_ix'), 'a'.removeprefix('b')",
    "'abc'.startswith('a'), 'abc'.endswith(('x', 'c')), 'abc'.find('c'), 'aXaX'.count('X')",
    "'7'.zfill(3), 'a'.ljust(3), 'a'.rjust(3)",
    "'abcdef'[1], 'abcdef'[-1], 'abcdef'[1:3], 'abcdef'[:-2], 'äöü'[1:], len('äöü')",
    "'a' in 'abc', 'x' not in 'abc', 'b' > 'a'",
    /* arithmetic and comparisons */
    "7 // 2, -7 // 2, 7 % 3, -7 % 3, 7 / 2, 2 ** 10, 1 << 4, 255 >> 4, 6 & 3, 6 | 1, 6 ^ 3",
    "1.5 + 1, 0.1 + 0.2, 3 * 1.5, 10 / 4",
    "1 < 2 < 3, 1 < 3 < 2, 1 == 1.0, 1 != 2, True == 1, 2 >= 2, [1] == [1], (1, 2) == (1, 3)",
    "not '', not 'a', 1 and 2, 0 and 2, 0 or 'x', None or [] or 'y', 'a' if 0 else 'b'",
    "1 in [1, 2], 3 not in (1, 2), 'k' in {'k': 1}, None is None, 'a' is not None",
    "-(-3), +4, abs(-2)",
    /* collections */
    "[1, 2, 3][0], (1, 2, 3)[-1], [1, 2, 3][1:], [1, 2, 3][:2], [1, 2, 3, 4][::2], [1, 2][::-1]",
    "{'a': 1}['a'], {'a': 1}.get('b'), {'a': 1}.get('b', 2), {**{'a': 1}, 'b': 2}",
    "[*[1, 2], 3], (*'ab',)",
    "list({'a': 1, 'b': 2}.items()), list({'a': 1}.keys()), list({'a': 1}.values())",
    "[x * 2 for x in [1, 2, 3] if x != 2]",
    "[(a, b) for a in 'ab' for b in (1, 2)]",
    "{k: v for k, v in [('a', 1), ('b', 2)]}",
    "sorted({x for x in [2, 1, 2]})",
    "list(range(3)), list(range(1, 4)), list(range(5, 0, -2))",
    "list(enumerate('ab')), list(enumerate(['x'], start=3)), list(zip([1, 2], 'ab'))",
    "len([1, 2]), sorted(['b', 'a']), sorted([3, 1], reverse=True), list(reversed([1, 2]))",
    "list('ab'), tuple([1]), dict(a=1), dict([('b', 2)]), int('42'), int(True), bool('')",
    "min(3, 1), max([1, 5, 2]), sum([1, 2, 3]), any([0, 1]), all([1, 0])",
    "any(x > 1 for x in [1, 2]), all(x > 1 for x in [1, 2])",
    "isinstance('a', str), isinstance(1, str), isinstance([], list)",
    "[1] + [2], (1,) + (2,), [0] * 3",
    "next(iter([5, 6])), next((x for x in [] if x), None)",
    "list(map(lambda x: x + 1, [1, 2])), list(filter(None, [0, 1]))",
    "(lambda a, b=2: (a, b))(1)",
    "__import__('textwrap').dedent('''\n    a\n      b\n\n    c\n''')",
    /* statements */
    "import textwrap, inspect\n"
    "def upgrade():\n"
    "    op.execute(textwrap.dedent(\"\"\"\\\n"
    "        SELECT 1\n"
    "          FROM t\n"
    "        \"\"\"))\n"
    "    op.execute(inspect.cleandoc('''  a\n"
    "       b\n"
    "         c\n"
    "    '''))\n",
    "def upgrade():\n"
    "    a, (b, *c), d = 1, (2, 3, 4), 5\n"
    "    op.execute((a, b, c, d))\n"
    "    x = y = [1]\n"
    "    x.append(2)\n"
    "    y += [3]\n"
    "    x.extend((4,))\n"
    "    x.insert(0, 0)\n"
    "    op.execute(y)\n"
    "    op.execute((x.pop(), x.pop(0), x))\n"
    "    x.remove(2)\n"
    "    x.reverse()\n"
    "    op.execute(x)\n"
    "    n = 1\n"
    "    n += 2\n"
    "    n *= 5\n"
    "    s = 'a'\n"
    "    s += 'b'\n"
    "    op.execute((n, s))\n"
    "    if (m := n + 1) > 3:\n"
    "        op.execute(m)\n"
    "    d = {}\n"
    "    d['a'] = 1\n"
    "    d.update({'b': 2}, c=3)\n"
    "    d.setdefault('a', 9)\n"
    "    op.execute((d, d.setdefault('z', 0), d))\n",
    "def upgrade():\n"
    "    for i, n in enumerate(['a', 'b', 'c', 'd']):\n"
    "        if n == 'b':\n"
    "            continue\n"
    "        if i == 3:\n"
    "            break\n"
    "        op.execute(f'{i}{n}')\n"
    "    else:\n"
    "        op.execute('else')\n"
    "    for x in []:\n"
    "        op.execute('never')\n"
    "    else:\n"
    "        op.execute('empty')\n"
    "    i = 0\n"
    "    while i < 3:\n"
    "        i += 1\n"
    "        if i == 2: continue\n"
    "        op.execute(i)\n"
    "    op.execute(i)\n",
    "T = 'users'\n"
    "def name(table, *columns, sep='_', **more):\n"
    "    return sep.join(['ix', table, *columns]) + str(more)\n"
    "def fact(n):\n"
    "    return 1 if n < 2 else n * fact(n - 1)\n"
    "def outer(x):\n"
    "    def inner(y):\n"
    "        return x + y\n"
    "    return inner\n"
    "def kw(a, /, b, *, c=3):\n"
    "    return a, b, c\n"
    "def nothing():\n"
    "    pass\n"
    "def upgrade():\n"
    "    op.execute(name(T, 'a', 'b'))\n"
    "    op.execute(name(T, 'a', sep='-', x=1))\n"
    "    op.execute(fact(5))\n"
    "    op.execute(outer(1)(2))\n"
    "    op.execute((kw(1, 2), kw(1, c=4, b=5), kw(*[1, 2], **{'c': 6}), nothing()))\n",
    "count = 0\n"
    "def bump(by=1):\n"
    "    global count\n"
    "    count += by\n"
    "    return count\n"
    "def upgrade():\n"
    "    total = 0\n"
    "    def add(n):\n"
    "        nonlocal total\n"
    "        total += n\n"
    "    add(2)\n"
    "    add(3)\n"
    "    op.execute((bump(), bump(by=5), total))\n",
    "import enum\n"
    "class Status(str, enum.Enum):\n"
    "    ACTIVE = 'active'\n"
    "    GONE = 'gone'\n"
    "class Level(enum.Enum):\n"
    "    LOW = enum.auto()\n"
    "    HIGH = enum.auto()\n"
    "class Base:\n"
    "    prefix = 'p_'\n"
    "    @staticmethod\n"
    "    def twice(x):\n"
    "        return x * 2\n"
    "    @classmethod\n"
    "    def named(cls, n):\n"
    "        return cls.prefix + n\n"
    "    def run(self, n):\n"
    "        op.execute(self.prefix + n)\n"
    "        return self\n"
    "class Child(Base):\n"
    "    prefix = 'c_'\n"
    "def upgrade():\n"
    "    op.execute((Status.ACTIVE.value, Status.GONE.name, [s.value for s in Status]))\n"
    "    op.execute((Level.LOW.value, Level.HIGH.value, Status('gone').name, Status['ACTIVE'].value))\n"
    "    op.execute((Base.prefix, Base.twice('a'), Child.named('x'), Child.__name__))\n"
    "    Child().run('a').run('b')\n"
    "    op.execute(list(Status.__members__))\n",
    "import functools\n"
    "def each(f):\n"
    "    @functools.wraps(f)\n"
    "    def wrapped(*args, **kwargs):\n"
    "        op.execute('before')\n"
    "        f(*args, **kwargs)\n"
    "        op.execute('after')\n"
    "    return wrapped\n"
    "def add(a, b):\n"
    "    return a + b\n"
    "@each\n"
    "def upgrade():\n"
    "    op.execute(functools.partial(add, 1)(2))\n"
    "    op.execute(functools.partial(add, b=3)(4))\n",
    "def upgrade():\n"
    "    try:\n"
    "        op.execute('body')\n"
    "    except ValueError:\n"
    "        raise\n"
    "    else:\n"
    "        op.execute('else')\n"
    "    finally:\n"
    "        op.execute('finally')\n"
    "    fs = [lambda i=i: i * 10 for i in range(3)]\n"
    "    op.execute([f() for f in fs])\n"
    "    late = []\n"
    "    nested = [late]\n"
    "    late.append(1)\n"
    "    op.execute(nested)\n"
    "    copy = list(late)\n"
    "    late.append(2)\n"
    "    op.execute((copy, late, nested))\n"
    "    return\n"
    "    op.execute('unreachable')\n",
    "def upgrade():\n"
    "    for table, columns in {'a': ['x', 'y'], 'b': ['z']}.items():\n"
    "        for column in columns:\n"
    "            op.execute('ALTER TABLE {} DROP {}'.format(table, column))\n"
    "    if 1 > 2:\n"
    "        op.execute('no')\n"
    "    elif 'a' == 'a':\n"
    "        op.execute('elif')\n"
    "    else:\n"
    "        op.execute('else')\n"
    "    op.execute(__name__ == '__main__')\n"
    "    getattr(op, 'execute')('by name')\n",
};

/* Runs every file of a folder with an op of its own, and prints what execute() was given. */
static const char script[] =
    "import sys, types, os\n"
    "folder = sys.argv[1]\n"
    "seen = []\n"
    "alembic = types.ModuleType('alembic')\n"
    "alembic.op = types.SimpleNamespace(execute=lambda x: seen.append(repr(x)))\n"
    "sys.modules['alembic'] = alembic\n"
    "for name in sorted(os.listdir(folder)):\n"
    "    scope = {'__name__': name}\n"
    "    exec(compile(open(os.path.join(folder, name)).read(), name, 'exec'), scope)\n"
    "    scope['upgrade']()\n"
    "    print('== ' + name)\n"
    "    for line in seen: print(line)\n"
    "    seen.clear()\n";

struct seen {
    struct ctx *ctx;
    struct buffer text;
};

static void
see(void *self, const struct scene *scene, const struct call *call)
{
    struct seen *seen = self;
    const struct value *value = call_argument(call, 0, NULL);

    if (strcmp(call->path, "alembic.op.execute") != 0 || !value)
        return;
    if (scene->conditions->count > 0)
        buffer_add(&seen->text, "(conditional) ");
    if (!value_repr(&seen->text, value, 0))
        buffer_printf(&seen->text, " ... unknown: %s", value->text ? value->text : value->path);
    buffer_add(&seen->text, "\n");
}

static const char *
walk(struct ctx *ctx, const char *file, const char *source)
{
    struct seen seen = { .ctx = ctx, .text = { .arena = ctx->arena } };
    struct eval_host host = { .self = &seen, .call = see };
    struct eval_module module;
    struct notes notes = { 0 };
    struct py_tree tree;

    assert_true(python_parse(ctx, source, strlen(source), &tree));
    assert_true(eval_file(ctx, file, &tree, &host, &module, &notes));
    return buffer_text(&seen.text);
}

/* Compares what was printed for one case, and says all of it: cmocka cuts long texts. */
static bool
is_same(const char *name, const char *ours, const char **theirs)
{
    const char *start = strstr(*theirs, name);
    const char *end;
    size_t length;

    assert_non_null(start);
    start = strchr(start, '\n') + 1;
    end = strstr(start, "== ");
    length = end ? (size_t)(end - start) : strlen(start);
    *theirs = start;
    if (strlen(ours) == length && strncmp(ours, start, length) == 0)
        return true;
    print_error("%s: here\n%sin Python\n%.*s", name, ours, (int)length, start);
    return false;
}

static void
values_are_those_that_python_computes(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *const argv[] = { "python3", "-c", script, folder, NULL };
    struct process_options options = { .argv = argv };
    struct process process;
    const char *ours[COUNT_OF(cases)];
    const char *theirs;
    size_t wrong = 0;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *name = arena_printf(ctx->arena, "%03zu.py", i);
        bool is_module = strstr(cases[i], "def upgrade") != NULL;
        const char *source = arena_printf(ctx->arena, "from alembic import op\n%s%s%s",
            is_module ? "" : "def upgrade():\n    op.execute((", cases[i], is_module ? "" : "))\n");

        assert_true(
            file_write(ctx, file_join(ctx->arena, folder, name), source, strlen(source), 0644));
        ours[i] = walk(ctx, name, source);
    }
    if (!process_run(ctx, &options, &process))
        fail_msg("%s", ctx->error.message);
    assert_true(file_remove(ctx, folder));
    theirs = buffer_text(&process.out);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        wrong += !is_same(arena_printf(ctx->arena, "== %03zu.py", i), ours[i], &theirs);
    assert_int_equal(wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(values_are_those_that_python_computes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
