#include "migrate/model/step.h"

#include "base/text.h"

#define STEP_TEXT(name, text) [name] = (text),
static const char *const kind_names[] = { STEP_KINDS(STEP_TEXT) };
#undef STEP_TEXT

const char *
step_kind_name(enum step_kind kind)
{
    return kind_names[kind];
}

/* Of unknown steps and DO blocks the reach decides. */
static bool
is_told_by_reach(const struct step *step)
{
    return step->kind == STEP_UNKNOWN || step->kind == STEP_DO;
}

bool
step_is_ddl(const struct step *step)
{
    if (is_told_by_reach(step))
        return step->reach != REACH_DATA;
    if (step->kind == STEP_REINDEX || step->kind == STEP_REFRESH)
        return false;
    return (step->kind >= STEP_CREATE_TABLE && step->kind <= STEP_GRANT) ||
           step->kind == STEP_OTHER;
}

bool
step_is_data(const struct step *step)
{
    if (is_told_by_reach(step))
        return step->reach == REACH_DATA;
    return (step->kind >= STEP_INSERT && step->kind <= STEP_TRUNCATE) || step->kind == STEP_COPY ||
           step->kind == STEP_REFRESH;
}

/* What a step is about: which member names it. */
enum subject { ABOUT_OBJECT, ABOUT_COLUMN, ABOUT_CONSTRAINT, ABOUT_NAMED, ABOUT_SETTING };

/* Kinds from here on, up to the next row. */
static const struct noun_row {
    enum step_kind first;
    enum subject subject;
    const char *noun;
} nouns[] = {
    { STEP_UNKNOWN, ABOUT_OBJECT, "" },
    { STEP_CREATE_TABLE, ABOUT_NAMED, "table" },
    { STEP_ADD_COLUMN, ABOUT_COLUMN, "column" },
    { STEP_ADD_CONSTRAINT, ABOUT_CONSTRAINT, "constraint" },
    { STEP_ATTACH_PARTITION, ABOUT_OBJECT, "partition" },
    { STEP_ALTER_TABLE, ABOUT_OBJECT, "table" },
    { STEP_CREATE_INDEX, ABOUT_OBJECT, "index" },
    { STEP_REINDEX, ABOUT_NAMED, "table" },
    { STEP_CREATE_ENUM, ABOUT_OBJECT, "type" },
    { STEP_CREATE_DOMAIN, ABOUT_OBJECT, "domain" },
    { STEP_DROP_TYPE, ABOUT_OBJECT, "type" },
    { STEP_ALTER_DOMAIN, ABOUT_OBJECT, "domain" },
    { STEP_CREATE_SEQUENCE, ABOUT_OBJECT, "sequence" },
    { STEP_CREATE_VIEW, ABOUT_NAMED, "view" },
    { STEP_CREATE_SCHEMA, ABOUT_OBJECT, "schema" },
    { STEP_CREATE_EXTENSION, ABOUT_OBJECT, "extension" },
    { STEP_CREATE_FUNCTION, ABOUT_OBJECT, "function" },
    { STEP_CREATE_TRIGGER, ABOUT_CONSTRAINT, "trigger" },
    { STEP_CREATE_POLICY, ABOUT_CONSTRAINT, "policy" },
    { STEP_CREATE_STATISTICS, ABOUT_OBJECT, "statistics" },
    { STEP_COMMENT, ABOUT_SETTING, "" },
    { STEP_GRANT, ABOUT_OBJECT, "table" },
    { STEP_SET, ABOUT_SETTING, "setting" },
    { STEP_BEGIN, ABOUT_OBJECT, "" },
    { STEP_VACUUM, ABOUT_OBJECT, "table" },
    { STEP_DO, ABOUT_OBJECT, "" },
    { STEP_OTHER, ABOUT_SETTING, "" },
};

static const char *const name_nouns[] = {
    [NAME_TABLE] = "table",
    [NAME_VIEW] = "view",
    [NAME_MATVIEW] = "materialized view",
    [NAME_SEQUENCE] = "sequence",
    [NAME_INDEX] = "index",
};

static const struct noun_row *
noun_of(enum step_kind kind)
{
    const struct noun_row *row = &nouns[0];

    for (size_t i = 0; i < COUNT_OF(nouns) && nouns[i].first <= kind; i++)
        row = &nouns[i];
    return row;
}

static const char *
dotted(struct arena *arena, struct object_name name)
{
    if (!name.name)
        return NULL;
    return name.schema ? arena_printf(arena, "%s.%s", name.schema, name.name) : name.name;
}

/* "noun outer.inner", with what is known of it. */
static const char *
part_text(struct arena *arena, const char *noun, const char *outer, const char *inner)
{
    if (inner && outer)
        return arena_printf(arena, "%s %s.%s", noun, outer, inner);
    if (inner)
        return arena_printf(arena, "%s %s", noun, inner);
    return outer ? arena_printf(arena, "%s of %s", noun, outer) : noun;
}

/* What the comment is on: its setting says the kind, in capitals. */
static const char *
comment_text(struct arena *arena, const struct step *step, const char *object)
{
    char *noun = arena_strdup(arena, step->setting ? step->setting : "table");

    for (char *byte = noun; *byte; byte++)
        *byte = (char)(*byte >= 'A' && *byte <= 'Z' ? *byte - 'A' + 'a' : *byte);
    if (step->column || step->constraint_name)
        return part_text(arena, noun, object, step->column ? step->column : step->constraint_name);
    return part_text(arena, noun, NULL, object);
}

/* The part of a table that the step is about. */
static const char *
inner_name(const struct step *step, enum subject subject)
{
    if (subject == ABOUT_COLUMN)
        return !step->column && step->columns.count > 0 ? step->columns.items[0].name
                                                        : step->column;
    return !step->constraint_name && step->constraints.count > 0 ? step->constraints.items[0].name
                                                                 : step->constraint_name;
}

static const char *
setting_text(struct arena *arena, const struct step *step, const char *object)
{
    if (step->kind == STEP_SET)
        return part_text(arena, "setting", NULL, step->setting);
    if (step->kind == STEP_COMMENT)
        return comment_text(arena, step, object);
    return object ? object : "";
}

static const char *
object_text(struct arena *arena, const struct step *step, const struct noun_row *row,
    const char *object, const char *table)
{
    if (!*row->noun)
        return object ? object : "";
    if (!object && !table)
        return step_kind_name(step->kind);
    return part_text(arena, row->noun, object ? NULL : table, object);
}

const char *
step_object_text(struct arena *arena, const struct step *step)
{
    const struct noun_row *row = noun_of(step->kind);
    const char *object = dotted(arena, step->object);
    const char *table = dotted(arena, step->table);
    const char *noun = row->noun;

    switch (row->subject) {
    case ABOUT_COLUMN:
        return part_text(arena, noun, object, inner_name(step, row->subject));
    case ABOUT_CONSTRAINT:
        return part_text(arena, noun, table ? table : object, inner_name(step, row->subject));
    case ABOUT_SETTING:
        return setting_text(arena, step, object);
    case ABOUT_NAMED:
        if (step->name_kind != NAME_TABLE)
            noun = name_nouns[step->name_kind];
        return part_text(arena, noun, NULL, object);
    case ABOUT_OBJECT:
        break;
    }
    return object_text(arena, step, row, object, table);
}
