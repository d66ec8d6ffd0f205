#include "lang/python.h"

#include <pthread.h>
#include <tree_sitter/api.h>

#include "base/memory.h"

/* The package of the grammar has no header. */
const TSLanguage *tree_sitter_python(void);

enum {
    DEPTH_MAX = 1000,
    NODES_AT_ONCE = 256,
    /* Symbols and fields of the grammar; it has 275 and 31. */
    SYMBOLS_MAX = 512,
    FIELDS_MAX = 64,
    PIECE_BYTES = 4096,
    /* Real files take 250 ns a byte, wrong ones up to 20 us, and some of these quadratic time. */
    TIME_NS = 250 * 1000 * 1000,
    TIME_NS_BYTE = 8000,
    /* Widths of indentation wrap around in the grammar's scanner. */
    WIDTHS = UINT16_MAX + 1,
    WIDTH_ODD = 150,
    WIDTHS_ODD_MAX = 150,
};

enum role {
    ROLE_TOKEN, /* punctuation and keywords */
    ROLE_NODE,
    ROLE_COMMENT,
    ROLE_BLANK, /* a backslash at the end of a line */
};

/* What the grammar's numbers mean to us. */
struct symbols {
    const TSLanguage *language;
    struct {
        uint8_t kind;
        uint8_t role;
    } by_symbol[SYMBOLS_MAX];
    uint8_t by_field[FIELDS_MAX];
};

#define PY_NAME(name, text) text,
static const char *const kind_names[] = { "", PY_KINDS(PY_NAME) };
static const char *const field_names[] = { "", PY_FIELDS(PY_NAME) };
#undef PY_NAME

/* Filled once, constant from then on. */
static struct symbols symbols;
static pthread_once_t symbols_once = PTHREAD_ONCE_INIT;

static uint8_t
find_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 1; name && i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (uint8_t)i;
    return 0;
}

static enum role
role_of(TSSymbol symbol, const char *name)
{
    if (ts_language_symbol_type(symbols.language, symbol) != TSSymbolTypeRegular)
        return ROLE_TOKEN;
    if (strcmp(name, "comment") == 0)
        return ROLE_COMMENT;
    return strcmp(name, "line_continuation") == 0 ? ROLE_BLANK : ROLE_NODE;
}

static void
fill_symbols(void)
{
    ts_set_allocator(memory_alloc, memory_zeroed, memory_resize, free);
    symbols.language = tree_sitter_python();

    uint32_t count = ts_language_symbol_count(symbols.language);
    uint32_t field_count = ts_language_field_count(symbols.language);

    if (count > SYMBOLS_MAX || field_count >= FIELDS_MAX)
        abort();
    for (uint32_t i = 0; i < count; i++) {
        const char *name = ts_language_symbol_name(symbols.language, (TSSymbol)i);
        enum role role = name ? role_of((TSSymbol)i, name) : ROLE_TOKEN;

        symbols.by_symbol[i].role = (uint8_t)role;
        if (role == ROLE_NODE)
            symbols.by_symbol[i].kind = find_name(kind_names, COUNT_OF(kind_names), name);
    }
    for (uint32_t i = 1; i <= field_count; i++)
        symbols.by_field[i] = find_name(field_names, COUNT_OF(field_names),
            ts_language_field_name_for_id(symbols.language, (TSFieldId)i));
}

/* The text on its way into the parser, and until when. */
struct reader {
    const char *text;
    size_t length;
    int64_t deadline_ns; /* on the clock of the thread */
    bool is_late;
};

static int64_t
thread_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool
look_at_the_clock(struct reader *reader)
{
    reader->is_late = reader->is_late || thread_ns() > reader->deadline_ns;
    return reader->is_late;
}

/*
 * In pieces: the parser looks ahead as far as it likes, and again for each token. An end that comes
 * too soon makes it stop.
 */
static const char *
read_piece(void *payload, uint32_t offset, TSPoint point, uint32_t *ret_length)
{
    struct reader *reader = payload;
    size_t rest = offset < reader->length ? reader->length - offset : 0;

    (void)point;
    *ret_length = (uint32_t)(rest < PIECE_BYTES ? rest : (size_t)PIECE_BYTES);
    if (*ret_length == 0 || look_at_the_clock(reader)) {
        *ret_length = 0;
        return "";
    }
    return reader->text + offset;
}

/* True stops the parser, which asks every hundred operations. */
static bool
is_too_much(TSParseState *state)
{
    return look_at_the_clock(state->payload);
}

static bool
is_line_end(char c)
{
    return c == '\n' || c == '\r' || c == '\f';
}

/*
 * The grammar's scanner writes the open indentations into 1,024 bytes and looks too late whether
 * they are full. Each is wider than the one before, so that few different widths are safe: those
 * below WIDTH_ODD, and as many others. A line of blanks and a backslash lends its width to the
 * next line, and counts as one.
 */
static bool
is_indented_safely(const char *text, size_t length)
{
    uint64_t seen[WIDTHS / 64] = { 0 };
    size_t count = 0;

    for (size_t at = 0; at < length; at++) {
        size_t width = 0;

        for (; at < length && (text[at] == ' ' || text[at] == '\t'); at++)
            width += text[at] == '\t' ? 8 : 1;
        width %= WIDTHS;
        if (width >= WIDTH_ODD) {
            uint64_t bit = UINT64_C(1) << width % 64;

            count += !(seen[width / 64] & bit);
            seen[width / 64] |= bit;
        }
        if (at + 1 < length && text[at] == '\\' && is_line_end(text[at + 1]))
            count++;
        while (at < length && !is_line_end(text[at]))
            at++;
    }
    return count <= WIDTHS_ODD_MAX;
}

static void
parser_cleanup(TSParser **parser)
{
    ts_parser_delete(*parser);
}

static void
tree_cleanup(TSTree **tree)
{
    if (*tree)
        ts_tree_delete(*tree);
}

static bool
parse(struct ctx *ctx, const char *source, size_t length, TSTree **ret)
{
    TSParser *parser CLEANUP(parser_cleanup) = ts_parser_new();
    struct reader reader = {
        .text = source,
        .length = length,
        .deadline_ns = thread_ns() + TIME_NS + (int64_t)length * TIME_NS_BYTE,
    };
    TSInput input = { .payload = &reader, .read = read_piece, .encoding = TSInputEncodingUTF8 };
    TSParseOptions options = { .payload = &reader, .progress_callback = is_too_much };

    *ret = NULL;
    if (length > PYTHON_LENGTH_MAX)
        return error_set(ctx, ERR_INPUT, "%zu bytes: more than the %d that a Python file may have",
            length, PYTHON_LENGTH_MAX);
    if (memchr(source, '\0', length))
        return error_set(ctx, ERR_INPUT, "a NUL byte: this is not Python");
    if (!is_indented_safely(source, length))
        return error_set(ctx, ERR_INPUT, "lines are indented in too many different ways");
    if (!ts_parser_set_language(parser, symbols.language))
        abort();
    *ret = ts_parser_parse_with_options(parser, NULL, input, options);
    if (!*ret || reader.is_late)
        return error_set(ctx, ERR_INPUT, "this makes no sense: given up after %lld ms",
            (long long)((TIME_NS + (int64_t)length * TIME_NS_BYTE) / 1000000));
    return true;
}

/* The way from the parser's tree to ours. */
struct converter {
    struct ctx *ctx;
    struct py_tree *tree;
    TSTreeCursor cursor;
    size_t depth;
    struct {
        struct py_node *node; /* the node that those on this level are children of */
        struct py_node *last; /* of them so far, or NULL */
    } levels[DEPTH_MAX + 1];
    struct py_node *room; /* zeroed nodes that are not in use yet */
    size_t room_count;
};

static void
cursor_cleanup(struct converter *converter)
{
    ts_tree_cursor_delete(&converter->cursor);
}

static struct py_node *
new_node(struct converter *converter, TSNode from, enum py_kind kind, enum py_field field)
{
    TSPoint start = ts_node_start_point(from);

    if (converter->room_count == 0) {
        converter->room = ARENA_ARRAY(converter->ctx->arena, struct py_node, NODES_AT_ONCE);
        converter->room_count = NODES_AT_ONCE;
    }
    converter->room_count--;

    struct py_node *node = converter->room++;

    node->kind = kind;
    node->field = field;
    node->start = ts_node_start_byte(from);
    node->end = ts_node_end_byte(from);
    node->line = start.row + 1;
    node->column = start.column + 1;
    node->end_line = ts_node_end_point(from).row + 1;
    node->is_missing = ts_node_is_missing(from);
    return node;
}

static void
link_node(struct converter *converter, struct py_node *node)
{
    struct py_node *parent = converter->levels[converter->depth].node;
    struct py_node *last = converter->levels[converter->depth].last;

    if (last)
        last->next = node;
    else if (parent)
        parent->first = node;
    else
        converter->tree->root = node;
    converter->levels[converter->depth].last = node;
    converter->tree->node_count++;
}

static void
add_comment(struct converter *converter, TSNode from)
{
    struct py_tree *tree = converter->tree;
    const char *text = tree->source + ts_node_start_byte(from);
    const char *end = tree->source + ts_node_end_byte(from);
    const char *before = text;

    while (before > tree->source && (before[-1] == ' ' || before[-1] == '\t'))
        before--;
    while (end > text && is_line_end(end[-1]))
        end--;
    struct py_comment comment = {
        .line = ts_node_start_point(from).row + 1,
        .text = arena_strndup(converter->ctx->arena, text, (size_t)(end - text)),
        .is_alone = before == tree->source || is_line_end(before[-1]),
    };

    VEC_PUSH(converter->ctx->arena, &tree->comments, comment);
}

/* Takes over the node under the cursor. Ours, or NULL when it is none of our tree. */
static struct py_node *
take_node(struct converter *converter, TSNode from)
{
    TSSymbol symbol = ts_node_symbol(from);
    bool is_error = symbol >= SYMBOLS_MAX;
    enum role role = is_error ? ROLE_NODE : symbols.by_symbol[symbol].role;
    enum py_kind kind = is_error ? PY_ERROR : symbols.by_symbol[symbol].kind;
    enum py_field field =
        symbols.by_field[ts_tree_cursor_current_field_id(&converter->cursor) % FIELDS_MAX];
    bool is_ours = role == ROLE_NODE || (role == ROLE_TOKEN && field != PY_FIELD_NONE);
    bool is_wrong = (is_error || ts_node_is_missing(from)) && !converter->tree->error;

    if (role == ROLE_COMMENT)
        add_comment(converter, from);
    if (!is_ours && !is_wrong)
        return NULL;
    struct py_node *node = new_node(converter, from, kind, field);

    if (is_wrong)
        converter->tree->error = node;
    if (is_ours)
        link_node(converter, node);
    return is_ours ? node : NULL;
}

/* To the first child, or the next node that is no child; false at the end. */
static bool
move_on(struct converter *converter, TSNode from, struct py_node *node)
{
    struct py_node *parent = node ? node : converter->levels[converter->depth].node;

    if (ts_node_child_count(from) > 0 && ts_tree_cursor_goto_first_child(&converter->cursor)) {
        converter->depth++;
        converter->levels[converter->depth].node = parent;
        converter->levels[converter->depth].last = NULL;
        return true;
    }
    while (!ts_tree_cursor_goto_next_sibling(&converter->cursor)) {
        if (!ts_tree_cursor_goto_parent(&converter->cursor))
            return false;
        converter->depth--;
    }
    return true;
}

static bool
convert(struct ctx *ctx, const TSTree *from, struct py_tree *ret)
{
    TSNode root = ts_tree_root_node(from), at;
    struct converter converter CLEANUP(cursor_cleanup) = {
        .ctx = ctx,
        .tree = ret,
        .cursor = ts_tree_cursor_new(root),
    };
    struct py_node *node;

    /* Where nothing made sense to the parser there is no module around the error. */
    if (ts_node_symbol(root) >= SYMBOLS_MAX) {
        node = new_node(&converter, root, PY_MODULE, PY_FIELD_NONE);
        link_node(&converter, node);
        converter.levels[++converter.depth].node = node;
    }
    do {
        if (converter.depth == DEPTH_MAX)
            return error_set(ctx, ERR_INPUT, "line %u: nested deeper than %d",
                (unsigned)converter.levels[DEPTH_MAX].node->line, DEPTH_MAX);
        at = ts_tree_cursor_current_node(&converter.cursor);
        node = take_node(&converter, at);
    } while (move_on(&converter, at, node));
    return true;
}

bool
python_parse(struct ctx *ctx, const char *source, size_t length, struct py_tree *ret)
{
    TSTree *tree CLEANUP(tree_cleanup) = NULL;

    pthread_once(&symbols_once, fill_symbols);
    *ret = (struct py_tree){ .source = source, .length = length };
    return parse(ctx, source, length, &tree) && convert(ctx, tree, ret);
}

const struct py_node *
py_child(const struct py_node *node, enum py_field field)
{
    const struct py_node *child = node->first;

    while (child && child->field != field)
        child = child->next;
    return child;
}

const char *
py_text(struct arena *arena, const struct py_tree *tree, const struct py_node *node)
{
    return arena_strndup(arena, tree->source + node->start, node->end - node->start);
}

bool
py_is(const struct py_tree *tree, const struct py_node *node, const char *text)
{
    size_t length = strlen(text);

    return node->end - node->start == length &&
           memcmp(tree->source + node->start, text, length) == 0;
}

const char *
py_kind_name(enum py_kind kind)
{
    return kind_names[kind];
}
