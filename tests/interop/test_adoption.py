"""Databases that nobody here wrote: heroctl infer, apply, list, expand, and the
file is as it was; what is shown is what SQLite says itself.

Northwind is looked for in HERO_SHARED, else beside the source: ../shared/data.
The others are in Debian packages, or made by SQLModel."""
import glob
import json
import os
import re
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

    def serve(self):
        """A herod that serves what infer says, for writes."""
        with open(self.proto, "w", encoding="utf-8") as file:
            file.write(infer(self.database))
        herod = Herod(self.folder, self.database)
        herod.__enter__()
        self.addCleanup(herod.__exit__)
        herod.json("apply", "-I", os.path.join(SOURCE, "proto"), self.proto)
        return herod

    def stored(self, sql):
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            rows = [tuple(row) for row in database.execute(sql)]
        database.close()
        return rows

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
        if not model.read_only:
            self.write_back(model, records)

    def write_back(self, model, records):
        """What was read is written, and the file stays as it is. Not so by intent: bytes and
        texts that carry values of other kinds, where SQLite converts nothing."""
        references = {from_.lower() for _, columns in adopted.foreign_keys(self.sqlite, model.table)
                      for from_, _ in columns}
        columns = [column for column in model.columns
                   if not column.key and "read_only" not in column.options and column.name.lower() not in references
                   and not (column.kind == "bytes" and "sql_type" in column.options)
                   and not (column.kind == "string" and re.search('sql_type: "(ANY|BLOB)?"', column.options))]
        for record in records[:2]:
            values = {column.field: record.get(column.field) for column in columns}
            if values:
                key = json.dumps([record[column.field] for column in model.columns if column.key])
                self.herod.run("update", model.name, key, json.dumps(values))

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
            if relationship.link and adopted.has_dangling(self.sqlite, self.models[relationship.link]):
                continue  # a link that points nowhere is counted, and shows nothing
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

    def test_written_to(self):
        herod = self.serve()
        before = adopted.contents(self.database)[1]
        made = herod.json("create", "Orders", json.dumps({
            "order_date": "2026-11-23 00:00:00.000", "freight": "12.50", "customer": {"@key": {"customer_id": "ALFKI"}},
            "products": [{"@key": {"product_id": 11}, "@link": {"unit_price": "14", "quantity": 3}}]}))
        key = str(made["order_id"])
        self.assertEqual(self.stored(f"SELECT CustomerID, typeof(Freight), Freight FROM Orders WHERE OrderID = {key}"),
                         [("ALFKI", "real", 12.5)])
        self.assertEqual(self.stored(f'SELECT ProductID, UnitPrice, Quantity, Discount FROM "Order Details" '
                                     f"WHERE OrderID = {key}"), [(11, 14, 3, 0)])
        herod.run("link", "employees", "1", "territories", "98104")
        herod.run("unlink", "employees", "1", "territories", "98104")
        refused = herod.run("update", "products", "11", "unit_price=-1", status=5)
        self.assertIn("UnitPrice", refused)
        herod.run("unlink", "orders", key, "products", "11")
        herod.run("delete", "orders", key)
        after = adopted.contents(self.database)[1]
        for table in before.keys() - {"sqlite_sequence"}:
            self.assertEqual(before[table], after[table], table)


class TestProj(Adoption, unittest.TestCase):
    no_model = ("usage", "alias_name", "object_view")

    def make(self):
        self.copy("/usr/share/proj/proj.db", "proj-data")

    def test_numbers_in_texts_are_written(self):
        herod = self.serve()
        kinds = lambda code: self.stored(f"SELECT typeof(code), name FROM unit_of_measure WHERE auth_name = 'EPSG' "
                                         f"AND code = {code}")
        herod.run("update", "unit_of_measure", '["EPSG", "9001"]', "name=meter")
        self.assertEqual(kinds("9001"), [("integer", "meter")])
        for code, kind in (("123456", "integer"), ("odd-1", "text")):
            made = herod.json("create", "unit_of_measure", json.dumps(
                {"auth_name": "EPSG", "code": code, "name": "some unit", "type": "length", "deprecated": False}))
            self.assertEqual(made["code"], code)
            self.assertEqual(kinds(f"'{code}'"), [(kind, "some unit")])
            self.assertEqual(herod.json("get", "unit_of_measure", json.dumps(["EPSG", code]))["name"], "some unit")
            herod.run("delete", "unit_of_measure", json.dumps(["EPSG", code]))
        self.assertIn("another number", herod.run("create", "unit_of_measure", json.dumps(
            {"auth_name": "EPSG", "code": "007", "name": "some unit", "type": "length", "deprecated": False}), status=5))
        self.assertIn("type IN", herod.run("create", "unit_of_measure", json.dumps(
            {"auth_name": "EPSG", "code": "7", "name": "some unit", "type": "other", "deprecated": False}), status=5))


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


def shape(path):
    """What two databases of the same models have in common: by pragma, and CHECKs."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = lambda sql: [tuple(row) for row in database.execute(sql)]
        result = {}
        for (table,) in rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_hero\\_%' "
                             "ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"):
            name = adopted.quoted(table)
            sql = rows(f"SELECT sql FROM sqlite_schema WHERE name = '{table}'")[0][0]
            result[table] = {
                "columns": rows(f"PRAGMA table_xinfo({name})"),
                "indexes": sorted((row[2], row[3], row[4], rows(f"PRAGMA index_xinfo({adopted.quoted(row[1])})"))
                                  for row in rows(f"PRAGMA index_list({name})")),
                "foreign keys": sorted(row[1:] for row in rows(f"PRAGMA foreign_key_list({name})")),
                "checks": sql.count("CHECK"),
                "autoincrement": "AUTOINCREMENT" in sql,
            }
    database.close()
    return result


def in_any_order(text):
    """Models come in the order their tables were made in."""
    return sorted(re.sub(r" = \d+", "", line) for line in text.splitlines()[1:])


class TestRoundTrip(unittest.TestCase):
    """What Hero made of any models is described by infer: as it is, and so that
    the same tables come of it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="hero-round-trip-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_zoo(self):
        zoo = sorted(glob.glob(os.path.join(SOURCE, "tests", "data", "models", "y_*.proto")))
        zoo += sorted(glob.glob(os.path.join(SOURCE, "tests", "data", "*.proto")))
        self.assertGreater(len(zoo), 20)
        for number, path in enumerate(zoo):
            with self.subTest(models=os.path.basename(path)):
                self.round_trip(path, number)

    def apply(self, database, proto):
        with Herod(self.folder, database) as herod:
            return herod.json("apply", "-I", os.path.join(SOURCE, "proto"), "-I", os.path.dirname(proto), proto)

    def drop_indexes_of_relationships(self, first, second):
        """Where the models had a foreign key and no relationship, infer's have one, which
        comes with an index if the table is Hero's own."""
        names = lambda database: {name for (name,) in database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND name LIKE 'ix%'")}
        with sqlite3.connect(first) as one, sqlite3.connect(second) as other:
            for name in names(other) - names(one):
                other.execute(f"DROP INDEX {adopted.quoted(name)}")
        one.close()
        other.close()

    def round_trip(self, path, number):
        first, second = (os.path.join(self.folder, f"{number}-{i}.db") for i in (1, 2))
        self.apply(first, path)
        text = infer(first)
        proto = os.path.join(self.folder, f"m{number}.proto")
        with open(proto, "w", encoding="utf-8") as file:
            file.write(text)
        if "message " not in text:
            return
        before = adopted.contents(first)
        with sqlite3.connect(first) as database:  # as if Hero had never been here
            for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE name LIKE '\\_hero\\_%' "
                                            "ESCAPE '\\' AND type = 'table'").fetchall():
                database.execute(f"DROP TABLE {adopted.quoted(name)}")
        database.close()
        answer = self.apply(first, proto)
        self.assertEqual(answer.get("ddl", []), [], text)
        self.assertEqual(before, adopted.contents(first))
        self.apply(second, proto)
        self.drop_indexes_of_relationships(first, second)
        self.assertEqual(shape(first), shape(second), text)
        self.assertEqual(in_any_order(infer(second)), in_any_order(text))


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
