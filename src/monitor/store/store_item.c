#include "monitor/collect/derive.h"
#include "monitor/serve/writer.h"
#include "monitor/store/store_part.h"

enum {
    MOST_TEXTS = 100,
    MOST_KNOWN = 8192,
    LEAST_KNOWN = 64,
    NUMBER_SIZE = 40,
    MOST_SESSIONS = 200
};
enum { SAMPLE_DIGITS = 17, STATEMENT_DIGITS = 9 };
static const int64_t DAY_US = 86400000000;
static const int64_t RELATIONS_EVERY_US = 3600000000;
static const double LONG_SECONDS = 60;

void
id_set_clear(struct id_set *set)
{
    if (!set->arena)
        set->arena = arena_new();
    else
        arena_reset(set->arena);
    set->count = 0;
    set->capacity = LEAST_KNOWN;
    set->items = ARENA_ARRAY(set->arena, int64_t, set->capacity);
}

static int64_t *
place_of(int64_t *items, size_t capacity, int64_t id)
{
    size_t i = ((uint64_t)id * UINT64_C(0x9E3779B97F4A7C15)) >> 32;

    for (i &= capacity - 1; items[i] && items[i] != id;)
        i = (i + 1) & (capacity - 1);
    return &items[i];
}

/* False when it was there already. */
static bool
id_set_add(struct id_set *set, int64_t id)
{
    int64_t *place;

    if (!set->items)
        id_set_clear(set);
    if (id == 0 || *place_of(set->items, set->capacity, id) == id)
        return false;
    if (set->count * 2 >= set->capacity) {
        int64_t *items = ARENA_ARRAY(set->arena, int64_t, set->capacity * 2);

        for (size_t i = 0; i < set->capacity; i++)
            if (set->items[i])
                *place_of(items, set->capacity * 2, set->items[i]) = set->items[i];
        set->items = items;
        set->capacity *= 2;
    }
    place = place_of(set->items, set->capacity, id);
    *place = id;
    set->count++;
    return true;
}

/* Array literals, grown item by item. */
static struct buffer
array_begin(struct arena *arena)
{
    struct buffer array = { .arena = arena };

    buffer_append(&array, "{", 1);
    return array;
}

static const char *
array_end(struct buffer *array)
{
    buffer_append(array, "}", 1);
    return buffer_text(array);
}

static void
array_next(struct buffer *array)
{
    if (array->length > 1)
        buffer_append(array, ",", 1);
}

static void
array_int(struct buffer *array, int64_t number)
{
    char text[NUMBER_SIZE];
    int length = snprintf(text, sizeof(text), "%lld", (long long)number);

    array_next(array);
    buffer_append(array, text, (size_t)length);
}

static void
array_double(struct buffer *array, double number, int digits)
{
    char text[NUMBER_SIZE];
    int length = snprintf(text, sizeof(text), "%.*g", digits, number);

    array_next(array);
    buffer_append(array, text, (size_t)length);
}

/* What is not UTF-8 (of a database in SQL_ASCII) would be refused: its bytes become "?". */
static void
array_text(struct buffer *array, const char *text)
{
    bool is_utf8 = text_is_utf8(text);

    array_next(array);
    buffer_append(array, "\"", 1);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buffer_append(array, "\\", 1);
        buffer_append(array, is_utf8 || (unsigned char)*text < 0x80 ? text : "?", 1);
    }
    buffer_append(array, "\"", 1);
}

static void
fill_samples(struct arena *arena, const struct watched *watched, struct store_item *item)
{
    struct buffer metrics = array_begin(arena), labels = array_begin(arena);
    struct buffer values = array_begin(arena);

    for (size_t i = 0; i < watched->samples.count; i++) {
        const struct sample *sample = &watched->samples.items[i];

        if (!sample->metric->is_kept)
            continue;
        array_text(&metrics, sample->metric->name);
        array_text(&labels, sample_labels(watched->samples.arena, sample));
        array_double(&values, sample->value, SAMPLE_DIGITS);
        item->has_samples = true;
    }
    item->samples = (struct sql_monitor_store_put_sample_args){ .at_us = watched->at_wall_us,
        .metrics = array_end(&metrics),
        .labels = array_end(&labels),
        .samples = array_end(&values) };
}

/* Texts that became known, once a day each. */
static void
fill_texts(struct arena *arena, const struct watched *watched, const struct statement_rates *rates,
    struct store_item *item)
{
    struct buffer ids = array_begin(arena), texts = array_begin(arena);
    struct store_server *server = item->server;
    int64_t day = watched->at_wall_us / DAY_US;
    size_t count = 0;

    if (server->day != day || server->texts.count > MOST_KNOWN)
        id_set_clear(&server->texts);
    server->day = day;
    for (size_t i = 0; i < rates->count && count < MOST_TEXTS; i++) {
        int64_t id = rates->items[i].query_id;
        const char *text = statement_text(watched, id);

        if (!text || !id_set_add(&server->texts, id))
            continue;
        array_int(&ids, id);
        array_text(&texts, text);
        count++;
    }
    item->has_texts = count > 0;
    item->texts = (struct sql_monitor_store_put_texts_args){ .query_ids = array_end(&ids),
        .texts = array_end(&texts) };
}

enum { STATEMENT_ARRAYS = 8 };

static void
fill_statements(struct arena *arena, const struct watched *watched, struct store_item *item)
{
    struct statement_rates rates = { 0 };
    struct buffer arrays[STATEMENT_ARRAYS];

    derive_statements(watched->samples.arena, watched, &rates);
    if (rates.span_s <= 0)
        return;
    for (size_t i = 0; i < STATEMENT_ARRAYS; i++)
        arrays[i] = array_begin(arena);
    for (size_t i = 0; i < rates.count; i++) {
        const struct statement_rate *rate = &rates.items[i];

        if (rate->calls <= 0)
            continue;
        array_int(&arrays[0], rate->query_id);
        array_int(&arrays[1], rate->user_id);
        array_int(&arrays[2], rate->database_id);
        array_int(&arrays[3], rate->calls);
        array_double(&arrays[4], rate->seconds * 1000, STATEMENT_DIGITS);
        array_int(&arrays[5], rate->rows);
        array_int(&arrays[6], rate->blocks_hit);
        array_int(&arrays[7], rate->blocks_read);
    }
    item->has_statements = true;
    item->statements = (struct sql_monitor_store_put_statements_args){ .at_us = watched->at_wall_us,
        .span_s = rates.span_s,
        .query_ids = array_end(&arrays[0]),
        .user_ids = array_end(&arrays[1]),
        .database_ids = array_end(&arrays[2]),
        .calls = array_end(&arrays[3]),
        .ms = array_end(&arrays[4]),
        .row_counts = array_end(&arrays[5]),
        .blocks_hit = array_end(&arrays[6]),
        .blocks_read = array_end(&arrays[7]) };
    fill_texts(arena, watched, &rates, item);
}

static void
write_session(struct writer *writer, const struct sql_monitor_session *session)
{
    writer_open(writer, NULL, '{');
    writer_int(writer, "pid", session->pid);
    writer_text(writer, "datname", session->datname);
    writer_text(writer, "usename", session->usename);
    writer_text(writer, "application_name", session->application_name);
    writer_text(writer, "state", session->state);
    writer_text(writer, "wait_event_type", session->wait_event_type);
    writer_text(writer, "wait_event", session->wait_event);
    writer_number(writer, "xact_seconds", session->xact_seconds);
    writer_number(writer, "query_seconds", session->query_seconds);
    writer_text(writer, "blocked_by", session->blocked_by);
    writer_int(writer, "blocks", session->blocks);
    writer_id(writer, "query_id", session->query_id);
    writer_close(writer, '}');
}

/* Those that wait for another or make one wait, and long transactions. */
static void
fill_sessions(struct arena *arena, const struct watched *watched, struct store_item *item)
{
    const struct reading *reading = &watched->now[COLLECT_SESSION];
    const struct sql_monitor_session *sessions = READING_ROWS(reading, struct sql_monitor_session);
    struct writer writer = { .text = { .arena = arena } };
    size_t count = 0;

    writer_open(&writer, NULL, '[');
    for (size_t i = 0; i < reading->rows.count && count < MOST_SESSIONS; i++) {
        if (sessions[i].blocks == 0 && text_is_empty(sessions[i].blocked_by) &&
            !(sessions[i].xact_seconds > LONG_SECONDS))
            continue;
        write_session(&writer, &sessions[i]);
        count++;
    }
    writer_close(&writer, ']');
    item->has_sessions = count > 0;
    item->sessions = (struct sql_monitor_store_put_sessions_args){ .at_us = watched->at_wall_us,
        .sessions = buffer_text(&writer.text) };
}

/* Arrays of store_put_relations, in its order. */
struct relation_arrays {
    struct buffer datnames;
    struct buffer schemanames;
    struct buffer relnames;
    struct buffer bytes;
    struct buffer scans;
    struct buffer changes;
    struct buffer dead;
};

static struct relation_arrays
relations_begin(struct arena *arena)
{
    return (struct relation_arrays){ array_begin(arena), array_begin(arena), array_begin(arena),
        array_begin(arena), array_begin(arena), array_begin(arena), array_begin(arena) };
}

static void
relation_name(struct relation_arrays *arrays, const char *datname, const char *schemaname,
    const char *relname)
{
    array_text(&arrays->datnames, datname);
    array_text(&arrays->schemanames, schemaname);
    array_text(&arrays->relnames, relname);
}

static struct sql_monitor_store_put_relations_args
relations_end(struct relation_arrays *arrays, const struct watched *watched, const char *kind)
{
    return (struct sql_monitor_store_put_relations_args){ .at_us = watched->at_wall_us,
        .kind = kind,
        .datnames = array_end(&arrays->datnames),
        .schemanames = array_end(&arrays->schemanames),
        .relnames = array_end(&arrays->relnames),
        .bytes = array_end(&arrays->bytes),
        .scans = array_end(&arrays->scans),
        .changes = array_end(&arrays->changes),
        .dead = array_end(&arrays->dead) };
}

static void
fill_tables(struct arena *arena, const struct watched *watched, struct store_item *item)
{
    const struct reading *reading = &watched->now[COLLECT_TABLE];
    const struct sql_monitor_table *rows = READING_ROWS(reading, struct sql_monitor_table);
    struct relation_arrays arrays = relations_begin(arena);

    for (size_t i = 0; i < reading->rows.count; i++) {
        relation_name(&arrays, rows[i].datname, rows[i].schemaname, rows[i].relname);
        array_int(&arrays.bytes, rows[i].table_size_bytes);
        array_int(&arrays.scans, rows[i].seq_scan);
        array_int(&arrays.changes, rows[i].n_tup_ins + rows[i].n_tup_upd + rows[i].n_tup_del);
        array_int(&arrays.dead, rows[i].n_dead_tup);
    }
    item->has_tables = reading->rows.count > 0;
    item->tables = relations_end(&arrays, watched, "table");
}

static void
fill_indexes(struct arena *arena, const struct watched *watched, struct store_item *item)
{
    const struct reading *reading = &watched->now[COLLECT_INDEX];
    const struct sql_monitor_index *rows = READING_ROWS(reading, struct sql_monitor_index);
    struct relation_arrays arrays = relations_begin(arena);

    for (size_t i = 0; i < reading->rows.count; i++) {
        relation_name(&arrays, rows[i].datname, rows[i].schemaname, rows[i].indexrelname);
        array_int(&arrays.bytes, rows[i].size_bytes);
        array_int(&arrays.scans, rows[i].idx_scan);
        array_int(&arrays.changes, 0);
        array_int(&arrays.dead, 0);
    }
    item->has_indexes = reading->rows.count > 0;
    item->indexes = relations_end(&arrays, watched, "index");
}

/* An hour has passed, or the clock was set back. */
static bool
is_time(int64_t *last_us, const struct watched *watched)
{
    if (*last_us && watched->at_wall_us >= *last_us &&
        watched->at_wall_us - *last_us < RELATIONS_EVERY_US)
        return false;
    *last_us = watched->at_wall_us;
    return true;
}

static bool
is_new(const struct reading *reading)
{
    return reading->is_good && reading->is_fresh;
}

void
store_item_fill(struct arena *arena, const struct watched *watched, struct store_server *server,
    struct store_item *ret)
{
    *ret = (struct store_item){ .server = server };
    fill_samples(arena, watched, ret);
    if (is_new(&watched->now[COLLECT_STATEMENT]))
        fill_statements(arena, watched, ret);
    if (is_new(&watched->now[COLLECT_SESSION]))
        fill_sessions(arena, watched, ret);
    if (is_new(&watched->now[COLLECT_TABLE]) && is_time(&server->tables_us, watched))
        fill_tables(arena, watched, ret);
    if (is_new(&watched->now[COLLECT_INDEX]) && is_time(&server->indexes_us, watched))
        fill_indexes(arena, watched, ret);
}
