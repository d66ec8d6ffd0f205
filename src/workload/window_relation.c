#include "workload/window_relation.h"

#include <ctype.h>
#include <strings.h>

#include "lang/sql.h"

enum { MOST_DEPTH = 200 };

struct walk {
    struct arena *arena;
    struct text_list with; /* names of WITH */
    struct statement_scope *scope;
    int depth;
};

static void
add_relation(struct walk *walk, const json_t *node)
{
    const char *schema = json_string_value(json_object_get(node, "schemaname"));
    const char *name = json_string_value(json_object_get(node, "relname"));

    if (!name || (!schema && text_list_has(&walk->with, name)))
        return;
    VEC_PUSH(walk->arena, &walk->scope->relations,
        (struct named_relation){ .schema = schema ? arena_strdup(walk->arena, schema) : NULL,
            .name = arena_strdup(walk->arena, name) });
}

static void
visit_member(struct walk *walk, const char *key, const json_t *member, bool is_naming)
{
    static const char *const writing[] = { "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt" };

    if (is_naming) {
        if (text_equal(key, "ctename") && json_is_string(member))
            text_list_add(walk->arena, &walk->with, json_string_value(member));
        return;
    }
    for (size_t i = 0; i < COUNT_OF(writing); i++)
        walk->scope->writes |= text_equal(key, writing[i]);
    /* A statement's target stands in it without the name of its node. */
    if (text_equal(key, "RangeVar") || (text_equal(key, "relation") && json_is_object(member)))
        add_relation(walk, member);
}

static void
visit(struct walk *walk, const json_t *node, bool is_naming)
{
    const char *key;
    json_t *member;
    size_t i;

    if (walk->depth >= MOST_DEPTH)
        return;
    walk->depth++;
    if (json_is_array(node)) {
        json_array_foreach(node, i, member) visit(walk, member, is_naming);
    } else if (json_is_object(node)) {
        json_object_foreach((json_t *)(uintptr_t)node, key, member)
        {
            visit_member(walk, key, member, is_naming);
            visit(walk, member, is_naming);
        }
    }
    walk->depth--;
}

/* Of a text that does not parse ("interval $1"): it reads unless a word says otherwise. */
static bool
begins_with_write(const char *query)
{
    static const char *const words[] = { "INSERT", "UPDATE", "DELETE", "MERGE" };

    while (isspace((unsigned char)*query))
        query++;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strncasecmp(query, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

void
statement_scope(struct arena *arena, const char *query, struct statement_scope *ret)
{
    struct ctx scratch = { .arena = arena };
    json_t *tree CLEANUP(json_release) = NULL;
    struct walk walk = { .arena = arena, .scope = ret };

    *ret = (struct statement_scope){ .text = query };
    ret->is_parsed = sql_parse(&scratch, query, &tree);
    if (!ret->is_parsed) {
        ret->writes = begins_with_write(query);
        return;
    }
    visit(&walk, tree, true);
    visit(&walk, tree, false);
}

static bool
is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool
has_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        if ((at == text || !is_word_char(at[-1])) && !is_word_char(at[length]))
            return true;
    return false;
}

bool
statement_names(const struct statement_scope *scope, const struct named_relations *relations)
{
    for (size_t i = 0; i < relations->count; i++) {
        const struct named_relation *wanted = &relations->items[i];

        if (!scope->is_parsed && has_word(scope->text, wanted->name))
            return true;
        for (size_t j = 0; j < scope->relations.count; j++) {
            const struct named_relation *named = &scope->relations.items[j];

            if (text_equal(named->name, wanted->name) &&
                (!named->schema || !wanted->schema || text_equal(named->schema, wanted->schema)))
                return true;
        }
    }
    return false;
}
