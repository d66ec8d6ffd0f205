#!/usr/bin/env python3
"""What test/db/faults/package.sh cannot ask of a shell. Each part prints a line a problem, or what it is asked for.

Usage: package.py commands PGMEND            the words of each command
       package.py manager SOCKET             is the service manager: prints what it is told until it is ended
       package.py settings PGMEND EXAMPLE OUT  compares the example with the options, writes it with all in force
       package.py materials SBOM ROOT PROGRAM...
       package.py examples ROOT              needs PyYAML
"""
import base64
import json
import pathlib
import re
import socket
import subprocess
import sys

# What a setting whose value is only described is set to.
SAMPLES = {"integer": "1", "number": "1", "size": "1MB", "time": "1s", "boolean": "on", "text": "x", "list": "x"}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def describe(pgmend):
    return json.loads(output(pgmend, "help", "--describe"))


def commands(pgmend):
    for command in describe(pgmend)["commands"]:
        print(command["path"])


def manager(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        while True:
            print(listener.recv(4096).decode(), flush=True)


def all_options(pgmend):
    """By section and name, as they would stand in a file."""
    known = describe(pgmend)
    found = {("pgmend", option["name"]): option for option in known["global_options"]}
    for command in known["commands"]:
        found |= {(command["path"], option["name"]): option for option in command["options"]}
    return {(section, name.replace("-", "_")): option for (section, name), option in found.items()}


def settings(pgmend, example, out):
    options, there, lines, section = all_options(pgmend), set(), [], None
    for line in pathlib.Path(example).read_text(encoding="utf-8").splitlines():
        header, setting = re.fullmatch(r"\[(.+)\]", line), re.fullmatch(r";(\w+) = (.*)", line)
        section = header[1] if header else section
        if setting:
            name, value = setting.groups()
            option = options.get((section, name))
            if option is None:
                print(f"[{section}] {name} is no option")
                continue
            there.add((section, name))
            if re.fullmatch(r"[A-Z][A-Z_:.,/]*", value):
                value = (option.get("choices") or [SAMPLES[option["type"]]])[0]
            line = f"{name} = {value}"
        elif line and not header and not re.match(r";( |$)", line):
            print(f"neither an explanation nor a setting: {line}")
        lines.append(line)
    written = pathlib.Path(out)
    written.touch(mode=0o600)
    for section, name in sorted(set(options) - there):
        written.write_text(f"[{section}]\n{name} = {SAMPLES[options[section, name]['type']]}\n", encoding="utf-8")
        run = subprocess.run([pgmend, "--config", out, "version"], capture_output=True, text=True, check=False)
        if run.returncode != 2 or name not in run.stderr:
            print(f"[{section}] {name} is accepted in a file, but is not in the example")
    written.write_text("\n".join(lines) + "\n", encoding="utf-8")


def materials(path, root, *programs):
    document = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    if (document["bomFormat"], document["specVersion"]) != ("CycloneDX", "1.5"):
        print("not CycloneDX 1.5")
    components = {one["bom-ref"]: one for one in document["components"]}
    if len(components) != len(document["components"]):
        print("a component is there twice")
    uses = " ".join(one["properties"][0]["value"] for one in components.values())
    for program in programs:
        for library in re.findall(r"NEEDED +(\S+)", output("objdump", "-p", program)):
            if library not in uses:
                print(f"{pathlib.Path(program).name} loads {library}, which is not named")
    for entry in document["dependencies"]:
        for name in set(entry["dependsOn"]) - set(components):
            print(f"{entry['ref']} depends on {name}, which is no component")
    npm = pathlib.Path(root, "packages.txt").read_text(encoding="utf-8").split("[npm]")[1]
    for name, version, checksum in re.findall(r"^(\S+)@([\d.]+)\s+sha512-(\S+)", npm, re.M):
        one = components.get(f"pkg:npm/{name}@{version}")
        if one is None or one["hashes"][0]["content"] != base64.b64decode(checksum).hex():
            print(f"{name} {version} is not there, or with another checksum")


def strings(value):
    """Every text of a document; a list of words is a command."""
    if isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        if value and all(isinstance(one, str) for one in value) and value[0] in ("monitor", "doctor", "pgmend"):
            yield " ".join(["pgmend"] * (value[0] != "pgmend") + value)
        else:
            for one in value:
                yield from strings(one)
    elif isinstance(value, str):
        yield value


def examples(root):
    import yaml

    root = pathlib.Path(root)
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(root / "tools"))
    import docs

    tree = docs.Tree(root)
    seen = 0
    for path in sorted([root / ".pre-commit-hooks.yaml", *root.glob("share/**/*.yml")]):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for text in strings(document):
            for line in text.replace("\\\n", " ").splitlines():
                for words in docs.simple_commands(line):
                    if words[0] == "pgmend" and len(words) > 1:
                        seen += 1
                        for problem in docs.check_command(tree, words[1:]):
                            print(f"{path.name}: {problem}")
    if seen < 6:
        print(f"only {seen} commands were found")
    compose = root / "share/docker/compose.yml"
    for name, service in yaml.safe_load(compose.read_text(encoding="utf-8"))["services"].items():
        image = service.get("image", "")
        if "build" not in service and not re.search(r":v?\d+\.\d+", image):
            print(f"{name}: the image is not pinned: {image}")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith(".") and not (compose.parent / source).exists():
                print(f"{name}: {source} is not there")
        for port in service.get("ports", []):
            if not port.startswith("127.0.0.1:"):
                print(f"{name}: port {port} is open to the world")


if __name__ == "__main__":
    parts = {part.__name__: part for part in (commands, manager, settings, materials, examples)}
    if len(sys.argv) < 3 or sys.argv[1] not in parts:
        sys.exit(__doc__)
    parts[sys.argv[1]](*sys.argv[2:])
