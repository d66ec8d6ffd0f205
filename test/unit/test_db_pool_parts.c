/* What of the pool needs no server: the order of its queue, and the spread of its ends. */
#include "support/test.h"

#include "db/pool/pool_part.h"

enum { COUNT = 5 };

static void
assert_line(const struct pool_line *line, const struct pool_ticket *tickets, const char *order)
{
    const struct pool_ticket *before = NULL;
    const struct pool_ticket *at = line->first;

    assert_int_equal(line->count, strlen(order));
    for (; *order; order++, before = at, at = at->after) {
        assert_ptr_equal(at, &tickets[*order - '0']);
        assert_ptr_equal(at->before, before);
        assert_ptr_equal(at->line, line);
    }
    assert_null(at);
    assert_ptr_equal(line->last, before);
}

static void
a_line_keeps_the_order_of_coming(void **state)
{
    struct pool_ticket tickets[COUNT] = { 0 };
    struct pool_line line = { 0 };

    (void)state;
    assert_line(&line, tickets, "");
    for (int i = 1; i < COUNT; i++)
        pool_line_add(&line, &tickets[i]);
    assert_line(&line, tickets, "1234");
    pool_line_add_first(&line, &tickets[0]);
    assert_line(&line, tickets, "01234");
    pool_line_remove(&tickets[2]);
    assert_line(&line, tickets, "0134");
    pool_line_remove(&tickets[0]);
    assert_line(&line, tickets, "134");
    pool_line_remove(&tickets[4]);
    assert_line(&line, tickets, "13");
    pool_line_remove(&tickets[4]); /* nothing happens */
    pool_line_add(&line, &tickets[2]);
    assert_line(&line, tickets, "132");
    pool_line_remove(&tickets[1]);
    pool_line_remove(&tickets[3]);
    pool_line_remove(&tickets[2]);
    assert_line(&line, tickets, "");
    pool_line_add_first(&line, &tickets[3]);
    assert_line(&line, tickets, "3");
}

/* Up to a tenth earlier, all values alike: the mean of many is at 95 %. */
static void
connections_do_not_end_all_at_once(void **state)
{
    const int64_t hour = 3600000000;
    struct pool pool = { .chance = 12345 };
    int64_t least = hour;
    int64_t most = 0;
    double sum = 0;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        int64_t after = pool_recycle_after(hour, pool_chance(&pool));

        least = after < least ? after : least;
        most = after > most ? after : most;
        sum += (double)after;
    }
    assert_true(least >= hour * 9 / 10 && least < hour * 91 / 100);
    assert_true(most <= hour && most > hour * 99 / 100);
    assert_true(sum / 10000 > 0.945 * (double)hour && sum / 10000 < 0.955 * (double)hour);
    assert_int_equal(pool_recycle_after(5, 7), 5);
    assert_int_equal(pool_recycle_after(100, 10), 90);
    assert_int_equal(pool_recycle_after(100, 11), 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_keeps_the_order_of_coming),
        cmocka_unit_test(connections_do_not_end_all_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
