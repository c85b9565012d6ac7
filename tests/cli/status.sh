# shellcheck shell=sh disable=SC1112,SC2154
# Status, call and echo.
apply_heroes
"$HEROCTL" create team name=Preventers headquarters=X >/dev/null

# What differs from run to run.
blind() {
    sed 's/\(uptime_ms\|requests\|models_version\)\("*[: ,]*\)[0-9][0-9]*/\1\2N/g
        s/^! -- [0-9]* us$/! -- N us/; s/\(principal = \).*/\1.../
        s/\(INTO _hero_request .* VALUES \).*/\1.../'
}

hero status | blind
hero status -o csv | blind
hero status -o json | blind
hero status -o jsonl | blind

note "Call."
hero call Admin/Check
hero call hero.v1.Admin/Check -o jsonl
hero call Models/Get '{"name": "nosuch"}'
echo '{"model": "team", "page_size": 1}' | hero call Records/List -
hero call Records/List '{"nosuch": 1}'
hero call Admin/Check -o csv

note "Echo."
hero get team 1 --echo | blind
hero create team name=Z headquarters=Y --echo -o json | blind
