#include "backup/repo/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/repo/intent.h"
#include "backup/repo/local.h"
#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/crypt/hash.h"
#include "common/crypt/seal.h"
#include "common/io/frame.h"
#include "common/io/spool.h"
#include "common/repo/format.h"
#include "common/repo/walk.h"

#include "common/base/banned.h"

#define LEVEL 3
#define LEVEL_FAST 1
#define PACK_OBJECTS (32u << 10) /* a pack ends with so many, however small: its index is read as a whole */
#define INDEX_EVERY 64 /* files of their own between two index files */

struct pack_writer {
	struct repo *r;
	struct intent *intent;
	const struct ark_map *condemned;
	pthread_mutex_t lock;
	const struct io_dict *dict;
	struct ark_buf pack;       /* the present one */
	struct repo_entry *pending; /* entries of it: their pack is not known yet */
	size_t pending_count, pending_cap;
	struct ark_buf index;      /* lines of finished packs */
	unsigned own_files;        /* since the last index file */
	struct crypt_hash *hash;
	struct io_packer *packer;
	uint64_t added;
	bool sealed;
	unsigned char name_key[CRYPT_KEY_BYTES]; /* for ids */
	unsigned char run_key[CRYPT_KEY_BYTES];  /* of this run */
	unsigned char run_name[REPO_KEY_NAME];
	bool run_key_stored;
};

struct pack_tools {
	struct pack_writer *w;
	struct io_packer *packer, *fast;
	struct crypt_hash *hash;
	struct crypt_named *named;
	struct crypt_stream *stream;
	struct pack_ready ready; /* for pack_put */
	struct ark_buf frame;
};

static void make_run_key(struct pack_writer *w)
{
	crypt_random(w->run_key, sizeof(w->run_key));
	crypt_random(w->run_name, sizeof(w->run_name));
}

enum ark_rc pack_open(struct repo *r, struct intent *intent, const struct ark_map *condemned,
                      struct pack_writer **out, struct ark_err *err)
{
	ark_auto(pack_closep) struct pack_writer *w = ark_calloc(1, sizeof(*w));
	w->r = r;
	w->intent = intent;
	w->condemned = condemned;
	pthread_mutex_init(&w->lock, NULL);
	ark_buf_init(&w->pack, LIMIT_REPO_OBJECT + (size_t)PACK_BYTES);
	ark_buf_init(&w->index, LIMIT_REPO_INDEX);
	w->hash = crypt_hash_new();
	w->packer = io_packer_new(LEVEL);
	w->sealed = repo_encrypted(r);
	if (w->sealed) {
		enum ark_rc rc = local_name_key(r, w->name_key, err);
		if (rc < 0)
			return rc;
		make_run_key(w);
	}
	*out = w;
	w = NULL;
	return ARK_OK;
}

void pack_close(struct pack_writer *w)
{
	if (w == NULL)
		return;
	crypt_wipe(w->name_key, sizeof(w->name_key));
	crypt_wipe(w->run_key, sizeof(w->run_key));
	ark_buf_release(&w->pack);
	ark_buf_release(&w->index);
	free(w->pending);
	crypt_hash_free(w->hash);
	io_packer_free(w->packer);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void pack_closep(struct pack_writer **w)
{
	pack_close(*w);
	*w = NULL;
}

void pack_use_dictionary(struct pack_writer *w, const struct io_dict *dict)
{
	w->dict = dict;
}

struct pack_tools *pack_tools_new(struct pack_writer *w)
{
	struct pack_tools *t = ark_calloc(1, sizeof(*t));
	t->w = w;
	t->packer = io_packer_new(LEVEL);
	t->fast = io_packer_new(LEVEL_FAST);
	t->hash = crypt_hash_new();
	if (w->sealed) {
		t->named = crypt_named_new(w->name_key);
		t->stream = crypt_stream_new();
	}
	pack_ready_init(&t->ready);
	ark_buf_init(&t->frame, LIMIT_REPO_OBJECT + (1u << 20));
	return t;
}

void pack_tools_free(struct pack_tools *t)
{
	if (t == NULL)
		return;
	io_packer_free(t->packer);
	io_packer_free(t->fast);
	crypt_hash_free(t->hash);
	crypt_named_free(t->named);
	crypt_stream_free(t->stream);
	pack_ready_release(&t->ready);
	ark_buf_release(&t->frame);
	free(t);
}

void pack_ready_init(struct pack_ready *p)
{
	*p = (struct pack_ready){ .known = false };
	ark_buf_init(&p->stored, LIMIT_REPO_OBJECT + (64u << 20));
}

void pack_ready_release(struct pack_ready *p)
{
	ark_buf_release(&p->stored);
}

bool pack_knows(struct pack_writer *w, const struct repo_id *id)
{
	struct repo_entry e;
	pthread_mutex_lock(&w->lock);
	bool known = repo_index_find(repo_index(w->r), id, &e);
	pthread_mutex_unlock(&w->lock);
	return known;
}

uint64_t pack_added(const struct pack_writer *w)
{
	return w->added;
}

/* --- preparing ----------------------------------------------------------------------------------- */

static void seal(struct pack_tools *t, struct ark_str plain, struct pack_ready *out)
{
	unsigned char head[CRYPT_STREAM_HEAD];
	crypt_stream_seal(t->stream, t->w->run_key, ark_str_n((const char *)out->id.b, REPO_ID_BYTES), head);
	ark_buf_add(&out->stored, (const char *)t->w->run_name, REPO_KEY_NAME);
	ark_buf_add(&out->stored, (const char *)head, sizeof(head));
	do {
		struct ark_str piece = ark_str_first(plain, CRYPT_PIECE);
		plain = ark_str_from(plain, piece.len);
		crypt_stream_push(t->stream, piece, plain.len == 0, &out->stored);
	} while (plain.len > 0);
}

enum ark_rc pack_prepare(struct pack_tools *t, struct ark_str plain, unsigned how, struct pack_ready *out,
                         struct ark_err *err)
{
	bool sealed = t->w->sealed && !(how & PACK_OPEN);
	struct io_packer *packer = how & PACK_FAST ? t->fast : t->packer;
	const struct io_dict *dict = how & PACK_DICT ? t->w->dict : NULL;
	ark_buf_reset(&out->stored);
	out->codec = sealed ? REPO_SEALED_ZSTD : REPO_ZSTD;
	if (!sealed) {
		enum ark_rc rc = io_packer_add(packer, dict, plain, &out->stored, err);
		if (rc < 0)
			return rc;
		crypt_sha256(t->hash, out->stored.data, out->stored.len, out->id.b);
		out->known = pack_knows(t->w, &out->id);
		return ARK_OK;
	}
	crypt_named_begin(t->named);
	crypt_named_add(t->named, plain.ptr, plain.len);
	crypt_named_end(t->named, out->id.b);
	enum ark_rc rc = ARK_OK;
	if (how & PACK_MIRROR)
		rc = local_mirror_put(t->w->r, &out->id, plain, err);
	out->known = pack_knows(t->w, &out->id);
	if (rc < 0 || out->known)
		return rc;
	ark_buf_reset(&t->frame);
	rc = io_packer_add(packer, dict, plain, &t->frame, err);
	if (rc == ARK_OK)
		seal(t, ark_buf_view(&t->frame), out);
	return rc < 0 ? rc : ark_buf_ok(&out->stored, "an object", err);
}

/* --- keeping (under the lock) -------------------------------------------------------------------- */

/* A sweep that runs may delete what has this name at any moment, whoever wrote it last. */
static enum ark_rc hold_condemned(struct pack_writer *w, const struct repo_id *name, struct ark_err *err)
{
	struct ark_str key = ark_str_n((const char *)name->b, REPO_ID_BYTES);
	return ark_map_get(w->condemned, key) == ARK_MAP_NONE ? ARK_OK : intent_hold(w->intent, err);
}

static enum ark_rc put_named(struct pack_writer *w, const char *dir, struct ark_str bytes,
                             struct repo_id *name, struct ark_err *err)
{
	char key[REPO_KEY_MAX], hex[REPO_ID_HEX + 1];
	crypt_sha256(w->hash, bytes.ptr, bytes.len, name->b);
	repo_id_hex(name, hex);
	if (strcmp(dir, REPO_DIR_DATA) == 0)
		repo_data_key(name, key);
	else
		snprintf(key, sizeof(key), "%s%s", dir, hex);
	enum ark_rc rc = hold_condemned(w, name, err);
	if (rc == ARK_OK)
		rc = repo_keep_put(repo_keep(w->r), key, bytes, REPO_KEEP_SAME, err);
	if (rc == ARK_OK)
		w->added += bytes.len;
	return rc;
}

/* The key with which this run seals has to be there before anything that needs it. */
static enum ark_rc store_run_key(struct pack_writer *w, struct ark_err *err)
{
	char key[REPO_KEY_MAX], hex[2 * REPO_KEY_NAME + 1];
	unsigned char sealed[CRYPT_SEALED_KEY_BYTES];
	if (!w->sealed || w->run_key_stored)
		return ARK_OK;
	crypt_hex(w->run_name, REPO_KEY_NAME, hex);
	snprintf(key, sizeof(key), REPO_DIR_KEYS "%s", hex);
	crypt_key_seal(repo_recipient(w->r), w->run_key, sealed);
	enum ark_rc rc = repo_keep_put(repo_keep(w->r), key, ark_str_n((const char *)sealed, sizeof(sealed)),
	                               REPO_KEEP_FIRST, err);
	if (rc == ARK_OK)
		w->added += sizeof(sealed);
	w->run_key_stored = rc == ARK_OK;
	return rc;
}

static enum ark_rc flush_index(struct pack_writer *w, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf frame = { 0 };
	struct repo_id name;
	if (w->index.len == 0)
		return ARK_OK;
	ark_buf_init(&frame, LIMIT_REPO_INDEX);
	enum ark_rc rc = ark_buf_ok(&w->index, "the index", err);
	if (rc == ARK_OK)
		rc = io_packer_add(w->packer, NULL, ark_buf_view(&w->index), &frame, err);
	if (rc == ARK_OK)
		rc = put_named(w, REPO_DIR_INDEX, ark_buf_view(&frame), &name, err);
	if (rc == ARK_OK) {
		ark_buf_reset(&w->index);
		w->own_files = 0;
	}
	return rc;
}

static enum ark_rc flush_pack(struct pack_writer *w, struct ark_err *err)
{
	struct repo_id pack;
	if (w->pending_count == 0)
		return ARK_OK;
	enum ark_rc rc = ark_buf_ok(&w->pack, "a pack", err);
	if (rc == ARK_OK)
		rc = store_run_key(w, err);
	if (rc == ARK_OK)
		rc = put_named(w, REPO_DIR_DATA, ark_buf_view(&w->pack), &pack, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < w->pending_count; i++) {
		w->pending[i].pack = pack;
		repo_entry_add(&w->pending[i], &w->index);
	}
	w->pending_count = 0;
	ark_buf_reset(&w->pack);
	return flush_index(w, err);
}

/* Into the present pack. *out: its entry, whose pack is not known yet. */
static void append_locked(struct pack_writer *w, const struct repo_id *id, enum repo_codec codec,
                          struct ark_str stored, struct repo_entry *out)
{
	unsigned char head[PACK_ENTRY_HEAD];
	uint32_t len = (uint32_t)stored.len;
	io_skip_head(PACK_ENTRY_HEAD - IO_SKIP_HEAD, head);
	for (int i = 0; i < 4; i++)
		head[IO_SKIP_HEAD + i] = (unsigned char)(len >> (8 * i));
	memcpy(head + IO_SKIP_HEAD + 4, id->b, 8);
	ark_buf_add(&w->pack, (const char *)head, sizeof(head));
	struct repo_entry e = { .id = *id, .offset = w->pack.len, .length = stored.len, .codec = codec };
	ark_buf_str(&w->pack, stored);
	if (w->pending_count == w->pending_cap) {
		w->pending_cap = w->pending_cap == 0 ? 1024 : 2 * w->pending_cap;
		w->pending = ark_realloc(w->pending, w->pending_cap, sizeof(e));
	}
	w->pending[w->pending_count++] = e;
	*out = e;
}

static bool is_full(const struct pack_writer *w)
{
	return w->pack.len >= PACK_BYTES || w->pending_count >= PACK_OBJECTS;
}

static enum ark_rc keep_locked(struct pack_writer *w, const struct repo_id *id, enum repo_codec codec,
                               struct ark_str stored, struct ark_err *err)
{
	struct repo_entry e;
	append_locked(w, id, codec, stored, &e);
	repo_index_add(repo_index(w->r), &e);
	return is_full(w) ? flush_pack(w, err) : ARK_OK;
}

enum ark_rc pack_keep(struct pack_writer *w, const struct repo_id *id, enum repo_codec codec,
                      struct ark_str stored, struct ark_err *err)
{
	struct repo_entry e;
	enum ark_rc rc = ARK_OK;
	pthread_mutex_lock(&w->lock);
	/* another thread may have brought the same meanwhile */
	if (!repo_index_find(repo_index(w->r), id, &e))
		rc = keep_locked(w, id, codec, stored, err);
	pthread_mutex_unlock(&w->lock);
	return rc;
}

enum ark_rc pack_walk_next(struct pack_writer *w, struct repo_walk *walk, struct repo_item *out,
                           struct ark_err *err)
{
	pthread_mutex_lock(&w->lock);
	enum ark_rc rc = repo_walk_next(walk, out, err);
	pthread_mutex_unlock(&w->lock);
	return rc;
}

enum ark_rc pack_move(struct pack_writer *w, const struct repo_entry *e, struct ark_str stored,
                      struct ark_err *err)
{
	struct repo_entry moved;
	pthread_mutex_lock(&w->lock);
	append_locked(w, &e->id, e->codec, stored, &moved);
	enum ark_rc rc = is_full(w) ? flush_pack(w, err) : ARK_OK;
	pthread_mutex_unlock(&w->lock);
	return rc;
}

enum ark_rc pack_put(struct pack_tools *t, struct ark_str plain, unsigned how, struct repo_id *id,
                     struct ark_err *err)
{
	enum ark_rc rc = pack_prepare(t, plain, how, &t->ready, err);
	if (rc == ARK_OK && !t->ready.known)
		rc = pack_keep(t->w, &t->ready.id, t->ready.codec, ark_buf_view(&t->ready.stored), err);
	if (rc == ARK_OK)
		*id = t->ready.id;
	return rc;
}

enum ark_rc pack_flush(struct pack_writer *w, struct ark_err *err)
{
	pthread_mutex_lock(&w->lock);
	enum ark_rc rc = flush_pack(w, err);
	if (rc == ARK_OK)
		rc = flush_index(w, err);
	pthread_mutex_unlock(&w->lock);
	return rc;
}

/* --- bodies of files ------------------------------------------------------------------------------ */

#define PIECE (256u << 10)

/* Read from `at`; *got is less than PIECE only at the end. */
static enum ark_rc read_piece(int fd, uint64_t at, char *space, size_t *got, struct ark_err *err)
{
	*got = 0;
	while (*got < PIECE) {
		ssize_t n = pread(fd, space + *got, PIECE - *got, (off_t)(at + *got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ark_err_errno(err, errno, "cannot read");
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return ARK_OK;
}

static enum ark_rc hash_file(struct pack_tools *t, int fd, struct repo_id *id, uint64_t *len, struct ark_err *err)
{
	ark_auto(ark_freep) char *space = ark_malloc(PIECE);
	size_t got = PIECE;
	*len = 0;
	if (t->named != NULL)
		crypt_named_begin(t->named);
	else
		crypt_hash_begin(t->hash);
	while (got == PIECE) {
		enum ark_rc rc = read_piece(fd, *len, space, &got, err);
		if (rc < 0)
			return rc;
		if (t->named != NULL)
			crypt_named_add(t->named, space, got);
		else
			crypt_hash_add(t->hash, space, got);
		*len += got;
	}
	if (t->named != NULL)
		crypt_named_end(t->named, id->b);
	else
		crypt_hash_end(t->hash, id->b);
	return ARK_OK;
}

static enum ark_rc spool_add(struct pack_tools *t, struct io_spool *s, const char *dir, struct ark_str bytes,
                             struct ark_err *err)
{
	crypt_hash_add(t->hash, bytes.ptr, bytes.len);
	return io_spool_add(s, dir, bytes.ptr, bytes.len, err);
}

/* Encrypt a large body into a temporary file; `pack` is the SHA-256 of what came out. */
static enum ark_rc seal_file(struct pack_tools *t, int fd, uint64_t len, const struct repo_id *id,
                             struct io_spool *to, struct repo_id *pack, struct ark_err *err)
{
	ark_auto(ark_freep) char *space = ark_malloc(CRYPT_PIECE);
	const char *dir = io_temp_dir();
	struct pack_ready *r = &t->ready;
	unsigned char head[CRYPT_STREAM_HEAD];
	uint64_t at = 0;
	r->id = *id;
	crypt_hash_begin(t->hash);
	crypt_stream_seal(t->stream, t->w->run_key, ark_str_n((const char *)id->b, REPO_ID_BYTES), head);
	ark_buf_reset(&r->stored);
	ark_buf_add(&r->stored, (const char *)t->w->run_name, REPO_KEY_NAME);
	ark_buf_add(&r->stored, (const char *)head, sizeof(head));
	do {
		size_t want = len - at < CRYPT_PIECE ? (size_t)(len - at) : CRYPT_PIECE;
		ssize_t n = pread(fd, space, want, (off_t)at);
		if (n < 0 || (size_t)n != want)
			return ark_err_set(err, ARK_KIND_IO, "it changed while it was read");
		at += want;
		crypt_stream_push(t->stream, ark_str_n(space, want), at == len, &r->stored);
		enum ark_rc rc = spool_add(t, to, dir, ark_buf_view(&r->stored), err);
		if (rc < 0)
			return rc;
		ark_buf_reset(&r->stored);
	} while (at < len);
	crypt_hash_end(t->hash, pack->b);
	return ARK_OK;
}

static enum ark_rc keep_own_file(struct pack_writer *w, const struct repo_entry *e, int fd, struct ark_err *err)
{
	char key[REPO_KEY_MAX], hex[REPO_ID_HEX + 1];
	repo_data_key(&e->pack, key);
	repo_id_hex(&e->pack, hex);
	pthread_mutex_lock(&w->lock);
	enum ark_rc rc = store_run_key(w, err);
	if (rc == ARK_OK)
		rc = hold_condemned(w, &e->pack, err);
	pthread_mutex_unlock(&w->lock);
	/* the long part without the lock */
	if (rc == ARK_OK)
		rc = repo_keep_put_file(repo_keep(w->r), key, fd, e->length, hex, err);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&w->lock);
	w->added += e->length;
	repo_entry_add(e, &w->index);
	repo_index_add(repo_index(w->r), e);
	if (++w->own_files >= INDEX_EVERY)
		rc = flush_index(w, err);
	pthread_mutex_unlock(&w->lock);
	return rc;
}

static enum ark_rc put_large(struct pack_tools *t, int fd, struct repo_id *id, uint64_t *size, struct ark_err *err)
{
	enum ark_rc rc = hash_file(t, fd, id, size, err);
	if (rc < 0 || pack_knows(t->w, id))
		return rc;
	struct repo_entry e = { .id = *id, .pack = *id, .length = *size, .codec = REPO_RAW };
	if (t->named == NULL)
		return keep_own_file(t->w, &e, fd, err);
	struct io_spool sealed = IO_SPOOL_NONE;
	rc = seal_file(t, fd, *size, id, &sealed, &e.pack, err);
	e.codec = REPO_SEALED_RAW;
	e.length = sealed.len;
	if (rc == ARK_OK)
		rc = keep_own_file(t->w, &e, sealed.fd, err);
	io_spool_close(&sealed);
	return rc;
}

enum ark_rc pack_put_file(struct pack_tools *t, int fd, struct repo_id *id, uint64_t *size_bytes,
                          struct ark_err *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return ark_err_errno(err, errno, "cannot look at it");
	if (st.st_size >= (off_t)PACK_OWN_FILE)
		return put_large(t, fd, id, size_bytes, err);
	ark_auto(ark_buf_release) struct ark_buf body = { 0 };
	ark_buf_init(&body, (size_t)PACK_OWN_FILE + PIECE);
	ark_auto(ark_freep) char *space = ark_malloc(PIECE);
	for (size_t got = PIECE; got == PIECE;) {
		enum ark_rc rc = read_piece(fd, body.len, space, &got, err);
		if (rc < 0)
			return rc;
		ark_buf_add(&body, space, got);
	}
	if (body.failed)
		return put_large(t, fd, id, size_bytes, err); /* it grew */
	*size_bytes = body.len;
	return pack_put(t, ark_buf_view(&body), PACK_FAST, id, err);
}
