/* Green's schema by the user's own migrations. */
#pragma once

#include "db/db.h"

/* "alembic upgrade head" of the history in folder on this database; command NULL: found by itself. */
bool bluegreen_migrate(struct ctx *ctx, struct db *green, const char *folder, const char *command)
    MUST_CHECK;
