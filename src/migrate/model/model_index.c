/* Indexes. */

#include <string.h>

#include "migrate/model/model_apply.h"

struct relation *
unique_index_of(const struct relation *table, const struct text_list *columns)
{
    for (size_t i = 0; i < table->indexes.count; i++) {
        const struct index *index = table->indexes.items[i]->index;
        struct text_list keys = { 0 };
        const char *names[32];
        bool is_plain = index->is_unique && !index->where && index->keys.count <= COUNT_OF(names);

        for (size_t k = 0; is_plain && k < index->keys.count; k++) {
            names[k] = index->keys.items[k].column;
            is_plain = names[k] != NULL;
        }
        keys.items = names;
        keys.count = index->keys.count;
        if (is_plain && names_match(&keys, columns))
            return table->indexes.items[i];
    }
    return NULL;
}

/* Types that an access method has no default operator class for; source: pg_opclass. */
static const char *const without_btree[] = { "xid", "cid", "json", "point", "lseg", "path", "box",
    "polygon", "line", "circle", "refcursor", "jsonpath", "txid_snapshot", "xml", NULL };
static const char *const without_hash[] = { "json", "point", "lseg", "path", "box", "polygon",
    "line", "circle", "money", "bit", "bit varying", "tsvector", "tsquery", "jsonpath", "xml",
    NULL };
static const char *const without_inverted[] = { "bigint", "boolean", "bytea", "character",
    "character varying", "date", "double precision", "inet", "integer", "interval", "json", "money",
    "numeric", "real", "smallint", "text", "time with time zone", "time without time zone",
    "timestamp with time zone", "timestamp without time zone", "uuid", "xml", NULL };

struct method {
    const char *name;
    const char *const *without;
    const char *mended_by;
    bool takes_arrays;
};

static const struct method methods[] = {
    { "btree", without_btree, NULL, true },
    { "hash", without_hash, NULL, true },
    { "gin", without_inverted, "btree_gin", true },
    { "gist", without_inverted, "btree_gist", false },
    { "spgist", NULL, NULL, true },
    { "brin", NULL, NULL, true },
    { "hnsw", without_inverted, NULL, false },
    { "ivfflat", without_inverted, NULL, false },
};

static const struct method *
method_find(const char *name)
{
    for (size_t i = 0; name && i < COUNT_OF(methods); i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

static bool
is_one_of(const char *const *names, const char *name)
{
    for (size_t i = 0; names && name && names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* What the column must be for the operator class; a class that is not here takes anything. */
struct operator_class {
    const char *name;
    const char *type;
};

static const struct operator_class classes[] = {
    { "vector_cosine_ops", "vector" },
    { "vector_ip_ops", "vector" },
    { "vector_l1_ops", "vector" },
    { "vector_l2_ops", "vector" },
    { "gin_trgm_ops", "text" },
    { "gist_trgm_ops", "text" },
    { "jsonb_ops", "jsonb" },
    { "jsonb_path_ops", "jsonb" },
    { "text_pattern_ops", "text" },
    { "varchar_pattern_ops", "text" },
};

static bool
accepts(const char *class, const struct type *type)
{
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        if (strcmp(classes[i].name, class) != 0)
            continue;
        if (type->dimensions > 0)
            return false;
        return strcmp(classes[i].type, type->name) == 0 ||
               (strcmp(classes[i].type, "text") == 0 &&
                   strcmp(type->name, "character varying") == 0);
    }
    return true;
}

static bool
check_class(struct act *act, const struct index *index, const struct index_key *key,
    const struct model_column *column, const struct type *plain)
{
    const char *extension = extension_of("class", key->opclass);
    struct model *model = act->model;

    if (extension_is_missing(act, extension))
        return act_refuse(act,
            &(struct fault){ .sqlstate = "42704",
                .object = key->opclass,
                .first = model_dropped(model, extension),
                .is_doubtful = model->vague_since || model->has_baseline },
            "operator class \"%s\" does not exist for access method \"%s\"", key->opclass,
            index->method);
    if (column && type_is_builtin(plain) && !accepts(key->opclass, plain))
        return act_refuse(act,
            &(struct fault){
                .sqlstate = "42804", .object = column->column.name, .first = &column->origin },
            "operator class \"%s\" does not accept data type %s", key->opclass,
            type_text(model->arena, plain));
    return true;
}

bool
check_operators(struct act *act, struct relation *table, const struct index *index)
{
    const struct method *method = method_find(index->method);

    for (size_t i = 0; i < index->keys.count; i++) {
        const struct index_key *key = &index->keys.items[i];
        const struct model_column *column = relation_column(table, key->column);
        struct type plain = { 0 };
        bool lacks;

        if (column) {
            plain.name = column->column.type.name;
            plain.schema = column->column.type.schema;
            plain.dimensions = column->column.type.dimensions;
        }
        if (key->opclass) {
            if (!check_class(act, index, key, column, &plain))
                return false;
            continue;
        }
        if (!column || !method || column->made_of || !type_is_builtin(&plain) ||
            (method->mended_by && map_get(&act->model->extensions, method->mended_by)))
            continue;
        lacks =
            plain.dimensions > 0 ? !method->takes_arrays : is_one_of(method->without, plain.name);
        if (lacks &&
            !act_refuse(act,
                &(struct fault){
                    .sqlstate = "42704", .object = column->column.name, .first = &column->origin },
                "data type %s has no default operator class for access method \"%s\"",
                type_text(act->model->arena, &plain), method->name))
            return false;
    }
    return true;
}

struct relation *
add_index(struct act *act, struct relation *table, struct index *index, const char *name)
{
    struct model *model = act->model;
    struct relation *made;

    if (name) {
        made = relation_new(act, table->schema, name, RELATION_INDEX);
    } else {
        made = ARENA_NEW(model->arena, struct relation);
        *made = (struct relation){ .schema = table->schema,
            .name = "?",
            .kind = RELATION_INDEX,
            .presence = act_presence(act),
            .origin = act->origin };
        table->hides_names = true;
    }
    made->table = table;
    made->index = index;
    VEC_PUSH(model->arena, &table->indexes, made);
    return made;
}

static bool
check_columns(struct act *act, struct relation *table, const struct index *index)
{
    const struct text_list *include = &index->include;

    for (size_t i = 0; i < index->uses.count; i++)
        if (index->uses.items[i] && !name_equal(table->name, index->uses.items[i]) &&
            !need_column(act, table, index->uses.items[i], MISSING_PLAIN))
            return false;
    for (size_t i = 0; i < index->keys.count; i++)
        if (index->keys.items[i].column &&
            !need_column(act, table, index->keys.items[i].column, MISSING_PLAIN))
            return false;
    for (size_t i = 0; i < include->count; i++)
        if (include->items[i] && !need_column(act, table, include->items[i], MISSING_PLAIN))
            return false;
    return true;
}

static bool
is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_';
}

/* Behind the parenthesis that closes the one at open. */
static const char *
skip_parentheses(const char *open)
{
    int depth = 0;

    for (const char *at = open; *at; at++) {
        depth += *at == '(';
        depth -= *at == ')';
        if (depth == 0)
            return at + 1;
    }
    return open + strlen(open);
}

/*
 * "lower" of lower(email), "a" of a::text, "case" of CASE …, "expr" of everything else. Source:
 * FigureIndexColname().
 */
static const char *
expression_name(struct arena *arena, const char *expression)
{
    const char *start = expression ? expression : "";
    const char *end = start;
    const char *behind;

    while (is_name_byte(*end))
        end++;
    behind = *end == '(' ? skip_parentheses(end) : end;
    while (*behind == ' ')
        behind++;
    if (strncasecmp(start, "case", 4) == 0 && start[4] == ' ')
        return "case";
    /* A cast to a type is no operation that hides the name. */
    if (text_starts_with(behind, "::"))
        behind += 2 + strspn(behind + 2, "abcdefghijklmnopqrstuvwxyz0123456789_ ()[],\"");
    return end > start && !*behind ? arena_strndup(arena, start, (size_t)(end - start)) : "expr";
}

/*
 * The part of a chosen name that says what an exclusion constraint is about, read from
 * "USING gist (a WITH =, lower(b) WITH &&)".
 */
const char *
exclusion_part(struct arena *arena, const struct constraint *constraint)
{
    const char *at = constraint->expression ? strchr(constraint->expression, '(') : NULL;
    struct text_list names = { 0 };

    while (at && (*at == '(' || *at == ',')) {
        const char *end = at + 1 + strspn(at + 1, " ");
        bool is_enclosed = *end == '(';
        const char *start = end + is_enclosed;
        size_t length;

        while (is_name_byte(*end))
            end++;
        if (*end == '(')
            end = skip_parentheses(end);
        length = (size_t)(end - start) - (is_enclosed && end > start);
        text_list_add(arena, &names, expression_name(arena, arena_strndup(arena, start, length)));
        while (*end && *end != ',' && *end != ')')
            end = *end == '(' ? skip_parentheses(end) : end + 1;
        at = end;
    }
    return name_join_columns(arena, names.count > 0 ? &names : &constraint->columns);
}

/* A name for an index without one; source: ChooseIndexName() and ChooseIndexColumnNames(). */
const char *
index_choose_name(struct model *model, const struct relation *table, const struct index *index)
{
    struct text_list names = { 0 };
    size_t total = index->keys.count + index->include.count;

    for (size_t i = 0; i < total; i++) {
        const struct index_key *key = i < index->keys.count ? &index->keys.items[i] : NULL;
        const char *base = key ? key->column : index->include.items[i - index->keys.count];
        const char *name;
        int pass = 0;

        if (!base && key)
            base = expression_name(model->arena, key->expression);
        if (!base)
            continue;
        name = base;
        while (text_list_has(&names, name))
            name = arena_printf(model->arena, "%s%d", base, ++pass);
        text_list_add(model->arena, &names, name);
    }
    return model_choose_name(model, table, name_join_columns(model->arena, &names), "idx");
}

static bool
check_transaction(struct act *act, const char *command)
{
    if (!act->step->concurrently || !act->model->in_transaction || act->step->in_autocommit)
        return true;
    return act_refuse(act, &(struct fault){ .sqlstate = "25001", .object = act->step->object.name },
        "%s CONCURRENTLY cannot run inside a transaction block", command);
}

static void
check_new_values(struct act *act, const struct relation *table, const struct index *index)
{
    for (size_t i = 0; i < index->uses.count; i++) {
        const struct model_column *column = relation_column(table, index->uses.items[i]);

        if (column)
            check_new_value(act, column, index->where);
    }
}

static bool
check_method(struct act *act, const struct index *index)
{
    const char *extension = extension_of("method", index->method);
    const struct model *model = act->model;
    bool is_known = method_find(index->method) || extension;

    if (is_known ? !extension_is_missing(act, extension) : !extensions_are_known(model))
        return true;
    return act_refuse(act,
        &(struct fault){ .sqlstate = "42704",
            .object = index->method,
            .first = model_dropped(model, extension ? extension : ""),
            .is_doubtful = model->vague_since || model->has_baseline },
        "access method \"%s\" does not exist", index->method);
}

/* The relation an index can be on, or NULL. */
static struct relation *
need_indexable(struct act *act)
{
    struct relation *table = need_relation(act, act->step->table, "relation");

    if (!table || table->kind == RELATION_TABLE || table->kind == RELATION_MATVIEW)
        return table;
    act_refuse(act,
        &(struct fault){ .sqlstate = "42809", .object = table->name, .first = &table->origin },
        table->kind == RELATION_INDEX ? "\"%s\" is an index"
                                      : "cannot create index on relation \"%s\"",
        table->name);
    return NULL;
}

void
apply_create_index(struct act *act)
{
    const struct step *step = act->step;
    struct index *index = step->index;
    const char *name = index ? index->name : NULL;
    struct object_name there;
    struct relation *table;

    /* What a transaction forbids is told, but the index is there for what comes after. */
    check_transaction(act, "CREATE INDEX");
    table = need_indexable(act);
    if (!table || !index)
        return;
    if (step->concurrently && table->is_partitioned) {
        act_refuse(act, &(struct fault){ .sqlstate = "0A000", .object = table->name },
            "cannot create index on partitioned table \"%s\" concurrently", table->name);
        return;
    }
    if (!check_method(act, index) || !check_columns(act, table, index) ||
        !check_operators(act, table, index))
        return;
    check_new_values(act, table, index);
    if (!name && !index->is_name_unknown)
        name = index_choose_name(act->model, table, index);
    there = (struct object_name){ table->schema, name };
    if (name && model_relation(act->model, there) && (step->if_not_exists || act->is_maybe))
        return;
    if (!name || need_free_name(act, table->schema, name, false))
        add_index(act, table, index, name);
    for (size_t i = 0; !step->is_only && table->is_partitioned && i < table->children.count; i++)
        add_index(act, table->children.items[i], index,
            index_choose_name(act->model, table->children.items[i], index));
}

void
apply_drop_index(struct act *act)
{
    const struct step *step = act->step;
    struct model *model = act->model;
    struct relation *index = model_relation(model, step->object);
    const struct origin *by;

    check_transaction(act, "DROP INDEX");
    if (!index && (step->if_exists || !step->object.name))
        return;
    if (!index) {
        struct relation *table = model_relation(model, step->table);
        const struct step *vague = model->vague_since;

        /* The index may be one whose name is unknown. */
        if (table && (table->hides_names || table->is_vague) && !vague)
            model->vague_since = step;
        need_relation(act, step->object, "index");
        model->vague_since = vague;
        return;
    }
    if (!(index = need_relation(act, step->object, "index")))
        return;
    if (act->is_maybe) {
        index->presence = MAYBE;
        return;
    }
    if (index->backs) {
        const char *constraint = index->backs->constraint.name;

        act_refuse(act,
            &(struct fault){
                .sqlstate = "2BP01", .object = index->name, .first = &index->backs->origin },
            "cannot drop index %s because constraint %s on table %s requires it",
            name_described(model, index->schema, index->name), constraint ? constraint : "?",
            name_described(model, index->table->schema, index->table->name));
        return;
    }
    by = step->cascade ? NULL : index_needed_by(index);
    if (by && !refuse_needed(act,
                  arena_printf(
                      model->arena, "index %s", name_described(model, index->schema, index->name)),
                  name_shown(model->arena, index->schema, index->name, NULL), by, false))
        return;
    remove_index(act, index);
}
