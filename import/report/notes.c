/*
 * What the import leaves to people: decisions that no tool should take, and the next steps.
 *
 * Fact  docs/mattermost-facts.md "Limits", "Passwords", "Caches"; commands are those of mmctl
 */
#include "import/report/page.h"

#include "common/base/banned.h"

#define NAMES_SHOWN 12  /* before the rest is folded away */
#define NAMES_MAX   400 /* in the page at all; users.csv has everybody */

/* ---- lists of names ---- */

struct names {
	struct ark_buf *b;
	uint64_t total, written;
	bool folded;
};

static void names_begin(struct names *n, struct ark_buf *b, uint64_t total)
{
	*n = (struct names){ .b = b, .total = total };
	ark_buf_z(b, "<ul class=\"names\">");
}

/* True when there is room for one more; its text goes between this and the closing </li>. */
static bool names_next(struct names *n)
{
	/* two or three more are not worth a fold */
	if (n->written == NAMES_SHOWN && n->total > NAMES_SHOWN + 3) {
		ark_buf_z(n->b, "</ul><details><summary>");
		page_count(n->b, n->total - n->written);
		ark_buf_z(n->b, " more</summary><ul class=\"names\">");
		n->folded = true;
	}
	if (n->written == NAMES_MAX)
		return false;
	n->written++;
	ark_buf_z(n->b, "<li>");
	return true;
}

static void names_end(struct names *n, const char *where)
{
	ark_buf_z(n->b, "</ul>");
	if (n->written < n->total) {
		ark_buf_z(n->b, "<p>and ");
		page_count(n->b, n->total - n->written);
		ark_buf_fmt(n->b, " more, in <code>%s</code></p>", where);
	}
	if (n->folded)
		ark_buf_z(n->b, "</details>");
}

static void ask_begin(struct ark_buf *b, const char *kind)
{
	ark_buf_fmt(b, "<article class=\"ask%s\"><h3>", kind);
}

static void ask_end(struct ark_buf *b)
{
	ark_buf_z(b, "</div></article>\n");
}

static void list_people(struct ark_buf *b, const struct import_report *r, uint64_t total,
                        bool (*wanted)(const struct report_person *))
{
	struct names names;
	names_begin(&names, b, total);
	for (uint32_t i = 0; i < r->people_count; i++) {
		const struct report_person *p = &r->people[i];
		if (!wanted(p))
			continue;
		if (!names_next(&names))
			break;
		ark_buf_z(b, "@");
		page_name(b, p->username);
		if (p->real_name.len > 0) {
			ark_buf_z(b, " <span class=\"soft\">");
			page_name(b, p->real_name);
			ark_buf_z(b, "</span>");
		}
		ark_buf_z(b, "</li>");
	}
	names_end(&names, REPORT_USERS);
}

/* ---- decisions ---- */

static void ask_lost(struct ark_buf *b, const struct import_report *r)
{
	uint64_t lost = import_report_lost(r);
	if (lost == 0)
		return;
	ask_begin(b, " lost");
	page_things(b, lost, "message could not be read", "messages could not be read");
	ark_buf_z(
	    b,
	    "</h3><div><p>These parts of the archive are damaged. Where they are stands in "
	    "<a href=\"skipped.jsonl\">skipped.jsonl</a>, with file, offset and length. A new "
	    "download of the export may have them whole; importing it adds what is missing.</p>");
	ask_end(b);
}

static uint64_t sum_unsafe_names(const struct import_report *r)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < r->archives_count; i++)
		n += r->archives[i].unsafe_names;
	return n;
}

static void ask_archives(struct ark_buf *b, const struct import_report *r)
{
	uint64_t unsafe_names = sum_unsafe_names(r), damage = import_report_damage(r);
	if (damage > 0) {
		ask_begin(b, " lost");
		page_things(b, damage, "entry of the archive is damaged",
		            "entries of the archive are damaged");
		ark_buf_z(b, "</h3><div><p>People or channels may be missing from the lists; "
		             "messages that need "
		             "them were imported with placeholders.</p>");
		ask_end(b);
	}
	if (unsafe_names > 0) {
		ask_begin(b, "");
		page_things(b, unsafe_names, "entry has an unsafe name",
		            "entries have unsafe names");
		ark_buf_z(
		    b,
		    "</h3><div><p>Names that lead out of the archive (absolute, or with "
		    "<code>..</code>) were not opened. Slack makes none: find out who packed this "
		    "archive.</p>");
		ask_end(b);
	}
}

static uint64_t count_orphans(const struct import_report *r, bool archived)
{
	uint64_t n = 0;
	for (uint32_t i = 0; i < r->channels_count; i++)
		n += report_channel_orphan(&r->channels[i]) && r->channels[i].archived == archived;
	return n;
}

static void ask_orphans(struct ark_buf *b, const struct import_report *r, bool archived)
{
	uint64_t n = count_orphans(r, archived);
	if (n == 0)
		return;
	ask_begin(b, archived ? " note" : "");
	page_things(b, n, archived ? "archived private channel" : "private channel",
	            archived ? "archived private channels" : "private channels");
	ark_buf_z(
	    b,
	    " without a live member</h3><div><p>Membership comes from Slack alone, so that nobody "
	    "gets into a private channel by having once written there. Nobody can open ");
	ark_buf_z(b, n == 1 ? "this one" : "these");
	ark_buf_z(b, " until a system administrator adds somebody:</p><code class=\"cmd\">mmctl "
	             "channel users add ");
	page_text(b, r->team.len > 0 ? r->team : ARK_LIT("TEAM"));
	ark_buf_z(b, ":CHANNEL USER</code>");
	struct names names;
	names_begin(&names, b, n);
	for (uint32_t i = 0; i < r->channels_count; i++) {
		const struct report_channel *c = &r->channels[i];
		if (!report_channel_orphan(c) || c->archived != archived)
			continue;
		if (!names_next(&names))
			break;
		page_name(b, c->name);
		ark_buf_z(b, " <span class=\"soft\">");
		page_things(b, c->count.written, "message", "messages");
		ark_buf_z(b, "</span></li>");
	}
	names_end(&names, REPORT_JSON);
	ask_end(b);
}

static bool is_admin(const struct report_person *p)
{
	return (p->admin || p->owner) && !p->deleted;
}

static bool is_mailless(const struct report_person *p)
{
	return p->mailless;
}

static void ask_people(struct ark_buf *b, const struct import_report *r)
{
	struct report_people_counts n = report_count_people(r);
	if (n.admins > 0) {
		ask_begin(b, "");
		page_things(b, n.admins, "administrator of Slack is an ordinary member here",
		            "administrators of Slack are ordinary members here");
		ark_buf_z(
		    b,
		    "</h3><div><p>Rights are never taken over. Who is to administer Mattermost is "
		    "yours "
		    "to say:</p><code class=\"cmd\">mmctl --local roles system-admin NAME</code>");
		list_people(b, r, n.admins, is_admin);
		ask_end(b);
	}
	if (n.mailless > 0) {
		ask_begin(b, "");
		page_things(b, n.mailless, "person has", "people have");
		ark_buf_z(b, " no e-mail address</h3><div><p>They cannot ask for a password by "
		             "mail. Give an "
		             "address, or a password:</p><code class=\"cmd\">mmctl user email NAME "
		             "ADDRESS</code>"
		             "<code class=\"cmd\">mmctl user change-password NAME</code>");
		list_people(b, r, n.mailless, is_mailless);
		ask_end(b);
	}
	if (n.guests_deactivated > 0) {
		ask_begin(b, "");
		page_things(b, n.guests_deactivated, "guest is deactivated",
		            "guests are deactivated");
		ark_buf_z(b, "</h3><div><p>Guest accounts need a licence in Mattermost, and nobody "
		             "becomes a full "
		             "member by accident. Run the import with <code>--guests member</code> "
		             "to make them "
		             "members, or with a licence let them in as guests:</p><code "
		             "class=\"cmd\">mmctl user "
		             "activate NAME</code>");
		list_people(b, r, n.guests_deactivated, report_guest_shut_out);
		ask_end(b);
	}
}

static void ask_limits(struct ark_buf *b, const struct import_report *r)
{
	if (r->team_people > REPORT_TEAM_MAX) {
		ask_begin(b, "");
		page_count(b, r->team_people);
		ark_buf_fmt(
		    b,
		    " people in the team, the server's default is %d</h3><div><p>Those imported "
		    "are in, "
		    "but nobody can be added later until <code>TeamSettings.MaxUsersPerTeam</code> "
		    "is raised (System Console, Users and Teams).</p>",
		    REPORT_TEAM_MAX);
		ask_end(b);
	}
	if (r->active_users > REPORT_ACTIVE_MAX) {
		ask_begin(b, "");
		page_count(b, r->active_users);
		ark_buf_fmt(
		    b,
		    " active users, a server without a licence takes %d</h3><div><p>Those imported "
		    "can sign "
		    "in, but the server refuses to create or activate further ones. Deactivate who "
		    "does not need an account, or get a licence.</p>",
		    REPORT_ACTIVE_MAX);
		ask_end(b);
	}
}

static void ask_files(struct ark_buf *b, const struct report_missing *missing)
{
	if (missing->total == 0)
		return;
	ask_begin(b, "");
	page_things(b, missing->total, "file is", "files are");
	ark_buf_z(
	    b,
	    " missing</h3><div><p>The message shows a note in place of each. They are listed in <a "
	    "href=\"missing-files.csv\">missing-files.csv</a>. Keep the Slack workspace, or the "
	    "files themselves, as long as they are needed.</p><ul class=\"names\">");
	for (uint32_t i = 0; i < missing->reasons->count; i++) {
		ark_buf_z(b, "<li>");
		page_count(b, missing->counts[i]);
		ark_buf_c(b, ' ');
		page_text(b, ark_map_key(missing->reasons, i));
		ark_buf_z(b, "</li>");
	}
	ark_buf_z(b, "</ul>");
	ask_end(b);
}

static void ask_rest(struct ark_buf *b, const struct import_report *r)
{
	if (r->changes.known && r->changes.kept > 0) {
		ask_begin(b, " note");
		page_things(b, r->changes.kept, "post was", "posts were");
		ark_buf_z(b, " changed in Mattermost</h3><div><p>They differ from what an earlier "
		             "run wrote, so they "
		             "belong to their authors now and were left alone. "
		             "<code>--overwrite</code> puts the "
		             "text of Slack back; what was deleted stays deleted.</p>");
		ask_end(b);
	}
	if (r->changes.known && r->changes.orphaned > 0) {
		ask_begin(b, " note");
		page_things(b, r->changes.orphaned, "new message belongs", "new messages belong");
		ark_buf_z(b, " to what was deleted in Mattermost</h3><div><p>They are replies to deleted messages, "
		             "or by accounts that were deleted, and were left out.</p>");
		ask_end(b);
	}
	if (r->changes.known && r->changes.channels_kept + r->changes.people_kept > 0) {
		ask_begin(b, " note");
		page_things(b, r->changes.channels_kept + r->changes.people_kept, "channel or account did",
		            "channels and accounts did");
		ark_buf_z(b, " not follow Slack</h3><div><p>Names, topics and archiving of channels, and leaving of "
		             "people, follow Slack until people in Mattermost change or use them.</p>");
		ask_end(b);
	}
	if (r->changes.known && r->changes.channels_older > 0) {
		ask_begin(b, " note");
		page_things(b, r->changes.channels_older, "channel was", "channels were");
		ark_buf_z(b, " imported from a newer archive before</h3><div><p>This one added the messages that were "
		             "missing, and changed nothing else.</p>");
		ask_end(b);
	}
	for (uint32_t i = 0; i < r->warnings_count; i++) {
		ask_begin(b, " note");
		ark_buf_z(b, "Warning</h3><div><p>");
		page_text(b, r->warnings[i]);
		ark_buf_z(b, "</p>");
		ask_end(b);
	}
}

void page_decisions(struct ark_buf *b, const struct import_report *r,
                    const struct report_missing *missing)
{
	ark_buf_z(b, "<section id=\"decisions\"><h2>What needs a decision</h2>\n");
	size_t head = b->len;
	ark_buf_z(b, "<div class=\"asks\">\n");
	size_t begin = b->len;
	ask_lost(b, r);
	ask_archives(b, r);
	ask_orphans(b, r, false);
	ask_people(b, r);
	ask_limits(b, r);
	ask_files(b, missing);
	ask_orphans(b, r, true);
	ask_rest(b, r);
	if (b->len == begin) {
		ark_buf_cut(b, head);
		ark_buf_z(b,
		          "<p class=\"calm\">Nothing. Everybody and everything has a place.</p>\n");
	} else {
		ark_buf_z(b, "</div>\n");
	}
	ark_buf_z(b, "</section>\n");
}

/* ---- next steps ---- */

/* command NULL: none */
static void step(struct ark_buf *b, const char *title, const char *text, const char *command)
{
	ark_buf_fmt(b, "<li><div><h3>%s</h3><p>%s</p>", title, text);
	if (command != NULL)
		ark_buf_fmt(b, "<code class=\"cmd\">%s</code>", command);
	ark_buf_z(b, "</div></li>\n");
}

static void next_after_check(struct ark_buf *b)
{
	step(b, "Settle who is who",
	     "Edit <a href=\"users.csv\">users.csv</a> where a Slack account belongs to another "
	     "Mattermost "
	     "account; the columns <code>slack_id</code> and <code>mattermost_username</code> "
	     "decide.",
	     NULL);
	step(b, "Import",
	     "It can be repeated with newer exports, and the newest run can be taken back.",
	     "matter-import slack ARCHIVE --team NAME --users users.csv");
}

static void next_after_import(struct ark_buf *b, const struct import_report *r)
{
	if (r->database_new)
		step(b, "Start the server on this database",
		     "<code>SqlSettings.DataSource</code> of a Mattermost server of the same "
		     "version, or a "
		     "newer one, is to name it.",
		     NULL);
	else
		step(b, "Let a running server look again",
		     "Restart it, or purge its caches (System Console, Web Server, Purge All "
		     "Caches). Until "
		     "then it may show old channels and refuse new members. <code>--api-url</code> "
		     "with "
		     "<code>--api-token-file</code> does this at the end of an import.",
		     NULL);
	step(b, "Name the first administrator",
	     "On the server: somebody who was imported, or a new account.",
	     "mmctl --local roles system-admin NAME</code><code class=\"cmd\">mmctl --local user "
	     "create "
	     "--system-admin --username NAME --email ADDRESS --password PASSWORD");
	step(b, "Let people in",
	     "New accounts have no usable password. People choose one through \"Forgot your "
	     "password?\" "
	     "with their Slack address, which needs a working mail server; the same mail is sent "
	     "by the "
	     "command below. Accounts that were there before are unchanged.",
	     "mmctl user reset-password ADDRESS");
	step(b, "Compare", "Hold the archive against the database, message by message:",
	     "matter-import verify ARCHIVE --team NAME");
	step(b, "Come back with a newer export",
	     "Run the same import over it: what is new or changed in Slack is added, what was "
	     "changed in "
	     "Mattermost stays. <a href=\"users.csv\">users.csv</a> is made for "
	     "<code>--users</code>.",
	     NULL);
}

void page_next(struct ark_buf *b, const struct import_report *r)
{
	ark_buf_z(b, "<section id=\"next\"><h2>What to do next</h2><ol class=\"next\">\n");
	if (r->check)
		next_after_check(b);
	else
		next_after_import(b, r);
	ark_buf_z(b, "</ol></section>\n");
}
