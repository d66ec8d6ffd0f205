/* Findings: collected, counted, sorted. */
#include "support/test.h"

#include "finding/finding.h"

static const struct rule late = { .id = "z-rule", .severity = SEVERITY_ERROR };
static const struct rule early = { .id = "a-rule", .severity = SEVERITY_ADVICE };

static void
test_takes_severity_and_message(void **state)
{
    struct ctx *ctx = *state;
    struct findings findings = { .arena = ctx->arena };
    struct finding *finding =
        finding_add(&findings, &late, (struct place){ "a.py", 3, 5, 4 }, "%s %d", "no", 7);

    finding_evidence(&findings, finding, "sqlstate", "42P07");
    finding_related(&findings, finding, (struct place){ .file = "b.py" }, "created here");
    assert_int_equal(findings.count, 1);
    assert_int_equal(finding->severity, SEVERITY_ERROR);
    assert_string_equal(finding->message, "no 7");
    assert_string_equal(finding->place.file, "a.py");
    assert_null(finding->silenced);
    assert_string_equal(finding->evidence.items[0].value, "42P07");
    assert_string_equal(finding->related.items[0].what, "created here");
}

static void
test_counts_what_is_not_silenced(void **state)
{
    struct ctx *ctx = *state;
    struct findings findings = { .arena = ctx->arena };

    finding_add(&findings, &late, (struct place){ 0 }, "1");
    finding_add(&findings, &late, (struct place){ 0 }, "2")->silenced = "known";
    finding_add(&findings, &late, (struct place){ 0 }, "3")->severity = SEVERITY_WARNING;
    finding_add(&findings, &early, (struct place){ 0 }, "4");
    assert_int_equal(findings_count(&findings, SEVERITY_ERROR), 1);
    assert_int_equal(findings_count(&findings, SEVERITY_WARNING), 2);
    assert_int_equal(findings_count(&findings, SEVERITY_ADVICE), 3);
}

static void
test_sorts_by_place_then_severity_then_rule(void **state)
{
    static const struct rule middle = { .id = "m-rule", .severity = SEVERITY_ERROR };
    static const char *const wanted[] = { "no file", "a:2", "b:9", "b:10:1", "b:10:2 error m",
        "b:10:2 error z", "b:10:2 advice" };
    struct ctx *ctx = *state;
    struct findings findings = { .arena = ctx->arena };

    finding_add(&findings, &early, (struct place){ "b.py", 10, 2, 0 }, "b:10:2 advice");
    finding_add(&findings, &late, (struct place){ "b.py", 10, 2, 0 }, "b:10:2 error z");
    finding_add(&findings, &late, (struct place){ "b.py", 9, 7, 0 }, "b:9");
    finding_add(&findings, &middle, (struct place){ "b.py", 10, 2, 0 }, "b:10:2 error m");
    finding_add(&findings, &late, (struct place){ "b.py", 10, 1, 0 }, "b:10:1");
    finding_add(&findings, &late, (struct place){ "a.py", 2, 1, 0 }, "a:2");
    finding_add(&findings, &late, (struct place){ 0 }, "no file");
    findings_sort(&findings);
    for (size_t i = 0; i < findings.count; i++)
        assert_string_equal(findings.items[i].message, wanted[i]);
}

static void
test_names_of_severities(void **state)
{
    (void)state;
    assert_string_equal(severity_name(SEVERITY_ADVICE), "advice");
    assert_string_equal(severity_name(SEVERITY_WARNING), "warning");
    assert_string_equal(severity_name(SEVERITY_ERROR), "error");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_takes_severity_and_message),
        test_with_ctx(test_counts_what_is_not_silenced),
        test_with_ctx(test_sorts_by_place_then_severity_then_rule),
        test_with_ctx(test_names_of_severities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
