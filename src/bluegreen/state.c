/* What is known of a pair, as JSON in a file of the state folder and in pgmend.bluegreen of both databases. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "bluegreen/part.h"
#include "db/ident.h"
#include "sql.h"

static const struct field state_fields[] = {
    FIELD(struct bluegreen_state, id),
    FIELD(struct bluegreen_state, version),
    FIELD(struct bluegreen_state, step),
    FIELD(struct bluegreen_state, live),
    FIELD(struct bluegreen_state, same_server),
    FIELD(struct bluegreen_state, made_green),
    FIELD(struct bluegreen_state, without_revisions),
    FIELD(struct bluegreen_state, created_at),
    FIELD(struct bluegreen_state, switched_at),
    FIELD(struct bluegreen_state, verified_at),
    FIELD(struct bluegreen_state, clients_name),
    FIELD(struct bluegreen_state, pooler_file),
    FIELD(struct bluegreen_state, lines_before),
};

static const struct field side_fields[] = {
    FIELD(struct bluegreen_side, conninfo),
    FIELD(struct bluegreen_side, reach),
    FIELD(struct bluegreen_side, database),
    FIELD(struct bluegreen_side, cluster),
    FIELD(struct bluegreen_side, id),
};

#define STEP_ROW(step, name) [step] = (name),
static const char *const step_names[] = { BLUEGREEN_STEPS(STEP_ROW) };
#undef STEP_ROW

static const char *
bluegreen_step_name(enum bluegreen_step step)
{
    return step_names[step];
}

enum bluegreen_step
bluegreen_step_of(const struct bluegreen_state *state)
{
    for (size_t i = 0; i < COUNT_OF(step_names); i++)
        if (text_equal(state->step, step_names[i]))
            return (enum bluegreen_step)i;
    return BG_ABANDONED;
}

const char *
bluegreen_side_name(int side)
{
    return side == BLUE ? "blue" : "green";
}

int
bluegreen_other(int side)
{
    return side == BLUE ? GREEN : BLUE;
}

const char *
bluegreen_slot(struct arena *arena, const struct bluegreen_state *state, int target)
{
    return arena_printf(arena, "pgmend_%s_%s", state->id, bluegreen_side_name(target));
}

/* ---- JSON ---- */

static json_t *
list_json(const struct text_list *list)
{
    json_t *json = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(json, json_string(list->items[i]));
    return json;
}

static void
read_list(struct arena *arena, const json_t *json, struct text_list *ret)
{
    size_t i;
    json_t *item;

    *ret = (struct text_list){ 0 };
    json_array_foreach(json, i, item) if (json_is_string(item))
        text_list_add(arena, ret, arena_strdup(arena, json_string_value(item)));
}

static const char *
state_text(struct arena *arena, const struct bluegreen_state *state)
{
    json_t *json CLEANUP(json_release) =
        json_from_fields(state_fields, COUNT_OF(state_fields), state);

    for (int side = BLUE; side < BLUEGREEN_SIDES; side++)
        json_object_set_new(json, bluegreen_side_name(side),
            json_from_fields(side_fields, COUNT_OF(side_fields), &state->sides[side]));
    json_object_set_new(json, "identities", list_json(&state->identities));
    json_object_set_new(json, "moving", list_json(&state->moving));
    return json_text(arena, json);
}

/* What is missing stays 0: a file of an older version. */
static bool
read_fields(
    struct ctx *ctx, const json_t *json, const struct field *fields, size_t count, void *object)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(json, fields[i].name);
        const char *text = json_is_string(value)    ? json_string_value(value)
                           : json_is_boolean(value) ? (json_is_true(value) ? "true" : "false")
                           : json_is_integer(value) ? arena_printf(ctx->arena, "%" PRId64,
                                                          (int64_t)json_integer_value(value))
                                                    : NULL;

        if (text && !field_parse(ctx, &fields[i], arena_strdup(ctx->arena, text), object))
            return false;
    }
    return true;
}

static bool
read_state(struct ctx *ctx, const char *name, const char *text, struct bluegreen_state *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    *ret = (struct bluegreen_state){ 0 };
    if (!json_parse(ctx, name, text, &json) ||
        !read_fields(ctx, json, state_fields, COUNT_OF(state_fields), ret))
        return error_wrap(ctx, "reading what is known of the blue-green pair");
    for (int side = BLUE; side < BLUEGREEN_SIDES; side++)
        if (!read_fields(ctx, json_object_get(json, bluegreen_side_name(side)), side_fields,
                COUNT_OF(side_fields), &ret->sides[side]))
            return error_wrap(ctx, "reading what is known of the blue-green pair");
    read_list(ctx->arena, json_object_get(json, "identities"), &ret->identities);
    read_list(ctx->arena, json_object_get(json, "moving"), &ret->moving);
    if (ret->id && ret->step && (ret->live == BLUE || ret->live == GREEN))
        return true;
    return error_set(ctx, ERR_INPUT, "%s is no blue-green pair of pgmend", name);
}

/* ---- writing ---- */

static const char *
state_folder(struct arena *arena, const char *state_dir)
{
    return file_join(arena, state_dir, "bluegreen");
}

static bool
write_file(struct ctx *ctx, const struct bluegreen *pair, const char *text)
{
    const char *folder = state_folder(ctx->arena, pair->state_dir);
    const char *name = arena_printf(ctx->arena, "%s.json", pair->state.id);

    return (file_make_folder(ctx, folder) &&
               file_write(ctx, file_join(ctx->arena, folder, name), text, strlen(text), 0600)) ||
           error_wrap(ctx, "writing down the state of the blue-green pair");
}

bool
bluegreen_record(struct ctx *ctx, struct bluegreen *pair, enum bluegreen_step step)
{
    pair->state.version++;
    pair->state.step = bluegreen_step_name(step);

    const char *text = state_text(ctx->arena, &pair->state);

    if (!write_file(ctx, pair, text))
        return false;
    for (int side = BLUE; side < BLUEGREEN_SIDES; side++) {
        struct db *db = pair->dbs[side];
        struct sql_bluegreen_state_exists_rows there;

        if (!db)
            continue;
        if (!sql_bluegreen_state_exists(ctx, db, &there))
            return error_wrap(ctx, "writing down the state of the blue-green pair");
        if (there.count == 0 || !there.items[0].is_there)
            continue;
        if (!sql_bluegreen_put_state(ctx, db, .id = pair->state.id, .version = pair->state.version,
                .state = text, .schema = pair->schema))
            return error_wrap(ctx, "writing down the state of the blue-green pair");
    }
    fault_point("bluegreen");
    return true;
}

/* ---- reading ---- */

/* The file with the highest version that one of whose sides is this database. */
static bool
find_file(struct ctx *ctx, const char *state_dir, const char *cluster, uint32_t id,
    struct bluegreen_state *ret, bool *ret_found)
{
    const char *folder = state_folder(ctx->arena, state_dir);
    struct text_list names;

    if (!file_list(ctx, folder, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *path = file_join(ctx->arena, folder, names.items[i]);
        struct bluegreen_state state;
        const char *text;
        size_t length;

        if (!text_ends_with(path, ".json"))
            continue;
        if (!file_read(ctx, path, &text, &length) || !read_state(ctx, path, text, &state))
            return false;
        for (int side = BLUE; side < BLUEGREEN_SIDES; side++) {
            bool is_it =
                text_equal(state.sides[side].cluster, cluster) && state.sides[side].id == id;

            /* An ended pair says nothing about the next one, whose identifier is another. */
            if (is_it && bluegreen_step_of(&state) != BG_ABANDONED &&
                (!*ret_found || state.version > ret->version)) {
                *ret = state;
                *ret_found = true;
            }
        }
    }
    return true;
}

static bool
find_row(struct ctx *ctx, struct db *db, struct bluegreen *pair, bool *ret_found)
{
    struct sql_bluegreen_state_exists_rows there;
    struct sql_bluegreen_state_rows rows;
    struct bluegreen_state state;

    if (!sql_bluegreen_state_exists(ctx, db, &there))
        return false;
    if (there.count == 0 || !there.items[0].is_there)
        return true;
    if (!sql_bluegreen_state(ctx, db, &rows))
        return false;
    if (rows.count == 0)
        return true;
    if (!read_state(ctx, "pgmend.bluegreen", rows.items[0].state, &state))
        return false;
    if (!*ret_found || state.version > pair->state.version) {
        pair->state = state;
        *ret_found = true;
    }
    if (rows.items[0].schema && text_equal(rows.items[0].id, pair->state.id))
        pair->schema = rows.items[0].schema;
    return true;
}

/* On the same server a database is known by its number, whatever it is called now. */
static bool
refresh_name(struct ctx *ctx, struct db *db, struct bluegreen_side *side)
{
    struct sql_bluegreen_database_by_id_rows rows;

    if (!sql_bluegreen_database_by_id(ctx, db, &rows, .id = side->id))
        return false;
    if (rows.count == 1)
        side->database = rows.items[0].name;
    return true;
}

/* Which side this session is in; -1: none of them. */
static int
side_of(const struct bluegreen_state *state, const char *cluster, uint32_t id)
{
    for (int side = BLUE; side < BLUEGREEN_SIDES; side++)
        if (text_equal(state->sides[side].cluster, cluster) && state->sides[side].id == id)
            return side;
    return -1;
}

static bool
open_other(struct ctx *ctx, struct bluegreen *pair, int here, const struct bluegreen_place *place)
{
    int other = bluegreen_other(here);
    struct bluegreen_side *side = &pair->state.sides[other];
    struct db_options options = {
        .application = place->application, .access = place->access, .database = side->database
    };
    const char *cluster;
    uint32_t id;

    if (pair->state.same_server && !refresh_name(ctx, pair->dbs[here], side))
        return false;
    options.database = side->database;
    if (pair->state.same_server && !place->other_url) {
        if (db_open_like(ctx, pair->dbs[here], &options, &pair->dbs[other]))
            return true;
    } else {
        options.url = place->other_url ? place->other_url : side->conninfo;
        options.database = place->other_url ? NULL : side->database;
        if (db_open(ctx, &options, &pair->dbs[other]))
            goto check;
    }
    pair->why_not[other] = ctx->error.message;
    error_clear(ctx);
    return true;
check:
    if (!bg_cluster(ctx, pair->dbs[other], &cluster) ||
        !bg_database_id(ctx, pair->dbs[other], db_name(pair->dbs[other]), &id))
        return false;
    if (side->id == 0 || (side->id == id && text_equal(side->cluster, cluster)))
        return true;
    error_set(ctx, ERR_CONFLICT, "%s is not the %s database of this pair",
        db_label(ctx->arena, pair->dbs[other]), bluegreen_side_name(other));
    return error_hint(ctx, "It was recorded as %s.", side->conninfo);
}

bool
bluegreen_open(
    struct ctx *ctx, struct db *db, const struct bluegreen_place *place, struct bluegreen *ret)
{
    bool is_found = false;
    const char *cluster;
    uint32_t id;

    *ret = (struct bluegreen){ .state_dir = place->state_dir };
    if (!bg_cluster(ctx, db, &cluster) || !bg_database_id(ctx, db, db_name(db), &id) ||
        !find_file(ctx, place->state_dir, cluster, id, &ret->state, &is_found) ||
        !find_row(ctx, db, ret, &is_found))
        return error_wrap(ctx, "looking for the blue-green pair");
    if (is_found && bluegreen_step_of(&ret->state) == BG_ABANDONED)
        is_found = false;
    if (!is_found) {
        ret->is_none = true;
        error_set(ctx, ERR_NOT_FOUND, "database \"%s\" is of no blue-green pair", db_name(db));
        return error_hint(ctx, "\"pgmend bluegreen create --green URL\" makes one.");
    }

    int here = side_of(&ret->state, cluster, id);

    if (here < 0)
        return error_set(ctx, ERR_CONFLICT,
            "pair %s, recorded here, is of two other databases: this one is a copy", ret->state.id);
    ret->dbs[here] = db;
    /* A switch closes the session that holds this name. */
    ret->state.sides[here].database = arena_strdup(ctx->arena, db_name(db));
    if (!open_other(ctx, ret, here, place))
        return false;

    /* What the other side knows may be newer: this one may have been away. */
    struct db *other = ret->dbs[bluegreen_other(here)];

    return !other || find_row(ctx, other, ret, &is_found) ||
           error_wrap(ctx, "looking for the blue-green pair");
}

void
bluegreen_close(struct bluegreen *pair)
{
    for (int side = BLUE; side < BLUEGREEN_SIDES; side++)
        db_cleanup(&pair->dbs[side]);
}

bool
bluegreen_require_both(struct ctx *ctx, const struct bluegreen *pair)
{
    for (int side = BLUE; side < BLUEGREEN_SIDES; side++) {
        if (pair->dbs[side])
            continue;
        error_set(ctx, ERR_CONNECTION, "the %s database cannot be reached: %s",
            bluegreen_side_name(side), pair->why_not[side] ? pair->why_not[side] : "unknown");
        return error_hint(ctx,
            "Give its URL with --other-url, or end the pair with \"pgmend bluegreen abandon\".");
    }
    return true;
}
