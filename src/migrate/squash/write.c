#include <ctype.h>

#include "base/crypto.h"
#include "base/json.h"
#include "migrate/squash/write_sql.h"

enum { ID_LENGTH = 12 };

/* ---- what all of write_*.c use ---- */

void
write_up_sql(struct writing *writing, const char *sql)
{
    text_list_add(writing->arena, &writing->up, py_execute(writing->arena, sql, &writing->uses_sa));
    writing->statements++;
}

void
write_down_sql(struct writing *writing, const char *sql)
{
    text_list_add(
        writing->arena, &writing->down, py_execute(writing->arena, sql, &writing->uses_sa));
}

static const char *
call_text(struct arena *arena, const struct py *call)
{
    struct buffer out = { .arena = arena };

    buffer_add(&out, "    ");
    py_write(&out, call, 4);
    return buffer_text(&out);
}

void
write_up_call(struct writing *writing, const struct py *call)
{
    text_list_add(writing->arena, &writing->up, call_text(writing->arena, call));
    writing->operations++;
}

void
write_down_call(struct writing *writing, const struct py *call)
{
    text_list_add(writing->arena, &writing->down, call_text(writing->arena, call));
}

bool
write_is_plain_name(const char *name)
{
    /* Reserved for the server, but not in SQLAlchemy's list. */
    static const char *const unknown[] = { "collation", "concurrently", "lateral", "tablesample",
        "system_user" };

    for (size_t i = 0; i < COUNT_OF(unknown); i++)
        if (text_equal(name, unknown[i]))
            return false;
    return !strchr(name, '.');
}

const char *
write_schema_name(const struct writing *writing, const char *schema)
{
    return writing->is_qualified || !text_equal(schema, "public") ? schema : NULL;
}

struct py *
write_text(struct writing *writing, const char *sql)
{
    const char *text = py_escape_sql(writing->arena, sql);
    struct py *call = py_call(writing->arena, "sa.text");

    if (!text)
        return NULL;
    py_add_string(writing->arena, call, NULL, text);
    writing->uses_sa = true;
    return call;
}

bool
write_names(struct arena *arena, const char *json, struct text_list *ret)
{
    json_t *array CLEANUP(json_release) = json ? json_loads(json, 0, NULL) : NULL;
    const json_t *item;
    size_t i;

    if (!json_is_array(array))
        return false;
    json_array_foreach(array, i, item)
    {
        if (!json_is_string(item))
            return false;
        text_list_add(arena, ret, arena_strdup(arena, json_string_value(item)));
    }
    return true;
}

/* ---- the text of a file ---- */

/* What is between two statements: a blank line where one of them has several lines. */
static void
add_body(struct buffer *out, const struct text_list *statements, bool is_reversed)
{
    bool was_long = false;

    if (statements->count == 0)
        buffer_add(out, "    pass\n");
    for (size_t i = 0; i < statements->count; i++) {
        const char *text = statements->items[is_reversed ? statements->count - 1 - i : i];
        bool is_long = strchr(text, '\n') != NULL;

        if (i > 0 && (is_long || was_long))
            buffer_add(out, "\n");
        buffer_printf(out, "%s\n", text);
        was_long = is_long;
    }
}

/* A name in the docstring, where backslashes and quotes would end or change it. */
static const char *
docstring_text(struct arena *arena, const char *text)
{
    struct buffer out = { .arena = arena };

    for (; *text; text++) {
        bool is_control = (unsigned char)*text < ' ' || *text == 0x7f;

        if (*text == '\\' || *text == '"')
            buffer_add(&out, "\\");
        buffer_append(&out, is_control ? " " : text, 1);
    }
    return buffer_text(&out);
}

static const char *
body_text(struct writing *writing)
{
    struct buffer out = { .arena = writing->arena };

    buffer_add(&out, "def upgrade():\n");
    add_body(&out, &writing->up, false);
    buffer_add(&out, "\n\ndef downgrade():\n");
    add_body(&out, &writing->down, true);
    return buffer_text(&out);
}

static const char *
file_text(struct writing *writing, const struct squash_file *file, const char *body)
{
    struct arena *arena = writing->arena;
    struct buffer out = { .arena = arena };
    const char *created = writing->options->created;

    buffer_printf(&out, "\"\"\"%s\n\nRevision ID: %s\nRevises:%s%s\n",
        docstring_text(arena, file->title), docstring_text(arena, file->id), file->down ? " " : "",
        file->down ? file->down : "");
    if (created)
        buffer_printf(&out, "Create Date: %s\n", created);
    if (text_equal(file->id, writing->options->head))
        buffer_printf(&out,
            "\nThis revision and those that it follows stand for %zu older ones; it keeps the id\n"
            "of the last of them, so a database that is there needs nothing.\n",
            writing->options->replaced);
    buffer_add(&out, "\"\"\"\nfrom alembic import op\n");
    if (writing->uses_sa)
        buffer_add(&out, "import sqlalchemy as sa\n");
    if (writing->uses_postgresql)
        buffer_add(&out, "from sqlalchemy.dialects import postgresql\n");
    buffer_printf(&out, "\nrevision = %s\ndown_revision = %s\nbranch_labels = None\n",
        py_literal(arena, file->id), file->down ? py_literal(arena, file->down) : "None");
    buffer_printf(&out, "depends_on = None\n\n\n%s", body);
    return buffer_text(&out);
}

/* ---- the files ---- */

static const char *
owner_of_most(const struct schema *schema)
{
    const char *best = "";
    size_t most = 0;

    for (size_t i = 0; i < schema->tables.count; i++) {
        const char *owner = schema->tables.items[i].owner;
        size_t count = 0;

        if (text_equal(owner, best))
            continue;
        for (size_t k = 0; k < schema->tables.count; k++)
            count += text_equal(schema->tables.items[k].owner, owner);
        if (count > most) {
            most = count;
            best = owner;
        }
    }
    for (size_t i = 0; most == 0 && i < schema->functions.count; i++)
        best = schema->functions.items[i].owner;
    return best;
}

/* The role that ran Alembic: it owns the one table that is in no group, Alembic's. */
static const char *
find_runner(struct arena *arena, const struct schema *schema, const struct squash_plan *plan)
{
    bool *is_planned = ARENA_ARRAY(arena, bool, schema->tables.count + 1);

    for (size_t i = 0; i < plan->groups.count; i++)
        for (size_t k = 0; k < plan->groups.items[i].objects.count; k++)
            if (plan->groups.items[i].objects.items[k].class == SCHEMA_tables)
                is_planned[plan->groups.items[i].objects.items[k].index] = true;
    for (size_t i = 0; i < schema->tables.count; i++)
        if (!is_planned[i])
            return schema->tables.items[i].owner;
    return owner_of_most(schema);
}

/* Where public is the only schema, names go without it. */
static bool
has_other_schemas(const struct schema *schema)
{
    for (size_t i = 0; i < schema->schemas.count; i++)
        if (!text_equal(schema->schemas.items[i].name, "public"))
            return true;
    return false;
}

static void
write_group(struct writing *writing, const struct squash_group *group)
{
    struct arena *arena = writing->arena;

    writing->here = (struct map){ .arena = arena };
    writing->inlined = (struct map){ .arena = arena };
    writing->position = (struct map){ .arena = arena };
    writing->up = writing->down = (struct text_list){ 0 };
    writing->uses_sa = writing->uses_postgresql = false;
    writing->operations = writing->statements = 0;
    for (size_t i = 0; i < group->objects.count; i++) {
        const struct ddl_ref *ref = &group->objects.items[i];
        const void *item = schema_item(writing->schema, ref->class, ref->index);

        map_set(&writing->position, link_key(arena, ref->class, item), writing);
    }
    for (size_t i = 0; i < group->objects.count; i++)
        write_object(writing, &group->objects.items[i]);
    if (group->has_seeds)
        write_seeds(writing);
}

static bool
has_id(const struct squash_files *files, const char *head, const char *id)
{
    if (text_starts_with(head, id))
        return true;
    for (size_t i = 0; i < files->count; i++)
        if (text_equal(files->items[i].id, id))
            return true;
    return false;
}

/* The same content gives the same id, on whatever machine. */
static const char *
new_id(struct arena *arena, const struct squash_files *files, const char *head, const char *body)
{
    const char *down = files->count > 0 ? files->items[files->count - 1].id : "";

    for (size_t i = 0;; i++) {
        const char *text = arena_printf(arena, "%zu\n%s\n%s\n%s", i, head, down, body);
        const char *id = arena_strndup(arena, sha256_of(arena, text, strlen(text)), ID_LENGTH);

        if (!has_id(files, head, id))
            return id;
    }
}

static bool
check_text(struct ctx *ctx, const struct squash_file *file)
{
    if (text_is_utf8(file->text))
        return true;
    return error_set(ctx, ERR_UNSUPPORTED,
        "\"%s\" cannot be written: a name or text of the schema is not UTF-8", file->name);
}

bool
squash_write(struct ctx *ctx, const struct schema *schema, const struct squash_plan *plan,
    const struct seeds *seeds, const struct squash_write_options *options, struct squash_files *ret)
{
    struct arena *arena = ctx->arena;
    struct links links;
    struct writing writing = { .arena = arena,
        .schema = schema,
        .plan = plan,
        .seeds = seeds,
        .options = options,
        .links = &links,
        .is_qualified = has_other_schemas(schema),
        .runner = find_runner(arena, schema, plan),
        .made = { .arena = arena } };

    *ret = (struct squash_files){ 0 };
    links_build(arena, schema, &links);
    for (size_t i = 0; i < plan->groups.count; i++) {
        const struct squash_group *group = &plan->groups.items[i];
        struct squash_file file = { .title = group->title };
        const char *body;

        write_group(&writing, group);
        body = body_text(&writing);
        file.name = arena_printf(arena, "%04zu_%s.py", i + 1, group->slug);
        file.down = i > 0 ? ret->items[i - 1].id : NULL;
        file.id =
            i + 1 == plan->groups.count ? options->head : new_id(arena, ret, options->head, body);
        file.operations = writing.operations;
        file.statements = writing.statements;
        file.text = file_text(&writing, &file, body);
        if (!check_text(ctx, &file))
            return false;
        VEC_PUSH(arena, ret, file);
    }
    return true;
}
