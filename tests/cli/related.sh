# shellcheck shell=sh disable=SC2154
# Relationships of every kind: read, linked, created from either side.
apply_zoo

note "Many-to-one and one-to-many, with themselves, in the declared order."
hero create keeper '{"name": "Ann", "boss": {"name": "Zoe"}, "reports": [{"name": "Bob"}, {"name": "Cid"}]}'
hero get keeper 1 --expand boss,reports
hero get keeper 2 --expand boss.reports -o json
hero link keeper 2 boss 4
hero link keeper 1 reports 3
hero list keeper --expand reports,boss
hero link keeper 2 boss 4
hero unlink keeper 1 reports 3
hero unlink keeper 1 reports 3
hero get keeper 3 --expand boss -o jsonl
hero link keeper 2 boss 1 4
hero create keeper '{"name": "Own", "id": 9, "boss": {"@key": 9}}'
hero create keeper '{"name": "Dan", "boss_id": 1, "boss": {"@key": 2}}'
hero create keeper '{"name": "Dan", "boss_id": 1, "boss": {"@key": 1}}' -o jsonl
hero create keeper '{"name": "Eve", "boss": []}'
hero create keeper '{"name": "Eve", "boss": {"@key": 77}}'
hero link keeper 77 boss 78
hero link keeper 1 boss wrong

note "One-to-one: a link replaces, unless the other can't be alone."
hero create locker '{"keeper": {"@key": 1}}' -o jsonl
hero create locker '{"keeper": {"@key": 1}}'
hero create locker '{"keeper": {"@key": 2}}' -o jsonl
hero link keeper 1 locker 2
hero link keeper 3 locker 2
hero list locker --expand keeper
hero get keeper 1 2 3 --expand locker
hero unlink keeper 1 locker 1
hero create badge '{"keeper": {"@key": 1}, "next": {"next": {}}}' -o json
hero create badge '{"keeper": {"@key": 1}}'
hero list badge --expand keeper,next,prev
hero link badge 1 next 3
hero link badge 4 next 3
hero unlink badge 3 prev 4
hero list badge --expand next,prev

note "Symmetric: once, from either side; never to itself."
hero link keeper 1 friends 2 3 --set since=2020
hero link keeper 2 friends 1 --set since=2021
hero link keeper 1 friends 1
hero list keeper --expand friends
hero unlink keeper 3 friends 1
hero get keeper 1 3 --expand friends -o jsonl

note "Two ends of the same link."
hero link keeper 1 follows 2 3
hero link keeper 1 followers 3
hero get keeper 1 2 3 --expand follows,followers

note "Links with columns of their own."
hero create animal '{"name": "Leo", "keepers": [{"id": 1, "@link": {"role": "lead", "hours": 5}}, {"@key": 2, "@link": {"role": "aide"}}]}'
hero create animal name=Tia
hero link animal Tia keepers 1
hero link animal Tia keepers 1 --set role=lead --set hours=7
hero link keeper 1 animals Leo --set hours=9
hero link keeper 1 animals Leo
hero get keeper 1 --expand animals -o json
hero get keeper 1 2 --expand animals
hero get animal Leo --expand keepers -o jsonl
hero link keeper 2 animals Leo --set keeper_id=3
hero link keeper 2 animals Leo --set hours=many
hero link keeper 2 animals Leo --set nonsense=1
hero link keeper 2 animals Leo --set note=x
hero link keeper 1 animals Leo --set note=x
hero link keeper 3 animals Leo --set role=new --set note=x
hero link keeper 1 boss 2 --set note=x
hero unlink keeper 1 animals Leo --set note=x
hero create keeper '{"name": "Fay", "animals": [{"name": "Leo"}]}'
hero create keeper '{"name": "Fay", "animals": [{"@connect": {"name": "Uma"}, "@link": {"role": "new"}}]}'
hero create keeper '{"name": "Gil", "boss": {"@key": 1, "@link": {"role": "new"}}}'

note "Keys of several columns; a tenant that both ends share."
hero create site '{"tenant": "a", "number": 1, "gates": [{"@connect": {"id": 1}}, {"id": 2, "tenant": "a"}], "guards": [{"@connect": {"tenant": "a", "name": "Gus"}}]}'
hero create gate '{"id": 3, "tenant": "b", "site": {"tenant": "a", "number": 1}}'
hero create gate '{"id": 3, "tenant": "b"}'
hero link gate 3 site a,1
hero create guard tenant=b name=Hal
hero link site a,1 guards b,Hal
hero get site a,1 --expand gates,guards
hero get guard a,Gus --expand sites.gates
hero unlink gate 1 site a,1
hero get gate 1 2 --expand site
hero unlink site a,1 guards a,Gus

note "A key to a unique column; models that refer to each other."
hero create plan '{"code": "p", "steps": [{}, {}], "first": {"plan": {"code": "q"}}}' -o json
hero list plan --expand steps,first
hero list step --expand plan
hero create egg '{"hen": {"egg": {"hen": {"@key": 1}}}}'
hero create egg '{"id": 1, "hen": {"id": 1, "egg_id": 1}}'
hero call hero.v1.Records/Create '{"graph": {"records": [{"ref": 1, "model": "Egg", "value": ""}, {"ref": 2, "model": "Hen", "value": ""}], "edges": [{"from": 1, "relationship": "hen", "to": 2}, {"from": 2, "relationship": "egg", "to": 1}]}}'

note "What the models say."
hero models keeper
hero models animal -o json
hero models --proto | sed -n '/^message Keeper/,/^}/p'

note "Names that must be quoted, everywhere."
"$HEROCTL" apply -I "$HERO_SOURCE/proto" "$HERO_SOURCE/tests/data/odd_related.proto" >/dev/null
hero create A '{"id": "it'"'"'s", "bs": [{"n": "x"}, {"n": "y"}], "linked": [{"n": "z"}], "peers": [{"@connect": {"id": "two"}, "@link": {"weight": 2.5}}, {"@connect": {"id": "three"}, "@link": {"weight": 3}}]}'
hero get A "it's" two --expand bs.a,peers.peers,linked -o jsonl
hero link B 3 a two
hero list A --filter 'any(bs, n = "z") AND count(peers) > 0' --expand linked,bs
hero related A "it's" peers
hero delete A "it's" -o jsonl
hero delete A two three
hero list B
