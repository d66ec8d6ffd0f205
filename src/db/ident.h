/* Names and literals in SQL: the one place that quotes. */
#pragma once

#include "base/ctx.h"

/* "we""ird" when it needs quotes, else as it is (never for a reserved word). */
const char *db_ident(struct arena *arena, const char *name);

/* schema.name, each quoted. */
const char *db_qualified(struct arena *arena, const char *schema, const char *name);

/* 'it''s', or E'…' when it holds a backslash. */
const char *db_literal(struct arena *arena, const char *text);
