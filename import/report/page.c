#include "import/report/page.h"

#include "common/base/time.h"
#include "common/base/utf8.h"
#include "common/cli/human.h"

#include "common/base/banned.h"

#define NAME_RUNES 300

/* 0: fit as it is; else what stands for it. */
static uint32_t defused(uint32_t rune)
{
	if (rune == '\t' || rune == '\n' || rune == '\r' || rune == 0x2028 || rune == 0x2029)
		return ' ';
	bool control = rune < 0x20 || (rune >= 0x7F && rune < 0xA0);
	bool turns = (rune >= 0x202A && rune <= 0x202E) || (rune >= 0x2066 && rune <= 0x2069);
	bool nothing = (rune & 0xFFFE) == 0xFFFE || (rune >= 0xFDD0 && rune <= 0xFDEF);
	return control || turns || nothing ? 0xFFFD : 0;
}

void page_text(struct ark_buf *b, struct ark_str s)
{
	struct ark_str shown = ark_utf8_first(s, NAME_RUNES);
	for (size_t i = 0, len; i < shown.len; i += len) {
		uint32_t rune = ark_utf8_at(shown, i, &len), instead = defused(rune);
		if (instead != 0)
			ark_utf8_put(b, instead);
		else if (rune == 0xFFFD)
			ark_utf8_put(b, rune); /* bad bytes too */
		else
			ark_buf_html(b, ark_str_n(shown.ptr + i, len));
	}
	if (shown.len < s.len)
		ark_buf_z(b, "…");
}

void page_name(struct ark_buf *b, struct ark_str s)
{
	ark_buf_z(b, "<bdi>");
	page_text(b, s);
	ark_buf_z(b, "</bdi>");
}

void page_count(struct ark_buf *b, uint64_t n)
{
	ark_human_count(b, n);
}

void page_things(struct ark_buf *b, uint64_t n, const char *one, const char *many)
{
	page_count(b, n);
	ark_buf_c(b, ' ');
	ark_buf_z(b, n == 1 ? one : many);
}

void page_date(struct ark_buf *b, int64_t ms)
{
	char iso[ARK_TIME_ISO];
	if (ms == 0) {
		ark_buf_z(b, "–");
		return;
	}
	ark_time_iso(ms, iso);
	ark_buf_add(b, iso, 10);
}

void page_time(struct ark_buf *b, int64_t ms)
{
	char iso[ARK_TIME_ISO];
	ark_time_iso(ms, iso);
	ark_buf_add(b, iso, 10);
	ark_buf_c(b, ' ');
	ark_buf_add(b, iso + 11, 5);
	ark_buf_z(b, " UTC");
}

void page_percent(struct ark_buf *b, uint64_t part, uint64_t whole)
{
	double share = whole > 0 ? 100.0 * (double)part / (double)whole : 0.0;
	ark_buf_fmt(b, "%.3f%%", share);
}

void page_duration(struct ark_buf *b, int64_t ms)
{
	if (ms < 60000) {
		ark_buf_fmt(b, "%.*f s", ms < 10000 ? 2 : 1, (double)ms / 1000.0);
		return;
	}
	ark_human_duration(b, ms);
	ark_buf_z(b, ms < 3600000 ? " min" : " h");
}
