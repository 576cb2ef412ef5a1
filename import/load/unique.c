#include "import/load/unique.h"

#include "common/base/limits.h"
#include "import/translate/names.h"

#include "common/base/banned.h"

/* What is left of any base with a number behind: bases that differ later share their numbers. */
#define SHARED_BYTES (MM_USERNAME_BYTES - 11)

static bool is_free(const struct ark_map *taken, uint32_t self, struct ark_str name)
{
	uint32_t owner = ark_map_get(taken, name);
	return owner == ARK_MAP_NONE || owner == self;
}

void unique_name(const struct ark_map *taken, struct ark_map *numbers, uint32_t self,
                 struct ark_str base, struct ark_buf *out)
{
	size_t start = out->len;
	ark_buf_str(out, base);
	if (is_free(taken, self, ark_str_from(ark_buf_view(out), start)))
		return;
	struct ark_str key = ark_str_first(base, SHARED_BYTES);
	uint32_t n = ark_map_get(numbers, key);
	for (n = n == ARK_MAP_NONE ? 2 : n;; n++) {
		ark_buf_cut(out, start);
		name_user_numbered(base, n, out);
		if (is_free(taken, self, ark_str_from(ark_buf_view(out), start)))
			break;
	}
	ark_map_put(numbers, key, n);
}
