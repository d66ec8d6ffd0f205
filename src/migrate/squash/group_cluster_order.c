#include "migrate/squash/group_cluster.h"

/* Foreign keys from one cluster to another. */
static size_t
count_links(const struct clusters *clusters, size_t from, size_t to)
{
    size_t count = 0;

    for (size_t i = 0; i < clusters->links.count; i++)
        count += clusters->tables.items[clusters->links.items[i].from].cluster == from &&
                 clusters->tables.items[clusters->links.items[i].to].cluster == to;
    return count;
}

/* How many point to those that have no place yet. */
static size_t
count_forward(const struct clusters *clusters, size_t cluster, const bool *placed)
{
    size_t count = 0;

    for (size_t i = 0; i < clusters->items.count; i++)
        if (i != cluster && !placed[i])
            count += count_links(clusters, cluster, i);
    return count;
}

/* Of two that point forward as often, the one that people expect first. */
static bool
is_before(const struct clusters *clusters, size_t a, size_t b)
{
    return clusters->items.items[a].domain < clusters->items.items[b].domain;
}

/* Two neighbours the other way round, where that turns more foreign keys backward. */
static void
improve(const struct clusters *clusters, size_t *order, size_t count)
{
    for (size_t turn = 0; turn < count; turn++)
        for (size_t i = 0; i + 1 < count; i++) {
            size_t a = order[i], b = order[i + 1];

            if (count_links(clusters, a, b) <= count_links(clusters, b, a))
                continue;
            order[i] = b;
            order[i + 1] = a;
        }
}

/* Greedy, then swaps of neighbours; source: Eades, Lin and Smyth 1993 have the idea. */
void
clusters_order(const struct clusters *clusters, size_t **ret_order, size_t *ret_count)
{
    size_t all = clusters->items.count;
    bool *placed = ARENA_ARRAY(clusters->arena, bool, all + 1);
    size_t *order = ARENA_ARRAY(clusters->arena, size_t, all + 1);
    size_t count = 0;

    for (size_t i = 0; i < all; i++)
        placed[i] = clusters->items.items[i].is_gone || clusters->items.items[i].size == 0;
    for (;;) {
        size_t best = SIZE_MAX, least = 0;

        for (size_t i = 0; i < all; i++) {
            size_t forward = placed[i] ? 0 : count_forward(clusters, i, placed);

            if (placed[i] ||
                (best != SIZE_MAX &&
                    (forward > least || (forward == least && !is_before(clusters, i, best)))))
                continue;
            best = i;
            least = forward;
        }
        if (best == SIZE_MAX)
            break;
        placed[best] = true;
        order[count++] = best;
    }
    improve(clusters, order, count);
    *ret_order = order;
    *ret_count = count;
}

/* Known words first, in the order in which people expect them. */
static struct text_list
ordered_words(struct arena *arena, const struct text_list *words)
{
    struct text_list ordered = { 0 };

    for (enum domain domain = 0; domain < DOMAIN_NONE; domain++)
        if (text_list_has(words, group_domain_word(domain)))
            text_list_add(arena, &ordered, group_domain_word(domain));
    for (size_t i = 0; i < words->count; i++)
        if (!text_list_has(&ordered, words->items[i]))
            text_list_add(arena, &ordered, words->items[i]);
    return ordered;
}

/* "users and access" of one, "users, dialogs and billing" of several. */
const char *
cluster_title(struct arena *arena, const struct cluster *cluster)
{
    struct text_list words = ordered_words(arena, &cluster->words);

    if (words.count == 1)
        return cluster->domain == DOMAIN_NONE ? words.items[0]
                                              : group_domain_title(cluster->domain);
    if (words.count == 2)
        return arena_printf(arena, "%s and %s", words.items[0], words.items[1]);
    return arena_printf(arena, "%s, %s and %s", words.items[0], words.items[1],
        words.count == 3 ? words.items[2] : "others");
}
