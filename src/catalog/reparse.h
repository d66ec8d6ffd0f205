/* SQL of the server's own wording, made fit to be read by the server again. */
#pragma once

#include "base/arena.h"

/*
 * The server writes the condition "code IN ('a', 'b')" of a varchar column as
 * "(code)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])"; read
 * again, the cast moves into the array, and it is written otherwise from then on, which is why a
 * dump of a restored dump differs. With one more cast, "(ARRAY[…]::character varying[])::text[]",
 * the same expression comes out. Returns the text with such casts, or the text itself when there
 * is none to add. What stands in quotes is left alone.
 */
const char *sql_reparsable(struct arena *arena, const char *text);
