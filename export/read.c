/*
 * Why two connections: joining everything in one statement makes the server build what is thrown away
 * for nine posts in ten. Here the posts stream by, and only for those that have something the other
 * connection is asked, by primary key, for a whole batch at once.
 */
#include "export/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/db/binary.h"
#include "common/db/text.h"
#include "common/json/value.h"

#include "common/base/banned.h"

#define READ_BATCH_BYTES (3u << 19) /* 1.5 MiB of rows wait together */
#define READ_BATCH_POSTS 8192
#define ROW_CEIL (64u << 20)        /* one row; PostgreSQL gives none above 1 GB, servers none above 4 MB */
#define SIDE_CEIL (256u << 20)      /* what hangs on the posts of a batch; a batch of one post at worst */

enum { CHANNEL, ID, CREATE, UPDATE, EDIT, DELETE, USER, ROOT, ORIGINAL, TEXT, TYPE, PROPS, TAGS, PINNED, REMOTE,
       HAS_REACTIONS, HAS_FILES, HAS_VERSIONS, HAS_PRIORITY, HAS_ACKS, HIT, COLUMNS };

/* What is asked for separately. */
enum side { REACTIONS, FILES, VERSIONS, PRIORITY, ACKS, SIDES };
#define SIDE_COLUMNS_MAX 12

struct side_query {
	const char *table;
	const char *columns; /* behind the post's number */
	const char *key;     /* column with the post's id */
	const char *order;
	size_t count;        /* columns, the number included */
};

/* Fact  docs/mattermost-facts.md "Reactions", "Files", "Posts": reactions that were taken back stay with
 *       deleteat; files are found by fileinfo.postid; an edit keeps the old text under originalid, and
 *       editat of a copy is when that text was written */
static const struct side_query SIDE[SIDES] = {
	[REACTIONS] = { "reactions", "x.userid, x.emojiname, x.createat, x.deleteat", "postid",
	                NULL, 5 }, /* sorted here */
	[FILES] = { "fileinfo", "x.id, x.name, x.extension, x.mimetype, x.creatorid, x.path, x.size, "
	            "x.createat, x.deleteat, x.width, x.height", "postid",
	            "x.createat, x.id COLLATE \"C\"", 12 },
	[VERSIONS] = { "posts", "x.id, x.message, x.editat", "originalid",
	               "coalesce(x.editat, 0), x.deleteat, x.id COLLATE \"C\"", 4 },
	[PRIORITY] = { "postspriority", "x.priority, x.requestedack, x.persistentnotifications", "postid",
	               "x.postid", 4 },
	[ACKS] = { "postacknowledgements", "x.userid, x.acknowledgedat", "postid",
	           "x.acknowledgedat, x.userid COLLATE \"C\"", 3 },
};

/* Where a row lies in its buffer. */
struct row_at {
	size_t at, len;
	uint32_t post; /* index in the batch */
	int64_t ms;    /* of a reaction: when */
};

struct rows {
	struct ark_buf raw;
	struct row_at *list;
	size_t count, cap;
	size_t next; /* the first one not yet used */
};

struct export_reader {
	struct export_reader_options opt;
	struct db_conn *posts, *side;
	struct db_txn posts_txn, side_txn;
	bool original_indexed; /* from 7.9 on */
	bool has_side[SIDES]; /* the table is there and holds anything */
	struct rows batch;
	struct rows sides[SIDES];
	uint32_t *asked; /* for one side: index in the batch of the n-th id */
	struct json_doc *props;
	struct ark_buf props_text; /* padded for the parser */
	struct ark_buf sql;
	/* Of the record being made. */
	struct export_reaction *reactions;
	struct export_attachment *files;
	struct export_version *versions;
	struct export_ack *acks;
	size_t reactions_cap, files_cap, versions_cap, acks_cap;
	struct file_text {
		char sha256[65], copy[EXPORT_COPY_PATH];
	} *file_texts;
	size_t file_texts_cap;
	struct export_member *members;
	struct ark_buf members_text;
	struct export_channel *channel; /* begun and not ended */
};

/* --- rows kept as they came -------------------------------------------------------------------- */

static void rows_init(struct rows *r, size_t ceil_bytes)
{
	*r = (struct rows){ 0 };
	ark_buf_init(&r->raw, ceil_bytes);
}

static void rows_release(struct rows *r)
{
	ark_buf_release(&r->raw);
	free(r->list);
}

static void rows_reset(struct rows *r)
{
	ark_buf_reset(&r->raw);
	r->count = r->next = 0;
}

static void rows_add(struct rows *r, struct ark_str row, uint32_t post, int64_t ms)
{
	if (r->count == r->cap) {
		r->cap = r->cap > 0 ? r->cap * 2 : 256;
		r->list = ark_realloc(r->list, r->cap, sizeof(r->list[0]));
	}
	r->list[r->count++] = (struct row_at){ r->raw.len, row.len, post, ms };
	ark_buf_str(&r->raw, row);
}

static bool rows_split(const struct rows *r, size_t n, struct ark_str *fields, size_t count)
{
	return db_binary_split(ark_str_n(r->raw.data + r->list[n].at, r->list[n].len), fields, count);
}

/* Room for one more element. */
static void grow(void *array, size_t *cap, size_t count, size_t size)
{
	void **p = array;
	if (count < *cap)
		return;
	*cap = *cap > 0 ? *cap * 2 : 16;
	*p = ark_realloc(*p, *cap, size);
}

/* --- opening ----------------------------------------------------------------------------------- */

enum ark_rc export_by_index(struct db_conn *conn, struct ark_err *err)
{
	/* Everything here is found by an index. Where statistics say that a column has one value only (no post
	 * was ever edited), the planner would read the whole table once per post. */
	enum ark_rc rc = db_exec(conn, "SET LOCAL enable_seqscan = off", err);
	if (rc == ARK_OK && db_server_version(conn) >= 110000)
		rc = db_exec(conn, "SET LOCAL jit = off", err);
	if (rc == ARK_OK)
		rc = db_exec(conn, "SET LOCAL work_mem = '24MB'; SET LOCAL max_parallel_workers_per_gather = 0", err);
	return rc;
}

/* Bring a transaction into the snapshot, for many questions that indexes answer. */
static enum ark_rc snapshot_join(struct db_conn *conn, const char *snapshot, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf sql;
	ark_buf_init(&sql, 4096);
	ark_buf_z(&sql, "SET TRANSACTION SNAPSHOT ");
	db_literal(&sql, ark_str_z(snapshot));
	enum ark_rc rc = db_exec(conn, sql.data, err);
	if (rc < 0)
		return ark_err_in(err, rc, "joining the snapshot '%s'", snapshot);
	return export_by_index(conn, err);
}

static enum ark_rc open_one(struct export_reader *r, struct db_conn **conn, struct db_txn *txn,
                            struct ark_err *err)
{
	enum ark_rc rc = db_open(r->opt.dsn, &r->opt.db, conn, err);
	if (rc == ARK_OK)
		rc = db_txn_begin(txn, *conn, "ISOLATION LEVEL REPEATABLE READ, READ ONLY", err);
	return rc == ARK_OK ? snapshot_join(*conn, r->opt.snapshot, err) : rc;
}

static const char ORIGINAL_INDEX_SQL[] =
	"SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
	"WHERE i.indrelid = 'posts'::regclass AND a.attname = 'originalid' AND i.indisvalid AND i.indpred IS NULL";

static enum ark_rc look_at_sides(struct export_reader *r, struct ark_err *err)
{
	for (int i = 0; i < SIDES; i++) {
		char sql[128];
		ark_auto(db_result_freep) struct db_result *res = NULL;
		if (!mm_has_table(r->opt.sel->info, SIDE[i].table))
			continue;
		snprintf(sql, sizeof(sql), "SELECT 1 FROM %s LIMIT 1", SIDE[i].table);
		enum ark_rc rc = db_query(r->side, sql, DB_NO_PARAMS, &res, err);
		if (rc < 0)
			return rc;
		r->has_side[i] = db_rows(res) > 0;
	}
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(r->side, ORIGINAL_INDEX_SQL, DB_NO_PARAMS, &res, err);
	r->original_indexed = rc == ARK_OK && db_rows(res) > 0;
	return rc;
}

enum ark_rc export_reader_open(const struct export_reader_options *opt, struct export_reader **out,
                               struct ark_err *err)
{
	struct export_reader *r = ark_calloc(1, sizeof(*r));
	r->opt = *opt;
	rows_init(&r->batch, ROW_CEIL + READ_BATCH_BYTES);
	for (int i = 0; i < SIDES; i++)
		rows_init(&r->sides[i], SIDE_CEIL);
	r->asked = ark_calloc(READ_BATCH_POSTS, sizeof(r->asked[0]));
	r->props = json_doc_new();
	ark_buf_init(&r->props_text, ROW_CEIL);
	ark_buf_init(&r->sql, LIMIT_SQL);
	ark_buf_init(&r->members_text, SIDE_CEIL);
	enum ark_rc rc = open_one(r, &r->posts, &r->posts_txn, err);
	r->side = opt->side;
	if (rc == ARK_OK && r->side == NULL)
		rc = open_one(r, &r->side, &r->side_txn, err);
	if (rc == ARK_OK)
		rc = look_at_sides(r, err);
	if (rc < 0) {
		export_reader_close(r);
		return rc;
	}
	*out = r;
	return ARK_OK;
}

void export_reader_close(struct export_reader *r)
{
	if (r == NULL)
		return;
	export_bodies_free(r->opt.bodies);
	db_txn_end(&r->posts_txn);
	db_txn_end(&r->side_txn);
	db_close(r->posts);
	if (r->opt.side == NULL)
		db_close(r->side);
	rows_release(&r->batch);
	for (int i = 0; i < SIDES; i++)
		rows_release(&r->sides[i]);
	free(r->asked);
	json_doc_free(r->props);
	ark_buf_release(&r->props_text);
	ark_buf_release(&r->sql);
	ark_buf_release(&r->members_text);
	free(r->members);
	free(r->reactions);
	free(r->files);
	free(r->versions);
	free(r->acks);
	free(r->file_texts);
	free(r);
}

/* --- statements -------------------------------------------------------------------------------- */

/* Whether a post has rows of this kind, as SQL: its own columns tell, or the table is asked. */
static void has_sql(const struct export_reader *r, enum side side, struct ark_buf *sql)
{
	static const char *const COLUMNS_TELL[SIDES] = {
		[REACTIONS] = "(p.hasreactions OR p.updateat > p.createat)",
		[FILES] = "(length(p.fileids) > 2 OR p.updateat > p.createat)",
		[VERSIONS] = "p.editat > 0",
	};
	/* An edit sets editat in every release, so copies are never asked for without it. */
	bool ask = r->opt.thorough && side != VERSIONS;
	if (!r->has_side[side])
		ark_buf_z(sql, "false");
	else if (COLUMNS_TELL[side] != NULL && !ask)
		ark_buf_z(sql, COLUMNS_TELL[side]);
	else
		ark_buf_fmt(sql, "EXISTS (SELECT 1 FROM %s x WHERE x.%s = p.id)", SIDE[side].table,
		            SIDE[side].key);
}

static void match_sql(const struct export_scope *s, struct ark_buf *sql)
{
	for (size_t i = 0; i < s->match.count; i++) {
		ark_buf_z(sql, i > 0 ? " OR " : "(");
		ark_buf_z(sql, "strpos(lower(p.message), lower(");
		db_literal(sql, ark_str_z(s->match.items[i]));
		ark_buf_z(sql, ")) > 0");
	}
	ark_buf_c(sql, ')');
}

/* Posts in scope, and copies whose post is gone. The scalar subquery is asked for copies only; as NOT
 * EXISTS the server could read all posts for it. */
#define NO_COPIES \
	" AND (p.originalid = '' OR (SELECT o.id FROM posts o WHERE o.id = p.originalid) IS NULL)"

/*
 * The channels of a task as an array. Formats that take channels in any order get them as the index has
 * them: a walk along it and a sort of each channel by itself, two thirds of what one look-up per channel takes.
 */
static void task_channels(const struct export_reader *r, const struct export_task *task, struct ark_buf *ids)
{
	db_array_begin(ids);
	for (uint32_t i = 0; i < task->count; i++) {
		const struct export_channel *c = &r->opt.sel->channels[task->first + i];
		db_array_item(ids, c->posts > 0 ? c->id : ARK_STR_NONE); /* nothing there, or another shard's */
	}
	db_array_end(ids);
}

static void from_sql(const struct export_reader *r, const struct export_task *task, struct ark_buf *sql)
{
	const struct export_scope *s = r->opt.sel->scope;
	if (s->match.count > 0) {
		ark_auto(ark_buf_release) struct ark_buf hit;
		ark_buf_init(&hit, LIMIT_SQL);
		match_sql(s, &hit);
		ark_buf_fmt(sql, " FROM (SELECT p.*, %s AS hit, bool_or(%s) OVER (ORDER BY p.createat, p.id COLLATE "
		                 "\"C\" ROWS BETWEEN %lld PRECEDING AND %lld FOLLOWING) AS near FROM posts p WHERE ",
		            hit.data, hit.data, (long long)s->context, (long long)s->context);
		export_task_where(r->opt.sel, task, sql);
		ark_buf_z(sql, NO_COPIES ") p WHERE p.near");
		return;
	}
	ark_buf_z(sql, " FROM posts p");
	ark_auto(ark_buf_release) struct ark_buf ids;
	ark_buf_init(&ids, LIMIT_SQL);
	if (task->count > 1)
		task_channels(r, task, &ids);
	if (task->count > 1 && r->opt.sel->in_order) {
		ark_buf_z(sql, " JOIN unnest(");
		db_literal(sql, ark_buf_view(&ids));
		ark_buf_z(sql, "::varchar[]) WITH ORDINALITY c(id, n) ON p.channelid = c.id");
	}
	ark_buf_z(sql, " WHERE ");
	if (task->count > 1 && !r->opt.sel->in_order) {
		ark_buf_z(sql, "p.channelid = ANY (");
		db_literal(sql, ark_buf_view(&ids));
		ark_buf_z(sql, "::varchar[]) AND ");
	}
	export_task_where(r->opt.sel, task, sql);
	ark_buf_z(sql, NO_COPIES);
}

static void columns_sql(const struct export_reader *r, struct ark_buf *sql)
{
	ark_buf_z(sql, "COPY (SELECT p.channelid, p.id, p.createat, p.updateat, p.editat, p.deleteat, p.userid, "
	               "p.rootid, p.originalid, p.message, p.type, p.props, p.hashtags, p.ispinned, p.remoteid");
	for (int i = 0; i < SIDES; i++) {
		ark_buf_z(sql, ", ");
		has_sql(r, (enum side)i, sql);
	}
	ark_buf_z(sql, r->opt.sel->scope->match.count > 0 ? ", p.hit" : ", false");
}

static void posts_sql(struct export_reader *r, const struct export_task *task)
{
	struct ark_buf *sql = &r->sql;
	ark_buf_reset(sql);
	columns_sql(r, sql);
	from_sql(r, task, sql);
	ark_buf_fmt(sql, " ORDER BY %sp.createat, p.id COLLATE \"C\") TO STDOUT (FORMAT binary)",
	            task->count == 1 ? "" : r->opt.sel->in_order ? "c.n, " : "p.channelid, ");
}

/* --- what hangs on the posts of a batch -------------------------------------------------------- */

/* The statement for one side; false when no post of the batch has any. */
static bool side_sql(struct export_reader *r, enum side side)
{
	ark_auto(ark_buf_release) struct ark_buf ids;
	ark_buf_init(&ids, LIMIT_SQL);
	uint32_t n = 0;
	db_array_begin(&ids);
	for (uint32_t i = 0; i < r->batch.count; i++) {
		struct ark_str f[COLUMNS];
		if (!rows_split(&r->batch, i, f, COLUMNS) || !db_binary_bool(f[HAS_REACTIONS + side]))
			continue;
		db_array_item(&ids, f[ID]);
		r->asked[n++] = i;
	}
	db_array_end(&ids);
	const struct side_query *q = &SIDE[side];
	ark_buf_reset(&r->sql);
	ark_buf_fmt(&r->sql, "COPY (SELECT q.n, %s FROM unnest(", q->columns);
	db_literal(&r->sql, ark_buf_view(&ids));
	/* LATERAL with OFFSET 0 asks the index once per id. As a plain join the planner would, where its
	 * statistics say that nearly all posts have the same originalid, walk through all of them; without the
	 * index that is the better of two evils. */
	bool each = side != VERSIONS || r->original_indexed;
	ark_buf_fmt(&r->sql, each ? "::varchar[]) WITH ORDINALITY q(id, n) CROSS JOIN LATERAL (SELECT * FROM %s y "
	                            "WHERE y.%s = q.id OFFSET 0) x"
	                          : "::varchar[]) WITH ORDINALITY q(id, n) JOIN %s x ON x.%s = q.id",
	            q->table, q->key);
	if (q->order != NULL)
		ark_buf_fmt(&r->sql, " ORDER BY q.n, %s", q->order);
	ark_buf_z(&r->sql, ") TO STDOUT (FORMAT binary)");
	return n > 0;
}

/* By post, time, person and emoji. The server takes three times as long for this. */
static int reactions_in_order(const void *a, const void *b, void *ctx)
{
	const struct rows *rows = ctx;
	const struct row_at *x = a, *y = b;
	if (x->post != y->post)
		return x->post < y->post ? -1 : 1;
	if (x->ms != y->ms)
		return x->ms < y->ms ? -1 : 1;
	struct ark_str f[SIDE_COLUMNS_MAX], g[SIDE_COLUMNS_MAX];
	if (!db_binary_split(ark_str_n(rows->raw.data + x->at, x->len), f, SIDE[REACTIONS].count) ||
	    !db_binary_split(ark_str_n(rows->raw.data + y->at, y->len), g, SIDE[REACTIONS].count))
		return 0;
	int order = ark_str_cmp(db_binary_text(f[1]), db_binary_text(g[1]));
	return order != 0 ? order : ark_str_cmp(db_binary_text(f[2]), db_binary_text(g[2]));
}

static enum ark_rc read_side(struct export_reader *r, enum side side, struct ark_err *err)
{
	struct rows *rows = &r->sides[side];
	rows_reset(rows);
	if (!r->has_side[side] || !side_sql(r, side))
		return ARK_OK;
	enum ark_rc rc = ark_buf_ok(&r->sql, "a statement", err);
	if (rc == ARK_OK)
		rc = db_copy_out_begin(r->side, r->sql.data, err);
	struct db_binary b = { 0 };
	struct ark_str row, f[SIDE_COLUMNS_MAX];
	while (rc == ARK_OK && (rc = db_binary_raw(&b, r->side, &row, err)) == ARK_OK) {
		int64_t n = db_binary_split(row, f, SIDE[side].count) ? db_binary_i64(f[0]) : 0;
		if (n < 1 || n > READ_BATCH_POSTS)
			return ark_err_stop(err, ARK_KIND_DB, "unexpected answer about %s", SIDE[side].table);
		rows_add(rows, row, r->asked[n - 1], side == REACTIONS ? db_binary_i64(f[3]) : 0);
	}
	if (rc < 0)
		return ark_err_in(err, rc, "reading %s", SIDE[side].table);
	rc = ark_buf_ok(&rows->raw, SIDE[side].table, err);
	if (rc == ARK_OK && side == REACTIONS && rows->count > 1)
		qsort_r(rows->list, rows->count, sizeof(rows->list[0]), reactions_in_order, rows);
	return rc;
}

/* The next row of this side if it belongs to the post. */
static bool take_side(struct export_reader *r, enum side side, uint32_t post, struct ark_str *f)
{
	struct rows *rows = &r->sides[side];
	if (rows->next == rows->count || rows->list[rows->next].post != post)
		return false;
	(void)rows_split(rows, rows->next++, f, SIDE[side].count);
	return true;
}

static void take_reactions(struct export_reader *r, uint32_t post, struct export_record *out)
{
	struct ark_str f[SIDE_COLUMNS_MAX];
	while (take_side(r, REACTIONS, post, f)) {
		grow(&r->reactions, &r->reactions_cap, out->reactions_count, sizeof(r->reactions[0]));
		r->reactions[out->reactions_count++] = (struct export_reaction){
			.emoji = db_binary_text(f[2]), .user_id = db_binary_text(f[1]),
			.person = export_person_find(r->opt.run, db_binary_text(f[1])),
			.create_ms = db_binary_i64(f[3]), .delete_ms = db_binary_i64(f[4]) };
	}
	out->reactions = r->reactions;
}

static void take_acks(struct export_reader *r, uint32_t post, struct export_record *out)
{
	struct ark_str f[SIDE_COLUMNS_MAX];
	while (take_side(r, ACKS, post, f)) {
		if (db_binary_i64(f[2]) == 0) /* withdrawn */
			continue;
		grow(&r->acks, &r->acks_cap, out->acks_count, sizeof(r->acks[0]));
		r->acks[out->acks_count++] = (struct export_ack){
			.user_id = db_binary_text(f[1]), .ack_ms = db_binary_i64(f[2]),
			.person = export_person_find(r->opt.run, db_binary_text(f[1])) };
	}
	out->acks = r->acks;
}

/* Each text was written when its copy's editat says, and replaced when the next one was written. */
static void take_versions(struct export_reader *r, uint32_t post, struct export_record *out)
{
	struct ark_str f[SIDE_COLUMNS_MAX];
	while (take_side(r, VERSIONS, post, f)) {
		grow(&r->versions, &r->versions_cap, out->versions_count, sizeof(r->versions[0]));
		int64_t edit_ms = db_binary_i64(f[3]);
		r->versions[out->versions_count++] = (struct export_version){
			.id = db_binary_text(f[1]), .text = db_binary_text(f[2]),
			.edit_ms = edit_ms > 0 ? edit_ms : out->create_ms, .replaced_ms = out->edit_ms };
	}
	for (size_t i = 1; i < out->versions_count; i++)
		r->versions[i - 1].replaced_ms = r->versions[i].edit_ms;
	out->versions = r->versions;
}

static enum ark_rc take_files(struct export_reader *r, uint32_t post, struct export_record *out,
                              struct ark_err *err)
{
	struct ark_str f[SIDE_COLUMNS_MAX];
	while (take_side(r, FILES, post, f)) {
		grow(&r->files, &r->files_cap, out->attachments_count, sizeof(r->files[0]));
		r->files[out->attachments_count++] = (struct export_attachment){
			.id = db_binary_text(f[1]), .name = db_binary_text(f[2]),
			.extension = db_binary_text(f[3]), .mime_type = db_binary_text(f[4]),
			.user_id = db_binary_text(f[5]), .store_path = db_binary_text(f[6]),
			.size_bytes = db_binary_i64(f[7]), .create_ms = db_binary_i64(f[8]),
			.delete_ms = db_binary_i64(f[9]), .width = (int32_t)db_binary_i64(f[10]),
			.height = (int32_t)db_binary_i64(f[11]) };
	}
	out->attachments = r->files;
	for (size_t i = 0; i < out->attachments_count && r->opt.bodies != NULL; i++) {
		struct export_attachment *a = &r->files[i];
		grow(&r->file_texts, &r->file_texts_cap, i, sizeof(r->file_texts[0]));
		enum ark_rc rc = export_bodies_look(r->opt.bodies, a->store_path, &a->bytes,
		                                    r->file_texts[i].sha256, r->file_texts[i].copy, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < out->attachments_count && r->opt.bodies != NULL; i++) {
		struct export_attachment *a = &r->files[i]; /* file_texts does not move any more */
		if (a->bytes == EXPORT_BYTES_REFERENCED || a->bytes == EXPORT_BYTES_COPIED)
			a->sha256 = ark_str_z(r->file_texts[i].sha256);
		if (a->bytes == EXPORT_BYTES_COPIED)
			a->copy_path = ark_str_z(r->file_texts[i].copy);
	}
	return ARK_OK;
}

/* --- one record -------------------------------------------------------------------------------- */

static bool says_true(struct json_val v)
{
	return json_is_true(v) || ark_str_eqz(json_text(v), "true");
}

/* Fact  docs/mattermost-facts.md "Posts": reserved keys of props; "true" is a string there */
static void read_props(struct export_reader *r, struct export_record *out)
{
	struct ark_err ignored = { 0 };
	struct json_val root;
	ark_buf_reset(&r->props_text);
	ark_buf_str(&r->props_text, out->props);
	size_t len = r->props_text.len;
	if (ark_buf_room(&r->props_text, JSON_PADDING) == NULL ||
	    json_doc_parse(r->props, r->props_text.data, len, &root, &ignored) < 0)
		return; /* the text itself is exported; jsonb numbers may be larger than a parser takes */
	struct export_origin *o = &out->origin;
	struct json_iter it = json_fields(root);
	struct ark_str key;
	for (struct json_val v; json_next_field(&it, &key, &v);) {
		if (ark_str_eqz(key, "deleteBy") && out->delete_ms > 0)
			out->deleted_by_id = json_text(v);
		else if (ark_str_eqz(key, "from_webhook"))
			o->from_webhook = says_true(v);
		else if (ark_str_eqz(key, "from_bot"))
			o->from_bot = says_true(v);
		else if (ark_str_eqz(key, "from_plugin"))
			o->from_plugin = says_true(v);
		else if (ark_str_eqz(key, "from_oauth_app"))
			o->from_oauth_app = says_true(v);
		else if (ark_str_eqz(key, "override_username"))
			o->override_name = json_text(v);
		else if (ark_str_eqz(key, "override_icon_url"))
			o->override_icon_url = json_text(v);
		else if (ark_str_eqz(key, "override_icon_emoji"))
			o->override_icon_emoji = json_text(v);
		else if (ark_str_eqz(key, "webhook_display_name"))
			o->webhook_name = json_text(v);
	}
	o->any = o->from_webhook || o->from_bot || o->from_plugin || o->from_oauth_app ||
	         ark_str_has(o->override_name) || ark_str_has(o->override_icon_url) ||
	         ark_str_has(o->override_icon_emoji) || ark_str_has(o->webhook_name);
	if (ark_str_has(out->deleted_by_id))
		out->deleted_by = export_person_find(r->opt.run, out->deleted_by_id);
}

static struct ark_str or_none(struct ark_str field)
{
	return field.len > 0 ? field : ARK_STR_NONE;
}

static void fill_record(struct export_reader *r, const struct export_channel *channel,
                        const struct ark_str *f, struct export_record *out)
{
	*out = (struct export_record){
		.what = f[ORIGINAL].len > 0 ? EXPORT_ORPHAN : EXPORT_POST,
		.channel = channel,
		.id = f[ID],
		.root_id = or_none(f[ROOT]),
		.original_id = or_none(f[ORIGINAL]),
		.author_id = db_binary_text(f[USER]),
		.create_ms = db_binary_i64(f[CREATE]),
		.update_ms = db_binary_i64(f[UPDATE]),
		.edit_ms = db_binary_i64(f[EDIT]),
		.delete_ms = db_binary_i64(f[DELETE]),
		.text = db_binary_text(f[TEXT]),
		.type = db_binary_text(f[TYPE]),
		.props = db_binary_jsonb(f[PROPS]),
		.hashtags = db_binary_text(f[TAGS]),
		.remote_id = or_none(f[REMOTE]),
		.is_pinned = db_binary_bool(f[PINNED]),
		.match = db_binary_bool(f[HIT]),
	};
	out->author = export_person_find(r->opt.run, out->author_id);
	out->is_system = ark_str_starts(out->type, ARK_LIT("system_"));
	out->participants_known = channel->history_from_ms > 0 && out->create_ms >= channel->history_from_ms;
	if (out->props.len > 2)
		read_props(r, out);
}

static enum ark_rc make_record(struct export_reader *r, const struct export_channel *channel, uint32_t post,
                               const struct ark_str *f, const struct export_sink *sink, struct ark_err *err)
{
	struct export_record record;
	fill_record(r, channel, f, &record);
	take_reactions(r, post, &record);
	take_versions(r, post, &record);
	take_acks(r, post, &record);
	struct ark_str p[SIDE_COLUMNS_MAX];
	if (take_side(r, PRIORITY, post, p)) {
		record.has_priority = true;
		record.priority = db_binary_text(p[1]);
		record.requested_ack = db_binary_bool(p[2]);
		record.persistent_notifications = db_binary_bool(p[3]);
	}
	enum ark_rc rc = take_files(r, post, &record, err);
	return rc == ARK_OK ? sink->record(sink->ctx, &record, err) : rc;
}

/* --- channels and their members ---------------------------------------------------------------- */

/* Stays from the history, and members of whom it knows no open stay.
 * Fact  docs/mattermost-facts.md "Members" */
#define MEMBERS_OF \
	"SELECT h.userid, h.jointime, h.leavetime, m.userid IS NOT NULL AND h.leavetime IS NULL AS now, " \
	"coalesce(m.schemeadmin, false) FROM channelmemberhistory h LEFT JOIN channelmembers m " \
	"ON m.channelid = h.channelid AND m.userid = h.userid WHERE h.channelid = $1 UNION ALL " \
	"SELECT m.userid, 0, NULL, true, coalesce(m.schemeadmin, false) FROM channelmembers m " \
	"WHERE m.channelid = $1 AND NOT EXISTS (SELECT 1 FROM channelmemberhistory h " \
	"WHERE h.channelid = m.channelid AND h.userid = m.userid AND h.leavetime IS NULL)"
static const char MEMBERS_SQL[] = "SELECT * FROM (" MEMBERS_OF ") s ORDER BY userid COLLATE \"C\", jointime";

static enum ark_rc load_members(struct export_reader *r, struct export_channel *c, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(r->side, MEMBERS_SQL, DB_PARAMS(c->id), &res, err);
	if (rc < 0)
		return ark_err_in(err, rc, "reading the members of a channel");
	size_t n = db_rows(res);
	r->members = ark_realloc(r->members, n + 1, sizeof(r->members[0]));
	ark_buf_reset(&r->members_text);
	for (size_t i = 0; i < n; i++)
		ark_buf_str(&r->members_text, db_value(res, i, 0));
	rc = ark_buf_ok(&r->members_text, "the list of members", err);
	const char *at = r->members_text.data;
	for (size_t i = 0; rc == ARK_OK && i < n; i++) {
		struct ark_str id = ark_str_n(at, db_value(res, i, 0).len);
		at += id.len;
		r->members[i] = (struct export_member){
			.user_id = id, .person = export_person_find(r->opt.run, id),
			.join_ms = db_i64(res, i, 1), .leave_ms = db_i64(res, i, 2),
			.now = db_bool(res, i, 3), .admin = db_bool(res, i, 4) };
	}
	c->members = r->members;
	c->members_count = n;
	return rc;
}

static enum ark_rc end_channel(struct export_reader *r, const struct export_sink *sink, struct ark_err *err)
{
	struct export_channel *c = r->channel;
	r->channel = NULL;
	if (c == NULL)
		return ARK_OK;
	enum ark_rc rc = sink->channel_end(sink->ctx, c, err);
	if (r->opt.wants_members) {
		c->members = NULL;
		c->members_count = 0;
	}
	return rc;
}

static enum ark_rc begin_channel(struct export_reader *r, struct export_channel *c,
                                 const struct export_sink *sink, struct ark_err *err)
{
	enum ark_rc rc = r->opt.wants_members ? load_members(r, c, err) : ARK_OK;
	if (rc < 0)
		return rc;
	r->channel = c;
	return sink->channel_begin(sink->ctx, r->channel, err);
}

/* --- a task ------------------------------------------------------------------------------------ */

/* Rows until the batch is full; ARK_END with what is left when there are no more. */
static enum ark_rc fill_batch(struct export_reader *r, struct db_binary *b, struct ark_err *err)
{
	struct ark_str row;
	enum ark_rc rc = ARK_OK;
	rows_reset(&r->batch);
	while (r->batch.raw.len < READ_BATCH_BYTES && r->batch.count < READ_BATCH_POSTS) {
		rc = db_binary_raw(b, r->posts, &row, err);
		if (rc != ARK_OK)
			break;
		rows_add(&r->batch, row, 0, 0);
	}
	if (rc >= 0 && r->batch.raw.failed)
		return ark_buf_ok(&r->batch.raw, "a row of posts", err);
	return rc;
}

/* Channels of a task that hold nothing in scope are passed over. */
static enum ark_rc give_batch(struct export_reader *r, bool channels, const struct export_sink *sink,
                              struct ark_err *err)
{
	const struct export_selection *sel = r->opt.sel;
	enum ark_rc rc = ARK_OK;
	for (int i = 0; i < SIDES && rc == ARK_OK; i++)
		rc = read_side(r, (enum side)i, err);
	for (uint32_t i = 0; i < r->batch.count && rc == ARK_OK; i++) {
		struct ark_str f[COLUMNS];
		if (!rows_split(&r->batch, i, f, COLUMNS))
			return ark_err_stop(err, ARK_KIND_DB, "unexpected answer about posts");
		uint32_t at = r->channel != NULL && ark_str_eq(r->channel->id, f[CHANNEL])
		                      ? (uint32_t)(r->channel - sel->channels)
		                      : ark_map_get(&sel->channel_at, f[CHANNEL]);
		if (at == ARK_MAP_NONE)
			return ark_err_stop(err, ARK_KIND_DB, "unexpected answer about posts");
		struct export_channel *c = &sel->channels[at];
		if (channels && r->channel != c) {
			rc = end_channel(r, sink, err);
			if (rc == ARK_OK)
				rc = begin_channel(r, c, sink, err);
		}
		if (rc == ARK_OK)
			rc = make_record(r, c, i, f, sink, err);
	}
	for (int i = 0; i < SIDES && rc == ARK_OK; i++)
		if (r->sides[i].next != r->sides[i].count)
			ark_bug("%s of posts that are not in the batch", SIDE[i].table);
	return rc;
}

enum ark_rc export_reader_task(struct export_reader *r, const struct export_task *task,
                               const struct export_sink *sink, struct ark_err *err)
{
	posts_sql(r, task);
	enum ark_rc rc = ark_buf_ok(&r->sql, "a statement", err);
	if (rc == ARK_OK)
		rc = db_copy_out_begin(r->posts, r->sql.data, err);
	struct db_binary b = { 0 };
	r->channel = NULL;
	while (rc == ARK_OK) {
		rc = fill_batch(r, &b, err);
		if (rc < 0)
			return ark_err_in(err, rc, "reading posts");
		bool last = rc == ARK_END;
		rc = give_batch(r, true, sink, err);
		if (rc == ARK_OK && last)
			return end_channel(r, sink, err);
	}
	return rc;
}

enum ark_rc export_reader_posts(struct export_reader *r, const struct ark_str *ids, size_t count,
                                const struct export_sink *sink, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf list;
	ark_buf_init(&list, LIMIT_SQL);
	db_array_begin(&list);
	for (size_t i = 0; i < count; i++)
		db_array_item(&list, ids[i]);
	db_array_end(&list);
	ark_buf_reset(&r->sql);
	columns_sql(r, &r->sql);
	ark_buf_z(&r->sql, " FROM posts p WHERE p.id = ANY(");
	db_literal(&r->sql, ark_buf_view(&list));
	ark_buf_z(&r->sql, "::varchar[]) ORDER BY p.channelid COLLATE \"C\", p.createat, p.id COLLATE \"C\") TO STDOUT (FORMAT binary)");
	enum ark_rc rc = ark_buf_ok(&r->sql, "a statement", err);
	if (rc == ARK_OK)
		rc = db_copy_out_begin(r->posts, r->sql.data, err);
	struct db_binary b = { 0 };
	while (rc == ARK_OK) {
		rc = fill_batch(r, &b, err);
		if (rc < 0)
			return ark_err_in(err, rc, "reading posts");
		bool last = rc == ARK_END;
		rc = give_batch(r, false, sink, err);
		if (rc == ARK_OK && last)
			return ARK_OK;
	}
	return rc;
}
