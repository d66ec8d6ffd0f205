#include "base/clock.h"
#include "base/json.h"
#include "monitor/metric/fnv.h"
#include "monitor/notify/message.h"

enum { MOST_ALERTS = 100, MOST_PAIRS = 32 };

struct pair {
    const char *name;
    const char *value;
};
struct pairs {
    struct pair items[MOST_PAIRS];
    size_t count;
};

static void
add_pair(struct pairs *pairs, const char *name, const char *value)
{
    if (text_is_empty(value) || pairs->count == MOST_PAIRS)
        return;
    for (size_t i = 0; i < pairs->count; i++)
        if (text_equal(pairs->items[i].name, name))
            return;
    pairs->items[pairs->count++] = (struct pair){ name, value };
}

/* The value that begins after its quote; *at then stands behind the closing one. */
static const char *
take_quoted(struct arena *arena, const char **at)
{
    struct buffer value = { .arena = arena };

    for (; **at && **at != '"'; (*at)++) {
        if (**at == '\\' && (*at)[1]) {
            (*at)++;
            buffer_append(&value, **at == 'n' ? "\n" : *at, 1);
        } else {
            buffer_append(&value, *at, 1);
        }
    }
    if (**at == '"')
        (*at)++;
    return buffer_text(&value);
}

/* Labels as sample_labels() writes them: name="value",name="value". */
static void
add_labels(struct arena *arena, struct pairs *pairs, const char *labels)
{
    const char *at = labels;

    while (*at) {
        size_t length = strcspn(at, "=");

        if (at[length] != '=' || at[length + 1] != '"')
            return;

        const char *name = arena_strndup(arena, at, length);

        at += length + 2;
        add_pair(pairs, name, take_quoted(arena, &at));
        if (*at == ',')
            at++;
    }
}

static int
compare_pairs(const void *a, const void *b)
{
    return strcmp(((const struct pair *)a)->name, ((const struct pair *)b)->name);
}

static void
labels_of(struct arena *arena, const struct notice *notice, struct pairs *ret)
{
    *ret = (struct pairs){ 0 };
    add_pair(ret, "alertname", notice->rule);
    add_pair(ret, "severity", notice->severity);
    add_pair(ret, "server", notice->server);
    add_pair(ret, "owner", notice->owner);
    add_labels(arena, ret, notice->labels);
    qsort(ret->items, ret->count, sizeof(ret->items[0]), compare_pairs);
}

static void
annotations_of(struct arena *arena, const struct message *message, const struct notice *notice,
    struct pairs *ret)
{
    *ret = (struct pairs){ 0 };
    add_pair(ret, "summary",
        message->is_test ? arena_printf(arena, "TEST: %s", notice->summary) : notice->summary);
    add_pair(ret, "description",
        arena_printf(arena, "%s: %s: %s%s", notice->server, notice->summary,
            notice->resolved_wall_us != 0 ? "over, now " : "", notice->value));
    add_pair(ret, "value", notice->value);
    add_pair(ret, "since", clock_text(arena, notice->since_wall_us));
    add_pair(ret, "cause", notice->cause);
    add_pair(ret, "next", notice->next);
    add_pair(ret, "playbook", arena_printf(arena, "docs/monitoring_playbook.md#%s", notice->rule));
}

/* Over names and values: Prometheus' own fingerprint. */
static const char *
fingerprint_of(struct arena *arena, const struct pairs *labels)
{
    uint64_t hash = FNV_BEGIN;

    for (size_t i = 0; i < labels->count; i++)
        hash = fnv_add(fnv_add(hash, labels->items[i].name), labels->items[i].value);
    return arena_printf(arena, "%016llx", (unsigned long long)hash);
}

static json_t *
object_of(const struct pairs *pairs)
{
    json_t *object = json_object();

    for (size_t i = 0; i < pairs->count; i++)
        json_object_set_new(object, pairs->items[i].name, json_string(pairs->items[i].value));
    return object;
}

/* What all have with the same value stays. */
static void
keep_common(struct pairs *common, const struct pairs *other)
{
    size_t kept = 0;

    for (size_t i = 0; i < common->count; i++)
        for (size_t j = 0; j < other->count; j++)
            if (text_equal(common->items[i].name, other->items[j].name) &&
                text_equal(common->items[i].value, other->items[j].value))
                common->items[kept++] = common->items[i];
    common->count = kept;
}

struct document {
    struct arena *arena;
    const struct message *message;
    json_t *alerts;
    struct pairs labels; /* that all have */
    struct pairs annotations;
    size_t count;
    size_t left_out;
};

static void
add_alert(struct document *document, const struct notice *notice)
{
    struct arena *arena = document->arena;
    const char *page = document->message->page_url;
    struct pairs labels;
    struct pairs annotations;

    if (document->count == MOST_ALERTS) {
        document->left_out++;
        return;
    }
    labels_of(arena, notice, &labels);
    annotations_of(arena, document->message, notice, &annotations);
    if (document->count == 0) {
        document->labels = labels;
        document->annotations = annotations;
    } else {
        keep_common(&document->labels, &labels);
        keep_common(&document->annotations, &annotations);
    }
    document->count++;
    json_array_append_new(document->alerts,
        json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:s}", "status",
            notice->resolved_wall_us ? "resolved" : "firing", "labels", object_of(&labels),
            "annotations", object_of(&annotations), "startsAt",
            clock_text(arena, notice->fired_wall_us), "endsAt",
            notice->resolved_wall_us ? clock_text(arena, notice->resolved_wall_us)
                                     : "0001-01-01T00:00:00Z",
            "generatorURL", page ? page : "", "fingerprint", fingerprint_of(arena, &labels)));
}

/* {}:{server="…"} as Alertmanager writes it for its root route. */
static const char *
group_key(struct arena *arena, const char *server)
{
    struct buffer key = { .arena = arena };

    buffer_add(&key, "{}:{");
    if (server) {
        buffer_add(&key, "server=\"");
        for (const char *at = server; *at; at++) {
            if (*at == '"' || *at == '\\')
                buffer_add(&key, "\\");
            buffer_append(&key, *at == '\n' ? "\\n" : at, *at == '\n' ? 2 : 1);
        }
        buffer_add(&key, "\"");
    }
    buffer_add(&key, "}");
    return buffer_text(&key);
}

const char *
message_webhook(struct arena *arena, const struct message *message)
{
    struct document document = { .arena = arena, .message = message, .alerts = json_array() };
    struct pairs group = { 0 };

    add_pair(&group, "server", message->server);
    for (size_t i = 0; i < message->news_count; i++)
        add_alert(&document, message->news[i]);
    for (size_t i = 0; i < message->other_count; i++)
        add_alert(&document, message->others[i]);

    json_t *json CLEANUP(json_release) =
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:I}", "receiver",
            message->receiver, "status", message_is_firing(message) ? "firing" : "resolved",
            "alerts", document.alerts, "groupLabels", object_of(&group), "commonLabels",
            object_of(&document.labels), "commonAnnotations", object_of(&document.annotations),
            "externalURL", message->page_url ? message->page_url : "", "version", "4", "groupKey",
            group_key(arena, message->server), "truncatedAlerts", (json_int_t)document.left_out);

    return json_text(arena, json);
}
