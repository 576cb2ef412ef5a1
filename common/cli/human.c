#include "common/cli/human.h"

#include "common/base/banned.h"

void ark_human_count(struct ark_buf *out, uint64_t n)
{
	if (n >= 1000) {
		ark_human_count(out, n / 1000);
		ark_buf_fmt(out, ",%03u", (unsigned)(n % 1000));
	} else {
		ark_buf_u64(out, n);
	}
}

void ark_human_bytes(struct ark_buf *out, uint64_t bytes)
{
	static const char *const UNITS[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	if (bytes < 1024) {
		ark_buf_fmt(out, "%u B", (unsigned)bytes);
		return;
	}
	unsigned unit = 0;
	double value = (double)bytes;
	/* 1023.5 and more would be shown as "1024" */
	for (; value >= 1023.5; unit++)
		value /= 1024;
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	ark_buf_fmt(out, "%.*f %s", decimals, value, UNITS[unit]);
}

void ark_human_duration(struct ark_buf *out, int64_t ms)
{
	int64_t s = ms > 0 ? ms / 1000 : 0;
	if (s >= 3600)
		ark_buf_fmt(out, "%lld:%02d:%02d", (long long)(s / 3600), (int)(s / 60 % 60),
		            (int)(s % 60));
	else
		ark_buf_fmt(out, "%d:%02d", (int)(s / 60), (int)(s % 60));
}
