/* The text format 0.0.4; source: "Exposition formats" of Prometheus' documentation. */
#include <math.h>

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
    struct labels *labels;
    double value;
};

struct group {
    const struct metric *metric;
    VEC(struct line) lines;
};

struct printing {
    struct buffer *out;
    struct arena *arena; /* freed when it is printed */
    struct map groups;
    struct map labels;
    VEC(struct group *) order;
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
group_of(struct printing *printing, const struct metric *metric)
{
    struct group *group = map_get(&printing->groups, metric->name);

    if (group)
        return group;
    group = ARENA_NEW(printing->arena, struct group);
    group->metric = metric;
    map_set(&printing->groups, metric->name, group);
    VEC_PUSH(printing->arena, &printing->order, group);
    return group;
}

static bool
has_same_labels(const struct sample *a, const struct sample *b)
{
    return a->label_names == b->label_names && memcmp(a->labels, b->labels, sizeof(a->labels)) == 0;
}

static void
collect_source(struct printing *printing, const struct metric_source *source)
{
    const struct sample *before = NULL;
    struct labels *labels = NULL;

    for (size_t i = 0; i < source->samples->count; i++) {
        const struct sample *sample = &source->samples->items[i];
        struct group *group = group_of(printing, sample->metric);

        /* The metrics of a row follow each other. */
        if (!before || !has_same_labels(sample, before))
            labels = labels_of(printing, source->server, sample);
        before = sample;
        VEC_PUSH(printing->arena, &group->lines, (struct line){ labels, sample->value });
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

/* The shortest of both that is read back as the same number. */
static void
print_number(struct buffer *out, double value)
{
    char text[40];
    int length;

    if (isnan(value) || isinf(value)) {
        buffer_add(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
        return;
    }
    if (fabs(value) < 9007199254740992.0 && value == floor(value)) {
        length = snprintf(text, sizeof(text), "%lld", (long long)value);
    } else {
        length = snprintf(text, sizeof(text), "%.15g", value);
        if (strtod(text, NULL) != value)
            length = snprintf(text, sizeof(text), "%.17g", value);
    }
    buffer_append(out, text, (size_t)length);
}

/* One series twice makes Prometheus refuse all of them, so the first one counts. */
static void
print_group(struct buffer *out, const struct group *group)
{
    size_t length = strlen(group->metric->name);

    print_help(out, group->metric);
    for (size_t i = 0; i < group->lines.count; i++) {
        const struct line *line = &group->lines.items[i];

        if (line->labels->printed == group)
            continue;
        line->labels->printed = group;
        buffer_append(out, group->metric->name, length);
        buffer_append(out, line->labels->text, line->labels->length);
        buffer_append(out, " ", 1);
        print_number(out, line->value);
        buffer_append(out, "\n", 1);
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
    for (size_t i = 0; i < printing.order.count; i++)
        print_group(out, printing.order.items[i]);
}
