# shellcheck shell=sh disable=SC1112,SC2154
# Models that change: the plan, what may be lost, history, and the way back.
proto=$HERO_SOURCE/proto

# What differs from run to run: versions, times and who runs it.
blind() {
    sed 's/[0-9]\{13\}/VERSION/g; s/20[0-9-]* [0-9:]*Z/TIME/g; s/uid:[0-9]*/uid:N/
        s/"at_ms":"*[0-9A-Z]*"*/"at_ms":N/g; s/  */ /g; s/ *$//'
}

models() {
    cat >m.proto
    sed -i '1i syntax = "proto2";\nimport "hero/options.proto";' m.proto
}

models <<'END'
message Hero {
  option (hero.table) = {};
  optional int64 id = 1 [(hero.column).primary_key = true];
  optional string name = 2 [(hero.column) = {not_null: true index: true}];
  optional string nickname = 3;
  optional int32 age = 4;
}
END
hero apply -I "$proto" m.proto
hero create hero name=Deadpond nickname=Dead age=30
hero create hero name=Spider-Boy
hero create hero name=Rusty-Man nickname=Rusty age=48
first=$("$HEROCTL" models --history -o jsonl | sed 's/.*"version":"*\([0-9]*\).*/\1/')

note "A field renamed, one that is wider and NOT NULL, one gone, one new, a table renamed."
models <<'END'
message Champion {
  option (hero.table) = {renamed_from: "Hero"};
  optional int64 id = 1 [(hero.column).primary_key = true];
  optional string title = 2 [(hero.column) = {not_null: true index: true}];
  optional int64 age = 4 [(hero.column).not_null = true];
  optional string rank = 5 [(hero.column) = {not_null: true default: "recruit"}];
}
END
hero apply --plan -I "$proto" m.proto
note "Rows stand in the way."
hero apply -I "$proto" m.proto
hero update hero 2 age=16
note "What is lost must be allowed."
hero apply --plan -I "$proto" m.proto
hero apply -I "$proto" m.proto
hero apply --allow-data-loss hero.age -I "$proto" m.proto
hero apply --expected-version 1 --allow-data-loss hero.nickname -I "$proto" m.proto | blind
hero apply --allow-data-loss hero.nickname -I "$proto" m.proto
hero list champion
hero models champion --sql
note "Again is nothing to do, whatever was expected."
hero apply --expected-version 1 -I "$proto" m.proto

note "History."
hero models --history | blind
hero models --diff "$first" | blind
hero models --diff nothing
hero models --diff 1
note "Back to what was served first: the names come back, the nicknames don't."
hero apply --set "$first" --plan | blind
hero apply --set "$first" | blind
hero apply --set "$first" --allow-data-loss champion.rank | blind
hero list hero
hero models --diff "$first" | blind
hero apply --set 7
hero apply
hero models --history --sql
hero models --history hero
hero call Models/History '{"page_size": 1}' | blind | sed 's/"steps.*//' | head -4
