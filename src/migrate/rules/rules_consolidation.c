/* What a consolidated history could look like, and what stands in its way. */

#include <stdlib.h>
#include <string.h>

#include "migrate/rules/rules.h"
#include "migrate/rules/rules_example.h"

enum { COULD_SHRINK, BLOCKER };

/* Shorter histories are not worth the work. */
enum { LEAST_REVISIONS = 10, MOST_GROUPS = 7, HUB_REFERENCES = 3, BLOCKERS_TOLD = 50 };

#define T(n) "op.create_table('t" n "', sa.Column('id', sa.BigInteger(), primary_key=True))\n"
#define NINE                                                                            \
    T("1")                                                                              \
    NEXT T("2") NEXT T("3") NEXT T("4") NEXT T("5") NEXT T("6") NEXT T("7") NEXT T("8") \
        NEXT T("9") NEXT

static const struct rule rules[] = {
    [COULD_SHRINK] = {
        .id = "could-be-consolidated",
        .group = GROUP_CONSOLIDATION,
        .severity = SEVERITY_ADVICE,
        .summary = "the history could be much shorter",
        .why = "Every new environment, test run and review pays for each revision; most of them "
               "only lead to states that nobody needs any more.",
        .instead = "`pgmend migrations consolidate` once the blockers are settled; databases at "
                   "the present head then have nothing to do.",
        .fires = NINE T("10"),
        .passes = NINE,
    },
    [BLOCKER] = {
        .id = "consolidation-blocker",
        .group = GROUP_CONSOLIDATION,
        .severity = SEVERITY_ADVICE,
        .summary = "what must be settled before the history can be consolidated",
        .why = "A consolidated history must give the same schema and rows; here nobody can tell "
               "without a decision.",
        .instead = "Mend the error, or decide what becomes of the rows.",
        .fires = NINE "from app.setup import make\nmake(op.get_bind())",
        .passes = NINE T("10"),
    },
};

const struct rule_group rules_consolidation = { rules, COUNT_OF(rules) };

struct counted {
    const struct check *check;
    struct consolidation *ret;
    bool *has_remains;      /* per revision: something it made is still there */
    bool has_concurrent;    /* indexes that are built outside a transaction */
    size_t seeded;          /* INSERTs into tables that remain */
    size_t data_statements; /* UPDATEs and DELETEs, which an empty database does not need */
};

static bool
is_listed(const struct relation *relation)
{
    return relation->kind == RELATION_TABLE && !relation->is_temporary;
}

static void
mark_remains(struct counted *counted)
{
    const struct model *model = counted->check->model;
    size_t revisions = counted->check->history->count, cursor = 0;
    const struct map_entry *entry;

    while ((entry = map_next(&model->relations, &cursor))) {
        const struct relation *relation = entry->value;

        if (relation->origin.revision >= revisions)
            continue;
        counted->has_remains[relation->origin.revision] = true;
        for (size_t i = 0; i < relation->columns.count; i++)
            counted->has_remains[relation->columns.items[i]->origin.revision] = true;
        for (size_t i = 0; i < relation->constraints.count; i++)
            counted->has_remains[relation->constraints.items[i]->origin.revision] = true;
    }
}

static void
block(struct counted *counted, const struct revision *revision, struct place place, const char *why)
{
    struct arena *arena = counted->check->ctx->arena;
    struct finding *finding;

    text_list_add(arena, &counted->ret->blockers,
        arena_printf(arena, "%s:%u: %s", place.file, place.line, why));
    if (counted->ret->blockers.count > BLOCKERS_TOLD)
        return;
    finding = finding_add(counted->check->findings, &rules[BLOCKER], place, "%s", why);
    finding->context = revision ? revision->id : NULL;
}

static void
count_step(struct counted *counted, const struct revision *revision, const struct step *step)
{
    const struct relation *table = model_relation(counted->check->model, step->object);

    if (step->kind == STEP_UNKNOWN)
        block(counted, revision, step->place,
            step->unknown ? step->unknown : "a step that cannot be read here");
    else if (step->kind == STEP_INSERT && table && step->tables.count == 0)
        counted->seeded++;
    else if (step->kind == STEP_INSERT || step->kind == STEP_UPDATE || step->kind == STEP_DELETE)
        counted->data_statements++;
    if (step->kind == STEP_CREATE_INDEX && step->concurrently && table)
        counted->has_concurrent = true;
}

static bool
has_schema_steps(const struct revision *revision)
{
    for (size_t i = 0; i < revision->upgrade.count; i++)
        if (!step_is_ddl(&revision->upgrade.items[i]))
            return false;
    return revision->upgrade.count > 0;
}

static void
count_revisions(struct counted *counted)
{
    const struct check *check = counted->check;

    for (size_t i = 0; i < check->history->count; i++) {
        const struct revision *revision = &check->history->items[i];

        if (revision->failure) {
            block(counted, revision, (struct place){ .file = revision->file }, revision->failure);
            continue;
        }
        counted->ret->merges += check->graph->nodes[i].is_merge_point;
        counted->ret->empty +=
            revision->upgrade_body == BODY_EMPTY && !check->graph->nodes[i].is_merge_point;
        counted->ret->undone += has_schema_steps(revision) && !counted->has_remains[i];
        for (size_t k = 0; k < revision->upgrade.count; k++)
            count_step(counted, revision, &revision->upgrade.items[k]);
    }
}

/* Errors of the replay and the graph: what cannot be applied cannot be proven equal either. */
static void
count_errors(struct counted *counted)
{
    const struct findings *findings = counted->check->findings;
    size_t count = findings->count;

    for (size_t i = 0; i < count; i++) {
        const struct finding *finding = &findings->items[i];

        if (finding->severity == SEVERITY_ERROR && !finding->silenced &&
            (rule_is_in(finding->rule, GROUP_REPLAY) || rule_is_in(finding->rule, GROUP_GRAPH) ||
                rule_is_in(finding->rule, GROUP_CONFLICTS)))
            text_list_add(counted->check->ctx->arena, &counted->ret->blockers,
                arena_printf(counted->check->ctx->arena, "%s:%u: %s", finding->place.file,
                    finding->place.line, finding->message));
    }
}

/* ---- domains: tables that hang together by foreign keys, apart from those that all point to ---- */

struct member {
    const struct relation *table;
    size_t references; /* by how many tables it is referenced */
    size_t domain;     /* index of the member that stands for the domain */
    size_t size;       /* of the domain, at the member that stands for it */
    bool is_hub;
};

struct members {
    struct member *items;
    size_t count;
    size_t capacity;
};

static size_t
domain_of(struct members *members, size_t i)
{
    while (members->items[i].domain != i)
        i = members->items[i].domain = members->items[members->items[i].domain].domain;
    return i;
}

static struct member *
find_member(
    struct members *members, const struct map *index, struct arena *arena, struct object_name name)
{
    const char *key = arena_printf(arena, "%s.%s", name.schema ? name.schema : "public", name.name);
    const size_t *at = name.name ? map_get(index, key) : NULL;

    return at ? &members->items[*at] : NULL;
}

static int
by_name(const void *a, const void *b)
{
    const struct member *left = a, *right = b;

    return strcmp(left->table->name, right->table->name);
}

static void
collect(struct counted *counted, struct members *members, struct map *index)
{
    struct arena *arena = counted->check->ctx->arena;
    const struct map_entry *entry;
    size_t cursor = 0;

    while ((entry = map_next(&counted->check->model->relations, &cursor)))
        if (is_listed(entry->value))
            VEC_PUSH(arena, members, (struct member){ .table = entry->value });
    if (members->count > 0)
        qsort(members->items, members->count, sizeof(members->items[0]), by_name);
    for (size_t i = 0; i < members->count; i++) {
        size_t *at = ARENA_NEW(arena, size_t);

        *at = i;
        members->items[i].domain = i;
        map_set(index,
            arena_printf(
                arena, "%s.%s", members->items[i].table->schema, members->items[i].table->name),
            at);
    }
}

/* Calls what for each foreign key between two tables. */
static void
each_reference(struct counted *counted, struct members *members, const struct map *index,
    void (*what)(struct members *, size_t from, size_t to))
{
    for (size_t i = 0; i < members->count; i++) {
        const struct relation *table = members->items[i].table;

        for (size_t k = 0; k < table->constraints.count; k++) {
            const struct constraint *key = &table->constraints.items[k]->constraint;
            const struct member *to =
                key->kind == CONSTRAINT_FOREIGN_KEY
                    ? find_member(members, index, counted->check->ctx->arena, key->target)
                    : NULL;

            if (to && to->table != table)
                what(members, i, (size_t)(to - members->items));
        }
    }
}

static void
count_reference(struct members *members, size_t from, size_t to)
{
    (void)from;
    members->items[to].references++;
}

static void
join_domains(struct members *members, size_t from, size_t to)
{
    if (!members->items[from].is_hub && !members->items[to].is_hub)
        members->items[domain_of(members, from)].domain = domain_of(members, to);
}

static int
by_size(const void *a, const void *b)
{
    const struct member *left = *(const struct member *const *)a;
    const struct member *right = *(const struct member *const *)b;

    if (left->size != right->size)
        return left->size < right->size ? 1 : -1;
    return strcmp(left->table->name, right->table->name);
}

static void
add_group(struct counted *counted, const char *name, size_t objects)
{
    const struct consolidation_group group = { .name = name, .object_count = objects };

    if (objects > 0)
        VEC_PUSH(counted->check->ctx->arena, &counted->ret->groups, group);
}

/* The largest domains get a file each, the rest one together. */
static void
add_domains(struct counted *counted, struct members *members, size_t room)
{
    struct arena *arena = counted->check->ctx->arena;
    VEC(struct member *) domains = { 0 };
    size_t rest = 0;

    for (size_t i = 0; i < members->count; i++)
        if (!members->items[i].is_hub)
            members->items[domain_of(members, i)].size++;
    for (size_t i = 0; i < members->count; i++)
        if (members->items[i].size > 0)
            VEC_PUSH(arena, &domains, &members->items[i]);
    if (domains.count > 1)
        qsort(domains.items, domains.count, sizeof(domains.items[0]), by_size);
    for (size_t i = 0; i < domains.count; i++) {
        size_t size = domains.items[i]->size;

        if (i + 1 < room && size > 1)
            add_group(counted,
                arena_printf(arena, "tables around %s", domains.items[i]->table->name), size);
        else
            rest += size;
    }
    add_group(counted, counted->ret->groups.count > 1 ? "the other tables" : "tables", rest);
}

static void
add_tables(struct counted *counted, size_t room)
{
    struct arena *arena = counted->check->ctx->arena;
    struct map index = { .arena = arena };
    struct members members = { 0 };
    struct buffer hubs = { .arena = arena };
    size_t hub_count = 0;

    collect(counted, &members, &index);
    each_reference(counted, &members, &index, count_reference);
    for (size_t i = 0; i < members.count; i++) {
        members.items[i].is_hub = members.items[i].references >= HUB_REFERENCES;
        if (members.items[i].is_hub)
            buffer_printf(
                &hubs, "%s%s", hub_count++ ? ", " : "core tables: ", members.items[i].table->name);
    }
    each_reference(counted, &members, &index, join_domains);
    add_group(counted, buffer_text(&hubs), hub_count);
    add_domains(counted, &members, room - (hub_count > 0));
}

static size_t
map_live_count(const struct map *map)
{
    size_t cursor = 0, count = 0;

    while (map_next(map, &cursor))
        count++;
    return count;
}

static void
propose(struct counted *counted)
{
    const struct model *model = counted->check->model;
    struct consolidation *ret = counted->ret;
    size_t basics = map_live_count(&model->extensions) + map_live_count(&model->types) +
                    map_live_count(&model->functions);
    size_t others = (size_t)(basics > 0) + counted->has_concurrent + (counted->seeded > 0);

    add_group(counted, "extensions, types and functions", basics);
    add_tables(counted, MOST_GROUPS - others);
    add_group(counted, "indexes built outside a transaction", counted->has_concurrent);
    add_group(counted, "rows that every database begins with", counted->seeded);
    ret->goal = ret->groups.count < ret->revisions ? ret->groups.count : ret->revisions;
}

bool
check_consolidation(const struct check *check, struct consolidation *ret)
{
    struct counted counted = { .check = check, .ret = ret };
    const struct text_list *locations = &check->history->environment.locations;
    struct place place = { .file = locations->count > 0 ? locations->items[0] : NULL };

    *ret =
        (struct consolidation){ .revisions = check->history->count, .goal = check->history->count };
    if (check->history->count < LEAST_REVISIONS)
        return true;
    counted.has_remains = ARENA_ARRAY(check->ctx->arena, bool, check->history->count + 1);
    mark_remains(&counted);
    count_revisions(&counted);
    count_errors(&counted);
    propose(&counted);
    if (ret->goal > 0 && ret->goal < ret->revisions)
        finding_add(check->findings, &rules[COULD_SHRINK], place,
            "%zu revisions could become %zu: %zu merges, %zu empty ones and %zu whose changes are "
            "all undone later would go; %zu statements change rows that a new database has not",
            ret->revisions, ret->goal, ret->merges, ret->empty, ret->undone,
            counted.data_statements);
    return true;
}
