#include "support/test.h"

#include <math.h>

#include "base/json.h"

struct sample {
    const char *name;
    int64_t size;
    double ratio;
    bool is_unique;
    struct text_list columns;
    const char *password;
};

static const struct field fields[] = {
    FIELD(struct sample, name),
    FIELD(struct sample, size),
    FIELD(struct sample, ratio),
    FIELD(struct sample, is_unique),
    FIELD(struct sample, columns),
    FIELD(struct sample, password, .secret = true),
};

static const char *
text_of(struct ctx *ctx, const struct sample *sample)
{
    json_t *json CLEANUP(json_release) = json_from_fields(fields, COUNT_OF(fields), sample);

    return json_text(ctx->arena, json);
}

static void
fields_become_members_of_their_type(void **state)
{
    const char *columns[] = { "a", "b" };
    struct sample sample = {
        .name = "ix \"1\"",
        .size = INT64_C(9007199254740993),
        .ratio = 0.5,
        .is_unique = true,
        .columns = { .items = columns, .count = 2 },
        .password = "hunter2",
    };
    struct ctx *ctx = *state;

    assert_string_equal(text_of(ctx, &sample),
        "{\"columns\":[\"a\",\"b\"],\"is_unique\":true,\"name\":\"ix \\\"1\\\"\","
        "\"ratio\":0.5,\"size\":9007199254740993}");
}

static void
missing_text_and_impossible_numbers_are_null(void **state)
{
    static const double impossible[] = { NAN, INFINITY, -INFINITY };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(impossible); i++) {
        struct sample sample = { .ratio = impossible[i] };

        assert_string_equal(text_of(ctx, &sample),
            "{\"columns\":[],\"is_unique\":false,\"name\":null,\"ratio\":null,\"size\":0}");
    }
}

static void
text_that_is_not_utf8_does_not_lose_the_document(void **state)
{
    struct sample sample = { .name = "caf\xE9", .size = 3 };
    struct ctx *ctx = *state;

    assert_non_null(strstr(text_of(ctx, &sample), "\"size\":3"));
    assert_non_null(strstr(text_of(ctx, &sample), "\"name\":\""));
}

static void
the_same_object_gives_the_same_bytes(void **state)
{
    struct ctx *ctx = *state;
    json_t *one CLEANUP(json_release) = NULL;
    json_t *other CLEANUP(json_release) = NULL;

    assert_true(json_parse(ctx, "one", "{\"b\": 1, \"a\": [true, null]}", &one));
    assert_true(json_parse(ctx, "other", "{ \"a\":[true,null],\"b\":1 }", &other));
    assert_string_equal(json_text(ctx->arena, one), json_text(ctx->arena, other));
}

static void
bad_json_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text;
        const char *place;
    } cases[] = {
        { "", "plan.json:1:" },
        { "{\n  \"a\": 1,\n  \"a\": 2\n}", "plan.json:3:" },
        { "{\n\"a\" 1}", "plan.json:2:" },
        { "[1, 2", "plan.json:1:" },
        { "{} x", "plan.json:1:" },
        { "\"\xFF\"", "plan.json:1:" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *json = NULL;

        assert_false(json_parse(ctx, "plan.json", cases[i].text, &json));
        assert_error(ctx, ERR_INPUT, cases[i].place);
        assert_null(json);
    }
}

static void
a_file_comes_back_as_it_was_written(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "plan.json");
    json_t *written CLEANUP(json_release) = json_pack("{s:i, s:[s,s]}", "n", 7, "l", "ä", "\n");
    json_t *read CLEANUP(json_release) = NULL;

    assert_true(json_write_file(ctx, path, written));
    assert_true(json_read_file(ctx, path, &read));
    assert_true(json_equal(written, read));
    assert_true(file_write(ctx, path, "{\0}", 3, 0600));
    assert_false(json_read_file(ctx, path, &read));
    assert_error(ctx, ERR_INPUT, "NUL");
    assert_true(file_remove(ctx, folder));
    assert_false(json_read_file(ctx, path, &read));
    assert_error(ctx, ERR_IO, "plan.json");
}

static void
members_of_another_type_are_as_if_missing(void **state)
{
    struct ctx *ctx = *state;
    json_t *json CLEANUP(json_release) =
        json_pack("{s:s, s:i, s:f, s:b}", "text", "t", "int", 3, "real", 0.5, "bool", 1);

    assert_string_equal(json_get_text(ctx->arena, json, "text", "-"), "t");
    assert_string_equal(json_get_text(ctx->arena, json, "int", "-"), "-");
    assert_null(json_get_text(ctx->arena, json, "none", NULL));
    assert_int_equal(json_get_int(json, "int", -1), 3);
    assert_int_equal(json_get_int(json, "text", -1), -1);
    assert_true(json_get_double(json, "real", -1) == 0.5);
    assert_true(json_get_double(json, "int", -1) == 3);
    assert_true(json_get_double(json, "bool", -1) == -1);
    assert_true(json_get_bool(json, "bool", false));
    assert_true(json_get_bool(json, "none", true));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(fields_become_members_of_their_type),
        test_with_ctx(missing_text_and_impossible_numbers_are_null),
        test_with_ctx(text_that_is_not_utf8_does_not_lose_the_document),
        test_with_ctx(the_same_object_gives_the_same_bytes),
        test_with_ctx(bad_json_is_refused_with_its_place),
        test_with_ctx(a_file_comes_back_as_it_was_written),
        test_with_ctx(members_of_another_type_are_as_if_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
