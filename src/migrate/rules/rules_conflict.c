/* Changes that contradict each other: to and fro, twice under two names, side by side. */

#include <string.h>

#include "migrate/graph/region.h"
#include "migrate/rules/rules.h"
#include "migrate/rules/rules_example.h"

enum {
    OFTEN_CHANGED,
    CHURN,
    CREATED_AND_DROPPED,
    TYPE_TO_AND_FRO,
    DUPLICATE_INDEX,
    PREFIX_INDEX,
    DUPLICATE_CONSTRAINT,
    PARALLEL_DROP,
    PARALLEL_CHANGE,
};

#define TABLE_T                                                                 \
    "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True), " \
    "sa.Column('a', sa.Text()), sa.Column('b', sa.Text()))\n"

#define ADD(name) "op.add_column('t', sa.Column('" name "', sa.Text()))\n"

#define CREATE_T                                                                \
    "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True), " \
    "sa.Column('a', sa.Text()))"

static const struct rule rules[] = {
    [OFTEN_CHANGED] = {
        .id = "often-changed",
        .group = GROUP_CONFLICTS,
        .severity = SEVERITY_ADVICE,
        .summary = "a table that many revisions change",
        .why = "Each change takes its lock on the same busy table, and nobody can read from the "
               "history what the table looks like.",
        .instead = "Collect changes that belong together into one revision; consolidating leaves "
                   "one CREATE TABLE.",
        .fires = TABLE_T NEXT ADD("c") NEXT ADD("d") NEXT ADD("e") NEXT ADD("f") NEXT ADD("g"),
        .passes = TABLE_T NEXT ADD("c") NEXT ADD("d"),
    },
    [CHURN] = {
        .id = "churn",
        .group = GROUP_CONFLICTS,
        .severity = SEVERITY_WARNING,
        .summary = "something is created, dropped and created again",
        .why = "Each drop loses what was in it, so that databases of different age hold different "
               "rows although the schema is the same. The history says nothing about what is "
               "wanted.",
        .instead = "Decide once. A consolidated history has the last state only; whether rows "
                   "were lost on the way must be looked at in the data.",
        .fires = TABLE_T NEXT "op.drop_column('t', 'a')\n" NEXT
                 "op.add_column('t', sa.Column('a', sa.Text()))",
        .passes = TABLE_T NEXT "op.drop_column('t', 'a')\n" NEXT
                  "op.add_column('t', sa.Column('c', sa.Text()))",
    },
    [CREATED_AND_DROPPED] = {
        .id = "created-and-dropped",
        .group = GROUP_CONFLICTS,
        .severity = SEVERITY_ADVICE,
        .summary = "something that an earlier revision created is dropped",
        .why = "Both revisions together leave nothing, but every new database runs them.",
        .instead = "Nothing has to be done; consolidating removes both.",
        .fires = TABLE_T NEXT "op.drop_table('t')",
        .passes = TABLE_T,
    },
    [TYPE_TO_AND_FRO] = {
        .id = "type-to-and-fro",
        .group = GROUP_CONFLICTS,
        .severity = SEVERITY_WARNING,
        .summary = "a column's type is changed back to what it was",
        .why = "Each way may rewrite the table and lose values (digits, length, zone) that the "
               "way back does not restore.",
        .instead = "Decide once; look for values that the narrower type has cut.",
        .fires = TABLE_T NEXT "op.alter_column('t', 'a', type_=sa.String(50))\n" NEXT
                 "op.alter_column('t', 'a', type_=sa.Text())",
        .passes = TABLE_T NEXT "op.alter_column('t', 'a', type_=sa.String(50))\n" NEXT
                  "op.alter_column('t', 'a', type_=sa.String(500))",
    },
    [DUPLICATE_INDEX] = {
        .id = "duplicate-index",
        .group = GROUP_CONFLICTS,
        .severity = SEVERITY_WARNING,
        .summary = "an index that exists under another name",
        .why = "Every write keeps both up to date, both take room and cache; reads use one.",
        .instead = "Leave it out, or drop the older one (`DROP INDEX CONCURRENTLY`).",
        .fires = TABLE_T "op.create_index('ix_t_a', 't', ['a'])\n" NEXT
                 "op.create_index('idx_t_a', 't', ['a'])",
        .passes = TABLE_T "op.create_index('ix_t_a', 't', ['a'])\n" NEXT
                  "op.create_index('idx_t_b', 't', ['b'])",
    },
    [PREFIX_INDEX] = {
        .id = "prefix-index",
        .group = GROUP_CONFLICTS,
        .severity = SEVERITY_WARNING,
        .summary = "an index whose columns are the first ones of another index",
        .why = "The longer one answers the same queries; every write keeps both up to date.",
        .instead = "Keep the longer one only, unless the shorter is much smaller and hot.",
        .fires = TABLE_T "op.create_index('ix_t_a_b', 't', ['a', 'b'])\n" NEXT
                 "op.create_index('ix_t_a', 't', ['a'])",
        .passes = TABLE_T "op.create_index('ix_t_a_b', 't', ['a', 'b'])\n" NEXT
                  "op.create_index('ix_t_b', 't', ['b'])",
    },
    [DUPLICATE_CONSTRAINT] = {
        .id = "duplicate-constraint",
        .group = GROUP_CONFLICTS,
        .severity = SEVERITY_WARNING,
        .summary = "a constraint that exists under another name",
        .why = "Both are checked on every write; a unique one costs a second index.",
        .instead = "Leave it out.",
        .fires = TABLE_T "op.create_unique_constraint('uq_a', 't', ['a'])\n" NEXT
                 "op.create_unique_constraint('uq_t_a', 't', ['a'])",
        .passes = TABLE_T "op.create_unique_constraint('uq_a', 't', ['a'])\n" NEXT
                  "op.create_unique_constraint('uq_t_b', 't', ['b'])",
    },
    [PARALLEL_DROP] = {
        .id = "parallel-drop",
        .group = GROUP_CONFLICTS,
        .severity = SEVERITY_ERROR,
        .summary = "something is dropped that a parallel branch uses",
        .why = "Whether it works depends on which branch is applied first; databases that got "
               "them in the other order have failed or differ.",
        .instead = "Put one after the other: re-parent the drop behind the revision that uses it.",
        .fires = BRANCH("r1", "None", CREATE_T) NEXT
            BRANCH("r2", "'r1'", "op.drop_table('t')") NEXT
            BRANCH("r3", "'r1'", "op.add_column('t', sa.Column('b', sa.Text()))") NEXT
            BRANCH("r4", "('r2', 'r3')", "pass"),
        .passes = BRANCH("r1", "None", CREATE_T) NEXT
            BRANCH("r2", "'r1'", "op.add_column('t', sa.Column('b', sa.Text()))") NEXT
            BRANCH("r3", "'r2'", "op.drop_table('t')"),
    },
    [PARALLEL_CHANGE] = {
        .id = "parallel-change",
        .group = GROUP_CONFLICTS,
        .severity = SEVERITY_WARNING,
        .summary = "two branches change the same column",
        .why = "The branch that is applied last wins: databases that got them in another order "
               "have another type or default.",
        .instead = "Put one after the other, so that there is one order.",
        .fires = BRANCH("r1", "None", CREATE_T) NEXT
            BRANCH("r2", "'r1'", "op.alter_column('t', 'a', type_=sa.String(50))") NEXT
            BRANCH("r3", "'r1'", "op.alter_column('t', 'a', type_=sa.String(60))") NEXT
            BRANCH("r4", "('r2', 'r3')", "pass"),
        .passes = BRANCH("r1", "None", CREATE_T) NEXT
            BRANCH("r2", "'r1'", "op.alter_column('t', 'a', type_=sa.String(50))") NEXT
            BRANCH("r3", "'r2'", "op.alter_column('t', 'a', type_=sa.String(60))"),
    },
};

const struct rule_group rules_conflict = { rules, COUNT_OF(rules) };

/* What happened to a thing so far. */
struct life {
    struct origin created;
    struct origin dropped;
    bool is_dropped;
    struct text_list types;  /* of a column, before each change */
    VEC(struct origin) uses; /* by different revisions, the last ones */
    VEC(struct origin) changes;
    size_t change_count; /* revisions that changed it after it was created */
    size_t last_change;  /* the last of them, plus 1 */
};

struct watch {
    struct check check;
    struct regions regions;
    struct map lives; /* "table public.t", "column public.t.a", … → struct life * */
};

/* From five changes on a table is told: one change more than most tables ever see. */
enum { USES_KEPT = 32, OFTEN = 5, PLACES_TOLD = 5 };

static struct life *
life_of(struct watch *watch, const char *key)
{
    struct life *life = map_get(&watch->lives, key);

    if (!life) {
        life = ARENA_NEW(watch->check.ctx->arena, struct life);
        map_set(&watch->lives, key, life);
    }
    return life;
}

static const char *
key_of(const struct watch *watch, const char *kind, struct object_name name, const char *column)
{
    return arena_printf(watch->check.ctx->arena, "%s %s.%s%s%s", kind,
        name.schema ? name.schema : "public", name.name, column ? "." : "", column ? column : "");
}

static struct origin
origin_of(const struct revision *revision, const struct step *step)
{
    return (struct origin){ .revision = revision->index, .place = step->place };
}

static struct finding *
add(struct watch *watch, size_t rule, const struct revision *revision, const struct step *step,
    const char *message)
{
    struct finding *finding =
        check_tell(&watch->check, &rules[rule], revision, step->place, message);

    finding->object = step_object_text(watch->check.ctx->arena, step);
    return finding;
}

static void
note_create(
    struct watch *watch, const struct revision *revision, const struct step *step, const char *key)
{
    struct life *life = life_of(watch, key);

    /* An index that is dropped and made anew by one revision only changes its definition. */
    if (life->is_dropped &&
        (step->kind != STEP_CREATE_INDEX || life->dropped.revision != revision->index)) {
        struct finding *finding = add(watch, CHURN, revision, step,
            arena_printf(watch->check.ctx->arena, "%s is created again after it was dropped", key));

        finding->object = key;
        finding_related(watch->check.findings, finding, life->created.place, "created here");
        finding_related(watch->check.findings, finding, life->dropped.place, "dropped here");
    }
    life->created = origin_of(revision, step);
    life->is_dropped = false;
    life->types = (struct text_list){ 0 };
}

static void
note_parallel(struct watch *watch, size_t rule, const struct revision *revision,
    const struct step *step, const struct life *life, const char *key)
{
    bool is_drop = rule == PARALLEL_DROP;
    size_t count = is_drop ? life->uses.count : life->changes.count;

    for (size_t i = 0; i < count; i++) {
        const struct origin *other = is_drop ? &life->uses.items[i] : &life->changes.items[i];
        struct finding *finding;

        if (!regions_are_parallel(&watch->regions, other->revision, revision->index))
            continue;
        finding = add(watch, rule, revision, step,
            arena_printf(watch->check.ctx->arena,
                "%s is %s here and %s on a parallel branch, by "
                "revision %s",
                key, is_drop ? "dropped" : "changed", is_drop ? "used" : "changed",
                watch->check.history->items[other->revision].id));
        finding->object = key;
        finding_related(
            watch->check.findings, finding, other->place, is_drop ? "used here" : "changed here");
        return;
    }
}

static void
note_drop(
    struct watch *watch, const struct revision *revision, const struct step *step, const char *key)
{
    struct life *life = life_of(watch, key);

    note_parallel(watch, PARALLEL_DROP, revision, step, life, key);
    if (life->created.place.file && !life->is_dropped &&
        life->created.revision != revision->index) {
        struct finding *finding = add(watch, CREATED_AND_DROPPED, revision, step,
            arena_printf(watch->check.ctx->arena, "%s was created by revision %s", key,
                watch->check.history->items[life->created.revision].id));

        finding->object = key;
        finding_related(watch->check.findings, finding, life->created.place, "created here");
    }
    life->dropped = origin_of(revision, step);
    life->is_dropped = true;
}

static void
note_use(
    struct watch *watch, const struct revision *revision, const struct step *step, const char *key)
{
    struct life *life = life_of(watch, key);

    if (life->uses.count > 0 && life->uses.items[life->uses.count - 1].revision == revision->index)
        return;
    if (life->uses.count == USES_KEPT) {
        memmove(life->uses.items, life->uses.items + 1, sizeof(struct origin) * (USES_KEPT - 1));
        life->uses.count--;
    }
    VEC_PUSH(watch->check.ctx->arena, &life->uses, origin_of(revision, step));
}

static void
note_change(
    struct watch *watch, const struct revision *revision, const struct step *step, const char *key)
{
    struct life *life = life_of(watch, key);

    note_parallel(watch, PARALLEL_CHANGE, revision, step, life, key);
    if (life->changes.count < USES_KEPT)
        VEC_PUSH(watch->check.ctx->arena, &life->changes, origin_of(revision, step));
}

static void
note_type(struct watch *watch, const struct revision *revision, const struct step *step,
    const struct model *model)
{
    struct arena *arena = watch->check.ctx->arena;
    const struct relation *table = model_relation(model, step->object);
    const struct model_column *column =
        table && step->column ? relation_column(table, step->column) : NULL;
    struct life *life;
    const char *to;

    if (!column || !column->column.type.name || !step->type.name ||
        type_equal(&column->column.type, &step->type))
        return;
    life = life_of(watch, key_of(watch, "column", step->object, step->column));
    to = type_text(arena, &step->type);
    if (text_list_has(&life->types, to))
        add(watch, TYPE_TO_AND_FRO, revision, step,
            arena_printf(arena, "%s.%s goes back from %s to %s", step->object.name, step->column,
                type_text(arena, &column->column.type), to));
    text_list_add(arena, &life->types, type_text(arena, &column->column.type));
}

static bool
same_key(const struct index_key *a, const struct index_key *b)
{
    return text_equal(a->column, b->column) && text_equal(a->expression, b->expression) &&
           text_equal(a->opclass, b->opclass) && text_equal(a->order, b->order);
}

/* How many of the first keys are the same. */
static size_t
same_keys(const struct index *a, const struct index *b)
{
    size_t same = 0;

    while (same < a->keys.count && same < b->keys.count &&
           same_key(&a->keys.items[same], &b->keys.items[same]))
        same++;
    return same;
}

static bool
is_comparable(const struct index *a, const struct index *b)
{
    return text_equal(a->method, b->method) && text_equal(a->where, b->where) &&
           a->keys.count > 0 && b->keys.count > 0;
}

static void
compare_indexes(struct watch *watch, const struct revision *revision, const struct step *step,
    const struct relation *other)
{
    struct arena *arena = watch->check.ctx->arena;
    const struct index *made = step->index, *there = other->index;
    struct finding *finding = NULL;
    size_t same;

    if (!there || !is_comparable(made, there) || text_equal(made->name, other->name))
        return;
    same = same_keys(made, there);
    if (same == made->keys.count && same == there->keys.count &&
        (!made->is_unique || there->is_unique) && made->include.count <= there->include.count)
        finding = add(watch, DUPLICATE_INDEX, revision, step,
            arena_printf(arena, "%s has the same columns as %s on %s",
                made->name ? made->name : "the index", other->name, step->table.name));
    else if (same == made->keys.count && same < there->keys.count && !made->is_unique &&
             made->include.count == 0 && text_equal(made->method, "btree"))
        finding = add(watch, PREFIX_INDEX, revision, step,
            arena_printf(arena, "%s is the beginning of %s on %s",
                made->name ? made->name : "the index", other->name, step->table.name));
    else if (same == there->keys.count && same < made->keys.count && !there->is_unique &&
             there->include.count == 0 && text_equal(made->method, "btree"))
        finding = add(watch, PREFIX_INDEX, revision, step,
            arena_printf(arena, "%s makes %s on %s redundant: it begins with the same columns",
                made->name ? made->name : "the index", other->name, step->table.name));
    if (finding)
        finding_related(watch->check.findings, finding, other->origin.place, "the other one");
}

static void
note_index(struct watch *watch, const struct revision *revision, const struct step *step,
    const struct model *model)
{
    const struct relation *table = model_relation(model, step->table);

    if (!step->index || !table || (step->object.name && model_relation(model, step->object)))
        return;
    for (size_t i = 0; i < table->indexes.count; i++)
        compare_indexes(watch, revision, step, table->indexes.items[i]);
}

static bool
same_texts(const struct text_list *a, const struct text_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!text_equal(a->items[i], b->items[i]))
            return false;
    return true;
}

static bool
same_constraint(const struct constraint *a, const struct constraint *b)
{
    bool is_unique = (a->kind == CONSTRAINT_UNIQUE || a->kind == CONSTRAINT_PRIMARY_KEY) &&
                     (b->kind == CONSTRAINT_UNIQUE || b->kind == CONSTRAINT_PRIMARY_KEY);

    if (a->columns.count == 0 || !same_texts(&a->columns, &b->columns))
        return false;
    if (is_unique)
        return !(a->kind == CONSTRAINT_PRIMARY_KEY && b->kind == CONSTRAINT_PRIMARY_KEY);
    return a->kind == CONSTRAINT_FOREIGN_KEY && b->kind == CONSTRAINT_FOREIGN_KEY &&
           text_equal(a->target.name, b->target.name) &&
           text_equal(a->target.schema, b->target.schema) &&
           same_texts(&a->target_columns, &b->target_columns);
}

static void
note_constraint(struct watch *watch, const struct revision *revision, const struct step *step,
    const struct model *model)
{
    const struct relation *table = model_relation(model, step->object);

    if (!table || step->constraints.count != 1 || step->constraints.items[0].using_index)
        return;
    for (size_t i = 0; i < table->constraints.count; i++) {
        const struct model_constraint *other = table->constraints.items[i];
        const struct constraint *made = &step->constraints.items[0];
        struct finding *finding;

        if (!same_constraint(made, &other->constraint) ||
            text_equal(made->name, other->constraint.name))
            continue;
        finding = add(watch, DUPLICATE_CONSTRAINT, revision, step,
            arena_printf(watch->check.ctx->arena, "%s says the same as %s on %s",
                made->name ? made->name : "the constraint", other->constraint.name, table->name));
        finding_related(watch->check.findings, finding, other->origin.place, "the other one");
        return;
    }
}

static void
note_columns(struct watch *watch, const struct revision *revision, const struct step *step,
    void (*note)(struct watch *, const struct revision *, const struct step *, const char *))
{
    for (size_t i = 0; i < step->columns.count; i++)
        if (step->columns.items[i].name)
            note(watch, revision, step,
                key_of(watch, "column", step->object, step->columns.items[i].name));
}

static void
note_changed(struct watch *watch, const struct revision *revision, const char *table)
{
    struct life *life = life_of(watch, table);

    life->change_count += life->last_change != revision->index + 1;
    life->last_change = revision->index + 1;
}

/* Columns that an index or a constraint needs. */
static void
note_column_uses(struct watch *watch, const struct revision *revision, const struct step *step,
    struct object_name table, const struct text_list *columns)
{
    for (size_t i = 0; i < columns->count; i++)
        note_use(watch, revision, step, key_of(watch, "column", table, columns->items[i]));
}

static void
note_index_uses(struct watch *watch, const struct revision *revision, const struct step *step)
{
    const struct index *index = step->index;

    note_use(watch, revision, step, key_of(watch, "table", step->table, NULL));
    note_changed(watch, revision, key_of(watch, "table", step->table, NULL));
    for (size_t i = 0; index && i < index->keys.count; i++)
        if (index->keys.items[i].column)
            note_use(watch, revision, step,
                key_of(watch, "column", step->table, index->keys.items[i].column));
    if (index) {
        note_column_uses(watch, revision, step, step->table, &index->uses);
        note_column_uses(watch, revision, step, step->table, &index->include);
    }
}

static void
note_constraint_uses(struct watch *watch, const struct revision *revision, const struct step *step)
{
    for (size_t i = 0; i < step->constraints.count; i++) {
        const struct constraint *constraint = &step->constraints.items[i];

        note_column_uses(watch, revision, step, step->object, &constraint->columns);
        if (constraint->target.name) {
            note_use(watch, revision, step, key_of(watch, "table", constraint->target, NULL));
            note_column_uses(
                watch, revision, step, constraint->target, &constraint->target_columns);
        }
    }
}

/* Under its old name a thing is gone as if it had been dropped. */
static void
note_rename(
    struct watch *watch, const struct revision *revision, const struct step *step, const char *key)
{
    note_parallel(watch, PARALLEL_DROP, revision, step, life_of(watch, key), key);
}

static void
note_table_step(struct watch *watch, const struct revision *revision, const struct step *step)
{
    const char *table = key_of(watch, "table", step->object, NULL);
    const char *column = step->column ? key_of(watch, "column", step->object, step->column) : NULL;

    if (step->kind == STEP_CREATE_TABLE) {
        note_create(watch, revision, step, table);
        return;
    }
    if (step->kind == STEP_DROP_TABLE) {
        note_drop(watch, revision, step, table);
        return;
    }
    if (step->kind == STEP_RENAME_TABLE)
        note_rename(watch, revision, step, table);
    note_use(watch, revision, step, table);
    note_changed(watch, revision, table);
    if (step->kind == STEP_ADD_COLUMN)
        note_columns(watch, revision, step, note_create);
    else if (column && step->kind == STEP_DROP_COLUMN)
        note_drop(watch, revision, step, column);
    else if (column && step->kind == STEP_RENAME_COLUMN)
        note_rename(watch, revision, step, column);
    else if (column)
        note_use(watch, revision, step, column);
    if (column && (step->kind == STEP_ALTER_TYPE || step->kind == STEP_SET_DEFAULT ||
                      step->kind == STEP_RENAME_COLUMN))
        note_change(watch, revision, step, column);
}

static bool
is_about_table(const struct step *step)
{
    return step->kind >= STEP_CREATE_TABLE && step->kind <= STEP_ALTER_TABLE && step->object.name &&
           step->kind != STEP_ATTACH_PARTITION && step->kind != STEP_DETACH_PARTITION;
}

static void
before_step(void *self, const struct revision *revision, const struct step *step,
    enum verdict verdict, const struct model *model)
{
    struct watch *watch = self;

    if (verdict == VERDICT_NO || step->is_temporary)
        return;
    if (step->kind == STEP_ALTER_TYPE && step->object.name)
        note_type(watch, revision, step, model);
    if (is_about_table(step))
        note_table_step(watch, revision, step);
    if (step->kind == STEP_ADD_CONSTRAINT && step->object.name)
        note_constraint(watch, revision, step, model);
    if (step->object.name)
        note_constraint_uses(watch, revision, step);
    if (step_is_data(step) && step->object.name)
        note_use(watch, revision, step, key_of(watch, "table", step->object, NULL));
    if (step->kind == STEP_CREATE_INDEX && step->table.name) {
        note_index_uses(watch, revision, step);
        note_index(watch, revision, step, model);
        if (step->object.name)
            note_create(watch, revision, step, key_of(watch, "index", step->object, NULL));
    } else if (step->kind == STEP_DROP_INDEX && step->object.name) {
        note_drop(watch, revision, step, key_of(watch, "index", step->object, NULL));
    }
}

static void
tell_often_changed(struct watch *watch, const char *table, const struct life *life)
{
    const struct check *check = &watch->check;
    struct finding *finding = finding_add(check->findings, &rules[OFTEN_CHANGED],
        life->created.place, "%s is changed by %zu of %zu revisions", table, life->change_count,
        check->graph->order.count);
    size_t first = life->uses.count > PLACES_TOLD ? life->uses.count - PLACES_TOLD : 0;

    finding->context = check->history->items[life->created.revision].id;
    finding->object = table;
    for (size_t i = first; i < life->uses.count; i++)
        finding_related(check->findings, finding, life->uses.items[i].place, "changed here");
}

static void
after_revision(void *self, const struct revision *revision, const struct model *model)
{
    struct watch *watch = self;
    const struct graph *graph = watch->check.graph;
    const struct map_entry *entry;
    size_t cursor = 0;

    (void)model;
    if (graph->order.items[graph->order.count - 1] != revision->index)
        return;
    while ((entry = map_next(&watch->lives, &cursor))) {
        const struct life *life = entry->value;

        if (text_starts_with(entry->key, "table ") && !life->is_dropped &&
            life->created.place.file && life->change_count >= OFTEN)
            tell_often_changed(watch, entry->key, life);
    }
}

struct replay_watcher
watch_conflicts(const struct check *check)
{
    struct watch *self = ARENA_NEW(check->ctx->arena, struct watch);

    self->check = *check;
    self->lives.arena = check->ctx->arena;
    regions_find(check->ctx->arena, check->graph, &self->regions);
    return (struct replay_watcher){
        .self = self, .before_step = before_step, .after_revision = after_revision
    };
}
