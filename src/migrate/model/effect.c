#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "migrate/model/effect_lock.h"

static const struct {
    const char *name;
    const char *blocks;
} modes[LOCK_MODE_COUNT] = {
    [LOCK_NONE] = { "no lock", "blocks nothing" },
    [LOCK_ACCESS_SHARE] = { "ACCESS SHARE", "blocks only ACCESS EXCLUSIVE" },
    [LOCK_ROW_SHARE] = { "ROW SHARE", "blocks only schema changes" },
    [LOCK_ROW_EXCLUSIVE] = { "ROW EXCLUSIVE", "blocks schema changes" },
    [LOCK_SHARE_UPDATE_EXCLUSIVE] = { "SHARE UPDATE EXCLUSIVE", "blocks other schema changes" },
    [LOCK_SHARE] = { "SHARE", "blocks writes" },
    [LOCK_SHARE_ROW_EXCLUSIVE] = { "SHARE ROW EXCLUSIVE", "blocks writes" },
    [LOCK_EXCLUSIVE] = { "EXCLUSIVE", "blocks writes" },
    [LOCK_ACCESS_EXCLUSIVE] = { "ACCESS EXCLUSIVE", "blocks reads and writes" },
};

const char *
lock_mode_name(enum lock_mode mode)
{
    return modes[mode].name;
}

const char *
lock_mode_blocks(enum lock_mode mode)
{
    return modes[mode].blocks;
}

static const struct column *
added_column(const struct work *work)
{
    return work->step->columns.count > 0 ? &work->step->columns.items[0] : NULL;
}

static const struct constraint *
added_constraint(const struct work *work)
{
    return work->step->constraints.count > 0 ? &work->step->constraints.items[0] : NULL;
}

static bool
is_concurrent(const struct work *work)
{
    return work->step->concurrently;
}

/* A partitioned table by itself has none. */
static bool
has_rows(const struct work *work)
{
    return !(work->step->is_only && work->table && work->table->is_partitioned);
}

static bool
is_plain(const struct work *work)
{
    return !work->step->concurrently;
}

static bool
has_cascade(const struct work *work)
{
    return work->step->cascade;
}

static bool
is_known_relation(const struct work *work)
{
    return work->table && work->table->origin.revision != SIZE_MAX;
}

static bool
is_partition(const struct work *work)
{
    const struct relation *parent;

    if (!work->step->parent)
        return false;
    parent = model_relation(work->model, effect_name(work->ctx->arena, work->step->parent));
    return !parent || parent->is_partitioned;
}

static bool
is_heir(const struct work *work)
{
    return work->step->parent && !is_partition(work);
}

static bool
replaces_view(const struct work *work)
{
    return work->step->or_replace && is_known_relation(work);
}

static bool
fills_rows(const struct work *work)
{
    const struct column *column = added_column(work);

    return column && (column->default_kind == DEFAULT_VOLATILE || column->is_serial ||
                         column->is_identity || column->is_generated);
}

/* A type that is unknown, or a domain, whose constraints are not in the model. */
static bool
adds_unclear_column(const struct work *work)
{
    const struct column *column = added_column(work);
    const struct model_type *type;

    if (!column || !column->type.name || column->default_kind == DEFAULT_UNKNOWN)
        return true;
    type = model_type_find(work->model, column->type.schema, column->type.name);
    return type && type->made_by == STEP_CREATE_DOMAIN;
}

/* Every row is looked at to find that there is none without a value. */
static bool
requires_value(const struct work *work)
{
    const struct column *column = added_column(work);

    return column && column->is_not_null && column->default_kind == DEFAULT_NONE;
}

static bool
has_new(const struct work *work, enum constraint_kind kind)
{
    for (size_t i = 0; i < work->step->constraints.count; i++)
        if (work->step->constraints.items[i].kind == kind)
            return true;
    return false;
}

static bool
has_new_check(const struct work *work)
{
    return has_new(work, CONSTRAINT_CHECK);
}

static bool
has_new_key(const struct work *work)
{
    return has_new(work, CONSTRAINT_UNIQUE) || has_new(work, CONSTRAINT_PRIMARY_KEY);
}

/* Without a default there are only NULLs, which need no partner. */
static bool
has_new_filled_reference(const struct work *work)
{
    const struct column *column = added_column(work);

    return has_new(work, CONSTRAINT_FOREIGN_KEY) && column && column->default_kind != DEFAULT_NONE;
}

static bool
adds_foreign_key(const struct work *work)
{
    const struct constraint *constraint = added_constraint(work);

    return constraint && constraint->kind == CONSTRAINT_FOREIGN_KEY;
}

static bool
adds_other_constraint(const struct work *work)
{
    return !adds_foreign_key(work);
}

static bool
adds_validated(const struct work *work)
{
    const struct constraint *constraint = added_constraint(work);

    return constraint && !constraint->is_not_valid &&
           (constraint->kind == CONSTRAINT_FOREIGN_KEY || constraint->kind == CONSTRAINT_CHECK);
}

static bool
adds_indexed(const struct work *work)
{
    const struct constraint *constraint = added_constraint(work);

    return constraint && !constraint->using_index &&
           (constraint->kind == CONSTRAINT_UNIQUE || constraint->kind == CONSTRAINT_PRIMARY_KEY ||
               constraint->kind == CONSTRAINT_EXCLUDE);
}

/* PRIMARY KEY USING INDEX sets NOT NULL on columns that are not yet. */
static bool
adopts_nullable_key(const struct work *work)
{
    const struct constraint *constraint = added_constraint(work);
    const struct relation *index;

    if (!constraint || constraint->kind != CONSTRAINT_PRIMARY_KEY || !constraint->using_index ||
        !work->table)
        return false;
    index = model_relation(work->model,
        (struct object_name){ .schema = work->table->schema, .name = constraint->using_index });
    for (size_t i = 0; index && index->index && i < index->index->keys.count; i++) {
        const char *name = index->index->keys.items[i].column;
        const struct model_column *column = name ? relation_column(work->table, name) : NULL;

        if (column && !column->column.is_not_null)
            return true;
    }
    return false;
}

/* Whether the CHECK text proves "column IS NOT NULL": quotes and parentheses do not count. */
static bool
proves_not_null(struct arena *arena, const char *expression, const char *column)
{
    struct buffer plain = { .arena = arena };
    const char *wanted = arena_printf(arena, " %s is not null ", column);

    buffer_add(&plain, " ");
    for (const char *at = expression; *at; at++) {
        char byte = (char)tolower((unsigned char)*at);

        if (strchr("()\"\n\t", byte))
            byte = ' ';
        if (byte != ' ' || plain.data[plain.length - 1] != ' ')
            buffer_append(&plain, &byte, 1);
    }
    buffer_add(&plain, " ");
    return strcasestr(plain.data, wanted) && !strstr(plain.data, " or ") &&
           !strstr(plain.data, " case ") && !strstr(plain.data, " not exists ");
}

/* SET NOT NULL reads the table unless the server knows already that no value is missing. */
static bool
must_look_for_nulls(const struct work *work)
{
    const struct model_column *column;

    if (!work->table || !work->step->column)
        return true;
    column = relation_column(work->table, work->step->column);
    if (column && column->column.is_not_null)
        return false;
    for (size_t i = 0; i < work->table->constraints.count; i++) {
        const struct constraint *constraint = &work->table->constraints.items[i]->constraint;

        if (constraint->kind == CONSTRAINT_PRIMARY_KEY &&
            text_list_has(&constraint->columns, work->step->column))
            return false;
        if (constraint->kind == CONSTRAINT_CHECK && !constraint->is_not_valid &&
            constraint->expression &&
            proves_not_null(work->ctx->arena, constraint->expression, work->step->column))
            return false;
    }
    return true;
}

static const struct type *
old_type(const struct work *work)
{
    const struct model_column *column;

    if (!work->table || !work->step->column)
        return NULL;
    column = relation_column(work->table, work->step->column);
    return column ? &column->column.type : NULL;
}

/* USING that only names the column or casts it to the new type is what the server does anyway. */
static bool
computes(const struct step *step)
{
    const char *text = step->using_text;
    const char *column = step->column;
    size_t length = column ? strlen(column) : 0;

    if (!text)
        return false;
    while (*text == '(' || *text == ' ')
        text++;
    if (strncasecmp(text, "cast(", 5) == 0) {
        text += 5;
        while (*text == ' ')
            text++;
    }
    text += *text == '"';
    if (!column || strncasecmp(text, column, length) != 0)
        return true;
    text += length;
    text += *text == '"';
    while (*text == ')' || *text == ' ')
        text++;
    return *text && strncmp(text, "::", 2) != 0 && strncasecmp(text, "as ", 3) != 0;
}

/*
 * Types of extensions that nothing else is stored like; of citext that would not be true. Another
 * number of dimensions is another matter.
 */
static const char *const stored_otherwise[] = { "geography", "geometry", "halfvec", "hstore",
    "ltree", "sparsevec", "vector" };

static bool
is_stored_otherwise(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(stored_otherwise); i++)
        if (text_equal(name, stored_otherwise[i]))
            return true;
    return false;
}

static enum type_change
change_of_type(const struct work *work)
{
    const struct type *from = old_type(work);
    const struct type *to = &work->step->type;
    enum type_change change;

    if (!from || !from->name || !to->name)
        return TYPE_CHANGE_UNKNOWN;
    if (computes(work->step))
        return TYPE_CHANGE_REWRITE;
    change = type_change(from, to);
    if (change == TYPE_CHANGE_UNKNOWN && !text_equal(from->name, to->name)) {
        const struct model_type *a = model_type_find(work->model, from->schema, from->name);
        const struct model_type *b = model_type_find(work->model, to->schema, to->name);

        /* Values of an enum are numbers on disk: nothing else reads them. */
        if (is_stored_otherwise(from->name) || is_stored_otherwise(to->name) ||
            (a && a->made_by == STEP_CREATE_ENUM) || (b && b->made_by == STEP_CREATE_ENUM))
            return TYPE_CHANGE_REWRITE;
    }
    return change;
}

static bool
changes_rows(const struct work *work)
{
    return change_of_type(work) == TYPE_CHANGE_REWRITE;
}

static bool
changes_unclearly(const struct work *work)
{
    return change_of_type(work) == TYPE_CHANGE_UNKNOWN;
}

/* CHECKs that mention the column are verified again. */
static bool
changes_checked(const struct work *work)
{
    enum type_change change = change_of_type(work);

    if (change != TYPE_CHANGE_NO_SCAN || !work->table)
        return false;
    for (size_t i = 0; i < work->table->constraints.count; i++) {
        const struct constraint *constraint = &work->table->constraints.items[i]->constraint;

        if (constraint->kind == CONSTRAINT_CHECK && !constraint->is_not_valid &&
            text_list_has(&constraint->columns, work->step->column))
            return true;
    }
    return false;
}

static bool
has_no_where(const struct work *work)
{
    return !work->step->has_where;
}

static bool
makes_from_rows(const struct work *work)
{
    return work->step->is_as_select;
}

static bool
locks_rows(const struct work *work)
{
    const char *text = work->step->text;

    return text && (strcasestr(text, " for update") || strcasestr(text, " for no key update") ||
                       strcasestr(text, " for share") || strcasestr(text, " for key share"));
}

static bool
is_materialized(const struct work *work)
{
    return work->step->name_kind == NAME_MATVIEW;
}

static bool
is_full(const struct work *work)
{
    return work->step->is_full;
}

static bool
is_lazy(const struct work *work)
{
    return !work->step->is_full;
}

/* ALTER DOMAIN that has to look at every value of the domain. */
static bool
verifies_domain(const struct work *work)
{
    const char *text = work->step->text;

    for (size_t i = 0; i < work->step->constraints.count; i++)
        if (work->step->constraints.items[i].is_not_valid)
            return false;
    if (work->step->constraints.count > 0)
        return true;
    return text && (strcasestr(text, "set not null") || strcasestr(text, "validate constraint") ||
                       (strcasestr(text, " check") && !strcasestr(text, "not valid")));
}

enum {
    READS = 1,   /* every row */
    WRITES = 2,  /* every row */
    INDEXES = 4, /* builds an index */
    UNSURE = 8,  /* more may happen than is known */
    REWRITE = READS | WRITES,
};

struct row {
    enum step_kind kind;
    enum lock_mode mode;
    enum whom whom;
    bool (*when)(const struct work *); /* NULL: always */
    unsigned what;
};

/*
 * Every row that fits a step adds to its effect. What was measured on 15 is the same from 14 to 18
 * for what can be written in all of them.
 */
static const struct row rows[] = {
    { STEP_UNKNOWN, LOCK_NONE, WHOM_TABLE, NULL, UNSURE },
    { STEP_CREATE_TABLE, LOCK_SHARE_ROW_EXCLUSIVE, WHOM_NEW_TARGETS },
    { STEP_CREATE_TABLE, LOCK_ACCESS_EXCLUSIVE, WHOM_PARENT, is_partition },
    { STEP_CREATE_TABLE, LOCK_SHARE_UPDATE_EXCLUSIVE, WHOM_PARENT, is_heir },
    { STEP_CREATE_TABLE, LOCK_ACCESS_SHARE, WHOM_OTHERS },
    { STEP_CREATE_TABLE, LOCK_NONE, WHOM_OTHERS, makes_from_rows, READS },
    { STEP_DROP_TABLE, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_DROP_TABLE, LOCK_ACCESS_EXCLUSIVE, WHOM_VIEWS, has_cascade },
    { STEP_DROP_TABLE, LOCK_ACCESS_EXCLUSIVE, WHOM_REFERRERS, has_cascade },
    { STEP_DROP_TABLE, LOCK_ACCESS_EXCLUSIVE, WHOM_TARGETS },
    { STEP_RENAME_TABLE, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_SET_SCHEMA, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },

    { STEP_ADD_COLUMN, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_ADD_COLUMN, LOCK_SHARE_ROW_EXCLUSIVE, WHOM_NEW_TARGETS },
    { STEP_ADD_COLUMN, LOCK_NONE, WHOM_TABLE, fills_rows, REWRITE },
    { STEP_ADD_COLUMN, LOCK_NONE, WHOM_TABLE, requires_value, READS },
    { STEP_ADD_COLUMN, LOCK_NONE, WHOM_TABLE, has_new_check, READS },
    { STEP_ADD_COLUMN, LOCK_NONE, WHOM_TABLE, has_new_key, READS | INDEXES },
    { STEP_ADD_COLUMN, LOCK_NONE, WHOM_TABLE, has_new_filled_reference, READS },
    { STEP_ADD_COLUMN, LOCK_NONE, WHOM_TABLE, adds_unclear_column, UNSURE },
    { STEP_DROP_COLUMN, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_DROP_COLUMN, LOCK_ACCESS_EXCLUSIVE, WHOM_REFERRERS, has_cascade },
    { STEP_DROP_COLUMN, LOCK_ACCESS_EXCLUSIVE, WHOM_TARGETS },
    { STEP_RENAME_COLUMN, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_ALTER_TYPE, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_ALTER_TYPE, LOCK_ACCESS_EXCLUSIVE, WHOM_TARGETS },
    { STEP_ALTER_TYPE, LOCK_ACCESS_EXCLUSIVE, WHOM_REFERRERS },
    { STEP_ALTER_TYPE, LOCK_NONE, WHOM_TABLE, changes_rows, REWRITE },
    { STEP_ALTER_TYPE, LOCK_NONE, WHOM_TABLE, changes_checked, READS },
    { STEP_ALTER_TYPE, LOCK_NONE, WHOM_TABLE, changes_unclearly, UNSURE },
    { STEP_SET_DEFAULT, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_DROP_DEFAULT, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_SET_NOT_NULL, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_SET_NOT_NULL, LOCK_NONE, WHOM_TABLE, must_look_for_nulls, READS },
    { STEP_DROP_NOT_NULL, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_IDENTITY, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },

    { STEP_ADD_CONSTRAINT, LOCK_SHARE_ROW_EXCLUSIVE, WHOM_TABLE, adds_foreign_key },
    { STEP_ADD_CONSTRAINT, LOCK_SHARE_ROW_EXCLUSIVE, WHOM_NEW_TARGETS },
    { STEP_ADD_CONSTRAINT, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE, adds_other_constraint },
    { STEP_ADD_CONSTRAINT, LOCK_NONE, WHOM_TABLE, adds_validated, READS },
    { STEP_ADD_CONSTRAINT, LOCK_NONE, WHOM_TABLE, adds_indexed, READS | INDEXES },
    { STEP_ADD_CONSTRAINT, LOCK_NONE, WHOM_TABLE, adopts_nullable_key, READS },
    { STEP_DROP_CONSTRAINT, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_DROP_CONSTRAINT, LOCK_ACCESS_EXCLUSIVE, WHOM_NAMED_TARGET },
    { STEP_DROP_CONSTRAINT, LOCK_ACCESS_EXCLUSIVE, WHOM_REFERRERS, has_cascade },
    { STEP_RENAME_CONSTRAINT, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_VALIDATE_CONSTRAINT, LOCK_SHARE_UPDATE_EXCLUSIVE, WHOM_TABLE, NULL, READS },
    { STEP_VALIDATE_CONSTRAINT, LOCK_ROW_SHARE, WHOM_NAMED_TARGET },
    { STEP_ATTACH_PARTITION, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE, NULL, READS },
    { STEP_ATTACH_PARTITION, LOCK_SHARE_UPDATE_EXCLUSIVE, WHOM_PARENT },
    { STEP_DETACH_PARTITION, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_DETACH_PARTITION, LOCK_ACCESS_EXCLUSIVE, WHOM_PARENT, is_plain },
    { STEP_DETACH_PARTITION, LOCK_SHARE_UPDATE_EXCLUSIVE, WHOM_PARENT, is_concurrent },

    { STEP_CREATE_INDEX, LOCK_SHARE, WHOM_TABLE, is_plain },
    { STEP_CREATE_INDEX, LOCK_SHARE_UPDATE_EXCLUSIVE, WHOM_TABLE, is_concurrent },
    { STEP_CREATE_INDEX, LOCK_NONE, WHOM_TABLE, has_rows, READS | INDEXES },
    { STEP_DROP_INDEX, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE, is_plain },
    { STEP_DROP_INDEX, LOCK_SHARE_UPDATE_EXCLUSIVE, WHOM_TABLE, is_concurrent },
    { STEP_REINDEX, LOCK_SHARE, WHOM_TABLE, is_plain, READS | INDEXES },
    { STEP_REINDEX, LOCK_SHARE_UPDATE_EXCLUSIVE, WHOM_TABLE, is_concurrent, READS | INDEXES },

    { STEP_DROP_TYPE, LOCK_ACCESS_EXCLUSIVE, WHOM_USERS_OF_TYPE, has_cascade },
    { STEP_ALTER_DOMAIN, LOCK_SHARE, WHOM_USERS_OF_TYPE, verifies_domain, READS },
    { STEP_ALTER_SEQUENCE, LOCK_SHARE_ROW_EXCLUSIVE, WHOM_TABLE },
    { STEP_DROP_SEQUENCE, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_CREATE_VIEW, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE, replaces_view },
    { STEP_CREATE_VIEW, LOCK_ACCESS_SHARE, WHOM_OTHERS },
    { STEP_CREATE_VIEW, LOCK_NONE, WHOM_OTHERS, is_materialized, READS },
    { STEP_DROP_VIEW, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_DROP_VIEW, LOCK_ACCESS_EXCLUSIVE, WHOM_VIEWS, has_cascade },
    { STEP_REFRESH, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE, is_plain, REWRITE },
    { STEP_REFRESH, LOCK_EXCLUSIVE, WHOM_TABLE, is_concurrent, READS },
    { STEP_REFRESH, LOCK_ACCESS_SHARE, WHOM_USES },
    { STEP_DROP_SCHEMA, LOCK_ACCESS_EXCLUSIVE, WHOM_SCHEMA, has_cascade },
    { STEP_DROP_EXTENSION, LOCK_NONE, WHOM_TABLE, has_cascade, UNSURE },
    { STEP_DROP_FUNCTION, LOCK_NONE, WHOM_TABLE, has_cascade, UNSURE },
    { STEP_CREATE_TRIGGER, LOCK_SHARE_ROW_EXCLUSIVE, WHOM_TABLE },
    { STEP_DROP_TRIGGER, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_CREATE_POLICY, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_DROP_POLICY, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE },
    { STEP_CREATE_STATISTICS, LOCK_SHARE_UPDATE_EXCLUSIVE, WHOM_TABLE },
    { STEP_COMMENT, LOCK_SHARE_UPDATE_EXCLUSIVE, WHOM_TABLE, is_known_relation },

    { STEP_INSERT, LOCK_ROW_EXCLUSIVE, WHOM_TABLE },
    { STEP_INSERT, LOCK_ACCESS_SHARE, WHOM_OTHERS },
    { STEP_UPDATE, LOCK_ROW_EXCLUSIVE, WHOM_TABLE },
    { STEP_UPDATE, LOCK_ACCESS_SHARE, WHOM_OTHERS },
    { STEP_UPDATE, LOCK_NONE, WHOM_TABLE, has_no_where, READS },
    { STEP_DELETE, LOCK_ROW_EXCLUSIVE, WHOM_TABLE },
    { STEP_DELETE, LOCK_ACCESS_SHARE, WHOM_OTHERS },
    { STEP_DELETE, LOCK_NONE, WHOM_TABLE, has_no_where, READS },
    { STEP_COPY, LOCK_ROW_EXCLUSIVE, WHOM_TABLE },
    { STEP_SELECT, LOCK_ACCESS_SHARE, WHOM_OTHERS },
    { STEP_SELECT, LOCK_ROW_SHARE, WHOM_OTHERS, locks_rows },
    { STEP_TRUNCATE, LOCK_ACCESS_EXCLUSIVE, WHOM_VALUES },
    { STEP_TRUNCATE, LOCK_ACCESS_EXCLUSIVE, WHOM_VALUES_REFERRERS, has_cascade },
    { STEP_VACUUM, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE, is_full, REWRITE },
    { STEP_VACUUM, LOCK_SHARE_UPDATE_EXCLUSIVE, WHOM_TABLE, is_lazy },
    { STEP_CLUSTER, LOCK_ACCESS_EXCLUSIVE, WHOM_TABLE, NULL, REWRITE },
    { STEP_ANALYZE, LOCK_SHARE_UPDATE_EXCLUSIVE, WHOM_TABLE },
    { STEP_DO, LOCK_NONE, WHOM_TABLE, NULL, UNSURE },
};

/* Forms of ALTER TABLE that are no step kind of their own, by how their names begin. */
static const struct {
    const char *setting;
    enum lock_mode mode;
    unsigned what;
} forms[] = {
    { "SET STATISTICS", LOCK_SHARE_UPDATE_EXCLUSIVE, 0 },
    { "ALTER COLUMN SET (", LOCK_SHARE_UPDATE_EXCLUSIVE, 0 },
    { "ALTER COLUMN RESET (", LOCK_SHARE_UPDATE_EXCLUSIVE, 0 },
    { "CLUSTER ON", LOCK_SHARE_UPDATE_EXCLUSIVE, 0 },
    { "SET WITHOUT CLUSTER", LOCK_SHARE_UPDATE_EXCLUSIVE, 0 },
    { "ENABLE TRIGGER", LOCK_SHARE_ROW_EXCLUSIVE, 0 },
    { "ENABLE ALWAYS TRIGGER", LOCK_SHARE_ROW_EXCLUSIVE, 0 },
    { "ENABLE REPLICA TRIGGER", LOCK_SHARE_ROW_EXCLUSIVE, 0 },
    { "DISABLE TRIGGER", LOCK_SHARE_ROW_EXCLUSIVE, 0 },
    { "SET LOGGED", LOCK_ACCESS_EXCLUSIVE, REWRITE },
    { "SET UNLOGGED", LOCK_ACCESS_EXCLUSIVE, REWRITE },
    { "SET ACCESS METHOD", LOCK_ACCESS_EXCLUSIVE, REWRITE },
    { "SET TABLESPACE", LOCK_ACCESS_EXCLUSIVE, REWRITE },
    { "SET (user_catalog_table", LOCK_ACCESS_EXCLUSIVE, 0 },
    { "SET (", LOCK_SHARE_UPDATE_EXCLUSIVE, 0 },
    { "RESET (", LOCK_SHARE_UPDATE_EXCLUSIVE, 0 },
    { "", LOCK_ACCESS_EXCLUSIVE, 0 },
};

/* LOCK TABLE t IN … MODE; longer names first. */
static const enum lock_mode lockable[] = { LOCK_SHARE_UPDATE_EXCLUSIVE, LOCK_SHARE_ROW_EXCLUSIVE,
    LOCK_ACCESS_EXCLUSIVE, LOCK_ROW_EXCLUSIVE, LOCK_ACCESS_SHARE, LOCK_ROW_SHARE, LOCK_EXCLUSIVE,
    LOCK_SHARE };

static void
add(struct work *work, unsigned what)
{
    work->effect->scans |= (what & READS) != 0;
    work->effect->rewrites |= (what & WRITES) != 0;
    work->effect->builds_index |= (what & INDEXES) != 0;
    work->effect->is_unknown |= (what & UNSURE) != 0;
}

const char *
sql_plain(struct arena *arena, const char *sql)
{
    struct buffer plain = { .arena = arena };
    bool is_quoted = false;

    for (const char *at = sql ? sql : ""; *at; at++) {
        bool is_blank = !is_quoted && isspace((unsigned char)*at);
        char byte = (char)(is_blank ? ' ' : is_quoted ? *at : tolower((unsigned char)*at));

        if (byte == '\'')
            is_quoted = !is_quoted;
        if (!is_blank || (plain.length > 0 && plain.data[plain.length - 1] != ' '))
            buffer_append(&plain, &byte, 1);
    }
    return buffer_text(&plain);
}

static void
alter_table(struct work *work)
{
    const char *setting = work->step->setting ? work->step->setting : "";

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (!text_starts_with(setting, forms[i].setting))
            continue;
        effect_lock(work, WHOM_TABLE, forms[i].mode);
        add(work, forms[i].what);
        return;
    }
}

static void
lock_tables(struct work *work)
{
    const char *text = sql_plain(work->ctx->arena, work->step->text);
    enum lock_mode mode = LOCK_ACCESS_EXCLUSIVE;

    for (size_t i = 0; i < COUNT_OF(lockable); i++) {
        const char *wanted =
            arena_printf(work->ctx->arena, "in %s mode", lock_mode_name(lockable[i]));

        if (strcasestr(text, wanted)) {
            mode = lockable[i];
            break;
        }
    }
    effect_lock(work, WHOM_VALUES, mode);
}

static void
other(struct work *work)
{
    static const struct {
        const char *setting;
        enum lock_mode mode;
    } known[] = { { "CREATE RULE", LOCK_ACCESS_EXCLUSIVE },
        { "DROP RULE", LOCK_ACCESS_EXCLUSIVE } };

    for (size_t i = 0; work->step->setting && i < COUNT_OF(known); i++)
        if (text_starts_with(work->step->setting, known[i].setting))
            effect_lock(work, WHOM_TABLE, known[i].mode);
}

bool
effect_of(struct ctx *ctx, const struct model *before, const struct step *step, int major,
    struct effect *ret)
{
    struct work work = { .ctx = ctx, .model = before, .step = step, .effect = ret, .major = major };

    assert(major >= SERVER_MAJOR_LEAST && major <= SERVER_MAJOR_MOST);
    /* What a new table looks like makes no difference to the others. */
    *ret = (struct effect){
        .is_unknown = step->unknown != NULL && step->kind != STEP_CREATE_TABLE,
    };
    work.table = ret->table = effect_table(&work);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];

        if (row->kind != step->kind || (row->when && !row->when(&work)))
            continue;
        if (row->mode != LOCK_NONE)
            effect_lock(&work, row->whom, row->mode);
        add(&work, row->what);
    }
    /* 18 holds what privileges are given on. */
    if (step->kind == STEP_GRANT && major >= 18)
        effect_lock(&work, WHOM_TABLE, LOCK_ACCESS_SHARE);
    if (step->kind == STEP_ALTER_TABLE)
        alter_table(&work);
    if (step->kind == STEP_LOCK)
        lock_tables(&work);
    if (step->kind == STEP_OTHER)
        other(&work);
    return true;
}
