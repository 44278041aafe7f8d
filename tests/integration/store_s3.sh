#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# shellcheck disable=SC1091,SC2016,SC2086
# The S3 store against a real S3 server (Ceph RGW 20, then 16), checked with the stock client.
# What a server cannot be made to do is in tests/unit/test_store_s3.c.
. "$SA_SRC/tests/integration/tap.sh"
. "$SA_SRC/tests/s3/lib.sh"

tool=$SA_BUILD/tests/integration/s3tool
AK='' SK='' # of the tool; the owner's

settings() { # BUCKET/PREFIX [LINE...]: prints the name of a settings file
	n=$(($(cat "$T/n" 2>/dev/null || echo 0) + 1))
	echo $n >"$T/n"
	url=$1
	shift
	{
		printf '[store]\ntype = s3\ns3_url = s3://%s\ns3_endpoint = %s\n' "$url" "$S3_ENDPOINT"
		printf 'stall_timeout = 5s\n'
		[ $# = 0 ] || printf '%s\n' "$@"
	} >"$T/conf$n"
	echo "$T/conf$n"
}

# What it prints and logs is kept: at the end no secret may be in it.
s3tool() { # CONF ARG...
	file=$1
	shift
	env AWS_ACCESS_KEY_ID="${AK:-$S3_AK}" AWS_SECRET_ACCESS_KEY="${SK:-$S3_SK}" \
		AWS_EC2_METADATA_DISABLED=true HOME="$T" "$tool" --config "$file" "$@" 2>"$T/err"
	rc=$?
	cat "$T/err" >>"$T/all"
	return $rc
}

said() { # NAME WANT CONF ARG...: the line it prints begins so
	name=$1 want=$2
	shift 2
	s3tool "$@" >"$T/out"
	cat "$T/out" >>"$T/all"
	case $(head -n 1 "$T/out") in
	"$want"*) ok 0 "$name" ;;
	*) same "$name" "$(head -n 1 "$T/out")" "$want..." ;;
	esac
}

as() { # ACCESS-KEY SECRET-KEY COMMAND...
	AK=$1 SK=$2
	shift 2
	"$@"
	AK='' SK=''
}
as_up() { as "$S3_AK2" "$S3_SK2" "$@"; }

head_of() { # BUCKET KEY FIELD
	s3_aws s3api head-object --bucket "$1" --key "$2" --query "$3" --output text 2>&1
}

bytes_of() { # BUCKET KEY: as the stock client reads them
	s3_aws s3 cp "s3://$1/$2" - 2>/dev/null
}

signatures() {
	conf=$(settings plain)
	said "a right request is taken" "200 " "$conf" raw PUT right "$T/one"
	wrong=testsecretkeytestsecretkeytestsecretkeyX
	as "$S3_AK" $wrong said "a wrong secret is refused" "403 SignatureDoesNotMatch" \
		"$conf" raw PUT no "$T/one"
	as "$S3_AK" $wrong said "and reported" "rc=-7 lost=0" "$conf" put no "$T/one"
	check "with what to do" grep -q "SignatureDoesNotMatch for PUT: check the credentials (from: environment)" "$T/out"
	as UNKNOWNACCESSKEY0001 $wrong said "an unknown access key is refused" \
		"403 InvalidAccessKeyId" "$conf" raw PUT no "$T/one"
	said "a clock an hour behind is refused" "403 RequestTimeTooSkewed" \
		"$conf" --clock -3600 raw PUT no "$T/one"
	said "and repaired" "rc=0 lost=0" "$conf" --clock -3600 put skew1 "$T/one"
	check "and logged" grep -q "event=clock_off .* seconds=3[56]" "$T/err"
	said "a day ahead as well" "rc=0 lost=0" "$conf" --clock 86400 put skew2 "$T/one"
	said "14 minutes are within the bounds" "200 " "$conf" --clock 840 raw PUT skew3 "$T/one"
	for change in Content-Type=text/html If-None-Match=x x-amz-checksum-sha256=x \
		x-amz-content-sha256=$(printf %064d 0) x-amz-security-token=x; do
		said "a changed ${change%%=*} is refused" "403 " "$conf" raw PUT no "$T/one" "$change"
	done
	said "a header that was put in is refused" "403 " "$conf" raw PUT no "$T/one" x-amz-acl=public-read
	said "a GET as well" "403 " "$conf" raw GET right - x-amz-date=20200101T000000Z
	said "another payload hash is refused" "400 XAmzContentSHA256Mismatch" \
		"$conf" raw PUT no "$T/one" "payload=$(printf %064d 0)"
	said "nothing of this was stored" "rc=-5" "$conf" get no
}

endpoints() {
	said "the bucket in the host name" "rc=0" \
		"$(settings plain s3_path_style=no "s3_endpoint=http://localhost:$S3_PORT")" put virtual "$T/one"
	same "is the same bucket" "$(bytes_of plain virtual)" "$(cat "$T/one")"
	said "an IPv6 address" "rc=0" \
		"$(settings plain "s3_endpoint=http://[::1]:$S3_PORT")" put ipv6 "$T/one"
	same "is the same bucket" "$(bytes_of plain ipv6)" "$(cat "$T/one")"
	said "a region of its own" "rc=0" "$(settings plain s3_region=somewhere-1)" put region "$T/one"
}

tls() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$T/key" \
		-out "$T/other.pem" 2>"$T/openssl.log"
	said "TLS with its CA" "rc=0" \
		"$(settings plain "s3_endpoint=$S3_TLS_ENDPOINT" "s3_ca_file=$S3_CA")" put tls "$T/one"
	same "stores" "$(bytes_of plain tls)" "$(cat "$T/one")"
	said "TLS with another CA is refused" "rc=-7 lost=0" \
		"$(settings plain "s3_endpoint=$S3_TLS_ENDPOINT" "s3_ca_file=$T/other.pem")" put tls2 "$T/one"
	said "with the system's too" "rc=-7 lost=0" \
		"$(settings plain "s3_endpoint=$S3_TLS_ENDPOINT")" put tls2 "$T/one"
	said "and for another name" "rc=-7 lost=0" \
		"$(settings plain "s3_endpoint=https://other.localhost:$S3_TLS_PORT" \
			"s3_ca_file=$S3_CA")" put tls2 "$T/one"
	said "nothing of this was stored" "rc=-5" "$(settings plain)" get tls2
}

checksums() {
	conf=$(settings plain)
	said "a wrong checksum is refused" "400 BadDigest" "$conf" raw PUT no "$T/one" \
		"+x-amz-checksum-sha256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCA="
	said "a wrong MD5 is refused" "400 BadDigest" "$conf" raw PUT no "$T/one" \
		"+Content-MD5=XUFAKrxLKna5cZ2REBfFkg=="
	said "the right ones are taken" "rc=0" "$(settings plain s3_content_md5=yes)" put md5 "$T/one"
	said "a checksum is kept" "200 " "$conf" ask HEAD "" md5
}

put_once() { # BUCKET
	conf=$(settings "$1/once")
	said "$1: put" "rc=0 lost=0 assumed=0" "$conf" put a/k "$T/one"
	same "$1: under the prefix" "$(bytes_of "$1" once/a/k)" "$(cat "$T/one")"
	said "$1: the same bytes again" "rc=0 lost=0 assumed=0" "$conf" put a/k "$T/one"
	said "$1: other bytes" "rc=-6 lost=0" "$conf" put a/k "$T/two"
	said "$1: other bytes, as a repeated attempt" "rc=-6 lost=0" "$conf" again a/k "$T/two"
	same "$1: it is as it was" "$(bytes_of "$1" once/a/k)" "$(cat "$T/one")"
	said "$1: append-only" "proven rc=0" "$conf" probe web1
	said "$1: append-only, next day" "proven rc=0" "$conf" probe web1
}

one_version() { # BUCKET KEY
	same "$2: one version" "$(s3_aws s3api list-object-versions --bucket "$1" --prefix "$2" \
		--query 'length(Versions)' --output text)" 1
}

retention() {
	said "put into a lock bucket" "rc=0" "$(settings lock)" put kept "$T/one"
	check "its version is told" grep -q "version=[A-Za-z0-9_.-]\{8,\} " "$T/out"
	version=$(sed -E 's/.*version=([^ ]*) .*/\1/' "$T/out")
	same "the bucket's retention is on it" "$(head_of lock kept ObjectLockMode)" COMPLIANCE
	same "it is that version" "$(head_of lock kept VersionId)" "$version"
	s3_aws s3api delete-object --bucket lock --key kept --version-id "$version" >"$T/deleted" 2>&1
	ok $((!$?)) "nobody deletes the version"
	same "it is there" "$(bytes_of lock kept)" "$(cat "$T/one")"
	said "a retention of our own" "rc=0" \
		"$(settings lock s3_lock_mode=GOVERNANCE s3_lock_for=3d s3_legal_hold=yes)" put own "$T/one"
	same "is on it" "$(head_of lock own ObjectLockMode)" GOVERNANCE
	same "and the legal hold" "$(head_of lock own ObjectLockLegalHoldStatus)" ON
	until=$(date -d "$(head_of lock own ObjectLockRetainUntilDate)" +%s)
	left=$((until - $(date +%s) - 3 * 86400))
	ok $((left < -120 || left > 120)) "three days from now ($left s)"
	said "a lock that the bucket does not know: the admin's to mend" "rc=-7 lost=0" \
		"$(settings plain s3_lock_mode=GOVERNANCE)" put no "$T/one"
}

upload_only() {
	conf=$(settings lock/up)
	as_up said "a user who may only put: put" "rc=0 lost=0 assumed=0" "$conf" put k "$T/one"
	as_up said "a first attempt on a taken key" "rc=-6 lost=0" "$conf" put k "$T/one"
	as_up said "a repeated attempt is believed" "rc=0 lost=0 assumed=1" "$conf" again k "$T/one"
	as_up said "may not read" "rc=-7 " "$conf" get k
	as_up said "may not list" "rc=-7 " "$conf" list ""
	check "what to allow is said" grep -q "AccessDenied for GET: allow s3:ListBucket on arn:aws:s3:::lock$" "$T/out"
	as_up said "the probe needs no more" "proven rc=0" "$conf" probe web2
	one_version lock up/k
	as_up said "not into another bucket" "rc=-7 lost=0" "$(settings plain)" put k "$T/one"
	check "what to allow is said" grep -q "allow s3:PutObject on arn:aws:s3:::plain/\*" "$T/out"
	as_up said "a repeated attempt stays one" "rc=-7 lost=1" "$(settings plain)" again k "$T/one"
}

options() {
	conf=$(settings plain/opt s3_encryption=AES256 s3_tags='kind=audit&a%20b=c%26d' s3_owner=owner \
		s3_storage_class=STANDARD)
	said "encryption, tags, owner" "rc=0" "$conf" put e.jsonl.gz "$T/one"
	same "encrypted" "$(head_of plain opt/e.jsonl.gz ServerSideEncryption)" AES256
	same "readable" "$(bytes_of plain opt/e.jsonl.gz)" "$(cat "$T/one")"
	said "the same again" "rc=0 lost=0 assumed=0" "$conf" put e.jsonl.gz "$T/one"
	said "other bytes" "rc=-6" "$conf" put e.jsonl.gz "$T/two"
	same "tags" "$(s3_aws s3api get-object-tagging --bucket plain --key opt/e.jsonl.gz \
		--query 'sort(TagSet[].join(`=`, [Key, Value]))' --output text)" "a b=c&d	kind=audit"
	same "type" "$(head_of plain opt/e.jsonl.gz ContentType)" application/gzip
	said "another owner is refused" "rc=-7" "$(settings plain s3_owner=somebody)" put no "$T/one"
	check "and why is said" grep -q "the bucket must belong to account somebody" "$T/out"
	said "for reading as well" "rc=-7" "$(settings plain s3_owner=somebody)" get right
}

# Each key holds its own name.
keys() {
	conf=$(settings plain/chr)
	printf '%s\n' 'a b' 'a+b' 'a%2Fb' 'a%b' 'a&b=c' 'a?b#c' "a'b\"c" 'a\b' 'a~b' 'a*b' 'a:b;c' \
		'a@b!c$d' 'a,b(c)' '[a]{b}|c^`' '<a>' 'ä€😀' 'session=0001/000000.jsonl.gz' 'a..b' \
		'request=R%2F1/x' '-a' '_a' '=a' ' a ' >"$T/keys"
	bad=0
	while IFS= read -r key; do
		printf '%s' "$key" >"$T/key"
		s3tool "$conf" put "$key" "$T/key" >"$T/out" || bad=$((bad + 1))
		s3tool "$conf" get "$key" >"$T/back" && cmp -s "$T/key" "$T/back" || bad=$((bad + 1))
	done <"$T/keys"
	same "keys of any character go there and back" $bad 0
	s3tool "$conf" list "" | sed '/^rc=/d; s/^[0-9]* //' >"$T/listed"
	same "and are listed in byte order" "$(cat "$T/listed")" "$(LC_ALL=C sort "$T/keys")"
	s3_aws s3api list-objects-v2 --bucket plain --prefix chr/ --query 'Contents[].[Key]' \
		--output text | sed 's|^chr/||' | LC_ALL=C sort >"$T/theirs"
	same "the stock client sees the same" "$(cat "$T/theirs")" "$(LC_ALL=C sort "$T/keys")"
	s3tool "$conf" list "a" | sed '/^rc=/d; s/^[0-9]* //' >"$T/listed"
	same "a prefix" "$(cat "$T/listed")" "$(LC_ALL=C sort "$T/keys" | grep ^a)"
}

many() {
	conf=$(settings plain/many)
	said "2345 objects" "stored=2345 failed=0" "$conf" fill s/ 2345 "$T/one"
	s3tool "$conf" list "" >"$T/listed"
	same "are listed over three pages" "$(sed '$d' "$T/listed")" \
		"$(seq -f "$(wc -c <"$T/one") s/%06.0f" 0 2344)"
	same "and it ends well" "$(tail -n 1 "$T/listed")" rc=0
	s3tool "$conf" list "s/0019" >"$T/listed"
	same "a prefix" "$(grep -c ' s/0019[0-9][0-9]$' "$T/listed")" 100
	head -c 25000000 /dev/urandom >"$T/big"
	said "25 MB" "rc=0" "$conf" put big "$T/big"
	s3tool "$conf" get big >"$T/back"
	check "come back" cmp "$T/big" "$T/back"
	s3_aws s3api put-object --bucket plain --key many/folder/ >"$T/out"
	said "an object that is no key of ours is passed over" "rc=0" "$conf" list folder
	check "and logged" grep -q "event=odd_keys .*passed_over=1" "$T/err"
}

asking() {
	conf=$(settings lock)
	said "ask: the bucket" "200 " "$conf" ask HEAD ""
	said "ask: versioning" "200 " "$conf" ask GET versioning
	check "ask: is on" grep -q "<Status>Enabled</Status>" "$T/out"
	said "ask: object lock" "200 " "$conf" ask GET object-lock
	check "ask: retention" grep -q "<Mode>COMPLIANCE</Mode>" "$T/out"
	said "ask: no such policy" "404 NoSuchBucketPolicy" "$(settings plain)" ask GET policy
	said "ask: no such object" "404 " "$conf" ask HEAD "" nothing
	said "no such object" "rc=-5" "$conf" get nothing
	said "no such bucket" "rc=-7 lost=0" "$(settings nosuchbucket)" put k "$T/one"
	check "says so" grep -q "404 NoSuchBucket for PUT: there is no such bucket" "$T/out"
}

away() {
	conf=$(settings plain/away)
	s3_down
	said "the server is gone: put" "rc=-8 lost=0" "$conf" put k "$T/one"
	said "the server is gone: list" "rc=-8" "$conf" list ""
	said "the server is gone: probe" "unknown rc=-8" "$conf" probe web3
	s3_up
	said "it is back" "rc=0" "$conf" put k "$T/one"
}

# Between us and the server; the shipper over the same proxy: tests/e2e/s3_faults.sh.
faults() {
	conf=$(settings plain/fault "s3_endpoint=$S3_PROXY")
	up=$(settings lock/up/fault "s3_endpoint=$S3_PROXY")
	s3_faults 'drop-answer method=PUT first=1'
	said "the answer is lost" "rc=-8 lost=1" "$conf" put k "$T/one"
	said "the next attempt finds it stored" "rc=0 lost=0 assumed=0" "$conf" again k "$T/one"
	s3_faults 'drop-answer method=PUT first=1'
	as_up said "lost by one who may only put" "rc=-8 lost=1" "$up" put k "$T/one"
	as_up said "the next attempt believes it" "rc=0 lost=0 assumed=1" "$up" again k "$T/one"
	one_version lock up/fault/k
	s3_faults 'reset-after method=PUT first=1'
	said "reset after the body" "rc=-8 lost=1" "$conf" put k2 "$T/one"
	said "the next attempt stores it" "rc=0 lost=0 assumed=0" "$conf" again k2 "$T/one"
	s3_faults refuse
	said "refused" "rc=-8 lost=0" "$conf" put k3 "$T/one"
	s3_faults 'garbage status=200'
	said "a portal's 200" "rc=-8 lost=1" "$conf" put k3 "$T/one"
	said "is no list" "rc=-3" "$conf" list ""
	s3_faults 'answer status=503 code=SlowDown first=2'
	said "reading asks a busy store again" "one" "$conf" get k
	same "and has the bytes" "$(cat "$T/out")" "$(cat "$T/one")"
	s3_faults 'answer status=403 code=RequestTimeTooSkewed date=-7200 first=1'
	said "a wrong Date is not followed for ever" "rc=-7" "$conf" put k3 "$T/one"
	s3_faults 'truncate bytes=100 method=GET'
	said "a cut answer" "rc=-8" "$conf" list ""
	s3_faults
	said "all is well again" "rc=0 lost=0 assumed=0" "$conf" put k3 "$T/one"
}

old() {
	said "RGW 16: put" "rc=0 lost=0 assumed=0" "$(settings plain)" put k "$T/one"
	said "RGW 16: the same, by its MD5" "rc=0 lost=0 assumed=0" "$(settings plain)" put k "$T/one"
	said "RGW 16: other bytes" "rc=-6" "$(settings plain)" put k "$T/two"
	as "$S3_AK" wrong said "RGW 16: a wrong secret" "rc=-7" "$(settings plain)" put k2 "$T/one"
	said "RGW 16: a skewed clock" "rc=0" "$(settings plain)" --clock 7200 put k3 "$T/one"
	said "RGW 16: MD5" "rc=0" "$(settings plain s3_content_md5=yes)" put k4 "$T/one"
	said "RGW 16: a wrong MD5" "400 BadDigest" "$(settings plain)" raw PUT no "$T/one" \
		"+Content-MD5=XUFAKrxLKna5cZ2REBfFkg=="
	said "RGW 16: plain bucket" "proven rc=0" "$(settings plain)" probe web1
	said "RGW 16: versioned bucket" "unproven rc=0" "$(settings lock)" probe web1
	said "RGW 16: put into it" "rc=0" "$(settings lock)" put k "$T/one"
	same "RGW 16: retention" "$(head_of lock k ObjectLockMode)" COMPLIANCE
	conf=$(settings lock/up)
	as_up said "RGW 16: a user who may only put" "rc=0" "$conf" put k "$T/one"
	as_up said "RGW 16: may not read" "rc=-7" "$conf" get k
	said "RGW 16: 1500 objects" "stored=1500 failed=0" "$(settings plain/m)" fill s 1500 "$T/one"
	s3tool "$(settings plain/m)" list "" >"$T/listed"
	same "RGW 16: are listed" "$(grep -c ' s00[01][0-9]*$' "$T/listed")" 1500
}

buckets() {
	check "buckets" s3_aws s3api create-bucket --bucket plain
	check "with Object Lock" s3_bucket lock
}

s3_need 20
echo one >"$T/one"
echo two >"$T/two"
buckets
signatures
endpoints
tls
checksums
put_once plain
put_once lock
one_version lock once/a/k
retention
upload_only
options
keys
many
asking
s3_proxy_start
faults
away
s3_stop
if s3_start 16; then
	buckets
	old
elif [ $? = 77 ]; then
	skip "an older server" "$S3_REASON"
else
	ok 1 "an older server"
fi
for secret in "$S3_SK" "$S3_SK2" AWS4-HMAC; do
	check "no secret was printed or logged" sh -c '! grep -qF -- "$1" "$2"' sh "$secret" "$T/all"
done
tap_done
