#include "cmd/parts/vector_wish.h"

#define METRIC_OPERATOR(metric, name, op, class) op,
const char *const vector_wish_operators[] = { VECTOR_METRICS(METRIC_OPERATOR) NULL };
#undef METRIC_OPERATOR
