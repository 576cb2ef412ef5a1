/*
 * Fast reading of JSON that may be large: message files, user and channel lists. Over simdjson's DOM;
 * none of its types leaves this room. Small documents (configuration) go through json/small.h.
 *
 * A json_doc is a parser with its memory, used again for one document after another; values and
 * strings borrow from it and from nothing else, and are gone with its next parse.
 */
#ifndef ARK_JSON_VALUE_H
#define ARK_JSON_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/str.h"

/* Readable bytes that must follow the text (their content does not matter). */
#define JSON_PADDING 64

enum json_type {
	JSON_MISSING, /* no such key; also what `(struct json_val){0}` is */
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_val {
	uint64_t w[2]; /* private; all zero is JSON_MISSING */
};

struct json_iter {
	uint64_t w[4]; /* private */
};

struct json_doc;

struct json_doc *json_doc_new(void);
void json_doc_free(struct json_doc *doc); /* NULL is fine */
void json_doc_freep(struct json_doc **doc); /* for ark_auto */

/*
 * Parse one document of `len` bytes at `text`, followed by JSON_PADDING readable bytes.
 * Strict: bad UTF-8, lone surrogates, raw control bytes in strings, nesting beyond LIMIT_JSON_DEPTH
 * and anything behind the document FAIL with kind INPUT (the caller may mend and try again).
 */
enum ark_rc json_doc_parse(struct json_doc *doc, const char *text, size_t len, struct json_val *root,
                           struct ark_err *err);
/* Bytes of memory the parser holds now. */
size_t json_doc_memory(const struct json_doc *doc);

enum json_type json_type(struct json_val v);
/* The string, unescaped, valid UTF-8, may hold U+0000; ARK_STR_NONE for anything else. */
struct ark_str json_str(struct json_val v);
/* The string if it is not empty, else ARK_STR_NONE: Slack writes "" and null for "none". */
struct ark_str json_text(struct json_val v);
bool json_is_true(struct json_val v);
/* An integer, or a number with zero fraction, or a string of digits (Slack's `created` is any of
 * these); false for anything else. */
bool json_i64(struct json_val v, int64_t *out);
bool json_f64(struct json_val v, double *out);

/* Members of an array; one that is no array has none. Usage:
 *	struct json_iter it = json_items(v);
 *	for (struct json_val x; json_next(&it, &x);) ... */
struct json_iter json_items(struct json_val array);
bool json_next(struct json_iter *it, struct json_val *value);
/* Members of an object, in document order. */
struct json_iter json_fields(struct json_val object);
bool json_next_field(struct json_iter *it, struct ark_str *key, struct json_val *value);
/* Number of members of an array or object, else 0. */
size_t json_count(struct json_val v);
/* First member with this key; JSON_MISSING when there is none or `object` is no object. Walks the
 * object: for several keys of a big object iterate once instead. */
struct json_val json_member(struct json_val object, struct ark_str key);
static inline struct json_val json_get(struct json_val object, const char *key)
{
	return json_member(object, ark_str_z(key));
}

/*
 * Append what `v` says, for digests: equal for values that differ in white space, escapes or the
 * notation of whole numbers only. null says nothing. Members of objects whose key `leave_out` affirms
 * are passed over, and so is what is nested beyond LIMIT_JSON_DEPTH.
 */
void json_flatten(struct json_val v, bool (*leave_out)(struct ark_str key), struct ark_buf *out);

#endif
