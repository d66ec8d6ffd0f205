#include "support/test.h"

#include "catalog/find.h"
#include "db/ident.h"
#include "migrate/squash/squash.h"

/* A schema of tables and foreign keys, "orders.customer_id>customers"; each table has an index. */
struct sketch {
    struct ctx *ctx;
    struct schema schema;
    struct squash_plan plan;
    size_t capacity[SCHEMA_CLASS_COUNT];
    VEC(struct sql_schema_tables) tables;
    VEC(struct sql_schema_columns) columns;
    VEC(struct sql_schema_constraints) constraints;
    VEC(struct sql_schema_indexes) indexes;
    VEC(struct sql_schema_types) types;
    VEC(struct sql_schema_dependencies) dependencies;
};

static void
add_table(struct sketch *sketch, const char *name)
{
    struct arena *arena = sketch->ctx->arena;

    VEC_PUSH(arena, &sketch->tables,
        (struct sql_schema_tables){ .schema = "public",
            .name = name,
            .kind = "table",
            .persistence = "permanent",
            .replica_identity = "default",
            .owner = "me" });
    VEC_PUSH(arena, &sketch->columns,
        (struct sql_schema_columns){ .schema = "public",
            .table_name = name,
            .name = "id",
            .position = 1,
            .type = "integer",
            .is_local = true });
}

static void
add_index(struct sketch *sketch, const char *table)
{
    struct arena *arena = sketch->ctx->arena;

    VEC_PUSH(arena, &sketch->indexes,
        (struct sql_schema_indexes){ .schema = "public",
            .table_name = table,
            .name = arena_printf(arena, "ix_%s", table),
            .is_valid = true,
            .method = "btree",
            .keys = "[\"id\"]",
            .has_plain_keys = true,
            .definition = arena_printf(
                arena, "CREATE INDEX ix_%s ON public.%s USING btree (id)", table, table) });
}

static void
add_link(struct sketch *sketch, const char *from, const char *to)
{
    struct arena *arena = sketch->ctx->arena;

    VEC_PUSH(arena, &sketch->constraints,
        (struct sql_schema_constraints){ .schema = "public",
            .table_name = from,
            .name = arena_printf(arena, "fk_%s_%s", from, to),
            .kind = "foreign key",
            .columns = "[\"id\"]",
            .target_schema = "public",
            .target_table = to,
            .target_columns = "[\"id\"]",
            .is_validated = true,
            .definition = arena_printf(arena, "FOREIGN KEY (id) REFERENCES public.%s(id)", to) });
}

static int
by_names(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;

    return strcmp(left[1], right[1]); /* behind the schema, which is the same */
}

static int
by_table(const void *a, const void *b)
{
    const struct sql_schema_constraints *left = a, *right = b;
    int order = strcmp(left->table_name, right->table_name);

    return order ? order : strcmp(left->name, right->name);
}

static int
by_index_name(const void *a, const void *b)
{
    return strcmp(
        ((const struct sql_schema_indexes *)a)->name, ((const struct sql_schema_indexes *)b)->name);
}

/* Fills the schema as schema_load() would: sorted. */
static void
finish(struct sketch *sketch)
{
    struct schema *schema = &sketch->schema;

    qsort(sketch->tables.items, sketch->tables.count, sizeof(sketch->tables.items[0]), by_names);
    qsort(sketch->columns.items, sketch->columns.count, sizeof(sketch->columns.items[0]), by_names);
    if (sketch->constraints.count > 0)
        qsort(sketch->constraints.items, sketch->constraints.count,
            sizeof(sketch->constraints.items[0]), by_table);
    if (sketch->indexes.count > 0)
        qsort(sketch->indexes.items, sketch->indexes.count, sizeof(sketch->indexes.items[0]),
            by_index_name);
    schema->tables.items = sketch->tables.items;
    schema->tables.count = sketch->tables.count;
    schema->columns.items = sketch->columns.items;
    schema->columns.count = sketch->columns.count;
    schema->constraints.items = sketch->constraints.items;
    schema->constraints.count = sketch->constraints.count;
    schema->indexes.items = sketch->indexes.items;
    schema->indexes.count = sketch->indexes.count;
    schema->types.items = sketch->types.items;
    schema->types.count = sketch->types.count;
    schema->dependencies.items = sketch->dependencies.items;
    schema->dependencies.count = sketch->dependencies.count;
}

/* "users, sessions>users, …" */
static struct sketch
sketch_of(struct ctx *ctx, const char *text, bool has_indexes)
{
    struct sketch sketch = { .ctx = ctx };
    struct text_list seen = { 0 };

    add_table(&sketch, "alembic_version");
    while (*text) {
        size_t length = strcspn(text, ",");
        const char *word = arena_strndup(ctx->arena, text, length), *arrow = strchr(word, '>');
        const char *name = arrow ? arena_strndup(ctx->arena, word, (size_t)(arrow - word)) : word;

        if (!text_list_has(&seen, name)) {
            add_table(&sketch, name);
            if (has_indexes)
                add_index(&sketch, name);
            text_list_add(ctx->arena, &seen, name);
        }
        if (arrow)
            add_link(&sketch, name, arrow + 1);
        text += length;
        text += strspn(text, ", ");
    }
    finish(&sketch);
    return sketch;
}

static void
group(struct sketch *sketch, const struct squash_group_options *options)
{
    struct squash_group_options all = *options;

    all.version_table = "public.alembic_version";
    if (!squash_group(sketch->ctx, &sketch->schema, &all, &sketch->plan))
        fail_msg("%s", sketch->ctx->error.message);
}

/* The group that makes a table; fails when there is none or more than one. */
static size_t
group_of(const struct sketch *sketch, enum schema_class class, const char *identity)
{
    size_t found = SIZE_MAX;

    for (size_t i = 0; i < sketch->plan.groups.count; i++)
        for (size_t k = 0; k < sketch->plan.groups.items[i].objects.count; k++) {
            const struct ddl_ref *ref = &sketch->plan.groups.items[i].objects.items[k];
            const void *item = schema_item(&sketch->schema, ref->class, ref->index);

            if (ref->class != class ||
                !text_equal(schema_identity(sketch->ctx->arena, class, item), identity))
                continue;
            if (found != SIZE_MAX)
                fail_msg("%s is made twice", identity);
            found = i;
        }
    if (found == SIZE_MAX)
        fail_msg("%s is not made", identity);
    return found;
}

static size_t
table_group(const struct sketch *sketch, const char *table)
{
    return group_of(sketch, SCHEMA_tables, db_qualified(sketch->ctx->arena, "public", table));
}

static const char *
slug_of(const struct sketch *sketch, const char *table)
{
    return sketch->plan.groups.items[table_group(sketch, table)].slug;
}

/* What holds of every plan. */
static void
check_plan(const struct sketch *sketch, size_t target)
{
    const struct schema *schema = &sketch->schema;
    struct arena *arena = sketch->ctx->arena;
    size_t seeds = 0;

    assert_true(sketch->plan.groups.count <= target);
    for (size_t i = 0; i < sketch->plan.groups.count; i++) {
        assert_true(sketch->plan.groups.items[i].objects.count > 0);
        seeds += sketch->plan.groups.items[i].has_seeds;
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(
                sketch->plan.groups.items[i].slug, sketch->plan.groups.items[k].slug);
    }
    assert_int_equal(seeds, 1);
    for (size_t i = 0; i < schema->constraints.count; i++) {
        const struct sql_schema_constraints *link = &schema->constraints.items[i];
        size_t place =
            group_of(sketch, SCHEMA_constraints, schema_identity(arena, SCHEMA_constraints, link));

        assert_true(place >= table_group(sketch, link->table_name));
        assert_true(place >= table_group(sketch, link->target_table));
    }
    for (size_t i = 0; i < schema->indexes.count; i++)
        assert_true(group_of(sketch, SCHEMA_indexes,
                        schema_identity(arena, SCHEMA_indexes, &schema->indexes.items[i])) >=
                    table_group(sketch, schema->indexes.items[i].table_name));
}

static const char product[] =
    "users, sessions>users, roles, user_roles>users, user_roles>roles, api_tokens>users,"
    " assistants>users, documents>assistants, document_chunks>documents, embeddings>document_chunks,"
    " dialogs>assistants, dialogs>users, messages>dialogs, message_ratings>messages,"
    " plans, subscriptions>plans, subscriptions>users, payments>users, invoices>payments,"
    " promo_codes, promo_code_usages>promo_codes, users>plans,"
    " system_settings, audit_logs>users, background_jobs, bot_instances>assistants, broadcasts>users";

static void
a_product_is_cut_by_what_it_is_about(void **state)
{
    struct sketch sketch = sketch_of(*state, product, true);

    VEC_PUSH(sketch.ctx->arena, &sketch.types,
        (struct sql_schema_types){ .schema = "public",
            .name = "mood",
            .kind = "enum",
            .definition = "AS ENUM ('a')",
            .labels = "[\"a\"]",
            .owner = "me" });
    finish(&sketch);
    group(&sketch, &(struct squash_group_options){ .target = 7 });
    check_plan(&sketch, 7);
    assert_int_equal(sketch.plan.groups.count, 7);
    assert_int_equal(group_of(&sketch, SCHEMA_types, "public.mood"), 0);
    assert_string_equal(slug_of(&sketch, "users"), "users_and_access");
    assert_string_equal(slug_of(&sketch, "api_tokens"), "users_and_access");
    assert_string_equal(slug_of(&sketch, "embeddings"), "assistants_and_knowledge");
    assert_string_equal(slug_of(&sketch, "message_ratings"), "dialogs");
    assert_string_equal(slug_of(&sketch, "promo_code_usages"), "billing");
    assert_string_equal(slug_of(&sketch, "bot_instances"), "operations");
    assert_int_equal(group_of(&sketch, SCHEMA_indexes, "public.ix_users"), 6);
    assert_string_equal(sketch.plan.groups.items[6].slug, "indexes");
    assert_true(sketch.plan.groups.items[5].has_seeds);
    assert_true(table_group(&sketch, "assistants") > table_group(&sketch, "users"));
    assert_true(table_group(&sketch, "dialogs") > table_group(&sketch, "assistants"));
    /* The one foreign key that points forward waits for its target. */
    assert_int_equal(group_of(&sketch, SCHEMA_constraints, "public.users.fk_users_plans"),
        table_group(&sketch, "plans"));
}

static void
any_target_is_kept(void **state)
{
    for (size_t target = 1; target <= 40; target++) {
        struct sketch sketch = sketch_of(*state, product, true);

        group(&sketch, &(struct squash_group_options){ .target = target });
        check_plan(&sketch, target);
    }
}

static void
unknown_words_are_cut_along_foreign_keys(void **state)
{
    struct sketch sketch = sketch_of(*state,
        "ships, cabins>ships, decks>ships, engines>ships, harbours, piers>harbours,"
        " cranes>piers, sheds>harbours",
        false);

    group(&sketch, &(struct squash_group_options){ .target = 7 });
    check_plan(&sketch, 7);
    assert_string_equal(slug_of(&sketch, "cabins"), "ships");
    assert_string_equal(slug_of(&sketch, "engines"), "ships");
    assert_string_equal(slug_of(&sketch, "cranes"), "harbours");
}

/* Sixty tables of which no word tells anything, in a ring, all with a link to one. */
static void
a_large_heap_is_cut_evenly(void **state)
{
    struct ctx *ctx = *state;
    struct buffer text = { .arena = ctx->arena };
    struct sketch sketch;

    for (size_t i = 0; i < 60; i++)
        buffer_printf(&text, "k%zu>k%zu, k%zu>k0, ", i, i > 1 ? i - 1 : 59, i);
    sketch = sketch_of(ctx, buffer_text(&text), true);
    group(&sketch, &(struct squash_group_options){ .target = 7 });
    check_plan(&sketch, 7);
    assert_true(sketch.plan.groups.count >= 4);
    for (size_t i = 0; i + 1 < sketch.plan.groups.count; i++) {
        size_t tables = 0;

        for (size_t k = 0; k < sketch.plan.groups.items[i].objects.count; k++)
            tables += sketch.plan.groups.items[i].objects.items[k].class == SCHEMA_tables;
        assert_in_range(tables, 8, 30);
    }
}

static void
a_few_tables_need_few_revisions(void **state)
{
    struct sketch sketch = sketch_of(*state, "users, payments>users", true);

    group(&sketch, &(struct squash_group_options){ .target = 7 });
    check_plan(&sketch, 7);
    assert_int_equal(sketch.plan.groups.count, 2);
    sketch = sketch_of(*state, "", false);
    group(&sketch, &(struct squash_group_options){ .target = 7 });
    assert_int_equal(sketch.plan.groups.count, 1);
}

static void
names_of_any_kind_give_file_names(void **state)
{
    struct sketch sketch = sketch_of(*state,
        "Привет, x1>Привет, x2>Привет, Мир, y1>Мир, y2>Мир, ../../etc, z1>../../etc,"
        " z2>../../etc",
        false);

    group(&sketch, &(struct squash_group_options){ .target = 7 });
    check_plan(&sketch, 7);
    assert_int_equal(sketch.plan.groups.count, 3);
    for (size_t i = 0; i < 3; i++) {
        const char *slug = sketch.plan.groups.items[i].slug;

        assert_true(*slug && strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(slug));
    }
}

/* ---- by the revisions that made them ---- */

struct made {
    struct revision revisions[6];
    struct node nodes[6];
    struct graph graph;
    struct squash_origin origins[6];
};

static void
make_history(struct ctx *ctx, struct made *made, const char *const *dates)
{
    static const char *const ids[] = { "r1", "r2", "r3", "r4", "r5", "r6" };

    *made = (struct made){ .graph = { .nodes = made->nodes, .count = 6 } };
    made->graph.by_id.arena = ctx->arena;
    for (size_t i = 0; i < 6; i++) {
        made->revisions[i] = (struct revision){ .id = ids[i], .doc_created = dates[i] };
        made->nodes[i] = (struct node){ .revision = &made->revisions[i], .position = i };
        map_set(&made->graph.by_id, ids[i], &made->nodes[i]);
        VEC_PUSH(ctx->arena, &made->graph.order, i);
        made->origins[i] =
            (struct squash_origin){ .identity = arena_printf(ctx->arena, "public.t%zu", i + 1),
                .revision = ids[i] };
    }
}

static struct sketch
group_made(struct ctx *ctx, struct made *made, enum squash_grouping by, size_t target)
{
    struct sketch sketch = sketch_of(ctx, "t1, t2>t1, t3, t4>t6, t5>t1, t6", true);

    group(&sketch, &(struct squash_group_options){ .by = by,
                       .target = target,
                       .graph = &made->graph,
                       .origins = made->origins,
                       .origin_count = 6 });
    check_plan(&sketch, target);
    return sketch;
}

static void
by_file_in_runs(void **state)
{
    static const char *const dates[6] = { NULL };
    struct made made;
    struct sketch sketch;

    make_history(*state, &made, dates);
    sketch = group_made(*state, &made, GROUP_BY_FILE, 3);
    assert_int_equal(sketch.plan.groups.count, 3);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(
            table_group(&sketch, arena_printf(sketch.ctx->arena, "t%zu", i + 1)), i / 2);
    assert_string_equal(sketch.plan.groups.items[0].title, "revisions r1 to r2");
    assert_int_equal(group_of(&sketch, SCHEMA_indexes, "public.ix_t3"), 1);
    assert_int_equal(group_of(&sketch, SCHEMA_constraints, "public.t4.fk_t4_t6"), 2);
    for (size_t target = 1; target < 9; target++)
        group_made(*state, &made, GROUP_BY_FILE, target);
}

static void
by_period_in_the_finest_that_fits(void **state)
{
    static const char *const dates[6] = { "2024-01-05 10:00:00", "2024-01-20", "2024-02-01 08:00",
        NULL, "2025-07-01 00:00:00", "2024-02-10 00:00:00" };
    struct made made;
    struct sketch sketch;

    make_history(*state, &made, dates);
    sketch = group_made(*state, &made, GROUP_BY_PERIOD, 3);
    assert_int_equal(sketch.plan.groups.count, 3);
    assert_string_equal(sketch.plan.groups.items[0].title, "2024-01");
    assert_string_equal(slug_of(&sketch, "t2"), "2024_01");
    assert_string_equal(slug_of(&sketch, "t4"), "2024_02"); /* no date: that of the one before */
    assert_string_equal(slug_of(&sketch, "t6"), "2024_02");
    assert_string_equal(slug_of(&sketch, "t5"), "2025_07");
    sketch = group_made(*state, &made, GROUP_BY_PERIOD, 2);
    assert_string_equal(sketch.plan.groups.items[1].title, "2025 Q3");
    sketch = group_made(*state, &made, GROUP_BY_PERIOD, 1);
    assert_string_equal(sketch.plan.groups.items[0].title, "2024 to 2025");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(a_product_is_cut_by_what_it_is_about),
        test_with_ctx(any_target_is_kept),
        test_with_ctx(unknown_words_are_cut_along_foreign_keys),
        test_with_ctx(a_large_heap_is_cut_evenly),
        test_with_ctx(a_few_tables_need_few_revisions),
        test_with_ctx(names_of_any_kind_give_file_names),
        test_with_ctx(by_file_in_runs),
        test_with_ctx(by_period_in_the_finest_that_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
