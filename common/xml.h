/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

/*
 * XML as services answer it (S3, STS), read leaf by leaf; only xml.c knows the
 * library behind it (expat). A document type declaration is refused, and with it
 * every entity but the five of XML. Bounds: XML_MAX_DEPTH elements deep,
 * XML_MAX_TEXT bytes of text in one element, XML_MAX_PATH bytes of path.
 */
#ifndef SA_XML_H
#define SA_XML_H

#include "common/buf.h"
#include "common/err.h"

#define XML_MAX_DEPTH 16
#define XML_MAX_TEXT (64 * 1024)
#define XML_MAX_PATH 512

struct xml_handler { /* each may be NULL; non-zero stops and is returned */
	/* An element without child elements has ended. path: the names from the root on, without
	 * namespace prefixes, as "ListBucketResult/Contents/Key". text: its character data. */
	int (*leaf)(void *ctx, const char *path, struct slice text);
	/* An element that has child elements has ended. */
	int (*end)(void *ctx, const char *path);
};

/* SA_ERR_INVALID: not well formed, a declaration, over a bound; err says the line. What came before
 * that was reported already. */
int xml_read(struct slice text, const struct xml_handler *h, void *ctx, struct sa_err *err);
/* Appends the text of the first leaf at path. SA_ERR_NOTFOUND; SA_ERR_INVALID as xml_read. */
int xml_find(struct slice text, const char *path, struct buf *out, struct sa_err *err);

#endif
