/* ALTER DEFAULT PRIVILEGES: what a new object gets beyond the standard rights. */
#include "catalog/ddl_rights.h"

/* The kind of objects, as the name of such an entry ends. */
static const char *kind_of(enum schema_class class)
{
    switch ((int)class) {
    case SCHEMA_tables:
        return " ON TABLES";
    case SCHEMA_sequences:
        return " ON SEQUENCES";
    case SCHEMA_functions:
        return " ON FUNCTIONS";
    case SCHEMA_types:
        return " ON TYPES";
    case SCHEMA_schemas:
        return " ON SCHEMAS";
    default:
        return NULL;
    }
}

/* "FOR ROLE a IN SCHEMA b ON TABLES": whether an object in that schema is meant. */
static bool
is_for(const struct ddl *ddl, const struct sql_schema_others *entry, enum schema_class class,
    const void *item)
{
    const char *kind = kind_of(class);
    const char *schema_name = ddl_member(class, item, "schema");

    if (!kind || !text_equal(entry->kind, "default privileges") ||
        !text_ends_with(entry->name, kind))
        return false;
    if (!strstr(entry->name, " IN SCHEMA "))
        return true;
    return schema_name && text_ends_with(entry->name, arena_printf(ddl->arena, " IN SCHEMA %s%s",
                                                          db_ident(ddl->arena, schema_name), kind));
}

/* "SELECT, INSERT" to letters. */
static const char *
letters_of(struct arena *arena, const char *words, size_t length, bool is_grantable)
{
    struct buffer letters = { .arena = arena };

    while (length > 0) {
        const char *comma = memchr(words, ',', length);
        size_t word = comma ? (size_t)(comma - words) : length;
        char letter = rights_letter(words, word);

        if (letter)
            buffer_printf(&letters, "%c%s", letter, is_grantable ? "*" : "");
        word += comma ? strlen(", ") : 0;
        word = word < length ? word : length;
        words += word;
        length -= word;
    }
    return buffer_text(&letters);
}

/* One line of an entry: "ALTER DEFAULT PRIVILEGES … GRANT SELECT ON TABLES TO a". */
static void
read_line(const struct ddl *ddl, const char *line, const char *kind, struct grants *added,
    struct grants *taken)
{
    static const char option[] = " WITH GRANT OPTION";
    bool is_grantable = text_ends_with(line, option);
    const char *grant = strstr(line, " GRANT ");
    const char *revoke = strstr(line, " REVOKE ");
    bool gives = grant && (!revoke || grant < revoke);
    const char *words = gives    ? grant + strlen(" GRANT ")
                        : revoke ? revoke + strlen(" REVOKE ")
                                 : NULL;
    const char *on = words ? strstr(words, kind) : NULL;
    const char *role = on ? strchr(on + strlen(kind) + 1, ' ') : NULL;
    struct grant item = { .grantor = RIGHTS_OWNER };

    if (!role)
        return;
    role++;
    if (is_grantable)
        role = arena_strndup(ddl->arena, role, strlen(role) - strlen(option));
    item.grantee = text_equal(role, "PUBLIC") ? "" : schema_next_name(ddl->arena, &role);
    item.rights = letters_of(ddl->arena, words, (size_t)(on - words), is_grantable);
    if (item.grantee)
        rights_add(ddl->arena, gives ? added : taken, &item);
}

void
rights_add_default(const struct ddl *ddl, const struct schema *standing, enum schema_class class,
    const void *item, struct grants *ret_added, struct grants *ret_taken)
{
    for (size_t i = 0; i < standing->others.count; i++) {
        const struct sql_schema_others *entry = &standing->others.items[i];
        const char *text = entry->definition;

        if (!is_for(ddl, entry, class, item))
            continue;
        while (*text) {
            size_t length = strcspn(text, "\n");

            read_line(
                ddl, arena_strndup(ddl->arena, text, length), kind_of(class), ret_added, ret_taken);
            text += length + (text[length] == '\n');
        }
    }
}
