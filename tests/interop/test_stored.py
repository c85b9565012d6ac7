"""Rows that somebody wrote past Hero: what fits is read whatever its form, what
doesn't is named. Tables that say more than their model; views; columns that
are computed."""
import json
import os
import sqlite3
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from herod import Herod

HEAD = """
syntax = "proto2";
import "hero/options.proto";
import "google/protobuf/timestamp.proto";
enum Hue { RED = 0; BLUE = 1; }
message Part { optional string name = 1; optional int32 n = 2; }
"""
KINDS = HEAD + """
message Kind {
  option (hero.table) = {};
  optional int64 id = 1 [(hero.column).primary_key = true];
  optional Hue hue = 2;
  optional google.protobuf.Timestamp at = 3;
  optional string day = 4 [(hero.column).format = DATE];
  optional string code = 5 [(hero.column).format = UUID];
  optional string price = 6 [(hero.column).format = DECIMAL];
  repeated int32 numbers = 7;
  optional Part part = 8;
  oneof choice { int64 a = 9; string b = 10; }
  optional string rounded = 11 [(hero.column) = {format: DECIMAL sql_type: "NUMERIC"}];
  optional string dashed = 12 [(hero.column) = {format: UUID sql_type: "CHAR(36)"}];
  optional string loose = 13 [(hero.column).sql_type = "STRING"];
}
"""

# What another program may have stored, and how it reads.
READABLE = [
    ("hue", "'BLUE'", "BLUE"),
    ("at", "'2026-11-23'", "2026-11-23T00:00:00Z"),
    ("at", "'2026-11-23 01:02'", "2026-11-23T01:02:00Z"),
    ("at", "'2026-11-23T01:02:03.5+01:00'", "2026-11-23T00:02:03.500Z"),
    ("at", "datetime('2026-11-23 01:02:03')", "2026-11-23T01:02:03Z"),
    ("code", "'123E4567-E89B-12D3-A456-426614174000'", "123e4567-e89b-12d3-a456-426614174000"),
    ("price", "'0012.500'", "12.5"),
    ("price", "12.25", "12.25"),
    ("rounded", "'12.50'", "12.5"),
    ("rounded", "0.1", "0.1"),
    ("rounded", "9007199254740993", "9007199254740993"),
    ("numbers", "'null'", []),
    ("numbers", "NULL", []),
    ("numbers", "' [ 1 , 2 ] '", [1, 2]),
    ("part", "'null'", None),
    ("part", "'{\"name\": \"x\"}'", {"name": "x"}),
    ("dashed", "'123E4567E89B12D3A456426614174000'", "123e4567-e89b-12d3-a456-426614174000"),
]
MISFITS = [
    ("hue", "'GREEN'", "\"GREEN\", which is no name of a value"),
    ("hue", "1", None),
    ("at", "1763859723", "holds an integer"),
    ("at", "'yesterday'", "holds text that is no time"),
    ("at", "'2026-02-30'", "text that is no time"),
    ("day", "'2026-11-23 00:00:00'", "text that is no date"),
    ("day", "20261123", "holds an integer"),
    ("code", "'xyz'", "text that is no uuid"),
    ("code", "x'00112233445566778899aabbccddeeff'", "holds bytes"),
    ("price", "'12,5'", "text that is no decimal"),
    ("price", "x'31'", "holds bytes"),
    ("numbers", "'5'", None),
    ("numbers", "'{}'", "expected array, got object"),
    ("numbers", "'[1, \"x\"]'", "numbers[1]: expected integer"),
    ("numbers", "'[1'", "no JSON"),
    ("part", "'[]'", "expected object, got array"),
    ("part", "'{\"other\": 1}'", "has no field other"),
    ("part", "'{\"n\": 1, \"n\": 2}'", "duplicate"),
]


def apply(herod, folder, text, status=0):
    path = os.path.join(folder, "models.proto")
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return herod.run("apply", "-I", os.path.join(os.environ["HERO_SOURCE"], "proto"), path, status=status)


def sql(path, *statements):
    with sqlite3.connect(path) as db:
        for statement in statements:
            db.execute(statement)
    db.close()


def stored_values(folder):
    path = os.path.join(folder, "h.db")
    with Herod(folder, path) as herod:
        apply(herod, folder, KINDS)
        for column, value, expected in READABLE:
            sql(path, "delete from kind", f"insert into kind (id, {column}) values (1, {value})")
            read = herod.json("get", "kind", "1")[column]
            assert read == expected, f"{column} {value}: {read!r}, not {expected!r}"
        for column, value, told in MISFITS:
            sql(path, "delete from kind", f"insert into kind (id, {column}) values (1, {value})")
            said = json.loads(herod.run("get", "kind", "1", status=1))
            assert said["status"] == "DATA_LOSS", said
            assert f"column {column}" in said["message"], said
            assert "Kind 1:" in said["message"] and (told or "holds") in said["message"], said
        # What a CHECK of ours forbids, where somebody took it away.
        sql(path, "delete from kind", "pragma ignore_check_constraints = on",
            "insert into kind (id, a, b) values (1, 1, 'x')")
        said = json.loads(herod.run("get", "kind", "1", status=1))
        assert "a and b are both set, and of the oneof choice" in said["message"], said


def bent_values(folder):
    """What SQLite would make something else of is refused, not bent."""
    path = os.path.join(folder, "b.db")
    with Herod(folder, path) as herod:
        apply(herod, folder, KINDS)
        for number in (" 5", "007", "1e3", "+.5", "12. ", "-0", "1.50"):
            said = json.loads(herod.run("create", "kind", json.dumps({"loose": number}), status=5))
            assert "would become another number" in said["message"], said
        for text in ("5", "-7", "1.5", "5x", "e3", ".", "", "0x10", "1e", "١"):
            assert herod.json("create", "kind", json.dumps({"loose": text}))["loose"] == text
        kind = herod.json("create", "kind", json.dumps({
            "dashed": "123E4567E89B12D3A456426614174000", "price": "1" + "0" * 400 + ".25", "rounded": "123456789012.345"}))
        assert kind["price"] == "1" + "0" * 400 + ".25"
        with sqlite3.connect(path) as db:
            stored = db.execute("select dashed, typeof(price), typeof(rounded) from kind where dashed not null").fetchone()
        assert stored == ("123e4567-e89b-12d3-a456-426614174000", "text", "real"), stored
        # Found by the key and by comparisons in the form it is stored in.
        assert len(herod.json("call", "Records/List", json.dumps({
            "model": "Kind", "filter": "dashed = \"123e4567e89b12d3a456426614174000\" AND rounded > 1"}))["roots"]) == 1


ADOPTED = HEAD + """
message Thing {
  option (hero.table) = {check: {sql: "n > 0"}};
  optional int64 id = 1 [(hero.column).primary_key = true];
  optional int64 n = 2;
  optional int64 twice = 3 [(hero.column).read_only = true];
}
message Seen {
  option (hero.table) = {name: "seen" read_only: true};
  optional int64 id = 1 [(hero.column).primary_key = true];
  optional int64 n = 2;
}
"""


def tables_that_say_more(folder):
    path = os.path.join(folder, "a.db")
    sql(path,
        "create table other (id integer primary key)",
        "create table thing (id integer not null primary key, n integer check(N > 0) check (n < 100), "
        "twice integer as (2 * n), /* check (0) */ check ('check (1)' is not null))",
        "create trigger watch after insert on thing begin delete from other; end",
        "create view seen as select id, n from thing")
    with Herod(folder, path) as herod:
        told = "\n".join(json.loads(apply(herod, folder, ADOPTED))["warnings"])
        assert "n < 100" in told and "trigger watch" in told, told
        assert "n > 0" not in told.lower() and "CHECK (0)" not in told, told
        assert herod.json("create", "thing", "n=4") == {"id": 1, "n": 4, "twice": 8}
        assert herod.json("list", "seen") == [{"id": 1, "n": 4}]
        for arguments in (("create", "thing", "n=1", "twice=2"), ("update", "thing", "1", "twice=2"),
                          ("create", "seen", "n=1"), ("update", "seen", "1", "n=2"), ("delete", "seen", "1")):
            said = json.loads(herod.run(*arguments, status=5))
            assert "read only" in said["message"], (arguments, said)
        said = json.loads(herod.run("create", "thing", "n=200", status=5))
        assert "n < 100" in said["message"], said


def ids_are_never_given_again(folder):
    path = os.path.join(folder, "i.db")
    with Herod(folder, path) as herod:
        apply(herod, folder, HEAD + """
message Once { option (hero.table) = {}; optional int64 id = 1 [(hero.column) = {primary_key: true autoincrement: true}]; }
message Again { option (hero.table) = {}; optional int64 id = 1 [(hero.column).primary_key = true]; }
""")
        for model, expected in (("once", 2), ("again", 1)):
            herod.run("create", model, "{}")
            herod.run("delete", model, "1")
            assert herod.json("create", model, "{}")["id"] == expected, model


def main():
    for test in (stored_values, bent_values, tables_that_say_more, ids_are_never_given_again):
        with tempfile.TemporaryDirectory(prefix="hero-stored-") as folder:
            test(folder)
            print(test.__name__, "ok")


if __name__ == "__main__":
    main()
