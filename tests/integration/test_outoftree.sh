#!/bin/sh
# A program with models of its own, built with pkg-config and protoc-c against
# nothing but what `meson install` puts into a folder, and run against a herod
# that was there before its models were.
set -eu

scratch=$(mktemp -d "${TMPDIR:-/tmp}/hero-outoftree.XXXXXX")
server=
clean_up() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || :
        wait "$server" 2>/dev/null || :
    fi
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 143' INT TERM HUP

stage=$scratch/stage
DESTDIR=$stage meson install -C "$HERO_BUILD" --no-rebuild --quiet
pc=$(find "$stage" -name libheroclient.pc)
include=$(dirname "$(find "$stage" -name heroclient.h)")
library=$(dirname "$(find "$stage" -name libheroclient.so)")
herod=$(find "$stage" -name herod -type f -perm -u+x)
heroctl=$(find "$stage" -name heroctl -type f -perm -u+x)

PKG_CONFIG_PATH=$(dirname "$pc")
LD_LIBRARY_PATH=$library
export PKG_CONFIG_PATH LD_LIBRARY_PATH

mkdir "$scratch/program"
cd "$scratch/program"
cp "$HERO_SOURCE/tests/data/library.proto" "$HERO_SOURCE/tests/integration/outoftree.c" .
protos="-I. -I$include -I$(pkg-config --variable=includedir protobuf)"
protoc-c $protos --c_out=. library.proto
protoc $protos --include_imports --descriptor_set_out=library.desc library.proto
od -An -v -tu1 library.desc | sed 's/[0-9][0-9]*/&,/g' >library.desc.inc
# A library built with sanitizers wants their runtime first in the program.
sanitize=
if nm -D "$library/libheroclient.so" | grep -q __asan_init; then
    sanitize=-fsanitize=address,undefined
elif nm -D "$library/libheroclient.so" | grep -q __tsan_init; then
    sanitize=-fsanitize=thread
fi
${CC:-cc} -std=gnu11 -Wall -Wextra -Werror $sanitize $(pkg-config --cflags libheroclient) -o program outoftree.c \
    library.pb-c.c $(pkg-config --libs libheroclient)

HERO_URL=ipc://$scratch/s
export HERO_URL
"$herod" --database "$scratch/hero.db" --listen "$HERO_URL" 2>"$scratch/log" &
server=$!
tries=0
until "$heroctl" --timeout 5 status >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 200 ] || ! kill -0 "$server" 2>/dev/null; then
        cat "$scratch/log"
        exit 1
    fi
    sleep 0.05
done
./program || {
    tail -n 20 "$scratch/log"
    exit 1
}
kill "$server"
wait "$server"
server=
