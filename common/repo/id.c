#include "common/repo/id.h"

#include "common/crypt/hash.h"

#include "common/base/banned.h"

void repo_id_hex(const struct repo_id *id, char out[REPO_ID_HEX + 1])
{
	crypt_hex(id->b, REPO_ID_BYTES, out);
}

void repo_id_add(const struct repo_id *id, struct ark_buf *out)
{
	char hex[REPO_ID_HEX + 1];
	repo_id_hex(id, hex);
	ark_buf_add(out, hex, REPO_ID_HEX);
}

bool repo_id_parse(struct ark_str text, struct repo_id *out)
{
	struct repo_id id;
	if (text.len != REPO_ID_HEX)
		return false;
	for (size_t i = 0; i < REPO_ID_BYTES; i++) {
		int high = ark_hex_digit(text.ptr[2 * i]), low = ark_hex_digit(text.ptr[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		id.b[i] = (unsigned char)(high << 4 | low);
	}
	*out = id;
	return true;
}
