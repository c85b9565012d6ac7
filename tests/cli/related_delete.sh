# shellcheck shell=sh disable=SC2154
# What a delete does to each kind of relationship.
apply_zoo

note "KEEP, the default: links go, a foreign key holds."
hero create house '{"name": "cats", "animals": [{"@connect": {"name": "Leo"}}, {"@connect": {"name": "Tia"}}]}'
hero delete house cats
hero create keeper '{"name": "Ann", "friends": [{"name": "Bob"}], "follows": [{"name": "Cid"}], "followers": [{"name": "Dan"}], "animals": [{"name": "Leo", "@link": {"role": "lead"}}]}'
hero delete keeper 1
hero get animal Leo --expand keepers

note "SET_NULL and DELETE by a key; one statement of any order."
hero create keeper '{"name": "Eve", "reports": [{"name": "Fay"}], "locker": {}}'
hero list keeper
hero delete keeper 5 -o json
hero list keeper
hero list locker
hero create keeper '{"id": 7, "name": "Gil", "boss": {"name": "Hal"}}'
hero delete keeper 8 7 6 -o json
hero delete keeper 2 3 4 -o json

note "DELETE_ORPHAN, CLEAR and DELETE; what links to tags keeps them."
hero create animal '{"name": "Uma", "meals": [{}, {}], "tags": [{"@connect": {"tag": "big"}}, {"@connect": {"tag": "old"}}], "reports": [{"folder": {}}], "toys": [{"@connect": {"toy": "ball"}}]}'
hero create animal '{"name": "Vic", "tags": [{"@key": "big"}], "reports": [{"folder": {"@key": 1}}], "toys": [{"@key": "ball"}]}'
hero unlink animal Uma meals 1
hero list meal
hero unlink meal 2 animal Uma
hero list meal
hero unlink animal Uma tags big
hero list tag
hero delete animal Uma -o json
hero list tag
hero list toy
hero list report --expand animal,folder
hero unlink animal Vic tags big
hero list tag
hero delete report 1 -o json
hero list folder
hero link report 2 folder 1
hero delete report 2 -o json
hero list folder

note "CASCADE goes through: the doors, and nothing else of the house."
hero create house '{"name": "birds", "doors": [{}, {}]}'
hero delete house birds -o json
hero list door

note "RESTRICT holds, whatever the order; circles of tables go together."
hero create plan '{"code": "p", "steps": [{}], "permits": [{"after_id": null}]}'
hero update plan 1 first_id=1
hero create permit after_id=1
hero delete plan 1
hero delete permit 1
hero delete permit 1 2 -o json
hero delete plan 1 -o json
hero list step

note "What is not there; a record named twice."
hero delete keeper 99
hero create keeper name=Gus
hero delete keeper 1 99 98
hero list keeper
hero delete keeper 1 1 -o json

note "Deferred keys are forgotten: what points nowhere is told at once."
hero create keeper '{"name": "Ida", "boss_id": 77}'
