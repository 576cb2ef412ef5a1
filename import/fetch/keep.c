#include "import/fetch/keep.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/db/text.h"
#include "import/fetch/mime.h"
#include "import/fetch/painter.h"

#include "common/base/banned.h"

#define PAINTERS 2
#define BATCH_FILES 1000
#define NOTES_MAX 100
#define BATCH_MS 10000
#define SYNC_MS 1000 /* bodies on disk: what a run that is killed loses at most */

/* A stored image whose previews are being made. */
struct painting {
	struct keep_file file;
	uint64_t size_bytes;
	unsigned char sha256[CRYPT_SHA256_BYTES];
	bool gif, used;
};

struct keeper {
	struct keep_settings set;
	struct db_txn txn;
	struct painters *painters;
	struct painting paintings[PAINTERS];
	struct ark_buf notes; /* rows of flush_notes */
	unsigned notes_count;
	uint64_t batch;
	int64_t batch_ms;
	int64_t sync_ms;
	struct keep_count count;
};

struct keeper *keeper_new(const struct keep_settings *set)
{
	struct keeper *k = ark_calloc(1, sizeof(*k));
	k->set = *set;
	k->painters = painters_new(PAINTERS);
	ark_buf_init(&k->notes, LIMIT_SQL);
	k->sync_ms = ark_time_tick_ms();
	return k;
}

void keep_file_release(struct keep_file *f)
{
	free(f->rows);
	ark_pool_release(&f->pool);
	*f = (struct keep_file){ 0 };
}

void keeper_free(struct keeper *k)
{
	if (k == NULL)
		return;
	painters_free(k->painters);
	ark_buf_release(&k->notes);
	for (int i = 0; i < PAINTERS; i++)
		keep_file_release(&k->paintings[i].file);
	db_txn_end(&k->txn);
	free(k);
}

void keeper_freep(struct keeper **k)
{
	keeper_free(*k);
}

const struct keep_count *keeper_count(const struct keeper *k)
{
	return &k->count;
}

void keep_count_add(struct keep_count *to, const struct keep_count *from)
{
	to->files += from->files;
	to->bodies += from->bodies;
	to->bytes += from->bytes;
	to->odd_size += from->odd_size;
	to->unpainted += from->unpainted;
	to->attached.files += from->attached.files;
	to->attached.posts += from->attached.posts;
	to->attached.kept += from->attached.kept;
}

/* ---- who wants it ---- */

static enum ark_rc flush_notes(struct keeper *k, struct ark_err *err);

/* Fact: docs/mattermost-facts.md "Files": the day is that of the post, as bulk import has it. */
static struct ark_str path_of(struct keep_file *f, const struct db_result *res, size_t row)
{
	struct ark_civil day = ark_time_civil(db_i64(res, row, 3));
	struct ark_str team = db_value(res, row, 4);
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 1024);
	ark_buf_fmt(&path, "%04d%02d%02d/teams/%.*s/channels/%.*s/users/%.*s/%.*s/%.*s", day.year, day.month,
	            day.day, ARK_FMT(team.len > 0 ? team : ARK_LIT("noteam")), ARK_FMT(db_value(res, row, 1)),
	            ARK_FMT(db_value(res, row, 2)), ARK_FMT(db_value(res, row, 0)),
	            ARK_FMT(db_value(res, row, 5)));
	return ark_pool_str(&f->pool, ark_buf_view(&path));
}

static struct ark_str type_of(struct keep_file *f, struct ark_str name, struct ark_str slack)
{
	ark_auto(ark_buf_release) struct ark_buf extension;
	ark_buf_init(&extension, 256);
	mime_extension(name, &extension);
	return ark_pool_str(&f->pool, mime_type(ark_buf_view(&extension), slack));
}

#define FIND_SQL(which)                                                                              \
	"SELECT f.file_id, p.channelid, p.userid, p.createat, coalesce(c.teamid, ''), f.name, f.mime, f.size, " \
	"f.may_be_html, f.link, f.slack_id FROM matterark.slack_file f JOIN posts p ON p.id = f.post_id JOIN "  \
	"channels c ON c.id = p.channelid WHERE " which " AND f.workspace = $2 AND f.state IN ('wanted', "      \
	"'missing') ORDER BY f.slack_id, f.file_id"

/* The file that begins at row `at`; returns the row behind its last. */
static size_t read_file(const struct db_result *res, size_t at, struct keep_file *out)
{
	struct ark_str id = db_value(res, at, 10);
	size_t end = at + 1;
	while (end < db_rows(res) && ark_str_eq(db_value(res, end, 10), id))
		end++;
	*out = (struct keep_file){ 0 };
	out->slack_id = ark_pool_str(&out->pool, id);
	out->name = ark_pool_str(&out->pool, db_value(res, at, 5));
	out->size_bytes = db_i64(res, at, 7);
	out->may_be_html = db_bool(res, at, 8);
	out->link = ark_pool_str(&out->pool, db_value(res, at, 9));
	out->rows = ark_calloc(end - at, sizeof(*out->rows));
	for (size_t i = at; i < end; i++) {
		if (db_value(res, i, 0).len != MM_ID_LEN)
			continue;
		struct keep_row *row = &out->rows[out->count++];
		memcpy(row->file_id, db_value(res, i, 0).ptr, MM_ID_LEN);
		row->path = path_of(out, res, i);
		row->mime = type_of(out, db_value(res, i, 5), db_value(res, i, 6));
	}
	return end;
}

enum ark_rc keeper_find(struct keeper *k, struct ark_str slack_id, struct keep_file *out,
                        struct ark_err *err)
{
	*out = (struct keep_file){ 0 };
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = flush_notes(k, err); /* it may be one of them */
	if (rc == ARK_OK)
		rc = db_query(k->set.conn, FIND_SQL("f.slack_id = $1"), DB_PARAMS(slack_id, k->set.workspace), &res,
		              err);
	if (rc == ARK_OK && db_rows(res) > 0)
		read_file(res, 0, out);
	return rc;
}

enum ark_rc keeper_page(struct keeper *k, struct ark_str after, struct keep_page *out, struct ark_err *err)
{
	*out = (struct keep_page){ 0 };
	return db_query(k->set.conn,
	                FIND_SQL("f.slack_id IN (SELECT slack_id FROM matterark.slack_file WHERE workspace = $2 AND "
	                         "state IN ('wanted', 'missing') AND link <> '' AND slack_id > $1 GROUP BY slack_id "
	                         "ORDER BY slack_id LIMIT 500)"),
	                DB_PARAMS(after, k->set.workspace), &out->rows, err);
}

enum ark_rc keeper_page_next(struct keep_page *page, struct keep_file *out)
{
	if (page->rows == NULL || page->at >= db_rows(page->rows))
		return ARK_END;
	page->at = read_file(page->rows, page->at, out);
	return ARK_OK;
}

void keep_page_release(struct keep_page *page)
{
	db_result_free(page->rows);
	*page = (struct keep_page){ 0 };
}

/* ---- the ledger ---- */

static enum ark_rc begin(struct keeper *k, struct ark_err *err)
{
	if (k->txn.conn != NULL)
		return ARK_OK;
	k->batch = 0;
	k->batch_ms = ark_time_tick_ms();
	return db_txn_begin(&k->txn, k->set.conn, "", err);
}

struct made {
	struct ark_str thumb, preview; /* paths, or empty */
	struct ark_str mini;
	int width, height;
	bool has_preview;
};

static void put_bytea(struct ark_buf *out, struct ark_str bytes)
{
	static const char DIGITS[] = "0123456789abcdef";
	ark_buf_z(out, "\\x");
	for (size_t i = 0; i < bytes.len; i++) {
		ark_buf_c(out, DIGITS[(unsigned char)bytes.ptr[i] >> 4]);
		ark_buf_c(out, DIGITS[bytes.ptr[i] & 15]);
	}
}

/* What is known of stored files, on its way to the ledger: one statement for many. */
static enum ark_rc flush_notes(struct keeper *k, struct ark_err *err)
{
	static const char SQL[] =
	    "UPDATE matterark.slack_file f SET state = 'stored', reason = NULL, path = v.path, mime = v.mime, "
	    "stored_size = v.size, sha256 = v.sha256::bytea, thumbnail = v.thumb, preview = v.preview, has_preview = "
	    "v.has, width = v.w, height = v.h, mini = v.mini::bytea FROM (VALUES %s) AS v (id, path, mime, size, sha256, "
	    "thumb, preview, has, w, h, mini) WHERE f.file_id = v.id";
	if (k->notes_count == 0)
		return ARK_OK;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL);
	size_t at = (size_t)(strstr(SQL, "%s") - SQL);
	ark_buf_add(&sql, SQL, at);
	ark_buf_str(&sql, ark_buf_view(&k->notes));
	ark_buf_z(&sql, SQL + at + 2);
	enum ark_rc rc = ark_buf_ok(&sql, "a statement", err);
	if (rc == ARK_OK)
		rc = begin(k, err);
	if (rc == ARK_OK)
		rc = db_exec(k->set.conn, sql.data, err);
	k->notes_count = 0;
	ark_buf_reset(&k->notes);
	return rc;
}

static enum ark_rc note_row(struct keeper *k, const struct keep_row *row, uint64_t size_bytes,
                            const unsigned char sha256[CRYPT_SHA256_BYTES], const struct made *made,
                            struct ark_err *err)
{
	struct ark_buf *b = &k->notes;
	enum ark_rc rc = k->notes_count >= NOTES_MAX || b->len > LIMIT_SQL / 2 ? flush_notes(k, err) : ARK_OK;
	if (rc == ARK_OK)
		rc = begin(k, err);
	if (rc < 0)
		return rc;
	const struct ark_str texts[] = { ark_str_z(row->file_id), row->path, row->mime };
	ark_buf_z(b, k->notes_count > 0 ? ", (" : "(");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		db_literal(b, texts[i]);
		ark_buf_z(b, ", ");
	}
	ark_buf_fmt(b, "%llu::bigint, '", (unsigned long long)size_bytes);
	put_bytea(b, ark_str_n((const char *)sha256, CRYPT_SHA256_BYTES));
	ark_buf_z(b, "', ");
	db_literal(b, made->thumb);
	ark_buf_z(b, ", ");
	db_literal(b, made->preview);
	ark_buf_fmt(b, ", %s, %d, %d, ", made->has_preview ? "true" : "false", made->width, made->height);
	if (made->mini.len > 0) {
		ark_buf_c(b, '\'');
		put_bytea(b, made->mini);
		ark_buf_z(b, "')");
	} else {
		ark_buf_z(b, "NULL::text)");
	}
	k->notes_count++;
	k->batch++;
	k->count.files++;
	return ARK_OK;
}

static enum ark_rc note_plain(struct keeper *k, const struct keep_file *f, uint64_t size_bytes,
                              const unsigned char *sha256, struct ark_err *err)
{
	static const struct made NOTHING = { .thumb = { "", 0 }, .preview = { "", 0 } };
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < f->count && rc == ARK_OK; i++)
		rc = note_row(k, &f->rows[i], size_bytes, sha256, &NOTHING, err);
	return rc;
}

enum ark_rc keeper_miss(struct keeper *k, const struct keep_file *f, const char *reason,
                        struct ark_err *err)
{
	enum ark_rc rc = begin(k, err);
	return rc < 0 ? rc
	              : db_run(k->set.conn,
	                       "UPDATE matterark.slack_file SET state = 'missing', reason = $3 WHERE slack_id = $1 "
	                       "AND workspace = $2 AND state IN ('wanted', 'missing') AND reason IS DISTINCT FROM $3",
	                       DB_PARAMS(f->slack_id, k->set.workspace, ark_str_z(reason)), NULL, err);
}

enum ark_rc keeper_miss_rest(struct keeper *k, const char *reason, struct ark_err *err)
{
	enum ark_rc rc = flush_notes(k, err);
	if (rc == ARK_OK)
		rc = begin(k, err);
	return rc < 0 ? rc
	              : db_run(k->set.conn,
	                       "UPDATE matterark.slack_file SET state = 'missing', reason = $2 WHERE workspace = $1 "
	                       "AND state = 'wanted'", DB_PARAMS(k->set.workspace, ark_str_z(reason)), NULL, err);
}

/* ---- images ---- */

static enum ark_rc put_painted(struct keeper *k, const struct painting *p, const struct painted *img,
                               struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf thumb;
	ark_auto(ark_buf_release) struct ark_buf preview;
	ark_buf_init(&thumb, 2048);
	ark_buf_init(&preview, 2048);
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < p->file.count && rc == ARK_OK; i++) {
		const struct keep_row *row = &p->file.rows[i];
		ark_buf_reset(&thumb);
		ark_buf_reset(&preview);
		mime_beside(row->path, "_thumb", row->mime, &thumb);
		mime_beside(row->path, "_preview", row->mime, &preview);
		const struct ark_body small = ark_body_mem(img->thumb), large = ark_body_mem(img->preview);
		rc = store_put(k->set.store, thumb.data, &small, 0, err);
		if (rc == ARK_OK)
			rc = store_put(k->set.store, preview.data, &large, 0, err);
		struct made made = { ark_buf_view(&thumb), ark_buf_view(&preview), img->mini, img->sizes.width,
			             img->sizes.height, !p->gif };
		if (rc == ARK_OK)
			rc = note_row(k, row, p->size_bytes, p->sha256, &made, err);
	}
	return rc;
}

/* Results of painters; until one is idle, or all when `all`. */
static enum ark_rc take_painted(struct keeper *k, bool all, struct ark_err *err)
{
	for (;;) {
		struct painted img;
		bool wait = all || !painters_idle(k->painters);
		if (!painters_next(k->painters, wait, &img))
			return ARK_OK;
		struct painting *p = &k->paintings[img.tag];
		k->count.unpainted += !img.ok;
		enum ark_rc rc = img.ok ? put_painted(k, p, &img, err)
		                        : note_plain(k, &p->file, p->size_bytes, p->sha256, err);
		keep_file_release(&p->file);
		p->used = false;
		if (rc < 0)
			return rc;
	}
}

/* True: the painters have it, and the file with it. */
static enum ark_rc begin_painting(struct keeper *k, struct keep_file *f, struct body *body, bool *begun,
                                  struct ark_err *err)
{
	enum image_kind kind = image_sniff(body_start(body));
	*begun = false;
	if (!k->set.previews || kind == IMAGE_NONE || !ark_str_starts(f->rows[0].mime, ARK_LIT("image/")) ||
	    ark_str_starts(f->rows[0].mime, ARK_LIT("image/svg")))
		return ARK_OK;
	if (body->size_bytes > LIMIT_IMAGE) {
		k->count.unpainted++;
		return ARK_OK;
	}
	struct ark_str whole;
	enum ark_rc rc = take_painted(k, false, err);
	if (rc == ARK_OK)
		rc = body_map(body, &whole, err);
	if (rc < 0)
		return rc;
	uint64_t tag = 0;
	while (k->paintings[tag].used)
		tag++;
	if (!painters_begin(k->painters, tag, whole, kind)) {
		k->count.unpainted++;
		return ARK_OK;
	}
	struct painting *p = &k->paintings[tag];
	*p = (struct painting){ .file = *f, .size_bytes = body->size_bytes, .gif = kind == IMAGE_GIF,
		                .used = true };
	memcpy(p->sha256, body->sha256, sizeof(p->sha256));
	*f = (struct keep_file){ 0 };
	*begun = true;
	return ARK_OK;
}

/* ---- storing ---- */

enum ark_rc keeper_store(struct keeper *k, struct keep_file *f, struct body *body, struct ark_err *err)
{
	bool begun = false;
	enum ark_rc rc = ARK_OK;
	const struct ark_body whole = body_whole(body);
	for (uint32_t i = 0; i < f->count && rc == ARK_OK; i++)
		rc = store_put(k->set.store, f->rows[i].path.ptr, &whole, 0, err);
	if (rc < 0)
		return ark_err_in(err, rc, "file '%.*s'", ARK_FMT(f->name));
	k->count.bodies++;
	k->count.bytes += body->size_bytes;
	k->count.odd_size += f->size_bytes > 0 && (uint64_t)f->size_bytes != body->size_bytes;
	rc = begin_painting(k, f, body, &begun, err);
	if (rc == ARK_OK && !begun)
		rc = note_plain(k, f, body->size_bytes, body->sha256, err);
	keep_file_release(f);
	if (rc == ARK_OK && ark_time_tick_ms() - k->sync_ms >= SYNC_MS) {
		rc = store_sync(k->set.store, err);
		k->sync_ms = ark_time_tick_ms();
	}
	return rc < 0 ? rc : keeper_commit(k, false, err);
}

enum ark_rc keeper_commit(struct keeper *k, bool now, struct ark_err *err)
{
	if (!now && (k->txn.conn == NULL ||
	             (k->batch < BATCH_FILES && ark_time_tick_ms() - k->batch_ms < BATCH_MS)))
		return ARK_OK;
	enum ark_rc rc = take_painted(k, true, err);
	if (rc == ARK_OK) /* on disk before a row says so */
		rc = store_sync(k->set.store, err);
	if (rc == ARK_OK)
		rc = begin(k, err);
	if (rc == ARK_OK)
		rc = flush_notes(k, err);
	if (rc == ARK_OK)
		rc = attach_files(k->set.conn, &k->set.how, &k->count.attached, err);
	return rc < 0 ? rc : db_txn_commit(&k->txn, err);
}
