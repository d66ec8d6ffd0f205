#include <ctype.h>

#include "migrate/squash/group_private.h"

/* A revision that made something, or a span of time. */
struct unit {
    const char *label;
    const char *name; /* in a title */
    size_t weight;    /* objects that it made */
    size_t stage;
};

struct units {
    struct unit *items;
    size_t count;
    size_t capacity;
};

/* How dates are cut: 2026-11-22, 2026-11, 2026 Q4, 2026. */
enum grain { GRAIN_DAY, GRAIN_MONTH, GRAIN_QUARTER, GRAIN_YEAR, GRAIN_COUNT };

static const char *
find_origin(const struct grouping *grouping, const struct member *member)
{
    const char *identity = strchr(member->key, ' ') + 1;

    for (size_t i = 0; i < grouping->options->origin_count; i++)
        if (text_equal(grouping->options->origins[i].identity, identity))
            return grouping->options->origins[i].revision;
    return NULL;
}

/* The revision's place in Alembic's order, from 1; 0: it has none. */
static size_t
place_of(const struct grouping *grouping, const char *revision)
{
    const struct node *node = revision ? map_get(&grouping->options->graph->by_id, revision) : NULL;

    return node && node->position != SIZE_MAX ? node->position + 1 : 0;
}

static bool
is_date(const char *text)
{
    static const char pattern[] = "0000-00-00";

    for (size_t i = 0; pattern[i]; i++)
        if (pattern[i] == '0' ? !isdigit((unsigned char)text[i]) : text[i] != pattern[i])
            return false;
    return true;
}

/* The Create Date of a revision, or that of the last one before it that has one. */
static const char *
date_of(const struct grouping *grouping, size_t place)
{
    const struct graph *graph = grouping->options->graph;

    for (size_t i = place; i > 0; i--) {
        const char *date = graph->nodes[graph->order.items[i - 1]].revision->doc_created;

        if (date && is_date(date))
            return date;
    }
    return NULL;
}

static const char *
cut_date(struct arena *arena, const char *date, enum grain grain)
{
    int month = (date[5] - '0') * 10 + date[6] - '0';

    if (grain == GRAIN_QUARTER)
        return arena_printf(arena, "%.4s Q%d", date, (month + 2) / 3);
    return arena_strndup(arena, date, grain == GRAIN_DAY ? 10 : grain == GRAIN_MONTH ? 7 : 4);
}

/* By number or date, as text of the same length: in their order. */
static const char *
label_of(const struct grouping *grouping, size_t place, enum grain grain)
{
    const char *date = grain < GRAIN_COUNT ? date_of(grouping, place) : NULL;

    if (grain < GRAIN_COUNT)
        return date ? cut_date(grouping->arena, date, grain) : "0000";
    return arena_printf(grouping->arena, "%09zu", place);
}

static struct unit *
find_unit(const struct units *units, const char *label)
{
    for (size_t i = 0; i < units->count; i++)
        if (text_equal(units->items[i].label, label))
            return &units->items[i];
    return NULL;
}

static int
compare_units(const void *a, const void *b)
{
    return strcmp(((const struct unit *)a)->label, ((const struct unit *)b)->label);
}

/* Those that made something, in order. grain GRAIN_COUNT: revisions. */
static void
find_units(const struct grouping *grouping, enum grain grain, struct units *ret)
{
    *ret = (struct units){ 0 };
    for (size_t i = 0; i < grouping->members.count; i++) {
        const char *revision = find_origin(grouping, &grouping->members.items[i]);
        size_t place = place_of(grouping, revision);
        const char *label = place > 0 ? label_of(grouping, place, grain) : NULL;
        struct unit *unit = label ? find_unit(ret, label) : NULL;

        if (label && !unit) {
            struct unit new = { .label = label, .name = label };

            if (grain == GRAIN_COUNT)
                new.name = revision;
            else if (text_equal(label, "0000"))
                new.name = "before";

            VEC_PUSH(grouping->arena, ret, new);
            unit = &ret->items[ret->count - 1];
        }
        if (unit)
            unit->weight++;
    }
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof(ret->items[0]), compare_units);
}

/* The finest cut of time that gives no more than wanted; else the finest there is of any use. */
static enum grain
choose_grain(const struct grouping *grouping)
{
    struct units units;

    if (grouping->options->by == GROUP_BY_FILE)
        return GRAIN_COUNT;
    for (enum grain grain = GRAIN_DAY; grain < GRAIN_COUNT; grain++) {
        find_units(grouping, grain, &units);
        if (units.count > 0 && text_equal(units.items[units.count - 1].label, "0000"))
            return GRAIN_COUNT; /* no revision says when it was made */
        if (units.count <= grouping->options->target)
            return grain;
    }
    return GRAIN_YEAR;
}

static const char *
run_title(struct arena *arena, const struct units *units, size_t first, size_t last, bool is_file)
{
    const char *from = units->items[first].name, *to = units->items[last].name;

    if (first == last)
        return is_file ? arena_printf(arena, "revision %s", from) : from;
    return arena_printf(arena, "%s%s to %s", is_file ? "revisions " : "", from, to);
}

/* Consecutive runs of about the same weight, no more than wanted. */
static void
add_runs(struct grouping *grouping, struct units *units, bool is_file)
{
    size_t total = 0, done = 0, first = 0;
    size_t runs =
        grouping->options->target < units->count ? grouping->options->target : units->count;

    for (size_t i = 0; i < units->count; i++)
        total += units->items[i].weight;
    for (size_t i = 0; i < units->count; i++) {
        size_t stage = grouping->stages.count;
        size_t left = units->count - 1 - i, wanted = runs - stage - 1;

        units->items[i].stage = stage;
        done += units->items[i].weight;
        if (left > 0 && left > wanted && (wanted == 0 || done * runs < total * (stage + 1)))
            continue;
        group_add_stage(grouping, run_title(grouping->arena, units, first, i, is_file));
        first = i + 1;
    }
}

void
group_by_origin(struct grouping *grouping)
{
    enum grain grain = choose_grain(grouping);
    struct units units;

    find_units(grouping, grain, &units);
    add_runs(grouping, &units, grain == GRAIN_COUNT);
    if (grouping->stages.count == 0)
        group_add_stage(grouping, "everything");
    for (size_t i = 0; i < grouping->members.count; i++) {
        struct member *member = &grouping->members.items[i];
        size_t place = place_of(grouping, find_origin(grouping, member));
        const struct sql_schema_others *other = member->item;

        if (place > 0)
            member->wanted = find_unit(&units, label_of(grouping, place, grain))->stage;
        else if (member->ref.class == SCHEMA_others &&
                 (text_equal(other->kind, "event trigger") ||
                     text_equal(other->kind, "default privileges")))
            member->wanted = grouping->stages.count - 1;
    }
    for (size_t i = 0; i < grouping->members.count; i++) {
        struct member *member = &grouping->members.items[i];
        const struct member *table = member->table ? group_find(grouping, member->table) : NULL;

        if (table && table->wanted > member->wanted)
            member->wanted = table->wanted;
    }
}
