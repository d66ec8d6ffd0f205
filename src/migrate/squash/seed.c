/* The rows and sequence values that a history leaves in a database that was empty. */
#include "migrate/squash/seed.h"

#include <inttypes.h>

#include "db/ident.h"

static bool
is_version_table(struct arena *arena, const struct content_table *table, const char *version_table)
{
    return text_equal(db_qualified(arena, table->schema, table->name), version_table);
}

static bool
compare_with(struct ctx *ctx, const struct replayed *replayed, const struct replayed *again,
    struct seed_table *table, struct text_list *left_out)
{
    struct seed_table other = { .schema = table->schema, .name = table->name };

    return seed_read(ctx, again->db, &replayed->schema, &other) &&
           seed_compare(ctx, &replayed->schema, table, &other, left_out);
}

static bool
read_tables(
    struct ctx *ctx, const struct replayed *replayed, const char *version_table, struct seeds *ret)
{
    for (size_t i = 0; i < replayed->content.tables.count; i++) {
        const struct content_table *found = &replayed->content.tables.items[i];
        struct seed_table table = { .schema = found->schema, .name = found->name };

        if (found->rows == 0 || is_version_table(ctx->arena, found, version_table))
            continue;
        if (!seed_read(ctx, replayed->db, &replayed->schema, &table))
            return error_wrap(ctx, "reading the rows of table %s",
                db_qualified(ctx->arena, table.schema, table.name));
        if (table.columns.count > 0)
            VEC_PUSH(ctx->arena, &ret->tables, table);
        else
            text_list_add(ctx->arena, &ret->left_out,
                arena_printf(ctx->arena,
                    "table %s has %" PRId64 " rows, but no column that could be written",
                    db_qualified(ctx->arena, table.schema, table.name), found->rows));
    }
    return true;
}

static struct seed_table *
find_table(const struct seeds *seeds, const struct content_table *wanted)
{
    for (size_t i = 0; i < seeds->tables.count; i++)
        if (text_equal(seeds->tables.items[i].schema, wanted->schema) &&
            text_equal(seeds->tables.items[i].name, wanted->name))
            return &seeds->tables.items[i];
    return NULL;
}

/* Tables whose sums are the same in both runs need no second look. */
static bool
find_unstable(struct ctx *ctx, const struct replayed *replayed, const struct replayed *again,
    struct seeds *ret)
{
    struct content_table_walk walk = { 0 };

    while (content_walk_tables(&replayed->content, &again->content, &walk)) {
        const struct content_table *here = walk.expected;
        const struct content_table *there = walk.found;
        const struct content_table *any = here ? here : there;
        struct seed_table *table = find_table(ret, any);
        bool is_same_count = here && there && here->rows == there->rows;

        if (is_same_count && text_equal(here->checksum, there->checksum))
            continue;
        if (is_same_count && table) {
            if (!compare_with(ctx, replayed, again, table, &ret->left_out))
                return error_wrap(ctx, "comparing the rows of two replays");
        } else if (!is_same_count) {
            text_list_add(ctx->arena, &ret->left_out,
                arena_printf(ctx->arena,
                    "table %s had %" PRId64 " rows after one run of the history and %" PRId64
                    " after another",
                    db_qualified(ctx->arena, any->schema, any->name), here ? here->rows : 0,
                    there ? there->rows : 0));
        }
    }
    return true;
}

/* A history can also write the time of its run into a default or a name. */
static void
find_unstable_schema(struct ctx *ctx, const struct replayed *replayed, const struct replayed *again,
    struct seeds *ret)
{
    const struct diff_options nothing_ignored = { 0 };
    struct differences differences = { 0 };

    if (text_equal(schema_digest(ctx->arena, &replayed->schema),
            schema_digest(ctx->arena, &again->schema)))
        return;
    schema_diff(ctx->arena, &again->schema, &replayed->schema, &nothing_ignored, &differences);
    for (size_t i = 0; i < differences.count; i++)
        text_list_add(ctx->arena, &ret->left_out,
            arena_printf(ctx->arena,
                "the history does not make the same schema twice, the new one keeps that of this "
                "run: %s",
                difference_text(ctx->arena, &differences.items[i])));
}

static const struct sql_schema_sequences *
find_sequence(const struct schema *schema, const struct content_sequence *wanted)
{
    for (size_t i = 0; i < schema->sequences.count; i++)
        if (text_equal(schema->sequences.items[i].schema, wanted->schema) &&
            text_equal(schema->sequences.items[i].name, wanted->name))
            return &schema->sequences.items[i];
    return NULL;
}

static const struct content_sequence *
find_value(const struct content *content, const struct content_sequence *wanted)
{
    for (size_t i = 0; i < content->sequences.count; i++)
        if (text_equal(content->sequences.items[i].schema, wanted->schema) &&
            text_equal(content->sequences.items[i].name, wanted->name))
            return &content->sequences.items[i];
    return NULL;
}

static bool
read_sequences(struct ctx *ctx, const struct replayed *replayed, const struct replayed *again,
    struct seeds *ret)
{
    for (size_t i = 0; i < replayed->content.sequences.count; i++) {
        const struct content_sequence *value = &replayed->content.sequences.items[i];
        const struct sql_schema_sequences *made = find_sequence(&replayed->schema, value);
        const struct content_sequence *other = again ? find_value(&again->content, value) : value;
        const char *name = db_qualified(ctx->arena, value->schema, value->name);
        int64_t start = 0;

        if (!made || !text_to_int64(made->start_value, &start))
            return error_set(ctx, ERR_FAILED, "sequence %s is not in the schema", name);
        if (!other || other->last_value != value->last_value ||
            other->last_called != value->last_called)
            text_list_add(ctx->arena, &ret->left_out,
                arena_printf(ctx->arena,
                    "sequence %s does not stand at the same value after two runs of the history",
                    name));
        if (value->last_called || value->last_value != start)
            VEC_PUSH(ctx->arena, &ret->sequences,
                (struct seed_sequence){ .schema = value->schema,
                    .name = value->name,
                    .last_value = value->last_value,
                    .is_called = value->last_called });
    }
    return true;
}

bool
squash_seeds(struct ctx *ctx, const struct replayed *replayed, const struct replayed *again,
    const char *version_table, struct seeds *ret)
{
    *ret = (struct seeds){ 0 };
    if (again)
        find_unstable_schema(ctx, replayed, again, ret);
    if (!read_tables(ctx, replayed, version_table, ret) ||
        (again && !find_unstable(ctx, replayed, again, ret)) ||
        !read_sequences(ctx, replayed, again, ret))
        return false;
    if (replayed->content.large_objects > 0)
        text_list_add(ctx->arena, &ret->left_out,
            arena_printf(ctx->arena,
                "the history makes %" PRId64
                " large objects, whose numbers differ in each database",
                replayed->content.large_objects));
    seed_order(ctx, &replayed->schema, ret);
    return true;
}
