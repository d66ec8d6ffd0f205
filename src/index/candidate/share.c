/* How many rows a constant leaves, by what the server knows of its column. */
#include <string.h>

#include "index/candidate/term.h"

/* Few enough values that all of them are among the common ones: what is not there is nearly nowhere. */
enum { FEW_VALUES = 100 };

static double
share_of_value(const struct fact_column *column, const char *value)
{
    double sum = 0;

    if (!column->has_statistics)
        return -1;
    for (size_t i = 0; i < column->common_count; i++) {
        if (text_equal(column->common[i], value))
            return column->common_shares[i];
        sum += column->common_shares[i];
    }
    if (column->common_count == 0 || column->distinct > FEW_VALUES)
        return -1;
    sum = 1 - column->null_share - sum;
    return sum > 0 ? sum : 0;
}

/* Of '{a,b}'; elements in quotes are not looked into. */
static double
share_of_list(struct arena *arena, const struct fact_column *column, const char *list)
{
    size_t length = strlen(list);
    char *at, *item;
    double sum = 0;

    if (length < 2 || list[0] != '{' || strpbrk(list, "\"\\"))
        return -1;
    at = arena_strndup(arena, list + 1, length - 2);
    while ((item = strsep(&at, ","))) {
        double share = share_of_value(column, item);

        if (share < 0)
            return -1;
        sum += share;
    }
    return sum;
}

double
candidate_share(
    struct arena *arena, const struct fact_column *column, const char *operator, const char * value)
{
    double share;

    if (!column || !value)
        return -1;
    if (text_equal(operator, "= ANY"))
        return share_of_list(arena, column, value);
    share = share_of_value(column, value);
    if (text_equal(operator, "="))
        return share;
    if (!text_equal(operator, "<>") || share < 0)
        return -1;
    share = 1 - column->null_share - share;
    return share > 0 ? share : 0;
}
