#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
#   tests/s3/server.sh DIR [ROOT]
#
# A real S3 server for tests: Ceph RGW on one node (mon, memory-backed osd, radosgw),
# on loopback only, all state below DIR, which must not exist. ROOT is what mkroot.sh
# made; without it the installed packages are used. Runs until TERM, then ends what it
# started and removes DIR; its daemons end with it however it ends. DIR/env appears
# when it answers, shell assignments of all that a client needs. While DIR/down exists
# radosgw does not run: the server is away and keeps its objects.
#
#   S3_BYTES   capacity of the store in memory (2 GiB)
#
# Ready in 2-6 s, with no manager daemon. radosgw may only start when the osd's log
# says "booting -> active": its first write would wait for 5 s otherwise.
set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
D=$1 ROOT=${2:-}
AK=TESTACCESSKEY0000001 SK=testsecretkeytestsecretkeytestsecretkey1
AK2=TESTACCESSKEY0000002 SK2=testsecretkeytestsecretkeytestsecretkey2
unset CEPH_CONF CEPH_ARGS CEPH_KEYRING
declare -A PID=()

fail() {
	echo "server.sh: $*" >&2
	for log in "$D"/log/*; do
		echo "== $log"
		tail -n 8 "$log"
	done >&2
	exit 1
}

# Daemons are children that nobody else reaps: their pids are theirs until then.
stop() { # DAEMON
	[ -n "${PID[$1]:-}" ] || return 0
	kill -KILL "${PID[$1]}" 2>/dev/null # the state is thrown away
	wait "${PID[$1]}" 2>/dev/null
	unset "PID[$1]"
}

stop_all() {
	local name
	for name in rgw osd vault mon; do
		stop $name
	done
	rm -rf "$D"
}

alive() { kill -0 "${PID[$1]}" 2>/dev/null; }

start() { # DAEMON COMMAND...
	local name=$1
	shift
	setpriv --pdeathsig KILL "$@" >>"$D/log/$name.out" 2>&1 </dev/null &
	PID[$name]=$!
}

# --- programs, of ROOT or of the host ---

LIB=
under_root() { # PROGRAM: fills RUN with the way to run it
	local loader
	RUN=("$1")
	[ -n "$ROOT" ] || return 0
	loader=$(echo "$ROOT"/lib64/ld-linux-*.so.* "$ROOT"/lib/ld-linux-*.so.*)
	for loader in $loader; do
		[ ! -e "$loader" ] || break
	done
	RUN=("$loader" --library-path "$LIB:$LIB/ceph" "$ROOT/usr/bin/$1")
}

run() { # PROGRAM ARG...
	under_root "$1"
	shift
	timeout 60 "${RUN[@]}" "$@"
}

# --- ports, certificates, configuration ---

free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the ports that the kernel gives out itself. mon takes two in a row.
choose_ports() {
	local port
	PORTS=()
	for port in $(shuf -n 30 -i 10000-31000); do
		free "$port" && free $((port + 1)) && PORTS+=("$port")
		[ ${#PORTS[@]} -lt 4 ] || return 0
	done
	fail "no free ports"
}

make_certificates() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 3 -subj "/CN=sessaudit test CA" \
		-addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign \
		-keyout "$D/ca.key" -out "$D/ca.pem" &&
		openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout "$D/tls.key" \
			-out "$D/tls.csr" &&
		openssl x509 -req -in "$D/tls.csr" -CA "$D/ca.pem" -CAkey "$D/ca.key" -days 3 \
			-set_serial 2 -out "$D/tls.pem" -extfile <(
				echo "subjectAltName=DNS:localhost,DNS:vhost.localhost,IP:127.0.0.1,IP:::1"
				echo "extendedKeyUsage=serverAuth"
			)
}

# Version 16 has no key service for SSE-S3; it encrypts all or nothing, with one key.
encryption() { # VAULT-PORT
	if [ "$VERSION" -lt 17 ]; then
		echo "rgw crypt default encryption key = $(head -c 32 /dev/urandom | base64)"
		return
	fi
	cat <<-END
		rgw crypt sse s3 backend = vault
		rgw crypt sse s3 vault auth = agent
		rgw crypt sse s3 vault addr = http://127.0.0.1:$1
		rgw crypt sse s3 vault secret engine = transit
		rgw crypt sse s3 vault prefix = /v1/transit
	END
}

frontends() { # HTTP-PORT TLS-PORT
	# Nagle at the server and delayed acknowledgements at the client make 40 ms of each small answer.
	local address all="beast tcp_nodelay=1"
	for address in 127.0.0.1 '[::1]'; do
		[ "$address" = 127.0.0.1 ] || grep -qs '^0*1 .* lo$' /proc/net/if_inet6 || continue
		all+=" endpoint=$address:$1 ssl_endpoint=$address:$2"
	done
	echo "$all ssl_certificate=$D/tls.pem ssl_private_key=$D/tls.key"
}

configure() { # HTTP-PORT TLS-PORT MON-PORT VAULT-PORT
	FSID=$(cat /proc/sys/kernel/random/uuid)
	MON="[v2:127.0.0.1:$3,v1:127.0.0.1:$(($3 + 1))]"
	cat >"$D/ceph.conf" <<-END
		[global]
		fsid = $FSID
		mon host = $MON
		mon initial members = a
		public addr = 127.0.0.1
		cluster addr = 127.0.0.1
		ms bind ipv4 = true
		ms bind ipv6 = false
		auth cluster required = cephx
		auth service required = cephx
		auth client required = cephx
		keyring = $D/keyring
		run dir = $D
		crash dir = $D
		pid file =
		admin socket =
		log file = $D/log/\$name.log
		mon cluster log file = $D/log/cluster.log
		osd pool default size = 1
		osd pool default min size = 1
		osd pool default pg num = 1
		osd pool default pgp num = 1
		osd pool default pg autoscale mode = off
		osd crush chooseleaf type = 0
		mon allow pool size one = true
		mon max pg per osd = 10000
		mon data avail crit = 1
		mon data avail warn = 2
		paxos propose interval = 0.02
		paxos min wait = 0.01
		${ROOT:+plugin dir = $LIB/ceph}
		${ROOT:+erasure code dir = $LIB/ceph/erasure-code}
		${ROOT:+osd class dir = $LIB/rados-classes}
		[mon.a]
		mon data = $D/mon
		[osd.0]
		osd data = $D/osd
		osd objectstore = memstore
		memstore device bytes = ${S3_BYTES:-2147483648}
		osd class load list = *
		osd class default list = *
		[client.rgw.a]
		rgw data = $D/rgw
		rgw dns name = localhost
		rgw frontends = $(frontends "$1" "$2")
		rgw enable apis = s3
		rgw run sync thread = false
		rgw dynamic resharding = false
		rgw crypt require ssl = false
		$(encryption "$4")
	END
}

# --- daemons ---

make_keyring() {
	local key entity
	key=$(run ceph-authtool --gen-print-key)
	for entity in mon. client.admin osd.0 client.rgw.a; do
		printf '[%s]\n\tkey = %s\n' "$entity" "$key"
		printf '\tcaps %s = "allow *"\n' mon osd mgr
	done >"$D/keyring"
}

ceph() { # PROGRAM ARG...: with our configuration
	local program=$1
	shift
	run "$program" -c "$D/ceph.conf" "$@"
}

start_ceph() { # DAEMON PROGRAM ARG...
	local name=$1
	under_root "$2"
	shift 2
	start "$name" "${RUN[@]}" -c "$D/ceph.conf" "$@" -f
}

osd_active() { grep -qs 'state: booting -> active' "$D/log/osd.0.log"; }
answers() { curl -sf --noproxy '*' -o "$D/log/curl.out" -m 1 "http://127.0.0.1:${PORTS[0]}/"; }

await() { # SECONDS DAEMON COMMAND
	local tries=$(($1 * 20))
	until $3; do
		alive "$2" || fail "$2 died"
		[ $((tries -= 1)) -gt 0 ] || fail "$2 is not up after $1 s"
		sleep 0.05
	done
}

start_cluster() {
	make_keyring
	run monmaptool --create --addv a "$MON" --fsid "$FSID" "$D/monmap" >"$D/log/monmap" 2>&1 &&
		ceph ceph-mon -i a --mkfs --monmap "$D/monmap" --keyring "$D/keyring" \
			>"$D/log/mon-mkfs" 2>&1 || fail "cannot make the monitor's data"
	start_ceph mon ceph-mon -i a
	[ "$VERSION" -lt 17 ] || start vault python3 "$HERE/fakevault.py" "${PORTS[3]}"
	ceph ceph-osd -i 0 --mkfs --osd-uuid "$(cat /proc/sys/kernel/random/uuid)" \
		>"$D/log/osd-mkfs" 2>&1 || fail "cannot make the osd's data"
	start_ceph osd ceph-osd -i 0
	await 60 osd osd_active
}

start_rgw() {
	start_ceph rgw radosgw -n client.rgw.a
	await 60 rgw answers
}

add_user() { # NAME ACCESS-KEY SECRET-KEY
	ceph radosgw-admin -n client.rgw.a user create --uid="$1" --display-name="$1" \
		--access-key="$2" --secret-key="$3" >"$D/log/user-$1" 2>&1 ||
		fail "cannot make user $1"
}

tell() {
	cat >"$D/.env" <<-END
		S3_VERSION=$VERSION
		S3_PORT=${PORTS[0]} S3_ENDPOINT=http://127.0.0.1:${PORTS[0]}
		S3_TLS_PORT=${PORTS[1]} S3_TLS_ENDPOINT=https://localhost:${PORTS[1]} S3_CA=$D/ca.pem
		S3_AK=$AK S3_SK=$SK
		S3_AK2=$AK2 S3_SK2=$SK2
	END
	mv "$D/.env" "$D/env"
}

# Until the end. Obeys DIR/down.
mind() {
	while :; do
		if [ -e "$D/down" ]; then
			stop rgw
		elif [ -z "${PID[rgw]:-}" ]; then
			start_rgw
		fi
		sleep 0.1
	done
}

umask 022
mkdir -p "$(dirname "$D")" && mkdir "$D" || exit 1
trap stop_all EXIT
trap 'exit 0' TERM INT HUP
mkdir "$D"/{mon,osd,rgw,log}
[ -z "$ROOT" ] || LIB=$(echo "$ROOT"/usr/lib/*-linux-gnu*)
VERSION=$(run radosgw --version | sed -nE 's/^ceph version ([0-9]+).*/\1/p')
[ -n "$VERSION" ] || fail "radosgw does not run"
choose_ports
make_certificates >"$D/log/certificates" 2>&1 || fail "cannot make certificates"
configure "${PORTS[@]}"
start_cluster
start_rgw
add_user owner $AK $SK
add_user up $AK2 $SK2
tell
mind
