#include <assert.h>
#include <ctype.h>

#include "db/ident.h"
#include "migrate/squash/group_private.h"

enum { SLUG_LENGTH = 48 };

/* ---- objects ---- */

/* The key of the table that the object stands in; NULL: it stands by itself. */
static const char *
table_key(struct arena *arena, enum schema_class class, const void *item)
{
    const struct sql_schema_constraints *constraint = item;
    const char *names[2]; /* schema and table_name come first in all of these */

    if (class != SCHEMA_constraints && class != SCHEMA_indexes && class != SCHEMA_triggers &&
        class != SCHEMA_rules && class != SCHEMA_policies)
        return NULL;
    memcpy(names, item, sizeof(names));
    return arena_printf(arena, "%s %s",
        class == SCHEMA_constraints && constraint->is_domain ? "types" : "tables",
        db_qualified(arena, names[0], names[1]));
}

/* The key of the table whose column owns the sequence, or NULL. */
static const char *
owner_key(
    struct arena *arena, const struct schema *schema, const struct sql_schema_sequences *sequence)
{
    const struct sql_schema_tables *table = schema_find_relation(arena, schema, sequence->owned_by);

    return table ? link_key(arena, SCHEMA_tables, table) : NULL;
}

/* Made with something else, or by Alembic itself. */
static bool
has_no_place(const struct grouping *grouping, const struct member *member)
{
    const char *version =
        arena_printf(grouping->arena, "tables %s", grouping->options->version_table);
    const struct sql_schema_indexes *index = member->item;
    const struct sql_schema_sequences *sequence = member->item;

    if (text_equal(member->key, version) || text_equal(member->table, version))
        return true;
    if (member->ref.class == SCHEMA_columns)
        return true;
    if (member->ref.class == SCHEMA_indexes)
        return index->constraint_name != NULL;
    return member->ref.class == SCHEMA_sequences && sequence->is_identity;
}

static void
add_members(struct grouping *grouping)
{
    struct arena *arena = grouping->arena;
    struct ddl_refs order = { 0 };

    ddl_order(arena, grouping->schema, &order);
    for (size_t i = 0; i < order.count; i++) {
        struct member member = { .ref = order.items[i] };
        const struct sql_schema_tables *table;

        member.item = schema_item(grouping->schema, member.ref.class, member.ref.index);
        member.key = link_key(arena, member.ref.class, member.item);
        member.table = table_key(arena, member.ref.class, member.item);
        if (has_no_place(grouping, &member))
            continue;
        if (member.ref.class == SCHEMA_sequences)
            member.table = owner_key(arena, grouping->schema, member.item);
        if (member.ref.class == SCHEMA_tables) {
            table = member.item;
            member.is_table = !table->definition;
        }
        VEC_PUSH(arena, &grouping->members, member);
    }
    for (size_t i = 0; i < grouping->members.count; i++)
        map_set(&grouping->by_key, grouping->members.items[i].key, &grouping->members.items[i]);
}

struct member *
group_find(const struct grouping *grouping, const char *key)
{
    static const char head[] = "indexes ";
    struct member *member = map_get(&grouping->by_key, key);
    struct arena *arena = grouping->arena;
    const struct sql_schema_indexes *index;
    const char *at, *schema, *name;

    if (member || !text_starts_with(key, head))
        return member;
    at = key + strlen(head);
    schema = schema_next_name(arena, &at);
    name = schema_next_name(arena, &at);
    index = name ? schema_find_index(grouping->schema, schema, name) : NULL;
    if (!index || !index->constraint_name)
        return NULL;
    return map_get(&grouping->by_key, arena_printf(arena, "constraints %s.%s",
                                          db_qualified(arena, index->schema, index->table_name),
                                          db_ident(arena, index->constraint_name)));
}

struct member *
group_target(const struct grouping *grouping, const struct member *member)
{
    const struct sql_schema_constraints *constraint = member->item;

    if (member->ref.class != SCHEMA_constraints || !constraint->target_table)
        return NULL;
    return group_find(grouping,
        arena_printf(grouping->arena, "tables %s",
            db_qualified(grouping->arena, constraint->target_schema, constraint->target_table)));
}

/* ---- stages ---- */

static size_t
later_of(size_t stage, const struct member *other)
{
    return other && other->stage > stage ? other->stage : stage;
}

static size_t
after_links(const struct grouping *grouping, const char *key, size_t stage)
{
    const struct text_list *rests = links_of(&grouping->links, key);

    for (size_t i = 0; i < rests->count; i++)
        stage = later_of(stage, group_find(grouping, rests->items[i]));
    return stage;
}

static size_t
after_columns(const struct grouping *grouping, const struct sql_schema_tables *table, size_t stage)
{
    const struct schema *schema = grouping->schema;
    struct schema_span span = schema_columns_of(schema, table->schema, table->name);

    for (size_t i = span.first; i < span.first + span.count; i++)
        stage = after_links(
            grouping, link_key(grouping->arena, SCHEMA_columns, &schema->columns.items[i]), stage);
    return stage;
}

/* Moves each object behind all it rests on; members are in an order that makes once enough. */
static void
settle(struct grouping *grouping)
{
    for (size_t i = 0; i < grouping->members.count; i++) {
        struct member *member = &grouping->members.items[i];
        size_t stage = member->wanted;

        if (member->table && member->ref.class != SCHEMA_sequences)
            stage = later_of(stage, group_find(grouping, member->table));
        stage = later_of(stage, group_target(grouping, member));
        stage = after_links(grouping, member->key, stage);
        if (member->ref.class == SCHEMA_tables)
            stage = after_columns(grouping, member->item, stage);
        member->stage = stage;
    }
}

/* A sequence stays with the table that owns it, also when that had to move. */
static void
settle_all(struct grouping *grouping)
{
    settle(grouping);
    for (size_t i = 0; i < grouping->members.count; i++) {
        struct member *member = &grouping->members.items[i];
        const struct member *table = member->ref.class == SCHEMA_sequences && member->table
                                         ? group_find(grouping, member->table)
                                         : NULL;

        if (table)
            member->wanted = table->stage;
    }
    settle(grouping);
}

/* Letters, digits and _ of a title, for the name of a file. */
static const char *
slug_of(struct arena *arena, const char *title)
{
    struct buffer out = { .arena = arena };
    bool has_gap = false;

    for (; *title && out.length < SLUG_LENGTH; title++) {
        char byte = (char)tolower((unsigned char)*title);

        if (!isalnum((unsigned char)byte) || (byte & 0x80)) {
            has_gap = true;
            continue;
        }
        if (has_gap && out.length > 0)
            buffer_add(&out, "_");
        has_gap = false;
        buffer_append(&out, &byte, 1);
    }
    return out.length > 0 ? buffer_text(&out) : "tables";
}

void
group_add_stage(struct grouping *grouping, const char *title)
{
    struct arena *arena = grouping->arena;
    struct stage stage = { .title = title, .slug = slug_of(arena, title) };

    for (size_t i = 0; i < grouping->stages.count; i++)
        if (text_equal(grouping->stages.items[i].slug, stage.slug))
            stage.slug = arena_printf(arena, "%s_%zu", stage.slug, grouping->stages.count + 1);
    VEC_PUSH(arena, &grouping->stages, stage);
}

static void
add_group(struct grouping *grouping, size_t stage, struct squash_plan *ret)
{
    struct arena *arena = grouping->arena;
    struct squash_group group = { .slug = grouping->stages.items[stage].slug,
        .title = grouping->stages.items[stage].title };

    for (size_t i = 0; i < grouping->members.count; i++)
        if (grouping->members.items[i].stage == stage)
            VEC_PUSH(arena, &group.objects, grouping->members.items[i].ref);
    if (group.objects.count > 0)
        VEC_PUSH(arena, &ret->groups, group);
}

/* Rows come when the last table is there. */
static void
place_seeds(const struct grouping *grouping, struct squash_plan *plan)
{
    size_t last = 0;

    for (size_t i = 0; i < plan->groups.count; i++)
        for (size_t k = 0; k < plan->groups.items[i].objects.count; k++) {
            const struct ddl_ref *ref = &plan->groups.items[i].objects.items[k];

            if (ref->class == SCHEMA_tables &&
                !grouping->schema->tables.items[ref->index].definition)
                last = i;
        }
    if (plan->groups.count > 0)
        plan->groups.items[last].has_seeds = true;
}

bool
squash_group(struct ctx *ctx, const struct schema *schema,
    const struct squash_group_options *options, struct squash_plan *ret)
{
    struct grouping grouping = {
        .arena = ctx->arena, .schema = schema, .options = options, .by_key = { .arena = ctx->arena }
    };

    *ret = (struct squash_plan){ 0 };
    if (options->target == 0)
        return error_set(ctx, ERR_USAGE, "there must be one revision at least");
    links_build(ctx->arena, schema, &grouping.links);
    add_members(&grouping);
    if (options->by == GROUP_BY_DOMAIN)
        group_by_domain(&grouping);
    else
        group_by_origin(&grouping);
    assert(grouping.stages.count <= options->target);
    settle_all(&grouping);
    for (size_t i = 0; i < grouping.stages.count; i++)
        add_group(&grouping, i, ret);
    if (ret->groups.count == 0) {
        struct squash_group nothing = { .slug = "nothing", .title = "nothing" };

        VEC_PUSH(ctx->arena, &ret->groups, nothing);
    }
    place_seeds(&grouping, ret);
    return true;
}
