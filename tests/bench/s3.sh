#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
#   tests/bench/s3.sh [--check] [--drain COUNT] [SEGMENTS [SIZE [PARALLEL]]]
#
# Segments put into a real S3 server on loopback: the shipper beside a bare loop of
# libcurl (bareput.c) that makes the same requests, one that makes the plainest, and,
# where they are installed, the AWS CLI, rclone and s3cmd: the same files, the same
# server, a fresh bucket each, the same parallelism where it can be chosen (s3cmd: one at
# a time). Shipper and bare loops run in turn, five times: the median of the five ratios
# counts; of CPU times the least. The other tools run twice.
# With --drain also how long a backlog of COUNT segments takes and the shipper's peak
# memory. With --check exits 1 unless the shipper has 90 % of the bare loop's rate, takes
# a fifth of the CPU time of any other tool, and stays under 32 MiB.
#
# Not part of `make check`. Alone on the machine: server and clients share its cores.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
set -euo pipefail
SA_SRC=${SA_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
SA_BUILD=${SA_BUILD:-$SA_SRC}
SHIPPER=$SA_BUILD/agent/shipper/sessaudit-shipper
CHECK='' DRAIN=''
while :; do
	case ${1:-} in
	--check) CHECK=1 ;;
	--drain) DRAIN=$2 && shift ;;
	*) break ;;
	esac
	shift
done
COUNT=${1:-2000} SIZE=${2:-65536} PARALLEL=${3:-8}

wait_for() { # SECONDS COMMAND...
	local left=$(($1 * 10))
	shift
	until "$@"; do
		[ $((left -= 1)) -gt 0 ] || return 1
		sleep 0.1
	done
}

T=$(mktemp -d "${SA_BENCH_DIR:-${TMPDIR:-/tmp}}/sessaudit-bench.XXXXXX")
. "$SA_SRC/tests/s3/lib.sh"
trap 's3_stop; rm -rf "$T"' EXIT
trap 'exit 130' INT TERM

compile() {
	local p
	for p in measure mkspool bareput; do
		"${CC:-cc}" -std=gnu11 -O2 -o "$T/$p" "$SA_SRC/tests/bench/$p.c" -lcurl -lcrypto
	done
}

# --- the tools: each puts all files below READY into BUCKET ---

fresh_spool() { # COUNT SESSIONS: READY is filled; what a tool takes away are hard links
	mkdir -p "$T/all/ready"
	"$T/mkspool" "$T/all/ready" "$1" "$SIZE" "$2"
}

run_shipper() { # the spool it empties is a copy of links
	cat >"$T/conf" <<-END
		[spool]
		dir = $T/spool
		[store]
		type = s3
		s3_url = s3://$BUCKET
		s3_endpoint = $S3_ENDPOINT
		s3_region = us-east-1
		parallel = $PARALLEL
		[agent]
		run_dir = $T/run
		log_level = warn
	END
	rm -rf "$T/spool"
	mkdir -p "$T/spool" "$T/run"
	cp -al "$T/all/ready" "$T/spool/ready"
	sync
	measure sessaudit-shipper "$SHIPPER" --keep-user --config "$T/conf" --once
}

run_bare() {
	measure "bare loop" "$T/bareput" once "$T/all/ready" "$S3_ENDPOINT" "$BUCKET" "$PARALLEL"
}

run_plain() {
	measure "bare loop, plain PUT" "$T/bareput" plain "$T/all/ready" "$S3_ENDPOINT" "$BUCKET" \
		"$PARALLEL"
}

run_aws() {
	printf '[default]\ns3 =\n  max_concurrent_requests = %s\n' "$PARALLEL" >"$T/aws.conf"
	AWS_CONFIG_FILE=$T/aws.conf measure "aws s3 cp" aws --endpoint-url "$S3_ENDPOINT" s3 cp \
		--only-show-errors --recursive "$T/all/ready" "s3://$BUCKET"
}

run_rclone() {
	RCLONE_CONFIG_S_TYPE=s3 RCLONE_CONFIG_S_PROVIDER=Ceph RCLONE_CONFIG_S_ENV_AUTH=true \
		RCLONE_CONFIG_S_ENDPOINT=$S3_ENDPOINT RCLONE_S3_NO_CHECK_BUCKET=true \
		measure "rclone copy" rclone --config /dev/null copy --transfers "$PARALLEL" \
		"$T/all/ready" "s:$BUCKET"
}

run_s3cmd() {
	measure "s3cmd put" s3cmd --config /dev/null --access_key "$S3_AK" --secret_key "$S3_SK" \
		--host "127.0.0.1:$S3_PORT" --host-bucket "127.0.0.1:$S3_PORT" --no-ssl \
		--no-progress --quiet put --recursive "$T/all/ready/" "s3://$BUCKET/"
}

# --- measuring ---

measure() { # NAME COMMAND...: notes the line
	local name=$1
	shift
	"$T/measure" "$name" "$COUNT" "$@" 2>"$T/errors" | tee -a "$T/results" || {
		sed 's/^/    /' "$T/errors" | tail -n 5
		return 1
	}
}

# What was put must be there, or the figure means nothing.
one() { # TOOL
	local stored
	BUCKET=bench-$((RUN += 1))
	s3_aws s3 mb "s3://$BUCKET" >/dev/null
	"run_$1" || return 1
	stored=$(s3_aws s3 ls --recursive "s3://$BUCKET/sessions/" | grep -c jsonl)
	[ "$stored" = "$COUNT" ] || { echo "$1: $stored of $COUNT are stored"; return 1; }
}

one_of_round() { # TOOL: and its bucket goes
	one "$1"
	s3_aws s3 rb --force "s3://$BUCKET" >/dev/null
}

# Numbers of a line of measure: the 1st is the rate, the 6th CPU seconds, the 11th MiB.
figures() { sed -n "s/^$1  *\([0-9]\)/\1/p" "$T/results"; } # NAME

least_cpu() { figures "$1" | awk 'NR == 1 || $6 < least { least = $6 } END { print least }'; }

median_ratio() { # NAME: the shipper's rate by its
	paste <(figures sessaudit-shipper) <(figures "$1") |
		awk -F '\t' '{ split($1, a, " "); split($2, b, " "); print a[1] / b[1] }' |
		sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

ratio() { # TEXT VALUE LIMIT at-least|at-most
	awk -v t="$1" -v v="$2" -v l="$3" -v how="$4" 'BEGIN {
		good = how == "at-least" ? v >= l : v <= l
		printf "%-52s %8.2f, %s %s: %s\n", t, v, how, l, good ? "yes" : "NO"
		exit !good }' || MISSED=1
}

divide() { awk -v a="$1" -v b="$2" 'BEGIN { print a / b }'; }

judge() {
	local cpu tool
	ratio "rate, of the bare loop's" "$(median_ratio 'bare loop')" 0.9 at-least
	echo "rate, of plain PUTs, which do less: $(median_ratio 'bare loop, plain PUT')"
	cpu=$(least_cpu sessaudit-shipper)
	for tool in 'aws s3 cp' 'rclone copy' 's3cmd put'; do
		grep -q "^$tool" "$T/results" || continue
		ratio "CPU time of $tool, of the shipper's" \
			"$(divide "$(least_cpu "$tool")" "$cpu")" 5 at-least
	done
}

drain() {
	COUNT=$DRAIN
	rm -rf "$T/all"
	fresh_spool "$COUNT" 100
	: >"$T/results"
	echo "backlog of $COUNT segments:"
	one shipper
	ratio "MiB, peak" "$(figures sessaudit-shipper | awk '{ print $11 }')" 32 at-most
}

MISSED=
RUN=0
compile
export S3_BYTES=${S3_BYTES:-$(((COUNT + ${DRAIN:-0}) * (SIZE + 16384) * 2 + 1000000000))}
s3_start 20 || s3_start 16 || {
	echo "$S3_REASON" >&2
	exit 77
}
export AWS_ACCESS_KEY_ID=$S3_AK AWS_SECRET_ACCESS_KEY=$S3_SK AWS_DEFAULT_REGION=us-east-1 \
	AWS_EC2_METADATA_DISABLED=true AWS_REQUEST_CHECKSUM_CALCULATION=when_required
fresh_spool "$COUNT" 10
echo "$COUNT segments of $SIZE bytes, $PARALLEL at a time, Ceph RGW $S3_VERSION on $(nproc) cores"
for round in 1 2 3 4 5; do
	one_of_round shipper
	one_of_round bare
	one_of_round plain
	[ $round -le 2 ] || continue
	for tool in aws rclone s3cmd; do
		command -v $tool >/dev/null && one_of_round $tool || echo "$tool: not here, or it failed"
	done
done
judge
[ -z "$DRAIN" ] || drain
[ -z "$MISSED" ] || [ -z "$CHECK" ]
