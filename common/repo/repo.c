#include "common/repo/repo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/crypt/hash.h"
#include "common/crypt/seal.h"
#include "common/io/frame.h"
#include "common/repo/format.h"

#include "common/base/banned.h"

#define WINDOWS 4
#define WINDOW_FOLDER (256u << 10)
#define WINDOW_FAR (4u << 20) /* an answer over the network costs as much as some megabytes */
#define DICT_LEVEL 3
#define IN_VAIN 3 /* looks for newer index files, before what is not known is missing */

/* A part of a pack: neighbours are mostly wanted one after the other. */
struct window {
	struct repo_id pack;
	uint64_t at;
	uint64_t used; /* clock */
	struct ark_buf bytes;
};

struct repo {
	struct repo_keep *keep;
	struct repo_format format;
	char *cache; /* as given; NULL: the default */
	bool has_identity;
	struct crypt_identity identity;
	struct repo_index *index;
	struct ark_map known; /* index files that were read */
	const struct ark_map *without; /* of repo_load_without, for files that come later, too */
	struct ark_map gone;  /* packs that were not there any more when they were wanted */
	unsigned in_vain;     /* looks for index files that brought none */
	struct io_unpacker *unpacker;
	struct io_dict *dict;
	struct crypt_hash *hash;
	struct crypt_stream *stream;
	struct window windows[WINDOWS];
	uint64_t clock;
	bool loaded;
	bool key_known;
	unsigned char key_name[REPO_KEY_NAME];
	unsigned char key[CRYPT_KEY_BYTES];
};

static enum ark_rc read_identity(struct repo *r, const char *path, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	enum ark_rc rc = repo_file_slurp(path, &text, err);
	if (rc == ARK_OK)
		rc = crypt_identity_read(ark_buf_view(&text), &r->identity, err);
	crypt_wipe(text.data, text.len);
	if (rc < 0)
		return ark_err_in(err, rc, "identity '%s'", path);
	if (r->format.encrypted && memcmp(r->identity.pub, r->format.recipient, CRYPT_KEY_BYTES) != 0)
		return ark_err_set(err, ARK_KIND_REFUSED, "the identity in '%s' is not the one of this repository",
		                   path);
	r->has_identity = true;
	return ARK_OK;
}

enum ark_rc repo_open(const struct repo_options *opt, struct repo **out, struct ark_err *err)
{
	ark_auto(repo_closep) struct repo *r = ark_calloc(1, sizeof(*r));
	r->index = repo_index_new();
	r->unpacker = io_unpacker_new();
	r->hash = crypt_hash_new();
	struct repo_keep_options keep = { .place = opt->place, .interrupted = opt->interrupted,
		                         .s3 = opt->s3 };
	enum ark_rc rc = repo_keep_open(&keep, &r->keep, err);
	if (rc < 0)
		return rc;
	for (int i = 0; i < WINDOWS; i++)
		ark_buf_init(&r->windows[i].bytes, WINDOW_FAR);
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	rc = repo_keep_get(r->keep, REPO_KEY_FORMAT, 0, REPO_KEEP_ALL, &text, err);
	if (rc < 0 && err->kind == ARK_KIND_MISSING) {
		ark_err_set(err, ARK_KIND_MISSING, "there is no repository in '%s'", repo_keep_name(r->keep));
		ark_err_hint(err, "'matter-backup init' makes one");
		return ARK_FAIL;
	}
	if (rc == ARK_OK)
		rc = repo_format_parse(ark_buf_view(&text), &r->format, err);
	if (rc < 0)
		return ark_err_in(err, rc, "repository '%s'", repo_keep_name(r->keep));
	r->cache = opt->cache != NULL ? ark_strdupz(opt->cache) : NULL;
	if (opt->identity_file != NULL)
		rc = read_identity(r, opt->identity_file, err);
	if (rc < 0)
		return rc;
	*out = r;
	r = NULL;
	return ARK_OK;
}

void repo_close(struct repo *r)
{
	if (r == NULL)
		return;
	for (int i = 0; i < WINDOWS; i++)
		ark_buf_release(&r->windows[i].bytes);
	crypt_wipe(&r->identity, sizeof(r->identity));
	crypt_wipe(r->key, sizeof(r->key));
	crypt_stream_free(r->stream);
	crypt_hash_free(r->hash);
	io_dict_free(r->dict);
	io_unpacker_free(r->unpacker);
	ark_map_release(&r->known);
	ark_map_release(&r->gone);
	repo_index_free(r->index);
	repo_keep_close(r->keep);
	free(r->cache);
	free(r);
}

void repo_closep(struct repo **r)
{
	repo_close(*r);
	*r = NULL;
}

struct repo_keep *repo_keep(struct repo *r)
{
	return r->keep;
}

bool repo_encrypted(const struct repo *r)
{
	return r->format.encrypted;
}

const unsigned char *repo_recipient(const struct repo *r)
{
	return r->format.recipient;
}

bool repo_can_open(const struct repo *r)
{
	return !r->format.encrypted || r->has_identity;
}

struct repo_index *repo_index(struct repo *r)
{
	return r->index;
}

/* --- what this machine remembers --------------------------------------------------------------- */

static enum ark_rc make_folders(char *path, struct ark_err *err)
{
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash != NULL)
			*slash = '\0';
		int failed = mkdir(path, 0700);
		int e = errno;
		if (failed != 0 && e != EEXIST)
			return ark_err_errno(err, e, "cannot make the folder '%s'", path);
		if (slash == NULL)
			return ARK_OK;
		*slash = '/';
	}
}

enum ark_rc repo_cache(struct repo *r, struct ark_buf *path, struct ark_err *err)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	ark_buf_reset(path);
	if (r->cache != NULL)
		ark_buf_z(path, r->cache);
	else if (base != NULL && base[0] == '/')
		ark_buf_fmt(path, "%s/matterark", base);
	else if (home != NULL && home[0] == '/')
		ark_buf_fmt(path, "%s/.cache/matterark", home);
	else
		ark_buf_z(path, "/var/cache/matterark");
	ark_buf_fmt(path, "/%s", r->format.uuid);
	enum ark_rc rc = ark_buf_ok(path, "the cache's path", err);
	if (rc == ARK_OK)
		rc = make_folders(path->data, err);
	if (rc < 0)
		ark_err_hint(err, "--cache names another folder");
	return rc;
}

/* --- the index ---------------------------------------------------------------------------------- */

static enum ark_rc load_lines(struct repo *r, struct ark_str text, const char *key, struct ark_err *err)
{
	while (text.len > 0) {
		struct repo_entry e;
		size_t end = ark_str_find(text, '\n', 0);
		if (end == SIZE_MAX || !repo_entry_parse(ark_str_first(text, end), &e))
			return ark_err_set(err, ARK_KIND_INPUT, "'%s' is damaged: a line is no entry", key);
		text = ark_str_from(text, end + 1);
		struct ark_str pack = ark_str_n((const char *)e.pack.b, REPO_ID_BYTES);
		if (r->without == NULL || ark_map_get(r->without, pack) == ARK_MAP_NONE)
			repo_index_add(r->index, &e);
	}
	return ARK_OK;
}

enum ark_rc repo_index_text(struct repo *r, const char *key, struct ark_buf *plain, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf stored = { 0 };
	unsigned char sum[CRYPT_SHA256_BYTES];
	struct repo_id want;
	ark_buf_init(&stored, LIMIT_REPO_INDEX);
	enum ark_rc rc = repo_keep_get(r->keep, key, 0, REPO_KEEP_ALL, &stored, err);
	if (rc < 0)
		return rc;
	const char *slash = strrchr(key, '/');
	crypt_sha256(r->hash, stored.data, stored.len, sum);
	if (!repo_id_parse(ark_str_z(slash != NULL ? slash + 1 : key), &want) ||
	    memcmp(sum, want.b, sizeof(sum)) != 0)
		return ark_err_set(err, ARK_KIND_INPUT, "'%s' is damaged: its bytes are not what its name says", key);
	rc = io_unpacker_add(r->unpacker, NULL, ark_buf_view(&stored), plain, err);
	return rc < 0 ? ark_err_in(err, rc, "'%s'", key) : rc;
}

static enum ark_rc load_one(void *ctx, const char *key, uint64_t size, struct ark_err *err)
{
	struct repo *r = ctx;
	if (size > LIMIT_REPO_INDEX)
		return ark_err_set(err, ARK_KIND_INPUT, "'%s' is damaged: too long", key);
	if (ark_map_get(&r->known, ark_str_z(key)) != ARK_MAP_NONE)
		return ARK_OK;
	ark_auto(ark_buf_release) struct ark_buf plain = { 0 };
	ark_buf_init(&plain, LIMIT_REPO_INDEX);
	enum ark_rc rc = repo_index_text(r, key, &plain, err);
	if (rc < 0 && err->kind == ARK_KIND_MISSING)
		return ARK_OK; /* replaced meanwhile: its successor is or comes on the list */
	if (rc == ARK_OK)
		rc = load_lines(r, ark_buf_view(&plain), key, err);
	if (rc < 0)
		return rc;
	ark_map_put(&r->known, ark_str_z(key), 1);
	return ARK_OK;
}

enum ark_rc repo_load(struct repo *r, struct ark_err *err)
{
	enum ark_rc rc = repo_keep_list(r->keep, REPO_DIR_INDEX, load_one, r, err);
	repo_index_settle(r->index);
	r->loaded = rc == ARK_OK || r->loaded;
	return rc;
}

enum ark_rc repo_load_without(struct repo *r, const struct ark_map *packs, struct ark_err *err)
{
	r->without = packs;
	return repo_load(r, err);
}

/* --- reading objects ---------------------------------------------------------------------------- */

static bool is_there(void *ctx, const struct repo_entry *e)
{
	const struct repo *r = ctx;
	return ark_map_get(&r->gone, ark_str_n((const char *)e->pack.b, REPO_ID_BYTES)) == ARK_MAP_NONE;
}

/* Somebody may write and sweep meanwhile: what is not known can stand in an index that is newer than ours. */
static enum ark_rc locate(struct repo *r, const struct repo_id *id, struct repo_entry *e, struct ark_err *err)
{
	if (!r->loaded) {
		enum ark_rc rc = repo_load(r, err);
		if (rc < 0)
			return rc;
	}
	while (!repo_index_find_in(r->index, id, is_there, r, e)) {
		uint32_t files = r->known.count;
		enum ark_rc rc = r->in_vain < IN_VAIN ? repo_load(r, err) : ARK_END;
		if (rc < 0)
			return rc;
		if (r->known.count > files)
			continue;
		r->in_vain++;
		char hex[REPO_ID_HEX + 1];
		repo_id_hex(id, hex);
		return ark_err_set(err, ARK_KIND_MISSING, "object %s is not in the repository", hex);
	}
	return ARK_OK;
}

/* Reading failed. True when another place may have it: its pack was swept, what is needed was moved before. */
static bool moved(struct repo *r, const struct repo_entry *e, const struct ark_err *err)
{
	if (err->kind != ARK_KIND_MISSING || !is_there(r, e))
		return false;
	ark_map_put(&r->gone, ark_str_n((const char *)e->pack.b, REPO_ID_BYTES), 1);
	return true;
}

/* The stored bytes of a packed object, borrowed from a window. */
static enum ark_rc through_window(struct repo *r, const struct repo_entry *e, struct ark_str *out,
                                  struct ark_err *err)
{
	struct window *w = &r->windows[0];
	for (int i = 0; i < WINDOWS; i++) {
		struct window *x = &r->windows[i];
		if (x->bytes.len > 0 && repo_id_eq(&x->pack, &e->pack) && e->offset >= x->at &&
		    e->offset + e->length <= x->at + x->bytes.len) {
			x->used = ++r->clock;
			*out = ark_str_n(x->bytes.data + (e->offset - x->at), (size_t)e->length);
			return ARK_OK;
		}
		if (x->used < w->used)
			w = x;
	}
	char key[REPO_KEY_MAX];
	repo_data_key(&e->pack, key);
	ark_buf_reset(&w->bytes);
	uint64_t want = repo_keep_folder(r->keep) != NULL ? WINDOW_FOLDER : WINDOW_FAR;
	enum ark_rc rc = repo_keep_get_some(r->keep, key, e->offset, e->length > want ? e->length : want,
	                                    &w->bytes, err);
	if (rc < 0) {
		ark_buf_reset(&w->bytes);
		return rc;
	}
	w->pack = e->pack;
	w->at = e->offset;
	w->used = ++r->clock;
	if (w->bytes.len < e->length)
		return ark_err_set(err, ARK_KIND_INPUT, "'%s' ends within it", key);
	*out = ark_str_n(w->bytes.data, (size_t)e->length);
	return ARK_OK;
}

enum ark_rc repo_stored(struct repo *r, const struct repo_entry *e, struct ark_buf *space,
                        struct ark_str *out, struct ark_err *err)
{
	if (e->length <= WINDOW_FOLDER)
		return through_window(r, e, out, err);
	char key[REPO_KEY_MAX];
	repo_data_key(&e->pack, key);
	ark_buf_reset(space);
	enum ark_rc rc = repo_keep_get(r->keep, key, e->offset, e->length, space, err);
	*out = ark_buf_view(space);
	return rc;
}

/* The run's key with which this sealed object was encrypted. */
static enum ark_rc key_for(struct repo *r, const unsigned char name[REPO_KEY_NAME], struct ark_err *err)
{
	if (r->key_known && memcmp(name, r->key_name, REPO_KEY_NAME) == 0)
		return ARK_OK;
	if (!r->has_identity) {
		ark_err_set(err, ARK_KIND_REFUSED, "the repository is encrypted, and its identity is not at hand");
		ark_err_hint(err, "--identity names the file with the secret key");
		return ARK_FAIL;
	}
	char key[REPO_KEY_MAX], hex[2 * REPO_KEY_NAME + 1];
	ark_auto(ark_buf_release) struct ark_buf sealed = { 0 };
	ark_buf_init(&sealed, LIMIT_REPO_SMALL);
	crypt_hex(name, REPO_KEY_NAME, hex);
	snprintf(key, sizeof(key), REPO_DIR_KEYS "%s", hex);
	enum ark_rc rc = repo_keep_get(r->keep, key, 0, REPO_KEEP_ALL, &sealed, err);
	if (rc < 0)
		return rc;
	r->key_known = false;
	if (sealed.len != CRYPT_SEALED_KEY_BYTES ||
	    !crypt_key_open(&r->identity, (const unsigned char *)sealed.data, r->key))
		return ark_err_set(err, ARK_KIND_INPUT, "'%s' is damaged, or sealed for somebody else", key);
	memcpy(r->key_name, name, REPO_KEY_NAME);
	r->key_known = true;
	return ARK_OK;
}

/* Begin decrypting; `head` has REPO_SEALED_HEAD bytes. */
static enum ark_rc unseal_begin(struct repo *r, const struct repo_id *id, const char *head, struct ark_err *err)
{
	enum ark_rc rc = key_for(r, (const unsigned char *)head, err);
	if (rc < 0)
		return rc;
	if (r->stream == NULL)
		r->stream = crypt_stream_new();
	return crypt_stream_open(r->stream, r->key, ark_str_n((const char *)id->b, REPO_ID_BYTES),
	                         (const unsigned char *)head + REPO_KEY_NAME, err);
}

static enum ark_rc unseal(struct repo *r, const struct repo_id *id, struct ark_str stored,
                          struct ark_buf *out, struct ark_err *err)
{
	if (stored.len < REPO_SEALED_HEAD + CRYPT_PIECE_MORE)
		return ark_err_set(err, ARK_KIND_INPUT, "it is cut off");
	enum ark_rc rc = unseal_begin(r, id, stored.ptr, err);
	stored = ark_str_from(stored, REPO_SEALED_HEAD);
	while (rc == ARK_OK && stored.len > 0) {
		struct ark_str piece = ark_str_first(stored, CRYPT_PIECE + CRYPT_PIECE_MORE);
		stored = ark_str_from(stored, piece.len);
		rc = crypt_stream_pull(r->stream, piece, stored.len == 0, out, err);
	}
	return rc;
}

static enum ark_rc open_stored(struct repo *r, const struct repo_entry *e, struct ark_str stored,
                               struct ark_buf *out, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf frame = { 0 };
	bool sealed = e->codec == REPO_SEALED_ZSTD || e->codec == REPO_SEALED_RAW;
	ark_buf_init(&frame, LIMIT_REPO_OBJECT);
	if (sealed) {
		enum ark_rc rc = unseal(r, &e->id, stored, &frame, err);
		if (rc < 0)
			return rc;
		stored = ark_buf_view(&frame);
	} else {
		unsigned char sum[CRYPT_SHA256_BYTES];
		crypt_sha256(r->hash, stored.ptr, stored.len, sum);
		if (memcmp(sum, e->id.b, sizeof(sum)) != 0)
			return ark_err_set(err, ARK_KIND_INPUT, "its bytes are not what its name says");
	}
	if (e->codec == REPO_ZSTD || e->codec == REPO_SEALED_ZSTD)
		return io_unpacker_add(r->unpacker, r->dict, stored, out, err);
	ark_buf_str(out, stored);
	return ark_buf_ok(out, "the object", err);
}

static enum ark_rc named(enum ark_rc rc, const struct repo_entry *e, struct ark_err *err)
{
	char id[REPO_ID_HEX + 1], pack[REPO_ID_HEX + 1];
	if (rc >= 0)
		return rc;
	repo_id_hex(&e->id, id);
	repo_id_hex(&e->pack, pack);
	return ark_err_in(err, rc, "object %s in %.16s", id, pack);
}

enum ark_rc repo_read(struct repo *r, const struct repo_id *id, struct ark_buf *out, struct ark_err *err)
{
	struct repo_entry e;
	enum ark_rc rc = r->format.encrypted && !r->has_identity ? repo_mirror_read(r, id, out, err) : ARK_END;
	if (rc != ARK_END)
		return rc;
	ark_auto(ark_buf_release) struct ark_buf space = { 0 };
	struct ark_str stored;
	ark_buf_init(&space, LIMIT_REPO_OBJECT);
	size_t before = out->len;
	struct ark_err why = { 0 };
	do {
		struct ark_err none = { 0 };
		rc = locate(r, id, &e, &none);
		if (rc < 0) {
			*err = why.kind != ARK_KIND_NONE ? why : none;
			return rc;
		}
		if (e.length > LIMIT_REPO_OBJECT)
			return ark_err_set(err, ARK_KIND_LIMIT, "an object of %llu bytes is not read into memory",
			                   (unsigned long long)e.length);
		rc = repo_stored(r, &e, &space, &stored, &why);
	} while (rc < 0 && moved(r, &e, &why));
	if (rc < 0)
		*err = why;
	if (rc == ARK_OK)
		rc = open_stored(r, &e, stored, out, err);
	if (rc < 0)
		ark_buf_cut(out, before);
	return named(rc, &e, err);
}

/* --- in pieces ----------------------------------------------------------------------------------- */

struct pieces {
	struct repo *r;
	const struct repo_entry *e;
	repo_take_fn *take;
	void *ctx;
	bool begun;
	uint64_t left;        /* stored bytes to come */
	struct ark_buf held;  /* encrypted bytes until a piece is whole */
	struct ark_buf plain;
};

static enum ark_rc pieces_sealed(struct pieces *p, struct ark_err *err)
{
	for (;;) {
		if (!p->begun) {
			if (p->held.len < REPO_SEALED_HEAD)
				return ARK_OK;
			enum ark_rc rc = unseal_begin(p->r, &p->e->id, p->held.data, err);
			if (rc < 0)
				return rc;
			p->begun = true;
			memmove(p->held.data, p->held.data + REPO_SEALED_HEAD, p->held.len - REPO_SEALED_HEAD);
			ark_buf_cut(&p->held, p->held.len - REPO_SEALED_HEAD);
		}
		size_t whole = CRYPT_PIECE + CRYPT_PIECE_MORE;
		bool last = p->left == 0 && p->held.len <= whole;
		if (p->held.len == 0 || (p->held.len <= whole && !last))
			return ARK_OK;
		struct ark_str piece = ark_str_first(ark_buf_view(&p->held), whole);
		ark_buf_reset(&p->plain);
		enum ark_rc rc = crypt_stream_pull(p->r->stream, piece, last, &p->plain, err);
		if (rc == ARK_OK)
			rc = p->take(p->ctx, p->plain.data, p->plain.len, err);
		if (rc < 0)
			return rc;
		memmove(p->held.data, p->held.data + piece.len, p->held.len - piece.len);
		ark_buf_cut(&p->held, p->held.len - piece.len);
	}
}

static enum ark_rc pieces_take(void *ctx, const char *ptr, size_t len, struct ark_err *err)
{
	struct pieces *p = ctx;
	p->left -= len < p->left ? len : p->left;
	if (p->e->codec == REPO_RAW) {
		crypt_hash_add(p->r->hash, ptr, len);
		return p->take(p->ctx, ptr, len, err);
	}
	ark_buf_add(&p->held, ptr, len);
	enum ark_rc rc = ark_buf_ok(&p->held, "a piece", err);
	return rc < 0 ? rc : pieces_sealed(p, err);
}

/* A raw object that is a stored file of its own. */
static enum ark_rc read_own_file(struct repo *r, const struct repo_entry *e, repo_take_fn *take, void *ctx,
                                 struct ark_err *err)
{
	char key[REPO_KEY_MAX];
	struct pieces p = { .r = r, .e = e, .take = take, .ctx = ctx, .left = e->length };
	unsigned char sum[CRYPT_SHA256_BYTES];
	repo_data_key(&e->pack, key);
	ark_buf_init(&p.held, 4u << 20);
	ark_buf_init(&p.plain, 4u << 20);
	crypt_hash_begin(r->hash);
	enum ark_rc rc = repo_keep_read(r->keep, key, pieces_take, &p, err);
	crypt_hash_end(r->hash, sum);
	if (rc == ARK_OK && (p.left > 0 || p.held.len > 0))
		rc = ark_err_set(err, ARK_KIND_INPUT, "it is cut off");
	if (rc == ARK_OK && e->codec == REPO_RAW && memcmp(sum, e->id.b, sizeof(sum)) != 0)
		rc = ark_err_set(err, ARK_KIND_INPUT, "its bytes are not what its name says");
	ark_buf_release(&p.held);
	ark_buf_release(&p.plain);
	return rc;
}

enum ark_rc repo_read_pieces(struct repo *r, const struct repo_id *id, repo_take_fn *take, void *ctx,
                             struct ark_err *err)
{
	struct repo_entry e;
	enum ark_rc rc = locate(r, id, &e, err);
	if (rc < 0)
		return rc;
	/* what is in packs can be moved by a prune, a file of its own is never */
	bool raw = e.codec == REPO_RAW || e.codec == REPO_SEALED_RAW;
	if (raw && e.offset == 0)
		return named(read_own_file(r, &e, take, ctx, err), &e, err);
	ark_auto(ark_buf_release) struct ark_buf plain = { 0 };
	ark_buf_init(&plain, LIMIT_REPO_OBJECT);
	rc = repo_read(r, id, &plain, err);
	return rc < 0 ? rc : take(ctx, plain.data, plain.len, err);
}

enum ark_rc repo_use_dictionary(struct repo *r, const struct repo_id *id, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf bytes = { 0 };
	struct io_dict *dict = NULL;
	ark_buf_init(&bytes, LIMIT_REPO_OBJECT);
	enum ark_rc rc = repo_read(r, id, &bytes, err);
	if (rc == ARK_OK)
		rc = io_dict_new(ark_buf_view(&bytes), DICT_LEVEL, &dict, err);
	if (rc < 0)
		return ark_err_in(err, rc, "dictionary");
	io_dict_free(r->dict);
	r->dict = dict;
	return ARK_OK;
}
