# shellcheck shell=sh disable=SC1112,SC2154
# Records: create, get, list, update, delete in every form of input and output.
apply_heroes

note "Create from fields, JSON, standard input."
hero create team name=Preventers 'headquarters=Sharp Tower'
hero create team '{"name": "Z-Force", "headquarters": "Sister Margaret’s Bar"}' -o json
hero create hero name=Deadpond 'secret_name=Dive Wilson' 'teams:=[{"id": 1}, {"@key": {"id": 2}}]'
hero create hero - -o jsonl <<'END'
{"name": "Rusty-Man", "secret_name": "Tommy Sharp", "age": 48, "teams": [{"id": 1}]}
{"name": "Spider-Boy", "secret_name": "Pedro Parqueador",
 "teams": [{"@connect": {"id": 1}}, {"name": "Web", "headquarters": ""}]}
END
hero create hero - -o csv <<'END'
[{"id": 7, "name": "a,b", "secret_name": "say \"hi\""}, {"name": "line\nbreak", "secret_name": "", "age": "7"}]
END
hero create team '{"id": 9, "name": "Nine", "headquarters": "IX"}' -o csv
echo '{"name": "Ten", "headquarters": "X"}' | hero create team - -o json

note "Get."
hero get hero 1
hero get hero 1 -o json
hero get hero 1 2 -o json
hero get hero 2 1 -o jsonl
hero get HERO 1 2 -o csv
hero get Hero '{"id": 1}' --expand teams
hero get hero 1 --expand teams -o json
hero get hero 1 3 --expand teams.heroes
hero get hero 1 --expand teams.heroes -o json
hero get team 1 2 --expand heroes -o csv

note "List."
hero list hero
hero list hero --expand teams
hero list hero -o json --limit 2 --expand teams
hero list hero -o jsonl --order-by=-age,name
hero list hero -o csv --order-by name
hero list heroteamlink
hero list team -o json --limit 1 --order-by -id

note "Update."
hero update hero 1 age=33 'name=Dead Pond'
hero update hero 1 --null age -o json
hero update hero 1 '{"age": 34}' -o jsonl
echo '{"secret_name": ""}' | hero update hero 1 - -o csv
hero update hero 1 age=1 --null age
hero update hero 1 '{}' --null age
hero update hero 1 nosuch=1

note "Delete."
hero delete hero 7
hero delete hero 1 4 -o json
hero delete hero 1
hero get hero 1 2
hero list heroteamlink -o csv

note "None, in every form."
hero delete hero 2 3 5 8 -o csv
for form in table json jsonl csv; do
    "$HEROCTL" list hero -o jsonl | sed 's/.*"id":\([0-9]*\).*/\1/' | xargs -r "$HEROCTL" delete hero >/dev/null
    hero list hero -o $form
done
