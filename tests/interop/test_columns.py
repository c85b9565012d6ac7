"""Every kind of column on a file that SQLModel made and Hero serves, and the
other way round: the same tables, the same values, written and read by both."""
import datetime
import decimal
import json
import os
import sqlite3
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

try:
    import sqlmodel  # noqa: F401
except ImportError:
    print("python3-sqlmodel is not installed")
    sys.exit(77)

import columns_app
from herod import Herod
from sqlmodel import Session, select

TABLES = ("place", "thing", "token")


def write_proto(folder):
    path = os.path.join(folder, "columns.proto")
    with open(path, "w", encoding="utf-8") as out:
        out.write(columns_app.PROTO)
    return path


def apply(herod, folder):
    source = os.environ["HERO_SOURCE"]
    return json.loads(herod.run("apply", "-I", os.path.join(source, "proto"), write_proto(folder)))


def shape(path):
    """What SQLite knows of the tables; names of automatic indexes are its own."""
    with sqlite3.connect(path) as db:
        found = {}
        for table in TABLES:
            columns = db.execute(f"select * from pragma_table_xinfo('{table}')").fetchall()
            # Defaults of Hero's stand in the table, SQLModel's in the program.
            found[table, "columns"] = [(c[1], c[2], c[3], c[5], c[6]) for c in sorted(columns, key=lambda c: c[1])]
            keys = db.execute(f"select * from pragma_foreign_key_list('{table}')").fetchall()
            found[table, "keys"] = sorted(k[1:] for k in keys)
            indexes = db.execute(f"select name, \"unique\", origin from pragma_index_list('{table}')").fetchall()
            found[table, "indexes"] = sorted(
                (
                    "" if name.startswith("sqlite_autoindex") else name,
                    unique,
                    origin,
                    tuple(c[0] for c in db.execute(f"select name from pragma_index_info('{name}')")),
                )
                for name, unique, origin in indexes
            )
        sql = db.execute("select sql from sqlite_schema where name = 'thing'").fetchone()[0]
        found["checks"] = "CHECK (size > 0)" in sql
        found["autoincrement"] = "AUTOINCREMENT" in sql
        return found


def same_shape(folder):
    python, hero = os.path.join(folder, "p.db"), os.path.join(folder, "h.db")
    columns_app.create_tables(columns_app.open_database(python))
    with Herod(folder, hero) as herod:
        apply(herod, folder)
    ours, theirs = shape(hero), shape(python)
    for key in sorted(theirs, key=str):
        assert ours[key] == theirs[key], f"{key}:\nhero     {ours[key]}\nsqlmodel {theirs[key]}"


def sqlmodel_then_hero(folder):
    path = os.path.join(folder, "made.db")
    engine = columns_app.open_database(path)
    columns_app.create_tables(engine)
    with Session(engine) as session:
        session.add(columns_app.Place(row=1, seat="x"))
        session.commit()
        thing = columns_app.sample()
        session.add(thing)
        session.commit()
        session.add(columns_app.Token(thing_id=thing.id))
        session.commit()
        token = str(session.exec(select(columns_app.Token)).one().id)
    engine.dispose()
    with Herod(folder, path) as herod:
        applied = apply(herod, folder)
        assert not [s for s in applied.get("steps", []) if s.get("sql")], applied
        (read,) = herod.json("list", "thing")
        assert read == {
            "id": 1, "name": "one", "hue": "DARK_BLUE", "other": None,
            "at": "2026-11-23T01:02:03.450Z", "maybe": None, "day": "2024-02-29",
            "code": "123e4567-e89b-12d3-a456-426614174000", "price": "12.5", "size": 3,
            "tags": ["a", "ä", 'q"'], "address": {"street": "S", "numbers": [1, 2]},
            "row": 1, "seat": "x",
        }, read
        # By its key as people write it.
        assert herod.json("get", "token", token)["thing_id"] == 1
        herod.run("update", "thing", "1", "hue=RED", "at=2026-01-01T00:00:00.000001Z", "price=0.1",
                  'tags=["z"]', "other=GREEN")
        made = herod.json("create", "token", "thing_id=1")["id"]
    engine = columns_app.open_database(path)
    with Session(engine) as session:
        thing = session.exec(select(columns_app.Thing)).one()
        assert thing.hue is columns_app.Hue.RED and thing.other is columns_app.Hue.GREEN
        assert thing.at == datetime.datetime(2026, 1, 1, 0, 0, 0, 1), thing.at
        assert thing.price == decimal.Decimal("0.1") and thing.tags == ["z"]
        assert made in [str(t.id) for t in session.exec(select(columns_app.Token))]
    engine.dispose()


def hero_then_sqlmodel(folder):
    path = os.path.join(folder, "ours.db")
    with Herod(folder, path) as herod:
        apply(herod, folder)
        herod.run("create", "place", '{"row": 1, "seat": "x"}')
        herod.run("create", "thing", json.dumps({
            "name": "one", "hue": "DARK_BLUE", "at": "2026-11-23T02:02:03.45+01:00",
            "day": "2024-02-29", "code": "123E4567E89B12D3A456426614174000", "price": "12.50",
            "size": 3, "tags": ["a", "ä", 'q"'], "address": {"street": "S", "numbers": [1, 2]},
            "row": 1, "seat": "x"}))
    engine = columns_app.open_database(path)
    columns_app.create_tables(engine)  # finds all of them there
    with Session(engine) as session:
        thing, wanted = session.exec(select(columns_app.Thing)).one(), columns_app.sample()
        for name in ("name", "hue", "other", "at", "maybe", "day", "code", "price", "size", "tags",
                     "address", "row", "seat"):
            assert getattr(thing, name) == getattr(wanted, name), name
        second = columns_app.sample()
        second.name, second.maybe = "two", datetime.datetime(1, 1, 1)
        second.price, second.tags, second.address = None, None, None
        session.add(second)
        session.commit()
    engine.dispose()
    with sqlite3.connect(path) as db:
        ours, theirs = db.execute("select hue, at, day, code, typeof(price), price from thing order by id")
        assert ours[:4] == theirs[:4], (ours, theirs)
        assert ours[4:] == ("real", 12.5), ours
    with Herod(folder, path) as herod:
        second = herod.json("get", "thing", "2")
        assert second["maybe"] == "0001-01-01T00:00:00Z" and second["price"] is None
        # SQLAlchemy stores None in a JSON column as JSON's null.
        assert second["tags"] == [] and second["address"] is None


def main():
    for test in (same_shape, sqlmodel_then_hero, hero_then_sqlmodel):
        with tempfile.TemporaryDirectory(prefix="hero-columns-") as folder:
            test(folder)
            print(test.__name__, "ok")


if __name__ == "__main__":
    main()
