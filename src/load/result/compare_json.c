
#include "load/result/compare.h"

static void
set_number(json_t *object, const char *key, double number)
{
    json_object_set_new(object, key, json_number(number));
}

static void
set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, text ? json_string(text) : json_null());
}

static json_t *
difference_json(const struct load_difference *difference)
{
    json_t *object = json_object();

    set_text(object, "step", difference->step);
    set_text(object, "measure", difference->measure);
    set_number(object, "before", difference->before);
    set_number(object, "after", difference->after);
    set_text(object, "change_as", difference->is_ratio ? "ratio" : "difference");
    set_number(object, "change",
        difference->is_ratio ? difference->after / difference->before
                             : difference->after - difference->before);
    set_number(object, "low", difference->low);
    set_number(object, "high", difference->high);
    set_text(object, "verdict", load_verdict_words[difference->verdict]);
    set_text(object, "why_not", difference->why_not);
    return object;
}

json_t *
load_comparison_json(const struct load_comparison *comparison)
{
    json_t *object = json_object();
    json_t *items = json_array();
    json_t *warnings = json_array();

    for (size_t i = 0; i < comparison->count; i++)
        json_array_append_new(items, difference_json(&comparison->items[i]));
    for (size_t i = 0; i < comparison->warnings.count; i++) {
        json_t *text = json_string(comparison->warnings.items[i]);

        json_array_append_new(warnings, text ? text : json_string("(not UTF-8)"));
    }
    json_object_set_new(object, "kind", json_string("load comparison"));
    json_object_set_new(object, "warnings", warnings);
    json_object_set_new(object, "items", items);
    return object;
}
