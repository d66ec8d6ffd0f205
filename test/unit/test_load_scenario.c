/* Scenario files: what they mean, and that each mistake is told with its line and what to do. */
#include "support/test.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "load/scenario/scope.h"
#include "load/scenario/world.h"
#include "replyx/jwt.h"

static const char secret[] = "0123456789abcdef0123456789abcdef";

static const char *
write_file(struct ctx *ctx, const char *folder, const char *name, const char *text)
{
    const char *path = file_join(ctx->arena, folder, name);

    assert_true(file_write(ctx, path, text, strlen(text), 0600));
    return path;
}

static bool
read_text(struct ctx *ctx, const char *folder, const char *text, const char *define,
    struct load_scenario *ret)
{
    struct load_scenario_options options = { .needs_values = true };

    if (define)
        text_list_add(ctx->arena, &options.defines, define);
    error_clear(ctx);
    return load_scenario_read(ctx, write_file(ctx, folder, "x.ini", text), &options, ret);
}

static struct load_scenario
must_read(struct ctx *ctx, const char *folder, const char *text, const char *define)
{
    struct load_scenario scenario;

    if (!read_text(ctx, folder, text, define, &scenario))
        fail_msg("%s (%s)", ctx->error.message, ctx->error.hint ? ctx->error.hint : "");
    return scenario;
}

static const char *
write_out(struct ctx *ctx, const struct load_template *template, struct load_scope *scope)
{
    struct buffer buffer = { .arena = ctx->arena };

    if (!load_template_write(template, scope, &buffer))
        fail_msg("%s", load_scope_problem(scope));
    return buffer_text(&buffer);
}

static void
files_of_the_reference_application_are_read(void **state)
{
    static const char *const names[] = { "plan", "health", "stats", "sql" };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *path =
            test_source(ctx, arena_printf(ctx->arena, "replyx/load/%s.ini", names[i]));
        const struct load_scenario_options options = { .scale = 1 };
        struct load_scenario scenario;

        if (!load_scenario_read(ctx, path, &options, &scenario))
            fail_msg("%s (%s)", ctx->error.message, ctx->error.hint ? ctx->error.hint : "");
        assert_string_equal(scenario.name, names[i]);
        assert_true(scenario.users > 0);
        /* The plan's own numbers: 10,000 users and 1,000 bots. */
        if (i == 0)
            assert_int_equal(scenario.users, 11000);
    }
}

static const char whole[] = "; all that there is\n"
                            "[defaults]\n"
                            "users = 40\n"
                            "far = 127.0.0.1:81\n"
                            "[scenario]\n"
                            "about = two\n"
                            "  lines\n"
                            "target = ${far}\n"
                            "ramp_up = 2s\n"
                            "warm_up = 500ms\n"
                            "duration = 1m\n"
                            "limit = 3\n"
                            "[request sign_in]\n"
                            "path = /login?next=${'a b/c'}\n"
                            "header = X-Number: ${user_number}\n"
                            "header = Accept: */*\n"
                            "body = {\"name\": \"${'say \"hi\"'}\",\n"
                            "  \"sum\": ${1 + 2}, \"plain\": $${x}}\n"
                            "expect = 200, 201\n"
                            "take = token from body data.0.token\n"
                            "take = id from header X-Id\n"
                            "[request stats]\n"
                            "path = /stats/${id}\n"
                            "header = Authorization: Bearer ${token}\n"
                            "[users web]\n"
                            "count = ${users}\n"
                            "think = 5s..15s\n"
                            "start = sign_in\n"
                            "mix = stats 3, sign_in\n"
                            "session = 10m\n"
                            "[users bots]\n"
                            "count = 10\n"
                            "rate = 120/min\n"
                            "burst = 4\n"
                            "steps = sign_in, stats, stats\n"
                            "[goals]\n"
                            "goal = p95 < 200ms\n"
                            "goal = stats.p99 <= 1s\n"
                            "goal = bots.success >= 99.9%\n"
                            "goal = rate > 50\n"
                            "goal = wal_rate < 2MB\n";

static void
assert_groups(const struct load_scenario *scenario)
{
    const struct load_group *web = &scenario->groups[0];
    const struct load_group *bots = &scenario->groups[1];

    assert_int_equal(scenario->users, 50);
    assert_int_equal(web->users, 40);
    assert_int_equal(web->think, THINK_UNIFORM);
    assert_int_equal(web->think_us, 5000000);
    assert_int_equal(web->think_most_us, 15000000);
    assert_int_equal(web->start_count, 1);
    assert_int_equal(web->mix_count, 2);
    assert_int_equal(web->mix[0], 1);
    assert_true(fabs(web->mix_until[0] - 0.75) < 1e-12);
    assert_true(web->mix_until[1] == 1);
    assert_int_equal(web->session_us, 600000000);
    assert_false(web->is_closed);
    assert_true(fabs(bots->rate - 2) < 1e-12);
    assert_true(bots->burst == 4);
    assert_null(bots->mix_until);
    assert_int_equal(bots->mix_count, 3);
}

static void
assert_goals(const struct load_scenario *scenario)
{
    assert_int_equal(scenario->goal_count, 5);
    assert_string_equal(scenario->goals[0].text, "p95 < 200ms");
    assert_null(scenario->goals[0].subject);
    assert_true(scenario->goals[0].limit == 200000);
    assert_true(scenario->goals[0].is_most);
    assert_string_equal(scenario->goals[1].subject, "stats");
    assert_string_equal(scenario->goals[1].measure, "p99");
    assert_int_equal(scenario->goals[1].line, 38);
    assert_false(scenario->goals[2].is_most);
    assert_true(fabs(scenario->goals[2].limit - 0.999) < 1e-12);
    assert_true(scenario->goals[3].limit == 50);
    assert_true(scenario->goals[4].limit == 2 * 1024 * 1024);
}

static void
every_setting_has_its_place(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct load_scenario scenario = must_read(ctx, folder, whole, NULL);
    const struct load_step *step = &scenario.steps[0];
    struct load_scope *scope = load_scope_new(ctx->arena, &scenario, 0, 1);
    struct buffer buffer = { .arena = ctx->arena };

    assert_string_equal(scenario.name, "x");
    assert_string_equal(scenario.about, "two\nlines");
    assert_string_equal(scenario.target, "127.0.0.1:81");
    assert_int_equal(scenario.ramp_up_us, 2000000);
    assert_int_equal(scenario.warm_up_us, 500000);
    assert_int_equal(scenario.duration_us, 60000000);
    assert_int_equal(scenario.limit_us, 3000000);
    assert_groups(&scenario);
    assert_goals(&scenario);

    assert_string_equal(step->method, "POST");
    assert_int_equal(step->expected_count, 2);
    assert_int_equal(step->expected[1], 201);
    assert_int_equal(step->take_count, 2);
    assert_string_equal(step->takes[0].path, "data.0.token");
    assert_string_equal(step->takes[1].header, "X-Id");
    load_scope_begin(scope, step);
    assert_string_equal(write_out(ctx, step->path, scope), "/login?next=a%20b%2Fc");
    assert_string_equal(write_out(ctx, step->headers, scope),
        "X-Number: 1\r\nAccept: */*\r\nContent-Type: application/json\r\n");
    assert_int_equal(step->header_lines, 3);
    assert_string_equal(write_out(ctx, step->body, scope),
        "{\"name\": \"say \\u0022hi\\u0022\",\n\"sum\": 3, \"plain\": ${x}}");

    /* What was taken is there until another person comes; control characters never get into a header. */
    load_scope_begin(scope, &scenario.steps[1]);
    assert_false(load_template_write(scenario.steps[1].headers, scope, &buffer));
    assert_non_null(strstr(load_scope_problem(scope), "\"token\" was not taken"));
    load_scope_take(scope, step->takes[0].slot, "abc", 3);
    assert_string_equal(
        write_out(ctx, scenario.steps[1].headers, scope), "Authorization: Bearer abc\r\n");
    load_scope_take(scope, step->takes[0].slot, "a\r\nX: y", 7);
    assert_false(load_template_write(scenario.steps[1].headers, scope, &buffer));
    assert_non_null(strstr(load_scope_problem(scope), "control characters"));
    load_scope_renew(scope);
    assert_false(load_template_write(scenario.steps[1].headers, scope, &buffer));
    assert_true(file_remove(ctx, folder));
}

static void
defines_and_scale_change_it(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = write_file(ctx, folder, "x.ini", whole);
    struct load_scenario_options options = { .scale = 0.1, .needs_values = true };
    struct load_scenario scenario;

    assert_int_equal(must_read(ctx, folder, whole, "users=7").groups[0].users, 7);
    assert_false(read_text(ctx, folder, whole, "userz=7", &scenario));
    assert_error(ctx, ERR_USAGE, "userz=7");
    assert_string_equal(ctx->error.hint, "Did you mean \"users\"?");
    assert_true(load_scenario_read(ctx, path, &options, &scenario));
    assert_int_equal(scenario.groups[0].users, 4);
    assert_int_equal(scenario.groups[1].users, 1);
    assert_true(fabs(scenario.groups[1].rate - 0.2) < 1e-12);
    assert_true(file_remove(ctx, folder));
}

/* Around one request and one group, so that a mistake is all that is wrong. */
#define HEAD    "[request a]\npath = /\n[users u]\ncount = 1\nthink = 1s\nmix = a\n"
#define REQUEST "[request a]\npath = /\n"
#define USERS   "[users u]\ncount = 1\nthink = 1s\nmix = a\n"

static const struct {
    const char *text;
    int line; /* 0: of the file as a whole */
    const char *message;
    const char *hint;
} mistakes[] = {
    { "", 0, "there is no [request NAME]", "path = /health" },
    { REQUEST, 0, "there is no [users NAME]", "count = 100" },
    { HEAD "[scenarios]\n", 7, "there is no section [scenarios]", "Did you mean [scenario]?" },
    { HEAD "[scenario]\nramp-up = 1s\n", 8, "no setting \"ramp-up\"", "Did you mean \"ramp_up\"?" },
    { HEAD "[scenario]\nkind = htpp\n", 8, "neither http nor sql", NULL },
    { HEAD "[scenario]\nduration = 10 seconds\n", 8, "no time", "10m" },
    { HEAD "[scenario]\nduration = 0\n", 8, "above 0", NULL },
    { HEAD "[scenario]\nduration = 5h\n", 8, "no time from 0 to 4h", NULL },
    { HEAD "[scenario]\nduration = 3h\nwarm_up = 2h\n", 7, "more than 4h", NULL },
    { HEAD "[scenario]\nduration = 1s\nduration = 2s\n", 9, "in line 8 already", "Remove one" },
    { HEAD "[scenario]\nduration =\n", 8, "has no value", NULL },
    { HEAD "[scenario]\nduration = ${nosuch}\n", 8, "nothing defines \"nosuch\"", "constants" },
    { HEAD "[scenario]\nname = a\n  limit = 3s\n", 8, "several lines", "white space" },
    { "limit = 3\n" HEAD, 1, "stands in no section", "[scenario]" },
    { HEAD REQUEST, 7, "[request a] is in line 1 already", NULL },
    { HEAD "[goals x]\n", 7, "has a name, and needs none", "[goals]" },
    { "[request]\n" USERS, 1, "[request] has no name", "[request health]" },
    { "[request a-b]\npath = /\n", 1, "\"a-b\" is no name", "letters" },
    { "[request a]\nbody = x\n", 1, "has no path", "/health" },
    { "[request a]\npath = stats\n", 2, "begin with \"/\"", "target" },
    { "[request a]\npath = /a b\n" USERS, 1, "holds a blank", "%20" },
    { "[request a]\npath = /${b}\n" USERS, 2, "nothing defines \"b\"", "-D b=VALUE" },
    { "[request a]\npath = /${1\n" USERS, 2, "the \"}\"", "$${" },
    { "[request a]\npath = /${1 / 0}\n" USERS, 2, "division by zero", NULL },
    { "[request a]\npath = /${nix.id}\n" USERS, 2, "nothing defines \"nix.id\"",
        "section [values nix]" },
    { "[request a]\npath = /\nmethod = get\n", 3, "method = get", "GET" },
    { "[request a]\npath = /\nmethod = GET\nbody = x\n", 4, "has no body", NULL },
    { "[request a]\npath = /\nheader = X\n", 3, "no header", "Name: value" },
    { "[request a]\npath = /\nheader = host: x\n", 3, "written by pgmend itself", NULL },
    { "[request a]\npath = /\nexpect = 200, ok\n", 3, "\"ok\" is no status", "404" },
    { "[request a]\npath = /\ntake = token\n", 3, "take = token", "from body" },
    { "[request a]\npath = /\nsql = SELECT 1\n", 3, "no setting \"sql\"", NULL },
    { "[request a]\npath = /${t}\n[request b]\npath = /\ntake = t from body t\n[users u]\ncount = 1\n"
      "think = 1s\nsteps = a, b\n",
        1, "names \"t\"", "take = t" },
    { HEAD "[request b]\npath = /\n", 7, "no users make [request b]", "Name it" },
    { REQUEST "[users a]\ncount = 1\nthink = 1s\nmix = a\n", 3, "the name of a request", NULL },
    { REQUEST "[users u]\nthink = 1s\nmix = a\n", 3, "how many", "count = 100" },
    { REQUEST "[users u]\ncount = 0\nthink = 1s\nmix = a\n", 4, "from 1 to 60000", NULL },
    { REQUEST "[users u]\ncount = 70000\n", 4, "from 1 to 60000", NULL },
    { REQUEST "[users u]\ncount = 1\nmix = a\n", 3, "neither think times nor a rate", "closed" },
    { REQUEST "[users u]\ncount = 1\nthink = 1s\n", 3, "what they ask for", "mix" },
    { REQUEST "[users u]\ncount = 1\nthink = fast\nmix = a\n", 5, "think = fast",
        "10s exponential" },
    { REQUEST "[users u]\ncount = 1\nthink = 9s..2s\nmix = a\n", 5, "is the shorter", NULL },
    { REQUEST "[users u]\ncount = 1\nthink = 1s\nmix = b\n", 6, "no [request b]",
        "Requests are: a." },
    { REQUEST "[users u]\ncount = 1\nthink = 1s\nmix = a -1\n", 6, "no weight above 0", NULL },
    { REQUEST "[users u]\ncount = 1\nthink = 1s\nmix = a, a\n", 6, "there twice", NULL },
    { REQUEST "[users u]\ncount = 1\nthink = 1s\nmix = a\nsteps = a\n", 7, "both a mix and", NULL },
    { REQUEST "[users u]\ncount = 1\nrate = 5\nthink = 1s\nmix = a\n", 6, "both a rate and", NULL },
    { REQUEST "[users u]\ncount = 1\nrate = 5/h\nmix = a\n", 5, "no rate above 0", "30/min" },
    { REQUEST "[users u]\ncount = 1\nrate = 200000/s\nmix = a\n", 5, "the most are 100000", NULL },
    { REQUEST "[users u]\ncount = 1\nrate = 2\nloop = closed\nmix = a\n", 5, "closed loop", NULL },
    { REQUEST "[users u]\ncount = 1\nthink = 1s\nburst = 2\nmix = a\n", 6, "without a rate", NULL },
    { REQUEST "[users u]\ncount = 1\nthink = 1s\nloop = both\nmix = a\n", 6, "neither open",
        "open:" },
    { REQUEST "[users u]\ncount = 50000\nthink = 10ms\nmix = a\n", 0, "5000000 requests a second",
        "think" },
    { HEAD "[values v]\npick = own\n", 7, "where they are", "query" },
    { HEAD "[values v]\nrange = 5\n", 8, "no range", "1..1000" },
    { HEAD "[values v]\nrange = 5..1\n", 8, "empty", NULL },
    { HEAD "[values v]\nrange = 1..5\npick = zipf\n", 9, "no way to draw", "zipf 1.1" },
    { HEAD "[values v]\nrange = 1..5\nfile = x.csv\n", 9, "in line 8 already", NULL },
    { HEAD "[values v]\nfile = nosuch.csv\n", 8, "nosuch.csv", NULL },
    { HEAD "[values v]\nfile = empty.csv\n", 8, "has no rows", NULL },
    { HEAD "[values v]\nfile = good.csv\nmatch = x = 1\n", 9, "no column \"x\"", "id, name" },
    { "[values v]\nfile = good.csv\n[request a]\npath = /${v.nam}\n" USERS, 4, "no column \"nam\"",
        "id, name" },
    { "[values v]\nfile = good.csv\n[request a]\npath = /${v}\n" USERS, 4, "several columns",
        "v.id" },
    { HEAD "[goals]\ngoal = p95\n", 8, "says no limit", "200ms" },
    { HEAD "[goals]\ngoal = p95 < 200\n", 8, "\"200\" is no limit", "200ms" },
    { HEAD "[goals]\ngoal = errors < 5\n", 8, "\"5\" is no limit", "99.9%" },
    { HEAD "[goals]\ngoal = p96 < 5ms\n", 8, "no measure \"p96\"", "Did you mean" },
    { HEAD "[goals]\ngoal = b.p95 < 5ms\n", 8, "neither a request nor a group \"b\"", NULL },
    { HEAD "[secrets]\nkey = nosuch\n", 8, "could not look at", NULL },
    { HEAD "[secrets]\nkey = open\n", 8, "others than its owner", "chmod 600" },
    { "[secrets]\nkey =\n[request a]\npath = /${jwt(key, 1)}\n" USERS, 4, "has no file", NULL },
};

static void
each_mistake_has_its_line_and_a_remedy(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);

    write_file(ctx, folder, "empty.csv", "id,name\n");
    write_file(ctx, folder, "good.csv", "id,name\n1,a\n");
    assert_int_equal(chmod(write_file(ctx, folder, "open", secret), 0644), 0);
    for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
        const char *place =
            mistakes[i].line ? arena_printf(ctx->arena, "x.ini:%d: ", mistakes[i].line) : "x.ini: ";
        struct load_scenario scenario;

        if (read_text(ctx, folder, mistakes[i].text, NULL, &scenario))
            fail_msg("not refused:\n%s", mistakes[i].text);
        if (ctx->error.kind != ERR_CONFIG || !strstr(ctx->error.message, place) ||
            !strstr(ctx->error.message, mistakes[i].message))
            fail_msg("\"%s\" for:\n%s", ctx->error.message, mistakes[i].text);
        if (mistakes[i].hint && (!ctx->error.hint || !strstr(ctx->error.hint, mistakes[i].hint)))
            fail_msg("hint \"%s\" for:\n%s", ctx->error.hint ? ctx->error.hint : "none",
                mistakes[i].text);
    }
    assert_true(file_remove(ctx, folder));
}

static void
commas_and_quotes_are_read(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } bad[] = {
        { "a,b\n1\n", "v.csv:2: the line has 1 fields, and the header 2" },
        { "a\n\"x\n\ny\n", "v.csv:2: the quote at the end" },
        { "a\nx\"y\n", "v.csv:2: a quote stands within" },
        { "a\n\"x\"y\n", "v.csv:2: something stands between" },
        { "a,a\n1,2\n", "two columns are called \"a\"" },
    };
    static const char text[] = "[values v]\nfile = v.csv\npick = in turn\n[request a]\n"
                               "path = /${v.id}\nbody = ${v.text}\n" USERS;
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct load_scenario scenario;

    write_file(ctx, folder, "v.csv", "id,text\r\n1,\"a, \"\"b\"\"\nc\"\r\n2,\r\n");
    scenario = must_read(ctx, folder, text, NULL);

    struct load_scope *scope = load_scope_new(ctx->arena, &scenario, 0, 1);

    for (int i = 0; i < 2; i++) {
        load_scope_begin(scope, &scenario.steps[0]);
        assert_string_equal(write_out(ctx, scenario.steps[0].path, scope), "/1");
        assert_string_equal(write_out(ctx, scenario.steps[0].body, scope), "a, \"b\"\nc");
        load_scope_begin(scope, &scenario.steps[0]);
        assert_string_equal(write_out(ctx, scenario.steps[0].body, scope), "");
        assert_string_equal(write_out(ctx, scenario.steps[0].path, scope), "/2");
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        write_file(ctx, folder, "v.csv", bad[i].text);
        assert_false(read_text(ctx, folder, text, NULL, &scenario));
        assert_error(ctx, ERR_CONFIG, bad[i].message);
    }
    assert_true(file_remove(ctx, folder));
}

/* Each user has a row of his own, another one after him, and only what belongs to it. */
static void
users_own_rows_and_what_belongs_to_them(void **state)
{
    static const char text[] = "[values users]\nfile = users.csv\npick = own\n"
                               "[values things]\nfile = things.csv\nmatch = owner = users.id\n"
                               "pick = zipf 1.5\n"
                               "[request a]\npath = /${users.id}/${things.id}/${things.owner}\n"
                               "[users u]\ncount = 3\nthink = 1s\nmix = a\n";
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    int64_t seen[3] = { 0 };
    int64_t first = 0;

    write_file(ctx, folder, "users.csv", "id\n10\n20\n30\n40\n");
    /* Not in order of their owners; 30 has nothing. */
    write_file(ctx, folder, "things.csv", "id,owner\n1,10\n2,20\n3,10\n4,40\n5,10\n6,\n");

    struct load_scenario scenario = must_read(ctx, folder, text, NULL);
    struct load_scope *scopes[3];
    struct buffer buffer = { .arena = ctx->arena };

    for (uint32_t i = 0; i < 3; i++) {
        scopes[i] = load_scope_new(ctx->arena, &scenario, i, 1);
        load_scope_begin(scopes[i], &scenario.steps[0]);
    }
    assert_string_equal(write_out(ctx, scenario.steps[0].path, scopes[1]), "/20/2/20");
    assert_false(load_template_write(scenario.steps[0].path, scopes[2], &buffer));
    assert_non_null(strstr(load_scope_problem(scopes[2]), "[values things] has no row"));
    for (int i = 0; i < 3000; i++) {
        int64_t thing = 0;

        load_scope_begin(scopes[0], &scenario.steps[0]);

        const char *path = write_out(ctx, scenario.steps[0].path, scopes[0]);

        assert_true(text_starts_with(path, "/10/"));
        assert_true(text_ends_with(path, "/10"));
        thing = path[4] - '0';
        assert_true(thing == 1 || thing == 3 || thing == 5);
        seen[thing / 2]++;
        first += thing == 1;
    }
    /* Zipf with 1.5 over three: 1, 2^-1.5, 3^-1.5 of their sum: 0.6468, 0.2287, 0.1245. */
    assert_in_range(first, 3000 * 0.6468 - 150, 3000 * 0.6468 + 150);
    assert_in_range(seen[1], 3000 * 0.2287 - 130, 3000 * 0.2287 + 130);
    assert_true(seen[2] > 0);
    /* The next person has the row behind those of all users: 3 + 0. */
    load_scope_renew(scopes[0]);
    load_scope_begin(scopes[0], &scenario.steps[0]);
    assert_string_equal(write_out(ctx, scenario.steps[0].path, scopes[0]), "/40/4/40");
    assert_true(file_remove(ctx, folder));
}

/* Exponents that pgbench does not have: at most 1. */
static void
zipf_goes_below_one(void **state)
{
    static const double exponents[] = { 0.5, 1.0, 3.0 };
    enum { ROWS = 50, DRAWS = 50000 };
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);

    for (size_t e = 0; e < COUNT_OF(exponents); e++) {
        const char *text = arena_printf(ctx->arena,
            "[values v]\nrange = 1..%d\npick = zipf %g\n[request a]\npath = /${v}\n" USERS, ROWS,
            exponents[e]);
        struct load_scenario scenario = must_read(ctx, folder, text, NULL);
        struct load_scope *scope = load_scope_new(ctx->arena, &scenario, 0, 7);
        double seen[ROWS + 1] = { 0 };
        double sum = 0;

        for (int i = 1; i <= ROWS; i++)
            sum += pow(i, -exponents[e]);
        for (int i = 0; i < DRAWS; i++) {
            int64_t row;

            load_scope_begin(scope, &scenario.steps[0]);
            assert_true(text_to_int64(write_out(ctx, scenario.steps[0].path, scope) + 1, &row));
            assert_in_range(row, 1, ROWS);
            seen[row]++;
        }
        /* Each within six standard deviations of its binomial distribution. */
        for (int i = 1; i <= ROWS; i++) {
            double share = pow(i, -exponents[e]) / sum;

            assert_true(fabs(seen[i] - share * DRAWS) <= 6 * sqrt(DRAWS * share * (1 - share)) + 1);
        }
    }
    assert_true(file_remove(ctx, folder));
}

static void
tokens_are_those_that_the_application_accepts(void **state)
{
    static const char text[] =
        "[secrets]\nkey = key\n[request a]\n"
        "path = /${jwt(key, 17)}\nbody = ${hmac(key, 'telegram:', 12)}\n" USERS;
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const struct jwt_secret key = { .bytes = secret, .length = strlen(secret) };
    struct jwt_claims claims;

    write_file(ctx, folder, "key", arena_printf(ctx->arena, "%s\n", secret));

    struct load_scenario scenario = must_read(ctx, folder, text, NULL);
    struct load_scope *scope = load_scope_new(ctx->arena, &scenario, 0, 1);

    load_scope_begin(scope, &scenario.steps[0]);

    const char *path = write_out(ctx, scenario.steps[0].path, scope);

    assert_true(jwt_verify(ctx, &key, path + 1, clock_wall_us(), &claims));
    assert_int_equal(claims.user, 17);
    assert_string_equal(write_out(ctx, scenario.steps[0].path, scope), path);
    /* printf 'telegram:12' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef */
    assert_string_equal(write_out(ctx, scenario.steps[0].body, scope),
        "b134c4db52d0ab02d8ae5245327302477232f10112e2a47df145f8e82222bd0c");
    assert_true(file_remove(ctx, folder));
}

static void
a_vector_has_its_numbers_and_unique_never_comes_twice(void **state)
{
    static const char text[] =
        "[request a]\npath = /${unique}\nbody = {\"e\": ${random_vector(1536)}}\n" USERS;
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct load_scenario scenario = must_read(ctx, folder, text, NULL);
    struct load_scope *scope = load_scope_new(ctx->arena, &scenario, 0, 1);
    int64_t numbers[2];
    int commas = 0;

    load_scope_begin(scope, &scenario.steps[0]);

    const char *body = write_out(ctx, scenario.steps[0].body, scope);

    assert_true(text_starts_with(body, "{\"e\": ["));
    assert_true(text_ends_with(body, "]}"));
    for (const char *c = body; *c; c++)
        commas += *c == ',';
    assert_int_equal(commas, 1535);
    for (int i = 0; i < 2; i++)
        assert_true(text_to_int64(write_out(ctx, scenario.steps[0].path, scope) + 1, &numbers[i]));
    assert_true(numbers[0] != numbers[1]);
    assert_true(file_remove(ctx, folder));
}

static void
what_needs_a_database_is_known_without_one(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = write_file(ctx, folder, "q.ini",
        "[values v]\nquery = SELECT 1 AS id\n[request a]\npath = /${v.id}\n" USERS);
    const struct load_scenario_options options = { .needs_values = true };
    struct load_scenario scenario;
    bool asks;

    assert_true(load_scenario_asks_database(ctx, path, &asks));
    assert_true(asks);
    assert_false(load_scenario_read(ctx, path, &options, &scenario));
    assert_error(ctx, ERR_USAGE, "q.ini:2: [values v] asks a database");
    path = file_join(ctx->arena, folder, "missing.ini");
    assert_false(load_scenario_asks_database(ctx, path, &asks));
    assert_error(ctx, ERR_CONFIG, "missing.ini");
    assert_false(load_scenario_read(ctx, path, &options, &scenario));
    assert_error(ctx, ERR_CONFIG, "missing.ini");
    path = write_file(ctx, folder, "sql.ini", "[scenario]\nkind = sql\n");
    assert_true(load_scenario_asks_database(ctx, path, &asks));
    assert_true(asks);
    path = write_file(ctx, folder, "h.ini", HEAD);
    assert_true(load_scenario_asks_database(ctx, path, &asks));
    assert_false(asks);
    assert_true(load_scenario_asks_database(ctx, folder, &asks));
    assert_true(asks);
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(files_of_the_reference_application_are_read),
        test_with_ctx(every_setting_has_its_place),
        test_with_ctx(defines_and_scale_change_it),
        test_with_ctx(each_mistake_has_its_line_and_a_remedy),
        test_with_ctx(commas_and_quotes_are_read),
        test_with_ctx(users_own_rows_and_what_belongs_to_them),
        test_with_ctx(zipf_goes_below_one),
        test_with_ctx(tokens_are_those_that_the_application_accepts),
        test_with_ctx(a_vector_has_its_numbers_and_unique_never_comes_twice),
        test_with_ctx(what_needs_a_database_is_known_without_one),
    };

    return cmocka_run_group_tests_name("load_scenario", tests, NULL, NULL);
}
