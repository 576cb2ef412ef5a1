#include "import/app.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/time.h"
#include "common/cli/human.h"
#include "common/cli/render.h"
#include "common/cli/signal.h"
#include "common/mm/api.h"
#include "import/files.h"
#include "import/server.h"
#include "import/slack/grid.h"
#include "import/slack/survey.h"
#include "import/translate/names.h"

#include "common/base/banned.h"

void app_release(struct app *a)
{
	if (a->bar_runs)
		ark_progress_end(&a->bar);
	import_report_close(a->report);
	if (a->loaded)
		load_release(&a->l);
	slack_export_release(&a->x);
	mapfile_release(&a->users);
	mapfile_release(&a->team_map);
	store_close(a->store);
	mm_api_close(a->api);
	mm_place_release(&a->place);
	ark_pool_release(&a->strings);
}

static void warn(struct app *a, const char *msgid, const char *text)
{
	ark_warn(a->talk, msgid, "%s", text);
	if (a->warnings_count < sizeof(a->warnings) / sizeof(a->warnings[0]))
		a->warnings[a->warnings_count++] = ark_pool_str(&a->strings, ark_str_z(text));
}

/* ---- where to ---- */

/* For an import the embedded database is meant when nothing is said; commands that only read never
 * make one up. */
static struct mm_place_how how(bool writes)
{
	return (struct mm_place_how){ .app = "matter-import", .writes = writes, .embedded_default = writes,
		                      .create = writes, .has_files = true, .interrupted = ark_interrupted };
}

/* Before archives are read: contradictions on the command line are told at once. */
enum ark_rc app_choose_database(struct app *a, bool writes, struct ark_err *err)
{
	struct mm_place_how h = how(writes);
	return mm_place_find(&a->place, &a->config->place, a->args, &h, err);
}

enum ark_rc app_open_database(struct app *a, struct ark_err *err)
{
	if (a->place.by_default)
		ark_info(a->talk, "import.embedded", "nothing names a database: using the embedded one in %s",
		         db_embedded_default_dir());
	return mm_place_open(&a->place, NULL, err);
}

/* --show-config: what was found out beside what was said. */
void app_show_config(struct app *a)
{
	ark_show_config(a->args, a->config, a->talk);
	struct mm_place_how h = how(ark_args_command(a->args) == COMMAND_SLACK);
	if (ark_args_command(a->args) != COMMAND_CHECK)
		mm_place_show(&a->config->place, a->args, &h, a->talk);
}

/* Letters, digits, dashes and dots between them. */
static bool domain_valid(struct ark_str s)
{
	if (s.len == 0 || s.len > 100 || s.ptr[0] == '.' || s.ptr[s.len - 1] == '.')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || (c == '.' && s.ptr[i - 1] != '.')))
			return false;
	}
	return true;
}

static bool channel_valid(struct ark_str name)
{
	ark_auto(ark_buf_release) struct ark_buf cleaned;
	ark_buf_init(&cleaned, 4096);
	name_channel(name, ARK_LIT("x"), &cleaned);
	return ark_str_eq(ark_buf_view(&cleaned), name);
}

/* ---- the archives ---- */

static void on_damage(void *ctx, uint32_t source, const char *file, uint64_t offset, uint64_t len,
                      const char *why)
{
	struct app *a = ctx;
	char text[512];
	snprintf(text, sizeof(text), "%s: '%s': entry at byte %llu (%llu bytes) skipped: %s",
	         a->x.sources[source].path, file, (unsigned long long)offset, (unsigned long long)len, why);
	warn(a, "import.list_damage", text);
}

/* Only the export of an organisation tells by itself which teams there are. */
static enum ark_rc need_team(const struct app *a, struct ark_err *err)
{
	size_t command = ark_args_command(a->args);
	bool needed = (command == COMMAND_SLACK || command == COMMAND_VERIFY || command == COMMAND_BULK) && !a->x.grid;
	if (a->config->team != NULL || !needed)
		return ARK_OK;
	ark_err_set(err, ARK_KIND_USAGE, "option '--team NAME' is missing");
	ark_err_hint(err, "the URL name of the team that receives everything");
	return ARK_FAIL;
}

enum ark_rc app_open_archives(struct app *a, struct ark_err *err)
{
	const struct ark_list *list = &a->args->operands;
	ark_info(a->talk, "import.open", "reading the lists of %s%s", list->items[0],
	         list->count > 1 ? " and others" : "");
	for (size_t i = 0; i < list->count; i++) {
		struct stat st;
		if (stat(list->items[i], &st) == 0 && S_ISREG(st.st_mode))
			a->archive_bytes += (uint64_t)st.st_size;
	}
	slack_export_init(&a->x);
	a->x.on_damage = on_damage;
	a->x.on_damage_ctx = a;
	enum ark_rc rc = slack_export_open(&a->x, (char *const *)(uintptr_t)list->items,
	                                   (uint32_t)list->count, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < a->x.sources_count; i++) {
		const struct slack_source *s = &a->x.sources[i];
		char text[512];
		if (s->unsafe_names > 0) {
			snprintf(text, sizeof(text), "%s: %llu entries with names that lead elsewhere were left alone",
			         s->path, (unsigned long long)s->unsafe_names);
			warn(a, "import.unsafe_names", text);
		}
		if (s->bad_entries > 0) {
			snprintf(text, sizeof(text), "%s: %llu entries have a header that cannot be read", s->path,
			         (unsigned long long)s->bad_entries);
			warn(a, "import.bad_entries", text);
		}
		if (!s->has_users) {
			snprintf(text, sizeof(text), "%s: no users.json: people are named after their messages", s->path);
			warn(a, "import.no_users", text);
		}
	}
	if (a->x.day_files == 0)
		warn(a, "import.no_messages", "the archive holds no messages");
	if ((rc = need_team(a, err)) < 0)
		return rc;
	ark_info(a->talk, "import.lists", "%u people, %u conversations, %llu day files", a->x.people.count,
	         a->x.convs.count, (unsigned long long)a->x.day_files);
	return ARK_OK;
}

/* What is said about people, before anything of the archive is read. */
enum ark_rc app_people(struct app *a, struct ark_err *err)
{
	const struct import_config *c = a->config;
	if (ark_args_given(a->args, "auth-data") && c->default_auth == AUTH_NONE) {
		ark_err_set(err, ARK_KIND_USAGE, "--auth-data says nothing without --default-auth");
		ark_err_hint(err, "add --default-auth ldap or saml");
		return ARK_FAIL;
	}
	if (c->into_channel != NULL && !channel_valid(ark_str_z(c->into_channel))) {
		ark_err_set(err, ARK_KIND_USAGE, "--into-channel: '%s' is no name that Mattermost takes for a channel",
		            c->into_channel);
		return ARK_FAIL;
	}
	if (c->email_domain != NULL && !domain_valid(ark_str_z(c->email_domain))) {
		ark_err_set(err, ARK_KIND_USAGE, "--email-domain: '%s' is no domain", c->email_domain);
		return ARK_FAIL;
	}
	if (c->email_domain != NULL) {
		char text[512];
		snprintf(text, sizeof(text), "people without an address get one at %s: whoever reads its mail can take "
		                             "these accounts over", c->email_domain);
		warn(a, "import.email_domain", text);
	}
	enum ark_rc rc = ARK_OK;
	if (c->users != NULL)
		rc = mapfile_read(c->users, "slack_id", "mattermost_username", &a->users, err);
	if (rc == ARK_OK && c->team_map != NULL)
		rc = mapfile_read(c->team_map, "workspace", "team", &a->team_map, err);
	return rc;
}

/* ---- callbacks of the loader ---- */

static void on_phase(void *ctx, enum load_phase phase, const char *text, size_t steps)
{
	struct app *a = ctx;
	(void)phase;
	ark_progress_phase(&a->bar, text, steps > 0 ? "steps" : NULL, steps, 0);
	ark_info(a->talk, "import.phase", "%s", text);
}

static void on_step(void *ctx)
{
	struct app *a = ctx;
	ark_progress_add(&a->bar, 1, 0);
}

/* The database is at work: the clock of the line goes on. */
static void on_wait(void *ctx)
{
	struct app *a = ctx;
	ark_progress_tick(&a->bar);
}

static void on_say(void *ctx, const char *msgid, const char *text)
{
	struct app *a = ctx;
	if (strcmp(msgid, "import.schema") == 0)
		warn(a, msgid, text);
	else
		ark_info(a->talk, msgid, "%s", text);
}

static void on_load_warn(void *ctx, const char *msgid, const char *text)
{
	warn(ctx, msgid, text);
}

static void on_load_note(void *ctx, const char *msgid, const char *text)
{
	struct app *a = ctx;
	ark_info(a->talk, msgid, "%s", text);
}

static enum ark_rc on_tick(void *ctx, uint64_t messages, uint64_t bytes, struct ark_err *err)
{
	struct app *a = ctx;
	ark_progress_add(&a->bar, messages, bytes);
	return ark_interrupt_check(err);
}

static void on_missing(void *ctx, struct ark_str id, struct ark_str name, uint32_t conv, int64_t ts_us,
                       const char *reason)
{
	struct app *a = ctx;
	const struct slack_conv *c = &a->x.convs.list[conv];
	if (reason == NULL && ark_map_get(&a->x.bodies, id) != ARK_MAP_NONE)
		return; /* its body comes along */
	import_report_missing(a->report, id, name, ark_str_has(c->name) ? c->name : c->id, ts_us,
	                      ark_str_z(reason != NULL ? reason : "its body is not in the archive"));
}

struct load_job app_job(struct app *a)
{
	const struct import_config *c = a->config;
	struct load_job job = {
		.x = &a->x,
		.set = { .team = c->team != NULL || a->x.grid ? c->team : "check",
		         .team_map = c->team_map != NULL ? &a->team_map : NULL,
		         .team_display = c->team_name,
		         .email_domain = c->email_domain,
		         .guests = (enum load_guests)c->guests,
		         .users = c->users != NULL ? &a->users : NULL,
		         .merge_by_email = c->merge_by_email,
		         .auth = (enum load_auth)c->default_auth,
		         .auth_data = (enum load_auth_data)c->auth_data,
		         .admins = c->admins.items,
		         .admins_count = c->admins.count,
		         .password_file = c->password_file,
		         .into_channel = c->into_channel,
		         .merge_general = c->general == GENERAL_MERGE,
		         .no_direct = c->no_direct,
		         .channels = c->channels.count > 0 ? c->channels.items : NULL,
		         .channels_count = c->channels.count,
		         .overwrite = c->overwrite,
		         .adopt = c->adopt,
		         .temp_dir = c->temp_dir,
		         .memory_bytes = c->memory },
		.translate = { .no_joins = c->no_joins,
		               .skip_bots = c->bots == 1,
		               .since_us = c->since.has ? c->since.ms * 1000 : 0,
		               .until_us = c->until.has ? c->until.ms * 1000 : 0 },
		.dsn = a->place.dsn.data,
		.maintenance_db = c->maintenance_db,
		.workspace = c->workspace,
		.owner = c->owner,
		.tool = "matter-import " MATTERARK_VERSION,
		.create_schema = c->create_schema || a->place.embedded != NULL,
		.create_team = c->create_team || a->place.embedded != NULL,
		.dry_run = c->dry_run,
		.force = c->force,
		.indexes = (enum load_indexes)c->indexes,
		.db = { .app = "matter-import", .interrupted = ark_interrupted, .waiting = on_wait, .waiting_ctx = a },
		.phase = on_phase,
		.step = on_step,
		.say = on_say,
		.tick = on_tick,
		.files = files_bring,
		.ctx = a,
	};
	return job;
}

/* Reactions, threads and large channels wait in temporary files: about as much as the messages' own
 * text (measured: 0.4 to 0.8 of it). Said before it is needed. */
static void say_need(struct app *a)
{
	struct statvfs fs;
	if (a->x.day_bytes < 64u << 20 || statvfs(a->config->temp_dir, &fs) != 0)
		return;
	uint64_t avail = (uint64_t)fs.f_bavail * fs.f_frsize;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 8192);
	ark_buf_z(&text, "up to ");
	ark_human_bytes(&text, a->x.day_bytes);
	ark_buf_fmt(&text, " of temporary files in %s, where ", a->config->temp_dir);
	ark_human_bytes(&text, avail);
	ark_buf_z(&text, " are free");
	if (avail < a->x.day_bytes)
		warn(a, "import.temp_space", text.data);
	else
		ark_info(a->talk, "import.temp_space", "%s", text.data);
}

/* Everything up to the first message: the archive is known, the progress line runs. */
enum ark_rc app_begin(struct app *a, const char *phase, struct ark_err *err)
{
	say_need(a);
	ark_progress_begin(&a->bar, a->talk);
	a->bar_runs = true;
	bool names_first = ark_args_command(a->args) == COMMAND_BULK; /* lines cannot be mended later */
	if ((names_first || !ark_str_has(slack_people_team(&a->x.people))) && a->x.day_files > 0) {
		ark_progress_phase(&a->bar, "looking for names", "messages", 0, a->x.day_bytes);
		enum ark_rc rc = slack_survey(&a->x, on_tick, a, err);
		if (rc < 0)
			return rc;
	}
	if (a->x.grid) {
		ark_progress_phase(&a->bar, "looking for workspaces", "messages", 0, a->x.day_bytes);
		enum ark_rc rc = slack_grid_settle(&a->x, on_tick, a, err);
		if (rc < 0)
			return rc;
	}
	load_init(&a->l, &a->x);
	a->loaded = true;
	a->l.report.on_warn = on_load_warn;
	a->l.report.on_note = on_load_note;
	a->l.report.on_warn_ctx = a;
	if (a->report != NULL) {
		import_report_export(a->report, &a->x);
		a->l.report.on_skip = import_report_skip;
		a->l.report.on_skip_ctx = a->report;
		if (a->config->dry_run || ark_args_command(a->args) == COMMAND_CHECK) {
			a->l.report.on_missing = on_missing;
			a->l.report.on_missing_ctx = a;
		}
	}
	ark_progress_phase(&a->bar, phase, "messages", 0, a->x.day_bytes);
	return ARK_OK;
}

void app_end_bar(struct app *a)
{
	ark_progress_end(&a->bar);
	a->bar_runs = false;
}

/* ---- the end of a run ---- */

static void warn_subtypes(struct app *a)
{
	const struct ark_map *odd = &a->l.report.odd_subtypes;
	for (uint32_t i = 0; i < odd->count; i++) {
		struct ark_str name = ark_map_key(odd, i);
		bool lost = ark_str_eqz(name, "ekm_access_denied");
		char text[256];
		snprintf(text, sizeof(text), lost ? "messages with a notice instead of their content (%.*s): %u"
		                                  : "messages of the unknown kind '%.*s', taken as text: %u",
		         ARK_FMT(name), odd->entries[i].value);
		warn(a, lost ? "import.content_lost" : "import.unknown_subtype", text);
	}
}

enum ark_rc app_tell(struct app *a, const struct load_outcome *out, bool check, uint64_t *lost,
                        struct ark_err *err)
{
	static const char *const PHASES[PHASE_COUNT] = { "read, translate, copy", "merge", "indexes",
		                                         "finish" };
	warn_subtypes(a);
	struct report_phase phases[PHASE_COUNT];
	for (int i = 0; i < PHASE_COUNT; i++)
		phases[i] = (struct report_phase){ ark_str_z(PHASES[i]), out->phase_ms[i] };
	ark_auto(import_report_release) struct import_report r = { 0 };
	import_report_from_load(&a->l, &r);
	r.check = check || a->config->dry_run;
	if (a->config->team == NULL)
		r.team = ARK_STR_NONE;
	r.tool_version = ARK_LIT(MATTERARK_VERSION);
	r.database_host = ark_str_z(out->host);
	r.database_name = ark_str_z(out->database);
	r.database_new = out->created_database;
	r.end_ms = ark_time_now_ms();
	r.duration_ms = r.end_ms - a->l.start_ms;
	r.warnings = a->warnings;
	r.warnings_count = a->warnings_count;
	if (a->config->profile) {
		r.phases = phases;
		r.phases_count = PHASE_COUNT;
	}
	if (!check && (!out->first_import || a->config->adopt)) {
		r.changes = (struct report_changes){ .known = true, .added = out->posts_new,
			                             .updated = out->posts_updated, .kept = out->posts_kept,
			                             .kept_deleted = out->kept_deleted + out->kept_purged,
			                             .adopted = out->posts_adopted,
			                             .orphaned = out->posts_orphaned,
			                             .channels_kept = out->channels_kept,
			                             .people_kept = out->users_kept,
			                             .channels_older = out->channels_older,
			                             .deactivated = out->users_deactivated };
		uint64_t other = out->posts_new + out->posts_updated + out->posts_kept + out->posts_orphaned;
		r.changes.same = a->l.report.total.posts > other ? a->l.report.total.posts - other : 0;
	}
	if (!check && !a->config->dry_run && a->store != NULL)
		r.bodies = (struct report_bodies){ .known = true, .files = a->fetched.kept.files,
			                           .bytes = a->fetched.kept.bytes, .missing = a->missing.files,
			                           .unpainted = a->fetched.kept.unpainted,
			                           .emoji = a->pictures.emoji, .avatars = a->pictures.avatars };
	*lost = import_report_lost(&r) + import_report_damage(&r) + files_lost(a);
	told_load(a, out, *lost);
	enum ark_rc rc = ARK_OK;
	if (a->report != NULL)
		rc = import_report_write(a->report, &r, err);
	if (rc < 0 && !check && !a->config->dry_run)
		return ark_err_in(err, rc, "everything is imported, but not reported");
	for (int i = 0; rc == ARK_OK && a->config->profile && i < PHASE_COUNT; i++)
		ark_out(a->talk, "%8.1f s  %s", (double)out->phase_ms[i] / 1000, PHASES[i]);
	if (rc == ARK_OK)
		import_report_say(&r, a->report != NULL ? import_report_place(a->report) : NULL, a->talk);
	return rc;
}

enum ark_rc app_open_report(struct app *a, struct ark_err *err)
{
	return a->config->report != NULL ? import_report_open(a->config->report, &a->report, err) : ARK_OK;
}

/* What stays to be done by hand, said once at the end. */
void app_say_next(struct app *a, const struct load_outcome *out)
{
	if (a->config->dry_run) {
		ark_info(a->talk, "import.dry_run", "dry run: nothing was kept");
		return;
	}
	if (!out->created_database && out->rows_written > 0)
		server_drop_caches(a);
	if (a->place.embedded != NULL)
		ark_info(a->talk, "import.where", "the private database lies in %.*s; it runs only while a tool "
		                                  "uses it", ARK_FMT(db_embedded_dir(a->place.embedded)));
}
