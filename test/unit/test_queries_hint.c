/* Which advice is given for which statement of a loop; the code is as the frameworks' manuals have it. */
#include "support/test.h"

#include "queries/rewrite/hint.h"

static const char parent[] = "SELECT id, name FROM assistants WHERE user_id = $1";

static struct hint
hint_of(struct ctx *ctx, const char *child, int32_t key)
{
    struct hint hint;

    hint_write(ctx->arena, parent, 0, child, key, &hint);
    return hint;
}

static void
a_row_by_its_own_key_is_joined(void **state)
{
    struct hint hint = hint_of(*state, "SELECT id, filename FROM documents WHERE id = $1", 1);

    assert_int_equal(hint.shape, HINT_TO_ONE);
    assert_string_equal(hint.table, "documents");
    assert_string_equal(
        hint.sqlalchemy, "select(Assistant).options(joinedload(Assistant.document))");
    assert_string_equal(hint.django, "Assistant.objects.select_related(\"document\")");
    assert_string_equal(hint.rails, "Assistant.includes(:document)");
}

static void
rows_that_belong_to_each_are_fetched_in_one_more(void **state)
{
    struct hint hint =
        hint_of(*state, "SELECT d.* FROM public.dialogs AS d WHERE $1::int = d.assistant_id", 1);

    assert_int_equal(hint.shape, HINT_TO_MANY);
    assert_string_equal(
        hint.sqlalchemy, "select(Assistant).options(selectinload(Assistant.dialogs))");
    assert_string_equal(hint.django, "Assistant.objects.prefetch_related(\"dialogs\")");
    assert_string_equal(hint.rails, "Assistant.preload(:dialogs)");
}

static void
counts_are_grouped(void **state)
{
    struct hint hint = hint_of(*state,
        "SELECT coalesce(count(*), 0)::int FROM dialog_messages WHERE sender = $1 AND dialog_id = $2",
        2);

    assert_int_equal(hint.shape, HINT_AGGREGATE);
    assert_non_null(strstr(hint.sqlalchemy, ".group_by(DialogMessage.dialog_id)"));
    assert_non_null(strstr(hint.sqlalchemy, "func.coalesce("));
    assert_non_null(strstr(hint.django, "OuterRef(\"pk\")"));
    assert_non_null(
        strstr(hint.rails, "DialogMessage.where(dialog_id: keys).group(:dialog_id).count"));
    hint = hint_of(*state, "SELECT max(at) FROM dialog_messages WHERE dialog_id = $1", 1);
    assert_non_null(strstr(hint.rails, "maximum(:…)"));
    assert_null(strstr(hint.sqlalchemy, "coalesce"));
}

static void
the_first_rows_of_each_are_lateral(void **state)
{
    struct hint hint = hint_of(*state,
        "SELECT text FROM dialog_messages WHERE dialog_id = $1 ORDER BY timestamp DESC LIMIT 1", 1);

    assert_int_equal(hint.shape, HINT_TOP);
    assert_non_null(strstr(hint.sqlalchemy, ".order_by(DialogMessage.timestamp.desc()).limit("));
    assert_non_null(strstr(hint.sqlalchemy, ".lateral()"));
    assert_non_null(strstr(hint.django, "order_by(\"-timestamp\")"));
    assert_non_null(strstr(hint.rails, "LEFT JOIN LATERAL"));
}

/* The key is of another table than the first, and the statement reads two. */
static void
joins_and_keys_name_their_own_tables(void **state)
{
    static const char joined[] =
        "SELECT a.id, d.id, k.doc_id FROM assistants a LEFT JOIN dialogs d ON d.assistant_id = a.id"
        " JOIN user_knowledge k ON k.user_id = a.user_id";
    struct ctx *ctx = *state;
    struct hint hint;

    hint_write(ctx->arena, joined, 1,
        "SELECT text FROM dialog_messages WHERE dialog_id = $1 ORDER BY timestamp DESC, id DESC LIMIT 1",
        1, &hint);
    assert_non_null(strstr(hint.sqlalchemy, "DialogMessage.dialog_id == Dialog.id"));
    assert_non_null(strstr(
        hint.sqlalchemy, ".order_by(DialogMessage.timestamp.desc(), DialogMessage.id.desc())"));
    assert_non_null(strstr(hint.django, "Dialog.objects"));
    assert_non_null(strstr(hint.django, "order_by(\"-timestamp\", \"-id\")"));
    assert_non_null(strstr(hint.rails, "dialog_id = dialogs.id"));
    assert_non_null(strstr(hint.rails, "ORDER BY timestamp DESC, id DESC"));

    hint_write(ctx->arena, joined, 2, "SELECT filename FROM documents WHERE id = $1", 1, &hint);
    assert_string_equal(
        hint.sqlalchemy, "select(UserKnowledge).options(joinedload(UserKnowledge.doc))");
    assert_string_equal(hint.django, "UserKnowledge.objects.select_related(\"doc\")");

    hint_write(ctx->arena, joined, 0,
        "SELECT count(*) FROM dialog_messages m JOIN dialogs AS d ON d.id = m.dialog_id"
        " WHERE d.assistant_id = $1 AND m.sender = 'user'",
        1, &hint);
    assert_string_equal(hint.table, "dialog_messages");
    assert_non_null(strstr(hint.sqlalchemy,
        ".select_from(DialogMessage).join(Dialog, Dialog.id == DialogMessage.dialog_id)"));
    assert_non_null(strstr(hint.sqlalchemy, ".group_by(Dialog.assistant_id)"));
    assert_non_null(strstr(hint.sqlalchemy, "sub.c.key == Assistant.id"));
    assert_non_null(strstr(hint.django, "DialogMessage.objects.filter(dialog__assistant_id="));
    assert_non_null(
        strstr(hint.rails, "DialogMessage.joins(:dialog).where(dialogs: { assistant_id: keys })"
                           ".group(\"dialogs.assistant_id\").count"));
    assert_non_null(strstr(hint.rails, "the other conditions"));
}

static void
what_is_not_understood_gets_the_statement_itself(void **state)
{
    static const char *const texts[] = {
        "SELECT f($1)",
        "SELECT a FROM t WHERE k = $1 UNION SELECT a FROM u WHERE k = $1",
        "SELECT sender, count(*) FROM m WHERE k = $1 GROUP BY sender",
        "this is no SQL",
        "",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct hint hint = hint_of(*state, texts[i], 1);

        assert_int_equal(hint.shape, HINT_OTHER);
        assert_non_null(hint.sqlalchemy);
        assert_non_null(hint.plain);
    }
}

static void
a_loop_without_a_parent_has_advice_too(void **state)
{
    struct ctx *ctx = *state;
    struct hint hint;

    hint_write(ctx->arena, NULL, -1, "SELECT * FROM categories WHERE parent_id = $1", 1, &hint);
    assert_string_equal(hint.django, "Parent.objects.prefetch_related(\"categories\")");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(a_row_by_its_own_key_is_joined),
        test_with_ctx(rows_that_belong_to_each_are_fetched_in_one_more),
        test_with_ctx(counts_are_grouped),
        test_with_ctx(the_first_rows_of_each_are_lateral),
        test_with_ctx(joins_and_keys_name_their_own_tables),
        test_with_ctx(what_is_not_understood_gets_the_statement_itself),
        test_with_ctx(a_loop_without_a_parent_has_advice_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
