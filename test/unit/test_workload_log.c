/*
 * Lines as PostgreSQL 15 wrote them, made by hand where a server would have to be broken: cut off,
 * mixed, in other languages. That the three forms of one log say the same is tested with a server.
 */
#include "support/test.h"

#include "workload/log.h"

struct seen {
    struct buffer text; /* a line a statement */
    size_t count;
};

/* "session/transaction elapsed text|value,value" */
static bool
note(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    struct seen *seen = data;

    (void)ctx;
    seen->count++;
    buffer_printf(&seen->text, "%d/%d %d%s%s %s|", (int)statement->session,
        (int)statement->transaction, (int)statement->elapsed_us,
        statement->is_failed ? " failed" : "", statement->is_after_gap ? " gap" : "",
        statement->template->text);
    for (size_t i = 0; i < statement->value_count; i++)
        buffer_printf(&seen->text, "%s%s", i > 0 ? "," : "",
            statement->values[i].text ? statement->values[i].text : "NULL");
    buffer_add(&seen->text, "\n");
    return true;
}

struct bench {
    struct ctx *ctx;
    struct templates *templates;
    struct log_reader *reader;
    struct seen seen;
    struct log_options options;
};

static void
begin(struct bench *bench, struct ctx *ctx, const char *database, const char *prefix)
{
    *bench = (struct bench){ .ctx = ctx, .templates = templates_new(ctx->arena) };
    bench->seen.text.arena = ctx->arena;
    bench->options = (struct log_options){
        .database = database, .prefix = prefix, .keeps_values = true, .keeps_sql = true
    };
    assert_true(
        log_reader_new(ctx, &bench->options, bench->templates, note, &bench->seen, &bench->reader));
}

static bool
read_file(struct bench *bench, const char *text, size_t length)
{
    const char *folder = test_folder(bench->ctx);
    const char *path = file_join(bench->ctx->arena, folder, "log");
    bool done;

    assert_true(file_write(bench->ctx, path, text, length, 0600));
    done = log_reader_file(bench->ctx, bench->reader, path);
    {
        struct error why = bench->ctx->error;

        assert_true(file_remove(bench->ctx, folder));
        bench->ctx->error = why;
    }
    return done;
}

static struct log_counts
end(struct bench *bench, const char *expected)
{
    struct log_counts counts;

    assert_true(log_reader_finish(bench->ctx, bench->reader));
    counts = log_reader_counts(bench->reader);
    if (expected)
        assert_string_equal(buffer_text(&bench->seen.text), expected);
    log_reader_free(bench->reader);
    templates_free(bench->templates);
    return counts;
}

#define READ(bench, text) assert_true(read_file((bench), (text), strlen(text)))

#define T                 "2026-01-01 00:00:0"

/* One after the other, whichever way each tells how long it took. */
static void
test_log_text(void **state)
{
    struct bench bench;

    begin(&bench, *state, "app", NULL);
    READ(&bench, T
        "1.000 UTC [7] u@app LOG:  duration: 0.500 ms  statement: BEGIN\r\n" T
        "1.001 UTC [7] u@app LOG:  duration: 1.250 ms  parse <unnamed>: SELECT a FROM t WHERE b = $1\n" T
        "1.001 UTC [8] u@other LOG:  duration: 0.001 ms  statement: SELECT 1\n" T
        "1.001 UTC [7] u@app LOG:  duration: 0.010 ms  bind <unnamed>: SELECT a FROM t WHERE b = $1\n" T
        "1.001 UTC [7] u@app DETAIL:  parameters: $1 = 'wrong'\n" T
        "1.002 UTC [7] u@app LOG:  duration: 2.000 ms  execute <unnamed>: SELECT a\n"
        "\tFROM t WHERE b = $1\n" T
        "1.002 UTC [7] u@app DETAIL:  Parameters: $1 = 'it''s', $2 = NULL\n" T
        "1.003 UTC [9] LOG:  checkpoint starting: time\n" T
        "1.003 UTC [7] u@app LOG:  statement: SELECT 5\n" T
        "1.004 UTC [7] u@app LOG:  duration: 0.125 ms\n" T
        "1.005 UTC [7] u@app ERROR:  division by zero\n" T
        "1.005 UTC [7] u@app STATEMENT:  SELECT 1/0\n" T
        "1.005 UTC [7] u@app LOG:  duration: 0.001 ms  statement: ROLLBACK\n" T
        "1.006 UTC [7] u@app LOG:  duration: 3.000 ms  plan:\n"
        "\tQuery Text: SELECT b FROM t WHERE c = 9\n"
        "\tSeq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n" T
        "1.006 UTC [7] u@app LOG:  duration: 4.000 ms  statement: SELECT b FROM t WHERE c = 9\n");

    struct log_counts counts = end(&bench, "1/1 500 BEGIN|\n"
                                           "1/1 2000 SELECT a FROM t WHERE b = $1|it's,NULL\n"
                                           "1/1 125 SELECT $1|5\n"
                                           "1/1 -1 failed SELECT $1/$2|1,0\n"
                                           "1/1 1 ROLLBACK|\n"
                                           "1/0 4000 SELECT b FROM t WHERE c = $1|9\n");

    assert_int_equal(counts.statements, 6);
    assert_int_equal(counts.other_databases, 1);
    assert_int_equal(counts.broken, 0);
    assert_int_equal(counts.lines, 18);
}

/* auto_explain.log_format = json: the server writes a control character of the text as \\u0001. */
static void
test_log_plan_in_json(void **state)
{
    struct bench bench;
    struct log_counts counts;

    begin(&bench, *state, "app", NULL);
    READ(&bench, T "1.000 UTC [7] u@app LOG:  duration: 3.000 ms  plan:\n"
                   "\t{\n"
                   "\t  \"Query Text\": \"SELECT \\\"b\\\"\\n FROM t WHERE c = 'x\\u0001y\\tz'\",\n"
                   "\t  \"Plan\": { \"Node Type\": \"Seq Scan\" }\n"
                   "\t}\n" T "1.001 UTC [7] u@app LOG:  duration: 4.000 ms  statement: SELECT 2\n");
    counts = end(&bench, "1/0 3000 SELECT \"b\" FROM t WHERE c = $1|x\001y\tz\n"
                         "1/0 4000 SELECT $1|2\n");
    assert_int_equal(counts.broken, 0);
}

static void
test_log_prefixes(void **state)
{
    static const struct {
        const char *prefix; /* NULL: it is found */
        const char *shown;
        const char *line;
    } cases[] = {
        { NULL, "%m [%p] %q[user=%u,db=%d,app=%a] ", T "1.5 UTC [7] LOG:  " },
        { NULL, "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
            T "1 CET [7]: [1-1] user=u,db=app,app=my, odd app,client=::1 LOG:  " },
        { NULL, "%t:%r:%u@%d:[%p]:", T "1 UTC:10.0.0.1(5432):u@app:[7]:LOG:  " },
        { NULL, "%m [%p] %q[user=%u,db=%d,app=%a] ",
            T "1.5 UTC [7] [user=u,db=app,app=x] y] LOG:  " },
        { "%c <%d> ", "%c <%d> ", "6a1b2c3d.7 <app> LOG:  " },
        { "%n %-8p|%u|", "%n %-8p|%u|", "1767225601.500 7       |u|LOG:  " },
        { "x%%%p ", "x%%%p ", "x%7 LOG:  " },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bench bench;

        begin(&bench, ctx, NULL, cases[i].prefix);
        READ(&bench,
            arena_printf(ctx->arena, "%sduration: 1.000 ms  statement: SELECT 1\n", cases[i].line));
        assert_string_equal(log_reader_format(bench.reader),
            arena_printf(ctx->arena, "stderr, prefix '%s'", cases[i].shown));
        end(&bench, "1/0 1000 SELECT $1|1\n");
    }
}

#define JSON(number, vxid, more)                                                               \
    "{\"timestamp\":\"" T                                                                      \
    "1.000 UTC\",\"user\":\"u\",\"dbname\":\"app\",\"pid\":7,\"session_id\":"                  \
    "\"6a.7\",\"line_num\":" #number ",\"vxid\":\"" vxid "\",\"error_severity\":\"LOG\"," more \
    "}\n"
#define CSV(number, vxid, message)                                          \
    T "1.000 UTC,\"u\",\"app\",7,\"[local]\",6a.7," #number                 \
      ",\"SELECT\",2026-01-01 00:00:00 UTC," vxid ",0,LOG,00000,\"" message \
      "\",,,,,,,,,\"x\",\"client backend\",,0\n"

static void
test_log_transactions(void **state)
{
    static const char expected[] = "1/0 1000 SELECT $1|1\n"
                                   "1/1 1000 SELECT a FROM t WHERE b = $1|2\n"
                                   "1/1 1000 SELECT a FROM t WHERE b = $1|3\n"
                                   "1/0 1000 gap SELECT $1|q\"x\n";
    struct bench bench;

    begin(&bench, *state, "app", NULL);
    READ(&bench,
        JSON(1, "3/5", "\"message\":\"duration: 1.000 ms  statement: SELECT 1\"") JSON(2, "3/6",
            "\"message\":\"duration: 1.000 ms  statement: SELECT a FROM t WHERE b = 2\"") JSON(3,
            "3/6", "\"message\":\"duration: 1.000 ms  statement: SELECT a FROM t WHERE b = 3\"")
            JSON(5, "3/0", "\"message\":\"duration: 1.000 ms  statement: SELECT 'q\\\"x'\""));
    end(&bench, expected);
    begin(&bench, *state, "app", NULL);
    READ(&bench, CSV(1, "3/5", "duration: 1.000 ms  statement: SELECT 1")
                     CSV(2, "3/6", "duration: 1.000 ms  statement: SELECT a FROM t\r\nWHERE b = 2")
                         CSV(3, "3/6", "duration: 1.000 ms  statement: SELECT a FROM t WHERE b = 3")
                             CSV(5, "3/0", "duration: 1.000 ms  statement: SELECT 'q\"\"x'"));
    end(&bench, expected);
}

/* Files that rotation or a crash has cut: what is whole is read, what is not is counted. */
static void
test_log_cut(void **state)
{
    static const char whole[] = CSV(1, "3/0", "duration: 1.000 ms  statement: SELECT 'a\nb'")
        CSV(2, "3/0", "duration: 1.000 ms  statement: SELECT 2")
            CSV(3, "3/0", "duration: 1.000 ms  statement: SELECT 3");
    struct ctx *ctx = *state;
    struct bench bench;

    /* In two files, cut at any byte, it is the same log. */
    for (size_t cut = 0; cut <= strlen(whole); cut += 7) {
        begin(&bench, ctx, NULL, NULL);
        assert_true(log_reader_bytes(ctx, bench.reader, "a", whole, cut));
        assert_true(log_reader_bytes(ctx, bench.reader, "a", whole + cut, strlen(whole) - cut));
        end(&bench, "1/0 1000 SELECT $1|a\nb\n1/0 1000 SELECT $1|2\n1/0 1000 SELECT $1|3\n");
    }
    /* Without its beginning: the record that was cut is lost, and no other. */
    begin(&bench, ctx, NULL, NULL);
    READ(&bench, whole + strlen(T) + 40);
    assert_true(end(&bench, NULL).broken > 0);
    assert_int_equal(bench.seen.count, 2);
    /* A record that was never closed, and one after it. */
    begin(&bench, ctx, NULL, NULL);
    READ(&bench, arena_printf(ctx->arena, "%.*s\n%s", 90, whole, whole));
    assert_true(end(&bench, NULL).broken > 0);
    assert_int_equal(bench.seen.count, 3);
    /* Durations that are none. */
    begin(&bench, ctx, NULL, NULL);
    READ(&bench, CSV(1, "3/0", "duration: nan ms  statement: SELECT 1")
                     CSV(2, "3/0", "duration: 1e999 ms  statement: SELECT 1")
                         CSV(3, "3/0", "duration: -5 ms  statement: SELECT 1"));
    assert_int_equal(end(&bench, "").broken, 3);
    /* A block that was never written. */
    begin(&bench, ctx, NULL, NULL);
    {
        char nul[600] = { 0 };

        memcpy(nul + 64, JSON(1, "", "\"message\":\"duration: 1.000 ms  statement: SELECT 1\""),
            strlen(JSON(1, "", "\"message\":\"duration: 1.000 ms  statement: SELECT 1\"")));
        memcpy(nul, "x\n", 2);
        assert_true(read_file(&bench, nul, 64 + strlen(nul + 64)));
    }
    end(&bench, "1/0 1000 SELECT $1|1\n");
}

static void
test_log_sessions(void **state)
{
    const uint64_t *ended;
    struct bench bench;

    begin(&bench, *state, NULL, "%m [%p] ");
    READ(&bench, T
        "1.000 UTC [7] LOG:  duration: 1.000 ms  statement: SELECT 1\n" T
        "2.000 UTC [7] LOG:  disconnection: session time: 0:00:01.000 user=u database=app host=[local]\n" T
        "3.000 UTC [7] LOG:  connection received: host=[local]\n" T
        "3.000 UTC [7] LOG:  duration: 1.000 ms  statement: SELECT 2\n" T
        "4.000 UTC [7] LOG:  connection received: host=[local]\n" T
        "4.000 UTC [7] LOG:  duration: 1.000 ms  statement: SELECT 3\n" T
        "5.000 UTC [8] LOG:  unrelated\n");
    assert_int_equal(log_reader_ended(bench.reader, &ended), 2);
    assert_int_equal(ended[0], 1);
    assert_int_equal(ended[1], 2);
    end(&bench, "1/0 1000 SELECT $1|1\n2/0 1000 SELECT $1|2\n3/0 1000 SELECT $1|3\n");
}

static void
test_log_language(void **state)
{
    struct bench bench;

    begin(&bench, *state, NULL, NULL);
    READ(&bench, T "1.000 CET [7] u@d LOG:  Dauer: 0,123 ms  Anweisung: SELECT 1\n" T
                   "1.000 CET [7] u@d FEHLER:  Division durch Null\n" T
                   "1.000 CET [7] u@d ANWEISUNG:  SELECT 1/0\n");

    struct log_counts counts = end(&bench, "");

    assert_int_equal(counts.foreign, 3);
    assert_int_equal(counts.statements, 0);
}

/* The unit has a name of its own in some languages, the colon a form of its own; a rate is no duration. */
static void
test_log_units(void **state)
{
    struct bench bench;

    begin(&bench, *state, NULL, NULL);
    READ(&bench, T "1.000 CET [7] u@d LOG:  продолжительность: 0.123 мс  оператор: SELECT 1\n" T
                   "1.000 CET [7] u@d LOG:  期間: 0.123 ミリ秒\n" T
                   "1.000 CET [7] u@d LOG:  执行时间：0.123 ms\n" T
                   "1.000 CET [7] u@d LOG:  süre: 0.123 milisaniye  ifade: SELECT 1\n" T
                   "1.000 CET [7] u@d LOG:  avg read rate: 0.123 MB/s\n" T
                   "1.000 CET [7] u@d LOG:  took: 1.5 ms\n");

    struct log_counts counts = end(&bench, "");

    assert_int_equal(counts.foreign, 4);
    assert_int_equal(counts.broken, 0);
}

/* A log that is being written may get no more for long: its first lines are read at once. */
static void
test_log_first_lines(void **state)
{
    static const char line[] =
        "{\"timestamp\":\"2026-11-23 15:00:00.000 UTC\",\"pid\":7,\"session_id\":\"a.7\","
        "\"line_num\":1,\"error_severity\":\"LOG\","
        "\"message\":\"duration: 1.000 ms  statement: SELECT 1\"}\n";
    struct bench bench;

    begin(&bench, *state, NULL, NULL);
    log_reader_free(bench.reader);
    bench.options.format = LOG_FORMAT_JSON;
    assert_true(
        log_reader_new(*state, &bench.options, bench.templates, note, &bench.seen, &bench.reader));
    if (!log_reader_bytes(*state, bench.reader, "log", line, strlen(line)))
        fail_msg("%s", ((struct ctx *)*state)->error.message);
    assert_int_equal(log_reader_counts(bench.reader).lines, 1);
    end(&bench, "1/0 1000 SELECT $1|1\n");
}

static void
test_log_refused(void **state)
{
    struct ctx *ctx = *state;
    struct bench bench;

    begin(&bench, ctx, NULL, NULL);
    assert_false(read_file(&bench, "\x1f\x8b\x08 compressed", 14));
    assert_error(ctx, ERR_INPUT, "log:1: compressed by gzip");
    assert_non_null(strstr(ctx->error.hint, "zcat "));
    error_clear(ctx);
    assert_false(read_file(&bench, "hello\nworld\n", 12));
    assert_error(ctx, ERR_INPUT, "log:1: neither jsonlog nor csvlog");
    error_clear(ctx);
    assert_true(read_file(&bench, "", 0));
    assert_false(log_reader_file(ctx, bench.reader, "/nonexistent/log"));
    assert_error(ctx, ERR_IO, "could not open /nonexistent/log");
    error_clear(ctx);
    end(&bench, "");
    bench.options.prefix = "%t %u ";
    assert_false(
        log_reader_new(ctx, &bench.options, bench.templates, note, &bench.seen, &bench.reader));
    assert_error(ctx, ERR_INPUT, "neither %p nor %c");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_log_text),
        test_with_ctx(test_log_plan_in_json),
        test_with_ctx(test_log_prefixes),
        test_with_ctx(test_log_transactions),
        test_with_ctx(test_log_cut),
        test_with_ctx(test_log_sessions),
        test_with_ctx(test_log_language),
        test_with_ctx(test_log_units),
        test_with_ctx(test_log_first_lines),
        test_with_ctx(test_log_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
