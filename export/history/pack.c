/*
 * A pack begins with the number of its objects, which is known at its end, and libgit2's indexer wants it
 * first: hence the temporary file between the two. Indexing runs beside everything else and one pack behind.
 */
#include "export/history/pack.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "common/base/fail.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/base/pool.h"
#include "common/crypt/hash.h"
#include "common/io/spool.h"
#include "export/history/git.h"

#include "common/base/banned.h"

#define PACK_OBJECTS 50000        /* about 8 MB in the indexer */
#define PACK_BYTES (512u << 20)
#define PRESS_LEVEL 2             /* beside level 6: three times as fast, a tenth larger */
#define SMALL_BYTES 8192          /* objects up to here take a smaller window and tables, which are emptied sooner */
#define SMALL_WINDOW 13
#define SMALL_MEMORY 4
#define CHUNK 65536
#define DELTA_DEPTH 16            /* reading one object follows so many at most; git's own is 50, for a twentieth less */
#define STORED_BYTES 256          /* deltas are names mostly, which do not shrink */
#define STORED_TREE 4096          /* nor do lists much: a quarter less for a fifth of an update's time */
#define PACK_OFS_DELTA 6
#define WAITING_BYTES (256u << 10)

void history_oid_hex(const struct history_oid *id, char out[HISTORY_OID_HEX])
{
	crypt_hex(id->b, HISTORY_OID, out);
}

bool history_oid_read(struct ark_str hex, struct history_oid *out)
{
	struct history_oid id;
	if (hex.len != 2 * HISTORY_OID)
		return false;
	for (size_t i = 0; i < HISTORY_OID; i++) {
		int high = ark_hex_digit(hex.ptr[2 * i]), low = ark_hex_digit(hex.ptr[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		id.b[i] = (unsigned char)(high << 4 | low);
	}
	*out = id;
	return true;
}

const char *history_type_name(enum history_type type)
{
	static const char *const NAMES[] = { [HISTORY_COMMIT] = "commit", [HISTORY_TREE] = "tree",
		                             [HISTORY_BLOB] = "blob" };
	return NAMES[type];
}

/* --- names and compression --------------------------------------------------------------------- */

struct history_press {
	struct crypt_hash *hash;
	z_stream large, small;
	struct ark_buf packed; /* an object as it stands in the pack */
	struct ark_buf delta;
};

struct history_press *history_press_new(void)
{
	struct history_press *p = ark_calloc(1, sizeof(*p));
	p->hash = crypt_hash_new_sha1();
	if (deflateInit(&p->large, PRESS_LEVEL) != Z_OK ||
	    deflateInit2(&p->small, PRESS_LEVEL, Z_DEFLATED, SMALL_WINDOW, SMALL_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		ark_bug("zlib does not start");
	ark_buf_init(&p->packed, 2 * (size_t)LIMIT_HISTORY_DAY);
	ark_buf_init(&p->delta, 2 * (size_t)LIMIT_HISTORY_TREE);
	return p;
}

void history_press_free(struct history_press *p)
{
	if (p == NULL)
		return;
	crypt_hash_free(p->hash);
	deflateEnd(&p->large);
	deflateEnd(&p->small);
	ark_buf_release(&p->packed);
	ark_buf_release(&p->delta);
	free(p);
}

/* "blob 12" and a NUL stand before the content. */
static void begin_name(struct history_press *p, enum history_type type, uint64_t len)
{
	char head[64];
	int n = snprintf(head, sizeof(head), "%s %llu", history_type_name(type), (unsigned long long)len);
	crypt_hash_begin(p->hash);
	crypt_hash_add(p->hash, head, (size_t)n + 1);
}

void history_press_name(struct history_press *p, enum history_type type, struct ark_str content,
                        struct history_oid *out)
{
	begin_name(p, type, content.len);
	crypt_hash_add(p->hash, content.ptr, content.len);
	crypt_hash_end(p->hash, out->b);
}

/* Type and size of an entry. */
static void entry_head(struct ark_buf *to, unsigned type, uint64_t size)
{
	unsigned char c = (unsigned char)(type << 4 | (size & 15));
	for (size >>= 4; size > 0; size >>= 7) {
		ark_buf_c(to, (char)(c | 0x80));
		c = size & 0x7f;
	}
	ark_buf_c(to, (char)c);
}

/* A zlib stream without compression. */
static void store(struct ark_buf *to, struct ark_str s)
{
	unsigned n = (unsigned)s.len;
	unsigned long sum = adler32(adler32(0, NULL, 0), (const Bytef *)s.ptr, n);
	const unsigned char head[] = { 0x78, 0x01, 0x01, n & 255, n >> 8 & 255, ~n & 255, (~n >> 8) & 255 };
	const unsigned char tail[] = { sum >> 24 & 255, sum >> 16 & 255, sum >> 8 & 255, sum & 255 };
	ark_buf_add(to, (const char *)head, sizeof(head));
	ark_buf_str(to, s);
	ark_buf_add(to, (const char *)tail, sizeof(tail));
}

/* Up to `room` bytes of output behind p->packed; false: all of it is there. */
static bool deflate_some(struct history_press *p, z_stream *z, int flush, size_t room)
{
	char *to = ark_buf_room(&p->packed, room);
	if (to == NULL)
		return false;
	z->next_out = (Bytef *)to;
	z->avail_out = (uInt)room;
	int done = deflate(z, flush);
	if (done != Z_OK && done != Z_STREAM_END && done != Z_BUF_ERROR)
		ark_bug("zlib does not go on");
	p->packed.len += room - z->avail_out;
	return done != Z_STREAM_END && (flush == Z_FINISH || z->avail_out == 0);
}

static void deflate_all(struct history_press *p, struct ark_str s)
{
	z_stream *z = s.len <= SMALL_BYTES ? &p->small : &p->large;
	deflateReset(z);
	z->next_in = (const Bytef *)s.ptr;
	z->avail_in = (uInt)s.len;
	size_t room;
	do {
		room = deflateBound(z, z->avail_in) + 64;
		room = room < CHUNK ? room : CHUNK;
	} while (deflate_some(p, z, Z_FINISH, room));
}

/* --- the objects of a pack --------------------------------------------------------------------- */

struct placed {
	struct history_oid id;
	uint32_t depth;
	uint64_t at;
};

struct pack_task {
	struct io_spool spool;
	uint32_t count;
};

struct history_packs {
	char *folder;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* The pack that grows. */
	struct pack_task grows;
	struct ark_buf waiting; /* of it, not in the file yet */
	uint64_t at;            /* where its next object goes */
	struct placed *placed;
	uint32_t *slots; /* index in placed + 1; by the first bytes of the id */
	uint32_t slots_count;
	uint64_t count;
	/* The pack that is indexed. */
	pthread_t thread;
	bool runs, has_task, ends;
	struct pack_task task;
	enum ark_rc rc;
	struct ark_err err;
	/* What is done. */
	struct ark_pool names_pool;
	const char **names;
	size_t names_count;
};

static uint32_t slot_of(const struct history_packs *p, const struct history_oid *id)
{
	uint32_t at;
	memcpy(&at, id->b, sizeof(at));
	for (at &= p->slots_count - 1; p->slots[at] != 0; at = (at + 1) & (p->slots_count - 1))
		if (history_oid_eq(&p->placed[p->slots[at] - 1].id, id))
			break;
	return at;
}

static const struct placed *find(const struct history_packs *p, const struct history_oid *id)
{
	uint32_t slot = slot_of(p, id);
	return p->slots[slot] != 0 ? &p->placed[p->slots[slot] - 1] : NULL;
}

static void place(struct history_packs *p, const struct history_oid *id, uint32_t depth)
{
	uint32_t slot = slot_of(p, id);
	p->placed[p->grows.count++] = (struct placed){ *id, depth, p->at };
	p->slots[slot] = p->grows.count;
	p->count++;
}

static enum ark_rc flush(struct history_packs *p, struct ark_err *err)
{
	enum ark_rc rc = io_spool_add(&p->grows.spool, p->folder, p->waiting.data, p->waiting.len, err);
	ark_buf_reset(&p->waiting);
	return rc;
}

static enum ark_rc append(struct history_packs *p, struct ark_str bytes, struct ark_err *err)
{
	p->at += bytes.len;
	enum ark_rc rc = p->waiting.len + bytes.len > WAITING_BYTES ? flush(p, err) : ARK_OK;
	if (rc == ARK_OK && bytes.len > WAITING_BYTES)
		return io_spool_add(&p->grows.spool, p->folder, bytes.ptr, bytes.len, err);
	ark_buf_str(&p->waiting, bytes);
	return rc;
}

/* --- indexing ---------------------------------------------------------------------------------- */

#define PACK_HEAD 12

/* Fact  git's Documentation/gitformat-pack: "PACK", version 2, number of objects; SHA-1 of all at the end */
static void pack_head(uint32_t count, unsigned char out[PACK_HEAD])
{
	const unsigned char head[PACK_HEAD] = { 'P', 'A', 'C', 'K', 0, 0, 0, 2, (unsigned char)(count >> 24),
		                                count >> 16 & 255,
		                                count >> 8 & 255,
		                                (unsigned char)(count & 255) };
	memcpy(out, head, PACK_HEAD);
}

/* libgit2 keeps count in `progress`, from the first call to the last. */
struct indexing {
	git_indexer *indexer;
	git_indexer_progress progress;
	struct crypt_hash *hash; /* of all bytes so far */
};

static enum ark_rc index_add(struct indexing *x, const void *data, size_t len, struct ark_err *err)
{
	size_t n = len;
	int errnum = ark_fail_write("write a pack", &n);
	if (errnum != 0 && errnum != EINTR)
		return ark_err_errno(err, errnum, "cannot write a pack");
	crypt_hash_add(x->hash, data, len);
	int rc = git_indexer_append(x->indexer, data, len, &x->progress);
	return rc < 0 ? history_git_stop(err, "writing a pack") : ARK_OK;
}

static enum ark_rc index_task(git_indexer *indexer, const struct pack_task *task, struct ark_err *err)
{
	ark_auto(crypt_hash_freep) struct crypt_hash *hash = crypt_hash_new_sha1();
	ark_auto(ark_freep) char *chunk = ark_malloc(CHUNK);
	struct indexing x = { .indexer = indexer, .hash = hash };
	unsigned char head[PACK_HEAD], sum[HISTORY_OID];
	crypt_hash_begin(hash);
	pack_head(task->count, head);
	enum ark_rc rc = index_add(&x, head, sizeof(head), err);
	for (uint64_t at = 0; at < task->spool.len && rc == ARK_OK; at += CHUNK) {
		size_t n = task->spool.len - at < CHUNK ? (size_t)(task->spool.len - at) : CHUNK;
		rc = io_spool_read(&task->spool, at, chunk, n, err);
		if (rc == ARK_OK)
			rc = index_add(&x, chunk, n, err);
	}
	crypt_hash_end(hash, sum);
	crypt_hash_begin(hash);
	if (rc == ARK_OK)
		rc = index_add(&x, sum, sizeof(sum), err);
	int failed = rc == ARK_OK ? ark_fail_step("index a pack") : 0;
	if (failed != 0)
		return ark_err_errno(err, failed, "cannot index a pack");
	if (rc == ARK_OK && git_indexer_commit(indexer, &x.progress) < 0)
		return history_git_stop(err, "indexing a pack");
	return rc;
}

static enum ark_rc index_one(struct history_packs *p, const struct pack_task *task, struct ark_err *err)
{
	git_indexer *indexer = NULL;
	git_indexer_options opt = GIT_INDEXER_OPTIONS_INIT;
	if (git_indexer_new(&indexer, p->folder, 0400, NULL, &opt) < 0)
		return history_git_stop(err, "beginning a pack");
	enum ark_rc rc = index_task(indexer, task, err);
	if (rc == ARK_OK) {
		ark_auto(ark_buf_release) struct ark_buf name;
		ark_buf_init(&name, 256);
		ark_buf_fmt(&name, "pack-%s", git_indexer_name(indexer));
		p->names = ark_realloc(p->names, p->names_count + 1, sizeof(p->names[0]));
		p->names[p->names_count++] = ark_pool_str(&p->names_pool, ark_buf_view(&name)).ptr;
	}
	git_indexer_free(indexer);
	return rc;
}

static void *work(void *arg)
{
	struct history_packs *p = arg;
	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!p->has_task && !p->ends)
			pthread_cond_wait(&p->changed, &p->lock);
		if (!p->has_task)
			break;
		struct ark_err err = { 0 };
		bool skip = p->rc < 0;
		pthread_mutex_unlock(&p->lock);
		enum ark_rc rc = skip ? ARK_OK : index_one(p, &p->task, &err);
		io_spool_close(&p->task.spool);
		pthread_mutex_lock(&p->lock);
		if (rc < 0) {
			p->rc = rc;
			p->err = err;
		}
		p->has_task = false;
		pthread_cond_broadcast(&p->changed);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* With the lock held: until the thread has nothing to do; what went wrong there goes wrong here. */
static enum ark_rc wait_idle(struct history_packs *p, struct ark_err *err)
{
	while (p->has_task)
		pthread_cond_wait(&p->changed, &p->lock);
	if (p->rc < 0)
		*err = p->err;
	return p->rc;
}

/* With the lock held, and an idle thread: the pack that grew goes to it, another one begins. */
static enum ark_rc hand_over(struct history_packs *p, struct ark_err *err)
{
	enum ark_rc rc = flush(p, err);
	if (rc == ARK_OK && !p->runs) {
		int failed = pthread_create(&p->thread, NULL, work, p);
		if (failed != 0)
			return ark_err_errno(err, failed, "cannot start a thread");
		p->runs = true;
	}
	if (rc < 0)
		return rc;
	p->task = p->grows;
	p->has_task = true;
	p->grows = (struct pack_task){ IO_SPOOL_NONE, 0 };
	p->at = PACK_HEAD;
	memset(p->slots, 0, p->slots_count * sizeof(p->slots[0]));
	pthread_cond_broadcast(&p->changed);
	return ARK_OK;
}

/* --- adding ------------------------------------------------------------------------------------ */

struct history_packs *history_packs_new(const char *folder)
{
	struct history_packs *p = ark_calloc(1, sizeof(*p));
	git_libgit2_init(); /* counted */
	p->folder = folder != NULL ? ark_strdupz(folder) : NULL;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->grows.spool = p->task.spool = IO_SPOOL_NONE;
	ark_buf_init(&p->waiting, 2 * WAITING_BYTES);
	p->at = PACK_HEAD;
	p->placed = ark_calloc(PACK_OBJECTS, sizeof(p->placed[0]));
	p->slots_count = 1u << 17;
	p->slots = ark_calloc(p->slots_count, sizeof(p->slots[0]));
	return p;
}

void history_packs_free(struct history_packs *p)
{
	if (p == NULL)
		return;
	if (p->runs) {
		pthread_mutex_lock(&p->lock);
		p->ends = true;
		pthread_cond_broadcast(&p->changed);
		pthread_mutex_unlock(&p->lock);
		pthread_join(p->thread, NULL);
	}
	io_spool_close(&p->grows.spool);
	io_spool_close(&p->task.spool);
	ark_buf_release(&p->waiting);
	free(p->placed);
	free(p->slots);
	free(p->names);
	ark_pool_release(&p->names_pool);
	free(p->folder);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->changed);
	free(p);
	git_libgit2_shutdown();
}

/*
 * With the lock held: before an object is looked for and put. Waiting lets other threads in, who may fill the next pack
 * or give this one away, so all is asked again after it.
 */
static enum ark_rc make_room(struct history_packs *p, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	while (rc == ARK_OK && (p->grows.count == PACK_OBJECTS || p->at > PACK_BYTES)) {
		bool busy = p->has_task;
		rc = busy ? wait_idle(p, err) : hand_over(p, err);
	}
	return rc;
}

/* With the lock held. */
static enum ark_rc put(struct history_packs *p, struct history_press *press, const struct history_oid *id,
                       uint32_t depth, struct ark_err *err)
{
	enum ark_rc rc = ark_buf_ok(&press->packed, "an object", err);
	if (rc < 0)
		return rc;
	place(p, id, depth);
	return append(p, ark_buf_view(&press->packed), err);
}

enum ark_rc history_packs_add(struct history_packs *p, struct history_press *press, enum history_type type,
                              struct ark_str content, struct history_oid *id, struct ark_err *err)
{
	history_press_name(press, type, content, id);
	if (p->folder == NULL)
		return ARK_OK;
	ark_buf_reset(&press->packed);
	entry_head(&press->packed, type, content.len);
	deflate_all(press, content);
	pthread_mutex_lock(&p->lock);
	enum ark_rc rc = make_room(p, err);
	if (rc == ARK_OK && find(p, id) == NULL)
		rc = put(p, press, id, 0, err);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

static enum ark_rc name_body(struct history_press *press, const struct history_body *body, char *chunk,
                             struct history_oid *id, struct ark_err *err)
{
	size_t n = 0;
	uint64_t at = 0;
	enum ark_rc rc;
	begin_name(press, HISTORY_BLOB, history_body_len(body));
	while ((rc = history_body_read(body, at, chunk, CHUNK, &n, err)) == ARK_OK && n > 0) {
		crypt_hash_add(press->hash, chunk, n);
		at += n;
	}
	crypt_hash_end(press->hash, id->b);
	return rc;
}

/* With the lock held. */
static enum ark_rc put_body(struct history_packs *p, struct history_press *press, const struct history_body *body,
                            char *chunk, const struct history_oid *id, struct ark_err *err)
{
	size_t n = 1;
	enum ark_rc rc = ARK_OK;
	place(p, id, 0);
	ark_buf_reset(&press->packed);
	entry_head(&press->packed, HISTORY_BLOB, history_body_len(body));
	deflateReset(&press->large);
	for (uint64_t at = 0; rc == ARK_OK && n > 0; at += n) {
		rc = history_body_read(body, at, chunk, CHUNK, &n, err);
		press->large.next_in = (const Bytef *)chunk;
		press->large.avail_in = (uInt)n;
		bool more = true;
		while (rc == ARK_OK && more) {
			more = deflate_some(press, &press->large, n > 0 ? Z_NO_FLUSH : Z_FINISH, CHUNK);
			rc = append(p, ark_buf_view(&press->packed), err);
			ark_buf_reset(&press->packed);
		}
	}
	return rc;
}

enum ark_rc history_packs_add_body(struct history_packs *p, struct history_press *press, const struct history_body *body,
                                   struct history_oid *id, struct ark_err *err)
{
	if (body->spool.len == 0)
		return history_packs_add(p, press, HISTORY_BLOB, ark_buf_view(&body->text), id, err);
	ark_auto(ark_freep) char *chunk = ark_malloc(CHUNK);
	enum ark_rc rc = name_body(press, body, chunk, id, err);
	if (rc < 0 || p->folder == NULL)
		return rc;
	pthread_mutex_lock(&p->lock);
	rc = make_room(p, err);
	if (rc == ARK_OK && find(p, id) == NULL)
		rc = put_body(p, press, body, chunk, id, err);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

/* How far back the base lies. Fact  git's Documentation/gitformat-pack "offset encoding" */
static void back_offset(struct ark_buf *to, uint64_t back)
{
	unsigned char s[16];
	size_t at = sizeof(s);
	s[--at] = back & 0x7f;
	while (back >>= 7)
		s[--at] = 0x80 | (--back & 0x7f);
	ark_buf_add(to, (const char *)s + at, sizeof(s) - at);
}

enum ark_rc history_packs_add_tree(struct history_packs *p, struct history_press *press, struct ark_str content,
                                   const struct history_oid *was_id, struct ark_str was, struct history_oid *id,
                                   struct ark_err *err)
{
	history_press_name(press, HISTORY_TREE, content, id);
	if (p->folder == NULL)
		return ARK_OK;
	ark_buf_reset(&press->packed);
	ark_buf_reset(&press->delta);
	pthread_mutex_lock(&p->lock);
	enum ark_rc rc = make_room(p, err);
	if (rc == ARK_OK && find(p, id) == NULL) {
		const struct placed *base = was_id != NULL ? find(p, was_id) : NULL;
		bool chain = base != NULL && base->depth < DELTA_DEPTH;
		if (chain)
			history_tree_delta(was, content, &press->delta);
		chain = chain && press->delta.len < content.len - content.len / 4;
		uint32_t depth = chain ? base->depth + 1 : 0;
		struct ark_str body = chain ? ark_buf_view(&press->delta) : content;
		entry_head(&press->packed, chain ? PACK_OFS_DELTA : HISTORY_TREE, body.len);
		if (chain)
			back_offset(&press->packed, p->at - base->at);
		if (body.len <= (chain ? STORED_BYTES : STORED_TREE))
			store(&press->packed, body);
		else
			deflate_all(press, body);
		rc = put(p, press, id, depth, err);
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

enum ark_rc history_packs_finish(struct history_packs *p, struct ark_err *err)
{
	pthread_mutex_lock(&p->lock);
	enum ark_rc rc = wait_idle(p, err);
	if (rc == ARK_OK && p->grows.count > 0)
		rc = hand_over(p, err);
	if (rc == ARK_OK)
		rc = wait_idle(p, err);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

const char *history_packs_name(const struct history_packs *p, size_t n)
{
	return n < p->names_count ? p->names[n] : NULL;
}

uint64_t history_packs_count(struct history_packs *p)
{
	pthread_mutex_lock(&p->lock);
	uint64_t n = p->count;
	pthread_mutex_unlock(&p->lock);
	return n;
}
