/*
 * A schema as it is read from a server. What is expected was written by hand from
 * test/fixtures/schema/, or is said by the server and pg_dump.
 */
#include "db/test_catalog_schema_support.h"

static const void *
find(struct bench *bench, enum schema_class class, const char *identity)
{
    struct rows rows = schema_rows(&bench->schema, class);

    for (size_t i = 0; i < rows.count; i++) {
        const void *item = schema_item(&bench->schema, class, i);

        if (strcmp(schema_identity(bench->ctx.arena, class, item), identity) == 0)
            return item;
    }
    return NULL;
}

static const char *
member_of(struct bench *bench, enum schema_class class, const void *item, const char *name)
{
    const struct query *query = schema_classes[class].query;

    for (size_t i = 0; i < query->column_count; i++)
        if (strcmp(query->columns[i].name, name) == 0)
            return field_text(bench->ctx.arena, &query->columns[i], item);
    fail_msg("%s have no %s", schema_classes[class].name, name);
    return NULL;
}

struct expectation {
    enum schema_class class;
    const char *identity;
    const char *member;
    const char *value; /* NULL: not set */
};

/* clang-format off */
#define ORDERS "app.\"Заказы пользователя\""
#define LONG_NAME "n_name_of_63_bytes_that_is_as_long_as_a_name_may_be_in_postgres"
#define READER(rights) "\"\\\"pgmend reader\\\"=" rights "/postgres\""

static const struct expectation expectations[] = {
    { SCHEMA_schemas, "app", "comment", "what the application's own code uses" },
    { SCHEMA_schemas, "app", "acl",
      "[" READER("U") ",\"pgmend_writer=U*C*/postgres\",\"postgres=UC/postgres\"]" },
    { SCHEMA_schemas, "ext", "acl", NULL },
    { SCHEMA_schemas, "\"Новая схема\"", "owner", "pgmend_writer" },
    { SCHEMA_extensions, "\"uuid-ossp\"", "schema", "ext" },
    { SCHEMA_extensions, "\"uuid-ossp\"", "comment", "numbers that nobody else has" },

    { SCHEMA_types, "app.mood", "labels",
      "[\"sad\",\"it's \\\"ok\\\"\",\"so so\",\"happy\",\"весёлый\"]" },
    { SCHEMA_types, "app.mood", "definition",
      "AS ENUM ('sad', 'it''s \"ok\"', 'so so', 'happy', 'весёлый')" },
    { SCHEMA_types, "app.mood", "acl", "[\"postgres=U/postgres\"]" },
    { SCHEMA_types, "app.empty_enum", "definition", "AS ENUM ()" },
    { SCHEMA_types, "app.\"Postal Address\"", "definition",
      "AS (street text COLLATE pg_catalog.\"C\", \"House No\" integer, city character varying(63))" },
    { SCHEMA_types, "app.\"Postal Address\"", "column_comments",
      "{ \"House No\" : \"with letters\" }" },
    { SCHEMA_types, "app.\"Postal Address\"", "owner", "pgmend_writer" },
    { SCHEMA_types, "app.email", "kind", "domain" },
    { SCHEMA_types, "app.email", "base_type", "character varying(320)" },
    { SCHEMA_types, "app.email", "default_text", "'nobody@example.org'::character varying" },
    { SCHEMA_types, "app.email", "is_not_null", "true" },
    { SCHEMA_types, "app.email", "collation", "pg_catalog.\"C\"" },
    { SCHEMA_types, "app.plain", "definition", "AS integer" },
    { SCHEMA_types, "app.price_range", "definition",
      "AS RANGE (subtype = numeric, multirange_type_name = app.price_ranges)" },
    { SCHEMA_types, "app.text_range", "definition",
      "AS RANGE (subtype = text, subtype_opclass = pg_catalog.text_pattern_ops, "
      "collation = pg_catalog.\"C\", multirange_type_name = app.text_multirange)" },

    { SCHEMA_functions, "app.add(integer, integer)", "comment", "one more" },
    { SCHEMA_functions, "app.add(integer, integer)", "acl",
      "[" READER("X") ",\"postgres=X/postgres\"]" },
    { SCHEMA_functions, "app.add(integer, integer)", "signature",
      "a integer, b integer DEFAULT 1 RETURNS integer" },
    { SCHEMA_functions, "app.add(text, text[])", "acl", NULL },
    { SCHEMA_functions, "app.\"Имя функции\"(integer)", "signature",
      "INOUT x integer, OUT \"Y\" text RETURNS record" },
    { SCHEMA_functions, "app.work(integer, integer)", "kind", "procedure" },
    { SCHEMA_functions, "app.row_place()", "kind", "window" },
    { SCHEMA_functions, "app.rows(*)", "kind", "aggregate" },
    { SCHEMA_functions, "app.rows(*)", "definition",
      "CREATE OR REPLACE AGGREGATE app.rows(*) (SFUNC = pg_catalog.int8inc, STYPE = bigint, "
      "INITCOND = '0', MSFUNC = int8inc, MINVFUNC = int8dec, MSTYPE = bigint, MINITCOND = '0')" },
    { SCHEMA_functions, "app.middle(double precision ORDER BY anyelement)", "kind", "aggregate" },
    { SCHEMA_functions, "app.no_arguments()", "owner", "pgmend_writer" },

    { SCHEMA_tables, "app.users", "kind", "table" },
    { SCHEMA_tables, "app.users", "options",
      "autovacuum_vacuum_scale_factor=0.05, fillfactor=70" },
    { SCHEMA_tables, "app.users", "toast_options", "toast.autovacuum_enabled=false" },
    { SCHEMA_tables, "app.users", "row_security", "true" },
    { SCHEMA_tables, "app.users", "force_row_security", "true" },
    { SCHEMA_tables, "app.users", "clustered_on", "users_plain" },
    { SCHEMA_tables, "app.users", "comment", "people,\nand others" },
    { SCHEMA_tables, "app.animals", "replica_identity", "animals_id" },
    { SCHEMA_tables, "app.animals", "force_row_security", "false" },
    { SCHEMA_tables, ORDERS, "replica_identity", "full" },
    { SCHEMA_tables, ORDERS, "owner", "pgmend_writer" },
    { SCHEMA_tables, "\"Новая схема\".t", "replica_identity", "nothing" },
    { SCHEMA_tables, "app.scratch", "persistence", "unlogged" },
    { SCHEMA_tables, "app.typed", "of_type", "app.\"Postal Address\"" },
    { SCHEMA_tables, "app.other_method", "access_method", "heap2" },
    { SCHEMA_tables, "app.dogs", "inherits", "app.things, app.animals" },
    { SCHEMA_tables, "app.dogs", "parent", NULL },
    { SCHEMA_tables, "app.events", "kind", "partitioned table" },
    { SCHEMA_tables, "app.events", "partition_key", "RANGE (created_at)" },
    { SCHEMA_tables, "app.events_2025", "parent", "app.events" },
    { SCHEMA_tables, "app.events_2025", "inherits", NULL },
    { SCHEMA_tables, "app.events_2025", "partition_key", "LIST (kind)" },
    { SCHEMA_tables, "app.events_2025_a", "bound", "FOR VALUES IN ('a', 'it''s')" },
    { SCHEMA_tables, "app.events_2025_a", "options", "fillfactor=50" },
    { SCHEMA_tables, "app.events_2025_rest", "bound", "DEFAULT" },
    { SCHEMA_tables, "app.events_old", "bound", "FOR VALUES FROM (MINVALUE) TO ('2024-01-01')" },
    { SCHEMA_tables, "app.hashed_0", "bound", "FOR VALUES WITH (modulus 2, remainder 0)" },
    { SCHEMA_tables, "app.far_away", "kind", "foreign table" },
    { SCHEMA_tables, "app.far_away", "foreign_server", "другой сервер" },
    { SCHEMA_tables, "app.far_away", "foreign_options", "schema_name 's', table_name 't'" },
    { SCHEMA_tables, "app.happy_users", "options", "check_option=local, security_barrier=true" },
    { SCHEMA_tables, "app.happy_users", "comment", "those" },
    { SCHEMA_tables, "app.summary", "kind", "materialized view" },
    { SCHEMA_tables, "app.summary", "is_populated", "false" },
    { SCHEMA_tables, "app.filled", "is_populated", "true" },
    { SCHEMA_tables, "app.filled", "definition", " SELECT 1 AS one" },

    { SCHEMA_columns, "app.users.id", "identity", "always" },
    { SCHEMA_columns, "app.users.id", "acl", "[" READER("r") "]" },
    { SCHEMA_columns, "app.users.name", "acl", "[" READER("rw") "]" },
    { SCHEMA_columns, "app.users.name", "collation", "pg_catalog.\"C\"" },
    { SCHEMA_columns, "app.users.name", "statistics", "500" },
    { SCHEMA_columns, "app.users.name", "default_text", "'it''s me'::character varying" },
    { SCHEMA_columns, "app.users.email", "type", "app.email" },
    { SCHEMA_columns, "app.users.email", "comment", "where to write" },
    { SCHEMA_columns, "app.users.mood", "options", "n_distinct=5, n_distinct_inherited=6" },
    { SCHEMA_columns, "app.users.moods", "type", "app.mood[]" },
    { SCHEMA_columns, "app.users.created_at", "position", "7" },
    { SCHEMA_columns, "app.users.created_at", "is_not_null", "true" },
    { SCHEMA_columns, "app.users.created_at", "options", NULL },
    { SCHEMA_columns, "app.users.name_length", "position", "8" }, /* after one that was dropped */
    { SCHEMA_columns, "app.users.name_length", "generated", "length((name)::text)" },
    { SCHEMA_columns, "app.users.name_length", "default_text", NULL },
    { SCHEMA_columns, "app.users.name_length", "is_virtual", "false" },
    { SCHEMA_columns, "app.users.price", "type", "numeric(12,2)" },
    { SCHEMA_columns, "app.users.notes", "storage", "external" },
    { SCHEMA_columns, "app.users.notes", "compression", "pglz" },
    { SCHEMA_columns, "app.users.picture", "storage", "main" },
    { SCHEMA_columns, "app.users.sorted", "collation", "app.sorted" },
    { SCHEMA_columns, ORDERS ".id", "default_text",
      "nextval('app.\"Заказы пользователя_id_seq\"'::regclass)" },
    { SCHEMA_columns, ORDERS ".\"order\"", "identity", "by default" },
    { SCHEMA_columns, "app.dogs.name", "is_local", "true" },
    { SCHEMA_columns, "app.dogs.id", "is_local", "false" },
    { SCHEMA_columns, "app.events_2025_a.kind", "default_text", "'a'::text" },
    { SCHEMA_columns, "app.far_away.id", "foreign_options", "column_name 'ID', other 'it''s'" },
    { SCHEMA_columns, "app.happy_users.name", "default_text", "'somebody'::character varying" },
    { SCHEMA_columns, "app.happy_users.id", "comment", "theirs" },
    { SCHEMA_columns, "app.typed.\"House No\"", "default_text", "1" },

    { SCHEMA_constraints, "app.users.users_pkey", "kind", "primary key" },
    { SCHEMA_constraints, "app.users.\"users: unique email\"", "definition",
      "UNIQUE (email) INCLUDE (name) DEFERRABLE INITIALLY DEFERRED" },
    { SCHEMA_constraints, "app.users.\"users: unique email\"", "columns", "[\"email\"]" },
    { SCHEMA_constraints, "app.users.\"users: unique email\"", "is_deferred", "true" },
    { SCHEMA_constraints, "app.users.\"users: unique email\"", "index_name", "users: unique email" },
    { SCHEMA_constraints, "app.users.users_price_check", "expression", "(price >= (0)::numeric)" },
    { SCHEMA_constraints, "app.users.users_price_check", "comment", "nobody owes" },
    { SCHEMA_constraints, "app.users.users_local", "is_no_inherit", "true" },
    { SCHEMA_constraints, "app.users.users_pkey", "is_no_inherit", "false" },
    { SCHEMA_constraints, "app.users.users_later", "is_validated", "false" },
    { SCHEMA_constraints, "app.email.email_has_at", "is_domain", "true" },
    { SCHEMA_constraints, "app.email.email_has_at", "comment", "that is all we ask" },
    { SCHEMA_constraints, "app.email.\"email is short\"", "expression",
      "(length((VALUE)::text) < 300)" },
    { SCHEMA_constraints, "app.plain.plain_later", "is_validated", "false" },
    { SCHEMA_constraints, ORDERS ".fk_user", "on_delete", "CASCADE" },
    { SCHEMA_constraints, ORDERS ".fk_user", "on_update", "RESTRICT" },
    { SCHEMA_constraints, ORDERS ".fk_user", "match", NULL },
    { SCHEMA_constraints, ORDERS ".\"fk later\"", "match", "FULL" },
    { SCHEMA_constraints, ORDERS ".\"fk later\"", "on_delete", "SET NULL" },
    { SCHEMA_constraints, ORDERS ".\"fk later\"", "on_update", "SET DEFAULT" },
    { SCHEMA_constraints, ORDERS ".\"fk later\"", "is_validated", "false" },
    { SCHEMA_constraints, ORDERS ".\"fk later\"", "is_deferrable", "true" },
    { SCHEMA_constraints, "\"Новая схема\".t.t_id_fkey", "target_table", "Заказы пользователя" },
    { SCHEMA_constraints, "\"Новая схема\".t.t_id_fkey", "target_schema", "app" },
    { SCHEMA_constraints, "\"Новая схема\".t.t_id_fkey", "target_columns", "[\"id\"]" },
    { SCHEMA_constraints, ORDERS ".orders_no_overlap", "definition",
      "EXCLUDE USING gist (during WITH &&) WHERE ((user_id > 0))" },
    { SCHEMA_constraints, "app.events.events_pkey", "columns",
      "[\"id\",\"created_at\",\"kind\"]" },
    { SCHEMA_constraints, "app.events_old.old_key", "kind", "primary key" },
    { SCHEMA_constraints, "app.cats.cats_only", "kind", "check" },

    { SCHEMA_indexes, "app.users_pkey", "constraint_name", "users_pkey" },
    { SCHEMA_indexes, "app.users_pkey", "comment", "of the key" },
    { SCHEMA_indexes, "app.users_pkey", "has_plain_keys", "true" },
    { SCHEMA_indexes, "app.\"users: unique email\"", "options", "fillfactor=80" },
    { SCHEMA_indexes, "app.\"users: unique email\"", "include", "[\"name\"]" },
    { SCHEMA_indexes, "app.users_lower", "keys", "[null,\"id\"]" },
    { SCHEMA_indexes, "app.users_lower", "has_plain_keys", "false" },
    { SCHEMA_indexes, "app.users_lower", "predicate", "(price > (0)::numeric)" },
    { SCHEMA_indexes, "app.users_lower", "statistics", "{ \"1\" : 1000 }" },
    { SCHEMA_indexes, "app.users_lower", "comment", "for the list" },
    { SCHEMA_indexes, "app.users_mood_name", "options", "deduplicate_items=off, fillfactor=90" },
    { SCHEMA_indexes, "app.users_mood_name", "is_unique", "true" },
    { SCHEMA_indexes, "app.users_mood_name", "has_plain_keys", "false" },
    { SCHEMA_indexes, "app.users_plain", "has_plain_keys", "true" },
    { SCHEMA_indexes, "app.users_plain", "keys", "[\"mood\",\"created_at\"]" },
    { SCHEMA_indexes, "app.users_collated", "has_plain_keys", "false" },
    { SCHEMA_indexes, "app.users_gin", "method", "gin" },
    { SCHEMA_indexes, "app.users_gin", "options", "fastupdate=off" },
    { SCHEMA_indexes, "app.users_brin", "options", "pages_per_range=16" },
    { SCHEMA_indexes, "app.scratch_words", "has_plain_keys", "false" },
    { SCHEMA_indexes, "app.scratch_plain", "has_plain_keys", "true" },
    { SCHEMA_indexes, "app.events_user", "parent", NULL },
    { SCHEMA_indexes, "app.\"old by user\"", "parent", "app.events_user" },
    { SCHEMA_indexes, "app.old_key", "parent", "app.events_pkey" },
    { SCHEMA_indexes, "app.events_old_kind", "parent", NULL },

    { SCHEMA_sequences, "app.invoice_numbers", "type", "integer" },
    { SCHEMA_sequences, "app.invoice_numbers", "start_value", "1000" },
    { SCHEMA_sequences, "app.invoice_numbers", "increment", "5" },
    { SCHEMA_sequences, "app.invoice_numbers", "min_value", "10" },
    { SCHEMA_sequences, "app.invoice_numbers", "max_value", "100000" },
    { SCHEMA_sequences, "app.invoice_numbers", "cache", "20" },
    { SCHEMA_sequences, "app.invoice_numbers", "is_cycle", "true" },
    { SCHEMA_sequences, "app.invoice_numbers", "owned_by", NULL },
    { SCHEMA_sequences, "app.invoice_numbers", "comment", "for bills" },
    { SCHEMA_sequences, "app.invoice_numbers", "acl",
      "[" READER("U") ",\"postgres=rwU/postgres\"]" },
    { SCHEMA_sequences, "app.users_id_seq", "is_identity", "true" },
    { SCHEMA_sequences, "app.users_id_seq", "owned_by", "app.users.id" },
    { SCHEMA_sequences, "app.\"Заказы пользователя_id_seq\"", "owned_by", ORDERS ".id" },
    { SCHEMA_sequences, "app.\"Заказы пользователя_id_seq\"", "is_identity", "false" },

    { SCHEMA_triggers, "app.users.\"touch it\"", "enabled", "origin" },
    { SCHEMA_triggers, "app.users.\"touch it\"", "comment", "by hand" },
    { SCHEMA_triggers, "app.users.touch_all", "enabled", "disabled" },
    { SCHEMA_triggers, "app.users.touch_late", "enabled", "always" },
    { SCHEMA_triggers, "app.events.events_touch", "copy_of", NULL },
    { SCHEMA_triggers, "app.events_2024.events_touch", "copy_of", "app.events" },
    { SCHEMA_triggers, "app.events_2024.events_touch", "enabled", "disabled" },
    { SCHEMA_rules, "app.scratch.log_update", "enabled", "disabled" },
    { SCHEMA_rules, "app.scratch.no_delete", "comment", "keep" },
    { SCHEMA_policies, "app.users.own_rows", "command", "UPDATE" },
    { SCHEMA_policies, "app.users.own_rows", "roles", "\"pgmend reader\", pgmend_writer" },
    { SCHEMA_policies, "app.users.own_rows", "check_text", "(price < (100)::numeric)" },
    { SCHEMA_policies, "app.users.own_rows", "comment", "each his own" },
    { SCHEMA_policies, "app.users.\"see all\"", "is_permissive", "false" },
    { SCHEMA_policies, "app.users.\"see all\"", "roles", "PUBLIC" },
    { SCHEMA_policies, "app.users.\"see all\"", "using_text", "true" },
    { SCHEMA_statistics, "app.users_related", "target", "250" },
    { SCHEMA_statistics, "app.users_related", "comment", "they go together" },
    { SCHEMA_statistics, "app.\"by expression\"", "target", NULL },

    { SCHEMA_others, "access method heap2", "definition",
      "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler" },
    { SCHEMA_others, "cast (app.mood AS integer)", "definition",
      "CREATE CAST (app.mood AS integer) WITH FUNCTION app.mood_weight(app.mood) AS ASSIGNMENT" },
    { SCHEMA_others, "cast (app.mood AS integer)", "removal", "DROP CAST (app.mood AS integer)" },
    { SCHEMA_others, "collation app.sorted", "comment", "numbers by value" },
    { SCHEMA_others, "event trigger watch_ddl", "definition",
      "CREATE EVENT TRIGGER watch_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE', "
      "'DROP TABLE') EXECUTE FUNCTION app.on_ddl()\nALTER EVENT TRIGGER watch_ddl DISABLE" },
    { SCHEMA_others, "language plmend", "acl",
      "[\"=U/postgres\",\"pgmend_writer=U/postgres\",\"postgres=U/postgres\"]" },
    { SCHEMA_others, "operator app.!!(NONE, app.mood)", "removal",
      "DROP OPERATOR app.!!(NONE, app.mood)" },
    { SCHEMA_others, "publication all_of_it", "definition",
      "CREATE PUBLICATION all_of_it FOR ALL TABLES WITH (publish = 'insert, delete')" },
    { SCHEMA_others, "publication \"some\"", "comment", "for the copy" },
    { SCHEMA_others, "text search configuration app.russian_english", "definition",
      "CREATE TEXT SEARCH CONFIGURATION app.russian_english (PARSER = pg_catalog.\"default\")\n"
      "ALTER TEXT SEARCH CONFIGURATION app.russian_english ADD MAPPING FOR asciiword WITH "
      "app.words, pg_catalog.english_stem\n"
      "ALTER TEXT SEARCH CONFIGURATION app.russian_english ADD MAPPING FOR word WITH "
      "pg_catalog.russian_stem" },
    { SCHEMA_others, "default privileges FOR ROLE pgmend_writer ON FUNCTIONS", "definition",
      "ALTER DEFAULT PRIVILEGES FOR ROLE pgmend_writer REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC" },
    { SCHEMA_others, "default privileges FOR ROLE pgmend_writer ON FUNCTIONS", "removal",
      "ALTER DEFAULT PRIVILEGES FOR ROLE pgmend_writer GRANT EXECUTE ON FUNCTIONS TO PUBLIC" },
    { SCHEMA_others, "server \"другой сервер\"", "definition",
      "CREATE SERVER \"другой сервер\" TYPE 't' VERSION '1' FOREIGN DATA WRAPPER nowhere "
      "OPTIONS (host 'db', password '***')" },
};
/* clang-format on */

/* clang-format off */
static const struct expectation since_15[] = {
    { SCHEMA_constraints, "app.newer.newer_unique", "definition", "UNIQUE NULLS NOT DISTINCT (a, b)" },
    { SCHEMA_constraints, "app.newer.newer_fk", "on_delete", "SET NULL" },
    { SCHEMA_constraints, "app.newer.newer_fk", "definition",
      "FOREIGN KEY (user_id) REFERENCES app.users(id) ON DELETE SET NULL (user_id)" },
    { SCHEMA_indexes, "app.newer_unique", "nulls_not_distinct", "true" },
    { SCHEMA_indexes, "app.newer_b", "nulls_not_distinct", "true" },
    { SCHEMA_indexes, "app.newer_text", "nulls_not_distinct", "false" },
    { SCHEMA_tables, "app.invoker", "options", "security_invoker=true" },
    { SCHEMA_sequences, "app.unlogged_numbers", "persistence", "unlogged" },
    { SCHEMA_others, "publication filtered", "definition",
      "CREATE PUBLICATION filtered FOR TABLE ONLY app.newer (a, b) WHERE (((a > 5) AND (b <> "
      "'it''s'::text))) WITH (publish = 'insert, update, delete, truncate')" },
    { SCHEMA_others, "publication of_schema", "definition",
      "CREATE PUBLICATION of_schema FOR TABLE ONLY app.newer, TABLES IN SCHEMA \"Новая схема\" WITH "
      "(publish = 'insert, update, delete, truncate')" },
};
static const struct expectation since_18[] = {
    { SCHEMA_columns, "app.newest.twice", "is_virtual", "true" },
    { SCHEMA_columns, "app.newest.twice", "generated", "(a * 2)" },
    { SCHEMA_columns, "app.newest.b", "is_not_null", "true" },
    { SCHEMA_constraints, "app.newest.a_must_be_there", "kind", "not null" },
    { SCHEMA_constraints, "app.newest.a_must_be_there", "columns", "[\"a\"]" },
    { SCHEMA_constraints, "app.newest.c_later", "is_validated", "false" },
    { SCHEMA_constraints, "app.newest.newest_rooms", "definition",
      "UNIQUE (room, during WITHOUT OVERLAPS)" },
    { SCHEMA_constraints, "app.newest.newest_unenforced", "definition",
      "CHECK ((c > 0)) NOT ENFORCED" },
    { SCHEMA_others, "collation app.builtin", "definition",
      "CREATE COLLATION app.builtin (provider = builtin, locale = 'C.UTF-8')" },
    { SCHEMA_others, "collation app.ruled", "definition",
      "CREATE COLLATION app.ruled (provider = icu, locale = 'und', rules = '&a < g')" },
    { SCHEMA_types, "app.filled_in", "is_not_null", "true" },
};
/* clang-format on */

static void
check_members(struct bench *bench, const struct expectation *list, size_t count)
{
    struct buffer problems = { .arena = bench->ctx.arena };

    for (size_t i = 0; i < count; i++) {
        const struct expectation *wanted = &list[i];
        const void *item = find(bench, wanted->class, wanted->identity);

        if (!item) {
            buffer_printf(&problems, "%s is missing\n", wanted->identity);
            continue;
        }

        const char *value = member_of(bench, wanted->class, item, wanted->member);

        if (!text_equal(value, wanted->value) && (value || wanted->value))
            buffer_printf(&problems, "%s, %s: %s, not %s\n", wanted->identity, wanted->member,
                value ? value : "(null)", wanted->value ? wanted->value : "(null)");
    }
    if (problems.length > 0)
        fail_msg("%s", buffer_text(&problems));
}

static void
test_members(void **state)
{
    struct bench *bench = *state;

    check_members(bench, expectations, COUNT_OF(expectations));
    if (db_major(bench->db) >= 15)
        check_members(bench, since_15, COUNT_OF(since_15));
    if (db_major(bench->db) < 18)
        return;
    check_members(bench, since_18, COUNT_OF(since_18));
    /* Those that have the name that the server gives are told by their columns. */
    for (size_t i = 0; i < bench->schema.constraints.count; i++) {
        const struct sql_schema_constraints *constraint = &bench->schema.constraints.items[i];

        if (strcmp(constraint->kind, "not null") == 0)
            assert_string_equal(constraint->table_name, "newest");
    }
}

/* The number of entries with this word in a list of contents. */
static size_t
count_entries(const char *toc, const char *word)
{
    size_t length = strlen(word);
    size_t count = 0;

    for (const char *line = toc; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        int start = 0;

        /* "215; 1259 16402 TABLE app users postgres"; longer words begin alike. */
        if (sscanf(line, "%*d; %*u %*u %n", &start) < 0 || start == 0)
            continue;
        count += strncmp(line + start, word, length) == 0 && line[start + (int)length] == ' ';
    }
    return count;
}

/*
 * pg_dump has as many of everything. An index or constraint of a partition that pg_dump attaches
 * ("INDEX ATTACH") is left out by us unless its name is its own; check constraints that stand in
 * their table are no entries.
 */
static void
test_numbers_are_those_of_pg_dump(void **state)
{
    struct bench *bench = *state;
    const struct schema *schema = &bench->schema;
    const char *folder = test_folder(&bench->ctx);
    const char *file = file_join(bench->ctx.arena, folder, "schema.dump");
    const char *version = run_program(bench, (const char *[]){ "pg_dump", "--version", NULL });

    /* "pg_dump (PostgreSQL) 15.18": it reads no newer server. */
    if (strtol(strchr(version, ')') + 1, NULL, 10) < db_major(bench->db)) {
        must(bench, file_remove(&bench->ctx, folder));
        skip();
    }

    run_program(
        bench, (const char *[]){ "pg_dump", "-s", "-Fc", "-f", file, "-d", bench->names[0], NULL });

    const char *toc = run_program(bench, (const char *[]){ "pg_restore", "-l", file, NULL });
    size_t tables = count_entries(toc, "TABLE") - count_entries(toc, "TABLE ATTACH");
    size_t indexes = count_entries(toc, "INDEX") - count_entries(toc, "INDEX ATTACH");

    must(bench, file_remove(&bench->ctx, folder));
    /* The standard schema has an entry when it is not as it is made by 15 and later. */
    assert_int_equal(
        schema->schemas.count, count_entries(toc, "SCHEMA") + (db_major(bench->db) >= 15));
    assert_int_equal(schema->extensions.count, count_entries(toc, "EXTENSION"));
    assert_int_equal(schema->tables.count, tables + count_entries(toc, "VIEW") +
                                               count_entries(toc, "MATERIALIZED VIEW") +
                                               count_entries(toc, "FOREIGN TABLE"));
    assert_int_equal(
        schema->types.count, count_entries(toc, "TYPE") + count_entries(toc, "DOMAIN"));
    assert_int_equal(schema->functions.count, count_entries(toc, "FUNCTION") +
                                                  count_entries(toc, "PROCEDURE") +
                                                  count_entries(toc, "AGGREGATE"));
    assert_int_equal(schema->triggers.count, count_entries(toc, "TRIGGER"));
    assert_int_equal(schema->rules.count, count_entries(toc, "RULE"));
    assert_int_equal(schema->policies.count, count_entries(toc, "POLICY"));
    assert_int_equal(schema->statistics.count, count_entries(toc, "STATISTICS"));
    assert_int_equal(schema->sequences.count,
        count_entries(toc, "SEQUENCE") - count_entries(toc, "SEQUENCE OWNED"));

    size_t plain = 0;
    size_t keys = 0;

    for (size_t i = 0; i < schema->indexes.count; i++)
        plain += !schema->indexes.items[i].constraint_name;
    for (size_t i = 0; i < schema->constraints.count; i++)
        keys += schema->constraints.items[i].index_name != NULL;
    /* Four partitions have the index on user_id by its name, and four the primary key. */
    assert_int_equal(plain, indexes - 4);
    assert_int_equal(keys, count_entries(toc, "CONSTRAINT") - 4);
}

/* The server's own words, whatever we leave to it and whatever we write ourselves. */
static void
test_definitions_are_the_servers(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < bench->schema.indexes.count; i++) {
        const struct sql_schema_indexes *index = &bench->schema.indexes.items[i];
        const char *name = db_qualified(bench->ctx.arena, index->schema, index->name);
        const char *definition = value_of(
            bench, arena_printf(bench->ctx.arena, "SELECT pg_catalog.pg_get_indexdef(%s::regclass)",
                       db_literal(bench->ctx.arena, name)));

        assert_string_equal(index->definition, definition);
    }
    assert_int_equal(bench->schema.columns.count,
        strtoul(
            value_of(bench, "SELECT count(*) FROM pg_attribute AS a JOIN pg_class AS c ON "
                            "c.oid = attrelid WHERE attnum > 0 AND NOT attisdropped AND relkind "
                            "IN ('r', 'v', 'm', 'f', 'p') AND relnamespace IN "
                            "('app'::regnamespace, '\"Новая схема\"'::regnamespace)"),
            NULL, 10));
}

static void
test_order_is_that_of_the_keys(void **state)
{
    struct bench *bench = *state;
    const char *before = "";

    for (size_t class = 0; class < SCHEMA_CLASS_COUNT; class ++) {
        struct rows rows = schema_rows(&bench->schema, (enum schema_class) class);

        /* An exception is told by its own field. */
        if (class == SCHEMA_columns)
            continue;
        before = "";
        for (size_t i = 0; i < rows.count; i++) {
            const void *item = schema_item(&bench->schema, (enum schema_class) class, i);
            struct buffer key = { .arena = bench->ctx.arena };

            for (const char *word = schema_classes[class].key; *word; word += strspn(word, " ")) {
                size_t length = strcspn(word, " ");
                const char *name = arena_strndup(bench->ctx.arena, word, length);

                buffer_add(&key, member_of(bench, (enum schema_class) class, item, name));
                buffer_add(&key, "\x01");
                word += length;
            }
            if (strcmp(before, buffer_text(&key)) >= 0)
                fail_msg("\"%s\" before \"%s\"", before, buffer_text(&key));
            before = buffer_text(&key);
        }
    }
    for (size_t i = 1; i < bench->schema.columns.count; i++) {
        const struct sql_schema_columns *column = &bench->schema.columns.items[i];
        bool is_next = column->position == column[-1].position + 1 &&
                       strcmp(column->table_name, column[-1].table_name) == 0;

        assert_true(is_next || column->position == 1);
    }
}

struct link {
    const char *class;
    const char *identity;
    const char *on_class;
    const char *on_identity;
    bool is_there;
};

/* clang-format off */
static const struct link links[] = {
    { "tables", "app.happy_users", "tables", "app.users", true },
    { "tables", "app.happy_users", "columns", "app.users.mood", true },
    { "tables", "app.view_of_view", "functions", "app.add(integer, integer)", true },
    { "tables", "app.events_2025_a", "tables", "app.events_2025", true },
    { "tables", "app.dogs", "tables", "app.things", true },
    { "tables", "app.users", "types", "app.mood", true },
    { "tables", "app.typed", "types", "app.\"Postal Address\"", true },
    { "tables", "app.users", "others", "collation app.sorted", true },
    { "tables", "app.far_away", "others", "server \"другой сервер\"", true },
    { "columns", ORDERS ".number", "sequences", "app.invoice_numbers", true },
    { "constraints", ORDERS ".fk_user", "constraints", "app.users.users_pkey", true },
    { "indexes", "app.users_gin", "others", "text search configuration app.russian_english", true },
    { "triggers", "app.users.touch_all", "functions", "app.touch()", true },
    { "others", "event trigger watch_ddl", "functions", "app.on_ddl()", true },
    { "others", "transform FOR app.mood LANGUAGE sql", "types", "app.mood", true },
    { "others", "publication \"some\"", "tables", "app.users", true },
    { "others", "operator app.<%(app.mood, integer)", "types", "app.mood", true },
    { "others", "operator class app.weight_ops USING btree", "others",
        "operator family app.weights USING btree", true },
    { "tables", "app.other_method", "others", "access method heap2", true },
    { "others", "cast (app.mood AS integer)", "functions", "app.mood_weight(app.mood)", true },
    { "functions", "app.as_table(app.mood)", "types", "app.mood", true },
    /* What goes without saying, and what would be a circle. */
    { "indexes", "app.users_plain", "tables", "app.users", false },
    { "sequences", "app.users_id_seq", "tables", "app.users", false },
    { "sequences", "app.\"Заказы пользователя_id_seq\"", "tables", ORDERS, false },
    { "constraints", "app.events_2024.events_user_id_fkey", "tables", "app.users", false },
};
/* clang-format on */

static void
test_dependencies(void **state)
{
    struct bench *bench = *state;
    const struct sql_schema_dependencies_rows *rows = &bench->schema.dependencies;

    for (size_t i = 0; i < COUNT_OF(links); i++) {
        bool is_there = false;

        for (size_t row = 0; row < rows->count; row++) {
            const struct sql_schema_dependencies *found = &rows->items[row];

            is_there |= strcmp(found->class, links[i].class) == 0 &&
                        strcmp(found->identity, links[i].identity) == 0 &&
                        strcmp(found->on_class, links[i].on_class) == 0 &&
                        strcmp(found->on_identity, links[i].on_identity) == 0;
        }
        if (is_there != links[i].is_there)
            fail_msg("%s → %s", links[i].identity, links[i].on_identity);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_numbers_are_those_of_pg_dump),
        cmocka_unit_test(test_definitions_are_the_servers),
        cmocka_unit_test(test_order_is_that_of_the_keys),
        cmocka_unit_test(test_dependencies),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
