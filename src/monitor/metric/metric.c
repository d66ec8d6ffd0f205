#include "monitor/metric/metric.h"

#include <math.h>

#include "base/vec.h"
#include "monitor/metric/metric_part.h"

/* The labels of the sample before, if they are the same: the metrics of a row follow each other. */
static const char *const *
labels_before(
    const struct samples *samples, const char *const *label_names, const char *const *labels)
{
    const struct sample *before = samples->count > 0 ? &samples->items[samples->count - 1] : NULL;

    if (!before || before->label_names != label_names)
        return NULL;
    for (size_t i = 0; i < METRIC_LABELS && label_names[i]; i++)
        if (before->labels[i] != (labels[i] ? labels[i] : ""))
            return NULL;
    return before->labels;
}

static const char *const *
copy_labels(struct arena *arena, const char *const *label_names, const char *const *labels)
{
    static const char *const none[] = { NULL };
    size_t count = 0;

    if (!label_names[0])
        return none;
    while (count < METRIC_LABELS && label_names[count])
        count++;

    const char **copy = ARENA_ARRAY(arena, const char *, count);

    for (size_t i = 0; i < count; i++)
        copy[i] = labels[i] ? labels[i] : "";
    return copy;
}

void
sample_add(struct samples *samples, const struct metric *metric, const char *const *label_names,
    const char *const *labels, double value)
{
    static const char *const none[] = { NULL };
    struct sample sample = { .metric = metric, .value = value };

    if (isnan(value))
        return;
    sample.label_names = label_names ? label_names : none;
    sample.labels = labels_before(samples, sample.label_names, labels);
    if (!sample.labels)
        sample.labels = copy_labels(samples->arena, sample.label_names, labels);
    VEC_PUSH(samples->arena, samples, sample);
}

static bool
labels_begin_with(const struct sample *sample, const char *const *labels)
{
    for (size_t i = 0; labels && labels[i]; i++)
        if (i >= METRIC_LABELS || !sample->label_names[i] || !sample->labels[i] ||
            strcmp(sample->labels[i], labels[i]) != 0)
            return false;
    return true;
}

const struct sample *
sample_find(const struct samples *samples, const char *name, const char *const *labels)
{
    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *sample = &samples->items[i];

        if (strcmp(sample->metric->name, name) == 0 && labels_begin_with(sample, labels))
            return sample;
    }
    return NULL;
}

/* The length of the UTF-8 sequence that starts here, 0 if it is none. */
static size_t
sequence_length(const char *text)
{
    unsigned char first = (unsigned char)*text;
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    char one[5] = { 0 };

    if (length == 1)
        return 1;
    for (size_t i = 0; i < length && text[i]; i++)
        one[i] = text[i];
    return strlen(one) == length && text_is_utf8(one) ? length : 0;
}

void
metric_escape(struct buffer *out, const char *text)
{
    while (*text) {
        size_t plain = 0;
        size_t length;

        while (text[plain] && text[plain] != '\\' && text[plain] != '"' && text[plain] != '\n' &&
               (unsigned char)text[plain] < 0x80)
            plain++;
        buffer_append(out, text, plain);
        text += plain;
        if (!*text)
            return;
        if (*text == '\n')
            buffer_add(out, "\\n");
        else if (*text == '\\' || *text == '"')
            buffer_append(out, (const char[]){ '\\', *text }, 2);
        length = sequence_length(text);
        if ((unsigned char)*text >= 0x80 && length > 0)
            buffer_append(out, text, length);
        else if ((unsigned char)*text >= 0x80)
            buffer_add(out, "\xef\xbf\xbd");
        text += length > 0 ? length : 1;
    }
}

const char *
sample_labels(struct arena *arena, const struct sample *sample)
{
    struct buffer out = { .arena = arena };

    for (size_t i = 0; i < METRIC_LABELS && sample->label_names[i]; i++) {
        buffer_add(&out, i > 0 ? "," : "");
        buffer_add(&out, sample->label_names[i]);
        buffer_add(&out, "=\"");
        metric_escape(&out, sample->labels[i] ? sample->labels[i] : "");
        buffer_add(&out, "\"");
    }
    return buffer_text(&out);
}
