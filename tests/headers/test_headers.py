"""heroclient.h compiles alone, strictly, in C and C++; what the library
exports is what libheroclient.sym lists is what the header declares, and each
declaration is documented.

    test_headers.py LIBHEROCLIENT.SO
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ["HERO_SOURCE"]
HEADER = os.path.join(SOURCE, "client", "heroclient.h")
FAILED = []

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wshadow", "-fsyntax-only"]
COMPILERS = [
    (["gcc", "-std=c11", "-Wstrict-prototypes", "-Wmissing-prototypes"], "c"),
    (["clang", "-std=c11", "-Wstrict-prototypes", "-Wmissing-prototypes"], "c"),
    (["gcc", "-std=c2x"], "c"),
    (["g++", "-std=c++17"], "cc"),
    (["clang++", "-std=c++17"], "cc"),
]

USE = """
#include <heroclient.h>
#include <heroclient.h>
int main(void)
{
    hero_error error = HERO_ERROR_INIT;
    hero_options options = HERO_OPTIONS_INIT;
    unsigned long long large = 1;
    char text[] = "x";
    float real = 1;
    hero_key keys[] = {HERO_KEY(1), HERO_KEY("a", 2), HERO_KEY(text, large, real, 2.5),
                       HERO_KEY(1, 2, 3, 4, 5, 6, 7, 8), HERO_KEY((bool)true)};
    hero_value value = keys[0].values[0];
    options.daemon_uid = 0;
    value.kind = HERO_VALUE_BYTES;
    hero_error_free(&error);
    return (int)(sizeof(keys) / sizeof(keys[0])) + (int)options.size + (int)value.kind;
}
"""


def fail(text):
    FAILED.append(text)
    print("FAILED", text)


def compile_header():
    for command, suffix in COMPILERS:
        if not shutil.which(command[0]):
            print("not here:", command[0])
            continue
        with tempfile.TemporaryDirectory() as directory:
            # Nothing but the header is in reach.
            shutil.copy(HEADER, directory)
            for name, text in (("alone", "#include <heroclient.h>\n"), ("use", USE)):
                path = os.path.join(directory, f"{name}.{suffix}")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                done = subprocess.run(command + STRICT + ["-I" + directory, path],
                                      capture_output=True, text=True)
                if done.returncode:
                    fail(f"{' '.join(command)} {name}:\n{done.stderr}")


def declared():
    """Names declared, each with: is there a doc comment on its block?"""
    with open(HEADER, encoding="utf-8") as file:
        text = file.read()
    text = text[text.index('extern "C"'):]
    names = {}
    for block in re.split(r"\n\s*\n", text):
        code = re.sub(r"/\*.*?\*/", "", block, flags=re.S)
        for name in re.findall(r"HERO_API[^;{]*?\b(hero_\w+)\s*\(", code):
            names[name] = "/**" in block
    return names


def listed():
    with open(os.path.join(SOURCE, "client", "libheroclient.sym"), encoding="utf-8") as file:
        return set(re.findall(r"^\s*(hero_\w+);", file.read(), flags=re.M))


def exported(library):
    done = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True,
                          check=True)
    names = [line.split()[-1].split("@")[0] for line in done.stdout.splitlines()]
    # Version nodes are absolute symbols of the map; sanitizers add their own.
    return {name for name in names
            if not re.match(r"HEROCLIENT_|__(asan|tsan|ubsan|sanitizer|start___|stop___)", name)}


def main():
    compile_header()
    names = declared()
    if len(names) < 50:
        fail(f"only {len(names)} functions found in the header")
    for name, documented in names.items():
        if not documented:
            fail(f"{name} has no doc comment")
    for title, others in (("libheroclient.sym", listed()), ("the library", exported(sys.argv[1]))):
        for name in sorted(set(names) - others):
            fail(f"{name} is declared and not in {title}")
        for name in sorted(others - set(names)):
            fail(f"{name} is in {title} and not declared")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
