#include "support/test.h"

#include <math.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "monitor/setup.h"
#include "monitor/setup_parts.h"

/* Writes the text as a file that only we can read, and reads it as a setup. */
static bool
read_text(struct ctx *ctx, const char *folder, const char *text, struct setup *ret)
{
    const char *path = file_join(ctx->arena, folder, "monitor.ini");

    assert_true(file_write(ctx, path, text, strlen(text), 0600));
    return setup_read(ctx, path, ret);
}

static void
assert_alerts_and_sinks(const struct setup *setup)
{
    assert_int_equal(setup->alerts.count, 3);
    assert_true(fabs(setup->alerts.items[0].threshold - 0.9) < 1e-12);
    assert_int_equal(setup->alerts.items[0].for_us, 120000000);
    assert_string_equal(setup->alerts.items[0].severity, "critical");
    assert_true(setup->alerts.items[1].is_off);
    assert_true(isnan(setup->alerts.items[1].threshold));
    assert_int_equal(setup->alerts.items[1].for_us, -1);
    assert_string_equal(setup->alerts.items[2].metric, "pgmend_pooler_clients_waiting");

    assert_int_equal(setup->sinks.count, 3);
    assert_int_equal(setup->sinks.items[0].kind, SINK_TELEGRAM);
    assert_string_equal(setup->sinks.items[0].token, "123:abc");
    assert_false(setup->sinks.items[0].sends_resolved);
    assert_int_equal(setup->sinks.items[0].group_wait_us, 10000000);
    assert_int_equal(setup->sinks.items[0].repeat_us, INT64_C(4) * 3600 * 1000000);
    assert_string_equal(setup->sinks.items[1].token, "from the environment");
    assert_true(setup->sinks.items[1].allow_private);
    assert_true(setup->sinks.items[1].sends_resolved);
    assert_int_equal(setup->sinks.items[1].group_wait_us, 0);
}

static void
assert_routes_and_windows(const struct setup *setup)
{
    int64_t from;

    assert_int_equal(setup->routes.count, 2);
    assert_int_equal(setup->routes.items[0].sinks.count, 2);
    assert_string_equal(setup->routes.items[0].sinks.items[1], "hook");
    assert_int_equal(setup->routes.items[1].after_us, 900000000);

    assert_int_equal(setup->maintenances.count, 2);
    assert_int_equal(setup->maintenances.items[0].servers.count, 2);
    assert_int_equal(setup->maintenances.items[0].alerts.count, 2);
    assert_true(clock_parse("2026-11-23T22:00:00Z", &from));
    assert_int_equal(setup->maintenances.items[1].from_wall_us, from);
}

static void
all_sections_are_read(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *token = file_join(ctx->arena, folder, "token");
    struct setup setup;

    assert_true(file_write(ctx, token, "123:abc\n", 8, 0600));
    assert_int_equal(setenv("PGMEND_TEST_TOKEN", "from the environment", 1), 0);
    assert_true(read_text(ctx, folder,
        arena_printf(ctx->arena,
            "; a comment\n"
            "[monitor]\ninterval = 10s\nslo = 0.995\n"
            "[server main]\ndb-url = postgresql://app@db/replyx ; trailing\nowner = team a\n"
            "host = off\n"
            "[server bare]\nhost = local\nhost_root = /host\n"
            "[application api]\nurl = http://127.0.0.1:8000/metrics\nserver = main\n"
            "interval = 2s\n"
            "[application web]\nurl = http://127.0.0.1:8001/metrics\n"
            "[alert cpu-busy]\nthreshold = 90%%\nclear = 0.85\nfor = 2m\nseverity = critical\n"
            "[alert deadlocks]\nenabled = off\n"
            "[alert queue]\nmetric = pgmend_pooler_clients_waiting\nthreshold = 100\nfires = above\n"
            "[sink chat]\nkind = telegram\ntoken_file = %s\nto = -100\nresolved = no\n"
            "[sink hook]\nkind = webhook\nurl = https://example.org/hook\n"
            "token_env = PGMEND_TEST_TOKEN\nallow_private = yes\ngroup_wait = 0\nrepeat = 1h\n"
            "[sink wake]\nkind = program\nprogram = /bin/true\n"
            "[route first]\nsinks = chat, hook\nseverity = warning\n"
            "[route later]\nafter = 15m\nsinks = wake\nowner = team a\n"
            "[maintenance sunday]\nweekly = Sun 02:00-04:00\nalerts = cpu-busy, queue\n"
            "servers = main\nservers = bare\n"
            "[maintenance move]\nfrom = 2026-11-23T22:00:00Z\nuntil = 2026-11-24T02:00:00Z\n",
            token),
        &setup));

    assert_int_equal(setup.interval_us, 10000000);
    assert_true(fabs(setup.availability - 0.995) < 1e-12);
    assert_int_equal(setup.servers.count, 2);
    assert_string_equal(setup.servers.items[0].name, "main");
    assert_string_equal(setup.servers.items[0].db_url, "postgresql://app@db/replyx");
    assert_string_equal(setup.servers.items[0].owner, "team a");
    assert_int_equal(setup.servers.items[0].host, HOST_OFF);
    assert_string_equal(setup.servers.items[1].name, "bare");
    assert_null(setup.servers.items[1].db_url);
    assert_int_equal(setup.servers.items[1].host, HOST_LOCAL);
    assert_string_equal(setup.servers.items[1].host_root, "/host");
    assert_null(setup.servers.items[0].host_root);
    assert_string_equal(setup.applications.items[0].server, "main");
    assert_int_equal(setup.applications.items[0].interval_us, 2000000);
    assert_int_equal(setup.applications.items[1].interval_us, 0);

    assert_alerts_and_sinks(&setup);
    assert_routes_and_windows(&setup);
    assert_true(file_remove(ctx, folder));
}

/* What is wrong with a file: the line that is blamed, what is said, and what to do about it. */
static const struct {
    const char *text;
    int line;
    const char *says;
    const char *hint;
} mistakes[] = {
    { "interval = 5\n", 1, "\"interval\" stands in no section", "[monitor]" },
    { "[monitor]\n\ninterval\n", 3, "syntax error", "name = value" },
    { "[monitor\n", 1, "has no \"]\"", "[server main]" },
    { "[monitor]\ninterval: 5\n", 2, "has no value", "interval = VALUE" },
    { "[monitor]\ninterval =\n", 2, "has no value", "leave out the line" },
    { "[monitor]\ninterval = soon\n", 2, "\"soon\" (expected a time", NULL },
    { "[monitor]\ninterval = 1ms\n", 2, "less than 100 ms", NULL },
    { "[application a]\nurl = http://a/\ninterval = 1ms\n", 3, "less than 100 ms", NULL },
    { "[server a]\nhost_root = host\n", 2, "does not begin with /", NULL },
    { "[monitor]\nslo = 99.9\n", 2, "not between", "slo = 0.999" },
    { "[monitor]\nintervall = 5\n", 2, "unknown setting \"intervall\"", "\"interval\"" },
    { "[monitor]\ncolour = red\n", 2, "unknown setting \"colour\"", "interval, slo" },
    { "[monitor]\ninterval = 5\ninterval = 6\n", 3, "in line 2 already", "one of the two" },
    { "[monitor x]\n", 1, "[monitor] has no name", "Write [monitor]." },
    { "[server]\n", 1, "[server] needs a name", "[server NAME]" },
    { "[server a]\n[server b]\n[server a]\n", 3, "stands in line 1 already", "one of them" },
    { "[sever a]\n", 1, "unknown section [sever]", "\"server\"" },
    { "[server a]\nhost = maybe\n", 2, "expected auto, local, off", NULL },
    { "[application a]\n", 1, "needs \"url\"", "url = http" },
    { "[application a]\nurl = ftp://x\n", 2, "neither http", "/metrics" },
    { "[alert cpu-bussy]\nthreshold = 1\n", 1, "no rule \"cpu-bussy\"", "\"cpu-busy\"" },
    { "[alert my-own-one]\nthreshold = 1\n", 1, "no rule", "monitoring_playbook.md" },
    { "[alert my-own-one]\nmetric = a\n", 1, "needs \"threshold\"", "threshold = 10" },
    { "[alert cpu-busy]\nmetric = a\n", 2, "has its metric already", "another name" },
    { "[alert cpu-busy]\nthreshold = high\n", 2, "\"high\"", "80%" },
    { "[alert cpu-busy]\nclear = 90%\n", 2, "fires above 0.8 and would clear at 0.9", "good side" },
    { "[alert cache-hit-low]\nclear = 90%\n", 2, "fires below 0.95 and would clear at 0.9",
        "good side" },
    { "[sink a]\n", 1, "needs \"kind\"", "kind = webhook" },
    { "[sink a]\nkind = pigeon\n", 2, "webhook, slack, telegram, mail, program", NULL },
    { "[sink a]\nkind = webhook\n", 1, "needs \"url\"", "https://" },
    { "[sink a]\nkind = webhook\nurl = example.org\n", 3, "does not begin with https://",
        "whole address" },
    { "[sink a]\nkind = slack\n", 1, "needs \"url_file\"", "secret" },
    { "[sink a]\nkind = telegram\nto = 1\n", 1, "needs \"token_file\"", "telegram-token" },
    { "[sink a]\nkind = mail\nurl = smtp://h:25\nfrom = a@b\n", 1, "needs \"to\"", "oncall@" },
    { "[sink a]\nkind = mail\nurl = https://h\nfrom = a@b\nto = c@d\n", 3, "smtps://", ":465" },
    { "[sink a]\nkind = program\nprogram = wake-up\n", 3, "begin with \"/\"", "whole path" },
    { "[sink a]\nkind = webhook\nurl = https://a\ntoken_env = PGMEND_TEST_NONE\n", 4,
        "no \"PGMEND_TEST_NONE\"", "token_file" },
    { "[sink a]\nkind = webhook\nurl = https://a\ntoken_file = /nowhere/x\n", 4, "/nowhere/x",
        NULL },
    { "[sink a]\nkind = program\nprogram = /nonexistent/x\n", 3,
        "there is no program \"/nonexistent/x\"", NULL },
    { "[sink a]\nkind = program\nprogram = /etc/passwd\n", 3, "cannot be executed", "chmod +x" },
    { "[sink a]\nkind = program\nprogram = /tmp\n", 3, "cannot be executed", "no file" },
    { "[server m]\nowner = us\n[sink b]\nkind = program\nprogram = /bin/true\n[route a]\nsinks = "
      "b\nowner = nobody\n",
        8, "there is no owner \"nobody\"", "owner = nobody" },
    { "[server m]\n[application a]\nurl = http://h/metrics\nserver = nosuch\n", 4,
        "there is no server \"nosuch\"", "[server nosuch]" },
    { "[server m]\n[maintenance a]\nweekly = Sun 02:00-04:00\nservers = m, nosuch\n", 4,
        "there is no server \"nosuch\"", "[server nosuch]" },
    { "[route a]\nseverity = critical\n", 1, "needs \"sinks\"", "sinks = " },
    { "[route a]\nsinks = b\n", 2, "there is no sink \"b\"", "[sink b]" },
    { "[maintenance a]\n", 1, "needs \"from\"", "2026" },
    { "[maintenance a]\nfrom = 2026-11-23T02:00:00Z\n", 1, "needs \"until\"", "2026" },
    { "[maintenance a]\nfrom = 2026-11-23T02:00:00Z\nuntil = 2026-11-23T01:00:00Z\n", 3,
        "ends before it begins", "next day" },
    { "[maintenance a]\nfrom = tomorrow\nuntil = 2026-11-23T01:00:00Z\n", 2, "\"tomorrow\"",
        "UTC" },
    { "[maintenance a]\nweekly = Sunday 02:00-04:00\n", 2, "\"Sunday 02:00-04:00\"",
        "Sun 02:00-04:00" },
    { "[maintenance a]\nweekly = Sun 02:00-04:00\nuntil = 2026-11-23T01:00:00Z\n", 2,
        "\"from\" or \"until\" too", "two sections" },
    { "[maintenance a]\nweekly = Sun 02:00-04:00\nalerts = cpu-bussy\n", 3, "no rule \"cpu-bussy\"",
        "cpu-busy" },
};

static void
mistakes_are_told_with_line_and_remedy(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);

    unsetenv("PGMEND_TEST_NONE");
    for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
        const char *place = arena_printf(ctx->arena, "monitor.ini:%d: ", mistakes[i].line);
        struct setup setup;

        error_clear(ctx);
        if (read_text(ctx, folder, mistakes[i].text, &setup))
            fail_msg("was accepted: %s", mistakes[i].text);
        assert_error(ctx, ERR_CONFIG, place);
        assert_error(ctx, ERR_CONFIG, mistakes[i].says);
        if (mistakes[i].hint && !(ctx->error.hint && strstr(ctx->error.hint, mistakes[i].hint)))
            fail_msg("\"%s\" is not in the hint \"%s\" for: %s", mistakes[i].hint,
                ctx->error.hint ? ctx->error.hint : "", mistakes[i].text);
    }
    assert_true(file_remove(ctx, folder));
}

/* Rules on what nothing makes are told, with the line; on all others nothing is said. */
static void
a_metric_that_nothing_makes_is_told(void **state)
{
    static const char *const known[] = { "pgmend_up", "pgmend_cache_hit_ratio",
        "pgmend_host_cpu_busy_ratio", "pg_settings_work_mem_bytes", "pgmend_slo_burn_1h",
        "pgmend_application_error_ratio", "pgmend_pooler_clients_waiting", "pgmend_locks_waiting",
        "pg_stat_database_deadlocks" };
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct setup setup;

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        assert_true(read_text(ctx, folder,
            arena_printf(ctx->arena, "[alert mine]\nmetric = %s\nthreshold = 1\n", known[i]),
            &setup));
        if (setup.warnings.count > 0)
            fail_msg("%s", setup.warnings.items[0]);
    }
    assert_true(read_text(ctx, folder,
        "[alert mine]\nthreshold = 1\nmetric = pgmend_nosuch\n"
        "[alert typo]\nthreshold = 1\nmetric = pgmend_cache_hit_ration\n",
        &setup));
    assert_int_equal(setup.warnings.count, 2);
    assert_non_null(strstr(setup.warnings.items[0], "monitor.ini:3: "));
    assert_non_null(strstr(setup.warnings.items[0], "\"pgmend_nosuch\""));
    assert_non_null(strstr(setup.warnings.items[1], "monitor.ini:6: "));
    assert_non_null(strstr(setup.warnings.items[1], "did you mean \"pgmend_cache_hit_ratio\"?"));
    assert_true(file_remove(ctx, folder));
}

static void
secrets_are_not_for_others(void **state)
{
    static const char *const secret[] = {
        "[server a]\n\ndb_url = postgresql://u:hunter2@h/d\n",
        "[server a]\n\ndb_url = host=h password=hunter2\n",
        "[sink a]\nkind = slack\nurl = https://hooks.example.org/hunter2\n",
        "[sink a]\nkind = webhook\nurl = https://u:hunter2@example.org/\n",
    };
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "monitor.ini");
    const char *token = file_join(ctx->arena, folder, "token");
    struct setup setup;

    for (size_t i = 0; i < COUNT_OF(secret); i++) {
        assert_true(file_write(ctx, path, secret[i], strlen(secret[i]), 0600));
        assert_true(setup_read(ctx, path, &setup));
        assert_int_equal(chmod(path, 0640), 0);
        assert_false(setup_read(ctx, path, &setup));
        assert_error(ctx, ERR_CONFIG, "monitor.ini:3: ");
        assert_error(ctx, ERR_CONFIG, "other users can read the file");
        assert_non_null(strstr(ctx->error.hint, "chmod 600"));
        assert_null(strstr(ctx->error.message, "hunter2"));
        error_clear(ctx);
    }

    const char *text = arena_printf(ctx->arena,
        "[sink a]\nkind = webhook\nurl = https://example.org/\ntoken_file = %s\n", token);

    assert_true(file_write(ctx, token, "hunter2\n", 8, 0644));
    assert_int_equal(chmod(token, 0644), 0);
    assert_false(read_text(ctx, folder, text, &setup));
    assert_error(ctx, ERR_CONFIG, "monitor.ini:4: other users can read the secret");
    assert_int_equal(chmod(token, 0600), 0);
    assert_true(read_text(ctx, folder, text, &setup));
    assert_string_equal(setup.sinks.items[0].token, "hunter2");
    assert_true(file_write(ctx, token, "two\nlines\n", 10, 0600));
    assert_false(read_text(ctx, folder, text, &setup));
    assert_error(ctx, ERR_CONFIG, "does not hold one line");
    assert_true(file_remove(ctx, folder));
}

/* inih's own buffer holds 200 bytes and its section 50; neither may cut what is written. */
static void
long_texts_are_whole(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    char host[400], name[100];
    struct setup setup;

    memset(host, 'h', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_true(read_text(ctx, folder,
        arena_printf(
            ctx->arena, "\xef\xbb\xbf[server %s]\r\n  db_url = postgresql://%s/d\r\n", name, host),
        &setup));
    assert_string_equal(setup.servers.items[0].name, name);
    assert_int_equal(strlen(setup.servers.items[0].db_url), sizeof(host) - 1 + 15);
    assert_true(file_remove(ctx, folder));
}

static void
weeks_are_read(void **state)
{
    static const struct {
        const char *text;
        unsigned days;
        int from_minute;
        int until_minute;
    } good[] = {
        { "Sun 02:00-04:00", 1, 120, 240 },
        { "mon,THU 23:00 - 01:00", 2 | 16, 1380, 60 },
        { "daily 00:00-24:00", 0x7f, 0, 1440 },
        { "Fri, Sat 12:30-12:31", 32 | 64, 750, 751 },
    };
    static const char *const bad[] = { "", "Sun", "Sun 2:00-4:00", "Sun 02:00", "Sun 02:00-02:00",
        "Sun 02:60-04:00", "Sun 24:01-04:00", "Sun 25:00-04:00", "Sun,Sun 02:00-04:00",
        "Sun 02:00-04:00 x", "02:00-04:00", "Sun 02-04" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct setup_week week;

        assert_true(setup_parse_week(good[i].text, &week));
        assert_int_equal(week.days, good[i].days);
        assert_int_equal(week.from_minute, good[i].from_minute);
        assert_int_equal(week.until_minute, good[i].until_minute);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct setup_week week;

        if (setup_parse_week(bad[i], &week))
            fail_msg("\"%s\" was read as a time of the week", bad[i]);
    }
}

/* The file that is shipped names everything there is, and is right as it stands. */
static void
the_example_is_right(void **state)
{
    struct ctx *ctx = *state;
    const char *text, *words[] = { "[monitor]", "[server ", "[application ", "[alert ", "[sink ",
        "[route ", "[maintenance " };
    struct setup setup;
    size_t length;

    assert_true(file_read(ctx, test_source(ctx, "share/monitor.ini"), &text, &length));
    for (size_t i = 0; i < COUNT_OF(words); i++)
        assert_non_null(strstr(text, words[i]));

    /* Once as it is, and once with everything that is commented out; secrets are elsewhere. */
    const char *folder = test_folder(ctx);
    const char *token = file_join(ctx->arena, folder, "token");
    struct buffer all = { .arena = ctx->arena };

    assert_true(read_text(ctx, folder, text, &setup));
    assert_true(file_write(ctx, token, "https://example.org/x\n", 22, 0600));
    assert_int_equal(setenv("PGMEND_WEBHOOK_TOKEN", "x", 1), 0);
    for (const char *line = text; *line;) {
        size_t used = strcspn(line, "\n");
        const char *copy = arena_strndup(ctx->arena, line, used);
        const char *file = strstr(copy, "_file = ");

        line += used + (line[used] == '\n');
        if (text_starts_with(copy, ";") && !text_starts_with(copy, "; "))
            copy++;
        /* Its program is not on every machine. */
        if (text_starts_with(copy, "program = "))
            copy = "program = /bin/true";
        if (file)
            buffer_printf(&all, "%.*s%s\n", (int)(file + 8 - copy), copy, token);
        else
            buffer_printf(&all, "%s\n", copy);
    }
    if (!read_text(ctx, folder, buffer_text(&all), &setup))
        fail_msg("%s", ctx->error.message);
    assert_int_equal(setup.warnings.count, 0);
    assert_true(setup.sinks.count >= 5);
    assert_true(setup.routes.count >= 3);
    assert_int_equal(setup.maintenances.count, 2);
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(all_sections_are_read),
        test_with_ctx(mistakes_are_told_with_line_and_remedy),
        test_with_ctx(a_metric_that_nothing_makes_is_told),
        test_with_ctx(secrets_are_not_for_others),
        test_with_ctx(long_texts_are_whole),
        cmocka_unit_test(weeks_are_read),
        test_with_ctx(the_example_is_right),
    };

    return cmocka_run_group_tests_name("monitor/setup", tests, NULL, NULL);
}
