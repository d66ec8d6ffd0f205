#!/usr/bin/env python3
"""Tests of tools/: each plants what the tool is there to find. Speaks TAP."""
import contextlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import traceback
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))

import docs  # noqa: E402
import golden  # noqa: E402
import layers  # noqa: E402
import limits  # noqa: E402
import matrix  # noqa: E402
import picture  # noqa: E402
import testsum  # noqa: E402


class Folder(unittest.TestCase):
    """A temporary folder with planted files."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return str(path)


class Sqlgen(Folder):
    GOOD = """
        -- Indexes that no query uses,
        -- since the last reset.
        --
        -- More.
        -- @arg    min_size  int8   in bytes
        -- @column name      text?
        -- @column size      int8   bytes
        -- @server 14+

        SELECT 'a;$2"\\b', $1::int8; -- $3
        """

    def generate(self, *paths):
        return subprocess.run([sys.executable, str(ROOT / "tools/sqlgen.py"), str(self.root), *paths],
                              capture_output=True, text=True, check=False)

    def refused(self, old, new, message):
        path = self.write("index/unused.sql", self.GOOD.replace(old, new))
        run = self.generate(path)
        self.assertEqual(run.returncode, 1)
        self.assertEqual(run.stderr.strip(), f"{path}:{message}")

    def test_a_statement_becomes_structs_tables_and_a_call(self):
        run = self.generate(self.write("index/unused.sql", self.GOOD),
                            self.write("index/unused.pg15.sql", "-- Before 16.\nSELECT NULL, $1"))
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        header = (self.root / "sql.h").read_text()
        source = (self.root / "sql.c").read_text()
        self.assertIn("/* Indexes that no query uses, since the last reset. */", header)
        self.assertIn("struct sql_index_unused {\n    const char *name;\n    int64_t size; /* bytes */\n};", header)
        self.assertIn("struct sql_index_unused_args {\n    int64_t min_size; /* in bytes */\n};", header)
        self.assertIn("#define sql_index_unused(ctx, db, ret, ...)", header)
        self.assertIn("FIELD(struct sql_index_unused, name, .required = false", source)
        self.assertLess(source.index("{ 15,"), source.index("{ 0,"))
        self.assertIn('"SELECT \'a;$2\\"\\\\b\', $1::int8; -- $3\\n"', source)

    def test_a_call_without_arguments_or_columns_takes_none(self):
        run = self.generate(self.write("change/note.sql", "-- Notes.\n-- @server 14-16\nDELETE FROM a;\n"))
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("#define sql_change_note(ctx, db) ", (self.root / "sql.h").read_text())
        self.assertIn(".max_major = 16", (self.root / "sql.c").read_text())

    def test_no_statements_at_all_are_fine(self):
        self.assertEqual(self.generate().returncode, 0)
        self.assertIn("queries_all_count = 0", (self.root / "sql.c").read_text())

    def test_a_missing_purpose_is_refused(self):
        self.refused("-- Indexes that no query uses,\n        -- since the last reset.\n        --\n        -- More.\n        ",
                     "", "1: the header comment does not say what the query is for")

    def test_an_unknown_type_is_refused(self):
        self.refused("int8   bytes", "numeric", "7: unknown type numeric")

    def test_a_nullable_number_is_refused(self):
        self.refused("int8   bytes", "int8?", "7: int8 cannot be NULL here: use coalesce or text")

    def test_an_undeclared_parameter_is_refused(self):
        self.refused("$1::", "$1 + $2::", "10: $2 has no @arg")

    def test_an_unused_argument_is_refused(self):
        self.refused("$1", "1", "1: @arg min_size is never used as $1")

    def test_a_name_given_twice_is_refused(self):
        self.refused("@column size", "@column name", "7: a name that is not there yet and a type are expected")

    def test_two_statements_are_refused(self):
        self.refused("$1::int8", "$1; SELECT 2", "10: one statement is expected")

    def test_an_unknown_declaration_is_refused(self):
        self.refused("@server 14+", "@servers 14+", "8: @servers 14+ is not understood")

    def test_declarations_in_a_variant_are_refused(self):
        path = self.write("index/unused.pg15.sql", self.GOOD)
        self.assertEqual(self.generate(path).stderr.strip(), f"{path}:5: declarations stand in the file without .pg")

    def test_a_variant_alone_is_refused(self):
        path = self.write("index/unused.pg15.sql", "-- Before 16.\nSELECT 1")
        self.assertEqual(self.generate(path).stderr.strip(),
                         f"{path}:1: index/unused.sql is missing or has no @server")


class Layers(Folder):
    TABLE = """
        <!-- layers -->
        | folder | may include | libraries |
        | --- | --- | --- |
        | `base` | | `jansson.h` in `json.c`, `openssl/` in `crypto.c` |
        | `db` | `base` | `libpq-fe.h` |
        | `index`, `vector` | `base` `db` | |
        | `cmd` | everything | |
        <!-- /layers -->
        """

    def messages(self, **files):
        self.write("ARCHITECTURE.md", self.TABLE)
        for name, text in files.items():
            self.write("src/" + name.replace("__", "/") + ".c", text)
        return [message.removeprefix(str(self.root) + "/") for message in layers.check(self.root)]

    def test_what_the_table_allows_passes(self):
        self.assertEqual([], self.messages(
            base__json='#include <jansson.h>\n#include "base/json.h"\n',
            base__crypto="#include <openssl/evp.h>\n#include <stdio.h>\n",
            db__connect='#include "base/json.h"\n#include <libpq-fe.h>\n',
            cmd__vector='#include "vector/a.h"\n#include "index/b.h"\n',
            main='#include "cmd/all.h"\n'))

    def test_a_feature_that_includes_another_is_found(self):
        self.assertEqual(["src/index/a.c:2: index/ may not include vector/"],
                         self.messages(index__a='#include "db/db.h"\n#include "vector/b.h"\n'))

    def test_a_layer_that_looks_up_is_found(self):
        self.assertEqual(["src/base/a.c:1: base/ may not include db/"], self.messages(base__a='# include "db/db.h"\n'))

    def test_a_library_outside_its_folder_is_found(self):
        self.assertEqual(["src/cmd/a.c:1: cmd/ may not include <libpq-fe.h>"],
                         self.messages(cmd__a="#include <libpq-fe.h>\n"))

    def test_a_library_outside_its_file_is_found(self):
        self.assertEqual(["src/base/a.c:1: <openssl/sha.h> belongs in crypto.c only"],
                         self.messages(base__a="#include <openssl/sha.h>\n"))

    def test_the_header_made_from_sql_is_of_its_folder(self):
        self.assertEqual(["src/base/a.c:1: base/ may not include sql/"],
                         self.messages(base__a='#include "sql.h"\n', cmd__a='#include "sql.h"\n'))

    def test_a_folder_without_a_row_is_found(self):
        self.assertEqual(["src/new/a.c:1: new/ has no row in the layers table"], self.messages(new__a="\n"))

    def test_an_include_that_is_not_rooted_at_src_is_found(self):
        self.assertEqual(['src/db/a.c:1: "db.h" is not rooted at src'], self.messages(db__a='#include "db.h"\n'))


    def test_a_folder_inside_another_needs_a_line(self):
        self.write("docs/internals.md", "| `src/db/pool` | many |\n| `src/db/gone` | nothing |\n")
        messages = self.messages(db__pool__pool="\n", db__other__one="\n")
        self.assertEqual(["docs/internals.md:1: src/db/other has no line in the table of folders",
                          "docs/internals.md:1: src/db/gone is not there"], messages)


class Picture(Folder):
    def setUp(self):
        super().setUp()
        self.write("src/base/text.h", "")
        self.write("src/db/open.c", '#include "base/text.h"\n')
        self.write("src/cmd/top.c", '#include "base/text.h"\n#include "db/open.h"\n')

    def run_it(self, *arguments):
        return subprocess.run([sys.executable, ROOT / "tools/picture.py", *arguments, self.root],
                              capture_output=True, text=True, check=False)

    def test_arrows_are_what_is_included_and_not_implied(self):
        graph = picture.includes(self.root)
        self.assertEqual({"base": set(), "db": {"base"}, "cmd": {"base", "db"}}, graph)
        self.assertEqual({"base": set(), "db": {"base"}, "cmd": {"db"}}, picture.reduced(graph))
        self.assertEqual([["base"], ["db"], ["cmd"]], picture.rows_of(graph))

    def test_a_folder_stands_just_below_the_lowest_that_includes_it(self):
        graph = {"a": {"b", "page"}, "b": {"c"}, "c": set(), "page": set()}
        self.assertEqual([["c"], ["b", "page"], ["a"]], picture.rows_of(graph))

    def test_a_picture_of_other_includes_is_refused(self):
        self.assertEqual(1, self.run_it("--check").returncode)
        self.assertEqual(0, self.run_it().returncode)
        self.assertEqual(0, self.run_it("--check").returncode)
        self.write("src/db/more.c", '#include "event/loop.h"\n')
        self.assertIn("is not the picture", self.run_it("--check").stderr)


class Limits(Folder):
    def messages(self):
        return [message.removeprefix(str(self.root) + "/") for message in limits.check(self.root)]

    def test_a_long_function_is_found_and_a_short_one_is_not(self):
        self.write("src/meson.build", "files('a.c')")
        body = "int\nf(void)\n{\n" + "    x();\n" * 60 + "}\n"
        self.write("src/a.c", body)
        self.assertEqual([], self.messages())
        self.write("src/a.c", body.replace("}\n", "    y();\n}\n"))
        self.assertEqual(["src/a.c:3: the function has 61 lines, 60 is the limit"], self.messages())

    def test_a_long_file_is_found(self):
        self.write("src/a.h", "/* A line. */\n" * 801)
        self.assertEqual(["src/a.h:801: 801 lines: split the file, 800 is the limit"], self.messages())

    def test_a_banner_is_found(self):
        self.write("src/a.h", "/* Fine. */\n/* " + "-" * 10 + " part two */\n")
        self.assertEqual(["src/a.h:2: a banner: sentences say why, blank lines part"], self.messages())

    def test_files_that_the_build_does_not_list_are_found(self):
        self.write("src/meson.build", "files(\n  'base/a.c',\n)")
        self.write("src/sql/meson.build", "files(\n  'index/a.sql',\n)")
        self.write("test/meson.build", "unit_tests = [\n  'a',\n]")
        for name in ("src/base/a.c", "src/base/b.c", "src/sql/index/a.sql", "src/sql/index/b.sql",
                     "test/unit/test_a.c", "test/unit/test_b.c"):
            self.write(name, "\n")
        self.assertEqual([f"{name}:1: no meson.build lists this file, so it is never built"
                          for name in ("src/base/b.c", "src/sql/index/b.sql", "test/unit/test_b.c")], self.messages())

    def test_an_extern_that_one_file_uses_is_found(self):
        self.write("src/meson.build", "files('base/a.c', 'base/b.c')")
        sources = {"base_a.c": self.write("src/base/a.c", "void g(void);\nvoid\nlonely(void)\n{\n    g();\n}\n"),
                   "base_b.c": self.write("src/base/b.c", "void g(void);\nvoid\ng(void)\n{\n}\n")}
        (self.root / "build/src/lib.a.p").mkdir(parents=True)
        for name, path in sources.items():
            subprocess.run(["cc", "-c", path, "-o", str(self.root / f"build/src/lib.a.p/{name}.o")], check=True)
        self.assertEqual([f"{self.root}/src/base/a.c:3: no other file uses lonely: make it static or remove it"],
                         limits.check(self.root, self.root / "build"))


class Testsum(Folder):
    def summary(self, *tests):
        log = self.write("testlog.json", "")
        pathlib.Path(log).write_text("".join(json.dumps(test) + "\n" for test in tests))
        with contextlib.redirect_stdout(io.StringIO()) as output:
            status = testsum.main([log])
        return status, output.getvalue().splitlines()[-1]

    def program(self, stdout, result="OK", returncode=0):
        return {"name": "x", "stdout": stdout, "result": result, "returncode": returncode}

    def test_results_are_added_up(self):
        self.assertEqual((0, "3 passed, 0 failed, 0 skipped"),
                         self.summary(self.program("1..2\nok 1 - a\nok 2 - b\n"), self.program("1..1\nok 1\n")))

    def test_a_failure_sets_the_exit_status(self):
        self.assertEqual((1, "1 passed, 1 failed, 0 skipped"),
                         self.summary(self.program("1..2\nok 1 - a\nnot ok 2 - b\n", "FAIL", 1)))

    def test_skipped_tests_of_cmocka_are_not_failures(self):
        self.assertEqual((0, "1 passed, 0 failed, 1 skipped"),
                         self.summary(self.program("1..2\nok 1 - a\nnot ok 2 # SKIP b\n")))

    def test_a_crash_is_one_failure_more(self):
        self.assertEqual((1, "1 passed, 1 failed, 0 skipped"),
                         self.summary(self.program("1..2\nok 1 - a\n", "ERROR", -11)))

    def test_a_timeout_is_a_failure(self):
        self.assertEqual((1, "1 passed, 1 failed, 0 skipped"),
                         self.summary(self.program("1..1\nok 1 - a\n", "TIMEOUT", 0)))

    def test_a_program_that_ends_early_is_a_failure(self):
        self.assertEqual((1, "1 passed, 1 failed, 0 skipped"), self.summary(self.program("1..2\nok 1 - a\n")))

    def test_a_program_that_reports_nothing_is_a_failure(self):
        self.assertEqual((1, "0 passed, 1 failed, 0 skipped"), self.summary(self.program("")))

    def test_a_leak_found_after_the_last_test_is_a_failure(self):
        self.assertEqual((1, "1 passed, 1 failed, 0 skipped"),
                         self.summary(self.program("1..1\nok 1 - a\n", "ERROR", 23)))

    def test_a_skipped_program_is_one_skip(self):
        self.assertEqual((0, "1 passed, 0 failed, 1 skipped"),
                         self.summary(self.program("1..1\nok 1\n"), self.program("1..0 # SKIP no server\n", "SKIP")))

    def test_a_run_without_tests_fails(self):
        self.assertEqual((1, "0 passed, 0 failed, 0 skipped"), self.summary())

    def test_a_missing_log_fails(self):
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(1, testsum.main([str(self.root / "nothing.json")]))


class Golden(unittest.TestCase):
    def test_what_differs_from_run_to_run_is_masked(self):
        self.assertEqual("at <time> in <duration>, pid <pid>, in <folder>/a",
                         golden.mask("at 2026-11-22 10:11:12.5+00 in 1.25 ms, pid 4711, in /tmp/x/a", {"/tmp/x": "<folder>"}))

    def test_plain_numbers_stay(self):
        self.assertEqual("12 rows, 64 MB, version 15.3", golden.mask("12 rows, 64 MB, version 15.3", {}))


class Matrix(Folder):
    MESON = """
        unit_tests = [
          'parts',
        ]
        fault_tests = [
          'killed',
        ]
        foreach name : fault_tests
          test('faults_' + name, find_program('bash'))
        endforeach
        foreach name, parts : {
          'facts': ['a', 'b'],
        }
          test('trace_' + name, python)
        endforeach
        test('golden', python)
        """

    def problems(self, old="", new="", threats=None):
        """Of two whole tables in which one text was put in the place of another."""
        self.write("test/meson.build", self.MESON)
        (self.root / "test/golden/apply").mkdir(parents=True, exist_ok=True)
        self.write("docs/reliability.md", self.table("F", 40, 4).replace(old, new, 1) if old else self.table("F", 40, 4))
        if threats is not False:
            self.write("docs/security.md", self.table("T", 32, 3))
        with contextlib.redirect_stdout(io.StringIO()) as said:
            status = matrix.main([str(self.root)])
        self.assertEqual(status, 1 if said.getvalue() else 0)
        return said.getvalue().replace("`", "")

    @staticmethod
    def table(letter, count, columns):
        middle = " | ".join(["what happens"] * (columns - 2))
        return "".join(f"| {letter}{number:02} | {middle} | `faults_killed` |\n" for number in range(1, count + 1))

    def test_whole_tables_are_good(self):
        self.assertEqual("", self.problems())

    def test_a_row_that_is_missing_is_named(self):
        self.assertIn("docs/reliability.md:1: F07 is missing", self.problems("| F07 ", "| X07 "))

    def test_a_row_that_is_there_twice_is_named(self):
        self.assertIn("docs/reliability.md:8: F07 is there already, in line 7", self.problems("| F08 ", "| F07 "))

    def test_a_row_beyond_the_last_is_named(self):
        self.assertIn("docs/reliability.md:8: there is no F41", self.problems("| F08 ", "| F41 "))

    def test_a_test_that_is_not_registered_is_named(self):
        self.assertIn(":1: F01: faults_gone is no test", self.problems("faults_killed", "faults_gone"))

    def test_each_way_to_name_a_test_is_known(self):
        self.assertEqual("", self.problems("`faults_killed`", "`unit_parts`, `trace_facts`, `golden`, `golden:apply`"))

    def test_a_golden_folder_must_be_there(self):
        self.assertIn(":1: F01: golden:gone: test/golden/gone is not there", self.problems("faults_killed", "golden:gone"))

    def test_a_row_without_a_test_needs_a_reason(self):
        self.assertIn("names no test", self.problems("`faults_killed`", "none"))
        self.assertIn("no reason", self.problems("`faults_killed`", "cannot be made here: no"))
        self.assertEqual("", self.problems("`faults_killed`", "cannot be made here: it needs two data centres"))

    def test_an_empty_cell_is_named(self):
        self.assertIn(":1: F01 has an empty cell", self.problems("what happens", ""))

    def test_a_table_that_is_missing_is_named(self):
        self.assertIn("docs/security.md:1: is missing", self.problems(threats=False))


class Docs(Folder):
    COMMANDS = """
        ### pgmend index apply

        | Option | Meaning |
        | --- | --- |
        | `-j`, `--jobs N` | at once |

        ### pgmend help

        ## Global options

        | `--db-url URL` | where |
        | `--dry\\_run` | nothing |
        """
    ERRORS = """
        #define ERROR_KINDS(X) \\
            X(ERR_NONE, 0, 200, "none") \\
            X(ERR_STALE, 9, 409, "stale")
        """
    TROUBLE = """
        | 0 | done |
        | 9 | old |
        ### `stale`
        """

    def problems(self, text, name="docs/page.md", **others):
        """Of a page in a tree in which all else is good."""
        files = {"docs/commands.md": self.COMMANDS, "src/base/error.h": self.ERRORS, "test/meson.build": Matrix.MESON,
                 "docs/troubleshooting.md": self.TROUBLE, "src/parts.c": 'getenv("PGMEND_HOUSE"); "threshold"; "alert";',
                 "script/test": "--full)", "test/golden/docs/first/cmd": "true", name: text}
        for path, content in (files | others).items():
            self.write(path, content)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            status = docs.main([str(self.root)])
        self.assertEqual(status, 1 if said.getvalue() else 0)
        return said.getvalue()

    def test_a_good_page_has_no_problems(self):
        self.assertEqual("", self.problems("""
            # Page: a `title`

            [here](#page-a-title), [there](troubleshooting.md#stale), [far](https://example.com/#x)
            `pgmend index apply -j 4`, `pgmend index`, `pgmend help index apply`, `index apply --jobs N`, `PGMEND_JOBS`,
            `PGMEND_HOUSE`, `script/test --full parts`, `unit_parts`, `faults_NAME`, `src/parts.c:1`, `src/*.h`

            ```
            $ DATABASE_URL=x sudo pgmend --db-url "a; b" index apply --jobs=4 <script >out 2>&1   # --wrong
            any output --wrong
            ```

            ```ini
            [index apply]
            jobs = 2
            [alert cpu]
            threshold = 3
            [mask]
            users.email = email
            ```

            <!-- example: first -->
            ```sh
            pgmend help
            ```
            """))

    def test_a_link_to_a_missing_file_is_named(self):
        self.assertEqual("docs/page.md:1: gone.md is not there\n", self.problems("[a](gone.md)"))

    def test_a_link_to_a_missing_heading_is_named(self):
        self.assertIn("troubleshooting.md has no heading #gone", self.problems("[a](troubleshooting.md#gone)"))
        self.assertIn("this page has no heading #gone", self.problems("[a](#gone)"))

    def test_an_unknown_command_is_named_wherever_code_stands(self):
        for text in ("`pgmend index mend`", "```\nls | pgmend index mend\n```", "a\n\n    $ pgmend index mend\n",
                     "a `pgmend\nindex mend` b", "```yaml\n- run: pgmend index mend\n```"):
            self.assertIn('pgmend has no command "index mend"', self.problems(text), text)
        self.assertIn('pgmend has no command "index mend"', self.problems("`pgmend help index mend`"))

    def test_an_unknown_option_is_named_with_its_line(self):
        said = "docs/page.md:3: pgmend index apply has no option --gone\n"
        self.assertEqual(said, self.problems("a\n\n`pgmend index apply --gone`"))
        self.assertEqual(said, self.problems("a\n```\npgmend index apply \\\n    --gone\n```"))
        self.assertEqual(said, self.problems("a\n\n`index apply --gone 3`"))

    def test_a_missing_file_is_named(self):
        self.assertIn("src/gone.c is not there", self.problems("`src/gone.c`"))
        self.assertIn("script/gone is not there", self.problems("```\nscript/gone --fast\n```"))

    def test_an_option_that_a_script_does_not_have_is_named(self):
        self.assertIn("script/test has no option --ful", self.problems("`script/test --ful`"))

    def test_a_test_that_is_not_there_is_named(self):
        self.assertIn("faults_gone is no test", self.problems("`faults_gone`"))
        self.assertIn("gone is no test", self.problems("`script/test gone`"))

    def test_settings_that_nobody_reads_are_named(self):
        page = "```ini\n[{}]\n{} = 1\n```"
        self.assertIn("docs/page.md:3: [index apply] has no setting job", self.problems(page.format("index apply", "job")))
        self.assertIn("[alert cpu] has no setting treshold", self.problems(page.format("alert cpu", "treshold")))
        self.assertIn("no section [alarm cpu] is known", self.problems(page.format("alarm cpu", "threshold")))

    def test_a_variable_that_nobody_reads_is_named(self):
        self.assertIn("no file of the tree knows PGMEND_GONE", self.problems("`PGMEND_GONE=1 pgmend help`"))

    def test_error_kinds_and_exit_statuses_need_their_place(self):
        gone = {"docs/troubleshooting.md": self.TROUBLE.replace("`stale`", "`old`").replace("| 9", "| 8")}
        said = self.problems("", **gone)
        self.assertIn('no section "stale"', said)
        self.assertIn("no row of a table begins with exit status 9", said)

    def test_messages_are_those_of_the_sources(self):
        page = self.TROUBLE + "\n        | message | do |\n        | --- | --- |\n        | {} | wait |\n        "
        source = {"src/parts.c": 'error_set(ctx, "could not open \\"%s\\"" ": %s went away", path, name);'}
        for good in ('could not open "FILE": NAME went away', "… went away"):
            self.assertEqual("", self.problems("", **source, **{"docs/troubleshooting.md": page.format(good)}))
        self.assertIn('docs/troubleshooting.md:7: no source says "ran away"',
                      self.problems("", **source, **{"docs/troubleshooting.md": page.format("NAME ran away")}))

    def test_examples_are_run(self):
        block = "```sh\npgmend help\n```"
        self.assertIn(":2: test/golden/docs/gone is not there", self.problems("<!-- example: gone -->\n" + block))
        self.assertEqual("", self.problems(block))
        self.assertIn("docs/from-the-plan.md:1: this block is run by no golden test",
                      self.problems(block, "docs/from-the-plan.md"))


class Tap(unittest.TestResult):
    def result(self, test, word, said=""):
        print(f"{word} {self.testsRun} - {test.id().split('.', 1)[1]}")
        for line in said.splitlines():
            print(f"# {line}")

    def addSuccess(self, test):
        self.result(test, "ok")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.result(test, "not ok", "".join(traceback.format_exception(*err)))

    addError = addFailure


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    print(f"1..{suite.countTestCases()}")
    sys.exit(not suite.run(Tap()).wasSuccessful())
