#!/usr/bin/env python3
"""Writes a software bill of materials (CycloneDX 1.5, JSON): what is compiled into the programs, which libraries they
load, and with which version of what they were built.

Usage: sbom.py PROGRAM...
What comes from the npm registry is pinned in packages.txt with its checksum. What comes from Debian is named with the
version that is installed where this runs. Made twice on one machine it is the same, byte for byte.
"""

import base64
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
LICENSE_OF_NPM = "MIT"  # all three; a new one has to be looked at: see check_licenses()


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout


def sections():
    """The lines of packages.txt by section, without comments."""
    found, lines = {}, None
    for line in (ROOT / "packages.txt").read_text(encoding="utf-8").splitlines():
        line = line.split("#")[0].strip()
        if re.fullmatch(r"\[[a-z-]+\]", line):
            lines = found.setdefault(line[1:-1], [])
        elif line and lines is not None:
            lines.append(line)
    return found


def own_version():
    return re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text(encoding="utf-8"))[1]


def check_licenses(folder):
    text = (folder / "LICENSE").read_text(encoding="utf-8")
    if "Permission is hereby granted, free of charge" not in " ".join(text.split()):
        sys.exit(f"sbom: the license of {folder} is not {LICENSE_OF_NPM}")


def npm_component(line):
    package, checksum, wanted = line.split()
    name, version = package.rsplit("@", 1)
    check_licenses(ROOT / "vendor/npm" / name)
    return {
        "type": "library",
        "bom-ref": f"pkg:npm/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:npm/{name}@{version}",
        "licenses": [{"license": {"id": LICENSE_OF_NPM}}],
        "hashes": [{"alg": "SHA-512", "content": base64.b64decode(checksum.split("-", 1)[1]).hex()}],
        "properties": [{"name": "pgmend:use", "value": f"compiled in, from {wanted} of the package"}],
    }


def needed(program):
    """The libraries that a program names itself."""
    return re.findall(r"\(NEEDED\).*\[([^]]+)\]", run("readelf", "--dynamic", "--wide", program))


def places(program):
    """Where the loader finds each, and the loader itself: name → path."""
    listed = run("ldd", program)
    loader = {os.path.basename(path): path for path in re.findall(r"^\s*(/\S+) \(0x", listed, re.M)}
    return loader | dict(re.findall(r"(\S+) => (/\S+)", listed))


def installed(names):
    """(name, version, architecture) of each of these packages that is installed, by name."""
    shown = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package} ${Version} ${Architecture}\n", *names],
        capture_output=True, text=True, check=False).stdout
    lines = [line.split() for line in shown.splitlines() if line.startswith("installed ")]
    return {line[1]: tuple(line[1:]) for line in lines}


def owners(paths):
    """The Debian package that each file is from, by path; without those that are from none."""
    # The loader's path can be the old one, of before /lib was /usr/lib.
    others = {}
    for path in paths:
        for name in {path, os.path.realpath(path)}:
            for spelling in (name, f"/usr{name}", name.removeprefix("/usr")):
                others[spelling] = path
    found = subprocess.run(["dpkg-query", "--search", *sorted(others)], capture_output=True, text=True,
                           check=False).stdout
    names = {others[path]: package.split(",")[0].split(":")[0]
             for package, path in (line.split(": ", 1) for line in found.splitlines()) if path in others}
    packages = installed(set(names.values())) if names else {}
    return {path: packages[name] for path, name in names.items() if name in packages}


def debian_component(package, scope, use):
    name, version, architecture = package
    purl = f"pkg:deb/debian/{name}@{version.replace(':', '%3A').replace('+', '%2B')}?arch={architecture}"
    return {"type": "library" if scope == "required" else "application", "bom-ref": purl, "name": name,
            "version": version, "purl": purl, "scope": scope, "properties": [{"name": "pgmend:use", "value": use}]}


def build_components(lines):
    """What packages.txt names to build with: excluded from what runs."""
    names = [name for line in lines for name in line.split(" | ")]
    for package in installed(names).values():
        yield debian_component(package, "excluded", "to build with")


def made_at():
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    if not seconds:
        git = subprocess.run(["git", "-C", str(ROOT), "log", "-1", "--format=%ct"], capture_output=True, text=True,
                             check=False)
        seconds = git.stdout.strip() or "0"
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def main(programs):
    known = sections()
    version = own_version()
    components = {one["bom-ref"]: one for one in map(npm_component, known["npm"])}
    compiled_in = sorted(components)
    depends = []
    for program in programs:
        found, paths = set(compiled_in), places(program)
        packages = owners(paths.values())
        for library in needed(program):
            package = packages.get(paths.get(library))
            if not package:
                continue
            one = debian_component(package, "required", f"loaded: {library}")
            if one["bom-ref"] in components and library not in components[one["bom-ref"]]["properties"][0]["value"]:
                components[one["bom-ref"]]["properties"][0]["value"] += f", {library}"
            components.setdefault(one["bom-ref"], one)
            found.add(one["bom-ref"])
        depends.append({"ref": os.path.basename(program), "dependsOn": sorted(found)})
    for one in build_components(known["build"]):
        components.setdefault(one["bom-ref"], one)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": made_at(),
            "component": {
                "type": "application", "bom-ref": "pgmend-source", "name": "pgmend", "version": version,
                "licenses": [{"license": {"id": "PostgreSQL"}}],
                "components": [{"type": "application", "bom-ref": one["ref"], "name": one["ref"], "version": version}
                               for one in depends],
            },
        },
        "components": sorted(components.values(), key=lambda one: one["bom-ref"]),
        "dependencies": depends,
    }
    name = json.dumps(document, sort_keys=True)
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, name)}"
    json.dump(document, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
