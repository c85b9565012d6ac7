# shellcheck shell=sh disable=SC1112,SC2154
# Models: apply in every form, print in every form, remove.
proto=$HERO_SOURCE/proto
heroes=$HERO_SOURCE/examples/heroes/heroes.proto

# What differs from run to run.
blind() {
    sed 's/"models_version": [0-9]*/"models_version": N/'
}

note "Nothing is served yet."
hero models
hero models -o json
hero models -o csv
hero models hero

note "The plan changes nothing."
hero apply --plan -I "$proto" "$heroes"
hero models

note "Apply, and again."
hero apply -I "$proto" "$heroes"
hero apply -I "$proto" "$heroes"
hero apply -I "$proto" "$heroes" -o json | blind

note "Print."
hero models
hero models -o csv
hero models hero
hero models HEROTEAMLINK -o csv
hero models team -o json
hero models team -o jsonl
hero models hero --sql
hero models --sql
hero models hero --proto
hero models --sql --proto

note "What is printed is taken again, and is the same."
"$HEROCTL" models hero --proto >again.proto
hero apply -I "$proto" again.proto

note "A descriptor set needs no protoc."
protoc -I"$proto" -I"$HERO_SOURCE/tests/data" -I/usr/include --include_imports \
    --descriptor_set_out=library.desc library.proto
cat >plain <<'END'
#!/bin/sh
exec env PATH=/nothing "$HEROCTL_KEPT" "$@"
END
chmod +x plain
HEROCTL_KEPT=$HEROCTL
export HEROCTL_KEPT
HEROCTL=$dir/plain
hero apply library.desc -o csv
hero apply -I "$proto" "$heroes"
HEROCTL=$HEROCTL_KEPT
hero models

note "A directory is every .proto in it; a file may import its neighbours."
mkdir models
cat >models/base.proto <<'END'
syntax = "proto2";
package things;
import "hero/options.proto";
message Box {
  option (hero.table) = {};
  required int64 id = 1 [(hero.column).primary_key = true];
}
END
cat >models/thing.proto <<'END'
syntax = "proto2";
package things;
import "hero/options.proto";
import "base.proto";
message Thing {
  option (hero.table) = {};
  optional int64 id = 1 [(hero.column).primary_key = true];
  optional int64 box_id = 2 [(hero.column) = {foreign_key: "box.id" unique: true}];
}
END
hero apply -I "$proto" models
hero models thing

note "What can't be applied."
hero apply nosuch.proto
mkdir empty
hero apply empty
hero apply /dev/null
echo nonsense >nonsense.desc
hero apply nonsense.desc
printf 'syntax = "proto2";\nmessage Broken { optional nosuch a = 1; }\n' >broken.proto
hero apply broken.proto
hero apply broken.proto -o json
printf 'syntax = "proto2";\nimport "hero/options.proto";\nimport "nosuch.proto";\n' >lost.proto
hero apply -I "$proto" lost.proto
cat >faulty.proto <<'END'
syntax = "proto2";
import "hero/options.proto";
message Nokey {
  option (hero.table) = {};
  optional int64 id = 1;
}
message Lost {
  option (hero.table) = {};
  optional int64 id = 1 [(hero.column).primary_key = true];
  optional int64 other = 2 [(hero.column).foreign_key = "nosuch.id"];
}
END
hero apply -I "$proto" faulty.proto
hero models lost

note "Remove."
hero remove hero
hero remove nosuch
hero remove thing
hero remove things.Box -o json
hero remove Hero Team HeroTeamLink
hero models
