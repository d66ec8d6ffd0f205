/* SQL text to steps: each row says in short what the server would do with the statement. */
#include "support/test.h"

#include <pthread.h>

#include "base/text.h"
#include "migrate/step.h"

static struct steps
lower(struct ctx *ctx, const char *text)
{
    struct steps steps = { 0 };
    struct sql_source source = { .text = text,
        .operation = "execute",
        .place = { .file = "a.py", .line = 10, .column = 5, .end_line = 20 },
        .lines_follow = true };

    assert_true(steps_from_sql(ctx, &source, &steps));
    return steps;
}

static void
add(struct buffer *text, const char *name, const char *value)
{
    if (value)
        buffer_printf(text, " %s=%s", name, value);
}

static void
add_object(struct buffer *text, const char *name, struct object_name object)
{
    if (object.name)
        buffer_printf(text, " %s=%s%s%s", name, object.schema ? object.schema : "",
            object.schema ? "." : "", object.name);
}

static void
add_list(struct buffer *text, const char *name, const struct text_list *list)
{
    if (list->count > 0)
        buffer_printf(text, " %s=%s", name, text_list_join(text->arena, list, ","));
}

static void
add_flags(struct buffer *text, const struct step *step)
{
    const struct {
        bool is_set;
        const char *name;
    } flags[] = { { step->if_exists, "if_exists" }, { step->if_not_exists, "if_not_exists" },
        { step->or_replace, "or_replace" }, { step->cascade, "cascade" },
        { step->concurrently, "concurrently" }, { step->is_partitioned, "partitioned" },
        { step->is_temporary, "temporary" }, { step->is_only, "only" },
        { step->has_where, "where" }, { step->is_full, "full" },
        { step->is_as_select, "as_select" }, { step->has_order, "order" },
        { step->is_local, "local" } };

    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if (flags[i].is_set)
            buffer_printf(text, " +%s", flags[i].name);
}

static const char *
default_name(enum default_kind kind)
{
    static const char *const names[] = { "none", "constant", "volatile", "unknown" };

    return names[kind];
}

static void
add_column(struct buffer *text, const struct column *column)
{
    buffer_printf(text, "\n  %s %s", column->name ? column->name : "?",
        type_text(text->arena, &column->type));
    add(text, "collate", column->type.collation);
    if (column->default_text || column->default_kind != DEFAULT_NONE)
        buffer_printf(text, " default=%s:%s", default_name(column->default_kind),
            column->default_text ? column->default_text : "?");
    buffer_printf(text, "%s%s%s%s", column->is_not_null ? " +not_null" : "",
        column->is_serial ? " +serial" : "", column->is_identity ? " +identity" : "",
        column->is_generated ? " +generated" : "");
}

static void
add_constraint(struct buffer *text, const struct constraint *constraint)
{
    static const char *const kinds[] = { "primary", "unique", "check", "foreign", "exclude", "?" };

    buffer_printf(
        text, "\n  %s%s", constraint->is_inline ? "inline " : "", kinds[constraint->kind]);
    add(text, "name", constraint->name);
    add_list(text, "columns", &constraint->columns);
    add_object(text, "target", constraint->target);
    add_list(text, "target_columns", &constraint->target_columns);
    add(text, "expression", constraint->expression);
    add(text, "on_delete", constraint->on_delete);
    add(text, "using_index", constraint->using_index);
    buffer_printf(text, "%s%s%s", constraint->is_not_valid ? " +not_valid" : "",
        constraint->is_deferrable ? " +deferrable" : "",
        constraint->is_name_unknown ? " +name_unknown" : "");
}

static void
add_index(struct buffer *text, const struct index *index)
{
    buffer_printf(text, "\n  index %s%s%s", index->method, index->is_unique ? " +unique" : "",
        index->nulls_not_distinct ? " +nulls_not_distinct" : "");
    add_list(text, "include", &index->include);
    add(text, "where", index->where);
    add_list(text, "uses", &index->uses);
    for (size_t i = 0; i < index->keys.count; i++) {
        const struct index_key *key = &index->keys.items[i];

        buffer_add(text, "\n    key");
        add(text, "column", key->column);
        add(text, "expression", key->expression);
        add(text, "opclass", key->opclass);
        add(text, "order", key->order);
    }
}

static const char *
describe(struct ctx *ctx, const struct steps *steps)
{
    static const char *const reaches[] = { "data", "table", "all" };
    struct buffer text = { .arena = ctx->arena };

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];

        buffer_printf(&text, "%s%s", i > 0 ? "\n" : "", step_kind_name(step->kind));
        add_object(&text, "object", step->object);
        add_object(&text, "table", step->table);
        add(&text, "column", step->column);
        add(&text, "new", step->new_name);
        add(&text, "name", step->constraint_name);
        add(&text, "parent", step->parent);
        add(&text, "setting", step->setting);
        add(&text, "value", step->setting_value);
        if (step->type.name || step->type.unknown)
            add(&text, "type", type_text(ctx->arena, &step->type));
        add(&text, "using", step->using_text);
        if (step->default_text)
            buffer_printf(
                &text, " default=%s:%s", default_name(step->default_kind), step->default_text);
        add_list(&text, "values", &step->values);
        add_list(&text, "tables", &step->tables);
        add_flags(&text, step);
        if (step->unknown)
            buffer_printf(&text, " unknown(%s)=%s", reaches[step->reach], step->unknown);
        for (size_t k = 0; k < step->conditions.count; k++)
            buffer_printf(&text, " [%s]", step->conditions.items[k].text);
        for (size_t k = 0; k < step->columns.count; k++)
            add_column(&text, &step->columns.items[k]);
        for (size_t k = 0; k < step->constraints.count; k++)
            add_constraint(&text, &step->constraints.items[k]);
        if (step->index)
            add_index(&text, step->index);
    }
    return buffer_text(&text);
}

struct row {
    const char *sql;
    const char *wanted;
};

static void
check_rows(struct ctx *ctx, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct steps steps = lower(ctx, rows[i].sql);
        const char *got = describe(ctx, &steps);

        if (!text_equal(got, rows[i].wanted))
            fail_msg("%s\n--- wanted\n%s\n--- got\n%s", rows[i].sql, rows[i].wanted, got);
    }
}

#define CHECK(state, rows) check_rows(*(state), rows, COUNT_OF(rows))

static void
tables_are_created(void **state)
{
    static const struct row rows[] = {
        { "CREATE TABLE IF NOT EXISTS s.\"T\" (id bigserial PRIMARY KEY, "
          "Name varchar(20) COLLATE \"C\" NOT NULL DEFAULT 'a, b' UNIQUE, "
          "at timestamptz(3) DEFAULT (now() AT TIME ZONE 'utc') NOT NULL, "
          "n numeric(10,2)[] CHECK (n IS NOT NULL), "
          "g int GENERATED ALWAYS AS (id * 2) STORED, i int GENERATED BY DEFAULT AS IDENTITY, "
          "o int REFERENCES x.o (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, "
          "v vector(1536), p geometry(Point,4326), u uuid DEFAULT gen_random_uuid())",
            "create table object=s.T +if_not_exists"
            "\n  id bigint +not_null +serial"
            "\n  name character varying(20) collate=C default=constant:'a, b' +not_null"
            "\n  at timestamp(3) with time zone default=constant:(now() AT TIME ZONE 'utc') "
            "+not_null"
            "\n  n numeric(10,2)[]"
            "\n  g integer default=none:id * 2 +generated"
            "\n  i integer +not_null +identity"
            "\n  o integer"
            "\n  v vector(1536)"
            "\n  p geometry(Point,4326)"
            "\n  u uuid default=volatile:gen_random_uuid()"
            "\n  inline primary columns=id"
            "\n  inline unique columns=name"
            "\n  inline check columns=n expression=n IS NOT NULL"
            "\n  inline foreign columns=o target=x.o target_columns=id on_delete=CASCADE "
            "+deferrable" },
        { "CREATE TABLE t (a int, b int, CONSTRAINT pk PRIMARY KEY (a, b), UNIQUE (b), "
          "CONSTRAINT ck CHECK (a > b AND lower('x') = 'x') NOT VALID, "
          "CONSTRAINT fk FOREIGN KEY (a, b) REFERENCES o ON DELETE SET NULL, "
          "CONSTRAINT ex EXCLUDE USING gist (a WITH =, b WITH &&) WHERE (a > 1))",
            "create table object=t"
            "\n  a integer"
            "\n  b integer"
            "\n  primary name=pk columns=a,b"
            "\n  unique columns=b"
            "\n  check name=ck columns=a,b expression=a > b AND lower('x') = 'x' +not_valid"
            "\n  foreign name=fk columns=a,b target=o on_delete=SET NULL"
            "\n  exclude name=ex columns=a,b "
            "expression=USING gist (a WITH =, b WITH &&) WHERE (a > 1)" },
        { "CREATE TABLE t (LIKE s.o INCLUDING ALL, x text)",
            "create table object=t tables=s.o unknown(table)=columns are copied with LIKE"
            "\n  x text" },
        { "CREATE TABLE t (x text) INHERITS (a, s.b)",
            "create table object=t parent=a tables=s.b\n  x text" },
        { "CREATE TABLE t (a int) PARTITION BY RANGE (a)",
            "create table object=t +partitioned\n  a integer" },
        { "CREATE TABLE t1 PARTITION OF s.t FOR VALUES FROM (1) TO (2)",
            "create table object=t1 parent=s.t" },
        { "CREATE TEMP TABLE t AS SELECT * FROM a JOIN s.b USING (x)",
            "create table object=t tables=a,s.b +temporary +as_select" },
        { "SELECT x INTO t FROM a", "create table object=t tables=a +as_select" },
        { "CREATE FOREIGN TABLE t (a int) SERVER s", "create table object=t\n  a integer" },
        { "CREATE SCHEMA s CREATE TABLE t (a int) CREATE VIEW v AS SELECT a FROM t",
            "create schema object=s\ncreate table object=s.t\n  a integer\n"
            "create view object=s.v tables=s.t" },
    };

    CHECK(state, rows);
}

static void
alter_table_is_a_step_a_command(void **state)
{
    static const struct row rows[] = {
        { "ALTER TABLE ONLY s.t ADD COLUMN IF NOT EXISTS a int DEFAULT 1 NOT NULL, "
          "DROP COLUMN IF EXISTS b CASCADE, "
          "ALTER COLUMN c TYPE numeric(10,2) USING (c || ',')::numeric(10,2), "
          "ALTER d SET DEFAULT coalesce(1, 2), ALTER d DROP DEFAULT, ALTER e SET NOT NULL, "
          "ALTER e DROP NOT NULL, ALTER f SET DEFAULT random()",
            "add column object=s.t column=a +if_not_exists +only"
            "\n  a integer default=constant:1 +not_null\n"
            "drop column object=s.t column=b +if_exists +cascade +only\n"
            "alter column type object=s.t column=c type=numeric(10,2) "
            "using=(c || ',')::numeric(10,2) +only\n"
            "set default object=s.t column=d default=constant:coalesce(1, 2) +only\n"
            "drop default object=s.t column=d +only\n"
            "set not null object=s.t column=e +only\n"
            "drop not null object=s.t column=e +only\n"
            "set default object=s.t column=f default=volatile:random() +only" },
        { "ALTER TABLE IF EXISTS t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES s.o (x) NOT VALID, "
          "ADD CHECK (a > 1), ADD CONSTRAINT p PRIMARY KEY USING INDEX ix, "
          "VALIDATE CONSTRAINT v, DROP CONSTRAINT IF EXISTS d CASCADE",
            "add constraint object=t name=c +if_exists"
            "\n  foreign name=c columns=a target=s.o target_columns=x +not_valid\n"
            "add constraint object=t +if_exists\n  check columns=a expression=a > 1\n"
            "add constraint object=t name=p +if_exists\n  primary name=p using_index=ix\n"
            "validate constraint object=t name=v +if_exists\n"
            "drop constraint object=t name=d +if_exists +cascade" },
    };

    CHECK(state, rows);
}

static void
alter_table_does_anything_else(void **state)
{
    static const struct row rows[] = {
        { "ALTER TABLE t ADD a int CONSTRAINT nn NOT NULL CONSTRAINT ck CHECK (a > 0) "
          "REFERENCES o",
            "add column object=t column=a"
            "\n  a integer +not_null"
            "\n  inline check name=ck columns=a expression=a > 0"
            "\n  inline foreign columns=a target=o" },
        { "ALTER TABLE t ALTER a ADD GENERATED ALWAYS AS IDENTITY, ALTER a SET GENERATED ALWAYS, "
          "ALTER a DROP IDENTITY",
            "add, set or drop identity object=t column=a setting=ADD GENERATED AS IDENTITY\n"
            "add, set or drop identity object=t column=a setting=SET GENERATED\n"
            "add, set or drop identity object=t column=a setting=DROP IDENTITY" },
        { "ALTER TABLE t SET (fillfactor=70, autovacuum_enabled=off), ALTER a SET STATISTICS 100, "
          "ALTER a SET STORAGE EXTERNAL, ENABLE ROW LEVEL SECURITY, OWNER TO joe, CLUSTER ON ix, "
          "DISABLE TRIGGER ALL, REPLICA IDENTITY FULL, SET UNLOGGED, INHERIT p, "
          "DISABLE TRIGGER tr",
            "alter table object=t setting=SET (fillfactor, autovacuum_enabled)\n"
            "alter table object=t column=a setting=SET STATISTICS\n"
            "alter table object=t column=a setting=SET STORAGE\n"
            "alter table object=t setting=ENABLE ROW LEVEL SECURITY\n"
            "alter table object=t setting=OWNER TO\n"
            "alter table object=t name=ix setting=CLUSTER ON\n"
            "alter table object=t setting=DISABLE TRIGGER\n"
            "alter table object=t setting=REPLICA IDENTITY\n"
            "alter table object=t setting=SET UNLOGGED\n"
            "alter table object=t parent=p setting=INHERIT\n"
            "alter table object=t name=tr setting=DISABLE TRIGGER" },
        { "ALTER TABLE p ATTACH PARTITION s.q FOR VALUES IN (1)",
            "attach partition object=s.q parent=p" },
        { "ALTER TABLE p DETACH PARTITION q CONCURRENTLY",
            "detach partition object=q parent=p +concurrently" },
        { "ALTER TABLE a RENAME TO b", "rename table object=a new=b" },
        { "ALTER TABLE IF EXISTS s.a RENAME COLUMN x TO y",
            "rename column object=s.a column=x new=y +if_exists" },
        { "ALTER TABLE a RENAME CONSTRAINT x TO y", "rename constraint object=a new=y name=x" },
        { "ALTER TABLE a SET SCHEMA s", "set schema object=a new=s" },
    };

    CHECK(state, rows);
}

static void
indexes_have_their_keys(void **state)
{
    static const struct row rows[] = {
        { "CREATE INDEX ix ON t (a, b DESC)",
            "create index object=ix table=t"
            "\n  index btree\n    key column=a\n    key column=b order=DESC" },
        { "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix ON s.t USING gin "
          "(lower(a) COLLATE \"C\" text_pattern_ops DESC NULLS LAST, (c || ',' || d), \"B\") "
          "INCLUDE (e) NULLS NOT DISTINCT WITH (fastupdate=off) WHERE x > 1 AND y IN (2, 3)",
            "create index object=s.ix table=s.t +if_not_exists +concurrently"
            "\n  index gin +unique +nulls_not_distinct include=e "
            "where=x > 1 AND y IN (2, 3) uses=a,c,d,x,y"
            "\n    key expression=lower(a) opclass=text_pattern_ops order=DESC NULLS LAST"
            "\n    key expression=c || ',' || d"
            "\n    key column=B" },
        { "CREATE INDEX ON t (a)", "create index table=t\n  index btree\n    key column=a" },
        { "CREATE INDEX ON ONLY t USING hnsw (v vector_cosine_ops) WITH (m = 16)",
            "create index table=t +only\n  index hnsw\n    key column=v "
            "opclass=vector_cosine_ops" },
        { "DROP INDEX CONCURRENTLY IF EXISTS s.a, b CASCADE",
            "drop index object=s.a +if_exists +cascade +concurrently\n"
            "drop index object=b +if_exists +cascade +concurrently" },
        { "ALTER INDEX a RENAME TO b", "rename index object=a new=b" },
        { "ALTER INDEX a SET (fillfactor=70)",
            "other statement object=a setting=ALTER INDEX SET (fillfactor)" },
        { "ALTER INDEX p ATTACH PARTITION q",
            "other statement object=q parent=p setting=ALTER INDEX attach partition" },
        { "REINDEX TABLE CONCURRENTLY t", "reindex object=t table=t +concurrently" },
        { "REINDEX (VERBOSE) INDEX ix", "reindex object=ix" },
        { "CLUSTER t USING ix", "cluster object=t name=ix" },
    };

    CHECK(state, rows);
}

static void
types_and_domains(void **state)
{
    static const struct row rows[] = {
        { "CREATE TYPE s.m AS ENUM ('a', 'B c')", "create enum type object=s.m values=a,B c" },
        { "ALTER TYPE s.m ADD VALUE IF NOT EXISTS 'x' BEFORE 'a'",
            "add enum value object=s.m new=x +if_not_exists +order" },
        { "ALTER TYPE m ADD VALUE 'x'", "add enum value object=m new=x" },
        { "ALTER TYPE m RENAME VALUE 'a' TO 'b'", "rename enum value object=m new=b values=a" },
        { "ALTER TYPE m RENAME TO n", "rename type object=m new=n" },
        { "ALTER TYPE m SET SCHEMA s",
            "other statement object=m new=s setting=ALTER TYPE SET SCHEMA "
            "unknown(all)=a type moves to another schema" },
        { "ALTER TYPE m ADD ATTRIBUTE a int",
            "other statement object=m column=a setting=ALTER TYPE ADD ATTRIBUTE +only"
            "\n  a integer" },
        { "ALTER TYPE m OWNER TO joe", "other statement object=m setting=ALTER TYPE OWNER TO" },
        { "CREATE TYPE m AS (a int, b text)", "create type object=m\n  a integer\n  b text" },
        { "CREATE TYPE m AS RANGE (subtype = float8)", "create type object=m" },
        { "DROP TYPE IF EXISTS s.a, b CASCADE",
            "drop type object=s.a +if_exists +cascade\ndrop type object=b +if_exists +cascade" },
        { "CREATE DOMAIN d AS varchar(9) DEFAULT 'x' CONSTRAINT z CHECK (VALUE > 'a') NOT NULL",
            "create domain object=d type=character varying(9) default=constant:'x'"
            "\n  check name=z expression=VALUE > 'a'" },
        { "ALTER DOMAIN d ADD CONSTRAINT z CHECK (value > 1) NOT VALID",
            "alter domain object=d setting=ADD CONSTRAINT"
            "\n  check name=z expression=value > 1 +not_valid" },
        { "ALTER DOMAIN d SET NOT NULL", "alter domain object=d setting=SET NOT NULL" },
        { "ALTER DOMAIN d DROP CONSTRAINT IF EXISTS z",
            "alter domain object=d name=z setting=DROP CONSTRAINT +if_exists" },
        { "DROP DOMAIN d", "drop type object=d" },
    };

    CHECK(state, rows);
}

static void
other_objects(void **state)
{
    static const struct row rows[] = {
        { "CREATE SEQUENCE IF NOT EXISTS s.q OWNED BY s.t.id",
            "create sequence object=s.q table=s.t column=id setting=OWNED BY +if_not_exists" },
        { "ALTER SEQUENCE q OWNED BY NONE", "alter sequence object=q setting=OWNED BY" },
        { "ALTER SEQUENCE IF EXISTS q RESTART WITH 5", "alter sequence object=q +if_exists" },
        { "DROP SEQUENCE q", "drop sequence object=q" },
        { "CREATE OR REPLACE VIEW s.v AS WITH c AS (SELECT 1 FROM z) SELECT a.x FROM a, s.b, c "
          "WHERE a.z IN (SELECT z FROM d)",
            "create view object=s.v tables=a,s.b,d,z +or_replace" },
        { "CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT 1 FROM a",
            "create view object=v tables=a +if_not_exists" },
        { "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
            "refresh materialized view object=v +concurrently" },
        { "DROP MATERIALIZED VIEW v", "drop view object=v" },
        { "CREATE SCHEMA IF NOT EXISTS s", "create schema object=s +if_not_exists" },
        { "DROP SCHEMA s CASCADE", "drop schema object=s +cascade" },
        { "ALTER SCHEMA a RENAME TO b",
            "other statement object=a new=b name=a setting=ALTER SCHEMA RENAME "
            "unknown(all)=a schema gets another name" },
        { "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\" WITH SCHEMA x",
            "create extension object=uuid-ossp value=x +if_not_exists" },
        { "DROP EXTENSION vector", "drop extension object=vector" },
        { "CREATE OR REPLACE FUNCTION s.f(a int) RETURNS trigger LANGUAGE plpgsql AS "
          "$f$ BEGIN DROP TABLE x; RETURN NEW; END; $f$; DROP FUNCTION f(int), s.g",
            "create function object=s.f +or_replace\ndrop function object=f\n"
            "drop function object=s.g" },
        { "CREATE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3",
            "create function object=p\nselect" },
        { "CREATE TRIGGER tr AFTER INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION f()",
            "create trigger object=tr table=s.t name=tr" },
        { "DROP TRIGGER IF EXISTS tr ON s.t",
            "drop trigger object=tr table=s.t name=tr +if_exists" },
        { "CREATE POLICY p ON t USING (a > 1)", "create policy object=p table=t name=p" },
        { "DROP POLICY p ON t", "drop policy object=p table=t name=p" },
        { "CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING",
            "other statement object=r table=t name=r setting=CREATE RULE" },
        { "CREATE STATISTICS IF NOT EXISTS s (dependencies) ON a, b FROM t",
            "create statistics object=s table=t values=a,b +if_not_exists" },
        { "DROP STATISTICS s", "drop statistics object=s" },
        { "COMMENT ON COLUMN s.t.c IS 'x'",
            "comment object=s.t table=s.t column=c setting=COLUMN" },
        { "COMMENT ON TABLE t IS NULL", "comment object=t setting=TABLE" },
        { "GRANT SELECT ON t, s.u TO joe", "grant or revoke object=t setting=GRANT tables=t,s.u" },
        { "REVOKE joe FROM jim", "grant or revoke setting=REVOKE" },
        { "CREATE CAST (a AS b) WITHOUT FUNCTION", "other statement setting=CREATE CAST" },
        { "CREATE OPERATOR + (leftarg=a, rightarg=b, function=f)",
            "other statement object=+ setting=CREATE OPERATOR" },
        { "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()",
            "other statement setting=CREATE EVENT TRIGGER" },
        { "CALL f()", "other statement setting=CALL unknown(data)=the procedure is not followed" },
        { "SAVEPOINT x", "other statement setting=SAVEPOINT" },
    };

    CHECK(state, rows);
}

static void
rows_are_changed(void **state)
{
    static const struct row rows[] = {
        { "UPDATE ONLY s.t AS q SET a = 1 FROM u WHERE q.id = u.id",
            "update object=s.t tables=u +only +where" },
        { "UPDATE t SET a = (SELECT max(x) FROM u)", "update object=t tables=u" },
        { "DELETE FROM t USING u", "delete object=t tables=u" },
        { "INSERT INTO t (a) VALUES (1), (2) ON CONFLICT DO NOTHING", "insert object=t" },
        { "INSERT INTO t SELECT * FROM s.u", "insert object=t tables=s.u" },
        { "WITH x AS (DELETE FROM a WHERE b RETURNING *) INSERT INTO c SELECT * FROM x",
            "delete object=a +where\ninsert object=c tables=a" },
        { "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE",
            "update object=t tables=u +where" },
        { "TRUNCATE a, s.b CASCADE", "truncate object=a values=a,s.b +cascade" },
        { "SELECT setval('q', max(id)) FROM t", "select tables=t" },
        { "SHOW lock_timeout", "select" },
        { "COPY t FROM STDIN", "copy object=t" },
        { "LOCK TABLE a, s.b IN SHARE ROW EXCLUSIVE MODE",
            "lock table object=a setting=SHARE ROW EXCLUSIVE values=a,s.b" },
        { "SET LOCAL lock_timeout = '5s'", "set setting=lock_timeout value='5s' +local" },
        { "SET search_path TO a, b", "set setting=search_path value=a, b" },
        { "SELECT set_config('lock_timeout', '3s', true)",
            "set setting=lock_timeout value=3s +local" },
        { "RESET ALL", "set setting=RESET ALL" },
        { "BEGIN; START TRANSACTION; COMMIT; END; ROLLBACK",
            "begin\nbegin\ncommit\ncommit\nrollback" },
        { "VACUUM (FULL, VERBOSE) t; VACUUM FULL; VACUUM (FULL false) t; ANALYZE t",
            "vacuum object=t values=t +full\nvacuum +full\nvacuum object=t values=t\n"
            "analyze object=t values=t" },
    };

    CHECK(state, rows);
}

static void
do_blocks_with_guards_are_followed(void **state)
{
    static const struct row rows[] = {
        { "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'm') THEN "
          "CREATE TYPE m AS ENUM ('a'); END IF; END $$",
            "create enum type object=m values=a +if_not_exists" },
        { "DO $$ BEGIN CREATE TYPE m AS ENUM ('a'); "
          "EXCEPTION WHEN duplicate_object THEN null; END $$;",
            "create enum type object=m values=a +if_not_exists" },
        { "DO 'BEGIN ALTER TABLE t ADD CONSTRAINT c CHECK (a <> ''x''); "
          "EXCEPTION WHEN others THEN RAISE NOTICE ''x''; END'",
            "add constraint object=t name=c [EXCEPTION WHEN others]"
            "\n  check name=c columns=a expression=a <> 'x'" },
        { "DO $$ BEGIN UPDATE t SET a = 1; IF x > 1 THEN EXECUTE 'DROP TABLE u'; "
          "ELSIF y THEN DROP TABLE v; ELSE NULL; END IF; END $$ LANGUAGE plpgsql",
            "update object=t\ndrop table object=u [IF x > 1]\n"
            "drop table object=v [ELSIF y]" },
        { "DO $$ BEGIN NULL; END $$", "do" },
        { "DO $$ DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP EXECUTE 'DROP TABLE ' || r; "
          "END LOOP; END $$",
            "do unknown(all)=the block is not followed" },
        { "DO $$ BEGIN PERFORM pg_notify('a', 'b'); END $$",
            "do unknown(data)=the block is not followed" },
        { "DO $$ BEGIN DROP TABLE a; EXECUTE format('x'); END $$",
            "do unknown(all)=the block is not followed" },
    };

    CHECK(state, rows);
}

/* What the condition asks the catalogue becomes a test that the model can answer. */
static void
guards_are_tests(void **state)
{
    struct steps steps = lower(*state,
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = 't' AND column_name = 'c') THEN "
        "ALTER TABLE t ADD c int; END IF; "
        "IF EXISTS (SELECT FROM pg_indexes WHERE indexname = 'ix') THEN DROP INDEX ix; "
        "ELSE DROP TABLE q; END IF; "
        "IF EXISTS (SELECT FROM pg_tables WHERE tablename = 't' OR true) THEN DROP TABLE t; "
        "END IF; END $$");
    const struct test *test;

    assert_int_equal(steps.count, 4);
    test = &steps.items[0].conditions.items[0].test;
    assert_int_equal(test->kind, TEST_COLUMN);
    assert_true(test->is_negated);
    assert_string_equal(test->schema, "public");
    assert_string_equal(test->table, "t");
    assert_string_equal(test->name, "c");
    test = &steps.items[1].conditions.items[0].test;
    assert_int_equal(test->kind, TEST_INDEX);
    assert_false(test->is_negated);
    assert_null(test->table);
    assert_string_equal(test->name, "ix");
    test = &steps.items[2].conditions.items[0].test;
    assert_int_equal(test->kind, TEST_INDEX);
    assert_true(test->is_negated);
    assert_int_equal(steps.items[3].conditions.items[0].test.kind, TEST_NONE);
}

static void
parameters_are_no_errors(void **state)
{
    static const struct row rows[] = {
        { "UPDATE t SET a = :name WHERE id IN :ids AND b = '12:30'", "update object=t +where" },
        { "UPDATE t SET a = %(a)s, b = %s WHERE c=%(c)s", "update object=t +where" },
        { "INSERT INTO t VALUES (:x::int, CAST(:y AS text))", "insert object=t" },
        { "ALTER TABLE t ADD a int DEFAULT x\\:\\:int",
            "add column object=t column=a\n  a integer default=unknown:x::int" },
        { "SELECT a[1:2] FROM t", "select tables=t" },
        { "SELECT '%s', 'a%%' FROM t", "select tables=t" },
    };

    CHECK(state, rows);
}

static void
what_is_unknown_is_said(void **state)
{
#define HOLE "\x01"
#define WHY  "part of the text is not known"
    static const struct row rows[] = {
        { "ALTER TABLE " HOLE " ADD c int",
            "add column column=c unknown(all)=" WHY "\n  c integer" },
        { "ALTER TABLE t ADD " HOLE " int",
            "add column object=t unknown(table)=" WHY "\n  ? integer" },
        { "ALTER TABLE t ADD c " HOLE,
            "add column object=t column=c unknown(table)=" WHY "\n  c unknown type" },
        { "ALTER TABLE t ADD " HOLE, "unknown object=t unknown(table)=" WHY },
        { "ALTER TABLE t ALTER c SET DEFAULT 'a" HOLE "'",
            "set default object=t column=c default=unknown:'a…'" },
        { "ALTER TABLE t ALTER c SET DEFAULT 'a…'",
            "set default object=t column=c default=constant:'a…'" },
        { "DROP TABLE a, " HOLE "_b", "drop table object=a\ndrop table unknown(all)=" WHY },
        { "CREATE INDEX ix_" HOLE " ON t (a)",
            "create index table=t unknown(table)=" WHY "\n  index btree\n    key column=a" },
        { "CREATE TABLE t (a varchar(" HOLE "))", "create table object=t unknown(table)=" WHY },
        { "UPDATE t SET a = " HOLE " WHERE b IN " HOLE, "update object=t +where" },
        { "DELETE FROM " HOLE, "delete unknown(data)=" WHY },
        { "INSERT INTO t VALUES " HOLE, "insert object=t" },
        { HOLE, "unknown unknown(all)=" WHY },
        { "SELECT 1; " HOLE "; COMMIT", "select\nunknown unknown(all)=" WHY "\ncommit" },
    };

    CHECK(state, rows);
}

static void
what_does_not_parse_is_one_unknown_step(void **state)
{
    static const struct row rows[] = {
        { "SELEC 1", "unknown unknown(all)=syntax error at or near \"SELEC\"" },
        { "CREATE TABLE t (a int; DROP TABLE u",
            "unknown unknown(all)=syntax error at or near \";\"" },
        { "DROP TABLE a; DROP TABL b; DROP TABLE c",
            "drop table object=a\nunknown unknown(all)=syntax error at or near \"TABL\"\n"
            "drop table object=c" },
        { "", "" },
        { " -- nothing\n/* at /* all */ */;;", "" },
        { "SELECT 1 /* open",
            "unknown unknown(all)=unterminated /* comment at or near \"/* open\"" },
        { "SELECT 'open", "unknown unknown(all)=unterminated quoted string at or near \"'open\"" },
    };

    CHECK(state, rows);
}

static void
lines_are_those_of_the_file(void **state)
{
    struct ctx *ctx = *state;
    static const char text[] = "\n-- one\nSELECT 1;\n\n/* ; */ UPDATE t\nSET a = ';\n';\nDO $$\n"
                               "BEGIN\n  DROP TABLE a;\n\n  EXECUTE 'DROP TABLE b';\nEND $$";
    static const struct {
        uint32_t line;
        uint32_t end_line;
    } wanted[] = { { 12, 12 }, { 14, 16 }, { 19, 19 }, { 21, 21 } };
    struct steps steps = lower(ctx, text);
    struct sql_source source = { .text = text,
        .place = { .file = "a.py", .line = 10, .column = 5, .end_line = 20 },
        .operation = "execute" };

    assert_int_equal(steps.count, 4);
    for (size_t i = 0; i < steps.count; i++) {
        assert_int_equal(steps.items[i].place.line, wanted[i].line);
        assert_int_equal(steps.items[i].place.end_line, wanted[i].end_line);
        assert_string_equal(steps.items[i].place.file, "a.py");
    }
    assert_string_equal(steps.items[1].text, "UPDATE t\nSET a = ';\n'");
    assert_string_equal(steps.items[1].operation, "execute");

    /* A text that is put together has the place of the call. */
    steps = (struct steps){ 0 };
    assert_true(steps_from_sql(ctx, &source, &steps));
    for (size_t i = 0; i < steps.count; i++) {
        assert_int_equal(steps.items[i].place.line, 10);
        assert_int_equal(steps.items[i].place.end_line, 20);
    }
}

static void
the_scene_is_handed_on(void **state)
{
    struct condition around[] = { { .text = "if a" } };
    struct conditions conditions = { .items = around, .count = 1, .capacity = 1 };
    struct scene scene = {
        .conditions = &conditions, .in_autocommit = true, .in_try = true, .is_repeated = true
    };
    struct sql_source source = { .text = "DO $$ BEGIN IF b THEN DROP TABLE x; END IF; END $$",
        .scene = &scene };
    struct steps steps = { 0 };
    const struct step *step;

    assert_true(steps_from_sql(*state, &source, &steps));
    around[0].text = "changed afterwards";
    assert_int_equal(steps.count, 1);
    step = &steps.items[0];
    assert_true(step->in_autocommit && step->in_try && step->is_repeated);
    assert_int_equal(step->conditions.count, 2);
    assert_string_equal(step->conditions.items[0].text, "if a");
    assert_string_equal(step->conditions.items[1].text, "IF b");
}

static char *
repeated(struct ctx *ctx, const char *start, const char *part, size_t count, const char *end)
{
    struct buffer text = { .arena = ctx->arena };

    buffer_add(&text, start);
    for (size_t i = 0; i < count; i++)
        buffer_add(&text, part);
    buffer_add(&text, end);
    return text.data;
}

static void
hostile_text_is_bounded(void **state)
{
    struct ctx *ctx = *state;
    enum { MANY = 10000 };
    const char *const texts[] = { repeated(ctx, "SELECT 1", "+1", MANY, ""),
        repeated(ctx, "SELECT ", "(", MANY, ""), repeated(ctx, "SELECT ", "NOT ", MANY, "true"),
        repeated(ctx, "SELECT 1", "::int", MANY, ""),
        repeated(ctx, "SELECT 1", " UNION SELECT 1", MANY, ""),
        repeated(ctx, "SELECT ", "f(1,", MANY, "1"), repeated(ctx, "DO $$ ", "BEGIN ", MANY, "$$"),
        repeated(ctx, "DO $$ BEGIN ", "IF a THEN ", MANY, "END $$"),
        repeated(ctx, "", "'", MANY + 1, ""), repeated(ctx, "", "/*", MANY, ""),
        repeated(ctx, "", "$a", MANY, ""), repeated(ctx, "", "\x01", MANY, ""),
        repeated(ctx, "", ":a ", MANY, ""), repeated(ctx, "", "%(", MANY, "") };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct steps steps = lower(ctx, texts[i]);

        if (steps.count != 1 || !steps.items[0].unknown)
            fail_msg("%.20s: %zu steps", texts[i], steps.count);
    }

    /* Long, but not deep: rows are read or told by the first words. */
    struct steps steps = lower(ctx, repeated(ctx, "INSERT INTO t VALUES (1)", ",(1)", 1000, ""));

    assert_string_equal(describe(ctx, &steps), "insert object=t");
    steps = lower(ctx, repeated(ctx, "INSERT INTO s.\"T\" VALUES (1)", ",(1)", 3 * MANY, ""));
    assert_int_equal(steps.items[0].kind, STEP_INSERT);
    assert_string_equal(steps.items[0].object.schema, "s");
    assert_string_equal(steps.items[0].object.name, "T");
    steps = lower(ctx, repeated(ctx, "", "COMMIT;", 1000, ""));
    assert_int_equal(steps.count, 1000);
}

/* Prefixes of valid text must not be read beyond their end. */
static void
cut_text_is_read_to_its_end(void **state)
{
    struct ctx *ctx = *state;
    static const char text[] =
        "DO $x$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'a') THEN EXECUTE "
        "'CREATE TYPE a AS ENUM (''b'')'; END IF; EXCEPTION WHEN others THEN NULL; END $x$; "
        "ALTER TABLE \"a\".b ALTER c TYPE geometry(Point) USING E'\\'' || U&\"x\" /* y */, "
        "ADD d int DEFAULT 1e-5 CHECK (d > 0); CREATE INDEX i ON t (lower(a)) WHERE b = :b::int";

    for (size_t length = 0; length < sizeof(text); length++) {
        /* On the heap, so that one byte too far is seen. */
        char *copy = strndup(text, length);
        struct steps steps = lower(ctx, copy);

        free(copy);
        assert_true(length < 10 || steps.count > 0);
    }
}

static void
columns_of_expressions(void **state)
{
    static const struct row rows[] = {
        { "a", "a" },
        { "\"A b\" > t.c AND s.t.d IN ('x', 'y') AND a IS NULL", "A b,c,d,a" },
        { "lower(email) || ':x'", "email" },
        { "(data->>'k')::int", "data" },
        { "1 + 1", "" },
        { "a >", "" },
        { "", "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ctx *ctx = *state;
        struct text_list columns;

        sql_columns(ctx, rows[i].sql, &columns);
        assert_string_equal(text_list_join(ctx->arena, &columns, ","), rows[i].wanted);
        assert_int_equal(ctx->error.kind, ERR_NONE);
    }
}

static void
objects_are_named_for_people(void **state)
{
    static const struct row rows[] = {
        { "ALTER TABLE users ADD email text", "column users.email" },
        { "CREATE INDEX ix_users_email ON users (email)", "index ix_users_email" },
        { "CREATE INDEX ON users (email)", "index of users" },
        { "DROP TABLE s.t", "table s.t" },
        { "DROP VIEW v", "view v" },
        { "ALTER TABLE t DROP CONSTRAINT c", "constraint t.c" },
        { "ALTER TABLE t ADD CHECK (a > 1)", "constraint of t" },
        { "CREATE TYPE m AS ENUM ('a')", "type m" },
        { "UPDATE t SET a = 1", "table t" },
        { "SET lock_timeout = 1", "setting lock_timeout" },
        { "COMMENT ON COLUMN t.c IS 'x'", "column t.c" },
        { "CREATE TRIGGER tr AFTER INSERT ON t EXECUTE FUNCTION f()", "trigger t.tr" },
        { "SELECT 1", "select" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ctx *ctx = *state;
        struct steps steps = lower(ctx, rows[i].sql);

        assert_string_equal(step_object_text(ctx->arena, &steps.items[0]), rows[i].wanted);
    }
}

static void
steps_alter_the_schema_or_rows_or_nothing(void **state)
{
    static const struct {
        const char *sql;
        bool is_ddl;
        bool is_data;
    } rows[] = {
        { "CREATE TABLE t (a int)", true, false },
        { "COMMENT ON TABLE t IS 'x'", true, false },
        { "GRANT SELECT ON t TO joe", true, false },
        { "CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING", true, false },
        { "UPDATE t SET a = 1", false, true },
        { "TRUNCATE t", false, true },
        { "COPY t FROM STDIN", false, true },
        { "REFRESH MATERIALIZED VIEW v", false, true },
        { "SELECT 1", false, false },
        { "SET lock_timeout = 1", false, false },
        { "COMMIT", false, false },
        { "ANALYZE t", false, false },
        { "REINDEX TABLE t", false, false },
        { "SYNTAX ERROR", true, false },
        { "DO $$ BEGIN PERFORM f(); END $$", false, true },
        { "DO $$ BEGIN EXECUTE x; END $$", true, false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct steps steps = lower(*state, rows[i].sql);

        if (step_is_ddl(&steps.items[0]) != rows[i].is_ddl ||
            step_is_data(&steps.items[0]) != rows[i].is_data)
            fail_msg("%s", rows[i].sql);
    }
}

static void *
lower_in_thread(void *argument)
{
    const char **ret = argument;
    struct ctx ctx = { .arena = arena_new() };

    for (size_t i = 0; i < 50; i++) {
        struct steps steps = lower(&ctx, "ALTER TABLE t ADD a int DEFAULT random(), DROP b; x");
        const char *got = describe(&ctx, &steps);

        if (!text_equal(got, "add column object=t column=a\n  a integer default=volatile:random()\n"
                             "drop column object=t column=b\n"
                             "unknown unknown(all)=syntax error at or near \"x\""))
            *ret = "another answer in a thread";
    }
    arena_free(ctx.arena);
    return NULL;
}

static void
threads_do_not_disturb_each_other(void **state)
{
    const char *problems[4] = { NULL };
    pthread_t threads[COUNT_OF(problems)];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, lower_in_thread, &problems[i]), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_null(problems[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(tables_are_created),
        test_with_ctx(alter_table_is_a_step_a_command),
        test_with_ctx(alter_table_does_anything_else),
        test_with_ctx(indexes_have_their_keys),
        test_with_ctx(types_and_domains),
        test_with_ctx(other_objects),
        test_with_ctx(rows_are_changed),
        test_with_ctx(do_blocks_with_guards_are_followed),
        test_with_ctx(guards_are_tests),
        test_with_ctx(parameters_are_no_errors),
        test_with_ctx(what_is_unknown_is_said),
        test_with_ctx(what_does_not_parse_is_one_unknown_step),
        test_with_ctx(lines_are_those_of_the_file),
        test_with_ctx(the_scene_is_handed_on),
        test_with_ctx(hostile_text_is_bounded),
        test_with_ctx(cut_text_is_read_to_its_end),
        test_with_ctx(columns_of_expressions),
        test_with_ctx(objects_are_named_for_people),
        test_with_ctx(steps_alter_the_schema_or_rows_or_nothing),
        cmocka_unit_test(threads_do_not_disturb_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
