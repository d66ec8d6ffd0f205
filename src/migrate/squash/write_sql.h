/* One object of a group, by Alembic's operations or by statements. */
#pragma once

#include "migrate/squash/write_private.h"

void write_object(struct writing *writing, const struct ddl_ref *ref);

/* write_public.c */
void write_public(struct writing *writing, const struct sql_schema_schemas *schema);
