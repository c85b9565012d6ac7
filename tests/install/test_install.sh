#!/bin/sh
# What `meson install` puts where (with DESTDIR), and that a program outside
# the tree builds and runs against it with pkg-config: examples/heroes.
set -eu

scratch=$(mktemp -d "${TMPDIR:-/tmp}/hero-install.XXXXXX")
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

fail() {
    printf 'FAILED: %s\n' "$*"
    exit 1
}

stage=$scratch/stage
DESTDIR=$stage meson install -C "$HERO_BUILD" --no-rebuild --quiet

# Only the base names: folders depend on prefix and architecture.
(cd "$stage" && find . ! -type d -printf '%f\n' | sort) >"$scratch/files"
for file in herod heroctl herod.service heroclient.h libheroclient.pc libheroclient.a \
    libheroclient.so libheroclient.so.0 libheroclient.so.0.1.0 \
    options.proto options.pb-c.h rpc.proto graph.proto records.proto models.proto admin.proto; do
    grep -qx -- "$file" "$scratch/files" || fail "$file is not installed"
done
if command -v scdoc >/dev/null; then
    for file in herod.8 heroctl.1 libheroclient.3; do
        grep -qx -- "$file" "$scratch/files" || fail "$file is not installed"
    done
fi
unexpected=$(grep -Evx 'herod|heroctl|herod\.service|heroclient\.h|libheroclient\..*|options\..*|(rpc|graph|records|models|admin)\.proto|(herod\.8|heroctl\.1|libheroclient\.3)' \
    "$scratch/files") && fail "installed and not expected: $unexpected"

where() { find "$stage" -name "$1" | head -n 1; }
library=$(where libheroclient.so.0.1.0)
libdir=$(dirname "$library")

readelf -d "$library" | grep -q 'SONAME.*\[libheroclient\.so\.0\]' || fail 'wrong soname'
[ "$(readlink "$libdir/libheroclient.so.0")" = libheroclient.so.0.1.0 ] || fail 'libheroclient.so.0 points elsewhere'
# Exactly the symbols of the map, each with its version.
sed 's,/\*.*\*/,,' "$HERO_SOURCE/client/libheroclient.sym" | grep -o '\bhero_[a-z0-9_]*\b' | sort -u >"$scratch/map"
nm -D --defined-only --with-symbol-versions "$library" | awk '$2 == "T" {print $3}' >"$scratch/exports"
grep -v '@@' "$scratch/exports" && fail 'exported without a version'
sed 's/@@.*//' "$scratch/exports" | sort -u | diff "$scratch/map" - || fail 'exports differ from libheroclient.sym'
# The static one defines nothing else, either: a program has names of its own.
nm -g --defined-only "$libdir/libheroclient.a" | awk 'NF == 3 {print $3}' | grep -v '^__asan\|^__odr_asan' |
    sort -u | diff "$scratch/map" - || fail 'libheroclient.a defines other symbols than those of the map'
# libnng must find herod's sendmsg (daemon/sendmsg.c).
nm -D "$(where herod)" | grep -q ' T sendmsg$' || fail 'herod does not offer its sendmsg to libnng'
# options.proto must import nothing of protobuf-c, or other languages cannot use it.
[ "$(grep -c '^import' "$(where options.proto)")" -eq 1 ] || fail 'options.proto imports more than descriptor.proto'
grep -Eqs "($HERO_BUILD|$HERO_SOURCE/(client|daemon|proto))" "$(where libheroclient.pc)" "$(where herod.service)" &&
    fail 'a path of the source tree is in an installed file'
# The unit names the installed herod.
daemon=$(where herod)
grep -q "^ExecStart=${daemon#"$stage"} \|^ExecStart=${daemon#"$stage"}\$" "$(where herod.service)" ||
    fail "the unit does not start ${daemon#"$stage"}"

# Out of tree, as a stranger builds it.
prefix=$(dirname "$(dirname "$(where heroclient.h)")")
PKG_CONFIG_PATH=$(dirname "$(where libheroclient.pc)")
LD_LIBRARY_PATH=$libdir
PATH=$prefix/bin:$prefix/sbin:$PATH
export PKG_CONFIG_PATH LD_LIBRARY_PATH PATH
mkdir "$scratch/program"
cd "$scratch/program"
make --silent -f "$HERO_SOURCE/examples/heroes/Makefile" tutorial CFLAGS='-Wall -Wextra -Werror'
ldd ./tutorial | grep -q "libheroclient.so.0 => $libdir/" || fail 'the program found another libheroclient'

printf '%s\n' '#include <heroclient.h>' 'int arena_alloc(void);' 'int arena_alloc(void) { return 0; }' \
    'int main(void) { hero_error_free(NULL); return arena_alloc(); }' >static.c
# shellcheck disable=SC2046 # words
if ! nm "$libdir/libheroclient.a" | grep -q __asan_init; then
    cc -o static static.c -I"$prefix/include" "$libdir/libheroclient.a" \
        $(pkg-config --libs libprotobuf-c jansson) -lnng -pthread -lm || fail 'no program can link libheroclient.a'
    ./static || fail 'the static program fails'
fi

HERO_URL=ipc://$scratch/s
export HERO_URL
herod --database "$scratch/h.db" --listen "$HERO_URL" 2>"$scratch/log" &
server=$!
tries=0
until heroctl status >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 200 ] || ! kill -0 "$server" 2>/dev/null; then
        cat "$scratch/log"
        fail 'herod did not start'
    fi
    sleep 0.05
done
./tutorial >"$scratch/printed"
diff "$HERO_SOURCE/examples/heroes/expected.txt" "$scratch/printed" || fail 'the tutorial printed something else'
kill "$server"
wait "$server" || fail "herod ended with status $?"
server=
