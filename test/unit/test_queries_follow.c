/* Messages are written down from "Message Formats" and "Message Flow" of PostgreSQL's documentation. */
#include "support/test.h"

#include <malloc.h>

#include "base/text.h"
#include "queries/trace/follow.h"

/* A literal with its NULs, without the last one. */
#define BYTES(text) (text), sizeof(text) - 1

struct scene {
    struct ctx *ctx;
    struct templates *templates;
    struct follow *follow;
    struct buffer seen; /* a line a statement */
    int64_t now_us;
    uint64_t session;
    int64_t ended;
    bool is_quiet;
};

static void
add_values(struct buffer *seen, const struct traced_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_printf(seen, "%s%s", i > 0 ? "," : "",
            values[i].hash == 0   ? "NULL"
            : values[i].is_opaque ? "?"
            : values[i].text      ? values[i].text
                                  : "-");
}

/* "1 x0 SELECT 1 (7) 2 rows 5us id=1,2": the last of them as far as they are told. */
static bool
take(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    struct scene *scene = data;
    struct buffer *seen = &scene->seen;

    (void)ctx;
    if (scene->is_quiet)
        return true;
    buffer_printf(seen, "%d x%d %s (", (int)statement->session, (int)statement->transaction,
        statement->sql ? statement->sql : "-");
    add_values(seen, statement->values, statement->param_count);
    buffer_printf(seen, ") %d rows %dus", (int)statement->rows, (int)statement->elapsed_us);
    for (size_t i = 0; i < statement->column_count; i++) {
        const struct traced_column *column = &statement->columns[i];

        buffer_printf(seen, " %s=", column->name ? column->name : "?");
        add_values(seen, column->values, column->count);
        assert_int_equal(column->count, statement->row_count);
    }
    buffer_printf(seen, "%s%s\n", statement->is_failed ? " failed" : "",
        statement->is_after_gap ? " gap" : "");
    return true;
}

static void
end_session(void *data, uint64_t session)
{
    struct scene *scene = data;

    (void)session;
    scene->ended++;
}

static void
put(struct scene *scene, const struct record *record, const char *bytes)
{
    /* Exactly so many bytes, so that the sanitizer sees who reads behind them. */
    char *exact = malloc(record->kept + (record->kept == 0));
    struct record timed = *record;

    assert_non_null(exact);
    if (record->kept > 0)
        memcpy(exact, bytes, record->kept);
    timed.at_us = scene->now_us++;
    assert_true(follow_record(scene->ctx, scene->follow, &timed, exact));
    free(exact);
}

static void
say(struct scene *scene, enum record_kind kind, char type, const char *bytes, size_t length)
{
    const struct record record = {
        .session = scene->session,
        .length = (uint32_t)length,
        .kept = (uint32_t)length,
        .kind = (uint8_t)kind,
        .type = type,
    };

    put(scene, &record, bytes);
}

#define CLIENT(type, text) say(scene, RECORD_CLIENT, (type), BYTES(text))
#define SERVER(type, text) say(scene, RECORD_SERVER, (type), BYTES(text))

static void
begin(struct ctx *ctx, struct scene *scene, const struct follow_options *options)
{
    static const char start[] = "user\0anna\0database\0shop\0application_name\0web\0";

    *scene = (struct scene){
        .ctx = ctx,
        .templates = templates_new(ctx->arena),
        .seen = { .arena = ctx->arena },
        .now_us = 1000,
        .session = 1,
    };
    scene->follow = follow_new(options, scene->templates, take, end_session, scene);
    say(scene, RECORD_OPEN, 0, BYTES(start));
    SERVER('Z', "I");
}

static void
end(struct scene *scene)
{
    follow_free(scene->follow);
    templates_free(scene->templates);
}

static const struct follow_options keeping = { .keeps_values = true };

#define assert_seen(scene, text) assert_string_equal(buffer_text(&(scene)->seen), (text))

/* RowDescription of one int4 column "id", as text and in binary form. */
#define INT4_TEXT   "\0\1id\0\0\0\0\0\0\0\0\0\0\x17\0\4\377\377\377\377\0\0"
#define INT4_BINARY "\0\1id\0\0\0\0\0\0\0\0\0\0\x17\0\4\377\377\377\377\0\1"

static void
simple_queries_have_rows(void **state)
{
    struct scene here, *scene = &here;

    begin(*state, scene, &keeping);
    CLIENT('Q', "SELECT id FROM a\0");
    SERVER('T', INT4_TEXT);
    SERVER('D', "\0\1\0\0\0\0017");
    SERVER('D', "\0\1\377\377\377\377");
    SERVER('D', "\0\1\0\0\0\00242");
    SERVER('C', "SELECT 3\0");
    SERVER('Z', "I");
    CLIENT('Q', "UPDATE a SET b = c\0");
    SERVER('C', "UPDATE 5\0");
    SERVER('Z', "I");
    CLIENT('Q', "CREATE TABLE t (a int)\0");
    SERVER('N', "SNOTICE\0\0");
    SERVER('C', "CREATE TABLE\0");
    SERVER('Z', "I");
    CLIENT('Q', "\0");
    SERVER('I', "");
    SERVER('Z', "I");
    assert_seen(scene, "1 x0 SELECT id FROM a () 3 rows 5us id=7,NULL,42\n"
                       "1 x0 UPDATE a SET b = c () 5 rows 1us\n"
                       "1 x0 CREATE TABLE t (a int) () -1 rows 2us\n");
    assert_int_equal(follow_counts(scene->follow).statements, 3);
    assert_int_equal(follow_counts(scene->follow).damaged, 0);
    end(scene);
}

static void
several_statements_of_one_message_are_told_one_by_one(void **state)
{
    struct scene here, *scene = &here;

    begin(*state, scene, &keeping);
    CLIENT('Q', "BEGIN; SELECT id FROM a WHERE b = ';'; DELETE FROM a ;\0");
    SERVER('C', "BEGIN\0");
    SERVER('T', INT4_TEXT);
    SERVER('D', "\0\1\0\0\0\0017");
    SERVER('C', "SELECT 1\0");
    SERVER('C', "DELETE 2\0");
    SERVER('Z', "T");
    CLIENT('Q', "SELECT 1; SELECT 1/0; SELECT 3\0");
    SERVER('T', INT4_TEXT);
    SERVER('D', "\0\1\0\0\0\0011");
    SERVER('C', "SELECT 1\0");
    SERVER('E', "SERROR\0C22012\0Mdivision by zero\0\0");
    SERVER('Z', "E");
    CLIENT('Q', "ROLLBACK\0");
    SERVER('C', "ROLLBACK\0");
    SERVER('Z', "I");
    assert_seen(scene, "1 x1 BEGIN () -1 rows 1us\n"
                       "1 x1 SELECT id FROM a WHERE b = ';' () 1 rows 3us id=7\n"
                       "1 x1 DELETE FROM a () 2 rows 1us\n"
                       "1 x1 SELECT 1 () 1 rows 3us id=1\n"
                       "1 x1 SELECT 1/0 () -1 rows 1us failed\n"
                       "1 x1 ROLLBACK () -1 rows 1us\n");
    assert_int_equal(follow_counts(scene->follow).damaged, 0);
    end(scene);
}

/* What asyncpg does: everything in binary form, described once. */
static void
prepared_statements_are_known_by_name(void **state)
{
    struct scene here, *scene = &here;

    begin(*state, scene, &keeping);
    CLIENT('P', "s1\0SELECT id FROM a WHERE b = $1 AND c = $2\0\0\0");
    CLIENT('D', "Ss1\0");
    CLIENT('S', "");
    SERVER('1', "");
    SERVER('t', "\0\2\0\0\0\x17\0\0\0\x19");
    SERVER('T', INT4_TEXT);
    SERVER('Z', "I");
    for (int i = 0; i < 2; i++) {
        CLIENT('B', "\0s1\0\0\1\0\1\0\2\0\0\0\4\0\0\1\0\377\377\377\377\0\1\0\1");
        CLIENT('E', "\0\0\0\0\0");
        CLIENT('S', "");
        SERVER('2', "");
        SERVER('D', "\0\1\0\0\0\4\377\377\377\376");
        SERVER('C', "SELECT 1\0");
        SERVER('Z', "I");
    }
    CLIENT('C', "Ss1\0");
    CLIENT('B', "\0s1\0\0\0\0\0\0\0");
    CLIENT('E', "\0\0\0\0\0");
    CLIENT('S', "");
    SERVER('3', "");
    SERVER('2', "");
    SERVER('C', "SELECT 0\0");
    SERVER('Z', "I");
    assert_seen(scene,
        "1 x0 SELECT id FROM a WHERE b = $1 AND c = $2 (256,NULL) 1 rows 4us id=-2\n"
        "1 x0 SELECT id FROM a WHERE b = $1 AND c = $2 (256,NULL) 1 rows 4us id=-2\n");
    assert_int_equal(follow_counts(scene->follow).unknown, 1);
    end(scene);
}

/* What libpq does: no names, described through the portal; types that are not known are text. */
static void
unnamed_statements_and_formats(void **state)
{
    struct scene here, *scene = &here;

    begin(*state, scene, &keeping);
    CLIENT('P', "\0SELECT $1\0\0\1\0\0\0\x19");
    CLIENT('B', "\0\0\0\0\0\1\0\0\0\3abc\0\0");
    CLIENT('D', "P\0");
    CLIENT('E', "\0\0\0\0\0");
    CLIENT('S', "");
    SERVER('1', "");
    SERVER('2', "");
    SERVER('T', INT4_TEXT);
    SERVER('D', "\0\1\0\0\0\0017");
    SERVER('C', "SELECT 1\0");
    SERVER('Z', "I");
    /* The type of a binary parameter was not told: its bytes are all that is known. */
    CLIENT('P', "\0SELECT $1, $2\0\0\0");
    CLIENT('B', "\0\0\0\2\0\1\0\0\0\2\0\0\0\4\0\0\0\7\0\0\0\1x\0\0");
    CLIENT('E', "\0\0\0\0\0");
    CLIENT('S', "");
    SERVER('1', "");
    SERVER('2', "");
    SERVER('D', "\0\2\0\0\0\0017\0\0\0\1x");
    SERVER('C', "SELECT 1\0");
    SERVER('Z', "I");
    /* A cursor's rows in binary form, as a simple query's description says. */
    CLIENT('Q', "FETCH 1 FROM c\0");
    SERVER('T', INT4_BINARY);
    SERVER('D', "\0\1\0\0\0\4\0\0\0\5");
    SERVER('C', "FETCH 1\0");
    SERVER('Z', "I");
    assert_seen(scene, "1 x0 SELECT $1 (abc) 1 rows 6us id=7\n"
                       "1 x0 SELECT $1, $2 (?,x) 1 rows 5us ?=7 ?=x\n"
                       "1 x0 FETCH 1 FROM c () 1 rows 3us id=5\n");
    end(scene);
}

static void
pipelines_are_timed_from_answer_to_answer(void **state)
{
    struct scene here, *scene = &here;

    begin(*state, scene, &keeping);
    CLIENT('P', "s\0SELECT 1\0\0\0");
    for (int i = 0; i < 3; i++) {
        CLIENT('B', "\0s\0\0\0\0\0\0\0");
        CLIENT('E', "\0\0\0\0\0");
        CLIENT('S', "");
    }
    SERVER('1', "");
    for (int i = 0; i < 3; i++) {
        SERVER('2', "");
        scene->now_us += 10;
        SERVER('C', "SELECT 0\0");
        SERVER('Z', "I");
    }
    assert_seen(scene, "1 x0 SELECT 1 () 0 rows 20us\n"
                       "1 x0 SELECT 1 () 0 rows 12us\n"
                       "1 x0 SELECT 1 () 0 rows 12us\n");
    end(scene);
}

static void
after_an_error_all_is_skipped_up_to_sync(void **state)
{
    struct scene here, *scene = &here;

    begin(*state, scene, &keeping);
    CLIENT('P', "s\0SELECT $1\0\0\0");
    CLIENT('B', "\0s\0\0\0\0\0\0\0");
    CLIENT('E', "\0\0\0\0\0");
    SERVER('1', "");
    SERVER('2', "");
    SERVER('E', "SERROR\0C22012\0Moh\0\0");
    /* These the server never answers. */
    CLIENT('B', "\0s\0\0\0\0\0\0\0");
    CLIENT('E', "\0\0\0\0\0");
    CLIENT('S', "");
    SERVER('Z', "I");
    /* The same, with what follows already under way. */
    CLIENT('B', "\0s\0\0\0\0\0\0\0");
    CLIENT('E', "\0\0\0\0\0");
    CLIENT('B', "\0s\0\0\0\0\0\0\0");
    CLIENT('E', "\0\0\0\0\0");
    CLIENT('S', "");
    CLIENT('Q', "SELECT 2\0");
    SERVER('2', "");
    SERVER('E', "SERROR\0C22012\0Moh\0\0");
    SERVER('Z', "I");
    SERVER('C', "SELECT 1\0");
    SERVER('Z', "I");
    assert_seen(scene, "1 x0 SELECT $1 () -1 rows 3us failed\n"
                       "1 x0 SELECT $1 () -1 rows 6us failed\n"
                       "1 x0 SELECT 2 () 1 rows 1us\n");
    assert_int_equal(follow_counts(scene->follow).damaged, 0);
    end(scene);
}

/* A constant that cannot be computed fails at Bind; without an Execute nothing was to run. */
static void
what_fails_before_it_runs_is_told(void **state)
{
    struct scene here, *scene = &here;

    begin(*state, scene, &keeping);
    CLIENT('P', "\0SELECT 1/0\0\0\0");
    CLIENT('B', "\0\0\0\0\0\0\0\0");
    CLIENT('E', "\0\0\0\0\0");
    CLIENT('S', "");
    SERVER('1', "");
    SERVER('E', "SERROR\0C22012\0Mdivision by zero\0\0");
    SERVER('Z', "I");
    CLIENT('P', "\0SELEC\0\0\0");
    CLIENT('D', "S\0");
    CLIENT('S', "");
    SERVER('E', "SERROR\0C42601\0Msyntax error\0\0");
    SERVER('Z', "I");
    CLIENT('Q', "SELECT 2\0");
    SERVER('C', "SELECT 1\0");
    SERVER('Z', "I");
    assert_seen(scene, "1 x0 SELECT 1/0 () -1 rows 3us failed\n"
                       "1 x0 SELECT 2 () 1 rows 1us\n");
    assert_int_equal(follow_counts(scene->follow).damaged, 0);
    end(scene);
}

/* Rows fetched in pieces are one statement, told when its first rows are there. */
static void
a_suspended_portal_is_one_statement(void **state)
{
    struct scene here, *scene = &here;

    begin(*state, scene, &keeping);
    CLIENT('P', "\0SELECT id FROM a\0\0\0");
    CLIENT('B', "c\0\0\0\0\0\0\0\0");
    CLIENT('D', "Pc\0");
    CLIENT('E', "c\0\0\0\0\2");
    CLIENT('S', "");
    SERVER('1', "");
    SERVER('2', "");
    SERVER('T', INT4_TEXT);
    SERVER('D', "\0\1\0\0\0\0011");
    SERVER('D', "\0\1\0\0\0\0012");
    SERVER('s', "");
    SERVER('Z', "T");
    CLIENT('Q', "SELECT 5\0");
    SERVER('C', "SELECT 1\0");
    SERVER('Z', "T");
    CLIENT('E', "c\0\0\0\0\2");
    CLIENT('S', "");
    SERVER('D', "\0\1\0\0\0\0013");
    SERVER('C', "SELECT 1\0");
    SERVER('Z', "T");
    assert_seen(scene, "1 x0 SELECT id FROM a () 2 rows 7us id=1,2\n"
                       "1 x1 SELECT 5 () 1 rows 1us\n");
    assert_int_equal(follow_counts(scene->follow).damaged, 0);
    end(scene);
}

static void
copies_and_function_calls(void **state)
{
    struct scene here, *scene = &here;

    begin(*state, scene, &keeping);
    CLIENT('Q', "COPY a FROM STDIN\0");
    SERVER('G', "\0\0\1\0\0");
    CLIENT('d', "1\n");
    CLIENT('c', "");
    SERVER('C', "COPY 1\0");
    SERVER('Z', "I");
    CLIENT('Q', "COPY a TO STDOUT\0");
    SERVER('H', "\0\0\1\0\0");
    SERVER('d', "1\n");
    SERVER('c', "");
    SERVER('C', "COPY 1\0");
    SERVER('Z', "I");
    /* The Sync that is sent along is ignored by the server while it copies. */
    CLIENT('P', "\0COPY b FROM STDIN\0\0\0");
    CLIENT('B', "\0\0\0\0\0\0\0\0");
    CLIENT('E', "\0\0\0\0\0");
    CLIENT('S', "");
    SERVER('1', "");
    SERVER('2', "");
    SERVER('G', "\0\0\1\0\0");
    CLIENT('f', "no\0");
    CLIENT('S', "");
    SERVER('E', "SERROR\0\0");
    SERVER('Z', "I");
    CLIENT('F', "\0\0\0\1\0\0\0\0\0\0");
    SERVER('V', "\377\377\377\377");
    SERVER('Z', "I");
    CLIENT('Q', "SELECT 1\0");
    SERVER('C', "SELECT 1\0");
    SERVER('Z', "I");
    assert_seen(scene, "1 x0 COPY a FROM STDIN () 1 rows 4us\n"
                       "1 x0 COPY a TO STDOUT () 1 rows 4us\n"
                       "1 x0 COPY b FROM STDIN () -1 rows 7us failed\n"
                       "1 x0 SELECT 1 () 1 rows 1us\n");
    assert_int_equal(follow_counts(scene->follow).damaged, 0);
    end(scene);
}

static void
simple(struct scene *scene, const char *sql, const char *tag, const char *status)
{
    say(scene, RECORD_CLIENT, 'Q', sql, strlen(sql) + 1);
    say(scene, RECORD_SERVER, 'C', tag, strlen(tag) + 1);
    say(scene, RECORD_SERVER, 'Z', status, 1);
}

static void
transactions_are_numbered(void **state)
{
    struct scene here, *scene = &here;

    begin(*state, scene, &keeping);
    simple(scene, "SELECT a", "SELECT 0", "I");
    simple(scene, "BEGIN", "BEGIN", "T");
    simple(scene, "SAVEPOINT s", "SAVEPOINT", "T");
    simple(scene, "ROLLBACK TO s", "ROLLBACK", "T");
    simple(scene, "SELECT b", "SELECT 0", "T");
    simple(scene, "COMMIT AND CHAIN", "COMMIT", "T");
    simple(scene, "SELECT c", "SELECT 0", "T");
    simple(scene, "ROLLBACK", "ROLLBACK", "I");
    simple(scene, "SELECT d", "SELECT 0", "I");
    assert_seen(scene, "1 x0 SELECT a () 0 rows 1us\n"
                       "1 x1 BEGIN () -1 rows 1us\n"
                       "1 x1 SAVEPOINT s () -1 rows 1us\n"
                       "1 x1 ROLLBACK TO s () -1 rows 1us\n"
                       "1 x1 SELECT b () 0 rows 1us\n"
                       "1 x1 COMMIT AND CHAIN () -1 rows 1us\n"
                       "1 x2 SELECT c () 0 rows 1us\n"
                       "1 x2 ROLLBACK () -1 rows 1us\n"
                       "1 x0 SELECT d () 0 rows 1us\n");
    end(scene);
}

static void
after_a_gap_it_waits_until_it_is_sure(void **state)
{
    struct scene here, *scene = &here;
    struct record lost = { .session = 1, .kind = RECORD_SERVER, .type = '2', .is_after_gap = true };

    begin(*state, scene, &keeping);
    CLIENT('P', "s\0SELECT s\0\0\0");
    CLIENT('S', "");
    SERVER('1', "");
    SERVER('Z', "I");
    put(scene, &lost, "");
    SERVER('C', "SELECT 0\0");
    SERVER('Z', "I");
    /* More answers come: the client was ahead, this was not the last. */
    SERVER('2', "");
    SERVER('C', "SELECT 0\0");
    SERVER('Z', "T");
    simple(scene, "SELECT a", "SELECT 0", "T");
    CLIENT('B', "\0s\0\0\0\0\0\0\0");
    CLIENT('E', "\0\0\0\0\0");
    CLIENT('S', "");
    SERVER('2', "");
    SERVER('C', "SELECT 0\0");
    SERVER('Z', "I");
    assert_seen(scene, "1 x1 SELECT a () 0 rows 1us gap\n"
                       "1 x1 SELECT s () 0 rows 3us\n");
    assert_int_equal(follow_counts(scene->follow).lost, 1);
    end(scene);
}

/* An answer that cannot be: rather nothing than what is wrong. */
static void
answers_that_do_not_fit_are_a_gap(void **state)
{
    struct scene here, *scene = &here;

    begin(*state, scene, &keeping);
    CLIENT('Q', "SELECT a\0");
    SERVER('2', "");
    SERVER('C', "SELECT 0\0");
    SERVER('Z', "I");
    simple(scene, "SELECT b", "SELECT 0", "I");
    SERVER('D', "\0\1\0\0\0\0011");
    simple(scene, "SELECT c", "SELECT 0", "I");
    simple(scene, "SELECT d", "SELECT 0", "I");
    scene->session = 2; /* its beginning was lost */
    simple(scene, "SELECT e", "SELECT 0", "I");
    simple(scene, "SELECT f", "SELECT 0", "I");
    assert_seen(scene, "1 x0 SELECT b () 0 rows 1us gap\n"
                       "1 x0 SELECT d () 0 rows 1us gap\n"
                       "2 x0 SELECT f () 0 rows 1us gap\n");
    assert_int_equal(follow_counts(scene->follow).damaged, 2);
    end(scene);
}

/* Of a long message the first bytes come here. */
static void
messages_that_are_cut(void **state)
{
    struct scene here, *scene = &here;
    struct record record = { .session = 1, .kind = RECORD_CLIENT, .type = 'Q', .length = 900 };

    begin(*state, scene, &keeping);
    record.kept = 9;
    put(scene, &record, "SELECT 'x");
    SERVER('T', INT4_TEXT);
    record = (struct record){
        .session = 1, .kind = RECORD_SERVER, .type = 'D', .length = 900, .kept = 9
    };
    put(scene, &record, "\0\1\0\0\3\170xyz");
    SERVER('C', "SELECT 1\0");
    SERVER('Z', "I");
    CLIENT('P', "\0INSERT INTO a VALUES ($1, $2)\0\0\0");
    record = (struct record){
        .session = 1, .kind = RECORD_CLIENT, .type = 'B', .length = 900, .kept = 16
    };
    put(scene, &record, "\0\0\0\0\0\2\0\0\0\0017\0\0\3\170x");
    CLIENT('E', "\0\0\0\0\0");
    CLIENT('S', "");
    SERVER('1', "");
    SERVER('2', "");
    SERVER('C', "INSERT 0 1\0");
    SERVER('Z', "I");
    assert_seen(scene, "1 x0 SELECT 'x () 1 rows 3us id=?\n"
                       "1 x0 INSERT INTO a VALUES ($1, $2) (7,?) 1 rows 4us\n");
    assert_int_equal(follow_counts(scene->follow).damaged, 0);
    end(scene);
}

static void
sessions_of_other_databases_are_left_out(void **state)
{
    struct follow_options options = { .database = "other" };
    struct scene here, *scene = &here;

    begin(*state, scene, &options);
    simple(scene, "SELECT a", "SELECT 0", "I");
    scene->session = 2;
    say(scene, RECORD_OPEN, 0, BYTES("user\0other\0")); /* the user's name is the database's */
    simple(scene, "SELECT b", "SELECT 0", "I");
    scene->session = 1;
    say(scene, RECORD_CLOSE, 0, "", 0);
    assert_int_equal(scene->ended, 0);
    scene->session = 2;
    say(scene, RECORD_CLOSE, 0, "", 0);
    say(scene, RECORD_CLOSE, 0, "", 0);
    assert_int_equal(scene->ended, 1);
    assert_seen(scene, "2 x0 - () 0 rows 1us\n");
    end(scene);
}

struct who {
    const char *application;
    const char *route;
    const char *text;
    size_t rows;
    size_t values;
};

static bool
note_who(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    struct who *who = data;

    who->application =
        statement->application ? arena_strdup(ctx->arena, statement->application) : NULL;
    who->route = statement->tag.route ? arena_strdup(ctx->arena, statement->tag.route) : NULL;
    who->rows = statement->row_count;
    who->values = statement->value_count;
    who->text = statement->column_count > 0 && statement->row_count > 0
                    ? statement->columns[0].values[0].text
                    : NULL;
    assert_string_equal(statement->database, "shop");
    assert_string_equal(statement->user, "anna");
    return true;
}

static void
names_tags_and_limits(void **state)
{
    const struct follow_options options = { .most_rows = 2 };
    struct ctx *ctx = *state;
    struct scene here, *scene = &here;
    struct who who = { 0 };

    begin(ctx, scene, &options);
    follow_free(scene->follow);
    scene->follow = follow_new(&options, scene->templates, note_who, NULL, &who);
    say(scene, RECORD_OPEN, 0, BYTES("user\0anna\0database\0shop\0application_name\0web\0\0"));
    CLIENT('Q', "SELECT id FROM a WHERE b = 7 AND c = 'x' /*route='%2Fa'*/\0");
    SERVER('T', INT4_TEXT);
    for (int i = 0; i < 5; i++)
        SERVER('D', "\0\1\0\0\0\0017");
    SERVER('C', "SELECT 5\0");
    SERVER('Z', "I");
    assert_string_equal(who.application, "web");
    assert_string_equal(who.route, "/a");
    assert_int_equal(who.rows, 2);
    assert_int_equal(who.values, 2);
    assert_null(who.text); /* values are not kept */
    SERVER('S', "application_name\0job\0");
    simple(scene, "SELECT 1", "SELECT 1", "I");
    assert_string_equal(who.application, "job");
    assert_null(who.route);
    end(scene);
}

static void
memory_does_not_grow(void **state)
{
#if defined(__SANITIZE_ADDRESS__)
    (void)state;
    skip(); /* what is free is not given back */
#else
    struct scene here, *scene = &here;
    size_t before = 0;

    begin(*state, scene, &keeping);
    scene->is_quiet = true;
    for (int i = 0; i < 40000; i++) {
        char parse[64], bind[64];
        int parse_length = snprintf(parse, sizeof(parse), "n%d%cSELECT $1%c%c%c", i, 0, 0, 0, 0);
        int bind_length = snprintf(bind, sizeof(bind), "p%d%cn%d%c", i, 0, i, 0);

        memcpy(bind + bind_length, "\0\0\0\1\0\0\0\0017\0\0", 11);
        if (i % 100 == 0)
            scene->session++;
        if (i == 20000)
            before = mallinfo2().uordblks;
        say(scene, RECORD_CLIENT, 'P', parse, (size_t)parse_length);
        say(scene, RECORD_CLIENT, 'B', bind, (size_t)bind_length + 11);
        CLIENT('E', "\0\0\0\0\0");
        CLIENT('S', "");
        SERVER('1', "");
        SERVER('2', "");
        SERVER('D', "\0\1\0\0\0\0017");
        SERVER('C', "SELECT 1\0");
        SERVER('Z', "T");
        if (i % 100 == 99)
            say(scene, RECORD_CLOSE, 0, "", 0);
    }
    /* Twenty thousand statements and portals more, and not a hundred kilobytes. */
    assert_true(mallinfo2().uordblks < before + 100000);
    assert_int_equal(follow_counts(scene->follow).damaged, 0);
    end(scene);
#endif
}

/* Statements, portals and messages that are never closed or answered are forgotten at some point. */
static void
what_is_never_closed_is_bounded(void **state)
{
    struct scene here, *scene = &here;

    begin(*state, scene, &keeping);
    for (int i = 0; i < 2000; i++) {
        char parse[64];
        int length = snprintf(parse, sizeof(parse), "n%d%cSELECT $1%c%c%c", i, 0, 0, 0, 0);

        say(scene, RECORD_CLIENT, 'P', parse, (size_t)length);
        CLIENT('S', "");
        SERVER('1', "");
        SERVER('Z', "I");
    }
    for (int i = 0; i < 2; i++) {
        say(scene, RECORD_CLIENT, 'B', i == 0 ? "\0n5\0\0\0\0\0\0\0" : "\0n1999\0\0\0\0\0\0\0",
            i == 0 ? 10 : 13);
        CLIENT('E', "\0\0\0\0\0");
        CLIENT('S', "");
        SERVER('2', "");
        SERVER('C', "SELECT 1\0");
        SERVER('Z', "I");
    }
    assert_seen(scene, "1 x0 SELECT $1 () 1 rows 3us gap\n");
    assert_int_equal(follow_counts(scene->follow).unknown, 1);
    for (int i = 0; i < 100000; i++)
        CLIENT('S', "");
    assert_int_equal(follow_counts(scene->follow).lost, 1);
    end(scene);
}

static void
any_messages_are_read_without_harm(void **state)
{
    static const char types[] = "PBDECQSFHcdfX12TDCZEntsIGHVWSN3";
    struct test_random random = test_random_new();
    struct scene here, *scene = &here;

    begin(*state, scene, &keeping);
    scene->is_quiet = true;
    for (int i = 0; i < 60000; i++) {
        char bytes[48];
        size_t length = test_random_below(&random, sizeof(bytes));
        struct record record = {
            .session = test_random_below(&random, 3),
            .length = (uint32_t)(length + (test_random_below(&random, 8) == 0)),
            .kept = (uint32_t)length,
            .kind = (uint8_t)test_random_below(&random, test_random_below(&random, 50) ? 3 : 4),
            .type = types[test_random_below(&random, sizeof(types) - 1)],
            .is_after_gap = test_random_below(&random, 100) == 0,
        };

        for (size_t j = 0; j < length; j++)
            bytes[j] = (char)(test_random_below(&random, 3) ? test_random_below(&random, 4)
                                                            : test_random_next(&random));
        put(scene, &record, bytes);
    }
    assert_true(follow_counts(scene->follow).damaged > 0);
    end(scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(simple_queries_have_rows),
        test_with_ctx(several_statements_of_one_message_are_told_one_by_one),
        test_with_ctx(prepared_statements_are_known_by_name),
        test_with_ctx(unnamed_statements_and_formats),
        test_with_ctx(pipelines_are_timed_from_answer_to_answer),
        test_with_ctx(after_an_error_all_is_skipped_up_to_sync),
        test_with_ctx(what_fails_before_it_runs_is_told),
        test_with_ctx(a_suspended_portal_is_one_statement),
        test_with_ctx(copies_and_function_calls),
        test_with_ctx(transactions_are_numbered),
        test_with_ctx(after_a_gap_it_waits_until_it_is_sure),
        test_with_ctx(answers_that_do_not_fit_are_a_gap),
        test_with_ctx(messages_that_are_cut),
        test_with_ctx(sessions_of_other_databases_are_left_out),
        test_with_ctx(names_tags_and_limits),
        test_with_ctx(memory_does_not_grow),
        test_with_ctx(what_is_never_closed_is_bounded),
        test_with_ctx(any_messages_are_read_without_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
