/*
 * Text format 0.0.4, as applications print it: counters, gauges, histograms and summaries (whose
 * lines are samples like others), untyped ones, and what OpenMetrics adds (# EOF, # UNIT, exemplars).
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>

#include "base/map.h"
#include "base/vec.h"
#include "monitor/metric/metric.h"

enum { MOST_SAMPLES = 50000 };

struct parsing {
    struct ctx *ctx;
    struct samples *ret;
    struct arena *arena;
    const char *at;
    const char *end; /* of the line */
    size_t line;
    struct map kinds;   /* name → what TYPE says */
    struct map helps;   /* name → what HELP says */
    struct map metrics; /* name → struct metric */
};

static bool
is_name_byte(char byte, bool is_first)
{
    return isalpha((unsigned char)byte) || byte == '_' || byte == ':' ||
           (!is_first && isdigit((unsigned char)byte));
}

static void
skip_blanks(struct parsing *parsing)
{
    while (parsing->at < parsing->end && (*parsing->at == ' ' || *parsing->at == '\t'))
        parsing->at++;
}

/* NULL when no name starts here. */
static const char *
take_name(struct parsing *parsing)
{
    const char *start = parsing->at;

    while (parsing->at < parsing->end && is_name_byte(*parsing->at, parsing->at == start))
        parsing->at++;
    return parsing->at == start
               ? NULL
               : arena_strndup(parsing->arena, start, (size_t)(parsing->at - start));
}

static bool
refuse(struct parsing *parsing, const char *what)
{
    return error_set(parsing->ctx, ERR_INPUT, "line %zu of the metrics: %s", parsing->line, what);
}

static bool
take_quoted(struct parsing *parsing, const char **ret)
{
    struct buffer text = { .arena = parsing->arena };

    if (parsing->at == parsing->end || *parsing->at != '"')
        return refuse(parsing, "a label's value is not quoted");
    for (parsing->at++; parsing->at < parsing->end && *parsing->at != '"'; parsing->at++) {
        char byte = *parsing->at;

        if (byte == '\\' && parsing->at + 1 < parsing->end) {
            byte = *++parsing->at;
            if (byte == 'n')
                byte = '\n';
        }
        buffer_append(&text, &byte, 1);
    }
    if (parsing->at == parsing->end)
        return refuse(parsing, "a label's value does not end");
    parsing->at++;
    *ret = buffer_text(&text);
    return true;
}

struct label_set {
    const char *names[METRIC_LABELS + 1];
    const char *values[METRIC_LABELS];
    size_t count;
    bool is_too_long;
};

static bool
take_label(struct parsing *parsing, struct label_set *labels)
{
    const char *name = take_name(parsing);
    const char *value = NULL;

    if (!name)
        return refuse(parsing, "a label has no name");
    skip_blanks(parsing);
    if (parsing->at == parsing->end || *parsing->at != '=')
        return refuse(parsing, "a label has no value");
    parsing->at++;
    skip_blanks(parsing);
    if (!take_quoted(parsing, &value))
        return false;
    if (labels->count == METRIC_LABELS) {
        labels->is_too_long = true;
        return true;
    }
    labels->names[labels->count] = name;
    labels->values[labels->count] = value;
    labels->count++;
    return true;
}

static bool
take_labels(struct parsing *parsing, struct label_set *labels)
{
    if (parsing->at == parsing->end || *parsing->at != '{')
        return true;
    parsing->at++;
    for (;;) {
        skip_blanks(parsing);
        if (parsing->at < parsing->end && *parsing->at == '}') {
            parsing->at++;
            return true;
        }
        if (parsing->at == parsing->end)
            return refuse(parsing, "the labels do not end");
        if (!take_label(parsing, labels))
            return false;
        skip_blanks(parsing);
        if (parsing->at < parsing->end && *parsing->at == ',')
            parsing->at++;
        else if (parsing->at == parsing->end || *parsing->at != '}')
            return refuse(parsing, "a comma or } is expected after a label");
    }
}

/* Go's ParseFloat, of which the numbers in use are those of C. */
static bool
take_number(struct parsing *parsing, double *ret)
{
    char text[64] = { 0 };
    size_t length = 0;
    char *end;

    while (parsing->at < parsing->end && *parsing->at != ' ' && *parsing->at != '\t') {
        if (length + 1 == sizeof(text))
            return refuse(parsing, "the number is too long");
        text[length++] = *parsing->at++;
    }
    *ret = strtod(text, &end);
    if (length == 0 || *end)
        return refuse(parsing, "no number after the name");
    return true;
}

static bool
is_counter(const struct parsing *parsing, const char *name)
{
    static const char *const endings[] = { "_bucket", "_count", "_sum" };
    const char *kind = map_get(&parsing->kinds, name);

    if (kind)
        return strcmp(kind, "counter") == 0;
    if (text_ends_with(name, "_total")) {
        kind = map_get(&parsing->kinds, arena_strndup(parsing->arena, name, strlen(name) - 6));
        return kind && strcmp(kind, "counter") == 0;
    }
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        if (!text_ends_with(name, endings[i]))
            continue;
        kind = map_get(&parsing->kinds,
            arena_strndup(parsing->arena, name, strlen(name) - strlen(endings[i])));
        return kind && (strcmp(kind, "histogram") == 0 || strcmp(kind, "summary") == 0);
    }
    return false;
}

static const struct metric *
metric_of(struct parsing *parsing, const char *name)
{
    struct metric *metric = map_get(&parsing->metrics, name);
    const char *help = map_get(&parsing->helps, name);

    if (metric)
        return metric;
    metric = ARENA_NEW(parsing->arena, struct metric);
    metric->name = name;
    metric->help = help ? help : "";
    metric->kind = is_counter(parsing, name) ? METRIC_COUNTER : METRIC_GAUGE;
    map_set(&parsing->metrics, name, metric);
    return metric;
}

static const char *const *
kept_names(struct arena *arena, const struct label_set *labels)
{
    return arena_memdup(arena, labels->names, sizeof(labels->names[0]) * (labels->count + 1));
}

/* name{label="value",…} value [timestamp]; the time and an exemplar behind it are not needed. */
static bool
take_sample(struct parsing *parsing)
{
    struct label_set labels = { .count = 0 };
    const char *name = take_name(parsing);
    double value = 0;

    if (!name)
        return refuse(parsing, "a metric's name is expected");
    skip_blanks(parsing);
    if (!take_labels(parsing, &labels))
        return false;
    skip_blanks(parsing);
    if (!take_number(parsing, &value))
        return false;
    if (parsing->ret->count >= MOST_SAMPLES)
        return refuse(parsing, "there are more than 50000 series");
    if (!labels.is_too_long)
        sample_add(parsing->ret, metric_of(parsing, name), kept_names(parsing->arena, &labels),
            labels.values, value);
    return true;
}

/* "# TYPE name kind" and "# HELP name text"; every other comment is one. */
static void
take_comment(struct parsing *parsing)
{
    parsing->at++;
    skip_blanks(parsing);

    const char *word = take_name(parsing);
    bool is_type = text_equal(word, "TYPE");

    if (!is_type && !text_equal(word, "HELP"))
        return;
    skip_blanks(parsing);

    const char *name = take_name(parsing);

    skip_blanks(parsing);
    if (!name)
        return;

    char *rest = arena_strndup(parsing->arena, parsing->at, (size_t)(parsing->end - parsing->at));

    map_set(is_type ? &parsing->kinds : &parsing->helps, name, rest);
}

bool
metric_parse(struct ctx *ctx, const char *text, size_t length, struct samples *ret)
{
    const char *end = text + length;
    struct parsing parsing = { .ctx = ctx, .ret = ret };

    if (!ret->arena)
        ret->arena = ctx->arena;
    parsing.arena = ret->arena;
    parsing.kinds.arena = parsing.helps.arena = parsing.metrics.arena = ret->arena;
    while (text < end) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        const char *next = line_end ? line_end + 1 : end;

        parsing.line++;
        parsing.at = text;
        parsing.end = line_end ? line_end : end;
        if (parsing.end > parsing.at && parsing.end[-1] == '\r')
            parsing.end--;
        text = next;
        skip_blanks(&parsing);
        if (parsing.at == parsing.end)
            continue;
        if (*parsing.at == '#')
            take_comment(&parsing);
        else if (!take_sample(&parsing))
            return false;
    }
    return true;
}
