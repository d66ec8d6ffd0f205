/* What the server refuses: by the catalogue, so that names can be suggested, then by trying it. */
#include <inttypes.h>
#include <stdio.h>

#include "index/lint/check.h"

/* Of CREATE INDEX only a function that is not immutable has it: invalid_object_definition. */
#define INVALID_OBJECT_DEFINITION "42P17"

/* Whose extension an operator class or access method comes with. */
static const struct provider {
    const char *part;
    const char *extension;
} providers[] = {
    { "_trgm_ops", "pg_trgm" },
    { "ivfflat", "vector" },
    { "hnsw", "vector" },
    { "vector_", "vector" },
    { "halfvec_", "vector" },
    { "sparsevec_", "vector" },
    { "gist_ltree_ops", "ltree" },
    { "gist_hstore_ops", "hstore" },
    { "gin_hstore_ops", "hstore" },
    { "bloom", "bloom" },
};

static const char *
provider_of(const struct lint *lint, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(providers); i++)
        if (strstr(name, providers[i].part) &&
            !lint_has_name(lint, "extension", providers[i].extension))
            return providers[i].extension;
    return NULL;
}

bool
lint_is_made_before(const struct lint_check *check, enum lint_kind kind, const char *name)
{
    const struct lint_script *script = &check->lint->script;
    bool is_made = false;

    for (size_t i = 0; i < check->position; i++) {
        const struct lint_statement *other = &script->items[i];

        if (other->kind != kind || !text_list_has(&other->made, name) ||
            (kind == LINT_COLUMN_ADD && !text_equal(other->altered, check->statement->relation)))
            continue;
        check->lint->indexes[i].is_needed = true;
        is_made = true;
    }
    return is_made;
}

/* Whether the statement needs a column or an extension that the script makes before it. */
static bool
needs_earlier(const struct lint_check *check)
{
    const struct lint_statement *statement = check->statement;
    const struct fact_table *table = check->index->table;
    bool needs = false;

    for (size_t i = 0; i < statement->columns.count; i++)
        needs |= !(table && facts_column(table, statement->columns.items[i])) &&
                 lint_is_made_before(check, LINT_COLUMN_ADD, statement->columns.items[i]);
    for (size_t i = 0; i < statement->opclasses.count; i++) {
        const char *extension = provider_of(check->lint, statement->opclasses.items[i]);

        needs |= extension && lint_is_made_before(check, LINT_EXTENSION, extension);
    }
    if (!lint_has_name(check->lint, "method", statement->method)) {
        const char *extension = provider_of(check->lint, statement->method);

        needs |= extension && lint_is_made_before(check, LINT_EXTENSION, extension);
    }
    return needs;
}

static void
note_unchecked(const struct lint_check *check, const char *what)
{
    text_list_add(check->ctx->arena, &check->lint->notes,
        arena_printf(check->ctx->arena, "Line %u is not checked: the script itself makes %s.",
            check->statement->place.line, what));
    check->index->is_unchecked = true;
}

static void
tell_extension(
    const struct lint_check *check, const char *what, const char *name, const char *extension)
{
    struct arena *arena = check->ctx->arena;
    struct finding *finding = lint_tell(check, LINT_NO_EXTENSION, name,
        "%s %s comes with extension %s, which is not installed in this database", what, name,
        extension);

    if (finding)
        finding->instead =
            lint_has_name(check->lint, "available", extension)
                ? arena_printf(arena, "CREATE EXTENSION %s;", extension)
                : arena_printf(arena,
                      "Install the server's package of %s, then CREATE EXTENSION %s;", extension,
                      extension);
}

static const char *
nearest_name(const struct lint_check *check, const char *kind, const char *name)
{
    struct text_list names = { 0 };

    for (size_t i = 0; i < check->lint->names.count; i++)
        if (text_equal(check->lint->names.items[i].kind, kind))
            text_list_add(check->ctx->arena, &names, check->lint->names.items[i].name);
    return lint_did_you_mean(check->ctx->arena, name, names.items, names.count);
}

static void
tell_no_table(const struct lint_check *check)
{
    const struct lint_statement *statement = check->statement;
    const struct facts *facts = &check->lint->facts;
    struct text_list names = { 0 };

    if (statement->schema && !lint_has_name(check->lint, "schema", statement->schema)) {
        lint_tell(check, LINT_SCHEMA, NULL, "there is no schema %s%s", statement->schema,
            nearest_name(check, "schema", statement->schema));
        return;
    }
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact_table *table = &facts->items[i];

        if (!statement->schema && text_equal(statement->relation, table->name)) {
            lint_tell(check, LINT_TABLE, NULL,
                "there is no table %s in this role's search_path (did you mean %s.%s?)",
                statement->table, table->schema, table->name);
            return;
        }
        if (!statement->schema || text_equal(statement->schema, table->schema))
            text_list_add(check->ctx->arena, &names, table->name);
    }
    lint_tell(check, LINT_TABLE, NULL, "there is no table %s%s", statement->table,
        lint_did_you_mean(check->ctx->arena, statement->relation, names.items, names.count));
}

/* Other tables of the schema that have such a column, when they are few enough to be meant. */
static const char *
tables_with(const struct lint_check *check, const char *column)
{
    enum { MOST_TABLES = 2 };
    const struct facts *facts = &check->lint->facts;
    struct text_list tables = { 0 };

    for (size_t i = 0; i < facts->count; i++)
        if (text_equal(facts->items[i].schema, check->index->table->schema) &&
            facts_column(&facts->items[i], column))
            text_list_add(check->ctx->arena, &tables, facts->items[i].name);
    if (tables.count == 0 || tables.count > MOST_TABLES)
        return "";
    return arena_printf(check->ctx->arena, "; %s %s one",
        text_list_join(check->ctx->arena, &tables, " and "), tables.count == 1 ? "has" : "have");
}

static void
check_columns(const struct lint_check *check)
{
    static const char *const of_system[] = { "ctid", "tableoid", "xmin", "xmax", "cmin", "cmax" };
    const struct fact_table *table = check->index->table;
    struct text_list names = { 0 };

    if (!table)
        return;
    for (size_t i = 0; i < table->column_count; i++)
        text_list_add(check->ctx->arena, &names, table->columns[i].name);
    for (size_t i = 0; i < check->statement->columns.count; i++) {
        const char *column = check->statement->columns.items[i];
        const char *suggestion;
        bool is_known = facts_column(table, column) || text_equal(column, table->name);

        for (size_t k = 0; k < COUNT_OF(of_system); k++)
            is_known |= text_equal(column, of_system[k]);
        if (is_known)
            continue;
        suggestion = lint_did_you_mean(check->ctx->arena, column, names.items, names.count);
        lint_tell(check, LINT_COLUMN, column, "%s has no column %s%s", table->name, column,
            *suggestion ? suggestion : tables_with(check, column));
    }
}

static bool
has_class(const struct lint *lint, const char *method, const char *name)
{
    for (size_t i = 0; i < lint->classes.count; i++)
        if (text_equal(lint->classes.items[i].name, name) &&
            (!method || text_equal(lint->classes.items[i].method, method)))
            return true;
    return false;
}

static void
check_classes(const struct lint_check *check)
{
    const struct lint *lint = check->lint;
    const char *method = check->statement->method;
    struct text_list names = { 0 };

    for (size_t i = 0; i < lint->classes.count; i++)
        if (text_equal(lint->classes.items[i].method, method))
            text_list_add(check->ctx->arena, &names, lint->classes.items[i].name);
    for (size_t i = 0; i < check->statement->opclasses.count; i++) {
        const char *name = check->statement->opclasses.items[i];
        const char *extension = provider_of(lint, name);

        if (has_class(lint, method, name))
            continue;
        if (extension && !has_class(lint, NULL, name))
            tell_extension(check, "operator class", name, extension);
        else
            lint_tell(check, LINT_CLASS, name, "%s has no operator class %s%s", method, name,
                lint_did_you_mean(check->ctx->arena, name, names.items, names.count));
    }
}

static bool
check_method(const struct lint_check *check)
{
    const char *method = check->statement->method;
    const char *extension;

    if (lint_has_name(check->lint, "method", method))
        return true;
    extension = provider_of(check->lint, method);
    if (extension)
        tell_extension(check, "access method", method, extension);
    else
        lint_tell(check, LINT_METHOD, method, "there is no access method %s%s", method,
            nearest_name(check, "method", method));
    return false;
}

/* Everything whose name can be looked up; the table is there. */
static void
check_names(const struct lint_check *check)
{
    const struct lint_statement *statement = check->statement;

    check_columns(check);
    if (check_method(check))
        check_classes(check);
    if (statement->tablespace && !lint_has_name(check->lint, "tablespace", statement->tablespace))
        lint_tell(check, LINT_TABLESPACE, statement->tablespace, "there is no tablespace %s%s",
            statement->tablespace, nearest_name(check, "tablespace", statement->tablespace));
    if (statement->has_subquery)
        lint_tell(check, LINT_SUBQUERY, NULL, "%s has a subquery, which no index can hold",
            statement->name ? statement->name : "the index");
}

/* "2:5: …": bytes behind the second colon, 0 when the words do not begin with a place. */
static size_t
read_place(const char *words, uint32_t *ret_line, uint32_t *ret_column)
{
    char *middle;
    char *end;
    unsigned long line = strtoul(words, &middle, 10);
    unsigned long column;

    if (middle == words || *middle != ':')
        return 0;
    column = strtoul(middle + 1, &end, 10);
    if (end == middle + 1 || *end != ':')
        return 0;
    *ret_line = (uint32_t)line;
    *ret_column = (uint32_t)column;
    return (size_t)(end + 1 - words);
}

void
lint_tell_syntax(const struct lint_check *check, const char *words)
{
    uint32_t line = 0, column = 0;
    size_t start = read_place(words, &line, &column);
    /* Our own grammar's words begin with the place, which is told beside. */
    const char *told = words + start + (start > 0 ? strspn(words + start, " ") : 0);
    struct finding *finding = lint_tell(check, LINT_SYNTAX, NULL, "it cannot be read: %s", told);

    if (!finding)
        return;
    if (read_place(check->statement->problem, &line, &column) > 0 && line > 0) {
        finding->place.column = line == 1 ? finding->place.column + column - 1 : column;
        finding->place.line += line - 1;
    }
    finding->instead =
        check->statement->rest && strstr(check->statement->rest, "::")
            ? "A cast is an expression and needs parentheses of its own: ((column::type))."
        : check->statement->rest
            ? "Correct it where the error points; an expression needs parentheses of its own: "
              "((a || b))."
            : "Correct it where the error points; a reserved word needs double quotes as a name.";
}

/* Behind "the server refuses it: ". */
static const char *
server_words(const char *problem)
{
    static const char start[] = "the server refuses it: ";

    return text_starts_with(problem, start) ? problem + sizeof(start) - 1 : problem;
}

static void
tell_refusal(const struct lint_check *check)
{
    const char *words = server_words(check->index->trial.problem);
    struct finding *finding;

    if (check->index->is_out) {
        /* Said already, in words that name the remedy; the server's are kept beside. */
        finding = check->lint->findings.count > 0
                      ? &check->lint->findings.items[check->lint->findings.count - 1]
                      : NULL;
        if (finding && finding->place.file && text_equal(finding->object, check->statement->name))
            finding_evidence(&check->lint->findings, finding, "server", words);
        return;
    }
    if (check->statement->problem) {
        lint_tell_syntax(check, words);
        return;
    }
    if (text_equal(check->index->trial.sqlstate, INVALID_OBJECT_DEFINITION)) {
        lint_tell(check, LINT_NOT_IMMUTABLE, NULL,
            "its value depends on time, time zone or settings: %s", words);
        return;
    }
    finding = lint_tell(check, LINT_REFUSED, NULL, "%s", words);
    if (finding && check->index->trial.remedy)
        finding->instead = check->index->trial.remedy;
}

/* What the server said when it was tried. */
static void
tell_trial(const struct lint_check *check)
{
    const struct lint_statement *statement = check->statement;
    struct lint_index *index = check->index;

    if (!index->is_tried) {
        lint_form_read(check->ctx, statement->rest, &index->form);
        if (statement->problem && !index->is_out)
            lint_tell_syntax(check, statement->problem);
        return;
    }
    if (index->trial.problem) {
        tell_refusal(check);
        return;
    }
    lint_form_read(check->ctx, index->trial.built, &index->form);
    if (statement->problem)
        lint_tell(check, LINT_GRAMMAR, NULL,
            "the server takes it, but pgmend's grammar does not know it: %s", statement->problem);
}

static const char *
kind_words(char kind)
{
    return kind == 'v'                  ? "a view"
           : kind == 'f'                ? "a foreign table"
           : kind == 'S'                ? "a sequence"
           : kind == 'c'                ? "a type"
           : kind == 'i' || kind == 'I' ? "an index"
                                        : "no table";
}

void
lint_check_refused(struct lint_check *check)
{
    const struct lint_statement *statement = check->statement;
    struct lint_index *index = check->index;
    char kind;

    if (!index->is_found) {
        if (statement->problem)
            lint_tell_syntax(check, statement->problem);
        else if (lint_is_made_before(check, LINT_RELATION, statement->relation))
            note_unchecked(check, statement->table);
        else
            tell_no_table(check);
        index->is_out = true;
        return;
    }
    kind = index->relation.kind[0];
    if (kind != 'r' && kind != 'p' && kind != 'm') {
        lint_tell(check, LINT_NOT_TABLE, NULL, "%s is %s and can have no index", statement->table,
            kind_words(kind));
        return;
    }
    if (!statement->problem && needs_earlier(check)) {
        note_unchecked(check, "a column or extension that it needs");
        return;
    }
    if (text_equal(index->relation.schema, "pg_catalog")) {
        lint_tell(check, LINT_NOT_TABLE, NULL, "%s is a system catalog, which gets no index",
            statement->table);
        return;
    }
    if (!statement->problem)
        check_names(check);
    if (kind == 'p' && statement->concurrently.end > 0 && !statement->is_only)
        lint_tell(check, LINT_PARTITIONED, NULL,
            "%s is partitioned: its index cannot be built CONCURRENTLY", statement->table);
    /* The trial's copy bears the table's name, so it cannot tell the two apart. */
    if (text_equal(statement->name, index->relation.name)) {
        lint_tell(check, LINT_NAME_TAKEN, NULL, "the name %s is the table's own", statement->name);
        return;
    }
    tell_trial(check);
}
