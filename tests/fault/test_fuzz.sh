#!/bin/bash
# Replays the corpora of the fuzzers and a thousand mutations of them, always the same.
passed=0 failed=0
for dir in "$TARN_ROOT"/tests/fuzz/corpus/*/; do
    name=$(basename "$dir")
    if FUZZ_LAST=$TMPDIR/last "$TARN_BUILD/fuzz_$name" 1000 1 "$dir"* >"$TMPDIR/out" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1)); echo "fuzz_$name:"; tail -20 "$TMPDIR/out"; od -c "$TMPDIR/last" | head -20
    fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
