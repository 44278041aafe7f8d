# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors

check_LTLIBRARIES += tests/unit/libtap.la
tests_unit_libtap_la_SOURCES = tests/unit/tap.c tests/unit/tap.h

# One program per file under test: tests/unit/test_X is made of tests/unit/test_X.c and, unless
# tests_unit_test_X_LDADD says otherwise, linked with LDADD. For example:
#	tests_unit_test_grant_LDADD = common/access/libaccess.la $(LDADD)
LDADD = tests/unit/libtap.la common/libcommon.la

unit_tests = \
	tests/unit/test_arguments \
	tests/unit/test_call \
	tests/unit/test_procs \
	tests/unit/test_sockaddr \
	tests/unit/test_path \
	tests/unit/test_classes \
	tests/unit/test_files \
	tests/unit/test_messages \
	tests/unit/test_redact \
	tests/unit/test_input \
	tests/unit/test_statement \
	tests/unit/test_serials \
	tests/unit/test_intake \
	tests/unit/test_rules \
	tests/unit/test_control \
	tests/unit/test_resume \
	tests/unit/test_sources \
	tests/unit/test_deaths \
	tests/unit/test_losses \
	tests/unit/test_access \
	tests/unit/test_auth_info \
	tests/unit/test_cas \
	tests/unit/test_profile \
	tests/unit/test_ssh_key \
	tests/unit/test_attempts \
	tests/unit/test_dirs \
	tests/unit/test_news \
	tests/unit/test_quarantine \
	tests/unit/test_status \
	tests/unit/test_file_stamp \
	tests/unit/test_grant \
	tests/unit/test_grants \
	tests/unit/test_grantd \
	tests/unit/test_grant_index \
	tests/unit/test_grant_index_file \
	tests/unit/test_signed \
	tests/unit/test_match \
	tests/unit/test_pam_check \
	tests/unit/test_pam_options \
	tests/unit/test_pam_stack \
	tests/unit/test_policy \
	tests/unit/test_resolve \
	tests/unit/test_tag \
	tests/unit/test_tagfile \
	tests/unit/test_buf \
	tests/unit/test_chain \
	tests/unit/test_child \
	tests/unit/test_chores \
	tests/unit/test_circuit \
	tests/unit/test_clock \
	tests/unit/test_conf \
	tests/unit/test_digest \
	tests/unit/test_entry \
	tests/unit/test_err \
	tests/unit/test_escape \
	tests/unit/test_event \
	tests/unit/test_fdio \
	tests/unit/test_headers \
	tests/unit/test_http \
	tests/unit/test_http_fault \
	tests/unit/test_http_route \
	tests/unit/test_import \
	tests/unit/test_index \
	tests/unit/test_join \
	tests/unit/test_json \
	tests/unit/test_layout \
	tests/unit/test_log \
	tests/unit/test_notify \
	tests/unit/test_page \
	tests/unit/test_pick \
	tests/unit/test_privdrop \
	tests/unit/test_record \
	tests/unit/test_recover \
	tests/unit/test_reader \
	tests/unit/test_retry \
	tests/unit/test_role \
	tests/unit/test_s3_answer \
	tests/unit/test_s3_location \
	tests/unit/test_sample_conf \
	tests/unit/test_segment \
	tests/unit/test_session \
	tests/unit/test_sigv4 \
	tests/unit/test_slice \
	tests/unit/test_cred_profile \
	tests/unit/test_cred_services \
	tests/unit/test_credentials \
	tests/unit/test_settings \
	tests/unit/test_spool \
	tests/unit/test_spool_scratch \
	tests/unit/test_store_dir \
	tests/unit/test_store_s3 \
	tests/unit/test_transcript \
	tests/unit/test_typed \
	tests/unit/test_upload \
	tests/unit/test_upload_random \
	tests/unit/test_validity \
	tests/unit/test_walk \
	tests/unit/test_warden \
	tests/unit/test_writer \
	tests/unit/test_xml
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

# Fails the Nth allocation; see alloc_fail.h.
alloc_fail_ldflags = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c tests/unit/alloc_fail.c tests/unit/alloc_fail.h
tests_unit_test_buf_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c tests/unit/alloc_fail.c tests/unit/alloc_fail.h
tests_unit_test_conf_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_json_SOURCES = tests/unit/test_json.c tests/unit/alloc_fail.c tests/unit/alloc_fail.h
tests_unit_test_json_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_entry_SOURCES = tests/unit/test_entry.c tests/unit/alloc_fail.c \
	tests/unit/alloc_fail.h
tests_unit_test_entry_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_fdio_LDADD = $(LDADD) $(PTHREAD_LIBS)

# A scripted HTTP server in threads of the test; see httpd.h.
httpd_sources = tests/unit/httpd.c tests/unit/httpd.h
http_tests_ldadd = common/http/libhttp.la $(LDADD) $(PTHREAD_LIBS)
tests_unit_test_headers_SOURCES = tests/unit/test_headers.c tests/unit/alloc_fail.c \
	tests/unit/alloc_fail.h
tests_unit_test_headers_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_headers_LDADD = $(http_tests_ldadd)
http_seen_sources = tests/unit/http_seen.c tests/unit/http_seen.h $(httpd_sources)
tests_unit_test_http_SOURCES = tests/unit/test_http.c $(http_seen_sources)
tests_unit_test_http_LDADD = $(http_tests_ldadd)
tests_unit_test_http_fault_SOURCES = tests/unit/test_http_fault.c $(http_seen_sources) \
	tests/unit/alloc_fail.c tests/unit/alloc_fail.h
tests_unit_test_http_fault_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_http_fault_LDADD = $(http_tests_ldadd)
tests_unit_test_http_route_SOURCES = tests/unit/test_http_route.c $(http_seen_sources)
tests_unit_test_http_route_LDADD = $(http_tests_ldadd)
tests_unit_test_xml_SOURCES = tests/unit/test_xml.c tests/unit/alloc_fail.c tests/unit/alloc_fail.h
tests_unit_test_xml_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_xml_LDADD = $(http_tests_ldadd)
# Stand-ins for metadata services and STS; see cred_stand.h.
cred_stand_sources = tests/unit/cred_stand.c tests/unit/cred_stand.h $(httpd_sources)
cred_stand_ldflags = $(AM_LDFLAGS) -Wl,--wrap=http_perform
tests_unit_test_cred_services_SOURCES = tests/unit/test_cred_services.c $(cred_stand_sources)
tests_unit_test_cred_services_LDFLAGS = $(cred_stand_ldflags)
tests_unit_test_cred_services_LDADD = common/aws/libaws.la $(http_tests_ldadd)
tests_unit_test_credentials_SOURCES = tests/unit/test_credentials.c $(cred_stand_sources) \
	tests/unit/alloc_fail.c tests/unit/alloc_fail.h
tests_unit_test_credentials_LDFLAGS = $(alloc_fail_ldflags) -Wl,--wrap=http_perform
tests_unit_test_credentials_LDADD = common/aws/libaws.la $(http_tests_ldadd)
tests_unit_test_cred_profile_LDADD = common/aws/libaws.la $(LDADD)
tests_unit_test_sigv4_SOURCES = tests/unit/test_sigv4.c tests/unit/alloc_fail.c \
	tests/unit/alloc_fail.h
tests_unit_test_sigv4_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_sigv4_LDADD = common/aws/libaws.la common/http/libhttp.la $(LDADD)

transcript_tests_ldadd = common/transcript/libtranscript.la common/access/libaccess.la $(LDADD)
tests_unit_test_chain_LDADD = $(transcript_tests_ldadd)
tests_unit_test_entry_LDADD = $(transcript_tests_ldadd)
tests_unit_test_index_LDADD = $(transcript_tests_ldadd)
tests_unit_test_layout_LDADD = common/store/libstore.la $(transcript_tests_ldadd)
tests_unit_test_page_LDADD = $(transcript_tests_ldadd)
tests_unit_test_import_SOURCES = tests/unit/test_import.c tests/unit/alloc_fail.c \
	tests/unit/alloc_fail.h
tests_unit_test_import_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_import_LDADD = cli/libimport.la $(transcript_tests_ldadd)
tests_unit_test_reader_LDADD = cli/libreader.la $(store_libs) $(transcript_tests_ldadd)
tests_unit_test_segment_LDADD = $(transcript_tests_ldadd) $(ZLIB_LIBS)

supervisor_tests_ldadd = agent/libsupervisor.la agent/libagent.la common/store/libstore.la \
	common/transcript/libtranscript.la common/access/libaccess.la $(LDADD)
tests_unit_test_child_LDADD = $(supervisor_tests_ldadd)
tests_unit_test_dirs_LDADD = $(supervisor_tests_ldadd)
tests_unit_test_notify_LDADD = $(supervisor_tests_ldadd)
tests_unit_test_privdrop_LDADD = $(supervisor_tests_ldadd)
tests_unit_test_role_LDADD = $(supervisor_tests_ldadd)
tests_unit_test_grantd_SOURCES = tests/unit/test_grantd.c $(broker_key_sources) \
	tests/unit/alloc_fail.c tests/unit/alloc_fail.h
tests_unit_test_grantd_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_grantd_LDADD = $(grantd_libs) $(LDADD) $(CRYPTO_LIBS)
tests_unit_test_warden_LDADD = $(warden_libs) $(LDADD)
shipper_tests_ldadd = agent/shipper/libshipper.la agent/libagent.la $(store_libs) $(LDADD)
tests_unit_test_attempts_LDADD = $(shipper_tests_ldadd)
tests_unit_test_news_LDADD = $(shipper_tests_ldadd)
tests_unit_test_quarantine_LDADD = $(shipper_tests_ldadd)
tests_unit_test_status_LDADD = $(shipper_tests_ldadd)
tests_unit_test_pick_LDADD = $(shipper_tests_ldadd)
tests_unit_test_retry_LDADD = $(shipper_tests_ldadd)
tests_unit_test_store_dir_LDADD = $(shipper_tests_ldadd)
tests_unit_test_chores_LDADD = $(shipper_tests_ldadd)
tests_unit_test_circuit_LDADD = $(shipper_tests_ldadd)
tests_unit_test_walk_LDADD = $(shipper_tests_ldadd)
ship_check_sources = tests/unit/ship_check.c tests/unit/ship_check.h \
	tests/unit/fake_store.c tests/unit/fake_store.h
tests_unit_test_upload_SOURCES = tests/unit/test_upload.c $(ship_check_sources) \
	tests/unit/fault.c tests/unit/fault.h
tests_unit_test_upload_LDFLAGS = $(fault_ldflags)
tests_unit_test_upload_LDADD = $(shipper_tests_ldadd)
tests_unit_test_upload_random_SOURCES = tests/unit/test_upload_random.c $(ship_check_sources)
tests_unit_test_upload_random_LDADD = $(shipper_tests_ldadd)
s3_tests_ldadd = $(store_libs) $(LDADD) $(PTHREAD_LIBS)
tests_unit_test_s3_answer_LDADD = $(s3_tests_ldadd)
tests_unit_test_s3_location_SOURCES = tests/unit/test_s3_location.c tests/unit/alloc_fail.c \
	tests/unit/alloc_fail.h
tests_unit_test_s3_location_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_s3_location_LDADD = $(s3_tests_ldadd)
tests_unit_test_store_s3_SOURCES = tests/unit/test_store_s3.c $(httpd_sources)
tests_unit_test_store_s3_LDADD = $(s3_tests_ldadd)

access_tests_ldadd = common/access/libaccess.la $(LDADD)
tests_unit_test_access_LDADD = $(access_tests_ldadd)
# Keys and certificates: real ones, and made to measure.
ssh_test_sources = tests/unit/ssh_fixtures.c tests/unit/ssh_fixtures.h \
	tests/unit/cert_make.c tests/unit/cert_make.h tests/unit/alloc_fail.c tests/unit/alloc_fail.h
tests_unit_test_auth_info_SOURCES = tests/unit/test_auth_info.c $(ssh_test_sources)
tests_unit_test_auth_info_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_auth_info_LDADD = $(access_tests_ldadd)
tests_unit_test_cas_SOURCES = tests/unit/test_cas.c $(ssh_test_sources)
tests_unit_test_cas_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_cas_LDADD = $(access_tests_ldadd)
tests_unit_test_profile_SOURCES = tests/unit/test_profile.c $(ssh_test_sources)
tests_unit_test_profile_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_profile_LDADD = $(access_tests_ldadd)
tests_unit_test_ssh_key_SOURCES = tests/unit/test_ssh_key.c $(ssh_test_sources)
tests_unit_test_ssh_key_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_ssh_key_LDADD = $(access_tests_ldadd)
tests_unit_test_grant_SOURCES = tests/unit/test_grant.c tests/unit/alloc_fail.c tests/unit/alloc_fail.h
tests_unit_test_grant_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_grant_LDADD = $(access_tests_ldadd)
broker_key_sources = tests/unit/broker_key.c tests/unit/broker_key.h
tests_unit_test_grants_SOURCES = tests/unit/test_grants.c $(broker_key_sources)
tests_unit_test_grants_LDADD = $(access_tests_ldadd)
grant_dirs_sources = tests/unit/grant_dirs.c tests/unit/grant_dirs.h $(broker_key_sources)
grant_dirs_wrap = -Wl,--wrap=fstat,--wrap=fstatat
tests_unit_test_grant_index_SOURCES = tests/unit/test_grant_index.c $(grant_dirs_sources)
tests_unit_test_grant_index_LDFLAGS = $(AM_LDFLAGS) $(grant_dirs_wrap)
tests_unit_test_grant_index_file_SOURCES = tests/unit/test_grant_index_file.c \
	$(grant_dirs_sources) tests/unit/alloc_fail.c tests/unit/alloc_fail.h
tests_unit_test_grant_index_file_LDFLAGS = $(alloc_fail_ldflags) $(grant_dirs_wrap)
tests_unit_test_grant_index_file_LDADD = $(access_tests_ldadd)
tests_unit_test_grant_index_LDADD = $(access_tests_ldadd)
tests_unit_test_signed_SOURCES = tests/unit/test_signed.c $(broker_key_sources) \
	tests/unit/alloc_fail.c tests/unit/alloc_fail.h
tests_unit_test_signed_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_signed_LDADD = $(access_tests_ldadd)
tests_unit_test_file_stamp_LDADD = $(access_tests_ldadd)
tests_unit_test_match_LDADD = $(access_tests_ldadd)
tests_unit_test_pam_check_LDADD = $(supervisor_tests_ldadd)
tests_unit_test_pam_stack_LDADD = $(access_tests_ldadd)
tests_unit_test_policy_LDADD = $(access_tests_ldadd)
tests_unit_test_resolve_SOURCES = tests/unit/test_resolve.c tests/unit/resolve_keys.h \
	tests/unit/alloc_fail.c \
	tests/unit/alloc_fail.h
tests_unit_test_resolve_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_resolve_LDADD = $(access_tests_ldadd)
tests_unit_test_tag_SOURCES = tests/unit/test_tag.c tests/unit/alloc_fail.c tests/unit/alloc_fail.h
tests_unit_test_tag_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_tag_LDADD = $(access_tests_ldadd)
tests_unit_test_tagfile_SOURCES = tests/unit/test_tagfile.c tests/unit/alloc_fail.c tests/unit/alloc_fail.h
tests_unit_test_tagfile_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_test_tagfile_LDADD = $(access_tests_ldadd)
tests_unit_test_pam_options_LDADD = pam_sessaudit/libparts.la $(access_tests_ldadd) $(PAM_LIBS)

collector_tests_ldadd = agent/collector/libcollector.la agent/libagent.la $(transcript_tests_ldadd)
fault_ldflags = $(AM_LDFLAGS) -Wl,--wrap=openat,--wrap=mkdirat,--wrap=write,--wrap=pwrite \
	-Wl,--wrap=ftruncate,--wrap=fsync,--wrap=fdatasync,--wrap=renameat,--wrap=unlinkat
spool_check_sources = tests/unit/spool_check.c tests/unit/spool_check.h
tests_unit_test_event_LDADD = $(collector_tests_ldadd)
tests_unit_test_join_LDADD = $(collector_tests_ldadd)
tests_unit_test_record_LDADD = $(collector_tests_ldadd)
tests_unit_test_recover_SOURCES = tests/unit/test_recover.c $(spool_check_sources)
tests_unit_test_recover_LDADD = $(collector_tests_ldadd)
tests_unit_test_session_LDADD = $(collector_tests_ldadd)
tests_unit_test_spool_SOURCES = tests/unit/test_spool.c tests/unit/fault.c tests/unit/fault.h
tests_unit_test_spool_LDFLAGS = $(fault_ldflags)
tests_unit_test_spool_LDADD = $(collector_tests_ldadd)
tests_unit_test_spool_scratch_SOURCES = tests/unit/test_spool_scratch.c tests/unit/fault.c tests/unit/fault.h
tests_unit_test_spool_scratch_LDFLAGS = $(fault_ldflags)
tests_unit_test_spool_scratch_LDADD = $(collector_tests_ldadd)
tests_unit_test_typed_SOURCES = tests/unit/test_typed.c tests/unit/typed_recorded.h
tests_unit_test_input_SOURCES = tests/unit/test_input.c $(spool_check_sources)
tests_unit_test_input_LDADD = $(collector_tests_ldadd)
tests_unit_test_transcript_SOURCES = tests/unit/test_transcript.c $(spool_check_sources)
tests_unit_test_transcript_LDADD = $(collector_tests_ldadd)
tests_unit_test_typed_LDADD = $(collector_tests_ldadd)
tests_unit_test_validity_SOURCES = tests/unit/test_validity.c $(spool_check_sources) \
	$(broker_key_sources)
tests_unit_test_validity_LDADD = $(collector_tests_ldadd)
tests_unit_test_writer_SOURCES = tests/unit/test_writer.c tests/unit/fault.c tests/unit/fault.h \
	$(spool_check_sources)
tests_unit_test_writer_LDFLAGS = $(fault_ldflags)
tests_unit_test_writer_LDADD = $(collector_tests_ldadd)
tests_unit_test_arguments_LDADD = $(collector_tests_ldadd)
tests_unit_test_call_LDADD = $(collector_tests_ldadd)
tests_unit_test_procs_LDADD = $(collector_tests_ldadd)
tests_unit_test_sockaddr_LDADD = $(collector_tests_ldadd)
tests_unit_test_path_LDADD = $(collector_tests_ldadd)
tests_unit_test_classes_SOURCES = tests/unit/test_classes.c $(spool_check_sources)
tests_unit_test_classes_LDADD = $(collector_tests_ldadd)
tests_unit_test_files_SOURCES = tests/unit/test_files.c tests/unit/entry_feed.c \
	tests/unit/entry_feed.h $(spool_check_sources)
tests_unit_test_files_LDADD = $(collector_tests_ldadd)
tests_unit_test_messages_SOURCES = tests/unit/test_messages.c tests/unit/entry_feed.c \
	tests/unit/entry_feed.h $(spool_check_sources)
tests_unit_test_messages_LDADD = $(collector_tests_ldadd)
tests_unit_test_redact_LDADD = $(collector_tests_ldadd)
tests_unit_test_statement_LDADD = $(collector_tests_ldadd)
tests_unit_test_serials_LDADD = $(collector_tests_ldadd)
tests_unit_test_intake_LDADD = $(collector_tests_ldadd)
tests_unit_test_rules_LDADD = $(collector_tests_ldadd)
tests_unit_test_control_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=audit_open,--wrap=audit_get_reply \
	-Wl,--wrap=audit_request_status,--wrap=audit_request_rules_list_data \
	-Wl,--wrap=audit_add_rule_data,--wrap=audit_set_enabled
tests_unit_test_control_LDADD = $(collector_tests_ldadd)
tests_unit_test_resume_SOURCES = tests/unit/test_resume.c $(spool_check_sources)
tests_unit_test_resume_LDADD = $(collector_tests_ldadd)
tests_unit_test_sources_LDADD = $(collector_tests_ldadd)
tests_unit_test_deaths_LDADD = $(collector_tests_ldadd)
tests_unit_test_losses_SOURCES = tests/unit/test_losses.c $(spool_check_sources)
tests_unit_test_losses_LDADD = $(collector_tests_ldadd)
