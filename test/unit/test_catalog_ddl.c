/* Statements and differences of schemas made by hand; the server itself is asked in test/db. */
#include "support/test.h"

#include "catalog/ddl.h"
#include "catalog/diff.h"

/* A table public.t with one column, and what may be put beside it. */
struct small {
    struct sql_schema_tables table;
    struct sql_schema_columns column;
    struct sql_schema_types type;
    struct sql_schema_sequences sequence;
    struct schema schema;
};

static struct small *
small_new(struct ctx *ctx)
{
    struct small *small = ARENA_NEW(ctx->arena, struct small);

    small->table = (struct sql_schema_tables){ .schema = "public",
        .name = "t",
        .kind = "table",
        .persistence = "permanent",
        .replica_identity = "default",
        .owner = "me" };
    small->column = (struct sql_schema_columns){ .schema = "public",
        .table_name = "t",
        .name = "c",
        .position = 1,
        .type = "integer",
        .is_local = true };
    small->schema = (struct schema){
        .server_major = 15, .tables = { &small->table, 1 }, .columns = { &small->column, 1 }
    };
    return small;
}

static const char *
made(struct ctx *ctx, const struct schema *schema, enum schema_class class, const void *item,
    bool with_rights)
{
    struct ddl_options options = { .with_rights = with_rights };
    struct text_list statements = { 0 };

    ddl_create(ctx->arena, schema, class, item, &options, &statements);
    return text_list_join(ctx->arena, &statements, ";\n");
}

static const char *
mended(struct ctx *ctx, const struct schema *found, const struct schema *wanted)
{
    struct diff_options options = { .schemas = NULL };
    struct differences differences;
    struct text_list statements = { 0 };

    schema_diff(ctx->arena, found, wanted, &options, &differences);
    for (size_t i = 0; i < differences.count; i++)
        for (size_t j = 0; j < differences.items[i].statements.count; j++)
            text_list_add(ctx->arena, &statements, differences.items[i].statements.items[j]);
    return text_list_join(ctx->arena, &statements, ";\n");
}

static void
test_table(void **state)
{
    struct ctx *ctx = *state;
    struct small *small = small_new(ctx);

    small->table.name = "we\"ird; t";
    small->table.options = "fillfactor=70";
    small->table.comment = "it's\\";
    small->column.table_name = small->table.name;
    small->column.name = "select";
    small->column.type = "character varying(9)";
    small->column.collation = "pg_catalog.\"C\"";
    small->column.default_text = "'x'::character varying";
    small->column.is_not_null = true;
    small->column.statistics = "5";
    assert_string_equal(made(ctx, &small->schema, SCHEMA_tables, &small->table, false),
        "CREATE TABLE public.\"we\"\"ird; t\" (\n"
        "    \"select\" character varying(9) COLLATE pg_catalog.\"C\" DEFAULT "
        "'x'::character varying NOT NULL\n"
        ") WITH (fillfactor=70);\n"
        "COMMENT ON TABLE public.\"we\"\"ird; t\" IS  E'it''s\\\\';\n"
        "ALTER TABLE ONLY public.\"we\"\"ird; t\" ALTER COLUMN \"select\" SET STATISTICS 5");
    assert_string_equal(
        ddl_drop(ctx->arena, SCHEMA_tables, &small->table), "DROP TABLE public.\"we\"\"ird; t\"");
    assert_string_equal(ddl_drop(ctx->arena, SCHEMA_columns, &small->column),
        "ALTER TABLE public.\"we\"\"ird; t\" DROP COLUMN \"select\"");
}

static void
test_rights(void **state)
{
    struct ctx *ctx = *state;
    struct small *small = small_new(ctx);
    struct sql_schema_functions function = { .schema = "public",
        .name = "f",
        .arguments = "*",
        .kind = "aggregate",
        .definition = "CREATE AGGREGATE …",
        .owner = "me",
        .acl = "[\"me=X/me\",\"\\\"a b\\\"=X*/me\"]" };

    small->table.acl = "[\"=r/me\",\"me=ar/me\",\"you=w*/me\",\"them=w/you\"]";
    assert_string_equal(made(ctx, &small->schema, SCHEMA_tables, &small->table, true),
        "CREATE TABLE public.t (\n    c integer\n);\n"
        "ALTER TABLE public.t OWNER TO me;\n"
        "REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON TABLE public.t FROM me;\n"
        "GRANT SELECT ON TABLE public.t TO PUBLIC;\n"
        "GRANT UPDATE ON TABLE public.t TO you WITH GRANT OPTION;\n"
        "SET ROLE you;\nGRANT UPDATE ON TABLE public.t TO them;\nRESET ROLE");
    assert_string_equal(made(ctx, &small->schema, SCHEMA_functions, &function, true),
        "CREATE AGGREGATE …;\n"
        "ALTER AGGREGATE public.f(*) OWNER TO me;\n"
        "REVOKE EXECUTE ON FUNCTION public.f() FROM PUBLIC;\n"
        "GRANT EXECUTE ON FUNCTION public.f() TO \"a b\" WITH GRANT OPTION");
}

/* The rights are the same when only the owner's name is another. */
static void
test_rights_of_another_owner(void **state)
{
    struct ctx *ctx = *state;
    struct small *found = small_new(ctx);
    struct small *wanted = small_new(ctx);

    found->table.owner = "old";
    found->table.acl = "[\"old=arwdDxt/old\",\"you=r/old\"]";
    wanted->table.acl = "[\"me=arwdDxt/me\",\"you=r/me\"]";
    assert_string_equal(
        mended(ctx, &found->schema, &wanted->schema), "ALTER TABLE public.t OWNER TO me");
    found->table.acl = NULL;
    assert_string_equal(mended(ctx, &found->schema, &wanted->schema),
        "ALTER TABLE public.t OWNER TO me;\nGRANT SELECT ON TABLE public.t TO you");
}

static void
test_partitioned_index(void **state)
{
    struct ctx *ctx = *state;
    struct small *small = small_new(ctx);
    struct sql_schema_indexes index = { .schema = "public",
        .table_name = "t",
        .name = "ON ONLY x",
        .definition = "CREATE INDEX \"ON ONLY x\" ON ONLY public.t USING btree (c)" };

    assert_string_equal(made(ctx, &small->schema, SCHEMA_indexes, &index, false),
        "CREATE INDEX \"ON ONLY x\" ON public.t USING btree (c)");
}

/* The types of a column before and after, and what has to be said. */
static void
test_types(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *using;
        bool is_lossy;
    } types[] = {
        { "integer", "bigint", "", false },
        { "bigint", "integer", "", false }, /* refuses what is too great */
        { "numeric(12,2)", "numeric(12,1)", "", true },
        { "numeric(12,1)", "numeric(12,2)", "", false },
        { "numeric", "integer", "", true },
        { "double precision", "real", "", true },
        { "timestamp with time zone", "date", "", true },
        { "timestamp(6) without time zone", "timestamp(0) without time zone", "", true },
        { "text", "character varying(3)", "", false }, /* refuses what is too long */
        { "uuid", "text", "", false },
        { "text", "uuid", " USING c::uuid", false },
        { "text[]", "integer[]", " USING c::text::integer[]", false },
        { "integer", "boolean", " USING c::boolean", false },
        { "uuid", "integer", " USING c::text::integer", false },
        { "text", "text[]", " USING c::text[]", false },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct small *found = small_new(ctx);
        struct small *wanted = small_new(ctx);
        struct diff_options options = { .schemas = NULL };
        struct differences differences;

        found->column.type = types[i].from;
        wanted->column.type = types[i].to;
        assert_string_equal(mended(ctx, &found->schema, &wanted->schema),
            arena_printf(ctx->arena, "ALTER TABLE public.t ALTER COLUMN c TYPE %s%s", types[i].to,
                types[i].using));
        schema_diff(ctx->arena, &found->schema, &wanted->schema, &options, &differences);
        assert_int_equal(differences.count, 1);
        assert_string_equal(differences.items[0].attribute, "type");
        if (differences.items[0].loses_rows != types[i].is_lossy)
            fail_msg("%s to %s: wrong about losses", types[i].from, types[i].to);
        assert_string_equal(difference_text(ctx->arena, &differences.items[0]),
            arena_printf(ctx->arena, "column public.t.c: type is %s instead of %s", types[i].from,
                types[i].to));
    }
}

static void
test_labels(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *statements;
    } enums[] = {
        { "[]", "[\"a\"]", "ALTER TYPE public.e ADD VALUE 'a'" },
        { "[\"b\"]", "[\"a\",\"b\"]", "ALTER TYPE public.e ADD VALUE 'a' BEFORE 'b'" },
        { "[\"a\"]", "[\"a\",\"it's\",\"c\"]",
            "ALTER TYPE public.e ADD VALUE 'it''s' AFTER 'a';\n"
            "ALTER TYPE public.e ADD VALUE 'c' AFTER 'it''s'" },
        { "[\"b\"]", "[\"x\",\"a\",\"b\"]",
            "ALTER TYPE public.e ADD VALUE 'x' BEFORE 'b';\n"
            "ALTER TYPE public.e ADD VALUE 'a' AFTER 'x'" },
        { "[\"a\",\"b\"]", "[\"b\",\"a\"]",
            "ALTER TYPE public.e RENAME TO e__old;\n"
            "CREATE TYPE public.e AS ENUM ('b', 'a');\n"
            "ALTER TYPE public.e OWNER TO me;\n"
            "ALTER TABLE public.t ALTER COLUMN c TYPE public.e USING c::text::public.e;\n"
            "DROP TYPE public.e__old" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(enums); i++) {
        struct small *found = small_new(ctx);
        struct small *wanted = small_new(ctx);

        found->column.type = wanted->column.type = "public.e";
        found->type = wanted->type = (struct sql_schema_types){
            .schema = "public", .name = "e", .kind = "enum", .owner = "me", .labels = enums[i].from
        };
        wanted->type.labels = enums[i].to;
        wanted->type.definition = "AS ENUM ('b', 'a')";
        found->schema.types = (struct sql_schema_types_rows){ &found->type, 1 };
        wanted->schema.types = (struct sql_schema_types_rows){ &wanted->type, 1 };
        assert_string_equal(mended(ctx, &found->schema, &wanted->schema), enums[i].statements);
    }
}

static void
test_serial(void **state)
{
    struct ctx *ctx = *state;
    struct small *small = small_new(ctx);
    struct schema empty = { .server_major = 15 };

    small->column.default_text = "nextval('public.t_c_seq'::regclass)";
    small->sequence = (struct sql_schema_sequences){ .schema = "public",
        .name = "t_c_seq",
        .persistence = "permanent",
        .type = "integer",
        .start_value = "1",
        .increment = "1",
        .min_value = "1",
        .max_value = "2147483647",
        .cache = "1",
        .owned_by = "public.t.c",
        .owner = "me" };
    small->schema.sequences = (struct sql_schema_sequences_rows){ &small->sequence, 1 };
    assert_string_equal(mended(ctx, &empty, &small->schema),
        "CREATE SEQUENCE public.t_c_seq AS integer START WITH 1 INCREMENT BY 1 MINVALUE 1 "
        "MAXVALUE 2147483647 CACHE 1 NO CYCLE;\n"
        "ALTER SEQUENCE public.t_c_seq OWNER TO me;\n"
        "CREATE TABLE public.t (\n"
        "    c integer DEFAULT nextval('public.t_c_seq'::regclass)\n"
        ");\n"
        "ALTER TABLE public.t OWNER TO me;\n"
        "ALTER SEQUENCE public.t_c_seq OWNED BY public.t.c");
    assert_string_equal(mended(ctx, &small->schema, &empty), "DROP TABLE public.t");
}

/* Two tables whose rows' types are used in a circle: an order comes out all the same. */
static void
test_order(void **state)
{
    struct ctx *ctx = *state;
    struct sql_schema_tables tables[] = {
        { .schema = "public", .name = "a", .kind = "table", .replica_identity = "default" },
        { .schema = "public",
            .name = "b",
            .kind = "view",
            .definition = " SELECT 1",
            .replica_identity = "default" },
        { .schema = "public", .name = "c", .kind = "table", .replica_identity = "default" },
    };
    struct sql_schema_functions function = {
        .schema = "public", .name = "f", .arguments = "public.c", .kind = "function"
    };
    struct sql_schema_dependencies dependencies[] = {
        { "functions", "public.f(public.c)", "tables", "public.c" },
        { "tables", "public.a", "tables", "public.b" },
        { "tables", "public.b", "functions", "public.f(public.c)" },
        { "tables", "public.b", "tables", "public.a" },
    };
    const struct schema schema = { .server_major = 15,
        .tables = { tables, COUNT_OF(tables) },
        .functions = { &function, 1 },
        .dependencies = { dependencies, COUNT_OF(dependencies) } };
    struct text_list order = { 0 };
    struct ddl_refs refs;

    ddl_order(ctx->arena, &schema, &refs);
    for (size_t i = 0; i < refs.count; i++)
        text_list_add(ctx->arena, &order,
            schema_identity(ctx->arena, refs.items[i].class,
                schema_item(&schema, refs.items[i].class, refs.items[i].index)));
    assert_string_equal(text_list_join(ctx->arena, &order, ", "),
        "public.c, public.f(public.c), public.b, public.a");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_table),
        test_with_ctx(test_rights),
        test_with_ctx(test_rights_of_another_owner),
        test_with_ctx(test_partitioned_index),
        test_with_ctx(test_types),
        test_with_ctx(test_labels),
        test_with_ctx(test_serial),
        test_with_ctx(test_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
