/*
 * Shadows: for a share of the requests (flag.shadow_ratio) the original and the flagged variant are run
 * again, after the answer was sent, in one snapshot, and their answers are compared. The first difference
 * turns the flag off and is kept with both answers in replyx_api.shadow_difference.
 */
#pragma once

#include "replyx/call.h"

struct shadows;

struct shadows *shadows_new(struct api *api);
/* Those under way end with an error; before the pools and the tasks do. */
void shadows_free(struct shadows *shadows);

/* Within call_answer(), while the request is still there: copies what a shadow needs if there is one. */
void shadow_consider(struct call *call);

/*
 * Whether two answers say the same: the same bytes, or the same JSON but for the order of members and the
 * way numbers are written.
 */
bool shadow_is_same(const char *a, const char *b);
