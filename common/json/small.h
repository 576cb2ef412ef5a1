/*
 * Small JSON documents as a tree: configuration files. Over jansson; none of its types leaves this
 * room. What may be large goes through json/value.h.
 */
#ifndef ARK_JSON_SMALL_H
#define ARK_JSON_SMALL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/str.h"

struct json_small;

/* Errors (kind INPUT) name line and column and quote nothing: configurations hold passwords. */
enum ark_rc json_small_parse(struct ark_str text, struct json_small **out, struct ark_err *err);
/* Kind MISSING when there is no such file, LIMIT beyond LIMIT_SMALL_JSON bytes. */
enum ark_rc json_small_file(const char *path, struct json_small **out, struct ark_err *err);
void json_small_free(struct json_small *doc); /* NULL is fine */
void json_small_freep(struct json_small **doc); /* for ark_auto */

/* By path, member names joined by dots: "SqlSettings.DataSource". Borrowed from the document. */
bool json_small_has(const struct json_small *doc, const char *path);
/* NONE when it is not there or no string. */
struct ark_str json_small_str(const struct json_small *doc, const char *path);
/* False, and `out` untouched, when it is not there or of another type. */
bool json_small_bool(const struct json_small *doc, const char *path, bool *out);
bool json_small_i64(const struct json_small *doc, const char *path, int64_t *out);

#endif
