/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

/*
 * The programs whose arguments are known: which options have secrets, which have other values (so
 * that a letter in a value is not taken for an option), and what asks for passwords. Options whose
 * name says that they have a secret (--password, --token) need not stand here.
 */
#include <stdlib.h>

#include "agent/collector/redact_internal.h"
#include "common/cleanup.h"

#define MYSQL                                                                                      \
	.attached = "p", .other = "uhPSDewrTOAFRL#",                                               \
	.kind = REDACT_NO_NEXT | REDACT_NOT_SINGLE | REDACT_ASKS
#define POSTGRES .other = "hpUdcfvoPFRTLntNS", .kind = REDACT_NO_NEXT | REDACT_ASKS
#define MONGO .secret = "p", .other = "udcoqh", .kind = REDACT_ASKS | REDACT_ASKS_RAW
#define LDAP .secret = "w", .other = "DHhpbsaoefEIlMOPSTUvXYyZz", .kind = REDACT_ASKS
#define SAMBA .login = "U", .sep = '%', .other = "IWpnsSmOA", .kind = REDACT_ASKS
#define SHELL .other = "oO", .kind = REDACT_WRAPS | REDACT_HAS_LINES
#define INTERPRETER .kind = REDACT_WRAPS | REDACT_HAS_LINES
#define RUNNER .skip = REDACT_SKIP_ANY, .kind = REDACT_WRAPS | REDACT_HAS_LINES | REDACT_ASSIGNS
#define REGISTRY(more)                                                                             \
	.secret = "p", .other = "ueHlc", .sub = "login", .skip = REDACT_SKIP_ANY,                  \
	.reads = "--password-stdin",                                                               \
	.kind = REDACT_WRAPS | REDACT_HAS_LINES | REDACT_ASSIGNS | REDACT_READS | (more)
#define ORACLE .kind = REDACT_SLASH | REDACT_ASKS

/* In the order of strcmp. Versions at the end of a name are left out by who looks. */
static const struct redact_program programs[] = {
	{"7z", .prefix = "-p"},
	{"7za", .prefix = "-p"},
	{"AUTH", .kind = 0}, /* of Redis */
	{"ansible", .other = "aeimulftTMPBcS", .kind = REDACT_HAS_LINES | REDACT_ASKS},
	{"ansible-playbook", .other = "eimulftTMPBcS", .kind = REDACT_ASKS},
	{"ash", SHELL},
	{"auth", .kind = 0},
	{"aws", .sub = "configure", .kind = REDACT_NAMES_NEXT},
	{"az", .secret = "p", .other = "usgnlt", .sub = "login"},
	{"bash", SHELL},
	{"bcp", .secret = "P", .other = "SUdqFLbhte", .kind = REDACT_NOT_SINGLE},
	{"buildah", REGISTRY(REDACT_ASKS)},
	{"builtin", .kind = REDACT_WRAPS},
	{"busybox", .kind = REDACT_WRAPS | REDACT_HAS_LINES},
	{"bw", .kind = REDACT_ASKS | REDACT_ASKS_RAW},
	{"cf", .secret = "p", .other = "uaos", .sub = "login", .kind = REDACT_ASKS},
	{"chpasswd", .other = "csR", .kind = REDACT_READS_LOGIN | REDACT_ASKS},
	{"chroot", .skip = 1, .kind = REDACT_WRAPS},
	{"chrt", .skip = 1, .kind = REDACT_WRAPS},
	{"clickhouse", .kind = REDACT_ASKS},
	{"clickhouse-client", .kind = REDACT_ASKS},
	{"command", .kind = REDACT_WRAPS},
	{"cqlsh", .secret = "p", .other = "ukfe"},
	{"cryptsetup", .other = "cshyold", .kind = REDACT_READS | REDACT_ASKS},
	{"curl", .login = "uU", .sep = ':', .other = "HdoXbcATFeEKmtwxyzCDrQPY",
	 .long_logins = "user proxy-user", .longs = "pass key-pass proxy-pass oauth2-bearer"},
	{"dash", SHELL},
	{"do", .kind = REDACT_WRAPS},
	{"doas", .other = "uCa", .kind = REDACT_WRAPS | REDACT_ASKS},
	{"docker", REGISTRY(REDACT_ASKS)},
	{"echo", .kind = REDACT_PRINTS},
	{"else", .kind = REDACT_WRAPS},
	{"env", .other = "uCS", .kind = REDACT_WRAPS | REDACT_HAS_LINES | REDACT_ASSIGNS},
	{"eval", .skip = REDACT_SKIP_ANY, .kind = REDACT_WRAPS | REDACT_HAS_LINES},
	{"exec", .other = "a", .kind = REDACT_WRAPS},
	{"expdp", ORACLE},
	{"find", RUNNER},
	{"fish", SHELL},
	{"flock", .skip = 1, .other = "wE", .kind = REDACT_WRAPS | REDACT_HAS_LINES},
	{"gh", .secret = "b", .other = "REeorfa", .longs = "body", .sub = "secret auth",
	 .reads = "--with-token", .kind = REDACT_READS},
	{"git", .other = "cC", .sub = "config", .kind = REDACT_NAMES_NEXT | REDACT_ASKS},
	{"gpg", .reads = "--passphrase-fd", .other = "uro", .kind = REDACT_READS | REDACT_ASKS},
	{"helm", REGISTRY(REDACT_ASKS)},
	{"htdigest", .kind = REDACT_ASKS | REDACT_ASKS_MANY},
	{"htpasswd", .reads = "-b", .other = "C",
	 .kind = REDACT_LAST | REDACT_ASKS | REDACT_ASKS_MANY},
	{"if", .kind = REDACT_WRAPS},
	{"impdp", ORACLE},
	{"influx", .other = "thpo"},
	{"ionice", .other = "cnpPu", .kind = REDACT_WRAPS},
	{"ipmitool", .secret = "P", .other = "IHUpLeofcdtTmbBlkykSNR"},
	{"kadmin", .secret = "w", .other = "rpqscktO", .kind = REDACT_ASKS},
	{"keytool",
	 .longs = "storepass keypass srcstorepass deststorepass srckeypass destkeypass new",
	 .kind = REDACT_ASKS},
	{"kinit", .kind = REDACT_READS | REDACT_ASKS},
	{"kpasswd", .kind = REDACT_ASKS | REDACT_ASKS_MANY},
	{"ksh", SHELL},
	{"kubectl", .long_logins = "from-literal", .sep = '=', .other = "ncflopLs",
	 .skip = REDACT_SKIP_ANY, .kind = REDACT_WRAPS | REDACT_HAS_LINES | REDACT_ASSIGNS},
	{"ldapadd", LDAP},
	{"ldapcompare", LDAP},
	{"ldapdelete", LDAP},
	{"ldapmodify", LDAP},
	{"ldapmodrdn", LDAP},
	{"ldappasswd", .secret = "wsa", .other = "DHhpbSoefEIlMOPTUvXYyZz",
	 .kind = REDACT_ASKS | REDACT_ASKS_MANY},
	{"ldapsearch", LDAP},
	{"ldapwhoami", LDAP},
	{"lftp", .login = "u", .sep = ',', .other = "pef", .kind = REDACT_ASKS},
	{"login", .kind = REDACT_ASKS},
	{"mariabackup", MYSQL},
	{"mariadb", MYSQL},
	{"mc", .kind = 0},
	{"mkpasswd", .secret = "S", .other = "mRP", .kind = REDACT_ASKS},
	{"mongo", MONGO},
	{"mongodump", MONGO},
	{"mongoexport", MONGO},
	{"mongoimport", MONGO},
	{"mongorestore", MONGO},
	{"mongosh", MONGO},
	{"mongostat", MONGO},
	{"mongotop", MONGO},
	{"mosh", .skip = 1, .other = "p",
	 .kind = REDACT_WRAPS | REDACT_HAS_LINES | REDACT_RELAYS | REDACT_ASKS},
	{"mosquitto_pub", .secret = "P", .other = "htmupqiIkAfMVD"},
	{"mosquitto_sub", .secret = "P", .other = "htmupqiIkAfMVDCFWR"},
	{"mount", .other = "otLU"},
	{"mount.cifs", .other = "o", .kind = REDACT_ASKS},
	{"mycli", .secret = "p", .other = "hPuSDe", .kind = REDACT_ASKS | REDACT_ASKS_RAW},
	{"mydumper", .secret = "p", .other = "BToxhuPS", .kind = REDACT_ASKS},
	{"myloader", .secret = "p", .other = "BToxhuPSd", .kind = REDACT_ASKS},
	{"mysql", MYSQL},
	{"nerdctl", REGISTRY(REDACT_ASKS)},
	{"net", .login = "U", .sep = '%', .other = "IWpnSwC", .kind = REDACT_ASKS},
	{"nice", .other = "n", .kind = REDACT_WRAPS},
	{"nmcli", .other = "fgm", .kind = REDACT_NAMES_NEXT | REDACT_ASKS | REDACT_ASKS_RAW},
	{"node", INTERPRETER},
	{"nohup", .kind = REDACT_WRAPS},
	{"npm", .sub = "config set", .kind = REDACT_NAMES_NEXT | REDACT_ASKS | REDACT_ASKS_RAW},
	{"nsenter", .other = "tSG", .kind = REDACT_WRAPS},
	{"oc", .secret = "p", .other = "un", .sub = "login", .skip = REDACT_SKIP_ANY,
	 .kind = REDACT_WRAPS | REDACT_HAS_LINES | REDACT_ASSIGNS | REDACT_ASKS},
	{"openssl", .prefix = "pass:", .longs = "k K", .kind = REDACT_ASKS | REDACT_ASKS_MANY},
	{"oras", REGISTRY(REDACT_ASKS)},
	{"osql", .secret = "P", .other = "SUdQio", .kind = REDACT_NOT_SINGLE},
	{"parallel", RUNNER},
	{"passwd", .reads = "--stdin", .other = "inwxrR",
	 .kind = REDACT_READS | REDACT_ASKS | REDACT_ASKS_MANY},
	{"perl", INTERPRETER},
	{"pg_basebackup", POSTGRES},
	{"pg_dump", POSTGRES},
	{"pg_dumpall", POSTGRES},
	{"pg_restore", POSTGRES},
	{"php", INTERPRETER},
	{"pinentry-curses", .kind = REDACT_ASKS | REDACT_ASKS_MANY | REDACT_ASKS_RAW},
	{"pinentry-tty", .kind = REDACT_ASKS | REDACT_ASKS_MANY | REDACT_ASKS_RAW},
	{"pkexec", .kind = REDACT_WRAPS | REDACT_ASKS},
	{"pkttyagent", .kind = REDACT_ASKS},
	{"podman", REGISTRY(REDACT_ASKS)},
	{"printf", .kind = REDACT_PRINTS},
	{"psql", POSTGRES},
	{"python", INTERPRETER},
	{"rabbitmqctl", .kind = 0},
	{"rar", .prefix = "-p"},
	{"rclone", .sub = "config", .kind = REDACT_NAMES_NEXT | REDACT_ASKS},
	{"rdesktop", .secret = "p", .other = "udsckgtar", .kind = REDACT_ASKS},
	{"read", .other = "adinNptu", .kind = REDACT_ASKS}, /* -s; behind a relay only */
	{"redis-cli", .secret = "a", .other = "hpsutnridDX", .kind = REDACT_ASKS | REDACT_ASKS_RAW},
	{"rman", ORACLE},
	{"rpcclient", SAMBA},
	{"rsync", .other = "efT", .kind = REDACT_ASKS},
	{"ruby", INTERPRETER},
	{"runuser", .other = "ugGcs", .kind = REDACT_WRAPS | REDACT_HAS_LINES | REDACT_RELAYS},
	{"scp", .other = "cDFiJloPSX", .kind = REDACT_ASKS},
	{"screen", .other = "SctTephs", .kind = REDACT_WRAPS | REDACT_HAS_LINES | REDACT_RELAYS},
	{"script", .other = "cIOBTEotm", .kind = REDACT_HAS_LINES | REDACT_RELAYS},
	{"setsid", .kind = REDACT_WRAPS},
	{"sftp", .other = "BbcDFiJloPRSsX", .kind = REDACT_ASKS},
	{"sh", SHELL},
	{"skopeo", REGISTRY(REDACT_ASKS)},
	{"smbclient", SAMBA},
	{"smbget", SAMBA},
	{"smbpasswd", .reads = "-s", .other = "crDUw",
	 .kind = REDACT_READS | REDACT_ASKS | REDACT_ASKS_MANY},
	{"snmpget", .secret = "cAX", .other = "vuaxlnrtmMOIP"},
	{"snmpset", .secret = "cAX", .other = "vuaxlnrtmMOIP"},
	{"snmpwalk", .secret = "cAX", .other = "vuaxlnrtmMOIPC"},
	{"sqlcmd", .secret = "P", .other = "SUdQiovtlhsW", .kind = REDACT_NOT_SINGLE | REDACT_ASKS},
	{"sqlldr", ORACLE},
	{"sqlplus", ORACLE},
	{"ssh", .skip = 1, .other = "BbcDEeFIiJLlmOopQRSWw",
	 .kind = REDACT_WRAPS | REDACT_HAS_LINES | REDACT_RELAYS | REDACT_ASKS},
	{"ssh-add", .kind = REDACT_ASKS},
	{"ssh-copy-id", .kind = REDACT_ASKS},
	{"ssh-keygen", .secret = "NP", .other = "btfCDEFGIJKlmMnOrRsTVwYza",
	 .kind = REDACT_ASKS | REDACT_ASKS_MANY},
	{"sshpass", .secret = "p", .other = "fdP", .kind = REDACT_WRAPS},
	{"stdbuf", .other = "ioe", .kind = REDACT_WRAPS},
	{"strace", .other = "eopPsaEuUIO", .kind = REDACT_WRAPS},
	{"su", .other = "cgGsTw", .kind = REDACT_HAS_LINES | REDACT_RELAYS | REDACT_ASKS},
	{"sudo", .other = "ugpCDhrtUTR", .reads = "-S",
	 .kind = REDACT_WRAPS | REDACT_HAS_LINES | REDACT_ASSIGNS | REDACT_RELAYS | REDACT_READS |
		 REDACT_ASKS},
	{"svn", .kind = REDACT_ASKS},
	{"systemd-ask-password", .kind = REDACT_ASKS | REDACT_ASKS_RAW},
	{"systemd-run", RUNNER},
	{"systemd-tty-ask-password-agent", .kind = REDACT_ASKS | REDACT_ASKS_RAW},
	{"taskset", .skip = 1, .kind = REDACT_WRAPS},
	{"then", .kind = REDACT_WRAPS},
	{"time", .other = "of", .kind = REDACT_WRAPS},
	{"timeout", .skip = 1, .other = "ks", .kind = REDACT_WRAPS},
	{"tmux", .other = "LSfcTt", .skip = REDACT_SKIP_ANY,
	 .kind = REDACT_WRAPS | REDACT_HAS_LINES | REDACT_RELAYS},
	{"tsql", .secret = "P", .other = "SHpUDILJo", .kind = REDACT_NOT_SINGLE},
	{"twine", .secret = "p", .other = "ur", .kind = REDACT_ASKS},
	{"unrar", .prefix = "-p"},
	{"unshare", .other = "SGRw", .kind = REDACT_WRAPS},
	{"until", .kind = REDACT_WRAPS},
	{"unzip", .secret = "P", .other = "dx", .kind = REDACT_ASKS},
	{"useradd", .secret = "p", .other = "bcdDefgGkKsuZRP"},
	{"usermod", .secret = "p", .other = "acdefgGlsuvVwWZRP"},
	{"vault", .reads = "-", .kind = REDACT_READS | REDACT_ASKS},
	{"watch", .other = "n", .kind = REDACT_WRAPS | REDACT_HAS_LINES},
	{"wget", .other = "oOaetTwQPUBiAReDXIl", .longs = "http-password ftp-password"},
	{"while", .kind = REDACT_WRAPS},
	{"winexe", SAMBA},
	{"wmic", SAMBA},
	{"wpa_passphrase", .kind = REDACT_ASKS},
	{"xargs", .other = "IndPLsEa", .kind = REDACT_WRAPS | REDACT_HAS_LINES},
	{"xfreerdp", .prefix = "/p:", .kind = REDACT_ASKS},
	{"xtrabackup", MYSQL},
	{"zip", .secret = "P", .other = "btnixO", .kind = REDACT_ASKS},
	{"zsh", SHELL},
	{"{", .kind = REDACT_WRAPS},
};

const struct redact_place redact_places[] = {
	{"vault", "login", 0},
	{"vault", "unwrap", 0},
	{"vault", "operator unseal", 0},
	{"vault", "token lookup", 1},
	{"vault", "token renew", 1},
	{"vault", "token revoke", 1},
	{"mc", "alias set", 4},
	{"mc", "config host add", 4},
	{"rabbitmqctl", "add_user", 2},
	{"rabbitmqctl", "change_password", 2},
	{"rabbitmqctl", "authenticate_user", 2},
	{"openssl", "passwd", 1},
	{"mkpasswd", "", 1},
	{"wpa_passphrase", "", 2},
	{"rclone", "obscure", 1},
	{"net", "user add", 2},
	{"bw", "unlock", 1},
	{"bw", "login", 2},
	{"redis-cli", "auth", 0},
	{"redis-cli", "AUTH", 0},
	{"AUTH", "", 0},
	{"auth", "", 0},
	{NULL, NULL, 0},
};

/* vault's sub-command of name=value arguments makes it another program. */
static const struct redact_program vault_pairs = {
	"vault kv put",
	.kind = REDACT_PAIRS | REDACT_ASKS,
};

static int compare(const void *key, const void *item)
{
	const struct slice *name = key;
	const char *other = ((const struct redact_program *)item)->name;
	size_t n = strlen(other), least = name->len < n ? name->len : n;
	int d = memcmp(name->ptr, other, least);

	return d ? d : (name->len > n) - (name->len < n);
}

static const struct redact_program *look_up(struct slice name)
{
	return bsearch(&name, programs, ARRAY_LEN(programs), sizeof(programs[0]), compare);
}

const struct redact_program *redact_program(struct slice path)
{
	struct slice name = slice_base_name(path);
	const struct redact_program *p;

	if (name.len > 1 && name.ptr[0] == '-') /* a login shell */
		name = (struct slice){name.ptr + 1, name.len - 1};
	if (name.len == 0 || name.len > 32 || memchr(path.ptr, ' ', path.len) ||
	    memchr(path.ptr, ';', path.len) || memchr(path.ptr, '\n', path.len))
		return NULL; /* a command line is no program */
	p = look_up(name);
	while (!p && name.len > 1 &&
	       ((name.ptr[name.len - 1] >= '0' && name.ptr[name.len - 1] <= '9') ||
		name.ptr[name.len - 1] == '.' || name.ptr[name.len - 1] == '-')) {
		name.len--;
		p = look_up(name);
	}
	if (!p && (slice_starts(name, "mysql") || slice_starts(name, "mariadb")))
		p = look_up(SLICE_LIT("mysql"));
	return p;
}

bool redact_has_sub(const struct redact_program *p, const struct slice *w, size_t n)
{
	for (size_t i = 1; p->sub && i < n; i++) {
		struct slice rest = slice_of(p->sub);

		while (rest.len > 0)
			if (slice_eq(slice_cut(&rest, ' '), w[i]) && w[i].len > 0)
				return true;
	}
	return false;
}

bool redact_is_assignment(struct slice s)
{
	size_t i = 0;

	while (i < s.len && (s.ptr[i] == '_' || (s.ptr[i] >= 'a' && s.ptr[i] <= 'z') ||
			     (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') ||
			     (i > 0 && s.ptr[i] >= '0' && s.ptr[i] <= '9')))
		i++;
	return i > 0 && i < s.len && s.ptr[i] == '=';
}

/* What may stand before a command. */
static bool is_prefix(struct slice s)
{
	return slice_is(s, "!") || redact_is_assignment(s);
}

static bool takes_next(const struct redact_program *p, struct slice option)
{
	size_t last = option.len - 1;

	for (size_t k = 1; k <= last && option.ptr[1] != '-' && option.ptr[k]; k++)
		if ((p->other && strchr(p->other, option.ptr[k])) ||
		    (p->secret && strchr(p->secret, option.ptr[k])))
			return k == last;
	return false;
}

/* Behind find's "-exec". */
static size_t behind_exec(const struct slice *w, size_t n, size_t i)
{
	while (i < n && !slice_starts(w[i], "-exec") && !slice_starts(w[i], "-ok"))
		i++;
	return i + 1 < n ? i + 1 : n;
}

/* What p, at word `at`, runs: the word after its options, assignments and `skip` arguments; or,
 * when that is nothing known, the first word that is. n: none. */
static size_t wrapped(const struct redact_program *p, const struct slice *w, size_t n, size_t at)
{
	unsigned skip = p->skip == REDACT_SKIP_ANY ? 0 : p->skip;
	size_t i = at + 1;

	if (strcmp(p->name, "find") == 0)
		return behind_exec(w, n, i);
	for (; i < n && p->skip != REDACT_SKIP_ANY; i++) {
		if (slice_is(w[i], "--"))
			continue;
		if (w[i].len > 1 && w[i].ptr[0] == '-')
			i += takes_next(p, w[i]);
		else if (!is_prefix(w[i]) && skip-- == 0)
			break;
	}
	if (i < n && p->skip != REDACT_SKIP_ANY && redact_program(w[i]))
		return i;
	for (i = at + 1; i < n; i++)
		if (w[i].len > 1 && w[i].ptr[0] != '-' && redact_program(w[i]))
			return i;
	return n;
}

static bool puts_pairs(const struct slice *w, size_t n)
{
	for (size_t i = 1; i + 1 < n; i++) {
		if (slice_is(w[i], "kv"))
			return slice_is(w[i + 1], "put") || slice_is(w[i + 1], "patch");
		if (slice_is(w[i], "write"))
			return slice_starts(w[i + 1], "secret/");
	}
	return false;
}

size_t redact_steps(struct slice exe, const struct slice *w, size_t n,
		    struct redact_step out[REDACT_MAX_STEPS])
{
	const struct redact_program *p = NULL;
	size_t at = 0, steps = 0;

	while (at < n && is_prefix(w[at]))
		at++;
	if (at < n)
		p = redact_program(w[at]);
	if (!p && exe.ptr && n > 0) {
		at = 0;
		p = redact_program(exe);
	}
	while (p && steps < REDACT_MAX_STEPS) {
		if (strcmp(p->name, "vault") == 0 && puts_pairs(w + at, n - at))
			p = &vault_pairs;
		out[steps++] = (struct redact_step){p, at};
		if (!(p->kind & REDACT_WRAPS) || redact_has_sub(p, w + at, n - at))
			break;
		at = wrapped(p, w, n, at);
		p = at < n ? redact_program(w[at]) : NULL;
	}
	return steps;
}
