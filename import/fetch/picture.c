#include "import/fetch/picture.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/crypt/hash.h"
#include "common/io/archive.h"
#include "import/fetch/painter.h"
#include "import/load/change.h"
#include "import/slack/body.h"
#include "import/translate/emoji.h"
#include "import/translate/id.h"

#include "common/base/banned.h"

/* Fact: docs/mattermost-facts.md "Emoji": what the server takes, and the side of a stored avatar. */
#define EMOJI_BYTES (512u << 10)
#define AVATAR_SIDE 128
#define AVATAR_BYTES (8u << 20)

struct pictures {
	struct picture_settings set;
	struct db_txn txn;
	struct crypt_hash *hash;
	struct painters *painters;
	struct ark_map names; /* of emoji that are there */
	struct ark_map ids;   /* of all that ever were: what was deleted here stays away */
	struct ark_buf tmp, name;
	struct picture_count count;
};

void pictures_close(struct pictures *p)
{
	if (p == NULL)
		return;
	db_txn_end(&p->txn);
	painters_free(p->painters);
	crypt_hash_free(p->hash);
	ark_map_release(&p->names);
	ark_map_release(&p->ids);
	ark_buf_release(&p->tmp);
	ark_buf_release(&p->name);
	free(p);
}

void pictures_closep(struct pictures **p)
{
	pictures_close(*p);
}

const struct picture_count *pictures_count(const struct pictures *p)
{
	return &p->count;
}

enum ark_rc pictures_open(const struct picture_settings *set, struct pictures **out, struct ark_err *err)
{
	ark_auto(pictures_closep) struct pictures *p = ark_calloc(1, sizeof(*p));
	p->set = *set;
	p->hash = crypt_hash_new();
	p->painters = painters_new(1);
	ark_buf_init(&p->tmp, 64u << 10);
	ark_buf_init(&p->name, 64u << 10);
	enum ark_rc rc = db_txn_begin(&p->txn, set->conn, "", err);
	if (rc == ARK_OK)
		rc = db_stream_begin(set->conn, "SELECT id, name, deleteat = 0 FROM emoji", DB_NO_PARAMS, err);
	while (rc == ARK_OK) {
		const struct db_result *row;
		rc = db_stream_next(set->conn, &row, err);
		if (rc != ARK_OK)
			break;
		ark_map_put(&p->ids, db_value(row, 0, 0), 1);
		if (db_bool(row, 0, 2))
			ark_map_put(&p->names, db_value(row, 0, 1), 1);
	}
	if (rc < 0)
		return rc;
	*out = p;
	p = NULL;
	return ARK_OK;
}

enum ark_rc pictures_commit(struct pictures *p, struct ark_err *err)
{
	enum ark_rc rc = store_sync(p->set.store, err);
	return rc < 0 ? rc : db_txn_commit(&p->txn, err);
}

/* ---- emoji ---- */

/* The name that reactions and texts have it under; false: one of Mattermost's own. */
static bool name_of(struct pictures *p, struct ark_str slack_name, char id[MM_ID_LEN + 1])
{
	ark_buf_reset(&p->name);
	ark_buf_reset(&p->tmp);
	enum emoji_kind kind = emoji_translate(slack_name, &p->tmp, &p->name);
	if (kind == EMOJI_CUSTOM)
		ark_buf_str(&p->name, ark_buf_view(&p->tmp));
	if (kind == EMOJI_SYSTEM || p->name.len == 0 || p->name.len > MM_EMOJI_NAME_BYTES)
		return false;
	id_derive(p->hash, p->set.workspace, "emoji", ark_buf_view(&p->name), ARK_LIT(""), 0, 0, id);
	return true;
}

bool pictures_wants_emoji(struct pictures *p, struct ark_str slack_name)
{
	char id[MM_ID_LEN + 1];
	if (!name_of(p, slack_name, id)) {
		p->count.emoji_system++;
		return false;
	}
	bool known = ark_map_get(&p->names, ark_buf_view(&p->name)) != ARK_MAP_NONE ||
	             ark_map_get(&p->ids, ark_str_z(id)) != ARK_MAP_NONE;
	p->count.emoji_known += known;
	return !known;
}

enum ark_rc pictures_emoji(struct pictures *p, struct ark_str slack_name, struct ark_str body,
                           struct ark_err *err)
{
	char id[MM_ID_LEN + 1], path[64];
	enum image_kind kind = image_sniff(body);
	if (!name_of(p, slack_name, id))
		ark_bug("an emoji that nobody wants");
	if (body.len > EMOJI_BYTES || (kind != IMAGE_PNG && kind != IMAGE_JPEG && kind != IMAGE_GIF)) {
		p->count.emoji_refused++;
		return ARK_OK;
	}
	snprintf(path, sizeof(path), "emoji/%s/image", id);
	const struct ark_body whole = ark_body_mem(body);
	enum ark_rc rc = store_put(p->set.store, path, &whole, 0, err);
	if (rc < 0)
		return ark_err_in(err, rc, "emoji '%.*s'", ARK_FMT(slack_name));
	ark_buf_reset(&p->tmp);
	long long now = (long long)p->set.now_ms;
	ark_buf_fmt(&p->tmp,
	            "INSERT INTO emoji (id, createat, updateat, deleteat, creatorid, name) SELECT '%s', %lld, %lld, 0, "
	            "'', '%.*s' ON CONFLICT DO NOTHING", id, now, now, ARK_FMT(ark_buf_view(&p->name)));
	rc = change_insert(p->set.conn, p->set.run_no, "emoji", p->tmp.data, NULL, &p->count.emoji, err);
	ark_map_put(&p->names, ark_buf_view(&p->name), 1);
	return rc;
}

/* "emojis/party_parrot.gif" to "party_parrot"; none for what is no image. */
static struct ark_str emoji_of(struct ark_str name)
{
	static const char *const ENDS[] = { ".png", ".gif", ".jpg", ".jpeg" };
	size_t slash = name.len;
	while (slash > 0 && name.ptr[slash - 1] != '/')
		slash--;
	struct ark_str base = ark_str_from(name, slash);
	for (size_t i = 0; i < sizeof(ENDS) / sizeof(ENDS[0]); i++)
		if (base.len > strlen(ENDS[i]) && ark_str_ends(base, ark_str_z(ENDS[i])))
			return ark_str_first(base, base.len - strlen(ENDS[i]));
	return ARK_STR_NONE;
}

/* The rest of the entry when it is not longer than the buffer takes; else cut, which is refused. */
static void slurp(struct io_archive *a, struct ark_buf *body)
{
	struct ark_err ignored = { 0 };
	ark_buf_reset(body);
	if (io_archive_slurp(a, body, &ignored) < 0)
		ark_buf_reset(body);
}

enum ark_rc pictures_emoji_folder(struct pictures *p, const char *path, struct ark_err *err)
{
	ark_auto(io_archive_closep) struct io_archive *a = NULL;
	ark_auto(ark_buf_release) struct ark_buf body;
	ark_auto(ark_buf_release) struct ark_buf name;
	ark_buf_init(&body, EMOJI_BYTES + 1);
	ark_buf_init(&name, LIMIT_ENTRY_NAME * 4);
	enum ark_rc rc = io_archive_open(path, &a, err);
	while (rc == ARK_OK) {
		struct io_entry entry;
		struct ark_err why = { 0 };
		enum ark_rc got = io_archive_next(a, &entry, &why);
		if (got == ARK_END || got == ARK_STOP)
			return ARK_OK;
		struct ark_str emoji = got == ARK_OK && !entry.unsafe ? emoji_of(entry.name) : ARK_STR_NONE;
		if (!ark_str_has(emoji) || !pictures_wants_emoji(p, emoji))
			continue;
		ark_buf_reset(&name);
		ark_buf_str(&name, emoji);
		slurp(a, &body);
		rc = pictures_emoji(p, ark_buf_view(&name), ark_buf_view(&body), err);
	}
	return rc;
}

/* ---- avatars ---- */

enum ark_rc pictures_wants_avatar(struct pictures *p, struct ark_str slack_id, bool *out,
                                  struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(p->set.conn,
	                          "SELECT 1 FROM matterark.slack_user k JOIN users u ON u.id = k.user_id WHERE "
	                          "k.workspace = $1 AND k.slack_id = $2 AND NOT k.matched AND "
	                          "coalesce(u.lastpictureupdate, 0) = 0", DB_PARAMS(p->set.workspace, slack_id),
	                          &res, err);
	if (rc == ARK_OK)
		*out = db_rows(res) > 0;
	return rc;
}

static enum ark_rc set_avatar(struct pictures *p, struct ark_str slack_id, struct ark_str png,
                              struct ark_err *err)
{
	char path[64], now[DB_NUM];
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query_one(p->set.conn,
	                              "SELECT user_id FROM matterark.slack_user WHERE workspace = $1 AND slack_id = $2",
	                              DB_PARAMS(p->set.workspace, slack_id), &res, err);
	if (rc < 0)
		return rc;
	struct ark_str id = db_value(res, 0, 0);
	snprintf(path, sizeof(path), "users/%.*s/profile.png", ARK_FMT(id));
	const struct ark_body whole = ark_body_mem(png);
	rc = store_put(p->set.store, path, &whole, 0, err);
	if (rc < 0)
		return rc;
	ark_buf_reset(&p->tmp);
	ark_buf_fmt(&p->tmp, "t.id = '%.*s'", ARK_FMT(id));
	db_num(p->set.now_ms, now);
	const struct change_set set[] = { { "lastpictureupdate", now }, { "updateat", now }, { NULL, NULL } };
	const struct change_update u = { "users", set, NULL, p->tmp.data };
	return change_update(p->set.conn, p->set.run_no, &u, &p->count.avatars, err);
}

enum ark_rc pictures_avatar(struct pictures *p, struct ark_str slack_id, struct ark_str body,
                            struct ark_err *err)
{
	struct painted img = { 0 };
	enum image_kind kind = image_sniff(body);
	bool ok = kind != IMAGE_NONE && body.len <= AVATAR_BYTES &&
	          painters_begin_square(p->painters, 0, body, kind, AVATAR_SIDE) &&
	          painters_next(p->painters, true, &img) && img.ok;
	p->count.avatars_refused += !ok;
	return ok ? set_avatar(p, slack_id, img.preview, err) : ARK_OK;
}

static enum ark_rc avatars_of(struct pictures *p, const char *path, struct ark_buf *body, struct ark_err *err)
{
	ark_auto(io_archive_closep) struct io_archive *a = NULL;
	enum ark_rc rc = io_archive_open(path, &a, err);
	while (rc == ARK_OK) {
		struct io_entry entry;
		struct ark_str id;
		struct ark_err why = { 0 };
		char copy[SLACK_ID_BYTES];
		bool wanted = false;
		enum ark_rc got = io_archive_next(a, &entry, &why);
		if (got == ARK_END || got == ARK_STOP)
			return ARK_OK;
		if (got != ARK_OK || entry.unsafe || !slack_avatar_id(entry.name, &id))
			continue;
		memcpy(copy, id.ptr, id.len);
		id.ptr = copy;
		rc = pictures_wants_avatar(p, id, &wanted, err);
		if (rc == ARK_OK && wanted) {
			slurp(a, body);
			rc = pictures_avatar(p, id, ark_buf_view(body), err);
		}
	}
	return rc;
}

enum ark_rc pictures_avatars(struct pictures *p, const struct slack_export *x, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf body;
	ark_buf_init(&body, AVATAR_BYTES + 1);
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = x->sources_count; rc == ARK_OK && i > 0; i--)
		if (x->sources[i - 1].avatar_files > 0)
			rc = avatars_of(p, x->sources[i - 1].path, &body, err);
	return rc;
}
