#include "finding/finding.h"

const char *
severity_name(enum severity severity)
{
#define SEVERITY_NAME(name, text) text,
    static const char *const names[] = { SEVERITIES(SEVERITY_NAME) };
#undef SEVERITY_NAME

    return names[severity];
}

struct finding *
finding_add(
    struct findings *findings, const struct rule *rule, struct place place, const char *format, ...)
{
    va_list args;
    const char *message;

    va_start(args, format);
    message = arena_vprintf(findings->arena, format, args);
    va_end(args);
    VEC_PUSH(findings->arena, findings,
        (struct finding){
            .rule = rule,
            .severity = rule->severity,
            .place = place,
            .message = message,
        });
    return &findings->items[findings->count - 1];
}

/* Most findings have one or two of each, and a long history has many findings. */
#define START_SMALL(arena, vec)                                               \
    do {                                                                      \
        if ((vec)->capacity == 0) {                                           \
            (vec)->capacity = 2;                                              \
            (vec)->items = arena_alloc((arena), 2 * sizeof((vec)->items[0])); \
        }                                                                     \
    } while (0)

void
finding_evidence(
    struct findings *findings, struct finding *finding, const char *name, const char *value)
{
    START_SMALL(findings->arena, &finding->evidence);
    VEC_PUSH(findings->arena, &finding->evidence, (struct evidence){ name, value });
}

void
finding_related(
    struct findings *findings, struct finding *finding, struct place place, const char *what)
{
    START_SMALL(findings->arena, &finding->related);
    VEC_PUSH(findings->arena, &finding->related, (struct related){ place, what });
}

size_t
findings_count(const struct findings *findings, enum severity least)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->count; i++)
        count += !findings->items[i].silenced && findings->items[i].severity >= least;
    return count;
}

/* NULL comes first. */
static int
compare_text(const char *a, const char *b)
{
    if (a == b)
        return 0;
    if (!a || !b)
        return a ? 1 : -1;
    return strcmp(a, b);
}

static int
compare_number(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int
compare(const void *left, const void *right)
{
    const struct finding *a = left;
    const struct finding *b = right;
    int order = compare_text(a->place.file, b->place.file);

    order = order ? order : compare_number(a->place.line, b->place.line);
    order = order ? order : compare_number(a->place.column, b->place.column);
    order = order ? order : compare_number(b->severity, a->severity);
    order = order ? order : compare_text(a->rule->id, b->rule->id);
    order = order ? order : compare_text(a->object, b->object);
    return order ? order : compare_text(a->message, b->message);
}

void
findings_sort(struct findings *findings)
{
    if (findings->count > 1)
        qsort(findings->items, findings->count, sizeof(findings->items[0]), compare);
}
