#include "import/translate/date.h"

#include "common/base/time.h"

#include "common/base/banned.h"

static const char *const MONTHS[] = { "January",   "February", "March",    "April",
				      "May",       "June",     "July",     "August",
				      "September", "October",  "November", "December" };
static const char *const DAYS[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
				    "Thursday", "Friday", "Saturday" };

enum form {
	FORM_NUMBER,  /* 2014-02-18 */
	FORM_SLASH,   /* 02/18/2014 */
	FORM_DATE,    /* February 18th, 2014 */
	FORM_SHORT,   /* Feb 18, 2014 */
	FORM_LONG,    /* Tuesday, February 18th, 2014 */
	FORM_DAY,     /* Tuesday, February 18th */
	FORM_TIME,    /* 06:39 */
	FORM_SECONDS, /* 06:39:42 */
	FORM_MOMENT,  /* 2014-02-18 06:39: for "ago", which only a reader knows */
};

/* "Pretty" forms say "today" for a reader; here they are what they are on any other day. */
static const struct {
	const char *name;
	enum form form;
} TOKENS[] = {
	{ "date_num", FORM_NUMBER },
	{ "date", FORM_DATE },
	{ "date_short", FORM_SHORT },
	{ "date_long", FORM_LONG },
	{ "date_pretty", FORM_DATE },
	{ "date_short_pretty", FORM_SHORT },
	{ "date_long_pretty", FORM_LONG },
	{ "date_long_full", FORM_LONG },
	{ "date_slash", FORM_SLASH },
	{ "day_divider_pretty", FORM_DAY },
	{ "time", FORM_TIME },
	{ "time_secs", FORM_SECONDS },
	{ "ago", FORM_MOMENT },
};

static const char *ordinal(int day)
{
	if (day >= 11 && day <= 13)
		return "th";
	return day % 10 == 1 ? "st" : day % 10 == 2 ? "nd" : day % 10 == 3 ? "rd" : "th";
}

static void put_form(enum form form, int64_t unix_s, struct ark_buf *out)
{
	struct ark_civil c = ark_time_civil(unix_s * 1000);
	const char *month = MONTHS[c.month - 1];
	const char *day = DAYS[(unix_s / 86400 + 4) % 7];
	switch (form) {
	case FORM_NUMBER: ark_buf_fmt(out, "%04d-%02d-%02d", c.year, c.month, c.day); break;
	case FORM_SLASH: ark_buf_fmt(out, "%02d/%02d/%04d", c.month, c.day, c.year); break;
	case FORM_LONG: ark_buf_fmt(out, "%s, ", day); __attribute__((fallthrough));
	case FORM_DATE:
		ark_buf_fmt(out, "%s %d%s, %d", month, c.day, ordinal(c.day), c.year);
		break;
	case FORM_SHORT: ark_buf_fmt(out, "%.3s %d, %d", month, c.day, c.year); break;
	case FORM_DAY: ark_buf_fmt(out, "%s, %s %d%s", day, month, c.day, ordinal(c.day)); break;
	case FORM_TIME: ark_buf_fmt(out, "%02d:%02d", c.hour, c.minute); break;
	case FORM_SECONDS: ark_buf_fmt(out, "%02d:%02d:%02d", c.hour, c.minute, c.second); break;
	case FORM_MOMENT:
		ark_buf_fmt(out, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.day, c.hour,
			    c.minute);
		break;
	}
}

void date_put(int64_t unix_s, struct ark_str format, struct ark_buf *out)
{
	if (unix_s < 0 || unix_s > 253402300799)
		return;
	for (size_t i = 0; i < format.len;) {
		size_t end = format.ptr[i] == '{' ? ark_str_find(format, '}', i) : SIZE_MAX;
		size_t k = 0, count = sizeof(TOKENS) / sizeof(TOKENS[0]);
		if (end != SIZE_MAX && end - i < 32) {
			struct ark_str name = ark_str_n(format.ptr + i + 1, end - i - 1);
			while (k < count && !ark_str_eqz(name, TOKENS[k].name))
				k++;
		} else {
			k = count;
		}
		if (k < count) {
			put_form(TOKENS[k].form, unix_s, out);
			i = end + 1;
		} else {
			ark_buf_c(out, format.ptr[i++]);
		}
	}
}
