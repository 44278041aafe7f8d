/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "agent/collector/open_flags.h"

#include <inttypes.h>
#include <linux/audit.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"

#define ACCMODE 3u

enum family { GENERIC, ARM, POWERPC, FAMILIES, UNKNOWN = FAMILIES };

/* Those that are made of two bits stand before the one that they share. */
static const struct {
	const char *name;
	uint32_t bits[FAMILIES];
} names[] = {
	{"O_CREAT", {00000100, 00000100, 00000100}},
	{"O_EXCL", {00000200, 00000200, 00000200}},
	{"O_NOCTTY", {00000400, 00000400, 00000400}},
	{"O_TRUNC", {00001000, 00001000, 00001000}},
	{"O_APPEND", {00002000, 00002000, 00002000}},
	{"O_NONBLOCK", {00004000, 00004000, 00004000}},
	{"O_SYNC", {04010000, 04010000, 04010000}},
	{"O_DSYNC", {00010000, 00010000, 00010000}},
	{"O_ASYNC", {00020000, 00020000, 00020000}},
	{"O_DIRECT", {00040000, 00200000, 00400000}},
	{"O_LARGEFILE", {00100000, 00400000, 00200000}},
	{"O_TMPFILE", {020200000, 020040000, 020040000}},
	{"O_DIRECTORY", {00200000, 00040000, 00040000}},
	{"O_NOFOLLOW", {00400000, 00100000, 00100000}},
	{"O_NOATIME", {01000000, 01000000, 01000000}},
	{"O_CLOEXEC", {02000000, 02000000, 02000000}},
	{"O_PATH", {010000000, 010000000, 010000000}},
};

static enum family family_of(uint32_t arch)
{
	switch (arch) {
	case AUDIT_ARCH_X86_64:
	case AUDIT_ARCH_I386:
	case AUDIT_ARCH_S390:
	case AUDIT_ARCH_S390X:
	case AUDIT_ARCH_RISCV32:
	case AUDIT_ARCH_RISCV64:
		return GENERIC;
	case AUDIT_ARCH_ARM:
	case AUDIT_ARCH_ARMEB:
	case AUDIT_ARCH_AARCH64:
		return ARM;
	case AUDIT_ARCH_PPC:
	case AUDIT_ARCH_PPC64:
	case AUDIT_ARCH_PPC64LE:
		return POWERPC;
	default:
		return UNKNOWN;
	}
}

/* All names together fit. */
static void add(struct open_flags *f, size_t *len, const char *text)
{
	size_t n = strlen(text), bar = *len > 0;

	if (*len + bar + n >= sizeof(f->text))
		return;
	if (bar)
		f->text[*len] = '|';
	memcpy(f->text + *len + bar, text, n + 1);
	*len += bar + n;
}

static void add_bits(struct open_flags *f, size_t *len, uint64_t bits)
{
	char text[24];

	if (bits == 0)
		return;
	snprintf(text, sizeof(text), "0x%" PRIx64, bits);
	add(f, len, text);
}

void open_flags_read(uint32_t arch, uint64_t bits, struct open_flags *out)
{
	static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
	enum family family = family_of(arch);
	size_t len = 0;

	*out = (struct open_flags){.writes = (bits & ACCMODE) != 0};
	add(out, &len, modes[bits & ACCMODE]);
	bits &= ~(uint64_t)ACCMODE;
	for (size_t i = 0; family != UNKNOWN && i < ARRAY_LEN(names); i++) {
		uint64_t flag = names[i].bits[family];

		if ((bits & flag) != flag)
			continue;
		bits &= ~flag;
		add(out, &len, names[i].name);
		out->creates |= strcmp(names[i].name, "O_CREAT") == 0;
		out->truncates |= strcmp(names[i].name, "O_TRUNC") == 0;
		out->nameless |= strcmp(names[i].name, "O_TMPFILE") == 0;
	}
	add_bits(out, &len, bits);
}
