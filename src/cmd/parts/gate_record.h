/* What gate pass and gate revoke share. */
#pragma once

#include "cli/command.h"

struct gate_note {
    const char *note;
};

/* Records the gate named by the operand. */
bool record_gate(struct ctx *ctx, struct run *run, const char *note, bool passed) MUST_CHECK;
