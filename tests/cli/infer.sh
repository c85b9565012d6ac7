# shellcheck shell=sh disable=SC2154
# Models of a database that others made: printed, adopted, as it was.
other=$dir/shop.db
cat >shop.sql <<'EOF'
CREATE TABLE "Customer" ("CustomerID" INTEGER PRIMARY KEY AUTOINCREMENT, "Full Name" VARCHAR NOT NULL);
CREATE TABLE product (code VARCHAR NOT NULL PRIMARY KEY, title VARCHAR NOT NULL);
CREATE TABLE likes (customer INTEGER REFERENCES "Customer" ("CustomerID"), product_code VARCHAR REFERENCES product,
  PRIMARY KEY (customer, product_code));
CREATE TABLE log (text VARCHAR);
INSERT INTO "Customer" VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO product VALUES ('tea', 'Tea'), ('oil', 'Oil');
INSERT INTO likes VALUES (1, 'tea'), (1, 'oil'), (2, 'tea');
EOF
sqlite3 "$other" <shop.sql

note "No daemon is asked."
HERO_URL=ipc://$dir/nobody.sock hero infer "$other"

note "What is no database."
hero infer "$dir/nowhere.db"
printf 'no database, no database, no database, no database, no database' >text
hero infer text
hero infer text -o json
hero infer
hero infer "$dir"
HEROD=$dir/nobody hero infer "$other"

note "What an absent value becomes, the database finds."
cat >stamped.proto <<'EOF'
syntax = "proto2";
import "hero/options.proto";
message Stamped {
  option (hero.table) = {};
  optional int64 id = 1 [(hero.column).primary_key = true];
  optional string at = 2 [(hero.column) = {not_null: true, sql_default: "'at ' || (1 + 2)"}];
  optional int64 twice = 3 [(hero.column).sql_default = "abs(-7)"];
}
EOF
hero apply -I "$HERO_SOURCE/proto" stamped.proto
hero models stamped
hero models stamped --sql
hero create stamped '{}'
hero create stamped at=now
hero create stamped twice:=null
hero infer "$dir/hero.db"
