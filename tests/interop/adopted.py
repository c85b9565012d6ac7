"""What heroctl infer printed, read back, and what SQLite itself says of the same."""
import base64
import re
import sqlite3
from decimal import Decimal

MESSAGE = re.compile(r"^message (\w+) \{$")
TABLE_NAME = re.compile(r'^(?:  option \(hero\.table\) = \{|    )name: "((?:[^"\\]|\\.)*)"')
COLUMN = re.compile(r"^  optional (\S+) (\w+) = \d+(?: \[\(hero\.column\) = \{(.*)\}\])?;$")
RELATIONSHIP = re.compile(r"^  (optional|repeated) (\w+) (\w+) = \d+ \[\(hero\.relationship\) = \{(.*)\}\];$")


def unescaped(text):
    return re.sub(r"\\([0-7]{3}|.)", lambda m: chr(int(m[1], 8)) if len(m[1]) == 3 else m[1], text)


def text_option(options, name):
    found = re.search(r'(?:^|, )%s: "((?:[^"\\]|\\.)*)"' % name, options or "")
    return unescaped(found[1]) if found else None


class Column:
    def __init__(self, kind, field, options):
        self.kind, self.field, self.options = kind, field, options or ""
        self.name = text_option(options, "name") or field
        self.key = "primary_key: true" in self.options
        found = re.search(r"format: (\w+)", self.options)
        self.format = found[1] if found else None


class Relationship:
    def __init__(self, label, target, field, options):
        self.single, self.target, self.field = label == "optional", target, field
        self.back = text_option(options, "back_populates")
        self.link = text_option(options, "link_model")
        self.link_from = text_option(options, "link_from")
        self.foreign_key = text_option(options, "foreign_key")


class Model:
    def __init__(self, name):
        self.name, self.table = name, name.lower()
        self.columns, self.relationships = [], []
        self.read_only = False

    def column(self, field):
        return next((c for c in self.columns if c.field == field), None)


def models_of(text):
    models, model = {}, None
    for line in text.splitlines():
        if found := MESSAGE.match(line):
            model = models[found[1]] = Model(found[1])
        elif not model or line.lstrip().startswith("//"):
            continue
        elif found := COLUMN.match(line):
            model.columns.append(Column(*found.groups()))
        elif found := RELATIONSHIP.match(line):
            model.relationships.append(Relationship(*found.groups()))
        else:
            if found := TABLE_NAME.match(line):
                model.table = unescaped(found[1])
            model.read_only |= "read_only: true" in line
    return models


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


# ---- values ----


def same_number(shown, stored):
    return Decimal(shown) == Decimal(stored) if isinstance(stored, (int, str)) else float(shown) == stored


def same_value(column, shown, stored):
    """Is what heroctl shows what SQLite stores?"""
    if stored is None or shown is None:
        return stored is None and shown is None
    if column.kind == "bytes":
        if isinstance(stored, float):
            return float(base64.b64decode(shown)) == stored
        return base64.b64decode(shown) == (stored if isinstance(stored, bytes) else str(stored).encode("utf-8", "surrogateescape"))
    if column.kind == "bool":
        return shown is bool(stored) and stored in (0, 1)
    if column.kind in ("int64", "double"):
        return shown == stored and not isinstance(shown, bool)
    if column.kind.endswith("Timestamp"):
        return shown.replace("T", " ").replace("Z", "") in (stored, stored[:19])
    if column.format == "UUID":
        return shown.replace("-", "") == stored.replace("-", "")
    if column.format == "DECIMAL":
        return same_number(shown, stored)
    if isinstance(stored, (int, float)):
        return same_number(shown, stored)
    return shown == stored


def rows_of(database, model):
    names = ", ".join(quoted(column.name) for column in model.columns)
    return database.execute(f"SELECT {names} FROM {quoted(model.table)}").fetchall()


def key_text(column, value):
    return str(int(value)) if isinstance(value, bool) else str(value)


# ---- what is related ----


def foreign_keys(database, table):
    """Lists of (from, to), with the table referred to."""
    keys = {}
    for number, _, target, from_, to, *_ in database.execute(f"PRAGMA foreign_key_list({quoted(table)})"):
        keys.setdefault(number, (target, []))[1].append((from_, to))
    for target, columns in keys.values():
        if any(to is None for _, to in columns):
            key = [row[1] for row in sorted(database.execute(f"PRAGMA table_info({quoted(target)})"),
                                            key=lambda row: row[5]) if row[5]]
            columns[:] = [(from_, to) for (from_, _), to in zip(columns, key)]
    return list(keys.values())


def same(a, b):
    return a.lower() == b.lower()


def keys_between(database, holder, target, column=None):
    return [key for key in foreign_keys(database, holder.table)
            if same(key[0], target.table) and (not column or any(same(from_, column) for from_, _ in key[1]))]


def joined(key, holder, target):
    return " AND ".join(f"{holder}.{quoted(from_)} = {target}.{quoted(to)}" for from_, to in key[1])


def related_count(database, models, model, relationship):
    """How many pairs SQLite finds itself."""
    target = models[relationship.target]
    if relationship.link:
        link = models[relationship.link]
        column = relationship.link_from and link.column(relationship.link_from).name
        primary = {c.name.lower() for c in link.columns if c.key}
        ends = lambda *of: [key for key in keys_between(database, link, *of)
                            if all(from_.lower() in primary for from_, _ in key[1])]
        from_ = ends(model, column)[0]
        to = next(key for key in ends(target) if key != from_)
        sql = (f"SELECT count(*) FROM {quoted(link.table)} l JOIN {quoted(model.table)} a ON {joined(from_, 'l', 'a')} "
               f"JOIN {quoted(target.table)} b ON {joined(to, 'l', 'b')}")
    else:
        field = relationship.foreign_key
        holder, other = model, target
        if not (field and model.column(field) and keys_between(database, model, target, model.column(field).name)
                or not field and keys_between(database, model, target)):
            holder, other = target, model
        column = field and holder.column(field).name
        key = keys_between(database, holder, other, column)[0]
        sql = f"SELECT count(*) FROM {quoted(holder.table)} h JOIN {quoted(other.table)} o ON {joined(key, 'h', 'o')}"
    return database.execute(sql).fetchone()[0]


def has_dangling(database, model):
    return bool(database.execute(f"PRAGMA foreign_key_check({quoted(model.table)})").fetchall())


# ---- as it was ----


def contents(path):
    """Schema and rows of all that isn't Hero's, each value with its type."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        database.text_factory = bytes
        own = lambda name: name.startswith((b"_hero_", b"sqlite_stat")) or b"_hero_" in name
        schema = sorted(row for row in database.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema")
                        if not own(row[1]) and not own(row[2]))
        rows = {}
        for kind, name, _, sql in schema:
            if kind == b"table" and not (sql or b"").upper().startswith(b"CREATE VIRTUAL"):
                table = name.decode()
                rows[table] = sorted(repr(row) for row in database.execute(f"SELECT * FROM {quoted(table)}"))
    database.close()
    return schema, rows
