/* Conditions of PL/pgSQL that ask the catalogue for a name, as tests that the model can answer. */
#include "base/text.h"
#include "migrate/sql/sql_lower.h"

/* What is compared with a literal, and where the literal goes. */
enum slot { SLOT_SCHEMA, SLOT_TABLE, SLOT_COLUMN, SLOT_INDEX, SLOT_TYPE, SLOT_COUNT };

static const struct {
    const char *column;
    enum slot slot;
} columns[] = {
    { "table_schema", SLOT_SCHEMA },
    { "schemaname", SLOT_SCHEMA },
    { "table_name", SLOT_TABLE },
    { "tablename", SLOT_TABLE },
    { "column_name", SLOT_COLUMN },
    { "indexname", SLOT_INDEX },
    { "typname", SLOT_TYPE },
};

/* Catalogues, and the slots that must be filled besides the schema. */
static const struct {
    const char *name;
    enum test_kind kind;
    enum slot slot;
} catalogues[] = {
    { "columns", TEST_COLUMN, SLOT_COLUMN },
    { "tables", TEST_TABLE, SLOT_TABLE },
    { "pg_tables", TEST_TABLE, SLOT_TABLE },
    { "pg_indexes", TEST_INDEX, SLOT_INDEX },
    { "pg_type", TEST_NONE, SLOT_TYPE },
};

struct question {
    struct arena *arena;
    const char *text;
    struct lexer lexer;
    struct lexeme token;
    const char *slots[SLOT_COUNT];
};

static bool
take(struct question *question, const char *word)
{
    if (!lex_is_word(question->text, &question->token, word))
        return false;
    question->token = lex_next(&question->lexer);
    return true;
}

static bool
take_sign(struct question *question, char sign)
{
    if (!lex_is_sign(question->text, &question->token, sign))
        return false;
    question->token = lex_next(&question->lexer);
    return true;
}

/* Skips names and dots; the last name. */
static struct lexeme
take_name(struct question *question)
{
    struct lexeme name;

    do {
        name = question->token;
        question->token = lex_next(&question->lexer);
    } while (take_sign(question, '.'));
    return name;
}

/* column = 'literal' */
static bool
take_comparison(struct question *question)
{
    struct lexeme name = take_name(question);
    const char *text = question->text;
    struct lexeme literal;

    if (question->token.kind != LEX_OPERATOR || text[question->token.start] != '=' ||
        question->token.end != question->token.start + 1)
        return false;
    literal = lex_next(&question->lexer);
    question->token = lex_next(&question->lexer);
    if (literal.kind != LEX_STRING || text[literal.start] != '\'')
        return false;
    for (size_t i = 0; i < COUNT_OF(columns); i++)
        if (lex_is_word(text, &name, columns[i].column)) {
            question->slots[columns[i].slot] = arena_strndup(
                question->arena, text + literal.start + 1, literal.end - literal.start - 2);
            return true;
        }
    return false;
}

/* SELECT … FROM catalogue WHERE column = 'literal' AND … */
static bool
take_query(struct question *question, size_t *ret_catalogue)
{
    struct lexeme name;

    if (!take(question, "select"))
        return false;
    while (
        question->token.kind != LEX_END && !lex_is_word(question->text, &question->token, "from"))
        question->token = lex_next(&question->lexer);
    if (!take(question, "from"))
        return false;
    name = take_name(question);
    for (*ret_catalogue = 0; *ret_catalogue < COUNT_OF(catalogues); ++*ret_catalogue)
        if (lex_is_word(question->text, &name, catalogues[*ret_catalogue].name))
            break;
    if (*ret_catalogue == COUNT_OF(catalogues) || !take(question, "where"))
        return false;
    do {
        if (!take_comparison(question))
            return false;
    } while (take(question, "and"));
    return true;
}

struct guard
guard_read(struct arena *arena, const char *condition)
{
    struct question question = {
        .arena = arena, .text = condition, .lexer = { .text = condition }
    };
    struct guard guard = { 0 };
    size_t i;

    question.token = lex_next(&question.lexer);
    guard.test.is_negated = take(&question, "not");
    if (!take(&question, "exists") || !take_sign(&question, '(') || !take_query(&question, &i) ||
        !take_sign(&question, ')') || question.token.kind != LEX_END ||
        !question.slots[catalogues[i].slot])
        return (struct guard){ 0 };
    if (catalogues[i].kind == TEST_COLUMN && !question.slots[SLOT_TABLE])
        return (struct guard){ 0 };
    if (catalogues[i].slot == SLOT_TYPE && guard.test.is_negated)
        guard.type = question.slots[SLOT_TYPE];
    if (catalogues[i].kind == TEST_NONE)
        guard.test = (struct test){ 0 };
    guard.test.kind = catalogues[i].kind;
    guard.test.schema = question.slots[SLOT_SCHEMA];
    guard.test.name = question.slots[catalogues[i].slot];
    if (catalogues[i].slot != SLOT_TABLE)
        guard.test.table = question.slots[SLOT_TABLE];
    return guard;
}

bool
guard_is_if_not_exists(const struct guard *guard, const struct step *step)
{
    if (step->kind != STEP_CREATE_ENUM && step->kind != STEP_CREATE_TYPE &&
        step->kind != STEP_CREATE_DOMAIN)
        return false;
    return guard->type && text_equal(guard->type, step->object.name);
}
