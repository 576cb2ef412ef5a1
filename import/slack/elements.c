/*
 * Why a cutter of our own beside the JSON library: the library takes or refuses a whole document; one
 * bad byte must not cost a day of messages.
 *
 * Recovery: a top-level element is an object; when a new `{"` with a key like an element's first one
 * cannot be told from a nested object, depth decides. A file cut off in the middle leaves its last
 * element open: that stretch is damaged, all before it are whole.
 */
#include "import/slack/elements.h"

#include <string.h>

#include "common/base/limits.h"
#include "common/json/value.h"

#include "common/base/banned.h"

void slack_elements_init(struct slack_elements *e, slack_element_fn fn, void *ctx)
{
	*e = (struct slack_elements){ .fn = fn, .ctx = ctx };
	ark_buf_init(&e->element, LIMIT_MESSAGE + JSON_PADDING);
}

void slack_elements_release(struct slack_elements *e)
{
	ark_buf_release(&e->element);
}

static enum ark_rc flush_bad(struct slack_elements *e, struct ark_err *err)
{
	if (e->bad_len == 0)
		return ARK_OK;
	uint64_t len = e->bad_len;
	e->bad_len = 0;
	if (len == 4 && memcmp(e->bad_text, "null", 4) == 0) {
		static const char padded[4 + JSON_PADDING] = "null";
		return e->opened ? e->fn(e->ctx, ark_str_n(padded, 4), e->bad_at, 4, CUT_ELEMENT, err) : ARK_OK;
	}
	return e->fn(e->ctx, ARK_LIT(""), e->bad_at, len, CUT_DAMAGED, err);
}

static void add_bad(struct slack_elements *e, uint64_t at, uint64_t len)
{
	if (e->bad_len == 0) {
		e->bad_at = at;
		memset(e->bad_text, 0, sizeof(e->bad_text));
	}
	e->bad_len = at + len - e->bad_at;
}

static void keep(struct slack_elements *e, const char *ptr, size_t len)
{
	if (e->too_large)
		return;
	if (e->element.len + len > LIMIT_MESSAGE)
		e->too_large = true;
	else
		ark_buf_add(&e->element, ptr, len);
}

static enum ark_rc element_done(struct slack_elements *e, uint64_t end, struct ark_err *err)
{
	e->in_element = false;
	e->depth = 0;
	enum ark_rc rc = flush_bad(e, err);
	if (rc < 0)
		return rc;
	if (e->too_large)
		return e->fn(e->ctx, ARK_LIT(""), e->element_at, end - e->element_at, CUT_TOO_LARGE, err);
	char *pad = ark_buf_room(&e->element, JSON_PADDING);
	memset(pad, 0, JSON_PADDING);
	struct ark_str text = ark_buf_view(&e->element);
	return e->fn(e->ctx, text, e->element_at, text.len, CUT_ELEMENT, err);
}

static void element_begin(struct slack_elements *e, uint64_t at)
{
	ark_buf_reset(&e->element);
	e->in_element = true;
	e->element_at = at;
	e->too_large = false;
	e->in_string = e->escaped = false;
	e->depth = 0;
}

/* Bytes of an element up to and with the one that ends it or `len`; returns how many were used. */
static size_t inside(struct slack_elements *e, const char *p, size_t len, bool *done)
{
	size_t i = 0;
	*done = false;
	for (; i < len; i++) {
		char c = p[i];
		if (e->in_string && c == '\n') {
			e->in_string = false; /* a raw line end cannot be in a string: its end got lost */
		} else if (e->in_string) {
			if (e->escaped)
				e->escaped = false;
			else if (c == '\\')
				e->escaped = true;
			else if (c == '"')
				e->in_string = false;
			continue;
		}
		if (c == '"') {
			e->in_string = true;
		} else if (c == '{' || c == '[') {
			e->depth++;
		} else if (c == '}' || c == ']') {
			if (--e->depth == 0) {
				*done = true;
				return i + 1;
			}
		}
	}
	return i;
}

/* One byte between elements; a comma, bracket or blank ends a word that is no element. */
static enum ark_rc between(struct slack_elements *e, char c, uint64_t at, struct ark_err *err)
{
	bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
	if (c == '{') {
		element_begin(e, at);
		return ARK_OK;
	}
	if (blank || c == ',')
		return e->bad_len == 4 ? flush_bad(e, err) : ARK_OK;
	if (c == '[' && !e->opened) {
		e->opened = true;
		return ARK_OK;
	}
	if (c == ']' && e->opened && !e->closed) {
		e->closed = true;
		return e->bad_len == 4 ? flush_bad(e, err) : ARK_OK;
	}
	add_bad(e, at, 1);
	/* by place, so that what stands apart ("nu,ll") makes no word */
	if (at - e->bad_at < sizeof(e->bad_text))
		e->bad_text[at - e->bad_at] = c;
	return ARK_OK;
}

enum ark_rc slack_elements_feed(struct slack_elements *e, struct ark_str chunk, struct ark_err *err)
{
	static const char BYTE_ORDER_MARK[3] = "\xef\xbb\xbf";
	size_t i = 0;
	/* byte by byte: the first chunk may be shorter than the mark */
	while (i < chunk.len && e->mark < 3 && e->mark == e->at + i &&
	       chunk.ptr[i] == BYTE_ORDER_MARK[e->mark]) {
		e->mark++;
		i++;
	}
	while (i < chunk.len) {
		if (!e->in_element) {
			enum ark_rc rc = between(e, chunk.ptr[i], e->at + i, err);
			if (rc < 0)
				return rc;
			if (!e->in_element) {
				i++;
				continue;
			}
		}
		bool done;
		size_t used = inside(e, chunk.ptr + i, chunk.len - i, &done);
		keep(e, chunk.ptr + i, used);
		i += used;
		if (done) {
			enum ark_rc rc = element_done(e, e->at + i, err);
			if (rc < 0)
				return rc;
		}
	}
	e->at += chunk.len;
	return ARK_OK;
}

enum ark_rc slack_elements_end(struct slack_elements *e, struct ark_err *err)
{
	if (e->in_element) {
		e->in_element = false;
		add_bad(e, e->element_at, e->at - e->element_at);
	}
	return flush_bad(e, err);
}
