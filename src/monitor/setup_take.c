/* The sections' tables, and what becomes of each but the sinks, which are in setup_sink.c. */

#include <math.h>

#include "base/clock.h"
#include "base/field.h"
#include "monitor/alert/alert.h"
#include "monitor/setup_parts.h"

/* As FIELD(), where the file's word is none that C allows, or another than ours. */
#define WORD(strct, member, word, ...)                                                           \
    {                                                                                            \
        .name = (word), .type = FIELD_TYPE_OF(strct, member), .offset = offsetof(strct, member), \
        __VA_ARGS__                                                                              \
    }

struct general {
    int64_t interval;
    double slo;
};

static const struct field general_fields[] = {
    FIELD(struct general, interval, .unit = UNIT_US),
    FIELD(struct general, slo),
};

struct server {
    const char *db_url;
    const char *owner;
    const char *host;
    const char *host_root;
};

static const char *const host_modes[] = { "auto", "local", "off", NULL };

static const struct field server_fields[] = {
    FIELD(struct server, db_url),
    FIELD(struct server, owner),
    FIELD(struct server, host, .choices = host_modes, .standard = "auto"),
    FIELD(struct server, host_root),
};

static const struct field application_fields[] = {
    FIELD(struct setup_application, url),
    FIELD(struct setup_application, server),
    WORD(struct setup_application, interval_us, "interval", .unit = UNIT_US),
};

struct alert_words {
    const char *metric;
    const char *fires;
    bool enabled;
    const char *threshold;
    const char *clear;
    int64_t wait;
    const char *severity;
};

static const char *const sides[] = { "above", "below", NULL };
static const char *const severities[] = { "info", "warning", "critical", NULL };

static const struct field alert_fields[] = {
    FIELD(struct alert_words, metric),
    FIELD(struct alert_words, fires, .choices = sides),
    FIELD(struct alert_words, enabled, .standard = "on"),
    FIELD(struct alert_words, threshold),
    FIELD(struct alert_words, clear),
    WORD(struct alert_words, wait, "for", .unit = UNIT_US, .standard = NULL),
    FIELD(struct alert_words, severity, .choices = severities),
};

struct route {
    const char *severity;
    const char *owner;
    int64_t after;
    struct text_list sinks;
};

static const struct field route_fields[] = {
    FIELD(struct route, severity, .choices = severities),
    FIELD(struct route, owner),
    FIELD(struct route, after, .unit = UNIT_US, .standard = "0"),
    FIELD(struct route, sinks),
};

struct maintenance {
    struct text_list servers;
    struct text_list alerts;
    const char *from;
    const char *until;
    const char *weekly;
};

static const struct field maintenance_fields[] = {
    FIELD(struct maintenance, servers),
    FIELD(struct maintenance, alerts),
    FIELD(struct maintenance, from),
    FIELD(struct maintenance, until),
    FIELD(struct maintenance, weekly),
};

static bool
take_general(const struct setup_taking *taking, const void *raw)
{
    const struct general *general = raw;

    if (setup_line_of(taking, "interval") && general->interval < 100000)
        return setup_refuse_at(taking, "interval", "the interval is less than 100 ms");
    if (setup_line_of(taking, "slo") && !(general->slo >= 0.5 && general->slo <= 0.99999)) {
        setup_refuse_at(taking, "slo", "the availability is not between 0.5 and 0.99999");
        return error_hint(taking->ctx, "Write 99.9 %% as \"slo = 0.999\".");
    }
    taking->setup->interval_us = general->interval;
    taking->setup->availability = general->slo;
    return true;
}

static bool
take_server(const struct setup_taking *taking, const void *raw)
{
    const struct server *server = raw;
    struct setup_server row = {
        .name = taking->section->name,
        .db_url = server->db_url,
        .owner = server->owner,
        .host = text_equal(server->host, "local") ? HOST_LOCAL
                : text_equal(server->host, "off") ? HOST_OFF
                                                  : HOST_AUTO,
        .host_root = server->host_root,
    };

    if (row.host_root && *row.host_root != '/')
        return setup_refuse_at(taking, "host_root", "the folder does not begin with /");
    if (row.db_url && setup_holds_password(row.db_url))
        setup_mark_secret(taking, "db_url");
    VEC_PUSH(taking->ctx->arena, &taking->setup->servers, row);
    return true;
}

static bool
take_application(const struct setup_taking *taking, const void *raw)
{
    static const char *const schemes[] = { "http://", "https://", "postgresql://", "postgres://" };
    struct setup_application row = *(const struct setup_application *)raw;
    bool is_known = false;

    row.name = taking->section->name;
    if (setup_line_of(taking, "interval") && row.interval_us < 100000)
        return setup_refuse_at(taking, "interval", "the interval is less than 100 ms");
    if (!row.url)
        return setup_refuse_missing(taking, "url", "http://127.0.0.1:8000/metrics");
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        is_known |= text_starts_with(row.url, schemes[i]);
    if (!is_known) {
        setup_refuse_at(taking, "url", "the address is neither http(s):// nor postgresql://");
        return error_hint(taking->ctx,
            "An application's page of metrics is http://HOST:PORT/metrics, "
            "a pooler is postgresql://HOST:6432/pgbouncer.");
    }
    if (setup_holds_password(row.url))
        setup_mark_secret(taking, "url");
    VEC_PUSH(taking->ctx->arena, &taking->setup->applications, row);
    return true;
}

/* "0.8", "80%", "10min" as seconds, "64MB" as bytes. */
static bool
read_number(const char *text, double *ret)
{
    size_t length = strlen(text);
    char number[32];
    int64_t whole;

    if (text_to_double(text, ret))
        return isfinite(*ret);
    if (length > 1 && length < sizeof(number) && text[length - 1] == '%') {
        length--;
        while (length > 0 && text[length - 1] == ' ')
            length--;
        snprintf(number, sizeof(number), "%.*s", (int)length, text);
        if (!text_to_double(number, ret))
            return false;
        *ret /= 100;
        return isfinite(*ret);
    }
    if (text_to_us(text, &whole)) {
        *ret = (double)whole / 1e6;
        return true;
    }
    if (!text_to_bytes(text, &whole))
        return false;
    *ret = (double)whole;
    return true;
}

static bool
take_number(const struct setup_taking *taking, const char *name, const char *text, double *ret)
{
    *ret = NAN;
    if (!text || read_number(text, ret))
        return true;
    setup_refuse_at(
        taking, name, arena_printf(taking->ctx->arena, "invalid value for %s: \"%s\"", name, text));
    return error_hint(
        taking->ctx, "Write a number such as 0.8, 80%%, 10min (seconds) or 64MB (bytes).");
}

/* Whether the alert would clear at a value at which it fires. */
static bool
check_sides(
    const struct setup_taking *taking, const struct setup_alert *row, const struct alert_rule *rule)
{
    bool is_below = rule ? rule->is_below : row->is_below;
    double threshold = isnan(row->threshold) && rule ? rule->threshold : row->threshold;

    if (isnan(row->clear) || (is_below ? row->clear >= threshold : row->clear <= threshold))
        return true;
    setup_refuse_at(taking, "clear",
        arena_printf(taking->ctx->arena, "the alert fires %s %g and would clear at %g",
            is_below ? "below" : "above", threshold, row->clear));
    return error_hint(taking->ctx, "\"clear\" is at the good side of \"threshold\".");
}

static bool
take_alert(const struct setup_taking *taking, const void *raw)
{
    const struct alert_words *words = raw;
    const char *name = taking->section->name;
    const struct alert_rule *rule = setup_rule(name);
    struct setup_alert row = {
        .name = name,
        .metric = words->metric,
        .is_off = !words->enabled,
        .is_below = text_equal(words->fires, "below"),
        .for_us = setup_line_of(taking, "for") ? words->wait : -1,
        .severity = words->severity,
        .line = taking->section->line,
    };

    if (!take_number(taking, "threshold", words->threshold, &row.threshold) ||
        !take_number(taking, "clear", words->clear, &row.clear))
        return false;
    if (rule && (words->metric || words->fires)) {
        setup_refuse_at(taking, words->metric ? "metric" : "fires",
            arena_printf(taking->ctx->arena, "rule \"%s\" has its metric already", name));
        return error_hint(taking->ctx, "Give a rule of your own another name.");
    }
    if (!rule && !row.metric) {
        setup_refuse_at(
            taking, NULL, arena_printf(taking->ctx->arena, "there is no rule \"%s\"", name));
        return setup_hint_rule(taking->ctx, name);
    }
    if (!rule && isnan(row.threshold))
        return setup_refuse_missing(taking, "threshold", "10");
    if (!check_sides(taking, &row, rule))
        return false;
    VEC_PUSH(taking->ctx->arena, &taking->setup->alerts, row);
    return true;
}

static bool
take_route(const struct setup_taking *taking, const void *raw)
{
    const struct route *route = raw;
    struct setup_route row = {
        .name = taking->section->name,
        .severity = route->severity,
        .owner = route->owner,
        .after_us = route->after,
        .sinks = setup_split(taking->ctx->arena, &route->sinks),
    };

    if (row.sinks.count == 0)
        return setup_refuse_missing(taking, "sinks", "oncall, chat");
    VEC_PUSH(taking->ctx->arena, &taking->setup->routes, row);
    return true;
}

/* "2026-11-23T02:00:00Z", or shorter by its seconds. */
static bool
take_time(const struct setup_taking *taking, const char *name, const char *text, int64_t *ret)
{
    if (clock_parse(text, ret) ||
        clock_parse(arena_printf(taking->ctx->arena, "%.16s:00Z", text), ret))
        return true;
    setup_refuse_at(
        taking, name, arena_printf(taking->ctx->arena, "invalid value for %s: \"%s\"", name, text));
    return error_hint(taking->ctx, "Write a time in UTC such as 2026-11-23T02:00:00Z.");
}

static bool
take_once(const struct setup_taking *taking, const struct maintenance *words,
    struct setup_maintenance *row)
{
    if (!words->from)
        return setup_refuse_missing(taking, "from", "2026-11-23T02:00:00Z");
    if (!words->until)
        return setup_refuse_missing(taking, "until", "2026-11-23T04:00:00Z");
    if (!take_time(taking, "from", words->from, &row->from_wall_us) ||
        !take_time(taking, "until", words->until, &row->until_wall_us))
        return false;
    if (row->from_wall_us < row->until_wall_us)
        return true;
    setup_refuse_at(taking, "until", "the window ends before it begins");
    return error_hint(taking->ctx, "A window over midnight ends on the next day.");
}

static bool
take_maintenance(const struct setup_taking *taking, const void *raw)
{
    const struct maintenance *words = raw;
    struct setup_week week;
    struct setup_maintenance row = {
        .name = taking->section->name,
        .servers = setup_split(taking->ctx->arena, &words->servers),
        .alerts = setup_split(taking->ctx->arena, &words->alerts),
        .weekly = words->weekly,
    };

    if (words->weekly && (words->from || words->until)) {
        setup_refuse_at(taking, "weekly", "the window has \"from\" or \"until\" too");
        return error_hint(taking->ctx, "A window is once or weekly: make two sections of it.");
    }
    if (words->weekly && !setup_parse_week(words->weekly, &week)) {
        setup_refuse_at(taking, "weekly",
            arena_printf(taking->ctx->arena, "invalid value for weekly: \"%s\"", words->weekly));
        return error_hint(taking->ctx,
            "Write a time in UTC such as \"Sun 02:00-04:00\", \"Mon,Thu 23:00-01:00\" or \"daily "
            "02:00-02:30\".");
    }
    if (!words->weekly && !take_once(taking, words, &row))
        return false;
    VEC_PUSH(taking->ctx->arena, &taking->setup->maintenances, row);
    return true;
}

struct section_kind {
    const char *word;
    bool is_named;
    const struct field *fields;
    size_t field_count;
    size_t size;
    bool (*take)(const struct setup_taking *taking, const void *raw);
};

static const struct section_kind section_kinds[] = {
    { "monitor", false, general_fields, COUNT_OF(general_fields), sizeof(struct general),
        take_general },
    { "server", true, server_fields, COUNT_OF(server_fields), sizeof(struct server), take_server },
    { "application", true, application_fields, COUNT_OF(application_fields),
        sizeof(struct setup_application), take_application },
    { "alert", true, alert_fields, COUNT_OF(alert_fields), sizeof(struct alert_words), take_alert },
    { "sink", true, setup_sink_fields, SETUP_SINK_FIELDS, sizeof(struct setup_sink_words),
        setup_take_sink },
    { "route", true, route_fields, COUNT_OF(route_fields), sizeof(struct route), take_route },
    { "maintenance", true, maintenance_fields, COUNT_OF(maintenance_fields),
        sizeof(struct maintenance), take_maintenance },
};

static bool
refuse_setting(const struct setup_taking *taking, const struct section_kind *kind,
    const struct setup_line *line)
{
    struct arena *arena = taking->ctx->arena;
    struct text_list names = { 0 };

    setup_refuse(taking->ctx, taking->file, line->line,
        arena_printf(arena, "unknown setting \"%s\" in section [%s]", line->name, kind->word));
    for (size_t i = 0; i < kind->field_count; i++) {
        const char *name = kind->fields[i].name;

        if (text_distance(name, line->name) <= strlen(line->name) / 3)
            return error_hint(taking->ctx, "Did you mean \"%s\"?", name);
        text_list_add(arena, &names, name);
    }
    return error_hint(taking->ctx, "There are: %s.", text_list_join(arena, &names, ", "));
}

static bool
take_line(const struct setup_taking *taking, const struct section_kind *kind,
    const struct setup_line *line, void *raw)
{
    const struct setup_line *first = setup_line_of(taking, line->name);

    for (size_t i = 0; i < kind->field_count; i++) {
        const struct field *field = &kind->fields[i];

        if (!text_equal(field->name, line->name))
            continue;
        if (first != line && field->type != FIELD_TEXT_LIST) {
            setup_refuse(taking->ctx, taking->file, line->line,
                arena_printf(taking->ctx->arena, "\"%s\" stands in line %d already", line->name,
                    first->line));
            return error_hint(taking->ctx, "Leave out one of the two.");
        }
        if (!*line->value) {
            setup_refuse(taking->ctx, taking->file, line->line,
                arena_printf(taking->ctx->arena, "\"%s\" has no value", line->name));
            return error_hint(taking->ctx, "Write one, or leave out the line.");
        }
        if (field_parse(taking->ctx, field, line->value, raw))
            return true;

        const char *why = taking->ctx->error.message;

        return setup_refuse(taking->ctx, taking->file, line->line, why);
    }
    return refuse_setting(taking, kind, line);
}

static bool
refuse_section(const struct setup_taking *taking)
{
    const char *word = taking->section->kind;

    setup_refuse_at(taking, NULL, arena_printf(taking->ctx->arena, "unknown section [%s]", word));
    for (size_t i = 0; i < COUNT_OF(section_kinds); i++)
        if (text_distance(section_kinds[i].word, word) <= strlen(word) / 3)
            return error_hint(taking->ctx, "Did you mean \"%s\"?", section_kinds[i].word);
    return error_hint(taking->ctx,
        "There are [monitor], [server NAME], [application NAME], [alert RULE], [sink NAME], [route "
        "NAME] and [maintenance NAME].");
}

static bool
take_section(const struct setup_taking *taking)
{
    const struct setup_section *section = taking->section;
    struct ctx *ctx = taking->ctx;

    for (size_t i = 0; i < COUNT_OF(section_kinds); i++) {
        const struct section_kind *kind = &section_kinds[i];

        if (!text_equal(kind->word, section->kind))
            continue;
        if (kind->is_named != (*section->name != '\0')) {
            setup_refuse_at(taking, NULL,
                arena_printf(ctx->arena, "section [%s] %s", kind->word,
                    kind->is_named ? "needs a name" : "has no name"));
            return error_hint(ctx, "Write [%s%s].", kind->word, kind->is_named ? " NAME" : "");
        }

        void *raw = arena_alloc(ctx->arena, kind->size);

        field_set_defaults(ctx, kind->fields, kind->field_count, raw);
        for (size_t j = 0; j < section->lines.count; j++)
            if (!take_line(taking, kind, &section->lines.items[j], raw))
                return false;
        return kind->take(taking, raw);
    }
    return refuse_section(taking);
}

bool
setup_take(struct ctx *ctx, struct setup_file *file, struct setup *ret)
{
    struct setup_taking taking = { .ctx = ctx, .file = file, .setup = ret };

    for (size_t i = 0; i < file->sections.count; i++) {
        taking.section = &file->sections.items[i];
        if (!take_section(&taking))
            return false;
    }
    for (size_t i = 0; i < file->sections.count; i++) {
        taking.section = &file->sections.items[i];
        if (!setup_check_names(&taking))
            return false;
    }
    return true;
}
