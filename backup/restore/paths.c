#include "backup/restore/paths.h"

#include <string.h>

#include "common/base/limits.h"

#include "common/base/banned.h"

#define PIECE (64u << 10)

/* A path with its NUL. */
enum ark_rc paths_add(struct io_spool *to, struct ark_str path, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	ark_buf_str(&text, path);
	enum ark_rc rc = ark_buf_ok(&text, "a path", err);
	return rc < 0 ? rc : io_spool_add(to, io_temp_dir(), text.data, text.len + 1, err);
}

static void unescape(struct ark_str s, struct ark_buf *out)
{
	static const char FROM[] = "tnrbfv", TO[] = "\t\n\r\b\f\v";
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '\\' && i + 1 < s.len) {
			c = s.ptr[++i];
			const char *at = strchr(FROM, c);
			c = at != NULL && c != '\0' ? TO[at - FROM] : c;
		}
		ark_buf_c(out, c);
	}
}

enum ark_rc paths_copy(struct db_conn *conn, const char *copy, struct io_spool *to, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf held;
	ark_buf_init(&held, LIMIT_REPO_OBJECT);
	enum ark_rc rc = db_copy_out_begin(conn, copy, err);
	while (rc == ARK_OK) {
		struct ark_str line;
		rc = db_copy_out_next(conn, &line, err);
		if (rc == ARK_OK) {
			unescape(ark_str_first(line, line.len - 1), &held);
			ark_buf_add(&held, "", 1);
		}
		if (rc >= 0 && (held.len > PIECE || rc == ARK_END)) {
			enum ark_rc added = io_spool_add(to, io_temp_dir(), held.data, held.len, err);
			ark_buf_reset(&held);
			rc = added < 0 ? added : rc;
		}
	}
	if (rc < 0)
		db_copy_out_end(conn);
	return rc == ARK_END ? ARK_OK : rc;
}

void paths_begin(struct paths *p, const struct io_spool *spool)
{
	*p = (struct paths){ .spool = spool };
	ark_buf_init(&p->held, LIMIT_REPO_OBJECT);
}

void paths_release(struct paths *p)
{
	ark_buf_release(&p->held);
}

enum ark_rc paths_next(struct paths *p, struct ark_err *err)
{
	size_t end;
	p->begun = true;
	while ((end = ark_str_find(ark_str_from(ark_buf_view(&p->held), p->used), '\0', 0)) == SIZE_MAX) {
		uint64_t left = p->spool->len - p->at;
		size_t want = left < PIECE ? (size_t)left : PIECE;
		if (want == 0) {
			p->ended = true;
			return ARK_END;
		}
		memmove(p->held.data, p->held.data + p->used, p->held.len - p->used);
		ark_buf_cut(&p->held, p->held.len - p->used);
		p->used = 0;
		char *to = ark_buf_room(&p->held, want);
		enum ark_rc rc = to != NULL ? io_spool_read(p->spool, p->at, to, want, err) : ark_buf_ok(&p->held, "a path", err);
		if (rc < 0)
			return rc;
		p->held.len += want;
		p->at += want;
	}
	p->path = ark_str_n(p->held.data + p->used, end);
	p->used += end + 1;
	return ARK_OK;
}

enum ark_rc paths_has(struct paths *p, struct ark_str path, bool *found, struct ark_err *err)
{
	*found = false;
	while (!p->ended && (!p->begun || ark_str_cmp(p->path, path) < 0)) {
		enum ark_rc rc = paths_next(p, err);
		if (rc < 0)
			return rc;
	}
	*found = !p->ended && ark_str_eq(p->path, path);
	return ARK_OK;
}
