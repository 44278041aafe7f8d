/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "common/xml.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/tap.h"

static struct sa_err err;

struct seen {
	struct buf text; /* "path=text;" of leaves, "/path;" of ends */
	int left;        /* calls until it stops; 0: never */
};

static int count_down(struct seen *s)
{
	return s->left > 0 && --s->left == 0 ? 7 : 0;
}

static int see_leaf(void *ctx, const char *path, struct slice text)
{
	struct seen *s = ctx;

	buf_printf(&s->text, "%s=", path);
	buf_put(&s->text, text);
	buf_putc(&s->text, ';');
	return count_down(s);
}

static int see_end(void *ctx, const char *path)
{
	struct seen *s = ctx;

	buf_printf(&s->text, "/%s;", path);
	return count_down(s);
}

static const struct xml_handler both = {see_leaf, see_end};

static int see(struct slice text, const struct xml_handler *h, int stop_at, struct buf *out)
{
	struct seen s = {.left = stop_at};
	int rc;

	buf_init(&s.text, 1 << 20);
	rc = xml_read(text, h, &s, &err);
	buf_clear(out);
	buf_put(out, buf_slice(&s.text));
	buf_free(&s.text);
	return rc;
}

static const struct {
	const char *what;
	struct slice text, want;
} good[] = {
	{"one leaf", SLICE_LIT("<a>x</a>"), SLICE_LIT("a=x;")},
	{"an empty leaf", SLICE_LIT("<a/>"), SLICE_LIT("a=;")},
	{"a list as S3 answers it",
	 SLICE_LIT("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<R xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
		   "  <C><K>a</K><S>1</S></C>\n  <C><K>b</K></C>\n</R>\n"),
	 SLICE_LIT("R/C/K=a;R/C/S=1;/R/C;R/C/K=b;/R/C;/R;")},
	{"blanks in a leaf stay", SLICE_LIT("<a> x\n </a>"), SLICE_LIT("a= x\n ;")},
	{"CR LF becomes LF", SLICE_LIT("<a>1\r\n2&#13;</a>"), SLICE_LIT("a=1\n2\r;")},
	{"prefixes go", SLICE_LIT("<n:a xmlns:n='u'><n:b>x</n:b></n:a>"), SLICE_LIT("a/b=x;/a;")},
	{"a prefix without a declaration", SLICE_LIT("<n:a>x</n:a>"), SLICE_LIT("a=x;")},
	{"the five entities and numbers", SLICE_LIT("<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;</a>"),
	 SLICE_LIT("a=<>&\"'AB;")},
	{"CDATA, comment and instruction within",
	 SLICE_LIT("<a>1<![CDATA[<2>]]><!-- c --><?p i?>3</a>"), SLICE_LIT("a=1<2>3;")},
	{"text beside elements is passed over", SLICE_LIT("<a>1<b>2</b>3</a>"),
	 SLICE_LIT("a/b=2;/a;")},
	{"attributes are passed over", SLICE_LIT("<a b='c'>x</a>"), SLICE_LIT("a=x;")},
	{"a BOM", SLICE_LIT("\xef\xbb\xbf<a>\xc3\xa4</a>"), SLICE_LIT("a=\xc3\xa4;")},
	{"ISO-8859-1", SLICE_LIT("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe4</a>"),
	 SLICE_LIT("a=\xc3\xa4;")},
	{"UTF-16", SLICE_LIT("\xff\xfe<\0a\0>\0\xe4\0<\0/\0a\0>\0"), SLICE_LIT("a=\xc3\xa4;")},
	{"a deep one", SLICE_LIT("<a><b><c><d>x</d></c></b></a>"),
	 SLICE_LIT("a/b/c/d=x;/a/b/c;/a/b;/a;")},
};

static void test_good(void)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_cleanup_buf_ struct buf out = {0};

		buf_init(&out, 1 << 20);
		tap_int(see(good[i].text, &both, 0, &out), 0, "%s", good[i].what);
		tap_bytes(buf_slice(&out), good[i].want, "%s: what is seen", good[i].what);
	}
}

static const struct {
	const char *what;
	struct slice text;
	const char *msg;
} bad[] = {
	{"nothing", SLICE_LIT(""), "line 1: no element found"},
	{"absent", {NULL, 0}, "line 1: no element found"},
	{"blanks", SLICE_LIT(" \n\n"), "line 3: no element found"},
	{"text", SLICE_LIT("hello"), "line 1: syntax error"},
	{"HTML", SLICE_LIT("<html>\n<br>\n</html>"), "line 3: mismatched tag"},
	{"cut", SLICE_LIT("<a><b>x</b>"), "line 1: no element found"},
	{"cut in a tag", SLICE_LIT("<a><b"), "line 1: unclosed token"},
	{"two roots", SLICE_LIT("<a/><b/>"), "line 1: junk after document element"},
	{"NUL", SLICE_LIT("<a>\0</a>"), "line 1: not well-formed (invalid token)"},
	{"not UTF-8", SLICE_LIT("<a>\xff</a>"), "line 1: not well-formed (invalid token)"},
	{"a control character", SLICE_LIT("<a>&#1;</a>"),
	 "line 1: reference to invalid character number"},
	{"an unknown entity", SLICE_LIT("<a>&nbsp;</a>"), "line 1: undefined entity"},
	{"an encoding that is not known", SLICE_LIT("<?xml version='1.0' encoding='x-y'?><a/>"),
	 "line 1: unknown encoding"},
	{"an external subset", SLICE_LIT("\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a>x</a>"),
	 "line 2: a document type declaration, which is not allowed"},
	{"entities that grow",
	 SLICE_LIT("<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><a>&c;</a>"),
	 "line 1: a document type declaration, which is not allowed"},
	{"an empty DOCTYPE", SLICE_LIT("<!DOCTYPE a><a/>"),
	 "line 1: a document type declaration, which is not allowed"},
};

static void test_bad(void)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_buf_ struct buf out = {0};

		err = (struct sa_err){0};
		buf_init(&out, 1 << 20);
		tap_int(see(bad[i].text, &both, 0, &out), SA_ERR_INVALID, "%s", bad[i].what);
		tap_str(err.msg, bad[i].msg, "%s: message", bad[i].what);
		tap_int(err.code, SA_ERR_INVALID, "%s: code", bad[i].what);
	}
	tap_int(xml_read(SLICE_LIT("<a>"), &both, NULL, NULL), SA_ERR_INVALID, "err may be NULL");
}

/* <e>...<e> depth times, then what ends them. */
static void nest(struct buf *out, int depth, const char *name)
{
	buf_clear(out);
	for (int i = 0; i < depth; i++)
		buf_printf(out, "<%s>", name);
	for (int i = 0; i < depth; i++)
		buf_printf(out, "</%s>", name);
}

static void test_bounds(void)
{
	_cleanup_buf_ struct buf in = {0}, out = {0};
	char name[XML_MAX_PATH + 2];

	buf_init(&in, 1 << 20);
	buf_init(&out, 1 << 20);
	nest(&in, XML_MAX_DEPTH, "e");
	tap_int(see(buf_slice(&in), &both, 0, &out), 0, "as deep as may be");
	nest(&in, XML_MAX_DEPTH + 1, "e");
	tap_int(see(buf_slice(&in), &both, 0, &out), SA_ERR_INVALID, "deeper");
	tap_str(err.msg, "line 1: elements nested too deeply", "says so");
	tap_bytes(buf_slice(&out), SLICE_LIT(""), "nothing was seen");
	nest(&in, 100000, "e");
	tap_int(see(buf_slice(&in), &both, 0, &out), SA_ERR_INVALID, "much deeper");

	memset(name, 'n', sizeof(name));
	name[XML_MAX_PATH - 1] = '\0';
	nest(&in, 1, name);
	tap_int(see(buf_slice(&in), &both, 0, &out), 0, "a long name");
	tap_int((long long)out.len, XML_MAX_PATH - 1 + 2, "is seen whole");
	name[XML_MAX_PATH - 1] = 'n';
	name[XML_MAX_PATH + 1] = '\0';
	nest(&in, 1, name);
	tap_int(see(buf_slice(&in), &both, 0, &out), SA_ERR_INVALID, "a name over the path");

	for (size_t n = XML_MAX_TEXT; n <= XML_MAX_TEXT + 1; n++) {
		buf_clear(&in);
		buf_puts(&in, "<a>");
		while (in.len < n + 3)
			buf_puts(&in, "\n"); /* the library gives lines one by one */
		buf_puts(&in, "</a>");
		tap_int(see(buf_slice(&in), &both, 0, &out), n == XML_MAX_TEXT ? 0 : SA_ERR_INVALID,
			"%zu bytes of text", n);
	}
	tap_ok(strstr(err.msg, ": too much text in one element"), "says so: %s", err.msg);
}

static void test_stop(void)
{
	static const struct slice text = SLICE_LIT("<r><a>1</a><b><c/></b></r> trailing");
	static const char *const want[] = {"", "r/a=1;", "r/a=1;r/b/c=;", "r/a=1;r/b/c=;/r/b;",
					   "r/a=1;r/b/c=;/r/b;/r;"};
	static const struct xml_handler none = {0}, leaves = {.leaf = see_leaf},
					ends = {.end = see_end};
	_cleanup_buf_ struct buf out = {0};

	buf_init(&out, 1000);
	for (int i = 1; i < (int)ARRAY_LEN(want); i++) {
		err = (struct sa_err){0};
		tap_int(see(text, &both, i, &out), 7, "stops at call %d", i);
		tap_bytes(buf_slice(&out), slice_of(want[i]), "no call after that");
		tap_int(err.code, 0, "a stop is no error");
	}
	tap_int(see(text, &both, 0, &out), SA_ERR_INVALID, "without a stop the rest is read");
	tap_bytes(buf_slice(&out), slice_of(want[4]), "what came before was seen");
	tap_int(see(good[2].text, &none, 0, &out), 0, "no handlers");
	tap_int(see(good[2].text, &leaves, 0, &out), 0, "leaves only");
	tap_bytes(buf_slice(&out), SLICE_LIT("R/C/K=a;R/C/S=1;R/C/K=b;"), "are seen");
	tap_int(see(good[2].text, &ends, 0, &out), 0, "ends only");
	tap_bytes(buf_slice(&out), SLICE_LIT("/R/C;/R/C;/R;"), "are seen");
}

static void test_find(void)
{
	static const struct slice text =
		SLICE_LIT("<Error><Code>Slow&amp;Down</Code><Code>2</Code><E/><M><Code>3</Code></M>"
			  "</Error>");
	_cleanup_buf_ struct buf out = {0};

	buf_init(&out, 15);
	buf_puts(&out, "c:");
	tap_int(xml_find(text, "Error/Code", &out, &err), 0, "found");
	tap_bytes(buf_slice(&out), SLICE_LIT("c:Slow&Down"), "the first, appended");
	tap_int(xml_find(text, "Error/M/Code", &out, &err), 0, "a deeper one");
	tap_bytes(buf_slice(&out), SLICE_LIT("c:Slow&Down3"), "is another");
	tap_int(xml_find(text, "Error/E", &out, &err), 0, "an empty one is found");
	tap_int(xml_find(text, "Error/M", &out, &err), SA_ERR_NOTFOUND, "not a leaf");
	tap_str(err.msg, "no element Error/M", "says which");
	tap_int(xml_find(text, "Code", &out, &err), SA_ERR_NOTFOUND, "a path is from the root on");
	tap_int(xml_find(SLICE_LIT("<a><b>"), "a/c", &out, &err), SA_ERR_INVALID, "broken");
	tap_bytes(buf_slice(&out), SLICE_LIT("c:Slow&Down3"), "nothing was appended");
	tap_int(xml_find(text, "Error/Code", &out, &err), SA_ERR_TOOBIG, "no room");
}

static void test_memory(void)
{
	struct seen s = {.left = 0};
	int rc;

	alloc_fail_at(1); /* the library's own are not ours to fail */
	rc = xml_read(SLICE_LIT("<a>x</a>"), &both, &s, &err);
	tap_ok(alloc_failed() && rc == SA_ERR_NOMEM && err.code == rc, "no memory for text");
	tap_str(err.msg, "line 1: out of memory", "says so");
	alloc_fail_at(0);
}

int main(void)
{
	test_good();
	test_bad();
	test_bounds();
	test_stop();
	test_find();
	test_memory();
	return tap_done();
}
