/* What the rules share that look at one step at a time. */
#pragma once

#include "migrate/model/effect.h"
#include "migrate/rules/rules.h"

/* A step about to be applied. */
struct moment {
    const struct check *check;
    const struct revision *revision;
    const struct model *model; /* before the step */
    const struct step *step;
    enum verdict verdict;
    const struct effect *effect; /* or NULL: the rule does not care */
};

/*
 * A finding about the step: its place, revision and object, the condition it stands under, the
 * lock, and where the table was created. The message is one clause without a full stop.
 */
struct finding *moment_tell(const struct moment *moment, const struct rule *rule,
    const char *format, ...) PRINTF_LIKE(3, 4);

/* Whether people use it: it was there before the revision, or is taken to have been. */
bool relation_is_in_use(const struct relation *relation, const struct revision *revision);

/* "users", "extra.users"; "a table" for NULL. */
const char *relation_label(struct arena *arena, const struct relation *relation);
