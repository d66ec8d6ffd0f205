/* Which rules fire on which statements, and on nothing else: whole lists are compared. */

#include "support/test.h"

#include "migrate/rules/rules_step.h"

enum { REVISIONS_MOST = 4 };

/* The statements of each revision, and the rules of all findings in the order they were told. */
struct scenario {
    const char *revisions[REVISIONS_MOST];
    const char *rules;
};

#define T       "CREATE TABLE t (id bigint PRIMARY KEY, a integer, b text);"
#define P       "CREATE TABLE p (id bigint PRIMARY KEY);"
#define TIMEOUT "SET LOCAL lock_timeout = '2s';"

struct stage {
    struct ctx *ctx;
    struct history history;
    struct graph graph;
    struct findings findings;
    struct model model;
    struct check check;
    enum verdict verdict;
    bool in_autocommit;
};

static void
stage_init(struct stage *stage, struct ctx *ctx)
{
    *stage = (struct stage){ .ctx = ctx, .verdict = VERDICT_YES };
    stage->findings.arena = ctx->arena;
    model_init(&stage->model, ctx->arena);
    stage->check = (struct check){
        .ctx = ctx,
        .history = &stage->history,
        .graph = &stage->graph,
        .server_major = 15,
        .findings = &stage->findings,
    };
}

static void
write_revisions(struct stage *stage, const char *const *texts)
{
    struct ctx *ctx = stage->ctx;

    stage->history.items = ARENA_ARRAY(ctx->arena, struct revision, REVISIONS_MOST);
    for (size_t i = 0; i < REVISIONS_MOST && texts[i]; i++) {
        struct revision *revision = &stage->history.items[i];
        struct sql_source source = {
            .text = texts[i],
            .place = { .file = arena_printf(ctx->arena, "%zu.py", i + 1), .line = 1 },
            .lines_follow = true,
        };

        revision->index = i;
        revision->file = source.place.file;
        revision->id = arena_printf(ctx->arena, "r%zu", i + 1);
        revision->upgrade_body = BODY_CODE;
        assert_true(steps_from_sql(ctx, &source, &revision->upgrade));
        VEC_PUSH(ctx->arena, &stage->graph.order, i);
        stage->history.count = i + 1;
    }
}

static void
play_step(struct stage *stage, const struct replay_watcher *watcher,
    const struct revision *revision, struct step *step)
{
    struct model_errors errors = { 0 };

    step->in_autocommit = stage->in_autocommit && revision->index > 0;
    watcher->before_step(watcher->self, revision, step, stage->verdict, &stage->model);
    assert_true(model_apply(stage->ctx, &stage->model, step, revision->index, &errors));
}

static void
play(struct stage *stage, struct replay_watcher watcher)
{
    for (size_t i = 0; i < stage->history.count; i++) {
        struct revision *revision = &stage->history.items[i];

        if (watcher.before_revision)
            watcher.before_revision(watcher.self, revision, &stage->model);
        for (size_t k = 0; k < revision->upgrade.count; k++)
            play_step(stage, &watcher, revision, &revision->upgrade.items[k]);
        model_end_transaction(&stage->model);
        if (watcher.after_revision)
            watcher.after_revision(watcher.self, revision, &stage->model);
    }
}

static const char *
ids(const struct stage *stage)
{
    struct text_list list = { 0 };

    for (size_t i = 0; i < stage->findings.count; i++)
        text_list_add(stage->ctx->arena, &list, stage->findings.items[i].rule->id);
    return text_list_join(stage->ctx->arena, &list, " ");
}

static void
check_scenarios(struct ctx *ctx, struct replay_watcher (*watch)(const struct check *),
    const struct scenario *scenarios, size_t count)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        struct stage stage;

        stage_init(&stage, ctx);
        write_revisions(&stage, scenarios[i].revisions);
        play(&stage, watch(&stage.check));
        if (strcmp(ids(&stage), scenarios[i].rules) == 0)
            continue;
        print_message("# %zu: %s: told \"%s\", wanted \"%s\"\n", i,
            scenarios[i].revisions[stage.history.count - 1], ids(&stage), scenarios[i].rules);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* With a lock_timeout, so that the rule about it does not fire each time. */
static const struct scenario dangers[] = {
    { { T, TIMEOUT "CREATE INDEX i ON t (a)" }, "index-not-concurrent" },
    { { T, TIMEOUT "CREATE UNIQUE INDEX i ON t (a)" }, "index-not-concurrent" },
    { { T "CREATE INDEX i ON t (a)" }, "" },
    { { "CREATE TEMP TABLE x (a int)", TIMEOUT "CREATE INDEX i ON x (a)" }, "" },
    { { TIMEOUT "CREATE INDEX i ON elsewhere (a)" }, "index-not-concurrent" },
    { { T "CREATE INDEX i ON t (a)", TIMEOUT "DROP INDEX i" }, "drop-index-not-concurrent" },
    { { T, TIMEOUT "REINDEX TABLE t" }, "reindex-not-concurrent" },
    { { T "CREATE INDEX i ON t (id, a, b, (a + 1))" }, "wide-index" },
    { { T, TIMEOUT "ALTER TABLE t ADD CHECK (a > 0)" }, "check-not-valid" },
    { { T, TIMEOUT "ALTER TABLE t ADD CHECK (a > 0) NOT VALID" }, "constraint-never-validated" },
    { { P T, TIMEOUT "ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES p" }, "foreign-key-not-valid" },
    { { P T, TIMEOUT "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p" },
        "foreign-key-not-valid foreign-key-without-index" },
    { { P, "CREATE TABLE c (id bigint PRIMARY KEY REFERENCES p)" }, "missing-lock-timeout" },
    { { T, TIMEOUT "ALTER TABLE t ADD UNIQUE (a)" }, "unique-constraint-lock" },
    { { "CREATE TABLE k (id int NOT NULL)", TIMEOUT "ALTER TABLE k ADD PRIMARY KEY (id)" },
        "primary-key-lock" },
    { { "CREATE TABLE k (id int); CREATE UNIQUE INDEX i ON k (id)",
          TIMEOUT "ALTER TABLE k ADD PRIMARY KEY USING INDEX i" },
        "primary-key-nullable" },
    { { "CREATE TABLE k (id int NOT NULL); CREATE UNIQUE INDEX i ON k (id)",
          TIMEOUT "ALTER TABLE k ADD PRIMARY KEY USING INDEX i" },
        "" },
    { { T, TIMEOUT "ALTER TABLE t ADD EXCLUDE USING btree (a WITH =)" },
        "exclude-constraint-lock" },
    { { T, TIMEOUT "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;"
                   "ALTER TABLE t VALIDATE CONSTRAINT c" },
        "validate-in-same-transaction" },
    { { T, TIMEOUT "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;"
                   "COMMIT; ALTER TABLE t VALIDATE CONSTRAINT c" },
        "" },
    { { P "CREATE TABLE c (id bigint PRIMARY KEY CONSTRAINT f REFERENCES p)",
          TIMEOUT "ALTER TABLE c DROP CONSTRAINT f" },
        "drop-constraint-lock several-exclusive-locks" },
    { { T, TIMEOUT "ALTER TABLE t ALTER COLUMN a SET NOT NULL" }, "not-null-scan" },
    { { T, TIMEOUT "ALTER TABLE t ALTER COLUMN id SET NOT NULL" }, "" },
    { { T, TIMEOUT "ALTER TABLE t ADD COLUMN z int NOT NULL" }, "not-null-without-default" },
    { { T "INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN z int NOT NULL" },
        "not-null-without-default" },
    { { T "ALTER TABLE t ADD COLUMN z int NOT NULL" }, "" },
    { { T, TIMEOUT "ALTER TABLE t ADD COLUMN z int NOT NULL DEFAULT 0" }, "" },
    { { T, TIMEOUT "ALTER TABLE t ADD COLUMN z uuid DEFAULT gen_random_uuid()" },
        "volatile-default" },
    { { T, TIMEOUT "ALTER TABLE t ADD COLUMN z timestamptz DEFAULT now()" }, "" },
    { { T, TIMEOUT "ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS (a + 1) STORED" },
        "generated-column" },
    { { T, TIMEOUT "ALTER TABLE t ADD COLUMN z bigserial" }, "serial-column" },
    { { T, TIMEOUT "ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS IDENTITY" },
        "identity-column" },
    { { T, TIMEOUT "ALTER TABLE t ADD COLUMN z int UNIQUE" }, "inline-constraint-on-add-column" },
    { { T, TIMEOUT "ALTER TABLE t ALTER COLUMN a TYPE bigint" }, "type-rewrite" },
    { { T, TIMEOUT "ALTER TABLE t ALTER COLUMN a TYPE elsewhere" }, "type-change-unknown" },
    { { T, TIMEOUT "ALTER TABLE t ALTER COLUMN b TYPE varchar" }, "" },
    { { "CREATE TABLE k (b varchar(5) CHECK (b <> ''))",
          TIMEOUT "ALTER TABLE k ALTER COLUMN b TYPE varchar(9)" },
        "type-change-scan" },
    { { "CREATE TYPE e AS ENUM ('x'); CREATE TABLE k (m e)",
          TIMEOUT "CREATE TYPE f AS ENUM ('x'); ALTER TABLE k ALTER m TYPE f USING m::text::f" },
        "enum-type-recreated" },
    { { T, TIMEOUT "ALTER TABLE t ADD COLUMN z int NOT NULL DEFAULT 0;"
                   "ALTER TABLE t ALTER COLUMN z DROP DEFAULT" },
        "drop-default" },
    { { T, TIMEOUT "ALTER TABLE t ADD COLUMN z int NOT NULL DEFAULT 0;"
                   "ALTER TABLE t ALTER z DROP DEFAULT; ALTER TABLE t ALTER z SET DEFAULT 1" },
        "" },
    { { "CREATE TABLE k (a int NOT NULL)", TIMEOUT "ALTER TABLE k ALTER a DROP NOT NULL" },
        "drop-not-null" },
    { { T, TIMEOUT "ALTER TABLE t RENAME TO u" }, "rename-table" },
    { { T, TIMEOUT "ALTER TABLE t RENAME TO u; CREATE VIEW t AS SELECT * FROM u" }, "" },
    { { T, TIMEOUT "CREATE SCHEMA s; ALTER TABLE t SET SCHEMA s" }, "move-table" },
    { { T, TIMEOUT "ALTER TABLE t RENAME COLUMN a TO z" }, "rename-column" },
    { { "CREATE TYPE e AS ENUM ('x')", "ALTER TYPE e RENAME VALUE 'x' TO 'y'" },
        "rename-enum-value" },
    { { "CREATE TYPE e AS ENUM ('x')", "ALTER TYPE e ADD VALUE 'y'" }, "enum-add-value-no-order" },
    { { "CREATE TYPE e AS ENUM ('x'); ALTER TYPE e ADD VALUE 'y'" }, "" },
    { { T, TIMEOUT "ALTER TABLE t DROP COLUMN a" }, "drop-column" },
    { { T, TIMEOUT "DROP TABLE t" }, "drop-table" },
    { { P T "ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES p", TIMEOUT "DROP TABLE t" },
        "drop-table several-exclusive-locks" },
    { { T "CREATE VIEW v AS SELECT id FROM t", TIMEOUT "DROP VIEW v" }, "drop-view" },
    { { T "CREATE VIEW v AS SELECT id FROM t",
          TIMEOUT "DROP VIEW v; CREATE VIEW v AS SELECT a FROM t" },
        "" },
    { { "CREATE SCHEMA s; CREATE TABLE s.x (id int)", TIMEOUT "DROP SCHEMA s CASCADE" },
        "drop-schema" },
    { { "CREATE DOMAIN d AS text; CREATE TABLE k (w d)",
          TIMEOUT "ALTER DOMAIN d ADD CHECK (value <> '')" },
        "domain-constraint" },
    { { T, TIMEOUT "UPDATE t SET a = 1" }, "update-whole-table" },
    { { T, TIMEOUT "UPDATE t SET a = 1 WHERE a IS NULL" }, "unbatched-backfill" },
    { { T, TIMEOUT "UPDATE t SET a = 1 WHERE id = 5" }, "" },
    { { T "UPDATE t SET a = 1" }, "" },
    { { T, TIMEOUT "DELETE FROM t" }, "delete-whole-table" },
    { { T, TIMEOUT "ALTER TABLE t ADD COLUMN z int; UPDATE t SET z = a WHERE a > 0" },
        "backfill-in-ddl-transaction" },
    { { T P, TIMEOUT "ALTER TABLE t ADD COLUMN z int; INSERT INTO p SELECT id FROM t" },
        "backfill-in-ddl-transaction" },
    { { T P, TIMEOUT "ALTER TABLE t ADD COLUMN z int; INSERT INTO p VALUES (1)" }, "" },
    { { T, TIMEOUT "TRUNCATE t CASCADE" }, "truncate-cascade" },
    { { T, TIMEOUT "CLUSTER t USING t_pkey" }, "cluster" },
    { { T, TIMEOUT "ALTER TABLE t SET UNLOGGED" }, "table-rewrite" },
    { { T, TIMEOUT "LOCK TABLE t IN SHARE MODE" }, "lock-table" },
    { { T "CREATE MATERIALIZED VIEW m AS SELECT id FROM t", TIMEOUT "REFRESH MATERIALIZED VIEW m" },
        "refresh-matview-not-concurrent" },
    { { T, "ALTER TABLE t ADD COLUMN y int; ALTER TABLE t ADD COLUMN z int" },
        "missing-lock-timeout" },
    { { T, "SELECT set_config('lock_timeout', '2s', true); ALTER TABLE t ADD COLUMN z int" }, "" },
    { { T, "SET lock_timeout = 0; ALTER TABLE t ADD COLUMN z int" }, "missing-lock-timeout" },
    { { T P, TIMEOUT "ALTER TABLE t ADD COLUMN z int; ALTER TABLE p ADD COLUMN z int" },
        "several-exclusive-locks" },
    { { T P, TIMEOUT "ALTER TABLE t ADD COLUMN z int; COMMIT; ALTER TABLE p ADD COLUMN z int" },
        "" },
    { { T, TIMEOUT "ALTER TABLE t ADD COLUMN z int; CREATE INDEX i ON t (a)" },
        "index-not-concurrent statements-under-exclusive-lock" },
    { { T P, TIMEOUT "ALTER TABLE p ADD COLUMN z int; ALTER TABLE t ALTER a TYPE bigint" },
        "type-rewrite statements-under-exclusive-lock several-exclusive-locks" },
    { { T, TIMEOUT "ALTER TABLE t ALTER a TYPE bigint; ALTER TABLE t ADD z bigserial" },
        "type-rewrite serial-column several-rewrites" },
    { { T, TIMEOUT "ALTER TABLE t ALTER a TYPE bigint, ADD z bigserial" },
        "type-rewrite serial-column" },
};

static void
dangers_are_told(void **state)
{
    check_scenarios(*state, watch_danger, dangers, COUNT_OF(dangers));
}

static const struct scenario outside[] = {
    { { T, TIMEOUT "CREATE INDEX CONCURRENTLY i ON t (a)" }, "" },
    { { T, TIMEOUT "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)" },
        "concurrent-if-not-exists" },
    { { T "CREATE INDEX i ON t (a)", TIMEOUT "DROP INDEX CONCURRENTLY i; SELECT 1" },
        "autocommit-not-repeatable" },
    { { T "CREATE INDEX i ON t (a)", TIMEOUT "DROP INDEX CONCURRENTLY i" }, "" },
    { { T, TIMEOUT "REINDEX TABLE CONCURRENTLY t" }, "" },
    { { T, TIMEOUT "VACUUM FULL t" }, "vacuum-full" },
    { { T, TIMEOUT "VACUUM t" }, "" },
    { { T P, TIMEOUT "ALTER TABLE t ADD COLUMN z int; ALTER TABLE p ADD COLUMN z int" }, "" },
};

static void
outside_of_transactions_less_is(void **state)
{
    size_t wrong = 0;

    for (size_t i = 0; i < COUNT_OF(outside); i++) {
        struct stage stage;

        stage_init(&stage, *state);
        stage.in_autocommit = true;
        write_revisions(&stage, outside[i].revisions);
        play(&stage, watch_danger(&stage.check));
        if (strcmp(ids(&stage), outside[i].rules) == 0)
            continue;
        print_message("# %zu: told \"%s\", wanted \"%s\"\n", i, ids(&stage), outside[i].rules);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static const struct scenario losses[] = {
    { { T, "ALTER TABLE t DROP COLUMN a" }, "drop-column-with-data" },
    { { T "ALTER TABLE t DROP COLUMN a" }, "" },
    { { T, "ALTER TABLE t ADD COLUMN z int; ALTER TABLE t DROP COLUMN z" }, "" },
    { { T, "DROP TABLE t" }, "drop-table-with-data" },
    { { T, "DROP TABLE t CASCADE" }, "drop-table-with-data drop-cascade" },
    { { T "DROP TABLE t" }, "" },
    { { T "INSERT INTO t VALUES (1); DROP TABLE t" }, "drop-table-with-data" },
    { { T P, "TRUNCATE t, p" }, "truncate-data truncate-data" },
    { { T, "DELETE FROM t WHERE a = 1" }, "delete-rows" },
    { { T, "DELETE FROM t" }, "" },
    { { T, "ALTER TABLE t ALTER b TYPE varchar(3)" }, "lossy-cast" },
    { { T, "ALTER TABLE t ALTER a TYPE bigint" }, "" },
    { { "CREATE TYPE e AS ENUM ('x')", "DROP TYPE e CASCADE" }, "drop-cascade" },
};

static void
losses_are_told(void **state)
{
    check_scenarios(*state, watch_data, losses, COUNT_OF(losses));
}

/* The second revision's downgrade. */
static const struct {
    const char *up;
    const char *down;
    const char *rules;
} ways_back[] = {
    { "ALTER TABLE t DROP COLUMN a", "ALTER TABLE t ADD COLUMN a integer",
        "drop-column-with-data downgrade-cannot-restore" },
    { "ALTER TABLE t DROP COLUMN a", "ALTER TABLE t ADD COLUMN a integer NOT NULL",
        "drop-column-with-data downgrade-cannot-restore downgrade-may-fail" },
    { "ALTER TABLE t DROP COLUMN a",
        "ALTER TABLE t ADD COLUMN a integer; UPDATE t SET a = old.a FROM old",
        "drop-column-with-data" },
    { "ALTER TABLE t ALTER a DROP NOT NULL", "ALTER TABLE t ALTER a SET NOT NULL",
        "downgrade-may-fail" },
    { "ALTER TABLE t ALTER a DROP NOT NULL",
        "UPDATE t SET a = 0 WHERE a IS NULL; ALTER TABLE t ALTER a SET NOT NULL", "" },
    { "UPDATE t SET a = a + 1", "SELECT 1", "backfill-not-reversible" },
    { "ALTER TABLE t ADD COLUMN z int; UPDATE t SET z = a", "ALTER TABLE t DROP COLUMN z", "" },
    { "ALTER TABLE t ADD COLUMN z int", "ALTER TABLE t DROP COLUMN z", "" },
};

static void
ways_back_are_judged(void **state)
{
    for (size_t i = 0; i < COUNT_OF(ways_back); i++) {
        const char *const texts[REVISIONS_MOST] = { T, ways_back[i].up };
        struct sql_source source = { .text = ways_back[i].down, .place = { "2.py", 9, 1, 9 } };
        struct stage stage;

        stage_init(&stage, *state);
        write_revisions(&stage, texts);
        assert_true(steps_from_sql(*state, &source, &stage.history.items[1].downgrade));
        stage.history.items[1].downgrade_body = BODY_CODE;
        play(&stage, watch_data(&stage.check));
        assert_string_equal(ids(&stage), ways_back[i].rules);
    }
}

#define LONG63 "a12345678901234567890123456789012345678901234567890123456789012"

static const struct scenario habits[] = {
    { { "CREATE TABLE k (id bigint PRIMARY KEY, a timestamp, b timestamp)" },
        "timestamp-without-time-zone" },
    { { "CREATE TABLE k (id bigint PRIMARY KEY, a timestamptz)" }, "" },
    { { "CREATE TABLE k (id int PRIMARY KEY)" }, "int-primary-key" },
    { { "CREATE TABLE k (id serial PRIMARY KEY)" }, "int-primary-key" },
    { { "CREATE TABLE k (id bigserial PRIMARY KEY)" }, "serial-instead-of-identity" },
    { { "CREATE TABLE k (id bigint PRIMARY KEY, a json, b money, c char(3), d varchar(9))" },
        "json-instead-of-jsonb varchar-length char-type money-type" },
    { { "CREATE TABLE k (id bigint PRIMARY KEY, d varchar, c jsonb)" }, "" },
    { { P, "ALTER TABLE p ADD COLUMN d json" }, "json-instead-of-jsonb" },
    { { P, "ALTER TABLE p ADD COLUMN d text; ALTER TABLE p ALTER d TYPE varchar(3)" }, "" },
    { { "CREATE TABLE \"user\" (id bigint PRIMARY KEY)" }, "reserved-word" },
    { { "CREATE TABLE k (id bigint PRIMARY KEY, \"order\" int, orders int)" }, "reserved-word" },
    { { "CREATE TABLE k (a int)" }, "missing-primary-key" },
    { { "CREATE TABLE k (a int)", "ALTER TABLE k ADD PRIMARY KEY (a)" }, "" },
    { { "CREATE TABLE " LONG63 "3 (id bigint PRIMARY KEY)" }, "name-too-long" },
    { { "CREATE TABLE " LONG63 " (id bigint PRIMARY KEY)" }, "" },
};

static void
habits_are_told(void **state)
{
    check_scenarios(*state, watch_style, habits, COUNT_OF(habits));
}

/* Names of operations reach the server as they are, which then cuts them. */
static void
names_that_collide_when_cut_are_errors(void **state)
{
    const char *const texts[REVISIONS_MOST] = { "CREATE TABLE " LONG63
                                                " (id bigint PRIMARY KEY, a int, b int)",
        "CREATE TABLE y (id bigint PRIMARY KEY); CREATE INDEX i ON y (id)" };
    struct stage stage;
    size_t errors = 0;

    stage_init(&stage, *state);
    write_revisions(&stage, texts);
    stage.history.items[0].upgrade.items[0].text = NULL;
    stage.history.items[0].upgrade.items[0].columns.items[1].name = LONG63 "8";
    stage.history.items[0].upgrade.items[0].columns.items[2].name = LONG63 "9";
    stage.history.items[1].upgrade.items[0].text = NULL;
    stage.history.items[1].upgrade.items[0].object.name = LONG63 "2";
    stage.history.items[1].upgrade.items[1].text = NULL;
    stage.history.items[1].upgrade.items[1].index->name = LONG63 "3";
    play(&stage, watch_style(&stage.check));
    for (size_t i = 0; i < stage.findings.count; i++) {
        assert_string_equal(stage.findings.items[i].rule->id, "name-too-long");
        errors += stage.findings.items[i].severity == SEVERITY_ERROR;
    }
    /* The columns, the table that is there already, and the index that SQLAlchemy refuses. */
    assert_int_equal(errors, 3);
}

static void
conventions_are_of_env_py(void **state)
{
    const char *const texts[REVISIONS_MOST] = { T "CREATE INDEX ix_t_a ON t (a);"
                                                  "CREATE INDEX other ON t (b)" };
    struct stage stage;

    stage_init(&stage, *state);
    stage.history.environment.naming.ix = "ix_%(column_0_label)s";
    write_revisions(&stage, texts);
    play(&stage, watch_style(&stage.check));
    assert_string_equal(ids(&stage), "naming-convention");
    assert_non_null(strstr(stage.findings.items[0].message, "other"));
}

static const char *
evidence_of(const struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->evidence.count; i++)
        if (strcmp(finding->evidence.items[i].name, name) == 0)
            return finding->evidence.items[i].value;
    return NULL;
}

static void
a_finding_has_its_facts(void **state)
{
    const char *const texts[REVISIONS_MOST] = { T,
        TIMEOUT "\nALTER TABLE t ALTER COLUMN a TYPE bigint" };
    const struct finding *finding;
    struct stage stage;

    stage_init(&stage, *state);
    write_revisions(&stage, texts);
    play(&stage, watch_danger(&stage.check));
    assert_int_equal(stage.findings.count, 1);
    finding = &stage.findings.items[0];
    assert_int_equal(finding->severity, SEVERITY_ERROR);
    assert_string_equal(finding->context, "r2");
    assert_string_equal(finding->place.file, "2.py");
    assert_int_equal(finding->place.line, 2);
    assert_string_equal(evidence_of(finding, "lock"), "ACCESS EXCLUSIVE");
    assert_string_equal(evidence_of(finding, "table"), "t");
    assert_non_null(evidence_of(finding, "rewrite"));
    assert_int_equal(finding->related.count, 1);
    assert_string_equal(finding->related.items[0].place.file, "1.py");
    assert_non_null(strstr(finding->message, "integer to bigint"));
}

static void
conditions_are_told(void **state)
{
    static struct condition condition = { .text = "not has_table('x')" };
    const char *const texts[REVISIONS_MOST] = { T, TIMEOUT "ALTER TABLE t DROP COLUMN a" };
    struct stage stage;
    struct steps *steps;

    stage_init(&stage, *state);
    write_revisions(&stage, texts);
    steps = &stage.history.items[1].upgrade;
    steps->items[1].conditions = (struct conditions){ &condition, 1, 1 };
    stage.verdict = VERDICT_UNKNOWN;
    play(&stage, watch_danger(&stage.check));
    assert_string_equal(ids(&stage), "drop-column");
    assert_non_null(strstr(stage.findings.items[0].message, "(if not has_table('x'))"));

    stage_init(&stage, *state);
    write_revisions(&stage, texts);
    stage.verdict = VERDICT_NO;
    play(&stage, watch_danger(&stage.check));
    assert_int_equal(stage.findings.count, 0);
}

/* NOT NULL can be NOT VALID from 18 on. */
static void
advice_follows_the_server(void **state)
{
    const char *const texts[REVISIONS_MOST] = { T, TIMEOUT "ALTER TABLE t ALTER a SET NOT NULL" };

    for (int major = SERVER_MAJOR_LEAST; major <= SERVER_MAJOR_MOST; major++) {
        struct stage stage;
        bool is_direct;

        stage_init(&stage, *state);
        stage.check.server_major = major;
        write_revisions(&stage, texts);
        play(&stage, watch_danger(&stage.check));
        is_direct = strstr(stage.findings.items[0].instead, "NOT NULL a NOT VALID") != NULL;
        assert_int_equal(is_direct, major >= 18);
    }
}

static void
env_py_can_set_the_timeout(void **state)
{
    const char *const texts[REVISIONS_MOST] = { T, "ALTER TABLE t ADD COLUMN z int" };
    struct stage stage;

    stage_init(&stage, *state);
    stage.history.environment.sets_lock_timeout = true;
    write_revisions(&stage, texts);
    play(&stage, watch_danger(&stage.check));
    assert_string_equal(ids(&stage), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(dangers_are_told),
        test_with_ctx(outside_of_transactions_less_is),
        test_with_ctx(losses_are_told),
        test_with_ctx(ways_back_are_judged),
        test_with_ctx(habits_are_told),
        test_with_ctx(names_that_collide_when_cut_are_errors),
        test_with_ctx(conventions_are_of_env_py),
        test_with_ctx(a_finding_has_its_facts),
        test_with_ctx(conditions_are_told),
        test_with_ctx(advice_follows_the_server),
        test_with_ctx(env_py_can_set_the_timeout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
