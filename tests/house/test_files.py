#!/usr/bin/python3
"""Habits of every file: none past 600 lines, nothing left for later, nothing
of the machine it was written on, executables executable.

usage: test_files.py [SOURCE] | --self-test
"""
import os
import re
import stat
import sys

MOST_LINES = 600
# What is one room all the same, and why.
LONGER = {
    "client/heroclient.h": "one header to include, half of it comments",
}
# Split so that this file does not find itself.
LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE = re.compile(r"(?<![\w.$}])/(work|root|home|Users)/[\w.]")
SOURCES = (".c", ".h", ".py", ".sh", ".proto", ".build", ".md", ".scd", ".in", ".sym")
SKIPPED = {".git"}


def check_file(path, text, mode):
    faults = []
    lines = text.split("\n")
    if path.endswith((".c", ".h", ".py", ".sh")) and len(lines) > MOST_LINES + 1 and path not in LONGER:
        faults.append("%s: %d lines; split it, %d are the most" % (path, len(lines) - 1, MOST_LINES))
    for number, line in enumerate(lines, 1):
        if LATER.search(line):
            faults.append("%s:%d: left for later: %s" % (path, number, line.strip()))
        if MACHINE.search(line):
            faults.append("%s:%d: a path of some machine: %s" % (path, number, line.strip()))
        if line != line.rstrip() and not path.endswith(".md"):
            faults.append("%s:%d: white space at the end" % (path, number))
    if text and not text.endswith("\n"):
        faults.append("%s: no newline at the end" % path)
    if text.startswith("#!") and not mode & stat.S_IXUSR:
        faults.append("%s: has an interpreter line and is not executable" % path)
    return faults


def read_tree(source):
    for folder, folders, names in os.walk(source):
        folders[:] = [f for f in folders if f not in SKIPPED
                      and not (folder == source and f.startswith("build"))
                      and not os.path.exists(os.path.join(folder, f, "build.ninja"))]
        for name in names:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, source)
            if name.endswith(SOURCES) or relative in ("dev", ".ci/run") or os.access(path, os.X_OK):
                with open(path, encoding="utf-8") as f:
                    yield relative, f.read(), os.stat(path).st_mode


BAD = {
    "long": ("a.c", "\n" * 601, 0o644),
    "later": ("a.c", "/* TO" "DO: free it */\n", 0o644),
    "machine": ("a.h", '#define X "/home' '/me/x"\n', 0o644),
    "trailing": ("a.py", "x = 1 \n", 0o644),
    "no newline": ("a.sh", "true", 0o644),
    "not executable": ("a.py", "#!/usr/bin/python3\n", 0o644),
}


def main():
    if sys.argv[1:] == ["--self-test"]:
        missed = [name for name, sample in BAD.items() if not check_file(*sample)]
        false = check_file("a.c", "/* ~/.local, $HOME/x, /var/lib/herod/hero.db */\n" * 600, 0o644)
        print("\n".join(["not noticed: " + m for m in missed] + false))
        return 1 if missed or false else 0
    source = sys.argv[1] if len(sys.argv) > 1 else os.environ["HERO_SOURCE"]
    n, faults = 0, []
    for sample in read_tree(source):
        n += 1
        faults += check_file(*sample)
    print("\n".join(faults))
    return 1 if faults or n < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
