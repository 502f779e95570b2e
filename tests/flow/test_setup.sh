#!/usr/bin/env bash
# tools/setup with stand-ins for its clients: what it does when all is there, when a checksum is wrong, when a
# package is missing and it may not install it. No network.
set -u
passed=0 failed=0
expect() { # NAME CONDITION...
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'failed: %s\n%s\n' "$name" "$output"
    fi
}
has() { case $output in *"$1"*) true ;; *) false ;; esac; }
fake() { # NAME SCRIPT: a stand-in for a program
    printf '#!/bin/sh\n%s\n' "$2" >"$fakes/$1"
    chmod +x "$fakes/$1"
}
setup() {
    output=$(PATH="$fakes:$PATH" TARN_DEPS_DIR="$deps" DUCKDB_DIR='' "$tree/tools/setup" "$@" 2>&1)
    status=$?
}
tree=$TMPDIR/tree deps=$TMPDIR/deps fakes=$TMPDIR/fakes
mkdir -p "$tree/tools" "$fakes" "$TMPDIR/module"
cp "$TARN_ROOT/tools/setup" "$tree/tools/"
printf 'int duckdb_x;\n' >"$TMPDIR/module/duckdb.h"
: >"$TMPDIR/module/libx.a"
: >"$TMPDIR/module/LICENSE"
printf 'apt gcc - - -\ngo example.org/duck v1 h1:right= duckdb\n' >"$tree/deps.lock"
fake dpkg-query 'echo installed'
fake go 'echo "{ \"Dir\": \"'"$TMPDIR/module"'\","; echo "\"Sum\": \"h1:${FAKE_SUM:-right}=\","; echo "}"'

FAKE_SUM=wrong
export FAKE_SUM
setup
expect "a wrong checksum stops it" test "$status" = 1
expect "and is named with the right one" has "checksum of example.org/duck is h1:wrong=, deps.lock says h1:right="
expect "nothing is left of it" test ! -e "$deps/duckdb" -a ! -e "$deps/.ready"
expect "no half-made folder either" test -z "$(ls -d "$deps"/.work.* 2>/dev/null)"
setup --check
expect "--check says what to do" has "run 'make setup'"
expect "--check fails" test "$status" = 1

unset FAKE_SUM
setup
expect "the right checksum passes" test "$status" = 0
expect "header and archive are there" test -s "$deps/duckdb/duckdb.h" -a -e "$deps/duckdb/libx.a"

fake go 'echo "must not be called" >&2; exit 1'
setup
expect "the second call fetches nothing" test "$status" = 0 -a -z "$output"
echo 'apt cmake - - -' >>"$tree/deps.lock"
setup
expect "a new Debian package does not age what is fetched" test "$status" = 0 -a -z "$output"
sed -i 's/ v1 / v2 /' "$tree/deps.lock"
setup
expect "a new version is fetched" has "must not be called"

fake dpkg-query 'exit 1'
fake id 'echo 1000'
fake sudo 'exit 1'
fake apt-get 'echo "must not be called" >&2; exit 1'
setup
expect "a missing package without rights stops it" test "$status" = 1
expect "the whole apt line is given" has "apt-get install gcc cmake"
expect "apt-get was not called" test "${output#*must not be called}" = "$output"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
