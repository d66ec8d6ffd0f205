#include "queries/detect/tally_part.h"

struct tally *
detected_new(struct arena *arena)
{
    struct tally *tally = ARENA_NEW(arena, struct tally);

    tally->arena = arena;
    return tally;
}

/* ---- which entry ---- */

static size_t
slot_of(const struct sighting *sighting)
{
    uint64_t hash = (uint64_t)sighting->kind + 1;

    if (sighting->parent)
        hash +=
            (sighting->parent->step->known->template->number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < sighting->child_count; i++)
        hash =
            (hash ^ sighting->children[i].known->template->number) * UINT64_C(0xd6e8feb86659fd93);
    return (size_t)(hash >> 40) % MOST_ENTRIES;
}

static bool
is_entry_of(const struct entry *entry, const struct sighting *sighting)
{
    const struct known *parent = sighting->parent ? sighting->parent->step->known : NULL;

    if (entry->kind != sighting->kind || entry->parent != parent ||
        (parent && entry->column != sighting->column) ||
        entry->child_count != sighting->child_count)
        return false;
    for (size_t i = 0; i < entry->child_count; i++)
        if (entry->children[i].known != sighting->children[i].known)
            return false;
    return true;
}

static const char *
keep_text(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static void
keep_values(struct arena *arena, struct tallied_values *values, const struct step *step)
{
    values->count = step->count;
    for (size_t i = 0; i < step->count; i++) {
        values->hashes[i] = step->hashes[i];
        values->texts[i] = keep_text(arena, step->texts[i]);
        values->is_bound[i] = i < step->params;
    }
}

static void
compare_values(struct tallied_values *values, const struct step *step)
{
    for (size_t i = 0; i < values->count; i++)
        values->is_bound[i] |= i >= step->count || values->hashes[i] != step->hashes[i];
}

static struct entry *
new_entry(struct tally *tally, const struct sighting *sighting, size_t slot)
{
    struct entry *entry = ARENA_NEW(tally->arena, struct entry);

    entry->kind = sighting->kind;
    entry->repeats = ARENA_ARRAY(tally->arena, uint32_t, EXACT_REPEATS + COARSE_REPEATS);
    entry->child_count = sighting->child_count;
    entry->period = sighting->period > 0 ? sighting->period : sighting->child_count;
    entry->has_wasted = true;
    if (sighting->parent) {
        entry->parent = sighting->parent->step->known;
        entry->column = sighting->column;
        entry->key_name =
            arena_strdup(tally->arena, sighting->parent->columns[sighting->column].name);
        keep_values(tally->arena, &entry->parent_values, sighting->parent->step);
    }
    for (size_t i = 0; i < entry->child_count; i++) {
        const struct sighted_child *from = &sighting->children[i];
        struct tallied_child *child = &entry->children[i];

        child->known = from->known;
        child->slot_count = from->first->count;
        memcpy(child->origins, from->origins, sizeof(child->origins));
        memcpy(child->columns, from->columns, sizeof(child->columns));
        memcpy(child->fits, from->fits, sizeof(child->fits));
        for (size_t j = 0; j < child->slot_count; j++) {
            child->hashes[j] = from->first->hashes[j];
            child->texts[j] = keep_text(tally->arena, from->first->texts[j]);
            child->is_bound[j] = j < from->first->params;
        }
    }
    entry->next = tally->table[slot];
    tally->table[slot] = entry;
    tally->entries[tally->count++] = entry;
    return entry;
}

static struct entry *
find_entry(struct tally *tally, const struct sighting *sighting)
{
    size_t slot = slot_of(sighting);

    for (struct entry *entry = tally->table[slot]; entry; entry = entry->next)
        if (is_entry_of(entry, sighting))
            return entry;
    if (tally->count == MOST_ENTRIES) {
        tally->refused++;
        return NULL;
    }
    return new_entry(tally, sighting, slot);
}

/* ---- adding ---- */

static int64_t
sum_known(int64_t a, int64_t b)
{
    return a < 0 || b < 0 ? -1 : a + b;
}

/*
 * What varies: the column must hold the values in each request. That of the finding's own key does, or it
 * would be another finding.
 */
static void
merge_varying(
    struct tallied_child *child, const struct sighted_child *from, size_t slot, int32_t key)
{
    bool was_key = child->origins[slot] == SLOT_KEY;
    bool is_key = from->origins[slot] == SLOT_KEY;

    if (was_key && child->columns[slot] == key)
        return;
    if (is_key &&
        (from->columns[slot] == key || (!was_key && child->origins[slot] != SLOT_VARIES))) {
        child->origins[slot] = SLOT_KEY;
        child->columns[slot] = from->columns[slot];
        child->fits[slot] = from->fits[slot];
        return;
    }
    if (was_key && !is_key && from->origins[slot] != SLOT_VARIES)
        return;
    child->fits[slot] &= from->fits[slot];
    if (!was_key || !is_key || child->fits[slot] == 0) {
        child->origins[slot] = SLOT_VARIES;
        child->columns[slot] = -1;
    } else if (!(child->fits[slot] & UINT32_C(1) << child->columns[slot])) {
        child->columns[slot] = __builtin_ctz(child->fits[slot]);
    }
}

/* What was a constant, or the parent's value, must be so in each request. */
static void
merge_slots(struct tallied_child *child, const struct sighted_child *from, int32_t key)
{
    for (size_t i = 0; i < child->slot_count; i++) {
        uint64_t hash = i < from->first->count ? from->first->hashes[i] : 0;

        if (hash != child->hashes[i])
            child->is_bound[i] = true;
        if (i >= from->first->count)
            continue;
        if (child->origins[i] == SLOT_KEY || child->origins[i] == SLOT_VARIES ||
            from->origins[i] == SLOT_KEY || from->origins[i] == SLOT_VARIES) {
            merge_varying(child, from, i, key);
        } else if (child->origins[i] == SLOT_PARAM &&
                   (from->origins[i] != SLOT_PARAM || child->columns[i] != from->columns[i])) {
            child->origins[i] = SLOT_CONSTANT;
            child->columns[i] = -1;
        }
    }
}

static void
add_children(struct entry *entry, const struct sighting *sighting)
{
    double wasted = 0;
    double repeats = (double)sighting->repeats;

    for (size_t i = 0; i < entry->child_count; i++) {
        struct tallied_child *child = &entry->children[i];
        const struct sighted_child *from = &sighting->children[i];

        merge_slots(child, from, entry->parent ? entry->column : -1);
        child->calls += from->calls;
        child->elapsed_us = sum_known(child->elapsed_us, from->elapsed_us);
        child->rows = sum_known(child->rows, from->rows);
        entry->has_wasted &= from->elapsed_us >= 0;
        wasted += (double)from->elapsed_us * (repeats - 1) / repeats;
    }
    entry->wasted_us += wasted;
}

static void
add_name(
    struct arena *arena, struct tallied_name *names, size_t most, size_t *count, const char *name)
{
    if (!name)
        return;
    for (size_t i = 0; i < *count; i++)
        if (strcmp(names[i].name, name) == 0) {
            names[i].count++;
            return;
        }
    if (*count < most)
        names[(*count)++] = (struct tallied_name){ arena_strdup(arena, name), 1 };
}

static void
add_before(struct tally *tally, struct entry *entry, const struct sighting *sighting)
{
    for (size_t i = 0; i < sighting->before_count; i++) {
        const struct step *step = sighting->before[i];
        struct tallied_before *before = NULL;
        bool is_again = false;

        for (size_t j = 0; j < i; j++)
            is_again |= sighting->before[j]->known == step->known;
        for (size_t j = 0; j < entry->before_count; j++)
            if (entry->before[j].known == step->known)
                before = &entry->before[j];
        if (is_again || (!before && entry->before_count == MOST_PARENTS))
            continue;
        if (!before) {
            before = &entry->before[entry->before_count++];
            before->known = step->known;
            keep_values(tally->arena, &before->values, step);
        }
        before->count++;
        before->seen += step->has_columns;
        compare_values(&before->values, step);
        if (step->rows < 0)
            continue;
        before->rows_known++;
        before->rows += step->rows;
    }
}

static void
add_example(struct tally *tally, struct entry *entry, const struct sighting *sighting)
{
    const struct step *child = sighting->children[0].first;
    const struct step *parent = sighting->parent ? sighting->parent->step : NULL;

    if (entry->example_count == MOST_EXAMPLES)
        return;
    entry->examples[entry->example_count++] = (struct query_example){
        .started_us = child->started_us,
        .session = child->session,
        .line = child->line,
        .repeats = sighting->repeats > INT32_MAX ? INT32_MAX : (int32_t)sighting->repeats,
        .child_sql = detected_statement_text(tally->arena, child->known->template->text,
            (const char *const *)child->texts, child->hashes, child->count),
        .parent_sql = parent
                          ? detected_statement_text(tally->arena, parent->known->template->text,
                                (const char *const *)parent->texts, parent->hashes, parent->count)
                          : NULL,
    };
}

void
detected_add(struct detect *detect, const struct session *session, const struct sighting *sighting)
{
    struct tally *tally = detect->tally;
    struct entry *entry = find_entry(tally, sighting);
    size_t bucket = detected_bucket(sighting->repeats);

    if (!entry)
        return;
    entry->requests++;
    entry->hard += !sighting->is_soft;
    entry->nested += sighting->is_nested;
    entry->needs += sighting->needs_parent;
    entry->trust += sighting->trust;
    if (entry->requests == 1 || sighting->repeats < entry->min)
        entry->min = sighting->repeats;
    if (sighting->repeats > entry->max)
        entry->max = sighting->repeats;
    entry->repeats[bucket] += entry->repeats[bucket] < UINT32_MAX;
    if (sighting->parent) {
        entry->parent_rows += sighting->parent->step->rows > 0 ? sighting->parent->step->rows
                                                               : (int64_t)sighting->parent->rows;
        compare_values(&entry->parent_values, sighting->parent->step);
    }
    add_children(entry, sighting);
    add_name(tally->arena, entry->routes, MOST_ROUTES, &entry->route_count, session->route);
    add_name(tally->arena, entry->applications, MOST_NAMES, &entry->application_count,
        session->application);
    if (!entry->database)
        entry->database = keep_text(tally->arena, session->database);
    add_example(tally, entry, sighting);
    if (sighting->parent)
        return;
    add_before(tally, entry, sighting);
    detected_keep_sample(tally, entry, sighting);
}
