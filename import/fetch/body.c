#include "import/fetch/body.h"

#include <errno.h>
#include <sys/mman.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

void body_init(struct body *b, const char *temp_dir)
{
	*b = (struct body){ .temp_dir = temp_dir, .spool = IO_SPOOL_NONE };
	ark_buf_init(&b->memory, BODY_IN_MEMORY);
}

static void unmap(struct body *b)
{
	if (b->map != NULL)
		munmap(b->map, b->size_bytes);
	b->map = NULL;
}

void body_release(struct body *b)
{
	unmap(b);
	io_spool_close(&b->spool);
	ark_buf_release(&b->memory);
}

void body_reset(struct body *b)
{
	unmap(b);
	io_spool_close(&b->spool);
	b->spool = IO_SPOOL_NONE;
	ark_buf_reset(&b->memory);
	b->size_bytes = 0;
}

enum ark_rc body_add(struct body *b, const char *ptr, size_t len, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	if (b->size_bytes <= BODY_IN_MEMORY && b->size_bytes + len > BODY_IN_MEMORY)
		rc = io_spool_add(&b->spool, b->temp_dir, b->memory.data, b->memory.len, err);
	if (rc == ARK_OK && b->size_bytes + len > BODY_IN_MEMORY)
		rc = io_spool_add(&b->spool, b->temp_dir, ptr, len, err);
	if (rc < 0)
		return rc;
	size_t room = b->memory.ceil - b->memory.len;
	ark_buf_add(&b->memory, ptr, len < room ? len : room);
	b->size_bytes += len;
	return ARK_OK;
}

struct ark_str body_start(const struct body *b)
{
	return ark_buf_view(&b->memory);
}

struct ark_body body_whole(const struct body *b)
{
	return b->size_bytes <= BODY_IN_MEMORY ? ark_body_mem(ark_buf_view(&b->memory))
	                                       : ark_body_fd(b->spool.fd, 0, b->size_bytes);
}

enum ark_rc body_map(struct body *b, struct ark_str *out, struct ark_err *err)
{
	if (b->size_bytes <= BODY_IN_MEMORY) {
		*out = ark_buf_view(&b->memory);
		return ARK_OK;
	}
	if (b->map == NULL) {
		void *m = mmap(NULL, b->size_bytes, PROT_READ, MAP_SHARED, b->spool.fd, 0);
		if (m == MAP_FAILED)
			return ark_err_errno(err, errno, "cannot map %llu bytes of a temporary file",
			                     (unsigned long long)b->size_bytes);
		b->map = m;
	}
	*out = ark_str_n(b->map, b->size_bytes);
	return ARK_OK;
}

/* ---- what it is ---- */

static bool has_any(struct ark_str s, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ark_str_search(s, ark_str_z(words[i]), 0) != SIZE_MAX)
			return true;
	return false;
}

bool body_is_sign_in(struct ark_str start)
{
	static const char *const MARKS[] = { "data-qa=\"signin", "data-qa=\"sign_in", "id=\"signin_form",
		                             "id=\"page_signin", "signin_form", "/checkcookie?redir=",
		                             "/sign_in_with_password", "slack.com/signin" };
	return has_any(ark_str_first(start, 256u << 10), MARKS, sizeof(MARKS) / sizeof(MARKS[0]));
}

static bool starts_like_html(struct ark_str s)
{
	static const char *const STARTS[] = { "<!doctype html", "<html", "<head" };
	if (ark_str_starts(s, ARK_LIT("\xef\xbb\xbf")))
		s = ark_str_from(s, 3);
	s = ark_str_trim(ark_str_first(s, 1024));
	for (size_t i = 0; i < sizeof(STARTS) / sizeof(STARTS[0]); i++) {
		size_t len = strlen(STARTS[i]), n = 0;
		while (n < len && n < s.len && (s.ptr[n] | (s.ptr[n] >= 'A' && s.ptr[n] <= 'Z' ? 0x20 : 0)) == STARTS[i][n])
			n++;
		if (n == len)
			return true;
	}
	return false;
}

const char *body_fault(const struct body *b, int64_t size_bytes, bool may_be_html)
{
	struct ark_str start = body_start(b);
	bool exact = size_bytes > 0 && (uint64_t)size_bytes == b->size_bytes;
	if (b->size_bytes == 0 && size_bytes > 0)
		return "its body is empty";
	if (!starts_like_html(start))
		return NULL;
	if (body_is_sign_in(start) && !exact)
		return "a sign-in page instead of the file";
	/* a text that happens to be HTML has the size that Slack says */
	return may_be_html || exact ? NULL : "a web page instead of the file";
}
