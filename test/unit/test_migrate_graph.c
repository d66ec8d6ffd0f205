/*
 * Graphs of Alembic histories. That heads, order and labels are Alembic's own is what
 * test/migrate/test_graph.sh asks Alembic; here is what it cannot be asked.
 */
#include "support/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "migrate/graph/graph_draw.h"
#include "migrate/history/source.h"

struct row {
    const char *id;
    const char *down[3];
    const char *depends[3];
    const char *label;
};

static void
add_all(struct ctx *ctx, struct text_list *list, const char *const *items, size_t count)
{
    for (size_t i = 0; i < count && items[i]; i++)
        text_list_add(ctx->arena, list, items[i]);
}

static struct graph
build(struct ctx *ctx, const struct row *rows, size_t count)
{
    struct history *history = ARENA_NEW(ctx->arena, struct history);
    struct graph graph;

    history->count = count;
    history->items = ARENA_ARRAY(ctx->arena, struct revision, count + 1);
    for (size_t i = 0; i < count; i++) {
        struct revision *revision = &history->items[i];

        revision->index = revision->read_1_8 = i;
        revision->id = rows[i].id;
        revision->file = arena_printf(ctx->arena, "versions/%s.py", rows[i].id);
        add_all(ctx, &revision->down, rows[i].down, COUNT_OF(rows[i].down));
        add_all(ctx, &revision->depends_on, rows[i].depends, COUNT_OF(rows[i].depends));
        add_all(ctx, &revision->labels, &rows[i].label, 1);
    }
    assert_true(graph_build(ctx, history, &graph));
    return graph;
}

static const char *
order_text(struct ctx *ctx, const struct graph *graph)
{
    struct text_list ids = { 0 };

    for (size_t i = 0; i < graph->order.count; i++)
        text_list_add(ctx->arena, &ids, graph->nodes[graph->order.items[i]].revision->id);
    return text_list_join(ctx->arena, &ids, " ");
}

/* Answers of Alembic 1.8.1 to these names in this history; NULL: it refuses them. */
static const struct {
    const char *symbol;
    const char *id;
} resolved[] = {
    { "aaaa0001", "aaaa0001" },
    { "aaaa", "aaaa0001" },
    { "bbbb", NULL },
    { "shop", "bbbb0002" },
    { "office", "cccc0004" },
    { "x1", "x1" },
    { "x", NULL },
    { "head", NULL },
    { "heads", NULL },
    { "base", "" },
    { "shop@head", "bbbb0003" },
    { "shop@heads", "bbbb0003" },
    { "office@head", "eeee0006" },
    { "shop@bbbb0003", "bbbb0003" },
    { "shop@eeee0006", NULL },
    { "office@eeee", "eeee0006" },
    { "aaaa0001+1", NULL },
    { "bbbb0002+1", "bbbb0003" },
    { "shop@aaaa0001+1", "bbbb0002" },
    { "office@aaaa0001+1", "cccc0004" },
    { "eeee0006-1", "dddd0005" },
    { "eeee0006-3", "aaaa0001" },
    { "eeee0006-4", "" },
    { "eeee0006-9", NULL },
    { "office@head-1", "dddd0005" },
    { "head-1", NULL },
    { "x1-1", "" },
    { "nothing", NULL },
    { "nothing@head", NULL },
    { "aaaa0001@head", NULL },
    { "cccc0004@head", "eeee0006" },
    { "+1", NULL },
    { "shop@+1", "aaaa0001" },
    { "office@+2", "cccc0004" },
    { "gone+1", NULL },
};

static const struct row two_lines[] = {
    { "aaaa0001" },
    { "bbbb0002", { "aaaa0001" }, .label = "shop" },
    { "bbbb0003", { "bbbb0002" } },
    { "cccc0004", { "aaaa0001" }, .label = "office" },
    { "dddd0005", { "cccc0004" } },
    { "eeee0006", { "dddd0005" } },
    { "x1", .depends = { "bbbb0003" } },
};

static void
names_are_resolved_as_by_alembic(void **state)
{
    struct ctx *ctx = *state;
    struct graph graph = build(ctx, two_lines, COUNT_OF(two_lines));

    for (size_t i = 0; i < COUNT_OF(resolved); i++) {
        size_t node = 0;
        bool is_found = graph_resolve(ctx, &graph, resolved[i].symbol, &node);
        const char *id = !is_found          ? "(refused)"
                         : node == SIZE_MAX ? ""
                                            : graph.nodes[node].revision->id;

        if (!text_equal(id, resolved[i].id ? resolved[i].id : "(refused)"))
            fail_msg("%s is \"%s\"", resolved[i].symbol, id);
    }
    assert_false(graph_resolve(ctx, &graph, "gone", &(size_t){ 0 }));
    assert_error(ctx, ERR_NOT_FOUND, "Can't locate revision identified by 'gone'");
}

static void
ancestors_are_found_through_parents_and_dependencies(void **state)
{
    struct ctx *ctx = *state;
    struct graph graph = build(ctx, two_lines, COUNT_OF(two_lines));

    assert_true(graph_is_ancestor(&graph, 0, 2));
    assert_true(graph_is_ancestor(&graph, 0, 6));
    assert_true(graph_is_ancestor(&graph, 2, 6));
    assert_false(graph_is_ancestor(&graph, 6, 2));
    assert_false(graph_is_ancestor(&graph, 3, 2));
    assert_false(graph_is_ancestor(&graph, 3, 6));
    assert_false(graph_is_ancestor(&graph, 3, 3));
}

/* Compares with what following every link finds, in histories made by chance. */
static bool
reaches(const struct graph *graph, size_t ancestor, size_t descendant)
{
    const struct node *node = &graph->nodes[descendant];

    for (size_t i = 0; i < node->parents.count; i++)
        if (node->parents.items[i] == ancestor || reaches(graph, ancestor, node->parents.items[i]))
            return true;
    for (size_t i = 0; i < node->dependencies.count; i++)
        if (node->dependencies.items[i] == ancestor ||
            reaches(graph, ancestor, node->dependencies.items[i]))
            return true;
    return false;
}

static void
ancestors_are_those_that_following_links_finds(void **state)
{
    enum { COUNT = 16, HISTORIES = 30 };
    struct ctx *ctx = *state;
    struct test_random random = test_random_new();

    for (int turn = 0; turn < HISTORIES; turn++) {
        struct row rows[COUNT] = { 0 };

        for (size_t i = 0; i < COUNT; i++) {
            rows[i].id = arena_printf(ctx->arena, "r%zu", i);
            for (size_t k = 0; i > 0 && k < test_random_below(&random, 3); k++)
                rows[i].down[k] = rows[test_random_below(&random, i)].id;
            if (i > 0 && test_random_below(&random, 4) == 0)
                rows[i].depends[0] = rows[test_random_below(&random, i)].id;
        }

        struct graph graph = build(ctx, rows, COUNT);

        for (size_t a = 0; a < COUNT; a++)
            for (size_t b = 0; b < COUNT; b++)
                assert_int_equal(graph_is_ancestor(&graph, a, b), reaches(&graph, a, b));
    }
}

static void
versions_differ_on_colons(void **state)
{
    static const struct row rows[] = { { "a:1" }, { "b2", { "a:1" } } };
    struct graph graph = build(*state, rows, COUNT_OF(rows));

    /* 1.19: Character(s) ':' not allowed; 1.8 takes it. */
    assert_true(graph.is_broken_1_19);
    assert_false(graph.is_broken_1_8);
    assert_int_equal(graph.problems.count, 1);
    assert_int_equal(graph.problems.items[0].kind, GRAPH_BAD_ID);
    assert_true(graph.problems.items[0].is_fatal_1_19);
    assert_false(graph.problems.items[0].is_fatal_1_8);
    assert_string_equal(graph.problems.items[0].alembic,
        "Character(s) ':' not allowed in revision identifier 'a:1'");
}

static void
what_hangs_on_something_missing_is_not_applied(void **state)
{
    static const struct row rows[] = { { "a1" }, { "b2", { "gone" } }, { "c3", { "b2" } },
        { "d4", { "a1" } } };
    struct ctx *ctx = *state;
    struct graph graph = build(ctx, rows, COUNT_OF(rows));

    assert_true(graph.is_broken_1_8 && graph.is_broken_1_19);
    assert_string_equal(order_text(ctx, &graph), "a1 d4");
    assert_true(graph.nodes[2].position == SIZE_MAX);
    assert_string_equal(
        graph.problems.items[0].alembic, "Revision gone referenced from b2 is not present");
}

static void
the_graph_is_drawn_with_lanes(void **state)
{
    static const struct row rows[] = { { "a1" }, { "b2", { "a1" }, .label = "shop" },
        { "c3", { "a1" } }, { "d4", { "b2", "c3" } }, { "x1", .depends = { "d4" } },
        { "gone", { "nowhere" } } };
    struct ctx *ctx = *state;
    struct graph graph = build(ctx, rows, COUNT_OF(rows));

    assert_string_equal(graph_text(ctx->arena, &graph, 0),
        "* x1 [head] [base] (depends on d4)\n"
        "* d4 [effective head] [merge]\n"
        "├─╮\n"
        "* │ b2 [branch: shop]\n"
        "│ * c3\n"
        "├─╯\n"
        "* a1 [base]\n"
        "\n"
        "Not applied:\n"
        "! gone [head] [missing parent] (after nowhere)\n");
    assert_non_null(strstr(graph_text(ctx->arena, &graph, 19), "* x1 [head] [base]…\n"));
}

static void
drawings_escape_text(void **state)
{
    struct ctx *ctx = *state;
    static const struct row rows[] = { { "a1" }, { "b2", { "a1" }, { "a1" } } };
    struct graph graph = build(ctx, rows, COUNT_OF(rows));
    struct revision named = *graph.nodes[0].revision;
    const char *dot, *mermaid;

    named.message = "say \"no\" \\ <b>&[x]\n;";
    graph.nodes[0].revision = &named;
    dot = graph_dot(ctx->arena, &graph);
    mermaid = graph_mermaid(ctx->arena, &graph);
    assert_non_null(strstr(dot, "n0 [label=\"a1\\nsay \\\"no\\\" \\\\ <b>&[x] ;\\n[base]\""));
    assert_non_null(strstr(dot, "  n1 -> n0;\n  n1 -> n0 [style=dashed"));
    assert_non_null(
        strstr(mermaid, "n0[\"a1<br/>say #34;no#34; #92; #60;b#62;#38;#91;x#93; #59;<br/>"));
    assert_non_null(strstr(mermaid, "n1 --> n0\n  n1 -. depends on .-> n0\n"));
}

static void
wide_graphs_take_time_by_their_size(void **state)
{
    enum { COUNT = 5000 };
    struct ctx *ctx = *state;
    struct row *rows = ARENA_ARRAY(ctx->arena, struct row, COUNT);

    for (size_t i = 0; i < COUNT; i++) {
        rows[i].id = arena_printf(ctx->arena, "r%zu", i);
        if (i > 0)
            rows[i].down[0] = rows[0].id;
    }

    struct graph graph = build(ctx, rows, COUNT);

    assert_int_equal(graph.heads.count, COUNT - 1);
    assert_int_equal(graph.order.count, COUNT);
    assert_true(strlen(graph_text(ctx->arena, &graph, 0)) < (size_t)COUNT * 300);
}

static void
write_file(struct ctx *ctx, const char *folder, const char *name, const char *text)
{
    const char *path = file_join(ctx->arena, folder, name);
    char *above = arena_strdup(ctx->arena, path);

    *strrchr(above, '/') = '\0';
    assert_true(file_make_folder(ctx, above));
    assert_true(file_write(ctx, path, text, strlen(text), 0600));
}

static void
an_ini_names_the_locations(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct environment env;

    write_file(ctx, folder, "alembic.ini",
        "[other]\nscript_location = gone\n\n[alembic]\nplace = mig\n"
        "script_location = %(here)s/%(place)s\nversion_path_separator = newline\n"
        "version_locations =\n    %(here)s/one\n    two\n    %(here)s/three%%\n");
    write_file(ctx, folder, "mig/env.py",
        "convention = {'ix': 'ix_%(column_0_label)s', \"fk\": \"fk_%(table_name)s\"}\n"
        "target_metadata = MetaData(naming_convention=convention)\n"
        "context.configure(transaction_per_migration=True, version_table='v')\n"
        "connection.execute(text(\"SET lock_timeout = '2s'\"))\n");
    write_file(ctx, folder, "one/a.py", "");
    write_file(ctx, folder, "two/b.py", "revision = 'b2'\n");
    write_file(ctx, folder, "three%/c.py", "");
    if (!environment_find(ctx, folder, NULL, &env))
        fail_msg("%s", ctx->error.message);
    assert_int_equal(env.locations.count, 3);
    assert_string_equal(env.locations.items[1], file_join(ctx->arena, folder, "two"));
    assert_string_equal(env.naming.ix, "ix_%(column_0_label)s");
    assert_string_equal(env.naming.fk, "fk_%(table_name)s");
    assert_null(env.naming.pk);
    assert_false(env.naming.is_unknown);
    assert_true(env.transaction_per_migration);
    assert_true(env.sets_lock_timeout);
    assert_string_equal(env.version_table, "v");
    /* The script folder leads to the ini above it; a versions folder is meant alone. */
    assert_true(environment_find(ctx, file_join(ctx->arena, folder, "mig"), NULL, &env));
    assert_int_equal(env.locations.count, 3);
    assert_true(environment_find(ctx, file_join(ctx->arena, folder, "two"), NULL, &env));
    assert_int_equal(env.locations.count, 1);
    assert_false(environment_find(ctx, folder, "other", &env));
    assert_error(ctx, ERR_INPUT, "does not exist");
    assert_false(environment_find(ctx, folder, "third", &env));
    assert_error(ctx, ERR_INPUT, "no section [third]");
    assert_true(file_remove(ctx, folder));
}

static void
naming_is_followed_into_the_application(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct environment env;

    write_file(ctx, folder, "alembic.ini", "[alembic]\nscript_location = mig\n");
    write_file(ctx, folder, "mig/versions/a.py", "");
    write_file(ctx, folder, "mig/env.py",
        "from app.models import Base\ntarget_metadata = Base.metadata\n");
    assert_true(environment_find(ctx, folder, NULL, &env));
    assert_true(env.naming.is_unknown); /* the module is not here */
    write_file(ctx, folder, "app/models/__init__.py", "from .base import Base\n");
    write_file(ctx, folder, "app/models/base.py",
        "class Base(DeclarativeBase):\n"
        "    metadata = MetaData(naming_convention={'pk': 'pk_%(table_name)s'})\n");
    assert_true(environment_find(ctx, folder, NULL, &env));
    assert_false(env.naming.is_unknown);
    assert_string_equal(env.naming.pk, "pk_%(table_name)s");
    write_file(ctx, folder, "app/models/base.py", "Base = declarative_base()\n");
    assert_true(environment_find(ctx, folder, NULL, &env));
    assert_false(env.naming.is_unknown);
    assert_null(env.naming.pk);
    write_file(ctx, folder, "mig/env.py", "target_metadata = None\n");
    assert_true(environment_find(ctx, folder, NULL, &env));
    assert_false(env.naming.is_unknown);
    assert_true(file_remove(ctx, folder));
}

static void
other_folders_are_refused_with_what_was_looked_for(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct environment env;

    write_file(ctx, folder, "notes.txt", "");
    assert_false(environment_find(ctx, folder, NULL, &env));
    assert_error(ctx, ERR_INPUT, "is no Alembic folder: no alembic.ini");
    assert_false(environment_find(ctx, file_join(ctx->arena, folder, "gone"), NULL, &env));
    assert_error(ctx, ERR_NOT_FOUND, "could not look at");
    assert_false(environment_find(ctx, file_join(ctx->arena, folder, "notes.txt"), NULL, &env));
    assert_error(ctx, ERR_INPUT, "neither a folder nor an alembic.ini");
    write_file(ctx, folder, "db/alembic.ini", "[alembic]\nscript_location = package:mig\n");
    assert_false(environment_find(ctx, folder, NULL, &env));
    assert_error(ctx, ERR_INPUT, "inside a Python package");
    write_file(ctx, folder, "db/alembic.ini",
        "[alembic]\nscript_location = .\nversion_locations = %(a)s\na = %(version_locations)s\n");
    assert_false(environment_find(ctx, folder, NULL, &env));
    assert_error(ctx, ERR_INPUT, "circle");
    assert_true(file_remove(ctx, folder));
}

static const char usual[] = "revision = '%s'\ndown_revision = None\n";

static void
files_are_read_as_alembic_filters_them(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *big = arena_alloc(ctx->arena, 5 * 1024 * 1024);
    struct environment env;
    struct history history;

    memset((char *)(uintptr_t)big, '#', 5 * 1024 * 1024 - 1);
    write_file(ctx, folder, "b.py", arena_printf(ctx->arena, "\xEF\xBB\xBF%s", usual));
    write_file(ctx, folder, "a.py", "x = 1\r\nrevision = 'a1'\r\ndown_revision = None\r\n");
    write_file(ctx, folder, ".#a.py", usual);
    write_file(ctx, folder, "__init__.py", "");
    write_file(ctx, folder, "c.pyc", "");
    write_file(ctx, folder, "big.py", big);
    write_file(ctx, folder, "bytes.py", "x = '\xFF'\n");
    write_file(ctx, folder, "folder.py/inner.py", usual);
    assert_int_equal(symlink("loop.py", file_join(ctx->arena, folder, "loop.py")), 0);
    assert_int_equal(symlink("a.py", file_join(ctx->arena, folder, "link.py")), 0);
    assert_int_equal(mkfifo(file_join(ctx->arena, folder, "pipe.py"), 0600), 0);
    assert_true(environment_find(ctx, folder, NULL, &env));
    if (!history_read(ctx, &env, 2, NULL, &history))
        fail_msg("%s", ctx->error.message);

    static const struct {
        const char *name;
        const char *failure;
    } wanted[] = {
        { "/a.py", NULL },
        { "/b.py", NULL },
        { "/big.py", "too large" },
        { "/bytes.py", "not UTF-8" },
        { "/loop.py", "cannot be opened" },
        { "/pipe.py", "no ordinary file" },
    };

    assert_int_equal(history.count, COUNT_OF(wanted));
    for (size_t i = 0; i < history.count; i++) {
        assert_true(text_ends_with(history.items[i].file, wanted[i].name));
        if (!wanted[i].failure)
            assert_null(history.items[i].failure);
        else
            assert_non_null(strstr(history.items[i].failure, wanted[i].failure));
    }
    assert_int_equal(history.ignored_files, 3);
    assert_string_equal(history.items[0].id, "a1");
    assert_int_equal(history.items[0].id_place.line, 2);
    history_free(&history);
    assert_true(file_remove(ctx, folder));
}

static void
encodings_are_those_that_the_file_declares(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        const char *bytes;
        const char *text; /* NULL: refused */
    } cases[] = {
        { "x = 1", "x = 1" },
        { "\xEF\xBB\xBFx = 1", "x = 1" },
        { "# -*- coding: latin-1 -*-\n'\xE4'", "# -*- coding: latin-1 -*-\n'\xC3\xA4'" },
        { "#!/bin/x\n# vim: set fileencoding=iso-8859-1 :\n'\xE4'",
            "#!/bin/x\n# vim: set fileencoding=iso-8859-1 :\n'\xC3\xA4'" },
        { "x = 1\n# coding: latin-1\n'\xE4'", NULL },
        { "# coding: utf-8\n'\xC3\xA4'", "# coding: utf-8\n'\xC3\xA4'" },
        { "# coding: koi8-r\n'\xE4'", NULL },
        { "'\xE4'", NULL },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *text = NULL;
        size_t length = 0;
        const char *why =
            source_decode(ctx->arena, cases[i].bytes, strlen(cases[i].bytes), &text, &length);

        assert_int_equal(why == NULL, cases[i].text != NULL);
        if (!why)
            assert_string_equal(text, cases[i].text);
    }
    assert_non_null(source_decode(ctx->arena, "a\0b", 3, &(const char *){ 0 }, &(size_t){ 0 }));
}

static struct revision
read_text(struct ctx *ctx, const char *text)
{
    struct revision revision = { .file = "versions/0a1b.py", .source = text };

    revision.length = strlen(text);
    if (!revision_read(ctx, &revision, NULL, NULL))
        fail_msg("%s", ctx->error.message);
    return revision;
}

static void
a_file_says_what_it_is(void **state)
{
    struct revision revision = read_text(*state,
        "\"\"\"add users\n\nRevision ID: b2\nRevises: a1, c3\n"
        "Create Date: 2024-01-02 10:00:00\n\n\"\"\"\n"
        "revision: str = \"b2\"\ndown_revision = (\"a1\", \"c3\")\n"
        "branch_labels = [\"shop\"]\ndepends_on = \"d4\"\n\n\ndef upgrade():\n    pass\n");

    assert_string_equal(revision.id, "b2");
    assert_int_equal(revision.id_place.line, 8);
    assert_int_equal(revision.down.count, 2);
    assert_string_equal(revision.down.items[1], "c3");
    assert_int_equal(revision.down_place.line, 9);
    assert_string_equal(revision.labels.items[0], "shop");
    assert_string_equal(revision.depends_on.items[0], "d4");
    assert_string_equal(revision.message, "add users");
    assert_string_equal(revision.doc_id, "b2");
    assert_string_equal(revision.doc_revises, "a1, c3");
    assert_string_equal(revision.doc_created, "2024-01-02 10:00:00");
    assert_false(revision.is_down_placeholder);
}

static void
odd_ids_and_parents(void **state)
{
    struct ctx *ctx = *state;
    struct revision revision = read_text(ctx, "down_revision = 'a1'\n");

    assert_string_equal(revision.id, "0a1b"); /* of the file's name, as in Alembic 0.1 */
    revision = read_text(ctx, "revision = 'a1'\n");
    assert_true(revision.is_down_missing);
    revision = read_text(ctx, "revision = 'a1'\ndown_revision = ''\n");
    assert_true(revision.is_down_empty_text);
    assert_int_equal(revision.down.count, 0);
    revision = read_text(ctx, "import os\nrevision = 'a1'\ndown_revision = os.environ['PARENT']\n");
    assert_true(revision.is_down_unknown);
    assert_non_null(revision.unknown);
    assert_int_equal(revision.coverage, COVERAGE_PARTIAL);
}

static void
placeholders_are_told_by_their_comment(void **state)
{
    static const struct {
        const char *line;
        bool is_placeholder;
    } cases[] = {
        { "down_revision = None  # Replace with actual latest revision", true },
        { "down_revision = None  # This should be updated", true },
        { "down_revision = None  # TODO", true },
        { "down_revision = None  # first revision", false },
        { "down_revision = None", false },
        { "down_revision = 'a1'  # replaced by a2 later", false },
        { "down_revision = None\n# update the docs", false },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ctx *ctx = *state;
        struct revision revision =
            read_text(ctx, arena_printf(ctx->arena, "revision = 'b2'\n%s\n", cases[i].line));

        assert_int_equal(revision.is_down_placeholder, cases[i].is_placeholder);
    }
}

static void
comments_that_ignore_rules(void **state)
{
    static const struct {
        const char *rule;
        uint32_t line;
        const char *reason;
    } wanted[] = {
        { "a-rule", 3, "the table is small" },
        { "b-rule", 3, "the table is small" },
        { "c-rule", 5, NULL },
        { "d-rule", 0, "old" },
        { "e-rule", 8, NULL },
        { "f-rule", 10, NULL },
    };
    struct revision revision =
        read_text(*state, "revision = 'b2'\ndown_revision = None\n"
                          "x = 1  # pgmend: ignore a-rule, b-rule -- the table is small\n"
                          "# pgmend: ignore c-rule\n"
                          "x = 2\n"
                          "# pgmend: ignore-file d-rule -- old\n"
                          "s = '''\nSELECT 1 -- pgmend: ignore e-rule\n"
                          "  -- pgmend: ignore f-rule\nSELECT 2'''\n"
                          "t = 'pgmend: ignore g-rule'\n");

    assert_int_equal(revision.ignores.count, COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        const struct ignore *ignore = &revision.ignores.items[i];

        assert_string_equal(ignore->rule, wanted[i].rule);
        assert_int_equal(ignore->line, wanted[i].line);
        assert_true(wanted[i].reason ? text_equal(ignore->reason, wanted[i].reason)
                                     : ignore->reason == NULL);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(names_are_resolved_as_by_alembic),
        test_with_ctx(ancestors_are_found_through_parents_and_dependencies),
        test_with_ctx(ancestors_are_those_that_following_links_finds),
        test_with_ctx(versions_differ_on_colons),
        test_with_ctx(what_hangs_on_something_missing_is_not_applied),
        test_with_ctx(the_graph_is_drawn_with_lanes),
        test_with_ctx(drawings_escape_text),
        test_with_ctx(wide_graphs_take_time_by_their_size),
        test_with_ctx(an_ini_names_the_locations),
        test_with_ctx(naming_is_followed_into_the_application),
        test_with_ctx(other_folders_are_refused_with_what_was_looked_for),
        test_with_ctx(files_are_read_as_alembic_filters_them),
        test_with_ctx(encodings_are_those_that_the_file_declares),
        test_with_ctx(a_file_says_what_it_is),
        test_with_ctx(odd_ids_and_parents),
        test_with_ctx(placeholders_are_told_by_their_comment),
        test_with_ctx(comments_that_ignore_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
