#include "migrate/eval/eval_private.h"

enum { SYNTAX_DEPTH_MAX = 1100 };

/* The quotes of a string: where its start ends. */
static size_t
quotes_of(const struct eval *e, const struct py_node *string, char *ret_quote)
{
    const struct py_node *start = string->first;
    size_t count = 0;

    *ret_quote = '\0';
    if (!start || start->kind != PY_STRING_START)
        return 0;
    for (uint32_t i = start->start; i < start->end; i++) {
        char c = e->tree->source[i];

        if (c == '"' || c == '\'') {
            *ret_quote = c;
            count++;
        }
    }
    return count;
}

/* Before PEP 701 the text of an f-string ends at its first closing quotes, wherever they stand. */
static void
check_interpolation(struct eval *e, const struct py_node *string, const struct py_node *part)
{
    char quote;
    size_t count = quotes_of(e, string, &quote);
    size_t run = 0;

    for (uint32_t i = part->start; count > 0 && i < part->end; i++) {
        char c = e->tree->source[i];

        run = c == quote ? run + 1 : 0;
        if (run == count) {
            eval_note(e, NOTE_SYNTAX, part,
                "an f-string has its own quotes within a replacement field, "
                "which Python before 3.12 does not load");
            return;
        }
        if (c == '\\') {
            eval_note(e, NOTE_SYNTAX, part,
                "an f-string has a backslash within a replacement field, "
                "which Python before 3.12 does not load");
            return;
        }
    }
}

/* The fields only: the text of a format specification may hold what it likes. */
static void
check_string(struct eval *e, const struct py_node *string)
{
    for (const struct py_node *child = string->first; child; child = child->next) {
        const struct py_node *expression;

        if (child->kind != PY_INTERPOLATION)
            continue;
        expression = py_child(child, PY_FIELD_EXPRESSION);
        if (expression)
            check_interpolation(e, string, expression);
    }
}

static void
check(struct eval *e, const struct py_node *node, unsigned depth)
{
    for (const struct py_node *child = node->first; child; child = child->next) {
        if (child->kind == PY_PRINT)
            eval_note(e, NOTE_SYNTAX, child, "print is a statement here, as in Python 2");
        else if (child->kind == PY_EXEC)
            eval_note(e, NOTE_SYNTAX, child, "exec is a statement here, as in Python 2");
        else if (child->kind == PY_STRING)
            check_string(e, child);
        if (child->first && depth < SYNTAX_DEPTH_MAX)
            check(e, child, depth + 1);
    }
}

void
eval_syntax(struct eval *e)
{
    const struct py_node *error = e->tree->error;

    if (error && error->is_missing)
        eval_note(e, NOTE_SYNTAX, error, "something is missing here");
    else if (error)
        eval_note(e, NOTE_SYNTAX, error, "this is not Python: %s",
            error->end > error->start ? eval_source(e, "", error, "") : "unexpected end");
    check(e, e->tree->root, 0);
}
