#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# sessaudit bucket-policy: what it prints, and what it does not take. A real store
# judges the policy in bucket_policy_s3.sh.

. "$SA_SRC/tests/integration/tap.sh"
sessaudit=$SA_BUILD/cli/sessaudit

command -v jq >/dev/null || {
	echo '1..0 # SKIP jq is not installed'
	exit 0
}

account=123456789012
role=arn:aws:iam::$account:role/path/agent
make() { # ARG...: all documents as JSON in $T/out
	"$sessaudit" bucket-policy --json "$@" >"$T/out" 2>"$T/err"
}
is() { # NAME JQ-CONDITION
	jq -e "$2" "$T/out" >/dev/null 2>"$T/jq"
	ok $? "$1"
}
refused() { # NAME WORD ARG...
	name=$1 word=$2
	shift 2
	"$sessaudit" bucket-policy "$@" >"$T/out" 2>"$T/err"
	rc=$?
	[ $rc = 2 ] && [ ! -s "$T/out" ] && grep -qF -- "$word" "$T/err"
	ok $? "refused: $name"
	[ $rc = 2 ] || echo "# exit status $rc"
}

# The least.
make --bucket audit-bucket --role $role
ok $? 'a bucket and a role'
is 'agent: puts, nothing else' \
	'[.agent_role.Statement[] | .Effect, .Action, .Resource] ==
	["Allow", "s3:PutObject", "arn:aws:s3:::audit-bucket/*"]'
is 'policy: version' '.bucket_policy.Version == "2012-10-17"'
is 'policy: statements' '[.bucket_policy.Statement[].Sid] == ["DenyPlainHttp",
	"DenyUnknownTransport", "DenyOldTls",
	"DenyOverwrite", "DenyDelete", "DenyReconfigure", "DenyOtherWriters", "DenyAgentReading",
	"AgentWrites"]'
is 'policy: no statement allows more than putting' \
	'[.bucket_policy.Statement[] | select(.Effect == "Allow") | .Action] == ["s3:PutObject"]'
is 'policy: plain HTTP' '.bucket_policy.Statement[0] | .Principal == "*" and .Action == "s3:*" and
	.Resource == ["arn:aws:s3:::audit-bucket", "arn:aws:s3:::audit-bucket/*"] and
	.Condition == {"Bool": {"aws:SecureTransport": "false"}}'
is 'policy: overwriting' '.bucket_policy.Statement[3].Condition ==
	{"Null": {"s3:if-none-match": "true"}}'
is 'policy: without --admin nobody is excepted, and the policy can be repaired' \
	'[.bucket_policy.Statement[4, 5] | has("Condition")] == [false, false] and
	(.bucket_policy.Statement[5].Action | index("s3:PutBucketPolicy") == null)'
is 'policy: only the role writes' '.bucket_policy.Statement[6].Condition ==
	{"ArnNotEquals": {"aws:PrincipalArn": "'$role'"}}'
is 'setup: what it must do' '.setup | contains("--object-lock-enabled-for-bucket") and
	contains("Status=Enabled") and contains("Mode=COMPLIANCE,Days=365") and contains("AES256") and
	contains("BlockPublicPolicy=true") and contains("BucketOwnerEnforced") and
	contains("AbortIncompleteMultipartUpload") and contains("put-bucket-policy")'
is 'setup: nothing expires but unfinished uploads' '.setup | contains("Expiration\"") | not'
# shellcheck disable=SC2016
is 'setup: asks for a region that it does not know' '.setup | contains("${AWS_REGION:?")'

# All of it.
all() {
	"$sessaudit" bucket-policy --bucket s3://audit-bucket/a/b/ --role $role \
		--reader arn:aws:iam::$account:role/auditor --admin arn:aws:iam::$account:role/adm \
		--kms-key arn:aws:kms:eu-central-1:$account:key/11112222-3333 --account $account \
		--org o-a1b2c3d4e5 --retention 2555 --mode GOVERNANCE \
		--request-tag apono-connector-s3-access=true --request-tag 'team=night shift' "$@"
}
all --json >"$T/out" 2>"$T/err"
ok $? 'every option'
is 'prefix: in all resources of objects' '[.. | strings | select(startswith("arn:aws:s3:::")) |
	select(contains("/")) | select(startswith("arn:aws:s3:::audit-bucket/a/b/") | not)] | unique ==
	["arn:aws:s3:::audit-bucket/*"]'
is 'agent: only in this account' '.agent_role.Statement[0].Condition ==
	{"StringEquals": {"aws:ResourceAccount": "'$account'"}}'
is 'agent: the key, through S3 and for this bucket only' '.agent_role.Statement[1] |
	.Action == ["kms:GenerateDataKey", "kms:Decrypt"] and
	.Resource == "arn:aws:kms:eu-central-1:'$account':key/11112222-3333" and
	.Condition.StringLike["kms:ViaService"] == "s3.eu-central-1.amazonaws.*" and
	.Condition.StringLike["kms:EncryptionContext:aws:s3:arn"] ==
	["arn:aws:s3:::audit-bucket", "arn:aws:s3:::audit-bucket/a/b/*"]'
is 'policy: statements' '[.bucket_policy.Statement[].Sid] == ["DenyPlainHttp",
	"DenyUnknownTransport", "DenyOldTls",
	"DenyOtherOrganisations", "DenyOverwrite", "DenyDelete", "DenyReconfigure",
	"DenyOtherWriters", "DenyOtherWriters2", "DenyAgentReading", "DenyTaggedReading",
	"AgentWrites", "TaggedAgentsWrite", "ReadTranscripts", "ListTranscripts", "CheckTheBucket"]'
is 'policy: the admin is excepted where it must be' \
	'[.bucket_policy.Statement[] | select(.Condition.ArnNotEquals["aws:PrincipalArn"] ==
	"arn:aws:iam::'$account':role/adm") | .Sid] == ["DenyDelete", "DenyReconfigure"] and
	(.bucket_policy.Statement[6].Action | index("s3:PutBucketPolicy") != null)'
is 'policy: organisation' '.bucket_policy.Statement[3].Condition ==
	{"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
	"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}'
is 'policy: who lacks one of the tags and the role cannot write' \
	'[.bucket_policy.Statement[7, 8].Condition] == [
	{"ArnNotEquals": {"aws:PrincipalArn": "'$role'"},
	"StringNotEquals": {"aws:PrincipalTag/apono-connector-s3-access": "true"}},
	{"ArnNotEquals": {"aws:PrincipalArn": "'$role'"},
	"StringNotEquals": {"aws:PrincipalTag/team": "night shift"}}]'
is 'policy: all tags, of the account and organisation' '.bucket_policy.Statement[12] |
	.Principal == {"AWS": "arn:aws:iam::'$account':root"} and .Condition == {"StringEquals":
	{"aws:PrincipalTag/apono-connector-s3-access": "true", "aws:PrincipalTag/team": "night shift",
	"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}'
is 'reader: reads and lists below the prefix, changes nothing' '.reader_role |
	([.Statement[].Action[]] | all(startswith("s3:Get") or startswith("s3:List") or
	. == "kms:Decrypt")) and .Statement[0].Resource == "arn:aws:s3:::audit-bucket/a/b/*" and
	.Statement[1].Condition == {"StringLike": {"s3:prefix": "a/b/*"}}'
is 'setup: key, retention, owner, region' '.setup |
	contains("\"KMSMasterKeyID\":\"arn:aws:kms:eu-central-1:'$account':key/11112222-3333\"") and
	contains("Mode=GOVERNANCE,Days=2555") and contains("--expected-bucket-owner '$account'") and
	contains("AWS_REGION=eu-central-1\n")'
jq -j .setup "$T/out" >"$T/setup.sh"
check 'setup: a shell understands it' sh -n "$T/setup.sh"
is 'setup: holds the very policy' '(.setup | capture("(?s)<<.END.\n(?<p>.*)\nEND\n").p | fromjson) ==
	.bucket_policy'

all >"$T/text" 2>"$T/err"
ok $? 'as text'
for f in agent-role.json:agent_role bucket-policy.json:bucket_policy reader-role.json:reader_role; do
	sed -n "/^######## ${f%:*}/,/^########/{/^#/d;p}" "$T/text" | jq -S . >"$T/section" 2>/dev/null
	jq -S ".${f#*:}" "$T/out" | cmp -s - "$T/section"
	ok $? "text: the section ${f%:*} can be pasted"
done
sed -n '/^######## setup.sh/,$p' "$T/text" | sed 1,2d | cmp -s - "$T/setup.sh"
ok $? 'text: the section setup.sh can be pasted'
all --output "$T/dir" >"$T/text" 2>"$T/err"
ok $? 'as files'
for f in agent-role.json:agent_role bucket-policy.json:bucket_policy reader-role.json:reader_role; do
	jq -S ".${f#*:}" "$T/out" >"$T/want"
	jq -S . "$T/dir/${f%:*}" | cmp -s - "$T/want"
	ok $? "files: ${f%:*}"
done
cmp -s "$T/setup.sh" "$T/dir/setup.sh" && [ -x "$T/dir/setup.sh" ]
ok $? 'files: setup.sh, to be run'
[ "$(grep -c "^$T/dir/" "$T/text")" = 4 ]
ok $? 'files: they are named'

# At the limits.
long=$(printf '%0128d' 0)
set --
for i in 1 2 3 4 5 6 7 8; do set -- "$@" --request-tag "$i${long#?}=$long$long"; done
make --bucket "s3://$(printf '%063d' 0 | tr 0 b)/$(printf '%0200d' 0)" --account $account --role \
	"arn:aws:iam::$account:role/$(printf '%0500d' 0)" --reader \
	"arn:aws:iam::$account:role/$(printf '%0400d' 0)" "$@"
rc=$?
[ "$(jq .bucket_policy "$T/out" 2>/dev/null | wc -c)" -le 20480 ]
fits=$?
{ [ $rc = 0 ] && [ $fits = 0 ]; } || { [ $rc = 1 ] && grep -q 20480 "$T/err"; }
ok $? 'the longest names: within 20 KiB, or said'
all --json >"$T/out"
[ "$(jq -c .bucket_policy "$T/out" | wc -c)" -lt 10240 ] &&
	[ "$(jq -c .agent_role "$T/out" | wc -c)" -lt 6144 ]
ok $? 'every option: far below the limits of AWS'

# Partitions.
make --bucket arn:aws-cn:s3:::audit-bucket/p --role arn:aws-cn:iam::$account:role/agent \
	--reader arn:aws-cn:iam::$account:role/r --region cn-north-1
is 'aws-cn: everywhere' '[.. | strings | select(startswith("arn:")) |
	select(startswith("arn:aws-cn:") | not)] == []'
make --bucket audit-bucket --role arn:aws-us-gov:iam::$account:role/agent \
	--kms-key arn:aws-us-gov:kms:us-gov-west-1:$account:key/1
is 'aws-us-gov: from the role' '.agent_role.Statement[0].Resource ==
	"arn:aws-us-gov:s3:::audit-bucket/*"'
make --bucket audit-bucket --request-tag a=b --org o-a1b2c3d4e5 --region us-gov-west-1
is 'aws-us-gov: from the region' '.agent_role.Statement[0].Resource ==
	"arn:aws-us-gov:s3:::audit-bucket/*"'
is 'tags of an organisation: no account is named, the organisation is' \
	'.bucket_policy.Statement[] | select(.Sid == "TaggedAgentsWrite") | .Principal == "*" and
	.Condition.StringEquals["aws:PrincipalOrgID"] == "o-a1b2c3d4e5"'
make --bucket audit-bucket --role arn:aws:iam:::user/up
is 'other stores: a user without an account' '.bucket_policy.Statement[8].Principal ==
	{"AWS": "arn:aws:iam:::user/up"}'

# What would not do, or do harm in a shell or a policy.
refused 'no bucket' --bucket --role $role
refused 'nobody to write' --role --bucket audit-bucket
refused 'a bucket that is none' UPPER --bucket UPPER --role $role
# shellcheck disable=SC2016
for bad in 'audit;id' 'audit$(id)' 'audit`id`' "audit'x" 's3://audit-bucket/a b' \
	's3://audit-bucket/*' 's3://audit-bucket/${aws:username}' "s3://audit-bucket/x'y" \
	's3://audit-bucket/a"b' 's3://audit-bucket/a/../b' 's3://audit-bucket/x?'; do
	refused "bucket $bad" audit --bucket "$bad" --role $role
done
refused 'an access point' 'an access point' --bucket \
	"arn:aws:s3:eu-central-1:$account:accesspoint/name" --role $role
for bad in 'arn:aws:iam::123456789012:role/*' 'arn:aws:iam::12345678901:role/agent' '*' \
	"arn:aws:sts::$account:assumed-role/agent/session" "arn:aws:iam::$account:root" \
	"arn:aws:iam::$account:role/a\"b" "arn:aws:s3:::bucket" "arn:aws-xx:iam::$account:role/a"; do
	refused "role $bad" --role --bucket audit-bucket --role "$bad"
	refused "reader $bad" --reader --bucket audit-bucket --role $role --reader "$bad"
done
refused 'the agent as reader' --role --bucket audit-bucket --role $role --reader $role
refused 'the agent as admin' --role --bucket audit-bucket --role $role --admin $role
refused 'roles of two partitions' partition --bucket arn:aws-cn:s3:::audit-bucket --role $role
refused 'an alias of a key' alias --bucket audit-bucket --role $role \
	--kms-key "arn:aws:kms:eu-central-1:$account:alias/x"
refused 'a key elsewhere' eu-west-1 --bucket audit-bucket --role $role --region eu-west-1 \
	--kms-key "arn:aws:kms:eu-central-1:$account:key/1"
for bad in 0 -1 36501 1x '' 99999999999999999999; do
	refused "retention '$bad'" --retention --bucket audit-bucket --role $role --retention "$bad"
done
refused 'a mode' COMPLIANCE --bucket audit-bucket --role $role --mode compliance
refused 'an account' '12 digits' --bucket audit-bucket --role $role --account 1234
refused 'an organisation' --org --bucket audit-bucket --role $role --org 'o-1'
refused 'a region' eu-central-1 --bucket audit-bucket --role $role --region 'eu;id'
refused 'a tag without value' KEY=VALUE --bucket audit-bucket --account $account --request-tag a
refused 'a tag with a quote' KEY=VALUE --bucket audit-bucket --account $account --request-tag "a='"
# shellcheck disable=SC2016
refused 'a tag with a variable' KEY=VALUE --bucket audit-bucket --account $account \
	--request-tag 'a=${aws:userid}'
refused 'a tag twice' twice --bucket audit-bucket --account $account --request-tag a=b --request-tag A=c
refused 'tags that anybody may set' --account --bucket audit-bucket --request-tag a=b
set --
for i in 1 2 3 4 5 6 7 8 9; do set -- "$@" --request-tag "$i=x"; done
refused 'too many tags' 'at most 8' --bucket audit-bucket --account $account "$@"
refused 'an argument' 'options only' --bucket audit-bucket --role $role extra
if [ -w /dev/full ]; then
	"$sessaudit" bucket-policy --bucket audit-bucket --role $role >/dev/full 2>"$T/err"
	same 'a full disk is no success' $? 1
fi
: >"$T/file"
"$sessaudit" bucket-policy --bucket audit-bucket --role $role --output "$T/file" >"$T/out" 2>"$T/err"
[ $? = 1 ] && grep -qF "$T/file" "$T/err"
ok $? 'no directory: said'

tap_done
