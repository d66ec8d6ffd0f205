/*
 * Masking in a database: what each way makes of real values, that keys hold, that nothing of before is left, neither
 * in rows nor in the files of the table, and what is refused before anything is written.
 */
#include "support/test.h"

#include "sql.h"
#include "staging/mask.h"
#include "test_change_support.h"

static const char tables[] =
    "CREATE TABLE app.people (id int PRIMARY KEY, email varchar(60) NOT NULL UNIQUE, full_name text,"
    "  phone text, token varchar(40), secret text, doc jsonb, number bigint, tag uuid, words text,"
    "  lower_email text GENERATED ALWAYS AS (lower(email)) STORED);"
    "CREATE TABLE app.invites (id int PRIMARY KEY, to_email varchar(40) REFERENCES app.people (email));"
    "CREATE TABLE app.events (at date, note text) PARTITION BY RANGE (at);"
    "CREATE TABLE app.events_1 PARTITION OF app.events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');"
    "CREATE TABLE app.events_2 PARTITION OF app.events FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');"
    "INSERT INTO app.people SELECT i, 'person' || i || '@company.org', 'Firstname' || i || ' Lastname',"
    "  '+49 170 ' || 1000000 + i * 7, md5(i::text), 'secret', jsonb_build_object('text', 'private letter', 'n',"
    "  i, 'list', jsonb_build_array('private', true, null)), i * 1000003::bigint, md5('t' || i)::uuid,"
    "  'The Quick brown fox ' || i || E'\\n jumps over' FROM pg_catalog.generate_series(1, 3000) AS i;"
    "INSERT INTO app.people (id, email, words) VALUES (0, '', 'Съешь ещё этих мягких'), (-1, 'x@y.z', ' ');"
    "INSERT INTO app.invites SELECT i, 'person' || i || '@company.org' FROM pg_catalog.generate_series(1, 500) AS i;"
    "INSERT INTO app.events SELECT '2020-12-01'::date + i, 'private event ' || i FROM"
    "  pg_catalog.generate_series(1, 60) AS i;"
    "CREATE MATERIALIZED VIEW app.mails AS SELECT email FROM app.people;"
    "CREATE TABLE app.before AS SELECT * FROM app.people;"
    "CREATE FUNCTION app.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trigger''; END';"
    "CREATE TRIGGER refuse BEFORE UPDATE ON app.people FOR EACH ROW EXECUTE FUNCTION app.refuse();"
    "ANALYZE app.people";

static const char rules_text[] = "[mask]\n"
                                 "app.people.email = email\n"
                                 "app.invites.to_email = email\n"
                                 "app.people.full_name = name\n"
                                 "app.people.phone = phone\n"
                                 "app.people.token = token\n"
                                 "app.people.secret = constant 'none'\n"
                                 "app.people.doc = text\n"
                                 "app.people.number = hash\n"
                                 "app.people.tag = hash\n"
                                 "app.people.words = text\n"
                                 "app.events.note = text\n";

static void
make_tables(struct bench *bench)
{
    run(bench, "RESET session_replication_role");
    run(bench, "DROP SCHEMA app CASCADE");
    run(bench, "CREATE SCHEMA app");
    for (const char *at = tables; *at;) {
        const char *end = at;
        bool is_quoted = false;

        for (; *end && (is_quoted || *end != ';'); end++)
            is_quoted ^= *end == '\'';
        run(bench, arena_strndup(bench->ctx.arena, at, (size_t)(end - at)));
        at = *end ? end + 1 : end;
    }
}

static bool
resolve(struct bench *bench, const char *text, struct mask_plan *ret)
{
    struct mask_rules *rules = ARENA_NEW(bench->ctx.arena, struct mask_rules);

    must(bench, mask_parse(&bench->ctx, "mask.ini", text, rules));
    return mask_resolve(&bench->ctx, bench->db, rules, ret);
}

static struct mask_result
mask_all(struct bench *bench, const char *text, const char *key)
{
    struct mask_plan plan;
    struct mask_result result;

    must(bench, resolve(bench, text, &plan));

    struct db *db CLEANUP(db_cleanup) = connect_to(bench, bench->database);

    must(bench, mask_run(&bench->ctx, db, &plan, key, NULL, &result));
    return result;
}

/* What has to hold after all of rules_text: each query counts what does not. */
static const struct {
    const char *what;
    const char *query;
} holds[] = {
    { "addresses are valid",
        "SELECT count(*) FROM app.people WHERE id > 0 AND email !~ '^[a-z0-9]+@example\\.com$'" },
    { "and different", "SELECT count(*) - count(DISTINCT email) FROM app.people" },
    { "an empty one stays empty", "SELECT count(*) FROM app.people WHERE id = 0 AND email <> ''" },
    { "generated columns follow",
        "SELECT count(*) FROM app.people WHERE lower_email <> lower(email)" },
    { "keys point to their rows",
        "SELECT count(*) FROM app.invites i LEFT JOIN app.people p ON p.email = i.to_email"
        " WHERE p.id IS DISTINCT FROM i.id" },
    { "names have as many words",
        "SELECT count(*) FROM app.people WHERE full_name !~ '^[A-Z][a-z]+ [A-Z][a-z]+$'" },
    { "phones have their form",
        "SELECT count(*) FROM app.people p JOIN app.before b USING (id) WHERE"
        " regexp_replace(p.phone, '[0-9]', '0', 'g') <> regexp_replace(b.phone, '[0-9]', '0', 'g')" },
    { "no phone is its own",
        "SELECT count(*) FROM app.people p JOIN app.before b USING (id) WHERE p.phone = b.phone" },
    { "tokens stay hexadecimal",
        "SELECT count(*) FROM app.people WHERE token !~ '^[0-9a-f]{32}$'" },
    { "constants", "SELECT count(*) FROM app.people WHERE secret <> 'none'" },
    { "JSON keeps its keys",
        "SELECT count(*) FROM app.people WHERE id > 0 AND NOT (doc ?& ARRAY['text', 'n', 'list']"
        " AND jsonb_array_length(doc -> 'list') = 3 AND doc -> 'list' -> 1 = 'true')" },
    { "and no word", "SELECT count(*) FROM app.people WHERE doc::text LIKE '%private%'" },
    { "numbers are not negative", "SELECT count(*) FROM app.people WHERE number < 0" },
    { "lengths stay",
        "SELECT count(*) FROM app.people p JOIN app.before b USING (id) WHERE"
        " length(p.words) <> length(b.words) OR octet_length(p.words) <> octet_length(b.words)" },
    { "white space stays",
        "SELECT count(*) FROM app.people p JOIN app.before b USING (id) WHERE"
        " regexp_replace(p.words, '\\S', 'x', 'g') <> regexp_replace(b.words, '\\S', 'x', 'g')" },
    { "NULL stays NULL",
        "SELECT count(*) FROM app.people p JOIN app.before b USING (id) WHERE"
        " (p.full_name IS NULL) <> (b.full_name IS NULL) OR (p.secret IS NULL) <> (b.secret IS NULL)" },
    { "no value of before",
        "SELECT count(*) FROM app.people p WHERE p.email IN (SELECT email FROM app.before WHERE email <> '')"
        " OR p.token IN (SELECT token FROM app.before) OR p.full_name IN (SELECT full_name FROM app.before)"
        " OR p.tag IN (SELECT tag FROM app.before) OR p.number IN (SELECT number FROM app.before)" },
    { "materialized views follow", "SELECT count(*) FROM app.mails WHERE email LIKE '%company%'" },
    { "partitions too", "SELECT count(*) FROM app.events WHERE note LIKE '%private%'" },
    { "no statistics of before",
        "SELECT count(*) FROM pg_stats WHERE schemaname = 'app' AND tablename = 'people'" },
    { "no function is left", "SELECT count(*) FROM pg_proc WHERE proname LIKE 'mask\\_%'" },
};

static void
every_way(void **state)
{
    struct bench *bench = *state;
    struct mask_result result;

    make_tables(bench);
    result = mask_all(bench, rules_text, "a key");
    assert_int_equal(result.rows, 3002 + 500 + 60);
    assert_true(result.checked > 15000);
    for (size_t i = 0; i < COUNT_OF(holds); i++)
        if (!text_equal(ask(bench, holds[i].query), "0"))
            fail_msg("%s: %s", holds[i].what, ask(bench, holds[i].query));
    assert_answer(bench, "SELECT count(*) FROM app.people", "3002");
    assert_answer(bench, "SELECT tgenabled FROM pg_trigger WHERE tgname = 'refuse'", "O");
}

/* The bytes of before are looked for in the table's own file. */
static void
no_old_rows_in_the_file(void **state)
{
    static const char search[] =
        "SELECT count(*) FROM (SELECT pg_read_binary_file(pg_relation_filepath('app.people')) AS bytes) AS f"
        " WHERE position('company.org'::bytea IN f.bytes) > 0";
    struct bench *bench = *state;

    make_tables(bench);
    run(bench, "CHECKPOINT");
    assert_answer(bench, search, "1");
    mask_all(bench, rules_text, "a key");
    run(bench, "CHECKPOINT");
    assert_answer(bench, search, "0");
}

static void
same_key_same_values(void **state)
{
    static const char sum[] =
        "SELECT md5(string_agg(email || phone || token || words, ',' ORDER BY id)) FROM app.people";
    struct bench *bench = *state;
    const char *first;

    make_tables(bench);
    mask_all(bench, rules_text, "one key");
    first = ask(bench, sum);
    make_tables(bench);
    mask_all(bench, rules_text, "one key");
    assert_string_equal(ask(bench, sum), first);
    make_tables(bench);
    mask_all(bench, rules_text, "another key");
    assert_string_not_equal(ask(bench, sum), first);
}

static void
what_is_refused(void **state)
{
    static const struct {
        const char *rules;
        const char *message;
        const char *hint;
    } cases[] = {
        { "app.people.emial = email", "no column is called app.people.emial", "app.people.email" },
        { "nowhere.*.x = null", "no column is called nowhere.*.x", NULL },
        { "app.people.email = email", "a foreign key would point to nothing",
            "app.invites.to_email = email" },
        { "app.invites.to_email = email", "a foreign key would point to nothing",
            "app.people.email = email" },
        { "app.people.email = email\napp.invites.to_email = hash",
            "which is masked as \"email\" and not as \"hash\"", NULL },
        { "app.people.email = name\napp.invites.to_email = name", "is in a unique index",
            "email, token or hash" },
        { "app.before.id = email", "is of type integer, which cannot be masked as \"email\"",
            "hash" },
        { "app.people.id = null", "is in a primary key and NOT NULL", NULL },
        { "app.people.lower_email = email", "is generated", NULL },
        { "app.events.at = constant '2020-01-01'", "decides in which partition", NULL },
        { "app.people.token = constant 'longer than the forty letters of the column'",
            "the constant is too long", NULL },
        { "app.people.words = text\napp.people.words = null",
            "is masked as \"null\" here and as \"text\" in line 2", NULL },
    };
    struct bench *bench = *state;

    make_tables(bench);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *text = arena_printf(bench->ctx.arena, "[mask]\n%s\n", cases[i].rules);
        struct mask_plan plan;

        error_clear(&bench->ctx);
        if (resolve(bench, text, &plan))
            fail_msg("this was taken: %s", cases[i].rules);
        assert_int_equal(bench->ctx.error.kind, ERR_INPUT);
        if (i != 7)
            assert_error(&bench->ctx, ERR_INPUT, cases[i].message);
        else
            assert_error(&bench->ctx, ERR_INPUT, "NOT NULL");
        if (cases[i].hint &&
            (!bench->ctx.error.hint || !strstr(bench->ctx.error.hint, cases[i].hint)))
            fail_msg("%s: hint is %s", cases[i].rules,
                bench->ctx.error.hint ? bench->ctx.error.hint : "none");
    }
}

/* A rule that says a column by name goes before a pattern; keep takes one out. */
static void
names_before_patterns(void **state)
{
    struct bench *bench = *state;

    make_tables(bench);
    mask_all(bench, "[mask]\napp.p*.* = keep\napp.people.secret = constant 'none'\n", "key");
    assert_answer(bench, "SELECT count(*) FROM app.people WHERE secret <> 'none'", "0");
    assert_answer(bench, "SELECT count(*) FROM app.people WHERE email LIKE '%company%'", "3000");
}

/* Where the server refuses a masked value the rows are as they were. */
static void
constraints_decide(void **state)
{
    struct bench *bench = *state;
    struct mask_plan plan;
    struct mask_result result;

    make_tables(bench);
    run(bench, "ALTER TABLE app.people ADD CHECK (secret = 'secret')");
    must(bench, resolve(bench, "[mask]\napp.people.secret = constant 'none'\n", &plan));

    struct db *db CLEANUP(db_cleanup) = connect_to(bench, bench->database);

    assert_false(mask_run(&bench->ctx, db, &plan, "key", NULL, &result));
    assert_error(&bench->ctx, bench->ctx.error.kind, "people_secret_check");
    assert_non_null(strstr(bench->ctx.error.hint, "mask.ini"));
    assert_answer(bench, "SELECT count(*) FROM app.people WHERE secret = 'secret'", "3000");
}

static void
suggestions(void **state)
{
    struct bench *bench = *state;
    struct mask_suggestion found;
    struct mask_rules rules;
    struct text_list without;

    make_tables(bench);
    run(bench, "CREATE TABLE app.holders (id int PRIMARY KEY, name text, mail jsonb, plain jsonb,"
               " code text, remark text, ip inet, tags text[], \"E Mail\" text)");
    run(bench,
        "INSERT INTO app.holders SELECT g, 'First' || g || ' Last',"
        " CASE WHEN g = 7 THEN '{\"to\": [\"one@firm.org\"]}' ELSE '{}' END::jsonb, '{\"a\": 1}',"
        " 'c' || g, CASE WHEN g = 9 THEN 'ask two@firm.org' ELSE 'fine' END, '10.0.0.1', '{x}',"
        " g || '@firm.org' FROM generate_series(1, 50) AS g");
    must(bench, mask_suggest(&bench->ctx, bench->db, &found));
    const char *text = found.text;

    for (size_t i = 0; i < 9; i++) {
        static const char *const lines[] = { "app.people.email = email", "app.people.phone = phone",
            "app.people.token = token", "app.people.words = text", "app.invites.to_email = email",
            "app.holders.name = name", "app.holders.mail = text", "app.holders.remark = text",
            "app.holders.\"E Mail\" = email" };

        if (!strstr(text, lines[i]))
            fail_msg("%s is not in: %s", lines[i], text);
    }
    assert_null(strstr(text, "app.people.id ="));
    /* What has no rule is named, so that nobody takes silence for an answer. */
    assert_null(strstr(text, "app.holders.plain"));
    for (size_t i = 0; i < 4; i++) {
        static const char *const others[] = { "app.holders.plain (jsonb)",
            "app.holders.code (text)", "app.holders.ip (inet)", "app.holders.tags (text[])" };

        assert_true(text_list_has(&found.without, others[i]));
    }
    must(bench, mask_parse(&bench->ctx, "suggested.ini", text, &rules));
    must(bench, mask_find_without(&bench->ctx, bench->db, &rules, &without));
    assert_string_equal(text_list_join(bench->ctx.arena, &without, "\n"),
        text_list_join(bench->ctx.arena, &found.without, "\n"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(every_way),
        test_with_bench(no_old_rows_in_the_file),
        test_with_bench(same_key_same_values),
        test_with_bench(what_is_refused),
        test_with_bench(names_before_patterns),
        test_with_bench(constraints_decide),
        test_with_bench(suggestions),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
