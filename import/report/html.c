/* report.html: the frame of the page and its first screen. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/cli/human.h"
#include "common/html/chart.h"
#include "import/report/page.h"
#include "import/report/page.inc" /* made by embed.py of page.css and page.js */

#include "common/base/banned.h"

static void write_title(struct ark_buf *b, const struct import_report *r)
{
	struct ark_str team = r->team_display.len > 0 ? r->team_display : r->team;
	ark_buf_z(b, r->check ? "What an import would bring" : "Slack import");
	if (team.len > 0) {
		ark_buf_z(b, " into ");
		page_text(b, team);
	}
}

static void write_head(struct ark_buf *b, const struct import_report *r)
{
	ark_buf_z(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
	             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	             "style-src '" PAGE_CSS_HASH "'; script-src '" PAGE_JS_HASH
	             "'; img-src data:; base-uri 'none'; "
	             "form-action 'none'\"/>\n"
	             "<meta name=\"referrer\" content=\"no-referrer\"/>\n"
	             "<meta name=\"robots\" content=\"noindex\"/>\n"
	             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
	             "<link rel=\"icon\" href=\"data:,\"/>\n<title>");
	write_title(b, r);
	ark_buf_z(b, "</title>\n<style>");
	ark_buf_z(b, PAGE_CSS);
	ark_buf_z(b, "</style>\n</head>\n<body>\n");
}

static void write_about(struct ark_buf *b, const struct import_report *r)
{
	ark_buf_z(b, "<p class=\"about\">From ");
	for (uint32_t i = 0; i < r->archives_count && i < 3; i++) {
		ark_buf_z(b, i > 0 ? ", <b>" : "<b>");
		page_name(b, r->archives[i].name);
		ark_buf_z(b, "</b>");
	}
	if (r->archives_count > 3) {
		ark_buf_z(b, " and ");
		page_count(b, r->archives_count - 3);
		ark_buf_z(b, " more");
	}
	if (r->check)
		ark_buf_z(b, "; nothing was written");
	if (r->database_name.len > 0) {
		ark_buf_z(b, r->check          ? "; database <b>"
		             : r->database_new ? " into the new database <b>"
		                               : " into database <b>");
		page_name(b, r->database_name);
		ark_buf_z(b, "</b>");
		if (r->database_host.len > 0) {
			ark_buf_z(b, " on <b>");
			page_name(b, r->database_host);
			ark_buf_z(b, "</b>");
		}
	}
	if (r->files_place.len > 0) {
		ark_buf_z(b, ", files in <b>");
		page_name(b, r->files_place);
		ark_buf_z(b, "</b>");
	}
	ark_buf_z(b, ".</p>\n");
}

static void write_header(struct ark_buf *b, const struct import_report *r, const struct report_missing *missing)
{
	ark_buf_z(b, "<header>\n<p class=\"over\">matter-import");
	if (r->start_ms > 0) {
		ark_buf_z(b, " · ");
		page_time(b, r->start_ms);
	}
	ark_buf_z(b, "</p>\n<h1>");
	write_title(b, r);
	ark_buf_z(b, "</h1>\n");
	write_about(b, r);
	ark_buf_z(b, "<nav><a href=\"#decisions\">Decisions</a><a href=\"#next\">Next steps</a>");
	if (r->months_count > 0)
		ark_buf_z(b, "<a href=\"#time\">Over time</a>");
	if (load_count_skipped(&r->total) > 0)
		ark_buf_z(b, "<a href=\"#left-out\">Left out</a>");
	if (page_has_files(r, missing))
		ark_buf_z(b, "<a href=\"#files\">Files</a>");
	ark_buf_z(
	    b,
	    "<a href=\"#people\">People</a><a href=\"#channels\">Channels</a></nav>\n</header>\n");
}

static void sum_part(struct ark_buf *b, uint64_t n, const char *label)
{
	ark_buf_z(b, "<div><b>");
	page_count(b, n);
	ark_buf_fmt(b, "</b><span>%s</span></div>", label);
}

/* How the messages divide, as one bar. */
static void write_share(struct ark_buf *b, const struct import_report *r)
{
	const struct load_count *c = &r->total;
	uint64_t lost = import_report_lost(r), rule = load_count_skipped(c) - lost;
	ark_buf_z(b, "<svg class=\"share\" aria-hidden=\"true\"><rect class=\"c-written\" "
	             "height=\"8\" width=\"");
	page_percent(b, c->written, c->read);
	ark_buf_z(b, "\"/><rect class=\"c-rule\" height=\"8\" x=\"");
	page_percent(b, c->written, c->read);
	ark_buf_z(b, "\" width=\"");
	page_percent(b, rule, c->read);
	ark_buf_z(b, "\"/><rect class=\"c-lost\" height=\"8\" x=\"");
	page_percent(b, c->written + rule, c->read);
	ark_buf_z(b, "\" width=\"");
	page_percent(b, lost, c->read);
	ark_buf_z(b, "\"/></svg>\n");
}

static void write_state(struct ark_buf *b, const struct import_report *r)
{
	uint64_t lost = import_report_lost(r);
	if (!load_count_holds(&r->total)) {
		ark_buf_z(
		    b,
		    "<p class=\"state bad\"><b>The numbers do not add up.</b> This is a fault of "
		    "matter-import: please report it with report.json.</p>\n");
	} else if (lost > 0) {
		ark_buf_z(b, "<p class=\"state warn\"><b>Every message is accounted for.</b> ");
		page_things(b, lost, "of those left out was damaged",
		            "of those left out were damaged");
		ark_buf_z(b, " in the archive; the rest is left out by rule or option.</p>\n");
	} else {
		ark_buf_z(b, "<p class=\"state good\"><b>Every message is accounted for</b>, and "
		             "nothing was "
		             "lost.</p>\n");
	}
}

static void fact(struct ark_buf *b, const char *label, uint64_t n, const char *note)
{
	ark_buf_fmt(b, "<div><dt>%s</dt><dd>", label);
	page_count(b, n);
	if (note != NULL)
		ark_buf_fmt(b, "<small>%s</small>", note);
	ark_buf_z(b, "</dd></div>\n");
}

static void fact_channels(struct ark_buf *b, const struct import_report *r)
{
	uint64_t imported = 0, open = 0, closed = 0;
	for (uint32_t i = 0; i < r->channels_count; i++) {
		char type = r->channels[i].type;
		imported += type != 0;
		open += type == 'O';
		closed += type == 'P';
	}
	ark_buf_z(b, "<div><dt>Channels</dt><dd>");
	page_count(b, imported);
	ark_buf_z(b, "<small>");
	page_count(b, open);
	ark_buf_z(b, " public, ");
	page_count(b, closed);
	ark_buf_z(b, " private, ");
	page_count(b, imported - open - closed);
	ark_buf_z(b, " direct</small></dd></div>\n");
}

static void fact_time(struct ark_buf *b, const struct import_report *r)
{
	if (r->duration_ms <= 0)
		return;
	ark_buf_z(b, "<div><dt>Time</dt><dd>");
	page_duration(b, r->duration_ms);
	ark_buf_z(b, "<small>");
	page_count(b, r->total.read * 1000 / (uint64_t)r->duration_ms);
	ark_buf_z(b, " messages per second</small></dd></div>\n");
}

static void write_facts(struct ark_buf *b, const struct import_report *r,
                        const struct report_missing *missing)
{
	const struct load_count *c = &r->total;
	ark_buf_z(b, "<dl class=\"facts\">\n");
	fact_channels(b, r);
	fact(b, "People and bots", r->people_count, "accounts, new or matched");
	fact(b, "Replies", c->replies, "in threads");
	fact(b, "Reactions", c->reactions, NULL);
	ark_buf_z(b, "<div><dt>Files</dt><dd>");
	page_count(b, c->files);
	ark_buf_z(b, "<small>on posts");
	if (r->bodies.known) {
		ark_buf_z(b, ", ");
		ark_human_bytes(b, r->bodies.bytes);
		ark_buf_z(b, " stored");
	}
	if (missing->total > 0) {
		ark_buf_z(b, ", ");
		page_count(b, missing->total);
		ark_buf_z(b, " missing");
	}
	ark_buf_z(b, "</small></dd></div>\n");
	fact(b, "Pins", c->pins, NULL);
	fact(b, "Posts", c->posts, "with parts of long messages and placeholders");
	if (r->changes.known) {
		fact(b, "New", r->changes.added, "posts");
		fact(b, "Updated", r->changes.updated, "changed in Slack since");
		fact(b, "Unchanged", r->changes.same, "posts");
	}
	fact_time(b, r);
	ark_buf_z(b, "</dl>\n");
}

static void write_sum(struct ark_buf *b, const struct import_report *r,
                      const struct report_missing *missing)
{
	ark_buf_z(b, "<section id=\"sum\"><div class=\"card first\"><div class=\"sum\">");
	sum_part(b, r->total.read, "messages read");
	ark_buf_fmt(b, "<i>%s</i>", load_count_holds(&r->total) ? "=" : "≠");
	sum_part(b, r->total.written, r->check ? "would be written" : "written");
	ark_buf_z(b, "<i>+</i>");
	sum_part(b, load_count_skipped(&r->total), "left out");
	ark_buf_z(b, "</div>\n");
	write_share(b, r);
	write_state(b, r);
	write_facts(b, r, missing);
	ark_buf_z(b, "</div></section>\n");
}

static void write_foot(struct ark_buf *b, const struct import_report *r)
{
	ark_buf_z(b, "<footer><p>Beside this page: <a href=\"report.json\">report.json</a>, <a "
	             "href=\"skipped.jsonl\">skipped.jsonl</a>, <a "
	             "href=\"missing-files.csv\">missing-files.csv"
	             "</a>, <a href=\"users.csv\">users.csv</a>. They name people and channels: "
	             "keep them as "
	             "you keep the archive.");
	ark_buf_z(b, "<br/>matter-import");
	if (r->tool_version.len > 0) {
		ark_buf_c(b, ' ');
		page_text(b, r->tool_version);
	}
	if (r->run.len > 0) {
		ark_buf_z(b, ", run ");
		page_text(b, r->run);
	}
	if (r->workspace.len > 0) {
		ark_buf_z(b, ", workspace ");
		page_text(b, r->workspace);
	}
	if (r->server_version.len > 0) {
		ark_buf_z(b, ", Mattermost ");
		page_text(b, r->server_version);
	}
	ark_buf_z(b, "</p></footer>\n");
}

static void write_chart(struct ark_buf *b, const struct import_report *r)
{
	struct html_month *months = ark_calloc(r->months_count + 1, sizeof(*months));
	for (uint32_t i = 0; i < r->months_count; i++)
		months[i] = (struct html_month){ r->months[i].month, r->months[i].messages };
	if (r->months_count > 0) {
		ark_buf_fmt(b, "<section id=\"time\"><h2>Messages per %s</h2>\n<div class=\"card\">",
		            html_chart_unit(months, r->months_count));
		html_chart(b, months, r->months_count);
		ark_buf_z(b, "</div></section>\n");
	}
	free(months);
}

void report_write_html(struct report_file *f, const struct import_report *r,
                       const struct report_missing *missing)
{
	struct ark_buf *b = &f->text;
	write_head(b, r);
	write_header(b, r, missing);
	ark_buf_z(b, "<main>\n");
	write_sum(b, r, missing);
	page_decisions(b, r, missing);
	page_next(b, r);
	write_chart(b, r);
	page_left_out(b, r);
	page_files(b, r, missing);
	page_people(b, r);
	page_archives(b, r);
	page_phases(b, r);
	page_channels(f, r);
	ark_buf_z(b, "</main>\n");
	write_foot(b, r);
	ark_buf_z(b, "<script>");
	ark_buf_z(b, PAGE_JS);
	ark_buf_z(b, "</script>\n</body>\n</html>\n");
	report_file_drain(f);
}
