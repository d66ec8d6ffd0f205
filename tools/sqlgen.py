#!/usr/bin/env python3
"""Makes sql.h and sql.c from src/sql/<area>/<name>.sql: structs, field tables and a typed call for each.

Usage: sqlgen.py OUTPUT_FOLDER FILE...

The header comment of a file says what the query is for and declares it:
    -- @arg NAME TYPE text        the parameters $1, $2, ... in this order
    -- @column NAME TYPE text     the columns of a row in this order
    -- @server 14+                or 14-16: the server versions it is for
A "?" after a type that becomes text allows NULL. A file NAME.pg15.sql holds the statement for servers
up to 15; declarations stand in NAME.sql alone. A statement without columns gives a call without rows.
"""
import pathlib
import re
import sys

C_TYPES = {"bool": "bool ", "int4": "int32_t ", "int8": "int64_t ", "oid": "uint32_t ", "float8": "double "}
TEXT_TYPES = {"text", "name", "json", "jsonb", "timestamptz", "text[]", "oid[]", "int8[]", "float8[]"}
PATH = re.compile(r"(?:.*/)?([a-z]+)/([a-z][a-z0-9_]*)(?:\.pg(\d+))?\.sql")
QUOTED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"[^\"]*\"|(\$[A-Za-z_]*\$).*?\1", re.S)
TITLE = "/* Made by tools/sqlgen.py from src/sql: do not edit. */"


def stop(path, line, message):
    sys.exit(f"{path}:{line}: {message}")


def c_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def member(path, line, words, others):
    """One @arg or @column line as (name, type, help, whether NULL is allowed)."""
    if len(words) < 2 or not re.fullmatch(r"[a-z][a-z0-9_]*", words[0]) or words[0] in [other[0] for other in others]:
        stop(path, line, "a name that is not there yet and a type are expected")
    name, kind, nullable = words[0], words[1].rstrip("?"), words[1].endswith("?")
    if kind not in C_TYPES and kind not in TEXT_TYPES:
        stop(path, line, f"unknown type {words[1]}")
    if nullable and kind in C_TYPES:
        stop(path, line, f"{kind} cannot be NULL here: use coalesce or text")
    return name, kind, " ".join(words[2:]), nullable


def read(path, is_variant):
    """Purpose, declarations and statement of one file; "bare" is the statement with quoted parts blanked."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    head = re.match(r"(?:--[^\n]*\n)*", text)[0]
    purpose = " ".join(line.lstrip("- ") for line in re.split(r"\n--\s*(?:\n|@)|^--\s*@", head)[0].split("\n"))
    found = {"path": path, "purpose": purpose.strip(), "arg": [], "column": [], "server": None}
    for line, words in enumerate((line.lstrip("-").split() for line in head.split("\n")), 1):
        tag = words[0] if words and words[0].startswith("@") else ""
        if tag and is_variant:
            stop(path, line, "declarations stand in the file without .pg")
        elif tag in ("@arg", "@column"):
            found[tag[1:]].append(member(path, line, words[1:], found[tag[1:]]))
        elif tag == "@server" and re.fullmatch(r"\d+(\+|-\d+)", words[-1]):
            found["server"] = re.split(r"[+-]", words[-1])
        elif tag:
            stop(path, line, f"{' '.join(words)} is not understood")
    if not found["purpose"]:
        stop(path, 1, "the header comment does not say what the query is for")
    found["text"] = text[len(head):].strip().removesuffix(";").rstrip()
    found["bare"] = QUOTED.sub(lambda hit: re.sub(r"[^\n]", " ", hit[0]), text).rstrip().removesuffix(";")
    if not found["bare"].strip() or ";" in found["bare"]:
        stop(path, found["bare"].partition(";")[0].count("\n") + 1, "one statement is expected")
    return found


def check_parameters(variant, args):
    used = set()
    for hit in re.finditer(r"\$(\d+)", variant["bare"]):
        used.add(int(hit[1]))
        if not 1 <= int(hit[1]) <= len(args):
            stop(variant["path"], variant["bare"][: hit.start()].count("\n") + 1, f"{hit[0]} has no @arg")
    for number, arg in enumerate(args, 1):
        if number not in used:
            stop(variant["path"], 1, f"@arg {arg[0]} is never used as ${number}")


def load(paths):
    """The queries by their name in C."""
    queries = {}
    for path in sorted(paths):
        parts = PATH.fullmatch(path) or stop(path, 1, "the path is not AREA/NAME.sql or AREA/NAME.pgNN.sql")
        query = queries.setdefault(f"{parts[1]}_{parts[2]}", {"name": f"{parts[1]}/{parts[2]}", "variants": []})
        query["variants"].append((int(parts[3] or 0), read(path, parts[3])))
        query.update({} if parts[3] else query["variants"][-1][1])
    for query in queries.values():
        query["variants"].sort(key=lambda variant: variant[0] or 1000)
        if not query.get("server"):
            stop(query["variants"][0][1]["path"], 1, f"{query['name']}.sql is missing or has no @server")
        for _, variant in query["variants"]:
            check_parameters(variant, query["arg"])
    return queries


def struct(tag, members):
    return [f"struct {tag} {{", *(f"    {C_TYPES.get(kind, 'const char *')}{name};" + (f" /* {text} */" if text else "")
                                  for name, kind, text, _ in members), "};", ""]


def header(queries):
    out = [TITLE, "#pragma once", "", '#include "db/query.h"', "",
           "extern const struct query *const queries_all[];", "extern const size_t queries_all_count;", ""]
    for name, query in queries.items():
        out += [f"/* {query['purpose']} */", f"extern const struct query query_{name};", ""]
        parameters, given, into = ["ctx", "db"], "NULL", "NULL"
        if query["column"]:
            out += struct(f"sql_{name}", query["column"])
            out += [f"struct sql_{name}_rows {{", f"    struct sql_{name} *items;", "    size_t count;", "};", ""]
            parameters.append("ret")
            into = f"(1 ? (ret) : (struct sql_{name}_rows *)NULL)"  # so that the compiler checks the type
        if query["arg"]:
            out += struct(f"sql_{name}_args", query["arg"])
            parameters.append("...")
            given = f"(&(const struct sql_{name}_args){{ __VA_ARGS__ }})"
        out += [f"#define sql_{name}({', '.join(parameters)}) \\",
                f"    db_select((ctx), (db), &query_{name}, {given}, {into})", ""]
    return "\n".join(out)


def source(queries):
    out = [TITLE, '#include "sql/sql.h"', ""]
    for name, query in queries.items():
        rest = [f"    .row_size = sizeof(struct sql_{name}),"] if query["column"] else []
        rest += [f"    .min_major = {query['server'][0]},", f"    .max_major = {query['server'][1] or 0},", "};", ""]
        for what, tag in (("arg", f"sql_{name}_args"), ("column", f"sql_{name}")):
            if query[what]:
                out += [f"static const struct field {name}_{what}s[] = {{"]
                out += [f"    FIELD(struct {tag}, {field}, .required = {str(not nullable).lower()},"
                        f" .help = {c_string(text) if text else 'NULL'})," for field, _, text, nullable in query[what]]
                out += ["};", f"static const char *const {name}_{what}_types[] = {{",
                        "    " + " ".join(c_string(kind) + "," for _, kind, _, _ in query[what]), "};"]
                rest = [f"    .{what}s = {name}_{what}s,", f"    .{what}_count = {len(query[what])},",
                        f"    .{what}_types = {name}_{what}_types,", *rest]
        out += [f"static const struct query_variant {name}_variants[] = {{"]
        for major, variant in query["variants"]:
            lines = [c_string(line + "\n").replace("\n", "\\n") for line in variant["text"].split("\n")]
            out += [f"    {{ {major},", *("        " + line for line in lines), "    },"]
        out += ["};", f"const struct query query_{name} = {{", f"    .name = {c_string(query['name'])},",
                f"    .variants = {name}_variants,", f"    .variant_count = {len(query['variants'])},", *rest]
    return "\n".join([*out, "const struct query *const queries_all[] = {",
                      *([f"    &query_{name}," for name in queries] or ["    NULL,"]), "};",
                      f"const size_t queries_all_count = {len(queries)};", ""])


if __name__ == "__main__":
    all_queries = load(sys.argv[2:])
    for file_name, content in (("sql.h", header(all_queries)), ("sql.c", source(all_queries))):
        (pathlib.Path(sys.argv[1]) / file_name).write_text(content, encoding="utf-8")
