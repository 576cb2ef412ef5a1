#include "import/fetch/keep.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/db/text.h"
#include "import/fetch/mime.h"
#include "import/fetch/painter.h"

#include "common/base/banned.h"

#define PARCELS 8
#define PAINTERS 2
#define LEDGER_MS 1000    /* what a run that is killed fetches again at most, and what is on its way */
#define NOTES_MAX 250     /* rows of one statement */
#define ATTACH_FILES 250
#define ATTACH_MS 10000

enum parcel_state { IDLE, STORING, WAITING /* for a painter */, PAINTING, STORING_PREVIEWS };

/* A body on its way into the store, and then its previews. */
struct parcel {
	struct porter_order order; /* first: what porters give back */
	enum parcel_state state;
	struct keep_file file;
	struct body body;
	struct porter_load *loads;
	struct ark_pool paths;  /* of previews */
	struct ark_buf images;  /* thumbnail, preview, mini preview, one behind the other */
	size_t thumb_len, preview_len;
	struct image_sizes sizes;
	enum image_kind kind;
};

/* Rows of stored files, in the order in which they were stored. */
struct notes {
	struct ark_buf rows;
	unsigned count;
	struct ark_map ids; /* Slack's, of these files */
};

struct keeper {
	struct keep_settings set;
	struct db_txn txn;
	struct porters *porters;
	struct painters *painters;
	struct parcel parcels[PARCELS];
	struct notes notes; /* new ones */
	struct notes ripe;  /* these go into the ledger when sync `ripe_sync` is done */
	uint64_t ripe_sync;
	int64_t ledger_ms;  /* when the ledger was last committed */
	bool looked;        /* for files that a run which died left unattached */
	uint64_t unattached;
	int64_t attach_ms;  /* when the first of them came */
	struct keep_count count;
};

struct keeper *keeper_new(const struct keep_settings *set)
{
	struct keeper *k = ark_calloc(1, sizeof(*k));
	k->set = *set;
	k->porters = porters_new(&set->store);
	k->painters = painters_new(PAINTERS);
	for (int i = 0; i < PARCELS; i++) {
		body_init(&k->parcels[i].body, set->temp_dir);
		ark_buf_init(&k->parcels[i].images, LIMIT_PREVIEW);
	}
	ark_buf_init(&k->notes.rows, LIMIT_SQL);
	ark_buf_init(&k->ripe.rows, LIMIT_SQL);
	k->ledger_ms = ark_time_tick_ms();
	return k;
}

void keep_file_release(struct keep_file *f)
{
	free(f->rows);
	ark_pool_release(&f->pool);
	*f = (struct keep_file){ 0 };
}

static void notes_release(struct notes *n)
{
	ark_buf_release(&n->rows);
	ark_map_release(&n->ids);
}

static void parcel_empty(struct parcel *p)
{
	keep_file_release(&p->file);
	body_reset(&p->body);
	free(p->loads);
	p->loads = NULL;
	ark_pool_release(&p->paths);
	ark_buf_reset(&p->images);
	p->state = IDLE;
}

void keeper_free(struct keeper *k)
{
	if (k == NULL)
		return;
	porters_free(k->porters); /* first: they use what follows */
	painters_free(k->painters);
	for (int i = 0; i < PARCELS; i++) {
		parcel_empty(&k->parcels[i]);
		body_release(&k->parcels[i].body);
		ark_buf_release(&k->parcels[i].images);
	}
	notes_release(&k->notes);
	notes_release(&k->ripe);
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

/* Stored by this run, whatever the ledger says yet? */
static bool is_under_way(const struct keeper *k, struct ark_str slack_id)
{
	for (int i = 0; i < PARCELS; i++)
		if (k->parcels[i].state != IDLE && ark_str_eq(k->parcels[i].file.slack_id, slack_id))
			return true;
	return ark_map_get(&k->notes.ids, slack_id) != ARK_MAP_NONE || ark_map_get(&k->ripe.ids, slack_id) != ARK_MAP_NONE;
}

enum ark_rc keeper_find(struct keeper *k, struct ark_str slack_id, struct keep_file *out,
                        struct ark_err *err)
{
	*out = (struct keep_file){ 0 };
	if (is_under_way(k, slack_id))
		return ARK_OK;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(k->set.conn, FIND_SQL("f.slack_id = $1"), DB_PARAMS(slack_id, k->set.workspace), &res,
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
	return k->txn.conn != NULL ? ARK_OK : db_txn_begin(&k->txn, k->set.conn, "", err);
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

/* The notes that are ripe: one statement for many. */
static enum ark_rc write_ripe(struct keeper *k, struct ark_err *err)
{
	static const char SQL[] =
	    "UPDATE matterark.slack_file f SET state = 'stored', reason = NULL, path = v.path, mime = v.mime, "
	    "stored_size = v.size, thumbnail = v.thumb, preview = v.preview, has_preview = "
	    "v.has, width = v.w, height = v.h, mini = v.mini::bytea FROM (VALUES %s) AS v (id, path, mime, size, "
	    "thumb, preview, has, w, h, mini) WHERE f.file_id = v.id";
	if (k->ripe.count == 0)
		return ARK_OK;
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, LIMIT_SQL + sizeof(SQL));
	size_t at = (size_t)(strstr(SQL, "%s") - SQL);
	ark_buf_add(&sql, SQL, at);
	ark_buf_str(&sql, ark_buf_view(&k->ripe.rows));
	ark_buf_z(&sql, SQL + at + 2);
	enum ark_rc rc = ark_buf_ok(&sql, "a statement", err);
	if (rc == ARK_OK)
		rc = begin(k, err);
	if (rc == ARK_OK)
		rc = db_exec(k->set.conn, sql.data, err);
	if (rc < 0)
		return rc;
	if (k->unattached == 0)
		k->attach_ms = ark_time_tick_ms();
	k->unattached += k->ripe.count;
	ark_buf_reset(&k->ripe.rows);
	ark_map_clear(&k->ripe.ids);
	k->ripe.count = 0;
	return ARK_OK;
}

/* Notes are written when the files are on disk: order that, and go on meanwhile. */
static void ripen(struct keeper *k)
{
	struct notes other = k->ripe;
	if (k->ripe.count > 0)
		ark_bug("notes ripen while others do");
	k->ripe = k->notes;
	k->notes = other;
	k->ripe_sync = porters_sync(k->porters);
}

/* Ripe notes into the ledger and committed, if their files are on disk; waits for that when `wait`. */
static enum ark_rc harvest(struct keeper *k, bool wait, struct ark_err *err)
{
	if (k->ripe.count == 0)
		return ARK_OK;
	enum ark_rc rc = porters_synced(k->porters, k->ripe_sync, wait, err);
	if (rc != ARK_OK)
		return rc < 0 ? rc : ARK_OK;
	rc = write_ripe(k, err);
	k->ledger_ms = ark_time_tick_ms();
	return rc < 0 ? rc : db_txn_commit(&k->txn, err);
}

static enum ark_rc note_row(struct keeper *k, const struct parcel *p, const struct keep_row *row,
                            const struct made *made, struct ark_err *err)
{
	if (k->notes.count >= NOTES_MAX || k->notes.rows.len > LIMIT_SQL / 2) {
		enum ark_rc rc = harvest(k, true, err);
		if (rc < 0)
			return rc;
		ripen(k);
	}
	struct ark_buf *b = &k->notes.rows;
	const struct ark_str texts[] = { ark_str_z(row->file_id), row->path, row->mime };
	ark_buf_z(b, k->notes.count > 0 ? ", (" : "(");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		db_literal(b, texts[i]);
		ark_buf_z(b, ", ");
	}
	ark_buf_fmt(b, "%llu::bigint, ", (unsigned long long)p->body.size_bytes);
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
	k->notes.count++;
	ark_map_put(&k->notes.ids, p->file.slack_id, 1);
	k->count.files++;
	return ARK_OK;
}

static enum ark_rc note_plain(struct keeper *k, struct parcel *p, struct ark_err *err)
{
	static const struct made NOTHING = { .thumb = { "", 0 }, .preview = { "", 0 } };
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < p->file.count && rc == ARK_OK; i++)
		rc = note_row(k, p, &p->file.rows[i], &NOTHING, err);
	parcel_empty(p);
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
	enum ark_rc rc = keeper_commit(k, true, err);
	if (rc == ARK_OK)
		rc = begin(k, err);
	return rc < 0 ? rc
	              : db_run(k->set.conn,
	                       "UPDATE matterark.slack_file SET state = 'missing', reason = $2 WHERE workspace = $1 "
	                       "AND state = 'wanted'", DB_PARAMS(k->set.workspace, ark_str_z(reason)), NULL, err);
}

/* ---- images ---- */

/* Is there to be a preview? */
static bool is_image(struct keeper *k, struct parcel *p)
{
	const struct ark_str mime = p->file.rows[0].mime;
	p->kind = image_sniff(body_start(&p->body));
	if (!k->set.previews || p->kind == IMAGE_NONE || !ark_str_starts(mime, ARK_LIT("image/")) ||
	    ark_str_starts(mime, ARK_LIT("image/svg")))
		return false;
	k->count.unpainted += p->body.size_bytes > LIMIT_IMAGE;
	return p->body.size_bytes <= LIMIT_IMAGE;
}

/* Give it to a painter, or let it wait for one. */
static enum ark_rc paint(struct keeper *k, struct parcel *p, struct ark_err *err)
{
	struct ark_str whole;
	p->state = WAITING;
	if (!painters_idle(k->painters))
		return ARK_OK;
	enum ark_rc rc = body_map(&p->body, &whole, err);
	if (rc < 0)
		return rc;
	if (painters_begin(k->painters, (uint64_t)(p - k->parcels), whole, p->kind)) {
		p->state = PAINTING;
		return ARK_OK;
	}
	k->count.unpainted++;
	return note_plain(k, p, err);
}

static enum ark_rc paint_next(struct keeper *k, struct ark_err *err)
{
	for (int i = 0; i < PARCELS; i++)
		if (k->parcels[i].state == WAITING)
			return paint(k, &k->parcels[i], err);
	return ARK_OK;
}

/* "..._thumb.jpg" beside `row`'s file. */
static struct ark_str beside(struct parcel *p, const struct keep_row *row, const char *what)
{
	ark_auto(ark_buf_release) struct ark_buf path;
	ark_buf_init(&path, 2048);
	mime_beside(row->path, what, row->mime, &path);
	return ark_pool_str(&p->paths, ark_buf_view(&path));
}

/* Previews go into the store as bodies do: two loads for each row, thumbnail first. */
static enum ark_rc store_previews(struct keeper *k, struct parcel *p, const struct painted *img, struct ark_err *err)
{
	ark_buf_str(&p->images, img->thumb);
	ark_buf_str(&p->images, img->preview);
	ark_buf_str(&p->images, img->mini);
	enum ark_rc rc = ark_buf_ok(&p->images, "previews", err);
	if (rc < 0)
		return rc;
	p->thumb_len = img->thumb.len;
	p->preview_len = img->preview.len;
	p->sizes = img->sizes;
	free(p->loads);
	p->loads = ark_calloc(2 * (size_t)p->file.count, sizeof(*p->loads));
	const struct ark_str all = ark_buf_view(&p->images);
	for (uint32_t i = 0; i < p->file.count; i++) {
		const struct keep_row *row = &p->file.rows[i];
		p->loads[2 * i] = (struct porter_load){ beside(p, row, "_thumb").ptr,
			                                ark_body_mem(ark_str_first(all, p->thumb_len)) };
		p->loads[2 * i + 1] = (struct porter_load){
			beside(p, row, "_preview").ptr,
			ark_body_mem(ark_str_n(all.ptr + p->thumb_len, p->preview_len))
		};
	}
	p->state = STORING_PREVIEWS;
	p->order = (struct porter_order){ .loads = p->loads, .count = 2 * (size_t)p->file.count };
	return porters_give(k->porters, &p->order, err);
}

static enum ark_rc note_painted(struct keeper *k, struct parcel *p, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	struct ark_str mini = ark_str_from(ark_buf_view(&p->images), p->thumb_len + p->preview_len);
	for (uint32_t i = 0; i < p->file.count && rc == ARK_OK; i++) {
		struct made made = { ark_str_z(p->loads[2 * i].path), ark_str_z(p->loads[2 * i + 1].path), mini,
			             p->sizes.width, p->sizes.height, p->kind != IMAGE_GIF };
		rc = note_row(k, p, &p->file.rows[i], &made, err);
	}
	parcel_empty(p);
	return rc;
}

static enum ark_rc painted(struct keeper *k, const struct painted *img, struct ark_err *err)
{
	struct parcel *p = &k->parcels[img->tag];
	k->count.unpainted += !img->ok;
	enum ark_rc rc = img->ok ? store_previews(k, p, img, err) : note_plain(k, p, err);
	return rc < 0 ? rc : paint_next(k, err);
}

/* ---- storing ---- */

static enum ark_rc carried(struct keeper *k, struct parcel *p, struct ark_err *err)
{
	if (p->order.rc < 0) {
		*err = p->order.err;
		return ark_err_in(err, p->order.rc, "file '%.*s'", ARK_FMT(p->file.name));
	}
	if (p->state == STORING_PREVIEWS)
		return note_painted(k, p, err);
	k->count.bodies++;
	k->count.bytes += p->body.size_bytes;
	k->count.odd_size += p->file.size_bytes > 0 && (uint64_t)p->file.size_bytes != p->body.size_bytes;
	return is_image(k, p) ? paint(k, p, err) : note_plain(k, p, err);
}

/* One thing that porters or painters have done; waits for one when `wait`. ARK_END: there is none. */
static enum ark_rc turn(struct keeper *k, bool wait, struct ark_err *err)
{
	struct painted img;
	struct porter_order *o = porters_take(k->porters, false);
	if (o == NULL && painters_next(k->painters, false, &img))
		return painted(k, &img, err);
	if (o == NULL && wait)
		o = porters_take(k->porters, true);
	if (o != NULL)
		return carried(k, (struct parcel *)o, err);
	return wait && painters_next(k->painters, true, &img) ? painted(k, &img, err) : ARK_END;
}

static struct parcel *idle_parcel(struct keeper *k)
{
	for (int i = 0; i < PARCELS; i++)
		if (k->parcels[i].state == IDLE)
			return &k->parcels[i];
	return NULL;
}

enum ark_rc keeper_store(struct keeper *k, struct keep_file *f, struct body *body, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	struct parcel *p = idle_parcel(k);
	for (; rc == ARK_OK && p == NULL; p = idle_parcel(k))
		rc = turn(k, true, err);
	if (rc < 0)
		return rc;
	struct body empty = p->body;
	p->body = *body;
	*body = empty;
	p->file = *f;
	*f = (struct keep_file){ 0 };
	p->loads = ark_calloc(p->file.count, sizeof(*p->loads));
	for (uint32_t i = 0; i < p->file.count; i++)
		p->loads[i] = (struct porter_load){ p->file.rows[i].path.ptr, body_whole(&p->body) };
	p->order = (struct porter_order){ .loads = p->loads, .count = p->file.count };
	p->state = STORING;
	return porters_give(k->porters, &p->order, err);
}

/* What is stored stands on its posts. */
static enum ark_rc attach(struct keeper *k, struct ark_err *err)
{
	enum ark_rc rc = begin(k, err);
	if (rc == ARK_OK)
		rc = attach_files(k->set.conn, &k->set.how, &k->count.attached, err);
	k->unattached = 0;
	k->looked = true;
	return rc < 0 ? rc : db_txn_commit(&k->txn, err);
}

/* Everything to its end. */
static enum ark_rc finish(struct keeper *k, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	while (rc == ARK_OK)
		rc = turn(k, true, err);
	if (rc == ARK_END)
		rc = harvest(k, true, err);
	if (rc == ARK_OK)
		ripen(k);
	if (rc == ARK_OK)
		rc = harvest(k, true, err);
	if (rc == ARK_OK && (k->unattached > 0 || !k->looked))
		return attach(k, err);
	return rc == ARK_OK && k->txn.conn != NULL ? db_txn_commit(&k->txn, err) : rc;
}

enum ark_rc keeper_commit(struct keeper *k, bool now, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	if (now)
		return finish(k, err);
	while (rc == ARK_OK)
		rc = turn(k, false, err);
	if (rc == ARK_END)
		rc = harvest(k, false, err);
	int64_t tick = ark_time_tick_ms();
	if (rc < 0 || tick - k->ledger_ms < LEDGER_MS)
		return rc;
	if (k->ripe.count == 0 && k->notes.count > 0)
		ripen(k);
	else if (k->ripe.count == 0 && k->txn.conn != NULL) { /* only what is missing */
		k->ledger_ms = tick;
		return db_txn_commit(&k->txn, err);
	}
	return k->unattached >= ATTACH_FILES || (k->unattached > 0 && tick - k->attach_ms >= ATTACH_MS) ? attach(k, err)
	                                                                                               : ARK_OK;
}
