/*
 * The proof of a consolidation, on histories that the real Alembic runs: a hand-made squash with
 * one mistake at a time must be told apart by exactly that mistake.
 */
#include "db/test_migrate_squash_support.h"

/* clang-format off */
static const char *const a1_up[] = {
    "CREATE EXTENSION hstore",
    "CREATE TABLE plans (id serial PRIMARY KEY, code text NOT NULL, "
        "price numeric(10,2) NOT NULL DEFAULT 0, made_at timestamptz)",
    "INSERT INTO plans (code, price) VALUES ('free', 0), ('pro', 19.90)",
    "COMMENT ON TABLE plans IS 'what is sold'",
    NULL
};
static const char *const a2_up[] = {
    "CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
        "email text NOT NULL, name text, "
        "plan_id integer CONSTRAINT users_plan_fkey REFERENCES plans)",
    "CREATE INDEX ix_users_name ON users (name text_pattern_ops)",
    "ALTER TABLE users ALTER COLUMN name SET STORAGE EXTERNAL",
    "UPDATE users SET name = '' WHERE name IS NULL",
    NULL
};
static const char *const a3_up[] = {
    "UPDATE plans SET price = 29.90 WHERE code = 'pro'",
    "ALTER TABLE plans ADD CONSTRAINT plans_code_key UNIQUE (code)",
    "CREATE VIEW paid AS SELECT code FROM plans WHERE price > 0",
    "CREATE TYPE mood AS ENUM ('good', 'bad')",
    "CREATE FUNCTION twice(n integer, t text) RETURNS integer LANGUAGE sql AS 'SELECT n * 2'",
    "GRANT SELECT ON users TO PUBLIC",
    "SELECT setval('plans_id_seq', 10)",
    NULL
};
static const char *const nothing[] = { NULL };

static const struct revision_text old_history[] = {
    { "a1", NULL, a1_up, nothing },
    { "a2", "a1", a2_up, nothing },
    { "a3", "a2", a3_up, nothing },
};

static const char *const new_up[] = {
    "CREATE EXTENSION hstore",
    "CREATE TYPE mood AS ENUM ('good', 'bad')",
    "CREATE FUNCTION twice(n integer, t text) RETURNS integer LANGUAGE sql AS 'SELECT n * 2'",
    "CREATE TABLE plans (id serial NOT NULL, code text NOT NULL, "
        "price numeric(10,2) DEFAULT 0 NOT NULL, made_at timestamptz, "
        "CONSTRAINT plans_pkey PRIMARY KEY (id), CONSTRAINT plans_code_key UNIQUE (code))",
    "COMMENT ON TABLE plans IS 'what is sold'",
    "CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY, "
        "email text NOT NULL, name text, plan_id integer, "
        "CONSTRAINT users_pkey PRIMARY KEY (id))",
    "ALTER TABLE users ALTER COLUMN name SET STORAGE EXTERNAL",
    "ALTER TABLE users ADD CONSTRAINT users_plan_fkey FOREIGN KEY (plan_id) REFERENCES plans (id)",
    "CREATE VIEW paid AS SELECT code FROM plans WHERE price > 0",
    "CREATE INDEX ix_users_name ON users (name text_pattern_ops)",
    "GRANT SELECT ON users TO PUBLIC",
    "INSERT INTO plans (id, code, price) VALUES (1, 'free', 0), (2, 'pro', 29.90)",
    "SELECT setval('plans_id_seq', 10)",
    NULL
};
static const char *const new_down[] = {
    "DROP VIEW paid",
    "DROP TABLE users",
    "DROP TABLE plans",
    "DROP FUNCTION twice(integer, text)",
    "DROP TYPE mood",
    "DROP EXTENSION IF EXISTS hstore",
    NULL
};

/* A mistake in a squash: what is replaced in its statements, and the one thing that must be told. */
struct mistake {
    const char *from;
    const char *to;
    enum schema_class class; /* SCHEMA_CLASS_COUNT: of rows */
    const char *about;       /* in the identity of every difference, or in the sentence about rows */
    const char *attribute;   /* of one of them, or NULL */
};

static const struct mistake mistakes[] = {
    { "price numeric(10,2) DEFAULT 0 NOT NULL", "price numeric(10,2) NOT NULL",
        SCHEMA_columns, "public.plans.price", "default_text" },
    { "CONSTRAINT plans_code_key UNIQUE", "CONSTRAINT plans_code_unique UNIQUE",
        SCHEMA_constraints, "plans_code_", NULL },
    { "CREATE EXTENSION hstore", "SELECT 1", SCHEMA_extensions, "hstore", NULL },
    { "email text NOT NULL, name text,", "name text, email text NOT NULL,",
        SCHEMA_tables, "public.users", NULL },
    { "(1, 'free', 0), ", "", SCHEMA_CLASS_COUNT, "table public.plans has 1 rows instead of 2; "
        "row (1,free,0.00,) is missing", NULL },
    { "(2, 'pro', 29.90)", "(2, 'pro', 19.90)", SCHEMA_CLASS_COUNT,
        "table public.plans has other rows; row (2,pro,29.90,) is missing; row (2,pro,19.90,) is "
        "too much", NULL },
    { "SELECT setval('plans_id_seq', 10)", "SELECT 1", SCHEMA_CLASS_COUNT,
        "sequence public.plans_id_seq stands at 1 (not used yet) instead of 10 (used)", NULL },
    { "COMMENT ON TABLE plans IS 'what is sold'", "SELECT 1",
        SCHEMA_tables, "public.plans", "comment" },
    { "GRANT SELECT ON users TO PUBLIC", "SELECT 1", SCHEMA_tables, "public.users", "acl" },
    { "(name text_pattern_ops)", "(name)", SCHEMA_indexes, "public.ix_users_name", "definition" },
    { "ALTER TABLE users ALTER COLUMN name SET STORAGE EXTERNAL", "SELECT 1",
        SCHEMA_columns, "public.users.name", "storage" },
};
/* clang-format on */

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

static const char *
replace(struct arena *arena, const char *text, const char *from, const char *to)
{
    const char *at = from ? strstr(text, from) : NULL;

    return at ? arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from))
              : text;
}

/* The new folder with one thing replaced in upgrade or downgrade; it must be there to replace. */
static const char *
write_squash(struct bench *bench, const char *from, const char *to)
{
    struct arena *arena = bench->ctx.arena;
    const char *folder = file_join(arena, bench->state, random_hex(arena, 4));
    const char *up[COUNT_OF(new_up)] = { NULL };
    const char *down[COUNT_OF(new_down)] = { NULL };
    const struct revision_text squash = { "a3", NULL, up, down };
    bool is_replaced = !from;

    for (size_t i = 0; new_up[i]; i++) {
        up[i] = replace(arena, new_up[i], from, to);
        is_replaced |= up[i] != new_up[i];
    }
    for (size_t i = 0; new_down[i]; i++) {
        down[i] = replace(arena, new_down[i], from, to);
        is_replaced |= down[i] != new_down[i];
    }
    assert_true(is_replaced);
    must(bench, file_make_folder(&bench->ctx, folder));
    write_revision(bench, folder, &squash);
    return folder;
}

struct proving {
    struct project project;
    struct replayed old;
    struct seeds seeds;
    struct alembic alembic; /* for the new folder */
};

static void
begin_proving_of(
    struct bench *bench, const struct revision_text *revisions, size_t count, struct proving *ret)
{
    project_new(bench, revisions, count, "", &ret->project);
    replay(&ret->project, &ret->old);
    must(bench, squash_seeds(&bench->ctx, &ret->old, NULL, "public.alembic_version", &ret->seeds));
}

static void
begin_proving(struct bench *bench, struct proving *ret)
{
    begin_proving_of(bench, old_history, COUNT_OF(old_history), ret);
}

static bool
run_proof(
    struct bench *bench, struct proving *proving, const char *folder, struct squash_proof *ret)
{
    struct replayed fresh;
    const struct squash_proof_request request = {
        .alembic = &proving->alembic,
        .old = &proving->old,
        .seeds = &proving->seeds,
        .old_folder = proving->project.versions,
        .new_folder = folder,
        .head = "a3",
        .version_table = "public.alembic_version",
    };

    proving->alembic = proving->project.alembic;
    proving->alembic.versions = folder;

    bool is_good = squash_prove(&bench->ctx, bench->admin, &request, ret, &fresh);

    if (is_good)
        assert_non_null(fresh.db);
    replayed_end(&fresh);
    return is_good;
}

static void
end_proving(struct proving *proving)
{
    replayed_end(&proving->old);
    project_free(&proving->project);
}

static void
show(struct bench *bench, const struct differences *differences)
{
    for (size_t i = 0; i < differences->count; i++)
        print_message("# %s\n", difference_text(bench->ctx.arena, &differences->items[i]));
}

/* Every difference is about the mistake, and one of them names the attribute. */
static void
check_differences(
    struct bench *bench, const struct mistake *mistake, const struct differences *differences)
{
    bool has_attribute = !mistake->attribute;

    show(bench, differences);
    if (differences->count == 0)
        fail_msg("not seen: %s", mistake->from);
    for (size_t i = 0; i < differences->count; i++) {
        const struct difference *difference = &differences->items[i];

        assert_holds(difference->identity, mistake->about);
        has_attribute |= text_equal(difference->attribute, mistake->attribute);
        if (mistake->attribute)
            assert_int_equal(difference->class, mistake->class);
    }
    assert_true(has_attribute);
}

static void
check_mistake(struct bench *bench, struct proving *proving, const struct mistake *mistake)
{
    struct squash_proof proof;
    bool is_about_rows = mistake->class == SCHEMA_CLASS_COUNT;

    must(bench, run_proof(bench, proving, write_squash(bench, mistake->from, mistake->to), &proof));
    if (squash_proof_is_good(&proof))
        fail_msg("the proof is good in spite of: %s", mistake->from);
    assert_int_equal(proof.is_dump_equal, is_about_rows);
    assert_true(is_about_rows == !proof.dump_difference);
    assert_int_equal(proof.down_differences.count, 0);
    for (size_t i = 0; i < proof.row_differences.count; i++)
        print_message("# %s\n", proof.row_differences.items[i]);
    if (is_about_rows) {
        assert_int_equal(proof.differences.count, 0);
        assert_int_equal(proof.again_differences.count, 0);
        assert_int_equal(proof.row_differences.count, 2);
        assert_string_equal(proof.row_differences.items[0], mistake->about);
        assert_string_equal(proof.row_differences.items[1],
            arena_printf(bench->ctx.arena, "after up, down and up again: %s", mistake->about));
        return;
    }
    assert_int_equal(proof.row_differences.count, 0);
    check_differences(bench, mistake, &proof.differences);
    check_differences(bench, mistake, &proof.again_differences);
}

static void
test_mistakes(void **state)
{
    struct bench *bench = *state;
    struct proving proving;

    begin_proving(bench, &proving);
    for (size_t i = 0; i < COUNT_OF(mistakes); i++)
        check_mistake(bench, &proving, &mistakes[i]);
    end_proving(&proving);
}

/* "find -name '*.py' | sort | xargs sha256sum | sha256sum" of the folder, by those programs. */
static const char *
tree_digest(struct bench *bench, const char *folder)
{
    const char *argv[] = { "sh", "-c",
        "cd \"$1\" && find . -name '*.py' | sed 's#^./##' | LC_ALL=C sort | xargs sha256sum | "
        "sha256sum | cut -d' ' -f1 | tr -d '\\n'",
        "sh", folder, NULL };

    return output_of(bench, argv);
}

static void
test_good(void **state)
{
    struct bench *bench = *state;
    struct proving proving;
    struct squash_proof proof;
    const char *folder;

    begin_proving(bench, &proving);
    folder = write_squash(bench, NULL, NULL);
    must(bench, run_proof(bench, &proving, folder, &proof));
    show(bench, &proof.differences);
    show(bench, &proof.down_differences);
    show(bench, &proof.again_differences);
    assert_true(proof.is_dump_equal);
    assert_null(proof.dump_difference);
    assert_true(squash_proof_is_good(&proof));
    assert_int_equal(proof.old_revisions, 3);
    assert_int_equal(proof.new_revisions, 1);
    assert_true(proof.new_statements < proof.old_statements);
    /* plans with two rows; alembic_version does not count. */
    assert_int_equal(proof.compared_tables_with_rows, 1);
    assert_int_equal(proof.compared_rows, 2);
    assert_int_equal(proof.compared_sequences, 2);
    assert_int_equal(proof.compared[SCHEMA_tables], 4);
    assert_int_equal(proof.compared[SCHEMA_columns], 4 + 4 + 1 + 1);
    assert_string_equal(proof.old_digest, proof.new_digest);
    assert_string_equal(proof.old_tree, tree_digest(bench, proving.project.versions));
    assert_string_equal(proof.new_tree, tree_digest(bench, folder));
    assert_string_equal(proof.server_version, db_version_text(bench->admin));
    assert_true(proof.old_server_us > 0 && proof.new_server_us > 0);
    assert_true(proof.down_us > 0 && proof.up_again_us > 0);
    end_proving(&proving);
}

/* A proof that did not come to its end is none, whatever it had found by then. */
static void
test_unfinished(void **state)
{
    struct bench *bench = *state;
    struct proving proving;
    struct squash_proof proof;
    const char *folder;

    begin_proving(bench, &proving);
    folder = write_squash(bench, "CREATE TYPE mood AS", "CREATE TYP mood AS");
    assert_false(run_proof(bench, &proving, folder, &proof));
    assert_error(&bench->ctx, ERR_VERIFICATION, "alembic upgrade head");
    assert_false(squash_proof_is_good(&proof));
    error_clear(&bench->ctx);

    folder = write_squash(bench, "DROP TABLE plans", "DROP TABLE plan");
    assert_false(run_proof(bench, &proving, folder, &proof));
    assert_error(&bench->ctx, ERR_VERIFICATION, "alembic downgrade base");
    assert_false(squash_proof_is_good(&proof));
    error_clear(&bench->ctx);

    /* The comparison of the rows cannot be done when the old database is gone. */
    folder = write_squash(bench, NULL, NULL);
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(bench->ctx.arena, "SELECT pg_catalog.pg_terminate_backend(%d)",
                        db_backend_pid(proving.old.db))));
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(bench->ctx.arena, "DROP DATABASE %s WITH (FORCE)",
                        proving.old.scratch.name)));
    assert_false(run_proof(bench, &proving, folder, &proof));
    assert_false(squash_proof_is_good(&proof));
    error_clear(&bench->ctx);
    end_proving(&proving);
}

/* What the downgrade forgets is told, and the way up again fails on it or not. */
static void
test_forgetful_downgrade(void **state)
{
    struct bench *bench = *state;
    struct proving proving;
    struct squash_proof proof;
    const char *folder;

    begin_proving(bench, &proving);
    folder = write_squash(bench, "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('good', 'bad')");
    must(bench, run_proof(bench, &proving, folder, &proof));
    assert_true(squash_proof_is_good(&proof));

    const char *text;
    size_t length;
    const char *file = file_join(bench->ctx.arena, folder, "a3_revision.py");

    must(bench, file_read(&bench->ctx, file, &text, &length));
    write_text(bench, file,
        replace(bench->ctx.arena, text, "exec_driver_sql('DROP TYPE mood')",
            "exec_driver_sql('SELECT 1')"));
    must(bench, run_proof(bench, &proving, folder, &proof));
    assert_false(squash_proof_is_good(&proof));
    assert_int_equal(proof.differences.count, 0);
    assert_int_equal(proof.again_differences.count, 0);
    assert_int_equal(proof.down_differences.count, 1);
    assert_int_equal(proof.down_differences.items[0].kind, DIFFERENCE_EXTRA);
    assert_string_equal(proof.down_differences.items[0].identity, "public.mood");
    end_proving(&proving);
}

/*
 * PostgreSQL reads the text that it gives for a CHECK with IN of a varchar, and from then on gives
 * another text. That is told and does no harm; a list that lacks a value is no rewording.
 */
static void
test_rewording(void **state)
{
    static const char *const up[] = {
        "CREATE TABLE t (kind varchar(9), CONSTRAINT k CHECK (kind IN ('a', 'b')))", NULL
    };
    static const char *const down[] = { "DROP TABLE t", NULL };
    static const struct revision_text history[] = { { "a3", NULL, up, nothing } };
    static const char *const words[] = {
        ("CHECK (((kind)::text = ANY ((ARRAY['a'::character varying, 'b'::character "
         "varying])::text[])))"),
        "CHECK (((kind)::text = ANY ((ARRAY['a'::character varying])::text[])))",
        "CHECK (kind IN ('a', 'b'))",
    };
    struct bench *bench = *state;
    struct proving proving;

    begin_proving_of(bench, history, 1, &proving);
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        const char *const new[] = { arena_printf(bench->ctx.arena,
                                        "CREATE TABLE t (kind varchar(9), CONSTRAINT k %s)",
                                        words[i]),
            NULL };
        const struct revision_text squash = { "a3", NULL, new, down };
        const char *folder =
            file_join(bench->ctx.arena, bench->state, random_hex(bench->ctx.arena, 4));
        struct squash_proof proof;

        must(bench, file_make_folder(&bench->ctx, folder));
        write_revision(bench, folder, &squash);
        must(bench, run_proof(bench, &proving, folder, &proof));
        show(bench, &proof.differences);
        assert_int_equal(squash_proof_is_good(&proof), i != 1);
        assert_int_equal(proof.is_dump_equal, i != 1);
        assert_int_equal(proof.differences.count > 0, i == 1);
        assert_int_equal(proof.reworded.count > 0, i == 0);
        if (i == 0)
            assert_holds(proof.reworded.items[0], "public.t.k");
    }
    end_proving(&proving);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rewording, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mistakes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unfinished, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forgetful_downgrade, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
