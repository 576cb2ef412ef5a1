#include "import/report/private.h"

#include "common/base/csv.h"

#include "common/base/banned.h"

void report_write_users(struct report_file *f, const struct import_report *r)
{
	struct ark_buf *b = &f->text;
	ark_buf_z(b,
	          "slack_id,mattermost_username,slack_name,real_name,email,status,deactivated,"
	          "new_username\r\n");
	for (uint32_t i = 0; i < r->people_count; i++) {
		const struct report_person *p = &r->people[i];
		ark_csv_name(b, p->slack_id);
		ark_buf_c(b, ',');
		/* what is not there yet decides nothing as a map: another account may have the name */
		bool there = !r->check || p->status == REPORT_MATCHED;
		ark_csv_name(b, there ? p->username : ARK_STR_NONE);
		ark_buf_c(b, ',');
		ark_csv_cell(b, p->slack_name);
		ark_buf_c(b, ',');
		ark_csv_cell(b, p->real_name);
		ark_buf_c(b, ',');
		ark_csv_cell(b, p->email);
		ark_buf_fmt(b, ",%s,%s,", report_status_name(p->status),
		            p->active ? "false" : "true");
		ark_csv_name(b, there ? ARK_STR_NONE : p->username);
		ark_buf_z(b, "\r\n");
		report_file_drain(f);
	}
}

void report_missing_header(struct report_file *f)
{
	ark_buf_z(&f->text, "slack_file_id,name,channel,ts,reason\r\n");
}
