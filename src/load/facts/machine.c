/* Processor time and memory of everybody that takes part, from /proc. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "load/facts/part.h"

enum { SIDES = 3, SHORTEST_US = 50000 };
enum side_name { SIDE_PG, SIDE_API, SIDE_GENERATOR };

struct reading {
    int64_t at_us;
    struct proc_processors all;
    double cpu_s[SIDES]; /* NaN: not known */
};

struct machine {
    struct arena *arena;
    const char *target;    /* of the API; NULL: there is none */
    struct arena *scratch; /* of one look */
    struct side sides[SIDES];
    bool is_known; /* /proc can be read */
    struct reading begin;
    struct reading end;
    struct reading last; /* of the tick before */
    bool has_begun;
    bool has_ended;
    double most_bytes[SIDES];
    VEC(struct machine_tick) ticks;
};

struct machine *
machine_new(const char *target)
{
    struct machine *machine = calloc(1, sizeof(*machine));
    struct proc_table table;
    const struct proc_entry *self;

    if (!machine)
        memory_exhausted(sizeof(*machine));
    machine->arena = arena_new();
    machine->scratch = arena_new();
    machine->target = target ? arena_strdup(machine->arena, target) : NULL;
    if (target)
        side_find_listener(machine->arena, target, &machine->sides[SIDE_API]);
    proc_table_read(machine->scratch, "", &table);
    self = proc_table_find(&table, (int)getpid());
    if (self) {
        struct side *side = &machine->sides[SIDE_GENERATOR];

        side->place = SIDE_HERE;
        side->roots = arena_memdup(machine->arena, self, sizeof(*self));
        side->root_count = 1;
    }
    return machine;
}

/* The same process, and not a later one with its number. */
static struct proc_entry *
find_same(const struct proc_table *table, const struct proc_entry *known)
{
    struct proc_entry *entry = proc_table_find(table, known->pid);

    return entry && entry->started == known->started ? entry : NULL;
}

static bool
has_root(const struct side *side, int pid)
{
    for (size_t i = 0; i < side->root_count; i++)
        if (side->roots[i].pid == pid)
            return true;
    return false;
}

/* The time of what has ended is with its parent, if that is one of them and still there; else it is lost. */
static bool
mark_side(struct proc_table *table, const struct side *side)
{
    bool is_whole = true;

    for (size_t i = 0; i < table->count; i++)
        table->items[i].is_marked = false;
    for (size_t i = 0; i < side->root_count; i++) {
        struct proc_entry *entry = find_same(table, &side->roots[i]);

        if (entry)
            entry->is_marked = true;
        else if (!has_root(side, side->roots[i].parent))
            is_whole = false;
    }
    proc_table_spread(table);
    return is_whole;
}

static double
sum_side(struct machine *machine, struct proc_table *table, size_t name)
{
    const struct side *side = &machine->sides[name];
    struct proc_usage usage = { 0 };
    double cpu_s = 0;

    if (side->place != SIDE_HERE || !mark_side(table, side))
        return NAN;
    for (size_t i = 0; i < table->count; i++) {
        if (!table->items[i].is_marked)
            continue;
        cpu_s += table->items[i].cpu_s + table->items[i].ended_s;
        if (name != SIDE_GENERATOR)
            proc_usage_add("", table->items[i].pid, false, &usage);
    }
    if (machine->has_begun)
        machine->most_bytes[name] =
            fmax(machine->most_bytes[name], (double)(usage.own_bytes + usage.shared_bytes));
    return cpu_s;
}

static void
read_once(struct machine *machine, struct reading *ret)
{
    struct proc_table table;

    ret->at_us = clock_us();
    machine->is_known = proc_processors("", &ret->all);
    proc_table_read(machine->scratch, "", &table);
    for (size_t i = 0; i < SIDES; i++)
        ret->cpu_s[i] = sum_side(machine, &table, i);
    arena_reset(machine->scratch);
}

void
machine_set_server(struct machine *machine, const struct side *side)
{
    machine->sides[SIDE_PG] = *side;
    machine->sides[SIDE_PG].roots =
        arena_memdup(machine->arena, side->roots, side->root_count * sizeof(struct proc_entry));
    if (side->why_not)
        machine->sides[SIDE_PG].why_not = arena_strdup(machine->arena, side->why_not);
    read_once(machine, &machine->last);
}

/*
 * A process that ends after its parent was read and before itself is in neither: so where it counts
 * they are read twice, and the larger sum is right.
 */
static void
read_twice(struct machine *machine, struct reading *ret)
{
    struct reading again;

    read_once(machine, ret);
    read_once(machine, &again);
    for (size_t i = 0; i < SIDES; i++)
        if (again.cpu_s[i] > ret->cpu_s[i])
            ret->cpu_s[i] = again.cpu_s[i];
}

static double
share_of(const struct reading *before, const struct reading *now, size_t name)
{
    double span_s = (double)(now->at_us - before->at_us) / 1e6;
    double used_s = now->cpu_s[name] - before->cpu_s[name];

    if (span_s <= 0 || now->all.count <= 0 || !(used_s > -0.05))
        return NAN;
    return fmax(used_s, 0) / span_s / now->all.count;
}

/* What is heard of a whole second of the wall clock belongs to the second that is over. */
static void
add_tick(struct machine *machine, const struct reading *now)
{
    int64_t at = clock_wall_us() / 1000000 - 1;

    if (now->at_us - machine->last.at_us > SHORTEST_US)
        VEC_PUSH(machine->arena, &machine->ticks,
            (struct machine_tick){
                .at = at,
                .pg_share = share_of(&machine->last, now, SIDE_PG),
                .api_share = share_of(&machine->last, now, SIDE_API),
                .generator_share = share_of(&machine->last, now, SIDE_GENERATOR),
            });
    machine->last = *now;
}

void
machine_look(void *data, enum look kind)
{
    struct machine *machine = data;
    struct reading now;

    if (kind == LOOK_TICK) {
        read_once(machine, &now);
        add_tick(machine, &now);
        return;
    }
    /* It may have been started only when the run was. */
    if (kind == LOOK_BEGIN && machine->sides[SIDE_API].place == SIDE_UNKNOWN)
        side_find_listener(machine->arena, machine->target, &machine->sides[SIDE_API]);
    machine->has_begun = machine->has_begun || kind == LOOK_BEGIN;
    read_twice(machine, kind == LOOK_BEGIN ? &machine->begin : &machine->end);
    machine->has_ended = machine->has_begun && kind == LOOK_END;
}

static void
tell_side(const struct machine *machine, struct fact_sheet *sheet, size_t name,
    const char *const names[3], const char *who)
{
    const struct side *side = &machine->sides[name];
    double share = share_of(&machine->begin, &machine->end, name);

    if (side->place == SIDE_NONE)
        return;
    if (side->place != SIDE_HERE) {
        fact_note(sheet, "%s CPU is not known: %s.", who, side->why_not);
        return;
    }
    if (isnan(share)) {
        fact_note(
            sheet, "%s CPU is not known: a process of it was ended or replaced in the run.", who);
        return;
    }
    fact_put(sheet, names[0], share);
    if (sheet->requests > 0)
        fact_put(sheet, names[1],
            (machine->end.cpu_s[name] - machine->begin.cpu_s[name]) * 1e6 / sheet->requests);
    fact_put(sheet, names[2], machine->most_bytes[name]);
}

/* Who takes part and is not seen would look like somebody else. */
static bool
knows_all(const struct machine *machine)
{
    for (size_t i = 0; i < SIDES; i++) {
        enum side_place place = machine->sides[i].place;

        if (place == SIDE_UNKNOWN ||
            (place == SIDE_HERE && isnan(share_of(&machine->begin, &machine->end, i))))
            return false;
    }
    /* Behind an API there is a server, even if nobody said where. */
    return machine->sides[SIDE_PG].place != SIDE_NONE;
}

void
machine_facts(const struct machine *machine, struct fact_sheet *sheet)
{
    static const char *const pg[] = { "pg_cpu_share", "pg_cpu_us", "pg_memory" };
    static const char *const api[] = { "api_cpu_share", "api_cpu_us", "api_memory" };
    const struct proc_processors *from = &machine->begin.all;
    const struct proc_processors *to = &machine->end.all;
    double whole_s =
        to->busy_s + to->wait_s + to->idle_s - from->busy_s - from->wait_s - from->idle_s;
    double others = 0;

    if (!machine->has_ended)
        return;
    if (!machine->is_known) {
        fact_note(sheet, "CPU is not known: /proc cannot be read.");
        return;
    }
    tell_side(machine, sheet, SIDE_PG, pg, "PostgreSQL's");
    tell_side(machine, sheet, SIDE_API, api, "The API's");
    fact_put(
        sheet, "generator_cpu_share", share_of(&machine->begin, &machine->end, SIDE_GENERATOR));
    fact_put(sheet, "processors", to->count);
    if (whole_s <= 0)
        return;
    fact_put(sheet, "busy_share", (to->busy_s - from->busy_s) / whole_s);
    fact_put(sheet, "steal_share", (to->steal_s - from->steal_s) / whole_s);
    if (!knows_all(machine))
        return;
    others = (to->busy_s - to->steal_s - from->busy_s + from->steal_s) / whole_s;
    for (size_t i = 0; i < SIDES; i++)
        if (machine->sides[i].place == SIDE_HERE)
            others -= share_of(&machine->begin, &machine->end, i);
    fact_put(sheet, "others_cpu_share", fmax(others, 0));
}

const struct machine_tick *
machine_ticks(const struct machine *machine, size_t *ret_count)
{
    *ret_count = machine->ticks.count;
    return machine->ticks.items;
}

void
machine_free(struct machine *machine)
{
    arena_free(machine->arena);
    arena_free(machine->scratch);
    free(machine);
}
