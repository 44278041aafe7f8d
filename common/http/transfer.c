/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/http/transfer.h"

#define UPLOAD_BUFFER 131072L /* most objects go out in one read */
#define UNSENT_MAX 16384      /* see on_socket */

/* The most that the kernel holds unsent is bounded: otherwise it would take megabytes at once, and
 * on a slow line a transfer that moves would look as if it stood still. */
static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	int max = UNSENT_MAX;

	(void)ctx;
	if (purpose == CURLSOCKTYPE_IPCXN)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &max, sizeof(max));
	return CURL_SOCKOPT_OK;
}

/* 0 at the end of the file, -1 when it cannot be read. */
static ssize_t read_fd(const struct transfer *t, char *to, size_t n)
{
	ssize_t got;

	do
		got = pread(t->body_fd, to, n, (off_t)t->body_at);
	while (got < 0 && errno == EINTR);
	return got;
}

static size_t on_read(char *to, size_t size, size_t items, void *ctx)
{
	struct transfer *t = ctx;
	uint64_t left = t->body_size - t->body_at;
	size_t n = left < size * items ? (size_t)left : size * items;
	ssize_t got = (ssize_t)n;

	if (n == 0)
		return 0;
	if (t->body.ptr)
		memcpy(to, t->body.ptr + t->body_at, n);
	else
		got = read_fd(t, to, n);
	if (got < 0)
		(void)sa_fail(&t->err, SA_ERR_IO, "read what is to be sent: %s", strerror(errno));
	else if (got == 0)
		(void)sa_fail(&t->err, SA_ERR_IO,
			      "what is to be sent is %" PRIu64 " bytes long, not %" PRIu64,
			      t->body_at, t->body_size);
	if (got <= 0)
		return CURL_READFUNC_ABORT;
	t->body_at += (uint64_t)got;
	return (size_t)got;
}

/* The library sends again by itself when a kept connection breaks. It may not once the server can
 * have had the whole: whether that was stored would never be known. */
static int on_seek(void *ctx, curl_off_t to, int origin)
{
	struct transfer *t = ctx;

	if (origin != SEEK_SET || to < 0 || (uint64_t)to > t->body_size)
		return CURL_SEEKFUNC_FAIL;
	if (t->body_at == t->body_size && t->body_size > 0)
		return CURL_SEEKFUNC_FAIL;
	t->body_at = (uint64_t)to;
	return CURL_SEEKFUNC_OK;
}

static void take_field(struct transfer *t, struct slice line)
{
	const char *colon = memchr(line.ptr, ':', line.len);
	char name[128];
	size_t n = colon ? (size_t)(colon - line.ptr) : 0;

	if (!colon || n >= sizeof(name)) {
		t->a.headers.failed = true;
		return;
	}
	memcpy(name, line.ptr, n);
	name[n] = '\0';
	headers_add(&t->a.headers, name, (struct slice){colon + 1, line.len - n - 1});
}

/* Called with one whole line of a head, its end included. Several heads may come (100 Continue);
 * the last one counts. What follows a body (trailers) is passed over. */
static size_t on_header(char *ptr, size_t size, size_t items, void *ctx)
{
	struct transfer *t = ctx;
	struct slice line = {ptr, size * items};

	while (line.len > 0 && (ptr[line.len - 1] == '\n' || ptr[line.len - 1] == '\r'))
		line.len--;
	if (!t->in_head && slice_starts(line, "HTTP/")) {
		headers_clear(&t->a.headers);
		t->in_head = true;
	} else if (line.len == 0) {
		t->in_head = false;
	} else if (t->in_head) {
		take_field(t, line);
	}
	if (!t->a.headers.failed)
		return size * items;
	(void)sa_fail(&t->err, SA_ERR_INVALID, "%s: too many or broken header fields in the answer",
		      t->host);
	return 0;
}

static size_t on_write(char *ptr, size_t size, size_t items, void *ctx)
{
	struct transfer *t = ctx;
	struct buf *b = &t->a.body;
	size_t n = size * items;

	if (n > b->max - b->len) {
		(void)sa_fail(&t->err, SA_ERR_TOOBIG, "%s: the answer is longer than %zu bytes",
			      t->host, b->max);
		return 0;
	}
	buf_append(b, ptr, n);
	if (!b->failed)
		return n;
	(void)sa_fail(&t->err, SA_ERR_NOMEM, "%s: out of memory", t->host);
	return 0;
}

void transfer_free(struct transfer *t)
{
	if (!t)
		return;
	curl.easy_cleanup(t->easy);
	free(t);
}

static bool set_numbers(CURL *e)
{
	static const struct {
		CURLoption option;
		long value;
	} fixed[] = {
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
		{CURLOPT_FOLLOWLOCATION, 0},
		{CURLOPT_PATH_AS_IS, 1},
		{CURLOPT_DISALLOW_USERNAME_IN_URL, 1},
		{CURLOPT_NETRC, CURL_NETRC_IGNORED},
		{CURLOPT_HEADEROPT, CURLHEADER_SEPARATE}, /* ours are not for the proxy */
		{CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
		{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2}, /* or later */
		{CURLOPT_SSL_VERIFYPEER, 1},
		{CURLOPT_SSL_VERIFYHOST, 2},
		{CURLOPT_TCP_NODELAY, 1},
		{CURLOPT_TCP_KEEPALIVE, 1},
#if LIBCURL_VERSION_NUM >= 0x073e00 /* 7.62 */
		{CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER},
#endif
#if LIBCURL_VERSION_NUM >= 0x074000 /* 7.64; before that such an answer has no status */
		{CURLOPT_HTTP09_ALLOWED, 0},
#endif
#if LIBCURL_VERSION_NUM < 0x075500 /* 7.85 */
		{CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS},
#endif
	};

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (curl.easy_setopt(e, fixed[i].option, fixed[i].value) != CURLE_OK)
			return false;
	return true;
}

static bool set_texts(CURL *e, const struct http_options *o)
{
	static const char agent[] = PACKAGE_NAME "/" PACKAGE_VERSION;

#if LIBCURL_VERSION_NUM >= 0x075500
	if (curl.easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK)
		return false;
#endif
	/* Without CAPATH the system's directory of CAs would count as well. */
	if (o->ca_file && o->ca_file[0] &&
	    (curl.easy_setopt(e, CURLOPT_CAINFO, o->ca_file) != CURLE_OK ||
	     curl.easy_setopt(e, CURLOPT_CAPATH, NULL) != CURLE_OK))
		return false;
	return curl.easy_setopt(e, CURLOPT_NOPROXY, o->no_proxy) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_USERAGENT, agent) == CURLE_OK;
}

static bool set_callbacks(struct transfer *t)
{
	CURL *e = t->easy;

	return curl.easy_setopt(e, CURLOPT_PRIVATE, t) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_ERRORBUFFER, t->reason) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_READFUNCTION, on_read) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_READDATA, t) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_SEEKDATA, t) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_HEADERDATA, t) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_WRITEFUNCTION, on_write) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_WRITEDATA, t) == CURLE_OK;
}

struct transfer *transfer_new(const struct http_options *o)
{
	struct transfer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->o = o;
	t->easy = curl.easy_init();
	if (t->easy && set_numbers(t->easy) && set_texts(t->easy, o) && set_callbacks(t) &&
	    curl.easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms) == CURLE_OK)
		return t;
	transfer_free(t);
	return NULL;
}

/* "name:value" lines for the library, in one block; an empty value is written "name;". */
static bool make_lines(struct transfer *t, const struct headers *h)
{
	size_t n = h ? h->len : 0, size = sizeof("Expect:");
	char *to;

	for (size_t i = 0; i < n; i++)
		size += strlen(h->items[i].name) + strlen(h->items[i].value) + 2;
	to = t->lines = malloc(size);
	if (!to)
		return false;
	t->lines_size = size;
	for (size_t i = 0; i < n; i++) {
		const struct header *f = &h->items[i];

		t->fields[i] = (struct curl_slist){to, &t->fields[i + 1]};
		to = stpcpy(stpcpy(to, f->name), f->value[0] ? ":" : ";");
		to = stpcpy(to, f->value) + 1;
	}
	memcpy(to, "Expect:", sizeof("Expect:")); /* none: it costs a round trip */
	t->fields[n] = (struct curl_slist){to, NULL};
	return true;
}

/* "host:port" of the URL, for messages. */
static void take_host(struct transfer *t, const char *url)
{
	const char *host = strstr(url, "://") + 3;
	size_t n = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', n);

	if (at) {
		n -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	if (n >= sizeof(t->host))
		n = sizeof(t->host) - 1;
	memcpy(t->host, host, n);
	t->host[n] = '\0';
}

/* The options that differ from request to request: each is set each time. */
static bool set_request(struct transfer *t, const struct http_request *r)
{
	CURL *e = t->easy;
	bool put = t->body.ptr || t->body_size > 0 || strcmp(r->method, "PUT") == 0 ||
		   strcmp(r->method, "POST") == 0;

	return curl.easy_setopt(e, CURLOPT_HTTPGET, 1L) == CURLE_OK && /* takes back the next two */
	       (!put || curl.easy_setopt(e, CURLOPT_UPLOAD, 1L) == CURLE_OK) &&
	       (strcmp(r->method, "HEAD") != 0 ||
		curl.easy_setopt(e, CURLOPT_NOBODY, 1L) == CURLE_OK) &&
	       curl.easy_setopt(e, CURLOPT_INFILESIZE_LARGE,
				put ? (curl_off_t)t->body_size : (curl_off_t)-1) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_URL, r->url) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_HTTPHEADER, t->fields) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_PROXY, r->direct ? "" : t->o->proxy) == CURLE_OK &&
	       curl.easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)r->total_ms) == CURLE_OK;
}

static int check_request(const struct http_request *r, struct sa_err *err)
{
	if (strncasecmp(r->url, "http://", 7) != 0 && strncasecmp(r->url, "https://", 8) != 0)
		return sa_fail(err, SA_ERR_INVALID, "not an http or https URL");
	for (const char *p = r->url; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return sa_fail(err, SA_ERR_INVALID, "a URL with a blank or control byte");
	if (r->method[0] == '\0' ||
	    r->method[strspn(r->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0')
		return sa_fail(err, SA_ERR_INVALID, "not a method of HTTP");
	if (r->headers && r->headers->failed)
		return sa_fail(err, SA_ERR_INVALID, "header fields over the bounds or broken");
	return 0;
}

int transfer_prepare(struct transfer *t, const struct http_request *r, struct sa_err *err)
{
	int rc = check_request(r, err);

	if (rc < 0)
		return rc;
	t->body = r->body;
	t->body_fd = r->body_fd;
	t->body_size = r->body_fd >= 0 ? r->body_size : 0;
	if (r->body.ptr)
		t->body_size = r->body.len;
	t->body_at = 0;
	t->in_head = false;
	t->moved = -1;
	t->moved_ms = clock_mono_ms();
	t->reason[0] = '\0';
	t->err = (struct sa_err){0};
	buf_init(&t->a.body, r->max_body);
	take_host(t, r->url);
	if (!make_lines(t, r->headers) || !set_request(t, r))
		return sa_fail(err, SA_ERR_NOMEM, "out of memory for a request");
	return 0;
}

void transfer_clear(struct transfer *t)
{
	if (t->lines)
		explicit_bzero(t->lines, t->lines_size);
	free(TAKE_PTR(t->lines));
	http_answer_free(&t->a);
}

void http_answer_free(struct http_answer *a)
{
	headers_clear(&a->headers);
	if (a->body.data)
		explicit_bzero(a->body.data, a->body.cap); /* may be credentials */
	buf_free(&a->body);
	a->status = 0;
	a->sent = false;
}

/* Any change of this is movement. -1: no connection yet, which has a time limit of its own. */
static int64_t movement(const struct transfer *t)
{
	curl_off_t begun = 0, up = 0, down = 0;
	long head = 0, request = 0;

	(void)curl.easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &begun);
	(void)curl.easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	(void)curl.easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	(void)curl.easy_getinfo(t->easy, CURLINFO_HEADER_SIZE, &head);
	(void)curl.easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &request);
	return begun > 0 ? up + down + head + request : -1;
}

/* Why not the library's CURLOPT_LOW_SPEED_TIME: it counts whole seconds of an average over the last
 * five, and adds up what it sends with what it receives in some versions only. */
bool transfer_stalled(struct transfer *t, int64_t now_ms)
{
	int64_t moved = movement(t);

	if (moved < 0 || moved != t->moved) {
		t->moved = moved;
		t->moved_ms = now_ms;
	}
	if (now_ms - t->moved_ms < t->o->stall_ms)
		return false;
	(void)sa_fail(&t->err, SA_ERR_AGAIN, "%s: nothing has moved for %" PRId64 " ms", t->host,
		      t->o->stall_ms);
	return true;
}

static int code_of(CURLcode c)
{
	switch (c) {
	case CURLE_OK:
		return 0;
	case CURLE_PEER_FAILED_VERIFICATION:
#if LIBCURL_VERSION_NUM < 0x073e00 /* later the same number */
	case CURLE_SSL_CACERT:
#endif
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return SA_ERR_PERM;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL: /* also an answer that is not HTTP/1 */
	case CURLE_LOGIN_DENIED:         /* a user in the URL */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return SA_ERR_INVALID;
	case CURLE_OUT_OF_MEMORY:
		return SA_ERR_NOMEM;
	default:
		return SA_ERR_AGAIN;
	}
}

/* The library's own text names files and the server's certificate, but also a proxy's URL with its
 * password: it is taken for certificates only, and made printable. */
static void reason_of(const struct transfer *t, CURLcode c, char *out, size_t size)
{
	long errnum = 0, proxy_status = 0;

	if (c == CURLE_COULDNT_CONNECT || c == CURLE_SEND_ERROR || c == CURLE_RECV_ERROR)
		(void)curl.easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &errnum);
	(void)curl.easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	if (c == CURLE_SEND_FAIL_REWIND) /* see on_seek */
		snprintf(out, size, "the connection broke before the answer");
	else if (proxy_status >= 300)
		snprintf(out, size, "the proxy answers %ld to CONNECT", proxy_status);
	else if (code_of(c) == SA_ERR_PERM && t->reason[0])
		snprintf(out, size, "%s", t->reason);
	else if (errnum != 0)
		snprintf(out, size, "%s: %s", curl.easy_strerror(c), strerror((int)errnum));
	else
		snprintf(out, size, "%s", curl.easy_strerror(c));
	for (char *p = out; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

/* False only when it is certain: the transfer never came to where a request is written. */
static bool maybe_sent(const struct transfer *t)
{
	curl_off_t begun = 1;
	long size = 1;

	if (curl.easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &begun) != CURLE_OK ||
	    curl.easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &size) != CURLE_OK)
		return true;
	return begun > 0 || size > 0 || t->body_at > 0;
}

void transfer_judge(struct transfer *t, CURLcode c)
{
	char reason[CURL_ERROR_SIZE + 64];
	long status = 0;

	(void)curl.easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	t->a.status = status >= 200 ? (int)status : 0;
	t->a.sent = maybe_sent(t);
	if (t->err.code != 0)
		return;
	reason_of(t, c, reason, sizeof(reason));
	if (c != CURLE_OK)
		(void)sa_fail(&t->err, code_of(c), "%s: %s", t->host, reason);
	else if (t->in_head) /* the library takes what ends in the head for an answer */
		(void)sa_fail(&t->err, SA_ERR_AGAIN, "%s: the answer is cut off", t->host);
	else if (t->a.status == 0)
		(void)sa_fail(&t->err, SA_ERR_INVALID, "%s: the answer has no status", t->host);
}
