/* Operators beside those of B-trees, and what finds them. */
#include <string.h>

#include "db/ident.h"
#include "index/candidate/term.h"

/* Types as far as the choice of a class needs them. */
enum family {
    FAMILY_NONE,
    FAMILY_TEXT,
    FAMILY_JSON,
    FAMILY_ARRAY,
    FAMILY_RANGE,
    FAMILY_WORDS, /* tsvector */
    FAMILY_NET,
    FAMILY_PLACE, /* point, box, polygon, circle; also PostGIS */
    FAMILY_HSTORE,
    FAMILY_LTREE,
};

struct operator_row {
    enum family family;
    const char *operator;
    const char *method;
    const char *opclass; /* NULL: the default */
    enum candidate_role role;
};

#define TRGM "gin_trgm_ops"

static const struct operator_row rows[] = {
    { FAMILY_TEXT, "~~", "gin", TRGM, ROLE_PATTERN },
    { FAMILY_TEXT, "~~*", "gin", TRGM, ROLE_PATTERN },
    { FAMILY_TEXT, "~", "gin", TRGM, ROLE_PATTERN },
    { FAMILY_TEXT, "~*", "gin", TRGM, ROLE_PATTERN },
    { FAMILY_TEXT, "%", "gin", TRGM, ROLE_PATTERN },
    { FAMILY_TEXT, "<%", "gin", TRGM, ROLE_PATTERN },
    { FAMILY_TEXT, "%>", "gin", TRGM, ROLE_PATTERN },
    { FAMILY_TEXT, "<<%", "gin", TRGM, ROLE_PATTERN },
    { FAMILY_TEXT, "%>>", "gin", TRGM, ROLE_PATTERN },
    { FAMILY_JSON, "@>", "gin", "jsonb_path_ops", ROLE_CONTAINS },
    { FAMILY_JSON, "@?", "gin", "jsonb_path_ops", ROLE_CONTAINS },
    { FAMILY_JSON, "@@", "gin", "jsonb_path_ops", ROLE_CONTAINS },
    { FAMILY_JSON, "?", "gin", NULL, ROLE_CONTAINS },
    { FAMILY_JSON, "?|", "gin", NULL, ROLE_CONTAINS },
    { FAMILY_JSON, "?&", "gin", NULL, ROLE_CONTAINS },
    { FAMILY_ARRAY, "@>", "gin", NULL, ROLE_CONTAINS },
    { FAMILY_ARRAY, "<@", "gin", NULL, ROLE_CONTAINS },
    { FAMILY_ARRAY, "&&", "gin", NULL, ROLE_CONTAINS },
    { FAMILY_WORDS, "@@", "gin", NULL, ROLE_CONTAINS },
    { FAMILY_WORDS, "@@@", "gin", NULL, ROLE_CONTAINS },
    { FAMILY_RANGE, "&&", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_RANGE, "@>", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_RANGE, "<@", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_RANGE, "<<", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_RANGE, ">>", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_RANGE, "-|-", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_RANGE, "&<", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_RANGE, "&>", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_NET, "&&", "gist", "inet_ops", ROLE_CONTAINS },
    { FAMILY_NET, "<<", "gist", "inet_ops", ROLE_CONTAINS },
    { FAMILY_NET, "<<=", "gist", "inet_ops", ROLE_CONTAINS },
    { FAMILY_NET, ">>", "gist", "inet_ops", ROLE_CONTAINS },
    { FAMILY_NET, ">>=", "gist", "inet_ops", ROLE_CONTAINS },
    { FAMILY_PLACE, "&&", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_PLACE, "@>", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_PLACE, "<@", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_PLACE, "<<", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_PLACE, ">>", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_PLACE, "~=", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_HSTORE, "@>", "gin", NULL, ROLE_CONTAINS },
    { FAMILY_HSTORE, "?", "gin", NULL, ROLE_CONTAINS },
    { FAMILY_HSTORE, "?|", "gin", NULL, ROLE_CONTAINS },
    { FAMILY_HSTORE, "?&", "gin", NULL, ROLE_CONTAINS },
    { FAMILY_LTREE, "@>", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_LTREE, "<@", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_LTREE, "~", "gist", NULL, ROLE_CONTAINS },
    { FAMILY_LTREE, "?", "gist", NULL, ROLE_CONTAINS },
};

static bool
is_one_of(const char *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(text, names[i]))
            return true;
    return false;
}

static enum family
family_of_column(const struct fact_column *column)
{
    static const char *const texts[] = { "text", "varchar" };
    static const char *const places[] = { "point", "box", "polygon", "circle", "geometry",
        "geography" };
    static const struct {
        const char *type;
        enum family family;
    } types[] = { { "jsonb", FAMILY_JSON }, { "tsvector", FAMILY_WORDS }, { "inet", FAMILY_NET },
        { "cidr", FAMILY_NET }, { "hstore", FAMILY_HSTORE }, { "ltree", FAMILY_LTREE } };

    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (text_equal(column->base_type, types[i].type))
            return types[i].family;
    if (is_one_of(column->base_type, texts, COUNT_OF(texts)))
        return FAMILY_TEXT;
    if (is_one_of(column->base_type, places, COUNT_OF(places)))
        return FAMILY_PLACE;
    if (column->category == 'A')
        return FAMILY_ARRAY;
    return column->category == 'R' ? FAMILY_RANGE : FAMILY_NONE;
}

/* The server does not say of which type an expression is; the operators tell nearly always. */
static enum family
family_of_expression(const struct explained_expr *key, const char *operator)
{
    if (key->kind == EXPLAINED_FUNCTION && text_ends_with(key->name, "range"))
        return FAMILY_RANGE;
    if (text_equal(operator, "@@"))
        return FAMILY_WORDS;
    if (key->kind == EXPLAINED_OPERATOR &&
        (text_equal(key->name, "->") || text_equal(key->name, "#>")))
        return FAMILY_JSON;
    return FAMILY_TEXT;
}

static bool
set_trgm(struct arena *arena, const struct facts *facts, const char *opclass,
    struct candidate_operator *ret)
{
    if (!facts->trgm_schema && !facts->can_have_trgm)
        return false;
    ret->opclass = facts->trgm_schema ? db_qualified(arena, facts->trgm_schema, opclass) : opclass;
    ret->extension = facts->trgm_schema ? NULL : "pg_trgm";
    return true;
}

bool
candidate_operator_find(struct arena *arena, const struct facts *facts, const char *operator,
    const struct explained_expr * key, const struct fact_column *column,
    struct candidate_operator *ret)
{
    enum family family = column ? family_of_column(column) : family_of_expression(key, operator);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct operator_row *row = &rows[i];

        if (row->family != family || !text_equal(row->operator, operator))
            continue;
        *ret = (struct candidate_operator){
            .method = row->method, .opclass = row->opclass, .role = row->role
        };
        return family != FAMILY_TEXT || set_trgm(arena, facts, TRGM, ret);
    }
    return false;
}

/* Dimensions of "vector(1536)"; 0: not given. */
static int64_t
dimensions_of(const struct fact_column *column)
{
    const char *open = strchr(column->type, '(');
    int64_t dimensions = 0;

    for (open = open ? open + 1 : ""; *open >= '0' && *open <= '9' && dimensions < 1000000; open++)
        dimensions = dimensions * 10 + (*open - '0');
    return dimensions;
}

static bool
set_vector(struct arena *arena, const struct facts *facts, const char *operator,
    const struct fact_column * column, struct candidate_operator *ret)
{
    static const struct {
        const char *type;
        int64_t most; /* dimensions that an HNSW index takes: README of pgvector */
    } types[] = { { "vector", 2000 }, { "halfvec", 4000 } };
    static const struct {
        const char *operator;
        const char *class;
    } classes[] = { { "<->", "l2" }, { "<#>", "ip" }, { "<=>", "cosine" }, { "<+>", "l1" } };

    for (size_t i = 0; i < COUNT_OF(types); i++)
        for (size_t j = 0; j < COUNT_OF(classes); j++) {
            int64_t dimensions = dimensions_of(column);

            if (!text_equal(column->base_type, types[i].type) ||
                !text_equal(operator, classes[j].operator))
                continue;
            ret->method = "hnsw";
            ret->is_approximate = true;
            ret->opclass = db_qualified(arena, facts->vector_schema,
                arena_printf(arena, "%s_%s_ops", types[i].type, classes[j].class));
            return dimensions > 0 && dimensions <= types[i].most;
        }
    return false;
}

bool
candidate_operator_distance(struct arena *arena, const struct facts *facts, const char *operator,
    const struct fact_column * column, struct candidate_operator *ret)
{
    static const char *const similar[] = { "<->", "<<->", "<->>", "<<<->", "<->>>" };
    enum family family = family_of_column(column);

    *ret = (struct candidate_operator){ .method = "gist", .role = ROLE_DISTANCE };
    if (facts->vector_schema && set_vector(arena, facts, operator, column, ret))
        return true;
    if (family == FAMILY_TEXT && is_one_of(operator, similar, COUNT_OF(similar)))
        return set_trgm(arena, facts, "gist_trgm_ops", ret);
    return family == FAMILY_PLACE && text_equal(operator, "<->");
}
