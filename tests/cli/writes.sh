# shellcheck shell=sh disable=SC2154
# Upsert, etags, dry runs.
apply_library

etag_of() {
    "$HEROCTL" get "$1" "$2" --etags -o json | sed -n 's/.*"@etag": "\(.*\)".*/\1/p'
}

note "Upsert: by primary key, by unique key, and what can't be found by."
hero upsert author handle=ann 'full_name=Ann Other'
hero upsert author handle=ann 'full_name=Ann Another'
hero upsert author 'full_name=Ann Another' handle=bob --by full_name
hero upsert author 'full_name=Bob' handle=bob --on-conflict fail -o json
hero upsert author 'full_name=Bob' handle=bob --on-conflict fail -o json
hero upsert author 'full_name=Robert' handle=bob --on-conflict ignore
hero upsert book 'title=One' --by title
hero upsert book 'title=One'
hero upsert copy branch=north
hero upsert book id=7 title=Seven price=7.5
hero upsert book '{"id": 7, "price": null}' -o json
hero upsert author handle=x --on-conflict maybe
hero list author -o csv

note "Etags: the record as it was read, or not at all."
hero get book 7 --etags
hero list author --etags --order-by handle -o jsonl
etag=$(etag_of book 7)
hero update book 7 price=8 --etag "$etag" -o jsonl
hero update book 7 price=9 --etag "$etag"
hero update book 7 "{\"price\": 9, \"@etag\": \"$etag\"}"
hero update book 7 '{"price": 9, "@etag": 4}'
hero delete book 7 --etag "$etag"
hero delete book 7 8 --etag "$etag"
hero delete book 7 --etag 'no etag'
hero delete book 7 --etag "$(etag_of book 7)" | sed 's/--etag.*/--etag ETAG/'

note "Dry runs: an answer as if it were done."
hero create book 'title=Two' --validate-only
hero create author 'full_name=Robert' --validate-only
hero upsert author handle=ann 'full_name=Nobody' --validate-only -o jsonl
hero update author ann full_name=Bob --validate-only
hero delete author ann bob --validate-only -o json
hero delete author ann --validate-only
hero list book
hero list author -o csv

note "In one commit."
"$HEROCTL" create book title=Ten id=10 >/dev/null
hero call Records/Commit '{"mutations": [], "validateOnly": true}'
hero create book '[{"title": "A", "authors": [{"@connect": {"full_name": "Ann Another"}}]},
    {"title": "B", "authors": [{"@connect": {"full_name": "Ann Another"}},
                               {"@connect": {"handle": "ann"}}]}]' -o json
hero create book '{"title": "C", "authors": [{"@connect": {"full_name": "New"}}]}'
hero list author --expand books -o csv

note "A list that is replaced."
apply_heroes
"$HEROCTL" create team - >/dev/null <<'END'
[{"name": "Preventers", "headquarters": "Sharp Tower"}, {"name": "Z-Force", "headquarters": "Bar"},
 {"name": "Web", "headquarters": "Loft"}]
END
"$HEROCTL" create hero name=Deadpond 'secret_name=Dive Wilson' >/dev/null
hero set-links hero 1 teams 3 1
hero set-links hero 1 teams 2 1 2 -o json
etag=$("$HEROCTL" set-links hero 1 teams 2 1 -o json | sed -n 's/.*"etag": "\(.*\)".*/\1/p')
hero link team 3 heroes 1
hero set-links hero 1 teams --etag "$etag"
hero unlink team 3 heroes 1
hero set-links hero 1 teams --etag "$etag" --validate-only -o jsonl
hero set-links hero 1 teams --etag "$etag" -o csv
hero set-links team 2 heroes 1 7
hero set-links team 9 heroes
hero list hero --expand teams

note "Keys of several columns, and checks, by their names."
cat >shelf.proto <<'END'
syntax = "proto2";
import "hero/options.proto";
message Shelf {
  option (hero.table) = {
    unique: {columns: ["branch", "number"]}
    unique: {columns: ["code", "branch"], name: "code_once"}
    check: {sql: "width * number < 1000", name: "fits"}
  };
  optional int64 id = 1 [(hero.column).primary_key = true];
  optional string branch = 2;
  optional int32 number = 3;
  optional string code = 4;
  optional int32 width = 5 [(hero.column).check = "width > 0"];
}
END
"$HEROCTL" apply -I "$HERO_SOURCE/proto" shelf.proto >/dev/null
hero upsert shelf branch=north number=1 code=a
hero upsert shelf branch=north number=1 width=7 -o jsonl
hero upsert shelf branch=north code=a width=8 -o jsonl
hero upsert shelf branch=north number=1 code=a width=9
hero upsert shelf branch=north number=1 code=a width=9 --by code,branch -o jsonl
hero upsert shelf branch=north number=2 code=a --by branch,number
hero create shelf branch=north number=1
hero create shelf branch=north number=1 -o json
hero create shelf branch=north number=3 code=a
hero upsert shelf branch=north --by branch
hero upsert shelf id=1 width=0
hero update shelf 1 width=2000
hero list shelf
