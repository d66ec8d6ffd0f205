/* SQL text to steps: cut into statements, each parsed once, its tree handed to who knows it. */
#include "migrate/sql/sql_lower.h"

#include <strings.h>

#include "base/text.h"
#include "lang/sql.h"

enum {
    LONGEST_SQL = 4 << 20,       /* of a whole text: nobody writes it */
    LONGEST_STATEMENT = 64 << 10 /* to be parsed; longer ones are rows */
};

#define UNKNOWN_PART "part of the text is not known"

struct step
lower_begin(struct lower *lower, enum step_kind kind)
{
    const struct scene *scene = lower->source->scene;

    if (!lower->shown && lower->text)
        lower->shown = lower_slice(lower, 0, strlen(lower->text));

    struct step step = {
        .kind = kind,
        .place = lower->place,
        .text = lower->shown,
        .operation = lower->source->operation,
        .conditions = lower->conditions,
    };

    if (scene) {
        step.in_autocommit = scene->in_autocommit;
        step.in_savepoint = scene->in_savepoint;
        step.in_try = scene->in_try;
        step.is_repeated = scene->is_repeated;
    }
    lower->has_hole = false;
    return step;
}

/* A step whose table is unknown can be about any; one about rows changes nothing else. */
static enum reach
reach_of(const struct step *step)
{
    if (!step_is_ddl(step))
        return REACH_DATA;
    return step->object.name || step->table.name ? REACH_TABLE : REACH_ALL;
}

void
lower_end(struct lower *lower, struct step *step)
{
    if (lower->has_hole && !step->unknown)
        step->unknown = UNKNOWN_PART;
    if (step->unknown && step->reach == REACH_DATA && step->kind != STEP_UNKNOWN &&
        step->kind != STEP_DO)
        step->reach = reach_of(step);
    lower->has_hole = false;
    VEC_PUSH(lower->ctx->arena, lower->steps, *step);
}

void
lower_condition_add(struct lower *lower, const char *text, const struct test *test)
{
    struct condition condition = { .text = text, .place = lower->place, .test = *test };
    struct conditions longer = { 0 };

    for (size_t i = 0; i < lower->conditions.count; i++)
        VEC_PUSH(lower->ctx->arena, &longer, lower->conditions.items[i]);
    VEC_PUSH(lower->ctx->arena, &longer, condition);
    lower->conditions = longer;
}

/* ---- statements that are neither about objects nor about rows ---- */

static const struct {
    const char *kind;
    enum step_kind step;
} transactions[] = {
    { "TRANS_STMT_BEGIN", STEP_BEGIN },
    { "TRANS_STMT_START", STEP_BEGIN },
    { "TRANS_STMT_COMMIT", STEP_COMMIT },
    { "TRANS_STMT_ROLLBACK", STEP_ROLLBACK },
};

static void
lower_transaction(struct lower *lower, const json_t *node)
{
    enum step_kind kind = STEP_OTHER;

    for (size_t i = 0; i < COUNT_OF(transactions); i++)
        if (tree_is(node, "kind", transactions[i].kind))
            kind = transactions[i].step;

    struct step step = lower_begin(lower, kind);

    if (kind == STEP_OTHER) /* SAVEPOINT, RELEASE, ROLLBACK TO, PREPARE TRANSACTION */
        step.setting = lower_verb(lower);
    lower_end(lower, &step);
}

/* The text behind "=" or TO. */
static const char *
set_value(struct lower *lower)
{
    const struct lexeme *lexemes = lower_lexemes(lower);
    size_t zone;

    for (size_t i = 0; lexemes[i].kind != LEX_END; i++)
        if (lex_is_word(lower->text, &lexemes[i], "to") ||
            (lexemes[i].kind == LEX_OPERATOR && lower->text[lexemes[i].start] == '='))
            return lower_slice(lower, lexemes[i].end, strlen(lower->text));
    if (lower_find_word(lower, 0, 0, "zone", &zone))
        return lower_slice(lower, lexemes[zone].end, strlen(lower->text));
    return NULL;
}

static void
lower_set(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_SET);

    step.setting = lower_name(lower, tree_text(node, "name"));
    step.is_local = tree_flag(node, "is_local");
    if (tree_is(node, "kind", "VAR_SET_VALUE"))
        step.setting_value = set_value(lower);
    if (!step.setting && !lower->has_hole)
        step.setting = lower_verb(lower); /* RESET ALL */
    lower_end(lower, &step);
}

static void
lower_show(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_SELECT);

    (void)node;
    lower_end(lower, &step);
}

static void
add_relations(struct lower *lower, const json_t *relations, struct step *step)
{
    size_t i;
    json_t *item;

    json_array_foreach(relations, i, item)
    {
        const json_t *vacuum = json_object_get(item, "VacuumRelation");
        struct object_name name =
            lower_relation(lower, vacuum ? json_object_get(vacuum, "relation") : item);

        if (i == 0)
            step->object = name;
        if (name.name)
            text_list_add(lower->ctx->arena, &step->values, lower_dotted(lower->ctx->arena, name));
    }
}

static void
lower_truncate(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_TRUNCATE);

    add_relations(lower, json_object_get(node, "relations"), &step);
    step.cascade = tree_is(node, "behavior", "DROP_CASCADE");
    lower_end(lower, &step);
}

static const char *const lock_modes[] = { NULL, "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE" };

static void
lower_lock(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_LOCK);
    int64_t mode = tree_int(node, "mode");

    add_relations(lower, json_object_get(node, "relations"), &step);
    if (mode > 0 && mode < (int64_t)COUNT_OF(lock_modes))
        step.setting = lock_modes[mode];
    lower_end(lower, &step);
}

/* FULL counts unless it is set to something else than true. */
static bool
is_option_on(const json_t *options, const char *name)
{
    bool is_there;
    const json_t *value = tree_option(options, name, &is_there);
    const char *text = tree_string(value);

    if (!is_there || !text)
        return is_there && (!value || tree_int(json_object_get(value, "Integer"), "ival") != 0);
    return strcasecmp(text, "false") != 0 && strcasecmp(text, "off") != 0;
}

static void
lower_vacuum(struct lower *lower, const json_t *node)
{
    bool is_vacuum = tree_flag(node, "is_vacuumcmd") || tree_flag(node, "is_vacuum");
    struct step step = lower_begin(lower, is_vacuum ? STEP_VACUUM : STEP_ANALYZE);

    add_relations(lower, json_object_get(node, "rels"), &step);
    step.is_full = is_vacuum && is_option_on(json_object_get(node, "options"), "full");
    lower_end(lower, &step);
}

static void
lower_cluster(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_CLUSTER);

    if (json_object_get(node, "relation"))
        step.object = lower_relation(lower, json_object_get(node, "relation"));
    step.constraint_name = lower_name(lower, tree_text(node, "indexname"));
    lower_end(lower, &step);
}

static void
lower_reindex(struct lower *lower, const json_t *node)
{
    struct step step = lower_begin(lower, STEP_REINDEX);
    bool is_index = tree_is(node, "kind", "REINDEX_OBJECT_INDEX");

    if (json_object_get(node, "relation"))
        step.object = lower_relation(lower, json_object_get(node, "relation"));
    else
        step.setting = lower_verb(lower); /* REINDEX SCHEMA, DATABASE, SYSTEM */
    step.name_kind = is_index ? NAME_INDEX : NAME_TABLE;
    step.table = is_index ? step.table : step.object;
    step.concurrently = is_option_on(json_object_get(node, "params"), "concurrently") ||
                        tree_flag(node, "concurrent");
    lower_end(lower, &step);
}

static void
lower_copy(struct lower *lower, const json_t *node)
{
    bool is_from = tree_flag(node, "is_from");
    struct step step = lower_begin(lower, is_from ? STEP_COPY : STEP_SELECT);

    if (json_object_get(node, "relation"))
        step.object = lower_relation(lower, json_object_get(node, "relation"));
    tree_tables(lower, json_object_get(node, "query"), &step.tables);
    lower_end(lower, &step);
}

static const struct lower_row rows[] = {
    { "ClusterStmt", lower_cluster },
    { "CopyStmt", lower_copy },
    { "DeleteStmt", lower_delete },
    { "DoStmt", lower_do },
    { "ExplainStmt", lower_show },
    { "InsertStmt", lower_insert },
    { "LockStmt", lower_lock },
    { "MergeStmt", lower_merge },
    { "ReindexStmt", lower_reindex },
    { "SelectStmt", lower_select },
    { "TransactionStmt", lower_transaction },
    { "TruncateStmt", lower_truncate },
    { "UpdateStmt", lower_update },
    { "VacuumStmt", lower_vacuum },
    { "VariableSetStmt", lower_set },
    { "VariableShowStmt", lower_show },
};

/* Other statements that may do more than they say. */
static const struct {
    const char *node;
    const char *unknown;
    enum reach reach;
} reaching[] = {
    { "CallStmt", "the procedure is not followed", REACH_DATA },
    { "ExecuteStmt", "the prepared statement is not followed", REACH_DATA },
    { "DropOwnedStmt", "what the role owns is not known", REACH_ALL },
    { "ImportForeignSchemaStmt", "the foreign tables are not known", REACH_ALL },
};

static void
lower_other(struct lower *lower, const char *kind)
{
    struct step step = lower_begin(lower, STEP_OTHER);

    step.setting = lower_verb(lower);
    for (size_t i = 0; i < COUNT_OF(reaching); i++)
        if (strcmp(reaching[i].node, kind) == 0) {
            step.unknown = reaching[i].unknown;
            step.reach = reaching[i].reach;
        }
    VEC_PUSH(lower->ctx->arena, lower->steps, step);
}

static lower_statement_fn *
find_row(const struct lower_row *table, size_t count, const char *kind)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].node, kind) == 0)
            return table[i].lower;
    return NULL;
}

void
lower_node(struct lower *lower, const json_t *wrapped)
{
    const char *kind;
    const json_t *node = tree_open(wrapped, &kind);
    lower_statement_fn *fn = find_row(rows, COUNT_OF(rows), kind);

    if (!fn)
        fn = find_row(lower_object_rows, lower_object_row_count, kind);
    if (fn)
        fn(lower, node);
    else
        lower_other(lower, kind);
}

/* ---- what does not parse ---- */

/* How statements begin whose kind is told by that; the name stands behind. */
static const struct beginning {
    const char *words[2];
    enum step_kind kind;
    enum reach reach;
} beginnings[] = {
    { { "insert", "into" }, STEP_INSERT, REACH_DATA },
    { { "update" }, STEP_UPDATE, REACH_DATA },
    { { "delete", "from" }, STEP_DELETE, REACH_DATA },
    { { "set", "local" }, STEP_SET, REACH_DATA },
    { { "set", "session" }, STEP_SET, REACH_DATA },
    { { "set" }, STEP_SET, REACH_DATA },
    { { "select" }, STEP_SELECT, REACH_DATA },
    { { "with" }, STEP_UNKNOWN, REACH_DATA },
    { { "grant" }, STEP_GRANT, REACH_DATA },
    { { "revoke" }, STEP_GRANT, REACH_DATA },
    { { "comment", "on" }, STEP_COMMENT, REACH_DATA },
    { { "create", "table" }, STEP_CREATE_TABLE, REACH_TABLE },
    { { "create", "type" }, STEP_CREATE_TYPE, REACH_TABLE },
    { { "alter", "table" }, STEP_UNKNOWN, REACH_TABLE },
};

/* Words between those and the name. */
static const char *const between[] = { "if", "not", "exists", "only" };

static bool
begins_with(struct lower *lower, const struct beginning *beginning, size_t *ret_count)
{
    const struct lexeme *lexemes = lower_lexemes(lower);
    size_t i = 0;

    for (; i < COUNT_OF(beginning->words) && beginning->words[i]; i++)
        if (i >= lower->lexemes.count ||
            !lex_is_word(lower->text, &lexemes[i], beginning->words[i]))
            return false;
    for (size_t k = 0; i < lower->lexemes.count && k < COUNT_OF(between); k++)
        i += lex_is_word(lower->text, &lexemes[i], between[k]);
    *ret_count = i;
    return true;
}

/* A name's part, as the server would store it. */
static const char *
part_at(struct lower *lower, const struct lexeme *lexeme)
{
    bool is_quoted = lexeme->kind == LEX_QUOTED;
    struct type folded;

    if (!is_quoted && lexeme->kind != LEX_WORD)
        return NULL;
    if (is_quoted)
        return lower_name(lower, arena_strndup(lower->ctx->arena, lower->text + lexeme->start + 1,
                                     lexeme->end - lexeme->start - 2));
    /* A schema in front keeps aliases of types from being replaced. */
    folded = type_parse(
        lower->ctx->arena, arena_printf(lower->ctx->arena, "x.%.*s",
                               (int)(lexeme->end - lexeme->start), lower->text + lexeme->start));
    return lower_name(lower, folded.name);
}

static struct object_name
name_at(struct lower *lower, size_t at)
{
    const struct lexeme *lexemes = lower_lexemes(lower);
    struct object_name name = { 0 };

    if (lexemes[at].kind == LEX_END)
        return name;
    name.name = part_at(lower, &lexemes[at]);
    if (lex_is_sign(lower->text, &lexemes[at + 1], '.') && lexemes[at + 2].kind != LEX_END) {
        name.schema = name.name;
        name.name = part_at(lower, &lexemes[at + 2]);
    }
    return name;
}

/* The kind and the table from the first words, for text of which a part is missing or too long. */
static bool
lower_beginning(struct lower *lower, const char *unknown)
{
    size_t count;

    for (size_t i = 0; i < COUNT_OF(beginnings); i++) {
        const struct beginning *beginning = &beginnings[i];

        if (!begins_with(lower, beginning, &count))
            continue;

        struct step step = lower_begin(lower, beginning->kind);
        struct object_name name = name_at(lower, count);
        bool is_about_rows = beginning->kind == STEP_INSERT || beginning->kind == STEP_UPDATE ||
                             beginning->kind == STEP_DELETE;

        if (is_about_rows || beginning->reach == REACH_TABLE)
            step.object = name;
        if (beginning->kind == STEP_SET)
            step.setting = lower_dotted(lower->ctx->arena, name);
        step.has_where = is_about_rows; /* benefit of the doubt */
        step.unknown = unknown;
        step.reach = beginning->reach == REACH_TABLE && !name.name ? REACH_ALL : beginning->reach;
        lower->has_hole = false;
        lower_end(lower, &step);
        return true;
    }
    return false;
}

static void
lower_unknown(struct lower *lower, const char *why)
{
    struct step step = lower_begin(lower, STEP_UNKNOWN);

    step.unknown = why;
    step.reach = REACH_ALL;
    lower_end(lower, &step);
}

/* "1:15: syntax error" without the place, which is that of the statement. */
static const char *
error_text(struct ctx *ctx)
{
    const char *text = ctx->error.message ? ctx->error.message : "the text does not parse";
    size_t place = strspn(text, "0123456789:");

    text = arena_strdup(ctx->arena, text[place] == ' ' ? text + place + 1 : text);
    error_clear(ctx);
    return text;
}

/* The tree of the statement; the second try is with parameters, which then are in lower->text. */
static json_t *
parse(struct lower *lower, bool *ret_is_incomplete, const char **ret_why)
{
    json_t *tree = NULL;
    const char *second;

    *ret_is_incomplete = strstr(lower->text, HOLE_NAME) != NULL;
    if (sql_parse(lower->ctx, lower->text, &tree))
        return tree;
    *ret_why = error_text(lower->ctx);
    second = text_with_parameters(lower->ctx->arena, lower->text);
    if (!second)
        return NULL;
    *ret_is_incomplete = true;
    if (sql_parse(lower->ctx, second, &tree)) {
        lower->text = second;
        lower->lexemes.count = 0;
    }
    error_clear(lower->ctx);
    return tree;
}

void
lower_text(struct lower *lower, const struct cut *cut)
{
    bool is_incomplete = false;
    const char *why = NULL;

    lower->text = cut->text;
    lower->shown = NULL;
    lower->lexemes.items = NULL;
    lower->lexemes.count = 0;
    lower->lexemes.capacity = 0;
    if (cut->is_too_complex || strlen(cut->text) > LONGEST_STATEMENT) {
        if (!lower_beginning(lower, "the statement is too long to be read"))
            lower_unknown(lower, "the statement is too long to be read");
        return;
    }

    json_t *tree CLEANUP(json_release) = parse(lower, &is_incomplete, &why);
    const json_t *first = json_array_get(json_object_get(tree, "stmts"), 0);

    if (first)
        lower_node(lower, json_object_get(first, "stmt"));
    else if (!is_incomplete || !lower_beginning(lower, UNKNOWN_PART))
        lower_unknown(lower, is_incomplete ? UNKNOWN_PART : why);
}

static struct place
place_of(const struct sql_source *source, const struct cut *cut)
{
    struct place place = source->place;

    if (!source->lines_follow || place.line == 0)
        return place;
    place.line += (uint32_t)cut->line;
    place.end_line = place.line + (uint32_t)cut->lines;
    if (cut->line > 0)
        place.column = 0;
    return place;
}

/* The evaluator changes its conditions as it walks on. */
static struct conditions
own_conditions(struct arena *arena, const struct scene *scene)
{
    struct conditions own = { 0 };

    if (!scene || !scene->conditions || scene->conditions->count == 0)
        return own;
    own.count = scene->conditions->count;
    own.capacity = own.count;
    own.items = arena_memdup(arena, scene->conditions->items, own.count * sizeof(own.items[0]));
    return own;
}

bool
steps_from_sql(struct ctx *ctx, const struct sql_source *source, struct steps *steps)
{
    struct lower lower = {
        .ctx = ctx,
        .source = source,
        .steps = steps,
        .place = source->place,
        .conditions = own_conditions(ctx->arena, source->scene),
    };
    struct cuts cuts;

    if (strnlen(source->text, LONGEST_SQL) == LONGEST_SQL) {
        lower_unknown(&lower, "the text is too long to be read");
        return true;
    }
    text_cut(ctx->arena, text_with_names_for_holes(ctx->arena, source->text), &cuts);
    for (size_t i = 0; i < cuts.count; i++) {
        lower.place = place_of(source, &cuts.items[i]);
        lower_text(&lower, &cuts.items[i]);
    }
    return true;
}
