/* Owners, rights and comments. */
#include "base/json.h"
#include "base/vec.h"
#include "catalog/ddl_part.h"

/* The letters of aclitem; source: the table of privileges in PostgreSQL's manual. */
static const struct {
    char letter;
    const char *word;
} privileges[] = {
    { 'r', "SELECT" },
    { 'a', "INSERT" },
    { 'w', "UPDATE" },
    { 'd', "DELETE" },
    { 'D', "TRUNCATE" },
    { 'x', "REFERENCES" },
    { 't', "TRIGGER" },
    { 'm', "MAINTAIN" },
    { 'U', "USAGE" },
    { 'C', "CREATE" },
    { 'X', "EXECUTE" },
};

struct grant {
    const char *grantee; /* "" is PUBLIC */
    const char *rights;  /* letters, each perhaps with a star */
    const char *grantor;
};

struct grants {
    struct grant *items;
    size_t count;
    size_t capacity;
};

/* A role of an aclitem, perhaps in double quotes; *at then stands behind it. */
static const char *
read_role(struct arena *arena, const char **at, const char *ends)
{
    struct buffer role = { .arena = arena };
    bool is_quoted = false;

    for (; **at && (is_quoted || !strchr(ends, **at)); (*at)++) {
        if (**at == '"' && (*at)[1] == '"' && is_quoted)
            (*at)++;
        else if (**at == '"') {
            is_quoted = !is_quoted;
            continue;
        }
        buffer_append(&role, *at, 1);
    }
    return buffer_text(&role);
}

/* acl is a JSON array of items. */
static void
read_grants(struct arena *arena, const char *acl, struct grants *ret)
{
    json_t *items CLEANUP(json_release) = json_loads(acl, 0, NULL);
    const json_t *item;
    size_t i;

    *ret = (struct grants){ 0 };
    json_array_foreach(items, i, item)
    {
        const char *text = json_is_string(item) ? json_string_value(item) : "";
        struct grant grant = { .grantee = read_role(arena, &text, "=") };

        text += *text == '=';

        size_t length = strcspn(text, "/");

        grant.rights = arena_strndup(arena, text, length);
        text += length + (text[length] == '/');
        grant.grantor = read_role(arena, &text, "");
        VEC_PUSH(arena, ret, grant);
    }
}

/* The rights that an owner has by himself, and then those that everybody has. */
static const char *
standard_rights(
    const struct schema *schema, enum schema_class class, const void *item, bool is_owner)
{
    switch ((int)class) {
    case SCHEMA_schemas:
        return is_owner ? "UC" : "";
    case SCHEMA_tables:
        return !is_owner ? "" : schema && schema->server_major >= 17 ? "arwdDxtm" : "arwdDxt";
    case SCHEMA_sequences:
        return is_owner ? "rwU" : "";
    case SCHEMA_functions:
        return "X";
    case SCHEMA_types:
        return "U";
    case SCHEMA_others:
        return is_owner || text_equal(((const struct sql_schema_others *)item)->kind, "language")
                   ? "U"
                   : "";
    default:
        return "";
    }
}

static void
grants_of(const struct ddl *ddl, enum schema_class class, const void *item, const char *acl,
    struct grants *ret)
{
    const char *owner = ddl_member(class, item, "owner");
    const char *own = standard_rights(ddl->schema, class, item, true);
    const char *everybody = standard_rights(ddl->schema, class, item, false);

    if (acl) {
        read_grants(ddl->arena, acl, ret);
        return;
    }
    *ret = (struct grants){ 0 };
    if (*everybody)
        VEC_PUSH(ddl->arena, ret,
            ((struct grant){ .grantee = "", .rights = everybody, .grantor = owner }));
    if (*own)
        VEC_PUSH(
            ddl->arena, ret, ((struct grant){ .grantee = owner, .rights = own, .grantor = owner }));
}

static const struct grant *
find_grant(const struct grants *grants, const struct grant *like)
{
    for (size_t i = 0; i < grants->count; i++)
        if (text_equal(grants->items[i].grantee, like->grantee) &&
            text_equal(grants->items[i].grantor, like->grantor))
            return &grants->items[i];
    return NULL;
}

enum right { RIGHT_NONE, RIGHT_HELD, RIGHT_GRANTABLE };

static enum right
right_of(const struct grant *grant, char letter)
{
    const char *at = grant ? strchr(grant->rights, letter) : NULL;

    if (!at)
        return RIGHT_NONE;
    return at[1] == '*' ? RIGHT_GRANTABLE : RIGHT_HELD;
}

/* What a statement of rights is about. */
struct subject {
    const char *object; /* "TABLE public.users" */
    const char *column; /* or NULL */
    const char *owner;  /* or NULL */
};

static void
add_statement(const struct ddl *ddl, const struct subject *subject, const struct grant *grant,
    const char *format, const char *rights)
{
    const char *grantee = *grant->grantee ? db_ident(ddl->arena, grant->grantee) : "PUBLIC";
    const char *statement = arena_printf(ddl->arena, "%s ON %s", rights, subject->object);
    bool is_others = subject->owner && !text_equal(subject->owner, grant->grantor);

    /* A right that somebody else passed on has to be passed on by him again. */
    if (is_others)
        ddl_add(ddl, "SET ROLE %s", db_ident(ddl->arena, grant->grantor));
    if (text_equal(format, "GRANT"))
        ddl_add(ddl, "GRANT %s TO %s", statement, grantee);
    else if (text_equal(format, "GRANT OPTION"))
        ddl_add(ddl, "GRANT %s TO %s WITH GRANT OPTION", statement, grantee);
    else if (text_equal(format, "REVOKE OPTION"))
        ddl_add(ddl, "REVOKE GRANT OPTION FOR %s FROM %s", statement, grantee);
    else
        ddl_add(ddl, "REVOKE %s FROM %s", statement, grantee);
    if (is_others)
        ddl_add(ddl, "RESET ROLE");
}

/* Tells the privileges for which both sides stand so, in one statement. */
static void
add_step(const struct ddl *ddl, const struct subject *subject, const struct grant *const sides[2],
    const enum right from[2], const enum right to[2])
{
    struct buffer rights = { .arena = ddl->arena };
    const struct grant *grant = sides[1] ? sides[1] : sides[0];

    for (size_t i = 0; i < COUNT_OF(privileges); i++) {
        enum right old = right_of(sides[0], privileges[i].letter);
        enum right new = right_of(sides[1], privileges[i].letter);

        if (old < from[0] || old > from[1] || new < to[0] || new > to[1])
            continue;
        buffer_printf(&rights, "%s%s", rights.length ? ", " : "", privileges[i].word);
        if (subject->column)
            buffer_printf(&rights, " (%s)", subject->column);
    }
    if (!rights.length)
        return;
    add_statement(ddl, subject, grant,
        to[0] == RIGHT_GRANTABLE ? "GRANT OPTION"
        : to[0] == RIGHT_NONE    ? "REVOKE"
        : from[0] == RIGHT_NONE  ? "GRANT"
                                 : "REVOKE OPTION",
        buffer_text(&rights));
}

static void
add_revokes(const struct ddl *ddl, const struct subject *subject, const struct grants *old,
    const struct grants *new)
{
    for (size_t i = 0; i < old->count; i++) {
        const struct grant *sides[2] = { &old->items[i], find_grant(new, &old->items[i]) };

        add_step(ddl, subject, sides, (enum right[2]){ RIGHT_HELD, RIGHT_GRANTABLE },
            (enum right[2]){ RIGHT_NONE, RIGHT_NONE });
        add_step(ddl, subject, sides, (enum right[2]){ RIGHT_GRANTABLE, RIGHT_GRANTABLE },
            (enum right[2]){ RIGHT_HELD, RIGHT_HELD });
    }
}

static void
add_grants(const struct ddl *ddl, const struct subject *subject, const struct grants *old,
    const struct grants *new)
{
    for (size_t i = 0; i < new->count; i++) {
        const struct grant *sides[2] = { find_grant(old, &new->items[i]), &new->items[i] };

        add_step(ddl, subject, sides, (enum right[2]){ RIGHT_NONE, RIGHT_HELD },
            (enum right[2]){ RIGHT_GRANTABLE, RIGHT_GRANTABLE });
        add_step(ddl, subject, sides, (enum right[2]){ RIGHT_NONE, RIGHT_NONE },
            (enum right[2]){ RIGHT_HELD, RIGHT_HELD });
    }
}

/* "TABLE public.users": what stands after ON. */
static const char *
rights_object(struct arena *arena, enum schema_class class, const void *item)
{
    const char *word = ddl_word(arena, class, item);
    const char *target = ddl_target(arena, class, item);

    if (class == SCHEMA_tables)
        word = "TABLE";
    else if (class == SCHEMA_types)
        word = "TYPE";
    else if (text_equal(word, "SERVER"))
        word = "FOREIGN SERVER";
    if (!text_equal(word, "AGGREGATE"))
        return arena_printf(arena, "%s %s", word, target);

    /* GRANT calls aggregates functions, and knows neither a star nor ORDER BY. */
    const char *order = strstr(target, " ORDER BY ");

    if (text_ends_with(target, "(*)"))
        return arena_printf(
            arena, "FUNCTION %.*s()", (int)(strlen(target) - strlen("(*)")), target);
    if (!order)
        return arena_printf(arena, "FUNCTION %s", target);
    return arena_printf(arena, "FUNCTION %.*s%s%s", (int)(order - target), target,
        order > target && order[-1] == '(' ? "" : ", ", order + strlen(" ORDER BY "));
}

void
ddl_add_rights(const struct ddl *ddl, enum schema_class class, const void *item, const char *from)
{
    const char *acl = ddl_member(class, item, "acl");
    struct subject subject = { .owner = ddl_member(class, item, "owner") };
    struct grants old, new;

    if (text_equal(from, acl))
        return;
    if (class == SCHEMA_columns) {
        const struct sql_schema_columns *column = item;
        const struct sql_schema_tables *table =
            schema_find_table(ddl->schema, column->schema, column->table_name);

        subject.owner = table ? table->owner : NULL;
        subject.column = db_ident(ddl->arena, column->name);
        subject.object = arena_printf(
            ddl->arena, "TABLE %s", db_qualified(ddl->arena, column->schema, column->table_name));
    } else {
        subject.object = rights_object(ddl->arena, class, item);
    }
    grants_of(ddl, class, item, from, &old);
    grants_of(ddl, class, item, acl, &new);
    add_revokes(ddl, &subject, &old, &new);
    add_grants(ddl, &subject, &old, &new);
}

/* The rights as text in which the owner is called by no name. */
static const char *
neutral_rights(struct arena *arena, enum schema_class class, const void *item)
{
    const char *acl = ddl_member(class, item, "acl");
    const char *owner = ddl_member(class, item, "owner");
    struct text_list items = { 0 };
    struct grants grants;

    if (!acl)
        return "";
    read_grants(arena, acl, &grants);
    for (size_t i = 0; i < grants.count; i++) {
        const struct grant *grant = &grants.items[i];

        text_list_add(arena, &items,
            arena_printf(arena, "%s=%s/%s",
                text_equal(grant->grantee, owner) ? "\n" : grant->grantee, grant->rights,
                text_equal(grant->grantor, owner) ? "\n" : grant->grantor));
    }
    for (size_t i = 1; i < items.count; i++)
        for (size_t j = i; j > 0 && strcmp(items.items[j - 1], items.items[j]) > 0; j--) {
            const char *swap = items.items[j];

            items.items[j] = items.items[j - 1];
            items.items[j - 1] = swap;
        }
    return text_list_join(arena, &items, " ");
}

bool
ddl_same_rights(struct arena *arena, enum schema_class class, const void *found, const void *wanted)
{
    if (text_equal(ddl_member(class, found, "acl"), ddl_member(class, wanted, "acl")))
        return true;
    return text_equal(neutral_rights(arena, class, found), neutral_rights(arena, class, wanted));
}

void
ddl_add_owner(const struct ddl *ddl, enum schema_class class, const void *item)
{
    const char *owner = ddl_member(class, item, "owner");

    if (owner)
        ddl_add(ddl, "ALTER %s %s OWNER TO %s", ddl_word(ddl->arena, class, item),
            ddl_target(ddl->arena, class, item), db_ident(ddl->arena, owner));
}

void
ddl_add_comment(const struct ddl *ddl, enum schema_class class, const void *item)
{
    const char *comment = ddl_member(class, item, "comment");

    ddl_add(ddl, "COMMENT ON %s %s IS %s", ddl_word(ddl->arena, class, item),
        ddl_target(ddl->arena, class, item), comment ? db_literal(ddl->arena, comment) : "NULL");
}
