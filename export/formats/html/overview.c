/* Where reading begins: all channels, all people, the search page; and each channel's own months. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/human.h"
#include "export/formats/html/private.h"

#include "common/base/banned.h"

#define SPARK_BARS 48 /* months, or groups of them, in the little chart of a row */

static struct ark_str title_of(const struct export_channel *c)
{
	return c->display_name.len > 0 ? c->display_name : c->name;
}

static void put_date(struct ark_buf *b, int64_t ms)
{
	char iso[ARK_TIME_ISO];
	ark_time_iso(ms, iso);
	ark_buf_add(b, iso, 10);
}

static void put_n(struct ark_buf *b, uint64_t n, const char *one, const char *many)
{
	ark_human_count(b, n);
	ark_buf_fmt(b, " %s", n == 1 ? one : many);
}

/* --- one channel --- */

static void put_channel_facts(struct ark_buf *b, const struct html_channel *c)
{
	const struct export_channel *x = c->channel;
	ark_buf_fmt(b, "<p class=\"about\">%s channel", export_channel_kind_name(x->kind));
	if (x->create_ms > 0) {
		ark_buf_z(b, ", made ");
		put_date(b, x->create_ms);
	}
	if (x->delete_ms > 0) {
		ark_buf_z(b, ", archived ");
		put_date(b, x->delete_ms);
	}
	ark_buf_z(b, ". ");
	put_n(b, c->posts, "message", "messages");
	if (c->posts > 0) {
		ark_buf_z(b, ", ");
		put_date(b, c->first_ms);
		ark_buf_z(b, " to ");
		put_date(b, c->last_ms);
	}
	ark_buf_z(b, ".</p>\n");
}

static void put_markdown(struct ark_buf *b, const struct html_archive *a, const char *class,
                         struct ark_str text)
{
	if (text.len == 0)
		return;
	ark_buf_fmt(b, "<div class=\"%s\">", class);
	html_markdown(text, &a->names, b);
	ark_buf_z(b, "</div>\n");
}

static void put_stay(struct ark_buf *b, const struct export_member *m)
{
	if (m->join_ms > 0) {
		ark_buf_z(b, "from ");
		put_date(b, m->join_ms);
	} else {
		ark_buf_z(b, "since when is not known");
	}
	if (m->leave_ms > 0) {
		ark_buf_z(b, " to ");
		put_date(b, m->leave_ms);
	}
}

static void put_members(struct ark_buf *b, const struct export_channel *c)
{
	if (c->members_count == 0)
		return;
	ark_buf_z(b, "<section><h2>Members</h2>\n<p class=\"soft\">");
	if (c->history_from_ms > 0) {
		ark_buf_z(b, "Who was in the channel is known from ");
		put_date(b, c->history_from_ms);
		ark_buf_z(b, " on.");
	} else {
		ark_buf_z(b, "Who was in the channel when is not known; these are its members now.");
	}
	ark_buf_z(b, "</p>\n<ul class=\"members\">\n");
	for (size_t i = 0; i < c->members_count; i++) {
		const struct export_member *m = &c->members[i];
		ark_buf_z(b, "<li><bdi>");
		html_escape(html_person_name(m->person), b);
		ark_buf_z(b, "</bdi> <span class=\"soft\">");
		put_stay(b, m);
		ark_buf_z(b, m->admin ? ", administrator</span></li>\n" : "</span></li>\n");
	}
	ark_buf_z(b, "</ul></section>\n");
}

static void put_months(struct ark_buf *b, const struct html_channel *c)
{
	ark_buf_z(b, "<section><h2>Messages</h2>\n<ol class=\"pages\">\n");
	for (size_t i = 0; i < c->pages_count; i++) {
		ark_buf_z(b, "<li><a href=\"");
		html_page_href(b, &c->pages[i]);
		ark_buf_z(b, "\">");
		html_month_words(b, c->pages[i].month);
		if (c->pages[i].part > 1)
			ark_buf_fmt(b, ", part %u", c->pages[i].part);
		ark_buf_z(b, "</a> <span class=\"soft\">");
		ark_human_count(b, c->pages[i].posts);
		ark_buf_z(b, "</span></li>\n");
	}
	ark_buf_z(b, "</ol></section>\n");
}

enum ark_rc html_overview_channel(struct html_archive *a, const struct html_channel *c, struct ark_err *err)
{
	const struct export_channel *x = c->channel;
	ark_auto(ark_buf_release) struct ark_buf b, name;
	ark_buf_init(&b, HTML_BUFFER);
	ark_buf_init(&name, 1u << 12);
	ark_buf_fmt(&name, HTML_ROOT "%.*s/%.*s/index.html", ARK_FMT(x->team_path), ARK_FMT(x->channel_path));
	html_head(&b, "../../", title_of(x), false);
	ark_buf_z(&b, "<header><nav class=\"crumbs\"><a href=\"../../index.html\">Archive</a>");
	if (x->team_display_name.len > 0) {
		ark_buf_z(&b, " <span><bdi>");
		html_escape(x->team_display_name, &b);
		ark_buf_z(&b, "</bdi></span>");
	}
	ark_buf_z(&b, "</nav>\n<h1><bdi>");
	html_escape(title_of(x), &b);
	ark_buf_z(&b, "</bdi></h1>\n");
	put_channel_facts(&b, c);
	put_markdown(&b, a, "about text", x->header);
	put_markdown(&b, a, "about text", x->purpose);
	ark_buf_z(&b, "</header>\n<main>\n");
	if (c->months_count > 1) {
		ark_buf_fmt(&b, "<section><h2>Messages per %s</h2>\n<div class=\"panel\">",
		            html_chart_unit(c->months, c->months_count));
		html_chart(&b, c->months, c->months_count);
		ark_buf_z(&b, "</div></section>\n");
	}
	put_months(&b, c);
	put_members(&b, x);
	ark_buf_z(&b, "</main>\n");
	html_foot(&b, a);
	enum ark_rc rc = ark_buf_ok(&b, "the page of a channel", err);
	return rc < 0 ? rc : export_file_put(a->run->out, name.data, EXPORT_PLAIN, ark_buf_view(&b), err);
}

/* --- all channels --- */

struct totals {
	uint64_t posts;
	int64_t first_ms, last_ms;
	struct html_month *months;
	size_t count;
};

static void add_month(struct totals *t, const struct html_month *m)
{
	size_t lo = 0, hi = t->count;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (t->months[mid].month < m->month)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < t->count && t->months[lo].month == m->month) {
		t->months[lo].n += m->n;
		return;
	}
	t->months = ark_realloc(t->months, t->count + 1, sizeof(*t->months));
	memmove(t->months + lo + 1, t->months + lo, (t->count - lo) * sizeof(*t->months));
	t->months[lo] = *m;
	t->count++;
}

static void add_up(const struct html_archive *a, struct totals *t)
{
	for (size_t i = 0; i < a->channels_count; i++) {
		const struct html_channel *c = &a->channels[i];
		if (c->posts == 0)
			continue;
		t->posts += c->posts;
		if (t->first_ms == 0 || c->first_ms < t->first_ms)
			t->first_ms = c->first_ms;
		if (c->last_ms > t->last_ms)
			t->last_ms = c->last_ms;
		for (size_t m = 0; m < c->months_count; m++)
			add_month(t, &c->months[m]);
	}
}

/* The channel's months on the time line of the whole archive. */
static void put_spark(struct ark_buf *b, const struct html_channel *c, const struct totals *t)
{
	uint64_t bars[SPARK_BARS] = { 0 }, max = 0;
	int32_t first = t->months[0].month, span = t->months[t->count - 1].month - first + 1;
	int32_t width = (span + SPARK_BARS - 1) / SPARK_BARS, count = (span + width - 1) / width;
	for (size_t i = 0; i < c->months_count; i++) {
		uint64_t *bar = &bars[(c->months[i].month - first) / width];
		*bar += c->months[i].n;
		max = *bar > max ? *bar : max;
	}
	ark_buf_fmt(b, "<svg class=\"spark\" viewBox=\"0 0 %d 20\" preserveAspectRatio=\"none\" "
	               "aria-hidden=\"true\">", count * 4);
	for (int32_t i = 0; i < count; i++)
		if (bars[i] > 0)
			ark_buf_fmt(b, "<rect x=\"%d\" y=\"%.1f\" width=\"3\" height=\"%.1f\"/>", i * 4,
			            19.0 - 18.0 * (double)bars[i] / (double)max,
			            1.0 + 18.0 * (double)bars[i] / (double)max);
	ark_buf_z(b, "</svg>");
}

static void put_row(struct ark_buf *b, const struct html_channel *c, const struct totals *t)
{
	const struct export_channel *x = c->channel;
	ark_buf_fmt(b, "<tr><th scope=\"row\"><a href=\"%.*s/%.*s/index.html\"><bdi>", ARK_FMT(x->team_path),
	            ARK_FMT(x->channel_path));
	html_escape(title_of(x), b);
	ark_buf_z(b, "</bdi></a>");
	if (x->delete_ms > 0)
		ark_buf_z(b, " <span class=\"tag\">archived</span>");
	ark_buf_fmt(b, "</th><td>%s</td><td class=\"n\">", export_channel_kind_name(x->kind));
	ark_human_count(b, c->posts);
	ark_buf_z(b, "</td><td class=\"d\">");
	if (c->posts > 0)
		put_date(b, c->first_ms);
	ark_buf_z(b, "</td><td class=\"d\">");
	if (c->posts > 0)
		put_date(b, c->last_ms);
	ark_buf_z(b, "</td><td class=\"wide\">");
	if (t->count > 0 && c->posts > 0)
		put_spark(b, c, t);
	ark_buf_z(b, "</td></tr>\n");
}

static void put_table_head(struct ark_buf *b, const struct export_channel *c)
{
	ark_buf_z(b, "<section><h2><bdi>");
	if (c->team_display_name.len > 0)
		html_escape(c->team_display_name, b);
	else
		ark_buf_z(b, "Direct and group messages");
	ark_buf_z(b, "</bdi></h2>\n<div class=\"scroll\"><table class=\"channels\"><thead><tr><th>Channel</th>"
	             "<th>Kind</th><th class=\"n\">Messages</th><th>First</th><th>Last</th>"
	             "<th>Activity</th></tr></thead><tbody>\n");
}

static enum ark_rc write_piece(struct export_file *file, struct ark_buf *b, const char *what,
                               struct ark_err *err)
{
	enum ark_rc rc = ark_buf_ok(b, what, err);
	if (rc == ARK_OK)
		rc = export_file_write(file, b->data, b->len, err);
	ark_buf_reset(b);
	return rc;
}

static enum ark_rc put_tables(struct html_archive *a, struct export_file *file, struct ark_buf *b,
                              const struct totals *t, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; rc == ARK_OK && i < a->channels_count; i++) {
		struct ark_str team = a->channels[i].channel->team_path;
		bool first = i == 0 || !ark_str_eq(a->channels[i - 1].channel->team_path, team);
		bool last = i + 1 == a->channels_count ||
		            !ark_str_eq(a->channels[i + 1].channel->team_path, team);
		if (first)
			put_table_head(b, a->channels[i].channel);
		put_row(b, &a->channels[i], t);
		if (last)
			ark_buf_z(b, "</tbody></table></div></section>\n");
		rc = b->len > 1u << 16 ? write_piece(file, b, "the overview", err) : ARK_OK;
	}
	return rc;
}

static enum ark_rc write_index(struct html_archive *a, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_auto(export_file_drop) struct export_file *file = NULL;
	struct totals t = { 0 };
	ark_buf_init(&b, HTML_BUFFER);
	add_up(a, &t);
	html_head(&b, "", ARK_LIT("Message archive"), true);
	ark_buf_z(&b, "<header><h1>Message archive</h1>\n<p class=\"about\">");
	put_n(&b, t.posts, "message", "messages");
	ark_buf_z(&b, " in ");
	put_n(&b, a->channels_count, "channel", "channels");
	if (t.posts > 0) {
		ark_buf_z(&b, ", ");
		put_date(&b, t.first_ms);
		ark_buf_z(&b, " to ");
		put_date(&b, t.last_ms);
	}
	ark_buf_z(&b, ".</p>\n<form action=\"search.html\" role=\"search\"><input type=\"search\" name=\"q\" "
	              "placeholder=\"Search all messages\" aria-label=\"Search all messages\"> "
	              "<button>Search</button></form>\n<nav><a href=\"people.html\">People</a></nav></header>\n"
	              "<main>\n");
	if (t.count > 0) {
		ark_buf_fmt(&b, "<section><h2>Messages per %s</h2>\n<div class=\"panel\">",
		            html_chart_unit(t.months, t.count));
		html_chart(&b, t.months, t.count);
		ark_buf_z(&b, "</div></section>\n");
	}
	enum ark_rc rc = export_file_begin(a->run->out, HTML_ROOT "index.html", EXPORT_PLAIN, &file, err);
	if (rc == ARK_OK)
		rc = put_tables(a, file, &b, &t, err);
	free(t.months);
	ark_buf_z(&b, "</main>\n");
	html_foot(&b, a);
	if (rc == ARK_OK)
		rc = write_piece(file, &b, "the overview", err);
	return rc < 0 ? rc : export_file_end(&file, err);
}

/* --- people and search --- */

static void put_person(struct ark_buf *b, const struct export_person *p, uint64_t posts)
{
	ark_buf_z(b, "<tr><th scope=\"row\"><bdi>");
	html_escape(p->display_name, b);
	ark_buf_z(b, "</bdi></th><td>@");
	html_escape(p->user_name, b);
	ark_buf_z(b, "</td><td>");
	ark_buf_z(b, p->is_bot ? "bot" : p->is_remote ? "of another server" : "");
	if (p->delete_ms > 0) {
		ark_buf_z(b, p->is_bot || p->is_remote ? ", deactivated " : "deactivated ");
		put_date(b, p->delete_ms);
	}
	ark_buf_z(b, "</td><td class=\"n\">");
	ark_human_count(b, posts);
	ark_buf_z(b, "</td></tr>\n");
}

static enum ark_rc write_people(struct html_archive *a, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_auto(export_file_drop) struct export_file *file = NULL;
	ark_buf_init(&b, HTML_BUFFER);
	html_head(&b, "", ARK_LIT("People"), true);
	ark_buf_z(&b, "<header><nav class=\"crumbs\"><a href=\"index.html\">Archive</a></nav><h1>People</h1>"
	              "</header>\n<main><div class=\"scroll\"><table class=\"channels\"><thead><tr><th>Name</th>"
	              "<th>User name</th><th>Account</th><th class=\"n\">Messages</th></tr></thead><tbody>\n");
	enum ark_rc rc = export_file_begin(a->run->out, HTML_ROOT "people.html", EXPORT_PLAIN, &file, err);
	for (size_t i = 0; rc == ARK_OK && i < a->run->people_count; i++) {
		put_person(&b, &a->run->people[i], a->person_posts[i]);
		rc = b.len > 1u << 16 ? write_piece(file, &b, "the list of people", err) : ARK_OK;
	}
	ark_buf_z(&b, "</tbody></table></div></main>\n");
	html_foot(&b, a);
	if (rc == ARK_OK)
		rc = write_piece(file, &b, "the list of people", err);
	return rc < 0 ? rc : export_file_end(&file, err);
}

static enum ark_rc write_search(struct html_archive *a, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf b;
	ark_buf_init(&b, 1u << 16);
	html_head(&b, "", ARK_LIT("Search"), true);
	ark_buf_z(&b,
	          "<header><nav class=\"crumbs\"><a href=\"index.html\">Archive</a></nav><h1>Search</h1>\n"
	          "<form id=\"search\" role=\"search\"><input type=\"search\" name=\"q\" autofocus "
	          "placeholder=\"words, from:name, in:channel\" aria-label=\"Search all messages\"> "
	          "<button>Search</button></form>\n<p class=\"about\">Messages that hold all the words. "
	          "<code>from:</code> with a user name and <code>in:</code> with a channel's name narrow it "
	          "down.</p></header>\n<main><noscript><p>Searching needs JavaScript; the pages do not.</p>"
	          "</noscript><p id=\"state\" class=\"soft\" role=\"status\"></p><ol id=\"results\" "
	          "class=\"results\"></ol><p><button id=\"more\" hidden>Show more</button></p></main>\n");
	html_foot(&b, a);
	return export_file_put(a->run->out, HTML_ROOT "search.html", EXPORT_PLAIN, ark_buf_view(&b), err);
}

enum ark_rc html_overview_end(struct html_archive *a, struct ark_err *err)
{
	enum ark_rc rc = write_index(a, err);
	if (rc == ARK_OK)
		rc = write_people(a, err);
	return rc < 0 ? rc : write_search(a, err);
}
