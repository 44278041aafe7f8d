#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# FORMAT.md is true: its shell commands are taken from it and run on a session that was just made,
# and its examples are lines of that session.
set -u
for tool in jq gzip sha256sum base64; do
	command -v $tool >/dev/null || { echo "1..0 # SKIP no $tool"; exit 0; }
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
n=0 failed=0

is() { # got want name
	n=$((n + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $n - $3"
	else
		echo "not ok $n - $3"
		printf 'got: %s\nwant: %s\n' "$1" "$2" | sed 's/^/#   /'
		failed=1
	fi
}

block() { # name: the shell commands below <!-- shell: name -->
	awk -v mark="<!-- shell: $1 -->" '
		$0 == mark { here = 1 }
		here && $0 == "```" { exit }
		here && on { print }
		here && $0 == "```sh" { on = 1 }' "$SA_SRC/FORMAT.md"
}

run() { # name: runs them as a reader would
	(cd "$work/store" && dir=$dir sh -c "$(block "$1")" 2>&1)
}

mkdir "$work/store"
"$SA_BUILD/tests/integration/mksession" "$work/store" || exit 1
dir=$(cd "$work/store" && echo sessions/*/*)
head=$(jq -r .head "$work/store/$dir/manifest.json")

is "$(run sid)" "${dir##*=}" "the session id is made from machine, boot and session number"
is "$(run chain)" "$head" "the chain ends at the head of the manifest"
is "$(run head)" "$head" "head of the manifest"
is "$(jq -r .head "$work"/store/index/*/*/*.end.json)" "$head" "head of the index object"
is "$(run objects)" "" "the objects have the hashes of the manifest"
is "$(run raw | od -An -tx1)" " 63 61 66 e9" "exact bytes of an argument"
is "$(run commands)" '["2026-11-21T01:00:04.123Z","dba","success",["ls","-l","caf\\xe9"]]
["2026-11-21T01:00:06.123Z","dba","failure",["cat","a b"]]' "the commands of the session"
is "$(run typed)" "" "nothing was typed that ran nothing"

grep '^{"@timestamp"\|^{"schema":"sessaudit.[sim][^"]*","type"\|^{"type"' "$SA_SRC/FORMAT.md" \
	>"$work/examples"
{
	gzip -dc "$work/store/$dir"/*.gz
	for f in "$work/store/$dir/manifest.json" "$work"/store/index/*/*/*; do
		cat "$f"
		echo
	done
} >"$work/lines"
is "$(grep -c . "$work/examples")" 25 "FORMAT.md has an example of each line"
is "$(grep -vxFf "$work/lines" "$work/examples")" "" "its examples are lines of the session"

# A changed byte, a line left out, segments in the wrong order: each is seen.
repack() { # sed script, file
	chmod u+w "$2" && gzip -dc "$2" | sed "$1" | gzip -n >"$work/new" && cat "$work/new" >"$2"
}
cp -r "$work/store" "$work/kept"
repack '2s/"seq":1/"seq":9/' "$work/store/$dir/000000.jsonl.gz"
is "$(run chain | grep -c 'does not fit')" 3 "chain: a changed byte is seen"
case $(run objects) in *FAILED*) got=seen ;; *) got=missed ;; esac
is "$got" seen "objects: a changed byte is seen"
rm -rf "$work/store" && cp -r "$work/kept" "$work/store"
repack 3d "$work/store/$dir/000001.jsonl.gz"
is "$(run chain | grep -c 'does not fit')" 1 "chain: a line left out is seen"
rm -rf "$work/store" && cp -r "$work/kept" "$work/store"
mv "$work/store/$dir/000000.jsonl.gz" "$work/store/$dir/000002.jsonl.gz"
is "$(run chain | grep -c 'does not fit')" 4 "chain: segments in the wrong order are seen"
echo "1..$n"
exit $failed
