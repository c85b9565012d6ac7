"""Databases of random schemas with the oddities of real ones. The same seed
makes the same database."""
import random
import sqlite3

NAMES = ["Order Details", "user", "USERS", "select", "größe", "2fast", "it's", 'a "quote"', "x", "has_x", "n_x", "base",
         "camelCase", "UPPER", "with-dash", "dot.ted", "é", "表", "int", "default", "_private", "trailing_", "parent_id",
         "users_id", "team", "teams", "hero_id", "created_at", "group", "index", "a b", "a_b", "A B", "null", "returning",
         "nothing", "window", "rowid", "oid", "id", "name", "class", "message", "optional", "string", "errno", "100%"]
TYPES = ["INTEGER", "INT", "BIGINT", "TINYINT(1)", "BOOLEAN", "REAL", "FLOAT", "DOUBLE PRECISION", "NUMERIC",
         "DECIMAL(10, 2)", "TEXT", "VARCHAR", "VARCHAR(40)", "NVARCHAR(255)", "CLOB", "CHAR(32)", "BLOB", "DATETIME",
         "TIMESTAMP", "DATE", "TIME", "JSON", "UUID", "INTEGER_OR_TEXT", "MONEY", ""]
STRICT_TYPES = ["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"]
DEFAULTS = ["NULL", "0", "1", "-7", "2.5", "'text'", "'it''s'", '"dq"', "''", "x'00ff'", "true", "CURRENT_TIMESTAMP",
            "(1 + 2)", "(lower('X'))", "1e3", "'12'"]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class Table:
    def __init__(self, name):
        self.name = name
        self.columns = {}  # name: type
        self.key = []
        self.clauses = []
        self.keys = []  # foreign: (columns, table, columns there)
        self.tail = ""


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.tables = []
        self.script = []
        self.taken = set()

    def chance(self, of):
        return self.random.random() < of

    def pick(self, things):
        return self.random.choice(things)

    def name(self, taken):
        while True:
            name = self.pick(NAMES)
            if self.chance(0.3):
                name += str(self.random.randrange(4))
            if name.lower() not in taken and self.fold(name) not in taken:
                taken.update((name.lower(), self.fold(name)))
                return name

    def fold(self, name):
        return name.casefold()

    # ---- schema ----

    def column(self, table, taken, type_=None, name=None):
        name = name or self.name(taken)
        if type_ is None:
            type_ = self.pick(STRICT_TYPES if "STRICT" in table.tail else TYPES)
        table.columns[name] = type_
        return name

    def key_of(self, table, taken):
        kind = self.pick(["rowid", "rowid", "auto", "int", "text", "two", "three", "two", "none", "unique"])
        if kind in ("rowid", "auto"):
            name = self.column(table, taken, "INTEGER", name=None if self.chance(0.5) else "id")
            taken.add("id")
            table.key = [name]
            table.inline = " PRIMARY KEY" + (" AUTOINCREMENT" if kind == "auto" else "")
            return
        table.inline = ""
        n = {"int": 1, "text": 1, "two": 2, "three": 3, "none": 0, "unique": 2}[kind]
        types = {"int": ["INT"], "text": ["TEXT"]}.get(kind, ["INTEGER", "TEXT"])
        columns = [self.column(table, taken, self.pick(types)) for _ in range(n)]
        if n:
            listed = ", ".join(quoted(c) for c in self.random.sample(columns, n))
            table.clauses.append(f"{'UNIQUE' if kind == 'unique' else 'PRIMARY KEY'} ({listed})")
            if kind == "unique":
                table.not_null = set(columns)
        table.key = columns
        if n and kind != "unique" and self.chance(0.4):
            table.tail = " WITHOUT ROWID"

    def type_of_reference(self, table, type_):
        if "STRICT" in table.tail:
            return type_ if type_ in STRICT_TYPES else "ANY"
        return type_ if self.chance(0.9) else ""

    def foreign_key(self, table, taken, target, in_key=False):
        columns = []
        for to in target.key:
            name = None
            if self.chance(0.5):
                name = target.name + "_" + to if len(target.key) > 1 else target.name + "_id"
                if name.lower() in taken:
                    name = None
                else:
                    taken.add(name.lower())
            columns.append(self.column(table, taken, self.type_of_reference(table, target.columns[to]), name))
        action = self.pick(["", "", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON DELETE RESTRICT",
                            " ON UPDATE CASCADE", " DEFERRABLE INITIALLY DEFERRED", " ON DELETE SET DEFAULT"])
        if in_key and "SET NULL" in action:
            action = ""
        listed = ", ".join(quoted(c) for c in columns)
        to = "" if self.chance(0.3) and target.ordered else " (" + ", ".join(quoted(c) for c in target.key) + ")"
        table.clauses.append(f"FOREIGN KEY ({listed}) REFERENCES {quoted(target.name)}{to}{action}")
        table.keys.append((columns, target, target.key))
        return columns

    def rules(self, table, column):
        text = ""
        if column in table.not_null:
            text += " NOT NULL"
        if column in table.key or any(column in columns for columns, _, _ in table.keys):
            return text
        if self.chance(0.2):
            text += " DEFAULT " + self.pick(DEFAULTS)
        if self.chance(0.1):
            text += " UNIQUE"
        if self.chance(0.1):
            text += " COLLATE NOCASE"
        if self.chance(0.1):
            text += f" CHECK ({quoted(column)} IS NULL OR length({quoted(column)}) < 99 /* short */)"
        return text

    def create(self, table):
        parts = []
        for i, (name, type_) in enumerate(table.columns.items()):
            inline = table.inline if i == 0 and table.inline else ""
            parts.append(f"{quoted(name)} {type_}{inline}{self.rules(table, name)}")
        ordinary = [c for c in table.columns if c not in table.key]
        if ordinary and self.chance(0.2):
            table.generated = "generated"
            parts.append(f"generated TEXT AS ({quoted(ordinary[0])} || '!') {self.pick(['VIRTUAL', 'STORED'])}")
        if len(ordinary) > 1 and self.chance(0.2):
            table.clauses.append(f"CONSTRAINT some_check CHECK ({quoted(ordinary[0])} IS NOT 'never')")
        if len(ordinary) > 1 and self.chance(0.15):
            table.clauses.append("UNIQUE (" + ", ".join(quoted(c) for c in ordinary[:2]) + ")")
        self.script.append(f"CREATE TABLE {quoted(table.name)} ({', '.join(parts + table.clauses)}){table.tail}")
        if ordinary and self.chance(0.4):
            tail = self.pick(["", "", f" WHERE {quoted(ordinary[0])} IS NOT NULL"])
            self.script.append(f"CREATE INDEX {quoted('ix ' + table.name)} ON {quoted(table.name)} "
                               f"({quoted(ordinary[0])}){tail}")

    def table(self):
        table = Table(self.name(self.taken))
        table.not_null, table.generated, table.inline = set(), None, ""
        taken = {"generated"}
        keyed = [t for t in self.tables if t.key and t.referable]
        if len(keyed) >= 1 and self.chance(0.35):  # a link
            a, b = self.pick(keyed), self.pick(keyed)
            table.key = self.foreign_key(table, taken, a, True) + self.foreign_key(table, taken, b, True)
            table.clauses.insert(0, "PRIMARY KEY (" + ", ".join(quoted(c) for c in table.key) + ")")
            table.not_null = set(table.key)
        else:
            if self.chance(0.15):
                table.tail = " STRICT"
            self.key_of(table, taken)
            table.not_null |= set(table.key) if not table.inline else set()
        for _ in range(self.random.randrange(5)):
            column = self.column(table, taken)
            if self.chance(0.25):
                table.not_null.add(column)
        for _ in range(self.random.randrange(3)):
            if keyed and self.chance(0.6):
                self.foreign_key(table, taken, self.pick(keyed))
        if self.chance(0.05):
            column = self.column(table, taken, "INTEGER")
            table.clauses.append(f"FOREIGN KEY ({quoted(column)}) REFERENCES nowhere (id)")
        if not table.columns:
            self.column(table, taken)
        # What may be referred to: a primary key whose order is known, of plain kinds.
        table.referable = bool(table.key) and len(table.key) <= 4
        table.ordered = len(table.key) == 1
        self.create(table)
        self.tables.append(table)

    # ---- rows ----

    def value(self, type_, i):
        if type_ in ("INTEGER", "INT", "BIGINT", "TINYINT(1)", "BOOLEAN"):
            return self.random.randrange(2) if type_ == "BOOLEAN" else self.random.randrange(-5, 1000)
        if type_ in ("REAL", "FLOAT", "DOUBLE PRECISION", "NUMERIC", "DECIMAL(10, 2)", "MONEY"):
            return self.pick([1, 2.5, -0.125, 1e10, 12.34])
        if type_ in ("DATETIME", "TIMESTAMP"):
            return f"2026-11-{i % 28 + 1:02} 12:00:00.000000"
        if type_ == "DATE":
            return f"2026-11-{i % 28 + 1:02}"
        if type_ == "BLOB":
            return bytes([i % 256, 0, 255])
        if type_ in ("CHAR(32)", "UUID"):
            return f"{i:032x}"
        if type_ == "JSON":
            return '{"a": %d}' % i
        return self.pick(["", "text", "ü", "12", "x" * 50, "NULL", f"t{i}"])

    def odd_value(self, type_, i):
        values = [0, 7, 2.5, "odd", "12", b"\x00\xff", None]
        if type_ in STRICT_TYPES:
            return self.value(type_, i)
        return self.pick(values)

    def key_value(self, type_, i):
        if type_ in ("INTEGER", "INT"):
            return i
        return self.pick(["k", "ü ", "12", ""]) + str(i)

    def row(self, table, i, odd, parents):
        row = {}
        for columns, target, to in table.keys:
            rows = parents[target.name]
            parent = self.pick(rows) if rows and not self.chance(0.15) else None
            for column, there in zip(columns, to):
                row[column] = parent[there] if parent else None
                if parent is None and column in table.not_null:
                    row[column] = self.key_value(table.columns[column], 900 + i)
        for column, type_ in table.columns.items():
            if column in row:
                continue
            if column in table.key:
                row[column] = self.key_value(type_, i)
            elif column not in table.not_null and self.chance(0.15):
                row[column] = None
            else:
                row[column] = self.odd_value(type_, i) if column in odd and self.chance(0.3) else self.value(type_, i)
        return row

    def fill(self, database):
        parents = {}
        for table in self.tables:
            odd = {c for c in table.columns if self.chance(0.2)}
            rows = parents[table.name] = []
            for i in range(1, self.random.randrange(1, 40)):
                row = self.row(table, i, odd, parents)
                names = ", ".join(quoted(c) for c in row)
                try:
                    database.execute(f"INSERT INTO {quoted(table.name)} ({names}) VALUES "
                                     f"({', '.join('?' * len(row))})", list(row.values()))
                except sqlite3.IntegrityError:
                    continue  # a CHECK, a UNIQUE, a type of a STRICT table
                rows.append(row)

    def make(self, path):
        database = sqlite3.connect(path)
        for _ in range(self.random.randrange(1, 8)):
            self.table()
        first = self.tables[0]
        if self.chance(0.5):
            self.script.append(f"CREATE VIEW \"a view\" AS SELECT * FROM {quoted(first.name)}")
        if self.chance(0.3):
            self.script.append(f"CREATE TRIGGER tr AFTER INSERT ON {quoted(first.name)} BEGIN SELECT 1; END")
        for statement in self.script:
            database.execute(statement)
        self.fill(database)
        database.commit()
        database.close()
