#!/usr/bin/python3
"""Who may include whom: the table of ARCHITECTURE.md, enforced.

usage: test_includes.py [SOURCE]     check the tree
       test_includes.py --self-test  check the check, on includes that must be refused
"""
import os
import re
import sys

# A room is a set of files; it may include headers of itself and of the rooms
# listed. "proto" everywhere: what all sides agree on.
ROOMS = {
    "proto": ["proto"],
    "json": ["json", "proto"],
    "store face": ["proto"],
    "store": ["store", "store face", "json", "proto"],
    "services": ["services", "call", "store face", "proto", "log"],
    "call": ["call", "store face", "proto", "log"],
    "dispatch": ["dispatch", "services", "call", "store face", "proto", "log"],
    "server": ["server", "dispatch", "call", "store face", "proto", "log"],
    "main": ["main", "server", "dispatch", "call", "store face", "proto", "log"],
    "log": ["log", "proto"],
    "client face": [],
    "client": ["client", "client face", "json", "proto"],
    "cli": ["cli", "client face", "proto"],
    "examples": ["client face", "examples"],
}

# Which files are in which room; the first match decides.
PLACES = [
    ("store face", r"daemon/store/store\.h"),
    ("store", r"daemon/store/.*"),
    ("services", r"daemon/service[^/]*"),
    ("dispatch", r"daemon/(dispatch|pool|readers)[^/]*"),
    ("server", r"daemon/(server|listener|pipe)[^/]*"),
    ("call", r"daemon/(call|daemon)\.[ch]"),
    ("log", r"daemon/log\.[ch]"),
    ("main", r"daemon/[^/]*"),
    ("client face", r"client/heroclient\.h"),
    ("client", r"client/.*"),
    ("cli", r"cli/.*"),
    ("examples", r"examples/.*"),
    ("json", r"json/.*"),
    ("proto", r"proto/.*"),
]

# Libraries that belong to a few files each.
LIBRARIES = [
    (r"sqlite3\.h", r"daemon/store/.*", "only daemon/store may know SQLite"),
    (r"nng/.*", r"daemon/server[^/]*|client/transport[^/]*", "only the two ends of the wire may know nng"),
    (r"systemd/.*", r"daemon/(main|log|notify)\.c", "only main and the log talk to systemd"),
    (r"jansson\.h", r"(json|client|cli)/.*", "JSON is the json room's, the client's and the cli's"),
    (r"libsmartcols\.h|libsmartcols/.*", r"cli/.*", "tables are the cli's"),
    (r"xxhash\.h", r"daemon/store/.*", "digests are the store's"),
]

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
# Where -I points, in the order of the search.
ROOTS = {
    "proto": ["", "proto"],
    "json": ["", "json", "proto"],
    "daemon": ["", "daemon", "json", "proto"],
    "client": ["", "client", "json", "proto"],
    "cli": ["", "cli", "client", "proto"],
    "examples": ["", "client", "proto"],
}


def room_of(path):
    for room, pattern in PLACES:
        if re.fullmatch(pattern, path):
            return room
    return None


def resolve(path, name, files):
    """The file of the tree that an include means; None: a system header."""
    tops = ROOTS[path.split("/")[0]]
    for base in [os.path.dirname(path)] + tops:
        candidate = os.path.normpath(os.path.join(base, name))
        if candidate in files:
            return candidate
    if name.endswith(".pb-c.h"):  # generated
        return "proto/" + name
    return None


def check(files):
    """files: {path: text}. Returns a list of complaints."""
    faults = []
    for path, text in sorted(files.items()):
        room = room_of(path)
        for _, name in INCLUDE.findall(text):
            for pattern, allowed, why in LIBRARIES:
                if re.fullmatch(pattern, name) and not re.fullmatch(allowed, path):
                    faults.append("%s includes <%s>: %s" % (path, name, why))
            target = resolve(path, name, files)
            if target is None:
                continue
            if room == "examples" and name.endswith(".pb-c.h"):
                continue  # the example's own
            if room_of(target) not in ROOMS[room]:
                faults.append("%s (%s) includes %s (%s)" % (path, room, target, room_of(target)))
    return faults


def read_tree(source):
    files = {}
    for top in ROOTS:
        for folder, _, names in os.walk(os.path.join(source, top)):
            for name in names:
                if name.endswith((".c", ".h")):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as f:
                        files[os.path.relpath(path, source)] = f.read()
    return files


BAD = {
    "proto to daemon": {"proto/a.c": '#include "../daemon/call.h"', "daemon/call.h": ""},
    "store's face to its inside": {"daemon/store/store.h": '#include "db.h"', "daemon/store/db.h": ""},
    "store to dispatch": {"daemon/store/a.c": '#include "dispatch.h"', "daemon/dispatch.h": ""},
    "store to services": {"daemon/store/a.c": '#include "../service.h"', "daemon/service.h": ""},
    "service past the store's face": {"daemon/service_records.c": '#include "store/internal.h"', "daemon/store/internal.h": ""},
    "service to server": {"daemon/service_admin.c": '#include "server.h"', "daemon/server.h": ""},
    "dispatch to server": {"daemon/dispatch.c": '#include "server.h"', "daemon/server.h": ""},
    "cli past the public header": {"cli/a.c": '#include "../client/session.h"', "client/session.h": ""},
    "cli to daemon": {"cli/a.c": '#include "../daemon/log.h"', "daemon/log.h": ""},
    "client to daemon": {"client/a.c": '#include "../daemon/call.h"', "daemon/call.h": ""},
    "example past the public header": {"examples/x/a.c": '#include "arena.h"', "proto/arena.h": ""},
    "sqlite in a service": {"daemon/service_records.c": "#include <sqlite3.h>"},
    "sqlite in the client": {"client/a.c": "#  include <sqlite3.h>"},
    "nng in dispatch": {"daemon/dispatch.c": "#include <nng/nng.h>"},
    "nng in the session": {"client/session.c": "#include <nng/protocol/reqrep0/req.h>"},
    "json to the client": {"json/a.c": '#include "../client/client.h"', "client/client.h": ""},
    "proto to json": {"proto/a.c": '#include "../json/json.h"', "json/json.h": ""},
    "services to json": {"daemon/service_admin.c": '#include "json.h"', "json/json.h": ""},
    "jansson in the store": {"daemon/store/a.c": "#include <jansson.h>"},
    "sqlite in proto": {"proto/a.c": "#include <sqlite3.h>"},
}
GOOD = {
    "daemon/store/a.c": '#include "internal.h"\n#include "model.h"\n#include <sqlite3.h>',
    "daemon/store/internal.h": '#include "store.h"', "daemon/store/store.h": '#include "model.h"',
    "proto/model.h": '#include "hero/v1/rpc.pb-c.h"',
    "daemon/service_records.c": '#include "call.h"\n#include "store/store.h"', "daemon/call.h": '#include "store/store.h"',
    "daemon/server.c": "#include <nng/nng.h>", "cli/a.c": '#include "heroclient.h"', "client/heroclient.h": "",
}


def main():
    if sys.argv[1:] == ["--self-test"]:
        missed = [name for name, files in BAD.items() if not check(files)]
        false = check(GOOD)
        for name in missed:
            print("not noticed: " + name)
        for fault in false:
            print("false alarm: " + fault)
        return 1 if missed or false else 0
    source = sys.argv[1] if len(sys.argv) > 1 else os.environ["HERO_SOURCE"]
    files = read_tree(source)
    if len(files) < 20:
        print("only %d files found in %s" % (len(files), source))
        return 1
    faults = check(files)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
