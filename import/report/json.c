/* report.json: everything the report knows. Keys are stable; new ones may come. */
#include "common/json/out.h"

#include "import/report/private.h"

#include "common/base/banned.h"

static void write_counts(struct json_out *o, const struct load_count *c, bool all_reasons)
{
	json_out_u64(o, "read", c->read);
	json_out_u64(o, "written", c->written);
	json_out_u64(o, "skipped", load_count_skipped(c));
	json_out_open(o, "skipped_by_reason");
	for (int i = 0; i < SKIP_COUNT; i++)
		if (all_reasons || c->skipped[i] > 0)
			json_out_u64(o, skip_name((enum skip_reason)i), c->skipped[i]);
	json_out_close(o);
	json_out_u64(o, "posts", c->posts);
	json_out_u64(o, "replies", c->replies);
	json_out_u64(o, "reactions", c->reactions);
	json_out_u64(o, "pins", c->pins);
	json_out_u64(o, "files", c->files);
	json_out_u64(o, "placeholders", c->placeholders);
	json_out_u64(o, "parts", c->parts);
}

static void write_run(struct json_out *o, const struct import_report *r)
{
	json_out_u64(o, "version", REPORT_FORMAT_VERSION);
	json_out_text(o, "mode", r->check ? ARK_LIT("check") : ARK_LIT("import"));
	json_out_text(o, "tool_version", r->tool_version);
	json_out_text(o, "run", r->run);
	json_out_time(o, "start", r->start_ms);
	json_out_time(o, "end", r->end_ms);
	json_out_seconds(o, "seconds", r->duration_ms);
	json_out_text(o, "workspace", r->workspace);
	json_out_open(o, "team");
	json_out_text(o, "name", r->team);
	json_out_text(o, "display_name", r->team_display);
	json_out_close(o);
	json_out_open(o, "database");
	json_out_text(o, "host", r->database_host);
	json_out_text(o, "name", r->database_name);
	json_out_text(o, "server_version", r->server_version);
	json_out_bool(o, "new", r->database_new);
	json_out_close(o);
	json_out_text(o, "file_store", r->files_place);
}

static void write_workspaces(struct json_out *o, const struct import_report *r)
{
	json_out_open_list(o, "workspaces");
	for (uint32_t i = 0; i < r->workspaces_count; i++) {
		json_out_open(o, NULL);
		json_out_text(o, "folder", r->workspaces[i].folder);
		json_out_text(o, "id", r->workspaces[i].id);
		json_out_text(o, "team", r->workspaces[i].team);
		json_out_close(o);
	}
	json_out_close(o);
}

static void write_archives(struct json_out *o, const struct import_report *r)
{
	json_out_open_list(o, "archives");
	for (uint32_t i = 0; i < r->archives_count; i++) {
		const struct report_archive *a = &r->archives[i];
		json_out_open(o, NULL);
		json_out_text(o, "name", a->name);
		json_out_time(o, "newest_message", a->newest_ms);
		json_out_u64(o, "entries", a->entries);
		json_out_u64(o, "day_files", a->day_files);
		json_out_u64(o, "body_files", a->body_files);
		json_out_u64(o, "other_files", a->other_files);
		json_out_u64(o, "unsafe_names", a->unsafe_names);
		json_out_u64(o, "bad_entries", a->bad_entries);
		json_out_u64(o, "list_damage", a->list_damage);
		json_out_bool(o, "users_list", a->has_users);
		json_out_close(o);
	}
	json_out_close(o);
	json_out_u64(o, "folder_clashes", r->folder_clashes);
}

static void write_totals(struct json_out *o, const struct import_report *r)
{
	json_out_open(o, "totals");
	write_counts(o, &r->total, true);
	json_out_u64(o, "lost", import_report_lost(r));
	json_out_bool(o, "adds_up", load_count_holds(&r->total));
	json_out_u64(o, "reactions_without_picture", r->reactions_invisible);
	json_out_u64(o, "reactions_without_name", r->reactions_cut);
	json_out_close(o);
	if (!r->changes.known) {
		json_out_null(o, "changes");
		return;
	}
	json_out_open(o, "changes");
	json_out_u64(o, "added", r->changes.added);
	json_out_u64(o, "updated", r->changes.updated);
	json_out_u64(o, "same", r->changes.same);
	json_out_u64(o, "kept", r->changes.kept);
	json_out_u64(o, "kept_deleted", r->changes.kept_deleted);
	json_out_u64(o, "adopted", r->changes.adopted);
	json_out_u64(o, "orphaned", r->changes.orphaned);
	json_out_u64(o, "channels_kept", r->changes.channels_kept);
	json_out_u64(o, "people_kept", r->changes.people_kept);
	json_out_u64(o, "channels_older", r->changes.channels_older);
	json_out_u64(o, "people_deactivated", r->changes.deactivated);
	json_out_close(o);
}

static void write_channel(struct json_out *o, const struct report_channel *c)
{
	json_out_open(o, NULL);
	json_out_text(o, "slack_id", c->slack_id);
	json_out_text(o, "slack_name", c->slack_name);
	json_out_text(o, "name", c->name);
	json_out_text(o, "display_name", c->display);
	json_out_text(o, "team", c->team);
	json_out_text(o, "type",
	              c->type != 0 ? ark_str_z(report_type_name(c->type)) : ARK_STR_NONE);
	json_out_text(o, "left_out",
	              c->left_out == SKIP_NONE ? ARK_STR_NONE : ark_str_z(skip_name(c->left_out)));
	json_out_bool(o, "existed", c->existed);
	json_out_bool(o, "archived", c->archived);
	json_out_u64(o, "members", c->members);
	json_out_u64(o, "members_live", c->members_live);
	json_out_time(o, "first_message", c->first_ms);
	json_out_time(o, "last_message", c->last_ms);
	write_counts(o, &c->count, false);
	json_out_close(o);
}

static void write_channels(struct report_file *f, struct json_out *o, const struct import_report *r)
{
	json_out_open_list(o, "channels");
	for (uint32_t i = 0; i < r->channels_count; i++) {
		write_channel(o, &r->channels[i]);
		report_file_drain(f);
	}
	json_out_close(o);
	json_out_open_list(o, "private_channels_without_members");
	for (uint32_t i = 0; i < r->channels_count; i++) {
		const struct report_channel *c = &r->channels[i];
		if (!report_channel_orphan(c))
			continue;
		json_out_open(o, NULL);
		json_out_text(o, "slack_name", c->slack_name);
		json_out_text(o, "name", c->name);
		json_out_bool(o, "archived", c->archived);
		json_out_u64(o, "written", c->count.written);
		json_out_close(o);
		report_file_drain(f);
	}
	json_out_close(o);
}

static bool is_admin(const struct report_person *p)
{
	return (p->admin || p->owner) && !p->deleted;
}

static bool is_mailless(const struct report_person *p)
{
	return p->mailless;
}

static void write_list(struct report_file *f, struct json_out *o, const struct import_report *r,
                       const char *key, bool (*wanted)(const struct report_person *))
{
	json_out_open_list(o, key);
	for (uint32_t i = 0; i < r->people_count; i++) {
		const struct report_person *p = &r->people[i];
		if (!wanted(p))
			continue;
		json_out_open(o, NULL);
		json_out_text(o, "slack_id", p->slack_id);
		json_out_text(o, "username", p->username);
		json_out_text(o, "slack_name", p->slack_name);
		json_out_text(o, "real_name", p->real_name);
		json_out_text(o, "status", ark_str_z(report_status_name(p->status)));
		json_out_bool(o, "owner", p->owner);
		json_out_close(o);
		report_file_drain(f);
	}
	json_out_close(o);
}

static void write_people(struct report_file *f, struct json_out *o, const struct import_report *r)
{
	struct report_people_counts n = report_count_people(r);
	json_out_open(o, "people");
	json_out_u64(o, "accounts", r->people_count);
	for (int i = 0; i < REPORT_STATUS_COUNT; i++)
		json_out_u64(o, report_status_name((enum report_status)i), n.status[i]);
	json_out_u64(o, "deactivated", n.deactivated);
	json_out_u64(o, "guests", n.guests);
	json_out_u64(o, "without_account", r->people_without_account);
	write_list(f, o, r, "administrators", is_admin);
	write_list(f, o, r, "guests_deactivated", report_guest_shut_out);
	write_list(f, o, r, "without_address", is_mailless);
	json_out_close(o);
}

static void write_limit(struct json_out *o, const char *key, uint64_t have, uint64_t limit)
{
	json_out_open(o, key);
	json_out_u64(o, "have", have);
	json_out_u64(o, "limit", limit);
	json_out_bool(o, "passed", have > limit);
	json_out_close(o);
}

static void write_files(struct json_out *o, const struct import_report *r,
                        const struct report_missing *missing)
{
	json_out_open(o, "files");
	json_out_u64(o, "attached", r->total.files);
	if (r->bodies.known) {
		json_out_u64(o, "stored", r->bodies.files);
		json_out_u64(o, "stored_bytes", r->bodies.bytes);
		json_out_u64(o, "without_preview", r->bodies.unpainted);
		json_out_u64(o, "emoji", r->bodies.emoji);
		json_out_u64(o, "avatars", r->bodies.avatars);
	}
	json_out_u64(o, "missing", missing->total);
	json_out_open_list(o, "missing_by_reason");
	for (uint32_t i = 0; i < missing->reasons->count; i++) {
		json_out_open(o, NULL);
		json_out_text(o, "reason", ark_map_key(missing->reasons, i));
		json_out_u64(o, "files", missing->counts[i]);
		json_out_close(o);
	}
	json_out_close(o);
	json_out_close(o);
}

static void write_times(struct json_out *o, const struct import_report *r)
{
	json_out_open_list(o, "months");
	for (uint32_t i = 0; i < r->months_count; i++) {
		ark_auto(ark_buf_release) struct ark_buf month;
		ark_buf_init(&month, 64);
		report_month(&month, r->months[i].month);
		json_out_open(o, NULL);
		json_out_text(o, "month", ark_buf_view(&month));
		json_out_u64(o, "messages", r->months[i].messages);
		json_out_close(o);
	}
	json_out_close(o);
	json_out_open_list(o, "phases");
	for (uint32_t i = 0; i < r->phases_count; i++) {
		json_out_open(o, NULL);
		json_out_text(o, "name", r->phases[i].name);
		json_out_seconds(o, "seconds", r->phases[i].ms);
		json_out_close(o);
	}
	json_out_close(o);
	json_out_open_list(o, "warnings");
	for (uint32_t i = 0; i < r->warnings_count; i++)
		json_out_text(o, NULL, r->warnings[i]);
	json_out_close(o);
}

void report_write_json(struct report_file *f, const struct import_report *r,
                       const struct report_missing *missing)
{
	struct json_out o;
	json_out_begin(&o, &f->text, true);
	json_out_open(&o, NULL);
	json_out_text(&o, "format", ARK_LIT(REPORT_FORMAT)); /* first: REPORT_MARK */
	write_run(&o, r);
	write_workspaces(&o, r);
	write_archives(&o, r);
	write_totals(&o, r);
	write_channels(f, &o, r);
	write_people(f, &o, r);
	json_out_open(&o, "limits");
	write_limit(&o, "people_in_team", r->team_people, REPORT_TEAM_MAX);
	write_limit(&o, "active_users", r->active_users, REPORT_ACTIVE_MAX);
	json_out_close(&o);
	write_files(&o, r, missing);
	write_times(&o, r);
	json_out_end(&o);
}
