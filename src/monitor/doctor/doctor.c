/* The order of the checklist, and what the checks share. */
#include "monitor/doctor/doctor.h"

#include <math.h>

#include "monitor/doctor/check.h"
#include "monitor/plain.h"

enum { MOST_EVIDENCE = 10, MOST_MENDS = 10 };

/* What people look at first, first: replication, sessions, memory, vacuum, schema, statements. */
static const struct {
    const struct check *checks;
    const size_t *count;
} families[] = {
    { checks_replication, &checks_replication_count },
    { checks_session, &checks_session_count },
    { checks_memory, &checks_memory_count },
    { checks_vacuum, &checks_vacuum_count },
    { checks_schema, &checks_schema_count },
    { checks_statement, &checks_statement_count },
    { checks_server, &checks_server_count },
};

/* ---- what is known ---- */

static const void *
rows_of(const struct patient *patient, const struct reading *reading, struct checkup_item *item,
    size_t *ret_count)
{
    *ret_count = 0;
    if (!reading || !reading->is_known)
        return NULL;
    if (reading->is_good) {
        static const char nothing[1] = "";

        *ret_count = reading->rows.count;
        return reading->rows.count > 0 ? reading->rows.items : nothing;
    }
    item_worsen(item, HEALTH_UNKNOWN);
    item_say(patient, item, "not known: %s",
        reading->error.message ? reading->error.message : "the server did not answer");
    if (reading->error.kind == ERR_RIGHTS && reading->error.hint)
        item_mend(patient, item, "%s", reading->error.hint);
    return NULL;
}

/* What a collector needs, with the role that asked. */
static void
mend_needs(const struct patient *patient, struct checkup_item *item, const char *needs)
{
    static const char role[] = "the role that watches";

    if (text_ends_with(needs, role))
        item_mend(patient, item, "%.*s%s;", (int)(strlen(needs) - strlen(role)), needs,
            patient_role(patient));
    else
        item_mend(patient, item, "%s", needs);
}

const void *
patient_rows(const struct patient *patient, enum collector_id id, struct checkup_item *item,
    size_t *ret_count)
{
    const struct reading *reading = &patient->server->now[id];
    const void *rows = rows_of(patient, reading, item, ret_count);

    if (!rows && reading->is_known && collectors[id].needs && !item->mend)
        mend_needs(patient, item, collectors[id].needs);
    return rows;
}

const void *
patient_facts(const struct patient *patient, enum doctor_query query, struct checkup_item *item,
    size_t *ret_count)
{
    return rows_of(
        patient, patient->facts ? &patient->facts->answers[query] : NULL, item, ret_count);
}

const struct sql_monitor_server *
patient_server(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    const void *rows = patient_rows(patient, COLLECT_SERVER, item, &count);

    return count > 0 ? rows : NULL;
}

const struct sql_monitor_database *
patient_database(const struct patient *patient, bool is_before)
{
    const struct watched *server = patient->server;
    const struct reading *reading =
        is_before ? &server->before[COLLECT_DATABASE] : &server->now[COLLECT_DATABASE];
    const struct sql_monitor_database *items;

    if (!reading->is_good || (is_before && server->is_gap))
        return NULL;
    items = READING_ROWS(reading, struct sql_monitor_database);
    for (size_t i = 0; i < reading->rows.count; i++)
        if (text_equal(items[i].datname, server->database))
            return &items[i];
    return NULL;
}

double
patient_statistics_age(const struct patient *patient)
{
    const struct reading *reading = &patient->server->now[COLLECT_SERVER];
    const struct sql_monitor_database *database = patient_database(patient, false);
    const struct sql_monitor_server *server;

    if (!reading->is_good || reading->rows.count != 1)
        return NAN;
    server = READING_ROWS(reading, struct sql_monitor_server);
    if (database && isfinite(database->stats_reset))
        return server->now_epoch - database->stats_reset;
    /* Never reset: they are at least as old as the server's start. */
    return server->now_epoch - server->started_epoch;
}

/* ---- what is said ---- */

/* Unknown is worse than good only. */
static int
rank(enum health health)
{
    static const int ranks[] = {
        [HEALTH_GOOD] = 0, [HEALTH_UNKNOWN] = 1, [HEALTH_WARNING] = 2, [HEALTH_CRITICAL] = 3
    };

    return ranks[health];
}

void
item_worsen(struct checkup_item *item, enum health health)
{
    if (rank(health) > rank(item->health))
        item->health = health;
}

/* Names and statements of the database are in it: they go to terminals and pages. */
PRINTF_LIKE(2, 0)
static const char *
compose(const struct patient *patient, const char *format, va_list args)
{
    return plain_text(patient->arena, arena_vprintf(patient->arena, format, args));
}

void
item_show(const struct patient *patient, struct checkup_item *item, const char *format, ...)
{
    va_list args;

    if (item->evidence.count >= MOST_EVIDENCE)
        return;
    va_start(args, format);
    text_list_add(patient->arena, &item->evidence, compose(patient, format, args));
    va_end(args);
}

void
item_say(const struct patient *patient, struct checkup_item *item, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    item->says = compose(patient, format, args);
    va_end(args);
}

void
item_mend(const struct patient *patient, struct checkup_item *item, const char *format, ...)
{
    const char *mend;
    va_list args;

    va_start(args, format);
    mend = compose(patient, format, args);
    va_end(args);
    if (text_list_has(&item->mends, mend))
        return;
    if (item->mends.count < MOST_MENDS)
        text_list_add(patient->arena, &item->mends, mend);
    else
        item->more_mends++;
    item->mend = text_list_join(patient->arena, &item->mends, "\n");
    if (item->more_mends > 0)
        item->mend =
            arena_printf(patient->arena, "%s\n-- and %zu more", item->mend, item->more_mends);
}

const char *
patient_role(const struct patient *patient)
{
    const struct reading *reading = &patient->server->now[COLLECT_SERVER];
    const struct sql_monitor_server *row =
        reading->is_good && reading->rows.count == 1 ? reading->rows.items : NULL;
    const char *role = row ? row->role : NULL;

    return role ? db_ident(patient->arena, role) : "the_role_that_looks";
}

void
item_hide(const struct patient *patient, struct checkup_item *item, const char *format, ...)
{
    const char *what;
    va_list args;

    va_start(args, format);
    what = compose(patient, format, args);
    va_end(args);
    if (item->health != HEALTH_GOOD && item->health != HEALTH_UNKNOWN) {
        item_show(patient, item, "not seen: %s", what);
        return;
    }
    item->health = HEALTH_UNKNOWN;
    item_say(patient, item, "not known: %s%s%s%s", what, item->says ? " (as far as is seen: " : "",
        item->says ? item->says : "", item->says ? ")" : "");
}

const char *
say_count(const struct patient *patient, size_t count, const char *one, const char *many)
{
    return arena_printf(patient->arena, "%s %s", text_from_count(patient->arena, (int64_t)count),
        count == 1 ? one : many);
}

const char *
say_seconds(const struct patient *patient, double seconds)
{
    return isfinite(seconds) ? text_from_us(patient->arena, llround(seconds * 1e6)) : "unknown";
}

const char *
say_bytes(const struct patient *patient, double bytes)
{
    return isfinite(bytes) ? text_from_bytes(patient->arena, llround(bytes)) : "unknown";
}

const char *
say_ratio(const struct patient *patient, double ratio)
{
    return arena_printf(
        patient->arena, ratio > 0.9995 && ratio < 1 ? "%.2f %%" : "%.1f %%", ratio * 100);
}

/* ---- the checkup ---- */

static void
look(const struct patient *patient, const struct check *check, struct checkup *ret)
{
    struct checkup_item item = { .name = check->name, .title = check->title };

    check->look(patient, &item);
    if (item.says)
        VEC_PUSH(patient->arena, ret, item);
}

static void
judge(struct checkup *checkup)
{
    bool is_known = false;

    checkup->health = HEALTH_GOOD;
    for (size_t i = 0; i < checkup->count; i++) {
        enum health health = checkup->items[i].health;

        is_known = is_known || health != HEALTH_UNKNOWN;
        if (health != HEALTH_UNKNOWN && rank(health) > rank(checkup->health))
            checkup->health = health;
    }
    if (!is_known)
        checkup->health = HEALTH_UNKNOWN;
}

void
doctor_check(struct arena *arena, const struct watched *server, struct checkup *ret)
{
    const struct patient patient = { arena, server, server->facts };

    *ret = (struct checkup){ .server = server->name };
    if (!server->is_up) {
        struct checkup_item item = {
            .name = "server", .title = "server", .health = HEALTH_CRITICAL
        };

        item_say(&patient, &item, "it does not answer: %s",
            server->error.message ? server->error.message : "no reason is known");
        VEC_PUSH(arena, ret, item);
    }
    for (size_t i = 0; server->is_up && i < COUNT_OF(families); i++)
        for (size_t j = 0; j < *families[i].count; j++)
            look(&patient, &families[i].checks[j], ret);
    judge(ret);
}

static const char *
health_name(enum health health)
{
    static const char *const names[] = { [HEALTH_GOOD] = "good",
        [HEALTH_WARNING] = "warning",
        [HEALTH_CRITICAL] = "critical",
        [HEALTH_UNKNOWN] = "unknown" };

    return names[health];
}

json_t *
doctor_json(const struct checkup *checkup)
{
    json_t *items = json_array();

    for (size_t i = 0; i < checkup->count; i++) {
        const struct checkup_item *item = &checkup->items[i];
        json_t *evidence = json_array();

        for (size_t j = 0; j < item->evidence.count; j++)
            json_array_append_new(evidence, json_string(item->evidence.items[j]));
        json_array_append_new(
            items, json_pack("{s:s, s:s, s:s, s:s, s:o, s:s?}", "name", item->name, "title",
                       item->title, "health", health_name(item->health), "says", item->says,
                       "evidence", evidence, "mend", item->mend));
    }
    return json_pack("{s:s?, s:s, s:o}", "server", checkup->server, "health",
        health_name(checkup->health), "items", items);
}

bool
doctor_has_check(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(families); i++)
        for (size_t j = 0; j < *families[i].count; j++)
            if (text_equal(families[i].checks[j].name, name))
                return true;
    return false;
}
