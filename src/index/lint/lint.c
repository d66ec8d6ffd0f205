#include "index/lint/lint.h"

#include "index/lint/check.h"

bool
lint_must_stop(const struct lint_check *check)
{
    enum error_kind kind = check->ctx->error.kind;

    return kind == ERR_CONNECTION || kind == ERR_INTERRUPTED || kind == ERR_TERMINATED ||
           !db_is_connected(check->db);
}

bool
lint_has_name(const struct lint *lint, const char *kind, const char *name)
{
    for (size_t i = 0; i < lint->names.count; i++)
        if (text_equal(lint->names.items[i].kind, kind) &&
            text_equal(lint->names.items[i].name, name))
            return true;
    return false;
}

const char *
lint_did_you_mean(struct arena *arena, const char *name, const char *const *names, size_t count)
{
    size_t most = (strlen(name) + 2) / 3; /* a swapped pair of letters counts as two */
    size_t least = SIZE_MAX;
    const char *nearest = NULL;

    for (size_t i = 0; i < count; i++) {
        size_t distance = text_distance(name, names[i]);

        if (distance < least) {
            least = distance;
            nearest = names[i];
        }
    }
    return nearest && least <= most ? arena_printf(arena, " (did you mean %s?)", nearest) : "";
}

bool
lint_has_told(const struct lint_index *index, enum lint_rule rule)
{
    for (size_t i = 0; i < index->told.count; i++)
        if (index->told.items[i].rule == rule)
            return true;
    return false;
}

/* The comment that silences a rule for this statement; NULL: none. */
static const struct lint_ignore *
ignore_of(const struct lint_check *check, const char *id)
{
    const struct place *place = &check->statement->place;

    for (size_t i = 0; i < check->lint->script.ignores.count; i++) {
        const struct lint_ignore *ignore = &check->lint->script.ignores.items[i];

        if (text_equal(ignore->rule, id) && ignore->line + 1 >= place->line &&
            ignore->line <= place->end_line)
            return ignore;
    }
    return NULL;
}

static bool
is_wanted(const struct lint_options *options, const char *id)
{
    return (!options->rules || options->rules->count == 0 || text_list_has(options->rules, id)) &&
           !(options->without_rules && text_list_has(options->without_rules, id));
}

struct finding *
lint_tell(
    const struct lint_check *check, enum lint_rule rule, const char *word, const char *format, ...)
{
    const struct rule *row = lint_rule(rule);
    const struct lint_ignore *ignore = ignore_of(check, row->id);
    struct lint_told told = { .rule = rule };
    struct finding *finding;
    struct place place;
    va_list args;

    va_start(args, format);
    told.message = arena_vprintf(check->ctx->arena, format, args);
    va_end(args);
    if (row->severity == SEVERITY_ERROR && lint_rule_mend(row) == MEND_OUT)
        check->index->is_out = true;
    if (!is_wanted(check->options, row->id))
        return NULL;
    if (!ignore)
        VEC_PUSH(check->ctx->arena, &check->index->told, told);
    place = word ? lint_place_of(check->ctx, check->statement, word) : check->statement->place;
    place.end_line = check->statement->place.end_line;
    finding = finding_add(&check->lint->findings, row, place, "%s", told.message);
    finding->object = check->statement->name;
    if (ignore)
        finding->silenced =
            ignore->reason ? ignore->reason
                           : arena_printf(check->ctx->arena, "ignored in line %u", ignore->line);
    return finding;
}

/* A statement beside the indexes: blocks hide some, queries tell about them, the rest is left alone. */
static void
check_other(struct lint_check *check)
{
    const struct lint_statement *statement = check->statement;
    const char *what = statement->kind == LINT_BLOCK ? "a DO block" : "a function";

    switch (statement->kind) {
    case LINT_BLOCK:
    case LINT_ROUTINE:
        if (statement->inner.count > 0 && statement->has_concurrently) {
            lint_tell(check, LINT_IN_BLOCK, NULL,
                "%s creates an index CONCURRENTLY, which the server refuses when it comes to it",
                what);
            return;
        }
        if (statement->inner.count > 0 && statement->kind == LINT_BLOCK) {
            lint_tell(check, LINT_NOT_CONCURRENT, NULL,
                "%s creates an index while writes to its table wait", what);
            return;
        }
        lint_tell(check, LINT_NO_INDEX, NULL, "%s is left alone%s", what,
            statement->inner.count > 0 ? ", though it creates an index" : "");
        return;
    case LINT_BROKEN:
        lint_tell_syntax(check, statement->problem);
        return;
    case LINT_OTHER:
    case LINT_RELATION:
    case LINT_EXTENSION:
    case LINT_COLUMN_ADD:
    case LINT_DROP:
        lint_tell(check, LINT_NO_INDEX, NULL, "the statement is left alone: it creates no index");
        return;
    case LINT_INDEX:
    case LINT_ATTACH:
    case LINT_QUERY:
    case LINT_BEGIN:
    case LINT_COMMIT:
    case LINT_KIND_COUNT:
        return;
    }
}

/* Queries of the script, then those of the workload. */
static void
collect_queries(struct lint_check *check, struct lint_queries *ret)
{
    const struct lint_script *script = &check->lint->script;
    const struct intake *workload = check->options->workload;

    for (size_t i = 0; i < script->count; i++)
        if (script->items[i].kind == LINT_QUERY)
            VEC_PUSH(check->ctx->arena, ret, &script->items[i].query);
    for (size_t i = 0; workload && i < workload->count; i++) {
        struct lint_query *query = ARENA_NEW(check->ctx->arena, struct lint_query);

        if (workload->items[i].problem)
            continue;
        query->source = "a statement of the workload";
        if (lint_read_query_text(check->ctx, workload->items[i].text, query))
            VEC_PUSH(check->ctx->arena, ret, query);
        else
            error_clear(check->ctx);
    }
}

/* Calls one check for every statement that creates an index and is still of interest. */
typedef bool lint_look(struct lint_check *check, const struct lint_queries *queries);

static bool
for_each(struct lint_check *check, const struct lint_queries *queries, bool with_refused,
    lint_look *look)
{
    struct lint *lint = check->lint;

    for (size_t i = 0; i < lint->script.count; i++) {
        check->position = i;
        check->statement = &lint->script.items[i];
        check->index = &lint->indexes[i];
        if (check->statement->kind != LINT_INDEX)
            continue;
        if (!with_refused && (check->index->is_out || check->index->is_unchecked ||
                                 lint_has_told(check->index, LINT_EXISTS)))
            continue;
        if (!look(check, queries))
            return error_wrap(check->ctx, "%s:%u", lint->script.file, check->statement->place.line);
    }
    return true;
}

static bool
look_refused(struct lint_check *check, const struct lint_queries *queries)
{
    (void)queries;
    check->lint->index_count++;
    lint_check_refused(check);
    return lint_check_there(check);
}

static bool
look_rows(struct lint_check *check, const struct lint_queries *queries)
{
    (void)queries;
    return lint_check_rows(check);
}

static bool
look_twice(struct lint_check *check, const struct lint_queries *queries)
{
    (void)queries;
    return lint_check_twice(check);
}

static bool
look_use(struct lint_check *check, const struct lint_queries *queries)
{
    return lint_check_use(check, queries);
}

static bool
check_all(struct lint_check *check)
{
    struct lint *lint = check->lint;
    struct lint_queries queries = { 0 };

    collect_queries(check, &queries);
    for (size_t i = 0; i < lint->script.count; i++) {
        check->position = i;
        check->statement = &lint->script.items[i];
        check->index = &lint->indexes[i];
        check_other(check);
    }
    return lint_try_all(check) && for_each(check, &queries, true, look_refused) &&
           for_each(check, &queries, false, look_rows) &&
           for_each(check, &queries, false, look_twice) &&
           for_each(check, &queries, false, look_use) && lint_measure(check);
}

bool
lint_run(struct ctx *ctx, struct db *db, const struct lint_script *script,
    const struct lint_options *options, struct lint *ret)
{
    struct lint_check check = { .ctx = ctx, .db = db, .options = options, .lint = ret };

    *ret = (struct lint){
        .script = *script,
        .indexes = ARENA_ARRAY(ctx->arena, struct lint_index, script->count),
        .findings.arena = ctx->arena,
    };
    /* Every trial would be an entry of its own there, and push out the user's; not everyone may say so. */
    if (!db_set(ctx, db, "pg_stat_statements.track", "none")) {
        if (lint_must_stop(&check))
            return false;
        error_clear(ctx);
    }
    if (!facts_load(ctx, db, &(const struct facts_options){ .has_values = true }, &ret->facts) ||
        !sql_index_lint_names(ctx, db, &ret->names) ||
        !sql_index_lint_classes(ctx, db, &ret->classes) || !check_all(&check))
        return error_wrap(ctx, "checking the script");
    findings_sort(&ret->findings);
    return true;
}
