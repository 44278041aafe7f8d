# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# shellcheck shell=bash
#
# A bucket of a real S3 server as the product's store, for tests with logins: after
# lib.sh, sshd.sh and agent.sh; PRODUCT_STORE=s3_product before product_begin. The
# agent's keys come as systemd's LoadCredential= brings them, and may put and nothing
# else. The test reads as the bucket's owner, into $T/store, where the functions of
# agent.sh find it.

. "$TOP/tests/s3/lib.sh"

S3_URL=s3://audit/hosts

s3_product() { # over TLS
	s3_product_bucket
	s3_product_lines "$S3_TLS_ENDPOINT"
}

s3_product_behind_proxy() { # for faults; see s3_faults
	s3_product_bucket
	s3_proxy_start
	s3_product_lines "$S3_PROXY"
}

s3_product_bucket() {
	s3_need 20
	s3_bucket audit || exit 1
	mkdir -m 700 "$T/credentials"
	printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
		"$S3_AK2" "$S3_SK2" >"$T/credentials/aws-credentials"
	chmod 600 "$T/credentials/aws-credentials"
	export CREDENTIALS_DIRECTORY=$T/credentials
}

s3_product_lines() { # ENDPOINT
	AGENT_LINES+=("[store]" "type = s3" "s3_url = $S3_URL" "s3_region = us-east-1"
		"s3_endpoint = $1" "s3_ca_file = $S3_CA")
}

s3_fetch() {
	s3_aws s3 sync --only-show-errors "$S3_URL" "$T/store" --exclude 'probe/*'
}

s3_session_ended() { # SES
	s3_fetch
	session_ended "$1"
}

# When the store took them: seconds and key below S3_URL, a line for each object.
s3_times() {
	s3_aws s3api list-objects-v2 --bucket audit --prefix hosts/ --output text \
		--query 'Contents[].[LastModified,Key]' | while read -r time key; do
		echo "$(date -d "$time" +%s.%N) ${key#hosts/}"
	done
}
