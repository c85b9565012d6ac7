"""A database that SQLModel's program made is served by herod; one that herod
made is read and written by SQLModel's program. The tables of both are equal."""
import json
import os
import sqlite3
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # nothing is left in the tree

try:
    import sqlmodel
except ImportError:
    print("skipped: no sqlmodel for", sys.executable, "(Debian: python3-sqlmodel)")
    sys.exit(77)

from herod import Herod
from heroes_app import Hero, Team, create_db_and_tables, create_heroes, open_database
from sqlmodel import Session, select

TABLES = ("hero", "heroteamlink", "team")
# Beyond SQLModel's: a hero's teams are found without reading every link.
EXTRA_INDEX = "ix_heroteamlink_hero_id"

TEAMS = [
    {"name": "Z-Force", "headquarters": "Sister Margaret’s Bar"},
    {"name": "Preventers", "headquarters": "Sharp Tower"},
]
HEROES = [
    {"name": "Deadpond", "secret_name": "Dive Wilson"},
    {"name": "Rusty-Man", "secret_name": "Tommy Sharp", "age": 48},
    {"name": "Spider-Boy", "secret_name": "Pedro Parqueador"},
]

# The DDL that the chapter prints: key columns without NOT NULL.
CHAPTER_DDL = """
CREATE TABLE team (
        id INTEGER,
        name VARCHAR NOT NULL,
        headquarters VARCHAR NOT NULL,
        PRIMARY KEY (id)
);
CREATE INDEX ix_team_name ON team (name);
CREATE TABLE hero (
        id INTEGER,
        name VARCHAR NOT NULL,
        secret_name VARCHAR NOT NULL,
        age INTEGER,
        PRIMARY KEY (id)
);
CREATE INDEX ix_hero_age ON hero (age);
CREATE INDEX ix_hero_name ON hero (name);
CREATE TABLE heroteamlink (
        team_id INTEGER,
        hero_id INTEGER,
        PRIMARY KEY (team_id, hero_id),
        FOREIGN KEY(team_id) REFERENCES team (id),
        FOREIGN KEY(hero_id) REFERENCES hero (id)
);
INSERT INTO team (name, headquarters) VALUES ('Preventers', 'Sharp Tower');
INSERT INTO hero (name, secret_name) VALUES ('Deadpond', 'Dive Wilson');
INSERT INTO heroteamlink VALUES (1, 1);
"""


def names(records):
    return [record["name"] for record in records]


def shape(path):
    """What the two must have in common, by pragma; and the text of CREATE TABLE."""
    with sqlite3.connect(path) as database:
        rows = lambda sql: [tuple(row) for row in database.execute(sql)]
        result = {}
        for table in TABLES:
            indexes = sorted(row[1:] for row in rows(f"PRAGMA index_list({table})"))
            result[table] = {
                "columns": rows(f"PRAGMA table_xinfo({table})"),
                "indexes": indexes,
                "index columns": {
                    index[0]: rows(f"PRAGMA index_xinfo({index[0]})") for index in indexes
                },
                "foreign keys": sorted(rows(f"PRAGMA foreign_key_list({table})")),
                "text": rows(f"SELECT sql FROM sqlite_master WHERE name = '{table}'")[0][0].split(),
            }
        return result


class Interop(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hero-interop.")
        self.addCleanup(self.folder.cleanup)
        self.database = os.path.join(self.folder.name, "hero.db")

    def herod(self):
        return Herod(self.folder.name, self.database)

    def run_app(self):
        engine = open_database(self.database)
        create_db_and_tables(engine)
        create_heroes(engine)
        engine.dispose()

    def create_with_hero(self, herod):
        """The chapter's data."""
        herod.apply_heroes()
        for team in TEAMS:
            herod.run("create", "team", json.dumps(team, ensure_ascii=False))
        for hero, teams in zip(HEROES, ([1, 2], [2], [2])):
            related = [{"@key": {"id": team}} for team in teams]
            herod.run("create", "hero", json.dumps({**hero, "teams": related}))

    def check_both_sides_with_sqlmodel(self, heroes_of, teams_of):
        engine = open_database(self.database)
        with Session(engine) as session:
            for team in session.exec(select(Team)).all():
                self.assertEqual(sorted(h.name for h in team.heroes), heroes_of[team.name])
            for hero in session.exec(select(Hero)).all():
                self.assertEqual(sorted(t.name for t in hero.teams), teams_of[hero.name])
        engine.dispose()

    def test_sqlmodels_database_is_served(self):
        self.run_app()
        before = shape(self.database)
        with self.herod() as herod:
            herod.apply_heroes()
            deadpond = herod.json("get", "hero", "1", "--expand", "teams")
            self.assertEqual(deadpond["secret_name"], "Dive Wilson")
            self.assertIsNone(deadpond["age"])
            self.assertEqual(names(deadpond["teams"]), ["Z-Force", "Preventers"])
            self.assertEqual(deadpond["teams"][0]["headquarters"], "Sister Margaret’s Bar")
            preventers = herod.json("get", "team", "2", "--expand", "heroes")
            self.assertEqual(names(preventers["heroes"]), ["Deadpond", "Rusty-Man", "Spider-Boy"])
            # And is written.
            herod.run("unlink", "hero", "1", "teams", "2")
            herod.run("link", "team", "1", "heroes", "3")
            herod.run("update", "hero", "1", "age=30")
            created = herod.json("create", "hero", "name=Tarantula", "secret_name=Natalia", "age=32")
            self.assertEqual(created["id"], 4)
        # What was there is as it was; SQLModel sees what Hero wrote.
        after = shape(self.database)
        for table in TABLES:
            self.assertEqual(after[table]["columns"], before[table]["columns"])
            self.assertEqual(after[table]["text"], before[table]["text"])
        self.check_both_sides_with_sqlmodel(
            {"Z-Force": ["Deadpond", "Spider-Boy"], "Preventers": ["Rusty-Man", "Spider-Boy"]},
            {
                "Deadpond": ["Z-Force"],
                "Rusty-Man": ["Preventers"],
                "Spider-Boy": ["Preventers", "Z-Force"],
                "Tarantula": [],
            },
        )
        engine = open_database(self.database)
        with Session(engine) as session:
            self.assertEqual(session.get(Hero, 1).age, 30)
        engine.dispose()

    def test_heros_database_is_sqlmodels(self):
        with self.herod() as herod:
            self.create_with_hero(herod)
        self.check_both_sides_with_sqlmodel(
            {"Z-Force": ["Deadpond"], "Preventers": ["Deadpond", "Rusty-Man", "Spider-Boy"]},
            {
                "Deadpond": ["Preventers", "Z-Force"],
                "Rusty-Man": ["Preventers"],
                "Spider-Boy": ["Preventers"],
            },
        )
        # The program runs on it as it is (its create_all finds all there), and changes it.
        self.run_app()
        engine = open_database(self.database)
        with Session(engine) as session:
            deadpond = session.get(Hero, 1)
            z_force = session.get(Team, 1)
            deadpond.teams.remove(z_force)
            z_force.heroes.append(session.get(Hero, 2))
            session.add(deadpond)
            session.commit()
        engine.dispose()
        with self.herod() as herod:
            self.assertEqual(len(herod.json("list", "hero")), 6)
            deadpond = herod.json("get", "hero", "1", "--expand", "teams")
            self.assertEqual(names(deadpond["teams"]), ["Preventers"])
            z_force = herod.json("get", "team", "1", "--expand", "heroes")
            self.assertEqual(names(z_force["heroes"]), ["Rusty-Man"])
            again = herod.json("get", "hero", "4", "--expand", "teams")
            self.assertEqual([team["id"] for team in again["teams"]], [3, 4])

    def test_shapes_are_equal(self):
        self.run_app()
        by_sqlmodel = shape(self.database)
        self.database = os.path.join(self.folder.name, "other.db")
        with self.herod() as herod:
            herod.apply_heroes()
        by_hero = shape(self.database)
        links = by_hero["heroteamlink"]
        self.assertEqual(
            [index for index in links["indexes"] if index[0] == EXTRA_INDEX],
            [(EXTRA_INDEX, 0, "c", 0)],
        )
        columns = [row[2] for row in links["index columns"].pop(EXTRA_INDEX) if row[5]]
        self.assertEqual(columns, ["hero_id", "team_id"])
        links["indexes"] = [index for index in links["indexes"] if index[0] != EXTRA_INDEX]
        self.assertEqual(by_hero, by_sqlmodel)

    def test_the_chapters_own_ddl_is_adopted(self):
        with sqlite3.connect(self.database) as database:
            database.executescript(CHAPTER_DDL)
        database.close()
        with self.herod() as herod:
            herod.apply_heroes()
            hero = herod.json("get", "hero", "1", "--expand", "teams")
            self.assertEqual(names(hero["teams"]), ["Preventers"])
            self.assertEqual(herod.json("create", "team", "name=X", "headquarters=Y")["id"], 2)

    def test_another_shape_is_refused(self):
        with sqlite3.connect(self.database) as database:
            database.executescript(CHAPTER_DDL.replace("age INTEGER", "age VARCHAR"))
        database.close()
        before = shape(self.database)
        with self.herod() as herod:
            told = herod.apply_heroes(status=4)
            self.assertIn("age", told)
            self.assertIn("VARCHAR", told)
        self.assertEqual(shape(self.database), before)


if __name__ == "__main__":
    unittest.main()
