#include "import/files.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/time.h"
#include "common/cli/human.h"
#include "common/cli/signal.h"
#include "common/mm/state.h"
#include "import/slack/ts.h"

#include "common/base/banned.h"

static void closep(FILE **f)
{
	if (*f != NULL)
		fclose(*f);
}

static bool wanted(const struct app *a)
{
	return a->config->files_from != FETCH_NONE;
}

/* The first line of a file that only its owner should be able to read. */
static enum ark_rc read_token(struct app *a, struct ark_err *err)
{
	const char *path = a->config->slack_token_file;
	char line[SLACK_TOKEN_BYTES + 2];
	ark_auto(closep) FILE *f = fopen(path, "re");
	if (f == NULL)
		return ark_err_errno(err, errno, "cannot open '%s'", path);
	struct stat st;
	if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		ark_warn(a->talk, "import.token_file", "'%s' can be read by others: chmod 600 would keep the token "
		                                       "to yourself", path);
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	struct ark_str token = ark_str_trim(ark_str_z(line));
	bool good = token.len >= 10 && token.len < SLACK_TOKEN_BYTES && ark_str_starts(token, ARK_LIT("xox"));
	for (size_t i = 0; i < token.len; i++)
		good = good && token.ptr[i] > 0x20 && token.ptr[i] < 0x7f;
	if (!good) {
		ark_err_set(err, ARK_KIND_USAGE, "the first line of '%s' is no Slack token", path);
		ark_err_hint(err, "tokens begin with xoxb- or xoxp-");
		return ARK_FAIL;
	}
	snprintf(a->token, sizeof(a->token), "%.*s", ARK_FMT(token));
	return ARK_OK;
}

static enum ark_rc open_store(void *ctx, struct store **out, struct ark_err *err)
{
	struct app *a = ctx;
	const struct mm_files *files = &a->place.where.files;
	struct store_options opt = { .write = true, .create = files->kind == MM_FILES_LOCAL, .batch = true,
		                     .modes = STORE_MATTERMOST, .interrupted = ark_interrupted,
		                     .s3 = &a->config->s3, .environ = environ };
	return store_open(files, &opt, out, err);
}

enum ark_rc files_open(struct app *a, struct ark_err *err)
{
	const struct mm_files *files = &a->place.where.files;
	if (a->config->slack_token_file != NULL) {
		enum ark_rc rc = read_token(a, err);
		if (rc < 0)
			return rc;
	}
	if (!wanted(a))
		return ARK_OK;
	if (files->kind == MM_FILES_NONE && a->config->files_from == FETCH_AUTO)
		return ARK_OK; /* said when there are files */
	if (files->kind == MM_FILES_NONE) {
		ark_err_set(err, ARK_KIND_USAGE, "no file store is known: %s",
		            files->problem[0] != '\0' ? files->problem : "nothing names one");
		ark_err_hint(err, "--files names it: a folder, or s3://BUCKET/PREFIX");
		return ARK_FAIL;
	}
	return open_store(a, &a->store, err);
}

enum ark_rc files_open_plain(struct app *a, struct ark_err *err)
{
	struct store_options opt = { .write = ark_args_command(a->args) == COMMAND_UNDO, .modes = STORE_MATTERMOST,
		                     .interrupted = ark_interrupted, .s3 = &a->config->s3, .environ = environ };
	if (a->place.where.files.kind == MM_FILES_NONE)
		return ARK_OK;
	return store_open(&a->place.where.files, &opt, &a->store, err);
}

enum ark_rc files_delete(void *ctx, struct ark_str path, struct ark_err *err)
{
	struct app *a = ctx;
	char name[1024];
	if (a->store == NULL)
		return ARK_OK; /* said at the end */
	snprintf(name, sizeof(name), "%.*s", ARK_FMT(path));
	return store_delete(a->store, name, err);
}

static void on_bad_body(void *ctx, struct ark_str path, struct ark_str post_id, int64_t ts_us, const char *what)
{
	struct app *a = ctx;
	char ts[SLACK_TS_TEXT];
	struct ark_str at = slack_ts_format(ts_us, ts);
	ark_out(a->talk, "differs\t%s\t%.*s\t%.*s\t%.*s", what, ARK_FMT(path), ARK_FMT(at), ARK_FMT(post_id));
	struct ark_event e;
	ark_event_begin(&e, "error", "verify.difference");
	ark_event_text(&e, "kind", ark_str_z(what));
	ark_event_text(&e, "path", path);
	ark_event_text(&e, "ts", at);
	ark_event_text(&e, "post_id", post_id);
	ark_event_send(&e, a->talk);
}

enum ark_rc files_verify(struct app *a, uint64_t *bad, struct ark_err *err)
{
	ark_auto(db_closep) struct db_conn *conn = NULL;
	struct db_options opt = { .app = "matter-import", .interrupted = ark_interrupted };
	uint64_t checked = 0;
	*bad = 0;
	if (!wanted(a))
		return ARK_OK;
	enum ark_rc rc = files_open_plain(a, err);
	if (rc == ARK_OK && a->store == NULL) {
		ark_info(a->talk, "verify.no_files_place", "no file store is named (--files): bodies are not looked at");
		return ARK_OK;
	}
	if (rc == ARK_OK)
		rc = db_open(a->place.dsn.data, &opt, &conn, err);
	if (rc == ARK_OK)
		rc = fetch_verify(conn, a->store, a->l.workspace, on_bad_body, a, &checked, bad, err);
	if (rc == ARK_OK && checked > 0)
		ark_out(a->talk, "%12llu  file bodies looked at", (unsigned long long)checked);
	return rc;
}

static void on_begin(void *ctx, const char *phase, uint64_t files, uint64_t bytes)
{
	struct app *a = ctx;
	ark_progress_phase(&a->bar, phase, "files", files, bytes);
	ark_info(a->talk, "import.phase", "%s", phase);
}

static enum ark_rc on_tick(void *ctx, uint64_t files, uint64_t bytes, struct ark_err *err)
{
	struct app *a = ctx;
	ark_progress_add(&a->bar, files, bytes);
	return ark_interrupt_check(err);
}

static void on_say(void *ctx, const char *msgid, const char *text)
{
	struct app *a = ctx;
	ark_warn(a->talk, msgid, "%s", text);
}

static void on_missing(void *ctx, struct ark_str id, struct ark_str name, struct ark_str channel,
                       int64_t ts_us, struct ark_str reason)
{
	struct app *a = ctx;
	if (a->report != NULL)
		import_report_missing(a->report, id, name, channel, ts_us, reason);
	if (ark_args_command(a->args) != COMMAND_FILES)
		return;
	char ts[SLACK_TS_TEXT];
	struct ark_str at = slack_ts_format(ts_us, ts);
	ark_out(a->talk, "%.*s\t%.*s\t%.*s\t%.*s\t%.*s", ARK_FMT(id), ARK_FMT(name), ARK_FMT(channel),
	        ARK_FMT(at), ARK_FMT(reason));
	struct ark_event e;
	ark_event_begin(&e, "file", "files.missing");
	ark_event_text(&e, "slack_file_id", id);
	ark_event_text(&e, "name", name);
	ark_event_text(&e, "channel", channel);
	ark_event_text(&e, "ts", at);
	ark_event_text(&e, "reason", reason);
	ark_event_send(&e, a->talk);
}

static bool has_avatars(const struct slack_export *x)
{
	for (uint32_t i = 0; x != NULL && i < x->sources_count; i++)
		if (x->sources[i].avatar_files > 0)
			return true;
	return false;
}

/* Groups are for paid editions of Mattermost: what was in one in Slack is told, so that it can be done by hand. */
static void on_group(void *ctx, struct ark_str handle, struct ark_str name, struct ark_str members, size_t count)
{
	struct app *a = ctx;
	ark_warn(a->talk, "import.user_group", "user group @%.*s (%.*s) with %zu people has no counterpart here",
	         ARK_FMT(handle), ARK_FMT(name), count);
	struct ark_event e;
	ark_event_begin(&e, "usergroup", "import.usergroup");
	ark_event_text(&e, "handle", handle);
	ark_event_text(&e, "name", name);
	ark_event_text(&e, "members", members);
	ark_event_send(&e, a->talk);
}

/* What only Slack itself knows. */
static enum ark_rc ask_slack(struct app *a, struct pictures *p, struct ark_err *err)
{
	struct api_settings set = { .token = a->token, .slack_url = a->config->slack_url,
		                    .net = { .agent = "matter-import", .interrupted = ark_interrupted },
		                    .say = on_say, .group = on_group, .tick = on_tick, .ctx = a };
	ark_auto(api_closep) struct slack_api *api = NULL;
	enum ark_rc rc = api_open(&set, &api, err);
	if (rc == ARK_OK)
		on_begin(a, "asking Slack for emoji and avatars", 0, 0);
	if (rc == ARK_OK)
		rc = api_emoji(api, p, err);
	if (rc == ARK_OK)
		rc = api_avatars(api, p, err);
	return rc == ARK_OK ? api_groups(api, err) : rc;
}

/* Custom emoji and avatars. */
static enum ark_rc bring_pictures(struct app *a, struct db_conn *conn, struct ark_str workspace,
                                  int64_t run_no, const struct slack_export *x, struct ark_err *err)
{
	struct picture_settings set = { .conn = conn, .store = a->store, .workspace = workspace,
		                        .run_no = run_no, .now_ms = ark_time_now_ms() };
	ark_auto(pictures_closep) struct pictures *p = NULL;
	if (a->config->emoji_dir.count == 0 && !has_avatars(x) && a->token[0] == '\0')
		return ARK_OK;
	enum ark_rc rc = pictures_open(&set, &p, err);
	for (size_t i = 0; rc == ARK_OK && i < a->config->emoji_dir.count; i++)
		rc = pictures_emoji_folder(p, a->config->emoji_dir.items[i], err);
	if (rc == ARK_OK && has_avatars(x))
		rc = pictures_avatars(p, x, err);
	if (rc == ARK_OK && a->token[0] != '\0')
		rc = ask_slack(a, p, err);
	if (rc == ARK_OK)
		rc = pictures_commit(p, err);
	if (rc < 0)
		return rc;
	const struct picture_count *c = pictures_count(p);
	a->pictures.emoji += c->emoji;
	a->pictures.emoji_known += c->emoji_known;
	a->pictures.emoji_refused += c->emoji_refused;
	a->pictures.emoji_system += c->emoji_system;
	a->pictures.avatars += c->avatars;
	a->pictures.avatars_refused += c->avatars_refused;
	return ARK_OK;
}

/* Bodies of one workspace, then the list of what is missing. */
static enum ark_rc bring(struct app *a, struct db_conn *conn, struct ark_str workspace,
                         const struct attach_how *how, const struct slack_export *x, struct ark_err *err)
{
	struct fetch_job job = { .conn = conn, .store = a->store, .porters = { open_store, a }, .x = x, .workspace = workspace,
		                 .from = (enum fetch_from)a->config->files_from,
		                 .temp_dir = a->config->temp_dir, .no_previews = a->config->no_previews,
		                 .token = a->token[0] != '\0' ? a->token : NULL,
		                 .slack_url = a->config->slack_url,
		                 .net = { .agent = "matter-import", .interrupted = ark_interrupted },
		                 .how = *how, .say = on_say, .begin = on_begin, .tick = on_tick, .ctx = a };
	struct fetch_outcome out = { 0 };
	struct fetch_missing missing = { 0 };
	enum ark_rc rc = ARK_OK;
	if (a->store != NULL)
		rc = fetch_run(&job, &out, err);
	if (rc == ARK_FAIL && err->kind == ARK_KIND_LOCKED && ark_args_command(a->args) == COMMAND_SLACK) {
		ark_warn(a->talk, "import.files_locked", "%s: their files are left to it", err->text);
		rc = ARK_OK;
	}
	if (rc == ARK_OK && a->store != NULL)
		rc = bring_pictures(a, conn, workspace, how->run_no, x, err);
	keep_count_add(&a->fetched.kept, &out.kept);
	a->fetched.wanted += out.wanted;
	if (rc == ARK_OK)
		rc = fetch_report(conn, workspace, on_missing, a, &missing, err);
	a->missing.files += missing.files;
	a->missing.lost += missing.lost;
	return rc;
}

enum ark_rc files_bring(void *ctx, struct db_conn *conn, const struct load *l, int64_t update_ms,
                        struct ark_err *err)
{
	struct attach_how how = { .run_no = l->run_no, .update_ms = update_ms };
	return bring(ctx, conn, l->workspace, &how, l->x, err);
}

/* ---- the command ---- */

/* Every workspace that was imported here. */
static enum ark_rc bring_all(struct app *a, struct db_conn *conn, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	struct attach_how how = { .update_ms = ark_time_now_ms() };
	enum ark_rc rc = db_query(conn,
	                          "SELECT workspace, (SELECT max(run_no) FROM matterark.run) FROM "
	                          "matterark.slack_file GROUP BY workspace ORDER BY workspace",
	                          DB_NO_PARAMS, &res, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++) {
		how.run_no = db_i64(res, i, 1);
		rc = bring(a, conn, db_value(res, i, 0), &how, a->x.sources_count > 0 ? &a->x : NULL, err);
	}
	return rc;
}

static enum ark_rc need_state(struct db_conn *conn, struct ark_err *err)
{
	bool state = false;
	enum ark_rc rc = mm_state_exists(conn, &state, err);
	if (rc == ARK_OK && !state)
		return ark_err_set(err, ARK_KIND_REFUSED, "nothing was imported into this database yet");
	return rc == ARK_OK ? mm_state_create(conn, err) : rc;
}

int files_run(struct app *a, struct ark_err *err)
{
	ark_auto(db_closep) struct db_conn *conn = NULL;
	struct db_options opt = { .app = "matter-import", .interrupted = ark_interrupted };
	enum ark_rc rc = app_choose_database(a, false, err);
	if (rc == ARK_OK && a->args->operands.count > 0)
		rc = app_open_archives(a, err);
	if (rc == ARK_OK)
		rc = app_open_database(a, err);
	if (rc == ARK_OK)
		rc = files_open(a, err);
	if (rc == ARK_OK && a->store == NULL && wanted(a)) {
		ark_err_set(err, ARK_KIND_USAGE, "no file store is known");
		ark_err_hint(err, "--files names it: a folder, or s3://BUCKET/PREFIX");
		rc = ARK_FAIL;
	}
	if (rc == ARK_OK)
		rc = db_open(a->place.dsn.data, &opt, &conn, err);
	if (rc == ARK_OK)
		rc = need_state(conn, err);
	if (rc < 0)
		return rc;
	mm_place_say(&a->place, "writing to", a->talk);
	ark_progress_begin(&a->bar, a->talk);
	a->bar_runs = true;
	rc = bring_all(a, conn, err);
	app_end_bar(a);
	if (rc < 0)
		return rc;
	files_say(a);
	told_files(a);
	return files_lost(a) > 0 ? ARK_EXIT_LOSSES : ARK_EXIT_DONE;
}

uint64_t files_lost(const struct app *a)
{
	return a->store != NULL ? a->missing.lost : 0;
}

void files_say(struct app *a)
{
	const struct keep_count *c = &a->fetched.kept;
	const struct picture_count *p = &a->pictures;
	if (p->emoji + p->avatars > 0)
		ark_info(a->talk, "import.pictures", "pictures: %llu custom emoji, %llu avatars",
		         (unsigned long long)p->emoji, (unsigned long long)p->avatars);
	if (p->emoji_refused + p->avatars_refused > 0)
		ark_warn(a->talk, "import.pictures_refused", "%llu emoji are no PNG, JPEG or GIF of at most 512 KiB, "
		         "%llu avatars cannot be read", (unsigned long long)p->emoji_refused,
		         (unsigned long long)p->avatars_refused);
	if (a->store == NULL && wanted(a) && a->missing.lost > 0)
		ark_warn(a->talk, "import.no_files_place",
		         "no file store is named (--files): %llu files are notes in their posts; name it and run "
		         "'matter-import files'", (unsigned long long)a->missing.lost);
	if (c->files == 0 && a->missing.files == 0)
		return;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 4096);
	ark_buf_fmt(&text, "files: %llu stored (", (unsigned long long)c->files);
	ark_human_bytes(&text, c->bytes);
	ark_buf_fmt(&text, "), %llu missing", (unsigned long long)a->missing.files);
	if (a->store != NULL && ark_args_command(a->args) == COMMAND_FILES) /* an import's closing lines have it */
		ark_info(a->talk, "import.files", "%s", text.data);
	if (c->attached.kept > 0)
		ark_warn(a->talk, "import.files_kept", "%llu posts were changed in Mattermost and keep their notes",
		         (unsigned long long)c->attached.kept);
	struct ark_event e;
	ark_event_begin(&e, "status", "files.counts");
	ark_event_u64(&e, "stored", c->files);
	ark_event_u64(&e, "bodies", c->bodies);
	ark_event_u64(&e, "bytes", c->bytes);
	ark_event_u64(&e, "missing", a->missing.files);
	ark_event_u64(&e, "lost", a->missing.lost);
	ark_event_u64(&e, "odd_size", c->odd_size);
	ark_event_u64(&e, "without_preview", c->unpainted);
	ark_event_send(&e, a->talk);
}
