/*
 * Where an export reads: the database found and opened, the snapshot that all connections see, and the file
 * store. Shared by matter-export and matter-history.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/cli/signal.h"
#include "common/db/text.h"
#include "export/app.h"
#include "export/compare.h"

#include "common/base/banned.h"

/* --- where from -------------------------------------------------------------------------------- */

static struct mm_place_how how(const struct ark_tool *tool)
{
	return (struct mm_place_how){ .app = tool->name, .has_files = true, .interrupted = ark_interrupted };
}

void export_source_show(const struct mm_place_options *options, const struct ark_args *args,
                        const struct ark_tool *tool, struct ark_talk *talk)
{
	struct mm_place_how h = how(tool);
	mm_place_show(options, args, &h, talk);
}

/* Fact  fixtures/mattermost/schema: there in every release from 7.8 on */
static enum ark_rc check_schema(const struct mm_db_info *info, struct ark_err *err)
{
	static const char *const NEEDED[][2] = {
		{ "posts", "id createat updateat deleteat editat userid channelid rootid originalid message type "
		           "props hashtags fileids hasreactions ispinned remoteid" },
		{ "channels", "id name displayname header purpose creatorid type createat updateat deleteat teamid" },
		{ "channelmembers", "channelid userid schemeadmin" },
		{ "channelmemberhistory", "channelid userid jointime leavetime" },
		{ "users", "id username email firstname lastname nickname position roles createat updateat deleteat "
		           "remoteid" },
		{ "bots", "userid ownerid" },
		{ "teams", "id name displayname" },
		{ "reactions", "postid userid emojiname createat deleteat" },
		{ "fileinfo", "id postid name extension mimetype creatorid path size createat deleteat width height" },
	};
	for (size_t i = 0; i < sizeof(NEEDED) / sizeof(NEEDED[0]); i++) {
		for (struct ark_str rest = ark_str_z(NEEDED[i][1]); rest.len > 0;) {
			size_t end = ark_str_find(rest, ' ', 0);
			ark_auto(ark_freep) char *column = ark_strdup(ark_str_first(rest, end));
			rest = ark_str_from(rest, end == SIZE_MAX ? rest.len : end + 1);
			if (mm_has_column(info, NEEDED[i][0], column))
				continue;
			ark_err_set(err, ARK_KIND_REFUSED, "this is no Mattermost database that can be read: no column %s.%s",
			            NEEDED[i][0], column);
			ark_err_hint(err, "Mattermost 7.8 and later are known");
			return ARK_FAIL;
		}
	}
	return ARK_OK;
}

enum ark_rc export_source_snapshot(struct export_app *a, struct ark_err *err)
{
	enum ark_rc rc = db_txn_begin(&a->txn, a->conn, "ISOLATION LEVEL REPEATABLE READ, READ ONLY", err);
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, 4096);
	if (a->config->snapshot != NULL) {
		ark_buf_z(&sql, "SET TRANSACTION SNAPSHOT ");
		db_literal(&sql, ark_str_z(a->config->snapshot));
	}
	if (rc == ARK_OK && a->config->snapshot != NULL)
		rc = db_exec(a->conn, sql.data, err);
	else if (rc == ARK_OK && db_server_version(a->conn) >= 110000)
		rc = db_exec(a->conn, "SET LOCAL jit = off", err);
	ark_auto(db_result_freep) struct db_result *res = NULL;
	if (rc == ARK_OK)
		rc = db_query_one(a->conn, "SELECT pg_export_snapshot(), (extract(epoch FROM now()) * 1000)::bigint, "
		                           "pg_is_in_recovery(), current_setting('server_version'), current_database()",
		                  DB_NO_PARAMS, &res, err);
	if (rc < 0)
		return ark_err_in(err, rc, "taking a snapshot");
	ark_buf_str(&a->snapshot, a->config->snapshot != NULL ? ark_str_z(a->config->snapshot) : db_value(res, 0, 0));
	a->snapshot_ms = db_i64(res, 0, 1);
	a->standby = db_bool(res, 0, 2);
	ark_buf_str(&a->server, db_value(res, 0, 3));
	ark_buf_str(&a->database, db_value(res, 0, 4));
	return ARK_OK;
}

enum ark_rc export_source_connect(struct export_app *a, struct ark_err *err)
{
	struct mm_place_how h = how(a->tool);
	enum ark_rc rc = mm_place_find(&a->place, &a->config->place, a->args, &h, err);
	if (rc == ARK_OK)
		rc = mm_place_open(&a->place, NULL, err);
	if (rc < 0)
		return rc;
	mm_place_say(&a->place, "reading from", a->talk);
	struct db_options db = { .app = a->tool->name, .interrupted = ark_interrupted };
	rc = db_open(a->place.dsn.data, &db, &a->conn, err);
	if (rc == ARK_OK)
		rc = db_refuse_pooler(a->conn, "an exported snapshot", err);
	if (rc == ARK_OK)
		rc = mm_detect(a->conn, &a->info, err);
	if (rc == ARK_OK)
		rc = check_schema(a->info, err);
	for (size_t i = 0; rc == ARK_OK && i < mm_db_warning_count(a->info); i++)
		ark_warn(a->talk, "export.schema", "%s; continuing", mm_db_warning(a->info, i));
	return rc;
}

enum ark_rc export_source_open(struct export_app *a, struct ark_err *err)
{
	enum ark_rc rc = export_source_connect(a, err);
	return rc == ARK_OK ? export_source_snapshot(a, err) : rc;
}

enum ark_rc export_source_has_files(struct export_app *a, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(a->conn, "SELECT 1 FROM fileinfo WHERE postid <> '' LIMIT 1", DB_NO_PARAMS, &res, err);
	a->has_files = rc == ARK_OK && db_rows(res) > 0;
	return rc;
}

/* --- what formats see -------------------------------------------------------------------------- */

static void on_note(void *ctx, const char *reason, uint64_t n)
{
	struct export_app *a = ctx;
	pthread_mutex_lock(&a->lock);
	size_t i = 0;
	while (i < a->notes_count && strcmp(a->notes[i].reason, reason) != 0)
		i++;
	if (i == EXPORT_NOTES_MAX)
		ark_bug("more than %d kinds of notes", EXPORT_NOTES_MAX);
	if (i == a->notes_count)
		a->notes[a->notes_count++] = (struct export_note){ reason, 0 };
	a->notes[i].n += n;
	pthread_mutex_unlock(&a->lock);
}

void export_source_fill(struct export_app *a)
{
	a->run = (struct export_run){
		.tool = a->tool_text,
		.people = a->sel.people, .people_count = a->sel.people_count,
		.person_at = &a->sel.person_at,
		.channels = a->sel.channels, .channels_count = a->sel.channels_count,
		.has_match = a->scope.match.count > 0,
		.incremental = a->after_first,
		.conn = a->conn,
		.out = a->out,
		.note = on_note, .note_ctx = a,
	};
	a->per_channel = ark_calloc(a->sel.channels_count + 1, sizeof(a->per_channel[0]));
}

/* --- attachments ------------------------------------------------------------------------------- */

/* Where the store is not known, the export says so for each attachment, and the run once. */
enum ark_rc export_source_store(struct export_app *a, struct ark_err *err)
{
	if (a->config->attachments == ATTACHMENTS_NONE || !a->has_files)
		return ARK_OK;
	struct export_bodies *bodies = NULL;
	enum ark_rc rc = export_bodies_open(a, &bodies, err);
	export_bodies_free(bodies);
	a->looks_at_files = rc == ARK_OK;
	bool asked = a->config->attachments == ATTACHMENTS_COPY || ark_args_given(a->args, "files");
	if (rc == ARK_OK || err->kind != ARK_KIND_MISSING || asked)
		return rc;
	ark_warn(a->talk, "export.no_files", "%s; continuing without looking at attachments", err->text);
	*err = (struct ark_err){ 0 };
	return ARK_OK;
}

enum ark_rc export_bodies_open(struct export_app *a, struct export_bodies **bodies, struct ark_err *err)
{
	bool copy = a->config->attachments == ATTACHMENTS_COPY;
	return export_bodies_new(&a->place.where.files, &a->config->s3, copy ? a->out : NULL, &a->files_missing, bodies,
	                         err);
}

/* --- from begin to end ------------------------------------------------------------------------- */

void export_app_init(struct export_app *a, const struct export_config *config, const struct ark_args *args,
                     struct ark_talk *talk)
{
	memset(a, 0, sizeof(*a));
	a->config = config;
	a->args = args;
	a->tool = args->tool;
	snprintf(a->tool_text, sizeof(a->tool_text), "%s %s", a->tool->name, a->tool->version);
	a->talk = talk;
	mm_place_init(&a->place);
	ark_buf_init(&a->snapshot, 256);
	ark_buf_init(&a->server, 256);
	ark_buf_init(&a->database, 256);
	pthread_mutex_init(&a->lock, NULL);
}

void export_app_release(struct export_app *a)
{
	if (a->bar_runs)
		ark_progress_end(&a->bar);
	crypt_secret_key_release(&a->key);
	export_changes_free(a->changes);
	export_out_free(a->out);
	export_selection_release(&a->sel);
	free(a->per_channel);
	mm_db_info_free(a->info);
	db_txn_end(&a->txn);
	db_close(a->conn);
	mm_place_release(&a->place);
	ark_buf_release(&a->snapshot);
	ark_buf_release(&a->server);
	ark_buf_release(&a->database);
	pthread_mutex_destroy(&a->lock);
}
