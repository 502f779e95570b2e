#!/usr/bin/env bash
# `make install`: the program runs from its new place without the build tree, finds its own extensions and
# touches neither the home folder nor the network.
set -u
passed=0 failed=0
expect() { # NAME COMMAND...
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'failed: %s\n%s\n' "$name" "$output"
    fi
}
prefix=$TMPDIR/a\ place
mkdir -p "$TMPDIR/home"
expect "install" cmake --install "$TARN_BUILD" --prefix "$prefix"
tarn=$prefix/bin/tarn
version=$(ls "$prefix/lib/tarn/extensions")
run() { env -i PATH=/usr/bin:/bin HOME="$TMPDIR/home" "$@"; }
says() { local want=$1; shift; run "$@" | grep -qF -- "$want"; }

expect "manual page" test -s "$prefix/share/man/man1/tarn.1"
expect "extensions are of one DuckDB version" test "$(printf '%s' "$version" | grep -c '^v[0-9.]*$')" = 1
expect "the linked DuckDB is of that version" says "$version" "$tarn" --version
if [ -d "$TARN_ROOT/include/tarn" ]; then
    expect "headers" test -n "$(ls "$prefix"/include/tarn/*.h)"
fi
if run "$tarn" --help | grep -q '^  sql '; then
    for extension in "$prefix/lib/tarn/extensions/$version"/*/*.duckdb_extension; do
        name=$(basename "$extension" .duckdb_extension)
        expect "INSTALL and LOAD of $name" run "$tarn" sql "INSTALL $name; LOAD $name; SELECT 1"
    done
fi
expect "nothing in the home folder" test -z "$(ls -A "$TMPDIR/home")"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
