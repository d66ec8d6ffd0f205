/* Expectations are written down from the message formats of PostgreSQL's documentation. */
#include "support/test.h"

#include "workload/wire_track.h"

/* A literal with its NULs, without the last one. */
#define BYTES(text) (text), sizeof(text) - 1

static struct wire_message
message_of(struct ctx *ctx, char type, const void *body, size_t length)
{
    struct buffer bytes = { .arena = ctx->arena };
    unsigned char head[] = { (unsigned char)type, 0, 0, (unsigned char)((length + 4) >> 8),
        (unsigned char)(length + 4) };

    buffer_append(&bytes, head, sizeof(head));
    buffer_append(&bytes, body, length);
    return (struct wire_message){
        .type = type,
        .body = bytes.data + sizeof(head),
        .length = length,
        .bytes = bytes.data,
        .size = bytes.length,
    };
}

/* ---- streams ---- */

static void
messages_are_cut_wherever_bytes_end(void **state)
{
    struct ctx *ctx = *state;
    static const char bytes[] = "\0\0\0\x08\x04\xd2\x16\x2f" /* SSLRequest */
                                "Q\0\0\0\x0dSELECT 1\0"
                                "S\0\0\0\x04"
                                "d\0\0\0\x07"
                                "ab\0";
    const char types[] = { '\0', 'Q', 'S', 'd' };
    const size_t lengths[] = { 4, 9, 0, 3 };

    for (size_t piece = 1; piece < sizeof(bytes); piece++) {
        struct wire_stream stream = { 0 };
        size_t seen = 0;

        for (size_t at = 0; at < sizeof(bytes) - 1; at += piece) {
            size_t left = sizeof(bytes) - 1 - at;
            struct wire_message message;
            bool is_done = true;

            wire_feed(&stream, bytes + at, left < piece ? left : piece);
            while (is_done) {
                assert_true(wire_next(ctx, &stream, &message, &is_done));
                if (!is_done)
                    break;
                assert_true(seen < COUNT_OF(types));
                assert_int_equal(message.type, types[seen]);
                assert_int_equal(message.length, lengths[seen]);
                assert_int_equal(message.size, lengths[seen] + (seen == 0 ? 4 : 5));
                seen++;
            }
        }
        assert_int_equal(seen, COUNT_OF(types));
        wire_free(&stream);
    }
}

static void
impossible_lengths_are_refused(void **state)
{
    struct ctx *ctx = *state;
    struct wire_stream stream = { .has_start = true };
    struct wire_message message;
    bool is_done;

    wire_feed(&stream, BYTES("Q\0\0\0\x03"));
    assert_false(wire_next(ctx, &stream, &message, &is_done));
    assert_int_equal(ctx->error.kind, ERR_INPUT);
    wire_free(&stream);

    stream = (struct wire_stream){ .has_start = true };
    wire_feed(&stream, BYTES("Q\xff\xff\xff\xff"));
    assert_false(wire_next(ctx, &stream, &message, &is_done));
    wire_free(&stream);

    stream = (struct wire_stream){ .longest = 100 };
    wire_feed(&stream, BYTES("GET / HTTP/1.1"));
    assert_false(wire_next(ctx, &stream, &message, &is_done));
    wire_free(&stream);
}

static void
bytes_wait_and_are_dropped(void **state)
{
    struct wire_stream stream = { 0 };
    size_t length, expected = 0;
    unsigned char next_in = 0, next_out = 0;

    (void)state;
    for (size_t turn = 0; turn < 3000; turn++) {
        unsigned char bytes[97];
        size_t in = turn % sizeof(bytes), out = turn * 7 % 83;

        for (size_t i = 0; i < in; i++)
            bytes[i] = next_in++;
        wire_feed(&stream, bytes, in);
        expected += in;

        const char *left = wire_left(&stream, &length);

        assert_int_equal(length, expected);
        if (out > length)
            out = length;
        for (size_t i = 0; i < out; i++)
            assert_int_equal((unsigned char)left[i], next_out++);
        wire_drop(&stream, out);
        expected -= out;
    }
    wire_free(&stream);
}

/* ---- messages ---- */

static void
starts_are_read(void **state)
{
    struct ctx *ctx = *state;
    struct wire_start start;
    struct wire_message message = message_of(ctx, '\0',
        BYTES("\0\x03\0\x02"
              "user\0me\0database\0a b\0options\0-c a=1\0\0"));

    assert_true(wire_read_start(ctx, &message, &start));
    assert_int_equal(start.kind, WIRE_START_SESSION);
    assert_int_equal(start.minor, 2);
    assert_string_equal(wire_start_value(&start, "database"), "a b");
    assert_string_equal(wire_start_value(&start, "options"), "-c a=1");
    assert_null(wire_start_value(&start, "application_name"));

    message = message_of(ctx, '\0', BYTES("\x04\xd2\x16\x2f"));
    assert_true(wire_read_start(ctx, &message, &start));
    assert_int_equal(start.kind, WIRE_START_TLS);
    message = message_of(ctx, '\0', BYTES("\x04\xd2\x16\x30"));
    assert_true(wire_read_start(ctx, &message, &start));
    assert_int_equal(start.kind, WIRE_START_GSS);
    message = message_of(ctx, '\0', BYTES("\x04\xd2\x16\x2e\0\0\x01\x02\0\0\0\x07"));
    assert_true(wire_read_start(ctx, &message, &start));
    assert_int_equal(start.kind, WIRE_START_CANCEL);
    assert_int_equal(start.pid, 258);
    assert_int_equal(start.key, 7);

    message = message_of(ctx, '\0', BYTES("\0\x02\0\0"));
    assert_false(wire_read_start(ctx, &message, &start));
    message = message_of(ctx, '\0', BYTES("\0\x03\0\0user\0me"));
    assert_false(wire_read_start(ctx, &message, &start));
}

static void
errors_are_read(void **state)
{
    struct ctx *ctx = *state;
    struct wire_error error;
    struct wire_message message = message_of(ctx, 'E',
        BYTES("SFEHLER\0VERROR\0C23505\0MdoppeltX\0DKey (id)=(1)\0sapp\0tusers\0nusers_pkey\0\0"));

    wire_read_error(ctx->arena, &message, &error);
    assert_string_equal(error.severity, "ERROR");
    assert_string_equal(error.sqlstate, "23505");
    assert_string_equal(error.message, "doppeltX");
    assert_string_equal(error.detail, "Key (id)=(1)");
    assert_string_equal(error.table, "users");
    assert_string_equal(error.constraint, "users_pkey");
    assert_null(error.hint);
    message = message_of(ctx, 'E', BYTES("Mno end"));
    wire_read_error(ctx->arena, &message, &error);
    assert_null(error.message);
}

static void
answers_are_made(void **state)
{
    struct ctx *ctx = *state;
    struct buffer buffer = { .arena = ctx->arena };
    struct text_list unknown = { 0 };
    static const char expected[] = "R\0\0\0\x08\0\0\0\x03"
                                   "R\0\0\0\x08\0\0\0\0"
                                   "S\0\0\0\x14TimeZone\0Europe\0"
                                   "K\0\0\0\x0c\0\0\x01\x02\x80\0\0\x01"
                                   "Z\0\0\0\x05I"
                                   "v\0\0\0\x13\0\0\0\0\0\0\0\x01_pq_.x\0"
                                   "E\0\0\0\x1dSFATAL\0VFATAL\0C28P01\0Mx\0\0";

    wire_add_authentication(&buffer, 3);
    wire_add_authentication(&buffer, 0);
    wire_add_parameter(&buffer, "TimeZone", "Europe");
    wire_add_key(&buffer, 258, 0x80000001);
    wire_add_ready(&buffer, 'I');
    text_list_add(ctx->arena, &unknown, "_pq_.x");
    wire_add_version(&buffer, &unknown);
    wire_add_error(&buffer, "28P01", "x", NULL);
    assert_int_equal(buffer.length, sizeof(expected) - 1);
    assert_memory_equal(buffer.data, expected, sizeof(expected) - 1);
}

/* ---- tracking ---- */

struct talk {
    struct ctx *ctx;
    struct wire_track track;
    int64_t now;
};

static struct talk
talk_begin(struct ctx *ctx)
{
    struct talk talk = { .ctx = ctx };

    wire_track_begin(ctx->arena, &talk.track);
    return talk;
}

static void
say(struct talk *talk, char type, const void *body, size_t length)
{
    struct wire_message message = message_of(talk->ctx, type, body, length);

    wire_track_client(&talk->track, &message, talk->now += 10);
}

static void
hear(struct talk *talk, char type, const void *body, size_t length)
{
    struct wire_message message = message_of(talk->ctx, type, body, length);

    wire_track_server(&talk->track, &message, talk->now += 10);
}

static void
assert_done(const struct talk *talk, size_t at, const char *sql, const char *tag)
{
    assert_true(at < talk->track.done.count);
    assert_string_equal(talk->track.done.items[at].sql, sql);
    if (tag)
        assert_string_equal(talk->track.done.items[at].tag, tag);
    else
        assert_null(talk->track.done.items[at].tag);
    assert_int_equal(talk->track.done.items[at].is_failed, tag == NULL);
}

static void
simple_queries(void **state)
{
    struct talk talk = talk_begin(*state);

    say(&talk, 'Q', BYTES("BEGIN; UPDATE t SET a = 1; DELETE FROM t\0"));
    assert_false(wire_track_is_idle(&talk.track));
    assert_string_equal(
        wire_track_running(&talk.track)->sql, "BEGIN; UPDATE t SET a = 1; DELETE FROM t");
    hear(&talk, 'C', BYTES("BEGIN\0"));
    hear(&talk, 'C', BYTES("UPDATE 3\0"));
    hear(&talk, 'N', BYTES("Mx\0\0"));
    hear(&talk, 'C', BYTES("DELETE 4\0"));
    assert_int_equal(talk.track.done.count, 0);
    hear(&talk, 'Z', BYTES("T"));
    assert_true(wire_track_is_idle(&talk.track));
    assert_null(wire_track_running(&talk.track));
    assert_done(&talk, 0, "BEGIN; UPDATE t SET a = 1; DELETE FROM t", "DELETE 4");
    assert_int_equal(talk.track.done.items[0].rows, 7);
    assert_int_equal(talk.track.done.items[0].us, 50);
    assert_false(talk.track.done.items[0].was_in_transaction);
    say(&talk, 'Q', BYTES("SELECT 1 / 0\0"));
    hear(&talk, 'T', BYTES("\0\0"));
    hear(&talk, 'E', BYTES("SERROR\0C22012\0Mdivision by zero\0\0"));
    hear(&talk, 'Z', BYTES("E"));
    assert_done(&talk, 1, "SELECT 1 / 0", NULL);
    assert_true(talk.track.done.items[1].was_in_transaction);
    assert_string_equal(talk.track.done.items[1].error.sqlstate, "22012");
    assert_int_equal(talk.track.status, 'E');
    say(&talk, 'Q', BYTES(" \0"));
    hear(&talk, 'I', BYTES(""));
    hear(&talk, 'Z', BYTES("I"));
    assert_done(&talk, 2, " ", "");
}

static void
prepared_and_pipelined(void **state)
{
    struct talk talk = talk_begin(*state);

    say(&talk, 'P', BYTES("one\0INSERT INTO t VALUES ($1)\0\0\x01\0\0\0\x17"));
    say(&talk, 'D', BYTES("Sone\0"));
    say(&talk, 'S', BYTES(""));
    hear(&talk, '1', BYTES(""));
    hear(&talk, 't', BYTES("\0\x01\0\0\0\x17"));
    hear(&talk, 'n', BYTES(""));
    hear(&talk, 'Z', BYTES("I"));
    assert_true(wire_track_is_idle(&talk.track));
    assert_int_equal(talk.track.done.count, 0);
    for (int i = 0; i < 2; i++) {
        say(&talk, 'B', BYTES("\0one\0\0\0\0\0\0\0"));
        say(&talk, 'E', BYTES("\0\0\0\0\0"));
    }
    assert_false(wire_track_is_idle(&talk.track));
    say(&talk, 'S', BYTES(""));
    assert_string_equal(wire_track_running(&talk.track)->sql, "INSERT INTO t VALUES ($1)");
    hear(&talk, '2', BYTES(""));
    hear(&talk, 'C', BYTES("INSERT 0 1\0"));
    hear(&talk, '2', BYTES(""));
    hear(&talk, 'C', BYTES("INSERT 0 1\0"));
    assert_false(wire_track_is_idle(&talk.track));
    hear(&talk, 'Z', BYTES("I"));
    assert_true(wire_track_is_idle(&talk.track));
    assert_int_equal(talk.track.done.count, 2);
    assert_done(&talk, 1, "INSERT INTO t VALUES ($1)", "INSERT 0 1");
    assert_int_equal(talk.track.done.items[1].us, 20); /* since the one before was done */
}

static void
an_error_skips_to_the_sync(void **state)
{
    struct talk talk = talk_begin(*state);

    say(&talk, 'P', BYTES("\0SELECT nothing\0\0\0"));
    say(&talk, 'B', BYTES("\0\0\0\0\0\0\0\0"));
    say(&talk, 'E', BYTES("\0\0\0\0\0"));
    hear(&talk, 'E', BYTES("C42703\0Mno column\0\0"));
    assert_done(&talk, 0, "SELECT nothing", NULL);
    say(&talk, 'P', BYTES("\0SELECT 2\0\0\0"));
    say(&talk, 'E', BYTES("\0\0\0\0\0"));
    assert_false(wire_track_is_idle(&talk.track));
    say(&talk, 'S', BYTES(""));
    hear(&talk, 'Z', BYTES("I"));
    assert_true(wire_track_is_idle(&talk.track));
    assert_int_equal(talk.track.done.count, 1);
    say(&talk, 'Q', BYTES("SELECT 3\0"));
    hear(&talk, 'C', BYTES("SELECT 1\0"));
    hear(&talk, 'Z', BYTES("I"));
    assert_done(&talk, 1, "SELECT 3", "SELECT 1");
}

static void
a_commit_that_fails_at_the_sync(void **state)
{
    struct talk talk = talk_begin(*state);

    say(&talk, 'P', BYTES("\0INSERT INTO t VALUES (1)\0\0\0"));
    say(&talk, 'B', BYTES("\0\0\0\0\0\0\0\0"));
    say(&talk, 'E', BYTES("\0\0\0\0\0"));
    say(&talk, 'S', BYTES(""));
    hear(&talk, '1', BYTES(""));
    hear(&talk, '2', BYTES(""));
    hear(&talk, 'C', BYTES("INSERT 0 1\0"));
    hear(&talk, 'E', BYTES("C23503\0Mdeferred\0\0"));
    hear(&talk, 'Z', BYTES("I"));
    assert_int_equal(talk.track.done.count, 1);
    assert_done(&talk, 0, "INSERT INTO t VALUES (1)", NULL);
    assert_string_equal(talk.track.done.items[0].error.sqlstate, "23503");
}

static void
a_copy_ignores_syncs(void **state)
{
    struct talk talk = talk_begin(*state);

    say(&talk, 'P', BYTES("\0COPY t FROM STDIN\0\0\0"));
    say(&talk, 'B', BYTES("\0\0\0\0\0\0\0\0"));
    say(&talk, 'E', BYTES("\0\0\0\0\0"));
    say(&talk, 'S', BYTES(""));
    hear(&talk, '1', BYTES(""));
    hear(&talk, '2', BYTES(""));
    hear(&talk, 'G', BYTES("\0\0\0"));
    say(&talk, 'd', BYTES("1\n"));
    say(&talk, 'S', BYTES(""));
    assert_string_equal(wire_track_running(&talk.track)->sql, "COPY t FROM STDIN");
    say(&talk, 'c', BYTES(""));
    say(&talk, 'S', BYTES(""));
    hear(&talk, 'C', BYTES("COPY 1\0"));
    assert_false(wire_track_is_idle(&talk.track));
    hear(&talk, 'Z', BYTES("I"));
    assert_true(wire_track_is_idle(&talk.track));
    assert_done(&talk, 0, "COPY t FROM STDIN", "COPY 1");
}

static void
a_portal_is_told_once(void **state)
{
    struct talk talk = talk_begin(*state);

    say(&talk, 'P', BYTES("\0SELECT * FROM t\0\0\0"));
    say(&talk, 'B', BYTES("p\0\0\0\0\0\0\0\0"));
    say(&talk, 'E', BYTES("p\0\0\0\0\x32"));
    say(&talk, 'S', BYTES(""));
    hear(&talk, '1', BYTES(""));
    hear(&talk, '2', BYTES(""));
    hear(&talk, 's', BYTES(""));
    hear(&talk, 'Z', BYTES("T"));
    assert_true(talk.track.done.items[0].is_suspended);
    for (int i = 0; i < 2; i++) {
        say(&talk, 'E', BYTES("p\0\0\0\0\x32"));
        say(&talk, 'S', BYTES(""));
        hear(&talk, i == 0 ? 's' : 'E', BYTES("C22012\0Mdivision by zero\0\0"));
        hear(&talk, 'Z', BYTES("T"));
    }
    assert_int_equal(talk.track.done.count, 2);
    assert_done(&talk, 1, "SELECT * FROM t", NULL); /* the rest of the rows failed */
}

static void
a_lost_server_fails_what_ran(void **state)
{
    struct talk talk = talk_begin(*state);

    say(&talk, 'Q', BYTES("SELECT pg_sleep(9)\0"));
    wire_track_lost(&talk.track, "the server closed the connection", talk.now += 10);
    assert_true(wire_track_is_idle(&talk.track));
    assert_done(&talk, 0, "SELECT pg_sleep(9)", NULL);
    assert_string_equal(talk.track.done.items[0].error.sqlstate, "08006");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(messages_are_cut_wherever_bytes_end),
        test_with_ctx(impossible_lengths_are_refused),
        test_with_ctx(bytes_wait_and_are_dropped),
        test_with_ctx(starts_are_read),
        test_with_ctx(errors_are_read),
        test_with_ctx(answers_are_made),
        test_with_ctx(simple_queries),
        test_with_ctx(prepared_and_pipelined),
        test_with_ctx(an_error_skips_to_the_sync),
        test_with_ctx(a_commit_that_fails_at_the_sync),
        test_with_ctx(a_copy_ignores_syncs),
        test_with_ctx(a_portal_is_told_once),
        test_with_ctx(a_lost_server_fails_what_ran),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
