/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the sessaudit authors */

#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "common/clock.h"

#define CLOCK_DAY_MS INT64_C(86400000)
#define CLOCK_LAST_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static struct {
	bool on;
	int64_t real_ms, mono_ms;
} clock_faked;

int64_t clock_ms(const struct timespec *ts)
{
	return (int64_t)ts->tv_sec * 1000 + ts->tv_nsec / 1000000;
}

static int64_t clock_read_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return clock_ms(&ts);
}

int64_t clock_real_ms(void)
{
	return clock_faked.on ? clock_faked.real_ms : clock_read_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
	return clock_faked.on ? clock_faked.mono_ms : clock_read_ms(CLOCK_MONOTONIC);
}

void clock_fake(int64_t real_ms, int64_t mono_ms)
{
	clock_faked.on = true;
	clock_faked.real_ms = real_ms;
	clock_faked.mono_ms = mono_ms;
}

void clock_fake_advance(int64_t ms)
{
	clock_faked.real_ms += ms;
	clock_faked.mono_ms += ms;
}

static int64_t clock_clamp(int64_t ms)
{
	if (ms < 0)
		return 0;
	return ms > CLOCK_LAST_MS ? CLOCK_LAST_MS : ms;
}

static void clock_put_digits(char *out, unsigned value, int n)
{
	while (n-- > 0) {
		out[n] = (char)('0' + value % 10);
		value /= 10;
	}
}

static void clock_put(char *out, const struct tm *tm, unsigned ms, char between)
{
	memcpy(out, "0000-00-00 00:00:00.000", 24);
	clock_put_digits(out, (unsigned)tm->tm_year + 1900, 4);
	clock_put_digits(out + 5, (unsigned)tm->tm_mon + 1, 2);
	clock_put_digits(out + 8, (unsigned)tm->tm_mday, 2);
	out[10] = between;
	clock_put_digits(out + 11, (unsigned)tm->tm_hour, 2);
	clock_put_digits(out + 14, (unsigned)tm->tm_min, 2);
	clock_put_digits(out + 17, (unsigned)tm->tm_sec, 2);
	clock_put_digits(out + 20, ms, 3);
}

/* The day a number of days after 1970-01-01, the inverse of clock_days for what clock_clamp leaves.
 * gmtime_r takes the lock of the time zone and five times as long. */
static void clock_day(int64_t days, struct tm *tm)
{
	int64_t shifted = days + 719468;
	int cycle = (int)(shifted / 146097), in_cycle = (int)(shifted % 146097);
	int year = (in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096) / 365;
	int in_year = in_cycle - (365 * year + year / 4 - year / 100);
	int month = (5 * in_year + 2) / 153; /* from March */

	tm->tm_mday = in_year - (153 * month + 2) / 5 + 1;
	tm->tm_mon = month < 10 ? month + 2 : month - 10;
	tm->tm_year = cycle * 400 + year + (tm->tm_mon < 2) - 1900;
}

void clock_format_utc(int64_t real_ms, char out[CLOCK_TEXT_SIZE])
{
	int64_t ms = clock_clamp(real_ms);
	int second = (int)(ms % CLOCK_DAY_MS / 1000);
	struct tm tm = {
		.tm_hour = second / 3600,
		.tm_min = second / 60 % 60,
		.tm_sec = second % 60,
	};

	clock_day(ms / CLOCK_DAY_MS, &tm);
	clock_put(out, &tm, (unsigned)(ms % 1000), 'T');
	memcpy(out + 23, "Z", 2);
}

void clock_format_local(int64_t real_ms, char out[CLOCK_TEXT_SIZE])
{
	int64_t ms = clock_clamp(real_ms);
	time_t sec = (time_t)(ms / 1000);
	struct tm tm;

	tzset(); /* localtime_r need not look at TZ */
	localtime_r(&sec, &tm);
	clock_put(out, &tm, (unsigned)(ms % 1000), ' ');
	strftime(out + 23, CLOCK_TEXT_SIZE - 23, " %z", &tm);
}

/* Takes exactly n digits from the front of *s. */
static bool clock_take_digits(struct slice *s, size_t n, int *out)
{
	int value = 0;

	if (s->len < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->ptr[i] < '0' || s->ptr[i] > '9')
			return false;
		value = value * 10 + (s->ptr[i] - '0');
	}
	*s = (struct slice){s->ptr + n, s->len - n};
	*out = value;
	return true;
}

static bool clock_take_char(struct slice *s, char c)
{
	if (s->len == 0 || s->ptr[0] != c)
		return false;
	*s = (struct slice){s->ptr + 1, s->len - 1};
	return true;
}

static int clock_month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01; counts whole 400-year cycles of years that begin in March, so that the
 * leap day is the last of its year. */
static int64_t clock_days(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int cycle = (y >= 0 ? y : y - 399) / 400;
	int in_cycle = y - cycle * 400;
	int in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return (int64_t)cycle * 146097 + in_cycle * 365 + in_cycle / 4 - in_cycle / 100 + in_year -
	       719468;
}

static bool clock_take_fraction(struct slice *s, int *ms)
{
	int digit, scale = 100;

	*ms = 0;
	if (!clock_take_char(s, '.'))
		return true;
	if (!clock_take_digits(s, 1, &digit))
		return false;
	do {
		*ms += digit * scale;
		scale /= 10;
	} while (clock_take_digits(s, 1, &digit));
	return true;
}

static bool clock_take_zone(struct slice *s, int *minutes)
{
	int sign, hour, minute;

	*minutes = 0;
	if (clock_take_char(s, 'Z'))
		return true;
	if (clock_take_char(s, '+'))
		sign = 1;
	else if (clock_take_char(s, '-'))
		sign = -1;
	else
		return false;
	if (!clock_take_digits(s, 2, &hour) || !clock_take_char(s, ':') ||
	    !clock_take_digits(s, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*minutes = sign * (hour * 60 + minute);
	return true;
}

int clock_parse_utc(struct slice text, int64_t *real_ms)
{
	int year, month, day, hour, minute, second, ms, zone;
	struct slice s = text;

	if (!clock_take_digits(&s, 4, &year) || !clock_take_char(&s, '-') ||
	    !clock_take_digits(&s, 2, &month) || !clock_take_char(&s, '-') ||
	    !clock_take_digits(&s, 2, &day) || !clock_take_char(&s, 'T') ||
	    !clock_take_digits(&s, 2, &hour) || !clock_take_char(&s, ':') ||
	    !clock_take_digits(&s, 2, &minute) || !clock_take_char(&s, ':') ||
	    !clock_take_digits(&s, 2, &second) || !clock_take_fraction(&s, &ms) ||
	    !clock_take_zone(&s, &zone) || s.len != 0)
		return SA_ERR_INVALID;
	if (month < 1 || month > 12 || day < 1 || day > clock_month_days(year, month) ||
	    hour > 23 || minute > 59 || second > 59)
		return SA_ERR_INVALID;
	*real_ms = clock_days(year, month, day) * CLOCK_DAY_MS +
		   (((int64_t)hour * 60 + minute - zone) * 60 + second) * 1000 + ms;
	return 0;
}
