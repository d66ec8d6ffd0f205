/* What a plan asks of its relations. */
#pragma once

#include "index/candidate/make.h"

/* Makes candidates for each relation of the plan. */
void candidate_wishes(struct candidate_wish *wish, struct candidate_reading *reading);
