# shellcheck shell=sh disable=SC2154
# What users of such software ask for, a section each, named after the wish. Shops buy and sell:
# tests/data/features.proto.
ada=11111111-1111-4111-8111-111111111111
bob=22222222-2222-4222-8222-222222222222
cid=33333333-3333-4333-8333-333333333333

note "(a) one .proto is wire type, table and relationships, loaded at run time"
hero apply -I "$HERO_SOURCE/proto" "$HERO_SOURCE/tests/data/features.proto"
note "(a) create tables and indexes from the model, idempotent"
hero apply -I "$HERO_SOURCE/proto" "$HERO_SOURCE/tests/data/features.proto"
hero models person --sql
note "(a) refuse a model that is half declared, with the reason"
cat >half.proto <<'END'
syntax = "proto2";
import "hero/options.proto";
message Half { option (hero.table) = {}; optional int64 id = 1 [(hero.column).primary_key = true];
  repeated Other others = 2 [(hero.relationship) = {link_model: "Both"}]; }
message Other { option (hero.table) = {}; optional int64 id = 1 [(hero.column).primary_key = true]; }
message Both { option (hero.table) = {}; optional int64 half = 1 [(hero.column) = {primary_key: true foreign_key: "half.id"}]; }
END
hero apply -I "$HERO_SOURCE/proto" half.proto
note "(a) client-chosen and generated keys: text, uuid"
hero create person - <<END
[{"id": "$ada", "first": "Ada", "last": "Lovelace", "born": 1815},
 {"id": "$bob", "first": "Bob", "last": "Kahn", "born": 1938, "note": null}]
END
[ "$("$HEROCTL" create person first=Gen last=Erated -o json | jq -r '.id | length')" = 36 ] || die "no uuid was made"
"$HEROCTL" create person id=$cid first=Cid last=Kahn >/dev/null
note "(a) NULL told apart from zero and from empty"
hero create order buyer_id=$ada rebate=0 -o json
hero create order buyer_id=$ada -o json
note "(a) composite unique, composite index, CHECK, default"
hero create person first=Ada last=Lovelace
hero create person first=Old last=Man born=1700
hero list person --fields note --filter 'note = "none" AND first != "Gen"' --order-by first
note "(a) composite primary key on any model"
hero create seat row=A number=1 free=true
hero update seat A,1 free=false
hero get seat A,1 -o jsonl
note "(a) self-referential many-to-many, its ends named"
hero link person $ada follows $bob $cid
hero list person --fields first --expand follows,followers --filter 'any(follows) OR any(followers)' -o jsonl
note "(a) symmetric self-link: stored once, true both ways"
hero link person $bob friends $ada
hero link person $ada friends $bob
hero list person --fields first --filter 'any(friends)' --expand friends -o jsonl
hero list friendship
note "(a) several relationships between the same two models"
hero update order 1 receiver_id=$bob
hero list person --fields first --filter 'any(orders) OR any(deliveries)' --expand orders,deliveries -o jsonl
note "(a) on_delete per side; (a) ids never reused after delete"
hero delete person $bob
hero get order 1 -o jsonl
hero delete order 2
hero create order buyer_id=$ada -o jsonl

note "(b) create a record with nested related records, one transaction; link columns from the start"
hero create product - <<'END'
{"sku": "A", "name": "Loom", "price": "9.50"}
END
hero create order - -o json <<END
{"buyer": {"@key": {"id": "$cid"}}, "products": [
  {"sku": "B", "name": "Card", "price": "0.10", "@link": {"quantity": 100, "position": 2}},
  {"@key": {"sku": "A"}, "@link": {"quantity": 1, "position": 3}},
  {"@connect": {"name": "Loom No. 2", "sku": "C"}, "@link": {"quantity": 2, "position": 1}}]}
END
note "(b) nested create that mixes new, by-id and by-unique-key members"
hero create order - -o json <<END
{"receiver": {"@connect": {"first": "Ada", "last": "Lovelace"}}, "products": [
  {"@connect": {"name": "Card"}, "@link": {"quantity": 5}}]}
END
note "(b) several operations in one transaction; (b) refer to an earlier one's new id"
hero call hero.v1.Records/Commit '{"mutations": [
  {"create": {"graph": {"records": [{"ref": 1, "model": "shop.Seat", "value": "CgFCEAE="}]}}},
  {"update": {"target": {"ref": 1}, "value": "GAE="}}]}' -o json
hero get seat B,1
note "(b) partial update: clear or leave alone"
hero update person $cid --null note -o jsonl
hero update person $cid born=1940 -o jsonl
note "(b) optimistic concurrency"
etag=$("$HEROCTL" get product A --etags -o json | jq -r '.["@etag"]')
hero update product A price=10 --etag "$etag"
code=0
"$HEROCTL" update product A price=11 --etag "$etag" 2>/dev/null || code=$?
echo "a stale etag: exit $code"
note "(b) upsert by any unique key: update, ignore, fail"
hero upsert product sku=A name=Loom price=12 -o jsonl
hero upsert product name=Card sku=B price=99 --by name --on-conflict ignore -o jsonl
hero upsert product name=Card sku=B --by name --on-conflict fail
hero upsert product sku=D name=Dye --by sku -o jsonl
note "(b) batch"
hero get product A B D -o jsonl
hero delete product D
note "(b) validate only"
hero delete product A --validate-only
hero get product A
note "(b) errors carry the path into the nested request, and the constraint's name"
hero create order '{"products": [{"sku": "E", "name": "E", "@link": {"quantity": 1}}, {"sku": "F", "name": "Card", "@link": {"quantity": 1}}]}'
hero create order '{"products": [{"sku": "G", "name": "G", "@link": {"quantity": 0}}]}'
hero get product E

note "(c) link and unlink by id, idempotent; (c) linking twice is no error"
hero link order 1 products A --set quantity=1
hero link order 1 products A --set quantity=1
hero unlink order 1 products A
hero unlink order 1 products A
note "(c) link to a missing record: clear error, nothing written"
hero link order 1 products A NOPE --set quantity=1
hero get order 1 --expand products -o jsonl
note "(c) replace the whole related list; the difference; conditional on the list's etag"
hero set-links order 1 products A B --set quantity=3
hero set-links order 1 products B C --set quantity=4 -o json
hero set-links order 1 products A --set quantity=1 --etag AAAAAAAAAAAAAAAAAAAAAA==
note "(c) the link's own columns beside each related record, from either side"
hero get order 1 --expand products -o jsonl
hero get product B --expand orders -o jsonl
hero link product B orders 1 --set quantity=9
hero get order 1 --expand products -o jsonl
note "(c) declared order of related records, by a column of the link"
hero get order 4 --expand products -o jsonl

note "(d) nothing loaded unless asked; (d) both directions, nested"
hero get person $cid -o jsonl
hero get person $cid --expand orders.products.orders -o jsonl
note "(d) each list is capped and says total and next token"
"$HEROCTL" call hero.v1.Records/List '{"model": "order", "filter": "id = 4",
    "expansions": [{"path": "products", "page_size": 2, "total": true}]}' |
    jq -c '.graph.lists[] | {relationship, total, more: has("next_page_token")}'
hero related order 4 products --limit 2
note "(d) filter by a related record's field: any, all, none, exactly"
hero list order --fields rebate --filter 'any(products, name = "Card")'
hero list order --fields rebate --filter 'all(products, price < 1) AND any(products)'
hero list order --fields rebate --filter 'none(products)'
hero list order --fields rebate --filter 'count(products) = 3'
hero list order --fields rebate --filter 'any(products, link.quantity >= 100)'
note "(d) the filter is parsed and bound, never spliced"
hero list product --filter 'name = "x\" OR 1=1 --"'
hero list product --filter 'name = "x" OR'
hero list product --filter 'nme = "x"'
note "(d) order_by, pages, opaque tokens"
hero list product --order-by -price,name --limit 2
note "(d) count, exact; (d) field mask; (d) group counts over many-to-many"
hero list product --fields name --count --limit 1
hero count product --by orders
hero count order --by products
note "(d) the SQL of a call with the reply; explain names the missing index"
hero explain order --filter 'rebate = 0'
