# shellcheck shell=sh disable=SC1112,SC2154
# --help of everything.
hero --help
hero --version
for command in apply remove models create get list update delete link unlink call status; do
    hero "$command" --help
done
