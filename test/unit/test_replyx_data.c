/* The world that replyx-data makes: the same for the same seed, and in itself consistent. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "data/options.h"
#include "data/tables.h"

/* 2026-11-22, in microseconds since 2000-01-01. */
#define NOW_US (INT64_C(848620800) * US_PER_SECOND)

static const struct scale tiny = {
    .name = "tiny",
    .users = 120,
    .assistants = 300,
    .bots = 20,
    .dialogs = 2000,
    .messages = 20000,
    .chunks = 500,
    .transactions = 1000,
    .topics = 48,
};

/* FNV-1a over all bytes; source: Fowler, Noll and Vo. */
struct sum_sink {
    struct sink sink;
    uint64_t sum;
    size_t length;
    struct buffer *kept; /* or NULL */
};

static bool
put_sum(struct ctx *ctx, struct sink *sink, const void *data, size_t length)
{
    struct sum_sink *sum = (struct sum_sink *)sink;
    const unsigned char *bytes = data;

    (void)ctx;
    for (size_t i = 0; i < length; i++)
        sum->sum = (sum->sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    sum->length += length;
    if (sum->kept)
        buffer_append(sum->kept, data, length);
    return true;
}

static uint64_t
sum_of(struct ctx *ctx, const struct world *world, const struct table *table)
{
    struct sum_sink sink = { .sink.put = put_sum, .sum = UINT64_C(0xcbf29ce484222325) };
    int64_t bytes;

    assert_true(table_write(ctx, world, table, &sink.sink, &bytes));
    assert_int_equal(bytes, sink.length);
    return sink.sum;
}

static void
generators_give_their_published_numbers(void **state)
{
    static const uint64_t splitmix[] = { UINT64_C(6457827717110365317),
        UINT64_C(3203168211198807973), UINT64_C(9817491932198370423) };
    static const uint64_t xoshiro[] = { 11520, 0, 1509978240, UINT64_C(1215971899390074240) };
    uint64_t seed = 1234567;
    struct rng rng = { .state = { 1, 2, 3, 4 } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(splitmix); i++)
        assert_int_equal(rng_splitmix(&seed), splitmix[i]);
    for (size_t i = 0; i < COUNT_OF(xoshiro); i++)
        assert_int_equal(rng_next(&rng), xoshiro[i]);
}

static void
numbers_stay_in_their_range(void **state)
{
    struct rng rng = rng_start(7, RNG_USER, 0);
    double sum = 0;
    double squares = 0;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        double normal = rng_normal(&rng);
        int32_t between = rng_between(&rng, -3, 4);

        assert_in_range(rng_below(&rng, 7), 0, 6);
        assert_true(between >= -3 && between <= 4);
        sum += normal;
        squares += normal * normal;
    }
    assert_true(fabs(sum / 20000) < 0.05);
    assert_true(fabs(squares / 20000 - 1) < 0.05);
}

static void
a_row_has_the_bytes_of_the_manual(void **state)
{
    static const struct column columns[] = {
        { "a", COLUMN_INT4 },
        { "b", COLUMN_TEXT },
        { "c", COLUMN_BOOL },
        { "d", COLUMN_FLOAT8 },
        { "e", COLUMN_TIME },
        { "f", COLUMN_TEXT },
    };
    static const char wanted[] = "PGCOPY\n\377\r\n\0"
                                 "\0\0\0\0"
                                 "\0\0\0\0"
                                 "\0\6"
                                 "\0\0\0\4"
                                 "\0\0\1\2"
                                 "\0\0\0\2"
                                 "hi"
                                 "\0\0\0\1"
                                 "\1"
                                 "\0\0\0\10"
                                 "\77\370\0\0\0\0\0\0"
                                 "\0\0\0\10"
                                 "\0\0\0\0\0\0\0\5"
                                 "\377\377\377\377"
                                 "\377\377";
    struct ctx *ctx = *state;
    struct buffer kept = { .arena = ctx->arena };
    struct sum_sink sink = { .sink.put = put_sum, .kept = &kept };
    struct row row CLEANUP(row_cleanup) = { 0 };

    row_open(ctx->arena, &row, &sink.sink, columns, COUNT_OF(columns));
    row_begin(&row);
    row_int4(&row, 258);
    row_text(&row, "hi");
    row_bool(&row, true);
    row_float8(&row, 1.5);
    row_time(&row, 5);
    row_null(&row);
    assert_true(row_end(ctx, &row));
    assert_true(row_close(ctx, &row));
    assert_int_equal(kept.length, sizeof(wanted) - 1);
    assert_memory_equal(kept.data, wanted, sizeof(wanted) - 1);
}

static void
a_vector_is_dimensions_and_big_endian_numbers(void **state)
{
    static const struct column columns[] = { { "v", COLUMN_VECTOR } };
    static const char wanted[] = "\0\1"
                                 "\0\0\30\4"
                                 "\6\0"
                                 "\0\0"
                                 "\77\200\0\0"
                                 "\300\0\0\0";
    struct ctx *ctx = *state;
    struct buffer kept = { .arena = ctx->arena };
    struct sum_sink sink = { .sink.put = put_sum, .kept = &kept };
    struct row row CLEANUP(row_cleanup) = { 0 };
    float values[VECTOR_SIZE] = { 1, -2 };

    row_open(ctx->arena, &row, &sink.sink, columns, 1);
    row_begin(&row);
    row_vector(&row, values);
    assert_true(row_end(ctx, &row));
    assert_true(row_close(ctx, &row));
    assert_int_equal(kept.length, 19 + 2 + 4 + 4 + 4 * VECTOR_SIZE + 2);
    assert_memory_equal(kept.data + 19, wanted, sizeof(wanted) - 1);
}

static void
events_are_sorted_and_equal_ones_keep_their_order(void **state)
{
    struct ctx *ctx = *state;
    struct timeline timeline = { ARENA_ARRAY(ctx->arena, struct event, 5000), 5000 };
    struct rng rng = rng_start(3, RNG_USER, 0);

    for (uint32_t i = 0; i < timeline.count; i++) {
        int64_t us = (int64_t)(rng_next(&rng) >> 8);

        /* Every other time is one of ten, so that many are equal. */
        timeline.events[i] = (struct event){ i % 2 ? us : us % 10 * (INT64_C(1) << 40), 0, i };
    }
    timeline_sort(&timeline);
    for (size_t i = 1; i < timeline.count; i++) {
        const struct event *one = &timeline.events[i - 1];
        const struct event *next = &timeline.events[i];

        assert_true(one->us < next->us || (one->us == next->us && one->number < next->number));
    }
}

static void
shares_add_up_and_keep_the_limit(void **state)
{
    static const struct share shares[] = {
        { .total = 1000, .sigma = 1, .most = 1000 },
        { .total = 5000, .none_ratio = 0.3, .sigma = 1.5, .most = 60, .planted = 5, .decay = 0.5 },
        { .total = 0, .sigma = 1, .most = 10 },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(shares); i++) {
        uint32_t *counts = share_out(ctx->arena, &shares[i], 400, 5, RNG_USER_SHARE);
        int64_t sum = 0;
        int64_t none = 0;

        for (size_t owner = 0; owner < 400; owner++) {
            assert_true(counts[owner] <= shares[i].most);
            sum += counts[owner];
            none += counts[owner] == 0;
        }
        assert_int_equal(sum, shares[i].total);
        assert_true(none >= (int64_t)(shares[i].none_ratio * 300));
    }
}

static void
the_same_seed_gives_the_same_rows(void **state)
{
    struct ctx *ctx = *state;
    const struct world *one = world_make(ctx->arena, &tiny, 42, NOW_US);
    const struct world *same = world_make(ctx->arena, &tiny, 42, NOW_US);
    const struct world *other = world_make(ctx->arena, &tiny, 43, NOW_US);

    for (size_t i = 0; i < table_count; i++) {
        uint64_t sum = sum_of(ctx, one, tables[i]);

        if (sum != sum_of(ctx, same, tables[i]))
            fail_msg("table %s differs", tables[i]->name);
        if (sum == sum_of(ctx, other, tables[i]))
            fail_msg("table %s does not depend on the seed", tables[i]->name);
        assert_true(tables[i]->count(one) > 0);
    }
}

/* Only what is counted from the date moves with it. */
static void
another_date_shifts_the_rows(void **state)
{
    struct ctx *ctx = *state;
    const struct world *one = world_make(ctx->arena, &tiny, 42, NOW_US);
    const struct world *later = world_make(ctx->arena, &tiny, 42, NOW_US + 7 * US_PER_DAY);

    for (uint32_t i = 0; i < tiny.users; i++)
        assert_int_equal(later->users[i].created_us - one->users[i].created_us, 7 * US_PER_DAY);
}

static void
owners_come_before_what_they_own(void **state)
{
    struct ctx *ctx = *state;
    const struct world *world = world_make(ctx->arena, &tiny, 1, NOW_US);

    for (uint32_t i = 0; i < tiny.assistants; i++) {
        assert_true(world->assistants[i].user < tiny.users);
        assert_true(
            world->assistants[i].created_us >= world->users[world->assistants[i].user].created_us);
    }
    for (uint32_t i = 0; i < tiny.dialogs; i++) {
        const struct dialog *dialog = &world->dialogs[i];

        assert_true(dialog->assistant < tiny.assistants);
        assert_true(dialog->started_us >= world->assistants[dialog->assistant].created_us);
        assert_true(i == 0 || dialog->started_us >= dialog[-1].started_us);
        assert_true(dialog->last_us <= NOW_US);
    }
    for (uint32_t i = 0; i < world->document_count; i++) {
        assert_true(world->documents[i].assistant < tiny.assistants);
        assert_true(world->documents[i].uploaded_us <= NOW_US);
    }
    for (uint32_t i = 0; i < tiny.chunks; i++) {
        const struct document *document = &world->documents[world->chunk_documents[i]];

        assert_true(i >= document->first_chunk && i - document->first_chunk < document->chunks);
    }
}

static void
messages_are_in_order_of_time_and_not_of_dialogs(void **state)
{
    struct ctx *ctx = *state;
    const struct world *world = world_make(ctx->arena, &tiny, 1, NOW_US);
    uint32_t *seen = ARENA_ARRAY(ctx->arena, uint32_t, tiny.dialogs);
    int64_t *newest = ARENA_ARRAY(ctx->arena, int64_t, tiny.dialogs);
    uint32_t switches = 0;
    uint32_t empty = 0;

    assert_int_equal(world->messages.count, tiny.messages);
    for (uint32_t i = 0; i < tiny.messages; i++) {
        const struct event *event = &world->messages.events[i];

        assert_true(i == 0 || event->us >= event[-1].us);
        assert_int_equal(event->number, seen[event->owner]);
        assert_true(event->us > newest[event->owner]);
        assert_true(event->us >= world->dialogs[event->owner].started_us);
        assert_true(event->us <= NOW_US);
        newest[event->owner] = event->us;
        seen[event->owner]++;
        switches += i > 0 && event->owner != event[-1].owner;
    }
    for (uint32_t i = 0; i < tiny.dialogs; i++) {
        assert_int_equal(seen[i], world->dialogs[i].messages);
        empty += seen[i] == 0;
    }
    assert_true(empty > 0);
    /* Dialogs one after the other would have one switch each. */
    assert_true(switches > tiny.dialogs * 5 / 4);
}

static void
accounts_are_what_their_transactions_say(void **state)
{
    struct ctx *ctx = *state;
    const struct world *world = world_make(ctx->arena, &tiny, 1, NOW_US);
    double *balances = ARENA_ARRAY(ctx->arena, double, tiny.users);

    for (uint32_t i = 0; i < tiny.transactions; i++) {
        const struct event *event = &world->money.events[i];
        const struct transaction *transaction =
            &world->transactions[world->accounts[event->owner].first + event->number];

        assert_true(transaction->before == balances[event->owner]);
        balances[event->owner] += transaction->amount;
        assert_true(balances[event->owner] >= 0);
    }
    for (uint32_t i = 0; i < tiny.users; i++) {
        assert_true(world->accounts[i].balance == balances[i]);
        assert_true(world->accounts[i].topped_up - world->accounts[i].spent == balances[i]);
    }
}

static double
cosine(const float *one, const float *other)
{
    double sum = 0;

    for (size_t i = 0; i < VECTOR_SIZE; i++)
        sum += (double)one[i] * (double)other[i];
    return sum;
}

static void
vectors_are_near_when_their_texts_are(void **state)
{
    static const struct topic_place places[] = {
        { .topic = 1, .assistant = 1, .document = 1, .chunk = 0 },
        { .topic = 1, .assistant = 1, .document = 1, .chunk = 1 },
        { .topic = 1, .assistant = 1, .document = 1, .chunk = 9 },
        { .topic = 1, .assistant = 1, .document = 2, .chunk = 0 },
        { .topic = 1, .assistant = 2, .document = 3, .chunk = 0 },
        { .topic = 2, .assistant = 3, .document = 4, .chunk = 0 },
    };
    struct ctx *ctx = *state;
    float vectors[COUNT_OF(places)][VECTOR_SIZE];
    float again[VECTOR_SIZE];
    struct topics topics;
    double before = 1.01;

    topics_make(ctx->arena, 11, 48, &topics);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        double near;

        topic_chunk(&topics, &places[i], vectors[i]);
        assert_true(fabs(cosine(vectors[i], vectors[i]) - 1) < 1e-5);
        near = cosine(vectors[0], vectors[i]);
        assert_true(near < before - (i < 2 ? 0 : 0.03));
        before = near;
    }
    topic_chunk(&topics, &places[0], again);
    assert_memory_equal(again, vectors[0], sizeof(again));
    topic_jitter(&topics, 5, again);
    assert_true(cosine(again, vectors[0]) > 0.999);
    assert_memory_not_equal(again, vectors[0], sizeof(again));
    topic_question(&topics, &places[0], 1, again);
    assert_true(cosine(again, vectors[0]) > cosine(again, vectors[2]));
    assert_true(cosine(again, vectors[2]) > cosine(again, vectors[5]));
}

/* Whether the bytes are UTF-8; returns the number of characters. */
static size_t
count_characters(const char *text, size_t length)
{
    size_t characters = 0;

    for (size_t i = 0; i < length; characters++) {
        unsigned char first = (unsigned char)text[i++];
        size_t more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;

        assert_true(first < 0x80 || first >= 0xC2);
        for (; more > 0; more--, i++) {
            assert_true(i < length);
            assert_int_equal((unsigned char)text[i] & 0xC0, 0x80);
        }
    }
    return characters;
}

static void
texts_have_the_lengths_of_real_ones(void **state)
{
    static const struct column columns[] = { { "text", COLUMN_TEXT } };
    struct ctx *ctx = *state;
    struct sum_sink sink = { .sink.put = put_sum };
    struct row row CLEANUP(row_cleanup) = { 0 };
    size_t shorter_than_80 = 0;

    row_open(ctx->arena, &row, &sink.sink, columns, 1);
    for (uint32_t i = 0; i < 4000; i++) {
        struct rng rng = rng_start(9, RNG_MESSAGE_TEXT, i);
        struct subject subject = { .topic = i % 48, .is_english = i % 12 == 0 };
        size_t characters;

        row_begin(&row);
        row_text_begin(&row);
        prose_message(&row, &rng, i % 2 ? VOICE_ASSISTANT : VOICE_USER, &subject);
        row_text_end(&row);
        characters = count_characters(row_text_data(&row), row_text_length(&row));
        assert_in_range(characters, 1, 2000);
        shorter_than_80 += characters < 80;
        assert_true(row_end(ctx, &row));
    }
    assert_in_range(shorter_than_80, 1400, 2600);
    for (uint32_t i = 0; i < 400; i++) {
        struct rng rng = rng_start(9, RNG_CHUNK_TEXT, i);
        size_t characters;

        row_begin(&row);
        row_text_begin(&row);
        prose_document(&row, &rng, i % 48, 900);
        row_text_end(&row);
        characters = count_characters(row_text_data(&row), row_text_length(&row));
        assert_in_range(characters, 750, 1150);
        assert_true(row_end(ctx, &row));
    }
}

static bool
parse(struct ctx *ctx, const char *line, struct options *ret)
{
    char *argv[8];
    int argc = 0;
    char *rest = arena_strdup(ctx->arena, line);

    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        argv[argc++] = word;
    error_clear(ctx);
    return options_parse(ctx, argc, argv, ret);
}

static void
options_are_read_or_refused(void **state)
{
    static const char *const bad[] = {
        "--scale huge",
        "--scale",
        "--seed 7",
        "--seed=x --scale=small",
        "--scalex=small",
        "small",
        "-s",
    };
    struct ctx *ctx = *state;
    struct options options;

    assert_true(parse(ctx, "--scale=plan --seed 7 --to-file /tmp/x --fast", &options));
    assert_string_equal(options.scale, "plan");
    assert_int_equal(options.seed, 7);
    assert_string_equal(options.to_file, "/tmp/x");
    assert_true(options.fast);
    assert_false(options.vacuum);
    assert_true(parse(ctx, "-h", &options));
    assert_true(options.help);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (parse(ctx, bad[i], &options))
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(ctx->error.kind, ERR_USAGE);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        test_with_ctx(generators_give_their_published_numbers),
        test_with_ctx(numbers_stay_in_their_range),
        test_with_ctx(a_row_has_the_bytes_of_the_manual),
        test_with_ctx(a_vector_is_dimensions_and_big_endian_numbers),
        test_with_ctx(events_are_sorted_and_equal_ones_keep_their_order),
        test_with_ctx(shares_add_up_and_keep_the_limit),
        test_with_ctx(the_same_seed_gives_the_same_rows),
        test_with_ctx(another_date_shifts_the_rows),
        test_with_ctx(owners_come_before_what_they_own),
        test_with_ctx(messages_are_in_order_of_time_and_not_of_dialogs),
        test_with_ctx(accounts_are_what_their_transactions_say),
        test_with_ctx(vectors_are_near_when_their_texts_are),
        test_with_ctx(texts_have_the_lengths_of_real_ones),
        test_with_ctx(options_are_read_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
