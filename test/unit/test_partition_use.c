/* How statements meet a table that is partitioned: judged by hand, statement by statement. */
#include "support/test.h"

#include "partition/advice.h"

static const struct {
    const char *query;
    bool is_of_table;
    bool has_key;
} cases[] = {
    { "SELECT * FROM message WHERE at > $1", true, true },
    { "SELECT * FROM public.message AS m WHERE m.\"at\" BETWEEN $1 AND $2 AND dialog_id = $3", true,
        true },
    { "SELECT * FROM message WHERE dialog_id = $1 ORDER BY at DESC LIMIT $2", true, false },
    { "SELECT at FROM message", true, false },
    { "SELECT * FROM dialog AS d JOIN message AS m ON m.dialog_id = d.id AND m.at > $1", true,
        true },
    { "WITH x AS (SELECT * FROM message WHERE at > $1) SELECT count(*) FROM x", true, true },
    { "UPDATE message SET seen = $1 WHERE id = $2", true, false },
    { "DELETE FROM message WHERE at < $1", true, true },
    { "INSERT INTO message (at) VALUES ($1)", false, false },
    { "ANALYZE message", false, false },
    { "SELECT * FROM messages WHERE at > $1", false, true },
    { "SELECT message FROM dialog WHERE id = $1", false, false },
    { "SELECT $1 FROM", false, false },
};

static void
statements_are_judged(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct partition_use use = partition_use_of(ctx->arena, cases[i].query, "message", "at");

        if (use.is_of_table != cases[i].is_of_table ||
            (use.is_of_table && use.has_key != cases[i].has_key))
            fail_msg("%s: table %d, key %d", cases[i].query, use.is_of_table, use.has_key);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { test_with_ctx(statements_are_judged) };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
