/*
 * The XML that object stores answer with, read by expat from memory. A document type is refused: no
 * store sends one, and entities could make a small answer large.
 */
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/net/s3_private.h"

#include "common/base/banned.h"

#define DEPTH_MAX 8
#define NAME_MAX_BYTES 48

struct reader {
	XML_Parser parser;
	char names[DEPTH_MAX][NAME_MAX_BYTES]; /* of the open elements, without name space */
	unsigned depth;
	struct ark_buf text;                   /* of the innermost one */
	bool refused;
	/* called at the end of each element; names[0 .. depth-1] are open, names[depth-1] ends */
	void (*end)(struct reader *r, void *ctx);
	void *ctx;
};

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **atts)
{
	struct reader *r = user;
	(void)atts;
	ark_buf_reset(&r->text);
	if (r->depth < DEPTH_MAX) {
		size_t n = strlen(name);
		n = n < NAME_MAX_BYTES ? n : NAME_MAX_BYTES - 1;
		memcpy(r->names[r->depth], name, n);
		r->names[r->depth][n] = '\0';
	}
	if (++r->depth > DEPTH_MAX)
		r->refused = XML_StopParser(r->parser, XML_FALSE) == XML_STATUS_OK;
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
	struct reader *r = user;
	(void)name;
	if (r->depth <= DEPTH_MAX)
		r->end(r, r->ctx);
	r->depth--;
	ark_buf_reset(&r->text);
}

static void XMLCALL on_text(void *user, const XML_Char *text, int len)
{
	struct reader *r = user;
	ark_buf_add(&r->text, text, (size_t)len);
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *sysid,
                               const XML_Char *pubid, int internal)
{
	struct reader *r = user;
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)internal;
	r->refused = XML_StopParser(r->parser, XML_FALSE) == XML_STATUS_OK;
}

/* True when the whole document was read. */
static bool read_xml(struct ark_str xml, void (*end)(struct reader *, void *), void *ctx)
{
	struct reader r = { .parser = XML_ParserCreate(NULL), .end = end, .ctx = ctx };
	if (r.parser == NULL || xml.len > LIMIT_S3_XML) {
		XML_ParserFree(r.parser);
		return false;
	}
	ark_buf_init(&r.text, LIMIT_STORE_PATH * 3);
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	bool ok = XML_Parse(r.parser, xml.ptr != NULL ? xml.ptr : "", (int)xml.len, XML_TRUE) ==
	          XML_STATUS_OK;
	XML_ParserFree(r.parser);
	ark_buf_release(&r.text);
	return ok && !r.refused;
}

/* Is the element that ends at this path? Two levels: root and child. */
static bool at2(const struct reader *r, const char *root, const char *name)
{
	return r->depth == 2 && strcmp(r->names[0], root) == 0 && strcmp(r->names[1], name) == 0;
}

static void copy_text(const struct reader *r, char *out, size_t size)
{
	struct ark_str s = ark_str_first(ark_buf_view(&r->text), size - 1);
	memcpy(out, s.ptr, s.len);
	out[s.len] = '\0';
	ark_text_defuse(out);
}

/* --- errors ------------------------------------------------------------------------------------ */

static void error_end(struct reader *r, void *ctx)
{
	struct net_s3_error *e = ctx;
	if (at2(r, "Error", "Code"))
		copy_text(r, e->code, sizeof(e->code));
	else if (at2(r, "Error", "Message"))
		copy_text(r, e->message, sizeof(e->message));
	else if (at2(r, "Error", "Region"))
		copy_text(r, e->region, sizeof(e->region));
	else if (r->depth == 1 && strcmp(r->names[0], "Error") == 0 && e->code[0] == '\0')
		memcpy(e->code, "Unknown", sizeof("Unknown"));
}

bool net_s3_xml_error(struct ark_str xml, struct net_s3_error *out)
{
	struct net_s3_error e = { 0 };
	(void)read_xml(xml, error_end, &e); /* cut in the middle it is an error all the same */
	*out = e;
	return e.code[0] != '\0';
}

/* --- single values ----------------------------------------------------------------------------- */

struct value {
	const char *root, *name;
	struct ark_buf *out;
};

static void value_end(struct reader *r, void *ctx)
{
	struct value *v = ctx;
	if (at2(r, v->root, v->name)) {
		ark_buf_reset(v->out);
		ark_buf_str(v->out, ark_str_trim(ark_buf_view(&r->text)));
	}
}

enum ark_rc net_s3_xml_value(struct ark_str xml, const char *root, const char *name,
                             struct ark_buf *out, struct ark_err *err)
{
	struct value v = { root, name, out };
	ark_buf_reset(out);
	if (!read_xml(xml, value_end, &v) || out->len == 0 || out->failed)
		return ark_err_set(err, ARK_KIND_INPUT, "the store's answer has no <%s>", name);
	return ARK_OK;
}

/* --- lists ------------------------------------------------------------------------------------- */

struct entry {
	struct ark_buf key; /* as it is in the document */
	bool is_folder;
	bool has_size;
	struct net_s3_object object;
};

/* Entries wait for the end of the document: only there stands whether keys are encoded, and nothing of
 * a torn document may count. */
struct list {
	struct ark_buf keys; /* one after another, decoded later */
	struct item {
		size_t at, len;
		bool is_folder;
		struct net_s3_object object;
	} *items;
	size_t count, cap;
	struct entry now;
	bool encoded, seen_root, bad;
	struct net_s3_page *page;
};

static void add_item(struct list *li)
{
	if (li->count == li->cap) {
		li->cap = li->cap == 0 ? 256 : li->cap * 2;
		li->items = ark_realloc(li->items, li->cap, sizeof(li->items[0]));
	}
	struct ark_str key = ark_buf_view(&li->now.key);
	li->items[li->count++] =
	    (struct item){ li->keys.len, key.len, li->now.is_folder, li->now.object };
	ark_buf_str(&li->keys, key);
}

static void clear_entry(struct list *li, bool is_folder)
{
	ark_buf_reset(&li->now.key);
	li->now.object = (struct net_s3_object){ 0 };
	li->now.has_size = false;
	li->now.is_folder = is_folder;
}

static void contents_child(struct list *li, const struct reader *r, const char *name)
{
	struct ark_str text = ark_buf_view(&r->text);
	struct net_s3_object *o = &li->now.object;
	struct ark_err ignored;
	if (strcmp(name, "Key") == 0) {
		ark_buf_reset(&li->now.key);
		ark_buf_str(&li->now.key, text);
	} else if (strcmp(name, "Size") == 0) {
		li->now.has_size = ark_str_u64(ark_str_trim(text), &o->size);
	} else if (strcmp(name, "ETag") == 0) {
		copy_text(r, o->etag, sizeof(o->etag));
	} else if (strcmp(name, "LastModified") == 0) {
		if (ark_time_parse(ark_str_trim(text), 0, &o->mtime_ms, &ignored) < 0)
			o->mtime_ms = 0;
	}
}

static void list_end(struct reader *r, void *ctx)
{
	struct list *li = ctx;
	bool root = strcmp(r->names[0], "ListBucketResult") == 0;
	if (!root || r->depth > 3)
		return;
	struct ark_str text = ark_buf_view(&r->text);
	if (r->depth == 1) {
		li->seen_root = true;
	} else if (r->depth == 3 && strcmp(r->names[1], "Contents") == 0) {
		contents_child(li, r, r->names[2]);
	} else if (r->depth == 3 && strcmp(r->names[1], "CommonPrefixes") == 0 &&
	           strcmp(r->names[2], "Prefix") == 0) {
		ark_buf_reset(&li->now.key);
		ark_buf_str(&li->now.key, text);
	} else if (r->depth == 2 && strcmp(r->names[1], "Contents") == 0) {
		li->bad = li->bad || li->now.key.len == 0 || !li->now.has_size;
		add_item(li);
		clear_entry(li, false);
	} else if (r->depth == 2 && strcmp(r->names[1], "CommonPrefixes") == 0) {
		li->bad = li->bad || li->now.key.len == 0;
		li->now.is_folder = true;
		add_item(li);
		clear_entry(li, false);
	} else if (at2(r, "ListBucketResult", "IsTruncated")) {
		li->page->truncated = ark_str_eqz(ark_str_trim(text), "true");
	} else if (at2(r, "ListBucketResult", "NextContinuationToken")) {
		ark_buf_reset(&li->page->token);
		ark_buf_str(&li->page->token, text);
	} else if (at2(r, "ListBucketResult", "EncodingType")) {
		li->encoded = ark_str_eqz(ark_str_trim(text), "url");
	}
}

/* Append the key as it is: with encoding-type=url '+' stands for a blank, as in forms. */
static bool add_plain(struct ark_str key, struct ark_buf *out)
{
	for (size_t from = 0; from <= key.len;) {
		size_t plus = ark_str_find(key, '+', from);
		size_t end = plus == SIZE_MAX ? key.len : plus;
		if (!net_url_decode(ark_str_first(ark_str_from(key, from), end - from), out))
			return false;
		if (plus != SIZE_MAX)
			ark_buf_c(out, ' ');
		from = end + 1;
	}
	return !out->failed;
}

/* All keys of an encoded list. */
static bool decode_keys(struct list *li)
{
	struct ark_buf plain;
	bool ok = true;
	ark_buf_init(&plain, LIMIT_S3_XML);
	for (size_t i = 0; ok && i < li->count; i++) {
		struct item *item = &li->items[i];
		size_t at = plain.len;
		ok = add_plain(ark_str_n(li->keys.data + item->at, item->len), &plain);
		item->at = at;
		item->len = plain.len - at;
	}
	ark_buf_release(&li->keys);
	li->keys = plain;
	return ok;
}

static enum ark_rc tell_item(const struct list *li, const struct item *item, net_s3_each_fn *each,
                             void *ctx, struct ark_err *err)
{
	struct net_s3_page *page = li->page;
	struct ark_str key = ark_str_n(li->keys.data + item->at, item->len);
	if (page->last.len > 0 && ark_str_cmp(key, ark_buf_view(&page->last)) <= 0)
		return ark_err_set(err, ARK_KIND_INPUT, "the store lists keys out of order");
	ark_buf_reset(&page->last);
	ark_buf_str(&page->last, key);
	struct net_s3_entry entry = { key, item->is_folder, item->object };
	return each(ctx, &entry, err);
}

/* Stores list objects first and folders behind; here they come in one order. */
static int by_key(const void *a, const void *b, void *keys)
{
	const struct item *x = a, *y = b;
	const char *base = keys;
	return ark_str_cmp(ark_str_n(base + x->at, x->len), ark_str_n(base + y->at, y->len));
}

enum ark_rc net_s3_xml_list(struct ark_str xml, struct net_s3_page *page, net_s3_each_fn *each,
                            void *ctx, struct ark_err *err)
{
	struct list li = { .page = page };
	enum ark_rc rc = ARK_OK;
	bool folders = false;
	page->truncated = false;
	ark_buf_reset(&page->token);
	ark_buf_init(&li.keys, LIMIT_S3_XML);
	ark_buf_init(&li.now.key, LIMIT_STORE_PATH * 3);
	bool ok = read_xml(xml, list_end, &li) && li.seen_root && !li.bad && !li.keys.failed &&
	          !li.now.key.failed;
	if (!ok || (li.encoded && !decode_keys(&li)))
		rc = ark_err_set(err, ARK_KIND_INPUT, "the store's list cannot be read");
	for (size_t i = 0; i < li.count; i++)
		folders = folders || li.items[i].is_folder;
	if (folders && rc == ARK_OK)
		qsort_r(li.items, li.count, sizeof(li.items[0]), by_key, li.keys.data);
	for (size_t i = 0; rc == ARK_OK && i < li.count; i++)
		rc = tell_item(&li, &li.items[i], each, ctx, err);
	free(li.items);
	ark_buf_release(&li.keys);
	ark_buf_release(&li.now.key);
	if (rc == ARK_OK && page->truncated && page->token.len == 0)
		return ark_err_set(err, ARK_KIND_INPUT, "the store's list does not say how it goes on");
	return rc;
}
