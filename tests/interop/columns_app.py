"""Every kind of column that SQLModel has a word for, as SQLModel declares it."""
import datetime
import decimal
import enum
import uuid
from typing import Any, Optional

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, JSON, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, create_engine


class Hue(enum.Enum):
    RED = "r"
    GREEN = "g"
    DARK_BLUE = "b"


class Place(SQLModel, table=True):
    row: int = Field(primary_key=True)
    seat: str = Field(primary_key=True)


class Thing(SQLModel, table=True):
    __table_args__ = (
        UniqueConstraint("name", "hue", name="uq_thing_name_hue"),
        CheckConstraint("size > 0", name="sized"),
        ForeignKeyConstraint(["row", "seat"], ["place.row", "place.seat"], ondelete="CASCADE"),
        Index("by_day", "day", "size"),
        {"sqlite_autoincrement": True},
    )
    id: Optional[int] = Field(default=None, primary_key=True)
    name: str
    hue: Hue = Field(index=True)
    other: Optional[Hue] = None
    at: datetime.datetime
    maybe: Optional[datetime.datetime] = None
    day: datetime.date
    code: uuid.UUID
    price: Optional[decimal.Decimal] = None
    size: int = Field(default=1)
    tags: Any = Field(default=None, sa_column=Column("tags", JSON))
    address: Any = Field(default=None, sa_column=Column("address", JSON))
    row: Optional[int] = None
    seat: Optional[str] = None


class Token(SQLModel, table=True):
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    thing_id: Optional[int] = Field(default=None, foreign_key="thing.id")


PROTO = """
syntax = "proto2";
import "hero/options.proto";
import "google/protobuf/timestamp.proto";

enum Hue { RED = 0; GREEN = 1; DARK_BLUE = 2; }
message Address { optional string street = 1; repeated int32 numbers = 2; }
message Place {
  option (hero.table) = {};
  optional int64 row = 1 [(hero.column).primary_key = true];
  optional string seat = 2 [(hero.column).primary_key = true];
}
message Thing {
  option (hero.table) = {
    unique: {columns: ["name", "hue"]}
    check: {sql: "size > 0" name: "sized"}
    index: {columns: ["day", "size"] name: "by_day"}
    foreign_key: {columns: ["row", "seat"] table: "place" on_delete: CASCADE}
  };
  optional int64 id = 1 [(hero.column) = {primary_key: true autoincrement: true}];
  optional string name = 2 [(hero.column).not_null = true];
  optional Hue hue = 3 [(hero.column) = {not_null: true index: true}];
  optional Hue other = 4;
  optional google.protobuf.Timestamp at = 5 [(hero.column).not_null = true];
  optional google.protobuf.Timestamp maybe = 6;
  optional string day = 7 [(hero.column) = {not_null: true format: DATE}];
  optional string code = 8 [(hero.column) = {not_null: true format: UUID}];
  optional string price = 9 [(hero.column) = {format: DECIMAL sql_type: "NUMERIC"}];
  optional int64 size = 10 [(hero.column).not_null = true];
  repeated string tags = 11;
  optional Address address = 12;
  optional int64 row = 13;
  optional string seat = 14;
}
message Token {
  option (hero.table) = {};
  optional string id = 1 [(hero.column) = {primary_key: true format: UUID generated: true}];
  optional int64 thing_id = 2 [(hero.column).foreign_key = "thing.id"];
}
"""


def open_database(path):
    engine = create_engine(f"sqlite:///{path}")
    return engine


def create_tables(engine):
    SQLModel.metadata.create_all(engine)


def sample():
    return Thing(
        name="one",
        hue=Hue.DARK_BLUE,
        at=datetime.datetime(2026, 11, 23, 1, 2, 3, 450000),
        day=datetime.date(2024, 2, 29),
        code=uuid.UUID("123e4567-e89b-12d3-a456-426614174000"),
        price=decimal.Decimal("12.5"),
        size=3,
        tags=["a", "ä", 'q"'],
        address={"street": "S", "numbers": [1, 2]},
        row=1,
        seat="x",
    )
