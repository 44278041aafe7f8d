#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# Every manual page is clean mdoc.
set -u
n=0 failed=0
for page in $SA_MAN_PAGES; do
	n=$((n + 1))
	name=${page#"$SA_SRC"/}
	if [ -z "$SA_MANDOC" ]; then
		echo "ok $n - $name # SKIP no mandoc"
	elif out=$("$SA_MANDOC" -Tlint -Wwarning "$SA_SRC/$name" 2>&1); then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		printf '%s\n' "$out" | sed 's/^/#   /'
		failed=1
	fi
done
if [ "$n" -eq 0 ]; then
	echo "1..0 # SKIP no manual pages yet"
else
	echo "1..$n"
fi
exit "$failed"
