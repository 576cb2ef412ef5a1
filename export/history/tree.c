#include "export/history/tree.h"

#include <string.h>

#include "common/base/limits.h"

#include "common/base/banned.h"

#define MODE_TREE "40000 "
#define MODE_FILE "100644 "

bool history_tree_next(struct ark_str raw, size_t *at, struct history_entry *out)
{
	if (*at >= raw.len)
		return false;
	struct ark_str rest = ark_str_from(raw, *at);
	out->is_tree = rest.ptr[0] == '4';
	size_t mode = out->is_tree ? sizeof(MODE_TREE) - 1 : sizeof(MODE_FILE) - 1;
	size_t end = ark_str_find(rest, '\0', 0);
	out->name = ark_str_n(rest.ptr + mode, end - mode);
	memcpy(out->id.b, rest.ptr + end + 1, HISTORY_OID);
	out->at = *at;
	out->len = end + 1 + HISTORY_OID;
	*at += out->len;
	return true;
}

/* A folder is sorted as if its name ended in '/'. Fact  git's fsck-msgids "treeNotSorted" */
static int order(struct ark_str a, bool a_tree, struct ark_str b, bool b_tree)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int cmp = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
	if (cmp != 0)
		return cmp;
	unsigned char x = a.len > n ? (unsigned char)a.ptr[n] : a_tree ? '/' : 0;
	unsigned char y = b.len > n ? (unsigned char)b.ptr[n] : b_tree ? '/' : 0;
	return x - y;
}

static bool whole_entry(struct ark_str rest, size_t *len)
{
	size_t mode = ark_str_starts(rest, ARK_LIT(MODE_TREE))   ? sizeof(MODE_TREE) - 1
	              : ark_str_starts(rest, ARK_LIT(MODE_FILE)) ? sizeof(MODE_FILE) - 1
	                                                         : 0;
	size_t end = mode > 0 ? ark_str_find(rest, '\0', mode) : SIZE_MAX;
	if (end == SIZE_MAX || end == mode || rest.len - end - 1 < HISTORY_OID)
		return false;
	*len = end + 1 + HISTORY_OID;
	return true;
}

enum ark_rc history_tree_check(struct ark_str raw, struct ark_err *err)
{
	struct history_entry last = { 0 }, e;
	for (size_t at = 0, n = 0; at < raw.len; n++) {
		size_t len, next = at;
		if (!whole_entry(ark_str_from(raw, at), &len))
			return ark_err_set(err, ARK_KIND_INPUT, "a folder's list in git is not one of ours");
		(void)history_tree_next(raw, &next, &e);
		if (n > 0 && order(last.name, last.is_tree, e.name, e.is_tree) >= 0)
			return ark_err_set(err, ARK_KIND_INPUT, "a folder's list in git is not sorted");
		last = e;
		at = next;
	}
	return ARK_OK;
}

bool history_tree_find(struct ark_str raw, struct ark_str name, struct history_entry *out)
{
	for (size_t at = 0; history_tree_next(raw, &at, out);)
		if (ark_str_eq(out->name, name))
			return true;
	return false;
}

static void cut_out(struct ark_buf *raw, size_t at, size_t len)
{
	memmove(raw->data + at, raw->data + at + len, raw->len - at - len);
	ark_buf_cut(raw, raw->len - len);
}

void history_tree_remove(struct ark_buf *raw, struct ark_str name)
{
	struct history_entry e;
	if (history_tree_find(ark_buf_view(raw), name, &e))
		cut_out(raw, e.at, e.len);
}

void history_tree_set(struct ark_buf *raw, struct ark_str name, bool is_tree, const struct history_oid *id)
{
	struct history_entry e;
	if (history_tree_find(ark_buf_view(raw), name, &e)) {
		if (e.is_tree == is_tree) {
			memcpy(raw->data + e.at + e.len - HISTORY_OID, id->b, HISTORY_OID);
			return;
		}
		cut_out(raw, e.at, e.len);
	}
	size_t place = raw->len;
	for (size_t at = 0; history_tree_next(ark_buf_view(raw), &at, &e);) {
		if (order(e.name, e.is_tree, name, is_tree) > 0) {
			place = e.at;
			break;
		}
	}
	const char *mode = is_tree ? MODE_TREE : MODE_FILE;
	size_t mode_len = strlen(mode), len = mode_len + name.len + 1 + HISTORY_OID, tail = raw->len - place;
	char *to = ark_buf_room(raw, len);
	if (to == NULL)
		return;
	to = raw->data + place;
	memmove(to + len, to, tail);
	memcpy(to, mode, mode_len);
	memcpy(to + mode_len, name.ptr, name.len);
	to[mode_len + name.len] = '\0';
	memcpy(to + mode_len + name.len + 1, id->b, HISTORY_OID);
	raw->len += len;
	raw->data[raw->len] = '\0';
}

/* --- one as what changed since another --------------------------------------------------------- */

#define COPY_MAX 0x10000
#define INSERT_MAX 127

struct delta {
	struct ark_buf *out;
	size_t copy_at, copy_len;     /* of `was`, not written yet */
	const char *insert;
	size_t insert_len;            /* likewise, of the new list; never both */
};

static void varint(struct ark_buf *to, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		ark_buf_c(to, (char)(v | 0x80));
	ark_buf_c(to, (char)v);
}

/* Fact  git's Documentation/gitformat-pack "Deltified representation": bits say which bytes of offset and
 *       length follow; a length of 0 is 64 KiB */
static void copy_op(struct ark_buf *to, size_t at, size_t len)
{
	unsigned char s[8], op = 0x80;
	size_t n = 1;
	for (unsigned i = 0; i < 4; i++) {
		if ((at >> 8 * i & 255) != 0) {
			op |= (unsigned char)(1u << i);
			s[n++] = at >> 8 * i & 255;
		}
	}
	for (unsigned i = 0; i < 2 && len != COPY_MAX; i++) {
		if ((len >> 8 * i & 255) != 0) {
			op |= (unsigned char)(0x10u << i);
			s[n++] = len >> 8 * i & 255;
		}
	}
	s[0] = op;
	ark_buf_add(to, (const char *)s, n);
}

static void flush_copy(struct delta *d)
{
	while (d->copy_len > 0) {
		size_t n = d->copy_len < COPY_MAX ? d->copy_len : COPY_MAX;
		copy_op(d->out, d->copy_at, n);
		d->copy_at += n;
		d->copy_len -= n;
	}
}

static void flush_insert(struct delta *d)
{
	while (d->insert_len > 0) {
		size_t n = d->insert_len < INSERT_MAX ? d->insert_len : INSERT_MAX;
		ark_buf_c(d->out, (char)n);
		ark_buf_add(d->out, d->insert, n);
		d->insert += n;
		d->insert_len -= n;
	}
}

static void copy(struct delta *d, size_t at, size_t len)
{
	flush_insert(d);
	if (d->copy_len > 0 && d->copy_at + d->copy_len == at) {
		d->copy_len += len;
		return;
	}
	flush_copy(d);
	d->copy_at = at;
	d->copy_len = len;
}

static void insert(struct delta *d, const char *ptr, size_t len)
{
	flush_copy(d);
	if (d->insert_len == 0)
		d->insert = ptr;
	d->insert_len += len;
}

void history_tree_delta(struct ark_str was, struct ark_str content, struct ark_buf *out)
{
	struct delta d = { .out = out };
	struct history_entry old, now;
	size_t old_at = 0, now_at = 0;
	bool has_old = history_tree_next(was, &old_at, &old);
	varint(out, was.len);
	varint(out, content.len);
	while (history_tree_next(content, &now_at, &now)) {
		while (has_old && order(old.name, old.is_tree, now.name, now.is_tree) < 0)
			has_old = history_tree_next(was, &old_at, &old);
		bool same_name = has_old && old.is_tree == now.is_tree && ark_str_eq(old.name, now.name);
		if (same_name && history_oid_eq(&old.id, &now.id)) {
			copy(&d, old.at, old.len);
		} else if (same_name) {
			copy(&d, old.at, old.len - HISTORY_OID);
			insert(&d, content.ptr + now.at + now.len - HISTORY_OID, HISTORY_OID);
		} else {
			insert(&d, content.ptr + now.at, now.len);
		}
	}
	flush_copy(&d);
	flush_insert(&d);
}
