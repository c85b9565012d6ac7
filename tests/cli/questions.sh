# shellcheck shell=sh disable=SC1112,SC2154
# Questions: filters, totals, fields, related records by pages, groups, plans.
apply_heroes
"$HEROCTL" create team - >/dev/null <<'END'
{"name": "Preventers", "headquarters": "Sharp Tower", "heroes": [
  {"name": "Deadpond", "secret_name": "Dive Wilson", "age": 48},
  {"name": "Spider-Boy", "secret_name": "Pedro \"Web\" Parqueador"},
  {"name": "Rusty-Man", "secret_name": "Tommy Sharp", "age": 48}]}
{"name": "Z-Force", "headquarters": "Sister Margaret's Bar", "heroes": [
  {"name": "Tarantula", "secret_name": "Natalia Roman-on", "age": 32}]}
{"name": "Nobody", "headquarters": "nowhere"}
END
"$HEROCTL" link team 2 heroes 1 >/dev/null

# The token in what the last hero said, and the same without it.
token() {
    sed -n 's/^next page: //p' "$dir/err"
}
blind() {
    sed 's/--page-token [^ ]*/--page-token TOKEN/'
}

note "Filters."
hero list hero --filter 'age = 48 AND any(teams, name = "Z-Force")' --expand teams
hero list hero --filter 'NOT age > 40 AND name:"-"' --fields name,age
hero list hero --filter 'secret_name = "Pedro \"Web\" Parqueador"' -o json --fields name
hero list team --filter 'count(heroes) >= 2' --order-by=-name --fields name
hero list team --filter 'none(heroes)' -o csv
hero list hero --filter 'age > 100'

note "Totals, and pages of what a filter leaves."
hero list hero --filter 'age IS NOT NULL' --order-by age,name --limit 2 --count >page
blind <page
next=$(token)
hero list hero --filter 'age IS NOT NULL' --order-by age,name --limit 2 --page-token "$next" >page
blind <page
hero list hero --filter 'age IS NULL' --order-by age,name --page-token "$next" >page
blind <page

note "What is wrong is told by the character."
hero list hero --filter 'agee = 48'
hero list hero --filter 'age = 48 and name = "x"'
hero list hero --filter 'any(teams, title = "x")'
hero list hero --fields name,nosuch

note "Related records."
hero related team 1 heroes
hero related team Preventers heroes
hero related team 1 heroes --filter 'age = 48' --order-by=-name --fields name --count
hero related team 1 heroes --limit 2 --count --expand teams -o jsonl >page
blind <page
next=$(token)
hero related team 1 heroes --limit 2 --page-token "$next" >page
blind <page
hero related team 9 heroes
hero related team 1 villains

note "Groups."
hero count hero
hero count hero --filter 'age IS NULL'
hero count hero --by age
hero count hero --by teams -o json
hero count team --by heroes --limit 1 -o csv
hero count hero --by nosuch
hero count hero --limit 3

note "Plans."
hero explain hero --filter 'name = "x"'
hero explain team --filter 'headquarters = "x"' --expand heroes
hero explain hero --filter 'any(teams, name = "x")' -o json --count
