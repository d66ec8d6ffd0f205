/* Shared by the files of this folder. */
#pragma once

#include "monitor/metric/metric.h"

/* As a label's value stands between quotes; bytes that are not UTF-8 become U+FFFD. */
void metric_escape(struct buffer *out, const char *text);
