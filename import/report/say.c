/* The closing lines on the terminal, and the summary object of --json. */
#include <stdio.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/cli/human.h"
#include "import/report/private.h"

#include "common/base/banned.h"

#define REASONS_SHOWN 5
#define LABEL         10 /* columns of "read      " */
#define COLUMNS       96

struct lines {
	struct ark_talk *talk;
	bool result; /* standard output */
	const char *msgid;
	struct ark_buf b;
};

/* Print what has gathered as one line. */
static void line(struct lines *l)
{
	if (l->result)
		ark_out(l->talk, "%s", l->b.data);
	else
		ark_info(l->talk, l->msgid, "%s", l->b.data);
	ark_buf_reset(&l->b);
}

static void label(struct lines *l, const char *text)
{
	ark_buf_fmt(&l->b, "%-*s", LABEL, text);
}

static void things(struct lines *l, uint64_t n, const char *what)
{
	ark_human_count(&l->b, n);
	ark_buf_fmt(&l->b, " %s", what);
}

static const char *pick(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

/* ", 12 files" when there are any */
static void also(struct lines *l, uint64_t n, const char *what)
{
	if (n == 0)
		return;
	ark_buf_z(&l->b, ", ");
	things(l, n, what);
}

/* What people did in Mattermost, and what this archive is too old for. */
static void say_left_alone(struct lines *l, const struct report_changes *c)
{
	const struct {
		uint64_t n;
		const char *one, *many;
	} ROWS[] = {
		{ c->kept_deleted, "of these deleted in Mattermost, and stays so",
		  "of these deleted in Mattermost, and stay so" },
		{ c->adopted, "post of another importer adopted", "posts of another importer adopted" },
		{ c->orphaned, "new message left out: what it belongs to was deleted in Mattermost",
		  "new messages left out: what they belong to was deleted in Mattermost" },
		{ c->channels_kept, "channel keeps its name, topic or state from here",
		  "channels keep their name, topic or state from here" },
		{ c->people_kept, "person left Slack, but signed in here: left alone",
		  "people left Slack, but signed in here: left alone" },
		{ c->deactivated, "account of somebody who left Slack deactivated",
		  "accounts of people who left Slack deactivated" },
		{ c->channels_older, "channel was imported from a newer archive before: only what was missing",
		  "channels were imported from a newer archive before: only what was missing" },
	};
	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		if (ROWS[i].n == 0)
			continue;
		label(l, "");
		things(l, ROWS[i].n, pick(ROWS[i].n, ROWS[i].one, ROWS[i].many));
		line(l);
	}
}

static void say_bodies(struct lines *l, const struct report_bodies *n)
{
	if (n->files + n->missing == 0)
		return;
	label(l, "files");
	things(l, n->files, "stored (");
	ark_human_bytes(&l->b, n->bytes);
	ark_buf_z(&l->b, "), ");
	things(l, n->missing, "missing");
	line(l);
}

static void say_counts(struct lines *l, const struct import_report *r)
{
	const struct load_count *c = &r->total;
	label(l, "read");
	things(l, c->read, pick(c->read, "message", "messages"));
	line(l);
	label(l, r->check ? "to write" : "written");
	things(l, c->written, "as ");
	things(l, c->posts, pick(c->posts, "post", "posts"));
	also(l, c->replies, pick(c->replies, "reply", "replies"));
	also(l, c->reactions, pick(c->reactions, "reaction", "reactions"));
	also(l, c->files, pick(c->files, "file", "files"));
	also(l, c->pins, pick(c->pins, "pin", "pins"));
	line(l);
	say_bodies(l, &r->bodies);
	if (!r->changes.known)
		return;
	label(l, "");
	things(l, r->changes.added, "new, ");
	things(l, r->changes.updated, "updated, ");
	things(l, r->changes.same, "unchanged");
	also(l, r->changes.kept, "changed in Mattermost and left alone");
	line(l);
	say_left_alone(l, &r->changes);
}

/* The reason to name next, -1 when none is left: losses first, then the most frequent. */
static int next_reason(const struct load_count *c, const bool done[SKIP_COUNT])
{
	int best = -1;
	for (int i = 0; i < SKIP_COUNT; i++) {
		if (done[i] || c->skipped[i] == 0)
			continue;
		int lost = skip_is_loss((enum skip_reason)i);
		int best_lost = best >= 0 && skip_is_loss((enum skip_reason)best);
		if (best < 0 || lost > best_lost ||
		    (lost == best_lost && c->skipped[i] > c->skipped[best]))
			best = i;
	}
	return best;
}

static void say_reasons(struct lines *l, const struct load_count *c)
{
	bool done[SKIP_COUNT] = { false };
	uint64_t rest = load_count_skipped(c);
	label(l, "left out");
	ark_human_count(&l->b, rest);
	line(l);
	for (int shown = 0; rest > 0 && shown < REASONS_SHOWN; shown++) {
		int most = next_reason(c, done);
		if (most < 0)
			break;
		done[most] = true;
		rest -= c->skipped[most];
		size_t from = l->b.len;
		ark_human_count(&l->b, c->skipped[most]);
		char number[32];
		snprintf(number, sizeof(number), "%s", l->b.data + from);
		ark_buf_cut(&l->b, from);
		ark_buf_fmt(&l->b, "%12s  %s: %s%s", number, skip_name((enum skip_reason)most),
		            skip_text((enum skip_reason)most),
		            skip_is_loss((enum skip_reason)most) ? " (lost)" : "");
		line(l);
	}
	if (rest > 0) {
		label(l, "");
		things(l, rest, "for other reasons");
		line(l);
	}
}

static void say_workspaces(struct lines *l, const struct import_report *r)
{
	for (uint32_t i = 0; i < r->workspaces_count; i++) {
		const struct report_workspace *w = &r->workspaces[i];
		label(l, i == 0 ? "teams" : "");
		ark_buf_str(&l->b, w->folder);
		if (ark_str_has(w->id)) {
			ark_buf_z(&l->b, " (");
			ark_buf_str(&l->b, w->id);
			ark_buf_c(&l->b, ')');
		}
		ark_buf_fmt(&l->b, " into '%.*s'", ARK_FMT(w->team));
		line(l);
	}
}

static void say_places(struct lines *l, const struct import_report *r)
{
	struct report_people_counts n = report_count_people(r);
	uint64_t types[128] = { 0 };
	for (uint32_t i = 0; i < r->channels_count; i++)
		types[(unsigned char)r->channels[i].type & 127]++;
	label(l, "people");
	things(l, n.status[REPORT_MATCHED], "matched, ");
	things(l, n.status[REPORT_CREATED], r->check ? "to create" : "created");
	also(l, n.status[REPORT_BOT], pick(n.status[REPORT_BOT], "bot", "bots"));
	also(l, n.status[REPORT_PLACEHOLDER],
	     pick(n.status[REPORT_PLACEHOLDER], "placeholder", "placeholders"));
	also(l, n.status[REPORT_MERGED], "merged with others");
	line(l);
	label(l, "channels");
	things(l, types['O'], "public, ");
	things(l, types['P'], "private, ");
	things(l, types['D'] + types['G'], "direct");
	also(l, types[0], "left out");
	line(l);
}

/* One more thing to decide, on this line or the next one. */
static void decide(struct lines *l, uint64_t n, const char *what)
{
	if (n == 0)
		return;
	ark_auto(ark_buf_release) struct ark_buf item;
	ark_buf_init(&item, LIMIT_TALK);
	ark_human_count(&item, n);
	ark_buf_fmt(&item, " %s", what);
	if (l->b.len > LABEL && l->b.len + item.len + 2 > COLUMNS) {
		ark_buf_c(&l->b, ',');
		line(l);
		label(l, "");
	} else if (l->b.len > LABEL) {
		ark_buf_z(&l->b, ", ");
	} else {
		label(l, "decide");
	}
	ark_buf_str(&l->b, ark_buf_view(&item));
}

static void say_attention(struct lines *l, const struct import_report *r)
{
	struct report_people_counts n = report_count_people(r);
	uint64_t orphans = 0;
	for (uint32_t i = 0; i < r->channels_count; i++)
		orphans += report_channel_orphan(&r->channels[i]);
	decide(l, orphans,
	       pick(orphans, "private channel without a live member",
	            "private channels without a live member"));
	decide(l, n.admins,
	       pick(n.admins, "administrator of Slack without rights here",
	            "administrators of Slack without rights here"));
	decide(l, n.mailless, pick(n.mailless, "person without e-mail", "people without e-mail"));
	decide(l, n.guests_deactivated,
	       pick(n.guests_deactivated, "guest deactivated", "guests deactivated"));
	decide(l, r->team_people > REPORT_TEAM_MAX ? r->team_people : 0,
	       "people in the team (default limit 50)");
	decide(l, r->active_users > REPORT_ACTIVE_MAX ? r->active_users : 0,
	       "active users (limit without a licence: 250)");
	if (l->b.len > 0)
		line(l);
}

static void say_time(struct lines *l, const struct import_report *r)
{
	if (r->duration_ms <= 0)
		return;
	label(l, "time");
	if (r->duration_ms < 60000)
		ark_buf_fmt(&l->b, "%.2f s", (double)r->duration_ms / 1000.0);
	else
		ark_human_duration(&l->b, r->duration_ms);
	also(l, r->total.read * 1000 / (uint64_t)r->duration_ms, "messages per second");
	line(l);
}

static void send_summary(const struct import_report *r, const char *folder, struct ark_talk *talk)
{
	const struct load_count *c = &r->total;
	struct report_people_counts n = report_count_people(r);
	struct ark_event e;
	ark_event_begin(&e, "summary", r->check ? "check.summary" : "import.summary");
	ark_event_text(&e, "run", r->run);
	ark_event_u64(&e, "read", c->read);
	ark_event_u64(&e, "written", c->written);
	ark_event_u64(&e, "skipped", load_count_skipped(c));
	ark_event_open(&e, "skipped_by_reason");
	for (int i = 0; i < SKIP_COUNT; i++)
		if (c->skipped[i] > 0)
			ark_event_u64(&e, skip_name((enum skip_reason)i), c->skipped[i]);
	ark_event_close(&e);
	ark_event_u64(&e, "lost", import_report_lost(r));
	ark_event_u64(&e, "damaged_entries", import_report_damage(r));
	ark_event_bool(&e, "adds_up", load_count_holds(c));
	ark_event_u64(&e, "posts", c->posts);
	ark_event_u64(&e, "replies", c->replies);
	ark_event_u64(&e, "reactions", c->reactions);
	ark_event_u64(&e, "pins", c->pins);
	ark_event_u64(&e, "files", c->files);
	if (r->bodies.known) {
		ark_event_u64(&e, "files_stored", r->bodies.files);
		ark_event_u64(&e, "files_bytes", r->bodies.bytes);
		ark_event_u64(&e, "files_missing", r->bodies.missing);
	}
	if (r->changes.known) {
		ark_event_u64(&e, "added", r->changes.added);
		ark_event_u64(&e, "updated", r->changes.updated);
		ark_event_u64(&e, "same", r->changes.same);
		ark_event_u64(&e, "kept", r->changes.kept);
		ark_event_u64(&e, "kept_deleted", r->changes.kept_deleted);
		ark_event_u64(&e, "adopted", r->changes.adopted);
		ark_event_u64(&e, "orphaned", r->changes.orphaned);
		ark_event_u64(&e, "channels_kept", r->changes.channels_kept);
		ark_event_u64(&e, "people_kept", r->changes.people_kept);
		ark_event_u64(&e, "channels_older", r->changes.channels_older);
		ark_event_u64(&e, "people_deactivated", r->changes.deactivated);
	}
	ark_event_u64(&e, "channels", r->channels_count);
	for (int i = 0; i < REPORT_STATUS_COUNT; i++)
		if (i != REPORT_MERGED || n.status[i] > 0)
			ark_event_u64(&e, report_status_name((enum report_status)i), n.status[i]);
	ark_event_i64(&e, "duration_ms", r->duration_ms);
	if (r->phases_count > 0)
		ark_event_open(&e, "phases_ms");
	for (uint32_t i = 0; i < r->phases_count; i++) {
		ark_auto(ark_freep) char *name = ark_strdup(r->phases[i].name);
		ark_event_i64(&e, name, r->phases[i].ms);
	}
	if (r->phases_count > 0)
		ark_event_close(&e);
	ark_event_text(&e, "report", ark_str_z(folder));
	ark_event_send(&e, talk);
}

void import_report_say(const struct import_report *r, const char *folder, struct ark_talk *talk)
{
	if (talk->json) {
		send_summary(r, folder, talk);
		return;
	}
	struct lines l = { .talk = talk,
		           .result = r->check,
		           .msgid = r->check ? "check.summary" : "import.summary" };
	ark_buf_init(&l.b, SIZE_MAX / 2);
	say_counts(&l, r);
	say_reasons(&l, &r->total);
	if (!load_count_holds(&r->total))
		ark_warn(talk, "import.sum", "the numbers do not add up: a fault of this program");
	say_workspaces(&l, r);
	say_places(&l, r);
	say_attention(&l, r);
	say_time(&l, r);
	if (folder != NULL) {
		label(&l, "report");
		ark_buf_fmt(&l.b, "%s/" REPORT_HTML, folder);
		line(&l);
	}
	ark_buf_release(&l.b);
}
