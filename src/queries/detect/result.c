#include <stdlib.h>

#include "base/memory.h"
#include "queries/detect/detect_part.h"

enum { MOST_COLUMNS = 32, MOST_ROWS = 1000, MOST_NAME = 64 };

/* Of all sessions together. */
static const size_t most_bytes = 128 * 1024 * 1024;

static size_t
filter_words(size_t rows)
{
    size_t words = 1;

    /* Eight bits a value: one question in eight is not answered by the filter. */
    while (words * 8 < rows)
        words *= 2;
    return words;
}

static void
fill_column(struct answer *result, size_t index, const struct traced_column *from)
{
    struct result_column *column = &result->columns[index];

    if (from->name)
        memcpy(column->name, from->name, strnlen(from->name, MOST_NAME - 1));
    for (size_t i = 0; i < result->rows && i < from->count; i++) {
        uint64_t hash = from->values[i].hash;
        size_t bit = hash & result->filter_mask;

        column->hashes[i] = hash;
        column->seen[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

static struct answer *
result_new(const struct step *step, const struct traced_statement *statement)
{
    size_t columns =
        statement->column_count < MOST_COLUMNS ? statement->column_count : MOST_COLUMNS;
    size_t rows = statement->row_count < MOST_ROWS ? statement->row_count : MOST_ROWS;
    size_t words = filter_words(rows);
    size_t each = sizeof(struct result_column) + (rows + words) * sizeof(uint64_t) + MOST_NAME;
    size_t bytes = sizeof(struct answer) + columns * each;
    char *memory = calloc(1, bytes);
    struct answer *result = (struct answer *)(void *)memory;

    if (!result)
        memory_exhausted(0);
    result->users = 1;
    result->step = step_use(step);
    result->rows = rows;
    result->is_whole = statement->rows < 0 || (size_t)statement->rows == rows;
    result->column_count = columns;
    result->columns = (struct result_column *)(void *)(memory + sizeof(struct answer));
    result->filter_mask = words * 64 - 1;
    result->bytes = bytes;
    memory += sizeof(struct answer) + columns * sizeof(struct result_column);
    for (size_t i = 0; i < columns; i++) {
        result->columns[i].hashes = (uint64_t *)(void *)memory;
        result->columns[i].seen = result->columns[i].hashes + rows;
        memory += (rows + words) * sizeof(uint64_t);
    }
    for (size_t i = 0; i < columns; i++) {
        result->columns[i].name = memory;
        memory += MOST_NAME;
        fill_column(result, i, &statement->columns[i]);
    }
    return result;
}

void
result_leave(struct detect *detect, struct answer *result)
{
    if (--result->users > 0)
        return;
    detect->result_bytes -= result->bytes;
    step_free(result->step);
    free(result);
}

static void
drop_at(struct detect *detect, struct session *session, size_t index)
{
    result_leave(detect, session->results[index]);
    session->result_count--;
    memmove(&session->results[index], &session->results[index + 1],
        (session->result_count - index) * sizeof(struct answer *));
}

void
results_drop(struct detect *detect, struct session *session)
{
    while (session->result_count > 0)
        drop_at(detect, session, session->result_count - 1);
}

/* The newest of each statement is kept, of so many statements. */
void
results_take(struct detect *detect, struct session *session, const struct step *step,
    const struct traced_statement *statement)
{
    struct answer *result;

    if (!statement->columns || statement->row_count == 0 || statement->column_count == 0)
        return;
    for (size_t i = 0; i < session->result_count; i++)
        if (session->results[i]->step->known == step->known) {
            drop_at(detect, session, i);
            break;
        }
    if (session->result_count == MOST_RESULTS)
        drop_at(detect, session, session->result_count - 1);
    result = result_new(step, statement);
    result->changes = session->changes;
    result->gaps = session->gaps;
    detect->result_bytes += result->bytes;
    memmove(&session->results[1], &session->results[0],
        session->result_count * sizeof(struct answer *));
    session->results[0] = result;
    session->result_count++;
    for (struct session *old = detect->oldest;
         old && old != session && detect->result_bytes > most_bytes; old = old->newer)
        results_drop(detect, old);
}

size_t
result_find(const struct answer *result, size_t column, uint64_t hash, size_t from)
{
    const struct result_column *in = &result->columns[column];
    size_t bit = hash & result->filter_mask;

    if (!(in->seen[bit / 64] & UINT64_C(1) << bit % 64))
        return SIZE_MAX;
    for (size_t i = from; i < result->rows; i++)
        if (in->hashes[i] == hash)
            return i;
    return SIZE_MAX;
}
