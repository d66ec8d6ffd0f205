#include <math.h>

#include "queries/detect/tally_part.h"

static const double least_share = 0.6;

/* The child's slot that varies and may be named after a column of that statement. */
static bool
fits_by_name(struct arena *arena, const struct entry *entry, const struct tallied_before *before,
    struct guessed *ret)
{
    for (size_t i = 0; i < entry->child_count; i++) {
        const struct tallied_child *child = &entry->children[i];

        for (size_t slot = 0; slot < child->slot_count; slot++)
            if (child->origins[slot] == SLOT_VARIES &&
                known_guess_key(arena, before->known, child->known, slot, &ret->name, &ret->column))
                return true;
    }
    return false;
}

/*
 * The statement before the loop that stood there in most requests, and of which a column is named as
 * what the loop looks for; the nearest come first.
 */
void
detected_guess(struct arena *arena, const struct entry *entry, struct guessed *ret)
{
    *ret = (struct guessed){ .column = -1 };
    if (entry->kind != FOUND_LOOP)
        return;
    for (size_t i = 0; i < entry->before_count; i++) {
        const struct tallied_before *before = &entry->before[i];
        double share = (double)before->count / (double)entry->requests;
        struct guessed guessed = { .before = before, .share = share };

        if (share < least_share || share <= ret->share ||
            !fits_by_name(arena, entry, before, &guessed))
            continue;
        guessed.rows_fit =
            before->rows_known == before->count &&
            before->rows * entry->requests >= entry->children[0].calls * before->count * 9 / 10;
        if (before->rows_known > 0 && before->rows * 2 < entry->children[0].calls)
            continue;
        *ret = guessed;
    }
}

/*
 * Where nothing but time tells requests apart, statements of one kind come one behind the other by
 * chance, too: how often, follows from how frequent they are among all.
 */
bool
detected_is_real(const struct detect *detect, const struct entry *entry, bool *ret_is_all)
{
    double executed = (double)entry->children[0].known->executed;
    double part =
        detect->statements > 0 ? executed * (double)entry->period / (double)detect->statements : 1;
    double by_chance;
    double longest;

    *ret_is_all = false;
    if (entry->hard > 0)
        return true;
    if (part > 0.5) {
        *ret_is_all = true;
        return true;
    }
    by_chance = executed * pow(part, detect->options.min_repeats - 1);
    longest = executed * pow(part, (double)entry->max - 1);
    return (double)entry->requests > 3 * by_chance + 2 || longest < 0.001;
}
