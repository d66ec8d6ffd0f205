/* What the files of a call share. */
#pragma once

#include "replyx/call.h"

/* call_answer.c: the client has gone; nobody hears the answer. */
void call_forget(struct call *call);
/* call_fail() with another status than that of the error's kind. */
void call_fail_as(struct call *call, int status, const struct error *error);
/* What is left of the time that a request may take; at least a millisecond. */
int64_t call_time_left(const struct call *call);

/* auth.c: sets call->user and calls next(), now or later; or answers with 401. */
void auth_begin(struct call *call, void (*next)(struct call *call));
