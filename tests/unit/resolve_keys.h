/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * Keys and certificates of ssh-keygen for test_resolve, valid for ever, as they stand in
 * SSH_AUTH_INFO_0 and *.pub files. Nobody has the secret keys.
 */
#ifndef SA_RESOLVE_KEYS_H
#define SA_RESOLVE_KEYS_H

/* is listed, profile sessaudit */
#define CA_OURS                                                                                    \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMXzGTa6ezJVqv/8iOu7xinm5rrlCRaxwpic"                 \
	"5StU4Gzg"
#define CA_OURS_FP "SHA256:EhIoOaIIEv7MOknxtXAfp5GXEtWCe76rv2U8DY19RDg"
/* is not listed */
#define CA_OTHER                                                                                   \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF+k7ZZWksI34SAuBzR1+eAoe7u/I49+A3a8"                 \
	"9OX8+4M9"
#define CA_OTHER_FP "SHA256:sfXmUMTJu7NZ/yHGWU3Jdm9T8SSMo/3UafjX/jwhbWs"
/* is listed, profile teleport */
#define CA_TELEPORT                                                                                \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHeDWnkWe2VkWpmP2H6gWvqDyT0zMHWtBmvZ"                 \
	"CfZt80HQ"
#define CA_TELEPORT_FP "SHA256:OiHp4j05rARDvdIU8qz4oWgmLF+Poy4uOphFa+d3VaU"
#define KEY_1                                                                                      \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKkFeWDIZXf9mmU56o2JZiWAcQ4xUo8/tdaf"                 \
	"kJ2AuaBC"
#define KEY_1_FP "SHA256:cRbNDN+w7EH20RAYc80ay7EdaOv8ux7u/wozCqTuyak"
#define KEY_2                                                                                      \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPqHaGiITRW+Lra3Lwq8TzqXwQpM9mb3qlW1"                 \
	"yHi+ldvz"
#define KEY_2_FP "SHA256:0xdRl6sYLAGZpU7IWCTdyRW4flbL/lL6dr/7K34cKOI"
/* KEY_1 by CA_OURS: REQ-1, key id REQ-1/alice, serial 1042, requester, two approvers, flow */
#define CERT_1                                                                                     \
	"ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5"                 \
	"zc2guY29tAAAAIN5Y4IC8Mm30KNF85A/eAwlYcxpokrBUkb5Ocmc3dhxIAAAAIKkFeWDIZXf"                 \
	"9mmU56o2JZiWAcQ4xUo8/tdafkJ2AuaBCAAAAAAAABBIAAAABAAAAC1JFUS0xL2FsaWNlAAA"                 \
	"ABwAAAANkYmEAAAAAAAAAAP//////////AAAAAAAAASgAAAASYXBwcm92ZXJAc2Vzc2F1ZGl"                 \
	"0AAAAGQAAABVib2JAZXhhbXBsZS5jb20sY2Fyb2wAAAAOZmxvd0BzZXNzYXVkaXQAAAAIAAA"                 \
	"ABHByb2QAAAAVcGVybWl0LVgxMS1mb3J3YXJkaW5nAAAAAAAAABdwZXJtaXQtYWdlbnQtZm9"                 \
	"yd2FyZGluZwAAAAAAAAAWcGVybWl0LXBvcnQtZm9yd2FyZGluZwAAAAAAAAAKcGVybWl0LXB"                 \
	"0eQAAAAAAAAAOcGVybWl0LXVzZXItcmMAAAAAAAAAFHJlcXVlc3QtaWRAc2Vzc2F1ZGl0AAA"                 \
	"ACQAAAAVSRVEtMQAAABNyZXF1ZXN0ZXJAc2Vzc2F1ZGl0AAAAFQAAABFhbGljZUBleGFtcGx"                 \
	"lLmNvbQAAAAAAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIMXzGTa6ezJVqv/8iOu7xinm5rrlCRa"                 \
	"xwpic5StU4GzgAAAAUwAAAAtzc2gtZWQyNTUxOQAAAECryQa57i4DCIYZAIqFvxEJQRqgW30"                 \
	"B1sKnXNUdqbYlZvUYrD9iOi4f2OZuMX3yXMf3Iqva1LC4YNfiSYatvkgF"
/* KEY_2 by CA_OURS: REQ-2, key id second, serial 2^64-1 */
#define CERT_2                                                                                     \
	"ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5"                 \
	"zc2guY29tAAAAIIPtnESH4Gx5J8f49Yn8W0LJPhvAZgozQzsU19UTA20mAAAAIPqHaGiITRW"                 \
	"+Lra3Lwq8TzqXwQpM9mb3qlW1yHi+ldvz//////////8AAAABAAAABnNlY29uZAAAAAcAAAA"                 \
	"DZGJhAAAAAAAAAAD//////////wAAAAAAAACnAAAAFXBlcm1pdC1YMTEtZm9yd2FyZGluZwA"                 \
	"AAAAAAAAXcGVybWl0LWFnZW50LWZvcndhcmRpbmcAAAAAAAAAFnBlcm1pdC1wb3J0LWZvcnd"                 \
	"hcmRpbmcAAAAAAAAACnBlcm1pdC1wdHkAAAAAAAAADnBlcm1pdC11c2VyLXJjAAAAAAAAABR"                 \
	"yZXF1ZXN0LWlkQHNlc3NhdWRpdAAAAAkAAAAFUkVRLTIAAAAAAAAAMwAAAAtzc2gtZWQyNTU"                 \
	"xOQAAACDF8xk2unsyVar//Ijru8Yp5ua65QkWscKYnOUrVOBs4AAAAFMAAAALc3NoLWVkMjU"                 \
	"1MTkAAABAPiVWG++N50WMS1gbWCKUiHwpbCip12y78Ldd9KzEg4WdmTLOntuujarmdGKqTkD"                 \
	"m3kqDTQRg5bKhOM4B7VPtDw=="
/* KEY_1 by CA_OURS: no request, key id plain-alice, serial 7 */
#define CERT_NO_ID                                                                                 \
	"ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5"                 \
	"zc2guY29tAAAAIH/LPsCa13u2WzcTeMlUzVaLxAyqO+fJ0968UrEUH5FMAAAAIKkFeWDIZXf"                 \
	"9mmU56o2JZiWAcQ4xUo8/tdafkJ2AuaBCAAAAAAAAAAcAAAABAAAAC3BsYWluLWFsaWNlAAA"                 \
	"ABwAAAANkYmEAAAAAAAAAAP//////////AAAAAAAAAIIAAAAVcGVybWl0LVgxMS1mb3J3YXJ"                 \
	"kaW5nAAAAAAAAABdwZXJtaXQtYWdlbnQtZm9yd2FyZGluZwAAAAAAAAAWcGVybWl0LXBvcnQ"                 \
	"tZm9yd2FyZGluZwAAAAAAAAAKcGVybWl0LXB0eQAAAAAAAAAOcGVybWl0LXVzZXItcmMAAAA"                 \
	"AAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAgxfMZNrp7MlWq//yI67vGKebmuuUJFrHCmJz"                 \
	"lK1TgbOAAAABTAAAAC3NzaC1lZDI1NTE5AAAAQAgbDw275TRqqpJaYl4qR7U+6l/xnIYR4dH"                 \
	"QOoS1DJcYLgBu2PuPnJPFf2OBH4KVh5/nrcS0K2GMn4fHgIaTDwA="
/* as CERT_1, but by CA_OTHER */
#define CERT_OTHER_CA                                                                              \
	"ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5"                 \
	"zc2guY29tAAAAIJbWvp8WJxg4AP4QA44rzqBNQNK9FhdWRwm1CNpf/FpjAAAAIKkFeWDIZXf"                 \
	"9mmU56o2JZiWAcQ4xUo8/tdafkJ2AuaBCAAAAAAAABBIAAAABAAAAC1JFUS0xL2FsaWNlAAA"                 \
	"ABwAAAANkYmEAAAAAAAAAAP//////////AAAAAAAAAKcAAAAVcGVybWl0LVgxMS1mb3J3YXJ"                 \
	"kaW5nAAAAAAAAABdwZXJtaXQtYWdlbnQtZm9yd2FyZGluZwAAAAAAAAAWcGVybWl0LXBvcnQ"                 \
	"tZm9yd2FyZGluZwAAAAAAAAAKcGVybWl0LXB0eQAAAAAAAAAOcGVybWl0LXVzZXItcmMAAAA"                 \
	"AAAAAFHJlcXVlc3QtaWRAc2Vzc2F1ZGl0AAAACQAAAAVSRVEtMQAAAAAAAAAzAAAAC3NzaC1"                 \
	"lZDI1NTE5AAAAIF+k7ZZWksI34SAuBzR1+eAoe7u/I49+A3a89OX8+4M9AAAAUwAAAAtzc2g"                 \
	"tZWQyNTUxOQAAAECOUGfzg5Cf9xBexZISWHTICvNV+YjXSQ4+wYMDcCYCQQipZrgnttWlzl0"                 \
	"BNQTqSg4mUl3r1HVfy/DAjRMtMWcM"
/* KEY_1 by CA_OURS: the request has a newline in it */
#define CERT_BAD_ID                                                                                \
	"ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5"                 \
	"zc2guY29tAAAAINQxeDyMm4dsvRAovcstoKEHwA75UnSbk+9ZHv04xf6CAAAAIKkFeWDIZXf"                 \
	"9mmU56o2JZiWAcQ4xUo8/tdafkJ2AuaBCAAAAAAAAAAkAAAABAAAAA2JhZAAAAAcAAAADZGJ"                 \
	"hAAAAAAAAAAD//////////wAAAAAAAACnAAAAFXBlcm1pdC1YMTEtZm9yd2FyZGluZwAAAAA"                 \
	"AAAAXcGVybWl0LWFnZW50LWZvcndhcmRpbmcAAAAAAAAAFnBlcm1pdC1wb3J0LWZvcndhcmR"                 \
	"pbmcAAAAAAAAACnBlcm1pdC1wdHkAAAAAAAAADnBlcm1pdC11c2VyLXJjAAAAAAAAABRyZXF"                 \
	"1ZXN0LWlkQHNlc3NhdWRpdAAAAAkAAAAFUkVRCjEAAAAAAAAAMwAAAAtzc2gtZWQyNTUxOQA"                 \
	"AACDF8xk2unsyVar//Ijru8Yp5ua65QkWscKYnOUrVOBs4AAAAFMAAAALc3NoLWVkMjU1MTk"                 \
	"AAABAT4sGP915R9Fu5eQ6hMYTv1fkQLzn9fssDBLdI9PEBYUoR5s23n0NxJ2cFzNxVVwCIR/"                 \
	"nj9QTXUl7jw3CEjFMCA=="
/* KEY_1 by CA_TELEPORT: REQ-9 and REQ-1, key id alice */
#define CERT_TELEPORT                                                                              \
	"ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5"                 \
	"zc2guY29tAAAAIHUg+66+wH0hmGFoeCO4/N5W40B+WW/MSjJH3OetT3csAAAAIKkFeWDIZXf"                 \
	"9mmU56o2JZiWAcQ4xUo8/tdafkJ2AuaBCAAAAAAAAAAMAAAABAAAABWFsaWNlAAAABwAAAAN"                 \
	"kYmEAAAAAAAAAAP//////////AAAAAAAAAMsAAAAVcGVybWl0LVgxMS1mb3J3YXJkaW5nAAA"                 \
	"AAAAAABdwZXJtaXQtYWdlbnQtZm9yd2FyZGluZwAAAAAAAAAWcGVybWl0LXBvcnQtZm9yd2F"                 \
	"yZGluZwAAAAAAAAAKcGVybWl0LXB0eQAAAAAAAAAOcGVybWl0LXVzZXItcmMAAAAAAAAAGHR"                 \
	"lbGVwb3J0LWFjdGl2ZS1yZXF1ZXN0cwAAACkAAAAleyJhY2Nlc3NfcmVxdWVzdHMiOlsiUkV"                 \
	"RLTkiLCJSRVEtMSJdfQAAAAAAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIHeDWnkWe2VkWpmP2H6"                 \
	"gWvqDyT0zMHWtBmvZCfZt80HQAAAAUwAAAAtzc2gtZWQyNTUxOQAAAEDV4n2qYwxqmie3w0B"                 \
	"dUhn9z5DEZd23/5tWkQtvMG6A4PbH+1fXf9O4bKJsdNTKx9ldZnLolmhzI1qXpcjsTr4K"
/* KEY_1 by CA_OURS, a host certificate */
#define CERT_HOST                                                                                  \
	"ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5"                 \
	"zc2guY29tAAAAIHGEv22CCGcWPnDS9ipr1tbOaE0iqHmWCW2CMpIgOyoTAAAAIKkFeWDIZXf"                 \
	"9mmU56o2JZiWAcQ4xUo8/tdafkJ2AuaBCAAAAAAAAAAQAAAACAAAABGhvc3QAAAAHAAAAA2R"                 \
	"iYQAAAAAAAAAA//////////8AAAAAAAAAAAAAAAAAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIMX"                 \
	"zGTa6ezJVqv/8iOu7xinm5rrlCRaxwpic5StU4GzgAAAAUwAAAAtzc2gtZWQyNTUxOQAAAEC"                 \
	"Fr/Jy1oNgBFTmcD+fJKreXQlRrpsYK2+V1NoQq6QaauZeyHfHGgx4q6ZeJqX8pZBOk8cCbfJ"                 \
	"X7Ro28xlalpIP"

#endif
