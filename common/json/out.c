#include "common/json/out.h"

#include "common/base/time.h"
#include "common/base/utf8.h"

#include "common/base/banned.h"

void json_out_begin(struct json_out *o, struct ark_buf *to, bool indent)
{
	*o = (struct json_out){ .to = to, .indent = indent, .first = true };
}

void json_out_end(struct json_out *o)
{
	while (o->depth > 0)
		json_out_close(o);
	ark_buf_c(o->to, '\n');
}

static void new_line(struct json_out *o)
{
	if (!o->indent)
		return;
	ark_buf_c(o->to, '\n');
	for (unsigned i = 0; i < o->depth; i++)
		ark_buf_c(o->to, '\t');
}

static void begin_value(struct json_out *o, const char *key)
{
	if (!o->first)
		ark_buf_c(o->to, ',');
	if (o->depth > 0)
		new_line(o);
	o->first = false;
	if (key != NULL) {
		ark_buf_json(o->to, ark_str_z(key));
		ark_buf_z(o->to, o->indent ? ": " : ":");
	}
}

static void open_value(struct json_out *o, const char *key, char open, char close)
{
	if (o->depth == JSON_OUT_DEPTH)
		ark_bug("JSON nested deeper than %d", JSON_OUT_DEPTH);
	begin_value(o, key);
	ark_buf_c(o->to, open);
	o->closing[o->depth++] = close;
	o->first = true;
}

void json_out_open(struct json_out *o, const char *key)
{
	open_value(o, key, '{', '}');
}

void json_out_open_list(struct json_out *o, const char *key)
{
	open_value(o, key, '[', ']');
}

void json_out_close(struct json_out *o)
{
	if (o->depth == 0)
		ark_bug("JSON closed once too often");
	bool empty = o->first;
	o->depth--;
	if (!empty)
		new_line(o);
	ark_buf_c(o->to, o->closing[o->depth]);
	o->first = false;
}

void json_out_text(struct json_out *o, const char *key, struct ark_str value)
{
	begin_value(o, key);
	if (!ark_str_has(value)) {
		ark_buf_z(o->to, "null");
	} else if (ark_utf8_valid(value)) {
		ark_buf_json(o->to, value);
	} else {
		ark_auto(ark_buf_release) struct ark_buf mended;
		ark_buf_init(&mended, SIZE_MAX / 2);
		ark_utf8_clean(&mended, value);
		ark_buf_json(o->to, ark_buf_view(&mended));
	}
}

void json_out_u64(struct json_out *o, const char *key, uint64_t value)
{
	begin_value(o, key);
	ark_buf_u64(o->to, value);
}

void json_out_i64(struct json_out *o, const char *key, int64_t value)
{
	begin_value(o, key);
	ark_buf_i64(o->to, value);
}

void json_out_bool(struct json_out *o, const char *key, bool value)
{
	begin_value(o, key);
	ark_buf_z(o->to, value ? "true" : "false");
}

void json_out_null(struct json_out *o, const char *key)
{
	begin_value(o, key);
	ark_buf_z(o->to, "null");
}

void json_out_raw(struct json_out *o, const char *key, struct ark_str json)
{
	begin_value(o, key);
	ark_buf_str(o->to, json);
}

void json_out_time(struct json_out *o, const char *key, int64_t unix_ms)
{
	if (unix_ms == 0) {
		json_out_null(o, key);
		return;
	}
	char iso[ARK_TIME_ISO];
	ark_time_iso(unix_ms, iso);
	json_out_text(o, key, ark_str_z(iso));
}

void json_out_seconds(struct json_out *o, const char *key, int64_t ms)
{
	begin_value(o, key);
	uint64_t n = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
	if (ms < 0)
		ark_buf_c(o->to, '-');
	ark_buf_u64(o->to, n / 1000);
	ark_buf_fmt(o->to, ".%03u", (unsigned)(n % 1000));
}
