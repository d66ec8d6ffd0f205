/* Rows of a result: the first values of its columns. */
#include <string.h>

#include "queries/trace/follow_part.h"

enum { FIRST_ROWS = 8, FIELD_BYTES = 18 };

/* Most results are over before the next one begins: its memory is used again. */
static void
put_by(struct follow_result *result)
{
    if (result->follow->spare) {
        arena_free(result->arena);
        return;
    }
    arena_reset(result->arena);
    result->follow->spare = result->arena;
}

void
follow_result_clear(struct follow_result *result)
{
    if (result->arena)
        put_by(result);
    if (result->arena || result->rows > 0 || result->is_described)
        *result = (struct follow_result){ 0 };
}

static struct arena *
take_arena(struct follow *follow)
{
    struct arena *arena = follow->spare ? follow->spare : arena_new();

    follow->spare = NULL;
    return arena;
}

/* ---- what the columns are ---- */

struct follow_columns *
follow_read_columns(const struct follow *follow, const struct follow_message *message)
{
    size_t at = 0;
    size_t count = wire_read_number(&message->wire, &at, 2);
    size_t most = (size_t)follow->options.most_columns;
    size_t names_size = message->wire.length, kept = count < most ? count : most;
    struct follow_columns *columns;
    char *names;

    columns = follow_alloc(sizeof(*columns) + sizeof(columns->items[0]) * kept + names_size);
    names = (char *)&columns->items[kept];
    for (size_t i = 0; i < kept; i++) {
        const char *name = wire_read_text(&message->wire, &at);
        size_t length = name ? strlen(name) + 1 : 0;

        if (!name || message->wire.length - at < FIELD_BYTES)
            break;
        columns->items[i].name = memcpy(names, name, length);
        names += length;
        at += 6; /* table and number of its column */
        columns->items[i].type = wire_read_number(&message->wire, &at, 4);
        at += 6; /* length and modifier of the type */
        columns->items[i].is_binary = wire_read_number(&message->wire, &at, 2) == 1;
        columns->count++;
    }
    return columns;
}

static bool
portal_is_binary(const struct follow_portal *portal, size_t index)
{
    if (portal->format_count == 0)
        return false;
    if (portal->format_count == 1)
        return portal->formats[0];
    return index < portal->format_count && portal->formats[index];
}

void
follow_result_describe(struct follow *follow, struct follow_session *session,
    const struct follow_columns *columns, const struct follow_portal *portal)
{
    struct follow_result *result = &session->result;

    follow_result_clear(result);
    result->is_described = true;
    result->is_blind = portal && portal->is_blind;
    if (columns->count == 0)
        return;
    result->follow = follow;
    result->arena = take_arena(follow);
    result->column_count = columns->count;
    result->columns = ARENA_ARRAY(result->arena, struct traced_column, columns->count);
    result->is_binary = ARENA_ARRAY(result->arena, bool, columns->count);
    for (size_t i = 0; i < columns->count; i++) {
        const struct follow_column *column = &columns->items[i];

        if (column->name)
            result->columns[i].name = arena_strdup(result->arena, column->name);
        result->columns[i].type = column->type;
        result->is_binary[i] = portal ? portal_is_binary(portal, i) : column->is_binary;
    }
}

/* Nobody has said what comes: as many columns as the row has, of which only the format is known. */
static void
describe_by_row(struct follow *follow, struct follow_session *session, size_t count)
{
    const struct follow_pending *front = follow_front(session);
    size_t most = (size_t)follow->options.most_columns;
    struct follow_columns *columns;

    count = count < most ? count : most;
    columns = follow_alloc(sizeof(*columns) + sizeof(columns->items[0]) * count);
    columns->count = count;
    follow_result_describe(follow, session, columns, front ? front->portal : NULL);
    free(columns);
}

/* ---- rows ---- */

static void
make_room(const struct follow *follow, struct follow_result *result)
{
    size_t most = (size_t)follow->options.most_rows;
    size_t capacity = result->capacity > 0 ? result->capacity * 2 : (size_t)FIRST_ROWS;

    if (capacity > most)
        capacity = most;
    for (size_t i = 0; i < result->column_count; i++) {
        struct traced_column *column = &result->columns[i];
        struct traced_value *values = ARENA_ARRAY(result->arena, struct traced_value, capacity);

        if (column->count > 0)
            memcpy(values, column->values, sizeof(*values) * column->count);
        column->values = values;
    }
    result->capacity = capacity;
}

static struct traced_value
take_cell(struct follow *follow, struct follow_result *result, const struct follow_message *message,
    size_t *at, size_t index)
{
    struct follow_bytes bytes = {
        .type = result->columns[index].type,
        .is_binary = result->is_binary[index],
        .data = message->wire.body,
    };

    if (message->wire.length - *at >= 4) {
        uint32_t length = wire_read_number(&message->wire, at, 4);

        if (length == UINT32_MAX)
            return (struct traced_value){ 0 };
        bytes.is_whole = length <= message->wire.length - *at;
        bytes.data = message->wire.body + *at;
        bytes.length = bytes.is_whole ? length : 0;
        *at = bytes.is_whole ? *at + length : message->wire.length;
    } else {
        *at = message->wire.length;
    }
    return follow_value(follow, result->arena, &bytes);
}

void
follow_result_row(
    struct follow *follow, struct follow_session *session, const struct follow_message *message)
{
    struct follow_result *result = &session->result;
    size_t at = 0;
    size_t count = wire_read_number(&message->wire, &at, 2);

    if (!result->is_described)
        describe_by_row(follow, session, count);
    result->rows++;
    if (result->is_blind || result->row_count == (size_t)follow->options.most_rows)
        return;
    if (result->row_count == result->capacity)
        make_room(follow, result);
    for (size_t i = 0; i < result->column_count && i < count; i++) {
        struct traced_column *column = &result->columns[i];

        column->values[column->count++] = take_cell(follow, result, message, &at, i);
    }
    result->row_count++;
}
