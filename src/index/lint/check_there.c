/* Names: who has the index's name already, and what IF NOT EXISTS would make of it. */
#include "index/lint/check.h"

enum { LONGEST_NAME = 63 };

/* The bytes of a name as written, without its quotes; two quotes stand for one. */
static size_t
written_length(const struct lint_statement *statement)
{
    size_t length = statement->written_name.end - statement->written_name.start;
    const char *text = statement->text + statement->written_name.start;

    if (length < 2 || text[0] != '"')
        return length;
    length -= 2;
    for (size_t i = 1; text + i + 1 < statement->text + statement->written_name.end; i++) {
        if (text[i] == '"' && text[i + 1] == '"') {
            length--;
            i++;
        }
    }
    return length;
}

static void
check_twice_in_script(const struct lint_check *check)
{
    const struct lint_script *script = &check->lint->script;

    for (size_t i = 0; i < check->position; i++) {
        const struct lint_statement *other = &script->items[i];
        struct finding *finding;

        if (other->kind != LINT_INDEX || !text_equal(other->name, check->statement->name) ||
            !text_equal(check->lint->indexes[i].relation.schema, check->index->relation.schema))
            continue;
        finding = lint_tell(check, LINT_NAME_TWICE, NULL, "the name %s is used already in line %u",
            check->statement->name, other->place.line);
        if (finding)
            finding_related(&check->lint->findings, finding, other->place, "first used here");
        return;
    }
}

static void
tell_other_index(const struct lint_check *check, const struct sql_catalog_index *there)
{
    const char *name = check->statement->name;
    enum lint_rule rule =
        check->statement->if_not_exists.end > 0 ? LINT_EXISTS_OTHERWISE : LINT_NAME_TAKEN;
    struct finding *finding = lint_tell(check, rule, NULL, "%s is there as another index: ON %s %s",
        name, there->table_name, there->definition);

    if (finding)
        finding->instead = arena_printf(check->ctx->arena,
            "Choose another name; when the new index serves instead: DROP INDEX CONCURRENTLY %s;",
            name);
}

static void
judge_name(const struct lint_check *check, const struct sql_catalog_index *there)
{
    const struct lint_index *index = check->index;
    const char *name = check->statement->name;
    bool is_same = there->table_oid == index->relation.oid && index->is_tried &&
                   !index->trial.problem && text_equal(there->definition, index->trial.built) &&
                   there->is_unique == check->statement->is_unique;
    struct finding *finding;

    if (there->table_oid == 0) {
        lint_tell(check, LINT_NAME_TAKEN, NULL, "the name %s belongs to another relation", name);
    } else if (there->is_building) {
        lint_tell(check, LINT_EXISTS, NULL, "%s is being built right now", name);
    } else if (!there->is_valid || !there->is_ready) {
        finding = lint_tell(check, LINT_LEFT_OVER, NULL,
            "an INVALID %s is there, the rest of a build that failed%s", name,
            check->statement->if_not_exists.end > 0 ? ": IF NOT EXISTS takes it for done" : "");
        if (finding)
            finding->instead = arena_printf(check->ctx->arena,
                "DROP INDEX CONCURRENTLY %s; or pgmend index apply --drop-invalid %s.", name, name);
    } else if (is_same || (!index->is_tried && there->table_oid == index->relation.oid)) {
        lint_tell(check, LINT_EXISTS, NULL, "%s is there already, as it is wanted", name);
    } else {
        tell_other_index(check, there);
    }
}

/* IF NOT EXISTS is one habit of the whole script: it is told once, where it begins. */
static void
check_words(const struct lint_check *check)
{
    const struct lint_script *script = &check->lint->script;
    size_t count = 0;
    bool is_first = true;

    if (check->statement->if_not_exists.end == 0)
        return;
    for (size_t i = 0; i < script->count; i++) {
        bool has_words = script->items[i].if_not_exists.end > 0;

        count += has_words;
        if (has_words && i < check->position)
            is_first = false;
    }
    if (!is_first) {
        const struct lint_told told = { .rule = LINT_IF_NOT_EXISTS };

        VEC_PUSH(check->ctx->arena, &check->index->told, told);
        return;
    }
    lint_tell(check, LINT_IF_NOT_EXISTS, NULL,
        count == 1 ? "%zu statement has IF NOT EXISTS, which looks at the name alone"
                   : "%zu statements have IF NOT EXISTS, which looks at the name alone",
        count);
}

static void
check_schema(const struct lint_check *check)
{
    const struct facts *facts = &check->lint->facts;
    struct text_list schemas = { 0 };

    if (check->statement->schema)
        return;
    for (size_t i = 0; i < facts->count; i++)
        if (text_equal(facts->items[i].name, check->statement->relation))
            text_list_add(check->ctx->arena, &schemas, facts->items[i].schema);
    if (schemas.count > 1)
        lint_tell(check, LINT_AMBIGUOUS, NULL,
            "%s is in schemas %s: this role's search_path takes %s", check->statement->relation,
            text_list_join(check->ctx->arena, &schemas, ", "), check->index->relation.schema);
}

/* ALTER INDEX … ATTACH PARTITION further down makes the index of the partitioned table valid. */
static bool
gets_partitions(const struct lint_check *check)
{
    const struct lint_script *script = &check->lint->script;

    for (size_t i = check->position; i < script->count; i++)
        if (script->items[i].kind == LINT_ATTACH &&
            text_list_has(&script->items[i].made, check->statement->name))
            return true;
    return false;
}

bool
lint_check_there(struct lint_check *check)
{
    const struct lint_statement *statement = check->statement;
    struct sql_catalog_index_rows rows;

    check_words(check);
    if (statement->in_transaction && statement->concurrently.end > 0)
        lint_tell(check, LINT_IN_TRANSACTION, NULL,
            "%s is built CONCURRENTLY between BEGIN and COMMIT, where the server refuses it",
            statement->name ? statement->name : "an index");
    if (!statement->name && !statement->problem)
        lint_tell(
            check, LINT_NO_NAME, NULL, "the index has no name: without one it cannot be undone");
    if (!statement->name || !check->index->is_found)
        return true;
    if (written_length(statement) > LONGEST_NAME)
        lint_tell(check, LINT_LONG_NAME, NULL, "the name has %zu bytes and would be cut to %d: %s",
            written_length(statement), (int)LONGEST_NAME, statement->name);
    if (statement->is_only && check->index->relation.kind[0] == 'p' && !gets_partitions(check))
        lint_tell(check, LINT_ONLY, NULL, "ON ONLY %s builds no index that can be used",
            statement->table);
    check_schema(check);
    check_twice_in_script(check);
    /* Of a refused statement it does not matter who has its name. */
    if (check->index->is_out)
        return true;
    if (!sql_catalog_index(check->ctx, check->db, &rows, .schema = check->index->relation.schema,
            .name = statement->name))
        return false;
    if (rows.count == 1 && !lint_is_made_before(check, LINT_DROP, statement->name))
        judge_name(check, &rows.items[0]);
    return true;
}
