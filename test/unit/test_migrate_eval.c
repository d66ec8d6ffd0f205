/*
 * What the walk finds out about a file as a whole: its notes, its module, classes, files it reads,
 * and that code which is made to take long does not. The flow is tested in test_migrate_eval_flow.c,
 * the values in test_migrate_eval_python.c.
 */
#include "support/test.h"

#include <unistd.h>

#include "support/eval.h"

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
        test_with_ctx(notes_tell_what_is_no_call),
        test_with_ctx(good_code_gives_no_notes),
        test_with_ctx(the_module_is_described),
        test_with_ctx(classes_and_columns_are_described),
        test_with_ctx(files_below_the_script_folder_are_read),
        test_with_ctx(hostile_code_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
