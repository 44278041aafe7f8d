/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "agent/collector/redact.h"
#include "agent/redact_key.h"
#include "agent/redact_rules.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "tests/unit/tap.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define MAX_ARGS 32

/* Arguments are separated by '|'. What is to be redacted stands in <{...}> and is taken in without
 * that; the expected mark is computed here. */
static const struct {
	const char *name, *argv;
} commands[] = {
	{"nothing", "grep|-r|foo|/etc"},
	{"nothing, long options", "ls|--color=auto|--sort=time|-la|/tmp/a=b"},
	{"mkdir -p", "mkdir|-p|/srv/a/b"},
	{"ssh -p", "ssh|-p|22|host"},
	{"cp -p", "cp|-p|a|b"},
	{"netstat -p", "netstat|-tulpn"},
	{"ps -p", "ps|-p|1234"},
	{"sudo mkdir -p", "sudo|mkdir|-p|/srv/mysql"},
	{"find -print", "find|/var/lib|-name|mysql|-print"},
	{"docker run -p", "docker|run|-p|8080:80|nginx"},
	{"docker volume", "docker|run|-v|/run/secrets:/run/secrets|x/secret-manager:1.0"},
	{"$PWD", "env|PWD=/root|OLDPWD=/tmp|ls"},
	{"names of files", "x|--password-file=/etc/p|--token-file|/etc/t|PASSWORD_FILE=/run/x"},
	{"--no-password", "psql|--no-password|-h|db"},
	{"key ids", "env|AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE|aws|s3|ls"},
	{"empty, dash", "x|--password=|--token=-|--password||-u|me"},
	{"a mark", "x|--password=[redacted:1f3a09bc:8]"},
	{"no mark", "x|--password=<{[redacted:1f3a09bc:x]}>"},

	{"mysql -p", "mysql|-uroot|-p<{hunter2}>|shop"},
	{"mysql -p asks", "mysql|-u|root|-p|shop"},
	{"mysql -upaul", "mysql|-upaul|-hpc1|-Pp"},
	{"mysql --password", "mysql|--user=root|--password=<{hunter2}>|shop"},
	{"mysql --pass", "mysql|--pass=<{hunter2}>|shop"},
	{"mysql --password asks", "mysql|--password|shop"},
	{"mysqldump", "/usr/bin/mysqldump|-p<{a b}>|--all-databases"},
	{"mysqladmin", "mysqladmin|-u|root|-p<{x}>|password|new"},
	{"mariadb-dump", "mariadb-dump|-p<{x}>"},
	{"mariadb 10.6", "mariadb10.6|-p<{x}>"},
	{"mysql -e", "mysql|-e|CREATE USER 'bob'@'%' IDENTIFIED BY '<{hunter2}>'"},
	{"mysql SET PASSWORD", "mysql|-e|SET PASSWORD FOR 'bob'@'h' = PASSWORD('<{hunter2}>')"},
	{"mysql SET PASSWORD =", "mysql|-e|set password for 'bob'@'h' = '<{hunter2}>'"},
	{"psql ALTER USER", "psql|-c|alter user bob with password '<{hunter2}>' valid until 'x'"},
	{"psql conninfo", "psql|host=db password=<{hunter2}> dbname=x"},
	{"psql conninfo first", "psql|password=<{hunter2}> host=db"},
	{"psql url", "psql|postgresql://bob:<{hunter2}>@db/x"},
	{"psql -W", "psql|-W|shop"},
	{"psql --password", "psql|--password|shop"},
	{"any --password", "x|--password|<{hunter2}>|-v"},
	{"any --password=", "x|--password=<{hunter2}>"},
	{"any --password= with quotes", "x|--password=<{'a\"b' c&d=e}>"},
	{"any --password -v", "x|--password|--verbose"},
	{"any --passwd", "x|--passwd|<{hunter2}>|--db-pass=<{x y}>"},
	{"any --token", "x|--token|<{abc}>|--auth-token=<{d}>|-token|<{e}>|-token=<{f}>"},
	{"any --secret", "x|--client-secret|<{a}>|--secret-key=<{b}>|--api-key|<{c}>"},
	{"any --access-token", "gcloud|--access-token|<{a}>|--access-token=<{b}>"},
	{"curl -u", "curl|-u|bob:<{hunter2}>|https://h/"},
	{"curl -ubob", "curl|-sSubob:<{hunter2}>|https://h/"},
	{"curl -u without", "curl|-u|bob|https://h/"},
	{"curl --user", "curl|--user|bob:<{a:b}>|--proxy-user=bob:<{c}>"},
	{"curl -H", "curl|-H|Authorization: Bearer <{abc.def}>|-H|Accept: x"},
	{"curl -H basic", "curl|-HAuthorization: Basic <{Ym9iOng=}>"},
	{"curl -H key", "curl|-H|X-Api-Key: <{abc def}>|-H|X-Vault-Token:<{hvs}>"},
	{"curl cookie", "curl|-H|Cookie: <{a=b; c=d}>"},
	{"curl json", "curl|-d|{\"user\":\"bob\",\"password\":\"<{hun\\\"ter2}>\",\"n\":1}"},
	{"curl json with blanks", "curl|-d|{\"password\" : \"<{hunter2}>\", \"n\": 1}"},
	{"curl json number", "curl|-d|{\"token\":<{12345}>,\"n\":1}"},
	{"curl form", "curl|-d|user=bob&password=<{hunter2}>&n=1"},
	{"curl form first", "curl|-d|password=<{hunter2}>&n=1"},
	{"curl query", "curl|https://h/x?a=1&token=<{abc}>&b=2#f"},
	{"wget", "wget|--http-password=<{x}>|--user=bob|--password|<{y}>"},
	{"url", "git|clone|https://bob:<{hunter2}>@host/x.git"},
	{"url with a slash in it", "git|clone|https://bob:<{a/b@c}>@host/x.git"},
	{"url without", "git|clone|https://bob@host:8080/x@y"},
	{"url with a port", "curl|http://host:8080/a@b|http://[::1]:80/c@d"},
	{"url within", "x|--proxy=socks5://u:<{p}>@h:1,http://h"},
	{"env", "env|PGPASSWORD=<{hun ter2}>|psql|-h|db"},
	{"env, more",
	 "env|MYSQL_PWD=<{a}>|REDISCLI_AUTH=<{b}>|GITHUB_TOKEN=<{c}>|A_APIKEY=<{d}>|ls"},
	{"docker -e with blanks", "docker|run|-e|A_PASSWORD=<{x y; z}>|mysql"},
	{"sudo with blanks", "sudo|A_PASSWORD=<{x y}>|ls"},
	{"env mysql", "env|A=b|mysql|-p<{x}>"},
	{"sudo mysql", "sudo|-u|mysql|mysql|-p<{x}>"},
	{"sudo env mysql", "sudo|env|A=b|timeout|5|mysql|-p<{x}>"},
	{"sudo curl", "sudo|-E|curl|-u|a:<{b}>|x"},
	{"find -exec", "find|.|-exec|mysql|-p<{x}>|;"},
	{"sh -c", "sh|-c|PGPASSWORD=<{x}> psql -h db; mysql -p<{y}>"},
	{"sh -c quotes", "bash|-lc|mysql -p'<{x y}>' --password=\"<{z}>\" db"},
	{"sh -c reference", "sh|-c|mysql -p$PW --password=\"${PW}\" --token=$(cat f) -p`cat f`"},
	{"sh -c literal dollar", "sh|-c|mysql -p'<{$PW}>'"},
	{"sh -c nested", "sh|-c|echo \"$(mysql -p<{x}> -e 'select 1')\" | tee f"},
	{"su -c", "su|-|bob|-c|mysql -p<{x}>"},
	{"ssh", "ssh|-p|22|db|mysql|-p<{x}>"},
	{"ssh line", "ssh|db|mysql -p<{x}> /x/mysql"},
	{"ssh line sh", "ssh|db|sudo sh -c 'mysql -p<{x}>'"},
	{"docker exec", "docker|exec|-it|c|mysql|-p<{x}>"},
	{"docker exec sh", "docker|exec|c|sh|-c|mysql -p<{x}>"},
	{"docker -e", "docker|run|-e|MYSQL_ROOT_PASSWORD=<{x}>|-p|1:2|mysql"},
	{"docker login", "docker|login|-u|bob|-p|<{hunter2}>|reg.io"},
	{"docker login --password", "podman|login|--password|<{hunter2}>|reg.io"},
	{"docker login stdin", "docker|login|--password-stdin|reg.io"},
	{"kubectl --token", "kubectl|--token=<{x}>|get|pods"},
	{"kubectl literal",
	 "kubectl|create|secret|generic|a|--from-literal=user=<{u}>|--from-literal|k=<{x}>"},
	{"kubectl docker", "kubectl|create|secret|docker-registry|a|--docker-password=<{x}>|-n|b"},
	{"vault login", "vault|login|<{hvs.abc}>"},
	{"vault login token", "vault|login|token=<{hvs.abc}>"},
	{"vault login user", "vault|login|-method=userpass|username=bob|password=<{x}>"},
	{"vault write", "vault|write|auth/userpass/users/b|password=<{x}>|policies=y"},
	{"vault kv put", "vault|kv|put|secret/a|user=<{b}>|x=<{y}>|f=@file"},
	{"vault kv get", "vault|kv|get|-field=password|secret/a"},
	{"aws configure",
	 "aws|configure|set|aws_secret_access_key|<{wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY}>"},
	{"aws keys in a row",
	 "x|AKIAIOSFODNN7EXAMPLE|<{wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY}>"},
	{"aws keys with a colon", "x|AKIAIOSFODNN7EXAMPLE:<{wJalrXUtnFEMI/K7MDENG}>"},
	{"aws env", "env|AWS_SECRET_ACCESS_KEY=<{x}>|AWS_SESSION_TOKEN=<{y}>|aws"},
	{"az login", "python3.11|/usr/bin/az|login|--service-principal|-u|x|-p|<{y}>"},
	{"az not login", "az|vm|create|-p|x"},
	{"sshpass", "sshpass|-p|<{hunter2}>|ssh|-p|22|host"},
	{"sshpass attached", "sshpass|-p<{hunter2}>|ssh|h"},
	{"openssl", "openssl|rsa|-in|k|-passin|pass:<{x}>|-passout|pass:<{y}>|-out|z"},
	{"openssl env", "openssl|rsa|-passin|env:PW|-in|k"},
	{"openssl -k", "openssl|enc|-aes-256-cbc|-k|<{x}>|-in|f"},
	{"openssl passwd", "openssl|passwd|-6|<{x}>"},
	{"redis-cli", "redis-cli|-h|h|-a|<{x}>|get|k"},
	{"mongo", "mongosh|-u|a|-p|<{x}>|db"},
	{"ldapsearch", "ldapsearch|-x|-D|cn=a|-w|<{x}>|-b|dc=b"},
	{"smbclient", "smbclient|-U|DOM/bob%<{x}>|//h/s"},
	{"ansible", "python3|/usr/bin/ansible-playbook|p.yml|--extra-vars|db_password=<{x}> n=1"},
	{"mc", "mc|alias|set|s3|https://h|ACCESS|<{SECRET}>"},
	{"htpasswd", "htpasswd|-b|f|user|<{x}>"},
	{"htpasswd -nb", "htpasswd|-nbB|user|<{x}>"},
	{"htpasswd asks", "htpasswd|f|user"},
	{"useradd", "useradd|-m|-p|<{x}>|bob"},
	{"zip", "zip|-r|-P|<{x}>|a.zip|b"},
	{"7z", "7z|x|-p<{x}>|a.7z"},
	{"keytool", "keytool|-list|-storepass|<{x}>|-keystore|k"},
	{"sqlplus", "sqlplus|bob/<{x}>@db"},
	{"nmcli", "nmcli|dev|wifi|connect|home|password|<{x}>"},
	{"mount.cifs", "mount|-t|cifs|-o|username=b,password=<{x}>,uid=1|//h/s|/m"},
	{"github token", "x|ghp_<{}>"},
	{"a pem key",
	 "x|-----BEGIN RSA PRIVATE KEY-----<{\nMIIE\n}>-----END RSA PRIVATE KEY-----\n"},
	{"a pem certificate", "x|-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n"},
	{"github", "x|<{ghp_abcdefghijklmnopqrstuvwxyz0123456789}>"},
	{"gitlab, slack", "x|a=<{glpat-abcdefghij0123456789}>|<{xoxb-123456789012-abc}>"},
	{"jwt", "x|<{eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_123}>"},
	{"argv[0] of a login shell", "-bash|-c|mysql -p<{x}>"},
	{"no argv[1]", "mysql"},
};

static const struct {
	const char *name, *line;
} lines[] = {
	{"nothing", "ls -l /etc | wc -c"},
	{"mkdir -p", "mkdir -p a/b && cd a/b; ssh -p 22 h"},
	{"mysql", "mysql -u root -p<{hunter2}> shop"},
	{"mysql, quotes stay", "mysql -p'<{hun ter2}>' shop"},
	{"mysql, double quotes", "mysql \"-p<{hun ter2}>\" shop"},
	{"references stay", "mysql -p$PW --password=${PW} --token=\"$(cat /t)\" -p`cat t`"},
	{"login of references", "curl -u \"$USER:$PASS\" x"},
	{"a dollar in single quotes", "mysql -p'<{$PW}>'"},
	{"behind other commands", "cd /x && mysql -p<{a}> | grep -p b; mysqldump -p<{c}> > f"},
	{"behind a keyword", "if mysql -p<{a}>; then ! mysql -p<{b}>; fi"},
	{"in a substitution", "x=$(mysql -p<{a}> -e 'select 1'); echo \"`mysql -p<{b}>`\""},
	{"nested deep", "a=\"$(b \"$(mysql -p\"<{c d}>\")\")\""},
	{"in a process substitution", "diff <(mysql -p<{a}>) <(mysql -p<{b}>)"},
	{"behind a redirection", "mysql <f -p<{a}> 2>&1 >g"},
	{"assignment", "PGPASSWORD=<{hunter2}> psql -h db"},
	{"assignment in quotes", "PGPASSWORD='<{a b}>' psql; export DB_PASSWORD=\"<{c d}>\""},
	{"assignment, reference", "PGPASSWORD=$PW psql"},
	{"export", "export AWS_SECRET_ACCESS_KEY=<{wJalrXUtn/K7}> AWS_REGION=x"},
	{"url", "git clone https://bob:<{hunter2}>@host/x.git"},
	{"header", "curl -H \"Authorization: Bearer <{abc}>\" https://h/"},
	{"header with a reference", "curl -H \"Authorization: Bearer $TOKEN\" https://h/"},
	{"header in single quotes", "curl -H 'X-Api-Key: <{abc}>' https://h/"},
	{"json", "curl -d '{\"password\":\"<{x y}>\",\"a\":1}' h"},
	{"json in double quotes", "curl -d \"{\\\"password\\\":\\\"<{x y}>\\\"}\" h"},
	{"sh -c", "sh -c 'mysql -p<{x}>'"},
	{"sudo sh -c", "sudo -u bob sh -c \"PGPASSWORD=<{x}> psql\""},
	{"ssh line", "ssh -p 22 db \"mysql -p'<{x y}>'\""},
	{"ssh words", "ssh db mysql -p<{x}>"},
	{"echo to sudo -S", "echo <{hunter2}> | sudo -S ls"},
	{"echo to a filter", "echo hunter2 | tee -S ls"},
	{"echo to chpasswd", "echo 'bob:<{hunter2}>' | sudo chpasswd"},
	{"printf to docker login", "printf '%s' <{hunter2}> | docker login --password-stdin r"},
	{"here-string", "sudo -S ls <<< <{hunter2}>"},
	{"escapes", "mysql -p<{a\\ b}> c"},
	{"mixed quotes", "mysql -p<{a\"b c\"d}> e"},
	{"SQL", "CREATE USER bob IDENTIFIED BY '<{hunter2}>';"},
	{"SQL, postgres", "alter role bob with encrypted password '<{hunter2}>';"},
	{"SQL, not", "select password from users where name = 'bob';"},
	{"python", "conn = connect(host='h', password='<{hunter2}>')"},
	{"python, spaces", "password = \"<{hunter2}>\""},
	{"grep", "grep -ri password '/etc/x' \"/etc/y\""},
	{"redis", "AUTH <{default}> <{hunter2}>"},
	{"redis, one word", "auth <{hunter2}>"},
	{"redis, other", "GET auth"},
	{"aws credentials", "aws_secret_access_key = <{wJalrXUtnFEMI/K7}>"},
	{"npm", "npm config set //registry.npmjs.org/:_authToken <{abc}>"},
	{"helm", "helm install x --set db.password=<{a}>,image.tag=b"},
	{"terraform", "terraform apply -var 'db_password=<{a b}>'"},
	{"jdbc", "java -jar x 'jdbc:mysql://h/d?user=a&password=<{b}>&x=y'"},
	{"--no-auth", "x --no-auth y --http-auth basic"},
	{"a comment", "# token: <{x}> y"},
	{"unfinished quotes", "mysql -p'<{abc def}>"},
	{"unfinished substitution", "echo $(mysql -p<{abc}>"},
	{"heredoc end", "EOF"},
	{"a backslash at the end", "ls \\"},
	{"a dollar at the end", "echo $"},
	{"only operators", "&&||;;()<>`"},
};

static void put_mark(struct buf *out, struct slice secret)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	HMAC(EVP_sha256(), KEY, sizeof(KEY) - 1, (const unsigned char *)secret.ptr, secret.len, md,
	     &n);
	buf_printf(out, "[redacted:%02x%02x%02x%02x:%zu]", md[0], md[1], md[2], md[3], secret.len);
}

/* Of a case: what goes in, what must come out, how many secrets. unquote: the mark is made of the
 * text without quotes and backslashes. */
static size_t expand(const char *text, struct buf *in, struct buf *want, bool unquote)
{
	struct slice rest = slice_of(text);
	size_t n = 0;

	while (rest.len > 0) {
		const char *open = memmem(rest.ptr, rest.len, "<{", 2), *close;
		struct slice plain = {rest.ptr, open ? (size_t)(open - rest.ptr) : rest.len},
			     secret;
		_cleanup_buf_ struct buf bare = {0};

		buf_put(in, plain);
		buf_put(want, plain);
		rest = (struct slice){rest.ptr + plain.len, rest.len - plain.len};
		close = open ? memmem(rest.ptr, rest.len, "}>", 2) : NULL;
		if (!close) {
			buf_put(in, rest);
			buf_put(want, rest);
			break;
		}
		secret = (struct slice){open + 2, (size_t)(close - open) - 2};
		buf_put(in, secret);
		buf_init(&bare, 4096);
		for (size_t i = 0; i < secret.len; i++)
			if (!unquote || !strchr("\"\\", secret.ptr[i]))
				buf_putc(&bare, secret.ptr[i]);
		if (secret.len > 0) {
			put_mark(want, buf_slice(&bare));
			n++;
		}
		rest = (struct slice){close + 2, rest.len - (size_t)(close + 2 - rest.ptr)};
	}
	return n;
}

static size_t split(struct slice s, struct slice *argv)
{
	size_t n = 0;

	while (n < MAX_ARGS && s.len > 0)
		argv[n++] = slice_cut(&s, '|');
	return n;
}

static void join_args(struct buf *out, const struct slice *argv, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(out, '|');
		buf_put(out, argv[i]);
	}
}

static void test_commands(struct redact *r)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		_cleanup_buf_ struct buf in = {0}, want = {0}, got = {0};
		struct slice argv[MAX_ARGS];
		size_t n, secrets, count;

		buf_init(&in, 4096);
		buf_init(&want, 4096);
		buf_init(&got, 4096);
		secrets = expand(commands[i].argv, &in, &want, false);
		n = split(buf_slice(&in), argv);
		redact_begin(r);
		count = redact_argv(r, argv[0], argv, n);
		join_args(&got, argv, n);
		tap_bytes(buf_slice(&got), buf_slice(&want), "argv: %s", commands[i].name);
		if (count != secrets)
			tap_int((long long)count, (long long)secrets, "argv: %s: count",
				commands[i].name);
	}
}

static void test_lines(struct redact *r)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		_cleanup_buf_ struct buf in = {0}, want = {0};
		size_t secrets, count;
		struct slice text;

		buf_init(&in, 4096);
		buf_init(&want, 4096);
		secrets = expand(lines[i].line, &in, &want, true);
		text = buf_slice(&in);
		redact_begin(r);
		count = redact_text(r, &text);
		tap_bytes(text, buf_slice(&want), "line: %s", lines[i].name);
		if (count != secrets)
			tap_int((long long)count, (long long)secrets, "line: %s: count",
				lines[i].name);
	}
}

static char dir[] = "/tmp/test_redact.XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[2][128];
	static int k;

	k ^= 1;
	snprintf(path[k], sizeof(path[k]), "%s/%s", dir, name);
	return path[k];
}

static void put_file(const char *name, struct slice content)
{
	FILE *f = fopen(in_dir(name), "w");

	if (!f || fwrite(content.ptr, 1, content.len, f) != content.len || fclose(f) != 0)
		exit(1);
}

static struct redact *open_with(const char *rules)
{
	struct settings set = {.redact_enable = true};
	_cleanup_free_ char *key = strdup(in_dir("key")), *file = strdup(in_dir("rules"));
	struct redact *r = NULL;
	struct sa_err err = {0};

	set.redact_key_file = key;
	if (rules) {
		put_file("rules", slice_of(rules));
		set.redact_rules_file = file;
	}
	tap_int(redact_open(&set, &r, &err), 0, "open%s", rules ? " with rules" : "");
	return r;
}

static void test_mark(struct redact *r)
{
	struct slice text = SLICE_LIT("hunter2"), again = SLICE_LIT("mysql -phunter2");
	struct slice argv[] = {SLICE_LIT("x"), SLICE_LIT("--token=hunter2"), SLICE_LIT("a b")};

	redact_begin(r);
	redact_all(r, &text);
	tap_bytes(text, SLICE_LIT("[redacted:3920d54e:7]"), "a whole text");
	redact_all(r, &text);
	tap_bytes(text, SLICE_LIT("[redacted:3920d54e:7]"), "a mark stays");
	tap_int((long long)redact_text(r, &again), 1, "a line");
	tap_bytes(again, SLICE_LIT("mysql -p[redacted:3920d54e:7]"), "the same secret");
	tap_int((long long)redact_argv(r, SLICE_LIT("/bin/x"), argv, 3), 1, "argv");
	tap_bytes(argv[1], SLICE_LIT("--token=[redacted:3920d54e:7]"), "the same secret once more");
	tap_bytes(argv[2], SLICE_LIT("a b"), "what has none is left alone");
}

static void test_null(void)
{
	struct settings off = {.redact_enable = false};
	struct slice text = SLICE_LIT("mysql -px"), argv[] = {SLICE_LIT("mysql"), SLICE_LIT("-px")};
	struct redact *r = (struct redact *)&off;

	tap_int(redact_open(&off, &r, NULL), 0, "redact.enable = no");
	tap_ok(!r, "gives none");
	redact_begin(r);
	tap_int((long long)redact_text(r, &text), 0, "none: a line");
	tap_int((long long)redact_argv(r, SLICE_NONE, argv, 2), 0, "none: argv");
	redact_all(r, &text);
	tap_bytes(text, SLICE_LIT("mysql -px"), "none: as it was");
	redact_free(r);
}

/* sudo's message has the arguments joined by blanks. */
static void test_joined(struct redact *r)
{
	struct slice argv[] = {SLICE_LIT("sudo"), SLICE_LIT("mysql"), SLICE_LIT("-phun ter2")};
	struct slice cmd = SLICE_LIT("mysql -phun ter2");

	redact_begin(r);
	redact_argv(r, SLICE_LIT("/usr/bin/sudo"), argv, 3);
	redact_text(r, &cmd);
	tap_ok(!memmem(cmd.ptr, cmd.len, "ter2", 4), "a secret with blanks, joined by sudo");
}

/* --- own rules --- */

static void test_rules(void)
{
	static const struct {
		const char *name, *rules, *text, *want;
	} cases[] = {
		{"whole match", "CC-[0-9]{4}\n", "a CC-1234 b CC-5678", "a [redacted:8d7be7c1:7]"},
		{"group", "# pin\n\nPIN ([0-9]+)\n", "PIN 1234 x", "PIN [redacted:"},
		{"no match", "zzz\n", "a b c", "a b c"},
		{"CR at the end", "CC-[0-9]+\r\n", "CC-12", "[redacted:"},
		{"brackets", "[]x[:digit:]]{3}\n", "a ]1x b", "a [redacted:"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct redact *r = open_with(cases[i].rules);
		struct slice text = slice_of(cases[i].text);

		redact_begin(r);
		redact_text(r, &text);
		if (i == 0)
			tap_ok(text.len == 47 && slice_starts(text, "a [redacted:") &&
				       memmem(text.ptr, text.len, "] b [redacted:", 14),
			       "rule: %s", cases[i].name);
		else
			tap_ok(slice_starts(text, cases[i].want), "rule: %s", cases[i].name);
		redact_free(r);
	}
}

static void test_bad_rules(void)
{
	static const struct {
		const char *name, *rules, *want;
	} cases[] = {
		{"broken", "ok\n(a\n", "rules:2: Unmatched ( or \\("},
		{"back-reference", "(a)\\1\n", "rules:1: back-references"},
		{"repetitions", "(a{1,100}){1,100}\n", "rules:1: too many repetitions"},
		{"more than a repetition", "a{99999}\n", "rules:1: too many repetitions"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_free_ char *file = strdup(in_dir("rules"));
		struct redact_rules *rules = NULL;
		struct sa_err err = {0};

		put_file("rules", slice_of(cases[i].rules));
		tap_int(redact_rules_read(file, &rules, &err), SA_ERR_INVALID, "rules: %s",
			cases[i].name);
		if (!tap_ok(strstr(err.msg, cases[i].want) != NULL, "rules: %s: says so",
			    cases[i].name))
			printf("# %s\n", err.msg);
	}
}

static void test_rule_limits(void)
{
	_cleanup_free_ char *file = strdup(in_dir("rules"));
	_cleanup_buf_ struct buf b = {0};
	struct redact_rules *rules = NULL;
	struct sa_err err = {0};

	buf_init(&b, 1 << 20);
	for (int i = 0; i < REDACT_RULES_MAX; i++)
		buf_puts(&b, "x\n");
	put_file("rules", buf_slice(&b));
	tap_int(redact_rules_read(file, &rules, &err), 0, "64 rules");
	redact_rules_free(rules);
	rules = NULL;
	buf_puts(&b, "x\n");
	put_file("rules", buf_slice(&b));
	tap_int(redact_rules_read(file, &rules, &err), SA_ERR_INVALID, "65 rules");
	tap_ok(strstr(err.msg, "rules:65: more than 64 rules") != NULL, "65 rules: says so");
	buf_clear(&b);
	for (int i = 0; i <= REDACT_RULE_MAX_BYTES; i++)
		buf_putc(&b, 'x');
	put_file("rules", buf_slice(&b));
	tap_int(redact_rules_read(file, &rules, &err), SA_ERR_INVALID, "a long rule");
	tap_int(redact_rules_read(in_dir("none"), &rules, &err), SA_ERR_NOTFOUND, "no file");
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The rules that regexec is slowest with cost what is allowed for them in a second; the text is
 * then replaced whole. */
static void test_slow_rules(void)
{
	static const char *const rules[] = {"(x+x+)+y\n", "(x|xx)+y\n", "x.*x.*x.*y\n", "(x*)*y\n"};
	enum { LONG = 128 * 1024 };
	_cleanup_free_ char *text = malloc(LONG);

	memset(text, 'x', LONG);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct redact *r = open_with(rules[i]);
		double begun = seconds();

		for (int k = 0; k < 3; k++) {
			struct slice s = {text, LONG};

			redact_begin(r);
			redact_text(r, &s);
			if (i == 0 && k == 2)
				tap_ok(slice_starts(s, "[redacted:"), "a slow rule fails closed");
		}
		begun = seconds() - begun;
		if (!tap_ok(begun < 3, "a slow rule is stopped: %.8s", rules[i]))
			printf("# %.3f s\n", begun);
		redact_free(r);
	}
}

static void test_window(void)
{
	struct redact *r = open_with("SECRET[0-9]+\n");
	_cleanup_free_ char *text = malloc(70000);
	bool gone = true;

	for (size_t at = 0; at < 69000; at += 509) {
		struct slice s = {text, 70000};

		memset(text, 'a', 70000);
		memcpy(text + at, "SECRET123456", 12);
		redact_begin(r);
		redact_text(r, &s);
		gone &= s.len == 70000 - 12 + 22 && !memmem(s.ptr, s.len, "123456", 6);
	}
	tap_ok(gone, "a rule finds its secret wherever it stands");
	redact_free(r);
}

/* --- bounds --- */

/* What hostile arguments can be made of; each must stay linear. */
static void test_time(struct redact *r)
{
	static const char *const units[] = {
		"a",
		"=",
		":",
		"://",
		"a://b:c",
		"password=",
		"-",
		".",
		"eyJ.",
		"'",
		"\"",
		"\\",
		"$(",
		"`",
		"(",
		"a$(b ",
		"'$(",
		"\"$(",
		"token:",
		"p='",
		"-----BEGIN ",
		"identified by '",
		"-----BEGIN RSA PRIVATE KEY-----",
		"AKIA",
		"_",
		"ghp_",
		"&a=",
		"x@",
		";",
		" ",
		"| echo a",
		"<<<",
		"<(",
		"${",
		"sudo ",
		"sh -c 'a ",
		"mysql -pa ",
		"\n",
	};
	enum { LONG = 128 * 1024 };
	_cleanup_free_ char *text = malloc(LONG);
	const char *slowest = "";
	double most = 0, begun;

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		size_t n = strlen(units[i]);
		struct slice line = {text, LONG},
			     argv[] = {SLICE_LIT("sh"), SLICE_LIT("-c"), {text, LONG}};

		begun = seconds();
		for (size_t k = 0; k < LONG; k++)
			text[k] = units[i][k % n];
		redact_begin(r);
		redact_text(r, &line);
		redact_argv(r, SLICE_LIT("/bin/sh"), argv, 3);
		begun = seconds() - begun;
		if (begun > most) {
			most = begun;
			slowest = units[i];
		}
	}
	for (size_t k = 0; k < LONG; k++) {
		static const char words[] = "sudo -u ", here[] = "<<<b";

		text[k] = k < 8 ? words[k] : k < LONG / 3 ? "a "[k % 2] : here[k % 4];
	}
	begun = seconds();
	redact_begin(r);
	redact_text(r, &(struct slice){text, LONG});
	begun = seconds() - begun;
	tap_ok(begun < 0.3, "many here-strings of one long command too (%.3f s)", begun);
	printf("# slowest 128 KiB: %.1f ms (%s)\n", most * 1e3, slowest);
	tap_ok(most < 2, "hostile text takes linear time");
}

static void test_many(struct redact *r)
{
	enum { N = 10000, SIZE = 200 };
	_cleanup_free_ struct slice *argv = calloc(N, sizeof(*argv));
	_cleanup_free_ char *text = malloc(SIZE);
	double begun;

	memset(text, 'a', SIZE);
	for (size_t i = 0; i < N; i++)
		argv[i] = (struct slice){text, SIZE};
	argv[0] = SLICE_LIT("sudo");
	begun = seconds();
	redact_begin(r);
	tap_int((long long)redact_argv(r, SLICE_LIT("/bin/x"), argv, N), 0, "10,000 arguments");
	begun = seconds() - begun;
	printf("# 10,000 arguments, 2 MB: %.1f ms\n", begun * 1e3);
	tap_ok(begun < 1, "in linear time");
	for (size_t i = 1; i < N; i++)
		argv[i] = SLICE_LIT("--token=abc");
	redact_begin(r);
	tap_int((long long)redact_argv(r, SLICE_LIT("/bin/x"), argv, N), N,
		"too many: all of them");
	tap_ok(slice_starts(argv[0], "[redacted:") && slice_starts(argv[N - 1], "[redacted:"),
	       "too many: are replaced whole");
}

static void test_speed(struct redact *r)
{
	enum { ROUNDS = 200000 };
	struct slice argv[] = {SLICE_LIT("grep"), SLICE_LIT("-r"), SLICE_LIT("foo"),
			       SLICE_LIT("/etc")};
	double begun = seconds();
	size_t n = 0;

	for (int i = 0; i < ROUNDS; i++) {
		redact_begin(r);
		n += redact_argv(r, SLICE_LIT("/usr/bin/grep"), argv, 4);
	}
	begun = seconds() - begun;
	printf("# grep -r foo /etc: %.0f ns\n", begun * 1e9 / ROUNDS);
	tap_int((long long)n, 0, "an ordinary program");
}

/* --- the key --- */

static mode_t mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void test_key(void)
{
	_cleanup_free_ char *path = strdup(in_dir("new.key")), *link = strdup(in_dir("link.key"));
	unsigned char a[REDACT_KEY_SIZE] = {0}, b[REDACT_KEY_SIZE] = {0},
		      none[REDACT_KEY_SIZE] = {0};
	struct settings set = {.redact_enable = true, .redact_key_file = path};
	struct redact *r = NULL;
	struct sa_err err = {0};

	tap_int(redact_key_read(path, a, &err), SA_ERR_NOTFOUND, "no key yet");
	tap_int(redact_open(&set, &r, &err), 0, "open makes it");
	redact_free(r);
	tap_int(redact_key_read(path, a, &err), 0, "it is there");
	tap_ok(memcmp(a, none, sizeof(a)) != 0, "and random");
	tap_int(mode_of(path), 0600, "and nobody else's");
	tap_int(redact_key_make(path, &err), 0, "made again");
	redact_key_read(path, b, &err);
	tap_ok(memcmp(a, b, sizeof(a)) == 0, "it stays");
	put_file("new.key", SLICE_LIT(""));
	tap_int(redact_key_make(path, &err), 0, "an empty one, of a crash");
	tap_int(redact_key_read(path, b, &err), 0, "is filled");
	tap_ok(memcmp(a, b, sizeof(a)) != 0, "anew");
	put_file("new.key", SLICE_LIT("short"));
	tap_int(redact_key_read(path, b, &err), SA_ERR_INVALID, "a short one");
	tap_ok(strstr(err.msg, "5 bytes, a key has 32; remove it") != NULL, "says what to do");
	tap_int(redact_open(&set, &r, &err), 0, "recording goes on with a short one");
	redact_free(r);
	tap_int(symlink(path, link), 0, "a symbolic link");
	tap_ok(redact_key_make(link, &err) != 0, "is not followed");
	tap_ok(redact_key_own(link, getuid(), getgid(), &err) != 0, "nor given away");
	tap_int(redact_key_own(path, getuid(), getgid(), &err), 0, "given to its user");
	set.redact_key_file = link;
	set.redact_rules_file = path;
	put_file("new.key", SLICE_LIT("(a\n"));
	tap_int(redact_open(&set, &r, &err), SA_ERR_INVALID, "open with a broken rule");
	tap_ok(slice_starts(slice_of(err.msg), "redact.rules_file: ") &&
		       strstr(err.msg, "new.key:1: "),
	       "names option, file and line");
}

/* --- prompts --- */

enum { NO, COOKED, RAW };

static const struct {
	const char *argv;
	int program, line; /* whether it asks; as what is typed behind a relay */
} prompts[] = {
	{"ls|-l", NO, NO},
	{"mysql|-uroot|-p|shop", COOKED, RAW},
	{"mysql|--password", COOKED, RAW},
	{"mysql|-psecret", NO, NO},
	{"mysql|shop", NO, NO},
	{"sudo|-i", COOKED, RAW},
	{"sudo|-n|id", NO, NO},
	{"sudo|passwd|bob", RAW, RAW},
	{"sudo|mysql|-p", RAW, RAW},
	{"su|-", COOKED, RAW},
	{"passwd", COOKED, RAW},
	{"ssh|host", COOKED, RAW},
	{"ssh|-o|BatchMode=yes|host", NO, NO},
	{"ssh|-t|host|sudo|-i", RAW, RAW},
	{"ssh|host|mysql|-p", RAW, RAW},
	{"scp|a|h:b", COOKED, RAW},
	{"psql|-W|db", COOKED, RAW},
	{"psql|db", NO, NO},
	{"kinit", COOKED, RAW},
	{"vault|login", COOKED, RAW},
	{"vault|kv|get|a", NO, NO},
	{"docker|login|reg", COOKED, RAW},
	{"docker|ps", NO, NO},
	{"ldapsearch|-W", COOKED, RAW},
	{"ldapsearch|-x", NO, NO},
	{"redis-cli|--askpass", RAW, RAW},
	{"htpasswd|f|bob", COOKED, RAW},
	{"mongosh|-u|a|-p", RAW, RAW},
	{"cryptsetup|open|a|b", COOKED, RAW},
	{"tmux", NO, NO},
	{"read|-rsp|Say:|X", COOKED, RAW},
	{"read|-r|X", NO, NO},
};

static bool answers(redact_asks state, const char *raw)
{
	return redact_is_answer(&state, slice_of(raw));
}

static void test_prompts(void)
{
	for (size_t i = 0; i < ARRAY_LEN(prompts); i++) {
		struct slice argv[MAX_ARGS], line = slice_of(prompts[i].argv);
		size_t n = split(line, argv);
		redact_asks program = redact_program_asks(argv[0], argv, n), typed;
		char text[128];

		snprintf(text, sizeof(text), "%s", prompts[i].argv);
		for (char *p = text; *p; p++)
			if (*p == '|')
				*p = ' ';
		typed = redact_line_asks(slice_of(text));
		tap_int(answers(program, "x\n"), prompts[i].program != NO, "%s: cooked", text);
		tap_int(answers(program, "x\r"), prompts[i].program == RAW, "%s: raw", text);
		tap_int(answers(typed, "x\r"), prompts[i].line != NO, "%s: behind a relay", text);
	}
}

static void test_answers(void)
{
	redact_asks state = redact_line_asks(SLICE_LIT("cd /x && passwd bob")), none = 0, one;
	const struct slice mysql[] = {SLICE_LIT("mysql"), SLICE_LIT("-p")};
	unsigned n = 0;

	while (n < 10 && redact_is_answer(&state, SLICE_LIT("x\r")))
		n++;
	tap_int(n, 3, "passwd: three lines");
	tap_ok(!redact_is_answer(&none, SLICE_LIT("x\n")), "nobody asked");
	one = redact_line_asks(SLICE_LIT("ls; sudo id"));
	tap_ok(redact_is_answer(&one, SLICE_LIT("x\r")), "sudo behind another command");
	tap_ok(!redact_is_answer(&one, SLICE_LIT("ls\r")), "then a command");
	one = redact_shell_asks(SLICE_LIT("read -s -n 8 X"));
	tap_ok(redact_is_answer(&one, SLICE_LIT("secretls\r")), "read -s -n: the shell reads raw");
	one = redact_shell_asks(SLICE_LIT("read -s X; sudo id"));
	tap_ok(!redact_is_answer(&one, SLICE_LIT("ls\r")), "read -s: the terminal hides it");
	state = redact_program_asks(SLICE_LIT("mysql"), mysql, 2);
	tap_ok(redact_is_answer(&state, SLICE_LIT("x\n")) &&
		       !redact_is_answer(&state, SLICE_LIT("select 1;\n")),
	       "mysql -p: one line");
	state = redact_program_asks(SLICE_LIT("su"), &SLICE_LIT("su"), 1);
	tap_ok(redact_is_answer(&state, SLICE_LIT("wrong\n")) &&
		       redact_is_answer(&state, SLICE_LIT("right\n")),
	       "asked again");
	tap_ok(!redact_is_answer(&state, SLICE_LIT("ls\r")), "a raw line ends it");
	tap_ok(!redact_is_answer(&state, SLICE_LIT("x\n")), "for good");
}

static void remove_files(void)
{
	static const char *const names[] = {"key", "rules", "new.key", "link.key"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(in_dir(names[i]));
	rmdir(dir);
}

int main(void)
{
	struct redact *r;

	if (!mkdtemp(dir))
		return 1;
	put_file("key", SLICE_LIT(KEY));
	r = open_with(NULL);
	test_commands(r);
	test_lines(r);
	test_mark(r);
	test_joined(r);
	test_time(r);
	test_many(r);
	test_speed(r);
	redact_free(r);
	test_null();
	test_rules();
	test_bad_rules();
	test_rule_limits();
	test_slow_rules();
	test_window();
	test_key();
	test_prompts();
	test_answers();
	remove_files();
	return tap_done();
}
