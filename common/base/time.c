#include "common/base/time.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "common/base/banned.h"

int64_t ark_time_now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t ark_time_tick_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Days since 1970-01-01 of a proleptic Gregorian date; eras of 400 years have 146097 days. */
static int64_t days_from_civil(int64_t y, int m, int d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

struct ark_civil ark_time_civil(int64_t unix_ms)
{
	int64_t days = unix_ms / 86400000;
	int64_t rest = unix_ms % 86400000;
	if (rest < 0) {
		rest += 86400000;
		days--;
	}
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int month = (int)(mp < 10 ? mp + 3 : mp - 9);
	return (struct ark_civil){
		.year = (int)(yoe + era * 400 + (month <= 2)),
		.month = month,
		.day = (int)(doy - (153 * mp + 2) / 5 + 1),
		.hour = (int)(rest / 3600000),
		.minute = (int)(rest / 60000 % 60),
		.second = (int)(rest / 1000 % 60),
		.ms = (int)(rest % 1000),
	};
}

int64_t ark_time_from_civil(const struct ark_civil *c)
{
	return ((days_from_civil(c->year, c->month, c->day) * 24 + c->hour) * 60 + c->minute) * 60000 +
	       (int64_t)c->second * 1000 + c->ms;
}

void ark_time_iso(int64_t unix_ms, char out[ARK_TIME_ISO])
{
	struct ark_civil c = ark_time_civil(unix_ms);
	snprintf(out, ARK_TIME_ISO, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day,
	         c.hour, c.minute, c.second, c.ms);
}

/* Exactly `n` digits at *at; moves *at behind them. */
static bool digits(struct ark_str s, size_t *at, size_t n, int *out)
{
	if (s.len - *at < n)
		return false;
	int v = 0;
	for (size_t i = 0; i < n; i++) {
		char c = s.ptr[*at + i];
		if (c < '0' || c > '9')
			return false;
		v = v * 10 + (c - '0');
	}
	*at += n;
	*out = v;
	return true;
}

static bool eat(struct ark_str s, size_t *at, char c)
{
	if (*at >= s.len || s.ptr[*at] != c)
		return false;
	++*at;
	return true;
}

static bool parse_fraction(struct ark_str s, size_t *at, int *ms)
{
	int scale = 100;
	bool any = false;
	while (*at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9') {
		*ms += (s.ptr[*at] - '0') * scale;
		scale /= 10;
		any = true;
		++*at;
	}
	return any;
}

static bool parse_zone(struct ark_str s, size_t *at, int64_t *offset_ms)
{
	if (*at == s.len || eat(s, at, 'Z') || eat(s, at, 'z'))
		return true;
	int sign = eat(s, at, '-') ? -1 : eat(s, at, '+') ? 1 : 0;
	int h = 0, m = 0;
	if (sign == 0 || !digits(s, at, 2, &h))
		return false;
	eat(s, at, ':');
	if (*at < s.len && !digits(s, at, 2, &m))
		return false;
	*offset_ms = sign * (int64_t)(h * 60 + m) * 60000;
	return h < 24 && m < 60;
}

static bool parse_date(struct ark_str s, int64_t *out_ms)
{
	size_t at = 0;
	struct ark_civil c = { 0 };
	int64_t offset_ms = 0;
	if (!digits(s, &at, 4, &c.year) || !eat(s, &at, '-') || !digits(s, &at, 2, &c.month) ||
	    !eat(s, &at, '-') || !digits(s, &at, 2, &c.day))
		return false;
	if (at < s.len) {
		if (!eat(s, &at, 'T') && !eat(s, &at, 't') && !eat(s, &at, ' '))
			return false;
		if (!digits(s, &at, 2, &c.hour) || !eat(s, &at, ':') || !digits(s, &at, 2, &c.minute))
			return false;
		if (eat(s, &at, ':') && !digits(s, &at, 2, &c.second))
			return false;
		if (eat(s, &at, '.') && !parse_fraction(s, &at, &c.ms))
			return false;
		if (!parse_zone(s, &at, &offset_ms))
			return false;
	}
	if (at != s.len || c.year < 1970 || c.hour > 23 || c.minute > 59 || c.second > 59)
		return false;
	int64_t ms = ark_time_from_civil(&c);
	struct ark_civil back = ark_time_civil(ms);
	if (back.month != c.month || back.day != c.day)
		return false; /* 31 April and friends */
	*out_ms = ms - offset_ms;
	return true;
}

static bool parse_age(struct ark_str s, int64_t now_ms, int64_t *out_ms)
{
	static const struct {
		char letter;
		int64_t unit_ms;
	} UNITS[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 },
		      { 'w', 604800000 } };
	uint64_t n;
	if (s.len < 2 || !ark_str_u64(ark_str_first(s, s.len - 1), &n) || n > 1000000)
		return false;
	for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
		if (UNITS[i].letter == s.ptr[s.len - 1]) {
			*out_ms = now_ms - (int64_t)n * UNITS[i].unit_ms;
			return true;
		}
	}
	return false;
}

enum ark_rc ark_time_parse(struct ark_str s, int64_t now_ms, int64_t *out_ms, struct ark_err *err)
{
	if (parse_date(s, out_ms) || parse_age(s, now_ms, out_ms))
		return ARK_OK;
	ark_err_set(err, ARK_KIND_USAGE, "'%.*s' is no time", ARK_FMT(s));
	ark_err_hint(err, "give a date (2024-05-01), a date-time (2024-05-01T12:00+02:00) or an age (36h, 30d)");
	return ARK_FAIL;
}
