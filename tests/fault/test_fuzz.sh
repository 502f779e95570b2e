#!/bin/bash
# Replays the corpora of the fuzzers and a thousand mutations of them, always the same; a hundred where each goes through DuckDB.
passed=0 failed=0
for dir in "$TARN_ROOT"/tests/fuzz/corpus/*/; do
    name=$(basename "$dir")
    rounds=1000
    grep -q tn_duck_open "$TARN_ROOT/tests/fuzz/fuzz_$name.c" && rounds=100
    if FUZZ_LAST=$TMPDIR/last "$TARN_BUILD/fuzz_$name" $rounds 1 "$dir"* >"$TMPDIR/out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1)); echo "fuzz_$name:"; tail -20 "$TMPDIR/out"; od -c "$TMPDIR/last" | head -20
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
