#include "index/lint/statement.h"

#include "base/file.h"
#include "base/json.h"
#include "lang/sql.h"

enum { MOST_BYTES = 64 << 20 };

struct node_kind {
    const char *node; /* libpg_query's name */
    enum lint_kind kind;
};

static const struct node_kind node_kinds[] = {
    { "IndexStmt", LINT_INDEX },
    { "SelectStmt", LINT_QUERY },
    { "UpdateStmt", LINT_QUERY },
    { "DeleteStmt", LINT_QUERY },
    { "DoStmt", LINT_BLOCK },
    { "CreateFunctionStmt", LINT_ROUTINE },
    { "CreateStmt", LINT_RELATION },
    { "CreateTableAsStmt", LINT_RELATION },
    { "CreateForeignTableStmt", LINT_RELATION },
    { "ViewStmt", LINT_RELATION },
    { "CreateExtensionStmt", LINT_EXTENSION },
};

#define LINT_KIND_NAME(kind, name) [kind] = name,
static const char *const kind_names[] = { LINT_KINDS(LINT_KIND_NAME) };

const char *
lint_kind_name(enum lint_kind kind)
{
    return kind_names[kind];
}

static enum lint_kind
kind_of(const char *name, const json_t *node)
{
    const char *transaction = json_string_value(json_object_get(node, "kind"));

    for (size_t i = 0; i < COUNT_OF(node_kinds); i++)
        if (text_equal(name, node_kinds[i].node))
            return node_kinds[i].kind;
    if (!text_equal(name, "TransactionStmt"))
        return LINT_OTHER;
    if (text_equal(transaction, "TRANS_STMT_BEGIN") || text_equal(transaction, "TRANS_STMT_START"))
        return LINT_BEGIN;
    if (text_equal(transaction, "TRANS_STMT_COMMIT") ||
        text_equal(transaction, "TRANS_STMT_ROLLBACK"))
        return LINT_COMMIT;
    return LINT_OTHER;
}

/* CREATE TABLE, CREATE TABLE AS, CREATE VIEW: where the name stands differs. */
static void
read_made(struct arena *arena, const json_t *node, struct lint_statement *statement)
{
    const json_t *relation = json_object_get(node, "relation");
    const char *name;

    if (!relation)
        relation = json_object_get(node, "view");
    if (!relation)
        relation = json_object_get(json_object_get(node, "into"), "rel");
    if (!relation) /* a foreign table has a table inside */
        relation = json_object_get(json_object_get(node, "base"), "relation");
    name = json_get_text(arena, relation, "relname", json_get_text(arena, node, "extname", NULL));
    if (name)
        text_list_add(arena, &statement->made, name);
}

static void
read_tree(struct ctx *ctx, const json_t *tree, struct lint_statement *statement)
{
    json_t *outer = json_object_get(json_array_get(json_object_get(tree, "stmts"), 0), "stmt");
    void *member = json_object_iter(outer);
    const json_t *node = member ? json_object_iter_value(member) : NULL;

    statement->kind = member ? kind_of(json_object_iter_key(member), node) : LINT_OTHER;
    switch (statement->kind) {
    case LINT_INDEX:
        (void)lint_read_head(ctx, statement);
        lint_read_index(ctx, node, statement);
        break;
    case LINT_QUERY:
        statement->query = (struct lint_query){
            .source = arena_printf(ctx->arena, "line %u", statement->place.line),
            .place = statement->place,
        };
        lint_read_query(ctx, node, &statement->query);
        break;
    case LINT_BLOCK:
    case LINT_ROUTINE:
        lint_read_block(ctx, node, statement);
        break;
    case LINT_RELATION:
    case LINT_EXTENSION:
        read_made(ctx->arena, node, statement);
        break;
    case LINT_BEGIN:
    case LINT_COMMIT:
    case LINT_OTHER:
    case LINT_BROKEN:
    case LINT_KIND_COUNT:
        break;
    }
}

static void
read_statement(struct ctx *ctx, struct lint_statement *statement)
{
    json_t *tree CLEANUP(json_release) = NULL;

    if (sql_parse(ctx, statement->text, &tree)) {
        read_tree(ctx, tree, statement);
        return;
    }
    statement->problem = ctx->error.message;
    error_clear(ctx);
    statement->kind = lint_read_head(ctx, statement) ? LINT_INDEX : LINT_BROKEN;
}

static uint32_t
lines_in(const char *text)
{
    uint32_t lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

/* "-- pgmend: ignore RULE -- why", of the line it stands in and the next one. */
static void
read_ignore(struct arena *arena, const char *comment, uint32_t line, struct lint_script *script)
{
    static const char mark[] = "pgmend: ignore ";
    const char *at = comment + strspn(comment, "-/* \t");
    size_t length;
    const char *why;

    if (!text_starts_with(at, mark))
        return;
    at += sizeof(mark) - 1;
    length = strcspn(at, " \t\r\n*");
    why = at + length + strspn(at + length, " \t-");

    const struct lint_ignore ignore = {
        .line = line,
        .rule = arena_strndup(arena, at, length),
        .reason = *why && *why != '*' ? arena_strndup(arena, why, strcspn(why, "\r\n*")) : NULL,
    };

    VEC_PUSH(arena, &script->ignores, ignore);
}

static void
read_ignores(struct ctx *ctx, struct lint_script *script)
{
    struct sql_tokens tokens;
    uint32_t line = 1;
    size_t seen = 0;

    if (!strstr(script->text, "pgmend: ignore") || !sql_tokens(ctx, script->text, &tokens)) {
        error_clear(ctx);
        return;
    }
    for (size_t i = 0; i < tokens.count; i++) {
        const struct sql_token *token = &tokens.items[i];

        if (token->kind != SQL_COMMENT)
            continue;
        for (; seen < token->start; seen++)
            line += script->text[seen] == '\n';
        read_ignore(ctx->arena,
            arena_strndup(ctx->arena, script->text + token->start, token->end - token->start), line,
            script);
    }
}

bool
lint_script_parse(
    struct ctx *ctx, const char *file, const char *text, size_t length, struct lint_script *ret)
{
    struct sql_statements statements;
    bool in_transaction = false;

    *ret = (struct lint_script){ .file = file, .text = text, .length = length };
    if (strlen(text) != length)
        return error_set(ctx, ERR_INPUT, "%s is not an SQL script: it holds a NUL byte", file);
    if (!text_is_utf8(text)) {
        error_set(ctx, ERR_INPUT, "%s is not UTF-8", file);
        return error_hint(ctx, "Convert it, for example with iconv.");
    }
    if (!sql_split(ctx, file, text, &statements))
        return false;
    if (statements.count == 0)
        return error_set(ctx, ERR_INPUT, "%s holds no statement", file);
    for (size_t i = 0; i < statements.count; i++) {
        const struct sql_statement *from = &statements.items[i];
        struct lint_statement statement = {
            .text = from->text,
            .offset = from->offset,
            .place = { file, (uint32_t)from->line, (uint32_t)from->column,
                (uint32_t)from->line + lines_in(from->text) },
        };

        read_statement(ctx, &statement);
        if (statement.kind == LINT_BEGIN || statement.kind == LINT_COMMIT)
            in_transaction = statement.kind == LINT_BEGIN;
        statement.in_transaction = in_transaction;
        VEC_PUSH(ctx->arena, ret, statement);
    }
    read_ignores(ctx, ret);
    return true;
}

bool
lint_script_read(struct ctx *ctx, const char *path, struct lint_script *ret)
{
    size_t length;
    const char *text;

    if (!file_read_most(
            ctx, text_equal(path, "-") ? "/dev/stdin" : path, MOST_BYTES, &text, &length))
        return error_wrap(ctx, "reading the script");
    return lint_script_parse(ctx, text_equal(path, "-") ? "-" : path, text, length, ret);
}
