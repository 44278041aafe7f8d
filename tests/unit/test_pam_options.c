/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include <string.h>

#include "pam_sessaudit/options.h"
#include "tests/unit/tap.h"

/* The user of all cases: alice, uid 1000, in the groups dba and alice. */
static bool uid(void *ctx, const char *name, uid_t *out)
{
	(void)ctx;
	*out = 1000;
	return strcmp(name, "alice") == 0;
}

static bool in_group(void *ctx, const char *name, const char *group)
{
	(void)ctx;
	return strcmp(name, "alice") == 0 &&
	       (strcmp(group, "dba") == 0 || strcmp(group, "alice") == 0);
}

static void report(void *ctx, const char *message)
{
	buf_puts(ctx, message);
	buf_putc(ctx, '\n');
}

#define MAX_ARGS 6
#define LEAVE OPTIONS_TTY_LEAVE
#define ON OPTIONS_TTY_ON
#define OFF OPTIONS_TTY_OFF

struct c {
	const char *name, *settings;
	const char *argv[MAX_ARGS];
	enum options_tty want;
};

static const struct c cases[] = {
	{"nothing said: everyone", "", {NULL}, ON},
	{"flags alone say nothing about users", "", {"open_only", "log_passwd", "quiet"}, ON},
	{"enable everyone", "", {"enable=*"}, ON},
	{"disable everyone", "", {"disable=*"}, OFF},
	{"enable by name", "", {"enable=alice"}, ON},
	{"enable someone else", "", {"enable=bob"}, LEAVE},
	{"disable someone else", "", {"disable=bob"}, LEAVE},
	{"later wins", "", {"disable=*", "enable=alice"}, ON},
	{"earlier loses", "", {"enable=alice", "disable=*"}, OFF},
	{"three", "", {"enable=*", "disable=alice", "enable=ali*"}, ON},
	{"a list", "", {"enable=bob,carol,alice"}, ON},
	{"empty items", "", {"enable=,,alice,"}, ON},
	{"an empty list fits nobody", "", {"enable="}, LEAVE},
	{"glob", "", {"enable=al?c[a-f]"}, ON},
	{"glob is of the whole name", "", {"enable=lice"}, LEAVE},
	{"range", "", {"enable=1000:1000"}, ON},
	{"range around", "", {"enable=0:4000"}, ON},
	{"range below", "", {"enable=0:999"}, LEAVE},
	{"range above", "", {"enable=1001:2000"}, LEAVE},
	{"range upside down", "", {"enable=2000:500"}, LEAVE},
	{"from", "", {"enable=1000:"}, ON},
	{"from above", "", {"enable=1001:"}, LEAVE},
	{":b is exactly b", "", {"enable=:1000"}, ON},
	{":b is not up to b", "", {"enable=:2000"}, LEAVE},
	{"range in a list", "", {"enable=bob,5:7,1000:"}, ON},
	{"group", "", {"group=wheel,dba"}, ON},
	{"group of others", "", {"group=wheel"}, LEAVE},
	{"group after disable", "", {"disable=*", "group=dba"}, ON},
	{"disable after group", "", {"group=dba", "disable=alice"}, OFF},
	{"settings enable", "[pam]\nenable = alice\n", {NULL}, ON},
	{"settings enable others", "[pam]\nenable = bob\n", {NULL}, LEAVE},
	{"settings: disable is read after enable",
	 "[pam]\ndisable = alice\nenable = *\n",
	 {NULL},
	 OFF},
	{"settings group", "[pam]\ngroup = dba\n", {NULL}, ON},
	{"the line comes after settings", "[pam]\ndisable = *\n", {"enable=alice"}, ON},
	{"the line may leave settings alone", "[pam]\ndisable = *\n", {"enable=bob"}, OFF},
};

static void resolve(const struct c *c, struct options *out, struct buf *said)
{
	struct options_user alice = {
		.name = "alice", .uid = uid, .in_group = in_group, .report = report, .ctx = said};
	struct settings s = {0};
	int argc = 0;

	tap_int(settings_parse("conf", slice_of(c->settings), &s, NULL), 0, "%s: settings",
		c->name);
	while (argc < MAX_ARGS && c->argv[argc])
		argc++;
	options_resolve(argc, c->argv, &s, &alice, out);
	settings_free(&s);
}

static void check_case(const struct c *c)
{
	_cleanup_buf_ struct buf said = {0};
	struct options o;

	buf_init(&said, 65536);
	resolve(c, &o, &said);
	tap_int(o.tty, c->want, "%s", c->name);
	tap_str(buf_cstr(&said), "", "%s: no complaint", c->name);
}

struct complaint {
	const char *arg, *text;
};

#define KNOWN                                                                                      \
	": passed over; known are enable= disable= group= open_only log_passwd on_none= config= "  \
	"quiet debug\n"
#define ON_NONE ": passed over; write record or deny\n"
#define RANGE ": write MIN:MAX, MIN: or :UID\n"

static const struct complaint complaints[] = {
	{"enabled=*", "unknown option \"enabled=*\"" KNOWN},
	{"enable", "unknown option \"enable\"" KNOWN},
	{"open_only=yes", "unknown option \"open_only=yes\"" KNOWN},
	{"", "unknown option \"\"" KNOWN},
	{"enable=:", "bad uid range \":\"" RANGE},
	{"enable=a:b", "bad uid range \"a:b\"" RANGE},
	{"enable=1:2:3", "bad uid range \"1:2:3\"" RANGE},
	{"enable=-1:5", "bad uid range \"-1:5\"" RANGE},
	{"enable= 1:5", "bad uid range \" 1:5\"" RANGE},
	{"on_none=", "bad on_none \"\"" ON_NONE},
	{"on_none=Deny", "bad on_none \"Deny\"" ON_NONE},
	{"on_none=deny,record", "bad on_none \"deny,record\"" ON_NONE},
	{"on_none", "unknown option \"on_none\"" KNOWN},
	{"enable=0:4294967296", "bad uid range \"0:4294967296\"" RANGE},
};

static void check_complaint(const struct complaint *k)
{
	_cleanup_buf_ struct buf said = {0};
	struct c c = {k->arg, "", {"disable=*", k->arg}, OFF};
	struct options o;

	buf_init(&said, 65536);
	resolve(&c, &o, &said);
	tap_str(buf_cstr(&said), k->text, "\"%s\": complaint", k->arg);
	tap_int(o.tty, OFF, "\"%s\": no effect", k->arg);
}

static void check_flags(void)
{
	_cleanup_buf_ struct buf said = {0};
	struct options o;

	buf_init(&said, 65536);
	resolve(&(struct c){"no flags", "", {NULL}, ON}, &o, &said);
	tap_ok(!o.open_only && !o.log_passwd && !o.quiet && !o.debug, "no flags");
	resolve(&(struct c){"all flags", "", {"open_only", "log_passwd", "quiet", "debug"}, ON}, &o,
		&said);
	tap_ok(o.open_only && o.log_passwd && o.quiet && o.debug, "all flags");
	resolve(&(struct c){"settings", "[pam]\nopen_only = yes\nlog_passwd = yes\n", {NULL}, ON},
		&o, &said);
	tap_ok(o.open_only && o.log_passwd && !o.quiet && !o.debug, "flags of settings");
}

static void check_on_none(void)
{
	_cleanup_buf_ struct buf said = {0};
	struct options o;

	buf_init(&said, 65536);
	resolve(&(struct c){"no on_none", "[policy]\non_none = deny\n", {NULL}, ON}, &o, &said);
	tap_str(o.on_none, NULL, "the line does not say on_none");
	resolve(&(struct c){"deny", "", {"quiet", "on_none=deny"}, ON}, &o, &said);
	tap_str(o.on_none, "deny", "on_none=deny");
	resolve(&(struct c){"record", "", {"on_none=deny", "on_none=record"}, ON}, &o, &said);
	tap_str(o.on_none, "record", "the last on_none counts");
	resolve(&(struct c){"bad", "", {"on_none=deny", "on_none=no"}, ON}, &o, &said);
	tap_str(o.on_none, "deny", "a bad on_none changes nothing");
	tap_str(buf_cstr(&said), "bad on_none \"no\"" ON_NONE, "a bad on_none is reported");
}

static void check_config(void)
{
	const char *argv[] = {"enable=*", "config=/a", "quiet", "config=/b"};

	tap_str(options_config(0, argv), NULL, "no config=");
	tap_str(options_config(2, argv), "/a", "config=");
	tap_str(options_config(4, argv), "/b", "the last config= counts");
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(&cases[i]);
	for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++)
		check_complaint(&complaints[i]);
	check_flags();
	check_on_none();
	check_config();
	return tap_done();
}
