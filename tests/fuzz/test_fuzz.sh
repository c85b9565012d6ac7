#!/bin/sh
# A short run of every fuzz target over seeds and their variants.
#   test_fuzz.sh PYTHON DRIVER_FOLDER DESCRIPTOR_SET VARIANTS
set -eu
seeds=$(mktemp -d "${TMPDIR:-/tmp}/hero-seeds.XXXXXX")
trap 'rm -rf "$seeds"' EXIT
trap 'exit 143' INT TERM HUP
"$1" "$HERO_SOURCE/tests/fuzz/make_seeds.py" "$seeds"
"$2/fuzz_frame" "$4" "$seeds"/frame-*
"$2/fuzz_record" "$4" "$seeds"/record-*
"$2/fuzz_models" "$4" "$3"
"$2/fuzz_filter" "$4" "$seeds"/filter-*
# Each variant opens a database: fewer of them.
for sql in "$HERO_SOURCE"/tests/data/infer/*.sql; do
    sqlite3 "$seeds/$(basename "$sql" .sql).db" <"$sql"
done
rm "$seeds/left_out.db" # an endless view takes its time, each time
"$2/fuzz_infer" $(($4 / 20)) "$seeds"/*.db
