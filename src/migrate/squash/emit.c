#include "migrate/squash/emit.h"

#include <ctype.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "db/ident.h"
#include "migrate/model/replay.h"
#include "migrate/squash/write_python.h"
#include "sql.h"

enum { ID_LENGTH = 12, SLUG_LENGTH = 40, INDENT = 8 };

struct emitted {
    const char *object; /* quoted where needed */
    const char *schema;
    const char *name;
    const char *definition;
    const char *statement;
    const char *undo;
};

struct emitting {
    struct ctx *ctx;
    VEC(struct emitted) items;
};

/* Nothing can be known of an index that only may be there. */
static bool
is_made(const struct model *model, const struct emitted *item)
{
    const struct object_name name = { .schema = item->schema, .name = item->name };
    const struct relation *relation = model_relation(model, name);

    return relation && relation->kind == RELATION_INDEX && relation->presence == PRESENT;
}

/* "CREATE INDEX CONCURRENTLY i ON t (a)" → "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON …". */
static const char *
make_repeatable(struct arena *arena, const char *statement)
{
    static const char word[] = " CONCURRENTLY ";
    const char *at = strstr(statement, word);
    size_t length;

    if (!at)
        return NULL;
    length = (size_t)(at - statement) + strlen(word);
    return arena_printf(arena, "%.*sIF NOT EXISTS %s", (int)length, statement, statement + length);
}

/* A database that was made anew has entries of the earlier one too: the last one counts. */
static bool
is_last(const struct journal_entries *entries, size_t index)
{
    for (size_t i = index + 1; i < entries->count; i++)
        if (text_equal(entries->items[i].object, entries->items[index].object) &&
            text_equal(entries->items[i].kind, entries->items[index].kind))
            return false;
    return true;
}

/* What the entry's detail says of the index that was built. */
static bool
read_entry(struct ctx *ctx, const struct journal_entry *entry, struct emitted *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!json_parse(ctx, "detail", entry->detail, &json))
        return error_wrap(ctx, "reading journal entry %lld", (long long)entry->id);
    *ret = (struct emitted){
        .object = entry->object,
        .schema = json_get_text(ctx->arena, json, "schema", NULL),
        .name = json_get_text(ctx->arena, json, "name", NULL),
        .definition = json_get_text(ctx->arena, json, "definition", NULL),
        .statement = make_repeatable(ctx->arena, entry->statement),
    };
    if (!ret->schema || !ret->name || !ret->definition || !ret->statement)
        return error_set(ctx, ERR_INPUT, "journal entry %lld is incomplete", (long long)entry->id);
    ret->undo = arena_printf(ctx->arena, "DROP INDEX CONCURRENTLY IF EXISTS %s",
        db_qualified(ctx->arena, ret->schema, ret->name));
    return true;
}

/* The journal tells what was done; whether it is still so the catalogue tells. */
static bool
look_at_server(struct ctx *ctx, struct db *db, const struct emitted *item, const char **ret_problem)
{
    struct sql_catalog_index_rows rows;

    if (!sql_catalog_index(ctx, db, &rows, .schema = item->schema, .name = item->name))
        return error_wrap(ctx, "looking at %s", item->object);
    *ret_problem = rows.count == 0                                           ? "is gone"
                   : !rows.items[0].is_valid                                 ? "is INVALID"
                   : !text_equal(rows.items[0].definition, item->definition) ? "was altered since"
                                                                             : NULL;
    return true;
}

static bool
choose(struct emitting *emitting, struct db *db, const struct model *model, struct emission *ret)
{
    struct ctx *ctx = emitting->ctx;
    struct journal_entries entries;

    if (!journal_load(ctx, db, &entries))
        return false;
    for (size_t i = 0; i < entries.count; i++) {
        const struct journal_entry *entry = &entries.items[i];
        const char *problem;
        struct emitted item;

        if (!text_equal(entry->kind, "create index") || !text_equal(entry->state, ENTRY_DONE) ||
            !is_last(&entries, i))
            continue;
        if (!read_entry(ctx, entry, &item) || !look_at_server(ctx, db, &item, &problem))
            return false;
        if (problem)
            text_list_add(ctx->arena, &ret->altered,
                arena_printf(ctx->arena, "%s %s", entry->object, problem));
        else if (is_made(model, &item))
            text_list_add(ctx->arena, &ret->known, entry->object);
        else
            VEC_PUSH(ctx->arena, &emitting->items, item);
    }
    return true;
}

/* op.execute("…") inside the autocommit block. */
static bool
put_execute(struct ctx *ctx, struct buffer *out, const char *sql)
{
    const char *text = py_escape_sql(ctx->arena, sql);
    struct py *call = py_call(ctx->arena, "op.execute");

    if (!text)
        return error_set(ctx, ERR_UNSUPPORTED, "SQLAlchemy would misread the statement: %s", sql);
    py_add_string(ctx->arena, call, NULL, text);
    buffer_printf(out, "%*s", INDENT, "");
    py_write(out, call, INDENT);
    buffer_add(out, "\n");
    return true;
}

/*
 * IF NOT EXISTS takes an INVALID index, the rest of a build that failed, for one that is there; the
 * migration must not.
 */
static const char *
refuse_invalid(struct arena *arena, const struct emitted *item)
{
    const char *object = db_qualified(arena, item->schema, item->name);

    return arena_printf(arena,
        "DO $pgmend$ BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_index WHERE indexrelid = "
        "pg_catalog.to_regclass(%s) AND NOT indisvalid) THEN RAISE EXCEPTION USING MESSAGE = %s, "
        "HINT = %s; END IF; END $pgmend$",
        db_literal(arena, object),
        db_literal(arena,
            arena_printf(arena, "index %s is INVALID: its build failed or is not done", object)),
        db_literal(arena, arena_printf(arena, "DROP INDEX CONCURRENTLY %s;", object)));
}

static bool
put_bodies(struct emitting *emitting, struct buffer *out)
{
    struct ctx *ctx = emitting->ctx;
    static const char block[] = "    with op.get_context().autocommit_block():\n";

    buffer_printf(out, "def upgrade() -> None:\n%s", block);
    for (size_t i = 0; i < emitting->items.count; i++) {
        const struct emitted *item = &emitting->items.items[i];

        if (!put_execute(ctx, out, refuse_invalid(ctx->arena, item)) ||
            !put_execute(ctx, out, item->statement))
            return error_wrap(ctx, "writing %s", item->object);
    }
    buffer_printf(out, "\n\ndef downgrade() -> None:\n%s", block);
    for (size_t i = emitting->items.count; i-- > 0;)
        if (!put_execute(ctx, out, emitting->items.items[i].undo))
            return error_wrap(ctx, "writing %s", emitting->items.items[i].object);
    return true;
}

/* "2026-11-22 20:00:00" */
static const char *
create_date(struct arena *arena)
{
    char *text = arena_strdup(arena, clock_text(arena, clock_wall_us()));

    for (char *sign = text; *sign; sign++)
        if (*sign == 'T')
            *sign = ' ';
        else if (*sign == 'Z')
            *sign = '\0';
    return text;
}

static char
slug_letter(char letter)
{
    return isalnum((unsigned char)letter) ? (char)tolower((unsigned char)letter) : '_';
}

/* As Alembic makes one of a message. */
static const char *
slug_of(struct arena *arena, const char *message)
{
    struct buffer slug = { .arena = arena };

    for (const char *at = message; *at && slug.length < SLUG_LENGTH; at++) {
        char letter = slug_letter(*at);

        if (letter != '_' || !text_ends_with(buffer_text(&slug), "_"))
            buffer_append(&slug, &letter, 1);
    }
    if (text_ends_with(buffer_text(&slug), "_"))
        slug.data[slug.length - 1] = '\0';
    return buffer_text(&slug) + (*buffer_text(&slug) == '_');
}

/* Of what it does and where: the same again for whoever emits the same. */
static const char *
choose_id(struct emitting *emitting, const struct graph *graph, const char *head)
{
    struct arena *arena = emitting->ctx->arena;
    struct buffer seed = { .arena = arena };
    const char *text, *id;

    buffer_add(&seed, head ? head : "");
    for (size_t i = 0; i < emitting->items.count; i++)
        buffer_printf(&seed, "\n%s", emitting->items.items[i].statement);
    text = buffer_text(&seed);
    do {
        text = sha256_of(arena, text, strlen(text));
        id = arena_strndup(arena, text, ID_LENGTH);
    } while (map_get(&graph->by_id, id));
    return id;
}

/* Text for a docstring: no quote can end it, no backslash means something. */
static const char *
docstring(struct arena *arena, const char *text)
{
    char *clean = arena_strdup(arena, text);

    for (char *c = clean; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
            *c = *c == '"' ? '\'' : ' ';
    return clean;
}

static bool
put_file(struct emitting *emitting, const struct graph *graph,
    const struct emission_options *options, const char *head, struct squash_file *ret)
{
    struct arena *arena = emitting->ctx->arena;
    const char *message = options->message ? options->message : "indexes applied by pgmend";
    struct buffer text = { .arena = arena };
    const char *slug = slug_of(arena, message);

    ret->id = choose_id(emitting, graph, head);
    ret->down = head;
    ret->title = message;
    ret->name = arena_printf(arena, "%s%s%s.py", ret->id, *slug ? "_" : "", slug);
    ret->statements = emitting->items.count;
    buffer_printf(&text,
        "\"\"\"%s\n\nWhere an index of the name stands already, upgrade() leaves it as it is.\n\n"
        "Revision ID: %s\nRevises: %s\nCreate Date: %s\n\n\"\"\"\nfrom alembic import op\n\n\n"
        "# revision identifiers, used by Alembic.\nrevision = %s\ndown_revision = %s\n"
        "branch_labels = None\ndepends_on = None\n\n"
        "# pgmend: ignore-file concurrent-if-not-exists -- upgrade() refuses an INVALID one first\n"
        "\n\n",
        docstring(arena, message), ret->id, head ? docstring(arena, head) : "", create_date(arena),
        py_literal(arena, ret->id), head ? py_literal(arena, head) : "None");
    if (!put_bodies(emitting, &text))
        return false;
    ret->text = buffer_text(&text);
    return true;
}

static bool
find_head(struct ctx *ctx, const struct graph *graph, const char *asked, const char **ret)
{
    struct text_list heads = { 0 };
    size_t node;

    *ret = NULL;
    if (asked) {
        if (!graph_resolve(ctx, graph, asked, &node))
            return error_wrap(ctx, "--head %s", asked);
        if (node != SIZE_MAX)
            *ret = arena_strdup(ctx->arena, graph->nodes[node].revision->id);
        return true;
    }
    for (size_t i = 0; i < graph->heads.count; i++)
        text_list_add(ctx->arena, &heads,
            arena_strdup(ctx->arena, graph->nodes[graph->heads.items[i]].revision->id));
    if (heads.count > 1) {
        error_set(ctx, ERR_INPUT, "the history has %zu heads: %s", heads.count,
            text_list_join(ctx->arena, &heads, ", "));
        return error_hint(
            ctx, "Merge them first (\"alembic merge heads\"), or name the one: --head REVISION.");
    }
    if (heads.count == 1)
        *ret = heads.items[0];
    return true;
}

bool
emission_make(struct ctx *ctx, struct db *db, const struct environment *environment,
    const struct emission_options *options, struct emission *ret)
{
    struct emitting emitting = { .ctx = ctx };
    struct history history = { 0 };
    struct graph graph;
    struct model model = { 0 };
    const char *head;
    bool is_good;

    *ret = (struct emission){ 0 };
    is_good = history_read(ctx, environment, 0, NULL, &history) &&
              graph_build(ctx, &history, &graph) &&
              replay_run(ctx, &history, &graph, NULL, 0, &model) &&
              choose(&emitting, db, &model, ret) && find_head(ctx, &graph, options->head, &head);
    ret->emitted = emitting.items.count;
    if (is_good && ret->emitted > 0)
        is_good = put_file(&emitting, &graph, options, head, &ret->file);
    history_free(&history);
    return is_good;
}
