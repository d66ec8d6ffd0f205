#include "migrate/squash/group_cluster.h"

enum {
    HUB_LINKS = 5,      /* a hub has this many foreign keys to it */
    HUB_PERCENT = 20,   /* and these of a hundred tables point to it */
    SPLIT_TABLES = 12,  /* smaller clusters stay whole */
    SPLIT_PERCENT = 35, /* larger than this part of all are cut */
};

static size_t
new_cluster(struct clusters *clusters, enum domain domain, const char *central)
{
    struct cluster cluster = { .domain = domain, .central = central };

    text_list_add(clusters->arena, &cluster.words,
        domain == DOMAIN_NONE ? central : group_domain_word(domain));
    VEC_PUSH(clusters->arena, &clusters->items, cluster);
    return clusters->items.count - 1;
}

static void
put(struct clusters *clusters, size_t table, size_t cluster)
{
    clusters->tables.items[table].cluster = cluster;
    clusters->items.items[cluster].size++;
}

static size_t
cluster_of_domain(struct clusters *clusters, enum domain domain)
{
    for (size_t i = 0; i < clusters->items.count; i++)
        if (clusters->items.items[i].domain == domain)
            return i;
    return new_cluster(clusters, domain, group_domain_word(domain));
}

/* ---- tables and foreign keys ---- */

static size_t
find_table(const struct clusters *clusters, const struct member *member)
{
    size_t i = 0;

    while (i < clusters->tables.count && clusters->tables.items[i].member != member)
        i++;
    return i;
}

static void
add_links(const struct grouping *grouping, struct clusters *clusters)
{
    for (size_t i = 0; i < grouping->members.count; i++) {
        const struct member *member = &grouping->members.items[i];
        const struct member *target = group_target(grouping, member);
        struct cluster_link link;

        if (!target)
            continue;
        link.from = find_table(clusters, group_find(grouping, member->table));
        link.to = find_table(clusters, target);
        if (link.from == clusters->tables.count || link.to == clusters->tables.count ||
            link.from == link.to)
            continue;
        VEC_PUSH(clusters->arena, &clusters->tables.items[link.from].links, clusters->links.count);
        VEC_PUSH(clusters->arena, &clusters->tables.items[link.to].links, clusters->links.count);
        VEC_PUSH(clusters->arena, &clusters->links, link);
        clusters->tables.items[link.to].incoming++;
    }
}

static void
find_tables(struct grouping *grouping, struct clusters *clusters)
{
    for (size_t i = 0; i < grouping->members.count; i++) {
        struct member *member = &grouping->members.items[i];
        const struct sql_schema_tables *table = member->item;

        if (member->is_table)
            VEC_PUSH(clusters->arena, &clusters->tables,
                (struct cluster_table){
                    .member = member, .name = table->name, .cluster = SIZE_MAX });
    }
    add_links(grouping, clusters);
    for (size_t i = 0; i < clusters->tables.count; i++) {
        struct cluster_table *table = &clusters->tables.items[i];

        table->is_hub = table->incoming >= HUB_LINKS &&
                        table->incoming * 100 >= clusters->tables.count * HUB_PERCENT;
    }
}

/* ---- which cluster ---- */

static void
put_by_words(struct clusters *clusters)
{
    for (size_t i = 0; i < clusters->tables.count; i++) {
        const struct sql_schema_tables *table = clusters->tables.items[i].member->item;
        enum domain domain = group_domain(table->name);

        if (domain != DOMAIN_NONE && !table->parent && !table->inherits)
            put(clusters, i, cluster_of_domain(clusters, domain));
    }
}

/* Partitions and children are where their parents are, which come before them. */
static void
put_children(const struct grouping *grouping, struct clusters *clusters)
{
    for (size_t i = 0; i < clusters->tables.count; i++) {
        const struct sql_schema_tables *table = clusters->tables.items[i].member->item;
        const char *parent = table->parent ? table->parent : table->inherits;
        const struct sql_schema_tables *above =
            schema_find_relation(grouping->arena, grouping->schema, parent);
        size_t place;

        if (!above || clusters->tables.items[i].cluster != SIZE_MAX)
            continue;
        place = find_table(
            clusters, group_find(grouping, link_key(grouping->arena, SCHEMA_tables, above)));
        if (place < clusters->tables.count && clusters->tables.items[place].cluster != SIZE_MAX)
            put(clusters, i, clusters->tables.items[place].cluster);
    }
}

/* The cluster of the table at the other end of a link; SIZE_MAX: none, or the link does not count. */
static size_t
other_cluster(const struct clusters *clusters, size_t link, size_t table, bool with_hubs)
{
    const struct cluster_link *ends = &clusters->links.items[link];
    size_t other = ends->from == table ? ends->to : ends->from;

    if (clusters->tables.items[ends->to].is_hub && !with_hubs)
        return SIZE_MAX;
    return clusters->tables.items[other].cluster;
}

/* The cluster that most foreign keys join the table with; SIZE_MAX: none. */
static size_t
nearest_cluster(const struct clusters *clusters, size_t table, bool with_hubs)
{
    const struct cluster_table *item = &clusters->tables.items[table];
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < item->links.count; i++) {
        size_t cluster = other_cluster(clusters, item->links.items[i], table, with_hubs);

        if (cluster == SIZE_MAX)
            continue;
        clusters->votes[cluster]++;
        if (best == SIZE_MAX || clusters->votes[cluster] > clusters->votes[best])
            best = cluster;
    }
    for (size_t i = 0; i < item->links.count; i++) {
        size_t cluster = other_cluster(clusters, item->links.items[i], table, with_hubs);

        if (cluster != SIZE_MAX)
            clusters->votes[cluster] = 0;
    }
    return best;
}

static void
put_by_neighbours(const struct grouping *grouping, struct clusters *clusters, bool with_hubs)
{
    bool has_changed = true;

    while (has_changed) {
        has_changed = false;
        for (size_t i = 0; i < clusters->tables.count; i++) {
            size_t cluster = clusters->tables.items[i].cluster == SIZE_MAX
                                 ? nearest_cluster(clusters, i, with_hubs)
                                 : SIZE_MAX;

            if (cluster == SIZE_MAX)
                continue;
            put(clusters, i, cluster);
            has_changed = true;
        }
        put_children(grouping, clusters);
    }
}

/* The table without a cluster that most point to, if any of its neighbours has none either. */
static size_t
next_centre(const struct clusters *clusters)
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < clusters->tables.count; i++) {
        const struct cluster_table *table = &clusters->tables.items[i];
        const struct sql_schema_tables *item = table->member->item;

        if (table->cluster == SIZE_MAX && !item->parent && !item->inherits &&
            (best == SIZE_MAX || table->incoming > clusters->tables.items[best].incoming))
            best = i;
    }
    return best;
}

/* What no word tells: around the tables that most point to; those without links together. */
static void
put_rest(const struct grouping *grouping, struct clusters *clusters)
{
    size_t rest = SIZE_MAX, centre;

    while ((centre = next_centre(clusters)) != SIZE_MAX) {
        const struct cluster_table *table = &clusters->tables.items[centre];
        size_t cluster;

        if (table->incoming == 0 && rest != SIZE_MAX) {
            put(clusters, centre, rest);
            continue;
        }
        cluster = new_cluster(clusters, DOMAIN_NONE, table->name);
        if (table->incoming == 0)
            rest = cluster;
        put(clusters, centre, cluster);
        put_by_neighbours(grouping, clusters, false);
        put_by_neighbours(grouping, clusters, true);
    }
    for (size_t i = 0; i < clusters->tables.count; i++)
        if (clusters->tables.items[i].cluster == SIZE_MAX)
            put(clusters, i, 0);
}

/* ---- as many as are wanted ---- */

static size_t
count_living(const struct clusters *clusters)
{
    size_t count = 0;

    for (size_t i = 0; i < clusters->items.count; i++)
        count += !clusters->items.items[i].is_gone && clusters->items.items[i].size > 0;
    return count;
}

static bool
is_alive(const struct clusters *clusters, size_t i)
{
    return !clusters->items.items[i].is_gone && clusters->items.items[i].size > 0;
}

static size_t
find_smallest(const struct clusters *clusters)
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < clusters->items.count; i++)
        if (is_alive(clusters, i) &&
            (best == SIZE_MAX || clusters->items.items[i].size < clusters->items.items[best].size))
            best = i;
    return best;
}

/* How much joins each cluster with this one; what points to a hub counts little. */
static size_t *
weigh_links(const struct clusters *clusters, size_t cluster)
{
    size_t *weights = ARENA_ARRAY(clusters->arena, size_t, clusters->items.count);

    for (size_t i = 0; i < clusters->links.count; i++) {
        const struct cluster_table *from = &clusters->tables.items[clusters->links.items[i].from];
        const struct cluster_table *to = &clusters->tables.items[clusters->links.items[i].to];

        if (from->cluster == cluster)
            weights[to->cluster] += to->is_hub ? 1 : 3;
        else if (to->cluster == cluster)
            weights[from->cluster] += to->is_hub ? 1 : 3;
    }
    return weights;
}

static size_t
find_partner(const struct clusters *clusters, size_t small)
{
    const size_t *weights = weigh_links(clusters, small);
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < clusters->items.count; i++) {
        if (i == small || !is_alive(clusters, i))
            continue;
        if (best == SIZE_MAX || weights[i] > weights[best] ||
            (weights[i] == weights[best] &&
                clusters->items.items[i].size < clusters->items.items[best].size))
            best = i;
    }
    return best;
}

static void
merge(struct clusters *clusters, size_t small, size_t large)
{
    struct cluster *from = &clusters->items.items[small], *to = &clusters->items.items[large];

    for (size_t i = 0; i < clusters->tables.count; i++)
        if (clusters->tables.items[i].cluster == small)
            clusters->tables.items[i].cluster = large;
    /* A few tables of no known kind do not change what the whole is called. */
    for (size_t i = 0;
         (from->domain != DOMAIN_NONE || from->size * 3 > to->size) && i < from->words.count; i++)
        text_list_add(clusters->arena, &to->words, from->words.items[i]);
    to->size += from->size;
    from->size = 0;
    from->is_gone = true;
}

/* ---- clusters that are too large ---- */

/* A cluster on its way to be two; by table: */
struct halves {
    struct clusters *clusters;
    size_t cluster;
    size_t *side;     /* 1 or 2; 0: none yet */
    size_t *links[2]; /* foreign keys that join it with either side */
    size_t sizes[2];
};

static bool
is_free(const struct halves *halves, size_t table)
{
    return halves->clusters->tables.items[table].cluster == halves->cluster &&
           halves->side[table] == 0;
}

static void
take(struct halves *halves, size_t table, size_t side)
{
    const struct cluster_table *item = &halves->clusters->tables.items[table];

    halves->side[table] = side + 1;
    halves->sizes[side]++;
    for (size_t i = 0; i < item->links.count; i++) {
        const struct cluster_link *link = &halves->clusters->links.items[item->links.items[i]];

        halves->links[side][link->from == table ? link->to : link->from]++;
    }
}

/* The free table that is joined most with this side and least with the other; SIZE_MAX: none is. */
static size_t
find_joined(const struct halves *halves, size_t side)
{
    const size_t *own = halves->links[side], *other = halves->links[1 - side];
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < halves->clusters->tables.count; i++)
        if (is_free(halves, i) && own[i] > 0 &&
            (best == SIZE_MAX || own[i] + other[best] > own[best] + other[i]))
            best = i;
    return best;
}

/* The free table that most point to; SIZE_MAX: there is none. */
static size_t
find_central(const struct halves *halves)
{
    const struct clusters *clusters = halves->clusters;
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < clusters->tables.count; i++)
        if (is_free(halves, i) && (best == SIZE_MAX || clusters->tables.items[i].incoming >
                                                           clusters->tables.items[best].incoming))
            best = i;
    return best;
}

/* Lets two halves grow around the two most central tables; the second becomes a new cluster. */
static void
split(struct clusters *clusters, size_t cluster)
{
    size_t count = clusters->tables.count, first, second, table, new;
    struct halves halves = { .clusters = clusters,
        .cluster = cluster,
        .side = ARENA_ARRAY(clusters->arena, size_t, count),
        .links = { ARENA_ARRAY(clusters->arena, size_t, count),
            ARENA_ARRAY(clusters->arena, size_t, count) } };

    first = find_central(&halves);
    take(&halves, first, 0);
    second = find_central(&halves);
    take(&halves, second, 1);
    while ((table = find_central(&halves)) != SIZE_MAX) {
        size_t side = halves.sizes[1] < halves.sizes[0];
        size_t joined = find_joined(&halves, side);

        /* Where nothing more is joined with a side, it begins anew at another table. */
        take(&halves, joined == SIZE_MAX ? table : joined, side);
    }
    new = new_cluster(clusters, DOMAIN_NONE, clusters->tables.items[second].name);
    for (size_t i = 0; i < count; i++)
        if (halves.side[i] == 2)
            put(clusters, i, new);
    clusters->items.items[cluster].size -= halves.sizes[1];
}

static bool
split_largest(struct clusters *clusters)
{
    size_t largest = SIZE_MAX;

    for (size_t i = 0; i < clusters->items.count; i++)
        if (largest == SIZE_MAX ||
            clusters->items.items[i].size > clusters->items.items[largest].size)
            largest = i;
    if (largest == SIZE_MAX || clusters->items.items[largest].size < SPLIT_TABLES ||
        clusters->items.items[largest].size * 100 < clusters->tables.count * SPLIT_PERCENT)
        return false;
    split(clusters, largest);
    return true;
}

void
clusters_build(struct grouping *grouping, size_t limit, struct clusters *ret)
{
    *ret = (struct clusters){ .arena = grouping->arena };
    find_tables(grouping, ret);
    if (ret->tables.count == 0)
        return;
    ret->votes = ARENA_ARRAY(ret->arena, size_t, ret->tables.count + DOMAIN_NONE + 1);
    put_by_words(ret);
    put_children(grouping, ret);
    put_by_neighbours(grouping, ret, false);
    put_rest(grouping, ret);
    while (count_living(ret) < limit && split_largest(ret))
        ;
    while (count_living(ret) > limit) {
        size_t small = find_smallest(ret);

        merge(ret, small, find_partner(ret, small));
    }
}
