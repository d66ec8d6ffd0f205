/* Shared by the files of this folder. */
#pragma once

#include "monitor/metric/metric.h"

/* As a label's value stands between quotes; bytes that are not UTF-8 become U+FFFD. */
void metric_escape(struct buffer *out, const char *text);

/*
 * Writes the number so that it is read back as the same one, and gives the length; no NUL behind it is
 * promised.
 */
enum { METRIC_NUMBER_BYTES = 40 };
size_t metric_number(char out[METRIC_NUMBER_BYTES], double value);
