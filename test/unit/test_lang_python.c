/* Python text as a tree, comments, errors, and what bounds time, depth and memory. */
#include "support/test.h"

#include <pthread.h>
#include <string.h>

#include "base/text.h"
#include "lang/python.h"

static const struct py_tree *
parse(struct ctx *ctx, const char *source)
{
    struct py_tree *tree = ARENA_NEW(ctx->arena, struct py_tree);

    assert_true(python_parse(ctx, source, strlen(source), tree));
    assert_int_equal(tree->root->kind, PY_MODULE);
    return tree;
}

static void
write_node(struct buffer *out, const struct py_tree *tree, const struct py_node *node)
{
    if (node->kind == PY_OTHER)
        buffer_printf(out, "'%s'", py_text(out->arena, tree, node));
    else
        buffer_add(out, py_kind_name(node->kind));
    if (!node->first)
        return;
    for (const struct py_node *child = node->first; child; child = child->next) {
        buffer_add(out, child == node->first ? "(" : " ");
        write_node(out, tree, child);
    }
    buffer_add(out, ")");
}

/* The tree below the module as an S-expression, the grammar's way to write one. */
static const char *
shape(struct ctx *ctx, const char *source)
{
    struct buffer out = { .arena = ctx->arena };
    const struct py_tree *tree = parse(ctx, source);

    for (const struct py_node *node = tree->root->first; node; node = node->next) {
        buffer_add(&out, out.length > 0 ? " " : "");
        write_node(&out, tree, node);
    }
    return buffer_text(&out);
}

/* The shapes are those of the grammar's own examples (its test/corpus), with our operators. */
static void
trees_are_those_of_the_grammar(void **state)
{
    static const struct {
        const char *source;
        const char *shape;
    } cases[] = {
        { "", "" },
        { "import a.b as c", "import_statement(aliased_import(dotted_name(identifier identifier) "
                             "identifier))" },
        { "from a import *", "import_from_statement(dotted_name(identifier) wildcard_import)" },
        { "a: str = 'b'", "expression_statement(assignment(identifier type(identifier) "
                          "string(string_start string_content string_end)))" },
        { "x = (\"a\"\n  'b')",
            "expression_statement(assignment(identifier parenthesized_expression("
            "concatenated_string(string(string_start string_content string_end) "
            "string(string_start string_content string_end)))))" },
        { "f'{a!r:>9}'",
            "expression_statement(string(string_start interpolation(identifier type_conversion "
            "format_specifier) string_end))" },
        { "a + b", "expression_statement(binary_operator(identifier '+' identifier))" },
        { "a is  not b", "expression_statement(comparison_operator(identifier 'is  not' "
                         "identifier))" },
        { "f(a, *b, c=1, **d)", "expression_statement(call(identifier argument_list(identifier "
                                "list_splat(identifier) keyword_argument(identifier integer) "
                                "dictionary_splat(identifier))))" },
        { "with a() as b:\n  pass",
            "with_statement(with_clause(with_item(as_pattern(call(identifier argument_list) "
            "as_pattern_target(identifier)))) block(pass_statement))" },
        { "def f(x=1): return \\\n  x",
            "function_definition(identifier parameters(default_parameter(identifier integer)) "
            "block(return_statement(identifier)))" },
        { "print 'x'", "print_statement(string(string_start string_content string_end))" },
        { "[x for x in y if z]",
            "expression_statement(list_comprehension(identifier for_in_clause(identifier "
            "identifier) if_clause(identifier)))" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(shape(*state, cases[i].source), cases[i].shape);
}

static void
nodes_know_their_field_and_place(void **state)
{
    struct ctx *ctx = *state;
    const struct py_tree *tree = parse(ctx, "\xd0\xb9 = f(\n  b=2\n)\r\n");
    const struct py_node *assignment = tree->root->first->first;
    const struct py_node *left = py_child(assignment, PY_FIELD_LEFT);
    const struct py_node *call = py_child(assignment, PY_FIELD_RIGHT);
    const struct py_node *keyword = py_child(call, PY_FIELD_ARGUMENTS)->first;

    assert_true(py_is(tree, left, "\xd0\xb9"));
    assert_false(py_is(tree, left, "\xd0"));
    assert_false(py_is(tree, left, "\xd0\xb9 "));
    assert_int_equal(call->start, 5);
    assert_int_equal(call->end, 15);
    assert_int_equal(call->column, 6);
    assert_int_equal(call->line, 1);
    assert_int_equal(call->end_line, 3);
    assert_int_equal(keyword->line, 2);
    assert_int_equal(keyword->column, 3);
    assert_string_equal(py_text(ctx->arena, tree, keyword), "b=2");
    assert_null(py_child(call, PY_FIELD_LEFT));
    assert_null(tree->error);
}

static void
see(const struct py_node *node, bool *seen, bool *seen_field)
{
    seen[node->kind] = true;
    seen_field[node->field] = true;
    for (const struct py_node *child = node->first; child; child = child->next)
        see(child, seen, seen_field);
}

/* A name that the grammar does not have would never be found: the parser must know them all. */
static void
every_kind_has_the_name_that_the_grammar_uses(void **state)
{
    static const char source[] =
        "from __future__ import x\nfrom . import *\n@d\nclass C(B): pass\n"
        "def f(a, /, *b, c: int = 1, d: int, **e):\n  global g; nonlocal h\n"
        "  if a: pass\n  elif b: pass\n  else: pass\n"
        "  for i in j: break\n  while k: continue\n"
        "  try: raise l\n  except m as n: pass\n  finally: del o\n  with p as q: assert r\n"
        "  match s:\n    case t: pass\n  exec 'u'\n  print v\n  return\n"
        "def f2(*, a, b=1): pass\n"
        "lambda w: ...\nx += 1\n(y := 2)\n[a, b] = (c, d) = e, f = 1\na, b = c, d\n(a, *b) = [*a]\n"
        "{1: 2, **x}\n{1}\n(1,)\n{x for x in y if z}\n{x: x for x in y}\n(x for x in y)\n"
        "a + b\n[x for x in y]\na[1:2]\n-a\nnot a\na and b\na < b\na if b else c\n1.5\nTrue\nFalse\nNone\nawait a\n"
        "f'{x!r:3}{{\\n'\nx = yield\nimport a as b\n'a' 'b'\nf(**a)\nf(*a, b=1)\na.b\n";
    struct ctx *ctx = *state;
    const struct py_tree *tree = parse(ctx, source);
    bool seen[PY_KIND_COUNT] = { [PY_COMMENT] = true, [PY_ERROR] = true };
    bool seen_field[PY_FIELD_COUNT] = { false };

    assert_null(tree->error);
    see(tree->root, seen, seen_field);
    for (enum py_kind kind = PY_MODULE; kind < PY_KIND_COUNT; kind++)
        if (!seen[kind])
            fail_msg("no %s", py_kind_name(kind));
    for (size_t field = 1; field < PY_FIELD_COUNT; field++)
        if (!seen_field[field])
            fail_msg("no field %zu", field);
}

static void
comments_are_apart_from_the_tree(void **state)
{
    static const struct {
        uint32_t line;
        const char *text;
        bool is_alone;
    } wanted[] = {
        { 1, "# first", true },
        { 2, "# behind", false },
        { 4, "# in a call", true },
        { 6, "#", true },
    };
    struct ctx *ctx = *state;
    const struct py_tree *tree =
        parse(ctx, "# first\na = 1 # behind\r\nf(b,\n \t# in a call\n  '# no')\n  #");

    assert_int_equal(tree->comments.count, COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_int_equal(tree->comments.items[i].line, wanted[i].line);
        assert_string_equal(tree->comments.items[i].text, wanted[i].text);
        assert_int_equal(tree->comments.items[i].is_alone, wanted[i].is_alone);
    }
    assert_null(strstr(shape(ctx, "# a\nf(b, # c\nd)"), "comment"));
}

static const char *
repeat(struct ctx *ctx, const char *text, size_t times)
{
    struct buffer out = { .arena = ctx->arena };

    while (times-- > 0)
        buffer_add(&out, text);
    return buffer_text(&out);
}

static void
the_first_error_is_found_and_the_rest_is_still_there(void **state)
{
    struct ctx *ctx = *state;
    const struct py_tree *tree = parse(ctx, "a = 1\nb = = 2\nc = 3\nd = = 4\n");
    const struct py_node *last = NULL;

    assert_non_null(tree->error);
    assert_int_equal(tree->error->line, 2);
    assert_int_equal(tree->error->kind, PY_ERROR);
    assert_int_equal(parse(ctx, "x = (1")->error->line, 1);
    for (const struct py_node *node = tree->root->first; node; node = node->next)
        last = node;
    assert_int_equal(last ? last->line : 0, 4);

    /* All of it is one error, in a module nevertheless. */
    tree = parse(ctx, repeat(ctx, "[", 3000));
    assert_ptr_equal(tree->error, tree->root->first);
    assert_int_equal(tree->error->kind, PY_ERROR);
}

static void
refused(struct ctx *ctx, const char *source, size_t length, const char *why)
{
    struct py_tree tree;

    error_clear(ctx);
    assert_false(python_parse(ctx, source, length, &tree));
    assert_error(ctx, ERR_INPUT, why);
}

static void
what_could_hurt_is_refused(void **state)
{
    struct ctx *ctx = *state;
    const char *text;

    refused(ctx, "a = 1\0b", 7, "NUL");
    text = repeat(ctx, "\n", PYTHON_LENGTH_MAX);
    assert_int_equal(parse(ctx, text)->node_count, 1);
    text = repeat(ctx, "\n", PYTHON_LENGTH_MAX + 1);
    refused(ctx, text, strlen(text), "more than the 1048576");
    text = arena_printf(ctx->arena, "\nx = %s1%s", repeat(ctx, "(", 900), repeat(ctx, ")", 900));
    assert_true(parse(ctx, text)->node_count > 900);
    text = arena_printf(ctx->arena, "\nx = %s1%s", repeat(ctx, "(", 1100), repeat(ctx, ")", 1100));
    refused(ctx, text, strlen(text), "line 2: nested deeper than 1000");
    /* The grammar's scanner would write behind its buffer. */
    struct buffer steps = { .arena = ctx->arena };

    for (size_t i = 0; i < 600; i++)
        buffer_printf(&steps, "%*sif x:\n", (int)i, "");
    buffer_printf(&steps, "%600s f'{x}'\n", "");
    refused(ctx, buffer_text(&steps), steps.length, "indented");
}

/* Each of these takes the parser a time that grows with the square of the length. */
static void
time_is_bounded_by_the_length(void **state)
{
    static const char *const hard[] = { "def f(", "if while for def class " };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(hard); i++) {
        const char *text = repeat(ctx, hard[i], 200000 / strlen(hard[i]));
        clock_t start = clock();

        refused(ctx, text, strlen(text), "given up");
        assert_true(clock() - start < 4 * CLOCKS_PER_SEC);
    }
}

static void *
parse_often(void *unused)
{
    static const char source[] = "def upgrade():\n    op.add_column('t', sa.Column('c'))\n";
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct py_tree tree;
    size_t count = 0;

    (void)unused;
    for (size_t i = 0; i < 50; i++)
        count += python_parse(&ctx, source, strlen(source), &tree) ? tree.node_count : 0;
    return (void *)(uintptr_t)count; /* NOLINT(performance-no-int-to-ptr) */
}

static void
threads_parse_at_the_same_time(void **state)
{
    pthread_t threads[4];
    void *counts[COUNT_OF(threads)];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, parse_often, NULL), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], &counts[i]), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal((uintptr_t)counts[i], (uintptr_t)parse_often(NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(trees_are_those_of_the_grammar),
        test_with_ctx(nodes_know_their_field_and_place),
        test_with_ctx(every_kind_has_the_name_that_the_grammar_uses),
        test_with_ctx(comments_are_apart_from_the_tree),
        test_with_ctx(the_first_error_is_found_and_the_rest_is_still_there),
        test_with_ctx(what_could_hurt_is_refused),
        test_with_ctx(time_is_bounded_by_the_length),
        test_with_ctx(threads_parse_at_the_same_time),
    };

    return cmocka_run_group_tests_name("python", tests, NULL, NULL);
}
