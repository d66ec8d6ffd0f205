#!/usr/bin/env python3
"""Installs what the programs write themselves and what names the places of others: man pages, completion, the example
of pgmend.ini, the list of what is in the programs, units of systemd. Called by "meson install".

Usage: install.py SOURCE PGMEND REPLYX_API PREFIX [--destdir DIR]
"""

import os
import pathlib
import subprocess
import sys


def output(*command):
    # The file of whoever installs may name settings of another version.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PGMEND_", "REPLYX_API_"))}
    return subprocess.run(command, check=True, capture_output=True, cwd="/", env=environment).stdout


def write(path, data, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def install_manual(root, pgmend, replyx_api):
    folder = root / "share/man"
    (folder / "man1").mkdir(parents=True, exist_ok=True)
    output(pgmend, "help", "--man-dir", str(folder / "man1"))
    (folder / "man5").mkdir(exist_ok=True)
    (folder / "man1/pgmend.ini.5").replace(folder / "man5/pgmend.ini.5")
    for page in folder.glob("man[15]/*"):
        page.chmod(0o644)
    write(folder / "man8/replyx-api.8", output(replyx_api, "--man"))


def install_completion(root, pgmend):
    for shell, path in {
        "bash": "share/bash-completion/completions/pgmend",
        "zsh": "share/zsh/site-functions/_pgmend",
        "fish": "share/fish/vendor_completions.d/pgmend.fish",
    }.items():
        write(root / path, output(pgmend, "completion", shell))


def install_units(root, source, prefix):
    units = source / "share/systemd"
    for path in sorted(units.iterdir()):
        # Units name absolute paths; those of the system's own programs stay.
        text = path.read_text(encoding="utf-8")
        for name in ("bin/pgmend", "bin/replyx-api", "share/pgmend", "share/doc/pgmend"):
            text = text.replace(f"/usr/{name}", f"{prefix}/{name}")
        folder = {".env": "share/pgmend", ".sysusers": "lib/sysusers.d", ".tmpfiles": "lib/tmpfiles.d"}.get(
            path.suffix, "lib/systemd/system")
        name = "pgmend.conf" if path.suffix in (".sysusers", ".tmpfiles") else path.name
        write(root / folder / name, text.encode())


def main(source, pgmend, replyx_api, prefix, destdir):
    source = pathlib.Path(source)
    # Meson names them relative to its build folder.
    build = pathlib.Path(os.environ.get("MESON_BUILD_ROOT", os.getcwd()))
    pgmend, replyx_api = str(build / pgmend), str(build / replyx_api)
    # The programs are started elsewhere, so a relative folder would be another one for them.
    root = pathlib.Path(f"{os.path.abspath(destdir) if destdir else ''}{prefix}")
    install_manual(root, pgmend, replyx_api)
    install_completion(root, pgmend)
    install_units(root, source, prefix.rstrip("/"))
    write(root / "share/pgmend/pgmend.ini.example", output(pgmend, "help", "--example-config"))
    write(root / "share/doc/pgmend/sbom.cdx.json",
          output(sys.executable, str(source / "packaging/sbom.py"), pgmend, replyx_api))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    place = os.environ.get("DESTDIR", "")
    if "--destdir" in arguments:
        at = arguments.index("--destdir")
        place = arguments[at + 1]
        del arguments[at:at + 2]
    if len(arguments) != 4:
        sys.exit(__doc__)
    main(*arguments, place)
