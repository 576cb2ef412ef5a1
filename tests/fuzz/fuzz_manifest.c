/* Any bytes as the lines of a manifest: refused, or a digest and a name that, written again, are read the same. */
#include <string.h>

#include "common/base/buf.h"
#include "export/bag.h"
#include "export/out.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

static void one_line(struct ark_str line, bool payload)
{
	struct ark_str sha256, name, sha256_again, name_again;
	if (!export_manifest_read(line, payload, &sha256, &name))
		return;
	FUZZ_CLAIM(sha256.len == 64 && name.len > 0 && memchr(name.ptr, '\0', name.len) == NULL);
	FUZZ_CLAIM(ark_str_starts(name, ARK_LIT("data/")) == payload);
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, line.len + 8);
	ark_buf_fmt(&text, "%.*s  ", ARK_FMT(sha256));
	ark_buf_str(&text, name);
	FUZZ_CLAIM(export_manifest_read(ark_buf_view(&text), payload, &sha256_again, &name_again));
	FUZZ_CLAIM(ark_str_eq(sha256, sha256_again) && ark_str_eq(name, name_again));
	FUZZ_CLAIM(!export_manifest_read(ark_buf_view(&text), !payload, &sha256_again, &name_again));
	/* What an export may hold does not lead out of it. */
	ark_buf_reset(&text);
	ark_buf_str(&text, name);
	if (export_name_fits(text.data))
		FUZZ_CLAIM(text.data[0] != '/' && strstr(text.data, "..") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ark_str rest = { (const char *)data, size };
	while (rest.len > 0) {
		size_t end = ark_str_find(rest, '\n', 0);
		struct ark_str line = ark_str_first(rest, end);
		rest = ark_str_from(rest, end == SIZE_MAX ? rest.len : end + 1);
		one_line(line, true);
		one_line(line, false);
	}
	return 0;
}
