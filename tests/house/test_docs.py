#!/usr/bin/python3
"""What is offered is documented, and what is documented is offered.

 - every exported symbol is declared in heroclient.h under a comment, and every
   declaration of heroclient.h is exported;
 - every option in `herod --help` is in herod(8), and in reverse;
 - every command in `heroctl --help` is in heroctl(1), with help and an example;
 - every rpc is in docs/protocol.md;
 - every ./dev verb, file and heroctl command that README.md names exists;
 - every path in ARCHITECTURE.md exists, and `path:function` is in that file.

usage: test_docs.py [SOURCE]     (HEROD, HEROCTL: the programs)
       test_docs.py --self-test
"""
import os
import re
import subprocess
import sys


def exported_of(symbol_map):
    """The names of a version script's global sections."""
    text = re.sub(r"/\*.*?\*/|#[^\n]*", "", symbol_map, flags=re.S)
    names = []
    for part in re.findall(r"global:(.*?)(?:local:|})", text, flags=re.S):
        names += [n for n in re.split(r"[;\s]+", part) if n]
    return names


def declared_of(header):
    """{function: has a comment somewhere above it, in the same group}."""
    declared = {}
    commented = False
    for block in re.split(r"\n\s*\n", header):
        # A comment speaks for the declarations of its paragraph, and one that
        # stands alone for the paragraph after it.
        has_comment = "/*" in block
        for name in re.findall(r"HERO_API\s[^;]*?\b(hero_\w+)\s*\([^;]*;", block):
            declared[name] = has_comment or commented
        commented = has_comment and "HERO_API" not in block
    return declared


def check_symbols(symbol_map, header):
    exported, declared = exported_of(symbol_map), declared_of(header)
    faults = []
    if any("*" in name for name in exported):
        faults.append("libheroclient.sym: a pattern exports what nobody declared")
    for name in exported:
        if "*" not in name and name not in declared:
            faults.append("libheroclient.sym: %s is not declared in heroclient.h" % name)
    for name, documented in declared.items():
        if name not in exported:
            faults.append("heroclient.h: %s is not exported by libheroclient.sym" % name)
        if not documented:
            faults.append("heroclient.h: %s has no comment" % name)
    return faults


def long_options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", text))


def check_options(program, help_text, page):
    page = page.replace("\\", "")
    offered, told = long_options(help_text), long_options(page)
    faults = ["%s --help has %s, its man page has not" % (program, o) for o in sorted(offered - told)]
    return faults + ["%s's man page has %s, --help has not" % (program, o) for o in sorted(told - offered)]


def commands_of(help_text):
    """The first words of the lines under "Commands:"."""
    section = re.search(r"^Commands:\n((?:  .*\n)+)", help_text, flags=re.M)
    return set(re.findall(r"^  ([a-z]+) ", section.group(1), flags=re.M)) if section else set()


def check_commands(commands, page, help_of):
    faults = []
    if len(commands) < 5:
        faults.append("heroctl --help: only these commands were found: %s" % sorted(commands))
    for command in sorted(commands):
        if not re.search(r"(?m)^(#+ )?\W*(heroctl )?\W*%s\b" % command, page):
            faults.append("heroctl(1) does not tell of %s" % command)
        text = help_of(command)
        if "heroctl %s" % command not in text.partition("\n")[2]:
            faults.append("heroctl %s --help has no example" % command)
    return faults


def methods_of(protos):
    methods = []
    for text in protos:
        package = re.search(r"package ([\w.]+);", text).group(1)
        for service, body in re.findall(r"service (\w+) {(.*?)\n}", text, flags=re.S):
            methods += ["%s.%s/%s" % (package, service, m) for m in re.findall(r"rpc (\w+)", body)]
    return methods


def check_methods(methods, page):
    return ["docs/protocol.md does not tell of %s" % m for m in methods
            if m.split(".")[-1] not in page]


def check_readme(readme, exists, verbs, commands):
    faults = []
    for verb in set(re.findall(r"\./dev ([a-z]+)", readme)) - verbs:
        faults.append("README.md names ./dev %s, which is not there" % verb)
    for command in set(re.findall(r"^\$? *heroctl (?:-\S+ \S+ )?([a-z]+)", readme, flags=re.M)) - commands:
        faults.append("README.md names heroctl %s, which is not there" % command)
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", readme):
        if not exists(link):
            faults.append("README.md links to %s, which is not there" % link)
    for verb in ("demo", "test"):
        if "./dev " + verb not in readme:
            faults.append("README.md does not name ./dev " + verb)
    return faults


def check_paths(text, read):
    """`daemon/call.c`, `daemon/call.c:call_fail`; read(path) is its text, None: no such file."""
    faults = []
    for path, name in sorted(set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*)(?::(\w+))?`", text))):
        content = read(path)
        if content is None:
            faults.append("ARCHITECTURE.md names %s, which is not there" % path)
        elif name and not re.search(r"\b%s\(" % name, content):
            faults.append("ARCHITECTURE.md names %s in %s, which has no such function" % (name, path))
    return faults


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, timeout=20, check=False)
    if done.returncode:
        raise SystemExit("%s: status %d: %s" % (" ".join(command), done.returncode, done.stdout))
    return done.stdout


def check_tree(source, herod, heroctl):
    def read(path):
        with open(os.path.join(source, path), encoding="utf-8") as f:
            return f.read()

    def read_if_there(path):
        if path == "nng/" or os.path.isdir(os.path.join(source, path)):
            return ""
        return read(path) if os.path.exists(os.path.join(source, path)) else None

    commands = commands_of(run(heroctl, "--help"))
    verbs = set(re.findall(r"^verb_(\w+)\(\)", read("dev"), flags=re.M))
    protos = [read("proto/hero/v1/" + p) for p in ("records.proto", "models.proto", "admin.proto")]
    return (check_symbols(read("client/libheroclient.sym"), read("client/heroclient.h"))
            + check_options("herod", run(herod, "--help"), read("docs/man/herod.8.scd"))
            + check_commands(commands, read("docs/man/heroctl.1.scd"),
                             lambda c: run(heroctl, c, "--help"))
            + check_methods(methods_of(protos), read("docs/protocol.md"))
            + check_readme(read("README.md"), lambda p: os.path.exists(os.path.join(source, p)),
                           verbs, commands)
            + check_paths(read("ARCHITECTURE.md"), read_if_there))


HEADER = "/** Opens. */\nHERO_API int hero_open(int a,\n    int b);\n\n/* Two. */\n\nHERO_API int hero_close(void);\n"
SYM = "HERO_0 {\nglobal:\n  hero_open;\n  hero_close;\nlocal:\n  *;\n};\n"
HELP = "Commands:\n" + "".join("  %s  does\n" % c for c in ("apply", "get", "list", "link", "call"))
SAMPLES = [  # what, found faults, expected number
    ("good symbols", check_symbols(SYM, HEADER), 0),
    ("exported and not declared", check_symbols(SYM.replace("hero_close", "hero_other"), HEADER), 2),
    ("pattern", check_symbols(SYM.replace("  hero_close;", "  hero_*; hero_close;"), HEADER), 1),
    ("no comment", check_symbols(SYM, HEADER.replace("/* Two. */\n\n", "struct x;\n\n")), 1),
    ("good options", check_options("p", " --url U\n --echo", "*--url* U, *--echo*"), 0),
    ("undocumented option", check_options("p", " --url U\n --echo", "*--url*"), 1),
    ("vanished option", check_options("p", " --url U", "*--url* *--e\\cho*"), 1),
    ("good commands", check_commands(commands_of(HELP), "\n".join(commands_of(HELP)),
                                     lambda c: "x\nheroctl %s y" % c), 0),
    ("undocumented command", check_commands(commands_of(HELP), "apply\nget\nlist\nlink",
                                            lambda c: "x\nheroctl %s y" % c), 1),
    ("no example", check_commands(commands_of(HELP), "\n".join(commands_of(HELP)),
                                  lambda c: "usage: heroctl %s y" % c), 5),
    ("rpc", check_methods(methods_of(["package a.v1;\nservice S {\n  rpc Get(X) returns (Y);\n}\n"]), "T/Get"), 1),
    ("good readme", check_readme("./dev demo ./dev test\nheroctl get\n[x](a.md)", lambda p: True,
                                 {"demo", "test"}, {"get"}), 0),
    ("bad readme", check_readme("./dev demo ./dev fly\nheroctl put\n[x](a.md)", lambda p: False,
                                {"demo", "test"}, {"get"}), 4),
    ("good paths", check_paths("`a/b.c:go` `a/`", {"a/b.c": "int go(void)", "a/": ""}.get), 0),
    ("bad paths", check_paths("`a/b.c:come` `a/c.c`", {"a/b.c": "int go(void)"}.get), 2),
]


def main():
    if sys.argv[1:] == ["--self-test"]:
        wrong = [(what, faults) for what, faults, expected in SAMPLES if len(faults) != expected]
        for what, faults in wrong:
            print("%s: %s" % (what, faults))
        return 1 if wrong else 0
    source = sys.argv[1] if len(sys.argv) > 1 else os.environ["HERO_SOURCE"]
    faults = check_tree(source, os.environ["HEROD"], os.environ["HEROCTL"])
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
