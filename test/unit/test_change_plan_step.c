/* Plans with steps as JSON: what is written is read again, and what does not fit is refused. */
#include "support/test.h"

#include <math.h>

#include "change/plan_part.h"

struct sample {
    struct arena *arena;
    struct ctx ctx;
    struct change changes[3];
    struct plan_step steps[3];
    struct plan plan;
};

static struct change
index_on(const char *name)
{
    return (struct change){ .kind = KIND_INDEX,
        .schema = "public",
        .table = "t",
        .table_oid = 16384,
        .name = name,
        .statement = "CREATE INDEX CONCURRENTLY x ON public.t USING btree (a)",
        .undo = "DROP INDEX CONCURRENTLY public.x",
        .definition = "USING btree (a)",
        .lock = "ShareUpdateExclusiveLock",
        .blocks = "nobody",
        .source = "a.sql:1",
        .action = ACTION_CREATE };
}

static struct plan_step
step_of(const char *id, int32_t phase, size_t first, size_t count)
{
    return (struct plan_step){ .id = id,
        .phase = phase,
        .title = "a step",
        .feature = "index",
        .gain_ratio = NAN,
        .risk = "low",
        .first = first,
        .count = count,
        .manual = count == 0 ? "do it" : NULL,
        .undo_us = -1,
        .shape = "0" };
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct sample *sample = ARENA_NEW(arena, struct sample);

    *sample = (struct sample){ .arena = arena, .ctx = { .arena = arena } };
    sample->changes[0] = index_on("x");
    sample->changes[1] = index_on("y");
    sample->changes[2] = index_on("z");
    sample->steps[0] = step_of("1.1", 1, 0, 2);
    sample->steps[1] = step_of("1.2", 1, 2, 0);
    sample->steps[2] = step_of("3.1", 3, 2, 1);
    sample->steps[0].gain_ratio = .25;
    sample->steps[0].promise = "faster";
    sample->steps[0].proof = "{\"kind\": \"index\"}";
    sample->steps[2].needs = "1.1";
    sample->plan = (struct plan){ .items = sample->changes,
        .count = 3,
        .shape = "1",
        .database = "d",
        .server_version = "15",
        .created_at = "2026-01-01T00:00:00Z" };
    sample->plan.steps.items = sample->steps;
    sample->plan.steps.count = 3;
    *state = sample;
    return 0;
}

static int
tear_down(void **state)
{
    struct sample *sample = *state;

    arena_free(sample->arena);
    return 0;
}

static bool
read_again(struct sample *sample, struct plan *ret)
{
    sample->plan.hash = plan_digest(&sample->ctx, &sample->plan);

    json_t *json CLEANUP(json_release) = plan_json(&sample->plan);

    return plan_from_json(&sample->ctx, json, ret);
}

static void
what_is_written_is_read_again(void **state)
{
    struct sample *sample = *state;
    struct plan plan;

    assert_true(read_again(sample, &plan));
    assert_int_equal(plan.steps.count, 3);
    assert_string_equal(plan.steps.items[0].promise, "faster");
    assert_true(plan.steps.items[0].gain_ratio > .24 && plan.steps.items[0].gain_ratio < .26);
    assert_true(isnan(plan.steps.items[1].gain_ratio));
    assert_string_equal(plan.steps.items[1].manual, "do it");
    assert_int_equal(plan.steps.items[1].undo_us, -1);
    assert_string_equal(plan.steps.items[2].needs, "1.1");
    assert_int_equal(plan.steps.items[2].first, 2);
    assert_int_equal(plan.steps.items[2].phase, 3);
    assert_string_equal(plan_step_of(&plan, 1)->id, "1.1");
    assert_string_equal(plan_step_of(&plan, 2)->id, "3.1");
    assert_null(plan_step_of(&plan, 3));
    assert_ptr_equal(plan_step_find(&plan, "1.2"), &plan.steps.items[1]);
    assert_null(plan_step_find(&plan, "1.3"));
}

static void
only_steps_need_the_second_format(void **state)
{
    struct sample *sample = *state;
    struct plan plan;
    json_t *json CLEANUP(json_release) = NULL;

    sample->plan.hash = plan_digest(&sample->ctx, &sample->plan);
    json = plan_json(&sample->plan);
    assert_string_equal(json_get_text(sample->arena, json, "format", ""), "pgmend-plan-2");
    sample->plan.steps.count = 0;
    assert_true(read_again(sample, &plan));
    assert_int_equal(plan.steps.count, 0);
    json_release(&json);
    json = plan_json(&sample->plan);
    assert_string_equal(json_get_text(sample->arena, json, "format", ""), "pgmend-plan-1");
    assert_null(json_object_get(json, "steps"));
}

static void
phases_have_titles(void **state)
{
    (void)state;
    assert_string_equal(plan_phase_title(1), "Foundation and critical fixes");
    assert_string_equal(plan_phase_title(2), "Vector search");
    assert_string_equal(plan_phase_title(3), "Migrations");
    assert_string_equal(plan_phase_title(4), "Monitoring and scaling");
    assert_string_equal(plan_phase_title(0), "Other");
    assert_string_equal(plan_phase_title(5), "Other");
}

/* What the hash has to notice, each by itself. */
static void
hash_covers_what_is_done_and_promised(void **state)
{
    struct sample *sample = *state;
    struct plan_step *step = &sample->steps[0];
    const char *hash = plan_digest(&sample->ctx, &sample->plan);
    const struct plan_step was = *step;
    const struct {
        const char **member;
        const char *value;
    } texts[] = { { &step->id, "1.9" }, { &step->title, "another" }, { &step->needs, "1.2" },
        { &step->manual, "rm" }, { &step->undo, "rm" }, { &step->promise, "slower" },
        { &step->proof, NULL } };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        *texts[i].member = texts[i].value;
        assert_string_not_equal(plan_digest(&sample->ctx, &sample->plan), hash);
        *step = was;
    }
    step->phase = 2;
    assert_string_not_equal(plan_digest(&sample->ctx, &sample->plan), hash);
    *step = was;
    step->count = 1;
    assert_string_not_equal(plan_digest(&sample->ctx, &sample->plan), hash);
    *step = was;
    step->gain_ratio = .5;
    step->why = "estimates may differ";
    assert_string_equal(plan_digest(&sample->ctx, &sample->plan), hash);
}

static void
refuse(struct sample *sample, const char *why)
{
    assert_false(plan_check_steps(&sample->ctx, &sample->plan));
    assert_error(&sample->ctx, ERR_INPUT, why);
    error_clear(&sample->ctx);
}

static void
steps_that_do_not_fit_are_refused(void **state)
{
    struct sample *sample = *state;
    struct plan_step *steps = sample->steps;

    assert_true(plan_check_steps(&sample->ctx, &sample->plan));
    steps[2].count = 2;
    refuse(sample, "goes beyond the last");
    steps[2].count = SIZE_MAX;
    refuse(sample, "goes beyond the last");
    steps[2].count = 1;
    steps[2].first = 1;
    refuse(sample, "does not begin where");
    steps[2].first = 2;
    steps[2].id = "1.1";
    refuse(sample, "each once");
    steps[2].id = "3.x";
    refuse(sample, "ids are phase and place");
    steps[2].id = "3.1";
    steps[2].needs = "3.1";
    refuse(sample, "does not come before it");
    steps[2].needs = NULL;
    steps[1].manual = NULL;
    refuse(sample, "either changes or words");
    steps[1].manual = "do it";
    steps[0].manual = "both";
    refuse(sample, "either changes or words");
    steps[0].manual = NULL;
    steps[0].phase = 2;
    steps[0].id = "2.1";
    refuse(sample, "stands after phase 2");
    steps[0].phase = 1;
    steps[0].id = "1.1";
    sample->plan.steps.count = 2;
    refuse(sample, "1 changes of the plan belong to no step");
    sample->plan.steps.count = 3;
    sample->plan.proof = "{}";
    refuse(sample, "has its proofs in the steps");
}

static void
edited_plan_is_refused(void **state)
{
    struct sample *sample = *state;
    struct plan plan;

    sample->plan.hash = plan_digest(&sample->ctx, &sample->plan);
    sample->steps[1].manual = "rm -rf /";

    json_t *json CLEANUP(json_release) = plan_json(&sample->plan);

    assert_false(plan_from_json(&sample->ctx, json, &plan));
    assert_error(&sample->ctx, ERR_VERIFICATION, "altered after pgmend wrote it");
}

#define test_plan(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_plan(what_is_written_is_read_again),
        test_plan(only_steps_need_the_second_format),
        test_plan(phases_have_titles),
        test_plan(hash_covers_what_is_done_and_promised),
        test_plan(steps_that_do_not_fit_are_refused),
        test_plan(edited_plan_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
