#include <assert.h>
#include <math.h>

#include "load/facts/part.h"

void
fact_put(struct fact_sheet *sheet, const char *name, double value)
{
    size_t at = 0;

    while (at < load_fact_kind_count && !text_equal(load_fact_kinds[at].name, name))
        at++;
    assert(at < load_fact_kind_count);
    sheet->values[at] = value;
}

void
fact_note(struct fact_sheet *sheet, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_list_add(sheet->arena, &sheet->notes, arena_vprintf(sheet->arena, format, args));
    va_end(args);
}
