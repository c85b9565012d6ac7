#!/bin/sh
# make_static.sh IN.a OUT.a: all objects of an archive as one, its hidden
# symbols made local.
set -eu
object=$2.o
trap 'rm -f "$object"' EXIT
ld -r -o "$object" --whole-archive "$1"
objcopy --localize-hidden "$object"
rm -f "$2"
ar rcs "$2" "$object"
