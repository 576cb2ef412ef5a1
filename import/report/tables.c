/* The tables of the page: what was left out, people, archives, channels. */
#include "common/cli/human.h"
#include "import/report/page.h"

#include "common/base/banned.h"

static void cell_count(struct ark_buf *b, uint64_t n)
{
	ark_buf_z(b, n == 0 ? "<td class=\"n zero\">" : "<td class=\"n\">");
	page_count(b, n);
	ark_buf_z(b, "</td>");
}

/* A thin bar: `part` of `whole`. */
static void meter(struct ark_buf *b, const char *class, uint64_t part, uint64_t whole)
{
	ark_buf_fmt(b,
	            "<svg class=\"meter\" aria-hidden=\"true\"><rect width=\"100%%\" height=\"4\"/>"
	            "<rect class=\"%s\" height=\"4\" width=\"",
	            class);
	page_percent(b, part, whole);
	ark_buf_z(b, "\"/></svg>");
}

/* ---- left out ---- */

/* Reasons by how often they occur, then in their own order. */
static void sort_reasons(const struct load_count *c, enum skip_reason order[SKIP_COUNT])
{
	for (int i = 0; i < SKIP_COUNT; i++) {
		int at = i;
		while (at > 0 && c->skipped[order[at - 1]] < c->skipped[i]) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = (enum skip_reason)i;
	}
}

void page_left_out(struct ark_buf *b, const struct import_report *r)
{
	uint64_t all = load_count_skipped(&r->total);
	if (all == 0)
		return;
	enum skip_reason order[SKIP_COUNT];
	sort_reasons(&r->total, order);
	ark_buf_z(
	    b,
	    "<section id=\"left-out\"><h2>Left out, and why</h2><p>Most of what is left out by "
	    "rule "
	    "was never visible in Slack as a message of its own.</p>\n<div class=\"scroll\"><table>"
	    "<thead><tr><th>Reason</th><th class=\"n\">Messages</th><th>What it means</th></tr>"
	    "</thead><tbody>\n");
	for (int i = 0; i < SKIP_COUNT && r->total.skipped[order[i]] > 0; i++) {
		ark_buf_fmt(b, "<tr><th>%s", skip_name(order[i]));
		if (skip_is_loss(order[i]))
			ark_buf_z(b, " <span class=\"tag lost\">lost</span>");
		meter(b, skip_is_loss(order[i]) ? "c-lost" : "c-written",
		      r->total.skipped[order[i]], all);
		ark_buf_z(b, "</th>");
		cell_count(b, r->total.skipped[order[i]]);
		ark_buf_fmt(b, "<td class=\"text\">%s</td></tr>\n", skip_text(order[i]));
	}
	ark_buf_z(b, "</tbody></table></div></section>\n");
}

/* ---- files ---- */

static void row(struct ark_buf *b, const char *what, struct ark_str detail, uint64_t n)
{
	ark_buf_fmt(b, "<tr><th>%s", what);
	page_text(b, detail);
	ark_buf_z(b, "</th>");
	cell_count(b, n);
}

static void row_of(struct ark_buf *b, const char *what, uint64_t n)
{
	if (n == 0)
		return;
	row(b, what, ARK_LIT(""), n);
	ark_buf_z(b, "<td class=\"n zero\">\u2013</td></tr>\n");
}

bool page_has_files(const struct import_report *r, const struct report_missing *missing)
{
	return r->bodies.files + r->bodies.emoji + r->bodies.avatars + missing->total > 0;
}

void page_files(struct ark_buf *b, const struct import_report *r, const struct report_missing *missing)
{
	const struct report_bodies *n = &r->bodies;
	if (!page_has_files(r, missing))
		return;
	ark_buf_z(b, "<section id=\"files\"><h2>Files</h2><p>What is missing stands one by one in <a "
	             "href=\"missing-files.csv\">missing-files.csv</a>.</p>\n<div class=\"scroll\"><table><thead>"
	             "<tr><th>What became of them</th><th class=\"n\">Files</th><th class=\"n\">Size</th></tr>"
	             "</thead><tbody>\n");
	if (n->known) {
		row(b, "In the file store, on their posts", ARK_LIT(""), n->files);
		ark_buf_z(b, "<td class=\"n\">");
		ark_human_bytes(b, n->bytes);
		ark_buf_z(b, "</td></tr>\n");
	}
	for (uint32_t i = 0; i < missing->reasons->count; i++) {
		row(b, r->check ? "Would be missing: " : "Missing: ", ark_map_key(missing->reasons, i), missing->counts[i]);
		ark_buf_z(b, "<td class=\"n zero\">\u2013</td></tr>\n");
	}
	row_of(b, "Images without preview: damaged, or too large", n->unpainted);
	row_of(b, "Pictures of custom emoji", n->emoji);
	row_of(b, "Pictures of people", n->avatars);
	ark_buf_z(b, "</tbody></table></div></section>\n");
}

/* ---- people ---- */

static void fact(struct ark_buf *b, const char *label, uint64_t n, const char *note)
{
	ark_buf_fmt(b, "<div><dt>%s</dt><dd>", label);
	page_count(b, n);
	ark_buf_fmt(b, "<small>%s</small></dd></div>\n", note);
}

void page_people(struct ark_buf *b, const struct import_report *r)
{
	struct report_people_counts n = report_count_people(r);
	ark_buf_z(
	    b, "<section id=\"people\"><h2>People</h2><p>Everybody with their account stands in <a "
	       "href=\"users.csv\">users.csv</a>.</p>\n<div class=\"card\"><dl class=\"facts "
	       "bare\">\n");
	fact(b, "Matched", n.status[REPORT_MATCHED], "accounts that were there before");
	fact(b, "Created", n.status[REPORT_CREATED], "new accounts");
	fact(b, "Bots", n.status[REPORT_BOT], "apps and webhooks");
	fact(b, "Placeholders", n.status[REPORT_PLACEHOLDER], "authors whom no list names");
	if (n.deactivated > 0)
		fact(b, "Deactivated", n.deactivated, "of the new accounts");
	if (n.guests > 0)
		fact(b, "Guests", n.guests, "in Slack");
	if (r->people_without_account > 0)
		fact(b, "Without account", r->people_without_account,
		     "in no channel, wrote nothing");
	ark_buf_z(b, "</dl></div></section>\n");
}

/* ---- archives and phases ---- */

void page_archives(struct ark_buf *b, const struct import_report *r)
{
	if (r->archives_count == 0)
		return;
	ark_buf_fmt(b,
	            "<section id=\"archives\"><h2>%s</h2>\n<div class=\"scroll\"><table><thead><tr>"
	            "<th>File</th><th class=\"d\">Newest message</th><th class=\"n\">Entries</th>"
	            "<th class=\"n\">Day files</th><th class=\"n\">File bodies</th>"
	            "<th class=\"n\">Other</th><th class=\"n\">Unsafe names</th>"
	            "<th class=\"n\">Damaged</th></tr></thead><tbody>\n",
	            r->archives_count == 1 ? "Archive" : "Archives");
	for (uint32_t i = 0; i < r->archives_count; i++) {
		const struct report_archive *a = &r->archives[i];
		ark_buf_z(b, "<tr><th class=\"name\">");
		page_name(b, a->name);
		if (!a->has_users)
			ark_buf_z(b, "<small>without users.json</small>");
		ark_buf_z(b, "</th><td class=\"d\">");
		page_date(b, a->newest_ms);
		ark_buf_z(b, "</td>");
		cell_count(b, a->entries);
		cell_count(b, a->day_files);
		cell_count(b, a->body_files);
		cell_count(b, a->other_files);
		cell_count(b, a->unsafe_names);
		cell_count(b, a->bad_entries + a->list_damage);
		ark_buf_z(b, "</tr>\n");
	}
	ark_buf_z(b, "</tbody></table></div></section>\n");
}

void page_phases(struct ark_buf *b, const struct import_report *r)
{
	if (r->phases_count == 0)
		return;
	int64_t most = 1;
	for (uint32_t i = 0; i < r->phases_count; i++)
		most = r->phases[i].ms > most ? r->phases[i].ms : most;
	ark_buf_z(
	    b, "<section id=\"phases\"><h2>Where the time went</h2>\n<div class=\"scroll\"><table>"
	       "<thead><tr><th>Phase</th><th class=\"wide\"></th><th "
	       "class=\"n\">Time</th></tr></thead><tbody>\n");
	for (uint32_t i = 0; i < r->phases_count; i++) {
		uint64_t ms = r->phases[i].ms > 0 ? (uint64_t)r->phases[i].ms : 0;
		ark_buf_z(b, "<tr><th>");
		page_text(b, r->phases[i].name);
		ark_buf_z(b, "</th><td class=\"wide\">");
		meter(b, "c-written", ms, (uint64_t)most);
		ark_buf_z(b, "</td><td class=\"n\">");
		page_duration(b, (int64_t)ms);
		ark_buf_z(b, "</td></tr>\n");
	}
	ark_buf_z(b, "</tbody></table></div></section>\n");
}

/* ---- channels ---- */

static void channel_names(struct ark_buf *b, const struct report_channel *c, bool tell_team)
{
	bool direct = c->type == 'D' || c->type == 'G';
	ark_buf_z(b, "<th class=\"name\">");
	page_name(b, c->slack_name.len > 0 ? c->slack_name : c->slack_id);
	if (!direct && ark_str_has(c->name) && !ark_str_eq(c->name, c->slack_name)) {
		ark_buf_z(b, "<small>here: ");
		page_name(b, c->name);
		ark_buf_z(b, "</small>");
	}
	if (tell_team && ark_str_has(c->team)) {
		ark_buf_z(b, "<small>team: ");
		page_name(b, c->team);
		ark_buf_z(b, "</small>");
	}
	ark_buf_fmt(b, "</th><td><span class=\"tag%s\">%s</span>", c->type == 0 ? " quiet" : "",
	            report_type_name(c->type));
	if (c->archived)
		ark_buf_z(b, "<small>archived</small>");
	if (c->existed)
		ark_buf_z(b, "<small>was there before</small>");
	ark_buf_z(b, "</td>");
}

static void channel_left_out(struct ark_buf *b, const struct load_count *c)
{
	uint64_t n = load_count_skipped(c);
	if (n == 0) {
		cell_count(b, n);
		return;
	}
	enum skip_reason order[SKIP_COUNT];
	sort_reasons(c, order);
	ark_buf_z(b, "<td class=\"n\"><details><summary>");
	page_count(b, n);
	ark_buf_z(b, "</summary>");
	for (int i = 0; i < SKIP_COUNT && c->skipped[order[i]] > 0; i++) {
		ark_buf_z(b, "<p>");
		page_count(b, c->skipped[order[i]]);
		ark_buf_fmt(b, " %s</p>", skip_name(order[i]));
	}
	ark_buf_z(b, "</details></td>");
}

static void channel_row(struct ark_buf *b, const struct report_channel *c, bool tell_team)
{
	ark_buf_z(b, "<tr>");
	channel_names(b, c, tell_team);
	cell_count(b, c->count.read);
	cell_count(b, c->count.written);
	channel_left_out(b, &c->count);
	cell_count(b, c->count.replies);
	cell_count(b, c->count.reactions);
	cell_count(b, c->count.files);
	ark_buf_z(b, "<td class=\"d\">");
	page_date(b, c->first_ms);
	ark_buf_z(b, "</td><td class=\"d\">");
	page_date(b, c->last_ms);
	ark_buf_z(b, "</td>");
	cell_count(b, c->members);
	ark_buf_z(b, "</tr>\n");
}

void page_channels(struct report_file *f, const struct import_report *r)
{
	struct ark_buf *b = &f->text;
	ark_buf_z(b, "<section id=\"channels\"><h2>Channels</h2>\n");
	if (r->channels_count == 0) {
		ark_buf_z(b, "<p>There are none.</p></section>\n");
		return;
	}
	ark_buf_z(
	    b,
	    "<div class=\"tools\" id=\"channel-list-tools\"></div>\n"
	    "<div class=\"scroll broad\"><table class=\"sortable\" id=\"channel-list\"><thead><tr>"
	    "<th>Channel in Slack</th><th>Kind</th><th class=\"n\" "
	    "aria-sort=\"descending\">Read</th>"
	    "<th class=\"n\">Written</th><th class=\"n\">Left out</th><th class=\"n\">Replies</th>"
	    "<th class=\"n\">Reactions</th><th class=\"n\">Files</th><th class=\"d\">First</th>"
	    "<th class=\"d\">Last</th><th class=\"n\">Members</th></tr></thead><tbody>\n");
	for (uint32_t i = 0; i < r->channels_count; i++) {
		channel_row(b, &r->channels[i], r->several_teams);
		report_file_drain(f);
	}
	ark_buf_z(b, "</tbody></table></div></section>\n");
}
