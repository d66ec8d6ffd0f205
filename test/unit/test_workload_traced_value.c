/*
 * The vectors of SipHash are those of its authors' reference implementation; texts of binary values are
 * what PostgreSQL 15 gave for SELECT v::text beside the typsend function's bytes.
 */
#include "support/test.h"

#include "workload/traced_tag.h"
#include "workload/traced_value.h"

/* The paper's key: 00 01 … 0f. */
static const struct value_key paper_key = { { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15 } };

static void
hash_is_siphash(void **state)
{
    char message[16];

    (void)state;
    for (size_t i = 0; i < sizeof(message); i++)
        message[i] = (char)i;
    assert_true(value_hash(&paper_key, "", 0) == UINT64_C(0x726fdb47dd0e0e31));
    assert_true(value_hash(&paper_key, message, 1) == UINT64_C(0x74f839c593dc67fd));
    assert_true(value_hash(&paper_key, message, 8) == UINT64_C(0x93f5f5799a932462));
    assert_true(value_hash(&paper_key, message, 15) == UINT64_C(0xa129ca6149be45e5));
}

static uint64_t
hash_of(const char *text)
{
    return value_hash(&paper_key, text, strlen(text));
}

static void
numbers_have_one_form(void **state)
{
    static const char *const same[][2] = {
        { "7", "07" },
        { "7", "7.0" },
        { "7", "+7" },
        { "-7", "-7.000" },
        { "100", "1e2" },
        { "0.01", "1E-2" },
        { "0", "-0" },
        { "0", "0.00" },
        { ".5", "0.5" },
        { "5.", "5" },
        { "123000", "123e+3" },
    };
    static const char *const other[][2] = {
        { "7", "70" },
        { "7", "-7" },
        { "0.7", "7" },
        { "1e2", "1e3" },
        { "7", "7 " },
        { "7", "7a" },
        { "1.2.3", "1.23" },
        { "e5", "5" },
        { "-", "0" },
        { ".", "0" },
        { "1e", "1" },
        { "2026-01-01", "2026" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(same); i++)
        if (hash_of(same[i][0]) != hash_of(same[i][1]))
            fail_msg("%s and %s differ", same[i][0], same[i][1]);
    for (size_t i = 0; i < COUNT_OF(other); i++)
        if (hash_of(other[i][0]) == hash_of(other[i][1]))
            fail_msg("%s and %s are the same", other[i][0], other[i][1]);
}

static void
long_texts_are_hashed_whole(void **state)
{
    char a[400], b[400];

    (void)state;
    memset(a, '1', sizeof(a));
    memset(b, '1', sizeof(b));
    b[399] = '2';
    assert_true(value_hash(&paper_key, a, 400) != value_hash(&paper_key, b, 400));
    assert_true(value_hash(&paper_key, a, 399) == value_hash(&paper_key, b, 399));
    assert_true(value_hash(&paper_key, a, 399) != value_hash(&paper_key, a, 400));
}

static void
keys_differ_from_run_to_run(void **state)
{
    struct value_key one, two;

    (void)state;
    value_key_make(&one);
    value_key_make(&two);
    assert_memory_not_equal(&one, &two, sizeof(one));
    assert_true(value_hash(&one, "7", 1) != value_hash(&two, "7", 1));
}

/* ---- binary values ---- */

struct binary {
    uint32_t type;
    const char *hex;  /* as the typsend function gives it */
    const char *text; /* as ::text gives it */
};

static const struct binary binaries[] = {
#include "test_workload_traced_value_binaries.h"
};

static size_t
from_hex(const char *hex, unsigned char *ret)
{
    size_t count = strlen(hex) / 2;

    for (size_t i = 0; i < count; i++) {
        char pair[3] = { hex[i * 2], hex[i * 2 + 1], '\0' };

        ret[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return count;
}

static void
binary_values_are_as_the_server_writes_them(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(binaries); i++) {
        const struct binary *binary = &binaries[i];
        unsigned char *bytes = arena_alloc(ctx->arena, strlen(binary->hex) / 2 + 1);
        size_t count = from_hex(binary->hex, bytes), length;
        const char *text;

        if (!value_from_binary(ctx->arena, binary->type, bytes, count, &text, &length))
            fail_msg("type %u, %s: not read", binary->type, binary->hex);
        if (strcmp(text, binary->text) != 0)
            fail_msg("type %u: \"%s\" instead of \"%s\"", binary->type, text, binary->text);
        assert_int_equal(length, strlen(binary->text));
    }
    assert_true(COUNT_OF(binaries) > 100);
}

/* What is cut is refused, and no byte behind the end is looked at (the sanitizer would tell). */
static void
cut_values_are_refused(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(binaries); i++) {
        const struct binary *binary = &binaries[i];
        unsigned char bytes[4096];
        size_t count = strlen(binary->hex) / 2, length;
        bool is_text = binary->type == 25 || binary->type == 1043 || binary->type == 1042 ||
                       binary->type == 19 || binary->type == 114 || binary->type == 3802 ||
                       binary->type == 17 || binary->type == 142 || binary->type == 705;
        const char *text;

        assert_true(count <= sizeof(bytes));
        from_hex(binary->hex, bytes);
        for (size_t kept = 0; kept < count && !is_text; kept++) {
            void *piece = arena_memdup(ctx->arena, bytes, kept);

            if (value_from_binary(ctx->arena, binary->type, piece, kept, &text, &length))
                fail_msg("type %u: %zu of %zu bytes are \"%s\"", binary->type, kept, count, text);
        }
    }
}

static void
what_is_no_value_is_refused(void **state)
{
    struct ctx *ctx = *state;
    static const struct binary wrong[] = {
        { 23, "0000000100", "" },                           /* a byte too many */
        { 16, "", "" },                                     /* no truth at all */
        { 2950, "00112233445566778899aabbccddeeff00", "" }, /* 17 bytes */
        { 1700, "0001000000000000ffff", "" },               /* a digit of 65535 */
        { 1700, "00000000123400000000", "" },               /* digits that were not announced */
        { 1700, "000000001234ffff", "" },                   /* neither sign nor scale */
        { 1083, "ffffffffffffffff", "" },                   /* a time before midnight */
        { 3802, "027b7d", "" },                             /* a jsonb of version 2 */
        { 1007, "7fffffff00000000000000170000000100000001", "" }, /* too many dimensions */
        { 1007, "00000001000000000000001701000000000000010000000400000001", "" }, /* too large */
        { 1007, "0000000100000000000000170000000100000001fffffffe", "" },         /* length -2 */
        { 1007, "0000000100000000000030390000000100000001000000040000000100", "" },
        { 600, "3ff00000000000003ff0000000000000", "" }, /* a point: not known here */
        { 25, "610062", "" },                            /* NUL in a text */
    };

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        unsigned char bytes[64];
        size_t length, count = from_hex(wrong[i].hex, bytes);
        void *exact = arena_memdup(ctx->arena, bytes, count);
        const char *text;

        if (value_from_binary(ctx->arena, wrong[i].type, exact, count, &text, &length))
            fail_msg("type %u, %s: \"%s\"", wrong[i].type, wrong[i].hex, text);
    }
}

static void
any_bytes_are_read_without_harm(void **state)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct test_random random = test_random_new();

    (void)state;
    for (int turn = 0; turn < 20000; turn++) {
        const struct binary *binary = &binaries[test_random_below(&random, COUNT_OF(binaries))];
        unsigned char bytes[4096];
        size_t length, count = from_hex(binary->hex, bytes);
        const char *text;

        for (size_t i = 0; i < 3 && count > 0; i++)
            bytes[test_random_below(&random, count)] = (unsigned char)test_random_next(&random);
        if (value_from_binary(
                arena, binary->type, arena_memdup(arena, bytes, count), count, &text, &length))
            assert_int_equal(strlen(text), length);
        if (turn % 1000 == 0)
            arena_reset(arena);
    }
}

/* ---- tags ---- */

struct said {
    const char *sql;
    const char *route;
    const char *request;
    const char *framework;
};

static const char parent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

static void
comments_name_route_and_request(void **state)
{
    struct ctx *ctx = *state;
    static const char trace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
    /* The first two are the examples of sqlcommenter's and marginalia's own documentation. */
    static const struct said examples[] = {
        { "SELECT * FROM FOO /*action='%2Fparam*d',controller='index',framework='spring',"
          "traceparent='00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',"
          "tracestate='congo%3Dt61rcWkgMzE%2Crojo%3D00f067aa0ba902b7'*/",
            "index#/param*d", trace, "spring" },
        { "Account Load (0.3ms)  SELECT `accounts`.* FROM `accounts` LIMIT 1 "
          "/*application:BCX,controller:project_imports,action:show*/",
            "project_imports#show", NULL, NULL },
        { "SELECT 1 /*route='%2Fassistants%2Fstats',framework='fastapi%3A0.92'*/;  ",
            "/assistants/stats", NULL, "fastapi:0.92" },
        { "/*route='a\\'b'*/ SELECT 1", "a'b", NULL, NULL },
        { "SELECT 1 /* 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 */", NULL, trace,
            NULL },
        { "SELECT 1 /*controller='users',action='index',request_id='r1'*/", "users#index", "r1",
            NULL },
        { "SELECT 1 /*job:MailJob*/", "MailJob", NULL, NULL },
        { "SELECT 1 /* a comment */", NULL, NULL, NULL },
        { "SELECT '/*route=''x''*/'", NULL, NULL, NULL },
        { "SELECT 1 /*", NULL, NULL, NULL },
        { "*/", NULL, NULL, NULL },
        { "/*/", NULL, NULL, NULL },
        { "/**/", NULL, NULL, NULL },
        { "SELECT 1 /*route='%1b[2J%0a'*/", "?[2J?", NULL, NULL },
        { "SELECT 1 /*route='%ff%fe'*/", "??", NULL, NULL },
        { "SELECT 1 /*route='%D0%B0'*/", "\xd0\xb0", NULL, NULL },
        { "", NULL, NULL, NULL },
    };

    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        const struct said *said = &examples[i];
        struct traced_tag tag;

        traced_tag_read(ctx->arena, said->sql, strlen(said->sql), &tag);
        if (!text_equal(tag.route, said->route) || !text_equal(tag.request, said->request) ||
            !text_equal(tag.framework, said->framework))
            fail_msg("%s: route %s, request %s, framework %s", said->sql,
                tag.route ? tag.route : "-", tag.request ? tag.request : "-",
                tag.framework ? tag.framework : "-");
    }
    assert_int_equal(strlen(parent), 55);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(hash_is_siphash),
        test_with_ctx(numbers_have_one_form),
        test_with_ctx(long_texts_are_hashed_whole),
        test_with_ctx(keys_differ_from_run_to_run),
        test_with_ctx(binary_values_are_as_the_server_writes_them),
        test_with_ctx(cut_values_are_refused),
        test_with_ctx(what_is_no_value_is_refused),
        test_with_ctx(any_bytes_are_read_without_harm),
        test_with_ctx(comments_name_route_and_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
