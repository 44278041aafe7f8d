#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# Files and messages that are not what they should be: odd things in grants.d, grants that
# are replaced while they are read, thousands of them, tag files that someone else left,
# tags that someone else sends, and limits a user sets before su.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
. "$(dirname "$0")/access.sh"

ANN=sa-e2e-ann MAL=sa-e2e-mal BEN=sa-e2e-ben

# Milliseconds of one login through the module alone.
took() { # USER
	local from
	from=$(now_ms)
	"$T/pamlogin" -u "$1" -r 127.0.0.1 -t ssh sshd >"$T/out/took" 2>&1 9>&- </dev/null
	echo $(($(now_ms) - from))
}

# --- what lies in grants.d ---

# One grant for mal by each file, none of which is to be believed.
ODD="symlink hardlink writable others huge broken twice cut utf16 empty nousers"
log_in_with_odd_files() {
	local o from
	mkdir -p "$T/elsewhere"
	for o in $ODD; do
		make_grant "$o" $MAL "REQ-${o^^}"
	done
	mv "$T/grants/symlink.json" "$T/elsewhere/"
	ln -s "$T/elsewhere/symlink.json" "$T/grants/symlink.json"
	ln "$T/grants/hardlink.json" "$T/elsewhere/hardlink.json"
	chmod 666 "$T/grants/writable.json"
	chown $MAL "$T/grants/others.json"
	ln -s "$T/elsewhere" "$T/grants/dir.json"
	{ cat "$T/grants/huge.json"; head -c 70000 /dev/zero | tr '\0' ' '; } >"$T/elsewhere/huge"
	mv "$T/elsewhere/huge" "$T/grants/huge.json"
	sed -i 's/"match"/"macth"/' "$T/grants/broken.json"
	sed -i 's/"grant_id"/"revoked":false,"revoked":true,"grant_id"/' "$T/grants/twice.json"
	truncate -s 100 "$T/grants/cut.json"
	sed -i 's/^/\xff\xfe/' "$T/grants/utf16.json"
	: >"$T/grants/empty.json"
	jq 'del(.match.users) | .match.services = ["sshd"]' "$T/grants/nousers.json" \
		>"$T/grants/.n" && mv "$T/grants/.n" "$T/grants/nousers.json"
	mkdir "$T/grants/directory.json"
	mkfifo "$T/grants/fifo.json"
	cp "$T/elsewhere/symlink.json" "$T/grants/unreadable.json"
	chmod 000 "$T/grants/unreadable.json"
	chown $MAL "$T/grants/unreadable.json"
	from=$(now_ms)
	enter odd $MAL
	ODD_TOOK=$(($(now_ms) - from))
	make_grant good $MAL REQ-GOOD
	enter odd-good $MAL
	grants_clear
	make_grant dir $MAL REQ-DIR
	chmod 777 "$T/grants"
	enter odd-dir $MAL
	chmod 755 "$T/grants"
	chown $MAL "$T/grants"
	enter odd-dir-owner $MAL
	grants_clear
	rmdir "$T/grants"
	mkfifo "$T/grants"
	enter odd-dir-fifo $MAL
	rm "$T/grants"
	enter odd-dir-gone $MAL
	install -d -m 755 "$T/grants"
}

check_odd_files() {
	local o
	is odd "unapproved none -" "a grants.d full of odd files approves nobody"
	check "and delays nobody: $ODD_TOOK ms" test "$ODD_TOOK" -lt 3000
	for o in symlink hardlink writable others huge broken twice cut utf16 empty nousers directory \
		fifo unreadable; do
		check "the log names $o.json" logged "$o\\.json"
	done
	is odd-good "approved user REQ-GOOD" "a good grant among them counts"
	is odd-dir "unapproved none -" "a directory that anyone may write"
	is odd-dir-owner "unapproved none -" "a directory of someone else"
	is odd-dir-fifo "unapproved none -" "a FIFO instead of the directory"
	is odd-dir-gone "unapproved none -" "no directory"
}

# --- replaced while it is read ---

# Two versions, renamed over each other all the time: each login finds one of them, whole.
log_in_while_replaced() {
	local i swapper
	make_grant one $ANN REQ-ONE '.request.justification = "one"'
	mv "$T/grants/one.json" "$T/one"
	make_grant one $ANN REQ-TWO '.request.justification = "two" | .grant_id = "g-two" |
		.request.ticket = ("x" * 900)'
	mv "$T/grants/one.json" "$T/two"
	cp "$T/one" "$T/grants/swapped.json"
	(
		while [ -e "$T/swapping" ] || : >"$T/swapping.seen"; do
			[ -e "$T/swapping" ] || exit
			for v in one two; do
				cp "$T/$v" "$T/grants/.swap"
				mv "$T/grants/.swap" "$T/grants/swapped.json"
			done
		done
	) 9>&- &
	swapper=$!
	: >"$T/swapping"
	for i in $(seq 50); do
		enter_bg "swap-$i" $ANN
		[ $((i % 10)) != 0 ] || enter_wait
	done
	for i in $(seq 100); do
		"$T/pamlogin" -u $ANN -r 127.0.0.1 sshd 9>&- </dev/null
	done >"$T/out/swapped" 2>&1
	rm "$T/swapping"
	wait $swapper
	grants_clear
}

check_replaced() {
	local i one two wrong=
	one="approved REQ-ONE one $(sha256sum <"$T/one" | cut -c1-64)"
	two="approved REQ-TWO two $(sha256sum <"$T/two" | cut -c1-64)"
	for i in $(seq 50); do
		got=$(access_of "swap-$i" '"\(.status) \(.request.id) \(.request.justification) \(.grant.sha256)"')
		[ "$got" = "$one" ] || [ "$got" = "$two" ] || wrong+=" $i:$got"
	done
	same "50 logins while a grant is replaced: one of the versions, whole" "$wrong" ""
	same "100 more through the module: none fails" "$(grep -c '^open 0' "$T/out/swapped")" 100
}

# --- a grant counts from the moment it is there, and no longer than it is ---

# What the module found for ben: the request of the session's tag file.
found() {
	"$T/pamlogin" -u $BEN sshd sh -c "cat $T/run/ses/\$(cat /proc/self/sessionid).json" \
		2>/dev/null 9>&- </dev/null | sed -n 's/^{/{/p' | jq -r '.access.request.id // "none"'
}

appear() { # NUMBER: silent when a login finds the grant, and none after its removal does
	local g="$T/grants/appear$1.json"
	mv "$T/elsewhere/appear.json" "$g"
	[ "$(found)" = REQ-APPEAR ] || echo "$1:missed"
	mv "$g" "$T/elsewhere/appear.json"
	[ "$(found)" = none ] || echo "$1:stale"
}

log_in_as_grants_appear() {
	local i
	make_grant appear $BEN REQ-APPEAR
	mv "$T/grants/appear.json" "$T/elsewhere/"
	APPEARED=$(for i in $(seq 60); do appear "$i"; done) # what went wrong
}

# --- thousands ---

many_grants() { # COUNT
	awk -v n="$1" -v dir="$T/grants" -v to="$(utc '+1 hour')" 'BEGIN { for (i = 0; i < n; i++) {
		f = sprintf("%s/many%05d.json", dir, i)
		printf "{\"schema\":\"sessaudit.grant/1\",\"grant_id\":\"m%d\",\"request\":{\"id\":\"REQ-M%d\"}," \
			"\"expires_at\":\"%s\",\"match\":{\"users\":[\"nobody%d\"]}}\n", i, i, to, i >f
		close(f) } }'
}

log_in_with_thousands() {
	local before
	before=$(took $ANN)
	many_grants 4096
	rm "$T/grants/many00000.json"
	make_grant mine $ANN REQ-MINE
	FIRST_TOOK=$(($(took $ANN) - before))
	LATER_TOOK=$(($(took $ANN) - before))
	enter thousands $ANN
	jq '.revoked = true' "$T/grants/mine.json" >"$T/grants/.m"
	cat "$T/grants/.m" >"$T/grants/mine.json" # in place
	rm "$T/grants/.m"
	enter thousands-revoked $ANN
	many_grants 4200
	took $ANN >/dev/null
	grants_clear
}

check_thousands() {
	is thousands "approved user REQ-MINE" "one grant among 4,096"
	is thousands-revoked "unapproved none -" "one that was revoked in place"
	check "the first login with them: $FIRST_TOOK ms more" test "$FIRST_TOOK" -lt 1000
	check "the second: $LATER_TOOK ms more" test "$LATER_TOOK" -lt 250
	check "more than 4,096 are said" logged '4096'
}

# --- tags ---

# The user is not allowed to send one; root is, and it shows.
log_in_with_fake_tags() {
	local tag='op=sessaudit-bind sa_v=1 sa_st=approved sa_src=user sa_req="REQ-FAKE"'
	make_grant tag $ANN REQ-TAG
	REMOTE="$SAY_SES; $T/auditmsg 1121 '$tag'; unshare -Ur $T/auditmsg 1121 '$tag'" \
		enter fake-user $MAL
	REMOTE="$SAY_SES; sudo -n $T/auditmsg 1121 '$tag sa_user=\"$ANN\"';
		sudo -n $T/auditmsg 1121 '${tag/-bind/-nest} sa_from=\"$MAL\" sa_user=\"root\"';
		sudo -n true" enter fake-root $ANN
	grants_clear
}

check_fake_tags() {
	same "a user's own tag is refused" "$(sed -n 2p "$T/out/fake-user")" EPERM
	check "in a user namespace of his too" bash -c "! grep -q sent '$T/out/fake-user'"
	innocent fake-user
	same "root sends a second tag" "$(sed -n 2,3p "$T/out/fake-root" | xargs)" "sent sent"
	is fake-root "approved user REQ-TAG" "the session keeps its request"
	same "the second tag is a conflict entry" "$(picked_from fake-root 'select(.type == "conflict") |
		"\(.object) \(.reason)"')" "REQ-FAKE tag_unverified"
	same "nothing is approved by REQ-FAKE" "$(picked_from fake-root 'select(.type != "conflict") |
		select(.access.request.id? == "REQ-FAKE") | .seq')" ""
	check "the page says conflict" bash -c "'$SA_BUILD/cli/sessaudit' --store '$T/store' show \
		'${DIR_OF[${SES[fake-root]}]##*session=}' | grep -qi conflict"
}

innocent() { is "$1" "unapproved none -" "$1: unapproved"; }

# --- tag files ---

# The next session's number can be foreseen: what lies there already must not count.
log_in_with_left_tag_files() {
	local good next
	make_grant left $ANN REQ-LEFT
	REMOTE="$SAY_SES; sleep 3" enter_bg left $ANN
	wait_for 5 test -s "$T/out/left"
	good=$T/run/ses/$(head -n 1 "$T/out/left").json
	grants_clear
	leave() { # NAME FILTER OWNER
		next=$(($(newest_ses) + 1))
		jq -c --argjson n $next --argjson auid "$(id -u $MAL)" ".ses = \$n | $2" "$good" >"$T/left"
		rm -f "$T/run/ses/$next.json"
		install -m 640 -o "$3" "$T/left" "$T/run/ses/$next.json"
		enter "$1" $MAL
		same "the number was foreseen ($1)" "${SES[$1]}" $next
	}
	leave left-boot '.boot_id = "11111111-2222-3333-4444-555555555555" | .auid = $auid' root
	leave left-auid . root
	leave left-owner '.auid = $auid' $AGENT_USER
	next=$(($(newest_ses) + 1))
	mkdir "$T/run/ses/$next.json"
	enter left-dir $MAL
	rmdir "$T/run/ses/$next.json" 2>/dev/null
	next=$(($(newest_ses) + 1))
	ln -s "$good" "$T/run/ses/$next.json"
	enter left-link $MAL
	next=$(($(newest_ses) + 1))
	mkfifo "$T/run/ses/$next.json"
	enter left-fifo $MAL
	enter_wait
}

check_left_tag_files() {
	is left "approved user REQ-LEFT" "whose tag file is taken"
	innocent left-boot
	innocent left-auid
	innocent left-owner
	innocent left-link
	innocent left-fifo
	same "a directory in the tag file's place: nobody is approved" \
		"$(picked_from left-dir 'select(.access.status? == "approved") | .seq')" ""
}

# --- limits and modes that a user brings along to su ---

log_in_with_limits() {
	cat >"$PAM_DIR/su" <<-END
		auth sufficient pam_permit.so
		account sufficient pam_permit.so
		$OUR_LINE
		session required pam_permit.so
	END
	configure "[policy]" "deny = */su"
	cat >"$T/limits.sh" <<-END
		$SAY_SES
		try() { exec "\$@" su $BEN -c "echo IN \$what" </dev/null 2>&1; }
		what=plain; (try env)
		with() { what="\$*"; (ulimit "\$@"; try env) & } # a su that fails waits a second
		for n in \$(seq 3 14); do with -n \$n; done; wait
		for n in \$(seq 6000 500 24000); do with -v \$n; done; wait
		for n in 0 1 8; do with -f \$n; done
		for n in 8 16 32 64 128 256; do with -s \$n; done
		for n in 0 64 512 2048; do with -d \$n; done
		for n in 0 1; do with -u \$n; done
		for o in l i q c; do with -\$o 0; done; wait
		what=env; (try env SSH_AUTH_INFO_0=x PAM_USER=root TZ=Etc/GMT-14 LC_ALL=tr_TR.UTF-8 IFS=x)
		what=closed; su $BEN -c "echo IN closed >/proc/\$\$/fd/1" <&- >&- 2>&-
		what=umask; (umask 0; try env)
		what=cwd; (mkdir /tmp/sae2e.\$\$ && cd /tmp/sae2e.\$\$ && rmdir /tmp/sae2e.\$\$ && try env)
		echo END
	END
	REMOTE="bash $T/limits.sh" enter limits $MAL
	configure
	REMOTE="$SAY_SES; umask 0; su $BEN -c true; ulimit -f 0; su $BEN -c true" enter umask $MAL
	(umask 0 && took $MAL >/dev/null)
	find "$T/run" -not -type l -perm /o+w >"$T/open_files"
}

# ben has a request. Whoever becomes ben by su must not come by it, also not when a limit keeps the
# module from reading what the session has already.
log_in_with_limits_as_another() {
	make_grant ben $BEN REQ-BEN
	REMOTE="bash $T/limits.sh; cat $T/run/ses/\$(cat /proc/self/sessionid).json; sudo -n true" \
		enter limits-ben $MAL
	add_our_line "$OUR_LINE" sudo
	REMOTE="bash $T/limits.sh; sudo -n sh -c 'cat $T/run/ses/\$(cat /proc/self/sessionid).json'" \
		enter limits-ann $ANN
	# Behind the end of its session there is no tag file left.
	REMOTE="$SAY_SES; setsid sh -c 'sleep 4; su $BEN -c \"id -gn\"; id -un' >/dev/null 2>&1 </dev/null &" \
		enter limits-behind $MAL
	sleep 5
	grants_clear
}

check_limits() {
	same "su is denied, whatever limits the user sets before it" \
		"$(grep -a '^IN' "$T/out/limits" | head)" ""
	check "all of them were tried" grep -q '^END' "$T/out/limits"
	check "su says why" grep -q "no approved access request" "$T/out/limits"
	innocent limits
	innocent limits-ben
	for n in limits-ben limits-ann limits-behind; do
		same "$n: nothing of the request of who they became" "$(picked_from $n \
			'select(.access.request.id? == "REQ-BEN") | .seq')" ""
		same "$n: no conflict" "$(picked_from $n 'select(.type == "conflict") | .object')" ""
	done
	check "without a policy su works" grep -aq '^IN plain' "$T/out/limits-ben"
	same "the tag file stays as it was" "$(grep -a '^{' "$T/out/limits-ann" | jq -r '.user')" $ANN
	check "who is left behind goes on being recorded" test -n "$(picked_from limits-behind \
		'select(.type == "exec" and .process.args[0] == "id") | .seq' | head -n 1)"
	same "no file of ours is left open to all by a user's umask" "$(cat "$T/open_files")" ""
}

access_begin $ANN $MAL $BEN
sudo_allow $ANN || skip_all "no sudo"
steps_of log_in_with_odd_files log_in_while_replaced log_in_as_grants_appear log_in_with_thousands \
	log_in_with_fake_tags log_in_with_left_tag_files log_in_with_limits log_in_with_limits_as_another
settle
check_odd_files
check_replaced
same "60 grants count as soon as they are there, and no longer than they are" "$APPEARED" ""
check_thousands
check_fake_tags
check_left_tag_files
check_limits
agent_stop
tap_done
