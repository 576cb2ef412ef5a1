#include "import/slack/day.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/io/archive.h"
#include "import/slack/elements.h"

#include "common/base/banned.h"

#define BLOCKS 4
#define BLOCK_BYTES (1u << 20)
/* Up to this a file is taken whole; above it is cut while it is read, so no file is too large. */
#define WHOLE_BYTES (2u << 20)
#define CHUNK_BYTES (256u << 10)
#define BLOCK_CEIL ((size_t)LIMIT_MESSAGE + BLOCK_BYTES + WHOLE_BYTES)

struct slack_days {
	const struct slack_export *x;
	bool marked; /* only what is marked */
	struct slack_block blocks[BLOCKS];
	struct slack_block *ready[BLOCKS];
	uint32_t ready_count;
	struct slack_block *idle[BLOCKS];
	uint32_t idle_count;
	bool done, stop;
	enum ark_rc rc;
	struct ark_err err;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool thread_runs;
	/* the thread's own */
	struct slack_block *now;
	struct slack_piece at; /* source, conv and name of the file under way */
	char name[LIMIT_ENTRY_NAME * 4 + 1];
	size_t name_len;
};

/* ---- the queue ---- */

static struct slack_block *take_idle(struct slack_days *d)
{
	pthread_mutex_lock(&d->lock);
	while (d->idle_count == 0 && !d->stop)
		pthread_cond_wait(&d->changed, &d->lock);
	struct slack_block *b = d->stop ? NULL : d->idle[--d->idle_count];
	pthread_mutex_unlock(&d->lock);
	if (b != NULL) {
		ark_buf_reset(&b->data);
		b->count = 0;
	}
	return b;
}

static void hand_over(struct slack_days *d)
{
	if (d->now == NULL)
		return;
	pthread_mutex_lock(&d->lock);
	d->ready[d->ready_count++] = d->now;
	d->now = NULL;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
}

/* Room for `bytes` more in the current block; false when the reader is to stop. */
static bool room(struct slack_days *d, size_t bytes)
{
	if (d->now != NULL && d->now->data.len + bytes > BLOCK_BYTES && d->now->count > 0)
		hand_over(d);
	if (d->now == NULL)
		d->now = take_idle(d);
	return d->now != NULL;
}

static void add_piece(struct slack_days *d, enum slack_piece_kind kind, size_t text_at,
                      size_t text_len, uint64_t offset, uint64_t len)
{
	struct slack_block *b = d->now;
	if (b->count == b->cap) {
		b->cap = b->cap == 0 ? 256 : b->cap * 2;
		b->pieces = ark_realloc(b->pieces, b->cap, sizeof(*b->pieces));
	}
	struct slack_piece p = d->at;
	p.kind = kind;
	p.name_at = (uint32_t)b->data.len;
	p.name_len = (uint32_t)d->name_len;
	ark_buf_add(&b->data, d->name, d->name_len);
	p.text_at = text_at;
	p.text_len = text_len;
	p.offset = offset;
	p.len = len;
	b->pieces[b->count++] = p;
}

/* ---- the thread ---- */

static void pad(struct ark_buf *b)
{
	char *to = ark_buf_room(b, JSON_PADDING);
	if (to == NULL)
		ark_bug("no room for padding");
	memset(to, 0, JSON_PADDING);
	b->len += JSON_PADDING;
}

static enum ark_rc on_element(void *ctx, struct ark_str text, uint64_t offset, uint64_t len,
                              enum slack_cut cut, struct ark_err *err)
{
	static const enum slack_piece_kind KINDS[] = {
		[CUT_ELEMENT] = PIECE_ELEMENT,
		[CUT_DAMAGED] = PIECE_DAMAGED,
		[CUT_TOO_LARGE] = PIECE_TOO_LARGE,
	};
	(void)err;
	struct slack_days *d = ctx;
	if (!room(d, text.len + JSON_PADDING + d->name_len))
		return ARK_STOP;
	size_t at = d->now->data.len;
	if (cut == CUT_ELEMENT) {
		ark_buf_str(&d->now->data, text);
		pad(&d->now->data);
	}
	add_piece(d, KINDS[cut], at, text.len, offset, len);
	return ARK_OK;
}

/* The body stopped being readable: its last stretch is damaged, and if that is whole elements, then
 * what would have come behind them. */
static enum ark_rc end_damaged(struct slack_days *d, struct slack_elements *cutter, struct ark_err *err)
{
	bool told = cutter->in_element || cutter->bad_len > 0;
	enum ark_rc rc = slack_elements_end(cutter, err);
	return rc < 0 || told ? rc : on_element(d, ARK_LIT(""), cutter->at, 0, CUT_DAMAGED, err);
}

/* The rest of a file, cut while it is read. */
static enum ark_rc cut_rest(struct slack_days *d, struct io_archive *a, struct slack_elements *cutter,
                            struct ark_err *err)
{
	ark_auto(ark_freep) char *chunk = ark_malloc(CHUNK_BYTES);
	for (;;) {
		size_t got;
		bool whole = io_archive_read(a, chunk, CHUNK_BYTES, &got, err) == ARK_OK;
		enum ark_rc rc = slack_elements_feed(cutter, ark_str_n(chunk, got), err);
		if (rc < 0)
			return rc;
		if (!whole)
			return end_damaged(d, cutter, err);
		if (got < CHUNK_BYTES)
			return slack_elements_end(cutter, err);
	}
}

/* A file that is cut into elements. Its first `have` bytes stand at `at` in the current block; `whole`:
 * more may come, else the rest cannot be read. */
static enum ark_rc cut_file(struct slack_days *d, struct io_archive *a, size_t at, size_t have,
                            bool whole, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf head;
	ark_buf_init(&head, WHOLE_BYTES);
	ark_buf_add(&head, d->now->data.data + at, have);
	ark_buf_cut(&d->now->data, at);
	ark_auto(slack_elements_release) struct slack_elements cutter;
	slack_elements_init(&cutter, on_element, d);
	enum ark_rc rc = slack_elements_feed(&cutter, ark_buf_view(&head), err);
	if (rc == ARK_OK)
		rc = whole ? cut_rest(d, a, &cutter, err) : end_damaged(d, &cutter, err);
	if (rc == ARK_OK && room(d, d->name_len))
		add_piece(d, PIECE_END, 0, 0, cutter.at, 0);
	return rc;
}

static enum ark_rc read_file(struct slack_days *d, struct io_archive *a, int64_t size_bytes,
                             struct ark_err *err)
{
	size_t guess = size_bytes >= 0 && size_bytes < WHOLE_BYTES ? (size_t)size_bytes : 64u << 10;
	if (!room(d, guess + JSON_PADDING + d->name_len))
		return ARK_STOP;
	struct ark_buf *data = &d->now->data;
	size_t at = data->len;
	size_t have = 0;
	size_t step = guess + 1; /* one more, so that the end shows in the same read */
	while (have < WHOLE_BYTES) {
		if (step > WHOLE_BYTES - have)
			step = WHOLE_BYTES - have;
		char *to = ark_buf_room(data, step);
		if (to == NULL)
			ark_bug("block is full");
		size_t got;
		bool whole = io_archive_read(a, to, step, &got, err) == ARK_OK;
		data->len += got;
		have += got;
		if (!whole) /* what came before the damage may hold whole messages */
			return cut_file(d, a, at, have, false, err);
		if (got < step) {
			pad(data);
			add_piece(d, PIECE_FILE, at, have, 0, have);
			return ARK_OK;
		}
		step = CHUNK_BYTES;
	}
	return cut_file(d, a, at, have, true, err);
}

static enum ark_rc read_source(struct slack_days *d, uint32_t source, struct ark_err *err)
{
	const struct slack_source *src = &d->x->sources[source];
	ark_auto(io_archive_closep) struct io_archive *a = NULL;
	enum ark_rc rc = io_archive_open(src->path, &a, err);
	if (rc < 0)
		return ARK_STOP;
	for (;;) {
		struct io_entry entry;
		rc = io_archive_next(a, &entry, err);
		if (rc == ARK_END)
			return ARK_OK;
		if (rc == ARK_STOP)
			return rc;
		if (rc == ARK_FAIL || entry.unsafe)
			continue; /* counted by the first pass */
		struct ark_str folder;
		if (slack_entry_kind(entry.name, src, &folder) != ENTRY_DAY)
			continue;
		uint32_t conv = ark_map_get(&d->x->convs.by_folder, folder);
		if (conv == ARK_MAP_NONE)
			return ark_err_stop(err, ARK_KIND_INPUT, "'%s' changed while it was read", src->path);
		if (d->marked && !d->x->convs.list[conv].marked)
			continue;
		d->at = (struct slack_piece){ .source = source, .conv = conv };
		d->name_len = entry.name.len < sizeof(d->name) ? entry.name.len : sizeof(d->name) - 1;
		memcpy(d->name, entry.name.ptr, d->name_len);
		rc = read_file(d, a, entry.size_bytes, err);
		if (rc < 0)
			return rc;
	}
}

static void *reader(void *ctx)
{
	struct slack_days *d = ctx;
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < d->x->sources_count && rc == ARK_OK; i++)
		rc = read_source(d, i, &d->err);
	hand_over(d);
	pthread_mutex_lock(&d->lock);
	d->done = true;
	d->rc = rc;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* ---- the other side ---- */

static struct slack_days *begin(const struct slack_export *x, bool marked)
{
	struct slack_days *d = ark_calloc(1, sizeof(*d));
	d->x = x;
	d->marked = marked;
	for (uint32_t i = 0; i < BLOCKS; i++) {
		ark_buf_init(&d->blocks[i].data, BLOCK_CEIL);
		d->idle[d->idle_count++] = &d->blocks[i];
	}
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->changed, NULL);
	if (pthread_create(&d->thread, NULL, reader, d) != 0)
		ark_bug("cannot start a thread");
	d->thread_runs = true;
	return d;
}

struct slack_days *slack_days_open(const struct slack_export *x)
{
	return begin(x, false);
}

struct slack_days *slack_days_open_marked(const struct slack_export *x)
{
	return begin(x, true);
}

void slack_days_close(struct slack_days *d)
{
	if (d == NULL)
		return;
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->changed);
	for (uint32_t i = 0; i < BLOCKS; i++) {
		ark_buf_release(&d->blocks[i].data);
		free(d->blocks[i].pieces);
	}
	free(d);
}

void slack_days_closep(struct slack_days **d)
{
	slack_days_close(*d);
}

enum ark_rc slack_days_next(struct slack_days *d, struct slack_block **out, struct ark_err *err)
{
	pthread_mutex_lock(&d->lock);
	while (d->ready_count == 0 && !d->done)
		pthread_cond_wait(&d->changed, &d->lock);
	struct slack_block *b = NULL;
	if (d->ready_count > 0) {
		b = d->ready[0];
		d->ready_count--;
		memmove(d->ready, d->ready + 1, d->ready_count * sizeof(d->ready[0]));
	}
	enum ark_rc rc = b != NULL ? ARK_OK : d->rc == ARK_OK ? ARK_END : d->rc;
	if (rc < 0)
		*err = d->err;
	pthread_mutex_unlock(&d->lock);
	if (rc == ARK_OK)
		*out = b;
	return rc;
}

void slack_days_return(struct slack_days *d, struct slack_block *block)
{
	pthread_mutex_lock(&d->lock);
	d->idle[d->idle_count++] = block;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
}
