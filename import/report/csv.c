#include "import/report/private.h"

#include <string.h>

#include "common/base/utf8.h"

#include "common/base/banned.h"

/* What spreadsheets take for the start of a formula, full-width forms included (Japanese Excel). */
static bool starts_formula(struct ark_str s)
{
	if (s.len == 0)
		return false;
	size_t len;
	uint32_t rune = ark_utf8_at(s, 0, &len);
	return rune == '=' || rune == '+' || rune == '-' || rune == '@' || rune == '\t' ||
	       rune == '\r' || rune == '\n' || rune == 0xFF1D || rune == 0xFF0B || rune == 0xFF0D ||
	       rune == 0xFF20;
}

static bool needs_quotes(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (strchr(",;\"\r\n\t", s.ptr[i]) != NULL)
			return true;
	return s.len > 0 && (s.ptr[0] == ' ' || s.ptr[s.len - 1] == ' ');
}

void report_csv_cell(struct ark_buf *out, struct ark_str s)
{
	if (!ark_str_has(s))
		return;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, SIZE_MAX / 2);
	ark_utf8_clean(&text, s);
	struct ark_str clean = ark_buf_view(&text);
	bool formula = starts_formula(clean), quotes = needs_quotes(clean);
	if (quotes)
		ark_buf_c(out, '"');
	if (formula)
		ark_buf_c(out, '\'');
	for (size_t i = 0; i < clean.len; i++) {
		if (clean.ptr[i] == '"')
			ark_buf_c(out, '"');
		ark_buf_c(out, clean.ptr[i]);
	}
	if (quotes)
		ark_buf_c(out, '"');
}

static bool is_plain(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		          (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
		if (!ok)
			return false;
	}
	return true;
}

void report_csv_name(struct ark_buf *out, struct ark_str s)
{
	if (is_plain(s))
		ark_buf_str(out, s);
	else
		report_csv_cell(out, s);
}

void report_write_users(struct report_file *f, const struct import_report *r)
{
	struct ark_buf *b = &f->text;
	ark_buf_z(b,
	          "slack_id,mattermost_username,slack_name,real_name,email,status,deactivated,"
	          "new_username\r\n");
	for (uint32_t i = 0; i < r->people_count; i++) {
		const struct report_person *p = &r->people[i];
		report_csv_name(b, p->slack_id);
		ark_buf_c(b, ',');
		/* what is not there yet decides nothing as a map: another account may have the name */
		bool there = !r->check || p->status == REPORT_MATCHED;
		report_csv_name(b, there ? p->username : ARK_STR_NONE);
		ark_buf_c(b, ',');
		report_csv_cell(b, p->slack_name);
		ark_buf_c(b, ',');
		report_csv_cell(b, p->real_name);
		ark_buf_c(b, ',');
		report_csv_cell(b, p->email);
		ark_buf_fmt(b, ",%s,%s,", report_status_name(p->status),
		            p->active ? "false" : "true");
		report_csv_name(b, there ? ARK_STR_NONE : p->username);
		ark_buf_z(b, "\r\n");
		report_file_drain(f);
	}
}

void report_missing_header(struct report_file *f)
{
	ark_buf_z(&f->text, "slack_file_id,name,channel,ts,reason\r\n");
}
