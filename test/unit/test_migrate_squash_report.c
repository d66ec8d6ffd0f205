#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/process.h"
#include "migrate/squash/squash.h"

/* A result that holds what other people wrote: it must stay text on the page and in Markdown. */
static const char hostile[] = "<script>document.title='x'</script> `a` | **b** [c](http://d)";

struct sample {
    struct analysis analysis;
    struct replayed old;
    struct seeds seeds;
    struct squash_plan plan;
    struct squash_files files;
    struct squash_proof proof;
    struct squash_drift drift;
    struct squash_database databases[3];
    struct squash_place place;
    struct squash_result result;
};

static struct squash_file new_files[] = {
    { .name = "0001_tables.py", .id = "n1", .title = "tables", .operations = 3, .statements = 1 },
    { .name = "0002_indexes.py",
        .id = "head<1>",
        .down = "n1",
        .title = "indexes",
        .operations = 2 },
};

static struct sample *
sample_new(struct ctx *ctx)
{
    struct sample *sample = ARENA_NEW(ctx->arena, struct sample);
    const struct squash_data backfill = { .revision = "b2",
        .place = { .file = "versions/b2.py", .line = 12 },
        .sql = hostile,
        .tag = "UPDATE 0" };
    const struct squash_data filled = { .revision = "c3", .sql = "INSERT", .tag = "x", .rows = 3 };
    const struct seed_table plans = { .schema = "public", .name = "plans", .rows = 3 };
    struct squash_group group = { .slug = "tables", .title = "tables", .has_seeds = true };

    for (size_t i = 0; i < 2; i++)
        VEC_PUSH(ctx->arena, &group.objects, (struct ddl_ref){ .class = SCHEMA_tables });
    VEC_PUSH(ctx->arena, &group.objects, (struct ddl_ref){ .class = SCHEMA_policies });
    VEC_PUSH(ctx->arena, &sample->plan.groups, group);
    VEC_PUSH(ctx->arena, &sample->old.data, backfill);
    VEC_PUSH(ctx->arena, &sample->old.data, filled);
    VEC_PUSH(ctx->arena, &sample->seeds.tables, plans);
    sample->files = (struct squash_files){ .items = new_files, .count = COUNT_OF(new_files) };
    sample->proof = (struct squash_proof){
        .old_revisions = 45,
        .new_revisions = 2,
        .old_statements = 400,
        .new_statements = 100,
        .old_server_us = 800000,
        .new_server_us = 200000,
        .old_alembic_us = 3000000,
        .new_alembic_us = 1500000,
        .compared = { [SCHEMA_tables] = 30, [SCHEMA_indexes] = 1 },
        .compared_tables_with_rows = 1,
        .compared_rows = 3,
        .is_dump_equal = true,
        .old_digest = "aa",
        .new_digest = "aa",
        .old_tree = "bb",
        .new_tree = "cc",
        .server_version = "15.20",
        .alembic_version = "1.8.1",
    };
    text_list_add(ctx->arena, &sample->proof.not_compared, "publications");
    sample->drift = (struct squash_drift){ .label = "app @ db", .server_version = "15.20" };
    sample->databases[0] = (struct squash_database){ .label = "app @ db", .is_at_head = true };
    sample->databases[1] =
        (struct squash_database){ .label = "old @ db", .is_known = true, .todo = "pgmend x" };
    sample->databases[2] = (struct squash_database){ .label = "odd @ db", .todo = "find out" };
    sample->place = (struct squash_place){ .folder = "m/versions", .archive = "m/archive/head" };
    sample->result = (struct squash_result){ .analysis = &sample->analysis,
        .old = &sample->old,
        .plan = &sample->plan,
        .seeds = &sample->seeds,
        .files = &sample->files,
        .proof = &sample->proof,
        .drift = &sample->drift,
        .databases = sample->databases,
        .database_count = COUNT_OF(sample->databases),
        .place = &sample->place };
    return sample;
}

static const char *
render(struct ctx *ctx, const struct squash_result *result, bool as_html)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    const char *copy;

    if (as_html)
        squash_report_html(ctx, out, result);
    else
        squash_report_markdown(ctx->arena, out, result);
    fclose(out);
    copy = arena_strdup(ctx->arena, text);
    free(text);
    return copy;
}

#define assert_has(text, part)                                 \
    do {                                                       \
        if (!strstr((text), (part)))                           \
            fail_msg("\"%s\" is not in:\n%s", (part), (text)); \
    } while (0)

#define assert_lacks(text, part)                           \
    do {                                                   \
        if (strstr((text), (part)))                        \
            fail_msg("\"%s\" is in:\n%s", (part), (text)); \
    } while (0)

static void
says_what_was_found(void **state)
{
    struct ctx *ctx = *state;
    const struct sample *sample = sample_new(ctx);
    const char *text = render(ctx, &sample->result, false);

    assert_has(text, "# Consolidation of m/versions\n");
    assert_has(text, "45 revisions");
    assert_has(text, "| `n1` | `0001_tables.py` | tables | 3 + 1 | 2 tables, 1 policy, rows |");
    assert_has(text, "| catalogues | 30 tables, 1 index | no difference |");
    assert_has(text, "| rows | 3 rows in 1 table, by checksum of each table; 0 sequences | no");
    assert_has(text, "| statements | 400 | 100 | 0.25 × |");
    assert_has(text, "| time of the server | 800 ms | 200 ms | 0.25 × |");
    assert_has(text, "| `public.plans` | 3 | none |");
    assert_has(text, "| `b2`, `versions/b2.py:12` |");
    assert_lacks(text, "INSERT");
    assert_has(text, "It has exactly what the history makes.");
    assert_has(text, "| `app @ db` | no revision | nothing: it is at head |");
    assert_has(text, "| `old @ db` | no revision | first `pgmend x` |");
    assert_has(text, "| `odd @ db` | no revision | find out |");
    assert_has(text, "Not compared: publications.");
    assert_has(text, "```sql\npgmend migrations consolidate --undo m/versions\n```\n");
}

static void
says_what_differs(void **state)
{
    struct ctx *ctx = *state;
    struct sample *sample = sample_new(ctx);
    struct difference difference = { .kind = DIFFERENCE_CHANGED,
        .class = SCHEMA_columns,
        .identity = "public.t.c",
        .attribute = "default_text",
        .found = NULL,
        .wanted = "0" };
    const char *text;
    json_t *json;

    text_list_add(ctx->arena, &difference.statements, "ALTER TABLE public.t SET ```` x");
    VEC_PUSH(ctx->arena, &sample->proof.differences, difference);
    sample->proof.is_dump_equal = false;
    sample->proof.dump_difference = "line 7";
    sample->result.place = NULL;
    text = render(ctx, &sample->result, false);
    assert_has(text, "they are not the same. No file was put in place.");
    assert_has(text, "| 1 difference |");
    assert_has(text, "| `line 7` |");
    assert_has(text, "`````sql\nALTER TABLE public.t SET ```` x;\n`````\n");
    assert_has(text, "## Not put in place\n");
    assert_lacks(text, "nothing differs");
    assert_has(render(ctx, &sample->result, true), "<span class=\"figure error\">different</span>");

    json = squash_report_json(ctx->arena, &sample->result);
    assert_true(json_is_false(json_object_get(json, "is_in_place")));
    assert_true(json_is_false(json_object_get(json_object_get(json, "proof"), "is_good")));
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(json, "proof"), "differences")), 1);
    json_decref(json);
}

static void
texts_of_others_stay_text(void **state)
{
    struct ctx *ctx = *state;
    struct sample *sample = sample_new(ctx);
    const char *text;

    text_list_add(ctx->arena, &sample->result.undecided, hostile);
    sample->place.folder = hostile;
    text = render(ctx, &sample->result, false);
    assert_has(text, "# Consolidation of \\<script\\>");
    assert_has(text, "- `<script>document.title='x'</script> 'a' | **b** [c](http://d)`\n");
    assert_has(text, "'a' \\| **b** [c](http://d)` | `UPDATE 0` |");
    text = render(ctx, &sample->result, true);
    assert_lacks(text, "<script");
    assert_has(text, "&lt;script&gt;");
    assert_has(text, "<code>head&lt;1&gt;</code>");
}

/* The page is well-formed as XML is, apart from what HTML leaves open in its head. */
static void
every_tag_is_closed(void **state)
{
    struct ctx *ctx = *state;
    const struct sample *sample = sample_new(ctx);
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "page.html");
    const char *text = render(ctx, &sample->result, true);
    static const char script[] =
        "import html.parser, sys\n"
        "class Page(html.parser.HTMLParser):\n"
        "    open = []\n"
        "    def handle_starttag(self, tag, attrs):\n"
        "        if tag not in ('meta', 'br', 'link'):\n"
        "            self.open.append(tag)\n"
        "        assert not any(name in ('src', 'href') for name, _ in attrs), attrs\n"
        "    def handle_endtag(self, tag):\n"
        "        assert self.open.pop() == tag, (tag, self.getpos())\n"
        "page = Page()\n"
        "page.feed(open(sys.argv[1], encoding='utf-8').read())\n"
        "assert not page.open, page.open\n";
    const char *const argv[] = { "python3", "-c", script, path, NULL };
    const struct process_options options = { .argv = argv };
    struct process process;

    assert_true(file_write(ctx, path, text, strlen(text), 0600));
    if (!process_run(ctx, &options, &process))
        fail_msg("%s: %s", ctx->error.message, ctx->error.detail ? ctx->error.detail : "");
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(says_what_was_found),
        test_with_ctx(says_what_differs),
        test_with_ctx(texts_of_others_stay_text),
        test_with_ctx(every_tag_is_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
