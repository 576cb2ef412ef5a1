/* Why pread and not read: a transfer that is repeated starts anywhere, and a file may be sent by
 * several threads. */
#include "common/base/flow.h"

#include <errno.h>
#include <unistd.h>

#include "common/base/banned.h"

enum ark_rc ark_body_read(const struct ark_body *body, uint64_t from, char *to, size_t len,
                          size_t *got, struct ark_err *err)
{
	uint64_t rest = from < body->len ? body->len - from : 0;
	size_t want = rest < len ? (size_t)rest : len, have = 0;
	if (body->fd < 0) {
		if (want > 0)
			memcpy(to, body->mem.ptr + from, want);
		*got = want;
		return ARK_OK;
	}
	while (have < want) {
		ssize_t n = pread(body->fd, to + have, want - have, (off_t)(body->at + from + have));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ark_err_errno(err, errno, "cannot read the file that is being sent");
		if (n == 0)
			return ark_err_set(err, ARK_KIND_INPUT, "the file that is being sent became shorter");
		have += (size_t)n;
	}
	*got = have;
	return ARK_OK;
}

enum ark_rc ark_take_buf(void *buf, const char *ptr, size_t len, struct ark_err *err)
{
	struct ark_buf *b = buf;
	ark_buf_add(b, ptr, len);
	return ark_buf_ok(b, "what was received", err);
}
