/* The checklist as people and monitoring systems read it. */
#pragma once

#include <stdio.h>

#include "monitor/doctor/doctor.h"

/* The codes of monitoring plug-ins: 0 good, 1 warning, 2 critical, 3 unknown. */
int checkup_status(enum health health);

/* The worse of two servers': critical, unknown, warning, good. */
enum health checkup_worse(enum health a, enum health b);

/* Verdict, then a line an item; what is not good with its evidence and what mends it. */
void checkup_print(FILE *out, const struct checkup *checkup);
