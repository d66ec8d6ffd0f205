"""pgmend queries rewrite from outside: exit statuses, JSON, --with, --value, --output, --plan to apply and rollback.

The environment names the program: PGMEND; and a server: PGHOST, PGPORT, PGUSER. What an answer has to be is asked by
psql.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import nplus1test

PGMEND = os.environ["PGMEND"]
DATABASE = "pgmend_test_rewrite_cli"
TABLES = """
CREATE TABLE parents (id int PRIMARY KEY, owner int NOT NULL, name text);
CREATE TABLE children (id int PRIMARY KEY, parent_id int NOT NULL REFERENCES parents, kind text, amount int);
INSERT INTO parents SELECT g, g % 5, 'p' || g FROM generate_series(1, 40) g;
INSERT INTO children SELECT g, 1 + g % 30, (ARRAY['a','b'])[1 + g % 2], g FROM generate_series(1, 400) g;
CREATE INDEX ON children (parent_id);
CREATE TABLE nothing (id int, parent_id int);
ANALYZE;
"""
for unwanted in ("DATABASE_URL", "PGDATABASE", "PGOPTIONS", "PGSERVICE", "PGMEND_CONFIG"):
    os.environ.pop(unwanted, None)
state = {"number": 0, "failed": 0}


def check(good, name, found=""):
    state["number"] += 1
    state["failed"] += not good
    print(f"{'ok' if good else 'not ok'} {state['number']} - {name}", flush=True)
    if not good:
        print("# " + str(found)[:3000].replace("\n", "\n# "), flush=True)


def psql(sql, database=DATABASE):
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip()


def pgmend(*args, words=("queries", "rewrite")):
    return subprocess.run([PGMEND, *words, *args], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "PGDATABASE": DATABASE})


PARENT = ["--parent", "SELECT id, name FROM parents WHERE owner = $1 ORDER BY id", "--key", "id", "--value", "1=3"]
CHILD = ["--child", "SELECT sum(amount) AS total FROM children WHERE parent_id = $1 AND kind = 'a'"]


def loop_of(done):
    return json.loads(done.stdout)["loops"][0]


def test_proof(folder):
    done = pgmend(*PARENT, *CHILD, "--rounds", "1", "--json")
    check(done.returncode == 0, "a loop whose rewrites are proven ends with 0", done.stdout + done.stderr)
    loop = loop_of(done)
    forms = {form["form"]: form for form in loop["forms"]}
    check({"lateral", "joined"} <= set(forms), "lateral and joined are written", forms.keys())
    check(all(form["proof"]["is_same"] for form in forms.values()), "all of them are proven", forms)
    check(forms["joined"]["proof"]["loop"]["statements"] == 1 + int(psql("SELECT count(*) FROM parents WHERE owner = 3")),
          "the loop is the parent and one for each of its rows", forms["joined"])
    # Ten parents have no children; NULL and one that is nowhere come to them.
    check(forms["lateral"]["proof"]["keys_null"] == 1, "NULL was tried", forms["lateral"])
    # The statement that is recommended is run by psql, without pgmend.
    sql = loop["recommended_sql"].replace("$1::integer", "3")
    if loop["recommended"] == "joined":
        total = psql(f"SELECT sum(total) FROM ({sql}) AS x")
        check(total == psql("SELECT sum(amount) FROM children JOIN parents p ON p.id = parent_id "
                            "WHERE owner = 3 AND kind = 'a'"), "what it gives is right by psql", total)
    check("group_by" in loop["hints"][0]["sqlalchemy"], "the advice for an aggregate groups", loop["hints"])


def test_wrong(folder):
    wrong = folder / "wrong.sql"
    wrong.write_text("SELECT p.id, sum(c.amount) FROM parents p LEFT JOIN children c ON c.parent_id = p.id\n"
                     " WHERE p.owner = $1 AND c.kind = 'a' GROUP BY p.id;\n")
    done = pgmend(*PARENT, *CHILD, "--rounds", "1", "--with", str(wrong), "--json")
    check(done.returncode == 10, "an inner join in disguise ends with 10", done.stdout + done.stderr)
    proof = loop_of(done)["forms"][0]["proof"]
    key = proof["difference"]["key"]
    check(not proof["is_same"] and psql(f"SELECT count(*) FROM children WHERE parent_id = {key} AND kind = 'a'") == "0",
          "the key that is shown has no children of the kind", proof)
    right = folder / "right.sql"
    right.write_text(wrong.read_text().replace(" WHERE p.owner = $1 AND c.kind = 'a'", " AND c.kind = 'a' WHERE p.owner = $1"))
    done = pgmend(*PARENT, *CHILD, "--rounds", "1", "--with", str(right))
    check(done.returncode == 0 and "yours" in done.stdout, "with the condition in ON it is proven", done.stdout + done.stderr)


def test_by_keys(folder):
    """The user of the trace stands in the statement: right for the parent's rows that were seen, wrong for others."""
    child = ["--child", "SELECT count(*) AS n FROM children c JOIN parents p ON p.id = c.parent_id "
             "WHERE c.parent_id = $1 AND p.owner = $2", "--value", "1.2=$1"]
    sql = ("SELECT k.n AS key_ord, (SELECT count(*) FROM children c JOIN parents p ON p.id = c.parent_id WHERE c.parent_id = k.v "
           "AND p.owner = {}) FROM unnest($1::int[]) WITH ORDINALITY AS k(v, n) WHERE $2::int IS NOT NULL")
    mine = folder / "mine.sql"
    mine.write_text(sql.format("3"))
    done = pgmend(*PARENT, *child, "--rounds", "1", "--with", str(mine))
    check(done.returncode == 10 and "asked    $1 = " in done.stdout, "a user in the text is refused", done.stdout + done.stderr)
    mine.write_text(sql.format("$2"))
    done = pgmend(*PARENT, *child, "--rounds", "1", "--with", str(mine), "--json")
    check(done.returncode == 0, "the parent's user is proven", done.stdout + done.stderr)
    proof = loop_of(done)["forms"][0]["proof"]
    check(proof["keys_answered"] >= 30 and proof["parameter_sets"] >= 5, "for the rows of each user", proof)
    counted = psql("SELECT count(*) FROM pg_stat_statements AS s JOIN pg_database AS d ON d.oid = s.dbid "
                   "WHERE d.datname = current_database() AND s.query LIKE '%pgmend\\_proof%'")
    check(counted == "0", "pg_stat_statements counts no proofs", counted)
    mine.write_text("WITH gone AS (DELETE FROM children WHERE parent_id = ANY($1::int[]) RETURNING *) "
                    "SELECT parent_id, count(*) FROM gone GROUP BY 1")
    done = pgmend(*PARENT, *CHILD, "--with", str(mine))
    check(done.returncode == 1 and "writes (DELETE)" in done.stderr, "what writes is told as such", done.stdout + done.stderr)


def test_settings():
    """Settings hold from the first word on: a policy reads one, and names are found by another."""
    psql("CREATE SCHEMA other; CREATE TABLE other.guarded AS SELECT * FROM children; "
         "ALTER TABLE other.guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; "
         "CREATE POLICY own ON other.guarded USING (amount % 5 = current_setting('app.owner')::int); "
         f"CREATE ROLE {DATABASE} LOGIN; GRANT USAGE ON SCHEMA other TO {DATABASE}; "
         f"GRANT SELECT ON other.guarded, parents TO {DATABASE}")
    done = pgmend(*PARENT, "--child", "SELECT amount FROM guarded WHERE parent_id = $1::int ORDER BY amount", "--set",
                  "app.owner=3", "--set", "search_path=other, public", "--rounds", "1", "--json",
                  "--db-url", f"postgresql://{DATABASE}@/{DATABASE}")
    check(done.returncode == 0, "--set is there when the statements are prepared", done.stdout + done.stderr)
    forms = {form["form"]: form["proof"]["is_same"] for form in loop_of(done)["forms"]}
    check(forms == {"any": True, "lateral": True, "joined": True}, "a cast key is asked by any, too", forms)


def test_usage(folder):
    empty, trace = folder / "empty.json", folder / "t.trace"
    empty.write_text("")
    trace.write_text('{"pgmend_trace":1,"source":"wire","values":false}\n')
    for args, status, text in (
        ([], 2, "nothing to rewrite"),
        (["--child", "SELECT 1"], 2, "has no $1"),
        (["--child", "SELECT name FROM parents WHERE id = $1", "--plan", "x.json"], 2, "--function"),
        (["--child", "SELECT name FROM parents WHERE id = $1", "--value", "x"], 2, "--value"),
        (["--child", "SELECT name FROM parents WHERE id = $1", "--try", "no number"], 2, "--try no number is no integer"),
        (["--child", "SELECT name FROM parents WHERE id = $1 AND pg_sleep(0) IS NULL"], 3, "volatile function pg_sleep()"),
        (["--child", "SELECT id FROM nothing WHERE parent_id = $1"], 3, "not proven"),
        (["/does/not/exist.json"], 1, "/does/not/exist.json"),
        ([str(empty)], 1, "is empty"),
        ([str(trace)], 1, "is a trace"),
        (["--child", "SELEC $1 FROM"], 1, "syntax error"),
        (["--child", "SELEC 1"], 1, "syntax error"),
        (["--child", "SELECT name FROM parents WHERE id = $1", "--set", "foo"], 2, "NAME=VALUE"),
        (["--child", "SELECT name FROM parents WHERE id = $1", "--set", "nope=1"], 2, "nope"),
        (["--child", "SELECT name FROM nowhere WHERE id = $1"], 1, "nowhere"),
        (PARENT[:2] + ["--key", "colour"] + CHILD, 2, "no such column"),
    ):
        done = pgmend(*args)
        check(done.returncode == status and text in done.stderr + done.stdout, f"{' '.join(args)[:60]}: {status}, {text}",
              f"{done.returncode}\n{done.stdout}{done.stderr}")
    done = pgmend("--child", "DELETE FROM children WHERE parent_id = $1 RETURNING id")
    check(psql("SELECT count(*) FROM children") == "400", "nothing is deleted", done.stdout + done.stderr)
    check(done.returncode in (1, 3), "a loop that writes has no rewrite", f"{done.returncode} {done.stdout}{done.stderr}")


def test_plan(folder):
    plan, script, journal = folder / "plan.json", folder / "out.sql", folder / "state"
    done = pgmend(*PARENT, *CHILD, "--rounds", "1", "--form", "joined", "--output", str(script), "--plan", str(plan),
                  "--function", "totals_of")
    check(done.returncode == 0 and plan.exists(), "a plan is written", done.stdout + done.stderr)
    check("LATERAL" in script.read_text() and "-- $1 integer: $1 of the parent, for example 3" in script.read_text(),
          "and the statement with what it takes", script.read_text())
    check("$1 integer: $1 of the parent" in done.stdout, "the screen says it, too", done.stdout)
    check(psql("SELECT count(*) FROM pg_proc WHERE proname = 'totals_of'") == "0", "nothing is made yet")
    done = pgmend(str(plan), "--yes", "--state-dir", str(journal), "--override", "all", "--reason", "a test", words=("apply",))
    check(done.returncode == 0 and psql("SELECT proargnames[1] FROM pg_proc WHERE proname = 'totals_of'") == "owner",
          "pgmend apply makes the function, with names for what it takes", done.stdout + done.stderr)
    check(psql("SELECT string_agg(id || ':' || coalesce(total, 0), ' ' ORDER BY key_ord) FROM totals_of(3)") ==
          psql("SELECT string_agg(p.id || ':' || (SELECT coalesce(sum(amount), 0) FROM children WHERE parent_id = p.id "
               "AND kind = 'a'), ' ' ORDER BY p.id) FROM parents p WHERE owner = 3"), "it gives what the loop gives")
    done = pgmend("--yes", "--state-dir", str(journal), words=("rollback",))
    check(done.returncode == 0 and psql("SELECT count(*) FROM pg_proc WHERE proname = 'totals_of'") == "0",
          "pgmend rollback takes it away", done.stdout + done.stderr)


def test_set(folder):
    """No index on the key: one statement with both side by side reads the table once a key, each by itself once in all."""
    psql("CREATE TABLE notes AS SELECT g AS id, 1 + g % 40 AS parent_id, 'n' || g AS body FROM generate_series(1, 4000) g; "
         "CREATE TABLE marks AS SELECT g AS id, 1 + g % 40 AS parent_id, g % 7 AS mark FROM generate_series(1, 4000) g; ANALYZE")
    plan, script, journal = folder / "set.json", folder / "set.sql", folder / "set-state"
    done = pgmend("--parent", "SELECT id, name FROM parents WHERE id > $1 ORDER BY id", "--key", "id", "--value", "1=0",
                  "--child", "SELECT body FROM notes WHERE parent_id = $1", "--child", "SELECT mark FROM marks WHERE parent_id = $1",
                  "--rounds", "3", "--json", "--output", str(script), "--plan", str(plan), "--function", "part_of")
    check(done.returncode == 0, "two statements of a loop are rewritten", done.stdout + done.stderr)
    loop = loop_of(done)
    forms = {(form["form"], form.get("statement")): form for form in loop["forms"]}
    check(loop["recommended"] == "set" and len(loop["recommended_set"]) == 2 and loop["recommended_sql"] is None,
          "one statement for each is recommended where they are faster together", loop)
    chosen = [forms[one["form"], one["statement"]]["proof"] for one in loop["recommended_set"]]
    times = [sum(proof[side]["elapsed_us"] for proof in chosen) for side in ("loop", "rewrite")]
    whole = max(form["proof"]["speed_up"] for form in loop["forms"] if "statement" not in form)
    check(all(proof["is_same"] for proof in chosen) and abs(loop["recommended_speed_up"] - times[0] / times[1]) < 0.01
          and times[0] / times[1] > whole, "each is proven, and their sum is less than the best whole form's", [times, whole])
    for one, column, table in zip(loop["recommended_set"], ("body", "mark"), ("notes", "marks")):
        key = "$1::integer[]" if "$1::integer[]" in one["sql"] else "$1"
        got = psql(f"SELECT md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM "
                   f"(SELECT {column} FROM ({one['sql'].replace(key, 'ARRAY[3,7,99]')}) AS y) AS x")
        check(got == psql(f"SELECT md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM (SELECT {column} FROM {table} "
                          "WHERE parent_id IN (3, 7, 99)) AS x"), f"what the statement for {table} gives is right by psql", one)
    text = script.read_text()
    check(all(one["sql"] in text for one in loop["recommended_set"]), "--output has both", text)
    done = pgmend(str(plan), "--yes", "--state-dir", str(journal), "--override", "all", "--reason", "a test", words=("apply",))
    made = psql("SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc WHERE proname LIKE 'part\\_of%'")
    check(done.returncode == 0 and made == "part_of_1 part_of_2", "--plan makes a function of each", made + done.stdout + done.stderr)
    check(psql("SELECT count(*) FROM part_of_2(ARRAY[3,7])") == "200", "which give the loop's rows")


def traced(folder, users, child, other=()):
    """The findings of a client that writes its values into the SQL, as psycopg2 does: a request of each user."""
    file = folder / f"literals-{len(list(folder.iterdir()))}.json"
    trace = nplus1test.Trace(f"postgresql:///{DATABASE}")
    for user in users:
        ids = psql(f"SELECT id FROM assistants WHERE user_id = {user} ORDER BY id").split()
        commands = [f"SELECT id FROM assistants WHERE user_id={user}"] + [child.format(id=number, user=user) for number in ids]
        for text in other:
            commands = [command.replace(text, other[text]) for command in commands]
        subprocess.run(["psql", "-XqAt", "-h", "127.0.0.1", "-p", str(trace.port), "-d", DATABASE]
                       + [word for command in commands for word in ("-c", command)], capture_output=True, text=True, check=True)
    trace.stop()
    done = pgmend(str(trace.file), "--output", str(file), words=("queries", "nplusone"))
    check(file.exists(), f"a loop of users {users} is found", done.stdout + done.stderr)
    return str(file)


def test_literals(folder):
    """User 4 stands in parent and child: the rewrite has to be right for user 3, too, whom the trace may not have."""
    psql("CREATE TABLE assistants AS SELECT g AS id, 3 + g % 3 AS user_id FROM generate_series(1, 30) g; "
         "CREATE TABLE dialogs AS SELECT g AS id, 1 + g % 30 AS assistant_id, 3 + (1 + g % 30) % 3 AS user_id, g % 2 AS is_taken_over, "
         "3 + g % 3 AS rank FROM generate_series(1, 900) g; "
         "CREATE INDEX ON dialogs (assistant_id); ANALYZE")
    child = "SELECT count(*) FROM dialogs WHERE assistant_id={id} AND user_id={user} AND is_taken_over=0"
    for users in ((4,), (3, 4, 5)):
        done = pgmend(traced(folder, users, child), "--form", "joined", "--rounds", "1", "--json")
        check(done.returncode == 0, f"users {users}: joined is proven", done.stdout + done.stderr)
        loop = loop_of(done)
        sql = loop["recommended_sql"] or ""
        check("$1" in sql and "$2" not in sql and "is_taken_over" in sql, f"users {users}: parent and child have one parameter", sql)
        for user in (3, 4, 5):
            got = psql(f"SELECT string_agg(id || ':' || count, ' ' ORDER BY id) FROM ({sql.replace('$1', str(user))}) AS x")
            ids = psql(f"SELECT id FROM assistants WHERE user_id={user} ORDER BY id").split()
            looped = " ".join(f"{number}:{psql(child.format(id=number, user=user))}" for number in ids)
            check(got == looped, f"users {users}: for user {user} it gives what the loop gives", f"{got}\n{looped}")
        check("user_id = " in loop["shared_values"][0] and "also the parent's $1" in loop["shared_values"][0], "and that is told", loop)
        check(loop["forms"][0]["proof"]["keys_answered"] > 10, "the proof's loop has answers for other users, too", loop["forms"][0]["proof"])
    file = traced(folder, (4,), child)
    for form in ("grouped", "lateral"):
        sql = loop_of(pgmend(file, "--form", form, "--rounds", "1", "--json"))["recommended_sql"] or ""
        check("$2" in sql, f"{form}: the user is a parameter, not the one of the trace", sql)
    script = folder / "literals.sql"
    done = pgmend(file, "--form", "joined", "--rounds", "1", "--output", str(script))
    check("also the parent's $1" in done.stdout and "also the parent's $1" in script.read_text(), "the screen and --output tell it, too",
          done.stdout + done.stderr)
    number = next(n for n in range(1, 5) if f"--value 1.{n}=4" in done.stdout)
    sql = loop_of(pgmend(file, "--form", "joined", "--rounds", "1", "--json", "--value", f"1.{number}=4"))["recommended_sql"]
    check("$2" not in sql and "user_id=4" in sql, "--value says that it is a constant", sql)
    # The last user's request asks for the first one's rows: equal in one request is not equal.
    odd = "SELECT count(*) FROM dialogs WHERE assistant_id={id} AND is_taken_over=0 AND user_id=CASE_{user}"
    loop = loop_of(pgmend(traced(folder, (4, 3), odd, {"CASE_4": "4", "CASE_3": "5"}), "--form", "joined", "--rounds", "1", "--json"))
    check(loop["shared_values"] == [] and "$2" in (loop["recommended_sql"] or ""), "what differs in a request is not one", loop)
    child = "SELECT count(*) FROM dialogs WHERE assistant_id={id} AND rank=4"
    loop = loop_of(pgmend(traced(folder, (4,), child), "--form", "joined", "--rounds", "1", "--json"))
    sql = loop["recommended_sql"] or ""
    check("$2" in sql and "perhaps by chance" in loop["shared_values"][0], "another column of that value has its own parameter", loop)
    got = psql(f"SELECT sum(count) FROM ({sql.replace('$1', '3').replace('$2', '4')}) AS x")
    check(got == psql("SELECT count(*) FROM dialogs JOIN assistants a ON a.id = assistant_id WHERE a.user_id = 3 AND rank = 4"),
          "and is right for another user", got)


def main():
    psql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", "postgres")
    psql(f"DROP ROLE IF EXISTS {DATABASE}", "postgres")
    psql(f"CREATE DATABASE {DATABASE}", "postgres")
    try:
        psql(TABLES)
        psql("CREATE EXTENSION pg_stat_statements")
        with tempfile.TemporaryDirectory() as name:
            for test in (test_proof, test_wrong, test_by_keys, test_usage, test_plan, test_set, test_literals):
                test(pathlib.Path(name))
        test_settings()
    finally:
        psql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", "postgres")
        psql(f"DROP ROLE IF EXISTS {DATABASE}", "postgres")
    print(f"1..{state['number']}")
    return 1 if state["failed"] else 0


sys.exit(main())
