#include "unit/test_migrate_lower_support.h"

/* ---- a file of one upgrade() ---- */

static const char HEAD[] =
    "import enum\nimport json\n"
    "import alembic\nimport sqlalchemy as sa\nfrom alembic import op\n"
    "from sqlalchemy import orm\nfrom sqlalchemy.dialects import postgresql\n";

static struct revision *
lower_file(struct ctx *ctx, const char *source, const struct naming *naming)
{
    struct revision *revision = ARENA_NEW(ctx->arena, struct revision);
    struct lowering *lowering = ARENA_NEW(ctx->arena, struct lowering);
    struct eval_module module;
    struct eval_host host;
    struct py_tree *tree = ARENA_NEW(ctx->arena, struct py_tree);

    revision->file = "test.py";
    revision->source = source;
    revision->length = strlen(source);
    lowering->ctx = ctx;
    lowering->revision = revision;
    lowering->naming = naming;
    lowering->folder = ".";
    lowering->scratch = arena_new();
    assert_true(python_parse(ctx, source, revision->length, tree));
    assert_null(tree->error);
    host = lowering_host(lowering);
    host.scratch = lowering->scratch;
    assert_true(eval_file(ctx, revision->file, tree, &host, &module, &revision->notes));
    lowering_end(lowering);
    arena_free(host.scratch);
    return revision;
}

/* Lines become the body of upgrade(). */
static struct revision *
lower_named(struct ctx *ctx, const char *lines, const struct naming *naming)
{
    struct buffer source = { .arena = ctx->arena };

    buffer_printf(&source, "%s\n\ndef upgrade():\n", HEAD);
    while (*lines) {
        size_t length = strcspn(lines, "\n");

        buffer_printf(&source, "    %.*s\n", (int)length, lines);
        lines += length + (lines[length] == '\n');
    }
    return lower_file(ctx, buffer_text(&source), naming);
}

static struct revision *
lower(struct ctx *ctx, const char *lines)
{
    return lower_named(ctx, lines, NULL);
}

static size_t
notes_of(const struct revision *revision, enum note_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < revision->notes.count; i++)
        count += revision->notes.items[i].kind == kind;
    return count;
}

/* ---- Alembic's own SQL as the measure ---- */

struct oracle_case {
    const char *name;
    const char *python;
    const char *sql;
};

/* The text up to a line that is the mark, and what comes behind it. */
static const char *
cut(struct ctx *ctx, const char **rest, const char *mark)
{
    const char *start = *rest;
    const char *end = strstr(start, mark);

    if (!end) {
        *rest = start + strlen(start);
        return start;
    }
    *rest = end + strlen(mark);
    return arena_strndup(ctx->arena, start, (size_t)(end - start));
}

/* The first line that differs; false if none does. */
static bool
show_difference(struct ctx *ctx, const char *name, const char *ours, const char *alembics)
{
    while (*ours || *alembics) {
        size_t left = strcspn(ours, "\n");
        size_t right = strcspn(alembics, "\n");

        if (left != right || memcmp(ours, alembics, left) != 0) {
            print_message("# %s\n#   is        %s\n#   should be %s\n", name,
                arena_strndup(ctx->arena, ours, left), arena_strndup(ctx->arena, alembics, right));
            return true;
        }
        ours += left + (ours[left] == '\n');
        alembics += right + (alembics[right] == '\n');
    }
    return false;
}

static bool
is_as_alembic_sends(struct ctx *ctx, const struct oracle_case *test, const struct naming *naming)
{
    const struct revision *revision = lower_named(ctx, test->python, naming);
    struct sql_source source = { .text = test->sql };
    struct steps steps = { 0 };
    bool is_same;

    assert_true(steps_from_sql(ctx, &source, &steps));
    is_same = !show_difference(
        ctx, test->name, show_steps(ctx, &revision->upgrade), show_steps(ctx, &steps));
    for (size_t i = 0; i < revision->notes.count; i++) {
        if (revision->notes.items[i].kind == NOTE_CANNOT_KNOW) {
            print_message(
                "# %s: \"%s\" of literal code\n", test->name, revision->notes.items[i].text);
            is_same = false;
        }
    }
    return is_same;
}

/*
 * Each operation of the file gives the steps of the SQL that Alembic itself made of it;
 * test/migrate/operations.py writes the file and checks it against the Alembic that is installed.
 */
static void
operations_are_what_alembic_sends(void **state)
{
    static const struct naming conventions = {
        .ix = "ix_%(column_0_label)s",
        .uq = "uq_%(table_name)s_%(column_0_name)s",
        .ck = "ck_%(table_name)s_%(constraint_name)s",
        .fk = "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        .pk = "pk_%(table_name)s",
    };
    struct ctx *ctx = *state;
    const char *data;
    size_t length;
    size_t count = 0;
    size_t failed = 0;

    assert_true(file_read(ctx, test_source(ctx, "test/migrate/operations.txt"), &data, &length));
    cut(ctx, &data, "=== ");
    while (*data) {
        struct oracle_case test = { .name = cut(ctx, &data, "\n") };

        test.python = cut(ctx, &data, "\n---\n");
        test.sql = cut(ctx, &data, "=== ");
        if (!is_as_alembic_sends(ctx, &test, strstr(test.name, "convention") ? &conventions : NULL))
            failed++;
        count++;
    }
    assert_int_equal(failed, 0);
    assert_true(count > 50);
}

/* ---- what Alembic's SQL does not show ---- */

static const struct step *
step_at(const struct steps *steps, size_t at)
{
    if (at >= steps->count)
        fail_msg("there is no step %zu", at);
    return &steps->items[at];
}

/* The only step of the code, of this kind. */
static const struct step *
only_step(struct ctx *ctx, const char *lines, enum step_kind kind)
{
    const struct revision *revision = lower(ctx, lines);

    if (revision->upgrade.count != 1)
        fail_msg("%s\ngave\n%s", lines, show_steps(ctx, &revision->upgrade));
    assert_string_equal(step_kind_name(revision->upgrade.items[0].kind), step_kind_name(kind));
    return &revision->upgrade.items[0];
}

static void
the_words_of_newer_versions_are_known(void **state)
{
    static const struct {
        const char *python;
        enum step_kind kind;
        bool if_exists;
        bool if_not_exists;
    } cases[] = {
        { "op.add_column('t', sa.Column('a', sa.Text), if_not_exists=True)", STEP_ADD_COLUMN, false,
            true },
        { "op.drop_column('t', 'a', if_exists=True)", STEP_DROP_COLUMN, true, false },
        { "op.create_index('i', 't', ['a'], if_not_exists=True)", STEP_CREATE_INDEX, false, true },
        { "op.drop_index('i', if_exists=True)", STEP_DROP_INDEX, true, false },
        { "op.create_table('t', sa.Column('a', sa.Text), if_not_exists=True)", STEP_CREATE_TABLE,
            false, true },
        { "op.drop_table('t', if_exists=True)", STEP_DROP_TABLE, true, false },
        { "op.drop_constraint('c', 't', if_exists=True)", STEP_DROP_CONSTRAINT, true, false },
        { "op.drop_table('t', if_exists=False)", STEP_DROP_TABLE, false, false },
    };
    const struct step *step;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        step = only_step(*state, cases[i].python, cases[i].kind);
        assert_int_equal(step->if_exists, cases[i].if_exists);
        assert_int_equal(step->if_not_exists, cases[i].if_not_exists);
    }
    step = only_step(*state, "op.create_index('i', 't', ['a'], postgresql_nulls_not_distinct=True)",
        STEP_CREATE_INDEX);
    assert_true(step->index->nulls_not_distinct);
}

static void
types_say_whether_they_look_first(void **state)
{
    static const struct {
        const char *python;
        bool checks;
    } cases[] = {
        { "sa.Enum('a', name='e').create(op.get_bind())", false },
        { "sa.Enum('a', name='e').create(op.get_bind(), checkfirst=True)", true },
        { "sa.Enum('a', name='e').create(op.get_bind(), True)", true },
        { "postgresql.ENUM('a', name='e').create(op.get_bind())", true },
        { "postgresql.ENUM('a', name='e').create(op.get_bind(), checkfirst=False)", false },
    };
    struct ctx *ctx = *state;
    const struct step *step;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        step = only_step(ctx, cases[i].python, STEP_CREATE_ENUM);
        assert_int_equal(step->create_if_missing, cases[i].checks);
        assert_false(step->once_a_run);
    }
    step = only_step(ctx, "sa.Enum(name='e').drop(op.get_bind(), checkfirst=True)", STEP_DROP_TYPE);
    assert_true(step->if_exists);
    step = step_at(
        &lower(ctx, "op.create_table('t', sa.Column('e', sa.Enum('a', name='e')))")->upgrade, 0);
    assert_true(step->once_a_run);
    step =
        step_at(&lower(ctx, "sa.Table('t', sa.MetaData(), sa.Column('e', sa.Enum('a', name='e')))"
                            ".create(op.get_bind())")
                     ->upgrade,
            0);
    assert_int_equal(step->kind, STEP_CREATE_ENUM);
    assert_false(step->once_a_run);
}

static void
other_ways_to_op_are_known(void **state)
{
    const struct step *step = only_step(*state,
        "from alembic.operations import Operations\n"
        "operations = Operations(op.get_context())\n"
        "operations.drop_table('t')\n",
        STEP_DROP_TABLE);

    assert_string_equal(step->object.name, "t");
    only_step(*state, "from alembic.op import drop_table\ndrop_table('t')", STEP_DROP_TABLE);
    only_step(
        *state, "from alembic import context\ncontext.execute('DROP TABLE t')", STEP_DROP_TABLE);
    only_step(*state, "op.get_context().bind.execute(sa.text('DROP TABLE t'))", STEP_DROP_TABLE);
}

static void
defaults_of_the_client_make_no_ddl(void **state)
{
    const struct step *step = only_step(*state,
        "op.add_column('t', sa.Column('a', sa.Text, default=lambda: 'x'))", STEP_ADD_COLUMN);

    assert_true(step->columns.items[0].has_client_default);
    assert_int_equal(step->columns.items[0].default_kind, DEFAULT_NONE);
}

static void
types_of_libraries_are_known(void **state)
{
    static const struct {
        const char *import;
        const char *type;
        const char *expected;
    } cases[] = {
        { "import pgvector.sqlalchemy", "pgvector.sqlalchemy.Vector(1536)", "vector(1536)" },
        { "from pgvector.sqlalchemy import Vector", "Vector(dim=3)", "vector(3)" },
        { "from pgvector.sqlalchemy import HALFVEC", "HALFVEC(4)", "halfvec(4)" },
        { "import sqlmodel", "sqlmodel.sql.sqltypes.AutoString(length=7)", "character varying(7)" },
        { "import sqlmodel", "sqlmodel.sql.sqltypes.AutoString()", "character varying" },
        { "import sqlalchemy_utils", "sqlalchemy_utils.types.uuid.UUIDType()", "uuid" },
        { "import fastapi_users_db_sqlalchemy as f", "f.generics.GUID()", "uuid" },
        { "import geoalchemy2", "geoalchemy2.types.Geometry(srid=4326)", "geometry" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *lines = arena_printf(ctx->arena, "%s\nop.add_column('t', sa.Column('a', %s))",
            cases[i].import, cases[i].type);
        const struct step *step = only_step(ctx, lines, STEP_ADD_COLUMN);

        assert_string_equal(type_of(ctx, &step->columns.items[0].type), cases[i].expected);
    }
}

static void
a_decorator_of_the_file_has_the_type_it_decorates(void **state)
{
    const struct step *step = only_step(*state,
        "class Money(sa.types.TypeDecorator):\n"
        "    impl = sa.Numeric(10, 2)\n"
        "    cache_ok = True\n"
        "op.add_column('t', sa.Column('a', Money()))\n",
        STEP_ADD_COLUMN);

    assert_string_equal(type_of(*state, &step->columns.items[0].type), "numeric(10,2)");
}

/* The code, one step with a reason or none, and how far it reaches. */
static const struct {
    const char *python;
    enum step_kind kind;
    bool is_step_known;
    enum reach reach;
} unknowns[] = {
    { "op.add_column('t', sa.Column('a', app.GUID()))", STEP_ADD_COLUMN, true, REACH_DATA },
    { "op.add_column('t', sa.Column('a', sa.String(app.X)))", STEP_ADD_COLUMN, true, REACH_DATA },
    { "op.add_column('t', sa.Column('a', sa.Text, server_default=app.X))", STEP_ADD_COLUMN, true,
        REACH_DATA },
    { "op.add_column('t', app.column())", STEP_ADD_COLUMN, false, REACH_TABLE },
    { "op.add_column(app.X, sa.Column('a', sa.Text))", STEP_ADD_COLUMN, false, REACH_ALL },
    { "op.create_table('t', *app.columns())", STEP_CREATE_TABLE, false, REACH_TABLE },
    { "op.drop_table(app.TABLE)", STEP_DROP_TABLE, false, REACH_ALL },
    { "op.drop_column('t', app.COLUMN)", STEP_DROP_COLUMN, false, REACH_TABLE },
    { "op.drop_constraint(app.NAME, 't')", STEP_DROP_CONSTRAINT, false, REACH_TABLE },
    { "op.drop_index(app.NAME)", STEP_DROP_INDEX, false, REACH_ALL },
    { "op.create_index('i', 't', app.COLUMNS)", STEP_CREATE_INDEX, false, REACH_TABLE },
    { "op.alter_column('t', 'a', type_=app.T)", STEP_ALTER_TYPE, false, REACH_TABLE },
    { "op.alter_column('t', 'a', nullable=app.X)", STEP_DROP_NOT_NULL, false, REACH_TABLE },
    { "op.alter_column('t', 'a', server_default=app.X)", STEP_SET_DEFAULT, false, REACH_TABLE },
    { "op.execute(app.SQL)", STEP_UNKNOWN, false, REACH_ALL },
    { "sa.Enum(app.Status, name='e').create(op.get_bind())", STEP_CREATE_ENUM, false, REACH_TABLE },
    { "app.migrate(op.get_bind())", STEP_UNKNOWN, false, REACH_ALL },
    { "app.migrate(op)", STEP_UNKNOWN, false, REACH_ALL },
    { "app.migrate('t')", STEP_UNKNOWN, false, REACH_ALL },
    { "app.Base.metadata.create_all(op.get_bind())", STEP_UNKNOWN, false, REACH_ALL },
    { "op.run_async(app.function)", STEP_UNKNOWN, false, REACH_ALL },
    { "op.invoke(app.operation)", STEP_UNKNOWN, false, REACH_ALL },
    { "op.bulk_insert(app.table, [{'a': 1}])", STEP_INSERT, false, REACH_DATA },
};

static void
what_cannot_be_known_is_said(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(unknowns); i++) {
        const char *lines = arena_printf(ctx->arena, "import app\n%s", unknowns[i].python);
        const struct revision *revision = lower(ctx, lines);
        const char *steps = show_steps(ctx, &revision->upgrade);
        const struct step *step;

        if (revision->upgrade.count != 1 || notes_of(revision, NOTE_CANNOT_KNOW) != 1)
            fail_msg(
                "%s\ngave %zu notes and\n%s", lines, notes_of(revision, NOTE_CANNOT_KNOW), steps);
        step = &revision->upgrade.items[0];
        if (step->kind != unknowns[i].kind || !step->unknown != unknowns[i].is_step_known ||
            (step->unknown && step->reach != unknowns[i].reach))
            fail_msg("%s\ngave\n%s", lines, steps);
        /* HEAD is seven lines, then come two empty ones, def upgrade() and the import. */
        for (size_t j = 0; j < revision->notes.count; j++)
            if (revision->notes.items[j].kind == NOTE_CANNOT_KNOW)
                assert_int_equal(revision->notes.items[j].place.line, 12);
    }
}

static void
harmless_calls_are_no_steps(void **state)
{
    const struct revision *revision =
        lower(*state, "import logging, uuid\n"
                      "log = logging.getLogger('alembic')\n"
                      "log.info('x %s', op.get_bind())\n"
                      "print(op.get_bind())\n"
                      "uuid.uuid4()\n"
                      "import app\n"
                      "app.name(app.rows())[app.first()]\n"
                      "app.log.info(app.name())\n"
                      "json.dumps({})\n"
                      "sa.inspect(op.get_bind())\n"
                      "import structlog\n"
                      "structlog.get_logger().info('x')\n"
                      "sa.MetaData()\n"
                      "sa.Table('t', sa.MetaData(), sa.Column('a', sa.Text))\n"
                      "op.f('x')\n");

    assert_int_equal(revision->upgrade.count, 0);
    assert_int_equal(notes_of(revision, NOTE_CANNOT_KNOW), 0);
}

static void
parameters_of_execute_are_noted(void **state)
{
    const struct revision *revision =
        lower(*state, "op.execute(sa.text('UPDATE t SET a = :a'), {'a': 1})");

    assert_int_equal(notes_of(revision, NOTE_PARAMETERS), 1);
    assert_int_equal(step_at(&revision->upgrade, 0)->kind, STEP_UPDATE);
    revision = lower(*state, "op.get_bind().execute(sa.text('UPDATE t SET a = :a'), {'a': 1})");
    assert_int_equal(notes_of(revision, NOTE_PARAMETERS), 0);
    assert_null(step_at(&revision->upgrade, 0)->unknown);
}

static void
results_that_are_used_need_a_server(void **state)
{
    static const struct {
        const char *python;
        bool needs;
    } cases[] = {
        { "op.get_bind().execute(sa.text('SELECT 1')).scalar()", true },
        { "op.get_bind().execute(sa.text('SELECT 1')).mappings().all()", true },
        { "op.get_bind().scalar(sa.text('SELECT 1'))", true },
        { "op.get_bind().exec_driver_sql('SELECT 1')", true },
        { "op.get_bind().execute(sa.text('SELECT 1'))", false },
        { "op.execute('SELECT 1')", false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct revision *revision = lower(*state, cases[i].python);

        assert_int_equal(notes_of(revision, NOTE_NEEDS_SERVER) > 0, cases[i].needs);
        assert_int_equal(revision->upgrade.count, 1);
    }
}

static void
sessions_change_rows(void **state)
{
    static const enum step_kind kinds[] = { STEP_UPDATE, STEP_INSERT, STEP_DELETE, STEP_TRUNCATE };
    struct ctx *ctx = *state;
    const struct revision *revision =
        lower(ctx, "Base = orm.declarative_base()\n"
                   "class User(Base):\n"
                   "    __tablename__ = 'users'\n"
                   "session = orm.Session(bind=op.get_bind())\n"
                   "session.query(User).filter(User.id == 1).update({'a': 1})\n"
                   "session.add(User(id=1))\n"
                   "session.query(User).delete()\n"
                   "session.execute(sa.text('TRUNCATE t'))\n"
                   "session.commit()\n");

    assert_int_equal(revision->upgrade.count, COUNT_OF(kinds));
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        assert_int_equal(revision->upgrade.items[i].kind, kinds[i]);
    assert_string_equal(step_at(&revision->upgrade, 0)->object.name, "users");
    assert_int_equal(step_at(&revision->upgrade, 0)->reach, REACH_DATA);
    assert_non_null(step_at(&revision->upgrade, 0)->unknown);
    assert_int_equal(notes_of(revision, NOTE_ORM), 3);
    assert_int_equal(notes_of(revision, NOTE_SESSION_COMMIT), 1);

    revision = lower(ctx, "Session = orm.sessionmaker()\n"
                          "session = Session(bind=op.get_bind())\n"
                          "rows = session.query(sa.table('t')).all()\n"
                          "session.commit()\n");
    assert_int_equal(notes_of(revision, NOTE_NEEDS_SERVER), 1);
    assert_int_equal(revision->upgrade.count, 1);
    assert_int_equal(step_at(&revision->upgrade, 0)->kind, STEP_UPDATE);
}

static void
commits_are_noted_savepoints_are_not(void **state)
{
    static const struct {
        const char *python;
        size_t count;
    } cases[] = {
        { "op.get_bind().commit()", 1 },
        { "t = op.get_bind().begin()\nt.commit()", 1 },
        { "t = op.get_bind().begin_nested()\nt.commit()", 0 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(
            notes_of(lower(*state, cases[i].python), NOTE_SESSION_COMMIT), cases[i].count);
}

static void
operations_of_extensions_are_noted(void **state)
{
    struct ctx *ctx = *state;
    const struct revision *revision =
        lower(ctx, "from alembic_utils.pg_function import PGFunction\n"
                   "f = PGFunction(schema='public', signature='f(a integer)',\n"
                   "    definition='RETURNS integer LANGUAGE sql AS $$ SELECT a $$')\n"
                   "op.create_entity(f)\n"
                   "op.drop_entity(f)\n");

    assert_int_equal(notes_of(revision, NOTE_PLUGIN), 2);
    assert_int_equal(notes_of(revision, NOTE_CANNOT_KNOW), 0);
    assert_int_equal(step_at(&revision->upgrade, 0)->kind, STEP_CREATE_FUNCTION);
    assert_int_equal(step_at(&revision->upgrade, 1)->kind, STEP_DROP_FUNCTION);
    assert_string_equal(step_at(&revision->upgrade, 1)->object.schema, "public");

    revision = lower(ctx,
        "from alembic_postgresql_enum import TableReference\n"
        "op.sync_enum_values('public', 'e', ['a', 'b'],\n"
        "    [TableReference(table_schema='public', table_name='t', column_name='c')])\n");
    assert_int_equal(notes_of(revision, NOTE_PLUGIN), 1);
    assert_int_equal(revision->upgrade.count, 4);
    assert_int_equal(step_at(&revision->upgrade, 0)->kind, STEP_RENAME_TYPE);
    assert_int_equal(step_at(&revision->upgrade, 1)->values.count, 2);
    assert_string_equal(step_at(&revision->upgrade, 2)->type.name, "e");
    assert_int_equal(step_at(&revision->upgrade, 3)->kind, STEP_DROP_TYPE);

    revision = lower(ctx, "op.reverse_the_polarity('t')");
    assert_int_equal(notes_of(revision, NOTE_PLUGIN), 1);
    assert_int_equal(step_at(&revision->upgrade, 0)->kind, STEP_UNKNOWN);
    assert_int_equal(step_at(&revision->upgrade, 0)->reach, REACH_ALL);
}

static void
an_unknown_convention_makes_unnamed_things_unknown(void **state)
{
    static const struct naming naming = { .is_unknown = true };
    const struct revision *revision = lower_named(*state,
        "op.create_unique_constraint(None, 't', ['a'])\n"
        "op.create_unique_constraint('u', 't', ['a'])\n"
        "op.add_column('t', sa.Column('a', sa.Text, index=True))\n",
        &naming);

    assert_true(step_at(&revision->upgrade, 0)->constraints.items[0].is_name_unknown);
    assert_false(step_at(&revision->upgrade, 1)->constraints.items[0].is_name_unknown);
    assert_string_equal(step_at(&revision->upgrade, 1)->constraints.items[0].name, "u");
    assert_true(step_at(&revision->upgrade, 3)->index->is_name_unknown);
}

static void
steps_know_their_lines_and_conditions(void **state)
{
    const struct revision *revision =
        lower(*state, "op.execute('''\n"
                      "    DROP TABLE a;\n"
                      "    DROP TABLE b;\n"
                      "''')\n"
                      "with op.get_context().autocommit_block():\n"
                      "    op.create_index('i', 't', ['a'], postgresql_concurrently=True)\n"
                      "import os\n"
                      "if os.path.exists('/nothing'):\n"
                      "    with op.batch_alter_table('t') as b:\n"
                      "        b.drop_column('a')\n");
    const struct steps *steps = &revision->upgrade;

    /* HEAD is seven lines, then come two empty ones and def upgrade(). */
    assert_int_equal(steps->count, 4);
    assert_int_equal(step_at(steps, 0)->place.line, 12);
    assert_int_equal(step_at(steps, 1)->place.line, 13);
    assert_int_equal(step_at(steps, 0)->conditions.count, 0);
    assert_false(step_at(steps, 0)->in_autocommit);
    assert_true(step_at(steps, 2)->in_autocommit);
    assert_true(step_at(steps, 2)->concurrently);
    assert_int_equal(step_at(steps, 3)->conditions.count, 1);
    assert_int_equal(step_at(steps, 3)->place.line, 20);
}

static void
a_part_of_a_statement_may_be_unknown(void **state)
{
    const struct step *step =
        only_step(*state, "import app\nop.execute(f\"UPDATE t SET a = '{app.X}'\")", STEP_UPDATE);

    assert_string_equal(step->object.name, "t");
    assert_non_null(step->unknown);
    assert_int_equal(step->reach, REACH_DATA);
    step = only_step(*state, "import app\nop.execute(f'DROP TABLE {app.X}')", STEP_DROP_TABLE);
    assert_null(step->object.name);
    assert_non_null(step->unknown);
}

static void
both_directions_are_kept_apart(void **state)
{
    const struct revision *revision = lower_file(*state,
        "from alembic import op\n"
        "op.drop_table('loaded')\n"
        "def upgrade():\n    op.drop_table('a')\n"
        "def downgrade():\n    op.drop_table('b')\n",
        NULL);

    assert_int_equal(revision->upgrade.count, 1);
    assert_string_equal(step_at(&revision->upgrade, 0)->object.name, "a");
    assert_int_equal(revision->downgrade.count, 1);
    assert_string_equal(step_at(&revision->downgrade, 0)->object.name, "b");
    assert_int_equal(revision->module.count, 1);
    assert_string_equal(step_at(&revision->module, 0)->object.name, "loaded");
}

/* A thousand times a table of a thousand columns. */
static void
what_a_file_may_cost_is_bounded(void **state)
{
    struct ctx *ctx = *state;
    const struct revision *revision =
        lower(ctx, "m = sa.MetaData()\n"
                   "t = sa.Table('t', m, *[sa.Column(f'c{i}', sa.Text) for i in range(900)])\n"
                   "for i in range(900):\n"
                   "    m.create_all(op.get_bind())\n");

    assert_int_equal(notes_of(revision, NOTE_LIMIT), 1);
    assert_in_range(revision->upgrade.count, 100, 400);
}

static void
a_batch_that_copies_the_table_is_not_known(void **state)
{
    const struct revision *revision = lower(*state,
        "with op.batch_alter_table('t', recreate='always') as b:\n    b.drop_column('a')\n");

    assert_int_equal(step_at(&revision->upgrade, 0)->kind, STEP_UNKNOWN);
    assert_int_equal(step_at(&revision->upgrade, 0)->reach, REACH_TABLE);
    assert_int_equal(step_at(&revision->upgrade, 1)->kind, STEP_DROP_COLUMN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(operations_are_what_alembic_sends),
        test_with_ctx(the_words_of_newer_versions_are_known),
        test_with_ctx(types_say_whether_they_look_first),
        test_with_ctx(other_ways_to_op_are_known),
        test_with_ctx(defaults_of_the_client_make_no_ddl),
        test_with_ctx(types_of_libraries_are_known),
        test_with_ctx(a_decorator_of_the_file_has_the_type_it_decorates),
        test_with_ctx(what_cannot_be_known_is_said),
        test_with_ctx(harmless_calls_are_no_steps),
        test_with_ctx(parameters_of_execute_are_noted),
        test_with_ctx(results_that_are_used_need_a_server),
        test_with_ctx(sessions_change_rows),
        test_with_ctx(commits_are_noted_savepoints_are_not),
        test_with_ctx(operations_of_extensions_are_noted),
        test_with_ctx(an_unknown_convention_makes_unnamed_things_unknown),
        test_with_ctx(steps_know_their_lines_and_conditions),
        test_with_ctx(a_part_of_a_statement_may_be_unknown),
        test_with_ctx(both_directions_are_kept_apart),
        test_with_ctx(what_a_file_may_cost_is_bounded),
        test_with_ctx(a_batch_that_copies_the_table_is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
