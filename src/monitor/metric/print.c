/* The text format 0.0.4; source: "Exposition formats" of Prometheus' documentation. */
#include "base/map.h"
#include "base/vec.h"
#include "monitor/metric/metric_part.h"

struct group;

/* The labels of a line as they are printed; many metrics of one row have the same. */
struct labels {
    const char *text; /* "{…}", or "" */
    size_t length;
    const struct group *printed; /* the group that has had a line with them last */
};

struct line {
    struct line *next; /* of the same group */
    struct labels *labels;
    double value;
};

struct group {
    const struct metric *metric;
    struct group *followed_by; /* last time: rows of one collector have the same metrics in turn */
    struct line *first;
    struct line **last;
    size_t name_length;
};

struct printing {
    struct buffer *out;
    struct arena *arena; /* freed when it is printed */
    struct map groups;
    struct map labels;
    struct group *before; /* of the sample before */
    VEC(struct group *) order;
    size_t bytes; /* that the lines will take, at most */
};

static void
print_label(struct buffer *out, const char *name, const char *value)
{
    buffer_add(out, out->length == 0 ? "{" : ",");
    buffer_add(out, name);
    buffer_add(out, "=\"");
    metric_escape(out, value ? value : "");
    buffer_add(out, "\"");
}

static struct labels *
labels_of(struct printing *printing, const char *server, const struct sample *sample)
{
    struct buffer text = { .arena = printing->arena };
    struct labels *labels;

    if (server)
        print_label(&text, "server", server);
    for (size_t i = 0; i < METRIC_LABELS && sample->label_names[i]; i++)
        /* Two labels of one name are no valid line. */
        if (!server || strcmp(sample->label_names[i], "server") != 0)
            print_label(&text, sample->label_names[i], sample->labels[i]);
    buffer_add(&text, text.length > 0 ? "}" : "");
    labels = map_get(&printing->labels, buffer_text(&text));
    if (labels)
        return labels;
    labels = ARENA_NEW(printing->arena, struct labels);
    *labels = (struct labels){ buffer_text(&text), text.length, NULL };
    map_set(&printing->labels, labels->text, labels);
    return labels;
}

static struct group *
find_group(struct printing *printing, const struct metric *metric)
{
    struct group *group = map_get(&printing->groups, metric->name);

    if (group)
        return group;
    group = ARENA_NEW(printing->arena, struct group);
    group->metric = metric;
    group->name_length = strlen(metric->name);
    group->last = &group->first;
    map_set(&printing->groups, metric->name, group);
    VEC_PUSH(printing->arena, &printing->order, group);
    return group;
}

static struct group *
group_of(struct printing *printing, const struct metric *metric)
{
    struct group *before = printing->before;
    struct group *group = before ? before->followed_by : NULL;

    if (!group || group->metric != metric)
        group = find_group(printing, metric);
    if (before)
        before->followed_by = group;
    printing->before = group;
    return group;
}

static void
collect_source(struct printing *printing, const struct metric_source *source)
{
    size_t count = source->samples->count;
    struct line *lines = ARENA_ARRAY(printing->arena, struct line, count + 1);
    const struct sample *before = NULL;
    struct labels *labels = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct sample *sample = &source->samples->items[i];
        struct group *group = group_of(printing, sample->metric);

        /* The metrics of a row follow each other. */
        if (!before || sample->labels != before->labels ||
            sample->label_names != before->label_names)
            labels = labels_of(printing, source->server, sample);
        before = sample;
        lines[i] = (struct line){ NULL, labels, sample->value };
        *group->last = &lines[i];
        group->last = &lines[i].next;
        printing->bytes += group->name_length + labels->length + METRIC_NUMBER_BYTES + 2;
    }
}

static void
print_help(struct buffer *out, const struct metric *metric)
{
    static const char *const kinds[] = { [METRIC_GAUGE] = "gauge", [METRIC_COUNTER] = "counter" };
    const char *help = metric->help ? metric->help : metric->name;

    buffer_add(out, "# HELP ");
    buffer_add(out, metric->name);
    buffer_add(out, " ");
    for (; *help; help++) {
        if (*help == '\n')
            buffer_add(out, "\\n");
        else if (*help == '\\')
            buffer_add(out, "\\\\");
        else
            buffer_append(out, help, 1);
    }
    buffer_add(out, "\n# TYPE ");
    buffer_add(out, metric->name);
    buffer_add(out, " ");
    buffer_add(out, kinds[metric->kind]);
    buffer_add(out, "\n");
}

/* One series twice makes Prometheus refuse all of them, so the first one counts. */
static void
print_group(struct buffer *out, const struct group *group)
{
    print_help(out, group->metric);
    for (const struct line *line = group->first; line; line = line->next) {
        struct labels *labels = line->labels;

        if (labels->printed == group)
            continue;
        labels->printed = group;
        buffer_reserve(out, group->name_length + labels->length + METRIC_NUMBER_BYTES + 2);

        char *at = out->data + out->length;

        memcpy(at, group->metric->name, group->name_length);
        at += group->name_length;
        memcpy(at, labels->text, labels->length);
        at += labels->length;
        *at++ = ' ';
        at += metric_number(at, line->value);
        *at++ = '\n';
        *at = '\0';
        out->length = (size_t)(at - out->data);
    }
}

void
metric_print(struct buffer *out, const struct metric_source *sources, size_t count)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct printing printing = {
        .out = out, .arena = arena, .groups = { .arena = arena }, .labels = { .arena = arena }
    };

    for (size_t i = 0; i < count; i++)
        collect_source(&printing, &sources[i]);
    buffer_reserve(out, printing.bytes);
    for (size_t i = 0; i < printing.order.count; i++)
        print_group(out, printing.order.items[i]);
}
