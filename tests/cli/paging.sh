# shellcheck shell=sh disable=SC1112,SC2154
# Pages: limits, tokens, all of them; a reader that goes away.
apply_heroes
i=0
while [ $i -lt 25 ]; do
    i=$((i + 1))
    echo "{\"name\": \"h$i\", \"secret_name\": \"s\", \"age\": $((i % 3))}"
done | "$HEROCTL" create hero - >/dev/null

# The token in what the last hero said, and the same without it.
token() {
    sed -n 's/^next page: //p' "$dir/err"
}
blind() {
    sed 's/--page-token [^ ]*/--page-token TOKEN/'
}

hero list hero --limit 3 >page
blind <page
next=$(token)
hero list hero --limit 2 --page-token "$next" >page
blind <page
hero list hero --limit 2 --page-token "$next" --order-by -age >page
blind <page
hero list team --page-token "$next" >page
blind <page
hero list hero --page-token nonsense

note "All, in pages of 10."
hero list hero --all --limit 10 -o csv
hero list hero --all --limit 10 --order-by=-age,-id
"$HEROCTL" list hero --all --limit 7 -o json | tr -d ' \n' | sed 's/"secret_name":"s",//g'
echo
"$HEROCTL" list hero --all --limit 7 -o jsonl | wc -l
hero list hero --limit 0

note "A full disk, and a reader that went away."
code=0
"$HEROCTL" list hero 2>err >/dev/full || code=$?
cat err
echo "[$code]"
# The first page alone is more than a pipe and head hold.
printf '{"name": "%0300000d"}' 0 | "$HEROCTL" update hero 1 - >/dev/null
{ "$HEROCTL" list hero --all --limit 1 2>err || echo "[$?]" >code; } | head -c 1 >/dev/null
cat err code
