/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */
#include "config.h"

#include "tests/integration/faultproxy_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

const char *rule_name(enum rule_fault fault)
{
#define RULE_NAME(name, symbol) name,
	static const char *const names[] = {RULE_FAULTS(RULE_NAME)};
#undef RULE_NAME
	return names[fault];
}

static bool rule_set_fault(struct rule *r, const char *name)
{
	for (int i = FAULT_PASS; i <= FAULT_TRUNCATE; i++)
		if (strcmp(name, rule_name((enum rule_fault)i)) == 0) {
			r->fault = (enum rule_fault)i;
			return true;
		}
	return false;
}

static bool rule_set_number(struct rule *r, const char *name, const char *value)
{
	const struct {
		const char *name;
		unsigned *field;
	} numbers[] = {{"status", &r->status}, {"ms", &r->ms},
		       {"bytes", &r->bytes},   {"every", &r->every},
		       {"first", &r->first},   {"date", (unsigned *)&r->date}};
	char *end;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (strcmp(name, numbers[i].name) == 0) {
			*numbers[i].field = (unsigned)strtol(value, &end, 10);
			return *end == '\0';
		}
	return false;
}

static bool rule_set_text(struct rule *r, const char *name, const char *value)
{
	const struct {
		const char *name;
		char *field;
	} texts[] = {
		{"code", r->code}, {"header", r->header}, {"method", r->method}, {"path", r->path}};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (strcmp(name, texts[i].name) == 0 && strlen(value) < RULE_TEXT) {
			strcpy(texts[i].field, value); /* it fits */
			return true;
		}
	return false;
}

static bool rule_set(struct rule *r, char *word)
{
	char *value = strchr(word, '=');
	char *end;

	if (!value)
		return false;
	*value++ = '\0';
	if (strcmp(word, "p") == 0) {
		r->p = strtod(value, &end);
		return *end == '\0';
	}
	return rule_set_number(r, word, value) || rule_set_text(r, word, value);
}

/* Takes line apart. */
static bool rule_parse(struct rule *r, char *line)
{
	char *rest = NULL, *word = strtok_r(line, " \t\n", &rest);

	*r = (struct rule){.p = 1, .status = 503};
	if (!word || !rule_set_fault(r, word))
		return false;
	while ((word = strtok_r(NULL, " \t\n", &rest)) != NULL)
		if (!rule_set(r, word))
			return false;
	return true;
}

static bool rules_read(struct rules *r, FILE *f)
{
	char line[2048];

	r->n = 0;
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#' || line[strspn(line, " \t\n")] == '\0')
			continue;
		if (r->n == RULES_MAX || !rule_parse(&r->rule[r->n], line)) {
			fprintf(stderr, "faultproxy: %s: rule %u is wrong\n", r->path, r->n + 1);
			return false;
		}
		r->n++;
	}
	return true;
}

bool rules_refresh(struct rules *r)
{
	_cleanup_fclose_ FILE *f = fopen(r->path, "re");
	struct stat st;

	if (!f || fstat(fileno(f), &st) != 0) {
		r->n = 0;
		r->ino = 0;
		return true;
	}
	if (st.st_ino == r->ino && st.st_mtim.tv_sec == r->mtime.tv_sec &&
	    st.st_mtim.tv_nsec == r->mtime.tv_nsec)
		return true;
	r->ino = st.st_ino;
	r->mtime = st.st_mtim;
	return rules_read(r, f);
}

/* xorshift64* (Vigna): the same seed, the same chances. */
static double rules_chance(struct rules *r)
{
	r->random ^= r->random >> 12;
	r->random ^= r->random << 25;
	r->random ^= r->random >> 27;
	return (double)(r->random * 2685821657736338717u >> 11) / (double)(1ull << 53);
}

static bool rule_fires(struct rules *all, struct rule *r, const char *method, const char *target)
{
	if ((r->method[0] && strcmp(r->method, method) != 0) || !strstr(target, r->path))
		return false;
	r->seen++;
	if (r->first && r->seen > r->first)
		return false;
	if (r->every && r->seen % r->every != 0)
		return false;
	return r->p >= 1 || rules_chance(all) < r->p;
}

struct rule rules_choose(struct rules *r, const char *method, const char *target)
{
	for (unsigned i = 0; i < r->n; i++)
		if (rule_fires(r, &r->rule[i], method, target))
			return r->rule[i];
	return (struct rule){.fault = FAULT_PASS};
}

bool rules_refuse(const struct rules *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->rule[i].fault == FAULT_REFUSE)
			return true;
	return false;
}
