#include "export/history/body.h"

#include <string.h>

#include "common/base/limits.h"

#include "common/base/banned.h"

#define KEPT_BYTES (2u << 20) /* in memory */

void history_body_init(struct history_body *b, const char *folder)
{
	b->folder = folder;
	ark_buf_init(&b->text, KEPT_BYTES + LIMIT_RECORD);
	b->spool = IO_SPOOL_NONE;
}

void history_body_release(struct history_body *b)
{
	ark_buf_release(&b->text);
	io_spool_close(&b->spool);
}

void history_body_reset(struct history_body *b)
{
	ark_buf_reset(&b->text);
	if (b->spool.len > 0) {
		io_spool_close(&b->spool);
		b->spool = IO_SPOOL_NONE;
	}
}

enum ark_rc history_body_settle(struct history_body *b, struct ark_err *err)
{
	enum ark_rc rc = ark_buf_ok(&b->text, "a message of a day", err);
	if (rc < 0 || b->text.len < KEPT_BYTES)
		return rc;
	if (history_body_len(b) > LIMIT_HISTORY_DAY)
		return ark_err_set(err, ARK_KIND_LIMIT, "a day has more than %llu bytes", (unsigned long long)LIMIT_HISTORY_DAY);
	rc = io_spool_add(&b->spool, b->folder, b->text.data, b->text.len, err);
	ark_buf_reset(&b->text);
	return rc;
}

enum ark_rc history_body_read(const struct history_body *b, uint64_t at, char *to, size_t cap, size_t *got,
                              struct ark_err *err)
{
	uint64_t len = history_body_len(b);
	bool spooled = at < b->spool.len;
	uint64_t left = at >= len ? 0 : spooled ? b->spool.len - at : len - at;
	*got = left < cap ? (size_t)left : cap;
	if (spooled)
		return io_spool_read(&b->spool, at, to, *got, err);
	if (*got > 0)
		memcpy(to, b->text.data + (at - b->spool.len), *got);
	return ARK_OK;
}
