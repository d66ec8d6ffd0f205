/* Who is within a flag's percent. The buckets were computed by Python's hashlib. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "flags/flags.h"
#include "flags/reading.h"
#include "sql.h"

static void
the_bucket_is_that_of_sha256(void **state)
{
    static const struct {
        const char *salt;
        int64_t user;
        int32_t bucket; /* int.from_bytes(sha256(f"{salt}:{user}").digest()[:8], "big") % 10000 */
    } known[] = {
        { "replyx.stats", 1, 6575 },
        { "replyx.stats", 2, 9338 },
        { "replyx.stats", 17, 832 },
        { "replyx.stats", 2147483647, 3911 },
        { "соль", 5, 8823 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        for (int32_t percent = 0; percent <= 100; percent++) {
            const struct flag flag = { .salt = known[i].salt, .percent = percent };

            assert_int_equal(flag_takes(&flag, known[i].user), known[i].bucket < percent * 100);
        }
}

static size_t
count_taken(const struct flag *flag, int64_t users)
{
    size_t count = 0;

    for (int64_t user = 1; user <= users; user++)
        count += flag_takes(flag, user);
    return count;
}

static void
percents_are_met_and_nobody_leaves_when_they_grow(void **state)
{
    struct flag small = { .salt = "replyx.stats", .percent = 5 };
    struct flag big = { .salt = "replyx.stats", .percent = 25 };
    struct flag other = { .salt = "other", .percent = 5 };
    size_t both = 0;

    (void)state;
    assert_int_equal(count_taken(&small, 20000), 998);
    assert_int_equal(count_taken(&big, 20000), 5021);
    for (int64_t user = 1; user <= 20000; user++) {
        assert_true(!flag_takes(&small, user) || flag_takes(&big, user));
        both += flag_takes(&small, user) && flag_takes(&other, user);
    }
    /* Another salt, other users. */
    assert_int_equal(both, 62);
}

static void
out_of_range_percents_take_nobody_or_all(void **state)
{
    struct flag flag = { .salt = "", .percent = -5 };

    (void)state;
    assert_false(flag_takes(&flag, 1));
    flag.percent = 400;
    assert_true(flag_takes(&flag, 1));
    assert_true(flag_takes(&flag, INT64_MAX));
}

static void
a_salt_of_any_length_is_safe(void **state)
{
    char salt[4096];
    struct flag flag = { .salt = salt, .percent = 50 };

    (void)state;
    memset(salt, 'x', sizeof(salt) - 1);
    salt[sizeof(salt) - 1] = '\0';
    assert_int_equal(flag_takes(&flag, 3), flag_takes(&flag, 3));
}

static void
after_its_time_the_fallback_holds(void **state)
{
    struct flag flag = { .percent = 25, .fallback = 5, .until_us = 1000 };

    (void)state;
    assert_int_equal(flag_percent(&flag, 999), 25);
    assert_int_equal(flag_percent(&flag, 1000), 5);
    assert_int_equal(flag_percent(&flag, INT64_MAX), 5);
    flag.until_us = 0;
    assert_int_equal(flag_percent(&flag, INT64_MAX), 25);
}

static struct sql_flags_flags
row(const char *name, int32_t percent)
{
    return (struct sql_flags_flags){
        .name = name, .variant = "optimised", .percent = percent, .salt = "s", .reason = "r"
    };
}

static void
a_damaged_row_leaves_its_flag_as_it_was(void **state)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct sql_flags_flags rows[] = { row("a", 5), row("b", 25) };
    struct flag_list none = { 0 };
    const char *problem;
    struct flag_list good = flags_read(arena, rows, 2, &none, &problem);
    struct flag_list after;

    (void)state;
    assert_null(problem);
    rows[0].percent = 101;
    rows[1].percent = 30;
    after = flags_read(arena, rows, 2, &good, &problem);
    assert_non_null(strstr(problem, "\"a\""));
    assert_int_equal(flag_find(&after, "a")->percent, 5);
    assert_int_equal(flag_find(&after, "b")->percent, 30);
    assert_false(flags_are_same(&good, &after));
    /* One that was never good is none. */
    after = flags_read(arena, rows, 1, &none, &problem);
    assert_null(flag_find(&after, "a"));
    assert_non_null(problem);
}

static void
every_damage_is_seen(void **state)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct flag_list none = { 0 };
    struct sql_flags_flags rows[8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        rows[i] = row("a", 5);
    rows[0].name = NULL;
    rows[1].variant = NULL;
    rows[2].salt = NULL;
    rows[3].percent = -1;
    rows[4].shadow_ratio = 1.5;
    rows[5].shadow_ratio = (double)NAN;
    rows[6].fallback = 1000;
    rows[7].until_us = -1;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *problem = NULL;

        assert_int_equal(flags_read(arena, &rows[i], 1, &none, &problem).count, 0);
        assert_non_null(problem);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bucket_is_that_of_sha256),
        cmocka_unit_test(percents_are_met_and_nobody_leaves_when_they_grow),
        cmocka_unit_test(out_of_range_percents_take_nobody_or_all),
        cmocka_unit_test(a_salt_of_any_length_is_safe),
        cmocka_unit_test(after_its_time_the_fallback_holds),
        cmocka_unit_test(a_damaged_row_leaves_its_flag_as_it_was),
        cmocka_unit_test(every_damage_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
