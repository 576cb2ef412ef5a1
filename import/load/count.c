#include "import/load/count.h"

#include <stddef.h>

#include "common/base/mem.h"
#include "common/base/time.h"

#include "common/base/banned.h"

uint64_t load_count_skipped(const struct load_count *c)
{
	uint64_t n = 0;
	for (int i = 0; i < SKIP_COUNT; i++)
		n += c->skipped[i];
	return n;
}

bool load_count_holds(const struct load_count *c)
{
	return c->read == c->written + load_count_skipped(c);
}

void load_count_add(struct load_count *to, const struct load_count *from)
{
	to->read += from->read;
	to->written += from->written;
	for (int i = 0; i < SKIP_COUNT; i++)
		to->skipped[i] += from->skipped[i];
	to->posts += from->posts;
	to->replies += from->replies;
	to->reactions += from->reactions;
	to->pins += from->pins;
	to->files += from->files;
	to->placeholders += from->placeholders;
	to->parts += from->parts;
}

void load_report_month(struct load_report *r, int64_t create_ms)
{
	struct ark_civil c = ark_time_civil(create_ms);
	int32_t month = c.year * 12 + c.month - 1;
	uint32_t lo = 0, hi = r->months_count;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		if (r->months[mid].month < month)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == r->months_count || r->months[lo].month != month) {
		r->months = ark_realloc(r->months, r->months_count + 1, sizeof(*r->months));
		memmove(r->months + lo + 1, r->months + lo, (r->months_count - lo) * sizeof(*r->months));
		r->months[lo] = (struct load_month){ .month = month };
		r->months_count++;
	}
	r->months[lo].messages++;
}
