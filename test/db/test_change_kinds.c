/*
 * Each kind of change against the server: done, found there already, undone, refused when somebody
 * altered it. What is expected is asked of the server by statements of the test's own.
 */
#include "support/test.h"

#include "test_change_support.h"

static void
refuse_undo(struct bench *bench, const char *why)
{
    struct journal_entry entry = last_entry(bench);
    struct rollout_outcome outcome;

    assert_false(rollout_undo(&bench->ctx, &bench->rollout, &entry, &outcome));
    assert_error(&bench->ctx, ERR_CONFLICT, why);
    assert_non_null(strstr(bench->ctx.error.state, "was not touched"));
    assert_string_equal(last_entry(bench).state, ENTRY_DONE);
    error_clear(&bench->ctx);
}

static void
refuse(struct bench *bench, struct change change, enum error_kind kind, const char *why)
{
    struct rollout_outcome outcome;

    assert_false(try_change(bench, change, &outcome));
    assert_error(&bench->ctx, kind, why);
    error_clear(&bench->ctx);
}

#define COLUMNS                                                                                        \
    "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attstorage::text," \
    " ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'app.t'::regclass AND attnum > 3"        \
    " AND NOT attisdropped"

static void
column_is_added_and_dropped(void **state)
{
    struct bench *bench = *state;
    struct change change = column_change(bench);

    change.type = "bit(1536)";
    change.storage = "PLAIN";
    do_change(bench, change, "added");
    assert_answer(bench, COLUMNS, "twice bit(1536) p");
    do_change(bench, change, "it is there already, with this type and storage");
    change.type = "bit(8)";
    refuse(bench, change, ERR_STALE, "the name is taken by another column: bit(1536)");
    run(bench, "CREATE INDEX ON app.t (twice)");
    refuse_undo(bench, "is used: index app.t_twice_idx");
    run(bench, "DROP INDEX app.t_twice_idx");
    undo_last(bench, "dropped");
    assert_answer(bench, COLUMNS, "(null)");
    assert_string_equal(last_entry(bench).state, ENTRY_UNDONE);
}

/* Somebody drops the column and makes one of the same name and type: it is his. */
static void
column_of_others_stays(void **state)
{
    struct bench *bench = *state;

    do_change(bench, column_change(bench), "added");
    run(bench, "ALTER TABLE app.t DROP COLUMN twice");
    run(bench, "ALTER TABLE app.t ADD COLUMN twice bigint");
    refuse_undo(bench, "is not the column that pgmend added");
    assert_answer(bench, COLUMNS, "twice bigint p");
    run(bench, "ALTER TABLE app.t DROP COLUMN twice");
    undo_last(bench, "was gone already");
}

static void
columns_that_rewrite_are_refused(void **state)
{
    static const char *const types[] = { "bigint DEFAULT 1", "bigint NOT NULL", "bigserial",
        "bigint GENERATED ALWAYS AS (1) STORED", "bigint CHECK (twice > 0)", "app.positive" };
    struct bench *bench = *state;

    run(bench, "CREATE DOMAIN app.positive AS bigint CHECK (VALUE > 0)");
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct change change = column_change(bench);

        change.type = types[i];
        refuse(bench, change, ERR_STALE, "would rewrite or check every row");
    }

    struct change change = column_change(bench);

    change.type = "nonsense";
    refuse(bench, change, ERR_STALE, "type \"nonsense\" does not exist");
    change.type = "int, DROP COLUMN note";
    refuse(bench, change, ERR_STALE, "syntax error");
    assert_answer(bench, COLUMNS, "(null)");
    assert_answer(bench, "SELECT count(*) FROM pgmend.journal", "0");
}

#define TRIGGERS  "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'app.t'::regclass"
#define FUNCTIONS "SELECT count(*) FROM pg_proc WHERE pronamespace = 'app'::regnamespace"

static void
trigger_is_made_and_dropped(void **state)
{
    struct bench *bench = *state;

    do_change(bench, column_change(bench), "added");
    do_change(bench, trigger_change(bench), "made");
    do_change(bench, trigger_change(bench), "it is there already, as planned");
    run(bench, "INSERT INTO app.t (id, a) VALUES (1, 21)");
    assert_answer(bench, "SELECT twice FROM app.t WHERE id = 1", "42");
    run(bench, "ALTER TABLE app.t DISABLE TRIGGER t_twice");
    refuse(bench, trigger_change(bench), ERR_STALE, "disabled");
    run(bench, "ALTER TABLE app.t ENABLE TRIGGER t_twice");
    undo_last(bench, "dropped");
    assert_answer(bench, TRIGGERS, "0");
    assert_answer(bench, FUNCTIONS, "0");
}

static void
trigger_of_others_stays(void **state)
{
    struct bench *bench = *state;

    run(bench, "CREATE FUNCTION app.t_twice() RETURNS trigger LANGUAGE plpgsql"
               " AS 'BEGIN RETURN NEW; END'");
    refuse(bench, trigger_change(bench), ERR_STALE, "its function app.t_twice() is there");
    run(bench, "CREATE TRIGGER t_twice AFTER UPDATE ON app.t FOR EACH ROW"
               " EXECUTE FUNCTION app.t_twice()");
    refuse(bench, trigger_change(bench), ERR_STALE, "the name is taken by another trigger");
    run(bench, "DROP FUNCTION app.t_twice() CASCADE");
    do_change(bench, column_change(bench), "added");
    do_change(bench, trigger_change(bench), "made");
    run(bench, "CREATE OR REPLACE FUNCTION app.t_twice() RETURNS trigger LANGUAGE plpgsql"
               " AS 'BEGIN RETURN NULL; END'");
    refuse_undo(bench, "was changed since");
    assert_answer(bench, TRIGGERS, "1");
}

/* A CREATE TRIGGER on another table than the change says must not be left behind. */
static void
trigger_elsewhere_is_taken_back(void **state)
{
    struct bench *bench = *state;
    struct change change = trigger_change(bench);

    run(bench, "CREATE TABLE app.other (twice bigint, a int)");
    change.definition = "CREATE TRIGGER t_twice BEFORE INSERT ON app.other FOR EACH ROW"
                        " EXECUTE FUNCTION app.t_twice()";
    refuse(bench, change, ERR_UNDONE, "the catalogue does not show it as planned");
    assert_answer(bench, "SELECT count(*) FROM pg_trigger WHERE tgname = 't_twice'", "0");
    assert_answer(bench, FUNCTIONS, "0");
    assert_string_equal(last_entry(bench).state, ENTRY_FAILED);
}

#define WRONG "SELECT count(*) FROM app.t WHERE twice IS DISTINCT FROM a * 2"

static void
rows_are_filled(void **state)
{
    struct bench *bench = *state;
    struct rollout_outcome outcome;

    run(bench, "UPDATE app.t SET a = NULL WHERE id = 30");
    do_change(bench, column_change(bench), "added");
    must(bench, try_change(bench, fill_change(bench), &outcome));
    assert_string_equal(outcome.result, "filled, 999 rows");
    assert_answer(bench, WRONG, "0");
    do_change(bench, fill_change(bench), "it is filled already");
    assert_answer(
        bench, "SELECT detail->>'filled' FROM pgmend.journal ORDER BY id DESC LIMIT 1", "999");
    undo_last(bench, "goes with its column");
    undo_last(bench, "dropped");
    assert_answer(bench, COLUMNS, "(null)");
}

/* Triggers of others do not fire for rows that only get their column. */
static void
filling_is_silent(void **state)
{
    struct bench *bench = *state;
    struct rollout_outcome outcome;

    run(bench, "CREATE TABLE app.log (id bigint)");
    run(bench, "CREATE FUNCTION app.log() RETURNS trigger LANGUAGE plpgsql AS"
               " 'BEGIN INSERT INTO app.log VALUES (NEW.id); RETURN NEW; END'");
    run(bench, "CREATE TRIGGER log AFTER UPDATE ON app.t FOR EACH ROW EXECUTE FUNCTION app.log()");
    do_change(bench, column_change(bench), "added");
    must(bench, try_change(bench, fill_change(bench), &outcome));
    assert_answer(bench, WRONG, "0");
    assert_answer(bench, "SELECT count(*) FROM app.log", "0");
}

/* Keys of types whose order is a collation's, and with quotes in them. */
static void
rows_are_filled_by_text_keys(void **state)
{
    struct bench *bench = *state;
    struct change change = fill_change(bench);
    struct rollout_outcome outcome;

    run(bench, "DROP TABLE app.t");
    run(bench, "CREATE TABLE app.t (\"the key\" text COLLATE \"C\" PRIMARY KEY, a int)");
    run(bench, "INSERT INTO app.t SELECT chr(39) || md5(i::text) || chr(92), i"
               " FROM generate_series(1, 1500) AS i");
    change.table_oid = table_oid(bench);
    change.key = "the key";
    do_change(bench, column_change(bench), "added");
    must(bench, try_change(bench, change, &outcome));
    assert_string_equal(outcome.result, "filled, 1 500 rows");
    assert_answer(bench, WRONG, "0");
}

static void
values_of_others_are_not_replaced(void **state)
{
    struct bench *bench = *state;

    run(bench, "ALTER TABLE app.t ADD COLUMN twice bigint");
    run(bench, "UPDATE app.t SET twice = 7 WHERE id = 2700");
    refuse(bench, fill_change(bench), ERR_CONFLICT,
        "column twice was not added by pgmend and holds another value in the row with id = 2700");
    assert_answer(bench, "SELECT twice FROM app.t WHERE id = 2700", "7");
    assert_string_equal(last_entry(bench).state, ENTRY_STARTED);
    run(bench, "UPDATE app.t SET twice = NULL WHERE id = 2700");
    run(bench, "UPDATE app.t SET twice = 2 * a WHERE id = 2703");

    struct rollout_outcome outcome;

    must(bench, try_change(bench, fill_change(bench), &outcome));
    assert_answer(bench, WRONG, "0");
}

/* The very row is named; what is filled stays, and the same change goes on from there. */
static void
bad_row_is_named(void **state)
{
    struct bench *bench = *state;
    struct change change = fill_change(bench);
    struct rollout_outcome outcome;

    change.expression = "1000 / a";
    run(bench, "UPDATE app.t SET a = 5");
    run(bench, "UPDATE app.t SET a = 0 WHERE id = 1500");
    do_change(bench, column_change(bench), "added");
    assert_false(try_change(bench, change, &outcome));
    assert_error(&bench->ctx, ERR_ATTENTION, "the row with id = 1500: division by zero");
    assert_non_null(strstr(bench->ctx.error.state, "499 rows of app.t.twice are filled and stay"));
    assert_answer(bench, "SELECT count(*) FROM app.t WHERE twice = 200", "499");
    error_clear(&bench->ctx);
    run(bench, "UPDATE app.t SET a = 10 WHERE id = 1500");
    must(bench, try_change(bench, change, &outcome));
    assert_string_equal(outcome.result, "filled, 1 000 rows");
    assert_answer(bench, "SELECT count(*) FROM app.t WHERE twice IS DISTINCT FROM 1000 / a", "0");
    assert_answer(bench, "SELECT count(*) FROM pgmend.journal WHERE kind = 'fill column'", "1");
}

static void
fill_needs_a_key(void **state)
{
    struct bench *bench = *state;
    struct change change = fill_change(bench);

    do_change(bench, column_change(bench), "added");
    change.key = "note";
    refuse(bench, change, ERR_STALE, "cannot be gone through in order");
    change.key = "nothing";
    refuse(bench, change, ERR_STALE, "there is no column nothing");
    run(bench, "CREATE TYPE app.mood AS ENUM ('glad', 'sad')");
    run(bench, "ALTER TABLE app.t ADD COLUMN mood app.mood");
    change.key = "mood";
    refuse(bench, change, ERR_STALE, "is of type app.mood");
}

static void
function_is_made_and_dropped(void **state)
{
    struct bench *bench = *state;

    do_change(bench, function_change(ANSWER_42), "made");
    assert_answer(bench, "SELECT app.answer(1)", "43");
    do_change(bench, function_change(ANSWER_42), "it is there already, as planned");
    run(bench, "CREATE VIEW app.v AS SELECT app.answer(1)");
    refuse_undo(bench, "other objects depend on it");
    run(bench, "DROP VIEW app.v");
    undo_last(bench, "dropped");
    assert_answer(bench, FUNCTIONS, "0");
}

#define FUNCTION_NOW                                                                            \
    "SELECT pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '-') || p.proowner::text || " \
    "coalesce(obj_description(p.oid, 'pg_proc'), '-') FROM pg_proc AS p"                        \
    " WHERE p.oid = 'app.answer(integer)'::regprocedure"

/* One of somebody else's: replaced with consent only, and given back as it was. */
static void
function_is_given_back(void **state)
{
    struct bench *bench = *state;
    struct change change = function_change(ANSWER_42);
    struct rollout_outcome outcome;
    const char *before;

    run(bench, "CREATE FUNCTION app.answer(n integer) RETURNS integer LANGUAGE sql STABLE"
               " SET work_mem = '5MB' AS 'SELECT 1 -- it''s theirs'");
    run(bench, "REVOKE ALL ON FUNCTION app.answer FROM PUBLIC");
    run(bench, "GRANT EXECUTE ON FUNCTION app.answer TO pg_monitor WITH GRANT OPTION");
    run(bench, "COMMENT ON FUNCTION app.answer IS 'not ''ours'''");
    before = ask(bench, FUNCTION_NOW);
    refuse(bench, change, ERR_STALE, "that pgmend did not make");
    change.has_consent = true;
    must(bench, try_change(bench, change, &outcome));
    assert_string_equal(outcome.result, "replaced");
    assert_answer(bench, "SELECT app.answer(1)", "43");
    undo_last(bench, "back to what it was before");
    assert_answer(bench, FUNCTION_NOW, before);

    /* With another result it has to be dropped; its rights and comment come back all the same. */
    change.statement = "CREATE OR REPLACE FUNCTION app.answer(m integer) RETURNS text LANGUAGE sql"
                       " AS 'SELECT ''forty-two'''";
    must(bench, try_change(bench, change, &outcome));
    assert_answer(bench, "SELECT app.answer(1)", "forty-two");
    assert_answer(bench,
        "SELECT has_function_privilege('public', 'app.answer(integer)', 'EXECUTE')"
        " OR obj_description('app.answer(integer)'::regprocedure) IS NULL",
        "f");
    undo_last(bench, "back to what it was before");
    assert_answer(bench, FUNCTION_NOW, before);
}

/* bigint has an implicit cast from integer: answer(1) could mean either, and the server would choose. */
static void
function_with_a_rival_is_blocked(void **state)
{
    struct bench *bench = *state;

    run(bench, "CREATE FUNCTION app.answer(n bigint, more integer DEFAULT 1) RETURNS integer"
               " LANGUAGE sql AS 'SELECT 7'");
    refuse(bench, function_change(ANSWER_42), ERR_STALE,
        "app.answer(bigint,integer) stands there too: the same calls may mean it");
    run(bench, "DROP FUNCTION app.answer(bigint, integer)");
    run(bench, "CREATE FUNCTION app.answer(n boolean) RETURNS integer LANGUAGE sql AS 'SELECT 7'");
    do_change(bench, function_change(ANSWER_42), "made");
    assert_answer(bench, "SELECT app.answer(1)", "43");
}

static void
function_of_ours_needs_no_consent(void **state)
{
    struct bench *bench = *state;
    const char *other = "CREATE OR REPLACE FUNCTION app.answer(n integer) RETURNS integer"
                        " LANGUAGE sql AS 'SELECT 7'";

    do_change(bench, function_change(ANSWER_42), "made");
    do_change(bench, function_change(other), "replaced");
    assert_answer(bench, "SELECT app.answer(1)", "7");
    undo_last(bench, "back to what it was before");
    assert_answer(bench, "SELECT app.answer(1)", "43");
    undo_last(bench, "dropped");
    assert_answer(bench, FUNCTIONS, "0");
    do_change(bench, function_change(ANSWER_42), "made");
    run(bench, other);
    refuse_undo(bench, "is not the function that pgmend made: it was changed since");
    assert_answer(bench, "SELECT app.answer(1)", "7");
}

static void
function_is_the_one_named(void **state)
{
    struct bench *bench = *state;
    struct change change = function_change(ANSWER_42);

    change.arguments = "bigint";
    refuse(bench, change, ERR_STALE, "its statement makes app.answer(n integer)");
    change.statement = "DROP TABLE app.t";
    refuse(bench, change, ERR_STALE, "does not make one function");
    change.statement = "CREATE OR REPLACE FUNCTION app.answer(";
    refuse(bench, change, ERR_STALE, "syntax error");
    assert_answer(bench, "SELECT count(*) FROM app.t", "1000");
}

#define INDEXES                                                                                    \
    "SELECT string_agg(indexdef, ';' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'app'" \
    " AND indexname <> 't_pkey'"

static void
index_is_dropped_and_built_again(void **state)
{
    struct bench *bench = *state;
    struct change change = about_table(bench, KIND_DROP, "t_a");
    const char *before = ask(bench, INDEXES);

    change.definition = "USING btree (a, id)";
    refuse(bench, change, ERR_STALE, "it is another index than planned: USING btree (a)");
    change.definition = "USING btree (a)";
    do_change(bench, change, "dropped");
    assert_answer(bench, INDEXES, "(null)");
    do_change(bench, change, "it is gone already");
    undo_last(bench, "built again");
    assert_answer(bench, INDEXES, before);
    assert_string_equal(last_entry(bench).state, ENTRY_UNDONE);
    change.name = "t_pkey";
    change.is_unique = true;
    change.definition = "USING btree (id)";
    refuse(bench, change, ERR_STALE, "it serves t_pkey");
}

static void
table_is_vacuumed(void **state)
{
    struct bench *bench = *state;

    do_change(bench, about_table(bench, KIND_VACUUM, "t"), "vacuumed");
    assert_answer(bench,
        "SELECT relallvisible = relpages AND reltuples = 1000 FROM pg_class"
        " WHERE oid = 'app.t'::regclass",
        "t");
    undo_last(bench, "nothing to undo");
}

#define VALUE "SELECT value::text FROM pgmend.value WHERE name = 'vector:app.t.x'"

static void
value_is_recorded_and_forgotten(void **state)
{
    struct bench *bench = *state;

    do_change(bench, record_change("{\"k\": \"it's <1> \\u0007\"}"), "recorded");
    assert_answer(bench, VALUE, "{\"k\": \"it's <1> \\u0007\"}");
    do_change(bench, record_change("{ \"k\":\"it's <1> \\u0007\" }"), "it is recorded already");
    do_change(bench, record_change("{\"k\": 2}"), "recorded");
    undo_last(bench, "back to the value before");
    assert_answer(bench, VALUE, "{\"k\": \"it's <1> \\u0007\"}");
    run(bench, "UPDATE pgmend.value SET value = '[]'");

    struct journal_entries entries;
    struct rollout_outcome outcome;

    must(bench, journal_load(&bench->ctx, bench->db, &entries));
    assert_false(rollout_undo(&bench->ctx, &bench->rollout, &entries.items[0], &outcome));
    assert_error(&bench->ctx, ERR_CONFLICT, "was recorded anew since");
    error_clear(&bench->ctx);
    run(bench, "UPDATE pgmend.value SET value = '{\"k\": \"it''s <1> \\u0007\"}'");
    undo_last(bench, "no longer recorded");
    assert_answer(bench, "SELECT count(*) FROM pgmend.value", "0");
    refuse(bench, record_change("{no json"), ERR_STALE, "vector:app.t.x");
}

static void
settings_are_of_the_change_only(void **state)
{
    struct bench *bench = *state;
    struct change change = about_table(bench, KIND_VACUUM, "t");
    const char *value = NULL;

    change.settings = "search_path=app";
    refuse(bench, change, ERR_INPUT, "must not set \"search_path\"");
    change.settings = "maintenance_work_mem=7MB;max_parallel_maintenance_workers=0";
    do_change(bench, change, "vacuumed");
    must(bench, db_value(&bench->ctx, bench->rollout.db,
                    "SELECT pg_catalog.current_setting('maintenance_work_mem')", NULL, 0, &value));
    assert_string_equal(value, ask(bench, "SELECT current_setting('maintenance_work_mem')"));
}

/* A schema pgmend that an older version made gets what it lacks. */
static void
older_schema_gets_the_table(void **state)
{
    struct bench *bench = *state;

    run(bench, "DROP TABLE pgmend.value");
    do_change(bench, record_change("1"), "recorded");
    assert_answer(bench, VALUE, "1");
}

static struct plan
make_plan(struct bench *bench)
{
    struct plan plan = {
        .database = db_name(bench->db),
        .server_version = db_version_text(bench->db),
        .created_at = "2026-01-01T00:00:00Z",
        .proof = "{\"kind\": \"vector\"}",
    };

    VEC_PUSH(bench->ctx.arena, &plan, column_change(bench));
    VEC_PUSH(bench->ctx.arena, &plan, trigger_change(bench));
    VEC_PUSH(bench->ctx.arena, &plan, fill_change(bench));
    VEC_PUSH(bench->ctx.arena, &plan, function_change(ANSWER_42));
    VEC_PUSH(bench->ctx.arena, &plan, record_change("{\"k\": 1}"));
    must(bench, plan_seal(&bench->ctx, bench->db, &plan));
    return plan;
}

static void
plan_comes_back_from_its_file(void **state)
{
    struct bench *bench = *state;
    struct plan plan = make_plan(bench);
    struct plan again;
    const char *path = file_join(bench->ctx.arena, bench->folder, "change.plan");

    must(bench, plan_write(&bench->ctx, path, &plan));
    must(bench, plan_read(&bench->ctx, path, &again));
    assert_int_equal(again.count, plan.count);
    assert_string_equal(again.proof, plan.proof);
    assert_string_equal(again.items[2].expression, "a * 2");
    assert_string_equal(again.items[3].arguments, "integer");
    for (size_t i = 0; i < again.count; i++) {
        struct rollout_outcome outcome;

        must(bench, rollout_create(&bench->ctx, &bench->rollout, &again.items[i], &outcome));
        assert_true(outcome.is_done);
    }
    /* What the plan itself has added does not make it stale; what others add does. */
    must(bench, plan_check_fresh(&bench->ctx, bench->db, &again));
    run(bench, "ALTER TABLE app.t ADD COLUMN other int");
    assert_false(plan_check_fresh(&bench->ctx, bench->db, &again));
    assert_error(&bench->ctx, ERR_STALE, "the plan is stale");
    error_clear(&bench->ctx);
}

/* Whatever is altered in the file is noticed. */
static void
tampered_plan_is_refused(void **state)
{
    static const struct {
        const char *was;
        const char *is;
    } cases[] = {
        { "a * 2", "a * 3" },
        { "\"key\": \"id\"", "\"key\": \"a\"" },
        { "\"bigint\"", "\"integer\"" },
        { "42 + n", "43 + n" },
        { "{\\\"k\\\": 1}", "{\\\"k\\\": 2}" },
        { "{\\\"kind\\\": \\\"vector\\\"}", "{\\\"kind\\\": \\\"nothing\\\"}" },
        { "BEFORE INSERT OR UPDATE", "BEFORE INSERT" },
    };
    struct bench *bench = *state;
    struct plan plan = make_plan(bench);
    struct plan again;
    const char *path = file_join(bench->ctx.arena, bench->folder, "change.plan");
    const char *text;
    size_t length;

    must(bench, plan_write(&bench->ctx, path, &plan));
    must(bench, file_read(&bench->ctx, path, &text, &length));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *at = strstr(text, cases[i].was);

        if (!at)
            fail_msg("%s is not in the plan", cases[i].was);

        const char *altered = arena_printf(bench->ctx.arena, "%.*s%s%s", (int)(at - text), text,
            cases[i].is, at + strlen(cases[i].was));

        must(bench, file_write(&bench->ctx, path, altered, strlen(altered), 0600));
        assert_false(plan_read(&bench->ctx, path, &again));
        assert_error(&bench->ctx, ERR_VERIFICATION, "was altered after pgmend wrote it");
        error_clear(&bench->ctx);
    }
}

static void
incomplete_plan_is_refused(void **state)
{
    struct bench *bench = *state;
    struct plan plan = { .database = db_name(bench->db) };
    struct change change = fill_change(bench);

    change.key = NULL;
    VEC_PUSH(bench->ctx.arena, &plan, change);
    assert_false(plan_seal(&bench->ctx, bench->db, &plan));
    assert_error(&bench->ctx, ERR_INPUT, "a fill column needs \"key\"");
    plan.items[0].kind = "sing";
    assert_false(plan_seal(&bench->ctx, bench->db, &plan));
    assert_error(&bench->ctx, ERR_INPUT, "of an unknown kind: \"sing\"");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(column_is_added_and_dropped),
        test_with_bench(column_of_others_stays),
        test_with_bench(columns_that_rewrite_are_refused),
        test_with_bench(trigger_is_made_and_dropped),
        test_with_bench(trigger_of_others_stays),
        test_with_bench(trigger_elsewhere_is_taken_back),
        test_with_bench(rows_are_filled),
        test_with_bench(filling_is_silent),
        test_with_bench(rows_are_filled_by_text_keys),
        test_with_bench(values_of_others_are_not_replaced),
        test_with_bench(bad_row_is_named),
        test_with_bench(fill_needs_a_key),
        test_with_bench(function_is_made_and_dropped),
        test_with_bench(function_is_given_back),
        test_with_bench(function_with_a_rival_is_blocked),
        test_with_bench(function_of_ours_needs_no_consent),
        test_with_bench(function_is_the_one_named),
        test_with_bench(index_is_dropped_and_built_again),
        test_with_bench(table_is_vacuumed),
        test_with_bench(value_is_recorded_and_forgotten),
        test_with_bench(settings_are_of_the_change_only),
        test_with_bench(older_schema_gets_the_table),
        test_with_bench(plan_comes_back_from_its_file),
        test_with_bench(tampered_plan_is_refused),
        test_with_bench(incomplete_plan_is_refused),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
