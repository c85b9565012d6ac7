# shellcheck shell=sh disable=SC2154
# Every kind of column from the command line: what is shown, taken and refused.
hero apply -I "$HERO_SOURCE/proto" "$HERO_SOURCE/tests/data/columns/zoo.proto"
hero apply -I "$HERO_SOURCE/proto" "$HERO_SOURCE/tests/data/columns/zoo.proto"
hero models zoo.Animal
hero models zoo.Animal --sql
hero models --proto

# As fields, and as JSON.
hero create keeper id=123E4567E89B12D3A456426614174000 name=Ann
hero create animal name=Rex size=SMALL born_at=2020-02-29T12:30:00.25+01:00 born=2020-02-29 \
    price=012.500 rounded=12.50 'tags=["a", "b"]' text=meat seen=2021-01-01T00:00:00Z \
    keeper=123e4567-e89b-12d3-a456-426614174000
hero create animal '{"name": "Leo", "hue": "DARK_BLUE", "size": 2, "seen": "2021-01-01T00:00:00Z",
  "chip": "00112233445566778899AABBCCDDEEFF", "price": 7, "tags": ["ä", "\"q"],
  "numbers": [1, -9223372036854775808, 9223372036854775807], "hues": ["RED", 5],
  "address": {"street": "S", "number": 0, "lines": [{"text": "x"}, {}],
    "since": "2020-01-01T00:00:00Z", "code": 5, "hues": ["GREEN"], "big": 9007199254740993,
    "raw": "AAE="},
  "addresses": [{}, {"note": "n"}], "shop": {"street": "x"}, "weight": 1.5,
  "times": ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00.123456789Z"]}' -o json
hero list animal -o csv

# Of a oneof the last that is set stays.
hero update animal 1 grams=5 -o jsonl
hero update animal 1 'shop={"street": "y"}' -o jsonl
hero update animal 1 --null shop -o jsonl
hero update animal 1 'tags=[]' -o jsonl

# Refused.
hero create animal name=B hue=NOPE
hero create animal name=B hue=7
hero create animal name=B born=2020-02-30
hero create animal name=B born_at=2020-01-01T00:00:00.1234567Z
hero create animal name=B born_at=0000-01-01T00:00:00Z
hero create animal name=B born_at=yesterday
hero create animal name=B chip=xyz
hero create animal name=B price=1,5
hero create animal '{"name": "B", "price": 1.5}'
hero create animal name=B tags=a
hero create animal name=B 'tags={}'
hero create animal name=B grams=1 text=x
hero create animal name=B weight=-1
hero create animal name=B rounded=1234567890.1234567
hero create animal '{"name": "B", "address": {"code": 1, "note": "x"}}'
hero create animal '{"name": "B", "address": {"nosuch": 1}}'
hero create animal '{"name": "B", "numbers": [1.5]}'
hero create animal '{"name": "B", "hues": ["RED", "PINK"]}'
hero create keeper name=A
hero create animal name=Rex born=2020-02-29
hero create animal name=Cat grams=1.0 weight=2 seen=2021-01-01T00:00:00Z -o jsonl

# Checks that mean nothing.
for check in 'nosuch > 0' 'a > (SELECT 1)' 'a > datetime()' 'a IN (SELECT a FROM t)' '"a" >' 'a = "x"' 'nosuch(a)' 'count(a) > 1'; do
    printf 'syntax = "proto2"; import "hero/options.proto"; message T { option (hero.table) = {check: {sql: %s}}; optional int64 a = 1 [(hero.column).primary_key = true]; }' "'$check'" >t.proto
    hero apply -I "$HERO_SOURCE/proto" t.proto
done
