/* Any bytes as a Retry-After header, an HTTP date, an address, an encoded path. */
#include <string.h>

#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/net/http.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

#define NOW INT64_C(1700000000000)

static void as_time(struct ark_str text)
{
	int64_t wait = -1, at = -1;
	if (net_retry_after(text, NOW, &wait))
		FUZZ_CLAIM(wait >= 0);
	else
		FUZZ_CLAIM(wait == -1);
	if (!net_http_date(text, &at))
		return;
	struct ark_civil c = ark_time_civil(at);
	FUZZ_CLAIM(c.year >= 1970 && c.year <= 9999 && at % 1000 == 0);
	FUZZ_CLAIM(wait == (at > NOW ? at - NOW : 0));
}

/* What is shown is scheme, host, port and path: nothing behind '?' or '#', nothing before '@'. */
static void as_address(struct ark_str text)
{
	ark_auto(ark_freep) char *url = ark_strdup(text);
	ark_auto(ark_buf_release) struct ark_buf shown;
	ark_buf_init(&shown, 1u << 20);
	net_url_shown(url, true, &shown);
	struct ark_str s = ark_buf_view(&shown);
	FUZZ_CLAIM(s.len > 0);
	if (ark_str_eqz(s, "?"))
		return;
	size_t slashes = ark_str_search(s, ARK_LIT("://"), 0);
	FUZZ_CLAIM(slashes != SIZE_MAX);
	FUZZ_CLAIM(memchr(s.ptr, '?', s.len) == NULL && memchr(s.ptr, '#', s.len) == NULL);
	size_t host_end = ark_str_find(s, '/', slashes + 3);
	struct ark_str host = ark_str_first(ark_str_from(s, slashes + 3),
	                                    host_end == SIZE_MAX ? SIZE_MAX : host_end - slashes - 3);
	FUZZ_CLAIM(ark_str_find(host, '@', 0) == SIZE_MAX);
}

static void as_path(struct ark_str text)
{
	ark_auto(ark_buf_release) struct ark_buf coded;
	ark_auto(ark_buf_release) struct ark_buf plain;
	ark_buf_init(&coded, 1u << 20);
	ark_buf_init(&plain, 1u << 20);
	net_url_encode(text, true, &coded);
	bool nul = text.len > 0 && memchr(text.ptr, '\0', text.len) != NULL;
	FUZZ_CLAIM(net_url_decode(ark_buf_view(&coded), &plain) == !nul);
	FUZZ_CLAIM(nul || ark_str_eq(ark_buf_view(&plain), text));
	/* and as something that was encoded by others */
	ark_buf_reset(&plain);
	if (net_url_decode(text, &plain))
		FUZZ_CLAIM(plain.len <= text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ark_str text = ark_str_n((const char *)data, size < 65536 ? size : 65536);
	as_time(text);
	as_address(text);
	as_path(text);
	return 0;
}
