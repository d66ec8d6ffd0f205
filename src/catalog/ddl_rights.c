/* Owners, rights and comments. */
#include "catalog/ddl_rights.h"

#include "base/json.h"

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

char
rights_letter(const char *word, size_t length)
{
    for (size_t i = 0; i < COUNT_OF(privileges); i++)
        if (strlen(privileges[i].word) == length && strncmp(privileges[i].word, word, length) == 0)
            return privileges[i].letter;
    return '\0';
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

static struct grant *
find_grant(const struct grants *grants, const struct grant *like)
{
    for (size_t i = 0; i < grants->count; i++)
        if (text_equal(grants->items[i].grantee, like->grantee) &&
            text_equal(grants->items[i].grantor, like->grantor))
            return &grants->items[i];
    return NULL;
}

/* The rights of both, letters in one order. */
static const char *
united(struct arena *arena, const struct grant *one, const struct grant *other)
{
    struct buffer rights = { .arena = arena };

    for (size_t i = 0; i < COUNT_OF(privileges); i++) {
        enum right first = right_of(one, privileges[i].letter);
        enum right second = right_of(other, privileges[i].letter);
        enum right right = first > second ? first : second;

        if (right != RIGHT_NONE)
            buffer_printf(
                &rights, "%c%s", privileges[i].letter, right == RIGHT_GRANTABLE ? "*" : "");
    }
    return buffer_text(&rights);
}

void
rights_add(struct arena *arena, struct grants *grants, const struct grant *grant)
{
    struct grant *same = find_grant(grants, grant);

    if (same)
        same->rights = united(arena, same, grant);
    else
        VEC_PUSH(arena, grants,
            ((struct grant){ .grantee = grant->grantee,
                .rights = united(arena, grant, NULL),
                .grantor = grant->grantor }));
}

/* ---- what an object has ---- */

/* An object with the schema it is from. */
struct holder {
    const struct schema *schema;
    enum schema_class class;
    const void *item;
};

static const char *
owner_of(const struct holder *holder)
{
    const struct sql_schema_columns *column = holder->item;
    const struct sql_schema_tables *table;

    if (holder->class != SCHEMA_columns)
        return ddl_member(holder->class, holder->item, "owner");
    table = schema_find_table(holder->schema, column->schema, column->table_name);
    return table ? table->owner : NULL;
}

/* The rights that an owner has by himself, or those that everybody has. */
static const char *
standard_rights(const struct holder *holder, bool is_owner)
{
    switch ((int)holder->class) {
    case SCHEMA_schemas:
        return is_owner ? "UC" : "";
    case SCHEMA_tables:
        return !is_owner ? "" : holder->schema->server_major >= 17 ? "arwdDxtm" : "arwdDxt";
    case SCHEMA_sequences:
        return is_owner ? "rwU" : "";
    case SCHEMA_functions:
        return "X";
    case SCHEMA_types:
        return "U";
    case SCHEMA_others:
        return is_owner || text_equal(
                               ((const struct sql_schema_others *)holder->item)->kind, "language")
                   ? "U"
                   : "";
    default:
        return "";
    }
}

static void
add_standard(struct arena *arena, const struct holder *holder, struct grants *ret)
{
    const char *own = standard_rights(holder, true);
    const char *everybody = standard_rights(holder, false);

    if (*everybody)
        rights_add(arena, ret,
            &(struct grant){ .grantee = "", .rights = everybody, .grantor = RIGHTS_OWNER });
    if (*own)
        rights_add(arena, ret,
            &(struct grant){ .grantee = RIGHTS_OWNER, .rights = own, .grantor = RIGHTS_OWNER });
}

/* A role of an aclitem, perhaps in double quotes; *at then stands behind it. */
static const char *
read_role(struct arena *arena, const char **at, const char *ends)
{
    struct buffer role = { .arena = arena };
    bool is_quoted = false;

    for (; **at && (is_quoted || !strchr(ends, **at)); (*at)++) {
        if (**at == '"' && (*at)[1] == '"' && is_quoted) {
            (*at)++;
        } else if (**at == '"') {
            is_quoted = !is_quoted;
            continue;
        }
        buffer_append(&role, *at, 1);
    }
    return buffer_text(&role);
}

static const char *
neutral_role(const char *role, const char *owner, const char *other_owner)
{
    return text_equal(role, owner) || text_equal(role, other_owner) ? RIGHTS_OWNER : role;
}

/*
 * The rights of an object, its owner called RIGHTS_OWNER; so is other_owner (or NULL), to whom it
 * is going to be given.
 */
static void
read_grants(
    struct arena *arena, const struct holder *holder, const char *other_owner, struct grants *ret)
{
    const char *acl = ddl_member(holder->class, holder->item, "acl");
    const char *owner = owner_of(holder);
    json_t *items CLEANUP(json_release) = acl ? json_loads(acl, 0, NULL) : NULL;

    *ret = (struct grants){ 0 };
    if (!acl)
        add_standard(arena, holder, ret);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *text = json_string_value(json_array_get(items, i));
        const char *grantee = read_role(arena, &text, "=");
        const char *rights = *text == '=' ? text + 1 : text;
        size_t length = strcspn(rights, "/");
        const char *grantor = rights[length] ? rights + length + 1 : rights + length;

        rights_add(arena, ret,
            &(struct grant){ .grantee = neutral_role(grantee, owner, other_owner),
                .rights = arena_strndup(arena, rights, length),
                .grantor = neutral_role(read_role(arena, &grantor, ""), owner, other_owner) });
    }
}

/* ---- statements ---- */

/* What the statements are about, and who its owner is by then. */
struct subject {
    const char *object; /* "TABLE public.users" */
    const char *column; /* or NULL */
    const char *owner;  /* as a statement writes it */
};

/* "TABLE public.users": what stands after ON. */
static const char *
rights_object(struct arena *arena, enum schema_class class, const void *item)
{
    const char *word = ddl_word(arena, class, item);
    const char *target = ddl_target(arena, class, item);
    const struct sql_schema_columns *column = item;

    if (class == SCHEMA_columns)
        return arena_printf(
            arena, "TABLE %s", db_qualified(arena, column->schema, column->table_name));
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

static struct subject
subject_of(const struct ddl *ddl, enum schema_class class, const void *item, const char *owner)
{
    struct subject subject = {
        .object = rights_object(ddl->arena, class, item),
        .owner = owner ? db_ident(ddl->arena, owner) : "CURRENT_USER",
    };

    if (class == SCHEMA_columns)
        subject.column = db_ident(ddl->arena, ((const struct sql_schema_columns *)item)->name);
    return subject;
}

enum step { STEP_REVOKE, STEP_REVOKE_OPTION, STEP_GRANT_OPTION, STEP_GRANT };

static bool
is_step(enum step step, enum right old, enum right new)
{
    switch (step) {
    case STEP_REVOKE:
        return old > RIGHT_NONE && new == RIGHT_NONE;
    case STEP_REVOKE_OPTION:
        return old == RIGHT_GRANTABLE && new == RIGHT_HELD;
    case STEP_GRANT_OPTION:
        return old < RIGHT_GRANTABLE && new == RIGHT_GRANTABLE;
    case STEP_GRANT:
        return old == RIGHT_NONE && new == RIGHT_HELD;
    default:
        return false;
    }
}

/* All privileges of one role that go the same way, in one statement. */
static void
add_step(const struct ddl *ddl, const struct subject *subject, enum step step,
    const struct grant *old, const struct grant *new)
{
    static const char *const starts[] = { "REVOKE", "REVOKE GRANT OPTION FOR", "GRANT", "GRANT" };
    const struct grant *grant = new ? new : old;
    struct buffer rights = { .arena = ddl->arena };
    bool is_others = !text_equal(grant->grantor, RIGHTS_OWNER);

    for (size_t i = 0; i < COUNT_OF(privileges); i++) {
        if (!is_step(
                step, right_of(old, privileges[i].letter), right_of(new, privileges[i].letter)))
            continue;
        buffer_printf(&rights, "%s%s", rights.length ? ", " : "", privileges[i].word);
        if (subject->column)
            buffer_printf(&rights, " (%s)", subject->column);
    }
    if (!rights.length)
        return;
    /* A right that somebody passed on has to be passed on by the same one again. */
    if (is_others)
        ddl_add(ddl, "SET ROLE %s", db_ident(ddl->arena, grant->grantor));
    ddl_add(ddl, "%s %s ON %s %s %s%s", starts[step], buffer_text(&rights), subject->object,
        step <= STEP_REVOKE_OPTION ? "FROM" : "TO",
        text_equal(grant->grantee, RIGHTS_OWNER) ? subject->owner
        : *grant->grantee                        ? db_ident(ddl->arena, grant->grantee)
                                                 : "PUBLIC",
        step == STEP_GRANT_OPTION ? " WITH GRANT OPTION" : "");
    if (is_others)
        ddl_add(ddl, "RESET ROLE");
}

static void
add_revokes(const struct ddl *ddl, const struct subject *subject, const struct grants *old,
    const struct grants *new)
{
    for (size_t i = 0; i < old->count; i++) {
        const struct grant *then = find_grant(new, &old->items[i]);

        add_step(ddl, subject, STEP_REVOKE, &old->items[i], then);
        add_step(ddl, subject, STEP_REVOKE_OPTION, &old->items[i], then);
    }
}

static void
add_grants(const struct ddl *ddl, const struct subject *subject, const struct grants *old,
    const struct grants *new)
{
    for (size_t i = 0; i < new->count; i++) {
        const struct grant *before = find_grant(old, &new->items[i]);

        add_step(ddl, subject, STEP_GRANT_OPTION, before, &new->items[i]);
        add_step(ddl, subject, STEP_GRANT, before, &new->items[i]);
    }
}

/* What is taken away by default privileges is perhaps not there. */
static void
remove_rights(struct arena *arena, struct grants *grants, const struct grants *taken)
{
    for (size_t i = 0; i < taken->count; i++) {
        struct grant *grant = find_grant(grants, &taken->items[i]);
        struct buffer left = { .arena = arena };

        for (const char *at = grant ? grant->rights : ""; *at; at++)
            if (*at != '*' && right_of(&taken->items[i], *at) == RIGHT_NONE)
                buffer_printf(&left, "%c%s", *at, at[1] == '*' ? "*" : "");
        if (grant)
            grant->rights = buffer_text(&left);
    }
}

void
ddl_add_rights(const struct ddl *ddl, enum schema_class class, const void *item)
{
    const struct holder holder = { .schema = ddl->schema, .class = class, .item = item };
    const char *owner = ddl->with_owner ? owner_of(&holder) : NULL;
    struct subject subject = subject_of(ddl, class, item, owner);
    struct grants most = { 0 };
    struct grants least = { 0 };
    struct grants taken = { 0 };
    struct grants wanted;

    add_standard(ddl->arena, &holder, &most);
    add_standard(ddl->arena, &holder, &least);
    if (ddl->standing)
        rights_add_default(ddl, ddl->standing, class, item, &most, &taken);
    remove_rights(ddl->arena, &least, &taken);
    read_grants(ddl->arena, &holder, NULL, &wanted);
    add_revokes(ddl, &subject, &most, &wanted);
    add_grants(ddl, &subject, &least, &wanted);
}

void
ddl_change_rights(const struct ddl *ddl, const struct schema *found_schema, enum schema_class class,
    const void *found, const void *wanted)
{
    const struct holder from = { .schema = found_schema, .class = class, .item = found };
    const struct holder to = { .schema = ddl->schema, .class = class, .item = wanted };
    const char *owner = owner_of(ddl->with_owner ? &to : &from);
    struct subject subject = subject_of(ddl, class, wanted, owner);
    struct grants old;
    struct grants new;

    read_grants(ddl->arena, &from, ddl->with_owner ? owner : NULL, &old);
    read_grants(ddl->arena, &to, NULL, &new);
    add_revokes(ddl, &subject, &old, &new);
    add_grants(ddl, &subject, &old, &new);
}

bool
ddl_same_rights(const struct ddl *ddl, const struct schema *found_schema, enum schema_class class,
    const void *found, const void *wanted)
{
    struct text_list statements = { 0 };
    struct ddl tried = *ddl;

    tried.out = &statements;
    ddl_change_rights(&tried, found_schema, class, found, wanted);
    return statements.count == 0;
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
