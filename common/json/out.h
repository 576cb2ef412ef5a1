/*
 * Writing JSON into a buffer: one compact object per line for programs, or an indented document
 * that people may open too. Not for reading; messages of the tools are common/cli/talk.h.
 *
 * Keys are literals of ours. Values may come from outside: what is no UTF-8 becomes U+FFFD. Numbers
 * are written digit by digit, never through floating point. Nothing is kept here, so the owner may
 * empty the buffer between two calls and a document of any length needs little memory.
 *
 *	struct json_out o;
 *	json_out_begin(&o, &buf, false);
 *	json_out_open(&o, NULL);
 *	json_out_text(&o, "name", name);
 *	json_out_end(&o);
 */
#ifndef ARK_JSON_OUT_H
#define ARK_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

#define JSON_OUT_DEPTH 16 /* deeper is a bug */

struct json_out {
	struct ark_buf *to; /* borrowed */
	bool indent;
	bool first; /* no comma before the next member */
	unsigned depth;
	char closing[JSON_OUT_DEPTH];
};

/* indent: one member per line, tabs in front; else everything on one line. */
void json_out_begin(struct json_out *o, struct ark_buf *to, bool indent);
/* Close what is open and end the line. */
void json_out_end(struct json_out *o);

/* The key is NULL for the outermost value and for the items of a list. */
void json_out_open(struct json_out *o, const char *key);      /* an object */
void json_out_open_list(struct json_out *o, const char *key); /* an array */
void json_out_close(struct json_out *o);

void json_out_text(struct json_out *o, const char *key, struct ark_str value); /* NONE: null */
void json_out_u64(struct json_out *o, const char *key, uint64_t value);
void json_out_i64(struct json_out *o, const char *key, int64_t value);
void json_out_bool(struct json_out *o, const char *key, bool value);
void json_out_null(struct json_out *o, const char *key);
/* JSON that is there already, taken as it is. */
void json_out_raw(struct json_out *o, const char *key, struct ark_str json);
/* ISO 8601, UTC, with milliseconds; 0 is null: the time is not known. */
void json_out_time(struct json_out *o, const char *key, int64_t unix_ms);
/* A duration in seconds with three decimals. */
void json_out_seconds(struct json_out *o, const char *key, int64_t ms);

#endif
