/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/* The ways to a server: proxies, IPv6, TLS. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "tests/unit/http_seen.h"
#include "tests/unit/httpd.h"
#include "tests/unit/tap.h"

/* Remembers what it saw last; answers CONNECT with 403. */
static struct node {
	struct httpd *h;
	char method[16], target[200], fields[1000];
} server, proxy;

static void on_request(void *ctx, const struct httpd_request *r, struct httpd_reply *out)
{
	struct node *n = ctx;
	size_t used = 0;

	snprintf(n->method, sizeof(n->method), "%s", r->method);
	snprintf(n->target, sizeof(n->target), "%s", r->target);
	for (size_t i = 0; i < r->headers.len && used < sizeof(n->fields); i++)
		used += (size_t)snprintf(n->fields + used, sizeof(n->fields) - used, "%s: %s\n",
					 r->headers.items[i].name, r->headers.items[i].value);
	httpd_answer(out, strcmp(r->method, "CONNECT") == 0 ? 403 : 200,
		     n == &proxy ? "proxy" : "server");
	headers_add(&out->headers, "X-Echo", slice_of(r->method));
}

/* One GET by a new client; what was answered. */
static struct seen ask(const struct http_options *o, const char *url)
{
	_cleanup_http_ struct http *h = seen_client(o);
	_cleanup_headers_ struct headers fields = {0};
	struct http_request r = {
		.method = "GET", .url = url, .headers = &fields, .body_fd = -1, .max_body = 100000};

	headers_add(&fields, "Authorization", SLICE_LIT("SECRET"));
	return seen_ask(h, &r);
}

static void test_proxy(const char *proxy_url, const char *url)
{
	struct seen s = ask(&(struct http_options){.proxy = proxy_url},
			    "http://bucket.example.com:81/a/../b?c");

	tap_int(s.rc, 0, "by a proxy: %s", s.msg);
	tap_str(s.body, "proxy", "it answers");
	tap_str(proxy.target, "http://bucket.example.com:81/a/../b?c", "and sees the whole URL");
	s = ask(&(struct http_options){.proxy = ""}, url);
	tap_str(s.body, "server", "no proxy");
	tap_str(server.target, "/x", "the server sees the path");
	s = ask(&(struct http_options){.proxy = proxy_url, .no_proxy = "a.example,127.0.0.1"}, url);
	tap_str(s.body, "server", "a host of no_proxy");
	s = ask(&(struct http_options){.proxy = proxy_url, .no_proxy = "a.example"}, url);
	tap_str(s.body, "proxy", "a host that is not");
}

static void test_environment(const char *proxy_url, const char *url)
{
	setenv("http_proxy", proxy_url, 1);
	tap_str(ask(&(struct http_options){0}, url).body, "proxy", "as http_proxy says");
	tap_str(ask(&(struct http_options){.proxy = ""}, url).body, "server",
		"none, whatever http_proxy says");
	setenv("no_proxy", "127.0.0.1", 1);
	tap_str(ask(&(struct http_options){0}, url).body, "server", "as no_proxy says");
	tap_str(ask(&(struct http_options){.no_proxy = "a.example"}, url).body, "proxy",
		"our no_proxy goes before that");
	unsetenv("no_proxy");
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	tap_str(ask(&(struct http_options){.proxy = proxy_url}, url).body, "proxy",
		"our proxy goes before http_proxy");
	unsetenv("http_proxy");
}

static void test_direct(const char *proxy_url, const char *url)
{
	_cleanup_http_ struct http *h = seen_client(&(struct http_options){.proxy = proxy_url});
	struct http_request r = {.method = "GET", .url = url, .body_fd = -1, .max_body = 100};

	for (int i = 0; i < 4; i++) {
		r.direct = i % 2;
		tap_str(seen_ask(h, &r).body, r.direct ? "server" : "proxy", "direct: %d",
			r.direct);
	}
}

static void test_connect(const char *proxy_url)
{
	struct seen s = ask(&(struct http_options){.proxy = proxy_url},
			    "https://bucket.example.com/path?SECRET");
	int port = httpd_port(proxy.h);
	char bad[100];

	tap_int(s.rc, SA_ERR_AGAIN, "the proxy refuses CONNECT");
	tap_int(s.status, 0, "its status is not the server's");
	tap_str(s.echo, "none", "nor are its header fields");
	tap_str(s.msg, "bucket.example.com: the proxy answers 403 to CONNECT", "says so");
	tap_str(proxy.method, "CONNECT", "it was asked for a tunnel");
	tap_str(proxy.target, "bucket.example.com:443", "to the host");
	tap_ok(!strstr(proxy.fields, "SECRET"), "it gets none of our fields: %s", proxy.fields);
	snprintf(bad, sizeof(bad), "http://user:SECRET@127.0.0.1:%d", port);
	s = ask(&(struct http_options){.proxy = bad}, "http://bucket.example.com/");
	tap_str(s.body, "proxy", "a proxy that wants a password");
	tap_ok(strstr(proxy.fields, "Proxy-Authorization: Basic dXNlcjpTRUNSRVQ=\n"), "gets it: %s",
	       proxy.fields);
	s = ask(&(struct http_options){.proxy = "nonsense://user:SECRET@127.0.0.1:1"},
		"http://bucket.example.com/");
	tap_ok(s.rc < 0 && !s.sent && !strstr(s.msg, "SECRET"), "a wrong proxy: %s", s.msg);
}

static void test_routes(void)
{
	char proxy_url[60], url[60];

	server.h = httpd_start(on_request, &server);
	proxy.h = httpd_start(on_request, &proxy);
	snprintf(proxy_url, sizeof(proxy_url), "http://127.0.0.1:%d", httpd_port(proxy.h));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", httpd_port(server.h));
	test_proxy(proxy_url, url);
	test_environment(proxy_url, url);
	test_direct(proxy_url, url);
	test_connect(proxy_url);
	httpd_stop(server.h);
	httpd_stop(proxy.h);
}

static void test_ipv6(void)
{
	struct httpd *h = httpd_start_at("::1", 0, on_request, &server);
	char url[60], want[60];

	if (!h) {
		tap_skip("no ::1 here", "IPv6");
		return;
	}
	snprintf(url, sizeof(url), "http://[::1]:%d/x", httpd_port(h));
	tap_str(ask(&(struct http_options){.proxy = ""}, url).body, "server", "IPv6");
	snprintf(want, sizeof(want), "Host: [::1]:%d\n", httpd_port(h));
	tap_ok(strncmp(server.fields, want, strlen(want)) == 0, "Host: %s", server.fields);
	httpd_stop(h);
}

/* Two authorities, and a certificate of the first for "localhost". */
static const char make_certificates[] =
	"exec >log 2>&1; set -e; key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'\n"
	"for ca in right wrong; do\n"
	"  openssl req -x509 $key -keyout $ca.key -out $ca.pem -days 2 -subj /CN=$ca"
	"    -addext basicConstraints=critical,CA:TRUE\n"
	"done\n"
	"openssl req -new $key -keyout server.key -out server.csr -subj /CN=server\n"
	"echo subjectAltName=DNS:localhost >ext\n"
	"openssl x509 -req -in server.csr -CA right.pem -CAkey right.key -CAcreateserial -days 2"
	"  -extfile ext -out server.pem\n";

/* openssl s_server on 127.0.0.1; its port, 0 when it does not start. */
static int start_tls(pid_t *pid)
{
	int ends[2], port = 0;
	char line[200];
	FILE *out;

	if (pipe2(ends, O_CLOEXEC) < 0 || (*pid = fork()) < 0)
		abort();
	if (*pid == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 0);
		dup2(ends[1], 1);
		dup2(null, 2);
		execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
		       "server.pem", "-key", "server.key", "-www", (char *)NULL);
		_exit(1);
	}
	close(ends[1]);
	out = fdopen(ends[0], "r");
	while (port == 0 && fgets(line, sizeof(line), out))
		(void)!sscanf(line, "ACCEPT 127.0.0.1:%d", &port);
	fclose(out);
	return port;
}

static void check_tls(int port)
{
	static const struct {
		const char *what, *ca, *host;
		int rc;
	} cases[] = {
		{"the right authority", "right.pem", "localhost", 0},
		{"another authority", "wrong.pem", "localhost", SA_ERR_PERM},
		{"another host", "right.pem", "127.0.0.1", SA_ERR_PERM},
		{"the system's authorities", "", "localhost", SA_ERR_PERM},
		{"no file of authorities", "none.pem", "localhost", SA_ERR_PERM},
		{"a file of no authority", "ext", "localhost", SA_ERR_PERM},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char url[80];
		struct seen s;

		snprintf(url, sizeof(url), "https://%s:%d/", cases[i].host, port);
		s = ask(&(struct http_options){.ca_file = cases[i].ca, .proxy = ""}, url);
		tap_int(s.rc, cases[i].rc, "TLS: %s: %s", cases[i].what, s.msg);
		tap_int(s.sent, cases[i].rc == 0, "TLS: %s: sent", cases[i].what);
		tap_int(s.status, cases[i].rc == 0 ? 200 : 0, "TLS: %s: status", cases[i].what);
	}
}

/* Writing to what is gone is an error, no signal. */
static void test_server_dies(int port, pid_t pid)
{
	_cleanup_http_ struct http *h =
		seen_client(&(struct http_options){.ca_file = "right.pem", .proxy = ""});
	_cleanup_free_ char *body = calloc(1, 8 << 20);
	struct seen s = {0};
	struct sa_err err;
	char url[80];
	struct http_request r = {.method = "PUT",
				 .url = url,
				 .body = {body, 8 << 20},
				 .body_fd = -1,
				 .max_body = 1000};

	signal(SIGPIPE, SIG_DFL);
	snprintf(url, sizeof(url), "https://localhost:%d/", port);
	tap_int(http_start(h, &r, seen_done, &s, &err), 0, "a long PUT");
	for (int i = 0; i < 10; i++)
		http_run(h, 30, NULL, 0);
	tap_int(s.calls, 0, "is under way");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	seen_finish_all(h);
	tap_int(s.rc, SA_ERR_AGAIN, "the server dies: %s", s.msg);
	tap_ok(s.sent, "some of it was sent");
}

static void test_wrong_scheme(int tls_port)
{
	struct httpd *h = httpd_start(on_request, &server);
	char url[80];
	struct seen s;

	snprintf(url, sizeof(url), "https://localhost:%d/", httpd_port(h));
	s = ask(&(struct http_options){.proxy = ""}, url);
	tap_int(s.rc, SA_ERR_AGAIN, "https to a port of http: %s", s.msg);
	tap_ok(!s.sent, "is not sent");
	httpd_stop(h);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", tls_port);
	s = ask(&(struct http_options){.proxy = ""}, url);
	tap_ok(s.rc == SA_ERR_INVALID || s.rc == SA_ERR_AGAIN, "http to a port of https: %s",
	       s.msg);
	tap_int(s.status, 0, "no status");
}

static void test_tls(void)
{
	char dir[] = "/tmp/sessaudit-test-XXXXXX";
	pid_t pid;
	int port;

	if (system("openssl version >/dev/null 2>&1") != 0) {
		tap_skip("no openssl command", "TLS");
		return;
	}
	if (!mkdtemp(dir) || chdir(dir) < 0)
		abort();
	if (tap_int(system(make_certificates), 0, "certificates are made")) {
		port = start_tls(&pid);
		if (tap_ok(port > 0, "openssl s_server runs")) {
			check_tls(port);
			test_wrong_scheme(port);
			test_server_dies(port, pid);
		}
	}
	if (system("rm -f right.* wrong.* server.* ext log") != 0 || chdir("/") < 0 ||
	    rmdir(dir) < 0)
		tap_ok(false, "%s is left behind", dir);
}

int main(void)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
					    "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
	test_routes();
	test_ipv6();
	test_tls();
	return tap_done();
}
