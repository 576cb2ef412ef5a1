#include "common/db/binary.h"

#include <string.h>

#include "common/base/banned.h"

#define SIGNATURE "PGCOPY\n\377\r\n"
#define SIGNATURE_BYTES 11 /* its NUL belongs to it */
#define HEADER_BYTES (SIGNATURE_BYTES + 8)

static uint32_t u32_at(const char *at)
{
	const unsigned char *b = (const unsigned char *)at;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint16_t u16_at(const char *at)
{
	const unsigned char *b = (const unsigned char *)at;
	return (uint16_t)(b[0] << 8 | b[1]);
}

static enum ark_rc torn(struct ark_err *err)
{
	return ark_err_stop(err, ARK_KIND_DB, "the server sent rows in another form than asked for");
}

/* Signature, flags and the length of an extension, which no server has used yet. */
static bool skip_header(struct ark_str *rest)
{
	if (rest->len < HEADER_BYTES || memcmp(rest->ptr, SIGNATURE, SIGNATURE_BYTES) != 0)
		return false;
	uint32_t extension = u32_at(rest->ptr + SIGNATURE_BYTES + 4);
	if (extension > rest->len - HEADER_BYTES)
		return false;
	*rest = ark_str_from(*rest, HEADER_BYTES + extension);
	return true;
}

/* Bytes of the row at the start of `s`; 0 when it is not whole. */
static size_t row_bytes(struct ark_str s)
{
	size_t at = 2;
	for (unsigned n = u16_at(s.ptr); n > 0; n--) {
		if (s.len - at < 4)
			return 0;
		uint32_t len = u32_at(s.ptr + at);
		at += 4;
		if (len == UINT32_MAX)
			continue;
		if (len > s.len - at)
			return 0;
		at += len;
	}
	return at;
}

enum ark_rc db_binary_raw(struct db_binary *b, struct db_conn *conn, struct ark_str *row,
                          struct ark_err *err)
{
	while (b->rest.len == 0) {
		enum ark_rc rc = db_copy_out_next(conn, &b->rest, err);
		if (rc != ARK_OK)
			return rc == ARK_END ? torn(err) : rc;
		if (!b->begun && !skip_header(&b->rest))
			return torn(err);
		b->begun = true;
	}
	if (b->rest.len < 2)
		return torn(err);
	if (u16_at(b->rest.ptr) == UINT16_MAX) { /* the trailer; the connection wants to be read out */
		struct ark_str more;
		enum ark_rc rc = db_copy_out_next(conn, &more, err);
		return rc == ARK_OK ? torn(err) : rc;
	}
	size_t len = row_bytes(b->rest);
	if (len == 0)
		return torn(err);
	*row = ark_str_first(b->rest, len);
	b->rest = ark_str_from(b->rest, len);
	return ARK_OK;
}

bool db_binary_split(struct ark_str row, struct ark_str *fields, size_t count)
{
	if (u16_at(row.ptr) != count)
		return false;
	const char *at = row.ptr + 2;
	for (size_t i = 0; i < count; i++) {
		uint32_t len = u32_at(at);
		at += 4;
		fields[i] = len == UINT32_MAX ? ARK_STR_NONE : ark_str_n(at, len);
		if (len != UINT32_MAX)
			at += len;
	}
	return true;
}

enum ark_rc db_binary_next(struct db_binary *b, struct db_conn *conn, struct ark_str *fields,
                           size_t count, struct ark_err *err)
{
	struct ark_str row;
	enum ark_rc rc = db_binary_raw(b, conn, &row, err);
	if (rc == ARK_OK && !db_binary_split(row, fields, count))
		return torn(err);
	return rc;
}

int64_t db_binary_i64(struct ark_str field)
{
	if (field.len == 8)
		return (int64_t)((uint64_t)u32_at(field.ptr) << 32 | u32_at(field.ptr + 4));
	if (field.len == 4)
		return (int32_t)u32_at(field.ptr);
	return field.len == 2 ? (int16_t)u16_at(field.ptr) : 0;
}

bool db_binary_bool(struct ark_str field)
{
	return field.len == 1 && field.ptr[0] != 0;
}

struct ark_str db_binary_text(struct ark_str field)
{
	return ark_str_has(field) ? field : ARK_LIT("");
}

struct ark_str db_binary_jsonb(struct ark_str field)
{
	return field.len > 1 && field.ptr[0] == 1 ? ark_str_from(field, 1) : ARK_LIT("{}");
}
