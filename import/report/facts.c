#include "import/report/private.h"

#include "common/base/banned.h"

static const char *const STATUS[REPORT_STATUS_COUNT] = {
	[REPORT_MATCHED] = "matched",
	[REPORT_CREATED] = "created",
	[REPORT_BOT] = "bot",
	[REPORT_PLACEHOLDER] = "placeholder",
	[REPORT_MERGED] = "merged",
};

const char *report_status_name(enum report_status status)
{
	return STATUS[status];
}

const char *report_type_name(char type)
{
	switch (type) {
	case 'O': return "public";
	case 'P': return "private";
	case 'D': return "direct";
	case 'G': return "group";
	default: return "left out";
	}
}

struct ark_str report_base_name(const char *path)
{
	struct ark_str s = ark_str_z(path);
	while (s.len > 1 && s.ptr[s.len - 1] == '/')
		s.len--;
	size_t at = s.len;
	while (at > 0 && s.ptr[at - 1] != '/')
		at--;
	return at == s.len ? s : ark_str_from(s, at);
}

void report_month(struct ark_buf *out, int32_t month)
{
	ark_buf_fmt(out, "%04d-%02d", month / 12, month % 12 + 1);
}

void report_ts(struct ark_buf *out, int64_t ts_us)
{
	uint64_t n = ts_us < 0 ? 0 - (uint64_t)ts_us : (uint64_t)ts_us;
	if (ts_us < 0)
		ark_buf_c(out, '-');
	ark_buf_u64(out, n / 1000000);
	ark_buf_fmt(out, ".%06u", (unsigned)(n % 1000000));
}

bool report_guest_shut_out(const struct report_person *p)
{
	return p->guest && !p->active && !p->deleted && p->status == REPORT_CREATED;
}

bool report_channel_orphan(const struct report_channel *c)
{
	return c->type == 'P' && c->members_live == 0;
}

struct report_people_counts report_count_people(const struct import_report *r)
{
	struct report_people_counts n = { 0 };
	for (uint32_t i = 0; i < r->people_count; i++) {
		const struct report_person *p = &r->people[i];
		n.status[p->status]++;
		n.deactivated += p->status == REPORT_CREATED && !p->active;
		n.guests += p->guest;
		n.guests_deactivated += report_guest_shut_out(p);
		n.admins += (p->admin || p->owner) && !p->deleted;
		n.mailless += p->mailless;
	}
	return n;
}

uint64_t import_report_lost(const struct import_report *r)
{
	uint64_t n = 0;
	for (int i = 0; i < SKIP_COUNT; i++)
		if (skip_is_loss((enum skip_reason)i))
			n += r->total.skipped[i];
	return n;
}

uint64_t import_report_damage(const struct import_report *r)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < r->archives_count; i++)
		n += r->archives[i].list_damage + r->archives[i].bad_entries;
	return n;
}
