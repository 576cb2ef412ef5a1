#include "import/slack/ts.h"

#include <math.h>
#include <stdio.h>

#include "common/base/banned.h"

bool slack_ts_text(struct ark_str s, int64_t *out_us)
{
	size_t i = 0;
	while (i < s.len && (s.ptr[i] == ' ' || s.ptr[i] == '\t'))
		i++;
	size_t start = i;
	int64_t sec = 0;
	for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++) {
		if (i - start >= 11)
			return false;
		sec = sec * 10 + (s.ptr[i] - '0');
	}
	if (i == start)
		return false;
	int64_t micro = 0;
	if (i < s.len && s.ptr[i] == '.') {
		int64_t unit = 100000;
		for (i++; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++) {
			micro += (s.ptr[i] - '0') * unit;
			unit /= 10;
		}
	}
	while (i < s.len && (s.ptr[i] == ' ' || s.ptr[i] == '\t'))
		i++;
	if (i != s.len)
		return false;
	*out_us = sec * 1000000 + micro;
	return true;
}

bool slack_ts_value(struct json_val v, int64_t *out_us)
{
	struct ark_str s = json_str(v);
	if (ark_str_has(s))
		return slack_ts_text(s, out_us);
	double d;
	if (!json_f64(v, &d) || !(d >= 0) || d >= 99999999999.0)
		return false;
	/* printed with six decimals, as the text form is: a double holds 15 digits and more */
	*out_us = (int64_t)llround(d * 1e6);
	return true;
}

struct ark_str slack_ts_format(int64_t us, char out[SLACK_TS_TEXT])
{
	if (us < 0) {
		int n = snprintf(out, SLACK_TS_TEXT, "%lld.%06lld", (long long)(us / 1000000),
		                 (long long)(us % 1000000));
		return ark_str_n(out, (size_t)n);
	}
	/* by hand: it is asked for several times per message, and printf takes ten times as long */
	char digits[SLACK_TS_TEXT];
	size_t at = sizeof(digits);
	for (int i = 0; us > 0 || i < 7; i++, us /= 10) {
		if (i == 6)
			digits[--at] = '.';
		digits[--at] = (char)('0' + us % 10);
	}
	memcpy(out, digits + at, sizeof(digits) - at);
	out[sizeof(digits) - at] = '\0';
	return ark_str_n(out, sizeof(digits) - at);
}
