#include "index/lint/statement.h"

#include "base/file.h"
#include "base/json.h"
#include "lang/sql.h"

enum { MOST_BYTES = 64 << 20, MOST_ENDS = 30 };

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
    { "AlterTableStmt", LINT_COLUMN_ADD }, /* when it does that: see read_altered() */
    { "DropStmt", LINT_DROP },
};

#define LINT_KIND_NAME(kind, name) [kind] = (name),
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

/* ADD COLUMN and ATTACH PARTITION; every other ALTER stays what it was. */
static void
read_altered(struct arena *arena, const json_t *node, struct lint_statement *statement)
{
    const json_t *relation = json_object_get(node, "relation");
    const char *what = json_string_value(json_object_get(node, "objtype"));
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(node, "cmds"), i, item)
    {
        const json_t *command = json_object_get(item, "AlterTableCmd");
        const char *kind = json_string_value(json_object_get(command, "subtype"));
        const json_t *column = json_object_get(json_object_get(command, "def"), "ColumnDef");

        if (text_equal(kind, "AT_AddColumn")) {
            statement->kind = LINT_COLUMN_ADD;
            statement->altered = json_get_text(arena, relation, "relname", "");
            text_list_add(arena, &statement->made, json_get_text(arena, column, "colname", ""));
        } else if (text_equal(kind, "AT_AttachPartition") && text_equal(what, "OBJECT_INDEX")) {
            statement->kind = LINT_ATTACH;
            text_list_add(arena, &statement->made, json_get_text(arena, relation, "relname", ""));
        }
    }
}

static void
read_dropped(struct arena *arena, const json_t *node, struct lint_statement *statement)
{
    size_t i;
    json_t *item;

    if (!text_equal(json_string_value(json_object_get(node, "removeType")), "OBJECT_INDEX")) {
        statement->kind = LINT_OTHER;
        return;
    }
    json_array_foreach(json_object_get(node, "objects"), i, item)
    {
        const json_t *parts = json_object_get(json_object_get(item, "List"), "items");
        const json_t *last = json_array_get(parts, json_array_size(parts) - 1);

        text_list_add(arena, &statement->made,
            json_get_text(arena, json_object_get(last, "String"), "sval", ""));
    }
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
    case LINT_COLUMN_ADD:
        statement->kind = LINT_OTHER;
        read_altered(ctx->arena, node, statement);
        break;
    case LINT_DROP:
        read_dropped(ctx->arena, node, statement);
        break;
    case LINT_ATTACH:
    case LINT_BEGIN:
    case LINT_COMMIT:
    case LINT_OTHER:
    case LINT_BROKEN:
    case LINT_KIND_COUNT:
        break;
    }
}

/* An error about an open quote quotes all the rest of the script. */
static const char *
first_line(struct arena *arena, const char *message)
{
    size_t length = strcspn(message, "\r\n");

    return message[length] ? arena_printf(arena, "%.*s ...", (int)length, message) : message;
}

static void
read_statement(struct ctx *ctx, struct lint_statement *statement)
{
    json_t *tree CLEANUP(json_release) = NULL;

    if (statement->text[0] == '\\') { /* psql's own */
        statement->kind = LINT_OTHER;
        return;
    }
    if (sql_parse(ctx, statement->text, &tree)) {
        read_tree(ctx, tree, statement);
        return;
    }
    statement->problem = first_line(ctx->arena, ctx->error.message);
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

/* A script cut into statements, of which some may be broken. */
struct cutter {
    struct ctx *ctx;
    const char *text;
    size_t at; /* where line and column are */
    size_t line;
    size_t column;
    struct sql_statements *ret;
};

static void
add_statement(struct cutter *cutter, const char *text, size_t offset)
{
    for (; cutter->at < offset; cutter->at++) {
        if (cutter->text[cutter->at] == '\n') {
            cutter->line++;
            cutter->column = 1;
        } else if ((cutter->text[cutter->at + 1] & 0xC0) != 0x80) {
            cutter->column++;
        }
    }

    const struct sql_statement statement = {
        .text = text, .offset = offset, .line = cutter->line, .column = cutter->column
    };

    VEC_PUSH(cutter->ctx->arena, cutter->ret, statement);
}

static bool
can_be_parsed(struct ctx *ctx, const char *text)
{
    json_t *tree CLEANUP(json_release) = NULL;

    if (sql_parse(ctx, text, &tree))
        return true;
    error_clear(ctx);
    return false;
}

/* Behind the next semicolon that ends a line; end when there is none. */
static size_t
end_of_line_statement(const char *text, size_t at, size_t end)
{
    for (; at < end; at++) {
        size_t behind = at + 1 + strspn(text + at + 1, " \t\r");

        if (text[at] == ';' && (behind >= end || text[behind] == '\n'))
            return at + 1;
    }
    return end;
}

/*
 * The statements from start to end, up to the first one that does not parse and holds a semicolon: there a
 * parenthesis or quote may be open, so that it took in others. ret_next: where that one begins, or end. False:
 * the text has no tokens.
 */
static bool
add_good(struct cutter *cutter, size_t start, size_t end, size_t *ret_next)
{
    struct sql_statements part;
    const char *text = arena_strndup(cutter->ctx->arena, cutter->text + start, end - start);

    *ret_next = start;
    if (!sql_split(cutter->ctx, "", text, &part)) {
        error_clear(cutter->ctx);
        return false;
    }
    for (size_t i = 0; i < part.count; i++) {
        *ret_next = start + part.items[i].offset;
        if (strchr(part.items[i].text, ';') && !can_be_parsed(cutter->ctx, part.items[i].text))
            return true;
        add_statement(cutter, part.items[i].text, *ret_next);
    }
    *ret_next = end;
    return true;
}

static bool
is_all_good(struct ctx *ctx, const char *text)
{
    struct sql_statements part;

    if (!sql_split(ctx, "", text, &part)) {
        error_clear(ctx);
        return false;
    }
    for (size_t i = 0; i < part.count; i++)
        if (!can_be_parsed(ctx, part.items[i].text))
            return false;
    return true;
}

/* Blanks and comments of one line. */
static size_t
skip_blank(const char *text, size_t at, size_t end)
{
    for (;;) {
        at += strspn(text + at, " \t\r\n;");
        if (at >= end || text[at] != '-' || text[at + 1] != '-')
            return at < end ? at : end;
        at += strcspn(text + at, "\n");
    }
}

/*
 * Where semicolons cannot be told from those in an open quote or parenthesis: the shortest text to the end of
 * a line that is all right, else what ends with the next such line is the broken statement. Returns where to
 * go on.
 */
static size_t
take_next(struct cutter *cutter, size_t start, size_t end)
{
    size_t stop = start;
    size_t next;
    const char *text;

    start = skip_blank(cutter->text, start, end);
    if (start == end)
        return end;
    stop = start;
    for (int i = 0; i < MOST_ENDS && stop < end; i++) {
        stop = end_of_line_statement(cutter->text, stop, end);
        text = arena_strndup(cutter->ctx->arena, cutter->text + start, stop - start);
        if (is_all_good(cutter->ctx, text) && add_good(cutter, start, stop, &next))
            return stop;
    }
    stop = end_of_line_statement(cutter->text, start, end);
    next = stop;
    while (next > start + 1 && strchr("; \t\r\n", cutter->text[next - 1]))
        next--;
    add_statement(
        cutter, arena_strndup(cutter->ctx->arena, cutter->text + start, next - start), start);
    return stop;
}

static void
cut(struct cutter *cutter, size_t start, size_t end)
{
    bool has_tokens = true;

    while (start < end) {
        size_t next = start;

        if (has_tokens)
            has_tokens = add_good(cutter, start, end, &next);
        start = next < end ? take_next(cutter, next, end) : end;
    }
}

/* A line of psql's own, as \set, between statements; end when there is none. */
static size_t
find_meta(const char *text, size_t start, size_t end)
{
    for (size_t at = start; at < end; at += strcspn(text + at, "\n") + 1) {
        size_t before = at;

        if (text[at] != '\\')
            continue;
        while (before > start && strchr(" \t\r\n", text[before - 1]))
            before--;
        if (before == start || text[before - 1] == ';' || skip_blank(text, start, at) == at)
            return at;
    }
    return end;
}

static void
cut_script(struct cutter *cutter, size_t length)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* that Windows puts before UTF-8 */
    size_t at = text_starts_with(cutter->text, mark) ? strlen(mark) : 0;

    cutter->at = at;
    while (at < length) {
        size_t meta = find_meta(cutter->text, at, length);

        cut(cutter, at, meta);
        at = meta;
        if (at == length)
            break;
        at += strcspn(cutter->text + at, "\r\n");
        add_statement(
            cutter, arena_strndup(cutter->ctx->arena, cutter->text + meta, at - meta), meta);
    }
}

bool
lint_script_parse(
    struct ctx *ctx, const char *file, const char *text, size_t length, struct lint_script *ret)
{
    struct sql_statements statements = { 0 };
    struct cutter cutter = { .ctx = ctx, .text = text, .line = 1, .column = 1, .ret = &statements };
    bool in_transaction = false;

    *ret = (struct lint_script){ .file = file, .text = text, .length = length };
    if (strlen(text) != length)
        return error_set(ctx, ERR_INPUT, "%s is not an SQL script: it holds a NUL byte", file);
    if (!text_is_utf8(text)) {
        error_set(ctx, ERR_INPUT, "%s is not UTF-8", file);
        return error_hint(ctx, "Convert it, for example with iconv.");
    }
    cut_script(&cutter, length);
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
