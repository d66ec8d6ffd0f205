#include "index/script.h"

#include "base/file.h"
#include "base/text.h"
#include "lang/sql.h"

enum { LONGEST_NAME = 63 };

/* What a statement is, when it is not a CREATE INDEX: libpg_query's name of the node. */
struct refusal {
    const char *node;
    const char *problem;
    const char *remedy;
};

static const struct refusal refusals[] = {
    { "DoStmt", "a DO block cannot build an index CONCURRENTLY: it is a transaction of its own",
        "write the CREATE INDEX as a statement of its own" },
    { "TransactionStmt",
        "BEGIN and COMMIT have no place here: CONCURRENTLY cannot run inside a "
        "transaction",
        "remove it: pgmend runs every statement by itself" },
    { "DropStmt", "a DROP is not an index to build", "see \"pgmend rollback\" for undoing" },
    { "IndexStmt", NULL, NULL },
};

static const char *
reason_before(struct ctx *ctx, const char *script, size_t offset)
{
    size_t line = offset;
    const char *reason = NULL;

    /* The comment lines that stand directly above; the topmost says the most. */
    while (line > 0) {
        size_t end = line - 1; /* the newline that ends the line before */
        size_t start = end;

        while (start > 0 && script[start - 1] != '\n')
            start--;
        if (!text_starts_with(script + start, "--"))
            break;

        const char *text = script + start + strspn(script + start, "- ");
        size_t length = strcspn(text, "\n");

        if (length > 0)
            reason = reason ? arena_printf(ctx->arena, "%.*s %s", (int)length, text, reason)
                            : arena_strndup(ctx->arena, text, length);
        line = start;
    }
    return reason;
}

static bool
refuse(struct script_index *index, const char *problem, const char *remedy)
{
    index->problem = problem;
    index->remedy = remedy;
    return true;
}

/* The first (and only) statement's node and its name. */
static const json_t *
statement_node(const json_t *tree, const char **ret_name)
{
    const json_t *first = json_array_get(json_object_get(tree, "stmts"), 0);
    json_t *node = json_object_get(first, "stmt");
    void *member = json_object_iter(node);

    *ret_name = member ? json_object_iter_key(member) : "";
    return member ? json_object_iter_value(member) : NULL;
}

static void
refuse_other(struct script_index *index, const char *node)
{
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        if (refusals[i].problem && text_equal(refusals[i].node, node)) {
            refuse(index, refusals[i].problem, refusals[i].remedy);
            return;
        }
    }
    refuse(index, "it is not a CREATE INDEX",
        "pgmend index apply builds indexes only; run it with another tool");
}

/* The bytes of a name as written, without its quotes; escapes of U&"" count as they stand. */
static size_t
written_length(const char *text, const struct sql_token *token)
{
    size_t length = token->end - token->start;

    if (text[token->start] != '"')
        return length;
    length -= 2;
    for (size_t i = token->start + 1; i + 2 < token->end; i++) {
        if (text[i] == '"') {
            length--; /* two stand for one */
            i++;
        }
    }
    return length;
}

/*
 * Whether the name of the index, which stands before ON and the table, is longer than the server
 * keeps. The parse tree does not tell: libpg_query has cut it already.
 */
static bool
is_name_cut(struct ctx *ctx, const struct script_index *index, size_t table_start)
{
    struct sql_tokens tokens;
    const struct sql_token *name = NULL;

    if (!sql_tokens(ctx, index->text, &tokens)) {
        error_clear(ctx);
        return false;
    }
    /* CREATE [UNIQUE] INDEX [CONCURRENTLY] [IF NOT EXISTS] name ON */
    for (size_t i = 0; i < tokens.count && tokens.items[i].end <= table_start; i++) {
        const struct sql_token *token = &tokens.items[i];

        if (token->is_reserved && token->end - token->start == strlen("ON"))
            break;
        if (token->kind != SQL_COMMENT)
            name = token;
    }
    return name && written_length(index->text, name) > LONGEST_NAME;
}

/* Fills what the tree tells of a CREATE INDEX. */
static void
read_index(struct ctx *ctx, const json_t *node, struct script_index *index)
{
    const json_t *relation = json_object_get(node, "relation");
    int64_t location = json_get_int(relation, "location", -1);
    size_t start = location < 0 ? 0 : (size_t)location;
    size_t end = sql_name_end(index->text, start);

    index->name = json_get_text(ctx->arena, node, "idxname", NULL);
    index->tablespace = json_get_text(ctx->arena, node, "tableSpace", NULL);
    index->is_unique = json_get_bool(node, "unique", false);
    index->if_not_exists = json_get_bool(node, "if_not_exists", false);
    index->table = arena_strndup(ctx->arena, index->text + start, end - start);
    index->rest = index->text + end;
    if (location < 0 || end == start)
        refuse(index, "the table's name could not be found in it", NULL);
    else if (!index->name)
        refuse(index, "the index has no name, and without one it could not be undone",
            "write CREATE INDEX CONCURRENTLY name ON …");
    else if (is_name_cut(ctx, index, start))
        refuse(index, "the index's name is longer than 63 bytes: PostgreSQL would cut it",
            "choose a shorter name");
    else if (!json_get_bool(relation, "inh", false))
        refuse(index, "ON ONLY builds no usable index", "name a partition, or leave ONLY out");
}

static void
read_statement(struct ctx *ctx, struct script_index *index)
{
    json_t *tree CLEANUP(json_release) = NULL;
    const char *name;

    if (!sql_parse(ctx, index->text, &tree)) {
        refuse(index, arena_printf(ctx->arena, "it does not parse: %s", ctx->error.message),
            "an expression that is not a plain function call needs parentheses of its own; syntax "
            "newer than this grammar cannot be checked");
        error_clear(ctx);
        return;
    }

    const json_t *node = statement_node(tree, &name);

    if (text_equal(name, "IndexStmt"))
        read_index(ctx, node, index);
    else
        refuse_other(index, name);
}

/* An index of the same name twice in one run would be two changes with one undo. */
static void
refuse_doubled(struct ctx *ctx, struct index_script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        struct script_index *index = &script->items[i];

        for (size_t j = 0; j < i && !index->problem; j++)
            if (index->name && text_equal(index->name, script->items[j].name))
                refuse(index,
                    arena_printf(ctx->arena, "the name %s is used twice, first at %s", index->name,
                        script->items[j].source),
                    "remove one of them");
    }
}

static bool
read_input(struct ctx *ctx, const char *path, const char **ret_text)
{
    size_t length;

    if (!file_read(ctx, text_equal(path, "-") ? "/dev/stdin" : path, ret_text, &length))
        return error_wrap(ctx, "reading the script");
    if (strlen(*ret_text) != length)
        return error_set(ctx, ERR_INPUT, "%s is not an SQL script: it holds a NUL byte", path);
    if (!text_is_utf8(*ret_text)) {
        error_set(ctx, ERR_INPUT, "%s is not UTF-8", path);
        return error_hint(ctx, "Convert it, for example with iconv.");
    }
    return true;
}

bool
index_script_read(struct ctx *ctx, const char *path, struct index_script *script)
{
    struct sql_statements statements;
    const char *text;
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;

    if (!read_input(ctx, path, &text) || !sql_split(ctx, path, text, &statements))
        return false;
    if (statements.count == 0)
        return error_set(ctx, ERR_INPUT, "%s holds no statement", path);
    for (size_t i = 0; i < statements.count; i++) {
        const struct sql_statement *statement = &statements.items[i];
        struct script_index index = {
            .source = arena_printf(ctx->arena, "%s:%zu", base, statement->line),
            .text = statement->text,
            .reason = reason_before(ctx, text, statement->offset),
        };

        read_statement(ctx, &index);
        VEC_PUSH(ctx->arena, script, index);
    }
    refuse_doubled(ctx, script);
    return true;
}
