/* Sizes that facts reckon against those of indexes that are really built. */
#include "support/test.h"

#include <unistd.h>

#include "db/db.h"
#include "index/candidate/candidate.h"
#include "index/facts/facts.h"
#include "index/facts/size_part.h"

struct bench {
    struct ctx ctx;
    const char *database;
    struct db *db;
    struct facts facts;
};

static const char *const schema[] = {
    "CREATE EXTENSION pg_trgm",
    "CREATE EXTENSION vector",
    "CREATE EXTENSION btree_gin",
    "SELECT setseed(0.5)",
    /* few: 20 values; skewed: half the rows have one; pairs: two rows each; words: text of some length. */
    "CREATE TABLE t (id int, big bigint, few int, skewed int, pairs int, word text, line text, at timestamptz,"
    " half text, status text, mark uuid, flag boolean, amount numeric, doc jsonb, list int[], span int4range,"
    " search tsvector, code varchar(12), letter char(1), way char(25), place char(10))",
    "INSERT INTO t SELECT g, g::bigint * 7919 % 1000003, g % 20,"
    " CASE WHEN random() < 0.5 THEN 1 ELSE (random() * random() * 5000)::int END, g / 2,"
    " (ARRAY['order','invoice','customer','delivery','refund','support','question'])[1 + g % 7] || '-' ||"
    "   (random() * 3000)::int,"
    " (SELECT string_agg((ARRAY['order','invoice','customer','delivery','refund','late','question','answer',"
    "   'please','money','account','never','thanks','again','tomorrow','number'])[1 + (random() * 15)::int] ||"
    "   CASE WHEN random() < 0.3 THEN (random() * 900)::int::text ELSE '' END, ' ')"
    "   FROM generate_series(1, 6 + g % 5)),"
    " '2026-01-01'::timestamptz + g * interval '31 s', CASE WHEN g % 2 = 0 THEN md5(g::text) END,"
    " (ARRAY['open','open','closed','closed','closed','closed','closed','closed','failed','closed'])[1 + g % 10],"
    " md5(g::text)::uuid, g % 4 = 0, (g % 1000) * 1.25,"
    " jsonb_build_object('kind', g % 9, 'name', 'n' || g % 500, 'tags', jsonb_build_array('t' || g % 40, g % 3)),"
    " ARRAY[g % 100, g % 7, g % 1000], int4range(g, g + 10), NULL, lpad((g % 70000)::text, 8, '0'),"
    " (ARRAY['A','N','R'])[1 + g % 3], (ARRAY['DELIVER IN PERSON','COLLECT COD','NONE','TAKE BACK RETURN'])[1 + g % 4],"
    " 'p' || g % 300"
    " FROM generate_series(1, 100000) AS g",
    "UPDATE t SET search = to_tsvector('simple', line)",
    "VACUUM FULL t",
    "CREATE TABLE v (id int, small vector(64), large vector(768))",
    "INSERT INTO v SELECT g, (SELECT array_agg(random()) FROM generate_series(1, 64 + 0 * g))::vector,"
    " (SELECT array_agg(random()) FROM generate_series(1, 768 + 0 * g))::vector"
    " FROM generate_series(1, 3000) AS g",
    "CREATE EXTENSION pageinspect",
    "CREATE EXTENSION citext",
    "CREATE TYPE mood AS ENUM ('sad', 'glad')",
    "CREATE TYPE pair AS (a int, b int)",
    "CREATE DOMAIN short AS varchar(9)",
    "CREATE TABLE kinds (c char(5), c1 \"char\", v varchar, s text, n name, b bytea, bl bool, bt bit(3), vb varbit,"
    " m money, i inet, cd cidr, ar int[], ov oidvector, r int4range, mr int4multirange, l pg_lsn, f4 float4, f8 float8,"
    " iv interval, j jsonb, d date, u uuid, o oid, rc regclass, e tsvector, ts tsquery, ti time, tz timetz,"
    " t1 timestamp, t2 timestamptz, tp tid, x xid8, ma macaddr, m8 macaddr8, nn numeric, nd numeric(9,2), i2 int2,"
    " i4 int, i8 bigint, mo mood, pa pair, sh short, ci citext, ve vector(3))",
    "ANALYZE t",
    "ANALYZE v",
};

/* Columns with a comma between them; an expression in parentheses of its own. */
struct form {
    const char *method;
    const char *table;
    const char *keys[4];
    const char *opclass; /* of the first */
    const char *include;
    const char *predicate;
    const char *options;
    double off; /* by so much of the real size it may be off */
};

/* clang-format off */
static const struct form forms[] = {
    { "btree", "t", { "id" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "big" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "few" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "skewed" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "pairs" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "word" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "line" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "half" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "status" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "mark" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "flag" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "amount" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "code" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "few", "at" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "status", "few" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "few", "skewed" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "word", "status", "id" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "half", "few" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "few" }, NULL, "id", NULL, NULL, 0.15 },
    { "btree", "t", { "id" }, NULL, "word", NULL, NULL, 0.15 },
    { "btree", "t", { "id" }, NULL, NULL, NULL, "fillfactor=60", 0.15 },
    { "btree", "t", { "few" }, NULL, NULL, NULL, "deduplicate_items=off", 0.15 },
    { "btree", "t", { "lower(word)" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "id" }, NULL, NULL, "status = 'open'::text", NULL, 0.15 },
    { "btree", "t", { "at" }, NULL, NULL, "half IS NOT NULL", NULL, 0.15 },
    { "btree", "t", { "pairs" }, NULL, NULL, "flag", NULL, 0.15 },
    { "btree", "t", { "word" }, NULL, NULL, "status = ANY (ARRAY['open'::text, 'failed'::text])", NULL, 0.15 },
    { "btree", "t", { "id" }, NULL, NULL, "at > '2026-01-31 00:00:00+00'::timestamp with time zone", NULL, 0.15 },
    { "btree", "t", { "id" }, NULL, NULL, "NOT flag AND amount < 500", NULL, 0.15 },
    { "btree", "t", { "letter" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "letter", "place" }, NULL, NULL, NULL, NULL, 0.15 },
    { "btree", "t", { "few" }, NULL, NULL, "letter = 'R'::bpchar", NULL, 0.15 },
    { "btree", "t", { "letter" }, NULL, NULL, "(letter = 'R'::bpchar)", NULL, 0.15 },
    { "btree", "t", { "id" }, NULL, "amount", "way = 'DELIVER IN PERSON'::bpchar", NULL, 0.15 },
    { "btree", "t", { "id" }, NULL, NULL, "way <> 'NONE'::bpchar", NULL, 0.15 },
    { "btree", "t", { "id" }, NULL, NULL, "way = ANY ('{NONE,\"COLLECT COD\"}'::bpchar[])", NULL, 0.15 },
    { "btree", "t", { "id" }, NULL, NULL, "way = ANY (ARRAY['NONE'::bpchar, 'TAKE BACK RETURN'::bpchar])", NULL, 0.15 },
    { "hash", "t", { "id" }, NULL, NULL, NULL, NULL, 0.3 },
    { "hash", "t", { "few" }, NULL, NULL, NULL, NULL, 0.3 },
    { "hash", "t", { "word" }, NULL, NULL, NULL, NULL, 0.3 },
    { "brin", "t", { "at" }, NULL, NULL, NULL, NULL, 0.3 },
    { "brin", "t", { "at", "id" }, NULL, NULL, NULL, "pages_per_range=4", 0.3 },
    { "gin", "t", { "word" }, "gin_trgm_ops", NULL, NULL, NULL, 0.3 },
    { "gin", "t", { "line" }, "gin_trgm_ops", NULL, NULL, NULL, 0.3 },
    { "gin", "t", { "half" }, "gin_trgm_ops", NULL, NULL, NULL, 0.3 },
    { "gin", "t", { "doc" }, NULL, NULL, NULL, NULL, 0.3 },
    { "gin", "t", { "doc" }, "jsonb_path_ops", NULL, NULL, NULL, 0.3 },
    { "gin", "t", { "list" }, NULL, NULL, NULL, NULL, 0.3 },
    { "gin", "t", { "search" }, NULL, NULL, NULL, NULL, 0.3 },
    { "gin", "t", { "to_tsvector('simple'::regconfig, line)" }, NULL, NULL, NULL, NULL, 0.4 },
    { "gin", "t", { "few", "word" }, NULL, NULL, NULL, NULL, 0.3 },
    { "gist", "t", { "span" }, NULL, NULL, NULL, NULL, 0.3 },
    { "gist", "t", { "word" }, "gist_trgm_ops", NULL, NULL, NULL, 0.3 },
    { "hnsw", "v", { "small" }, "vector_cosine_ops", NULL, NULL, NULL, 0.3 },
    { "hnsw", "v", { "large" }, "vector_l2_ops", NULL, NULL, "m=8, ef_construction=16", 0.3 },
    { "ivfflat", "v", { "small" }, "vector_l2_ops", NULL, NULL, "lists=20", 0.3 },
    { "ivfflat", "v", { "large" }, "vector_l2_ops", NULL, NULL, NULL, 0.3 },
};
/* clang-format on */

static void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static struct db *
connect_to(struct bench *bench, const char *database)
{
    struct db_options options = {
        .database = database, .application = "test", .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);
    struct facts_options options = { .has_values = true };

    bench->ctx.arena = arena;
    bench->database = arena_printf(arena, "index_size_%d", (int)getpid());

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench,
        db_exec(&bench->ctx, admin, arena_printf(arena, "CREATE DATABASE %s", bench->database)));
    bench->db = connect_to(bench, bench->database);
    must(bench, db_set(&bench->ctx, bench->db, "search_path", "public"));
    for (size_t i = 0; i < COUNT_OF(schema); i++)
        must(bench, db_exec(&bench->ctx, bench->db, schema[i]));
    must(bench, facts_load(&bench->ctx, bench->db, &options, &bench->facts));
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;

    db_cleanup(&bench->db);

    struct db *admin CLEANUP(db_cleanup) = connect_to(bench, "postgres");

    must(bench, db_exec(&bench->ctx, admin,
                    arena_printf(bench->ctx.arena, "DROP DATABASE %s", bench->database)));
    db_cleanup(&admin);
    arena_free(bench->ctx.arena);
    return 0;
}

static const char *
definition(struct arena *arena, const struct form *form)
{
    struct buffer text = { .arena = arena };

    for (size_t i = 0; i < COUNT_OF(form->keys) && form->keys[i]; i++)
        buffer_printf(&text, "%s%s%s%s", i > 0 ? ", " : "", form->keys[i],
            i == 0 && form->opclass ? " " : "", i == 0 && form->opclass ? form->opclass : "");
    return arena_printf(arena, "CREATE INDEX x ON %s USING %s (%s)%s%s%s%s%s%s%s%s", form->table,
        form->method, buffer_text(&text), form->include ? " INCLUDE (" : "",
        form->include ? form->include : "", form->include ? ")" : "",
        form->options ? " WITH (" : "", form->options ? form->options : "",
        form->options ? ")" : "", form->predicate ? " WHERE " : "",
        form->predicate ? form->predicate : "");
}

static int64_t
build(struct bench *bench, const struct form *form)
{
    const char *size;
    int64_t bytes;

    must(bench, db_exec(&bench->ctx, bench->db, definition(bench->ctx.arena, form)));
    must(bench, db_value(&bench->ctx, bench->db, "SELECT pg_relation_size('x')", NULL, 0, &size));
    must(bench, db_exec(&bench->ctx, bench->db, "DROP INDEX x"));
    assert_true(text_to_int64(size, &bytes));
    return bytes;
}

static struct fact_index_size
reckon(struct bench *bench, const struct form *form)
{
    struct arena *arena = bench->ctx.arena;
    const struct fact_table *table = facts_table(&bench->facts, "public", form->table);
    struct candidate_key keys[4] = { 0 };
    struct index_candidate candidate = {
        .table = table,
        .method = form->method,
        .keys = keys,
        .predicate = form->predicate,
        .options = form->options,
    };
    struct fact_index_size size;

    for (size_t i = 0; i < COUNT_OF(form->keys) && form->keys[i]; i++) {
        bool is_column = !strchr(form->keys[i], '(');

        keys[candidate.key_count++] = (struct candidate_key){
            .text = form->keys[i],
            .column = is_column ? form->keys[i] : NULL,
            .opclass = i == 0 ? form->opclass : NULL,
        };
    }
    if (form->include)
        text_list_add(arena, &candidate.include, form->include);
    facts_index_size(&bench->facts, table, &candidate, &size);
    return size;
}

static void
test_sizes(void **state)
{
    struct bench *bench = *state;
    size_t wrong = 0;

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        const struct form *form = &forms[i];
        int64_t real = build(bench, form);
        struct fact_index_size size = reckon(bench, form);
        double ratio = (double)size.bytes / (double)real;
        bool is_off = ratio < 1 / (1 + form->off) || ratio > 1 + form->off;

        wrong += is_off;
        print_message("# %s %.2f %9lld kB real, %9lld kB reckoned: %s\n", is_off ? "OFF" : "   ",
            ratio, (long long)real / 1024, (long long)size.bytes / 1024,
            definition(bench->ctx.arena, form));
    }
    assert_int_equal(wrong, 0);
}

/* Which types the server stores equal keys of once, it says itself in each index's first page. */
static void
test_deduplicated_types(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    const struct fact_table *table = facts_table(&bench->facts, "public", "kinds");
    size_t wrong = 0;

    assert_true(table->column_count > 40);
    for (size_t i = 0; i < table->column_count; i++) {
        const char *name = table->columns[i].name;
        struct candidate_key key = { .text = name, .column = name };
        struct index_candidate candidate = {
            .table = table, .method = "btree", .keys = &key, .key_count = 1
        };
        struct size_key told;
        const char *real;

        must(bench, db_exec(&bench->ctx, bench->db,
                        arena_printf(arena, "CREATE INDEX x ON kinds (%s)", name)));
        must(bench, db_value(&bench->ctx, bench->db, "SELECT allequalimage FROM bt_metap('x')",
                        NULL, 0, &real));
        must(bench, db_exec(&bench->ctx, bench->db, "DROP INDEX x"));
        size_of_key(table, &candidate, &told);
        if (told.can_deduplicate == (real[0] == 't'))
            continue;
        wrong++;
        print_message("# %s: the server says %s\n", table->columns[i].type, real);
    }
    assert_int_equal(wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_deduplicated_types),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("index_size", tests, set_up, tear_down);
}
