/*
 * Histories that cannot be replayed: the diffs that mend them are applied by patch(1) and by Git to
 * copies, which the real Alembic then runs.
 */
#include "db/test_migrate_squash_support.h"

static int
set_up(void **state)
{
    *state = bench_new(NULL);
    return 0;
}

static int
tear_down(void **state)
{
    assert_nothing_left(*state);
    bench_free(*state);
    return 0;
}

static void
run_shell(struct bench *bench, const char *command)
{
    const char *argv[] = { "bash", "-ec", command, NULL };

    (void)output_of(bench, argv);
}

/* A copy of a history of test/fixtures, with what stands beside it; only its files. */
static void
copy_files(struct bench *bench, const char *group, const char *name, struct project *ret)
{
    struct arena *arena = bench->ctx.arena;
    const char *from = test_source(&bench->ctx, arena_printf(arena, "test/fixtures/%s", group));
    const char *above = file_join(arena, bench->state, random_hex(arena, 4));

    *ret = (struct project){ .bench = bench, .folder = file_join(arena, above, name) };
    ret->versions = file_join(arena, ret->folder, "versions");
    run_shell(bench,
        arena_printf(arena,
            "mkdir '%s' && cp -r '%s/%s' '%s' && cp '%s' '%s/env.py' && "
            "if ! [ -e '%s/alembic.ini' ]; then cp '%s' '%s/alembic.ini'; fi",
            above, from, name, ret->folder,
            test_source(&bench->ctx, "test/fixtures/repairs/env.py"), above, ret->folder,
            test_source(&bench->ctx, "test/fixtures/repairs/product/alembic.ini"), ret->folder));
}

/* A copy that Alembic is there for. */
static void
project_copy(struct bench *bench, const char *group, const char *name, struct project *ret)
{
    copy_files(bench, group, name, ret);
    project_open(ret);
}

/* A copy that is only read. */
static void
analyse_copy(struct bench *bench, const char *group, const char *name, struct analysis *ret)
{
    const struct analysis_options options = { .jobs = 1 };
    struct project project;
    struct environment environment;

    copy_files(bench, group, name, &project);
    must(bench, environment_find(&bench->ctx, project.folder, NULL, &environment));
    must(bench, analysis_run(&bench->ctx, &environment, &options, ret));
}

static void
analyse(struct project *project, struct analysis *ret)
{
    const struct analysis_options options = { .jobs = 1 };

    must(project->bench, analysis_run(&project->bench->ctx, &project->environment, &options, ret));
}

/* Names, contents and times of everything in the folder. */
static const char *
state_of(struct project *project)
{
    const char *argv[] = { "bash", "-ec",
        arena_printf(project->bench->ctx.arena,
            "cd '%s' && find . -type f -printf '%%p %%T@ ' -exec sha256sum {} +",
            project->versions),
        NULL };

    return output_of(project->bench, argv);
}

/* Runs the history, which must fail, and looks for a repair; the user's folder stays. */
static void
repair(struct project *project, struct squash_repairs *ret)
{
    struct bench *bench = project->bench;
    const struct replay_request request = request_of(project);
    const char *before = state_of(project);
    struct replayed replayed = { 0 };
    struct analysis analysis;

    analyse(project, &analysis);
    assert_false(squash_replay(&bench->ctx, bench->admin, &request, &replayed));
    assert_int_equal(bench->ctx.error.kind, ERR_FAILED);
    error_clear(&bench->ctx);
    must(bench,
        squash_repair(&bench->ctx, bench->admin, &request, &analysis, &replayed.outcome, ret));
    assert_string_equal(state_of(project), before);
    history_free(&analysis.history);
}

static const char *
patch_of(struct bench *bench, const struct squash_repairs *repairs)
{
    struct buffer text = { .arena = bench->ctx.arena };
    const char *path = file_join(bench->ctx.arena, bench->state, "repair.diff");

    for (size_t i = 0; i < repairs->count; i++)
        if (repairs->items[i].diff)
            buffer_add(&text, repairs->items[i].diff);
    write_text(bench, path, buffer_text(&text));
    return path;
}

/* Both programs take the diffs and make the same of them. */
static void
apply(struct project *project, const struct squash_repairs *repairs)
{
    struct bench *bench = project->bench;
    const char *patch = patch_of(bench, repairs);

    run_shell(
        bench, arena_printf(bench->ctx.arena,
                   "cp -r '%s' '%s.git' && cd '%s' && patch --silent -p1 < '%s' && cd '%s.git' && "
                   "git init -q && git apply '%s' && rm -rf .git && diff -r '%s' '%s.git'",
                   project->folder, project->folder, project->folder, patch, project->folder, patch,
                   project->folder, project->folder));
}

/* Ours is the database that env.py of the fixtures goes to. */
static void
upgrade(struct project *project)
{
    struct bench *bench = project->bench;

    run_shell(bench, arena_printf(bench->ctx.arena,
                         "cd '%s' && PGDATABASE='%s' PYTHONDONTWRITEBYTECODE=1 "
                         "/usr/bin/python3 /usr/bin/alembic upgrade head 2>&1",
                         project->folder, bench->database));
}

static const char *
all_what(struct bench *bench, const struct squash_repairs *repairs)
{
    struct buffer text = { .arena = bench->ctx.arena };

    for (size_t i = 0; i < repairs->count; i++)
        buffer_printf(&text, "%s\n", repairs->items[i].what);
    return buffer_text(&text);
}

static void
assert_mended(struct project *project, struct squash_repairs *ret)
{
    struct bench *bench = project->bench;

    repair(project, ret);
    if (!ret->is_proven)
        fail_msg("%s was not mended: %s", project->folder, all_what(bench, ret));
    apply(project, ret);
    upgrade(project);
}

static void
test_a_product(void **state)
{
    struct bench *bench = *state;
    struct project project;
    struct squash_repairs repairs;
    const char *what;

    project_copy(bench, "repairs", "product", &project);
    assert_mended(&project, &repairs);
    what = all_what(bench, &repairs);
    assert_holds(what, "merge_heads.py: make merge_heads a merge of add_website_integration and "
                       "add_welcome_bonus_field");
    assert_holds(what, "re-parent add_website_integration onto 217ac0ffee21");
    assert_holds(what, "re-parent add_welcome_bonus_field onto 3d0f6c2b9011");
    assert_holds(what, "merge the heads d1b0a9c8e7f6, merge_heads");
    assert_holds(what, "create_table users only where it is not there yet (42P07)");
    assert_holds(what, "drop ix_users_plan with IF EXISTS (42704)");
    assert_string_equal(value_in(bench, bench->db,
                            "SELECT pg_catalog.string_agg(table_name, ' ' ORDER BY table_name) "
                            "FROM information_schema.tables WHERE table_schema = 'public'"),
        "alembic_version assistants broadcast_reads broadcasts settings users websites");
    assert_string_equal(value_in(bench, bench->db,
                            "SELECT pg_catalog.string_agg(column_name, ' ' ORDER BY "
                            "column_name) FROM information_schema.columns WHERE "
                            "table_schema = 'public' AND table_name = 'users'"),
        "email id phone welcome_bonus");
    assert_string_equal(
        value_in(bench, bench->db, "SELECT prompt FROM public.assistants"), "be kind");
    project_free(&project);
}

/* Tabs, line ends of Windows, a byte order mark, names in Cyrillic: all stay as they are. */
static void
test_odd_files(void **state)
{
    struct bench *bench = *state;
    struct project project;
    struct squash_repairs repairs;
    const char *text;
    size_t length;

    project_copy(bench, "repairs", "odd", &project);
    assert_mended(&project, &repairs);
    must(bench, file_read(&bench->ctx, file_join(bench->ctx.arena, project.versions, "02_crlf.py"),
                    &text, &length));
    assert_true(text_starts_with(text, "\xEF\xBB\xBF\"\"\"second"));
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        assert_int_equal(at[-1], '\r');
    project_free(&project);
}

/* clang-format off */
static const char *const mended[] = {
    "broken_column_missing_drop", "broken_concurrently_in_transaction", "broken_constraint_twice",
    "broken_enum_column_makes_type_again", "broken_enum_column_without_type",
    "broken_enum_value_used_at_once",
};
static const struct {
    const char *name;
    const char *why;
} not_mended[] = {
    { "broken_column_missing_alter", "02_r2.py:14: column \"importance\" of relation \"t\"" },
    { "broken_index_named_as_table", "what has the name is something else" },
};
/* clang-format on */

static void
test_statements(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(mended); i++) {
        struct project project;
        struct squash_repairs repairs;

        project_copy(bench, "histories", mended[i], &project);
        assert_mended(&project, &repairs);
        assert_int_equal(repairs.count, 1);
        project_free(&project);
        sql(bench, "DROP SCHEMA public CASCADE");
        sql(bench, "DROP SCHEMA IF EXISTS s CASCADE");
        sql(bench, "CREATE SCHEMA public");
    }
}

static void
test_guesses_nothing(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(not_mended); i++) {
        struct project project;
        struct squash_repairs repairs;

        project_copy(bench, "histories", not_mended[i].name, &project);
        repair(&project, &repairs);
        assert_false(repairs.is_proven);
        assert_int_equal(repairs.count, 1);
        assert_null(repairs.items[0].diff);
        assert_holds(repairs.items[0].what, not_mended[i].why);
        project_free(&project);
    }
}

/* Bytes cannot be told from letters there, so that places are not known. */
static void
test_other_encoding(void **state)
{
    struct bench *bench = *state;
    struct project project;
    struct squash_repairs repairs;

    project_copy(bench, "histories", "broken_table_twice", &project);
    run_shell(
        bench, arena_printf(bench->ctx.arena,
                   "cd '%s' && (echo '# -*- coding: latin-1 -*-'; cat 02_r2.py) | "
                   "iconv -f utf-8 -t latin1 >x && mv x 02_r2.py && printf '# \\351\\n' >>02_r2.py",
                   project.versions));
    repair(&project, &repairs);
    assert_false(repairs.is_proven);
    assert_holds(all_what(bench, &repairs), "02_r2.py is no UTF-8 text");
    project_free(&project);
}

static void
test_shapes(void **state)
{
    static const char *const names[] = { "cycle_of_dependencies", "cycle_of_two", "duplicate_id",
        "missing_parent" };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct project project;
        struct squash_repairs repairs;

        project_copy(bench, "graphs", names[i], &project);
        assert_mended(&project, &repairs);
        project_free(&project);
        sql(bench, "DROP TABLE public.alembic_version");
    }
}

/*
 * Without what is different in every merge: id, date, the order in which files were read, and the types that
 * Alembic's template names from 1.12 on.
 */
static const char *
comparable(struct bench *bench, const char *path, const char *id)
{
    const char *argv[] = { "/usr/bin/python3", "-c",
        "import re, sys\n"
        "text = open(sys.argv[1]).read().replace(sys.argv[2], 'ID')\n"
        "text = re.sub('Create Date: .*', '', text)\n"
        "text = text.replace('from typing import Sequence, Union\\n\\n', '')\n"
        "text = re.sub(r'(?m)^(\\w+): .* = ', r'\\1 = ', text)\n"
        "text = re.sub('(?<=Revises: ).*', lambda m: ', '.join(sorted(m[0].split(', '))), text)\n"
        "text = re.sub(r'down_revision = (.*)', lambda m: str(sorted(eval(m[1]))), text)\n"
        "print(text)",
        path, id, NULL };

    return output_of(bench, argv);
}

static void
test_merges_as_alembic_does(void **state)
{
    static const char *const names[] = { "three_heads_deep", "two_bases" };
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct project project;
        struct analysis analysis;
        struct squash_file file, again;
        const char *theirs = file_join(arena, bench->state, "theirs.py");
        const char *ours;

        project_copy(bench, "graphs", names[i], &project);
        analyse(&project, &analysis);
        must(bench, squash_merge_heads(&bench->ctx, &analysis, &file));
        must(bench, squash_merge_heads(&bench->ctx, &analysis, &again));
        assert_string_equal(file.id, again.id);
        assert_int_equal(strspn(file.id, "0123456789abcdef"), 12);
        run_shell(bench,
            arena_printf(arena,
                "cd '%s' && cp $(/usr/bin/python3 -c 'import alembic, os; "
                "print(os.path.dirname(alembic.__file__))')/templates/generic/script.py.mako .. && "
                "/usr/bin/alembic merge --rev-id 0123456789ab -m 'merge heads' heads >/dev/null && "
                "mv versions/0123456789ab_merge_heads.py '%s' && rm -rf versions/__pycache__",
                project.folder, theirs));
        ours = file_join(arena, project.versions, file.name);
        write_text(bench, ours, file.text);
        assert_string_equal(
            comparable(bench, ours, file.id), comparable(bench, theirs, "0123456789ab"));
        upgrade(&project);
        assert_string_equal(
            value_in(bench, bench->db, "SELECT version_num FROM public.alembic_version"), file.id);
        sql(bench, "DROP TABLE public.alembic_version");
        history_free(&analysis.history);
        project_free(&project);
    }
}

static bool
is_misshapen(struct bench *bench, const char *group, const char *name)
{
    struct analysis analysis;
    bool is_it;

    analyse_copy(bench, group, name, &analysis);
    is_it = squash_is_misshapen(&analysis);
    history_free(&analysis.history);
    return is_it;
}

/* Heads that people made are merged; those that come of a fault are not. */
static void
test_heads_of_faults(void **state)
{
    static const char *const faults[] = { "self_loop", "missing_parent", "duplicate_id",
        "cycle_of_all" };
    static const char *const healthy[] = { "linear", "two_heads", "two_bases", "merge" };
    struct bench *bench = *state;

    for (size_t i = 0; i < COUNT_OF(faults); i++)
        assert_true(is_misshapen(bench, "graphs", faults[i]));
    for (size_t i = 0; i < COUNT_OF(healthy); i++)
        assert_false(is_misshapen(bench, "graphs", healthy[i]));
    assert_true(is_misshapen(bench, "repairs", "product"));
}

static void
test_nothing_to_merge(void **state)
{
    struct bench *bench = *state;
    struct analysis analysis;
    struct squash_file file;

    analyse_copy(bench, "graphs", "linear", &analysis);
    assert_false(squash_merge_heads(&bench->ctx, &analysis, &file));
    assert_error(&bench->ctx, ERR_INPUT, "one head");
    error_clear(&bench->ctx);
    history_free(&analysis.history);
}

static const char *
undecided_of(struct bench *bench, const char *group, const char *name)
{
    struct analysis analysis;
    struct text_list undecided;
    const char *text;

    analyse_copy(bench, group, name, &analysis);
    must(bench, squash_undecided(&bench->ctx, &analysis, &undecided));
    text = text_list_join(bench->ctx.arena, &undecided, "\n");
    history_free(&analysis.history);
    return text;
}

static void
test_undecided(void **state)
{
    static const char *const decided[] = { "literal_sql", "inspector_guards", "reads_a_file",
        "loops_unrolled", "try_imports", "dialect_checks", "early_return", "f_strings",
        "through_the_bind", "enum_types", "caught_in_savepoint" };
    struct bench *bench = *state;
    const char *text = undecided_of(bench, "histories", "static_application");

    assert_holds(text, "01_r1.py:17: create table only runs if settings.use_big_tables");
    assert_holds(text, "01_r1.py:18: what app.models.User.__table__.create() does");
    assert_holds(text, "01_r1.py:19: create_all()");
    assert_holds(text, "02_r2.py:15: environment variable TABLE is read");
    assert_holds(text, "02_r2.py:17: ");
    for (size_t i = 0; i < COUNT_OF(decided); i++)
        assert_string_equal(undecided_of(bench, "histories", decided[i]), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_product, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_odd_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_statements, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_guesses_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_encoding, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_shapes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_merges_as_alembic_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_heads_of_faults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_to_merge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_undecided, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
