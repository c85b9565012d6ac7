"""SQLModel's relationships and Hero's on one file, both ways: one-to-many,
one-to-one, links with extra fields, foreign keys of several columns."""
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

from typing import List, Optional

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Integer
from sqlmodel import Field, Relationship, Session, SQLModel, create_engine, select

from herod import Herod


class Training(SQLModel, table=True):
    team_id: Optional[int] = Field(default=None, foreign_key="team.id", primary_key=True)
    hero_id: Optional[int] = Field(default=None, foreign_key="hero.id", primary_key=True)
    is_training: bool = False
    team: "Team" = Relationship(back_populates="trainings")
    hero: "Hero" = Relationship(back_populates="trainings")


class Team(SQLModel, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    heroes: List["Hero"] = Relationship(back_populates="team")
    trainings: List[Training] = Relationship(back_populates="team")


class Hero(SQLModel, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    team_id: Optional[int] = Field(
        sa_column=Column(Integer, ForeignKey("team.id", ondelete="SET NULL"))
    )
    team: Optional[Team] = Relationship(back_populates="heroes")
    badge: Optional["Badge"] = Relationship(
        back_populates="hero", sa_relationship_kwargs={"uselist": False}
    )
    trainings: List[Training] = Relationship(back_populates="hero")


class Badge(SQLModel, table=True):
    id: Optional[int] = Field(default=None, primary_key=True)
    hero_id: int = Field(
        sa_column=Column(
            Integer, ForeignKey("hero.id", ondelete="CASCADE"), nullable=False, unique=True
        )
    )
    hero: Hero = Relationship(back_populates="badge")


class City(SQLModel, table=True):
    country: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    streets: List["Street"] = Relationship(back_populates="city")


class Street(SQLModel, table=True):
    __table_args__ = (
        ForeignKeyConstraint(
            ["country", "city_number"], ["city.country", "city.number"], ondelete="CASCADE"
        ),
    )
    id: Optional[int] = Field(default=None, primary_key=True)
    country: Optional[str]
    city_number: Optional[int]
    city: Optional[City] = Relationship(back_populates="streets")


TABLES = ("team", "hero", "badge", "training", "city", "street")


def shape(path):
    """By pragma; indexes that Hero adds for the sake of relationships are left out."""
    with sqlite3.connect(path) as database:
        rows = lambda sql: [tuple(row) for row in database.execute(sql)]
        return {
            table: {
                # Without places: SQLAlchemy puts columns of its own making first.
                "columns": sorted(row[1:] for row in rows(f"PRAGMA table_xinfo({table})")),
                "uniques": sorted(
                    [column[2] for column in rows(f"PRAGMA index_info({index[1]})")]
                    for index in rows(f"PRAGMA index_list({table})")
                    if index[2]
                ),
                # (id, seq, table, from, to, on_update, on_delete, match): ids are an accident
                "foreign keys": sorted(row[1:] for row in rows(f"PRAGMA foreign_key_list({table})")),
            }
            for table in TABLES
        }


class Related(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="hero-interop.")
        self.addCleanup(self.folder.cleanup)
        self.database = os.path.join(self.folder.name, "hero.db")
        self.engine = create_engine(f"sqlite:///{self.database}")
        self.addCleanup(self.engine.dispose)

    def herod(self):
        return Herod(self.folder.name, self.database)

    def apply(self, herod):
        source = os.environ["HERO_SOURCE"]
        herod.run(
            "apply",
            "-I",
            os.path.join(source, "proto"),
            os.path.join(source, "tests/interop/related.proto"),
        )

    def create_with_sqlmodel(self):
        SQLModel.metadata.create_all(self.engine)
        with Session(self.engine) as session:
            preventers, z_force = Team(name="Preventers"), Team(name="Z-Force")
            deadpond = Hero(name="Deadpond", team=z_force)
            rusty = Hero(name="Rusty-Man", team=preventers, badge=Badge())
            session.add_all([deadpond, rusty, Hero(name="Spider-Boy")])
            session.add(Training(team=preventers, hero=deadpond, is_training=True))
            session.add(City(country="de", number=1, streets=[Street(), Street()]))
            session.commit()

    def test_one_to_many_of_sqlmodels_database(self):
        self.create_with_sqlmodel()
        before = shape(self.database)
        with self.herod() as herod:
            self.apply(herod)
            heroes = {hero["name"]: hero for hero in herod.json("list", "hero", "--expand", "team")}
            self.assertEqual(heroes["Deadpond"]["team"]["name"], "Z-Force")
            self.assertEqual(heroes["Rusty-Man"]["team"]["name"], "Preventers")
            self.assertIsNone(heroes["Spider-Boy"]["team"])
            herod.run("link", "team", "1", "heroes", str(heroes["Spider-Boy"]["id"]))
            herod.run("unlink", "hero", str(heroes["Deadpond"]["id"]), "team",
                      str(heroes["Deadpond"]["team"]["id"]))
            herod.run("create", "team", '{"name": "New", "heroes": [{"name": "Tarantula"}]}')
            # SQLModel reads that at once, and writes while herod serves.
            with Session(self.engine) as session:
                of = {hero.name: hero for hero in session.exec(select(Hero)).all()}
                self.assertIsNone(of["Deadpond"].team)
                self.assertEqual(of["Tarantula"].team.name, "New")
                team = of["Spider-Boy"].team
                of["Deadpond"].team = team
                of["Rusty-Man"].team = None
                session.add_all(of.values())
                session.commit()
                key = str(team.id)
            names = [hero["name"] for hero in herod.json("get", "team", key, "--expand", "heroes")["heroes"]]
            self.assertIn("Deadpond", names)
            self.assertNotIn("Rusty-Man", names)
        self.assertEqual(shape(self.database), before)

    def test_one_to_one_and_links_with_extra_fields(self):
        self.create_with_sqlmodel()
        with self.herod() as herod:
            self.apply(herod)
            teams = herod.json("list", "team", "--expand", "trainees,trainings.hero")
            team = [team for team in teams if team["trainees"]][0]
            self.assertEqual(team["trainees"][0]["name"], "Deadpond")
            self.assertIs(team["trainees"][0]["@link"]["is_training"], True)
            self.assertEqual(team["trainings"][0]["hero"]["name"], "Deadpond")
            herod.run("link", "team", str(team["id"]), "trainees", "1", "2", "3", "--set",
                      "is_training=false")
            rusty = [h for h in herod.json("list", "hero", "--expand", "badge") if h["badge"]][0]
            self.assertEqual(rusty["name"], "Rusty-Man")
            other = 3 if rusty["id"] != 3 else 2
            herod.run("link", "hero", str(other), "badge", str(rusty["badge"]["id"]))
            with Session(self.engine) as session:
                trainings = session.exec(select(Training)).all()
                self.assertEqual(len(trainings), 3)
                self.assertFalse(any(training.is_training for training in trainings))
                self.assertIsNotNone(session.get(Hero, other).badge)
                self.assertIsNone(session.get(Hero, rusty["id"]).badge)

    def test_sqlmodel_reads_heros_database(self):
        with self.herod() as herod:
            self.apply(herod)
            herod.run("create", "city", '{"country": "de", "number": 1, "streets": [{}, {}]}')
            herod.run("create", "team", '{"name": "Z", "heroes": [{"name": "D", "badge": {}}]}')
            herod.run("link", "team", "1", "trainees", "1", "--set", "is_training=true")
        made_by_hero = shape(self.database)
        with Session(self.engine) as session:
            self.assertEqual(len(session.get(City, ("de", 1)).streets), 2)
            team = session.get(Team, 1)
            self.assertEqual([hero.name for hero in team.heroes], ["D"])
            self.assertEqual(team.heroes[0].badge.hero_id, 1)
            self.assertTrue(team.trainings[0].is_training)
            # What SQLAlchemy does on delete, without a cascade: the key becomes NULL.
            session.delete(session.get(City, ("de", 1)))
            session.commit()
            self.assertEqual([s.city_number for s in session.exec(select(Street)).all()], [None, None])
        other = os.path.join(self.folder.name, "other.db")
        engine = create_engine(f"sqlite:///{other}")
        SQLModel.metadata.create_all(engine)
        engine.dispose()
        self.assertEqual(made_by_hero, shape(other))

    def test_deletes_follow_the_keys(self):
        self.create_with_sqlmodel()
        with self.herod() as herod:
            self.apply(herod)
            rusty = [h for h in herod.json("list", "hero", "--expand", "badge") if h["badge"]][0]
            self.assertEqual(herod.json("delete", "hero", str(rusty["id"]))["deleted"], 2)
            self.assertEqual(herod.json("delete", "city", "de,1")["deleted"], 3)
            for team in herod.json("list", "team"):
                self.assertEqual(herod.json("delete", "team", str(team["id"]))["deleted"], 1)
        with Session(self.engine) as session:
            self.assertEqual(session.exec(select(Badge)).all(), [])
            self.assertEqual(session.exec(select(Street)).all(), [])
            self.assertEqual({hero.team_id for hero in session.exec(select(Hero)).all()}, {None})


if __name__ == "__main__":
    unittest.main()
