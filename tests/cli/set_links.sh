# shellcheck shell=sh disable=SC2154
# Related lists of every kind, replaced.
apply_zoo
"$HEROCTL" create keeper - >/dev/null <<'END'
[{"name": "Ann"}, {"name": "Bob"}, {"name": "Cid"}, {"name": "Dan"}]
END
"$HEROCTL" create animal - >/dev/null <<'END'
[{"name": "Leo"}, {"name": "Tia"}, {"name": "Ugo"}]
END

note "One-to-many, from the side of the many and of the one."
hero set-links keeper 1 reports 2 3
hero set-links keeper 1 reports 3 4 -o jsonl
hero set-links keeper 2 boss 4
hero set-links keeper 2 boss 1
hero set-links keeper 2 boss
hero set-links keeper 2 boss 1 3
hero list keeper --expand boss,reports

note "One that can't be alone; one that is deleted when it is."
hero create locker keeper_id=1 -o jsonl
hero set-links keeper 1 locker
hero set-links keeper 2 locker 1
hero set-links keeper 2 locker 1
hero create meal animal_name=Leo -o jsonl
hero create meal animal_name=Leo -o jsonl
hero set-links animal Leo meals 2
hero set-links animal Leo meals
hero list meal

note "Symmetric, to itself, and two ends of one link."
hero set-links keeper 1 friends 2 3
hero set-links keeper 2 friends 1 3
hero set-links keeper 3 friends 3
hero set-links keeper 3 friends
hero get keeper 1 2 3 --expand friends
hero set-links keeper 1 follows 1 2
hero set-links keeper 1 followers 3
hero get keeper 1 --expand follows,followers

note "Links with columns of their own: what is kept gets what is said."
hero set-links keeper 1 animals Leo Tia
hero set-links keeper 1 animals Leo Tia --set role=lead --set hours=3 -o jsonl
etag=$("$HEROCTL" set-links keeper 1 animals Leo Tia -o json | sed -n 's/.*"etag": "\(.*\)".*/\1/p')
hero set-links keeper 1 animals Leo --etag "$etag" --set hours=9 -o jsonl
hero set-links keeper 1 animals Tia --etag "$etag" --set role=aide
hero set-links keeper 1 animals Leo Tia --set note=once
hero set-links keeper 1 animals Leo --set nosuch=1
hero get keeper 1 --expand animals -o json
hero get keeper 1 3 --etags --expand animals,friends,boss -o jsonl
hero set-links keeper 1 animals Leo --validate-only -o jsonl

note "Keys of several columns, and a key that is not the primary one."
hero create site tenant=t number=1 -o jsonl
hero create guard tenant=t name=g -o jsonl
hero create guard tenant=u name=g -o jsonl
hero set-links site t,1 guards t,g
hero set-links site t,1 guards u,g
hero create plan code=p 'steps:=[{}, {}]' -o jsonl
hero create plan code=q -o jsonl
hero set-links plan 2 steps 2
hero list step -o csv

note "proto3, where plain fields can't be left out of a key."
cat >plain.proto <<'END'
syntax = "proto3";
package plain;
import "hero/options.proto";
message Song {
  option (hero.table) = {};
  int64 id = 1 [(hero.column).primary_key = true];
  string title = 2;
  int32 seconds = 3;
  bytes cover = 4;
  bool loud = 5;
  repeated Mood moods = 6 [(hero.relationship) = {link_model: "SongMood" back_populates: "songs"}];
}
message Mood {
  option (hero.table) = {};
  string name = 1 [(hero.column).primary_key = true];
  int32 weight = 2;
  double hue = 3;
  repeated Song songs = 4 [(hero.relationship) = {link_model: "SongMood" back_populates: "moods"}];
}
message SongMood {
  option (hero.table) = {};
  int64 song_id = 1 [(hero.column) = {primary_key: true foreign_key: "song.id"}];
  string mood = 2 [(hero.column) = {primary_key: true foreign_key: "mood.name"}];
}
END
"$HEROCTL" apply -I "$HERO_SOURCE/proto" plain.proto >/dev/null
"$HEROCTL" create mood '[{"name": "blue", "weight": 3, "hue": 1.5}, {"name": "red", "weight": 4}]' >/dev/null
"$HEROCTL" create song title=One seconds=7 loud=true cover=AAEC >/dev/null
hero set-links song 1 moods blue
hero set-links song 1 moods red blue -o jsonl
hero set-links mood blue songs 1 -o jsonl
hero upsert mood name=blue weight=5 -o jsonl
hero call Records/Commit '{"keysOnly": true, "mutations": [{"upsert": {"model": "mood", "value": "CgRibHVlEAk="}}]}'
