# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# shellcheck shell=bash
#
# What the packaging tests share: TAP lines, a scratch directory, and the tree
# as it would be published, built there. Sourced by tests/packaging/*.sh (bash).

PKG_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PKG_TMP=$(mktemp -d "${TMPDIR:-/tmp}/sessaudit-pkg.XXXXXX")
PKG_COUNT=0
PKG_FAILED=0
PKG_VERSION=$(sed -n 's/^AC_INIT(\[sessaudit\], \[\(.*\)\])$/\1/p' "$PKG_TOP/configure.ac")
chmod 755 "$PKG_TMP"
trap 'rm -rf "$PKG_TMP"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

skip_all() { # REASON: this machine cannot do it
	echo "1..0 # SKIP $1"
	exit 77
}

need() { # COMMAND...: skip unless all are there
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip_all "$tool is not installed"
	done
}

check() { # NAME COMMAND...: passed when the command succeeds; the end of its output is shown when not
	local name=$1 rc=0
	shift
	PKG_COUNT=$((PKG_COUNT + 1))
	"$@" >"$PKG_TMP/out" 2>&1 || rc=$?
	if [ $rc = 0 ]; then
		echo "ok $PKG_COUNT - $name"
		return 0
	fi
	PKG_FAILED=$((PKG_FAILED + 1))
	echo "not ok $PKG_COUNT - $name"
	printf '# exit %s: %s\n' "$rc" "$*"
	tail -n 60 "$PKG_TMP/out" | sed 's/^/# /'
	return 1
}

same() { # NAME GOT WANT: passed when equal
	printf '%s\n' "$2" >"$PKG_TMP/got"
	printf '%s\n' "$3" >"$PKG_TMP/want"
	check "$1" diff -u "$PKG_TMP/want" "$PKG_TMP/got"
}

finish() {
	echo "1..$PKG_COUNT"
	[ "$PKG_FAILED" = 0 ]
	exit
}

must() { # NAME COMMAND...: as check, and the end when it fails
	check "$@" || finish
}

tracked() { # [PATH...]: files here that belong to the project, NUL-ended
	if git -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
		# A file that was just removed is still in the index.
		git -c safe.directory='*' ls-files -z --cached --others --exclude-standard -- "$@" |
			while IFS= read -r -d '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done
	else
		find "${@:-.}" -path './build*' -prune -o ! -type d ! -name '*.o' -print0
	fi
}

tree() { # DIR: the tree as it would be published, with configure
	mkdir -p "$1"
	(cd "$PKG_TOP" && tracked) | tar -c -C "$PKG_TOP" --null -T - -f - | tar -x -C "$1" -f -
	rm -f "$1/config.status"
	[ -x "$1/configure" ] || (cd "$1" && ./autogen.sh)
}

tarball() { # sets PKG_TARBALL, made by make dist unless the caller of the test has one
	if [ -z "${PKG_TARBALL-}" ]; then
		tree "$PKG_TMP/dist-src" || return
		mkdir "$PKG_TMP/dist-build"
		(cd "$PKG_TMP/dist-build" && ../dist-src/configure --quiet && make -s dist) || return
		PKG_TARBALL=$PKG_TMP/dist-build/sessaudit-$PKG_VERSION.tar.xz
	fi
	[ -s "$PKG_TARBALL" ]
}
