# shellcheck shell=sh disable=SC1112,SC2154
# Every exit code, as text and as JSON.
apply_heroes
"$HEROCTL" create team name=Preventers headquarters=X >/dev/null

note "2: usage."
hero
hero nosuch
hero --nosuch status
hero -x status
hero get team -1
hero status extra
hero get team
hero list team --plan
hero status -o xml
hero status --timeout 0
hero status --timeout
hero create team name
hero create team name=a name=b
hero create team '{}' name=a
hero update team 1
hero nosuch -o json

note "3: not found."
hero get team 7
hero get team 7 -o json
hero get team 7 -o jsonl
hero get nosuch 1
hero update team 7 name=x
hero get team -- -1

note "4: exists already, conflict."
hero create team id=1 name=x headquarters=y
hero create team id=1 name=x headquarters=y -o json

note "5: invalid."
hero create team name=x
hero create team nosuch=x
hero create team '{"name": "x", "name": "y"}'
hero create team '{"name"'
hero create team - </dev/null
printf '{"name": "a", "headquarters": "b"}\n{"name"\n' | hero create team -
printf '{"name": "a"}\n{"name": "b", "name": "c"}\n' | hero create team -
printf '{"name": "a"}\n{"heroes": [{}, {"name": "\377"}]}\n' | hero create team -
hero create hero '{"name": "a", "secret_name": "b", "teams": [{"name": 7, "headquarters": "z"}, {"id": "x"}]}'
hero list team --order-by nosuch
hero list team --expand nosuch
hero get team x
hero create team "name=$(printf 'a\377')" headquarters=b
hero list team -o csv

note "More than the daemon takes."
{
    printf '{"headquarters": "b", "name": "'
    head -c 3000000 /dev/zero | tr '\0' x
    echo '"}'
} >large.json
hero create team - <large.json
head -c 100000000 /dev/zero | tr '\0' ' ' | hero create team -
hero list team -o csv

note "Other: a method that is none."
hero call Records/Nosuch
hero call Nosuch/Get
hero call Get

note "7: deadline."
kill -STOP "$pid"
hero status --timeout 0.3
kill -CONT "$pid"

note "8: permission."
chmod 000 "$dir/herod.sock"
if [ "$(id -u)" -eq 0 ]; then
    # root reads everything, but for what it gives up.
    HEROCTL_KEPT=$HEROCTL
    cat >plain <<'END'
#!/bin/sh
exec setpriv --bounding-set=-dac_override,-dac_read_search \
    --inh-caps=-dac_override,-dac_read_search "$HEROCTL_KEPT" "$@"
END
    chmod +x plain
    export HEROCTL_KEPT
    HEROCTL=$dir/plain
    hero status
    HEROCTL=$HEROCTL_KEPT
else
    hero status
fi
chmod 600 "$dir/herod.sock"

note "6: nobody there."
stop
hero status
hero status -o json
hero get team 1 --url nonsense
start
hero get team 1
