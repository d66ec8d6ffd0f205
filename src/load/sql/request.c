/* One request: the statements of a script, one after the other. */
#include <inttypes.h>

#include "base/clock.h"
#include "load/sql/sql_part.h"

enum { LARGE_BYTES = 65536, NAME_SIZE = 64 };
#define LONGEST_PAUSE_US 3600000000.0

static void
tell(struct load_connection *connection, bool is_closing)
{
    const struct load_answer answer = {
        .outcome = connection->outcome,
        .sqlstate = connection->sqlstate,
        .message = connection->outcome == LOAD_GOOD ? NULL : connection->words,
        .at_us = clock_us(),
        .bytes = connection->bytes,
        .statements = connection->statements,
        .is_closing = is_closing,
    };

    connection->state = LOAD_SQL_IDLE;
    if (is_closing)
        load_sql_disconnect(connection);
    load_user_answered(connection->user, &answer);
}

/* The request has failed; the session is made ready for the next one. */
static void
give_up(struct load_connection *connection)
{
    if (!driven_is_in_transaction(connection->driven))
        tell(connection, false);
    else if (driven_run(connection->driven, "ROLLBACK"))
        load_sql_sent(connection, LOAD_SQL_ROLLING_BACK);
    else
        tell(connection, true);
}

static void
fail(struct load_connection *connection, enum load_outcome outcome, const char *words)
{
    connection->outcome = outcome;
    snprintf(connection->words, sizeof(connection->words), "%s", words);
    give_up(connection);
}

static void
fail_unsent(struct load_connection *connection, const char *otherwise)
{
    const char *problem = load_scope_reason(connection->scope);

    fail(connection, LOAD_UNSENT, problem ? problem : otherwise);
}

static size_t
number_of(const struct load_connection *connection)
{
    const struct load_sql *sql = connection->sql;

    return sql->first[connection->step - sql->scenario->steps] + connection->at;
}

static const char *
name_of(const struct load_connection *connection, char ret[static NAME_SIZE])
{
    size_t number = number_of(connection);
    const char *name = connection->sql->statements[number].name;
    unsigned generation = connection->made[number].generation;

    if (generation == 0)
        return name;
    snprintf(ret, NAME_SIZE, "%s_%u", name, generation);
    return ret;
}

static bool
write_values(struct load_connection *connection, const struct load_statement *statement)
{
    struct load_sql *sql = connection->sql;

    for (size_t i = 0; i < statement->param_count; i++) {
        struct buffer *value = &sql->values[i];

        value->length = 0;
        if (!load_template_write(statement->params[i], connection->scope, value))
            return false;
        buffer_append(value, "", 0);
        sql->params[i] = value->data;
    }
    return true;
}

static void
pause_between(struct load_connection *connection, const struct load_statement *statement)
{
    double units = 0;

    if (!write_values(connection, statement) ||
        !text_to_double(connection->sql->params[0], &units)) {
        fail_unsent(connection, "\\sleep has no number");
        return;
    }

    double pause_us = units * (double)statement->pause_unit_us;

    if (!(pause_us > 0))
        pause_us = 0;
    if (pause_us > LONGEST_PAUSE_US)
        pause_us = LONGEST_PAUSE_US;
    connection->state = LOAD_SQL_PAUSING;
    load_sql_pause(connection, (int64_t)pause_us);
}

static void
execute(struct load_connection *connection, const struct load_statement *statement)
{
    struct load_sql *sql = connection->sql;
    const struct load_sql_statement *shared = &sql->statements[number_of(connection)];
    char name[NAME_SIZE];

    if (!write_values(connection, statement)) {
        fail_unsent(connection, "a value of the statement is not there");
        return;
    }
    if (!driven_execute(connection->driven, name_of(connection, name), sql->params,
            statement->param_count, shared->is_large || !shared->is_known)) {
        load_sql_lose(
            connection, LOAD_RESET, "the connection was lost before the statement was sent");
        return;
    }
    connection->statements++;
    load_sql_sent(connection, LOAD_SQL_RUNNING);
}

static void
prepare(struct load_connection *connection, const struct load_statement *statement)
{
    char name[NAME_SIZE];

    if (driven_prepare(connection->driven, name_of(connection, name), statement->sql))
        load_sql_sent(connection, LOAD_SQL_PREPARING);
    else
        load_sql_lose(
            connection, LOAD_RESET, "the connection was lost before the statement was sent");
}

static void
go_on(struct load_connection *connection)
{
    const struct load_step *step = connection->step;
    const struct load_statement *statement = &step->statements[connection->at];

    if (connection->at == step->statement_count) {
        if (driven_is_in_transaction(connection->driven))
            fail(connection, LOAD_FAILED, "the script left a transaction open: it lacks a COMMIT");
        else
            tell(connection, false);
        return;
    }
    if (!statement->sql)
        pause_between(connection, statement);
    else if (connection->made[number_of(connection)].is_made)
        execute(connection, statement);
    else
        prepare(connection, statement);
}

void
load_sql_send(struct load_connection *connection, const struct load_step *step)
{
    load_scope_begin(connection->scope, step);
    connection->step = step;
    connection->at = 0;
    connection->bytes = 0;
    connection->statements = 0;
    connection->outcome = LOAD_GOOD;
    connection->sqlstate[0] = '\0';
    go_on(connection);
}

/* For the requests that come after it, and the rest of this one. False: it has failed. */
static bool
take_values(struct load_connection *connection, const struct load_statement *statement,
    const struct driven_answer *answer)
{
    char words[LOAD_SQL_WORDS];

    if (statement->take_count == 0)
        return true;
    if (answer->rows != 1) {
        snprintf(words, sizeof(words), "\\gset in line %d needs one row, and there were %" PRId64,
            statement->line, answer->rows);
        fail(connection, LOAD_FAILED, words);
        return false;
    }
    for (size_t i = 0; i < statement->take_count; i++) {
        const struct load_take *take = &statement->takes[i];
        const char *value = driven_value(connection->driven, take->path);

        if (value)
            load_scope_take(connection->scope, take->slot, value, strlen(value));
    }
    return true;
}

static void
take_result(struct load_connection *connection, const struct driven_answer *answer)
{
    const struct load_statement *statement = &connection->step->statements[connection->at];
    struct load_sql_statement *shared = &connection->sql->statements[number_of(connection)];

    shared->is_known = true;
    if (answer->bytes > LARGE_BYTES)
        shared->is_large = true;
    connection->bytes += answer->bytes;
    if (!take_values(connection, statement, answer))
        return;
    connection->at++;
    go_on(connection);
}

/* What the server has forgotten is prepared again; what it knows by another meaning, by another name. */
static void
forget(struct load_connection *connection, const char *sqlstate)
{
    struct load_sql_made *made = &connection->made[number_of(connection)];
    bool is_other = strcmp(sqlstate, "0A000") == 0;

    if (!is_other && strcmp(sqlstate, "26000") != 0)
        return;
    if (is_other && made->is_made)
        made->generation++;
    made->is_made = false;
}

static void
take_failure(struct load_connection *connection, const struct driven_answer *answer)
{
    const char *hint = "";

    forget(connection, answer->sqlstate);
    if (strcmp(answer->sqlstate, "26000") == 0 || strcmp(answer->sqlstate, "42P05") == 0)
        hint =
            " (DISCARD or DEALLOCATE in the script, or a pooler without prepared statements: PgBouncer "
            "has them from 1.21 on by max_prepared_statements, or by pool_mode = session)";
    memcpy(connection->sqlstate, answer->sqlstate, sizeof(connection->sqlstate));
    connection->outcome = LOAD_FAILED;
    snprintf(connection->words, sizeof(connection->words), "%s: %s%s", answer->sqlstate,
        answer->message, hint);
    give_up(connection);
}

void
load_sql_answered(
    struct load_connection *connection, bool is_good, const struct driven_answer *answer)
{
    if (connection->state == LOAD_SQL_ROLLING_BACK) {
        tell(connection, !is_good);
    } else if (!is_good) {
        take_failure(connection, answer);
    } else if (connection->state == LOAD_SQL_PREPARING) {
        connection->made[number_of(connection)].is_made = true;
        go_on(connection);
    } else {
        take_result(connection, answer);
    }
}

void
load_sql_paused(struct load_connection *connection)
{
    connection->at++;
    go_on(connection);
}
