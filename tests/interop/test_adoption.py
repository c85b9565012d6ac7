"""Databases that nobody here wrote: heroctl infer, apply, list, expand, and the
file is as it was; what is shown is what SQLite says itself.

Northwind is looked for in HERO_SHARED, else beside the source: ../shared/data.
The others are in Debian packages, or made by SQLModel."""
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # nothing is left in the tree

import adopted
from generated import Generator
from herod import Herod

# Some of PROJ's units have a thousand transformations of 72 columns.
os.environ["HERO_MESSAGE_LIMIT"] = "16M"
SOURCE = os.environ["HERO_SOURCE"]
SHARED = os.environ.get("HERO_SHARED") or os.path.join(SOURCE, "..", "shared")


def infer(path):
    return subprocess.run([os.environ["HEROCTL"], "infer", path], check=True, stdout=subprocess.PIPE,
                          encoding="utf-8", timeout=60).stdout


def literal(value):
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return json.dumps(value)


class Adoption:
    """Mixed into a TestCase; make() makes the database at self.database or skips."""

    no_model = ()  # tables without a model
    at_least = 1  # models

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="hero-adoption-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.database = os.path.join(folder.name, "adopted.db")
        self.proto = os.path.join(folder.name, "models.proto")
        self.make()

    def copy(self, path, package):
        if not os.path.exists(path):
            self.skipTest(f"{path} isn't there (Debian: {package})")
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as source, sqlite3.connect(self.database) as target:
            source.backup(target)
        target.close()
        source.close()

    def test_adopted_as_it_is(self):
        before = adopted.contents(self.database)
        text = infer(self.database)
        with open(self.proto, "w", encoding="utf-8") as file:
            file.write(text)
        self.models = adopted.models_of(text)
        for name in self.no_model:
            self.assertIn(f"// No model of {name}: ", text)
        self.assertGreaterEqual(len(self.models), self.at_least)
        if not self.models:
            return
        with Herod(self.folder, self.database) as self.herod:
            answer = self.herod.json("apply", "-I", os.path.join(SOURCE, "proto"), self.proto)
            self.assertEqual(sorted(answer["adopted"]), sorted(m.table for m in self.models.values()))
            self.assertEqual(answer.get("ddl", []), [])
            with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as self.sqlite:
                self.sqlite.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
                for model in self.models.values():
                    self.check_model(model)
            self.sqlite.close()
            self.ask()
        after = adopted.contents(self.database)
        self.assertEqual(before[0], after[0])
        for table in before[1]:
            self.assertEqual(before[1][table], after[1][table], table)
        self.assertEqual(infer(self.database), text)  # and describes it again

    def records(self, model, *arguments):
        lines = self.herod.run("list", model.name, "--all", "--limit", "1000", "-o", "jsonl", *arguments)
        return [json.loads(line) for line in lines.splitlines()]

    def check_model(self, model):
        """Every row and every pair of related ones, in one list."""
        fields = [relationship.field for relationship in model.relationships]
        records = self.records(model, *(["--expand", ",".join(fields)] if fields else []))
        self.check_rows(model, records)
        for relationship in model.relationships:
            related = [record.get(relationship.field) for record in records]
            n = sum((r is not None) if relationship.single else len(r or []) for r in related)
            expected = adopted.related_count(self.sqlite, self.models, model, relationship)
            self.assertEqual(n, expected, f"{model.name}.{relationship.field}")
        self.check_filters(model, records)

    def check_rows(self, model, records):
        keys = [i for i, column in enumerate(model.columns) if column.key]
        stored = {}
        for row in adopted.rows_of(self.sqlite, model):
            stored[tuple(adopted.key_text(model.columns[i], row[i]) for i in keys)] = row
        self.assertEqual(len(records), len(stored), model.name)
        for record in records:
            key = tuple(adopted.key_text(model.columns[i], record[model.columns[i].field]) for i in keys)
            for column, value in zip(model.columns, stored[key]):
                shown = record.get(column.field)
                self.assertTrue(adopted.same_value(column, shown, value),
                                f"{model.name} {key} {column.field}: {shown!r}, stored {value!r}")

    def check_filters(self, model, records):
        """Some records by their key; as many as have a value in a column; any related."""
        if "--filter" not in self.herod.run("list", "--help"):
            return
        keys = [column for column in model.columns if column.key]
        for record in records[:: max(1, len(records) // 2)]:
            text = " AND ".join(f"{column.field} = {literal(record[column.field])}" for column in keys)
            found = self.records(model, "--filter", text)
            self.assertEqual([[r[c.field] for c in keys] for r in found],
                             [[record[c.field] for c in keys]], f"{model.name}: {text}")
        for column in model.columns[:3]:
            found = self.records(model, "--filter", f"{column.field} IS NOT NULL")
            n = sum(record.get(column.field) is not None for record in records)
            self.assertEqual(len(found), n, f"{model.name}.{column.field}")
        for relationship in [r for r in model.relationships if not r.single][:2]:
            found = self.records(model, "--filter", f"count({relationship.field}) >= 1")
            n = sum(bool(record.get(relationship.field)) for record in records)
            self.assertEqual(len(found), n, f"{model.name}.{relationship.field}")

    def ask(self):
        """Further questions, of one database."""


class TestNorthwind(Adoption, unittest.TestCase):
    no_model = ("Invoices", "Order Subtotals")

    def make(self):
        path = os.path.join(SHARED, "data", "northwind", "create.sql")
        if not os.path.exists(path):
            self.skipTest(f"{path} isn't there (HERO_SHARED names another folder)")
        with open(path, encoding="utf-8", newline="") as file, sqlite3.connect(self.database) as database:
            database.executescript(file.read())
        database.close()

    def ask(self):
        employees = self.records(self.models["Employees"], "--expand", "territories,orders")
        self.assertEqual(len(employees), 9)
        self.assertEqual(sum(len(e["territories"]) for e in employees), 49)
        self.assertEqual(sum(len(e["orders"]) for e in employees), 830)
        orders = self.records(self.models["Orders"], "--expand", "products")
        self.assertEqual(sum(len(o["products"]) for o in orders), 2155)


class TestProj(Adoption, unittest.TestCase):
    no_model = ("usage", "alias_name", "object_view")

    def make(self):
        self.copy("/usr/share/proj/proj.db", "proj-data")


class TestKStarsCities(Adoption, unittest.TestCase):
    def make(self):
        self.copy("/usr/share/kstars/citydb.sqlite", "kstars-data")


class TestQgis(Adoption, unittest.TestCase):
    def make(self):
        self.copy("/usr/share/qgis/resources/qgis.db", "qgis-providers-common")


class TestQgisTemplate(Adoption, unittest.TestCase):
    no_model = ("tbl_info",)

    def make(self):
        self.copy("/usr/share/qgis/resources/srs-template.db", "qgis-providers-common")


class TestTutorial(Adoption, unittest.TestCase):
    def make(self):
        try:
            from heroes_app import create_db_and_tables, create_heroes, open_database
        except ImportError:
            self.skipTest("no sqlmodel (Debian: python3-sqlmodel)")
        engine = open_database(self.database)
        create_db_and_tables(engine)
        create_heroes(engine)
        engine.dispose()

    def ask(self):
        heroes = self.records(self.models["Hero"], "--expand", "teams")
        self.assertEqual([len(hero["teams"]) for hero in heroes], [2, 1, 1])


class TestGenerated(unittest.TestCase):
    """Random schemas with the oddities above: each seed is a database."""

    def test_seeds(self):
        first, n = int(os.environ.get("HERO_SEED", "1")), int(os.environ.get("HERO_SEEDS", "12"))
        for seed in range(first, first + n):
            with self.subTest(seed=seed):
                self.one(seed)

    def one(self, seed):
        case = type("Seed", (Adoption, unittest.TestCase), {
            "make": lambda case: Generator(seed).make(case.database), "at_least": 0})("test_adopted_as_it_is")
        result = case.run(unittest.TestResult())
        for _, text in result.failures + result.errors:
            self.fail(text)


if __name__ == "__main__":
    unittest.main()
