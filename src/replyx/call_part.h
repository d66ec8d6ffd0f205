/* What the files of a call share. */
#pragma once

#include "replyx/call.h"

/* call_answer.c: the client has gone; nobody hears the answer. */
void call_forget(struct call *call);
/* call_read.c: ERR_INPUT for a query with a name that is not one of these (NULL: there are none), or twice. */
bool call_check_query(struct ctx *ctx, struct call *call, const char *const *names) MUST_CHECK;
/* What is left of the time that a request may take; at least a millisecond. */
int64_t call_time_left(const struct call *call);

/* auth.c: sets call->user and calls next(), now or later; or answers with 401. */
void auth_begin(struct call *call, void (*next)(struct call *call));
/* What the database says of the user, when call->is_unsure; ERR_IDENTITY for one who is blocked or gone. */
bool auth_note_user(struct ctx *ctx, struct call *call, bool is_active) MUST_CHECK;
