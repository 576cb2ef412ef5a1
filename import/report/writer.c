#include "import/report/writer.h"

#include <stdlib.h>

#include "common/base/csv.h"
#include "common/base/mem.h"
#include "common/json/out.h"
#include "import/report/private.h"

#include "common/base/banned.h"

/* Reasons are texts of ours; beyond this many they are counted as "other". */
#define REASONS_MAX 64

struct import_report_writer {
	struct report_folder folder;
	struct report_file skipped, missing;
	const struct slack_export *x;
	uint64_t missing_total;
	struct ark_map reasons;
	uint64_t reason_counts[REASONS_MAX + 1];
};

enum ark_rc import_report_open(const char *dir, struct import_report_writer **out,
                               struct ark_err *err)
{
	ark_auto(import_report_closep) struct import_report_writer *w = ark_calloc(1, sizeof(*w));
	w->skipped.fd = w->missing.fd = -1;
	enum ark_rc rc = report_folder_begin(dir, &w->folder, err);
	if (rc >= 0)
		rc = report_file_create(w->folder.fd, REPORT_SKIPPED, &w->skipped, err);
	if (rc >= 0)
		rc = report_file_create(w->folder.fd, REPORT_MISSING, &w->missing, err);
	if (rc < 0)
		return ark_err_in(err, rc, "report");
	report_missing_header(&w->missing);
	*out = w;
	w = NULL;
	return ARK_OK;
}

void import_report_close(struct import_report_writer *w)
{
	if (w == NULL)
		return;
	report_file_release(&w->skipped);
	report_file_release(&w->missing);
	report_folder_release(&w->folder);
	ark_map_release(&w->reasons);
	free(w);
}

void import_report_closep(struct import_report_writer **w)
{
	import_report_close(*w);
	*w = NULL;
}

void import_report_export(struct import_report_writer *w, const struct slack_export *x)
{
	w->x = x;
}

static struct ark_str archive_name(const struct import_report_writer *w, uint32_t source)
{
	if (w->x == NULL || source >= w->x->sources_count)
		return ARK_STR_NONE;
	return report_base_name(w->x->sources[source].path);
}

static struct ark_str channel_name(const struct import_report_writer *w, uint32_t conv)
{
	if (w->x == NULL || conv >= w->x->convs.count)
		return ARK_STR_NONE;
	const struct slack_conv *c = &w->x->convs.list[conv];
	return ark_str_has(c->name) ? c->name : c->id;
}

void import_report_skip(void *ctx, uint32_t source, struct ark_str file, uint64_t offset,
                        uint64_t len, uint32_t conv, int64_t ts_us, enum skip_reason reason,
                        const char *detail)
{
	struct import_report_writer *w = ctx;
	struct ark_buf ts;
	ark_buf_init(&ts, 64);
	if (ts_us != 0)
		report_ts(&ts, ts_us);
	struct json_out o;
	json_out_begin(&o, &w->skipped.text, false);
	json_out_open(&o, NULL);
	json_out_text(&o, "archive", archive_name(w, source));
	json_out_text(&o, "file", file);
	json_out_u64(&o, "offset", offset);
	json_out_u64(&o, "length", len);
	json_out_text(&o, "channel", channel_name(w, conv));
	json_out_text(&o, "ts", ts_us != 0 ? ark_buf_view(&ts) : ARK_STR_NONE);
	json_out_text(&o, "reason", ark_str_z(skip_name(reason)));
	json_out_text(&o, "detail", ark_str_z(detail));
	json_out_end(&o);
	ark_buf_release(&ts);
	report_file_drain(&w->skipped);
}

static void count_reason(struct import_report_writer *w, struct ark_str reason)
{
	struct ark_str key = reason;
	uint32_t at = ark_map_get(&w->reasons, key);
	if (at == ARK_MAP_NONE && w->reasons.count >= REASONS_MAX) {
		key = ARK_LIT("other");
		at = ark_map_get(&w->reasons, key);
	}
	if (at == ARK_MAP_NONE) {
		at = w->reasons.count;
		ark_map_put(&w->reasons, key, at);
	}
	w->reason_counts[at]++;
	w->missing_total++;
}

void import_report_missing(struct import_report_writer *w, struct ark_str slack_file_id,
                           struct ark_str name, struct ark_str channel, int64_t ts_us,
                           struct ark_str reason)
{
	struct ark_buf *b = &w->missing.text;
	ark_csv_name(b, slack_file_id);
	ark_buf_c(b, ',');
	ark_csv_cell(b, name);
	ark_buf_c(b, ',');
	ark_csv_cell(b, channel);
	ark_buf_c(b, ',');
	if (ts_us != 0)
		report_ts(b, ts_us);
	ark_buf_c(b, ',');
	ark_csv_cell(b, reason);
	ark_buf_z(b, "\r\n");
	report_file_drain(&w->missing);
	count_reason(w, reason);
}

const char *import_report_place(const struct import_report_writer *w)
{
	return w->folder.place;
}

static void render_users(struct report_file *f, const struct import_report *r,
                         const struct report_missing *missing)
{
	(void)missing;
	report_write_users(f, r);
}

static enum ark_rc write_file(struct import_report_writer *w, const struct import_report *r,
                              const char *name,
                              void (*render)(struct report_file *, const struct import_report *,
                                             const struct report_missing *),
                              struct ark_err *err)
{
	struct report_missing missing = { .total = w->missing_total,
		                          .reasons = &w->reasons,
		                          .counts = w->reason_counts };
	ark_auto(report_file_release) struct report_file f = { .fd = -1 };
	enum ark_rc rc = report_file_create(w->folder.fd, name, &f, err);
	if (rc < 0)
		return rc;
	render(&f, r, &missing);
	return report_file_finish(&f, err);
}

enum ark_rc import_report_write(struct import_report_writer *w, const struct import_report *r,
                                struct ark_err *err)
{
	enum ark_rc rc = report_file_finish(&w->skipped, err);
	if (rc >= 0)
		rc = report_file_finish(&w->missing, err);
	if (rc >= 0)
		rc = write_file(w, r, REPORT_USERS, render_users, err);
	if (rc >= 0)
		rc = write_file(w, r, REPORT_HTML, report_write_html, err);
	if (rc >= 0)
		rc = write_file(w, r, REPORT_JSON, report_write_json, err);
	if (rc >= 0)
		rc = report_folder_publish(&w->folder, err);
	return rc < 0 ? ark_err_in(err, rc, "report '%s'", w->folder.place) : rc;
}
