#include <math.h>
#include <stdlib.h>

#include "queries/detect/rerun.h"
#include "queries/detect/tally_part.h"

size_t
detected_bucket(int64_t repeats)
{
    double step;

    if (repeats < EXACT_REPEATS)
        return repeats < 0 ? 0 : (size_t)repeats;
    step = (log2((double)repeats) - 10) * 8;
    return EXACT_REPEATS + (step >= COARSE_REPEATS - 1 ? COARSE_REPEATS - 1 : (size_t)step);
}

/* The number of repeats that a bucket stands for. */
static int64_t
bucket_value(size_t bucket)
{
    if (bucket < EXACT_REPEATS)
        return (int64_t)bucket;
    return (int64_t)exp2(10 + ((double)(bucket - EXACT_REPEATS) + 0.5) / 8);
}

static int64_t
quantile(const struct entry *entry, double share)
{
    double wanted = share * (double)entry->requests;
    double seen = 0;
    int64_t value;

    for (size_t i = 0; i < EXACT_REPEATS + COARSE_REPEATS; i++) {
        seen += entry->repeats[i];
        if (entry->repeats[i] == 0 || seen < wanted)
            continue;
        value = bucket_value(i);
        return value < entry->min ? entry->min : value > entry->max ? entry->max : value;
    }
    return entry->max;
}

/* ---- entries that are the same but for children that were left out in some requests ---- */

static bool
holds_children(const struct entry *big, const struct entry *small)
{
    for (size_t i = 0; i < small->child_count; i++) {
        bool is_there = false;

        for (size_t j = 0; j < big->child_count; j++)
            is_there |= big->children[j].known == small->children[i].known;
        if (!is_there)
            return false;
    }
    return true;
}

/* -1: one of them is not known. */
static int64_t
sum_of_known(int64_t a, int64_t b)
{
    return a < 0 || b < 0 ? -1 : a + b;
}

static void
merge_child(struct entry *into, const struct tallied_child *from)
{
    for (size_t i = 0; i < into->child_count; i++) {
        struct tallied_child *child = &into->children[i];

        if (child->known != from->known)
            continue;
        child->calls += from->calls;
        child->elapsed_us = sum_of_known(child->elapsed_us, from->elapsed_us);
        child->rows = sum_of_known(child->rows, from->rows);
    }
}

static bool
has_route(const struct entry *entry, const char *name)
{
    for (size_t i = 0; i < entry->route_count; i++)
        if (strcmp(entry->routes[i].name, name) == 0)
            return true;
    return false;
}

static void
merge(struct entry *into, struct entry *from)
{
    into->requests += from->requests;
    into->hard += from->hard;
    into->nested += from->nested;
    into->needs += from->needs;
    into->trust += from->trust;
    into->wasted_us += from->wasted_us;
    into->has_wasted &= from->has_wasted;
    into->parent_rows += from->parent_rows;
    into->min = from->min < into->min ? from->min : into->min;
    into->max = from->max > into->max ? from->max : into->max;
    for (size_t i = 0; i < EXACT_REPEATS + COARSE_REPEATS; i++)
        into->repeats[i] += from->repeats[i];
    for (size_t i = 0; i < from->child_count; i++)
        merge_child(into, &from->children[i]);
    for (size_t i = 0; i < from->route_count && into->route_count < MOST_ROUTES; i++)
        if (!has_route(into, from->routes[i].name))
            into->routes[into->route_count++] = from->routes[i];
    from->is_merged = true;
}

static void
merge_entries(struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++)
        for (size_t j = 0; j < tally->count; j++) {
            struct entry *small = tally->entries[i];
            struct entry *big = tally->entries[j];
            bool is_bigger = big->child_count > small->child_count ||
                             (big->child_count == small->child_count && j < i);

            if (i == j || small->is_merged || big->is_merged || !is_bigger ||
                small->kind != big->kind || small->parent != big->parent ||
                (small->parent && small->column != big->column) || !holds_children(big, small) ||
                small->child_count < 1 || (!small->parent && small->child_count < big->child_count))
                continue;
            merge(big, small);
        }
}

/* ---- an entry as a finding ---- */

static struct query_slot *
make_slots(struct arena *arena, const struct tallied_values *values)
{
    struct query_slot *slots = ARENA_ARRAY(arena, struct query_slot, values->count + 1);

    for (size_t i = 0; i < values->count; i++)
        slots[i] = (struct query_slot){
            .origin = SLOT_CONSTANT,
            .column = -1,
            .text = values->texts[i],
            .is_bound = values->is_bound[i],
        };
    return slots;
}

static void
fill_children(struct arena *arena, const struct entry *entry, const struct guessed *guessed,
    struct query_finding *finding)
{
    finding->child_count = entry->child_count;
    finding->children = ARENA_ARRAY(arena, struct query_child, entry->child_count);
    for (size_t i = 0; i < entry->child_count; i++) {
        const struct tallied_child *from = &entry->children[i];
        struct query_child *child = &finding->children[i];

        *child = (struct query_child){
            .fingerprint = from->known->template->fingerprint,
            .text = from->known->template->text,
            .slot_count = from->slot_count,
            .slots = ARENA_ARRAY(arena, struct query_slot, from->slot_count + 1),
            .calls = from->calls,
            .total_us = from->elapsed_us,
            .rows_mean =
                from->rows < 0 || from->calls == 0 ? -1 : (double)from->rows / (double)from->calls,
        };
        for (size_t j = 0; j < from->slot_count; j++) {
            struct query_slot *slot = &child->slots[j];
            const char *name;
            int32_t column;

            *slot = (struct query_slot){
                .origin = from->origins[j],
                .column = from->columns[j],
                .text = from->texts[j],
                .is_bound = from->is_bound[j] || from->origins[j] == SLOT_KEY ||
                            from->origins[j] == SLOT_VARIES,
            };
            if (guessed->before && slot->origin == SLOT_VARIES &&
                known_guess_key(arena, guessed->before->known, from->known, j, &name, &column)) {
                slot->origin = SLOT_KEY;
                slot->column = column;
            }
        }
    }
}

static void
fill_parent(struct arena *arena, const struct entry *entry, const struct guessed *guessed,
    struct query_finding *finding)
{
    const struct known *known = guessed->before ? guessed->before->known : entry->parent;
    const struct tallied_values *values =
        guessed->before ? &guessed->before->values : &entry->parent_values;

    if (!known)
        return;
    finding->has_parent = true;
    finding->parent = (struct query_parent){
        .fingerprint = known->template->fingerprint,
        .text = known->template->text,
        .slots = make_slots(arena, values),
        .slot_count = values->count,
        .key_column = guessed->before ? guessed->column : entry->column,
        .key_name = guessed->before ? guessed->name : entry->key_name,
        .rows_mean = -1,
    };
    if (!guessed->before)
        finding->parent.rows_mean = (double)entry->parent_rows / (double)entry->requests;
    else if (guessed->before->rows_known > 0)
        finding->parent.rows_mean =
            (double)guessed->before->rows / (double)guessed->before->rows_known;
}

/* Its values were seen in a result. */
static void
judge_seen(struct arena *arena, const struct entry *entry, struct query_finding *finding)
{
    double trust = entry->trust / (double)entry->requests;
    const char *order = trust >= 0.9    ? "each of them, in order"
                        : trust >= 0.75 ? "in order, with some left out"
                                        : "in another order";
    const char *nested =
        entry->nested * 2 > entry->requests ? "; the parent itself is run in a loop" : "";

    finding->provenance = PROVENANCE_SEEN;
    finding->confidence = trust > 0.99 ? 0.99 : trust;
    finding->why = arena_printf(arena,
        "The parent's result was seen: its column \"%s\" holds the values that the loop asks "
        "for, %s%s.",
        entry->key_name, order, nested);
}

/* A parent was guessed by what stood before it. */
static void
judge_guessed(struct arena *arena, const struct entry *entry, const struct guessed *guessed,
    struct query_finding *finding)
{
    const char *seen = guessed->before->seen > 0
                           ? "The parent's result was seen, and does not hold the values as they "
                             "are, or not all of its rows were kept"
                           : "No results were seen";

    finding->provenance = PROVENANCE_ORDER;
    finding->confidence = (guessed->rows_fit ? 0.75 : 0.6) + (entry->requests >= 5 ? 0.1 : 0);
    if (guessed->before->seen > 0 && finding->confidence > 0.5)
        finding->confidence = 0.5;
    finding->why = arena_printf(arena,
        "%s: the parent stood before the loop in %.0f %% of the requests, "
        "%sand its column \"%s\" is named like what the loop looks for.",
        seen, 100 * guessed->share, guessed->rows_fit ? "has as many rows, " : "", guessed->name);
}

/* is_all: the traffic is little else. */
static void
judge_loop(const struct entry *entry, bool is_all, struct query_finding *finding)
{
    if (is_all) {
        finding->confidence = 0.4;
        finding->why = "The traffic is little else: what looks like a loop may be requests of one "
                       "statement, one after the other.";
    } else if (entry->hard > 0) {
        finding->confidence = 0.85;
        finding->why = "It was run again and again in one request; no statement before it gave its "
                       "values.";
    } else {
        finding->confidence = 0.7;
        finding->why = "It was run again and again without a pause, more often than by chance; no "
                       "statement before it gave its values.";
    }
}

static void
judge_duplicate(const struct entry *entry, bool is_all, struct query_finding *finding)
{
    finding->confidence = is_all ? 0.4 : entry->hard > 0 ? 0.95 : 0.8;
    finding->why = entry->hard > 0 ? "It was asked with the same values in one request."
                                   : "It was asked with the same values without a pause.";
}

static void
judge_entry(struct arena *arena, const struct entry *entry, const struct guessed *guessed,
    bool is_all, struct query_finding *finding)
{
    if (entry->parent)
        judge_seen(arena, entry, finding);
    else if (guessed->before)
        judge_guessed(arena, entry, guessed, finding);
    else if (entry->kind == FOUND_LOOP)
        judge_loop(entry, is_all, finding);
    else
        judge_duplicate(entry, is_all, finding);
}

static int
by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void
fill_names(struct arena *arena, const struct entry *entry, struct query_finding *finding)
{
    const char **routes = ARENA_ARRAY(arena, const char *, entry->route_count + 1);
    int64_t most = 0;

    for (size_t i = 0; i < entry->route_count; i++)
        routes[i] = entry->routes[i].name;
    if (entry->route_count > 1)
        qsort(routes, entry->route_count, sizeof(*routes), by_name);
    finding->routes = routes;
    finding->route_count = entry->route_count;
    for (size_t i = 0; i < entry->application_count; i++)
        if (entry->applications[i].count > most) {
            most = entry->applications[i].count;
            finding->application = entry->applications[i].name;
        }
    finding->database = entry->database;
    finding->examples = ARENA_ARRAY(arena, struct query_example, entry->example_count + 1);
    memcpy(finding->examples, entry->examples, entry->example_count * sizeof(struct query_example));
    finding->example_count = entry->example_count;
}

static void
fill_times(const struct detect *detect, const struct entry *entry, struct query_finding *finding)
{
    double span_us = (double)detect->span_us;
    bool is_known = entry->has_wasted;

    finding->wasted_us = is_known ? (int64_t)entry->wasted_us : -1;
    finding->wasted_request_us = is_known ? entry->wasted_us / (double)entry->requests : -1;
    finding->wasted_day_us = is_known && span_us >= 1e6 ? entry->wasted_us / span_us * 86400e6 : -1;
    finding->share =
        is_known && detect->total_us > 0 ? entry->wasted_us / (double)detect->total_us : -1;
}

static bool
make_finding(struct detect *detect, const struct entry *entry, struct query_finding *ret)
{
    struct arena *arena = detect->arena;
    struct guessed guessed;
    bool is_all = false;

    detected_guess(arena, entry, &guessed);
    if (!entry->parent && !guessed.before &&
        (entry->needs * 2 > entry->requests || !detected_is_real(detect, entry, &is_all)))
        return false;
    *ret = (struct query_finding){
        .kind = guessed.before ? FOUND_N_PLUS_ONE : entry->kind,
        .requests = entry->requests,
        .repeats_min = entry->min,
        .repeats_max = entry->max,
        .repeats_median = quantile(entry, 0.5),
        .repeats_p95 = quantile(entry, 0.95),
        .statement_kind = entry->children[0].known->is_read ? "read" : "write",
    };
    fill_children(arena, entry, &guessed, ret);
    fill_parent(arena, entry, &guessed, ret);
    judge_entry(arena, entry, &guessed, is_all, ret);
    fill_names(arena, entry, ret);
    fill_times(detect, entry, ret);
    ret->id = query_finding_id(arena, ret);
    return true;
}

static int
by_weight(const void *left, const void *right)
{
    const struct query_finding *a = left;
    const struct query_finding *b = right;
    int64_t calls_a = a->requests * a->repeats_median;
    int64_t calls_b = b->requests * b->repeats_median;

    if (a->wasted_us != b->wasted_us)
        return a->wasted_us > b->wasted_us ? -1 : 1;
    if (calls_a != calls_b)
        return calls_a > calls_b ? -1 : 1;
    return strcmp(a->id, b->id);
}

void
detected_finish(struct detect *detect, struct query_findings *ret)
{
    struct tally *tally = detect->tally;

    merge_entries(tally);
    for (size_t i = 0; i < tally->count; i++) {
        struct query_finding finding;

        if (!tally->entries[i]->is_merged && make_finding(detect, tally->entries[i], &finding))
            VEC_PUSH(detect->arena, ret, finding);
    }
    if (ret->count > 1)
        qsort(ret->items, ret->count, sizeof(ret->items[0]), by_weight);
}

void
detect_samples(struct detect *detect, const struct query_findings *findings, struct samples *ret)
{
    struct tally *tally = detect->tally;

    *ret = (struct samples){ 0 };
    for (size_t i = 0; i < tally->count; i++) {
        const struct entry *entry = tally->entries[i];
        struct query_finding made;

        if (entry->is_merged || entry->sample_count == 0 || !make_finding(detect, entry, &made))
            continue;
        for (size_t j = 0; j < findings->count; j++)
            for (size_t k = 0;
                 k < entry->sample_count && text_equal(findings->items[j].id, made.id); k++) {
                struct sample sample = entry->samples[k];

                sample.finding = j;
                VEC_PUSH(detect->arena, ret, sample);
            }
    }
}
