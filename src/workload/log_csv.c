/*
 * A record of a csvlog. Columns by version: 23 up to PostgreSQL 12, 24 with backend_type in 13, 26 with
 * leader_pid and query_id from 14 to 18.
 */
#include "workload/log_part.h"

enum {
    CSV_TIME,
    CSV_USER,
    CSV_DATABASE,
    CSV_PID,
    CSV_FROM,
    CSV_SESSION,
    CSV_NUMBER,
    CSV_TAG,
    CSV_STARTED,
    CSV_VXID,
    CSV_TXID,
    CSV_SEVERITY,
    CSV_STATE,
    CSV_MESSAGE,
    CSV_DETAIL,
    CSV_HINT,
    CSV_INTERNAL,
    CSV_INTERNAL_AT,
    CSV_CONTEXT,
    CSV_STATEMENT,
    CSV_STATEMENT_AT,
    CSV_LOCATION,
    CSV_APPLICATION,
    CSV_FEWEST,
    CSV_MOST = 40
};

/* Behind the opening quote; doubled ones are made single in place. NULL: it is not closed. */
static char *
read_quoted(char *at, const char *end, struct slice *ret)
{
    char *out = at;

    ret->data = at;
    while (at < end) {
        if (*at != '"') {
            *out++ = *at++;
        } else if (at + 1 < end && at[1] == '"') {
            *out++ = '"';
            at += 2;
        } else {
            ret->length = (size_t)(out - ret->data);
            return at + 1;
        }
    }
    ret->length = (size_t)(out - ret->data);
    return NULL;
}

/* How many columns there are; 0: it is no CSV. */
static size_t
read_columns(char *at, char *end, bool is_cut, struct slice columns[CSV_MOST])
{
    size_t count = 0;

    while (count < CSV_MOST) {
        struct slice *column = &columns[count++];

        if (at < end && *at == '"') {
            at = read_quoted(at + 1, end, column);
            if (!at)
                return is_cut ? count : 0;
        } else {
            column->data = at;
            while (at < end && *at != ',')
                at++;
            column->length = (size_t)(at - column->data);
        }
        if (at >= end)
            return count;
        if (*at++ != ',')
            return 0;
    }
    return 0;
}

bool
log_csv_read(char *line, size_t length, struct log_record *ret)
{
    struct slice columns[CSV_MOST] = { 0 };
    size_t count = read_columns(line, line + length, ret->is_cut, columns);

    if (count < (ret->is_cut ? CSV_MESSAGE + 1 : CSV_FEWEST))
        return false;
    if (log_time_read(columns[CSV_TIME].data, columns[CSV_TIME].length, &ret->time_us) == 0)
        return false;
    ret->user = columns[CSV_USER];
    ret->database = columns[CSV_DATABASE];
    ret->pid = slice_number(columns[CSV_PID], -1);
    ret->session = columns[CSV_SESSION];
    ret->number = slice_number(columns[CSV_NUMBER], 0);
    ret->vxid = columns[CSV_VXID];
    ret->severity = columns[CSV_SEVERITY];
    ret->message = columns[CSV_MESSAGE];
    ret->detail = columns[CSV_DETAIL];
    ret->statement = columns[CSV_STATEMENT];
    ret->application = columns[CSV_APPLICATION];
    ret->has_vxid = true;
    return ret->severity.length > 0;
}
