#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# What `sessaudit bucket-policy` prints, given to a real server: the agent can add
# and nothing else, the reader read and nothing else, the owner not delete.
#
# What Ceph RGW 20 cannot judge, so that only AWS does:
#   DenyOverwrite      it does not know s3:if-none-match and finds it absent in every
#                      request: no write at all comes through, so it is left out below
#   DenyOtherWriters   nor aws:PrincipalArn and aws:PrincipalTag: denies nobody
#   DenyOldTls         nor s3:TlsVersion: denies nobody
#   --admin            nor aws:PrincipalArn: DenyDelete and DenyReconfigure would deny
#                      nobody, so the test does without
#   put-bucket-ownership-controls is not there; objects are their writer's

. "$SA_SRC/tests/integration/tap.sh"
. "$SA_SRC/tests/s3/lib.sh"

sessaudit=$SA_BUILD/cli/sessaudit
up=arn:aws:iam:::user/up

command -v jq >/dev/null || {
	echo '1..0 # SKIP jq is not installed'
	exit 77
}
s3_need 20
S3_VIA=$S3_TLS_ENDPOINT

own() { s3_aws s3api "$@" --bucket audit >"$T/out" 2>"$T/err"; }
as_up() { s3_aws_as "$S3_AK2" "$S3_SK2" s3api "$@" --bucket audit >"$T/out" 2>"$T/err"; }
can() { # NAME COMMAND...
	name=$1
	shift
	"$@"
	rc=$?
	ok $rc "can: $name"
	[ $rc = 0 ] || sed 's/^/# /' "$T/err"
}
log=$S3_DIR/log/client.rgw.a.log
settled=0
# The server's log is complete up to here.
settle() {
	settled=$((settled + 1))
	curl -s -m 5 --noproxy '*' -o "$T/settle" "$S3_ENDPOINT/settle$settled"
	wait_for 10 grep -q "GET /settle$settled " "$log"
}
# The server itself says why: its errors have no message that the stock client could show.
cannot() { # NAME COMMAND...
	name=$1
	shift
	if "$@"; then
		ok 1 "cannot: $name"
		return
	fi
	settle
	same "cannot: $name" \
		"$(grep 'beast: .*HTTP/1.1"' "$log" | grep -v 'GET /settle' | tail -n 1 |
			sed 's|.*HTTP/1.1" \([0-9]*\) .*|\1|')" 403
}

cat >"$T/conf" <<EOF
[store]
type = s3
s3_url = s3://audit/hosts
s3_endpoint = $S3_TLS_ENDPOINT
s3_ca_file = $S3_CA
EOF
sed "s|^s3_endpoint.*|s3_endpoint = $S3_ENDPOINT|" "$T/conf" >"$T/conf-http"
with_keys() { # ACCESS-KEY SECRET-KEY COMMAND...
	ak=$1 sk=$2
	shift 2
	env -i PATH="$PATH" HOME="$T" no_proxy='*' AWS_ACCESS_KEY_ID="$ak" AWS_SECRET_ACCESS_KEY="$sk" \
		AWS_EC2_METADATA_DISABLED=true "$@" >"$T/out" 2>&1
}
agent() { # CONF COMMAND...: our own store, with the agent's credentials
	conf=$1
	shift
	with_keys "$S3_AK2" "$S3_SK2" "$SA_BUILD/tests/integration/s3tool" --config "$conf" "$@"
}
agent_gets() { # CODE NAME CONF COMMAND...
	want=$1 name=$2
	shift 2
	agent "$@"
	same "agent: $name" "$(sed -n 's/^rc=\([-0-9]*\).*/\1/p' "$T/out")" "$want"
}

# setup.sh as it is, with the stock client; only what the server lacks is passed over.
mkdir "$T/bin"
cat >"$T/bin/aws" <<EOF
#!/bin/sh
[ "\$2" != put-bucket-ownership-controls ] || exit 0
PATH=\${PATH#*:}
exec aws --endpoint-url $S3_TLS_ENDPOINT "\$@"
EOF
chmod +x "$T/bin/aws"
check 'the documents' "$sessaudit" bucket-policy --bucket s3://audit/hosts --role $up --region us-east-1 \
	--reader arn:aws:iam:::user/auditor --retention 1 --output "$T/p"
run_setup() {
	env -i PATH="$T/bin:$PATH" HOME="$S3_DIR/home" no_proxy='*' AWS_ACCESS_KEY_ID="$S3_AK" \
		AWS_SECRET_ACCESS_KEY="$S3_SK" AWS_CA_BUNDLE="$S3_CA" AWS_PAGER= \
		AWS_EC2_METADATA_DISABLED=true "$T/p/setup.sh"
}
check 'setup.sh: makes the bucket' run_setup
own get-bucket-versioning
same 'setup.sh: versioning' "$(jq -r .Status "$T/out")" Enabled
own get-object-lock-configuration
same 'setup.sh: Object Lock' "$(jq -c .ObjectLockConfiguration.Rule.DefaultRetention "$T/out")" \
	'{"Mode":"COMPLIANCE","Days":1}'
own get-bucket-encryption
same 'setup.sh: encryption' "$(jq -r '.. | .SSEAlgorithm? // empty' "$T/out")" AES256
own get-public-access-block
same 'setup.sh: public access' "$(jq -c '[.PublicAccessBlockConfiguration[]] | unique' "$T/out")" '[true]'
own get-bucket-policy
same 'setup.sh: the policy' "$(jq -cS '.Policy | fromjson' "$T/out")" "$(jq -cS . "$T/p/bucket-policy.json")"
run_setup >"$T/out" 2>&1
[ $? = 1 ] && grep -q 'has a policy' "$T/out"
ok $? 'setup.sh: leaves a bucket alone that has a policy'

# From here on without the statement that the server cannot judge.
echo one >"$T/one"
echo two >"$T/two"
agent "$T/conf" put a/1 "$T/one"
grep -q '403' "$T/out"
ok $? 'this server finds s3:if-none-match absent always (if not, DenyOverwrite belongs into this test)'
apply() { # NAME ARG...: the policy with other options
	"$sessaudit" bucket-policy --bucket s3://audit/hosts --json "$@" >"$T/all" 2>"$T/err" &&
		jq '.bucket_policy | del(.Statement[] | select(.Sid == "DenyOverwrite"))' "$T/all" \
			>"$T/policy.json" && own put-bucket-policy --policy "file://$T/policy.json"
}
apply --role $up --reader arn:aws:iam:::user/auditor
ok $? 'the owner can still change the policy'

agent_gets 0 'puts an object' "$T/conf" put a/1 "$T/one"
agent_gets 0 'puts another' "$T/conf" put a/2 "$T/two"
agent_gets -6 'cannot write over it' "$T/conf" put a/1 "$T/two"
agent "$T/conf" probe somehost
same 'agent: can prove that the store is append-only' "$(cut -d' ' -f1 "$T/out")" proven
agent_gets -7 'cannot read it' "$T/conf" get a/1
agent_gets -7 'cannot list' "$T/conf" list ''
agent "$T/conf-http" put a/3 "$T/one"
grep -q 403 "$T/out"
ok $? 'agent: nothing without TLS'
sed 's|s3://audit/hosts|s3://audit/elsewhere|' "$T/conf" >"$T/conf-else"
agent "$T/conf-else" put a/1 "$T/one"
grep -q 403 "$T/out"
ok $? 'agent: nothing outside the prefix'

own list-object-versions --prefix hosts/a/1
same 'one version of the object' "$(jq '.Versions | length' "$T/out")" 1
version=$(jq -r '.Versions[0].VersionId' "$T/out")
later=$(date -u -d '+100 days' +%Y-%m-%dT%H:%M:%SZ)
for who in as_up own; do
	cannot "$who: delete" $who delete-object --key hosts/a/1
	cannot "$who: delete the version" $who delete-object --key hosts/a/1 --version-id "$version"
	cannot "$who: change the retention" $who put-object-retention --key hosts/a/1 \
		--retention "Mode=GOVERNANCE,RetainUntilDate=$later"
	cannot "$who: legal hold" $who put-object-legal-hold --key hosts/a/1 --legal-hold Status=ON
	cannot "$who: ACL" $who put-object-acl --key hosts/a/1 --acl public-read
	cannot "$who: tags" $who put-object-tagging --key hosts/a/1 --tagging 'TagSet=[{Key=a,Value=b}]'
	cannot "$who: versioning" $who put-bucket-versioning --versioning-configuration Status=Enabled
	cannot "$who: Object Lock" $who put-object-lock-configuration --object-lock-configuration \
		'ObjectLockEnabled=Enabled,Rule={DefaultRetention={Mode=GOVERNANCE,Days=1}}'
	cannot "$who: lifecycle" $who put-bucket-lifecycle-configuration --lifecycle-configuration \
		'{"Rules":[{"ID":"x","Status":"Enabled","Filter":{"Prefix":""},"Expiration":{"Days":1}}]}'
	cannot "$who: public access" $who put-public-access-block --public-access-block-configuration \
		BlockPublicAcls=false,IgnorePublicAcls=false,BlockPublicPolicy=false,RestrictPublicBuckets=false
	cannot "$who: encryption" $who put-bucket-encryption --server-side-encryption-configuration \
		'{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'
	cannot "$who: bucket ACL" $who put-bucket-acl --acl public-read
	cannot "$who: delete the bucket" $who delete-bucket
done
cannot 'agent: read with the stock client' as_up get-object --key hosts/a/1 "$T/got"
cannot 'agent: change the policy' as_up put-bucket-policy --policy "file://$T/policy.json"
cannot 'agent: ask how the bucket is set up' as_up get-bucket-versioning
own list-object-versions --prefix hosts/a
same 'nothing was changed: two versions, no delete marker' \
	"$(jq -c '[(.Versions | length), (.DeleteMarkers // [] | length)]' "$T/out")" '[2,0]'

# The other user as reader.
own put-object --key other/secret --body "$T/one"
apply --role arn:aws:iam:::user/agent --reader $up
ok $? 'the reader'
can 'reader: read' as_up get-object --key hosts/a/2 "$T/got"
same 'reader: what was put' "$(cat "$T/got")" two
can 'reader: read a version' as_up get-object --key hosts/a/1 --version-id "$version" "$T/got"
can 'reader: list' as_up list-objects-v2 --prefix hosts/
can 'reader: list versions' as_up list-object-versions --prefix hosts/
can 'reader: see the retention' as_up get-object-retention --key hosts/a/1
can 'reader: see how the bucket is set up' as_up get-object-lock-configuration
cannot 'reader: list elsewhere' as_up list-objects-v2 --prefix other/
cannot 'reader: read elsewhere' as_up get-object --key other/secret "$T/got"
cannot 'reader: put' as_up put-object --key hosts/a/9 --body "$T/one"
cannot 'reader: delete' as_up delete-object --key hosts/a/1
with_keys "$S3_AK2" "$S3_SK2" "$sessaudit" --config "$T/conf" list
same 'reader: sessaudit list works' "$(cat "$T/out")" 'sessaudit: no such sessions in s3://audit/hosts'
with_keys "$S3_AK2" "$S3_SK2" "$sessaudit" --config "$T/conf" --store s3://audit/hosts doctor
rc=$?
same 'reader: sessaudit doctor finds nothing wrong' $rc 0
# RGW answers the question for ownership controls with a list of keys
same 'reader: and may ask all that the server knows' "$(grep 'not allowed' "$T/out" | grep -vc ownership)" 0

tap_done
