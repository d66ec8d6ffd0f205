#include "migrate/squash/group_cluster.h"

/* What stands in a group of its own before the tables. */
static bool
is_foundation(const struct member *member)
{
    const struct sql_schema_schemas *schema = member->item;

    if (member->ref.class == SCHEMA_schemas)
        return !text_equal(schema->name, "public");
    return member->ref.class == SCHEMA_extensions || member->ref.class == SCHEMA_types ||
           member->ref.class == SCHEMA_functions || member->ref.class == SCHEMA_others ||
           (member->ref.class == SCHEMA_sequences && !member->table);
}

/* What would act on all that is made after it. */
static bool
is_final(const struct member *member)
{
    const struct sql_schema_others *other = member->item;

    return member->ref.class == SCHEMA_others &&
           (text_equal(other->kind, "event trigger") || text_equal(other->kind, "publication") ||
               text_equal(other->kind, "default privileges"));
}

static size_t
count_class(const struct grouping *grouping, enum schema_class class)
{
    size_t count = 0;

    for (size_t i = 0; i < grouping->members.count; i++)
        count += grouping->members.items[i].ref.class == class;
    return count;
}

static const char *
foundation_title(const struct grouping *grouping)
{
    if (count_class(grouping, SCHEMA_extensions) > 0)
        return count_class(grouping, SCHEMA_types) > 0 ? "extensions and types" : "extensions";
    if (count_class(grouping, SCHEMA_types) > 0)
        return count_class(grouping, SCHEMA_functions) > 0 ? "types and functions" : "types";
    return count_class(grouping, SCHEMA_functions) > 0 ? "functions" : "schemas and sequences";
}

/* At most this many clusters of tables, so that none is needlessly small. */
static size_t
cluster_limit(const struct grouping *grouping, size_t room)
{
    size_t tables = 0, wanted;

    for (size_t i = 0; i < grouping->members.count; i++)
        tables += grouping->members.items[i].is_table;
    wanted = (tables + 2) / 3;
    return wanted < room ? wanted : room;
}

/* Tables want the stage of their cluster; the stages are made in order. */
static void
add_clusters(struct grouping *grouping, size_t limit)
{
    struct clusters clusters;
    size_t *order, count;

    if (limit == 0)
        return;
    clusters_build(grouping, limit, &clusters);
    clusters_order(&clusters, &order, &count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < clusters.tables.count; k++)
            if (clusters.tables.items[k].cluster == order[i])
                clusters.tables.items[k].member->wanted = grouping->stages.count;
        group_add_stage(
            grouping, count == 1 ? "tables"
                                 : cluster_title(grouping->arena, &clusters.items.items[order[i]]));
    }
}

static void
set_wanted(struct grouping *grouping, size_t tables, size_t last)
{
    for (size_t i = 0; i < grouping->members.count; i++) {
        struct member *member = &grouping->members.items[i];
        const struct member *table = member->table ? group_find(grouping, member->table) : NULL;

        if (member->ref.class == SCHEMA_indexes || is_final(member))
            member->wanted = last;
        else if (member->is_table)
            continue;
        else if (table)
            member->wanted = table->wanted;
        else if (!is_foundation(member))
            member->wanted = tables; /* views: after what they rest on */
    }
}

void
group_by_domain(struct grouping *grouping)
{
    size_t target = grouping->options->target, tables;
    bool has_foundation = false, has_indexes = count_class(grouping, SCHEMA_indexes) > 0;

    for (size_t i = 0; i < grouping->members.count; i++)
        has_foundation |=
            is_foundation(&grouping->members.items[i]) && !is_final(&grouping->members.items[i]);
    if (target == 1) {
        group_add_stage(grouping, "everything");
        return;
    }
    /* With room for two, the foundation is in front of the tables. */
    has_foundation &= target > 2 || !has_indexes;
    if (has_foundation)
        group_add_stage(grouping, foundation_title(grouping));
    tables = grouping->stages.count;
    add_clusters(grouping, cluster_limit(grouping, target - tables - has_indexes));
    if (grouping->stages.count == 0)
        group_add_stage(grouping, "tables");
    if (has_indexes)
        group_add_stage(grouping, "indexes");
    set_wanted(grouping, tables < grouping->stages.count ? tables : 0, grouping->stages.count - 1);
}
