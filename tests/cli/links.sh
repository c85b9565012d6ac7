# shellcheck shell=sh disable=SC1112,SC2154
# Links from both sides.
apply_heroes
"$HEROCTL" create team - >/dev/null <<'END'
[{"name": "Preventers", "headquarters": "Sharp Tower"},
 {"name": "Z-Force", "headquarters": "Sister Margaret’s Bar"},
 {"name": "Web", "headquarters": "Loft"}]
END
"$HEROCTL" create hero - >/dev/null <<'END'
[{"name": "Deadpond", "secret_name": "Dive Wilson"}, {"name": "Spider-Boy", "secret_name": "Pedro"}]
END

hero link hero 1 teams 2 3
hero list hero --expand teams
hero list team --expand heroes

note "Again, and one more."
hero link hero 1 teams 2 3 1 -o json
hero link hero 1 teams 2

note "From the other side."
hero link team 1 heroes 1 2 -o jsonl
hero unlink team 3 heroes 1
hero unlink team 3 heroes 1 2 -o csv
hero unlink hero 1 teams '{"id": 2}' -o json
hero list hero --expand teams -o json
hero list team --expand heroes -o csv

note "What does not exist."
hero link hero 1 teams 99 2
hero link hero 99 teams 1
hero link hero 1 nosuch 1
hero link nosuch 1 teams 1
hero list heroteamlink
