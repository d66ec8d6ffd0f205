#include "index/state/watch.h"

#include "base/clock.h"
#include "sql.h"

#define STATE_WATCHED "watched"

static const char *
value_name(struct arena *arena, const char *schema, const char *name)
{
    return arena_printf(arena, "index.watch.%s.%s", schema, name);
}

void
index_watch_release(struct index_watch *watch)
{
    json_release(&watch->counts);
}

void
index_watches_release(struct index_watches *watches)
{
    for (size_t i = 0; i < watches->count; i++)
        index_watch_release(&watches->items[i]);
}

/* What does not read as a watch is none. */
static bool
read_value(struct ctx *ctx, const char *name, const char *value, struct index_watch *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    *ret = (struct index_watch){ .name = name };
    if (!json_parse(ctx, name, value, &json))
        return false;
    ret->schema = json_get_text(ctx->arena, json, "schema", "");
    ret->index = json_get_text(ctx->arena, json, "name", "");
    ret->definition = json_get_text(ctx->arena, json, "definition", "");
    ret->oid = (uint32_t)json_get_int(json, "index_oid", 0);
    ret->is_ended =
        !text_equal(json_get_text(ctx->arena, json, "state", STATE_WATCHED), STATE_WATCHED);
    ret->since = ret->is_ended ? NULL : json_get_text(ctx->arena, json, "since", NULL);
    if (ret->since && !clock_parse(ret->since, &ret->since_us))
        ret->since = NULL;
    ret->counts = json_incref(json_object_get(json, "servers"));
    return true;
}

bool
index_watch_load(
    struct ctx *ctx, struct db *db, const char *schema, const char *name, struct index_watch *ret)
{
    const char *key = value_name(ctx->arena, schema, name);
    struct sql_change_value_rows rows;

    *ret = (struct index_watch){ .name = key };
    if (!sql_change_value(ctx, db, &rows, .name = key))
        return error_wrap(ctx, "reading since when %s.%s is watched", schema, name);
    return rows.count == 0 || read_value(ctx, key, rows.items[0].value, ret);
}

bool
index_watches_load(struct ctx *ctx, struct db *db, struct index_watches *ret)
{
    struct sql_index_state_watches_rows rows;

    *ret = (struct index_watches){ 0 };
    if (!sql_index_state_watches(ctx, db, &rows))
        return error_wrap(ctx, "reading which indexes are watched");
    for (size_t i = 0; i < rows.count; i++) {
        struct index_watch watch;

        if (!read_value(ctx, rows.items[i].name, rows.items[i].value, &watch)) {
            index_watches_release(ret);
            return false;
        }
        if (watch.since)
            VEC_PUSH(ctx->arena, ret, watch);
        else
            index_watch_release(&watch);
    }
    return true;
}

/* ---- the verdict ---- */

static const json_t *
find_counts(const json_t *counts, const char *label)
{
    for (size_t i = 0; i < json_array_size(counts); i++) {
        const json_t *item = json_array_get(counts, i);
        const json_t *its = json_object_get(item, "server");

        if (json_is_string(its) && text_equal(json_string_value(its), label))
            return item;
    }
    return NULL;
}

/* One server's counter then and now. */
static enum index_watch_verdict
judge_server(struct arena *arena, const struct index_watch *watch,
    const struct index_server *server, int64_t scans, const char **ret_why)
{
    const json_t *then = find_counts(watch->counts, server->label);
    int64_t before = json_get_int(then, "scans", 0);

    if (!then) {
        *ret_why = arena_printf(arena, "%s was not looked at when it began", server->label);
        return WATCH_ANEW;
    }
    /* When the watch began is kept in whole seconds; what a server counts since, exactly. */
    if (server->since_us < 0 || !server->is_counting || scans < before ||
        (server->since_us > watch->since_us &&
            server->since_us != json_get_int(then, "since_us", -1))) {
        *ret_why = arena_printf(arena, "the counters of %s were reset or lost since: it %s",
            server->label, index_server_since(arena, server));
        return WATCH_ANEW;
    }
    if (scans == before)
        return WATCH_GOES_ON;
    *ret_why = arena_printf(arena, "%s used it %s times since %s", server->label,
        text_from_count(arena, scans - before), watch->since);
    return WATCH_USED;
}

static bool
is_given(const struct index_states *states, const char *label)
{
    for (size_t i = 0; i < states->servers.count; i++)
        if (text_equal(states->servers.items[i].label, label))
            return true;
    return false;
}

enum index_watch_verdict
index_watch_judge(struct arena *arena, const struct index_watch *watch,
    const struct index_states *states, const struct index_state *index, int64_t watch_us,
    const char **ret_why)
{
    enum index_watch_verdict worst = WATCH_GOES_ON;

    *ret_why = NULL;
    if (!watch->since)
        return WATCH_NONE;
    if (watch->oid != index->row->oid || !text_equal(watch->definition, index->row->definition)) {
        *ret_why = "it was built anew or altered since";
        return WATCH_ANEW;
    }
    for (size_t i = 0; i < json_array_size(watch->counts); i++) {
        const json_t *label = json_object_get(json_array_get(watch->counts, i), "server");

        if (json_is_string(label) && !is_given(states, json_string_value(label))) {
            *ret_why =
                arena_printf(arena, "%s, which was looked at when it began, is not given now",
                    json_string_value(label));
            worst = WATCH_ANEW;
        }
    }
    for (size_t i = 0; i < states->servers.count; i++) {
        const char *why = NULL;
        enum index_watch_verdict verdict =
            judge_server(arena, watch, &states->servers.items[i], index->uses[i].scans, &why);

        if (why && worst != WATCH_USED) {
            worst = verdict;
            *ret_why = why;
        }
    }
    if (worst == WATCH_GOES_ON && states->servers.items[0].now_us - watch->since_us >= watch_us)
        return WATCH_OVER;
    return worst;
}

/* ---- what is kept ---- */

static void
make_record(struct arena *arena, const struct index_state *index, const char *reason,
    const json_t *value, struct change *ret)
{
    *ret = (struct change){
        .kind = KIND_RECORD,
        .name = value_name(arena, index->row->schema, index->row->name),
        .definition = json_text(arena, value),
        .source = index->object,
        .reason = reason,
        .action = ACTION_CREATE,
    };
    change_compose(arena, ret);
}

void
index_watch_begin(struct arena *arena, const struct index_states *states,
    const struct index_state *index, struct change *ret)
{
    json_t *counts = json_array();
    json_t *json CLEANUP(json_release) = NULL;

    for (size_t i = 0; i < states->servers.count; i++)
        json_array_append_new(
            counts, json_pack("{s:s, s:I, s:I}", "server", states->servers.items[i].label, "scans",
                        (json_int_t)index->uses[i].scans, "since_us",
                        (json_int_t)states->servers.items[i].since_us));
    json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:s, s:o}", "state", STATE_WATCHED,
        "schema", index->row->schema, "name", index->row->name, "table", index->relation,
        "definition", index->row->definition, "is_unique", (int)index->row->is_unique, "index_oid",
        (json_int_t)index->row->oid, "since", clock_text(arena, states->servers.items[0].now_us),
        "servers", counts);
    make_record(arena, index, "whether anybody uses it is watched before it is dropped", json, ret);
}

void
index_watch_end(
    struct arena *arena, const struct index_state *index, const char *how, struct change *ret)
{
    json_t *json CLEANUP(json_release) = json_pack("{s:s, s:s, s:s, s:s}", "state", how, "schema",
        index->row->schema, "name", index->row->name, "definition", index->row->definition);

    make_record(arena, index, "its watch is over", json, ret);
}
