# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# Root, the real kernel and a real sshd: `make check-e2e`, not part of `make check`.
e2e_tests = \
	tests/e2e/session.sh \
	tests/e2e/ten_sessions.sh \
	tests/e2e/faults.sh \
	tests/e2e/tamper.sh \
	tests/e2e/losses.sh \
	tests/e2e/beside_auditd.sh \
	tests/e2e/everything.sh \
	tests/e2e/access_certs.sh \
	tests/e2e/access_attacks.sh \
	tests/e2e/access_files.sh \
	tests/e2e/access_policy.sh \
	tests/e2e/access_nested.sh \
	tests/e2e/access_broker.sh \
	tests/e2e/s3_live.sh \
	tests/e2e/s3_kills.sh \
	tests/e2e/secrets.sh
EXTRA_DIST += $(e2e_tests) \
	tests/e2e/access.sh \
	tests/e2e/agent.sh tests/e2e/lib.sh tests/e2e/s3.sh tests/e2e/sshd.sh tests/e2e/worker.sh \
	tests/e2e/demo.tty tests/e2e/everything.tty tests/e2e/session.tty \
	tests/e2e/auditmsg.c tests/e2e/certforge.c tests/e2e/pamlogin.c \
	tests/e2e/logsink.c tests/e2e/nlrecord.c tests/e2e/ttydrive.c \
	tests/deps.sh demo.sh check.sh .ci/run .ci/allowed-skips

.PHONY: check-e2e
check-e2e: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(e2e_tests)'
