# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

# One target per untrusted format. Plain builds replay the corpora; --enable-fuzzing makes
# libFuzzer programs of the same targets (give them a scratch directory before the corpus, new
# finds go into the first: tests/fuzz/fuzz_json -dict=json.dict /tmp/new corpus/json).
fuzz_targets = grant import signed tag conf json index segment record typed event xml awsfile s3 sshkey ca broker sockaddr execve redact statement
fuzz_programs = tests/fuzz/fuzz_grant tests/fuzz/fuzz_import tests/fuzz/fuzz_signed tests/fuzz/fuzz_tag \
	tests/fuzz/fuzz_conf tests/fuzz/fuzz_json \
	tests/fuzz/fuzz_index tests/fuzz/fuzz_segment \
	tests/fuzz/fuzz_record tests/fuzz/fuzz_typed tests/fuzz/fuzz_event tests/fuzz/fuzz_xml \
	tests/fuzz/fuzz_awsfile tests/fuzz/fuzz_s3 \
	tests/fuzz/fuzz_sshkey tests/fuzz/fuzz_ca \
	tests/fuzz/fuzz_broker \
	tests/fuzz/fuzz_sockaddr tests/fuzz/fuzz_execve tests/fuzz/fuzz_redact tests/fuzz/fuzz_statement
check_PROGRAMS += $(fuzz_programs)
TESTS += tests/fuzz/replay.sh
EXTRA_DIST += tests/fuzz/replay.sh tests/fuzz/dict tests/fuzz/corpus

if FUZZING
fuzz_main =
else
check_LTLIBRARIES += tests/fuzz/libreplay.la
tests_fuzz_libreplay_la_SOURCES = tests/fuzz/replay_main.c
fuzz_main = tests/fuzz/libreplay.la
endif
fuzz_ldflags = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tests_fuzz_fuzz_conf_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_conf_LDADD = $(fuzz_main) common/libcommon.la

tests_fuzz_fuzz_json_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_json_LDADD = $(fuzz_main) common/libcommon.la

tests_fuzz_fuzz_index_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_index_LDADD = $(fuzz_main) common/transcript/libtranscript.la \
	common/access/libaccess.la common/libcommon.la

tests_fuzz_fuzz_segment_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_segment_LDADD = $(fuzz_main) common/transcript/libtranscript.la \
	common/access/libaccess.la common/libcommon.la

tests_fuzz_fuzz_import_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_import_LDADD = $(fuzz_main) cli/libimport.la common/access/libaccess.la \
	common/libcommon.la

tests_fuzz_fuzz_grant_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_grant_LDADD = $(fuzz_main) common/access/libaccess.la common/libcommon.la

tests_fuzz_fuzz_sshkey_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_sshkey_LDADD = $(fuzz_main) common/access/libaccess.la common/libcommon.la
tests_fuzz_fuzz_ca_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_ca_LDADD = $(fuzz_main) common/access/libaccess.la common/libcommon.la

tests_fuzz_fuzz_signed_SOURCES = tests/fuzz/fuzz_signed.c $(broker_key_sources)
tests_fuzz_fuzz_signed_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_signed_LDADD = $(fuzz_main) common/access/libaccess.la common/libcommon.la

tests_fuzz_fuzz_broker_SOURCES = tests/fuzz/fuzz_broker.c $(broker_key_sources)
tests_fuzz_fuzz_broker_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_broker_LDADD = $(fuzz_main) $(grantd_libs) common/libcommon.la

tests_fuzz_fuzz_tag_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_tag_LDADD = $(fuzz_main) common/access/libaccess.la common/libcommon.la

fuzz_collector_ldadd = $(fuzz_main) agent/collector/libcollector.la agent/libagent.la \
	common/transcript/libtranscript.la common/access/libaccess.la common/libcommon.la
tests_fuzz_fuzz_record_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_record_LDADD = $(fuzz_collector_ldadd)
tests_fuzz_fuzz_typed_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_typed_LDADD = $(fuzz_collector_ldadd)
tests_fuzz_fuzz_event_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_event_LDADD = $(fuzz_collector_ldadd)

tests_fuzz_fuzz_xml_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_xml_LDADD = $(fuzz_main) common/http/libhttp.la common/libcommon.la

tests_fuzz_fuzz_awsfile_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_awsfile_LDADD = $(fuzz_main) common/aws/libaws.la common/http/libhttp.la \
	common/libcommon.la

tests_fuzz_fuzz_s3_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_s3_LDADD = $(fuzz_main) $(store_libs) common/libcommon.la
tests_fuzz_fuzz_sockaddr_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_sockaddr_LDADD = $(fuzz_collector_ldadd)
tests_fuzz_fuzz_execve_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_execve_LDADD = $(fuzz_collector_ldadd)
tests_fuzz_fuzz_redact_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_redact_LDADD = $(fuzz_collector_ldadd)
tests_fuzz_fuzz_statement_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_statement_LDADD = $(fuzz_collector_ldadd)
