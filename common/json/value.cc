/*
 * The only C++ of the project: simdjson behind value.h. No exception crosses it (the library's
 * exception-free calls are used throughout); a json_val is the bytes of a simdjson::dom::element.
 */
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

extern "C" {
#include "common/base/limits.h"
#include "common/json/value.h"
}

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

static_assert(sizeof(element) == sizeof(json_val), "a value is two words");
static_assert(sizeof(array::iterator) == sizeof(json_val), "an iterator is two words");
static_assert(sizeof(object::iterator) == sizeof(json_val), "an iterator is two words");
static_assert(std::is_trivially_copyable<element>::value, "values are copied as bytes");
static_assert(JSON_PADDING >= simdjson::SIMDJSON_PADDING, "padding as the library wants it");

struct json_doc {
	simdjson::dom::parser parser;
};

template <class T> static T from_words(const uint64_t *w)
{
	T t;
	std::memcpy(static_cast<void *>(&t), w, sizeof(t));
	return t;
}

template <class T> static void to_words(uint64_t *w, const T &t)
{
	std::memcpy(w, static_cast<const void *>(&t), sizeof(t));
}

static bool there(json_val v)
{
	return v.w[0] != 0;
}

/* The string and a byte behind it. */
static void flat_text(ark_buf *out, ark_str s, char behind)
{
	char *to = ark_buf_room(out, s.len + 1);
	if (to == nullptr)
		return;
	std::memcpy(to, s.ptr, s.len);
	to[s.len] = behind;
	to[s.len + 1] = '\0';
	out->len += s.len + 1;
}

/* Here and not over json_next: it goes through every value of every message. */
static void flatten(element e, bool (*leave_out)(ark_str key), ark_buf *out, int depth)
{
	array a;
	object o;
	std::string_view s;
	double number;
	json_val v;
	int64_t whole;
	if (depth > LIMIT_JSON_DEPTH)
		return;
	switch (e.type()) {
	case element_type::STRING:
		s = e.get_string().value_unsafe();
		ark_buf_c(out, '"');
		flat_text(out, ark_str{ s.data(), s.size() }, '\x1f');
		break;
	case element_type::ARRAY:
		a = e.get_array().value_unsafe();
		ark_buf_c(out, '[');
		for (element x : a)
			flatten(x, leave_out, out, depth + 1);
		ark_buf_c(out, ']');
		break;
	case element_type::OBJECT:
		o = e.get_object().value_unsafe();
		ark_buf_c(out, '{');
		for (object::iterator at = o.begin(), end = o.end(); at != end; ++at) {
			ark_str key = { at.key_c_str(), at.key_length() };
			if (leave_out(key))
				continue;
			flat_text(out, key, ':');
			flatten(at.value(), leave_out, out, depth + 1);
		}
		ark_buf_c(out, '}');
		break;
	case element_type::BOOL: ark_buf_c(out, e.get_bool().value_unsafe() ? 't' : 'f'); break;
	case element_type::NULL_VALUE: break;
	default:
		to_words(v.w, e);
		if (json_i64(v, &whole))
			ark_buf_i64(out, whole);
		else if (json_f64(v, &number))
			ark_buf_fmt(out, "%.17g", number);
		ark_buf_c(out, '\x1f');
		break;
	}
}

extern "C" {

json_doc *json_doc_new(void)
{
	json_doc *doc = new (std::nothrow) json_doc;
	if (doc == nullptr) {
		std::fprintf(stderr, "out of memory\n");
		std::exit(1);
	}
	return doc;
}

void json_doc_free(json_doc *doc)
{
	delete doc;
}

void json_doc_freep(json_doc **doc)
{
	delete *doc;
	*doc = nullptr;
}

enum ark_rc json_doc_parse(json_doc *doc, const char *text, size_t len, json_val *root, ark_err *err)
{
	if (doc->parser.max_depth() != LIMIT_JSON_DEPTH || doc->parser.capacity() < len) {
		size_t want = doc->parser.capacity() < len ? len + len / 2 + 4096 : doc->parser.capacity();
		if (doc->parser.allocate(want, LIMIT_JSON_DEPTH) != simdjson::SUCCESS)
			return ark_err_set(err, ARK_KIND_MEMORY, "no memory to read %zu bytes of JSON", len);
	}
	element e;
	simdjson::error_code code = doc->parser.parse(text, len, false).get(e);
	if (code != simdjson::SUCCESS)
		return ark_err_set(err, ARK_KIND_INPUT, "not valid JSON: %s",
		                   simdjson::error_message(code));
	to_words(root->w, e);
	return ARK_OK;
}

size_t json_doc_memory(const json_doc *doc)
{
	/* tape and string buffer of the library: about 8 bytes + 5/3 byte per input byte */
	return doc->parser.capacity() * 10;
}

enum json_type json_type(json_val v)
{
	if (!there(v))
		return JSON_MISSING;
	switch (from_words<element>(v.w).type()) {
	case element_type::ARRAY: return JSON_ARRAY;
	case element_type::OBJECT: return JSON_OBJECT;
	case element_type::STRING: return JSON_STRING;
	case element_type::BOOL: return JSON_BOOL;
	case element_type::NULL_VALUE: return JSON_NULL;
	default: return JSON_NUMBER;
	}
}

ark_str json_str(json_val v)
{
	std::string_view s;
	if (!there(v) || from_words<element>(v.w).get_string().get(s) != simdjson::SUCCESS)
		return ARK_STR_NONE;
	return ark_str{ s.data(), s.size() };
}

ark_str json_text(json_val v)
{
	ark_str s = json_str(v);
	return s.len > 0 ? s : ARK_STR_NONE;
}

bool json_is_true(json_val v)
{
	bool b;
	return there(v) && from_words<element>(v.w).get_bool().get(b) == simdjson::SUCCESS && b;
}

bool json_f64(json_val v, double *out)
{
	double d;
	if (!there(v) || from_words<element>(v.w).get_double().get(d) != simdjson::SUCCESS)
		return false;
	*out = d;
	return true;
}

bool json_i64(json_val v, int64_t *out)
{
	int64_t i;
	if (!there(v))
		return false;
	if (from_words<element>(v.w).get_int64().get(i) == simdjson::SUCCESS) {
		*out = i;
		return true;
	}
	double d;
	if (json_f64(v, &d)) {
		if (d != std::floor(d) || d < -9.0e15 || d > 9.0e15)
			return false;
		*out = static_cast<int64_t>(d);
		return true;
	}
	uint64_t u;
	if (!ark_str_u64(json_str(v), &u) || u > INT64_MAX)
		return false;
	*out = static_cast<int64_t>(u);
	return true;
}

json_iter json_items(json_val v)
{
	json_iter it = {};
	array a;
	if (there(v) && from_words<element>(v.w).get_array().get(a) == simdjson::SUCCESS) {
		to_words(it.w, a.begin());
		to_words(it.w + 2, a.end());
	}
	return it;
}

bool json_next(json_iter *it, json_val *value)
{
	if (it->w[0] == 0)
		return false;
	array::iterator at = from_words<array::iterator>(it->w);
	if (!(at != from_words<array::iterator>(it->w + 2)))
		return false;
	to_words(value->w, *at);
	++at;
	to_words(it->w, at);
	return true;
}

json_iter json_fields(json_val v)
{
	json_iter it = {};
	object o;
	if (there(v) && from_words<element>(v.w).get_object().get(o) == simdjson::SUCCESS) {
		to_words(it.w, o.begin());
		to_words(it.w + 2, o.end());
	}
	return it;
}

bool json_next_field(json_iter *it, ark_str *key, json_val *value)
{
	if (it->w[0] == 0)
		return false;
	object::iterator at = from_words<object::iterator>(it->w);
	if (!(at != from_words<object::iterator>(it->w + 2)))
		return false;
	std::string_view k = at.key();
	*key = ark_str{ k.data(), k.size() };
	to_words(value->w, at.value());
	++at;
	to_words(it->w, at);
	return true;
}

size_t json_count(json_val v)
{
	size_t n = 0;
	json_iter it = json_items(v);
	json_val x;
	while (json_next(&it, &x))
		n++;
	ark_str key;
	it = json_fields(v);
	while (json_next_field(&it, &key, &x))
		n++;
	return n;
}

json_val json_member(json_val v, ark_str key)
{
	object o;
	if (!there(v) || from_words<element>(v.w).get_object().get(o) != simdjson::SUCCESS)
		return json_val{};
	for (object::iterator at = o.begin(), end = o.end(); at != end; ++at) {
		if (at.key_length() != key.len || std::memcmp(at.key_c_str(), key.ptr, key.len) != 0)
			continue;
		json_val found;
		to_words(found.w, at.value());
		return found;
	}
	return json_val{};
}

void json_flatten(json_val v, bool (*leave_out)(ark_str key), ark_buf *out)
{
	if (there(v))
		flatten(from_words<element>(v.w), leave_out, out, 0);
}
}
