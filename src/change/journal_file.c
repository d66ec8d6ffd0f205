#include "change/journal_file.h"

#include <inttypes.h>

#include "base/file.h"
#include "base/vec.h"

static const struct field fields[] = {
    FIELD(struct journal_entry, entry),
    FIELD(struct journal_entry, run),
    FIELD(struct journal_entry, step),
    FIELD(struct journal_entry, kind),
    FIELD(struct journal_entry, object),
    FIELD(struct journal_entry, relation),
    FIELD(struct journal_entry, statement),
    FIELD(struct journal_entry, undo),
    FIELD(struct journal_entry, state),
    FIELD(struct journal_entry, started_at),
    FIELD(struct journal_entry, ended_at),
    FIELD(struct journal_entry, detail),
};

bool
journal_file_add_entry(struct ctx *ctx, const char *path, const struct journal_entry *entry)
{
    json_t *json CLEANUP(json_release) = json_from_fields(fields, COUNT_OF(fields), entry);

    if (!file_append_line(ctx, path, json_text(ctx->arena, json)))
        return error_wrap(ctx, "writing the local journal");
    return true;
}

bool
journal_file_add_run(struct ctx *ctx, const char *path, const char *run,
    const struct journal_run *about, const char *state, const char *at)
{
    json_t *json CLEANUP(json_release) = json_object();

    json_object_set_new(json, "run", json_string(run));
    if (about)
        json_object_set_new(json, "command", json_string(about->command));
    if (about && about->actor)
        json_object_set_new(json, "actor", json_string(about->actor));
    if (about && about->client)
        json_object_set_new(json, "client", json_string(about->client));
    if (about && about->plan_hash)
        json_object_set_new(json, "plan_hash", json_string(about->plan_hash));
    if (about && about->overrides)
        json_object_set_new(json, "overrides", json_string(about->overrides));
    json_object_set_new(json, "run_state", json_string(state));
    json_object_set_new(json, "at", json_string(at));
    if (!file_append_line(ctx, path, json_text(ctx->arena, json)))
        return error_wrap(ctx, "writing the local journal");
    return true;
}

bool
journal_file_mend(struct ctx *ctx, const char *path, bool *ret_torn)
{
    const char *text;
    size_t length;
    size_t whole;

    *ret_torn = false;
    if (!file_exists(path))
        return true;
    if (!file_read(ctx, path, &text, &length))
        return error_wrap(ctx, "reading the local journal");
    for (whole = length; whole > 0 && text[whole - 1] != '\n';)
        whole--;
    *ret_torn = whole < length;
    if (*ret_torn && !file_write(ctx, path, text, whole, 0600))
        return error_wrap(ctx, "mending the local journal");
    return true;
}

static void
read_entry(struct ctx *ctx, const json_t *json, struct journal_entry *ret)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        *(const char **)((char *)ret + fields[i].offset) =
            json_get_text(ctx->arena, json, fields[i].name, NULL);
}

/* The later line of an entry replaces the earlier one. */
static void
keep_last(struct ctx *ctx, struct journal_entries *entries, const struct journal_entry *entry)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (text_equal(entries->items[i].entry, entry->entry)) {
            entries->items[i] = *entry;
            return;
        }
    }
    VEC_PUSH(ctx->arena, entries, *entry);
}

static bool
read_line(struct ctx *ctx, const char *name, const char *line, struct journal_entries *ret)
{
    json_t *json CLEANUP(json_release) = NULL;
    struct journal_entry entry = { 0 };

    if (!json_parse(ctx, name, line, &json))
        return false;
    if (json_get_int(json, "format", JOURNAL_FORMAT) > JOURNAL_FORMAT)
        return error_set(ctx, ERR_UNSUPPORTED,
            "%s: the local journal was written by a newer pgmend (format %" PRId64 ")", name,
            json_get_int(json, "format", JOURNAL_FORMAT));
    if (!json_object_get(json, "entry"))
        return true; /* a line about a run */
    read_entry(ctx, json, &entry);
    if (!entry.entry || !entry.run || !entry.kind || !entry.object || !entry.statement ||
        !entry.state || !entry.started_at || !entry.detail)
        return error_set(ctx, ERR_INPUT, "%s: the journal entry is incomplete", name);
    keep_last(ctx, ret, &entry);
    return true;
}

static struct journal_file_run *
find_run(struct journal_file_runs *runs, const char *id)
{
    for (size_t i = runs->count; i-- > 0;)
        if (text_equal(runs->items[i].run, id))
            return &runs->items[i];
    return NULL;
}

/* Its first line says what it is, each later one how it stands. */
static void
take_run(struct ctx *ctx, const json_t *json, struct journal_file_runs *ret)
{
    const char *id = json_get_text(ctx->arena, json, "run", NULL);
    const char *state = json_get_text(ctx->arena, json, "run_state", NULL);
    const char *at = json_get_text(ctx->arena, json, "at", NULL);
    struct journal_file_run *known = id ? find_run(ret, id) : NULL;

    if (!id || !state || !at)
        return;
    if (known) {
        known->state = state;
        known->ended_at = text_equal(state, RUN_RUNNING) ? NULL : at;
        return;
    }

    struct journal_file_run run = {
        .run = id,
        .command = json_get_text(ctx->arena, json, "command", NULL),
        .plan_hash = json_get_text(ctx->arena, json, "plan_hash", NULL),
        .overrides = json_get_text(ctx->arena, json, "overrides", NULL),
        .actor = json_get_text(ctx->arena, json, "actor", NULL),
        .client = json_get_text(ctx->arena, json, "client", NULL),
        .state = state,
        .started_at = at,
    };

    if (run.command)
        VEC_PUSH(ctx->arena, ret, run);
}

bool
journal_file_read_runs(struct ctx *ctx, const char *path, struct journal_file_runs *ret)
{
    const char *text;
    size_t length;

    *ret = (struct journal_file_runs){ 0 };
    if (!file_exists(path))
        return true;
    if (!file_read(ctx, path, &text, &length))
        return error_wrap(ctx, "reading the local journal");
    for (const char *at = text; *at;) {
        const char *end = strchr(at, '\n');
        json_t *json CLEANUP(json_release) = NULL;

        if (!end)
            break; /* torn */
        if (!json_parse(ctx, path, arena_strndup(ctx->arena, at, (size_t)(end - at)), &json))
            return error_wrap(ctx, "reading the local journal");
        if (!json_object_get(json, "entry"))
            take_run(ctx, json, ret);
        at = end + 1;
    }
    return true;
}

bool
journal_file_read(struct ctx *ctx, const char *path, struct journal_entries *ret)
{
    const char *text;
    size_t length;
    size_t number = 0;

    *ret = (struct journal_entries){ 0 };
    if (!file_exists(path))
        return true;
    if (!file_read(ctx, path, &text, &length))
        return error_wrap(ctx, "reading the local journal");
    for (const char *at = text; *at;) {
        const char *end = strchr(at, '\n');

        if (!end)
            break; /* torn */
        number++;
        if (!read_line(ctx, arena_printf(ctx->arena, "%s:%zu", path, number),
                arena_strndup(ctx->arena, at, (size_t)(end - at)), ret)) {
            error_hint(ctx, "Remove or mend that line; the table pgmend.journal in the database "
                            "holds the same entries.");
            return error_wrap(ctx, "reading the local journal");
        }
        at = end + 1;
    }
    return true;
}
