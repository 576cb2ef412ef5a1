/*
 * matter-export merge: the parts of one run (--shard) to the export that one job would have made. Every
 * part is verified first; what is copied is compared with its manifest again. Parts must come from one
 * snapshot, be of one scope, and be there once each. data/ becomes the same, byte by byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/human.h"
#include "common/cli/signal.h"
#include "common/json/out.h"
#include "common/json/value.h"
#include "export/app.h"
#include "export/folder.h"
#include "export/seal.h"
#include "export/series.h"
#include "export/sign.h"
#include "export/verify.h"

#include "common/base/banned.h"

#define RUN_MAX (64u << 20)
#define LINE_KEEP (64u << 10)

enum { ROWS, POSTS, ORPHANS, PURGED, PEOPLE, CHANNELS, COUNTS };
static const char *const COUNT_NAMES[COUNTS] = { "rows_in_database", "posts", "orphans", "purged", "people",
	                                         "channels" };

/* Of one channel, from the first part; records are added up. */
struct line {
	char *team, *channel, *id;
	int64_t history_from; /* 0: unknown */
	uint64_t records;
};

struct merge {
	struct export_app *app;
	struct ark_buf run; /* run.json of the part being read, padded */
	struct json_doc *doc;
	struct json_val root;
	/* Taken from the first part; the others must say the same. */
	struct ark_buf same;
	int64_t shards;
	bool *seen; /* by shard, from 1 */
	/* Added up. */
	uint64_t counts[COUNTS], left[LEFT_COUNT], versions;
	struct ark_map notes;
	uint64_t *note_counts;
	struct line *lines;
	size_t lines_count;
	struct ark_buf begun, ended;
	struct ark_map taken; /* files of data/ that are there, by name; in the order of `digests` */
	uint32_t part;
	struct ark_buf digests; /* 64 hex digits each */
};

static enum ark_rc refuse(struct ark_err *err, const struct export_folder *f, const char *why)
{
	return ark_err_set(err, ARK_KIND_REFUSED, "'%s' %s", export_folder_name(f), why);
}

/* --- what the parts say of themselves ---------------------------------------------------------- */

/* What may differ between parts of one run. */
static bool differs_by_part(struct ark_str key)
{
	static const char *const KEYS[] = { "shard", "snapshot_time" };
	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++)
		if (ark_str_eqz(key, KEYS[i]))
			return true;
	return false;
}

/* All that must be equal, as one text. */
static void flatten_same(struct json_val root, struct ark_buf *out)
{
	static const char *const MEMBERS[] = { "tool", "zstd", "formats", "source", "scope", "never_exported" };
	for (size_t i = 0; i < sizeof(MEMBERS) / sizeof(MEMBERS[0]); i++) {
		ark_buf_fmt(out, "\n%s\n", MEMBERS[i]);
		json_flatten(json_get(root, MEMBERS[i]), differs_by_part, out);
	}
}

static enum ark_rc check_formats(const struct merge *m, const struct export_folder *f, struct ark_err *err)
{
	struct json_iter it = json_items(json_get(m->root, "formats"));
	size_t n = 0;
	bool other = false;
	for (struct json_val v; json_next(&it, &v); n++)
		other = other || !ark_str_eqz(json_str(v), "jsonl");
	if (!other && n == 1)
		return ARK_OK;
	refuse(err, f, "holds other formats than jsonl, which alone can be merged");
	ark_err_hint(err, "other formats are about a whole run: export them without --shard");
	return ARK_FAIL;
}

static enum ark_rc check_same(struct merge *m, const struct export_folder *f, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf same;
	ark_buf_init(&same, 1u << 20);
	flatten_same(m->root, &same);
	enum ark_rc rc = ark_buf_ok(&same, "run.json", err);
	struct json_val scope = json_get(m->root, "scope");
	int64_t shard = 0, shards = 0;
	json_i64(json_get(scope, "shard"), &shard);
	json_i64(json_get(scope, "shards"), &shards);
	if (rc < 0)
		return rc;
	if (shards < 1 || shards > EXPORT_SHARDS_MAX || shard < 1 || shard > shards)
		return refuse(err, f, "is no part of a run: it was made without --shard");
	if (m->same.len == 0) {
		ark_buf_str(&m->same, ark_buf_view(&same));
		m->shards = shards;
		m->seen = ark_calloc((size_t)shards + 1, sizeof(m->seen[0]));
	}
	if (!ark_str_eq(ark_buf_view(&same), ark_buf_view(&m->same)) || shards != m->shards) {
		refuse(err, f, "is a part of another run than the first folder: snapshot, scope or tool differ");
		ark_err_hint(err, "all parts of a run are made with one --snapshot and the same options");
		return ARK_FAIL;
	}
	if (m->seen[shard])
		return ark_err_set(err, ARK_KIND_REFUSED, "part %lld/%lld is there twice, the second time in '%s'",
		                   (long long)shard, (long long)shards, export_folder_name(f));
	m->seen[shard] = true;
	return check_formats(m, f, err);
}

/* --- adding up --------------------------------------------------------------------------------- */

static char *text_of(struct json_val v)
{
	return ark_strdup(json_str(v));
}

static enum ark_rc add_channels(struct merge *m, const struct export_folder *f, struct ark_err *err)
{
	struct json_iter it = json_items(json_get(m->root, "channels"));
	bool first = m->part == 0;
	size_t n = 0, cap = 0;
	for (struct json_val v; json_next(&it, &v); n++) {
		int64_t records = 0;
		json_i64(json_get(v, "records"), &records);
		if (first && n == cap) {
			cap = cap > 0 ? 2 * cap : 256;
			m->lines = ark_realloc(m->lines, cap, sizeof(m->lines[0]));
		}
		if (first) {
			struct line l = { text_of(json_get(v, "team")), text_of(json_get(v, "channel")),
				          text_of(json_get(v, "id")), 0, 0 };
			json_i64(json_get(v, "history_from"), &l.history_from);
			m->lines[n] = l;
			m->lines_count = n + 1;
		}
		if (n >= m->lines_count || records < 0 || !ark_str_eqz(json_str(json_get(v, "id")), m->lines[n].id))
			return refuse(err, f, "names other channels than the first folder");
		m->lines[n].records += (uint64_t)records;
	}
	return n == m->lines_count ? ARK_OK : refuse(err, f, "names fewer channels than the first folder");
}

static void add_notes(struct merge *m)
{
	struct json_iter it = json_fields(json_get(m->root, "notes"));
	struct ark_str key;
	for (struct json_val v; json_next_field(&it, &key, &v);) {
		int64_t n = 0;
		json_i64(v, &n);
		uint32_t at = ark_map_get(&m->notes, key);
		if (at == ARK_MAP_NONE) {
			at = m->notes.count;
			ark_map_put(&m->notes, key, at);
			m->note_counts = ark_realloc(m->note_counts, at + 1u, sizeof(m->note_counts[0]));
			m->note_counts[at] = 0;
		}
		m->note_counts[at] += (uint64_t)(n > 0 ? n : 0);
	}
}

/*
 * Each part tells of all rows of the database. Rows that no part has for a reason that does not depend on
 * the part are told by each of them; the copies of edits but for its own orphans too.
 */
static enum ark_rc add_counts(struct merge *m, const struct export_folder *f, struct ark_err *err)
{
	struct json_val counts = json_get(m->root, "counts"), left = json_get(counts, "not_exported");
	int64_t n[COUNTS] = { 0 };
	for (int i = 0; i < COUNTS; i++)
		json_i64(json_get(counts, COUNT_NAMES[i]), &n[i]);
	for (int i = 0; i < COUNTS; i++) {
		bool adds = i == POSTS || i == ORPHANS || i == PURGED;
		if (adds || m->part == 0)
			m->counts[i] += (uint64_t)n[i];
		else if (m->counts[i] != (uint64_t)n[i])
			return refuse(err, f, "counts other rows than the first folder");
	}
	for (int i = 0; i < LEFT_COUNT; i++) {
		int64_t v = 0;
		json_i64(json_get(left, export_left_name((enum export_left)i)), &v);
		if (i == LEFT_MATCH)
			m->left[i] += (uint64_t)v;
		else if (i == LEFT_VERSION)
			m->versions = (uint64_t)(v + n[ORPHANS]);
		else if (i != LEFT_SHARD)
			m->left[i] = (uint64_t)v;
	}
	return ARK_OK;
}

static void keep_least(struct ark_buf *kept, struct ark_str text, bool greatest)
{
	int order = kept->len == 0 ? 0 : ark_str_cmp(text, ark_buf_view(kept));
	if (kept->len > 0 && (greatest ? order <= 0 : order >= 0))
		return;
	ark_buf_reset(kept);
	ark_buf_str(kept, text);
}

static enum ark_rc read_part(struct merge *m, const struct export_folder *f, struct ark_err *err)
{
	ark_buf_reset(&m->run);
	enum ark_rc rc = export_folder_small(f, "run.json", &m->run, err);
	size_t len = m->run.len;
	if (rc == ARK_OK && ark_buf_room(&m->run, JSON_PADDING) == NULL)
		rc = ark_buf_ok(&m->run, "run.json", err);
	if (rc == ARK_OK)
		rc = json_doc_parse(m->doc, m->run.data, len, &m->root, err);
	if (rc == ARK_OK)
		rc = check_same(m, f, err);
	if (rc == ARK_OK)
		rc = add_counts(m, f, err);
	if (rc == ARK_OK)
		rc = add_channels(m, f, err);
	if (rc < 0)
		return rc;
	add_notes(m);
	keep_least(&m->begun, json_str(json_get(m->root, "begun")), false);
	keep_least(&m->ended, json_str(json_get(m->root, "ended")), true);
	return ARK_OK;
}

/* --- files ------------------------------------------------------------------------------------- */

static enum ark_rc copy_file(struct merge *m, const struct export_folder *f, const char *name, struct ark_str want,
                             struct ark_err *err)
{
	ark_auto(export_stream_closep) struct export_stream *s = NULL;
	ark_auto(export_file_drop) struct export_file *to = NULL;
	enum ark_rc rc = export_stream_open(f, name, false, &s, err);
	if (rc == ARK_OK)
		rc = export_file_begin(m->app->out, name, EXPORT_PLAIN, &to, err);
	struct ark_str piece;
	while (rc == ARK_OK && (rc = export_stream_next(s, &piece, err)) == ARK_OK)
		rc = export_file_write(to, piece.ptr, piece.len, err);
	if (rc < 0)
		return rc;
	unsigned char digest[CRYPT_SHA256_BYTES];
	char hex[CRYPT_SHA256_HEX];
	export_stream_sha256(s, digest);
	crypt_hex(digest, sizeof(digest), hex);
	if (!ark_str_eqz(want, hex))
		return ark_err_set(err, ARK_KIND_INPUT, "'%s/%s' was changed meanwhile", export_folder_name(f), name);
	return export_file_end(&to, err);
}

/* What all parts have is equal in all of them; a month of a channel is in one. */
static enum ark_rc met_again(const struct merge *m, const struct export_folder *f, const char *name, uint32_t at,
                             struct ark_str want, struct ark_err *err)
{
	struct ark_str there = ark_str_n(m->digests.data + (size_t)at * 64, 64);
	if (strncmp(name, "data/team=", 10) == 0)
		return ark_err_set(err, ARK_KIND_INPUT, "'%s' is in two parts, the second time in '%s'", name,
		                   export_folder_name(f));
	if (!ark_str_eq(there, want))
		return ark_err_set(err, ARK_KIND_REFUSED, "'%s' is another in '%s' than in the first folder: not one snapshot",
		                   name, export_folder_name(f));
	return ARK_OK;
}

static enum ark_rc take_files(struct merge *m, const struct export_folder *f, struct ark_err *err)
{
	ark_auto(export_stream_closep) struct export_stream *s = NULL;
	struct ark_str line;
	enum ark_rc rc = export_stream_open(f, EXPORT_MANIFEST, false, &s, err);
	while (rc == ARK_OK && (rc = export_stream_line(s, &line, err)) == ARK_OK) {
		struct ark_str want, key;
		if (!export_manifest_read(line, true, &want, &key))
			return ark_err_set(err, ARK_KIND_INPUT, "'%s' holds a line that is none", EXPORT_MANIFEST);
		ark_auto(ark_freep) char *name = ark_strdup(key);
		uint32_t at = ark_map_get(&m->taken, key);
		if (at != ARK_MAP_NONE) {
			rc = met_again(m, f, name, at, want, err);
			continue;
		}
		ark_map_put(&m->taken, key, m->taken.count);
		ark_buf_str(&m->digests, want);
		if (!export_name_fits(name))
			return ark_err_set(err, ARK_KIND_INPUT, "'%s' names '%s', which no export has", EXPORT_MANIFEST, name);
		rc = copy_file(m, f, name, want, err);
		ark_progress_count(&m->app->bar, 1, 0);
		if (rc == ARK_OK)
			rc = ark_interrupt_check(err);
	}
	return rc < 0 ? rc : ark_buf_ok(&m->digests, "the list of files", err);
}

/* --- run.json of the whole --------------------------------------------------------------------- */

/* A member of the part that was read last, written again; of "scope" the two that tell the part become 0. */
static void again(struct json_out *o, const char *key, struct json_val v)
{
	struct ark_str name;
	int64_t n = 0;
	switch (json_type(v)) {
	case JSON_OBJECT: {
		json_out_open(o, key);
		struct json_iter it = json_fields(v);
		for (struct json_val x; json_next_field(&it, &name, &x);) {
			ark_auto(ark_freep) char *z = ark_strdup(name);
			if (strcmp(z, "shard") == 0 || strcmp(z, "shards") == 0)
				json_out_u64(o, z, 0);
			else
				again(o, z, x);
		}
		json_out_close(o);
		break;
	}
	case JSON_ARRAY: {
		json_out_open_list(o, key);
		struct json_iter it = json_items(v);
		for (struct json_val x; json_next(&it, &x);)
			again(o, NULL, x);
		json_out_close(o);
		break;
	}
	case JSON_STRING:
		json_out_text(o, key, json_str(v));
		break;
	case JSON_BOOL:
		json_out_bool(o, key, json_is_true(v));
		break;
	default:
		if (json_i64(v, &n))
			json_out_i64(o, key, n);
		else
			json_out_null(o, key);
	}
}

static void counts_part(struct json_out *o, const struct merge *m)
{
	json_out_open(o, "counts");
	for (int i = 0; i < COUNTS; i++)
		json_out_u64(o, COUNT_NAMES[i], m->counts[i]);
	json_out_open(o, "not_exported");
	for (int i = 0; i < LEFT_COUNT; i++)
		json_out_u64(o, export_left_name((enum export_left)i), m->left[i]);
	json_out_close(o);
	json_out_close(o);
}

static enum ark_rc flush(struct export_file *f, struct ark_buf *text, struct ark_err *err)
{
	enum ark_rc rc = ark_buf_ok(text, "run.json", err);
	if (rc == ARK_OK)
		rc = export_file_write(f, text->data, text->len, err);
	ark_buf_reset(text);
	return rc;
}

static enum ark_rc channels_part(struct json_out *o, const struct merge *m, struct export_file *f, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	json_out_open_list(o, "channels");
	for (size_t i = 0; i < m->lines_count && rc == ARK_OK; i++) {
		const struct line *l = &m->lines[i];
		json_out_open(o, NULL);
		json_out_text(o, "team", ark_str_z(l->team));
		json_out_text(o, "channel", ark_str_z(l->channel));
		json_out_text(o, "id", ark_str_z(l->id));
		json_out_u64(o, "records", l->records);
		if (l->history_from > 0)
			json_out_i64(o, "history_from", l->history_from);
		else
			json_out_text(o, "history_from", ARK_LIT("unknown"));
		json_out_close(o);
		if (o->to->len > LINE_KEEP)
			rc = flush(f, o->to, err);
	}
	json_out_close(o);
	return rc;
}

static enum ark_rc write_run(struct merge *m, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 1u << 20);
	struct json_out o;
	json_out_begin(&o, &text, true);
	json_out_open(&o, NULL);
	again(&o, "tool", json_get(m->root, "tool"));
	again(&o, "zstd", json_get(m->root, "zstd"));
	json_out_text(&o, "begun", ark_buf_view(&m->begun));
	json_out_text(&o, "ended", ark_buf_view(&m->ended));
	json_out_i64(&o, "merged_from", m->shards);
	again(&o, "formats", json_get(m->root, "formats"));
	again(&o, "source", json_get(m->root, "source"));
	again(&o, "scope", json_get(m->root, "scope"));
	counts_part(&o, m);
	json_out_open(&o, "notes");
	for (uint32_t i = 0; i < m->notes.count; i++) {
		ark_auto(ark_freep) char *key = ark_strdup(ark_map_key(&m->notes, i));
		json_out_u64(&o, key, m->note_counts[i]);
	}
	json_out_close(&o);
	again(&o, "never_exported", json_get(m->root, "never_exported"));
	ark_auto(export_file_drop) struct export_file *f = NULL;
	enum ark_rc rc = export_file_begin(m->app->out, "run.json", EXPORT_PLAIN, &f, err);
	if (rc == ARK_OK)
		rc = channels_part(&o, m, f, err);
	json_out_end(&o);
	if (rc == ARK_OK)
		rc = flush(f, &text, err);
	return rc == ARK_OK ? export_file_end(&f, err) : rc;
}

/* --- all of it --------------------------------------------------------------------------------- */

/* All parts are there, and every row of the database is accounted for. */
static enum ark_rc check_whole(struct merge *m, struct ark_err *err)
{
	for (int64_t i = 1; i <= m->shards; i++)
		if (!m->seen[i])
			return ark_err_set(err, ARK_KIND_REFUSED, "part %lld/%lld is missing", (long long)i,
			                   (long long)m->shards);
	if (m->counts[ORPHANS] > m->versions)
		return ark_err_set(err, ARK_KIND_INPUT, "the counts of the parts do not add up");
	m->left[LEFT_VERSION] = m->versions - m->counts[ORPHANS];
	uint64_t sum = m->counts[POSTS] + m->counts[ORPHANS];
	for (int i = 0; i < LEFT_COUNT; i++)
		sum += m->left[i];
	if (sum != m->counts[ROWS])
		return ark_err_set(err, ARK_KIND_INPUT, "the counts of the parts do not add up: %llu rows of %llu",
		                   (unsigned long long)sum, (unsigned long long)m->counts[ROWS]);
	return ARK_OK;
}

static enum ark_rc open_part(const struct merge *m, const char *path, struct export_folder **f, struct ark_err *err)
{
	struct export_series s;
	enum ark_rc rc = export_folder_open(path, &m->app->config->s3, f, err);
	if (rc == ARK_OK)
		rc = export_series_look(*f, &s, err);
	if (rc == ARK_OK && !s.alone)
		return refuse(err, *f, "is no export of its own");
	return rc;
}

static enum ark_rc look_at_parts(struct merge *m, const struct crypt_public_key *key, struct ark_err *err)
{
	const struct ark_list *dirs = &m->app->args->operands;
	enum ark_rc rc = ARK_OK;
	for (m->part = 0; m->part < dirs->count && rc == ARK_OK; m->part++) {
		ark_auto(export_folder_closep) struct export_folder *f = NULL;
		rc = open_part(m, dirs->items[m->part], &f, err);
		if (rc == ARK_OK)
			rc = read_part(m, f, err);
		if (rc == ARK_OK)
			rc = export_check(m->app, f, key, err);
	}
	return rc == ARK_OK ? check_whole(m, err) : rc;
}

static enum ark_rc copy_parts(struct merge *m, struct ark_err *err)
{
	const struct ark_list *dirs = &m->app->args->operands;
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < dirs->count && rc == ARK_OK; i++) {
		ark_auto(export_folder_closep) struct export_folder *f = NULL;
		rc = open_part(m, dirs->items[i], &f, err);
		if (rc == ARK_OK)
			rc = take_files(m, f, err);
	}
	return rc;
}

static void merge_init(struct merge *m, struct export_app *a)
{
	*m = (struct merge){ .app = a };
	m->doc = json_doc_new();
	ark_buf_init(&m->run, RUN_MAX);
	ark_buf_init(&m->same, 1u << 20);
	ark_buf_init(&m->begun, 64);
	ark_buf_init(&m->ended, 64);
	ark_buf_init(&m->digests, SIZE_MAX / 2);
}

static void merge_release(struct merge *m)
{
	json_doc_free(m->doc);
	ark_buf_release(&m->run);
	ark_buf_release(&m->same);
	ark_buf_release(&m->begun);
	ark_buf_release(&m->ended);
	ark_buf_release(&m->digests);
	free(m->seen);
	ark_map_release(&m->notes);
	free(m->note_counts);
	for (size_t i = 0; i < m->lines_count; i++) {
		free(m->lines[i].team);
		free(m->lines[i].channel);
		free(m->lines[i].id);
	}
	free(m->lines);
	ark_map_release(&m->taken);
}

static void say_done(const struct merge *m)
{
	struct export_app *a = m->app;
	uint64_t plain, written;
	export_out_bytes(a->out, &plain, &written);
	ark_auto(ark_buf_release) struct ark_buf size;
	ark_buf_init(&size, 256);
	ark_human_bytes(&size, written);
	ark_info(a->talk, "export.merged", "%lld part%s, %llu posts, %s, in %s", (long long)m->shards, m->shards == 1 ? "" : "s",
	         (unsigned long long)m->counts[POSTS], size.data, a->target);
	struct ark_event e;
	ark_event_begin(&e, "summary", "export.merged");
	ark_event_text(&e, "place", ark_str_z(a->target));
	ark_event_i64(&e, "parts", m->shards);
	ark_event_u64(&e, "rows", m->counts[ROWS]);
	ark_event_u64(&e, "posts", m->counts[POSTS]);
	ark_event_u64(&e, "files", m->taken.count);
	ark_event_u64(&e, "bytes", written);
	ark_event_send(&e, a->talk);
}

static enum ark_rc merge_all(struct merge *m, const struct crypt_public_key *key, struct ark_err *err)
{
	struct export_app *a = m->app;
	ark_progress_phase(&a->bar, "verifying", NULL, 0, 0);
	enum ark_rc rc = look_at_parts(m, key, err);
	if (rc < 0 || a->config->dry_run)
		return rc;
	ark_progress_phase(&a->bar, "copying", "files", 0, 0);
	rc = export_out_open(a->target, &a->config->s3, &a->out, err);
	if (rc == ARK_OK)
		rc = copy_parts(m, err);
	if (rc == ARK_OK)
		rc = write_run(m, err);
	struct export_bag_info info = {
		.agent = "matter-export " MATTERARK_VERSION,
		.date_ms = a->begin_ms,
		.description = ARK_LIT("Mattermost conversations, exported by matter-export"),
	};
	return rc == ARK_OK ? export_seal(a, &info, err) : rc;
}

int export_command_merge(struct export_app *a, struct ark_err *err)
{
	a->begin_ms = ark_time_now_ms();
	a->target = a->config->out;
	struct crypt_public_key key;
	const char *said = a->config->public_key;
	enum ark_rc rc = export_check_out(a, err);
	if (rc == ARK_OK && said != NULL)
		rc = export_public_key(said, &key, err);
	if (rc == ARK_OK)
		rc = export_seal_prepare(a, err);
	if (rc < 0)
		return rc;
	ark_auto(merge_release) struct merge m;
	merge_init(&m, a);
	ark_progress_begin(&a->bar, a->talk);
	a->bar_runs = true;
	rc = merge_all(&m, said != NULL ? &key : NULL, err);
	ark_progress_end(&a->bar);
	a->bar_runs = false;
	if (rc < 0)
		return rc;
	if (a->config->dry_run)
		ark_out(a->talk, "%lld part%s of one run, %llu posts", (long long)m.shards, m.shards == 1 ? "" : "s",
		        (unsigned long long)m.counts[POSTS]);
	else
		say_done(&m);
	return ARK_EXIT_DONE;
}
