/* Which statements of a workload are pgmend's own, or look at the catalogues alone. */
#include <strings.h>

#include "base/json.h"
#include "index/intake/intake_part.h"
#include "lang/sql.h"
#include "sql.h"

static bool
is_application(const char *query)
{
    /* The reference application's statements are a workload like any other. */
    return text_starts_with(query, "replyx/");
}

void
intake_own_statements(struct arena *arena, struct map *ret)
{
    struct ctx scratch = { .arena = arena };

    *ret = (struct map){ .arena = arena };
    for (size_t i = 0; i < queries_all_count; i++) {
        const struct query *query = queries_all[i];

        for (size_t j = 0; j < query->variant_count && !is_application(query->name); j++) {
            const char *fingerprint;

            if (sql_fingerprint(&scratch, query->variants[j].text, &fingerprint))
                map_set(ret, fingerprint, ret);
            else
                error_clear(&scratch);
        }
    }
}

struct relations {
    size_t catalogues;
    size_t others;
    struct text_list with; /* names of WITH */
    int depth;
};

static void
add_relation(struct relations *relations, const json_t *node)
{
    const char *schema = json_string_value(json_object_get(node, "schemaname"));
    const char *name = json_string_value(json_object_get(node, "relname"));
    bool is_system = schema ? strcmp(schema, "pg_catalog") == 0 ||
                                  strcmp(schema, "information_schema") == 0 ||
                                  strcmp(schema, "pgmend") == 0
                            : name && text_starts_with(name, "pg_");

    if (!schema && name && text_list_has(&relations->with, name))
        return;
    if (is_system || (name && text_starts_with(name, "pg_stat_statements")))
        relations->catalogues++;
    else
        relations->others++;
}

static void
find_relations(struct arena *arena, const json_t *node, bool is_naming, struct relations *relations)
{
    const char *name;
    json_t *member;
    size_t i;

    if (++relations->depth > 200) {
        relations->others++;
    } else if (json_is_array(node)) {
        json_array_foreach(node, i, member) find_relations(arena, member, is_naming, relations);
    } else {
        json_object_foreach((json_t *)(uintptr_t)node, name, member)
        {
            if (is_naming && strcmp(name, "ctename") == 0 && json_is_string(member))
                text_list_add(arena, &relations->with, json_string_value(member));
            if (!is_naming && (strcmp(name, "RangeVar") == 0 || strcmp(name, "relation") == 0))
                add_relation(relations, member);
            find_relations(arena, member, is_naming, relations);
        }
    }
    relations->depth--;
}

bool
intake_is_own(struct arena *arena, const struct map *own, const char *fingerprint, const char *sql)
{
    json_t *tree CLEANUP(json_release) = NULL;
    struct ctx scratch = { .arena = arena };
    struct relations relations = { 0 };

    /* Composed ones say so themselves. */
    if ((fingerprint && map_get(own, fingerprint)) || strstr(sql, "/* pgmend */"))
        return true;
    if (!strcasestr(sql, "pg_") && !strcasestr(sql, "information_schema") &&
        !strcasestr(sql, "pgmend"))
        return false;
    if (!sql_parse(&scratch, sql, &tree))
        return false;
    find_relations(arena, tree, true, &relations);
    find_relations(arena, tree, false, &relations);
    /* Applications do not qualify what is found anyway; drivers and tools do. */
    return relations.others == 0 &&
           (relations.catalogues > 0 || strstr(sql, "pg_catalog.") != NULL);
}
