/* What is around every page, and the style sheet and script that all of them share. */
#include "common/base/time.h"
#include "common/cli/human.h"
#include "export/formats/html/private.h"

#include "common/base/banned.h"

#include "export/formats/html/assets.inc" /* made by embed.py of style.css and app.js */

/* 'self' is what a server would give; file: is a folder that somebody opened. Nothing else loads. */
#define POLICY                                                                                       \
	"default-src 'none'; style-src 'self' file:; script-src 'self' file:; img-src 'self' file: data:; " \
	"form-action 'self' file:; base-uri 'none'"

void html_head(struct ark_buf *b, const char *up, struct ark_str title, bool search)
{
	ark_buf_z(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	             "<meta http-equiv=\"Content-Security-Policy\" content=\"" POLICY "\">\n"
	             "<meta name=\"referrer\" content=\"no-referrer\">\n"
	             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
	html_escape(title, b);
	ark_buf_fmt(b, "</title>\n<link rel=\"icon\" href=\"data:,\">\n"
	               "<link rel=\"stylesheet\" href=\"%sstyle.css\">\n", up);
	if (search)
		ark_buf_fmt(b, "<script src=\"%sapp.js\" defer></script>\n", up);
	ark_buf_z(b, "</head>\n<body>\n");
}

void html_foot(struct ark_buf *b, const struct html_archive *a)
{
	/* not when: the pages are the same for the same state of the database, run.json says it */
	ark_buf_z(b, "<footer><p>All times are UTC. Written by ");
	html_escape(ark_str_z(a->run->tool), b);
	ark_buf_z(b, "; when and with what is said in run.json.</p></footer>\n</body>\n</html>\n");
}

void html_page_href(struct ark_buf *b, const struct html_page_name *page)
{
	ark_buf_fmt(b, "%04d-%02d", page->month / 12, page->month % 12 + 1);
	if (page->part > 1)
		ark_buf_fmt(b, "-%u", page->part);
	ark_buf_z(b, ".html");
}

void html_month_words(struct ark_buf *b, int32_t month)
{
	static const char *const NAMES[] = { "January", "February", "March",     "April",   "May",      "June",
		                             "July",    "August",   "September", "October", "November", "December" };
	ark_buf_fmt(b, "%s %d", NAMES[month % 12], month / 12);
}

void html_time(struct ark_buf *b, int64_t ms, bool with_date)
{
	char iso[ARK_TIME_ISO];
	ark_time_iso(ms, iso);
	ark_buf_fmt(b, "<time datetime=\"%s\" title=\"%.10s %.8s UTC\">", iso, iso, iso + 11);
	if (with_date)
		ark_buf_fmt(b, "%.10s ", iso);
	ark_buf_fmt(b, "%.5s</time>", iso + 11);
}

enum ark_rc html_assets(struct html_archive *a, struct ark_err *err)
{
	enum ark_rc rc = export_file_put(a->run->out, HTML_ROOT "style.css", EXPORT_PLAIN,
	                                 ark_str_z(STYLE), err);
	return rc < 0 ? rc
	              : export_file_put(a->run->out, HTML_ROOT "app.js", EXPORT_PLAIN, ark_str_z(SCRIPT), err);
}
