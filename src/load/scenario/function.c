#include <strings.h>

#include "load/scenario/function_part.h"

static const struct load_functions *const groups[] = {
    &load_math_functions,
    &load_random_functions,
    &load_text_functions,
};

static const struct load_function *
find(const struct load_functions *functions, const char *name)
{
    for (size_t i = 0; i < functions->count; i++)
        if (strcasecmp(functions->items[i].name, name) == 0)
            return &functions->items[i];
    return NULL;
}

const struct load_function *
load_operator_find(const char *sign)
{
    return find(&load_operators, sign);
}

const struct load_function *
load_function_find(const char *name)
{
    if (strcasecmp(name, "mod") == 0)
        return load_operator_find("%");
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        const struct load_function *function = find(groups[i], name);

        if (function)
            return function;
    }
    return NULL;
}

const char *
load_function_nearest(const char *name)
{
    const char *nearest = NULL;
    size_t least = strlen(name) / 3 + 1;

    for (size_t i = 0; i < COUNT_OF(groups); i++)
        for (size_t j = 0; j < groups[i]->count; j++) {
            size_t distance = text_distance(groups[i]->items[j].name, name);

            if (distance < least) {
                least = distance;
                nearest = groups[i]->items[j].name;
            }
        }
    return nearest;
}
