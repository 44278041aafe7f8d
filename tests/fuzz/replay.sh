#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# Runs every fuzz target over its corpus; works with the stub main and with libFuzzer programs.
set -u
n=0 failed=0
for target in $SA_FUZZ_TARGETS; do
	n=$((n + 1))
	corpus=$SA_SRC/tests/fuzz/corpus/$target
	count=$(find "$corpus" -type f | wc -l)
	if [ "$count" -eq 0 ]; then
		echo "not ok $n - $target: the corpus is empty"
		failed=1
	elif out=$(find "$corpus" -type f -exec "$SA_BUILD/tests/fuzz/fuzz_$target" {} + 2>&1); then
		echo "ok $n - $target: $count files"
	else
		echo "not ok $n - $target"
		printf '%s\n' "$out" | sed 's/^/#   /'
		failed=1
	fi
done
echo "1..$n"
exit "$failed"
