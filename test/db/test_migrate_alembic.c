/* The real Alembic through the relay: what is seen, what it makes, what goes wrong. */
#include "db/test_migrate_alembic_support.h"

enum { RUN_LIMIT_US = 1500000, SOON_US = 60000000 };

/* ---- watching ---- */

struct watch {
    struct project *project;
    struct buffer seen; /* a line a statement */
    size_t after;
    size_t before;
    size_t running;
    size_t unasked;      /* statements before which the session could not be asked */
    const char *ask;     /* SQL for each statement, or NULL */
    const char *wanted;  /* a text in a statement that is waited for */
    const char *outside; /* SQL for the admin's session once it runs */
    int signal_number;   /* that comes once it runs */
    const char *answer;  /* of ask, after the wanted statement */
};

static bool
see_before(void *self, struct ctx *ctx, const struct alembic_statement *statement)
{
    struct watch *watch = self;
    const char *ignored;

    watch->before++;
    if (!statement->may_ask)
        watch->unasked++;
    return !statement->may_ask || !watch->ask ||
           db_value(ctx, statement->db, watch->ask, NULL, 0, &ignored);
}

static bool
see_after(void *self, struct ctx *ctx, const struct alembic_statement *statement)
{
    struct watch *watch = self;
    const char *answer = NULL;

    watch->after++;
    buffer_printf(&watch->seen, "%s|%lld|%d%d|%s|%s|%.60s\n",
        statement->tag ? statement->tag : "failed", (long long)statement->rows,
        statement->was_in_transaction, statement->in_transaction,
        statement->sqlstate ? statement->sqlstate : "",
        statement->version ? statement->version : "-", statement->sql);
    if (!statement->may_ask || !watch->ask)
        return true;
    if (!db_value(ctx, statement->db, watch->ask, NULL, 0, &answer))
        return false;
    if (watch->wanted && strstr(statement->sql, watch->wanted))
        watch->answer = answer;
    return true;
}

static bool
see_running(void *self, struct ctx *ctx, const struct alembic_statement *statement)
{
    struct watch *watch = self;
    const char *ignored;

    watch->running++;
    if (!watch->wanted || !strstr(statement->sql, watch->wanted))
        return true;
    /* The server has it in hand: it says so itself. */
    if (strcmp(value(watch->project, watch->project->admin,
                   arena_printf(ctx->arena,
                       "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid = %d"
                       " AND query LIKE '%%%s%%'",
                       db_backend_pid(statement->db), watch->wanted)),
            "1") != 0)
        return true;
    if (watch->signal_number)
        interrupt_put(watch->signal_number);
    watch->signal_number = 0;
    if (!watch->outside)
        return true;

    const char *pid = arena_printf(ctx->arena, "%d", db_backend_pid(statement->db));

    if (!db_value(ctx, watch->project->admin, watch->outside, &pid, 1, &ignored))
        return false;
    watch->outside = NULL;
    return true;
}

static struct alembic_watcher
watcher_of(struct watch *watch)
{
    return (struct alembic_watcher){
        .self = watch,
        .before = see_before,
        .running = see_running,
        .after = see_after,
    };
}

static struct watch
watch_of(struct project *project)
{
    return (struct watch){ .project = project, .seen = { .arena = project->ctx.arena } };
}

static void
assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* Nothing is left of a run: no process of ours, no session, no folder. */
static void
assert_nothing_left(struct project *project)
{
    const char *work = project->alembic.work.path;

    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_string_equal(value(project, project->admin,
                            arena_printf(project->ctx.arena,
                                "SELECT count(*) FROM pg_stat_activity WHERE datname = '%s'"
                                " AND application_name <> 'test'",
                                project->database)),
        "0");
    alembic_end(&project->alembic);
    assert_false(file_exists(work));
}

/* ---- what is seen ---- */

static void
statements_are_seen_with_their_versions(void **state)
{
    struct project *project = *state;
    struct watch watch = watch_of(project);
    const struct alembic_watcher watcher = watcher_of(&watch);

    add_revision(project, "a1", NULL,
        "    op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))\n"
        "    op.execute('INSERT INTO t SELECT generate_series(1, 7)')");
    add_revision(project, "b2", "a1", "    op.execute('UPDATE t SET id = id + 10 WHERE id > 5')");
    watch.ask = "SELECT to_regclass('t')::text";
    watch.wanted = "CREATE TABLE t";
    upgrade(project, &watcher);
    assert_string_equal(watch.answer, "t"); /* nobody else could see it yet */
    assert_has(watch.seen.data, "CREATE TABLE|-1|11||-|\nCREATE TABLE t (");
    assert_has(watch.seen.data, "INSERT 0 7|7|11||-|INSERT INTO t SELECT");
    assert_has(watch.seen.data, "INSERT 0 1|1|11||a1|INSERT INTO alembic_version");
    assert_has(watch.seen.data, "UPDATE 2|2|11||-|UPDATE t");
    assert_has(watch.seen.data, "UPDATE 1|1|11||b2|UPDATE alembic_version");
    assert_has(watch.seen.data, "COMMIT|-1|10||-|COMMIT");
    assert_int_equal(watch.before, watch.after);
    assert_int_equal(watch.unasked, 0);
    assert_int_equal(project->outcome.sessions, 1);
    assert_int_equal(project->outcome.statements, watch.after);
    must(project, run(project, "downgrade", "base", &watcher));
    assert_has(watch.seen.data, "DELETE 1|1|11|||DELETE FROM alembic_version");
}

/* pg_dump's own lines that differ from run to run. */
static const char *
dump(struct project *project, const char *database)
{
    struct arena *arena = project->ctx.arena;
    const char *const argv[] = { "pg_dump", "-s", "-d", database, NULL };
    struct process_options options = { .argv = argv };
    struct process process;
    struct buffer kept = { .arena = arena };

    must(project, process_run(&project->ctx, &options, &process));
    for (const char *at = buffer_text(&process.out); *at;) {
        size_t length = strcspn(at, "\n");

        if (!text_starts_with(at, "\\restrict") && !text_starts_with(at, "\\unrestrict"))
            buffer_append(&kept, at, length + 1);
        at += length + (at[length] != '\0');
    }
    return buffer_text(&kept);
}

static void
replyx_is_the_same_with_and_without_the_relay(void **state)
{
    struct project *project = *state;
    struct arena *arena = project->ctx.arena;
    const char *ini = test_source(&project->ctx, "replyx/alembic.ini");
    const char *other = arena_printf(arena, "%s other", project->database);
    const char *const argv[] = { "alembic", "-c", ini, "upgrade", "head", NULL };
    const char *const env[] = { arena_printf(arena, "PGDATABASE=%s", other),
        "DATABASE_URL=", "PYTHONDONTWRITEBYTECODE=1", NULL };
    struct process_options options = { .argv = argv, .env = env };
    struct process process;
    const char *relayed, *direct;
    struct watch watch = watch_of(project);
    const struct alembic_watcher watcher = watcher_of(&watch);

    if (strcmp(value(project, project->admin,
                   "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'"),
            "0") == 0)
        skip();
    must(project, db_exec(&project->ctx, project->admin,
                      arena_printf(arena, "CREATE DATABASE \"%s\" TEMPLATE template0", other)));
    must(project, process_run(&project->ctx, &options, &process));
    direct = dump(project, other);
    must(project,
        db_exec(&project->ctx, project->admin, arena_printf(arena, "DROP DATABASE \"%s\"", other)));
    watch.ask = "SELECT count(*) FROM pg_catalog.pg_class";
    must(project, environment_find(&project->ctx, ini, NULL, &project->environment));
    must(project,
        alembic_begin(&project->ctx, &project->environment, &project->options, &project->alembic));
    must(project, run(project, "upgrade", "head", &watcher));
    assert_int_equal(project->outcome.status, 0);
    relayed = dump(project, project->database);
    assert_true(strlen(direct) > 10000);
    assert_string_equal(relayed, direct);
}

static void
concurrently_copy_notices_and_much_data_pass(void **state)
{
    struct project *project = *state;
    struct watch watch = watch_of(project);
    const struct alembic_watcher watcher = watcher_of(&watch);

    add_revision(project, "a1", NULL,
        "    op.execute('CREATE TABLE t (id int, words text)')\n"
        "    import io\n"
        "    cursor = op.get_bind().connection.cursor()\n"
        "    rows = ''.join('%d\\t%s\\n' % (i, 'x' * 100) for i in range(50000))\n"
        "    cursor.copy_expert('COPY t FROM STDIN', io.StringIO(rows))\n"
        "    out = io.StringIO()\n"
        "    cursor.copy_expert('COPY t TO STDOUT', out)\n"
        "    assert out.getvalue() == rows\n"
        "    cursor.execute('SELECT id, words FROM t ORDER BY id')\n"
        "    assert [r[0] for r in cursor.fetchall()] == list(range(50000))\n"
        "    cursor.execute('SELECT length(%s), repeat(%s, 20000000)', ('y' * 9000000, 'z'))\n"
        "    row = cursor.fetchone()\n"
        "    assert row[0] == 9000000 and len(row[1]) == 20000000\n"
        "    cursor.execute(\"DO $$ BEGIN RAISE NOTICE 'heed this'; END $$\")\n"
        "    print(op.get_bind().connection.notices)\n"
        "    cursor.execute('SELECT 1; SELECT 2; UPDATE t SET id = id WHERE id < 3')\n"
        "    with op.get_context().autocommit_block():\n"
        "        op.execute('CREATE INDEX CONCURRENTLY t_id ON t (id)')");
    watch.ask = "SELECT 1";
    upgrade(project, &watcher);
    assert_has(project->outcome.output, "heed this");
    assert_has(watch.seen.data, "COPY 50000|50000|11||-|COPY t FROM STDIN");
    assert_has(watch.seen.data, "COPY 50000|50000|11||-|COPY t TO STDOUT");
    assert_has(watch.seen.data, "SELECT 50000|50000|11||-|");
    assert_has(watch.seen.data, "UPDATE 3|5|11||-|SELECT 1; SELECT 2;"); /* rows of all three */
    assert_has(watch.seen.data, "CREATE INDEX|-1|00||-|CREATE INDEX CONCURRENTLY");
    assert_string_equal(
        value(project, project->db,
            "SELECT count(*) FROM pg_index WHERE indexrelid = 'public.t_id'::regclass"
            " AND indisvalid"),
        "1");
}

/* A client of the extended protocol: PostgreSQL's own. */
static void
prepared_statements_and_pipelines_pass(void **state)
{
    struct project *project = *state;
    struct watch watch = watch_of(project);
    const struct alembic_watcher watcher = watcher_of(&watch);

    add_file(project, "script.sql",
        "\\set n 3\nINSERT INTO t VALUES (:n);\n\\startpipeline\n"
        "UPDATE t SET id = id + 1 WHERE id = :n;\nSELECT count(*) FROM t WHERE id > :n;\n"
        "\\endpipeline\nSELECT 1 / (:n - 3 + 1);\n");
    add_file(project, "migrations/env.py",
        arena_printf(project->ctx.arena,
            "import subprocess\n"
            "for mode in ('extended', 'prepared'):\n"
            "    subprocess.run(['pgbench', '-n', '-t', '3', '-M', mode, '-f',\n"
            "        '%s/script.sql'], check=True, stdout=subprocess.DEVNULL)\n" ENV_OF_INI,
            project->folder));
    must(project, db_exec(&project->ctx, project->db, "CREATE TABLE public.t (id int)"));
    watch.ask = "SELECT count(*) FROM pg_catalog.pg_class";
    upgrade(project, &watcher);
    assert_string_equal(value(project, project->db, "SELECT count(*) FROM public.t"), "6");
    assert_has(watch.seen.data, "INSERT 0 1|1|00||-|INSERT INTO t VALUES ($1)");
    assert_has(watch.seen.data, "UPDATE 1|1|00||-|UPDATE t SET id = id + 1");
    assert_has(watch.seen.data, "SELECT 1|1|00||-|SELECT count(*) FROM t");
}

#define RAW                                                                           \
    "import os, socket, struct\n"                                                     \
    "def message(kind, body):\n"                                                      \
    "    return kind + struct.pack('!I', len(body) + 4) + body\n"                     \
    "def start(password):\n"                                                          \
    "    link = socket.create_connection(('127.0.0.1', int(os.environ['PGPORT'])))\n" \
    "    name = os.environ['PGDATABASE'].encode()\n"                                  \
    "    body = b'user\\0me\\0database\\0' + name + b'\\0\\0'\n"                      \
    "    link.sendall(message(b'', struct.pack('!I', 196608) + body))\n"              \
    "    until(link, b'R')\n"                                                         \
    "    link.sendall(message(b'p', password.encode() + b'\\0'))\n"                   \
    "    return link, until(link, b'Z')\n"                                            \
    "def until(link, last):\n"                                                        \
    "    kinds = b''\n"                                                               \
    "    while not kinds.endswith(last):\n"                                           \
    "        head = link.recv(5, socket.MSG_WAITALL)\n"                               \
    "        if not head:\n"                                                          \
    "            return kinds + b'!'\n"                                               \
    "        link.recv(struct.unpack('!I', head[1:])[0] - 4, socket.MSG_WAITALL)\n"   \
    "        kinds += head[:1]\n"                                                     \
    "    return kinds\n"

/*
 * The unnamed statement outlives what the watcher asks, though the server has forgotten it, and a
 * cycle that was begun with Flush does not stop him from asking.
 */
static void
the_unnamed_statement_survives(void **state)
{
    struct project *project = *state;
    struct watch watch = watch_of(project);
    const struct alembic_watcher watcher = watcher_of(&watch);

    add_file(project, "migrations/env.py",
        RAW "link, kinds = start(os.environ['PGPASSWORD'])\n"
            "parse = message(b'P', b'\\0SELECT 6 * $1\\0' + struct.pack('!hI', 1, 23))\n"
            "describe = message(b'D', b'S\\0')\n"
            "bind = message(b'B', b'\\0\\0\\0\\0' + struct.pack('!hi', 1, 1) + b'7\\0\\0')\n"
            "run, sync = message(b'E', b'\\0' + struct.pack('!i', 0)), message(b'S', b'')\n"
            "link.sendall(parse + describe + sync)\n"
            "print(until(link, b'Z').decode())\n"
            "for i in range(2):\n"
            "    link.sendall(bind + run + sync)\n"
            "    print(until(link, b'Z').decode())\n"
            "link.sendall(parse + describe + message(b'H', b''))\n"
            "print(until(link, b'T').decode())\n"
            "link.sendall(bind + run + sync)\n"
            "print(until(link, b'Z').decode())\n"
            "link.sendall(message(b'P', b'\\0SELECT nothing\\0\\0\\0') + bind + run + sync)\n"
            "print(until(link, b'Z').decode())\n" ENV_OF_INI);
    watch.ask = "SELECT 'something else'";
    upgrade(project, &watcher);
    assert_has(project->outcome.output, "1tTZ\n2DCZ\n2DCZ\n1tT\n2DCZ\nEZ\n");
    assert_has(watch.seen.data,
        "SELECT 1|1|00||-|SELECT 6 * $1\nSELECT 1|1|00||-|SELECT 6 * $1\n"
        "SELECT 1|1|00||-|SELECT 6 * $1\nfailed|-1|00|42703|-|SELECT nothing\n");
    assert_int_equal(watch.unasked, 0);
}

static void
two_sessions_at_once(void **state)
{
    struct project *project = *state;
    struct watch watch = watch_of(project);
    const struct alembic_watcher watcher = watcher_of(&watch);

    add_revision(project, "a1", NULL,
        "    op.execute('CREATE TABLE t (id int)')\n"
        "    with op.get_bind().engine.connect() as other:\n"
        "        found = other.execute(sa.text(\"SELECT to_regclass('t')\")).scalar()\n"
        "    assert found is None\n"
        "    op.execute('INSERT INTO t VALUES (1)')");
    watch.ask = "SELECT 1";
    upgrade(project, &watcher);
    assert_int_equal(project->outcome.sessions, 2);
    assert_string_equal(value(project, project->db, "SELECT count(*) FROM public.t"), "1");
}

static void
settings_are_those_of_any_client(void **state)
{
    struct project *project = *state;
    struct arena *arena = project->ctx.arena;

    add_revision(project, "a1", NULL,
        "    for name in ('search_path', 'IntervalStyle', 'TimeZone', 'lock_timeout', 'work_mem',\n"
        "            'statement_timeout', 'jit', 'client_encoding', 'extra_float_digits'):\n"
        "        print(name, op.get_bind().execute(sa.text('SHOW ' + name)).scalar())");
    must(project, db_exec(&project->ctx, project->admin,
                      arena_printf(arena, "ALTER DATABASE \"%s\" SET search_path = odd, public",
                          project->database)));
    must(project, db_exec(&project->ctx, project->admin,
                      arena_printf(arena, "ALTER DATABASE \"%s\" SET lock_timeout = '7s'",
                          project->database)));
    add_file(project, "alembic.ini",
        INI
        "sqlalchemy.url = postgresql+psycopg2://u:secret@elsewhere:1/x?sslmode=verify-full"
        "&options=-c%%20work_mem%%3D7MB%%20-cIntervalStyle%%3Dsql_standard&target_session_attrs=standby\n" INI_LOGGING);
    upgrade(project, NULL);
    assert_has(project->outcome.output, "search_path odd, public\n");
    assert_has(project->outcome.output, "lock_timeout 7s\n");
    assert_has(project->outcome.output, "work_mem 7MB\n");
    assert_has(project->outcome.output, "IntervalStyle sql_standard\n");
    assert_has(project->outcome.output, "statement_timeout 0\n");
    assert_has(project->outcome.output, "client_encoding UTF8\n");
    assert_has(project->outcome.output,
        arena_printf(arena, "jit %s\n",
            value(project, project->admin, "SELECT boot_val FROM pg_settings WHERE name = 'jit'")));
}

static void
another_folder_and_an_env_of_ours(void **state)
{
    struct project *project = *state;
    const char *other = file_join(project->ctx.arena, project->folder, "new files");
    struct text_list names = { 0 };

    add_revision(project, "a1", NULL, "    op.execute('CREATE TABLE old (id int)')");
    add_file(project, "alembic.ini",
        INI "version_locations = %(here)s/migrations/versions\nversion_path_separator = space\n"
            "sqlalchemy.url = postgresql://u@elsewhere/x\n" INI_LOGGING);
    must(project, file_make_folder(&project->ctx, other));
    add_file(project, "new files/z9.py",
        "revision = 'z9'\ndown_revision = None\nfrom alembic import op\n"
        "def upgrade():\n    op.create_table('fresh')\n    op.execute('SELECT nonsense')\n");
    begin(project);
    project->alembic.versions = other;
    must(project, run(project, "upgrade", "head", NULL));
    assert_int_not_equal(project->outcome.status, 0);
    assert_string_equal(project->outcome.place.file, file_join(project->ctx.arena, other, "z9.py"));
    assert_int_equal(project->outcome.place.line, 6);
    add_file(project, "new files/z9.py",
        "revision = 'z9'\ndown_revision = None\nfrom alembic import op\n"
        "def upgrade():\n    op.create_table('fresh')\n");
    project->options.plain_env = true;
    add_file(project, "migrations/env.py", "raise Exception('not this one')\n");
    begin(project);
    project->alembic.versions = other;
    must(project, run(project, "upgrade", "head", NULL));
    assert_int_equal(project->outcome.status, 0);
    assert_string_equal(value(project, project->db,
                            "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class"
                            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"),
        "alembic_version fresh");
    /* Nothing was written beside the user's files. */
    must(project, file_list(&project->ctx, other, &names));
    assert_int_equal(names.count, 1);
    names.count = 0;
    must(project,
        file_list(&project->ctx,
            file_join(project->ctx.arena, project->folder, "migrations/versions"), &names));
    assert_int_equal(names.count, 1);
}

/* ---- where env.py takes its URL from ---- */

static void
urls_of_every_kind_lead_to_us(void **state)
{
    struct project *project = *state;
    struct text_list more = { 0 };
    static const char *const scripts[] = {
        "import os\nurl = os.environ['DATABASE_URL']\n" ENV_RUN,
        "import os\nurl = os.getenv('MY_DB_URL', 'postgresql://elsewhere/x')\n" ENV_RUN,
        "import os\nfrom sqlalchemy.engine import URL\n"
        "url = URL.create('postgresql', host=os.environ.get('DB_HOST', 'elsewhere'),\n"
        "    port=os.environ.get('DB_PORT'), username=os.environ['DB_USER'],\n"
        "    password=os.environ['DB_PASSWORD'], database=os.environ['DB_NAME'])\n" ENV_RUN,
        "url = 'postgresql+psycopg2://'\n" ENV_RUN, /* libpq's own variables */
        "import sys\nsys.path.insert(0, 'migrations')\nfrom settings import url\n" ENV_RUN,
    };

    text_list_add(project->ctx.arena, &more, "SOMETHING");
    project->options.url_envs = &more;
    add_file(project, "migrations/settings.py", "import os\nurl = os.environ['SOMETHING']\n");
    /* Leads past us: the server itself is behind it. */
    add_file(project, "service",
        arena_printf(project->ctx.arena, "[direct]\nhost=%s\nport=%s\nuser=%s\n",
            db_host(project->admin), db_port(project->admin), db_user(project->admin)));
    setenv("PGSERVICEFILE", file_join(project->ctx.arena, project->folder, "service"), 1);
    setenv("PGSERVICE", "direct", 1);
    for (size_t i = 0; i < COUNT_OF(scripts); i++) {
        add_file(project, "migrations/env.py", scripts[i]);
        begin(project);
        must(project, alembic_probe(&project->ctx, &project->alembic, project->db));
    }
}

static void
a_url_elsewhere_is_refused(void **state)
{
    struct project *project = *state;
    const char *before;

    add_revision(project, "a1", NULL, "    op.execute('CREATE TABLE t (id int)')");
    add_file(project, "migrations/env.py",
        arena_printf(project->ctx.arena,
            "from sqlalchemy.engine import URL\n"
            "url = URL.create('postgresql', database='postgres', username='%s',\n"
            "    query={'host': '%s', 'port': '%s'})\n" ENV_RUN,
            db_user(project->admin), db_host(project->admin), db_port(project->admin)));
    before = value(project, project->admin, "SELECT count(*) FROM pg_class");
    begin(project);
    assert_false(alembic_probe(&project->ctx, &project->alembic, project->db));
    assert_error(&project->ctx, ERR_CONFLICT, "env.py connects elsewhere");
    assert_has(project->ctx.error.hint, "--url-env");
    error_clear(&project->ctx);
    assert_string_equal(value(project, project->admin, "SELECT count(*) FROM pg_class"), before);

    /* Our server, but another database of it. */
    add_file(project, "migrations/env.py",
        "import os\nurl = os.environ['DATABASE_URL'].rsplit('/', 1)[0] + '/postgres'\n" ENV_RUN);
    begin(project);
    assert_false(alembic_probe(&project->ctx, &project->alembic, project->db));
    assert_has(project->ctx.error.hint, "env.py asked for database \"postgres\"");
    error_clear(&project->ctx);
}

static void
only_our_password_opens(void **state)
{
    struct project *project = *state;

    add_file(project, "migrations/env.py",
        RAW "print(start('guess')[1].decode())\nprint(start('')[1].decode())\n"
            "link = socket.create_connection(('127.0.0.1', int(os.environ['PGPORT'])))\n"
            "link.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n')\n"
            "print(len(link.recv(100)))\n"
            "print(start(os.environ['PGPASSWORD'])[1][:1].decode())\n" ENV_OF_INI);
    upgrade(project, NULL);
    assert_has(project->outcome.output, "E!\nE!\n0\nR\n");
    assert_int_equal(project->outcome.sessions, 2);
    add_file(project, "migrations/env.py",
        "import os\nprint(os.environ['DATABASE_URL'])\n"
        "url = os.environ['DATABASE_URL'].replace('pgmend:', 'me:un')\n" ENV_RUN);
    begin(project);
    assert_false(alembic_probe(&project->ctx, &project->alembic, project->db));
    assert_has(project->ctx.error.hint, "another password");
    error_clear(&project->ctx);
    must(project, run(project, "current", NULL, NULL));
    assert_has(project->outcome.output, "postgresql://pgmend:***@127.0.0.1:");
}

/* ---- failures ---- */

static void
a_failure_names_revision_place_and_statement(void **state)
{
    struct project *project = *state;

    add_revision(project, "a1", NULL, "    op.execute('CREATE TABLE t (id int PRIMARY KEY)')");
    add_revision(project, "b2", "a1",
        "    op.execute('INSERT INTO t VALUES (1)')\n"
        "    try:\n"
        "        with op.get_bind().begin_nested():\n"
        "            op.execute('SELECT nothing')\n"
        "    except Exception:\n"
        "        pass\n"
        "    op.execute('INSERT INTO t VALUES (2)')\n"
        "    op.execute('INSERT INTO t VALUES (1)')");
    begin(project);
    must(project, run(project, "upgrade", "head", NULL));
    assert_int_equal(project->outcome.status, 1);
    assert_int_equal(project->outcome.place.line, 13);
    assert_true(project->outcome.has_failed_statement);
    assert_false(alembic_failure(&project->ctx, &project->outcome));
    assert_error(&project->ctx, ERR_FAILED, "revision b2 (");
    assert_error(&project->ctx, ERR_FAILED, "migrations/versions/b2_some.py:13): duplicate key");
    assert_error(&project->ctx, ERR_FAILED, "(SQLSTATE 23505)");
    assert_string_equal(project->ctx.error.sqlstate, "23505");
    assert_has(project->ctx.error.detail, "Key (id)=(1) already exists.");
    assert_has(project->ctx.error.detail, "Statement: INSERT INTO t VALUES (1)");
    error_clear(&project->ctx);

    /* An exception that is about no statement, though one failed before. */
    add_revision(project, "b2", "a1",
        "    try:\n"
        "        with op.get_bind().begin_nested():\n"
        "            op.execute('SELECT nothing')\n"
        "    except Exception:\n"
        "        pass\n"
        "    raise ValueError('not on a Monday')");
    begin(project);
    must(project, run(project, "upgrade", "head", NULL));
    assert_false(alembic_failure(&project->ctx, &project->outcome));
    assert_error(&project->ctx, ERR_FAILED, "b2_some.py:11): ValueError: not on a Monday");
    error_clear(&project->ctx);
}

static void
what_cannot_be_loaded_has_a_remedy(void **state)
{
    struct project *project = *state;

    add_revision(project, "a1", NULL, "    op.execute('CREATE TABLE t (id int)')");
    add_file(project, "migrations/env.py", "import the_application\n" ENV_OF_INI);
    begin(project);
    assert_false(alembic_probe(&project->ctx, &project->alembic, project->db));
    assert_error(&project->ctx, ERR_FAILED, "No module named 'the_application'");
    assert_has(project->ctx.error.hint, "--plain-env");
    error_clear(&project->ctx);
    project->options.plain_env = true;
    upgrade(project, NULL);

    project->options.plain_env = false;
    add_file(project, "migrations/env.py", ENV_OF_INI);
    must(project, db_exec(&project->ctx, project->db,
                      "UPDATE public.alembic_version SET version_num = 'gone'"));
    begin(project);
    must(project, run(project, "upgrade", "head", NULL));
    assert_false(alembic_failure(&project->ctx, &project->outcome));
    assert_error(&project->ctx, ERR_FAILED, "Can't locate revision identified by 'gone'");
    error_clear(&project->ctx);

    add_revision(project, "b2", NULL, "    this is no Python");
    begin(project);
    must(project, run(project, "heads", NULL, NULL));
    assert_false(alembic_failure(&project->ctx, &project->outcome));
    assert_error(&project->ctx, ERR_FAILED, "b2_some.py:6): SyntaxError");
    error_clear(&project->ctx);
}

static void
a_killed_backend_is_told(void **state)
{
    struct project *project = *state;
    struct watch watch = watch_of(project);
    const struct alembic_watcher watcher = watcher_of(&watch);

    add_revision(project, "a1", NULL,
        "    op.execute('CREATE TABLE t (id int)')\n    op.execute('SELECT pg_sleep(100)')");
    watch.wanted = "pg_sleep";
    watch.outside = "SELECT pg_terminate_backend($1::int)::text";
    begin(project);
    must(project, run(project, "upgrade", "head", &watcher));
    assert_int_not_equal(project->outcome.status, 0);
    assert_false(alembic_failure(&project->ctx, &project->outcome));
    assert_error(&project->ctx, ERR_FAILED, "a1_some.py:7): terminating connection");
    assert_string_equal(project->ctx.error.sqlstate, "57P01");
    error_clear(&project->ctx);
    assert_nothing_left(project);
}

static void
a_cancel_request_is_passed_on(void **state)
{
    struct project *project = *state;

    add_revision(project, "a1", NULL,
        "    import threading\n"
        "    raw = op.get_bind().connection.connection\n"
        "    def cancel():\n"
        "        while not raw.closed and not threading.Event().wait(0.1):\n"
        "            raw.cancel()\n"
        "    threading.Thread(target=cancel, daemon=True).start()\n"
        "    op.execute('SELECT pg_sleep(100)')");
    begin(project);
    must(project, run(project, "upgrade", "head", NULL));
    assert_false(alembic_failure(&project->ctx, &project->outcome));
    assert_string_equal(project->ctx.error.sqlstate, "57014");
    error_clear(&project->ctx);
}

static void
a_limit_and_a_signal_end_all(void **state)
{
    struct project *project = *state;
    int64_t start = clock_us();
    struct watch watch = watch_of(project);
    const struct alembic_watcher watcher = watcher_of(&watch);

    add_revision(project, "a1", NULL,
        "    op.execute('CREATE TABLE t (id int)')\n    op.execute('SELECT pg_sleep(100)')");
    project->options.timeout_us = RUN_LIMIT_US;
    begin(project);
    assert_false(run(project, "upgrade", "head", NULL));
    assert_error(&project->ctx, ERR_TIMEOUT, "alembic took too long");
    error_clear(&project->ctx);
    assert_nothing_left(project);

    project->options.timeout_us = 0;
    watch.wanted = "pg_sleep";
    watch.signal_number = SIGINT;
    begin(project);
    assert_false(run(project, "upgrade", "head", &watcher));
    assert_int_equal(project->ctx.error.kind, ERR_INTERRUPTED);
    error_clear(&project->ctx);
    assert_int_equal(interrupt_take(), SIGINT);
    assert_nothing_left(project);
    assert_string_equal(value(project, project->db,
                            "SELECT count(*) FROM pg_class"
                            " WHERE relname = 't'"),
        "0");
    assert_true(
        clock_us() - start < SOON_US); /* not the hundred seconds that the statement takes */
}

/* ---- finding Alembic ---- */

static void
a_command_is_split_as_a_shell_does(void **state)
{
    struct project *project = *state;
    struct ctx *ctx = &project->ctx;
    static const char *const bad[] = { "alembic 'x", "alembic \"", "alembic \\", "  " };

    must(project, environment_find(ctx, project->folder, NULL, &project->environment));
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        project->options.command = bad[i];
        assert_false(
            alembic_begin(ctx, &project->environment, &project->options, &project->alembic));
        assert_int_equal(ctx->error.kind, ERR_USAGE);
        error_clear(ctx);
    }
    project->options.command = "false 1";
    assert_false(alembic_begin(ctx, &project->environment, &project->options, &project->alembic));
    assert_error(ctx, ERR_NOT_FOUND, "\"false 1 --version\" does not work");
    error_clear(ctx);
    project->options.command = "  'alembic' -x a=\"b c\\\"\" -x d\\ e ";
    begin(project);
    assert_int_equal(project->alembic.argv.count, 5);
    assert_string_equal(project->alembic.argv.items[2], "a=b c\"");
    assert_string_equal(project->alembic.argv.items[4], "d e");
    assert_true(strchr(project->alembic.version, '.') != NULL);
}

/* The environment beside the ini file comes first; one that does not work is passed over. */
static void
a_virtual_environment_is_found(void **state)
{
    struct project *project = *state;
    struct arena *arena = project->ctx.arena;
    const char *program = file_join(arena, project->folder, ".venv/bin/alembic");

    must(project, file_make_folder(&project->ctx, file_join(arena, project->folder, ".venv/bin")));
    must(project, file_write(&project->ctx, program, "#!/bin/sh\necho alembic 9.8.7\n", 28, 0700));
    begin(project);
    assert_string_equal(project->alembic.version, "9.8.7");
    must(project, file_write(&project->ctx, program, "#!/nowhere/python\n", 18, 0700));
    begin(project);
    assert_string_equal(project->alembic.argv.items[0], "alembic");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_project(statements_are_seen_with_their_versions),
        test_with_project(replyx_is_the_same_with_and_without_the_relay),
        test_with_project(concurrently_copy_notices_and_much_data_pass),
        test_with_project(prepared_statements_and_pipelines_pass),
        test_with_project(the_unnamed_statement_survives),
        test_with_project(two_sessions_at_once),
        test_with_project(settings_are_those_of_any_client),
        test_with_project(another_folder_and_an_env_of_ours),
        test_with_project(urls_of_every_kind_lead_to_us),
        test_with_project(a_url_elsewhere_is_refused),
        test_with_project(only_our_password_opens),
        test_with_project(a_failure_names_revision_place_and_statement),
        test_with_project(what_cannot_be_loaded_has_a_remedy),
        test_with_project(a_killed_backend_is_told),
        test_with_project(a_cancel_request_is_passed_on),
        test_with_project(a_limit_and_a_signal_end_all),
        test_with_project(a_command_is_split_as_a_shell_does),
        test_with_project(a_virtual_environment_is_found),
    };

    interrupt_catch();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
