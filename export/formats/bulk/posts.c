/* Posts into lines, a thread on one: see private.h for what waits where. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "export/formats/bulk/private.h"

#include "common/base/banned.h"

#define ENTRIES_AT_ONCE 4096u

/* --- coming in --- */

static size_t gather_reactions(struct bulk_file *b, const struct export_record *r)
{
	size_t n = 0;
	if (r->reactions_count > b->reactions_cap) {
		b->reactions_cap = r->reactions_count;
		b->reactions = ark_realloc(b->reactions, b->reactions_cap, sizeof(*b->reactions));
	}
	for (size_t i = 0; i < r->reactions_count; i++) {
		const struct export_reaction *x = &r->reactions[i];
		if (x->delete_ms > 0)
			continue;
		if (x->person == NULL)
			bulk_note(b, "bulk: reactions of accounts that are not there", 1);
		else
			b->reactions[n++] = (struct mm_bulk_reaction){ bulk_name(b, x->person), x->emoji, x->create_ms };
	}
	return n;
}

static enum ark_rc gather_files(struct bulk_file *b, const struct export_record *r,
                                struct ark_str paths[MM_FILES_PER_POST], size_t *count, struct ark_err *err)
{
	size_t ends[MM_FILES_PER_POST];
	enum ark_rc rc = ARK_OK;
	*count = 0;
	ark_buf_reset(&b->key);
	for (size_t i = 0; rc == ARK_OK && i < r->attachments_count; i++) {
		const struct export_attachment *f = &r->attachments[i];
		if (f->delete_ms > 0)
			continue;
		if (f->bytes != EXPORT_BYTES_COPIED) {
			bulk_note(b, "bulk: attachments whose bytes are not in this export", 1);
		} else if (*count == MM_FILES_PER_POST) {
			bulk_note(b, "bulk: attachments beyond the ten that a message may have", 1);
		} else {
			rc = bulk_body_add(b, f, &b->key, err);
			ends[(*count)++] = b->key.len;
		}
	}
	for (size_t i = 0; rc == ARK_OK && i < *count; i++) {
		size_t from = i > 0 ? ends[i - 1] : 0;
		paths[i] = ark_str_n(b->key.data + from, ends[i] - from);
	}
	return rc;
}

/* Whether it gets into the file; what does not is told. */
static bool takes(struct bulk_file *b, const struct export_record *r)
{
	const char *why = r->what != EXPORT_POST ? "bulk: records of messages that are gone"
	                  : r->delete_ms > 0     ? "bulk: deleted messages"
	                  : !b->takes            ? "bulk: messages of conversations that a server would refuse"
	                  : r->author == NULL    ? "bulk: messages of accounts that are not there"
	                                         : NULL;
	if (why != NULL) {
		bulk_note(b, why, 1);
		return false;
	}
	if (r->versions_count > 0)
		bulk_note(b, "bulk: earlier versions of edited texts", r->versions_count);
	if (r->has_priority)
		bulk_note(b, "bulk: priorities of messages", 1);
	if (r->acks_count > 0)
		bulk_note(b, "bulk: acknowledgements", r->acks_count);
	return true;
}

static struct ark_str fitting_text(struct bulk_file *b, struct ark_str text)
{
	struct ark_str fits = ark_utf8_first(text, MM_POST_RUNES_MIN);
	if (fits.len < text.len)
		bulk_note(b, "bulk: texts cut to the length that a server takes", 1);
	return ark_str_has(fits) ? fits : ARK_LIT("");
}

static enum ark_rc keep_entry(struct bulk_file *b, const struct export_record *r, struct ark_err *err)
{
	struct bulk_entry e = {
		.node.id_hash = thread_hash(r->id),
		.node.root_hash = r->root_id.len > 0 ? thread_hash(r->root_id) : 0,
		.at = b->objects.len,
		.len = (uint32_t)b->object.len,
		.number = b->entries_count++,
	};
	enum ark_rc rc = io_spool_add(&b->objects, io_temp_dir(), b->object.data, b->object.len, err);
	return rc == ARK_OK ? io_spool_add(&b->entries, io_temp_dir(), (const char *)&e, sizeof(e), err) : rc;
}

enum ark_rc bulk_posts_add(struct bulk_file *b, const struct export_record *r, struct ark_err *err)
{
	struct ark_str paths[MM_FILES_PER_POST];
	size_t files;
	if (!takes(b, r))
		return ARK_OK;
	enum ark_rc rc = gather_files(b, r, paths, &files, err);
	if (rc < 0)
		return rc;
	struct mm_bulk_post post = {
		.user = bulk_name(b, r->author), .message = fitting_text(b, r->text), .type = r->type,
		.props = r->props, .create_ms = r->create_ms > 0 ? r->create_ms : 1, .edit_ms = r->edit_ms,
		.pinned = r->is_pinned, .attachments = paths, .attachments_count = files,
	};
	post.reactions_count = gather_reactions(b, r);
	post.reactions = b->reactions;
	ark_buf_reset(&b->object);
	mm_bulk_post_object(&b->object, &post);
	rc = ark_buf_ok(&b->object, "a message as a line", err);
	if (rc == ARK_OK && b->object.len > MM_BULK_ROOM - 4096) { /* its place comes with it */
		bulk_note(b, "bulk: messages longer than a line may be", 1);
		return ARK_OK;
	}
	return rc == ARK_OK ? keep_entry(b, r, err) : rc;
}

/* --- lines --- */

/* The threads of one window: its roots and all their replies, in the order of time. */
struct window {
	struct bulk_entry *list;
	size_t count, cap;
	uint64_t *roots; /* hashes, sorted */
	size_t roots_count;
};

static void window_release(struct window *w)
{
	free(w->list);
	free(w->roots);
}

static int by_hash(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
	return (a > b) - (a < b);
}

static enum ark_rc read_entries(const struct bulk_file *b, uint32_t from, struct bulk_entry *to, uint32_t *got,
                                struct ark_err *err)
{
	uint32_t rest = b->entries_count - from;
	*got = rest < ENTRIES_AT_ONCE ? rest : ENTRIES_AT_ONCE;
	return io_spool_read(&b->entries, (uint64_t)from * sizeof(*to), (char *)to, *got * sizeof(*to), err);
}

/* Roots from entry *from on, until the window is full; *from is where the next one begins. */
static enum ark_rc find_roots(const struct bulk_file *b, struct window *w, struct bulk_entry *piece,
                              uint32_t *from, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	w->roots_count = 0;
	while (rc == ARK_OK && *from < b->entries_count && w->roots_count < BULK_WINDOW) {
		uint32_t got, i = 0;
		rc = read_entries(b, *from, piece, &got, err);
		for (; rc == ARK_OK && i < got && w->roots_count < BULK_WINDOW; i++)
			if (piece[i].node.root_hash == 0)
				w->roots[w->roots_count++] = piece[i].node.id_hash;
		*from += i;
	}
	qsort(w->roots, w->roots_count, sizeof(*w->roots), by_hash);
	return rc;
}

static bool has_root(const struct window *w, uint64_t hash)
{
	return w->roots_count > 0 && bsearch(&hash, w->roots, w->roots_count, sizeof(*w->roots), by_hash) != NULL;
}

static void window_add(struct window *w, const struct bulk_entry *e)
{
	if (w->count == w->cap) {
		w->cap = w->cap > 0 ? 2 * w->cap : 1024;
		w->list = ark_realloc(w->list, w->cap, sizeof(*w->list));
	}
	w->list[w->count++] = *e;
}

static enum ark_rc gather(const struct bulk_file *b, struct window *w, struct bulk_entry *piece,
                          unsigned char *taken, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	uint32_t got;
	w->count = 0;
	for (uint32_t from = 0; rc == ARK_OK && from < b->entries_count; from += got) {
		rc = read_entries(b, from, piece, &got, err);
		for (uint32_t i = 0; rc == ARK_OK && i < got; i++) {
			const struct thread_node *n = &piece[i].node;
			if (!has_root(w, n->root_hash != 0 ? n->root_hash : n->id_hash))
				continue;
			taken[piece[i].number / 8] |= (unsigned char)(1u << piece[i].number % 8);
			window_add(w, &piece[i]);
		}
	}
	if (rc == ARK_OK)
		thread_link(w->list, w->count, sizeof(*w->list));
	return rc;
}

static enum ark_rc read_object(struct bulk_file *b, const struct bulk_entry *e, struct ark_err *err)
{
	ark_buf_reset(&b->object);
	char *space = ark_buf_room(&b->object, e->len);
	if (space == NULL)
		return ark_buf_ok(&b->object, "a message as a line", err);
	enum ark_rc rc = io_spool_read(&b->objects, e->at, space, e->len, err);
	b->object.len = rc == ARK_OK ? e->len : 0;
	return rc;
}

static enum ark_rc put_thread(struct bulk_file *b, const struct bulk_entry *list, const struct bulk_entry *root,
                              struct ark_err *err)
{
	bool any = false;
	enum ark_rc rc = read_object(b, root, err);
	if (rc < 0)
		return rc;
	ark_buf_reset(&b->line);
	mm_bulk_post_begin(&b->line, &b->place, ark_buf_view(&b->object));
	for (uint32_t i = root->node.first_reply; rc == ARK_OK && i != 0; i = list[i - 1].node.next) {
		if (b->line.len + list[i - 1].len + 64 > MM_BULK_ROOM) {
			bulk_note(b, "bulk: replies that do not fit into the line of their thread", 1);
			continue;
		}
		rc = read_object(b, &list[i - 1], err);
		mm_bulk_post_reply(&b->line, !any, ark_buf_view(&b->object));
		any = true;
	}
	mm_bulk_post_end(&b->line, any, NULL, 0);
	if (rc == ARK_OK)
		rc = ark_buf_ok(&b->line, "a thread as a line", err);
	return rc == ARK_OK ? io_spool_add(&b->posts[b->place.members_count > 0], io_temp_dir(), b->line.data,
	                                   b->line.len, err)
	                    : rc;
}

/* Replies to what is not in the file: messages of their own. */
static enum ark_rc put_rest(struct bulk_file *b, struct bulk_entry *piece, const unsigned char *taken,
                            struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	uint32_t got;
	for (uint32_t from = 0; rc == ARK_OK && from < b->entries_count; from += got) {
		rc = read_entries(b, from, piece, &got, err);
		for (uint32_t i = 0; rc == ARK_OK && i < got; i++) {
			if (taken[piece[i].number / 8] >> piece[i].number % 8 & 1)
				continue;
			bulk_note(b, "bulk: replies without the message they answer, as messages of their own", 1);
			rc = put_thread(b, NULL, &piece[i], err);
		}
	}
	return rc;
}

enum ark_rc bulk_posts_flush(struct bulk_file *b, struct ark_err *err)
{
	ark_auto(window_release) struct window w = { .roots = ark_calloc(BULK_WINDOW, sizeof(*w.roots)) };
	ark_auto(ark_freep) struct bulk_entry *piece = ark_calloc(ENTRIES_AT_ONCE, sizeof(*piece));
	ark_auto(ark_freep) unsigned char *taken = ark_calloc((size_t)b->entries_count / 8 + 1, 1);
	enum ark_rc rc = ARK_OK;
	for (uint32_t from = 0; rc == ARK_OK && from < b->entries_count;) {
		rc = find_roots(b, &w, piece, &from, err);
		if (rc == ARK_OK)
			rc = gather(b, &w, piece, taken, err);
		for (size_t i = 0; rc == ARK_OK && i < w.count; i++)
			if (w.list[i].node.root_hash == 0)
				rc = put_thread(b, w.list, &w.list[i], err);
	}
	if (rc == ARK_OK)
		rc = put_rest(b, piece, taken, err);
	b->entries_count = 0;
	io_spool_close(&b->objects);
	io_spool_close(&b->entries);
	return rc;
}
