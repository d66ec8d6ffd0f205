""""pgmend queries trace" and "queries check" as a user runs them: what real clients send and get is what the trace says.

The environment names the program (PGMEND) and a server: PGHOST, PGPORT, PGUSER.
"""
import asyncio
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import nplus1test  # noqa: E402
from nplus1test import apitest  # noqa: E402

try:
    import asyncpg
    import psycopg2
    import psycopg2.extras
except ImportError as error:
    apitest.skip_all(f"these tests need Debian's python3-psycopg2 and python3-asyncpg: {error}")

NAME = "pgmend_test_trace_cli"
# One of each type that is brought to text, in a column of its own.
TYPES = """true::bool AS a, 32000::int2 AS b, -7 AS c, 9007199254740993::int8 AS d, 0.1::float4 AS e, 1e15::float8 AS f,
1234567.8900::numeric AS g, 'Диалог "x"'::text AS h, 'v'::varchar AS i, '\\x00ff'::bytea AS j,
'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS k, '2026-02-28'::date AS l, '12:34:56.5'::time AS m,
'2026-02-28 12:34:56.789'::timestamp AS n, '2026-02-28 12:34:56+00'::timestamptz AS o, '{"a": 1}'::json AS p,
'{"a": 1}'::jsonb AS q, '{1,NULL,3}'::int[] AS r, '{"a b",c}'::text[] AS s, NULL::int AS t"""


def url(trace=None, **more):
    words = {"dbname": NAME, "user": apitest.os.environ.get("PGUSER", "postgres"), **more}
    if trace:
        words |= {"host": "127.0.0.1", "port": trace.port}
    else:
        words |= {"host": apitest.os.environ["PGHOST"], "port": apitest.os.environ.get("PGPORT", "5432")}
    return " ".join(f"{key}={value}" for key, value in words.items())


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def statements_of(path):
    """Statements with their templates' texts."""
    lines = lines_of(path)
    texts = {line["t"]: line["text"] for line in lines if "t" in line}
    return [{**line, "text": texts[line["q"]]} for line in lines if "q" in line]


def values(column):
    return column["v"]


def make():
    subprocess.run(["psql", "-Xq", "-d", "postgres", "-c", "SET client_min_messages = warning", "-c",
                    f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)"], check=True)
    apitest.psql(f"CREATE DATABASE {NAME}")
    apitest.psql("""CREATE TABLE parent (id int PRIMARY KEY, secret text);
        CREATE TABLE child (id int PRIMARY KEY, parent_id int);
        INSERT INTO parent SELECT g, 'hush-' || g FROM generate_series(1, 20) AS g;
        INSERT INTO child SELECT g, g % 20 + 1 FROM generate_series(1, 100) AS g""", NAME)


# -- what the trace says is what the clients sent and got -----------------------------------------


async def by_asyncpg(trace, expected):
    connection = await asyncpg.connect(host="127.0.0.1", port=trace.port, database=NAME, ssl=False,
                                       user=apitest.os.environ.get("PGUSER", "postgres"),
                                       server_settings={"application_name": "by asyncpg"})
    async with connection.transaction():
        rows = await connection.fetch("SELECT id FROM parent WHERE id > $1 ORDER BY id", 15)
        for row in rows:
            await connection.fetchval("SELECT count(*) FROM child WHERE parent_id = $1", row["id"])
    expected["keys"] = [str(row["id"]) for row in rows]
    await connection.fetchrow(f"SELECT {TYPES}")
    await connection.fetch("INSERT INTO child SELECT 1000 + g, 1 FROM generate_series(1, $1) AS g", 7)
    try:
        await connection.fetch("SELECT 1 / $1::int", 0)
    except asyncpg.DivisionByZeroError:
        expected["failed"] = True
    await connection.close()


def by_psycopg2(trace):
    connection = psycopg2.connect(url(trace, application_name="psycopg2"))
    cursor = connection.cursor()
    cursor.execute("SET TimeZone TO 'UTC'")
    cursor.execute(f"SELECT {TYPES}")
    cursor.execute("SELECT id, secret FROM parent WHERE id <= %s ORDER BY id /*route='%%2Fparents',request_id='r7'*/", (3,))
    for (key, _) in cursor.fetchall():
        cursor.execute("SELECT id FROM child WHERE parent_id = %s AND id > -1", (key,))
    connection.commit()
    cursor.execute("SELECT 1; SELECT 2; SELECT 3")
    with connection.cursor("named") as named:
        named.itersize = 2
        named.execute("SELECT id FROM parent ORDER BY id LIMIT 5")
        apitest.same(len(list(named)), 5, "a named cursor gives its rows through the proxy")
    connection.rollback()
    psycopg2.extras.execute_values(cursor, "INSERT INTO child VALUES %s", [(5000 + i, 1) for i in range(100)])
    connection.rollback()
    connection.close()


def test_truth():
    trace = nplus1test.Trace(url(), "--exit-code")
    expected = {}
    asyncio.run(by_asyncpg(trace, expected))
    by_psycopg2(trace)
    said = trace.stop()
    apitest.same(trace.process.returncode, 3, "with --exit-code and findings the status is 3")
    apitest.check(f"127.0.0.1:{trace.port}" in said, "the address is told", said)
    found = statements_of(trace.file)
    binary = [one for one in found if one["app"] == "by asyncpg"]
    text = [one for one in found if one["app"] == "psycopg2"]

    parent = next(one for one in binary if "FROM parent" in one["text"])
    children = [one for one in binary if "FROM child" in one["text"]]
    apitest.same(values(parent["c"][0]), expected["keys"], "asyncpg: the parent's keys, out of binary rows")
    apitest.same([one["v"][0] for one in children], expected["keys"], "asyncpg: the children's parameters, in order")
    apitest.same((parent["v"], parent["p"]), (["15"], 1), "asyncpg: the parent's parameter")
    apitest.same([one["c"][0]["v"] for one in children], [["5"]] * 5, "asyncpg: what the children gave")
    apitest.same({one.get("x") for one in [parent, *children]}, {parent["x"]}, "asyncpg: they are of one transaction")
    apitest.check(all(one["db"] == NAME and one["rows"] >= 0 for one in children), "database and rows are told", children)
    failed = [one for one in found if one.get("failed")]
    apitest.check(len(failed) == 1 and "1 / " in failed[0]["sql"], "what failed is told", failed)
    inserted = [one for one in binary if "INSERT INTO child" in one["text"]]
    apitest.same([(one["rows"], one["v"][0]) for one in inserted], [(7, "7")], "rows of a write are counted")

    # The same values in binary form and as the server itself writes them.
    of_binary = next(one for one in binary if "AS f" in one["text"] and "AS q" in one["text"])
    of_text = next(one for one in text if "AS f" in one["text"] and "AS q" in one["text"])
    apitest.same([values(column) for column in of_binary["c"]], [values(column) for column in of_text["c"]],
                 "twenty types are the same out of binary form and as text")
    apitest.same([column["n"] for column in of_text["c"]], list("abcdefghijklmnopqrst"), "columns have their names")

    tagged = next(one for one in text if one.get("route"))
    apitest.same((tagged["route"], tagged["request"]), ("/parents", "r7"), "the comment's route and request")
    apitest.same(values(tagged["c"][1]), ["hush-1", "hush-2", "hush-3"], "psycopg2: rows of text")
    loop = [one for one in text if "parent_id" in one["text"] and one["text"].startswith("SELECT id")]
    apitest.same([one["v"][0] for one in loop], ["1", "2", "3"], "psycopg2: constants of the text are values")
    several = [one["v"] for one in text if one["text"] in ("SELECT $1", "SELECT $1 ")]
    apitest.same(several, [["1"], ["2"], ["3"]], "three statements of one message")
    apitest.check(sum(one["text"].startswith("FETCH") for one in text) >= 3, "a cursor's FETCHes are statements",
                  [one["text"] for one in text])
    apitest.check(any(one["text"].startswith("INSERT INTO child") and one["rows"] == 100 for one in text),
                  "a bulk insert is one statement", [one["text"][:60] for one in text])
    end = lines_of(trace.file)[-1]
    apitest.check(end.get("end") and end["statements"] == len(found) and end["lost"] == 0, "the end counts them", end)

    whole = json.loads(nplus1test.pgmend("queries", "nplusone", trace.file, "--json")[0])
    apitest.check(any(one["kind"] == "n+1" and one["parent"]["key_name"] == "id" for one in whole["findings"]),
                  "the loop is a finding, with its parent", whole["findings"])
    trace.end()


def test_hashes():
    """Without --keep-values neither the file nor what is said holds a value."""
    trace = nplus1test.Trace(url(), "--for", "1h", is_kept=False)
    by_psycopg2(trace)
    said = trace.stop()
    data = pathlib.Path(trace.file).read_text(encoding="utf-8")
    apitest.check("hush-" not in data and "hush-" not in said, "no value stands in the file or on the screen", said)
    # As a kept value or in a kept text: four digits may stand in a hash or a time by chance.
    apitest.check("Диалог" not in data and not re.search(r'"5099"|[=,(] ?5099\b', data), "no constant of a text does", "")
    apitest.same(pathlib.Path(trace.file).stat().st_mode & 0o777, 0o600, "only its owner can read the file")
    apitest.same(trace.process.returncode, 0, "Ctrl-C is an end in order")
    tagged = next(one for one in statements_of(trace.file) if one.get("route"))
    loop = [one["v"][0] for one in statements_of(trace.file)
            if "parent_id" in one["text"] and one["text"].startswith("SELECT id")]
    apitest.same(loop, values(tagged["c"][0]), "hashes of constants are those of the parent's cells")
    trace.end()


# -- check ------------------------------------------------------------------------------------------


def requests(path, count, loop, extra=False):
    """A trace of two routes: a list with as many children as rows if loop, and a single statement."""
    trace = nplus1test.Trace(url())
    connection = psycopg2.connect(url(trace))
    connection.autocommit = True
    cursor = connection.cursor()
    for turn in range(3):
        tag = f"/*route='list',request_id='list{turn}'*/"
        cursor.execute(f"SELECT id FROM parent ORDER BY id LIMIT {count} {tag}")
        for (key,) in cursor.fetchall() if loop else []:
            cursor.execute(f"SELECT count(*) FROM child WHERE parent_id = {key} {tag}")
        cursor.execute(f"SELECT count(*) FROM child /*route='one, <\"&\"> route',request_id='one{turn}'*/")
    if extra:
        cursor.execute("SELECT 1 /*route='extra',request_id='e'*/")
    connection.close()
    trace.stop()
    path.write_bytes(pathlib.Path(trace.file).read_bytes())
    trace.end()


def check(*arguments):
    return nplus1test.pgmend("queries", "check", *arguments, may_fail=True)


def test_check(folder):
    few, many, batched, baseline = (folder / name for name in ("few", "many", "batched", "baseline.json"))
    requests(few, 3, True)
    requests(many, 12, True, extra=True)
    requests(batched, 12, False)

    out, err, status = check(few)
    apitest.check(status == 2 and "--baseline" in err, "without a baseline it says what is missing", (out, err, status))
    out, err, status = check(few, "--baseline", baseline)
    apitest.check(status == 1 and "--update" in err, "a baseline that is not there is told", (out, err, status))
    status = check(few, "--baseline", baseline, "--update")[2]
    stored = json.loads(baseline.read_text(encoding="utf-8"))
    apitest.same((status, {name: route["most"] for name, route in stored["routes"].items()}),
                 (0, {"list": 4, 'one, <"&"> route': 1}), "the baseline holds statements a request by route")
    before = baseline.read_bytes()
    check(few, "--baseline", baseline, "--update")
    apitest.same(baseline.read_bytes(), before, "the same trace makes the same baseline")
    apitest.same(check(few, "--baseline", baseline)[2], 0, "the same trace is good")

    out, err, status = check(many, "--baseline", baseline, "--json")
    verdicts = {route["route"]: route["verdict"] for route in json.loads(out)["routes"]}
    apitest.same((status, verdicts), (3, {"list": "more", 'one, <"&"> route': "same", "extra": "new"}),
                 "more statements fail, a new route does not")
    apitest.check("13 statements a request instead of 4" in out and "12 times instead of 3" in out and "parent_id" in out,
                  "which statement rose is told", out)
    apitest.same(check(many, "--baseline", baseline, "--allow", "9")[2], 0, "--allow is for that many more")
    out, _, status = check(batched, "--baseline", baseline)
    apitest.check(status == 0 and "1 statements a request instead of 4" in out, "fewer are told and good", out)

    out, _, status = check(few, "--grown", many, "--json")
    verdicts = {route["route"]: route["verdict"] for route in json.loads(out)["routes"]}
    apitest.same((status, verdicts), (3, {"list": "grows", 'one, <"&"> route': "unproven", "extra": "new"}),
                 "more rows and more statements: it grows")
    requests(few, 3, False)
    out, _, status = check(few, "--grown", batched, "--json")
    verdicts = {route["route"]: route["verdict"] for route in json.loads(out)["routes"]}
    apitest.same((status, verdicts["list"]), (0, "same"), "more rows and as many statements: it does not")

    out, _, status = check(many, "--baseline", baseline, "--format", "github")
    apitest.check(status == 3 and "::error title=list::13 statements" in out and "::notice title=extra::" in out,
                  "GitHub's annotations", out)
    junit = folder / "junit.xml"
    check(many, "--baseline", baseline, "--format", "junit", "--output", junit)
    suite = xml.etree.ElementTree.parse(junit).getroot().find("testsuite")
    cases = {case.get("name"): [part.tag for part in case] for case in suite}
    apitest.same(cases, {"list": ["failure"], 'one, <"&"> route': [], "extra": []}, "JUnit, read by an XML parser")
    apitest.same((suite.get("tests"), suite.get("failures")), ("3", "1"), "JUnit counts them")

    (folder / "empty").write_bytes(b"")
    out, err, status = check(folder / "empty", "--baseline", baseline)
    apitest.check(status == 1 and "empty" in err, "an empty file is told", (out, err))
    broken = folder / "broken"
    broken.write_bytes(few.read_bytes().replace(b'{"q":', b'{q:', 1))
    out, err, status = check(broken, "--baseline", baseline)
    apitest.check(status == 1 and f"{broken}:" in err, "a broken line is told with its number", (out, err))
    baseline.write_text("[]", encoding="utf-8")
    out, err, status = check(few, "--baseline", baseline)
    apitest.check(status == 1 and "no baseline" in err, "a file that is no baseline is told", (out, err))


def nplusone(*arguments):
    return nplus1test.pgmend("queries", "nplusone", *arguments, may_fail=True)


def test_hostile(folder):
    """Routes are anybody's text; files that hold nothing, and one that is not there but was begun."""
    hostile, baseline = folder / "hostile", folder / "hostile.json"
    requests(hostile, 3, True)
    text = hostile.read_text(encoding="utf-8")
    hostile.write_text(text.replace('"route":"list"', r'"route":"l\r\n::error file=x\u009b\u202e"'), encoding="utf-8")
    check(hostile, "--baseline", baseline, "--update")
    hostile.write_text(hostile.read_text(encoding="utf-8").replace("::error file", "::error File"), encoding="utf-8")
    for form in ("text", "github", "junit"):
        out, err, _ = check(hostile, "--baseline", baseline, "--format", form)
        apitest.check("File=x" in out and not any(char in out for char in "\r\u009b\u202e")
                      and "\n::error file" not in out.lower(), f"{form}: a route stays on its line", (out, err))

    begun = folder / "begun.Ab12Cd"
    begun.write_text("".join(text.splitlines(True)[:-1]), encoding="utf-8")
    out, err, status = nplusone(folder / "begun")
    apitest.check(status == 1 and str(begun) in err, "what a killed trace left is named", (out, err))
    out, err, status = nplusone(begun)
    apitest.check(status == 0 and "The end of a trace is missing" in out, "and can be read", (out, err))
    (folder / "nothing").write_text(text.splitlines(True)[0], encoding="utf-8")
    out, err, status = nplusone(folder / "nothing")
    apitest.check(status == 1 and "no statement" in err and "ok" not in out, "nothing is no good result", (out, err))
    port = apitest.free_port()
    out, err, status = nplus1test.pgmend("queries", "trace", "--listen", f":{port}", "--for", "1s",
                                         "--db-url", f"postgresql://localhost:{port}/x", may_fail=True)
    apitest.check(status == 2 and "that of the server" in err, "it is not its own server", (out, err))


# -- usage -----------------------------------------------------------------------------------------


def test_usage(folder):
    for arguments, word in [
            ([], "--enable-logging"),
            (["--listen", ":1", "--enable-logging"], "only one"),
            (["--listen", "127.0.0.1:0", "--tls-cert", "x"], "--tls-key"),
            (["--listen", "127.0.0.1:0", "--buffer", "1kB"], "--buffer"),
            (["--listen", "127.0.0.1:0", "--min-repeats", "1"], "--min-repeats is"),
            (["--listen", "127.0.0.1:0", "--max-connections", "0"], "--max-connections is"),
            (["--listen", "foo", "--db-url", url()], "no address to listen at"),
            (["--listen", "127.0.0.1:99999", "--db-url", url()], "no address to listen at")]:
        out, err, status = nplus1test.pgmend("queries", "trace", *arguments, may_fail=True)
        apitest.check(status == 2 and word in err, f"wrong options are told: {' '.join(arguments) or 'none'}", (out, err))
    out, err, status = nplus1test.pgmend("queries", "trace", "--listen", "127.0.0.1:0", "--db-url", "host=a,b", may_fail=True)
    apitest.check(status == 2 and "several hosts" in err, "a URL of several hosts is refused", (out, err))
    for option in ("--output", "--findings"):
        out, err, status = nplus1test.pgmend("queries", "trace", "--listen", "127.0.0.1:0", option, folder / "no" / "x",
                                             "--db-url", url(), may_fail=True)
        apitest.check(status == 1 and "no/x" in err, f"a file of {option} that cannot be written is told at once", (out, err))
    there = folder / "there.trace"
    there.write_text("of yesterday", encoding="utf-8")
    out, err, status = nplus1test.pgmend("queries", "trace", "--listen", "127.0.0.1:0", "--db-url", url(), "--for", "1s",
                                         "--output", there, may_fail=True)
    apitest.check(status == 0 and f"{there} is there: this trace will replace it" in err and lines_of(there)[-1].get("end"),
                  "that a trace file is replaced is told before", (out, err))
    out, err, status = nplus1test.pgmend("queries", "trace", "--listen", "127.0.0.1:0", "--db-url", url(), "--for", "1s",
                                         "--json", may_fail=True)
    apitest.check(status == 0 and json.loads(out)["findings"] == [], "--for ends it by itself", (out, err))

    trace = nplus1test.Trace(url())
    connection = psycopg2.connect(url(trace))
    connection.cursor().execute("SELECT 1")
    trace.process.send_signal(signal.SIGTERM)
    trace.process.wait(apitest.DEADLINE_S)
    try:
        connection.cursor().execute("SELECT 2")
        lost = False
    except psycopg2.Error:
        lost = True
    apitest.check(lost and trace.process.returncode == 0 and lines_of(trace.file)[-1].get("end"),
                  "SIGTERM ends it in order, with the connections", trace.said())
    trace.end()


def main():
    make()
    with tempfile.TemporaryDirectory(prefix="pgmend-trace-cli-") as folder:
        test_truth()
        test_hashes()
        test_check(pathlib.Path(folder))
        test_hostile(pathlib.Path(folder))
        test_usage(pathlib.Path(folder))
    apitest.psql(f"DROP DATABASE {NAME} WITH (FORCE)")
    apitest.done()


main()
