#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
# What we read from fresh keys and certificates, of every type, is what ssh-keygen reads.
set -u
. "$SA_SRC/tests/integration/tap.sh"
tool=$SA_BUILD/tests/integration/sshkey

if ! command -v ssh-keygen >/dev/null; then
	echo "1..0 # SKIP no ssh-keygen"
	exit 0
fi
export TZ=UTC

blob() { # FILE.pub
	cut -d' ' -f2 "$1" | base64 -d
}

# A security key's public key out of an ordinary one; no device is asked.
make_sk() { # TYPE HEAD BYTES FROM
	printf '%s ' "$1"
	{
		# shellcheck disable=SC2059 # the head is in octal
		printf "$2"
		blob "$4" | tail -c "$3"
		printf '\0\0\0\004ssh:'
	} | base64 -w0
	echo
}

make_keys() {
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$T/k_ed25519" &&
		ssh-keygen -q -t rsa -b 2048 -N '' -C 'a comment' -f "$T/k_rsa" &&
		ssh-keygen -q -t rsa -b 4096 -N '' -C '' -f "$T/k_rsa4096" || return
	for bits in 256 384 521; do
		ssh-keygen -q -t ecdsa -b $bits -N '' -C '' -f "$T/k_ecdsa$bits" || return
	done
	make_sk sk-ssh-ed25519@openssh.com '\0\0\0\032sk-ssh-ed25519@openssh.com\0\0\0\040' \
		32 "$T/k_ed25519.pub" >"$T/k_sk_ed25519.pub"
	make_sk sk-ecdsa-sha2-nistp256@openssh.com \
		'\0\0\0\042sk-ecdsa-sha2-nistp256@openssh.com\0\0\0\010nistp256\0\0\0\101' \
		65 "$T/k_ecdsa256.pub" >"$T/k_sk_ecdsa256.pub"
	# Gone from later versions of OpenSSH.
	ssh-keygen -q -t dsa -N '' -C '' -f "$T/k_dsa" 2>/dev/null || rm -f "$T/k_dsa"*
}

# ssh-keygen -L without what we do not print: the types of the keys, the file's name, indentation.
# Values of extensions that it does not know it prints as they stand, as hex.
keygen_l() { # FILE
	ssh-keygen -Lf "$1" | sed -n -e '2,$!d' -e 's/^ *//' \
		-e 's/^\(Public key\|Signing CA\): [^ ]* \([^ ]*\).*/\1: \2/' \
		-e 's/ UNKNOWN OPTION: \([0-9a-f]*\) (len [0-9]*)$/ hex \1/' \
		-e 's/ UNKNOWN FLAG OPTION$//' -e p | unhex
}

unhex() {
	while IFS= read -r line; do
		case $line in
		*" hex "*)
			printf '%s ' "${line%% hex *}"
			value=${line##* hex 00??????} # the length of the inner string
			# shellcheck disable=SC2059 # made of octal numbers
			printf "$(printf '%s' "$value" | sed 's/../0x& /g' |
				xargs -r -n1 printf '\\%03o')"
			echo
			;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}

sign() { # CA ARGS...: signs every key
	ca=$1
	shift
	for pub in "$T"/k_*.pub; do
		case $pub in
		*-cert.pub) ;;
		*) ssh-keygen -q -s "$T/$ca" "$@" "$pub" || return ;;
		esac
	done
}

same_certs() { # NAME
	for cert in "$T"/k_*-cert.pub; do
		kind=${cert##*/k_}
		same "$1: ${kind%-cert.pub}" "$("$tool" "$cert" 2>&1)" "$(keygen_l "$cert")"
	done
}

check "keys" make_keys
for pub in "$T"/k_*.pub; do
	same "fingerprint: ${pub##*/k_}" "$("$tool" "$pub" 2>&1)" \
		"$(ssh-keygen -lf "$pub" | cut -d' ' -f2)"
done

check "an RSA CA signs" sign k_rsa4096 -I 'REQ-1042/alice' -z 18446744073709551615 -n dba,app \
	-V 20260101000000:20270101000000 -O clear -O force-command='/bin/sh -c "x y"' \
	-O source-address=10.0.0.0/8,2001:db8::/32 -O permit-pty \
	-O extension:request-id@sessaudit=REQ-1042 \
	-O extension:approver@sessaudit=bob@example.com,eve@example.com
same_certs "a user's certificate"
check "an ECDSA CA signs" sign k_ecdsa521 -I 'plain' -n dba
same_certs "the default extensions"
check "an ed25519 CA signs hosts" sign k_ed25519 -h -I 'h st' -n db1,db1.example.com -O clear
same_certs "a host's certificate"
check "without principals and options" sign k_ecdsa256 -I '' -O clear
same_certs "an empty certificate"

tap_done
